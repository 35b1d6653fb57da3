/* kube/kubectl/rollout.c: rollout status, history, undo, restart, pause, resume; wait. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/jsonpath.h"
#include "kube/kubectl/describe.h"
#include "kube/kubectl/write.h"

struct target_object {
	const struct kind_schema *schema;
	const char *name;
};

/* ---- status ---------------------------------------------------------------------- */

struct following {
	struct call *c;
	const struct target_object *t;
	struct strbuf last;
	enum control_rollout state;
	struct err err;
};

/* Prints a line each time that it differs from the last one. */
static bool follow(void *arg)
{
	struct following *f = arg;
	struct strbuf line = { 0 };
	f->state = control_rollout(f->c->k->control, f->t->schema->kind, call_namespace(f->c),
				   f->t->name, &line, &f->err);
	if (line.length && (!f->last.length || strcmp(strbuf_text(&line), strbuf_text(&f->last)))) {
		strbuf_printf(f->c->out, "%s\n", strbuf_text(&line));
		strbuf_clear(&f->last);
		strbuf_puts(&f->last, strbuf_text(&line));
	}
	strbuf_free(&line);
	return f->state != ROLLOUT_WAITING;
}

static int status(struct call *c, const struct target_object *t)
{
	struct following f = { .c = c, .t = t };
	const char *watch = call_flag(c, "watch");
	int code = 0;
	if (watch && strcmp(watch, "false") == 0)
		follow(&f);
	else if (!call_wait(c, follow, &f, call_deadline(c)))
		code = call_error(c, "timed out waiting for the condition");
	if (f.state == ROLLOUT_FAILED)
		code = call_error(c, "%s", f.err.text);
	strbuf_free(&f.last);
	return code;
}

/* ---- history --------------------------------------------------------------------- */

static int history(struct call *c, const struct kube_object *o)
{
	const char *wanted = call_flag(c, "revision");
	struct control_revision *l;
	struct strbuf text = { 0 };
	uint32_t n = control_revisions(c->k->control, o, &l);
	int code = 0;
	int64_t revision = wanted ? strtoll(wanted, NULL, 10) : 0;
	if (revision) {
		const struct control_revision *found = NULL;
		for (uint32_t i = 0; i < n; i++)
			if (l[i].number == revision)
				found = &l[i];
		if (!found) {
			code = call_error(c, "unable to find the specified revision");
		} else {
			name_print(o, c->out);
			strbuf_printf(c->out, " with revision #%lld\n", (long long)revision);
			describe_template_tabs(c, found->template, c->out);
			strbuf_putc(c->out, '\n');
		}
	} else {
		name_print(o, c->out);
		strbuf_puts(c->out, " \n");
		strbuf_puts(&text, "REVISION\tCHANGE-CAUSE\n");
		for (uint32_t i = 0; i < n; i++)
			strbuf_printf(&text, "%lld\t%s\n", (long long)l[i].number,
				      text_or(l[i].cause, "<none>"));
		tabs_print(strbuf_text(&text), 0, 2, NULL, c->out);
		strbuf_putc(c->out, '\n');
	}
	strbuf_free(&text);
	free(l);
	return code;
}

/* ---- undo, restart, pause -------------------------------------------------------- */

static int undo(struct call *c, const struct kube_object *o)
{
	const char *to = call_flag(c, "to-revision");
	struct strbuf said = { 0 };
	struct err err = { "" };
	const struct kube_object *held = kube_ref(o);
	int code = control_rollout_undo(c->k->control, o->kind, o->meta.namespace, o->meta.name,
					to ? strtoll(to, NULL, 10) : 0, &said, &err);
	if (code)
		code = call_error(c, "%s", err.text);
	else
		code = say_done(c, held, strbuf_text(&said));
	strbuf_free(&said);
	kube_unref((struct kube_object *)held);
	return code;
}

static int restart(struct call *c, const struct kube_object *o)
{
	struct err err = { "" };
	const struct kube_object *held = kube_ref(o);
	int code = control_rollout_restart(c->k->control, o->kind, o->meta.namespace, o->meta.name,
					   &err);
	code = code ? call_error(c, "%s", err.text) : say_done(c, held, "restarted");
	kube_unref((struct kube_object *)held);
	return code;
}

static int pause_or_resume(struct call *c, const struct kube_object *o, bool pause)
{
	struct err err = { "" };
	const struct kube_object *held = kube_ref(o);
	int code;
	if (o->kind != KIND_DEPLOYMENT)
		code = call_error(c, "%s \"%s\" %s is not supported",
				  resource_word(c, kube_schema(o->kind)), o->meta.name,
				  pause ? "pausing" : "resuming");
	else if (control_rollout_pause(c->k->control, o->meta.namespace, o->meta.name, pause, &err))
		code = call_error(c, "%s", err.text);
	else
		code = say_done(c, held, pause ? "paused" : "resumed");
	kube_unref((struct kube_object *)held);
	return code;
}

static int act(struct call *c, const char *what, const struct kube_object *o)
{
	struct target_object t = { kube_schema(o->kind), arena_strdup(c->arena, o->meta.name) };
	if (!strcmp(what, "status"))
		return status(c, &t);
	if (!strcmp(what, "history"))
		return history(c, o);
	if (!strcmp(what, "undo"))
		return undo(c, o);
	if (!strcmp(what, "restart"))
		return restart(c, o);
	return pause_or_resume(c, o, !strcmp(what, "pause"));
}

int rollout_run(struct call *c)
{
	static const char *const known[] = { "status",	"history", "undo",
					     "restart", "pause",   "resume" };
	const char *what = c->arg_count ? c->args[0] : "";
	struct selection s;
	struct found f;
	bool ok = false;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		ok = ok || !strcmp(known[i], what);
	if (!ok)
		return call_error(
		    c,
		    "unknown command \"rollout %s\", expected history, pause, restart, "
		    "resume, status or undo",
		    what);
	if (!c->k->control)
		return call_error(c, "rollouts need running controllers");
	if (select_parse(c, 1, &s))
		return 1;
	if (!s.count)
		return call_error(c, "required resource not specified");
	if (select_find(c, &s, &f)) {
		found_free(&f);
		return 1;
	}
	int code = 0;
	for (uint32_t i = 0; i < f.group_count; i++)
		for (uint32_t j = 0; j < f.groups[i].count; j++)
			code |= act(c, what, f.groups[i].items[j]);
	if (f.missing) {
		strbuf_puts(c->err, strbuf_text(&f.said));
		code = 1;
	}
	found_free(&f);
	return code;
}

/* ---- wait ------------------------------------------------------------------------ */

struct wait_for {
	struct call *c;
	const struct selection *s;
	const char *what;       /* "delete", "condition=Ready", "jsonpath={.a}=b", "create" */
	const struct kube_object *open; /* the first that is not there yet */
};

static bool condition_is(struct call *c, const struct kube_object *o, const char *text)
{
	size_t n = strcspn(text, "=");
	const char *status = text[n] == '=' ? text + n + 1 : "true";
	const char *type = arena_strndup(c->arena, text, n);
	struct value *l = value_path(value_from_object(c->arena, o), "status.conditions");
	for (uint32_t i = 0; l && i < l->count; i++) {
		struct value *t = value_get(l->members[i].value, "type");
		struct value *s = value_get(l->members[i].value, "status");
		if (t && s && t->text && s->text && !strcasecmp(t->text, type))
			return !strcasecmp(s->text, status);
	}
	return false;
}

static bool path_is(struct call *c, const struct kube_object *o, const char *text)
{
	const char *close = strchr(text, '}');
	struct jsonpath *p;
	struct strbuf out = { 0 };
	if (!close ||
	    jsonpath_parse(arena_strndup(c->arena, text, (size_t)(close - text) + 1), &p, NULL))
		return false;
	bool ok =
	    !jsonpath_print(p, value_from_object(c->arena, o), false, &out, NULL) && out.length;
	if (ok && close[1] == '=')
		ok = strcmp(strbuf_text(&out), close + 2) == 0;
	jsonpath_free(p);
	strbuf_free(&out);
	return ok;
}

static bool met(const struct wait_for *w, const struct kube_object *o)
{
	if (strncmp(w->what, "condition=", 10) == 0)
		return condition_is(w->c, o, w->what + 10);
	if (strncmp(w->what, "jsonpath=", 9) == 0)
		return path_is(w->c, o, w->what + 9);
	return strcmp(w->what, "create") == 0;
}

static bool all_met(void *arg)
{
	struct wait_for *w = arg;
	struct found f;
	bool ok = !select_find(w->c, w->s, &f), gone = strcmp(w->what, "delete") == 0;
	uint32_t count = 0;
	for (uint32_t i = 0; ok && i < f.group_count; i++)
		for (uint32_t j = 0; j < f.groups[i].count; j++, count++)
			ok = ok && !gone && met(w, f.groups[i].items[j]);
	if (gone)
		ok = count == 0;
	else if (strcmp(w->what, "create") == 0)
		ok = count > 0;
	else
		ok = ok && !f.missing;
	found_free(&f);
	return ok;
}

int wait_run(struct call *c)
{
	struct selection s;
	struct found before;
	struct wait_for w = { .c = c, .s = &s, .what = call_flag(c, "for") };
	const char *text = call_flag(c, "timeout");
	int64_t ns = 30 * NS_PER_S;
	if (!w.what)
		return call_error(c, "required flag(s) \"for\" not set");
	if (select_parse(c, 0, &s))
		return 1;
	if (!s.count)
		return nothing_given(c);
	if (text && !kube_duration_parse(text, &ns))
		return call_error(c, "invalid argument \"%s\" for \"--timeout\" flag", text);
	if (select_find(c, &s, &before)) {
		found_free(&before);
		return 1;
	}
	int code = 0;
	bool absent = before.missing && strcmp(w.what, "delete") && strcmp(w.what, "create");
	if (absent) {
		strbuf_puts(c->err, strbuf_text(&before.said));
		found_free(&before);
		return 1;
	}
	bool ok = call_wait(c, all_met, &w, ns < 0 ? INT64_MAX : call_now(c) + ns);
	if (strcmp(w.what, "create") == 0) {
		found_free(&before);
		select_find(c, &s, &before);
	}
	for (uint32_t i = 0; i < before.group_count; i++)
		for (uint32_t j = 0; j < before.groups[i].count; j++) {
			const struct kube_object *o = before.groups[i].items[j];
			struct strbuf name = { 0 };
			name_print(o, &name);
			if (ok)
				strbuf_printf(c->out, "%s condition met\n", strbuf_text(&name));
			else
				code = call_error(c, "timed out waiting for the condition on %s/%s",
						  resource_word(c, kube_schema(o->kind)),
						  o->meta.name);
			strbuf_free(&name);
		}
	found_free(&before);
	return code;
}
