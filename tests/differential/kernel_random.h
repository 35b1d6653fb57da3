/* tests/differential/kernel_random.h: many random cases put to the running kernel.
 *
 * A few by default, so that `make test` stays fast. For a long look:
 *
 *   DIFFERENTIAL_RULESETS=300 DIFFERENTIAL_PACKETS=100 DIFFERENTIAL_SEED=7 PROGRAM
 *
 * prints how many of them agreed, and each disagreement with its rules and packet.
 */
#ifndef TESTS_KERNEL_RANDOM_H
#define TESTS_KERNEL_RANDOM_H

#include "tests/differential/kernel_router.h"
#include "tests/differential/xt_random.h"

#define KERNEL_FEW_RULESETS 4
#define KERNEL_FEW_PACKETS 60

typedef const char *kernel_rules_fn(struct xt_random *r);

static inline bool kernel_random_case(struct xt_random *r, struct craft *craft,
				      const struct kernel_tool *tool, kernel_rules_fn *rules,
				      const char *sets, unsigned packets)
{
	char *text = mem_strdup(rules(r));
	struct kernel_case c = { .tool = tool, .rules = text, .sets = sets, .count = packets,
				 .packets = mem_array(packets, sizeof *c.packets),
				 .right = mem_array(packets, sizeof *c.right) };
	for (unsigned i = 0; i < packets; i++)
		c.packets[i] = xt_random_packet(r, craft, &c.right[i]);
	bool same = kernel_agrees(&c);
	for (unsigned i = 0; i < packets; i++)
		packet_free(c.packets[i]);
	free(c.packets);
	free(c.right);
	free(text);
	return same;
}

/* `family` is that of the packets. */
static inline void kernel_random_cases(const struct kernel_tool *tool, kernel_rules_fn *rules,
				       const char *sets, uint8_t family)
{
	unsigned rulesets = kernel_wanted("DIFFERENTIAL_RULESETS", KERNEL_FEW_RULESETS);
	unsigned packets = kernel_wanted("DIFFERENTIAL_PACKETS", KERNEL_FEW_PACKETS), same = 0;
	struct xt_random r = { .choice = choice_new(kernel_wanted("DIFFERENTIAL_SEED", 5)),
			       .repeatable = true, .family = family };
	struct craft *craft = craft_new();
	if (!kernel_there(tool)) {
		check_skip("this machine gives no network namespace where the tools work");
		rulesets = 0;
	}
	for (unsigned i = 1; i <= rulesets; i++) {
		same += kernel_random_case(&r, craft, tool, rules, sets, packets);
		if (i % 50 == 0 || i == rulesets) {
			printf("# %u of %u rule sets the same, %u packets each\n", same, i, packets);
			fflush(stdout);
		}
	}
	craft_free(craft);
	strbuf_free(&r.out);
	choice_free(r.choice);
}

#endif
