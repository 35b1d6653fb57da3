/* report/trace_text.h: a trace for people.
 *
 * One line a step, columns aligned: where, hook, table/chain and rule number, the
 * rule or deed as the tool prints it, what it changed; last the verdict and why.
 */
#ifndef REPORT_TRACE_TEXT_H
#define REPORT_TRACE_TEXT_H

#include "core/strbuf.h"
#include "net/trace.h"

void trace_text(const struct trace *t, struct strbuf *out);

#endif
