/* linux/conntrack.h: connection tracking and NAT of one namespace.
 *
 * An entry has two tuples, one a direction; NAT changes the reply tuple when
 * the first packet is translated, and later packets are rewritten from the
 * tuples alone. An entry is made at PREROUTING or OUTPUT and confirmed at the
 * end of INPUT or POSTROUTING: what is dropped between leaves no entry. Expiry
 * is lazy: an entry past its deadline is treated as absent wherever it is met.
 *
 * IP fragments are not put together as Linux's nf_defrag does: the first passes for the
 * whole datagram, the others are INVALID, and traces call it undecidable.
 *
 * Timeouts, sysctls and states are Linux's: behaviours CTK-13, CTK-14.
 */
#ifndef LINUX_CONNTRACK_H
#define LINUX_CONNTRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/strbuf.h"
#include "linux/hook.h"
#include "net/packet.h"

struct conntrack;
struct ct_entry;
struct netns;

enum ct_state_bit { /* -m conntrack --ctstate, nft ct state */
	CT_INVALID = 1, CT_NEW = 2, CT_ESTABLISHED = 4, CT_RELATED = 8, CT_UNTRACKED = 16,
	CT_SNAT = 32, CT_DNAT = 64
};

struct conntrack *conntrack_new(struct netns *ns); /* registers its hooks */
void conntrack_free(struct conntrack *ct);

/* State bits of a packet at this point (exactly one of the first five, plus SNAT
 * and DNAT of its entry). */
unsigned ct_state(const struct packet *p);
/* Original and reply tuple of the packet's entry; false without entry. */
bool ct_tuples(const struct packet *p, struct flow_key *original, struct flow_key *reply);
/* Whether this packet goes in the entry's reply direction. */
bool ct_is_reply(const struct packet *p);
/* Status bits of the packet's entry as nft names them: seen-reply 2, assured 4, confirmed
 * 8, snat 16, dnat 32. 0 without entry. */
uint32_t ct_status(const struct packet *p);
/* Whole seconds that the packet's entry has left; 0 before it is confirmed. */
uint32_t ct_expires_s(const struct packet *p);
uint32_t ct_mark(const struct packet *p);
void ct_set_mark(struct packet *p, uint32_t mark);
/* raw table's NOTRACK. */
void ct_untrack(struct packet *p);
/* Makes `reply` the reply tuple of an entry that is not confirmed yet: what IPVS does with
 * net.ipv4.vs.conntrack=1 (nf_conntrack_alter_reply). The entry does not count as DNATed. */
void ct_alter_reply(struct packet *p, const struct flow_key *reply);
/* Conntrack zone that the packet is looked up in (-j CT --zone); before PREROUTING's or
 * OUTPUT's conntrack. */
void ct_set_zone(struct netns *ns, struct packet *p, uint16_t zone);

enum nat_kind { NAT_SRC, NAT_DST };
struct nat_range {
	struct net_addr min, max;     /* family NET_NONE: keep the address */
	uint16_t port_min, port_max;  /* 0: keep the port when possible */
	bool random, random_fully, persistent;
};

/* Sets up NAT of the packet's entry and rewrites the packet; what DNAT, SNAT,
 * REDIRECT and their nft twins call. When no free tuple is left the packet goes on
 * with a taken one and dies at confirm (insert_failed), as in Linux. DROP: the
 * packet has no entry that can be translated, or no address to take. */
enum nf_verdict nat_setup(struct hook_state *state, enum nat_kind kind,
			  const struct nat_range *range);
/* MASQUERADE: the address that the outgoing interface has toward the next hop. */
enum nf_verdict nat_masquerade(struct hook_state *state, const struct nat_range *range);
/* REDIRECT: 127.0.0.1 (::1) at OUTPUT, else the first address of the incoming interface. */
enum nf_verdict nat_redirect(struct hook_state *state, const struct nat_range *range);
/* Registers a nat rule evaluator: called for the first packet of an entry only
 * (per direction of manipulation), other packets are rewritten from the tuples. */
void nat_register(struct netns *ns, uint8_t family, enum nf_hook hook, int priority,
		  hook_fn *rules, void *ctx);
void nat_unregister(struct netns *ns, uint8_t family, enum nf_hook hook, hook_fn *rules,
		    void *ctx);

/* `conntrack -L` text of one family (0: both), in order of creation. */
void conntrack_print(const struct conntrack *ct, uint8_t family, struct strbuf *out);
uint32_t conntrack_count(const struct conntrack *ct);
/* Deletes entries that match; what kube-proxy's clean-up and `conntrack -D` do. */
struct ct_filter {
	uint8_t proto;                     /* 0 any */
	struct net_addr original_dst;      /* family NET_NONE any */
	uint16_t original_dst_port;        /* 0 any */
	struct net_addr reply_src;         /* family NET_NONE any */
};
uint32_t conntrack_delete(struct conntrack *ct, const struct ct_filter *filter);
/* Deletes entries for which `drop` says true. */
struct ct_view {
	struct flow_key original, reply;
	uint32_t mark;
};
uint32_t conntrack_delete_if(struct conntrack *ct, bool (*drop)(void *ctx, const struct ct_view *),
			     void *ctx);
/* The entry of the default zone with this original tuple, if there is one. */
void conntrack_delete_flow(struct conntrack *ct, const struct flow_key *original);
void conntrack_flush(struct conntrack *ct);
/* Event text (`conntrack -E`) goes to `fn`, one line an event; NULL stops it. */
void conntrack_watch(struct conntrack *ct, void (*fn)(void *ctx, const char *line), void *ctx);
/* Kernels before 5.7 drop the packet of an entry that clashes with another one whose NAT is
 * not the same; later ones let it pass and keep the entry until its first reply. */
void conntrack_set_old_clashes(struct conntrack *ct, bool old);
/* Counters as in /proc/net/stat/nf_conntrack. */
struct ct_stats { uint64_t found, invalid, insert, insert_failed, drop, clash_resolve; };
/* `conntrack -S`, of one CPU. */
void conntrack_print_stats(const struct conntrack *ct, struct strbuf *out);
struct ct_stats conntrack_stats(const struct conntrack *ct);

#endif
