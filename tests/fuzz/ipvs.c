/* tests/fuzz/ipvs.c: any bytes as `ipvsadm -R` lines. What was taken is printed in every
 * view, taken again as -Sn printed it, and printed the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/ipvs/ipvs.h"

#include "fuzz.h"

static char *printed(const struct ipvs *v, enum ipvs_view view)
{
	struct strbuf out = { 0 };
	ipvs_print(v, view, &out);
	return strbuf_steal(&out);
}

FUZZ_TARGET(bytes, length)
{
	struct ipvs *v = ipvs_new(NULL), *again = ipvs_new(NULL);
	struct err err = { "" };
	ipvs_restore(v, (const char *)bytes, length, "fuzz", NULL);
	char *once = printed(v, IPVS_SAVE);
	if (ipvs_restore(again, once, strlen(once), "again", &err)) {
		fprintf(stderr, "%s\n%s\n", err.text, once);
		abort();
	}
	for (int view = IPVS_LIST; view <= IPVS_RATE; view++) {
		char *ours = printed(v, view), *theirs = printed(again, view);
		/* The scheduler's place and counters are no configuration; nothing has run. */
		if (strcmp(ours, theirs) != 0) {
			fprintf(stderr, "%s\n---\n%s\n", ours, theirs);
			abort();
		}
		free(ours);
		free(theirs);
	}
	free(once);
	ipvs_free(v);
	ipvs_free(again);
}
