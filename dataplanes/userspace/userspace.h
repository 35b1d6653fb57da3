/* userspace/userspace.h: kube-proxy in userspace mode (gone since v1.26). */
#ifndef USERSPACE_USERSPACE_H
#define USERSPACE_USERSPACE_H

#include "dataplane.h"

extern const struct planner_class userspace_planner;

#endif
