/* tests/differential/kernel_ipset.c: look-ups in sets judged by the running kernel.
 *
 * Random sets of every type with random members; for each set a rule for every choice of
 * source and destination. The rules' counters tell which packets were members. A case's
 * text is `ipset restore` lines and then a table. */
#include "linux/ipset.h"
#include "linux/xtables/xtables.h"
#include "tests/differential/kernel_random.h"

struct set_type {
	const char *name, *options;
	unsigned dimensions;
};

static const struct set_type types[] = {
	{ "hash:ip", " family inet", 1 },	{ "hash:net", " family inet", 1 },
	{ "hash:ip,port", " family inet", 2 },	{ "hash:ip,port,ip", " family inet", 3 },
	{ "hash:ip,port,net", " family inet", 3 }, { "bitmap:port", " range 0-65535", 1 },
};
#define TYPES (sizeof types / sizeof *types)

static void port(struct xt_random *r)
{
	static const char *const protos[] = { "tcp:", "tcp:", "udp:", NULL };
	bool sender = xt_random_one_in(r, 4);
	if (xt_random_one_in(r, 10)) {
		strbuf_puts(&r->out, "icmp:echo-request");
		return;
	}
	strbuf_puts(&r->out, xt_random_pick(r, protos));
	strbuf_printf(&r->out, "%u", sender ? 40000 + xt_random_below(r, 6) : xt_random_port(r));
}

static void network(struct xt_random *r)
{
	static const char *const networks[] = { "10.0.1.0/24", "10.0.0.0/8", "10.0.2.2/31",
						"10.96.0.0/12", "10.96.0.2", "10.0.1.3", NULL };
	strbuf_puts(&r->out, xt_random_pick(r, networks));
}

static void member(struct xt_random *r, const struct set_type *t)
{
	for (const char *part = t->name; part; part = strchr(part + 1, part == t->name ? ':' : ',')) {
		if (part == t->name)
			continue;
		if (*part == ',')
			strbuf_putc(&r->out, ',');
		if (strncmp(part + 1, "ip", 2) == 0)
			strbuf_puts(&r->out, xt_random_pick(r, xt_random_addresses));
		else if (strncmp(part + 1, "net", 3) == 0)
			network(r);
		else if (t->dimensions > 1)
			port(r);
		else
			strbuf_printf(&r->out, "%u", xt_random_port(r));
	}
	if (strstr(t->name, "net") && xt_random_one_in(r, 4))
		strbuf_puts(&r->out, " nomatch");
	strbuf_puts(&r->out, " -exist\n");
}

static void directions(struct strbuf *out, unsigned dimensions, unsigned choice)
{
	for (unsigned d = 0; d < dimensions; d++)
		strbuf_printf(out, "%s%s", d ? "," : "", choice & 1u << d ? "src" : "dst");
}

static const char *sets_and_rules(struct xt_random *r)
{
	struct strbuf rules = { 0 };
	strbuf_clear(&r->out);
	for (unsigned i = 0; i < 2 * TYPES; i++) {
		const struct set_type *t = &types[i % TYPES];
		strbuf_printf(&r->out, "create s%u %s%s\n", i, t->name, t->options);
		for (unsigned n = xt_random_below(r, 12); n > 0; n--) {
			strbuf_printf(&r->out, "add s%u ", i);
			member(r, t);
		}
		for (unsigned choice = 0; choice < 1u << t->dimensions; choice++) {
			strbuf_printf(&rules, "-A PREROUTING -m set%s --match-set s%u ",
				      xt_random_one_in(r, 5) ? " !" : "", i);
			directions(&rules, t->dimensions, choice);
			strbuf_putc(&rules, '\n');
		}
	}
	strbuf_puts(&r->out, "create all list:set size 8\n");
	for (unsigned n = xt_random_below(r, 4); n > 0; n--)
		strbuf_printf(&r->out, "add all s%u -exist\n", xt_random_below(r, 2 * TYPES));
	for (unsigned choice = 0; choice < 8; choice++) {
		strbuf_puts(&rules, "-A PREROUTING -m set --match-set all ");
		directions(&rules, 3, choice);
		strbuf_putc(&rules, '\n');
	}
	strbuf_printf(&r->out, "*raw\n%sCOMMIT\n", strbuf_text(&rules));
	strbuf_free(&rules);
	return strbuf_text(&r->out);
}

static int load(struct netns *ns, const char *text, struct err *err)
{
	static const struct xt_restore_options options = { .file = "random" };
	const char *rules = strchr(text, '*');
	int code = ipset_restore(netns_ipset(ns), text, (size_t)(rules - text), "sets", false, err);
	return code ? code : xt_restore(netns_xt(ns, NET_V4), rules, strlen(rules), &options, err);
}

static void mute(struct netns *ns)
{
	static const struct xt_restore_options options = { .file = "mute" };
	static const char all[] = "*raw\n-A PREROUTING -j DROP\nCOMMIT\n";
	CHECK_INT(xt_restore(netns_xt(ns, NET_V4), all, strlen(all), &options, NULL), 0);
}

static void save(struct netns *ns, struct strbuf *out)
{
	xt_save(netns_xt(ns, NET_V4), NULL, true, out);
}

static void without_comments(struct strbuf *list)
{
	struct strbuf out = { 0 };
	for (const char *s = strbuf_text(list); *s; s += strcspn(s, "\n"), s += *s == '\n')
		if (*s != '#')
			strbuf_add(&out, s, strcspn(s, "\n") + 1);
	strbuf_clear(list);
	strbuf_puts(list, strbuf_text(&out));
	strbuf_free(&out);
}

static const struct kernel_tool sets = {
	.needs = "iptables-legacy -L -n && ipset list -n && nft list tables && ip link",
	.load = "sed \"/^\\*/,\\$d\" rules | ipset restore && "
		"sed -n \"/^\\*/,\\$p\" rules | iptables-legacy-restore",
	.list = "iptables-legacy-save -c > list; " KERNEL_FLOWS,
	.mute = mute, .model_load = load, .model_save = save, .tidy = without_comments,
};

static void sets_hold_what_the_kernels_hold(void)
{
	kernel_random_cases(&sets, sets_and_rules, NULL, NET_V4);
}

static const struct check tests[] = {
	{ "random sets of every type: packets are members as in the running kernel",
	  sets_hold_what_the_kernels_hold },
};

CHECK_MAIN(tests)
