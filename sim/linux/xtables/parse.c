/* linux/xtables/parse.c: one rule's words into records.
 *
 * Grammar and messages are those of iptables 1.8.9: general options, then the
 * options of the extensions named so far, newest first; "-p tcp --dport" loads the
 * match of the protocol by itself. What no extension knows after "-m NAME" of an
 * unknown match is kept as its text.
 */
#include "linux/xtables/internal.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

int xt_complain(struct xt_parse *p, const char *fmt, ...)
{
	char text[480];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!p->file)
		return err_set(p->err, EINVAL, "%s v" XT_VERSION " (legacy): %s",
			       p->x->family == NET_V6 ? "ip6tables" : "iptables", text);
	return err_at(p->err, EINVAL, p->file, p->line, complaint_column(p), "%s", text);
}

int complaint_column(const struct xt_parse *p)
{
	if (p->at == XT_NOWHERE)
		return p->column;
	if (!p->count)
		return 1;
	return p->tokens[p->at < p->count ? p->at : p->count - 1].column;
}

struct xt_parse *parse_new(struct xt_ruleset *x)
{
	struct xt_parse *p = mem_alloc(sizeof *p);
	p->x = x;
	p->builds = mem_array(XT_MATCHES + 1, sizeof *p->builds);
	return p;
}

void parse_free(struct xt_parse *p)
{
	free(p->builds);
	free(p->text);
	free(p);
}

static int token_end(struct xt_parse *p, char *start, char *end, uint32_t column, bool quoted)
{
	*end = '\0';
	if (p->count == XT_TOKENS)
		return xt_complain(p, "Parser cannot handle more arguments");
	p->tokens[p->count++] = (struct xt_token){ start, (uint16_t)column, quoted };
	return 0;
}

int parse_tokens(struct xt_parse *p, const char *line, size_t length, uint32_t column)
{
	bool open = false, escaped = false, quoted = false, any = false;
	uint32_t begun = 0;
	if (p->text_size < length + 2) {
		free(p->text);
		p->text_size = length + 256;
		p->text = mem_alloc(p->text_size);
	}
	char *to = p->text, *start = to;
	p->count = p->at = 0;
	for (size_t i = 0; i <= length; i++) {
		char c = i < length ? line[i] : ' ';
		if (i == length && open)
			return xt_complain(p, "quote is not closed");
		if (open && escaped) {
			escaped = false;
		} else if (open && c == '\\') {
			escaped = true;
			continue;
		} else if (c == '"') {
			if (!any)
				begun = column + (uint32_t)i;
			any = quoted = true;
			open = !open;
			if (open)
				continue;
			c = ' ';
		}
		if (!open && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
			if (!any)
				continue;
			if (token_end(p, start, to++, begun, quoted))
				return EINVAL;
			start = to;
			any = quoted = false;
			continue;
		}
		if (c == '\0' || c == '\n')
			return xt_complain(p, "a word may not hold a line end or a zero byte");
		if (!any)
			begun = column + (uint32_t)i;
		any = true;
		if (to - start >= (ptrdiff_t)XT_TOKEN_BYTES - 1)
			return xt_complain(p, "Parameter too long!");
		*to++ = c;
	}
	return 0;
}

/* --- options */

struct general {
	const char *name;
	char letter;
};

static const struct general generals[] = {
	{ "protocol", 'p' }, { "proto", 'p' }, { "source", 's' }, { "src", 's' },
	{ "destination", 'd' }, { "dst", 'd' }, { "in-interface", 'i' },
	{ "out-interface", 'o' }, { "fragment", 'f' }, { "match", 'm' }, { "jump", 'j' },
	{ "goto", 'g' }, { "set-counters", 'c' }, { "ipv4", '4' }, { "ipv6", '6' },
};

struct word { /* an option as read from the tokens */
	const char *name;  /* without dashes; of a short one its letter */
	size_t length;
	const char *value; /* glued with "=" or to the letter, or NULL */
	bool is_long;
};

static int read_word(struct xt_parse *p, struct word *w)
{
	const char *t = p->tokens[p->at].text;
	if ((t[0] != '-' || !t[1]) && !p->file) /* iptables prints no name here */
		return err_set(p->err, EINVAL, "Bad argument `%s'", t);
	if (t[0] != '-' || !t[1])
		return xt_complain(p, "Bad argument `%s', expected an option", t);
	w->is_long = t[1] == '-';
	w->name = t + (w->is_long ? 2 : 1);
	if (!w->is_long) {
		w->length = 1;
		w->value = t[2] ? t + 2 : NULL;
		return 0;
	}
	const char *equals = strchr(w->name, '=');
	w->length = equals ? (size_t)(equals - w->name) : strlen(w->name);
	w->value = equals ? equals + 1 : NULL;
	return 0;
}

static bool same_name(const char *name, const struct word *w)
{
	return strncmp(name, w->name, w->length) == 0 && name[w->length] == '\0';
}

static char general_letter(const struct word *w)
{
	if (!w->is_long)
		return strchr("psdiofmjgc46", w->name[0]) ? w->name[0] : '\0';
	for (unsigned i = 0; i < sizeof generals / sizeof *generals; i++)
		if (same_name(generals[i].name, w))
			return generals[i].letter;
	return '\0';
}

/* The next token as a value. */
static int next_value(struct xt_parse *p, const struct word *w, const char **value)
{
	if (w->value) {
		*value = w->value;
		return 0;
	}
	if (p->at + 1 >= p->count)
		return xt_complain(p, "option \"%s%.*s\" requires an argument",
				   w->is_long ? "--" : "-", (int)w->length, w->name);
	*value = p->tokens[++p->at].text;
	return 0;
}

static struct xt_build *build_new(struct xt_parse *p, const struct xt_extension *ext,
				  uint8_t kind)
{
	if (p->build_count == XT_MATCHES + 1) {
		xt_complain(p, "more than %u matches in one rule", XT_MATCHES);
		return NULL;
	}
	struct xt_build *b = &p->builds[p->build_count++];
	b->ext = ext;
	b->seen = 0;
	b->column = p->tokens[p->at].column;
	memset(&b->u, 0, ext ? ext->size : sizeof(struct xt_text) + 1);
	b->u.head.kind = kind;
	b->u.head.size = ext ? ext->size : sizeof(struct xt_text) + 1;
	if (ext && ext->init)
		ext->init(&b->u.head);
	return b;
}

bool build_text(struct xt_build *b, uint16_t offset, const char *text, size_t max)
{
	size_t length = strlen(text);
	if (length > max || offset + length + 1 > XT_BUILD_BYTES)
		return false;
	memcpy(b->u.bytes + offset, text, length + 1);
	b->u.head.size = (uint16_t)(offset + length + 1);
	return true;
}

/* --- unknown constructs */

static bool unknown_add(struct xt_build *b, const char *text, bool quoted)
{
	struct strbuf s = { 0 };
	strbuf_puts(&s, (char *)b->u.bytes + sizeof(struct xt_text));
	if (s.length)
		strbuf_putc(&s, ' ');
	if (quoted) {
		strbuf_putc(&s, '"');
		for (const char *c = text; *c; c++) {
			if (strchr("\"\\'", *c))
				strbuf_putc(&s, '\\');
			strbuf_putc(&s, *c);
		}
		strbuf_putc(&s, '"');
	} else {
		strbuf_puts(&s, text);
	}
	bool ok = build_text(b, sizeof(struct xt_text), strbuf_text(&s),
			     XT_BUILD_BYTES - sizeof(struct xt_text) - 1);
	strbuf_free(&s);
	return ok;
}

static struct xt_build *unknown_last(struct xt_parse *p)
{
	for (uint32_t i = p->build_count; i-- > 0;)
		if (!p->builds[i].ext)
			return &p->builds[i];
	return NULL;
}

static int unknown_begin(struct xt_parse *p, const char *name, uint8_t kind)
{
	struct xt_build *b = build_new(p, NULL, kind);
	if (!b)
		return EINVAL;
	if (!p->unknown_column)
		p->unknown_column = b->column;
	return unknown_add(b, name, false) ? 0 : xt_complain(p, "Parameter too long!");
}

/* The option and the plain words after it belong to the unknown extension. */
static int unknown_option(struct xt_parse *p, struct xt_build *b, bool invert)
{
	bool ok = !invert || unknown_add(b, "!", false);
	ok = ok && unknown_add(b, p->tokens[p->at].text, p->tokens[p->at].quoted);
	while (ok && p->at + 1 < p->count) {
		const struct xt_token *t = &p->tokens[p->at + 1];
		if (!t->quoted && (t->text[0] == '-' || strcmp(t->text, "!") == 0))
			break;
		ok = unknown_add(b, t->text, t->quoted);
		p->at++;
	}
	return ok ? 0 : xt_complain(p, "unknown construct is too long");
}

/* --- general options */

static int rule_networks(struct xt_parse *p, const char *value, bool src, bool invert)
{
	struct xt_header6 *h = &p->header;
	uint8_t bits = p->x->family == NET_V6 ? 16 : 4;
	struct net_prefix *list = src ? p->sources : p->destinations;
	uint32_t *count = src ? &p->source_count : &p->destination_count;
	char one[128];
	*count = 0;
	for (const char *s = value;; s++) {
		size_t n = strcspn(s, ",");
		if (n >= sizeof one || *count == 16)
			return xt_complain(p, "too many addresses in `%s'", value);
		memcpy(one, s, n);
		one[n] = '\0';
		uint8_t addr[16] = { 0 }, mask[16] = { 0 };
		if (!parse_network(one, p->x->family, addr, mask))
			return xt_complain(p, "host/network `%s' not found", one);
		if (*count == 0) {
			memcpy(src ? h->src : h->dst, addr, bits);
			memcpy(src ? h->src_mask : h->dst_mask, mask, bits);
		}
		int length = mask_bits(mask, p->x->family);
		if (s[n] == ',' || *count) {
			if (length < 0)
				return xt_complain(p, "mask of `%s' has holes, expected a length",
						   one);
			if (invert)
				return xt_complain(p, "! not allowed with multiple source or "
						      "destination IP addresses");
		}
		list[*count].addr = addr_from(addr, p->x->family);
		list[(*count)++].bits = (uint8_t)(length < 0 ? 0 : length);
		s += n;
		if (!*s)
			break;
	}
	if (invert)
		h->head.invert |= src ? XT_INV_SRC : XT_INV_DST;
	return 0;
}

static int rule_iface(struct xt_parse *p, const char *value, char *name, bool *has)
{
	if (!value[0])
		return xt_complain(p, "Empty interface is likely to be undesired");
	if (strlen(value) >= XT_IFNAME || !plain_word(value) || strchr(value, '/'))
		return xt_complain(p, "interface name `%s' must be shorter than %u characters, "
				   "without blanks and slashes", value, XT_IFNAME);
	strcpy(name, strcmp(value, "+") == 0 ? "" : value);
	*has = true;
	return 0;
}

static int rule_match(struct xt_parse *p, const char *name, bool invert)
{
	if (invert)
		return xt_complain(p, "unexpected ! flag before --match");
	const struct xt_extension *ext = extension_match(name, p->x->family);
	if (ext && ext->tables && !strstr(ext->tables, p->table->name))
		return xt_complain(p, "%s works in tables %s only, this is table %s", name,
				   ext->tables, p->table->name);
	if (ext)
		return build_new(p, ext, ext->kind) ? 0 : EINVAL;
	if (!plain_word(name) || *name == '-' || strlen(name) >= XT_NAME)
		return xt_complain(p, "Couldn't load match `%s':No such file or directory", name);
	char text[XT_NAME + 8];
	snprintf(text, sizeof text, "-m %s", name);
	return unknown_begin(p, text, XT_M_UNKNOWN);
}

static int rule_target(struct xt_parse *p, const char *name, bool is_goto, bool invert)
{
	const char *known = is_goto ? "--goto" : "--jump";
	if (invert)
		return xt_complain(p, "unexpected ! flag before %s", known);
	if (p->has_target)
		return xt_complain(p, "multiple -%c flags not allowed", is_goto ? 'g' : 'j');
	if (!plain_word(name) || strlen(name) >= XT_NAME)
		return xt_complain(p, "Invalid target name `%s' (%u chars max)", name, XT_NAME - 1);
	p->has_target = true;
	p->is_goto = is_goto;
	const struct xt_extension *ext = extension_target(name, p->x->family);
	if (ext && is_goto)
		return xt_complain(p, "goto '%s' is not a chain", name);
	p->target = (int)p->build_count;
	if (ext) {
		if (ext->tables && !strstr(ext->tables, p->table->name))
			return xt_complain(p, "%s works in table %s only, this is table %s",
					   name, ext->tables, p->table->name);
		return build_new(p, ext, ext->kind) ? 0 : EINVAL;
	}
	p->jump = table_chain(p->table, name);
	if (p->jump && p->jump->hook >= 0)
		return xt_complain(p, "`%s' is a built-in chain, expected a chain made with -N",
				   name);
	if (p->jump) {
		p->target = -1;
		return 0;
	}
	if (is_goto)
		return xt_complain(p, "goto '%s' is not a chain", name);
	/* A target with options is one of iptables that svclab does not know; a bare name
	 * that no chain has is what iptables could not load either. */
	bool options = p->at + 1 < p->count && p->tokens[p->at + 1].text[0] == '-' &&
		       p->tokens[p->at + 1].text[1] == '-' && !p->tokens[p->at + 1].quoted;
	if (!options && !extension_is_foreign_target(name))
		return xt_complain(p, "Couldn't load target `%s':No such file or directory", name);
	char text[XT_NAME + 8];
	snprintf(text, sizeof text, "-j %s", name);
	return unknown_begin(p, text, XT_T_UNKNOWN);
}

static int rule_proto(struct xt_parse *p, const char *value, bool invert)
{
	uint8_t proto;
	if (p->has_proto)
		return xt_complain(p, "multiple -p flags not allowed");
	if (!parse_proto(value, &proto))
		return xt_complain(p, "unknown protocol \"%s\" specified", value);
	if (invert && proto == 0)
		return xt_complain(p, "rule would never match protocol");
	p->has_proto = true;
	p->header.head.flags = (p->header.head.flags & ~XT_PROTO) | proto;
	if (invert)
		p->header.head.invert |= XT_INV_PROTO;
	return 0;
}

static int rule_counters(struct xt_parse *p, const char *packets)
{
	if (p->at + 1 >= p->count)
		return xt_complain(p, "-c requires packet and byte counter");
	const char *bytes = p->tokens[++p->at].text;
	if (!parse_u32(packets, UINT64_MAX, &p->packets))
		return xt_complain(p, "-c packet counter not numeric");
	if (!parse_u32(bytes, UINT64_MAX, &p->bytes))
		return xt_complain(p, "-c byte counter not numeric");
	return 0;
}

static int rule_general(struct xt_parse *p, char letter, const struct word *w, bool invert)
{
	const char *value = NULL;
	struct xt_header6 *h = &p->header;
	if (letter == '4' || letter == '6') {
		if ((letter == '6') == (p->x->family == NET_V6))
			return 0;
		return xt_complain(p, "rule of the other family, expected -%c",
				   letter == '4' ? '6' : '4');
	}
	if (letter == 'f') {
		if (p->x->family == NET_V6)
			return xt_complain(p, "`-f' is not supported in IPv6, use -m frag "
					      "instead");
		p->fragment = true;
		h->head.invert |= invert ? XT_INV_FRAGMENT : 0;
		return 0;
	}
	if (next_value(p, w, &value))
		return EINVAL;
	bool *has = letter == 's' ? &p->has_src : letter == 'd' ? &p->has_dst :
		    letter == 'i' ? &p->has_in : letter == 'o' ? &p->has_out : NULL;
	if (has && *has)
		return xt_complain(p, "multiple -%c flags not allowed", letter);
	if (has)
		*has = true;
	switch (letter) {
	case 's':
	case 'd':
		return rule_networks(p, value, letter == 's', invert);
	case 'i':
		h->head.invert |= invert ? XT_INV_IN : 0;
		return rule_iface(p, value, p->in, &p->has_in);
	case 'o':
		h->head.invert |= invert ? XT_INV_OUT : 0;
		return rule_iface(p, value, p->out, &p->has_out);
	case 'p':
		return rule_proto(p, value, invert);
	case 'm':
		return rule_match(p, value, invert);
	case 'c':
		return rule_counters(p, value);
	default:
		return rule_target(p, value, letter == 'g', invert);
	}
}

/* --- options of extensions */

/* Newest extension first; a unique beginning of a name counts as the name. */
static const struct xt_option *find_option(struct xt_parse *p, const struct word *w,
					   struct xt_build **owner, bool exact)
{
	const struct xt_option *found = NULL;
	for (uint32_t i = p->build_count; i-- > 0;) {
		struct xt_build *b = &p->builds[i];
		for (const struct xt_option *o = b->ext ? b->ext->options : NULL; o && o->name;
		     o++) {
			if (same_name(o->name, w)) {
				*owner = b;
				return o;
			}
			if (!exact && strncmp(o->name, w->name, w->length) == 0 && !found) {
				*owner = b;
				found = o;
			}
		}
	}
	return found;
}

static int rule_option(struct xt_parse *p, const struct word *w, bool invert)
{
	struct xt_build *b = NULL, *unknown = unknown_last(p);
	const struct xt_option *o = w->is_long ? find_option(p, w, &b, unknown != NULL) : NULL;
	if (!o && w->is_long && !unknown && !p->proto_loaded && parse_rule_proto(p)) {
		const struct xt_extension *ext = extension_for_proto(parse_rule_proto(p),
								     p->x->family);
		bool loaded = false;
		for (uint32_t i = 0; i < p->build_count; i++)
			loaded |= p->builds[i].ext == ext;
		for (const struct xt_option *e = ext && !loaded ? ext->options : NULL;
		     e && e->name && !o; e++)
			if (strncmp(e->name, w->name, w->length) == 0)
				o = e;
		if (o) {
			if (!build_new(p, ext, ext->kind))
				return EINVAL;
			p->proto_loaded = true;
			o = find_option(p, w, &b, false);
		}
	}
	if (!o && unknown)
		return unknown_option(p, unknown, invert);
	if (!o)
		return xt_complain(p, "unknown option \"%s\"", p->tokens[p->at].text);
	if (invert && !(o->flags & XT_NEGATES))
		return xt_complain(p, "%s: option \"--%s\" cannot be inverted.", b->ext->name,
				   o->name);
	if (b->seen & 1u << o->id)
		return xt_complain(p, "%s: option \"--%s\" can only be used once.", b->ext->name,
				   o->name);
	b->seen |= 1u << o->id;
	const char *value = NULL, *second = NULL;
	if ((o->flags & XT_VALUE) && next_value(p, w, &value))
		return EINVAL;
	if (o->flags & XT_SECOND) {
		if (p->at + 1 >= p->count)
			return xt_complain(p, "%s: --%s needs two args.", b->ext->name, o->name);
		second = p->tokens[++p->at].text;
	}
	return b->ext->option(p, b, o->id, value, second, invert);
}

/* --- the rule */

static void rule_reset(struct xt_parse *p)
{
	memset(&p->header, 0, sizeof p->header);
	p->has_src = p->has_dst = p->has_proto = p->has_in = p->has_out = p->fragment = false;
	p->in[0] = p->out[0] = '\0';
	p->source_count = p->destination_count = 0;
	p->packets = p->bytes = 0;
	p->build_count = 0;
	p->target = -1;
	p->proto_loaded = p->is_goto = p->has_target = false;
	p->jump = NULL;
	p->unknown_column = 0;
}

static int rule_check(struct xt_parse *p, const struct xt_chain *chain)
{
	int hook = chain ? chain->hook : -1;
	if ((hook == HOOK_PREROUTING || hook == HOOK_INPUT) && p->has_out)
		return xt_complain(p, "Can't use -o with %s", chain->name);
	if ((hook == HOOK_POSTROUTING || hook == HOOK_OUTPUT) && p->has_in)
		return xt_complain(p, "Can't use -i with %s", chain->name);
	for (uint32_t i = 0; i < p->build_count; i++) {
		struct xt_build *b = &p->builds[i];
		if (b->ext && b->ext->finish) {
			int code = b->ext->finish(p, b);
			if (code)
				return code;
		}
	}
	return 0;
}

int parse_rule(struct xt_parse *p, uint32_t from, const struct xt_chain *chain)
{
	bool invert = false;
	rule_reset(p);
	for (p->at = from; p->at < p->count; p->at++) {
		struct word w = { 0 };
		if (strcmp(p->tokens[p->at].text, "!") == 0) {
			if (invert)
				return xt_complain(p, "multiple consecutive ! not allowed");
			invert = true;
			continue;
		}
		if (read_word(p, &w))
			return EINVAL;
		char letter = general_letter(&w);
		int code = letter ? rule_general(p, letter, &w, invert) :
				    rule_option(p, &w, invert);
		if (code)
			return code;
		invert = false;
	}
	if (invert)
		return xt_complain(p, "nothing appropriate following !");
	return rule_check(p, chain);
}

uint8_t parse_rule_proto(const struct xt_parse *p)
{
	if (p->header.head.invert & XT_INV_PROTO)
		return 0;
	return (uint8_t)(p->header.head.flags & XT_PROTO);
}

uint32_t parse_rule_count(const struct xt_parse *p)
{
	return (p->source_count ? p->source_count : 1) *
	       (p->destination_count ? p->destination_count : 1);
}
