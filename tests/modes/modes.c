/* tests/modes/modes.c: the same connections in every mode, on random clusters.
 *
 * Prints TAP. Each cluster runs in iptables, nftables, ipvs and userspace mode; where a
 * mode differs from iptables mode, the behaviour that says so is counted. A difference
 * that no behaviour explains is made as small as it goes and written as a scenario.
 *
 * CLUSTERS=N  how many (default 60), SEED=N the first one's seed (default 1),
 * FOUND=DIR   where scenarios of unexplained differences go (default: only shown).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/progress.h"
#include "explain.h"
#include "report/tap.h"
#include "scenario.h"

enum { IDS_MAX = 64 };

struct tally {
	const char *id;
	uint32_t count[MODE_COUNT];
};

struct hunt {
	struct tally tallies[IDS_MAX];
	uint32_t tally_count;
	uint64_t probes;
};

static int observe_all(const struct mix *m, struct seen_all all[MODE_COUNT], struct err *err)
{
	int code = 0;
	for (int mode = 0; mode < MODE_COUNT && !code; mode++)
		code = observe(m, mode_names[mode], &all[mode], err);
	return code;
}

static void count_id(struct hunt *h, const char *id, int mode)
{
	for (uint32_t i = 0; i <= h->tally_count && i < IDS_MAX; i++) {
		if (i == h->tally_count)
			h->tallies[h->tally_count++].id = id;
		if (strcmp(h->tallies[i].id, id) == 0) {
			h->tallies[i].count[mode]++;
			return;
		}
	}
}

/* The first difference that nothing explains; false: there is none. `h` may be NULL. */
static bool unexplained(const struct mix *m, const struct seen_all all[MODE_COUNT], struct hunt *h,
			struct difference *out)
{
	bool found = false;
	for (unsigned p = 0; p < MIX_PROBES; p++) {
		if (h && m->probes[p].there)
			h->probes++;
		for (int mode = 1; mode < MODE_COUNT; mode++)
			for (int aspect = 0; aspect < ASPECT_COUNT; aspect++) {
				if (explain_equal(&all[0], &all[mode], (enum mode)mode, p,
						  (enum aspect)aspect))
					continue;
				const char *id = explain(m, &all[0], &all[mode], (enum mode)mode, p,
							 (enum aspect)aspect);
				if (id && h)
					count_id(h, id, mode);
				if (!id && !found)
					*out = (struct difference){ (enum mode)mode, p,
								    (enum aspect)aspect };
				found |= !id;
			}
	}
	return found;
}

/* Simpler ways of saying it, until none shows a difference any more. */
static void shrink(struct mix *m, struct difference *d)
{
	struct seen_all all[MODE_COUNT];
	struct err err = { "" };
	bool smaller = true;
	while (smaller) {
		smaller = false;
		struct mix simpler = *m;
		for (uint32_t step = 0; mix_simplify(&simpler, step); step++) {
			struct difference found;
			if (memcmp(&simpler, m, sizeof simpler) != 0 &&
			    observe_all(&simpler, all, &err) == 0 &&
			    unexplained(&simpler, all, NULL, &found)) {
				*m = simpler;
				*d = found;
				smaller = true;
			}
			simpler = *m;
		}
	}
}

static void report(struct mix *m, struct difference *d, struct strbuf *said)
{
	struct strbuf text = { 0 };
	struct seen_all all[MODE_COUNT];
	struct err err = { "" };
	const char *folder = getenv("FOUND");
	shrink(m, d);
	observe_all(m, all, &err);
	scenario_of(m, d, all, &text);
	strbuf_puts(said, strbuf_text(&text));
	if (folder) {
		char name[600];
		snprintf(name, sizeof name, "%s/modes-%llu.lua", folder, (unsigned long long)m->seed);
		FILE *f = fopen(name, "w");
		if (f)
			fwrite(text.data, 1, text.length, f);
		if (!f || fclose(f))
			strbuf_printf(said, "%s could not be written\n", name);
	}
	strbuf_free(&text);
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->id, ((const struct tally *)b)->id);
}

static void say_tallies(struct hunt *h)
{
	printf("# %llu questions; differences from iptables mode by behaviour:\n",
	       (unsigned long long)h->probes);
	printf("# %-8s %8s %8s %9s\n", "", "nftables", "ipvs", "userspace");
	qsort(h->tallies, h->tally_count, sizeof *h->tallies, compare_ids);
	for (uint32_t i = 0; i < h->tally_count; i++)
		printf("# %-8s %8u %8u %9u\n", h->tallies[i].id, h->tallies[i].count[MODE_NFTABLES],
		       h->tallies[i].count[MODE_IPVS], h->tallies[i].count[MODE_USERSPACE]);
}

int main(void)
{
	uint64_t count = number("CLUSTERS", 60), seed = number("SEED", 1);
	struct hunt h = { 0 };
	struct strbuf said = { 0 };
	char sentence[120];
	uint64_t bad = 0;
	struct tap *tap = tap_new(stdout, 1);
	struct progress progress;
	progress_start(&progress, "random clusters", count);
	for (uint64_t i = 0; i < count; i++) {
		struct mix m;
		struct seen_all all[MODE_COUNT];
		struct difference d;
		struct err err = { "" };
		mix_draw(&m, seed + i);
		bool failed = observe_all(&m, all, &err) != 0;
		bool found = !failed && unexplained(&m, all, &h, &d);
		if (failed)
			strbuf_printf(&said, "seed %llu: %s\n", (unsigned long long)m.seed, err.text);
		if (found)
			report(&m, &d, &said);
		bad += failed || found;
		progress_step(&progress, 1);
	}
	progress_end(&progress);
	say_tallies(&h);
	snprintf(sentence, sizeof sentence,
		 "%llu random clusters from seed %llu show no difference that no behaviour explains",
		 (unsigned long long)count, (unsigned long long)seed);
	if (!tap_result(tap, bad == 0, sentence))
		tap_diagnose(tap, strbuf_text(&said));
	strbuf_free(&said);
	return tap_end(tap) ? 0 : 1;
}
