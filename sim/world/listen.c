/* world/listen.c: on which ports and addresses a container's program listens.
 *
 * Its containerPorts; with none declared in the pod, the ports of its probes, and those
 * that endpoints name (they may come later, with the Service). The annotation
 * svclab.dev/bind gives the address that all its programs bind (127.0.0.1: the program
 * that is reached from its own pod only); svclab.dev/ports adds ports, "9090/UDP,7000".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world/live.h"

static bool declares_ports(const struct kube_pod *pod)
{
	for (uint32_t i = 0; i < pod->spec.containers.count; i++)
		if (pod->spec.containers.items[i].ports.count)
			return true;
	return false;
}

static uint8_t protocol(const char *name)
{
	return proto_number(name ? name : "TCP");
}

static int listen_on(struct place *p, const struct kube_pod *pod, uint64_t id, uint8_t proto,
		     int64_t port)
{
	const char *bind = kube_map_get(&pod->object.meta.annotations, "svclab.dev/bind");
	struct net_addr a;
	if (port < 1 || port > 65535)
		return 0;
	bool own = bind && net_addr_parse(bind, &a);
	return program_add(p, id, proto, (uint16_t)port, own ? &a : NULL);
}

static int listen_for_probe(struct place *p, const struct kube_pod *pod, uint64_t id,
			    const struct kube_probe *probe)
{
	const struct int_or_string *port = probe->handler.http_get.set ? &probe->handler.http_get.port
					   : probe->handler.tcp_socket.set
						   ? &probe->handler.tcp_socket.port : NULL;
	return probe->set && port && port->kind == 'i'
		       ? listen_on(p, pod, id, PROTO_TCP, port->number) : 0;
}

static int listen_extra(struct place *p, const struct kube_pod *pod, uint64_t id)
{
	const char *list = kube_map_get(&pod->object.meta.annotations, "svclab.dev/ports");
	int code = 0;
	while (list && *list && !code) {
		char item[32], *slash;
		size_t n = strcspn(list, ",");
		snprintf(item, sizeof item, "%.*s", (int)n, list);
		slash = strchr(item, '/');
		if (slash)
			*slash++ = '\0';
		code = listen_on(p, pod, id, protocol(slash), atoi(item));
		list += n + (list[n] == ',');
	}
	return code;
}

int container_listen(struct place *p, const struct kube_pod *pod,
		     const struct kube_container *c, uint64_t id)
{
	bool first = c == &pod->spec.containers.items[0] ||
		     kube_is(c->name, pod->spec.containers.items[0].name);
	int code = 0;
	for (uint32_t i = 0; i < c->ports.count && !code; i++)
		code = listen_on(p, pod, id, protocol(c->ports.items[i].protocol),
				 c->ports.items[i].container_port);
	if (first && !code)
		code = listen_extra(p, pod, id);
	if (code || declares_ports(pod))
		return code;
	code = listen_for_probe(p, pod, id, &c->readiness);
	if (!code)
		code = listen_for_probe(p, pod, id, &c->liveness);
	if (!code)
		code = listen_for_probe(p, pod, id, &c->startup);
	if (code || !first)
		return code;
	const struct kube_object *o;
	uint32_t cursor = 0;
	p->undeclared = id;
	while ((o = kube_store_next(p->world->store, KIND_ENDPOINT_SLICE,
				    pod->object.meta.namespace, &cursor)) != NULL)
		endpoints_listen(p->world, (const void *)o);
	return 0;
}

void endpoints_listen(struct world *w, const struct kube_endpoint_slice *slice)
{
	for (uint32_t i = 0; i < slice->endpoints.count; i++) {
		const struct kube_endpoint *e = &slice->endpoints.items[i];
		struct net_addr a;
		if (!e->addresses.count || !net_addr_parse(e->addresses.items[0], &a))
			continue;
		struct place *p = place_by_addr(w, &a);
		const struct kube_pod *pod = p && p->undeclared ? kube_store_pod_by_ip(w->store, &a)
								: NULL;
		for (uint32_t k = 0; pod && k < slice->ports.count; k++) {
			const struct kube_endpoint_port *port = &slice->ports.items[k];
			if (port->port.set)
				listen_on(p, pod, p->undeclared, protocol(port->protocol),
					  port->port.value);
		}
	}
}
