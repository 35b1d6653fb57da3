/* apps/client.h: one HTTP request or datagram, and what came of it.
 *
 * A client connects (or sends a datagram), asks, reads one answer and reports. It
 * learns backend and source address from the answer (apps/server.h), so the result
 * has the same form on simulated and real sockets. With keep_open the connection
 * stays and client_again asks once more on it.
 *
 * The owner frees the client at any time; before the report this cancels it.
 */
#ifndef APPS_CLIENT_H
#define APPS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine.h"
#include "core/strbuf.h"
#include "net/sockets.h"

struct client_config {
	struct sockets_ref sockets;
	struct engine *engine;
	uint8_t proto;              /* PROTO_TCP, PROTO_UDP, PROTO_SCTP */
	struct sock_name remote;
	struct sock_options options;
	const char *method, *path, *host; /* NULL: GET, /, the remote address */
	const char *data;           /* body or datagram; NULL none */
	const char *headers;        /* lines with CRLF instead of User-Agent; NULL none */
	int64_t timeout_ns;         /* for the whole request; 0: as the socket gives up */
	bool connect_only, keep_open;
};

struct client_result {
	int error;                  /* 0, errno of the socket, or ETIMEDOUT */
	int64_t started_ns, connected_ns, ended_ns;
	struct sock_name local, peer;
	char backend[192];          /* X-Pod; "" unknown */
	struct sock_name seen;      /* X-Client */
	int http_status;            /* 0: no answer */
	struct strbuf head;         /* status line and headers, as received */
	struct strbuf body;
	uint8_t icmp_type, icmp_code;
	struct net_addr icmp_from;
};

struct client;
typedef void client_done_fn(void *ctx, struct client *c, const struct client_result *result);

/* 0, or the errno of connect(): then nothing was made and no report comes. */
int client_start(const struct client_config *config, client_done_fn *fn, void *ctx,
		 struct client **out);
/* Another request on a kept connection: 0, or ENOTCONN when it is gone. */
int client_again(struct client *c, const char *path, const char *data);
/* Closes a kept connection: with FIN or RST. */
void client_close(struct client *c, bool reset);
bool client_is_open(const struct client *c);
void client_free(struct client *c);

#endif
