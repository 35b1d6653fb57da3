/* linux/netns.h: one network namespace of the Linux model.
 *
 * A namespace has interfaces, addresses, routes, hooks, conntrack, neighbours
 * by construction (no ARP: see net_link) and sockets. A node, a pod and a host
 * outside are each one namespace. It knows no Kubernetes.
 *
 * Interfaces: every namespace has `lo` (number 1). veth pairs and network
 * segments (a switch that connects interfaces of several namespaces) carry
 * packets with a delay as one event per hop; everything between two hops runs
 * to completion inside one event. The loopback is a hop without delay: what is
 * sent to it arrives in an event of the same instant, as from a softirq. A bridge
 * has ports; it forwards by the destination MAC, which the model derives from the
 * next hop's address, and has hairpin mode per port. A dummy interface swallows
 * what is sent to it.
 *
 * MAC addresses are derived from namespace and interface name: 02:xx:...
 *
 * Ownership: netns_new's caller owns the namespace. All calls take packets over.
 * Memory: an idle namespace with one veth is meant to stay below 2 KB; tables,
 * conntrack and sockets come into being with first use.
 */
#ifndef LINUX_NETNS_H
#define LINUX_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/choice.h"
#include "core/engine.h"
#include "core/err.h"
#include "core/strbuf.h"
#include "net/craft.h"
#include "net/packet.h"
#include "net/sockets.h"

struct netns;
struct conntrack;
struct xt_ruleset;
struct nft_ruleset;
struct ipset_table;
struct ipvs;
struct hook_state;

/* A packet seen at an interface, as tcpdump would: direction 1 in, 2 out. */
typedef void linux_tap_fn(void *ctx, struct netns *ns, uint16_t ifindex, int direction,
			  const struct packet *p);

struct linux_env { /* shared by all namespaces of a world; outlives them */
	struct engine *engine;
	struct choice *choice;
	struct craft *craft;
	linux_tap_fn *tap; /* NULL: nobody captures */
	void *tap_ctx;
};

enum iface_kind { IFACE_LOOPBACK, IFACE_VETH, IFACE_SEGMENT, IFACE_BRIDGE, IFACE_DUMMY };

enum addr_type { ADDR_UNSPEC, ADDR_UNICAST, ADDR_LOCAL, ADDR_BROADCAST, ADDR_MULTICAST,
		 ADDR_BLACKHOLE, ADDR_UNREACHABLE, ADDR_PROHIBIT };

enum route_kind { ROUTE_UNICAST, ROUTE_LOCAL, ROUTE_BLACKHOLE, ROUTE_UNREACHABLE,
		  ROUTE_PROHIBIT };

struct route {
	struct net_prefix dst;
	enum route_kind kind;
	struct net_addr via;       /* family NET_NONE: on link */
	uint16_t out_if;
	struct net_addr preferred; /* source; family NET_NONE: the interface's address */
	uint32_t metric;
};

struct route_result {
	enum route_kind kind;
	uint16_t out_if;
	struct net_addr next_hop; /* the destination itself when on link */
	struct net_addr source;   /* what a socket without address would use */
};

struct netns *netns_new(struct linux_env *env, const char *name);
void netns_free(struct netns *ns);
const char *netns_name(const struct netns *ns);
struct linux_env *netns_env(const struct netns *ns);
/* For the owner's use (the executor's place). */
void netns_set_user(struct netns *ns, void *user);
void *netns_user(const struct netns *ns);
/* Name shown as `node` in traces; default the name. */
void netns_set_label(struct netns *ns, const char *label);
const char *netns_label(const struct netns *ns);
/* A trace's entry_node is the label of the first such namespace that the packet enters
 * or leaves from: the executor says so of nodes. Default no. */
void netns_set_entry(struct netns *ns, bool entry);

/* Interfaces. Numbers start at 1 (lo) and are not used again. 0: the name exists. */
uint16_t netns_add_dummy(struct netns *ns, const char *name);
uint16_t netns_add_bridge(struct netns *ns, const char *name);
/* Connects two namespaces (or one with itself). Numbers go to *ia and *ib. */
int netns_add_veth(struct netns *a, const char *name_a, struct netns *b, const char *name_b,
		   int64_t delay_ns, uint16_t *ia, uint16_t *ib);
int netns_bridge_port(struct netns *ns, uint16_t bridge, uint16_t port, bool hairpin);
void netns_remove_iface(struct netns *ns, uint16_t ifindex);
void netns_set_up(struct netns *ns, uint16_t ifindex, bool up);
uint16_t netns_iface_by_name(const struct netns *ns, const char *name); /* 0 none */
const char *netns_iface_name(const struct netns *ns, uint16_t ifindex); /* "" none */
struct net_mac netns_iface_mac(const struct netns *ns, uint16_t ifindex);

/* A network segment: a switch with a delay. A next hop that nobody has: no frame is
 * seen, and after three seconds without an ARP answer the sender is told host
 * unreachable, as Linux does (linux/neigh.c). Faults are set per segment. */
struct segment;
struct segment_faults { uint32_t loss_per_million; int64_t extra_delay_ns, jitter_ns; };
struct segment *segment_new(struct linux_env *env, const char *name, int64_t delay_ns);
void segment_free(struct segment *s);
uint16_t netns_add_segment_iface(struct netns *ns, const char *name, struct segment *s);
void segment_set_faults(struct segment *s, const struct segment_faults *faults);
/* The same at one interface, for what leaves and what enters by it. */
void netns_set_faults(struct netns *ns, uint16_t ifindex, const struct segment_faults *faults);
/* Nothing passes between two interfaces of a segment; between an interface and an
 * address. netns_heal takes all faults of an interface away. Cuts name interfaces:
 * heal before one of them goes. */
void netns_cut_iface(struct netns *ns, uint16_t ifindex, struct netns *other, uint16_t other_index);
void netns_cut_addr(struct netns *ns, uint16_t ifindex, const struct net_addr *far);
void netns_heal(struct netns *ns, uint16_t ifindex);
/* Two CPUs at work (linux/race.c): UDP packets that come in within the same instant all pass
 * PREROUTING before the first of them is confirmed, so that they race for their entry. OLD:
 * in a kernel before 5.7, which drops one of two that were NATed differently. */
enum netns_race { NETNS_RACE_OFF, NETNS_RACE, NETNS_RACE_OLD };
void netns_set_race(struct netns *ns, enum netns_race race);

int netns_add_addr(struct netns *ns, uint16_t ifindex, const struct net_prefix *addr);
bool netns_remove_addr(struct netns *ns, uint16_t ifindex, const struct net_addr *addr);
/* First address of the family on the interface; NET_NONE none. */
struct net_addr netns_iface_addr(const struct netns *ns, uint16_t ifindex, uint8_t family);
int netns_add_route(struct netns *ns, const struct route *route);
bool netns_remove_route(struct netns *ns, const struct net_prefix *dst);
/* Longest prefix, local table first. False: no route. `src` may be NULL. */
bool netns_route(const struct netns *ns, const struct net_addr *dst, const struct net_addr *src,
		 uint32_t mark, struct route_result *out);
enum addr_type netns_addr_type(const struct netns *ns, const struct net_addr *addr);
/* The same as seen from one interface (inet_dev_addr_type): an address or broadcast address
 * of another one counts as unicast. 0: any. */
enum addr_type netns_addr_type_on(const struct netns *ns, const struct net_addr *addr,
				  uint16_t ifindex);
bool netns_is_local(const struct netns *ns, const struct net_addr *addr);

/* sysctls by their path, "net.ipv4.ip_forward". Unknown: ENOENT. Values are
 * integers. Known ones and defaults: linux/sysctl.c. */
int netns_sysctl_set(struct netns *ns, const char *name, int64_t value);
int netns_sysctl_get(const struct netns *ns, const char *name, int64_t *value);

/* A packet arrives at an interface, as from the wire. Takes the packet. */
void netns_input(struct netns *ns, uint16_t ifindex, struct packet *p);
/* A local process sends: OUTPUT, route, POSTROUTING. Takes the packet. 0 or errno
 * as the socket call sees it (EPERM, ENETUNREACH, EINVAL). */
int netns_output(struct netns *ns, struct packet *p);
/* What REJECT does. `tcp_reset`, else ICMP (type, code of the packet's family). The
 * original packet stays with the caller. Rate-limited as icmp_ratelimit says. */
void netns_send_reject(struct netns *ns, const struct hook_state *at, bool tcp_reset,
		       uint8_t icmp_type, uint8_t icmp_code);

/* Subsystems, made at first use. Each registers its hooks when it comes to be. */
struct conntrack *netns_conntrack(struct netns *ns);
struct conntrack *netns_conntrack_if_any(const struct netns *ns);
struct xt_ruleset *netns_xt(struct netns *ns, uint8_t family);
struct nft_ruleset *netns_nft(struct netns *ns);
struct ipset_table *netns_ipset(struct netns *ns);
struct ipvs *netns_ipvs(struct netns *ns);

/* What packets have cost this namespace so far: rules and policies of all rule sets,
 * look-ups; and the packets that came in by its interfaces. */
struct netns_work {
	uint64_t rules_evaluated, policies, set_lookups, ipvs_probes, packets, bytes;
};
void netns_work(const struct netns *ns, struct netns_work *out);

/* The host stack's sockets of this namespace. */
struct sockets_ref netns_sockets(struct netns *ns);

/* Text views: `ip -o addr show [dev]`, `ip route show [table local]`. */
void netns_print_addrs(const struct netns *ns, const char *dev, struct strbuf *out);
void netns_print_routes(const struct netns *ns, bool local_table, struct strbuf *out);
/* `ss -tan`-like list of sockets. */
/* `ip -o link show` text. */
void netns_print_links(const struct netns *ns, struct strbuf *out);
void netns_print_sockets(const struct netns *ns, struct strbuf *out);

/* Forgets flows (conntrack, recent lists, ipvs connections, sockets) but keeps
 * configuration: a trace starts from here. */
void netns_reset_flows(struct netns *ns);

#endif
