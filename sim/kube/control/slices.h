/* kube/control/slices.h: between the files of the EndpointSlice controller.
 *
 * A sync of one Service gathers wanted endpoints (slices.c), packs them into slices per
 * address family and port list (slices_pack.c), adds hints (topology.c) and writes what
 * differs (slices_write.c). Everything here lives in the arena of the sync.
 */
#ifndef KUBE_CONTROL_SLICES_H
#define KUBE_CONTROL_SLICES_H

#include "core/arena.h"
#include "kube/control/internal.h"

#define SLICE_MANAGER "endpointslice-controller.k8s.io"
#define LABEL_SERVICE "kubernetes.io/service-name"
#define LABEL_MANAGED_BY "endpointslice.kubernetes.io/managed-by"
#define LABEL_HEADLESS "service.kubernetes.io/headless"
#define LABEL_ZONE "topology.kubernetes.io/zone"
#define TRIGGER_TIME "endpoints.kubernetes.io/last-change-trigger-time"

struct wanted { /* one endpoint */
	const struct kube_pod *pod;
	const char *ip, *hostname, *node, *zone; /* hostname, zone: NULL none */
	bool ready, serving, terminating, placed;
	const char *hint_zone, *hint_node;       /* NULL: none */
};

struct wanted_list {
	struct wanted **items;
	uint32_t count, capacity;
};

struct planned { /* one slice */
	const struct kube_endpoint_slice *existing; /* NULL: new */
	struct wanted_list endpoints;
	bool changed, removed;
	struct port_group *group;
};

struct port_group { /* endpoints with the same resolved ports */
	char *key;
	struct kube_endpoint_port *ports;
	uint32_t port_count;
	struct wanted_list wanted;
	struct planned **slices;
	uint32_t slice_count, slice_capacity;
};

struct slice_sync {
	struct control *c;
	struct arena *arena;
	const struct kube_service *service;
	struct service_record *record;
	const char *address_type; /* of the family in work */
	uint8_t family;
	struct port_group **groups;
	uint32_t group_count;
	struct object_list existing; /* all of this controller's for the Service */
	bool retry;                  /* a pod's node is missing */
	int64_t trigger_ns;          /* INT64_MAX: nothing changed at a known time */
};

bool service_headless(const struct kube_service *s);
/* Port number for a pod, 0 when it has none of that name. */
int32_t service_target_port(const struct kube_service_port *port, const struct kube_pod *pod);
/* The pod's address of the family, or NULL. */
const char *pod_address(const struct kube_pod *p, uint8_t family);
uint8_t address_family(const char *text);

void wanted_add(struct slice_sync *s, struct wanted_list *l, struct wanted *w);
struct port_group *group_need(struct slice_sync *s, const struct kube_endpoint_port *ports,
			      uint32_t count);
struct planned *planned_new(struct slice_sync *s, struct port_group *g,
			    const struct kube_endpoint_slice *existing);

/* The annotation with the time of the first change that led to a write: RFC 3339 with the
 * fraction that is not zero; INT64_MAX takes it away. */
void trigger_time_set(struct kube_object *o, int64_t when_ns);
/* The earlier of `earliest` and the pod's Ready transition, if that came after `since_ns`. */
int64_t trigger_time_min(int64_t earliest, const struct kube_pod *p, int64_t since_ns);

void slices_pack(struct slice_sync *s);
void slices_hint(struct slice_sync *s);
void slices_write(struct slice_sync *s);

#endif
