/* kubeproxy/text.h: appending rule text fast.
 *
 * A large cluster has half a million lines; these are strbuf_add without the call and
 * without the NUL after every piece. text_end sets it; call it before the text is read.
 */
#ifndef KUBEPROXY_TEXT_H
#define KUBEPROXY_TEXT_H

#include <string.h>

#include "core/strbuf.h"

static inline void text_bytes(struct strbuf *b, const char *s, size_t n)
{
	if (__builtin_expect(b->capacity - b->length <= n, 0))
		strbuf_reserve(b, n);
	memcpy(b->data + b->length, s, n);
	b->length += n;
}

/* For literals the compiler knows the length. */
static inline void text_put(struct strbuf *b, const char *s)
{
	text_bytes(b, s, strlen(s));
}

static inline void text_number(struct strbuf *b, unsigned long n)
{
	char digits[24], *p = digits + sizeof digits;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	text_bytes(b, p, (size_t)(digits + sizeof digits - p));
}

static inline void text_end(struct strbuf *b)
{
	strbuf_reserve(b, 1);
	b->data[b->length] = '\0';
}

#endif
