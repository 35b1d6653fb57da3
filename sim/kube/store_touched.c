/* kube/store_touched.c: which Services the latest writes had to do with.
 *
 * A ring of keys. One write touches a Service by itself, by its Endpoints of the same name,
 * or by a slice that points to it; a slice that turns to another Service touches both.
 */
#include <stdlib.h>
#include <string.h>

#include "kube/store_internal.h"

static void touch(struct kube_store *s, const struct kube_object *o, const char *service)
{
	struct touched *t = &s->touched[s->touched_count++ % TOUCHED];
	const char *namespace = o->meta.namespace ? o->meta.namespace : "";
	size_t first = strlen(namespace) + 1, size = first + strlen(service) + 1;
	if (t->version)
		s->forgotten = t->version;
	if (size > t->size) {
		free(t->namespace);
		t->namespace = mem_array(size, 1);
		t->size = size;
	}
	t->version = s->version;
	t->name = t->namespace + first;
	memcpy(t->namespace, namespace, first);
	memcpy(t->name, service, size - first);
}

static const char *service_of(const struct kube_object *o)
{
	if (!o)
		return NULL;
	return o->kind == KIND_ENDPOINT_SLICE ? kube_map_get(&o->meta.labels, SERVICE_LABEL) :
						o->meta.name;
}

void store_touched_change(struct kube_store *s, const struct kube_object *old,
			  const struct kube_object *now)
{
	enum kube_kind kind = now ? now->kind : old->kind;
	if (kind != KIND_SERVICE && kind != KIND_ENDPOINTS && kind != KIND_ENDPOINT_SLICE)
		return;
	const char *before = service_of(old), *after = service_of(now);
	if (before)
		touch(s, old, before);
	if (after && !kube_is(after, before))
		touch(s, now, after);
}

void store_touched_free(struct kube_store *s)
{
	for (uint32_t i = 0; i < TOUCHED; i++)
		free(s->touched[i].namespace);
}

bool kube_store_recalls(const struct kube_store *s, uint64_t since)
{
	return since >= s->forgotten;
}

bool kube_store_next_touched(const struct kube_store *s, uint64_t since, uint32_t *cursor,
			     const char **namespace, const char **name)
{
	uint64_t kept = s->touched_count < TOUCHED ? s->touched_count : TOUCHED;
	if (*cursor >= kept)
		return false;
	const struct touched *t = &s->touched[(s->touched_count - 1 - *cursor) % TOUCHED];
	if (t->version <= since)
		return false;
	++*cursor;
	*namespace = t->namespace;
	*name = t->name;
	return true;
}
