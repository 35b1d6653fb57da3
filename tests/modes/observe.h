/* tests/modes/observe.h: what a mix shows on one dataplane.
 *
 * A probe is traced through every outcome of the choice of a backend, so that random
 * choices compare as sets. Around it, what one packet cannot show: whether a client
 * with affinity stays, whether an open connection outlives the mix's change.
 */
#ifndef TESTS_MODES_OBSERVE_H
#define TESTS_MODES_OBSERVE_H

#include "core/err.h"
#include "mix.h"

enum seen_class { SEEN_NOT_ASKED, SEEN_DELIVERED, SEEN_CLOSED, SEEN_REFUSED, SEEN_DROPPED,
		  SEEN_SILENT, SEEN_CLASSES };

struct seen {
	uint32_t classes;    /* bit per seen_class */
	uint32_t backends;   /* bit per pod of the mix; bit 31: another */
	bool own, other;     /* the address that servers see: the client's or another */
};

enum lasting { LASTS_NOT_ASKED, LASTS, ENDS };

struct seen_all {
	struct seen before[MIX_PROBES], after[MIX_PROBES];
	enum lasting kept[MIX_PROBES];   /* an open connection, over the change */
	enum lasting sticks[MIX_PROBES]; /* four connections of one client: one backend */
};

int observe(const struct mix *m, const char *mode, struct seen_all *out, struct err *err);
/* "delivered to server-0 server-2, who see the client" */
void seen_text(const struct seen *s, struct strbuf *out);

#endif
