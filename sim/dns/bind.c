/* dns/bind.c: see bind.h. */
#include "dns/bind.h"

#include <errno.h>
#include <string.h>

void bindtool_text(const struct dns_name *n, char out[DNS_NAME_TEXT])
{
	dns_name_text(n, out);
	size_t length = strlen(out);
	if (length > 1)
		out[length - 1] = 0;
}

int bindtool_names(struct resolver *r, bool search, uint32_t ndots, struct err *err)
{
	struct bind *b = r->state;
	struct dns_name name;
	struct net_addr addr;
	const char *typed = r->config.name;
	size_t length = strlen(typed);
	uint32_t dots = 0;
	if (net_addr_parse(typed, &addr) &&
	    (!r->config.type || strcmp(r->config.type, "PTR") == 0)) {
		dns_name_reverse(&addr, &b->names[b->count++]);
		b->type = DNS_PTR;
		return 0;
	}
	if (!dns_name_parse(typed, &name))
		return err_set(err, EINVAL, "'%s' is not a legal name", typed);
	for (const char *p = typed; *p; p++)
		dots += *p == '.';
	bool first_as_is = !search || dots >= ndots || typed[length - 1] == '.';
	if (first_as_is)
		b->names[b->count++] = name;
	for (uint32_t i = 0; search && typed[length - 1] != '.' && i < r->conf.search_count; i++) {
		struct dns_name full = r->conf.search[i];
		if (dns_name_prepend(&full, name.bytes, name.length - 1u))
			b->names[b->count++] = full;
	}
	if (!first_as_is)
		b->names[b->count++] = name;
	return 0;
}

static void send_try(struct resolver *r)
{
	struct bind *b = r->state;
	const struct net_addr *server = resolver_server(r, b->attempt % resolver_servers(r));
	int code = b->stream ? asker_connect(r, server) : asker_open(r, server);
	asker_new_round(r);
	if (!code && !b->stream)
		code = asker_send(r, &r->asked[0], NULL);
	if (code)
		bindtool_failed(r, code);
	else
		asker_wait(r, b->timeout_ns);
}

void bindtool_connected(struct resolver *r)
{
	asker_send(r, &r->asked[0], NULL);
}

static void ask(struct resolver *r, const struct dns_name *name, uint16_t type)
{
	struct bind *b = r->state;
	asker_forget(r);
	struct asked *q = asker_add(r, name, type);
	q->flags = b->flags;
	q->payload = b->payload;
	q->cookie = b->send_cookie;
	b->attempt = 0;
	send_try(r);
}

void bindtool_ask(struct resolver *r, const struct dns_name *name, uint16_t type)
{
	struct bind *b = r->state;
	struct dns_name copy = *name;
	b->next = b->count; /* no search */
	b->type = type;
	b->stream = b->always_stream;
	ask(r, &copy, type);
}

void bindtool_walk(struct resolver *r)
{
	struct bind *b = r->state;
	b->stream = b->always_stream;
	ask(r, &b->names[b->next++], b->type);
}

void bindtool_follow(const struct dns_message *m, struct dns_name *name)
{
	for (uint32_t links = 0; links <= m->answer.count; links++) {
		uint32_t i = 0;
		while (i < m->answer.count && (m->answer.items[i].type != DNS_CNAME ||
					       !dns_name_equal(m->answer.items[i].owner, name)))
			i++;
		if (i == m->answer.count || !dns_rr_get_target(&m->answer.items[i], name))
			return;
	}
}

void bindtool_reply(struct resolver *r, struct asked *q)
{
	struct bind *b = r->state;
	bool last_server = b->attempt + 1 >= resolver_servers(r);
	asker_stop_waiting(r);
	if (q->reply->flags & DNS_TC && !b->stream) {
		strbuf_puts(&r->result.out, ";; Truncated, retrying in TCP mode.\n");
		b->stream = true;
		struct dns_name name = q->name;
		ask(r, &name, q->type);
		return;
	}
	if (b->seen)
		b->seen(r, q, last_server);
	if (q->reply->rcode == DNS_SERVFAIL && !last_server) {
		b->attempt++;
		q->answered = false;
		send_try(r);
		return;
	}
	if (q->reply->rcode == DNS_NXDOMAIN && b->next < b->count) {
		if (b->passed)
			b->passed(r, q);
		bindtool_walk(r);
		return;
	}
	b->final(r, q);
}

static void next_try(struct resolver *r, const char *why)
{
	struct bind *b = r->state;
	char text[NET_ADDR_TEXT];
	const struct net_addr *server = resolver_server(r, b->attempt % resolver_servers(r));
	strbuf_printf(&r->result.out, ";; communications error to %s#53: %s\n",
		      net_addr_text(server, text), why);
	asker_stop_waiting(r);
	if (++b->attempt < b->tries * resolver_servers(r)) {
		send_try(r);
		return;
	}
	b->final(r, NULL);
}

void bindtool_timeout(struct resolver *r)
{
	next_try(r, "timed out");
}

void bindtool_failed(struct resolver *r, int error)
{
	next_try(r, error == ECONNREFUSED ? "connection refused" :
		    error == EHOSTUNREACH ? "host unreachable" :
		    error == ENETUNREACH  ? "network unreachable" :
		    error == ECONNRESET   ? "connection reset" : "end of file");
}
