/* tests/unit/linux_conntrack_tcp.c: TCP tracking against what a real kernel made of it.
 *
 * tests/golden/conntrack/tcp-6.18.txt: random segment sequences, sent through a router on
 * Linux 6.18, with the state that a rule saw and the entry afterwards.
 */
#include "core/file.h"
#include "linux/hook.h"
#include "tests/unit/linux_lab.h"

#define GOLDEN "tests/golden/conntrack/tcp-6.18.txt"

static const char *state_seen;

static enum nf_verdict see_state(void *ctx, struct hook_state *state)
{
	unsigned bits = ct_state(state->packet);
	(void)ctx;
	state_seen = bits & CT_NEW ? "NEW" : bits & CT_ESTABLISHED ? "ESTABLISHED" : "INVALID";
	return VERDICT_ACCEPT;
}

static struct packet *packet_of(const char *hex)
{
	uint32_t length = (uint32_t)strlen(hex) / 2;
	struct packet *p = packet_new(ETHER_BYTES + length);
	p->length = ETHER_BYTES + length;
	p->bytes[12] = 8; /* IPv4 */
	for (uint32_t i = 0; i < length; i++) {
		unsigned value = 0;
		sscanf(hex + 2 * i, "%2x", &value);
		p->bytes[ETHER_BYTES + i] = (uint8_t)value;
	}
	CHECK_INT(packet_parse(p), 0);
	return p;
}

/* "STATE TIMEOUT" of the only entry, "- -" without one. */
static void entry_text(const struct conntrack *ct, char *out, size_t size)
{
	struct strbuf text = { 0 };
	char state[32] = "-";
	long seconds;
	conntrack_print(ct, 0, &text);
	if (sscanf(strbuf_text(&text), "tcp 6 %ld %31s", &seconds, state) == 2)
		snprintf(out, size, "%s %ld", state, seconds);
	else
		snprintf(out, size, "- -");
	strbuf_free(&text);
}

static void replay(struct lab *lab, const char *line, int number)
{
	char side, hex[2048], seen[16], state[32], timeout[16], expected[128], actual[128];
	char entry[64];
	struct conntrack *ct = netns_conntrack(lab->router);
	if (sscanf(line, "%c %2047s %15s %31s %15s", &side, hex, seen, state, timeout) != 5) {
		CHECK_TEXT(line, "SIDE HEX STATE ENTRY TIMEOUT");
		return;
	}
	state_seen = "none";
	netns_input(lab->router, side == 'L' ? lab->left : lab->right, packet_of(hex));
	entry_text(ct, entry, sizeof entry);
	snprintf(expected, sizeof expected, "line %d: %s %s %s", number, seen, state, timeout);
	snprintf(actual, sizeof actual, "line %d: %s %s", number, state_seen, entry);
	CHECK_TEXT(actual, expected);
}

static void as_linux_did(void)
{
	struct lab lab;
	struct strbuf text = { 0 };
	struct err err = { "" };
	int number = 0, flows = 0;
	CHECK_INT(file_read(GOLDEN, &text, &err), 0);
	lab_open(&lab);
	netns_conntrack(lab.router);
	hook_register(lab.router, NET_V4, HOOK_FORWARD, PRI_FILTER, see_state, NULL);
	for (char *line = text.data, *end; line && *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		number++;
		if (*line == '#')
			continue;
		if (strcmp(line, "flow") == 0) {
			conntrack_flush(netns_conntrack(lab.router));
			flows++;
		} else {
			replay(&lab, line, number);
		}
	}
	CHECK_INT(flows, 80);
	strbuf_free(&text);
	lab_close(&lab);
}

static const struct check tests[] = {
	{ "80 random connections get the states and timeouts that Linux 6.18 gave them",
	  as_linux_did },
};

CHECK_MAIN(tests)
