/* tests/unit/tokens_same.h: holds the plain reader against libfyaml.
 *
 * Both must find the same tokens in the same places, or both an error. Where a value is
 * left out the places differ by nature, and so do those of ends. */
#ifndef TESTS_TOKENS_SAME_H
#define TESTS_TOKENS_SAME_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kube/tokens.h"

static inline bool tokens_placed(const struct token *t)
{
	return (t->kind == TOKEN_SCALAR && t->length) || t->kind == TOKEN_MAP ||
	       t->kind == TOKEN_LIST;
}

/* Documents and empty documents are told apart by neither reader's callers. */
static inline int tokens_content(struct tokens *t, struct token *out)
{
	int code;
	do
		code = tokens_next(t, out, NULL);
	while (!code && (out->kind == TOKEN_DOCUMENT || out->kind == TOKEN_DOCUMENT_END));
	return code;
}

/* A document that holds nothing is a null for libfyaml and nothing for the other. */
static inline int tokens_step(struct tokens *t, struct token *out, unsigned *depth)
{
	int code;
	do
		code = tokens_content(t, out);
	while (!code && !*depth && out->kind == TOKEN_SCALAR && !out->length);
	if (!code && (out->kind == TOKEN_MAP || out->kind == TOKEN_LIST))
		++*depth;
	if (!code && (out->kind == TOKEN_MAP_END || out->kind == TOKEN_LIST_END))
		--*depth;
	return code;
}

/* False: they differ; `why` says where. */
static inline bool tokens_same(const char *text, size_t length, char why[256])
{
	struct tokens *a = tokens_open(text, length, "a", true);
	struct tokens *b = tokens_open(text, length, "b", false);
	struct token x, y;
	unsigned deep_a = 0, deep_b = 0;
	bool same = true, more = true;
	while (same && more) {
		int code_a = tokens_step(a, &x, &deep_a), code_b = tokens_step(b, &y, &deep_b);
		if (code_a || code_b) {
			same = code_a == code_b;
			snprintf(why, 256, "codes %d and %d near line %d", code_a, code_b, x.line);
			break;
		}
		same = x.kind == y.kind && x.length == y.length &&
		       (!x.length || memcmp(x.text, y.text, x.length) == 0) &&
		       (x.kind != TOKEN_SCALAR || !x.length || x.plain == y.plain) &&
		       (!tokens_placed(&x) || (x.line == y.line && x.column == y.column));
		snprintf(why, 256, "%d:%d kind %d %zu \"%.*s\" and %d:%d kind %d %zu \"%.*s\"",
			 x.line, x.column, x.kind, x.length, (int)(x.length < 60 ? x.length : 60),
			 x.length ? x.text : "", y.line, y.column, y.kind, y.length,
			 (int)(y.length < 60 ? y.length : 60), y.length ? y.text : "");
		more = x.kind != TOKEN_END;
	}
	tokens_close(a);
	tokens_close(b);
	return same;
}

#endif
