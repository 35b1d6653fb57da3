/* linux/nft/eval.h: what the evaluators' files share. */
#ifndef LINUX_NFT_EVAL_H
#define LINUX_NFT_EVAL_H

#include "linux/nft/internal.h"

/* ---- evaluation (eval*.c, trace.c, compile.c) --------------------------------------------------
 */

enum nft_answer { NA_NO, NA_YES, NA_UNDECIDED };

struct nft_eval {
	struct nft_ruleset *r;
	struct nft_chain *base;
	struct hook_state *state;
	struct packet *packet;
	struct netns *ns;
	int64_t now_ns;
	const struct nft_rule *rule;
	char note[160];         /* what changed */
	const char *undecided;  /* why, when an answer was NA_UNDECIDED */
	bool rejected, rewritten;
	/* outcome of a statement */
	uint8_t verdict;        /* enum nft_verdict_code */
	struct nft_chain *target;
	bool stolen;
};

struct nft_result { /* of an expression */
	uint8_t bytes[NFT_KEY];
	uint8_t size;
};

hook_fn nft_chain_function;
enum nf_verdict nft_eval_chain(struct nft_chain *base, struct hook_state *state, bool compiled);
enum nft_answer nft_eval_expr(struct nft_eval *e, const struct nft_node *n, struct nft_result *out);
enum nft_answer nft_eval_match(struct nft_eval *e, const struct nft_node *n);
enum nft_answer nft_eval_statement(struct nft_eval *e, struct nft_node *n);
struct nft_elem *nft_eval_lookup(struct nft_eval *e, const struct nft_set *s, const uint8_t *key);
uint32_t nft_jhash(const uint8_t *key, uint32_t length, uint32_t seed);

void nft_trace_rule(struct nft_eval *e, const struct nft_chain *c, const struct nft_rule *rule,
		    uint32_t position, bool passed_over);
void nft_trace_policy(struct nft_eval *e, const struct nft_chain *c);
void nft_trace_drop(struct nft_eval *e, const struct nft_chain *c, const struct nft_rule *rule,
		    uint32_t position);

struct nft_positions { /* rising rule positions */
	const uint32_t *at;
	uint32_t count;
};

struct nft_cursor { /* the rules of a chain that one packet may match */
	struct nft_rule **rules;
	uint32_t end, count;
	struct nft_positions lists[5];
};

/* False: the chain is short, walk it rule by rule. */
bool nft_cursor_open(struct nft_cursor *c, struct nft_chain *chain, const struct packet *p);
/* First candidate at or after `from`, which must not fall; the chain's length: none. */
uint32_t nft_cursor_next(struct nft_cursor *c, uint32_t from);
void nft_index_free(struct nft_index *x);

#endif
