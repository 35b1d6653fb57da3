/* kube/control/internal.h: what the controllers, the scheduler and the kubelets share.
 *
 * One `struct control` holds the index, one work queue a controller, and the states
 * of scheduler, kubelets and node lifecycle. Every change of the store comes first to
 * the index, then, while the control plane runs, to the *_changed function of each
 * program that cares; these only add keys to queues. Syncs run from the queues and
 * write through control_create, control_update and control_remove.
 */
#ifndef KUBE_CONTROL_INTERNAL_H
#define KUBE_CONTROL_INTERNAL_H

#include "kube/control/control.h"
#include "kube/control/index.h"
#include "kube/control/queue.h"

struct scheduler;
struct lifecycle;
struct kubelets;

/* Each zone's part of the CPUs of nodes that can take endpoints. */
struct zone_share {
	char *name;
	double share;
};
struct zone_shares {
	struct zone_share *items;
	uint32_t count;
	bool known, complete; /* complete: every node has a zone and CPUs */
};

struct control {
	struct kube_store *store;
	struct engine *engine; /* NULL in a snapshot */
	struct choice *choice;
	struct control_options options;
	struct control_host host;
	struct index index;
	struct strbuf *warnings;           /* of a snapshot */
	bool running, writing_slices;
	uint32_t watch;
	/* Controllers of kinds: Deployment ... Job, claims, namespaces. */
	struct work_queue queues[KIND_COUNT];
	struct work_queue slices, endpoints, mirrors, balancer, garbage, topology, provisioner;
	struct scheduler *scheduler;
	struct lifecycle *lifecycle;
	struct kubelets *kubelets;
	struct table digests;              /* uid to struct template_digest */
	struct table event_keys;           /* text to char * name of the Event */
	uint32_t event_count;
	int64_t event_expiry_ns;           /* not before that, old Events are looked for again */
	uint64_t claims_version;           /* rises when a pod may change its set */
	uint64_t services_version;         /* rises with each change of a Service */
	struct zone_shares zones;
	uint32_t busy;                     /* steps under way outside the queues */
	uint64_t balancer_next[2];         /* offsets into the pools */
	uint32_t cidr_next[2];
};

/* ---- control.c ------------------------------------------------------------------- */

int64_t control_now(const struct control *c);
/* From a change in the store to what a controller writes because of it. */
int64_t control_reaction(const struct control *c);
/* Time that one sync takes of its controller. */
int64_t worker_cost(const struct control *c);
/* A span of time between `low` and `high`, drawn at "start" (its middle with exact_times). */
int64_t control_span(struct control *c, int64_t low, int64_t high);
/* Writes; they take the reference. EEXIST, ENOENT as the store says. */
int control_create(struct control *c, struct kube_object *o, struct err *err);
int control_update(struct control *c, struct kube_object *o, bool spec_changed);
/* Removes at once, finalizers or not. */
void control_remove(struct control *c, const struct kube_object *o);
/* As DELETE with that grace (-1 own); false when it is gone already. */
bool control_delete_object(struct control *c, const struct kube_object *o, int64_t grace_s);
/* "services \"x\" not found" and ENOENT. */
int control_not_found(enum kube_kind kind, const char *name, struct err *err);
void control_forget_finalizer(struct kube_object *o, const char *finalizer);
bool control_has_finalizer(const struct kube_object *o, const char *finalizer);
void control_add_finalizer(struct kube_object *o, const char *finalizer);

/* events.c */
void events_free(struct control *c);

/* ---- build.c: making objects ----------------------------------------------------- */

const char *text_or(const char *s, const char *otherwise);
/* A copy of the list of pairs, so that kube_map_set touches nobody else's. */
void map_own(struct kube_object *o, struct kube_map *m);
void strings_add(struct kube_object *o, struct kube_strings *l, const char *s);
/* Appends an owner reference. */
void owner_add(struct kube_object *o, const struct kube_object *owner, bool controller);
/* Sets a condition; its transition time moves with the status. True when it changed. */
bool condition_set(struct kube_object *o, struct kube_conditions *l, const char *type,
		   const char *status, const char *reason, const char *message, int64_t now_ns);
const struct kube_condition *condition_find(const struct kube_conditions *l, const char *type);
/* A pod of a template, without a name, owned by `owner`; it shares the memory of the
 * object that has the template. */
struct kube_pod *pod_from_template(struct control *c, const struct kube_template *t,
				   const struct kube_object *memory,
				   const struct kube_object *owner);
/* A copy for a new status or binding: metadata and status are its own, what the spec points
 * to is shared with the first object that had it; numbers in the spec may be changed. For
 * objects whose spec lies in one object's memory (of template_share: kube_copy them). */
struct kube_object *object_touch(const struct kube_object *old);
/* The same for pods, whose small lists are always their own. */
struct kube_pod *pod_touch(const struct kube_pod *old);
/* A new object with the metadata of the old one and nothing else. */
struct kube_object *object_header(const struct kube_object *old);
/* What admission adds to each pod: tolerations of lost nodes. */
void pod_admit(struct control *c, struct kube_pod *p);
/* Borrows the template's memory from its object. */
void template_share(struct kube_object *o, struct kube_template *to, const struct kube_object *from,
		    const struct kube_template *t);
/* 64-bit digest of a template without its hash labels, kept per uid and generation. */
uint64_t template_digest(struct control *c, const struct kube_object *o,
			 const struct kube_template *t);
/* When a rollout of this object last got further. */
int64_t *progress_time(struct control *c, const struct kube_object *o);
/* Whether pods of the set may have to be claimed since the last time this was asked. */
bool claims_stale(struct control *c, const struct kube_object *o);
void digest_forget(struct control *c, const struct kube_object *o);
bool pod_ready(const struct kube_pod *p);
bool pod_active(const struct kube_pod *p); /* not finished, not being deleted */
/* Ready for at least that long; *wait_ns gets what is missing (0 when not ready). */
bool pod_available(const struct control *c, const struct kube_pod *p, int64_t min_ready_s,
		   int64_t *wait_ns);
int64_t pod_ready_since(const struct kube_pod *p);

/* ---- names.c --------------------------------------------------------------------- */

#define SUFFIX_LETTERS 5
/* "prefix" + five drawn letters; the prefix is cut so that 63 characters remain. */
const char *name_generate(struct control *c, struct kube_object *o, const char *prefix);
/* A hash as Kubernetes writes it: decimal digits in its alphabet. */
const char *template_name_hash(char out[16], uint64_t digest, int64_t collisions);

/* ---- controllers ----------------------------------------------------------------- */

void slices_sync(struct control *c, const char *namespace, const char *name);
void slices_pod_changed(struct control *c, const struct kube_pod *old, const struct kube_pod *now);
void slices_service_changed(struct control *c, const struct kube_service *old,
			    const struct kube_service *now);
void slices_slice_changed(struct control *c, const struct kube_endpoint_slice *s);
void endpoints_sync(struct control *c, const char *namespace, const char *name);
void mirror_sync(struct control *c, const char *namespace, const char *name);
/* The same whatever the Service is: a snapshot has Endpoints where it has no slices. */
void mirror_endpoints(struct control *c, const char *namespace, const char *name);
/* Nodes or their zones changed: Services with hints are looked at again. */
void topology_node_changed(struct control *c, const struct kube_node *old,
			   const struct kube_node *now);
void zone_shares_forget(struct control *c);
void topology_sync(struct control *c, const char *namespace, const char *name);

void replica_set_sync(struct control *c, const char *namespace, const char *name);
void replication_sync(struct control *c, const char *namespace, const char *name);
void deployment_sync(struct control *c, const char *namespace, const char *name);
void stateful_set_sync(struct control *c, const char *namespace, const char *name);
void daemon_set_sync(struct control *c, const char *namespace, const char *name);
void job_sync(struct control *c, const char *namespace, const char *name);
void daemon_sets_node_changed(struct control *c, const struct kube_node *old,
			      const struct kube_node *now);
/* The controllers that own the pod, or that could adopt it. */
void workloads_pod_changed(struct control *c, const struct kube_pod *old,
			   const struct kube_pod *now);

/* A claim, volume or class changed: claims that wait look again. */
void claims_changed(struct control *c, const struct kube_object *o);
/* Makes the volume of a claim. */
void provision_sync(struct control *c, const char *namespace, const char *name);
void claim_sync(struct control *c, const char *namespace, const char *name);
/* Whether a claim can be used by a pod; WaitForFirstConsumer claims are told the node. */
enum claim_state { CLAIM_BOUND, CLAIM_WAITS_FOR_POD, CLAIM_PENDING, CLAIM_MISSING };
enum claim_state claim_state(struct control *c, const char *namespace, const char *name);
/* Node that a bound or chosen claim is on, or NULL when any will do. */
const char *claim_node(struct control *c, const char *namespace, const char *name);
void claim_select_node(struct control *c, const char *namespace, const char *name,
		       const char *node);
void balancer_service_changed(struct control *c, const struct kube_service *now);
void balancer_sync(struct control *c, const char *namespace, const char *name);
void namespace_sync(struct control *c, const char *namespace, const char *name);
void garbage_sync(struct control *c, const char *what, const char *key);
/* Dependents forget the owner (deletion with propagation Orphan). */
void garbage_orphan(struct control *c, const struct kube_object *owner);

/* ---- scheduler ------------------------------------------------------------------- */

struct scheduler *scheduler_new(struct control *c);
void scheduler_free(struct scheduler *s);
void scheduler_stop(struct scheduler *s);
void scheduler_pod_changed(struct scheduler *s, const struct kube_pod *old,
			   const struct kube_pod *now);
/* Something that may make room: a node, a claim. */
void scheduler_wake(struct scheduler *s);
uint32_t scheduler_busy(const struct scheduler *s);
/* The node that a pod would get now, or NULL with the reason in `why` (may be NULL). */
struct node_record *scheduler_pick(struct scheduler *s, const struct kube_pod *p,
				   struct strbuf *why);
bool pod_tolerates(const struct kube_pod_spec *spec, const struct kube_taint *taint);
/* Whether the pod may be on the node by its taints, selector and name. */
bool node_admits(const struct kube_node *node, const struct kube_pod_spec *spec);

/* ---- node lifecycle -------------------------------------------------------------- */

struct lifecycle *lifecycle_new(struct control *c);
void lifecycle_free(struct lifecycle *l);
void lifecycle_start(struct lifecycle *l);
void lifecycle_stop(struct lifecycle *l);
void lifecycle_node_changed(struct lifecycle *l, const struct kube_node *old,
			    const struct kube_node *now);
void lifecycle_pod_changed(struct lifecycle *l, const struct kube_pod *old,
			   const struct kube_pod *now);
/* The kubelet stopped or began to renew its lease. */
void lifecycle_lease(struct lifecycle *l, const char *node, bool renewing);
uint32_t lifecycle_busy(const struct lifecycle *l);

#endif
