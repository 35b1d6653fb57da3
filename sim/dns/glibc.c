/* dns/glibc.c: getaddrinfo and getent of glibc 2.36.
 *
 * The search is that of resolv/res_query.c, the exchange with the servers that of
 * resolv/res_send.c: both queries of a name leave from one connected socket; a server
 * that fails, or none that answers, means the next server and then the next attempt;
 * one answer of two within the timeout switches to asking one after the other, then
 * from a new socket as well.
 */
#include "dns/resolver_internal.h"

#include <stdlib.h>
#include <string.h>

enum outcome { NAME_FOUND, NAME_HOST_NOT_FOUND, NAME_NO_DATA, NAME_TRY_AGAIN, NAME_NO_RECOVERY };
enum answer { ANSWER_NONE, ANSWER_GOOD, ANSWER_BAD };

struct glibc {
	/* the search */
	struct dns_name name;
	bool impossible;               /* no such name can be asked: nothing is */
	unsigned dots;
	bool trailing_dot, as_is_tried, searched, root_on_list;
	uint32_t next_search;
	bool got_no_data, got_servfail;
	int saved;                     /* outcome of the first try as it is; -1 none */
	enum outcome outcome;
	/* the exchange */
	uint16_t types[2];
	uint8_t count;
	enum answer answers[2];
	uint32_t attempt, server;
	bool single, reopen, stream;
	uint8_t sent;                  /* of the types, in single mode */
	bool somewhere;
	bool servfail_seen;            /* the last reply to the first query */
	bool by_family;                /* getent: AAAA, then A */
	uint8_t family_step;
};

static void send_both(struct resolver *r);
static void next_candidate(struct resolver *r);

/* ---- the end ---------------------------------------------------------------------- */

static void finish(struct resolver *r)
{
	static const struct { int error; const char *text; } errors[] = {
		[NAME_FOUND] = { 0, "" },
		[NAME_HOST_NOT_FOUND] = { -2, "Name or service not known" },
		[NAME_NO_DATA] = { -5, "No address associated with hostname" },
		[NAME_TRY_AGAIN] = { -3, "Temporary failure in name resolution" },
		[NAME_NO_RECOVERY] = { -4, "Non-recoverable failure in name resolution" },
	};
	struct glibc *g = r->state;
	enum outcome o = g->outcome;
	if (o == NAME_FOUND && !r->result.address_count)
		o = NAME_HOST_NOT_FOUND; /* an alias that leads nowhere */
	r->result.error = errors[o].error;
	strcpy(r->result.message, errors[o].text);
	resolver_sort(r);
	if (r->config.kind == RESOLVER_GETENT) {
		char name[DNS_NAME_TEXT], text[NET_ADDR_TEXT];
		dns_name_text(&r->result.canonical, name);
		size_t length = strlen(name);
		if (length > 1)
			name[length - 1] = 0;
		for (uint32_t i = 0; i < r->result.address_count; i++)
			strbuf_printf(&r->result.out, "%-15s %s\n",
				      net_addr_text(&r->result.addresses[i], text),
				      name[0] ? name : r->config.name);
		r->result.status = r->result.address_count ? 0 : 2;
	}
	resolver_finish(r);
}

/* getent has asked for AAAA in vain: the whole search again for A. */
static bool second_family(struct resolver *r)
{
	struct glibc *g = r->state;
	if (!g->by_family || g->family_step || r->result.address_count)
		return false;
	g->family_step = 1;
	g->types[0] = DNS_A;
	g->as_is_tried = g->searched = g->got_no_data = g->got_servfail = false;
	g->root_on_list = false;
	g->next_search = 0;
	g->saved = -1;
	asker_new_round(r);
	next_candidate(r);
	return true;
}

static void search_failed(struct resolver *r)
{
	struct glibc *g = r->state;
	if (g->saved >= 0)
		g->outcome = (enum outcome)g->saved;
	else if (g->got_no_data)
		g->outcome = NAME_NO_DATA;
	else if (g->got_servfail)
		g->outcome = NAME_TRY_AGAIN;
	if (!second_family(r))
		finish(r);
}

/* ---- the search ----------------------------------------------------------------------- */

static void ask_name(struct resolver *r, const struct dns_name *name)
{
	struct glibc *g = r->state;
	asker_forget(r);
	for (uint8_t i = 0; i < g->count; i++) {
		struct asked *q = asker_add(r, name, g->types[i]);
		q->payload = r->conf.edns0 ? 1200 : 0;
	}
	g->attempt = g->server = 0;
	g->stream = r->conf.use_vc;
	g->somewhere = false;
	g->servfail_seen = false;
	send_both(r);
}

static void try_as_is(struct resolver *r)
{
	struct glibc *g = r->state;
	g->as_is_tried = true;
	ask_name(r, &g->name);
}

static bool searches(const struct resolver *r)
{
	const struct glibc *g = r->state;
	return !g->trailing_dot && g->next_search < r->conf.search_count;
}

/* The next name to ask, or the end. */
static void next_candidate(struct resolver *r)
{
	struct glibc *g = r->state;
	if (!g->as_is_tried && !g->searched && (g->dots >= r->conf.ndots || g->trailing_dot)) {
		try_as_is(r);
		return;
	}
	while (searches(r)) {
		struct dns_name full = r->conf.search[g->next_search++];
		g->searched = true;
		g->root_on_list |= full.length <= 1;
		if (!dns_name_prepend(&full, g->name.bytes, g->name.length - 1u))
			continue;
		ask_name(r, &full);
		return;
	}
	if ((g->dots || !g->searched || !r->conf.no_tld_query) && !g->as_is_tried &&
	    !g->root_on_list) {
		try_as_is(r);
		return;
	}
	search_failed(r);
}

/* One name has been asked and did not give an answer. */
static void candidate_failed(struct resolver *r)
{
	struct glibc *g = r->state;
	bool was_as_is = g->as_is_tried;
	asker_close(r);
	if (was_as_is && !g->searched && g->next_search == 0) {
		g->saved = (int)g->outcome;
		if (g->trailing_dot)
			search_failed(r);
		else
			next_candidate(r);
		return;
	} else if (was_as_is && g->saved < 0) {
		search_failed(r); /* the last one */
		return;
	}
	switch (g->outcome) {
	case NAME_NO_DATA:
		g->got_no_data = true;
		break;
	case NAME_HOST_NOT_FOUND:
		break;
	case NAME_TRY_AGAIN:
		if (g->servfail_seen) {
			g->got_servfail = true;
			break;
		}
		g->next_search = r->conf.search_count;
		break;
	default:
		g->next_search = r->conf.search_count;
		break;
	}
	next_candidate(r);
}

/* ---- one name's replies ------------------------------------------------------------------ */

static const struct dns_message *good_reply(const struct resolver *r, uint8_t i)
{
	const struct glibc *g = r->state;
	return i < g->count && g->answers[i] == ANSWER_GOOD ? r->asked[i].reply : NULL;
}

static bool has_answer(const struct dns_message *m)
{
	return m && m->rcode == DNS_NOERROR && m->answer.count;
}

/* All that will come for this name has come: is it an answer? */
static void candidate_done(struct resolver *r)
{
	struct glibc *g = r->state;
	const struct dns_message *first = r->asked[0].reply;
	const struct dns_message *second = g->count > 1 ? good_reply(r, 1) : NULL;
	asker_stop_waiting(r);
	if (has_answer(good_reply(r, 0)) || has_answer(second)) {
		g->outcome = NAME_FOUND;
		for (uint8_t i = 0; i < g->count; i++)
			resolver_take_answer(r, good_reply(r, i), g->types[i]);
		asker_close(r);
		if (!second_family(r))
			finish(r);
		return;
	}
	uint16_t code = first ? first->rcode : DNS_SERVFAIL;
	if (code == DNS_NOERROR && second)
		code = second->rcode;
	switch (code) {
	case DNS_NXDOMAIN:
		g->outcome = NAME_HOST_NOT_FOUND;
		break;
	case DNS_SERVFAIL:
		g->outcome = NAME_TRY_AGAIN;
		break;
	case DNS_NOERROR:
		g->outcome = NAME_NO_DATA;
		break;
	default:
		g->outcome = NAME_NO_RECOVERY;
		break;
	}
	candidate_failed(r);
}

/* ---- the exchange ----------------------------------------------------------------------- */

static int64_t timeout_ns(const struct resolver *r)
{
	const struct glibc *g = r->state;
	int64_t seconds = (int64_t)r->conf.timeout_s << g->server;
	if (g->server > 0)
		seconds /= resolver_servers(r);
	return (seconds > 0 ? seconds : 1) * NS_PER_S;
}

/* This server gave nothing: the next one, then the next attempt, then no more. */
static void next_server(struct resolver *r)
{
	struct glibc *g = r->state;
	asker_stop_waiting(r);
	if (++g->server >= resolver_servers(r)) {
		g->server = 0;
		g->attempt += g->stream ? r->conf.attempts : 1;
	}
	if (resolver_servers(r) > 1)
		asker_close(r);
	if (g->attempt < r->conf.attempts) {
		send_both(r);
		return;
	}
	g->outcome = NAME_TRY_AGAIN;
	if (!g->somewhere) { /* refused everywhere: the search stops at once */
		g->got_no_data = g->got_servfail = false;
		g->saved = -1;
		asker_close(r);
		if (!second_family(r))
			finish(r);
		return;
	}
	candidate_failed(r);
}

static void send_one(struct resolver *r, uint8_t i)
{
	struct glibc *g = r->state;
	r->asked[i].answered = false;
	g->sent = (uint8_t)(i + 1);
	if (r->sock)
		asker_send(r, &r->asked[i], NULL);
}

static void send_both(struct resolver *r)
{
	struct glibc *g = r->state;
	const struct net_addr *server = resolver_server(r, g->server);
	int code = 0;
	g->answers[0] = g->answers[1] = ANSWER_NONE;
	if (g->stream) {
		code = asker_connect(r, server); /* sends when connected */
	} else {
		if (!r->sock)
			code = asker_open(r, server);
		bool one_by_one = g->single || g->reopen;
		for (uint8_t i = 0; !code && i < (one_by_one ? 1 : g->count); i++)
			send_one(r, i);
	}
	if (code)
		next_server(r);
	else
		asker_wait(r, g->stream ? 127 * NS_PER_S : timeout_ns(r));
}

static void connected(struct resolver *r)
{
	struct glibc *g = r->state;
	for (uint8_t i = 0; i < g->count; i++)
		send_one(r, i);
}

/* SERVFAIL, NOTIMP, REFUSED. */
static void bad_answer(struct resolver *r, uint8_t i)
{
	struct glibc *g = r->state;
	uint8_t other = (uint8_t)(1 - i);
	if (i == 0)
		g->servfail_seen = r->asked[0].reply->rcode == DNS_SERVFAIL;
	g->answers[i] = ANSWER_BAD;
	bool one_by_one = g->single || g->reopen;
	if (g->count == 1 || (one_by_one && g->answers[other] == ANSWER_NONE)) {
		asker_close(r);
		next_server(r);
	} else if (g->answers[other] == ANSWER_NONE) {
		return; /* the other one may still come */
	} else if (g->answers[0] == ANSWER_GOOD) {
		candidate_done(r);
	} else {
		next_server(r);
	}
}

static void good_answer(struct resolver *r, uint8_t i)
{
	struct glibc *g = r->state;
	g->answers[i] = ANSWER_GOOD;
	if (g->count == 1 || g->answers[1 - i] != ANSWER_NONE) {
		candidate_done(r);
		return;
	}
	if ((!g->single && !g->reopen) || g->stream || g->sent >= g->count)
		return;
	if (g->reopen)
		asker_open(r, resolver_server(r, g->server));
	send_one(r, (uint8_t)(1 - i));
}

static void reply(struct resolver *r, struct asked *q)
{
	struct glibc *g = r->state;
	const struct dns_message *m = q->reply;
	uint8_t i = (uint8_t)(q - r->asked);
	bool lame = m->rcode == DNS_NOERROR && !m->answer.count &&
		    !(m->flags & (DNS_AA | DNS_RA)) && !m->additional.count && !m->edns.present;
	g->somewhere = true;
	if (m->flags & DNS_TC && !g->stream) {
		g->stream = true;
		send_both(r);
	} else if (m->rcode == DNS_SERVFAIL || m->rcode == DNS_NOTIMP || m->rcode == DNS_REFUSED ||
		   lame) {
		bad_answer(r, i);
	} else {
		good_answer(r, i);
	}
}

static void timeout(struct resolver *r)
{
	struct glibc *g = r->state;
	bool some = g->answers[0] != ANSWER_NONE || (g->count > 1 && g->answers[1] != ANSWER_NONE);
	g->somewhere = true;
	if (!some || g->stream) {
		next_server(r);
	} else if (!g->single) {
		g->single = true;
		send_both(r);
	} else if (!g->reopen) {
		g->reopen = true;
		asker_close(r);
		send_both(r);
	} else {
		candidate_done(r);
	}
}

static void failed(struct resolver *r, int error)
{
	(void)error;
	asker_close(r);
	next_server(r);
}

/* ---- start --------------------------------------------------------------------------------- */

static int prepare(struct resolver *r, struct err *err)
{
	struct glibc *g = arena_alloc(r->arena, sizeof *g);
	const char *name = r->config.name;
	size_t length = strlen(name);
	r->state = g;
	g->saved = -1;
	(void)err;
	g->impossible = !dns_name_parse(name, &g->name);
	for (const char *p = name; *p; p++)
		g->dots += *p == '.';
	g->trailing_dot = length && name[length - 1] == '.';
	g->by_family = r->config.kind == RESOLVER_GETENT;
	g->single = r->conf.single_request || r->conf.single_request_reopen;
	g->reopen = r->conf.single_request_reopen;
	bool no_v6 = r->config.no_ipv6 || r->conf.no_aaaa;
	if (g->by_family) {
		g->types[g->count++] = no_v6 ? DNS_A : DNS_AAAA;
		g->by_family = !no_v6;
	} else {
		g->types[g->count++] = DNS_A;
		if (!no_v6)
			g->types[g->count++] = DNS_AAAA;
	}
	return 0;
}

static void begin(struct resolver *r)
{
	struct glibc *g = r->state;
	struct net_addr addr;
	bool numeric = net_addr_parse(r->config.name, &addr);
	if (numeric)
		resolver_add_address(r, &addr);
	if (numeric || resolver_from_hosts(r, r->config.name)) {
		g->outcome = NAME_FOUND;
		finish(r);
		return;
	}
	if (g->impossible) {
		g->outcome = NAME_HOST_NOT_FOUND;
		finish(r);
		return;
	}
	next_candidate(r);
}

const struct machine machine_glibc = { prepare, begin, reply, timeout, failed, connected };
