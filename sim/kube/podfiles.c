/* kube/podfiles.c: see podfiles.h. */
#include "kube/podfiles.h"

#include <string.h>

#define NAMESERVERS 3u
#define SEARCHES 32u
#define SEARCH_CHARACTERS 2048u
#define OPTIONS 32u
#define HOSTNAME_LIMIT 63u

/* ---- resolv.conf ----------------------------------------------------------------- */

struct words { /* distinct words in order */
	char *items[SEARCHES + 8];
	uint32_t count;
};

struct option { const char *name, *value; };

struct resolver {
	struct arena *arena;
	struct words servers, searches;
	struct option options[OPTIONS];
	uint32_t option_count;
};

static void words_add(struct words *w, struct arena *a, const char *text, size_t length)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (strlen(w->items[i]) == length && memcmp(w->items[i], text, length) == 0)
			return;
	if (length && w->count < sizeof w->items / sizeof *w->items)
		w->items[w->count++] = arena_strndup(a, text, length);
}

static void words_split(struct words *w, struct arena *a, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, " \t\n");
		words_add(w, a, text, n);
		text += n;
		text += strspn(text, " \t\n");
	}
}

static void option_set(struct resolver *r, const char *name, const char *value)
{
	for (uint32_t i = 0; i < r->option_count; i++)
		if (strcmp(r->options[i].name, name) == 0) {
			r->options[i].value = value;
			return;
		}
	if (r->option_count < OPTIONS)
		r->options[r->option_count++] = (struct option){ name, value };
}

/* Takes over the node's file: of several search lines the last one counts. */
static void read_node_file(struct resolver *r, const char *text, bool all)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");
		const char *line = arena_strndup(r->arena, text, n);
		text += n + (text[n] == '\n');
		if (strncmp(line, "nameserver ", 11) == 0 && all)
			words_split(&r->servers, r->arena, line + 11);
		else if (strncmp(line, "options ", 8) == 0 && all)
			for (const char *p = line + 8; *p;) {
				size_t k = strcspn(p, " \t"), name = strcspn(p, ": \t");
				const char *value = name < k ? arena_strndup(r->arena, p + name + 1,
									     k - name - 1) : NULL;
				if (k)
					option_set(r, arena_strndup(r->arena, p, name), value);
				p += k;
				p += strspn(p, " \t");
			}
		else if (strncmp(line, "search ", 7) == 0) {
			if (all)
				r->searches.count = 0;
			words_split(&r->searches, r->arena, line + 7);
		}
	}
}

static void cluster_first(struct resolver *r, const struct kube_pod *p,
			  const struct kube_dns_settings *dns)
{
	const char *zone = dns->cluster_domain;
	const char *namespace = p->object.meta.namespace ? p->object.meta.namespace : "default";
	const char *first = arena_printf(r->arena, "%s.svc.%s", namespace, zone);
	const char *second = arena_printf(r->arena, "svc.%s", zone);
	words_split(&r->servers, r->arena, dns->cluster_dns);
	words_add(&r->searches, r->arena, first, strlen(first));
	words_add(&r->searches, r->arena, second, strlen(second));
	words_add(&r->searches, r->arena, zone, strlen(zone));
	read_node_file(r, dns->node_resolv_conf, false);
	option_set(r, "ndots", "5");
}

static void pod_config(struct resolver *r, const struct kube_pod *p)
{
	if (!p->spec.dns_config.set)
		return;
	for (uint32_t i = 0; i < p->spec.dns_config.nameservers.count; i++)
		words_split(&r->servers, r->arena, p->spec.dns_config.nameservers.items[i]);
	for (uint32_t i = 0; i < p->spec.dns_config.searches.count; i++)
		words_split(&r->searches, r->arena, p->spec.dns_config.searches.items[i]);
	for (uint32_t i = 0; i < p->spec.dns_config.options.count; i++)
		if (p->spec.dns_config.options.items[i].name)
			option_set(r, p->spec.dns_config.options.items[i].name,
				   p->spec.dns_config.options.items[i].value);
}

static void resolver_print(const struct resolver *r, struct strbuf *out)
{
	size_t room = SEARCH_CHARACTERS;
	for (uint32_t i = 0; i < r->searches.count && i < SEARCHES; i++) {
		size_t n = strlen(r->searches.items[i]) + (i > 0);
		if (n > room)
			break;
		room -= n;
		strbuf_printf(out, "%s %s", i ? "" : "search", r->searches.items[i]);
	}
	if (r->searches.count)
		strbuf_putc(out, '\n');
	for (uint32_t i = 0; i < r->servers.count && i < NAMESERVERS; i++)
		strbuf_printf(out, "nameserver %s\n", r->servers.items[i]);
	for (uint32_t i = 0; i < r->option_count; i++) {
		const struct option *o = &r->options[i];
		strbuf_printf(out, "%s %s%s%s", i ? "" : "options", o->name, o->value ? ":" : "",
			      o->value ? o->value : "");
	}
	if (r->option_count)
		strbuf_putc(out, '\n');
}

void kube_resolv_conf(const struct kube_pod *p, const struct kube_dns_settings *dns,
		      struct strbuf *out)
{
	struct resolver r = { .arena = arena_new() };
	const char *policy = p->spec.dns_policy ? p->spec.dns_policy : "ClusterFirst";
	bool host = p->spec.host_network == TRI_TRUE;
	bool cluster = strcmp(policy, "ClusterFirstWithHostNet") == 0 ||
		       (strcmp(policy, "ClusterFirst") == 0 && !host);
	if (cluster && dns->cluster_dns && *dns->cluster_dns)
		cluster_first(&r, p, dns);
	else if (strcmp(policy, "None") != 0)
		read_node_file(&r, dns->node_resolv_conf, true);
	pod_config(&r, p);
	resolver_print(&r, out);
	arena_free(r.arena);
}

/* ---- hosts and host name --------------------------------------------------------- */

static void short_name(const struct kube_pod *p, struct strbuf *out)
{
	const char *name = p->spec.hostname && *p->spec.hostname ? p->spec.hostname
								 : p->object.meta.name;
	size_t n = strlen(name);
	if (n > HOSTNAME_LIMIT) {
		n = HOSTNAME_LIMIT;
		while (n && (name[n - 1] == '-' || name[n - 1] == '.'))
			n--; /* a host name ends in a letter or digit */
	}
	strbuf_add(out, name, n);
}

static void long_name(const struct kube_pod *p, const char *zone, struct strbuf *out)
{
	short_name(p, out);
	strbuf_printf(out, ".%s.%s.svc.%s", p->spec.subdomain,
		      p->object.meta.namespace ? p->object.meta.namespace : "default", zone);
}

static bool has_subdomain(const struct kube_pod *p)
{
	return p->spec.subdomain && *p->spec.subdomain;
}

static void aliases(const struct kube_pod *p, struct strbuf *out)
{
	if (!p->spec.host_aliases.count)
		return;
	strbuf_puts(out, "\n# Entries added by HostAliases.\n");
	for (uint32_t i = 0; i < p->spec.host_aliases.count; i++) {
		const struct kube_host_alias *a = &p->spec.host_aliases.items[i];
		strbuf_puts(out, a->ip ? a->ip : "");
		for (uint32_t j = 0; j < a->hostnames.count; j++)
			strbuf_printf(out, "\t%s", a->hostnames.items[j]);
		strbuf_putc(out, '\n');
	}
}

void kube_hosts_file(const struct kube_pod *p, const char *const *ips, uint32_t count,
		     const char *cluster_domain, const char *node_hosts, struct strbuf *out)
{
	if (p->spec.host_network == TRI_TRUE) {
		strbuf_puts(out, "# Kubernetes-managed hosts file (host network).\n");
		strbuf_puts(out, node_hosts ? node_hosts : "127.0.0.1\tlocalhost\n");
		aliases(p, out);
		return;
	}
	strbuf_puts(out, "# Kubernetes-managed hosts file.\n"
			 "127.0.0.1\tlocalhost\n"
			 "::1\tlocalhost ip6-localhost ip6-loopback\n"
			 "fe00::0\tip6-localnet\n"
			 "fe00::0\tip6-mcastprefix\n"
			 "fe00::1\tip6-allnodes\n"
			 "fe00::2\tip6-allrouters\n");
	for (uint32_t i = 0; i < count; i++) {
		strbuf_printf(out, "%s\t", ips[i]);
		if (has_subdomain(p)) {
			long_name(p, cluster_domain, out);
			strbuf_putc(out, '\t');
		}
		short_name(p, out);
		strbuf_putc(out, '\n');
	}
	aliases(p, out);
}

void kube_pod_hostname(const struct kube_pod *p, const char *node, const char *cluster_domain,
		       struct strbuf *out)
{
	if (p->spec.host_network == TRI_TRUE)
		strbuf_puts(out, node);
	else if (p->spec.set_hostname_as_fqdn == TRI_TRUE && has_subdomain(p))
		long_name(p, cluster_domain, out);
	else
		short_name(p, out);
}
