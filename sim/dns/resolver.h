/* dns/resolver.h: the programs that ask: C libraries and tools.
 *
 * A resolver is one run of one program in one network namespace: getaddrinfo of glibc
 * 2.36 or musl, nslookup of busybox (before 1.29, over libc, and after, with its own
 * resolver), and dig, nslookup and host of BIND 9.18. Given the pod's resolv.conf and
 * hosts file and a name, it sends the queries that program sends, in that order, from
 * those sockets, with its retries and timeouts, and ends with what the program
 * returns and prints. It works on net/sockets.h and the engine only, so it runs over
 * any dataplane; each is a state machine that is woken by a reply or by its timer.
 *
 * What was asked is recorded: one entry per name and round (types sent together), each
 * retry a new entry.
 *
 * Random: message ids and, through the sockets, source ports: choice site "dns-id".
 */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include "core/choice.h"
#include "core/engine.h"
#include "core/strbuf.h"
#include "dns/wire.h"
#include "net/sockets.h"

/* ---- resolv.conf ----------------------------------------------------------- */

#define RESOLV_SERVERS 3u
#define RESOLV_SEARCH 32u

struct resolv_conf {
	struct net_addr servers[RESOLV_SERVERS];
	uint32_t server_count;         /* 0: the program asks 127.0.0.1 */
	struct dns_name search[RESOLV_SEARCH];
	uint32_t search_count;
	uint32_t ndots;                /* 1 */
	uint32_t timeout_s, attempts;  /* 5, 2 */
	bool single_request, single_request_reopen, use_vc, rotate, edns0, no_tld_query, no_aaaa;
};

/* Never fails: what a line says wrong is ignored, as libc does. */
void resolv_conf_parse(const char *text, struct resolv_conf *out);

/* ---- a run ----------------------------------------------------------------- */

enum resolver_kind {
	RESOLVER_GLIBC,        /* getaddrinfo, AF_UNSPEC, AI_ADDRCONFIG as curl and ping use it */
	RESOLVER_MUSL,         /* getaddrinfo of 1.2.3 */
	RESOLVER_GETENT,       /* getent hosts: AAAA along the search list, then A */
	RESOLVER_BUSYBOX_OLD,  /* nslookup before 1.29, over a libc like glibc's */
	RESOLVER_BUSYBOX_MUSL, /* the same over musl, which cannot tell it the server */
	RESOLVER_BUSYBOX,      /* nslookup with its own resolver */
	RESOLVER_DIG, RESOLVER_NSLOOKUP, RESOLVER_HOST
};

struct resolver_config {
	enum resolver_kind kind;
	struct sockets_ref sockets;
	struct engine *engine;
	struct choice *choice;
	const char *resolv_conf, *hosts; /* texts of the files; NULL: empty */
	const char *name;                /* as typed; an address means PTR for tools */
	const char *type;                /* NULL: what the program asks by default */
	const char *server;              /* address to ask instead; NULL: resolv.conf's */
	/* Further words of a tool's command line, by blanks: "+short +tcp -x". */
	const char *options;
	bool has_v4, has_v6;             /* the pod has a global address of the family */
	/* IPv6 is switched off: not even a link-local address, so that AI_ADDRCONFIG leaves
	 * AAAA out (a link-local one counts for it). */
	bool no_ipv6;
	struct sock_options socket;      /* trace, mark: for every socket it opens */
	int64_t epoch_s;                 /* Unix time of virtual time 0: dig's WHEN line */
};

struct resolver_query {              /* one round of queries for one name */
	struct dns_name name;
	uint16_t types[2];
	int rcodes[2];                   /* -1: unanswered */
	uint8_t count;
	bool same_source_port, tcp;
	uint16_t source_port;            /* of the first */
	int64_t sent_ns;
	struct net_addr server;
};

struct resolver_result {
	/* getaddrinfo's outcome, for the libraries: 0, or the library's EAI number, and its
	 * text. Tools: 0. */
	int error;
	char message[128];
	int status;                      /* exit status of a tool (0 for a library's success) */
	int rcode;                       /* of the last reply; -1: no reply at all */
	struct net_addr *addresses;      /* in order of arrival, A before AAAA for libraries */
	uint32_t address_count;
	uint32_t ttl;                    /* smallest in the last answer; 0 none */
	struct dns_name canonical;       /* length 0: none */
	struct strbuf out, errors;       /* what it prints on stdout and stderr */
	struct resolver_query *queries;
	uint32_t query_count;
	int64_t started_ns, ended_ns;
};

struct resolver;
typedef void resolver_done_fn(void *ctx, struct resolver *r, const struct resolver_result *result);

/* 0, or EINVAL with what is wrong with name, type, server or options (the tool's own
 * usage errors). `fn` is called once, never before this returns. The texts of the
 * configuration are copied. */
int resolver_start(const struct resolver_config *config, resolver_done_fn *fn, void *ctx,
		   struct resolver **out, struct err *err);
/* At any time; before the end this cancels it. */
void resolver_free(struct resolver *r);
/* The result so far; complete after `fn`. */
const struct resolver_result *resolver_result(const struct resolver *r);
/* Appends what a terminal shows: out and errors in the order of writing. */
void resolver_transcript(const struct resolver *r, struct strbuf *out);

/* Which library an image's programs resolve with: MUSL where its name says alpine, else
 * GLIBC. */
enum resolver_kind resolver_kind_of_image(const char *image);
/* Which nslookup it has: busybox before 1.29 BUSYBOX_OLD, alpine before 3.11
 * BUSYBOX_MUSL, later busybox and alpine BUSYBOX, others BIND's NSLOOKUP. */
enum resolver_kind resolver_nslookup_of_image(const char *image);

/* ---- a pod's files --------------------------------------------------------- */

struct kube_pod;
struct kube_store;
/* What the kubelet writes to a pod's /etc/resolv.conf and /etc/hosts. `node_conf` is
 * the node's resolv.conf; `domain` the cluster domain; the nameserver is the kube-dns
 * Service's ClusterIP, or 10.96.0.10. Warnings (limits) are lines; may be NULL. */
void pod_resolv_conf(const struct kube_pod *pod, const struct kube_store *store,
		     const char *domain, const char *node_conf, struct strbuf *out,
		     struct strbuf *warnings);
void pod_hosts_file(const struct kube_pod *pod, const char *domain, struct strbuf *out);

#endif
