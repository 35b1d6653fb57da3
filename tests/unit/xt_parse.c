/* tests/unit/xt_parse.c: iptables text in and out, commands and listings.
 *
 * Expected values are what real iptables 1.8.9 printed on Linux 6.18, kept under
 * tests/golden/xtables (each file says how it was made).
 */
#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "core/file.h"
#include "linux/xtables/xtables.h"
#include "net/addr.h"

#define GOLDEN "tests/golden/xtables/"

static char *read_golden(const char *name)
{
	struct strbuf b = { 0 };
	struct err err = { { 0 } };
	char path[256];
	snprintf(path, sizeof path, GOLDEN "%s", name);
	if (!CHECK(file_read(path, &b, &err) == 0))
		fprintf(stderr, "%s\n", err.text);
	return strbuf_steal(&b);
}

static int restore(struct xt_ruleset *x, const char *text, bool noflush, struct err *err)
{
	struct xt_restore_options o = { .file = "f", .noflush = noflush, .counters = true };
	return xt_restore(x, text, strlen(text), &o, err);
}

static char *save(const struct xt_ruleset *x, const char *table, bool counters)
{
	struct strbuf b = { 0 };
	xt_save(x, table, counters, &b);
	return strbuf_steal(&b);
}

static void same_as_saved(const char *name, uint8_t family)
{
	char file[128];
	struct err err = { { 0 } };
	snprintf(file, sizeof file, "%s.restore", name);
	char *text = read_golden(file);
	snprintf(file, sizeof file, "%s.save", name);
	char *expected = read_golden(file);
	struct xt_ruleset *x = xt_new(NULL, family);
	if (!CHECK(restore(x, text, false, &err) == 0))
		fprintf(stderr, "%s\n", err.text);
	char *once = save(x, NULL, false);
	CHECK_TEXT(once, expected);
	struct xt_ruleset *y = xt_new(NULL, family);
	CHECK_INT(restore(y, once, false, &err), 0);
	char *twice = save(y, NULL, false);
	CHECK_TEXT(twice, once);
	CHECK_INT(xt_rule_count(x), xt_rule_count(y));
	xt_free(x);
	xt_free(y);
	free(text);
	free(expected);
	free(once);
	free(twice);
}

static void kube_proxy_texts(void)
{
	same_as_saved("kube-proxy-1.30-iptables", NET_V4);
	same_as_saved("kube-proxy-1.20-userspace", NET_V4);
	same_as_saved("kube-proxy-1.30-cluster", NET_V4);
	same_as_saved("kube-proxy-1.30-cluster-v6", NET_V6);
}

static void kube_proxy_changes(void)
{
	struct err err = { { 0 } };
	struct xt_ruleset *x = xt_new(NULL, NET_V4);
	char *text = read_golden("kube-proxy-1.30-iptables.restore");
	CHECK_INT(restore(x, text, false, &err), 0);
	free(text);
	for (int step = 1; step <= 2; step++) {
		char name[64];
		snprintf(name, sizeof name, "kube-proxy-1.30-step%d.restore", step);
		text = read_golden(name);
		snprintf(name, sizeof name, "kube-proxy-1.30-step%d.save", step);
		char *expected = read_golden(name);
		CHECK_INT(restore(x, text, true, &err), 0);
		char *got = save(x, NULL, false);
		CHECK_TEXT(got, expected);
		free(text);
		free(expected);
		free(got);
	}
	xt_free(x);
}

/* "-A ..." lines of a saved text. */
static void only_rules(const char *text, struct strbuf *out)
{
	for (const char *s = text; *s;) {
		size_t n = strcspn(s, "\n");
		if (strncmp(s, "-A", 2) == 0) {
			strbuf_puts(out, "  ");
			strbuf_add(out, s, n + 1);
		}
		s += n + (s[n] == '\n');
	}
}

static void one_case(uint8_t family, const char *table, const char *line, const char *expected)
{
	struct xt_ruleset *x = xt_new(NULL, family);
	struct strbuf text = { 0 }, got = { 0 };
	struct err err = { { 0 } };
	strbuf_printf(&text, "*%s\n%s\nCOMMIT\n", table, line);
	int code = restore(x, strbuf_text(&text), false, &err);
	if (code) {
		const char *message = strstr(err.text, ": ");
		CHECK(strncmp(err.text, "f:2:", 4) == 0);
		strbuf_printf(&got, "! %s\n",
			      strcmp(expected, "! refused\n") == 0 ? "refused" :
			      message ? message + 2 : err.text);
		strbuf_clear(&text);
		xt_save(x, NULL, false, &text);
		CHECK_TEXT(strbuf_text(&text), ""); /* nothing of a refused table stays */
	} else {
		char *saved = save(x, table, false);
		only_rules(saved, &got);
		free(saved);
	}
	if (!check_note(check_strings(strbuf_text(&got), expected), __FILE__, __LINE__,
			"%s\n  expected: %s  actual:   %s", line, expected, strbuf_text(&got)))
		fflush(stdout);
	strbuf_free(&text);
	strbuf_free(&got);
	xt_free(x);
}

/* Cases of a file: "table|line", then indented lines or "! message". */
static void cases_of(const char *file, uint8_t family)
{
	char *all = read_golden(file), table[32] = "", *line = NULL;
	struct strbuf expected = { 0 };
	unsigned cases = 0;
	for (char *s = all, *end; *s; s = end) {
		end = strchr(s, '\n');
		*end++ = '\0';
		if (s[0] == ' ' || s[0] == '!') {
			strbuf_printf(&expected, "%s\n", s);
		} else if (s[0] != '#') {
			if (line)
				one_case(family, table, line, strbuf_text(&expected));
			strbuf_clear(&expected);
			line = strchr(s, '|') + 1;
			snprintf(table, sizeof table, "%.*s", (int)(line - s - 1), s);
			cases++;
		}
	}
	if (line)
		one_case(family, table, line, strbuf_text(&expected));
	CHECK(cases > 25);
	strbuf_free(&expected);
	free(all);
}

static void every_construct_v4(void)
{
	cases_of("rules-v4.txt", NET_V4);
}

static void every_construct_v6(void)
{
	cases_of("rules-v6.txt", NET_V6);
}

static void commands_one_after_another(void)
{
	char *all = read_golden("commands.txt"), *command = NULL;
	struct xt_ruleset *x = xt_new(NULL, NET_V4);
	struct strbuf expected = { 0 }, got = { 0 };
	for (char *s = all, *end;; s = end) {
		end = strchr(s, '\n');
		if (*s == ' ') {
			*end++ = '\0';
			strbuf_printf(&expected, "%s\n", s + 2);
			continue;
		}
		if (command) {
			struct err err = { { 0 } };
			strbuf_clear(&got);
			if (xt_command(x, command, NULL, &got, &err))
				strbuf_printf(&got, "%s\n", err.text);
			check_note(check_strings(strbuf_text(&got), strbuf_text(&expected)),
				   __FILE__, __LINE__, "%s\n  expected: %s  actual:   %s", command,
				   strbuf_text(&expected), strbuf_text(&got));
		}
		strbuf_clear(&expected);
		if (!*s)
			break;
		*end++ = '\0';
		command = *s == '#' ? NULL : s;
	}
	strbuf_free(&expected);
	strbuf_free(&got);
	xt_free(x);
	free(all);
}

static void listings(void)
{
	struct err err = { { 0 } };
	struct strbuf got = { 0 };
	char *text = read_golden("list.restore"), *filter = read_golden("list-filter.txt"),
	     *nat = read_golden("list-nat.txt");
	struct xt_ruleset *x = xt_new(NULL, NET_V4);
	if (!CHECK(restore(x, text, false, &err) == 0))
		fprintf(stderr, "%s\n", err.text);
	xt_list(x, "filter", NULL, false, &got);
	CHECK_TEXT(strbuf_text(&got), filter);
	strbuf_clear(&got);
	CHECK_INT(xt_command(x, "-t nat -L -n -v --line-numbers", NULL, &got, &err), 0);
	CHECK_TEXT(strbuf_text(&got), nat);
	strbuf_free(&got);
	xt_free(x);
	free(text);
	free(filter);
	free(nat);
}

static void check_answers(void)
{
	struct xt_ruleset *x = xt_new(NULL, NET_V4);
	bool found = true;
	CHECK_INT(xt_command(x, "-t nat -A OUTPUT -p tcp --dport 80 -j ACCEPT", NULL, NULL, NULL), 0);
	CHECK_INT(xt_command(x, "-t nat -C OUTPUT -p tcp --dport 81 -j ACCEPT", &found, NULL, NULL), 0);
	CHECK(!found);
	CHECK_INT(xt_command(x, "-t nat -C OUTPUT -p 6 -m tcp --dport http -j ACCEPT -w 5", &found,
			     NULL, NULL), 0);
	CHECK(found);
	xt_free(x);
}

/* iptables-restore applies each table at its COMMIT; an error takes back the open one. */
static void a_table_is_all_or_nothing(void)
{
	struct xt_ruleset *x = xt_new(NULL, NET_V4);
	struct err err = { { 0 } };
	CHECK_INT(restore(x, "*filter\n:A - [0:0]\n-A INPUT -j A\n-A A -s 1.1.1.1 -j DROP\nCOMMIT\n",
			  false, &err), 0);
	char *before = save(x, NULL, true);
	const char *bad[] = {
		"*filter\n:A - [0:0]\n:B - [0:0]\n-A A -j B\n-D INPUT -j A\n-X A\n-A B -j NOPE\nCOMMIT\n",
		"*filter\n-F\n-X\n:INPUT DROP [1:1]\n-A INPUT -p foo\n",
		"*filter\n-E A C\n-N A\n-A A -j C\n-A C -j A\nCOMMIT\n", /* a loop */
		"*filter\n-I A -j DROP\n", /* no COMMIT */
	};
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_INT(restore(x, bad[i], true, &err), EINVAL);
		CHECK(strncmp(err.text, "f:", 2) == 0);
		char *after = save(x, NULL, true);
		CHECK_TEXT(after, before);
		free(after);
	}
	/* *nat is committed before the error in *filter. */
	CHECK_INT(restore(x, "*nat\n-A OUTPUT -j ACCEPT\nCOMMIT\n*filter\n-A INPUT -j NOPE\nCOMMIT\n",
			  true, &err), EINVAL);
	CHECK_TEXT(err.text, "f:5:13: Couldn't load target `NOPE':No such file or directory");
	char *nat = save(x, "nat", false);
	CHECK(strstr(nat, "-A OUTPUT -j ACCEPT\n") != NULL);
	free(nat);
	free(before);
	xt_free(x);
}

static void noflush_flushes_named_chains(void)
{
	struct xt_ruleset *x = xt_new(NULL, NET_V4);
	struct err err = { { 0 } };
	CHECK_INT(restore(x, "*nat\n:A - [0:0]\n:B - [0:0]\n[3:180] -A A -j ACCEPT\n-A B -j ACCEPT\n"
			     "[7:420] -A OUTPUT -j B\nCOMMIT\n", false, &err), 0);
	CHECK_INT(restore(x, "*nat\n:A - [0:0]\n:OUTPUT ACCEPT [5:6]\n-A A -s 10.0.0.1 -j RETURN\nCOMMIT\n",
			  true, &err), 0);
	char *got = save(x, "nat", true);
	CHECK_TEXT(got, "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [5:6]\n"
			":POSTROUTING ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n[7:420] -A OUTPUT -j B\n"
			"[0:0] -A A -s 10.0.0.1/32 -j RETURN\n[0:0] -A B -j ACCEPT\nCOMMIT\n");
	free(got);
	/* --test changes nothing. */
	struct xt_restore_options o = { .file = "f", .test = true };
	const char *flush = "*nat\nCOMMIT\n";
	CHECK_INT(xt_restore(x, flush, strlen(flush), &o, &err), 0);
	CHECK_INT(xt_rule_count(x), 3);
	xt_free(x);
}

/* Calico's, Cilium's and Istio's dumps hold such lines. */
static void unknown_is_kept_and_told(void)
{
	const char *text = "*mangle\n"
		":PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
		":OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
		"-A PREROUTING -p tcp -m socket --transparent -m comment --comment \"cilium: any->pod\" "
		"-j MARK --set-xmark 0x200/0xffffffff\n"
		"-A PREROUTING -p tcp -m mark --mark 0x200 -j TPROXY --on-port 4321 --on-ip 127.0.0.1 "
		"--tproxy-mark 0x200/0xffffffff\n"
		"-A PREROUTING -m u32 --u32 \"6&0xff=0x1\" -j DROP\n"
		"-A FORWARD -m bpf --bytecode \"4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0\" -j DROP\n"
		"COMMIT\n";
	struct xt_ruleset *x = xt_new(NULL, NET_V4);
	struct err err = { { 0 } };
	struct strbuf told = { 0 };
	if (!CHECK(restore(x, text, false, &err) == 0))
		fprintf(stderr, "%s\n", err.text);
	char *got = save(x, NULL, false);
	CHECK_TEXT(got, text);
	free(got);
	xt_unknown(x, &told);
	const char *tail = "': packets that reach it are undecidable\n";
	struct strbuf expected = { 0 };
	strbuf_printf(&expected, "f:7:25: svclab does not know `-m socket --transparent%s"
		      "f:8:46: svclab does not know `-j TPROXY --on-port 4321 --on-ip 127.0.0.1 "
		      "--tproxy-mark 0x200/0xffffffff%s"
		      "f:9:18: svclab does not know `-m u32 --u32 \"6&0xff=0x1\"%s"
		      "f:10:15: svclab does not know `-m bpf --bytecode "
		      "\"4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0\"%s", tail, tail, tail, tail);
	CHECK_TEXT(strbuf_text(&told), strbuf_text(&expected));
	strbuf_free(&told);
	strbuf_free(&expected);
	xt_free(x);
}

static void errors_have_a_place(void)
{
	static const struct { const char *text, *message; } cases[] = {
		{ "-A INPUT -j DROP\n", "f:1:1: `-A' outside of a table, expected *filter, *nat, ..." },
		{ "*foo\n", "f:1:1: there is no table `foo', expected *filter, *nat, *mangle, *raw or "
			    "*security" },
		{ "*filter\n*nat\n", "f:2:1: \"*nat\" inside of a table, expected COMMIT first" },
		{ "*filter\n:INPUT\n", "f:2:1: policy of chain `INPUT' is missing, expected ACCEPT, DROP "
				       "or -" },
		{ "*filter\n:INPUT ACCEPT [1:x]\n", "f:2:15: invalid policy counters `[1:x]', expected "
						    "[packets:bytes]" },
		{ "*filter\n[1:2 -A INPUT\n", "f:2:1: invalid rule counters `[1:2', expected "
					      "[packets:bytes]" },
		{ "*filter\n-A INPUT -m comment --comment \"a\n", "f:2:1: quote is not closed" },
		{ "*filter\n  -A INPUT -p tcp  --dport  x\n", "f:2:29: invalid port/service `x' "
							      "specified" },
		{ "*filter\n-A INPUT -t nat\n", "f:2:10: The -t option cannot be used in a table, "
						"expected *filter to say it" },
		{ "*filter\n-L\n", "f:2:1: `-L' is no change of a table, expected -A, -I, -R, -D, -N, "
				   "-X, -F, -E or -P" },
		{ "*filter\n-A INPUT -j ACCEPT\n", "f:3:1: COMMIT expected at the end of table filter" },
		{ "*filter\n:A ACCEPT [0:0]\n", "f:2:4: chain `A' is not built in and has no policy, "
						"expected -" },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct xt_ruleset *x = xt_new(NULL, NET_V4);
		struct err err = { { 0 } };
		CHECK_INT(restore(x, cases[i].text, false, &err), EINVAL);
		CHECK_TEXT(err.text, cases[i].message);
		xt_free(x);
	}
}

static const struct check tests[] = {
	{ "real kube-proxy's texts print as iptables-save prints them", kube_proxy_texts },
	{ "real kube-proxy's later syncs lead to the same state as in Linux", kube_proxy_changes },
	{ "every match and target of IPv4 reads and prints as in iptables 1.8.9", every_construct_v4 },
	{ "every match and target of IPv6 reads and prints as in ip6tables 1.8.9", every_construct_v6 },
	{ "commands in a row answer as iptables does", commands_one_after_another },
	{ "-L prints the columns of iptables", listings },
	{ "-C tells whether an equal rule is there, however it is written", check_answers },
	{ "a table of a restore is applied as a whole or not at all", a_table_is_all_or_nothing },
	{ "--noflush flushes the chains it names and keeps the rest with counters",
	  noflush_flushes_named_chains },
	{ "unknown matches and targets are kept, printed back and reported", unknown_is_kept_and_told },
	{ "bad text is told with file, line and column", errors_have_a_place },
};

CHECK_MAIN(tests)
