/* dns/server_forward.c: the forward plugin (CoreDNS plugin/forward, plugin/pkg/proxy):
 * its options, which transport the upstream is asked over, what a silent one costs.
 *
 * All upstreams are the one zone file, so which of them is asked (policy, failover, next)
 * and what keeps connections to them (expire, health checks) changes no answer. */
#include "dns/server_internal.h"

#include <stdlib.h>
#include <string.h>

#define UPSTREAMS_MAX 15u
#define DEADLINE_NS INT64_C(5000000000)
#define ATTEMPTS_PER_UPSTREAM 2u

/* ---- setup ------------------------------------------------------------------ */

static bool one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

static int rcodes_option(const struct setup *s, const struct corefile_line *l)
{
	for (uint32_t i = 1; i < l->count; i++) {
		uint16_t rcode;
		if (!dns_rcode_parse(l->words[i], &rcode))
			return setup_error(s, l, "%s is not a valid rcode", l->words[i]);
	}
	return l->count > 1 ? 0 : setup_error(s, l, "expected rcodes");
}

static int word_option(const struct setup *s, const struct corefile_line *l,
		       const char *const *words)
{
	if (l->count < 2)
		return setup_error(s, l, "expected an argument");
	return !words || one_of(l->words[1], words) ? 0 :
						      setup_error(s, l, "unknown value '%s'", l->words[1]);
}

/* Properties that are checked and change no answer; -1: not one of them. */
static int checked_option(const struct setup *s, const struct corefile_line *l)
{
	static const char *const numbers[] = { "max_fails", "max_idle_conns", "max_concurrent",
					       NULL };
	static const char *const durations[] = { "health_check", "expire", "max_age", NULL };
	static const char *const flags[] = { "next_on_nodata", "failfast_all_unhealthy_upstreams",
					     NULL };
	static const char *const texts[] = { "tls_servername", "resolver", NULL };
	static const char *const policies[] = { "random", "round_robin", "sequential", NULL };
	static const char *const methods[] = { "POST", "GET", NULL };
	const char *name = l->words[0];
	struct net_addr addr;
	int64_t number;
	bool flag;
	if (one_of(name, numbers))
		return setup_number(s, l, 1, 0, UINT32_MAX, &number);
	if (one_of(name, durations))
		return setup_duration(s, l, 1, &number);
	if (one_of(name, flags))
		return setup_flag(s, l, &flag);
	if (one_of(name, texts))
		return word_option(s, l, NULL);
	if (strcmp(name, "policy") == 0)
		return word_option(s, l, policies);
	if (strcmp(name, "doh_method") == 0)
		return word_option(s, l, methods);
	if (strcmp(name, "next") == 0 || strcmp(name, "failover") == 0)
		return rcodes_option(s, l);
	if (strcmp(name, "source_address") == 0)
		return l->count == 2 && net_addr_parse(l->words[1], &addr) ?
			       0 : setup_error(s, l, "expected an IP address");
	if (strcmp(name, "tls") == 0)
		return l->count <= 4 ? 0 : setup_error(s, l, "expected at most three files");
	return -1;
}

static int forward_option(const struct setup *s, const struct corefile_line *l,
			  struct forward_plugin *f)
{
	const char *name = l->words[0];
	int64_t number;
	int code = checked_option(s, l);
	if (code >= 0)
		return code;
	if (strcmp(name, "except") == 0)
		return l->count > 1 ? setup_zones(s, l, 1, &f->except) :
				      setup_error(s, l, "expected zones");
	if (strcmp(name, "force_tcp") == 0)
		return setup_flag(s, l, &f->force_tcp);
	if (strcmp(name, "prefer_udp") == 0)
		return setup_flag(s, l, &f->prefer_udp);
	if (strcmp(name, "read_timeout") == 0) {
		code = setup_duration(s, l, 1, &f->read_timeout_ns);
		return code || f->read_timeout_ns ? code : setup_error(s, l, "must be positive");
	}
	if (strcmp(name, "max_connect_attempts") == 0) {
		code = setup_number(s, l, 1, 0, UINT32_MAX, &number);
		f->attempts = code ? 0 : (uint32_t)number;
		return code;
	}
	return setup_error(s, l, "unknown property of forward");
}

/* Where to: addresses, files of nameservers, names. */
static int check_upstreams(const struct setup *s, const struct corefile_line *l)
{
	if (l->count - 2 > UPSTREAMS_MAX)
		return setup_error(s, l, "more than %u TOs configured: %u", UPSTREAMS_MAX,
				   l->count - 2);
	for (uint32_t i = 2; i < l->count; i++) {
		const char *to = l->words[i], *end = strstr(to, "://");
		size_t length = end ? (size_t)(end - to) : 0;
		if (end && !(length == 3 && strncmp(to, "dns", 3) == 0) &&
		    !(length == 3 && strncmp(to, "tls", 3) == 0) &&
		    !(length == 5 && strncmp(to, "https", 5) == 0))
			return setup_error(s, l, "'%s' is not supported as a destination protocol",
					   to);
	}
	return 0;
}

int setup_forward(const struct setup *s, const struct corefile_line *l, struct block *b)
{
	struct forward_plugin f = { .read_timeout_ns = INT64_C(2000000000) };
	struct dns_names from = { 0 };
	uint16_t port;
	if (l->count < 3)
		return setup_error(s, l, "expected a zone and where to forward it to");
	int code = setup_zone(s, l->line, l->words[1], &from, &port);
	if (!code)
		code = check_upstreams(s, l);
	if (code)
		return code;
	f.from = from.items[0];
	f.attempts = ATTEMPTS_PER_UPSTREAM * (l->count - 2);
	for (uint32_t i = 0; !code && i < l->block_count; i++)
		code = forward_option(s, &l->block[i], &f);
	if (code)
		return code;
	struct forward_plugin *all = arena_array(s->server->config, b->forward_count + 1,
						 sizeof *all);
	for (uint32_t i = 0; i < b->forward_count; i++)
		all[i] = b->forwards[i];
	all[b->forward_count++] = f;
	b->forwards = all;
	s->server->any_class = true;
	return 0;
}

/* ---- answering --------------------------------------------------------------- */

bool dns_forwards_to(const struct forward_plugin *f, const struct dns_name *name)
{
	return dns_name_under(name, &f->from) &&
	       (dns_name_equal(name, &f->from) || !dns_names_match(&f->except, name));
}

/* Tries one after another until they are used up or 5 s have passed. */
static int64_t give_up_ns(const struct forward_plugin *f)
{
	int64_t spent = 0;
	for (uint32_t i = 0; spent < DEADLINE_NS && (!f->attempts || i < f->attempts); i++)
		spent += f->read_timeout_ns;
	return spent;
}

/* One exchange with the upstream; false: nothing came back in time. An upstream cuts a
 * reply that is too large for a datagram, and such a reply is not cached. */
static bool exchange(struct run *r, const struct forward_plugin *f,
		     const struct dns_message *request, bool tcp, struct dns_message *reply)
{
	struct dns_upstream_reply how = { DNS_ACT_DROP, 0 };
	if (r->server->upstream)
		dns_upstream_answer(r->server->upstream, r->arena, &request->question, tcp, reply,
				    &how);
	if (how.action == DNS_ACT_DROP || how.delay_ns >= f->read_timeout_ns)
		return false;
	r->delay_ns += how.delay_ns;
	if (!tcp) {
		reply->edns = request->edns;
		dns_message_fit(reply, request->edns.present ? request->edns.payload : 0);
		reply->edns = (struct dns_edns){ 0 };
	}
	return true;
}

enum outcome dns_forward_answer(struct run *r, const struct forward_plugin *f,
				const struct dns_message *request, struct dns_message *reply)
{
	const struct dns_message begun = *reply;
	bool tcp = f->force_tcp || (r->client->tcp && !f->prefer_udp);
	r->server->stats.forwarded++;
	r->unstable = true;
	bool any = exchange(r, f, request, tcp, reply);
	if (any && !tcp && f->prefer_udp && reply->flags & DNS_TC) {
		*reply = begun;
		any = exchange(r, f, request, true, reply);
	}
	if (any)
		return OUT_WRITTEN;
	r->delay_ns += give_up_ns(f);
	*reply = begun;
	reply->rcode = DNS_SERVFAIL;
	return OUT_RCODE;
}
