/* nftables/text.h: the text of nft transactions.
 *
 * Everything of a service port is written by nft_port: chains, elements of the shared
 * sets and maps, rules, in kube-proxy's order. Which elements are written is asked of an
 * `nft_elements`: NULL writes them all (a first sync, and every sync of v1.30); else it
 * holds the elements that are there, and only differences are written.
 *
 * Source of behaviour: pkg/proxy/nftables/proxier.go of v1.34 and v1.30; how knftables
 * prints objects.
 */
#ifndef NFTABLES_TEXT_H
#define NFTABLES_TEXT_H

#include "dataplanes/kubeproxy/kubeproxy.h"

/* Containers in the order in which leftovers are deleted. */
enum nft_container {
	NFT_CLUSTER_IPS, NFT_SERVICE_IPS, NFT_FIREWALL_IPS, NFT_NO_ENDPOINT_SERVICES,
	NFT_NO_ENDPOINT_NODEPORTS, NFT_SERVICE_NODEPORTS, NFT_CONTAINERS
};

struct nft_style {
	const struct proxy_config *config;
	const struct family_config *family;
	const char *table;             /* "ip kube-proxy" */
	const char *ip, *type;         /* "ip", "ipv4_addr" */
	char mark[16];
	char is_local[80], not_local[80];
	bool old;                      /* v1.30's text */
	/* Names of chains and affinity sets that a restarted kube-proxy finds: an endpoint
	 * chain among them is left alone when its set is as it should be. NULL: none. */
	const struct table *found;
};

struct nft_elements { /* elements that a family's table has */
	struct table items[NFT_CONTAINERS]; /* key text -> struct nft_element */
	struct arena *memory;
};

struct nft_element {
	const char *value;             /* "" in a set */
	bool used;                     /* wanted by the present state */
};

void nft_style_init(struct nft_style *s, const struct proxy_config *c, unsigned family);
void nft_style_key(const struct nft_style *s, struct strbuf *out);

/* Table, base chains, fixed chains and rules, sets and maps. first: base chains are also
 * deleted once, so that their priorities can change. */
void nft_setup(const struct nft_style *s, bool first, struct strbuf *out);
/* Empties the sets and maps, in v1.30's order. */
void nft_flush_elements(const struct nft_style *s, struct strbuf *out);
void nft_port(const struct nft_style *s, const struct service_port *p,
	      const struct endpoint_choice *choice, struct nft_elements *there,
	      struct strbuf *out);
/* Only the elements. */
void nft_port_dispatch(const struct nft_style *s, const struct service_port *p,
		       const struct endpoint_choice *choice, struct nft_elements *there,
		       struct strbuf *out);

void nft_elements_init(struct nft_elements *e, struct arena *memory);
void nft_elements_free(struct nft_elements *e);
/* Records what nft_port of this port would have put there, last one wins. */
void nft_elements_note(struct nft_elements *e, const struct nft_style *s,
		       const struct service_port *p, const struct endpoint_choice *choice);
/* Deletes what nobody used. */
void nft_elements_leftovers(const struct nft_elements *e, const struct nft_style *s,
			    struct strbuf *out);

/* Names of the port's own chains and affinity sets, in order. */
typedef void nft_name_fn(void *ctx, const char *name);
void nft_port_chains(const struct service_port *p, const struct endpoint_choice *choice,
		     nft_name_fn *fn, void *ctx);
void nft_port_sets(const struct service_port *p, const struct endpoint_choice *choice,
		   nft_name_fn *fn, void *ctx);

/* What follows is shared by the files of this folder. */

#define NFT_BASE 256 /* bytes of a name without its prefix */
#define NFT_NAME 280 /* with it */
#define NFT_PLAIN 512 /* before it is cut */
struct nft_names { /* of one service port */
	char base[NFT_BASE];
};
void nft_names_init(struct nft_names *n, const struct service_port *p);
/* "endpoint-<base>" or "affinity-<base>". */
const char *nft_endpoint_name(const char *prefix, const struct service_port *p,
			      const struct endpoint *e, char out[NFT_NAME]);
/* What a port asks to be in the sets and maps; fn gets them in kube-proxy's order, in
 * two rounds: before and after the firewall chain is made. */
typedef void nft_element_fn(void *ctx, enum nft_container container, const char *key,
			    const char *value, bool comment);
void nft_port_elements(const struct nft_style *s, const struct service_port *p,
		       const struct nft_names *names, const struct endpoint_choice *choice,
		       bool after_firewall, nft_element_fn *fn, void *ctx);
const char *nft_container_name(enum nft_container container);
bool nft_uses_firewall(const struct service_port *p);

#endif
