/* linux/nft/nft.h: nftables of one namespace.
 *
 * Reads `nft -f` scripts and `nft list ruleset` text, keeps tables of the
 * families ip, ip6 and inet, evaluates packets, prints what nft 1.0.6 lists. A
 * script is one transaction: all of it or nothing. Same promises about unknown
 * constructs as xtables.
 */
#ifndef LINUX_NFT_H
#define LINUX_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/strbuf.h"
#include "linux/hook.h"

struct nft_ruleset;
struct netns;

/* ns may be NULL: parse and print only. */
struct nft_ruleset *nft_new(struct netns *ns);
void nft_free(struct nft_ruleset *r);
int nft_load(struct nft_ruleset *r, const char *text, size_t length, const char *file,
	     struct err *err);
/* `nft list ruleset`; map and set elements sorted. */
void nft_list(const struct nft_ruleset *r, struct strbuf *out);
uint64_t nft_rule_count(const struct nft_ruleset *r);
void nft_unknown(const struct nft_ruleset *r, struct strbuf *out);
void nft_reset_state(struct nft_ruleset *r);

#endif
