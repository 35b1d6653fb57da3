/* core/strbuf.c: see strbuf.h. */
#include "core/strbuf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

void strbuf_free(struct strbuf *b)
{
	free(b->data);
	*b = (struct strbuf){ 0 };
}

void strbuf_clear(struct strbuf *b)
{
	b->length = 0;
	if (b->data)
		b->data[0] = '\0';
}

void strbuf_reserve(struct strbuf *b, size_t more)
{
	if (b->capacity - b->length > more)
		return;
	size_t want = b->capacity ? b->capacity : 64;
	while (want - b->length <= more)
		want *= 2;
	char *p = realloc(b->data, want);
	assert(p && "out of memory");
	if (!b->data)
		p[0] = '\0';
	b->data = p;
	b->capacity = want;
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t length)
{
	strbuf_reserve(b, length);
	if (length)
		memcpy(b->data + b->length, bytes, length);
	b->length += length;
	b->data[b->length] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_putc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void strbuf_fill(struct strbuf *b, char c, int count)
{
	for (; count > 0; count--)
		strbuf_putc(b, c);
}

void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	strbuf_reserve(b, 96);
	int n = vsnprintf(b->data + b->length, b->capacity - b->length, fmt, ap);
	assert(n >= 0);
	if ((size_t)n >= b->capacity - b->length) {
		strbuf_reserve(b, (size_t)n);
		vsnprintf(b->data + b->length, b->capacity - b->length, fmt, again);
	}
	va_end(again);
	b->length += (size_t)n;
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	strbuf_vprintf(b, fmt, ap);
	va_end(ap);
}

char *strbuf_steal(struct strbuf *b)
{
	char *p = b->data ? b->data : mem_strdup("");
	*b = (struct strbuf){ 0 };
	return p;
}

const char *strbuf_text(const struct strbuf *b)
{
	return b->data ? b->data : "";
}
