/* dns/server_finished.c: replies kept as bytes.
 *
 * A kept reply is the answer to exactly these request bytes (but for the id) over this
 * transport, for as long as computing it anew would give the same: until the view
 * changes, or the TTLs of the cache plugin count down. What loadbalance shuffled is
 * shuffled anew on its way out, by moving whole records.
 */
#include "dns/server_internal.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 16384u
#define REQUEST_MAX 300u      /* a question with OPT but without options is below this */
#define RECORDS_MAX 256u

struct finished_key {
	uint8_t bytes[REQUEST_MAX];
	uint16_t length;
	uint8_t tcp, family;
};

struct kept {
	uint64_t generation;
	bool by_view, shuffled;
	int64_t until_ns;
	uint32_t length, mark_count;
	struct dns_mark *marks;  /* only when shuffled */
	uint8_t bytes[];
};

struct finished {
	struct table entries;    /* struct finished_key -> struct kept * */
	size_t bytes;
};

#define BYTES_MAX (64u << 20)

struct finished *dns_finished_new(void)
{
	struct finished *f = mem_alloc(sizeof *f);
	table_init(&f->entries, sizeof(struct finished_key), sizeof(struct kept *));
	return f;
}

static void kept_free(struct kept *k)
{
	if (!k)
		return;
	free(k->marks);
	free(k);
}

void dns_finished_clear(struct finished *f)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&f->entries, &i, &key, &value);)
		kept_free(*(struct kept **)value);
	table_clear(&f->entries);
	f->bytes = 0;
}

void dns_finished_free(struct finished *f)
{
	if (!f)
		return;
	dns_finished_clear(f);
	table_free(&f->entries);
	free(f);
}

/* False: requests like this one are not kept. */
static bool make_key(const uint8_t *query, size_t length, const struct dns_client *client,
		     struct finished_key *key)
{
	if (length < 12 || length - 2 > REQUEST_MAX)
		return false;
	memset(key, 0, sizeof *key);
	memcpy(key->bytes, query + 2, length - 2);
	key->length = (uint16_t)(length - 2);
	key->tcp = client->tcp;
	key->family = client->addr.family;
	return true;
}

static bool shuffles(uint16_t type)
{
	return type == DNS_A || type == DNS_AAAA || type == DNS_MX;
}

static bool same_group(const struct dns_mark *a, const struct dns_mark *b)
{
	return a->section == b->section && (a->type == DNS_MX) == (b->type == DNS_MX) &&
	       shuffles(a->type) && shuffles(b->type);
}

/* Writes the records of a kept reply with each group of addresses (and of MX) shuffled. */
static void put_shuffled(struct choice *c, const struct kept *k, struct strbuf *out)
{
	uint32_t order[RECORDS_MAX];
	for (uint32_t i = 0; i < k->mark_count; i++)
		order[i] = i;
	for (uint32_t start = 0, end; start < k->mark_count; start = end) {
		for (end = start + 1;
		     end < k->mark_count && same_group(&k->marks[start], &k->marks[end]);)
			end++;
		dns_loadbalance_shuffle(c, order + start, end - start);
	}
	size_t base = out->length, first = k->marks[0].offset;
	strbuf_add(out, k->bytes, first);
	for (uint32_t i = 0; i < k->mark_count; i++)
		strbuf_add(out, k->bytes + k->marks[order[i]].offset, k->marks[order[i]].length);
	strbuf_add(out, k->bytes + (out->length - base), k->length - (out->length - base));
}

bool dns_finished_find(struct dns_server *s, const uint8_t *query, size_t length,
		   const struct dns_client *client, int64_t now_ns, struct strbuf *out)
{
	struct finished_key key;
	if (!make_key(query, length, client, &key))
		return false;
	struct kept **slot = table_find(&s->finished->entries, &key);
	if (!slot || !*slot)
		return false;
	const struct kept *k = *slot;
	if ((k->by_view && k->generation != dns_view_generation(s->view)) || now_ns >= k->until_ns)
		return false;
	size_t base = out->length;
	if (k->shuffled)
		put_shuffled(s->choice, k, out);
	else
		strbuf_add(out, k->bytes, k->length);
	memcpy(out->data + base, query, 2);
	s->stats.finished_hits++;
	return true;
}

void dns_finished_keep(const struct run *r, const uint8_t *query, size_t length,
		   const struct strbuf *out, size_t from, struct dns_marks *marks, bool compressed)
{
	struct finished *f = r->server->finished;
	struct finished_key key;
	uint32_t size = (uint32_t)(out->length - from);
	if (!make_key(query, length, r->client, &key) ||
	    (r->shuffled && (compressed || marks->count > RECORDS_MAX)))
		return;
	if (f->entries.count >= ENTRIES_MAX || f->bytes + size > BYTES_MAX)
		dns_finished_clear(f);
	struct kept *k = mem_alloc(sizeof *k + size);
	k->generation = dns_view_generation(r->server->view);
	k->by_view = r->by_view;
	k->until_ns = r->stable_until_ns;
	k->shuffled = r->shuffled;
	k->length = size;
	memcpy(k->bytes, out->data + from, size);
	if (r->shuffled) {
		k->mark_count = marks->count;
		k->marks = marks->items;
		*marks = (struct dns_marks){ 0 };
	}
	bool added;
	struct kept **slot = table_put(&f->entries, &key, &added);
	if (!added) {
		f->bytes -= (*slot)->length;
		kept_free(*slot);
	}
	f->bytes += size;
	*slot = k;
}
