/* kube/control/index.h: what controllers look up, kept beside the store.
 *
 * Every object of the store has a record (Events excepted). Records are linked by
 * owner reference, pods also by node and by label, Services by one pair of their
 * selector, so that no sync walks all objects. The index changes inside the store's
 * write and is therefore never behind it.
 *
 * Pointers to objects are borrowed from the records: they are valid until the next
 * write of that object. Selected lists come in order of name.
 */
#ifndef KUBE_CONTROL_INDEX_H
#define KUBE_CONTROL_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/table.h"
#include "kube/store.h"

struct object_list {
	const struct kube_object **items;
	uint32_t count, capacity;
};
void object_list_add(struct object_list *l, const struct kube_object *o);
void object_list_free(struct object_list *l);
void object_list_sort(struct object_list *l); /* by name */
bool maps_equal(const struct kube_map *a, const struct kube_map *b);

struct dependency { /* one owner reference */
	struct record *record;
	struct owner *owner;
	bool controller;
	TAILQ_ENTRY(dependency) link;
};

struct owner { /* whatever has this uid */
	char *uid;
	TAILQ_HEAD(, dependency) dependents;
	uint32_t number, count;
};

struct record {
	const struct kube_object *now; /* a reference; NULL: a node that is only named */
	char *key;                     /* "namespace/name" */
	struct dependency *owners;
	uint32_t owner_count;
};

struct label_bucket;
struct label_link {
	struct pod_record *pod;
	struct label_bucket *bucket;
	TAILQ_ENTRY(label_link) link;
};

struct kubelet_pod;
struct node_record;
struct pod_record {
	struct record record;
	struct label_link *labels;
	uint32_t label_count;
	struct node_record *node;      /* bound to; NULL: not bound */
	TAILQ_ENTRY(pod_record) on_node;
	struct owner *counted;         /* owner whose count on the node holds this pod */
	int64_t cpu_milli, memory_milli; /* requests, thousandths of cores and of bytes */
	bool active;                   /* neither Succeeded nor Failed: uses the node */
	char *pinned;                  /* node that a DaemonSet made it for, or NULL */
	struct kubelet_pod *kubelet;   /* the kubelet's state, or NULL */
};
TAILQ_HEAD(pod_records, pod_record);

struct node_record {
	struct record record;
	uint32_t number;               /* in the order in which they were first seen */
	struct pod_records pods;
	uint32_t pod_count;            /* active ones */
	int64_t cpu_milli, memory_milli; /* sums of requests */
	int64_t cpu_room, memory_room, pods_room; /* allocatable; INT64_MAX: not said */
	bool plain;                    /* neither cordoned nor tainted */
	uint32_t mark, marked;         /* the scheduler's: pods of the owner of search `mark` */
	struct kubelet *kubelet;
};

struct service_record {
	struct record record;
	struct label_bucket *bucket;
	TAILQ_ENTRY(service_record) link;
	int64_t synced_ns, endpoints_synced_ns; /* of the last sync; -1 never */
	const char *hints_reason;      /* why topology hints are off; NULL: they are on or unused */
};

struct label_bucket { /* pods with, and Services that ask for, one label */
	char *key;
	TAILQ_HEAD(, label_link) pods;
	TAILQ_HEAD(, service_record) services;
	uint32_t pod_count, service_count;
};

struct index {
	struct table records[KIND_COUNT]; /* "namespace/name" to struct record * */
	struct table owners;              /* uid to struct owner * */
	struct table buckets;             /* to struct label_bucket * */
	struct table spread;              /* struct spread_key to uint32_t pods */
	struct node_record **nodes;       /* by number */
	uint32_t node_count, node_capacity, owner_count;
};

void index_init(struct index *x);
void index_free(struct index *x);
/* The object as it is now, or as it was before it was deleted. */
void index_change(struct index *x, enum kube_change change, const struct kube_object *o);

struct record *index_record(const struct index *x, enum kube_kind kind, const char *namespace,
			    const char *name);
struct pod_record *index_pod(const struct index *x, const char *namespace, const char *name);
struct service_record *index_service(const struct index *x, const char *namespace,
				     const char *name);
/* NULL when no node of that name is known or named by a pod. */
struct node_record *index_node(const struct index *x, const char *name);
/* Its Node object, or NULL. */
const struct kube_node *index_node_object(const struct index *x, const char *name);

/* Pods that a selector map selects (none when it is empty). */
void index_select(const struct index *x, const char *namespace, const struct kube_map *selector,
		  struct object_list *out);
/* The same for a label selector; one that has expressions only walks the namespace. */
void index_select_full(const struct index *x, const char *namespace,
		       const struct kube_selector *selector, struct object_list *out);
/* Services whose selector selects these labels. */
void index_services(const struct index *x, const char *namespace, const struct kube_map *labels,
		    struct object_list *out);
/* Dependents with a controller reference to this uid, in order of their making; KIND_NONE:
 * all kinds. */
void index_owned(const struct index *x, const char *uid, enum kube_kind kind,
		 struct object_list *out);
/* All dependents, whatever the reference. */
void index_dependents(const struct index *x, const char *uid, struct object_list *out);
/* Active pods of this owner on this node. */
uint32_t index_spread(const struct index *x, const struct owner *owner,
		      const struct node_record *node);
/* The controller's reference of an object, or NULL. */
const struct kube_owner *controller_of(const struct kube_object *o);
struct owner *index_owner(const struct index *x, const char *uid);

#endif
