/* dns/musl.c: getaddrinfo of musl 1.2.3 (src/network/lookup_name.c, res_msend.c): every
 * server is asked at once from one unconnected socket, the first usable answer counts;
 * what is missing is asked again after timeout / attempts. A truncated answer is used as
 * it is. */
#include "dns/resolver_internal.h"

#include <string.h>

struct musl {
	struct dns_name name;
	bool impossible;           /* no such name can be asked: nothing is */
	unsigned dots;
	bool trailing_dot;
	uint32_t next_search;
	uint16_t types[2];
	uint8_t count;
	int64_t give_up_ns;
	unsigned servfail_retries;
};

static void finish(struct resolver *r, int error)
{
	const char *text = error == -3 ? "Try again" :
			   error == -4 ? "Non-recoverable error" : "Name does not resolve";
	r->result.error = error;
	strcpy(r->result.message, error ? text : "");
	resolver_sort(r);
	resolver_finish(r);
}

static int64_t retry_ns(const struct resolver *r)
{
	uint32_t attempts = r->conf.attempts ? r->conf.attempts : 1;
	return (int64_t)r->conf.timeout_s * NS_PER_S / attempts;
}

static void send_one(struct resolver *r, struct asked *q)
{
	asker_send(r, q, resolver_server(r, 0));
	for (uint32_t i = 1; i < resolver_servers(r); i++)
		asker_send_also(r, q, resolver_server(r, i));
}

/* Sends what is not answered yet and waits for the next round. */
static void send_round(struct resolver *r)
{
	struct musl *m = r->state;
	int64_t left = m->give_up_ns - engine_now(r->config.engine);
	asker_new_round(r);
	for (uint32_t i = 0; i < r->asked_count; i++)
		if (!r->asked[i].answered)
			send_one(r, &r->asked[i]);
	m->servfail_retries = 2u * r->asked_count;
	asker_wait(r, left < retry_ns(r) ? left : retry_ns(r));
}

static void ask_name(struct resolver *r, const struct dns_name *name)
{
	struct musl *m = r->state;
	asker_forget(r);
	for (uint8_t i = 0; i < m->count; i++)
		asker_add(r, name, m->types[i]);
	m->give_up_ns = engine_now(r->config.engine) + (int64_t)r->conf.timeout_s * NS_PER_S;
	if (asker_open(r, NULL)) {
		finish(r, -3);
		return;
	}
	send_round(r);
}

static void next_candidate(struct resolver *r)
{
	struct musl *m = r->state;
	bool search = m->dots < r->conf.ndots && !m->trailing_dot;
	while (search && m->next_search < r->conf.search_count) {
		struct dns_name full = r->conf.search[m->next_search++];
		if (!dns_name_prepend(&full, m->name.bytes, m->name.length - 1u))
			continue;
		ask_name(r, &full);
		return;
	}
	if (m->next_search > r->conf.search_count) {
		finish(r, -2);
		return;
	}
	m->next_search = r->conf.search_count + 1;
	ask_name(r, &m->name);
}

/* Both are answered, or the time is up. */
static void evaluate(struct resolver *r)
{
	struct musl *m = r->state;
	asker_stop_waiting(r);
	asker_close(r);
	for (uint32_t i = 0; i < r->asked_count; i++) {
		const struct dns_message *reply = r->asked[i].answered ? r->asked[i].reply : NULL;
		if (!reply) {
			finish(r, -3);
			return;
		}
		if (reply->rcode == DNS_NXDOMAIN) {
			next_candidate(r);
			return;
		}
	}
	for (uint8_t i = 0; i < m->count; i++)
		resolver_take_answer(r, r->asked[i].reply, m->types[i]);
	finish(r, r->result.address_count ? 0 : -2);
}

static void reply(struct resolver *r, struct asked *q)
{
	struct musl *m = r->state;
	if (q->reply->rcode == DNS_SERVFAIL && m->servfail_retries) {
		m->servfail_retries--;
		q->answered = false;
		asker_send(r, q, resolver_server(r, 0));
		return;
	}
	if (q->reply->rcode != DNS_NOERROR && q->reply->rcode != DNS_NXDOMAIN) {
		q->answered = false; /* ignored: the next round asks again */
		return;
	}
	for (uint32_t i = 0; i < r->asked_count; i++)
		if (!r->asked[i].answered)
			return;
	evaluate(r);
}

static void timeout(struct resolver *r)
{
	struct musl *m = r->state;
	/* A real clock has always moved on by a little more: no round in the last moment. */
	if (engine_now(r->config.engine) + NS_PER_MS >= m->give_up_ns)
		evaluate(r);
	else
		send_round(r);
}

static void failed(struct resolver *r, int error)
{
	(void)r, (void)error; /* an unconnected socket is not told of refusals */
}

static int prepare(struct resolver *r, struct err *err)
{
	struct musl *m = arena_alloc(r->arena, sizeof *m);
	const char *name = r->config.name;
	size_t length = strlen(name);
	r->state = m;
	(void)err;
	m->impossible = !dns_name_parse(name, &m->name);
	for (const char *p = name; *p; p++)
		m->dots += *p == '.';
	m->trailing_dot = length && name[length - 1] == '.';
	m->types[m->count++] = DNS_A;
	if (!r->config.no_ipv6)
		m->types[m->count++] = DNS_AAAA;
	if (r->conf.timeout_s == 0)
		r->conf.timeout_s = 1;
	return 0;
}

static void begin(struct resolver *r)
{
	struct musl *m = r->state;
	struct net_addr addr;
	bool numeric = net_addr_parse(r->config.name, &addr);
	if (numeric)
		resolver_add_address(r, &addr);
	if (numeric || resolver_from_hosts(r, r->config.name)) {
		finish(r, 0);
		return;
	}
	if (m->impossible) {
		finish(r, -2);
		return;
	}
	next_candidate(r);
}

const struct machine machine_musl = { prepare, begin, reply, timeout, failed, NULL };
