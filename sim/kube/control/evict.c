/* kube/control/evict.c: pods on nodes with NoExecute taints.
 *
 * A pod that does not tolerate a taint goes at once; one that tolerates all for a time
 * goes after the shortest of these; taken off in time, the taint spares it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/lifecycle.h"

#define COMPONENT "taint-eviction-controller"

struct eviction {
	struct lifecycle *l;
	struct event_id event;
	char *namespace, *name, *uid;
	char key[];
};

static void eviction_free(struct eviction *e)
{
	engine_cancel(e->l->c->engine, &e->event);
	table_remove(&e->l->evictions, e->key);
	free(e->namespace);
	free(e->name);
	free(e->uid);
	free(e);
}

void evictions_clear(struct lifecycle *l)
{
	void *value;
	for (uint32_t i = 0; table_next(&l->evictions, &i, NULL, &value);)
		eviction_free(*(struct eviction **)value);
}

static struct eviction *find(const struct lifecycle *l, const struct kube_pod *p)
{
	struct strbuf key = { 0 };
	strbuf_printf(&key, "%s/%s", text_or(p->object.meta.namespace, ""), p->object.meta.name);
	struct eviction **found = table_find(&l->evictions, strbuf_text(&key));
	strbuf_free(&key);
	return found ? *found : NULL;
}

static void evict(struct lifecycle *l, const struct kube_pod *p)
{
	struct control *c = l->c;
	struct kube_pod *copy = pod_touch(p);
	control_event(c, &p->object, false, "TaintManagerEviction", COMPONENT,
		      "Marking for deletion Pod %s/%s",
		      text_or(p->object.meta.namespace, "default"), p->object.meta.name);
	condition_set(&copy->object, &copy->status.conditions, "DisruptionTarget", "True",
		      "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint",
		      control_now(c));
	const struct kube_object *o = &copy->object;
	kube_ref(o);
	if (control_update(c, &copy->object, false) == 0)
		control_delete_object(c, o, -1);
	kube_unref((struct kube_object *)o);
}

static void due(void *ctx)
{
	struct eviction *e = ctx;
	struct lifecycle *l = e->l;
	const struct kube_object *o =
		kube_store_get(l->c->store, KIND_POD, e->namespace, e->name);
	bool same = o && kube_is(o->meta.uid, e->uid) && !o->meta.deletion_ns;
	eviction_free(e);
	if (same)
		evict(l, (const struct kube_pod *)o);
}

/* Shortest time that the pod bears all NoExecute taints; INT64_MAX: for ever. */
static int64_t patience(const struct kube_node *n, const struct kube_pod *p)
{
	int64_t least = INT64_MAX;
	for (uint32_t i = 0; i < n->spec.taints.count; i++) {
		const struct kube_taint *taint = &n->spec.taints.items[i];
		if (!kube_is(taint->effect, "NoExecute"))
			continue;
		if (!pod_tolerates(&p->spec, taint))
			return 0;
		for (uint32_t j = 0; j < p->spec.tolerations.count; j++) {
			struct kube_pod_spec one = { 0 };
			const struct kube_toleration *t = &p->spec.tolerations.items[j];
			one.tolerations.items = p->spec.tolerations.items + j;
			one.tolerations.count = 1;
			if (!t->seconds.set || !pod_tolerates(&one, taint))
				continue;
			int64_t s = t->seconds.value > 0 ? t->seconds.value : 0;
			if (s * NS_PER_S < least)
				least = s * NS_PER_S;
		}
	}
	return least;
}

static bool has_no_execute(const struct kube_node *n)
{
	for (uint32_t i = 0; i < n->spec.taints.count; i++)
		if (kube_is(n->spec.taints.items[i].effect, "NoExecute"))
			return true;
	return false;
}

static void plan(struct lifecycle *l, const struct kube_pod *p, int64_t after_ns)
{
	const char *namespace = text_or(p->object.meta.namespace, ""), *name = p->object.meta.name;
	size_t size = strlen(namespace) + strlen(name) + 2;
	struct eviction *e = mem_alloc(sizeof *e + size);
	memcpy(e->key, namespace, strlen(namespace));
	e->key[strlen(namespace)] = '/';
	memcpy(e->key + strlen(namespace) + 1, name, strlen(name) + 1);
	e->l = l;
	e->namespace = mem_strdup(namespace);
	e->name = mem_strdup(name);
	e->uid = mem_strdup(p->object.meta.uid);
	*(struct eviction **)table_put(&l->evictions, e->key, NULL) = e;
	e->event = engine_after(l->c->engine, after_ns, due, e);
}

static void look(struct lifecycle *l, const struct kube_node *n, const struct kube_pod *p)
{
	struct eviction *e = find(l, p);
	if (!n || !has_no_execute(n) || p->object.meta.deletion_ns) {
		if (e && !p->object.meta.deletion_ns)
			control_event(l->c, &p->object, false, "TaintManagerEviction", COMPONENT,
				      "Cancelling deletion of Pod %s/%s", e->namespace, e->name);
		if (e)
			eviction_free(e);
		return;
	}
	int64_t after = patience(n, p);
	if (after == INT64_MAX || (e && after > 0))
		return; /* the clock of the first taint runs on */
	if (e)
		eviction_free(e);
	plan(l, p, after + control_reaction(l->c));
}

void evictions_node_changed(struct lifecycle *l, const struct kube_node *now)
{
	if (!has_no_execute(now) && !l->evictions.count)
		return;
	struct node_record *r = index_node(&l->c->index, now->object.meta.name);
	struct pod_record *p;
	TAILQ_FOREACH(p, &r->pods, on_node)
		look(l, now, (const struct kube_pod *)p->record.now);
}

void evictions_pod_changed(struct lifecycle *l, const struct kube_pod *old,
			   const struct kube_pod *now)
{
	if (!now) {
		struct eviction *e = l->evictions.count ? find(l, old) : NULL;
		if (e)
			eviction_free(e);
		return;
	}
	if (!now->spec.node_name ||
	    (old && old->spec.node_name &&
	     !old->object.meta.deletion_ns == !now->object.meta.deletion_ns))
		return;
	const struct kube_node *n = life_node(l, now->spec.node_name);
	if (n && (has_no_execute(n) || l->evictions.count))
		look(l, n, now);
}

void evict_by_force(struct lifecycle *l, const char *node, bool all)
{
	struct control *c = l->c;
	struct node_record *r = index_node(&c->index, node);
	struct object_list pods = { 0 };
	struct pod_record *p;
	if (!r)
		return;
	TAILQ_FOREACH(p, &r->pods, on_node)
		object_list_add(&pods, kube_ref(p->record.now));
	for (uint32_t i = 0; i < pods.count; i++) {
		const struct kube_pod *pod = (const struct kube_pod *)pods.items[i];
		struct kube_taint taint = { .key = "node.kubernetes.io/out-of-service",
					    .effect = "NoExecute" };
		if (all || !pod_tolerates(&pod->spec, &taint))
			control_delete_object(c, &pod->object, 0);
		kube_unref((struct kube_object *)&pod->object);
	}
	object_list_free(&pods);
}
