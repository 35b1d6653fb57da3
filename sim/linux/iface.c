/* linux/iface.c: interfaces and their addresses. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/internal.h"

/* Position of the number, or of the place where it belongs. */
static uint32_t position(const struct netns *ns, uint16_t number)
{
	uint32_t low = 0, high = ns->iface_count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (ns->ifaces[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct iface *iface_find(const struct netns *ns, uint16_t number)
{
	uint32_t at = position(ns, number);
	return at < ns->iface_count && ns->ifaces[at]->number == number ? ns->ifaces[at] : NULL;
}

uint16_t netns_iface_by_name(const struct netns *ns, const char *name)
{
	for (uint32_t i = 0; i < ns->iface_count; i++)
		if (strcmp(ns->ifaces[i]->name, name) == 0)
			return ns->ifaces[i]->number;
	return 0;
}

const char *netns_iface_name(const struct netns *ns, uint16_t ifindex)
{
	const struct iface *f = iface_find(ns, ifindex);
	return f ? f->name : "";
}

struct net_mac netns_iface_mac(const struct netns *ns, uint16_t ifindex)
{
	const struct iface *f = iface_find(ns, ifindex);
	return f ? f->mac : (struct net_mac){ { 0 } };
}

/* 02: locally administered, unicast. */
static struct net_mac derive_mac(const struct netns *ns, const char *name)
{
	uint64_t h = hash_bytes(name, strlen(name), hash_bytes(ns->name, strlen(ns->name), 0));
	struct net_mac mac = { { 2 } };
	for (unsigned i = 1; i < 6; i++)
		mac.bytes[i] = (uint8_t)(h >> 8 * i);
	return mac;
}

static struct iface *add_iface(struct netns *ns, const char *name, enum iface_kind kind)
{
	if (!*name || strlen(name) >= IFACE_NAME_BYTES || netns_iface_by_name(ns, name))
		return NULL;
	assert(ns->last_number < UINT16_MAX && "interface numbers are used up");
	struct iface *f = mem_alloc(sizeof *f);
	strcpy(f->name, name);
	f->number = ++ns->last_number;
	f->kind = (uint8_t)kind;
	f->up = true;
	f->ns = ns;
	if (kind != IFACE_LOOPBACK)
		f->mac = derive_mac(ns, name);
	memcpy(f->conf, ns->conf_default, sizeof f->conf);
	ns->ifaces = mem_grow(ns->ifaces, ns->iface_count, ns->iface_count + 1,
			      sizeof *ns->ifaces);
	ns->ifaces[ns->iface_count++] = f;
	return f;
}

uint16_t netns_add_dummy(struct netns *ns, const char *name)
{
	/* The first interface of a namespace is its loopback (netns.c). */
	struct iface *f = add_iface(ns, name, ns->iface_count ? IFACE_DUMMY : IFACE_LOOPBACK);
	return f ? f->number : 0;
}

uint16_t netns_add_bridge(struct netns *ns, const char *name)
{
	struct iface *f = add_iface(ns, name, IFACE_BRIDGE);
	if (!f)
		return 0;
	f->bridge = mem_alloc(sizeof *f->bridge);
	l2_init(&f->bridge->domain);
	l2_join(&f->bridge->domain, f);
	return f->number;
}

int netns_add_veth(struct netns *a, const char *name_a, struct netns *b, const char *name_b,
		   int64_t delay_ns, uint16_t *ia, uint16_t *ib)
{
	if (strlen(name_a) >= IFACE_NAME_BYTES || strlen(name_b) >= IFACE_NAME_BYTES || !*name_a ||
	    !*name_b)
		return EINVAL;
	struct iface *fa = add_iface(a, name_a, IFACE_VETH);
	struct iface *fb = fa ? add_iface(b, name_b, IFACE_VETH) : NULL;
	if (!fb) {
		if (fa)
			iface_free(fa);
		return EEXIST;
	}
	fa->peer = fb;
	fb->peer = fa;
	fa->delay_ns = fb->delay_ns = delay_ns;
	*ia = fa->number;
	*ib = fb->number;
	return 0;
}

uint16_t netns_add_segment_iface(struct netns *ns, const char *name, struct segment *s)
{
	struct iface *f = add_iface(ns, name, IFACE_SEGMENT);
	if (!f)
		return 0;
	f->segment = s;
	s->members = mem_grow(s->members, s->member_count, s->member_count + 1,
			      sizeof *s->members);
	s->members[s->member_count++] = f;
	l2_join(&s->domain, f);
	return f->number;
}

static void detach(struct iface *f)
{
	if (f->master)
		bridge_leave(f);
	if (f->kind == IFACE_SEGMENT && f->segment)
		segment_leave(f);
	if (f->kind == IFACE_BRIDGE) {
		for (uint32_t i = 0; i < f->ns->iface_count; i++)
			if (f->ns->ifaces[i]->master == f)
				bridge_leave(f->ns->ifaces[i]);
		l2_free(&f->bridge->domain);
		free(f->bridge);
	}
}

void iface_free(struct iface *f)
{
	struct netns *ns = f->ns;
	struct iface *peer = f->kind == IFACE_VETH ? f->peer : NULL;
	if (peer && peer->master)
		bridge_leave(peer);
	detach(f);
	link_cancel(f);
	fib_remove_iface(&ns->local, f->number);
	fib_remove_iface(&ns->main, f->number);
	uint32_t at = position(ns, f->number);
	ns->iface_count--;
	memmove(ns->ifaces + at, ns->ifaces + at + 1,
		(ns->iface_count - at) * sizeof *ns->ifaces);
	link_faults_free(f);
	free(f->addrs);
	free(f);
	if (peer) { /* a veth dies as a pair */
		peer->peer = NULL;
		iface_free(peer);
	}
}

void netns_remove_iface(struct netns *ns, uint16_t ifindex)
{
	struct iface *f = iface_find(ns, ifindex);
	if (f && f->kind != IFACE_LOOPBACK)
		iface_free(f);
}

void netns_set_up(struct netns *ns, uint16_t ifindex, bool up)
{
	struct iface *f = iface_find(ns, ifindex);
	if (f)
		f->up = up;
}

/* ---- addresses ------------------------------------------------------------ */

static bool has_addr(const struct iface *f, const struct net_addr *a)
{
	for (uint32_t i = 0; i < f->addr_count; i++)
		if (net_addr_equal(&f->addrs[i].addr, a))
			return true;
	return false;
}

static struct net_prefix whole(const struct net_addr *a)
{
	return (struct net_prefix){ *a, (uint8_t)net_family_bits(a->family) };
}

static bool broadcast_of(const struct net_prefix *p, struct net_prefix *out)
{
	if (p->addr.family != NET_V4 || p->bits >= 31)
		return false;
	uint32_t host = UINT32_MAX >> p->bits;
	struct net_addr last = net_addr_v4(net_addr_v4_value(&p->addr) | host);
	*out = whole(&last);
	return true;
}

/* Whether another address of the interface keeps the prefix's routes alive. */
static bool prefix_in_use(const struct iface *f, const struct net_prefix *p)
{
	struct net_prefix want = net_prefix_masked(p);
	for (uint32_t i = 0; i < f->addr_count; i++) {
		struct net_prefix have = net_prefix_masked(&f->addrs[i]);
		if (have.bits == want.bits && net_addr_equal(&have.addr, &want.addr))
			return true;
	}
	return false;
}

int netns_add_addr(struct netns *ns, uint16_t ifindex, const struct net_prefix *addr)
{
	struct iface *f = iface_find(ns, ifindex);
	struct net_prefix one = whole(&addr->addr), broadcast;
	if (!f)
		return ENODEV;
	if (addr->addr.family == NET_NONE || addr->bits > net_family_bits(addr->addr.family))
		return EINVAL;
	/* The loopback's own addresses are known to route.c without entries. */
	bool builtin = f->kind == IFACE_LOOPBACK && net_addr_is_loopback(&addr->addr);
	if (builtin ? has_addr(f, &addr->addr)
		    : fib_has(&ns->local, &one, ifindex) && has_addr(f, &addr->addr))
		return EEXIST;
	if (!builtin) {
		struct route local = { .dst = one, .kind = ROUTE_LOCAL, .out_if = ifindex,
				       .preferred = addr->addr };
		fib_add(&ns->local, &local, true);
		if (!prefix_in_use(f, addr)) {
			struct route link = { .dst = *addr, .kind = ROUTE_UNICAST, .out_if = ifindex,
					      .preferred = addr->addr,
					      .metric = addr->addr.family == NET_V6 ? 256 : 0 };
			if (addr->bits < one.bits)
				fib_add(&ns->main, &link, true);
			if (broadcast_of(addr, &broadcast)) {
				struct route all = { .dst = broadcast, .kind = ROUTE_BROADCAST,
						     .out_if = ifindex, .preferred = addr->addr };
				fib_add(&ns->local, &all, true);
			}
		}
	}
	if (f->addr_count == f->addr_capacity) {
		uint32_t want = f->addr_capacity ? f->addr_capacity * 2 : 1;
		f->addrs = mem_grow(f->addrs, f->addr_capacity, want, sizeof *f->addrs);
		f->addr_capacity = want;
	}
	f->addrs[f->addr_count++] = *addr;
	l2_addr_added(f, &addr->addr);
	return 0;
}

bool netns_remove_addr(struct netns *ns, uint16_t ifindex, const struct net_addr *addr)
{
	struct iface *f = iface_find(ns, ifindex);
	uint32_t at = 0;
	while (f && at < f->addr_count && !net_addr_equal(&f->addrs[at].addr, addr))
		at++;
	if (!f || at == f->addr_count)
		return false;
	struct net_prefix gone = f->addrs[at], one = whole(addr), broadcast;
	f->addr_count--;
	memmove(f->addrs + at, f->addrs + at + 1, (f->addr_count - at) * sizeof *f->addrs);
	fib_remove(&ns->local, &one, ifindex);
	if (!prefix_in_use(f, &gone)) {
		if (gone.bits < one.bits)
			fib_remove(&ns->main, &gone, ifindex);
		if (broadcast_of(&gone, &broadcast))
			fib_remove(&ns->local, &broadcast, ifindex);
	}
	l2_addr_removed(f, addr);
	return true;
}

struct net_addr netns_iface_addr(const struct netns *ns, uint16_t ifindex, uint8_t family)
{
	const struct iface *f = iface_find(ns, ifindex);
	for (uint32_t i = 0; f && i < f->addr_count; i++)
		if (f->addrs[i].addr.family == family)
			return f->addrs[i].addr;
	return (struct net_addr){ 0 };
}
