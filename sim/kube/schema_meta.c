/* kube/schema_meta.c: tables of what most kinds carry: metadata, conditions,
 * selectors, references. */
#include "kube/schema_rows.h"

#define T struct kube_owner
static const struct field owner_fields[] = {
	STRING("apiVersion", T, api_version, "Group and version of the owner.", .required = true),
	ROW("blockOwnerDeletion", FIELD_TRI, T, block_owner_deletion,
	    "Whether foreground deletion of the owner waits for this object.",
	    .pointer = true),
	ROW("controller", FIELD_TRI, T, controller, "Whether the owner is the managing controller.",
	    .pointer = true),
	STRING("kind", T, kind, "Kind of the owner.", .required = true),
	STRING("name", T, name, "Name of the owner.", .required = true),
	STRING("uid", T, uid, "UID of the owner.", .required = true),
	END
};
#undef T

#define T struct kube_meta
const struct field kube_meta_fields[] = {
	ROW("annotations", FIELD_MAP, T, annotations,
	    "Key and value pairs that tools keep with the object; nothing selects by them."),
	ROW("creationTimestamp", FIELD_TIME, T, creation_ns,
	    "When the server made the object. Set by the system, read-only."),
	ROW("deletionGracePeriodSeconds", FIELD_OPT_INT, T, deletion_grace_s,
	    "Seconds the object has to end gracefully before it is removed. Read-only."),
	ROW("deletionTimestamp", FIELD_TIME, T, deletion_ns,
	    "When the object will be gone; set by the server once deletion was asked for."),
	ROW("finalizers", FIELD_STRINGS, T, finalizers,
	    "Names of those who must act before the object may go; it stays until this is empty."),
	STRING("generateName", T, generate_name,
	       "Prefix from which the server makes a unique name when name is empty."),
	ROW("generation", FIELD_INT64, T, generation,
	    "Number of the desired state; raised by each change of the spec. Read-only."),
	ROW("labels", FIELD_MAP, T, labels,
	    "Key and value pairs by which objects are organised and selected."),
	IGNORED("managedFields"),
	STRING("name", T, name, "Name, unique within a namespace for its kind; cannot change."),
	STRING("namespace", T, namespace,
	       "Space within which the name is unique; empty for cluster-wide kinds."),
	LIST("ownerReferences", T, owners, owner_fields,
	     "Objects that this one depends on; when all are gone it is collected."),
	ROW("resourceVersion", FIELD_VERSION, T, resource_version,
	    "Opaque version of the stored object; changes with each write. Read-only."),
	IGNORED("selfLink"),
	IGNORED("clusterName"),
	STRING("uid", T, uid, "Unique in time and space; made by the server. Read-only."),
	END
};
#undef T

#define T struct kube_condition
const struct field kube_condition_fields[] = {
	IGNORED("lastHeartbeatTime"),
	IGNORED("lastProbeTime"),
	ROW("lastTransitionTime", FIELD_TIME, T, last_transition_ns,
	    "When the status of this condition last changed."),
	IGNORED("lastUpdateTime"),
	STRING("message", T, message, "Sentence for people about the last change."),
	IGNORED("observedGeneration"),
	STRING("reason", T, reason, "One word for the cause of the last change."),
	STRING("status", T, status, "True, False or Unknown.", .required = true),
	STRING("type", T, type, "What the condition is about.", .required = true),
	END
};
#undef T

#define T struct kube_selector_requirement
static const struct field requirement_fields[] = {
	STRING("key", T, key, "Label key that the requirement is about.", .required = true),
	STRING("operator", T, op, "In, NotIn, Exists or DoesNotExist.", .required = true),
	ROW("values", FIELD_STRINGS, T, values,
	    "Values for In and NotIn; must be empty for the other operators."),
	END
};
#undef T

#define T struct kube_selector
const struct field kube_selector_fields[] = {
	LIST("matchExpressions", T, expressions, requirement_fields,
	     "Requirements on labels; all must hold."),
	ROW("matchLabels", FIELD_MAP, T, match_labels,
	    "Pairs that the labels must contain; all must hold."),
	END
};
#undef T

#define T struct kube_object_ref
const struct field kube_reference_fields[] = {
	IGNORED("apiVersion"),
	IGNORED("fieldPath"),
	STRING("kind", T, kind, "Kind of the object referred to."),
	STRING("name", T, name, "Name of the object referred to."),
	STRING("namespace", T, namespace, "Namespace of the object referred to."),
	IGNORED("resourceVersion"),
	STRING("uid", T, uid, "UID of the object referred to."),
	END
};
#undef T

const struct field kube_no_fields[] = { END };
