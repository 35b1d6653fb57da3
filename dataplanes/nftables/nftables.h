/* nftables/nftables.h: kube-proxy in nftables mode. */
#ifndef NFTABLES_NFTABLES_H
#define NFTABLES_NFTABLES_H

#include "dataplane.h"

extern const struct planner_class nftables_planner;

/* See planner_class.probe. */
int nftables_probe(const struct proxy_view *view, const char **instead, struct strbuf *log,
		   struct err *err);

#endif
