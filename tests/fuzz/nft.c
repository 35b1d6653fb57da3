/* tests/fuzz/nft.c: any bytes as an nft script. What was read is printed, read back and
 * printed the same; and packets go through it, by both evaluators, with one result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/conntrack.h"
#include "linux/netns.h"
#include "linux/nft/nft.h"
#include "net/trace.h"

#include "fuzz.h"

/* Reads a listing and prints it: it must be readable. */
static char *again(const char *text, uint64_t rules, bool *unknown)
{
	struct strbuf out = { 0 }, said = { 0 };
	struct err err = { "" };
	struct nft_ruleset *r = nft_new(NULL);
	if (nft_load(r, text, strlen(text), "again", &err)) {
		fprintf(stderr, "%s\n%s\n", err.text, text);
		abort();
	}
	if (nft_rule_count(r) != rules)
		abort();
	nft_unknown(r, &said);
	*unknown = said.length != 0;
	nft_list(r, &out);
	nft_free(r);
	strbuf_free(&said);
	return strbuf_steal(&out);
}

/* The first listing may still hold a set of one element, or of ranges that became one,
 * which nft, too, prints otherwise the next time. An unknown construct's text may hold a
 * comment that the next reading skips. */
static void print_again(const struct nft_ruleset *r)
{
	struct strbuf once = { 0 };
	bool unknown;
	nft_list(r, &once);
	char *twice = again(strbuf_text(&once), nft_rule_count(r), &unknown);
	char *thrice = again(twice, nft_rule_count(r), &unknown);
	if (!unknown && strcmp(twice, thrice) != 0) {
		fprintf(stderr, "%s\n---\n%s\n", twice, thrice);
		abort();
	}
	free(twice);
	free(thrice);
	strbuf_free(&once);
}

static struct net_addr addr(const char *text)
{
	struct net_addr a = { 0 };
	if (!net_addr_parse(text, &a))
		abort();
	return a;
}

static void send_through(struct netns *ns, const char *from, const char *to, bool traced)
{
	struct linux_env *env = netns_env(ns);
	struct craft_ip ip = { .src = addr(from), .dst = addr(to), .src_port = 1234, .dst_port = 80,
			       .ttl = 64 };
	struct craft_tcp tcp = { .seq = 1, .flags = TCP_SYN, .window = 1000, .window_scale = -1 };
	struct trace *t = traced ? trace_new() : NULL;
	struct packet *p = craft_tcp(env->craft, &ip, &tcp, NULL, 0);
	p->trace = t;
	netns_input(ns, netns_iface_by_name(ns, "eth0"), p);
	p = craft_udp(env->craft, &ip, "x", 1);
	p->trace = t;
	netns_output(ns, p);
	for (int i = 0; i < 100 && engine_step(env->engine); i++)
		;
	trace_free(t);
}

static void evaluate(const char *text, size_t length)
{
	struct linux_env env = { .engine = engine_new(), .choice = choice_new(1),
				 .craft = craft_new() };
	struct netns *ns = netns_new(&env, "router");
	struct net_prefix own4 = { addr("10.0.0.1"), 24 }, own6 = { addr("fd00::1"), 64 };
	uint16_t eth0 = netns_add_dummy(ns, "eth0");
	netns_set_up(ns, eth0, true);
	netns_add_addr(ns, eth0, &own4);
	netns_add_addr(ns, eth0, &own6);
	netns_sysctl_set(ns, "net.ipv4.ip_forward", 1);
	if (nft_load(netns_nft(ns), text, length, "input", NULL) == 0) {
		for (int traced = 0; traced < 2; traced++) {
			send_through(ns, "10.0.0.7", "10.0.0.9", traced);
			send_through(ns, "10.0.0.1", "10.0.0.1", traced);
			send_through(ns, "fd00::7", "fd00::9", traced);
		}
		netns_reset_flows(ns);
	}
	netns_free(ns);
	craft_free(env.craft);
	choice_free(env.choice);
	engine_free(env.engine);
}

FUZZ_TARGET(bytes, length)
{
	const char *text = (const char *)bytes;
	struct nft_ruleset *r = nft_new(NULL);
	struct strbuf before = { 0 }, after = { 0 };
	size_t half = length / 2;
	if (nft_load(r, text, half, "input", NULL) == 0)
		print_again(r);
	nft_list(r, &before);
	if (nft_load(r, text + half, length - half, NULL, NULL) == 0) {
		print_again(r);
	} else { /* nothing of it stays */
		nft_list(r, &after);
		if (strcmp(strbuf_text(&before), strbuf_text(&after)) != 0)
			abort();
	}
	nft_free(r);
	strbuf_free(&before);
	strbuf_free(&after);
	r = nft_new(NULL);
	if (nft_load(r, text, length, "input", NULL) == 0) {
		print_again(r);
		evaluate(text, length);
	}
	nft_free(r);
}
