/* world/internal.h: what the files of the world share.
 *
 * A *place* is a namespace of the dataplane with what the world knows of it: name,
 * addresses, programs, and, on a node, its kube-proxy. A pod on the host network is
 * a place without a namespace of its own: `host` is its node's. A snapshot's places
 * are made when it is read and attached to the executor when the first packet,
 * dump or fault needs them (network_up), so that `rules` costs no network.
 */
#ifndef WORLD_INTERNAL_H
#define WORLD_INTERNAL_H

#include "core/arena.h"
#include "core/table.h"
#include "kube/control/control.h"
#include "net/capture.h"
#include "world/world.h"

#define WORLD_EPOCH_S CAPTURE_EPOCH_S /* Unix time of virtual time 0 */

/* On a Node: how its pods are attached; words "routed", "no-hairpin", "overlay". */
#define NETWORK_ANNOTATION "svclab.dev/network"

/* On a Node: modules that its kernel does not have, with blanks between. */
#define MODULES_ANNOTATION "svclab.dev/missing-modules"
#define NFT_ANNOTATION "svclab.dev/nft-version"

struct proxy;
struct server;
struct kube_admit;
struct container;
struct balances;
struct handler;
struct cluster_plan;
struct dns_master;
struct snapshot_dns;
struct dumps;
struct capture_set;
struct craft;

struct program { /* one listening port of a place */
	struct program *next;
	uint64_t container;        /* run it belongs to; 0: a snapshot's */
	uint8_t proto;
	uint16_t port;
	struct net_addr bind;      /* NET_NONE: all addresses */
	struct server *server;     /* NULL: not started */
	struct strbuf log;
	const char *spec, *image;  /* the container's name and image; NULL: not looked up yet */
	struct place *place;
};

struct dev_addr { /* an address on an interface of a node */
	struct net_prefix addr;
	char dev[16];
};

struct place {
	struct world *world;
	enum place_kind kind;
	char *name;                /* "pod/default/web-0" */
	char *label;               /* what its servers call themselves: "default/web-0" */
	char *node;                /* name of its node; "" outside */
	struct net_addr addrs[2];  /* one a family */
	struct net_addr *more;     /* node: further addresses */
	uint32_t more_count;
	struct net_prefix pod_cidrs[2];
	bool attached, host_network, routed, no_hairpin, overlay;
	bool implied;              /* named by others only: no object of its own */
	char *uplink, *bridge, *port; /* interface names of a dump; NULL: usual ones */
	struct dev_addr *extra;    /* node: addresses of further interfaces */
	uint32_t extra_count;
	struct place *host;        /* host network: the node's place */
	char *resolv_conf, *hosts; /* texts that the kubelet wrote; NULL: as it would */
	struct program *programs;
	uint64_t undeclared;       /* run whose ports only endpoints name; 0 none */
	struct proxy *proxy;       /* node: NULL none */
	struct table files;        /* "container:/path" -> char *; see files.h */
};

struct world {
	struct world_options options;
	struct err broken;         /* why no further run makes sense; "" none */
	const struct dataplane *row;
	struct engine *engine;
	struct choice *choice;
	struct kube_store *store;
	struct control *control;   /* NULL in a snapshot */
	struct executor *executor; /* NULL until the network is up */
	struct planner_shared planners; /* what the nodes' kube-proxies share */
	struct topology topology;
	struct craft *craft;
	struct arena *arena;       /* as long as the world */
	struct table places;       /* name -> struct place * */
	struct table addresses;    /* struct net_addr -> struct place * */
	struct place **nodes;      /* in file order */
	uint32_t node_count, node_capacity;
	struct dns_master *upstream; /* borrowed; NULL: no name outside is known */
	struct dumps *dumps;       /* nodes made of dumps; NULL: of manifests */
	struct snapshot_dns *dns;  /* a snapshot's CoreDNS, once it was asked */
	char *enter;               /* node that traffic from outside enters by; NULL: the first */
	struct op *ops;
	struct watch_tap *watches;
	struct capture_set *capture;
	uint64_t changes, changes_heard; /* of what kube-proxies watch */
	struct kube_admit *admit;  /* the API server's door; NULL in a snapshot */
	struct table volumes;      /* "claim's uid:/path" -> char * */
	struct container *containers; /* runs that kubelets started */
	struct handler *handlers;  /* probes and hooks under way */
	struct balances *balances; /* load balancers in front of the nodes; NULL none yet */
	struct cluster_plan *plan; /* how it was started */
	uint64_t configuration_version; /* of kube-proxy's ConfigMap when it was last read */
	bool lazy;                 /* a large snapshot: pods are attached when they are met */
	uint32_t invented;         /* node addresses made up so far */
};

/* ---- world.c ---- */

/* A line for the user; `fmt` without newline. */
/* Keeps the first error that is ENOTRECOVERABLE: see world_broken. */
void world_break(struct world *w, int code, const struct err *err);
void world_warn(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Opens the executor, attaches what there is, plans and loads. Does nothing when the
 * network is up. */
int network_up(struct world *w, struct err *err);
/* The network runs and the place is on it. */
int world_ready(struct world *w, struct place *p, struct err *err);
/* Takes the mode of the configuration, or iptables, unless a dataplane was named. */
int world_choose_mode(struct world *w, struct err *err);

/* ---- place.c ---- */

struct place_wish { /* zero: a pod without addresses */
	enum place_kind kind;
	const char *name, *label, *node;
	struct net_addr addrs[2];
	const struct net_addr *more;
	uint32_t more_count;
	struct net_prefix pod_cidrs[2];
	bool host_network, routed, no_hairpin, overlay, implied;
	const char *uplink, *bridge, *port;
};
/* Makes the place known; attaches it when the network is up. EEXIST: the name or an
 * address is taken. */
int place_add(struct world *w, const struct place_wish *wish, struct place **out, struct err *err);
/* Stops its programs and operations, detaches, forgets. */
void place_remove(struct place *p);
int place_attach(struct place *p, struct err *err);
struct place *place_find(const struct world *w, const char *name); /* exact name; NULL */
struct place *place_by_addr(const struct world *w, const struct net_addr *a);
struct place *place_of_node(const struct world *w, const char *node);
/* Name of the node's end of a pod's veth. */
const char *place_port(struct place *pod);
/* The namespace's name in the executor. */
const char *place_netns(const struct place *p);
struct sockets_ref place_sockets(const struct place *p);
void places_free(struct world *w);
const char *place_namespace(const struct place *p, char *out, size_t size);
/* Takes "DEV=ADDRESS/LEN,..." for a node. */
int place_extra_addresses(struct place *p, const char *list, struct err *err);
/* Carries out one line of a tool on the place's namespace. */
int place_load_line(struct place *p, enum tx_tool tool, const char *line, struct err *err);

/* ---- program.c ---- */

/* A listener of a place; started at once when it is attached. Twice the same port and
 * protocol is one program. */
int program_add(struct place *p, uint64_t container, uint8_t proto, uint16_t port,
		const struct net_addr *bind);
/* Starts those that wait for the network. */
void programs_start(struct place *p);
/* `container` 0: all. `reset`: as when the machine is gone. */
void programs_stop(struct place *p, uint64_t container, bool reset);
/* Resets their open connections. */
void programs_drop(struct place *p);
/* They accept nothing any more and end what is open. */
void programs_drain(struct place *p, uint64_t container);

/* ---- kubelet.c ---- */

/* Appends what programs with logs of their own have written; `container` NULL: all. */
void containers_log(struct world *w, const struct place *p, const char *container,
		    struct strbuf *out);

/* ---- balance.c ---- */

/* Load balancers follow Services of classes LB_CLASS_PROXY and LB_CLASS_PASSTHROUGH, and
 * Nodes: one changed. */
void balances_heard(struct world *w, const struct kube_object *old, const struct kube_object *now);
/* A host outside that is on the network now: it learns the way to their addresses. */
void balances_tell(struct place *p);
void balances_free(struct world *w);

/* ---- snapshot.c ---- */

/* The nodes' network as far as their addresses tell. */
void topology_from_nodes(struct world *w);
/* The places of what is in the store. */
int snapshot_places(struct world *w, struct err *err);

/* ---- dumps.c ---- */

/* In a world of dumps: whether a place that answers was made (or made to listen) for the
 * address a packet went to; `chosen`: rules sent it there. */
bool dumps_answer(struct world *w, const struct net_addr *a, uint8_t proto, uint16_t port,
		  bool chosen, struct strbuf *notes);
void dumps_free(struct world *w);

/* ---- proxy.c ---- */

void proxy_new(struct place *node); /* none for a dataplane without planner */
void proxy_free(struct proxy *x);
/* Flows that kube-proxy itself carries are forgotten, as the executor's reset_flows does. */
void proxy_forget(struct proxy *x);
/* Plans and loads everything now, without time. */
int proxy_load_now(struct proxy *x, struct err *err);
int proxy_list(struct place *node, enum rules_format format, enum rules_view view,
	       struct strbuf *out, struct err *err);

/* ---- op.c ---- */

void ops_cancel_of(struct world *w, const struct place *p);
void ops_free(struct world *w);

/* ---- files.c, page.c ---- */

/* A container's own layer is gone: it starts again. */
void files_forget_layer(struct place *p, const char *container);
void files_free(struct table *files);
/* What the image's HTTP server answers when no file is there: status and body. `pod`: the
 * host name it sees. */
int page_of_image(const char *image, const char *pod, const char *label, const char *path,
		  struct strbuf *body);

/* ---- lookup.c ---- */

const char *world_domain(const struct world *w);
/* The texts of its /etc/resolv.conf and /etc/hosts. */
void place_resolv_conf(const struct place *p, struct strbuf *out);
void place_hosts(const struct place *p, struct strbuf *out);
void snapshot_dns_free(struct snapshot_dns *d);

/* ---- capture.c, watch.c ---- */

tap_fn world_tap;
void tap_update(struct world *w); /* the executor shows packets only while somebody looks */
void captures_free(struct world *w);

#endif
