/* tests/unit/dns_golden.c: the server against real CoreDNS.
 *
 * tests/golden/dns has three clusters, their Corefiles and what CoreDNS 1.14.7 answered
 * on the wire to the questions of its own test tables (plugin/kubernetes and coredns/ci);
 * one expectation is what its unit test asserts (a server that has not synced).
 */
#include "check.h"

#include <jansson.h>
#include <stdlib.h>

#include "core/file.h"
#include "dns/server.h"
#include "kube/manifest.h"

#define FOLDER "tests/golden/dns/"

/* ---- a server for (cluster, Corefile) ------------------------------------------- */

struct bench {
	struct arena *arena;
	struct choice *choice;
	struct kube_store *store;
	struct dns_view *view;
	struct dns_master *upstream;
	struct dns_server *server;
};

static struct dns_master *load_upstream(void)
{
	static const struct dns_name root = { .length = 1 };
	struct strbuf text = { 0 };
	struct dns_master *m = NULL;
	struct err err = { 0 };
	CHECK_INT(file_read(FOLDER "upstream.zone", &text, &err), 0);
	if (dns_master_parse(text.data, text.length, "upstream.zone", &root, &m, &err))
		CHECK_TEXT(err.text, "");
	strbuf_free(&text);
	return m;
}

static bool bench_open(struct bench *b, const char *cluster, const char *corefile)
{
	static const struct net_addr local = { .family = NET_V4, .bytes = { 10, 244, 0, 2 } };
	struct corefile *parsed;
	struct err err = { 0 };
	memset(b, 0, sizeof *b);
	b->arena = arena_new();
	b->choice = choice_new(1);
	b->store = kube_store_new(NULL, b->choice);
	b->view = dns_view_new();
	b->upstream = load_upstream();
	const char *files[] = {
		arena_printf(b->arena, FOLDER "%s.yaml", cluster),
		arena_printf(b->arena, FOLDER "corefiles/%s.yaml", corefile),
	};
	int code = manifest_load(b->store, files, 2, NULL, &err);
	if (!code)
		code = corefile_from_config_map(
			b->arena,
			(const struct kube_config_map *)kube_store_get(b->store, KIND_CONFIG_MAP,
								       "kube-system", "coredns"),
			"cluster.local", &parsed, &err);
	dns_view_watch(b->view, b->store, 0);
	if (!code)
		code = dns_server_new(&(struct dns_server_config){ .corefile = parsed,
								   .view = b->view,
								   .upstream = b->upstream,
								   .choice = b->choice,
								   .local = &local,
								   .local_count = 1 },
				      &b->server, &err);
	CHECK_TEXT(err.text, "");
	return code == 0;
}

static void bench_close(struct bench *b)
{
	dns_server_free(b->server);
	dns_master_free(b->upstream);
	dns_view_free(b->view);
	kube_store_free(b->store);
	choice_free(b->choice);
	arena_free(b->arena);
}

/* ---- comparing -------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in sorted order, joined. */
static void join_sorted(char **lines, size_t count, struct strbuf *out)
{
	qsort(lines, count, sizeof *lines, by_text);
	for (size_t i = 0; i < count; i++) {
		strbuf_printf(out, "%s\n", lines[i]);
		free(lines[i]);
	}
	free(lines);
}

/* A SOA's serial, and the fields behind it where the expectation has stars, are free. */
static void star_fields(char *line, const char *pattern)
{
	struct strbuf out = { 0 };
	char *save_a = NULL, *save_b = NULL, *copy = mem_strdup(pattern);
	for (char *a = strtok_r(line, " ", &save_a), *b = strtok_r(copy, " \n", &save_b); a;
	     a = strtok_r(NULL, " ", &save_a), b = b ? strtok_r(NULL, " \n", &save_b) : NULL)
		strbuf_printf(&out, out.length ? " %s" : "%s", b && strcmp(b, "*") == 0 ? "*" : a);
	strcpy(line, strbuf_text(&out));
	strbuf_free(&out);
	free(copy);
}

static void expected_section(const json_t *records, struct strbuf *out)
{
	size_t count = json_array_size(records);
	char **lines = mem_array(count + 1, sizeof *lines);
	for (size_t i = 0; i < count; i++) {
		const json_t *r = json_array_get(records, i);
		struct strbuf line = { 0 };
		strbuf_printf(&line, "%s %lld %s %s %s",
			      json_string_value(json_object_get(r, "name")),
			      (long long)json_integer_value(json_object_get(r, "ttl")),
			      json_string_value(json_object_get(r, "class")),
			      json_string_value(json_object_get(r, "type")),
			      json_string_value(json_object_get(r, "rdata")));
		lines[i] = strbuf_steal(&line);
	}
	join_sorted(lines, count, out);
}

static void actual_section(const struct dns_section *s, const json_t *expected, struct strbuf *out)
{
	char **lines = mem_array(s->count + 1u, sizeof *lines);
	for (uint32_t i = 0; i < s->count; i++) {
		char name[DNS_NAME_TEXT], class[16], type[16];
		struct strbuf line = { 0 };
		strbuf_printf(&line, "%s %u %s %s ", dns_name_text(s->items[i].owner, name),
			      s->items[i].ttl, dns_class_text(s->items[i].class, class),
			      dns_type_text(s->items[i].type, type));
		dns_rdata_text(&s->items[i], &line);
		lines[i] = strbuf_steal(&line);
		if (s->items[i].type == DNS_SOA && json_array_size(expected)) {
			struct strbuf pattern = { 0 };
			expected_section(expected, &pattern);
			star_fields(lines[i], strbuf_text(&pattern));
			strbuf_free(&pattern);
		}
	}
	join_sorted(lines, s->count, out);
}

static void flags_text(const struct dns_message *m, struct strbuf *out)
{
	static const struct { uint16_t bit; const char *name; } bits[] = {
		{ DNS_QR, "qr" }, { DNS_AA, "aa" }, { DNS_TC, "tc" }, { DNS_RD, "rd" },
		{ DNS_RA, "ra" }, { DNS_AD, "ad" }, { DNS_CD, "cd" }
	};
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		if (m->flags & bits[i].bit)
			strbuf_printf(out, "%s ", bits[i].name);
}

static void expected_flags(const json_t *list, struct strbuf *out)
{
	static const char *const order[] = { "qr", "aa", "tc", "rd", "ra", "ad", "cd" };
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		for (size_t k = 0; k < json_array_size(list); k++)
			if (strcmp(json_string_value(json_array_get(list, k)), order[i]) == 0)
				strbuf_printf(out, "%s ", order[i]);
}

/* Everything of a reply that counts, as text; aliases stand before what they lead to. */
static void actual_text(const struct dns_message *m, size_t size, const json_t *expect,
			struct strbuf *out)
{
	char rcode[16];
	bool address = false, alias_late = false;
	strbuf_printf(out, "%s ", dns_rcode_text(m->rcode, rcode));
	if (json_object_get(expect, "flags"))
		flags_text(m, out);
	if (json_object_get(expect, "size"))
		strbuf_printf(out, "size %zu", size);
	strbuf_puts(out, "\nanswer\n");
	actual_section(&m->answer, json_object_get(expect, "answer"), out);
	strbuf_puts(out, "authority\n");
	actual_section(&m->authority, json_object_get(expect, "authority"), out);
	strbuf_puts(out, "additional\n");
	actual_section(&m->additional, json_object_get(expect, "additional"), out);
	for (uint32_t i = 0; i < m->answer.count; i++) {
		alias_late |= address && m->answer.items[i].type == DNS_CNAME;
		address |= m->answer.items[i].type != DNS_CNAME;
	}
	if (alias_late)
		strbuf_puts(out, "an alias stands behind its target\n");
}

static void expected_text(const json_t *expect, struct strbuf *out)
{
	strbuf_printf(out, "%s ", json_string_value(json_object_get(expect, "rcode")));
	expected_flags(json_object_get(expect, "flags"), out);
	if (json_object_get(expect, "size"))
		strbuf_printf(out, "size %lld",
			      (long long)json_integer_value(json_object_get(expect, "size")));
	strbuf_puts(out, "\nanswer\n");
	expected_section(json_object_get(expect, "answer"), out);
	strbuf_puts(out, "authority\n");
	expected_section(json_object_get(expect, "authority"), out);
	strbuf_puts(out, "additional\n");
	expected_section(json_object_get(expect, "additional"), out);
}

/* ---- cases -------------------------------------------------------------------------- */

static void run_case(struct bench *b, const json_t *c)
{
	const json_t *q = json_object_get(c, "query"), *expect = json_object_get(c, "expect");
	const char *id = json_string_value(json_object_get(c, "id"));
	const char *needs = json_string_value(json_object_get(c, "needs"));
	struct strbuf query = { 0 }, reply = { 0 }, actual = { 0 }, expected = { 0 };
	struct dns_client client = { .addr = { .family = NET_V4, .bytes = { 10, 244, 1, 9 } } };
	struct dns_message m;
	struct dns_name name;
	uint16_t type;
	int64_t delay;
	dns_view_set_synced(b->view, !(needs && strcmp(needs, "unsynced API") == 0));
	CHECK(dns_name_parse(json_string_value(json_object_get(q, "qname")), &name));
	CHECK(dns_type_parse(json_string_value(json_object_get(q, "qtype")), &type));
	dns_query_write(7, DNS_RD, &name, type, 0, &query);
	CHECK(dns_server_answer(b->server, (uint8_t *)query.data, query.length, &client, 0, &reply,
				&delay));
	CHECK_INT(dns_message_read(b->arena, (uint8_t *)reply.data, reply.length, &m), 0);
	strbuf_printf(&actual, "%s: ", id);
	strbuf_printf(&expected, "%s: ", id);
	actual_text(&m, reply.length, expect, &actual);
	expected_text(expect, &expected);
	CHECK_TEXT(strbuf_text(&actual), strbuf_text(&expected));
	strbuf_free(&query);
	strbuf_free(&reply);
	strbuf_free(&actual);
	strbuf_free(&expected);
}

static void test_cases(void)
{
	json_error_t error;
	json_t *root = json_load_file(FOLDER "upstream-cases.json", 0, &error);
	if (!CHECK(root != NULL))
		return;
	const json_t *cases = json_object_get(root, "cases");
	CHECK(json_array_size(cases) > 100);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);
		struct bench b;
		if (bench_open(&b, json_string_value(json_object_get(c, "cluster")),
			       json_string_value(json_object_get(c, "corefile"))))
			run_case(&b, c);
		bench_close(&b);
	}
	json_decref(root);
}

static const struct check tests[] = {
	{ "every answer equals real CoreDNS's: rcode, flags, records, size", test_cases },
};

CHECK_MAIN(tests)
