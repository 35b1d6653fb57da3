/* linux/ipvs/print.c: what ipvsadm prints, sorted as ipvsadm sorts. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/ipvs/internal.h"

static const char *const protocol_names[] = { "TCP", "UDP", "SCTP" };

static const char *protocol(uint8_t proto)
{
	return protocol_names[proto == PROTO_UDP ? 1 : proto == PROTO_SCTP ? 2 : 0];
}

/* ipvsadm takes the difference of two addresses' 32-bit words as a signed number, so that
 * 192.168.0.1 comes before 10.96.0.1, of which it is more than 2^31 away. */
static int compare_words(const struct net_addr *a, const struct net_addr *b)
{
	int words = a->family == NET_V6 ? 4 : 1;
	for (int i = 0; i < words; i++) {
		uint32_t one, two;
		memcpy(&one, a->bytes + 4 * i, 4);
		memcpy(&two, b->bytes + 4 * i, 4);
		int32_t order = (int32_t)(ntohl(one) - ntohl(two));
		if (order)
			return order < 0 ? -1 : 1;
	}
	return 0;
}

static int compare_endpoints(const struct ipvs_endpoint *a, const struct ipvs_endpoint *b)
{
	int order = (a->mark > b->mark) - (a->mark < b->mark);
	if (!order)
		order = a->addr.family - b->addr.family;
	if (!order)
		order = a->proto - b->proto; /* TCP 6, UDP 17, SCTP 132 */
	if (!order)
		order = compare_words(&a->addr, &b->addr);
	return order ? order : a->port - b->port;
}

typedef int compare_fn(const void *a, const void *b);

static int compare_services(const void *a, const void *b)
{
	return compare_endpoints(&((const struct ipvs_service *)a)->at,
				 &((const struct ipvs_service *)b)->at);
}

static int compare_dests(const void *a, const void *b)
{
	return compare_endpoints(&((const struct ipvs_dest *)a)->at,
				 &((const struct ipvs_dest *)b)->at);
}

/* This order can go round in a circle; what comes out then is up to the sort: halves are
 * merged, as glibc's qsort does that. */
static void merge_sort(void **items, uint32_t count, void **room, compare_fn *compare)
{
	uint32_t half = count / 2, left = 0, right = half;
	if (count < 2)
		return;
	merge_sort(items, half, room, compare);
	merge_sort(items + half, count - half, room, compare);
	for (uint32_t i = 0; i < count; i++) {
		bool first = right == count ||
			     (left < half && compare(items[left], items[right]) <= 0);
		room[i] = items[first ? left++ : right++];
	}
	memcpy(items, room, count * sizeof *items);
}

/* A sorted copy of pointers; the caller frees it. */
static void **sorted(void *const *items, uint32_t count, compare_fn *compare)
{
	void **copy = mem_array(2 * count + 1u, sizeof *copy);
	for (uint32_t i = 0; i < count; i++)
		copy[i] = items[i];
	merge_sort(copy, count, copy + count, compare);
	return copy;
}

static const char *endpoint(const struct ipvs_endpoint *e, char *out)
{
	if (e->mark)
		sprintf(out, "%u", e->mark);
	else
		net_endpoint_text(&e->addr, e->port, out);
	return out;
}

static void print_flags(const struct ipvs_service *s, const char *before, const char *after,
			struct strbuf *out)
{
	const char *separator = before;
	for (int i = 0; i < 2; i++)
		if (s->flags & (i ? SVC_SCHED2 : SVC_SCHED1)) {
			const char *name = s->scheduler->flag_names[i];
			strbuf_printf(out, "%s%s", separator, name ? name : i ? "flag-2" : "flag-1");
			separator = ",";
		}
	if (separator != before)
		strbuf_puts(out, after);
}

static void print_mask(const struct ipvs_service *s, const char *word, struct strbuf *out)
{
	struct net_prefix all = { { .family = NET_V4, .bytes = { 255, 255, 255, 255 } }, s->netmask };
	char text[NET_ADDR_TEXT];
	if (s->at.addr.family == NET_V6) {
		if (s->netmask != 128)
			strbuf_printf(out, "%s%u", word, s->netmask);
		return;
	}
	struct net_addr mask = net_prefix_masked(&all).addr;
	if (s->netmask != 32)
		strbuf_printf(out, "%s%s", word, net_addr_text(&mask, text));
}

/* ---- -Sn ---- */

static const char *option(const struct ipvs_endpoint *e)
{
	return e->mark ? "-f" : e->proto == PROTO_UDP ? "-u" : e->proto == PROTO_SCTP ? "--sctp-service"
										       : "-t";
}

static void save_service(const struct ipvs_service *s, struct strbuf *out)
{
	char text[NET_ADDR_TEXT + 8];
	strbuf_printf(out, "-A %s %s -s %s", option(&s->at), endpoint(&s->at, text), s->scheduler->name);
	if (s->flags & SVC_PERSISTENT) {
		strbuf_printf(out, " -p %u", s->timeout_s);
		print_mask(s, " -M ", out);
	}
	if (s->flags & SVC_ONE_PACKET)
		strbuf_puts(out, " -o");
	print_flags(s, " -b ", "", out);
	strbuf_putc(out, '\n');
}

/* Without the thresholds (-x, -y): ipvsadm -S leaves them out. */
static void save_dest(const struct ipvs_service *s, const struct ipvs_dest *d, struct strbuf *out)
{
	static const char *const methods[] = { "-m", "-g", "-i" };
	char at[NET_ADDR_TEXT + 8], text[NET_ADDR_TEXT + 8];
	strbuf_printf(out, "-a %s %s -r %s %s -w %d", option(&s->at), endpoint(&s->at, at),
		      net_endpoint_text(&d->at.addr, d->at.port, text), methods[d->forward], d->weight);
	if (d->forward == FORWARD_TUNNEL)
		strbuf_puts(out, " --tun-type ipip");
	strbuf_putc(out, '\n');
}

/* ---- -Ln ---- */

static void number(uint64_t n, struct strbuf *out)
{
	if (n < 100000000)
		strbuf_printf(out, " %8llu", (unsigned long long)n);
	else if (n < UINT64_C(100000000000))
		strbuf_printf(out, " %7lluK", (unsigned long long)(n / 1000));
	else
		strbuf_printf(out, " %7lluM", (unsigned long long)(n / 1000000));
}

static void print_stats(const struct ipvs_stats *s, bool rate, struct strbuf *out)
{
	static const struct ipvs_stats none;
	s = rate ? &none : s; /* estimates settle to zero between virtual seconds */
	number(s->conns, out);
	number(s->in_packets, out);
	number(s->out_packets, out);
	number(s->in_bytes, out);
	number(s->out_bytes, out);
	strbuf_putc(out, '\n');
}

static void list_service(const struct ipvs_service *s, enum ipvs_view view, struct strbuf *out)
{
	char text[NET_ADDR_TEXT + 8];
	const char *name = s->at.mark ? "FWM" : protocol(s->at.proto);
	if (view != IPVS_LIST) {
		strbuf_printf(out, "%-4s %-28s", name, endpoint(&s->at, text));
		print_stats(&s->stats, view == IPVS_RATE, out);
		return;
	}
	strbuf_printf(out, "%-4s %s %s", name, endpoint(&s->at, text), s->scheduler->name);
	print_flags(s, " (", ")", out);
	if (s->flags & SVC_PERSISTENT) {
		strbuf_printf(out, " persistent %u", s->timeout_s);
		print_mask(s, " mask ", out);
	}
	if (s->flags & SVC_ONE_PACKET)
		strbuf_puts(out, " ops");
	strbuf_putc(out, '\n');
}

static void list_dest(const struct ipvs_dest *d, enum ipvs_view view, struct strbuf *out)
{
	static const char *const methods[] = { "Masq", "Route", "Tunnel" };
	char text[NET_ADDR_TEXT + 8];
	net_endpoint_text(&d->at.addr, d->at.port, text);
	if (view == IPVS_LIST) {
		strbuf_printf(out, "  -> %-28s %-7s %-6d %-10u %-10u\n", text, methods[d->forward], d->weight,
			      d->active, d->inactive);
		return;
	}
	strbuf_printf(out, "  -> %-28s", text);
	print_stats(&d->stats, view == IPVS_RATE, out);
}

static void header(enum ipvs_view view, struct strbuf *out)
{
	if (view == IPVS_SAVE)
		return;
	strbuf_puts(out, "IP Virtual Server version 1.2.1 (size=4096)\n");
	if (view == IPVS_LIST)
		strbuf_puts(out, "Prot LocalAddress:Port Scheduler Flags\n"
				 "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n");
	else if (view == IPVS_STATS)
		strbuf_puts(out, "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n"
				 "  -> RemoteAddress:Port\n");
	else
		strbuf_puts(out, "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
				 "  -> RemoteAddress:Port\n");
}

/* ---- -Lnc ---- */

static void print_connections(const struct ipvs *v, struct strbuf *out)
{
	char from[NET_ADDR_TEXT + 8], to[NET_ADDR_TEXT + 8], server[NET_ADDR_TEXT + 8];
	int64_t now = ipvs_now(v);
	void *value;
	strbuf_puts(out, "IPVS connection entries\n"
			 "pro expire state       source             virtual            destination\n");
	for (uint32_t i = 0; table_next(&v->conns_in, &i, NULL, &value);) {
		struct ipvs_conn *c = *(struct ipvs_conn **)value;
		int64_t left = c->expires_ns > now ? (c->expires_ns - now) / NS_PER_S : 0;
		strbuf_printf(out, "%-3s %02lld:%02lld  %-11s %-18s %-18s %s\n", protocol(c->in.proto),
			      (long long)(left / 60), (long long)(left % 60), conn_state_name(c),
			      net_endpoint_text(&c->in.from, c->in.from_port, from),
			      net_endpoint_text(&c->in.to, c->in.to_port, to),
			      net_endpoint_text(&c->daddr, c->dport, server));
	}
}

void ipvs_print(const struct ipvs *v, enum ipvs_view view, struct strbuf *out)
{
	if (view == IPVS_CONNECTIONS) {
		print_connections(v, out);
		return;
	}
	header(view, out);
	void **services = sorted((void *const *)v->services, v->service_count, compare_services);
	for (uint32_t i = 0; i < v->service_count; i++) {
		const struct ipvs_service *s = services[i];
		void **dests = sorted((void *const *)s->dests, s->dest_count, compare_dests);
		if (view == IPVS_SAVE)
			save_service(s, out);
		else
			list_service(s, view, out);
		for (uint32_t k = 0; k < s->dest_count; k++) {
			if (view == IPVS_SAVE)
				save_dest(s, dests[k], out);
			else
				list_dest(dests[k], view, out);
		}
		free(dests);
	}
	free(services);
}
