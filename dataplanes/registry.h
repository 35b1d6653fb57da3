/* dataplanes/registry.h: the dataplanes that svclab knows.
 *
 * The only list of them. A row joins a planner and an executor; `--dataplane` and
 * `--mode` take its name. main hands the registry to the world, so sim/ includes nothing
 * of dataplanes/. How to add a row: dataplanes/README.md.
 */
#ifndef DATAPLANES_REGISTRY_H
#define DATAPLANES_REGISTRY_H

#include "dataplane.h"

extern const struct registry dataplanes;

#endif
