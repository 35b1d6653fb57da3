/* linux/show.c: the texts of `ip -o addr show`, `ip -o link show` and `ip route show` (iproute2 6.1). */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/internal.h"

static const char *scope_of(const struct net_addr *a)
{
	if (net_addr_is_loopback(a))
		return "host";
	return net_addr_is_link_local(a) ? "link" : "global";
}

static void print_addr(const struct iface *f, const struct net_prefix *p, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	bool v4 = p->addr.family == NET_V4;
	strbuf_printf(out, "%u: %s    %s %s", f->number, f->name, v4 ? "inet" : "inet6",
		      net_prefix_text(p, text));
	if (v4 && p->bits < 31 && f->kind != IFACE_LOOPBACK && f->kind != IFACE_DUMMY) {
		struct net_addr last = net_addr_v4(net_addr_v4_value(&p->addr) |
						   UINT32_MAX >> p->bits);
		strbuf_printf(out, " brd %s", net_addr_text(&last, text));
	}
	strbuf_printf(out, " scope %s ", scope_of(&p->addr));
	if (v4)
		strbuf_puts(out, f->name);
	strbuf_puts(out, "\\       valid_lft forever preferred_lft forever\n");
}

void netns_print_addrs(const struct netns *ns, const char *dev, struct strbuf *out)
{
	static const uint8_t families[] = { NET_V4, NET_V6 };
	for (uint32_t i = 0; i < ns->iface_count; i++) {
		const struct iface *f = ns->ifaces[i];
		if (dev && strcmp(dev, f->name) != 0)
			continue;
		for (int k = 0; k < 2; k++)
			for (uint32_t j = 0; j < f->addr_count; j++)
				if (f->addrs[j].addr.family == families[k])
					print_addr(f, &f->addrs[j], out);
	}
}

static void print_link(const struct iface *f, struct strbuf *out)
{
	bool lo = f->kind == IFACE_LOOPBACK, dummy = f->kind == IFACE_DUMMY;
	const uint8_t *m = f->mac.bytes;
	strbuf_printf(out, "%u: %s: <", f->number, f->name);
	strbuf_puts(out, lo ? "LOOPBACK" : dummy ? "BROADCAST,NOARP" : "BROADCAST,MULTICAST");
	strbuf_printf(out, "%s> mtu %u qdisc noqueue", f->up ? ",UP,LOWER_UP" : "", lo ? 65536u : 1500u);
	if (f->master)
		strbuf_printf(out, " master %s", f->master->name);
	strbuf_printf(out, " state %s mode DEFAULT group default qlen 1000\\    ",
		      !f->up ? "DOWN" : lo || dummy ? "UNKNOWN" : "UP");
	if (lo)
		strbuf_puts(out, "link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n");
	else
		strbuf_printf(out, "link/ether %02x:%02x:%02x:%02x:%02x:%02x brd ff:ff:ff:ff:ff:ff\n", m[0],
			      m[1], m[2], m[3], m[4], m[5]);
}

void netns_print_links(const struct netns *ns, struct strbuf *out)
{
	for (uint32_t i = 0; i < ns->iface_count; i++)
		print_link(ns->ifaces[i], out);
}

static int compare_entries(const void *left, const void *right)
{
	const struct fib_entry *a = *(const struct fib_entry *const *)left;
	const struct fib_entry *b = *(const struct fib_entry *const *)right;
	int order = net_addr_compare(&a->route.dst.addr, &b->route.dst.addr);
	if (order)
		return order;
	if (a->route.dst.bits != b->route.dst.bits)
		return a->route.dst.bits < b->route.dst.bits ? -1 : 1;
	if (a->route.metric != b->route.metric)
		return a->route.metric < b->route.metric ? -1 : 1;
	return a->route.out_if < b->route.out_if ? -1 : a->route.out_if > b->route.out_if;
}

static const char *kind_text(enum route_kind kind)
{
	switch (kind) {
	case ROUTE_LOCAL:
		return "local ";
	case ROUTE_BLACKHOLE:
		return "blackhole ";
	case ROUTE_UNREACHABLE:
		return "unreachable ";
	case ROUTE_PROHIBIT:
		return "prohibit ";
	default:
		return kind == ROUTE_BROADCAST ? "broadcast " : "";
	}
}

static void print_route(const struct netns *ns, const struct fib_entry *e, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	const struct route *r = &e->route;
	bool v4 = r->dst.addr.family == NET_V4;
	strbuf_puts(out, kind_text(r->kind));
	if (r->dst.bits == 0)
		strbuf_puts(out, "default ");
	else if (r->dst.bits == net_family_bits(r->dst.addr.family))
		strbuf_printf(out, "%s ", net_addr_text(&r->dst.addr, text));
	else
		strbuf_printf(out, "%s ", net_prefix_text(&r->dst, text));
	if (r->via.family != NET_NONE)
		strbuf_printf(out, "via %s ", net_addr_text(&r->via, text));
	if (r->kind == ROUTE_UNICAST || e->kernel)
		strbuf_printf(out, "dev %s ", netns_iface_name(ns, r->out_if));
	if (e->kernel)
		strbuf_puts(out, "proto kernel ");
	if (v4 && r->kind == ROUTE_LOCAL)
		strbuf_puts(out, "scope host ");
	else if (v4 && (r->kind == ROUTE_BROADCAST ||
			(r->kind == ROUTE_UNICAST && r->via.family == NET_NONE)))
		strbuf_puts(out, "scope link ");
	if (v4 && r->preferred.family == NET_V4)
		strbuf_printf(out, "src %s ", net_addr_text(&r->preferred, text));
	if (r->metric || (!v4 && e->kernel))
		strbuf_printf(out, "metric %u ", r->metric);
	if (!v4)
		strbuf_puts(out, "pref medium");
	strbuf_putc(out, '\n');
}

/* The loopback's routes have no entries: made up here, as the kernel lists them. */
static const char loopback4[] =
	"local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1 \n"
	"local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1 \n"
	"broadcast 127.255.255.255 dev lo proto kernel scope link src 127.0.0.1 \n";
static const char loopback6[] = "local ::1 dev lo proto kernel metric 0 pref medium\n";

void netns_print_routes(const struct netns *ns, bool local_table, struct strbuf *out)
{
	const struct fib *fib = local_table ? &ns->local : &ns->main;
	const struct fib_entry **sorted = mem_array(fib->count + 1, sizeof *sorted);
	struct net_addr loopback = net_addr_v4(UINT32_C(0x7f000001));
	uint32_t n = 0;
	for (const struct fib_entry *e = fib->first; e; e = e->next)
		sorted[n++] = e;
	qsort(sorted, n, sizeof *sorted, compare_entries);
	bool told4 = !local_table, told6 = !local_table;
	for (uint32_t i = 0; i < n; i++) {
		bool v6 = sorted[i]->route.dst.addr.family == NET_V6;
		if (!told4 && (v6 || net_addr_compare(&sorted[i]->route.dst.addr, &loopback) > 0)) {
			strbuf_puts(out, loopback4);
			told4 = true;
		}
		if (!told6 && v6) {
			strbuf_puts(out, loopback6);
			told6 = true;
		}
		print_route(ns, sorted[i], out);
	}
	if (!told4)
		strbuf_puts(out, loopback4);
	if (!told6)
		strbuf_puts(out, loopback6);
	free(sorted);
}
