/* cli/shell/parse.c: tokens to trees (POSIX shell, section 2.10). */
#include <ctype.h>
#include <string.h>

#include "cli/shell/lex.h"

static struct node *list(struct parser *p, const char *const *stops);

static struct node *node_new(struct parser *p, enum node_kind kind)
{
	struct node *n = arena_alloc(p->arena, sizeof *n);
	n->kind = kind;
	return n;
}

static bool at_word(struct parser *p, const char *word)
{
	const struct token *t = lex_peek(p);
	return t->kind == TOKEN_WORD && strcmp(t->text, word) == 0;
}

static bool at_operator(struct parser *p, const char *op)
{
	const struct token *t = lex_peek(p);
	return t->kind == TOKEN_OPERATOR && strcmp(t->text, op) == 0;
}

static void *unexpected(struct parser *p)
{
	const struct token *t = lex_peek(p);
	if (t->kind == TOKEN_END)
		return lex_more(p);
	return lex_bad(p, "syntax error near unexpected token `%s'", t->text);
}

static void skip_newlines(struct parser *p)
{
	while (p->result == PARSE_OK && lex_peek(p)->kind == TOKEN_NEWLINE)
		lex_take(p);
}

static bool expect_word(struct parser *p, const char *word)
{
	if (p->result == PARSE_OK && at_word(p, word)) {
		lex_take(p);
		return true;
	}
	unexpected(p);
	return false;
}

/* ---- redirections ------------------------------------------------------------------------ */

/* The end word of a here-document without its quotes. */
static const char *unquoted(struct parser *p, const char *word, bool *quoted)
{
	char *out = arena_strdup(p->arena, word), *to = out;
	for (const char *at = word; *at; at++) {
		if (*at == '\'' || *at == '"' || *at == '\\')
			*quoted = true;
		else
			*to++ = *at;
	}
	*to = '\0';
	return out;
}

static bool here_document(struct parser *p, struct redirect *r, const char *end, bool tabs)
{
	if (p->here_count == HERE_MAX) {
		lex_bad(p, "more than %d here-documents on a line", HERE_MAX);
		return false;
	}
	r->kind = 'h';
	p->here[p->here_count] = r;
	p->here_tabs[p->here_count] = tabs;
	p->here_end[p->here_count++] = unquoted(p, end, &r->quoted);
	r->word = "";
	return true;
}

/* "2>" has its number glued to the operator. */
static int descriptor(struct parser *p)
{
	const struct token *t = lex_peek(p);
	if (t->kind == TOKEN_WORD && strlen(t->text) == 1 && isdigit((unsigned char)t->text[0]) &&
	    (*p->at == '<' || *p->at == '>') && t->text[0] <= '2')
		return t->text[0] - '0';
	return -1;
}

static bool redirect_next(struct parser *p)
{
	static const char *const operators[] = { "<", ">", ">>", "<<", "<<-", "<<<", ">&", "<&", "&>",
						 "&>>", ">|" };
	const struct token *t = lex_peek(p);
	if (p->result != PARSE_OK)
		return false;
	if (descriptor(p) >= 0)
		return true;
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (t->kind == TOKEN_OPERATOR && strcmp(t->text, operators[i]) == 0)
			return true;
	return false;
}

static void redirection(struct parser *p, struct node *n)
{
	struct redirect *r = arena_alloc(p->arena, sizeof *r), **last = &n->redirects;
	int fd = descriptor(p);
	if (fd >= 0)
		lex_take(p);
	const char *op = lex_peek(p)->text;
	lex_take(p);
	const struct token *t = lex_peek(p);
	if (t->kind != TOKEN_WORD) {
		unexpected(p);
		return;
	}
	r->fd = fd >= 0 ? fd : op[0] == '<' ? 0 : 1;
	r->both = op[0] == '&';
	r->word = t->text;
	r->kind = strstr(op, ">>") ? 'a' : strcmp(op, "<<<") == 0 ? 's'
		  : op[0] != '&' && strchr(op, '&')		  ? '&' : op[0] == '<' ? '<' : '>';
	if (strcmp(op, ">&") == 0 && !isdigit((unsigned char)*t->text) && *t->text != '-') {
		r->kind = '>';
		r->both = true;
	}
	if (strcmp(op, "<<") == 0 || strcmp(op, "<<-") == 0)
		here_document(p, r, t->text, op[2] == '-');
	lex_take(p);
	while (*last)
		last = &(*last)->next;
	*last = r;
}

/* ---- commands ------------------------------------------------------------------------------- */

static void add_word(struct parser *p, struct node *n, const char *word)
{
	if ((n->word_count & (n->word_count - 1)) == 0) {
		const char **grown = arena_array(p->arena, n->word_count ? n->word_count * 2 : 1,
						 sizeof *grown);
		if (n->word_count)
			memcpy(grown, n->words, n->word_count * sizeof *grown);
		n->words = grown;
	}
	n->words[n->word_count++] = word;
}

static bool is_name(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_')
		return false;
	while (isalnum((unsigned char)*text) || *text == '_' || *text == '-')
		text++;
	return !*text;
}

static struct node *body_until(struct parser *p, const char *end)
{
	const char *stops[] = { end, NULL };
	struct node *body = list(p, stops);
	if (!body)
		return p->result == PARSE_OK ? unexpected(p) : NULL;
	return expect_word(p, end) ? body : NULL;
}

/* NAME() { ...; } : the text of the body is kept, its tree goes with the line's arena. */
static struct node *function(struct parser *p, const char *name)
{
	struct node *n = node_new(p, NODE_FUNCTION);
	n->name = name;
	skip_newlines(p);
	if (!at_word(p, "{"))
		return unexpected(p);
	const char *start = p->at;
	lex_take(p);
	if (!body_until(p, "}"))
		return NULL;
	n->words = arena_alloc(p->arena, sizeof *n->words);
	/* p->at stands behind the closing brace. */
	n->words[n->word_count++] = arena_strndup(p->arena, start, (size_t)(p->at - start) - 1);
	return n;
}

static struct node *simple(struct parser *p)
{
	struct node *n = node_new(p, NODE_SIMPLE);
	while (p->result == PARSE_OK) {
		const struct token *t = lex_peek(p);
		if (redirect_next(p)) {
			redirection(p, n);
		} else if (t->kind == TOKEN_WORD) {
			add_word(p, n, t->text);
			lex_take(p);
		} else if (n->word_count == 1 && at_operator(p, "(") && is_name(n->words[0])) {
			lex_take(p);
			if (!at_operator(p, ")"))
				return unexpected(p);
			lex_take(p);
			return function(p, n->words[0]);
		} else {
			break;
		}
	}
	return n->word_count || n->redirects ? n : unexpected(p);
}

static struct node *for_loop(struct parser *p)
{
	struct node *n = node_new(p, NODE_FOR);
	lex_take(p);
	const struct token *t = lex_peek(p);
	if (t->kind != TOKEN_WORD || !is_name(t->text))
		return t->kind == TOKEN_WORD ? lex_bad(p, "`%s': not a valid identifier", t->text)
					     : unexpected(p);
	n->name = t->text;
	lex_take(p);
	skip_newlines(p);
	if (at_word(p, "in")) {
		n->has_in = true;
		lex_take(p);
		while (p->result == PARSE_OK && lex_peek(p)->kind == TOKEN_WORD) {
			add_word(p, n, lex_peek(p)->text);
			lex_take(p);
		}
	}
	if (at_operator(p, ";"))
		lex_take(p);
	skip_newlines(p);
	if (!expect_word(p, "do"))
		return NULL;
	n->body = body_until(p, "done");
	return n->body ? n : NULL;
}

static struct node *while_loop(struct parser *p, enum node_kind kind)
{
	struct node *n = node_new(p, kind);
	lex_take(p);
	n->condition = body_until(p, "do");
	if (!n->condition)
		return NULL;
	n->body = body_until(p, "done");
	return n->body ? n : NULL;
}

static struct node *if_command(struct parser *p)
{
	static const char *const stops[] = { "elif", "else", "fi", NULL };
	struct node *n = node_new(p, NODE_IF);
	lex_take(p);
	n->condition = body_until(p, "then");
	if (!n->condition)
		return NULL;
	n->body = list(p, stops);
	if (!n->body)
		return p->result == PARSE_OK ? unexpected(p) : NULL;
	if (at_word(p, "elif")) {
		n->other = if_command(p);
		return n->other ? n : NULL;
	}
	if (at_word(p, "else")) {
		lex_take(p);
		n->other = body_until(p, "fi");
		return n->other ? n : NULL;
	}
	return expect_word(p, "fi") ? n : NULL;
}

static struct node *case_item(struct parser *p)
{
	static const char *const stops[] = { "esac", NULL };
	struct node *item = node_new(p, NODE_GROUP);
	if (at_operator(p, "("))
		lex_take(p);
	while (p->result == PARSE_OK && lex_peek(p)->kind == TOKEN_WORD) {
		add_word(p, item, lex_peek(p)->text);
		lex_take(p);
		if (!at_operator(p, "|"))
			break;
		lex_take(p);
	}
	if (!at_operator(p, ")"))
		return unexpected(p);
	lex_take(p);
	skip_newlines(p);
	if (!at_operator(p, ";;"))
		item->body = list(p, stops);
	if (at_operator(p, ";;"))
		lex_take(p);
	skip_newlines(p);
	return p->result == PARSE_OK ? item : NULL;
}

static struct node *case_command(struct parser *p)
{
	struct node *n = node_new(p, NODE_CASE), **last = &n->children;
	lex_take(p);
	if (lex_peek(p)->kind != TOKEN_WORD)
		return unexpected(p);
	n->name = lex_peek(p)->text;
	lex_take(p);
	skip_newlines(p);
	if (!expect_word(p, "in"))
		return NULL;
	skip_newlines(p);
	while (p->result == PARSE_OK && !at_word(p, "esac")) {
		struct node *item = case_item(p);
		if (!item)
			return NULL;
		*last = item;
		last = &item->next;
	}
	return expect_word(p, "esac") ? n : NULL;
}

static struct node *subshell(struct parser *p)
{
	struct node *n = node_new(p, NODE_SUBSHELL);
	static const char *const stops[] = { NULL };
	lex_take(p);
	n->body = list(p, stops);
	if (!n->body)
		return p->result == PARSE_OK ? unexpected(p) : NULL;
	if (!at_operator(p, ")"))
		return unexpected(p);
	lex_take(p);
	return n;
}

static struct node *group(struct parser *p)
{
	struct node *n = node_new(p, NODE_GROUP);
	lex_take(p);
	n->body = body_until(p, "}");
	return n->body ? n : NULL;
}

/* A word that ends or continues a construct cannot begin a command. */
static bool misplaced(struct parser *p)
{
	static const char *const words[] = { "then", "elif", "else", "fi", "do", "done", "esac", "}" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (at_word(p, words[i]))
			return true;
	return false;
}

static struct node *command(struct parser *p)
{
	struct node *n;
	if (misplaced(p))
		return unexpected(p);
	if (++p->depth > DEPTH_MAX)
		return lex_bad(p, "commands are nested more than %d deep", DEPTH_MAX);
	if (at_word(p, "for"))
		n = for_loop(p);
	else if (at_word(p, "while"))
		n = while_loop(p, NODE_WHILE);
	else if (at_word(p, "until"))
		n = while_loop(p, NODE_UNTIL);
	else if (at_word(p, "if"))
		n = if_command(p);
	else if (at_word(p, "case"))
		n = case_command(p);
	else if (at_word(p, "{"))
		n = group(p);
	else if (at_operator(p, "("))
		n = subshell(p);
	else
		n = simple(p);
	while (n && n->kind != NODE_SIMPLE && redirect_next(p))
		redirection(p, n);
	p->depth--;
	return p->result == PARSE_OK ? n : NULL;
}

static struct node *pipeline(struct parser *p)
{
	struct node *n = node_new(p, NODE_PIPE), **last = &n->children;
	while (at_word(p, "!")) {
		n->negated = !n->negated;
		lex_take(p);
	}
	for (;;) {
		struct node *c = command(p);
		if (!c)
			return NULL;
		*last = c;
		last = &c->next;
		if (!at_operator(p, "|"))
			break;
		lex_take(p);
		skip_newlines(p);
	}
	if (n->children->next || n->negated)
		return n;
	return n->children;
}

/* ---- lists ------------------------------------------------------------------------------------- */

static bool at_stop(struct parser *p, const char *const *stops)
{
	for (; *stops; stops++)
		if (at_word(p, *stops))
			return true;
	return lex_peek(p)->kind == TOKEN_END || at_operator(p, ")") || at_operator(p, ";;");
}

/* Behind a command: ; & && || or an end. `line`: a newline ends the list. False: the end. */
static bool joint(struct parser *p, struct node *n, bool line, enum list_op *op)
{
	*op = OP_THEN;
	if (at_operator(p, "&&") || at_operator(p, "||")) {
		*op = at_operator(p, "&&") ? OP_AND : OP_OR;
		lex_take(p);
		skip_newlines(p);
		if (lex_peek(p)->kind == TOKEN_END)
			lex_more(p);
		return true;
	}
	if (at_operator(p, ";") || at_operator(p, "&")) {
		n->background = at_operator(p, "&");
		lex_take(p);
		if (!line)
			skip_newlines(p);
		return true;
	}
	if (lex_peek(p)->kind != TOKEN_NEWLINE)
		return false;
	if (line)
		return false;
	skip_newlines(p);
	return true;
}

static struct node *list_of(struct parser *p, const char *const *stops, bool line)
{
	struct node *all = node_new(p, NODE_LIST), **last = &all->children;
	enum list_op op = OP_THEN;
	if (!line)
		skip_newlines(p);
	while (p->result == PARSE_OK && !at_stop(p, stops) &&
	       !(line && lex_peek(p)->kind == TOKEN_NEWLINE)) {
		struct node *n = pipeline(p);
		if (!n)
			return NULL;
		n->op = op;
		*last = n;
		last = &n->next;
		if (!joint(p, n, line, &op))
			break;
	}
	return all->children && p->result == PARSE_OK ? all : NULL;
}

static struct node *list(struct parser *p, const char *const *stops)
{
	return list_of(p, stops, false);
}

enum parse_result shell_parse(struct arena *a, const char *text, bool whole, struct node **out,
			      const char **next, struct err *err)
{
	static const char *const stops[] = { NULL };
	struct parser p = { .arena = a, .at = text, .whole = whole, .err = err };
	*out = list_of(&p, stops, true);
	const struct token *t = p.result == PARSE_OK ? lex_peek(&p) : NULL;
	if (t && t->kind != TOKEN_NEWLINE && t->kind != TOKEN_END)
		unexpected(&p);
	/* A document may still be missing when the text ends without a newline. */
	if (p.result == PARSE_OK && p.here_count)
		lex_more(&p);
	*next = p.at;
	return p.result;
}

/* At the end of the text bash names the line after the last. */
uint32_t shell_error_line(const char *text, const char *at)
{
	uint32_t line = 1;
	const char *end = *at ? at - 1 : at;
	for (; text < end; text++)
		line += *text == '\n';
	return line;
}
