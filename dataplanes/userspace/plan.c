/* userspace/plan.c: what kube-proxy in userspace mode does in a sync.
 *
 * Every service port has a port of the proxy process, and rules that send its addresses
 * there. A port whose portal changes is closed and opened anew; a change of endpoints
 * touches no rule at all. A full sync makes sure that all rules are there.
 *
 * kube-proxy lets the kernel choose its ports; here they are counted up from 40001, in
 * the order in which service ports come, so that a listing says the same as a node.
 */
#include "dataplanes/userspace/userspace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplanes/kubeproxy/kubeproxy.h"
#include "dataplanes/userspace/proxy.h"
#include "dataplanes/userspace/text.h"
#include "net/packet.h"

#define FIRST_PORT 40001

struct portal { /* an open service port */
	uint16_t proxy_port;
	struct proxy_port *proxy;  /* NULL without sockets */
};

struct planner {
	struct kubeproxy base;
	struct table portals;      /* "tcp ns/name:port" -> struct portal */
	struct arena *names;
	uint16_t next_port;
	struct proxy_process *process; /* NULL without sockets */
	struct choice *choice;
};

static int userspace_open(const struct proxy_view *view, struct planner **out, struct err *err)
{
	if (view->version > KUBE_1_25)
		return err_set(err, EINVAL, "kube-proxy has no userspace mode since v1.26; use "
					    "--kube-version 1.20 or 1.25");
	struct planner *p = mem_alloc(sizeof *p);
	int code = kubeproxy_open(&p->base, view, "userspace", err);
	if (code) {
		free(p);
		return code;
	}
	table_init(&p->portals, TABLE_STRING_KEYS, sizeof(struct portal));
	p->names = arena_new();
	p->next_port = FIRST_PORT;
	*out = p;
	return 0;
}

static void userspace_close(struct planner *p)
{
	proxy_process_free(p->process);
	table_free(&p->portals);
	arena_free(p->names);
	kubeproxy_close(&p->base);
	free(p);
}

static void userspace_serve(struct planner *p, struct sockets_ref sockets, struct engine *engine,
			    struct choice *choice)
{
	p->choice = choice;
	p->process = proxy_process_new(sockets, engine, choice, p->base.config->udp_idle_ns);
}

static void userspace_forget(struct planner *p)
{
	if (p->process)
		proxy_process_forget(p->process);
}

/* ---- portals ----------------------------------------------------------------------------- */

struct syncing {
	struct planner *p;
	struct portal_style style;
	struct strbuf text;
};

static char *portal_key(const struct syncing *s, const struct service_port *port)
{
	return arena_printf(s->p->base.scratch, "%s %s", port->proto, port->name);
}

/* A port of the proxy: the next number that is free. */
static int take_port(struct syncing *s, const struct service_port *port, struct portal *portal)
{
	struct planner *p = s->p;
	int code = 0;
	for (unsigned tries = 0; tries < 1000; tries++) {
		portal->proxy_port = p->next_port;
		p->next_port = p->next_port == UINT16_MAX ? FIRST_PORT : p->next_port + 1;
		code = !p->process ? 0 :
		       proxy_port_open(p->process, port->cluster_ip.family, port->proto_number,
				       portal->proxy_port, port->node_port, &portal->proxy);
		if (code != EADDRINUSE)
			break;
	}
	return code;
}

static void open_portal(struct syncing *s, const struct service_port *port)
{
	struct portal fresh = { 0 };
	if (port->proto_number == PROTO_SCTP || take_port(s, port, &fresh) != 0)
		return; /* as kube-proxy: no socket, no rules */
	const char *key = arena_strdup(s->p->names, portal_key(s, port));
	*(struct portal *)table_put(&s->p->portals, key, NULL) = fresh;
	if (fresh.proxy)
		balancer_update(proxy_port_balancer(fresh.proxy), port, s->p->choice);
	portal_rules(&s->style, port, fresh.proxy_port, true, &s->text);
}

static void close_portal(struct syncing *s, const struct service_port *port)
{
	char *key = portal_key(s, port);
	struct portal *portal = table_find(&s->p->portals, key);
	if (!portal)
		return;
	portal_rules(&s->style, port, portal->proxy_port, false, &s->text);
	if (portal->proxy)
		proxy_port_close(portal->proxy);
	table_remove(&s->p->portals, key);
}

static void keep_portal(struct syncing *s, const struct service_port *port, bool ensure)
{
	struct portal *portal = table_find(&s->p->portals, portal_key(s, port));
	if (!portal) {
		open_portal(s, port);
		return;
	}
	if (portal->proxy)
		balancer_update(proxy_port_balancer(portal->proxy), port, s->p->choice);
	if (ensure)
		portal_rules(&s->style, port, portal->proxy_port, true, &s->text);
}

static const struct service_port *same_port(const struct service *s, const struct service_port *p)
{
	for (uint32_t i = 0; s && i < s->port_count; i++)
		if (strcmp(s->ports[i].port_name, p->port_name) == 0 &&
		    strcmp(s->ports[i].proto, p->proto) == 0)
			return &s->ports[i];
	return NULL;
}

static void sync_service(struct syncing *s, const struct snapshot_step *step)
{
	for (uint32_t i = 0; step->was && i < step->was->port_count; i++) {
		const struct service_port *was = &step->was->ports[i];
		const struct service_port *now = same_port(step->now, was);
		if (!now || !portal_equal(was, now))
			close_portal(s, was);
	}
	for (uint32_t i = 0; step->now && i < step->now->port_count; i++)
		keep_portal(s, &step->now->ports[i], s->p->base.full);
}

static void sync_family(struct planner *p, unsigned family, struct transactions *out)
{
	struct kubeproxy *k = &p->base;
	struct syncing s = { .p = p };
	struct snapshot_step step = { 0 };
	char host[NET_ADDR_TEXT];
	s.style = (struct portal_style){ k->config, family,
					 net_addr_text(&k->config->families[family].node_ip, host) };
	if (k->full)
		portal_setup(!k->planned, &s.text);
	/* A new process flushed its chains: nothing of the one before is there. */
	const struct snapshot *was = k->planned ? k->was[family] : NULL;
	const struct snapshot *now = k->now[family];
	while (k->full ? snapshot_next(was, now, &step) : snapshot_next_change(was, now, &step))
		sync_service(&s, &step);
	plan_add(out, family == PROXY_V6 ? TX_IP6TABLES : TX_IPTABLES, &s.text);
	strbuf_free(&s.text);
}

static int userspace_plan(struct planner *p, const struct proxy_view *view,
			  const struct plan_request *request, struct transactions *out,
			  struct err *err)
{
	int code = kubeproxy_begin(&p->base, view, request, out, err);
	if (code)
		return code;
	/* One family: this mode knows no dual stack. */
	bool six = !p->base.config->families[PROXY_V4].used &&
		   p->base.config->families[PROXY_V6].used;
	sync_family(p, six ? PROXY_V6 : PROXY_V4, out);
	kubeproxy_end(&p->base, out);
	return 0;
}

static uint64_t userspace_copied(const struct planner *p)
{
	return p->process ? proxy_process_copied(p->process) : 0;
}

static int userspace_list(struct planner *p, const struct proxy_view *view,
			  enum rules_format format, enum rules_view which, struct strbuf *out,
			  struct err *err)
{
	(void)p;
	return kubeproxy_list(&userspace_planner, view, format, which, out, err);
}

/* Its own health only: health check node ports are the business of the other modes (this
 * one's proxier.go has no server for them). */
static uint32_t userspace_health_ports(struct planner *p, const struct proxy_view *view,
				       uint16_t *ports, uint32_t max)
{
	uint16_t port = p->base.config->healthz_port;
	(void)view;
	if (port && max)
		ports[0] = port;
	return port != 0;
}

const struct planner_class userspace_planner = {
	.mode = "userspace", .open = userspace_open, .plan = userspace_plan,
	.list = userspace_list, .close = userspace_close, .changed = kubeproxy_changed,
	.due = kubeproxy_due, .next = kubeproxy_next, .done = kubeproxy_done,
	.health_ports = userspace_health_ports, .health = kubeproxy_health,
	.serve = userspace_serve, .forget = userspace_forget, .copied = userspace_copied,
	.cleanup = portal_cleanup,
};
