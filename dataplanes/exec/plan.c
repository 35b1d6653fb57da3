/* exec/plan.c: the planner class whose work a program does. See exec.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "dataplanes/exec/exec.h"
#include "dataplanes/kernel/kernel.h"
#include "dataplanes/model/model.h"

#define SYNC_NS NS_PER_S /* at least so long between two syncs, as kube-proxy's default */

struct exec_class {
	struct planner_class class; /* first: a view's planner is this */
	const char *program;
	unsigned seconds;
};

struct exec_registry {
	struct exec_class planner;
	struct registry registry;
	struct dataplane rows[];
};

struct planner {
	struct program *program;
	int64_t due, last; /* last: INT64_MIN before the first sync */
};

static int ask(struct planner *p, const char *asked, const struct strbuf *line, struct transactions *out,
	       struct err *err)
{
	struct strbuf answer = { 0 };
	int code = program_ask(p->program, line, &answer, err);
	if (!code)
		code = text_read(program_path(p->program), asked, &answer, out, err);
	strbuf_free(&answer);
	return code;
}

static void exec_close(struct planner *p)
{
	program_stop(p->program);
	free(p);
}

static int exec_open(const struct proxy_view *view, struct planner **out, struct err *err)
{
	const struct exec_class *class = (const struct exec_class *)view->planner;
	struct planner *p = mem_alloc(sizeof *p);
	struct strbuf line = { 0 };
	*p = (struct planner){ .due = INT64_MAX, .last = INT64_MIN };
	int code = program_start(class->program, class->seconds, &p->program, err);
	if (!code) {
		text_open(view, &line);
		code = ask(p, "open", &line, NULL, err);
	}
	strbuf_free(&line);
	if (code)
		exec_close(p);
	else
		*out = p;
	return code;
}

static int exec_plan(struct planner *p, const struct proxy_view *view, const struct plan_request *request,
		     struct transactions *out, struct err *err)
{
	struct strbuf line = { 0 };
	text_plan(view, request, &line);
	int code = ask(p, "plan", &line, out, err);
	strbuf_free(&line);
	return code;
}

/* Both formats are the text of a full plan: the program knows no other state. */
static int exec_list(struct planner *p, const struct proxy_view *view, enum rules_format format,
		     enum rules_view which, struct strbuf *out, struct err *err)
{
	const struct plan_request request = { .full = true, .show = true };
	struct transactions list = { 0 };
	(void)format, (void)which;
	int code = exec_plan(p, view, &request, &list, err);
	for (uint32_t i = 0; !code && i < list.count; i++) {
		strbuf_printf(out, "# %s\n", tx_tool_name(list.items[i].tool));
		transaction_text(&list.items[i], out);
	}
	transactions_free(&list);
	return code;
}

static void exec_changed(struct planner *p, const char *service, int64_t now_ns)
{
	(void)service;
	int64_t soonest = p->last == INT64_MIN || p->last + SYNC_NS < now_ns ? now_ns : p->last + SYNC_NS;
	if (p->due > soonest)
		p->due = soonest;
}

static int64_t exec_due(const struct planner *p)
{
	return p->due;
}

static void exec_next(struct planner *p, int64_t now_ns, struct plan_request *out)
{
	p->due = INT64_MAX;
	p->last = now_ns;
	*out = (struct plan_request){ .full = true };
}

/* What failed is tried again after the same interval. */
static void exec_done(struct planner *p, int64_t now_ns, bool ok)
{
	if (!ok && p->due > now_ns + SYNC_NS)
		p->due = now_ns + SYNC_NS;
}

struct exec_registry *exec_registry_new(const struct registry *others, const char *name, unsigned seconds)
{
	static const struct executor_class *const executors[] = { &model_executor, &netns_executor,
								  &netns_nft_executor };
	enum { MORE = sizeof executors / sizeof *executors };
	struct exec_registry *r = mem_alloc(sizeof *r + (others->count + MORE) * sizeof *r->rows);
	r->planner = (struct exec_class){
		.class = { .mode = "exec", .open = exec_open, .plan = exec_plan, .list = exec_list,
			   .close = exec_close, .changed = exec_changed, .due = exec_due, .next = exec_next,
			   .done = exec_done },
		.program = name + strlen(EXEC_PREFIX), .seconds = seconds,
	};
	memcpy(r->rows, others->rows, others->count * sizeof *r->rows);
	for (uint32_t i = 0; i < MORE; i++)
		r->rows[others->count + i] = (struct dataplane){ name, &r->planner.class,
								 executors[i], "a program of its own" };
	r->registry = (struct registry){ r->rows, others->count + MORE };
	return r;
}

void exec_registry_free(struct exec_registry *r)
{
	free(r);
}

const struct registry *exec_registry_rows(const struct exec_registry *r)
{
	return &r->registry;
}
