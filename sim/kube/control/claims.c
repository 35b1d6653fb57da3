/* kube/control/claims.c: PersistentVolumeClaims find or get a volume.
 *
 * A claim takes the smallest Available volume of its class that is large enough. Without
 * one, a StorageClass with a provisioner makes it: at once, or, WaitForFirstConsumer, when
 * the scheduler has chosen a node for the first pod that uses the claim.
 */
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/internal.h"

#define COMPONENT "persistentvolume-controller"
#define SELECTED_NODE "volume.kubernetes.io/selected-node"
#define DEFAULT_CLASS "storageclass.kubernetes.io/is-default-class"
#define PROVISION_NS (2 * NS_PER_S)

static const struct kube_pvc *claim_get(struct control *c, const char *namespace, const char *name)
{
	return (const struct kube_pvc *)kube_store_get(c->store, KIND_PERSISTENT_VOLUME_CLAIM,
						       namespace, name);
}

static const struct kube_storage_class *class_of(struct control *c, const struct kube_pvc *p)
{
	const struct kube_object *o;
	if (p->spec.storage_class)
		return (const struct kube_storage_class *)kube_store_get(
			c->store, KIND_STORAGE_CLASS, NULL, p->spec.storage_class);
	for (uint32_t i = 0; (o = kube_store_next(c->store, KIND_STORAGE_CLASS, NULL, &i));)
		if (kube_is(kube_map_get(&o->meta.annotations, DEFAULT_CLASS), "true"))
			return (const struct kube_storage_class *)o;
	return NULL;
}

static bool waits_for_consumer(const struct kube_storage_class *s)
{
	return s && kube_is(s->binding_mode, "WaitForFirstConsumer");
}

enum claim_state claim_state(struct control *c, const char *namespace, const char *name)
{
	const struct kube_pvc *p = claim_get(c, namespace, name);
	if (!p)
		return CLAIM_MISSING;
	if (kube_is(p->status.phase, "Bound") || (!c->engine && p->spec.volume_name))
		return CLAIM_BOUND;
	return waits_for_consumer(class_of(c, p)) ? CLAIM_WAITS_FOR_POD : CLAIM_PENDING;
}

const char *claim_node(struct control *c, const char *namespace, const char *name)
{
	const struct kube_pvc *p = claim_get(c, namespace, name);
	if (!p || kube_is(p->status.phase, "Bound"))
		return NULL;
	return kube_map_get(&p->object.meta.annotations, SELECTED_NODE);
}

void claim_select_node(struct control *c, const char *namespace, const char *name,
		       const char *node)
{
	const struct kube_pvc *p = claim_get(c, namespace, name);
	if (!p || kube_map_get(&p->object.meta.annotations, SELECTED_NODE))
		return;
	struct kube_object *copy = kube_copy(&p->object);
	kube_map_set(copy, &copy->meta.annotations, SELECTED_NODE, node);
	control_update(c, copy, false);
}

/* ---- matching -------------------------------------------------------------------- */

static int64_t storage(const struct kube_map *m)
{
	const char *text = kube_map_get(m, "storage");
	int64_t milli;
	return text && kube_quantity_parse(text, &milli) ? milli : 0;
}

static bool has_modes(const struct kube_strings *have, const struct kube_strings *want)
{
	for (uint32_t i = 0; i < want->count; i++) {
		bool found = false;
		for (uint32_t j = 0; j < have->count; j++)
			found = found || strcmp(have->items[j], want->items[i]) == 0;
		if (!found)
			return false;
	}
	return true;
}

static bool fits(const struct kube_pv *v, const struct kube_pvc *p)
{
	const struct kube_object_ref *claim = &v->spec.claim;
	if (claim->name)
		return kube_is(claim->name, p->object.meta.name) &&
		       kube_is(claim->namespace, p->object.meta.namespace) &&
		       (!claim->uid || !*claim->uid || kube_is(claim->uid, p->object.meta.uid));
	if (v->status.phase && !kube_is(v->status.phase, "Available") &&
	    !kube_is(v->status.phase, "Pending"))
		return false;
	return strcmp(text_or(v->spec.storage_class, ""), text_or(p->spec.storage_class, "")) ==
		   0 &&
	       has_modes(&v->spec.access_modes, &p->spec.access_modes) &&
	       storage(&v->spec.capacity) >= storage(&p->spec.requests);
}

static const struct kube_pv *find_volume(struct control *c, const struct kube_pvc *p)
{
	const struct kube_pv *best = NULL;
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next(c->store, KIND_PERSISTENT_VOLUME, NULL, &i));) {
		const struct kube_pv *v = (const struct kube_pv *)o;
		if (p->spec.volume_name && !kube_is(o->meta.name, p->spec.volume_name))
			continue;
		if (!fits(v, p))
			continue;
		if (v->spec.claim.name)
			return v;
		if (!best || storage(&v->spec.capacity) < storage(&best->spec.capacity))
			best = v;
	}
	return best;
}

static void bind(struct control *c, const struct kube_pvc *p, const struct kube_pv *v)
{
	struct kube_pv *volume = (struct kube_pv *)kube_copy(&v->object);
	struct kube_pvc *claim = (struct kube_pvc *)kube_copy(&p->object);
	struct kube_object *o = &volume->object;
	volume->spec.claim = (struct kube_object_ref){
		.kind = "PersistentVolumeClaim",
		.namespace = kube_string(o, text_or(p->object.meta.namespace, "default")),
		.name = kube_string(o, p->object.meta.name),
		.uid = kube_string(o, p->object.meta.uid),
	};
	volume->status.phase = "Bound";
	o = &claim->object;
	claim->spec.volume_name = kube_string(o, v->object.meta.name);
	claim->status.phase = "Bound";
	claim->status.capacity = (struct kube_map){ 0 };
	const char *size = kube_map_get(&v->spec.capacity, "storage");
	if (size)
		kube_map_set(o, &claim->status.capacity, "storage", size);
	claim->status.access_modes = (struct kube_strings){ 0 };
	for (uint32_t i = 0; i < v->spec.access_modes.count; i++)
		strings_add(o, &claim->status.access_modes, v->spec.access_modes.items[i]);
	control_update(c, &volume->object, true);
	control_update(c, &claim->object, true);
}

/* ---- provisioning ---------------------------------------------------------------- */

void provision_sync(struct control *c, const char *namespace, const char *name)
{
	const struct kube_pvc *p = claim_get(c, namespace, name);
	const struct kube_storage_class *s = p ? class_of(c, p) : NULL;
	if (!s || p->object.meta.deletion_ns || kube_is(p->status.phase, "Bound"))
		return;
	struct kube_pv *v = (struct kube_pv *)kube_new(KIND_PERSISTENT_VOLUME);
	struct kube_object *o = &v->object;
	const char *size = text_or(kube_map_get(&p->spec.requests, "storage"), "1Gi");
	o->meta.name = arena_printf(o->arena, "pvc-%s", p->object.meta.uid);
	kube_map_set(o, &v->spec.capacity, "storage", size);
	for (uint32_t i = 0; i < p->spec.access_modes.count; i++)
		strings_add(o, &v->spec.access_modes, p->spec.access_modes.items[i]);
	v->spec.reclaim_policy = kube_string(o, text_or(s->reclaim_policy, "Delete"));
	v->spec.storage_class = kube_string(o, s->object.meta.name);
	v->spec.volume_mode = "Filesystem";
	v->spec.claim = (struct kube_object_ref){
		.kind = "PersistentVolumeClaim", .namespace = kube_string(o, namespace),
		.name = kube_string(o, name), .uid = kube_string(o, p->object.meta.uid),
	};
	v->status.phase = "Available";
	control_event(c, &p->object, false, "ProvisioningSucceeded",
		      text_or(s->provisioner, "provisioner"), "Successfully provisioned volume %s",
		      o->meta.name);
	if (control_create(c, o, NULL))
		return;
	p = claim_get(c, namespace, name);
	if (p && !p->spec.storage_class) { /* the default class, as admission would set it */
		struct kube_pvc *copy = (struct kube_pvc *)kube_copy(&p->object);
		copy->spec.storage_class = kube_string(&copy->object, s->object.meta.name);
		control_update(c, &copy->object, true);
	}
	queue_add(&c->queues[KIND_PERSISTENT_VOLUME_CLAIM], namespace, name, control_reaction(c));
}

static void provision(struct control *c, const struct kube_pvc *p)
{
	const struct kube_storage_class *s = class_of(c, p);
	const struct kube_meta *m = &p->object.meta;
	if (!s) {
		if (!p->spec.storage_class || !*p->spec.storage_class)
			control_event(
			    c, &p->object, false, "FailedBinding", COMPONENT,
			    "no persistent volumes available for this claim and no storage "
			    "class is set");
		else
			control_event(c, &p->object, true, "ProvisioningFailed", COMPONENT,
				      "storageclass.storage.k8s.io \"%s\" not found",
				      p->spec.storage_class);
		return;
	}
	if (!s->provisioner || kube_is(s->provisioner, "kubernetes.io/no-provisioner"))
		return;
	if (waits_for_consumer(s) && !kube_map_get(&m->annotations, SELECTED_NODE)) {
		control_event(c, &p->object, false, "WaitForFirstConsumer", COMPONENT,
			      "waiting for first consumer to be created before binding");
		return;
	}
	if (queue_has(&c->provisioner, m->namespace, m->name))
		return;
	control_event(
	    c, &p->object, false, "ExternalProvisioning", COMPONENT,
	    "Waiting for a volume to be created either by the external provisioner '%s' or "
	    "manually by the system administrator. If volume creation is delayed, please "
	    "verify that the provisioner is running and correctly registered.",
	    s->provisioner);
	queue_add(&c->provisioner, m->namespace, m->name, PROVISION_NS);
}

void claim_sync(struct control *c, const char *namespace, const char *name)
{
	const struct kube_pvc *p = claim_get(c, namespace, name);
	if (!p || p->object.meta.deletion_ns || kube_is(p->status.phase, "Bound"))
		return;
	const struct kube_pv *v = find_volume(c, p);
	bool chosen = !waits_for_consumer(class_of(c, p)) || (v && v->spec.claim.name) ||
		      kube_map_get(&p->object.meta.annotations, SELECTED_NODE);
	if (v && chosen)
		bind(c, p, v);
	else if (!v)
		provision(c, p);
}

/* A claim that goes frees its volume. */
static void reclaim(struct control *c, const struct kube_pvc *p)
{
	const struct kube_pv *v = p->spec.volume_name
		? (const struct kube_pv *)kube_store_get(c->store, KIND_PERSISTENT_VOLUME, NULL,
							 p->spec.volume_name) : NULL;
	if (!v || !kube_is(v->spec.claim.uid, p->object.meta.uid))
		return;
	if (kube_is(v->spec.reclaim_policy, "Delete")) {
		control_remove(c, &v->object);
		return;
	}
	struct kube_pv *copy = (struct kube_pv *)kube_copy(&v->object);
	copy->status.phase = "Released";
	control_update(c, &copy->object, false);
}

void claims_changed(struct control *c, const struct kube_object *o)
{
	const struct kube_object *claim;
	if (o->kind == KIND_PERSISTENT_VOLUME_CLAIM) {
		if (!kube_store_get(c->store, o->kind, o->meta.namespace, o->meta.name))
			reclaim(c, (const struct kube_pvc *)o);
		return;
	}
	for (uint32_t i = 0;
	     (claim = kube_store_next(c->store, KIND_PERSISTENT_VOLUME_CLAIM, NULL, &i));)
		if (!kube_is(((const struct kube_pvc *)claim)->status.phase, "Bound"))
			queue_add(&c->queues[claim->kind], claim->meta.namespace, claim->meta.name,
				  control_reaction(c));
}
