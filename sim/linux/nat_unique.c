/* linux/nat_unique.c: the choice of address and port (get_unique_tuple).
 *
 * In order: the tuple as it is, when it lies in the range and is free, or else what another
 * connection from the same source got (nat_source.c); the range's address with the same
 * port; then ports of the range from a starting point, at most
 * 128 tries, and again fewer from other points. When nothing is free the last one
 * stands, and confirmation will fail.
 */
#include <string.h>

#include "linux/conntrack_internal.h"

#define TRIES_MAX 128u
#define TRIES_MIN 16u

/* Whether another entry would see replies to this tuple as its own. */
static bool taken(const struct ct_entry *e, const struct flow_key *k)
{
	enum ct_dir dir;
	struct flow_key reply = ct_invert(k, k->src.family);
	const struct ct_entry *other = ct_find(e->owner, &reply, e->zone, &dir);
	return other && other != e &&
	       memcmp(&other->tuple[DIR_ORIGINAL], &e->tuple[DIR_ORIGINAL],
		      sizeof other->tuple[0]) != 0;
}

static bool is_icmp(const struct flow_key *k)
{
	return k->proto == PROTO_ICMP || k->proto == PROTO_ICMP6;
}

static bool has_ports(const struct flow_key *k)
{
	return k->proto == PROTO_TCP || k->proto == PROTO_UDP || k->proto == PROTO_SCTP ||
	       is_icmp(k);
}

static struct net_addr *addr_of(struct flow_key *k, enum nat_kind kind)
{
	return kind == NAT_SRC ? &k->src : &k->dst;
}

static uint16_t *port_of(struct flow_key *k, enum nat_kind kind)
{
	return kind == NAT_SRC || is_icmp(k) ? &k->src_port : &k->dst_port;
}

static bool addr_in_range(const struct net_addr *a, const struct nat_range *r)
{
	return r->min.family == NET_NONE ||
	       (net_addr_compare(a, &r->min) >= 0 && net_addr_compare(a, &r->max) <= 0);
}

static bool port_in_range(uint16_t port, const struct nat_range *r)
{
	return !r->port_max || (port >= r->port_min && port <= r->port_max);
}

/* Of a range of addresses a client always gets the same one; with `persistent` for
 * all destinations. */
static void pick_addr(struct flow_key *k, enum nat_kind kind, const struct nat_range *r)
{
	struct net_addr *a = addr_of(k, kind);
	if (r->min.family == NET_NONE)
		return;
	uint64_t seed = hash_bytes(&k->src, sizeof k->src, 0);
	if (!r->persistent)
		seed = hash_bytes(&k->dst, sizeof k->dst, seed);
	*a = r->min;
	if (net_addr_equal(&r->min, &r->max))
		return;
	unsigned last = net_family_bits(r->min.family) / 8 - 1;
	uint32_t low = 0, high = 0;
	for (unsigned i = last - 3; i <= last; i++) {
		low = low << 8 | r->min.bytes[i];
		high = high << 8 | r->max.bytes[i];
	}
	uint32_t value = low + (uint32_t)(seed % ((uint64_t)high - low + 1));
	for (unsigned i = 0; i < 4; i++)
		a->bytes[last - i] = (uint8_t)(value >> 8 * i);
}

/* Where ports are searched when the rule names none (the old privilege classes). */
static void default_ports(uint16_t port, uint32_t *first, uint32_t *count)
{
	if (port < 512) {
		*first = 1;
		*count = 511;
	} else if (port < 1024) {
		*first = 600;
		*count = 1024 - 600;
	} else {
		*first = 1024;
		*count = 65536 - 1024;
	}
}

static void search_port(const struct ct_entry *e, enum nat_kind kind, const struct nat_range *r,
			struct flow_key *k)
{
	uint16_t *port = port_of(k, kind);
	struct choice *choice = e->owner->ns->env->choice;
	uint32_t first, count;
	if (r->port_max) {
		first = r->port_min;
		count = (uint32_t)r->port_max - r->port_min + 1;
	} else if (is_icmp(k)) { /* the identifier serves both directions */
		first = 0;
		count = 65536;
	} else if (kind == NAT_DST) {
		return; /* a destination's port is not anybody's to change */
	} else {
		default_ports(*port, &first, &count);
	}
	uint32_t offset = 0;
	if (kind == NAT_SRC || r->random || r->random_fully)
		offset = (uint32_t)choice_uniform(choice, "masq-port", count);
	for (uint32_t tries = count < TRIES_MAX ? count : TRIES_MAX;;) {
		for (uint32_t i = 0; i < tries; i++, offset++) {
			*port = (uint16_t)(first + offset % count);
			if (!taken(e, k))
				return;
		}
		if (tries >= count || tries < TRIES_MIN)
			return;
		tries /= 2;
		offset = (uint32_t)choice_uniform(choice, "masq-port", count);
	}
}

static bool source_fits(const void *range, const struct flow_key *k)
{
	return addr_in_range(&k->src, range) && port_in_range(k->src_port, range);
}

void nat_unique_tuple(struct ct_entry *e, enum nat_kind kind, const struct nat_range *range,
		      const struct flow_key *from, struct flow_key *out)
{
	bool random = range->random || range->random_fully;
	*out = *from;
	uint16_t port = *port_of(out, kind);
	if (kind == NAT_SRC && !random) {
		bool as_it_is = source_fits(range, from);
		if ((as_it_is ||
		     nat_source_find(e->owner, from, e->zone, source_fits, range, out)) &&
		    !taken(e, out))
			return;
		*out = *from;
	}
	pick_addr(out, kind, range);
	if (!has_ports(out))
		return;
	if (!random) {
		if (range->port_max) {
			if (port_in_range(port, range) &&
			    (range->port_min == range->port_max || !taken(e, out)))
				return;
		} else if (!taken(e, out)) {
			return;
		}
	}
	search_port(e, kind, range, out);
}
