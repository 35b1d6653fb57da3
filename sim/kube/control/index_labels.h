/* kube/control/index_labels.h: between the two files of the index (index.h). */
#ifndef KUBE_CONTROL_INDEX_LABELS_H
#define KUBE_CONTROL_INDEX_LABELS_H

#include "kube/control/index.h"

#define INDEX_KEY_BYTES 768

/* "a/b" or "a/b=c"; false when it doesn't fit: then no object has that name. */
bool index_key(char out[INDEX_KEY_BYTES], const char *a, const char *b, const char *c);
/* The pointer that a table of pointers has for that key, or NULL. */
void *index_find(const struct table *t, const char *a, const char *b, const char *c);

void index_pod_link(struct index *x, struct pod_record *p, const struct kube_object *o);
void index_pod_unlink(struct index *x, struct pod_record *p);
void index_service_link(struct index *x, struct service_record *s, const struct kube_service *now);
void index_service_unlink(struct index *x, struct service_record *s);

#endif
