/* apps/server.h: the program behind a container's port.
 *
 * TCP (and SCTP connects): an HTTP/1.1 server with keep-alive. Each answer says who
 * answered and whom it saw, in two headers, so that any client, simulated or real,
 * can tell the backend and the source address after NAT:
 *
 *   X-Pod: default/web-0        X-Client: 10.244.1.5:41234
 *
 * UDP: each datagram is answered with "pod=default/web-0 client=10.244.1.5:41234\n"
 * and the datagram's own bytes. What a path serves is asked of `serve`; without it
 * the body is the pod's name and a newline (as agnhost's serve-hostname).
 */
#ifndef APPS_SERVER_H
#define APPS_SERVER_H

#include <stdint.h>

#include "core/strbuf.h"
#include "net/sockets.h"

/* Fills the body for a request, returns the HTTP status. */
typedef int server_serve_fn(void *ctx, const char *method, const char *path, const char *host,
			    struct strbuf *body);

/* Answers with header lines of its own (each with CRLF) and a body; returns the status. */
typedef int server_answer_fn(void *ctx, const char *method, const char *path,
			     struct strbuf *headers, struct strbuf *body);

/* One answered request, for a log. */
struct server_access {
	struct sock_name client;
	const char *method, *path, *agent; /* agent: User-Agent; "" none */
	const char *forwarded;             /* X-Forwarded-For; "" none */
	int status;
	size_t length;
};
typedef void server_access_fn(void *ctx, const struct server_access *access);

struct server_config {
	struct sockets_ref sockets;
	const char *name;          /* what X-Pod says */
	uint8_t proto;
	struct net_addr bind;      /* NET_NONE: all addresses */
	uint16_t port;
	server_serve_fn *serve;    /* NULL: the name */
	server_answer_fn *answer;  /* instead of serve, without X-Pod and X-Client; NULL none */
	server_access_fn *access;  /* NULL none */
	void *ctx;
};

struct server;

/* 0 or errno (EADDRINUSE). */
int server_start(const struct server_config *config, struct server **out);
/* Closes the listener and all connections: `reset` as a killed process's host gone. */
void server_stop(struct server *s, bool reset);
/* Stops accepting, keeps what is open (a program that drains). */
void server_drain(struct server *s);
/* Resets all open connections; goes on accepting. */
void server_drop(struct server *s);
uint64_t server_requests(const struct server *s);
uint32_t server_open_connections(const struct server *s);

#endif
