/* iptables/text.h: the rule text of one service port, in the four places it appears.
 *
 *   filter    REJECT and DROP rules, firewall drops, health check accepts
 *   chains    chain lines of the nat table for this service port's own chains
 *   dispatch  nat rules of KUBE-SERVICES and KUBE-NODEPORTS; written in every sync
 *   rules     nat rules of its own chains; a partial sync leaves unchanged ones alone
 *
 * Text is exactly what kube-proxy gives to iptables-restore, v1.25 to v1.34. How v1.20
 * wrote it is in old.c, behind the same functions.
 */
#ifndef IPTABLES_TEXT_H
#define IPTABLES_TEXT_H

#include "dataplanes/kubeproxy/kubeproxy.h"

enum ipt_part { IPT_FILTER, IPT_CHAINS, IPT_DISPATCH, IPT_RULES, IPT_PARTS };

#define IPT_PROBABILITIES 64 /* lists up to this long have their texts ready */

struct ipt_style { /* what the text depends on beside service port and endpoints */
	const struct proxy_config *config;
	const struct family_config *family;
	bool large;                    /* above 1000 endpoints: fewer comments */
	bool localhost;                /* node ports on 127.0.0.1 work */
	char mark[16];                 /* "0x00004000" */
	char is_local[80], not_local[80]; /* detector's match with a blank behind; "" none */
	char probability[IPT_PROBABILITIES][16]; /* of one in n: "0.3333333333" */
};

void ipt_style_init(struct ipt_style *s, const struct proxy_config *c, unsigned family,
		    bool large);
/* The style as a text: equal texts give equal rules. */
void ipt_style_key(const struct ipt_style *s, struct strbuf *out);

/* Appends one part of a service port. */
void ipt_part(const struct ipt_style *s, enum ipt_part part, struct service_port *p,
	      const struct endpoint_choice *choice, struct strbuf *out);

/* Calls fn with the name of each chain of its own that the service port has. */
typedef void ipt_chain_fn(void *ctx, const char *chain);
void ipt_own_chains(const struct ipt_style *s, struct service_port *p,
		    const struct endpoint_choice *choice, ipt_chain_fn *fn, void *ctx);

/* What stands before and after the service ports in both tables. */
void ipt_filter_head(const struct ipt_style *s, struct strbuf *out);
void ipt_filter_tail(const struct ipt_style *s, struct strbuf *out);
void ipt_nat_chains(const struct ipt_style *s, struct strbuf *out);
void ipt_nat_fixed(const struct ipt_style *s, struct strbuf *out);
void ipt_nat_tail(const struct ipt_style *s, struct strbuf *out);
/* Lines of single commands: the chains and jumps of a full sync. */
void ipt_jumps(const struct ipt_style *s, struct strbuf *out);

/* fixed.c: what kube-proxy in another mode does about these jumps and chains. A command
 * that finds nothing to delete lists its chain instead, so that it cannot fail. */
void ipt_jumps_removed(const struct ipt_style *s, struct strbuf *out);
/* cleanup.c: see planner_class.cleanup. */
void iptables_cleanup(const struct proxy_view *view, struct transactions *out);

/* old.c: the parts as v1.20 wrote them. */
void ipt_old_part(const struct ipt_style *s, enum ipt_part part, struct service_port *p,
		  const struct endpoint_choice *choice, struct strbuf *out);
void ipt_old_own_chains(const struct ipt_style *s, struct service_port *p,
			const struct endpoint_choice *choice, ipt_chain_fn *fn, void *ctx);

#endif
