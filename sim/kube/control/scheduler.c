/* kube/control/scheduler.c: pods onto nodes.
 *
 * Of the nodes that can take the pod, the one with the fewest pods of the same owner,
 * then in its zone, then with the fewest pods in all, then by lot (site "schedule"). All
 * nodes are looked at up to 100; above that only until 50 to 5 % of them fit, starting
 * where the last search ended. A pod that fits nowhere waits until something changes, with
 * a back-off from 1 to 10 s.
 */
#include "kube/control/scheduler.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define PLACING NS_PER_MS  /* one pod after the other: about a thousand a second */
#define ALL_NODES 100u
#define BACKOFF_FIRST NS_PER_S
#define BACKOFF_LAST (10 * NS_PER_S)
#define LABEL_ZONE "topology.kubernetes.io/zone"

struct waiting { /* refused by all nodes, or its claim is being made */
	int64_t backoff_ns, until_ns;
	char key[];
};

struct scheduler {
	struct control *c;
	struct work_queue queue;
	struct table waiting; /* "namespace/name" to struct waiting * */
	struct event_id wake;
	uint32_t start;       /* node where the next search begins */
	uint32_t searches;    /* number of the last one, as a mark on nodes */
	struct node_record **ties;
	uint32_t tie_capacity;
};

/* ---- picking --------------------------------------------------------------------- */

static uint32_t enough_nodes(uint32_t nodes)
{
	if (nodes <= ALL_NODES)
		return nodes;
	uint32_t percent = nodes / 125 < 45 ? 50 - nodes / 125 : 5;
	uint32_t n = nodes * percent / 100;
	return n > ALL_NODES ? n : ALL_NODES;
}

struct score { uint32_t penalty, same_owner, same_zone, pods; };

static int compare(const struct score *a, const struct score *b)
{
	if (a->penalty != b->penalty)
		return a->penalty < b->penalty ? -1 : 1;
	if (a->same_owner != b->same_owner)
		return a->same_owner < b->same_owner ? -1 : 1;
	if (a->same_zone != b->same_zone)
		return a->same_zone < b->same_zone ? -1 : 1;
	return (a->pods > b->pods) - (a->pods < b->pods);
}

static const char *zone_of(const struct node_record *n)
{
	const struct kube_node *node = (const struct kube_node *)n->record.now;
	return node ? kube_map_get(&node->object.meta.labels, LABEL_ZONE) : NULL;
}

#define MARK_LIMIT 1024u /* pods of an owner up to which walking them is cheaper */

/* Counts pods of the same owner by zone, and on the nodes themselves by marks. */
static void count_owner(struct scheduler *s, const struct owner *owner, struct table *zones)
{
	struct control *c = s->c;
	table_init(zones, TABLE_STRING_KEYS, sizeof(uint32_t));
	s->searches++;
	if (!owner || !c->index.node_count)
		return;
	bool zoned = zone_of(c->index.nodes[0]) != NULL;
	if (!zoned && owner->count > MARK_LIMIT)
		return;
	const struct dependency *d;
	TAILQ_FOREACH(d, &owner->dependents, link) {
		if (!d->controller || d->record->now->kind != KIND_POD)
			continue;
		const struct pod_record *p = (const struct pod_record *)d->record;
		if (!p->node || !p->active)
			continue;
		if (p->node->mark != s->searches)
			p->node->marked = 0;
		p->node->mark = s->searches;
		p->node->marked++;
		const char *zone = zoned ? zone_of(p->node) : NULL;
		if (zone)
			++*(uint32_t *)table_put(zones, zone, NULL);
	}
}

static uint32_t same_owner(const struct scheduler *s, const struct owner *owner,
			   const struct node_record *n)
{
	if (!owner)
		return 0;
	if (owner->count > MARK_LIMIT)
		return index_spread(&s->c->index, owner, n);
	return n->mark == s->searches ? n->marked : 0;
}

static void tie_add(struct scheduler *s, uint32_t at, struct node_record *n)
{
	if (at == s->tie_capacity) {
		uint32_t capacity = s->tie_capacity ? 2 * s->tie_capacity : 64;
		s->ties = mem_grow(s->ties, s->tie_capacity, capacity, sizeof *s->ties);
		s->tie_capacity = capacity;
	}
	s->ties[at] = n;
}

static struct node_record *search_best(struct scheduler *s, struct search *search,
				       const struct owner *owner, const struct table *zones)
{
	struct index *x = &s->c->index;
	uint32_t found = 0, ties = 0, wanted = enough_nodes(x->node_count), i;
	struct score best = { 0 };
	for (i = 0; i < x->node_count && found < wanted; i++) {
		struct node_record *n = x->nodes[(s->start + i) % x->node_count];
		if (!n->record.now || !search_fits(search, n))
			continue;
		found++;
		const char *zone = zones->count ? zone_of(n) : NULL;
		const uint32_t *in_zone = zone ? table_find(zones, zone) : NULL;
		struct score score = { search_penalty(search, n), same_owner(s, owner, n),
				       in_zone ? *in_zone : 0, n->pod_count };
		int order = ties ? compare(&score, &best) : -1;
		if (order < 0) {
			best = score;
			ties = 0;
		}
		if (order <= 0)
			tie_add(s, ties++, n);
	}
	if (x->node_count > ALL_NODES)
		s->start = (s->start + i) % x->node_count;
	if (!ties)
		return NULL;
	return s->ties[ties > 1 ? choice_uniform(s->c->choice, "schedule", ties) : 0];
}

/* Claims first: a pod can't run without them. CLAIM_BOUND: go on. */
static enum claim_state check_claims(struct scheduler *s, struct search *search,
				     struct strbuf *why)
{
	const struct kube_pod *p = search->pod;
	enum claim_state worst = CLAIM_BOUND;
	for (uint32_t i = 0; i < p->spec.volumes.count; i++) {
		const char *name = p->spec.volumes.items[i].claim_name;
		if (!name)
			continue;
		enum claim_state state = claim_state(s->c, p->object.meta.namespace, name);
		if (state > worst)
			worst = state;
		if (state == CLAIM_MISSING && why && !why->length)
			strbuf_printf(why, "persistentvolumeclaim \"%s\" not found", name);
		if (state != CLAIM_MISSING)
			search->selected = text_or(claim_node(s->c, p->object.meta.namespace, name),
						   search->selected);
	}
	if (worst == CLAIM_PENDING && why && !why->length)
		strbuf_printf(why, "0/%u nodes are available: pod has unbound immediate "
				   "PersistentVolumeClaims. not found",
			      kube_store_count(s->c->store, KIND_NODE));
	return worst;
}

struct node_record *scheduler_pick(struct scheduler *s, const struct kube_pod *p,
				   struct strbuf *why)
{
	struct search search;
	struct table zones;
	const struct kube_owner *ref = controller_of(&p->object);
	const struct owner *owner = ref ? index_owner(&s->c->index, ref->uid) : NULL;
	search_begin(&search, s->c, p);
	if (check_claims(s, &search, why) >= CLAIM_PENDING) {
		search_end(&search);
		return NULL;
	}
	count_owner(s, owner, &zones);
	search.simple = search.simple && !search.selected;
	struct node_record *pinned = search.pinned ? index_node(&s->c->index, search.pinned) : NULL;
	struct node_record *n =
		pinned ? (pinned->record.now && search_fits(&search, pinned) ? pinned : NULL)
		       : search_best(s, &search, owner, &zones);
	if (!n && why) {
		struct reasons reasons;
		reasons_begin(&reasons);
		search.reasons = &reasons;
		for (uint32_t i = 0; i < s->c->index.node_count; i++)
			if (s->c->index.nodes[i]->record.now) {
				reasons.nodes++;
				search_fits(&search, s->c->index.nodes[i]);
			}
		reasons_text(&reasons, why);
		reasons_end(&reasons);
	}
	table_free(&zones);
	search_end(&search);
	return n;
}

/* ---- binding --------------------------------------------------------------------- */

static void forget(struct scheduler *s, struct waiting *w)
{
	table_remove(&s->waiting, w->key);
	free(w);
}

static struct waiting *waiting_find(const struct scheduler *s, const char *namespace,
				    const char *name)
{
	struct record *r = index_record(&s->c->index, KIND_POD, namespace, name);
	struct waiting **w = r ? table_find(&s->waiting, r->key) : NULL;
	return w ? *w : NULL;
}

static void wait(struct scheduler *s, const struct kube_pod *p)
{
	struct waiting *w = waiting_find(s, p->object.meta.namespace, p->object.meta.name);
	if (!w) {
		const char *key = index_record(&s->c->index, KIND_POD, p->object.meta.namespace,
					       p->object.meta.name)->key;
		w = mem_alloc(sizeof *w + strlen(key) + 1);
		memcpy(w->key, key, strlen(key) + 1);
		*(struct waiting **)table_put(&s->waiting, w->key, NULL) = w;
	}
	w->backoff_ns = w->backoff_ns ? 2 * w->backoff_ns : BACKOFF_FIRST;
	if (w->backoff_ns > BACKOFF_LAST)
		w->backoff_ns = BACKOFF_LAST;
	w->until_ns = control_now(s->c) + w->backoff_ns;
}

static void refuse(struct scheduler *s, const struct kube_pod *p, const char *why)
{
	const struct kube_condition *have =
		condition_find(&p->status.conditions, "PodScheduled");
	control_event(s->c, &p->object, true, "FailedScheduling", "default-scheduler", "%s", why);
	wait(s, p);
	if (have && kube_is(have->message, why))
		return;
	struct kube_pod *copy = pod_touch(p);
	condition_set(&copy->object, &copy->status.conditions, "PodScheduled", "False",
		      "Unschedulable", why, control_now(s->c));
	control_update(s->c, &copy->object, false);
}

static void bind(struct scheduler *s, const struct kube_pod *p, const struct node_record *n)
{
	struct waiting *w = waiting_find(s, p->object.meta.namespace, p->object.meta.name);
	struct kube_pod *copy = pod_touch(p);
	const char *node = n->record.now->meta.name;
	if (w)
		forget(s, w);
	copy->spec.node_name = kube_string(&copy->object, node);
	condition_set(&copy->object, &copy->status.conditions, "PodScheduled", "True", NULL, NULL,
		      control_now(s->c));
	control_event(s->c, &p->object, false, "Scheduled", "default-scheduler",
		      "Successfully assigned %s/%s to %s",
		      text_or(p->object.meta.namespace, "default"), p->object.meta.name, node);
	control_update(s->c, &copy->object, true);
}

/* Claims that wait for their first consumer learn the node now; the pod follows them. */
static bool claims_told(struct scheduler *s, const struct kube_pod *p, const struct node_record *n)
{
	bool all = true;
	for (uint32_t i = 0; i < p->spec.volumes.count; i++) {
		const char *name = p->spec.volumes.items[i].claim_name;
		if (!name ||
		    claim_state(s->c, p->object.meta.namespace, name) != CLAIM_WAITS_FOR_POD)
			continue;
		claim_select_node(s->c, p->object.meta.namespace, name, n->record.now->meta.name);
		all = false;
	}
	return all;
}

static void schedule(struct control *c, const char *namespace, const char *name)
{
	struct scheduler *s = c->scheduler;
	struct pod_record *r = index_pod(&c->index, namespace, name);
	if (!r)
		return;
	const struct kube_pod *p = (const struct kube_pod *)kube_ref(r->record.now);
	if (!p->spec.node_name && !p->object.meta.deletion_ns) {
		struct node_record *n = scheduler_pick(s, p, NULL);
		if (n && claims_told(s, p, n)) {
			bind(s, p, n);
		} else if (n) {
			wait(s, p);
		} else {
			struct strbuf why = { 0 };
			scheduler_pick(s, p, &why);
			refuse(s, p, strbuf_text(&why));
			strbuf_free(&why);
		}
	}
	kube_unref((struct kube_object *)&p->object);
}

/* ---- triggers -------------------------------------------------------------------- */

static int64_t delay(struct scheduler *s)
{
	return s->c->options.watch +
	       control_span(s->c, s->c->options.bind, 5 * s->c->options.bind);
}

static bool ours(const struct kube_pod *p)
{
	return kube_is(text_or(p->spec.scheduler_name, "default-scheduler"), "default-scheduler");
}

static bool gone(const struct kube_pod *old, const struct kube_pod *now)
{
	if (!old || !old->spec.node_name)
		return false;
	return !now || (pod_active(old) && !pod_active(now));
}

void scheduler_pod_changed(struct scheduler *s, const struct kube_pod *old,
			   const struct kube_pod *now)
{
	if (now && !now->spec.node_name && !now->object.meta.deletion_ns && ours(now) &&
	    !waiting_find(s, now->object.meta.namespace, now->object.meta.name) &&
	    !queue_has(&s->queue, now->object.meta.namespace, now->object.meta.name))
		queue_add(&s->queue, now->object.meta.namespace, now->object.meta.name, delay(s));
	if (s->waiting.count && gone(old, now))
		scheduler_wake(s);
}

static void wake(void *ctx)
{
	struct scheduler *s = ctx;
	void *value;
	s->wake = (struct event_id){ 0 };
	for (uint32_t i = 0; table_next(&s->waiting, &i, NULL, &value);) {
		struct waiting *w = *(struct waiting **)value;
		struct record **r = table_find(&s->c->index.records[KIND_POD], w->key);
		if (!r) {
			forget(s, w);
			continue;
		}
		int64_t left = w->until_ns - control_now(s->c);
		const struct kube_meta *m = &(*r)->now->meta;
		queue_add(&s->queue, m->namespace, m->name, left > 0 ? left : 0);
	}
}

void scheduler_wake(struct scheduler *s)
{
	if (!s->waiting.count || engine_pending(s->c->engine, s->wake))
		return;
	s->wake = engine_after(s->c->engine, control_reaction(s->c), wake, s);
}

uint32_t scheduler_busy(const struct scheduler *s)
{
	return s->queue.busy + (s->c->engine && engine_pending(s->c->engine, s->wake));
}

/* ---- life ------------------------------------------------------------------------ */

struct scheduler *scheduler_new(struct control *c)
{
	struct scheduler *s = mem_alloc(sizeof *s);
	s->c = c;
	queue_init(&s->queue, c, c->engine, PLACING, schedule);
	table_init(&s->waiting, TABLE_STRING_KEYS, sizeof(struct waiting *));
	return s;
}

void scheduler_stop(struct scheduler *s)
{
	void *value;
	queue_clear(&s->queue);
	if (s->c->engine)
		engine_cancel(s->c->engine, &s->wake);
	for (uint32_t i = 0; table_next(&s->waiting, &i, NULL, &value);)
		forget(s, *(struct waiting **)value);
}

void scheduler_free(struct scheduler *s)
{
	scheduler_stop(s);
	queue_free(&s->queue);
	table_free(&s->waiting);
	free(s->ties);
	free(s);
}
