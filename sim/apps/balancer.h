/* apps/balancer.h: a load balancer in front of the nodes, as clouds and racks have them.
 *
 * It asks each target's health over HTTP: every 8 s, 1 s for the answer, three failures
 * take a target out, one success puts it back (the figures of GCP's,
 * cloud-provider-gcp). A new target is out until its first answer.
 *
 * With ports it is a proxy: each connection to the virtual address ends here, and another
 * one goes from its own address to a healthy target's node port, in turn; a target that
 * cannot be reached is followed by the next. Without a healthy target the client is reset.
 * Bytes pass in both directions, and so does the end of either. Servers see the balancer's
 * address (or, with policy Cluster, a node's). TCP only.
 *
 * Without ports it only tells which targets are healthy: whoever routes packets to nodes
 * asks it.
 */
#ifndef APPS_BALANCER_H
#define APPS_BALANCER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine.h"
#include "net/sockets.h"

struct balancer_port { uint16_t port, target_port; };

struct balancer_config {
	struct sockets_ref front, back; /* its side to clients and to the targets */
	struct engine *engine;
	struct net_addr address;        /* virtual address: what it listens on */
	const struct balancer_port *ports; /* copied */
	uint32_t port_count;
	uint16_t health_port;
	void (*changed)(void *ctx);     /* other targets are healthy; may be NULL */
	void *ctx;
};

struct balancer;

/* 0 or the errno of binding a port. */
int balancer_start(const struct balancer_config *config, struct balancer **out);
/* Those that stay keep their health. */
void balancer_targets(struct balancer *b, const struct net_addr *targets, uint32_t count);
/* Healthy targets in the order given; a passthrough without any takes all (`last_resort`). */
uint32_t balancer_healthy(const struct balancer *b, struct net_addr *out, uint32_t max,
			  bool last_resort);
void balancer_stop(struct balancer *b);

#endif
