/* dns/loopback.h: a network of one client and one DNS server, nothing between.
 *
 * Sockets whose every datagram or stream to port 53 reaches the given server, at no
 * cost, and comes back when the server says it does. For `svclab resolve`, where the
 * question is what client and server say to each other, not how packets get there;
 * and for tests. Other ports refuse (ECONNREFUSED), as does everything when `server`
 * is NULL.
 */
#ifndef DNS_LOOPBACK_H
#define DNS_LOOPBACK_H

#include "core/choice.h"
#include "core/engine.h"
#include "dns/server.h"
#include "net/sockets.h"

struct loopback;

/* `client` is the source address of what the sockets send. All borrowed. */
struct loopback *loopback_new(struct engine *engine, struct choice *choice,
			      struct dns_server *server, const struct net_addr *client);
void loopback_free(struct loopback *l); /* closes what is still open */
struct sockets_ref loopback_sockets(struct loopback *l);

/* Decides about each query before the server sees it: true loses it. `number` counts
 * from 0. For tests of retries. */
typedef bool loopback_loss_fn(void *ctx, uint32_t number, const uint8_t *bytes, size_t length);
void loopback_lose(struct loopback *l, loopback_loss_fn *fn, void *ctx);

#endif
