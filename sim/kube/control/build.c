/* kube/control/build.c: objects that controllers make out of others. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/strbuf.h"
#include "kube/control/internal.h"
#include "kube/copy.h"
#include "kube/schema.h"

const char *text_or(const char *s, const char *otherwise)
{
	return s && *s ? s : otherwise;
}

void map_own(struct kube_object *o, struct kube_map *m)
{
	if (!m->count)
		return;
	struct kube_pair *items = arena_array(o->arena, m->count, sizeof *items);
	memcpy(items, m->items, m->count * sizeof *items);
	m->items = items;
}

void strings_add(struct kube_object *o, struct kube_strings *l, const char *s)
{
	const char **items = arena_array(o->arena, l->count + 1, sizeof *items);
	if (l->count)
		memcpy(items, l->items, l->count * sizeof *items);
	items[l->count++] = kube_string(o, s);
	l->items = items;
}

void owner_add(struct kube_object *o, const struct kube_object *owner, bool controller)
{
	uint32_t n = o->meta.owners.count;
	struct kube_owner *items = arena_array(o->arena, n + 1, sizeof *items);
	if (n)
		memcpy(items, o->meta.owners.items, n * sizeof *items);
	const struct kind_schema *schema = kube_schema(owner->kind);
	items[n] = (struct kube_owner){
		.api_version = schema->group_version,
		.kind = schema->name,
		.name = kube_string(o, owner->meta.name),
		.uid = kube_string(o, owner->meta.uid),
		.controller = controller ? TRI_TRUE : TRI_UNSET,
		.block_owner_deletion = controller ? TRI_TRUE : TRI_UNSET,
	};
	o->meta.owners.items = items;
	o->meta.owners.count = n + 1;
}

/* ---- conditions ------------------------------------------------------------------ */

const struct kube_condition *condition_find(const struct kube_conditions *l, const char *type)
{
	for (uint32_t i = 0; i < l->count; i++)
		if (kube_is(l->items[i].type, type))
			return &l->items[i];
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

bool condition_set(struct kube_object *o, struct kube_conditions *l, const char *type,
		   const char *status, const char *reason, const char *message, int64_t now_ns)
{
	struct kube_condition *found = (struct kube_condition *)condition_find(l, type);
	if (!found) {
		struct kube_condition *items = arena_array(o->arena, l->count + 1, sizeof *items);
		if (l->count)
			memcpy(items, l->items, l->count * sizeof *items);
		l->items = items;
		found = &items[l->count++];
		found->type = kube_string(o, type);
	} else if (kube_is(found->status, status) && same_text(found->reason, reason) &&
		   same_text(found->message, message)) {
		return false;
	}
	if (!kube_is(found->status, status))
		found->last_transition_ns = now_ns;
	found->status = kube_string(o, status);
	found->reason = reason ? kube_string(o, reason) : NULL;
	found->message = message ? kube_string(o, message) : NULL;
	return true;
}

/* ---- pods ------------------------------------------------------------------------ */

/* Admission plugin DefaultTolerationSeconds: NoExecute taints of a lost node are borne for
 * a while by every pod that says nothing of them. */
static void tolerate_lost_node(struct kube_pod *p, struct kube_toleration *to, const char *key,
			       int64_t seconds)
{
	for (uint32_t i = 0; i < p->spec.tolerations.count; i++) {
		const struct kube_toleration *t = &p->spec.tolerations.items[i];
		bool any_key = !t->key || !*t->key, any_effect = !t->effect || !*t->effect;
		if ((any_key || kube_is(t->key, key)) &&
		    (any_effect || kube_is(t->effect, "NoExecute")))
			return;
	}
	*to = (struct kube_toleration){ .key = key, .op = "Exists", .effect = "NoExecute",
					.seconds = { true, seconds } };
	p->spec.tolerations.count++;
}

/* A Pod's defaults that its template has not: where a limit has no request it is one. */
static void request_limits(struct kube_pod *p, struct kube_containers *list)
{
	struct kube_object *o = &p->object;
	struct kube_container *own = NULL;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct kube_map *limits = &list->items[i].resources.limits;
		for (uint32_t k = 0; k < limits->count; k++) {
			if (kube_map_get(&list->items[i].resources.requests, limits->items[k].key))
				continue;
			if (!own) {
				own = arena_array(o->arena, list->count, sizeof *own);
				memcpy(own, list->items, list->count * sizeof *own);
				list->items = own;
			}
			map_own(o, &own[i].resources.requests);
			kube_map_set(o, &own[i].resources.requests, limits->items[k].key,
				     limits->items[k].value);
		}
	}
}

void pod_admit(struct control *c, struct kube_pod *p)
{
	if (!p->spec.enable_service_links)
		p->spec.enable_service_links = TRI_TRUE;
	if (!p->spec.service_account)
		p->spec.service_account = "default";
	request_limits(p, &p->spec.containers);
	request_limits(p, &p->spec.init_containers);
	uint32_t n = p->spec.tolerations.count;
	struct kube_toleration *items = arena_array(p->object.arena, n + 2, sizeof *items);
	if (n)
		memcpy(items, p->spec.tolerations.items, n * sizeof *items);
	p->spec.tolerations.items = items;
	int64_t seconds = c->options.toleration / NS_PER_S;
	tolerate_lost_node(p, &items[p->spec.tolerations.count], "node.kubernetes.io/not-ready",
			   seconds);
	tolerate_lost_node(p, &items[p->spec.tolerations.count], "node.kubernetes.io/unreachable",
			   seconds);
	if (!p->status.phase)
		p->status.phase = "Pending";
}

struct kube_pod *pod_from_template(struct control *c, const struct kube_template *t,
				   const struct kube_object *memory,
				   const struct kube_object *owner)
{
	struct kube_pod *p = (struct kube_pod *)kube_new(KIND_POD);
	p->object.shares = kube_ref(memory->shares ? memory->shares : memory);
	p->object.meta.namespace =
	    kube_string(&p->object, text_or(owner->meta.namespace, "default"));
	p->object.meta.labels = t->meta.labels;
	p->object.meta.annotations = t->meta.annotations;
	p->object.meta.finalizers = t->meta.finalizers;
	map_own(&p->object, &p->object.meta.labels);
	map_own(&p->object, &p->object.meta.annotations);
	p->spec = t->spec;
	owner_add(&p->object, owner, true);
	pod_admit(c, p);
	return p;
}

/* Own copies of what a pod made from a template has for itself. */
static void own_spec(struct kube_pod *p)
{
	struct kube_object *o = &p->object;
	struct kube_pod_spec *s = &p->spec;
	s->node_name = kube_string(o, s->node_name);
	s->hostname = kube_string(o, s->hostname);
	s->subdomain = kube_string(o, s->subdomain);
	if (s->tolerations.count) {
		size_t size = s->tolerations.count * sizeof *s->tolerations.items;
		void *items = arena_alloc(o->arena, size);
		s->tolerations.items = memcpy(items, s->tolerations.items, size);
	}
	if (s->volumes.count) {
		size_t size = s->volumes.count * sizeof *s->volumes.items;
		void *items = arena_alloc(o->arena, size);
		s->volumes.items = memcpy(items, s->volumes.items, size);
		for (uint32_t i = 0; i < s->volumes.count; i++) {
			struct kube_volume *v = &s->volumes.items[i];
			v->name = kube_string(o, v->name);
			v->claim_name = kube_string(o, v->claim_name);
		}
	}
}

/* Copies the top-level fields: all but the spec, or the metadata only. */
static void copy_rows(struct kube_object *o, bool metadata_only)
{
	for (const struct field *f = kube_schema(o->kind)->fields; f->json; f++) {
		struct field one[2] = { *f, { .json = NULL } };
		bool metadata = strcmp(f->json, "metadata") == 0;
		if (metadata || (!metadata_only && strcmp(f->json, "spec") != 0))
			kube_copy_fields(o->arena, one, o);
	}
}

struct kube_object *object_touch(const struct kube_object *old)
{
	struct kube_object *o = kube_new(old->kind);
	struct arena *arena = o->arena;
	memcpy(o, old, kube_schema(old->kind)->size);
	o->references = 1;
	o->arena = arena;
	o->pool = NULL;
	o->file = NULL;
	o->shares = kube_ref(old->shares ? old->shares : old);
	copy_rows(o, false);
	return o;
}

struct kube_object *object_header(const struct kube_object *old)
{
	struct kube_object *o = kube_new(old->kind);
	o->meta = old->meta;
	copy_rows(o, true);
	return o;
}

struct kube_pod *pod_touch(const struct kube_pod *old)
{
	struct kube_pod *p = (struct kube_pod *)object_touch(&old->object);
	if (old->object.shares)
		own_spec(p);
	return p;
}

void template_share(struct kube_object *o, struct kube_template *to, const struct kube_object *from,
		    const struct kube_template *t)
{
	if (!o->shares)
		o->shares = kube_ref(from);
	*to = *t;
	map_own(o, &to->meta.labels);
	map_own(o, &to->meta.annotations);
}

bool pod_ready(const struct kube_pod *p)
{
	return kube_condition_true(&p->status.conditions, "Ready");
}

bool pod_active(const struct kube_pod *p)
{
	return !p->object.meta.deletion_ns && !kube_is(p->status.phase, "Succeeded") &&
	       !kube_is(p->status.phase, "Failed");
}

int64_t pod_ready_since(const struct kube_pod *p)
{
	const struct kube_condition *ready = condition_find(&p->status.conditions, "Ready");
	return ready && kube_is(ready->status, "True") ? ready->last_transition_ns : INT64_MAX;
}

bool pod_available(const struct control *c, const struct kube_pod *p, int64_t min_ready_s,
		   int64_t *wait_ns)
{
	*wait_ns = 0;
	if (!pod_ready(p))
		return false;
	int64_t left = pod_ready_since(p) + min_ready_s * NS_PER_S - control_now(c);
	if (min_ready_s <= 0 || left <= 0)
		return true;
	*wait_ns = left;
	return false;
}

/* ---- templates ------------------------------------------------------------------- */

struct template_digest { /* what is remembered of an object with a template */
	int64_t generation;
	uint64_t digest;
	int64_t progress_ns;
	int64_t claims_generation; /* of the object when its pods were claimed */
	uint64_t claims_version;
	char uid[]; /* the table's key */
};

static bool hash_label(const char *key)
{
	return kube_is(key, "pod-template-hash") || kube_is(key, "controller-revision-hash") ||
	       kube_is(key, "controller.kubernetes.io/hash");
}

static uint64_t digest_make(const struct kube_template *t)
{
	struct kube_pod p = { .object = { .kind = KIND_POD, .references = 1 }, .spec = t->spec };
	struct kube_pair *labels = mem_array(t->meta.labels.count, sizeof *labels);
	for (uint32_t i = 0; i < t->meta.labels.count; i++)
		if (!hash_label(t->meta.labels.items[i].key))
			labels[p.object.meta.labels.count++] = t->meta.labels.items[i];
	p.object.meta.labels.items = labels;
	p.object.meta.annotations = t->meta.annotations;
	struct strbuf text = { 0 };
	kube_print_json(&p.object, &text);
	uint64_t digest = hash_bytes(strbuf_text(&text), text.length, 0);
	strbuf_free(&text);
	free(labels);
	return digest;
}

static struct template_digest *digest_need(struct control *c, const struct kube_object *o)
{
	struct template_digest **found = table_find(&c->digests, o->meta.uid);
	if (found)
		return *found;
	size_t size = strlen(o->meta.uid) + 1;
	struct template_digest *d = mem_alloc(sizeof *d + size);
	memcpy(d->uid, o->meta.uid, size);
	d->generation = -1;
	d->progress_ns = o->meta.creation_ns;
	d->claims_generation = -1;
	*(struct template_digest **)table_put(&c->digests, d->uid, NULL) = d;
	return d;
}

uint64_t template_digest(struct control *c, const struct kube_object *o,
			 const struct kube_template *t)
{
	struct template_digest *d = digest_need(c, o);
	if (d->generation != o->meta.generation) {
		d->generation = o->meta.generation;
		d->digest = digest_make(t);
	}
	return d->digest;
}

int64_t *progress_time(struct control *c, const struct kube_object *o)
{
	return &digest_need(c, o)->progress_ns;
}

bool claims_stale(struct control *c, const struct kube_object *o)
{
	struct template_digest *d = digest_need(c, o);
	if (d->claims_generation == o->meta.generation && d->claims_version == c->claims_version)
		return false;
	d->claims_generation = o->meta.generation;
	d->claims_version = c->claims_version;
	return true;
}

void digest_forget(struct control *c, const struct kube_object *o)
{
	struct template_digest **found = o->meta.uid ? table_find(&c->digests, o->meta.uid) : NULL;
	if (!found)
		return;
	struct template_digest *d = *found;
	table_remove(&c->digests, d->uid);
	free(d);
}
