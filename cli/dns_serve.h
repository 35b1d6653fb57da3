/* cli/dns_serve.h: real sockets for a DNS server: UDP and TCP on one address, epoll.
 *
 * One thread; datagrams are read and written in batches. Each TCP client has a small
 * buffer and a deadline; a client that does not read is not read from either. Replies
 * that leave later (a slow upstream) wait in order of time. Bounded: clients, waiting
 * replies and bytes per client have limits, and what is over them is dropped.
 */
#ifndef CLI_DNS_SERVE_H
#define CLI_DNS_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "dns/server.h"
#include "net/sockets.h"

struct dns_service;

struct dns_service_options {
	struct sock_name listen;     /* port 0: any */
	/* The server that answers now; asked for before each batch. */
	struct dns_server *(*server)(void *ctx);
	/* Called at least every `tick_ms`; 0: never. */
	void (*tick)(void *ctx, int64_t now_ns);
	int tick_ms;
	void *ctx;
};

int dns_service_open(const struct dns_service_options *options, struct dns_service **out,
		     struct err *err);
/* The address it listens on. */
struct sock_name dns_service_address(const struct dns_service *s);
/* Serves until SIGTERM or SIGINT comes. 0, or the errno of waiting. */
int dns_service_run(struct dns_service *s, struct err *err);
void dns_service_close(struct dns_service *s);

#endif
