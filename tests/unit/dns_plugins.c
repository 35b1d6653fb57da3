/* tests/unit/dns_plugins.c: options of cache and forward, records inside requests.
 *
 * Expectations are read in CoreDNS 1.14.7 (plugin/cache, plugin/forward, plugin/reload,
 * plugin/health) and miekg/dns 1.1.72 (zmsg.go: what each type's rdata may be).
 */
#include "dns_fixture.h"

#define WITH(cache_options)                                                                        \
	".:53 {\n kubernetes cluster.local {\n ttl 30\n }\n forward . /etc/resolv.conf\n cache "   \
	"30 {\n" cache_options "\n }\n}\n"

static const char moved[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
	"spec: {clusterIP: 10.96.45.4, clusterIPs: [10.96.45.4], ports: [{port: 80}]}\n";
static const char late[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: late, namespace: default}\n"
	"spec: {clusterIP: 10.96.45.9, clusterIPs: [10.96.45.9], ports: [{port: 80}]}\n";

#define WEB "web.default.svc.cluster.local."
#define LATE "late.default.svc.cluster.local."

static void forget(struct bench *b, const char *service)
{
	const struct kube_service *s = dns_view_service(b->view, "default", service);
	dns_view_apply(b->view, KUBE_DELETED, &s->object, NULL, b->now_ns);
}

/* ---- cache ---------------------------------------------------------------------- */

static void test_prefetch(void)
{
	struct bench b;
	bench_open(&b, WITH("prefetch 1 1m 90%"));
	ANSWER(&b, LATE, DNS_A, "NXDOMAIN aa | cluster.local. 30 SOA ");
	apply(&b, late);
	b.now_ns = 5 * NS_PER_S;
	ANSWER(&b, LATE, DNS_A, "NXDOMAIN aa | cluster.local. 25 SOA ");
	b.now_ns = 6 * NS_PER_S;
	ANSWER(&b, LATE, DNS_A, "NOERROR aa : " LATE " 29 A 10.96.45.9");
	bench_close(&b);
}

static void test_stale(void)
{
	struct bench b;
	bench_open(&b, WITH("serve_stale"));
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 30 A 10.96.45.3");
	apply(&b, moved);
	b.now_ns = 40 * NS_PER_S;
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 0 A 10.96.45.3");
	b.now_ns = 41 * NS_PER_S;
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 29 A 10.96.45.4");
	b.now_ns = 41 * NS_PER_S + 3630 * NS_PER_S; /* over an hour past its end */
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 30 A 10.96.45.4");
	bench_close(&b);
	bench_open(&b, WITH("serve_stale 1h immediate\n keepttl"));
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 30 A 10.96.45.3");
	b.now_ns = 40 * NS_PER_S;
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 30 A 10.96.45.3");
	bench_close(&b);
}

static void test_verify(void)
{
	static const char name[] = "slow.example.org.";
	struct bench b;
	bench_open(&b, WITH("serve_stale 1h verify 100ms 3s"));
	ANSWER(&b, name, DNS_A, "NOERROR ra : slow.example.org. 30 A 192.0.2.2");
	CHECK_INT(b.delay_ns, 250 * NS_PER_MS);
	b.now_ns = 40 * NS_PER_S;
	ANSWER(&b, name, DNS_A, "NOERROR aa ra : slow.example.org. 3 A 192.0.2.2");
	CHECK_INT(b.delay_ns, 100 * NS_PER_MS);
	b.now_ns = 40 * NS_PER_S + 200 * NS_PER_MS; /* the upstream's reply is on its way */
	ANSWER(&b, name, DNS_A, "NOERROR aa ra : slow.example.org. 3 A 192.0.2.2");
	b.now_ns = 41 * NS_PER_S;
	ANSWER(&b, name, DNS_A, "NOERROR aa ra : slow.example.org. 30 A 192.0.2.2");
	CHECK_INT(b.delay_ns, 0);
	bench_close(&b);
	bench_open(&b, WITH("serve_stale 1h verify"));
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 30 A 10.96.45.3");
	apply(&b, moved);
	b.now_ns = 40 * NS_PER_S;
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 30 A 10.96.45.4");
	bench_close(&b);
}

static void test_recheck(void)
{
	struct bench b;
	bench_open(&b, WITH("serve_stale 1h immediate 7s 10s"));
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 30 A 10.96.45.3");
	forget(&b, "web");
	dns_view_set_synced(b.view, false); /* what is missing is SERVFAIL now */
	b.now_ns = 40 * NS_PER_S;
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 7 A 10.96.45.3");
	apply(&b, moved);
	dns_view_set_synced(b.view, true);
	b.now_ns = 49 * NS_PER_S;
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 7 A 10.96.45.3");
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 7 A 10.96.45.3");
	b.now_ns = 51 * NS_PER_S;
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 7 A 10.96.45.3");
	ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 30 A 10.96.45.4");
	bench_close(&b);
}

/* A denial does not hide the last answer where the policy says so. */
static void test_prefer_positive(void)
{
	for (int prefer = 0; prefer < 2; prefer++) {
		struct bench b;
		bench_open(&b, prefer ? WITH("serve_stale\n serve_stale_policy prefer_positive") :
					WITH("serve_stale"));
		ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 30 A 10.96.45.3");
		forget(&b, "web");
		b.now_ns = 40 * NS_PER_S;
		ANSWER(&b, WEB, DNS_A, "NOERROR aa : " WEB " 0 A 10.96.45.3");
		b.now_ns = 41 * NS_PER_S;
		ANSWER(&b, WEB, DNS_A,
		       prefer ? "NOERROR aa : " WEB " 0 A 10.96.45.3" :
				"NXDOMAIN aa | cluster.local. 29 SOA ");
		bench_close(&b);
	}
}

/* ---- forward --------------------------------------------------------------------- */

static void test_forward_transport(void)
{
	static const char *const corefiles[] = {
		".:53 {\n forward . 192.0.2.53 {\n  force_tcp\n }\n}\n",
		".:53 {\n forward . 192.0.2.53 {\n  prefer_udp\n }\n}\n",
	};
	struct bench b;
	for (int i = 0; i < 2; i++) {
		bench_open(&b, corefiles[i]);
		ANSWER(&b, "cut.example.org.", DNS_A,
		       "NOERROR ra : cut.example.org. 300 A 192.0.2.3");
		bench_close(&b);
	}
	/* What an upstream had to cut is asked for again by each client. */
	bench_open(&b, WITH("denial 10"));
	ANSWER(&b, "cut.example.org.", DNS_A, "NOERROR ra tc : cut.example.org. 30 A 192.0.2.3");
	ANSWER(&b, "cut.example.org.", DNS_A, "NOERROR ra tc : cut.example.org. 30 A 192.0.2.3");
	CHECK_INT(dns_server_stats(b.server).forwarded, 2);
	bench_close(&b);
}

/* ---- requests ------------------------------------------------------------------------ */

/* A question with one record of this type and rdata behind it. */
static int rcode_with(struct bench *b, uint16_t type, const char *rdata, size_t length)
{
	struct strbuf query = { 0 };
	strbuf_add(&query, "\0\7\1\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1", 19);
	strbuf_add(&query, "\1r\0", 3);
	strbuf_putc(&query, (char)(type >> 8));
	strbuf_putc(&query, (char)type);
	strbuf_add(&query, "\0\1\0\0\0\0\0", 7);
	strbuf_putc(&query, (char)length);
	strbuf_add(&query, rdata, length);
	const struct dns_message *m = send_bytes(b, &query, false);
	strbuf_free(&query);
	return m ? m->rcode : -1;
}
#define RCODE(b, type, rdata) rcode_with(b, type, rdata, sizeof rdata - 1)

static void test_records_in_requests(void)
{
	struct bench b;
	bench_open(&b, NULL);
	CHECK_INT(RCODE(&b, DNS_TXT, "\3abc\2de"), DNS_NXDOMAIN);
	CHECK_INT(RCODE(&b, DNS_TXT, "\3abc\3de"), DNS_FORMERR);
	CHECK_INT(RCODE(&b, DNS_A, "\1\2\3\4"), DNS_NXDOMAIN);
	CHECK_INT(RCODE(&b, DNS_A, "\1\2\3\4\5"), DNS_FORMERR);
	CHECK_INT(RCODE(&b, DNS_MX, "\0\1"), DNS_NXDOMAIN); /* may end between two fields */
	CHECK_INT(RCODE(&b, DNS_MX, "\0\1\1x\0"), DNS_NXDOMAIN);
	CHECK_INT(RCODE(&b, DNS_MX, "\0\1\1x\0z"), DNS_FORMERR);
	CHECK_INT(RCODE(&b, DNS_MX, "\0\1\1x"), DNS_FORMERR);
	CHECK_INT(RCODE(&b, DNS_NSEC, "\1x\0\0\1\x40"), DNS_NXDOMAIN);
	CHECK_INT(RCODE(&b, DNS_NSEC, "\1x\0\0\0"), DNS_FORMERR); /* an empty window */
	CHECK_INT(RCODE(&b, 250, "\1k\0\0\0\1\2\3\4\1\54\0\2mm\0\7\0\0\0\0"), DNS_NXDOMAIN);
	CHECK_INT(RCODE(&b, 250, "\1k\0\0\0\1\2\3\4\1\54\0\x20mm\0\7\0\0\0\0"), DNS_FORMERR);
	CHECK_INT(RCODE(&b, DNS_ANY, "x"), DNS_FORMERR); /* the type has no rdata */
	CHECK_INT(RCODE(&b, 65280, "anything"), DNS_NXDOMAIN);
	bench_close(&b);
}

static void test_spelt_addresses(void)
{
	struct bench b;
	bench_open(&b, NULL);
	ANSWER(&b, "2001:db8::1.default.pod.cluster.local.", DNS_AAAA,
	       "NOERROR aa : 2001:db8::1.default.pod.cluster.local. 30 AAAA 2001:db8::1");
	ANSWER(&b, "10\\.0\\.0\\.1.default.pod.cluster.local.", DNS_A,
	       "NXDOMAIN aa | cluster.local. 30 SOA ");
	bench_close(&b);
}

/* ---- Corefiles -------------------------------------------------------------------------- */

static const char *setup_message(const char *corefile, struct arena *arena)
{
	struct err err = { "" };
	struct corefile *parsed;
	struct dns_server *server = NULL;
	struct dns_view *view = dns_view_new();
	struct choice *choice = choice_new(1);
	struct dns_server_config config = { .view = view, .choice = choice };
	if (corefile_parse(arena, corefile, "Corefile", &parsed, &err) == 0) {
		config.corefile = parsed;
		dns_server_new(&config, &server, &err);
	}
	dns_server_free(server);
	choice_free(choice);
	dns_view_free(view);
	return arena_strdup(arena, err.text);
}

static void test_options_checked(void)
{
	static const char *const cases[][2] = {
		{ ".:53 {\n forward . 1.1.1.1 {\n  policy weighted\n }\n}\n",
		  "Corefile:3:3: policy: unknown value 'weighted'" },
		{ ".:53 {\n forward . 1.1.1.1 {\n  force_tcp yes\n }\n}\n",
		  "Corefile:3:3: force_tcp: takes no argument" },
		{ ".:53 {\n forward . grpc://1.1.1.1\n}\n",
		  "Corefile:2:2: forward: 'grpc://1.1.1.1' is not supported as a destination "
		  "protocol" },
		{ ".:53 {\n reload 1s\n}\n",
		  "Corefile:2:2: reload: interval value must be greater or equal to 2s" },
		{ ".:53 {\n health 8080\n}\n", "Corefile:2:2: health: expected an address like :8080" },
		{ ".:53 {\n cache {\n  serve_stale_policy prefer_positive\n }\n}\n",
		  "Corefile:2:2: cache: serve_stale_policy requires serve_stale" },
		{ ".:53 {\n nonsense\n}\n", "Corefile:2:2: Unknown directive 'nonsense'" },
		{ ".:53 {\n reload 10s 5s\n health :8081 {\n  lameduck 5s\n }\n ready 127.0.0.1:8182\n"
		  " forward . tls://9.9.9.9 dns://1.1.1.1:53 {\n  next NXDOMAIN servfail\n"
		  "  failover REFUSED\n  max_fails 0\n  health_check 500ms no_rec\n }\n}\n", "" },
	};
	struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK_TEXT(setup_message(cases[i][0], arena), cases[i][1]);
	arena_free(arena);
}

static const struct check tests[] = {
	{ "prefetch puts the answer into the place of a denial", test_prefetch },
	{ "serve_stale answers with TTL 0 and asks again behind the client's back", test_stale },
	{ "serve_stale verify waits for the upstream, at most for its timeout", test_verify },
	{ "after a failed refresh a stale answer is kept for the recheck time", test_recheck },
	{ "prefer_positive keeps the last answer in front of a denial", test_prefer_positive },
	{ "force_tcp and prefer_udp choose how the upstream is asked", test_forward_transport },
	{ "records in a request must be well formed, whoever reads them", test_records_in_requests },
	{ "a pod name may spell an IPv6 address with colons", test_spelt_addresses },
	{ "options of plugins are checked, with their place", test_options_checked },
};

CHECK_MAIN(tests)
