/* tests/unit/planner_nftables.c: nftables mode against what real kube-proxy wrote. */
#include "golden.h"

#include "dataplanes/nftables/nftables.h"

/* Rules stay in order within their chain; all other lines are sorted. */
static char *canonical(char *text)
{
	struct golden_line *lines = NULL;
	unsigned count = 0;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char chain[256] = "";
		lines = mem_grow(lines, count, count + 1, sizeof *lines);
		struct golden_line *l = &lines[count];
		l->order = count++;
		l->text = line;
		if (sscanf(line, "add rule %*s kube-proxy %255s", chain) == 1)
			snprintf(l->key, sizeof l->key, "rule %s", chain);
		else
			snprintf(l->key, sizeof l->key, "line %.300s", line);
	}
	qsort(lines, count, sizeof *lines, golden_compare);
	struct strbuf out = { 0 };
	for (unsigned i = 0; i < count; i++)
		strbuf_printf(&out, "%s\n", lines[i].text);
	free(lines);
	free(text);
	return strbuf_steal(&out);
}

/* Source: kube-proxy v1.30.5's transactions; every sync writes everything. */
static void five_services_in_1_30(void)
{
	struct golden g;
	if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &nftables_planner, KUBE_1_30)) {
		for (unsigned i = 0; i < 3; i++) {
			char name[40];
			snprintf(name, sizeof name, "step%u-nft-transactions.txt", i);
			if (i)
				golden_step(&g, i);
			if (golden_plan(&g, i == 0))
				golden_same(name, canonical(golden_text(&g, TX_NFT)),
					    canonical(golden_file("five/v1.30.5-nftables", name)));
		}
	}
	golden_close(&g);
}

/* Source: v1.34's proxier_test.go: after a change only what differs is written. */
static void one_change_is_a_partial_sync_in_1_34(void)
{
	static const char step1[] =
		"add chain ip kube-proxy endpoint-FLXOMXXM-default/web/tcp/http__10.244.1.10/8080\n"
		"flush chain ip kube-proxy endpoint-FLXOMXXM-default/web/tcp/http__10.244.1.10/8080\n"
		"add chain ip kube-proxy endpoint-7FUMELAF-default/web/tcp/http__10.244.1.11/8080\n"
		"flush chain ip kube-proxy endpoint-7FUMELAF-default/web/tcp/http__10.244.1.11/8080\n"
		"add chain ip kube-proxy service-SUSTUHLJ-default/web/tcp/http\n"
		"flush chain ip kube-proxy service-SUSTUHLJ-default/web/tcp/http\n"
		"add rule ip kube-proxy service-SUSTUHLJ-default/web/tcp/http ip daddr 10.96.0.10 "
		"ip saddr != 10.244.0.0/16 jump mark-for-masquerade\n"
		"add rule ip kube-proxy service-SUSTUHLJ-default/web/tcp/http numgen random mod 2 "
		"vmap { 0 : goto endpoint-FLXOMXXM-default/web/tcp/http__10.244.1.10/8080 , "
		"1 : goto endpoint-7FUMELAF-default/web/tcp/http__10.244.1.11/8080 }\n"
		"add rule ip kube-proxy endpoint-FLXOMXXM-default/web/tcp/http__10.244.1.10/8080 "
		"ip saddr 10.244.1.10 jump mark-for-masquerade\n"
		"add rule ip kube-proxy endpoint-FLXOMXXM-default/web/tcp/http__10.244.1.10/8080 "
		"meta l4proto tcp dnat to 10.244.1.10:8080\n"
		"add rule ip kube-proxy endpoint-7FUMELAF-default/web/tcp/http__10.244.1.11/8080 "
		"ip saddr 10.244.1.11 jump mark-for-masquerade\n"
		"add rule ip kube-proxy endpoint-7FUMELAF-default/web/tcp/http__10.244.1.11/8080 "
		"meta l4proto tcp dnat to 10.244.1.11:8080\n"
		"flush chain ip kube-proxy endpoint-ZRQGOVRH-default/web/tcp/http__10.244.2.10/8080\n";
	/* The flushed chain waits for its deletion; empty's elements go. */
	static const char step2[] =
		"flush chain ip kube-proxy endpoint-ZRQGOVRH-default/web/tcp/http__10.244.2.10/8080\n"
		"delete element ip kube-proxy cluster-ips { 10.96.0.40 }\n"
		"delete element ip kube-proxy no-endpoint-services { 10.96.0.40 . tcp . 80 }\n"
		"delete element ip kube-proxy no-endpoint-nodeports { tcp . 30040 }\n";
	struct golden g;
	if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &nftables_planner, KUBE_1_34) &&
	    golden_plan(&g, true)) {
		golden_step(&g, 1);
		if (golden_plan(&g, false))
			golden_same("step 1", golden_text(&g, TX_NFT), mem_strdup(step1));
		golden_step(&g, 2);
		if (golden_plan(&g, false))
			golden_same("step 2", golden_text(&g, TX_NFT), mem_strdup(step2));
	}
	golden_close(&g);
}

/* A stale chain is deleted by a sync more than a second after the one that flushed it. */
static void stale_chains_are_deleted_later(void)
{
	struct golden g;
	struct plan_request request;
	if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &nftables_planner, KUBE_1_34) &&
	    golden_plan(&g, true)) {
		golden_step(&g, 1);
		golden_plan(&g, false);
		g.class->next(g.planner, 2 * NS_PER_S, &request);
		if (golden_plan(&g, false)) {
			char *text = golden_text(&g, TX_NFT);
			CHECK_TEXT(text, "delete chain ip kube-proxy "
					 "endpoint-ZRQGOVRH-default/web/tcp/http__10.244.2.10/8080\n");
			free(text);
		}
	}
	golden_close(&g);
}

/* A failed load changes nothing: the next plan starts from what was loaded before. */
static void a_failed_sync_is_planned_again(void)
{
	struct golden g;
	if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &nftables_planner, KUBE_1_34) &&
	    golden_plan(&g, true)) {
		g.class->done(g.planner, 0, true);
		golden_step(&g, 2);
		golden_plan(&g, false);
		g.class->done(g.planner, 0, false);
		if (golden_plan(&g, true)) {
			char *text = golden_text(&g, TX_NFT);
			CHECK(strstr(text, "delete element ip kube-proxy cluster-ips "
					   "{ 10.96.0.40 }") != NULL);
			free(text);
		}
	}
	golden_close(&g);
}

static const struct check tests[] = {
	{ "v1.30: three syncs write what real kube-proxy wrote", five_services_in_1_30 },
	{ "v1.34: a change writes only what differs", one_change_is_a_partial_sync_in_1_34 },
	{ "a chain nobody uses is deleted a second later", stale_chains_are_deleted_later },
	{ "a failed sync is planned again from what is there", a_failed_sync_is_planned_again },
};

CHECK_MAIN(tests)
