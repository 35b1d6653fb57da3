/* nftables/elements.c: elements of the shared sets and maps. */
#include <stdio.h>
#include <string.h>

#include "dataplanes/nftables/text.h"

static const char *const names[NFT_CONTAINERS] = {
	[NFT_CLUSTER_IPS] = "cluster-ips", [NFT_SERVICE_IPS] = "service-ips",
	[NFT_FIREWALL_IPS] = "firewall-ips", [NFT_NO_ENDPOINT_SERVICES] = "no-endpoint-services",
	[NFT_NO_ENDPOINT_NODEPORTS] = "no-endpoint-nodeports",
	[NFT_SERVICE_NODEPORTS] = "service-nodeports",
};

const char *nft_container_name(enum nft_container container)
{
	return names[container];
}

bool nft_uses_firewall(const struct service_port *p)
{
	return p->vip_count && p->range_count;
}

struct asking { /* for elements of one port */
	const struct service_port *p;
	const struct nft_style *s;
	nft_element_fn *fn;
	void *ctx;
};

static void ask(const struct asking *a, enum nft_container container, const char *ip,
		const char *verb, const char *chain)
{
	char key[NET_ADDR_TEXT + 32], value[NFT_NAME + 16];
	bool node_port = container == NFT_NO_ENDPOINT_NODEPORTS ||
			 container == NFT_SERVICE_NODEPORTS;
	bool comment = container == NFT_NO_ENDPOINT_NODEPORTS ||
		       container == NFT_NO_ENDPOINT_SERVICES ||
		       (container == NFT_FIREWALL_IPS && a->s->old);
	if (container == NFT_CLUSTER_IPS)
		snprintf(key, sizeof key, "%s", ip);
	else if (node_port)
		snprintf(key, sizeof key, "%s . %u", a->p->proto, a->p->node_port);
	else
		snprintf(key, sizeof key, "%s . %s . %u", ip, a->p->proto, a->p->port);
	snprintf(value, sizeof value, "%s%s", verb, chain);
	a->fn(a->ctx, container, key, value, comment);
}

void nft_port_elements(const struct nft_style *s, const struct service_port *p,
		       const struct endpoint_choice *choice, bool after_firewall,
		       nft_element_fn *fn, void *ctx)
{
	struct asking a = { p, s, fn, ctx };
	struct nft_names n;
	char internal[NFT_NAME], external[NFT_NAME], firewall[NFT_NAME];
	const char *refusal = choice->has_endpoints ? "drop" : "goto reject-chain";
	nft_names_init(&n, p);
	snprintf(internal, sizeof internal, "%s-%s", p->itp_local ? "local" : "service", n.base);
	snprintf(external, sizeof external, "external-%s", n.base);
	snprintf(firewall, sizeof firewall, "firewall-%s", n.base);
	if (!after_firewall) {
		if (s->old || p == p->service->ports) /* once a Service */
			ask(&a, NFT_CLUSTER_IPS, p->cluster_ip_text, "", "");
		if (choice->internal)
			ask(&a, NFT_SERVICE_IPS, p->cluster_ip_text, "goto ", internal);
		else
			ask(&a, NFT_NO_ENDPOINT_SERVICES, p->cluster_ip_text, refusal, "");
		for (uint32_t i = 0; i < p->external_ip_count; i++) {
			if (choice->has_endpoints)
				ask(&a, NFT_SERVICE_IPS, p->external_ips[i], "goto ", external);
			if (!choice->external)
				ask(&a, NFT_NO_ENDPOINT_SERVICES, p->external_ips[i], refusal, "");
		}
		return;
	}
	for (uint32_t i = 0; i < p->vip_count; i++) {
		if (choice->has_endpoints)
			ask(&a, NFT_SERVICE_IPS, p->vips[i], "goto ", external);
		if (nft_uses_firewall(p))
			ask(&a, NFT_FIREWALL_IPS, p->vips[i], "goto ", firewall);
	}
	for (uint32_t i = 0; i < p->vip_count && !choice->external; i++)
		ask(&a, NFT_NO_ENDPOINT_SERVICES, p->vips[i], refusal, "");
	if (!p->node_port)
		return;
	if (choice->has_endpoints)
		ask(&a, NFT_SERVICE_NODEPORTS, NULL, "goto ", external);
	if (!choice->external)
		ask(&a, NFT_NO_ENDPOINT_NODEPORTS, NULL, refusal, "");
}

/* ---- what is there -------------------------------------------------------------------- */

void nft_elements_init(struct nft_elements *e, struct arena *memory)
{
	e->memory = memory;
	for (unsigned c = 0; c < NFT_CONTAINERS; c++)
		table_init(&e->items[c], TABLE_STRING_KEYS, sizeof(struct nft_element));
}

void nft_elements_free(struct nft_elements *e)
{
	for (unsigned c = 0; c < NFT_CONTAINERS; c++)
		table_free(&e->items[c]);
}

static void note(void *ctx, enum nft_container container, const char *key, const char *value,
		 bool comment)
{
	struct nft_elements *e = ctx;
	struct nft_element *there = table_find(&e->items[container], key);
	(void)comment;
	if (!there)
		there = table_put(&e->items[container], arena_strdup(e->memory, key), NULL);
	there->value = arena_strdup(e->memory, value);
}

void nft_elements_note(struct nft_elements *e, const struct nft_style *s,
		       const struct service_port *p, const struct endpoint_choice *choice)
{
	nft_port_elements(s, p, choice, false, note, e);
	nft_port_elements(s, p, choice, true, note, e);
}

void nft_elements_leftovers(const struct nft_elements *e, const struct nft_style *s,
			    struct strbuf *out)
{
	const void *key;
	void *value;
	for (unsigned c = 0; c < NFT_CONTAINERS; c++)
		for (uint32_t i = 0; table_next(&e->items[c], &i, &key, &value);)
			if (!((const struct nft_element *)value)->used)
				strbuf_printf(out, "delete element %s %s { %s }\n", s->table,
					      names[c], (const char *)key);
}
