/* tests/unit/planner_life.c: a node's kube-proxy over time, its plans loaded into the
 * Linux model: changes, restarts, another mode. */
#include "golden.h"

#include "dataplanes/model/model.h"
#include "dataplanes/registry.h"

struct life {
	struct golden g;
	struct engine *engine;
	struct executor *executor;
	struct topology topology;
};

#define NODE "node/node-a"

static const struct planner_class *mode(const char *name)
{
	return registry_find(&dataplanes, name)->planner;
}

static int read_back(void *ctx, enum dump_view view, const char *argument, struct strbuf *out,
		     struct err *err)
{
	struct life *l = ctx;
	return model_executor.dump(l->executor, NODE, view, argument, out, err);
}

static bool life_open(struct life *l, const char *mode_name, enum kube_version version)
{
	struct err err = { "" };
	struct executor_env env;
	struct place_spec node = { .kind = PLACE_NODE, .name = NODE };
	if (!golden_open(&l->g, GOLDEN "five/cluster.yaml", "node-a", mode(mode_name), version))
		return false;
	l->engine = engine_new();
	env = (struct executor_env){ .engine = l->engine, .choice = l->g.choice };
	l->topology = (struct topology){ 0 };
	net_prefix_parse("192.168.0.0/24", &l->topology.lan[0]);
	net_addr_parse("192.168.0.1", &node.addrs[0]);
	net_prefix_parse("10.244.1.0/24", &node.pod_cidrs[0]);
	if (model_executor.open(&env, &l->topology, &l->executor, &err) ||
	    model_executor.attach(l->executor, &node, &err))
		return check_note(false, "executor", 0, "%s", err.text);
	l->g.view.read = read_back;
	l->g.view.read_ctx = l;
	return true;
}

static void life_close(struct life *l)
{
	golden_close(&l->g);
	model_executor.close(l->executor);
	engine_free(l->engine);
}

/* Plans and loads; every transaction must be accepted. */
static void sync_now(struct life *l, bool full)
{
	struct err err = { "" };
	bool ok = golden_plan(&l->g, full);
	for (uint32_t i = 0; ok && i < l->g.plan.count; i++) {
		struct load_cost cost;
		ok = model_executor.load(l->executor, NODE, &l->g.plan.items[i], &cost, &err) == 0;
		check_note(ok, tx_tool_name(l->g.plan.items[i].tool), (int)i, "%s", err.text);
	}
	l->g.class->done(l->g.planner, 0, ok);
}

/* A new process, of this or another mode. */
static void restart(struct life *l, const char *mode_name)
{
	struct err err = { "" };
	l->g.class->close(l->g.planner);
	l->g.class = mode(mode_name);
	check_note(l->g.class->open(&l->g.view, &l->g.planner, &err) == 0, mode_name, 0, "%s",
		   err.text);
}

static char *state(struct life *l, enum dump_view view)
{
	struct strbuf out = { 0 };
	struct err err = { "" };
	check_note(model_executor.dump(l->executor, NODE, view, NULL, &out, &err) == 0, "dump", 0,
		   "%s", err.text);
	return strbuf_steal(&out);
}

/* The state after changes and a restart is the one that a first sync would make. */
static void same_as_fresh(const char *mode_name, enum kube_version version, enum dump_view view)
{
	struct life l, fresh;
	if (life_open(&l, mode_name, version) && life_open(&fresh, mode_name, version)) {
		sync_now(&l, true);
		golden_step(&l.g, 1);
		sync_now(&l, false);
		sync_now(&l, true);
		golden_step(&l.g, 2);
		restart(&l, mode_name);
		sync_now(&l, true);
		sync_now(&l, false);
		if (view == DUMP_NFT) { /* stale chains go later */
			struct plan_request request;
			l.g.class->next(l.g.planner, 2 * NS_PER_S, &request);
			sync_now(&l, false);
		}
		golden_step(&fresh.g, 1);
		golden_step(&fresh.g, 2);
		sync_now(&fresh, true);
		/* nft lists in order of creation, which a life changes. */
		char *a = state(&l, view), *b = state(&fresh, view);
		if (view == DUMP_NFT) {
			a = golden_sorted(a);
			b = golden_sorted(b);
		}
		golden_same(mode_name, a, b);
	}
	life_close(&l);
	life_close(&fresh);
}

static void iptables_ends_in_the_same_state(void)
{
	same_as_fresh("iptables", KUBE_1_34, DUMP_IPTABLES_SAVE);
	same_as_fresh("iptables", KUBE_1_20, DUMP_IPTABLES_SAVE);
}

static void ipvs_ends_in_the_same_state(void)
{
	same_as_fresh("ipvs", KUBE_1_34, DUMP_IPTABLES_SAVE);
	same_as_fresh("ipvs", KUBE_1_34, DUMP_IPVSADM);
	same_as_fresh("ipvs", KUBE_1_34, DUMP_IPSET);
	same_as_fresh("ipvs", KUBE_1_34, DUMP_ADDR);
}

static void nftables_ends_in_the_same_state(void)
{
	same_as_fresh("nftables", KUBE_1_30, DUMP_NFT);
	same_as_fresh("nftables", KUBE_1_34, DUMP_NFT);
}

/* SYN-10: nftables mode removes what the others left; the others remove its table. */
static void modes_clean_up_after_each_other(void)
{
	static const char *const before[] = { "iptables", "ipvs" };
	for (unsigned i = 0; i < 2; i++) {
		struct life l;
		if (life_open(&l, before[i], KUBE_1_34)) {
			sync_now(&l, true);
			restart(&l, "nftables");
			sync_now(&l, true);
			char *rules = state(&l, DUMP_IPTABLES_SAVE);
			char *servers = state(&l, DUMP_IPVSADM);
			check_note(!strstr(rules, "KUBE-SVC") && !strstr(rules, "-j KUBE-SERVICES"),
				   before[i], 0, "left behind: %s", rules);
			CHECK(strstr(servers, "TCP") == NULL);
			restart(&l, before[i]);
			sync_now(&l, true);
			char *nft = state(&l, DUMP_NFT);
			CHECK(strstr(nft, "kube-proxy") == NULL);
			free(rules);
			free(servers);
			free(nft);
		}
		life_close(&l);
	}
}

/* SYN-10: between iptables and ipvs nothing is removed. */
static void ipvs_stays_when_iptables_comes(void)
{
	struct life l;
	if (life_open(&l, "ipvs", KUBE_1_34)) {
		sync_now(&l, true);
		restart(&l, "iptables");
		sync_now(&l, true);
		char *servers = state(&l, DUMP_IPVSADM);
		CHECK(strstr(servers, "10.96.0.10:80") != NULL);
		free(servers);
	}
	life_close(&l);
}

static const struct check tests[] = {
	{ "iptables: changes and a restart end in the state of a first sync",
	  iptables_ends_in_the_same_state },
	{ "ipvs: changes and a restart end in the state of a first sync",
	  ipvs_ends_in_the_same_state },
	{ "nftables: changes and a restart end in the state of a first sync",
	  nftables_ends_in_the_same_state },
	{ "nftables and the older modes remove each other's rules",
	  modes_clean_up_after_each_other },
	{ "between iptables and ipvs nothing is removed", ipvs_stays_when_iptables_comes },
};

CHECK_MAIN(tests)
