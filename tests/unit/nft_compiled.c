/* tests/unit/nft_compiled.c: the compiled evaluator is the plain one, only faster.
 *
 * Two equal routers get the same random rules and the same packets. In one every packet
 * is watched, so that the plain evaluator runs; in the other nobody watches and the
 * compiled one runs. Everything that can be seen must be the same: frames on all
 * interfaces (verdict, NAT, rejects), connections with their marks, counters, quotas and
 * sets (which rules matched), the numbers of rules, policies and look-ups.
 */
#include "linux/nft/nft.h"
#include "tests/differential/nft_random.h"
#include "tests/unit/linux_lab.h"

struct twin {
	struct lab lab;
	struct nft_ruleset *rules;
	struct trace *trace; /* NULL in the compiled one */
};

static void twin_open(struct twin *t, const char *rules, bool watched)
{
	struct err err = { { 0 } };
	lab_open(&t->lab);
	t->trace = watched ? trace_new() : NULL;
	t->rules = netns_nft(t->lab.router);
	if (!CHECK(nft_load(t->rules, rules, strlen(rules), "random", &err) == 0))
		fprintf(stderr, "%s\n", err.text);
}

static void twin_close(struct twin *t)
{
	lab_close(&t->lab);
	trace_free(t->trace);
}

static void twin_send(struct twin *t, const struct packet *p, bool right)
{
	struct packet *copy = packet_copy(p);
	if (t->trace) {
		/* a new trace for each packet: only its texts would pile up */
		trace_free(t->trace);
		t->trace = trace_new();
		copy->trace = t->trace;
	}
	netns_input(t->lab.router, right ? t->lab.right : t->lab.left, copy);
	lab_run(&t->lab, NS_PER_S / 4);
}

static bool same_text(void (*print)(const struct twin *, struct strbuf *), const struct twin *a,
		      const struct twin *b, const char *rules)
{
	struct strbuf x = { 0 }, y = { 0 };
	print(a, &x);
	print(b, &y);
	bool same = check_note(check_strings(strbuf_text(&x), strbuf_text(&y)), __FILE__, __LINE__,
			       "plain and compiled differ on\n%s\nplain:\n%s\ncompiled:\n%s", rules,
			       strbuf_text(&x), strbuf_text(&y));
	strbuf_free(&x);
	strbuf_free(&y);
	return same;
}

static void print_frames(const struct twin *t, struct strbuf *out)
{
	strbuf_puts(out, strbuf_text(&t->lab.frames));
}

static void print_state(const struct twin *t, struct strbuf *out)
{
	uint64_t policies, lookups, rules = nft_rules_evaluated(t->rules, &policies, &lookups);
	nft_list(t->rules, out);
	conntrack_print(netns_conntrack(t->lab.router), 0, out);
	strbuf_printf(out, "rules %llu policies %llu look-ups %llu\n", (unsigned long long)rules,
		      (unsigned long long)policies, (unsigned long long)lookups);
}

static bool one_ruleset(struct xt_random *r, unsigned packets, uint64_t *evaluated)
{
	struct twin plain, compiled;
	uint64_t policies, lookups;
	char *rules = mem_strdup(nft_random_ruleset(r));
	twin_open(&plain, rules, true);
	twin_open(&compiled, rules, false);
	bool same = true;
	for (unsigned i = 0; i < packets && same; i++) {
		bool right;
		struct packet *p = xt_random_packet(r, plain.lab.env.craft, &right);
		twin_send(&plain, p, right);
		twin_send(&compiled, p, right);
		packet_free(p);
		same = same_text(print_frames, &plain, &compiled, rules);
		strbuf_clear(&plain.lab.frames);
		strbuf_clear(&compiled.lab.frames);
	}
	same = same && same_text(print_state, &plain, &compiled, rules);
	*evaluated += nft_rules_evaluated(plain.rules, &policies, &lookups);
	twin_close(&plain);
	twin_close(&compiled);
	free(rules);
	return same;
}

static void random_rules_and_packets(void)
{
	struct xt_random r = { .choice = choice_new(20240613) };
	uint64_t evaluated = 0;
	for (unsigned i = 0; i < 300; i++)
		if (!one_ruleset(&r, 300, &evaluated))
			break;
	CHECK(evaluated > 1000000);
	strbuf_free(&r.out);
	choice_free(r.choice);
}

static const struct check tests[] = {
	{ "300 random rule sets and 300 packets each: compiled and plain do the same",
	  random_rules_and_packets },
};

CHECK_MAIN(tests)
