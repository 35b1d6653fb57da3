/* kube/validate_meta.h: metadata and label selectors, of every kind. */
#ifndef KUBE_VALIDATE_META_H
#define KUBE_VALIDATE_META_H

#include "kube/names.h"

/* `old`: the stored object on update, else NULL. */
void validate_meta(struct strbuf *errors, const struct kube_object *o,
		   const struct kube_object *old, name_rule *rule);
/* Labels and annotations of a template: `at` is spec.template, not its metadata. */
void validate_template_meta(struct strbuf *errors, const struct field_path *at,
			    const struct kube_meta *meta);
void validate_selector(struct strbuf *errors, const struct field_path *at,
		       const struct kube_selector *s);
/* A selector as JSON, for messages. */
void selector_json(struct strbuf *out, const struct kube_selector *s);
bool selectors_equal(const struct kube_selector *a, const struct kube_selector *b);
bool strings_equal(const struct kube_strings *a, const struct kube_strings *b);
bool texts_equal(const char *a, const char *b); /* NULL and "" are the same */

#endif
