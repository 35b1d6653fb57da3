/* linux/internal.h: what the files of the namespace core share.
 *
 * Nobody outside netns.c, iface.c, link.c, neigh.c, segment.c, bridge.c, fib.c,
 * route.c, sysctl.c, hook.c, input.c, output.c, icmp.c, reject.c, show.c, steps.c
 * and the stack looks into these structures.
 *
 * The way of a packet, by file: link.c delivers it to netns_input (input.c), which
 * hands it to bridge.c when the interface is a bridge port; route.c decides; what
 * leaves goes through path_post (output.c) to link_transmit (link.c), which asks
 * neigh.c who has the next hop.
 */
#ifndef LINUX_INTERNAL_H
#define LINUX_INTERNAL_H

#include "core/table.h"
#include "linux/hook.h"
#include "linux/netns.h"

#define IFACE_NAME_BYTES 16u /* IFNAMSIZ: 15 characters and NUL */
#define LOOPBACK_IF 1u

enum conf_key { /* net.ipv4.conf.*.KEY and its net.ipv6 twins */
	CONF_FORWARDING, CONF_RP_FILTER, CONF_ROUTE_LOCALNET, CONF_ACCEPT_LOCAL, CONF_ARP_IGNORE,
	CONF_ARP_ANNOUNCE, CONF_PROXY_ARP, CONF6_FORWARDING, CONF6_PROXY_NDP, CONF_COUNT
};

/* Who is on one link-layer segment: a bridge's or a segment's. */
struct l2_domain {
	struct table by_addr; /* struct net_addr -> struct iface * */
	struct table by_mac;  /* struct net_mac -> struct iface * */
};

struct bridge {
	struct l2_domain domain; /* the bridge itself and the far ends of its ports */
};

struct segment {
	struct linux_env *env;
	char *name;
	int64_t delay_ns;
	struct segment_faults faults;
	struct l2_domain domain;
	struct iface **members;
	uint32_t member_count;
};

struct link_faults;

struct flight { /* a packet between two interfaces */
	struct flight *next, **back; /* list of the receiving interface */
	struct iface *to;
	struct packet *packet;
	struct event_id event;
};

struct iface {
	char name[IFACE_NAME_BYTES];
	uint16_t number;
	uint8_t kind; /* enum iface_kind */
	bool up, hairpin;
	struct net_mac mac;
	struct netns *ns;
	struct iface *master; /* the bridge that this is a port of */
	union {
		struct iface *peer;      /* VETH; NULL: gone */
		struct segment *segment; /* SEGMENT; NULL: gone */
		struct bridge *bridge;   /* BRIDGE */
	};
	int64_t delay_ns; /* VETH */
	struct net_prefix *addrs;
	uint32_t addr_count, addr_capacity;
	struct flight *flights;
	struct link_faults *faults; /* NULL: none */
	uint64_t packets, bytes;    /* that came in by it */
	int16_t conf[CONF_COUNT];
};

struct fib_entry {
	struct route route;
	bool kernel; /* made by an address, "proto kernel" */
	struct fib_entry *next, **back; /* all entries, in order of addition */
	struct fib_entry *same;         /* same prefix, rising metric; only with an index */
};

/* One routing table. Few entries are searched one by one; more get an index by
 * prefix, and a look-up costs one probe for each prefix length in use. */
struct fib {
	struct fib_entry *first, **last;
	uint32_t count;
	struct table *index;   /* struct net_prefix -> struct fib_entry * */
	uint64_t lengths4;     /* bit n: a /n may be there */
	uint64_t lengths6[3];
};

struct hook_list;
struct nat_rules;
struct icmp_limits;
struct neigh_wait;
struct sysctls;

struct netns {
	struct linux_env *env;
	char *name, *label;
	void *user;
	struct iface **ifaces; /* by rising number */
	uint32_t iface_count;
	uint16_t last_number;
	bool entry; /* traces note it as entry node */
	struct fib local, main;
	struct hook_list *hooks; /* [2][HOOK_COUNT], NULL: none registered yet */
	struct nat_rules *nat;
	struct conntrack *conntrack;
	struct xt_ruleset *xt[2];
	struct nft_ruleset *nft;
	struct ipset_table *ipset;
	struct ipvs *ipvs;
	struct sockets *sockets;
	struct icmp_limits *icmp_limits;
	struct neigh_wait *waiting; /* packets whose next hop nobody has */
	struct race *race;          /* NULL: one CPU handles one packet after the other */
	int64_t *sysctls;           /* NULL: all have their defaults */
	int16_t conf_all[CONF_COUNT], conf_default[CONF_COUNT];
};

/* iface.c */
struct iface *iface_find(const struct netns *ns, uint16_t number); /* NULL none */
void iface_free(struct iface *f); /* also takes it out of its namespace */

/* link.c */
void link_transmit(struct netns *ns, uint16_t out_if, const struct net_addr *next_hop,
		   struct packet *p);
/* Over a veth that is a bridge port, the MACs being set. */
void link_port_send(struct iface *port, struct packet *p);
void link_cancel(struct iface *to);
void link_tap(struct iface *f, int direction, struct packet *p);

/* fault.c: what both ends add to a frame's delay, or a negative number: it is lost. */
int64_t link_fault_delay(const struct iface *out, const struct iface *in, const struct packet *p);
void link_faults_free(struct iface *f);

/* neigh.c: who answers for an address. The receiving interface, or NULL. */
void l2_init(struct l2_domain *d);
void l2_free(struct l2_domain *d);
void l2_join(struct l2_domain *d, struct iface *f);
void l2_leave(struct l2_domain *d, struct iface *f);
void l2_addr_added(struct iface *f, const struct net_addr *a);
void l2_addr_removed(struct iface *f, const struct net_addr *a);
struct iface *neigh_find(struct iface *out, const struct net_addr *next_hop);
struct iface *neigh_find_on_bridge(struct iface *bridge, const struct iface *asking,
				   const struct net_addr *next_hop);
/* Nobody answers: the packet waits as long as Linux asks, then fails. Takes it. */
void neigh_fail(struct iface *out, const struct net_addr *next_hop, struct packet *p);
void neigh_free(struct netns *ns);

/* race.c. True: the packet is held and goes on later in this instant. */
bool race_hold(struct iface *in, struct packet *p);
void race_free(struct netns *ns);
/* input.c: what follows PREROUTING. */
void ip_route_in(struct iface *in, struct packet *p);

/* segment.c */
void segment_leave(struct iface *f);
/* Delay of this frame, or a negative number: lost. */
int64_t segment_delay(const struct segment *s);

/* bridge.c */
void bridge_input(struct iface *port, struct packet *p);
void bridge_leave(struct iface *port);
void bridge_transmit(struct iface *bridge, struct iface *target, struct packet *p);

/* fib.c */
void fib_free(struct fib *fib);
int fib_add(struct fib *fib, const struct route *route, bool kernel);
/* Removes the first entry that agrees; out_if 0: any. */
bool fib_remove(struct fib *fib, const struct net_prefix *dst, uint16_t out_if);
void fib_remove_iface(struct fib *fib, uint16_t out_if);
const struct fib_entry *fib_lookup(const struct netns *ns, const struct fib *fib,
				   const struct net_addr *dst);
bool fib_has(const struct fib *fib, const struct net_prefix *dst, uint16_t out_if);

/* route.c */
#define ROUTE_BROADCAST ((enum route_kind)(ROUTE_PROHIBIT + 1)) /* local table only */
enum route_input_kind { INPUT_LOCAL, INPUT_FORWARD, INPUT_UNREACHABLE, INPUT_DROP };
struct route_input {
	enum route_input_kind kind;
	struct route_result route;
	uint8_t icmp_code; /* INPUT_UNREACHABLE: of type destination unreachable */
	const char *why;   /* INPUT_DROP and INPUT_UNREACHABLE */
};
void route_input(const struct netns *ns, const struct iface *in, const struct packet *p,
		 struct route_input *out);
/* Route of a local packet from `src` (NULL or NET_NONE: not chosen yet). 0 or errno. */
int route_output(const struct netns *ns, const struct net_addr *dst, const struct net_addr *src,
		 struct route_result *out);
/* inet_select_addr: the address that interface `out_if` has toward a next hop. */
struct net_addr route_source(const struct netns *ns, uint16_t out_if,
			     const struct net_addr *next_hop, uint8_t family);

/* sysctl.c */
/* Values that Linux combines of `all` and the interface: max, or or. */
int conf_of(const struct iface *f, enum conf_key key);
bool netns_forwarding(const struct netns *ns, uint8_t family);
enum sysctl_key { /* those that this layer itself asks for */
	SYSCTL_ICMP_RATELIMIT, SYSCTL_ICMP_RATEMASK, SYSCTL_ICMP_ECHO_IGNORE_ALL,
	SYSCTL_ICMP_MSGS_PER_SEC, SYSCTL_ICMP_MSGS_BURST, SYSCTL_ICMP6_RATELIMIT,
	SYSCTL_DEFAULT_TTL, SYSCTL_SYN_RETRIES, SYSCTL_SYNACK_RETRIES, SYSCTL_RETRIES2,
	SYSCTL_SYN_LINEAR, SYSCTL_NONLOCAL_BIND, SYSCTL_BRIDGE_NF4, SYSCTL_BRIDGE_NF6,
	SYSCTL_CT_MAX, SYSCTL_CT_GENERIC, SYSCTL_CT_ICMP, SYSCTL_CT_ICMP6, SYSCTL_CT_UDP,
	SYSCTL_CT_UDP_STREAM, SYSCTL_CT_TCP_SYN_SENT, SYSCTL_CT_TCP_SYN_RECV,
	SYSCTL_CT_TCP_ESTABLISHED, SYSCTL_CT_TCP_FIN_WAIT, SYSCTL_CT_TCP_CLOSE_WAIT,
	SYSCTL_CT_TCP_LAST_ACK, SYSCTL_CT_TCP_TIME_WAIT, SYSCTL_CT_TCP_CLOSE,
	SYSCTL_CT_TCP_RETRANS, SYSCTL_CT_TCP_UNACK, SYSCTL_CT_TCP_LOOSE, SYSCTL_CT_TCP_LIBERAL,
	SYSCTL_CT_TCP_MAX_RETRANS, SYSCTL_CT_TCP_IGNORE_INVALID_RST, SYSCTL_CT_SCTP_CLOSED,
	SYSCTL_CT_SCTP_COOKIE_WAIT, SYSCTL_CT_SCTP_COOKIE_ECHOED, SYSCTL_CT_SCTP_ESTABLISHED,
	SYSCTL_CT_SCTP_SHUTDOWN_SENT, SYSCTL_CT_SCTP_SHUTDOWN_RECD,
	SYSCTL_CT_SCTP_SHUTDOWN_ACK_SENT, SYSCTL_CT_SCTP_HEARTBEAT_SENT, SYSCTL_NAMED
};
int64_t sysctl_value(const struct netns *ns, enum sysctl_key key);

/* hook.c, nat.c */
void hooks_free(struct netns *ns);
void nat_free(struct netns *ns);
/* Runs a hook for a packet that sits in the namespace. */
enum nf_verdict hook_at(struct netns *ns, enum nf_hook hook, struct packet *p, int *error);

/* input.c */
void ip_receive(struct iface *in, struct packet *p, bool prerouting_done);
/* output.c: POSTROUTING and out. Takes the packet. */
void path_post(struct netns *ns, const struct route_result *route, struct packet *p);
/* Frees a packet that this layer lost and says so in its trace. */
void path_drop(struct netns *ns, struct packet *p, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* conntrack.c: what a packet holds while it is between two events. */
void ct_hold(struct packet *p);
void ct_release(struct packet *p);
/* An answer made here belongs to the flow of `cause` (nf_ct_attach). */
void ct_attach(struct packet *answer, const struct packet *cause);
/* Forgets an entry that was never confirmed, when its packet dies. */
void ct_forget(struct packet *p);

/* icmp.c */
void icmp_error(struct netns *ns, const struct packet *cause, uint8_t type, uint8_t code,
		uint32_t rest);
void icmp_receive(struct netns *ns, struct packet *p);
void icmp_limits_free(struct netns *ns);
/* errno that a socket gets for an ICMP error; *hard says whether it ends a datagram
 * socket's call (icmp_err_convert). */
int icmp_errno(uint8_t family, uint8_t type, uint8_t code, bool *hard);

/* stack.c */
void stack_receive(struct netns *ns, struct packet *p); /* takes it */
/* An ICMP error about a packet that this namespace sent. */
struct icmp_notice {
	uint8_t type, code, family;
	struct net_addr from;
	bool loopback; /* it came back within the sending call */
};
void stack_icmp_error(struct netns *ns, const struct packet *quoted,
		      const struct icmp_notice *notice);
void stack_echo_reply(struct netns *ns, const struct packet *p);
void stack_free(struct netns *ns);
void stack_reset(struct netns *ns);
void stack_print(const struct netns *ns, struct strbuf *out);

/* steps.c: lines of a trace; nothing happens when the packet has none. */
void step_add(const struct netns *ns, const struct packet *p, const char *hook, const char *table,
	      const char *note, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* "10.0.0.1:80 -> 10.0.0.2:90", or addresses alone where there are no ports. */
const char *step_change(const struct net_addr *a, uint16_t a_port, const struct net_addr *b,
			uint16_t b_port, char *out, size_t size);

#endif
