/* linux/conntrack_print.c: the text of conntrack 1.4.7, `-L` and `-E`. */
#include <string.h>

#include "linux/conntrack_internal.h"

/* The kernel counts in ticks: what happens within one leaves a timeout as it was. */
#define TICKS_PER_S 250
#define TICK_NS (NS_PER_S / TICKS_PER_S)

const char *ct_tcp_state_name(enum ct_tcp_state s)
{
	static const char *const names[] = { "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT",
					     "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
					     "SYN_SENT2" };
	return names[s];
}

const char *ct_sctp_state_name(enum ct_sctp_state s)
{
	static const char *const names[] = { "NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED",
					     "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
					     "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT" };
	return names[s];
}

static void print_tuple(const struct flow_key *k, struct strbuf *out)
{
	char src[NET_ADDR_TEXT], dst[NET_ADDR_TEXT];
	strbuf_printf(out, "src=%s dst=%s ", net_addr_text(&k->src, src),
		      net_addr_text(&k->dst, dst));
	switch (k->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_SCTP:
		strbuf_printf(out, "sport=%u dport=%u ", k->src_port, k->dst_port);
		break;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		strbuf_printf(out, "type=%u code=%u id=%u ", k->dst_port >> 8, k->dst_port & 0xff,
			      k->src_port);
		break;
	default:
		break;
	}
}

static const char *protocol_name(uint8_t proto)
{
	switch (proto) {
	case PROTO_ICMP6:
		return "icmpv6";
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_SCTP:
	case PROTO_ICMP:
		return proto_name(proto);
	default:
		return "unknown";
	}
}

void ct_print_entry(const struct ct_entry *e, enum ct_event event, bool list, struct strbuf *out)
{
	uint8_t proto = e->tuple[DIR_ORIGINAL].proto;
	int64_t left = (e->expires_ns / TICK_NS - ct_now(e->owner) / TICK_NS) / TICKS_PER_S;
	strbuf_printf(out, "%-8s %u ", protocol_name(proto), proto);
	if (left > 0 || event != CT_EVENT_DESTROY)
		strbuf_printf(out, "%lld ", left > 0 ? (long long)left : 0LL);
	if (proto == PROTO_TCP)
		strbuf_printf(out, "%s ", ct_tcp_state_name(e->tcp.state));
	else if (proto == PROTO_SCTP)
		strbuf_printf(out, "%s ", ct_sctp_state_name(e->sctp_state));
	print_tuple(&e->tuple[DIR_ORIGINAL], out);
	if (!(e->status & CTS_SEEN_REPLY))
		strbuf_puts(out, "[UNREPLIED] ");
	print_tuple(&e->tuple[DIR_REPLY], out);
	if (e->status & CTS_ASSURED)
		strbuf_puts(out, "[ASSURED] ");
	if (e->mark || list)
		strbuf_printf(out, "mark=%u ", e->mark);
	if (e->zone)
		strbuf_printf(out, "zone=%u ", e->zone);
	if (list)
		strbuf_puts(out, "use=1 ");
	out->data[--out->length] = '\0'; /* the last blank */
}

void conntrack_print(const struct conntrack *ct, uint8_t family, struct strbuf *out)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&ct->entries, &i, &key, &value);) {
		const struct ct_entry *e = *(struct ct_entry **)value;
		const struct ct_key *k = key;
		/* Two keys an entry: told at its first, which for most is the original one. */
		bool first = memcmp(&k->flow, &e->tuple[DIR_ORIGINAL], sizeof k->flow) == 0 ||
			     e->status & CTS_NAT_CLASH;
		if (!first || e->expires_ns <= ct_now(ct) ||
		    (family && e->tuple[DIR_ORIGINAL].src.family != family))
			continue;
		ct_print_entry(e, CT_EVENT_NEW, true, out);
		strbuf_putc(out, '\n');
	}
}

/* Whoever watches sees entries go when their time is up, not when somebody meets them. */
static void on_expiry(void *ctx)
{
	struct conntrack *ct = ctx;
	void *value;
	int64_t next_ns = INT64_MAX, now_ns = ct_now(ct);
	for (uint32_t i = 0; table_next(&ct->entries, &i, NULL, &value);) {
		struct ct_entry *e = *(struct ct_entry **)value;
		if (e->expires_ns <= now_ns)
			ct_kill(e);
		else if (e->expires_ns < next_ns)
			next_ns = e->expires_ns;
	}
	if (next_ns != INT64_MAX)
		ct->expiry = engine_at(ct->ns->env->engine, next_ns, on_expiry, ct);
}

void ct_notify(struct conntrack *ct, const struct ct_entry *e, enum ct_event event)
{
	static const char *const names[] = { "    [NEW] ", " [UPDATE] ", "[DESTROY] " };
	struct strbuf line = { 0 };
	if (!ct->watch)
		return;
	strbuf_puts(&line, names[event]);
	ct_print_entry(e, event, false, &line);
	ct->watch(ct->watch_ctx, line.data);
	strbuf_free(&line);
	if (event == CT_EVENT_NEW && !engine_pending(ct->ns->env->engine, ct->expiry))
		ct->expiry = engine_at(ct->ns->env->engine, e->expires_ns, on_expiry, ct);
}

void conntrack_watch(struct conntrack *ct, void (*fn)(void *ctx, const char *line), void *ctx)
{
	ct->watch = fn;
	ct->watch_ctx = ctx;
	engine_cancel(ct->ns->env->engine, &ct->expiry);
	if (fn)
		on_expiry(ct);
}

void conntrack_print_stats(const struct conntrack *ct, struct strbuf *out)
{
	const struct ct_stats *s = &ct->stats;
	strbuf_printf(out,
		      "cpu=0   \tfound=%llu invalid=%llu insert=0 insert_failed=%llu drop=%llu "
		      "early_drop=0 error=0 search_restart=0 clash_resolve=%llu chaintoolong=0 \n",
		      (unsigned long long)s->found, (unsigned long long)s->invalid,
		      (unsigned long long)s->insert_failed, (unsigned long long)s->drop,
		      (unsigned long long)s->clash_resolve);
}
