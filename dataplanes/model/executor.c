/* dataplanes/model/executor.c: the class model_executor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "dataplanes/model/internal.h"
#include "dataplanes/model/model.h"

struct model_place *model_place(const struct executor *e, const char *name)
{
	struct model_place **found = name ? table_find(&e->places, name) : NULL;
	return found ? *found : NULL;
}

/* Interface names are shown as "place:interface". */
static void on_tap(void *ctx, struct netns *ns, uint16_t ifindex, int direction,
		   const struct packet *p)
{
	struct executor *e = ctx;
	char interface[192];
	snprintf(interface, sizeof interface, "%s:%s", netns_name(ns),
		 netns_iface_name(ns, ifindex));
	e->env.tap(e->env.tap_ctx, netns_name(ns), interface, direction,
		   engine_now(e->env.engine), p);
}

static int model_open(const struct executor_env *env, const struct topology *topology,
		      struct executor **out, struct err *err)
{
	(void)err;
	struct executor *e = mem_alloc(sizeof *e);
	e->env = *env;
	e->topology = *topology;
	e->shared = (struct linux_env){ .engine = env->engine, .choice = env->choice,
				       .craft = craft_new(), .tap = env->tap ? on_tap : NULL,
				       .tap_ctx = e };
	table_init(&e->places, TABLE_STRING_KEYS, sizeof(struct model_place *));
	layout_open(e);
	*out = e;
	return 0;
}

static void place_free(struct model_place *p)
{
	netns_free(p->ns);
	free(p->name);
	free(p->node);
	free(p->more);
	free(p->uplink_name);
	free(p->bridge_name);
	free(p->port_name);
	free(p);
}

static char *copy_or_null(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

static struct model_place *place_new(struct executor *e, const struct place_spec *spec)
{
	struct model_place *p = mem_alloc(sizeof *p);
	p->kind = spec->kind;
	p->name = mem_strdup(spec->name);
	p->node = mem_strdup(spec->node ? spec->node : "");
	memcpy(p->addrs, spec->addrs, sizeof p->addrs);
	memcpy(p->pod_cidrs, spec->pod_cidrs, sizeof p->pod_cidrs);
	if (spec->more_count) {
		p->more = mem_array(spec->more_count, sizeof *p->more);
		memcpy(p->more, spec->more, spec->more_count * sizeof *p->more);
		p->more_count = spec->more_count;
	}
	p->routed = spec->routed;
	p->no_hairpin = spec->no_hairpin;
	p->overlay = spec->overlay;
	p->uplink_name = copy_or_null(spec->uplink);
	p->bridge_name = copy_or_null(spec->bridge);
	p->port_name = copy_or_null(spec->port);
	p->ns = netns_new(&e->shared, p->name);
	const char *slash = strchr(p->name, '/');
	netns_set_label(p->ns, p->kind == PLACE_NODE && slash ? slash + 1 : p->name);
	netns_set_entry(p->ns, p->kind == PLACE_NODE);
	netns_set_user(p->ns, p);
	return p;
}

static int model_attach(struct executor *e, const struct place_spec *spec, struct err *err)
{
	if (model_place(e, spec->name))
		return err_set(err, EEXIST, "%s is attached already", spec->name);
	struct model_place *p = place_new(e, spec);
	int code = layout_attach(e, p, err);
	if (code) {
		place_free(p);
		return code;
	}
	*(struct model_place **)table_put(&e->places, p->name, NULL) = p;
	return 0;
}

static int model_detach(struct executor *e, const char *place, struct err *err)
{
	struct model_place *p = model_place(e, place);
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	layout_detach(e, p);
	table_remove(&e->places, p->name);
	place_free(p);
	return 0;
}

static int model_input(struct executor *e, const char *place, const char *interface,
		       struct packet *packet, struct err *err)
{
	struct model_place *p = model_place(e, place);
	uint16_t number = !p ? 0 : *interface ? netns_iface_by_name(p->ns, interface) : p->uplink;
	if (!number) {
		packet_free(packet);
		return err_set(err, ENOENT, "%s has no interface %s", place, interface);
	}
	netns_input(p->ns, number, packet);
	return 0;
}

static struct sockets_ref model_sockets(struct executor *e, const char *place)
{
	struct model_place *p = model_place(e, place);
	return p ? netns_sockets(p->ns) : (struct sockets_ref){ 0 };
}

static int64_t model_advance(struct executor *e, int64_t until_ns)
{
	(void)e;
	return until_ns;
}

static int model_sysctl(struct executor *e, const char *place, const char *name, int64_t *value,
			bool set, struct err *err)
{
	struct model_place *p = model_place(e, place);
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	int code = set ? netns_sysctl_set(p->ns, name, *value)
		       : netns_sysctl_get(p->ns, name, value);
	return code ? err_set(err, code, "%s: no sysctl %s in the Linux model", place, name) : 0;
}

/* Two nodes are cut off at their uplinks, with all that is behind them; a pod or a host
 * outside is cut off from the other's addresses. */
static int partition(struct executor *e, struct model_place *a, const char *other, struct err *err)
{
	struct model_place *b = model_place(e, other);
	if (!b)
		return err_set(err, ENOENT, "partition: %s is not attached", other);
	if (a->kind == PLACE_NODE && b->kind == PLACE_NODE) {
		netns_cut_iface(a->ns, a->uplink, b->ns, b->uplink);
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		if (b->addrs[i].family != NET_NONE)
			netns_cut_addr(a->ns, a->uplink, &b->addrs[i]);
		if (a->addrs[i].family != NET_NONE)
			netns_cut_addr(b->ns, b->uplink, &a->addrs[i]);
	}
	return 0;
}

static int model_fault(struct executor *e, const char *place, const char *fault, struct err *err)
{
	struct model_place *p = model_place(e, place);
	struct segment_faults faults = { 0 };
	long long number = 0;
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	if (strcmp(fault, "down") == 0 || strcmp(fault, "up") == 0) {
		netns_set_up(p->ns, p->uplink, fault[0] == 'u');
		return 0;
	}
	if (strncmp(fault, "partition=", 10) == 0)
		return partition(e, p, fault + 10, err);
	if (strcmp(fault, "heal") == 0) {
		netns_heal(p->ns, p->uplink);
		netns_set_race(p->ns, NETNS_RACE_OFF);
		return 0;
	}
	if (strcmp(fault, "race") == 0 || strcmp(fault, "race=old") == 0) {
		netns_set_race(p->ns, fault[4] ? NETNS_RACE_OLD : NETNS_RACE);
		return 0;
	}
	if (sscanf(fault, "loss=%lld", &number) == 1)
		faults.loss_per_million = (uint32_t)number;
	else if (sscanf(fault, "delay=%lld", &number) == 1)
		faults.extra_delay_ns = number;
	else if (sscanf(fault, "jitter=%lld", &number) == 1)
		faults.jitter_ns = number;
	else
		return err_set(err, ENOTSUP,
			       "fault %s: expected down, up, loss=PPM, delay=NS, jitter=NS, "
			       "partition=PLACE, race, race=old or heal", fault);
	if (number < 0 || (faults.loss_per_million > 1000000))
		return err_set(err, EINVAL, "fault %s: out of range", fault);
	netns_set_faults(p->ns, p->uplink, &faults);
	return 0;
}

static int model_counters(struct executor *e, const char *place, struct counters *out)
{
	struct model_place *p = model_place(e, place);
	struct netns_work work;
	*out = (struct counters){ 0 };
	if (!p)
		return ENOENT;
	netns_work(p->ns, &work);
	*out = (struct counters){ .rules_evaluated = work.rules_evaluated, .policies = work.policies,
				  .set_lookups = work.set_lookups, .ipvs_probes = work.ipvs_probes,
				  .packets = work.packets, .bytes = work.bytes };
	return 0;
}

static void model_reset_flows(struct executor *e)
{
	void *value;
	for (uint32_t i = 0; table_next(&e->places, &i, NULL, &value);)
		netns_reset_flows((*(struct model_place **)value)->ns);
	netns_reset_flows(e->gateway);
}

static void model_watch(struct executor *e, tap_fn *tap, void *ctx)
{
	e->env.tap = tap;
	e->env.tap_ctx = ctx;
	e->shared.tap = tap ? on_tap : NULL;
}

static void model_close(struct executor *e)
{
	if (!e)
		return;
	void *value;
	/* Pods first: their veths end in node namespaces. */
	for (int nodes = 0; nodes < 2; nodes++)
		for (uint32_t i = 0; table_next(&e->places, &i, NULL, &value);) {
			struct model_place *p = *(struct model_place **)value;
			if ((p->kind == PLACE_NODE) != nodes)
				continue;
			table_remove(&e->places, p->name);
			place_free(p);
		}
	table_free(&e->places);
	netns_free(e->gateway);
	segment_free(e->lan);
	segment_free(e->overlay);
	craft_free(e->shared.craft);
	free(e);
}

const struct executor_class model_executor = {
	.name = "sim",
	.open = model_open,
	.attach = model_attach,
	.detach = model_detach,
	.load = model_load,
	.input = model_input,
	.sockets = model_sockets,
	.advance = model_advance,
	.dump = model_dump,
	.sysctl = model_sysctl,
	.fault = model_fault,
	.counters = model_counters,
	.reset_flows = model_reset_flows,
	.watch = model_watch,
	.close = model_close,
};
