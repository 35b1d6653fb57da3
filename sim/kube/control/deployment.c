/* kube/control/deployment.c: one sync of a Deployment: its sets, and who grows or shrinks. */
#include "kube/control/deployment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

/* ---- numbers --------------------------------------------------------------------- */

static int64_t amount(const struct int_or_string *v, int64_t of, bool up)
{
	if (v->kind == 'i')
		return v->number;
	int64_t percent = v->kind == 's' && v->string ? strtol(v->string, NULL, 10) : 25;
	return up ? (of * percent + 99) / 100 : of * percent / 100;
}

void rollout_limits(const struct kube_deployment *d, int64_t *surge, int64_t *unavailable)
{
	int64_t replicas = d->spec.replicas.set ? d->spec.replicas.value : 1;
	if (kube_is(d->spec.strategy, "Recreate")) {
		*surge = 0;
		*unavailable = 0;
		return;
	}
	*surge = amount(&d->spec.max_surge, replicas, true);
	*unavailable = amount(&d->spec.max_unavailable, replicas, false);
	if (!*surge && !*unavailable)
		*unavailable = 1;
	if (*unavailable > replicas)
		*unavailable = replicas;
}

int64_t set_revision(const struct kube_object *o)
{
	const char *text = kube_map_get(&o->meta.annotations, REVISION);
	return text ? strtoll(text, NULL, 10) : 0;
}

bool set_is_old(const struct rollout *r, const struct set_view *v)
{
	return v != r->newest;
}

static int64_t sum(const struct rollout *r)
{
	int64_t all = 0;
	for (uint32_t i = 0; i < r->count; i++)
		all += r->sets[i].replicas;
	return all;
}

/* ---- sets ------------------------------------------------------------------------ */

static void number_set(struct kube_object *o, const char *key, int64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)value);
	kube_map_set(o, &o->meta.annotations, key, text);
}

static void size_annotations(const struct rollout *r, struct kube_object *o)
{
	number_set(o, DESIRED_REPLICAS, r->replicas);
	number_set(o, MAX_REPLICAS, r->replicas + r->surge);
}

static void view_replace(struct set_view *v, struct control *c)
{
	const struct kube_object *o = &v->set->object;
	const struct kube_object *now =
		kube_store_get(c->store, o->kind, o->meta.namespace, o->meta.name);
	if (now) {
		kube_ref(now);
		kube_unref((struct kube_object *)o);
		v->set = (const struct kube_replica_set *)now;
	}
}

bool set_scale(struct rollout *r, struct set_view *v, int64_t replicas)
{
	if (v->replicas == replicas)
		return false;
	struct kube_replica_set *copy =
		(struct kube_replica_set *)object_touch(&v->set->object);
	copy->spec.replicas = (struct opt_int){ true, replicas };
	size_annotations(r, &copy->object);
	control_update(r->c, &copy->object, true);
	control_event(r->c, &r->d->object, false, "ScalingReplicaSet", "deployment-controller",
		      "Scaled %s replica set %s from %lld to %lld",
		      replicas > v->replicas ? "up" : "down", v->set->object.meta.name,
		      (long long)v->replicas, (long long)replicas);
	v->replicas = replicas;
	view_replace(v, r->c);
	return true;
}

static int by_creation(const void *a, const void *b)
{
	const struct kube_object *p = *(const struct kube_object *const *)a;
	const struct kube_object *q = *(const struct kube_object *const *)b;
	if (p->meta.creation_ns != q->meta.creation_ns)
		return p->meta.creation_ns < q->meta.creation_ns ? -1 : 1;
	return strcmp(p->meta.name, q->meta.name);
}

static void read_sets(struct rollout *r)
{
	struct object_list owned = { 0 };
	index_owned(&r->c->index, r->d->object.meta.uid, KIND_REPLICA_SET, &owned);
	if (owned.count > 1)
		qsort(owned.items, owned.count, sizeof *owned.items, by_creation);
	r->sets = mem_array(owned.count + 1, sizeof *r->sets); /* room for a new one */
	uint64_t digest = template_digest(r->c, &r->d->object, &r->d->spec.template);
	for (uint32_t i = 0; i < owned.count; i++) {
		const struct kube_replica_set *set = (const void *)kube_ref(owned.items[i]);
		struct set_view *v = &r->sets[r->count++];
		v->set = set;
		v->replicas = set->spec.replicas.set ? set->spec.replicas.value : 1;
		if (!r->newest &&
		    template_digest(r->c, &set->object, &set->spec.template) == digest)
			r->newest = v;
	}
	object_list_free(&owned);
}

/* The size a new set gets now: what surge leaves, at most what is missing. */
static int64_t new_size(const struct rollout *r, int64_t have)
{
	if (kube_is(r->d->spec.strategy, "Recreate"))
		return r->replicas;
	int64_t room = r->replicas + r->surge - sum(r);
	if (room <= 0)
		return have;
	return have + (room < r->replicas - have ? room : r->replicas - have);
}

static void copy_annotations(struct kube_object *to, const struct kube_object *from)
{
	for (uint32_t i = 0; i < from->meta.annotations.count; i++) {
		const struct kube_pair *p = &from->meta.annotations.items[i];
		if (strcmp(p->key, LAST_APPLIED) != 0 && strcmp(p->key, REVISION) != 0 &&
		    strcmp(p->key, REVISION_HISTORY) != 0 &&
		    strcmp(p->key, DESIRED_REPLICAS) != 0 && strcmp(p->key, MAX_REPLICAS) != 0)
			kube_map_set(to, &to->meta.annotations, p->key, p->value);
	}
}

static void note_revision(struct rollout *r, int64_t revision)
{
	snprintf(r->revision, sizeof r->revision, "%lld", (long long)revision);
}

/* The existing set gets the next number; its old one goes to its history. */
static void renumber(struct rollout *r, int64_t revision)
{
	const struct kube_object *o = &r->newest->set->object;
	if (set_revision(o) >= revision) {
		note_revision(r, set_revision(o));
		return;
	}
	struct kube_object *copy = object_touch(o);
	const char *old = kube_map_get(&o->meta.annotations, REVISION);
	const char *history = kube_map_get(&o->meta.annotations, REVISION_HISTORY);
	if (old) {
		struct strbuf text = { 0 };
		if (history && *history)
			strbuf_printf(&text, "%s,", history);
		strbuf_puts(&text, old);
		kube_map_set(copy, &copy->meta.annotations, REVISION_HISTORY, strbuf_text(&text));
		strbuf_free(&text);
	}
	copy_annotations(copy, &r->d->object);
	number_set(copy, REVISION, revision);
	note_revision(r, revision);
	control_update(r->c, copy, false);
	view_replace(r->newest, r->c);
}

static int create_set(struct rollout *r, int64_t revision)
{
	struct control *c = r->c;
	struct kube_replica_set *set = (struct kube_replica_set *)kube_new(KIND_REPLICA_SET);
	struct kube_object *o = &set->object;
	const struct kube_meta *m = &r->d->object.meta;
	char hash[16], name[300];
	struct err err;
	template_name_hash(hash, template_digest(c, &r->d->object, &r->d->spec.template),
		  r->d->status.collision_count.value);
	snprintf(name, sizeof name, "%.240s-%s", m->name, hash);
	o->meta.name = kube_string(o, name);
	o->meta.namespace = kube_string(o, text_or(m->namespace, "default"));
	template_share(o, &set->spec.template, &r->d->object, &r->d->spec.template);
	kube_map_set(o, &set->spec.template.meta.labels, HASH_LABEL, hash);
	o->meta.labels = set->spec.template.meta.labels;
	map_own(o, &o->meta.labels);
	set->spec.selector = r->d->spec.selector;
	set->spec.selector.set = true;
	map_own(o, &set->spec.selector.match_labels);
	kube_map_set(o, &set->spec.selector.match_labels, HASH_LABEL, hash);
	set->spec.min_ready_s = r->d->spec.min_ready_s;
	set->spec.replicas = (struct opt_int){ true, new_size(r, 0) };
	int64_t size = set->spec.replicas.value;
	copy_annotations(o, &r->d->object);
	number_set(o, REVISION, revision);
	size_annotations(r, o);
	owner_add(o, &r->d->object, true);
	struct kube_object *whole = kube_copy(o); /* does not hang on the Deployment's memory */
	kube_unref(o);
	int error = control_create(c, whole, &err);
	if (error) {
		control_event(c, &r->d->object, true, "ReplicaSetCreateError",
			      "deployment-controller",
			      "Failed to create new replica set \"%s\": %s", name, err.text);
		return error;
	}
	r->newest = &r->sets[r->count++];
	r->newest->set = (const void *)kube_ref(
		kube_store_get(c->store, KIND_REPLICA_SET, m->namespace, name));
	r->newest->replicas = size;
	r->created = r->newest->set->object.meta.name;
	note_revision(r, revision);
	if (size)
		control_event(c, &r->d->object, false, "ScalingReplicaSet", "deployment-controller",
			      "Scaled up replica set %s from 0 to %lld", name, (long long)size);
	return 0;
}

/* Finds the set of the current template and numbers it, or makes it. */
static int need_newest(struct rollout *r, bool create)
{
	int64_t revision = 0;
	for (uint32_t i = 0; i < r->count; i++)
		if (set_is_old(r, &r->sets[i]) && set_revision(&r->sets[i].set->object) > revision)
			revision = set_revision(&r->sets[i].set->object);
	r->found = r->newest != NULL;
	if (r->newest) {
		renumber(r, revision + 1);
		return 0;
	}
	return create ? create_set(r, revision + 1) : 0;
}

/* ---- rolling update -------------------------------------------------------------- */

static bool grow_newest(struct rollout *r)
{
	if (r->newest->replicas > r->replicas)
		return set_scale(r, r->newest, r->replicas);
	return set_scale(r, r->newest, new_size(r, r->newest->replicas));
}

/* Pods that are not available anyway go first. */
static int64_t shrink_unhealthy(struct rollout *r, int64_t room)
{
	int64_t done = 0;
	for (uint32_t i = 0; i < r->count && done < room; i++) {
		struct set_view *v = &r->sets[i];
		int64_t bad = v->replicas - v->set->status.available;
		if (!set_is_old(r, v) || !v->replicas || bad <= 0)
			continue;
		if (bad > room - done)
			bad = room - done;
		set_scale(r, v, v->replicas - bad);
		done += bad;
	}
	return done;
}

static int64_t shrink_healthy(struct rollout *r)
{
	int64_t available = 0, done = 0;
	for (uint32_t i = 0; i < r->count; i++)
		available += r->sets[i].set->status.available;
	int64_t room = available - (r->replicas - r->unavailable);
	for (uint32_t i = 0; i < r->count && done < room; i++) {
		struct set_view *v = &r->sets[i];
		if (!set_is_old(r, v) || !v->replicas)
			continue;
		int64_t n = v->replicas < room - done ? v->replicas : room - done;
		set_scale(r, v, v->replicas - n);
		done += n;
	}
	return done;
}

static bool shrink_old(struct rollout *r)
{
	int64_t all = sum(r);
	if (all == r->newest->replicas)
		return false;
	int64_t room = all - (r->replicas - r->unavailable) -
		       (r->newest->replicas - r->newest->set->status.available);
	if (room <= 0)
		return false;
	int64_t done = shrink_unhealthy(r, room);
	return shrink_healthy(r) + done > 0;
}

/* ---- Recreate -------------------------------------------------------------------- */

static bool old_pods_left(struct rollout *r)
{
	bool left = false;
	for (uint32_t i = 0; i < r->count && !left; i++) {
		struct object_list pods = { 0 };
		if (!set_is_old(r, &r->sets[i]))
			continue;
		index_owned(&r->c->index, r->sets[i].set->object.meta.uid, KIND_POD, &pods);
		for (uint32_t j = 0; j < pods.count; j++) {
			const struct kube_pod *p = (const struct kube_pod *)pods.items[j];
			left = left || (!kube_is(p->status.phase, "Failed") &&
					!kube_is(p->status.phase, "Succeeded"));
		}
		object_list_free(&pods);
	}
	return left;
}

static void recreate(struct rollout *r)
{
	bool scaled = false;
	need_newest(r, false);
	for (uint32_t i = 0; i < r->count; i++)
		if (set_is_old(r, &r->sets[i]))
			scaled = set_scale(r, &r->sets[i], 0) || scaled;
	if (scaled || old_pods_left(r))
		return;
	if (!r->newest && need_newest(r, true))
		return;
	if (!set_scale(r, r->newest, r->replicas) && rollout_complete(r->d))
		rollout_clean_up(r);
}

static void roll(struct rollout *r)
{
	if (need_newest(r, true))
		return;
	if (grow_newest(r) || shrink_old(r))
		return;
	if (rollout_complete(r->d))
		rollout_clean_up(r);
}

void deployment_sync(struct control *c, const char *namespace, const char *name)
{
	const struct kube_object *o = kube_store_get(c->store, KIND_DEPLOYMENT, namespace, name);
	if (!o || o->meta.deletion_ns)
		return;
	struct rollout r = { .c = c, .d = (const void *)kube_ref(o) };
	r.replicas = r.d->spec.replicas.set ? r.d->spec.replicas.value : 1;
	rollout_limits(r.d, &r.surge, &r.unavailable);
	read_sets(&r);
	if (r.d->spec.paused == TRI_TRUE || rollout_needs_scaling(&r)) {
		need_newest(&r, false);
		rollout_rescale(&r);
	} else if (kube_is(r.d->spec.strategy, "Recreate")) {
		recreate(&r);
	} else {
		roll(&r);
	}
	rollout_write_status(&r);
	for (uint32_t i = 0; i < r.count; i++)
		kube_unref((struct kube_object *)&r.sets[i].set->object);
	free(r.sets);
	kube_unref((struct kube_object *)o);
}
