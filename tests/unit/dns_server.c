/* tests/unit/dns_server.c: what the server does beyond CoreDNS's own test tables.
 *
 * Expectations are of CoreDNS 1.14.7: its source (plugin/cache, core/dnsserver, request,
 * miekg/dns 1.1.72) and its answers on the wire.
 */
#include "dns_fixture.h"

/* ---- cache ---------------------------------------------------------------------- */

#define CACHED                                                                                     \
	".:53 {\n kubernetes cluster.local {\n ttl 30\n }\n forward . /etc/resolv.conf\n cache "   \
	"30\n}\n"
#define UNCACHED                                                                                   \
	".:53 {\n kubernetes cluster.local {\n ttl 30\n }\n forward . /etc/resolv.conf\n}\n"

static const char late[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: late, namespace: default}\n"
	"spec: {clusterIP: 10.96.45.9, clusterIPs: [10.96.45.9], ports: [{port: 80}]}\n";

static void test_denial_stays(void)
{
	struct bench b;
	bench_open(&b, CACHED);
	ANSWER(&b, "late.default.svc.cluster.local.", DNS_A,
	       "NXDOMAIN aa | cluster.local. 30 SOA ");
	apply(&b, late);
	b.now_ns = 29 * NS_PER_S;
	ANSWER(&b, "late.default.svc.cluster.local.", DNS_A, "NXDOMAIN aa | cluster.local. 1 SOA ");
	b.now_ns = 30 * NS_PER_S;
	ANSWER(&b, "late.default.svc.cluster.local.", DNS_A,
	       "NOERROR aa : late.default.svc.cluster.local. 30 A 10.96.45.9");
	bench_close(&b);
}

static void test_denial_goes(void)
{
	struct bench b;
	bench_open(&b, NULL);
	ANSWER(&b, "late.default.svc.cluster.local.", DNS_A,
	       "NXDOMAIN aa | cluster.local. 30 SOA ");
	apply(&b, late);
	ANSWER(&b, "late.default.svc.cluster.local.", DNS_A,
	       "NOERROR aa : late.default.svc.cluster.local. 30 A 10.96.45.9");
	bench_close(&b);
}

static void test_countdown(void)
{
	struct bench b;
	bench_open(&b, CACHED);
	ANSWER(&b, "www.example.org.", DNS_A, "NOERROR ra : www.example.org. 30 A 192.0.2.1");
	b.now_ns = NS_PER_S * 7 / 2;
	ANSWER(&b, "WWW.example.org.", DNS_A, "NOERROR aa ra : www.example.org. 27 A 192.0.2.1");
	ANSWER(&b, "WWW.example.org.", DNS_A, "NOERROR aa ra : www.example.org. 27 A 192.0.2.1");
	b.now_ns = 4 * NS_PER_S;
	ANSWER(&b, "WWW.example.org.", DNS_A, "NOERROR aa ra : www.example.org. 26 A 192.0.2.1");
	bench_close(&b);
}

static void test_floor(void)
{
	struct bench b;
	bench_open(&b, ".:53 {\n kubernetes cluster.local {\n ttl 0\n }\n cache\n}\n");
	ANSWER(&b, "web.default.svc.cluster.local.", DNS_A,
	       "NOERROR aa : web.default.svc.cluster.local. 5 A 10.96.45.3");
	bench_close(&b);
}

static void test_servfail_cached(void)
{
	struct bench b;
	bench_open(&b, CACHED);
	ANSWER(&b, "bad.example.org.", DNS_A, "SERVFAIL ra");
	CHECK_INT(dns_server_stats(b.server).forwarded, 1);
	b.now_ns = 4 * NS_PER_S;
	ANSWER(&b, "bad.example.org.", DNS_A, "SERVFAIL aa ra");
	CHECK_INT(dns_server_stats(b.server).forwarded, 1);
	b.now_ns = 5 * NS_PER_S;
	ANSWER(&b, "bad.example.org.", DNS_A, "SERVFAIL ra");
	CHECK_INT(dns_server_stats(b.server).forwarded, 2);
	bench_close(&b);
}

/* ---- upstream --------------------------------------------------------------------- */

static void test_upstream(void)
{
	struct bench b;
	bench_open(&b, UNCACHED);
	ANSWER(&b, "ext.default.svc.cluster.local.", DNS_A,
	       "NOERROR aa : ext.default.svc.cluster.local. 30 CNAME www.example.org. : "
	       "www.example.org. 300 A 192.0.2.1");
	ANSWER(&b, "extbad.default.svc.cluster.local.", DNS_A,
	       "NOERROR aa : extbad.default.svc.cluster.local. 30 CNAME missing.example.org.");
	ANSWER(&b, "ext.default.svc.cluster.local.", DNS_CNAME,
	       "NOERROR aa : ext.default.svc.cluster.local. 30 CNAME www.example.org.");
	ANSWER(&b, "missing.example.org.", DNS_A, "NXDOMAIN ra | . 900 SOA ");
	ANSWER(&b, "cut.example.org.", DNS_A, "NOERROR ra tc : cut.example.org. 300 A 192.0.2.3");
	bench_close(&b);
}

static void test_silence(void)
{
	struct bench b;
	bench_open(&b, UNCACHED);
	ANSWER(&b, "lost.example.org.", DNS_A, "SERVFAIL");
	CHECK_INT(b.delay_ns, 4 * NS_PER_S);
	ANSWER(&b, "slow.example.org.", DNS_A, "NOERROR ra : slow.example.org. 300 A 192.0.2.2");
	CHECK_INT(b.delay_ns, 250 * NS_PER_MS);
	bench_close(&b);
}

/* ---- names -------------------------------------------------------------------------- */

static void test_case(void)
{
	struct bench b;
	bench_open(&b, UNCACHED);
	ANSWER(&b, "WEB.default.SVC.Cluster.Local.", DNS_SRV,
	       "NOERROR aa : WEB.default.SVC.Cluster.Local. 30 SRV 0 100 80 "
	       "web.default.svc.Cluster.Local. + web.default.svc.Cluster.Local. 30 A 10.96.45.3");
	ANSWER(&b, "nope.default.svc.CLUSTER.local.", DNS_A,
	       "NXDOMAIN aa | CLUSTER.local. 30 SOA ");
	bench_close(&b);
}

static void test_oddities(void)
{
	struct bench b;
	bench_open(&b, UNCACHED);
	/* SOA is not looked up below the apex; TXT of the apex does not exist. */
	ANSWER(&b, "nope.default.svc.cluster.local.", DNS_SOA,
	       "NOERROR aa | cluster.local. 30 SOA ");
	ANSWER(&b, "cluster.local.", DNS_TXT, "NXDOMAIN aa | cluster.local. 30 SOA ");
	/* A pod's namespace is not looked at while pods are disabled. */
	ANSWER(&b, "default.pod.cluster.local.", DNS_A, "NXDOMAIN aa | cluster.local. 30 SOA ");
	ANSWER(&b, "default.svc.cluster.local.", DNS_A, "NOERROR aa | cluster.local. 30 SOA ");
	ANSWER(&b, "cluster.local.", DNS_AXFR, "REFUSED");
	bench_close(&b);
}

/* ---- messages --------------------------------------------------------------------------- */

static const struct dns_message *send_raw(struct bench *b, const char *bytes, size_t length)
{
	struct strbuf query = { 0 };
	strbuf_add(&query, bytes, length);
	const struct dns_message *m = send_bytes(b, &query, true);
	strbuf_free(&query);
	return m;
}

#define RAW(b, bytes) send_raw(b, bytes, sizeof(bytes) - 1)

static void test_malformed(void)
{
	struct bench b;
	bench_open(&b, NULL);
	const struct dns_message *m;
	CHECK(RAW(&b, "\0\7\1\0\0\1\0\0\0\0\0") == NULL); /* shorter than a header */
	CHECK(RAW(&b, "\0\7\x81\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1") == NULL); /* a reply */
	m = RAW(&b, "\0\7\1\x10\0\1\0\0\0\0\0\0"); /* the question is missing */
	CHECK(m && m->rcode == DNS_SERVFAIL && !m->has_question && m->flags & DNS_CD);
	m = RAW(&b, "\0\7\7\xb0\0\2\0\0\0\0\0\0\1a\0\0\1\0\1\1b\0\0\1\0\1"); /* two questions */
	CHECK(m && m->rcode == DNS_FORMERR && !m->has_question);
	CHECK_INT(m->flags, DNS_QR | DNS_TC | DNS_RD | DNS_RA | DNS_AD | DNS_CD);
	m = RAW(&b, "\0\7\1\0\0\0\0\0\0\0\0\0"); /* none */
	CHECK(m && m->rcode == DNS_FORMERR);
	m = RAW(&b, "\0\7\x11\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"); /* STATUS */
	CHECK(m && m->rcode == DNS_NOTIMP && m->opcode == DNS_STATUS && !m->has_question);
	m = RAW(&b, "\0\7\x29\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"); /* UPDATE */
	CHECK(m && m->rcode == DNS_NOTIMP && m->opcode == DNS_UPDATE);
	m = RAW(&b, "\0\7\1\0\0\1\0\0\0\0\0\0\300\14\0\1\0\1"); /* a name that points to itself */
	CHECK(m && m->rcode == DNS_FORMERR && !m->has_question);
	m = RAW(
	    &b,
	    "\0\7\1\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0\4\0\10"); /* OPT cut */
	CHECK(m && m->rcode == DNS_FORMERR && m->has_question);
	m = RAW(&b, "\0\7\1\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1"); /* counts may lie at the end */
	CHECK(m && m->rcode == DNS_NXDOMAIN);
	m = RAW(&b, "\0\7\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1garbage");
	CHECK(m && m->rcode == DNS_NXDOMAIN);
	bench_close(&b);
}

static void test_edns(void)
{
	struct bench b;
	bench_open(&b, NULL);
	/* DO and a Z bit; cookie, client subnet, padding. */
	static const char query[] =
	    "\0\7\1\0\0\1\0\0\0\0\0\1\3web\7default\3svc\7cluster\5local\0\0\1\0\1"
	    "\0\0\51\4\320\0\0\xc0\1\0\32"
	    "\0\12\0\10abcdefgh\0\10\0\4\0\1\0\0\0\14\0\2xx";
	const struct dns_message *m = send_raw(&b, query, sizeof query - 1);
	CHECK(m && m->edns.present && m->edns.payload == 1232 && m->edns.version == 0);
	const uint8_t *opt = (const uint8_t *)b.reply.data + b.reply.length - 29;
	CHECK(memcmp(opt, "\0\0\51\4\320\0\0\xc0\0\0\22\0\12\0\10abcdefgh\0\14\0\2xx", 29) == 0);
	static const char version[] =
	    "\0\7\1\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1\0\0\51\4\320\0\1\0\0\0\0";
	m = send_raw(&b, version, sizeof version - 1);
	CHECK(m && m->rcode == DNS_BADVERS && m->edns.payload == 0 && m->has_question);
	bench_close(&b);
}

static void test_class(void)
{
	struct bench b;
	static const char chaos[] =
		"\0\7\1\0\0\1\0\0\0\0\0\0\3web\7default\3svc\7cluster\5local\0\0\1\0\3";
	bench_open(&b, NULL);
	const struct dns_message *m = send_raw(&b, chaos, sizeof chaos - 1);
	CHECK(m && m->rcode == DNS_NOERROR && m->answer.count == 1);
	bench_close(&b);
	bench_open(&b, ".:53 {\n kubernetes cluster.local\n}\n");
	m = send_raw(&b, chaos, sizeof chaos - 1);
	CHECK(m && m->rcode == DNS_REFUSED);
	bench_close(&b);
}

/* ---- size and order ----------------------------------------------------------------------- */

static void add_endpoints(struct bench *b, unsigned count)
{
	struct strbuf yaml = { 0 };
	strbuf_puts(&yaml, "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
			   "metadata: {name: many-1, namespace: default, labels: "
			   "{kubernetes.io/service-name: many}}\naddressType: IPv4\n"
			   "ports: [{name: p, port: 1, protocol: TCP}]\nendpoints:\n");
	for (unsigned i = 0; i < count; i++)
		strbuf_printf(&yaml, "- {addresses: [10.1.%u.%u]}\n", i / 250, i % 250 + 1);
	apply(b, strbuf_text(&yaml));
	strbuf_free(&yaml);
}

static void test_truncation(void)
{
	struct bench b;
	struct dns_name name;
	struct strbuf query = { 0 };
	bench_open(&b, NULL);
	add_endpoints(&b, 40);
	/* 48 octets of header and question; compressed records of 16: (512 - 48) / 16 = 29. */
	const struct dns_message *m = ask(&b, "many.default.svc.cluster.local.", DNS_A);
	CHECK_INT(m->answer.count, 29);
	CHECK(m->flags & DNS_TC);
	CHECK_INT(b.reply.length, 48 + 29 * 16);
	dns_name_parse("many.default.svc.cluster.local.", &name);
	dns_query_write(9, DNS_RD, &name, DNS_A, 0, &query);
	m = send_bytes(&b, &query, true);
	CHECK_INT(m->answer.count, 40);
	CHECK(!(m->flags & DNS_TC));
	CHECK_INT(b.reply.length, 48 + 40 * (32 + 14)); /* not compressed: it fits */
	strbuf_clear(&query);
	/* 1888 octets fit the client, but would be fragments: compressed all the same. */
	dns_query_write(9, DNS_RD, &name, DNS_A, 4096, &query);
	m = send_bytes(&b, &query, false);
	CHECK_INT(m->answer.count, 40);
	CHECK_INT(b.reply.length, 48 + 40 * 16 + 11);
	strbuf_free(&query);
	bench_close(&b);
}

static void test_shuffle(void)
{
	struct bench b;
	unsigned seen[6] = { 0 }, first_of[3] = { 0 };
	bench_open(&b, NULL);
	add_endpoints(&b, 3);
	for (int i = 0; i < 6000; i++) {
		const struct dns_message *m = ask(&b, "many.default.svc.cluster.local.", DNS_A);
		unsigned order[3];
		for (int k = 0; k < 3; k++)
			order[k] = m->answer.items[k].rdata[3] - 1u;
		first_of[order[0]]++;
		seen[order[0] * 2 + (order[1] > order[2])]++;
	}
	for (int i = 0; i < 6; i++)
		CHECK(seen[i] > 850 && seen[i] < 1150); /* 1000 each; 5 standard deviations */
	CHECK(first_of[0] + first_of[1] + first_of[2] == 6000);
	CHECK(dns_server_stats(b.server).finished_hits > 5000);
	bench_close(&b);
}

static void test_kept(void)
{
	struct bench b;
	struct strbuf first = { 0 };
	bench_open(&b, NULL);
	ask(&b, "web.default.svc.cluster.local.", DNS_SRV);
	strbuf_add(&first, b.reply.data, b.reply.length);
	ask(&b, "web.default.svc.cluster.local.", DNS_SRV);
	CHECK_INT(dns_server_stats(b.server).finished_hits, 1);
	CHECK(first.length == b.reply.length &&
	      memcmp(first.data, b.reply.data, first.length) == 0);
	apply(&b, late); /* anything that changes makes it compute anew */
	ask(&b, "web.default.svc.cluster.local.", DNS_SRV);
	CHECK_INT(dns_server_stats(b.server).finished_hits, 1);
	strbuf_free(&first);
	bench_close(&b);
}

/* ---- Corefiles --------------------------------------------------------------------------------
 */

static void refused(const char *corefile, const char *expected)
{
	struct arena *arena = arena_new();
	struct dns_view *view = dns_view_new();
	struct choice *choice = choice_new(1);
	struct corefile *parsed;
	struct dns_server *server;
	struct err err = { "" };
	struct dns_server_config config = { .view = view, .choice = choice };
	int code = corefile_parse(arena, corefile, "Corefile", &parsed, &err);
	config.corefile = parsed;
	if (!code)
		code = dns_server_new(&config, &server, &err);
	CHECK(code != 0);
	CHECK_TEXT(err.text, expected);
	choice_free(choice);
	dns_view_free(view);
	arena_free(arena);
}

static void test_bad_corefiles(void)
{
	refused(".:53 {\n errors\n kubernets cluster.local\n}\n",
		"Corefile:3:2: Unknown directive 'kubernets'");
	refused(".:53 {\n errors\n", "Corefile:1: Unexpected end of the file, expected '}'");
	refused(".:53 {\n kubernetes cluster.local {\n  pods sometimes\n }\n}\n",
		"Corefile:3:3: pods: wrong value, must be one of: disabled, verified, insecure");
	refused(".:53 {\n kubernetes 10.0.0.0/8\n}\n",
		"Corefile:2:2: kubernetes: non-reverse zone name must be used");
	refused(".:53 {\n kubernetes a.b {\n  ttl 9000\n }\n}\n",
		"Corefile:3:3: ttl: '9000', expected a number of 0 to 3600");
	refused(".:53 {\n cache 0\n}\n",
		"Corefile:2:2: cache: cache TTL can not be zero or negative: 0");
	refused(".:53 {\n errors\n}\n.:53 {\n errors\n}\n",
		"Corefile:4: cannot serve .:53 - it is already defined");
	refused("(a) {\n import a\n}\n.:53 {\n import a\n}\n",
		"Corefile:2: import a goes too deep");
}

static const struct check tests[] = {
	{ "with everything cached a new Service stays NXDOMAIN for 30 s", test_denial_stays },
	{ "with cluster.local left out of the cache it is there at once", test_denial_goes },
	{ "cached TTLs count down in whole seconds; the owner's case is the first query's",
	  test_countdown },
	{ "the cache lifts a TTL of 0 to 5", test_floor },
	{ "an upstream's SERVFAIL is kept for 5 s", test_servfail_cached },
	{ "ExternalName gives the alias and what the upstream has; its failures do not show",
	  test_upstream },
	{ "a silent upstream is SERVFAIL after 4 s, a slow one answers late", test_silence },
	{ "owners have the question's case, targets the objects' with the question's zone",
	  test_case },
	{ "what CoreDNS does not look up: SOA below the apex, TXT of it, transfers",
	  test_oddities },
	{ "malformed messages get FORMERR, NOTIMP, SERVFAIL or nothing", test_malformed },
	{ "the OPT comes back with size, upper flags and the known options", test_edns },
	{ "forward opens classes other than IN", test_class },
	{ "what does not fit is compressed, then cut with TC", test_truncation },
	{ "loadbalance gives every order evenly, from kept replies too", test_shuffle },
	{ "a kept reply is the computed one, until something changes", test_kept },
	{ "a wrong Corefile is one line that says where and what", test_bad_corefiles },
};

CHECK_MAIN(tests)
