/* apps/coredns.h: the CoreDNS program in a pod: dns/server.h on sockets.
 *
 * Listens on UDP and TCP port 53 and answers from its own view of the cluster, which
 * follows the store after the watch delay; health (8080) and ready (8181) answer over
 * HTTP as the plugins do, where the Corefile has them. A view that is not synced yet
 * makes `ready` say 503; the program waits up to 5 s for it before it serves.
 *
 * A changed Corefile takes effect with `reload` in it: the kubelet writes the ConfigMap
 * into the pod's volume when it next looks after the pod (every 60 to 90 s: site
 * "kubelet-sync"), the plugin finds it there at its next look (its interval, give or take
 * half the jitter: site "reload"), and a new server with an empty cache takes over
 * once it has listed the API. A Corefile that is wrong changes nothing and is a warning.
 *
 * Stopping: coredns_stop closes all; coredns_drain is SIGTERM with `health
 * { lameduck }`: it goes on answering for that time, unready, then closes its sockets;
 * coredns_stop still frees it.
 */
#ifndef APPS_COREDNS_H
#define APPS_COREDNS_H

#include "core/choice.h"
#include "core/engine.h"
#include "dns/server.h"
#include "net/sockets.h"

struct coredns_config {
	struct sockets_ref sockets;
	struct engine *engine;
	struct choice *choice;
	struct kube_store *store;
	int64_t watch_delay_ns;           /* from a change in the store to the view */
	int64_t sync_delay_ns;            /* from the start until the view is synced */
	const struct dns_master *upstream; /* borrowed; NULL: nobody answers */
	const struct net_addr *local;     /* the pod's addresses */
	uint32_t local_count;
	const char *domain;               /* for kubeadm's Corefile when there is no ConfigMap */
	int64_t epoch_s;
	int64_t answer_ns;                /* time one answer takes */
	struct strbuf *warnings;          /* may be NULL */
};

struct coredns;

/* 0, EINVAL (Corefile) or the errno of binding port 53. */
int coredns_start(const struct coredns_config *config, struct coredns **out, struct err *err);
void coredns_stop(struct coredns *c, bool reset);
void coredns_drain(struct coredns *c);
bool coredns_ready(const struct coredns *c);
struct dns_server_stats coredns_stats(const struct coredns *c);

#endif
