/* tests/unit/dns_fixture.h: a CoreDNS server over a small cluster and a small outside
 * world, asked message by message; what it answers as one line of text.
 */
#ifndef TESTS_DNS_FIXTURE_H
#define TESTS_DNS_FIXTURE_H

#include <stdlib.h>

#include "check.h"
#include "core/engine.h"
#include "dns/server.h"
#include "kube/manifest.h"

struct bench {
	struct arena *arena;
	struct choice *choice;
	struct dns_view *view;
	struct dns_master *upstream;
	struct dns_server *server;
	int64_t now_ns, delay_ns;
	struct strbuf reply;
};

static const char cluster[] =
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
	"spec: {clusterIP: 10.96.45.3, clusterIPs: [10.96.45.3], ports: [{name: http, port: 80, "
	"protocol: TCP}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: ext, namespace: default}\n"
	"spec: {type: ExternalName, externalName: www.example.org}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: extbad, namespace: default}\n"
	"spec: {type: ExternalName, externalName: missing.example.org}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: many, namespace: default}\n"
	"spec: {clusterIP: None, clusterIPs: [None], ports: [{name: p, port: 1, protocol: TCP}]}\n";

static const char upstream[] = ". 3600 IN SOA a.root. b.root. 1 2 3 4 900\n"
			       "www.example.org. 300 IN A 192.0.2.1\n"
			       "slow.example.org. 300 IN A 192.0.2.2\n"
			       ";@ slow.example.org. DELAY 250\n"
			       ";@ lost.example.org. DROP\n;@ bad.example.org. SERVFAIL\n"
			       ";@ cut.example.org. TC\ncut.example.org. 300 IN A 192.0.2.3\n";

static int apply_object(void *ctx, struct kube_object *o, struct err *err)
{
	struct bench *b = ctx;
	(void)err;
	dns_view_apply(b->view, KUBE_ADDED, NULL, o, b->now_ns);
	kube_unref(o);
	return 0;
}

static void apply(struct bench *b, const char *yaml)
{
	struct manifest_options options = { .defaults = true };
	struct err err = { "" };
	CHECK_INT(manifest_read(yaml, strlen(yaml), "test", &options, apply_object, b, &err), 0);
	CHECK_TEXT(err.text, "");
}

/* corefile NULL: kubeadm's. */
static void bench_open(struct bench *b, const char *corefile)
{
	static const struct dns_name root = { .length = 1 };
	struct corefile *parsed;
	struct err err = { "" };
	memset(b, 0, sizeof *b);
	b->arena = arena_new();
	b->choice = choice_new(3);
	b->view = dns_view_new();
	apply(b, cluster);
	CHECK_INT(
	    dns_master_parse(upstream, strlen(upstream), "upstream", &root, &b->upstream, &err), 0);
	CHECK_INT(corefile_parse(b->arena,
				 corefile ? corefile : corefile_kubeadm(b->arena, "cluster.local"),
				 "Corefile", &parsed, &err), 0);
	CHECK_INT(dns_server_new(&(struct dns_server_config){ .corefile = parsed, .view = b->view,
							      .upstream = b->upstream,
							      .choice = b->choice },
				 &b->server, &err), 0);
	CHECK_TEXT(err.text, "");
}

static void bench_close(struct bench *b)
{
	dns_server_free(b->server);
	dns_view_free(b->view);
	dns_master_free(b->upstream);
	choice_free(b->choice);
	arena_free(b->arena);
	strbuf_free(&b->reply);
}

/* Sends bytes; the reply, or NULL when there is none. */
static const struct dns_message *send_bytes(struct bench *b, const struct strbuf *query, bool tcp)
{
	struct dns_client client = { .addr = { .family = NET_V4 }, .tcp = tcp };
	struct dns_message *m = arena_alloc(b->arena, sizeof *m);
	strbuf_clear(&b->reply);
	if (!dns_server_answer(b->server, (const uint8_t *)query->data, query->length, &client,
			       b->now_ns, &b->reply, &b->delay_ns))
		return NULL;
	CHECK_INT(dns_message_read(b->arena, (const uint8_t *)b->reply.data, b->reply.length, m),
		  0);
	return m;
}

static const struct dns_message *ask(struct bench *b, const char *name, uint16_t type)
{
	struct dns_name n;
	struct strbuf query = { 0 };
	CHECK(dns_name_parse(name, &n));
	dns_query_write(9, DNS_RD, &n, type, 0, &query);
	const struct dns_message *m = send_bytes(b, &query, false);
	strbuf_free(&query);
	return m;
}

/* "RCODE flags: record; record | authority | additional" */
static const char *text_of(struct bench *b, const struct dns_message *m)
{
	const struct dns_section *const all[] = { &m->answer, &m->authority, &m->additional };
	struct strbuf out = { 0 };
	char name[DNS_NAME_TEXT], word[16];
	strbuf_printf(&out, "%s%s%s%s", dns_rcode_text(m->rcode, word),
		      m->flags & DNS_AA ? " aa" : "", m->flags & DNS_RA ? " ra" : "",
		      m->flags & DNS_TC ? " tc" : "");
	for (int k = 0; k < 3; k++) {
		for (uint32_t i = 0; i < all[k]->count; i++) {
			const struct dns_rr *rr = &all[k]->items[i];
			strbuf_printf(&out, " %c %s %u %s ", k == 0 ? ':' : k == 1 ? '|' : '+',
				      dns_name_text(rr->owner, name), rr->ttl,
				      dns_type_text(rr->type, word));
			if (rr->type != DNS_SOA)
				dns_rdata_text(rr, &out);
		}
	}
	const char *kept = arena_strdup(b->arena, strbuf_text(&out));
	strbuf_free(&out);
	return kept;
}

#define ANSWER(b, name, type, expected) CHECK_TEXT(text_of(b, ask(b, name, type)), expected)

#endif
