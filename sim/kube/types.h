/* kube/types.h: Kubernetes API objects as compact C structs.
 *
 * One struct a kind; kube/schema.h has one table a kind that drives parsing,
 * defaulting, validation, printing (yaml, json), jsonpath, explain and patch.
 * Adding a field means adding it here and one row there.
 *
 * Absence: a NULL string, an `enum kube_tri` of 0, an opt_int with set = false,
 * an empty list. Enumerated strings of the API (type: NodePort) stay strings,
 * interned, as users write them: compare with kube_is().
 *
 * Ownership: an object and all it points to live in its own arena and are
 * immutable once in the store; objects are reference-counted (kube_ref,
 * kube_unref). To change one: kube_copy, change the copy, kube_store_update.
 */
#ifndef KUBE_TYPES_H
#define KUBE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/engine.h"
#include "net/addr.h"

enum kube_tri { TRI_UNSET = 0, TRI_FALSE = 1, TRI_TRUE = 2 };

struct opt_int { bool set; int64_t value; };

struct int_or_string { /* kind 0: absent, 'i' number, 's' string */
	char kind;
	int32_t number;
	const char *string;
};

struct kube_pair { const char *key, *value; };
struct kube_map { struct kube_pair *items; uint32_t count; }; /* sorted by key */
struct kube_strings { const char **items; uint32_t count; };

struct kube_condition {
	const char *type, *status, *reason, *message;
	int64_t last_transition_ns;
};
struct kube_conditions { struct kube_condition *items; uint32_t count; };

struct kube_owner {
	const char *api_version, *kind, *name, *uid;
	enum kube_tri controller, block_owner_deletion;
};

struct kube_meta {
	const char *name, *namespace, *generate_name, *uid;
	struct kube_map labels, annotations;
	struct { struct kube_owner *items; uint32_t count; } owners;
	struct kube_strings finalizers;
	int64_t creation_ns;              /* virtual time; printed as a date */
	int64_t deletion_ns;              /* 0: not being deleted (else time + grace) */
	struct opt_int deletion_grace_s;
	uint64_t resource_version;
	int64_t generation;
};

struct kube_selector_requirement {
	const char *key, *op;             /* In NotIn Exists DoesNotExist */
	struct kube_strings values;
};
struct kube_selector {
	bool set;
	struct kube_map match_labels;
	struct { struct kube_selector_requirement *items; uint32_t count; } expressions;
};

enum kube_kind {
	KIND_NONE, KIND_NAMESPACE, KIND_NODE, KIND_POD, KIND_SERVICE, KIND_ENDPOINTS,
	KIND_ENDPOINT_SLICE, KIND_DEPLOYMENT, KIND_REPLICA_SET, KIND_REPLICATION_CONTROLLER,
	KIND_STATEFUL_SET, KIND_DAEMON_SET, KIND_JOB, KIND_PERSISTENT_VOLUME_CLAIM,
	KIND_PERSISTENT_VOLUME, KIND_STORAGE_CLASS, KIND_CONFIG_MAP, KIND_INGRESS,
	KIND_INGRESS_CLASS, KIND_SERVICE_CIDR, KIND_KUBE_PROXY_CONFIGURATION,
	KIND_CLUSTER_CONFIGURATION, KIND_CONTROLLER_REVISION, KIND_NETWORK_POLICY, KIND_EVENT,
	KIND_COUNT
};

struct kube_pool; /* kube/pool.h: memory shared by the objects of one load */

struct kube_object { /* first member of every kind's struct */
	enum kube_kind kind;
	uint32_t references;
	struct arena *arena;              /* of this object, or of its pool */
	struct kube_pool *pool;           /* NULL: made by a controller */
	const struct kube_object *shares; /* its memory is used here; kept alive */
	const char *api_version;
	struct kube_meta meta;
	const char *file;                 /* where it was read; NULL: made by a controller */
	int line;
};

/* ---- Pod ------------------------------------------------------------------- */

struct kube_container_port {
	const char *name, *protocol, *host_ip;
	int32_t container_port, host_port;
};
struct kube_http_header { const char *name, *value; };
struct kube_probe_handler {
	struct { bool set; const char *path, *host, *scheme; struct int_or_string port;
		 struct { struct kube_http_header *items; uint32_t count; } headers; } http_get;
	struct { bool set; struct int_or_string port; const char *host; } tcp_socket;
	struct { bool set; struct kube_strings command; } exec;
	struct { bool set; int32_t port; const char *service; } grpc;
	struct { bool set; int64_t seconds; } sleep;
};
struct kube_probe {
	bool set;
	struct kube_probe_handler handler;
	struct opt_int initial_delay_s, timeout_s, period_s, success_threshold, failure_threshold,
		termination_grace_s;
};
struct kube_env {
	const char *name, *value;
	const char *field_path;           /* valueFrom.fieldRef.fieldPath */
	const char *config_map, *config_map_key;
};
struct kube_volume_mount { const char *name, *mount_path, *sub_path; enum kube_tri read_only; };
struct kube_container {
	const char *name, *image, *image_pull_policy, *working_dir, *restart_policy;
	struct kube_strings command, args;
	struct { struct kube_container_port *items; uint32_t count; } ports;
	struct { struct kube_env *items; uint32_t count; } env;
	struct { struct kube_volume_mount *items; uint32_t count; } mounts;
	struct { struct kube_map limits, requests; } resources;
	struct kube_probe liveness, readiness, startup;
	struct { struct kube_probe_handler post_start, pre_stop; bool has_post_start, has_pre_stop; } lifecycle;
	const char *termination_message_path, *termination_message_policy;
};
struct kube_containers { struct kube_container *items; uint32_t count; };
struct kube_toleration { const char *key, *op, *value, *effect; struct opt_int seconds; };
struct kube_host_alias { const char *ip; struct kube_strings hostnames; };
struct kube_volume { const char *name, *claim_name, *config_map; bool empty_dir; const char *host_path; };
struct kube_dns_option { const char *name, *value; };
struct kube_topology_spread { int32_t max_skew; const char *topology_key, *when_unsatisfiable; struct kube_selector selector; };
struct kube_pod_spec {
	struct kube_containers containers, init_containers;
	const char *node_name, *hostname, *subdomain, *dns_policy, *restart_policy, *scheduler_name,
		*service_account, *priority_class;
	struct kube_map node_selector;
	struct { struct kube_toleration *items; uint32_t count; } tolerations;
	struct { struct kube_host_alias *items; uint32_t count; } host_aliases;
	struct { struct kube_volume *items; uint32_t count; } volumes;
	struct { struct kube_topology_spread *items; uint32_t count; } topology_spread;
	struct { const char **items; uint32_t count; } readiness_gates; /* conditionType */
	enum kube_tri host_network, enable_service_links, set_hostname_as_fqdn;
	struct opt_int termination_grace_s, active_deadline_s;
	struct {
		bool set;
		struct kube_strings nameservers, searches;
		struct { struct kube_dns_option *items; uint32_t count; } options;
	} dns_config;
};
struct kube_container_status {
	const char *name, *image, *state; /* state: waiting, running, terminated */
	const char *reason, *message, *image_id, *container_id;
	enum kube_tri ready, started;
	int32_t restart_count, exit_code;
	int64_t started_ns, finished_ns;
	struct { const char *reason; int32_t exit_code; int64_t finished_ns; bool set; } last;
};
struct kube_pod_status {
	const char *phase, *pod_ip, *host_ip, *reason, *message, *qos_class;
	struct kube_strings pod_ips, host_ips;
	struct kube_conditions conditions;
	struct { struct kube_container_status *items; uint32_t count; } containers, init_containers;
	int64_t start_ns;
};
struct kube_pod {
	struct kube_object object;
	struct kube_pod_spec spec;
	struct kube_pod_status status;
};
struct kube_template { /* of Deployment, StatefulSet, ... */
	struct kube_meta meta;
	struct kube_pod_spec spec;
};

/* ---- Service, endpoints ---------------------------------------------------- */

struct kube_service_port {
	const char *name, *protocol, *app_protocol;
	int32_t port, node_port;
	struct int_or_string target_port;
};
struct kube_port_status { int32_t port; const char *protocol, *error; };
struct kube_lb_ingress {
	const char *ip, *hostname, *ip_mode;
	struct { struct kube_port_status *items; uint32_t count; } ports;
};
struct kube_service {
	struct kube_object object;
	struct {
		const char *type, *cluster_ip, *external_name, *session_affinity,
			*external_traffic_policy, *internal_traffic_policy, *load_balancer_ip,
			*load_balancer_class, *ip_family_policy, *traffic_distribution;
		struct kube_strings cluster_ips, external_ips, source_ranges, ip_families;
		struct kube_map selector;
		struct { struct kube_service_port *items; uint32_t count; } ports;
		struct opt_int affinity_timeout_s; /* sessionAffinityConfig.clientIP.timeoutSeconds */
		int32_t health_check_node_port;
		enum kube_tri publish_not_ready_addresses, allocate_load_balancer_node_ports;
	} spec;
	struct {
		struct { struct kube_lb_ingress *items; uint32_t count; } ingress; /* loadBalancer.ingress */
		struct kube_conditions conditions;
	} status;
};

struct kube_object_ref { const char *kind, *namespace, *name, *uid; };
struct kube_endpoint {
	struct kube_strings addresses;
	struct { enum kube_tri ready, serving, terminating; } conditions;
	const char *hostname, *node_name, *zone;
	struct kube_object_ref target;
	struct { bool set; struct kube_strings zones, nodes; } hints; /* forZones, forNodes names */
};
struct kube_endpoint_port {
	const char *name, *protocol, *app_protocol; /* a NULL name: the field is absent */
	struct opt_int port;                        /* unset: all ports */
};
struct kube_endpoint_slice {
	struct kube_object object;
	const char *address_type; /* IPv4 IPv6 FQDN */
	struct { struct kube_endpoint *items; uint32_t count; } endpoints;
	struct { struct kube_endpoint_port *items; uint32_t count; } ports;
};

struct kube_endpoint_address { const char *ip, *hostname, *node_name; struct kube_object_ref target; };
struct kube_endpoints_subset {
	struct { struct kube_endpoint_address *items; uint32_t count; } addresses, not_ready;
	struct { struct kube_endpoint_port *items; uint32_t count; } ports;
};
struct kube_endpoints {
	struct kube_object object;
	struct { struct kube_endpoints_subset *items; uint32_t count; } subsets;
};

/* ---- workloads ------------------------------------------------------------- */

struct kube_deployment {
	struct kube_object object;
	struct {
		struct opt_int replicas, min_ready_s, revision_history_limit, progress_deadline_s;
		struct kube_selector selector;
		struct kube_template template;
		const char *strategy; /* strategy.type */
		struct int_or_string max_surge, max_unavailable;
		enum kube_tri paused;
	} spec;
	struct {
		int32_t replicas, updated, ready, available, unavailable;
		int64_t observed_generation;
		struct opt_int collision_count;
		struct kube_conditions conditions;
	} status;
};
struct kube_replica_set { /* also ReplicationController */
	struct kube_object object;
	struct {
		struct opt_int replicas, min_ready_s;
		struct kube_selector selector;
		struct kube_template template;
	} spec;
	struct {
		int32_t replicas, fully_labeled, ready, available;
		int64_t observed_generation;
		struct kube_conditions conditions;
	} status;
};
struct kube_pvc_template { struct kube_meta meta; struct kube_strings access_modes; struct kube_map requests; const char *storage_class, *volume_mode; };
struct kube_stateful_set {
	struct kube_object object;
	struct {
		struct opt_int replicas, min_ready_s, revision_history_limit, partition, ordinals_start;
		struct int_or_string max_unavailable;
		const char *service_name, *pod_management_policy, *update_strategy, *retention_deleted,
			*retention_scaled;
		struct kube_selector selector;
		struct kube_template template;
		struct { struct kube_pvc_template *items; uint32_t count; } claims;
	} spec;
	struct {
		int32_t replicas, ready, available, current, updated;
		int64_t observed_generation;
		const char *current_revision, *update_revision;
		struct opt_int collision_count;
		struct kube_conditions conditions;
	} status;
};
struct kube_daemon_set {
	struct kube_object object;
	struct {
		struct opt_int min_ready_s, revision_history_limit;
		struct kube_selector selector;
		struct kube_template template;
		const char *update_strategy;
		struct int_or_string max_surge, max_unavailable;
	} spec;
	struct {
		int32_t current, desired, ready, available, updated, misscheduled, unavailable;
		int64_t observed_generation;
	} status;
};
struct kube_job {
	struct kube_object object;
	struct {
		struct opt_int parallelism, completions, backoff_limit, active_deadline_s;
		struct kube_selector selector;
		struct kube_template template;
	} spec;
	struct { int32_t active, succeeded, failed; int64_t start_ns, completion_ns; struct kube_conditions conditions; } status;
};
struct kube_controller_revision {
	struct kube_object object;
	int64_t revision;
	struct kube_template template; /* what `data` holds of a StatefulSet */
};

/* ---- nodes, storage, configuration ----------------------------------------- */

struct kube_node_address { const char *type, *address; };
struct kube_taint { const char *key, *value, *effect; int64_t time_added_ns; };
struct kube_node {
	struct kube_object object;
	struct {
		const char *pod_cidr, *provider_id;
		struct kube_strings pod_cidrs;
		struct { struct kube_taint *items; uint32_t count; } taints;
		enum kube_tri unschedulable;
	} spec;
	struct {
		struct { struct kube_node_address *items; uint32_t count; } addresses;
		struct kube_map capacity, allocatable;
		struct kube_conditions conditions;
		struct { const char *kernel_version, *os_image, *container_runtime, *kubelet_version,
			 *kube_proxy_version, *machine_id, *system_uuid, *boot_id, *architecture, *operating_system; } info;
	} status;
};
struct kube_namespace { struct kube_object object; struct { const char *phase; } status; };
struct kube_pvc {
	struct kube_object object;
	struct { struct kube_strings access_modes; struct kube_map requests; const char *storage_class, *volume_mode, *volume_name; } spec;
	struct { const char *phase; struct kube_map capacity; struct kube_strings access_modes; } status;
};
struct kube_pv {
	struct kube_object object;
	struct { struct kube_map capacity; struct kube_strings access_modes; const char *reclaim_policy, *storage_class, *volume_mode, *host_path; struct kube_object_ref claim; } spec;
	struct { const char *phase; } status;
};
struct kube_storage_class { struct kube_object object; const char *provisioner, *reclaim_policy, *binding_mode; enum kube_tri allow_expansion; };
struct kube_config_map { struct kube_object object; struct kube_map data; };
struct kube_service_cidr { struct kube_object object; struct kube_strings cidrs; struct kube_conditions conditions; };
struct kube_ingress_backend {
	const char *service, *port_name;
	int32_t port_number;
	bool set;
	struct int_or_string old_port; /* servicePort of v1beta1; defaulting moves it */
};
struct kube_ingress_path { const char *path, *path_type; struct kube_ingress_backend backend; };
struct kube_ingress_rule {
	const char *host;
	bool has_http;
	struct { struct kube_ingress_path *items; uint32_t count; } paths;
};
struct kube_ingress {
	struct kube_object object;
	const char *class_name;
	struct kube_ingress_backend default_backend;
	struct { struct kube_ingress_rule *items; uint32_t count; } rules;
	struct { struct kube_lb_ingress *items; uint32_t count; } ingress;
};
struct kube_ingress_class { struct kube_object object; const char *controller; };
struct kube_cluster_configuration { struct kube_object object; const char *kubernetes_version, *pod_subnet, *service_subnet, *dns_domain; };
struct kube_network_policy { struct kube_object object; struct kube_selector pod_selector; };
struct kube_event {
	struct kube_object object;
	struct kube_object_ref involved;
	const char *type, *reason, *message, *component;
	int64_t first_ns, last_ns;
	int32_t count;
};

struct kube_proxy_configuration { /* KubeProxyConfiguration v1alpha1 */
	struct kube_object object;
	const char *mode, *cluster_cidr, *detect_local_mode, *bind_address, *hostname_override;
	struct { const char *bridge_interface, *interface_name_prefix; } detect_local;
	struct kube_strings node_port_addresses;
	struct { struct opt_int masquerade_bit; enum kube_tri masquerade_all, localhost_node_ports;
		 const char *min_sync_period, *sync_period; } iptables;
	struct { const char *scheduler, *min_sync_period, *sync_period, *tcp_timeout,
		 *tcp_fin_timeout, *udp_timeout; struct kube_strings exclude_cidrs;
		 enum kube_tri strict_arp, masquerade_all; struct opt_int masquerade_bit; } ipvs;
	struct { struct opt_int masquerade_bit; enum kube_tri masquerade_all;
		 const char *min_sync_period, *sync_period; } nftables;
	struct { struct opt_int max_per_core, min; const char *tcp_established_timeout,
		 *tcp_close_wait_timeout, *udp_timeout, *udp_stream_timeout; enum kube_tri tcp_be_liberal; } conntrack;
	const char *config_sync_period, *healthz_bind_address, *metrics_bind_address, *udp_idle_timeout;
	enum kube_tri show_hidden_metrics;
};

/* ---- helpers --------------------------------------------------------------- */

/* Both non-NULL and equal; a NULL never equals. */
bool kube_is(const char *value, const char *constant);
/* The value of a key, or NULL. */
const char *kube_map_get(const struct kube_map *m, const char *key);
/* Whether `labels` has all pairs of `wanted`; an empty `wanted` selects nothing. */
bool kube_map_selects(const struct kube_map *wanted, const struct kube_map *labels);
bool kube_selector_matches(const struct kube_selector *s, const struct kube_map *labels);
/* Whether the condition of this type has status "True". */
bool kube_condition_true(const struct kube_conditions *c, const char *type);
/* Go duration text ("1m30s", "250ms", "0") to ns; false: not a duration. */
bool kube_duration_parse(const char *text, int64_t *out_ns);
/* Kubernetes quantity ("100m", "1Gi") in thousandths; false: not one. */
bool kube_quantity_parse(const char *text, int64_t *out_milli);
/* The canonical text of a quantity ("0.5" is "500m", "1024Mi" is "1Gi"); false: not one. */
bool kube_quantity_text(const char *text, char out[32]);
/* Virtual time as an API date ("2026-01-01T00:00:00Z" is 0 ns), and back. */
#define KUBE_EPOCH_S ENGINE_EPOCH_S
#define KUBE_TIME_TEXT 80
const char *kube_time_text(int64_t ns, char out[KUBE_TIME_TEXT]);
bool kube_time_parse(const char *text, int64_t *out_ns);

#endif
