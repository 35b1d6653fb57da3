/* userspace/balancer.h: round robin over the endpoints of one service port.
 *
 * The list is shuffled and the index goes back to the start whenever the set of endpoints
 * changes. With ClientIP affinity a client keeps its endpoint as long as it comes back
 * within the timeout, counted from its last connection.
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
	uint32_t count, next;
	bool affinity;
	int64_t timeout_ns;
	struct table clients;    /* net_addr -> what balancer_next gave it */
};

void balancer_init(struct balancer *b);
void balancer_free(struct balancer *b);
/* Takes over the ready endpoints and affinity of a port; choice NULL: not shuffled. */
void balancer_update(struct balancer *b, const struct service_port *p, struct choice *choice);
/* As before the first client. */
void balancer_forget(struct balancer *b);
/* False: there is no endpoint. reset: the endpoint the client had did not answer. */
bool balancer_next(struct balancer *b, const struct net_addr *client, bool reset, int64_t now_ns,
		   struct sock_name *out);

#endif
