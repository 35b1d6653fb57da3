/* net/packet.h: one frame on its way, with real bytes.
 *
 * A packet owns a buffer that begins with the Ethernet header; IP, transport
 * header and payload follow as on the wire, in network byte order, with right
 * checksums at all times (NAT patches them incrementally, RFC 1624). What the
 * kernel keeps beside the bytes (skb metadata) lies in the struct. Ports here
 * are host order; for ICMP echo the identifier stands in both port fields.
 *
 * Ownership: whoever holds a `struct packet *` owns it; handing it to a
 * function that "takes" it gives that up. Packets come from craft.h or
 * packet_copy and go back with packet_free.
 *
 * `trace` is NULL unless somebody watches; the evaluators write what they do
 * through it (net/trace.h) and it follows the packet from node to node.
 * `comment` says which rule decided; it goes into the pcapng at the next tap.
 */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

struct trace;
struct ct_entry;

enum net_proto {
	PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_SCTP = 132
};

/* TCP flags as on the wire. */
enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

enum ct_info { /* what conntrack says of this packet */
	CT_INFO_NONE, CT_INFO_UNTRACKED, CT_INFO_INVALID,
	CT_INFO_NEW, CT_INFO_ESTABLISHED, CT_INFO_RELATED,
	CT_INFO_ESTABLISHED_REPLY, CT_INFO_RELATED_REPLY
};

#define ETHER_BYTES 14u
#define PACKET_COMMENT 192

struct packet {
	uint8_t *bytes;            /* Ethernet header first */
	uint32_t length, capacity; /* bytes in use, bytes owned */
	uint16_t l3, l4, payload;  /* offsets; l4 is 0 when there is no transport header */
	uint8_t family;            /* enum net_family; NET_NONE: not IP */
	uint8_t proto;             /* enum net_proto; for v6 after extension headers */
	bool fragment;             /* not the first fragment: no transport header */
	bool hairpin;              /* came back to the bridge port it entered by */
	uint16_t in_port_if;       /* bridge port it entered by (physdev), 0 none */
	uint16_t in_if, out_if;    /* interface numbers in the namespace that holds it, 0 none */
	uint32_t mark;
	uint8_t ct_info;           /* enum ct_info */
	bool ct_confirmed_here;
	uint32_t priority;
	struct ct_entry *ct;       /* borrowed from the namespace's conntrack; NULL none */
	void *ipvs;                /* IPVS connection that claimed it, or NULL */
	struct sock *owner_sock;   /* local socket that sent it, or NULL */
	struct trace *trace;       /* borrowed; NULL: nobody watches */
	char comment[PACKET_COMMENT];
};

struct flow_key { /* one direction of a flow; a table key, no padding left unset */
	struct net_addr src, dst;
	uint16_t src_port, dst_port; /* ICMP: type<<8|code in dst_port, id in src_port */
	uint8_t proto;
	uint8_t pad[3];
};

/* An owned, empty packet with room for `capacity` bytes. */
struct packet *packet_new(uint32_t capacity);
struct packet *packet_copy(const struct packet *p);
void packet_free(struct packet *p);

/* Finds the headers of bytes[0..length). 0, or EBADMSG when they are cut short or
 * contradict themselves; the packet is then left with family NET_NONE. */
int packet_parse(struct packet *p);
/* Whether all checksums (IP, transport) are right. */
bool packet_checksums_ok(const struct packet *p);
/* Computes all checksums anew. */
void packet_checksums_fill(struct packet *p);

struct net_addr packet_src(const struct packet *p);
struct net_addr packet_dst(const struct packet *p);
uint16_t packet_src_port(const struct packet *p); /* 0 when the protocol has none */
uint16_t packet_dst_port(const struct packet *p);
uint8_t packet_ttl(const struct packet *p);
uint8_t packet_tos(const struct packet *p);
uint8_t packet_tcp_flags(const struct packet *p);
uint32_t packet_tcp_seq(const struct packet *p);
uint32_t packet_tcp_ack(const struct packet *p);
uint16_t packet_tcp_window(const struct packet *p);
uint8_t packet_icmp_type(const struct packet *p);
uint8_t packet_icmp_code(const struct packet *p);
uint16_t packet_icmp_id(const struct packet *p);
/* Transport payload. */
const uint8_t *packet_payload(const struct packet *p, uint32_t *length);
bool packet_is_icmp_error(const struct packet *p);
/* The packet quoted by an ICMP error: a new packet (owned by the caller) whose
 * bytes may be cut after 8 bytes of transport header; NULL when unreadable. */
struct packet *packet_quoted(const struct packet *p);
struct flow_key packet_flow(const struct packet *p);

/* Rewrite in place, checksums kept right. For ICMP the port is the echo id. */
void packet_set_src(struct packet *p, const struct net_addr *a, uint16_t port);
void packet_set_dst(struct packet *p, const struct net_addr *a, uint16_t port);
void packet_set_ttl(struct packet *p, uint8_t ttl);
void packet_set_tos(struct packet *p, uint8_t tos);
void packet_set_macs(struct packet *p, const struct net_mac *src, const struct net_mac *dst);
/* Rewrites the header quoted inside an ICMP error (and the checksums): its
 * source or destination, as NAT of the flow it belongs to demands. */
void packet_set_quoted_src(struct packet *p, const struct net_addr *a, uint16_t port);
void packet_set_quoted_dst(struct packet *p, const struct net_addr *a, uint16_t port);

/* One line like tcpdump -n: "10.0.0.1.1234 > 10.96.0.1.80: Flags [S], ...". */
const char *packet_line(const struct packet *p, char *out, size_t size);
const char *proto_name(uint8_t proto); /* "tcp", ...; "proto-N" is not made: NULL */
uint8_t proto_number(const char *name); /* 0: unknown; accepts upper case */

#endif
