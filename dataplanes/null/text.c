/* null/text.c: the rules as text; there are none, which the text says. */
#include "dataplanes/null/null.h"

void null_text(const char *node, struct strbuf *out)
{
	strbuf_printf(out, "# node %s: the null dataplane has no rules\n", node);
}
