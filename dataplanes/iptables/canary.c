/* iptables/canary.c: see canary.h. */
#include <string.h>

#include "dataplanes/iptables/canary.h"

#define PATIENCE_NS (5 * NS_PER_S)
#define FLUSH_POLL_NS (100 * NS_PER_MS)

/* A table that cannot be read counts as one that has it. */
static bool is_there(const struct proxy_view *view, unsigned family, const char *table)
{
	enum dump_view save = family == PROXY_V6 ? DUMP_IP6TABLES_SAVE : DUMP_IPTABLES_SAVE;
	struct strbuf text = { 0 };
	bool there = !view->read || view->read(view->read_ctx, save, table, &text, NULL) != 0 ||
		     strstr(strbuf_text(&text), ":KUBE-PROXY-CANARY ");
	strbuf_free(&text);
	return there;
}

/* Whether a family of this node has lost its chain in the table. */
static bool is_gone(const struct kubeproxy *k, const struct proxy_view *view, const char *table)
{
	for (unsigned f = 0; f < PROXY_FAMILIES; f++)
		if (k->was[f] && (k->config->families[f].used || k->was[f]->count) &&
		    !is_there(view, f, table))
			return true;
	return false;
}

static void look(struct canary *c, struct kubeproxy *k, const struct proxy_view *view,
		 int64_t now_ns)
{
	c->look_ns = 0;
	if (!c->patience_ns) {
		if (!is_gone(k, view, "mangle"))
			return;
		c->patience_ns = now_ns + PATIENCE_NS;
	}
	if (now_ns < c->patience_ns && !(is_gone(k, view, "nat") && is_gone(k, view, "filter"))) {
		c->look_ns = now_ns + FLUSH_POLL_NS;
		return;
	}
	*c = (struct canary){ .since_ns = now_ns };
	runner_force(&k->runner, now_ns);
}

int64_t canary_watch(struct canary *c, struct kubeproxy *k, const struct proxy_view *view,
		     int64_t now_ns)
{
	int64_t since = c->since_ns ? c->since_ns : k->started_ns, period = k->config->sync_ns;
	if (!c->look_ns)
		c->look_ns = since + ((now_ns - since) / period + 1) * period;
	else if (now_ns >= c->look_ns)
		look(c, k, view, now_ns);
	return c->look_ns ? c->look_ns : INT64_MAX;
}
