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

#define RESULTS 64u /* a power of two */

struct result { const void *array; void *result; uint32_t kind; };

struct kube_pool {
	struct arena *arena;
	struct result results[RESULTS]; /* by address: the latest of each place */
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

/* Cheaper than hash_bytes: arrays of containers are a kilobyte each. */
static uint32_t quick_hash(const char *p, size_t size, uint64_t seed)
{
	uint64_t h = seed + size, word;
	for (; size >= sizeof word; p += sizeof word, size -= sizeof word) {
		memcpy(&word, p, sizeof word);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	word = 0;
	memcpy(&word, p, size);
	h = (h ^ word) * 0xd6e8feb86659fd93u;
	return (uint32_t)(h ^ h >> 32);
}

/* The pool's copy of these bytes. Strings hash with their own seed: a string is never
 * taken for an array, which needs alignment. */
static const char *intern(struct kube_pool *p, const void *bytes, size_t size, bool string)
{
	assert(size < UINT32_MAX / 2);
	if (!p->entries)
		return memcpy(arena_alloc(p->arena, size + string), bytes, size);
	uint32_t hash = quick_hash(bytes, size, string), mask = p->size - 1;
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

static uint32_t result_place(const void *array, uint32_t kind)
{
	return (uint32_t)hash_bytes(&array, sizeof array, kind) & (RESULTS - 1);
}

/* Addresses only choose what is forgotten; results don't depend on them. */
void *kube_pool_result(const struct kube_pool *p, const void *array, uint32_t kind)
{
	const struct result *r = &p->results[result_place(array, kind)];
	return r->array == array && r->kind == kind ? r->result : NULL;
}

void kube_pool_remember(struct kube_pool *p, const void *array, uint32_t kind, void *result)
{
	p->results[result_place(array, kind)] = (struct result){ array, result, kind };
}
