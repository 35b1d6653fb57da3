/* kubeproxy/health.h: the HTTP answers of a kube-proxy.
 *
 * Two kinds of servers: healthz (10256: /healthz, /livez) says whether this kube-proxy
 * keeps up; a health check node port of a Service says how many of its endpoints are
 * ready on this node, which is what a cloud load balancer asks.
 *
 * Source: pkg/proxy/healthcheck service_health.go and proxy_health.go.
 */
#ifndef KUBEPROXY_HEALTH_H
#define KUBEPROXY_HEALTH_H

#include "dataplanes/kubeproxy/config.h"
#include "dataplanes/kubeproxy/runner.h"
#include "dataplanes/kubeproxy/tracker.h"

/* Ports of both kinds, healthz first; returns their number, fills up to `max`. */
uint32_t health_port_list(const struct proxy_config *c, struct snapshot *const snapshots[],
			  uint16_t *ports, uint32_t max);

/* Answers GET path; returns the status. `headers`: further lines, each with CRLF. */
int health_answer(const struct proxy_config *c, const struct runner *r,
		  struct snapshot *const snapshots[], uint16_t port, const char *path,
		  int64_t now_ns, struct strbuf *headers, struct strbuf *body);

#endif
