/* kube/schema_pod.c: tables of Pod and of the pod template. */
#include "kube/defaults.h"
#include "kube/schema_rows.h"
#include "kube/validate.h"

#define T struct kube_container_port
static const struct field port_fields[] = {
	ROW("containerPort", FIELD_INT32, T, container_port,
	    "Port that the container listens on, 1 to 65535.", .required = true),
	STRING("hostIP", T, host_ip, "Address of the node that hostPort is bound to."),
	ROW("hostPort", FIELD_INT32, T, host_port, "Port of the node that leads to the container."),
	STRING("name", T, name, "Name of the port, unique in the pod; Services may refer to it."),
	STRING("protocol", T, protocol, "TCP, UDP or SCTP; TCP when not given.",
	       .choices = "SCTP,TCP,UDP"),
	END
};
#undef T

#define T struct kube_http_header
static const struct field header_fields[] = {
	STRING("name", T, name, "Name of the header.", .required = true),
	STRING("value", T, value, "Value of the header.", .required = true),
	END
};
#undef T

#define T struct kube_probe_handler
static const struct field exec_fields[] = {
	ROW("command", FIELD_STRINGS, T, exec.command,
	    "Command that runs in the container; exit status 0 is success."),
	END
};
static const struct field http_get_fields[] = {
	STRING("host", T, http_get.host, "Host to connect to; the pod's address when not given."),
	LIST("httpHeaders", T, http_get.headers, header_fields, "Headers of the request."),
	STRING("path", T, http_get.path, "Path of the request."),
	ROW("port", FIELD_INT_OR_STRING, T, http_get.port,
	    "Number or name of the container's port.", .required = true),
	STRING("scheme", T, http_get.scheme, "HTTP or HTTPS; HTTP when not given.",
	       .choices = "HTTP,HTTPS"),
	END
};
static const struct field tcp_socket_fields[] = {
	STRING("host", T, tcp_socket.host, "Host to connect to; the pod's address when not given."),
	ROW("port", FIELD_INT_OR_STRING, T, tcp_socket.port,
	    "Number or name of the container's port.", .required = true),
	END
};
static const struct field grpc_fields[] = {
	ROW("port", FIELD_INT32, T, grpc.port, "Port of the gRPC service.", .required = true),
	STRING("service", T, grpc.service, "Service name to ask the health protocol for."),
	END
};
static const struct field sleep_fields[] = {
	ROW("seconds", FIELD_INT64, T, sleep.seconds, "Seconds to sleep.", .required = true),
	END
};
static const struct field handler_fields[] = { /* of lifecycle */
	FLAT_SET("exec", T, exec.set, exec_fields, "A command to run in the container."),
	FLAT_SET("httpGet", T, http_get.set, http_get_fields, "An HTTP GET request."),
	FLAT_SET("sleep", T, sleep.set, sleep_fields, "A pause."),
	FLAT_SET("tcpSocket", T, tcp_socket.set, tcp_socket_fields, "A TCP connection."),
	END
};
#undef T

#define T struct kube_probe
static const struct field probe_fields[] = {
	INSIDE_SET("exec", T, handler, handler.exec.set, exec_fields,
		   "A command in the container; exit status 0 is success."),
	ROW("failureThreshold", FIELD_OPT_INT, T, failure_threshold,
	    "Failures in a row after which the probe counts as failed; 3 when not given."),
	INSIDE_SET("grpc", T, handler, handler.grpc.set, grpc_fields, "A gRPC health check."),
	INSIDE_SET("httpGet", T, handler, handler.http_get.set, http_get_fields,
		   "An HTTP GET request; any status from 200 to 399 is success."),
	ROW("initialDelaySeconds", FIELD_OPT_INT, T, initial_delay_s,
	    "Seconds after the container's start before the first probe."),
	ROW("periodSeconds", FIELD_OPT_INT, T, period_s,
	    "Seconds from one probe to the next; 10 when not given."),
	ROW("successThreshold", FIELD_OPT_INT, T, success_threshold,
	    "Successes in a row after a failure for the probe to count as passed; 1 when not "
	    "given."),
	INSIDE_SET("tcpSocket", T, handler, handler.tcp_socket.set, tcp_socket_fields,
		   "A TCP connection; a handshake is success."),
	ROW("terminationGracePeriodSeconds", FIELD_OPT_INT, T, termination_grace_s,
	    "Seconds that the pod has to end when this probe fails."),
	ROW("timeoutSeconds", FIELD_OPT_INT, T, timeout_s,
	    "Seconds after which one probe is given up; 1 when not given."),
	END
};
#undef T

#define T struct kube_env
static const struct field field_ref_fields[] = {
	IGNORED("apiVersion"),
	STRING("fieldPath", T, field_path, "Path of a field of the pod, as status.podIP.",
	       .required = true),
	END
};
static const struct field config_key_fields[] = {
	STRING("key", T, config_map_key, "Key to take.", .required = true),
	STRING("name", T, config_map, "Name of the ConfigMap."),
	IGNORED("optional"),
	END
};
static const struct field value_from_fields[] = {
	FLAT("configMapKeyRef", config_key_fields, "A key of a ConfigMap."),
	FLAT("fieldRef", field_ref_fields, "A field of the pod."),
	IGNORED("fileKeyRef"),
	IGNORED("resourceFieldRef"),
	IGNORED("secretKeyRef"),
	END
};
static const struct field env_fields[] = {
	STRING("name", T, name, "Name of the variable.", .required = true),
	STRING("value", T, value, "Value; $(NAME) of earlier variables is expanded."),
	FLAT("valueFrom", value_from_fields, "Where the value comes from."),
	END
};
#undef T

#define T struct kube_volume_mount
static const struct field mount_fields[] = {
	STRING("mountPath", T, mount_path, "Path in the container.", .required = true),
	IGNORED("mountPropagation"),
	STRING("name", T, name, "Name of a volume of the pod.", .required = true),
	ROW("readOnly", FIELD_TRI, T, read_only, "Whether writing is refused."),
	IGNORED("recursiveReadOnly"),
	STRING("subPath", T, sub_path, "Path within the volume to mount."),
	IGNORED("subPathExpr"),
	END
};
#undef T

#define T struct kube_container
static const struct field resource_fields[] = {
	IGNORED("claims"),
	ROW("limits", FIELD_QUANTITY_MAP, T, resources.limits, "Most that the container may use."),
	ROW("requests", FIELD_QUANTITY_MAP, T, resources.requests,
	    "What the scheduler reserves; the limits when not given."),
	END
};
static const struct field lifecycle_fields[] = {
	INSIDE_SET("postStart", T, lifecycle.post_start, lifecycle.has_post_start, handler_fields,
		   "Runs right after the container's start."),
	INSIDE_SET(
	    "preStop", T, lifecycle.pre_stop, lifecycle.has_pre_stop, handler_fields,
	    "Runs before the container is told to end; its time is part of the grace period."),
	IGNORED("stopSignal"), END
};
static const struct field container_fields[] = {
	ROW("args", FIELD_STRINGS, T, args, "Arguments; the image's when not given."),
	ROW("command", FIELD_STRINGS, T, command, "Entry point; the image's when not given."),
	LIST("env", T, env, env_fields, "Environment variables."),
	IGNORED("envFrom"),
	STRING("image", T, image, "Image to run."),
	STRING("imagePullPolicy", T, image_pull_policy,
	       "Always, Never or IfNotPresent; Always for the tag latest, else IfNotPresent.",
	       .choices = "Always,IfNotPresent,Never"),
	FLAT("lifecycle", lifecycle_fields, "Actions at the container's start and end."),
	INSIDE_SET("livenessProbe", T, liveness, liveness.set, probe_fields,
		   "Probe whose failure restarts the container."),
	STRING("name", T, name, "Name, a DNS label, unique in the pod.", .required = true),
	LIST("ports", T, ports, port_fields,
	     "Ports that the container offers. A port that is not listed can be reached as well."),
	INSIDE_SET("readinessProbe", T, readiness, readiness.set, probe_fields,
		   "Probe whose failure takes the pod out of Service endpoints."),
	IGNORED("resizePolicy"),
	FLAT("resources", resource_fields, "Computing resources.", .always = true),
	STRING("restartPolicy", T, restart_policy,
	       "Always makes an init container a sidecar that runs as long as the pod."),
	IGNORED("restartPolicyRules"),
	IGNORED("securityContext"),
	INSIDE_SET("startupProbe", T, startup, startup.set, probe_fields,
		   "Probe that must pass before the other probes begin."),
	IGNORED("stdin"),
	IGNORED("stdinOnce"),
	STRING("terminationMessagePath", T, termination_message_path,
	       "File whose text becomes the container's last message."),
	STRING("terminationMessagePolicy", T, termination_message_policy,
	       "File or FallbackToLogsOnError.",
	       .choices = "FallbackToLogsOnError,File"),
	IGNORED("tty"),
	IGNORED("volumeDevices"),
	LIST("volumeMounts", T, mounts, mount_fields, "Volumes of the pod in the file system."),
	STRING("workingDir", T, working_dir, "Working directory."),
	END
};
#undef T

#define T struct kube_toleration
static const struct field toleration_fields[] = {
	STRING("effect", T, effect, "Effect to tolerate; all when empty.",
	       .choices = "NoExecute,NoSchedule,PreferNoSchedule"),
	STRING("key", T, key, "Taint key; all when empty, then the operator must be Exists."),
	STRING("operator", T, op, "Equal or Exists; Equal when not given.",
	       .choices = "Equal,Exists"),
	ROW("tolerationSeconds", FIELD_OPT_INT, T, seconds,
	    "How long a NoExecute taint is tolerated; for ever when not given."),
	STRING("value", T, value, "Taint value that Equal compares with."),
	END
};
#undef T

#define T struct kube_host_alias
static const struct field host_alias_fields[] = {
	ROW("hostnames", FIELD_STRINGS, T, hostnames, "Names for the address."),
	STRING("ip", T, ip, "Address of the line in /etc/hosts.", .required = true),
	END
};
#undef T

#define T struct kube_volume
static const struct field claim_fields[] = {
	STRING("claimName", T, claim_name, "Name of a PersistentVolumeClaim of the namespace.",
	       .required = true),
	IGNORED("readOnly"),
	END
};
static const struct field config_volume_fields[] = {
	IGNORED("defaultMode"),
	IGNORED("items"),
	STRING("name", T, config_map, "Name of the ConfigMap."),
	IGNORED("optional"),
	END
};
static const struct field host_path_fields[] = {
	STRING("path", T, host_path, "Path on the node.", .required = true),
	IGNORED("type"),
	END
};
static const struct field empty_dir_fields[] = { IGNORED("medium"), IGNORED("sizeLimit"), END };
static const struct field volume_fields[] = {
	FLAT("configMap", config_volume_fields, "Files from a ConfigMap."),
	IGNORED("awsElasticBlockStore"),
	IGNORED("csi"),
	IGNORED("downwardAPI"),
	FLAT_SET("emptyDir", T, empty_dir, empty_dir_fields,
		 "Empty at the pod's start and gone at its end."),
	IGNORED("ephemeral"),
	IGNORED("gcePersistentDisk"),
	FLAT("hostPath", host_path_fields, "A path of the node."),
	IGNORED("image"),
	STRING("name", T, name, "Name, a DNS label, unique in the pod.", .required = true),
	IGNORED("nfs"),
	FLAT("persistentVolumeClaim", claim_fields, "A claim of the namespace."),
	IGNORED("projected"),
	IGNORED("secret"),
	END
};
#undef T

#define T struct kube_topology_spread
static const struct field spread_fields[] = {
	INSIDE_SET("labelSelector", T, selector, selector.set, kube_selector_fields,
		   "Pods that are counted."),
	IGNORED("matchLabelKeys"),
	ROW("maxSkew", FIELD_INT32, T, max_skew,
	    "Most by which the counts of two domains may differ.", .required = true),
	IGNORED("minDomains"),
	IGNORED("nodeAffinityPolicy"),
	IGNORED("nodeTaintsPolicy"),
	STRING("topologyKey", T, topology_key, "Node label whose values are the domains.",
	       .required = true),
	STRING("whenUnsatisfiable", T, when_unsatisfiable, "DoNotSchedule or ScheduleAnyway.",
	       .required = true),
	END
};
#undef T

#define T struct kube_dns_option
static const struct field dns_option_fields[] = {
	STRING("name", T, name, "Name of the option."),
	STRING("value", T, value, "Its value."),
	END
};
#undef T

static const struct field gate_fields[] = { /* a gate is kept as its one string */
	{ .json = "conditionType", .type = FIELD_STRING, .set_offset = NO_SET,
	  .doc = "Type of a condition of the pod.", .required = true },
	END
};

#define T struct kube_pod_spec
static const struct field dns_config_fields[] = {
	ROW("nameservers", FIELD_STRINGS, T, dns_config.nameservers, "Addresses of DNS servers."),
	LIST("options", T, dns_config.options, dns_option_fields, "Resolver options, as ndots."),
	ROW("searches", FIELD_STRINGS, T, dns_config.searches, "Search domains."),
	END
};
const struct field kube_pod_spec_fields[] = {
	ROW("activeDeadlineSeconds", FIELD_OPT_INT, T, active_deadline_s,
	    "Seconds after its start when the pod is ended."),
	IGNORED("affinity"),
	IGNORED("automountServiceAccountToken"),
	LIST("containers", T, containers, container_fields,
	     "Containers of the pod; they share its address.", .required = true),
	FLAT_SET("dnsConfig", T, dns_config.set, dns_config_fields,
		 "What is added to the resolver configuration that dnsPolicy gives."),
	STRING("dnsPolicy", T, dns_policy,
	       "ClusterFirst (the default), ClusterFirstWithHostNet, Default or None.",
	       .choices = "ClusterFirst,ClusterFirstWithHostNet,Default,None"),
	ROW("enableServiceLinks", FIELD_TRI, T, enable_service_links,
	    "Whether environment variables tell of the namespace's Services; true when not given.",
	    .pointer = true),
	IGNORED("ephemeralContainers"),
	LIST("hostAliases", T, host_aliases, host_alias_fields, "Lines for /etc/hosts."),
	IGNORED("hostIPC"),
	ROW("hostNetwork", FIELD_TRI, T, host_network, "Whether the pod uses the node's network."),
	IGNORED("hostPID"),
	IGNORED("hostUsers"),
	STRING("hostname", T, hostname, "Hostname of the pod; its name when not given."),
	IGNORED("hostnameOverride"),
	IGNORED("imagePullSecrets"),
	LIST("initContainers", T, init_containers, container_fields,
	     "Containers that run one after another before the others start."),
	STRING("nodeName", T, node_name, "Node that the pod runs on; set by the scheduler."),
	ROW("nodeSelector", FIELD_MAP, T, node_selector, "Labels that the node must have."),
	IGNORED("os"),
	IGNORED("overhead"),
	IGNORED("preemptionPolicy"),
	IGNORED("priority"),
	STRING("priorityClassName", T, priority_class, "Name of the priority class."),
	LIST("readinessGates", T, readiness_gates, gate_fields,
	     "Conditions that must be True besides the containers' readiness."),
	IGNORED("resourceClaims"),
	IGNORED("resources"),
	STRING("restartPolicy", T, restart_policy, "Always (the default), OnFailure or Never.",
	       .choices = "Always,Never,OnFailure"),
	IGNORED("runtimeClassName"),
	STRING("schedulerName", T, scheduler_name, "Scheduler that places the pod."),
	IGNORED("schedulingGates"),
	{ .json = "securityContext", .type = FIELD_IGNORED, .set_offset = NO_SET, .always = true },
	STRING("serviceAccount", T, service_account, "Older name of serviceAccountName."),
	STRING("serviceAccountName", T, service_account, "Account that the pod runs as."),
	ROW("setHostnameAsFQDN", FIELD_TRI, T, set_hostname_as_fqdn,
	    "Whether the hostname is the fully qualified name.",
	    .pointer = true),
	IGNORED("shareProcessNamespace"),
	STRING("subdomain", T, subdomain,
	       "Name of a headless Service under which the pod has a DNS name."),
	ROW("terminationGracePeriodSeconds", FIELD_OPT_INT, T, termination_grace_s,
	    "Seconds that the pod has to end; 30 when not given."),
	LIST("tolerations", T, tolerations, toleration_fields, "Taints that the pod tolerates."),
	LIST("topologySpreadConstraints", T, topology_spread, spread_fields,
	     "How the pods are spread over domains."),
	LIST("volumes", T, volumes, volume_fields, "Volumes that containers may mount."),
	END
};
#undef T

#define T struct kube_container_status
static const struct field running_fields[] = {
	ROW("startedAt", FIELD_TIME, T, started_ns, "When the container started."),
	END
};
static const struct field waiting_fields[] = {
	STRING("message", T, message, "Sentence for people."),
	STRING("reason", T, reason, "One word for why the container does not run yet."),
	END
};
static const struct field terminated_fields[] = {
	IGNORED("containerID"),
	ROW("exitCode", FIELD_INT32, T, exit_code, "Exit status.", .always = true),
	ROW("finishedAt", FIELD_TIME, T, finished_ns, "When it ended."),
	STRING("message", T, message, "Sentence for people."),
	STRING("reason", T, reason, "One word for why it ended."),
	IGNORED("signal"),
	ROW("startedAt", FIELD_TIME, T, started_ns, "When it had started."),
	END
};
#define CASE(name_, table, text)                                                               \
	{                                                                                      \
		.json = name_, .type = FIELD_CASE, .set_offset = offsetof(T, state),           \
		.sub = table, .doc = text                                                      \
	}
static const struct field state_fields[] = {
	CASE("running", running_fields, "The container runs."),
	CASE("terminated", terminated_fields, "The container has ended."),
	CASE("waiting", waiting_fields, "The container does not run yet."),
	END
};
static const struct field last_terminated_fields[] = {
	IGNORED("containerID"),
	ROW("exitCode", FIELD_INT32, T, last.exit_code, "Exit status.", .always = true),
	ROW("finishedAt", FIELD_TIME, T, last.finished_ns, "When it ended."),
	IGNORED("message"),
	STRING("reason", T, last.reason, "One word for why it ended."),
	IGNORED("signal"),
	IGNORED("startedAt"),
	END
};
static const struct field last_state_fields[] = {
	FLAT_SET("terminated", T, last.set, last_terminated_fields, "How the last run ended."),
	IGNORED("running"),
	IGNORED("waiting"),
	END
};
static const struct field container_status_fields[] = {
	IGNORED("allocatedResources"),
	STRING("containerID", T, container_id, "Identity of the container at the runtime."),
	STRING("image", T, image, "Image that runs."),
	STRING("imageID", T, image_id, "Digest of the image.", .always = true),
	FLAT("lastState", last_state_fields, "State of the run before this one.", .always = true),
	STRING("name", T, name, "Name of the container."),
	ROW("ready", FIELD_TRI, T, ready, "Whether the readiness probe has passed.",
	    .always = true),
	IGNORED("resources"),
	ROW("restartCount", FIELD_INT32, T, restart_count, "How often it was started again.",
	    .always = true),
	ROW("started", FIELD_TRI, T, started, "Whether the startup probe has passed.",
	    .pointer = true),
	FLAT("state", state_fields, "State of the container.", .always = true),
	IGNORED("stopSignal"),
	IGNORED("user"),
	IGNORED("volumeMounts"),
	END
};
#undef T

static const struct field pod_ip_fields[] = { /* an address is kept as its one string */
	{ .json = "ip", .type = FIELD_STRING, .set_offset = NO_SET, .doc = "An address." },
	END
};

#define T struct kube_pod_status
static const struct field pod_status_fields[] = {
	LIST("conditions", T, conditions, kube_condition_fields,
	     "PodScheduled, Initialized, ContainersReady, Ready and readiness gates."),
	LIST("containerStatuses", T, containers, container_status_fields, "One a container."),
	IGNORED("ephemeralContainerStatuses"),
	STRING("hostIP", T, host_ip, "Address of the node."),
	LIST("hostIPs", T, host_ips, pod_ip_fields, "Addresses of the node, one a family."),
	LIST("initContainerStatuses", T, init_containers, container_status_fields,
	     "One an init container."),
	STRING("message", T, message, "Sentence for people on why the pod is in this phase."),
	IGNORED("nominatedNodeName"),
	IGNORED("observedGeneration"),
	STRING("phase", T, phase, "Pending, Running, Succeeded, Failed or Unknown.",
	       .choices = "Failed,Pending,Running,Succeeded,Unknown"),
	STRING("podIP", T, pod_ip, "Address of the pod."),
	LIST("podIPs", T, pod_ips, pod_ip_fields, "Addresses of the pod, one a family."),
	STRING("qosClass", T, qos_class, "Guaranteed, Burstable or BestEffort.",
	       .choices = "BestEffort,Burstable,Guaranteed"),
	STRING("reason", T, reason, "One word on why the pod is in this phase."),
	IGNORED("resize"),
	IGNORED("resourceClaimStatuses"),
	ROW("startTime", FIELD_TIME, T, start_ns, "When the kubelet took the pod."),
	END
};
#undef T

#define T struct kube_template
const struct field kube_template_fields[] = {
	INSIDE("metadata", T, meta, kube_meta_fields, "Metadata of the pods; labels above all."),
	INSIDE("spec", T, spec, kube_pod_spec_fields, "Spec of the pods."),
	END
};
#undef T

static const struct field pod_fields[] = {
	META,
	INSIDE("spec", struct kube_pod, spec, kube_pod_spec_fields, "What the pod should be."),
	INSIDE("status", struct kube_pod, status, pod_status_fields,
	       "What was last seen of the pod.", .status = true),
	END
};

const struct kind_schema kube_pod_schema = {
	.kind = KIND_POD, .name = "Pod", .plural = "pods", .short_names = "po",
	.group_version = "v1", .namespaced = true, .size = sizeof(struct kube_pod),
	.fields = pod_fields, .set_defaults = kube_default_pod,
	.validate = kube_validate_pod,
	.doc = "A group of containers that run on one node and share its network and storage.",
};
