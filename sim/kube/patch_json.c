/* kube/patch_json.c: RFC 6902 operations on a tree: see patch.h. */
#include <errno.h>
#include <string.h>

#include "kube/patch.h"

#define OPERATIONS_MOST 10000u
#define BYTES_MOST ((size_t)64 << 20) /* copies of copies grow fast */

struct location { /* what a pointer leads to */
	struct value *parent; /* NULL: the whole document */
	const char *key;      /* unescaped; of a map */
	uint32_t index;       /* of a list; its count for "-" */
	struct value *value;  /* NULL: not there */
};

static int fail(struct err *err, const char *op, const char *path, const char *why)
{
	return err_set(err, EINVAL, "%s operation does not apply: %s: %s", op, path, why);
}

static bool list_index(const struct value *list, const char *token, uint32_t *out)
{
	uint64_t n = 0;
	if (strcmp(token, "-") == 0) {
		*out = list->count;
		return true;
	}
	if (!*token || (token[0] == '0' && token[1]))
		return false;
	for (; *token; token++) {
		if (*token < '0' || *token > '9' || n > UINT32_MAX / 20)
			return false;
		n = n * 10 + (uint64_t)(*token - '0');
	}
	*out = (uint32_t)n;
	return n <= list->count;
}

/* One token of a pointer: "~1" is a slash, "~0" a tilde. */
static const char *next_token(struct arena *a, const char **p)
{
	struct strbuf token = { 0 };
	for ((*p)++; **p && **p != '/'; (*p)++) {
		char c = **p;
		if (c == '~' && ((*p)[1] == '0' || (*p)[1] == '1'))
			c = *++*p == '1' ? '/' : '~';
		strbuf_putc(&token, c);
	}
	const char *kept = arena_strndup(a, strbuf_text(&token), token.length);
	strbuf_free(&token);
	return kept;
}

static bool locate(struct arena *a, struct value *root, const char *pointer, struct location *out)
{
	*out = (struct location){ .value = root };
	for (const char *p = pointer; *p;) {
		if (*p != '/' || !out->value)
			return false;
		const char *token = next_token(a, &p);
		struct value *parent = out->value;
		*out = (struct location){ .parent = parent, .key = token };
		if (parent->type == VALUE_MAP) {
			out->value = value_get(parent, token);
		} else if (parent->type == VALUE_LIST) {
			if (!list_index(parent, token, &out->index))
				return false;
			if (out->index < parent->count)
				out->value = parent->members[out->index].value;
		} else {
			return false;
		}
	}
	return true;
}

static void put(struct arena *a, struct value **root, const struct location *at, struct value *v,
		bool insert)
{
	if (!at->parent) {
		*root = v;
	} else if (at->parent->type == VALUE_MAP) {
		value_set(a, at->parent, at->key, v);
	} else if (insert) {
		struct value *list = at->parent;
		value_push(a, list, v);
		memmove(list->members + at->index + 1, list->members + at->index,
			(list->count - 1 - at->index) * sizeof *list->members);
		list->members[at->index] = (struct value_member){ NULL, v };
	} else {
		at->parent->members[at->index].value = v;
	}
}

static void drop(const struct location *at)
{
	struct value *list = at->parent;
	if (list->type == VALUE_MAP) {
		value_remove(list, at->key);
		return;
	}
	memmove(list->members + at->index, list->members + at->index + 1,
		(list->count - at->index - 1) * sizeof *list->members);
	list->count--;
}

static const char *text_of(const struct value *map, const char *key)
{
	const struct value *v = value_get(map, key);
	return v && v->type == VALUE_STRING ? v->text : NULL;
}

/* copy and move: what lies at "from". */
static int source(struct arena *a, struct value *root, const struct value *operation,
		  const char *op, struct location *out, struct err *err)
{
	const char *from = text_of(operation, "from");
	if (!from)
		return fail(err, op, "from", "missing value");
	if (!locate(a, root, from, out) || !out->value)
		return fail(err, op, from, "missing key");
	return 0;
}

static int run(struct arena *a, struct value **root, const struct value *operation,
	       struct err *err)
{
	const char *op = text_of(operation, "op"), *path = text_of(operation, "path");
	struct value *value = value_get(operation, "value");
	struct location at, from;
	if (!op || !path)
		return err_set(err, EINVAL, "an operation has no op or path, expected both");
	bool needs_value = strcmp(op, "add") == 0 || strcmp(op, "replace") == 0 ||
			   strcmp(op, "test") == 0;
	if (needs_value && !value)
		return fail(err, op, path, "missing value");
	if (!locate(a, *root, path, &at))
		return fail(err, op, path, "doc is missing path");
	if (strcmp(op, "add") == 0) {
		put(a, root, &at, value_copy(a, value), true);
	} else if (strcmp(op, "replace") == 0) {
		if (!at.value)
			return fail(err, op, path, "missing key");
		put(a, root, &at, value_copy(a, value), false);
	} else if (strcmp(op, "remove") == 0) {
		if (!at.value || !at.parent)
			return fail(err, op, path, "missing key");
		drop(&at);
	} else if (strcmp(op, "test") == 0) {
		if (!at.value || !value_equal(at.value, value))
			return fail(err, op, path, "testing value failed");
	} else if (strcmp(op, "copy") == 0) {
		int code = source(a, *root, operation, op, &from, err);
		if (code)
			return code;
		put(a, root, &at, value_copy(a, from.value), true);
	} else if (strcmp(op, "move") == 0) {
		int code = source(a, *root, operation, op, &from, err);
		if (code)
			return code;
		if (!from.parent)
			return fail(err, op, "from", "the whole object cannot move");
		struct value *moved = from.value;
		drop(&from);
		if (!locate(a, *root, path, &at))
			return fail(err, op, path, "doc is missing path");
		put(a, root, &at, moved, true);
	} else {
		return err_set(err, EINVAL,
			       "unexpected kind of operation: %s, expected add, remove, "
			       "replace, move, copy or test",
			       op);
	}
	return 0;
}

int patch_json(struct arena *a, struct value **target, const struct value *operations,
	       struct err *err)
{
	if (operations->type != VALUE_LIST)
		return err_set(err, EINVAL,
			       "a JSON patch is no list, expected a list of operations");
	if (operations->count > OPERATIONS_MOST)
		return err_set(err, EINVAL, "a JSON patch has %u operations, expected at most %u",
			       operations->count, OPERATIONS_MOST);
	for (uint32_t i = 0; i < operations->count; i++) {
		int code = run(a, target, operations->members[i].value, err);
		if (code)
			return code;
		if (arena_bytes(a) > BYTES_MOST)
			return err_set(err, EINVAL,
				       "a JSON patch makes more than %zu MiB, expected less",
				       BYTES_MOST >> 20);
	}
	return 0;
}
