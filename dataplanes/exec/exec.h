/* exec/exec.h: a planner that is a program of its own, in any language.
 *
 * `--dataplane exec:PROGRAM` starts PROGRAM once for each node that runs a kube-proxy and
 * talks to it over its standard input and output: a line of JSON each way, version 1 of the
 * protocol that dataplanes/README.md describes. The program is asked what sim/dataplane.h
 * asks of a planner (open, plan, close); what it plans is carried out by the executor of the
 * row: the Linux model, or real Linux. Files: plan.c the class, text.c the lines, pipe.c the
 * process.
 *
 * A program that cannot be started, ends, says what is no answer or says nothing is broken:
 * the call fails with ENOTRECOVERABLE and one line, which ends the run. A program that
 * answers {"error": "..."} has failed to plan, as a kube-proxy may; it is asked again.
 *
 * The same cluster gives the program the same lines; that it answers them alike is up to it.
 */
#ifndef EXEC_EXEC_H
#define EXEC_EXEC_H

#include "dataplane.h"

#define EXEC_PREFIX "exec:"
#define EXEC_PROTOCOL 1
#define EXEC_LINE_LIMIT ((size_t)64 << 20) /* bytes of an answer */

/* A registry with a row more for the program (on the model and on real Linux). */
struct exec_registry;

/* `name` is "exec:PROGRAM" and is borrowed; an answer may take `seconds` of wall time. */
struct exec_registry *exec_registry_new(const struct registry *others, const char *name, unsigned seconds);
void exec_registry_free(struct exec_registry *r); /* NULL is allowed */
const struct registry *exec_registry_rows(const struct exec_registry *r);

/* ---- pipe.c */
struct program;

int program_start(const char *path, unsigned seconds, struct program **out, struct err *err);
/* Sends a line (without its end) and waits for one, which replaces what is in `answer`. */
int program_ask(struct program *p, const struct strbuf *line, struct strbuf *answer, struct err *err);
const char *program_path(const struct program *p);
/* Closes its input, gives it a second to end; NULL is allowed. */
void program_stop(struct program *p);

/* ---- text.c */
void text_open(const struct proxy_view *view, struct strbuf *out);
void text_plan(const struct proxy_view *view, const struct plan_request *request, struct strbuf *out);
/* Reads {"transactions": [...]} or {"error": "..."}; only the keys that are asked for. */
int text_read(const char *path, const char *asked, const struct strbuf *answer, struct transactions *out,
	      struct err *err);

#endif
