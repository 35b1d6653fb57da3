/* linux/nft/fields.c: header fields, meta and ct keys by name. Offsets: the RFCs' headers,
 * as src/proto.c of nft 1.0.6 names them. */
#include "linux/nft/internal.h"

#include <string.h>

static const struct nft_payload fields[] = {
	{ "ether", "saddr", NH_ETHER, NT_ETHER, 48, 48 },
	{ "ether", "daddr", NH_ETHER, NT_ETHER, 0, 48 },
	{ "ether", "type", NH_ETHER, NT_ETHER_TYPE, 96, 16 },
	{ "ip", "version", NH_IP, NT_INTEGER, 0, 4 },
	{ "ip", "hdrlength", NH_IP, NT_INTEGER, 4, 4 },
	{ "ip", "dscp", NH_IP, NT_DSCP, 8, 6 },
	{ "ip", "ecn", NH_IP, NT_ECN, 14, 2 },
	{ "ip", "length", NH_IP, NT_INTEGER, 16, 16 },
	{ "ip", "id", NH_IP, NT_INTEGER, 32, 16 },
	{ "ip", "frag-off", NH_IP, NT_INTEGER, 48, 16 },
	{ "ip", "ttl", NH_IP, NT_INTEGER, 64, 8 },
	{ "ip", "protocol", NH_IP, NT_PROTO, 72, 8 },
	{ "ip", "checksum", NH_IP, NT_INTEGER, 80, 16 },
	{ "ip", "saddr", NH_IP, NT_IPV4, 96, 32 },
	{ "ip", "daddr", NH_IP, NT_IPV4, 128, 32 },
	{ "ip6", "version", NH_IP6, NT_INTEGER, 0, 4 },
	{ "ip6", "dscp", NH_IP6, NT_DSCP, 4, 6 },
	{ "ip6", "ecn", NH_IP6, NT_ECN, 10, 2 },
	{ "ip6", "flowlabel", NH_IP6, NT_INTEGER, 12, 20 },
	{ "ip6", "length", NH_IP6, NT_INTEGER, 32, 16 },
	{ "ip6", "nexthdr", NH_IP6, NT_PROTO, 48, 8 },
	{ "ip6", "hoplimit", NH_IP6, NT_INTEGER, 56, 8 },
	{ "ip6", "saddr", NH_IP6, NT_IPV6, 64, 128 },
	{ "ip6", "daddr", NH_IP6, NT_IPV6, 192, 128 },
	{ "tcp", "sport", NH_TCP, NT_SERVICE, 0, 16 },
	{ "tcp", "dport", NH_TCP, NT_SERVICE, 16, 16 },
	{ "tcp", "sequence", NH_TCP, NT_INTEGER, 32, 32 },
	{ "tcp", "ackseq", NH_TCP, NT_INTEGER, 64, 32 },
	{ "tcp", "doff", NH_TCP, NT_INTEGER, 96, 4 },
	{ "tcp", "reserved", NH_TCP, NT_INTEGER, 100, 4 },
	{ "tcp", "flags", NH_TCP, NT_TCP_FLAG, 104, 8 },
	{ "tcp", "window", NH_TCP, NT_INTEGER, 112, 16 },
	{ "tcp", "checksum", NH_TCP, NT_INTEGER, 128, 16 },
	{ "tcp", "urgptr", NH_TCP, NT_INTEGER, 144, 16 },
	{ "udp", "sport", NH_UDP, NT_SERVICE, 0, 16 },
	{ "udp", "dport", NH_UDP, NT_SERVICE, 16, 16 },
	{ "udp", "length", NH_UDP, NT_INTEGER, 32, 16 },
	{ "udp", "checksum", NH_UDP, NT_INTEGER, 48, 16 },
	{ "udplite", "sport", NH_UDPLITE, NT_SERVICE, 0, 16 },
	{ "udplite", "dport", NH_UDPLITE, NT_SERVICE, 16, 16 },
	{ "udplite", "checksum", NH_UDPLITE, NT_INTEGER, 48, 16 },
	{ "dccp", "sport", NH_DCCP, NT_SERVICE, 0, 16 },
	{ "dccp", "dport", NH_DCCP, NT_SERVICE, 16, 16 },
	{ "sctp", "sport", NH_SCTP, NT_SERVICE, 0, 16 },
	{ "sctp", "dport", NH_SCTP, NT_SERVICE, 16, 16 },
	{ "sctp", "vtag", NH_SCTP, NT_INTEGER, 32, 32 },
	{ "sctp", "checksum", NH_SCTP, NT_INTEGER, 64, 32 },
	{ "th", "sport", NH_TH, NT_SERVICE, 0, 16 },
	{ "th", "dport", NH_TH, NT_SERVICE, 16, 16 },
	{ "icmp", "type", NH_ICMP, NT_ICMP_TYPE, 0, 8 },
	{ "icmp", "code", NH_ICMP, NT_ICMP_CODE, 8, 8 },
	{ "icmp", "checksum", NH_ICMP, NT_INTEGER, 16, 16 },
	{ "icmp", "id", NH_ICMP, NT_INTEGER, 32, 16 },
	{ "icmp", "sequence", NH_ICMP, NT_INTEGER, 48, 16 },
	{ "icmp", "mtu", NH_ICMP, NT_INTEGER, 48, 16 },
	{ "icmp", "gateway", NH_ICMP, NT_INTEGER, 32, 32 },
	{ "icmpv6", "type", NH_ICMPV6, NT_ICMPV6_TYPE, 0, 8 },
	{ "icmpv6", "code", NH_ICMPV6, NT_ICMPV6_CODE, 8, 8 },
	{ "icmpv6", "checksum", NH_ICMPV6, NT_INTEGER, 16, 16 },
	{ "icmpv6", "parameter-problem", NH_ICMPV6, NT_INTEGER, 32, 32 },
	{ "icmpv6", "packet-too-big", NH_ICMPV6, NT_INTEGER, 32, 32 },
	{ "icmpv6", "mtu", NH_ICMPV6, NT_INTEGER, 32, 32 },
	{ "icmpv6", "id", NH_ICMPV6, NT_INTEGER, 32, 16 },
	{ "icmpv6", "sequence", NH_ICMPV6, NT_INTEGER, 48, 16 },
	{ "icmpv6", "max-delay", NH_ICMPV6, NT_INTEGER, 32, 16 },
};
#define FIELDS (sizeof fields / sizeof *fields)

const struct nft_key nft_meta_keys[NM_COUNT] = {
	[NM_MARK] = { "mark", NT_MARK, 4, true, false },
	[NM_L4PROTO] = { "l4proto", NT_PROTO, 1, true, false },
	[NM_NFPROTO] = { "nfproto", NT_NFPROTO, 1, true, false },
	[NM_PROTOCOL] = { "protocol", NT_ETHER_TYPE, 2, true, false },
	[NM_IIF] = { "iif", NT_IFINDEX, 16, true, false },
	[NM_IIFNAME] = { "iifname", NT_IFNAME, 16, true, false },
	[NM_OIF] = { "oif", NT_IFINDEX, 16, true, false },
	[NM_OIFNAME] = { "oifname", NT_IFNAME, 16, true, false },
	[NM_PKTTYPE] = { "pkttype", NT_PKTTYPE, 1, true, false },
	[NM_SKUID] = { "skuid", NT_UID, 4, false, false },
	[NM_SKGID] = { "skgid", NT_GID, 4, false, false },
	[NM_LENGTH] = { "length", NT_INTEGER, 4, true, false },
	[NM_PRIORITY] = { "priority", NT_CLASSID, 4, true, false },
	[NM_RANDOM] = { "random", NT_INTEGER, 4, true, false },
	[NM_NFTRACE] = { "nftrace", NT_INTEGER, 1, true, false },
	[NM_IIFGROUP] = { "iifgroup", NT_DEVGROUP, 4, false, false },
	[NM_OIFGROUP] = { "oifgroup", NT_DEVGROUP, 4, false, false },
	[NM_CPU] = { "cpu", NT_INTEGER, 4, false, false },
};

const struct nft_key nft_ct_keys[NC_COUNT] = {
	[NC_STATE] = { "state", NT_CT_STATE, 4, true, false },
	[NC_DIRECTION] = { "direction", NT_CT_DIR, 1, true, false },
	[NC_STATUS] = { "status", NT_CT_STATUS, 4, true, false },
	[NC_MARK] = { "mark", NT_MARK, 4, true, false },
	[NC_SADDR] = { "saddr", NT_NONE, 0, true, true },
	[NC_DADDR] = { "daddr", NT_NONE, 0, true, true },
	[NC_PROTO_SRC] = { "proto-src", NT_SERVICE, 2, true, true },
	[NC_PROTO_DST] = { "proto-dst", NT_SERVICE, 2, true, true },
	[NC_IP_SADDR] = { "ip saddr", NT_IPV4, 4, true, true },
	[NC_IP_DADDR] = { "ip daddr", NT_IPV4, 4, true, true },
	[NC_IP6_SADDR] = { "ip6 saddr", NT_IPV6, 16, true, true },
	[NC_IP6_DADDR] = { "ip6 daddr", NT_IPV6, 16, true, true },
	[NC_L3PROTO] = { "l3proto", NT_NFPROTO, 1, true, true },
	[NC_PROTOCOL] = { "protocol", NT_PROTO, 1, true, true },
	[NC_ZONE] = { "zone", NT_INTEGER, 2, false, false },
};

static bool same(const char *name, const char *word, size_t length)
{
	return *name == *word && strncmp(name, word, length) == 0 && !name[length];
}

unsigned nft_payload_count(void)
{
	return FIELDS;
}

const struct nft_payload *nft_payload(unsigned index)
{
	return &fields[index];
}

int nft_payload_find(const char *header, size_t header_length, const char *name, size_t length)
{
	for (unsigned i = 0; i < FIELDS; i++)
		if (same(fields[i].header, header, header_length) &&
		    same(fields[i].name, name, length))
			return (int)i;
	return -1;
}

bool nft_is_header(const char *word, size_t length)
{
	for (unsigned i = 0; i < FIELDS; i++)
		if (same(fields[i].header, word, length))
			return true;
	return false;
}

static int find_key(const struct nft_key *keys, unsigned count, const char *word, size_t length)
{
	for (unsigned i = 0; i < count; i++)
		if (same(keys[i].name, word, length))
			return (int)i;
	return -1;
}

int nft_meta_find(const char *word, size_t length)
{
	return find_key(nft_meta_keys, NM_COUNT, word, length);
}

int nft_ct_find(const char *word, size_t length)
{
	return find_key(nft_ct_keys, NC_COUNT, word, length);
}

uint8_t nft_header_proto(enum nft_header h)
{
	switch (h) {
	case NH_TCP:
		return PROTO_TCP;
	case NH_UDP:
		return PROTO_UDP;
	case NH_SCTP:
		return PROTO_SCTP;
	case NH_ICMP:
		return PROTO_ICMP;
	case NH_ICMPV6:
		return PROTO_ICMP6;
	case NH_UDPLITE:
		return 136;
	case NH_DCCP:
		return 33;
	default:
		return 0;
	}
}

enum nft_base nft_header_base(enum nft_header h)
{
	return h == NH_ETHER ? NB_LINK : h == NH_IP || h == NH_IP6 ? NB_NETWORK : NB_TRANSPORT;
}
