/* tests/unit/kubectl_fixture.h: kubectl over the pretended cluster of control_fixture.h. */
#ifndef TESTS_KUBECTL_FIXTURE_H
#define TESTS_KUBECTL_FIXTURE_H

#include "control_fixture.h"
#include "kube/kubectl/kubectl.h"

struct shell {
	struct fixture *f;
	struct kubectl k;
	struct strbuf out, err;
	int code;
};

static bool shell_wait(void *ctx, bool (*done)(void *arg), void *arg, int64_t until_ns)
{
	struct shell *s = ctx;
	int64_t end = engine_now(s->f->engine) + 300 * NS_PER_S;
	if (until_ns < end)
		end = until_ns;
	while (!done(arg)) {
		if (engine_next(s->f->engine) > end) {
			engine_run_until(s->f->engine, end);
			return done(arg);
		}
		engine_step(s->f->engine);
	}
	return true;
}

static int shell_exec(void *ctx, const struct kubectl_exec *e, struct strbuf *out,
		      struct strbuf *err)
{
	(void)ctx;
	(void)err;
	strbuf_printf(out, "%s/%s:", e->pod->object.meta.name, e->container);
	for (int i = 0; i < e->argc; i++)
		strbuf_printf(out, " %s", e->argv[i]);
	strbuf_putc(out, '\n');
	return strcmp(e->argv[0], "false") == 0 ? 7 : 0;
}

static int shell_logs(void *ctx, const struct kube_pod *pod, const char *container, bool previous,
		      struct strbuf *out)
{
	(void)ctx;
	(void)previous;
	strbuf_printf(out, "one\ntwo\n%s/%s\n", pod->object.meta.name, container);
	return 0;
}

static inline struct shell *shell_new(int nodes)
{
	struct shell *s = mem_alloc(sizeof *s);
	struct control_options options;
	control_options_default(&options);
	options.images_present = true;
	options.exact_times = true;
	s->f = fixture_new(nodes);
	fixture_start_control(s->f, &options);
	s->k = (struct kubectl){ .store = s->f->store,
				 .admit = s->f->admit,
				 .control = s->f->control,
				 .host = { s, shell_wait, shell_exec, shell_logs, NULL } };
	return s;
}

static inline void shell_free(struct shell *s)
{
	fixture_free(s->f);
	strbuf_free(&s->out);
	strbuf_free(&s->err);
	free(s);
}

/* Words are separated by blanks; 'quoted words' keep theirs. */
static inline int shell_words(char *line, char **argv, int limit)
{
	int n = 0;
	for (char *p = line; *p && n < limit;) {
		char end = *p == '\'' ? '\'' : ' ';
		p += end == '\'';
		argv[n++] = p;
		while (*p && *p != end)
			p++;
		if (*p)
			*p++ = '\0';
		while (*p == ' ')
			p++;
	}
	return n;
}

/* Runs a command line; its stdout. */
static inline const char *shell_run(struct shell *s, const char *line, const char *input)
{
	char text[1000], *argv[64];
	snprintf(text, sizeof text, "%s", line);
	int n = shell_words(text, argv, 64);
	strbuf_clear(&s->out);
	strbuf_clear(&s->err);
	s->code = kubectl_run(&s->k, n, argv, input, &s->out, &s->err);
	return strbuf_text(&s->out);
}

/* Checks stdout, stderr and the exit code of one command. */
#define EXPECT(s, line, input, stdout_, stderr_, code_)                                        \
	do {                                                                                   \
		CHECK_TEXT(shell_run((s), (line), (input)), (stdout_));                        \
		CHECK_TEXT(strbuf_text(&(s)->err), (stderr_));                                 \
		CHECK_INT((s)->code, (code_));                                                 \
	} while (0)

#endif
