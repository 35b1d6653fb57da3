/* report/trace_json.c: a trace for programs (`svclab trace -o json`). */
#include <stdlib.h>

#include <jansson.h>

#include "report/trace_report.h"

static json_t *text(const char *s)
{
	json_t *j = json_string(s ? s : "");
	return j ? j : json_string("(not UTF-8)");
}

static json_t *address(const struct net_addr *a)
{
	char buffer[NET_ADDR_TEXT];
	return a->family == NET_NONE ? json_null() : json_string(net_addr_text(a, buffer));
}

static json_t *step(const struct trace_step *s)
{
	json_t *j = json_object();
	json_object_set_new(j, "node", text(s->node));
	json_object_set_new(j, "hook", text(s->hook));
	json_object_set_new(j, "table", text(s->table));
	json_object_set_new(j, "chain", text(s->chain));
	json_object_set_new(j, "rule", s->rule ? json_integer(s->rule) : json_null());
	json_object_set_new(j, "text", text(s->text));
	json_object_set_new(j, "note", text(s->note));
	if (s->file) {
		json_object_set_new(j, "file", text(s->file));
		json_object_set_new(j, "line", json_integer(s->line));
	}
	if (s->passed_over)
		json_object_set_new(j, "passed_over", json_true());
	return j;
}

static json_t *backend(const struct trace_outcome *o)
{
	if (!o->has_backend)
		return json_null();
	json_t *j = json_object();
	json_object_set_new(j, "pod", *o->pod ? text(o->pod) : json_null());
	json_object_set_new(j, "ip", address(&o->ip));
	json_object_set_new(j, "port", json_integer(o->port));
	json_object_set_new(j, "node", *o->node ? text(o->node) : json_null());
	return j;
}

static json_t *outcome(const struct trace_outcome *o)
{
	json_t *j = json_object(), *steps = json_array();
	json_object_set_new(j, "probability", json_real(o->probability));
	json_object_set_new(j, "verdict", json_string(trace_verdict_name(o->verdict)));
	json_object_set_new(j, "reason", text(o->reason));
	json_object_set_new(j, "backend", backend(o));
	json_object_set_new(j, "client_seen_by_server", address(&o->client_seen));
	json_object_set_new(j, "masqueraded", json_boolean(o->masqueraded));
	json_object_set_new(j, "entry_node", *o->entry_node ? text(o->entry_node) : json_null());
	for (uint32_t i = 0; i < o->trace->count; i++)
		json_array_append_new(steps, step(&o->trace->steps[i]));
	json_object_set_new(j, "steps", steps);
	json_object_set_new(j, "rules_evaluated", json_integer((json_int_t)o->trace->rules_evaluated));
	json_object_set_new(j, "policies", json_integer((json_int_t)o->trace->policies));
	json_object_set_new(j, "set_lookups", json_integer((json_int_t)o->trace->set_lookups));
	json_object_set_new(j, "ipvs_probes", json_integer((json_int_t)o->trace->ipvs_probes));
	return j;
}

static json_t *notes(const struct strbuf *lines)
{
	json_t *list = json_array();
	for (const char *line = strbuf_text(lines); *line;) {
		const char *end = line;
		while (*end && *end != '\n')
			end++;
		json_t *one = json_stringn(line, (size_t)(end - line));
		json_array_append_new(list, one ? one : json_string("(not UTF-8)"));
		line = *end ? end + 1 : end;
	}
	return list;
}

void trace_report_json(const struct trace_report *r, struct strbuf *out)
{
	json_t *j = json_object(), *outcomes = json_array();
	json_object_set_new(j, "from", text(r->from));
	json_object_set_new(j, "to", text(r->to));
	json_object_set_new(j, "destination", text(r->destination));
	json_object_set_new(j, "proto", text(r->proto));
	json_object_set_new(j, "dataplane", text(r->dataplane));
	for (uint32_t i = 0; i < r->count; i++)
		json_array_append_new(outcomes, outcome(&r->outcomes[i]));
	json_object_set_new(j, "outcomes", outcomes);
	json_object_set_new(j, "truncated", json_boolean(r->truncated));
	json_object_set_new(j, "notes", notes(&r->notes));
	char *s = json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	strbuf_puts(out, s ? s : "{}");
	strbuf_putc(out, '\n');
	free(s);
	json_decref(j);
}
