/* dns/corefile.c: see corefile.h. Words, quotes and imports are those of CoreDNS's
 * Caddyfile reader (coredns/caddy caddyfile/lexer.go, parse.go). */
#include "dns/corefile.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/strbuf.h"

#define TOKENS_MAX 100000u
#define IMPORTS_MAX 1000u
#define NESTING_MAX 16u

struct token {
	const char *text;
	int line, column;
	bool first; /* on its line */
};

struct tokens {
	struct token *items;
	uint32_t count, capacity;
};

struct snippet {
	const char *name;
	struct tokens body;
};

struct parser {
	struct arena *arena;
	const char *file;
	struct kube_map files;
	struct tokens tokens;
	uint32_t at;
	struct snippet *snippets;
	uint32_t snippet_count, imports;
	struct err *err;
};

/* ---- words ------------------------------------------------------------------- */

static void add_token(struct arena *a, struct tokens *t, const struct token *token)
{
	if (t->count == t->capacity) {
		uint32_t capacity = t->capacity ? t->capacity * 2 : 64;
		struct token *items = arena_array(a, capacity, sizeof *items);
		if (t->count)
			memcpy(items, t->items, t->count * sizeof *items);
		t->items = items;
		t->capacity = capacity;
	}
	t->items[t->count++] = *token;
}

/* Without references to environment variables, which are not known here. */
static const char *without_variables(struct arena *a, const char *text)
{
	static const char *const forms[][2] = { { "{%", "%}" }, { "{$", "}" } };
	for (unsigned i = 0; i < 2; i++) {
		const char *start, *end;
		while ((start = strstr(text, forms[i][0])) &&
		       (end = strstr(start, forms[i][1])) && end > start + 2)
			text = arena_printf(a, "%.*s%s", (int)(start - text), text,
					    end + strlen(forms[i][1]));
	}
	return text;
}

/* A quoted word at *p (behind the quote); moves *p behind the closing quote. */
static void take_quoted(const char **p, int *line, struct strbuf *word)
{
	const char *s = *p;
	for (; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1] == '"')
			s++;
		if (*s == '\n')
			(*line)++;
		strbuf_putc(word, *s);
	}
	*p = *s ? s + 1 : s;
}

static void split(struct arena *a, const char *text, struct tokens *out)
{
	struct strbuf word = { 0 };
	const char *line_start = text;
	int line = 1, last_line = 0;
	for (const char *p = text; *p && out->count < TOKENS_MAX;) {
		if (*p == '\n') {
			line++;
			line_start = p + 1;
		}
		if (isspace((unsigned char)*p)) {
			p++;
			continue;
		}
		if (*p == '#') {
			p += strcspn(p, "\n");
			continue;
		}
		struct token token = { .line = line, .column = (int)(p - line_start) + 1,
				       .first = line != last_line };
		strbuf_clear(&word);
		if (*p == '"') {
			p++;
			take_quoted(&p, &line, &word);
			for (const char *c = p; c > line_start && line != token.line; c--)
				if (c[-1] == '\n')
					line_start = c;
		} else {
			size_t length = strcspn(p, " \t\r\n\v\f");
			strbuf_add(&word, p, length);
			p += length;
		}
		token.text = without_variables(a, arena_strdup(a, strbuf_text(&word)));
		add_token(a, out, &token);
		last_line = line;
	}
	strbuf_free(&word);
}

/* ---- imports ------------------------------------------------------------------- */

static int fail(struct parser *p, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int fail(struct parser *p, int line, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_at(p->err, EINVAL, p->file, line, 0, "%s", text);
}

static bool is(const struct parser *p, const char *text)
{
	return p->at < p->tokens.count && strcmp(p->tokens.items[p->at].text, text) == 0;
}

/* What an import names: a snippet, or a file that is another key of the ConfigMap. */
static int find_import(struct parser *p, const char *name, int line, struct tokens *out)
{
	for (uint32_t i = 0; i < p->snippet_count; i++) {
		if (strcmp(p->snippets[i].name, name) == 0) {
			*out = p->snippets[i].body;
			return 0;
		}
	}
	if (strpbrk(name, "*?[")) /* patterns may match nothing */
		return 0;
	const char *base = strrchr(name, '/');
	const char *text = kube_map_get(&p->files, base ? base + 1 : name);
	if (!text)
		return fail(p, line, "File to import not found: %s", name);
	split(p->arena, text, out);
	return 0;
}

/* Replaces "import NAME" at the cursor by what it names. */
static int splice_import(struct parser *p)
{
	struct tokens body = { 0 };
	int line = p->tokens.items[p->at].line;
	uint32_t rest = p->at + 1;
	if (rest >= p->tokens.count || p->tokens.items[rest].first)
		return fail(p, line, "import: expected %s", "a snippet or file");
	if (rest + 1 < p->tokens.count && !p->tokens.items[rest + 1].first &&
	    strcmp(p->tokens.items[rest + 1].text, "}") != 0)
		return fail(p, line, "Import takes only one argument (%s)",
			    "glob pattern or file");
	int code = find_import(p, p->tokens.items[rest].text, line, &body);
	if (code)
		return code;
	if (++p->imports > IMPORTS_MAX || p->tokens.count + body.count > TOKENS_MAX)
		return fail(p, line, "import %s goes too deep", p->tokens.items[rest].text);
	struct tokens *t = &p->tokens;
	uint32_t tail = t->count - rest - 1;
	static const struct token none = { .text = "" };
	while (t->count < p->at + body.count + tail)
		add_token(p->arena, t, &none);
	memmove(t->items + p->at + body.count, t->items + rest + 1, tail * sizeof *t->items);
	if (body.count)
		memcpy(t->items + p->at, body.items, body.count * sizeof *t->items);
	t->count = p->at + body.count + tail;
	return 0;
}

/* ---- lines ----------------------------------------------------------------------- */

struct lines {
	struct corefile_line *items;
	uint32_t count, capacity;
};

static struct corefile_line *add_line(struct parser *p, struct lines *l)
{
	if (l->count == l->capacity) {
		uint32_t capacity = l->capacity ? l->capacity * 2 : 8;
		struct corefile_line *items = arena_array(p->arena, capacity, sizeof *items);
		if (l->count)
			memcpy(items, l->items, l->count * sizeof *items);
		l->items = items;
		l->capacity = capacity;
	}
	memset(&l->items[l->count], 0, sizeof *l->items);
	return &l->items[l->count++];
}

static void add_word(struct parser *p, struct corefile_line *line, const char *word)
{
	if ((line->count & (line->count + 1)) ==
	    0) { /* 0, 1, 3, 7 ... words: room for 1, 3, 7, 15 */
		const char **words = arena_array(p->arena, line->count * 2 + 1, sizeof *words);
		if (line->count)
			memcpy(words, line->words, line->count * sizeof *words);
		line->words = words;
	}
	line->words[line->count++] = word;
}

static int parse_lines(struct parser *p, unsigned depth, bool to_end, struct lines *out);

/* One line and its block; the cursor is on its first word. */
static int parse_line(struct parser *p, unsigned depth, struct lines *out)
{
	struct corefile_line line = { .line = p->tokens.items[p->at].line,
				      .column = p->tokens.items[p->at].column };
	add_word(p, &line, p->tokens.items[p->at++].text);
	while (p->at < p->tokens.count && !p->tokens.items[p->at].first && !is(p, "{") &&
	       !is(p, "}"))
		add_word(p, &line, p->tokens.items[p->at++].text);
	if (is(p, "{") && !p->tokens.items[p->at].first) {
		struct lines block = { 0 };
		p->at++;
		if (depth == NESTING_MAX)
			return fail(p, line.line, "%s: blocks go too deep", line.words[0]);
		int code = parse_lines(p, depth + 1, false, &block);
		if (code)
			return code;
		line.has_block = true;
		line.block = block.items;
		line.block_count = block.count;
	}
	*add_line(p, out) = line;
	return 0;
}

/* Lines up to the closing brace, or (to_end) to the end of the text. */
static int parse_lines(struct parser *p, unsigned depth, bool to_end, struct lines *out)
{
	int start = p->at ? p->tokens.items[p->at - 1].line : 1;
	while (p->at < p->tokens.count) {
		int code = 0;
		if (is(p, "}")) {
			if (to_end)
				return fail(p, p->tokens.items[p->at].line,
					    "Unexpected '%s' because no matching opening brace",
					    "}");
			p->at++;
			return 0;
		}
		if (is(p, "import"))
			code = splice_import(p);
		else if (is(p, "{"))
			code = fail(p, p->tokens.items[p->at].line,
				    "Unexpected '%s', expected a directive", "{");
		else
			code = parse_line(p, depth, out);
		if (code)
			return code;
	}
	return to_end ? 0 : fail(p, start, "Unexpected end of the file, expected '%s'", "}");
}

/* ---- server blocks ------------------------------------------------------------------ */

static int parse_keys(struct parser *p, struct corefile_line *keys)
{
	bool another = false;
	while (p->at < p->tokens.count) {
		struct token *t = &p->tokens.items[p->at];
		if (strcmp(t->text, "import") == 0 && t->first) {
			int code = splice_import(p);
			if (code)
				return code;
			continue;
		}
		if (strcmp(t->text, "{") == 0) {
			if (another)
				return fail(p, t->line,
					    "Expected another address but had '%s' - check for "
					    "extra comma", t->text);
			return 0;
		}
		if (keys->count && t->first && !another)
			return 0;
		size_t length = strlen(t->text);
		another = length && t->text[length - 1] == ',';
		if (length)
			add_word(p, keys, another ? arena_strndup(p->arena, t->text, length - 1) :
						    t->text);
		p->at++;
	}
	return another ? fail(p, 0, "Unexpected end of the file, expected %s", "another address")
		       : 0;
}

static int parse_snippet(struct parser *p, const char *key, int line)
{
	char *name = arena_strndup(p->arena, key + 1, strlen(key) - 2);
	struct snippet *s = arena_array(p->arena, p->snippet_count + 1, sizeof *s);
	for (uint32_t i = 0; i < p->snippet_count; i++) {
		s[i] = p->snippets[i];
		if (strcmp(s[i].name, name) == 0)
			return fail(p, line, "redeclaration of previously declared snippet %s",
				    name);
	}
	unsigned depth = 1;
	s[p->snippet_count].name = name;
	for (p->at++; p->at < p->tokens.count; p->at++) {
		depth += is(p, "{");
		depth -= is(p, "}");
		if (!depth)
			break;
		add_token(p->arena, &s[p->snippet_count].body, &p->tokens.items[p->at]);
	}
	if (depth)
		return fail(p, line, "Unexpected end of the file, expected '%s'", "}");
	p->at++;
	p->snippets = s;
	p->snippet_count++;
	return 0;
}

static int parse_server(struct parser *p, struct corefile *out)
{
	struct corefile_line keys = { 0 };
	struct lines lines = { 0 };
	int line = p->tokens.items[p->at].line, code = parse_keys(p, &keys);
	if (code || !keys.count)
		return code ? code : p->at < p->tokens.count && is(p, "{") ?
			      fail(p, line, "Unexpected '%s', expected a zone", "{") : 0;
	const char *key = keys.words[0];
	bool braced = is(p, "{");
	if (keys.count == 1 && key[0] == '(' && key[strlen(key) - 1] == ')' && strlen(key) > 2) {
		if (!braced)
			return fail(p, line, "%s: expected '{'", key);
		return parse_snippet(p, key, line);
	}
	if (braced)
		p->at++;
	code = parse_lines(p, 0, !braced, &lines);
	if (code)
		return code;
	struct corefile_server *servers = arena_array(p->arena, out->server_count + 1,
						      sizeof *servers);
	if (out->server_count)
		memcpy(servers, out->servers, out->server_count * sizeof *servers);
	servers[out->server_count] = (struct corefile_server){ keys.words, keys.count, line,
							       lines.items, lines.count };
	out->servers = servers;
	out->server_count++;
	return 0;
}

static int parse(struct arena *a, const char *text, const char *file, struct kube_map files,
		 struct corefile **out, struct err *err)
{
	struct parser p = { .arena = a, .file = file, .files = files, .err = err };
	struct corefile *c = arena_alloc(a, sizeof *c);
	c->file = file;
	c->files = files;
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	split(a, text, &p.tokens);
	while (p.at < p.tokens.count) {
		int code = parse_server(&p, c);
		if (code)
			return code;
	}
	*out = c;
	return 0;
}

/* ---- entry points ---------------------------------------------------------------------- */

const char *corefile_kubeadm(struct arena *a, const char *domain)
{
	return arena_printf(a,
			    ".:53 {\n"
			    "    errors\n"
			    "    health {\n"
			    "       lameduck 5s\n"
			    "    }\n"
			    "    ready\n"
			    "    kubernetes %s in-addr.arpa ip6.arpa {\n"
			    "       pods insecure\n"
			    "       fallthrough in-addr.arpa ip6.arpa\n"
			    "       ttl 30\n"
			    "    }\n"
			    "    prometheus :9153\n"
			    "    forward . /etc/resolv.conf {\n"
			    "       max_concurrent 1000\n"
			    "    }\n"
			    "    cache 30 {\n"
			    "       disable success %s\n"
			    "       disable denial %s\n"
			    "    }\n"
			    "    loop\n"
			    "    reload\n"
			    "    loadbalance\n"
			    "}\n",
			    domain, domain, domain);
}

int corefile_parse(struct arena *a, const char *text, const char *file, struct corefile **out,
		   struct err *err)
{
	return parse(a, text, file, (struct kube_map){ 0 }, out, err);
}

int corefile_from_config_map(struct arena *a, const struct kube_config_map *map,
			     const char *domain, struct corefile **out, struct err *err)
{
	if (!map)
		return corefile_parse(a, corefile_kubeadm(a, domain), "kubeadm's Corefile", out,
				      err);
	const char *text = kube_map_get(&map->data, "Corefile");
	const char *where = map->object.file ? map->object.file : "ConfigMap kube-system/coredns";
	if (!text)
		return err_at(err, EINVAL, where, map->object.line, 0,
			      "ConfigMap kube-system/coredns has no key Corefile");
	struct kube_map files = { arena_array(a, map->data.count + 1, sizeof *files.items),
				  map->data.count };
	for (uint32_t i = 0; i < files.count; i++)
		files.items[i] = (struct kube_pair){ arena_strdup(a, map->data.items[i].key),
						     arena_strdup(a, map->data.items[i].value) };
	return parse(a, text,
		     arena_printf(a, "%s (ConfigMap kube-system/coredns): Corefile", where), files,
		     out, err);
}

/* ---- comparing ---------------------------------------------------------------------------- */

static bool same_words(const char **a, uint32_t a_count, const char **b, uint32_t b_count)
{
	for (uint32_t i = 0; a_count == b_count && i < a_count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return a_count == b_count;
}

static bool same_lines(const struct corefile_line *a, uint32_t a_count,
		       const struct corefile_line *b, uint32_t b_count)
{
	for (uint32_t i = 0; a_count == b_count && i < a_count; i++)
		if (!same_words(a[i].words, a[i].count, b[i].words, b[i].count) ||
		    a[i].has_block != b[i].has_block ||
		    !same_lines(a[i].block, a[i].block_count, b[i].block, b[i].block_count))
			return false;
	return a_count == b_count;
}

bool corefile_equal(const struct corefile *a, const struct corefile *b)
{
	if (a->server_count != b->server_count)
		return false;
	for (uint32_t i = 0; i < a->server_count; i++) {
		const struct corefile_server *x = &a->servers[i], *y = &b->servers[i];
		if (!same_words(x->keys, x->key_count, y->keys, y->key_count) ||
		    !same_lines(x->directives, x->directive_count, y->directives,
				y->directive_count))
			return false;
	}
	return true;
}
