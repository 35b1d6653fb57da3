/* tests/unit/world_live.c: a cluster that runs: start, kube-proxy over time, operations. */
#include <errno.h>

#include "world_lab.h"

static uint32_t count_pods(const char *namespace, const char *label, const char *value)
{
	const struct kube_object *o;
	uint32_t cursor = 0, n = 0;
	while ((o = kube_store_next(world_store(w), KIND_POD, namespace, &cursor)) != NULL)
		n += kube_is(kube_map_get(&o->meta.labels, label), value);
	return n;
}

static void start(void)
{
	if (!lab_start())
		return;
	CHECK_INT(count_pods("kube-system", "k8s-app", "kube-proxy"), 2);
	CHECK_INT(count_pods("kube-system", "k8s-app", "kube-dns"), 2);
	struct err err = { "" };
	struct target t;
	CHECK_INT(world_target(w, NULL, "svc/default/kubernetes:https", PROTO_TCP, &t, &err), 0);
	char text[NET_ADDR_TEXT];
	CHECK_TEXT(net_addr_text(&t.addr, text), "10.96.0.1");
	CHECK_INT(t.port, 443);
	CHECK_INT(lab_get("outside/192.168.0.99", "svc/default/kubernetes:443", NULL), 0);
	CHECK_TEXT(strbuf_text(&lab_warnings), "");
	lab_end();
}

static void names(void)
{
	char backend[192] = "";
	if (!lab_start())
		return;
	lab_apply(lab_web);
	CHECK_INT(lab_get("pod/cli", "web", backend), 0);
	CHECK(strncmp(backend, "default/web-", 12) == 0);
	CHECK_INT(lab_get("pod/cli", "web.default.svc.cluster.local:80", backend), 0);
	CHECK_INT(lab_get("pod/cli", "nothing", backend), ENOENT);
	struct lookup l = { .name = "web", .tool = DNS_DIG, .options = "+search +short" };
	struct err err = { "" };
	struct op *op = NULL;
	CHECK_INT(world_lookup(w, world_place(w, "pod/cli", &err), &l, &op, &err), 0);
	world_run_op(w, op);
	CHECK_INT(op_result(op)->rcode, 0);
	CHECK_INT(op_result(op)->address_count, 1);
	op_free(op);
	lab_end();
}

static void spread(void)
{
	if (!lab_start())
		return;
	lab_apply(lab_web);
	struct load l = { .request = { .target = "svc/web" }, .rate = 100, .count = 300 };
	struct err err = { "" };
	struct op *op = NULL;
	int64_t began = world_now(w);
	CHECK_INT(world_load_traffic(w, world_place(w, "pod/cli", &err), &l, &op, &err), 0);
	world_run_op(w, op);
	const struct op_result *r = op_result(op);
	CHECK_INT(r->connections, 300);
	CHECK_INT(r->failures, 0);
	CHECK_INT(r->spread_count, 3);
	uint64_t sum = 0;
	for (uint32_t i = 0; i < r->spread_count; i++) {
		sum += r->spread[i].count;
		CHECK(r->spread[i].count > 60 && r->spread[i].count < 140);
		CHECK(i == 0 || strcmp(r->spread[i - 1].backend, r->spread[i].backend) < 0);
	}
	CHECK_INT(sum, 300);
	/* 300 at 100 a second: the last begins after 2.99 s. */
	CHECK(world_now(w) - began >= 299 * NS_PER_S / 100 && world_now(w) - began < 4 * NS_PER_S);
	op_free(op);
	lab_end();
}

static void scale_web(int64_t replicas)
{
	struct err err = { "" };
	CHECK_INT(control_scale(world_control(w), KIND_DEPLOYMENT, "default", "web", replicas, &err), 0);
}

/* CTK-01, CHN-02: rules see only the first packet of a flow. */
static void open_flow(void)
{
	if (!lab_start())
		return;
	lab_apply(lab_web);
	struct request r = { .target = "svc/web", .keep_open = true };
	struct err err = { "" };
	struct op *op = lab_request("pod/cli", &r);
	char backend[192];
	snprintf(backend, sizeof backend, "%s", op_result(op)->backend);
	lab_apply("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
		  "spec: {selector: {app: nobody}, ports: [{port: 80}]}\n");
	CHECK_INT(op_again(op, "/", NULL, &err), 0);
	world_run_op(w, op);
	CHECK_INT(op_result(op)->error, 0);
	CHECK_TEXT(op_result(op)->backend, backend);
	CHECK_INT(lab_get("pod/cli", "svc/web", NULL), ECONNREFUSED);
	op_close(op, false);
	CHECK_INT(op_again(op, "/", NULL, &err), ENOTCONN);
	op_free(op);
	lab_end();
}

/* SYN-02: after one sync at least a second passes before the next. */
static void coalescing(void)
{
	struct sync_stats before, after;
	if (!lab_start())
		return;
	lab_apply(lab_web);
	world_run(w, world_now(w) + 5 * NS_PER_S);
	CHECK_INT(world_sync_stats(w, "b", &before), 0);
	int64_t began = world_now(w);
	for (int i = 0; i < 50; i++) {
		char yaml[256];
		struct err err = { "" };
		snprintf(yaml, sizeof yaml, "apiVersion: v1\nkind: Service\nmetadata: {name: s%d}\n"
			 "spec: {selector: {app: web}, ports: [{port: 80}]}\n", i);
		CHECK_INT(world_apply(w, yaml, strlen(yaml), "burst.yaml", NULL, &err), 0);
		world_run(w, world_now(w) + 20 * NS_PER_MS);
	}
	lab_settle();
	CHECK_INT(world_sync_stats(w, "b", &after), 0);
	uint64_t syncs = after.syncs - before.syncs;
	/* A second of changes, and a little until their slices are there. */
	CHECK(syncs >= 2 && syncs <= 5);
	CHECK_INT(after.full_syncs, before.full_syncs);
	CHECK(after.last_ns > began);
	CHECK_INT(lab_get("pod/cli", "svc/s49", NULL), 0);
	lab_end();
}

/* SYN-04: a failed sync is tried again within 30 s, in full. */
static void failed_sync(void)
{
	struct sync_stats before, after;
	struct err err = { "" };
	if (!lab_start())
		return;
	lab_apply(lab_web);
	CHECK_INT(world_sync_stats(w, "a", &before), 0);
	CHECK_INT(world_fault(w, world_place(w, "node/a", &err), "sync-fails=1", &err), 0);
	int64_t began = world_now(w);
	lab_apply("apiVersion: v1\nkind: Service\nmetadata: {name: late}\n"
		  "spec: {selector: {app: web}, ports: [{port: 80}]}\n");
	CHECK_INT(world_sync_stats(w, "a", &after), 0);
	CHECK_INT(after.failures, before.failures + 1);
	CHECK_INT(after.full_syncs, before.full_syncs + 1);
	CHECK(world_now(w) - began <= 32 * NS_PER_S);
	CHECK(strstr(strbuf_text(&lab_warnings), "kube-proxy on a:") != NULL);
	CHECK_INT(lab_get("pod/cli", "svc/late", NULL), 0);
	lab_end();
}

static const char *proxy_pod(const char *node)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	while ((o = kube_store_next(world_store(w), KIND_POD, "kube-system", &cursor)) != NULL)
		if (kube_is(kube_map_get(&o->meta.labels, "k8s-app"), "kube-proxy") &&
		    kube_is(((const struct kube_pod *)o)->spec.node_name, node) && !o->meta.deletion_ns)
			return o->meta.name;
	return "";
}

static void restart(void)
{
	char old[256];
	struct err err = { "" };
	if (!lab_start())
		return;
	lab_apply(lab_web);
	snprintf(old, sizeof old, "%s", proxy_pod("a"));
	CHECK_INT(world_restart_kube_proxy(w, "a", &err), 0);
	/* The rules stay while nobody keeps them. */
	CHECK_INT(lab_get("pod/cli", "svc/web", NULL), 0);
	lab_settle();
	CHECK(strcmp(old, proxy_pod("a")) != 0);
	CHECK_INT(lab_get("pod/cli", "svc/web", NULL), 0);
	CHECK_INT(world_restart_kube_proxy(w, "z", &err), EINVAL);
	CHECK_TEXT(err.text, "no node \"z\"");
	lab_end();
}

/* SYN-10: what a mode leaves behind stays unless the next one cleans it up. */
static void switch_mode(void)
{
	struct err err = { "" };
	if (!lab_start())
		return;
	lab_apply(lab_web);
	CHECK_INT(world_switch_mode(w, "null", &err), 0);
	lab_settle();
	CHECK_TEXT(world_dataplane(w), "null");
	CHECK_INT(lab_get("pod/cli", "svc/web", NULL), 0);
	scale_web(0);
	lab_settle();
	/* The null planner changes nothing: the old rules lead to pods that are gone. */
	CHECK(lab_get("pod/cli", "svc/web", NULL) != 0);
	CHECK_INT(world_switch_mode(w, "iptables", &err), 0);
	lab_settle();
	CHECK_INT(lab_get("pod/cli", "svc/web", NULL), ECONNREFUSED);
	CHECK_INT(world_switch_mode(w, "smoke", &err), EINVAL);
	lab_end();
}

/* HCK-05: kube-proxy's own health, and LoadBalancer's health check node port. */
static void health(void)
{
	if (!lab_start())
		return;
	struct request r = { .target = "node/a:10256", .path = "/healthz" };
	struct op *op = lab_request("outside/192.168.0.99", &r);
	CHECK_INT(op_result(op)->http_status, 200);
	CHECK(strstr(op_result(op)->body, "\"lastUpdated\"") != NULL);
	op_free(op);
	lab_end();
}

static const struct check tests[] = {
	{ "a started cluster has DNS, a kube-proxy a node and the API's own Service", start },
	{ "pods reach Services by name", names },
	{ "a load is spread over the pods at its rate and counted by backend", spread },
	{ "an open connection stays on its pod when the endpoints go", open_flow },
	{ "a burst of changes is few syncs, none of them full", coalescing },
	{ "a failed sync is said, and tried again in full", failed_sync },
	{ "a kube-proxy that restarts leaves its rules and is another pod", restart },
	{ "a new mode comes with new kube-proxies; rules of the old one stay", switch_mode },
	{ "kube-proxy answers for its health", health },
};

CHECK_MAIN(tests)
