/* kube/tokens.h: YAML text as a stream of tokens.
 *
 * libfyaml's events, without document trees: memory does not grow with the text.
 * Two things need a look back, and only then tokens are kept: an alias repeats the
 * node of its anchor, and a document may name its kind after its other fields
 * (tokens_mark, tokens_rewind). Aliases are delivered as the tokens they stand for;
 * how much they may blow up a text is limited, so that a few lines cannot stand for
 * billions.
 *
 * A token's text is valid until the next call of tokens_next.
 */
#ifndef KUBE_TOKENS_H
#define KUBE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum token_kind {
	TOKEN_DOCUMENT, TOKEN_DOCUMENT_END, TOKEN_MAP, TOKEN_MAP_END, TOKEN_LIST, TOKEN_LIST_END,
	TOKEN_SCALAR, TOKEN_END,
	TOKEN_ALIAS /* never delivered */
};

struct token {
	enum token_kind kind;
	bool plain;        /* scalar without quotes: its text decides its type */
	int line, column;  /* from 1 */
	uint32_t anchor;   /* TOKEN_ALIAS: which */
	const char *text;  /* scalar; NUL-terminated only by chance */
	size_t length;
};

struct tokens;

/* The text is borrowed; `file` is for messages. `plain`: simple documents are read without
 * libfyaml (kube/plain.h), to the same tokens. */
struct tokens *tokens_open(const char *text, size_t length, const char *file, bool plain);
void tokens_close(struct tokens *t);
/* EINVAL: the text is no YAML; `err` says where and why. After the end: TOKEN_END. */
int tokens_next(struct tokens *t, struct token *out, struct err *err);
/* Skips the rest of a node whose first token is `first`. */
int tokens_skip(struct tokens *t, const struct token *first, struct err *err);

/* From here on tokens are kept; tokens_rewind goes back to here once. Marks are for one
 * place in a document and don't nest. */
void tokens_mark(struct tokens *t);
void tokens_rewind(struct tokens *t);

#endif
