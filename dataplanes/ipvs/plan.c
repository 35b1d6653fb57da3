/* ipvs/plan.c: what kube-proxy in ipvs mode does in a sync.
 *
 * Every sync ensures chains, jumps and sets and rewrites the (few) rules. Addresses, set
 * members and virtual servers are changed one by one; where Services don't share
 * addresses, only those of changed Services are looked at.
 *
 * kube-proxy reads sets, addresses and servers back in every sync and changes what differs.
 * Here they are read after somebody else changed the node, at the start and after a failure:
 * in between the kernel holds what was planned.
 *
 * Graceful removal: a real server of a TCP service that still has connections gets weight
 * 0 and is looked at again every minute; UDP and SCTP servers go at once, as does a whole
 * virtual server.
 */
#include "dataplanes/ipvs/ipvs.h"

#include <stdlib.h>
#include <string.h>

#include "dataplanes/ipvs/kernel.h"
#include "dataplanes/ipvs/state.h"
#include "dataplanes/ipvs/text.h"
#include "dataplanes/kubeproxy/leftovers.h"

#define DEVICE "kube-ipvs0"
#define CHECK_NS (60 * NS_PER_S)

struct planner {
	struct kubeproxy base;
	uint32_t counts[PROXY_FAMILIES][SET_COUNT]; /* members of the sets */
	struct terminating {
		struct table reals;    /* "-t VS RS" -> char *: "-t VS" */
		struct arena *memory;
	} terminating[PROXY_FAMILIES];
	int64_t started_ns;
	bool checking;                 /* the present plan only looks at terminating servers */
	bool synced;                   /* a sync of this process went well */
	bool disturbed;                /* somebody else changed the node since the last plan */
};

struct family_plan {
	struct planner *p;
	const struct proxy_view *view;
	unsigned family;
	bool show;
	struct ipvs_state was, now;
	struct kernel_servers kernel;
	bool kernel_read, has_kernel;
	bool from_kernel;              /* `was` is what the kernel holds */
	struct transactions *out;
	struct strbuf text, refused;
};

static int ipvs_open(const struct proxy_view *view, struct planner **out, struct err *err)
{
	struct planner *p = mem_alloc(sizeof *p);
	int code = kubeproxy_open(&p->base, view, "ipvs", err);
	if (code) {
		free(p);
		return code;
	}
	p->started_ns = -1;
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		table_init(&p->terminating[f].reals, TABLE_STRING_KEYS, sizeof(char *));
		p->terminating[f].memory = arena_new();
	}
	*out = p;
	return 0;
}

static void ipvs_close(struct planner *p)
{
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		table_free(&p->terminating[f].reals);
		arena_free(p->terminating[f].memory);
	}
	kubeproxy_close(&p->base);
	free(p);
}

#define PIECE_BYTES 65536u

/* The end of what one transaction says; `t` from piece(), or NULL. */
static void emit_rest(struct family_plan *f, enum tx_tool tool, struct transaction *t)
{
	if (t)
		plan_text(t, f->text.data, f->text.length);
	else
		plan_add(f->out, tool, &f->text);
	strbuf_clear(&f->text);
}

static void emit(struct family_plan *f, enum tx_tool tool)
{
	emit_rest(f, tool, NULL);
}

/* Long texts are laid down in pieces: what the buffer holds goes when it is enough. */
static struct transaction *piece(struct family_plan *f, enum tx_tool tool, struct transaction *t)
{
	if (f->text.length < PIECE_BYTES)
		return t;
	t = t ? t : transactions_add(f->out, tool);
	plan_text(t, f->text.data, f->text.length);
	strbuf_clear(&f->text);
	return t;
}

static uint8_t net_family(const struct family_plan *f)
{
	return f->p->base.config->families[f->family].family;
}

/* ---- both states ------------------------------------------------------------------------ */

static bool has_local(const struct kubeproxy *k, const struct service *s)
{
	for (uint32_t i = 0; s && i < s->port_count; i++)
		for (uint32_t e = 0; e < s->ports[i].endpoint_count; e++)
			if (strcmp(s->ports[i].endpoints[e].node, k->config->node) == 0)
				return true;
	return false;
}

/* The kernel's servers, read when they are first asked for; false: they cannot be read. */
static bool has_kernel(struct family_plan *f)
{
	if (!f->kernel_read)
		f->has_kernel = kernel_servers_read(&f->kernel, f->view, net_family(f));
	f->kernel_read = true;
	return f->has_kernel;
}

static void collect(struct family_plan *f)
{
	struct kubeproxy *k = &f->p->base;
	struct snapshot *was = k->was[f->family], *now = k->now[f->family];
	bool loops = k->full || f->from_kernel;
	bool all = loops || proxy_conflicts(k->shared, f->family, now) ||
		   proxy_conflicts(k->shared, f->family, was);
	struct snapshot_step step = { 0 };
	while (all ? snapshot_next(was, now, &step) : snapshot_next_change(was, now, &step)) {
		if (step.was)
			ipvs_collect(&f->was, k->before, f->family, step.was, k->scratch);
		if (step.now)
			ipvs_collect(&f->now, k->config, f->family, step.now, k->scratch);
		loops |= step.changed && (has_local(k, step.was) || has_local(k, step.now));
	}
	/* Services share endpoints, so these members are compared as a whole. */
	step = (struct snapshot_step){ 0 };
	while (loops && snapshot_next(was, now, &step)) {
		if (step.was)
			ipvs_collect_loop_back(&f->was, k->before, step.was);
		if (step.now)
			ipvs_collect_loop_back(&f->now, k->config, step.now);
	}
}

/* What the kernel holds takes the place of what was planned. */
static void take_kernel(struct family_plan *f)
{
	kernel_servers_take(&f->kernel, &f->was);
	kernel_members_take(&f->was, f->view, net_family(f));
	kernel_addresses_take(&f->was, f->view, net_family(f), DEVICE);
}

/* ---- virtual servers --------------------------------------------------------------------- */

static bool listed(const struct virtual_server *v, const char *real)
{
	for (uint32_t i = 0; v && i < v->real_count; i++)
		if (strcmp(v->reals[i], real) == 0)
			return true;
	return false;
}

static char *real_key(struct family_plan *f, const char *service, const char *real)
{
	return arena_printf(f->p->base.scratch, "%s %s", service, real);
}

static void add_real(struct family_plan *f, const char *service, const char *real, bool there)
{
	struct terminating *t = &f->p->terminating[f->family];
	const struct kernel_real *in_kernel =
		f->from_kernel ? kernel_real(&f->kernel, service, real) : NULL;
	bool ending = t->reals.count && table_remove(&t->reals, real_key(f, service, real));
	if (ending) {
		/* Back while it drains: removed and made anew. */
		strbuf_printf(&f->text, "-d %s -r %s\n", service, real);
		there = false;
	}
	if (!there)
		strbuf_printf(&f->text, "-a %s -r %s -m -w 1\n", service, real);
	else if (in_kernel && in_kernel->weight != 1 && !f->p->synced)
		strbuf_printf(&f->text, "-e %s -r %s -m -w 1\n", service, real);
}

static void remove_real(struct family_plan *f, const char *service,
			const struct virtual_server *v, const char *real)
{
	struct terminating *t = &f->p->terminating[f->family];
	if (t->reals.count && table_find(&t->reals, real_key(f, service, real)))
		return; /* it drains already */
	const struct kernel_real *in_kernel =
		v->streams && has_kernel(f) ? kernel_real(&f->kernel, service, real) : NULL;
	if (!in_kernel || !in_kernel->connections) {
		strbuf_printf(&f->text, "-d %s -r %s\n", service, real);
		return;
	}
	strbuf_printf(&f->text, "-e %s -r %s -m -w 0\n", service, real);
	char *key = arena_printf(t->memory, "%s %s", service, real);
	*(char **)table_put(&t->reals, key, NULL) = arena_strdup(t->memory, service);
}

static void put_server(struct family_plan *f, const char *service, struct virtual_server *now)
{
	struct virtual_server *was = table_find(&f->was.servers, service);
	if (!was)
		strbuf_printf(&f->text, "-A %s %s\n", service, now->options);
	else if (strcmp(was->options, now->options) != 0)
		strbuf_printf(&f->text, "-E %s %s\n", service, now->options);
	if (was)
		was->kept = true;
	for (uint32_t i = 0; i < now->real_count; i++)
		add_real(f, service, now->reals[i], listed(was, now->reals[i]));
	for (uint32_t i = 0; was && i < was->real_count; i++)
		if (!listed(now, was->reals[i]))
			remove_real(f, service, now, was->reals[i]);
}

static void put_servers(struct family_plan *f)
{
	const void *key;
	void *value;
	struct transaction *t = NULL;
	for (uint32_t i = 0; table_next(&f->now.servers, &i, &key, &value);) {
		put_server(f, key, value);
		t = piece(f, TX_IPVSADM, t);
	}
	emit_rest(f, TX_IPVSADM, t);
}

static bool excluded(const struct family_plan *f, const char *service)
{
	const struct prefix_list *list = &f->p->base.config->exclude_cidrs;
	char text[NET_ADDR_TEXT + 8];
	struct net_addr a;
	const char *start = strchr(service, ' ') + 1, *end = strrchr(start, ':');
	size_t n = (size_t)(end - start);
	if (*start == '[') {
		start++;
		n -= 2;
	}
	if (n >= sizeof text)
		return false;
	memcpy(text, start, n);
	text[n] = '\0';
	if (!net_addr_parse(text, &a))
		return false;
	for (uint32_t i = 0; i < list->count; i++)
		if (net_prefix_contains(&list->items[i], &a))
			return true;
	return false;
}

static void forget_terminating(struct family_plan *f, const char *service)
{
	struct terminating *t = &f->p->terminating[f->family];
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&t->reals, &i, &key, &value);)
		if (strcmp(*(char **)value, service) == 0)
			table_remove(&t->reals, key);
}

static void delete_servers(struct family_plan *f)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&f->was.servers, &i, &key, &value);) {
		if (((struct virtual_server *)value)->kept || excluded(f, key))
			continue;
		strbuf_printf(&f->text, "-D %s\n", (const char *)key);
		forget_terminating(f, key);
	}
	emit(f, TX_IPVSADM);
}

/* ---- sets and addresses ------------------------------------------------------------------- */

static struct transaction *put_members(struct family_plan *f, enum ipvs_set set, const char *name,
				       struct transaction *t)
{
	uint32_t *count = &f->p->counts[f->family][set];
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&f->was.members[set], &i, &key, &value);) {
		if (table_find(&f->now.members[set], key))
			continue;
		strbuf_printf(&f->text, "del %s %s\n", name, (const char *)key);
		*count -= *count > 0;
	}
	for (uint32_t i = 0; table_next(&f->now.members[set], &i, &key, &value);) {
		if (table_find(&f->was.members[set], key))
			continue;
		struct strbuf *to = ipvs_member_refused(key) ? &f->refused : &f->text;
		strbuf_printf(to, "add %s %s\n", name, (const char *)key);
		++*count;
		t = piece(f, TX_IPSET, t);
	}
	return t;
}

static void put_sets(struct family_plan *f)
{
	char name[IPVS_SET_NAME];
	const char *family = net_family(f) == NET_V6 ? "inet6" : "inet";
	if (f->p->base.full || f->from_kernel) /* then the old state has all members */
		for (unsigned s = 0; s < SET_COUNT; s++)
			f->p->counts[f->family][s] = f->was.members[s].count;
	for (unsigned s = 0; s < SET_COUNT; s++) {
		bool bitmap = strcmp(ipvs_sets[s].type, "bitmap:port") == 0;
		if (f->p->base.config->version < ipvs_sets[s].from)
			continue;
		ipvs_set_name(s, net_family(f), name);
		if (bitmap)
			strbuf_printf(&f->text, "create %s bitmap:port range 0-65535\n", name);
		else
			strbuf_printf(&f->text, "create %s %s family %s hashsize 1024 maxelem 65536\n",
				      name, ipvs_sets[s].type, family);
	}
	struct transaction *t = NULL;
	for (unsigned s = 0; s < SET_COUNT; s++)
		t = put_members(f, s, ipvs_set_name(s, net_family(f), name), t);
	emit_rest(f, TX_IPSET, t);
}

static void put_addresses(struct family_plan *f, const char *verb, const struct table *these,
			  const struct table *without)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(these, &i, &key, &value);)
		if (!table_find(without, key))
			strbuf_printf(&f->text, "%s %s/%u dev " DEVICE "\n", verb,
				      (const char *)key, net_family_bits(net_family(f)));
	emit(f, TX_ADDR);
}

/* ---- a plan ---------------------------------------------------------------------------------- */

static void put_sysctls(struct family_plan *f)
{
	const struct proxy_config *c = f->p->base.config;
	if (c->version < KUBE_1_25)
		strbuf_puts(&f->text, "net/ipv4/conf/all/route_localnet=1\n");
	strbuf_puts(&f->text, "net/ipv4/vs/conntrack=1\n"
			      "net/ipv4/vs/expire_nodest_conn=1\n"
			      "net/ipv4/vs/expire_quiescent_template=1\n"
			      "net/ipv4/ip_forward=1\n");
	if (c->strict_arp)
		strbuf_puts(&f->text, "net/ipv4/conf/all/arp_ignore=1\n"
				      "net/ipv4/conf/all/arp_announce=2\n");
	emit(f, TX_SYSCTL);
	if (c->tcp_timeout_ns || c->tcp_fin_timeout_ns || c->udp_timeout_ns) {
		strbuf_printf(&f->text, "--set %lld %lld %lld\n",
			      (long long)(c->tcp_timeout_ns / NS_PER_S),
			      (long long)(c->tcp_fin_timeout_ns / NS_PER_S),
			      (long long)(c->udp_timeout_ns / NS_PER_S));
		emit(f, TX_IPVSADM);
	}
}

static void put_rules(struct family_plan *f)
{
	struct kubeproxy *k = &f->p->base;
	enum tx_tool tool = f->family == PROXY_V6 ? TX_IP6TABLES_RESTORE : TX_IPTABLES_RESTORE;
	struct ipvs_style style;
	ipvs_style_init(&style, k->config, f->family);
	style.first = !k->was[f->family];
	for (unsigned s = 0; s < SET_COUNT; s++)
		style.filled[s] = f->p->counts[f->family][s] > 0;
	ipvs_nat(&style, &f->text);
	emit(f, tool);
	ipvs_filter(&style, k->now[f->family], &f->text);
	emit(f, tool);
}

static void put_jumps(struct family_plan *f)
{
	struct ipvs_style style;
	ipvs_style_init(&style, f->p->base.config, f->family);
	ipvs_jumps(&style, &f->text);
	emit(f, f->family == PROXY_V6 ? TX_IP6TABLES : TX_IPTABLES);
}

static void plan_family(struct family_plan *f, bool first)
{
	struct kubeproxy *k = &f->p->base;
	ipvs_state_init(&f->was);
	ipvs_state_init(&f->now);
	if (first)
		put_sysctls(f);
	put_jumps(f);
	f->from_kernel = (!k->planned || k->failed || f->p->disturbed) && has_kernel(f);
	collect(f);
	if (f->from_kernel)
		take_kernel(f);
	put_addresses(f, "add", &f->now.addresses, &f->was.addresses);
	put_servers(f);
	put_sets(f);
	put_rules(f);
	/* Since v1.27 addresses go before their servers. */
	if (k->config->version < KUBE_1_30)
		delete_servers(f);
	put_addresses(f, "del", &f->was.addresses, &f->now.addresses);
	if (k->config->version >= KUBE_1_30)
		delete_servers(f);
	if (f->show)
		plan_add(f->out, TX_IPSET, &f->refused);
	if (f->kernel_read)
		kernel_servers_free(&f->kernel);
	ipvs_state_free(&f->was);
	ipvs_state_free(&f->now);
	strbuf_free(&f->text);
	strbuf_free(&f->refused);
}

/* Deletes terminating servers that have no connection left. */
static void check_family(struct family_plan *f)
{
	struct terminating *t = &f->p->terminating[f->family];
	const void *key;
	void *value;
	if (t->reals.count)
		has_kernel(f);
	for (uint32_t i = 0; table_next(&t->reals, &i, &key, &value);) {
		const char *service = *(char **)value;
		const char *real = (const char *)key + strlen(service) + 1;
		const struct kernel_real *r = kernel_real(&f->kernel, service, real);
		if (r && r->connections)
			continue;
		if (r)
			strbuf_printf(&f->text, "-d %s -r %s\n", service, real);
		table_remove(&t->reals, key);
	}
	emit(f, TX_IPVSADM);
	if (!t->reals.count) {
		table_clear(&t->reals);
		arena_reset(t->memory);
	}
	if (f->kernel_read)
		kernel_servers_free(&f->kernel);
	strbuf_free(&f->text);
}

static int ipvs_plan(struct planner *p, const struct proxy_view *view,
		     const struct plan_request *request, struct transactions *out, struct err *err)
{
	bool first = !p->base.planned;
	if (!p->checking) {
		int code = kubeproxy_begin(&p->base, view, request, out, err);
		if (code)
			return code;
		if (first)
			left_nft_removed(view, out);
	}
	for (unsigned i = 0; i < PROXY_FAMILIES; i++) {
		struct family_plan f = { .p = p, .view = view, .family = i, .out = out,
					 .show = request->show };
		if (p->checking) {
			check_family(&f);
		} else if (kubeproxy_family(&p->base, i)) {
			plan_family(&f, first);
			first = false;
		}
	}
	if (!p->checking) {
		kubeproxy_end(&p->base, out);
		p->disturbed = false;
	}
	return 0;
}

/* ---- timing ------------------------------------------------------------------------------------ */

static int64_t next_check(const struct planner *p)
{
	bool any = false;
	for (unsigned f = 0; f < PROXY_FAMILIES; f++)
		any |= p->terminating[f].reals.count > 0;
	if (!any || p->started_ns < 0)
		return INT64_MAX;
	int64_t rounds = (p->base.now_ns - p->started_ns) / CHECK_NS + 1;
	return p->started_ns + rounds * CHECK_NS;
}

static int64_t ipvs_due(const struct planner *p)
{
	int64_t sync = runner_due(&p->base.runner), check = next_check(p);
	return sync < check ? sync : check;
}

static void ipvs_next(struct planner *p, int64_t now_ns, struct plan_request *out)
{
	p->checking = runner_due(&p->base.runner) > now_ns && next_check(p) <= now_ns;
	if (p->started_ns < 0)
		p->started_ns = now_ns;
	if (!p->checking) {
		kubeproxy_next(p, now_ns, out);
		return;
	}
	p->base.now_ns = now_ns;
	*out = (struct plan_request){ 0 };
}

static void ipvs_done(struct planner *p, int64_t now_ns, bool ok)
{
	if (!p->checking) {
		kubeproxy_done(p, now_ns, ok);
		p->synced |= ok;
	}
	p->checking = false;
}

/* It watches nothing: the next sync finds what is different. */
static int64_t ipvs_watch(struct planner *p, const struct proxy_view *view, int64_t now_ns)
{
	(void)view;
	(void)now_ns;
	p->disturbed = true;
	return INT64_MAX;
}

static int ipvs_list(struct planner *p, const struct proxy_view *view, enum rules_format format,
		     enum rules_view which, struct strbuf *out, struct err *err)
{
	(void)p;
	return kubeproxy_list(&ipvs_planner, view, format, which, out, err);
}

const struct planner_class ipvs_planner = {
	.mode = "ipvs", .probe = ipvs_probe, .cleanup = ipvs_cleanup, .open = ipvs_open, .plan = ipvs_plan, .list = ipvs_list,
	.close = ipvs_close, .changed = kubeproxy_changed, .due = ipvs_due, .next = ipvs_next,
	.done = ipvs_done, .watch = ipvs_watch,
	.health_ports = kubeproxy_health_ports, .health = kubeproxy_health,
};
