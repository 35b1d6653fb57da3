/* cli/dns.c: svclab dns: the cluster's DNS for real clients. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/cluster.h"
#include "cli/commands.h"
#include "cli/dns_cluster.h"
#include "cli/dns_serve.h"
#include "core/arena.h"

#define FOLLOW_MS 250

enum { KEY_UPSTREAM = 0x300, KEY_LISTEN, KEY_FOLLOW };

struct arguments {
	struct cluster_arguments cluster;
	const char *upstream;
	struct sock_name listen;
	bool follow;
};

static const struct argp_option option_list[] = {
	{ "file", KEY_FILE, "FILE", 0, "Kubernetes YAML, several times; - is standard input", 0 },
	{ "upstream", KEY_UPSTREAM, "ZONEFILE", 0,
	  "Master file that plays the servers behind forward; lines \";@ NAME SERVFAIL|REFUSED|"
	  "NXDOMAIN|DROP|TC|DELAY ms\" script what it does for a name", 0 },
	{ "listen", KEY_LISTEN, "ADDRESS:PORT", 0,
	  "Where to answer, UDP and TCP (default 127.0.0.1:5353; port 0: any)", 0 },
	{ "follow", KEY_FOLLOW, NULL, 0, "Read the files again whenever they change", 0 },
	{ 0 }
};

/* "127.0.0.1:5353", "[::1]:5353". */
static bool parse_endpoint(const char *text, struct sock_name *out)
{
	char copy[NET_ADDR_TEXT + 8], *end;
	const char *colon = strrchr(text, ':');
	if (!colon || colon - text >= NET_ADDR_TEXT)
		return false;
	snprintf(copy, sizeof copy, "%.*s", (int)(colon - text), text);
	size_t length = strlen(copy);
	bool bracketed = copy[0] == '[' && length && copy[length - 1] == ']';
	if (bracketed)
		copy[length - 1] = 0;
	unsigned long port = strtoul(colon + 1, &end, 10);
	out->port = (uint16_t)port;
	return end != colon + 1 && !*end && port <= 65535 &&
	       net_addr_parse(copy + bracketed, &out->addr) &&
	       (out->addr.family == NET_V6) == bracketed;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	switch (key) {
	case KEY_FILE:
		cluster_option(&a->cluster, key, text, state);
		return 0;
	case KEY_UPSTREAM:
		a->upstream = text;
		return 0;
	case KEY_LISTEN:
		if (!parse_endpoint(text, &a->listen))
			argp_error(state, "--listen %s: expected ADDRESS:PORT, as 127.0.0.1:5353",
				   text);
		return 0;
	case KEY_FOLLOW:
		a->follow = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: files are named with -f", text);
		return 0;
	case ARGP_KEY_END:
		if (!a->cluster.file_count)
			argp_error(state, "-f FILE is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct stamp { struct timespec changed; off_t size; ino_t inode; };

struct running {
	const char *command;
	struct dns_cluster_options options;
	struct dns_cluster cluster;
	struct stamp *stamps;
};

static struct dns_server *current_server(void *ctx)
{
	return ((struct running *)ctx)->cluster.server;
}

/* Notes how the files look; whether one looks different from before. */
static bool files_changed(struct running *r)
{
	bool changed = false;
	for (uint32_t i = 0; i < r->options.file_count; i++) {
		struct stat st;
		struct stamp now = { 0 };
		if (strcmp(r->options.files[i], "-") == 0 || stat(r->options.files[i], &st))
			continue; /* gone for a moment while it is replaced */
		now.changed = st.st_mtim;
		now.size = st.st_size;
		now.inode = st.st_ino;
		changed |= memcmp(&now, &r->stamps[i], sizeof now) != 0;
		r->stamps[i] = now;
	}
	return changed;
}

static void follow(void *ctx, int64_t now_ns)
{
	struct running *r = ctx;
	struct err err = { "" };
	if (!files_changed(r))
		return;
	if (dns_cluster_reload(&r->options, &r->cluster, now_ns, &err))
		fprintf(stderr, "%s: %s; the cluster stays as it was\n", r->command, err.text);
	else
		fprintf(stderr, "%s: read the changed files\n", r->command);
}

static int serve(struct running *r, const struct arguments *a, struct err *err)
{
	struct dns_service_options options = { .listen = a->listen, .server = current_server,
					       .tick = follow, .tick_ms = a->follow ? FOLLOW_MS : 0,
					       .ctx = r };
	struct dns_service *service;
	char text[NET_ADDR_TEXT + 8];
	int code = dns_service_open(&options, &service, err);
	if (code)
		return code;
	struct sock_name at = dns_service_address(service);
	fprintf(stderr, "%s: answering on %s, UDP and TCP\n", r->command,
		net_endpoint_text(&at.addr, at.port, text));
	code = dns_service_run(service, err);
	dns_service_close(service);
	return code;
}

int cmd_dns(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list,
		.parser = parse,
		.args_doc = "",
		.doc = "Answers DNS queries as the cluster's CoreDNS does, for dig, nslookup, "
		       "dnsperf.\v"
		       "The Corefile is that of the ConfigMap kube-system/coredns, else kubeadm's. "
		       "SIGTERM and SIGINT end it. Examples:\n\n"
		       "  svclab dns -f cluster.yaml --listen 127.0.0.1:5353 &\n"
		       "  dig @127.0.0.1 -p 5353 web.default.svc.cluster.local\n"
	};
	struct arguments a = { .cluster.seed = 1 };
	struct err err = { "" };
	net_addr_parse("127.0.0.1", &a.listen.addr);
	a.listen.port = 5353;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	struct running r = { .command = argv[0],
			     .options = { .files = a.cluster.files,
					  .file_count = a.cluster.file_count,
					  .upstream = a.upstream, .seed = a.cluster.seed,
					  .epoch_s = time(NULL) } };
	r.stamps = mem_array(a.cluster.file_count, sizeof *r.stamps);
	files_changed(&r);
	int code = dns_cluster_open(&r.options, &r.cluster, &err);
	if (!code) {
		code = serve(&r, &a, &err);
		dns_cluster_close(&r.cluster);
	}
	free(r.stamps);
	cluster_arguments_free(&a.cluster);
	return code ? fail(argv[0], &err) : EXIT_PASS;
}
