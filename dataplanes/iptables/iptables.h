/* iptables/iptables.h: kube-proxy in iptables mode. */
#ifndef IPTABLES_IPTABLES_H
#define IPTABLES_IPTABLES_H

#include "dataplane.h"

extern const struct planner_class iptables_planner;

#endif
