/* dataplanes/kernel/executor.c: the classes of kernel.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "dataplanes/kernel/internal.h"
#include "dataplanes/kernel/kernel.h"

struct kernel_place *kernel_place(const struct executor *e, const char *name)
{
	struct kernel_place **found = name ? table_find(&e->places, name) : NULL;
	return found ? *found : NULL;
}

static void place_free(struct kernel_place *p)
{
	const void *key;
	if (!p)
		return;
	kernel_sockets_free(p->sockets);
	sniff_stop(p, NULL);
	restore_end(p);
	if (p->ns >= 0)
		close(p->ns);
	for (uint32_t i = 0; table_next(&p->made, &i, &key, NULL);)
		free((char *)key);
	table_free(&p->made);
	free(p->name);
	free(p->node);
	free(p);
}

static struct kernel_place *place_new(struct executor *e, const struct place_spec *spec,
				      struct err *err)
{
	struct kernel_place *p = mem_alloc(sizeof *p);
	p->executor = e;
	p->kind = spec->kind;
	p->name = mem_strdup(spec->name);
	p->node = mem_strdup(spec->node ? spec->node : "");
	memcpy(p->addrs, spec->addrs, sizeof p->addrs);
	memcpy(p->pod_cidrs, spec->pod_cidrs, sizeof p->pod_cidrs);
	p->routed = spec->routed;
	p->no_hairpin = spec->no_hairpin;
	p->overlay = spec->overlay;
	snprintf(p->uplink, sizeof p->uplink, "%s", spec->uplink ? spec->uplink : "eth0");
	snprintf(p->bridge, sizeof p->bridge, "%s", spec->bridge ? spec->bridge : "cni0");
	if (spec->port)
		snprintf(p->port, sizeof p->port, "%s", spec->port);
	else
		snprintf(p->port, sizeof p->port, "veth%08x",
			 (unsigned)(hash_bytes(p->name, strlen(p->name), 0) & 0xffffffffu));
	table_init(&p->made, TABLE_STRING_KEYS, 0);
	p->ns = namespace_new(e->home);
	if (p->ns < 0) {
		err_set(err, -p->ns, "%s: no network namespace: %s", p->name, strerror(-p->ns));
		place_free(p);
		return NULL;
	}
	return p;
}

static void kernel_close(struct executor *e)
{
	void *value;
	if (!e)
		return;
	for (uint32_t i = 0; table_next(&e->places, &i, NULL, &value);)
		place_free(*(struct kernel_place **)value);
	place_free(e->gateway);
	while (e->dead) {
		struct source *s = e->dead;
		e->dead = s->next_dead;
		free(s);
	}
	table_free(&e->places);
	free(e->seen);
	if (e->epoll >= 0)
		close(e->epoll);
	if (e->home >= 0)
		close(e->home);
	free(e);
}

static int open_class(const struct executor_env *env, const struct topology *topology, bool nft,
		      struct executor **out, struct err *err)
{
	struct timespec real, mono;
	int code = namespace_prepare(err);
	if (code)
		return code;
	struct executor *e = mem_alloc(sizeof *e);
	e->env = *env;
	e->topology = *topology;
	e->xtables_nft = nft;
	table_init(&e->places, TABLE_STRING_KEYS, sizeof(struct kernel_place *));
	e->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	int64_t now = (int64_t)mono.tv_sec * NS_PER_S + mono.tv_nsec;
	e->realtime_ns = (int64_t)real.tv_sec * NS_PER_S + real.tv_nsec - now;
	e->base_ns = now - engine_now(env->engine);
	e->hurry = true;
	struct place_spec gateway = { .kind = PLACE_OUTSIDE, .name = GATEWAY_PLACE };
	e->gateway = place_new(e, &gateway, err);
	code = e->gateway ? kernel_layout_open(e, err) : ENOTSUP;
	if (code) {
		kernel_close(e);
		return code;
	}
	*out = e;
	return 0;
}

static int netns_open(const struct executor_env *env, const struct topology *topology,
		      struct executor **out, struct err *err)
{
	return open_class(env, topology, false, out, err);
}

static int netns_nft_open(const struct executor_env *env, const struct topology *topology,
			  struct executor **out, struct err *err)
{
	return open_class(env, topology, true, out, err);
}

static int kernel_attach(struct executor *e, const struct place_spec *spec, struct err *err)
{
	if (kernel_place(e, spec->name))
		return err_set(err, EEXIST, "%s is attached already", spec->name);
	struct kernel_place *p = place_new(e, spec, err);
	int code = p ? kernel_layout_attach(e, p, err) : EIO;
	if (code) {
		if (p)
			kernel_layout_detach(e, p);
		place_free(p);
		return code;
	}
	*(struct kernel_place **)table_put(&e->places, p->name, NULL) = p;
	return 0;
}

static int kernel_detach(struct executor *e, const char *place, struct err *err)
{
	struct kernel_place *p = kernel_place(e, place);
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	clock_poll(e);
	kernel_layout_detach(e, p);
	table_remove(&e->places, p->name);
	place_free(p);
	return 0;
}

static struct sockets_ref kernel_sockets(struct executor *e, const char *place)
{
	struct kernel_place *p = kernel_place(e, place);
	if (!p)
		return (struct sockets_ref){ 0 };
	if (!p->sockets)
		p->sockets = kernel_sockets_new(p);
	return (struct sockets_ref){ &kernel_sockets_class, p->sockets };
}

static int kernel_sysctl(struct executor *e, const char *place, const char *name, int64_t *value,
			 bool set, struct err *err)
{
	struct kernel_place *p = kernel_place(e, place);
	struct strbuf text = { 0 };
	char number[32];
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	if (set) {
		snprintf(number, sizeof number, "%lld", (long long)*value);
		return tool_sysctl(p->ns, name, number, err);
	}
	int code = tool_sysctl_read(p->ns, name, &text, err);
	*value = code ? 0 : strtoll(strbuf_text(&text), NULL, 10);
	strbuf_free(&text);
	return code;
}

/* Real Linux counts nothing for us: rules say their own counters in the dumps. */
static int kernel_counters(struct executor *e, const char *place, struct counters *out)
{
	*out = (struct counters){ 0 };
	return kernel_place(e, place) ? ENOTSUP : ENOENT;
}

static void kernel_reset_flows(struct executor *e)
{
	static const char *const flush[] = { "conntrack", "-F", NULL };
	struct err ignored;
	void *value;
	for (uint32_t i = 0; table_next(&e->places, &i, NULL, &value);) {
		struct kernel_place *p = *(struct kernel_place **)value;
		struct tool_run run = { .ns = p->ns, .argv = flush };
		if (p->kind == PLACE_NODE)
			tool_run(&run, &ignored);
	}
}

static void kernel_watch(struct executor *e, tap_fn *tap, void *ctx)
{
	clock_poll(e);
	e->env.tap = tap;
	e->env.tap_ctx = ctx;
}

static void kernel_hurry(struct executor *e, bool hurry)
{
	e->hurry = hurry;
}

static int netns_supports(const char *mode, struct err *why)
{
	return probe_mode(mode, false, why);
}

static int netns_nft_supports(const char *mode, struct err *why)
{
	return probe_mode(mode, true, why);
}

#define OPERATIONS                                                                             \
	.attach = kernel_attach, .detach = kernel_detach, .load = kernel_load,                 \
	.input = kernel_input, .sockets = kernel_sockets, .advance = kernel_advance,           \
	.dump = kernel_dump, .sysctl = kernel_sysctl, .fault = kernel_fault,                   \
	.counters = kernel_counters, .reset_flows = kernel_reset_flows, .watch = kernel_watch, \
	.hurry = kernel_hurry, .close = kernel_close

const struct executor_class netns_executor = { .name = "netns", .open = netns_open,
					       .supports = netns_supports, OPERATIONS };
const struct executor_class netns_nft_executor = { .name = "netns-nft", .open = netns_nft_open,
						   .supports = netns_nft_supports, OPERATIONS };
