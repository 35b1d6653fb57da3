/* tests/unit/dns_resolver.c: the resolvers against real programs.
 *
 * tests/golden/dns/tools/real.txt holds what dig, nslookup, host, busybox, getent, glibc
 * and musl printed and asked; see the README there. Ids, cookies, dates and the serial are
 * blanked; lines whose order loadbalance shuffles are compared as sets.
 */
#include "check.h"

#include <ctype.h>
#include <stdlib.h>

#include "core/file.h"
#include "dns/loopback.h"
#include "dns/resolver.h"
#include "kube/manifest.h"

#define FOLDER "tests/golden/dns/tools/"

struct bench {
	struct arena *arena;
	struct engine *engine;
	struct choice *choice;
	struct kube_store *store;
	struct dns_view *view;
	struct dns_master *upstream;
	struct dns_server *server;
	struct loopback *net;
	struct resolver *resolver;
	bool done;
};

static char *read_file(const char *path)
{
	struct strbuf text = { 0 };
	struct err err;
	CHECK_INT(file_read(path, &text, &err), 0);
	return strbuf_steal(&text);
}

static void bench_open(struct bench *b)
{
	static const struct dns_name root = { .length = 1 };
	static const char *const files[] = { FOLDER "cluster.yaml" };
	static const struct net_addr client = { .family = NET_V4, .bytes = { 10, 244, 1, 9 } };
	static const struct net_addr local = { .family = NET_V4, .bytes = { 10, 244, 0, 2 } };
	char *zone = read_file(FOLDER "upstream.zone");
	struct corefile *corefile;
	struct err err = { "" };
	memset(b, 0, sizeof *b);
	b->arena = arena_new();
	b->engine = engine_new();
	b->choice = choice_new(1);
	b->store = kube_store_new(NULL, b->choice);
	b->view = dns_view_new();
	CHECK_INT(manifest_load(b->store, files, 1, NULL, &err), 0);
	CHECK_INT(dns_master_parse(zone, strlen(zone), "zone", &root, &b->upstream, &err), 0);
	CHECK_INT(corefile_from_config_map(b->arena, NULL, "cluster.local", &corefile, &err), 0);
	dns_view_watch(b->view, b->store, 0);
	struct dns_server_config config = { .corefile = corefile, .view = b->view,
					    .upstream = b->upstream, .choice = b->choice,
					    .local = &local, .local_count = 1 };
	CHECK_INT(dns_server_new(&config, &b->server, &err), 0);
	CHECK_TEXT(err.text, "");
	b->net = loopback_new(b->engine, b->choice, b->server, &client);
	free(zone);
}

static void bench_close(struct bench *b)
{
	resolver_free(b->resolver);
	loopback_free(b->net);
	dns_server_free(b->server);
	dns_master_free(b->upstream);
	dns_view_free(b->view);
	kube_store_free(b->store);
	choice_free(b->choice);
	engine_free(b->engine);
	arena_free(b->arena);
}

static void note_done(void *ctx, struct resolver *r, const struct resolver_result *result)
{
	(void)r, (void)result;
	((struct bench *)ctx)->done = true;
}

static const struct resolver_result *run(struct bench *b, struct resolver_config *config)
{
	struct err err = { "" };
	char *conf = config->resolv_conf ? NULL : read_file(FOLDER "resolv.conf");
	if (conf)
		config->resolv_conf = conf;
	config->sockets = loopback_sockets(b->net);
	config->engine = b->engine;
	config->choice = b->choice;
	config->has_v4 = true;
	resolver_free(b->resolver);
	b->resolver = NULL;
	b->done = false;
	CHECK_INT(resolver_start(config, note_done, b, &b->resolver, &err), 0);
	CHECK_TEXT(err.text, "");
	while (b->resolver && !b->done && engine_step(b->engine))
		;
	CHECK(b->done);
	if (conf)
		config->resolv_conf = NULL;
	free(conf);
	return b->resolver ? resolver_result(b->resolver) : NULL;
}

/* ---- text as it is compared ------------------------------------------------------ */

/* Blanks the digits (hex too) behind `key` in the line. */
static void blank_after(char *line, const char *key, bool rest)
{
	char *p = strstr(line, key);
	if (!p)
		return;
	p += strlen(key);
	size_t length = rest ? strlen(p) : strspn(p, "0123456789abcdef");
	if (length) {
		*p = '#';
		memmove(p + 1, p + length, strlen(p + length) + 1);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines without what varies, in sorted order. */
static char *comparable(const char *text)
{
	char *copy = mem_strdup(text), *save = NULL, *lines[512];
	size_t count = 0;
	struct strbuf out = { 0 };
	for (char *l = strtok_r(copy, "\n", &save); l && count < 512;
	     l = strtok_r(NULL, "\n", &save)) {
		blank_after(l, "id: ", false);
		blank_after(l, "COOKIE: ", false);
		blank_after(l, "Query time: ", false);
		blank_after(l, "WHEN: ", true);
		blank_after(l, "hostmaster.cluster.local. ", false); /* the serial */
		blank_after(l, "; <<>> DiG ", true); /* words of the command in any order */
		lines[count++] = l;
	}
	qsort(lines, count, sizeof *lines, by_text);
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&out, "%s\n", lines[i]);
	free(copy);
	return strbuf_steal(&out);
}

static void put_name(const struct dns_name *n, struct strbuf *out)
{
	char text[DNS_NAME_TEXT];
	dns_name_text(n, text);
	size_t length = strlen(text);
	strbuf_add(out, text, length > 1 ? length - 1 : length);
}

/* Queries in the order of sending. Busybox sends all A, then all AAAA. */
static void put_queries(const struct resolver_result *r, bool by_type, struct strbuf *out)
{
	char type[16];
	for (uint32_t i = 0; i < r->query_count; i++) {
		uint32_t end = i;
		while (by_type && end + 1 < r->query_count &&
		       r->queries[end + 1].sent_ns == r->queries[i].sent_ns &&
		       !dns_name_equal(&r->queries[end + 1].name, &r->queries[i].name))
			end++;
		for (uint8_t k = 0; k < 2; k++) {
			for (uint32_t n = i; n <= end; n++) {
				const struct resolver_query *q = &r->queries[n];
				if (k >= q->count)
					continue;
				strbuf_puts(out, "? ");
				put_name(&q->name, out);
				strbuf_printf(out, " %s%s\n", dns_type_text(q->types[k], type),
					      q->tcp ? " tcp" : "");
			}
		}
		i = end;
	}
}

/* ---- one recorded command ------------------------------------------------------------ */

struct command {
	enum resolver_kind kind;
	bool library;
	char *name, *type, *server;
	struct strbuf options;
};

static enum resolver_kind kind_of(const char *program)
{
	static const struct { const char *name; enum resolver_kind kind; } kinds[] = {
		{ "dig", RESOLVER_DIG }, { "nslookup", RESOLVER_NSLOOKUP },
		{ "host", RESOLVER_HOST }, { "busybox", RESOLVER_BUSYBOX },
		{ "getent", RESOLVER_GETENT }, { "musl", RESOLVER_MUSL },
		{ "glibc", RESOLVER_GLIBC }
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(program, kinds[i].name) == 0)
			return kinds[i].kind;
	abort();
}

static void parse_command(char *line, struct command *c)
{
	char *save = NULL, *w = strtok_r(line, " \n", &save);
	memset(c, 0, sizeof *c);
	c->kind = kind_of(w);
	c->library = c->kind == RESOLVER_GLIBC || c->kind == RESOLVER_MUSL;
	while ((w = strtok_r(NULL, " \n", &save))) {
		if (*w == '+' || *w == '-') {
			strbuf_printf(&c->options, c->options.length ? " %s" : "%s", w);
			if (strcmp(w, "-t") == 0)
				strbuf_printf(&c->options, " %s", strtok_r(NULL, " \n", &save));
		} else if (!c->name) {
			c->name = w;
		} else if (isdigit((unsigned char)*w)) {
			c->server = w;
		} else {
			c->type = w;
		}
	}
}

static void library_text(const struct resolver_result *r, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	strbuf_printf(out, r->error ? "error %d %s\n" : "error %d\n", r->error, r->message);
	strbuf_printf(out, "seconds %lld\n",
		      (long long)((r->ended_ns - r->started_ns + NS_PER_S / 2) / NS_PER_S));
	for (uint32_t i = 0; i < r->address_count; i++)
		strbuf_printf(out, "address %s\n", net_addr_text(&r->addresses[i], text));
}

static void compare(char *command_line, const char *printed, const char *asked)
{
	struct bench b;
	struct command c;
	struct strbuf out = { 0 }, queries = { 0 };
	char title[256];
	snprintf(title, sizeof title, "%s", command_line);
	parse_command(command_line, &c);
	bench_open(&b);
	struct resolver_config config = { .kind = c.kind, .name = c.name, .type = c.type,
					  .server = c.server,
					  .options = strbuf_text(&c.options) };
	const struct resolver_result *r = run(&b, &config);
	if (r) {
		if (c.library)
			library_text(r, &out);
		else
			strbuf_printf(&out, "%sstatus %d\n", strbuf_text(&r->out), r->status);
		put_queries(r, c.kind == RESOLVER_BUSYBOX, &queries);
		char *actual = comparable(strbuf_text(&out)), *expected = comparable(printed);
		if (!check_note(strcmp(actual, expected) == 0, __FILE__, __LINE__,
				"%s prints something else", title))
			CHECK_TEXT(strbuf_text(&out), printed);
		if (!check_note(strcmp(strbuf_text(&queries), asked) == 0, __FILE__, __LINE__,
				"%s asks something else", title))
			CHECK_TEXT(strbuf_text(&queries), asked);
		free(actual);
		free(expected);
	}
	strbuf_free(&out);
	strbuf_free(&queries);
	strbuf_free(&c.options);
	bench_close(&b);
}

static void test_real(void)
{
	char *all = read_file(FOLDER "real.txt");
	unsigned count = 0;
	for (char *p = strstr(all, "=== "), *next; p; p = next, count++) {
		struct strbuf printed = { 0 }, asked = { 0 };
		char *line = p + 4, *body = strchr(p, '\n') + 1;
		body[-1] = 0;
		next = strstr(body, "\n=== ");
		if (next)
			*next++ = 0;
		char *save = NULL;
		for (char *l = strtok_r(body, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
			strbuf_printf(l[0] == '?' ? &asked : &printed, "%s\n", l);
		compare(line, strbuf_text(&printed), strbuf_text(&asked));
		strbuf_free(&printed);
		strbuf_free(&asked);
	}
	CHECK(count > 90);
	free(all);
}

/* ---- lost packets ------------------------------------------------------------------------ */

static bool lose_number(void *ctx, uint32_t number, const uint8_t *bytes, size_t length)
{
	(void)bytes, (void)length;
	return number == *(const uint32_t *)ctx;
}

/* The AAAA answer of the first name is lost, as in the conntrack race. */
static void test_lost_answer(void)
{
	static const struct {
		enum resolver_kind kind;
		int64_t ended_ms;
		const char *queries;
	} rows[] = {
		/* Waits 5 s, then asks both again from the same port with the same ids. */
		{ RESOLVER_GLIBC, 5000,
		  "? kubia.default.svc.cluster.local A\n"
		  "? kubia.default.svc.cluster.local AAAA\n"
		  "? kubia.default.svc.cluster.local A\n"
		  "? kubia.default.svc.cluster.local AAAA\n" },
		/* After 2.5 s only what is missing. */
		{ RESOLVER_MUSL, 2500,
		  "? kubia.default.svc.cluster.local A\n"
		  "? kubia.default.svc.cluster.local AAAA\n"
		  "? kubia.default.svc.cluster.local AAAA\n" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench b;
		struct strbuf queries = { 0 };
		uint32_t lost = 1;
		struct resolver_config config = { .kind = rows[i].kind, .name = "kubia" };
		bench_open(&b);
		loopback_lose(b.net, lose_number, &lost);
		const struct resolver_result *r = run(&b, &config);
		put_queries(r, false, &queries);
		CHECK_TEXT(strbuf_text(&queries), rows[i].queries);
		CHECK_INT((r->ended_ns - r->started_ns) / NS_PER_MS, rows[i].ended_ms);
		CHECK_INT(r->error, 0);
		CHECK_INT(r->queries[0].source_port, r->queries[1].source_port);
		strbuf_free(&queries);
		bench_close(&b);
	}
}

static bool lose_all(void *ctx, uint32_t number, const uint8_t *bytes, size_t length)
{
	(void)ctx, (void)number, (void)bytes, (void)length;
	return true;
}

/* Nothing comes back: glibc asks the first name twice, then the bare name twice. */
static void test_silence(void)
{
	struct bench b;
	struct strbuf queries = { 0 };
	struct resolver_config config = { .kind = RESOLVER_GLIBC, .name = "kubia" };
	bench_open(&b);
	loopback_lose(b.net, lose_all, NULL);
	const struct resolver_result *r = run(&b, &config);
	put_queries(r, false, &queries);
	CHECK_TEXT(strbuf_text(&queries), "? kubia.default.svc.cluster.local A\n"
					  "? kubia.default.svc.cluster.local AAAA\n"
					  "? kubia.default.svc.cluster.local A\n"
					  "? kubia.default.svc.cluster.local AAAA\n"
					  "? kubia A\n? kubia AAAA\n? kubia A\n? kubia AAAA\n");
	CHECK_INT((r->ended_ns - r->started_ns) / NS_PER_S, 20);
	CHECK_INT(r->error, -3);
	strbuf_free(&queries);
	config = (struct resolver_config){ .kind = RESOLVER_DIG, .name = "kubia" };
	r = run(&b, &config);
	CHECK_INT(r->status, 9);
	CHECK(strstr(strbuf_text(&r->out), ";; communications error to 10.96.0.10#53: timed out\n"
					   "\n; <<>> DiG 9.18.49 <<>> kubia\n"
					   ";; global options: +cmd\n"
					   ";; no servers could be reached\n"));
	CHECK_INT((r->ended_ns - r->started_ns) / NS_PER_S, 15);
	bench_close(&b);
}

/* ---- options of resolv.conf ---------------------------------------------------------------- */

#define CONF "search default.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5 "

static void test_options(void)
{
	static const struct { const char *option; bool same_port, tcp; } rows[] = {
		{ CONF "\n", true, false },
		{ CONF "single-request\n", true, false },
		{ CONF "single-request-reopen\n", false, false },
		{ CONF "use-vc\n", true, true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bench b;
		struct resolver_config config = { .kind = RESOLVER_GLIBC, .name = "kubia",
						  .resolv_conf = rows[i].option };
		bench_open(&b);
		const struct resolver_result *r = run(&b, &config);
		CHECK_INT(r->query_count, 1);
		CHECK_INT(r->queries[0].count, 2);
		CHECK_INT(r->queries[0].same_source_port, rows[i].same_port);
		CHECK_INT(r->queries[0].tcp, rows[i].tcp);
		CHECK_INT(r->error, 0);
		bench_close(&b);
	}
}

/* ---- old busybox (the output is that of tutorials) ------------------------------------------- */

static void test_old_busybox(void)
{
	struct bench b;
	struct resolver_config config = { .kind = RESOLVER_BUSYBOX_OLD, .name = "kubia",
					  .hosts = "10.244.1.9\tme\n" };
	bench_open(&b);
	const struct resolver_result *r = run(&b, &config);
	CHECK_TEXT(strbuf_text(&r->out),
		   "Server:    10.96.0.10\n"
		   "Address 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\n"
		   "Name:      kubia\n"
		   "Address 1: 10.96.45.3 kubia.default.svc.cluster.local\n");
	config.name = "nope";
	r = run(&b, &config);
	CHECK_TEXT(strbuf_text(&r->errors), "nslookup: can't resolve 'nope'\n");
	CHECK_INT(r->status, 1);
	config.kind = RESOLVER_BUSYBOX_MUSL;
	config.name = "kubia";
	r = run(&b, &config);
	CHECK_TEXT(strbuf_text(&r->errors),
		   "nslookup: can't resolve '(null)': Name does not resolve\n\n");
	CHECK_TEXT(strbuf_text(&r->out), "Name:      kubia\n"
					 "Address 1: 10.96.45.3 kubia.default.svc.cluster.local\n");
	config.name = "me"; /* a pod's own address has its name from the hosts file */
	r = run(&b, &config);
	CHECK_TEXT(strbuf_text(&r->out), "Name:      me\nAddress 1: 10.244.1.9 me\n");
	bench_close(&b);
}

static void test_images(void)
{
	CHECK_INT(resolver_nslookup_of_image("busybox:1.28"), RESOLVER_BUSYBOX_OLD);
	CHECK_INT(resolver_nslookup_of_image("docker.io/library/busybox:1.36.1"), RESOLVER_BUSYBOX);
	CHECK_INT(resolver_nslookup_of_image("busybox"), RESOLVER_BUSYBOX);
	CHECK_INT(resolver_nslookup_of_image("nginx:1.14-alpine3.7"), RESOLVER_BUSYBOX_MUSL);
	CHECK_INT(resolver_nslookup_of_image("registry.k8s.io/e2e-test-images/jessie-dnsutils:1.3"),
		  RESOLVER_NSLOOKUP);
	CHECK_INT(resolver_kind_of_image("nginx:alpine"), RESOLVER_MUSL);
	CHECK_INT(resolver_kind_of_image("nginx"), RESOLVER_GLIBC);
}

static const struct check tests[] = {
	{ "print and ask what real programs print and ask", test_real },
	{ "one lost answer costs glibc 5 s and musl 2.5 s", test_lost_answer },
	{ "silence ends glibc after 20 s, dig after 15 s", test_silence },
	{ "resolv.conf's options change ports and transport", test_options },
	{ "old busybox names addresses by PTR and the hosts file", test_old_busybox },
	{ "an image says which library and nslookup it has", test_images },
};

CHECK_MAIN(tests)
