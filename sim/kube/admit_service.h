/* kube/admit_service.h: what a Service gets from the API server besides defaults. */
#ifndef KUBE_ADMIT_SERVICE_H
#define KUBE_ADMIT_SERVICE_H

#include "core/strbuf.h"
#include "kube/allocate.h"

/* On update, before defaulting: takes over the allocated values that the new object
 * leaves out. */
void admit_service_take_over(struct kube_service *s, const struct kube_service *old);
/* Fills in families, virtual addresses, node ports and the health check port; on update
 * first drops what the new type no longer has.
 * Reservations stay until kube_allocator_settle. Field errors are appended to `errors`
 * (lines), others go to `internal` (one line, reason InternalError). Nothing is allocated
 * when either is filled. Source: pkg/registry/core/service/storage. */
void admit_service(struct kube_allocator *a, struct kube_service *s,
		   const struct kube_service *old, struct strbuf *errors, struct strbuf *internal);

#endif
