/* tests/unit/planner_ipvs.c: ipvs mode against what real kube-proxy wrote and asked for. */
#include "golden.h"

#include "dataplanes/ipvs/ipvs.h"

/* `ipvsadm -R` lines as `ipvsadm -Ln` prints virtual and real servers, in one line a
 * server so that they can be sorted. */
static char *servers_of_commands(char *text)
{
	struct strbuf out = { 0 };
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char verb[4], proto[20], vip[80], flag[8], value[80];
		if (sscanf(line, "%3s %19s %79s %7s %79s", verb, proto, vip, flag, value) != 5)
			continue;
		const char *name = strcmp(proto, "-u") == 0 ? "UDP" :
				   strcmp(proto, "-t") == 0 ? "TCP" : "SCTP";
		const char *p = strstr(line, " -p ");
		strbuf_printf(&out, "%s %s", name, vip);
		if (strcmp(verb, "-A") == 0)
			strbuf_printf(&out, " %s%s%s%s", value, p ? " persistent " : "",
				      p ? p + 4 : "", strstr(line, "mh-port") ? " (mh-port)" : "");
		else
			strbuf_printf(&out, " -> %s", value);
		strbuf_putc(&out, '\n');
	}
	free(text);
	return golden_sorted(strbuf_steal(&out));
}

static char *servers_of_listing(char *text)
{
	struct strbuf out = { 0 };
	char *save = NULL, name[8] = "", vip[80] = "";
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char real[80], scheduler[20];
		if (strncmp(line, "IP ", 3) == 0 || strncmp(line, "Prot", 4) == 0 ||
		    strstr(line, "RemoteAddress"))
			continue;
		if (sscanf(line, " -> %79s", real) == 1) {
			strbuf_printf(&out, "%s %s -> %s\n", name, vip, real);
			continue;
		}
		if (sscanf(line, "%7s %79s %19s", name, vip, scheduler) != 3)
			continue;
		const char *p = strstr(line, " persistent ");
		strbuf_printf(&out, "%s %s %s%.*s%s\n", name, vip, scheduler,
			      p ? (int)(strlen(" persistent ") +
					strspn(p + strlen(" persistent "), "0123456789")) : 0,
			      p ? p : "", strstr(line, "(mh-port") ? " (mh-port)" : "");
	}
	free(text);
	return golden_sorted(strbuf_steal(&out));
}

static char *addresses(char *text)
{
	struct strbuf out = { 0 };
	char *save = NULL, ip[80];
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "add %79[^/]", ip) == 1)
			strbuf_printf(&out, "kube-ipvs0 %s\n", ip);
	free(text);
	return golden_sorted(strbuf_steal(&out));
}

static char *both(const struct golden *g)
{
	char *four = golden_text(g, TX_IPTABLES_RESTORE), *six = golden_text(g, TX_IP6TABLES_RESTORE);
	struct strbuf out = { 0 };
	strbuf_printf(&out, "%s%s", four, six);
	free(four);
	free(six);
	return strbuf_steal(&out);
}

static void compare(struct golden *g, const char *folder, const char *const files[4])
{
	golden_same(files[0], golden_restore(both(g), true),
		    golden_restore(golden_file(folder, files[0]), true));
	golden_same(files[1], golden_sorted(golden_text(g, TX_IPSET)),
		    golden_sorted(golden_file(folder, files[1])));
	golden_same(files[2], servers_of_commands(golden_text(g, TX_IPVSADM)),
		    servers_of_listing(golden_file(folder, files[2])));
	golden_same(files[3], addresses(golden_text(g, TX_ADDR)),
		    golden_sorted(golden_file(folder, files[3])));
}

/* Source: kube-proxy v1.30.5 on random clusters. */
static void first_sync_of_random_clusters(void)
{
	static const char *const files[4] = { "ipvs.iptables.restore.txt", "ipvs-ipset.txt",
					      "ipvs-ipvsadm.txt", "ipvs-addresses.txt" };
	for (unsigned i = 0; i < GOLDEN_CLUSTERS; i++) {
		struct golden g;
		char path[128], folder[32];
		snprintf(folder, sizeof folder, "rules/%s", golden_clusters[i][0]);
		snprintf(path, sizeof path, GOLDEN "%s/cluster.yaml", folder);
		if (golden_open(&g, path, golden_clusters[i][1], &ipvs_planner, KUBE_1_30) &&
		    golden_plan(&g, true))
			compare(&g, folder, files);
		golden_close(&g);
	}
}

/* The operations that a plan asks for, as the recording writes them. */
static char *operations(const struct golden *g)
{
	struct strbuf out = { 0 };
	for (uint32_t i = 0; i < g->plan.count; i++) {
		struct strbuf text = { 0 };
		char *save = NULL, a[80], b[80];
		transaction_text(&g->plan.items[i], &text);
		for (char *line = text.data ? strtok_r(text.data, "\n", &save) : NULL; line;
		     line = strtok_r(NULL, "\n", &save)) {
			if (g->plan.items[i].tool == TX_ADDR &&
			    sscanf(line, "del %79[^/]", a) == 1)
				strbuf_printf(&out, "ip addr del %s dev kube-ipvs0\n", a);
			if (g->plan.items[i].tool == TX_IPSET && strncmp(line, "del", 3) == 0)
				strbuf_printf(&out, "ipset %s\n", line);
			if (g->plan.items[i].tool != TX_IPVSADM)
				continue;
			if (sscanf(line, "-d -t %79s -r %79s", a, b) == 2)
				strbuf_printf(&out, "ipvs delete-server  %s/TCP -> %s\n", a, b);
			else if (sscanf(line, "-D -t %79s", a) == 1)
				strbuf_printf(&out, "ipvs delete-service %s/TCP\n", a);
			else
				strbuf_printf(&out, "%s\n", line);
		}
		strbuf_free(&text);
	}
	return golden_sorted(strbuf_steal(&out));
}

static void five(const char *folder, enum kube_version version)
{
	static const char *const files[4] = { "step0-iptables-restore.txt", "step0-ipset.txt",
					      "step0-ipvsadm.txt", "step0-addresses.txt" };
	struct golden g;
	if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &ipvs_planner, version)) {
		if (version == KUBE_1_20) { /* the recording's node had no loopback device */
			g.addrs[0] = g.addrs[2];
			g.view.node_addr_count = 1;
			g.devs[0] = "eth0";
		}
		if (golden_plan(&g, true))
			compare(&g, folder, files);
		for (unsigned i = 1; i < 3; i++) {
			char name[40];
			golden_step(&g, i);
			if (!golden_plan(&g, false))
				continue;
			snprintf(name, sizeof name, "step%u-ipvs-ops.txt", i);
			golden_same(name, operations(&g), golden_sorted(golden_file(folder, name)));
			snprintf(name, sizeof name, "step%u-iptables-restore.txt", i);
			golden_same(name, golden_restore(both(&g), true),
				    golden_restore(golden_file(folder, name), true));
		}
	}
	golden_close(&g);
}

/* Source: kube-proxy v1.30.5. */
static void changes_in_1_30(void)
{
	five("five/v1.30.5-ipvs", KUBE_1_30);
}

/* Source: kube-proxy v1.20.2. */
static void changes_in_1_20(void)
{
	five("five/v1.20.2-ipvs", KUBE_1_20);
}

static const char *listing;

static int read_listing(void *ctx, enum dump_view view, const char *argument, struct strbuf *out,
			struct err *err)
{
	(void)ctx;
	(void)argument;
	(void)err;
	if (view == DUMP_IPVSADM)
		strbuf_puts(out, listing);
	return 0;
}

static void expect_ipvsadm(struct golden *g, const char *expected)
{
	char *text = golden_text(g, TX_IPVSADM);
	CHECK_TEXT(text, expected);
	free(text);
}

/* Source: pkg/proxy/ipvs/graceful_termination.go: weight 0 while connections are left,
 * looked at again every minute. */
static void a_server_with_connections_drains(void)
{
	struct golden g;
	struct plan_request request;
	listing = "TCP  10.96.0.10:80 rr\n"
		  "  -> 10.244.2.10:8080             Masq    1      1          2\n";
	if (golden_open(&g, GOLDEN "five/cluster.yaml", "node-a", &ipvs_planner, KUBE_1_34)) {
		g.class->next(g.planner, 0, &request);
		golden_plan(&g, true);
		g.class->done(g.planner, 0, true);
		g.view.read = read_listing;
		golden_step(&g, 1);
		golden_plan(&g, false);
		g.class->done(g.planner, 0, true);
		expect_ipvsadm(&g, "-e -t 10.96.0.10:80 -r 10.244.2.10:8080 -m -w 0\n");
		CHECK_INT(g.class->due(g.planner), 60 * NS_PER_S);
		g.class->next(g.planner, 60 * NS_PER_S, &request);
		golden_plan(&g, false);
		g.class->done(g.planner, 60 * NS_PER_S, true);
		expect_ipvsadm(&g, "");
		listing = "TCP  10.96.0.10:80 rr\n"
			  "  -> 10.244.2.10:8080             Masq    0      0          0\n";
		CHECK_INT(g.class->due(g.planner), 120 * NS_PER_S);
		g.class->next(g.planner, 120 * NS_PER_S, &request);
		golden_plan(&g, false);
		g.class->done(g.planner, 120 * NS_PER_S, true);
		expect_ipvsadm(&g, "-d -t 10.96.0.10:80 -r 10.244.2.10:8080\n");
	}
	golden_close(&g);
}

static const struct check tests[] = {
	{ "rules, sets, servers and addresses are real kube-proxy's, on twelve random clusters",
	  first_sync_of_random_clusters },
	{ "v1.30: two changes ask for what real kube-proxy asked for", changes_in_1_30 },
	{ "v1.20: two changes ask for what real kube-proxy asked for", changes_in_1_20 },
	{ "a real server with connections drains at weight 0", a_server_with_connections_drains },
};

CHECK_MAIN(tests)
