/* linux/steps.c: what the core writes into a packet's trace. */
#include <stdarg.h>
#include <stdio.h>

#include "linux/internal.h"
#include "net/trace.h"

void step_add(const struct netns *ns, const struct packet *p, const char *hook, const char *table,
	      const char *note, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	if (!p->trace)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	struct trace_step step = { .when_ns = engine_now(ns->env->engine), .node = ns->label,
				   .hook = hook, .table = table, .chain = "", .text = text,
				   .note = note ? note : "" };
	trace_add(p->trace, &step);
}

const char *step_change(const struct net_addr *a, uint16_t a_port, const struct net_addr *b,
			uint16_t b_port, char *out, size_t size)
{
	char from[NET_ADDR_TEXT + 8], to[NET_ADDR_TEXT + 8];
	if (!a_port && !b_port)
		snprintf(out, size, "%s -> %s", net_addr_text(a, from), net_addr_text(b, to));
	else
		snprintf(out, size, "%s -> %s", net_endpoint_text(a, a_port, from),
			 net_endpoint_text(b, b_port, to));
	return out;
}
