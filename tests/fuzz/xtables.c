/* tests/fuzz/xtables.c: iptables-restore texts and iptables commands from anybody.
 *
 * The first byte chooses family and way in. A text that is taken must print, be taken
 * again as printed, and print the same. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/xtables/xtables.h"
#include "net/addr.h"

static char *printed(struct xt_ruleset *x)
{
	struct strbuf out = { 0 }, rest = { 0 };
	xt_list(x, "filter", NULL, true, &rest);
	xt_list(x, "nat", NULL, false, &rest);
	xt_unknown(x, &rest);
	strbuf_free(&rest);
	xt_save(x, NULL, true, &out);
	return strbuf_steal(&out);
}

static void print_is_taken_again(struct xt_ruleset *x, uint8_t family)
{
	struct xt_restore_options options = { .counters = true };
	struct xt_ruleset *again = xt_new(NULL, family);
	struct err err = { { 0 } };
	char *once = printed(x);
	int code = xt_restore(again, once, strlen(once), &options, &err);
	if (code)
		fprintf(stderr, "%s\n%s\n", err.text, once);
	assert(code == 0);
	char *twice = printed(again);
	if (strcmp(once, twice) != 0)
		fprintf(stderr, "%s\n%s\n", once, twice);
	assert(strcmp(once, twice) == 0);
	assert(xt_rule_count(x) == xt_rule_count(again));
	free(once);
	free(twice);
	xt_free(again);
}

FUZZ_TARGET(bytes, length)
{
	if (!length)
		return;
	uint8_t family = bytes[0] & 1 ? NET_V6 : NET_V4;
	struct xt_ruleset *x = xt_new(NULL, family);
	struct xt_restore_options options = { .file = "fuzz", .noflush = bytes[0] & 4,
					      .counters = bytes[0] & 8 };
	struct err err = { { 0 } };
	if (bytes[0] & 2) { /* one command a line */
		char *text = mem_alloc(length);
		memcpy(text, bytes + 1, length - 1);
		for (char *line = text, *rest = text; (line = strsep(&rest, "\n"));)
			xt_command(x, line, NULL, NULL, &err);
		free(text);
	} else {
		xt_restore(x, (const char *)bytes + 1, length - 1, &options, &err);
	}
	print_is_taken_again(x, family);
	xt_free(x);
}
