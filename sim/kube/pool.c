/* kube/pool.c: see pool.h. */
#include "kube/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/table.h"

#define CHUNK_BYTES 65536u

struct entry {
	const char *bytes; /* NULL: free */
	uint32_t hash, size;
};

/* A bump allocator without slack: arena memory is in steps of 16 bytes, which would
 * double the size of most names. */
struct chunk {
	char *next;
	size_t left;
};

struct kube_pool {
	struct arena *arena;
	uint32_t references, count, size; /* size: a power of two */
	struct entry *entries;
	struct chunk strings, arrays;
};

struct kube_pool *kube_pool_new(void)
{
	struct kube_pool *p = mem_alloc(sizeof *p);
	p->arena = arena_new();
	p->references = 1;
	p->size = 64;
	p->entries = mem_array(p->size, sizeof *p->entries);
	return p;
}

struct kube_pool *kube_pool_ref(struct kube_pool *p)
{
	p->references++;
	return p;
}

void kube_pool_unref(struct kube_pool *p)
{
	if (!p || --p->references)
		return;
	arena_free(p->arena);
	free(p->entries);
	free(p);
}

struct arena *kube_pool_arena(struct kube_pool *p)
{
	return p->arena;
}

void kube_pool_seal(struct kube_pool *p)
{
	free(p->entries);
	p->entries = NULL;
	p->size = p->count = 0;
}

static char *chunk_take(struct kube_pool *p, struct chunk *c, size_t size)
{
	if (size > CHUNK_BYTES / 8)
		return arena_alloc(p->arena, size);
	if (c->left < size) {
		c->next = arena_alloc(p->arena, CHUNK_BYTES);
		c->left = CHUNK_BYTES;
	}
	char *at = c->next;
	c->next += size;
	c->left -= size;
	return at;
}

static void grow(struct kube_pool *p)
{
	struct entry *old = p->entries;
	uint32_t old_size = p->size;
	p->size *= 2;
	p->entries = mem_array(p->size, sizeof *p->entries);
	for (uint32_t i = 0; i < old_size; i++) {
		if (!old[i].bytes)
			continue;
		uint32_t at = old[i].hash & (p->size - 1);
		while (p->entries[at].bytes)
			at = (at + 1) & (p->size - 1);
		p->entries[at] = old[i];
	}
	free(old);
}

/* The pool's copy of these bytes. Strings hash with their own seed: a string is never
 * taken for an array, which needs alignment. */
static const char *intern(struct kube_pool *p, const void *bytes, size_t size, bool string)
{
	assert(size < UINT32_MAX / 2);
	if (!p->entries)
		return memcpy(arena_alloc(p->arena, size + string), bytes, size);
	uint32_t hash = (uint32_t)hash_bytes(bytes, size, string), mask = p->size - 1;
	uint32_t tagged = (uint32_t)size * 2 + string;
	uint32_t at = hash & mask;
	for (; p->entries[at].bytes; at = (at + 1) & mask) {
		const struct entry *e = &p->entries[at];
		if (e->hash == hash && e->size == tagged && memcmp(e->bytes, bytes, size) == 0)
			return e->bytes;
	}
	char *copy = string ? chunk_take(p, &p->strings, size + 1) :
			      chunk_take(p, &p->arrays, (size + 7) / 8 * 8);
	memcpy(copy, bytes, size);
	p->entries[at] = (struct entry){ copy, hash, tagged };
	if (++p->count > p->size / 2)
		grow(p);
	return copy;
}

const char *kube_pool_string(struct kube_pool *p, const char *text, size_t length)
{
	return intern(p, text, length, true);
}

void *kube_pool_bytes(struct kube_pool *p, const void *bytes, size_t size)
{
	return size ? (void *)(uintptr_t)intern(p, bytes, size, false) : NULL;
}
