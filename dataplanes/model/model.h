/* dataplanes/model/model.h: the executor on the Linux model.
 *
 * Layout of the network it builds, the same that the real-Linux executor builds:
 *
 *   lan       one segment: every node's eth0, every host outside, and the gateway
 *   gateway   a router at the LAN's last address; knows the LAN and the hosts
 *             outside; anything else it drops in silence, as an uplink would
 *   node      lo, eth0 on the LAN, default route to the gateway, a route to each
 *             other node's pod range by that node (host-gw), ip_forward on
 *   pod       lo, eth0; a veth to its node: a port of the bridge cni0 that has the
 *             first address of the pod range, or, routed, a /32 route (no cni0)
 *   outside   lo, eth0 on the LAN; default route by the node it enters by
 *   overlay   with node option overlay: a second segment, interface flannel.1 with
 *             the range's address 0, and the pod routes over it (the VXLAN header
 *             itself is not on the wire)
 */
#ifndef DATAPLANES_MODEL_MODEL_H
#define DATAPLANES_MODEL_MODEL_H

#include "dataplane.h"

extern const struct executor_class model_executor;

#endif
