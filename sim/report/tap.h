/* report/tap.h: the one emitter of TAP 13, for C unit tests and Lua scenarios.
 *
 * Plan first: the caller says how many tests will come. Names are flat and must
 * be unique within one stream (the emitter appends " (2)" to a repeated name and
 * counts that as a failure of the stream: tap_end returns false). Lines go to a
 * FILE, diagnostics as "# ..." lines after their test.
 */
#ifndef REPORT_TAP_H
#define REPORT_TAP_H

#include <stdbool.h>
#include <stdio.h>

struct tap;

struct tap *tap_new(FILE *out, unsigned planned);
/* One result; returns `ok`. */
bool tap_result(struct tap *t, bool ok, const char *name);
/* "ok N - name # SKIP reason". */
void tap_skip(struct tap *t, const char *name, const char *reason);
/* "not ok N - name # TODO reason", or ok, which is then reported as passed TODO. */
void tap_todo(struct tap *t, bool ok, const char *name, const char *reason);
/* One or more lines of explanation, each with "# " in front. */
void tap_diagnose(struct tap *t, const char *text);
/* "Bail out! reason". */
void tap_bail(struct tap *t, const char *reason);
/* Number of failed results so far (TODOs not counted). */
unsigned tap_failures(const struct tap *t);
/* Ends the stream; false when a test failed, or fewer or more than planned ran. */
bool tap_end(struct tap *t);

#endif
