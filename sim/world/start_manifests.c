/* world/start_manifests.c: the cluster as kubeadm leaves it, as YAML.
 *
 * Names, labels, ports and images are those that kubeadm v1.34 writes (app/phases/addons
 * of its sources: kube-dns at the tenth service address, CoreDNS with two replicas,
 * kube-proxy as a DaemonSet on the host network with its configuration in a ConfigMap).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "world/live.h"

#define NODES_OF_A_24 240u
#define PODS_V4 "10.244.0.0/16"
#define PODS_V4_LARGE "10.128.0.0/9"
#define PODS_V6 "fd00:10:244::/56"
#define SERVICES_V4 "10.96.0.0/12"
#define SERVICES_V6 "fd00:10:96::/112"
#define LAN_V4 "192.168.0.0/24"
#define LAN_V4_LARGE "172.16.0.0/12"
#define LAN_V6 "fd00:192:168::/64"
#define POD_BITS_V4 24
#define POD_BITS_V6 64

static int prefix(const char *option, const char *what, const char *standard,
		  struct net_prefix *out, struct err *err)
{
	const char *text = option ? option : standard;
	if (!net_prefix_parse(text, out))
		return err_set(err, EINVAL, "%s \"%s\": expected ADDRESS/LENGTH", what, text);
	*out = net_prefix_masked(out);
	return 0;
}

int start_plan(const struct cluster_options *o, const char *mode, struct start_plan *out,
	       struct err *err)
{
	bool large = o->node_count > NODES_OF_A_24;
	*out = (struct start_plan){ .mode = mode, .options = o };
	int code = prefix(o->pod_cidr, "pod_cidr", large ? PODS_V4_LARGE : PODS_V4, &out->pods[0], err);
	if (!code)
		code = prefix(o->service_cidr, "service_cidr", SERVICES_V4, &out->services[0], err);
	for (uint32_t i = 0; i < o->node_count && !code; i++) {
		struct net_addr a;
		if (o->nodes[i].address &&
		    (!net_addr_parse(o->nodes[i].address, &a) || a.family != NET_V4))
			code = err_set(err, EINVAL, "node %s: InternalIP \"%s\": expected an IPv4 address",
				       o->nodes[i].name, o->nodes[i].address);
	}
	if (!code)
		code = prefix(o->lan, "lan", large ? LAN_V4_LARGE : LAN_V4, &out->lan[0], err);
	if (code || !o->dual_stack)
		return code;
	net_prefix_parse(PODS_V6, &out->pods[1]);
	net_prefix_parse(SERVICES_V6, &out->services[1]);
	net_prefix_parse(LAN_V6, &out->lan[1]);
	return 0;
}

struct net_addr start_node_addr(const struct start_plan *plan, int family, uint32_t n)
{
	struct net_addr a = { 0 };
	const char *given = plan->options->nodes[n].address;
	if (!family && given && net_addr_parse(given, &a))
		return a;
	if (plan->lan[family].addr.family != NET_NONE)
		net_prefix_nth(&plan->lan[family], n + 1, &a);
	return a;
}

/* The n-th node has the n-th range after the first: 10.244.1.0/24, 10.244.2.0/24, ... */
bool start_node_pods(const struct start_plan *plan, int family, uint32_t n, struct net_prefix *out)
{
	const struct net_prefix *all = &plan->pods[family];
	unsigned full = net_family_bits(all->addr.family);
	unsigned bits = family ? POD_BITS_V6 : POD_BITS_V4;
	*out = (struct net_prefix){ 0 };
	if (all->addr.family == NET_NONE)
		return false;
	if (bits <= all->bits)
		bits = all->bits + 8u < full ? all->bits + 8u : full;
	unsigned step = full - bits;
	out->addr = all->addr;
	out->bits = (uint8_t)bits;
	if (step < 64 && bits - all->bits < 64)
		return (uint64_t)n + 1 < UINT64_C(1) << (bits - all->bits) &&
		       net_prefix_nth(all, ((uint64_t)n + 1) << step, &out->addr);
	/* The number of the range stands in the upper half of a v6 address. */
	for (unsigned i = 0; i < 32 && bits > i; i++)
		if ((n + 1) >> i & 1)
			out->addr.bytes[(bits - 1 - i) / 8] |= (uint8_t)(1 << (7 - (bits - 1 - i) % 8));
	return true;
}

/* ---- nodes ------------------------------------------------------------------------------- */

static void node_ranges(const struct start_plan *plan, uint32_t n, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	struct net_prefix range;
	if (!start_node_pods(plan, 0, n, &range))
		return;
	strbuf_printf(out, "  podCIDR: %s\n  podCIDRs:\n", net_prefix_text(&range, text));
	for (int f = 0; f < 2; f++)
		if (start_node_pods(plan, f, n, &range))
			strbuf_printf(out, "  - %s\n", net_prefix_text(&range, text));
}

static void node_labels(const struct node_options *o, struct strbuf *out)
{
	strbuf_printf(out,
		      "  labels:\n    kubernetes.io/hostname: %s\n    kubernetes.io/os: linux\n"
		      "    kubernetes.io/arch: amd64\n    beta.kubernetes.io/os: linux\n"
		      "    beta.kubernetes.io/arch: amd64\n", o->name);
	if (o->zone)
		strbuf_printf(out, "    topology.kubernetes.io/zone: %s\n", o->zone);
	for (uint32_t i = 0; i < o->labels.count; i++) {
		const char *pair = o->labels.items[i], *equals = strchr(pair, '=');
		if (equals)
			strbuf_printf(out, "    %.*s: \"%s\"\n", (int)(equals - pair), pair, equals + 1);
	}
	strbuf_puts(out, "  annotations:\n    node.alpha.kubernetes.io/ttl: \"0\"\n");
	if (o->routed || o->no_hairpin || o->overlay)
		strbuf_printf(out, "    %s: \"%s%s%s\"\n", NETWORK_ANNOTATION, o->routed ? "routed " : "",
			      o->no_hairpin ? "no-hairpin " : "", o->overlay ? "overlay" : "");
}

static void node_modules(const struct node_options *o, struct strbuf *out)
{
	if (o->missing_modules)
		strbuf_printf(out, "    %s: \"%s\"\n", MODULES_ANNOTATION, o->missing_modules);
	if (o->nft)
		strbuf_printf(out, "    %s: \"%s\"\n", NFT_ANNOTATION, o->nft);
}

static void node_taints(const struct node_options *o, struct strbuf *out)
{
	if (o->taints.count)
		strbuf_puts(out, "  taints:\n");
	for (uint32_t i = 0; i < o->taints.count; i++) {
		const char *text = o->taints.items[i], *effect = strrchr(text, ':');
		size_t key = strcspn(text, "=:");
		strbuf_printf(out, "  - {key: \"%.*s\", effect: %s", (int)key, text, effect ? effect + 1 : "NoSchedule");
		if (text[key] == '=' && effect)
			strbuf_printf(out, ", value: \"%.*s\"", (int)(effect - text - (long)key) - 1,
				      text + key + 1);
		strbuf_puts(out, "}\n");
	}
}

static const char *release(enum kube_version version)
{
	switch (version) {
	case KUBE_1_20:
		return "v1.20.15";
	case KUBE_1_25:
		return "v1.25.16";
	case KUBE_1_30:
		return "v1.30.14";
	default:
		return "v1.34.1";
	}
}

static void node_manifest(const struct start_plan *plan, uint32_t n, enum kube_version version,
			  struct strbuf *out)
{
	const struct node_options *o = &plan->options->nodes[n];
	char text[NET_ADDR_TEXT];
	strbuf_printf(out, "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: %s\n", o->name);
	node_labels(o, out);
	node_modules(o, out);
	strbuf_puts(out, "spec:\n");
	node_ranges(plan, n, out);
	node_taints(o, out);
	strbuf_puts(out, "status:\n  addresses:\n");
	for (int f = 0; f < 2; f++) {
		struct net_addr a = start_node_addr(plan, f, n);
		if (a.family != NET_NONE)
			strbuf_printf(out, "  - {type: InternalIP, address: \"%s\"}\n",
				      net_addr_text(&a, text));
	}
	if (o->external)
		strbuf_printf(out, "  - {type: ExternalIP, address: \"%s\"}\n", o->external);
	strbuf_printf(out,
		      "  - {type: Hostname, address: %s}\n"
		      "  capacity: {cpu: \"4\", ephemeral-storage: 40Gi, memory: 8Gi, pods: \"110\"}\n"
		      "  allocatable: {cpu: \"4\", ephemeral-storage: 37Gi, memory: 7900Mi, pods: \"110\"}\n"
		      "  conditions:\n"
		      "  - {type: MemoryPressure, status: \"False\", reason: KubeletHasSufficientMemory, "
		      "message: kubelet has sufficient memory available}\n"
		      "  - {type: DiskPressure, status: \"False\", reason: KubeletHasNoDiskPressure, "
		      "message: kubelet has no disk pressure}\n"
		      "  - {type: PIDPressure, status: \"False\", reason: KubeletHasSufficientPID, "
		      "message: kubelet has sufficient PID available}\n"
		      "  - {type: Ready, status: \"True\", reason: KubeletReady, "
		      "message: kubelet is posting ready status}\n"
		      "  nodeInfo:\n    kubeletVersion: %s\n    containerRuntimeVersion: containerd://1.7.28\n"
		      "    kernelVersion: \"%s\"\n    osImage: Debian GNU/Linux 12 (bookworm)\n"
		      "    operatingSystem: linux\n    architecture: amd64\n",
		      o->name, release(version), o->kernel ? o->kernel : "6.1.0-40-amd64");
}

/* ---- the API's own Service ------------------------------------------------------------------- */

static void address_lists(const struct start_plan *plan, uint64_t offset, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	bool dual = plan->services[1].addr.family != NET_NONE;
	struct net_addr a;
	net_prefix_nth(&plan->services[0], offset, &a);
	strbuf_printf(out, "  clusterIP: \"%s\"\n  clusterIPs:\n  - \"%s\"\n", net_addr_text(&a, text),
		      text);
	if (dual && net_prefix_nth(&plan->services[1], offset, &a))
		strbuf_printf(out, "  - \"%s\"\n", net_addr_text(&a, text));
	strbuf_printf(out, "  ipFamilyPolicy: %s\n", dual ? "PreferDualStack" : "SingleStack");
}

static void kubernetes_service(const struct start_plan *plan, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	struct net_addr api = start_node_addr(plan, 0, 0), a;
	strbuf_puts(out,
		    "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: kubernetes\n"
		    "  namespace: default\n  labels: {component: apiserver, provider: kubernetes}\n"
		    "spec:\n  type: ClusterIP\n");
	net_prefix_nth(&plan->services[0], 1, &a);
	strbuf_printf(out, "  clusterIP: \"%s\"\n", net_addr_text(&a, text));
	strbuf_printf(out,
		      "  ipFamilyPolicy: SingleStack\n"
		      "  ports:\n  - {name: https, port: 443, protocol: TCP, targetPort: 6443}\n"
		      "---\napiVersion: v1\nkind: Endpoints\nmetadata:\n  name: kubernetes\n"
		      "  namespace: default\n  labels: {endpointslice.kubernetes.io/skip-mirror: \"true\"}\n"
		      "subsets:\n- addresses: [{ip: \"%s\"}]\n"
		      "  ports: [{name: https, port: 6443, protocol: TCP}]\n"
		      "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n"
		      "  name: kubernetes\n  namespace: default\n"
		      "  labels: {kubernetes.io/service-name: kubernetes}\n"
		      "addressType: IPv4\nports: [{name: https, port: 6443, protocol: TCP}]\n"
		      "endpoints: [{addresses: [\"%s\"], conditions: {ready: true}}]\n",
		      net_addr_text(&api, text), text);
}

/* ---- kube-proxy ----------------------------------------------------------------------------- */

static void indented(struct strbuf *out, const char *lines, int by)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");
		strbuf_fill(out, ' ', by);
		strbuf_add(out, lines, n);
		strbuf_putc(out, '\n');
		lines += n + (lines[n] == '\n');
	}
}

/* Whether a line of the user's sets this key at top level. */
static bool sets(const char *lines, const char *key)
{
	size_t n = strlen(key);
	while (lines && *lines) {
		if (strncmp(lines, key, n) == 0 && lines[n] == ':')
			return true;
		lines += strcspn(lines, "\n");
		lines += *lines == '\n';
	}
	return false;
}

void proxy_config_map(const struct start_plan *plan, struct strbuf *out)
{
	char v4[NET_ADDR_TEXT], v6[NET_ADDR_TEXT];
	const char *own = plan->options->proxy_config;
	bool dual = plan->pods[1].addr.family != NET_NONE;
	strbuf_puts(out,
		    "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kube-proxy\n"
		    "  namespace: kube-system\n  labels: {app: kube-proxy}\ndata:\n  config.conf: |-\n"
		    "    apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
		    "    kind: KubeProxyConfiguration\n");
	/* kubeadm leaves the default empty. */
	strbuf_printf(out, "    mode: \"%s\"\n", strcmp(plan->mode, "iptables") ? plan->mode : "");
	if (!sets(own, "bindAddress"))
		strbuf_puts(out, "    bindAddress: 0.0.0.0\n");
	if (!sets(own, "clusterCIDR"))
		strbuf_printf(out, "    clusterCIDR: \"%s%s%s\"\n",
			      net_prefix_text(&plan->pods[0], v4), dual ? "," : "",
			      dual ? net_prefix_text(&plan->pods[1], v6) : "");
	if (own)
		indented(out, own, 4);
}

static void proxy_daemon_set(enum kube_version version, struct strbuf *out)
{
	strbuf_printf(out,
		      "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: kube-proxy\n"
		      "  namespace: kube-system\n  labels: {k8s-app: kube-proxy}\nspec:\n"
		      "  selector: {matchLabels: {k8s-app: kube-proxy}}\n"
		      "  updateStrategy: {type: RollingUpdate}\n  template:\n    metadata:\n"
		      "      labels: {k8s-app: kube-proxy}\n    spec:\n      hostNetwork: true\n"
		      "      priorityClassName: system-node-critical\n"
		      "      serviceAccountName: kube-proxy\n      nodeSelector: {kubernetes.io/os: linux}\n"
		      "      tolerations: [{operator: Exists}]\n      containers:\n      - name: kube-proxy\n"
		      "        image: registry.k8s.io/kube-proxy:%s\n"
		      "        imagePullPolicy: IfNotPresent\n"
		      "        command: [/usr/local/bin/kube-proxy, "
		      "--config=/var/lib/kube-proxy/config.conf]\n"
		      "        volumeMounts: [{name: kube-proxy, mountPath: /var/lib/kube-proxy}]\n"
		      "      volumes: [{name: kube-proxy, configMap: {name: kube-proxy}}]\n",
		      release(version));
}

/* ---- DNS -------------------------------------------------------------------------------------- */

static const char coredns_config[] =
	"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: coredns\n  namespace: kube-system\n"
	"data:\n  Corefile: |\n    .:53 {\n        errors\n        health {\n           lameduck 5s\n"
	"        }\n        ready\n        kubernetes cluster.local in-addr.arpa ip6.arpa {\n"
	"           pods insecure\n           fallthrough in-addr.arpa ip6.arpa\n           ttl 30\n"
	"        }\n        prometheus :9153\n        forward . /etc/resolv.conf {\n"
	"           max_concurrent 1000\n        }\n        cache 30 {\n"
	"           disable success cluster.local\n           disable denial cluster.local\n        }\n"
	"        loop\n        reload\n        loadbalance\n    }\n";

static const char coredns_deployment[] =
	"---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: coredns\n"
	"  namespace: kube-system\n  labels: {k8s-app: kube-dns}\nspec:\n  replicas: 2\n"
	"  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}\n"
	"  selector: {matchLabels: {k8s-app: kube-dns}}\n  template:\n    metadata:\n"
	"      labels: {k8s-app: kube-dns}\n    spec:\n      priorityClassName: system-cluster-critical\n"
	"      serviceAccountName: coredns\n      dnsPolicy: Default\n"
	"      nodeSelector: {kubernetes.io/os: linux}\n"
	"      tolerations:\n      - {key: CriticalAddonsOnly, operator: Exists}\n"
	"      - {key: node-role.kubernetes.io/control-plane, effect: NoSchedule}\n      containers:\n"
	"      - name: coredns\n        image: registry.k8s.io/coredns/coredns:v1.12.1\n"
	"        imagePullPolicy: IfNotPresent\n        args: [-conf, /etc/coredns/Corefile]\n"
	"        ports:\n        - {containerPort: 53, name: dns, protocol: UDP}\n"
	"        - {containerPort: 53, name: dns-tcp, protocol: TCP}\n"
	"        - {containerPort: 9153, name: metrics, protocol: TCP}\n"
	"        livenessProbe:\n          httpGet: {path: /health, port: 8080, scheme: HTTP}\n"
	"          initialDelaySeconds: 60\n          timeoutSeconds: 5\n          successThreshold: 1\n"
	"          failureThreshold: 5\n"
	"        readinessProbe:\n          httpGet: {path: /ready, port: 8181, scheme: HTTP}\n";

static void dns_manifests(const struct start_plan *plan, struct strbuf *out)
{
	strbuf_puts(out,
		    "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: kube-dns\n"
		    "  namespace: kube-system\n"
		    "  labels: {k8s-app: kube-dns, kubernetes.io/cluster-service: \"true\", "
		    "kubernetes.io/name: CoreDNS}\nspec:\n  type: ClusterIP\n");
	address_lists(plan, 10, out);
	strbuf_puts(out,
		    "  selector: {k8s-app: kube-dns}\n  ports:\n"
		    "  - {name: dns, port: 53, protocol: UDP, targetPort: 53}\n"
		    "  - {name: dns-tcp, port: 53, protocol: TCP, targetPort: 53}\n"
		    "  - {name: metrics, port: 9153, protocol: TCP, targetPort: 9153}\n");
	strbuf_puts(out, coredns_config);
	if (!plan->options->no_dns)
		strbuf_puts(out, coredns_deployment);
}

/* ---- all of it ---------------------------------------------------------------------------------- */

void start_manifests(const struct start_plan *plan, enum kube_version version, struct strbuf *out)
{
	static const char *const namespaces[] = { "default", "kube-node-lease", "kube-public",
						  "kube-system" };
	char v4[NET_ADDR_TEXT], v6[NET_ADDR_TEXT];
	bool dual = plan->pods[1].addr.family != NET_NONE;
	for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++)
		strbuf_printf(out,
			      "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n"
			      "  labels: {kubernetes.io/metadata.name: %s}\n", namespaces[i],
			      namespaces[i]);
	strbuf_printf(out, "---\napiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata:\n"
		      "  name: kubernetes\nspec:\n  cidrs:\n  - %s\n",
		      net_prefix_text(&plan->services[0], v4));
	if (dual)
		strbuf_printf(out, "  - %s\n", net_prefix_text(&plan->services[1], v6));
	strbuf_puts(out, "status:\n  conditions:\n  - {type: Ready, status: \"True\"}\n");
	strbuf_printf(out,
		      "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
		      "kubernetesVersion: %s\nnetworking:\n  dnsDomain: cluster.local\n"
		      "  podSubnet: \"%s%s%s\"\n", release(version), net_prefix_text(&plan->pods[0], v4),
		      dual ? "," : "", dual ? net_prefix_text(&plan->pods[1], v6) : "");
	strbuf_printf(out, "  serviceSubnet: \"%s%s%s\"\n", net_prefix_text(&plan->services[0], v4),
		      dual ? "," : "", dual ? net_prefix_text(&plan->services[1], v6) : "");
	for (uint32_t i = 0; i < plan->options->node_count; i++)
		node_manifest(plan, i, version, out);
	kubernetes_service(plan, out);
	dns_manifests(plan, out);
	proxy_config_map(plan, out);
	proxy_daemon_set(version, out);
}
