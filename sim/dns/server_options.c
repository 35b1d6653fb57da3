/* dns/server_options.c: words of a Corefile read as zones, numbers, selectors. */
#include "dns/server_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONES_MAX 4096u

int setup_error(const struct setup *s, const struct corefile_line *line, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_at(s->err, EINVAL, s->corefile->file, line ? line->line : s->block->line,
		      line ? line->column : 0, "%s%s%s", line ? line->words[0] : "", line ? ": " : "", text);
}

/* ---- zones -------------------------------------------------------------------- */

static int add_zone(const struct setup *s, const struct dns_name *name, struct dns_names *out)
{
	struct arena *a = s->server->config;
	if (out->count >= ZONES_MAX)
		return E2BIG;
	if ((out->count & (out->count + 1)) == 0) {
		struct dns_name *items = arena_array(a, out->count * 2 + 1, sizeof *items);
		if (out->count)
			memcpy(items, out->items, out->count * sizeof *items);
		out->items = items;
	}
	out->items[out->count] = *name;
	dns_name_lower(&out->items[out->count++]);
	return 0;
}

/* The reverse zones of a prefix, cut at whole octets (IPv4) or nibbles (IPv6). */
static int add_prefix(const struct setup *s, const struct net_prefix *given, struct dns_names *out)
{
	struct net_prefix p = net_prefix_masked(given);
	unsigned step = p.addr.family == NET_V4 ? 8 : 4;
	unsigned bits = (p.bits + step - 1) / step * step;
	unsigned count = 1u << (bits - p.bits);
	for (unsigned i = 0; i < count; i++) {
		struct net_addr at = p.addr;
		struct dns_name name;
		if (bits)
			at.bytes[(bits - 1) / 8] |=
				(uint8_t)(i << (bits % 8 ? 8 - bits % 8 : 0));
		dns_name_reverse(&at, &name);
		for (unsigned drop = net_family_bits(p.addr.family); drop > bits; drop -= step)
			dns_name_parent(&name);
		int code = add_zone(s, &name, out);
		if (code)
			return code;
	}
	return 0;
}

/* Cuts ":PORT" off the end; "dns://" off the front. */
static char *cut_port(struct arena *a, const char *word, uint16_t *port)
{
	if (strncmp(word, "dns://", 6) == 0)
		word += 6;
	char *text = arena_strdup(a, word), *colon = strrchr(text, ':');
	*port = 0;
	if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
	    strlen(colon + 1) < 6) {
		*port = (uint16_t)atoi(colon + 1);
		*colon = 0;
	}
	return text;
}

int setup_zone(const struct setup *s, int line, const char *word, struct dns_names *out,
	       uint16_t *port)
{
	struct corefile_line where = { .words = (const char *[]){ "zone" }, .count = 1,
				       .line = line };
	struct net_prefix prefix;
	struct dns_name name;
	int code;
	if (strstr(word, "://") && strncmp(word, "dns://", 6) != 0)
		return setup_error(s, &where, "%s: only dns:// is answered here", word);
	char *text = cut_port(s->server->config, word, port);
	if (strchr(text, '/') && net_prefix_parse(text, &prefix))
		code = add_prefix(s, &prefix, out);
	else if (dns_name_parse(text[0] ? text : ".", &name))
		code = add_zone(s, &name, out);
	else
		return setup_error(s, &where, "%s is not a valid domain name", word);
	return code ? setup_error(s, &where, "%s makes more than %u zones", word, ZONES_MAX) : 0;
}

int setup_zones(const struct setup *s, const struct corefile_line *line, uint32_t first,
		struct dns_names *out)
{
	uint16_t port;
	*out = (struct dns_names){ 0 };
	const char *const *words = first < line->count ? line->words + first :
							 (const char *const *)s->block->keys;
	uint32_t count = first < line->count ? line->count - first : s->block->key_count;
	for (uint32_t i = 0; i < count; i++) {
		int code = setup_zone(s, line->line, words[i], out, &port);
		if (code)
			return code;
	}
	return 0;
}

int setup_fallthrough(const struct setup *s, const struct corefile_line *line,
		      struct dns_names *out)
{
	static const struct dns_name root = { .length = 1 };
	*out = (struct dns_names){ 0 };
	if (line->count > 1)
		return setup_zones(s, line, 1, out);
	return add_zone(s, &root, out);
}

int setup_flag(const struct setup *s, const struct corefile_line *line, bool *flag)
{
	*flag = true;
	return line->count == 1 ? 0 : setup_error(s, line, "takes no argument");
}

/* ---- numbers -------------------------------------------------------------------- */

int setup_number(const struct setup *s, const struct corefile_line *line, uint32_t word,
		 int64_t low, int64_t high, int64_t *out)
{
	char *end = NULL;
	const char *text = word < line->count ? line->words[word] : "";
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (!*text || *end || errno || value < low || value > high)
		return setup_error(s, line, "'%s', expected a number of %lld to %lld", text,
				   (long long)low, (long long)high);
	*out = value;
	return 0;
}

int setup_duration(const struct setup *s, const struct corefile_line *line, uint32_t word,
		   int64_t *out_ns)
{
	const char *text = word < line->count ? line->words[word] : "";
	if (!kube_duration_parse(text, out_ns) || *out_ns < 0)
		return setup_error(s, line, "'%s', expected a duration like 5s", text);
	return 0;
}

/* ---- label selectors -------------------------------------------------------------- */

/* A word of a selector at *p: up to a blank or one of "=!,()". */
static const char *selector_word(struct arena *a, const char **p)
{
	*p += strspn(*p, " \t");
	size_t length = strcspn(*p, " \t=!,()");
	const char *word = arena_strndup(a, *p, length);
	*p += length;
	*p += strspn(*p, " \t");
	return word;
}

static bool selector_values(struct arena *a, const char **p, struct kube_strings *out)
{
	if (**p != '(')
		return false;
	do {
		const char **items = arena_array(a, out->count + 1, sizeof *items);
		(*p)++;
		if (out->count)
			memcpy(items, out->items, out->count * sizeof *items);
		items[out->count++] = selector_word(a, p);
		out->items = items;
	} while (**p == ',');
	if (**p != ')')
		return false;
	(*p)++;
	*p += strspn(*p, " \t");
	return true;
}

/* One requirement: KEY, !KEY, KEY=V, KEY==V, KEY!=V, KEY in (V,...), KEY notin (...). */
static bool selector_term(struct arena *a, const char **p, struct kube_selector_requirement *r)
{
	bool negated = false;
	*p += strspn(*p, " \t");
	if (**p == '!') {
		negated = true;
		(*p)++;
	}
	r->key = selector_word(a, p);
	r->op = negated ? "DoesNotExist" : "Exists";
	if (!r->key[0])
		return false;
	if (negated || !**p || **p == ',')
		return true;
	bool not_equal = **p == '!' && (*p)[1] == '=';
	if (not_equal || **p == '=') {
		*p += not_equal ? 2 : strspn(*p, "=");
		const char **value = arena_array(a, 1, sizeof *value);
		value[0] = selector_word(a, p);
		r->op = not_equal ? "NotIn" : "In";
		r->values = (struct kube_strings){ value, 1 };
		return true;
	}
	const char *op = selector_word(a, p);
	if (strcmp(op, "in") != 0 && strcmp(op, "notin") != 0)
		return false;
	r->op = op[0] == 'i' ? "In" : "NotIn";
	return selector_values(a, p, &r->values);
}

int setup_selector(const struct setup *s, const struct corefile_line *line,
		   struct kube_selector *out)
{
	struct arena *a = s->server->config;
	const char *text = "";
	for (uint32_t i = 1; i < line->count; i++)
		text = arena_printf(a, i > 1 ? "%s %s" : "%s%s", text, line->words[i]);
	const char *p = text;
	if (line->count < 2)
		return setup_error(s, line, "expected a label selector");
	memset(out, 0, sizeof *out);
	out->set = true;
	uint32_t most = 1;
	for (const char *c = text; *c; c++)
		most += *c == ',';
	out->expressions.items = arena_array(a, most, sizeof *out->expressions.items);
	for (;;) {
		if (!selector_term(a, &p, &out->expressions.items[out->expressions.count++]) ||
		    (*p && *p != ','))
			return setup_error(s, line, "'%s' is not a label selector", text);
		if (!*p)
			return 0;
		p++;
	}
}
