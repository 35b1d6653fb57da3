/* ipvs/text.h: the iptables rules of ipvs mode, which match on sets.
 *
 * Few rules, whatever the number of services: each is written only if its set has
 * members. The exception is KUBE-IPVS-OUT-FILTER, a rule a load balancer address.
 */
#ifndef IPVS_TEXT_H
#define IPVS_TEXT_H

#include "dataplanes/ipvs/state.h"
#include "dataplanes/kubeproxy/leftovers.h"

struct ipvs_style {
	const struct proxy_config *config;
	unsigned family;
	bool filled[SET_COUNT];  /* sets that have members */
	bool first;              /* v1.20: its chains are not there yet */
	char mark[16], not_local[80];
};

void ipvs_style_init(struct ipvs_style *s, const struct proxy_config *c, unsigned family);
/* Lines of single commands: chains and jumps, ensured in every sync. */
void ipvs_jumps(const struct ipvs_style *s, struct strbuf *out);
/* What kube-proxy in nftables mode does about them: jumps as commands that cannot fail,
 * chains in restore text. */
void ipvs_jumps_removed(const struct ipvs_style *s, struct strbuf *out);
/* Those that are there. */
void ipvs_chains_removed(const struct ipvs_style *s, const struct left_tables *left,
			 struct strbuf *out);
/* The two tables; `services` for the rules of load balancer addresses. */
void ipvs_nat(const struct ipvs_style *s, struct strbuf *out);
void ipvs_filter(const struct ipvs_style *s, const struct snapshot *services, struct strbuf *out);

#endif
