/* core/arena.c: chained blocks of doubling size. */
#include "core/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK_BYTES 4096u
#define LARGEST_BLOCK_BYTES (1u << 20)
#define ALIGNMENT sizeof(max_align_t)

struct block {
	struct block *next;
	size_t size, used;
	max_align_t data[];
};

struct arena {
	struct block *head;
	size_t bytes;
};

static void mem_fail(size_t size)
{
	fprintf(stderr, "svclab: out of memory (%zu bytes wanted)\n", size);
	abort();
}

void *mem_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);
	if (!p)
		mem_fail(size);
	return p;
}

void *mem_array(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);
	if (!p)
		mem_fail(count);
	return p;
}

void *mem_grow(void *p, size_t old_count, size_t count, size_t size)
{
	assert(count >= old_count && size > 0 && count <= SIZE_MAX / size);
	void *q = realloc(p, count ? count * size : 1);
	if (!q)
		mem_fail(count * size);
	memset((char *)q + old_count * size, 0, (count - old_count) * size);
	return q;
}

char *mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	return memcpy(mem_alloc(n), s, n);
}

static struct block *block_new(struct arena *a, size_t size)
{
	struct block *b = mem_alloc(sizeof *b + size);
	b->size = size;
	b->next = a->head;
	a->head = b;
	a->bytes += sizeof *b + size;
	return b;
}

struct arena *arena_new(void)
{
	return mem_alloc(sizeof(struct arena));
}

struct arena *arena_new_sized(size_t bytes)
{
	struct arena *a = arena_new();
	block_new(a, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct block *b = a->head, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

void arena_reset(struct arena *a)
{
	struct block *keep = a->head;
	if (!keep)
		return;
	for (struct block *b = keep->next, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	memset(keep->data, 0, keep->used);
	keep->next = NULL;
	keep->used = 0;
	a->bytes = sizeof *keep + keep->size;
}

void *arena_alloc(struct arena *a, size_t size)
{
	assert(size <= SIZE_MAX / 2);
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	struct block *b = a->head;
	if (b && size > b->size) {
		/* Behind the head, whose room stays for small pieces. */
		struct block *own = block_new(a, size);
		a->head = b;
		own->next = b->next;
		b->next = own;
		own->used = size;
		return own->data;
	}
	if (!b || b->size - b->used < size) {
		size_t want = b ? b->size * 2 : FIRST_BLOCK_BYTES;
		if (want > LARGEST_BLOCK_BYTES)
			want = LARGEST_BLOCK_BYTES;
		if (want < size)
			want = size;
		b = block_new(a, want);
	}
	void *p = (char *)b->data + b->used;
	b->used += size;
	return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	assert(size == 0 || count <= SIZE_MAX / 2 / size);
	return arena_alloc(a, count * size);
}

char *arena_strndup(struct arena *a, const char *s, size_t length)
{
	char *p = arena_alloc(a, length + 1);
	memcpy(p, s, length);
	p[length] = '\0';
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	char *p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

size_t arena_bytes(const struct arena *a)
{
	return a->bytes;
}
