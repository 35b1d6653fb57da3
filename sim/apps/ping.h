/* apps/ping.h: the ping program: echo requests and what comes back. */
#ifndef APPS_PING_H
#define APPS_PING_H

#include <stdint.h>

#include "core/engine.h"
#include "net/sockets.h"

struct pinger_config {
	struct sockets_ref sockets;
	struct engine *engine;
	struct net_addr remote;
	struct sock_options options;
	uint32_t count;
	int64_t interval_ns, timeout_ns; /* between requests; after the last one */
};

struct echo { /* one request */
	int64_t sent_ns, rtt_ns;    /* rtt -1: no answer */
	int error;                  /* errno of the send, or of an ICMP error */
	uint8_t ttl, icmp_type, icmp_code;
	struct net_addr from;
};

struct pinger_result {
	int error;                  /* errno of the last failed send, or of an ICMP error; 0 none */
	uint32_t sent, received, errors;
	uint8_t icmp_type, icmp_code, ttl; /* last error or reply */
	struct net_addr icmp_from;
	struct echo *echoes;        /* `sent` of them, in order; the pinger's */
	int64_t ended_ns;
};

struct pinger;
typedef void pinger_done_fn(void *ctx, struct pinger *p, const struct pinger_result *result);

/* 0, or the errno of opening the socket. */
int pinger_start(const struct pinger_config *config, pinger_done_fn *fn, void *ctx,
		 struct pinger **out);
void pinger_free(struct pinger *p);

#endif
