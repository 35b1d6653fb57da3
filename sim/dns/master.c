/* dns/master.c: master files read into names in canonical order; see master.h. */
#include "dns/master.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DELAY_MAX_MS 60000

struct entry { /* a record, or a script line (script != NONE or delay), in file order */
	const struct dns_name *name;
	struct dns_rr rr;
	bool is_record;
	enum dns_script script;
	int64_t delay_ns;
	uint32_t order;
};

struct dns_master {
	struct arena *arena;
	struct dns_master_node *nodes;
	uint32_t count;
};

struct loader {
	struct arena *arena;
	const char *file;
	int line;                  /* where the current entry began */
	struct dns_name origin, previous;
	uint32_t ttl;
	bool fixed_ttl;            /* $TTL was given */
	struct entry *entries;
	uint32_t count, capacity;
	struct err *err;
};

static struct entry *add_entry(struct loader *l, const struct dns_name *name)
{
	if (l->count == l->capacity) {
		uint32_t capacity = l->capacity ? l->capacity * 2 : 64;
		l->entries = mem_grow(l->entries, l->capacity, capacity, sizeof *l->entries);
		l->capacity = capacity;
	}
	struct entry *e = &l->entries[l->count];
	e->name = name;
	e->order = l->count++;
	return e;
}

/* A name of the file: relative ones are below the origin, "@" is the origin. */
static bool file_name(const struct loader *l, const char *text, struct dns_name *out)
{
	size_t length = strlen(text);
	if (strcmp(text, "@") == 0) {
		*out = l->origin;
		return true;
	}
	if (!dns_name_parse(text, out))
		return false;
	if (length && text[length - 1] == '.' && (length < 2 || text[length - 2] != '\\'))
		return true;
	struct dns_name below = l->origin;
	if (!dns_name_prepend(&below, out->bytes, out->length - 1u))
		return false;
	*out = below;
	return true;
}

/* ---- script lines -------------------------------------------------------------- */

static int bad_script(const struct loader *l, const char *what)
{
	return err_at(l->err, EINVAL, l->file, l->line, 0,
		      "%s, expected \";@ NAME SERVFAIL|REFUSED|NXDOMAIN|DROP|TC|DELAY ms\"", what);
}

static int script_line(struct loader *l, char *text)
{
	static const struct { const char *name; enum dns_script script; } actions[] = {
		{ "SERVFAIL", DNS_SCRIPT_SERVFAIL }, { "REFUSED", DNS_SCRIPT_REFUSED },
		{ "NXDOMAIN", DNS_SCRIPT_NXDOMAIN }, { "DROP", DNS_SCRIPT_DROP },
		{ "TC", DNS_SCRIPT_TC },
	};
	struct dns_name name;
	char *save = NULL;
	const char *who = strtok_r(text, " \t\r", &save), *action = strtok_r(NULL, " \t\r", &save);
	const char *number = strtok_r(NULL, " \t\r", &save);
	if (!who || !file_name(l, who, &name))
		return bad_script(l, "no name");
	if (!action)
		return bad_script(l, "no action");
	struct entry *e = add_entry(l, dns_name_keep(l->arena, &name));
	if (strcasecmp(action, "DELAY") == 0) {
		char *end = NULL;
		long ms = number ? strtol(number, &end, 10) : -1;
		if (!number || *end || ms < 0 || ms > DELAY_MAX_MS)
			return bad_script(l, "no delay of 0 to 60000 ms");
		e->delay_ns = ms * INT64_C(1000000);
		return 0;
	}
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcasecmp(action, actions[i].name) == 0)
			e->script = actions[i].script;
	if (e->script == DNS_SCRIPT_NONE)
		return bad_script(l, "unknown action");
	return number ? bad_script(l, "words after the action") : 0;
}

/* ---- entries --------------------------------------------------------------------- */

static int directive(struct loader *l, char *text)
{
	char *save = NULL;
	const char *name = strtok_r(text, " \t", &save), *value = strtok_r(NULL, " \t", &save);
	if (strcasecmp(name, "$ORIGIN") == 0) {
		struct dns_name origin;
		if (!value || !file_name(l, value, &origin))
			return err_at(l->err, EINVAL, l->file, l->line, 0,
				      "$ORIGIN: expected a domain name");
		l->origin = origin;
		return 0;
	}
	if (strcasecmp(name, "$TTL") == 0) {
		char *end = NULL;
		unsigned long ttl = value && isdigit((unsigned char)*value) ?
				    strtoul(value, &end, 10) : 0;
		if (!end || *end || ttl > 0x7fffffff)
			return err_at(l->err, EINVAL, l->file, l->line, 0,
				      "$TTL: expected a number of seconds");
		l->ttl = (uint32_t)ttl;
		l->fixed_ttl = true;
		return 0;
	}
	return err_at(l->err, EINVAL, l->file, l->line, 0,
		      "unknown directive %s, expected $ORIGIN or $TTL", name);
}

static int record_line(struct loader *l, const char *text)
{
	struct err why = { 0 };
	struct dns_rr rr;
	uint32_t ttl = l->ttl;
	if (dns_rr_parse(l->arena, text, &l->origin, &ttl, &l->previous, &rr, &why))
		return err_at(l->err, EINVAL, l->file, l->line, 0, "not a record: %s", why.text);
	if (rr.class != DNS_IN)
		return err_at(l->err, EINVAL, l->file, l->line, 0, "expected class IN");
	if (!l->fixed_ttl)
		l->ttl = ttl;
	struct entry *e = add_entry(l, rr.owner);
	e->rr = rr;
	e->is_record = true;
	return 0;
}

/* Cuts a comment off the line, counts parentheses and blanks them out. */
static void clean_line(char *line, int *depth)
{
	bool quoted = false;
	for (char *p = line; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '"') {
			quoted = !quoted;
		} else if (!quoted && *p == ';') {
			*p = 0;
			break;
		} else if (!quoted && (*p == '(' || *p == ')')) {
			*depth += *p == '(' ? 1 : -1;
			*p = ' ';
		} else if (*p == '\r') {
			*p = ' ';
		}
	}
}

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t")] == 0;
}

static int finish_entry(struct loader *l, struct strbuf *entry)
{
	int code = 0;
	if (!is_blank(strbuf_text(entry)))
		code = entry->data[0] == '$' ? directive(l, entry->data) :
					       record_line(l, entry->data);
	strbuf_clear(entry);
	return code;
}

static int load(struct loader *l, const char *text, size_t length)
{
	struct strbuf line = { 0 }, entry = { 0 };
	int depth = 0, number = 0, code = 0;
	for (size_t at = 0; at < length && !code;) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t part = end ? (size_t)(end - text) - at : length - at;
		strbuf_clear(&line);
		strbuf_add(&line, text + at, part);
		at += part + 1;
		number++;
		if (memchr(line.data, 0, line.length)) {
			l->line = number;
			code = err_at(l->err, EINVAL, l->file, number, 0, "a NUL in the text");
			break;
		}
		if (!depth)
			l->line = number;
		if (!depth && strncmp(line.data, ";@", 2) == 0) {
			code = script_line(l, line.data + 2);
			continue;
		}
		clean_line(line.data, &depth);
		strbuf_puts(&entry, line.data);
		if (depth > 0)
			strbuf_putc(&entry, ' ');
		else if (depth < 0)
			code = err_at(l->err, EINVAL, l->file, number, 0,
				      "a closing parenthesis without an opening one");
		else
			code = finish_entry(l, &entry);
	}
	if (!code && depth > 0)
		code = err_at(l->err, EINVAL, l->file, l->line, 0,
			      "the parenthesis that opens here is not closed");
	strbuf_free(&line);
	strbuf_free(&entry);
	return code;
}

/* ---- nodes --------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = dns_name_compare(x->name, y->name);
	return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

static void make_nodes(struct dns_master *m, struct entry *entries, uint32_t count)
{
	if (count)
		qsort(entries, count, sizeof *entries, by_name);
	m->nodes = arena_array(m->arena, count + 1u, sizeof *m->nodes);
	struct dns_rr *records = arena_array(m->arena, count + 1u, sizeof *records);
	uint32_t used = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct entry *e = &entries[i];
		if (!m->count || !dns_name_equal(m->nodes[m->count - 1].name, e->name))
			m->nodes[m->count++] =
			    (struct dns_master_node){ .name = e->name, .records = records + used };
		struct dns_master_node *node = &m->nodes[m->count - 1];
		if (e->is_record) {
			records[used++] = e->rr;
			node->count++;
		}
		if (e->script != DNS_SCRIPT_NONE)
			node->script = e->script;
		if (e->delay_ns)
			node->delay_ns = e->delay_ns;
	}
}

int dns_master_parse(const char *text, size_t length, const char *file,
		     const struct dns_name *origin, struct dns_master **out, struct err *err)
{
	struct dns_master *m = mem_alloc(sizeof *m);
	m->arena = arena_new();
	struct loader l = { .arena = m->arena, .file = file, .origin = *origin, .previous = *origin,
			    .err = err };
	int code = load(&l, text, length);
	if (!code)
		make_nodes(m, l.entries, l.count);
	free(l.entries);
	if (code) {
		dns_master_free(m);
		return code;
	}
	*out = m;
	return 0;
}

void dns_master_free(struct dns_master *m)
{
	if (!m)
		return;
	arena_free(m->arena);
	free(m);
}

/* Index of the first node that is not before the name. */
static uint32_t lower_bound(const struct dns_master *m, const struct dns_name *name)
{
	uint32_t low = 0, high = m->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (dns_name_compare(m->nodes[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct dns_master_node *dns_master_find(const struct dns_master *m,
					      const struct dns_name *name)
{
	uint32_t at = lower_bound(m, name);
	return at < m->count && dns_name_equal(m->nodes[at].name, name) ? &m->nodes[at] : NULL;
}

bool dns_master_has_below(const struct dns_master *m, const struct dns_name *name)
{
	uint32_t at = lower_bound(m, name);
	while (at < m->count && dns_name_equal(m->nodes[at].name, name))
		at++;
	while (at < m->count && !m->nodes[at].count) /* script lines make no names */
		at++;
	return at < m->count && dns_name_under(m->nodes[at].name, name);
}
