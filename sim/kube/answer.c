/* kube/answer.c: what the API server says, and how kubectl prints it. */
#include "kube/answer.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "kube/schema.h"

void kube_answer_free(struct kube_answer *answer)
{
	strbuf_free(&answer->name);
	strbuf_free(&answer->message);
	strbuf_free(&answer->causes);
	strbuf_free(&answer->warnings);
	*answer = (struct kube_answer){ 0 };
}

static int code_of(const char *reason)
{
	static const struct { const char *reason; int code; } codes[] = {
		{ "Invalid", EINVAL }, { "AlreadyExists", EEXIST }, { "Conflict", EAGAIN },
		{ "NotFound", ENOENT }, { "Forbidden", EPERM }, { "InternalError", ENOSPC },
	};
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (strcmp(codes[i].reason, reason) == 0)
			return codes[i].code;
	assert(!"unknown reason");
	return EINVAL;
}

void answer_about(struct kube_answer *answer, enum kube_kind kind, const char *name)
{
	answer->reason = NULL;
	answer->unchanged = false;
	answer->kind = kube_schema(kind)->name;
	strbuf_clear(&answer->name);
	strbuf_clear(&answer->message);
	strbuf_clear(&answer->causes);
	strbuf_clear(&answer->warnings);
	strbuf_puts(&answer->name, name ? name : "");
}

int answer_refuse(struct kube_answer *answer, const char *reason, const char *fmt, ...)
{
	va_list ap;
	answer->reason = reason;
	strbuf_clear(&answer->message);
	va_start(ap, fmt);
	strbuf_vprintf(&answer->message, fmt, ap);
	va_end(ap);
	return code_of(reason);
}

void answer_resource(enum kube_kind kind, struct strbuf *out)
{
	const struct kind_schema *s = kube_schema(kind);
	const char *slash = strchr(s->group_version, '/');
	strbuf_puts(out, s->plural);
	if (slash)
		strbuf_printf(out, ".%.*s", (int)(slash - s->group_version), s->group_version);
}

/* Whether the line of this length occurs among the lines before it. */
static bool repeated(const char *lines, const char *line, size_t length)
{
	for (const char *p = lines; p < line;) {
		size_t n = strcspn(p, "\n");
		if (n == length && memcmp(p, line, n) == 0)
			return true;
		p += n + 1;
	}
	return false;
}

/* `errors`: a line each. Repeated ones count once. */
int answer_invalid(struct kube_answer *answer, enum kube_kind kind, const struct strbuf *errors)
{
	const struct kind_schema *s = kube_schema(kind);
	const char *slash = strchr(s->group_version, '/'), *all = strbuf_text(errors);
	struct strbuf joined = { 0 };
	unsigned count = 0;
	strbuf_clear(&answer->causes);
	for (const char *p = all; *p;) {
		size_t n = strcspn(p, "\n");
		if (n && !repeated(all, p, n)) {
			strbuf_printf(&joined, "%s%.*s", count++ ? ", " : "", (int)n, p);
			strbuf_printf(&answer->causes, "%.*s\n", (int)n, p);
		}
		p += n + (p[n] == '\n');
	}
	int code = answer_refuse(answer, "Invalid", "%s%s%.*s \"%s\" is invalid: %s%s%s", s->name,
				 slash ? "." : "", slash ? (int)(slash - s->group_version) : 0,
				 s->group_version, strbuf_text(&answer->name), count > 1 ? "[" : "",
				 strbuf_text(&joined), count > 1 ? "]" : "");
	strbuf_free(&joined);
	return code;
}

void kube_answer_text(const struct kube_answer *answer, const char *doing, bool alone,
		      struct strbuf *out)
{
	const char *causes = strbuf_text(&answer->causes);
	if (!alone || strcmp(answer->reason, "Invalid") != 0 || !*causes) {
		strbuf_printf(out, "Error from server (%s): %s%s%s\n", answer->reason,
			      doing ? doing : "", doing ? ": " : "", strbuf_text(&answer->message));
		return;
	}
	strbuf_printf(out, "The %s \"%s\" is invalid: ", answer->kind, strbuf_text(&answer->name));
	size_t first = strcspn(causes, "\n");
	if (!causes[first + 1]) {
		strbuf_printf(out, "%s", causes);
		return;
	}
	strbuf_putc(out, '\n');
	for (const char *p = causes; *p;) {
		size_t n = strcspn(p, "\n");
		strbuf_printf(out, "* %.*s\n", (int)n, p);
		p += n + 1;
	}
}
