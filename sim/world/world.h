/* world/world.h: a cluster that runs.
 *
 * The world wires nodes, pods, kube-proxy instances, programs and hosts outside
 * to one dataplane, and drives the clock. It is the user of sim/dataplane.h and
 * the only place that knows both Kubernetes and packets. Everything a command, a
 * scenario or a lab does to a cluster is a verb here or in kube/control/control.h.
 *
 * Two starts. *Live*: world_start makes a kubeadm-like cluster (nodes, the
 * kubernetes and kube-dns Services, CoreDNS, kube-proxy) and controllers run.
 * *Snapshot*: world_load takes manifests as they are; controllers fill in only
 * what is missing (Services with a selector and no slices; workloads without
 * pods), then stop.
 *
 * Time is the engine's. Verbs that take time return an *operation*; it ends by
 * itself while the clock runs (world_run, world_run_op). An operation is freed by
 * op_free, at any time (then it is cancelled).
 *
 * Places have the names of the command-line contract: "pod/NAME", "pod/NS/NAME",
 * "node/NAME", "outside/IP", an address; targets also "svc/[NS/]NAME" and DNS
 * names. Errors are one line in `err` and EINVAL.
 */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"
#include "kube/store.h"
#include "net/trace.h"

struct world;
struct control;
struct kube_admit;
struct dns_master;

struct world_options {
	const struct registry *registry;
	const char *dataplane;        /* registry row; NULL: iptables, or what the configuration says */
	const char *on;               /* "sim", "netns", "vm"; NULL: sim */
	uint64_t seed;
	enum kube_version version;    /* 0: 1.34 */
	bool snapshot;
	struct strbuf *warnings;      /* lines; may be NULL */
	struct dns_master *upstream;  /* plays the servers behind forward; borrowed; NULL: no name
				       * outside is known */
};

int world_new(const struct world_options *options, struct world **out, struct err *err);
void world_free(struct world *w);

struct engine *world_engine(struct world *w);
struct choice *world_choice(struct world *w);
struct kube_store *world_store(struct world *w);
struct control *world_control(struct world *w);
/* The API server's door; NULL in a snapshot. */
struct kube_admit *world_admit(struct world *w);
const char *world_dataplane(const struct world *w);
enum kube_version world_version(const struct world *w);

/* ---- start ---------------------------------------------------------------- */

struct node_options {
	const char *name, *zone;
	const char *address;          /* InternalIP (v4); NULL: the next one of the LAN */
	const char *external;         /* ExternalIP: a further address of its uplink; NULL none */
	bool routed, no_hairpin, overlay;
	const char *missing_modules;  /* of its kernel, with blanks between; NULL: none */
	const char *kernel, *nft;     /* their versions; NULL: new ones */
	struct kube_strings labels;   /* "key=value" */
	struct kube_strings taints;   /* "key=value:Effect", "key:Effect" */
};

struct cluster_options {
	const struct node_options *nodes;
	uint32_t node_count;
	const char *pod_cidr, *service_cidr, *lan; /* NULL: 10.244.0.0/16, 10.96.0.0/12, 192.168.0.0/24 */
	bool dual_stack;
	bool no_dns;                   /* no CoreDNS pods */
	bool random_addresses;         /* ClusterIPs and node ports are drawn; else the lowest */
	const char *proxy_config;      /* YAML lines that go into kube-proxy's config.conf; NULL none */
};

/* Live: starts the cluster and runs the clock until it is ready. */
int world_start(struct world *w, const struct cluster_options *options, struct err *err);
/* Snapshot: reads files, attaches places, plans and loads every node's rules. */
int world_load(struct world *w, const char *const *files, uint32_t count, struct err *err);
/* Live: applies the text as `kubectl apply -f` does; `file` is for messages. What it
 * says ("service/web created") is appended to `said` (may be NULL). */
int world_apply(struct world *w, const char *text, size_t length, const char *file,
		struct strbuf *said, struct err *err);
/* The same for the status of objects that are there, as a controller writes it
 * (`kubectl replace --subresource=status`). */
int world_apply_status(struct world *w, const char *text, size_t length, const char *file,
		       struct strbuf *said, struct err *err);

/* Node that traffic from outside enters by when no node owns its destination; the default
 * is the first. For hosts that are named from now on. */
int world_enter(struct world *w, const char *node, struct err *err);

/* ---- clock ---------------------------------------------------------------- */

int64_t world_now(const struct world *w);
/* Runs all events up to `until_ns`. */
void world_run(struct world *w, int64_t until_ns);
/* On real Linux: whether the clock may jump while no client waits (starts and rollouts
 * do); what the kernel times itself does not jump. Virtual time always may. */
void world_hurry(struct world *w, bool hurry);
/* Why the run cannot go on (a planner of its own that died), or NULL. */
const char *world_broken(const struct world *w);
/* Runs until `done(ctx)` is true or the time is reached; whether it became true. */
bool world_run_while_not(struct world *w, bool (*done)(void *ctx), void *ctx, int64_t until_ns);

/* ---- places --------------------------------------------------------------- */

struct place; /* lives as long as its namespace; look it up again after time passed */

/* By contract name. An outside address comes into being when it is first named. */
struct place *world_place(struct world *w, const char *name, struct err *err);
const char *place_name(const struct place *p);           /* "pod/default/web-0" */
enum place_kind place_kind_of(const struct place *p);
struct net_addr place_addr(const struct place *p, uint8_t family); /* NET_NONE none */
const char *place_node(const struct place *p);           /* node's name; "" outside */

struct target { /* where traffic goes */
	struct net_addr addr;
	uint16_t port;
	char text[160];   /* as written */
	char name[256];   /* DNS name to resolve first; "" none */
};
/* TO[:PORT]; the port may be a name of the Service's or pod's ports; `proto` chooses
 * among ports. Default port: a Service's only port, else 80. */
int world_target(struct world *w, struct place *from, const char *text, uint8_t proto,
		 struct target *out, struct err *err);

/* ---- traffic -------------------------------------------------------------- */

enum op_kind { OP_REQUEST, OP_PING, OP_DNS, OP_LOAD };

struct op_spread { char backend[192]; uint64_t count; };

struct op_echo { /* one echo request */
	int64_t rtt_ns;               /* -1: no answer */
	int error;                    /* errno of the send, or of an ICMP error; 0 none */
	uint8_t ttl, icmp_type, icmp_code;
	struct net_addr from;         /* who answered */
};

struct op_result {
	int error;                    /* 0 or errno as the client's socket saw it */
	int64_t started_ns, ended_ns;
	int64_t connected_ns;         /* 0: no handshake; a datagram: when it was sent */
	struct sock_name local, peer; /* the client's view */
	char backend[192];            /* "default/web-0", who answered; "" nobody */
	struct net_addr backend_ip;
	uint16_t backend_port;
	struct sock_name seen;        /* the client's address as the server saw it */
	int http_status;              /* 0: no answer */
	char *head;                   /* status line and headers of an answer; owned by the op */
	char *body;                   /* of an answer, NUL-terminated; owned by the op */
	size_t body_length;
	char message[256];            /* resolver or client error in the tool's words */
	/* ping */
	uint32_t sent, received;
	uint8_t icmp_type, icmp_code, ttl; /* last ICMP error or reply */
	struct net_addr icmp_from;
	struct op_echo *echoes;       /* `sent` of them, in order; owned by the op */
	/* dns */
	int status;                   /* exit status of the tool */
	int rcode;                    /* -1: no answer */
	char canonical[256];          /* name that the addresses belong to; "" as asked */
	struct net_addr *addresses;   /* owned by the op */
	uint32_t address_count;
	uint32_t answer_ttl;
	char *text;                   /* what the tool prints (dig, nslookup); owned by the op */
	/* load */
	uint64_t connections, failures;
	struct op_spread *spread;     /* sorted by backend */
	uint32_t spread_count;
};

struct op;

struct request {
	const char *target;           /* TO[:PORT] */
	uint8_t proto;                /* PROTO_TCP (HTTP), PROTO_UDP */
	const char *method;           /* NULL: GET, with data POST */
	const char *path;             /* NULL "/" */
	const char *host;             /* Host header; NULL: the target's text */
	int64_t timeout_ns;           /* 0: as the socket gives up */
	uint16_t local_port;          /* 0 any */
	struct net_addr local_addr;   /* NET_NONE any */
	const char *data;             /* body or datagram; NULL none */
	bool connect_only;            /* handshake, then close */
	bool keep_open;               /* leave the connection open: op_again sends on it */
	struct trace *trace;          /* borrowed; NULL none */
	bool once;                    /* one packet, no retransmission */
};
int world_request(struct world *w, struct place *from, const struct request *r, struct op **out,
		  struct err *err);
/* Another request on a kept connection. */
int op_again(struct op *op, const char *path, const char *data, struct err *err);
/* Closes a kept connection: false FIN, true RST. */
void op_close(struct op *op, bool reset);

struct ping {
	const char *target;
	uint32_t count;               /* 0: 1 */
	int64_t interval_ns, timeout_ns; /* 0: 1 s, 1 s */
	struct trace *trace;
};
int world_ping(struct world *w, struct place *from, const struct ping *p, struct op **out,
	       struct err *err);

enum dns_tool { DNS_LIBC, DNS_DIG, DNS_NSLOOKUP, DNS_HOST }; /* how it asks and prints */
struct lookup {
	const char *name, *type;      /* type NULL: A (and AAAA for libc) */
	enum dns_tool tool;
	const char *server;           /* "10.96.0.10"; NULL: resolv.conf's */
	const char *options;          /* further words of the command line, NULL none */
};
int world_lookup(struct world *w, struct place *from, const struct lookup *l, struct op **out,
		 struct err *err);

struct load {
	struct request request;       /* trace must be NULL */
	double rate;                  /* connections a second; 0: one after another */
	uint64_t count;
};
int world_load_traffic(struct world *w, struct place *from, const struct load *l, struct op **out,
		       struct err *err);

bool op_done(const struct op *op);
const struct op_result *op_result(const struct op *op);
/* Called once when the operation ends (at once when it has). */
void op_on_done(struct op *op, void (*fn)(void *ctx, struct op *op), void *ctx);
/* Runs the clock until the operation has ended. */
void world_run_op(struct world *w, struct op *op);
void op_free(struct op *op);

/* A packet crafted by the caller enters at an interface ("": the one facing the network);
 * with "" it leaves a pod, as if one of its processes had sent it. Takes the packet. */
int world_inject(struct world *w, struct place *at, const char *interface, struct packet *p,
		 struct err *err);

/* ---- kube-proxy, faults, views --------------------------------------------- */

/* Modules that a node's kernel does not have (its annotation svclab.dev/missing-modules),
 * with blanks between; NULL: it has all. */
const char *world_missing_modules(const struct world *w, const char *node);
/* As `kube-proxy --cleanup` on the node: rules of every mode go. A kube-proxy that runs there
 * is not told. */
int world_cleanup_kube_proxy(struct world *w, const char *node, struct err *err);
int world_restart_kube_proxy(struct world *w, const char *node, struct err *err);
/* As editing the ConfigMap and deleting the kube-proxy pods. */
int world_switch_mode(struct world *w, const char *mode, struct err *err);
/* Whether every node's rules reflect all changes made so far. */
bool world_synced(const struct world *w);
/* "down", "up", "loss=PPM", "delay=NS", "jitter=NS", "partition=PLACE", "heal" (of the
 * place's link); on a node "sync-fails=N": kube-proxy's next N loads fail. */
int world_fault(struct world *w, struct place *p, const char *fault, struct err *err);
/* A tool's view at a node or pod: see enum dump_view. */
int world_dump(struct world *w, struct place *p, enum dump_view view, const char *argument,
	       struct strbuf *out, struct err *err);
int world_sysctl(struct world *w, struct place *p, const char *name, int64_t *value, bool set,
		 struct err *err);
/* What an administrator types at a node: iptables, ip6tables, nft, ipset, ipvsadm, conntrack
 * -D, `ip addr add|del ADDR/LEN dev DEV` or `ip route`, with the arguments of its batch form. */
int world_command(struct world *w, struct place *p, const char *line, struct err *err);
/* `svclab rules`: the planner's text for a node. */
int world_rules(struct world *w, const char *node, enum rules_format format,
		enum rules_view view, struct strbuf *out, struct err *err);
struct sync_stats {
	uint64_t syncs, full_syncs, failures;
	int64_t last_ns;
	uint64_t last_bytes, last_rules;
};
int world_sync_stats(const struct world *w, const char *node, struct sync_stats *out);
/* ENOTSUP where the executor counts nothing: then `copied` alone is filled in. */
int world_counters(struct world *w, struct place *p, struct counters *out);

/* ---- captures -------------------------------------------------------------- */

/* From now on writes one pcap an interface and all.pcapng into the folder. Files
 * appear at world_capture_end (or world_free). */
int world_capture_start(struct world *w, const char *folder, struct err *err);
int world_capture_end(struct world *w, struct err *err);
/* Keeps packets in memory: a tap that scenarios ask. `where`: "pod/x", "node/a:eth0",
 * "*". Counts those that match a tcpdump filter since the tap began. */
struct tap_record {
	int64_t when_ns;
	const char *place, *interface;
	int direction;
	struct packet *packet;
};
struct watch_tap;
int world_watch(struct world *w, const char *where, struct watch_tap **out, struct err *err);
/* EINVAL: the filter does not compile, with libpcap's message. */
int watch_count(const struct watch_tap *t, const char *filter, uint32_t *count, struct err *err);
/* The same, only of packets seen at `where` and not before `since_ns`. */
int watch_count_at(const struct watch_tap *t, const char *where, int64_t since_ns,
		   const char *filter, uint32_t *count, struct err *err);
uint32_t watch_packets(const struct watch_tap *t, const struct tap_record **out);
void watch_free(struct watch_tap *t);

#endif
