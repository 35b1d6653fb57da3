/* linux/ipvs/internal.h: what the files of IPVS share.
 *
 * Terms as in the kernel: a service is a virtual server, a dest a real server, a
 * connection an entry of the connection table; a template is the connection that holds a
 * client of a persistent service. A dest that is removed while connections point to it
 * waits in the trash and comes back, counters and all, when it is added again.
 */
#ifndef LINUX_IPVS_INTERNAL_H
#define LINUX_IPVS_INTERNAL_H

#include "core/engine.h"
#include "core/table.h"
#include "linux/hook.h"
#include "linux/ipvs/ipvs.h"
#include "net/addr.h"
#include "net/packet.h"

enum ipvs_flag { /* of a service */
	SVC_PERSISTENT = 1, SVC_ONE_PACKET = 4, SVC_SCHED1 = 8, SVC_SCHED2 = 16, SVC_SCHED3 = 32
};
enum ipvs_forward { FORWARD_MASQ, FORWARD_ROUTE, FORWARD_TUNNEL };

struct ipvs_stats { uint64_t conns, in_packets, out_packets, in_bytes, out_bytes; };

struct ipvs_endpoint { /* no padding left unset */
	struct net_addr addr;
	uint16_t port;
	uint8_t proto;         /* 0: a service by firewall mark */
	uint8_t pad;
	uint32_t mark;
};

struct ipvs_dest {
	struct ipvs_endpoint at; /* proto and mark of the service */
	enum ipvs_forward forward;
	int weight, last_weight;
	uint32_t upper, lower;
	uint32_t active, inactive, persistent;
	uint32_t references;   /* connections that point here */
	bool available, overload;
	struct ipvs_service *service; /* NULL: in the trash */
	struct ipvs_stats stats;
};

struct ipvs_cache { /* lblc, lblcr: destination address -> servers */
	struct net_addr addr;
	struct ipvs_dest **set;
	uint32_t count;
	int64_t last_use_ns, last_change_ns;
};

struct ipvs_service {
	struct ipvs_endpoint at;
	const struct ipvs_scheduler *scheduler;
	unsigned flags;
	uint32_t timeout_s;
	uint8_t netmask;       /* prefix length */
	struct ipvs_dest **dests; /* the kernel's list order: the newest first */
	uint32_t dest_count;
	struct ipvs_stats stats;
	/* schedulers */
	struct ipvs_dest *last; /* rr: the last one chosen; NULL: the list's head */
	int wrr_weight, wrr_max, wrr_step;
	bool history_unknown;   /* what was chosen before is not known: the next choice is drawn */
	struct ipvs_dest **hash; /* sh, dh, mh */
	struct table caches;     /* lblc, lblcr: struct net_addr -> struct ipvs_cache */
};

/* What a scheduler's choice depends on besides the packet. When it is not known (a trace
 * of a node that has been running), a server is drawn with its long-run share. */
enum ipvs_history { IPVS_HISTORY_NONE, IPVS_HISTORY_EQUAL, IPVS_HISTORY_WEIGHT };

struct ipvs_scheduler {
	const char *name;
	/* NULL: no server can be chosen. */
	struct ipvs_dest *(*choose)(struct ipvs *v, struct ipvs_service *s, const struct packet *p);
	/* A server came, went or changed. `gone` or NULL. */
	void (*changed)(struct ipvs_service *s, const struct ipvs_dest *gone);
	const char *flag_names[2]; /* of SVC_SCHED1 and SVC_SCHED2; NULL none */
	enum ipvs_history history;
};

enum ipvs_state { /* of TCP; names in state.c; the order of the kernel's tables */
	IPVS_NONE, IPVS_ESTABLISHED, IPVS_SYN_SENT, IPVS_SYN_RECV, IPVS_FIN_WAIT, IPVS_TIME_WAIT,
	IPVS_CLOSE, IPVS_CLOSE_WAIT, IPVS_LAST_ACK, IPVS_LISTEN, IPVS_SYNACK, IPVS_STATES
};

struct conn_key { /* from one side */
	struct net_addr from, to;
	uint16_t from_port, to_port;
	uint8_t proto;
	uint8_t is_template;
	uint16_t invalidated;  /* templates that are found no more: their number */
};

struct ipvs_conn {
	struct ipvs *owner;
	struct conn_key in;    /* client -> virtual address */
	struct net_addr daddr;
	uint16_t dport;
	struct ipvs_dest *dest; /* NULL: it is gone for good */
	uint8_t state;
	bool inactive, one_packet, uses_conntrack;
	struct ipvs_conn *template; /* who holds its client; NULL none */
	uint32_t controlled;   /* template: connections that it holds */
	int64_t timeout_ns, expires_ns;
	int64_t fires_ns;      /* as the timer wheel rounds expires_ns */
	struct event_id timer;
	int64_t timer_ns;      /* when its event is due: at fires_ns or before */
};

struct ipvs {
	struct netns *ns;      /* NULL: parse and print only */
	bool hooked;
	uint64_t probes;       /* look-ups of virtual servers by packets */
	struct ipvs_service **services; /* in order of creation */
	uint32_t service_count;
	struct table by_endpoint; /* struct ipvs_endpoint -> struct ipvs_service * */
	struct ipvs_dest **trash;
	uint32_t trash_count;
	struct table conns_in;  /* struct conn_key -> struct ipvs_conn * */
	struct table conns_out; /* server -> client */
	uint32_t tcp_s, fin_s, udp_s; /* ipvsadm --set */
};

/* ---- ipvs.c: services and servers */
int64_t ipvs_now(const struct ipvs *v);
struct ipvs_service *ipvs_service(const struct ipvs *v, const struct ipvs_endpoint *at);
struct ipvs_service *ipvs_service_add(struct ipvs *v, const struct ipvs_service *like);
void ipvs_service_remove(struct ipvs *v, struct ipvs_service *s);
struct ipvs_dest *ipvs_dest(const struct ipvs_service *s, const struct net_addr *addr, uint16_t port);
void ipvs_dest_add(struct ipvs *v, struct ipvs_service *s, const struct ipvs_dest *like);
void ipvs_dest_edit(struct ipvs_service *s, struct ipvs_dest *d, const struct ipvs_dest *like);
void ipvs_dest_remove(struct ipvs *v, struct ipvs_dest *d);
void ipvs_clear(struct ipvs *v);
/* A connection no longer points to it: a trashed one may be freed. */
void ipvs_dest_drop(struct ipvs *v, struct ipvs_dest *d);
int64_t ipvs_sysctl(const struct ipvs *v, const char *name);

/* ---- sched.c, compile.c (tables of sh, dh, mh), sched_cache.c (lblc, lblcr) */
const struct ipvs_scheduler *ipvs_scheduler_find(const char *name);
/* The scheduler's choice for a new connection; NULL: no server can take it. */
struct ipvs_dest *ipvs_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p);
bool ipvs_can_take(const struct ipvs_dest *d); /* weight above 0, not overloaded */
/* What lc, wlc and those with caches compare: an active connection weighs 256 inactive ones. */
int64_t ipvs_overhead(const struct ipvs_dest *d);
struct ipvs_dest *ipvs_least_loaded(struct ipvs_dest *const *dests, uint32_t count);
void sh_changed(struct ipvs_service *s, const struct ipvs_dest *gone);
void dh_changed(struct ipvs_service *s, const struct ipvs_dest *gone);
void mh_changed(struct ipvs_service *s, const struct ipvs_dest *gone);
struct ipvs_dest *sh_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p);
struct ipvs_dest *dh_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p);
struct ipvs_dest *mh_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p);
struct ipvs_dest *lblc_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p);
struct ipvs_dest *lblcr_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p);
void cache_changed(struct ipvs_service *s, const struct ipvs_dest *gone);
void lblc_free(struct ipvs_service *s);

/* ---- conn.c */
struct ipvs_conn *conn_find_in(struct ipvs *v, const struct conn_key *key);
struct ipvs_conn *conn_find_out(struct ipvs *v, const struct conn_key *key);
struct ipvs_conn *conn_new(struct ipvs *v, const struct conn_key *in, struct ipvs_dest *dest,
			   uint16_t dport);
/* Leaves conntrack's entry. */
void conn_free(struct ipvs_conn *c);
/* The deadline starts again. A template that still holds connections then goes on for
 * 60 s at a time. */
void conn_touch(struct ipvs_conn *c);
/* It goes at once, with conntrack's entry, after what is under way. */
void conn_expire(struct ipvs_conn *c);

/* ---- state.c */
/* A packet changes the state: `in` from the client. */
void conn_state(struct ipvs_conn *c, const struct packet *p, bool in);
const char *conn_state_name(const struct ipvs_conn *c);
/* Whether the packet is one that begins a connection: SYN, INIT, any datagram. */
bool conn_opens(const struct packet *p);
/* What may make room for a new connection of the same ports (conn_reuse_mode). */
bool conn_seems_over(const struct ipvs_conn *c);

/* ---- eval.c */
void ipvs_hook(struct ipvs *v);
void ipvs_unhook(struct ipvs *v);

#endif
