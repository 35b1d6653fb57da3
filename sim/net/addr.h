/* net/addr.h: IPv4 and IPv6 addresses, prefixes, MACs.
 *
 * Addresses are kept in network byte order; ports everywhere in svclab are host
 * order. Unused bytes are zero, so that structs compare with memcmp and serve
 * as table keys. Text of IPv6 is RFC 5952 (lower case, longest zero run).
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum net_family { NET_NONE = 0, NET_V4 = 4, NET_V6 = 6 };

struct net_addr {
	uint8_t family; /* enum net_family */
	uint8_t pad[3];
	uint8_t bytes[16]; /* v4 uses the first four */
};

struct net_prefix {
	struct net_addr addr; /* host bits may be set; net_prefix_masked clears them */
	uint8_t bits;
};

struct net_mac {
	uint8_t bytes[6];
};

#define NET_ADDR_TEXT 48 /* room for any address or prefix and NUL */

/* Strict: no leading zeros in v4, no zone, no blanks. False: not an address. */
bool net_addr_parse(const char *text, struct net_addr *out);
/* "a/len"; without "/len" the full length. */
bool net_prefix_parse(const char *text, struct net_prefix *out);
/* Writes into `out`, returns it. */
const char *net_addr_text(const struct net_addr *a, char out[NET_ADDR_TEXT]);
const char *net_prefix_text(const struct net_prefix *p, char out[NET_ADDR_TEXT]);
/* "a.b.c.d:port" or "[v6]:port". `out` has at least NET_ADDR_TEXT + 8 bytes. */
const char *net_endpoint_text(const struct net_addr *a, uint16_t port, char *out);

struct net_addr net_addr_v4(uint32_t host_order);
uint32_t net_addr_v4_value(const struct net_addr *a); /* host order */
bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);
/* <0, 0, >0; v4 before v6, then bytewise. */
int net_addr_compare(const struct net_addr *a, const struct net_addr *b);
bool net_addr_is_loopback(const struct net_addr *a);
bool net_addr_is_link_local(const struct net_addr *a);
bool net_addr_is_multicast(const struct net_addr *a);
bool net_addr_is_unspecified(const struct net_addr *a);
bool net_prefix_contains(const struct net_prefix *p, const struct net_addr *a);
struct net_prefix net_prefix_masked(const struct net_prefix *p);
/* The address `offset` after the first of the prefix; false when outside. */
bool net_prefix_nth(const struct net_prefix *p, uint64_t offset, struct net_addr *out);
/* The last address below the prefix's broadcast address (v6: the last but one). */
struct net_addr net_prefix_last(const struct net_prefix *p);
/* Full length of the family: 32 or 128. */
unsigned net_family_bits(uint8_t family);

#endif
