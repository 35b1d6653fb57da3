/* kube/store.c: see store.h. */
#include "kube/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/schema.h"
#include "kube/store_internal.h"

struct kube_store *kube_store_new(struct engine *engine, struct choice *choice)
{
	struct kube_store *s = mem_alloc(sizeof *s);
	s->engine = engine;
	s->choice = choice;
	s->next_watch = 1;
	store_index_init(s);
	return s;
}

void kube_store_free(struct kube_store *s)
{
	if (!s)
		return;
	store_watch_free(s);
	store_touched_free(s);
	store_index_free(s);
	for (int i = 0; i < KIND_COUNT; i++)
		kind_table_free(&s->kinds[i]);
	free(s);
}

struct engine *kube_store_engine(const struct kube_store *s)
{
	return s->engine;
}

uint64_t kube_store_version(const struct kube_store *s)
{
	return s->version;
}

uint32_t kube_store_count(const struct kube_store *s, enum kube_kind kind)
{
	return s->kinds[kind].live;
}

static const char *shown(const char *namespace)
{
	return namespace ? namespace : "";
}

/* A version 4 UUID drawn from the seed; without a seed, from the object's version. */
static const char *make_uid(struct kube_store *s, struct kube_object *o)
{
	uint64_t high, low;
	if (s->choice) {
		high = choice_uniform(s->choice, "name", UINT64_C(1) << 62);
		low = choice_uniform(s->choice, "name", UINT64_C(1) << 62);
	} else {
		const char *name = shown(o->meta.name);
		high = hash_bytes(name, strlen(name), s->version);
		low = hash_bytes(name, strlen(name), ~s->version);
	}
	/* By hand: 150,000 of them are made when a dump is loaded. */
	char *text = arena_alloc(o->arena, 37);
	for (int i = 0; i < 36; i++) {
		uint64_t *from = i < 18 ? &high : &low;
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			text[i] = '-';
			continue;
		}
		text[i] =
		    i == 14 ? '4' : "0123456789abcdef"[i == 19 ? 8 | (*from & 3) : *from & 15];
		if (i != 14)
			*from >>= i == 19 ? 2 : 4;
	}
	return text;
}

static int exists_error(const struct kube_object *have, const struct kube_object *o,
			struct err *err)
{
	const struct kind_schema *schema = kube_schema(o->kind);
	const char *slash = strchr(schema->group_version, '/');
	int group = slash ? (int)(slash - schema->group_version) : 0;
	if (have->file && o->file)
		return err_at(err, EEXIST, o->file, o->line, 0,
			      "%s \"%s%s%s\" was already given at %s:%d, expected each object once",
			      schema->name, shown(o->meta.namespace), o->meta.namespace ? "/" : "",
			      shown(o->meta.name), have->file, have->line);
	return err_set(err, EEXIST, "%s%s%.*s \"%s\" already exists", schema->plural,
		       group ? "." : "", group, schema->group_version, shown(o->meta.name));
}

int kube_store_create(struct kube_store *s, struct kube_object *o, struct err *err)
{
	struct kind_table *t = &s->kinds[o->kind];
	uint32_t at = kind_table_find(t, o->meta.namespace, o->meta.name);
	if (at != UINT32_MAX) {
		int code = exists_error(t->slots[at].object, o, err);
		kube_unref(o);
		return code;
	}
	s->version++;
	if (!o->meta.uid)
		o->meta.uid = make_uid(s, o);
	if (!o->meta.creation_ns)
		o->meta.creation_ns = s->engine ? engine_now(s->engine) : 0;
	if (!o->meta.generation)
		o->meta.generation = 1;
	o->meta.resource_version = s->version;
	kind_table_add(t, o);
	store_index_change(s, NULL, o);
	store_touched_change(s, NULL, o);
	store_tell(s, KUBE_ADDED, NULL, o);
	return 0;
}

static int missing_error(enum kube_kind kind, const char *name, struct err *err)
{
	const struct kind_schema *schema = kube_schema(kind);
	const char *slash = strchr(schema->group_version, '/');
	int group = slash ? (int)(slash - schema->group_version) : 0;
	return err_set(err, ENOENT, "%s%s%.*s \"%s\" not found", schema->plural, group ? "." : "",
		       group, schema->group_version, shown(name));
}

int kube_store_update(struct kube_store *s, struct kube_object *o, bool spec_changed,
		      struct err *err)
{
	struct kind_table *t = &s->kinds[o->kind];
	uint32_t at = kind_table_find(t, o->meta.namespace, o->meta.name);
	if (at == UINT32_MAX) {
		int code = missing_error(o->kind, o->meta.name, err);
		kube_unref(o);
		return code;
	}
	struct kube_object *old = t->slots[at].object;
	assert(old != o && "a stored object is immutable: change a copy");
	s->version++;
	if (!kube_is(o->meta.uid, old->meta.uid))
		o->meta.uid = kube_string(o, old->meta.uid);
	o->meta.creation_ns = old->meta.creation_ns;
	o->meta.generation = old->meta.generation + spec_changed;
	o->meta.resource_version = s->version;
	t->slots[at].object = o;
	store_index_change(s, old, o);
	store_touched_change(s, old, o);
	kube_ref(o); /* a watcher may delete it */
	store_tell(s, KUBE_MODIFIED, old, o);
	kube_unref(o);
	kube_unref(old);
	return 0;
}

int kube_store_delete(struct kube_store *s, enum kube_kind kind, const char *namespace,
		      const char *name, struct err *err)
{
	struct kind_table *t = &s->kinds[kind];
	uint32_t at = kind_table_find(t, namespace, name);
	if (at == UINT32_MAX)
		return missing_error(kind, name, err);
	struct kube_object *old = kube_ref(t->slots[at].object);
	s->version++;
	store_index_change(s, old, NULL);
	store_touched_change(s, old, NULL);
	kind_table_remove(t, at);
	store_tell(s, KUBE_DELETED, old, NULL);
	kube_unref(old);
	return 0;
}

const struct kube_object *kube_store_get(const struct kube_store *s, enum kube_kind kind,
					 const char *namespace, const char *name)
{
	const struct kind_table *t = &s->kinds[kind];
	uint32_t at = kind_table_find(t, namespace, name);
	return at == UINT32_MAX ? NULL : t->slots[at].object;
}
