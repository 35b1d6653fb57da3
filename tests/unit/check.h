/* tests/unit/check.h: what a C unit test is made of.
 *
 * A test program lists its tests, each a function with a plain sentence of intent,
 * and calls check_main. A test fails when a check in it fails; the check prints
 * both operands, file and line, and the test goes on. A test that needs what the
 * machine lacks calls check_skip and returns. Output is TAP from the one
 * emitter (report/tap.h). With an argument only tests whose sentence contains it
 * run.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/strbuf.h"
#include "report/tap.h"

struct check {
	const char *sentence;
	void (*run)(void);
};

static struct strbuf check_said; /* what the failed checks of the current test say */
static bool check_failed;
static const char *check_skipped; /* why the current test did not run, NULL */

static inline bool check_note(bool ok, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static inline bool check_note(bool ok, const char *file, int line, const char *fmt, ...)
{
	if (ok)
		return true;
	va_list ap;
	check_failed = true;
	strbuf_printf(&check_said, "%s:%d: ", file, line);
	va_start(ap, fmt);
	strbuf_vprintf(&check_said, fmt, ap);
	va_end(ap);
	strbuf_putc(&check_said, '\n');
	return false;
}

static inline void check_skip(const char *reason)
{
	check_skipped = reason;
}

static inline bool check_strings(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

#define CHECK(condition) check_note((condition), __FILE__, __LINE__, "failed: %s", #condition)
#define CHECK_INT(actual, expected)                                                            \
	do {                                                                                   \
		long long actual_ = (long long)(actual), expected_ = (long long)(expected);    \
		check_note(actual_ == expected_, __FILE__, __LINE__,                           \
			   "%s\n  expected: %lld\n  actual:   %lld", #actual, expected_, actual_); \
	} while (0)
#define CHECK_TEXT(actual, expected)                                                           \
	do {                                                                                   \
		const char *actual_ = (actual), *expected_ = (expected);                       \
		check_note(check_strings(actual_, expected_), __FILE__, __LINE__,              \
			   "%s\n  expected: %s\n  actual:   %s", #actual,                      \
			   expected_ ? expected_ : "(NULL)", actual_ ? actual_ : "(NULL)");    \
	} while (0)

static inline int check_main(const struct check *tests, unsigned count, int argc, char **argv)
{
	unsigned planned = 0;
	for (unsigned i = 0; i < count; i++)
		planned += argc < 2 || strstr(tests[i].sentence, argv[1]);
	struct tap *tap = tap_new(stdout, planned);
	for (unsigned i = 0; i < count; i++) {
		if (argc > 1 && !strstr(tests[i].sentence, argv[1]))
			continue;
		check_failed = false;
		check_skipped = NULL;
		strbuf_clear(&check_said);
		tests[i].run();
		if (check_skipped && !check_failed)
			tap_skip(tap, tests[i].sentence, check_skipped);
		else if (!tap_result(tap, !check_failed, tests[i].sentence))
			tap_diagnose(tap, strbuf_text(&check_said));
	}
	strbuf_free(&check_said);
	return tap_end(tap) ? 0 : 1;
}

#define CHECK_MAIN(tests)                                                                      \
	int main(int argc, char **argv)                                                        \
	{                                                                                      \
		return check_main(tests, sizeof(tests) / sizeof *(tests), argc, argv);         \
	}

#endif
