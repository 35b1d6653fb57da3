/* tests/unit/planner_shared.c: what the planners share: choice of endpoints, sync timing,
 * health answers, conntrack clean-up. */
#include "golden.h"

#include "dataplanes/iptables/iptables.h"
#include "dataplanes/kubeproxy/kubeproxy.h"

/* ---- choice of endpoints ---------------------------------------------------------------- */

struct cluster {
	struct kube_store *store;
	struct choice *choice;
	struct proxy_shared *shared;
	struct snapshot *snapshot;
	struct proxy_config config;
	struct arena *memory;
};

static int keep(void *ctx, struct kube_object *o, struct err *err)
{
	return kube_store_create(ctx, o, err);
}

static void cluster_open(struct cluster *c, const char *text, enum kube_version version)
{
	struct err err = { "" };
	const struct manifest_options options = { .defaults = true };
	bool owned;
	*c = (struct cluster){ .choice = choice_new(1), .memory = arena_new() };
	c->store = kube_store_new(NULL, c->choice);
	check_note(manifest_read(text, strlen(text), "cluster", &options, keep, c->store, &err) == 0,
		   "cluster", 0, "%s", err.text);
	struct proxy_view view = { .store = c->store, .node = "a", .version = version };
	check_note(proxy_config_read(&view, "iptables", c->memory, &c->config, &err) == 0, "config",
		   0, "%s", err.text);
	c->shared = proxy_shared_get(&view, &owned);
	c->snapshot = proxy_snapshot(c->shared, c->store, PROXY_V4);
}

static void cluster_close(struct cluster *c)
{
	snapshot_unref(c->snapshot);
	proxy_shared_free(c->shared);
	kube_store_free(c->store);
	choice_free(c->choice);
	arena_free(c->memory);
}

static void put_list(struct strbuf *out, const char *name, const struct endpoint **list,
		     uint32_t count)
{
	strbuf_printf(out, "%s%s", out->length ? " " : "", name);
	for (uint32_t i = 0; i < count; i++)
		strbuf_printf(out, " %s", list[i]->ip);
}

/* "cluster IP... local IP... all IP..." of the first service port. */
static void expect_choice(const char *text, enum kube_version version, const char *expected)
{
	struct cluster c;
	struct endpoint_choice choice;
	struct strbuf out = { 0 };
	cluster_open(&c, text, version);
	if (c.snapshot->count) {
		const struct chunk *first = chunk_leaf(c.snapshot->root, 0);
		service_choose(&first->items[0]->ports[0], &c.config, c.memory, &choice);
		put_list(&out, "cluster", choice.cluster, choice.cluster_count);
		put_list(&out, "local", choice.local, choice.local_count);
		put_list(&out, "all", choice.all, choice.all_count);
		strbuf_puts(&out, choice.has_endpoints ? "" : " none");
	}
	CHECK_TEXT(strbuf_text(&out), expected);
	strbuf_free(&out);
	cluster_close(&c);
}

#define NODE_A                                                                                 \
	"apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: "                             \
	"{topology.kubernetes.io/zone: z1}}\nstatus: {addresses: [{type: InternalIP, address: " \
	"192.168.0.1}]}\n---\n"
#define SERVICE(spec)                                                                          \
	"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: d}\nspec: {clusterIP: " \
	"10.96.0.1, ports: [{port: 80}]" spec "}\n---\n"
#define SLICE                                                                                  \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, "         \
	"namespace: d, labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\n"          \
	"ports: [{name: '', port: 8080, protocol: TCP}]\nendpoints:\n"

/* SEL-06: strings, not numbers. */
static void endpoints_sort_as_strings(void)
{
	expect_choice(NODE_A SERVICE("") SLICE "- {addresses: [10.0.0.9]}\n"
					       "- {addresses: [10.0.0.10]}\n",
		      KUBE_1_34, "cluster 10.0.0.10 10.0.0.9 local all 10.0.0.10 10.0.0.9");
}

/* SEL-07: a local copy wins. */
static void copies_count_once(void)
{
	expect_choice(NODE_A SERVICE(", type: NodePort, externalTrafficPolicy: Local") SLICE
		      "- {addresses: [10.0.0.9], nodeName: b}\n"
		      "- {addresses: [10.0.0.9], nodeName: a}\n",
		      KUBE_1_34, "cluster 10.0.0.9 local all 10.0.0.9");
	expect_choice(NODE_A SERVICE(", internalTrafficPolicy: Local") SLICE
		      "- {addresses: [10.0.0.9], nodeName: b}\n"
		      "- {addresses: [10.0.0.9], nodeName: a}\n",
		      KUBE_1_34, "cluster local 10.0.0.9 all 10.0.0.9");
}

/* POL-11, POL-13: terminating ones that still serve, when nothing else is left. */
static void terminating_endpoints_are_the_last_resort(void)
{
	static const char text[] = NODE_A SERVICE("") SLICE
		"- {addresses: [10.0.0.1], conditions: {ready: false, serving: true, terminating: true}}\n"
		"- {addresses: [10.0.0.2], conditions: {ready: false, serving: false, terminating: true}}\n";
	expect_choice(text, KUBE_1_34, "cluster 10.0.0.1 local all 10.0.0.1");
	expect_choice(text, KUBE_1_25, "cluster local all none");
}

#define HINTED                                                                                 \
	"- {addresses: [10.0.0.1], hints: {forZones: [{name: z1}]}}\n"                         \
	"- {addresses: [10.0.0.2], hints: {forZones: [{name: z2}]}}\n"

/* TPO-01: v1.30 asks for an annotation, v1.34 does not. */
static void hints_by_version(void)
{
	static const char annotated[] = NODE_A
		"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: d, annotations: "
		"{service.kubernetes.io/topology-mode: Auto}}\nspec: {clusterIP: 10.96.0.1, "
		"ports: [{port: 80}]}\n---\n" SLICE HINTED;
	expect_choice(NODE_A SERVICE("") SLICE HINTED, KUBE_1_34, "cluster 10.0.0.1 local all 10.0.0.1");
	expect_choice(NODE_A SERVICE("") SLICE HINTED, KUBE_1_30,
		      "cluster 10.0.0.1 10.0.0.2 local all 10.0.0.1 10.0.0.2");
	expect_choice(annotated, KUBE_1_30, "cluster 10.0.0.1 local all 10.0.0.1");
	expect_choice(annotated, KUBE_1_25, "cluster 10.0.0.1 10.0.0.2 local all 10.0.0.1 10.0.0.2");
	expect_choice(NODE_A SERVICE("") SLICE HINTED "- {addresses: [10.0.0.3]}\n", KUBE_1_34,
		      "cluster 10.0.0.1 10.0.0.2 10.0.0.3 local all 10.0.0.1 10.0.0.2 10.0.0.3");
}

/* TPO-02: node hints come first. */
static void node_hints_come_first(void)
{
	expect_choice(NODE_A SERVICE("") SLICE
		      "- {addresses: [10.0.0.1], hints: {forZones: [{name: z1}], forNodes: [{name: b}]}}\n"
		      "- {addresses: [10.0.0.2], hints: {forZones: [{name: z1}], forNodes: [{name: a}]}}\n",
		      KUBE_1_34, "cluster 10.0.0.2 local all 10.0.0.2");
}

/* EPS-06's older sibling: a Service without slices has its Endpoints object. */
static void endpoints_objects_serve_without_slices(void)
{
	expect_choice(NODE_A SERVICE("")
		      "apiVersion: v1\nkind: Endpoints\nmetadata: {name: s, namespace: d}\nsubsets:\n"
		      "- {addresses: [{ip: 10.0.0.5}], notReadyAddresses: [{ip: 10.0.0.6}], "
		      "ports: [{port: 8080}]}\n",
		      KUBE_1_34, "cluster 10.0.0.5 local all 10.0.0.5");
}

/* ---- timing -------------------------------------------------------------------------------- */

static int64_t ms(int64_t n)
{
	return n * NS_PER_MS;
}

static void run(struct runner *r, int64_t now_ns, bool ok)
{
	struct plan_request request;
	runner_next(r, now_ns, &request);
	runner_done(r, now_ns, ok);
}

/* SYN-02: changes within minSyncPeriod are one sync; no burst in v1.34. */
static void changes_coalesce(void)
{
	struct runner r;
	struct plan_request request;
	runner_open(&r, ms(1000), ms(30000), false, false);
	runner_changed(&r, NULL, 0);
	CHECK_INT(runner_due(&r), 0);
	run(&r, 0, true);
	for (unsigned i = 1; i <= 50; i++)
		runner_changed(&r, i % 2 ? "d/s" : "d/t", ms(i));
	CHECK_INT(runner_due(&r), ms(1000));
	runner_next(&r, ms(1000), &request);
	CHECK(!request.full);
	CHECK_INT(request.changed_count, 2);
	CHECK_TEXT(request.changed[0], "d/s");
	runner_done(&r, ms(1001), true);
	CHECK_INT(runner_due(&r), ms(1000) + 3600 * NS_PER_S);
	runner_close(&r);
}

/* v1.30: a token bucket with a burst of two. */
static void the_older_runner_may_burst(void)
{
	struct runner r;
	runner_open(&r, ms(1000), ms(30000), true, true);
	runner_changed(&r, NULL, 0);
	run(&r, 0, true);
	runner_changed(&r, "d/s", ms(10));
	CHECK_INT(runner_due(&r), ms(10));
	run(&r, ms(10), true);
	runner_changed(&r, "d/s", ms(20));
	CHECK_INT(runner_due(&r), ms(1000));
	run(&r, ms(1000), true);
	CHECK_INT(runner_due(&r), ms(31000));
	runner_close(&r);
}

/* SYN-04: again after syncPeriod, in full. */
static void a_failure_is_retried_in_full(void)
{
	struct runner r;
	struct plan_request request;
	runner_open(&r, ms(1000), ms(30000), false, false);
	runner_changed(&r, NULL, 0);
	run(&r, 0, true);
	runner_changed(&r, "d/s", ms(5000));
	run(&r, ms(5000), false);
	CHECK_INT(runner_due(&r), ms(35000));
	runner_next(&r, ms(35000), &request);
	CHECK(request.full);
	runner_done(&r, ms(35000), true);
	runner_close(&r);
}

/* ---- health ------------------------------------------------------------------------------------ */

static void expect_health(struct golden *g, uint16_t port, const char *path, int64_t now_ns,
			  int status, const char *headers, const char *body)
{
	struct strbuf h = { 0 }, b = { 0 };
	CHECK_INT(g->class->health(g->planner, &g->view, port, path, now_ns, &h, &b), status);
	if (headers)
		CHECK_TEXT(strbuf_text(&h), headers);
	if (body)
		CHECK_TEXT(strbuf_text(&b), body);
	strbuf_free(&h);
	strbuf_free(&b);
}

/* HCK-02, HCK-03: as service_health.go of v1.30 writes it. */
static void health_check_node_ports(void)
{
	struct golden g;
	uint16_t ports[4];
	if (golden_open(&g, GOLDEN "rules/101/cluster.yaml", "worker-3", &iptables_planner,
			KUBE_1_30) &&
	    golden_plan(&g, true)) {
		g.class->done(g.planner, 0, true);
		CHECK_INT(g.class->health_ports(g.planner, &g.view, ports, 4), 2);
		CHECK_INT(ports[0], 10256);
		CHECK_INT(ports[1], 32239);
		expect_health(&g, 32239, "/", 0, 200,
			      "Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
			      "X-Load-Balancing-Endpoint-Weight: 1\r\n",
			      "{\n\t\"service\": {\n\t\t\"namespace\": \"default\",\n\t\t\"name\": "
			      "\"diameter-v2\"\n\t},\n\t\"localEndpoints\": 1,\n"
			      "\t\"serviceProxyHealthy\": true\n}");
		expect_health(&g, 10256, "/nothing", 0, 404, NULL, "404 page not found\n");
	}
	golden_close(&g);
}

/* HCK-05: late after two sync periods; the node's own state counts for /healthz only. */
static void healthz_tells_lateness(void)
{
	struct golden g;
	struct plan_request request;
	if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &iptables_planner, KUBE_1_34)) {
		g.class->next(g.planner, 0, &request);
		golden_plan(&g, true);
		g.class->done(g.planner, 0, true);
		expect_health(&g, 10256, "/healthz", NS_PER_S, 200, NULL,
			      "{\"lastUpdated\": \"2026-01-01 00:00:01 +0000 UTC m=+1.000000000\","
			      "\"currentTime\": \"2026-01-01 00:00:01 +0000 UTC m=+1.000000000\", "
			      "\"nodeEligible\": true}");
		g.class->changed(g.planner, "default/web", 10 * NS_PER_S);
		expect_health(&g, 10256, "/livez", 69 * NS_PER_S, 200, NULL, NULL);
		expect_health(&g, 10256, "/livez", 70 * NS_PER_S, 503, NULL,
			      "{\"lastUpdated\": \"2026-01-01 00:00:00 +0000 UTC m=+0.000000000\","
			      "\"currentTime\": \"2026-01-01 00:01:10 +0000 UTC m=+70.000000000\"}");
	}
	golden_close(&g);
}

/* ---- conntrack ---------------------------------------------------------------------------------- */

#define UDP_SLICE(list)                                                                        \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, "         \
	"namespace: d, labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\n"          \
	"ports: [{name: '', port: 53, protocol: UDP}]\nendpoints: [" list "]\n"

static void expect_cleanup(struct golden *g, const char *expected)
{
	golden_plan(g, false);
	char *text = golden_text(g, TX_CONNTRACK);
	CHECK_TEXT(text, expected);
	free(text);
}

static void change(struct golden *g, const char *text)
{
	struct err err = { "" };
	const struct manifest_options options = { .defaults = true };
	check_note(manifest_read(text, strlen(text), "change", &options, golden_replace, g->store,
				 &err) == 0, "change", 0, "%s", err.text);
}

static void udp_flows(enum kube_version version, const char *const expected[4])
{
	static const char start[] = NODE_A
		"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: d}\nspec: {type: NodePort, "
		"clusterIP: 10.96.0.1, ports: [{port: 53, protocol: UDP, nodePort: 30053}]}\n---\n"
		UDP_SLICE("");
	struct golden g = { .class = &iptables_planner };
	struct err err = { "" };
	const struct manifest_options options = { .defaults = true };
	g.choice = choice_new(1);
	g.store = kube_store_new(NULL, g.choice);
	manifest_read(start, strlen(start), "start", &options, keep, g.store, &err);
	g.view = (struct proxy_view){ .store = g.store, .node = "a", .version = version };
	CHECK_INT(g.class->open(&g.view, &g.planner, &err), 0);
	golden_plan(&g, true);
	change(&g, UDP_SLICE("{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}"));
	expect_cleanup(&g, expected[0]);
	change(&g, UDP_SLICE("{addresses: [10.0.0.2]}"));
	expect_cleanup(&g, expected[1]);
	change(&g, UDP_SLICE(""));
	expect_cleanup(&g, expected[2]);
	kube_store_delete(g.store, KIND_SERVICE, "d", "s", &err);
	expect_cleanup(&g, expected[3]);
	golden_close(&g);
}

/* CTK-02, CTK-04, CTK-05, CTK-06. */
static void udp_clean_up_in_1_34(void)
{
	static const char *const expected[4] = {
		("-D -p udp --orig-dst 10.96.0.1 --dport 53 --reply-src-not 10.0.0.1,10.0.0.2\n"
		 "-D -p udp --dport 30053 --reply-src-not 10.0.0.1,10.0.0.2\n"),
		("-D -p udp --orig-dst 10.96.0.1 --dport 53 --reply-src-not 10.0.0.2\n"
		 "-D -p udp --dport 30053 --reply-src-not 10.0.0.2\n"),
		"", "",
	};
	udp_flows(KUBE_1_34, expected);
}

static void udp_clean_up_in_1_30(void)
{
	static const char *const expected[4] = {
		"-D -p udp --orig-dst 10.96.0.1\n-D -p udp --dport 30053\n",
		("-D -p udp --orig-dst 10.96.0.1 --reply-src 10.0.0.1\n"
		 "-D -p udp --dport 30053 --reply-src 10.0.0.1\n"),
		("-D -p udp --orig-dst 10.96.0.1 --reply-src 10.0.0.2\n"
		 "-D -p udp --dport 30053 --reply-src 10.0.0.2\n"),
		"-D -p udp --orig-dst 10.96.0.1\n",
	};
	udp_flows(KUBE_1_30, expected);
}

static const struct check tests[] = {
	{ "endpoints sort as strings", endpoints_sort_as_strings },
	{ "an endpoint in two slices counts once, its local copy first", copies_count_once },
	{ "terminating endpoints are the last resort, not in v1.25",
	  terminating_endpoints_are_the_last_resort },
	{ "topology hints by version", hints_by_version },
	{ "node hints come before zone hints", node_hints_come_first },
	{ "an Endpoints object serves a Service without slices",
	  endpoints_objects_serve_without_slices },
	{ "changes within minSyncPeriod are one sync", changes_coalesce },
	{ "up to v1.30 two syncs may follow each other at once", the_older_runner_may_burst },
	{ "a failed sync is retried after syncPeriod, in full", a_failure_is_retried_in_full },
	{ "a health check node port answers as kube-proxy does", health_check_node_ports },
	{ "healthz and livez tell when an update is late", healthz_tells_lateness },
	{ "v1.34: stale UDP entries, with its gaps", udp_clean_up_in_1_34 },
	{ "v1.30: stale UDP entries", udp_clean_up_in_1_30 },
};

CHECK_MAIN(tests)
