/* kube/control/index_labels.c: lists, keys, and pods and Services by label. */
#include "kube/control/index_labels.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

/* ---- lists ----------------------------------------------------------------------- */

void object_list_add(struct object_list *l, const struct kube_object *o)
{
	if (l->count == l->capacity) {
		uint32_t capacity = l->capacity ? 2 * l->capacity : 16;
		l->items = mem_grow(l->items, l->capacity, capacity, sizeof *l->items);
		l->capacity = capacity;
	}
	l->items[l->count++] = o;
}

void object_list_free(struct object_list *l)
{
	free(l->items);
	*l = (struct object_list){ 0 };
}

static int by_name(const void *a, const void *b)
{
	const struct kube_object *p = *(const struct kube_object *const *)a;
	const struct kube_object *q = *(const struct kube_object *const *)b;
	return strcmp(p->meta.name, q->meta.name);
}

void object_list_sort(struct object_list *l)
{
	if (l->count > 1)
		qsort(l->items, l->count, sizeof *l->items, by_name);
}

/* ---- keys ------------------------------------------------------------------------ */

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

bool index_key(char out[INDEX_KEY_BYTES], const char *a, const char *b, const char *c)
{
	size_t la = strlen(a), lb = strlen(b), lc = c ? strlen(c) : 0;
	if (la + lb + lc + 3 > INDEX_KEY_BYTES)
		return false;
	memcpy(out, a, la);
	out[la] = '/';
	memcpy(out + la + 1, b, lb + 1);
	if (c) {
		out[la + 1 + lb] = '=';
		memcpy(out + la + lb + 2, c, lc + 1);
	}
	return true;
}

void *index_find(const struct table *t, const char *a, const char *b, const char *c)
{
	char key[INDEX_KEY_BYTES];
	if (!index_key(key, a, b, c))
		return NULL;
	void **found = table_find(t, key);
	return found ? *found : NULL;
}

/* ---- labels ---------------------------------------------------------------------- */

static struct label_bucket *bucket_need(struct index *x, const char *namespace, const char *key,
					const char *value)
{
	char text[INDEX_KEY_BYTES];
	if (!index_key(text, namespace, key, or_empty(value)))
		return NULL;
	struct label_bucket **found = table_find(&x->buckets, text);
	if (found)
		return *found;
	struct label_bucket *b = mem_alloc(sizeof *b);
	b->key = mem_strdup(text);
	TAILQ_INIT(&b->pods);
	TAILQ_INIT(&b->services);
	*(struct label_bucket **)table_put(&x->buckets, b->key, NULL) = b;
	return b;
}

static void bucket_release(struct index *x, struct label_bucket *b)
{
	if (b->pod_count || b->service_count)
		return;
	table_remove(&x->buckets, b->key);
	free(b->key);
	free(b);
}

bool maps_equal(const struct kube_map *a, const struct kube_map *b)
{
	if (a->count != b->count)
		return false;
	if (a->items == b->items)
		return true;
	for (uint32_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].key, b->items[i].key) != 0 ||
		    strcmp(or_empty(a->items[i].value), or_empty(b->items[i].value)) != 0)
			return false;
	return true;
}

void index_pod_unlink(struct index *x, struct pod_record *p)
{
	for (uint32_t i = 0; i < p->label_count; i++) {
		struct label_bucket *b = p->labels[i].bucket;
		if (!b)
			continue;
		TAILQ_REMOVE(&b->pods, &p->labels[i], link);
		b->pod_count--;
		bucket_release(x, b);
	}
	free(p->labels);
	p->labels = NULL;
	p->label_count = 0;
}

void index_pod_link(struct index *x, struct pod_record *p, const struct kube_object *o)
{
	const struct kube_map *m = &o->meta.labels;
	p->labels = m->count ? mem_array(m->count, sizeof *p->labels) : NULL;
	p->label_count = m->count;
	for (uint32_t i = 0; i < m->count; i++) {
		struct label_link *l = &p->labels[i];
		l->pod = p;
		l->bucket = bucket_need(x, or_empty(o->meta.namespace), m->items[i].key,
					m->items[i].value);
		if (!l->bucket)
			continue;
		TAILQ_INSERT_TAIL(&l->bucket->pods, l, link);
		l->bucket->pod_count++;
	}
}

/* The pair of the selector that the fewest pods have. */
static struct label_bucket *narrowest(const struct index *x, const char *namespace,
				      const struct kube_map *m)
{
	struct label_bucket *best = NULL;
	for (uint32_t i = 0; i < m->count; i++) {
		struct label_bucket *b = index_find(&x->buckets, namespace, m->items[i].key,
						    or_empty(m->items[i].value));
		if (!b)
			return NULL;
		if (!best || b->pod_count < best->pod_count)
			best = b;
	}
	return best;
}

void index_select(const struct index *x, const char *namespace, const struct kube_map *selector,
		  struct object_list *out)
{
	struct label_bucket *b = narrowest(x, or_empty(namespace), selector);
	struct label_link *l;
	if (!b)
		return;
	TAILQ_FOREACH(l, &b->pods, link)
		if (kube_map_selects(selector, &l->pod->record.now->meta.labels))
			object_list_add(out, l->pod->record.now);
	object_list_sort(out);
}

void index_select_full(const struct index *x, const char *namespace,
		       const struct kube_selector *selector, struct object_list *out)
{
	if (selector->match_labels.count) {
		struct object_list some = { 0 };
		index_select(x, namespace, &selector->match_labels, &some);
		for (uint32_t i = 0; i < some.count; i++)
			if (kube_selector_matches(selector, &some.items[i]->meta.labels))
				object_list_add(out, some.items[i]);
		object_list_free(&some);
		return;
	}
	void *value;
	for (uint32_t i = 0; table_next(&x->records[KIND_POD], &i, NULL, &value);) {
		const struct kube_object *o = (*(struct record **)value)->now;
		if (strcmp(or_empty(o->meta.namespace), or_empty(namespace)) == 0 &&
		    kube_selector_matches(selector, &o->meta.labels))
			object_list_add(out, o);
	}
	object_list_sort(out);
}

void index_service_unlink(struct index *x, struct service_record *s)
{
	if (!s->bucket)
		return;
	TAILQ_REMOVE(&s->bucket->services, s, link);
	s->bucket->service_count--;
	bucket_release(x, s->bucket);
	s->bucket = NULL;
}

/* A Service hangs below the pair of its selector that the fewest Services share. */
void index_service_link(struct index *x, struct service_record *s, const struct kube_service *now)
{
	const struct kube_map *m = &now->spec.selector;
	const struct kube_pair *best = NULL;
	uint32_t least = UINT32_MAX;
	for (uint32_t i = 0; i < m->count; i++) {
		struct label_bucket *b =
		    index_find(&x->buckets, or_empty(now->object.meta.namespace), m->items[i].key,
			       or_empty(m->items[i].value));
		uint32_t n = b ? b->service_count : 0;
		if (n < least) {
			least = n;
			best = &m->items[i];
		}
	}
	if (!best)
		return;
	s->bucket = bucket_need(x, or_empty(now->object.meta.namespace), best->key, best->value);
	if (!s->bucket)
		return;
	TAILQ_INSERT_TAIL(&s->bucket->services, s, link);
	s->bucket->service_count++;
}

void index_services(const struct index *x, const char *namespace, const struct kube_map *labels,
		    struct object_list *out)
{
	for (uint32_t i = 0; i < labels->count; i++) {
		struct label_bucket *b = index_find(&x->buckets, or_empty(namespace),
					      labels->items[i].key,
					      or_empty(labels->items[i].value));
		struct service_record *s;
		if (!b)
			continue;
		TAILQ_FOREACH(s, &b->services, link) {
			const struct kube_service *svc = (const void *)s->record.now;
			if (kube_map_selects(&svc->spec.selector, labels))
				object_list_add(out, &svc->object);
		}
	}
	object_list_sort(out);
}
