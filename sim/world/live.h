/* world/live.h: what the files of a running cluster share. */
#ifndef WORLD_LIVE_H
#define WORLD_LIVE_H

#include "world/internal.h"
#include "world/proxy.h"

/* ---- start_manifests.c: the cluster as kubeadm leaves it, as YAML ---- */

struct start_plan {
	struct net_prefix pods[2], services[2], lan[2]; /* family NET_NONE: single stack */
	const char *mode;                               /* of kube-proxy */
	const struct cluster_options *options;
};

/* Chooses the ranges; EINVAL: an option is no prefix. */
int start_plan(const struct cluster_options *options, const char *mode, struct start_plan *out,
	       struct err *err);
void start_manifests(const struct start_plan *plan, enum kube_version version, struct strbuf *out);
/* kube-proxy's ConfigMap with this mode. */
void proxy_config_map(const struct start_plan *plan, struct strbuf *out);
/* Address of the n-th node (from 0) and its range of pods. */
struct net_addr start_node_addr(const struct start_plan *plan, int family, uint32_t n);
bool start_node_pods(const struct start_plan *plan, int family, uint32_t n, struct net_prefix *out);

struct cluster_plan { /* kept as long as the world: modes change */
	struct start_plan start;
	struct cluster_options options;
};

/* ---- apply.c, live.c: kube-proxy's configuration ---- */

/* Takes the reference. */
int configuration_replace(struct world *w, struct kube_object *o, struct err *err);
/* A kube-proxy that starts reads its ConfigMap: where that was changed since the last one
 * started, its configuration becomes the cluster's, and its mode that of the world's row. */
int configuration_read(struct world *w, struct err *err);
/* The planner of another mode on this executor; NULL: there is none. */
const struct planner_class *planner_of_mode(const struct world *w, const char *mode);

/* ---- kubelet.c: what kubelets ask of the world ---- */

struct control_host kubelet_host(struct world *w);
void containers_free(struct world *w);

/* ---- listen.c: ports of containers ---- */

/* Opens what the container declares: ports, or the ports of its probes. */
int container_listen(struct place *p, const struct kube_pod *pod,
		     const struct kube_container *c, uint64_t id);
/* An endpoint names a port of a pod that declares none: its program listens there. */
void endpoints_listen(struct world *w, const struct kube_endpoint_slice *slice);

/* ---- handlers.c: probes and hooks ---- */

void run_handler(struct world *w, const struct control_call *call);
void handlers_free(struct world *w);

#endif
