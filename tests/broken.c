/* tests/broken.c: dataplanes that are wrong on purpose, for the suite to catch.
 *
 *   broken                    lists the faults: name, mode, what is wrong
 *   broken FAULT FILE.lua...  runs scenarios on the fault's mode, whose rules are changed
 *                             on their way to the kernel; TAP and exit codes of svclab run
 *
 * A fault is a pattern and what its matches become in every text that kube-proxy writes;
 * a line that becomes empty is not written. One fault changes no text: a kube-proxy that
 * does only its first sync.
 */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/strbuf.h"
#include "dataplanes/iptables/iptables.h"
#include "dataplanes/ipvs/ipvs.h"
#include "dataplanes/nftables/nftables.h"
#include "dataplanes/registry.h"
#include "lua/scenario.h"

struct fault {
	const char *name, *mode, *sentence;
	const char *pattern;      /* extended regular expression; NULL: no further syncs */
	const char *replacement;  /* of the match; NULL: the whole line goes */
};

static const struct fault faults[] = {
	{ "no-masquerade", "iptables", "nothing is marked for masquerading", "-j KUBE-MARK-MASQ$", NULL },
	{ "masquerades-all", "iptables", "all that leaves a node is masqueraded",
	  "^-A KUBE-POSTROUTING -m mark ! .*-j RETURN$", NULL },
	{ "no-hairpin", "iptables", "a pod's connection to itself keeps its source",
	  "^-A KUBE-SEP-.*-j KUBE-MARK-MASQ$", NULL },
	{ "wrong-probability", "iptables", "the first endpoint gets nine connections of ten",
	  "--probability 0\\.[0-9]+", "--probability 0.9000000000" },
	{ "lost-endpoint", "iptables", "only the last endpoint of a Service is chosen",
	  "^.*-m statistic .*$", NULL },
	{ "no-affinity", "iptables", "clients are not remembered", "^.*-m recent --name .*--rcheck.*$", NULL },
	{ "drops", "iptables", "dropped where it is to be refused", "-j REJECT$", "-j DROP" },
	{ "refuses", "iptables", "refused where it is to be dropped", "-j DROP$", "-j REJECT" },
	{ "no-node-ports", "iptables", "node ports have no rules", "^-A KUBE-NODEPORTS .*$", NULL },
	{ "policy-ignored", "iptables", "externalTrafficPolicy Local uses the endpoints of all nodes",
	  "-j KUBE-SVL-", "-j KUBE-SVC-" },
	{ "ranges-ignored", "iptables", "loadBalancerSourceRanges admit everybody",
	  "^-A KUBE-PROXY-FIREWALL .*$", NULL },
	{ "wrong-port", "iptables", "connections go to the port after the target port",
	  "(--to-destination [0-9.]+):80$", "\\1:81" },
	{ "stale-endpoints", "iptables", "kube-proxy never syncs again after its start", NULL, NULL },
	{ "one-scheduler", "ipvs", "every virtual server hashes source addresses", " -s rr", " -s sh" },
	{ "no-persistence", "ipvs", "virtual servers forget their clients", " -p [0-9]+", "" },
	{ "no-addresses", "ipvs", "kube-ipvs0 gets no address", "^add .* dev kube-ipvs0$", NULL },
	{ "nft-no-masquerade", "nftables", "nothing is marked for masquerading",
	  "^add rule .* jump mark-for-masquerade$", NULL },
	{ "nft-refuses-nothing", "nftables", "ports without endpoints are not refused",
	  "^add rule ip kube-proxy reject-chain .*$", NULL },
	{ "nft-first-endpoint", "nftables", "the first endpoint gets every connection",
	  "numgen random mod [0-9]+", "numgen random mod 1" },
};

/* The planner's functions get no word of ours: what is broken is known here. */
static const struct fault *broken;
static regex_t pattern;
static const struct planner_class *sound;

/* ---- texts ----------------------------------------------------------------------------- */

static void substitute(const char *line, struct strbuf *out)
{
	regmatch_t at[2];
	if (regexec(&pattern, line, 2, at, 0) != 0) {
		strbuf_printf(out, "%s\n", line);
		return;
	}
	if (!broken->replacement)
		return;
	strbuf_add(out, line, (size_t)at[0].rm_so);
	const char *text = broken->replacement;
	if (strncmp(text, "\\1", 2) == 0) {
		strbuf_add(out, line + at[1].rm_so, (size_t)(at[1].rm_eo - at[1].rm_so));
		text += 2;
	}
	strbuf_printf(out, "%s%s\n", text, line + at[0].rm_eo);
}

static void break_text(struct transaction *t)
{
	struct strbuf text = { 0 }, changed = { 0 };
	char *rest;
	transaction_text(t, &text);
	for (char *line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		substitute(line, &changed);
	for (uint32_t i = 0; i < t->count; i++)
		block_unref(t->blocks[i]);
	t->count = 0;
	transaction_add(t, block_new(strbuf_text(&changed), changed.length));
	strbuf_free(&text);
	strbuf_free(&changed);
}

static int broken_plan(struct planner *p, const struct proxy_view *view,
		       const struct plan_request *request, struct transactions *out,
		       struct err *err)
{
	uint32_t before = out->count;
	if (!broken->pattern && !request->full)
		return 0;
	int code = sound->plan(p, view, request, out, err);
	for (uint32_t i = before; i < out->count && broken->pattern; i++)
		if (out->items[i].count)
			break_text(&out->items[i]);
	return code;
}

/* ---- the program --------------------------------------------------------------------------- */

/* The registry's rows, where the fault's mode plans by broken_plan. */
static struct registry break_registry(struct planner_class *class, struct dataplane *rows)
{
	for (uint32_t i = 0; i < dataplanes.count; i++) {
		rows[i] = dataplanes.rows[i];
		if (strcmp(rows[i].name, broken->mode) != 0)
			continue;
		sound = rows[i].planner;
		*class = *sound;
		class->plan = broken_plan;
		rows[i].planner = class;
	}
	return (struct registry){ rows, dataplanes.count };
}

static const struct fault *find(const char *name)
{
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		if (strcmp(faults[i].name, name) == 0)
			return &faults[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct planner_class class;
	struct dataplane rows[64];
	if (argc < 3) {
		for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
			printf("%s\t%s\t%s\n", faults[i].name, faults[i].mode, faults[i].sentence);
		return 0;
	}
	broken = find(argv[1]);
	if (!broken || dataplanes.count > sizeof rows / sizeof *rows) {
		fprintf(stderr, "broken: %s: no such fault\n", argv[1]);
		return 2;
	}
	if (broken->pattern && regcomp(&pattern, broken->pattern, REG_EXTENDED) != 0) {
		fprintf(stderr, "broken: %s: a bad pattern\n", broken->name);
		return 2;
	}
	struct registry registry = break_registry(&class, rows);
	struct scenario_options options = { .registry = &registry, .dataplanes = broken->mode, .seed = 1 };
	int code = scenario_run((const char *const *)argv + 2, (uint32_t)argc - 2, &options, stdout, stderr);
	if (broken->pattern)
		regfree(&pattern);
	return code;
}
