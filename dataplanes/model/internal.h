/* dataplanes/model/internal.h: what the files of this executor share. */
#ifndef DATAPLANES_MODEL_INTERNAL_H
#define DATAPLANES_MODEL_INTERNAL_H

#include "core/table.h"
#include "dataplane.h"
#include "linux/netns.h"

#define GATEWAY_PLACE "gateway"

struct model_place {
	enum place_kind kind;
	char *name, *node;
	struct net_addr addrs[2];
	struct net_addr *more; /* node: further addresses of the uplink */
	uint32_t more_count;
	struct net_prefix pod_cidrs[2];
	char *uplink_name, *bridge_name, *port_name; /* NULL: as model.h says */
	bool routed, no_hairpin, overlay;
	struct netns *ns;
	uint16_t uplink;     /* eth0 */
	uint16_t bridge;     /* node: cni0, 0 none */
	uint16_t node_port;  /* pod: number of the veth's end in the node */
	uint16_t vxlan;      /* node: flannel.1, 0 none */
};

struct executor { /* of the class model_executor */
	struct executor_env env;
	struct topology topology;
	struct linux_env shared;
	struct segment *lan, *overlay;
	struct table places; /* name -> struct model_place *; keys are the places' names */
	struct netns *gateway;
	uint16_t gateway_if;
	struct net_addr gateway_addrs[2];
};

struct model_place *model_place(const struct executor *e, const char *name);

/* layout.c: namespaces, interfaces, addresses and routes. */
void layout_open(struct executor *e);
int layout_attach(struct executor *e, struct model_place *p, struct err *err);
void layout_detach(struct executor *e, struct model_place *p);

/* load.c, dump.c: the operations of the class. */
int model_load(struct executor *e, const char *place, const struct transaction *t,
	       struct load_cost *cost, struct err *err);
int model_dump(struct executor *e, const char *place, enum dump_view view, const char *argument,
	       struct strbuf *out, struct err *err);

#endif
