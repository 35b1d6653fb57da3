/* kube/control/scheduler_filter.c: which nodes a pod can be on, and why not. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/scheduler.h"

#define TAINT_UNSCHEDULABLE "node.kubernetes.io/unschedulable"

/* ---- taints and selectors -------------------------------------------------------- */

bool pod_tolerates(const struct kube_pod_spec *spec, const struct kube_taint *taint)
{
	for (uint32_t i = 0; i < spec->tolerations.count; i++) {
		const struct kube_toleration *t = &spec->tolerations.items[i];
		if (t->effect && *t->effect && !kube_is(t->effect, taint->effect))
			continue;
		if (t->key && *t->key && !kube_is(t->key, taint->key))
			continue;
		if (kube_is(t->op, "Exists") ||
		    strcmp(text_or(t->value, ""), text_or(taint->value, "")) == 0)
			return true;
	}
	return false;
}

static const struct kube_taint *untolerated(const struct kube_node *node,
					    const struct kube_pod_spec *spec)
{
	for (uint32_t i = 0; i < node->spec.taints.count; i++) {
		const struct kube_taint *t = &node->spec.taints.items[i];
		if (!kube_is(t->effect, "PreferNoSchedule") && !pod_tolerates(spec, t))
			return t;
	}
	return NULL;
}

static bool cordoned(const struct kube_node *node, const struct kube_pod_spec *spec)
{
	struct kube_taint taint = { .key = TAINT_UNSCHEDULABLE, .effect = "NoSchedule" };
	return node->spec.unschedulable == TRI_TRUE && !pod_tolerates(spec, &taint);
}

static bool selector_matches(const struct kube_node *node, const struct kube_pod_spec *spec)
{
	return !spec->node_selector.count ||
	       kube_map_selects(&spec->node_selector, &node->object.meta.labels);
}

bool node_admits(const struct kube_node *node, const struct kube_pod_spec *spec)
{
	return !cordoned(node, spec) && !untolerated(node, spec) && selector_matches(node, spec);
}

/* ---- host ports ------------------------------------------------------------------ */

static bool ports_clash(const struct kube_container_port *a, const struct kube_container_port *b)
{
	if (!a->host_port || a->host_port != b->host_port ||
	    strcmp(text_or(a->protocol, "TCP"), text_or(b->protocol, "TCP")) != 0)
		return false;
	const char *x = text_or(a->host_ip, "0.0.0.0"), *y = text_or(b->host_ip, "0.0.0.0");
	return strcmp(x, y) == 0 || strcmp(x, "0.0.0.0") == 0 || strcmp(y, "0.0.0.0") == 0;
}

/* Number of host ports; true when one of them is `port` of somebody else. */
static bool uses_port(const struct kube_pod *p, const struct kube_container_port *port)
{
	for (uint32_t i = 0; i < p->spec.containers.count; i++) {
		const struct kube_container *k = &p->spec.containers.items[i];
		for (uint32_t j = 0; j < k->ports.count; j++)
			if (ports_clash(port, &k->ports.items[j]))
				return true;
	}
	return false;
}

static bool ports_free(const struct kube_pod *p, const struct node_record *n)
{
	const struct pod_record *other;
	TAILQ_FOREACH(other, &n->pods, on_node) {
		if (!other->active)
			continue;
		const struct kube_pod *q = (const struct kube_pod *)other->record.now;
		for (uint32_t i = 0; i < p->spec.containers.count; i++)
			for (uint32_t j = 0; j < p->spec.containers.items[i].ports.count; j++)
				if (uses_port(q, &p->spec.containers.items[i].ports.items[j]))
					return false;
	}
	return true;
}

/* ---- spreading ------------------------------------------------------------------- */

static const char *domain_of(const struct node_record *n, const char *key)
{
	const struct kube_node *node = (const struct kube_node *)n->record.now;
	return node ? kube_map_get(&node->object.meta.labels, key) : NULL;
}

static void spread_count(struct search *s, struct spread *d)
{
	const struct kube_topology_spread *rule = d->rule;
	struct object_list pods = { 0 };
	table_init(&d->counts, TABLE_STRING_KEYS, sizeof(uint32_t));
	for (uint32_t i = 0; i < s->c->index.node_count; i++) {
		const struct node_record *n = s->c->index.nodes[i];
		const char *value = domain_of(n, rule->topology_key);
		if (value &&
		    selector_matches((const struct kube_node *)n->record.now, &s->pod->spec))
			table_put(&d->counts, value, NULL);
	}
	index_select_full(&s->c->index, s->pod->object.meta.namespace, &rule->selector, &pods);
	for (uint32_t i = 0; i < pods.count; i++) {
		const struct kube_pod *p = (const struct kube_pod *)pods.items[i];
		const struct node_record *n =
			p->spec.node_name && pod_active(p)
				? index_node(&s->c->index, p->spec.node_name) : NULL;
		const char *value = n ? domain_of(n, rule->topology_key) : NULL;
		uint32_t *count = value ? table_find(&d->counts, value) : NULL;
		if (count)
			++*count;
	}
	object_list_free(&pods);
	d->least = UINT32_MAX;
	void *value;
	for (uint32_t i = 0; table_next(&d->counts, &i, NULL, &value);)
		if (*(uint32_t *)value < d->least)
			d->least = *(uint32_t *)value;
}

static bool spread_allows(const struct spread *d, const struct node_record *n)
{
	const char *value = domain_of(n, d->rule->topology_key);
	const uint32_t *count = value ? table_find(&d->counts, value) : NULL;
	int32_t skew = d->rule->max_skew > 0 ? d->rule->max_skew : 1;
	return count && (int64_t)*count + 1 - d->least <= skew;
}

static bool hard(const struct spread *d)
{
	return !kube_is(d->rule->when_unsatisfiable, "ScheduleAnyway");
}

/* ---- the search ------------------------------------------------------------------ */

static int64_t request(const struct kube_container *k, const char *resource)
{
	const char *text = kube_map_get(&k->resources.requests, resource);
	int64_t milli;
	return text && kube_quantity_parse(text, &milli) ? milli : 0;
}

void search_begin(struct search *s, struct control *c, const struct kube_pod *pod)
{
	*s = (struct search){ .c = c, .pod = pod };
	struct pod_record *r = index_pod(&c->index, pod->object.meta.namespace,
					 pod->object.meta.name);
	s->pinned = r ? r->pinned : NULL;
	for (uint32_t i = 0; i < pod->spec.containers.count; i++) {
		const struct kube_container *k = &pod->spec.containers.items[i];
		s->cpu_milli += request(k, "cpu");
		s->memory_milli += request(k, "memory");
		for (uint32_t j = 0; j < k->ports.count; j++)
			s->host_ports = s->host_ports || k->ports.items[j].host_port;
	}
	s->simple = !s->pinned && !s->host_ports && !pod->spec.node_selector.count &&
		    !pod->spec.topology_spread.count;
	s->spread_count = pod->spec.topology_spread.count;
	s->spreads = s->spread_count ? mem_array(s->spread_count, sizeof *s->spreads) : NULL;
	for (uint32_t i = 0; i < s->spread_count; i++) {
		s->spreads[i].rule = &pod->spec.topology_spread.items[i];
		spread_count(s, &s->spreads[i]);
	}
}

void search_end(struct search *s)
{
	for (uint32_t i = 0; i < s->spread_count; i++)
		table_free(&s->spreads[i].counts);
	free(s->spreads);
}

static bool refuse(struct search *s, bool helpless, const char *reason)
{
	if (!s->reasons)
		return false;
	struct reasons *r = s->reasons;
	uint32_t *n = table_find(&r->counts, reason);
	if (!n)
		n = table_put(&r->counts, arena_strdup(r->arena, reason), NULL);
	++*n;
	r->helpless += helpless;
	return false;
}

static bool refuse_taint(struct search *s, const struct kube_taint *t)
{
	if (!s->reasons)
		return false;
	return refuse(s, true,
		      arena_printf(s->reasons->arena, "node(s) had untolerated taint {%s: %s}",
				   t->key, text_or(t->value, "")));
}

static bool resources_fit(struct search *s, struct node_record *n)
{
	int64_t limit = n->pods_room != INT64_MAX ? n->pods_room : s->c->options.max_pods;
	bool fits = true;
	if (n->pod_count + 1 > limit)
		fits = refuse(s, false, "Too many pods");
	if (s->cpu_milli && n->cpu_milli + s->cpu_milli > n->cpu_room)
		fits = refuse(s, false, "Insufficient cpu");
	if (s->memory_milli && n->memory_milli + s->memory_milli > n->memory_room)
		fits = refuse(s, false, "Insufficient memory");
	return fits;
}

bool search_fits(struct search *s, struct node_record *n)
{
	if (s->simple && n->plain)
		return resources_fit(s, n);
	const struct kube_node *node = (const struct kube_node *)n->record.now;
	if (cordoned(node, &s->pod->spec))
		return refuse(s, true, "node(s) were unschedulable");
	if (s->pinned && strcmp(s->pinned, node->object.meta.name) != 0)
		return refuse(s, true, "node(s) didn't match Pod's node affinity/selector");
	if (node->spec.taints.count) {
		const struct kube_taint *t = untolerated(node, &s->pod->spec);
		if (t)
			return refuse_taint(s, t);
	}
	if (!selector_matches(node, &s->pod->spec))
		return refuse(s, true, "node(s) didn't match Pod's node affinity/selector");
	if (s->selected && strcmp(s->selected, node->object.meta.name) != 0)
		return refuse(s, true, "node(s) had volume node affinity conflict");
	if (s->host_ports && !ports_free(s->pod, n))
		return refuse(s, false,
			      "node(s) didn't have free ports for the requested pod ports");
	if (!resources_fit(s, n))
		return false;
	for (uint32_t i = 0; i < s->spread_count; i++)
		if (hard(&s->spreads[i]) && !spread_allows(&s->spreads[i], n))
			return refuse(s, false,
				      "node(s) didn't match pod topology spread constraints");
	return true;
}

uint32_t search_penalty(struct search *s, const struct node_record *n)
{
	if (n->plain && !s->spread_count)
		return 0;
	const struct kube_node *node = (const struct kube_node *)n->record.now;
	uint32_t penalty = 0;
	for (uint32_t i = 0; i < node->spec.taints.count; i++) {
		const struct kube_taint *t = &node->spec.taints.items[i];
		if (kube_is(t->effect, "PreferNoSchedule") && !pod_tolerates(&s->pod->spec, t))
			penalty += 1000;
	}
	for (uint32_t i = 0; i < s->spread_count; i++) {
		const char *value = domain_of(n, s->spreads[i].rule->topology_key);
		const uint32_t *count = value ? table_find(&s->spreads[i].counts, value) : NULL;
		penalty += count ? *count : 1000;
	}
	return penalty;
}

/* ---- reasons --------------------------------------------------------------------- */

void reasons_begin(struct reasons *r)
{
	*r = (struct reasons){ .arena = arena_new() };
	table_init(&r->counts, TABLE_STRING_KEYS, sizeof(uint32_t));
}

void reasons_end(struct reasons *r)
{
	table_free(&r->counts);
	arena_free(r->arena);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void reasons_text(const struct reasons *r, struct strbuf *out)
{
	uint32_t count = 0;
	const void *key;
	void *value;
	if (!r->nodes) {
		strbuf_puts(out, "no nodes available to schedule pods");
		return;
	}
	const char **lines = arena_array(r->arena, r->counts.count + 2, sizeof *lines);
	for (uint32_t i = 0; table_next(&r->counts, &i, &key, &value);)
		lines[count++] = arena_printf(r->arena, "%u %s", *(uint32_t *)value,
					      (const char *)key);
	qsort(lines, count, sizeof *lines, by_text);
	strbuf_printf(out, "0/%u nodes are available: ", r->nodes);
	for (uint32_t i = 0; i < count; i++)
		strbuf_printf(out, "%s%s", i ? ", " : "", lines[i]);
	strbuf_printf(out, ". preemption: 0/%u nodes are available: ", r->nodes);
	uint32_t victims = r->nodes - r->helpless;
	count = 0;
	if (victims)
		lines[count++] = arena_printf(r->arena, "%u No preemption victims found for incoming pod",
					      victims);
	if (r->helpless)
		lines[count++] = arena_printf(r->arena, "%u Preemption is not helpful for scheduling",
					      r->helpless);
	qsort(lines, count, sizeof *lines, by_text);
	for (uint32_t i = 0; i < count; i++)
		strbuf_printf(out, "%s%s", i ? ", " : "", lines[i]);
	strbuf_puts(out, ".");
}
