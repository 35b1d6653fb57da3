/* ipvs/ipvs.h: kube-proxy in ipvs mode. */
#ifndef IPVS_IPVS_H
#define IPVS_IPVS_H

#include "dataplane.h"

extern const struct planner_class ipvs_planner;

#endif
