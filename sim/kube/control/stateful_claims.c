/* kube/control/stateful_claims.c: PersistentVolumeClaims of a StatefulSet's pods.
 *
 * A claim is named after its template, the set and the ordinal, and outlives the pod.
 * The retention policy makes the set, or a pod that goes for good, its owner, so that
 * the garbage collector takes it away with that.
 */
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/statefulset.h"

void claim_name(const struct stateful *s, const struct kube_pvc_template *t, int64_t ordinal,
		char out[300])
{
	snprintf(out, 300, "%.100s-%.150s-%lld", text_or(t->meta.name, ""),
		 s->set->object.meta.name, (long long)ordinal);
}

static void create(struct stateful *s, const struct kube_pvc_template *t, const char *name,
		   int64_t ordinal)
{
	struct kube_pvc *claim = (struct kube_pvc *)kube_new(KIND_PERSISTENT_VOLUME_CLAIM);
	struct kube_object *o = &claim->object;
	const struct kube_stateful_set *set = s->set;
	o->shares = kube_ref(&set->object);
	o->meta.name = kube_string(o, name);
	o->meta.namespace = kube_string(o, text_or(set->object.meta.namespace, "default"));
	o->meta.labels = t->meta.labels;
	o->meta.annotations = t->meta.annotations;
	for (uint32_t i = 0; i < set->spec.selector.match_labels.count; i++)
		kube_map_set(o, &o->meta.labels, set->spec.selector.match_labels.items[i].key,
			     set->spec.selector.match_labels.items[i].value);
	claim->spec.access_modes = t->access_modes;
	claim->spec.requests = t->requests;
	claim->spec.storage_class = t->storage_class;
	claim->spec.volume_mode = text_or(t->volume_mode, "Filesystem");
	claim->status.phase = "Pending";
	if (kube_is(set->spec.retention_deleted, "Delete"))
		owner_add(o, &set->object, true);
	if (control_create(s->c, o, NULL) == 0)
		control_event(s->c, &set->object, false, "SuccessfulCreate",
			      "statefulset-controller",
			      "create Claim %s Pod %s-%lld in StatefulSet %s success", name,
			      set->object.meta.name, (long long)ordinal, set->object.meta.name);
}

/* Whether the claim belongs to a pod that is not this one. */
static bool stale(const struct kube_object *claim, const struct kube_pod *pod)
{
	for (uint32_t i = 0; i < claim->meta.owners.count; i++) {
		const struct kube_owner *w = &claim->meta.owners.items[i];
		if (kube_is(w->kind, "Pod") && (!pod || !kube_is(w->uid, pod->object.meta.uid)))
			return true;
	}
	return false;
}

bool claims_create(struct stateful *s, int64_t ordinal, const struct kube_pod *pod)
{
	for (uint32_t i = 0; i < s->set->spec.claims.count; i++) {
		const struct kube_pvc_template *t = &s->set->spec.claims.items[i];
		char name[300];
		claim_name(s, t, ordinal, name);
		const struct kube_object *have =
			kube_store_get(s->c->store, KIND_PERSISTENT_VOLUME_CLAIM,
				       s->set->object.meta.namespace, name);
		if (!have) {
			create(s, t, name, ordinal);
		} else if (stale(have, pod) || have->meta.deletion_ns) {
			queue_add(&s->c->queues[KIND_STATEFUL_SET], s->set->object.meta.namespace,
				  s->set->object.meta.name, NS_PER_S);
			return false;
		}
	}
	return true;
}

void claims_condemn(struct stateful *s, const struct kube_pod *pod)
{
	if (!kube_is(s->set->spec.retention_scaled, "Delete"))
		return;
	for (uint32_t i = 0; i < pod->spec.volumes.count; i++) {
		const char *name = pod->spec.volumes.items[i].claim_name;
		const struct kube_object *claim =
			name ? kube_store_get(s->c->store, KIND_PERSISTENT_VOLUME_CLAIM,
					      s->set->object.meta.namespace, name) : NULL;
		bool ours = false;
		for (uint32_t j = 0; claim && j < s->set->spec.claims.count; j++)
			ours = ours || kube_is(pod->spec.volumes.items[i].name,
					       s->set->spec.claims.items[j].meta.name);
		if (!ours)
			continue;
		struct kube_object *copy = kube_copy(claim);
		copy->meta.owners.count = 0;
		owner_add(copy, &pod->object, false);
		control_update(s->c, copy, false);
	}
}
