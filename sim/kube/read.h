/* kube/read.h: tokens into typed objects by schema tables.
 *
 * Strict where the API server's decoder is: a number is no string, a quoted number
 * no integer; the message names the place and what was expected. Lenient where a
 * snapshot may come from another version: unknown fields are warnings.
 */
#ifndef KUBE_READ_H
#define KUBE_READ_H

#include "core/strbuf.h"
#include "kube/pool.h"
#include "kube/schema.h"
#include "kube/tokens.h"

struct reader {
	struct tokens *tokens;
	struct kube_pool *pool;
	struct arena *scratch;      /* emptied by the caller between documents */
	struct strbuf *warnings;    /* lines; NULL: nobody wants them */
	const char *file;
	struct err *err;
};

/* Where in a document: "spec.ports[0].name". */
struct read_path {
	const struct read_path *up;
	const char *name;   /* NULL: an index */
	uint32_t index;
};

/* Reads the rest of a mapping whose first token was taken into the struct at `base`.
 * `path` NULL: a whole document, whose apiVersion and kind are skipped. */
int read_fields(struct reader *r, const struct field *fields, void *base,
		const struct read_path *path);
/* A warning about the place of a token. */
void read_warn(struct reader *r, const struct token *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
