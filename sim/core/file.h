/* core/file.h: whole files in and out.
 *
 * A read has a limit, so that hostile input cannot take all memory. A write
 * goes to a temporary name beside the target and is renamed at the end: no
 * reader ever sees half a file.
 */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stddef.h>

#include "core/err.h"
#include "core/strbuf.h"

#define FILE_LIMIT_BYTES ((size_t)4 << 30)

/* Appends the file's bytes to `out`; "-" is standard input. 0 or errno. */
int file_read(const char *path, struct strbuf *out, struct err *err);
/* Replaces `path` with these bytes. 0 or errno. */
int file_write(const char *path, const void *bytes, size_t length, struct err *err);
/* Removes a folder of plain files with them; what is not there is as good. */
void file_remove_folder(const char *path);
/* mkdir -p. 0 or errno. */
int file_make_folder(const char *path, struct err *err);

#endif
