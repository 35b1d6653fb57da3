/* kube/control/index.c: records and the links between them. */
#include "kube/control/index.h"
#include "kube/control/index_labels.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/strbuf.h"

/* ---- keys ------------------------------------------------------------------------ */

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

struct record *index_record(const struct index *x, enum kube_kind kind, const char *namespace,
			    const char *name)
{
	return index_find(&x->records[kind], or_empty(namespace), or_empty(name), NULL);
}

struct pod_record *index_pod(const struct index *x, const char *namespace, const char *name)
{
	return (struct pod_record *)index_record(x, KIND_POD, namespace, name);
}

struct service_record *index_service(const struct index *x, const char *namespace,
				     const char *name)
{
	return (struct service_record *)index_record(x, KIND_SERVICE, namespace, name);
}

struct node_record *index_node(const struct index *x, const char *name)
{
	return (struct node_record *)index_record(x, KIND_NODE, "", name);
}

const struct kube_node *index_node_object(const struct index *x, const char *name)
{
	struct node_record *n = index_node(x, name);
	return n ? (const struct kube_node *)n->record.now : NULL;
}

const struct kube_owner *controller_of(const struct kube_object *o)
{
	for (uint32_t i = 0; i < o->meta.owners.count; i++)
		if (o->meta.owners.items[i].controller == TRI_TRUE)
			return &o->meta.owners.items[i];
	return NULL;
}

/* ---- owners ---------------------------------------------------------------------- */

struct owner *index_owner(const struct index *x, const char *uid)
{
	struct owner **found = uid ? table_find(&x->owners, uid) : NULL;
	return found ? *found : NULL;
}

static struct owner *owner_need(struct index *x, const char *uid)
{
	struct owner *owner = index_owner(x, uid);
	if (owner)
		return owner;
	owner = mem_alloc(sizeof *owner);
	owner->uid = mem_strdup(uid);
	owner->number = x->owner_count++;
	TAILQ_INIT(&owner->dependents);
	*(struct owner **)table_put(&x->owners, owner->uid, NULL) = owner;
	return owner;
}

static void owners_unlink(struct index *x, struct record *r)
{
	for (uint32_t i = 0; i < r->owner_count; i++) {
		struct owner *owner = r->owners[i].owner;
		TAILQ_REMOVE(&owner->dependents, &r->owners[i], link);
		if (--owner->count)
			continue;
		table_remove(&x->owners, owner->uid);
		free(owner->uid);
		free(owner);
	}
	free(r->owners);
	r->owners = NULL;
	r->owner_count = 0;
}

static bool owners_same(const struct record *r, const struct kube_object *o)
{
	if (r->owner_count != o->meta.owners.count)
		return false;
	for (uint32_t i = 0; i < r->owner_count; i++) {
		const struct kube_owner *w = &o->meta.owners.items[i];
		if (r->owners[i].controller != (w->controller == TRI_TRUE) ||
		    strcmp(r->owners[i].owner->uid, or_empty(w->uid)) != 0)
			return false;
	}
	return true;
}

static void owners_link(struct index *x, struct record *r, const struct kube_object *o)
{
	if (owners_same(r, o))
		return;
	struct record old = { .owners = r->owners, .owner_count = r->owner_count };
	uint32_t n = o->meta.owners.count;
	r->owners = n ? mem_array(n, sizeof *r->owners) : NULL;
	r->owner_count = n;
	for (uint32_t i = 0; i < n; i++) {
		const struct kube_owner *w = &o->meta.owners.items[i];
		struct dependency *d = &r->owners[i];
		d->record = r;
		d->owner = owner_need(x, or_empty(w->uid));
		d->controller = w->controller == TRI_TRUE;
		d->owner->count++;
		TAILQ_INSERT_TAIL(&d->owner->dependents, d, link);
	}
	owners_unlink(x, &old);
}

static void owned(const struct index *x, const char *uid, bool controller, enum kube_kind kind,
		  struct object_list *out)
{
	struct owner *owner = index_owner(x, uid);
	struct dependency *d;
	if (!owner)
		return;
	TAILQ_FOREACH(d, &owner->dependents, link) {
		if (controller && !d->controller)
			continue;
		if (kind == KIND_NONE || d->record->now->kind == kind)
			object_list_add(out, d->record->now);
	}
}

void index_owned(const struct index *x, const char *uid, enum kube_kind kind,
		 struct object_list *out)
{
	owned(x, uid, true, kind, out);
}

void index_dependents(const struct index *x, const char *uid, struct object_list *out)
{
	owned(x, uid, false, KIND_NONE, out);
}

/* ---- nodes ----------------------------------------------------------------------- */

struct spread_key { uint32_t owner, node; };

uint32_t index_spread(const struct index *x, const struct owner *owner,
		      const struct node_record *node)
{
	struct spread_key key = { owner->number, node->number };
	uint32_t *n = table_find(&x->spread, &key);
	return n ? *n : 0;
}

static void spread_add(struct index *x, const struct owner *owner, const struct node_record *node,
		       int change)
{
	struct spread_key key = { owner->number, node->number };
	uint32_t *n = table_put(&x->spread, &key, NULL);
	*n += (uint32_t)change;
	if (!*n)
		table_remove(&x->spread, &key);
}

static struct node_record *node_need(struct index *x, const char *name)
{
	struct node_record *n = index_node(x, name);
	if (n)
		return n;
	char key[INDEX_KEY_BYTES];
	if (!index_key(key, "", name, NULL))
		return NULL;
	n = mem_alloc(sizeof *n);
	n->record.key = mem_strdup(key);
	n->number = x->node_count;
	n->cpu_room = n->memory_room = n->pods_room = INT64_MAX;
	TAILQ_INIT(&n->pods);
	if (x->node_count == x->node_capacity) {
		uint32_t capacity = x->node_capacity ? 2 * x->node_capacity : 16;
		x->nodes = mem_grow(x->nodes, x->node_capacity, capacity, sizeof *x->nodes);
		x->node_capacity = capacity;
	}
	x->nodes[x->node_count++] = n;
	*(struct record **)table_put(&x->records[KIND_NODE], n->record.key, NULL) = &n->record;
	return n;
}

static int64_t room(const struct kube_map *m, const char *resource)
{
	const char *text = kube_map_get(m, resource);
	int64_t milli;
	return text && kube_quantity_parse(text, &milli) ? milli : INT64_MAX;
}

static void node_change(struct index *x, enum kube_change change, const struct kube_node *now)
{
	struct node_record *n = node_need(x, now->object.meta.name);
	if (!n)
		return;
	const struct kube_object *before = n->record.now;
	n->record.now = change == KUBE_DELETED ? NULL : kube_ref(&now->object);
	kube_unref((struct kube_object *)before);
	const struct kube_map *m = now->status.allocatable.count ? &now->status.allocatable
								  : &now->status.capacity;
	n->plain = !now->spec.taints.count && now->spec.unschedulable != TRI_TRUE;
	n->cpu_room = room(m, "cpu");
	n->memory_room = room(m, "memory");
	n->pods_room = room(m, "pods");
	if (n->pods_room != INT64_MAX)
		n->pods_room /= 1000;
}

/* ---- pods ------------------------------------------------------------------------ */

static int64_t request(const struct kube_container *c, const char *resource)
{
	const char *text = kube_map_get(&c->resources.requests, resource);
	int64_t milli;
	return text && kube_quantity_parse(text, &milli) ? milli : 0;
}

static void pod_off_node(struct index *x, struct pod_record *p)
{
	if (!p->node)
		return;
	TAILQ_REMOVE(&p->node->pods, p, on_node);
	if (p->active) {
		p->node->pod_count--;
		p->node->cpu_milli -= p->cpu_milli;
		p->node->memory_milli -= p->memory_milli;
		if (p->counted)
			spread_add(x, p->counted, p->node, -1);
	}
	p->node = NULL;
	p->counted = NULL;
}

static void pod_onto_node(struct index *x, struct pod_record *p, const struct kube_pod *now)
{
	p->node = now->spec.node_name ? node_need(x, now->spec.node_name) : NULL;
	if (!p->node)
		return;
	TAILQ_INSERT_TAIL(&p->node->pods, p, on_node);
	if (!p->active)
		return;
	p->cpu_milli = p->memory_milli = 0;
	for (uint32_t i = 0; i < now->spec.containers.count; i++) {
		p->cpu_milli += request(&now->spec.containers.items[i], "cpu");
		p->memory_milli += request(&now->spec.containers.items[i], "memory");
	}
	p->node->pod_count++;
	p->node->cpu_milli += p->cpu_milli;
	p->node->memory_milli += p->memory_milli;
	for (uint32_t i = 0; i < p->record.owner_count && !p->counted; i++)
		if (p->record.owners[i].controller)
			p->counted = p->record.owners[i].owner;
	if (p->counted)
		spread_add(x, p->counted, p->node, 1);
}

static bool is_active(const struct kube_pod *p)
{
	return !kube_is(p->status.phase, "Succeeded") && !kube_is(p->status.phase, "Failed");
}

static bool same_place(const struct pod_record *p, const struct kube_pod *now)
{
	const char *node = now->spec.node_name;
	if (is_active(now) != p->active || !node != !p->node)
		return false;
	return !node || strcmp(p->node->record.key + 1, node) == 0;
}

static void pod_change(struct index *x, struct pod_record *p, const struct kube_pod *now,
		       bool fresh)
{
	bool owners = fresh || !owners_same(&p->record, &now->object);
	bool moved = owners || !same_place(p, now);
	if (moved)
		pod_off_node(x, p);
	if (owners)
		owners_link(x, &p->record, &now->object);
	if (fresh || !maps_equal(&p->record.now->meta.labels, &now->object.meta.labels)) {
		index_pod_unlink(x, p);
		index_pod_link(x, p, &now->object);
	}
	p->active = is_active(now);
	if (moved)
		pod_onto_node(x, p, now);
}

/* ---- changes --------------------------------------------------------------------- */

static size_t record_size(enum kube_kind kind)
{
	if (kind == KIND_POD)
		return sizeof(struct pod_record);
	return kind == KIND_SERVICE ? sizeof(struct service_record) : sizeof(struct record);
}

static struct record *record_new(struct index *x, const struct kube_object *o)
{
	char key[INDEX_KEY_BYTES];
	if (!index_key(key, or_empty(o->meta.namespace), or_empty(o->meta.name), NULL))
		return NULL;
	struct record *r = mem_alloc(record_size(o->kind));
	r->key = mem_strdup(key);
	*(struct record **)table_put(&x->records[o->kind], r->key, NULL) = r;
	if (o->kind == KIND_SERVICE) {
		struct service_record *s = (struct service_record *)r;
		s->synced_ns = s->endpoints_synced_ns = -1;
	}
	return r;
}

static void record_remove(struct index *x, enum kube_kind kind, struct record *r)
{
	if (kind == KIND_POD) {
		struct pod_record *p = (struct pod_record *)r;
		pod_off_node(x, p);
		index_pod_unlink(x, p);
		free(p->pinned);
	} else if (kind == KIND_SERVICE) {
		index_service_unlink(x, (struct service_record *)r);
	}
	owners_unlink(x, r);
	table_remove(&x->records[kind], r->key);
	kube_unref((struct kube_object *)r->now);
	free(r->key);
	free(r);
}

void index_change(struct index *x, enum kube_change change, const struct kube_object *o)
{
	if (o->kind == KIND_EVENT)
		return;
	if (o->kind == KIND_NODE) {
		node_change(x, change, (const struct kube_node *)o);
		return;
	}
	struct record *r = index_record(x, o->kind, o->meta.namespace, o->meta.name);
	if (change == KUBE_DELETED) {
		if (r)
			record_remove(x, o->kind, r);
		return;
	}
	bool fresh = !r;
	if (fresh)
		r = record_new(x, o);
	if (!r)
		return;
	if (o->kind == KIND_POD) {
		pod_change(x, (struct pod_record *)r, (const struct kube_pod *)o, fresh);
	} else {
		owners_link(x, r, o);
		if (o->kind == KIND_SERVICE) {
			struct service_record *s = (struct service_record *)r;
			index_service_unlink(x, s);
			index_service_link(x, s, (const struct kube_service *)o);
		}
	}
	const struct kube_object *before = r->now;
	r->now = kube_ref(o);
	kube_unref((struct kube_object *)before);
}

void index_init(struct index *x)
{
	memset(x, 0, sizeof *x);
	for (int kind = 0; kind < KIND_COUNT; kind++)
		table_init(&x->records[kind], TABLE_STRING_KEYS, sizeof(struct record *));
	table_init(&x->owners, TABLE_STRING_KEYS, sizeof(struct owner *));
	table_init(&x->buckets, TABLE_STRING_KEYS, sizeof(struct label_bucket *));
	table_init(&x->spread, sizeof(struct spread_key), sizeof(uint32_t));
}

void index_free(struct index *x)
{
	void *value;
	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (uint32_t i = 0; kind != KIND_NODE &&
				     table_next(&x->records[kind], &i, NULL, &value);)
			record_remove(x, kind, *(struct record **)value);
	for (uint32_t i = 0; i < x->node_count; i++) {
		kube_unref((struct kube_object *)x->nodes[i]->record.now);
		free(x->nodes[i]->record.key);
		free(x->nodes[i]);
	}
	free(x->nodes);
	for (int kind = 0; kind < KIND_COUNT; kind++)
		table_free(&x->records[kind]);
	table_free(&x->owners);
	table_free(&x->buckets);
	table_free(&x->spread);
}
