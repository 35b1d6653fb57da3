/* kubeproxy/leftovers.h: what kube-proxies left on a node, found by reading it back.
 *
 * `kube-proxy --cleanup` removes the rules of every mode; since v1.29 a kube-proxy that
 * starts removes those of modes that do not go with its own: nftables mode removes what
 * iptables and ipvs mode left, these remove the tables of nftables mode. Between iptables
 * and ipvs mode nothing is removed. What cannot be read is taken not to be there.
 *
 * Source of behaviour: platformCleanup of cmd/kube-proxy/app/server_linux.go, and the
 * CleanupLeftovers of pkg/proxy/iptables, ipvs, nftables and (v1.25) userspace.
 */
#ifndef KUBEPROXY_LEFTOVERS_H
#define KUBEPROXY_LEFTOVERS_H

#include "dataplanes/kubeproxy/kubeproxy.h"

/* One family's chains that kube-proxies may have left, as iptables-save prints them. */
struct left_tables {
	struct strbuf nat, filter;
	enum tx_tool commands, restore;  /* the family's tools */
};

/* False: no chain of Kubernetes is there. Ends with left_tables_free in any case. */
bool left_tables_read(struct left_tables *t, const struct proxy_view *view, unsigned family);
void left_tables_free(struct left_tables *t);
bool left_chain(const struct strbuf *save, const char *chain);

/* Appends `text` as a transaction and clears it. */
void left_put(struct transactions *out, enum tx_tool tool, struct strbuf *text);

/* nftables mode's tables. */
void left_nft_removed(const struct proxy_view *view, struct transactions *out);

#endif
