/* cli/dns_cluster.c: see dns_cluster.h. */
#include "cli/dns_cluster.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "kube/control/control.h"
#include "kube/manifest.h"

#define LOCAL_MAX 2u

/* The addresses of the answering server: the first endpoint of kube-dns, by family. */
static uint32_t own_addresses(const struct kube_store *store, struct net_addr out[LOCAL_MAX])
{
	const struct kube_endpoint_slice *slice;
	uint32_t count = 0;
	for (uint32_t cursor = 0;
	     (slice = kube_store_next_slice(store, "kube-system", "kube-dns", &cursor));) {
		for (uint32_t i = 0; i < slice->endpoints.count && count < LOCAL_MAX; i++) {
			const struct kube_endpoint *e = &slice->endpoints.items[i];
			struct net_addr addr;
			if (!e->addresses.count || !net_addr_parse(e->addresses.items[0], &addr) ||
			    (count && out[0].family == addr.family))
				continue;
			out[count++] = addr;
			break;
		}
	}
	return count;
}

static int load_store(const struct dns_cluster_options *o, struct dns_cluster *c, struct err *err)
{
	struct strbuf warnings = { 0 };
	c->store = kube_store_new(NULL, c->choice);
	int code = manifest_load(c->store, o->files, o->file_count, &warnings, err);
	if (!code)
		code = control_fill_snapshot(c->store, c->choice, &warnings, err);
	fputs(strbuf_text(&warnings), stderr);
	strbuf_free(&warnings);
	return code;
}

static int load_upstream(const struct dns_cluster_options *o, struct dns_cluster *c,
			 struct err *err)
{
	static const struct dns_name root = { .length = 1 };
	struct strbuf text = { 0 };
	if (!o->upstream)
		return 0;
	int code = file_read(o->upstream, &text, err);
	if (!code)
		code = dns_master_parse(strbuf_text(&text), text.length, o->upstream, &root,
					&c->upstream, err);
	strbuf_free(&text);
	return code;
}

static int load_corefile(struct dns_cluster *c, struct err *err)
{
	uint32_t cursor = 0;
	const struct kube_cluster_configuration *cluster =
		(const struct kube_cluster_configuration *)kube_store_next_created(
			c->store, KIND_CLUSTER_CONFIGURATION, &cursor);
	const struct kube_config_map *map = (const struct kube_config_map *)kube_store_get(
		c->store, KIND_CONFIG_MAP, "kube-system", "coredns");
	bool named = cluster && cluster->dns_domain && cluster->dns_domain[0];
	c->domain = arena_strdup(c->arena, named ? cluster->dns_domain : "cluster.local");
	const char *text = map ? kube_map_get(&map->data, "Corefile") : NULL;
	c->corefile_text = text ? arena_strdup(c->arena, text) : NULL;
	return corefile_from_config_map(c->arena, map, c->domain, &c->corefile, err);
}

static int make_server(const struct dns_cluster_options *o, struct dns_cluster *c,
		       const struct dns_view *view, struct err *err)
{
	struct net_addr local[LOCAL_MAX];
	struct strbuf warnings = { 0 };
	uint32_t count = own_addresses(c->store, local);
	int code = dns_server_new(&(struct dns_server_config){ .corefile = c->corefile,
							       .view = view,
							       .upstream = c->upstream,
							       .choice = c->choice,
							       .local = local,
							       .local_count = count,
							       .is_kube_dns = true,
							       .epoch_s = o->epoch_s,
							       .warnings = &warnings },
				  &c->server, err);
	fputs(strbuf_text(&warnings), stderr);
	strbuf_free(&warnings);
	return code;
}

/* All but view and server. */
static int load(const struct dns_cluster_options *o, struct dns_cluster *c, struct err *err)
{
	memset(c, 0, sizeof *c);
	c->arena = arena_new();
	c->choice = choice_new(o->seed);
	int code = load_store(o, c, err);
	if (!code)
		code = load_upstream(o, c, err);
	return code ? code : load_corefile(c, err);
}

int dns_cluster_open(const struct dns_cluster_options *options, struct dns_cluster *out,
		     struct err *err)
{
	int code = load(options, out, err);
	if (!code) {
		out->view = dns_view_new();
		dns_view_replace(out->view, out->store, 0);
		code = make_server(options, out, out->view, err);
	}
	if (code)
		dns_cluster_close(out);
	return code;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int dns_cluster_reload(const struct dns_cluster_options *options, struct dns_cluster *c,
		       int64_t now_ns, struct err *err)
{
	struct dns_cluster fresh;
	int code = load(options, &fresh, err);
	bool keep = !code && same_text(c->corefile_text, fresh.corefile_text) &&
		    same_text(c->domain, fresh.domain);
	if (!code && !keep)
		code = make_server(options, &fresh, c->view, err);
	if (code) {
		dns_cluster_close(&fresh);
		return code;
	}
	dns_view_replace(c->view, fresh.store, now_ns);
	fresh.view = c->view;
	if (keep) {
		/* The old server goes on: with its cache, choice and upstream. */
		struct kube_store *old = c->store;
		c->store = fresh.store;
		fresh.store = old;
		fresh.view = NULL;
		dns_cluster_close(&fresh);
		dns_server_forget_finished(c->server);
		return 0;
	}
	c->view = NULL;
	dns_cluster_close(c);
	*c = fresh;
	return 0;
}

void dns_cluster_close(struct dns_cluster *c)
{
	dns_server_free(c->server);
	dns_view_free(c->view);
	dns_master_free(c->upstream);
	kube_store_free(c->store);
	choice_free(c->choice);
	arena_free(c->arena);
	memset(c, 0, sizeof *c);
}
