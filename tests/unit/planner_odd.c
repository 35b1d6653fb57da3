/* tests/unit/planner_odd.c: clusters that are legal and seldom, and the rules they give.
 *
 * Expected text is kube-proxy's: its unit tests' own listings for the six services (see
 * tests/golden/kube-proxy/README.md), and for each row of the table what its sources of
 * v1.30.5 and v1.34 say (file named in the row).
 */
#include "golden.h"

#include "dataplanes/iptables/iptables.h"
#include "dataplanes/nftables/nftables.h"

#define SIX GOLDEN "six/cluster.yaml"

/* Source: TestOverallIPTablesRules; its node has the nfacct counters. */
static void six_services_in_iptables(void)
{
	struct golden g;
	struct err err = { "" };
	const char *file = SIX;
	golden_empty(&g, "test-hostname", &iptables_planner, KUBE_1_34);
	g.view.has_nfacct = true;
	if (CHECK(manifest_load(g.store, &file, 1, NULL, &err) == 0) && golden_start(&g, SIX) &&
	    golden_plan(&g, true))
		golden_same("six services",
			    golden_restore(golden_text(&g, TX_IPTABLES_RESTORE), false),
			    golden_restore(golden_file("six", "iptables-restore.txt"), false));
	golden_close(&g);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The sorted lines of a text that add something of a service's. */
static char *of_services(char *text)
{
	const char **lines = NULL;
	uint32_t count = 0;
	char *save = NULL;
	struct strbuf out = { 0 };
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool element = strncmp(line, "add element ", 12) == 0 &&
			       !strstr(line, " nodeport-ips ");
		if (!element && (strncmp(line, "add ", 4) != 0 || !strstr(line, "/svc")))
			continue;
		lines = mem_grow(lines, count, count + 1, sizeof *lines);
		lines[count++] = line;
	}
	qsort(lines, count, sizeof *lines, compare_lines);
	for (uint32_t i = 0; i < count; i++)
		strbuf_printf(&out, "%s\n", lines[i]);
	free(lines);
	free(text);
	return strbuf_steal(&out);
}

/* Source: TestOverallNFTablesRules. */
static void six_services_in_nftables(void)
{
	struct golden g;
	if (golden_open(&g, SIX, "test-hostname", &nftables_planner, KUBE_1_34) &&
	    golden_plan(&g, true))
		golden_same("six services", of_services(golden_text(&g, TX_NFT)),
			    of_services(golden_file("six", "nft.txt")));
	golden_close(&g);
}

/* ---- one oddity a row ----------------------------------------------------------------- */

struct row {
	const char *about; /* and the source */
	const struct planner_class *class;
	enum kube_version version;
	const char *text;  /* of the cluster, behind NODE */
	const char *has[4], *lacks[3];
	unsigned times;    /* has[0] stands there so often; 0: at least once */
	bool liberal;      /* the kernel's nf_conntrack_tcp_be_liberal */
};

#define NODE                                                                                   \
	"apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: "                             \
	"{topology.kubernetes.io/zone: z1}}\nspec: {podCIDRs: [10.244.1.77/24, 'fd00:1::7/64']}\n" \
	"status: {addresses: [{type: InternalIP, address: 192.168.0.1}, "                      \
	"{type: InternalIP, address: 192.168.0.9}, "                                           \
	"{type: ExternalIP, address: 203.0.113.9}]}\n---\n"
#define SPEC(meta, spec, status)                                                               \
	"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: d" meta "}\n"           \
	"spec: {clusterIP: 10.96.0.1, ports: [{port: 80, nodePort: 30080}]" spec "}\n" status  \
	"---\n"
#define LB(ips) "status: {loadBalancer: {ingress: [" ips "]}}\n"
#define SLICE(labels, endpoints)                                                               \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, "         \
	"namespace: d, labels: {kubernetes.io/service-name: s" labels "}}\naddressType: IPv4\n" \
	"ports: [{name: '', port: 8080, protocol: TCP}]\nendpoints: [" endpoints "]\n---\n"
#define ONE SLICE("", "{addresses: [10.244.1.5], nodeName: a}")
#define HINTED SLICE("", "{addresses: [10.244.1.5], nodeName: a, hints: {forZones: [{name: z1}]}}, " \
			"{addresses: [10.244.2.5], nodeName: b, hints: {forZones: [{name: z2}]}}")
#define CONFIG "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
#define PLAIN SPEC("", ", type: NodePort", "") ONE
#define IPT &iptables_planner
#define NFT &nftables_planner

static const struct row rows[] = {
	{ .about = "a Service of another proxy is not seen (app/server.go, label selector)",
	  IPT, KUBE_1_30,
	  SPEC(", labels: {service.kubernetes.io/service-proxy-name: ''}", "", "") ONE,
	  { "*nat" }, { "10.96.0.1" } },
	{ .about = "nor a slice with that label, nor one of a headless Service", IPT, KUBE_1_34,
	  SPEC("", "", "") SLICE(", service.kubernetes.io/headless: ''",
	  "{addresses: [10.244.1.5]}"),
	  { "\"d/s has no endpoints\" -m tcp -p tcp -d 10.96.0.1" }, { "10.244.1.5" } },
	{ .about = "the detector's range is masked (app/server_linux.go)", IPT, KUBE_1_30,
	  CONFIG "clusterCIDR: 10.244.7.9/16,10.0.0.0/8,fd00::9/56\n---\n" PLAIN,
	  { "! -s 10.244.0.0/16 -j KUBE-MARK-MASQ" }, { "10.244.7.9", "! -s 10.0.0.0/8" } },
	{ .about = "the Node's range too, with NodeCIDR", NFT, KUBE_1_34,
	  CONFIG "detectLocalMode: NodeCIDR\n---\n" PLAIN,
	  { "ip saddr != 10.244.1.0/24 jump mark-for-masquerade" }, { "10.244.1.77" } },
	{ .about = "a bridge as detector (util/localdetector.go)", IPT, KUBE_1_34,
	  CONFIG "detectLocalMode: BridgeInterface\ndetectLocal: {bridgeInterface: cni0}\n---\n"
	  PLAIN,
	  { "--dport 80 ! -i cni0 -j KUBE-MARK-MASQ" }, { "-i cni0+" } },
	{ .about = "a prefix of interfaces as detector", IPT, KUBE_1_30,
	  CONFIG "detectLocalMode: InterfaceNamePrefix\ndetectLocal: {interfaceNamePrefix: cali}\n"
		 "---\n" SPEC("", ", type: NodePort, externalTrafficPolicy: Local", "") ONE,
	  { "--dport 80 ! -i cali+ -j KUBE-MARK-MASQ",
	  "external destinations\" -i cali+ -j KUBE-SVC-" } },
	{ .about = "no detector: no masquerading of ClusterIPs", IPT, KUBE_1_34, PLAIN,
	  { "cluster IP\" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-" },
	  { "--dport 80 ! -s" } },
	{ .about = "masqueradeAll needs none", IPT, KUBE_1_34,
	  CONFIG "iptables: {masqueradeAll: true, masqueradeBit: 31}\n---\n" PLAIN,
	  { "-d 10.96.0.1 --dport 80 -j KUBE-MARK-MASQ", "--or-mark 0x80000000" } },
	{ .about = "node ports on one address and loopback (util/nodeport_addresses.go)",
	  IPT,
	  KUBE_1_30, CONFIG "nodePortAddresses: [127.0.0.1/32, 192.168.0.0/29]\n---\n" PLAIN,
	  { "-d 127.0.0.1 -j KUBE-NODEPORTS", "-d 192.168.0.1 -j KUBE-NODEPORTS",
	  ":KUBE-FIREWALL" },
	  { "-d 192.168.0.9", "dst-type LOCAL -j" } },
	{ .about = "no loopback among them: none of its rules", IPT, KUBE_1_34,
	  CONFIG "nodePortAddresses: [192.168.0.0/24]\n---\n" PLAIN,
	  { "-d 192.168.0.9 -j KUBE-NODEPORTS" }, { "127.0.0.0/8", "KUBE-FIREWALL -" } },
	{ .about = "ranges of the other family do not count", IPT, KUBE_1_34,
	  CONFIG "nodePortAddresses: ['fd00::/8']\n---\n" PLAIN,
	  { "--dst-type LOCAL -j KUBE-NODEPORTS" }, { "! -d 127.0.0.0/8" } },
	{ .about = "localhostNodePorts off", IPT, KUBE_1_34,
	  CONFIG "iptables: {localhostNodePorts: false}\n---\n" PLAIN,
	  { "--dst-type LOCAL ! -d 127.0.0.0/8 -j KUBE-NODEPORTS" }, { "localnet connections" } },
	{ .about = "v1.34, nftables: primary is the first InternalIP (app/server.go)",
	  NFT, KUBE_1_34, PLAIN,
	  { "nodeport-ips { 192.168.0.1 }" }, { "192.168.0.9", "203.0.113.9" } },
	{ .about = "v1.34, iptables: primary can be written", IPT, KUBE_1_34,
	  CONFIG "nodePortAddresses: [primary]\n---\n" PLAIN,
	  { "-d 192.168.0.1 -j KUBE-NODEPORTS" }, { "192.168.0.9",
	  "addrtype --dst-type LOCAL -j" } },
	{ .about = "v1.34, nftables: all addresses (nftables/proxier.go)", NFT, KUBE_1_34,
	  CONFIG "nodePortAddresses: [0.0.0.0/0]\n---\n" PLAIN,
	  { "delete set ip kube-proxy nodeport-ips",
	    "services fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap" },
	  { "flush set ip kube-proxy nodeport-ips" } },
	{ .about = "an address that is VIP and external IP is one element in v1.34", NFT, KUBE_1_34,
	  SPEC("", ", type: LoadBalancer, externalIPs: [1.2.3.4, 1.2.3.4]", LB("{ip: 1.2.3.4}"))
	  ONE,
	  { "service-ips { 1.2.3.4 . tcp . 80 " }, .times = 1 },
	{ .about = "and three in v1.30, which does not look", NFT, KUBE_1_30,
	  SPEC("", ", type: LoadBalancer, externalIPs: [1.2.3.4, 1.2.3.4]", LB("{ip: 1.2.3.4}"))
	  ONE,
	  { "service-ips { 1.2.3.4 . tcp . 80 " }, .times = 3 },
	{ .about = "ranges are trimmed, masked and of their family (servicechangetracker.go)",
	  IPT, KUBE_1_34,
	  SPEC("", ", type: LoadBalancer, loadBalancerSourceRanges: "
		   "[\" 203.0.113.77/25\\t\\n\", \"fd00::/8\", nonsense]", LB("{ip: 1.2.3.4}")) ONE,
	  { "loadbalancer IP\" -s 203.0.113.0/25 -j KUBE-EXT-" }, { "fd00", "-s 1.2.3.4" } },
	{ .about = "ranges of the other family only: no firewall", IPT, KUBE_1_34,
	  SPEC("", ", type: LoadBalancer, loadBalancerSourceRanges: ['fd00::/8']",
	  LB("{ip: 1.2.3.4}"))
	  ONE,
	  { "loadbalancer IP\" -m tcp -p tcp -d 1.2.3.4 --dport 80 -j KUBE-EXT-" },
	  { "KUBE-FW-" } },
	{ .about = "a range with the node's own address lets the VIP in as source", IPT, KUBE_1_30,
	  SPEC("", ", type: LoadBalancer, loadBalancerSourceRanges: [192.168.0.1/32, 1.2.3.4/32]",
	       LB("{ip: 1.2.3.4}, {ip: 1.2.3.5}")) ONE,
	  { "-s 192.168.0.1/32 -j KUBE-EXT-", "-s 1.2.3.4/32 -j KUBE-EXT-",
	  "-s 1.2.3.4 -j KUBE-EXT-",
	    "-s 1.2.3.5 -j KUBE-EXT-" } },
	{ .about = "the same in nftables", NFT, KUBE_1_34,
	  SPEC("", ", type: LoadBalancer, loadBalancerSourceRanges: [192.168.0.0/24]",
	       LB("{ip: 1.2.3.4}, {ip: 1.2.3.5}")) ONE,
	  { "ip saddr != { 192.168.0.0/24 , 1.2.3.4 , 1.2.3.5 } drop" } },
	{ .about = "ipMode: only VIP and none make a VIP", IPT, KUBE_1_34,
	  SPEC("", ", type: LoadBalancer",
	       LB("{ip: 1.2.3.4, ipMode: Proxy}, {ip: 1.2.3.5, ipMode: VIP}, "
		  "{hostname: lb.example}"))
	  ONE,
	  { "loadbalancer IP\" -m tcp -p tcp -d 1.2.3.5" }, { "1.2.3.4" } },
	{ .about = "external IPs make a ClusterIP Service Local (apis/service helpers)",
	  IPT, KUBE_1_34,
	  SPEC("", ", externalIPs: [1.2.3.4], externalTrafficPolicy: Local", "")
	  SLICE("", "{addresses: [10.244.2.5], nodeName: b}"),
	  { "\"d/s has no local endpoints\" -m tcp -p tcp -d 1.2.3.4 --dport 80 -j DROP" } },
	{ .about = "a health check node port needs type LoadBalancer and Local", IPT, KUBE_1_34,
	  SPEC("", ", type: LoadBalancer, healthCheckNodePort: 30999", LB("{ip: 1.2.3.4}")) ONE,
	  { "KUBE-EXT-" }, { "30999" } },
	{ .about = "ExternalName with a ClusterIP is nothing (util/utils.go)", IPT, KUBE_1_34,
	  SPEC("", ", type: ExternalName, externalName: x.example", "") ONE, { "*nat" },
	  { "10.96.0.1" } },
	{ .about = "a protocol that differs is another port: no endpoints", NFT, KUBE_1_34,
	  SPEC("", "", "")
	  "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, namespace: "
	  "d, "
	  "labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\n"
	  "ports: [{name: '', port: 53, protocol: UDP}]\nendpoints: [{addresses: [10.244.1.5]}]\n",
	  { "no-endpoint-services { 10.96.0.1 . tcp . 80 comment \"d/s\" : goto reject-chain }" },
	  { "10.244.1.5" } },
	{ .about = "not ready addresses of Endpoints are not used (mirrored slices)",
	  IPT, KUBE_1_34,
	  SPEC("", "", "") "apiVersion: v1\nkind: Endpoints\nmetadata: {name: s, namespace: d}\n"
	  "subsets: [{addresses: [{ip: 10.244.1.5}], notReadyAddresses: [{ip: 10.244.1.6}], "
	  "ports: [{port: 8080}]}]\n",
	  { "--to-destination 10.244.1.5:8080" }, { "10.244.1.6" } },
	{ .about = "a kernel that is liberal: no INVALID drop (iptables/proxier.go)",
	  IPT, KUBE_1_30, PLAIN,
	  { "kubernetes forwarding conntrack rule" }, { "--ctstate INVALID" }, .liberal = true },
	{ .about = "topology-aware-hints counts before topology-mode, if it is empty, too "
		   "(serviceport.go)", IPT, KUBE_1_30,
	  SPEC(", annotations: {service.kubernetes.io/topology-aware-hints: '', "
	       "service.kubernetes.io/topology-mode: Auto}", "", "") HINTED,
	  { "10.244.1.5:8080", "10.244.2.5:8080" } },
	{ .about = "disabled there, Auto here: no topology", IPT, KUBE_1_30,
	  SPEC(", annotations: {service.kubernetes.io/topology-aware-hints: disabled, "
	       "service.kubernetes.io/topology-mode: Auto}", "", "") HINTED,
	  { "10.244.1.5:8080", "10.244.2.5:8080" } },
	{ .about = "Auto there, disabled here: topology", NFT, KUBE_1_30,
	  SPEC(", annotations: {service.kubernetes.io/topology-aware-hints: Auto, "
	       "service.kubernetes.io/topology-mode: disabled}", "", "") HINTED,
	  { "10.244.1.5:8080" }, { "10.244.2.5:8080" } },
	{ .about = "leading zeros are decimal, a range with something behind it is none "
		   "(ParseIPSloppy, MapCIDRsByIPFamily of util/utils.go)", IPT, KUBE_1_30,
	  SPEC("", ", type: LoadBalancer, externalIPs: [010.001.2.3], loadBalancerSourceRanges: "
		   "[192.168.010.0/024, 10.0.0.0/8 x, 10.1.0.0]", LB("{ip: 001.2.3.4}")) ONE,
	  { "external IP\" -m tcp -p tcp -d 10.1.2.3 --dport 80",
	    "loadbalancer IP\" -m tcp -p tcp -d 1.2.3.4 --dport 80 -j KUBE-FW-",
	    "loadbalancer IP\" -s 192.168.10.0/24 -j KUBE-EXT-" }, { "-s 10.0.0.0", "-s 10.1.0.0" } },
	{ .about = "the same of ClusterIPs; endpoints with them are used, as they are written",
	  IPT, KUBE_1_30,
	  "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: d}\n"
	  "spec: {clusterIP: 010.096.0.001, ports: [{port: 80}]}\n---\n"
	  SLICE("", "{addresses: [10.244.001.5]}"),
	  { "-d 10.96.0.1 --dport 80 -j KUBE-SVC-", "--to-destination 10.244.001.5:8080" } },
	{ .about = "an endpoint's address is written as its slice writes it "
		   "(newBaseEndpointInfo of endpoint.go)", NFT, KUBE_1_34,
	  "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: d}\n"
	  "spec: {clusterIP: 'FD00::A', ports: [{port: 80}]}\n---\n"
	  "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, namespace: d, "
	  "labels: {kubernetes.io/service-name: s}}\naddressType: IPv6\n"
	  "ports: [{name: '', port: 8080, protocol: TCP}]\n"
	  "endpoints: [{addresses: ['FD00:0:0::5']}]\n",
	  { "service-ips { fd00::a . tcp . 80 : goto service-", "ip6 saddr FD00:0:0::5 jump mark-",
	    "dnat to [FD00:0:0::5]:8080", "/s/tcp/__FD00.0.0..5/8080 " } },
	{ .about = "else there is one",
	  IPT, KUBE_1_30, PLAIN, { "--ctstate INVALID -j DROP" }, { "nfacct" }, .times = 1 },
};

static int keep(void *ctx, struct kube_object *o, struct err *err)
{
	return kube_store_create(ctx, o, err);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static void look(const struct row *r, const char *text)
{
	for (unsigned i = 0; i < sizeof r->has / sizeof *r->has && r->has[i]; i++)
		check_note(strstr(text, r->has[i]) != NULL, r->about, 0, "lacks %s in\n%s",
			   r->has[i], text);
	for (unsigned i = 0; i < sizeof r->lacks / sizeof *r->lacks && r->lacks[i]; i++)
		check_note(!strstr(text, r->lacks[i]), r->about, 0, "has %s in\n%s", r->lacks[i],
			   text);
	if (r->times)
		check_note(count(text, r->has[0]) == r->times, r->about, 0, "%s %u times, not %u",
			   r->has[0], count(text, r->has[0]), r->times);
}

static void odd_clusters(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct manifest_options options = { .defaults = true };
		struct golden g;
		struct err err = { "" };
		struct strbuf text = { 0 };
		strbuf_printf(&text, "%s%s", NODE, r->text);
		golden_empty(&g, "a", r->class, r->version);
		g.view.conntrack_be_liberal = r->liberal;
		int code = manifest_read(strbuf_text(&text), text.length, "cluster", &options, keep,
					 g.store, &err);
		strbuf_free(&text);
		if (check_note(code == 0, r->about, 0, "%s", err.text) &&
		    golden_start(&g, r->about) && golden_plan(&g, true)) {
			char *rules = golden_text(&g, r->class == IPT ? TX_IPTABLES_RESTORE :
									  TX_NFT);
			look(r, rules);
			free(rules);
		}
		golden_close(&g);
	}
}

static const struct check tests[] = {
	{ "six services in iptables mode give the rules that upstream's own test expects",
	  six_services_in_iptables },
	{ "six services in nftables mode give the objects that upstream's own test expects",
	  six_services_in_nftables },
	{ "seldom fields and odd values give the rules that kube-proxy's source says",
	  odd_clusters },
};

CHECK_MAIN(tests)
