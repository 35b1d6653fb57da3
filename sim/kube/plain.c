/* kube/plain.c: see plain.h. */
#include "kube/plain.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define KEY_MOST 512       /* YAML allows 1024 for a key on one line */
#define FLOW_DEPTH 16

/* One line, or what is left of it. */
struct cursor { const char *start, *at, *end; };

bool plain_is_bare_marker(const char *line, const char *end)
{
	const char *p = line + 3;
	if (end - line < 3 || (memcmp(line, "---", 3) != 0 && memcmp(line, "...", 3) != 0))
		return false;
	while (p < end && *p == ' ')
		p++;
	return p == end || *p == '\n' || (*p == '#' && p > line + 3);
}

bool plain_is_marker(const char *line, const char *end)
{
	if (plain_is_bare_marker(line, end))
		return true;
	return end - line > 3 && memcmp(line, "---", 3) == 0 && strchr(" \t\r", line[3]);
}

static void wrong(struct plain *p)
{
	p->wrong = true;
}

static void push(struct plain *p, const struct cursor *c, enum token_kind kind, const char *text,
		 size_t length, bool is_plain, const char *place)
{
	if (p->dry)
		return;
	if (p->queue_count == p->queue_capacity) {
		uint32_t want = p->queue_capacity ? p->queue_capacity * 2 : 64;
		p->queue = mem_grow(p->queue, p->queue_capacity, want, sizeof *p->queue);
		p->queue_capacity = want;
	}
	p->queue[p->queue_count++] = (struct token){ .kind = kind,
						     .plain = is_plain,
						     .line = p->line,
						     .column = (int)(place - c->start) + 1,
						     .text = text,
						     .length = length };
}

static void push_mark(struct plain *p, const struct cursor *c, enum token_kind kind)
{
	push(p, c, kind, NULL, 0, false, c->at);
}

/* A key or an item without a value. In a list as far left as its key libfyaml refuses
 * such an item, and it shall say so. */
static void push_null(struct plain *p, const struct cursor *c)
{
	const struct plain_frame *top = &p->stack[p->depth - 1];
	if (top->list && p->depth > 1 && top[-1].indent == top->indent)
		wrong(p);
	push(p, c, TOKEN_SCALAR, "", 0, true, c->at);
	p->pending = false;
}

/* ---- scalars ------------------------------------------------------------------------------ */

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && *c->at == ' ')
		c->at++;
}

/* Nothing more on this line but blanks and a comment. */
static bool at_line_end(struct cursor *c)
{
	const char *before = c->at;
	skip_blanks(c);
	return c->at == c->end || (*c->at == '#' && (c->at > before || c->at == c->start));
}

/* A string in quotes without escapes; the cursor goes behind it. */
static bool take_quoted(struct plain *p, struct cursor *c)
{
	const char *open = c->at;
	char quote = *open;
	const char *close = memchr(open + 1, quote, (size_t)(c->end - open - 1));
	if (!close || (close + 1 < c->end && close[1] == quote) ||
	    (quote == '"' && memchr(open, '\\', (size_t)(close - open))))
		return false;
	push(p, c, TOKEN_SCALAR, open + 1, (size_t)(close - open - 1), false, open);
	c->at = close + 1;
	return true;
}

static bool begins_plain(const struct cursor *c)
{
	if (strchr("?:,[]{}#&*!|>'\"%@`=<", *c->at))
		return false;
	return *c->at != '-' || (c->at + 1 < c->end && !strchr(" ,[]{}", c->at[1]));
}

/* A plain scalar to the end of the line, or in a flow collection to its end. */
static bool take_plain(struct plain *p, struct cursor *c, bool flow)
{
	const char *start = c->at, *s = start;
	if (!begins_plain(c))
		return false;
	for (; s < c->end; s++) {
		if (*s == ':' &&
		    (s + 1 == c->end || s[1] == ' ' || (flow && strchr(",[]{}", s[1]))))
			return false;
		if (*s == '#' && s[-1] == ' ') {
			if (flow)
				return false;
			break;
		}
		if (flow && strchr(",[]{}", *s))
			break;
	}
	c->at = s;
	while (s > start && s[-1] == ' ')
		s--;
	push(p, c, TOKEN_SCALAR, start, (size_t)(s - start), true, start);
	return true;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static bool key_character(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
	       ch == '_' || ch == '.' || ch == '/' || ch == '-' || ch == '$';
}

/* Length of a key with its colon at the cursor; 0: there is none. */
static size_t key_length(const struct cursor *c)
{
	const char *s = c->at;
	if (s < c->end && (*s == '"' || *s == '\'')) {
		const char *close = memchr(s + 1, *s, (size_t)(c->end - s - 1));
		s = close ? close + 1 : c->end;
	} else {
		while (s < c->end && key_character(*s))
			s++;
		if (s == c->at || *c->at == '-')
			return 0;
	}
	if (s == c->end || *s != ':' || (s + 1 < c->end && s[1] != ' ') || s - c->at > KEY_MOST)
		return 0;
	return (size_t)(s - c->at) + 1;
}

static bool take_key(struct plain *p, struct cursor *c, size_t length)
{
	if (*c->at == '"' || *c->at == '\'') {
		if (!take_quoted(p, c))
			return false;
	} else {
		push(p, c, TOKEN_SCALAR, c->at, length - 1, true, c->at);
		c->at += length - 1;
	}
	c->at++; /* the colon */
	return true;
}

/* ---- flow collections on one line -------------------------------------------------------------
 */

static bool take_flow(struct plain *p, struct cursor *c, int depth);

static bool take_flow_value(struct plain *p, struct cursor *c, int depth)
{
	if (c->at == c->end)
		return false;
	if (*c->at == '[' || *c->at == '{')
		return take_flow(p, c, depth + 1);
	if (*c->at == '"' || *c->at == '\'')
		return take_quoted(p, c);
	return take_plain(p, c, true);
}

static bool take_flow(struct plain *p, struct cursor *c, int depth)
{
	bool list = *c->at == '[';
	char close = list ? ']' : '}';
	if (depth > FLOW_DEPTH)
		return false;
	push_mark(p, c, list ? TOKEN_LIST : TOKEN_MAP);
	c->at++;
	skip_blanks(c);
	while (c->at < c->end && *c->at != close) {
		size_t key = list ? 0 : key_length(c);
		if (!list && (!key || !take_key(p, c, key)))
			return false;
		skip_blanks(c);
		if (!take_flow_value(p, c, depth))
			return false;
		skip_blanks(c);
		if (c->at == c->end || (*c->at != ',' && *c->at != close))
			return false;
		if (*c->at == ',') {
			c->at++;
			skip_blanks(c);
			if (c->at == c->end || *c->at == close)
				return false;
		}
	}
	if (c->at == c->end)
		return false;
	push_mark(p, c, list ? TOKEN_LIST_END : TOKEN_MAP_END);
	c->at++;
	return true;
}

/* ---- lines --------------------------------------------------------------------------------------
 */

static void open_frame(struct plain *p, const struct cursor *c, bool list)
{
	if (p->depth == PLAIN_DEPTH) {
		wrong(p);
		return;
	}
	push_mark(p, c, list ? TOKEN_LIST : TOKEN_MAP);
	p->stack[p->depth++] = (struct plain_frame){ list, (int)(c->at - c->start) };
	p->pending = false;
}

static void close_frame(struct plain *p, const struct cursor *c)
{
	if (p->pending)
		push_null(p, c);
	push_mark(p, c, p->stack[--p->depth].list ? TOKEN_LIST_END : TOKEN_MAP_END);
	p->root_done |= p->depth == 0;
}

/* Closes and opens collections so that an entry at this column can follow. */
static void find_place(struct plain *p, const struct cursor *c, bool dash)
{
	int indent = (int)(c->at - c->start);
	while (!p->wrong) {
		const struct plain_frame *top = p->depth ? &p->stack[p->depth - 1] : NULL;
		if (!top || indent > top->indent) {
			if (top ? !p->pending : p->root_done)
				wrong(p);
			else
				open_frame(p, c, dash);
			return;
		}
		if (indent == top->indent && top->list == dash) {
			if (p->pending)
				push_null(p, c);
			return;
		}
		if (indent == top->indent && dash) { /* a list as far left as its key */
			if (p->pending)
				open_frame(p, c, true);
			else
				wrong(p);
			return;
		}
		close_frame(p, c);
	}
}

static bool is_dash(const struct cursor *c)
{
	return c->at < c->end && *c->at == '-' && (c->at + 1 == c->end || c->at[1] == ' ');
}

/* What follows a key or a dash on its line. */
static void take_value(struct plain *p, struct cursor *c)
{
	if (at_line_end(c)) {
		p->pending = true;
		return;
	}
	bool taken = *c->at == '[' || *c->at == '{' ? take_flow(p, c, 0) :
		     *c->at == '"' || *c->at == '\'' ? take_quoted(p, c) : take_plain(p, c, false);
	if (!taken || !at_line_end(c))
		wrong(p);
}

/* An entry at the cursor: a dash with what follows it, or a key with its value. */
static void take_entry(struct plain *p, struct cursor *c)
{
	bool dash = is_dash(c);
	size_t key = dash ? 0 : key_length(c);
	if (!dash && !key) {
		wrong(p);
		return;
	}
	find_place(p, c, dash);
	while (dash && !p->wrong) {
		c->at++;
		if (at_line_end(c)) {
			p->pending = true;
			return;
		}
		dash = is_dash(c);
		key = dash ? 0 : key_length(c);
		if (dash || key)
			open_frame(p, c, dash);
	}
	if (p->wrong)
		return;
	if (key && !take_key(p, c, key)) {
		wrong(p);
		return;
	}
	take_value(p, c);
}

static bool all_printable(const struct cursor *c)
{
	for (const char *s = c->at; s < c->end; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

/* Takes one line; false at the end of the document, when all collections are closed. */
static bool take_line(struct plain *p)
{
	struct cursor c = { p->at, p->at, p->at };
	p->queue_head = p->queue_count = 0;
	if (p->at == p->end || plain_is_marker(p->at, p->end)) {
		while (p->depth)
			close_frame(p, &c);
		p->ended = true;
		return false;
	}
	const char *feed = memchr(p->at, '\n', (size_t)(p->end - p->at));
	c.end = feed ? feed : p->end;
	if (!all_printable(&c) || *p->at == '%')
		wrong(p);
	else if (!at_line_end(&c))
		take_entry(p, &c);
	p->at = feed ? feed + 1 : p->end;
	p->line++;
	return !p->wrong;
}

void plain_start(struct plain *p, const char *text, const char *end, int line)
{
	struct token *queue = p->queue;
	uint32_t capacity = p->queue_capacity;
	*p = (struct plain){ .at = text, .end = end, .line = line, .queue = queue,
			     .queue_capacity = capacity };
}

void plain_stop(struct plain *p)
{
	free(p->queue);
	p->queue = NULL;
	p->queue_capacity = 0;
}

bool plain_accepts(const char *text, const char *end, int line, const char **stop,
		   int *stop_line)
{
	struct plain p = { .at = text, .end = end, .line = line, .dry = true };
	while (take_line(&p))
		;
	*stop = p.at;
	*stop_line = p.line;
	return p.ended && !p.wrong;
}

bool plain_next(struct plain *p, struct token *out)
{
	while (p->queue_head == p->queue_count)
		if (p->ended || (!take_line(p) && !p->queue_count))
			return false;
	*out = p->queue[p->queue_head++];
	return true;
}
