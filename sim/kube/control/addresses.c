/* kube/control/addresses.c: podCIDRs and pod addresses.
 *
 * As the host-local plugin does: ascending from the second address (the first is the
 * bridge's), around at the end, so that an address comes back only when the range has
 * gone round.
 */
#include <errno.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/kubelet.h"

#define FIRST_OFFSET 2u /* 0 network, 1 cni0 */

static uint64_t range_size(const struct address_range *r)
{
	unsigned host_bits = net_family_bits(r->cidr.addr.family) - r->cidr.bits;
	return host_bits >= 32 ? UINT64_C(1) << 32 : UINT64_C(1) << host_bits;
}

/* One past the last offset that is given out: IPv4 keeps the broadcast address. */
static uint64_t range_end(const struct address_range *r)
{
	return range_size(r) - (r->cidr.addr.family == NET_V4);
}

static void range_set(struct address_range *r, const char *text)
{
	struct net_prefix p;
	if (!text || !net_prefix_parse(text, &p))
		return;
	r->cidr = net_prefix_masked(&p);
	r->next = FIRST_OFFSET;
}

void ranges_init(struct kubelet *k)
{
	const struct kube_node *n = kubelet_node(k);
	for (int i = 0; i < 2; i++)
		if (!k->ranges[i].used.stride)
			table_init(&k->ranges[i].used, sizeof(struct net_addr), 0);
	if (!n || k->ranges[0].cidr.addr.family)
		return;
	uint32_t count = n->spec.pod_cidrs.count;
	for (uint32_t i = 0; i < count && i < 2; i++)
		range_set(&k->ranges[i], n->spec.pod_cidrs.items[i]);
	if (!count)
		range_set(&k->ranges[0], n->spec.pod_cidr);
}

void ranges_free(struct kubelet *k)
{
	for (int i = 0; i < 2; i++)
		table_free(&k->ranges[i].used);
}

static bool range_take(struct address_range *r, struct net_addr *out)
{
	uint64_t end = range_end(r);
	if (end <= FIRST_OFFSET)
		return false;
	for (uint64_t tried = FIRST_OFFSET; tried < end; tried++) {
		if (r->next >= end)
			r->next = FIRST_OFFSET;
		if (!net_prefix_nth(&r->cidr, r->next++, out))
			return false;
		bool added;
		table_put(&r->used, out, &added);
		if (added)
			return true;
		if (tried > r->used.count + FIRST_OFFSET)
			return false; /* more tries than used addresses: all are used */
	}
	return false;
}

static void take_from_node(struct kubelet_pod *p)
{
	const struct kube_node *n = kubelet_node(p->kubelet);
	for (uint32_t i = 0; n && i < n->status.addresses.count && p->ip_count < 2; i++) {
		const struct kube_node_address *a = &n->status.addresses.items[i];
		struct net_addr ip;
		if (!kube_is(a->type, "InternalIP") || !net_addr_parse(a->address, &ip))
			continue;
		if (p->ip_count && p->ips[0].family == ip.family)
			continue;
		p->ips[p->ip_count++] = ip;
	}
}

int addresses_take(struct kubelet_pod *p, struct err *err)
{
	p->ip_count = 0;
	if (p->pod->spec.host_network == TRI_TRUE) {
		take_from_node(p);
		return 0;
	}
	ranges_init(p->kubelet);
	for (int i = 0; i < 2; i++) {
		struct address_range *r = &p->kubelet->ranges[i];
		if (!r->cidr.addr.family)
			continue;
		if (!range_take(r, &p->ips[p->ip_count])) {
			char text[NET_ADDR_TEXT];
			addresses_release(p);
			return err_set(err, ENOSPC,
				       "plugin type=\"host-local\" failed (add): no IP addresses "
				       "available in range set: %s",
				       net_prefix_text(&r->cidr, text));
		}
		p->ip_count++;
	}
	if (p->ip_count)
		return 0;
	return err_set(err, EINVAL,
		       "plugin type=\"flannel\" failed (add): node \"%s\" has no podCIDR",
		       p->kubelet->node->record.key + 1);
}

void addresses_keep(struct kubelet_pod *p)
{
	if (p->pod->spec.host_network == TRI_TRUE)
		return;
	ranges_init(p->kubelet);
	for (uint32_t i = 0; i < p->ip_count; i++)
		for (int j = 0; j < 2; j++)
			if (p->kubelet->ranges[j].cidr.addr.family == p->ips[i].family)
				table_put(&p->kubelet->ranges[j].used, &p->ips[i], NULL);
}

void addresses_release(struct kubelet_pod *p)
{
	if (p->pod->spec.host_network != TRI_TRUE)
		for (uint32_t i = 0; i < p->ip_count; i++)
			for (int j = 0; j < 2; j++)
				table_remove(&p->kubelet->ranges[j].used, &p->ips[i]);
	p->ip_count = 0;
}

/* ---- node IPAM ------------------------------------------------------------------- */

static bool cidr_used(const struct control *c, const char *text)
{
	for (uint32_t i = 0; i < c->index.node_count; i++) {
		const struct kube_node *n = (const struct kube_node *)c->index.nodes[i]->record.now;
		if (!n)
			continue;
		if (kube_is(n->spec.pod_cidr, text))
			return true;
		for (uint32_t j = 0; j < n->spec.pod_cidrs.count; j++)
			if (kube_is(n->spec.pod_cidrs.items[j], text))
				return true;
	}
	return false;
}

static bool next_cidr(struct control *c, int family, char out[NET_ADDR_TEXT])
{
	const struct net_prefix *all = &c->options.pod_cidr[family];
	uint8_t bits = c->options.pod_cidr_mask[family];
	unsigned full = net_family_bits(all->addr.family);
	if (bits < all->bits || bits > full || full - bits > 63)
		return false;
	uint64_t step = UINT64_C(1) << (full - bits);
	for (;;) {
		struct net_prefix p = { .bits = bits };
		if (!net_prefix_nth(all, step * c->cidr_next[family], &p.addr))
			return false;
		c->cidr_next[family]++;
		if (!cidr_used(c, net_prefix_text(&p, out)))
			return true;
	}
}

bool cidr_assign(struct control *c, const struct kube_node *node)
{
	if (node->spec.pod_cidr || node->spec.pod_cidrs.count)
		return false;
	struct kube_node *copy = (struct kube_node *)kube_copy(&node->object);
	for (int family = 0; family < 2; family++) {
		char text[NET_ADDR_TEXT];
		if (c->options.pod_cidr[family].addr.family && next_cidr(c, family, text))
			strings_add(&copy->object, &copy->spec.pod_cidrs, text);
	}
	if (!copy->spec.pod_cidrs.count) {
		kube_unref(&copy->object);
		return false;
	}
	copy->spec.pod_cidr = copy->spec.pod_cidrs.items[0];
	control_update(c, &copy->object, true);
	return true;
}
