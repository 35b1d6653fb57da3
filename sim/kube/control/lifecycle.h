/* kube/control/lifecycle.h: between the files of the node lifecycle. */
#ifndef KUBE_CONTROL_LIFECYCLE_H
#define KUBE_CONTROL_LIFECYCLE_H

#include "kube/control/internal.h"

#define TAINT_NOT_READY "node.kubernetes.io/not-ready"
#define TAINT_UNREACHABLE "node.kubernetes.io/unreachable"

struct node_life {
	struct lifecycle *owner;
	char *name;
	bool silent;               /* no lease is renewed */
	int64_t bad_since_ns;      /* seen not Ready; -1: it is well */
	struct event_id overdue;   /* when the monitor takes notice */
	struct event_id recovered; /* when the kubelet has written its status again */
	struct event_id orphaned;  /* the Node object is gone: its pods go */
};

struct zone_life {
	char *name;
	int64_t next_ns;           /* the limiter lets the next node through */
	uint32_t ready, bad;       /* of this pass */
};

struct lifecycle {
	struct control *c;
	struct work_queue taints;  /* of nodes: NoSchedule by condition */
	struct table nodes;        /* name to struct node_life * */
	struct table zones;        /* name to struct zone_life * */
	struct table evictions;    /* "namespace/name" to struct eviction * */
	struct event_id pass;
	int64_t start_ns;          /* the monitor's passes count from here */
	uint32_t bad_count;
	bool all_bad;              /* every zone is bad: nobody is evicted */
};

struct node_life *life_need(struct lifecycle *l, const char *name);
/* First monitor pass at or after `when_ns`. */
int64_t life_next_pass(const struct lifecycle *l, int64_t when_ns);
const struct kube_node *life_node(const struct lifecycle *l, const char *name);
bool node_has_taint(const struct kube_node *n, const char *key, const char *effect);
/* Adds or removes a taint of a copy. */
void node_taint_set(struct lifecycle *l, struct kube_node *copy, const char *key,
		    const char *effect, bool wanted);

/* lifecycle_zone.c: one pass of NoExecute tainting. */
void zones_pass(struct lifecycle *l);
void zones_free(struct lifecycle *l);

/* evict.c: pods under NoExecute taints. */
void evictions_node_changed(struct lifecycle *l, const struct kube_node *now);
void evictions_pod_changed(struct lifecycle *l, const struct kube_pod *old,
			   const struct kube_pod *now);
void evictions_clear(struct lifecycle *l);
/* Removes the node's pods at once: the node is gone for good. */
void evict_by_force(struct lifecycle *l, const char *node, bool all);

#endif
