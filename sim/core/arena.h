/* core/arena.h: memory by lifetime.
 *
 * An arena hands out memory that lives until the arena is reset or freed, all
 * at once. Memory is zeroed and aligned for any type. Out of memory ends the
 * process with a message (mem_fail): nothing in svclab can go on without it.
 * Not thread-safe. What has a lifetime of its own uses mem_alloc and free().
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
/* With a first block of about this size: for the many arenas of small objects. */
struct arena *arena_new_sized(size_t bytes);
/* Frees everything that was allocated from `a`, and `a`. NULL is allowed. */
void arena_free(struct arena *a);
/* Forgets everything that was allocated; keeps one block for re-use. */
void arena_reset(struct arena *a);
void *arena_alloc(struct arena *a, size_t size);
/* `count` times `size` bytes, with overflow check. */
void *arena_array(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t length);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Bytes taken from the system by `a`. */
size_t arena_bytes(const struct arena *a);

/* malloc family that cannot return NULL; release with free(). Zeroed. */
void *mem_alloc(size_t size);
void *mem_array(size_t count, size_t size);
/* Grows `p` from `old_count` to `count` elements of `size`; new ones are zeroed. */
void *mem_grow(void *p, size_t old_count, size_t count, size_t size);
char *mem_strdup(const char *s);

#endif
