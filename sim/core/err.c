/* core/err.c: see err.h. */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(e->text, sizeof e->text, fmt, ap);
		va_end(ap);
	}
	return code;
}

int err_at(struct err *e, int code, const char *file, int line, int column,
	   const char *fmt, ...)
{
	if (e) {
		int n = snprintf(e->text, sizeof e->text, "%s:", file);
		if (line > 0 && n < (int)sizeof e->text)
			n += snprintf(e->text + n, sizeof e->text - (size_t)n, "%d:", line);
		if (line > 0 && column > 0 && n < (int)sizeof e->text)
			n += snprintf(e->text + n, sizeof e->text - (size_t)n, "%d:", column);
		if (n < (int)sizeof e->text - 1) {
			va_list ap;
			e->text[n++] = ' ';
			va_start(ap, fmt);
			vsnprintf(e->text + n, sizeof e->text - (size_t)n, fmt, ap);
			va_end(ap);
		}
	}
	return code;
}
