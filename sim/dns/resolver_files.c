/* dns/resolver_files.c: resolv.conf as libc reads it, and a pod's resolv.conf and hosts
 * file as the kubelet writes them (pkg/kubelet/network/dns/dns.go, kubelet_pods.go). */
#include "dns/resolver.h"

#include <stdlib.h>
#include <string.h>

#include "kube/store.h"

/* ---- reading -------------------------------------------------------------------- */

static void take_search(char *words, struct resolv_conf *out)
{
	char *save = NULL;
	out->search_count = 0; /* the last line counts */
	for (const char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save))
		if (out->search_count < RESOLV_SEARCH &&
		    dns_name_parse(w, &out->search[out->search_count]))
			out->search_count++;
}

static uint32_t number_of(const char *text, uint32_t most)
{
	unsigned long value = strtoul(text, NULL, 10);
	return value > most ? most : (uint32_t)value;
}

static void take_options(char *words, struct resolv_conf *out)
{
	const struct { const char *name; bool *flag; } flags[] = {
		{ "single-request", &out->single_request },
		{ "single-request-reopen", &out->single_request_reopen },
		{ "use-vc", &out->use_vc }, { "rotate", &out->rotate }, { "edns0", &out->edns0 },
		{ "no-tld-query", &out->no_tld_query }, { "no-aaaa", &out->no_aaaa },
	};
	char *save = NULL;
	for (const char *w = strtok_r(words, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (strncmp(w, "ndots:", 6) == 0)
			out->ndots = number_of(w + 6, 15);
		else if (strncmp(w, "timeout:", 8) == 0)
			out->timeout_s = number_of(w + 8, 30);
		else if (strncmp(w, "attempts:", 9) == 0)
			out->attempts = number_of(w + 9, 5);
		for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
			if (strcmp(w, flags[i].name) == 0)
				*flags[i].flag = true;
	}
}

void resolv_conf_parse(const char *text, struct resolv_conf *out)
{
	*out = (struct resolv_conf){ .ndots = 1, .timeout_s = 5, .attempts = 2 };
	char *copy = mem_strdup(text), *lines = NULL;
	for (char *line = strtok_r(copy, "\r\n", &lines); line;
	     line = strtok_r(NULL, "\r\n", &lines)) {
		size_t key = strcspn(line, " \t");
		char *rest = line + key + strspn(line + key, " \t");
		struct net_addr addr;
		line[key] = 0;
		if (strcmp(line, "nameserver") == 0) {
			rest[strcspn(rest, " \t")] = 0;
			if (out->server_count < RESOLV_SERVERS && net_addr_parse(rest, &addr))
				out->servers[out->server_count++] = addr;
		} else if (strcmp(line, "search") == 0 || strcmp(line, "domain") == 0) {
			take_search(rest, out);
		} else if (strcmp(line, "options") == 0) {
			take_options(rest, out);
		}
	}
	free(copy);
}

/* ---- a pod's resolv.conf ----------------------------------------------------------- */

#define SEARCH_CHARACTERS 2048u

struct words {
	char *items[64];
	uint32_t count;
};

static void add_word(struct words *w, const char *text, bool unique)
{
	for (uint32_t i = 0; unique && i < w->count; i++)
		if (strcmp(w->items[i], text) == 0)
			return;
	if (w->count < sizeof w->items / sizeof *w->items)
		w->items[w->count++] = mem_strdup(text);
}

static void set_option(struct words *w, const char *name, const char *value)
{
	struct strbuf text = { 0 };
	size_t length = strlen(name);
	strbuf_puts(&text, name);
	if (value && value[0])
		strbuf_printf(&text, ":%s", value);
	for (uint32_t i = 0; i < w->count; i++) {
		char *have = w->items[i];
		if (strncmp(have, name, length) == 0 &&
		    (have[length] == 0 || have[length] == ':')) {
			free(have);
			w->items[i] = strbuf_steal(&text);
			return;
		}
	}
	add_word(w, strbuf_text(&text), false);
	strbuf_free(&text);
}

static void free_words(struct words *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		free(w->items[i]);
}

struct pod_dns { struct words servers, searches, options; };

static void read_node_conf(const char *text, struct pod_dns *d, bool searches_only)
{
	char *copy = mem_strdup(text ? text : ""), *lines = NULL;
	for (char *line = strtok_r(copy, "\r\n", &lines); line;
	     line = strtok_r(NULL, "\r\n", &lines)) {
		char *save = NULL;
		const char *key = strtok_r(line, " \t", &save), *word;
		if (!key)
			continue;
		while ((word = strtok_r(NULL, " \t", &save))) {
			if (strcmp(key, "search") == 0)
				add_word(&d->searches, word, true);
			else if (!searches_only && strcmp(key, "nameserver") == 0)
				add_word(&d->servers, word, true);
			else if (!searches_only && strcmp(key, "options") == 0)
				set_option(&d->options, word, NULL);
		}
	}
	free(copy);
}

static void cluster_first(const struct kube_pod *pod, const struct kube_store *store,
			  const char *domain, const char *node_conf, struct pod_dns *d)
{
	struct strbuf text = { 0 };
	const struct kube_service *dns = (const struct kube_service *)kube_store_get(
		store, KIND_SERVICE, "kube-system", "kube-dns");
	const struct kube_strings *ips = dns ? &dns->spec.cluster_ips : NULL;
	for (uint32_t i = 0; ips && i < ips->count; i++)
		if (strcmp(ips->items[i], "None") != 0)
			add_word(&d->servers, ips->items[i], true);
	if (!d->servers.count)
		add_word(&d->servers,
			 dns && dns->spec.cluster_ip && dns->spec.cluster_ip[0] &&
				 !kube_is(dns->spec.cluster_ip, "None")
			     ? dns->spec.cluster_ip
			     : "10.96.0.10",
			 true);
	strbuf_printf(&text, "%s.svc.%s", pod->object.meta.namespace, domain);
	add_word(&d->searches, strbuf_text(&text), true);
	add_word(&d->searches, strbuf_text(&text) + strlen(pod->object.meta.namespace) + 1, true);
	add_word(&d->searches, domain, true);
	strbuf_free(&text);
	read_node_conf(node_conf, d, true);
	set_option(&d->options, "ndots", "5");
}

/* Limits of libc that the kubelet enforces: servers, searches and their characters. */
static void apply_limits(struct pod_dns *d, const char *pod, struct strbuf *warnings)
{
	uint32_t characters = 0, kept = 0;
	for (; kept < d->searches.count && kept < RESOLV_SEARCH; kept++) {
		characters += (uint32_t)strlen(d->searches.items[kept]) + (kept > 0);
		if (characters > SEARCH_CHARACTERS)
			break;
	}
	if (warnings && kept < d->searches.count)
		strbuf_printf(
		    warnings,
		    "pod %s: Search Line limits were exceeded, some search paths have been "
		    "omitted\n",
		    pod);
	if (warnings && d->servers.count > RESOLV_SERVERS)
		strbuf_printf(warnings,
			      "pod %s: Nameserver limits were exceeded, some nameservers have been "
			      "omitted\n", pod);
	while (d->searches.count > kept)
		free(d->searches.items[--d->searches.count]);
	while (d->servers.count > RESOLV_SERVERS)
		free(d->servers.items[--d->servers.count]);
}

static void print_words(const char *key, const struct words *w, struct strbuf *out)
{
	if (!w->count)
		return;
	strbuf_puts(out, key);
	for (uint32_t i = 0; i < w->count; i++)
		strbuf_printf(out, " %s", w->items[i]);
	strbuf_putc(out, '\n');
}

void pod_resolv_conf(const struct kube_pod *pod, const struct kube_store *store,
		     const char *domain, const char *node_conf, struct strbuf *out,
		     struct strbuf *warnings)
{
	const char *policy = pod->spec.dns_policy ? pod->spec.dns_policy : "ClusterFirst";
	bool host = pod->spec.host_network == TRI_TRUE;
	struct pod_dns d = { .servers.count = 0 };
	bool cluster = strcmp(policy, "ClusterFirstWithHostNet") == 0 ||
		       (strcmp(policy, "ClusterFirst") == 0 && !host);
	if (cluster)
		cluster_first(pod, store, domain, node_conf, &d);
	else if (strcmp(policy, "None") != 0)
		read_node_conf(node_conf, &d, false);
	if (pod->spec.dns_config.set) {
		const struct kube_strings *servers = &pod->spec.dns_config.nameservers;
		const struct kube_strings *searches = &pod->spec.dns_config.searches;
		for (uint32_t i = 0; i < servers->count; i++)
			add_word(&d.servers, servers->items[i], true);
		for (uint32_t i = 0; i < searches->count; i++)
			add_word(&d.searches, searches->items[i], true);
		for (uint32_t i = 0; i < pod->spec.dns_config.options.count; i++)
			set_option(&d.options, pod->spec.dns_config.options.items[i].name,
				   pod->spec.dns_config.options.items[i].value);
	}
	apply_limits(&d, pod->object.meta.name, warnings);
	print_words("search", &d.searches, out);
	for (uint32_t i = 0; i < d.servers.count; i++)
		strbuf_printf(out, "nameserver %s\n", d.servers.items[i]);
	print_words("options", &d.options, out);
	free_words(&d.servers);
	free_words(&d.searches);
	free_words(&d.options);
}

/* ---- a pod's hosts file ----------------------------------------------------------------- */

void pod_hosts_file(const struct kube_pod *pod, const char *domain, struct strbuf *out)
{
	const struct kube_pod_spec *spec = &pod->spec;
	const char *name = spec->hostname && spec->hostname[0] ? spec->hostname :
								  pod->object.meta.name;
	const char *under = spec->subdomain && spec->subdomain[0] ? spec->subdomain : NULL;
	const struct kube_strings *ips = &pod->status.pod_ips;
	int length = (int)strlen(name);
	if (length > 63)
		length = 63;
	strbuf_puts(out, "# Kubernetes-managed hosts file.\n"
			 "127.0.0.1\tlocalhost\n"
			 "::1\tlocalhost ip6-localhost ip6-loopback\n"
			 "fe00::0\tip6-localnet\n"
			 "fe00::0\tip6-mcastprefix\n"
			 "fe00::1\tip6-allnodes\n"
			 "fe00::2\tip6-allrouters\n");
	for (uint32_t i = 0; i < (ips->count ? ips->count : 1); i++) {
		const char *ip = ips->count ? ips->items[i] : pod->status.pod_ip;
		if (!ip)
			continue;
		if (under)
			strbuf_printf(out, "%s\t%.*s.%s.%s.svc.%s\t%.*s\n", ip, length, name, under,
				      pod->object.meta.namespace, domain, length, name);
		else
			strbuf_printf(out, "%s\t%.*s\n", ip, length, name);
	}
	if (spec->host_aliases.count)
		strbuf_puts(out, "\n# Entries added by HostAliases.\n");
	for (uint32_t i = 0; i < spec->host_aliases.count; i++) {
		const struct kube_host_alias *a = &spec->host_aliases.items[i];
		strbuf_puts(out, a->ip ? a->ip : "");
		for (uint32_t k = 0; k < a->hostnames.count; k++)
			strbuf_printf(out, "\t%s", a->hostnames.items[k]);
		strbuf_putc(out, '\n');
	}
}
