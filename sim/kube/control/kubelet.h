/* kube/control/kubelet.h: between the files of the kubelets.
 *
 * A kubelet has one kubelet_pod a pod, keyed by uid, because a pod that was removed by
 * force goes on for a while beside its successor of the same name. Each pod goes through
 * stages; what a container does is its state; a probe worker belongs to one container
 * and kind. Timers are engine events whose callbacks look first whether the kubelet works:
 * while it does not, nothing moves, and kubelet_resume takes up everything again.
 *
 * What happens in containers is seen at the next relist (PLEG, once a second, at a
 * phase of the node's own); then the pod is synced: restarts, status, end.
 */
#ifndef KUBE_CONTROL_KUBELET_H
#define KUBE_CONTROL_KUBELET_H

#include "kube/control/internal.h"
#include "kube/envvars.h"

enum pod_stage {
	STAGE_NEW,        /* not admitted yet */
	STAGE_VOLUMES, STAGE_SANDBOX,
	STAGE_CONTAINERS, /* init containers, then containers, are started or run */
	STAGE_STOPPING,   /* terminating: containers are being stopped */
	STAGE_STOPPED     /* no sandbox; finished, or to be removed */
};

enum container_state {
	CONTAINER_WAITING,  /* not its turn yet */
	CONTAINER_PULLING, CONTAINER_PULL_BACKOFF,
	CONTAINER_CREATING, /* created, started in a moment */
	CONTAINER_RUNNING,
	CONTAINER_EXITED,   /* ended; a relist decides what follows */
	CONTAINER_BACKOFF   /* CrashLoopBackOff */
};

enum probe_result { RESULT_UNKNOWN, RESULT_SUCCESS, RESULT_FAILURE };

struct probe_worker {
	struct kubelet_container *container;
	enum control_probe_kind kind;
	struct event_id tick, timeout;
	uint64_t call;             /* under way, 0 none */
	enum probe_result result, last;
	int32_t in_row;
	enum control_forced forced;
	bool asked;                /* had an answer since the container started */
};

enum stop_phase { STOP_NONE, STOP_HOOK, STOP_TERM };

struct kubelet_container {
	struct kubelet_pod *pod;
	uint32_t index;            /* in containers or init containers */
	bool init;
	enum container_state state;
	uint64_t run;              /* number of the current run, 0 none */
	bool program;              /* the host has been told to start it */
	bool started;              /* past the startup probe */
	bool seen;                 /* a relist has seen it running */
	int32_t restarts, exit_code;
	int64_t started_ns, finished_ns, backoff_ns, pull_backoff_ns, killed_ns;
	bool ever, has_last;
	struct { const char *reason; int32_t exit_code; int64_t finished_ns; } last;
	const char *reason;        /* of the end, or of waiting */
	struct probe_worker probes[3];
	struct event_id timer, kill;
	enum stop_phase stop;
	uint64_t hook;             /* call of a preStop or postStart hook */
	bool restart_after_stop;   /* stopped by a liveness probe */
	struct kube_env_vars *services;
};

struct kubelet_pod {
	struct kubelet *kubelet;
	const struct kube_pod *pod;   /* as last seen; a reference */
	char *uid;
	enum pod_stage stage;
	bool sandbox, removed;        /* removed: the object is gone */
	bool dirty, busy;             /* a status is to be written; counted in control.busy */
	bool adopted;                 /* ran already when the kubelet came */
	bool as_given;                /* and its status still tells the truth */
	struct net_addr ips[2];
	uint32_t ip_count;
	struct kubelet_container *containers; /* init containers first */
	uint32_t container_count, init_count;
	int64_t synced_ns, kill_at_ns;
	struct event_id step, relist;
	TAILQ_ENTRY(kubelet_pod) link;
};
TAILQ_HEAD(kubelet_pods, kubelet_pod);

struct address_range {
	struct net_prefix cidr;       /* family NET_NONE: none */
	uint64_t next;                /* offset of the address that is tried first */
	struct table used;            /* struct net_addr */
};

struct kubelet {
	struct control *c;
	struct node_record *node;
	enum control_node_fault fault;
	int64_t relist_phase_ns, pull_free_ns;
	struct address_range ranges[2];
	struct table images;          /* of names; values: char * key */
	struct kubelet_pods pods;
};

struct call_target { /* whom a call's answer goes to; worker NULL: a hook */
	struct kubelet_container *container;
	struct probe_worker *worker;
};

struct kubelets {
	struct control *c;
	struct table pods;            /* uid to struct kubelet_pod * */
	struct table runs, calls;     /* uint64_t to struct kubelet_container *, call_target */
	struct table envs;            /* "namespace/links" to the Services' variables */
	uint64_t next_run, next_call;
};

/* ---- kubelet.c ------------------------------------------------------------------- */

struct kubelet *kubelet_need(struct control *c, struct node_record *n);
struct kubelets *kubelets_new(struct control *c);
void kubelets_free(struct kubelets *l);
void kubelets_start(struct kubelets *l);
void kubelets_stop(struct kubelets *l);
void kubelets_pod_changed(struct kubelets *l, const struct kube_pod *now);
void kubelets_pod_removed(struct kubelets *l, const struct kube_pod *old);
void kubelets_node_changed(struct kubelets *l, const struct kube_node *old,
			   const struct kube_node *now);
/* Whether timers and relists go on; whether the API can be reached. */
bool kubelet_works(const struct kubelet *k);
bool kubelet_connected(const struct kubelet *k);
const struct kube_node *kubelet_node(const struct kubelet *k);
struct kubelet_pod *kubelets_find(const struct control *c, const char *namespace,
				  const char *name);
struct kubelet_container *kubelet_pod_container(struct kubelet_pod *p, const char *name);
void kubelet_pod_free(struct kubelet_pod *p);
/* Counts the pod in control.busy while it has something to do. */
void kubelet_pod_account(struct kubelet_pod *p);

/* ---- kubelet_pod.c: stages ------------------------------------------------------- */

struct kubelet_pod *kubelet_pod_new(struct kubelet *k, const struct kube_pod *pod);
/* The object changed, or the kubelet works again. */
void kubelet_pod_sync(struct kubelet_pod *p);
/* Asks for a look at the next relist; a status follows. */
void kubelet_pod_relist(struct kubelet_pod *p);
void kubelet_pod_terminate(struct kubelet_pod *p);
/* All containers are down: the sandbox goes. */
void kubelet_pod_stopped(struct kubelet_pod *p);
/* A container ended. */
void kubelet_pod_container_down(struct kubelet_pod *p);
void kubelet_pod_lose_sandbox(struct kubelet_pod *p);
void kubelet_pod_boot(struct kubelet_pod *p);

/* ---- kubelet_run.c: containers --------------------------------------------------- */

const struct kube_container *container_spec(const struct kubelet_container *k);
bool container_sidecar(const struct kubelet_container *k);
/* Starts what may start now, one after the other. */
void containers_advance(struct kubelet_pod *p);
/* Decides about ended containers; true when the pod has finished. */
bool containers_review(struct kubelet_pod *p);
/* The run ended, whoever ended it. */
void container_ended(struct kubelet_container *k, int32_t exit_code);
/* Graceful stop; ends in container_ended. */
void container_stop(struct kubelet_container *k, int64_t grace_ns);
void container_kill(struct kubelet_container *k, int32_t exit_code);
void container_hook_done(struct kubelet_container *k);
void container_clear(struct kubelet_container *k); /* timers and calls */
void container_resume(struct kubelet_container *k);

/* kubelet_env.c: variables of the Services as they are now; one reference. */
struct kube_env_vars *services_env(const struct kubelet_container *k);
void env_forget(struct kubelets *l);

/* ---- probes.c -------------------------------------------------------------------- */

const struct kube_probe *probe_spec(const struct probe_worker *w);
void probes_start(struct kubelet_container *k); /* a run began */
void probes_stop(struct kubelet_container *k);
/* A status is computed: readiness without success is tried at once. */
void probes_trigger(struct kubelet_container *k);
void probe_answer(struct probe_worker *w, bool ok, const char *text);
void probe_force(struct probe_worker *w, enum control_forced forced);
void probes_resume(struct kubelet_container *k);
bool container_ready(const struct kubelet_container *k);
bool probes_undecided(const struct kubelet_container *k);
/* Begins a handler at the host; 0 when there is no host for it. */
uint64_t call_begin(struct kubelet_container *k, enum control_call_kind kind,
		    const struct kube_probe_handler *h, int64_t timeout_ns,
		    struct probe_worker *worker);
void call_forget(struct control *c, uint64_t call);

/* ---- kubelet_status.c ------------------------------------------------------------ */

/* Writes the pod's status when it differs from what the API has. */
void kubelet_status_write(struct kubelet_pod *p);
/* Initial node status of a kubelet that registers. */
void kubelet_node_status(struct kubelet *k);

/* ---- addresses.c ----------------------------------------------------------------- */

void ranges_init(struct kubelet *k);
void ranges_free(struct kubelet *k);
/* The pod's addresses: its range's next free ones, or the node's own for hostNetwork. */
int addresses_take(struct kubelet_pod *p, struct err *err);
/* Marks given addresses as used (a pod that ran before). */
void addresses_keep(struct kubelet_pod *p);
void addresses_release(struct kubelet_pod *p);
/* Gives a node without podCIDR one of the cluster's; true when the node was written. */
bool cidr_assign(struct control *c, const struct kube_node *node);

#endif
