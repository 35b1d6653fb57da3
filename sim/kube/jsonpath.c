/* kube/jsonpath.c: evaluating a template: see jsonpath.h. */
#include "kube/jsonpath_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULTS_MOST 4000000u /* values that one step may find: hostile templates multiply */

struct values {
	const struct value **items;
	uint32_t count, capacity;
};

struct evaluation {
	const struct jsonpath *path;
	const struct value *root;
	bool strict;
	struct err *err;
};

static int evaluate(struct evaluation *e, const struct node *path, const struct value *start,
		    struct values *out);
static int evaluate_all(struct evaluation *e, const struct node *path,
			const struct values *starts, struct values *out);

static void add(struct values *list, const struct value *v)
{
	if (list->count == list->capacity) {
		uint32_t want = list->capacity ? list->capacity * 2 : 8;
		list->items = mem_grow(list->items, list->capacity, want, sizeof *list->items);
		list->capacity = want;
	}
	list->items[list->count++] = v;
}

static int fail(struct evaluation *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct evaluation *e, const char *fmt, ...)
{
	char what[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return err_set(e->err, EINVAL,
		       "error executing jsonpath \"%s\": Error executing template: %s.",
		       e->path->text, what);
}

/* ---- steps ------------------------------------------------------------------------------ */

static int step_field(struct evaluation *e, const struct node *n, const struct value *v,
		      struct values *out)
{
	const struct value *found = value_get(v, n->text);
	if (found)
		add(out, found);
	else if (e->strict)
		return fail(e, "%s is not found", n->text);
	return 0;
}

static int64_t clamp(int64_t n, int64_t low, int64_t high)
{
	return n < low ? low : n > high ? high : n;
}

static int step_slice(struct evaluation *e, const struct node *n, const struct value *v,
		      struct values *out)
{
	if (v->type != VALUE_LIST)
		return v->type == VALUE_NULL ? 0 : fail(e, "is not array or slice");
	int64_t length = v->count, from = n->has_from ? n->from : 0;
	int64_t to = n->has_to ? n->to : length;
	if (n->step == 0) { /* one index */
		if (from < 0)
			from += length;
		if (from < 0 || from >= length)
			return fail(e, "array index out of bounds: index %lld, length %lld",
				    (long long)n->from, (long long)length);
		add(out, v->members[from].value);
		return 0;
	}
	if (from < 0)
		from += length;
	if (to < 0 || (n->has_to && n->to < 0 && to < 0))
		to += length;
	from = clamp(from, 0, length);
	to = clamp(to, 0, length);
	for (int64_t i = from; i < to; i += n->step)
		add(out, v->members[i].value);
	return 0;
}

static void step_recursive(const struct value *v, struct values *out)
{
	add(out, v);
	for (uint32_t i = 0; i < v->count; i++)
		step_recursive(v->members[i].value, out);
}

/* ---- filters ------------------------------------------------------------------------------- */

/* A filter's operand: a literal, or the one value that a path finds. */
struct operand {
	enum { OPERAND_NONE, OPERAND_TEXT, OPERAND_NUMBER, OPERAND_BOOL } type;
	const char *text;
	double number;
};

static struct operand operand_of(const struct value *v)
{
	struct operand o = { OPERAND_NONE, NULL, 0 };
	switch (v->type) {
	case VALUE_STRING:
		o.type = OPERAND_TEXT;
		o.text = v->text;
		break;
	case VALUE_INT:
		o.type = OPERAND_NUMBER;
		o.number = (double)v->number;
		break;
	case VALUE_FLOAT:
		o.type = OPERAND_NUMBER;
		o.number = strtod(v->text, NULL);
		break;
	case VALUE_BOOL:
		o.type = OPERAND_BOOL;
		o.number = v->truth;
		break;
	default:
		break;
	}
	return o;
}

static int operand_find(struct evaluation *e, const struct node *n, const struct value *here,
			struct operand *out)
{
	*out = (struct operand){ OPERAND_NONE, NULL, 0 };
	if (n->kind == NODE_TEXT)
		*out = (struct operand){ OPERAND_TEXT, n->text, 0 };
	else if (n->kind == NODE_NUMBER)
		*out = (struct operand){ OPERAND_NUMBER, NULL, n->number };
	else if (n->kind == NODE_BOOL)
		*out = (struct operand){ OPERAND_BOOL, NULL, n->truth };
	if (n->kind != NODE_PATH)
		return 0;
	struct values found = { 0 };
	bool strict = e->strict;
	e->strict = false; /* inside a filter, what is missing is only not equal */
	int code = evaluate(e, n, here, &found);
	e->strict = strict;
	if (!code && found.count > 1)
		code = fail(e, "can only compare one element at a time");
	if (!code && found.count)
		*out = operand_of(found.items[0]);
	if (!code && found.count && out->type == OPERAND_NONE)
		out->text = ""; /* a map or list: it exists, but compares with nothing */
	free(found.items);
	return code;
}

static bool holds(const char *op, const struct operand *a, const struct operand *b)
{
	if (a->type != b->type)
		return strcmp(op, "!=") == 0;
	double order = a->type == OPERAND_TEXT ? strcmp(a->text, b->text) : a->number - b->number;
	if (op[0] == '=')
		return order == 0;
	if (op[0] == '!')
		return order != 0;
	if (op[0] == '<')
		return op[1] ? order <= 0 : order < 0;
	return op[1] ? order >= 0 : order > 0;
}

static int step_filter(struct evaluation *e, const struct node *n, const struct value *v,
		       struct values *out)
{
	if (v->type != VALUE_LIST && v->type != VALUE_MAP)
		return 0;
	for (uint32_t i = 0; i < v->count; i++) {
		const struct value *item = v->members[i].value;
		struct operand left, right;
		int code = operand_find(e, n->left, item, &left);
		if (code)
			return code;
		if (!n->right) {
			if (left.type != OPERAND_NONE || left.text)
				add(out, item);
			continue;
		}
		code = operand_find(e, n->right, item, &right);
		if (code)
			return code;
		if (left.type != OPERAND_NONE && right.type != OPERAND_NONE &&
		    holds(n->text, &left, &right))
			add(out, item);
	}
	return 0;
}

/* ---- paths ------------------------------------------------------------------------------------
 */

static int step(struct evaluation *e, const struct node *n, const struct value *v,
		struct values *out)
{
	switch (n->kind) {
	case NODE_FIELD:
		return step_field(e, n, v, out);
	case NODE_SLICE:
		return step_slice(e, n, v, out);
	case NODE_FILTER:
		return step_filter(e, n, v, out);
	case NODE_WILDCARD:
		for (uint32_t i = 0; i < v->count; i++)
			add(out, v->members[i].value);
		return 0;
	case NODE_RECURSIVE:
		step_recursive(v, out);
		return 0;
	default:
		return 0;
	}
}

/* One node over all that was found so far. The parts of a union are looked for one after
 * the other, each in everything. */
static int step_all(struct evaluation *e, const struct node *n, const struct values *from,
		    struct values *out)
{
	int code = 0;
	if (n->kind == NODE_PATH)
		return evaluate_all(e, n, from, out);
	for (uint32_t i = 0; n->kind == NODE_UNION && i < n->count && !code; i++)
		code = step_all(e, n->children[i], from, out);
	for (uint32_t i = 0; n->kind != NODE_UNION && i < from->count && !code; i++) {
		code = step(e, n, from->items[i], out);
		if (!code && out->count > RESULTS_MOST)
			code = fail(e, "too many results");
	}
	return code;
}

static int evaluate_all(struct evaluation *e, const struct node *path,
			const struct values *starts, struct values *out)
{
	struct values now = { 0 }, next = { 0 };
	bool strict = e->strict;
	int code = 0;
	for (uint32_t i = 0; i < starts->count; i++)
		add(&now, starts->items[i]);
	for (uint32_t i = 0; i < path->count && !code; i++) {
		next.count = 0;
		/* After "..", a name is looked for everywhere: most places lack it. */
		e->strict = strict && !(i && path->children[i - 1]->kind == NODE_RECURSIVE);
		code = step_all(e, path->children[i], &now, &next);
		struct values swap = now;
		now = next;
		next = swap;
	}
	e->strict = strict;
	for (uint32_t i = 0; i < now.count && !code; i++)
		add(out, now.items[i]);
	free(now.items);
	free(next.items);
	return code;
}

static int evaluate(struct evaluation *e, const struct node *path, const struct value *start,
		    struct values *out)
{
	const struct value *first = path->dollar ? e->root : start;
	const struct values starts = { &first, 1, 1 };
	return evaluate_all(e, path, &starts, out);
}

/* ---- printing -----------------------------------------------------------------------------------
 */

static void print_value(const struct value *v, struct strbuf *out)
{
	if (v->type == VALUE_STRING)
		strbuf_puts(out, v->text);
	else if (v->type != VALUE_NULL)
		value_print_json(v, 0, out);
}

static int print_nodes(struct evaluation *e, const struct node *parent, uint32_t first,
		       const struct value *here, struct strbuf *out);

static int print_range(struct evaluation *e, const struct node *n, const struct value *here,
		       struct strbuf *out)
{
	struct values found = { 0 };
	int code = evaluate(e, n->children[0], here, &found);
	for (uint32_t i = 0; i < found.count && !code; i++)
		code = print_nodes(e, n, 1, found.items[i], out);
	free(found.items);
	return code;
}

static int print_path(struct evaluation *e, const struct node *n, const struct value *here,
		      struct strbuf *out)
{
	struct values found = { 0 };
	int code = evaluate(e, n, here, &found);
	for (uint32_t i = 0; i < found.count && !code; i++) {
		if (i)
			strbuf_putc(out, ' ');
		print_value(found.items[i], out);
	}
	free(found.items);
	return code;
}

static int print_nodes(struct evaluation *e, const struct node *parent, uint32_t first,
		       const struct value *here, struct strbuf *out)
{
	int code = 0;
	for (uint32_t i = first; i < parent->count && !code; i++) {
		const struct node *n = parent->children[i];
		if (n->kind == NODE_TEXT)
			strbuf_puts(out, n->text);
		else if (n->kind == NODE_RANGE)
			code = print_range(e, n, here, out);
		else
			code = print_path(e, n, here, out);
		if (!code && out->length > ((size_t)1 << 30))
			code = fail(e, "the output is larger than 1 GiB");
	}
	return code;
}

int jsonpath_print(const struct jsonpath *p, const struct value *root, bool strict,
		   struct strbuf *out, struct err *err)
{
	struct evaluation e = { p, root, strict, err };
	return print_nodes(&e, p->root, 0, root, out);
}

struct value *jsonpath_first(const struct jsonpath *p, const struct value *root)
{
	struct evaluation e = { p, root, false, NULL };
	struct values found = { 0 };
	for (uint32_t i = 0; i < p->root->count && !found.count; i++)
		if (p->root->children[i]->kind == NODE_PATH)
			evaluate(&e, p->root->children[i], root, &found);
	const struct value *first = found.count ? found.items[0] : NULL;
	free(found.items);
	return (struct value *)(uintptr_t)first;
}
