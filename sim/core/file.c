/* core/file.c: see file.h. */
#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, struct strbuf *out, struct err *err)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (!f)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	char block[65536];
	size_t n;
	int code = 0;
	while ((n = fread(block, 1, sizeof block, f)) > 0) {
		if (out->length + n > FILE_LIMIT_BYTES) {
			code = err_set(err, EFBIG, "%s: over %zu bytes, the limit for one file",
				       path, FILE_LIMIT_BYTES);
			break;
		}
		strbuf_add(out, block, n);
	}
	if (!code && ferror(f))
		code = err_set(err, errno ? errno : EIO, "%s: %s", path,
			       strerror(errno ? errno : EIO));
	if (f != stdin)
		fclose(f);
	return code;
}

int file_write(const char *path, const void *bytes, size_t length, struct err *err)
{
	struct strbuf temporary = { 0 };
	strbuf_printf(&temporary, "%s.%ld.tmp", path, (long)getpid());
	FILE *f = fopen(temporary.data, "wb");
	int code = 0;
	if (!f) {
		code = errno;
	} else {
		if (fwrite(bytes, 1, length, f) != length)
			code = errno ? errno : EIO;
		if (fclose(f) != 0 && !code)
			code = errno;
		if (!code && rename(temporary.data, path) != 0)
			code = errno;
		if (code)
			unlink(temporary.data);
	}
	if (code)
		err_set(err, code, "%s: %s", path, strerror(code));
	strbuf_free(&temporary);
	return code;
}

int file_make_folder(const char *path, struct err *err)
{
	struct strbuf part = { 0 };
	int code = 0;
	for (const char *p = path; !code; p++) {
		if ((*p == '/' || *p == '\0') && part.length &&
		    mkdir(part.data, 0777) != 0 && errno != EEXIST)
			code = err_set(err, errno, "%s: %s", part.data, strerror(errno));
		if (!*p)
			break;
		strbuf_putc(&part, *p);
	}
	strbuf_free(&part);
	return code;
}

void file_remove_folder(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	char name[4096];
	while (d && (entry = readdir(d))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		unlink(name);
	}
	if (d)
		closedir(d);
	rmdir(path);
}
