/* userspace/text.h: the portal rules, each a command of its own.
 *
 * A portal is the set of rules that send one service port's addresses to the port that
 * kube-proxy listens on. Rules are appended one by one and removed one by one.
 *
 * Source of behaviour: pkg/proxy/userspace/proxier.go of v1.20 and v1.25.
 */
#ifndef USERSPACE_TEXT_H
#define USERSPACE_TEXT_H

#include "dataplanes/kubeproxy/leftovers.h"

struct portal_style {
	const struct proxy_config *config;
	unsigned family;
	const char *host_ip;     /* the node's address, for the host's own chains */
};

/* Chains and jumps; `flush` at the start of a process. */
void portal_setup(bool flush, struct strbuf *out);
/* The rules of one service port; removal when `add` is false. */
void portal_rules(const struct portal_style *s, const struct service_port *p,
		  uint16_t proxy_port, bool add, struct strbuf *out);
/* See planner_class.cleanup. */
void portal_cleanup(const struct proxy_view *view, struct transactions *out);
/* Whether two service ports have the same portal. */
bool portal_equal(const struct service_port *a, const struct service_port *b);

#endif
