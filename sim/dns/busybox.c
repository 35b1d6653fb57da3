/* dns/busybox.c: nslookup of busybox: since 1.29 with a resolver of its own
 * (networking/nslookup.c: no ndots, everything at once from one socket, output in the
 * order of the replies), before that over libc, each address looked up again. */
#include "dns/resolver_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RETRY_NS (NS_PER_S * 5 / 2) /* 5 s, two tries */
#define GIVE_UP_NS (NS_PER_S * 5)

/* ---- its own resolver -------------------------------------------------------------- */

struct busybox {
	struct dns_name names[QUESTIONS_MAX];
	uint16_t types[QUESTIONS_MAX];
	uint32_t count, server, replies;
	int64_t give_up_ns;
	uint32_t servfail_retries;
};

static void name_text(const struct dns_name *n, char out[DNS_NAME_TEXT])
{
	dns_name_text(n, out);
	size_t length = strlen(out);
	if (length > 1)
		out[length - 1] = 0;
}

static void finish_busybox(struct resolver *r, int status)
{
	const char *said = r->result.errors.length ? strbuf_text(&r->result.errors) :
						     strstr(strbuf_text(&r->result.out), "** ");
	r->result.status = status;
	if (said && !r->result.address_count)
		snprintf(r->result.message, sizeof r->result.message, "%.*s",
			 (int)strcspn(said, "\n"), said);
	resolver_finish(r);
}

static void send_round(struct resolver *r)
{
	struct busybox *b = r->state;
	int64_t left = b->give_up_ns - engine_now(r->config.engine);
	asker_new_round(r);
	for (uint32_t i = 0; i < r->asked_count; i++)
		if (!r->asked[i].answered)
			asker_send(r, &r->asked[i], NULL);
	b->servfail_retries = 2 * r->asked_count;
	asker_wait(r, left < RETRY_NS ? left : RETRY_NS);
}

static void ask_server(struct resolver *r)
{
	struct busybox *b = r->state;
	if (b->server >= resolver_servers(r) ||
	    asker_open(r, resolver_server(r, b->server))) {
		strbuf_puts(&r->result.errors,
			    ";; connection timed out; no servers could be reached\n\n");
		finish_busybox(r, 1);
		return;
	}
	b->give_up_ns = engine_now(r->config.engine) + GIVE_UP_NS;
	send_round(r);
}

static void print_mx(const struct dns_rr *rr, const char *owner, struct strbuf *out)
{
	struct dns_name target;
	char text[DNS_NAME_TEXT];
	if (!dns_rr_get_target(rr, &target))
		return;
	name_text(&target, text);
	strbuf_printf(out, "%s\tmail exchanger = %u %s\n", owner, rr->rdata[0] << 8 | rr->rdata[1],
		      text);
}

static void print_answer(struct resolver *r, const struct dns_rr *rr, struct strbuf *out)
{
	char owner[DNS_NAME_TEXT], text[DNS_NAME_TEXT];
	struct net_addr addr;
	struct dns_name target;
	name_text(rr->owner, owner);
	if (dns_rr_get_address(rr, &addr)) {
		strbuf_printf(out, "Name:\t%s\nAddress: %s\n", owner, net_addr_text(&addr, text));
		resolver_add_address(r, &addr);
		return;
	}
	if (rr->type == DNS_MX) {
		print_mx(rr, owner, out);
		return;
	}
	if (rr->type == DNS_SRV && dns_rr_get_target(rr, &target)) {
		const uint8_t *p = rr->rdata;
		name_text(&target, text);
		strbuf_printf(out, "%s\tservice = %u %u %u %s\n", owner, p[0] << 8 | p[1],
			      p[2] << 8 | p[3], p[4] << 8 | p[5], text);
		return;
	}
	if (!dns_rr_get_target(rr, &target)) {
		struct strbuf rdata = { 0 };
		dns_rdata_text(rr, &rdata);
		if (rr->type == DNS_TXT)
			strbuf_printf(out, "%s\ttext = %s\n", owner, strbuf_text(&rdata));
		strbuf_free(&rdata);
		return;
	}
	name_text(&target, text);
	strbuf_printf(out, "%s\t%s = %s\n", owner,
		      rr->type == DNS_CNAME ? "canonical name" :
		      rr->type == DNS_NS    ? "nameserver" : "name", text);
}

static void print_reply(struct resolver *r, const struct asked *q)
{
	struct strbuf *out = &r->result.out;
	char text[DNS_NAME_TEXT], rcode[16];
	const struct dns_message *m = q->reply;
	name_text(&q->name, text);
	if (m->rcode != DNS_NOERROR) {
		strbuf_printf(out, "** server can't find %s: %s\n", text,
			      dns_rcode_text(m->rcode, rcode));
		r->result.status = 1;
	}
	for (uint32_t i = 0; m->rcode == DNS_NOERROR && i < m->answer.count; i++) {
		if (!r->result.ttl || m->answer.items[i].ttl < r->result.ttl)
			r->result.ttl = m->answer.items[i].ttl;
		print_answer(r, &m->answer.items[i], out);
	}
	strbuf_putc(out, '\n');
}

static void busybox_reply(struct resolver *r, struct asked *q)
{
	struct busybox *b = r->state;
	char text[NET_ADDR_TEXT + 8];
	if (q->reply->rcode == DNS_SERVFAIL && b->servfail_retries) {
		b->servfail_retries--;
		q->answered = false;
		asker_send(r, q, NULL);
		return;
	}
	if (!b->replies++) {
		const struct net_addr *server = resolver_server(r, b->server);
		strbuf_printf(&r->result.out, "Server:\t\t%s\n", net_addr_text(server, text));
		strbuf_printf(&r->result.out, "Address:\t%s\n\n",
			      net_endpoint_text(server, 53, text));
	}
	print_reply(r, q);
	if (b->replies == r->asked_count)
		finish_busybox(r, r->result.status);
}

static void busybox_timeout(struct resolver *r)
{
	struct busybox *b = r->state;
	if (engine_now(r->config.engine) < b->give_up_ns) {
		send_round(r);
	} else if (b->replies) {
		finish_busybox(r, r->result.status);
	} else {
		b->server++;
		ask_server(r);
	}
}

static void busybox_failed(struct resolver *r, int error)
{
	struct busybox *b = r->state;
	strbuf_printf(&r->result.errors, "nslookup: read: %s\n", strerror(error));
	b->server++;
	ask_server(r);
}

static void add_name(struct resolver *r, const struct dns_name *name, uint16_t type)
{
	struct busybox *b = r->state;
	if (b->count == QUESTIONS_MAX)
		return;
	b->names[b->count] = *name;
	b->types[b->count++] = type;
}

/* A name without a dot with every search entry; one with a dot as it is. */
static void add_searched(struct resolver *r, const struct dns_name *name, uint16_t type)
{
	bool dotted = strchr(r->config.name, '.') != NULL;
	if (type == DNS_PTR || dotted || !r->conf.search_count) {
		add_name(r, name, type);
		return;
	}
	for (uint32_t i = 0; i < r->conf.search_count; i++) {
		struct dns_name full = r->conf.search[i];
		if (dns_name_prepend(&full, name->bytes, name->length - 1u))
			add_name(r, &full, type);
	}
}

static int busybox_prepare(struct resolver *r, struct err *err)
{
	struct dns_name name;
	struct net_addr addr;
	uint16_t type;
	r->state = arena_alloc(r->arena, sizeof(struct busybox));
	if (!dns_name_parse(r->config.name, &name))
		return err_set(err, EINVAL, "nslookup: invalid name \"%s\"", r->config.name);
	if (r->config.type && !dns_type_parse(r->config.type, &type))
		return err_set(err, EINVAL, "nslookup: invalid query type \"%s\"", r->config.type);
	if (r->config.type) {
		add_searched(r, &name, type);
	} else if (net_addr_parse(r->config.name, &addr)) {
		dns_name_reverse(&addr, &name);
		add_name(r, &name, DNS_PTR);
	} else {
		add_searched(r, &name, DNS_A);
		add_searched(r, &name, DNS_AAAA);
	}
	return 0;
}

static void busybox_begin(struct resolver *r)
{
	struct busybox *b = r->state;
	for (uint32_t i = 0; i < b->count; i++)
		asker_add(r, &b->names[i], b->types[i]);
	ask_server(r);
}

const struct machine machine_busybox = { busybox_prepare, busybox_begin, busybox_reply,
					 busybox_timeout, busybox_failed, NULL };

/* ---- over libc ------------------------------------------------------------------------- */

enum step { STEP_SERVER, STEP_NAME, STEP_ADDRESSES };

struct old {
	enum step step;
	struct net_addr *addresses;  /* to look up by PTR */
	uint32_t count, next;
	uint32_t attempt;
	const char *label;           /* of the block under way */
};

static void old_next_address(struct resolver *r);

static void old_finish(struct resolver *r, int status)
{
	r->result.status = status;
	resolver_finish(r);
}

static void inner_done(void *ctx, struct resolver *inner, const struct resolver_result *result)
{
	struct resolver *r = ctx;
	struct old *o = r->state;
	(void)inner;
	resolver_take_queries(r, result);
	r->result.rcode = result->rcode;
	r->result.ttl = result->ttl;
	r->result.error = result->error;
	strcpy(r->result.message, result->message);
	if (result->error) {
		/* musl's text follows the name, glibc's does not (it is what h_errno lacks). */
		bool musl = r->config.kind == RESOLVER_BUSYBOX_MUSL;
		strbuf_printf(&r->result.errors, "nslookup: can't resolve '%s'%s%s\n",
			      r->config.name, musl ? ": " : "", musl ? result->message : "");
		old_finish(r, 1);
		return;
	}
	strbuf_printf(&r->result.out, "Name:      %s\n", r->config.name);
	o->count = result->address_count;
	o->addresses = arena_array(r->arena, o->count + 1u, sizeof *o->addresses);
	for (uint32_t i = 0; i < o->count; i++) {
		o->addresses[i] = result->addresses[i];
		resolver_add_address(r, &result->addresses[i]);
	}
	o->next = 0;
	o->step = STEP_ADDRESSES;
	old_next_address(r);
}

static void old_ask_name(struct resolver *r)
{
	struct resolver_config config = r->config;
	struct err err;
	config.kind = r->config.kind == RESOLVER_BUSYBOX_MUSL ? RESOLVER_MUSL : RESOLVER_GLIBC;
	if (resolver_start(&config, inner_done, r, &r->inner, &err)) {
		strbuf_printf(&r->result.errors, "nslookup: can't resolve '%s'\n", r->config.name);
		old_finish(r, 1);
	}
}

static void print_address(struct resolver *r, const char *name)
{
	struct old *o = r->state;
	char text[NET_ADDR_TEXT];
	strbuf_printf(&r->result.out, "Address %u: %s%s%s\n", o->next + 1,
		      net_addr_text(&o->addresses[o->next], text), name ? " " : "",
		      name ? name : "");
	o->next++;
	old_next_address(r);
}

/* The block is complete: after the server comes the name, after the name the end. */
static void block_done(struct resolver *r)
{
	struct old *o = r->state;
	if (o->step == STEP_ADDRESSES) {
		old_finish(r, 0);
		return;
	}
	strbuf_putc(&r->result.out, '\n');
	o->step = STEP_NAME;
	old_ask_name(r);
}

static void old_send(struct resolver *r)
{
	struct old *o = r->state;
	const struct net_addr *server = resolver_server(r, o->attempt % resolver_servers(r));
	if (!r->sock && asker_open(r, server)) {
		print_address(r, NULL);
		return;
	}
	asker_send(r, &r->asked[0], NULL);
	asker_wait(r, (int64_t)r->conf.timeout_s * NS_PER_S);
}

static void old_next_address(struct resolver *r)
{
	struct old *o = r->state;
	struct dns_name name;
	asker_stop_waiting(r);
	asker_close(r);
	if (o->next >= o->count) {
		block_done(r);
		return;
	}
	const char *host = resolver_host_name(r, &o->addresses[o->next]);
	if (host) {
		print_address(r, host);
		return;
	}
	asker_new_round(r);
	asker_forget(r);
	dns_name_reverse(&o->addresses[o->next], &name);
	asker_add(r, &name, DNS_PTR);
	o->attempt = 0;
	old_send(r);
}

static void old_reply(struct resolver *r, struct asked *q)
{
	struct dns_name target;
	char text[DNS_NAME_TEXT];
	for (uint32_t i = 0; i < q->reply->answer.count; i++) {
		const struct dns_rr *rr = &q->reply->answer.items[i];
		if (rr->type != DNS_PTR || !dns_rr_get_target(rr, &target))
			continue;
		name_text(&target, text);
		print_address(r, text);
		return;
	}
	print_address(r, NULL);
}

static void old_timeout(struct resolver *r)
{
	struct old *o = r->state;
	if (++o->attempt >= r->conf.attempts * resolver_servers(r)) {
		print_address(r, NULL);
		return;
	}
	if (resolver_servers(r) > 1)
		asker_close(r);
	old_send(r);
}

static void old_failed(struct resolver *r, int error)
{
	(void)error;
	asker_close(r);
	old_timeout(r);
}

static int old_prepare(struct resolver *r, struct err *err)
{
	struct dns_name name;
	r->state = arena_alloc(r->arena, sizeof(struct old));
	if (!dns_name_parse(r->config.name, &name))
		return err_set(err, EINVAL, "nslookup: invalid name \"%s\"", r->config.name);
	return 0;
}

static void old_begin(struct resolver *r)
{
	struct old *o = r->state;
	if (r->config.kind == RESOLVER_BUSYBOX_MUSL && !r->config.server) {
		/* musl does not tell which server it will ask. */
		strbuf_puts(&r->result.errors,
			    "nslookup: can't resolve '(null)': Name does not resolve\n\n");
		o->step = STEP_NAME;
		old_ask_name(r);
		return;
	}
	char text[NET_ADDR_TEXT];
	o->addresses = arena_array(r->arena, 1, sizeof *o->addresses);
	o->addresses[0] = *resolver_server(r, 0);
	o->count = 1;
	strbuf_printf(&r->result.out, "Server:    %s\n", net_addr_text(&o->addresses[0], text));
	old_next_address(r);
}

const struct machine machine_busybox_old = { old_prepare, old_begin, old_reply, old_timeout,
					     old_failed, NULL };
