/* userspace/balancer.h: round robin over the endpoints of one service port.
 *
 * The list is shuffled and the index goes back to the start whenever the set of endpoints
 * changes. With ClientIP affinity a client keeps its endpoint as long as it comes back
 * within the timeout, counted from its last connection.
 *
 * The shuffle is drawn turn by turn, when the round comes to it for the first time: the same
 * orders with the same chances, and whoever asks for the first turn of a proxy whose past he
 * does not know sees that it is each endpoint's alike.
 *
 * Source of behaviour: pkg/proxy/userspace/roundrobin.go.
 */
#ifndef USERSPACE_BALANCER_H
#define USERSPACE_BALANCER_H

#include "core/choice.h"
#include "core/table.h"
#include "dataplanes/kubeproxy/service.h"
#include "net/sockets.h"

struct balancer {
	struct sock_name *endpoints;
	uint32_t *turns;         /* places in `endpoints`: the order of the round */
	uint32_t count, next;
	uint32_t drawn;          /* turns that are settled, the first ones */
	struct choice *choice;   /* NULL: not shuffled */
	bool affinity;
	int64_t timeout_ns;
	struct table clients;    /* net_addr -> what balancer_next gave it */
};

void balancer_init(struct balancer *b);
void balancer_free(struct balancer *b);
/* Takes over the ready endpoints and affinity of a port; choice NULL: not shuffled. */
void balancer_update(struct balancer *b, const struct service_port *p, struct choice *choice);
/* As before the first client, the order of the round included. */
void balancer_forget(struct balancer *b);
/* False: there is no endpoint. reset: the endpoint the client had did not answer. */
bool balancer_next(struct balancer *b, const struct net_addr *client, bool reset, int64_t now_ns,
		   struct sock_name *out);

#endif
