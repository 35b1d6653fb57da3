/* sim/dataplane.h: the two classes of a dataplane.
 *
 * Words. A *planner* turns cluster state into rules, as kube-proxy in one mode
 * does. *Rules* are always printable as the real tool prints them. An *executor*
 * carries rules out: the Linux model, or real Linux. A *dataplane* is a registry
 * row: planner + executor. A *place* is a network namespace with a name: a node,
 * a pod, or a host outside. The world owns this interface; dataplanes/ implements
 * it and hands its registry to the world at start, so sim/ includes nothing of
 * dataplanes/.
 *
 * Rules as text. What passes from planner to executor is a list of transactions.
 * Each is atomic (one COMMIT, one nft script, one ipset batch, one address
 * change); a sync is not: its transactions land one after another at their own
 * virtual time, each charged its cost. A transaction is made of blocks: immutable,
 * reference-counted pieces of text. Blocks may be shared between nodes and
 * between generations; an executor may keep a parsed form with the block
 * (compiled), so that equal text is parsed once for 5,000 nodes. The text stays
 * the truth: `svclab rules` prints it, real Linux loads it.
 *
 * Packets. `input` always takes the packet. A tap shows every packet at every
 * interface of a place, in and out, as tcpdump would; it may not keep it.
 *
 * Time. int64_t ns of the world's engine. Executors schedule events there. The
 * real-Linux executor follows CLOCK_MONOTONIC: the world's clock driver asks
 * `advance` how far it may go.
 *
 * Ownership. open/close pair up. Strings in specs are copied. Planners borrow the
 * view for the length of a call. Transactions belong to the caller of plan().
 *
 * Failure. 0 or errno plus one line in `err`. A failed load changes nothing of
 * that transaction; the sync runner retries with a full sync, as kube-proxy does. A planner
 * that itself is broken (a program that died) fails with ENOTRECOVERABLE: the run ends.
 */
#ifndef SIM_DATAPLANE_H
#define SIM_DATAPLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/choice.h"
#include "core/engine.h"
#include "core/err.h"
#include "core/strbuf.h"
#include "net/addr.h"
#include "net/packet.h"
#include "net/sockets.h"

struct kube_store;

/* ---- rules text ---------------------------------------------------------- */

struct block {
	uint32_t references;
	bool counted;
	uint64_t lines, rules;               /* when counted: in its text */
	size_t length;
	struct block *left, *right;          /* a joint: its text is theirs, one behind the other */
	void *compiled;                      /* executor's parsed form, or NULL */
	void (*compiled_free)(void *compiled);
	char text[];                         /* "" in a joint */
};

/* A new block with one reference; the text is copied. */
struct block *block_new(const char *text, size_t length);
/* Takes over both references; an empty one leaves the other. A long text made of joints
 * shares all but a path when a piece of it is another one. */
struct block *block_join(struct block *left, struct block *right);
struct block *block_ref(struct block *b);
void block_unref(struct block *b); /* NULL is allowed */
void block_text(const struct block *b, struct strbuf *out);

enum tx_tool {
	TX_IPTABLES_RESTORE,  /* iptables-restore --noflush --counters */
	TX_IP6TABLES_RESTORE,
	TX_IPTABLES,          /* one command per line, as typed after "iptables"; "-C X || -I X" is one "ensure" line */
	TX_IP6TABLES,
	TX_NFT,               /* nft -f - */
	TX_IPSET,             /* ipset restore -exist */
	TX_IPVSADM,           /* ipvsadm -R */
	TX_ADDR,              /* lines "add ADDR/LEN dev DEV" and "del ..."; "del dev DEV": the device */
	TX_SYSCTL,            /* lines "net/ipv4/conf/all/route_localnet=1"; "NAME>=N": raised to N */
	TX_CONNTRACK,         /* lines "-D -p udp --orig-dst IP --dport N [--reply-src IP]"; instead
				 of the last, "--reply-src-not IP,IP": what leads to none of them */
	TX_ROUTE              /* lines "add PREFIX [via ADDR] [dev DEV] [src ADDR]", as `ip route` prints
			       * them behind "add " ("default", "blackhole PREFIX" too) */
};

struct transaction {
	enum tx_tool tool;
	const char *file;     /* named in messages and traces, borrowed; NULL: the tool's name */
	struct block **blocks;
	uint32_t count, capacity;
};

struct transactions {
	struct transaction *items;
	uint32_t count, capacity;
};

/* A new empty transaction at the end. */
struct transaction *transactions_add(struct transactions *list, enum tx_tool tool);
/* Appends a block (takes one reference). */
void transaction_add(struct transaction *t, struct block *b);
void transactions_free(struct transactions *list);
/* The whole text of one transaction. */
void transaction_text(const struct transaction *t, struct strbuf *out);
/* Its lines and those of them that are rules, elements, virtual or real servers. Each block
 * is counted once, a joint is the sum of its two. */
void transaction_count(const struct transaction *t, uint64_t *lines, uint64_t *rules);
/* "iptables-restore", "nft", ... */
const char *tx_tool_name(enum tx_tool tool);

/* ---- planner ------------------------------------------------------------- */

enum kube_version { KUBE_1_20 = 120, KUBE_1_25 = 125, KUBE_1_30 = 130, KUBE_1_34 = 134 };

/* Memory that the planners of one store share (blocks of equal text, parsed Services).
 * The world owns one a store, zeroed, and hands it in with every view; what is in it is
 * the planners' business. It goes with planner_shared_free, after the last planner. */
struct planner_shared {
	void *data;
	void (*free)(void *data);
	void (*forget)(void *data, const char *node);
};
void planner_shared_free(struct planner_shared *shared);
/* The node is gone with all that was loaded on it: its next planner finds nothing. */
void planner_shared_forget(struct planner_shared *shared, const char *node);

enum dump_view { DUMP_IPTABLES_SAVE, DUMP_IP6TABLES_SAVE, DUMP_NFT, DUMP_IPSET, DUMP_IPVSADM,
		 DUMP_IPVSADM_CONNECTIONS, DUMP_IPVSADM_STATS, DUMP_CONNTRACK, DUMP_ADDR, DUMP_ROUTE,
		 DUMP_ROUTE_LOCAL, DUMP_SOCKETS, DUMP_SYSCTL, DUMP_RECENT,
		 DUMP_UNKNOWN, /* constructs of loaded rules that the executor does not know */
		 /* `argument`: a command that looks, "-t nat -L -n" or "-S", and its set, if any */
		 DUMP_IPTABLES_LOOK, DUMP_IP6TABLES_LOOK, DUMP_IPSET_LIST, DUMP_IPVSADM_SAVE,
		 DUMP_IPVSADM_RATE, DUMP_LINK };

struct planner_class;

struct proxy_view { /* what one kube-proxy sees; borrowed for the length of a call */
	const struct kube_store *store; /* Services, EndpointSlices, Nodes, ServiceCIDRs, configuration */
	struct planner_shared *shared;  /* NULL: each planner keeps its own */
	const struct planner_class *planner; /* the class that is asked */
	const char *node;               /* name of its Node */
	const struct net_prefix *node_addrs; /* addresses of its interfaces: loopback and all others */
	const char *const *node_addr_devs;   /* their interfaces, parallel array */
	uint32_t node_addr_count;
	enum kube_version version;
	bool has_nfacct, conntrack_be_liberal;
	const char *missing_modules;    /* that its kernel does not have, with blanks between; NULL: none */
	const char *nft_version;        /* "1.0.6"; NULL: a new one */
	/* What kube-proxy reads back from its node: the executor's dump of this view, of a
	 * table, say (NULL: all of it). NULL: nothing can be read, what was planned is taken
	 * to be there. */
	int (*read)(void *ctx, enum dump_view view, const char *argument, struct strbuf *out,
		    struct err *err);
	void *read_ctx;
};

struct plan_request {
	bool full;                      /* everything, else only the changed services */
	bool show;                      /* for people: also what the kernel is known to refuse */
	const char *const *changed;     /* "namespace/name" of changed Services */
	uint32_t changed_count;
};

enum rules_view { VIEW_ALL, VIEW_IPTABLES, VIEW_IPVSADM, VIEW_IPSET, VIEW_ADDR, VIEW_NFT };
enum rules_format { FORMAT_WRITE, FORMAT_LIST };

struct planner; /* one kube-proxy of one mode on one node */

struct planner_class {
	const char *mode; /* "iptables", "ipvs", "nftables", "userspace", "null" */
	int (*open)(const struct proxy_view *view, struct planner **out, struct err *err);
	/* Appends what kube-proxy would do now, in order. */
	int (*plan)(struct planner *p, const struct proxy_view *view,
		    const struct plan_request *request, struct transactions *out,
		    struct err *err);
	/* The text of the state after a full sync. FORMAT_WRITE: what kube-proxy feeds
	 * to the tool; FORMAT_LIST: the complete state as the tool prints it. */
	int (*list)(struct planner *p, const struct proxy_view *view, enum rules_format format,
		    enum rules_view which, struct strbuf *out, struct err *err);
	void (*close)(struct planner *p);

	/* What follows is optional: NULL means "not for this mode". */

	/* Sync timing. The world reports changes, asks when the next sync is due and what it
	 * should plan, runs it and says how it went. Without these every change is planned
	 * at once and in full. `service` is "namespace/name", NULL: something else changed
	 * (node, configuration) and the next sync is a full one. The request's strings live
	 * until done(). */
	void (*changed)(struct planner *p, const char *service, int64_t now_ns);
	int64_t (*due)(const struct planner *p); /* INT64_MAX: nothing to do */
	void (*next)(struct planner *p, int64_t now_ns, struct plan_request *out);
	void (*done)(struct planner *p, int64_t now_ns, bool ok);

	/* Optional. Somebody else has changed the node's rules. The planner says when it looks
	 * at what it watches there and is called again then; INT64_MAX: it need not look. A
	 * sync that it wants after a look shows in due(). */
	int64_t (*watch)(struct planner *p, const struct proxy_view *view, int64_t now_ns);

	/* HTTP servers that this kube-proxy has open on its node (healthz, health check
	 * node ports): fills up to `max` ports, returns their number. */
	uint32_t (*health_ports)(struct planner *p, const struct proxy_view *view,
				 uint16_t *ports, uint32_t max);
	/* The answer to GET `path` at one of them: status; further header lines (each with
	 * CRLF) and body are appended. */
	int (*health)(struct planner *p, const struct proxy_view *view, uint16_t port,
		      const char *path, int64_t now_ns, struct strbuf *headers,
		      struct strbuf *body);

	/* Before open: whether the node can do what this mode needs. 0; ENOTSUP and err: then
	 * the process ends, or it takes the mode *instead when that is set. What it says is
	 * appended to `log`: lines that begin with klog's letter, "E server.go] ...". */
	int (*probe)(const struct proxy_view *view, const char **instead, struct strbuf *log,
		     struct err *err);

	/* Appends what takes away all that kube-proxies of this mode, also of earlier
	 * configurations, left on the node: `kube-proxy --cleanup`. It reads the node; without
	 * view->read it finds nothing. */
	void (*cleanup)(const struct proxy_view *view, struct transactions *out);

	/* Sockets of the node, for a mode that proxies in user space; called once after
	 * open. They outlive the planner. */
	void (*serve)(struct planner *p, struct sockets_ref sockets, struct engine *engine,
		      struct choice *choice);
	/* For such a mode what reset_flows is to the executor: connections end without a word
	 * to anybody, and no client was ever seen. */
	void (*forget)(struct planner *p);
	/* Bytes that it has copied between sockets in user space so far: each came up from the
	 * kernel and went down again. */
	uint64_t (*copied)(const struct planner *p);
};

/* ---- executor ------------------------------------------------------------ */

enum place_kind { PLACE_NODE, PLACE_POD, PLACE_OUTSIDE };

struct place_spec {
	enum place_kind kind;
	const char *name;               /* "node/a", "pod/default/web-0", "outside/192.0.2.1" */
	struct net_addr addrs[2];       /* at most one a family; NET_NONE unused */
	const struct net_addr *more;    /* node: further addresses of its uplink (ExternalIP) */
	uint32_t more_count;
	const char *node;               /* pod: place name of its node; outside: node that its
					 * traffic enters by ("": the nodes' gateway) */
	struct net_prefix pod_cidrs[2]; /* node: its pods' ranges; family NET_NONE unused */
	bool host_network;              /* pod that shares its node's namespace: not attached */
	bool routed;                    /* node: routed veths instead of a bridge cni0 */
	bool no_hairpin;                /* node: bridge ports without hairpin mode */
	bool overlay;                   /* node: VXLAN overlay instead of host-gw routes */
	/* Names as a dump of a real node has them; NULL: eth0, cni0, derived from the name. */
	const char *uplink, *bridge;    /* node */
	const char *port;               /* pod: the node's end of its veth */
};

struct topology {
	struct net_prefix lan[2];       /* the nodes' network; family NET_NONE unused */
	int64_t lan_delay_ns, veth_delay_ns;
};

/* A packet at an interface. `interface` like "node/a:eth0". */
typedef void tap_fn(void *ctx, const char *place, const char *interface, int direction,
		    int64_t when_ns, const struct packet *p);

struct executor_env {
	struct engine *engine;
	struct choice *choice;
	tap_fn *tap; /* NULL: nobody captures */
	void *tap_ctx;
};

struct load_cost {
	uint64_t rules, bytes;   /* what was loaded */
	int64_t charged_ns;      /* virtual time it takes */
	int64_t wall_ns;         /* real Linux only, else 0 */
};

struct counters {
	uint64_t rules_evaluated, policies, set_lookups, ipvs_probes, packets, bytes;
	uint64_t copied; /* bytes through a proxy process of the node; the world fills it in */
};

struct executor;

struct executor_class {
	const char *name; /* "model", "netns", "netns-nft" */
	/* Optional: whether this machine carries out a mode's rules. ENOTSUP and why not. */
	int (*supports)(const char *mode, struct err *why);
	int (*open)(const struct executor_env *env, const struct topology *topology,
		    struct executor **out, struct err *err);
	/* Adds or removes a place while the world runs. Nodes before their pods. */
	int (*attach)(struct executor *e, const struct place_spec *place, struct err *err);
	int (*detach)(struct executor *e, const char *place, struct err *err);
	/* Carries out one transaction on a node. */
	int (*load)(struct executor *e, const char *place, const struct transaction *t,
		    struct load_cost *cost, struct err *err);
	/* A crafted packet enters at an interface ("" : the one facing its network). */
	int (*input)(struct executor *e, const char *place, const char *interface,
		     struct packet *packet, struct err *err);
	/* NULL object when there is no such place. */
	struct sockets_ref (*sockets)(struct executor *e, const char *place);
	/* How far the clock may go now, at most `until_ns` (the model: until_ns). */
	int64_t (*advance)(struct executor *e, int64_t until_ns);
	/* Canonical text of a tool's view; `argument` is a device, table or list name, or
	 * NULL. */
	int (*dump)(struct executor *e, const char *place, enum dump_view view,
		    const char *argument, struct strbuf *out, struct err *err);
	int (*sysctl)(struct executor *e, const char *place, const char *name, int64_t *value,
		      bool set, struct err *err);
	/* Faults: "down", "up", "loss=PPM", "delay=NS", "jitter=NS", "partition=PLACE",
	 * "heal". ENOTSUP where it cannot be done. */
	int (*fault)(struct executor *e, const char *place, const char *fault, struct err *err);
	int (*counters)(struct executor *e, const char *place, struct counters *out);
	/* Forgets flows, keeps rules and places. */
	void (*reset_flows)(struct executor *e);
	/* From now on this tap sees packets instead of the one given to open (NULL: nobody). */
	void (*watch)(struct executor *e, tap_fn *tap, void *ctx);
	/* Optional (NULL: time is virtual anyway): whether the clock may jump over spans in
	 * which no client's socket is open. What the kernel times itself does not jump. */
	void (*hurry)(struct executor *e, bool hurry);
	void (*close)(struct executor *e);
};

/* ---- registry ------------------------------------------------------------ */

struct dataplane { /* one row */
	const char *name;                      /* what --dataplane takes */
	const struct planner_class *planner;   /* NULL: rules come from elsewhere */
	const struct executor_class *executor;
	const char *summary;                   /* one line for --help */
};

struct registry {
	const struct dataplane *rows;
	uint32_t count;
};

/* Whether the row is a dataplane by itself: not one of another row's on another executor,
 * nor a dump. */
bool registry_is_plain(const struct registry *r, uint32_t row);
/* Names of the plain rows, with commas, for messages. */
void registry_names(const struct registry *r, struct strbuf *out);
/* NULL: no such row. */
const struct dataplane *registry_find(const struct registry *r, const char *name);

#endif
