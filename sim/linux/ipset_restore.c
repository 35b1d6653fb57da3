/* linux/ipset_restore.c: `ipset restore` lines, applied one by one as the tool does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/engine.h"
#include "linux/ipset_internal.h"

#define COMMENT_BYTES 255 /* IPSET_MAX_COMMENT_SIZE */

#define WORDS_MAX 32
#define RANGE_MAX 65536u

struct word { char *text; int column; };

struct line { /* one command under way */
	struct ipset_table *table;
	const char *file;
	int number;
	bool exist;
	struct word words[WORDS_MAX];
	int count, at;
	struct err *err;
};

static int bad(const struct line *l, int word, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int bad(const struct line *l, int word, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	int column = word < l->count ? l->words[word].column : l->count ? l->words[l->count - 1].column : 1;
	return err_at(l->err, EINVAL, l->file, l->number, column, "%s", text);
}

/* Splits in place; "..." is one word. */
static int split(struct line *l, char *text)
{
	char *start = text;
	l->count = 0;
	while (*text) {
		while (*text == ' ' || *text == '\t')
			*text++ = '\0';
		if (!*text)
			break;
		if (l->count == WORDS_MAX)
			return bad(l, l->count - 1, "too many words, expected at most %d", WORDS_MAX);
		struct word *w = &l->words[l->count++];
		w->column = (int)(text - start) + 1;
		bool quoted = *text == '"';
		w->text = text + quoted;
		for (text += quoted; *text && (quoted ? *text != '"' : *text != ' ' && *text != '\t'); text++)
			;
		if (quoted && !*text)
			return bad(l, l->count - 1, "the quote is not closed, expected \"");
		if (*text)
			*text++ = '\0';
	}
	return 0;
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return !*end && !errno && *out <= max;
}

static int need_number(struct line *l, uint64_t max, uint64_t *out)
{
	const char *option = l->words[l->at].text;
	if (++l->at >= l->count || !number(l->words[l->at].text, max, out))
		return bad(l, l->at, "%s: expected a number up to %llu", option, (unsigned long long)max);
	return 0;
}

static int read_range(struct line *l, struct ipset *s)
{
	unsigned from, to;
	char rest;
	if (++l->at >= l->count || sscanf(l->words[l->at].text, "%u-%u%c", &from, &to, &rest) != 2 ||
	    from > to || to > 65535)
		return bad(l, l->at, "range: expected PORT-PORT");
	s->range_min = from;
	s->range_max = to;
	return 0;
}

static int create_option(struct line *l, struct ipset *s)
{
	const char *w = l->words[l->at].text;
	uint64_t n = 0;
	int code = 0;
	if (strcmp(w, "family") == 0 || strcmp(w, "-family") == 0) {
		const char *f = ++l->at < l->count ? l->words[l->at].text : "";
		if (strcmp(f, "inet") != 0 && strcmp(f, "inet6") != 0)
			return bad(l, l->at, "family %s: expected inet or inet6", f);
		s->family = f[4] == '6' ? NET_V6 : NET_V4;
	} else if (strcmp(w, "hashsize") == 0) {
		code = need_number(l, UINT32_MAX, &n);
		s->hashsize = (uint32_t)n;
	} else if (strcmp(w, "maxelem") == 0) {
		code = need_number(l, UINT32_MAX, &n);
		s->maxelem = (uint32_t)n;
	} else if (strcmp(w, "size") == 0) {
		code = need_number(l, 65535, &n);
		s->size = (uint32_t)n;
	} else if (strcmp(w, "timeout") == 0) {
		code = need_number(l, 2147483, &n);
		s->has_timeout = true;
		s->timeout_s = (uint32_t)n;
	} else if (strcmp(w, "netmask") == 0) {
		code = need_number(l, 128, &n);
		s->netmask = (uint8_t)n;
	} else if (strcmp(w, "bucketsize") == 0) {
		code = need_number(l, 255, &n);
		s->has_bucketsize = true;
		s->bucketsize = (uint32_t)n;
	} else if (strcmp(w, "initval") == 0) {
		code = need_number(l, UINT32_MAX, &n);
		s->has_initval = true;
		s->initval = (uint32_t)n;
	} else if (strcmp(w, "range") == 0) {
		code = read_range(l, s);
	} else if (strcmp(w, "counters") == 0) {
		s->counters = true;
	} else if (strcmp(w, "comment") == 0) {
		s->comments = true;
	} else {
		code = bad(l, l->at, "option %s is not known for %s", w, ipset_type_name(s->type));
	}
	return code;
}

static bool same_set(const struct ipset *a, const struct ipset *b)
{
	return a->type == b->type && a->family == b->family && a->has_timeout == b->has_timeout &&
	       a->range_min == b->range_min && a->range_max == b->range_max && a->maxelem == b->maxelem;
}

static int do_create(struct line *l)
{
	struct ipset s = { .hashsize = 1024, .maxelem = 65536, .size = 8, .family = NET_V4 };
	int type = SET_LIST;
	if (l->count < 3)
		return bad(l, l->count, "expected create NAME TYPE");
	const char *name = l->words[1].text;
	if (!*name || strlen(name) >= SET_NAME_BYTES)
		return bad(l, 1, "set name \"%s\": expected 1 to %u characters", name, SET_NAME_BYTES - 1);
	while (type >= 0 && strcmp(ipset_type_name((enum set_type)type), l->words[2].text) != 0)
		type--;
	if (type < 0)
		return bad(l, 2, "set type %s is not known, expected hash:ip, hash:net, hash:ip,port, "
				 "hash:ip,port,ip, hash:ip,port,net, bitmap:port or list:set", l->words[2].text);
	snprintf(s.name, sizeof s.name, "%s", name);
	s.type = (enum set_type)type;
	if (s.type == SET_BITMAP_PORT || s.type == SET_LIST)
		s.family = NET_NONE;
	for (l->at = 3; l->at < l->count; l->at++) {
		int code = create_option(l, &s);
		if (code)
			return code;
	}
	if (s.type == SET_BITMAP_PORT && !s.range_max)
		return bad(l, 2, "bitmap:port: expected range PORT-PORT");
	struct ipset *old = ipset_find(l->table, name);
	if (old && (!l->exist || !same_set(old, &s)))
		return bad(l, 1, "Set cannot be created: set with the same name already exists");
	if (!old)
		ipset_create(l->table, &s);
	return 0;
}

/* ---- entries ---- */

struct entry { /* what one word of an entry spans */
	struct member_key key;
	struct net_addr last;     /* of an address range in dimension a */
	uint16_t last_port;
};

static int read_port(const struct line *l, const struct ipset *s, char *text, struct entry *e)
{
	char *colon = strchr(text, ':'), *dash;
	uint64_t from, to;
	e->key.proto = s->type == SET_BITMAP_PORT ? 0 : PROTO_TCP;
	if (colon) {
		*colon = '\0';
		e->key.proto = strcmp(text, "icmpv6") == 0 ? PROTO_ICMP6 : proto_number(text);
		if (!e->key.proto || s->type == SET_BITMAP_PORT)
			return bad(l, 2, "protocol %s: expected tcp, udp, sctp, icmp or icmpv6", text);
		text = colon + 1;
	}
	if (e->key.proto == PROTO_ICMP || e->key.proto == PROTO_ICMP6) {
		unsigned type, code;
		char rest;
		if (strcmp(text, "echo-request") == 0)
			type = 8, code = 0;
		else if (strcmp(text, "echo-reply") == 0)
			type = code = 0;
		else if (sscanf(text, "%u/%u%c", &type, &code, &rest) != 2 || type > 255 || code > 255)
			return bad(l, 2, "ICMP %s: expected TYPE/CODE", text);
		e->key.port = e->last_port = (uint16_t)(type << 8 | code);
		return 0;
	}
	if ((dash = strchr(text, '-')))
		*dash = '\0';
	if (!number(text, 65535, &from) || (dash && !number(dash + 1, 65535, &to)))
		return bad(l, 2, "port %s: expected 0 to 65535", text);
	e->key.port = (uint16_t)from;
	e->last_port = (uint16_t)(dash ? to : from);
	if (e->last_port < e->key.port)
		return bad(l, 2, "port range: expected the lower port first");
	return 0;
}

static int read_address(const struct line *l, const struct ipset *s, const char *text, bool net,
			struct net_addr *first, struct net_addr *last, uint8_t *bits)
{
	struct net_prefix p;
	const char *dash = strchr(text, '-');
	char from[NET_ADDR_TEXT];
	if (dash && !net && (size_t)(dash - text) < sizeof from) {
		snprintf(from, sizeof from, "%.*s", (int)(dash - text), text);
		if (!net_addr_parse(from, first) || !net_addr_parse(dash + 1, last) ||
		    first->family != s->family || last->family != s->family || s->family != NET_V4)
			return bad(l, 2, "address range %s: expected two IPv4 addresses", text);
		return 0;
	}
	if (!net_prefix_parse(text, &p) || p.addr.family != s->family)
		return bad(l, 2, "address %s: expected an %s address", text,
			   s->family == NET_V6 ? "IPv6" : "IPv4");
	p = net_prefix_masked(&p);
	if (net && p.bits == 0)
		return bad(l, 2, "The value of the CIDR parameter of the IP address is invalid");
	*first = *last = p.addr;
	*bits = p.bits;
	if (net || p.bits == net_family_bits(p.addr.family))
		return 0;
	if (s->family != NET_V4)
		return bad(l, 2, "%s: expected one address", text);
	*last = net_addr_v4(net_addr_v4_value(&p.addr) | (p.bits ? UINT32_MAX >> p.bits : UINT32_MAX));
	return 0;
}

static int read_entry(const struct line *l, const struct ipset *s, char *text, struct entry *e)
{
	char *parts[3] = { text, NULL, NULL };
	unsigned count = 1, wanted = ipset_dimensions(s);
	uint8_t bits = 0;
	struct net_addr last;
	memset(e, 0, sizeof *e);
	for (char *p = text; *p; p++)
		if (*p == ',') {
			*p = '\0';
			if (count == wanted)
				return bad(l, 2, "too many elements for %s", ipset_type_name(s->type));
			parts[count++] = p + 1;
		}
	if (count < wanted)
		return bad(l, 2, "element %u is missing, expected an entry of %s", count + 1,
			   ipset_type_name(s->type));
	if (s->type == SET_BITMAP_PORT) {
		int code = read_port(l, s, parts[0], e);
		if (!code && (e->key.port < s->range_min || e->last_port > s->range_max))
			code = bad(l, 2, "Element is out of the range of the set");
		return code;
	}
	bool net = s->type == SET_HASH_NET;
	int code = read_address(l, s, parts[0], net, &e->key.a, &e->last, &bits);
	e->key.bits_a = net ? bits : 0;
	if (!code && wanted > 1)
		code = read_port(l, s, parts[1], e);
	if (!code && wanted > 2) {
		bool net_b = s->type == SET_HASH_IP_PORT_NET;
		code = read_address(l, s, parts[2], net_b, &e->key.b, &last, &bits);
		e->key.bits_b = net_b ? bits : 0;
		if (!code && !net_b && !net_addr_equal(&e->key.b, &last))
			code = bad(l, 2, "%s: expected one address", parts[2]);
	}
	return code;
}

static int add_option(struct line *l, const struct ipset *s, struct member *m)
{
	const char *w = l->words[l->at].text;
	uint64_t n = 0;
	int code = 0;
	if (strcmp(w, "timeout") == 0 && s->has_timeout) {
		code = need_number(l, 2147483, &n);
		m->expires_ns = n ? ipset_now(l->table) + (int64_t)n * NS_PER_S : INT64_MAX;
	} else if (strcmp(w, "packets") == 0 && s->counters) {
		code = need_number(l, UINT64_MAX, &m->packets);
	} else if (strcmp(w, "bytes") == 0 && s->counters) {
		code = need_number(l, UINT64_MAX, &m->bytes);
	} else if (strcmp(w, "nomatch") == 0 && ipset_has_net(s->type)) {
		m->nomatch = true;
	} else if (strcmp(w, "comment") == 0 && s->comments) {
		if (++l->at >= l->count)
			return bad(l, l->at, "comment: expected a text");
		m->comment = l->words[l->at].text;
		if (strchr(m->comment, '"'))
			return bad(l, l->at, "\" character is not permitted in comments");
		if (strlen(m->comment) > COMMENT_BYTES)
			return bad(l, l->at, "comment is longer than %d characters", COMMENT_BYTES);
	} else {
		code = bad(l, l->at, "option %s does not go with set %s", w, s->name);
	}
	return code;
}

/* One member of a span; `add` or del. */
static int apply_one(const struct line *l, struct ipset *s, struct member_key *key,
		     const struct member *m, bool add)
{
	struct member_key masked = *key;
	if (s->netmask) {
		struct net_prefix p = { key->a, s->netmask };
		masked.a = net_prefix_masked(&p).addr;
	}
	if (!add) {
		if (!ipset_delete(s, &masked) && !l->exist)
			return bad(l, 2, "Element cannot be deleted from the set: it's not added");
		return 0;
	}
	int code = ipset_insert(s, &masked, m);
	if (code == EEXIST && l->exist) {
		ipset_delete(s, &masked);
		code = ipset_insert(s, &masked, m);
	}
	if (code == EEXIST)
		return bad(l, 2, "Element cannot be added to the set: it's already added");
	if (code == ENOSPC)
		return bad(l, 2, "Hash is full, cannot add more elements");
	return code;
}

static int apply_span(const struct line *l, struct ipset *s, struct entry *e, const struct member *m,
		      bool add)
{
	bool range = e->last.family == NET_V4 && s->type != SET_HASH_NET;
	uint32_t from = range ? net_addr_v4_value(&e->key.a) : 0;
	uint32_t to = range ? net_addr_v4_value(&e->last) : 0;
	uint64_t spans = ((uint64_t)to - from + 1) * ((uint64_t)e->last_port - e->key.port + 1);
	if (to < from || spans > RANGE_MAX)
		return bad(l, 2, "the range spans %llu members, expected at most %u",
			   (unsigned long long)spans, RANGE_MAX);
	uint16_t first_port = e->key.port;
	for (uint32_t a = from;; a++) {
		for (uint32_t port = first_port; port <= e->last_port; port++) {
			if (range)
				e->key.a = net_addr_v4(a);
			e->key.port = (uint16_t)port;
			int code = apply_one(l, s, &e->key, m, add);
			if (code)
				return code;
		}
		if (a == to)
			return 0;
	}
}

static int list_member(struct line *l, struct ipset *s, bool add)
{
	struct ipset *member = ipset_find(l->table, l->words[2].text);
	uint32_t i = 0;
	if (!member)
		return bad(l, 2, "The set with the given name does not exist");
	if (member->type == SET_LIST)
		return bad(l, 2, "Set of type list:set cannot be the member of a list");
	while (i < s->list_count && s->list[i] != member)
		i++;
	if (add && i < s->list_count)
		return l->exist ? 0 : bad(l, 2, "Element cannot be added to the set: it's already added");
	if (add && s->list_count >= s->size)
		return bad(l, 2, "The set is full, cannot add more elements");
	if (add) {
		s->list = mem_grow(s->list, s->list_count, s->list_count + 1u, sizeof *s->list);
		s->list[s->list_count++] = member;
		ipset_hold(member);
		return 0;
	}
	if (i == s->list_count)
		return l->exist ? 0 : bad(l, 2, "Element cannot be deleted from the set: it's not added");
	ipset_drop(member);
	memmove(&s->list[i], &s->list[i + 1], (s->list_count - i - 1) * sizeof *s->list);
	s->list_count--;
	return 0;
}

static struct ipset *need_set(const struct line *l, int word)
{
	struct ipset *s = word < l->count ? ipset_find(l->table, l->words[word].text) : NULL;
	if (!s)
		bad(l, word, "The set with the given name does not exist");
	return s;
}

static int do_entry(struct line *l, bool add)
{
	struct entry e;
	struct ipset *s = need_set(l, 1);
	if (!s)
		return EINVAL;
	if (l->count < 3)
		return bad(l, l->count, "expected an entry of %s", ipset_type_name(s->type));
	if (s->type == SET_LIST)
		return list_member(l, s, add);
	struct member m = { .expires_ns = s->has_timeout && s->timeout_s
						  ? ipset_now(l->table) + (int64_t)s->timeout_s * NS_PER_S
						  : INT64_MAX };
	for (l->at = 3; l->at < l->count; l->at++) {
		int code = add_option(l, s, &m);
		if (code)
			return code;
	}
	int code = read_entry(l, s, l->words[2].text, &e);
	return code ? code : apply_span(l, s, &e, &m, add);
}

static int do_destroy(struct line *l)
{
	if (l->count == 1) {
		for (uint32_t i = 0; i < l->table->count; i++)
			if (l->table->sets[i]->references && l->table->sets[i]->type != SET_LIST)
				return bad(l, 0, "Set cannot be destroyed: it is in use by a kernel component");
		while (l->table->count)
			ipset_destroy(l->table->sets[l->table->count - 1]);
		return 0;
	}
	struct ipset *s = need_set(l, 1);
	if (!s)
		return EINVAL;
	if (s->references)
		return bad(l, 1, "Set cannot be destroyed: it is in use by a kernel component");
	ipset_destroy(s);
	return 0;
}

/* Contents change places, names and references stay, as in the kernel. */
static int do_swap(struct line *l)
{
	struct ipset *a = need_set(l, 1), *b = a ? need_set(l, 2) : NULL;
	if (!b)
		return EINVAL;
	if (a->type != b->type || a->family != b->family)
		return bad(l, 2, "The sets cannot be swapped: their type does not match");
	struct ipset copy = *a;
	*a = *b;
	*b = copy;
	memcpy(b->name, a->name, sizeof b->name);
	memcpy(a->name, copy.name, sizeof a->name);
	b->references = a->references;
	a->references = copy.references;
	return 0;
}

static int do_rename(struct line *l)
{
	struct ipset *s = need_set(l, 1);
	if (!s)
		return EINVAL;
	const char *to = l->count > 2 ? l->words[2].text : "";
	if (!*to || strlen(to) >= SET_NAME_BYTES)
		return bad(l, 2, "expected a new name of 1 to %u characters", SET_NAME_BYTES - 1);
	if (ipset_find(l->table, to))
		return bad(l, 2, "Set cannot be renamed: a set with the new name already exists");
	if (s->references)
		return bad(l, 1, "Set cannot be renamed: it is in use by another system");
	ipset_rename(s, to);
	return 0;
}

static int do_flush(struct line *l)
{
	if (l->count == 1) {
		for (uint32_t i = 0; i < l->table->count; i++)
			ipset_clear(l->table->sets[i]);
		return 0;
	}
	struct ipset *s = need_set(l, 1);
	if (s)
		ipset_clear(s);
	return s ? 0 : EINVAL;
}

static bool is(const char *word, const char *name, const char *letter)
{
	return strcmp(word, name) == 0 || strcmp(word, letter) == 0;
}

static int command(struct line *l, char *text)
{
	int code = split(l, text), kept = 0;
	if (code)
		return code;
	for (int i = 0; i < l->count; i++) {
		if (is(l->words[i].text, "-exist", "-!"))
			l->exist = true;
		else
			l->words[kept++] = l->words[i];
	}
	l->count = kept;
	const char *w = kept ? l->words[0].text : "#";
	if (*w == '#' || strcmp(w, "COMMIT") == 0 || strcmp(w, "quit") == 0)
		return 0;
	if (is(w, "create", "-N") || strcmp(w, "n") == 0)
		return do_create(l);
	if (is(w, "add", "-A"))
		return do_entry(l, true);
	if (is(w, "del", "-D"))
		return do_entry(l, false);
	if (is(w, "flush", "-F"))
		return do_flush(l);
	if (is(w, "destroy", "-X"))
		return do_destroy(l);
	if (is(w, "swap", "-W"))
		return do_swap(l);
	if (is(w, "rename", "-E"))
		return do_rename(l);
	return bad(l, 0, "unknown command %s, expected create, add, del, flush, swap, rename or destroy", w);
}

int ipset_restore(struct ipset_table *t, const char *text, size_t length, const char *file,
		  bool exist, struct err *err)
{
	struct strbuf copy = { 0 };
	const char *end = text + length;
	int code = 0;
	for (int number = 1; text < end && !code; number++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = stop ? (size_t)(stop - text) : (size_t)(end - text);
		struct line l = { .table = t, .file = file, .number = number, .exist = exist, .err = err };
		if (memchr(text, '\0', n))
			code = err_at(err, EINVAL, file, number, 1, "the line has a NUL byte, expected text");
		strbuf_clear(&copy);
		strbuf_add(&copy, text, n);
		if (!code && n)
			code = command(&l, copy.data);
		text += n + 1;
	}
	strbuf_free(&copy);
	return code;
}
