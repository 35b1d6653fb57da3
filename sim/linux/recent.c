/* linux/recent.c: see recent.h. Behaviour from the kernel's net/netfilter/xt_recent.c. */
#include "linux/recent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/engine.h"
#include "core/table.h"

#define DEFAULT_STAMPS 32u
#define JIFFY_NS (4 * NS_PER_MS)
#define FIRST_JIFFY UINT64_C(4294892296) /* (unsigned)(-300 * 250) */

struct sighting {
	struct net_addr addr;
	uint8_t ttl;
	uint16_t index, count; /* next stamp to write, stamps in use */
	struct sighting *older, *newer;
	int64_t stamps[];
};

struct list {
	char *name;
	uint32_t users, entries;
	uint32_t stamps; /* of an entry; a power of two */
	struct table index; /* struct net_addr -> struct sighting * */
	struct sighting *oldest, *newest;
};

struct recent {
	struct table lists; /* name -> struct list * */
};

struct recent *recent_new(void)
{
	struct recent *r = mem_alloc(sizeof *r);
	table_init(&r->lists, TABLE_STRING_KEYS, sizeof(struct list *));
	return r;
}

static struct list *find_list(const struct recent *r, const char *name)
{
	struct list **found = table_find(&r->lists, name);
	return found ? *found : NULL;
}

static void unlink_sighting(struct list *l, struct sighting *s)
{
	if (s->older)
		s->older->newer = s->newer;
	else
		l->oldest = s->newer;
	if (s->newer)
		s->newer->older = s->older;
	else
		l->newest = s->older;
	s->older = s->newer = NULL;
}

static void link_newest(struct list *l, struct sighting *s)
{
	s->older = l->newest;
	if (l->newest)
		l->newest->newer = s;
	else
		l->oldest = s;
	l->newest = s;
}

static void remove_sighting(struct list *l, struct sighting *s)
{
	unlink_sighting(l, s);
	table_remove(&l->index, &s->addr);
	l->entries--;
	free(s);
}

static void flush_list(struct list *l)
{
	while (l->oldest)
		remove_sighting(l, l->oldest);
}

static void free_list(struct list *l)
{
	flush_list(l);
	table_free(&l->index);
	free(l->name);
	free(l);
}

void recent_free(struct recent *r)
{
	void *value;
	for (uint32_t i = 0; table_next(&r->lists, &i, NULL, &value);)
		free_list(*(struct list **)value);
	table_free(&r->lists);
	free(r);
}

void recent_flush(struct recent *r)
{
	void *value;
	for (uint32_t i = 0; table_next(&r->lists, &i, NULL, &value);)
		flush_list(*(struct list **)value);
}

void recent_hold(struct recent *r, const char *name)
{
	struct list *l = find_list(r, name);
	if (!l) {
		l = mem_alloc(sizeof *l);
		l->name = mem_strdup(name);
		l->stamps = DEFAULT_STAMPS;
		table_init(&l->index, sizeof(struct net_addr), sizeof(struct sighting *));
		struct list **slot = table_put(&r->lists, l->name, NULL);
		*slot = l;
	}
	l->users++;
}

void recent_drop(struct recent *r, const char *name)
{
	struct list *l = find_list(r, name);
	assert(l && l->users);
	if (--l->users)
		return;
	table_remove(&r->lists, name);
	free_list(l);
}

void recent_reserve(struct recent *r, const char *name, uint32_t hitcount)
{
	struct list *l = find_list(r, name);
	uint32_t stamps = DEFAULT_STAMPS;
	assert(l);
	while (stamps < hitcount)
		stamps *= 2;
	if (stamps <= l->stamps)
		return;
	flush_list(l);
	l->stamps = stamps;
}

static struct sighting *add_sighting(struct list *l, const struct net_addr *addr, uint8_t ttl,
				     int64_t now)
{
	if (l->entries >= RECENT_ENTRIES)
		remove_sighting(l, l->oldest);
	struct sighting *s = mem_alloc(sizeof *s + l->stamps * sizeof *s->stamps);
	s->addr = *addr;
	s->ttl = ttl;
	s->stamps[0] = now;
	s->count = s->index = 1;
	link_newest(l, s);
	struct sighting **slot = table_put(&l->index, addr, NULL);
	*slot = s;
	l->entries++;
	return s;
}

static void touch_sighting(struct list *l, struct sighting *s, int64_t now)
{
	s->index &= (uint16_t)(l->stamps - 1);
	s->stamps[s->index++] = now;
	if (s->index > s->count)
		s->count = s->index;
	unlink_sighting(l, s);
	link_newest(l, s);
}

static bool seen_enough(const struct sighting *s, const struct recent_query *q, int64_t since)
{
	uint32_t hits = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		if (q->seconds && since > s->stamps[i])
			continue;
		if (!q->hitcount || ++hits >= q->hitcount)
			return true;
	}
	return false;
}

/* One expired address, the one unseen longest, unless it is about to be touched. */
static void reap(struct list *l, const struct sighting *working, bool touch, int64_t since)
{
	struct sighting *s = l->oldest;
	if (!s || (s == working && touch))
		return;
	if (since > s->stamps[s->index - 1])
		remove_sighting(l, s);
}

bool recent_match(struct recent *r, const char *name, const struct recent_query *q,
		  const struct net_addr *addr, uint8_t ttl, int64_t now)
{
	struct list *l = find_list(r, name);
	int64_t since = now - (int64_t)q->seconds * NS_PER_S;
	assert(l);
	struct sighting **found = table_find(&l->index, addr);
	struct sighting *s = found ? *found : NULL;
	if (s && q->ttl && s->ttl != ttl)
		s = NULL;
	if (!s) {
		if (q->action != RECENT_SET)
			return q->invert;
		if (found) /* known with another TTL */
			remove_sighting(l, *found);
		add_sighting(l, addr, ttl, now);
		return !q->invert;
	}
	bool match = !q->invert, touch = q->action == RECENT_SET;
	if (q->action == RECENT_REMOVE) {
		remove_sighting(l, s);
		return match;
	}
	if (q->action != RECENT_SET) {
		match = seen_enough(s, q, since) != q->invert;
		touch = q->action == RECENT_UPDATE && match;
		if (q->reap)
			reap(l, s, touch, since);
	}
	if (touch) {
		touch_sighting(l, s, now);
		s->ttl = ttl;
	}
	return match;
}

static uint64_t jiffies(int64_t ns)
{
	return FIRST_JIFFY + (uint64_t)(ns / JIFFY_NS);
}

/* %pI4 or %pI6: the kernel writes v6 addresses in full. */
static void print_addr(const struct net_addr *a, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	if (a->family != NET_V6) {
		strbuf_puts(out, net_addr_text(a, text));
		return;
	}
	for (unsigned i = 0; i < 16; i += 2)
		strbuf_printf(out, "%s%02x%02x", i ? ":" : "", a->bytes[i], a->bytes[i + 1]);
}

bool recent_print(const struct recent *r, const char *name, struct strbuf *out)
{
	const struct list *l = find_list(r, name);
	if (!l)
		return false;
	for (const struct sighting *s = l->oldest; s; s = s->newer) {
		strbuf_puts(out, "src=");
		print_addr(&s->addr, out);
		strbuf_printf(out, " ttl: %u last_seen: %llu oldest_pkt: %u", s->ttl,
			      (unsigned long long)jiffies(s->stamps[s->index - 1]), s->index);
		for (uint32_t i = 0; i < s->count; i++)
			strbuf_printf(out, "%s %llu", i ? "," : "",
				      (unsigned long long)jiffies(s->stamps[i]));
		strbuf_putc(out, '\n');
	}
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void recent_print_names(const struct recent *r, struct strbuf *out)
{
	const char **names = mem_array(r->lists.count ? r->lists.count : 1, sizeof *names);
	uint32_t n = 0;
	const void *key;
	for (uint32_t i = 0; table_next(&r->lists, &i, &key, NULL);)
		names[n++] = key;
	qsort(names, n, sizeof *names, by_text);
	for (uint32_t i = 0; i < n; i++)
		strbuf_printf(out, "%s\n", names[i]);
	free(names);
}

uint32_t recent_count(const struct recent *r, const char *name)
{
	const struct list *l = find_list(r, name);
	return l ? l->entries : 0;
}
