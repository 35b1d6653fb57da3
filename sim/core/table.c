/* core/table.c: see table.h. */
#include "core/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

enum { SLOT_EMPTY = 0, SLOT_TOMBSTONE = 1, SLOT_FIRST = 2 };
#define HEADER_BYTES 8u /* live flag, padded so that key and value stay aligned */

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
	const unsigned char *p = bytes;
	uint64_t h = mix(seed ^ (length * 0x9e3779b97f4a7c15u));
	for (; length >= 8; p += 8, length -= 8) {
		uint64_t word = 0;
		for (int i = 7; i >= 0; i--)
			word = word << 8 | p[i];
		h = mix(h ^ word);
	}
	uint64_t tail = 0;
	for (size_t i = length; i-- > 0;)
		tail = tail << 8 | p[i];
	return mix(h ^ tail);
}

static size_t round_up(size_t n)
{
	return (n + 7) / 8 * 8;
}

void table_init(struct table *t, size_t key_size, size_t value_size)
{
	*t = (struct table){ .key_size = key_size, .value_size = value_size };
	t->string_keys = key_size == TABLE_STRING_KEYS;
	if (t->string_keys)
		t->key_size = sizeof(const char *);
	t->stride = HEADER_BYTES + round_up(t->key_size) + round_up(value_size);
}

void table_free(struct table *t)
{
	free(t->entries);
	free(t->index);
	t->entries = NULL;
	t->index = NULL;
	t->count = t->used = t->capacity = t->index_size = t->tombstones = 0;
}

void table_clear(struct table *t)
{
	t->count = t->used = t->tombstones = 0;
	if (t->index)
		memset(t->index, 0, t->index_size * sizeof *t->index);
}

static unsigned char *entry_at(const struct table *t, uint32_t i)
{
	return t->entries + (size_t)i * t->stride;
}

static void *entry_value(const struct table *t, unsigned char *entry)
{
	return entry + HEADER_BYTES + round_up(t->key_size);
}

static const char *entry_string(const unsigned char *entry)
{
	const char *s;
	memcpy(&s, entry + HEADER_BYTES, sizeof s);
	return s;
}

static uint64_t key_hash(const struct table *t, const void *key)
{
	if (t->string_keys)
		return hash_bytes(key, strlen(key), 0);
	return hash_bytes(key, t->key_size, 0);
}

static bool key_equal(const struct table *t, const unsigned char *entry, const void *key)
{
	if (t->string_keys)
		return strcmp(entry_string(entry), key) == 0;
	return memcmp(entry + HEADER_BYTES, key, t->key_size) == 0;
}

/* Index position of the key, or of the free slot where it belongs. */
static uint32_t probe(const struct table *t, const void *key, bool *found)
{
	uint32_t mask = t->index_size - 1, grave = UINT32_MAX;
	uint32_t i = (uint32_t)key_hash(t, key) & mask;
	for (;; i = (i + 1) & mask) {
		uint32_t slot = t->index[i];
		if (slot == SLOT_EMPTY) {
			*found = false;
			return grave != UINT32_MAX ? grave : i;
		}
		if (slot == SLOT_TOMBSTONE) {
			if (grave == UINT32_MAX)
				grave = i;
		} else if (key_equal(t, entry_at(t, slot - SLOT_FIRST), key)) {
			*found = true;
			return i;
		}
	}
}

/* Closes holes, grows when more than half is live, rebuilds the index. */
static void rebuild(struct table *t)
{
	uint32_t capacity = t->capacity ? t->capacity : 8;
	if (t->count > capacity / 2)
		capacity *= 2;
	unsigned char *entries = mem_array(capacity, t->stride);
	uint32_t n = 0;
	for (uint32_t i = 0; i < t->used; i++)
		if (entry_at(t, i)[0])
			memcpy(entries + (size_t)n++ * t->stride, entry_at(t, i), t->stride);
	free(t->entries);
	free(t->index);
	t->entries = entries;
	t->capacity = capacity;
	t->used = t->count = n;
	t->tombstones = 0;
	t->index_size = capacity * 2;
	t->index = mem_array(t->index_size, sizeof *t->index);
	for (uint32_t i = 0; i < n; i++) {
		unsigned char *e = entry_at(t, i);
		const void *key = t->string_keys ? (const void *)entry_string(e) : e + HEADER_BYTES;
		bool found;
		uint32_t at = probe(t, key, &found);
		assert(!found);
		t->index[at] = i + SLOT_FIRST;
	}
}

void *table_find(const struct table *t, const void *key)
{
	if (!t->count)
		return NULL;
	bool found;
	uint32_t at = probe(t, key, &found);
	return found ? entry_value(t, entry_at(t, t->index[at] - SLOT_FIRST)) : NULL;
}

void *table_put(struct table *t, const void *key, bool *added)
{
	assert(t->stride && "table_init was not called");
	bool found = false;
	uint32_t at = 0;
	if (t->index)
		at = probe(t, key, &found);
	if (added)
		*added = !found;
	if (found)
		return entry_value(t, entry_at(t, t->index[at] - SLOT_FIRST));
	if (t->used == t->capacity || t->tombstones > t->capacity / 2) {
		rebuild(t);
		at = probe(t, key, &found);
	}
	if (t->index[at] == SLOT_TOMBSTONE)
		t->tombstones--;
	t->index[at] = t->used + SLOT_FIRST;
	unsigned char *e = entry_at(t, t->used++);
	memset(e, 0, t->stride);
	e[0] = 1;
	if (t->string_keys)
		memcpy(e + HEADER_BYTES, &key, sizeof key);
	else
		memcpy(e + HEADER_BYTES, key, t->key_size);
	t->count++;
	return entry_value(t, e);
}

bool table_remove(struct table *t, const void *key)
{
	bool found = false;
	uint32_t at = t->count ? probe(t, key, &found) : 0;
	if (!found)
		return false;
	entry_at(t, t->index[at] - SLOT_FIRST)[0] = 0;
	t->index[at] = SLOT_TOMBSTONE;
	t->tombstones++;
	t->count--;
	return true;
}

bool table_next(const struct table *t, uint32_t *cursor, const void **key, void **value)
{
	while (*cursor < t->used) {
		unsigned char *e = entry_at(t, (*cursor)++);
		if (!e[0])
			continue;
		if (key)
			*key = t->string_keys ? (const void *)entry_string(e) : e + HEADER_BYTES;
		if (value)
			*value = entry_value(t, e);
		return true;
	}
	return false;
}
