/* tests/fuzz/dns.c: whatever comes as a DNS message, a Corefile or a master file.
 *
 * The first octet says which; for messages also over which transport, and the rest is one
 * message. Two servers answer from a real cluster with a scripted upstream, one with
 * kubeadm's plugins, one with every option of the cache; each query is asked twice, so that
 * kept replies are met too.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dns/server.h"
#include "kube/manifest.h"

#define CLUSTER "tests/golden/dns/handler.yaml"

static const char cached[] = ".:53 {\n kubernetes cluster.local in-addr.arpa {\n  ttl 30\n"
			     "  pods verified\n  fallthrough in-addr.arpa\n  zonal\n }\n"
			     " forward . 192.0.2.1 {\n  prefer_udp\n }\n loadbalance\n cache 30 {\n"
			     "  success 20 30\n  denial 20 30\n  prefetch 1 1m 90%\n"
			     "  serve_stale 1h verify 50ms 3s 5s\n"
			     "  serve_stale_policy prefer_positive\n }\n}\n";

static struct dns_server *make_server(struct arena *arena, struct dns_view *view,
				      struct dns_master *master, struct choice *choice,
				      const char *text)
{
	struct corefile *corefile;
	struct dns_server *server;
	struct err err;
	if (corefile_parse(arena, text, "Corefile", &corefile, &err) ||
	    dns_server_new(&(struct dns_server_config){ .corefile = corefile, .view = view,
							.upstream = master, .choice = choice },
			   &server, &err))
		abort();
	return server;
}

static struct dns_server *the_server(bool all_options)
{
	static struct dns_server *servers[2];
	static const char upstream[] = ". 60 IN SOA a. b. 1 2 3 4 5\n"
				       "example.net. 60 IN A 1.2.3.4\n"
				       "*.wild. 60 IN TXT \"x\"\n"
				       ";@ slow. DELAY 100\n;@ lost. DROP\n;@ tc. TC\n";
	static const struct dns_name root = { .length = 1 };
	static const char *const files[] = { CLUSTER };
	static struct arena *arena; /* what lives as long as the servers */
	static struct choice *choice;
	static struct kube_store *store;
	static struct dns_view *view;
	static struct dns_master *master;
	struct err err;
	if (servers[0])
		return servers[all_options];
	arena = arena_new();
	choice = choice_new(1);
	store = kube_store_new(NULL, choice);
	view = dns_view_new();
	if (manifest_load(store, files, 1, NULL, &err) ||
	    dns_master_parse(upstream, sizeof upstream - 1, "upstream", &root, &master, &err))
		abort();
	dns_view_watch(view, store, 0);
	servers[0] = make_server(arena, view, master, choice,
				 corefile_kubeadm(arena, "cluster.local"));
	servers[1] = make_server(arena, view, master, choice, cached);
	return servers[all_options];
}

static void ask(const uint8_t *bytes, size_t length, uint8_t how)
{
	static int64_t now;
	struct dns_client client = { .addr = { .family = how & 2 ? NET_V6 : NET_V4 },
				     .tcp = how & 1 };
	struct strbuf reply = { 0 };
	int64_t delay;
	now += (int64_t)(how >> 3) * 200000000;
	for (int i = 0; i < 2; i++) {
		strbuf_clear(&reply);
		if (!dns_server_answer(the_server(how & 4), bytes, length, &client, now, &reply, &delay))
			continue;
		assert(reply.length >= 12 && reply.length <= DNS_MESSAGE_BYTES);
		assert(memcmp(reply.data, bytes, 2) == 0 && reply.data[2] & 0x80);
	}
	strbuf_free(&reply);
}

static void read_reply(const uint8_t *bytes, size_t length)
{
	struct arena *arena = arena_new();
	struct dns_message m;
	struct strbuf out = { 0 };
	if (dns_message_read(arena, bytes, length, &m) == 0) {
		for (uint32_t i = 0; i < m.answer.count; i++)
			dns_rdata_text(&m.answer.items[i], &out);
		size_t full = dns_message_size(&m, false);
		assert(dns_message_size(&m, true) <= full);
		if (full <= DNS_MESSAGE_BYTES) {
			strbuf_clear(&out);
			dns_message_write(&m, &out, NULL);
			assert(out.length == full);
		}
	}
	strbuf_free(&out);
	arena_free(arena);
}

static void read_corefile(const uint8_t *bytes, size_t length)
{
	struct arena *arena = arena_new();
	struct choice *choice = choice_new(1);
	struct dns_view *view = dns_view_new();
	struct corefile *corefile;
	struct dns_server *server;
	struct err err;
	char *text = arena_strndup(arena, (const char *)bytes, length);
	struct dns_server_config config = { .view = view, .choice = choice };
	if (corefile_parse(arena, text, "Corefile", &corefile, &err) == 0) {
		config.corefile = corefile;
		if (dns_server_new(&config, &server, &err) == 0)
			dns_server_free(server);
	}
	dns_view_free(view);
	choice_free(choice);
	arena_free(arena);
}

static void read_master(const uint8_t *bytes, size_t length)
{
	static const struct dns_name root = { .length = 1 };
	struct dns_master *master;
	struct err err;
	if (dns_master_parse((const char *)bytes, length, "zone", &root, &master, &err))
		return;
	struct arena *arena = arena_new();
	struct dns_message reply = { 0 };
	struct dns_upstream_reply how;
	struct dns_question question = { .type = DNS_A, .class = DNS_IN };
	dns_name_parse("a.b.c.", &question.name);
	dns_upstream_answer(master, arena, &question, false, &reply, &how);
	dns_master_answer(master, arena, &root, &question, NULL, NULL, &reply);
	arena_free(arena);
	dns_master_free(master);
}

FUZZ_TARGET(bytes, length)
{
	if (length < 1)
		return;
	switch (bytes[0] & 0xf0) {
	case 0xf0:
		read_master(bytes + 1, length - 1);
		break;
	case 0xe0:
		read_corefile(bytes + 1, length - 1);
		break;
	case 0xd0:
		read_reply(bytes + 1, length - 1);
		break;
	default:
		ask(bytes + 1, length - 1, bytes[0]);
		break;
	}
}
