/* dns/bind.h: what dig, nslookup and host of BIND 9.18 share (bin/dig/dighost.c): one
 * name after another along the search list, one query at a time, each try from a new
 * socket with the same id. */
#ifndef DNS_BIND_H
#define DNS_BIND_H

#include "dns/resolver_internal.h"

struct bind {
	uint8_t cookie[8];           /* first: asker.c sends it */
	/* what to ask */
	struct dns_name names[RESOLV_SEARCH + 1];
	uint32_t count, next;
	uint16_t type, flags, payload;
	bool send_cookie, stream, always_stream;
	/* the query under way */
	uint32_t tries, attempt;     /* over all servers */
	int64_t timeout_ns;
	/* Called with the reply that ends the search, or with NULL when none came. */
	void (*final)(struct resolver *r, struct asked *q);
	/* Called with a reply that does not end it; NULL: nothing to do. */
	void (*passed)(struct resolver *r, struct asked *q);
	/* Called with each reply before anything else; NULL: nothing. */
	void (*seen)(struct resolver *r, struct asked *q, bool last_server);
};

/* The typed name, its type and search list; `search`: use resolv.conf's. */
int bindtool_names(struct resolver *r, bool search, uint32_t ndots, struct err *err);
/* Asks along the list. */
void bindtool_walk(struct resolver *r);
/* Asks one name, without search. */
void bindtool_ask(struct resolver *r, const struct dns_name *name, uint16_t type);
/* Where the aliases of the answer lead from the name asked. */
void bindtool_follow(const struct dns_message *m, struct dns_name *name);
/* Text without the final dot. */
void bindtool_text(const struct dns_name *n, char out[DNS_NAME_TEXT]);

void bindtool_reply(struct resolver *r, struct asked *q);
void bindtool_timeout(struct resolver *r);
void bindtool_failed(struct resolver *r, int error);
void bindtool_connected(struct resolver *r);

#endif
