/* kube/value.h: an object as the tree of its JSON.
 *
 * Typed structs are for those who compute; this is for what walks fields by name:
 * yaml and json output, jsonpath, patches. A value lives in an arena; maps keep
 * their keys sorted, as everything that kubectl prints does.
 */
#ifndef KUBE_VALUE_H
#define KUBE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/strbuf.h"
#include "kube/types.h"

enum value_type { VALUE_NULL, VALUE_BOOL, VALUE_INT, VALUE_FLOAT, VALUE_STRING, VALUE_LIST,
		  VALUE_MAP };

struct value;

struct value_member { const char *key; struct value *value; }; /* key NULL in lists */

struct value {
	enum value_type type;
	bool truth;
	int64_t number;
	const char *text;             /* string, or a float as written */
	struct value_member *members; /* of a list or map */
	uint32_t count, capacity;
};

struct value *value_new(struct arena *a, enum value_type type);
struct value *value_string(struct arena *a, const char *text);
struct value *value_int(struct arena *a, int64_t number);
struct value *value_bool(struct arena *a, bool truth);
/* Appends to a list. */
void value_push(struct arena *a, struct value *list, struct value *item);
/* Sets or replaces a key of a map; the key is not copied. */
void value_set(struct arena *a, struct value *map, const char *key, struct value *item);
bool value_remove(struct value *map, const char *key);
/* NULL: no such key, or no map. */
struct value *value_get(const struct value *map, const char *key);
/* value_get along keys separated by dots. */
struct value *value_path(const struct value *map, const char *path);
bool value_equal(const struct value *a, const struct value *b);
struct value *value_copy(struct arena *a, const struct value *v);

/* The whole object, apiVersion and kind included, as kubectl get prints it. */
struct value *value_from_object(struct arena *a, const struct kube_object *o);
/* Of an object that was read and not defaulted: what its manifest said, nothing else. */
struct value *value_from_given(struct arena *a, const struct kube_object *o);
/* "v1", kind List, with these items. */
struct value *value_from_list(struct arena *a, const struct kube_object *const *objects,
			      uint32_t count);

/* One YAML or JSON document. Errors as in manifest.h. */
int value_parse(struct arena *a, const char *text, size_t length, const char *file,
		struct value **out, struct err *err);

/* As sigs.k8s.io/yaml writes it. */
void value_print_yaml(const struct value *v, struct strbuf *out);
/* indent 0: one line, as annotations have it; else blanks a level and a final newline. */
void value_print_json(const struct value *v, int indent, struct strbuf *out);

#endif
