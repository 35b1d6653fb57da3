/* nftables/text.c: chains, elements and rules of one service port. */
#include "dataplanes/nftables/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplanes/kubeproxy/naming.h"
#include "dataplanes/kubeproxy/text.h"

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

/* Appends text; returns the end, where the NUL is. */
static char *append(char *at, const char *text)
{
	return stpcpy(at, text);
}

static char *append_number(char *at, unsigned n)
{
	char digits[12], *p = digits + sizeof digits - 1;
	*p = '\0';
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	return append(at, p);
}

/* Writes HASH-NAME, cut to what leaves room for a prefix. */
static void hash_and_cut(const char *name, size_t length, char out[NFT_BASE])
{
	char hash[NAME_HASH_LONGEST + 1];
	name_hash((const char *const[]){ name, NULL }, 8, hash);
	memcpy(out, hash, 8);
	out[8] = '-';
	bool cut = 9 + length > BASE_LONGEST;
	size_t kept = cut ? BASE_LONGEST - 9 - 3 : length;
	memcpy(out + 9, name, kept);
	strcpy(out + 9 + kept, cut ? "..." : "");
}

/* What no API server would take is cut. */
static char *append_some(char *at, const char *text, size_t most)
{
	size_t n = strnlen(text, most);
	memcpy(at, text, n);
	at[n] = '\0';
	return at + n;
}

/* Names of namespaces, Services and ports have 63 letters at most. */
static char *plain_name(const struct service_port *p, char name[NFT_PLAIN])
{
	char *at = append(append_some(name, p->service->full_name, 200), "/");
	return append_some(append(append(at, p->proto), "/"), p->port_name, 100);
}

void nft_names_init(struct nft_names *n, const struct service_port *p)
{
	char name[NFT_PLAIN];
	size_t length = (size_t)(plain_name(p, name) - name);
	hash_and_cut(name, length, n->base);
}

static void endpoint_base(const struct service_port *p, const struct endpoint *e,
			  char out[NFT_BASE])
{
	char name[NFT_PLAIN + NET_ADDR_TEXT + 16];
	char *ip = append(plain_name(p, name), "__"), *at = append(ip, e->ip);
	for (char *c = ip; *c; c++)
		if (*c == ':')
			*c = '.';
	at = append_number(append(at, "/"), e->port);
	hash_and_cut(name, (size_t)(at - name), out);
}

const char *nft_endpoint_name(const char *prefix, const struct service_port *p,
			      const struct endpoint *e, char out[NFT_NAME])
{
	char base[NFT_BASE];
	endpoint_base(p, e, base);
	append(append(append(out, prefix), "-"), base);
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

struct base { /* the end of an endpoint's names */
	size_t length;
	char text[NFT_BASE];
};

struct writer {
	const struct nft_style *s;
	const struct service_port *p;
	const struct endpoint_choice *choice;
	struct nft_elements *there;
	struct strbuf *out;
	struct nft_names names;
	size_t length;                 /* of names.base */
	struct base *bases;            /* of choice->all, by place among the port's endpoints */
};

static void put(struct writer *w, const char *text)
{
	text_put(w->out, text);
}

/* VERB TABLE PREFIX-NAME */
static void put_object(struct writer *w, const char *verb, const char *prefix, const char *base,
		       size_t length)
{
	put(w, verb);
	put(w, w->s->table);
	put(w, prefix);
	text_bytes(w->out, base, length);
}

static const struct base *base_of(const struct writer *w, const struct endpoint *e)
{
	return &w->bases[e - w->p->endpoints];
}

static void put_endpoint(struct writer *w, const char *prefix, const struct endpoint *e)
{
	const struct base *b = base_of(w, e);
	put(w, prefix);
	text_bytes(w->out, b->text, b->length);
}

static void make_chain(struct writer *w, const char *prefix, const char *base, size_t length)
{
	put_object(w, "add chain ", prefix, base, length);
	put_object(w, "\nflush chain ", prefix, base, length);
	put(w, "\n");
}

/* Whether an endpoint's chain found at the start is what would be written. */
static bool left_alone(const struct writer *w, const struct endpoint *e)
{
	char name[NFT_NAME];
	if (!w->s->found)
		return false;
	append(append(name, "endpoint-"), base_of(w, e)->text);
	if (!table_find(w->s->found, name))
		return false;
	append(append(name, "affinity-"), base_of(w, e)->text);
	return w->p->affinity == (table_find(w->s->found, name) != NULL);
}

/* All but the firewall chain, which is made where it is first needed. */
static void make_chains(struct writer *w)
{
	for (uint32_t i = 0; i < w->choice->all_count; i++) {
		const struct endpoint *e = w->choice->all[i];
		if (!left_alone(w, e))
			make_chain(w, " endpoint-", base_of(w, e)->text, base_of(w, e)->length);
	}
	if (uses_service_chain(w->p, w->choice))
		make_chain(w, " service-", w->names.base, w->length);
	if (uses_local_chain(w->p, w->choice))
		make_chain(w, " local-", w->names.base, w->length);
	if (uses_external_chain(w->p, w->choice))
		make_chain(w, " external-", w->names.base, w->length);
}

static void add_element(struct writer *w, enum nft_container c, const char *key,
			const char *value, bool comment)
{
	put(w, "add element ");
	put(w, w->s->table);
	put(w, " ");
	put(w, nft_container_name(c));
	put(w, " { ");
	put(w, key);
	if (comment) {
		put(w, " comment \"");
		put(w, w->p->name);
		put(w, "\"");
	}
	if (*value) {
		put(w, " : ");
		put(w, value);
	}
	put(w, " }\n");
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

static void put_elements(struct writer *w, bool after_firewall)
{
	nft_port_elements(w->s, w->p, &w->names, w->choice, after_firewall, put_element, w);
}

static void start_rule(struct writer *w, const char *prefix)
{
	put_object(w, "add rule ", prefix, w->names.base, w->length);
	put(w, " ");
}

static void write_firewall(struct writer *w)
{
	const struct service_port *p = w->p;
	if (!nft_uses_firewall(p))
		return;
	start_rule(w, " firewall-");
	put(w, w->s->ip);
	put(w, " saddr != { ");
	for (uint32_t i = 0; i < p->range_count; i++) {
		put(w, i ? " , " : "");
		put(w, p->ranges[i]);
	}
	for (uint32_t i = 0;
	     i < p->vip_count && port_range_contains(p, &w->s->family->node_ip); i++) {
		put(w, " , ");
		put(w, p->vips[i]);
	}
	put(w, " } drop\n");
}

static void write_internal(struct writer *w)
{
	bool all = w->s->config->masquerade_all;
	if (!w->choice->internal || (!all && !*w->s->not_local))
		return;
	start_rule(w, w->p->itp_local ? " local-" : " service-");
	put(w, w->s->ip);
	put(w, " daddr ");
	put(w, w->p->cluster_ip_text);
	if (w->s->old) {
		put(w, " ");
		put(w, w->p->proto);
		put(w, " dport ");
		text_number(w->out, w->p->port);
	}
	put(w, " ");
	put(w, all ? "" : w->s->not_local);
	put(w, "jump mark-for-masquerade\n");
}

static void goto_chain(struct writer *w, const char *prefix, const char *comment)
{
	put(w, "goto ");
	put(w, prefix);
	text_bytes(w->out, w->names.base, w->length);
	put(w, comment);
	put(w, "\n");
}

static void write_external(struct writer *w)
{
	if (!uses_external_chain(w->p, w->choice))
		return;
	if (!w->p->etp_local) {
		start_rule(w, " external-");
		put(w, "jump mark-for-masquerade\n");
	} else {
		if (*w->s->is_local) {
			start_rule(w, " external-");
			put(w, w->s->is_local);
			goto_chain(w, "service-", " comment \"short-circuit pod traffic\"");
		}
		start_rule(w, " external-");
		put(w, "fib saddr type local jump mark-for-masquerade comment "
		       "\"masquerade local traffic\"\n");
		start_rule(w, " external-");
		put(w, "fib saddr type local ");
		goto_chain(w, "service-", " comment \"short-circuit local traffic\"");
	}
	if (!w->choice->external)
		return;
	start_rule(w, " external-");
	goto_chain(w, w->p->etp_local ? "local-" : "service-", "");
}

static void make_sets(struct writer *w)
{
	for (uint32_t i = 0; i < w->choice->all_count && w->p->affinity; i++) {
		const struct base *b = base_of(w, w->choice->all[i]);
		put_object(w, "add set ", " affinity-", b->text, b->length);
		put(w, " { type ");
		put(w, w->s->type);
		put(w, " ; flags dynamic,timeout ; timeout ");
		text_number(w->out, (unsigned long)w->p->affinity_seconds);
		put(w, "s ; }\n");
	}
}

static void write_picks(struct writer *w, const char *chain, const struct endpoint **list,
			uint32_t count)
{
	for (uint32_t i = 0; i < count && w->p->affinity; i++) {
		start_rule(w, chain);
		put(w, w->s->ip);
		put_endpoint(w, " saddr @affinity-", list[i]);
		put_endpoint(w, " goto endpoint-", list[i]);
		put(w, "\n");
	}
	start_rule(w, chain);
	put(w, "numgen random mod ");
	text_number(w->out, count);
	put(w, " vmap { ");
	for (uint32_t i = 0; i < count; i++) {
		put(w, i ? " , " : "");
		text_number(w->out, i);
		put_endpoint(w, " : goto endpoint-", list[i]);
	}
	put(w, " }\n");
}

static void start_endpoint_rule(struct writer *w, const struct endpoint *e)
{
	put_object(w, "add rule ", " endpoint-", base_of(w, e)->text, base_of(w, e)->length);
}

static void write_endpoint(struct writer *w, const struct endpoint *e)
{
	if (left_alone(w, e))
		return;
	start_endpoint_rule(w, e);
	put(w, " ");
	put(w, w->s->ip);
	put(w, " saddr ");
	put(w, e->ip);
	put(w, " jump mark-for-masquerade\n");
	if (w->p->affinity) {
		start_endpoint_rule(w, e);
		put_endpoint(w, " update @affinity-", e);
		put(w, " { ");
		put(w, w->s->ip);
		put(w, " saddr }\n");
	}
	start_endpoint_rule(w, e);
	put(w, " meta l4proto ");
	put(w, w->p->proto);
	put(w, " dnat to ");
	put(w, e->text);
	put(w, "\n");
}

/* Each name is hashed once, however often it is written. */
static void name_endpoints(struct writer *w)
{
	w->length = strlen(w->names.base);
	w->bases = mem_array(w->p->endpoint_count + 1, sizeof *w->bases);
	for (uint32_t i = 0; i < w->choice->all_count; i++) {
		struct base *b = &w->bases[w->choice->all[i] - w->p->endpoints];
		endpoint_base(w->p, w->choice->all[i], b->text);
		b->length = strlen(b->text);
	}
}

void nft_port(const struct nft_style *s, const struct service_port *p,
	      const struct endpoint_choice *choice, struct nft_elements *there,
	      struct strbuf *out)
{
	struct writer w = { .s = s, .p = p, .choice = choice, .there = there, .out = out };
	nft_names_init(&w.names, p);
	name_endpoints(&w);
	make_chains(&w);
	put_elements(&w, false);
	if (nft_uses_firewall(p))
		make_chain(&w, " firewall-", w.names.base, w.length);
	if (s->old)
		write_firewall(&w);
	put_elements(&w, true);
	write_internal(&w);
	write_external(&w);
	if (!s->old)
		write_firewall(&w);
	make_sets(&w);
	if (uses_service_chain(p, choice))
		write_picks(&w, " service-", choice->cluster, choice->cluster_count);
	if (uses_local_chain(p, choice))
		write_picks(&w, " local-", choice->local, choice->local_count);
	for (uint32_t i = 0; i < choice->all_count; i++)
		write_endpoint(&w, choice->all[i]);
	text_end(out);
	free(w.bases);
}

void nft_port_dispatch(const struct nft_style *s, const struct service_port *p,
		       const struct endpoint_choice *choice, struct nft_elements *there,
		       struct strbuf *out)
{
	struct writer w = { .s = s, .p = p, .choice = choice, .there = there, .out = out };
	nft_names_init(&w.names, p);
	put_elements(&w, false);
	put_elements(&w, true);
	text_end(out);
}
