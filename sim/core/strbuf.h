/* core/strbuf.h: a growing string.
 *
 * `data` is always NUL-terminated once anything was appended; `length` does
 * not count the NUL. A zeroed struct is an empty buffer. The owner calls
 * strbuf_free, or takes the text over with strbuf_steal.
 */
#ifndef CORE_STRBUF_H
#define CORE_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

struct strbuf {
	char *data;
	size_t length, capacity;
};

void strbuf_free(struct strbuf *b);
/* Keeps the memory, forgets the text. */
void strbuf_clear(struct strbuf *b);
/* Makes room for `more` further bytes. */
void strbuf_reserve(struct strbuf *b, size_t more);
void strbuf_add(struct strbuf *b, const void *bytes, size_t length);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_putc(struct strbuf *b, char c);
/* `count` times the character `c`; a count below 1 adds nothing. */
void strbuf_fill(struct strbuf *b, char c, int count);
void strbuf_printf(struct strbuf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* Returns the text (never NULL; free() it) and empties the buffer. */
char *strbuf_steal(struct strbuf *b);
/* The text, "" when empty; valid until the next change. */
const char *strbuf_text(const struct strbuf *b);

#endif
