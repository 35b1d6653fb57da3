/* linux/fault.c: what goes wrong at one interface: frames lost, late or cut off.
 *
 * A fault holds for what leaves by the interface and for what comes in by it, as if its
 * cable were bad. A cut is between two interfaces of one segment (all that passes between
 * two machines), or between an interface and an address (all that a pod exchanges with
 * another).
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/internal.h"

struct link_faults {
	struct segment_faults line;
	struct iface **cut;
	uint32_t cut_count;
	struct net_addr *far;
	uint32_t far_count;
};

static struct link_faults *faults_of(struct netns *ns, uint16_t ifindex)
{
	struct iface *f = iface_find(ns, ifindex);
	if (f && !f->faults)
		f->faults = mem_alloc(sizeof *f->faults);
	return f ? f->faults : NULL;
}

void netns_set_faults(struct netns *ns, uint16_t ifindex, const struct segment_faults *faults)
{
	struct link_faults *l = faults_of(ns, ifindex);
	if (l)
		l->line = *faults;
}

void netns_cut_iface(struct netns *ns, uint16_t ifindex, struct netns *other, uint16_t other_index)
{
	struct link_faults *l = faults_of(ns, ifindex);
	struct iface *to = iface_find(other, other_index);
	if (!l || !to)
		return;
	l->cut = mem_grow(l->cut, l->cut_count, l->cut_count + 1, sizeof *l->cut);
	l->cut[l->cut_count++] = to;
}

void netns_cut_addr(struct netns *ns, uint16_t ifindex, const struct net_addr *far)
{
	struct link_faults *l = faults_of(ns, ifindex);
	if (!l)
		return;
	l->far = mem_grow(l->far, l->far_count, l->far_count + 1, sizeof *l->far);
	l->far[l->far_count++] = *far;
}

void netns_heal(struct netns *ns, uint16_t ifindex)
{
	struct iface *f = iface_find(ns, ifindex);
	if (f)
		link_faults_free(f);
}

void link_faults_free(struct iface *f)
{
	if (!f->faults)
		return;
	free(f->faults->cut);
	free(f->faults->far);
	free(f->faults);
	f->faults = NULL;
}

static bool is_cut(const struct link_faults *l, const struct iface *other,
		   const struct net_addr *far)
{
	for (uint32_t i = 0; i < l->cut_count; i++)
		if (l->cut[i] == other)
			return true;
	for (uint32_t i = 0; i < l->far_count; i++)
		if (net_addr_equal(&l->far[i], far))
			return true;
	return false;
}

/* The delay that one end adds, or a negative number: lost. */
static int64_t one_end(const struct iface *f, const struct iface *other, const struct net_addr *far)
{
	const struct link_faults *l = f->faults;
	struct choice *choice = f->ns->env->choice;
	int64_t jitter_ns = 0;
	if (!l)
		return 0;
	if (is_cut(l, other, far))
		return -1;
	if (l->line.loss_per_million &&
	    choice_uniform(choice, "loss", 1000000) < l->line.loss_per_million)
		return -1;
	if (l->line.jitter_ns > 0)
		jitter_ns = (int64_t)choice_uniform(choice, "jitter", (uint64_t)l->line.jitter_ns + 1);
	return l->line.extra_delay_ns + jitter_ns;
}

int64_t link_fault_delay(const struct iface *out, const struct iface *in, const struct packet *p)
{
	if (!out->faults && !in->faults)
		return 0;
	struct net_addr dst = packet_dst(p), src = packet_src(p);
	int64_t a = one_end(out, in, &dst), b = a < 0 ? 0 : one_end(in, out, &src);
	return a < 0 || b < 0 ? -1 : a + b;
}
