/* net/headers.h: where the headers of one IP datagram lie; inside sim/net only.
 *
 * The same walk serves a whole frame and the datagram quoted by an ICMP error,
 * which may be cut short after 8 bytes of transport header (RFC 792).
 */
#ifndef NET_HEADERS_H
#define NET_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/packet.h"

struct headers {
	uint8_t family, proto;
	bool fragment; /* not the first fragment */
	bool whole;    /* neither a fragment nor cut short: checksums can be verified */
	uint32_t l3, l4, payload; /* as in struct packet */
	uint32_t end;             /* where the datagram (for UDP: its data) ends */
};

/* Walks the datagram at bytes[l3..length). 0, or EBADMSG when it contradicts itself
 * or is cut before its header ends; with `quoted`, only when it is cut before the
 * eighth byte of the transport header. */
int headers_find(const uint8_t *bytes, uint32_t length, uint32_t l3, uint8_t family, bool quoted,
		 struct headers *out);
/* The headers of a parsed packet. */
void headers_of(const struct packet *p, struct headers *out);
/* The headers of the datagram that an ICMP error quotes; false: none readable. */
bool headers_quoted(const struct packet *p, struct headers *out);
/* Offset of the transport checksum from l4; 0: none, or not among the bytes. */
uint32_t headers_checksum_at(const uint8_t *bytes, const struct headers *h);
/* The transport checksum as it should be, in memory order. The field counts as it stands. */
uint16_t headers_transport_sum(const uint8_t *bytes, const struct headers *h);
/* Whether this ICMP type carries an identifier (echo and its kin). */
bool icmp_has_id(uint8_t family, uint8_t type);

#endif
