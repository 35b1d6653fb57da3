/* kube/kubectl/kubectl.h: kubectl 1.34 on a simulated cluster.
 *
 * One command line in, what kubectl prints out: stdout and stderr apart, and its exit
 * code. Verbs: get, describe, apply, create, replace, delete, run, expose, scale, edit,
 * patch, label, annotate, set image, rollout, cordon, uncordon, drain, taint, wait, exec,
 * logs, explain, events, api-resources, cluster-info, config, version. What kubectl has
 * beyond them is answered by an error that says so.
 *
 * Writes go through the API server's door (kube/admit.h); a command that waits (delete,
 * rollout status, wait, drain, get -w) asks the host to run the clock. Without a host
 * such a command returns at once with what can be said now.
 *
 * The last-applied-configuration annotation is kept as kubectl keeps it, so that apply
 * removes what a manifest no longer says.
 */
#ifndef KUBE_KUBECTL_KUBECTL_H
#define KUBE_KUBECTL_KUBECTL_H

#include "core/strbuf.h"
#include "kube/admit.h"
#include "kube/control/control.h"

struct kubectl_exec {
	const struct kube_pod *pod;
	const char *container;
	int argc;
	char *const *argv;
	const char *input;            /* text of standard input; NULL: none */
	bool tty;
};

struct kubectl_host {
	void *ctx;
	/* Runs the clock until done(arg) or the time; whether it came to that. `until_ns`
	 * INT64_MAX: the host's own limit. */
	bool (*wait)(void *ctx, bool (*done)(void *arg), void *arg, int64_t until_ns);
	/* Runs a command in a container, returns its exit code. NULL: exec says that it can't. */
	int (*exec)(void *ctx, const struct kubectl_exec *e, struct strbuf *out,
		    struct strbuf *err);
	/* Lines that a container's program wrote; `previous`: of the run before. */
	int (*logs)(void *ctx, const struct kube_pod *pod, const char *container, bool previous,
		    struct strbuf *out);
	/* A file of -f, --patch-file, or what an editor made of the text (edit); NULL: the
	 * disk's files. 0 or an errno. */
	int (*read)(void *ctx, const char *path, struct strbuf *out);
};

struct kubectl {
	struct kube_store *store;
	struct kube_admit *admit;
	struct control *control;      /* NULL: no controllers (a snapshot) */
	struct kubectl_host host;
	char namespace[64]; /* of the context; "": default. config set-context changes it */
};

/* argv[0] is the verb, or "kubectl" before it. `input` is what `-f -` reads; NULL: nothing.
 * `err` may be `out`. Returns the exit code. */
int kubectl_run(struct kubectl *k, int argc, char *const *argv, const char *input,
		struct strbuf *out, struct strbuf *err);

#endif
