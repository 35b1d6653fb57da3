/* kube/schema.h: one table a kind drives everything that walks fields.
 *
 * A row names a JSON field, the type of its value, its place in the C struct and
 * the text for `kubectl explain`. From the tables come: the YAML reader with its
 * messages, deep copy, yaml/json printing, jsonpath, explain and patches.
 * Defaulting and validation are functions named in the kind's row, because they
 * are rules over several fields.
 */
#ifndef KUBE_SCHEMA_H
#define KUBE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/strbuf.h"
#include "kube/types.h"

enum field_type {
	FIELD_STRING, FIELD_INT32, FIELD_INT64, FIELD_OPT_INT, FIELD_TRI, FIELD_BOOL,
	FIELD_INT_OR_STRING, FIELD_TIME, FIELD_MAP, FIELD_STRINGS,
	FIELD_OBJECT, /* nested struct in place; `sub` describes it */
	FIELD_LIST,   /* {items, count} of structs; `sub` describes one */
	FIELD_QUANTITY_MAP,
	FIELD_VERSION, /* uint64_t that JSON carries as a string */
	FIELD_CASE,    /* object that is there when the string at set_offset is its name */
	FIELD_IGNORED /* known to Kubernetes, kept out of the struct without a warning */
};

struct field {
	const char *json;
	enum field_type type;
	uint32_t offset;             /* in the enclosing struct */
	uint32_t item_size;          /* FIELD_LIST */
	uint32_t set_offset;         /* offset of a `bool` that reading sets, NO_SET none */
	const struct field *sub;     /* ends with a row whose json is NULL */
	const char *doc;             /* one or two sentences for explain */
	const char *choices;         /* the values of an enumeration, comma separated, or NULL */
	bool required;               /* shown by explain */
	bool status;                 /* below status: not printed when empty */
	bool always;                 /* printed even when empty */
	bool pointer;                /* "" and false are values of their own, and printed */
	bool hidden;                 /* read, never printed: an older name */
};
#define NO_SET UINT32_MAX

struct kube_store;

struct kind_schema {
	enum kube_kind kind;
	const char *name, *plural,
	    *short_names;	     /* "Service", "services", "svc" (comma separated) */
	const char *group_version;   /* "v1", "apps/v1", ... the one printed */
	const char *also;            /* other accepted group/versions, comma separated, or NULL */
	bool namespaced;
	size_t size;                 /* of the C struct */
	const struct field *fields;  /* of the whole document below apiVersion/kind */
	void (*set_defaults)(struct kube_object *o);
	/* Puts what older versions wrote elsewhere into this version's places; NULL none. */
	void (*convert)(struct kube_object *o);
	/* Appends one line per error in the API server's form. */
	void (*validate)(const struct kube_object *o, const struct kube_object *old,
			 struct strbuf *errors);
	const char *doc;
};

const struct kind_schema *kube_schema(enum kube_kind kind);
/* A component's configuration file: no API object, it has no metadata. */
bool kube_kind_is_config(enum kube_kind kind);
/* By kind, plural ("pods", "deployments.apps"), singular or short name of an API object,
 * case folded; NULL unknown. */
const struct kind_schema *kube_schema_by_name(const char *name);
/* By apiVersion and kind of a document; NULL unknown. */
const struct kind_schema *kube_schema_find(const char *api_version, const char *kind);

/* Prints an object as kubectl get -o yaml / json does. */
void kube_print_yaml(const struct kube_object *o, struct strbuf *out);
void kube_print_json(const struct kube_object *o, struct strbuf *out);
/* "service/web", "deployment.apps/web", "pod/x": what kubectl prints as names. */
void kube_print_name(const struct kube_object *o, struct strbuf *out);
/* Whether two objects have equal specs (all but metadata bookkeeping and status). */
bool kube_spec_equal(const struct kube_object *a, const struct kube_object *b);

#endif
