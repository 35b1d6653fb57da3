/* kube/kubectl/select.c: which objects a command line means. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/internal.h"
#include "kube/manifest.h"

/* ---- names of kinds -------------------------------------------------------------- */

const struct kind_schema *kind_find(struct call *c, const char *word)
{
	size_t n = strcspn(word, ".");
	const struct kind_schema *s = kube_schema_by_name(arena_strndup(c->arena, word, n));
	if (s && s->group_version)
		return s;
	call_error(c, "the server doesn't have a resource type \"%s\"", word);
	return NULL;
}

static const char *group_of(const struct kind_schema *s, int *length)
{
	const char *slash = strchr(s->group_version, '/');
	*length = slash ? (int)(slash - s->group_version) : 0;
	return s->group_version;
}

static const char *with_group(struct call *c, const struct kind_schema *s, const char *word)
{
	int length;
	const char *group = group_of(s, &length);
	char *text = length ? arena_printf(c->arena, "%s.%.*s", word, length, group)
			    : arena_strdup(c->arena, word);
	for (char *p = text; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return text;
}

const char *kind_word(struct call *c, const struct kind_schema *s)
{
	return with_group(c, s, s->name);
}

const char *resource_word(struct call *c, const struct kind_schema *s)
{
	return with_group(c, s, s->plural);
}

void name_print(const struct kube_object *o, struct strbuf *out)
{
	kube_print_name(o, out);
}

void warn_endpoints(struct call *c, enum kube_kind kind)
{
	if (kind == KIND_ENDPOINTS)
		call_warn(c, "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 "
			     "EndpointSlice");
}

/* ---- arguments ------------------------------------------------------------------- */

static void target_add(struct call *c, struct selection *s, const struct kind_schema *kind,
		       const char *name)
{
	struct target *items = arena_array(c->arena, s->count + 1, sizeof *items);
	if (s->count)
		memcpy(items, s->items, s->count * sizeof *items);
	items[s->count++] = (struct target){ .schema = kind, .name = name };
	s->items = items;
}

static int slash_target(struct call *c, struct selection *s, const char *text)
{
	const char *slash = strchr(text, '/');
	if (!slash)
		return call_error(
		    c, "there is no need to specify a resource type as a separate argument "
		       "when passing arguments in resource/name form (e.g. 'kubectl get "
		       "resource/<resource_name>' instead of 'kubectl get resource "
		       "resource/<resource_name>'");
	if (slash == text || !slash[1] || strchr(slash + 1, '/'))
		return call_error(c,
				  "arguments in resource/name form must have a single resource and "
				  "name");
	const struct kind_schema *kind =
		kind_find(c, arena_strndup(c->arena, text, (size_t)(slash - text)));
	if (!kind)
		return 1;
	target_add(c, s, kind, slash + 1);
	return 0;
}

/* What `all` stands for, in the order of discovery. */
static const enum kube_kind all_kinds[] = { KIND_POD,	      KIND_REPLICATION_CONTROLLER,
					    KIND_SERVICE,     KIND_DAEMON_SET,
					    KIND_DEPLOYMENT,  KIND_REPLICA_SET,
					    KIND_STATEFUL_SET, KIND_JOB };

static int type_targets(struct call *c, struct selection *s, const char *types, uint32_t first)
{
	while (*types) {
		size_t n = strcspn(types, ",");
		const char *word = arena_strndup(c->arena, types, n);
		types += n + (types[n] == ',');
		if (strcmp(word, "all") == 0) {
			for (size_t i = 0; i < sizeof all_kinds / sizeof *all_kinds; i++)
				target_add(c, s, kube_schema(all_kinds[i]), NULL);
			continue;
		}
		const struct kind_schema *kind = kind_find(c, word);
		if (!kind)
			return 1;
		if (first == c->arg_count)
			target_add(c, s, kind, NULL);
		for (uint32_t i = first; i < c->arg_count; i++)
			target_add(c, s, kind, c->args[i]);
	}
	return 0;
}

int select_parse(struct call *c, uint32_t first, struct selection *out)
{
	*out = (struct selection){ 0 };
	if (first >= c->arg_count)
		return 0;
	bool any = false;
	for (uint32_t i = first; i < c->arg_count; i++)
		any = any || strchr(c->args[i], '/');
	if (any) {
		out->slashes = true;
		for (uint32_t i = first; i < c->arg_count; i++)
			if (slash_target(c, out, c->args[i]))
				return 1;
		return 0;
	}
	return type_targets(c, out, c->args[first], first + 1);
}

/* ---- label selectors ------------------------------------------------------------- */

static char *trim(char *s)
{
	while (*s == ' ')
		s++;
	for (size_t n = strlen(s); n && s[n - 1] == ' '; n--)
		s[n - 1] = '\0';
	return s;
}

static void values_add(struct call *c, struct kube_strings *l, const char *value)
{
	const char **items = arena_array(c->arena, l->count + 1, sizeof *items);
	if (l->count)
		memcpy(items, l->items, l->count * sizeof *items);
	items[l->count++] = value;
	l->items = items;
}

/* "in (a,b)" or "notin (a,b)" behind a key. */
static bool set_requirement(struct call *c, char *text, struct kube_selector_requirement *r)
{
	char *space = strchr(text, ' '), *open = strchr(text, '('), *close = strrchr(text, ')');
	if (!space || !open || !close || close < open)
		return false;
	*open = *close = '\0';
	char *op = trim(space + 1);
	*space = '\0';
	r->key = trim(text);
	r->op = strcmp(op, "in") == 0 ? "In" : strcmp(op, "notin") == 0 ? "NotIn" : NULL;
	for (char *p = open + 1; *p;) {
		size_t n = strcspn(p, ",");
		values_add(c, &r->values, trim(arena_strndup(c->arena, p, n)));
		p += n + (p[n] == ',');
	}
	return r->op != NULL;
}

static bool requirement(struct call *c, char *text, struct kube_selector_requirement *r)
{
	*r = (struct kube_selector_requirement){ 0 };
	text = trim(text);
	if (!*text)
		return false;
	if (strchr(text, '('))
		return set_requirement(c, text, r);
	char *eq = strchr(text, '=');
	if (eq) {
		bool no = eq > text && eq[-1] == '!';
		r->op = no ? "NotIn" : "In";
		values_add(c, &r->values, trim(eq + 1 + (eq[1] == '=')));
		eq[no ? -1 : 0] = '\0';
		r->key = trim(text);
		return *r->key != '\0';
	}
	r->op = *text == '!' ? "DoesNotExist" : "Exists";
	r->key = trim(text + (*text == '!'));
	return *r->key && !strchr(r->key, ' ');
}

bool selector_parse(struct call *c, const char *text, struct kube_selector *out)
{
	*out = (struct kube_selector){ .set = true };
	char *copy = arena_strdup(c->arena, text);
	while (*copy) {
		size_t n = 0, depth = 0;
		for (; copy[n] && (copy[n] != ',' || depth); n++)
			depth += copy[n] == '(' ? 1 : copy[n] == ')' && depth ? (size_t)-1 : 0;
		uint32_t count = out->expressions.count;
		struct kube_selector_requirement *items =
			arena_array(c->arena, count + 1, sizeof *items);
		if (count)
			memcpy(items, out->expressions.items, count * sizeof *items);
		out->expressions.items = items;
		if (!requirement(c, arena_strndup(c->arena, copy, n), &items[count])) {
			call_error(
			    c,
			    "unable to parse requirement: found '%.*s', expected: a key with "
			    "=, !=, in or notin",
			    (int)n, copy);
			return false;
		}
		out->expressions.count = count + 1;
		copy += n + (copy[n] == ',');
	}
	return true;
}

static bool labels_match(const struct kube_selector *s, const struct kube_map *labels)
{
	for (uint32_t i = 0; i < s->expressions.count; i++) {
		const struct kube_selector_requirement *r = &s->expressions.items[i];
		const char *have = kube_map_get(labels, r->key);
		bool in = false;
		for (uint32_t j = 0; have && j < r->values.count; j++)
			in = in || strcmp(have, r->values.items[j]) == 0;
		bool ok = kube_is(r->op, "Exists")	   ? have != NULL
			  : kube_is(r->op, "DoesNotExist") ? have == NULL
			  : kube_is(r->op, "In")	   ? in : !in;
		if (!ok)
			return false;
	}
	return true;
}

/* metadata.name, metadata.namespace, status.phase, spec.nodeName, type, reason, ... by path */
static bool fields_match(struct call *c, const char *text, const struct kube_object *o)
{
	struct value *root = value_from_object(c->arena, o);
	while (*text) {
		size_t n = strcspn(text, ","), key = strcspn(text, "=!");
		if (key >= n)
			return false; /* no operator */
		const char *path = arena_strndup(c->arena, text, key);
		const char *want = text + key;
		bool no = *want == '!';
		want += strspn(want, "=!");
		const char *value = arena_strndup(c->arena, want, n - (size_t)(want - text));
		struct value *found = value_path(root, path);
		const char *have = found && found->type == VALUE_STRING ? found->text : "";
		if ((strcmp(have, value) == 0) == no)
			return false;
		text += n + (text[n] == ',');
	}
	return true;
}

/* ---- looking up ------------------------------------------------------------------ */

static struct group *group_need(struct found *f, const struct kind_schema *s)
{
	for (uint32_t i = 0; i < f->group_count; i++)
		if (f->groups[i].schema == s)
			return &f->groups[i];
	if (f->group_count == f->group_capacity) {
		uint32_t capacity = f->group_capacity ? 2 * f->group_capacity : 8;
		f->groups = mem_grow(f->groups, f->group_capacity, capacity, sizeof *f->groups);
		f->group_capacity = capacity;
	}
	struct group *g = &f->groups[f->group_count++];
	*g = (struct group){ .schema = s };
	return g;
}

static void group_add(struct group *g, const struct kube_object *o)
{
	if (g->count == g->capacity) {
		uint32_t capacity = g->capacity ? 2 * g->capacity : 16;
		g->items = mem_grow(g->items, g->capacity, capacity, sizeof *g->items);
		g->capacity = capacity;
	}
	g->items[g->count++] = kube_ref(o);
}

static void find_named(struct call *c, const struct target *t, struct found *out)
{
	const char *namespace = !t->schema->namespaced ? NULL
				: t->namespace ? t->namespace : call_namespace(c);
	const struct kube_object *o =
		kube_store_get(c->k->store, t->schema->kind, namespace, t->name);
	struct group *g = group_need(out, t->schema);
	if (o) {
		group_add(g, o);
		return;
	}
	out->missing = true;
	strbuf_printf(&out->said, "Error from server (NotFound): %s \"%s\" not found\n",
		      resource_word(c, t->schema), t->name);
}

static void find_all(struct call *c, const struct target *t, const struct kube_selector *labels,
		     struct found *out)
{
	const char *namespace =
	    t->schema->namespaced && !call_flag_on(c, "all-namespaces") ? call_namespace(c) : NULL;
	const char *fields = call_flag(c, "field-selector");
	struct group *g = group_need(out, t->schema);
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next(c->k->store, t->schema->kind, namespace, &i));)
		if ((!labels || labels_match(labels, &o->meta.labels)) &&
		    (!fields || fields_match(c, fields, o)))
			group_add(g, o);
}

int select_find(struct call *c, const struct selection *s, struct found *out)
{
	struct kube_selector labels;
	const char *text = call_flag(c, "selector");
	*out = (struct found){ 0 };
	if (text && !selector_parse(c, text, &labels))
		return 1;
	for (uint32_t i = 0; i < s->count; i++) {
		warn_endpoints(c, s->items[i].schema->kind);
		if (s->items[i].name)
			find_named(c, &s->items[i], out);
		else
			find_all(c, &s->items[i], text ? &labels : NULL, out);
	}
	return 0;
}

void found_free(struct found *f)
{
	for (uint32_t i = 0; i < f->group_count; i++) {
		for (uint32_t j = 0; j < f->groups[i].count; j++)
			kube_unref((struct kube_object *)f->groups[i].items[j]);
		free(f->groups[i].items);
	}
	free(f->groups);
	strbuf_free(&f->said);
	*f = (struct found){ 0 };
}
