/* cli/shell/lex.h: between the lexer and the parser of the shell. */
#ifndef CLI_SHELL_LEX_H
#define CLI_SHELL_LEX_H

#include "cli/shell/shell.h"

#define HERE_MAX 16

enum token_kind { TOKEN_END, TOKEN_NEWLINE, TOKEN_OPERATOR, TOKEN_WORD };

struct token {
	enum token_kind kind;
	const char *text;        /* operator or raw word */
};

struct parser {
	struct arena *arena;
	const char *at;
	bool whole;              /* no more text will come */
	enum parse_result result;
	struct err *err;
	struct token token;      /* the current one */
	bool has_token;
	bool continued;          /* a backslash at the very end asks for another line */
	struct redirect *here[HERE_MAX];
	const char *here_end[HERE_MAX];
	bool here_tabs[HERE_MAX];
	uint32_t here_count;
	uint32_t depth;
};

/* The current token; stays until lex_take. */
const struct token *lex_peek(struct parser *p);
void lex_take(struct parser *p);
/* The first failure counts. NULL for convenience. */
void *lex_bad(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Text ends inside a construct: more is wanted, or it is an error. */
void *lex_more(struct parser *p);
/* The end of a raw word that starts at `at`; NULL: it does not end. */
const char *lex_word_end(const char *at);
/* Behind the bracket that closes what opens at `at` ("$(", "${", "$((", "`"). */
const char *lex_closing(const char *at);

#endif
