/* nftables/text.c: chains, elements and rules of one service port. */
#include "dataplanes/nftables/text.h"

#include <stdio.h>
#include <string.h>

#include "dataplanes/kubeproxy/naming.h"

#define BASE_LONGEST 240 /* nft's 256 less room for the longest prefix */

void nft_style_init(struct nft_style *s, const struct proxy_config *c, unsigned family)
{
	const struct family_config *f = &c->families[family];
	bool six = family == PROXY_V6;
	const char *text = f->detect.text, *ip = six ? "ip6" : "ip";
	*s = (struct nft_style){ .config = c, .family = f, .ip = ip,
				 .table = six ? "ip6 kube-proxy" : "ip kube-proxy",
				 .type = six ? "ipv6_addr" : "ipv4_addr",
				 .old = c->version < KUBE_1_34 };
	snprintf(s->mark, sizeof s->mark, "0x%08x", c->masquerade_mark);
	switch (f->detect.kind) {
	case DETECT_CIDR:
		snprintf(s->is_local, sizeof s->is_local, "%s saddr %s ", ip, text);
		snprintf(s->not_local, sizeof s->not_local, "%s saddr != %s ", ip, text);
		break;
	case DETECT_BRIDGE:
		snprintf(s->is_local, sizeof s->is_local, "iif %.60s ", text);
		snprintf(s->not_local, sizeof s->not_local, "iif != %.60s ", text);
		break;
	case DETECT_PREFIX:
		snprintf(s->is_local, sizeof s->is_local, "iif %.60s* ", text);
		snprintf(s->not_local, sizeof s->not_local, "iif != %.60s* ", text);
		break;
	case DETECT_NONE:
		break;
	}
}

void nft_style_key(const struct nft_style *s, struct strbuf *out)
{
	strbuf_printf(out, "nftables %d %d %d %s %s", s->config->version, s->family->family,
		      s->config->masquerade_all, s->mark, s->is_local);
}

/* ---- names ------------------------------------------------------------------------------ */

/* Writes HASH-NAME, cut to what leaves room for a prefix. */
static void hash_and_cut(const char *name, char *out, size_t size)
{
	char hash[NAME_HASH_LONGEST + 1];
	name_hash((const char *const[]){ name, NULL }, 8, hash);
	int n = snprintf(out, size, "%s-%s", hash, name);
	if (n > BASE_LONGEST)
		snprintf(out + BASE_LONGEST - 3, size - (BASE_LONGEST - 3), "...");
}

static void plain_name(const struct service_port *p, char out[512])
{
	snprintf(out, 512, "%.100s/%.100s/%s/%.100s", p->service->namespace, p->service->name,
		 p->proto, p->port_name);
}

void nft_names_init(struct nft_names *n, const struct service_port *p)
{
	char name[512];
	plain_name(p, name);
	hash_and_cut(name, n->base, sizeof n->base);
}

const char *nft_endpoint_name(const char *prefix, const struct service_port *p,
			      const struct endpoint *e, char out[NFT_NAME])
{
	char name[512], full[640], base[256];
	plain_name(p, name);
	snprintf(full, sizeof full, "%s__%s/%u", name, e->ip, e->port);
	for (char *c = full + strlen(name); *c; c++)
		if (*c == ':')
			*c = '.';
	hash_and_cut(full, base, sizeof base);
	snprintf(out, NFT_NAME, "%s-%.250s", prefix, base);
	return out;
}

static bool uses_service_chain(const struct service_port *p, const struct endpoint_choice *c)
{
	return c->cluster_count && port_uses_cluster(p);
}

static bool uses_local_chain(const struct service_port *p, const struct endpoint_choice *c)
{
	return c->local_count && port_uses_local(p);
}

static bool uses_external_chain(const struct service_port *p, const struct endpoint_choice *c)
{
	return c->has_endpoints && port_externally_accessible(p);
}

static void port_chain(const char *prefix, const struct nft_names *n, nft_name_fn *fn, void *ctx)
{
	char name[NFT_NAME];
	snprintf(name, sizeof name, "%s-%s", prefix, n->base);
	fn(ctx, name);
}

void nft_port_chains(const struct service_port *p, const struct endpoint_choice *choice,
		     nft_name_fn *fn, void *ctx)
{
	struct nft_names n;
	char name[NFT_NAME];
	nft_names_init(&n, p);
	for (uint32_t i = 0; i < choice->all_count; i++)
		fn(ctx, nft_endpoint_name("endpoint", p, choice->all[i], name));
	if (uses_service_chain(p, choice))
		port_chain("service", &n, fn, ctx);
	if (uses_local_chain(p, choice))
		port_chain("local", &n, fn, ctx);
	if (uses_external_chain(p, choice))
		port_chain("external", &n, fn, ctx);
	if (nft_uses_firewall(p))
		port_chain("firewall", &n, fn, ctx);
}

void nft_port_sets(const struct service_port *p, const struct endpoint_choice *choice,
		   nft_name_fn *fn, void *ctx)
{
	char name[NFT_NAME];
	for (uint32_t i = 0; i < choice->all_count && p->affinity; i++)
		fn(ctx, nft_endpoint_name("affinity", p, choice->all[i], name));
}

/* ---- text ---------------------------------------------------------------------------------- */

struct writer {
	const struct nft_style *s;
	const struct service_port *p;
	const struct endpoint_choice *choice;
	struct nft_elements *there;
	struct strbuf *out;
	struct nft_names names;
};

static void make_chain(void *ctx, const char *name)
{
	struct writer *w = ctx;
	strbuf_printf(w->out, "add chain %s %s\nflush chain %s %s\n", w->s->table, name,
		      w->s->table, name);
}

/* Whether a chain found at the start is what would be written. */
static bool left_alone(const struct writer *w, const char *chain)
{
	char set[NFT_NAME];
	const char *base = strchr(chain, '-');
	if (!w->s->found || strncmp(chain, "endpoint-", 9) != 0 || !table_find(w->s->found, chain))
		return false;
	snprintf(set, sizeof set, "affinity%.260s", base);
	return w->p->affinity == (table_find(w->s->found, set) != NULL);
}

/* All but the firewall chain, which is made where it is first needed. */
static void make_chain_early(void *ctx, const char *name)
{
	if (strncmp(name, "firewall-", 9) != 0 && !left_alone(ctx, name))
		make_chain(ctx, name);
}

static void add_element(struct writer *w, enum nft_container c, const char *key,
			const char *value, bool comment)
{
	strbuf_printf(w->out, "add element %s %s { %s", w->s->table, nft_container_name(c), key);
	if (comment)
		strbuf_printf(w->out, " comment \"%s\"", w->p->name);
	if (*value)
		strbuf_printf(w->out, " : %s", value);
	strbuf_puts(w->out, " }\n");
}

static void put_element(void *ctx, enum nft_container c, const char *key, const char *value,
			bool comment)
{
	struct writer *w = ctx;
	struct nft_element *there = w->there ? table_find(&w->there->items[c], key) : NULL;
	if (there) {
		there->used = true;
		if (strcmp(there->value, value) == 0)
			return;
		strbuf_printf(w->out, "delete element %s %s { %s }\n", w->s->table,
			      nft_container_name(c), key);
		there->value = arena_strdup(w->there->memory, value);
	} else if (w->there) {
		there = table_put(&w->there->items[c], arena_strdup(w->there->memory, key), NULL);
		*there = (struct nft_element){ arena_strdup(w->there->memory, value), true };
	}
	add_element(w, c, key, value, comment);
}

static void start_rule(struct writer *w, const char *chain)
{
	strbuf_printf(w->out, "add rule %s %s-%s ", w->s->table, chain, w->names.base);
}

static void write_firewall(struct writer *w)
{
	const struct service_port *p = w->p;
	if (!nft_uses_firewall(p))
		return;
	start_rule(w, "firewall");
	strbuf_printf(w->out, "%s saddr != { ", w->s->ip);
	for (uint32_t i = 0; i < p->range_count; i++)
		strbuf_printf(w->out, "%s%s", i ? " , " : "", p->ranges[i]);
	if (port_range_contains(p, &w->s->family->node_ip))
		for (uint32_t i = 0; i < p->vip_count; i++)
			strbuf_printf(w->out, " , %s", p->vips[i]);
	strbuf_puts(w->out, " } drop\n");
}

static void write_internal(struct writer *w)
{
	bool all = w->s->config->masquerade_all;
	if (!w->choice->internal || (!all && !*w->s->not_local))
		return;
	start_rule(w, w->p->itp_local ? "local" : "service");
	strbuf_printf(w->out, "%s daddr %s ", w->s->ip, w->p->cluster_ip_text);
	if (w->s->old)
		strbuf_printf(w->out, "%s dport %u ", w->p->proto, w->p->port);
	strbuf_printf(w->out, "%sjump mark-for-masquerade\n", all ? "" : w->s->not_local);
}

static void write_external(struct writer *w)
{
	if (!uses_external_chain(w->p, w->choice))
		return;
	if (!w->p->etp_local) {
		start_rule(w, "external");
		strbuf_puts(w->out, "jump mark-for-masquerade\n");
	} else {
		if (*w->s->is_local) {
			start_rule(w, "external");
			strbuf_printf(w->out, "%sgoto service-%s comment "
					      "\"short-circuit pod traffic\"\n",
				      w->s->is_local, w->names.base);
		}
		start_rule(w, "external");
		strbuf_puts(w->out, "fib saddr type local jump mark-for-masquerade comment "
				    "\"masquerade local traffic\"\n");
		start_rule(w, "external");
		strbuf_printf(w->out, "fib saddr type local goto service-%s comment "
				      "\"short-circuit local traffic\"\n", w->names.base);
	}
	if (!w->choice->external)
		return;
	start_rule(w, "external");
	strbuf_printf(w->out, "goto %s-%s\n", w->p->etp_local ? "local" : "service",
		      w->names.base);
}

static void make_set(void *ctx, const char *name)
{
	struct writer *w = ctx;
	strbuf_printf(w->out, "add set %s %s { type %s ; flags dynamic,timeout ; timeout %ds ; }\n",
		      w->s->table, name, w->s->type, (int)w->p->affinity_seconds);
}

static void write_picks(struct writer *w, const char *chain, const struct endpoint **list,
			uint32_t count)
{
	char name[NFT_NAME], set[NFT_NAME];
	for (uint32_t i = 0; i < count && w->p->affinity; i++) {
		start_rule(w, chain);
		strbuf_printf(w->out, "%s saddr @%s goto %s\n", w->s->ip,
			      nft_endpoint_name("affinity", w->p, list[i], set),
			      nft_endpoint_name("endpoint", w->p, list[i], name));
	}
	start_rule(w, chain);
	strbuf_printf(w->out, "numgen random mod %u vmap { ", (unsigned)count);
	for (uint32_t i = 0; i < count; i++)
		strbuf_printf(w->out, "%s%u : goto %s", i ? " , " : "", (unsigned)i,
			      nft_endpoint_name("endpoint", w->p, list[i], name));
	strbuf_puts(w->out, " }\n");
}

static void write_endpoint(struct writer *w, const struct endpoint *e)
{
	char name[NFT_NAME], set[NFT_NAME];
	nft_endpoint_name("endpoint", w->p, e, name);
	if (left_alone(w, name))
		return;
	strbuf_printf(w->out, "add rule %s %s %s saddr %s jump mark-for-masquerade\n", w->s->table,
		      name, w->s->ip, e->ip);
	if (w->p->affinity)
		strbuf_printf(w->out, "add rule %s %s update @%s { %s saddr }\n", w->s->table, name,
			      nft_endpoint_name("affinity", w->p, e, set), w->s->ip);
	strbuf_printf(w->out, "add rule %s %s meta l4proto %s dnat to %s\n", w->s->table, name,
		      w->p->proto, e->text);
}

void nft_port(const struct nft_style *s, const struct service_port *p,
	      const struct endpoint_choice *choice, struct nft_elements *there,
	      struct strbuf *out)
{
	struct writer w = { .s = s, .p = p, .choice = choice, .there = there, .out = out };
	nft_names_init(&w.names, p);
	nft_port_chains(p, choice, make_chain_early, &w);
	nft_port_elements(s, p, choice, false, put_element, &w);
	if (nft_uses_firewall(p))
		port_chain("firewall", &w.names, make_chain, &w);
	if (s->old)
		write_firewall(&w);
	nft_port_elements(s, p, choice, true, put_element, &w);
	write_internal(&w);
	write_external(&w);
	if (!s->old)
		write_firewall(&w);
	nft_port_sets(p, choice, make_set, &w);
	if (uses_service_chain(p, choice))
		write_picks(&w, "service", choice->cluster, choice->cluster_count);
	if (uses_local_chain(p, choice))
		write_picks(&w, "local", choice->local, choice->local_count);
	for (uint32_t i = 0; i < choice->all_count; i++)
		write_endpoint(&w, choice->all[i]);
}

void nft_port_dispatch(const struct nft_style *s, const struct service_port *p,
		       const struct endpoint_choice *choice, struct nft_elements *there,
		       struct strbuf *out)
{
	struct writer w = { .s = s, .p = p, .choice = choice, .there = there, .out = out };
	nft_port_elements(s, p, choice, false, put_element, &w);
	nft_port_elements(s, p, choice, true, put_element, &w);
}
