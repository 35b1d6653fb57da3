/* tests/modes/explain.h: which behaviour makes two modes differ.
 *
 * iptables mode is the one that others are compared with. A difference is explained by
 * the ID of a behaviour only when the question is what the behaviour is about *and* both
 * answers are the ones it states: anything else is reported.
 */
#ifndef TESTS_MODES_EXPLAIN_H
#define TESTS_MODES_EXPLAIN_H

#include "observe.h"

enum mode { MODE_IPTABLES, MODE_NFTABLES, MODE_IPVS, MODE_USERSPACE, MODE_COUNT };
extern const char *const mode_names[MODE_COUNT];

enum aspect { ASPECT_BEFORE, ASPECT_AFTER, ASPECT_KEPT, ASPECT_STICKS, ASPECT_COUNT };

/* Whether two modes show the same in this aspect of a probe. */
bool explain_equal(const struct seen_all *iptables, const struct seen_all *other, enum mode mode,
		   unsigned probe, enum aspect aspect);
/* ID of the behaviour; NULL: none that is known. Only asked where they are not equal. */
const char *explain(const struct mix *m, const struct seen_all *iptables,
		    const struct seen_all *other, enum mode mode, unsigned probe,
		    enum aspect aspect);

#endif
