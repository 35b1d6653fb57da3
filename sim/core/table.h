/* core/table.h: open addressing hash table with a dense, ordered body.
 *
 * Entries lie in an array in the order of insertion; the index beside it is
 * open addressing (linear probing) over 32-bit entry numbers. Walking the
 * entries is therefore deterministic: it never shows hash order. Removal
 * leaves a hole that walks skip and that the next growth closes.
 *
 * Keys: `key_size` bytes compared with memcmp (zero the padding!), or, with
 * TABLE_STRING_KEYS, a `const char *` whose text must outlive the entry.
 * A pointer to a value stays valid until the next table_put on that table.
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_STRING_KEYS 0u

struct table {
	size_t key_size, value_size, stride;
	bool string_keys;
	unsigned char *entries;   /* stride bytes each: live flag, key, value */
	uint32_t *index;          /* 0 empty, 1 tombstone, else entry number + 2 */
	uint32_t count, used, capacity, index_size, tombstones;
};

/* value_size may be 0 (a set). */
void table_init(struct table *t, size_t key_size, size_t value_size);
void table_free(struct table *t);
/* The value, or NULL. In a set, a pointer that only tells presence. */
void *table_find(const struct table *t, const void *key);
/* The value for `key`, added zeroed when missing; *added tells (may be NULL). */
void *table_put(struct table *t, const void *key, bool *added);
/* Whether it was there. */
bool table_remove(struct table *t, const void *key);
void table_clear(struct table *t);

/* Walk: for (uint32_t i = 0; table_next(t, &i, &key, &value); ) ...
 * in order of insertion; the current entry may be removed during the walk. For
 * string keys `key` is the stored `const char *` itself. */
bool table_next(const struct table *t, uint32_t *cursor, const void **key, void **value);

/* 64-bit hash, the same on every machine. */
uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed);

#endif
