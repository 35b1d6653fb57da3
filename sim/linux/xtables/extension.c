/* linux/xtables/extension.c: the table of matches and targets. */
#include "linux/xtables/internal.h"

#include <string.h>

static const struct xt_extension *const by_kind[XT_KINDS] = {
	[XT_M_ADDRTYPE] = &xt_match_addrtype,
	[XT_M_COMMENT] = &xt_match_comment,
	[XT_M_CONNMARK] = &xt_match_connmark,
	[XT_M_CONNTRACK] = &xt_match_conntrack,
	[XT_M_DSCP] = &xt_match_dscp,
	[XT_M_ICMP] = &xt_match_icmp,
	[XT_M_ICMP6] = &xt_match_icmp6,
	[XT_M_IPVS] = &xt_match_ipvs,
	[XT_M_LIMIT] = &xt_match_limit,
	[XT_M_MAC] = &xt_match_mac,
	[XT_M_MARK] = &xt_match_mark,
	[XT_M_MULTIPORT] = &xt_match_multiport,
	[XT_M_NFACCT] = &xt_match_nfacct,
	[XT_M_OWNER] = &xt_match_owner,
	[XT_M_PHYSDEV] = &xt_match_physdev,
	[XT_M_RECENT] = &xt_match_recent,
	[XT_M_RPFILTER] = &xt_match_rpfilter,
	[XT_M_SCTP] = &xt_match_sctp,
	[XT_M_SET] = &xt_match_set,
	[XT_M_STATE] = &xt_match_state,
	[XT_M_STATISTIC] = &xt_match_statistic,
	[XT_M_TCP] = &xt_match_tcp,
	[XT_M_TOS] = &xt_match_tos,
	[XT_M_UDP] = &xt_match_udp,
	[XT_T_ACCEPT] = &xt_target_accept,
	[XT_T_CHECKSUM] = &xt_target_checksum,
	[XT_T_CONNMARK] = &xt_target_connmark,
	[XT_T_CT] = &xt_target_ct,
	[XT_T_DNAT] = &xt_target_dnat,
	[XT_T_DROP] = &xt_target_drop,
	[XT_T_DSCP] = &xt_target_dscp,
	[XT_T_LOG] = &xt_target_log,
	[XT_T_MARK] = &xt_target_mark,
	[XT_T_MASQUERADE] = &xt_target_masquerade,
	[XT_T_NETMAP] = &xt_target_netmap,
	[XT_T_NFLOG] = &xt_target_nflog,
	[XT_T_NOTRACK] = &xt_target_notrack,
	[XT_T_QUEUE] = &xt_target_queue,
	[XT_T_REDIRECT] = &xt_target_redirect,
	[XT_T_REJECT] = &xt_target_reject,
	[XT_T_RETURN] = &xt_target_return,
	[XT_T_SNAT] = &xt_target_snat,
	[XT_T_TCPMSS] = &xt_target_tcpmss,
	[XT_T_TOS] = &xt_target_tos,
	[XT_T_TRACE] = &xt_target_trace,
};

/* Targets of iptables 1.8.9 that are not evaluated here. */
static const char *const foreign[] = {
	"AUDIT", "CLASSIFY", "CLUSTERIP", "CONNSECMARK", "DNPT", "ECN", "HL", "HMARK",
	"IDLETIMER", "LED", "NFQUEUE", "RATEEST", "SECMARK", "SET", "SNPT", "SYNPROXY",
	"TCPOPTSTRIP", "TEE", "TPROXY", "TTL", "ULOG",
};

static const struct xt_extension *find(uint8_t first, uint8_t end, const char *name,
				       uint8_t family)
{
	uint8_t bit = family == NET_V6 ? 2 : 1;
	for (uint8_t k = first; k < end; k++)
		if (by_kind[k] && (by_kind[k]->families & bit) && strcmp(by_kind[k]->name, name) == 0)
			return by_kind[k];
	return NULL;
}

const struct xt_extension *extension_match(const char *name, uint8_t family)
{
	if (strcmp(name, "icmpv6") == 0 || strcmp(name, "ipv6-icmp") == 0)
		name = "icmp6";
	return find(XT_M_ADDRTYPE, XT_M_UNKNOWN, name, family);
}

const struct xt_extension *extension_target(const char *name, uint8_t family)
{
	return find(XT_T_NONE, XT_T_UNKNOWN, name, family);
}

const struct xt_extension *extension_of(uint8_t kind)
{
	return by_kind[kind];
}

bool extension_is_foreign_target(const char *name)
{
	for (unsigned i = 0; i < sizeof foreign / sizeof *foreign; i++)
		if (strcmp(foreign[i], name) == 0)
			return true;
	return false;
}

const struct xt_extension *extension_for_proto(uint8_t proto, uint8_t family)
{
	switch (proto) {
	case PROTO_TCP:
		return &xt_match_tcp;
	case PROTO_UDP:
		return &xt_match_udp;
	case PROTO_SCTP:
		return &xt_match_sctp;
	case PROTO_ICMP:
		return family == NET_V4 ? &xt_match_icmp : NULL;
	case PROTO_ICMP6:
		return family == NET_V6 ? &xt_match_icmp6 : NULL;
	default:
		return NULL;
	}
}
