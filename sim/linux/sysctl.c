/* linux/sysctl.c: the sysctls that the model knows, with Linux 6.1's defaults.
 *
 * Those below net.ipv4.vs and a few others have no effect in this file's layer; they
 * are kept for whoever reads them by name. Timeouts are in seconds, except
 * icmp_ratelimit (milliseconds). A name that is not here gives ENOENT.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/conntrack.h"
#include "linux/internal.h"

struct known {
	const char *name;
	int64_t value; /* default */
};

#define CT "net.netfilter.nf_conntrack_"
static const struct known known[] = {
	[SYSCTL_ICMP_RATELIMIT] = { "net.ipv4.icmp_ratelimit", 1000 },
	[SYSCTL_ICMP_RATEMASK] = { "net.ipv4.icmp_ratemask", 6168 },
	[SYSCTL_ICMP_ECHO_IGNORE_ALL] = { "net.ipv4.icmp_echo_ignore_all", 0 },
	[SYSCTL_ICMP_MSGS_PER_SEC] = { "net.ipv4.icmp_msgs_per_sec", 1000 },
	[SYSCTL_ICMP_MSGS_BURST] = { "net.ipv4.icmp_msgs_burst", 50 },
	[SYSCTL_ICMP6_RATELIMIT] = { "net.ipv6.icmp.ratelimit", 1000 },
	[SYSCTL_DEFAULT_TTL] = { "net.ipv4.ip_default_ttl", 64 },
	[SYSCTL_SYN_RETRIES] = { "net.ipv4.tcp_syn_retries", 6 },
	[SYSCTL_SYNACK_RETRIES] = { "net.ipv4.tcp_synack_retries", 5 },
	[SYSCTL_RETRIES2] = { "net.ipv4.tcp_retries2", 15 },
	[SYSCTL_SYN_LINEAR] = { "net.ipv4.tcp_syn_linear_timeouts", 0 },
	[SYSCTL_NONLOCAL_BIND] = { "net.ipv4.ip_nonlocal_bind", 0 },
	[SYSCTL_BRIDGE_NF4] = { "net.bridge.bridge-nf-call-iptables", 1 },
	[SYSCTL_BRIDGE_NF6] = { "net.bridge.bridge-nf-call-ip6tables", 1 },
	[SYSCTL_CT_MAX] = { CT "max", 262144 },
	[SYSCTL_CT_GENERIC] = { CT "generic_timeout", 600 },
	[SYSCTL_CT_ICMP] = { CT "icmp_timeout", 30 },
	[SYSCTL_CT_ICMP6] = { CT "icmpv6_timeout", 30 },
	[SYSCTL_CT_UDP] = { CT "udp_timeout", 30 },
	[SYSCTL_CT_UDP_STREAM] = { CT "udp_timeout_stream", 120 },
	[SYSCTL_CT_TCP_SYN_SENT] = { CT "tcp_timeout_syn_sent", 120 },
	[SYSCTL_CT_TCP_SYN_RECV] = { CT "tcp_timeout_syn_recv", 60 },
	[SYSCTL_CT_TCP_ESTABLISHED] = { CT "tcp_timeout_established", 432000 },
	[SYSCTL_CT_TCP_FIN_WAIT] = { CT "tcp_timeout_fin_wait", 120 },
	[SYSCTL_CT_TCP_CLOSE_WAIT] = { CT "tcp_timeout_close_wait", 60 },
	[SYSCTL_CT_TCP_LAST_ACK] = { CT "tcp_timeout_last_ack", 30 },
	[SYSCTL_CT_TCP_TIME_WAIT] = { CT "tcp_timeout_time_wait", 120 },
	[SYSCTL_CT_TCP_CLOSE] = { CT "tcp_timeout_close", 10 },
	[SYSCTL_CT_TCP_RETRANS] = { CT "tcp_timeout_max_retrans", 300 },
	[SYSCTL_CT_TCP_UNACK] = { CT "tcp_timeout_unacknowledged", 300 },
	[SYSCTL_CT_TCP_LOOSE] = { CT "tcp_loose", 1 },
	[SYSCTL_CT_TCP_LIBERAL] = { CT "tcp_be_liberal", 0 },
	[SYSCTL_CT_TCP_MAX_RETRANS] = { CT "tcp_max_retrans", 3 },
	[SYSCTL_CT_TCP_IGNORE_INVALID_RST] = { CT "tcp_ignore_invalid_rst", 0 },
	[SYSCTL_CT_SCTP_CLOSED] = { CT "sctp_timeout_closed", 10 },
	[SYSCTL_CT_SCTP_COOKIE_WAIT] = { CT "sctp_timeout_cookie_wait", 3 },
	[SYSCTL_CT_SCTP_COOKIE_ECHOED] = { CT "sctp_timeout_cookie_echoed", 3 },
	[SYSCTL_CT_SCTP_ESTABLISHED] = { CT "sctp_timeout_established", 210 },
	[SYSCTL_CT_SCTP_SHUTDOWN_SENT] = { CT "sctp_timeout_shutdown_sent", 3 },
	[SYSCTL_CT_SCTP_SHUTDOWN_RECD] = { CT "sctp_timeout_shutdown_recd", 3 },
	[SYSCTL_CT_SCTP_SHUTDOWN_ACK_SENT] = { CT "sctp_timeout_shutdown_ack_sent", 3 },
	[SYSCTL_CT_SCTP_HEARTBEAT_SENT] = { CT "sctp_timeout_heartbeat_sent", 30 },
	[SYSCTL_NAMED] = { CT "buckets", 262144 },
	{ "net.ipv4.vs.conntrack", 0 },
	{ "net.ipv4.vs.conn_reuse_mode", 1 },
	{ "net.ipv4.vs.expire_nodest_conn", 0 },
	{ "net.ipv4.vs.expire_quiescent_template", 0 },
	{ "net.ipv4.vs.snat_reroute", 1 },
	{ "net.ipv4.vs.nat_icmp_send", 0 },
	{ "net.ipv4.vs.sloppy_tcp", 0 },
	{ "net.ipv4.vs.sloppy_sctp", 0 },
	{ "net.ipv4.vs.schedule_icmp", 0 },
	{ "net.ipv4.vs.cache_bypass", 0 },
	{ "net.ipv4.vs.ignore_tunneled", 0 },
	{ "net.ipv4.vs.drop_entry", 0 },
	{ "net.ipv4.vs.drop_packet", 0 },
	{ "net.ipv4.vs.secure_tcp", 0 },
	{ "net.ipv4.vs.pmtu_disc", 1 },
	{ "net.ipv4.vs.backup_only", 0 },
	{ "net.ipv4.vs.run_estimation", 1 },
};
#undef CT
#define KNOWN_COUNT (sizeof known / sizeof *known)

static const struct {
	const char *name;
	enum conf_key key;
	uint8_t family;
} conf_names[] = {
	{ "forwarding", CONF_FORWARDING, NET_V4 },
	{ "rp_filter", CONF_RP_FILTER, NET_V4 },
	{ "route_localnet", CONF_ROUTE_LOCALNET, NET_V4 },
	{ "accept_local", CONF_ACCEPT_LOCAL, NET_V4 },
	{ "arp_ignore", CONF_ARP_IGNORE, NET_V4 },
	{ "arp_announce", CONF_ARP_ANNOUNCE, NET_V4 },
	{ "proxy_arp", CONF_PROXY_ARP, NET_V4 },
	{ "forwarding", CONF6_FORWARDING, NET_V6 },
	{ "proxy_ndp", CONF6_PROXY_NDP, NET_V6 },
};

int conf_of(const struct iface *f, enum conf_key key)
{
	int all = f->ns->conf_all[key], own = f->conf[key];
	switch (key) {
	case CONF_RP_FILTER:
	case CONF_ARP_IGNORE:
	case CONF_ARP_ANNOUNCE:
		return all > own ? all : own;
	case CONF_FORWARDING:
		return own;
	case CONF6_FORWARDING:
		return all;
	default:
		return all || own;
	}
}

bool netns_forwarding(const struct netns *ns, uint8_t family)
{
	return ns->conf_all[family == NET_V4 ? CONF_FORWARDING : CONF6_FORWARDING] != 0;
}

int64_t sysctl_value(const struct netns *ns, enum sysctl_key key)
{
	return ns->sysctls ? ns->sysctls[key] : known[key].value;
}

/* "net.ipv4.conf.DEV.KEY": the slot; NULL: no such name. *everywhere: the change of
 * `all` reaches every interface, as forwarding does. */
static int16_t *conf_slot(struct netns *ns, const char *name, enum conf_key *key,
			  bool *everywhere)
{
	static const char prefix4[] = "net.ipv4.conf.", prefix6[] = "net.ipv6.conf.";
	uint8_t family = strncmp(name, prefix4, sizeof prefix4 - 1) == 0   ? NET_V4
			 : strncmp(name, prefix6, sizeof prefix6 - 1) == 0 ? NET_V6
									   : NET_NONE;
	const char *dev = name + sizeof prefix4 - 1, *last = strrchr(name, '.');
	char dev_name[IFACE_NAME_BYTES + 8];
	if (family == NET_NONE || last <= dev || (size_t)(last - dev) >= sizeof dev_name)
		return NULL;
	memcpy(dev_name, dev, (size_t)(last - dev));
	dev_name[last - dev] = '\0';
	for (size_t i = 0; i < sizeof conf_names / sizeof *conf_names; i++) {
		if (conf_names[i].family != family || strcmp(conf_names[i].name, last + 1) != 0)
			continue;
		*key = conf_names[i].key;
		*everywhere = strcmp(dev_name, "all") == 0 &&
			      (*key == CONF_FORWARDING || *key == CONF6_FORWARDING);
		if (strcmp(dev_name, "all") == 0)
			return &ns->conf_all[*key];
		if (strcmp(dev_name, "default") == 0)
			return &ns->conf_default[*key];
		struct iface *f = iface_find(ns, netns_iface_by_name(ns, dev_name));
		return f ? &f->conf[*key] : NULL;
	}
	return NULL;
}

static const char *alias_of(const char *name)
{
	return strcmp(name, "net.ipv4.ip_forward") == 0 ? "net.ipv4.conf.all.forwarding" : name;
}

static size_t known_find(const char *name)
{
	size_t i = 0;
	while (i < KNOWN_COUNT && strcmp(known[i].name, name) != 0)
		i++;
	return i;
}

int netns_sysctl_set(struct netns *ns, const char *name, int64_t value)
{
	enum conf_key key;
	bool everywhere;
	int16_t *slot = conf_slot(ns, alias_of(name), &key, &everywhere);
	if (slot) {
		if (value < INT16_MIN || value > INT16_MAX)
			return EINVAL;
		*slot = (int16_t)value;
		if (everywhere) {
			ns->conf_default[key] = (int16_t)value;
			for (uint32_t i = 0; i < ns->iface_count; i++)
				ns->ifaces[i]->conf[key] = (int16_t)value;
		}
		return 0;
	}
	size_t at = known_find(name);
	if (at == KNOWN_COUNT)
		return strcmp(name, "net.netfilter.nf_conntrack_count") == 0 ? EACCES : ENOENT;
	if (value < INT32_MIN || value > UINT32_MAX)
		return EINVAL;
	if (!ns->sysctls) {
		ns->sysctls = mem_array(KNOWN_COUNT, sizeof *ns->sysctls);
		for (size_t i = 0; i < KNOWN_COUNT; i++)
			ns->sysctls[i] = known[i].value;
	}
	ns->sysctls[at] = value;
	return 0;
}

int netns_sysctl_get(const struct netns *ns, const char *name, int64_t *value)
{
	enum conf_key key;
	bool everywhere;
	/* The slot is only read. */
	const int16_t *slot = conf_slot((struct netns *)(uintptr_t)ns, alias_of(name), &key,
					&everywhere);
	if (slot) {
		*value = *slot;
		return 0;
	}
	if (strcmp(name, "net.netfilter.nf_conntrack_count") == 0) {
		const struct conntrack *ct = netns_conntrack_if_any(ns);
		*value = ct ? conntrack_count(ct) : 0;
		return 0;
	}
	size_t at = known_find(name);
	if (at == KNOWN_COUNT)
		return ENOENT;
	*value = ns->sysctls ? ns->sysctls[at] : known[at].value;
	return 0;
}
