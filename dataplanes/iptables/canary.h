/* iptables/canary.h: how kube-proxy notices that somebody flushed iptables.
 *
 * It keeps an empty chain, KUBE-PROXY-CANARY, in three tables, and once a sync period
 * looks whether the one in mangle is still there. When it is gone kube-proxy waits until
 * those of nat and filter are gone too (at most five seconds, looking ten times a second)
 * and then syncs in full, whatever minSyncPeriod says. A flush that leaves the chains
 * ("iptables -F" without -X) goes unnoticed.
 *
 * Rules change here only by a sync or by an administrator's command, so the planner is
 * told of commands and looks at the next time that kube-proxy would.
 *
 * Source: pkg/util/iptables iptables.go, Monitor.
 */
#ifndef IPTABLES_CANARY_H
#define IPTABLES_CANARY_H

#include "dataplanes/kubeproxy/kubeproxy.h"

struct canary {
	int64_t since_ns;    /* looks are whole sync periods later; 0 until the first reload */
	int64_t look_ns;     /* the next one; 0: none */
	int64_t patience_ns; /* a flush was seen: do not wait longer than until then; 0: none */
};

/* watch() of planner_class. */
int64_t canary_watch(struct canary *c, struct kubeproxy *k, const struct proxy_view *view,
		     int64_t now_ns);

#endif
