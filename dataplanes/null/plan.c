/* null/plan.c: a planner that has nothing to do. */
#include <stdlib.h>

#include "core/arena.h"
#include "dataplanes/null/null.h"

struct planner {
	char *node;
};

static int null_open(const struct proxy_view *view, struct planner **out, struct err *err)
{
	(void)err;
	*out = mem_alloc(sizeof **out);
	(*out)->node = mem_strdup(view->node);
	return 0;
}

static int null_plan(struct planner *p, const struct proxy_view *view,
		     const struct plan_request *request, struct transactions *out, struct err *err)
{
	(void)p, (void)view, (void)request, (void)out, (void)err;
	return 0;
}

static int null_list(struct planner *p, const struct proxy_view *view, enum rules_format format,
		     enum rules_view which, struct strbuf *out, struct err *err)
{
	(void)view, (void)format, (void)which, (void)err;
	null_text(p->node, out);
	return 0;
}

static void null_close(struct planner *p)
{
	free(p->node);
	free(p);
}

const struct planner_class null_planner = {
	.mode = "null", .open = null_open, .plan = null_plan, .list = null_list,
	.close = null_close,
};
