/* kube/read.c: see read.h. */
#include "kube/read.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/scalar.h"

#define PATH_TEXT 160
#define WARNING_LIMIT (1u << 20) /* bytes; beyond it warnings are dropped */

struct list { void *items; uint32_t count; }; /* shape of every list member */

static int read_row(struct reader *r, const struct field *f, void *base,
		    const struct token *value, const struct read_path *path);

/* ---- messages ---------------------------------------------------------------- */

static size_t path_text(const struct read_path *path, char *out, size_t size)
{
	size_t n = path->up ? path_text(path->up, out, size) : 0;
	if (n >= size - 1)
		return n;
	int more = path->name ? snprintf(out + n, size - n, "%s%s", n ? "." : "", path->name) :
				snprintf(out + n, size - n, "[%u]", path->index);
	n += (size_t)more;
	return n < size ? n : size - 1;
}

static const char *token_text(const struct token *t, char out[64])
{
	switch (t->kind) {
	case TOKEN_MAP: return "a mapping";
	case TOKEN_LIST: return "a list";
	default: break;
	}
	if (!t->plain) {
		snprintf(out, 64, "the string \"%.*s\"", (int)(t->length < 40 ? t->length : 40),
			 t->text);
		return out;
	}
	const char *type = scalar_type_text(scalar_resolve(t->text, t->length).type);
	snprintf(out, 64, "%s (%.*s)", type, (int)(t->length < 40 ? t->length : 40), t->text);
	return out;
}

static int wrong(struct reader *r, const struct token *t, const struct read_path *path,
		 const char *expected)
{
	char where[PATH_TEXT], found[64];
	path_text(path, where, sizeof where);
	return err_at(r->err, EINVAL, r->file, t->line, t->column, "%s is %s, expected %s", where,
		      token_text(t, found), expected);
}

void read_warn(struct reader *r, const struct token *at, const char *fmt, ...)
{
	if (!r->warnings || r->warnings->length > WARNING_LIMIT)
		return;
	va_list ap;
	va_start(ap, fmt);
	strbuf_printf(r->warnings, "%s:%d:%d: ", r->file, at->line, at->column);
	strbuf_vprintf(r->warnings, fmt, ap);
	strbuf_putc(r->warnings, '\n');
	va_end(ap);
}

/* ---- scalars ----------------------------------------------------------------- */

static bool is_null(const struct token *t)
{
	return t->kind == TOKEN_SCALAR && t->plain &&
	       scalar_resolve(t->text, t->length).type == SCALAR_NULL;
}

static int read_string(struct reader *r, const struct token *t, const struct read_path *path,
		       const char **out)
{
	if (t->kind != TOKEN_SCALAR)
		return wrong(r, t, path, "a string");
	if (t->plain && scalar_resolve(t->text, t->length).type != SCALAR_STRING)
		return wrong(r, t, path, "a string (in quotes)");
	if (memchr(t->text, '\0', t->length))
		return wrong(r, t, path, "a string without NUL characters");
	*out = kube_pool_string(r->pool, t->text, t->length);
	return 0;
}

static int read_int(struct reader *r, const struct token *t, const struct read_path *path,
		    int64_t low, int64_t high, int64_t *out)
{
	struct scalar s = { .type = SCALAR_STRING };
	if (t->kind == TOKEN_SCALAR && t->plain)
		s = scalar_resolve(t->text, t->length);
	if (s.type != SCALAR_INT)
		return wrong(r, t, path, "an integer");
	if (s.overflow || s.number < low || s.number > high)
		return wrong(r, t, path, high == INT32_MAX ? "an integer of 32 bits" :
							     "an integer of 64 bits");
	*out = s.number;
	return 0;
}

static int read_bool(struct reader *r, const struct token *t, const struct read_path *path,
		     bool *out)
{
	struct scalar s = { .type = SCALAR_STRING };
	if (t->kind == TOKEN_SCALAR && t->plain)
		s = scalar_resolve(t->text, t->length);
	if (s.type != SCALAR_BOOL)
		return wrong(r, t, path, "true or false");
	*out = s.truth;
	return 0;
}

static int read_int_or_string(struct reader *r, const struct token *t,
			      const struct read_path *path, struct int_or_string *out)
{
	int64_t number;
	if (t->kind != TOKEN_SCALAR)
		return wrong(r, t, path, "an integer or a string");
	if (!t->plain || scalar_resolve(t->text, t->length).type == SCALAR_STRING) {
		out->kind = 's';
		return read_string(r, t, path, &out->string);
	}
	int code = read_int(r, t, path, INT32_MIN, INT32_MAX, &number);
	if (code)
		return code;
	out->kind = 'i';
	out->number = (int32_t)number;
	return 0;
}

static int read_time(struct reader *r, const struct token *t, const struct read_path *path,
		     int64_t *out)
{
	char text[64];
	if (t->kind == TOKEN_SCALAR && t->length < sizeof text) {
		memcpy(text, t->text, t->length);
		text[t->length] = '\0';
		if (kube_time_parse(text, out))
			return 0;
	}
	return wrong(r, t, path, "a date as 2026-01-31T12:00:00Z");
}

static int read_version(struct reader *r, const struct token *t, const struct read_path *path,
			uint64_t *out)
{
	uint64_t value = 0;
	if (t->kind != TOKEN_SCALAR)
		return wrong(r, t, path, "a string");
	for (size_t i = 0; i < t->length; i++) {
		unsigned digit = (unsigned char)t->text[i] - (unsigned)'0';
		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return wrong(r, t, path, "a string of digits");
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

static int read_quantity(struct reader *r, const struct token *t, const struct read_path *path,
			 const char **out)
{
	char text[64], canonical[32];
	if (t->kind == TOKEN_SCALAR && t->length < sizeof text) {
		memcpy(text, t->text, t->length);
		text[t->length] = '\0';
		if (kube_quantity_text(text, canonical)) {
			*out = kube_pool_string(r->pool, canonical, strlen(canonical));
			return 0;
		}
	}
	return wrong(r, t, path, "a quantity as 500m, 2 or 1Gi");
}

/* ---- lists and maps ------------------------------------------------------------ */

/* Items of a list or map while it is read: the count is not known before the end. */
struct gathered {
	char *items;
	size_t item_size;
	uint32_t count, capacity;
};

static void *gather(struct reader *r, struct gathered *g)
{
	if (g->count == g->capacity) {
		uint32_t want = g->capacity ? g->capacity * 2 : g->item_size > 256 ? 1 : 4;
		char *items = arena_array(r->scratch, want, g->item_size);
		if (g->count)
			memcpy(items, g->items, g->count * g->item_size);
		g->items = items;
		g->capacity = want;
	}
	return g->items + (size_t)g->count++ * g->item_size;
}

static void *gathered_keep(struct reader *r, const struct gathered *g)
{
	return kube_pool_bytes(r->pool, g->items, g->count * g->item_size);
}

struct ordered_pair { struct kube_pair pair; uint32_t index; };

static int by_key(const void *a, const void *b)
{
	const struct ordered_pair *x = a, *y = b;
	int order = strcmp(x->pair.key, y->pair.key);
	return order ? order : x->index < y->index ? -1 : 1;
}

/* Sorts pairs by key; of equal keys the last written one stays. */
static void sort_pairs(struct reader *r, struct gathered *g)
{
	struct kube_pair *pairs = (struct kube_pair *)(void *)g->items;
	bool sorted = true;
	for (uint32_t i = 1; i < g->count && sorted; i++)
		sorted = strcmp(pairs[i - 1].key, pairs[i].key) < 0;
	if (sorted)
		return;
	struct ordered_pair *order = arena_array(r->scratch, g->count, sizeof *order);
	for (uint32_t i = 0; i < g->count; i++)
		order[i] = (struct ordered_pair){ pairs[i], i };
	qsort(order, g->count, sizeof *order, by_key);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < g->count; i++)
		if (i + 1 == g->count || strcmp(order[i].pair.key, order[i + 1].pair.key) != 0)
			pairs[kept++] = order[i].pair;
	g->count = kept;
}

static int read_pairs(struct reader *r, const struct read_path *path, bool quantities,
		      struct gathered *own, struct gathered *merged);

static int read_pair(struct reader *r, const struct token *key, const struct read_path *path,
		     bool quantities, struct gathered *own, struct gathered *merged)
{
	struct token t;
	if (key->kind != TOKEN_SCALAR || memchr(key->text, '\0', key->length))
		return wrong(r, key, path, "a string as key");
	bool merge = key->plain && key->length == 2 && memcmp(key->text, "<<", 2) == 0;
	const char *name = kube_pool_string(r->pool, key->text, key->length);
	struct read_path at = { path, name, 0 };
	int code = tokens_next(r->tokens, &t, r->err);
	if (code)
		return code;
	if (merge && t.kind == TOKEN_MAP)
		return read_pairs(r, path, quantities, merged, merged);
	struct kube_pair *pair = gather(r, own);
	*pair = (struct kube_pair){ name, kube_pool_string(r->pool, "", 0) };
	if (is_null(&t))
		return 0;
	return quantities ? read_quantity(r, &t, &at, &pair->value) :
			    read_string(r, &t, &at, &pair->value);
}

static int read_pairs(struct reader *r, const struct read_path *path, bool quantities,
		      struct gathered *own, struct gathered *merged)
{
	for (;;) {
		struct token key;
		int code = tokens_next(r->tokens, &key, r->err);
		if (code || key.kind == TOKEN_MAP_END)
			return code;
		code = read_pair(r, &key, path, quantities, own, merged);
		if (code)
			return code;
	}
}

static int read_map(struct reader *r, const struct token *first, const struct read_path *path,
		    bool quantities, struct kube_map *out)
{
	struct gathered own = { .item_size = sizeof(struct kube_pair) }, merged = own;
	if (first->kind != TOKEN_MAP)
		return wrong(r, first, path, "a mapping of strings to strings");
	int code = read_pairs(r, path, quantities, &own, &merged);
	if (code)
		return code;
	if (merged.count) { /* what "<<" brings in gives way to the mapping's own keys */
		for (uint32_t i = 0; i < own.count; i++)
			memcpy(gather(r, &merged), own.items + i * own.item_size, own.item_size);
		own = merged;
	}
	sort_pairs(r, &own);
	out->items = gathered_keep(r, &own);
	out->count = own.count;
	return 0;
}

static int read_list(struct reader *r, const struct field *f, const struct token *first,
		     const struct read_path *path, struct list *out)
{
	struct gathered g = { .item_size =
				  f->type == FIELD_STRINGS ? sizeof(char *) : f->item_size };
	struct token t;
	if (first->kind != TOKEN_LIST)
		return wrong(r, first, path, "a list");
	for (;;) {
		int code = tokens_next(r->tokens, &t, r->err);
		if (code)
			return code;
		if (t.kind == TOKEN_LIST_END)
			break;
		struct read_path at = { path, NULL, g.count };
		if (f->type == FIELD_STRINGS) {
			const char *text = NULL;
			code = read_string(r, &t, &at, &text);
			*(const char **)gather(r, &g) = text;
		} else if (t.kind != TOKEN_MAP) {
			code = wrong(r, &t, &at, "a mapping");
		} else {
			code = read_fields(r, f->sub, gather(r, &g), &at);
		}
		if (code)
			return code;
	}
	out->items = gathered_keep(r, &g);
	out->count = g.count;
	return 0;
}

/* ---- rows ---------------------------------------------------------------------- */

static int read_nested(struct reader *r, const struct field *f, char *base,
		       const struct token *t, const struct read_path *path)
{
	if (t->kind != TOKEN_MAP)
		return wrong(r, t, path, "a mapping");
	if (f->type == FIELD_CASE)
		*(const char **)(void *)(base + f->set_offset) =
			kube_pool_string(r->pool, f->json, strlen(f->json));
	return read_fields(r, f->sub, base + f->offset, path);
}

static int read_row(struct reader *r, const struct field *f, void *base, const struct token *t,
		    const struct read_path *path)
{
	void *at = (char *)base + f->offset;
	int64_t number = 0;
	bool truth = false;
	int code;
	if (f->type == FIELD_IGNORED)
		return tokens_skip(r->tokens, t, r->err);
	if (is_null(t))
		return 0;
	if (f->set_offset != NO_SET && f->type != FIELD_CASE)
		*(bool *)((char *)base + f->set_offset) = true;
	switch (f->type) {
	case FIELD_STRING:
		return read_string(r, t, path, at);
	case FIELD_INT32:
		code = read_int(r, t, path, INT32_MIN, INT32_MAX, &number);
		*(int32_t *)at = (int32_t)number;
		return code;
	case FIELD_INT64:
		return read_int(r, t, path, INT64_MIN, INT64_MAX, at);
	case FIELD_OPT_INT:
		((struct opt_int *)at)->set = true;
		return read_int(r, t, path, INT64_MIN, INT64_MAX, &((struct opt_int *)at)->value);
	case FIELD_TRI:
		code = read_bool(r, t, path, &truth);
		*(enum kube_tri *)at = truth ? TRI_TRUE : TRI_FALSE;
		return code;
	case FIELD_BOOL:
		return read_bool(r, t, path, at);
	case FIELD_INT_OR_STRING:
		return read_int_or_string(r, t, path, at);
	case FIELD_TIME:
		return read_time(r, t, path, at);
	case FIELD_VERSION:
		return read_version(r, t, path, at);
	case FIELD_MAP:
	case FIELD_QUANTITY_MAP:
		return read_map(r, t, path, f->type == FIELD_QUANTITY_MAP, at);
	case FIELD_STRINGS:
	case FIELD_LIST:
		return read_list(r, f, t, path, at);
	case FIELD_OBJECT:
	case FIELD_CASE:
		return read_nested(r, f, base, t, path);
	case FIELD_IGNORED:
		break;
	}
	assert(!"unknown field type");
	return EINVAL;
}

static bool is_row(const struct field *f, const struct token *key)
{
	return f->json[0] == key->text[0] && strncmp(f->json, key->text, key->length) == 0 &&
	       strlen(f->json) == key->length;
}

/* The row of a key. Documents mostly keep the order of the table: look ahead first. */
static const struct field *find_row(const struct field *fields, const struct field *hint,
				    const struct token *key)
{
	for (const struct field *f = hint; f->json; f++)
		if (is_row(f, key))
			return f;
	for (const struct field *f = fields; f != hint; f++)
		if (is_row(f, key))
			return f;
	return NULL;
}

static bool is_key(const struct token *t, const char *name)
{
	return t->length == strlen(name) && memcmp(t->text, name, t->length) == 0;
}

static void warn_unknown(struct reader *r, const struct token *key, const struct read_path *path)
{
	char where[PATH_TEXT] = "";
	if (path)
		path_text(path, where, sizeof where);
	read_warn(r, key, "unknown field \"%s%s%.*s\"", where, path ? "." : "",
		  (int)(key->length < 80 ? key->length : 80), key->text);
}

static int read_rows(struct reader *r, const struct field *fields, void *base,
		     const struct read_path *path, uint64_t *seen, bool merging);

/* "<<": the fields of another mapping, or of several, which the mapping's own fields
 * override. */
static int read_merge(struct reader *r, const struct field *fields, void *base,
		      const struct read_path *path, const struct token *value, uint64_t *seen)
{
	const struct read_path here = { path, "<<", 0 };
	if (value->kind == TOKEN_MAP)
		return read_rows(r, fields, base, path, seen, true);
	if (value->kind != TOKEN_LIST)
		return wrong(r, value, &here, "a mapping to merge");
	for (;;) {
		struct token t;
		int code = tokens_next(r->tokens, &t, r->err);
		if (code || t.kind == TOKEN_LIST_END)
			return code;
		if (t.kind != TOKEN_MAP)
			return wrong(r, &t, &here, "a mapping to merge");
		code = read_rows(r, fields, base, path, seen, true);
		if (code)
			return code;
	}
}

/* One key with its value. `seen`: rows that the mapping has itself, or that an earlier
 * merge brought in. */
static int read_key(struct reader *r, const struct field *fields, void *base,
		    const struct read_path *path, const struct token *key,
		    const struct field **hint, uint64_t *seen, bool merging)
{
	if (key->kind != TOKEN_SCALAR) {
		const struct read_path here = { path, "a key", 0 };
		return wrong(r, key, &here, "a string");
	}
	const struct field *f = key->length ? find_row(fields, *hint, key) : NULL;
	bool merge = !f && is_key(key, "<<");
	if (!f && !merge && (path || (!is_key(key, "apiVersion") && !is_key(key, "kind"))))
		warn_unknown(r, key, path);
	struct token value;
	int code = tokens_next(r->tokens, &value, r->err);
	if (code)
		return code;
	if (merge)
		return read_merge(r, fields, base, path, &value, seen);
	uint64_t bit = f ? UINT64_C(1) << (f - fields) : 0;
	if (!f || (merging && *seen & bit))
		return tokens_skip(r->tokens, &value, r->err);
	*seen |= bit;
	*hint = f;
	const struct read_path here = { path, f->json, 0 };
	return read_row(r, f, base, &value, &here);
}

static int read_rows(struct reader *r, const struct field *fields, void *base,
		     const struct read_path *path, uint64_t *seen, bool merging)
{
	const struct field *hint = fields;
	for (;;) {
		struct token key;
		int code = tokens_next(r->tokens, &key, r->err);
		if (code || key.kind == TOKEN_MAP_END)
			return code;
		code = read_key(r, fields, base, path, &key, &hint, seen, merging);
		if (code)
			return code;
	}
}

int read_fields(struct reader *r, const struct field *fields, void *base,
		const struct read_path *path)
{
	uint64_t seen = 0;
	return read_rows(r, fields, base, path, &seen, false);
}
