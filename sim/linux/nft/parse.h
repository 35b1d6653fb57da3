/* linux/nft/parse.h: what the reader's files share.
 *
 * lex.c makes tokens; parse.c reads commands, parse_table.c blocks, parse_set.c sets and
 * elements, parse_rule.c rules, parse_stmt.c and parse_action.c statements, parse_expr.c
 * expressions. Commands take effect at once through the undo log.
 */
#ifndef LINUX_NFT_PARSE_H
#define LINUX_NFT_PARSE_H

#include <string.h>

#include "linux/nft/internal.h"

/* ---- reading (lex.c, parse*.c) ----------------------------------------------------------------
 */

enum nft_token_kind { /* single characters stand for themselves */
		      TK_END = 256,
		      TK_WORD,
		      TK_NUMBER,
		      TK_ADDRESS,
		      TK_STRING,
		      TK_EQ,
		      TK_NE,
		      TK_LE,
		      TK_GE,
		      TK_LSHIFT,
		      TK_RSHIFT,
		      TK_BAD
};

struct nft_token {
	const char *text; /* of a STRING: between the quotes */
	uint32_t length;
	uint16_t kind;
	uint32_t line;
	const char *line_start;
};

struct nft_lexer {
	const char *at, *end, *line_start;
	uint32_t line;
};

void nft_lex_open(struct nft_lexer *l, const char *text, size_t length);
void nft_lex(struct nft_lexer *l, struct nft_token *t);
unsigned nft_token_column(const struct nft_token *t);

struct nft_parser {
	struct nft_lexer lexer;
	struct nft_token token;
	struct nft_ruleset *r;
	struct nft_change *change;
	struct err *err;
	const char *file;      /* for messages */
	bool from_file;
	uint16_t file_index;
	struct nft_table *table; /* of the command being read */
	uint8_t *code;         /* scratch of the rule being read, behind a struct nft_rule */
	uint32_t size, capacity;
	struct nft_set **sets; /* anonymous sets made for it */
	uint32_t set_count, set_capacity;
	bool unknown, stateful, tracks;
	uint8_t proto;         /* transport protocol that the rule demands, 255: some */
	uint8_t nfproto;       /* 0, NET_V4, NET_V6 */
	unsigned nesting;
};

/* Functions return 0, an errno with the error set, or NFT_NOT_KNOWN. */
#define NFT_NOT_KNOWN (-1) /* a construct of nft that is kept as text; no error is set */

int nft_expected(struct nft_parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int nft_fail_at(struct nft_parser *p, const struct nft_token *t, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void nft_advance(struct nft_parser *p);
static inline bool nft_is(const struct nft_parser *p, int kind)
{
	return p->token.kind == kind;
}

static inline bool nft_token_is(const struct nft_token *t, const char *word)
{
	return t->kind == TK_WORD && *t->text == *word &&
	       strncmp(t->text, word, t->length) == 0 && !word[t->length];
}

static inline bool nft_is_word(const struct nft_parser *p, const char *word)
{
	return nft_token_is(&p->token, word);
}

/* Takes the token when it is this one. */
bool nft_accept(struct nft_parser *p, int kind);
bool nft_accept_word(struct nft_parser *p, const char *word);
int nft_need(struct nft_parser *p, int kind, const char *what);
void nft_skip_lines(struct nft_parser *p);
bool nft_at_end(const struct nft_parser *p); /* of a statement: newline, ';', '}', end */
int nft_need_number(struct nft_parser *p, uint64_t max, uint64_t *out);
int nft_need_name(struct nft_parser *p, char out[NFT_NAME], const char *what);
/* Whether the token can be a comment. */
int nft_check_comment(struct nft_parser *p);
int nft_need_comment(struct nft_parser *p, char **out);
int nft_need_time(struct nft_parser *p, uint64_t *ms);

/* --- parse_rule.c: the scratch rule */
void nft_build_start(struct nft_parser *p);
uint32_t nft_build_node(struct nft_parser *p, enum nft_kind kind);
uint32_t nft_build_text(struct nft_parser *p, const char *text, size_t length);
uint32_t nft_build_value(struct nft_parser *p, enum nft_type type, unsigned bytes,
			 const uint8_t *value);
struct nft_node *nft_built(const struct nft_parser *p, uint32_t offset);
struct nft_set *nft_build_set(struct nft_parser *p);
/* The rule as a block of its own. */
struct nft_rule *nft_build_finish(struct nft_parser *p);
/* Throws it away. */
void nft_build_drop(struct nft_parser *p);
/* Reads a rule up to its end. */
int nft_parse_rule(struct nft_parser *p, struct nft_rule **out);
/* Text from here to the end of the statement, kept as it is. */
int nft_build_unknown(struct nft_parser *p, const struct nft_token *from, uint32_t *out);

/* --- parse_expr.c */
/* Whether an expression that reads a packet begins here. */
bool nft_is_primary(const struct nft_parser *p);
/* One expression with its concatenations and operators. */
int nft_parse_expr(struct nft_parser *p, uint32_t *out);
/* An expression, perhaps with `map`, or a constant of this type. */
int nft_parse_operand(struct nft_parser *p, enum nft_type type, unsigned bytes, uint32_t *out);
/* One constant; *is_range, *high for ranges and prefixes. */
struct nft_range {
	uint8_t low[NFT_VALUE], high[NFT_VALUE];
	bool is_range; /* written as range, prefix or wildcard */
	int prefix;    /* bits, when written or meant as a prefix; else -1 */
};
int nft_parse_range(struct nft_parser *p, enum nft_type type, unsigned bytes,
		    struct nft_range *out);
int nft_parse_constant(struct nft_parser *p, enum nft_type type, unsigned bytes,
		       uint8_t out[NFT_VALUE]);
void nft_expr_layout(const struct nft_parser *p, uint32_t expr, struct nft_layout *out);

/* --- parse_match.c */
uint32_t nft_build_range(struct nft_parser *p, enum nft_type type, unsigned bytes,
			 const struct nft_range *r);
uint32_t nft_build_mask(struct nft_parser *p, uint32_t left, const uint8_t *mask);
int nft_parse_set_ref(struct nft_parser *p, const struct nft_layout *key,
		      const struct nft_layout *data, struct nft_set **out);
/* What follows after a match's left side. */
int nft_parse_relation(struct nft_parser *p, uint32_t left, uint32_t *out);
/* Notes what reading this expression demands of the packet. */
void nft_remember(struct nft_parser *p, uint32_t left);

/* --- parse_stmt.c, parse_action.c, parse_nat.c */
int nft_parse_statement(struct nft_parser *p, uint32_t *out);
int nft_parse_verdict(struct nft_parser *p, uint8_t *code, struct nft_chain **chain);
bool nft_is_verdict(const struct nft_parser *p);
int nft_parse_nat(struct nft_parser *p, uint32_t *out);
int nft_parse_reject(struct nft_parser *p, uint32_t *out);
int nft_parse_log(struct nft_parser *p, uint32_t *out);
int nft_parse_limit(struct nft_parser *p, uint32_t *out);
int nft_parse_quota(struct nft_parser *p, uint32_t *out);
int nft_parse_counter(struct nft_parser *p, uint32_t *out);
int nft_parse_dynset(struct nft_parser *p, uint32_t *out);
/* "map ..." behind an expression, when it stands there. */
int nft_parse_map(struct nft_parser *p, const struct nft_layout *data, uint32_t *expr);

/* --- parse_set.c */
/* "{ ... }" of an anonymous set or map whose keys are laid out as `key`; data NULL: a set. */
int nft_parse_anonymous(struct nft_parser *p, const struct nft_layout *key,
			const struct nft_layout *data, struct nft_set **out);
/* "{ ... }" of a named set: adds or deletes. */
enum nft_element_action { NE_ADD, NE_CREATE, NE_DELETE, NE_DESTROY };
int nft_parse_elements(struct nft_parser *p, struct nft_set *s, enum nft_element_action action);
int nft_parse_set_block(struct nft_parser *p, bool map, const char *name, bool create);

/* --- parse_table.c: blocks; parse.c: commands */
int nft_parse_table_block(struct nft_parser *p, bool create);
enum nft_chain_part { NFT_CHAIN_ALL, NFT_CHAIN_HEAD, NFT_CHAIN_RULES };
int nft_parse_chain_block(struct nft_parser *p, const char *name, enum nft_chain_part part,
			  bool create);
int nft_parse_object(struct nft_parser *p, const char *kind, bool create);
struct nft_chain *nft_chain_new(struct nft_table *t, const char *name);
int nft_parse_script(struct nft_parser *p);
/* Raw text of a "{ ... }" block, without the braces. */
int nft_raw_block(struct nft_parser *p, char **out);
/* From inside a block to behind its "}", without reading it. */
int nft_skip_block(struct nft_parser *p);

#endif
