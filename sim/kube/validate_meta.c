/* kube/validate_meta.c: see validate_meta.h. */
#include "kube/validate_meta.h"

#include <ctype.h>
#include <string.h>

#include "kube/copy.h"
#include "kube/schema_rows.h"

#define ANNOTATION_BYTES (256u * 1024)

static const char *text(const char *s)
{
	return s ? s : "";
}

bool texts_equal(const char *a, const char *b)
{
	return strcmp(text(a), text(b)) == 0;
}

bool strings_equal(const struct kube_strings *a, const struct kube_strings *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!texts_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

/* ---- metadata ------------------------------------------------------------------------- */

static void check_name(struct strbuf *errors, const struct kube_object *o, name_rule *rule)
{
	if (!o->meta.name || !*o->meta.name)
		field_required(errors, FIELD("metadata.name"), "name or generateName is required");
	else
		field_check(errors, FIELD("metadata.name"), o->meta.name, rule);
}

static void check_namespace(struct strbuf *errors, const struct kube_object *o)
{
	const char *namespace = text(o->meta.namespace);
	if (!kube_schema(o->kind)->namespaced) {
		if (*namespace)
			field_forbidden(errors, FIELD("metadata.namespace"),
					"not allowed on this type");
	} else if (!*namespace) {
		field_required(errors, FIELD("metadata.namespace"), NULL);
	} else {
		field_check(errors, FIELD("metadata.namespace"), namespace, rule_label_1123);
	}
}

static void check_annotations(struct strbuf *errors, const struct field_path *at,
			      const struct kube_map *annotations)
{
	size_t total = 0;
	for (uint32_t i = 0; i < annotations->count; i++) {
		const char *key = annotations->items[i].key;
		struct strbuf lower = { 0 };
		struct complaints c = { 0 };
		for (const char *p = key; *p; p++)
			strbuf_putc(&lower, (char)tolower((unsigned char)*p));
		rule_qualified_name(strbuf_text(&lower), &c);
		for (uint32_t j = 0; j < c.count; j++)
			field_invalid(errors, at, key, "%s", c.text[j]);
		strbuf_free(&lower);
		total += strlen(key) + strlen(text(annotations->items[i].value));
	}
	if (total > ANNOTATION_BYTES)
		field_too_long(errors, at, ANNOTATION_BYTES);
}

static void put_owners(struct strbuf *out, const struct kube_meta *m)
{
	strbuf_putc(out, '[');
	for (uint32_t i = 0; i < m->owners.count; i++) {
		const struct kube_owner *w = &m->owners.items[i];
		strbuf_printf(out, "%s{\"apiVersion\":", i ? "," : "");
		field_quote(out, w->api_version);
		strbuf_puts(out, ",\"kind\":");
		field_quote(out, w->kind);
		strbuf_puts(out, ",\"name\":");
		field_quote(out, w->name);
		strbuf_puts(out, ",\"uid\":");
		field_quote(out, w->uid);
		if (w->controller)
			strbuf_printf(out, ",\"controller\":%s",
				      w->controller == TRI_TRUE ? "true" : "false");
		strbuf_putc(out, '}');
	}
	strbuf_putc(out, ']');
}

static void check_one_owner(struct strbuf *errors, const struct kube_owner *w)
{
	static const struct field_path base = { NULL, "metadata.ownerReferences", NO_INDEX };
	if (!w->api_version || !*w->api_version)
		field_invalid(errors, CHILD(&base, "apiVersion"), w->api_version,
			      "version must not be empty");
	if (!w->kind || !*w->kind)
		field_required(errors, CHILD(&base, "kind"), "must not be empty");
	if (!w->name || !*w->name)
		field_required(errors, CHILD(&base, "name"), "must not be empty");
	if (!w->uid || !*w->uid)
		field_required(errors, CHILD(&base, "uid"), "must not be empty");
}

static void check_owners(struct strbuf *errors, const struct kube_meta *m)
{
	const struct kube_owner *controller = NULL;
	for (uint32_t i = 0; i < m->owners.count; i++) {
		const struct kube_owner *w = &m->owners.items[i];
		check_one_owner(errors, w);
		if (w->controller != TRI_TRUE)
			continue;
		if (controller) {
			struct strbuf value = { 0 };
			put_owners(&value, m);
			field_invalid_raw(
			    errors, FIELD("metadata.ownerReferences"), value.data,
			    "Only one reference can have Controller set to true. Found "
			    "\"true\" in references for %s/%s and %s/%s",
			    text(controller->kind), text(controller->name), text(w->kind),
			    text(w->name));
			strbuf_free(&value);
		}
		controller = w;
	}
}

void validate_meta(struct strbuf *errors, const struct kube_object *o,
		   const struct kube_object *old, name_rule *rule)
{
	(void)old; /* name and namespace are the key by which it was found */
	check_name(errors, o, rule);
	check_namespace(errors, o);
	field_check_labels(errors, FIELD("metadata.labels"), &o->meta.labels);
	check_annotations(errors, FIELD("metadata.annotations"), &o->meta.annotations);
	check_owners(errors, &o->meta);
	for (uint32_t i = 0; i < o->meta.finalizers.count; i++)
		field_check(errors, ITEM(NULL, "metadata.finalizers", i),
			    o->meta.finalizers.items[i], rule_qualified_name);
}

void validate_template_meta(struct strbuf *errors, const struct field_path *at,
			    const struct kube_meta *meta)
{
	field_check_labels(errors, CHILD(at, "labels"), &meta->labels);
	check_annotations(errors, CHILD(at, "annotations"), &meta->annotations);
}

/* ---- selectors ---------------------------------------------------------------------------- */

static void check_requirement(struct strbuf *errors, const struct field_path *at,
			      const struct kube_selector_requirement *r)
{
	bool with = kube_is(r->op, "In") || kube_is(r->op, "NotIn");
	bool without = kube_is(r->op, "Exists") || kube_is(r->op, "DoesNotExist");
	if (with && !r->values.count)
		field_required(errors, CHILD(at, "values"),
			       "must be specified when `operator` is 'In' or 'NotIn'");
	if (without && r->values.count)
		field_forbidden(
		    errors, CHILD(at, "values"),
		    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	if (!with && !without)
		field_invalid(errors, CHILD(at, "operator"), r->op,
			      "not a valid selector operator");
	field_check(errors, CHILD(at, "key"), r->key, rule_qualified_name);
	for (uint32_t i = 0; i < r->values.count; i++)
		field_check(errors, ITEM(at, "values", i), r->values.items[i], rule_label_value);
}

void validate_selector(struct strbuf *errors, const struct field_path *at,
		       const struct kube_selector *s)
{
	if (!s->set)
		return;
	field_check_labels(errors, CHILD(at, "matchLabels"), &s->match_labels);
	for (uint32_t i = 0; i < s->expressions.count; i++)
		check_requirement(errors, ITEM(at, "matchExpressions", i),
				  &s->expressions.items[i]);
}

void selector_json(struct strbuf *out, const struct kube_selector *s)
{
	if (!s->set) {
		strbuf_puts(out, "null");
		return;
	}
	strbuf_putc(out, '{');
	if (s->match_labels.count) {
		strbuf_puts(out, "\"matchLabels\":");
		field_json_map(out, &s->match_labels);
	}
	for (uint32_t i = 0; i < s->expressions.count; i++) {
		const struct kube_selector_requirement *r = &s->expressions.items[i];
		strbuf_printf(out, "%s{\"key\":", i ? "," : s->match_labels.count ?
			      ",\"matchExpressions\":[" : "\"matchExpressions\":[");
		field_quote(out, r->key);
		strbuf_puts(out, ",\"operator\":");
		field_quote(out, r->op);
		if (r->values.count) {
			strbuf_puts(out, ",\"values\":");
			field_json_strings(out, &r->values);
		}
		strbuf_putc(out, '}');
	}
	strbuf_puts(out, s->expressions.count ? "]}" : "}");
}

bool selectors_equal(const struct kube_selector *a, const struct kube_selector *b)
{
	return a->set == b->set && kube_fields_equal(kube_selector_fields, a, b);
}
