/* linux/xtables/apply.c: see apply.h. */
#include "linux/xtables/apply.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define NO_CHAIN "No chain/target/match by that name."
#define NO_RULE "Bad rule (does a matching rule exist in that chain?)."

int xt_failed(struct xt_parse *p, int code, const char *message, const char *detail)
{
	const char *tool = p->x->family == NET_V6 ? "ip6tables" : "iptables";
	if (!p->file)
		return err_set(p->err, code, "%s: %s", tool, message);
	return err_at(p->err, EINVAL, p->file, p->line, complaint_column(p), "%s: %s", detail,
		      message);
}

/* --- reading */

struct verb {
	const char *name;
	char letter;
};

static const struct verb verbs[] = {
	{ "append", 'A' }, { "insert", 'I' }, { "replace", 'R' }, { "delete", 'D' },
	{ "check", 'C' }, { "new-chain", 'N' }, { "new", 'N' }, { "delete-chain", 'X' },
	{ "flush", 'F' }, { "zero", 'Z' }, { "policy", 'P' }, { "rename-chain", 'E' },
	{ "list-rules", 'S' }, { "list", 'L' },
};

static char verb_letter(const struct xt_token *t)
{
	if (t->quoted || t->text[0] != '-')
		return '\0';
	if (t->text[1] && !t->text[2] && strchr("AIRDCNXFZPESL", t->text[1]))
		return t->text[1];
	for (unsigned i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (t->text[1] == '-' && strcmp(t->text + 2, verbs[i].name) == 0)
			return verbs[i].letter;
	return '\0';
}

/* Options that say how, not what: 0 none, else the number of tokens they take. */
static uint32_t manner(struct xt_parse *p, uint32_t at, struct apply_command *c)
{
	const struct xt_token *t = &p->tokens[at];
	const char *s = t->text;
	bool more = at + 1 < p->count && isdigit((unsigned char)p->tokens[at + 1].text[0]);
	if (t->quoted)
		return 0;
	if (strcmp(s, "-w") == 0 || strcmp(s, "--wait") == 0 || strcmp(s, "-W") == 0)
		return more ? 2 : 1;
	if (strcmp(s, "-v") == 0 || strcmp(s, "--verbose") == 0) {
		c->verbose = true;
		return 1;
	}
	if (strcmp(s, "--line-numbers") == 0) {
		c->numbers = true;
		return 1;
	}
	if (strcmp(s, "-n") == 0 || strcmp(s, "--numeric") == 0 || strcmp(s, "-x") == 0 ||
	    strcmp(s, "--exact") == 0)
		return 1;
	if (c->verb == 'L' && (strcmp(s, "-nv") == 0 || strcmp(s, "-vn") == 0)) {
		c->verbose = true;
		return 1;
	}
	return 0;
}

static void remove_tokens(struct xt_parse *p, uint32_t at, uint32_t count)
{
	memmove(&p->tokens[at], &p->tokens[at + count],
		(p->count - at - count) * sizeof *p->tokens);
	p->count -= count;
}

static int read_verb(struct xt_parse *p, uint32_t at, char letter, struct apply_command *c)
{
	uint32_t next = at + 1;
	bool needed = !strchr("XFZSL", letter);
	bool word = next < p->count && (needed || (p->tokens[next].text[0] != '-' &&
						   strcmp(p->tokens[next].text, "!") != 0));
	p->at = at;
	c->verb = letter;
	c->verb_text = p->tokens[at].text;
	p->column = p->tokens[at].column;
	if (word)
		c->chain = p->tokens[next++].text;
	else if (needed)
		return xt_complain(p, "option \"%s\" requires an argument", p->tokens[at].text);
	if (letter == 'P' || letter == 'E') {
		if (next >= p->count)
			return xt_complain(p, letter == 'P' ? "-P requires a chain and a policy" :
							     "-E requires old-chain-name and "
							     "new-chain-name");
		c->value = p->tokens[next++].text;
	}
	uint64_t number;
	if (c->chain && strchr("IRDSL", letter) && next < p->count &&
	    isdigit((unsigned char)p->tokens[next].text[0])) {
		p->at = next;
		if (!parse_u32(p->tokens[next].text, UINT32_MAX, &number) || !number)
			return xt_complain(p, "Invalid rule number `%s'", p->tokens[next].text);
		c->number = (uint32_t)number;
		next++;
	}
	if (letter == 'R' && !c->number)
		return xt_complain(p, "-R requires a rule number");
	remove_tokens(p, at, next - at);
	return 0;
}

int apply_read(struct xt_parse *p, uint32_t from, struct apply_command *c)
{
	*c = (struct apply_command){ .rule_from = from };
	for (uint32_t i = from; i < p->count;) {
		char letter = verb_letter(&p->tokens[i]);
		uint32_t count = letter ? 0 : manner(p, i, c);
		if (letter && c->verb) {
			p->at = i;
			return xt_complain(p, "Cannot use -%c with -%c", letter, c->verb);
		}
		if (letter) {
			int code = read_verb(p, i, letter, c);
			if (code)
				return code;
		} else if (count) {
			remove_tokens(p, i, count);
		} else {
			i++;
		}
	}
	p->at = from;
	return 0;
}

/* --- changing */

int apply_check_new_name(struct xt_parse *p, const char *name)
{
	if (strlen(name) >= XT_NAME)
		return xt_complain(p, "chain name `%s' too long (must be under %u chars)", name,
				   XT_NAME);
	if (!name[0] || name[0] == '-' || name[0] == '!')
		return xt_complain(p, "chain name not allowed to start with `%c'", name[0]);
	if (extension_target(name, p->x->family))
		return xt_complain(p, "chain name may not clash with target name");
	return plain_word(name) ? 0 : xt_complain(p, "Invalid chain name `%s'", name);
}

int apply_policy(struct xt_parse *p, struct xt_change *change, struct xt_chain *chain,
		 const char *policy, bool counters, uint64_t packets, uint64_t bytes)
{
	bool drop = strcmp(policy, "DROP") == 0;
	if (chain->hook < 0)
		return xt_failed(p, EINVAL, "Bad built-in chain name.", chain->name);
	if (!drop && strcmp(policy, "ACCEPT") != 0)
		return xt_failed(p, EINVAL, "Bad policy name. Run `dmesg' for more information.",
				 policy);
	struct xt_staged *s = change_touch(change, chain);
	s->policy_set = true;
	s->drop = drop;
	s->counters_set |= counters;
	s->packets = packets;
	s->bytes = bytes;
	return 0;
}

static bool same_rule(const struct xt_rule *a, const struct xt_rule *b)
{
	return a->spec == b->spec && a->jump == b->jump;
}

static void discard(struct xt_parse *p, struct xt_rule *rule)
{
	pool_drop(&p->x->pool, rule->spec);
	free_states(rule);
}

static int delete_rule(struct xt_parse *p, struct xt_change *change, struct xt_chain *chain,
		       const struct apply_command *c, const struct xt_rule *wanted)
{
	uint32_t count = change_rule_count(chain);
	if (c->number) {
		if (c->number > count)
			return xt_failed(p, E2BIG, "Index of deletion too big.", chain->name);
		change_remove(change, chain, c->number - 1);
		return 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (same_rule(&change_rules(chain)[i], wanted)) {
			change_remove(change, chain, i);
			return 0;
		}
	}
	return xt_failed(p, ENOENT, NO_RULE, chain->name);
}

static int change_rule(struct xt_parse *p, struct xt_change *change, struct xt_chain *chain,
		       const struct apply_command *c, uint32_t i)
{
	struct xt_rule rule = parse_make_rule(p, i);
	uint32_t count = change_rule_count(chain), at = c->number ? c->number - 1 : 0;
	int code = 0;
	rule.file = c->file;
	if (c->packets || c->bytes) {
		rule.packets = c->packets;
		rule.bytes = c->bytes;
	}
	switch (c->verb) {
	case 'A':
		change_insert(change, chain, count, &rule);
		return 0;
	case 'I':
		if (at > count)
			code = xt_failed(p, E2BIG, "Index of insertion too big.", chain->name);
		else
			change_insert(change, chain, at, &rule);
		break;
	case 'R':
		if (at >= count) {
			code = xt_failed(p, E2BIG, "Index of replacement too big.", chain->name);
			break;
		}
		change_insert(change, chain, at, &rule);
		change_remove(change, chain, at + 1);
		return 0;
	default:
		code = delete_rule(p, change, chain, c, &rule);
		discard(p, &rule);
		return code;
	}
	if (code)
		discard(p, &rule);
	return code;
}

/* The kernel lets NAT targets in where their hooks are (xt_nat.c); told here for rules
 * of built-in chains, whose hook is plain. */
static int check_hook(struct xt_parse *p, const struct xt_chain *chain)
{
	const struct xt_extension *ext = p->target >= 0 ? p->builds[p->target].ext : NULL;
	unsigned hooks = 0;
	if (!ext || chain->hook < 0)
		return 0;
	switch (ext->kind) {
	case XT_T_DNAT:
	case XT_T_REDIRECT:
		hooks = 1u << HOOK_PREROUTING | 1u << HOOK_OUTPUT;
		break;
	case XT_T_SNAT:
		hooks = 1u << HOOK_POSTROUTING | 1u << HOOK_INPUT;
		break;
	case XT_T_MASQUERADE:
		hooks = 1u << HOOK_POSTROUTING;
		break;
	default:
		return 0;
	}
	if (hooks & 1u << chain->hook)
		return 0;
	return xt_complain(p, "%s does not work in %s", ext->name, chain->name);
}

static int rule_verb(struct xt_parse *p, struct xt_change *change, const struct apply_command *c)
{
	struct xt_chain *chain = table_chain(p->table, c->chain);
	bool by_number = c->verb == 'D' && c->number;
	p->at = XT_NOWHERE;
	if (!chain)
		return xt_failed(p, ENOENT, c->verb == 'D' && !by_number ? NO_RULE : NO_CHAIN,
				 c->chain);
	if (by_number && c->rule_from < p->count)
		return xt_complain(p, "Illegal option `%s' with this command",
				   p->tokens[c->rule_from].text);
	if (by_number)
		return delete_rule(p, change, chain, c, NULL);
	int code = parse_rule(p, c->rule_from, chain);
	if (!code)
		code = check_hook(p, chain);
	uint32_t rules = parse_rule_count(p);
	for (uint32_t i = 0; i < rules && !code; i++)
		code = change_rule(p, change, chain, c, i);
	return code;
}

static int delete_chain(struct xt_parse *p, struct xt_change *change, struct xt_chain *chain,
			bool named)
{
	if (chain->hook >= 0)
		return named ? xt_failed(p, EINVAL, "Invalid argument. Run `dmesg' for more "
						    "information.", chain->name) : 0;
	if (change_rule_count(chain))
		return xt_failed(p, ENOTEMPTY, "Directory not empty.", chain->name);
	if (chain->references)
		return xt_failed(p, EMLINK, "Too many links.", chain->name);
	change_delete(change, chain);
	return 0;
}

static int all_chains(struct xt_parse *p, struct xt_change *change, char verb)
{
	uint32_t count;
	struct xt_chain **all = table_sorted(p->table, &count);
	int code = 0;
	for (uint32_t i = 0; i < count && !code; i++) {
		if (verb == 'F')
			change_flush(change, all[i]);
		else if (verb == 'X')
			code = delete_chain(p, change, all[i], false);
		else
			change_zero(change, all[i]);
	}
	free(all);
	return code;
}

static int chain_verb(struct xt_parse *p, struct xt_change *change, const struct apply_command *c)
{
	struct xt_chain *chain = c->chain ? table_chain(p->table, c->chain) : NULL;
	if (c->rule_from < p->count)
		return xt_complain(p, "Illegal option `%s' with this command",
				   p->tokens[c->rule_from].text);
	p->at = XT_NOWHERE;
	if (!c->chain)
		return all_chains(p, change, c->verb);
	int code = c->verb == 'N' ? apply_check_new_name(p, c->chain) :
		   c->verb == 'E' ? apply_check_new_name(p, c->value) : 0;
	if (code)
		return code;
	if (c->verb == 'N') {
		if (chain)
			return xt_failed(p, EEXIST, "Chain already exists.", c->chain);
		change_create(change, c->chain);
		return 0;
	}
	if (!chain && c->verb == 'P')
		return xt_failed(p, ENOENT, "Bad built-in chain name.", c->chain);
	if (!chain)
		return xt_failed(p, ENOENT, NO_CHAIN, c->chain);
	switch (c->verb) {
	case 'X':
		return delete_chain(p, change, chain, true);
	case 'F':
		change_flush(change, chain);
		return 0;
	case 'Z':
		change_zero(change, chain);
		return 0;
	case 'P':
		return apply_policy(p, change, chain, c->value, c->packets || c->bytes, c->packets,
				    c->bytes);
	default:
		if (chain->hook >= 0)
			return xt_failed(p, EINVAL, "Invalid argument. Run `dmesg' for more "
					 "information.", c->chain);
		if (table_chain(p->table, c->value))
			return xt_failed(p, EEXIST, "File exists.", c->value);
		change_rename(change, chain, c->value);
		return 0;
	}
}

int apply_change(struct xt_parse *p, struct xt_change *change, const struct apply_command *c)
{
	return strchr("AIRD", c->verb) ? rule_verb(p, change, c) : chain_verb(p, change, c);
}

int apply_find(struct xt_parse *p, const struct apply_command *c, bool *found)
{
	struct xt_chain *chain = table_chain(p->table, c->chain);
	*found = false;
	p->at = XT_NOWHERE;
	if (!chain)
		return xt_failed(p, ENOENT, NO_RULE, c->chain);
	int code = parse_rule(p, c->rule_from, chain);
	if (code)
		return code;
	*found = true;
	for (uint32_t i = 0; i < parse_rule_count(p) && *found; i++) {
		struct xt_rule rule = parse_make_rule(p, i);
		*found = false;
		for (uint32_t k = 0; k < chain->count && !*found; k++)
			*found = same_rule(&chain->rules[k], &rule);
		discard(p, &rule);
	}
	return 0;
}
