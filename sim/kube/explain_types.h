/* kube/explain_types.h: the API's names of the types of nested objects. */
#ifndef KUBE_EXPLAIN_TYPES_H
#define KUBE_EXPLAIN_TYPES_H

#include "kube/schema.h"

/* "PodSpec" for a Pod's spec; `above` is the row that the field's table hangs on, NULL
 * for the document. */
const char *explain_type(const struct kind_schema *s, const struct field *above,
			 const struct field *f);

#endif
