/* tests/modes/scenario.h: a mix as a scenario that people can run. */
#ifndef TESTS_MODES_SCENARIO_H
#define TESTS_MODES_SCENARIO_H

#include "explain.h"

struct difference {
	enum mode mode;
	unsigned probe;
	enum aspect aspect;
};

/* The whole file: the cluster, the question, what each mode answered, and iptables mode's
 * answer as the expectation for all of them. */
void scenario_of(const struct mix *m, const struct difference *d,
		 const struct seen_all all[MODE_COUNT], struct strbuf *out);

#endif
