/* userspace/internal.h: what proxy.c and session.c share. */
#ifndef USERSPACE_INTERNAL_H
#define USERSPACE_INTERNAL_H

#include "dataplanes/userspace/proxy.h"
#include "net/packet.h"

struct connection;
struct session;

struct proxy_process {
	struct sockets_ref sockets;
	struct engine *engine;
	struct choice *choice;
	int64_t udp_idle_ns;
	struct proxy_port *ports;
	struct connection *connections;
	uint64_t copied;
};

struct proxy_port {
	struct proxy_process *process;
	struct proxy_port *next, *previous;
	struct sock *listener, *held;
	struct balancer balancer;
	struct connection *dialling;       /* whose backend is being dialled */
	struct connection *line, *line_end; /* who waits for that */
	struct table sessions;             /* UDP: client -> struct session * */
};

/* A datagram came in at a UDP port. */
void session_on_listener(void *ctx, struct sock *s, const struct sock_event *event);
void session_end_all(struct proxy_port *port);

#endif
