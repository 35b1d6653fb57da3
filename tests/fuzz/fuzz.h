/* tests/fuzz/fuzz.h: what a fuzz target is made of.
 *
 * A target is one file that includes this header and defines FUZZ_TARGET(bytes, length)
 * with a body that must survive any bytes. Built with
 *
 *   clang -fsanitize=fuzzer,address,undefined -DFUZZ_LIBFUZZER ...
 *
 * it is a libFuzzer program. Built as usual it is a regression program: each argument is
 * a file, or a folder whose files are taken in sorted order, and is fed to the target
 * once; it prints how many there were. Inputs that broke a parser once are kept in
 * tests/fuzz/corpus/<target>/ beside a few good ones.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define FUZZ_TARGET(bytes, length)                                                             \
	static void fuzz_one(const uint8_t *bytes, size_t length);                             \
	int LLVMFuzzerTestOneInput(const uint8_t *fuzz_bytes, size_t fuzz_length)              \
	{                                                                                      \
		fuzz_one(fuzz_bytes, fuzz_length);                                             \
		return 0;                                                                      \
	}                                                                                      \
	static void fuzz_one(const uint8_t *bytes, size_t length)

#ifndef FUZZ_LIBFUZZER
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"

static int fuzz_replay(const char *path, unsigned *count);

static int fuzz_replay_folder(const char *path, unsigned *count)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort), code = n < 0 ? errno : 0;
	for (int i = 0; i < n; i++) {
		struct strbuf child = { 0 };
		strbuf_printf(&child, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && !code)
			code = fuzz_replay(child.data, count);
		strbuf_free(&child);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return code;
}

static int fuzz_replay(const char *path, unsigned *count)
{
	struct stat st;
	struct strbuf input = { 0 };
	struct err err = { .text = "" };
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return fuzz_replay_folder(path, count);
	int code = file_read(path, &input, &err);
	if (code) {
		fprintf(stderr, "%s\n", err.text);
	} else { /* a copy of the exact size, so that sanitizers see the end */
		uint8_t *bytes = malloc(input.length ? input.length : 1);
		if (bytes && input.length)
			memcpy(bytes, input.data, input.length);
		if (bytes)
			LLVMFuzzerTestOneInput(bytes, input.length);
		free(bytes);
		++*count;
	}
	strbuf_free(&input);
	return code;
}

int main(int argc, char **argv)
{
	unsigned count = 0;
	int code = 0;
	for (int i = 1; i < argc && !code; i++)
		code = fuzz_replay(argv[i], &count);
	printf("%u inputs replayed\n", count);
	return code || (argc > 1 && !count);
}
#endif

#endif
