/* kube/value_parse.c: YAML or JSON text to a tree. */
#include <errno.h>
#include <string.h>

#include "kube/scalar.h"
#include "kube/tokens.h"
#include "kube/value.h"

#define DEPTH_LIMIT 100

struct parser {
	struct arena *arena;
	struct tokens *tokens;
	const char *file;
	struct err *err;
};

static int parse_node(struct parser *p, const struct token *t, int depth, struct value **out);

static int fail(struct parser *p, const struct token *t, const char *what)
{
	return err_at(p->err, EINVAL, p->file, t->line, t->column, "%s", what);
}

static struct value *parse_scalar(struct parser *p, const struct token *t)
{
	struct scalar s = { .type = SCALAR_STRING };
	if (t->plain)
		s = scalar_resolve(t->text, t->length);
	struct value *v = value_new(p->arena, VALUE_STRING);
	if (s.type == SCALAR_NULL)
		v->type = VALUE_NULL;
	else if (s.type == SCALAR_BOOL)
		*v = (struct value){ .type = VALUE_BOOL, .truth = s.truth };
	else if (s.type == SCALAR_INT && !s.overflow)
		*v = (struct value){ .type = VALUE_INT, .number = s.number };
	else if (s.type == SCALAR_INT || s.type == SCALAR_FLOAT)
		v->type = VALUE_FLOAT;
	if (v->type == VALUE_STRING || v->type == VALUE_FLOAT)
		v->text = arena_strndup(p->arena, t->text, t->length);
	return v;
}

static int parse_list(struct parser *p, int depth, struct value *list)
{
	for (;;) {
		struct token t;
		struct value *item;
		int code = tokens_next(p->tokens, &t, p->err);
		if (code || t.kind == TOKEN_LIST_END)
			return code;
		code = parse_node(p, &t, depth + 1, &item);
		if (code)
			return code;
		value_push(p->arena, list, item);
	}
}

/* What "<<" brings in gives way to the map's own keys. */
static int merge(struct parser *p, const struct token *t, struct value *map,
		 const struct value *from)
{
	if (from->type == VALUE_LIST) {
		for (uint32_t i = 0; i < from->count; i++) {
			int code = merge(p, t, map, from->members[i].value);
			if (code)
				return code;
		}
		return 0;
	}
	if (from->type != VALUE_MAP)
		return fail(p, t, "<< is followed by no mapping, expected one to merge");
	for (uint32_t i = 0; i < from->count; i++)
		if (!value_get(map, from->members[i].key))
			value_set(p->arena, map, from->members[i].key, from->members[i].value);
	return 0;
}

static int parse_map(struct parser *p, int depth, struct value *map)
{
	struct value *merged = value_new(p->arena, VALUE_LIST);
	struct token key, t;
	for (;;) {
		struct value *item;
		int code = tokens_next(p->tokens, &key, p->err);
		if (code)
			return code;
		if (key.kind == TOKEN_MAP_END)
			return merge(p, &key, map, merged);
		if (key.kind != TOKEN_SCALAR || memchr(key.text, '\0', key.length))
			return fail(p, &key, "a key is no string, expected one");
		const char *name = arena_strndup(p->arena, key.text, key.length);
		bool merges = key.plain && strcmp(name, "<<") == 0;
		code = tokens_next(p->tokens, &t, p->err);
		if (!code)
			code = parse_node(p, &t, depth + 1, &item);
		if (code)
			return code;
		if (merges)
			value_push(p->arena, merged, item);
		else
			value_set(p->arena, map, name, item);
	}
}

static int parse_node(struct parser *p, const struct token *t, int depth, struct value **out)
{
	if (depth > DEPTH_LIMIT)
		return fail(p, t, "the text is nested too deeply, expected at most 100 levels");
	switch (t->kind) {
	case TOKEN_SCALAR:
		if (memchr(t->text, '\0', t->length))
			return fail(p, t, "a string has a NUL character, expected none");
		*out = parse_scalar(p, t);
		return 0;
	case TOKEN_LIST:
		*out = value_new(p->arena, VALUE_LIST);
		return parse_list(p, depth, *out);
	case TOKEN_MAP:
		*out = value_new(p->arena, VALUE_MAP);
		return parse_map(p, depth, *out);
	default:
		return fail(p, t, "the text ends here, expected a value");
	}
}

int value_parse(struct arena *a, const char *text, size_t length, const char *file,
		struct value **out, struct err *err)
{
	struct parser p = { a, tokens_open(text, length, file, true), file, err };
	struct token t = { 0 };
	int code;
	*out = NULL;
	do
		code = tokens_next(p.tokens, &t, err);
	while (!code && (t.kind == TOKEN_DOCUMENT || t.kind == TOKEN_DOCUMENT_END));
	if (!code && t.kind == TOKEN_END)
		code = err_set(err, EINVAL, "%s: the text is empty, expected YAML or JSON", file);
	if (!code)
		code = parse_node(&p, &t, 0, out);
	tokens_close(p.tokens);
	return code;
}
