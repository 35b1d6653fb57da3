/* dns/resolver_internal.h: what the resolvers share; see resolver.h.
 *
 * A machine is one program's way of asking: it is told of replies, of its timer and of
 * failed sockets, and answers by sending, waiting or finishing. The asker is the socket
 * with the questions that are out on it; questions keep id and port over retries, as the
 * programs do.
 */
#ifndef DNS_RESOLVER_INTERNAL_H
#define DNS_RESOLVER_INTERNAL_H

#include "dns/resolver.h"

#define QUESTIONS_MAX 80u

struct asked {                   /* one question, from first sending to reply */
	struct dns_name name;
	uint16_t type, id, flags, payload;
	bool cookie;             /* send the run's client cookie */
	bool answered;
	const struct dns_message *reply;
	size_t reply_bytes;
	uint32_t query;          /* its latest entry in result.queries */
	uint8_t slot;            /* in that entry */
};

struct machine {
	/* Reads options, sets up state; EINVAL: the tool's usage error. */
	int (*prepare)(struct resolver *r, struct err *err);
	void (*begin)(struct resolver *r);
	void (*reply)(struct resolver *r, struct asked *q);
	void (*timeout)(struct resolver *r);
	/* The socket failed: ECONNREFUSED and the like, or the stream ended early. */
	void (*failed)(struct resolver *r, int error);
	/* The stream is open. NULL: never used. */
	void (*connected)(struct resolver *r);
};

struct resolver {
	struct resolver_config config;
	struct arena *arena;
	struct resolv_conf conf;
	struct resolver_result result;
	uint32_t query_capacity, address_capacity, round_start;
	resolver_done_fn *fn;
	void *ctx;
	bool done;
	bool *gone;              /* set when the resolver is freed inside its own event */
	struct event_id begin_event, timer;
	const struct machine *machine;
	void *state;             /* the machine's, in the arena */
	struct resolver *inner;  /* a library's run inside a tool's */
	/* the asker */
	struct sock *sock;
	bool stream;
	struct net_addr server;  /* connected to; NET_NONE: not connected */
	struct strbuf stream_in;
	struct asked asked[QUESTIONS_MAX];
	uint32_t asked_count;
};

extern const struct machine machine_glibc, machine_musl, machine_busybox, machine_busybox_old,
	machine_dig, machine_nslookup, machine_host;

/* ---- asking (asker.c) -------------------------------------------------------------- */

/* A datagram socket; server NULL: not connected. 0 or errno. */
int asker_open(struct resolver *r, const struct net_addr *server);
/* A stream; machine->connected comes later. */
int asker_connect(struct resolver *r, const struct net_addr *server);
void asker_close(struct resolver *r);
void asker_forget(struct resolver *r); /* all questions */
struct asked *asker_add(struct resolver *r, const struct dns_name *name, uint16_t type);
/* Sends (again) and records it. `to` for sockets that are not connected. 0 or errno. */
int asker_send(struct resolver *r, struct asked *q, const struct net_addr *to);
/* Sends to further servers, which is not another query in the record. */
int asker_send_also(struct resolver *r, struct asked *q, const struct net_addr *to);
/* The next send of a name begins a new entry. */
void asker_new_round(struct resolver *r);
void asker_wait(struct resolver *r, int64_t delay_ns);
void asker_stop_waiting(struct resolver *r);
/* The client cookie of this run: 8 octets. */
const uint8_t *asker_cookie(struct resolver *r);

/* ---- results (resolver.c) ----------------------------------------------------------- */

void resolver_finish(struct resolver *r);
void resolver_add_address(struct resolver *r, const struct net_addr *addr);
/* Addresses of a type in the answer, aliases' names to `canonical`; smallest TTL. */
void resolver_take_answer(struct resolver *r, const struct dns_message *m, uint16_t type);
/* The library's order of addresses. */
void resolver_sort(struct resolver *r);
/* From the hosts file: addresses of a name; false: none. */
bool resolver_from_hosts(struct resolver *r, const char *name);
/* The first name of an address in the hosts file; NULL: none. */
const char *resolver_host_name(struct resolver *r, const struct net_addr *addr);
/* The n-th server to ask. */
const struct net_addr *resolver_server(const struct resolver *r, uint32_t n);
uint32_t resolver_servers(const struct resolver *r);
/* Appends what an inner run asked. */
void resolver_take_queries(struct resolver *r, const struct resolver_result *from);

/* ---- printing ------------------------------------------------------------------------ */

/* A message as dig shows it (print_dig.c). */
struct dig_sections { bool comments, question, answer, authority, additional, stats, cmd; };
void print_dig_message(const struct resolver *r, const struct asked *q,
		       const struct dig_sections *s, struct strbuf *out);
/* One record in dig's columns. */
void print_record(const struct dns_rr *rr, struct strbuf *out);

#endif
