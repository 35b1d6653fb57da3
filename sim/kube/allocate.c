/* kube/allocate.c: see allocate.h. */
#include "kube/allocate.h"

#include <stdlib.h>
#include <string.h>

#include "core/table.h"

#define DEFAULT_CIDR "10.96.0.0/12"
/* IPv6 ranges are larger than a scan can be; only this much of one is used. */
#define SCAN_LIMIT (UINT64_C(1) << 32)

struct kube_allocator {
	struct kube_store *store;
	struct choice *choice;
	struct net_prefix options[2];
	uint32_t option_count;
	uint16_t port_first, port_last;
	uint32_t watch;
	struct table addresses;        /* struct net_addr -> uint32_t holders */
	uint32_t ports[65536];         /* holders */
	struct net_addr *reserved;
	uint32_t reserved_count, reserved_capacity;
	uint16_t *reserved_ports;
	uint32_t reserved_port_count, reserved_port_capacity;
};

/* ---- who holds what -------------------------------------------------------------- */

static void hold_address(struct kube_allocator *a, const struct net_addr *ip, bool hold)
{
	uint32_t *holders = hold ? table_put(&a->addresses, ip, NULL) :
				   table_find(&a->addresses, ip);
	if (!holders)
		return;
	*holders += hold ? 1u : UINT32_MAX;
	if (!*holders)
		table_remove(&a->addresses, ip);
}

static void hold_port(struct kube_allocator *a, int32_t port, bool hold)
{
	if (port > 0 && port <= 65535)
		a->ports[port] += hold ? 1u : UINT32_MAX;
}

static void hold_service(struct kube_allocator *a, const struct kube_object *o, bool hold)
{
	const struct kube_service *s = (const struct kube_service *)o;
	struct net_addr ip;
	if (!kube_is(s->spec.type, "ExternalName"))
		for (uint32_t i = 0; i < s->spec.cluster_ips.count; i++)
			if (net_addr_parse(s->spec.cluster_ips.items[i], &ip))
				hold_address(a, &ip, hold);
	for (uint32_t i = 0; i < s->spec.ports.count; i++)
		hold_port(a, s->spec.ports.items[i].node_port, hold);
	hold_port(a, s->spec.health_check_node_port, hold);
}

static void changed(void *ctx, enum kube_change change, const struct kube_object *old,
		    const struct kube_object *now)
{
	(void)change;
	if (now)
		hold_service(ctx, now, true);
	if (old)
		hold_service(ctx, old, false);
}

struct kube_allocator *kube_allocator_new(struct kube_store *s, struct choice *choice,
					  const char *const service_cidrs[2],
					  uint16_t port_first, uint16_t port_last)
{
	struct kube_allocator *a = mem_alloc(sizeof *a);
	a->store = s;
	a->choice = choice;
	a->port_first = port_first ? port_first : 30000;
	a->port_last = port_last ? port_last : 32767;
	for (int i = 0; i < 2; i++)
		if (service_cidrs && service_cidrs[i] &&
		    net_prefix_parse(service_cidrs[i], &a->options[a->option_count]))
			a->option_count++;
	if (!a->option_count)
		a->option_count = net_prefix_parse(DEFAULT_CIDR, &a->options[0]);
	table_init(&a->addresses, sizeof(struct net_addr), sizeof(uint32_t));
	a->watch = kube_watch(s, KIND_SERVICE, 0, changed, a);
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next_created(s, KIND_SERVICE, &i));)
		hold_service(a, o, true);
	return a;
}

void kube_allocator_free(struct kube_allocator *a)
{
	if (!a)
		return;
	kube_unwatch(a->store, a->watch);
	table_free(&a->addresses);
	free(a->reserved);
	free(a->reserved_ports);
	free(a);
}

void kube_allocator_settle(struct kube_allocator *a)
{
	for (uint32_t i = 0; i < a->reserved_count; i++)
		hold_address(a, &a->reserved[i], false);
	for (uint32_t i = 0; i < a->reserved_port_count; i++)
		hold_port(a, a->reserved_ports[i], false);
	a->reserved_count = a->reserved_port_count = 0;
}

static void reserve_address(struct kube_allocator *a, const struct net_addr *ip)
{
	if (a->reserved_count == a->reserved_capacity) {
		uint32_t want = a->reserved_capacity + 8;
		a->reserved =
		    mem_grow(a->reserved, a->reserved_capacity, want, sizeof *a->reserved);
		a->reserved_capacity = want;
	}
	a->reserved[a->reserved_count++] = *ip;
	hold_address(a, ip, true);
}

static void reserve_port(struct kube_allocator *a, uint16_t port)
{
	if (a->reserved_port_count == a->reserved_port_capacity) {
		uint32_t want = a->reserved_port_capacity + 32;
		a->reserved_ports = mem_grow(a->reserved_ports, a->reserved_port_capacity, want,
					     sizeof *a->reserved_ports);
		a->reserved_port_capacity = want;
	}
	a->reserved_ports[a->reserved_port_count++] = port;
	hold_port(a, port, true);
}

/* ---- ranges ------------------------------------------------------------------------ */

/* A range that says it is not ready, or that is being deleted, is not used. */
static bool range_is_ready(const struct kube_service_cidr *c)
{
	if (c->object.meta.deletion_ns)
		return false;
	for (uint32_t i = 0; i < c->conditions.count; i++)
		if (kube_is(c->conditions.items[i].type, "Ready"))
			return kube_is(c->conditions.items[i].status, "True");
	return true;
}

/* The next range: of the store's ServiceCIDRs, or, while it has none, of the options. */
static bool next_range(const struct kube_allocator *a, uint32_t *cursor, uint32_t *item,
		       const struct kube_service_cidr **object, struct net_prefix *out)
{
	if (!kube_store_count(a->store, KIND_SERVICE_CIDR)) {
		if (*item >= a->option_count)
			return false;
		*out = a->options[(*item)++];
		return true;
	}
	for (;;) {
		while (*object && *item < (*object)->cidrs.count)
			if (net_prefix_parse((*object)->cidrs.items[(*item)++], out))
				return true;
		const struct kube_object *o =
			kube_store_next_created(a->store, KIND_SERVICE_CIDR, cursor);
		if (!o)
			return false;
		*object = range_is_ready((const struct kube_service_cidr *)o) ?
				  (const struct kube_service_cidr *)o : NULL;
		*item = 0;
	}
}

uint32_t kube_allocator_families(const struct kube_allocator *a, uint8_t out[2])
{
	uint32_t cursor = 0, item = 0, count = 0;
	const struct kube_service_cidr *object = NULL;
	struct net_prefix range;
	while (count < 2 && next_range(a, &cursor, &item, &object, &range))
		if (!count || out[0] != range.addr.family)
			out[count++] = range.addr.family;
	if (!count)
		out[count++] = a->options[0].addr.family;
	return count;
}

static uint64_t range_size(const struct net_prefix *range)
{
	unsigned host = net_family_bits(range->addr.family) - range->bits;
	return host >= 32 ? SCAN_LIMIT : UINT64_C(1) << host;
}

/* Offsets 1..*last of the range can be given away. */
static bool usable(const struct net_prefix *range, uint64_t *last)
{
	uint64_t size = range_size(range), reserved = range->addr.family == NET_V4 ? 2 : 1;
	if (size <= reserved)
		return false;
	*last = size - reserved;
	return true;
}

static uint64_t lower_band(uint64_t size, uint64_t part, uint64_t most)
{
	uint64_t band = size / part;
	if (size <= 16) /* too small for two bands */
		return 0;
	return band < 16 ? 16 : band > most ? most : band;
}

static bool address_free(const struct kube_allocator *a, const struct net_prefix *range,
			 uint64_t offset, struct net_addr *out)
{
	return net_prefix_nth(range, offset, out) && !table_find(&a->addresses, out);
}

static uint64_t draw(struct kube_allocator *a, uint64_t count)
{
	return a->choice ? choice_uniform(a->choice, "address", count) : 0;
}

/* Scans offsets low..high (inclusive) from a random place. */
static bool scan_addresses(struct kube_allocator *a, const struct net_prefix *range,
			   uint64_t low, uint64_t high, struct net_addr *out)
{
	if (low > high)
		return false;
	uint64_t size = high - low + 1, start = draw(a, size);
	/* More steps than there are holders cannot be needed. */
	uint64_t steps = a->addresses.count + 1 < size ? a->addresses.count + 1 : size;
	for (uint64_t i = 0; i < steps; i++)
		if (address_free(a, range, low + (start + i) % size, out))
			return true;
	return false;
}

enum kube_allocation kube_allocate_address(struct kube_allocator *a, uint8_t family,
					   struct net_addr *out)
{
	uint32_t cursor = 0, item = 0;
	const struct kube_service_cidr *object = NULL;
	struct net_prefix range;
	while (next_range(a, &cursor, &item, &object, &range)) {
		uint64_t last;
		if (range.addr.family != family || !usable(&range, &last))
			continue;
		uint64_t lower = lower_band(range_size(&range), 16, 256);
		if (lower > last)
			lower = last;
		if (scan_addresses(a, &range, lower + 1, last, out) ||
		    scan_addresses(a, &range, 1, lower, out)) {
			reserve_address(a, out);
			return ALLOCATED;
		}
	}
	return ALLOCATION_FULL;
}

enum kube_allocation kube_claim_address(struct kube_allocator *a, const struct net_addr *ip)
{
	uint32_t cursor = 0, item = 0;
	const struct kube_service_cidr *object = NULL;
	struct net_prefix range;
	while (next_range(a, &cursor, &item, &object, &range)) {
		struct net_addr edge;
		uint64_t last;
		if (!net_prefix_contains(&range, ip) || !usable(&range, &last))
			continue;
		if (net_prefix_nth(&range, 0, &edge) && net_addr_equal(&edge, ip))
			continue;
		if (ip->family == NET_V4 && net_prefix_nth(&range, last + 1, &edge) &&
		    net_addr_equal(&edge, ip))
			continue;
		if (table_find(&a->addresses, ip))
			return ALLOCATION_TAKEN;
		reserve_address(a, ip);
		return ALLOCATED;
	}
	return ALLOCATION_OUTSIDE;
}

/* ---- node ports ---------------------------------------------------------------------- */

static bool scan_ports(struct kube_allocator *a, uint32_t low, uint32_t high, uint16_t *out)
{
	if (low > high)
		return false;
	uint32_t size = high - low + 1, start = (uint32_t)draw(a, size);
	for (uint32_t i = 0; i < size; i++) {
		*out = (uint16_t)(low + (start + i) % size);
		if (!a->ports[*out])
			return true;
	}
	return false;
}

enum kube_allocation kube_allocate_port(struct kube_allocator *a, uint16_t *out)
{
	uint32_t size = (uint32_t)(a->port_last - a->port_first) + 1;
	uint32_t lower = (uint32_t)lower_band(size, 32, 128);
	if (!scan_ports(a, a->port_first + lower, a->port_last, out) &&
	    !(lower && scan_ports(a, a->port_first, a->port_first + lower - 1, out)))
		return ALLOCATION_FULL;
	reserve_port(a, *out);
	return ALLOCATED;
}

enum kube_allocation kube_claim_port(struct kube_allocator *a, uint16_t port)
{
	if (port < a->port_first || port > a->port_last)
		return ALLOCATION_OUTSIDE;
	if (a->ports[port])
		return ALLOCATION_TAKEN;
	reserve_port(a, port);
	return ALLOCATED;
}

void kube_allocator_port_range(const struct kube_allocator *a, uint16_t *first, uint16_t *last)
{
	*first = a->port_first;
	*last = a->port_last;
}
