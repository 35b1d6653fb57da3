/* tests/differential/kernel_nft.c: the plain evaluator of nft rules judged by the running
 * kernel, with random tables (kernel_router.h, kernel_random.h). `nft list ruleset` must be
 * equal byte by byte: counters, what packets put into sets, and how all of it is printed. */
#include "linux/nft/nft.h"
#include "tests/differential/kernel_random.h"
#include "tests/differential/nft_random.h"
#include "tests/differential/random_v6.h"

static int load(struct netns *ns, const char *rules, struct err *err)
{
	return nft_load(netns_nft(ns), rules, strlen(rules), "random", err);
}

static void mute(struct netns *ns)
{
	static const char all[] = "table inet mute { chain all { type filter hook prerouting "
				  "priority -300; policy drop; } }\n";
	CHECK_INT(nft_load(netns_nft(ns), all, strlen(all), "mute", NULL), 0);
}

static void save(struct netns *ns, struct strbuf *out)
{
	nft_list(netns_nft(ns), out);
}

static const struct kernel_tool nft = {
	.needs = "nft list ruleset && ip link",
	.load = "nft -f rules",
	.list = "nft list $(nft list tables | grep routed) > list; " KERNEL_FLOWS,
	.mute = mute, .model_load = load, .model_save = save,
};

static const char *rules_v6(struct xt_random *r)
{
	nft_random_ruleset(r);
	random_translate(&r->out, random_v6);
	return strbuf_text(&r->out);
}

static const char *rules_inet(struct xt_random *r)
{
	nft_random_ruleset(r);
	random_translate(&r->out, random_inet);
	return strbuf_text(&r->out);
}

static void ip_acts_as_in_the_kernel(void)
{
	kernel_random_cases(&nft, nft_random_ruleset, NULL, NET_V4);
}

static void ip6_acts_as_in_the_kernel(void)
{
	kernel_random_cases(&nft, rules_v6, NULL, NET_V6);
}

static void inet_acts_as_in_the_kernel(void)
{
	kernel_random_cases(&nft, rules_inet, NULL, NET_V4);
}

static const struct check tests[] = {
	{ "random nft rules: verdicts, translations, counters and listing as in the running kernel",
	  ip_acts_as_in_the_kernel },
	{ "random nft rules of the family ip6, too", ip6_acts_as_in_the_kernel },
	{ "random nft rules of the family inet, too", inet_acts_as_in_the_kernel },
};

CHECK_MAIN(tests)
