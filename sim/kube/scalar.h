/* kube/scalar.h: what a YAML scalar without quotes means.
 *
 * kubectl's YAML is version 1.1: besides true and false, yes, no, y, n, on and off
 * are booleans, and 0x1f, 0b101, 0o17 and 017 are integers. Source: go-yaml v2's
 * resolve.go.
 */
#ifndef KUBE_SCALAR_H
#define KUBE_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scalar_type { SCALAR_STRING, SCALAR_NULL, SCALAR_BOOL, SCALAR_INT, SCALAR_FLOAT };

struct scalar {
	enum scalar_type type;
	bool truth;
	bool overflow;   /* an integer beyond int64 */
	int64_t number;
};

/* The type that a plain scalar resolves to. */
struct scalar scalar_resolve(const char *text, size_t length);
/* "a string", "an integer", ... */
const char *scalar_type_text(enum scalar_type type);

#endif
