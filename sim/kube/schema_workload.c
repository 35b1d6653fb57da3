/* kube/schema_workload.c: tables of the kinds that make pods. */
#include "kube/defaults.h"
#include "kube/schema_rows.h"
#include "kube/validate.h"

#define REPLICAS(T)                                                                            \
	ROW("replicas", FIELD_OPT_INT, T, spec.replicas, "Pods wanted; 1 when not given.")
#define MIN_READY(T)                                                                           \
	ROW("minReadySeconds", FIELD_OPT_INT, T, spec.min_ready_s,                             \
	    "Seconds that a pod must be ready before it counts as available.")
#define HISTORY(T)                                                                             \
	ROW("revisionHistoryLimit", FIELD_OPT_INT, T, spec.revision_history_limit,             \
	    "Old revisions that are kept; 10 when not given.")
#define SELECTOR(T)                                                                            \
	INSIDE_SET("selector", T, spec.selector, spec.selector.set, kube_selector_fields,      \
		   "Pods that belong to this object; must match the template's labels.",       \
		   .required = true)
#define TEMPLATE(T)                                                                            \
	INSIDE("template", T, spec.template, kube_template_fields,                             \
	       "What the pods look like that this object makes.", .required = true)
#define COUNT(name_, T, member, text) ROW(name_, FIELD_INT32, T, status.member, text)
#define OBSERVED(T)                                                                            \
	ROW("observedGeneration", FIELD_INT64, T, status.observed_generation,                  \
	    "Generation that the controller last acted on.")
#define CONDITIONS(T)                                                                          \
	LIST("conditions", T, status.conditions, kube_condition_fields, "State of the object.")

/* ---- Deployment ------------------------------------------------------------- */

#define T struct kube_deployment
static const struct field deployment_rolling_fields[] = {
	ROW("maxSurge", FIELD_INT_OR_STRING, T, spec.max_surge,
	    "Pods above replicas during an update, number or percentage; 25% when not given."),
	ROW("maxUnavailable", FIELD_INT_OR_STRING, T, spec.max_unavailable,
	    "Pods that may be missing during an update, number or percentage; 25% when not given."),
	END
};
static const struct field deployment_strategy_fields[] = {
	FLAT("rollingUpdate", deployment_rolling_fields, "Settings of RollingUpdate."),
	STRING("type", T, spec.strategy, "Recreate or RollingUpdate (the default).",
	       .choices = "Recreate,RollingUpdate"),
	END
};
static const struct field deployment_spec_fields[] = {
	MIN_READY(T),
	ROW("paused", FIELD_TRI, T, spec.paused, "Whether changes of the template wait."),
	ROW("progressDeadlineSeconds", FIELD_OPT_INT, T, spec.progress_deadline_s,
	    "Seconds without progress after which a rollout counts as failed; 600 when not given."),
	REPLICAS(T),
	HISTORY(T),
	SELECTOR(T),
	FLAT("strategy", deployment_strategy_fields, "How old pods are replaced by new ones.",
	     .always = true),
	TEMPLATE(T),
	END
};
static const struct field deployment_status_fields[] = {
	COUNT("availableReplicas", T, available, "Pods that are available."),
	ROW("collisionCount", FIELD_OPT_INT, T, status.collision_count,
	    "How often the hash of a new ReplicaSet's name was taken."),
	CONDITIONS(T),
	OBSERVED(T),
	COUNT("readyReplicas", T, ready, "Pods that are ready."),
	COUNT("replicas", T, replicas, "Pods that exist."),
	IGNORED("terminatingReplicas"),
	COUNT("unavailableReplicas", T, unavailable, "Pods still missing."),
	COUNT("updatedReplicas", T, updated, "Pods of the current template."),
	END
};
static const struct field deployment_fields[] = {
	META,
	FLAT("spec", deployment_spec_fields, "What the Deployment should be."),
	FLAT("status", deployment_status_fields, "What was last seen of it.", .always = true),
	END
};
#undef T

const struct kind_schema kube_deployment_schema = {
	.kind = KIND_DEPLOYMENT, .name = "Deployment", .plural = "deployments",
	.short_names = "deploy", .group_version = "apps/v1",
	.also = "apps/v1beta1,apps/v1beta2,extensions/v1beta1", .namespaced = true,
	.size = sizeof(struct kube_deployment), .fields = deployment_fields,
	.set_defaults = kube_default_deployment,
	.validate = kube_validate_deployment,
	.doc = "Keeps a number of equal pods and updates them by way of ReplicaSets.",
};

/* ---- ReplicaSet, ReplicationController --------------------------------------- */

#define T struct kube_replica_set
static const struct field replica_set_spec_fields[] = {
	MIN_READY(T), REPLICAS(T), SELECTOR(T), TEMPLATE(T), END
};
static const struct field replica_set_status_fields[] = {
	COUNT("availableReplicas", T, available, "Pods that are available."),
	CONDITIONS(T),
	COUNT("fullyLabeledReplicas", T, fully_labeled, "Pods with all labels of the template."),
	OBSERVED(T),
	COUNT("readyReplicas", T, ready, "Pods that are ready."),
	ROW("replicas", FIELD_INT32, T, status.replicas, "Pods that exist.", .always = true),
	IGNORED("terminatingReplicas"),
	END
};
static const struct field replica_set_fields[] = {
	META,
	FLAT("spec", replica_set_spec_fields, "What the ReplicaSet should be."),
	FLAT("status", replica_set_status_fields, "What was last seen of it.", .always = true),
	END
};
static const struct field controller_spec_fields[] = {
	MIN_READY(T),
	REPLICAS(T),
	ROW_SET("selector", FIELD_MAP, T, spec.selector.match_labels, spec.selector.set,
		"Labels of the pods; the template's when not given."),
	TEMPLATE(T),
	END
};
static const struct field controller_fields[] = {
	META,
	FLAT("spec", controller_spec_fields, "What the ReplicationController should be."),
	FLAT("status", replica_set_status_fields, "What was last seen of it.", .always = true),
	END
};
#undef T

const struct kind_schema kube_replica_set_schema = {
	.kind = KIND_REPLICA_SET, .name = "ReplicaSet", .plural = "replicasets",
	.short_names = "rs", .group_version = "apps/v1", .also = "apps/v1beta2,extensions/v1beta1",
	.namespaced = true, .size = sizeof(struct kube_replica_set), .fields = replica_set_fields,
	.set_defaults = kube_default_replica_set,
	.validate = kube_validate_replica_set,
	.doc = "Keeps a number of equal pods.",
};
const struct kind_schema kube_replication_controller_schema = {
	.kind = KIND_REPLICATION_CONTROLLER, .name = "ReplicationController",
	.plural = "replicationcontrollers", .short_names = "rc", .group_version = "v1",
	.namespaced = true, .size = sizeof(struct kube_replica_set), .fields = controller_fields,
	.set_defaults = kube_default_replication_controller,
	.validate = kube_validate_replication_controller,
	.doc = "Keeps a number of equal pods; the ancestor of ReplicaSet.",
};

/* ---- StatefulSet -------------------------------------------------------------- */

#define T struct kube_pvc_template
static const struct field claim_resource_fields[] = {
	IGNORED("limits"),
	ROW("requests", FIELD_QUANTITY_MAP, T, requests, "Least size of the volume."),
	END
};
static const struct field claim_spec_fields[] = {
	ROW("accessModes", FIELD_STRINGS, T, access_modes,
	    "ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod."),
	IGNORED("dataSource"),
	IGNORED("dataSourceRef"),
	FLAT("resources", claim_resource_fields, "Size of the volume."),
	IGNORED("selector"),
	STRING("storageClassName", T, storage_class, "Class of the volume.",
	    .pointer = true),
	IGNORED("volumeAttributesClassName"),
	STRING("volumeMode", T, volume_mode, "Filesystem or Block."),
	IGNORED("volumeName"),
	END
};
static const struct field claim_template_fields[] = {
	IGNORED("apiVersion"),
	IGNORED("kind"),
	INSIDE("metadata", T, meta, kube_meta_fields, "Metadata of the claims."),
	FLAT("spec", claim_spec_fields, "What the claims ask for."),
	IGNORED("status"),
	END
};
#undef T

#define T struct kube_stateful_set
static const struct field stateful_rolling_fields[] = {
	ROW("maxUnavailable", FIELD_INT_OR_STRING, T, spec.max_unavailable,
	    "Pods that may be missing during an update, number or percentage."),
	ROW("partition", FIELD_OPT_INT, T, spec.partition,
	    "Only pods with this ordinal or a higher one are updated."),
	END
};
static const struct field stateful_strategy_fields[] = {
	FLAT("rollingUpdate", stateful_rolling_fields, "Settings of RollingUpdate."),
	STRING("type", T, spec.update_strategy, "OnDelete or RollingUpdate (the default).",
	       .choices = "OnDelete,RollingUpdate"),
	END
};
static const struct field retention_fields[] = {
	STRING("whenDeleted", T, spec.retention_deleted,
	       "Retain (the default) or Delete, when the StatefulSet is deleted."),
	STRING("whenScaled", T, spec.retention_scaled,
	       "Retain (the default) or Delete, when it is scaled down."),
	END
};
static const struct field ordinals_fields[] = {
	ROW("start", FIELD_OPT_INT, T, spec.ordinals_start, "Ordinal of the first pod."),
	END
};
static const struct field stateful_spec_fields[] = {
	MIN_READY(T),
	FLAT("ordinals", ordinals_fields, "How the pods are numbered."),
	FLAT("persistentVolumeClaimRetentionPolicy", retention_fields,
	     "What becomes of the claims."),
	STRING("podManagementPolicy", T, spec.pod_management_policy,
	       "OrderedReady (the default) or Parallel.",
	       .choices = "OrderedReady,Parallel"),
	REPLICAS(T),
	HISTORY(T),
	SELECTOR(T),
	STRING("serviceName", T, spec.service_name,
	       "Headless Service that gives the pods their DNS names."),
	TEMPLATE(T),
	FLAT("updateStrategy", stateful_strategy_fields, "How pods get a new template."),
	LIST("volumeClaimTemplates", T, spec.claims, claim_template_fields,
	     "Claims that each pod gets."),
	END
};
static const struct field stateful_status_fields[] = {
	ROW("availableReplicas", FIELD_INT32, T, status.available, "Pods that are available.",
	    .always = true),
	ROW("collisionCount", FIELD_OPT_INT, T, status.collision_count,
	    "How often the hash of a new revision's name was taken."),
	CONDITIONS(T),
	COUNT("currentReplicas", T, current, "Pods of the current revision."),
	STRING("currentRevision", T, status.current_revision, "Revision before the update."),
	OBSERVED(T),
	COUNT("readyReplicas", T, ready, "Pods that are ready."),
	ROW("replicas", FIELD_INT32, T, status.replicas, "Pods that exist.", .always = true),
	STRING("updateRevision", T, status.update_revision, "Revision that is rolled out."),
	COUNT("updatedReplicas", T, updated, "Pods of the new revision."),
	END
};
static const struct field stateful_fields[] = {
	META,
	FLAT("spec", stateful_spec_fields, "What the StatefulSet should be."),
	FLAT("status", stateful_status_fields, "What was last seen of it.", .always = true),
	END
};
#undef T

const struct kind_schema kube_stateful_set_schema = {
	.kind = KIND_STATEFUL_SET, .name = "StatefulSet", .plural = "statefulsets",
	.short_names = "sts", .group_version = "apps/v1", .also = "apps/v1beta1,apps/v1beta2",
	.namespaced = true, .size = sizeof(struct kube_stateful_set), .fields = stateful_fields,
	.set_defaults = kube_default_stateful_set,
	.validate = kube_validate_stateful_set,
	.doc = "Keeps numbered pods, each with a name, a DNS name and storage of its own.",
};

/* ---- DaemonSet, Job, ControllerRevision ---------------------------------------- */

#define T struct kube_daemon_set
static const struct field daemon_rolling_fields[] = {
	ROW("maxSurge", FIELD_INT_OR_STRING, T, spec.max_surge,
	    "Nodes that may have an old and a new pod during an update; 0 when not given."),
	ROW("maxUnavailable", FIELD_INT_OR_STRING, T, spec.max_unavailable,
	    "Nodes whose pod may be missing during an update; 1 when not given."),
	END
};
static const struct field daemon_strategy_fields[] = {
	FLAT("rollingUpdate", daemon_rolling_fields, "Settings of RollingUpdate."),
	STRING("type", T, spec.update_strategy, "OnDelete or RollingUpdate (the default).",
	       .choices = "OnDelete,RollingUpdate"),
	END
};
static const struct field daemon_spec_fields[] = {
	MIN_READY(T),
	HISTORY(T),
	SELECTOR(T),
	TEMPLATE(T),
	FLAT("updateStrategy", daemon_strategy_fields, "How pods get a new template."),
	END
};
#define ALWAYS(name_, member, text)                                                            \
	ROW(name_, FIELD_INT32, T, status.member, text, .always = true)
static const struct field daemon_status_fields[] = {
	IGNORED("collisionCount"),
	IGNORED("conditions"),
	ALWAYS("currentNumberScheduled", current, "Nodes that run the pod and should."),
	ALWAYS("desiredNumberScheduled", desired, "Nodes that should run the pod."),
	COUNT("numberAvailable", T, available, "Nodes whose pod is available."),
	ALWAYS("numberMisscheduled", misscheduled, "Nodes that run the pod and should not."),
	ALWAYS("numberReady", ready, "Nodes whose pod is ready."),
	COUNT("numberUnavailable", T, unavailable, "Nodes whose pod is missing or not available."),
	OBSERVED(T),
	COUNT("updatedNumberScheduled", T, updated, "Nodes that run the current template."),
	END
};
static const struct field daemon_fields[] = {
	META,
	FLAT("spec", daemon_spec_fields, "What the DaemonSet should be."),
	FLAT("status", daemon_status_fields, "What was last seen of it.", .always = true),
	END
};
#undef T

const struct kind_schema kube_daemon_set_schema = {
	.kind = KIND_DAEMON_SET, .name = "DaemonSet", .plural = "daemonsets", .short_names = "ds",
	.group_version = "apps/v1", .also = "apps/v1beta2,extensions/v1beta1", .namespaced = true,
	.size = sizeof(struct kube_daemon_set), .fields = daemon_fields,
	.set_defaults = kube_default_daemon_set,
	.validate = kube_validate_daemon_set,
	.doc = "Keeps one pod on every node, or on every node that its template allows.",
};

#define T struct kube_job
static const struct field job_spec_fields[] = {
	ROW("activeDeadlineSeconds", FIELD_OPT_INT, T, spec.active_deadline_s,
	    "Seconds after its start when the Job is ended."),
	ROW("backoffLimit", FIELD_OPT_INT, T, spec.backoff_limit,
	    "Failures after which the Job counts as failed; 6 when not given."),
	IGNORED("backoffLimitPerIndex"),
	IGNORED("completionMode"),
	ROW("completions", FIELD_OPT_INT, T, spec.completions, "Pods that must succeed."),
	IGNORED("managedBy"),
	IGNORED("manualSelector"),
	IGNORED("maxFailedIndexes"),
	ROW("parallelism", FIELD_OPT_INT, T, spec.parallelism, "Pods that run at a time."),
	IGNORED("podFailurePolicy"),
	IGNORED("podReplacementPolicy"),
	INSIDE_SET("selector", T, spec.selector, spec.selector.set, kube_selector_fields,
		   "Pods of the Job; made by the system."),
	IGNORED("successPolicy"),
	IGNORED("suspend"),
	TEMPLATE(T),
	IGNORED("ttlSecondsAfterFinished"),
	END
};
static const struct field job_status_fields[] = {
	COUNT("active", T, active, "Pods that are pending or running."),
	IGNORED("completedIndexes"),
	ROW("completionTime", FIELD_TIME, T, status.completion_ns, "When the Job was done."),
	CONDITIONS(T),
	COUNT("failed", T, failed, "Pods that failed."),
	IGNORED("failedIndexes"),
	IGNORED("ready"),
	ROW("startTime", FIELD_TIME, T, status.start_ns, "When the controller took the Job."),
	COUNT("succeeded", T, succeeded, "Pods that succeeded."),
	IGNORED("terminating"),
	IGNORED("uncountedTerminatedPods"),
	END
};
static const struct field job_fields[] = {
	META,
	FLAT("spec", job_spec_fields, "What the Job should be."),
	FLAT("status", job_status_fields, "What was last seen of it.", .always = true),
	END
};
#undef T

const struct kind_schema kube_job_schema = {
	.kind = KIND_JOB, .name = "Job", .plural = "jobs", .group_version = "batch/v1",
	.namespaced = true, .size = sizeof(struct kube_job), .fields = job_fields,
	.set_defaults = kube_default_job,
	.validate = kube_validate_job,
	.doc = "Runs pods until a number of them has succeeded.",
};

#define T struct kube_controller_revision
static const struct field revision_spec_fields[] = {
	INSIDE("template", T, template, kube_template_fields, "The pod template as it was."),
	END
};
static const struct field revision_data_fields[] = {
	FLAT("spec", revision_spec_fields, "The part of the spec that is kept."),
	END
};
static const struct field revision_fields[] = {
	FLAT("data", revision_data_fields, "State of the owner at this revision."),
	META,
	ROW("revision", FIELD_INT64, T, revision, "Number of the revision.", .required = true,
	    .always = true),
	END
};
#undef T

const struct kind_schema kube_controller_revision_schema = {
	.kind = KIND_CONTROLLER_REVISION, .name = "ControllerRevision",
	.plural = "controllerrevisions", .group_version = "apps/v1", .namespaced = true,
	.size = sizeof(struct kube_controller_revision), .fields = revision_fields,
	.doc = "A former state of a StatefulSet or DaemonSet.",
};
