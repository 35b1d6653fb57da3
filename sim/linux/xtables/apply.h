/* linux/xtables/apply.h: one iptables command as words, carried out on a transaction.
 *
 * What "iptables" and a line of iptables-restore have in common. Errors that the
 * kernel's table layer gives (no such chain, rule not found, ...) are worded as
 * iptables words them after "iptables: "; xt_failed chooses the form.
 */
#ifndef LINUX_XTABLES_APPLY_H
#define LINUX_XTABLES_APPLY_H

#include "linux/xtables/internal.h"

struct apply_command {
	char verb;           /* A I R D C N X F Z P E S L, 0 none */
	const char *verb_text;
	const char *chain;   /* NULL: all chains */
	const char *value;   /* of -P, -E */
	uint32_t number;     /* of -I, -R, -D, -S, -L; 0: not given */
	uint32_t rule_from;  /* first token of the rule */
	bool verbose, numbers;
	uint64_t packets, bytes;
	uint16_t file;
};

/* Finds verb, chain and number in tokens[from..count) and leaves the rule's words
 * after them (tokens are moved). */
int apply_read(struct xt_parse *p, uint32_t from, struct apply_command *c);
/* A, I, R, D, N, X, F, Z, P, E. */
int apply_change(struct xt_parse *p, struct xt_change *change, const struct apply_command *c);
/* Whether the rule of -C is there; 0 or an error of its words. */
int apply_find(struct xt_parse *p, const struct apply_command *c, bool *found);
int apply_check_new_name(struct xt_parse *p, const char *name);
int apply_policy(struct xt_parse *p, struct xt_change *change, struct xt_chain *chain,
		 const char *policy, bool counters, uint64_t packets, uint64_t bytes);
/* `code` with the message that iptables has for it: "No chain/target/match by that
 * name.", ... `detail` is added for restore lines. */
int xt_failed(struct xt_parse *p, int code, const char *message, const char *detail);

#endif
