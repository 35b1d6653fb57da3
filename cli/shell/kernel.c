/* cli/shell/kernel.c: iptables, ipset, ipvsadm, nft, conntrack: views as the tools print
 * them, and what an administrator changes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/shell.h"

static int show(struct call *c, enum dump_view which, const char *argument)
{
	const char *text = shell_view(c, which, argument);
	strbuf_puts(c->out, text ? text : "");
	return text ? 0 : 1;
}

/* A word as a tool's batch form takes it. */
static void add_quoted(struct strbuf *line, const char *word)
{
	bool quote = !*word || strpbrk(word, " \t\"{};") != NULL;
	if (!quote) {
		strbuf_printf(line, " %s", word);
		return;
	}
	strbuf_puts(line, " \"");
	for (; *word; word++) {
		if (*word == '"')
			strbuf_putc(line, '\\');
		strbuf_putc(line, *word);
	}
	strbuf_putc(line, '"');
}

static char *words_from(struct call *c, int first, bool quoted)
{
	struct strbuf line = { 0 };
	for (int i = first; i < c->argc; i++)
		if (quoted)
			add_quoted(&line, c->argv[i]);
		else
			strbuf_printf(&line, " %s", c->argv[i]);
	char *text = arena_strdup(c->arena, *strbuf_text(&line) ? strbuf_text(&line) + 1 : "");
	strbuf_free(&line);
	return text;
}

/* A change goes to the machine as it was typed. */
static int change(struct call *c, const char *tool, bool quoted)
{
	struct err err = { "" };
	struct place *p = shell_place(c->s, c->io);
	if (!p)
		return 1;
	char *line = arena_printf(c->arena, "%s %s", tool, words_from(c, 1, quoted));
	if (world_command(c->s->world, p, line, &err))
		return call_fail(c, 1, "%s", err.text);
	return 0;
}

static bool has_word(const struct call *c, const char *a, const char *b)
{
	for (int i = 1; i < c->argc; i++)
		if (strcmp(c->argv[i], a) == 0 || strcmp(c->argv[i], b) == 0)
			return true;
	return false;
}

/* Whether a cluster of letters ("-nvL") has this one; long options don't count. */
static bool has_letter(const struct call *c, char letter)
{
	for (int i = 1; i < c->argc; i++)
		if (c->argv[i][0] == '-' && c->argv[i][1] != '-' && strchr(c->argv[i], letter))
			return true;
	return false;
}

/* ---- iptables ---------------------------------------------------------------------------- */

/* "-nvL" apart: the letters of listing in words of their own, as the evaluator's tokens. */
static char *look_words(struct call *c)
{
	struct strbuf line = { 0 };
	for (int i = 1; i < c->argc; i++) {
		const char *w = c->argv[i];
		if (w[0] == '-' && w[1] && w[1] != '-' && w[2] && strspn(w + 1, "nvLSx") == strlen(w + 1)) {
			for (const char *f = w + 1; *f; f++)
				if (*f != 'L' && *f != 'S')
					strbuf_printf(&line, " -%c", *f);
			for (const char *f = w + 1; *f; f++)
				if (*f == 'L' || *f == 'S')
					strbuf_printf(&line, " -%c", *f);
		} else {
			add_quoted(&line, w);
		}
	}
	char *text = arena_strdup(c->arena, strbuf_text(&line));
	strbuf_free(&line);
	return text;
}

static int xtables(struct call *c, enum dump_view look, const char *tool)
{
	struct err err = { "" };
	bool looks = has_word(c, "--list", "--list-rules");
	for (int i = 1; i < c->argc; i++) {
		const char *w = c->argv[i];
		looks |= w[0] == '-' && w[1] != '-' && strpbrk(w, "LS") && strspn(w + 1, "nvLSx") == strlen(w + 1);
	}
	if (c->argc < 2)
		return call_fail(c, 2, "no command specified");
	if (strcmp(c->argv[1], "-V") == 0 || strcmp(c->argv[1], "--version") == 0) {
		strbuf_printf(c->out, "%s v1.8.9 (legacy)\n", tool);
		return 0;
	}
	if (!looks)
		return change(c, tool, true);
	struct strbuf text = { 0 };
	struct place *p = shell_place(c->s, c->io);
	int code = p ? world_dump(c->s->world, p, look, look_words(c), &text, &err) : 1;
	strbuf_puts(c->out, strbuf_text(&text));
	strbuf_free(&text);
	return code ? call_fail(c, 1, "%s", err.text) : 0;
}

static int iptables(struct call *c)
{
	return xtables(c, DUMP_IPTABLES_LOOK, "iptables");
}

static int ip6tables(struct call *c)
{
	return xtables(c, DUMP_IP6TABLES_LOOK, "ip6tables");
}

/* [-c] [-t TABLE]; without -c no counters, as the tool prints it. */
static int save(struct call *c)
{
	const char *table = NULL;
	bool counters = false;
	for (int i = 1; i < c->argc; i++) {
		if (strcmp(c->argv[i], "-t") == 0 && i + 1 < c->argc)
			table = c->argv[++i];
		counters |= strcmp(c->argv[i], "-c") == 0 || strcmp(c->argv[i], "--counters") == 0;
	}
	const char *text = shell_view(c, c->argv[0][2] == '6' ? DUMP_IP6TABLES_SAVE : DUMP_IPTABLES_SAVE, table);
	for (const char *l = text ? text : ""; *l;) {
		size_t n = strcspn(l, "\n");
		const char *rule = l;
		if (!counters && *l == '[')
			rule = strchr(l, ']') + 2;
		strbuf_printf(c->out, "%.*s\n", (int)(n - (size_t)(rule - l)), rule);
		l += n + (l[n] == '\n');
	}
	return text ? 0 : 1;
}

/* ---- ipset, ipvsadm -------------------------------------------------------------------------- */

static int ipset(struct call *c)
{
	const char *verb = c->argc > 1 ? c->argv[1] : "", *name = c->argc > 2 ? c->argv[2] : NULL;
	if (strcmp(verb, "save") == 0 || strcmp(verb, "-S") == 0)
		return show(c, DUMP_IPSET, NULL);
	if (strcmp(verb, "list") != 0 && strcmp(verb, "-L") != 0 && strcmp(verb, "-l") != 0)
		return change(c, "ipset", true);
	bool names = has_word(c, "-n", "-name");
	if (name && *name == '-')
		name = NULL;
	if (!names)
		return show(c, DUMP_IPSET_LIST, name);
	const char *text = shell_view(c, DUMP_IPSET_LIST, name);
	for (const char *l = text ? text : ""; *l; l += strcspn(l, "\n"), l += *l == '\n')
		if (strncmp(l, "Name: ", 6) == 0)
			strbuf_printf(c->out, "%.*s\n", (int)strcspn(l + 6, "\n"), l + 6);
	return text ? 0 : 1;
}

/* The virtual server of -t, -u: its lines alone. */
static void one_service(struct call *c, const char *text, const char *proto, const char *service)
{
	bool on = true;
	for (int line = 0; *text; line++) {
		char have[8] = "", name[128] = "";
		size_t n = strcspn(text, "\n");
		if (line >= 3 && strncmp(text, "  ->", 4) != 0) {
			sscanf(text, "%7s %127s", have, name);
			on = strcmp(have, proto) == 0 && strcmp(name, service) == 0;
		}
		if (on)
			strbuf_printf(c->out, "%.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static int ipvsadm(struct call *c)
{
	const char *service = NULL, *proto = "TCP";
	bool looks = c->argc == 1 || has_word(c, "--list", "--list") || has_letter(c, 'L') ||
		     has_letter(c, 'l');
	bool changes = false;
	for (int i = 1; i < c->argc; i++)
		changes |= c->argv[i][0] == '-' && strlen(c->argv[i]) == 2 && strchr("AEDCaedZR", c->argv[i][1]);
	if (changes)
		return change(c, "ipvsadm", false);
	if (has_letter(c, 'S') || has_word(c, "--save", "--save"))
		return show(c, DUMP_IPVSADM_SAVE, NULL);
	if (!looks)
		return call_fail(c, 2, "unexpected argument %s", c->argv[1]);
	if (has_letter(c, 'c') || has_word(c, "--connection", "--connection"))
		return show(c, DUMP_IPVSADM_CONNECTIONS, NULL);
	enum dump_view which = has_word(c, "--stats", "--stats")   ? DUMP_IPVSADM_STATS
			       : has_word(c, "--rate", "--rate") ? DUMP_IPVSADM_RATE : DUMP_IPVSADM;
	for (int i = 1; i + 1 < c->argc; i++)
		if (strcmp(c->argv[i], "-t") == 0 || strcmp(c->argv[i], "-u") == 0) {
			proto = c->argv[i][1] == 't' ? "TCP" : "UDP";
			service = c->argv[i + 1];
		}
	if (!service)
		return show(c, which, NULL);
	const char *text = shell_view(c, which, NULL);
	if (text)
		one_service(c, text, proto, service);
	return text ? 0 : 1;
}

/* ---- nft ---------------------------------------------------------------------------------------- */

/* The block that a line opens, to the brace of the same indentation; NULL: none. */
static const char *find_block(const char *text, const char *head, size_t *length)
{
	size_t n = strlen(head);
	for (const char *l = text; *l; l += strcspn(l, "\n"), l += *l == '\n') {
		size_t tabs = strspn(l, "\t");
		if (strncmp(l + tabs, head, n) != 0 || strncmp(l + tabs + n, " {", 2) != 0)
			continue;
		for (const char *e = l; *e; e += strcspn(e, "\n"), e += *e == '\n')
			if (strspn(e, "\t") == tabs && e[tabs] == '}') {
				*length = (size_t)(e + tabs + 1 - l);
				return l;
			}
	}
	return NULL;
}

static int nft_missing(struct call *c)
{
	strbuf_printf(c->err, "Error: No such file or directory\n%s\n", words_from(c, 1, false));
	return 1;
}

/* list tables | table F N | chain|map|set F TABLE NAME */
static int nft_list(struct call *c, int i)
{
	const char *text = shell_view(c, DUMP_NFT, NULL), *what = c->argv[i];
	size_t n, inner;
	if (!text)
		return 1;
	if (strcmp(what, "ruleset") == 0) {
		strbuf_puts(c->out, text);
		return 0;
	}
	if (strcmp(what, "tables") == 0) {
		for (const char *l = text; *l; l += strcspn(l, "\n"), l += *l == '\n')
			if (strncmp(l, "table ", 6) == 0)
				strbuf_printf(c->out, "%.*s\n", (int)strcspn(l, "{\n") - 1, l);
		return 0;
	}
	int names = c->argc - i - 1;
	bool family = names > 0 && strstr(" ip ip6 inet arp bridge ", arena_printf(c->arena, " %s ", c->argv[i + 1]));
	const char *table = arena_printf(c->arena, "table %s %s", family ? c->argv[i + 1] : "ip",
					 names > family ? c->argv[i + 1 + family] : "");
	const char *block = find_block(text, table, &n);
	if (!block)
		return nft_missing(c);
	if (strcmp(what, "table") == 0) {
		strbuf_printf(c->out, "%.*s\n", (int)n, block);
		return 0;
	}
	if (names < family + 2)
		return call_fail(c, 1, "expected list %s FAMILY TABLE NAME", what);
	char *inside = arena_strndup(c->arena, block, n);
	const char *part = find_block(inside, arena_printf(c->arena, "%s %s", what, c->argv[i + 2 + family]),
				      &inner);
	if (!part)
		return nft_missing(c);
	strbuf_printf(c->out, "%s {\n%.*s\n}\n", table, (int)inner, part);
	return 0;
}

static int nft(struct call *c)
{
	int i = 1;
	while (i < c->argc && c->argv[i][0] == '-' && c->argv[i][1] != 'f')
		i++;
	if (i + 1 < c->argc && strcmp(c->argv[i], "list") == 0)
		return nft_list(c, i + 1);
	if (i >= c->argc)
		return call_fail(c, 1, "expected a command, e.g. list ruleset");
	if (strcmp(c->argv[i], "-f") == 0)
		return call_fail(c, 1, "-f is not part of the simulated machine: type the command");
	return change(c, "nft", false);
}

/* ---- conntrack --------------------------------------------------------------------------------- */

struct flow_filter { const char *option, *field; };
static const struct flow_filter filters[] = {
	{ "-p", NULL }, { "--proto", NULL }, { "-s", "src=" }, { "--src", "src=" }, { "--orig-src", "src=" },
	{ "-d", "dst=" }, { "--dst", "dst=" }, { "--orig-dst", "dst=" }, { "--sport", "sport=" },
	{ "--dport", "dport=" }, { "--orig-port-dst", "dport=" }, { "--state", NULL },
	{ "-r", "reply" }, { "--reply-src", "reply" }, { "-m", "mark=" }, { "--mark", "mark=" },
};

/* Whether the line of `conntrack -L` passes one option. */
static bool flow_passes(struct call *c, const char *line, const struct flow_filter *f, const char *value)
{
	if (!f->field && f->option[1] == 'p')
		return strncmp(line, value, strlen(value)) == 0;
	if (!f->field && strcmp(f->option, "--proto") == 0)
		return strncmp(line, value, strlen(value)) == 0;
	if (!f->field)
		return strstr(line, value) != NULL;
	const char *field = strcmp(f->field, "reply") == 0 ? "src=" : f->field;
	const char *want = arena_printf(c->arena, "%s%s ", field, value);
	const char *first = strstr(line, arena_printf(c->arena, " %s", field));
	if (strcmp(f->field, "reply") == 0 && first)
		first = strstr(first + 1, " src=");
	return first && strncmp(first + 1, want, strlen(want)) == 0;
}

static int conntrack_list(struct call *c)
{
	const char *text = shell_view(c, DUMP_CONNTRACK, NULL);
	uint32_t shown = 0;
	for (const char *l = text ? text : ""; *l;) {
		size_t n = strcspn(l, "\n");
		char *line = arena_printf(c->arena, "%.*s ", (int)n, l);
		bool pass = true;
		for (int i = 1; i + 1 < c->argc; i++)
			for (size_t k = 0; k < sizeof filters / sizeof *filters; k++)
				if (strcmp(filters[k].option, c->argv[i]) == 0)
					pass &= flow_passes(c, line, &filters[k], c->argv[i + 1]);
		if (pass) {
			strbuf_printf(c->out, "%.*s\n", (int)n, l);
			shown++;
		}
		l += n + (l[n] == '\n');
	}
	if (!text)
		return 1;
	strbuf_printf(c->err, "conntrack v1.4.7 (conntrack-tools): %u flow entries have been shown.\n", shown);
	return 0;
}

static int conntrack(struct call *c)
{
	const char *verb = c->argc > 1 ? c->argv[1] : "";
	if (strcmp(verb, "-L") == 0 || strcmp(verb, "--dump") == 0)
		return conntrack_list(c);
	const char *text = shell_view(c, DUMP_CONNTRACK, NULL);
	uint32_t before = 0, after = 0;
	for (const char *l = text ? text : ""; *l; l++)
		before += *l == '\n';
	if (strcmp(verb, "-C") == 0 || strcmp(verb, "--count") == 0) {
		strbuf_printf(c->out, "%u\n", before);
		return 0;
	}
	if (strcmp(verb, "-D") != 0 && strcmp(verb, "--delete") != 0)
		return call_fail(c, 2, "%s is not part of the simulated machine: expected -L, -C or -D", verb);
	int code = change(c, "conntrack", false);
	text = code ? NULL : shell_view(c, DUMP_CONNTRACK, NULL);
	for (const char *l = text ? text : ""; *l; l++)
		after += *l == '\n';
	if (!code)
		strbuf_printf(c->err, "conntrack v1.4.7 (conntrack-tools): %u flow entries have been deleted.\n",
			      before - after);
	return code ? code : before == after;
}

const struct tool kernel_tools[] = {
	{ "iptables-save", save, "[-c] [-t TABLE]" }, { "ip6tables-save", save, NULL },
	{ "iptables", iptables, "[-t TABLE] -L -n [-v] | -S | -A ..." }, { "ip6tables", ip6tables, NULL },
	{ "ipset", ipset, "list [NAME] | save | add ..." },
	{ "ipvsadm", ipvsadm, "-Ln [--stats|--rate|-c] | -Sn | -A ..." },
	{ "nft", nft, "list ruleset | list table|chain|map|set FAMILY TABLE [NAME] | add ..." },
	{ "conntrack", conntrack, "-L [-p PROTO] [-d ADDRESS] [--dport PORT] | -C | -D ..." },
	{ NULL, NULL, NULL },
};
