/* kube/kubectl/write.c: what all writing verbs share: success lines, dry runs, files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/write.h"
#include "kube/manifest.h"

const char *object_namespace(const struct kube_object *o)
{
	return kube_schema(o->kind)->namespaced ? o->meta.namespace : NULL;
}

const char *dry_suffix(struct call *c)
{
	switch (call_dry_run(c)) {
	case DRY_CLIENT:
		return " (dry run)";
	case DRY_SERVER:
		return " (server dry run)";
	default:
		return "";
	}
}

int nothing_given(struct call *c)
{
	return call_error(c, "You must provide one or more resources by argument or filename.\n"
			     "Example resource specifications include:\n"
			     "   '-f rsrc.yaml'\n"
			     "   '--filename=rsrc.json'\n"
			     "   '<resource> <name>'\n"
			     "   '<resource>'");
}

bool pair_parse(struct call *c, const char *text, const char **key, const char **value)
{
	const char *eq = strchr(text, '=');
	if (!eq || eq == text)
		return false;
	*key = arena_strndup(c->arena, text, (size_t)(eq - text));
	*value = eq + 1;
	return true;
}

int say_done(struct call *c, const struct kube_object *o, const char *words)
{
	const char *format = call_flag(c, "output");
	if (format && !output_is_table(format))
		return output_print(c, format, &o, 1, false);
	name_print(o, c->out);
	strbuf_printf(c->out, " %s%s\n", words, dry_suffix(c));
	return 0;
}

int write_back(struct call *c, struct kube_object *copy, const char *words, const char *same)
{
	struct kube_answer answer = { 0 };
	int code;
	if (call_dry_run(c) != DRY_NONE) {
		code = say_done(c, copy, words);
		kube_unref(copy);
		return code;
	}
	struct kube_object *o = kube_ref(copy);
	if (kube_admit_update(c->k->admit, copy, &answer)) {
		code = call_refused(c, &answer, NULL);
	} else {
		call_warnings(c, &answer);
		code = answer.unchanged && !same ? 0
						 : say_done(c, o, answer.unchanged ? same : words);
	}
	kube_answer_free(&answer);
	kube_unref(o);
	return code;
}

int create_object(struct call *c, struct kube_object *o, const char *doing)
{
	struct kube_answer answer = { 0 };
	int code;
	struct kube_object *named = kube_ref(o);
	if (call_dry_run(c) != DRY_NONE) {
		code = say_done(c, o, "created");
		kube_unref(o);
	} else if (kube_admit_create(c->k->admit, o, &answer)) {
		code = call_refused(c, &answer, doing);
	} else {
		call_warnings(c, &answer);
		const struct kube_object *now = kube_store_get(
			c->k->store, named->kind, named->meta.namespace, named->meta.name);
		code = say_done(c, now ? now : named, "created");
	}
	kube_answer_free(&answer);
	kube_unref(named);
	return code;
}

/* ---- files ----------------------------------------------------------------------- */

struct reading {
	struct call *c;
	const char *path;
	int (*fn)(struct call *c, const char *path, struct kube_object *o);
	int code;
	uint32_t count;
};

static int read_object(void *ctx, struct kube_object *o, struct err *err)
{
	struct reading *r = ctx;
	struct call *c = r->c;
	const char *wanted = call_flag(c, "namespace");
	(void)err;
	r->count++;
	if (kube_schema(o->kind)->namespaced && !o->meta.namespace) {
		o->meta.namespace = kube_string(o, call_namespace(c));
	} else if (kube_schema(o->kind)->namespaced && wanted &&
		   strcmp(wanted, o->meta.namespace) != 0) {
		r->code =
		    call_error(c,
			       "the namespace from the provided object \"%s\" does not match "
			       "the namespace \"%s\". You must pass '--namespace=%s' to perform "
			       "this operation.",
			       o->meta.namespace, wanted, o->meta.namespace);
		kube_unref(o);
		return 0;
	}
	if (r->fn(c, r->path, o))
		r->code = 1; /* the other objects of the file are tried all the same */
	return 0;
}

struct places { /* where the objects of a file begin */
	struct { int line; enum kube_kind kind; } items[512];
	uint32_t count;
};

/* "Service in version "v1" cannot be handled as a Service: ", by the line of a warning. */
static const char *handled_as(struct call *c, const struct places *p, const char *warning)
{
	const char *colon = strchr(warning, ':');
	long line = colon ? strtol(colon + 1, NULL, 10) : 0;
	const struct kind_schema *s = NULL;
	for (uint32_t i = 0; i < p->count && p->items[i].line <= line; i++)
		s = kube_schema(p->items[i].kind);
	if (!s)
		return "";
	const char *version = strchr(s->group_version, '/');
	return arena_printf(c->arena, "%s in version \"%s\" cannot be handled as a %s: ", s->name,
			    version ? version + 1 : s->group_version, s->name);
}

/* Warnings of the reader: an unknown field is refused as the server refuses it (strict
 * decoding); the rest is shown. */
static int strict(struct call *c, const char *path, const char *warnings, const struct places *p)
{
	const char *mode = call_flag(c, "validate");
	bool lax =
	    mode && (!strcmp(mode, "ignore") || !strcmp(mode, "false") || !strcmp(mode, "warn"));
	while (*warnings) {
		size_t n = strcspn(warnings, "\n");
		const char *line = arena_strndup(c->arena, warnings, n);
		const char *field = strstr(line, "unknown field");
		if (field && !lax) {
			strbuf_printf(c->err, "Error from server (BadRequest): error when creating "
					      "\"%s\": %sstrict decoding error: %s\n", path,
				      handled_as(c, p, line), field);
			return 1;
		}
		if (!mode || strcmp(mode, "ignore") != 0)
			strbuf_printf(c->err, "Warning: %s\n", line);
		warnings += n + (warnings[n] == '\n');
	}
	return 0;
}

static int note_place(void *ctx, struct kube_object *o, struct err *err)
{
	struct places *p = ctx;
	(void)err;
	if (p->count < sizeof p->items / sizeof *p->items) {
		p->items[p->count].line = o->line;
		p->items[p->count++].kind = o->kind;
	}
	kube_unref(o);
	return 0;
}

static int read_file(struct call *c, const char *path,
		     int (*fn)(struct call *c, const char *path, struct kube_object *o),
		     uint32_t *count)
{
	const char *text = call_file(c, path);
	struct strbuf warnings = { 0 };
	struct manifest_options options = { .warnings = &warnings };
	struct places places = { .count = 0 };
	struct err err = { "" };
	if (!text)
		return 1;
	/* A first pass finds what is wrong before anything is written. */
	int code = manifest_read(text, strlen(text), path, &options, note_place, &places, &err);
	if (code)
		code = call_error(c, "error parsing %s: %s", path, err.text);
	else
		code = strict(c, path, strbuf_text(&warnings), &places);
	strbuf_free(&warnings);
	if (code)
		return code;
	struct reading r = { .c = c, .path = path, .fn = fn };
	options.warnings = NULL;
	manifest_read(text, strlen(text), path, &options, read_object, &r, &err);
	*count += r.count;
	return r.code;
}

int files_each(struct call *c, int (*fn)(struct call *c, const char *path, struct kube_object *o))
{
	const char *list;
	uint32_t count = 0;
	int code = 0;
	if (call_flag(c, "kustomize"))
		return call_error(c, "kustomizations are not part of the simulated cluster");
	for (uint32_t i = 0; (list = call_flag_nth(c, "filename", i)); i++)
		while (*list) {
			size_t n = strcspn(list, ",");
			if (read_file(c, arena_strndup(c->arena, list, n), fn, &count))
				code = 1;
			list += n + (list[n] == ',');
		}
	if (!count && !code)
		return call_error(c, "no objects passed to %s", c->verb);
	return code;
}

struct target_reading { struct call *c; struct selection *s; };

static int add_target(void *ctx, struct kube_object *o, struct err *err)
{
	struct target_reading *r = ctx;
	struct target *items = arena_array(r->c->arena, r->s->count + 1, sizeof *items);
	(void)err;
	if (r->s->count)
		memcpy(items, r->s->items, r->s->count * sizeof *items);
	items[r->s->count++] =
	    (struct target){ .schema = kube_schema(o->kind),
			     .name = arena_strdup(r->c->arena, text_or(o->meta.name, "")),
			     .namespace = o->meta.namespace ? arena_strdup(r->c->arena, o->meta.namespace)
							    : NULL };
	r->s->items = items;
	kube_unref(o);
	return 0;
}

int files_targets(struct call *c, const char *path, const char *text, struct selection *s)
{
	struct manifest_options options = { 0 };
	struct target_reading r = { c, s };
	struct err err = { "" };
	if (manifest_read(text, strlen(text), path, &options, add_target, &r, &err))
		return call_error(c, "error parsing %s: %s", path, err.text);
	return 0;
}
