/* kubeproxy/kubeproxy.c: see kubeproxy.h. */
#include "dataplanes/kubeproxy/kubeproxy.h"

#include <string.h>

#include "dataplanes/kubeproxy/health.h"

static struct kubeproxy *base(struct planner *p)
{
	return (struct kubeproxy *)(void *)p;
}

static void free_memory(struct kubeproxy *k)
{
	arena_free(k->memory[0]);
	arena_free(k->memory[1]);
	arena_free(k->scratch);
}

int kubeproxy_open(struct kubeproxy *k, const struct proxy_view *view, const char *mode,
		   struct err *err)
{
	*k = (struct kubeproxy){ .mode = mode, .memory = { arena_new(), arena_new() },
				 .scratch = arena_new() };
	int code = proxy_config_read(view, mode, k->memory[0], &k->config, err);
	if (code) {
		free_memory(k);
		return code;
	}
	k->before = k->config;
	bool periodic = view->version <= KUBE_1_30 && strcmp(mode, "iptables") != 0;
	runner_open(&k->runner, k->config.min_sync_ns, k->config.sync_ns, periodic,
		    view->version <= KUBE_1_30);
	k->shared = proxy_shared_get(view, &k->owns_shared);
	return 0;
}

void kubeproxy_close(struct kubeproxy *k)
{
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		snapshot_unref(k->was[f]);
		snapshot_unref(k->now[f]);
	}
	if (k->owns_shared)
		proxy_shared_free(k->shared);
	runner_close(&k->runner);
	free_memory(k);
}

int kubeproxy_begin(struct kubeproxy *k, const struct proxy_view *view,
		    const struct plan_request *request, struct err *err)
{
	struct proxy_config fresh;
	k->full = request->full || !k->planned;
	arena_reset(k->scratch);
	if (k->full) {
		arena_reset(k->memory[1]);
		int code = proxy_config_read(view, k->mode, k->memory[1], &fresh, err);
		if (code)
			return code;
		struct arena *old = k->memory[0];
		k->before = k->config;
		k->config = fresh;
		k->memory[0] = k->memory[1];
		k->memory[1] = old;
	}
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		snapshot_unref(k->now[f]); /* of a plan that failed */
		k->now[f] = proxy_snapshot(k->shared, view->store, f);
	}
	return 0;
}

bool kubeproxy_family(const struct kubeproxy *k, unsigned family)
{
	return k->config.families[family].used || k->now[family]->count ||
	       (k->was[family] && k->was[family]->count) ||
	       (family == PROXY_V4 && !k->config.families[PROXY_V6].used &&
		!k->now[PROXY_V6]->count);
}

void kubeproxy_end(struct kubeproxy *k, struct transactions *out)
{
	cleanup_conntrack(k, out);
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		snapshot_unref(k->was[f]);
		k->was[f] = k->now[f];
		k->now[f] = NULL;
	}
	k->planned = true;
	if (k->full) /* the memory of the older one is the next one's */
		k->before = k->config;
}

void kubeproxy_changed(struct planner *p, const char *service, int64_t now_ns)
{
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
	runner_done(&base(p)->runner, now_ns, ok);
}

/* The servers follow the last sync; before the first one there are no health check ports. */
uint32_t kubeproxy_health_ports(struct planner *p, const struct proxy_view *view, uint16_t *ports,
				uint32_t max)
{
	(void)view;
	return health_port_list(&base(p)->config, base(p)->was, ports, max);
}

int kubeproxy_health(struct planner *p, const struct proxy_view *view, uint16_t port,
		     const char *path, int64_t now_ns, struct strbuf *headers, struct strbuf *body)
{
	struct kubeproxy *k = base(p);
	proxy_config_node(view, &k->config);
	return health_answer(&k->config, &k->runner, k->was, port, path, now_ns, headers, body);
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
