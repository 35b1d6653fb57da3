/* linux/nft/nft.h: nftables of one namespace.
 *
 * Reads `nft -f` scripts and `nft list ruleset` text, keeps tables of the
 * families ip, ip6 and inet, evaluates packets as the kernel does, and prints what
 * nft 1.0.6 lists. A script is one transaction: all of it or nothing; a transaction
 * costs what it touches.
 *
 * A construct of nft that svclab does not evaluate is kept as text, printed back,
 * reported by nft_unknown with its place and, when a packet reaches it, written to the
 * trace as undecidable: it never guesses. So are tables of other families (bridge, arp,
 * netdev). What is no nft at all is an error.
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
/* `file` is for messages and traces; NULL: the text comes from a program, errors say
 * "nft", traces name no file, and interfaces named by number (iif, oif) must exist, as
 * nft demands. 0, EINVAL for text that is wrong, or what the kernel would answer
 * (ENOENT, EEXIST, EBUSY, EMLINK, EOPNOTSUPP, ENFILE). */
int nft_load(struct nft_ruleset *r, const char *text, size_t length, const char *file,
	     struct err *err);
/* `nft list ruleset`; map and set elements sorted. */
void nft_list(const struct nft_ruleset *r, struct strbuf *out);
uint64_t nft_rule_count(const struct nft_ruleset *r);
/* One line "file:line:column: ..." per construct that is not evaluated. */
void nft_unknown(const struct nft_ruleset *r, struct strbuf *out);
/* Forgets what packets left behind (dynamic elements, limits, quotas, numgen's counters),
 * keeps rules and the elements that were loaded. */
void nft_reset_state(struct nft_ruleset *r);

/* One base chain's walk for a packet at its hook, by the plain or the compiled
 * evaluator: same verdict, changes, draws and counts. ENOENT: no such base chain. */
int nft_evaluate(struct nft_ruleset *r, const char *table, const char *chain, bool compiled,
		 struct hook_state *state, enum nf_verdict *verdict);
/* Rules visited by all packets so far, by either evaluator; policies and set look-ups
 * beside them. */
uint64_t nft_rules_evaluated(const struct nft_ruleset *r, uint64_t *policies, uint64_t *lookups);

#endif
