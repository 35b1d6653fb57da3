/* kubeproxy/kubeproxy.h: what every mode's planner has in common.
 *
 * A mode's planner begins with a `struct kubeproxy` and fills a planner_class with its
 * own open, plan and close and the functions here for the rest. One plan() is
 *
 *     kubeproxy_begin    configuration (re-read for a full sync) and present snapshots;
 *                        a new process's sysctls
 *     ... the mode's text, a family at a time ...
 *     kubeproxy_end      conntrack clean-up
 *
 * A planner never looks at the kernel: what is there is what the last sync that loaded
 * had planned (done() says whether it did; without done() every plan counts as loaded).
 * What a kube-proxy leaves behind when it is closed is kept with the shared memory under
 * the node's name: its successor finds it, as it would find it in the kernel.
 *
 * `list` is the same for all modes: a fresh planner of the class plans a full sync; as
 * FORMAT_WRITE its text is printed as it is, as FORMAT_LIST the Linux model's readers
 * take it and print what the real tools would list. So there is one writer a mode and
 * one normal form a tool.
 */
#ifndef KUBEPROXY_KUBEPROXY_H
#define KUBEPROXY_KUBEPROXY_H

#include "dataplane.h"
#include "dataplanes/kubeproxy/config.h"
#include "dataplanes/kubeproxy/runner.h"
#include "dataplanes/kubeproxy/tracker.h"

struct held_config { /* a configuration and its memory */
	uint32_t references;
	struct arena *memory;
	struct proxy_config config;
};

struct kubeproxy {
	const char *mode;
	struct arena *scratch;         /* of one plan */
	struct held_config *held, *held_before;
	const struct proxy_config *config; /* the present one */
	const struct proxy_config *before; /* the one of the last sync that loaded */
	struct proxy_shared *shared;
	bool owns_shared;
	bool planned;                  /* at least once */
	bool full;                     /* the present plan is a full sync */
	bool failed;                   /* the last plan did not load */
	struct snapshot *was[PROXY_FAMILIES]; /* the last sync that loaded; NULL none */
	struct snapshot *now[PROXY_FAMILIES]; /* of the present plan */
	/* Chains that are there and not wanted, a line each: what the kube-proxy before left
	 * of them (same mode only); set again before kubeproxy_close. */
	struct strbuf unwanted[PROXY_FAMILIES];
	struct runner runner;
	int64_t started_ns;            /* when this kube-proxy first heard of something; -1 */
	int64_t now_ns;                /* of the last runner_next */
	bool disturbed;                /* somebody else changed the node's rules */
};

int kubeproxy_open(struct kubeproxy *k, const struct proxy_view *view, const char *mode,
		   struct err *err);
void kubeproxy_close(struct kubeproxy *k);
/* Names in `unwanted` to keys of a table of strings, and back; keys live in `memory`. */
void kubeproxy_take_unwanted(struct kubeproxy *k, unsigned family, struct table *names,
			     struct arena *memory);
void kubeproxy_leave_unwanted(struct kubeproxy *k, unsigned family, const struct table *names);
int kubeproxy_begin(struct kubeproxy *k, const struct proxy_view *view,
		    const struct plan_request *request, struct transactions *out,
		    struct err *err);
void kubeproxy_end(struct kubeproxy *k, struct transactions *out);
/* Whether equal services may use other endpoints than in the last sync. */
bool kubeproxy_choice_differs(const struct kubeproxy *k);
/* Whether this plan has to do with the family: it is the node's, or has or had services. */
bool kubeproxy_family(const struct kubeproxy *k, unsigned family);

/* The common operations of a planner_class; a planner's first member is its kubeproxy. */
void kubeproxy_changed(struct planner *p, const char *service, int64_t now_ns);
int64_t kubeproxy_due(const struct planner *p);
void kubeproxy_next(struct planner *p, int64_t now_ns, struct plan_request *out);
void kubeproxy_done(struct planner *p, int64_t now_ns, bool ok);
uint32_t kubeproxy_health_ports(struct planner *p, const struct proxy_view *view,
				uint16_t *ports, uint32_t max);
int kubeproxy_health(struct planner *p, const struct proxy_view *view, uint16_t port,
		     const char *path, int64_t now_ns, struct strbuf *headers,
		     struct strbuf *body);
/* list() of a class: see the essay. */
int kubeproxy_list(const struct planner_class *class, const struct proxy_view *view,
		   enum rules_format format, enum rules_view which, struct strbuf *out,
		   struct err *err);

/* Appends text as a block of its own. */
void plan_text(struct transaction *t, const char *text, size_t length);
/* A transaction of one text; nothing for an empty one. */
void plan_add(struct transactions *out, enum tx_tool tool, const struct strbuf *text);

/* Conntrack's size and timeouts, as a new kube-proxy sets them (sysctls.c). */
void plan_sysctls(const struct kubeproxy *k, struct transactions *out);
/* UDP flows that would keep going to endpoints that are gone (cleanup.c). */
void cleanup_conntrack(const struct kubeproxy *k, struct transactions *out);

#endif
