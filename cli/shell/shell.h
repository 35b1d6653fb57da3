/* cli/shell/shell.h: a shell on a simulated cluster.
 *
 * Text is parsed into a list of commands (cli/shell/parse.c), words are expanded when they
 * run (cli/shell/expand.c), a command is looked up by name in the tables of the files
 * shell_*.c, one a noun, and writes into buffers; what reaches the top goes to standard
 * output and standard error. Nothing is started on the machine and nothing is written to
 * its disk: files are those of the simulated node or pod, and what a script reads and the
 * cluster does not have is looked for on the disk.
 *
 * The *standpoint* is the place whose programs run: the control-plane node at first;
 * `ssh NODE`, `node NAME`, `pod NAME`, `outside IP` and `kubectl exec -it POD -- sh` go
 * elsewhere, `exit` comes back.
 *
 * Time is the cluster's. A command takes the time that its packets take, kubectl a
 * little more (KUBECTL_NS); `sleep` and `wait` let it pass.
 */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/engine.h"
#include "core/strbuf.h"
#include "core/table.h"
#include "kube/kubectl/kubectl.h"
#include "world/world.h"

#define KUBECTL_NS (100 * NS_PER_MS)
#define KERNEL_RELEASE "6.1.0-40-amd64" /* of all nodes */
#define STAND_MAX 16
#define DEPTH_MAX 64              /* of nested lists, substitutions and sourced files */
#define ROUNDS_MAX 100000u        /* of a loop that nobody at a terminal could stop */
#define OUTPUT_MAX (64u << 20)    /* bytes that one command line may hold back */

/* ---- programs as trees (cli/shell/parse.c) -------------------------------------------- */

enum node_kind { NODE_SIMPLE, NODE_PIPE, NODE_LIST, NODE_FOR, NODE_WHILE, NODE_UNTIL, NODE_IF,
		 NODE_GROUP, NODE_SUBSHELL, NODE_CASE, NODE_FUNCTION };
enum list_op { OP_THEN, OP_AND, OP_OR };     /* ; && || */

struct redirect {
	int fd;                  /* 0, 1, 2 */
	char kind;               /* '<' read, '>' write, 'a' append, '&' duplicate, 'h' here, 's' string */
	bool both;               /* &> */
	const char *word;        /* file, number or text of the document */
	bool quoted;             /* of a here-document: no expansion */
	struct redirect *next;
};

struct node {
	enum node_kind kind;
	const char **words;      /* raw: simple command, list of a for, patterns of a case item */
	uint32_t word_count;
	const char *name;        /* variable of a for; word of a case; name of a function */
	bool negated, has_in, background;
	enum list_op op;         /* how it is joined to the one before */
	struct redirect *redirects;
	struct node *children;   /* commands of a pipe or list; items of a case */
	struct node *condition, *body, *other; /* while, if; body of a for, group, case item */
	struct node *next;
};

struct here; /* here-documents whose text is still to come */

enum parse_result { PARSE_OK, PARSE_MORE, PARSE_BAD };
/* `text` may end in the middle of a construct: PARSE_MORE. `next`: where the first
 * complete line (with its here-documents) ends. PARSE_BAD: a line in `err`, `next` is behind
 * the word that is wrong. *out NULL: an empty line or comment. */
enum parse_result shell_parse(struct arena *a, const char *text, bool whole, struct node **out,
			      const char **next, struct err *err);
/* The line, from 1, of an error that the parser found at `at` in the text. */
uint32_t shell_error_line(const char *text, const char *at);

/* ---- the shell ----------------------------------------------------------------------- */

struct input { const char *at; }; /* what is still to be read */
struct io { /* what a command reads and writes */
	struct input *in;        /* NULL: nothing is piped to it */
	struct strbuf *out, *err;
	bool terminal;           /* the output is shown as it comes */
};

struct stand {
	char place[400];         /* "node/a", "pod/default/web-0", "outside/192.0.2.1" */
	char container[64];      /* of a pod; "" the first */
	char cwd[256];
};

struct shell {
	struct world *world;
	struct arena *arena;     /* as long as the shell */
	struct kubectl kubectl;
	struct stand stack[STAND_MAX];
	uint32_t depth;          /* of the stack, at least 1 */
	uint32_t floor;          /* places below belong to somebody else: exit does not go there */
	struct table variables;  /* name -> char * */
	struct table functions;  /* name -> char *: the text of its body */
	const char **arguments;  /* $1 ... of a script or function */
	uint32_t argument_count;
	int status;              /* $? */
	bool leaving;            /* exit was said: `status` is the code */
	uint32_t loops, breaks;  /* loops around; how many are to be left */
	bool continues;          /* of the last one left, only the round */
	bool returns;
	uint32_t nested;         /* lists, substitutions, sourced files */
	uint32_t lines_done;     /* of the script, before the text at hand */
	int64_t deadline_ns;     /* of `timeout`, INT64_MAX none */
	bool interactive;        /* standard input is a terminal */
	bool same_output;        /* standard output and standard error are one file */
	bool errexit, trace, verbose; /* set -e, -x, -v */
	uint32_t tested;         /* conditions around: a failure there does not end a set -e */
	bool watching;           /* kubectl get -w runs */
	bool substituted;        /* the command's words held a $(...) */
	volatile int *interrupted; /* set by Ctrl-C */
	struct strbuf warnings;  /* of the world, not shown yet */
	struct strbuf top_out, top_err;
	struct table modules;    /* "node module", in the order in which they were loaded */
	struct strbuf environment; /* for stand_variable */
};

/* ---- cli/shell/scope.c ---------------------------------------------------------------------- */

struct scope { /* what a parent keeps while its subshell runs */
	struct table variables;
	const char **arguments;
	uint32_t argument_count, depth, loops;
	bool leaving, errexit;
	char cwd[256];
};
void scope_begin(struct shell *s, struct scope *kept);
void scope_end(struct shell *s, struct scope *kept);
/* Frees a table of name -> char *, keys and all. */
void shell_free_texts(struct table *t);

/* ---- cli/shell/run.c ------------------------------------------------------------------------ */

/* Runs a text; the exit code of its last command. */
int shell_run_text(struct shell *s, const char *text, const struct io *io);
/* The same as a program of its own: `exit` ends it and nothing else. */
int shell_run_sub(struct shell *s, const char *text, const struct io *io);
int shell_run_node(struct shell *s, const struct node *n, const struct io *io);
/* One command whose words are expanded. */
int shell_command(struct shell *s, int argc, char **argv, const struct io *io);
/* All that is still to be read; NULL: nothing is piped. */
const char *io_take(const struct io *io);
/* Whether loops and waits are to end now: Ctrl-C, a deadline, exit. */
bool shell_must_stop(const struct shell *s);
/* Shows what commands have written so far. */
void shell_flush(struct shell *s);

/* ---- cli/shell/expand.c ----------------------------------------------------------------------- */

/* Appends the fields that a raw word becomes. */
struct fields { char **items; uint32_t count, capacity; struct arena *arena; };
void shell_expand(struct shell *s, const char *word, const struct io *io, struct fields *out);
/* One string, without splitting: assignments, here-documents (`document`), case words. */
char *shell_expand_text(struct shell *s, struct arena *a, const char *word, bool document,
			const struct io *io);
/* The pattern of [[ =~ ]]-free shells: * ? [..]. */
bool shell_match(const char *pattern, const char *text);
const char *shell_get(const struct shell *s, const char *name); /* NULL: not set */
void shell_set(struct shell *s, const char *name, const char *value);
void shell_unset(struct shell *s, const char *name);

/* ---- cli/shell/place.c ------------------------------------------------------------------------- */

struct call;
struct stand *shell_stand(struct shell *s);
/* The standpoint's place; NULL: it is gone, said on `io`. */
struct place *shell_place(struct shell *s, const struct io *io);
/* A tool's view at the standpoint, kept as long as the call; NULL after a message. */
const char *shell_view(struct call *c, enum dump_view which, const char *argument);
bool stand_is_node(const struct shell *s);
/* A variable of the container's environment, or of the machine's; NULL: none. Valid until
 * the next call. */
const char *stand_variable(struct shell *s, const char *name);
const char *stand_host(const struct shell *s); /* its host name */
const struct kube_pod *stand_pod(struct shell *s); /* NULL: no pod */
/* Image of the container that commands run in; "" of a node. */
const char *stand_image(struct shell *s);
bool stand_busybox(struct shell *s);
/* Goes to a place; ENOSPC, or EINVAL when there is none. */
int stand_push(struct shell *s, const char *place, const char *container, struct err *err);
void stand_prompt(struct shell *s, struct strbuf *out);

/* ---- cli/shell/file.c ---------------------------------------------------------------------------- */

int shell_read_file(struct shell *s, const char *path, struct strbuf *out);
int shell_write_file(struct shell *s, const char *path, const char *text, size_t length,
		     bool append);

int shell_list_files(struct shell *s, const char *path, struct strbuf *out);

/* ---- commands ----------------------------------------------------------------------------------- */

struct call { /* one command that runs */
	struct shell *s;
	int argc;
	char **argv;
	struct arena *arena;     /* as long as the command */
	const struct io *io;
	struct strbuf *out, *err;
};

struct tool {
	const char *name;
	int (*run)(struct call *c);
	const char *help;        /* a line of `help`; NULL: not listed */
};

/* Each file has a table that ends with a NULL name. */
extern const struct tool builtin_tools[], place_tools[], file_tools[], text_tools[], sed_tools[],
	awk_tools[], http_tools[], dns_tools[], kernel_tools[], link_tools[], kubectl_tools[],
	world_tools[], module_tools[], install_tools[];
const struct tool *const *shell_tool_tables(void); /* NULL at the end */
const struct tool *shell_tool(const char *name);

/* A line "NAME: text" on the error output; returns `code`. */
int call_fail(struct call *c, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The text of the operands' files, or of standard input without operands. */
int call_input(struct call *c, int first, struct strbuf *out);
/* Runs the clock until the operation has ended, the deadline has come or Ctrl-C. */
void call_wait_op(struct call *c, struct op *op);
/* Lets time pass; false when it was cut short. */
bool shell_pass(struct shell *s, int64_t ns);
/* "30s", "1m30s", "5"; -1: no duration. */
int64_t shell_duration(const char *text);

/* The files of kernel modules in a folder of /lib/modules; ENOENT: no such folder. */
int module_files(struct shell *s, const char *folder, struct strbuf *out);
int kubectl_command(struct call *c);
void kubectl_prepare(struct shell *s);

#endif
