/* world/routes_text.c: see routes_text.h. */
#include "world/routes_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/strbuf.h"

static bool is_kind(const char *word)
{
	static const char *const kinds[] = { "unicast", "local", "broadcast", "multicast", "blackhole",
					     "unreachable", "prohibit", "throw", "anycast", "nat" };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(word, kinds[i]) == 0)
			return true;
	return false;
}

/* Words without a value; all others have one. */
static bool is_flag(const char *word)
{
	return strcmp(word, "onlink") == 0 || strcmp(word, "linkdown") == 0 ||
	       strcmp(word, "pervasive") == 0 || strcmp(word, "dead") == 0;
}

static int words(struct text_route *r, char **save, const char *file, int line, struct err *err)
{
	for (char *word = strtok_r(NULL, " \t", save); word; word = strtok_r(NULL, " \t", save)) {
		if (is_flag(word))
			continue;
		const char *value = strtok_r(NULL, " \t", save);
		if (!value)
			return err_at(err, EINVAL, file, line, 0, "route: \"%s\" lacks its value", word);
		if (strcmp(word, "via") == 0) {
			if (strcmp(value, "inet6") == 0 || strcmp(value, "inet") == 0)
				value = strtok_r(NULL, " \t", save);
			if (!value || !net_addr_parse(value, &r->via))
				return err_at(err, EINVAL, file, line, 0,
					      "route: via \"%s\": expected an address",
					      value ? value : "");
		} else if (strcmp(word, "dev") == 0) {
			if (strlen(value) >= sizeof r->dev)
				return err_at(err, EINVAL, file, line, 0,
					      "route: device name \"%s\" is over 15 letters", value);
			snprintf(r->dev, sizeof r->dev, "%s", value);
		} else if (strcmp(word, "src") == 0 && !net_addr_parse(value, &r->src)) {
			return err_at(err, EINVAL, file, line, 0,
				      "route: src \"%s\": expected an address", value);
		}
	}
	return 0;
}

/* `*keep` is false for a route that the model has by itself. */
static int parse_line(char *text, const char *file, int line, struct text_route *r, bool *keep,
		      struct err *err)
{
	char *save = NULL, *word = strtok_r(text, " \t", &save);
	*r = (struct text_route){ .kind = "unicast" };
	*keep = false;
	if (!word || *word == '#')
		return 0;
	if (is_kind(word)) {
		snprintf(r->kind, sizeof r->kind, "%s", word);
		word = strtok_r(NULL, " \t", &save);
	}
	bool everywhere = word && strcmp(word, "default") == 0;
	if (!word || (!everywhere && !net_prefix_parse(word, &r->dst)))
		return err_at(err, EINVAL, file, line, 1,
			      "\"%s\" is no line of ip route: expected a prefix or default",
			      word ? word : "");
	int code = words(r, &save, file, line, err);
	if (everywhere)
		r->dst.addr.family = r->via.family == NET_V6 ? NET_V6 : NET_V4;
	*keep = strcmp(r->kind, "local") != 0 && strcmp(r->kind, "broadcast") != 0 &&
		strcmp(r->kind, "multicast") != 0 && strcmp(r->kind, "anycast") != 0 &&
		strcmp(r->dev, "lo") != 0;
	return code;
}

static void command(const struct text_route *r, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	strbuf_printf(out, "add %s%s%s", strcmp(r->kind, "unicast") == 0 ? "" : r->kind,
		      strcmp(r->kind, "unicast") == 0 ? "" : " ",
		      r->dst.bits ? net_prefix_text(&r->dst, text)
				  : r->dst.addr.family == NET_V6 ? "::/0" : "0.0.0.0/0");
	if (r->via.family != NET_NONE)
		strbuf_printf(out, " via %s", net_addr_text(&r->via, text));
	if (r->dev[0])
		strbuf_printf(out, " dev %s", r->dev);
	if (r->src.family != NET_NONE)
		strbuf_printf(out, " src %s", net_addr_text(&r->src, text));
	strbuf_putc(out, '\n');
}

int routes_parse(const char *text, size_t length, const char *file, struct text_routes *out,
		 struct err *err)
{
	struct strbuf commands = { 0 };
	uint32_t capacity = 0;
	int line = 0, code = 0;
	*out = (struct text_routes){ 0 };
	for (size_t at = 0; at < length && !code;) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t n = end ? (size_t)(end - text) - at : length - at;
		struct text_route r;
		bool keep;
		char *copy = strndup(text + at, n);
		code = copy ? parse_line(copy, file, ++line, &r, &keep, err) : ENOMEM;
		free(copy);
		at += n + 1;
		if (code || !keep)
			continue;
		if (out->count == capacity) {
			uint32_t want = capacity ? capacity * 2 : 16;
			out->items = mem_grow(out->items, capacity, want, sizeof *out->items);
			capacity = want;
		}
		out->items[out->count++] = r;
		command(&r, &commands);
	}
	out->text = strbuf_steal(&commands);
	if (code)
		routes_free(out);
	return code;
}

void routes_free(struct text_routes *r)
{
	free(r->items);
	free(r->text);
	*r = (struct text_routes){ 0 };
}

const struct text_route *routes_find(const struct text_routes *r, const struct net_addr *a)
{
	const struct text_route *best = NULL;
	for (uint32_t i = 0; i < r->count; i++) {
		const struct text_route *t = &r->items[i];
		if (t->dst.addr.family != a->family || !net_prefix_contains(&t->dst, a))
			continue;
		if (!best || t->dst.bits > best->dst.bits)
			best = t;
	}
	return best;
}

const char *routes_uplink(const struct text_routes *r, const struct net_addr *node_ip)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (r->items[i].src.family != NET_NONE && r->items[i].dev[0] &&
		    net_addr_equal(&r->items[i].src, node_ip))
			return r->items[i].dev;
	for (uint32_t i = 0; i < r->count; i++)
		if (r->items[i].dst.bits == 0 && r->items[i].dev[0])
			return r->items[i].dev;
	return "eth0";
}
