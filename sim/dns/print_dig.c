/* dns/print_dig.c: messages and records as dig 9.18 prints them. */
#include "dns/resolver_internal.h"

#include <string.h>
#include <time.h>

/* Moves to a column with tabs, by at least one character (BIND's indent()). */
static void indent(unsigned *column, unsigned to, struct strbuf *out)
{
	unsigned from = *column;
	if (to < from + 1)
		to = from + 1;
	unsigned tabs = to / 8 - from / 8;
	strbuf_fill(out, '\t', (int)tabs);
	if (tabs)
		from = to / 8 * 8;
	strbuf_fill(out, ' ', (int)(to - from));
	*column = to;
}

static void put(const char *text, unsigned *column, struct strbuf *out)
{
	strbuf_puts(out, text);
	*column += (unsigned)strlen(text);
}

void print_record(const struct dns_rr *rr, struct strbuf *out)
{
	char text[DNS_NAME_TEXT];
	struct strbuf number = { 0 };
	unsigned column = 0;
	put(dns_name_text(rr->owner, text), &column, out);
	indent(&column, 24, out);
	strbuf_printf(&number, "%u", rr->ttl);
	put(strbuf_text(&number), &column, out);
	strbuf_free(&number);
	indent(&column, 32, out);
	put(dns_class_text(rr->class, text), &column, out);
	indent(&column, 40, out);
	put(dns_type_text(rr->type, text), &column, out);
	indent(&column, 48, out);
	dns_rdata_text(rr, out);
	strbuf_putc(out, '\n');
}

static void print_question(const struct dns_question *q, struct strbuf *out)
{
	char text[DNS_NAME_TEXT];
	unsigned column = 0;
	strbuf_putc(out, ';');
	put(dns_name_text(&q->name, text), &column, out);
	indent(&column, 32, out);
	put(dns_class_text(q->class, text), &column, out);
	indent(&column, 40, out);
	put(dns_type_text(q->type, text), &column, out);
	strbuf_putc(out, '\n');
}

static void print_flags(const struct dns_message *m, struct strbuf *out)
{
	static const struct { uint16_t bit; const char *name; } bits[] = {
		{ DNS_QR, "qr" }, { DNS_AA, "aa" }, { DNS_TC, "tc" }, { DNS_RD, "rd" },
		{ DNS_RA, "ra" }, { DNS_AD, "ad" }, { DNS_CD, "cd" }
	};
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		if (m->flags & bits[i].bit)
			strbuf_printf(out, " %s", bits[i].name);
}

static bool is_local(const struct dns_name *n)
{
	static const struct dns_name local = { 7, "\5local" };
	return dns_name_under(n, &local);
}

static void print_header(const struct dns_message *m, bool dig, struct strbuf *out)
{
	char opcode[16], rcode[16];
	if (dig && is_local(&m->question.name))
		strbuf_puts(out, ";; WARNING: .local is reserved for Multicast DNS\n"
				 ";; You are currently testing what happens when an mDNS query is "
				 "leaked to DNS\n");
	strbuf_printf(out, ";; ->>HEADER<<- opcode: %s, status: %s, id: %u\n;; flags:",
		      dns_opcode_text(m->opcode, opcode), dns_rcode_text(m->rcode, rcode), m->id);
	print_flags(m, out);
	strbuf_printf(out, "; QUERY: %u, ANSWER: %u, AUTHORITY: %u, ADDITIONAL: %u\n",
		      m->has_question, m->answer.count, m->authority.count,
		      m->additional.count + m->edns.present);
	if (dig && m->flags & DNS_RD && !(m->flags & DNS_RA))
		strbuf_puts(out, ";; WARNING: recursion requested but not available\n");
	strbuf_putc(out, '\n');
}

static void print_opt(const struct dns_message *m, const uint8_t *cookie, struct strbuf *out)
{
	const struct dns_edns *e = &m->edns;
	if (!e->present)
		return;
	strbuf_printf(out, ";; OPT PSEUDOSECTION:\n; EDNS: version: %u, flags:%s; udp: %u\n",
		      e->version, e->flags & 0x8000 ? " do" : "", e->payload);
	for (unsigned at = 0; at + 4u <= e->options_length;) {
		unsigned code = (unsigned)(e->options[at] << 8 | e->options[at + 1]);
		unsigned length = (unsigned)(e->options[at + 2] << 8 | e->options[at + 3]);
		const uint8_t *data = e->options + at + 4;
		at += 4 + length;
		if (at > e->options_length || code != 10)
			continue;
		strbuf_puts(out, "; COOKIE: ");
		for (unsigned i = 0; i < length; i++)
			strbuf_printf(out, "%02x", data[i]);
		bool echoed = length == 8 && memcmp(data, cookie, 8) == 0;
		strbuf_puts(out, echoed ? " (echoed)\n" : " (good)\n");
	}
}

static void print_section(const char *title, const struct dns_section *s, bool titles,
			  struct strbuf *out)
{
	if (!s->count)
		return;
	if (titles)
		strbuf_printf(out, ";; %s SECTION:\n", title);
	for (uint32_t i = 0; i < s->count; i++)
		print_record(&s->items[i], out);
	if (titles)
		strbuf_putc(out, '\n');
}

static void print_stats(const struct resolver *r, const struct asked *q, struct strbuf *out)
{
	char text[NET_ADDR_TEXT], when[64];
	int64_t now = engine_now(r->config.engine);
	const struct resolver_query *e = &r->result.queries[q->query];
	time_t seconds = (time_t)(r->config.epoch_s + now / NS_PER_S);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	strftime(when, sizeof when, "%a %b %e %H:%M:%S UTC %Y", &tm);
	net_addr_text(&e->server, text);
	strbuf_printf(out,
		      ";; Query time: %lld msec\n;; SERVER: %s#53(%s) (%s)\n;; WHEN: %s\n"
		      ";; MSG SIZE  rcvd: %zu\n\n",
		      (long long)((now - e->sent_ns) / NS_PER_MS), text, text,
		      e->tcp ? "TCP" : "UDP", when, q->reply_bytes);
}

void print_dig_message(const struct resolver *r, const struct asked *q,
		       const struct dig_sections *s, struct strbuf *out)
{
	const struct dns_message *m = q->reply;
	if (s->comments) {
		if (s->cmd)
			strbuf_puts(out, ";; Got answer:\n");
		print_header(m, s->stats, out);
		print_opt(m, r->state, out);
	}
	if (s->question && m->has_question) {
		if (s->comments)
			strbuf_puts(out, ";; QUESTION SECTION:\n");
		print_question(&m->question, out);
		if (s->comments)
			strbuf_putc(out, '\n');
	}
	if (s->answer)
		print_section("ANSWER", &m->answer, s->comments, out);
	if (s->authority)
		print_section("AUTHORITY", &m->authority, s->comments, out);
	if (s->additional)
		print_section("ADDITIONAL", &m->additional, s->comments, out);
	if (s->stats)
		print_stats(r, q, out);
}
