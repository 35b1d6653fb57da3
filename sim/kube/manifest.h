/* kube/manifest.h: Kubernetes YAML (and JSON) into typed objects.
 *
 * Text is read as libfyaml events, never as a document tree, so that memory
 * follows the objects, not the text. Several documents, `kind: List` and
 * "<Kind>List" are one stream of objects in file order. Bad text is one line,
 * file:line:column, what is wrong and what was expected, and EINVAL. Unknown
 * fields and kinds are warnings with position: they go to `warnings`, a line each.
 *
 * ConfigMap kube-system/kube-proxy (key config.conf) also yields its
 * KubeProxyConfiguration, unless the stream has one of its own.
 */
#ifndef KUBE_MANIFEST_H
#define KUBE_MANIFEST_H

#include <stddef.h>

#include "core/err.h"
#include "core/strbuf.h"
#include "kube/types.h"

typedef int manifest_object_fn(void *ctx, struct kube_object *o, struct err *err);

struct manifest_options {
	bool defaults;            /* apply API defaults to each object */
	const char *namespace;    /* of objects that name none; NULL: "default" with defaults,
				   * else left out */
	struct strbuf *warnings;  /* may be NULL */
};

/* Calls fn with each object (fn takes the reference; non-zero stops and is returned). */
int manifest_read(const char *text, size_t length, const char *file,
		  const struct manifest_options *options, manifest_object_fn *fn, void *ctx,
		  struct err *err);
/* Reads files ("-" is standard input) into the store as a snapshot: objects as given
 * with defaults, referenced Namespaces implied, a duplicate is an error with both
 * places. */
struct kube_store;
int manifest_load(struct kube_store *s, const char *const *files, uint32_t count,
		  struct strbuf *warnings, struct err *err);

#endif
