/* userspace/proxy.h: the part of kube-proxy that carries the bytes.
 *
 * One listening socket a service port. A TCP connection is accepted first (the client's
 * handshake is done before any backend is known), then a backend is dialled: up to four,
 * each the next one in the round, with 250 ms, 500 ms, 1 s and 2 s to answer. While one
 * connection is being dialled the next ones of that port wait. Then bytes are copied both
 * ways until either side ends, which ends both. Connections outlive their service port
 * and every change of endpoints; they end with the process.
 *
 * A UDP client has a backend socket of its own until it was idle for a while.
 *
 * Everything runs on the socket class of the node, in the simulator and on real Linux.
 * Source of behaviour: pkg/proxy/userspace/proxysocket.go.
 */
#ifndef USERSPACE_PROXY_H
#define USERSPACE_PROXY_H

#include "core/engine.h"
#include "dataplanes/userspace/balancer.h"

struct proxy_process; /* one kube-proxy's sockets */
struct proxy_port;    /* one service port's listener */

struct proxy_process *proxy_process_new(struct sockets_ref sockets, struct engine *engine,
					struct choice *choice, int64_t udp_idle_ns);
/* As when the process ends: every socket is closed. NULL is allowed. */
void proxy_process_free(struct proxy_process *p);

/* Drops every connection and session without a word to either end, and the clients that
 * the balancers know. */
void proxy_process_forget(struct proxy_process *p);

/* Listens on `port` of all addresses, and holds `node_port` (0: none) so that nobody else
 * takes it. 0 or errno (EADDRINUSE: try another port). */
int proxy_port_open(struct proxy_process *p, uint8_t family, uint8_t proto, uint16_t port,
		    uint16_t node_port, struct proxy_port **out);
/* Stops listening; its connections go on, its UDP sessions end. */
void proxy_port_close(struct proxy_port *port);
struct balancer *proxy_port_balancer(struct proxy_port *port);
/* Bytes copied through user space so far, both ways. */
uint64_t proxy_process_copied(const struct proxy_process *p);

#endif
