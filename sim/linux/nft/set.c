/* linux/nft/set.c: sets and maps, named and anonymous.
 *
 * A named set without intervals is a hash table over the key's bytes. All others keep a
 * sorted array of ranges [key, end]; when no range is wider than a value, or the key has
 * one field, the last range that begins at or before a key decides (kernel: rbtree). Wide
 * ranges in concatenations are tried one by one, field by field (kernel: pipapo).
 */
#include "linux/nft/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

void nft_layout_add(struct nft_layout *l, enum nft_type type, unsigned bytes)
{
	struct nft_field *f = &l->field[l->count++];
	f->type = (uint8_t)type;
	f->bytes = (uint8_t)bytes;
	f->size = (uint8_t)((bytes + 3) / 4 * 4);
	l->size = (uint8_t)(l->size + f->size);
}

struct nft_set *nft_set_new(struct nft_table *t, const char *name)
{
	struct nft_set *s = mem_alloc(sizeof *s);
	s->table = t;
	s->name = name ? mem_strdup(name) : NULL;
	return s;
}

static void free_extra(struct nft_extra *x)
{
	if (!x)
		return;
	free(x->comment);
	nft_rule_free(x->statements);
	free(x);
}

void nft_elem_free(struct nft_elem *e)
{
	if (!e)
		return;
	free_extra(e->extra);
	free(e);
}

void nft_set_free(struct nft_set *s)
{
	void *value;
	if (!s)
		return;
	for (uint32_t i = 0; s->index.stride && table_next(&s->index, &i, NULL, &value);)
		nft_elem_free(*(struct nft_elem **)value);
	if (s->index.stride)
		table_free(&s->index);
	for (uint32_t i = 0; s->sorted && i < s->count; i++)
		nft_elem_free(s->sorted[i]);
	nft_elem_free(s->catch_all);
	nft_rule_free(s->statements);
	free(s->sorted);
	free(s->name);
	free(s->comment);
	free(s->key_text);
	free(s->data_text);
	free(s);
}

struct nft_elem *nft_elem_new(const struct nft_set *s)
{
	size_t keys = (nft_set_hashed(s) ? 1u : 2u) * s->key.size;
	size_t data = s->data.size * (s->data_ranges ? 2u : 1u);
	return mem_alloc(sizeof(struct nft_elem) + keys + data);
}

bool nft_elem_expired(const struct nft_elem *e, int64_t now_ns)
{
	return e->expires_ns && e->expires_ns <= now_ns;
}

static int compare(const struct nft_set *s, const struct nft_elem *a, const struct nft_elem *b)
{
	int order = memcmp(a->bytes, b->bytes, s->key.size);
	if (order || nft_set_hashed(s))
		return order;
	return memcmp(nft_elem_end(s, a), nft_elem_end(s, b), s->key.size);
}

/* Number of elements whose range begins at or before the key. */
static uint32_t begin_before(const struct nft_set *s, const uint8_t *key)
{
	uint32_t low = 0, high = s->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (memcmp(s->sorted[middle]->bytes, key, s->key.size) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Every field between the fields of low and high. */
static bool fields_within(const struct nft_layout *l, const uint8_t *key, const uint8_t *low,
			  const uint8_t *high)
{
	unsigned at = 0;
	for (unsigned i = 0; i < l->count; at += l->field[i++].size) {
		if (memcmp(key + at, low + at, l->field[i].size) < 0 ||
		    memcmp(key + at, high + at, l->field[i].size) > 0)
			return false;
	}
	return true;
}

static bool one_by_one(const struct nft_set *s)
{
	return s->ranges && s->key.count > 1;
}

static struct nft_elem *find_sorted(const struct nft_set *s, const uint8_t *key, int64_t now_ns)
{
	if (one_by_one(s)) {
		for (uint32_t i = 0; i < s->count; i++) {
			struct nft_elem *e = s->sorted[i];
			if (!nft_elem_expired(e, now_ns) &&
			    fields_within(&s->key, key, e->bytes, nft_elem_end(s, e)))
				return e;
		}
		return NULL;
	}
	for (uint32_t i = begin_before(s, key); i-- > 0;) {
		struct nft_elem *e = s->sorted[i];
		if (memcmp(nft_elem_end(s, e), key, s->key.size) < 0)
			return NULL;
		if (!nft_elem_expired(e, now_ns))
			return e;
	}
	return NULL;
}

struct nft_elem *nft_set_find(const struct nft_set *s, const uint8_t *key, int64_t now_ns)
{
	struct nft_elem *e = NULL;
	if (nft_set_hashed(s)) {
		struct nft_elem **found = s->count ? table_find(&s->index, key) : NULL;
		e = found && !nft_elem_expired(*found, now_ns) ? *found : NULL;
	} else if (s->count) {
		e = find_sorted(s, key, now_ns);
	}
	return e ? e : s->catch_all;
}

struct nft_elem *nft_set_same(const struct nft_set *s, const struct nft_elem *e)
{
	if (e->catch_all)
		return s->catch_all;
	if (nft_set_hashed(s)) {
		struct nft_elem **found = s->count ? table_find(&s->index, e->bytes) : NULL;
		return found ? *found : NULL;
	}
	for (uint32_t i = begin_before(s, e->bytes); i-- > 0;) {
		int order = compare(s, s->sorted[i], e);
		if (order == 0)
			return s->sorted[i];
		if (memcmp(s->sorted[i]->bytes, e->bytes, s->key.size) < 0)
			break;
	}
	return NULL;
}

struct nft_elem *nft_set_overlap(const struct nft_set *s, const struct nft_elem *e)
{
	const uint8_t *end = nft_elem_end(s, e);
	if (nft_set_hashed(s) || e->catch_all)
		return NULL;
	if (s->key.count > 1) {
		for (uint32_t i = 0; i < s->count; i++) { /* every field overlaps */
			const struct nft_elem *o = s->sorted[i];
			bool apart = false;
			for (unsigned f = 0, at = 0; f < s->key.count; at += s->key.field[f++].size)
				apart |=
				    memcmp(o->bytes + at, end + at, s->key.field[f].size) > 0 ||
				    memcmp(nft_elem_end(s, o) + at, e->bytes + at,
					   s->key.field[f].size) < 0;
			if (!apart)
				return s->sorted[i];
		}
		return NULL;
	}
	uint32_t n = begin_before(s, end);
	if (n && memcmp(nft_elem_end(s, s->sorted[n - 1]), e->bytes, s->key.size) >= 0)
		return s->sorted[n - 1];
	return NULL;
}

static void append(struct nft_set *s, struct nft_elem *e, uint32_t at)
{
	if (s->count == s->capacity) {
		uint32_t want = s->capacity ? s->capacity * 2 : 4;
		s->sorted = mem_grow(s->sorted, s->capacity, want, sizeof *s->sorted);
		s->capacity = want;
	}
	memmove(s->sorted + at + 1, s->sorted + at, (s->count - at) * sizeof *s->sorted);
	s->sorted[at] = e;
	s->count++;
	if (memcmp(e->bytes, nft_elem_end(s, e), s->key.size) != 0)
		s->ranges = true;
}

void nft_set_put(struct nft_set *s, struct nft_elem *e)
{
	if (e->catch_all) {
		s->catch_all = e;
	} else if (nft_set_hashed(s)) {
		if (!s->index.stride)
			table_init(&s->index, s->key.size, sizeof e);
		*(struct nft_elem **)table_put(&s->index, e->bytes, NULL) = e;
		s->count++;
	} else {
		append(s, e, s->name ? begin_before(s, e->bytes) : s->count);
	}
}

void nft_set_take(struct nft_set *s, struct nft_elem *e)
{
	if (e->catch_all) {
		s->catch_all = NULL;
	} else if (nft_set_hashed(s)) {
		s->count -= table_remove(&s->index, e->bytes);
	} else {
		uint32_t at = begin_before(s, e->bytes);
		while (at-- > 0 && s->sorted[at] != e)
			;
		if (at == UINT32_MAX)
			return;
		s->count--;
		memmove(s->sorted + at, s->sorted + at + 1, (s->count - at) * sizeof *s->sorted);
	}
}

static int compare_elements(const void *a, const void *b, void *ctx)
{
	return compare(ctx, *(struct nft_elem *const *)a, *(struct nft_elem *const *)b);
}

struct nft_elem **nft_set_sorted(const struct nft_set *s, uint32_t *count)
{
	struct nft_elem **all = mem_array(s->count + 1, sizeof *all);
	void *value;
	*count = 0;
	if (!nft_set_hashed(s)) {
		for (; *count < s->count; ++*count)
			all[*count] = s->sorted[*count];
		return all;
	}
	for (uint32_t i = 0; s->index.stride && table_next(&s->index, &i, NULL, &value);)
		all[(*count)++] = *(struct nft_elem **)value;
	qsort_r(all, *count, sizeof *all, compare_elements, (void *)(uintptr_t)s);
	return all;
}

/* b begins where a ends, or before. */
static bool touches(const struct nft_set *s, const struct nft_elem *a, const struct nft_elem *b)
{
	const uint8_t *end = nft_elem_end(s, a);
	uint8_t after[NFT_KEY];
	unsigned size = s->key.field[0].bytes;
	if (memcmp(b->bytes, end, s->key.size) <= 0)
		return true;
	memcpy(after, end, s->key.size);
	for (unsigned i = size; i-- > 0;)
		if (++after[i])
			return memcmp(b->bytes, after, s->key.size) == 0;
	return true;
}

/* Kernel and nft keep the ranges of anonymous sets merged; two equal elements are one. */
static int merge(struct nft_set *s)
{
	bool wide = s->ranges && s->key.count == 1 && !s->map;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		struct nft_elem *e = s->sorted[i], *last = kept ? s->sorted[kept - 1] : NULL;
		bool same = last && compare(s, last, e) == 0;
		bool overlaps = last && !one_by_one(s) &&
				memcmp(nft_elem_end(s, last), e->bytes, s->key.size) >= 0;
		if (last && ((wide && touches(s, last, e)) || (same && !s->map))) {
			uint8_t *end = last->bytes + s->key.size;
			if (memcmp(end, nft_elem_end(s, e), s->key.size) < 0)
				memcpy(end, nft_elem_end(s, e), s->key.size);
			nft_elem_free(e);
		} else if (same || overlaps) {
			memmove(s->sorted + kept, s->sorted + i,
				(s->count - i) * sizeof *s->sorted);
			s->count -= i - kept;
			return EEXIST;
		} else {
			s->sorted[kept++] = e;
		}
	}
	s->count = kept;
	return 0;
}

int nft_set_finish(struct nft_set *s)
{
	if (nft_set_hashed(s) || !s->count)
		return 0;
	qsort_r(s->sorted, s->count, sizeof *s->sorted, compare_elements, s);
	return merge(s);
}

void nft_set_purge(struct nft_set *s, int64_t now_ns, bool all)
{
	void *value;
	if (nft_set_hashed(s)) {
		for (uint32_t i = 0; s->index.stride && table_next(&s->index, &i, NULL, &value);) {
			struct nft_elem *e = *(struct nft_elem **)value;
			if (!(all && e->dynamic) && !nft_elem_expired(e, now_ns))
				continue;
			nft_elem_uses(e, -1);
			nft_set_take(s, e);
			nft_elem_free(e);
		}
		return;
	}
	for (uint32_t i = s->count; i-- > 0;) {
		struct nft_elem *e = s->sorted[i];
		if (!(all && e->dynamic) && !nft_elem_expired(e, now_ns))
			continue;
		nft_elem_uses(e, -1);
		nft_set_take(s, e);
		nft_elem_free(e);
	}
}
