/* tests/unit/planner_iptables.c: iptables mode against what real kube-proxy wrote. */
#include "golden.h"

#include "dataplanes/iptables/iptables.h"

static char *restored(const struct golden *g)
{
	char *four = golden_text(g, TX_IPTABLES_RESTORE), *six = golden_text(g, TX_IP6TABLES_RESTORE);
	if (*four) {
		free(six);
		return four;
	}
	free(four);
	return six;
}

/* Source: kube-proxy v1.30.5 on random clusters. */
static void first_sync_of_random_clusters(void)
{
	for (unsigned i = 0; i < GOLDEN_CLUSTERS; i++) {
		struct golden g;
		char path[128], folder[32];
		snprintf(folder, sizeof folder, "rules/%s", golden_clusters[i][0]);
		snprintf(path, sizeof path, GOLDEN "%s/cluster.yaml", folder);
		if (golden_open(&g, path, golden_clusters[i][1], &iptables_planner, KUBE_1_30) &&
		    golden_plan(&g, true))
			golden_same(folder, golden_restore(restored(&g), false),
				    golden_restore(golden_file(folder, "iptables.restore.txt"),
						   false));
		golden_close(&g);
	}
}

/* ---- five services and two changes -------------------------------------------------- */

static void five(const char *folder, enum kube_version version)
{
	struct golden g;
	if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &iptables_planner, version)) {
		for (unsigned i = 0; i < 3; i++) {
			char name[40];
			snprintf(name, sizeof name, "step%u-iptables-restore.txt", i);
			if (i)
				golden_step(&g, i);
			if (golden_plan(&g, i == 0))
				golden_same(name, golden_restore(restored(&g), false),
					    golden_restore(golden_file(folder, name), false));
		}
	}
	golden_close(&g);
}

/* Source: kube-proxy v1.30.5: a partial sync leaves chains of unchanged services alone. */
static void changes_in_1_30(void)
{
	five("five/v1.30.5-iptables", KUBE_1_30);
}

/* Source: kube-proxy v1.20.2: every sync writes everything. */
static void changes_in_1_20(void)
{
	five("five/v1.20.2-iptables", KUBE_1_20);
}

/* "-C x || -I x" as the command that runs on an empty table; canaries are not in the
 * recording. */
static char *commands(const struct golden *g)
{
	char *text = golden_text(g, TX_IPTABLES), *save = NULL;
	struct strbuf out = { 0 };
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *second = strstr(line, " || ");
		if (!strstr(line, "KUBE-PROXY-CANARY"))
			strbuf_printf(&out, "iptables %s\n", second ? second + 4 : line);
	}
	free(text);
	return strbuf_steal(&out);
}

/* Source: the single commands of both versions, in their order. */
static void jumps_are_made_in_order(void)
{
	static const struct {
		const char *folder;
		enum kube_version version;
	} rows[] = { { "five/v1.30.5-iptables", KUBE_1_30 }, { "five/v1.20.2-iptables", KUBE_1_20 } };
	for (unsigned i = 0; i < 2; i++) {
		struct golden g;
		if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &iptables_planner,
				rows[i].version) &&
		    golden_plan(&g, true)) {
			golden_same("commands", commands(&g),
				    golden_file(rows[i].folder, "step0-iptables-commands.txt"));
			char *sysctl = golden_text(&g, TX_SYSCTL);
			CHECK_TEXT(sysctl, "net/netfilter/nf_conntrack_max>=131072\n"
					   "net/netfilter/nf_conntrack_tcp_timeout_established=86400\n"
					   "net/netfilter/nf_conntrack_tcp_timeout_close_wait=3600\n"
					   "net/ipv4/conf/all/route_localnet=1\n");
			free(sysctl);
		}
		golden_close(&g);
	}
}

static const struct check tests[] = {
	{ "the first sync writes what real kube-proxy wrote, on twelve random clusters",
	  first_sync_of_random_clusters },
	{ "v1.30: two changes rewrite what real kube-proxy rewrote", changes_in_1_30 },
	{ "v1.20: two changes write what real kube-proxy wrote", changes_in_1_20 },
	{ "jumps and chains are made by the same commands in the same order",
	  jumps_are_made_in_order },
};

CHECK_MAIN(tests)
