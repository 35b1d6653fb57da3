/* kube/schema_storage.c: tables of volumes, claims, classes and ConfigMap. */
#include "kube/defaults.h"
#include "kube/schema_rows.h"
#include "kube/validate.h"

#define T struct kube_pvc
static const struct field pvc_resource_fields[] = {
	IGNORED("limits"),
	ROW("requests", FIELD_QUANTITY_MAP, T, spec.requests, "Least size of the volume."),
	END
};
static const struct field pvc_spec_fields[] = {
	ROW("accessModes", FIELD_STRINGS, T, spec.access_modes,
	    "ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod."),
	IGNORED("dataSource"),
	IGNORED("dataSourceRef"),
	FLAT("resources", pvc_resource_fields, "Size of the volume."),
	IGNORED("selector"),
	STRING("storageClassName", T, spec.storage_class, "Class of the volume.",
	    .pointer = true),
	IGNORED("volumeAttributesClassName"),
	STRING("volumeMode", T, spec.volume_mode, "Filesystem (the default) or Block."),
	STRING("volumeName", T, spec.volume_name, "Volume that the claim is bound to."),
	END
};
static const struct field pvc_status_fields[] = {
	ROW("accessModes", FIELD_STRINGS, T, status.access_modes, "Modes that the volume has."),
	IGNORED("allocatedResources"),
	ROW("capacity", FIELD_QUANTITY_MAP, T, status.capacity, "Size of the volume."),
	IGNORED("conditions"),
	STRING("phase", T, status.phase, "Pending, Bound or Lost."),
	END
};
static const struct field pvc_fields[] = {
	META,
	FLAT("spec", pvc_spec_fields, "What is asked for."),
	FLAT("status", pvc_status_fields, "What was got.", .status = true),
	END
};
#undef T

const struct kind_schema kube_pvc_schema = {
	.kind = KIND_PERSISTENT_VOLUME_CLAIM, .name = "PersistentVolumeClaim",
	.plural = "persistentvolumeclaims", .short_names = "pvc", .group_version = "v1",
	.namespaced = true, .size = sizeof(struct kube_pvc), .fields = pvc_fields,
	.set_defaults = kube_default_pvc,
	.validate = kube_validate_pvc,
	.doc = "A user's request for storage.",
};

#define T struct kube_pv
static const struct field pv_host_path_fields[] = {
	STRING("path", T, spec.host_path, "Path on the node.", .required = true),
	IGNORED("type"),
	END
};
static const struct field pv_spec_fields[] = {
	ROW("accessModes", FIELD_STRINGS, T, spec.access_modes, "Modes that the volume offers."),
	ROW("capacity", FIELD_QUANTITY_MAP, T, spec.capacity, "Size of the volume."),
	INSIDE("claimRef", T, spec.claim, kube_reference_fields,
	       "Claim that the volume is bound to."),
	IGNORED("csi"),
	FLAT("hostPath", pv_host_path_fields, "A path of the node."),
	IGNORED("local"),
	IGNORED("mountOptions"),
	IGNORED("nfs"),
	IGNORED("nodeAffinity"),
	STRING("persistentVolumeReclaimPolicy", T, spec.reclaim_policy,
	       "Retain, Recycle or Delete."),
	STRING("storageClassName", T, spec.storage_class, "Class of the volume."),
	STRING("volumeMode", T, spec.volume_mode, "Filesystem (the default) or Block."),
	END
};
static const struct field pv_status_fields[] = {
	IGNORED("lastPhaseTransitionTime"),
	IGNORED("message"),
	STRING("phase", T, status.phase, "Pending, Available, Bound, Released or Failed."),
	IGNORED("reason"),
	END
};
static const struct field pv_fields[] = {
	META,
	FLAT("spec", pv_spec_fields, "What the volume is."),
	FLAT("status", pv_status_fields, "State of the volume.", .status = true),
	END
};
#undef T

const struct kind_schema kube_pv_schema = {
	.kind = KIND_PERSISTENT_VOLUME, .name = "PersistentVolume", .plural = "persistentvolumes",
	.short_names = "pv", .group_version = "v1", .size = sizeof(struct kube_pv),
	.fields = pv_fields, .set_defaults = kube_default_pv,
	.doc = "A piece of storage in the cluster.",
};

#define T struct kube_storage_class
static const struct field class_fields[] = {
	ROW("allowVolumeExpansion", FIELD_TRI, T, allow_expansion, "Whether claims may grow.",
	    .pointer = true),
	IGNORED("allowedTopologies"),
	META,
	IGNORED("mountOptions"),
	IGNORED("parameters"),
	STRING("provisioner", T, provisioner, "Who makes the volumes.", .required = true),
	STRING("reclaimPolicy", T, reclaim_policy, "Delete (the default) or Retain."),
	STRING("volumeBindingMode", T, binding_mode,
	       "Immediate (the default) or WaitForFirstConsumer."),
	END
};
#undef T

const struct kind_schema kube_storage_class_schema = {
	.kind = KIND_STORAGE_CLASS, .name = "StorageClass", .plural = "storageclasses",
	.short_names = "sc", .group_version = "storage.k8s.io/v1", .also = "storage.k8s.io/v1beta1",
	.size = sizeof(struct kube_storage_class), .fields = class_fields,
	.set_defaults = kube_default_storage_class,
	.doc = "A way in which volumes are made.",
};

#define T struct kube_config_map
static const struct field config_map_fields[] = {
	IGNORED("binaryData"),
	ROW("data", FIELD_MAP, T, data, "Keys and texts."),
	IGNORED("immutable"),
	META,
	END
};
#undef T

const struct kind_schema kube_config_map_schema = {
	.kind = KIND_CONFIG_MAP, .name = "ConfigMap", .plural = "configmaps", .short_names = "cm",
	.group_version = "v1", .namespaced = true, .size = sizeof(struct kube_config_map),
	.fields = config_map_fields,
	.validate = kube_validate_config_map,
	.doc = "Configuration for pods to use.",
};
