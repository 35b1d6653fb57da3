/* report/trace_report.c: collecting the outcomes. */
#include "report/trace_report.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

void trace_report_free(struct trace_report *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		trace_free(r->outcomes[i].trace);
	free(r->outcomes);
	strbuf_free(&r->notes);
	*r = (struct trace_report){ 0 };
}

static bool same(const struct trace_outcome *a, const struct trace_outcome *b)
{
	if (a->verdict != b->verdict || a->has_backend != b->has_backend ||
	    a->masqueraded != b->masqueraded || strcmp(a->entry_node, b->entry_node) != 0)
		return false;
	return !a->has_backend || (net_addr_equal(&a->ip, &b->ip) && a->port == b->port &&
				   strcmp(a->pod, b->pod) == 0 && strcmp(a->node, b->node) == 0);
}

void trace_report_add(struct trace_report *r, struct trace_outcome *o)
{
	r->runs++;
	for (uint32_t i = 0; i < r->count; i++)
		if (same(&r->outcomes[i], o)) {
			r->outcomes[i].probability += o->probability;
			trace_free(o->trace);
			o->trace = NULL;
			return;
		}
	/* Grown by doubling: a Service may have thousands of endpoints. */
	if ((r->count & (r->count - 1)) == 0)
		r->outcomes = mem_grow(r->outcomes, r->count, r->count ? r->count * 2 : 1,
				       sizeof *r->outcomes);
	r->outcomes[r->count++] = *o;
	o->trace = NULL;
}
