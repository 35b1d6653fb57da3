/* kube/control/balancer.h: spec.loadBalancerClass of Services that have a load balancer in
 * front of the nodes. The controller (balancer.c) gives them an address and an ipMode; who
 * runs the cluster runs the load balancer (world/balance.c). */
#ifndef KUBE_CONTROL_BALANCER_H
#define KUBE_CONTROL_BALANCER_H

/* Forwards packets as they are to a healthy node: ipMode VIP. */
#define LB_CLASS_PASSTHROUGH "svclab.dev/passthrough"
/* Ends connections and makes new ones to node ports: ipMode Proxy. */
#define LB_CLASS_PROXY "svclab.dev/proxy"

#endif
