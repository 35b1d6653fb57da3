/* world/lookup.c: names: what a place's resolver makes of them.
 *
 * In a running cluster queries are packets to the CoreDNS pods. In a snapshot, whose
 * manifests need not hold CoreDNS at all, they go to a CoreDNS of its Corefile (or
 * kubeadm's) over a loopback: what the name means is asked, not the way there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/loopback.h"
#include "world/op.h"

#define DOMAIN "cluster.local"

struct snapshot_dns {
	struct dns_view *view;
	struct dns_server *server;
};

const char *world_domain(const struct world *w)
{
	uint32_t cursor = 0;
	const struct kube_cluster_configuration *c = (const void *)kube_store_next_created(
		w->store, KIND_CLUSTER_CONFIGURATION, &cursor);
	return c && c->dns_domain && *c->dns_domain ? c->dns_domain : DOMAIN;
}

void snapshot_dns_free(struct snapshot_dns *d)
{
	if (!d)
		return;
	dns_server_free(d->server);
	dns_view_free(d->view);
	free(d);
}

static int snapshot_dns(struct world *w, struct snapshot_dns **out, struct err *err)
{
	struct corefile *corefile = NULL;
	struct snapshot_dns *d = w->dns;
	if (d) {
		*out = d;
		return 0;
	}
	const struct kube_config_map *map =
		(const void *)kube_store_get(w->store, KIND_CONFIG_MAP, "kube-system", "coredns");
	int code = corefile_from_config_map(w->arena, map, world_domain(w), &corefile, err);
	if (code)
		return code;
	d = mem_alloc(sizeof *d);
	d->view = dns_view_new();
	dns_view_watch(d->view, w->store, 0);
	dns_view_set_synced(d->view, true);
	struct dns_server_config config = { .corefile = corefile, .view = d->view,
					    .upstream = w->upstream, .choice = w->choice,
					    .epoch_s = WORLD_EPOCH_S,
					    .warnings = w->options.warnings };
	code = dns_server_new(&config, &d->server, err);
	if (code) {
		snapshot_dns_free(d);
		return code;
	}
	w->dns = d;
	*out = d;
	return 0;
}

static const struct kube_pod *pod_of(const struct place *p)
{
	char ns[256];
	const char *name = strrchr(p->name, '/');
	if (p->kind != PLACE_POD || !name)
		return NULL;
	place_namespace(p, ns, sizeof ns);
	return (const void *)kube_store_get(p->world->store, KIND_POD, ns, name + 1);
}

/* NULL: no pod, or it says none. */
static const char *image_of(const struct place *p)
{
	const struct kube_pod *pod = pod_of(p);
	return pod && pod->spec.containers.count ? pod->spec.containers.items[0].image : NULL;
}

enum resolver_kind place_resolver(const struct place *p)
{
	return resolver_kind_of_image(image_of(p));
}

void place_resolv_conf(const struct place *p, struct strbuf *out)
{
	const struct kube_pod *pod = pod_of(p);
	if (p->resolv_conf)
		strbuf_puts(out, p->resolv_conf);
	else if (pod)
		pod_resolv_conf(pod, p->world->store, world_domain(p->world), "", out, NULL);
}

/* What somebody wrote over it there, in a pod's first container; NULL: nobody. */
static const char *own_hosts(const struct place *p, const struct kube_pod *pod)
{
	char key[128];
	const char *container = pod && pod->spec.containers.count ? pod->spec.containers.items[0].name
								  : NULL;
	snprintf(key, sizeof key, "%.60s:/etc/hosts", container ? container : "");
	char **text = table_find(&p->files, key);
	return text ? *text : NULL;
}

void place_hosts(const struct place *p, struct strbuf *out)
{
	const struct kube_pod *pod = pod_of(p);
	const char *own = own_hosts(p, pod);
	if (own)
		strbuf_puts(out, own);
	else if (p->hosts)
		strbuf_puts(out, p->hosts);
	else if (pod)
		pod_hosts_file(pod, world_domain(p->world), out);
}

static int resolver_sockets(struct op *op, struct sockets_ref *out, struct err *err)
{
	struct world *w = op->world;
	struct snapshot_dns *d;
	if (!w->options.snapshot) {
		*out = place_sockets(op->from);
		return 0;
	}
	int code = snapshot_dns(w, &d, err);
	if (code)
		return code;
	if (!op->loopback)
		op->loopback = loopback_new(w->engine, w->choice, d->server, &op->from->addrs[0]);
	*out = loopback_sockets(op->loopback);
	return 0;
}

int op_start_resolver(struct op *op, enum resolver_kind kind, const struct lookup *l,
		      resolver_done_fn *fn, struct err *err)
{
	struct world *w = op->world;
	struct strbuf conf = { 0 }, hosts = { 0 };
	const struct place *home = op->from->host ? op->from->host : op->from;
	struct resolver_config config = {
		.kind = kind, .engine = w->engine, .choice = w->choice, .name = l->name,
		.type = l->type, .server = l->server, .options = l->options,
		.has_v4 = place_addr(home, NET_V4).family != NET_NONE,
		.has_v6 = place_addr(home, NET_V6).family != NET_NONE, .epoch_s = WORLD_EPOCH_S,
	};
	int code = resolver_sockets(op, &config.sockets, err);
	if (!code) {
		place_resolv_conf(op->from, &conf);
		place_hosts(op->from, &hosts);
		config.resolv_conf = strbuf_text(&conf);
		config.hosts = strbuf_text(&hosts);
		code = resolver_start(&config, fn, op, &op->resolver, err);
	}
	strbuf_free(&conf);
	strbuf_free(&hosts);
	return code;
}

/* ---- the name of a target --------------------------------------------------------- */

static void target_found(void *ctx, struct resolver *r, const struct resolver_result *result)
{
	struct op *op = ctx;
	(void)r;
	if (result->error || !result->address_count) {
		op_finish(op, ENOENT, result->message[0] ? result->message : NULL);
		return;
	}
	op->found_count = result->address_count;
	op->found = mem_array(result->address_count, sizeof *op->found);
	memcpy(op->found, result->addresses, result->address_count * sizeof *op->found);
	op->target.addr = op->found[0];
	op->found_next = 1;
	op->resolved(op);
}

void op_resolve(struct op *op, void (*resolved)(struct op *op))
{
	struct lookup l = { .name = op->target.name };
	struct err err = { "" };
	op->resolved = resolved;
	if (!op->target.name[0]) {
		resolved(op);
		return;
	}
	int code = op_start_resolver(op, place_resolver(op->from), &l, target_found, &err);
	if (code)
		op_finish(op, code, err.text);
}

/* ---- look-ups ------------------------------------------------------------------------ */

static void lookup_done(void *ctx, struct resolver *r, const struct resolver_result *result)
{
	struct op *op = ctx;
	struct op_result *to = &op->result;
	struct strbuf text = { 0 };
	to->rcode = result->rcode;
	to->status = result->status;
	if (result->canonical.length) {
		char name[DNS_NAME_TEXT];
		dns_name_text(&result->canonical, name);
		size_t length = strlen(name);
		if (length > 1 && name[length - 1] == '.')
			name[length - 1] = '\0';
		snprintf(to->canonical, sizeof to->canonical, "%.255s", name);
	}
	to->answer_ttl = result->ttl;
	to->address_count = result->address_count;
	if (result->address_count) {
		to->addresses = mem_array(result->address_count, sizeof *to->addresses);
		memcpy(to->addresses, result->addresses,
		       result->address_count * sizeof *to->addresses);
	}
	resolver_transcript(r, &text);
	to->text = strbuf_steal(&text);
	int error = result->error ? ENOENT : result->rcode < 0 && !result->address_count ? ETIMEDOUT : 0;
	op_finish(op, error, result->message);
}

int world_lookup(struct world *w, struct place *from, const struct lookup *l, struct op **out,
		 struct err *err)
{
	enum resolver_kind kind = place_resolver(from);
	int code = network_up(w, err);
	if (!code)
		code = place_attach(from, err);
	if (code)
		return code;
	if (l->tool == DNS_DIG)
		kind = RESOLVER_DIG;
	else if (l->tool == DNS_HOST)
		kind = RESOLVER_HOST;
	else if (l->tool == DNS_NSLOOKUP)
		kind = resolver_nslookup_of_image(image_of(from));
	struct op *op = op_new(w, from, OP_DNS);
	code = op_start_resolver(op, kind, l, lookup_done, err);
	if (code) {
		op_free(op);
		return code;
	}
	*out = op;
	return 0;
}
