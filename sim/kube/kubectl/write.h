/* kube/kubectl/write.h: what the writing verbs share. */
#ifndef KUBE_KUBECTL_WRITE_H
#define KUBE_KUBECTL_WRITE_H

#include "kube/kubectl/internal.h"

/* Its namespace as a key of the store: NULL for cluster-scoped kinds. */
const char *object_namespace(const struct kube_object *o);
/* create -f */
int create_from_file(struct call *c, const char *path, struct kube_object *given);
/* "error: You must provide one or more resources ..." */
int nothing_given(struct call *c);
/* "key=value"; false and said when it isn't. */
bool pair_parse(struct call *c, const char *text, const char **key, const char **value);
/* "", " (dry run)", " (server dry run)" */
const char *dry_suffix(struct call *c);
/* Creates through the API server's door and says so; takes the reference. `doing`: for a
 * refusal, see kube_answer_text. */
int create_object(struct call *c, struct kube_object *o, const char *doing);
/* Calls fn (which takes the reference) with each object of -f, its namespace filled in. The
 * exit code: 1 when something was wrong; it has been said. */
int files_each(struct call *c, int (*fn)(struct call *c, const char *path,
					 struct kube_object *o));
/* Deletes and says so; waits until all are gone unless --wait=false. */
int delete_objects(struct call *c, const struct found *f);

#endif
