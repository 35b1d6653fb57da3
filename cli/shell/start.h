/* cli/shell/start.h: a running cluster from manifests.
 *
 * Node objects of the files give the cluster's nodes (names, labels, zone, the annotation
 * svclab.dev/network); without any there are three, control-plane, worker-1 and worker-2.
 * ClusterConfiguration gives the ranges of pods and Services; KubeProxyConfiguration, or
 * kube-proxy's ConfigMap, the mode and what goes into that ConfigMap. Everything else is
 * created as a user would, except what the start has made already and what controllers
 * own: an export of a real cluster starts with its workloads, not with its old pods.
 */
#ifndef CLI_SHELL_START_H
#define CLI_SHELL_START_H

#include "cli/cluster.h"

/* The `upstream` (may be NULL) plays the servers outside. Warnings go to `warnings`, which lives as long as the world. */
int live_cluster_open(const struct cluster_arguments *a, struct dns_master *upstream,
		      struct strbuf *warnings, struct world **out, struct err *err);
/* A master file as an upstream; *out NULL where `path` is. */
int upstream_open(const char *path, struct dns_master **out, struct err *err);

#endif
