/* tests/unit/nft_parse.c: nft text in and out, transactions, messages.
 *
 * Expected listings are what real nft 1.0.6 printed on Linux 6.18 (tests/golden/nft).
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "core/arena.h"
#include "core/file.h"
#include "linux/nft/nft.h"

#define GOLDEN "tests/golden/nft/"

static char *read_golden(const char *name, const char *suffix)
{
	struct strbuf b = { 0 };
	struct err err = { "" };
	char path[256];
	snprintf(path, sizeof path, GOLDEN "%s%s", name, suffix);
	if (file_read(path, &b, &err))
		check_note(false, path, 0, "%s", err.text);
	return strbuf_steal(&b);
}

static char *list(const struct nft_ruleset *r)
{
	struct strbuf b = { 0 };
	nft_list(r, &b);
	return strbuf_steal(&b);
}

/* Loads it, which must succeed. */
static void load(struct nft_ruleset *r, const char *text)
{
	struct err err = { "" };
	int code = nft_load(r, text, strlen(text), "rules.nft", &err);
	check_note(code == 0, __FILE__, __LINE__, "%s", err.text);
}

static void listed(const struct nft_ruleset *r, const char *expected)
{
	char *text = list(r);
	CHECK_TEXT(text, expected);
	free(text);
}

static struct nft_ruleset *with(const char *text)
{
	struct nft_ruleset *r = nft_new(NULL);
	load(r, text);
	return r;
}

/* Script -> listing as real nft's; listing -> the same listing. */
static void same_as_listed(struct nft_ruleset *r, const char *name)
{
	char *script = read_golden(name, ".nft"), *expected = read_golden(name, ".list");
	load(r, script);
	listed(r, expected);
	struct nft_ruleset *again = with(expected);
	listed(again, expected);
	CHECK_INT(nft_rule_count(again), nft_rule_count(r));
	nft_free(again);
	free(script);
	free(expected);
}

static void kube_proxy_texts(void)
{
	struct nft_ruleset *r = nft_new(NULL);
	same_as_listed(r, "kube-proxy-1.30-step0");
	same_as_listed(r, "kube-proxy-1.30-step1");
	same_as_listed(r, "kube-proxy-1.30-step2");
	nft_free(r);
}

static void other_programs_texts(void)
{
	static const char *const names[] = { "docker", "flannel", "firewalld" };
	for (unsigned i = 0; i < 3; i++) {
		struct strbuf unknown = { 0 };
		struct nft_ruleset *r = nft_new(NULL);
		same_as_listed(r, names[i]);
		nft_unknown(r, &unknown);
		CHECK_TEXT(strbuf_text(&unknown), "");
		strbuf_free(&unknown);
		nft_free(r);
	}
}

static void every_statement(void)
{
	static const char *const names[] = { "statements-inet", "statements-ip", "statements-ip6" };
	for (unsigned i = 0; i < 3; i++) {
		struct nft_ruleset *r = nft_new(NULL);
		same_as_listed(r, names[i]);
		nft_free(r);
	}
}

/* iptables-nft's rules: what is not known stays as it stood, with its place. */
static void what_iptables_nft_made(void)
{
	char *text = read_golden("iptables-nft", ".list");
	struct strbuf unknown = { 0 };
	struct nft_ruleset *r = with(text);
	nft_unknown(r, &unknown);
	CHECK_TEXT(
	    strbuf_text(&unknown),
	    "rules.nft:13:20: not evaluated: xt match recent counter packets 0 bytes 0 dnat to "
	    "10.0.0.1:6443\n"
	    "rules.nft:46:3: not evaluated: xt match physdev counter packets 0 bytes 0 accept\n");
	char *once = list(r);
	CHECK(strstr(once, "\t\tmeta l4proto tcp xt match recent counter packets 0 bytes 0 dnat to "
			   "10.0.0.1:6443\n") != NULL);
	CHECK(strstr(once, "\t\tip daddr 10.96.0.1 tcp dport 443 counter packets 0 bytes 0 jump "
			   "KUBE-SVC-A\n") != NULL);
	struct nft_ruleset *again = with(once);
	listed(again, once);
	nft_free(again);
	nft_free(r);
	free(once);
	free(text);
	strbuf_free(&unknown);
}

static void tables_of_other_families(void)
{
	static const char text[] =
	    "table bridge br {\n\tchain c {\n\t\tether type vlan accept # }\n\t}\n}\n"
	    "table ip t {\n}\n";
	struct strbuf unknown = { 0 };
	struct nft_ruleset *r = with(text);
	listed(r, text);
	nft_unknown(r, &unknown);
	CHECK_TEXT(strbuf_text(&unknown), "rules.nft:1:14: not evaluated: table bridge br\n");
	strbuf_free(&unknown);
	nft_free(r);
}

/* ---- commands ------------------------------------------------------------------------ */

#define HEAD "add table t\nadd chain t c\nadd chain t d\n"

static void rules_at_places(void)
{
	struct nft_ruleset *r = with(HEAD "add rule t c ip ttl 1\nadd rule t c ip ttl 3\n"
				     "add rule t c index 0 ip ttl 2\ninsert rule t c ip ttl 0\n"
				     "insert rule ip t c index 3 ip ttl 9; add rule t d accept\n");
	listed(r,
	       "table ip t {\n\tchain c {\n\t\tip ttl 0\n\t\tip ttl 1\n\t\tip ttl 2\n\t\tip ttl 9\n"
	       "\t\tip ttl 3\n\t}\n\n\tchain d {\n\t\taccept\n\t}\n}\n");
	/* Handles count tables, chains and rules: 4 is the first rule. */
	load(r, "replace rule t c handle 4 ip ttl 11\ndelete rule t c handle 5\nflush chain t d\n"
		"delete chain t d\n");
	listed(
	    r,
	    "table ip t {\n\tchain c {\n\t\tip ttl 0\n\t\tip ttl 11\n\t\tip ttl 2\n\t\tip ttl 9\n"
	    "\t}\n}\n");
	CHECK_INT(nft_rule_count(r), 4);
	load(r, "flush table t\n");
	CHECK_INT(nft_rule_count(r), 0);
	load(r, "destroy table nope\ndestroy chain t nope\ndelete table t\n");
	listed(r, "");
	nft_free(r);
}

static void elements_come_and_go(void)
{
	struct nft_ruleset *r =
	    with(HEAD "add set t s { type ipv4_addr; }\nadd element t s { 10.0.0.2, 10.0.0.1 "
		      "comment \"x\" }\n"
		      "add element t s { 10.0.0.1 }\n"
		      "add set t i { type ipv4_addr; flags interval; }\n"
		      "add element t i { 10.1.0.0/16, 10.0.0.7-10.0.0.9, 10.0.0.1 }\n"
		      "add map t m { type inet_proto . inet_service : verdict; }\n"
		      "add element t m { udp . 53 : drop, tcp . 80 : goto d }\n"
		      "add set t a { type inet_service; flags interval; auto-merge; }\n"
		      "add element t a { 80, 82-90 }\nadd element t a { 81 }\n");
	load(r, "delete element t s { 10.0.0.2 }\ndelete element t m { udp . 53 }\n"
		"destroy element t s { 10.0.0.77 }\ndelete element t i { 10.0.0.7-10.0.0.9 }\n");
	listed(r, "table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1 comment "
		  "\"x\" }\n"
		  "\t}\n\n\tset i {\n\t\ttype ipv4_addr\n\t\tflags interval\n"
		  "\t\telements = { 10.0.0.1, 10.1.0.0/16 }\n\t}\n\n"
		  "\tmap m {\n\t\ttype inet_proto . inet_service : verdict\n"
		  "\t\telements = { tcp . 80 : goto d }\n\t}\n\n"
		  "\tset a {\n\t\ttype inet_service\n\t\tflags interval\n\t\tauto-merge\n"
		  "\t\telements = { 80-90 }\n\t}\n\n\tchain c {\n\t}\n\n\tchain d {\n\t}\n}\n");
	load(r, "flush set t s\nflush map t m\ndelete chain t d\n");
	nft_free(r);
}

/* ---- all or nothing ------------------------------------------------------------------- */

#define EIGHTS "88888888888888888888888888888888" "88888888888888888888888888888888" /* 64 */

struct refusal {
	const char *script;
	int code;
	const char *message;
};

/* Codes are what the kernel or nft answers; the ruleset stays as it was. */
static const struct refusal refusals[] = {
	{ "add rule t c ip saddr 1.2.3.400 accept", EINVAL,
	  "rules.nft:1:23: expected an IPv4 address, found \"1.2.3.400\"" },
	{ "add rule t c tcp dport 80 acept", EINVAL,
	  "rules.nft:1:27: expected a statement, found \"acept\"" },
	{ "add rule t c\n  jump nowhere", EINVAL,
	  "rules.nft:1:13: expected a statement, found the end of the line" },
	{ "add rule t c jump nowhere", ENOENT, "rules.nft:1:19: no chain nowhere in table t" },
	{ "add rule t x accept", ENOENT, "rules.nft:1:12: no chain x in table t" },
	{ "add rule ip6 t c accept", ENOENT, "rules.nft:1:14: no table ip6 t" },
	{ "add rule t c ip saddr @nope accept", ENOENT,
	  "rules.nft:1:24: no set or map nope in table t" },
	{ "flush chain t d\ndelete chain t d\n", EBUSY, "rules.nft:2:16: the chain is in use" },
	{ "delete set t s", EBUSY, "rules.nft:1:14: the set is in use" },
	{ "add rule t d jump c", EMLINK,
	  "table t: jumps through chain c loop or nest deeper than 16 chains" },
	{ "add element t m { 80 : jump d }", EMLINK,
	  "table t: jumps through chain d loop or nest deeper than 16 chains" },
	{ "add element t s { 10.0.0.0/8 }", EINVAL,
	  "rules.nft:1:19: set s has no ranges: expected a single value, or flags interval in its "
	  "declaration" },
	{ "delete element t s { 10.9.9.9 }", ENOENT,
	  "rules.nft:1:22: set or map s has no such element" },
	{ "create element t s { 10.0.0.1 }", EEXIST, "rules.nft:1:22: the element exists" },
	{ "add element t m { 22 : drop }", EEXIST,
	  "rules.nft:1:19: the element exists with other data" },
	{ "add chain t b { type nat hook forward priority 0; }", EOPNOTSUPP,
	  "rules.nft:1:31: chains of type nat have no hook forward" },
	{ "add chain t b { type filter hook input priority 0; }\nadd rule t b masquerade",
	  EOPNOTSUPP, "table t: chain b is of a type or hook without masquerade" },
	{ "add rule t c dnat to 10.0.0.1:80", EINVAL,
	  "rules.nft:1:31: ports are translated only after the transport protocol was matched: "
	  "expected tcp, udp or meta l4proto before" },
	{ "create table t", EEXIST, "rules.nft:1:14: table t exists" },
	{ "add set t s { type inet_service; }", EEXIST,
	  "rules.nft:1:13: set or map s exists with another type or flags" },
	{ "add rule t c iif veth* accept", ENOENT,
	  "rules.nft:1:18: interface veth* does not exist: expected one that is there (iifname and "
	  "oifname take names of others)" },
	{ "add rule t c accept comment \"" EIGHTS EIGHTS "x\"", EINVAL,
	  "rules.nft:1:29: comment too long, 128 characters maximum allowed" },
	{ "frobnicate", EINVAL,
	  "rules.nft:1:1: expected table, add, create, insert, replace, delete, destroy or flush, "
	  "found \"frobnicate\"" },
	{ "table ip z {\n\tchain c {\n", EINVAL,
	  "rules.nft:3:1: expected \"}\", found the end of the text" },
	{ "add rule t c ip saddr $x accept", EINVAL,
	  "rules.nft:1:23: svclab reads no variables: expected an IPv4 address" },
};

static void a_script_that_fails_changes_nothing(void)
{
	struct nft_ruleset *r =
	    with(HEAD "add set t s { type ipv4_addr; elements = { 10.0.0.1 } }\n"
		      "add map t m { type inet_service : verdict; elements = { 22 : accept } }\n"
		      "add rule t c ip saddr @s jump d\nadd rule t d tcp dport vmap @m\n");
	char *before = list(r);
	for (unsigned i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const struct refusal *f = &refusals[i];
		struct strbuf script = { 0 };
		struct err err = { "" };
		/* What stands behind is undone, too; line numbers are those of `f`. */
		strbuf_puts(&script, f->script);
		int code = nft_load(r, strbuf_text(&script), script.length, "rules.nft", &err);
		check_note(code == f->code, __FILE__, __LINE__, "%s: %d, expected %d", f->script,
			   code, f->code);
		CHECK_TEXT(err.text, f->message);
		listed(r, before);
		strbuf_clear(&script);
		strbuf_printf(&script, "flush ruleset; add table u; %s\n",
			      "add table ip6 k { }\n" HEAD
			      "add set t s { type ipv4_addr; }\nadd rule t c ip saddr @s\n"
			      "add element t s { 1.1.1.1 }\nnonsense");
		CHECK_INT(nft_load(r, strbuf_text(&script), script.length, "f", &err), EINVAL);
		listed(r, before);
		strbuf_free(&script);
	}
	CHECK_INT(nft_rule_count(r), 2);
	free(before);
	nft_free(r);
}

/* In a block chains are named before they stand there; a loop is still found. */
static void blocks_look_ahead(void)
{
	struct nft_ruleset *r =
	    with("table ip t {\n\tchain a { jump b; }\n\tchain b { ip saddr @s; }\n"
		 "\tset s { type ipv4_addr; }\n}\n");
	CHECK_INT(nft_rule_count(r), 2);
	struct err err = { "" };
	const char *loop = "table ip t { chain b { goto c; }; chain c { goto a; } }";
	CHECK_INT(nft_load(r, loop, strlen(loop), "f", &err), EMLINK);
	CHECK_INT(nft_rule_count(r), 2);
	nft_free(r);
}

static void sixteen_jumps_deep(void)
{
	struct strbuf s = { 0 };
	struct err err = { "" };
	strbuf_puts(&s, "add table t\n");
	for (int i = 0; i <= 17; i++)
		strbuf_printf(&s, "add chain t c%d\n", i);
	for (int i = 0; i < 16; i++)
		strbuf_printf(&s, "add rule t c%d jump c%d\n", i, i + 1);
	struct nft_ruleset *r = with(strbuf_text(&s));
	const char *more = "add rule t c16 jump c17\nadd rule t c17 jump c0";
	CHECK_INT(nft_load(r, more, strlen(more), "f", &err), EMLINK);
	strbuf_free(&s);
	nft_free(r);
}

static void every_cut_is_survived(void)
{
	char *text = read_golden("statements-ip", ".list");
	size_t length = strlen(text);
	for (size_t cut = 0; cut < length; cut += 7) {
		struct nft_ruleset *r = nft_new(NULL);
		char *copy = mem_alloc(cut + 1);
		memcpy(copy, text, cut);
		nft_load(r, copy, cut, "cut", NULL);
		CHECK(cut == 0 || nft_rule_count(r) == 0); /* the only block is not closed */
		free(copy);
		nft_free(r);
	}
	free(text);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One element more costs the same whether the map has ten or a hundred thousand. */
static void a_small_change_is_cheap(void)
{
	struct strbuf s = { 0 };
	char one[80];
	strbuf_puts(&s, HEAD "add map t m { type ipv4_addr : verdict; }\n"
			"add rule t c ip daddr vmap @m\nadd element t m { ");
	for (unsigned i = 0; i < 100000; i++)
		strbuf_printf(&s, "10.%u.%u.%u : goto d,", i >> 16, i >> 8 & 255, i & 255);
	strbuf_puts(&s, "9.9.9.9 : drop }\n");
	double start = seconds();
	struct nft_ruleset *r = with(strbuf_text(&s));
	double whole = seconds() - start;
	start = seconds();
	for (unsigned i = 0; i < 100; i++) {
		snprintf(one, sizeof one, "add element t m { 11.0.0.%u : goto d }\n", i);
		load(r, one);
	}
	double hundred = seconds() - start;
	check_note(hundred < whole / 10, __FILE__, __LINE__,
		   "100 small changes took %g s, the whole load %g s", hundred, whole);
	strbuf_free(&s);
	nft_free(r);
}

static const struct check tests[] = {
	{ "kube-proxy's scripts are listed as nft lists them", kube_proxy_texts },
	{ "docker's, flannel's and firewalld's rules, too", other_programs_texts },
	{ "every statement is listed as nft lists it, and read back the same", every_statement },
	{ "rules made by iptables-nft: unknown parts stay with their place",
	  what_iptables_nft_made },
	{ "tables of other families are kept as text", tables_of_other_families },
	{ "rules are added, inserted, replaced and deleted at places", rules_at_places },
	{ "elements come and go, ranges merge when the set says so", elements_come_and_go },
	{ "a script that fails says where and why, and changes nothing",
	  a_script_that_fails_changes_nothing },
	{ "in a block a chain or set may be named before it stands there", blocks_look_ahead },
	{ "sixteen jumps deep is deep enough", sixteen_jumps_deep },
	{ "a listing cut anywhere is survived", every_cut_is_survived },
	{ "adding one element costs no copy of the ruleset", a_small_change_is_cheap },
};

CHECK_MAIN(tests)
