/* kube/schema_rows.h: how the rows of the schema tables are written.
 *
 * Offsets are relative to the struct that the table is about. JSON nests deeper
 * than the C structs do: FLAT is a JSON object whose fields lie in the same struct,
 * INSIDE one that has a struct of its own there. The doc text comes last; further
 * designated initialisers may follow it.
 */
#ifndef KUBE_SCHEMA_ROWS_H
#define KUBE_SCHEMA_ROWS_H

#include "kube/schema.h"

#define ROW(name_, type_, T, member, text, ...)                                                \
	{                                                                                      \
		.json = name_, .type = type_, .offset = offsetof(T, member),                   \
		.set_offset = NO_SET, .doc = text, __VA_ARGS__                                 \
	}
#define ROW_SET(name_, type_, T, member, flag, text, ...)                                      \
	{                                                                                      \
		.json = name_, .type = type_, .offset = offsetof(T, member),                   \
		.set_offset = offsetof(T, flag), .doc = text, __VA_ARGS__                      \
	}
#define STRING(name_, T, member, text, ...)                                                    \
	ROW(name_, FIELD_STRING, T, member, text, __VA_ARGS__)
#define LIST(name_, T, member, table, text, ...)                                               \
	ROW(name_, FIELD_LIST, T, member, text, .sub = table,                                  \
	    .item_size = sizeof *((T *)0)->member.items, __VA_ARGS__)
#define FLAT(name_, table, text, ...)                                                          \
	{                                                                                      \
		.json = name_, .type = FIELD_OBJECT, .set_offset = NO_SET, .sub = table,       \
		.doc = text, __VA_ARGS__                                                       \
	}
#define FLAT_SET(name_, T, flag, table, text, ...)                                             \
	{                                                                                      \
		.json = name_, .type = FIELD_OBJECT, .set_offset = offsetof(T, flag),          \
		.sub = table, .doc = text, __VA_ARGS__                                         \
	}
#define INSIDE(name_, T, member, table, text, ...)                                             \
	ROW(name_, FIELD_OBJECT, T, member, text, .sub = table, __VA_ARGS__)
#define INSIDE_SET(name_, T, member, flag, table, text, ...)                                   \
	ROW_SET(name_, FIELD_OBJECT, T, member, flag, text, .sub = table, __VA_ARGS__)
#define IGNORED(name_) { .json = name_, .type = FIELD_IGNORED, .set_offset = NO_SET }
#define END { .json = NULL, .set_offset = NO_SET }

/* Tables that several kinds use. */
extern const struct field kube_meta_fields[], kube_condition_fields[], kube_selector_fields[],
	kube_reference_fields[], kube_pod_spec_fields[], kube_template_fields[],
	kube_ingress_status_fields[], kube_no_fields[];

extern const struct kind_schema kube_namespace_schema, kube_node_schema, kube_pod_schema,
	kube_service_schema, kube_endpoints_schema, kube_endpoint_slice_schema,
	kube_deployment_schema, kube_replica_set_schema, kube_replication_controller_schema,
	kube_stateful_set_schema, kube_daemon_set_schema, kube_job_schema, kube_pvc_schema,
	kube_pv_schema, kube_storage_class_schema, kube_config_map_schema, kube_ingress_schema,
	kube_ingress_class_schema, kube_service_cidr_schema, kube_proxy_configuration_schema,
	kube_cluster_configuration_schema, kube_controller_revision_schema,
	kube_network_policy_schema, kube_event_schema;

#define META                                                                                   \
	INSIDE("metadata", struct kube_object, meta, kube_meta_fields,                         \
	       "Standard object metadata: name, namespace, labels and the like.")

#endif
