/* kube/control/stateful_revision.c: the history of a StatefulSet's template. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/control/statefulset.h"

#define HASH "controller.kubernetes.io/hash"

static const struct kube_controller_revision *at(const struct stateful *s, uint32_t i)
{
	return (const struct kube_controller_revision *)s->revisions.items[i];
}

static int by_number(const void *a, const void *b)
{
	const struct kube_controller_revision *p =
		*(const struct kube_controller_revision *const *)a;
	const struct kube_controller_revision *q =
		*(const struct kube_controller_revision *const *)b;
	if (p->revision != q->revision)
		return p->revision < q->revision ? -1 : 1;
	return strcmp(p->object.meta.name, q->object.meta.name);
}

static const struct kube_controller_revision *stored(struct stateful *s, const char *name)
{
	const struct kube_object *o = kube_store_get(s->c->store, KIND_CONTROLLER_REVISION,
						     s->set->object.meta.namespace, name);
	return o ? (const struct kube_controller_revision *)kube_ref(o) : NULL;
}

/* The name that a set read from a cluster already gave this template. */
static const char *known_name(const struct stateful *s)
{
	const struct kube_stateful_set *set = s->set;
	if (s->revisions.count || !set->status.update_revision ||
	    set->status.observed_generation != set->object.meta.generation)
		return NULL;
	return set->status.update_revision;
}

static const struct kube_controller_revision *create(struct stateful *s, int64_t number)
{
	struct kube_controller_revision *r =
		(struct kube_controller_revision *)kube_new(KIND_CONTROLLER_REVISION);
	struct kube_object *o = &r->object;
	const struct kube_meta *m = &s->set->object.meta;
	const char *known = known_name(s);
	char hash[16], name[300];
	template_name_hash(hash, template_digest(s->c, &s->set->object, &s->set->spec.template),
		  s->set->status.collision_count.value);
	snprintf(name, sizeof name, "%.223s-%s", m->name, hash);
	if (known)
		snprintf(name, sizeof name, "%.250s", known);
	o->meta.name = kube_string(o, name);
	o->meta.namespace = kube_string(o, text_or(m->namespace, "default"));
	template_share(o, &r->template, &s->set->object, &s->set->spec.template);
	for (uint32_t i = 0; i < s->set->spec.selector.match_labels.count; i++)
		kube_map_set(o, &o->meta.labels, s->set->spec.selector.match_labels.items[i].key,
			     s->set->spec.selector.match_labels.items[i].value);
	kube_map_set(o, &o->meta.labels, HASH, hash);
	owner_add(o, &s->set->object, true);
	r->revision = number;
	int error = control_create(s->c, o, NULL);
	return error ? NULL : stored(s, name);
}

/* A template that comes back gets the next number: the newest is the one in use. */
static const struct kube_controller_revision *renumber(struct stateful *s,
						       const struct kube_controller_revision *r,
						       int64_t number)
{
	struct kube_controller_revision *copy =
		(struct kube_controller_revision *)kube_copy(&r->object);
	copy->revision = number;
	control_update(s->c, &copy->object, false);
	return stored(s, r->object.meta.name);
}

bool revisions_read(struct stateful *s)
{
	index_owned(&s->c->index, s->set->object.meta.uid, KIND_CONTROLLER_REVISION, &s->revisions);
	if (s->revisions.count > 1)
		qsort(s->revisions.items, s->revisions.count, sizeof *s->revisions.items,
		      by_number);
	for (uint32_t i = 0; i < s->revisions.count; i++)
		kube_ref(s->revisions.items[i]);
	uint64_t digest = template_digest(s->c, &s->set->object, &s->set->spec.template);
	const struct kube_controller_revision *equal = NULL;
	int64_t last = 0;
	for (uint32_t i = 0; i < s->revisions.count; i++) {
		const struct kube_controller_revision *r = at(s, i);
		last = r->revision;
		if (template_digest(s->c, &r->object, &r->template) == digest)
			equal = r;
	}
	if (equal && equal->revision == last)
		s->update = (const struct kube_controller_revision *)kube_ref(&equal->object);
	else
		s->update = equal ? renumber(s, equal, last + 1) : create(s, last + 1);
	if (!s->update)
		return false;
	if (s->set->status.current_revision)
		s->current = stored(s, s->set->status.current_revision);
	if (!s->current)
		s->current = (const struct kube_controller_revision *)kube_ref(&s->update->object);
	return true;
}

void revisions_release(struct stateful *s)
{
	for (uint32_t i = 0; i < s->revisions.count; i++)
		kube_unref((struct kube_object *)s->revisions.items[i]);
	object_list_free(&s->revisions);
	kube_unref((struct kube_object *)s->current);
	kube_unref((struct kube_object *)s->update);
}

const struct kube_controller_revision *revision_for(const struct stateful *s, int64_t ordinal)
{
	if (kube_is(s->set->spec.update_strategy, "OnDelete"))
		return s->update;
	int64_t place = ordinal - s->set->spec.ordinals_start.value;
	return place < s->set->spec.partition.value ? s->current : s->update;
}

static bool in_use(const struct stateful *s, const struct kube_controller_revision *r)
{
	if (kube_is(r->object.meta.name, s->current->object.meta.name) ||
	    kube_is(r->object.meta.name, s->update->object.meta.name))
		return true;
	for (uint32_t i = 0; i < s->replica_count; i++)
		if (s->replicas[i].pod && pod_at_revision(s->replicas[i].pod, r))
			return true;
	for (uint32_t i = 0; i < s->condemned_count; i++)
		if (pod_at_revision(s->condemned[i].pod, r))
			return true;
	return false;
}

void revisions_truncate(struct stateful *s)
{
	int64_t limit = s->set->spec.revision_history_limit.set
				? s->set->spec.revision_history_limit.value : 10;
	int64_t unused = 0;
	for (uint32_t i = 0; i < s->revisions.count; i++)
		unused += !in_use(s, at(s, i));
	for (uint32_t i = 0; i < s->revisions.count && unused > limit; i++) {
		if (in_use(s, at(s, i)))
			continue;
		control_remove(s->c, s->revisions.items[i]);
		unused--;
	}
}
