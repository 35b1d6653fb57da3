/* dns/nslookup.c: nslookup and host of BIND 9.18: along the search list until a name
 * exists, then the other types for the name that was found. No EDNS. */
#include "dns/bind.h"

#include <errno.h>
#include <string.h>

struct lookup {
	struct bind bind;            /* first */
	bool any_type;               /* none was given: A, AAAA (host: and MX) */
	bool reverse;
	bool header;                 /* nslookup: Server and Address are printed */
	bool found;                  /* an address was printed */
	struct dns_name target;      /* where the aliases of the name lead */
};

static int prepare_lookup(struct resolver *r, uint32_t tries, struct err *err)
{
	struct lookup *l = arena_alloc(r->arena, sizeof *l);
	char *copy = arena_strdup(r->arena, r->config.options), *save = NULL;
	const char *type = r->config.type;
	r->state = l;
	for (const char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		const char *value = strchr(w, '=');
		if (value && (strncmp(w, "-type=", 6) == 0 || strncmp(w, "-query=", 7) == 0 ||
			      strncmp(w, "-q=", 3) == 0 || strncmp(w, "-querytype=", 11) == 0))
			type = value + 1;
		else if (strcmp(w, "-t") == 0)
			type = strtok_r(NULL, " ", &save);
		else if (strcmp(w, "-4") != 0)
			return err_set(err, EINVAL, "*** Invalid option: %s", w + (w[0] == '-'));
	}
	l->bind = (struct bind){ .type = DNS_A, .flags = DNS_RD, .tries = tries,
				 .timeout_ns = 5 * NS_PER_S };
	l->any_type = !type;
	if (type && !dns_type_parse(type, &l->bind.type))
		return err_set(err, EINVAL, "unknown query type: %s", type);
	r->config.type = type;
	struct net_addr addr;
	if (net_addr_parse(r->config.name, &addr)) {
		l->reverse = true;
		l->any_type = false;
		r->config.type = NULL;
	}
	l->bind.always_stream = l->bind.type == DNS_ANY;
	return bindtool_names(r, true, r->conf.ndots, err);
}

static void unreachable(struct resolver *r, const char *end)
{
	strbuf_printf(&r->result.out, ";; no servers could be reached\n%s", end);
	r->result.status = 1;
	resolver_finish(r);
}

/* ---- nslookup ---------------------------------------------------------------------- */

static void nslookup_seen(struct resolver *r, struct asked *q, bool last_server)
{
	struct bind *b = r->state;
	char text[NET_ADDR_TEXT];
	bool servfail = q->reply->rcode == DNS_SERVFAIL;
	if (!servfail && (q->reply->flags & DNS_RA || r->config.server))
		return; /* of a server that was named, recursion is not expected */
	const struct net_addr *server = resolver_server(r, b->attempt % resolver_servers(r));
	strbuf_printf(&r->result.out, ";; Got %s from %s%s\n",
		      servfail ? "SERVFAIL reply" : "recursion not available",
		      net_addr_text(server, text),
		      servfail && !last_server ? ", trying next server" : "");
}

static void nslookup_header(struct resolver *r)
{
	struct lookup *l = r->state;
	char text[NET_ADDR_TEXT];
	if (l->header || l->reverse)
		return;
	l->header = true;
	const struct net_addr *server =
		resolver_server(r, l->bind.attempt % resolver_servers(r));
	net_addr_text(server, text);
	strbuf_printf(&r->result.out, "Server:\t\t%s\nAddress:\t%s#53\n\n", text, text);
}

static void nslookup_soa(const struct dns_rr *rr, const char *owner, struct strbuf *out)
{
	static const char *const fields[] = { "\torigin = ", "\tmail addr = ", "\tserial = ",
					      "\trefresh = ", "\tretry = ", "\texpire = ",
					      "\tminimum = " };
	struct strbuf text = { 0 };
	char *save = NULL;
	dns_rdata_text(rr, &text);
	strbuf_printf(out, "%s\n", owner);
	int i = 0;
	for (char *w = strtok_r(text.data, " ", &save); w && i < 7;
	     w = strtok_r(NULL, " ", &save)) {
		size_t length = strlen(w);
		if (i < 2 && length > 1)
			w[length - 1] = 0;
		strbuf_printf(out, "%s%s\n", fields[i++], w);
	}
	strbuf_free(&text);
}

static void nslookup_record(struct resolver *r, const struct dns_rr *rr)
{
	struct strbuf *out = &r->result.out;
	char owner[DNS_NAME_TEXT], text[NET_ADDR_TEXT], type[16];
	struct net_addr addr;
	const char *title = "";
	bindtool_text(rr->owner, owner);
	if (dns_rr_get_address(rr, &addr)) {
		strbuf_printf(out, "Name:\t%s\nAddress: %s\n", owner, net_addr_text(&addr, text));
		return;
	}
	switch (rr->type) {
	case DNS_SOA:
		nslookup_soa(rr, owner, out);
		return;
	case DNS_CNAME:
		title = "canonical name";
		break;
	case DNS_PTR:
		title = "name";
		break;
	case DNS_MX:
		title = "mail exchanger";
		break;
	case DNS_NS:
		title = "nameserver";
		break;
	case DNS_TXT:
		title = "text";
		break;
	case DNS_SRV:
		title = "service";
		break;
	default:
		strbuf_printf(out, "%s\trdata_%u = ", owner, rr->type);
		(void)type;
		dns_rdata_text(rr, out);
		strbuf_putc(out, '\n');
		return;
	}
	strbuf_printf(out, "%s\t%s = ", owner, title);
	dns_rdata_text(rr, out);
	strbuf_putc(out, '\n');
}

static void nslookup_end(struct resolver *r, int status)
{
	strbuf_putc(&r->result.out, '\n');
	r->result.status = status;
	resolver_finish(r);
}

/* The name as it is shown in errors: as typed, or what is asked after the first. */
static void shown_name(struct resolver *r, const struct asked *q, char out[DNS_NAME_TEXT])
{
	const struct lookup *l = r->state;
	if (l->reverse || (l->any_type && q->type == DNS_AAAA)) {
		bindtool_text(&q->name, out);
		return;
	}
	strncpy(out, r->config.name, DNS_NAME_TEXT - 1);
	out[DNS_NAME_TEXT - 1] = 0;
	size_t length = strlen(out);
	if (length > 1 && out[length - 1] == '.')
		out[length - 1] = 0;
}

static void nslookup_final(struct resolver *r, struct asked *q)
{
	struct lookup *l = r->state;
	struct strbuf *out = &r->result.out;
	char name[DNS_NAME_TEXT], rcode[16];
	if (!q) {
		unreachable(r, "\n");
		return;
	}
	const struct dns_message *m = q->reply;
	nslookup_header(r);
	shown_name(r, q, name);
	if (m->rcode != DNS_NOERROR) {
		strbuf_printf(out, "** server can't find %s: %s\n", name,
			      dns_rcode_text(m->rcode, rcode));
		nslookup_end(r, 1);
		return;
	}
	if (m->answer.count && !(m->flags & DNS_AA) && !(l->any_type && q->type == DNS_AAAA))
		strbuf_puts(out, "Non-authoritative answer:\n");
	for (uint32_t i = 0; i < m->answer.count; i++)
		nslookup_record(r, &m->answer.items[i]);
	resolver_take_answer(r, m, DNS_A);
	resolver_take_answer(r, m, DNS_AAAA);
	l->found |= m->answer.count > 0;
	if (l->any_type && q->type == DNS_A) {
		l->target = q->name;
		bindtool_follow(m, &l->target);
		bindtool_ask(r, &l->target, DNS_AAAA);
		return;
	}
	if (!l->found)
		strbuf_printf(out, "*** Can't find %s: No answer\n", name);
	nslookup_end(r, 0);
}

static int nslookup_prepare(struct resolver *r, struct err *err)
{
	int code = prepare_lookup(r, 3, err);
	struct lookup *l = r->state;
	l->bind.final = nslookup_final;
	l->bind.seen = nslookup_seen;
	return code;
}

const struct machine machine_nslookup = { nslookup_prepare, bindtool_walk, bindtool_reply,
					  bindtool_timeout, bindtool_failed,
					  bindtool_connected };

/* ---- host ---------------------------------------------------------------------------- */

static void host_record(struct resolver *r, const struct dns_rr *rr)
{
	static const struct { uint16_t type; const char *verb; } verbs[] = {
		{ DNS_A, "has address" }, { DNS_AAAA, "has IPv6 address" },
		{ DNS_CNAME, "is an alias for" }, { DNS_PTR, "domain name pointer" },
		{ DNS_MX, "mail is handled by" }, { DNS_NS, "name server" },
		{ DNS_TXT, "descriptive text" }, { DNS_SRV, "has SRV record" },
		{ DNS_SOA, "has SOA record" },
	};
	struct strbuf *out = &r->result.out;
	char owner[DNS_NAME_TEXT], type[16];
	const char *verb = NULL;
	bindtool_text(rr->owner, owner);
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (verbs[i].type == rr->type)
			verb = verbs[i].verb;
	if (verb)
		strbuf_printf(out, "%s %s ", owner, verb);
	else
		strbuf_printf(out, "%s has %s record ", owner, dns_type_text(rr->type, type));
	dns_rdata_text(rr, out);
	strbuf_putc(out, '\n');
}

static void host_failed(struct resolver *r, const struct asked *q)
{
	const struct lookup *l = r->state;
	char name[DNS_NAME_TEXT], rcode[16];
	if (l->reverse)
		dns_name_text(&q->name, name);
	else
		shown_name(r, q, name);
	strbuf_printf(&r->result.out, "Host %s not found: %u(%s)\n", name, q->reply->rcode,
		      dns_rcode_text(q->reply->rcode, rcode));
	r->result.status = 1;
	resolver_finish(r);
}

static void host_final(struct resolver *r, struct asked *q)
{
	struct lookup *l = r->state;
	char name[DNS_NAME_TEXT], type[16];
	if (!q) {
		unreachable(r, "");
		return;
	}
	const struct dns_message *m = q->reply;
	if (m->rcode != DNS_NOERROR) {
		host_failed(r, q);
		return;
	}
	for (uint32_t i = 0; i < m->answer.count; i++)
		host_record(r, &m->answer.items[i]);
	resolver_take_answer(r, m, DNS_A);
	resolver_take_answer(r, m, DNS_AAAA);
	if (l->any_type && q->type == DNS_A) {
		l->target = q->name;
		bindtool_follow(m, &l->target);
		bindtool_ask(r, &l->target, DNS_AAAA);
		return;
	}
	if (l->any_type && q->type == DNS_AAAA) {
		bindtool_ask(r, &l->target, DNS_MX);
		return;
	}
	if (!l->any_type && !m->answer.count) {
		bindtool_text(&q->name, name);
		strbuf_printf(&r->result.out, "%s has no %s record\n", name,
			      dns_type_text(q->type, type));
	}
	resolver_finish(r);
}

static void host_begin(struct resolver *r)
{
	if (r->config.server)
		strbuf_printf(&r->result.out,
			      "Using domain server:\nName: %s\nAddress: %s#53\nAliases: \n\n",
			      r->config.server, r->config.server);
	bindtool_walk(r);
}

static int host_prepare(struct resolver *r, struct err *err)
{
	int code = prepare_lookup(r, 2, err);
	struct lookup *l = r->state;
	l->bind.final = host_final;
	return code;
}

const struct machine machine_host = { host_prepare, host_begin, bindtool_reply, bindtool_timeout,
				      bindtool_failed, bindtool_connected };
