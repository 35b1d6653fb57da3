/* kube/plain.h: the plain part of YAML, read without libfyaml.
 *
 * A dump of a large cluster is tens of megabytes of the simplest YAML: block mappings
 * and lists, scalars on one line. libfyaml reads 25 MB of it a second; this reads the
 * same documents to the same tokens about ten times as fast. It knows no anchors,
 * tags, block scalars, escapes, scalars over several lines, tabs or bytes beyond
 * ASCII, and it makes no error messages: a document in which it finds anything that
 * it does not know, or that is wrong, is left to libfyaml as a whole. So plain_accepts
 * goes through a document first, and only then its tokens are asked for.
 *
 * tests/unit/kube_tokens.c and tests/fuzz/tokens.c hold both readers against each
 * other.
 */
#ifndef KUBE_PLAIN_H
#define KUBE_PLAIN_H

#include "kube/tokens.h"

#define PLAIN_DEPTH 48

struct plain_frame {
	bool list;
	int indent;
};

struct plain { /* a place in a document */
	const char *at, *end;      /* end: of the whole text */
	int line;                  /* of `at`, from 1 */
	struct plain_frame stack[PLAIN_DEPTH];
	unsigned depth;
	bool pending;              /* a key or dash that has no value yet */
	bool root_done, ended, wrong, dry;
	struct token *queue;       /* tokens of the current line */
	uint32_t queue_head, queue_count, queue_capacity;
};

/* `text` begins a line, which is not "---". */
void plain_start(struct plain *p, const char *text, const char *end, int line);
void plain_stop(struct plain *p);
/* Whether the document that begins here is plain; the place of its end is then in
 * *stop and *stop_line: a line "---" or "...", or the end of the text. */
bool plain_accepts(const char *text, const char *end, int line, const char **stop,
		   int *stop_line);
/* The next token of an accepted document; false: it has ended. */
bool plain_next(struct plain *p, struct token *out);
/* Whether a line that begins here ends a document; and whether nothing is on it but "---"
 * or "..." with blanks or a comment. */
bool plain_is_marker(const char *line, const char *end);
bool plain_is_bare_marker(const char *line, const char *end);

#endif
