/* kubeproxy/config.c: see config.h.
 *
 * Defaults: kube-proxy's config v1alpha1 defaults; detection of local traffic and node
 * addresses: cmd/kube-proxy/app/server_linux.go and pkg/proxy/util.
 */
#include "dataplanes/kubeproxy/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplanes/kubeproxy/lenient.h"
#include "kube/store.h"

#define HEALTHZ_PORT 10256
#define MASQUERADE_BIT 14
#define TAINT_AUTOSCALER "ToBeDeletedByClusterAutoscaler"
#define LABEL_ZONE "topology.kubernetes.io/zone"
#define CONNTRACK_PER_CORE 32768
#define CONNTRACK_MIN 131072

struct reading {
	const struct proxy_view *view;
	struct arena *arena;
	const struct kube_proxy_configuration *given; /* NULL: none in the store */
	const struct kube_cluster_configuration *cluster;
	const struct kube_node *node;
	struct proxy_config *out;
	struct err *err;
};

static int bad(const struct reading *r, const char *field, const char *value, const char *expected)
{
	const struct kube_object *o = r->given ? &r->given->object : NULL;
	return err_at(r->err, EINVAL, o && o->file ? o->file : "KubeProxyConfiguration",
		      o ? o->line : 0, 0, "%s is \"%s\", expected %s", field, value, expected);
}

static const struct kube_object *only(const struct kube_store *store, enum kube_kind kind)
{
	uint32_t cursor = 0;
	return kube_store_next(store, kind, NULL, &cursor);
}

static unsigned family_index(uint8_t family)
{
	return family == NET_V6 ? PROXY_V6 : PROXY_V4;
}

static void add_prefix(struct arena *a, struct prefix_list *list, const struct net_prefix *p)
{
	struct net_prefix *items = arena_array(a, list->count + 1, sizeof *items);
	if (list->count)
		memcpy(items, list->items, list->count * sizeof *items);
	items[list->count++] = *p;
	list->items = items;
}

/* ---- the node ---------------------------------------------------------------- */

/* The Node's address of a family: the first InternalIP, else the first ExternalIP. */
static bool node_address(const struct kube_node *node, uint8_t family, struct net_addr *out)
{
	static const char *const types[] = { "InternalIP", "ExternalIP" };
	for (unsigned t = 0; node && t < 2; t++) {
		for (uint32_t i = 0; i < node->status.addresses.count; i++) {
			const struct kube_node_address *a = &node->status.addresses.items[i];
			if (kube_is(a->type, types[t]) && a->address &&
			    lenient_addr(a->address, out) && out->family == family)
				return true;
		}
	}
	return false;
}

void proxy_config_node(const struct proxy_view *view, struct proxy_config *c)
{
	const struct kube_node *node =
		(const void *)kube_store_get(view->store, KIND_NODE, "", view->node);
	c->node_eligible = !node || !node->object.meta.deletion_ns;
	for (uint32_t i = 0; node && i < node->spec.taints.count; i++)
		if (kube_is(node->spec.taints.items[i].key, TAINT_AUTOSCALER))
			c->node_eligible = false;
}

static void read_node(struct reading *r)
{
	struct proxy_config *c = r->out;
	struct net_addr bind;
	proxy_config_node(r->view, c);
	c->zone = "";
	if (r->node) {
		const char *zone = kube_map_get(&r->node->object.meta.labels, LABEL_ZONE);
		if (zone)
			c->zone = arena_strdup(r->arena, zone);
	}
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		struct family_config *family = &c->families[f];
		family->family = f == PROXY_V6 ? NET_V6 : NET_V4;
		family->used = node_address(r->node, family->family, &family->node_ip);
		if (!family->used)
			net_addr_parse(f == PROXY_V6 ? "::1" : "127.0.0.1", &family->node_ip);
	}
	if (r->given && r->given->bind_address && net_addr_parse(r->given->bind_address, &bind) &&
	    !net_addr_is_unspecified(&bind)) {
		c->families[family_index(bind.family)].node_ip = bind;
		c->families[family_index(bind.family)].used = true;
	}
}

/* ---- detection of local traffic ------------------------------------------------ */

static int detect_cidr(struct reading *r, const char *field, const char *text)
{
	struct net_prefix p;
	char out[NET_ADDR_TEXT];
	if (!lenient_prefix(text, &p))
		return bad(r, field, text, "ranges like 10.244.0.0/16 separated by commas");
	struct local_detector *d = &r->out->families[family_index(p.addr.family)].detect;
	if (r->out->version >= KUBE_1_30)
		p = net_prefix_masked(&p);
	if (d->kind == DETECT_NONE) {
		d->kind = DETECT_CIDR;
		d->text = arena_strdup(r->arena, net_prefix_text(&p, out));
	}
	return 0;
}

static int detect_cidrs(struct reading *r, const char *field, const char *list)
{
	char *text = arena_strdup(r->arena, list), *save = NULL;
	int code = 0;
	for (char *one = strtok_r(text, ", ", &save); one && !code;
	     one = strtok_r(NULL, ", ", &save))
		code = detect_cidr(r, field, one);
	return code;
}

static int detect_interface(struct reading *r, enum detect_kind kind, const char *field,
			    const char *name)
{
	if (!name || !*name)
		return bad(r, field, "", "a name, which this detectLocalMode needs");
	for (unsigned f = 0; f < PROXY_FAMILIES; f++)
		r->out->families[f].detect =
			(struct local_detector){ kind, arena_strdup(r->arena, name) };
	return 0;
}

static int read_detector(struct reading *r)
{
	const char *mode = r->given && r->given->detect_local_mode ? r->given->detect_local_mode : "";
	const char *cluster = r->given ? r->given->cluster_cidr : NULL;
	if (!r->given && r->cluster)
		cluster = r->cluster->pod_subnet;
	if (kube_is(mode, "BridgeInterface"))
		return detect_interface(r, DETECT_BRIDGE, "detectLocal.bridgeInterface",
					r->given->detect_local.bridge_interface);
	if (kube_is(mode, "InterfaceNamePrefix"))
		return detect_interface(r, DETECT_PREFIX, "detectLocal.interfaceNamePrefix",
					r->given->detect_local.interface_name_prefix);
	if (kube_is(mode, "NodeCIDR")) {
		int code = 0;
		if (!r->node)
			return 0;
		for (uint32_t i = 0; i < r->node->spec.pod_cidrs.count && !code; i++)
			code = detect_cidr(r, "spec.podCIDRs of the Node",
					   r->node->spec.pod_cidrs.items[i]);
		if (!r->node->spec.pod_cidrs.count && r->node->spec.pod_cidr &&
		    *r->node->spec.pod_cidr)
			code = detect_cidr(r, "spec.podCIDR of the Node", r->node->spec.pod_cidr);
		return code;
	}
	if (*mode && !kube_is(mode, "ClusterCIDR"))
		return bad(r, "detectLocalMode", mode,
			   "ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix");
	return cluster ? detect_cidrs(r, "clusterCIDR", cluster) : 0;
}

/* ---- node port addresses --------------------------------------------------------- */

static int compare_addr_text(const void *a, const void *b)
{
	char ta[NET_ADDR_TEXT], tb[NET_ADDR_TEXT];
	return strcmp(net_addr_text(a, ta), net_addr_text(b, tb));
}

static bool prefixes_contain(const struct prefix_list *list, const struct net_addr *a)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (net_prefix_contains(&list->items[i], a))
			return true;
	return false;
}

static void match_node_addresses(struct reading *r, struct family_config *family)
{
	const struct proxy_view *v = r->view;
	struct addr_list *ips = &family->node_port_ips;
	struct addr_list *all = &family->node_addrs;
	ips->items = arena_array(r->arena, v->node_addr_count + 1, sizeof *ips->items);
	all->items = arena_array(r->arena, v->node_addr_count + 1, sizeof *all->items);
	for (uint32_t i = 0; i < v->node_addr_count; i++) {
		const struct net_addr *a = &v->node_addrs[i].addr;
		const char *dev = v->node_addr_devs ? v->node_addr_devs[i] : "";
		if (a->family != family->family || kube_is(dev, "kube-ipvs0"))
			continue;
		all->items[all->count++] = *a;
		if (family->node_port_all || prefixes_contain(&family->node_port_cidrs, a))
			ips->items[ips->count++] = *a;
	}
	qsort(ips->items, ips->count, sizeof *ips->items, compare_addr_text);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < ips->count; i++)
		if (!kept || !net_addr_equal(&ips->items[kept - 1], &ips->items[i]))
			ips->items[kept++] = ips->items[i];
	ips->count = kept;
}

static void finish_node_ports(struct reading *r, struct family_config *family)
{
	struct net_addr start;
	net_addr_parse("127.0.0.0", &start);
	if (!family->node_port_cidrs.count)
		family->node_port_all = family->node_port_loopback = true;
	for (uint32_t i = 0; i < family->node_port_cidrs.count; i++) {
		struct net_prefix given = family->node_port_cidrs.items[i];
		struct net_prefix p = net_prefix_masked(&given);
		/* v1.30 compares texts: 10.0.0.0/0 is not 0.0.0.0/0 there. */
		if (p.bits == 0 && (r->out->version >= KUBE_1_34 ||
				    net_addr_is_unspecified(&given.addr)))
			family->node_port_all = true;
		if (family->family == NET_V4 &&
		    (net_addr_is_loopback(&p.addr) || net_prefix_contains(&p, &start)))
			family->node_port_loopback = true;
	}
	match_node_addresses(r, family);
}

static void add_primary(struct reading *r, struct family_config *family)
{
	struct net_prefix p = { family->node_ip, (uint8_t)net_family_bits(family->family) };
	add_prefix(r->arena, &family->node_port_cidrs, &p);
}

static int read_node_ports(struct reading *r, const char *mode)
{
	struct proxy_config *c = r->out;
	uint32_t count = r->given ? r->given->node_port_addresses.count : 0;
	bool primary = kube_is(mode, "nftables") && c->version >= KUBE_1_34 && !count;
	for (uint32_t i = 0; i < count; i++) {
		const char *text = r->given->node_port_addresses.items[i];
		struct net_prefix p;
		if (kube_is(text, "primary") && c->version >= KUBE_1_34 && count == 1) {
			primary = true;
			continue;
		}
		if (!lenient_prefix(text, &p))
			return bad(r, "nodePortAddresses", text,
				   c->version >= KUBE_1_34 ? "ranges like 10.0.0.0/8, or primary alone" :
							     "ranges like 10.0.0.0/8");
		add_prefix(r->arena, &c->families[family_index(p.addr.family)].node_port_cidrs, &p);
	}
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		struct family_config *family = &c->families[f];
		/* v1.30's nftables mode: an empty list of the family is the node's IP. The word
		 * `primary` leaves a family alone in which the node has none: all its addresses. */
		if ((primary && !net_addr_is_loopback(&family->node_ip)) ||
		    (kube_is(mode, "nftables") && c->version < KUBE_1_34 &&
		     !family->node_port_cidrs.count))
			add_primary(r, family);
		finish_node_ports(r, family);
	}
	return 0;
}

/* ---- the rest ----------------------------------------------------------------------- */

static int duration(struct reading *r, const char *field, const char *text, int64_t zero,
		    int64_t *out)
{
	*out = zero;
	if (!text || !*text)
		return 0;
	if (!kube_duration_parse(text, out) || *out < 0)
		return bad(r, field, text, "a duration like 1m30s");
	if (*out == 0)
		*out = zero;
	return 0;
}

static int masquerade(struct reading *r, const char *field, const struct opt_int *bit,
		      enum kube_tri all)
{
	int64_t value = bit && bit->set ? bit->value : MASQUERADE_BIT;
	char text[24];
	if (value < 0 || value > 31) {
		snprintf(text, sizeof text, "%lld", (long long)value);
		return bad(r, field, text, "a bit number from 0 to 31");
	}
	r->out->masquerade_mark = UINT32_C(1) << value;
	r->out->masquerade_all = all == TRI_TRUE;
	return 0;
}

static int read_section(struct reading *r, const char *mode)
{
	const struct kube_proxy_configuration *g = r->given;
	struct proxy_config *c = r->out;
	bool nft = kube_is(mode, "nftables"), ipvs = kube_is(mode, "ipvs");
	const char *min = NULL, *sync = NULL;
	int code;
	if (g) {
		min = nft ? g->nftables.min_sync_period :
		      ipvs ? g->ipvs.min_sync_period : g->iptables.min_sync_period;
		sync = nft ? g->nftables.sync_period :
		       ipvs ? g->ipvs.sync_period : g->iptables.sync_period;
	}
	/* Only ipvs has no default for minSyncPeriod. */
	code = duration(r, "minSyncPeriod", min, ipvs ? 0 : NS_PER_S, &c->min_sync_ns);
	if (!code)
		code = duration(r, "syncPeriod", sync, 30 * NS_PER_S, &c->sync_ns);
	if (!code && g && nft)
		code = masquerade(r, "nftables.masqueradeBit", &g->nftables.masquerade_bit,
				  g->nftables.masquerade_all);
	else if (!code)
		code = masquerade(r, "iptables.masqueradeBit",
				  g && !nft ? &g->iptables.masquerade_bit : NULL,
				  g && !nft ? g->iptables.masquerade_all : TRI_UNSET);
	c->localhost_node_ports = !g || g->iptables.localhost_node_ports != TRI_FALSE;
	return code;
}

static int read_ipvs(struct reading *r)
{
	static const char *const schedulers[] = { "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh",
						  "dh", "sed", "nq", "mh", "fo", "ovf" };
	const struct kube_proxy_configuration *g = r->given;
	struct proxy_config *c = r->out;
	bool known = false;
	c->scheduler = "rr";
	if (g && g->ipvs.scheduler && *g->ipvs.scheduler)
		c->scheduler = arena_strdup(r->arena, g->ipvs.scheduler);
	for (unsigned i = 0; i < sizeof schedulers / sizeof *schedulers; i++)
		known |= kube_is(c->scheduler, schedulers[i]);
	if (!known)
		return bad(r, "ipvs.scheduler", c->scheduler,
			   "rr, wrr, lc, wlc, lblc, lblcr, sh, dh, sed, nq, mh, fo or ovf");
	if (!g)
		return 0;
	c->strict_arp = g->ipvs.strict_arp == TRI_TRUE;
	for (uint32_t i = 0; i < g->ipvs.exclude_cidrs.count; i++) {
		struct net_prefix p;
		if (!net_prefix_parse(g->ipvs.exclude_cidrs.items[i], &p))
			return bad(r, "ipvs.excludeCIDRs", g->ipvs.exclude_cidrs.items[i],
				   "ranges like 10.0.0.0/8");
		add_prefix(r->arena, &c->exclude_cidrs, &p);
	}
	int code = duration(r, "ipvs.tcpTimeout", g->ipvs.tcp_timeout, 0, &c->tcp_timeout_ns);
	if (!code)
		code = duration(r, "ipvs.tcpFinTimeout", g->ipvs.tcp_fin_timeout, 0,
				&c->tcp_fin_timeout_ns);
	if (!code)
		code = duration(r, "ipvs.udpTimeout", g->ipvs.udp_timeout, 0, &c->udp_timeout_ns);
	return code;
}

/* Unlike elsewhere a zero that is given counts: it leaves the kernel's value alone. */
static int conntrack_time(struct reading *r, const char *field, const char *text, int64_t missing,
			  int64_t *out)
{
	*out = missing;
	return text && *text ? duration(r, field, text, 0, out) : 0;
}

/* Conntrack's size by the node's cores, and its timeouts (setDefaults, getConntrackMax). */
static int read_conntrack(struct reading *r)
{
	const struct kube_proxy_configuration *g = r->given;
	struct proxy_config *c = r->out;
	bool newer = c->version >= KUBE_1_30; /* options of v1.29 */
	const char *cpu = r->node ? kube_map_get(&r->node->status.capacity, "cpu") : NULL;
	int64_t cores = 0;
	if (!cpu || !kube_quantity_parse(cpu, &cores))
		cores = 1000;
	int64_t per_core = g && g->conntrack.max_per_core.set ? g->conntrack.max_per_core.value
							      : CONNTRACK_PER_CORE;
	int64_t least = g && g->conntrack.min.set ? g->conntrack.min.value : CONNTRACK_MIN;
	if (per_core < 0 || per_core > INT32_MAX || least < 0 || least > INT32_MAX)
		return bad(r, "conntrack.maxPerCore or conntrack.min", "out of range",
			   "a number from 0");
	if (per_core)
		c->conntrack_max = per_core * (cores / 1000) > least ? per_core * (cores / 1000) : least;
	int code = conntrack_time(r, "conntrack.tcpEstablishedTimeout",
				  g ? g->conntrack.tcp_established_timeout : NULL, 86400 * NS_PER_S,
				  &c->tcp_established_ns);
	if (!code)
		code = conntrack_time(r, "conntrack.tcpCloseWaitTimeout",
				      g ? g->conntrack.tcp_close_wait_timeout : NULL, 3600 * NS_PER_S,
				      &c->tcp_close_wait_ns);
	if (!code && newer)
		code = conntrack_time(r, "conntrack.udpTimeout", g ? g->conntrack.udp_timeout : NULL,
				      0, &c->udp_flow_ns);
	if (!code && newer)
		code = conntrack_time(r, "conntrack.udpStreamTimeout",
				      g ? g->conntrack.udp_stream_timeout : NULL, 0,
				      &c->udp_stream_ns);
	return code;
}

static void add_service_cidr(struct reading *r, const char *text)
{
	struct net_prefix p;
	if (!net_prefix_parse(text, &p))
		return;
	struct prefix_list *list = &r->out->families[family_index(p.addr.family)].service_cidrs;
	p = net_prefix_masked(&p);
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].bits == p.bits && net_addr_equal(&list->items[i].addr, &p.addr))
			return;
	add_prefix(r->arena, list, &p);
}

/* ServiceCIDR objects; the API server of v1.33 on makes one from kubeadm's serviceSubnet. */
static void read_service_cidrs(struct reading *r)
{
	const struct kube_object *o;
	bool any = false;
	for (uint32_t i = 0;
	     (o = kube_store_next(r->view->store, KIND_SERVICE_CIDR, NULL, &i)) != NULL;) {
		const struct kube_service_cidr *s = (const struct kube_service_cidr *)o;
		any = true;
		for (uint32_t k = 0; k < s->cidrs.count; k++)
			add_service_cidr(r, s->cidrs.items[k]);
	}
	if (any || !r->cluster || !r->cluster->service_subnet)
		return;
	char *text = arena_strdup(r->arena, r->cluster->service_subnet), *save = NULL;
	for (char *one = strtok_r(text, ", ", &save); one; one = strtok_r(NULL, ", ", &save))
		add_service_cidr(r, one);
}

static void read_healthz(struct reading *r)
{
	const char *bind = r->given ? r->given->healthz_bind_address : NULL;
	const char *colon = bind ? strrchr(bind, ':') : NULL;
	struct net_addr whole;
	r->out->healthz_port = HEALTHZ_PORT;
	if (colon && !net_addr_parse(bind, &whole))
		r->out->healthz_port = (uint16_t)strtoul(colon + 1, NULL, 10);
}

int proxy_config_read(const struct proxy_view *view, const char *mode, struct arena *a,
		      struct proxy_config *out, struct err *err)
{
	struct reading r = { .view = view, .arena = a, .out = out, .err = err };
	int code;
	*out = (struct proxy_config){ .version = view->version, .node = arena_strdup(a, view->node),
				      .has_nfacct = view->has_nfacct,
				      .be_liberal = view->conntrack_be_liberal };
	r.given = (const void *)only(view->store, KIND_KUBE_PROXY_CONFIGURATION);
	r.cluster = (const void *)only(view->store, KIND_CLUSTER_CONFIGURATION);
	r.node = (const void *)kube_store_get(view->store, KIND_NODE, "", view->node);
	read_node(&r);
	read_service_cidrs(&r);
	read_healthz(&r);
	code = read_detector(&r);
	if (!code)
		code = read_node_ports(&r, mode);
	if (!code)
		code = read_section(&r, mode);
	if (!code)
		code = read_ipvs(&r);
	if (!code)
		code = read_conntrack(&r);
	if (!code)
		code = duration(&r, "udpIdleTimeout", r.given ? r.given->udp_idle_timeout : NULL,
				250 * NS_PER_MS, &out->udp_idle_ns);
	return code;
}
