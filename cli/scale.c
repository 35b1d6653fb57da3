/* cli/scale.c: svclab scale: rules, bytes and rules passed as Services grow. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cluster.h"
#include "cli/commands.h"
#include "core/arena.h"
#include "core/file.h"
#include "core/progress.h"
#include "dataplanes/registry.h"
#include "world/scale.h"

enum { KEY_SERVICES = 0x200, KEY_ENDPOINTS };

struct arguments {
	const char *mode;
	uint32_t *services;
	uint32_t service_count;
	uint32_t endpoints;
	enum kube_version version;
};

static const struct argp_option option_list[] = {
	{ "mode", KEY_MODE, "MODE", 0, "iptables, ipvs, nftables, userspace", 0 },
	{ "services", KEY_SERVICES, "N[,N...]", 0, "Numbers of Services; a row each", 0 },
	{ "endpoints", KEY_ENDPOINTS, "N", 0, "Endpoints of each Service", 0 },
	{ 0 }
};

#define SERVICES_MAX 1000000u
#define ENDPOINTS_MAX 10000u

static uint32_t number(const char *text, char **end, uint32_t most)
{
	unsigned long long n = strtoull(text, end, 10);
	return *end == text || *text == '-' || n < 1 || n > most ? 0 : (uint32_t)n;
}

static void parse_services(struct arguments *a, const char *text, struct argp_state *state)
{
	while (*text) {
		char *end;
		uint32_t n = number(text, &end, SERVICES_MAX);
		if (!n || (*end && *end != ','))
			argp_error(state, "--services %s: expected numbers from 1 to %u with commas between",
				   text, SERVICES_MAX);
		a->services = mem_grow(a->services, a->service_count, a->service_count + 1,
				       sizeof *a->services);
		a->services[a->service_count++] = n;
		text = *end ? end + 1 : end;
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	char *end;
	switch (key) {
	case KEY_MODE:
		a->mode = text;
		return 0;
	case KEY_SERVICES:
		parse_services(a, text, state);
		return 0;
	case KEY_ENDPOINTS:
		a->endpoints = number(text, &end, ENDPOINTS_MAX);
		if (!a->endpoints || *end)
			argp_error(state, "--endpoints %s: expected a number from 1 to %u", text,
				   ENDPOINTS_MAX);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: no arguments are expected", text);
		return 0;
	case ARGP_KEY_END:
		if (!a->mode || !a->service_count || !a->endpoints)
			argp_error(state, "--mode, --services and --endpoints are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_scale(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list, .parser = parse, .args_doc = "",
		.doc = "Prints how kube-proxy's rules grow with the number of Services: TSV with mode, "
		       "services, endpoints, rules and bytes of a full sync, and rules_passed, what the "
		       "first packet of a connection to the last Service passes.\v"
		       "  svclab scale --mode iptables --services 10,100,1000 --endpoints 10\n" };
	struct arguments a = { 0 };
	struct progress progress;
	struct err err = { "" };
	int code = 0;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	puts("mode\tservices\tendpoints\trules\tbytes\trules_passed");
	progress_start(&progress, "scale", a.service_count);
	for (uint32_t i = 0; i < a.service_count && !code; i++) {
		struct scale_query q = { .registry = &dataplanes, .mode = a.mode,
					 .services = a.services[i], .endpoints = a.endpoints };
		struct scale_row row;
		code = world_scale(&q, &row, &err);
		if (!code)
			printf("%s\t%u\t%u\t%llu\t%llu\t%llu\n", a.mode, q.services, q.endpoints,
			       (unsigned long long)row.rules, (unsigned long long)row.bytes,
			       (unsigned long long)row.rules_passed);
		fflush(stdout);
		progress_step(&progress, 1);
	}
	progress_end(&progress);
	free(a.services);
	return code ? fail(argv[0], &err) : EXIT_PASS;
}
