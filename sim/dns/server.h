/* dns/server.h: CoreDNS: query bytes in, answer bytes out.
 *
 * A server is one CoreDNS process: the plugin chains of a Corefile over a view of the
 * cluster and an upstream. It knows no sockets and no clock: the caller hands in a
 * message, how it came and the time, and gets the reply and when it leaves. The same
 * calls in the same order give the same bytes; the only randomness is the loadbalance
 * shuffle, drawn at the choice site "dns-order".
 *
 * Modelled: errors, log, health, ready, prometheus, reload, loop, debug, bind, root
 * (as far as they change answers), loadbalance (round_robin), cache, kubernetes (all
 * options but multicluster; those of the API client have no effect), file, hosts,
 * forward, and the server's own rules: header checks, EDNS, classes, choice of the
 * server block, sizes and truncation. A directive that CoreDNS knows and this does
 * not model is a warning; one that CoreDNS does not know is an error, as there.
 *
 * `forward` goes to the upstream zone file, whatever addresses it names: which of them is
 * chosen (policy, failover, next, health checks) changes nothing. Without an upstream
 * nothing answers: SERVFAIL after 4 s (two tries of 2 s each).
 *
 * Two caches, not to be confused. The `cache` plugin's is part of the behaviour: TTLs
 * count down, changes stay hidden. Behind it, unseen, finished replies are kept by
 * request bytes for as long as they would come out the same (until the view changes,
 * or a counted-down TTL moves on), which makes answering cheap.
 */
#ifndef DNS_SERVER_H
#define DNS_SERVER_H

#include "core/choice.h"
#include "dns/corefile.h"
#include "dns/master.h"
#include "dns/view.h"

struct dns_server;

struct dns_server_config {
	const struct corefile *corefile; /* borrowed for dns_server_new only */
	const struct dns_view *view;     /* borrowed */
	const struct dns_master *upstream; /* borrowed; NULL: nobody answers */
	struct choice *choice;           /* borrowed */
	const struct net_addr *local;    /* addresses of the pod it runs in; copied */
	uint32_t local_count;
	/* It counts as a pod of the Service kube-system/kube-dns, also where none of its
	 * endpoints has one of these addresses. */
	bool is_kube_dns;
	uint16_t port;                   /* which server blocks: those with this port; 0: 53 */
	int64_t epoch_s;                 /* Unix time of virtual time 0 */
	struct strbuf *warnings;         /* lines; may be NULL; used by dns_server_new only */
};

/* EINVAL: the Corefile's meaning is wrong: file:line: what. */
int dns_server_new(const struct dns_server_config *config, struct dns_server **out,
		   struct err *err);
void dns_server_free(struct dns_server *s);

struct dns_client {
	struct net_addr addr;
	uint16_t port;
	bool tcp;
};

/* Answers one message. Appends the reply to `out` and returns true; false: no reply.
 * `*delay_ns` is how long after `now_ns` the reply leaves (0 but for upstreams). */
bool dns_server_answer(struct dns_server *s, const uint8_t *query, size_t length,
		       const struct dns_client *client, int64_t now_ns, struct strbuf *out,
		       int64_t *delay_ns);

/* Whether the `ready` plugin would say so: the view is synced (or no kubernetes). */
bool dns_server_ready(const struct dns_server *s);
/* The ports on which health and ready answer over HTTP; 0: not in the Corefile. */
uint16_t dns_server_health_port(const struct dns_server *s);
uint16_t dns_server_ready_port(const struct dns_server *s);
/* `health { lameduck }`: how long it goes on answering when told to stop. */
int64_t dns_server_lameduck_ns(const struct dns_server *s);
/* `reload`: how often the Corefile is looked at, give or take half the jitter; interval
 * 0: never. */
struct dns_reload { int64_t interval_ns, jitter_ns; };
struct dns_reload dns_server_reload(const struct dns_server *s);

struct dns_server_stats {
	uint64_t queries, replies, cache_hits, cache_misses, finished_hits, forwarded;
};
struct dns_server_stats dns_server_stats(const struct dns_server *s);
/* What changed behind the server: a new view or upstream in the same place. */
void dns_server_forget_finished(struct dns_server *s);

#endif
