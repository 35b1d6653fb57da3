/* linux/xtables/xtables.h: iptables and ip6tables of one namespace and family.
 *
 * Reads what iptables-save and iptables-restore speak, keeps tables and chains,
 * evaluates packets as the kernel does, and prints the canonical text that
 * iptables-save prints. A construct that it does not know is kept as text,
 * printed back, reported by xt_unknown and, when a packet reaches it, written to
 * the trace as undecidable: it never guesses.
 *
 * A restore is atomic per table (each COMMIT). With noflush only the chains named
 * by chain lines are flushed. Rules carry file and line for traces of dumps.
 */
#ifndef LINUX_XTABLES_H
#define LINUX_XTABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/strbuf.h"
#include "linux/hook.h"

struct xt_ruleset;
struct netns;
struct recent;

/* ns may be NULL: parse and print only. */
struct xt_ruleset *xt_new(struct netns *ns, uint8_t family);
void xt_free(struct xt_ruleset *x);
struct xt_restore_options {
	const char *file;  /* for messages and traces */
	bool noflush, counters, test;
};
int xt_restore(struct xt_ruleset *x, const char *text, size_t length,
	       const struct xt_restore_options *options, struct err *err);
/* One command as typed after "iptables": "-t nat -I OUTPUT -j X", -A -I -C -D -N
 * -X -F -P -E -S -L. *found (may be NULL) answers -C. */
int xt_command(struct xt_ruleset *x, const char *command, bool *found, struct strbuf *out,
	       struct err *err);
/* iptables-save text; table NULL: all, in the order raw mangle nat filter security... as
 * the legacy tool prints them (nat, filter, ... by registration) is not kept: the
 * order is filter, nat, mangle, raw, security. */
void xt_save(const struct xt_ruleset *x, const char *table, bool counters, struct strbuf *out);
/* iptables -t TABLE -L -n [-v] text. */
void xt_list(const struct xt_ruleset *x, const char *table, const char *chain, bool verbose,
	     struct strbuf *out);
/* Rules in all tables (not chains, not policies). */
uint64_t xt_rule_count(const struct xt_ruleset *x);
/* One line "file:line:column: ..." per construct that is not known. */
void xt_unknown(const struct xt_ruleset *x, struct strbuf *out);
/* The plain evaluator: from the built-in chain of `hook` in `table`. */
enum nf_verdict xt_evaluate(struct xt_ruleset *x, const char *table, struct hook_state *state);
/* Rules visited by all packets so far, by either evaluator; policies beside them. */
uint64_t xt_rules_evaluated(const struct xt_ruleset *x, uint64_t *policies);
uint64_t xt_set_lookups(const struct xt_ruleset *x);
/* The compiled evaluator; same verdict, changes and counts as xt_evaluate. */
enum nf_verdict xt_evaluate_compiled(struct xt_ruleset *x, const char *table,
				     struct hook_state *state);
/* The lists of -m recent, for /proc/net/xt_recent. */
struct recent *xt_recent(struct xt_ruleset *x);
/* Forgets recent lists and limits, keeps rules. */
void xt_reset_state(struct xt_ruleset *x);

#endif
