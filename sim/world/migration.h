/* world/migration.h: what changes for a cluster when kube-proxy's mode does.
 *
 * Two worlds hold the same snapshot, one a mode. What a packet can show is measured: the
 * same packet goes through both and the verdicts and the addresses that the servers see
 * are compared. What is about time or state (affinity, draining, clean-up) follows from
 * the fields of the objects and what is known of the modes. Either way a change is
 * reported only for Services that have what it is about.
 *
 * Behaviours have the IDs that scenarios name.
 */
#ifndef WORLD_MIGRATION_H
#define WORLD_MIGRATION_H

#include "core/strbuf.h"
#include "world/world.h"

struct migration_change {
	const char *id;
	const char *service;  /* "ns/name:port"; "" cluster-wide */
	const char *what;     /* one sentence, the same for all Services of a change */
	const char *before, *after;
	const char *advice;
};

struct migration {
	const char *from, *to;
	struct migration_change *changes; /* changes of one behaviour side by side */
	uint32_t count;
	struct strbuf notes;  /* lines: what could not be decided */
	struct arena *memory; /* of the texts */
};

/* Snapshots of the same manifests in the two modes, and dumps of a node's firewall
 * ("-" is standard input). EINVAL: a mode that is not kube-proxy's, a dump that cannot be
 * read. `out` is empty before; the caller calls migration_free, also after an error. */
int migration_compare(struct world *from, struct world *to, const char *const *dumps,
		      uint32_t dump_count, struct migration *out, struct err *err);
void migration_free(struct migration *m);
/* For people: a paragraph a behaviour, with the Services it touches. */
void migration_text(const struct migration *m, bool color, struct strbuf *out);
/* For programs: one object. */
void migration_json(const struct migration *m, struct strbuf *out);

#endif
