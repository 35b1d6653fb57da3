/* kube/control/garbage.c: what follows its owner, and what waits for nobody any more.
 *
 * Work keys: "owner" and the uid of an object that is gone; "finalized" and
 * "kind|namespace|name" of one that is being deleted and has no finalizer left.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/internal.h"
#include "kube/schema.h"

static bool owner_alive(struct control *c, const struct kube_object *o, const struct kube_owner *w)
{
	const struct kind_schema *s = w->kind ? kube_schema_by_name(w->kind) : NULL;
	if (!s || !w->name)
		return false;
	const struct kube_object *owner = kube_store_get(
		c->store, s->kind, s->namespaced ? o->meta.namespace : NULL, w->name);
	return owner && kube_is(owner->meta.uid, w->uid);
}

static void collect(struct control *c, const struct kube_object *o)
{
	for (uint32_t i = 0; i < o->meta.owners.count; i++)
		if (owner_alive(c, o, &o->meta.owners.items[i]))
			return;
	control_delete_object(c, o, -1);
}

void garbage_orphan(struct control *c, const struct kube_object *owner)
{
	struct object_list l = { 0 };
	index_dependents(&c->index, text_or(owner->meta.uid, ""), &l);
	for (uint32_t i = 0; i < l.count; i++) {
		struct kube_object *copy = kube_copy(l.items[i]);
		uint32_t n = 0;
		for (uint32_t j = 0; j < copy->meta.owners.count; j++)
			if (!kube_is(copy->meta.owners.items[j].uid, owner->meta.uid))
				copy->meta.owners.items[n++] = copy->meta.owners.items[j];
		copy->meta.owners.count = n;
		l.items[i] = copy;
	}
	for (uint32_t i = 0; i < l.count; i++)
		control_update(c, (struct kube_object *)l.items[i], false);
	object_list_free(&l);
}

static void finalize(struct control *c, const char *key)
{
	char *text = mem_strdup(key), *rest = text;
	int kind = (int)strtol(rest, &rest, 10);
	char *namespace = *rest == '|' ? rest + 1 : rest, *name = strchr(namespace, '|');
	if (name && kind > KIND_NONE && kind < KIND_COUNT) {
		*name++ = '\0';
		const struct kube_object *o = kube_store_get(
			c->store, kind, kube_schema(kind)->namespaced ? namespace : NULL, name);
		if (o && o->meta.deletion_ns && !o->meta.finalizers.count)
			control_remove(c, o);
	}
	free(text);
}

void garbage_sync(struct control *c, const char *what, const char *key)
{
	if (kube_is(what, "finalized")) {
		finalize(c, key);
		return;
	}
	struct object_list l = { 0 };
	index_dependents(&c->index, key, &l);
	for (uint32_t i = 0; i < l.count; i++)
		kube_ref(l.items[i]);
	for (uint32_t i = 0; i < l.count; i++) {
		collect(c, l.items[i]);
		kube_unref((struct kube_object *)l.items[i]);
	}
	object_list_free(&l);
}

/* ---- namespaces ------------------------------------------------------------------ */

/* Deletes what is in the namespace; whether anything is left. */
static bool empty_namespace(struct control *c, const char *namespace)
{
	bool left = false;
	for (int kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
		const struct kind_schema *s = kube_schema(kind);
		const struct kube_object *o;
		if (!s || !s->namespaced)
			continue;
		for (uint32_t i = 0; (o = kube_store_next(c->store, kind, namespace, &i));) {
			left = left || kind != KIND_EVENT;
			if (!o->meta.deletion_ns)
				control_delete_object(c, o, -1);
		}
	}
	return left;
}

void namespace_sync(struct control *c, const char *namespace, const char *name)
{
	const struct kube_object *o = kube_store_get(c->store, KIND_NAMESPACE, NULL, name);
	(void)namespace;
	if (!o || !o->meta.deletion_ns)
		return;
	if (empty_namespace(c, name))
		queue_add(&c->queues[KIND_NAMESPACE], "", name, NS_PER_S);
	else
		control_remove(c, o);
}
