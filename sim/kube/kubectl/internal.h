/* kube/kubectl/internal.h: between the files of kubectl.
 *
 * One `struct call` is one command line: its verb, flags and arguments, where its two
 * texts go, and an arena that lives as long as it. A verb is a function of the call that
 * returns the exit code; what it says to the user on stderr goes through call_error and
 * its like, so that "error: " and the server's form are written in one place.
 */
#ifndef KUBE_KUBECTL_INTERNAL_H
#define KUBE_KUBECTL_INTERNAL_H

#include "kube/control/verbs.h"
#include "kube/kubectl/kubectl.h"
#include "kube/schema.h"
#include "kube/value.h"

struct flag_value {
	const char *name, *value;
};

struct call {
	struct kubectl *k;
	const char *verb;             /* also the flags' set: "get", "rollout", ... */
	struct arena *arena;
	struct strbuf *out, *err;
	const char *input;
	struct flag_value *flags;
	uint32_t flag_count;
	const char **args;            /* without flags, after the verb */
	uint32_t arg_count;
	int dash;                     /* index in args where "--" stood, -1 none */
	const char *warned;           /* lines of warnings said so far; NULL none */
};

/* ---- kubectl.c ------------------------------------------------------------------- */

/* "error: ..." and a newline on stderr; returns 1. */
int call_error(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "Error from server (NotFound): services \"x\" not found"; returns 1. */
int call_not_found(struct call *c, const struct kind_schema *s, const char *name);
int call_refused(struct call *c, struct kube_answer *answer, const char *doing);
/* Warnings of the server's answer. */
void call_warnings(struct call *c, const struct kube_answer *answer);
/* "Warning: TEXT" on the error output, the same text once a command. */
void call_warn(struct call *c, const char *text);
int64_t call_now(const struct call *c);
/* The namespace that the command works in. */
const char *call_namespace(const struct call *c);
/* Runs the clock until done; false: it didn't come to that (or there is no host). */
bool call_wait(struct call *c, bool (*done)(void *arg), void *arg, int64_t until_ns);
/* "--timeout=30s" as a time, INT64_MAX when it isn't given or 0. */
int64_t call_deadline(struct call *c);
enum dry_run { DRY_NONE, DRY_CLIENT, DRY_SERVER };
enum dry_run call_dry_run(struct call *c);
/* Text of a file, "-" the input. NULL: the error has been said. */
const char *call_file(struct call *c, const char *path);

/* ---- flags.c --------------------------------------------------------------------- */

/* Fills flags and args; 0, or 1 with the error said. */
int flags_parse(struct call *c, int argc, char *const *argv);
const char *call_flag(const struct call *c, const char *name);
bool call_flag_on(const struct call *c, const char *name);
/* The n-th value of a flag that may be repeated, or NULL. */
const char *call_flag_nth(const struct call *c, const char *name, uint32_t n);

/* ---- select.c -------------------------------------------------------------------- */

struct target {
	const struct kind_schema *schema;
	const char *name;             /* NULL: all that match */
	const char *namespace;        /* of a file's object; NULL: the command's */
};
struct selection {
	struct target *items;
	uint32_t count;
	bool slashes;                 /* TYPE/NAME ... */
};
struct group { /* objects of one kind in the order to be printed */
	const struct kind_schema *schema;
	const struct kube_object **items;
	uint32_t count, capacity;
};
struct found {
	struct group *groups;
	uint32_t group_count, group_capacity;
	bool missing;                 /* a name was not there; it has been said (or will be) */
	struct strbuf said;           /* errors on names, to be printed after the rest */
};

const struct kind_schema *kind_find(struct call *c, const char *word);
/* Arguments from `first` on; 0 or 1 with the error said. */
int select_parse(struct call *c, uint32_t first, struct selection *out);
/* Looks them up, with -l, --field-selector, -A, -n. */
int select_find(struct call *c, const struct selection *s, struct found *out);
void found_free(struct found *f); /* objects are held until then */
/* "kind[.group]/name" */
void name_print(const struct kube_object *o, struct strbuf *out);
/* "kind[.group]" in lower case */
const char *kind_word(struct call *c, const struct kind_schema *s);
/* "services", "deployments.apps" */
const char *resource_word(struct call *c, const struct kind_schema *s);
bool selector_parse(struct call *c, const char *text, struct kube_selector *out);
void warn_endpoints(struct call *c, enum kube_kind kind);

/* ---- tabs.c: Go's text/tabwriter ------------------------------------------------- */

struct tabs_memory { /* widths that only grow (watch) */
	uint32_t widths[32];
};
/* Cells end at tabs; a column is a run of lines that have a cell there; the last cell of a
 * line belongs to none. `memory` may be NULL. */
void tabs_print(const char *text, uint32_t least, uint32_t padding, struct tabs_memory *memory,
		struct strbuf *out);

/* ---- words.c --------------------------------------------------------------------- */

/* apimachinery's HumanDuration. */
const char *human_duration(struct call *c, int64_t ns);
const char *age_of(struct call *c, int64_t since_ns);
/* "Fri, 20 Nov 2026 17:22:14 +0000" */
const char *long_date(struct call *c, int64_t ns);
const char *words_join(struct call *c, const struct kube_strings *l, const char *between,
		 const char *none);
const char *pairs_text(struct call *c, const struct kube_map *m, const char *none);
const char *selector_text(struct call *c, const struct kube_selector *s, const char *none);

/* ---- columns*.c ------------------------------------------------------------------ */

struct row {
	const char *cells[24];
	uint32_t count;
};
struct columns {
	enum kube_kind kind;
	const char *names;            /* separated by '|'; wide ones after the others */
	uint32_t normal;              /* how many without -o wide */
	void (*fill)(struct call *c, const struct kube_object *o, struct row *row);
	const char *wide;             /* all names in another order for -o wide, or NULL */
};
const struct columns *columns_find(enum kube_kind kind);
void row_cell(struct row *r, const char *text);
void row_cellf(struct call *c, struct row *r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void row_pod(struct call *c, const struct kube_object *o, struct row *r);
void row_service(struct call *c, const struct kube_object *o, struct row *r);
void row_endpoints(struct call *c, const struct kube_object *o, struct row *r);
void row_slice(struct call *c, const struct kube_object *o, struct row *r);
void row_deployment(struct call *c, const struct kube_object *o, struct row *r);
void row_replica_set(struct call *c, const struct kube_object *o, struct row *r);
void row_stateful_set(struct call *c, const struct kube_object *o, struct row *r);
void row_daemon_set(struct call *c, const struct kube_object *o, struct row *r);
void row_job(struct call *c, const struct kube_object *o, struct row *r);
void row_revision(struct call *c, const struct kube_object *o, struct row *r);
/* What STATUS says of a pod. */
const char *pod_state(struct call *c, const struct kube_pod *p);
const char *external_ip(struct call *c, const struct kube_service *s);
const char *node_roles(struct call *c, const struct kube_node *n);
/* At most `most` of the strings, then " + N more..." */
const char *words_shorten(struct call *c, char **items, uint32_t count, uint32_t most);

/* ---- get.c, output.c ------------------------------------------------------------- */

int get_run(struct call *c);
/* Rows of the groups as tables. */
struct table_style {
	bool wide, no_headers, show_labels, namespaces, prefix;
	const char **label_columns;
	uint32_t label_count;
	struct tabs_memory *memory;
};
void table_print(struct call *c, const struct group *g, const struct table_style *style);
/* -o yaml, json, name, jsonpath=, custom-columns=, ...; `list`: wrap into a List even when
 * there is one. 0, or 1 with the error said. */
int output_print(struct call *c, const char *format, const struct kube_object *const *objects,
		 uint32_t count, bool list);
/* Names of the objects in a manifest as targets (get -f, delete -f); 1: said. */
int files_targets(struct call *c, const char *path, const char *text, struct selection *s);
bool output_is_table(const char *format); /* NULL or wide */
int output_check(struct call *c, const char *format);

/* ---- verbs ----------------------------------------------------------------------- */

int describe_run(struct call *c);
int apply_run(struct call *c);
int create_run(struct call *c);
int replace_run(struct call *c);
int delete_run(struct call *c);
int run_run(struct call *c);
int expose_run(struct call *c);
int scale_run(struct call *c);
int edit_run(struct call *c);
int patch_run(struct call *c);
int label_run(struct call *c);
int annotate_run(struct call *c);
int set_run(struct call *c);
int rollout_run(struct call *c);
int cordon_run(struct call *c);
int uncordon_run(struct call *c);
int drain_run(struct call *c);
int taint_run(struct call *c);
int wait_run(struct call *c);
int exec_run(struct call *c);
int logs_run(struct call *c);
int explain_run(struct call *c);
int events_run(struct call *c);
int api_resources_run(struct call *c);
int cluster_info_run(struct call *c);
int config_run(struct call *c);
int version_run(struct call *c);

/* "kind/name WORDS" with the dry-run suffix, or only the name with -o name, or the object
 * with -o yaml and the like. */
int say_done(struct call *c, const struct kube_object *o, const char *words);
/* Writes a changed copy through the API server's door; `words` on success. Takes the
 * reference. */
int write_back(struct call *c, struct kube_object *copy, const char *words, const char *same);

#endif
