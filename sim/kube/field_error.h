/* kube/field_error.h: field errors as apimachinery's field package writes them.
 *
 * `<path>: <type>[: <value>][: <detail>]`, a line each. Values print as Kubernetes
 * 1.34 prints them: strings in Go's quotes, numbers bare, everything else as JSON.
 * Source: pkg/util/validation/field/errors.go.
 */
#ifndef KUBE_FIELD_ERROR_H
#define KUBE_FIELD_ERROR_H

#include <stdint.h>

#include "core/strbuf.h"
#include "kube/types.h"

#define NO_INDEX UINT32_MAX

/* spec.ports[0].name: { { NULL, "spec.ports", 0 }, "name", NO_INDEX }. Map keys are part
 * of the name, as "requests[cpu]". */
struct field_path {
	const struct field_path *up;
	const char *name;
	uint32_t index;
};
#define FIELD(name_) (&(const struct field_path){ NULL, name_, NO_INDEX })
#define CHILD(up_, name_) (&(const struct field_path){ up_, name_, NO_INDEX })
#define ITEM(up_, name_, index_) (&(const struct field_path){ up_, name_, index_ })

/* Details are formats, without a value; a NULL or empty one prints nothing. */
void field_required(struct strbuf *errors, const struct field_path *at, const char *detail);
void field_forbidden(struct strbuf *errors, const struct field_path *at, const char *detail);
void field_not_found(struct strbuf *errors, const struct field_path *at, const char *value);
void field_duplicate(struct strbuf *errors, const struct field_path *at, const char *value);
void field_duplicate_raw(struct strbuf *errors, const struct field_path *at, const char *value);
void field_too_many(struct strbuf *errors, const struct field_path *at, uint32_t count,
		    uint32_t most);
void field_too_long(struct strbuf *errors, const struct field_path *at, uint32_t most);
void field_invalid(struct strbuf *errors, const struct field_path *at, const char *value,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void field_invalid_int(struct strbuf *errors, const struct field_path *at, int64_t value,
		       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void field_invalid_strings(struct strbuf *errors, const struct field_path *at,
			   const struct kube_strings *value, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void field_invalid_map(struct strbuf *errors, const struct field_path *at,
		       const struct kube_map *value, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The value is JSON already. */
void field_invalid_raw(struct strbuf *errors, const struct field_path *at, const char *value,
		       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void field_invalid_int_or_string(struct strbuf *errors, const struct field_path *at,
				 const struct int_or_string *value, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* `supported`: NULL-terminated, in the order in which they are printed. */
void field_not_supported(struct strbuf *errors, const struct field_path *at, const char *value,
			 const char *const *supported);
void field_not_supported_raw(struct strbuf *errors, const struct field_path *at,
			     const char *value, const char *const *supported);
bool field_is_one_of(const char *value, const char *const *supported);

/* Values as they are printed. */
void field_quote(struct strbuf *out, const char *value);
void field_json_strings(struct strbuf *out, const struct kube_strings *value);
void field_json_map(struct strbuf *out, const struct kube_map *value);

#endif
