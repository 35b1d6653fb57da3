/* kube/explain.h: kubectl explain, from the schema tables.
 *
 * The layout is that of kubectl's plaintext template; the texts are the tables' own.
 * Fields that the tables only know by name (kept out of the structs) are not listed.
 */
#ifndef KUBE_EXPLAIN_H
#define KUBE_EXPLAIN_H

#include <stdbool.h>

#include "core/err.h"
#include "core/strbuf.h"

/* `path`: "pods", "svc.spec.ports.targetPort". ENOENT: no such kind or field, with
 * kubectl's words in `err`; what kubectl prints before them is in `out`. */
int kube_explain(const char *path, bool recursive, struct strbuf *out, struct err *err);

#endif
