/* dns/server_setup.c: a Corefile's directives given their meaning. Options, ranges and
 * defaults are those of the plugins' setup.go in CoreDNS 1.14.7. */
#include "dns/server_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/strbuf.h"

static bool has_words(const struct corefile_line *l, uint32_t count)
{
	return l->count == count + 1;
}

/* ---- kubernetes ---------------------------------------------------------------- */

static int pods_option(const struct setup *s, const struct corefile_line *l, struct dns_kube *k)
{
	static const char *const modes[] = { "disabled", "insecure", "verified" };
	for (int i = 0; has_words(l, 1) && i < 3; i++) {
		if (strcmp(l->words[1], modes[i]) == 0) {
			k->pods = (enum dns_pods)i;
			return 0;
		}
	}
	return setup_error(s, l, "wrong value, must be one of: disabled, verified, insecure");
}

static int kube_option(const struct setup *s, const struct corefile_line *l, struct dns_kube *k)
{
	static const char *const api_client[] = { "endpoint", "tls", "kubeconfig", "apiserver_qps",
						  "apiserver_burst", "apiserver_max_inflight",
						  "startup_timeout" };
	const char *name = l->words[0];
	int64_t ttl;
	if (strcmp(name, "pods") == 0)
		return pods_option(s, l, k);
	if (strcmp(name, "endpoint_pod_names") == 0)
		return setup_flag(s, l, &k->endpoint_pod_names);
	if (strcmp(name, "noendpoints") == 0)
		return setup_flag(s, l, &k->no_endpoints);
	if (strcmp(name, "zonal") == 0)
		return setup_flag(s, l, &k->zonal);
	if (strcmp(name, "fallthrough") == 0)
		return setup_fallthrough(s, l, &k->fall);
	if (strcmp(name, "labels") == 0)
		return setup_selector(s, l, &k->labels);
	if (strcmp(name, "namespace_labels") == 0)
		return setup_selector(s, l, &k->namespace_labels);
	if (strcmp(name, "ttl") == 0) {
		int code = setup_number(s, l, 1, 0, 3600, &ttl);
		k->ttl = code ? 0 : (uint32_t)ttl;
		return code;
	}
	if (strcmp(name, "ignore") == 0) {
		k->ignore_empty_service = true;
		return l->count > 1 && strcmp(l->words[1], "empty_service") == 0 ?
			       0 : setup_error(s, l, "expected empty_service");
	}
	if (strcmp(name, "namespaces") == 0) {
		if (l->count < 2)
			return setup_error(s, l, "expected namespaces");
		const char **items = arena_array(s->server->config,
						 k->namespaces.count + l->count, sizeof *items);
		for (uint32_t i = 0; i < k->namespaces.count; i++)
			items[i] = k->namespaces.items[i];
		for (uint32_t i = 1; i < l->count; i++)
			items[k->namespaces.count++] = arena_strdup(s->server->config, l->words[i]);
		k->namespaces.items = items;
		return 0;
	}
	for (size_t i = 0; i < sizeof api_client / sizeof *api_client; i++)
		if (strcmp(name, api_client[i]) == 0)
			return 0;
	if (strcmp(name, "multicluster") == 0)
		return setup_error(s, l, "multi-cluster zones are not modelled");
	return setup_error(s, l, "unknown property of kubernetes");
}

static bool is_reverse(const struct dns_name *n)
{
	static const struct dns_name v4 = { 14, "\7in-addr\4arpa" }, v6 = { 10, "\3ip6\4arpa" };
	return (dns_name_under(n, &v4) && n->length > v4.length) ||
	       (dns_name_under(n, &v6) && n->length > v6.length) || dns_name_equal(n, &v4) ||
	       dns_name_equal(n, &v6);
}

int setup_kubernetes(const struct setup *s, const struct corefile_line *l, struct block *b)
{
	struct dns_kube *k = arena_alloc(s->server->config, sizeof *k);
	if (b->kube)
		return setup_error(s, l, "this plugin can only be used once per Server Block");
	k->ttl = 5;
	k->view = s->server->view;
	k->local = s->server->local;
	k->local_count = s->server->local_count;
	k->is_kube_dns = s->config->is_kube_dns;
	k->epoch_s = s->config->epoch_s;
	int code = setup_zones(s, l, 1, &k->zones);
	for (uint32_t i = 0; !code && i < l->block_count; i++)
		code = kube_option(s, &l->block[i], k);
	if (code)
		return code;
	while (k->primary < k->zones.count && is_reverse(&k->zones.items[k->primary]))
		k->primary++;
	if (k->primary == k->zones.count)
		return setup_error(s, l, "non-reverse zone name must be used");
	if (k->namespaces.count && k->namespace_labels.set)
		return setup_error(s, l, "namespaces and namespace_labels cannot both be set");
	if (k->zonal && k->no_endpoints)
		return setup_error(s, l, "zonal requires the endpoint cache; remove noendpoints");
	b->kube = k;
	s->server->has_kube = true;
	return 0;
}

/* ---- cache ----------------------------------------------------------------------- */

static int half_option(const struct setup *s, const struct corefile_line *l, struct cache_half *h)
{
	int code = setup_number(s, l, 1, 0, INT32_MAX, &h->capacity);
	if (!code && l->count > 2)
		code = setup_number(s, l, 2, 1, INT32_MAX, &h->ttl_s);
	if (!code && l->count > 3)
		code = setup_number(s, l, 3, 0, INT32_MAX, &h->min_ttl_s);
	return code;
}

static int prefetch_option(const struct setup *s, const struct corefile_line *l,
			   struct cache_plugin *c)
{
	int64_t amount;
	int code = setup_number(s, l, 1, 0, INT32_MAX, &amount);
	if (!code && l->count > 2)
		code = setup_duration(s, l, 2, &c->prefetch_ns);
	if (!code && l->count > 3) {
		char *end;
		long percent = strtol(l->words[3], &end, 10);
		if (strcmp(end, "%") != 0 || percent < 10 || percent > 90)
			return setup_error(s, l, "'%s', expected a percentage of 10%% to 90%%",
					   l->words[3]);
		c->prefetch_percent = (int32_t)percent;
	}
	c->prefetch = code ? 0 : (int32_t)amount;
	return code;
}

/* serve_stale [DURATION [immediate | verify [TIMEOUT]] [TTL [RECHECK]]] */
static int stale_option(const struct setup *s, const struct corefile_line *l,
			struct cache_plugin *c)
{
	int64_t ns = INT64_C(3600) * 1000000000, ttl_ns = 0;
	int code = l->count > 1 ? setup_duration(s, l, 1, &ns) : 0;
	c->stale_s = ns / 1000000000;
	c->verify_stale = !code && l->count > 2 && strcasecmp(l->words[2], "verify") == 0;
	if (!code && l->count > 2 && !c->verify_stale && strcasecmp(l->words[2], "immediate") != 0)
		return setup_error(s, l, "invalid value for refresh mode: %s", l->words[2]);
	uint32_t at = 3;
	c->verify_timeout_ns = c->recheck_ns = 0;
	if (!code && c->verify_stale && l->count > at)
		code = setup_duration(s, l, at++, &c->verify_timeout_ns);
	if (!code && l->count > at)
		code = setup_duration(s, l, at++, &ttl_ns);
	if (!code && ttl_ns % 1000000000)
		return setup_error(s, l, "the TTL must be a whole number of seconds");
	c->stale_ttl = (uint32_t)(ttl_ns / 1000000000);
	if (!code && l->count > at)
		code = setup_duration(s, l, at++, &c->recheck_ns);
	if (!code && c->recheck_ns > INT64_C(300) * 1000000000)
		return setup_error(s, l, "failure recheck cannot exceed 5 minutes");
	return code || l->count <= at ? code : setup_error(s, l, "too many arguments");
}

static int disable_option(const struct setup *s, const struct corefile_line *l,
			  struct cache_plugin *c)
{
	struct dns_names *except = NULL;
	if (l->count > 1 && strcmp(l->words[1], "success") == 0)
		except = &c->success.except;
	if (l->count > 1 && strcmp(l->words[1], "denial") == 0)
		except = &c->denial.except;
	if (!except)
		return setup_error(s, l, "cache type must be \"success\" or \"denial\"");
	if (l->count > 2)
		return setup_zones(s, l, 2, except);
	static const char *const root[] = { "disable", "." };
	struct corefile_line all = { .words = (const char **)root, .count = 2, .line = l->line };
	return setup_zones(s, &all, 1, except);
}

static int cache_option(const struct setup *s, const struct corefile_line *l,
			struct cache_plugin *c)
{
	const char *name = l->words[0];
	if (strcmp(name, "success") == 0)
		return half_option(s, l, &c->success);
	if (strcmp(name, "denial") == 0)
		return half_option(s, l, &c->denial);
	if (strcmp(name, "prefetch") == 0)
		return prefetch_option(s, l, c);
	if (strcmp(name, "serve_stale") == 0)
		return stale_option(s, l, c);
	if (strcmp(name, "disable") == 0)
		return disable_option(s, l, c);
	if (strcmp(name, "serve_stale_policy") == 0) {
		c->prefer_positive = l->count == 2 &&
				     strcasecmp(l->words[1], "prefer_positive") == 0;
		return c->prefer_positive ? 0 : setup_error(s, l, "expected prefer_positive");
	}
	if (strcmp(name, "keepttl") == 0)
		return setup_flag(s, l, &c->keep_ttl);
	if (strcmp(name, "servfail") == 0) {
		int code = setup_duration(s, l, 1, &c->servfail_ns);
		return code || c->servfail_ns <= INT64_C(300) * 1000000000
			   ? code
			   : setup_error(
				 s, l,
				 "caching SERVFAIL responses over 5 minutes is not permitted");
	}
	return setup_error(s, l, "unknown property of cache");
}

int setup_cache(const struct setup *s, const struct corefile_line *l, struct block *b)
{
	struct cache_plugin *c = arena_alloc(s->server->config, sizeof *c);
	uint32_t first = 1;
	char *end = NULL;
	if (b->cache)
		return setup_error(s, l, "this plugin can only be used once per Server Block");
	c->success = (struct cache_half){ .capacity = 10000, .ttl_s = 3600, .min_ttl_s = 5 };
	c->denial = (struct cache_half){ .capacity = 10000, .ttl_s = 1800, .min_ttl_s = 5 };
	c->servfail_ns = INT64_C(5000000000);
	c->prefetch_ns = INT64_C(60000000000);
	c->prefetch_percent = 10;
	long ttl = l->count > 1 ? strtol(l->words[1], &end, 10) : 0;
	if (l->count > 1 && end != l->words[1] && !*end) {
		if (ttl <= 0 || ttl > INT32_MAX)
			return setup_error(s, l, "cache TTL can not be zero or negative: %ld", ttl);
		c->success.ttl_s = c->denial.ttl_s = ttl;
		first = 2;
	}
	int code = setup_zones(s, l, first, &c->zones);
	for (uint32_t i = 0; !code && i < l->block_count; i++)
		code = cache_option(s, &l->block[i], c);
	if (!code && c->prefer_positive && !c->stale_s)
		code = setup_error(s, l, "serve_stale_policy requires serve_stale");
	b->cache = code ? NULL : c;
	return code;
}

/* ---- file, hosts ------------------------------------------------------------------- */

static const char *mounted_file(const struct setup *s, const char *path)
{
	const char *base = strrchr(path, '/');
	return kube_map_get(&s->corefile->files, base ? base + 1 : path);
}

static int add_file_zone(const struct setup *s, const struct corefile_line *l, const char *text,
			 const struct dns_name *origin, struct file_plugin *f)
{
	struct dns_master *master = NULL;
	const char *name =
	    arena_printf(s->server->config, "%s: %s", s->corefile->file, l->words[1]);
	int code = text ? dns_master_parse(text, strlen(text), name, origin, &master, s->err) : 0;
	if (code)
		return code;
	struct file_zone *zones = arena_array(s->server->config, f->count + 1, sizeof *zones);
	for (uint32_t i = 0; i < f->count; i++)
		zones[i] = f->zones[i];
	zones[f->count++] = (struct file_zone){ *origin, master };
	f->zones = zones;
	return 0;
}

int setup_file(const struct setup *s, const struct corefile_line *l, struct block *b)
{
	struct dns_names zones;
	if (l->count < 2)
		return setup_error(s, l, "expected a file");
	if (!b->file)
		b->file = arena_alloc(s->server->config, sizeof *b->file);
	int code = setup_zones(s, l, 2, &zones);
	const char *text = mounted_file(s, l->words[1]);
	if (!text && s->config->warnings)
		strbuf_printf(
		    s->config->warnings,
		    "%s:%d:%d: file %s is not a key of the ConfigMap: its zones are SERVFAIL\n",
		    s->corefile->file, l->line, l->column, l->words[1]);
	for (uint32_t i = 0; !code && i < zones.count; i++)
		code = add_file_zone(s, l, text, &zones.items[i], b->file);
	for (uint32_t i = 0; !code && i < l->block_count; i++) {
		const struct corefile_line *o = &l->block[i];
		if (strcmp(o->words[0], "fallthrough") == 0)
			code = setup_fallthrough(s, o, &b->file->fall);
		else if (strcmp(o->words[0], "reload") != 0 &&
			 strcmp(o->words[0], "reload_by_mtime") != 0 &&
			 strcmp(o->words[0], "upstream") != 0)
			code = setup_error(s, o, "unknown property of file");
	}
	return code;
}

static void add_host(const struct setup *s, struct hosts_plugin *h, const struct net_addr *addr,
		     const char *name)
{
	struct dns_name parsed;
	if (!dns_name_parse(name, &parsed))
		return;
	if ((h->count & (h->count + 1)) == 0) {
		struct hosts_entry *entries = arena_array(s->server->config, h->count * 2 + 1,
							  sizeof *entries);
		if (h->count)
			memcpy(entries, h->entries, h->count * sizeof *entries);
		h->entries = entries;
	}
	dns_name_lower(&parsed);
	h->entries[h->count++] = (struct hosts_entry){ *addr, parsed };
}

/* Lines "ADDRESS NAME..." of a hosts file. */
static void read_hosts(const struct setup *s, struct hosts_plugin *h, const char *text)
{
	char *copy = arena_strdup(s->server->config, text), *lines = NULL;
	for (char *line = strtok_r(copy, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		char *words = NULL;
		struct net_addr addr;
		line[strcspn(line, "#")] = 0;
		const char *word = strtok_r(line, " \t\r", &words);
		if (!word || !net_addr_parse(word, &addr))
			continue;
		while ((word = strtok_r(NULL, " \t\r", &words)))
			add_host(s, h, &addr, word);
	}
}

static int hosts_option(const struct setup *s, const struct corefile_line *l,
			struct hosts_plugin *h)
{
	struct net_addr addr;
	int64_t ttl;
	if (strcmp(l->words[0], "fallthrough_unsupported") == 0)
		return setup_flag(s, l, &h->pass_other_types);
	if (strcmp(l->words[0], "fallthrough") == 0)
		return setup_fallthrough(s, l, &h->fall);
	if (strcmp(l->words[0], "no_reverse") == 0)
		return setup_flag(s, l, &h->no_reverse);
	if (strcmp(l->words[0], "reload") == 0)
		return 0;
	if (strcmp(l->words[0], "ttl") == 0) {
		int code = setup_number(s, l, 1, 1, 65535, &ttl);
		h->ttl = code ? 0 : (uint32_t)ttl;
		return code;
	}
	if (!net_addr_parse(l->words[0], &addr))
		return setup_error(s, l, "unknown property of hosts");
	for (uint32_t i = 1; i < l->count; i++)
		add_host(s, h, &addr, l->words[i]);
	return 0;
}

int setup_hosts(const struct setup *s, const struct corefile_line *l, struct block *b)
{
	struct hosts_plugin *h = arena_alloc(s->server->config, sizeof *h);
	if (b->hosts)
		return setup_error(s, l, "this plugin can only be used once per Server Block");
	h->ttl = 3600;
	int code = setup_zones(s, l, 2, &h->zones);
	const char *text = l->count > 1 ? mounted_file(s, l->words[1]) : NULL;
	if (text)
		read_hosts(s, h, text);
	for (uint32_t i = 0; !code && i < l->block_count; i++)
		code = hosts_option(s, &l->block[i], h);
	if (!code && h->pass_other_types && !h->fall.count)
		code = setup_error(s, l, "fallthrough_unsupported requires fallthrough");
	b->hosts = code ? NULL : h;
	return code;
}
