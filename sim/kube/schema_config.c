/* kube/schema_config.c: tables of the component configurations.
 *
 * These are no API objects: they have no metadata. A table of theirs starts at the
 * document's fields. Names as kube-proxy's v1alpha1 and kubeadm's v1beta3 and
 * v1beta4 have them. */
#include "kube/schema_rows.h"

#define T struct kube_proxy_configuration
static const struct field detect_local_fields[] = {
	STRING("bridgeInterface", T, detect_local.bridge_interface, "Bridge that pods are behind."),
	STRING("interfaceNamePrefix", T, detect_local.interface_name_prefix,
	       "How the names of pods' interfaces begin."),
	END
};
static const struct field iptables_fields[] = {
	ROW("localhostNodePorts", FIELD_TRI, T, iptables.localhost_node_ports,
	    "Whether node ports answer on loopback addresses; true when not given."),
	ROW("masqueradeAll", FIELD_TRI, T, iptables.masquerade_all,
	    "Whether all Service traffic is masqueraded."),
	ROW("masqueradeBit", FIELD_OPT_INT, T, iptables.masquerade_bit,
	    "Bit of the packet mark; 14 when not given."),
	STRING("minSyncPeriod", T, iptables.min_sync_period, "Least time between two syncs."),
	STRING("syncPeriod", T, iptables.sync_period, "Most time between two syncs."),
	END
};
static const struct field ipvs_fields[] = {
	ROW("excludeCIDRs", FIELD_STRINGS, T, ipvs.exclude_cidrs,
	    "Virtual servers in these networks are left alone."),
	ROW("masqueradeAll", FIELD_TRI, T, ipvs.masquerade_all,
	    "Whether all Service traffic is masqueraded.", .hidden = true),
	ROW("masqueradeBit", FIELD_OPT_INT, T, ipvs.masquerade_bit, "Bit of the packet mark.",
	    .hidden = true),
	STRING("minSyncPeriod", T, ipvs.min_sync_period, "Least time between two syncs."),
	STRING("scheduler", T, ipvs.scheduler, "IPVS scheduler; rr when not given."),
	ROW("strictARP", FIELD_TRI, T, ipvs.strict_arp,
	    "Whether ARP for kube-ipvs0's addresses is left unanswered."),
	STRING("syncPeriod", T, ipvs.sync_period, "Most time between two syncs."),
	STRING("tcpFinTimeout", T, ipvs.tcp_fin_timeout, "IPVS timeout after FIN."),
	STRING("tcpTimeout", T, ipvs.tcp_timeout, "IPVS timeout of idle TCP connections."),
	STRING("udpTimeout", T, ipvs.udp_timeout, "IPVS timeout of UDP flows."),
	END
};
static const struct field nftables_fields[] = {
	ROW("masqueradeAll", FIELD_TRI, T, nftables.masquerade_all,
	    "Whether all Service traffic is masqueraded."),
	ROW("masqueradeBit", FIELD_OPT_INT, T, nftables.masquerade_bit,
	    "Bit of the packet mark; 14 when not given."),
	STRING("minSyncPeriod", T, nftables.min_sync_period, "Least time between two syncs."),
	STRING("syncPeriod", T, nftables.sync_period, "Most time between two syncs."),
	END
};
static const struct field conntrack_fields[] = {
	ROW("maxPerCore", FIELD_OPT_INT, T, conntrack.max_per_core,
	    "Conntrack entries for each core; 32768 when not given."),
	ROW("min", FIELD_OPT_INT, T, conntrack.min,
	    "Least conntrack entries; 131072 when not given."),
	ROW("tcpBeLiberal", FIELD_TRI, T, conntrack.tcp_be_liberal,
	    "Whether packets outside the TCP window count as valid."),
	STRING("tcpCloseWaitTimeout", T, conntrack.tcp_close_wait_timeout,
	       "Timeout in CLOSE_WAIT."),
	STRING("tcpEstablishedTimeout", T, conntrack.tcp_established_timeout,
	       "Timeout of idle TCP connections."),
	STRING("udpStreamTimeout", T, conntrack.udp_stream_timeout,
	       "Timeout of answered UDP flows."),
	STRING("udpTimeout", T, conntrack.udp_timeout, "Timeout of unanswered UDP flows."),
	END
};
static const struct field proxy_fields[] = {
	STRING("bindAddress", T, bind_address, "Address whose family is the node's first."),
	IGNORED("bindAddressHardFail"),
	IGNORED("clientConnection"),
	STRING("clusterCIDR", T, cluster_cidr, "Networks of all pods, comma separated."),
	STRING("configSyncPeriod", T, config_sync_period,
	       "How often all objects are listed again."),
	FLAT("conntrack", conntrack_fields, "Connection tracking."),
	FLAT("detectLocal", detect_local_fields, "Settings of detectLocalMode."),
	STRING("detectLocalMode", T, detect_local_mode,
	       "ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix."),
	IGNORED("enableProfiling"),
	IGNORED("featureGates"),
	STRING("healthzBindAddress", T, healthz_bind_address,
	       "Address and port of the health server."),
	STRING("hostnameOverride", T, hostname_override, "Name of the node."),
	FLAT("iptables", iptables_fields, "Settings of mode iptables."),
	FLAT("ipvs", ipvs_fields, "Settings of mode ipvs."),
	IGNORED("logging"),
	STRING("metricsBindAddress", T, metrics_bind_address,
	       "Address and port of the metrics server."),
	STRING("mode", T, mode, "iptables (when empty), ipvs, nftables or, until 1.25, userspace."),
	FLAT("nftables", nftables_fields, "Settings of mode nftables."),
	ROW("nodePortAddresses", FIELD_STRINGS, T, node_port_addresses,
	    "Networks of node addresses that node ports answer on; all when empty."),
	IGNORED("oomScoreAdj"),
	IGNORED("portRange"),
	IGNORED("resourceContainer"),
	IGNORED("showHiddenMetricsForVersion"),
	STRING("udpIdleTimeout", T, udp_idle_timeout, "Idle time of UDP in mode userspace."),
	IGNORED("windowsRunAsService"),
	IGNORED("winkernel"),
	END
};
#undef T

const struct kind_schema kube_proxy_configuration_schema = {
	.kind = KIND_KUBE_PROXY_CONFIGURATION, .name = "KubeProxyConfiguration",
	.plural = "kubeproxyconfigurations", .group_version = "kubeproxy.config.k8s.io/v1alpha1",
	.size = sizeof(struct kube_proxy_configuration), .fields = proxy_fields,
	.doc = "What kube-proxy is told to do.",
};

#define T struct kube_cluster_configuration
static const struct field networking_fields[] = {
	STRING("dnsDomain", T, dns_domain, "Domain of the cluster; cluster.local when not given."),
	STRING("podSubnet", T, pod_subnet, "Network of all pods."),
	STRING("serviceSubnet", T, service_subnet,
	       "Range of virtual addresses; 10.96.0.0/12 when not given."),
	END
};
static const struct field cluster_fields[] = {
	IGNORED("apiServer"),
	IGNORED("caCertificateValidityPeriod"),
	IGNORED("certificateValidityPeriod"),
	IGNORED("certificatesDir"),
	IGNORED("clusterName"),
	IGNORED("controlPlaneEndpoint"),
	IGNORED("controllerManager"),
	IGNORED("dns"),
	IGNORED("encryptionAlgorithm"),
	IGNORED("etcd"),
	IGNORED("featureGates"),
	IGNORED("imageRepository"),
	STRING("kubernetesVersion", T, kubernetes_version, "Version of the cluster."),
	FLAT("networking", networking_fields, "Networks of the cluster."),
	IGNORED("proxy"),
	IGNORED("scheduler"),
	END
};
#undef T

const struct kind_schema kube_cluster_configuration_schema = {
	.kind = KIND_CLUSTER_CONFIGURATION, .name = "ClusterConfiguration",
	.plural = "clusterconfigurations", .group_version = "kubeadm.k8s.io/v1beta4",
	.also = "kubeadm.k8s.io/v1beta3,kubeadm.k8s.io/v1beta2,kubeadm.k8s.io/v1beta1",
	.size = sizeof(struct kube_cluster_configuration), .fields = cluster_fields,
	.doc = "What kubeadm was told about the cluster.",
};
