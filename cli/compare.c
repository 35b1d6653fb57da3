/* cli/compare.c: svclab compare. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "core/engine.h"
#include "net/compare.h"

enum { KEY_LIMIT = 256, KEY_WITHOUT_ACKS };

struct arguments {
	const char *files[2];
	struct compare_options options;
	uint32_t limit;
};

static const struct argp_option option_list[] = {
	{ "tolerance", 't', "MS", 0, "Let a packet change its place in its flow when its time since the flow's beginning differs by at most MS milliseconds (default 0)", 0 },
	{ "without-acks", KEY_WITHOUT_ACKS, NULL, 0, "Leave out TCP segments that only acknowledge", 0 },
	{ "limit", KEY_LIMIT, "N", 0, "Show at most N differences, 0: all (default 20)", 0 },
	{ 0 }
};

static uint32_t number(const char *option, const char *text, struct argp_state *state)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (!*text || *end || *text == '-' || value > 1000000000)
		argp_error(state, "--%s %s: expected a number", option, text);
	return (uint32_t)value;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	switch (key) {
	case 't':
		a->options.tolerance_ns = number("tolerance", text, state) * NS_PER_MS;
		return 0;
	case KEY_WITHOUT_ACKS:
		a->options.without_acks = true;
		return 0;
	case KEY_LIMIT:
		a->limit = number("limit", text, state);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num >= 2)
			argp_error(state, "%s: expected two captures, no more", text);
		a->files[state->arg_num] = text;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_error(state, "expected two captures");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list, .parser = parse, .args_doc = "CAPTURE CAPTURE",
		.doc = "Compares two captures (pcap, pcapng) packet by packet.\v"
		       "What two runs may differ in is normalised first: initial sequence numbers, ports "
		       "that clients drew, IP identifiers, MACs, stamps. Then, per interface and flow: "
		       "addresses, ports, TTL, flags, payload, ICMP type, code and quoted header, missing "
		       "and extra packets, order within the flow.\n\n"
		       "  svclab compare tests/captures/web.pcapng out/all.pcapng\n\n"
		       "Exit: 0 the same, 1 differences, 2 a file could not be read." };
	struct arguments a = { .limit = 20 };
	struct capture *captures[2] = { NULL, NULL };
	struct err err = { .text = "" };
	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_USAGE;
	int code = capture_read(a.files[0], &captures[0], &err);
	if (!code)
		code = capture_read(a.files[1], &captures[1], &err);
	if (code) {
		fprintf(stderr, "svclab: %s\n", err.text);
		capture_free(captures[0]);
		return EXIT_USAGE;
	}
	struct comparison *c = compare_captures(captures[0], captures[1], &a.options);
	struct strbuf text = { 0 };
	comparison_print(c, a.files[0], a.files[1], a.limit, &text);
	fputs(strbuf_text(&text), stdout);
	int result = c->count ? EXIT_DIFFERENT : EXIT_PASS;
	strbuf_free(&text);
	comparison_free(c);
	capture_free(captures[0]);
	capture_free(captures[1]);
	return result;
}
