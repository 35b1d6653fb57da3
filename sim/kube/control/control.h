/* kube/control/control.h: the control plane and the kubelets, in virtual time.
 *
 * What runs. The controllers of kube-controller-manager (EndpointSlice, Endpoints,
 * EndpointSlice mirroring, Deployment, ReplicaSet, ReplicationController,
 * StatefulSet, DaemonSet, Job, node lifecycle with taint eviction, node IPAM,
 * namespace, garbage collection, PVC binder), a load-balancer controller with an
 * address pool, the scheduler, and one kubelet a node. Each is an event-driven
 * program: it hears of a change in the store (kube/store.h), puts the key of the
 * owner into its work queue, and a sync of that key reads the store and writes
 * what it decides. Nothing polls except where Kubernetes does (node monitor,
 * probes). A sync costs what it touches: pods are indexed by owner, by node and by
 * label, Services by selector.
 *
 * Time. A change is seen by a controller after the watch delay, the sync of its
 * key comes a little later and its write after the API's delay: see struct
 * control_options, which names every latency. All draws go through core/choice:
 * sites "name" (suffixes), "schedule" (ties), "start" (start and pull delays).
 *
 * Where programs run. The kubelet decides *when* a sandbox, a container, a probe
 * begins and ends; struct control_host carries it out. The host is the world (pods
 * are network namespaces of a dataplane) or a test. Calls go down as callbacks,
 * news come up through the control_*_done and control_container_exited functions;
 * both may be made inside each other. Strings and objects that a callback gets are
 * valid during the call; containers and calls have numbers to keep.
 *
 * A callback may be NULL: attach, detach and start then succeed at once and do
 * nothing, a container stops when it is told to, a call succeeds.
 *
 * Deletion is graceful where it is in Kubernetes: control_delete on a bound pod
 * sets the deletion time, the kubelet stops the containers (preStop, SIGTERM, grace,
 * SIGKILL) and then removes the object. Objects with finalizers stay until those
 * are gone. Dependents follow their owner (background propagation).
 *
 * Annotations on a pod that the kubelet itself obeys, so that scripts can describe
 * programs that no image describes:
 *   svclab.dev/start-delay: "2s"      from container start to the program's start
 *   svclab.dev/pull-delay: "3s"       of an image that the node does not have yet
 *   svclab.dev/stop-delay: "1s"       from SIGTERM to the end of the program, when
 *                                     the host has no `signal`
 * An image that cannot be pulled is one whose name or tag begins with "missing" or
 * "bad", or what control_options.pull_fails says.
 */
#ifndef KUBE_CONTROL_CONTROL_H
#define KUBE_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/choice.h"
#include "core/engine.h"
#include "core/err.h"
#include "core/strbuf.h"
#include "kube/store.h"
#include "net/addr.h"

struct control;

/* ---- the host: who carries out what a kubelet decides ---------------------------- */

struct control_sandbox { /* a pod's network namespace is wanted (CNI ADD) */
	const struct kube_pod *pod;
	const struct kube_node *node;
	const struct net_addr *ips;   /* one a family; the node's own for hostNetwork */
	uint32_t ip_count;
	bool host_network;            /* no namespace of its own: the node's */
	const char *resolv_conf, *hosts, *hostname; /* file texts and the host name */
};

struct control_container { /* one run of a container's program */
	uint64_t id;                  /* this run; a restart has another */
	const struct kube_pod *pod;   /* with addresses in its status */
	const struct kube_node *node;
	const struct kube_container *container;
	bool init;                    /* an init container: it is expected to end */
};

enum control_signal { CONTROL_SIGTERM, CONTROL_SIGKILL };

enum control_call_kind { CONTROL_PROBE, CONTROL_HOOK };

struct control_call { /* run a handler once: http, tcp or exec */
	uint64_t id;                  /* answer with control_call_done */
	enum control_call_kind kind;
	uint64_t container;           /* id of the run */
	const struct kube_pod *pod;
	const struct kube_container *spec;
	const struct kube_probe_handler *handler;
	struct net_addr address;      /* http, tcp, grpc: where to dial from the node */
	uint16_t port;                /* named ports are resolved */
	int64_t timeout_ns;           /* give up by then; a later answer is ignored */
};

struct control_host {
	void *ctx;
	/* 0, or an errno and one line: event FailedCreatePodSandBox, tried again. A pod
	 * that is attached twice (sandbox re-created) was detached in between. */
	int (*attach)(void *ctx, const struct control_sandbox *s, struct err *err);
	void (*detach)(void *ctx, const struct kube_pod *pod);
	/* Starts the program: it binds ports now. Non-zero: the container ends at once with
	 * exit code 128 (RunContainerError). */
	int (*start)(void *ctx, const struct control_container *c, struct err *err);
	/* TERM: the program ends by itself (control_container_exited, now or later). KILL:
	 * it is gone when the call returns; no report is needed. */
	void (*signal)(void *ctx, uint64_t container, enum control_signal signal);
	/* Begins a handler; the answer comes by control_call_done, now or later. */
	void (*call)(void *ctx, const struct control_call *call);
	/* A line for `kubectl logs`' host or a trace of what the control plane does; may be
	 * NULL. */
	void (*note)(void *ctx, const char *line);
};

/* The program of this run ended by itself. An unknown number is ignored. */
void control_container_exited(struct control *c, uint64_t container, int exit_code);
/* `text` is the probe's output for the event ("HTTP probe failed with statuscode:
 * 503", "dial tcp 10.244.1.2:80: connect: connection refused"); NULL when ok. */
void control_call_done(struct control *c, uint64_t call, bool ok, const char *text);

/* ---- life ------------------------------------------------------------------------ */

struct control_options { /* zero: see control_options_default */
	/* Latencies, ns. */
	int64_t api_write, watch, sync; /* 10 ms, 10 ms, 5 ms */
	int64_t endpoints_batch;        /* 0 */
	int64_t bind;                   /* scheduler: 10-50 ms, drawn: this is the span's start */
	int64_t volumes, sandbox;       /* 100 ms, 200-800 ms (start of the span) */
	int64_t container_start;        /* 100-300 ms */
	int64_t relist;                 /* PLEG: 1 s */
	int64_t pull;                   /* an image that is not there: 1-10 s */
	bool images_present;            /* true: nothing is pulled */
	int64_t load_balancer;          /* address given after 2 s */
	/* Node lifecycle. */
	int64_t monitor_period, monitor_grace, lease_period; /* 5 s, 50 s, 10 s */
	int64_t toleration;             /* default not-ready/unreachable: 300 s */
	/* Addresses. */
	struct net_prefix pod_cidr[2];  /* for nodes without podCIDR; family NET_NONE: none */
	uint8_t pod_cidr_mask[2];       /* 24, 64 */
	struct net_prefix lb_pool[2];   /* 203.0.113.0/24, none */
	const char *lb_ip_mode;         /* "VIP" (the API's default), "Proxy", NULL: not set */
	bool no_load_balancer;          /* nobody provides addresses (EXTERNAL-IP <pending>) */
	const char *cluster_domain;     /* "cluster.local" */
	const char *cluster_dns;        /* nameserver line; "10.96.0.10" */
	uint32_t slice_endpoints;       /* 100 */
	uint32_t max_pods;              /* a node: 110 */
	bool exact_times;               /* spans are not drawn: their middle is taken */
	/* Whether an image cannot be pulled; NULL: see the annotations above. */
	bool (*pull_fails)(void *ctx, const char *image);
	void *pull_ctx;
};

/* The defaults of Kubernetes 1.34 in the numbers above. */
void control_options_default(struct control_options *options);

/* Watches the store from now on; nothing happens before control_start. `host` is
 * copied; NULL: no programs. `options` NULL: the defaults. */
struct control *control_new(struct kube_store *store, struct engine *engine,
			    struct choice *choice, const struct control_options *options,
			    const struct control_host *host);
void control_free(struct control *c);
/* Controllers and kubelets begin with what is in the store. */
void control_start(struct control *c);
/* Controllers, scheduler and kubelets stop where they are; programs go on. */
void control_stop(struct control *c);
bool control_running(const struct control *c);
struct kube_store *control_store(const struct control *c);
const struct control_options *control_settings(const struct control *c);

/* ---- questions ------------------------------------------------------------------- */

/* Whether nothing is left to do: queues empty, every pod bound (or refused by all
 * nodes), started or ended, and ready as far as its probes can tell. Periodic work
 * (leases, probes of ready pods, back-offs longer than 10 s) doesn't count. */
bool control_converged(const struct control *c);
/* Whether the EndpointSlices of all Services reflect the pods. */
bool control_endpoints_settled(const struct control *c);

enum control_rollout { ROLLOUT_WAITING, ROLLOUT_DONE, ROLLOUT_FAILED };
/* As `kubectl rollout status` looks at a Deployment, StatefulSet or DaemonSet once:
 * `line` (may be NULL) gets the words it prints, without newline. ROLLOUT_FAILED: there
 * is no such object, it has no rollout status, or the deadline has passed; `err` says. */
enum control_rollout control_rollout(const struct control *c, enum kube_kind kind,
				     const char *namespace, const char *name,
				     struct strbuf *line, struct err *err);
/* The id of a container's current run, 0 when it is not running. `container` NULL: the
 * pod's first. */
uint64_t control_container_id(const struct control *c, const char *namespace, const char *pod,
			      const char *container);
/* "NAME=value" lines of a run, as `env` prints them: those of the Services when it
 * started, then the container's own. */
void control_container_env(const struct control *c, uint64_t container, struct strbuf *out);
/* Node names in the order of their creation; NULL at the end. */
const char *control_node_name(const struct control *c, uint32_t index);

/* ---- verbs ----------------------------------------------------------------------- */
/* 0, or ENOENT, EINVAL with one line in kubectl's words. They write as a client
 * does: controllers see it after the watch delay. */

int control_scale(struct control *c, enum kube_kind kind, const char *namespace,
		  const char *name, int64_t replicas, struct err *err);
/* As kubectl rollout restart: an annotation in the template. */
int control_rollout_restart(struct control *c, enum kube_kind kind, const char *namespace,
			    const char *name, struct err *err);
/* Revision 0: the previous one. `said`: "rolled back" or "skipped rollback (...)". */
int control_rollout_undo(struct control *c, enum kube_kind kind, const char *namespace,
			 const char *name, int64_t revision, struct strbuf *said,
			 struct err *err);
int control_rollout_pause(struct control *c, const char *namespace, const char *name, bool pause,
			  struct err *err);
int control_cordon(struct control *c, const char *node, bool unschedulable, struct err *err);

struct control_drain_options {
	bool ignore_daemonsets, force, delete_empty_dir;
	int64_t grace_s;              /* -1: each pod's own */
};
/* Cordons and begins to evict all pods that can be; `said` gets kubectl's lines so far
 * (may be NULL). control_drained tells when they are gone. */
int control_drain(struct control *c, const char *node, const struct control_drain_options *o,
		  struct strbuf *said, struct err *err);
bool control_drained(const struct control *c, const char *node);

/* As the API's DELETE. `grace_s` -1: the object's own (pods: 30); 0: at once. */
int control_delete(struct control *c, enum kube_kind kind, const char *namespace,
		   const char *name, int64_t grace_s, struct err *err);

/* ---- faults ---------------------------------------------------------------------- */

/* The readiness (or liveness, `startup`) probe of a container answers this whatever the
 * program says; a container without such a probe gets the result too. `container` NULL:
 * all of the pod. */
enum control_probe_kind { PROBE_READINESS, PROBE_LIVENESS, PROBE_STARTUP };
enum control_forced { FORCE_NONE, FORCE_FAIL, FORCE_PASS };
int control_force_probe(struct control *c, const char *namespace, const char *pod,
			const char *container, enum control_probe_kind probe,
			enum control_forced result, struct err *err);
/* The program dies with this exit code (137: killed); the kubelet restarts it. */
int control_kill_container(struct control *c, const char *namespace, const char *pod,
			   const char *container, int exit_code, struct err *err);
/* The sandbox dies with all containers: the pod goes on with a new address. */
int control_kill_sandbox(struct control *c, const char *namespace, const char *pod,
			 struct err *err);

enum control_node_fault {
	NODE_UP,              /* back: after NODE_DOWN as a boot, all sandboxes new */
	NODE_DOWN,            /* the machine is off: programs are killed, no lease */
	NODE_KUBELET_STOPPED, /* programs go on, no lease, no probes */
	NODE_PARTITIONED      /* kubelet works, but neither hears from nor reaches the API */
};
int control_node_fault(struct control *c, const char *node, enum control_node_fault fault,
		       struct err *err);

/* ---- events ---------------------------------------------------------------------- */

/* Writes an Event about an object (or folds it into an equal one). */
void control_event(struct control *c, const struct kube_object *about, bool warning,
		   const char *reason, const char *component, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* ---- snapshots ------------------------------------------------------------------- */

/* Fills in what a snapshot lacks, without time: pods of workloads (also of Deployments
 * and ReplicaSets, StatefulSets, DaemonSets, Jobs, ReplicationControllers) that own
 * none, placed over the nodes and ready; addresses from their nodes' podCIDRs for pods
 * that were made here; EndpointSlices for Services with a selector that have neither
 * slices nor Endpoints; slices mirrored from Endpoints of Services without selector
 * that have none. `warnings`: lines on what could not be filled in; may be NULL. */
int control_fill_snapshot(struct kube_store *store, struct choice *choice,
			  struct strbuf *warnings, struct err *err);

#endif
