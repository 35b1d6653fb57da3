/* tests/differential/kernel_xtables.c: the plain evaluator of iptables rules judged by the
 * running kernel, with random rule sets of all tables (kernel_router.h, kernel_random.h). */
#include "linux/ipset.h"
#include "linux/xtables/xtables.h"
#include "tests/differential/kernel_random.h"
#include "tests/differential/random_v6.h"

static int load(struct netns *ns, uint8_t family, const char *rules, struct err *err)
{
	static const struct xt_restore_options options = { .file = "random" };
	struct strbuf sets = { 0 };
	strbuf_puts(&sets, XT_RANDOM_SETS);
	if (family == NET_V6)
		random_translate(&sets, random_v6);
	int code = ipset_restore(netns_ipset(ns), strbuf_text(&sets), sets.length, "sets", false, err);
	if (!code)
		code = xt_restore(netns_xt(ns, family), rules, strlen(rules), &options, err);
	strbuf_free(&sets);
	return code;
}

static int load4(struct netns *ns, const char *rules, struct err *err)
{
	return load(ns, NET_V4, rules, err);
}

static int load6(struct netns *ns, const char *rules, struct err *err)
{
	return load(ns, NET_V6, rules, err);
}

static void mute(struct netns *ns)
{
	static const struct xt_restore_options options = { .file = "mute" };
	static const char all[] = "*raw\n-A PREROUTING -j DROP\nCOMMIT\n";
	CHECK_INT(xt_restore(netns_xt(ns, NET_V4), all, strlen(all), &options, NULL), 0);
	CHECK_INT(xt_restore(netns_xt(ns, NET_V6), all, strlen(all), &options, NULL), 0);
}

static void save4(struct netns *ns, struct strbuf *out)
{
	xt_save(netns_xt(ns, NET_V4), NULL, true, out);
}

static void save6(struct netns *ns, struct strbuf *out)
{
	xt_save(netns_xt(ns, NET_V6), NULL, true, out);
}

#define LOAD(tool) "ipset restore < sets && " tool "-legacy-restore < rules"
#define LIST(tool) tool "-legacy-save -c > list; " KERNEL_FLOWS

/* iptables-save prints tables in the order in which they came to be; comments go. */
static void by_table(struct strbuf *list)
{
	static const char *const names[] = { "*filter\n", "*nat\n", "*mangle\n", "*raw\n" };
	struct strbuf out = { 0 };
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		const char *from = strstr(strbuf_text(list), names[i]);
		const char *to = from ? strstr(from, "COMMIT\n") : NULL;
		if (to)
			strbuf_add(&out, from, (size_t)(to - from) + strlen("COMMIT\n"));
	}
	strbuf_clear(list);
	strbuf_puts(list, strbuf_text(&out));
	strbuf_free(&out);
}

static const struct kernel_tool iptables = {
	.needs = "iptables-legacy -L -n && ipset list -n && nft list tables && ip link",
	.load = LOAD("iptables"), .list = LIST("iptables"),
	.mute = mute, .model_load = load4, .model_save = save4, .tidy = by_table,
};

static const struct kernel_tool ip6tables = {
	.needs = "ip6tables-legacy -L -n && ipset list -n && nft list tables && ip link",
	.load = LOAD("ip6tables"), .list = LIST("ip6tables"),
	.mute = mute, .model_load = load6, .model_save = save6, .tidy = by_table,
};

static const char *rules_v6(struct xt_random *r)
{
	xt_random_ruleset(r);
	random_translate(&r->out, random_v6);
	return strbuf_text(&r->out);
}

static void iptables_acts_as_in_the_kernel(void)
{
	kernel_random_cases(&iptables, xt_random_ruleset, XT_RANDOM_SETS, NET_V4);
}

static void ip6tables_acts_as_in_the_kernel(void)
{
	struct strbuf sets = { 0 };
	strbuf_puts(&sets, XT_RANDOM_SETS);
	random_translate(&sets, random_v6);
	kernel_random_cases(&ip6tables, rules_v6, strbuf_text(&sets), NET_V6);
	strbuf_free(&sets);
}

static const struct check tests[] = {
	{ "random iptables rules: verdicts, translations and counters as in the running kernel",
	  iptables_acts_as_in_the_kernel },
	{ "random ip6tables rules, too", ip6tables_acts_as_in_the_kernel },
};

CHECK_MAIN(tests)
