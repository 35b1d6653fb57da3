/* cli/picture.c: svclab picture: a packet's way as SVG. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cluster.h"
#include "cli/commands.h"
#include "core/file.h"
#include "report/picture.h"

struct arguments {
	const char *kind, *file;
	uint32_t outcome; /* from 1 */
	int width;
};

static const struct argp_option option_list[] = {
	{ "outcome", 'n', "N", 0, "Which outcome of an exhaustive trace (default 1, the first)", 0 },
	{ "width", 'w', "PIXELS", 0, "Width of the picture, 240 to 4000 (default 760)", 0 },
	{ 0 }
};

static unsigned long number(const char *option, const char *text, unsigned long low, unsigned long high,
			    struct argp_state *state)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (!*text || *end || *text == '-' || errno || value < low || value > high)
		argp_error(state, "--%s %s: expected a number from %lu to %lu", option, text, low, high);
	return value;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	switch (key) {
	case 'n':
		a->outcome = (uint32_t)number("outcome", text, 1, UINT32_MAX, state);
		return 0;
	case 'w':
		a->width = (int)number("width", text, PICTURE_NARROWEST, PICTURE_WIDEST, state);
		return 0;
	case ARGP_KEY_ARG:
		if (!a->kind && strcmp(text, "packet") != 0)
			argp_error(state, "no picture \"%s\"; expected packet", text);
		else if (!a->kind)
			a->kind = text;
		else if (state->arg_num == 1)
			a->file = text;
		else
			argp_error(state, "%s: expected one file only", text);
		return 0;
	case ARGP_KEY_END:
		if (!a->kind)
			argp_error(state, "expected packet");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- svclab trace -o json, read back --------------------------------------------- */

static const char *string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static enum trace_verdict verdict_named(const char *name)
{
	for (enum trace_verdict v = TRACE_DELIVERED; v <= TRACE_UNANSWERED; v++)
		if (strcmp(trace_verdict_name(v), name) == 0)
			return v;
	return TRACE_NONE;
}

static int read_step(const char *file, size_t at, const json_t *j, struct trace *t, struct err *err)
{
	static const char *const needed[] = { "node", "hook", "table", "chain", "text", "note" };
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!json_is_string(json_object_get(j, needed[i])))
			return err_set(err, EINVAL, "%s: step %zu has no text \"%s\"; expected the output of "
					"`svclab trace -o json`", file, at + 1, needed[i]);
	json_int_t rule = json_integer_value(json_object_get(j, "rule"));
	struct trace_step step = { .node = string(j, "node"), .hook = string(j, "hook"),
				   .table = string(j, "table"), .chain = string(j, "chain"),
				   .text = string(j, "text"), .note = string(j, "note"),
				   .rule = rule > 0 && rule <= UINT32_MAX ? (uint32_t)rule : 0,
				   .passed_over = json_is_true(json_object_get(j, "passed_over")) };
	trace_add(t, &step);
	return 0;
}

static int read_outcome(const char *file, const json_t *j, struct trace *t, struct err *err)
{
	const json_t *steps = json_object_get(j, "steps");
	if (!json_is_array(steps))
		return err_set(err, EINVAL, "%s: the outcome has no array \"steps\"; expected the output of "
				"`svclab trace -o json`", file);
	for (size_t i = 0; i < json_array_size(steps); i++) {
		int code = read_step(file, i, json_array_get(steps, i), t, err);
		if (code)
			return code;
	}
	enum trace_verdict v = verdict_named(string(j, "verdict"));
	if (v == TRACE_NONE)
		return err_set(err, EINVAL, "%s: verdict \"%s\"; expected delivered, rejected, dropped, "
				"no-route or unanswered", file, string(j, "verdict"));
	trace_verdict(t, v, "%s", string(j, "reason"));
	return 0;
}

static void summarise(const json_t *outcome, size_t count, struct strbuf *out)
{
	const json_t *backend = json_object_get(outcome, "backend");
	if (count > 1)
		strbuf_printf(out, "probability %.8g; ", json_number_value(json_object_get(outcome, "probability")));
	if (json_is_object(backend))
		strbuf_printf(out, "backend %s%s%s; ", string(backend, "pod"), *string(backend, "pod") ? " " : "",
			      string(backend, "ip"));
	if (*string(outcome, "client_seen_by_server"))
		strbuf_printf(out, "the server sees %s; ", string(outcome, "client_seen_by_server"));
	strbuf_printf(out, "%lld rules evaluated",
		      (long long)json_integer_value(json_object_get(outcome, "rules_evaluated")));
}

static int draw(const struct arguments *a, const json_t *report, struct strbuf *out, struct err *err)
{
	const json_t *outcomes = json_object_get(report, "outcomes");
	size_t count = json_array_size(outcomes);
	if (!count)
		return err_set(err, EINVAL, "%s: no array \"outcomes\" with one or more entries; expected the "
				"output of `svclab trace -o json`", a->file);
	if (a->outcome > count)
		return err_set(err, EINVAL, "%s: --outcome %u: expected 1 to %zu", a->file, a->outcome, count);
	const json_t *outcome = json_array_get(outcomes, a->outcome - 1);
	struct trace *t = trace_new();
	struct strbuf title = { 0 }, summary = { 0 };
	int code = read_outcome(a->file, outcome, t, err);
	if (!code) {
		strbuf_printf(&title, "%s -> %s, %s", string(report, "from"), string(report, "to"),
			      string(report, "dataplane"));
		summarise(outcome, count, &summary);
		picture_packet(t, strbuf_text(&title), strbuf_text(&summary), a->width, out);
	}
	strbuf_free(&title);
	strbuf_free(&summary);
	trace_free(t);
	return code;
}

int cmd_picture(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list, .parser = parse, .args_doc = "packet [TRACE]",
		.doc = "Draws the way of a packet through nodes, hooks and chains as a self-contained SVG.\v"
		       "TRACE is what `svclab trace -o json` printed; without it, or as -, standard input:\n\n"
		       "  svclab trace -f cluster.yaml pod/cli svc/web:80 -o json | svclab picture packet > web.svg\n\n"
		       "The rules are the chips' tooltips. Exit codes: 0 drawn, 2 usage or load error." };
	struct arguments a = { .file = "-", .outcome = 1, .width = PICTURE_WIDTH };
	struct strbuf text = { 0 }, out = { 0 };
	struct err err = { "" };
	json_error_t wrong;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	int code = file_read(a.file, &text, &err);
	json_t *report = code ? NULL : json_loadb(strbuf_text(&text), text.length, 0, &wrong);
	if (!code && !report)
		code = err_at(&err, EINVAL, a.file, wrong.line, wrong.column, "%s; expected the output of "
			      "`svclab trace -o json`", wrong.text);
	if (!code)
		code = draw(&a, report, &out, &err);
	fwrite(strbuf_text(&out), 1, out.length, stdout);
	json_decref(report);
	strbuf_free(&text);
	strbuf_free(&out);
	return code ? fail(argv[0], &err) : EXIT_PASS;
}
