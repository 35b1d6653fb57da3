/* dataplanes/kernel/load.c: carries transactions out with the real tools. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/arena.h"
#include "dataplanes/kernel/internal.h"

#define WORDS_MAX 64

static int64_t wall(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Splits a command line as a shell would (double quotes, backslash), in place. */
static int words_of(char *line, const char **words, int count)
{
	char *out = line;
	while (*line) {
		while (*line == ' ')
			line++;
		if (!*line || count == WORDS_MAX - 1)
			break;
		words[count++] = out;
		for (bool quoted = false; *line && (quoted || *line != ' '); line++) {
			if (*line == '"')
				quoted = !quoted;
			else
				*out++ = *line == '\\' && line[1] ? *++line : *line;
		}
		line += *line == ' ';
		*out++ = '\0';
	}
	words[count] = NULL;
	return count;
}

/* Runs PROGRAM [-w 5] LINE. */
static int command(struct kernel_place *p, const char *const *front, char *line, struct err *err)
{
	const char *words[WORDS_MAX];
	int count = 0;
	while (front[count]) {
		words[count] = front[count];
		count++;
	}
	words_of(line, words, count);
	struct tool_run run = { .ns = p->ns, .argv = words };
	return tool_run(&run, err);
}

/* ---- "-t nat -C X ... || -t nat -I X ...": the second when the first is not so */

/* "-t nat -I X ..." -> table and "-I X ..." */
static const char *table_of(const char *line, char *table, size_t size)
{
	snprintf(table, size, "filter");
	if (strncmp(line, "-t ", 3) != 0)
		return line;
	size_t length = strcspn(line + 3, " ");
	snprintf(table, size, "%.*s", (int)length, line + 3);
	line += 3 + length;
	return line + strspn(line, " ");
}

static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);
	for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && (at[length] == '\n' || !at[length]))
			return true;
	return false;
}

enum answer { NO, YES, UNSURE };

/* Whether the chain or rule that `question` ("-S CHAIN", "-C CHAIN ...") asks for is in what
 * -S printed of its table. The tool prints a rule in one form, which ours mostly has; where
 * no rule of the chain has the target it is surely missing. */
static enum answer in_listing(const char *listing, const char *question)
{
	struct strbuf wanted = { 0 };
	enum answer answer = UNSURE;
	const char *chain = question + 3, *target = strstr(question, " -j ");
	int chain_length = (int)strcspn(chain, " ");
	if (strncmp(question, "-S ", 3) == 0) {
		strbuf_printf(&wanted, "-N %s", chain);
		answer = has_line(listing, strbuf_text(&wanted)) ? YES : NO;
	} else if (strncmp(question, "-C ", 3) == 0 && target) {
		strbuf_printf(&wanted, "-A %s", chain);
		bool found = has_line(listing, strbuf_text(&wanted)), similar = false;
		strbuf_clear(&wanted);
		strbuf_printf(&wanted, "-A %.*s ", chain_length, chain);
		for (const char *at = listing; !similar && (at = strstr(at, strbuf_text(&wanted))) != NULL; at++) {
			char *rule = strndup(at, strcspn(at, "\n"));
			similar = rule && strstr(rule, target);
			free(rule);
		}
		answer = found ? YES : similar ? UNSURE : NO;
	}
	strbuf_free(&wanted);
	return answer;
}

static int ensure_line(struct kernel_place *p, bool six, const char *question, const char *otherwise,
		       enum answer *answer, struct err *err)
{
	struct strbuf text = { 0 }, listing = { 0 };
	char table[32], other_table[32];
	question = table_of(question, table, sizeof table);
	otherwise = table_of(otherwise, other_table, sizeof other_table);
	strbuf_printf(&text, "*%s\n-S\nCOMMIT\n", table);
	int code = restore_feed(p, six, strbuf_text(&text), text.length, &listing, err);
	*answer = code ? UNSURE : in_listing(strbuf_text(&listing), question);
	strbuf_clear(&text);
	strbuf_printf(&text, "*%s\n%s\nCOMMIT\n", other_table, otherwise);
	if (*answer == NO)
		code = restore_feed(p, six, strbuf_text(&text), text.length, NULL, err);
	strbuf_free(&text);
	strbuf_free(&listing);
	return code;
}

static int xtables_line(struct kernel_place *p, bool six, bool nft, char *line, struct err *err)
{
	const char *const front[] = { nft ? (six ? "ip6tables-nft" : "iptables-nft")
					  : six ? "ip6tables-legacy" : "iptables-legacy", "-w", NULL };
	enum answer answer = UNSURE;
	struct err ignored;
	char *second = strstr(line, " || ");
	if (!second)
		return command(p, front, line, err);
	*second = '\0';
	if (!nft) {
		int code = ensure_line(p, six, line, second + 4, &answer, err);
		if (answer != UNSURE)
			return code;
	}
	if (command(p, front, line, &ignored) == 0)
		return 0;
	return command(p, front, second + 4, err);
}

/* A device that addr_line made; one that is gone already is as good. */
static int remove_device(struct kernel_place *p, const char *dev)
{
	char batch[40];
	struct err ignored;
	const void *key;
	for (uint32_t i = 0; table_next(&p->made, &i, &key, NULL);) {
		if (strcmp(key, dev) != 0)
			continue;
		table_remove(&p->made, key);
		free((void *)(uintptr_t)key);
		break;
	}
	snprintf(batch, sizeof batch, "link del %s\n", dev);
	tool_ip(p->ns, batch, &ignored);
	return 0;
}

static int addr_line(struct kernel_place *p, char *line, struct err *err)
{
	char verb[8], address[NET_ADDR_TEXT], dev[16], batch[160];
	struct err ignored;
	if (sscanf(line, "del dev %15s", dev) == 1)
		return remove_device(p, dev);
	if (sscanf(line, "%7s %47s dev %15s", verb, address, dev) != 3)
		return err_set(err, EINVAL, "address change \"%s\": expected add|del ADDR/LEN dev DEV", line);
	bool add = strcmp(verb, "add") == 0, is_new;
	if (!add) {
		snprintf(batch, sizeof batch, "addr del %s dev %s\n", address, dev);
		tool_ip(p->ns, batch, &ignored); /* gone already is as good */
		return 0;
	}
	char *key = mem_strdup(dev);
	table_put(&p->made, key, &is_new);
	if (!is_new)
		free(key);
	/* A kernel without dummy devices: an empty bridge holds addresses as well. */
	static const char *const kinds[] = { "dummy", "bridge" };
	for (int i = 0; is_new && i < 2; i++) {
		snprintf(batch, sizeof batch, "link add %s type %s\n", dev, kinds[i]);
		if (tool_ip(p->ns, batch, &ignored) == 0)
			break;
	}
	snprintf(batch, sizeof batch, "addr replace %s dev %s\n", address, dev);
	return tool_ip(p->ns, batch, err);
}

/* What shall be raised and is the whole machine's stays as it is where a namespace may not
 * write it (nf_conntrack_max). */
static int sysctl_line(struct kernel_place *p, char *line, struct err *err)
{
	char *equals = strchr(line, '=');
	struct strbuf present = { 0 };
	if (!equals || equals == line)
		return err_set(err, EINVAL, "sysctl \"%s\": expected NAME=VALUE or NAME>=VALUE", line);
	bool at_least = equals[-1] == '>';
	equals[at_least ? -1 : 0] = '\0';
	int code = at_least ? tool_sysctl_read(p->ns, line, &present, err) : 0;
	bool enough = at_least && !code && atoll(strbuf_text(&present)) >= atoll(equals + 1);
	strbuf_free(&present);
	if (code || enough)
		return code;
	code = tool_sysctl(p->ns, line, equals + 1, err);
	return at_least && (code == EACCES || code == EPERM) ? 0 : code;
}

/* conntrack exits with 1 when nothing matched. */
static int run_conntrack(struct kernel_place *p, char *line, struct err *err)
{
	static const char *const front[] = { "conntrack", NULL };
	int code = command(p, front, line, err);
	return code == ENOENT ? code : 0;
}

static bool listed(const char *list, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || at[-1] == ',') && (at[length] == ',' || !at[length]))
			return true;
	return false;
}

/* "-D OPTIONS --reply-src-not IP,IP": conntrack(8) has no such option, so the entries are
 * listed, as kube-proxy does, and those that lead elsewhere deleted one by one. */
static int delete_unlisted(struct kernel_place *p, char *line, const char *keep, struct err *err)
{
	static const char *const front[] = { "conntrack", "-L", NULL };
	const char *words[WORDS_MAX] = { front[0], front[1] };
	struct strbuf found = { 0 };
	char *save = NULL, one[256];
	words_of(line + strlen("-D "), words, 2);
	struct tool_run run = { .ns = p->ns, .argv = words, .output = &found };
	int code = tool_run(&run, err);
	code = code == ENOENT ? code : 0;
	char *text = strbuf_steal(&found);
	for (char *row = strtok_r(text, "\n", &save); row && !code; row = strtok_r(NULL, "\n", &save)) {
		char src[NET_ADDR_TEXT], dst[NET_ADDR_TEXT], reply[NET_ADDR_TEXT];
		unsigned sport, dport;
		const char *tuple = strstr(row, "src="), *answer = tuple ? strstr(tuple + 4, "src=") : NULL;
		if (!answer ||
		    sscanf(tuple, "src=%47s dst=%47s sport=%u dport=%u", src, dst, &sport, &dport) != 4 ||
		    sscanf(answer, "src=%47s", reply) != 1 || listed(keep, reply))
			continue;
		snprintf(one, sizeof one, "-D -p udp -s %s -d %s --sport %u --dport %u", src, dst, sport,
			 dport);
		code = run_conntrack(p, one, err);
	}
	free(text);
	return code;
}

static int conntrack_line(struct kernel_place *p, char *line, struct err *err)
{
	static const char option[] = " --reply-src-not ";
	char *at = strstr(line, option);
	if (!at)
		return run_conntrack(p, line, err);
	*at = '\0';
	return delete_unlisted(p, line, at + strlen(option), err);
}

static int route_line(struct kernel_place *p, char *line, struct err *err)
{
	char batch[512];
	snprintf(batch, sizeof batch, "route %s\n", line);
	return tool_ip(p->ns, batch, err);
}

static int each_line(struct kernel_place *p, const struct transaction *t, const char *text,
		     bool nft, struct err *err)
{
	int code = 0;
	while (*text && !code) {
		size_t length = strcspn(text, "\n");
		char *line = strndup(text, length);
		if (line && length)
			switch (t->tool) {
			case TX_IPTABLES:
				code = xtables_line(p, false, nft, line, err);
				break;
			case TX_IP6TABLES:
				code = xtables_line(p, true, nft, line, err);
				break;
			case TX_ADDR:
				code = addr_line(p, line, err);
				break;
			case TX_SYSCTL:
				code = sysctl_line(p, line, err);
				break;
			case TX_CONNTRACK:
				code = conntrack_line(p, line, err);
				break;
			default:
				code = route_line(p, line, err);
			}
		free(line);
		text += length + (text[length] == '\n');
	}
	return code;
}

static int whole(struct kernel_place *p, const struct transaction *t, const struct strbuf *text,
		 bool nft, struct err *err)
{
	const char *const restore[] = { t->tool == TX_IPTABLES_RESTORE ? "iptables-nft-restore"
								       : "ip6tables-nft-restore",
					"-w", "5", "--noflush", "--counters", NULL };
	static const char *const nft_file[] = { "nft", "-f", "-", NULL };
	static const char *const ipset[] = { "ipset", "-exist", "restore", NULL };
	static const char *const ipvsadm[] = { "ipvsadm", "-R", NULL };
	bool xtables = t->tool == TX_IPTABLES_RESTORE || t->tool == TX_IP6TABLES_RESTORE;
	if (xtables && !nft)
		return restore_feed(p, t->tool == TX_IP6TABLES_RESTORE, strbuf_text(text), text->length, NULL, err);
	const char *const *argv = xtables ? restore : t->tool == TX_NFT ? nft_file
				  : t->tool == TX_IPSET ? ipset : ipvsadm;
	struct tool_run run = { .ns = p->ns, .argv = argv, .input = strbuf_text(text),
				.input_length = text->length };
	return tool_run(&run, err);
}

int kernel_load(struct executor *e, const char *place, const struct transaction *t,
		struct load_cost *cost, struct err *err)
{
	struct kernel_place *p = kernel_place(e, place);
	struct strbuf text = { 0 };
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	transaction_text(t, &text);
	int64_t began = wall();
	bool as_a_whole = t->tool == TX_IPTABLES_RESTORE || t->tool == TX_IP6TABLES_RESTORE ||
			  t->tool == TX_NFT || t->tool == TX_IPSET || t->tool == TX_IPVSADM;
	int code = as_a_whole ? whole(p, t, &text, e->xtables_nft, err)
			      : each_line(p, t, strbuf_text(&text), e->xtables_nft, err);
	int64_t took = wall() - began;
	uint64_t lines = 0;
	for (size_t i = 0; i < text.length; i++)
		lines += text.data[i] == '\n';
	*cost = (struct load_cost){ .rules = lines, .bytes = text.length, .charged_ns = took,
				    .wall_ns = took };
	strbuf_free(&text);
	return code;
}
