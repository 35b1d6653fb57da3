/* net/craft.h: packets made with libnet.
 *
 * Each function returns a new packet (owned by the caller) with Ethernet, IP and
 * transport header, right checksums, parsed. A template is built once per
 * (family, protocol) with libnet and copied after that; the copy is patched.
 * Addresses must be of one family. Only craft.c includes libnet.h.
 */
#ifndef NET_CRAFT_H
#define NET_CRAFT_H

#include <stdint.h>

#include "net/packet.h"

struct craft; /* templates; one per world */

struct craft *craft_new(void);
void craft_free(struct craft *c);

struct craft_ip {
	struct net_addr src, dst;
	uint16_t src_port, dst_port;
	uint8_t ttl; /* 0: 64 */
	uint8_t tos;
	uint16_t ip_id; /* v4 */
	bool dont_fragment;
};

struct craft_tcp {
	uint32_t seq, ack;
	uint8_t flags; /* enum tcp_flag */
	uint16_t window;
	uint16_t mss;         /* option, 0 none (as on a SYN) */
	bool sack_permitted;  /* option */
	bool timestamps;      /* option with the two values below */
	uint32_t ts_value, ts_echo;
	int8_t window_scale;  /* option, -1 none */
};

struct packet *craft_tcp(struct craft *c, const struct craft_ip *ip, const struct craft_tcp *tcp,
			 const void *payload, uint32_t length);
struct packet *craft_udp(struct craft *c, const struct craft_ip *ip, const void *payload,
			 uint32_t length);
/* type and code as in the family's ICMP; id and sequence for echo. */
struct packet *craft_icmp_echo(struct craft *c, const struct craft_ip *ip, bool reply,
			       uint16_t id, uint16_t sequence, const void *payload,
			       uint32_t length);
/* An ICMP error that quotes `original` as Linux does: v4 up to 548 bytes of it
 * (total 576), v6 up to 1232. */
struct packet *craft_icmp_error(struct craft *c, const struct net_addr *from,
				const struct net_addr *to, uint8_t type, uint8_t code,
				uint32_t rest, const struct packet *original);
/* SCTP INIT or ABORT chunk, enough for rules and conntrack. */
struct packet *craft_sctp(struct craft *c, const struct craft_ip *ip, uint8_t chunk_type,
			  uint32_t verification_tag);

#endif
