/* kube/tokens.c: see tokens.h.
 *
 * The text is cut into documents at its "---" and "..." lines. Each is read by
 * kube/plain.c when it can be, else by a libfyaml parser of its own. */
#include "kube/tokens.h"

#include <assert.h>
#include <errno.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/plain.h"

#define FALLBACKS_MOST 32u       /* in a row; then libfyaml gets all that is left */
#define DEPTH_LIMIT 48u          /* of aliases within aliases */
#define REPLAY_FREE 100000u      /* tokens that aliases may add to any text */
#define REPLAY_PER_TOKEN 10u     /* and for each token of the text */

struct anchor {
	const char *name;
	uint32_t first, end;     /* in the log; end 0: the node is still open */
	uint32_t depth;
};

struct frame { uint32_t at, end; }; /* a stretch of the log that is being delivered again */

struct tokens {
	const char *file;
	const char *at, *end;         /* where the next document begins */
	int line;                     /* of `at`, from 1 */
	bool in_plain, never_plain;
	uint32_t fallbacks;
	struct plain plain;
	struct fy_parser *parser;     /* of the current document; NULL: none */
	struct fy_diag *diag;
	int base_line;                /* lines of the text before the parser's */
	struct fy_event *event;       /* owns the text of the last live token */
	bool ended, logging, marked;
	uint32_t depth;
	struct arena *arena;          /* texts of the log */
	struct token *log;
	uint32_t log_count, log_capacity;
	struct anchor *anchors;
	uint32_t anchor_count, anchor_capacity, anchors_open;
	struct frame stack[DEPTH_LIMIT], saved[DEPTH_LIMIT];
	uint32_t stack_depth, saved_depth, mark;
	uint64_t live, replayed;
};

static void say_nothing(struct fy_diag *diag, void *user, const char *text, size_t length)
{
	(void)diag;
	(void)user;
	(void)text;
	(void)length;
}

struct tokens *tokens_open(const char *text, size_t length, const char *file, bool plain)
{
	struct tokens *t = mem_alloc(sizeof *t);
	t->file = file;
	t->arena = arena_new();
	t->at = length ? text : "";
	t->end = t->at + length;
	t->line = 1;
	/* A byte order mark, or text of two bytes a character, is for libfyaml. */
	t->never_plain = !plain || (length && (unsigned char)text[0] >= 0x80) ||
			 memchr(t->at, '\0', length < 4 ? length : 4);
	return t;
}

static void parser_open(struct tokens *t, const char *text, size_t length)
{
	struct fy_diag_cfg diag;
	fy_diag_cfg_default(&diag);
	diag.fp = NULL;
	diag.output_fn = say_nothing;
	diag.colorize = false;
	t->diag = fy_diag_create(&diag);
	assert(t->diag && "out of memory");
	fy_diag_set_collect_errors(t->diag, true);
	struct fy_parse_cfg cfg = { .flags = FYPCF_DEFAULT_VERSION_AUTO | FYPCF_JSON_NONE |
					     FYPCF_SLOPPY_FLOW_INDENTATION,
				    .diag = t->diag };
	t->parser = fy_parser_create(&cfg);
	assert(t->parser && "out of memory");
	int code = fy_parser_set_string(t->parser, text, length);
	assert(code == 0 && length > 0);
}

static void parser_close(struct tokens *t)
{
	if (!t->parser)
		return;
	if (t->event)
		fy_parser_event_free(t->parser, t->event);
	fy_parser_destroy(t->parser);
	fy_diag_destroy(t->diag);
	t->parser = NULL;
	t->event = NULL;
}

void tokens_close(struct tokens *t)
{
	parser_close(t);
	plain_stop(&t->plain);
	arena_free(t->arena);
	free(t->log);
	free(t->anchors);
	free(t);
}

static int yaml_error(struct tokens *t, struct err *err)
{
	void *cursor = NULL;
	const struct fy_diag_error *e = fy_diag_errors_iterate(t->diag, &cursor);
	t->ended = true;
	if (!e)
		return err_set(err, EINVAL, "%s: this is no YAML, expected Kubernetes manifests",
			       t->file);
	return err_at(err, EINVAL, t->file, t->base_line + (e->line > 0 ? e->line : 1),
		      e->column > 0 ? e->column : 1, "%s, expected well-formed YAML",
		      e->msg ? e->msg : "syntax error");
}

/* ---- the log -------------------------------------------------------------------- */

static void log_forget(struct tokens *t)
{
	t->log_count = t->anchor_count = t->anchors_open = t->stack_depth = 0;
	t->logging = t->marked = false;
	arena_reset(t->arena);
}

static void log_add(struct tokens *t, struct token *token)
{
	if (token->kind == TOKEN_SCALAR)
		token->text = arena_strndup(t->arena, token->text, token->length);
	if (t->log_count == t->log_capacity) {
		uint32_t want = t->log_capacity ? t->log_capacity * 2 : 64;
		t->log = mem_grow(t->log, t->log_capacity, want, sizeof *t->log);
		t->log_capacity = want;
	}
	t->log[t->log_count++] = *token;
}

/* The node that begins with the next token has an anchor. */
static void anchor_add(struct tokens *t, struct fy_token *name)
{
	size_t length = 0;
	const char *text = fy_token_get_text(name, &length);
	if (t->anchor_count == t->anchor_capacity) {
		uint32_t want = t->anchor_capacity ? t->anchor_capacity * 2 : 16;
		t->anchors = mem_grow(t->anchors, t->anchor_capacity, want, sizeof *t->anchors);
		t->anchor_capacity = want;
	}
	t->anchors[t->anchor_count++] = (struct anchor){
		.name = arena_strndup(t->arena, text ? text : "", text ? length : 0),
		.first = t->log_count, .depth = t->depth
	};
	t->anchors_open++;
	t->logging = true;
}

/* A node has ended at this depth: so have the anchors on it. */
static void anchors_close(struct tokens *t)
{
	for (uint32_t i = t->anchor_count; i-- > 0 && t->anchors_open;) {
		struct anchor *a = &t->anchors[i];
		if (a->end)
			continue;
		if (a->depth != t->depth)
			break;
		a->end = t->log_count;
		t->anchors_open--;
	}
}

static int alias_find(struct tokens *t, struct token *token, struct err *err)
{
	for (uint32_t i = t->anchor_count; i-- > 0;) {
		const struct anchor *a = &t->anchors[i];
		if (strlen(a->name) != token->length ||
		    memcmp(a->name, token->text, token->length) != 0)
			continue;
		if (!a->end)
			return err_at(
			    err, EINVAL, t->file, token->line, token->column,
			    "alias *%s lies inside its own anchor, expected a finished node",
			    a->name);
		token->anchor = i;
		return 0;
	}
	return err_at(err, EINVAL, t->file, token->line, token->column,
		      "unknown anchor '%.*s', expected one that is defined above",
		      (int)(token->length < 60 ? token->length : 60), token->text);
}

static int replay_push(struct tokens *t, const struct token *token, struct err *err)
{
	const struct anchor *a = &t->anchors[token->anchor];
	if (t->stack_depth == DEPTH_LIMIT)
		return err_at(err, EINVAL, t->file, token->line, token->column,
			      "aliases are nested deeper than %u, expected fewer", DEPTH_LIMIT);
	t->replayed += a->end - a->first;
	if (t->replayed > REPLAY_FREE + REPLAY_PER_TOKEN * t->live)
		return err_at(
		    err, EINVAL, t->file, token->line, token->column,
		    "aliases repeat more than %u values for each one written, expected fewer",
		    REPLAY_PER_TOKEN);
	t->stack[t->stack_depth++] = (struct frame){ a->first, a->end };
	return 0;
}

/* ---- live tokens ------------------------------------------------------------------ */

static struct fy_token *event_text(struct fy_event *e, struct token *out)
{
	struct fy_token *text = e->type == FYET_ALIAS ? e->alias.anchor : e->scalar.value;
	size_t length = 0;
	out->text = text ? fy_token_get_text(text, &length) : NULL;
	out->length = out->text ? length : 0;
	if (!out->text)
		out->text = "";
	return text;
}

/* False: an event that makes no token. */
static bool event_token(struct tokens *t, struct fy_event *e, struct token *out)
{
	const struct fy_mark *mark = fy_event_start_mark(e);
	*out = (struct token){ .line = mark ? t->base_line + mark->line + 1 : 0,
			       .column = mark ? mark->column + 1 : 0 };
	struct fy_token *anchor = fy_event_get_anchor_token(e);
	if (anchor && e->type != FYET_ALIAS)
		anchor_add(t, anchor);
	switch (e->type) {
	case FYET_DOCUMENT_START: out->kind = TOKEN_DOCUMENT; break;
	case FYET_DOCUMENT_END: out->kind = TOKEN_DOCUMENT_END; break;
	case FYET_MAPPING_START: out->kind = TOKEN_MAP; break;
	case FYET_MAPPING_END: out->kind = TOKEN_MAP_END; break;
	case FYET_SEQUENCE_START: out->kind = TOKEN_LIST; break;
	case FYET_SEQUENCE_END: out->kind = TOKEN_LIST_END; break;
	case FYET_SCALAR: {
		struct fy_token *text = event_text(e, out);
		enum fy_scalar_style style = text ? fy_scalar_token_get_style(text) : FYSS_PLAIN;
		out->kind = TOKEN_SCALAR;
		out->plain = !e->scalar.tag && style == FYSS_PLAIN;
		/* libfyaml takes an empty block scalar at the end of the text for a NUL. */
		if ((style == FYSS_LITERAL || style == FYSS_FOLDED) && out->length == 1 &&
		    !*out->text)
			out->length = 0;
		if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED)
			out->column--; /* the place of the quote, not of the text */
		break;
	}
	case FYET_ALIAS:
		event_text(e, out);
		out->kind = TOKEN_ALIAS;
		break;
	default:
		return false;
	}
	return true;
}

/* ---- documents ----------------------------------------------------------------------- */

static const char *next_line(const char *p, const char *end)
{
	const char *feed = memchr(p, '\n', (size_t)(end - p));
	return feed ? feed + 1 : end;
}

/* Begins the next document with one reader or the other. */
static void document_open(struct tokens *t)
{
	const char *body = t->at, *stop;
	int line = t->line, stop_line;
	if (plain_is_bare_marker(body, t->end)) {
		body = next_line(body, t->end);
		line++;
	}
	bool comment = body > t->at && memchr(t->at, '#', (size_t)(body - t->at));
	t->in_plain = !t->never_plain && !comment &&
		      (body > t->at || !plain_is_marker(body, t->end)) &&
		      plain_accepts(body, t->end, line, &stop, &stop_line);
	if (t->in_plain) {
		plain_start(&t->plain, body, t->end, line);
		t->fallbacks = 0;
		return;
	}
	const char *end = next_line(t->at, t->end);
	int lines = 1;
	while (end < t->end && !plain_is_marker(end, t->end)) {
		end = next_line(end, t->end);
		lines++;
	}
	t->never_plain |= ++t->fallbacks == FALLBACKS_MOST || *t->at == '%';
	if (t->never_plain)
		end = t->end;
	t->base_line = t->line - 1;
	parser_open(t, t->at, (size_t)(end - t->at));
	t->at = end;
	t->line += lines;
}

static int parser_next(struct tokens *t, struct token *out, bool *found, struct err *err)
{
	*found = false;
	if (t->event)
		fy_parser_event_free(t->parser, t->event);
	t->event = fy_parser_parse(t->parser);
	if (t->event) {
		*found = event_token(t, t->event, out);
		return 0;
	}
	if (fy_parser_get_stream_error(t->parser))
		return yaml_error(t, err);
	parser_close(t);
	return 0;
}

static int live_next(struct tokens *t, struct token *out, struct err *err)
{
	for (bool found = false; !found;) {
		if (t->ended) {
			*out = (struct token){ .kind = TOKEN_END };
			return 0;
		}
		if (t->in_plain) {
			found = true;
			if (plain_next(&t->plain, out))
				break;
			t->in_plain = false;
			t->at = t->plain.at;
			t->line = t->plain.line;
			*out = (struct token){ .kind = TOKEN_DOCUMENT_END,
					       .line = t->line,
					       .column = 1 };
		} else if (t->parser) {
			int code = parser_next(t, out, &found, err);
			if (code)
				return code;
		} else if (t->at == t->end) {
			t->ended = true;
		} else {
			document_open(t);
			*out =
			    (struct token){ .kind = TOKEN_DOCUMENT, .line = t->line, .column = 1 };
			found = t->in_plain;
		}
	}
	t->live++;
	if (out->kind == TOKEN_DOCUMENT) {
		log_forget(t);
		return 0;
	}
	if (out->kind == TOKEN_ALIAS) {
		int code = alias_find(t, out, err);
		if (code)
			return code;
	}
	if (out->kind == TOKEN_MAP_END || out->kind == TOKEN_LIST_END)
		t->depth--;
	if (t->logging)
		log_add(t, out);
	if (out->kind == TOKEN_MAP || out->kind == TOKEN_LIST)
		t->depth++;
	else
		anchors_close(t);
	return 0;
}

static void pop_finished(struct tokens *t)
{
	while (t->stack_depth &&
	       t->stack[t->stack_depth - 1].at == t->stack[t->stack_depth - 1].end)
		t->stack_depth--;
}

int tokens_next(struct tokens *t, struct token *out, struct err *err)
{
	for (;;) {
		pop_finished(t);
		if (t->stack_depth) {
			*out = t->log[t->stack[t->stack_depth - 1].at++];
		} else {
			int code = live_next(t, out, err);
			if (code)
				return code;
		}
		if (out->kind != TOKEN_ALIAS)
			return 0;
		int code = replay_push(t, out, err);
		if (code)
			return code;
	}
}

int tokens_skip(struct tokens *t, const struct token *first, struct err *err)
{
	uint32_t depth = 0;
	struct token token = *first;
	for (;;) {
		if (token.kind == TOKEN_MAP || token.kind == TOKEN_LIST)
			depth++;
		else if (token.kind == TOKEN_MAP_END || token.kind == TOKEN_LIST_END)
			depth--;
		if (!depth)
			return 0;
		int code = tokens_next(t, &token, err);
		if (code)
			return code;
		if (token.kind == TOKEN_END)
			return err_set(err, EINVAL, "%s: the text ends inside a value", t->file);
	}
}

void tokens_mark(struct tokens *t)
{
	pop_finished(t);
	if (!t->anchor_count && !t->stack_depth) {
		t->log_count = 0;
		arena_reset(t->arena);
	}
	t->mark = t->log_count;
	t->logging = t->marked = true;
	memcpy(t->saved, t->stack, sizeof t->saved);
	t->saved_depth = t->stack_depth;
}

void tokens_rewind(struct tokens *t)
{
	assert(t->marked);
	t->marked = false;
	t->logging = t->anchor_count > 0;
	uint32_t depth = 0;
	if (t->log_count > t->mark)
		t->stack[depth++] = (struct frame){ t->mark, t->log_count };
	for (uint32_t i = 0; i < t->saved_depth && depth < DEPTH_LIMIT; i++)
		t->stack[depth++] = t->saved[i];
	t->stack_depth = depth;
}
