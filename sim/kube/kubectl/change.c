/* kube/kubectl/change.c: scale, patch, edit, label, annotate, set. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/write.h"
#include "kube/patch.h"

/* Calls fn with each selected object; missing names are said. The exit code. */
static int each(struct call *c, const struct selection *s,
		int (*fn)(struct call *c, const struct kube_object *o))
{
	struct found f;
	int code = select_find(c, s, &f);
	for (uint32_t i = 0; !code && i < f.group_count; i++)
		for (uint32_t j = 0; j < f.groups[i].count; j++)
			if (fn(c, f.groups[i].items[j]))
				code = 1;
	if (f.missing) {
		strbuf_puts(c->err, strbuf_text(&f.said));
		code = 1;
	}
	found_free(&f);
	return code;
}

/* Arguments or -f as a selection; 0 or 1 with the error said. */
static int chosen(struct call *c, uint32_t last, struct selection *s)
{
	const char *path;
	uint32_t all = c->arg_count;
	*s = (struct selection){ 0 };
	for (uint32_t i = 0; (path = call_flag_nth(c, "filename", i)); i++) {
		const char *text = call_file(c, path);
		if (!text || files_targets(c, path, text, s))
			return 1;
	}
	if (call_flag(c, "filename"))
		return 0;
	c->arg_count = last;
	int code = select_parse(c, 0, s);
	c->arg_count = all;
	if (!code && !s->count)
		return nothing_given(c);
	return code;
}

static bool all_named(const struct selection *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (!s->items[i].name)
			return false;
	return true;
}

/* ---- scale ----------------------------------------------------------------------- */

static struct opt_int *replicas_of(struct kube_object *o)
{
	switch (o->kind) {
	case KIND_DEPLOYMENT:
		return &((struct kube_deployment *)o)->spec.replicas;
	case KIND_REPLICA_SET:
	case KIND_REPLICATION_CONTROLLER:
		return &((struct kube_replica_set *)o)->spec.replicas;
	case KIND_STATEFUL_SET:
		return &((struct kube_stateful_set *)o)->spec.replicas;
	default:
		return NULL;
	}
}

static int scale_one(struct call *c, const struct kube_object *o)
{
	struct kube_object *copy = kube_copy(o);
	struct opt_int *replicas = replicas_of(copy);
	const char *now = call_flag(c, "current-replicas");
	if (!replicas) {
		kube_unref(copy);
		strbuf_puts(c->err, "Error from server (NotFound): the server could not find the "
				    "requested resource\n");
		return 1;
	}
	if (now && replicas->value != strtoll(now, NULL, 10)) {
		long long was = replicas->value;
		kube_unref(copy);
		return call_error(c, "Expected replicas to be %s, was %lld", now, was);
	}
	*replicas = (struct opt_int){ true, strtoll(call_flag(c, "replicas"), NULL, 10) };
	return write_back(c, copy, "scaled", "scaled");
}

int scale_run(struct call *c)
{
	const char *text = call_flag(c, "replicas");
	struct selection s;
	struct found f;
	char *end;
	if (!text)
		return call_error(c, "required flag(s) \"replicas\" not set");
	long n = strtol(text, &end, 10);
	if (*end || !*text)
		return call_error(
		    c,
		    "invalid argument \"%s\" for \"--replicas\" flag: strconv.ParseInt: "
		    "parsing \"%s\": invalid syntax",
		    text, text);
	if (n < 0)
		return call_error(
		    c, "The --replicas=COUNT flag is required, and COUNT must be greater than "
		       "or equal to 0");
	if (chosen(c, c->arg_count, &s))
		return 1;
	if (select_find(c, &s, &f)) {
		found_free(&f);
		return 1;
	}
	bool missing = f.missing;
	uint32_t count = 0;
	for (uint32_t i = 0; i < f.group_count; i++)
		count += f.groups[i].count;
	if (missing && !count)
		strbuf_printf(c->err, "error: no objects passed to scale %s",
			      strbuf_text(&f.said) + strlen("Error from server (NotFound): "));
	found_free(&f);
	if (missing && !count)
		return 1;
	return each(c, &s, scale_one);
}

/* ---- patch and edit -------------------------------------------------------------- */

static int patch_one(struct call *c, const struct kube_object *o)
{
	const char *type = text_or(call_flag(c, "type"), "strategic"),
		   *text = call_flag(c, "patch");
	const char *file = call_flag(c, "patch-file");
	struct kube_object *copy;
	struct err err = { "" };
	enum patch_type kind = !strcmp(type, "merge")  ? PATCH_MERGE
			       : !strcmp(type, "json") ? PATCH_JSON : PATCH_STRATEGIC;
	if (file)
		text = call_file(c, file);
	if (!text)
		return 1;
	if (kube_patch(o, kind, text, strlen(text), file ? file : "--patch", &copy, &err))
		return call_error(c, "unable to parse \"%s\": %s", text, err.text);
	return write_back(c, copy, "patched", "patched (no change)");
}

int patch_run(struct call *c)
{
	const char *type = text_or(call_flag(c, "type"), "strategic");
	struct selection s;
	if (!call_flag(c, "patch") && !call_flag(c, "patch-file"))
		return call_error(
		    c, "must specify --patch or --patch-file containing the contents of the "
		       "patch");
	if (strcmp(type, "strategic") && strcmp(type, "merge") && strcmp(type, "json"))
		return call_error(c, "--type must be one of [json merge strategic], not \"%s\"",
				  type);
	if (chosen(c, c->arg_count, &s))
		return 1;
	if (!all_named(&s))
		return call_error(c, "resource(s) were provided, but no name was specified");
	return each(c, &s, patch_one);
}

/* What an editor would leave: a patch (--patch-file), or the whole object on the input. */
static int edit_one(struct call *c, const struct kube_object *o)
{
	struct kube_object *copy = NULL;
	struct err err = { "" };
	struct value *v;
	const char *file = call_flag(c, "patch-file"), *text = file ? call_file(c, file) : c->input;
	if (file && !text)
		return 1;
	if (!text) {
		strbuf_puts(c->out, "Edit cancelled, no changes made.\n");
		return 0;
	}
	if (!*text) {
		strbuf_puts(c->out, "Edit cancelled, saved file was empty.\n");
		return 0;
	}
	int code = file ? kube_patch(o, PATCH_STRATEGIC, text, strlen(text), file, &copy, &err)
			: value_parse(c->arena, text, strlen(text), "edited text", &v, &err);
	if (!code && !file)
		code = kube_from_value(v, "edited text", &copy, &err);
	if (code)
		return call_error(c, "Edit cancelled, no valid changes were saved: %s", err.text);
	return write_back(c, copy, "edited", "Edit cancelled, no changes made.");
}

int edit_run(struct call *c)
{
	struct selection s;
	if (chosen(c, c->arg_count, &s))
		return 1;
	return each(c, &s, edit_one);
}

/* ---- label and annotate ---------------------------------------------------------- */

/* Arguments from the first one with '=' (or ending in '-') on are changes. */
static uint32_t first_change(const struct call *c)
{
	for (uint32_t i = 0; i < c->arg_count; i++) {
		size_t n = strlen(c->args[i]);
		if (strchr(c->args[i], '=') || (n > 1 && c->args[i][n - 1] == '-'))
			return i;
	}
	return c->arg_count;
}

/* A word between the changes is none; 1: said. */
static int out_of_order(struct call *c, uint32_t first, const char *what)
{
	for (uint32_t i = first; i < c->arg_count; i++) {
		size_t n = strlen(c->args[i]);
		if (!strchr(c->args[i], '=') && !(n > 1 && c->args[i][n - 1] == '-'))
			return call_error(c, "all resources must be specified before %s changes: %s",
					  what, c->args[i]);
	}
	return 0;
}

static void map_remove(struct kube_object *o, struct kube_map *m, const char *key)
{
	struct kube_map left = { 0 };
	for (uint32_t i = 0; i < m->count; i++)
		if (strcmp(m->items[i].key, key) != 0)
			kube_map_set(o, &left, m->items[i].key, m->items[i].value);
	*m = left;
}

struct changes { bool set, removed; };

/* One "key=value" or "key-". 1: said. */
static int change_pair(struct call *c, struct kube_object *copy, struct kube_map *m,
		       const char *text, bool label, struct changes *done)
{
	const char *key, *value, *have;
	size_t n = strlen(text);
	if (!pair_parse(c, text, &key, &value)) {
		key = arena_strndup(c->arena, text, n - 1);
		if (!kube_map_get(m, key)) {
			if (label)
				strbuf_printf(c->out, "label \"%s\" not found.\n", key);
			return 0;
		}
		map_remove(copy, m, key);
		done->removed = true;
		return 0;
	}
	have = kube_map_get(m, key);
	if (have && strcmp(have, value) != 0 && !call_flag_on(c, "overwrite")) {
		if (label)
			return call_error(c,
					  "'%s' already has a value (%s), and --overwrite is false",
					  key, have);
		return call_error(
		    c,
		    "--overwrite is false but found the following declared annotation(s): "
		    "'%s' already has a value (%s)",
		    key, have);
	}
	if (!have || strcmp(have, value) != 0) {
		kube_map_set(copy, m, key, value);
		done->set = true;
	}
	return 0;
}

static int change_pairs(struct call *c, const struct kube_object *o, bool label)
{
	struct kube_object *copy = kube_copy(o);
	struct kube_map *m = label ? &copy->meta.labels : &copy->meta.annotations;
	struct changes done = { false, false };
	for (uint32_t i = first_change(c); i < c->arg_count; i++)
		if (change_pair(c, copy, m, c->args[i], label, &done)) {
			kube_unref(copy);
			return 1;
		}
	const char *words = !label	 ? "annotated"
			    : done.set	   ? "labeled"
			    : done.removed ? "unlabeled" : "not labeled";
	return write_back(c, copy, words, label ? "not labeled" : "annotated");
}

static int label_one(struct call *c, const struct kube_object *o)
{
	return change_pairs(c, o, true);
}

static int annotate_one(struct call *c, const struct kube_object *o)
{
	return change_pairs(c, o, false);
}

static int change_run(struct call *c, const char *what,
		      int (*fn)(struct call *c, const struct kube_object *o))
{
	struct selection s;
	uint32_t first = first_change(c);
	if (out_of_order(c, first, what) || chosen(c, first, &s))
		return 1;
	if (first == c->arg_count)
		return call_error(c, "at least one %s update is required", what);
	if (!all_named(&s) && !call_flag_on(c, "all") && !call_flag(c, "selector"))
		return call_error(c, "resource(s) were provided, but no name was specified");
	return each(c, &s, fn);
}

int label_run(struct call *c)
{
	return change_run(c, "label", label_one);
}

int annotate_run(struct call *c)
{
	return change_run(c, "annotation", annotate_one);
}

/* ---- set ------------------------------------------------------------------------- */

static struct kube_pod_spec *pod_spec(struct kube_object *o)
{
	struct kube_template *t = template_of(o);
	if (o->kind == KIND_POD)
		return &((struct kube_pod *)o)->spec;
	return t ? &t->spec : NULL;
}

static uint32_t set_image(struct kube_object *o, struct kube_containers *l, const char *name,
			  const char *image)
{
	uint32_t found = 0;
	for (uint32_t i = 0; i < l->count; i++)
		if (strcmp(name, "*") == 0 || kube_is(l->items[i].name, name)) {
			l->items[i].image = kube_string(o, image);
			found++;
		}
	return found;
}

static int image_one(struct call *c, const struct kube_object *o)
{
	struct kube_object *copy = kube_copy(o);
	struct kube_pod_spec *spec = pod_spec(copy);
	if (!spec) {
		kube_unref(copy);
		return call_error(c, "%s/%s is not a pod or does not have a pod template",
				  kind_word(c, kube_schema(o->kind)), o->meta.name);
	}
	for (uint32_t i = first_change(c); i < c->arg_count; i++) {
		const char *name, *image;
		if (!pair_parse(c, c->args[i], &name, &image))
			continue;
		if (!set_image(copy, &spec->containers, name, image) &&
		    !set_image(copy, &spec->init_containers, name, image)) {
			kube_unref(copy);
			return call_error(c, "unable to find container named \"%s\"", name);
		}
	}
	return write_back(c, copy, "image updated", NULL);
}

static void set_env(struct kube_object *o, struct kube_container *k, const char *name,
		    const char *value)
{
	uint32_t n = k->env.count, count = 0;
	struct kube_env *items = arena_array(o->arena, n + 1, sizeof *items);
	bool put = false;
	for (uint32_t i = 0; i < n; i++) {
		items[count] = k->env.items[i];
		if (!kube_is(items[count].name, name)) {
			count++;
		} else if (value) {
			items[count] = (struct kube_env){ .name = kube_string(o, name),
							  .value = kube_string(o, value) };
			count++;
			put = true;
		}
	}
	if (value && !put)
		items[count++] = (struct kube_env){ .name = kube_string(o, name),
						    .value = kube_string(o, value) };
	k->env.items = items;
	k->env.count = count;
}

static int env_one(struct call *c, const struct kube_object *o)
{
	struct kube_object *copy = kube_copy(o);
	struct kube_pod_spec *spec = pod_spec(copy);
	const char *only = call_flag(c, "containers");
	for (uint32_t i = first_change(c); spec && i < c->arg_count; i++) {
		const char *name, *value = NULL;
		if (!pair_parse(c, c->args[i], &name, &value))
			name = arena_strndup(c->arena, c->args[i], strlen(c->args[i]) - 1);
		for (uint32_t j = 0; j < spec->containers.count; j++)
			if (!only || strcmp(only, "*") == 0 ||
			    kube_is(spec->containers.items[j].name, only))
				set_env(copy, &spec->containers.items[j], name, value);
	}
	return write_back(c, copy, "env updated", NULL);
}

static int selector_one(struct call *c, const struct kube_object *o)
{
	struct kube_object *copy = kube_copy(o);
	if (o->kind != KIND_SERVICE) {
		kube_unref(copy);
		return call_error(c, "setting a selector is only supported for Services");
	}
	struct kube_service *s = (struct kube_service *)copy;
	s->spec.selector = (struct kube_map){ 0 };
	for (uint32_t i = first_change(c); i < c->arg_count; i++)
		for (const char *text = c->args[i]; *text;) {
			const char *key, *value;
			size_t n = strcspn(text, ",");
			if (pair_parse(c, arena_strndup(c->arena, text, n), &key, &value))
				kube_map_set(copy, &s->spec.selector, key, value);
			text += n + (text[n] == ',');
		}
	return write_back(c, copy, "selector updated", NULL);
}

int set_run(struct call *c)
{
	static const struct {
		const char *name;
		int (*fn)(struct call *c, const struct kube_object *o);
	} what[] = { { "image", image_one }, { "env", env_one }, { "selector", selector_one } };
	const char *word = c->arg_count ? c->args[0] : "";
	for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
		struct selection s;
		if (strcmp(what[i].name, word) != 0)
			continue;
		c->args++;
		c->arg_count--;
		uint32_t first = first_change(c);
		if (out_of_order(c, first, word) || chosen(c, first, &s))
			return 1;
		if (first == c->arg_count)
			return call_error(c, "at least one %s update is required", word);
		return each(c, &s, what[i].fn);
	}
	return call_error(
	    c,
	    "kubectl set %s is not part of the simulated cluster, expected image, env or "
	    "selector",
	    word);
}
