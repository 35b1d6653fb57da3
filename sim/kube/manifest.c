/* kube/manifest.c: see manifest.h. */
#include "kube/manifest.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "kube/read.h"
#include "kube/store.h"

#define LIST_DEPTH 4 /* a List in a List is allowed; more is nobody's manifest */

/* One stream of objects: one text, or all files of a snapshot. */
struct stream {
	const struct manifest_options *options;
	struct kube_pool *pool;
	struct arena *scratch;
	manifest_object_fn *fn;
	void *ctx;
	bool has_proxy_configuration;
	struct kube_object *proxy_configuration; /* from the ConfigMap, kept until the end */
	struct err *err;
};

/* apiVersion and kind of a document; pool strings. */
struct type_meta {
	const char *api_version, *kind;
	bool has_items;
};

static int read_document(struct stream *s, struct reader *r, const struct token *first,
			 const struct type_meta *expected, int depth);
/* Length of the UTF-8 character at p, 0 when it is none or one that YAML does not allow. */
static size_t character(const unsigned char *p, size_t left)
{
	size_t n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	if (n == 1)
		return *p >= 0x20 || *p == '\t' || *p == '\n' || *p == '\r';
	if (*p < 0xc2 || *p > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Whether it is text at all: libfyaml ends a stream in silence at bytes that are none. */
static int check_text(const char *text, size_t length, const char *file, struct err *err)
{
	const unsigned char *begin = (const unsigned char *)text, *line_begin = begin;
	int line = 1;
	for (size_t i = 0, n; i < length; i += n) {
		n = character(begin + i, length - i);
		if (!n)
			return err_at(err, EINVAL, file, line, (int)(begin + i - line_begin) + 1,
				      "byte 0x%02x is no text, expected YAML or JSON in UTF-8", begin[i]);
		if (begin[i] == '\n') {
			line++;
			line_begin = begin + i + 1;
		}
	}
	return 0;
}

static int read_stream(struct stream *s, const char *text, size_t length, const char *file);

static bool key_is(const struct token *t, const char *name)
{
	return t->length == strlen(name) && memcmp(t->text, name, t->length) == 0;
}

/* ---- one object ------------------------------------------------------------------ */

static void warn_old_version(struct reader *r, const struct token *at,
			     const struct kind_schema *schema, const char *api_version)
{
	if (strcmp(schema->group_version, api_version) != 0)
		read_warn(r, at, "%s %s is deprecated; it is read as %s %s", api_version,
			  schema->name, schema->group_version, schema->name);
}

static void set_namespace(struct stream *s, struct kube_object *o,
			  const struct kind_schema *schema)
{
	const char *namespace = s->options->namespace ? s->options->namespace :
				s->options->defaults ? "default" : NULL;
	if (!schema->namespaced)
		o->meta.namespace = NULL;
	else if ((!o->meta.namespace || !*o->meta.namespace) && namespace)
		o->meta.namespace = kube_pool_string(s->pool, namespace, strlen(namespace));
}

/* kube-proxy's own ConfigMap holds its configuration as text. */
static int read_proxy_configuration(struct stream *s, const struct kube_object *o)
{
	const struct kube_config_map *map = (const struct kube_config_map *)o;
	const char *text = o->kind == KIND_CONFIG_MAP ? kube_map_get(&map->data, "config.conf") :
							NULL;
	if (!text || !kube_is(o->meta.name, "kube-proxy") ||
	    !kube_is(o->meta.namespace, "kube-system"))
		return 0;
	struct strbuf file = { 0 };
	strbuf_printf(&file, "%s:%d(config.conf)", o->file, o->line);
	bool before = s->has_proxy_configuration;
	s->has_proxy_configuration = false;
	struct stream inner = *s;
	inner.fn = NULL; /* only a configuration is wanted: it lands in `proxy_configuration` */
	inner.proxy_configuration = NULL;
	int code = read_stream(&inner, text, strlen(text), file.data);
	s->has_proxy_configuration = before;
	strbuf_free(&file);
	if (inner.proxy_configuration && !s->proxy_configuration)
		s->proxy_configuration = inner.proxy_configuration;
	else
		kube_unref(inner.proxy_configuration);
	return code;
}

static int deliver(struct stream *s, struct kube_object *o, const struct kind_schema *schema)
{
	if (schema->convert)
		schema->convert(o);
	if (s->options->defaults && schema->set_defaults)
		schema->set_defaults(o);
	if (!s->fn) {
		if (o->kind == KIND_KUBE_PROXY_CONFIGURATION && !s->proxy_configuration)
			s->proxy_configuration = o;
		else
			kube_unref(o);
		return 0;
	}
	if (o->kind == KIND_KUBE_PROXY_CONFIGURATION)
		s->has_proxy_configuration = true;
	int code = read_proxy_configuration(s, o);
	if (code) {
		kube_unref(o);
		return code;
	}
	return s->fn(s->ctx, o, s->err);
}

static int read_object(struct stream *s, struct reader *r, const struct token *first,
		       const struct kind_schema *schema)
{
	struct kube_object *o = arena_alloc(kube_pool_arena(s->pool), schema->size);
	o->kind = schema->kind;
	o->references = 1;
	o->arena = kube_pool_arena(s->pool);
	o->pool = kube_pool_ref(s->pool);
	o->api_version = schema->group_version;
	o->file = kube_pool_string(s->pool, r->file, strlen(r->file));
	o->line = first->line;
	int code = read_fields(r, schema->fields, o, NULL);
	if (!code && !kube_kind_is_config(schema->kind) && (!o->meta.name || !*o->meta.name) &&
	    !o->meta.generate_name)
		code = err_at(s->err, EINVAL, r->file, first->line, first->column,
			      "this %s has no metadata.name, expected a name", schema->name);
	if (code) {
		kube_unref(o);
		return code;
	}
	set_namespace(s, o, schema);
	return deliver(s, o, schema);
}

/* ---- lists ------------------------------------------------------------------------ */

static int read_items(struct stream *s, struct reader *r, const struct token *value,
		      const struct type_meta *item_type, int depth)
{
	struct token t;
	if (value->kind != TOKEN_LIST)
		return err_at(s->err, EINVAL, r->file, value->line, value->column,
			      "items is no list, expected a list of objects");
	for (;;) {
		int code = tokens_next(r->tokens, &t, s->err);
		if (code || t.kind == TOKEN_LIST_END)
			return code;
		if (t.kind != TOKEN_MAP)
			return err_at(s->err, EINVAL, r->file, t.line, t.column,
				      "an item is no mapping, expected an object");
		code = read_document(s, r, &t, item_type, depth + 1);
		if (code)
			return code;
		if (depth == 0)
			arena_reset(s->scratch);
	}
}

/* The rest of a list's mapping. Items may come before `kind`, as kubectl prints them. */
static int read_list(struct stream *s, struct reader *r, const struct token *first,
		     const struct type_meta *item_type, int depth)
{
	struct token key, value;
	if (depth >= LIST_DEPTH)
		return err_at(s->err, EINVAL, r->file, first->line, first->column,
			      "lists are nested deeper than %d, expected fewer", LIST_DEPTH);
	for (;;) {
		int code = tokens_next(r->tokens, &key, s->err);
		if (code || key.kind == TOKEN_MAP_END)
			return code;
		bool items = key.kind == TOKEN_SCALAR && key_is(&key, "items");
		if (key.kind != TOKEN_SCALAR)
			return err_at(s->err, EINVAL, r->file, key.line, key.column,
				      "a key is no string, expected one");
		code = tokens_next(r->tokens, &value, s->err);
		if (!code)
			code = items ? read_items(s, r, &value, item_type, depth) :
				       tokens_skip(r->tokens, &value, s->err);
		if (code)
			return code;
	}
}

/* ---- documents --------------------------------------------------------------------- */

/* Reads ahead until apiVersion and kind are known, or `items`, which only lists have. */
static int find_type(struct stream *s, struct reader *r, struct type_meta *out)
{
	struct token key, value;
	while (!(out->api_version && out->kind)) {
		int code = tokens_next(r->tokens, &key, s->err);
		if (code || key.kind == TOKEN_MAP_END)
			return code;
		bool scalar = key.kind == TOKEN_SCALAR;
		const char **want = scalar && key_is(&key, "kind") ? &out->kind :
				    scalar && key_is(&key, "apiVersion") ? &out->api_version : NULL;
		out->has_items = scalar && key_is(&key, "items");
		if (out->has_items && !out->kind)
			return 0;
		if (!scalar) {
			code = tokens_skip(r->tokens, &key, s->err);
			if (code)
				return code;
		}
		code = tokens_next(r->tokens, &value, s->err);
		if (code)
			return code;
		if (want && value.kind == TOKEN_SCALAR)
			*want = kube_pool_string(s->pool, value.text, value.length);
		code = tokens_skip(r->tokens, &value, s->err);
		if (code)
			return code;
	}
	return 0;
}

/* "List" or "<Kind>List": the items' kind, when the list's name tells it. */
static bool is_list_kind(struct stream *s, const struct type_meta *t, struct type_meta *items)
{
	size_t length = t->kind ? strlen(t->kind) : 0;
	*items = (struct type_meta){ 0 };
	if (t->has_items && !t->kind)
		return true;
	if (length < 4 || strcmp(t->kind + length - 4, "List") != 0)
		return false;
	if (length > 4) {
		items->api_version = t->api_version;
		items->kind = kube_pool_string(s->pool, t->kind, length - 4);
	}
	return true;
}

static int read_document(struct stream *s, struct reader *r, const struct token *first,
			 const struct type_meta *expected, int depth)
{
	struct type_meta type = { 0 }, items;
	tokens_mark(r->tokens);
	int code = find_type(s, r, &type);
	if (code)
		return code;
	tokens_rewind(r->tokens);
	if (expected && !type.kind)
		type.kind = expected->kind;
	if (expected && !type.api_version)
		type.api_version = expected->api_version;
	if (is_list_kind(s, &type, &items))
		return read_list(s, r, first, items.kind ? &items : NULL, depth);
	if (!type.kind || !type.api_version)
		return err_at(
		    s->err, EINVAL, r->file, first->line, first->column,
		    "%s is missing, expected a Kubernetes object with apiVersion and kind",
		    !type.kind && !type.api_version ? "apiVersion and kind"
		    : type.kind			    ? "apiVersion"
						    : "kind");
	const struct kind_schema *schema = kube_schema_find(type.api_version, type.kind);
	if (!schema) {
		read_warn(r, first, "kind %s in %s is not known here; the object is left out",
			  type.kind, type.api_version);
		return tokens_skip(r->tokens, first, s->err);
	}
	warn_old_version(r, first, schema, type.api_version);
	return read_object(s, r, first, schema);
}

static int read_top(struct stream *s, struct reader *r)
{
	struct token t;
	for (;;) {
		int code = tokens_next(r->tokens, &t, s->err);
		if (code || t.kind == TOKEN_END)
			return code;
		if (t.kind == TOKEN_DOCUMENT || t.kind == TOKEN_DOCUMENT_END ||
		    (t.kind == TOKEN_SCALAR && t.plain && (!t.length || key_is(&t, "null"))))
			continue;
		if (t.kind != TOKEN_MAP)
			return err_at(s->err, EINVAL, r->file, t.line, t.column,
				      "the document is no mapping, expected a Kubernetes object");
		code = read_document(s, r, &t, NULL, 0);
		if (code)
			return code;
		arena_reset(s->scratch);
	}
}

static int read_stream(struct stream *s, const char *text, size_t length, const char *file)
{
	int code = check_text(text, length, file, s->err);
	if (code)
		return code;
	struct reader r = { .tokens = tokens_open(text, length, file, true), .pool = s->pool,
			    .scratch = s->scratch, .warnings = s->options->warnings,
			    .file = file, .err = s->err };
	code = read_top(s, &r);
	tokens_close(r.tokens);
	return code;
}

static void stream_open(struct stream *s)
{
	s->pool = kube_pool_new();
	s->scratch = arena_new();
}

/* Delivers what was kept back, and lets go. */
static int stream_end(struct stream *s, int code)
{
	struct kube_object *kept = s->proxy_configuration;
	s->proxy_configuration = NULL;
	if (kept && !code && !s->has_proxy_configuration)
		code = s->fn(s->ctx, kept, s->err);
	else
		kube_unref(kept);
	arena_free(s->scratch);
	kube_pool_seal(s->pool);
	kube_pool_unref(s->pool);
	return code;
}

int manifest_read(const char *text, size_t length, const char *file,
		  const struct manifest_options *options, manifest_object_fn *fn, void *ctx,
		  struct err *err)
{
	struct stream s = { .options = options, .fn = fn, .ctx = ctx, .err = err };
	stream_open(&s);
	return stream_end(&s, read_stream(&s, text, length, file));
}

/* ---- snapshots ----------------------------------------------------------------------- */

static int store_object(void *ctx, struct kube_object *o, struct err *err)
{
	struct kube_store *s = ctx;
	if (kube_kind_is_config(o->kind)) {
		o->meta.name = "";
		if (kube_store_get(s, o->kind, NULL, "")) {
			int code = err_at(err, EINVAL, o->file, o->line, 0,
					  "a second %s, expected at most one",
					  kube_schema(o->kind)->name);
			kube_unref(o);
			return code;
		}
	}
	int code = kube_store_create(s, o, err);
	return code == EEXIST ? EINVAL : code;
}

/* Namespaces that objects name but nobody wrote. */
static void imply_namespaces(struct kube_store *s)
{
	for (enum kube_kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
		const struct kube_object *o;
		const char *last = NULL;
		for (uint32_t i = 0; (o = kube_store_next(s, kind, NULL, &i));) {
			const char *name = o->meta.namespace;
			if (!name || kube_is(name, last))
				continue;
			last = name;
			if (kube_store_get(s, KIND_NAMESPACE, NULL, name))
				continue;
			struct kube_object *n = kube_new(KIND_NAMESPACE);
			n->meta.name = kube_string(n, name);
			kube_schema(KIND_NAMESPACE)->set_defaults(n);
			int code = kube_store_create(s, n, NULL);
			assert(code == 0);
		}
	}
}

int manifest_load(struct kube_store *store, const char *const *files, uint32_t count,
		  struct strbuf *warnings, struct err *err)
{
	const struct manifest_options options = { .defaults = true, .warnings = warnings };
	struct stream s = { .options = &options, .fn = store_object, .ctx = store, .err = err };
	int code = 0;
	stream_open(&s);
	for (uint32_t i = 0; i < count && !code; i++) {
		struct strbuf text = { 0 };
		code = file_read(files[i], &text, err);
		if (!code)
			code = read_stream(&s, strbuf_text(&text), text.length,
					   strcmp(files[i], "-") == 0 ? "<stdin>" : files[i]);
		strbuf_free(&text);
	}
	code = stream_end(&s, code);
	if (!code)
		imply_namespaces(store);
	return code;
}
