/* kube/answer.h: filling a struct kube_answer (kube/admit.h has it). */
#ifndef KUBE_ANSWER_H
#define KUBE_ANSWER_H

#include "kube/admit.h"

/* Empties the answer: it is about this object now. */
void answer_about(struct kube_answer *answer, enum kube_kind kind, const char *name);
/* Sets reason and message; returns the reason's errno. */
int answer_refuse(struct kube_answer *answer, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Invalid, with these causes (lines). */
int answer_invalid(struct kube_answer *answer, enum kube_kind kind, const struct strbuf *errors);
/* "services", "deployments.apps": as the server names a resource. */
void answer_resource(enum kube_kind kind, struct strbuf *out);

#endif
