/* kube/admit.h: the API server's way into the store.
 *
 * kube/store.h keeps what it is given. Whoever speaks for a user (kubectl's verbs,
 * a scenario's apply) goes through here: names are made, defaults set, fields and
 * changes validated, virtual addresses and node ports allocated, finalizers and
 * grace periods respected. Controllers may use either: the store for bookkeeping
 * that cannot be refused (status, a pod from a valid template), this for objects
 * whose fields come from users.
 *
 * A verb takes the reference to its object, returns 0 or an errno, and fills a
 * `struct kube_answer` with what the server says. kube_answer_text turns a refusal
 * into what kubectl prints. Numbers: EINVAL 422 Invalid, EEXIST 409 AlreadyExists,
 * EAGAIN 409 Conflict, ENOENT 404 NotFound, EPERM 403 Forbidden, ENOSPC 500 (nothing
 * left to allocate).
 *
 * Update. The caller changes a copy of the stored object (kube_copy). Unless it sets
 * resource_version to 0, it must still be that of the stored one. kube_admit_update
 * takes metadata and spec of the new object and the status of the stored one,
 * kube_admit_update_status the other way round. An update that changes nothing
 * writes nothing (`unchanged`). generation rises when the spec changes.
 *
 * Delete. A Pod on a node is marked (deletion_ns = now + grace) and the kubelet
 * removes it with grace 0; so is everything with finalizers, until an update takes
 * the last one away. A Namespace is marked and its phase becomes Terminating; its
 * contents are its controller's. All else goes at once; what it owned is the garbage
 * collector's.
 */
#ifndef KUBE_ADMIT_H
#define KUBE_ADMIT_H

#include "core/strbuf.h"
#include "kube/store.h"

struct kube_admit;

struct kube_admit_options {
	const char *service_cidrs[2];  /* used while the store has no ServiceCIDR; NULL:
					* 10.96.0.0/12 and no second family */
	uint16_t node_port_first, node_port_last; /* 0: 30000 to 32767 */
	struct choice *choice;         /* addresses and names; NULL: the lowest ones */
};

/* `options` may be NULL. Services in the store keep what they have. The namespaces that
 * every API server makes at its start (default, kube-system, kube-public,
 * kube-node-lease) are made when they are missing. */
struct kube_admit *kube_admit_new(struct kube_store *s, const struct kube_admit_options *options);
void kube_admit_free(struct kube_admit *a);

struct kube_answer { /* zeroed by the caller; kube_answer_free when done */
	const char *reason;        /* "Invalid", "AlreadyExists", ...; NULL: done */
	const char *kind;          /* of the object, "Service" */
	struct strbuf name;        /* of the object, also when the server made it */
	struct strbuf message;     /* the server's message */
	struct strbuf causes;      /* reason Invalid: a line each */
	struct strbuf warnings;    /* a line each, without "Warning: " */
	bool unchanged;
};

void kube_answer_free(struct kube_answer *answer);
/* As kubectl prints a refusal to stderr, with newline. `doing` is kubectl's clause on what
 * failed, as "error when creating \"web.yaml\"", or NULL. `alone`: the only failure of
 * the command; then an Invalid answer has kubectl's short form. */
void kube_answer_text(const struct kube_answer *answer, const char *doing, bool alone,
		      struct strbuf *out);

/* `answer` may be NULL in all verbs. */
int kube_admit_create(struct kube_admit *a, struct kube_object *o, struct kube_answer *answer);
int kube_admit_update(struct kube_admit *a, struct kube_object *o, struct kube_answer *answer);
int kube_admit_update_status(struct kube_admit *a, struct kube_object *o,
			     struct kube_answer *answer);

struct kube_delete {
	struct opt_int grace_s;    /* unset: the object's own */
	const char *propagation;   /* "Background", "Foreground", "Orphan"; NULL: Background */
};
int kube_admit_delete(struct kube_admit *a, enum kube_kind kind, const char *namespace,
		      const char *name, const struct kube_delete *how, struct kube_answer *answer);

/* What admission plugins and the Pod strategy add to a new Pod besides its defaults:
 * tolerations for nodes that are not ready or unreachable, the QoS class, a clean
 * status. kube_admit_create does this; controllers that write pods straight into the
 * store call it. */
void kube_admit_pod(struct kube_object *pod);
/* The tolerations alone, which an update gets as well. */
void kube_admit_pod_tolerations(struct kube_object *pod);
/* A name from metadata.generateName: five characters drawn at site "name". Nothing when
 * the object has a name. */
void kube_admit_generate_name(struct kube_store *s, struct choice *choice,
			      struct kube_object *o);

#endif
