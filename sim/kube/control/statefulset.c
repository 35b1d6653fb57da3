/* kube/control/statefulset.c: one sync of a StatefulSet.
 *
 * Creation comes before scaling down, scaling down before updating; with OrderedReady
 * each of them ends the pass at the first pod that is not as it should be. Hence the
 * trap that a template is not rolled back while a broken pod blocks the first step.
 */
#include "kube/control/statefulset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define COMPONENT "statefulset-controller"

/* ---- pods ------------------------------------------------------------------------ */

static int64_t ordinal_of(const struct kube_stateful_set *set, const char *name)
{
	size_t n = strlen(set->object.meta.name);
	if (strncmp(name, set->object.meta.name, n) != 0 || name[n] != '-')
		return -1;
	const char *digits = name + n + 1;
	size_t count = strspn(digits, "0123456789");
	if (!count || count > 9 || digits[count] || (digits[0] == '0' && count > 1))
		return -1;
	return strtoll(digits, NULL, 10);
}

static bool finished(const struct kube_pod *p)
{
	return kube_is(p->status.phase, "Failed") || kube_is(p->status.phase, "Succeeded");
}

static bool running_ready(const struct kube_pod *p)
{
	return kube_is(p->status.phase, "Running") && pod_ready(p);
}

bool place_healthy(const struct place *p)
{
	return p->pod && !p->deleted && running_ready(p->pod) && !p->pod->object.meta.deletion_ns;
}

bool place_available(struct stateful *s, const struct place *p)
{
	int64_t wait;
	if (!p->pod || !running_ready(p->pod))
		return false;
	if (pod_available(s->c, p->pod, s->set->spec.min_ready_s.value, &wait))
		return true;
	if (wait && (!s->wait_ns || wait < s->wait_ns))
		s->wait_ns = wait;
	return false;
}

bool pod_at_revision(const struct kube_pod *p, const struct kube_controller_revision *r)
{
	return kube_is(kube_map_get(&p->object.meta.labels, "controller-revision-hash"),
		       r->object.meta.name);
}

static int by_ordinal_down(const void *a, const void *b)
{
	const struct place *p = a, *q = b;
	return (p->ordinal < q->ordinal) - (p->ordinal > q->ordinal);
}

static void split_pods(struct stateful *s)
{
	struct object_list pods = { 0 };
	int64_t start = s->set->spec.ordinals_start.value;
	int64_t n = s->set->spec.replicas.set ? s->set->spec.replicas.value : 1;
	index_owned(&s->c->index, s->set->object.meta.uid, KIND_POD, &pods);
	s->replica_count = (uint32_t)n;
	s->replicas = mem_array((size_t)n + 1, sizeof *s->replicas);
	s->condemned = mem_array(pods.count + 1, sizeof *s->condemned);
	for (int64_t i = 0; i < n; i++)
		s->replicas[i].ordinal = start + i;
	for (uint32_t i = 0; i < pods.count; i++) {
		int64_t ordinal = ordinal_of(s->set, pods.items[i]->meta.name);
		if (ordinal < 0)
			continue;
		const struct kube_pod *p = (const struct kube_pod *)kube_ref(pods.items[i]);
		s->pod_count++;
		if (ordinal >= start && ordinal < start + n)
			s->replicas[ordinal - start].pod = p;
		else
			s->condemned[s->condemned_count++] =
				(struct place){ .pod = p, .ordinal = ordinal };
	}
	if (s->condemned_count > 1)
		qsort(s->condemned, s->condemned_count, sizeof *s->condemned, by_ordinal_down);
	object_list_free(&pods);
}

static void put_volumes(const struct stateful *s, struct kube_pod *p, int64_t ordinal)
{
	uint32_t n = s->set->spec.claims.count, have = p->spec.volumes.count, count = 0;
	struct kube_volume *items = arena_array(p->object.arena, n + have + 1, sizeof *items);
	for (uint32_t i = 0; i < n; i++) {
		const struct kube_pvc_template *t = &s->set->spec.claims.items[i];
		char claim[300];
		claim_name(s, t, ordinal, claim);
		items[count++] = (struct kube_volume){
			.name = kube_string(&p->object, t->meta.name),
			.claim_name = kube_string(&p->object, claim),
		};
	}
	for (uint32_t i = 0; i < have; i++) {
		bool replaced = false;
		for (uint32_t j = 0; j < n; j++)
			replaced =
			    replaced || kube_is(p->spec.volumes.items[i].name, items[j].name);
		if (!replaced)
			items[count++] = p->spec.volumes.items[i];
	}
	p->spec.volumes.items = items;
	p->spec.volumes.count = count;
}

static void create_pod(struct stateful *s, struct place *place)
{
	const struct kube_controller_revision *r = revision_for(s, place->ordinal);
	const struct kube_meta *m = &s->set->object.meta;
	struct kube_pod *p = pod_from_template(s->c, &r->template, &r->object, &s->set->object);
	struct kube_object *o = &p->object;
	struct err err;
	char name[300], index[24];
	snprintf(index, sizeof index, "%lld", (long long)place->ordinal);
	snprintf(name, sizeof name, "%.253s-%s", m->name, index);
	o->meta.name = kube_string(o, name);
	kube_map_set(o, &o->meta.labels, "statefulset.kubernetes.io/pod-name", name);
	kube_map_set(o, &o->meta.labels, "apps.kubernetes.io/pod-index", index);
	kube_map_set(o, &o->meta.labels, "controller-revision-hash", r->object.meta.name);
	p->spec.hostname = kube_string(o, name);
	p->spec.subdomain = kube_string(o, s->set->spec.service_name);
	put_volumes(s, p, place->ordinal);
	if (control_create(s->c, o, &err) == 0) {
		control_event(s->c, &s->set->object, false, "SuccessfulCreate", COMPONENT,
			      "create Pod %s in StatefulSet %s successful", name, m->name);
		place->pod = (const struct kube_pod *)kube_ref(
			kube_store_get(s->c->store, KIND_POD, m->namespace, name));
	} else {
		control_event(s->c, &s->set->object, true, "FailedCreate", COMPONENT,
			      "create Pod %s in StatefulSet %s failed error: %s", name, m->name,
			      err.text);
		queue_add(&s->c->queues[KIND_STATEFUL_SET], m->namespace, m->name, NS_PER_S);
	}
}

static void delete_pod(struct stateful *s, struct place *place)
{
	place->deleted = true;
	control_event(s->c, &s->set->object, false, "SuccessfulDelete", COMPONENT,
		      "delete Pod %s in StatefulSet %s successful", place->pod->object.meta.name,
		      s->set->object.meta.name);
	control_delete_object(s->c, &place->pod->object, -1);
}

/* ---- the three steps ------------------------------------------------------------- */

/* False: the pass ends here. */
static bool keep_replica(struct stateful *s, struct place *p, bool ordered)
{
	if (p->pod && finished(p->pod)) {
		if (!p->pod->object.meta.deletion_ns)
			delete_pod(s, p);
		return !ordered;
	}
	if (!p->pod) {
		if (!claims_create(s, p->ordinal, NULL))
			return !ordered;
		create_pod(s, p);
		return !ordered;
	}
	if (kube_is(p->pod->status.phase, "Pending"))
		claims_create(s, p->ordinal, p->pod);
	if (!ordered)
		return true;
	return place_healthy(p) && place_available(s, p);
}

/* The lowest bad replica, else the lowest bad condemned pod. */
static const struct place *first_unhealthy(const struct stateful *s)
{
	for (uint32_t i = 0; i < s->replica_count; i++)
		if (!place_healthy(&s->replicas[i]))
			return &s->replicas[i];
	for (uint32_t i = s->condemned_count; i-- > 0;)
		if (!place_healthy(&s->condemned[i]))
			return &s->condemned[i];
	return NULL;
}

static bool scale_down(struct stateful *s, bool ordered, const struct place *bad)
{
	for (uint32_t i = 0; i < s->condemned_count; i++) {
		struct place *p = &s->condemned[i];
		if (p->pod->object.meta.deletion_ns) {
			if (ordered)
				return false;
			continue;
		}
		bool well = place_healthy(p) && place_available(s, p);
		if (ordered && !well && p != bad)
			return false;
		claims_condemn(s, p->pod);
		delete_pod(s, p);
		if (ordered)
			return false;
	}
	return true;
}

/* maxUnavailable counts over all replicas; as many as it leaves are deleted at once. */
static void update_several(struct stateful *s, int64_t partition, int64_t limit)
{
	int64_t bad = 0;
	for (uint32_t i = 0; i < s->replica_count; i++)
		bad += !place_healthy(&s->replicas[i]) || !place_available(s, &s->replicas[i]);
	for (uint32_t i = s->replica_count; i-- > 0 && bad < limit;) {
		struct place *p = &s->replicas[i];
		if ((int64_t)i < partition)
			return;
		if (!p->pod || p->pod->object.meta.deletion_ns ||
		    pod_at_revision(p->pod, s->update))
			continue;
		delete_pod(s, p);
		bad++;
	}
}

static int64_t max_unavailable(const struct stateful *s)
{
	const struct int_or_string *v = &s->set->spec.max_unavailable;
	int64_t n = s->replica_count, limit = 1;
	if (v->kind == 'i')
		limit = v->number;
	else if (v->kind == 's' && v->string)
		limit = (n * strtol(v->string, NULL, 10) + 99) / 100;
	return limit > 1 ? limit : 1;
}

static void update(struct stateful *s)
{
	int64_t partition = s->set->spec.partition.value;
	if (s->set->spec.max_unavailable.kind) {
		update_several(s, partition, max_unavailable(s));
		return;
	}
	for (uint32_t i = s->replica_count; i-- > 0;) {
		struct place *p = &s->replicas[i];
		if ((int64_t)i < partition)
			return;
		bool old = p->pod && !pod_at_revision(p->pod, s->update);
		if (old && !p->pod->object.meta.deletion_ns) {
			delete_pod(s, p);
			return;
		}
		if (!place_healthy(p) || !place_available(s, p))
			return;
	}
}

static void act(struct stateful *s)
{
	bool ordered = !kube_is(s->set->spec.pod_management_policy, "Parallel");
	const struct place *bad = first_unhealthy(s);
	for (uint32_t i = 0; i < s->replica_count; i++)
		if (!keep_replica(s, &s->replicas[i], ordered))
			return;
	if (!scale_down(s, ordered, bad))
		return;
	if (!kube_is(s->set->spec.update_strategy, "OnDelete"))
		update(s);
}

/* ---- status ---------------------------------------------------------------------- */

static void count(struct stateful *s, struct kube_stateful_set *set, const struct place *p)
{
	if (!p->pod)
		return;
	set->status.replicas++;
	set->status.ready += running_ready(p->pod);
	set->status.available += place_available(s, p);
	if (p->pod->object.meta.deletion_ns || p->deleted)
		return;
	set->status.current += pod_at_revision(p->pod, s->current);
	set->status.updated += pod_at_revision(p->pod, s->update);
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static void write_status(struct stateful *s)
{
	const struct kube_object *now = kube_store_get(s->c->store, KIND_STATEFUL_SET,
						       s->set->object.meta.namespace,
						       s->set->object.meta.name);
	if (!now)
		return;
	struct kube_stateful_set *set = (struct kube_stateful_set *)object_touch(now);
	const struct kube_stateful_set *old = (const struct kube_stateful_set *)now;
	set->status.replicas = set->status.ready = set->status.available = 0;
	set->status.current = set->status.updated = 0;
	for (uint32_t i = 0; i < s->replica_count; i++)
		count(s, set, &s->replicas[i]);
	for (uint32_t i = 0; i < s->condemned_count; i++)
		count(s, set, &s->condemned[i]);
	set->status.observed_generation = s->set->object.meta.generation;
	set->status.current_revision = kube_string(&set->object, s->current->object.meta.name);
	set->status.update_revision = kube_string(&set->object, s->update->object.meta.name);
	if (!kube_is(set->spec.update_strategy, "OnDelete") &&
	    set->status.updated == set->status.replicas &&
	    set->status.ready == set->status.replicas &&
	    set->status.replicas == (int32_t)s->replica_count) {
		set->status.current = set->status.updated;
		set->status.current_revision = set->status.update_revision;
	}
	bool same = set->status.replicas == old->status.replicas &&
		    set->status.ready == old->status.ready &&
		    set->status.available == old->status.available &&
		    set->status.current == old->status.current &&
		    set->status.updated == old->status.updated &&
		    set->status.observed_generation == old->status.observed_generation &&
		    same_text(set->status.current_revision, old->status.current_revision) &&
		    same_text(set->status.update_revision, old->status.update_revision);
	if (same)
		kube_unref(&set->object);
	else
		control_update(s->c, &set->object, false);
}

static void release(struct stateful *s)
{
	for (uint32_t i = 0; i < s->replica_count; i++)
		kube_unref((struct kube_object *)s->replicas[i].pod);
	for (uint32_t i = 0; i < s->condemned_count; i++)
		kube_unref((struct kube_object *)s->condemned[i].pod);
	free(s->replicas);
	free(s->condemned);
	revisions_release(s);
	kube_unref((struct kube_object *)&s->set->object);
}

void stateful_set_sync(struct control *c, const char *namespace, const char *name)
{
	const struct kube_object *o = kube_store_get(c->store, KIND_STATEFUL_SET, namespace, name);
	if (!o)
		return;
	struct stateful s = { .c = c, .set = (const struct kube_stateful_set *)kube_ref(o) };
	split_pods(&s);
	if (!revisions_read(&s)) {
		queue_add(&c->queues[KIND_STATEFUL_SET], namespace, name, NS_PER_S);
		release(&s);
		return;
	}
	if (!o->meta.deletion_ns)
		act(&s);
	write_status(&s);
	revisions_truncate(&s);
	if (s.wait_ns)
		queue_add(&c->queues[KIND_STATEFUL_SET], namespace, name, s.wait_ns);
	release(&s);
}
