/* tests/unit/golden.h: a planner on a cluster of tests/golden/kube-proxy.
 *
 * Loads a manifest into a store, makes the view that a kube-proxy on one node has (its
 * loopback and the addresses of its Node), plans, and brings rule text into a canonical
 * order: kube-proxy's own order of services is a Go map's.
 */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/arena.h"
#include "core/file.h"
#include "dataplane.h"
#include "kube/manifest.h"
#include "kube/store.h"

#define GOLDEN "tests/golden/kube-proxy/"

/* Folders of rules/ and the node of each. */
static const char *const golden_clusters[][2] = {
	{ "101", "worker-3" },
	{ "102", "gke-prod-pool-1-5f3c-0xkq" },
	{ "103", "kind-worker3" },
	{ "104", "edge-a" },
	{ "106", "edge-b" },
	{ "107", "edge-b" },
	{ "108", "worker-1" },
	{ "109", "gke-prod-pool-1-5f3c-0xkq" },
	{ "110", "ip-10-0-12-34.eu-west-1.compute.internal" },
	{ "113", "edge-b" },
	{ "119", "ip-10-0-13-7.eu-west-1.compute.internal" },
	{ "125", "edge-c" },
};
#define GOLDEN_CLUSTERS (sizeof golden_clusters / sizeof *golden_clusters)

struct golden {
	struct kube_store *store;
	struct choice *choice;
	struct proxy_view view;
	struct net_prefix addrs[16];
	const char *devs[16];
	struct planner_shared shared;
	const struct planner_class *class;
	struct planner *planner;
	struct transactions plan;
	char node[128];
};

static inline void golden_addr(struct golden *g, const char *text, const char *dev)
{
	if (g->view.node_addr_count < 16 &&
	    net_prefix_parse(text, &g->addrs[g->view.node_addr_count]))
		g->devs[g->view.node_addr_count++] = dev;
}

static inline void golden_empty(struct golden *g, const char *node,
				const struct planner_class *class, enum kube_version version)
{
	*g = (struct golden){ .class = class };
	g->choice = choice_new(1);
	g->store = kube_store_new(NULL, g->choice);
	snprintf(g->node, sizeof g->node, "%s", node);
	g->view = (struct proxy_view){ .store = g->store, .shared = &g->shared, .node = g->node,
				       .node_addrs = g->addrs, .node_addr_devs = g->devs,
				       .version = version };
}

/* A planner on what is in the store; what else it should see belongs into the view before. */
static inline bool golden_start(struct golden *g, const char *file)
{
	struct err err = { "" };
	golden_addr(g, "127.0.0.1/8", "lo");
	golden_addr(g, "::1/128", "lo");
	const struct kube_node *n =
		(const void *)kube_store_get(g->store, KIND_NODE, "", g->node);
	for (uint32_t i = 0; n && i < n->status.addresses.count; i++)
		golden_addr(g, n->status.addresses.items[i].address, "eth0");
	if (g->class->open(&g->view, &g->planner, &err))
		return check_note(false, file, 0, "%s", err.text);
	return true;
}

static inline bool golden_open(struct golden *g, const char *file, const char *node,
			       const struct planner_class *class, enum kube_version version)
{
	struct err err = { "" };
	golden_empty(g, node, class, version);
	if (manifest_load(g->store, &file, 1, NULL, &err))
		return check_note(false, file, 0, "%s", err.text);
	return golden_start(g, file);
}

static inline bool golden_plan(struct golden *g, bool full)
{
	struct err err = { "" };
	const struct plan_request request = { .full = full };
	transactions_free(&g->plan);
	return g->class->plan(g->planner, &g->view, &request, &g->plan, &err) == 0 ||
	       check_note(false, "plan", 0, "%s", err.text);
}

static inline void golden_close(struct golden *g)
{
	transactions_free(&g->plan);
	if (g->planner)
		g->class->close(g->planner);
	planner_shared_free(&g->shared);
	kube_store_free(g->store);
	choice_free(g->choice);
}

/* All text of one tool, in order; free() it. */
static inline char *golden_text(const struct golden *g, enum tx_tool tool)
{
	struct strbuf out = { 0 };
	for (uint32_t i = 0; i < g->plan.count; i++)
		if (g->plan.items[i].tool == tool)
			transaction_text(&g->plan.items[i], &out);
	return strbuf_steal(&out);
}

static inline char *golden_file(const char *folder, const char *name)
{
	char path[256];
	struct strbuf out = { 0 };
	struct err err = { "" };
	snprintf(path, sizeof path, GOLDEN "%s/%s", folder, name);
	if (file_read(path, &out, &err))
		check_note(false, path, 0, "%s", err.text);
	return strbuf_steal(&out);
}

static inline int golden_replace(void *ctx, struct kube_object *o, struct err *err)
{
	return kube_store_update(ctx, o, true, err);
}

/* The changes of five/steps.yaml: web loses an endpoint; Service empty is deleted. */
static inline void golden_step(struct golden *g, unsigned number)
{
	struct err err = { "" };
	struct manifest_options options = { .defaults = true };
	static const char slice[] =
		"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice,\n"
		"metadata: {namespace: default, name: web-1,\n"
		"  labels: {kubernetes.io/service-name: web}}, addressType: IPv4,\n"
		"ports: [{name: http, port: 8080, protocol: TCP}],\n"
		"endpoints: [\n"
		"  {addresses: [10.244.1.10], nodeName: node-a,\n"
		"   conditions: {ready: true, serving: true, terminating: false}},\n"
		"  {addresses: [10.244.1.11], nodeName: node-a,\n"
		"   conditions: {ready: true, serving: true, terminating: false}}]}\n";
	int code = number == 1 ? manifest_read(slice, strlen(slice), "step", &options, golden_replace,
					       g->store, &err) :
				 kube_store_delete(g->store, KIND_SERVICE, "default", "empty",
						   &err);
	check_note(code == 0, "step", (int)number, "%s", err.text);
}

/* ---- canonical order ------------------------------------------------------------- */

struct golden_line {
	char key[320]; /* table, kind, chain */
	unsigned order;
	const char *text;
};

static inline int golden_compare(const void *a, const void *b)
{
	const struct golden_line *la = a, *lb = b;
	int order = strcmp(la->key, lb->key);
	return order ? order : la->order < lb->order ? -1 : la->order > lb->order;
}

static inline bool golden_dispatch(const char *chain)
{
	static const char *const chains[] = { "KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES",
					      "KUBE-NODEPORTS", "KUBE-PROXY-FIREWALL",
					      "KUBE-IPVS-OUT-FILTER" };
	for (unsigned i = 0; i < sizeof chains / sizeof *chains; i++)
		if (strcmp(chains[i], chain) == 0)
			return true;
	return false;
}

/* Orders the lines of iptables-restore text: by table, chain lines first, rules by chain
 * in written order, those of the dispatch chains sorted with the jump to the node ports
 * last. In ipvs mode (`keep_services`) KUBE-SERVICES has an order of its own. */
static inline char *golden_restore(char *text, bool keep_services)
{
	struct golden_line *lines = NULL;
	unsigned count = 0;
	char table[32] = "", *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char chain[64] = "", *k;
		if (*line == '*')
			snprintf(table, sizeof table, "%s", line);
		lines = mem_grow(lines, count, count + 1, sizeof *lines);
		struct golden_line *l = &lines[count];
		l->order = count++;
		l->text = line;
		k = l->key;
		sscanf(line, "-%*c %63s", chain);
		if (*line == '*' || *line == ':' || strcmp(line, "COMMIT") == 0)
			snprintf(k, sizeof l->key, "%s %c %s", table,
				 *line == '*' ? '0' : *line == ':' ? '1' : '9', line);
		else if (golden_dispatch(chain) &&
			 !(keep_services && strcmp(chain, "KUBE-SERVICES") == 0))
			snprintf(k, sizeof l->key, "%s 2 %s %d %.200s", table, chain,
				 strstr(line, "must be the last rule") != NULL, line);
		else
			snprintf(k, sizeof l->key, "%s 2 %s", table, chain);
	}
	qsort(lines, count, sizeof *lines, golden_compare);
	struct strbuf out = { 0 };
	for (unsigned i = 0; i < count; i++)
		strbuf_printf(&out, "%s\n", lines[i].text);
	free(lines);
	free(text);
	return strbuf_steal(&out);
}

/* Sorts lines. */
static inline int golden_compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline char *golden_sorted(char *text)
{
	char **lines = NULL, *save = NULL;
	unsigned count = 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		lines = mem_grow(lines, count, count + 1, sizeof *lines);
		lines[count++] = line;
	}
	qsort(lines, count, sizeof *lines, golden_compare_text);
	struct strbuf out = { 0 };
	for (unsigned i = 0; i < count; i++)
		strbuf_printf(&out, "%s\n", lines[i]);
	free(lines);
	free(text);
	return strbuf_steal(&out);
}

/* Compares line by line and shows the first that differs; frees both. */
static inline void golden_same(const char *what, char *actual, char *expected)
{
	unsigned line = 1;
	const char *a = actual, *e = expected;
	while (*a && *a == *e) {
		line += *a == '\n';
		a++;
		e++;
	}
	while (a > actual && a[-1] != '\n') {
		a--;
		e--;
	}
	check_note(strcmp(actual, expected) == 0, what, (int)line,
		   "differs\n  expected: %.*s\n  actual:   %.*s", (int)strcspn(e, "\n"), e,
		   (int)strcspn(a, "\n"), a);
	free(actual);
	free(expected);
}

#endif
