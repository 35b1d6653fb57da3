/* cli/shell/lex.c: text to words and operators (POSIX shell, section 2.3). */
#include "cli/shell/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void *lex_bad(struct parser *p, const char *fmt, ...)
{
	va_list ap;
	if (p->result != PARSE_OK)
		return NULL;
	p->result = PARSE_BAD;
	va_start(ap, fmt);
	vsnprintf(p->err->text, sizeof p->err->text, fmt, ap);
	va_end(ap);
	return NULL;
}

void *lex_more(struct parser *p)
{
	if (p->result == PARSE_OK && !p->whole)
		p->result = PARSE_MORE;
	else
		lex_bad(p, "syntax error: unexpected end of file");
	return NULL;
}

/* ---- quotes and brackets ---------------------------------------------------------------- */

static const char *single_quote(const char *at)
{
	const char *end = strchr(at + 1, '\'');
	return end ? end + 1 : NULL;
}

static const char *double_quote(const char *at)
{
	for (at++; *at && *at != '"';) {
		if (*at == '\\' && at[1])
			at += 2;
		else if (*at == '$' || *at == '`')
			at = lex_closing(at);
		else
			at++;
		if (!at)
			return NULL;
	}
	return *at ? at + 1 : NULL;
}

/* Behind the ')' or '}' that ends it; quotes inside are honoured. */
static const char *bracket(const char *at, char open, char close)
{
	int depth = 1;
	while (*at && depth) {
		if (*at == '\\' && at[1]) {
			at += 2;
			continue;
		}
		const char *next = *at == '\'' ? single_quote(at) : *at == '"' ? double_quote(at) : at + 1;
		if (!next)
			return NULL;
		if (*at == open)
			depth++;
		else if (*at == close)
			depth--;
		at = next;
	}
	return depth ? NULL : at;
}

const char *lex_closing(const char *at)
{
	if (*at == '`') {
		for (at++; *at && *at != '`'; at++)
			if (*at == '\\' && at[1])
				at++;
		return *at ? at + 1 : NULL;
	}
	if (at[1] == '(')
		return bracket(at + 2, '(', ')');
	if (at[1] == '{')
		return bracket(at + 2, '{', '}');
	return at + 1;
}

static bool ends_word(char c)
{
	return !c || strchr(" \t\n;&|<>()", c) != NULL;
}

const char *lex_word_end(const char *at)
{
	while (at && !ends_word(*at)) {
		if (*at == '\\')
			at += at[1] ? 2 : 1;
		else if (*at == '\'')
			at = single_quote(at);
		else if (*at == '"')
			at = double_quote(at);
		else if (*at == '$' || *at == '`')
			at = lex_closing(at);
		else
			at++;
	}
	return at;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

/* The documents of the line that has just ended. */
static void read_documents(struct parser *p)
{
	for (uint32_t i = 0; i < p->here_count; i++) {
		struct strbuf text = { 0 };
		bool found = false;
		while (*p->at && !found) {
			size_t n = strcspn(p->at, "\n");
			const char *line = p->at;
			size_t tabs = p->here_tabs[i] ? strspn(line, "\t") : 0;
			p->at += n + (p->at[n] == '\n');
			if (tabs > n)
				tabs = n;
			found = n - tabs == strlen(p->here_end[i]) &&
				memcmp(line + tabs, p->here_end[i], n - tabs) == 0;
			if (!found) {
				strbuf_add(&text, line + tabs, n - tabs);
				strbuf_putc(&text, '\n');
			}
		}
		p->here[i]->word = arena_strdup(p->arena, strbuf_text(&text));
		strbuf_free(&text);
		if (!found && !p->whole) {
			lex_more(p);
			break;
		}
	}
	p->here_count = 0;
}

static void skip_blanks(struct parser *p)
{
	for (;;) {
		p->at += strspn(p->at, " \t\r");
		if (p->at[0] == '\\' && p->at[1] == '\n') {
			p->at += 2;
			p->continued = !*p->at;
		} else if (*p->at == '#') {
			p->at += strcspn(p->at, "\n");
		} else {
			return;
		}
	}
}

static const char *operator_at(const char *at)
{
	static const char *const operators[] = { "&>>", "<<<", "<<-", "&&", "||", ";;", "<<", ">>",
						 ">&", "<&", "&>", ">|", ";", "&", "|", "<", ">",
						 "(", ")" };
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (strncmp(at, operators[i], strlen(operators[i])) == 0)
			return operators[i];
	return NULL;
}

const struct token *lex_peek(struct parser *p)
{
	if (p->has_token)
		return &p->token;
	p->has_token = true;
	skip_blanks(p);
	const char *op = operator_at(p->at);
	if (!*p->at) {
		if (p->continued && !p->whole)
			lex_more(p);
		p->token = (struct token){ TOKEN_END, "newline" };
	} else if (*p->at == '\n') {
		p->at++;
		p->token = (struct token){ TOKEN_NEWLINE, "newline" };
		read_documents(p);
	} else if (op) {
		p->at += strlen(op);
		p->token = (struct token){ TOKEN_OPERATOR, op };
	} else {
		const char *end = lex_word_end(p->at);
		if (!end) {
			lex_more(p);
			p->token = (struct token){ TOKEN_END, "newline" };
			return &p->token;
		}
		p->token = (struct token){ TOKEN_WORD,
					   arena_strndup(p->arena, p->at, (size_t)(end - p->at)) };
		p->at = end;
	}
	return &p->token;
}

void lex_take(struct parser *p)
{
	p->has_token = false;
}
