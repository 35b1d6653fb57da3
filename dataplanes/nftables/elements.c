/* nftables/elements.c: elements of the shared sets and maps. */
#include <stdio.h>
#include <string.h>

#include "dataplanes/nftables/text.h"

static const char *const container_names[NFT_CONTAINERS] = {
	[NFT_CLUSTER_IPS] = "cluster-ips", [NFT_SERVICE_IPS] = "service-ips",
	[NFT_FIREWALL_IPS] = "firewall-ips", [NFT_NO_ENDPOINT_SERVICES] = "no-endpoint-services",
	[NFT_NO_ENDPOINT_NODEPORTS] = "no-endpoint-nodeports",
	[NFT_SERVICE_NODEPORTS] = "service-nodeports",
};

const char *nft_container_name(enum nft_container container)
{
	return container_names[container];
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
	char key[NET_ADDR_TEXT + 32], value[NFT_NAME + 16], *at = key;
	bool node_port = container == NFT_NO_ENDPOINT_NODEPORTS ||
			 container == NFT_SERVICE_NODEPORTS;
	bool comment = container == NFT_NO_ENDPOINT_NODEPORTS ||
		       container == NFT_NO_ENDPOINT_SERVICES ||
		       (container == NFT_FIREWALL_IPS && a->s->old);
	if (!node_port)
		at = stpcpy(at, ip);
	if (container != NFT_CLUSTER_IPS) {
		at = stpcpy(stpcpy(at, node_port ? "" : " . "), a->p->proto);
		sprintf(at, " . %u", node_port ? a->p->node_port : a->p->port);
	}
	stpcpy(stpcpy(value, verb), chain);
	a->fn(a->ctx, container, key, value, comment);
}

static void name_chain(const char *prefix, const struct nft_names *names, char out[NFT_NAME])
{
	stpcpy(stpcpy(out, prefix), names->base);
}

void nft_port_elements(const struct nft_style *s, const struct service_port *p,
		       const struct nft_names *names, const struct endpoint_choice *choice,
		       bool after_firewall, nft_element_fn *fn, void *ctx)
{
	struct asking a = { p, s, fn, ctx };
	char internal[NFT_NAME], external[NFT_NAME], firewall[NFT_NAME];
	const char *refusal = choice->has_endpoints ? "drop" : "goto reject-chain";
	name_chain(p->itp_local ? "local-" : "service-", names, internal);
	name_chain("external-", names, external);
	name_chain("firewall-", names, firewall);
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
	struct nft_names names;
	nft_names_init(&names, p);
	nft_port_elements(s, p, &names, choice, false, note, e);
	nft_port_elements(s, p, &names, choice, true, note, e);
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
					      container_names[c], (const char *)key);
}
