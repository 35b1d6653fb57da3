/* kubeproxy/kubeproxy.c: see kubeproxy.h. */
#include "dataplanes/kubeproxy/kubeproxy.h"

#include <stdlib.h>
#include <string.h>

#include "dataplanes/kubeproxy/health.h"

static struct kubeproxy *base(struct planner *p)
{
	return (struct kubeproxy *)(void *)p;
}

/* ---- configuration ------------------------------------------------------------------- */

static struct held_config *hold(struct held_config *h)
{
	h->references++;
	return h;
}

static void release(struct held_config *h)
{
	if (!h || --h->references)
		return;
	arena_free(h->memory);
	free(h);
}

static int read_config(const struct proxy_view *view, const char *mode, struct held_config **out,
		       struct err *err)
{
	struct held_config *h = mem_alloc(sizeof *h);
	h->references = 1;
	h->memory = arena_new();
	int code = proxy_config_read(view, mode, h->memory, &h->config, err);
	if (code) {
		release(h);
		return code;
	}
	*out = h;
	return 0;
}

static void set_config(struct kubeproxy *k, struct held_config *h)
{
	release(k->held);
	k->held = h;
	k->config = &h->config;
	if (!k->held_before)
		k->before = k->config;
}

/* ---- what a kube-proxy leaves behind ---------------------------------------------------- */

struct left_behind {
	const char *mode;
	struct snapshot *snapshots[PROXY_FAMILIES];
	struct strbuf unwanted[PROXY_FAMILIES];
	struct held_config *held;
};

static void drop_left(void *what)
{
	struct left_behind *left = what;
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		snapshot_unref(left->snapshots[f]);
		strbuf_free(&left->unwanted[f]);
	}
	release(left->held);
	free(left);
}

static void adopt(struct kubeproxy *k)
{
	struct left_behind *left = proxy_take(k->shared, k->config->node);
	if (!left)
		return;
	for (unsigned f = 0; f < PROXY_FAMILIES && strcmp(left->mode, k->mode) == 0; f++) {
		k->was[f] = left->snapshots[f];
		left->snapshots[f] = NULL;
		k->unwanted[f] = left->unwanted[f];
		left->unwanted[f] = (struct strbuf){ 0 };
	}
	if (strcmp(left->mode, k->mode) == 0) {
		k->held_before = hold(left->held);
		k->before = &k->held_before->config;
	}
	drop_left(left);
}

static void leave_behind(struct kubeproxy *k)
{
	if (!k->held_before || k->owns_shared)
		return;
	struct left_behind *left = mem_alloc(sizeof *left);
	*left = (struct left_behind){ .mode = k->mode, .held = hold(k->held_before) };
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		left->snapshots[f] = k->was[f];
		left->unwanted[f] = k->unwanted[f];
		k->was[f] = NULL;
		k->unwanted[f] = (struct strbuf){ 0 };
	}
	proxy_leave(k->shared, k->config->node, left, drop_left);
}

/* ---- a plan --------------------------------------------------------------------------------- */

int kubeproxy_open(struct kubeproxy *k, const struct proxy_view *view, const char *mode,
		   struct err *err)
{
	struct held_config *h;
	int code = read_config(view, mode, &h, err);
	if (code)
		return code;
	*k = (struct kubeproxy){ .mode = mode, .scratch = arena_new(), .started_ns = -1 };
	set_config(k, h);
	bool periodic = view->version <= KUBE_1_30 && strcmp(mode, "iptables") != 0;
	runner_open(&k->runner, k->config->min_sync_ns, k->config->sync_ns, periodic,
		    view->version <= KUBE_1_30);
	k->shared = proxy_shared_get(view, &k->owns_shared);
	adopt(k);
	return 0;
}

static void settle(struct kubeproxy *k, bool loaded)
{
	if (!k->now[PROXY_V4])
		return;
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		snapshot_unref(loaded ? k->was[f] : k->now[f]);
		if (loaded)
			k->was[f] = k->now[f];
		k->now[f] = NULL;
	}
	if (!loaded)
		return;
	release(k->held_before);
	k->held_before = hold(k->held);
	k->before = k->config;
}

void kubeproxy_close(struct kubeproxy *k)
{
	settle(k, true);
	leave_behind(k);
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		snapshot_unref(k->was[f]);
		strbuf_free(&k->unwanted[f]);
	}
	release(k->held);
	release(k->held_before);
	if (k->owns_shared)
		proxy_shared_free(k->shared);
	runner_close(&k->runner);
	arena_free(k->scratch);
}

void kubeproxy_take_unwanted(struct kubeproxy *k, unsigned family, struct table *names,
			     struct arena *memory)
{
	char *save = NULL, *text = k->unwanted[family].data;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		table_put(names, arena_strdup(memory, line), NULL);
	strbuf_free(&k->unwanted[family]);
}

void kubeproxy_leave_unwanted(struct kubeproxy *k, unsigned family, const struct table *names)
{
	const void *name;
	void *value;
	for (uint32_t i = 0; table_next(names, &i, &name, &value);)
		strbuf_printf(&k->unwanted[family], "%s\n", (const char *)name);
}

int kubeproxy_begin(struct kubeproxy *k, const struct proxy_view *view,
		    const struct plan_request *request, struct transactions *out,
		    struct err *err)
{
	struct held_config *h;
	settle(k, true);
	k->full = request->full || !k->planned;
	arena_reset(k->scratch);
	if (k->full) {
		int code = read_config(view, k->mode, &h, err);
		if (code)
			return code;
		set_config(k, h);
	}
	for (unsigned f = 0; f < PROXY_FAMILIES; f++)
		k->now[f] = proxy_snapshot(k->shared, view->store, f);
	if (!k->planned)
		plan_sysctls(k, out);
	return 0;
}

bool kubeproxy_family(const struct kubeproxy *k, unsigned family)
{
	return k->config->families[family].used || k->now[family]->count ||
	       (k->was[family] && k->was[family]->count) ||
	       (family == PROXY_V4 && !k->config->families[PROXY_V6].used &&
		!k->now[PROXY_V6]->count);
}

void kubeproxy_end(struct kubeproxy *k, struct transactions *out)
{
	cleanup_conntrack(k, out);
	/* Thousands of nodes wait for their next plan: none keeps memory of this one. */
	arena_free(k->scratch);
	k->scratch = arena_new();
	k->planned = true;
}

bool kubeproxy_choice_differs(const struct kubeproxy *k)
{
	return k->config->version != k->before->version ||
	       strcmp(k->config->zone, k->before->zone) != 0;
}

/* ---- operations of the class ------------------------------------------------------------------ */

void kubeproxy_changed(struct planner *p, const char *service, int64_t now_ns)
{
	if (base(p)->started_ns < 0)
		base(p)->started_ns = now_ns;
	runner_changed(&base(p)->runner, service, now_ns);
}

int64_t kubeproxy_due(const struct planner *p)
{
	return runner_due(&((const struct kubeproxy *)(const void *)p)->runner);
}

void kubeproxy_next(struct planner *p, int64_t now_ns, struct plan_request *out)
{
	base(p)->now_ns = now_ns;
	runner_next(&base(p)->runner, now_ns, out);
}

void kubeproxy_done(struct planner *p, int64_t now_ns, bool ok)
{
	base(p)->failed = !ok;
	settle(base(p), ok);
	runner_done(&base(p)->runner, now_ns, ok);
}

/* The servers follow the last sync; before the first one there are no health check ports. */
uint32_t kubeproxy_health_ports(struct planner *p, const struct proxy_view *view, uint16_t *ports,
				uint32_t max)
{
	(void)view;
	return health_port_list(base(p)->config, base(p)->was, ports, max);
}

int kubeproxy_health(struct planner *p, const struct proxy_view *view, uint16_t port,
		     const char *path, int64_t now_ns, struct strbuf *headers, struct strbuf *body)
{
	struct kubeproxy *k = base(p);
	proxy_config_node(view, &k->held->config);
	return health_answer(k->config, &k->runner, k->was, port, path, now_ns, headers, body);
}

void plan_text(struct transaction *t, const char *text, size_t length)
{
	if (length)
		transaction_add(t, block_new(text, length));
}

void plan_add(struct transactions *out, enum tx_tool tool, const struct strbuf *text)
{
	if (text->length)
		plan_text(transactions_add(out, tool), text->data, text->length);
}
