/* kube/control/scheduler.h: between the files of the scheduler. */
#ifndef KUBE_CONTROL_SCHEDULER_H
#define KUBE_CONTROL_SCHEDULER_H

#include "kube/control/internal.h"

struct domain { /* a zone or host of a spread constraint */
	const char *value;
	uint32_t pods;
};

struct spread { /* one constraint of the pod in work */
	const struct kube_topology_spread *rule;
	struct table counts; /* value of the topology key to uint32_t pods */
	uint32_t least;      /* in any domain */
};

struct reasons { /* why nodes were refused */
	struct table counts; /* text to uint32_t nodes */
	struct arena *arena;
	uint32_t nodes, helpless; /* helpless: no preemption could help there */
};

struct search {
	struct control *c;
	const struct kube_pod *pod;
	const char *pinned, *selected; /* node of a DaemonSet's pod, of a bound claim */
	int64_t cpu_milli, memory_milli;
	bool host_ports;
	bool simple;                   /* nothing but resources decides on a plain node */
	struct spread *spreads;
	uint32_t spread_count;
	struct reasons *reasons;       /* NULL: nobody asks */
};

/* Prepares what the filters need; search_end releases it. */
void search_begin(struct search *s, struct control *c, const struct kube_pod *pod);
void search_end(struct search *s);
/* Whether the pod can be on the node; if not the reason is counted. */
bool search_fits(struct search *s, struct node_record *n);
/* Sums over soft constraints and PreferNoSchedule taints: fewer is better. */
uint32_t search_penalty(struct search *s, const struct node_record *n);

void reasons_begin(struct reasons *r);
void reasons_end(struct reasons *r);
/* "0/3 nodes are available: 1 node(s) ..., 2 Insufficient cpu. preemption: ..." */
void reasons_text(const struct reasons *r, struct strbuf *out);

#endif
