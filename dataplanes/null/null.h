/* null/null.h: the smallest dataplane: it plans nothing, so no Service works.
 *
 * It is what a node without kube-proxy does: packets to a ClusterIP follow the routes and
 * are lost. Read it together with dataplanes/README.md, which adds a dataplane step by
 * step; plan.c and text.c have the names that they have in every mode.
 */
#ifndef NULL_NULL_H
#define NULL_NULL_H

#include "dataplane.h"

extern const struct planner_class null_planner;

/* text.c: what `svclab rules` prints. */
void null_text(const char *node, struct strbuf *out);

#endif
