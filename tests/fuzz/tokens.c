/* tests/fuzz/tokens.c: what the plain reader accepts is the same tokens for libfyaml. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "../unit/tokens_same.h"
#include "kube/plain.h"

FUZZ_TARGET(bytes, length)
{
	const char *text = (const char *)bytes, *stop = text;
	char why[256] = "";
	int line = 1;
	if (length && plain_is_marker(text, text + length))
		return;
	if (!plain_accepts(text, text + length, 1, &stop, &line) ||
	    tokens_same(text, (size_t)(stop - text), why))
		return;
	fprintf(stderr, "the readers differ: %s\n", why);
	abort();
}
