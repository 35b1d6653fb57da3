/* core/err.h: how an operating error travels.
 *
 * A function that can fail on input or on the machine returns 0 or a positive
 * errno value and takes a `struct err *` as its last argument, where it leaves
 * one line for a person: where (file:line:column when there is such a place),
 * what is wrong, what was expected. EINVAL is for bad input. The pointer may
 * be NULL: then only the number is returned. A caller that passes the error on
 * returns the same number and does not touch the text. Programmer errors are
 * asserts, always on; nothing below cli/ ends the process.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

struct err {
	char text[640];
};

/* Writes the formatted line to `e` (when not NULL) and returns `code`. */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with "file:line:column: " in front. A line or column of 0 is left out. */
int err_at(struct err *e, int code, const char *file, int line, int column,
	   const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
