/* apps/balancer_internal.h: what the files of the load balancer share. */
#ifndef APPS_BALANCER_INTERNAL_H
#define APPS_BALANCER_INTERNAL_H

#include "apps/balancer.h"
#include "apps/client.h"

struct target {
	struct balancer *owner;
	struct target *next;
	struct net_addr addr;
	struct client *client;         /* the check under way */
	struct event_id timer;         /* the next one */
	int64_t checked_ns;
	uint32_t failures;
	bool healthy;
};

struct listener {
	struct balancer *owner;
	struct sock *sock;
	uint16_t target_port;
};

struct pipe;

struct balancer {
	struct balancer_config config;
	struct listener *listeners;
	uint32_t listener_count;
	struct target *targets;
	struct pipe *pipes;
	uint32_t turn;                 /* of the next connection */
};

/* ---- balancer_pipe.c ---- */

/* Handler of the listeners; `ctx` is the struct listener. */
sock_event_fn pipe_accept;
void pipes_free(struct balancer *b);

#endif
