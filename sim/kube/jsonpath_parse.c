/* kube/jsonpath_parse.c: a template's text to its nodes: see jsonpath.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kube/jsonpath_internal.h"

#define DEPTH_LIMIT 64
#define TEXT_LIMIT 65536u

struct parser {
	struct jsonpath *path;
	const char *at;
	int depth;
	struct err *err;
};

struct node *jsonpath_node(struct jsonpath *p, enum node_kind kind)
{
	struct node *n = arena_alloc(p->arena, sizeof *n);
	n->kind = kind;
	n->step = 1;
	return n;
}

void jsonpath_add(struct jsonpath *p, struct node *parent, struct node *child)
{
	if (parent->count == parent->capacity) {
		uint32_t want = parent->capacity ? parent->capacity * 2 : 4;
		struct node **children = arena_array(p->arena, want, sizeof(struct node *));
		if (parent->count)
			memcpy(children, parent->children, parent->count * sizeof(struct node *));
		parent->children = children;
		parent->capacity = want;
	}
	parent->children[parent->count++] = child;
}

static int fail(struct parser *p, const char *what)
{
	return err_set(p->err, EINVAL, "error parsing jsonpath %s, %s", p->path->text, what);
}

static int parse_steps(struct parser *p, struct node *path, const char *stop);

static struct node *text_node(struct parser *p, const char *from, size_t length)
{
	struct node *n = jsonpath_node(p->path, NODE_TEXT);
	n->text = arena_strndup(p->path->arena, from, length);
	return n;
}

/* Characters that end a field's name. */
static bool ends_field(char c)
{
	return !c || strchr(" .,[]$@{}=!<>()|\t\n\r", c);
}

/* ---- quoted strings ------------------------------------------------------------------ */

static int parse_quoted(struct parser *p, const char **out)
{
	char quote = *p->at++;
	struct strbuf text = { 0 };
	while (*p->at && *p->at != quote) {
		char c = *p->at++;
		if (c == '\\' && *p->at) {
			c = *p->at++;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
		}
		strbuf_putc(&text, c);
	}
	*out = arena_strndup(p->path->arena, strbuf_text(&text), text.length);
	strbuf_free(&text);
	if (!*p->at)
		return fail(p, "unterminated quoted string");
	p->at++;
	return 0;
}

/* ---- [...] ------------------------------------------------------------------------------ */

static void skip_blanks(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

static bool parse_number(struct parser *p, int64_t *out)
{
	char *end;
	errno = 0;
	if (!(*p->at == '-' || *p->at == '+' || (*p->at >= '0' && *p->at <= '9')))
		return false;
	*out = strtoll(p->at, &end, 10);
	if (end == p->at || errno)
		return false;
	p->at = end;
	return true;
}

/* [3], [1:3], [::2], [-1:] */
static int parse_slice(struct parser *p, struct node *n)
{
	n->has_from = parse_number(p, &n->from);
	skip_blanks(p);
	if (*p->at != ':') {
		n->has_to = n->has_from;
		n->to = n->from + 1;
		n->step = 0; /* one index, not a range: out of bounds is an error */
		return n->has_from ? 0 : fail(p, "invalid array index");
	}
	p->at++;
	n->has_to = parse_number(p, &n->to);
	skip_blanks(p);
	if (*p->at == ':') {
		p->at++;
		if (!parse_number(p, &n->step))
			n->step = 1;
		if (n->step <= 0)
			return fail(p, "step must be > 0");
	}
	return 0;
}

static int parse_operand(struct parser *p, struct node **out)
{
	skip_blanks(p);
	if (*p->at == '"' || *p->at == '\'') {
		*out = jsonpath_node(p->path, NODE_TEXT);
		return parse_quoted(p, &(*out)->text);
	}
	if (*p->at == '@' || *p->at == '$' || *p->at == '.' || *p->at == '[') {
		*out = jsonpath_node(p->path, NODE_PATH);
		return parse_steps(p, *out, "=!<>)|& ");
	}
	if (strncmp(p->at, "true", 4) == 0 || strncmp(p->at, "false", 5) == 0) {
		*out = jsonpath_node(p->path, NODE_BOOL);
		(*out)->truth = *p->at == 't';
		p->at += *p->at == 't' ? 4 : 5;
		return 0;
	}
	char *end;
	double number = strtod(p->at, &end);
	if (end == p->at)
		return fail(p, "unrecognized character in filter");
	*out = jsonpath_node(p->path, NODE_NUMBER);
	(*out)->number = number;
	p->at = end;
	return 0;
}

/* ?(left op right) or ?(left) */
static int parse_filter(struct parser *p, struct node **out)
{
	static const char *const operators[] = { "==", "!=", "<=", ">=", "<", ">" };
	struct node *n = jsonpath_node(p->path, NODE_FILTER);
	*out = n;
	p->at += 2;
	if (++p->depth > DEPTH_LIMIT)
		return fail(p, "nested too deeply");
	int code = parse_operand(p, &n->left);
	if (code)
		return code;
	skip_blanks(p);
	n->text = "exists";
	for (int i = 0; i < 6; i++) {
		size_t length = strlen(operators[i]);
		if (strncmp(p->at, operators[i], length) != 0)
			continue;
		n->text = operators[i];
		p->at += length;
		code = parse_operand(p, &n->right);
		if (code)
			return code;
		break;
	}
	skip_blanks(p);
	if (*p->at != ')')
		return fail(p, "unterminated filter");
	p->at++;
	p->depth--;
	return 0;
}

/* ['a.b'] is the path .a.b; a dot of a name is written "\.". */
static int parse_quoted_path(struct parser *p, struct node **out)
{
	char quote = *p->at++;
	const char *end = strchr(p->at, quote);
	if (!end)
		return fail(p, "unterminated quoted string");
	*out = jsonpath_node(p->path, NODE_PATH);
	struct parser inner = *p;
	inner.at = arena_printf(p->path->arena, ".%.*s", (int)(end - p->at), p->at);
	p->at = end + 1;
	return parse_steps(&inner, *out, "");
}

/* One part between the commas of [...]. */
static int parse_part(struct parser *p, struct node **out)
{
	skip_blanks(p);
	if (*p->at == '\'' || *p->at == '"')
		return parse_quoted_path(p, out);
	if (*p->at == '*') {
		p->at++;
		*out = jsonpath_node(p->path, NODE_WILDCARD);
		return 0;
	}
	if (p->at[0] == '?' && p->at[1] == '(')
		return parse_filter(p, out);
	if (*p->at == '-' || *p->at == '+' || *p->at == ':' || (*p->at >= '0' && *p->at <= '9')) {
		*out = jsonpath_node(p->path, NODE_SLICE);
		return parse_slice(p, *out);
	}
	const char *start = p->at;
	while (!ends_field(*p->at))
		p->at++;
	if (p->at == start)
		return fail(p, "invalid array index");
	*out = jsonpath_node(p->path, NODE_FIELD);
	(*out)->text = arena_strndup(p->path->arena, start, (size_t)(p->at - start));
	return 0;
}

static int parse_brackets(struct parser *p, struct node *path)
{
	struct node *first = NULL, *all = NULL;
	p->at++;
	for (;;) {
		struct node *part = NULL;
		int code = parse_part(p, &part);
		if (code)
			return code;
		skip_blanks(p);
		if (!first) {
			first = part;
		} else {
			if (!all) {
				all = jsonpath_node(p->path, NODE_UNION);
				jsonpath_add(p->path, all, first);
			}
			jsonpath_add(p->path, all, part);
		}
		if (*p->at == ']')
			break;
		if (*p->at != ',')
			return fail(p, *p->at ? "invalid array index" : "unterminated array");
		p->at++;
	}
	p->at++;
	jsonpath_add(p->path, path, all ? all : first);
	return 0;
}

/* ---- steps of a path ----------------------------------------------------------------------- */

/* A name up to the next special character; "\." keeps the dot. */
static int parse_field(struct parser *p, struct node *path)
{
	struct strbuf name = { 0 };
	while (!ends_field(*p->at)) {
		if (*p->at == '\\' && p->at[1])
			p->at++;
		strbuf_putc(&name, *p->at++);
	}
	struct node *n = jsonpath_node(p->path, NODE_FIELD);
	n->text = arena_strndup(p->path->arena, strbuf_text(&name), name.length);
	strbuf_free(&name);
	if (strcmp(n->text, "*") == 0)
		n->kind = NODE_WILDCARD;
	jsonpath_add(p->path, path, n);
	return 0;
}

static int parse_steps(struct parser *p, struct node *path, const char *stop)
{
	if (*p->at == '$')
		path->dollar = true;
	if (*p->at == '$' || *p->at == '@')
		p->at++;
	while (*p->at && !strchr(stop, *p->at)) {
		int code = 0;
		if (p->at[0] == '.' && p->at[1] == '.') {
			p->at += 2;
			jsonpath_add(p->path, path, jsonpath_node(p->path, NODE_RECURSIVE));
			if (!ends_field(*p->at))
				code = parse_field(p, path);
		} else if (*p->at == '[') {
			code = parse_brackets(p, path);
		} else if (*p->at == '.') {
			p->at++;
			if (!ends_field(*p->at))
				code = parse_field(p, path);
		} else if (!ends_field(*p->at)) {
			code = parse_field(p, path);
		} else {
			return fail(p, "unrecognized character in action");
		}
		if (code)
			return code;
	}
	return 0;
}

/* ---- actions and texts ------------------------------------------------------------------------
 */

static bool keyword(struct parser *p, const char *word)
{
	size_t n = strlen(word);
	if (strncmp(p->at, word, n) != 0 || !(p->at[n] == ' ' || p->at[n] == '}'))
		return false;
	p->at += n;
	return true;
}

static int close_action(struct parser *p)
{
	skip_blanks(p);
	if (*p->at != '}')
		return fail(p, *p->at ? "unrecognized character in action" : "unclosed action");
	p->at++;
	return 0;
}

static int parse_body(struct parser *p, struct node *into, bool in_range);

static int parse_range(struct parser *p, struct node *into)
{
	struct node *range = jsonpath_node(p->path, NODE_RANGE);
	struct node *path = jsonpath_node(p->path, NODE_PATH);
	skip_blanks(p);
	int code = parse_steps(p, path, "} ");
	if (!code)
		code = close_action(p);
	if (code)
		return code;
	jsonpath_add(p->path, range, path);
	jsonpath_add(p->path, into, range);
	if (++p->depth > DEPTH_LIMIT)
		return fail(p, "nested too deeply");
	code = parse_body(p, range, true);
	p->depth--;
	return code;
}

/* {...}; *ended: it was {end}. */
static int parse_action(struct parser *p, struct node *into, bool in_range, bool *ended)
{
	int code = 0;
	p->at++;
	skip_blanks(p);
	if (keyword(p, "range"))
		return parse_range(p, into);
	if (keyword(p, "end")) {
		*ended = true;
		return in_range ? close_action(p) : fail(p, "not in range, nothing to end");
	}
	/* Blanks within an action separate nothing: what follows is looked for in what was
	 * found before. */
	struct node *path = NULL;
	while (*p->at && *p->at != '}' && !code) {
		if (*p->at == '"' || *p->at == '\'') {
			struct node *n = jsonpath_node(p->path, NODE_TEXT);
			code = parse_quoted(p, &n->text);
			jsonpath_add(p->path, into, n);
			path = NULL;
		} else {
			const char *before = p->at;
			if (!path) {
				path = jsonpath_node(p->path, NODE_PATH);
				jsonpath_add(p->path, into, path);
			}
			code = parse_steps(p, path, "} \"'");
			if (!code && p->at == before)
				code = fail(p, "unrecognized character in action");
		}
		skip_blanks(p);
	}
	return code ? code : close_action(p);
}

static int parse_body(struct parser *p, struct node *into, bool in_range)
{
	while (*p->at) {
		const char *brace = strchr(p->at, '{');
		size_t length = brace ? (size_t)(brace - p->at) : strlen(p->at);
		bool ended = false;
		if (length)
			jsonpath_add(p->path, into, text_node(p, p->at, length));
		p->at += length;
		if (!*p->at)
			break;
		int code = parse_action(p, into, in_range, &ended);
		if (code || ended)
			return code;
	}
	return in_range ? fail(p, "unclosed range action") : 0;
}

int jsonpath_parse(const char *text, struct jsonpath **out, struct err *err)
{
	struct jsonpath *path = mem_alloc(sizeof *path);
	path->arena = arena_new();
	path->text = arena_strndup(path->arena, text, strnlen(text, 400));
	path->root = jsonpath_node(path, NODE_PATH);
	struct parser p = { .path = path, .at = text, .err = err };
	int code =
	    strlen(text) > TEXT_LIMIT ? fail(&p, "too long") : parse_body(&p, path->root, false);
	if (code) {
		jsonpath_free(path);
		path = NULL;
	}
	*out = path;
	return code;
}

void jsonpath_free(struct jsonpath *p)
{
	if (!p)
		return;
	arena_free(p->arena);
	free(p);
}
