/* dns/server_cache.c: the cache plugin (CoreDNS plugin/cache): what is stored, for how
 * long, and what comes out of it. Capacity is counted over the whole half; what is
 * evicted from a full one is the oldest, where CoreDNS takes one at random. */
#include "dns/server_internal.h"

#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

struct cache_key {
	uint8_t name[DNS_NAME_BYTES], length;
	uint16_t type, class;
	uint8_t dnssec_ok, checking_disabled;
	uint8_t pad[2];
};

struct cache_item {
	int64_t stored_ns;
	uint32_t ttl_s;
	uint16_t rcode, flags;   /* RA, AD of what was stored */
	bool answering;          /* it has what the question asked for */
	struct dns_section sections[3];
	int32_t hits;            /* for prefetch */
	int64_t last_hit_ns;
	int64_t busy_until_ns;   /* it is being asked again */
	int64_t retry_ns;        /* asking again failed: not before this */
	struct cache_item *good; /* the last answer, where this is none; owned */
	struct cache_item *next; /* owned; takes its place once it has arrived */
};

/* How CoreDNS classifies a reply (plugin/pkg/response/typify.go). */
enum reply_kind { KIND_POSITIVE, KIND_NXDOMAIN, KIND_NODATA, KIND_DELEGATION, KIND_SERVER_ERROR,
		  KIND_META, KIND_OTHER };

/* ---- classification ------------------------------------------------------------ */

static bool has_soa(const struct dns_message *m)
{
	for (uint32_t i = 0; i < m->authority.count; i++)
		if (m->authority.items[i].type == DNS_SOA)
			return true;
	return false;
}

static enum reply_kind plain_kind(const struct dns_message *m)
{
	bool delegation = false;
	if (m->opcode == DNS_NOTIFY || m->question.type == DNS_AXFR || m->question.type == DNS_IXFR)
		return KIND_META;
	if (m->answer.count && m->rcode == DNS_NOERROR)
		return KIND_POSITIVE;
	if (m->answer.count && m->rcode == DNS_NXDOMAIN)
		return KIND_OTHER;
	for (uint32_t i = 0; i < m->authority.count; i++)
		delegation |= m->authority.items[i].type == DNS_NS;
	if (m->rcode == DNS_NOERROR)
		return has_soa(m) ? KIND_NODATA : delegation ? KIND_DELEGATION : KIND_POSITIVE;
	if (m->rcode == DNS_NXDOMAIN)
		return KIND_NXDOMAIN;
	return m->rcode == DNS_SERVFAIL || m->rcode == DNS_NOTIMP ? KIND_SERVER_ERROR : KIND_OTHER;
}

/* The one target of the CNAMEs of a name: 0 none, 1 found, -1 several. */
static int alias_of(const struct dns_section *s, const struct dns_name *name, struct dns_name *out)
{
	int found = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		struct dns_name target;
		if (s->items[i].type != DNS_CNAME || !dns_name_equal(s->items[i].owner, name) ||
		    !dns_rr_get_target(&s->items[i], &target))
			continue;
		if (found && !dns_name_equal(&target, out))
			return -1;
		*out = target;
		found = 1;
	}
	return found;
}

/* Whether the answer has a record of the type asked at the end of the CNAMEs. */
static bool answers_question(const struct dns_message *m)
{
	const struct dns_section *s = &m->answer;
	struct dns_name name = m->question.name, target;
	uint16_t type = m->question.type;
	int alias = 0;
	for (uint32_t links = 0; type != DNS_ANY && type != DNS_CNAME; links++) {
		alias = alias_of(s, &name, &target);
		if (alias < 0 || (alias && links > s->count))
			return false;
		if (!alias)
			break;
		name = target;
	}
	for (uint32_t i = 0; i < s->count; i++)
		if ((s->items[i].type == type || type == DNS_ANY) &&
		    dns_name_equal(s->items[i].owner, &name))
			return true;
	return false;
}

static bool has_no_data(const struct dns_message *m)
{
	return m->answer.count && !(m->rcode == DNS_NOERROR && answers_question(m));
}

static enum reply_kind kind_of(const struct dns_message *m)
{
	enum reply_kind kind = plain_kind(m);
	return kind == KIND_POSITIVE && has_soa(m) && has_no_data(m) ? KIND_NODATA : kind;
}

static bool may_store(const struct dns_message *m, enum reply_kind kind)
{
	if (m->flags & DNS_TC)
		return false;
	if (kind == KIND_OTHER || kind == KIND_META)
		return false;
	if (kind == KIND_NXDOMAIN && !has_soa(m))
		return false;
	return kind != KIND_POSITIVE || has_soa(m) || !has_no_data(m);
}

/* ---- lifetimes ------------------------------------------------------------------ */

static int64_t smallest_ttl(const struct dns_message *m, enum reply_kind kind, int64_t most)
{
	const struct dns_section *const all[] = { &m->answer, &m->authority, &m->additional };
	int64_t least = most;
	uint32_t count = 0;
	if (kind != KIND_POSITIVE && kind != KIND_NXDOMAIN && kind != KIND_NODATA)
		return 5;
	for (int k = 0; k < 3; k++)
		for (uint32_t i = 0; i < all[k]->count; i++, count++)
			if (all[k]->items[i].ttl < least)
				least = all[k]->items[i].ttl;
	return count ? least : 5;
}

static int64_t lifetime_s(const struct cache_plugin *c, const struct dns_message *m,
			  enum reply_kind kind)
{
	const struct cache_half *h = kind == KIND_NXDOMAIN || kind == KIND_NODATA ? &c->denial :
										    &c->success;
	if (kind == KIND_SERVER_ERROR)
		return c->servfail_ns / SECOND;
	int64_t ttl = smallest_ttl(m, kind, h->ttl_s);
	if (ttl < h->min_ttl_s)
		ttl = h->min_ttl_s;
	return ttl > h->ttl_s ? h->ttl_s : ttl;
}

static void level_ttls(struct dns_message *m, uint32_t ttl)
{
	struct dns_section *const all[] = { &m->answer, &m->authority, &m->additional };
	for (int k = 0; k < 3; k++)
		for (uint32_t i = 0; i < all[k]->count; i++)
			all[k]->items[i].ttl = ttl;
}

/* ---- items ------------------------------------------------------------------------ */

static size_t owner_bytes(const struct dns_rr *rr)
{
	return (offsetof(struct dns_name, bytes) + rr->owner->length + 7u) & ~(size_t)7;
}

/* One block of memory: the item, its records, their owners and rdata. */
static struct cache_item *item_new(const struct dns_message *m)
{
	const struct dns_section *const all[] = { &m->answer, &m->authority, &m->additional };
	size_t records = 0, names = 0, rdata = 0;
	for (int k = 0; k < 3; k++) {
		for (uint32_t i = 0; i < all[k]->count; i++) {
			records++;
			names += owner_bytes(&all[k]->items[i]);
			rdata += all[k]->items[i].rdata_length;
		}
	}
	struct cache_item *item = mem_alloc(sizeof *item + records * sizeof(struct dns_rr) + names +
					    rdata + 1);
	struct dns_rr *rr = (struct dns_rr *)(item + 1);
	uint8_t *name = (uint8_t *)(rr + records), *data = name + names;
	for (int k = 0; k < 3; k++) {
		item->sections[k] = (struct dns_section){ rr, all[k]->count, all[k]->count };
		for (uint32_t i = 0; i < all[k]->count; i++, rr++) {
			*rr = all[k]->items[i];
			memcpy(name, rr->owner,
			       offsetof(struct dns_name, bytes) + rr->owner->length);
			rr->owner = (struct dns_name *)name;
			name += owner_bytes(rr);
			if (rr->rdata_length)
				memcpy(data, rr->rdata, rr->rdata_length);
			rr->rdata = data;
			data += rr->rdata_length;
		}
	}
	item->rcode = m->rcode;
	item->flags = m->flags & (DNS_RA | DNS_AD);
	item->answering = m->rcode == DNS_NOERROR && answers_question(m);
	return item;
}

static void half_init(struct cache_half *h)
{
	if (!h->items.value_size)
		table_init(&h->items, sizeof(struct cache_key), sizeof(struct cache_item *));
}

static void item_free(struct cache_item *item)
{
	if (!item)
		return;
	item_free(item->good);
	item_free(item->next);
	free(item);
}

static void half_remove(struct cache_half *h, const struct cache_key *key)
{
	struct cache_item **slot = h->items.value_size ? table_find(&h->items, key) : NULL;
	if (!slot)
		return;
	item_free(*slot);
	table_remove(&h->items, key);
}

static void half_evict(struct cache_half *h)
{
	const void *key;
	void *value;
	if (!table_next(&h->items, &h->hand, &key, &value)) {
		h->hand = 0;
		if (!table_next(&h->items, &h->hand, &key, &value))
			return;
	}
	struct cache_key gone = *(const struct cache_key *)key;
	half_remove(h, &gone);
}

/* Puts an item into the place of another one, whose answer it keeps if it has none. */
static void item_replace(struct cache_item **slot, struct cache_item *item)
{
	struct cache_item *old = *slot;
	*slot = item;
	if (old->next == item)
		old->next = NULL;
	if (!item->answering && old->answering) {
		item->good = old;
		return;
	}
	if (!item->answering) {
		item->good = old->good;
		old->good = NULL;
	}
	item_free(old);
}

/* Stores what arrives at item->stored_ns, which may be later than now. */
static void half_put(struct cache_half *h, const struct cache_key *key, struct cache_item *item,
		     int64_t now_ns)
{
	bool added;
	half_init(h);
	if (!table_find(&h->items, key) && (int64_t)h->items.count >= h->capacity)
		half_evict(h);
	struct cache_item **slot = table_put(&h->items, key, &added);
	if (added) {
		*slot = item;
	} else if (item->stored_ns <= now_ns) {
		item_replace(slot, item);
	} else if ((*slot)->stored_ns > now_ns || (*slot)->next) {
		item_free(item); /* another one is already on its way */
	} else {
		(*slot)->next = item;
	}
}

/* The item of a key; one that has arrived since takes its place. */
static struct cache_item *half_find(const struct cache_half *h, const struct cache_key *key,
				    int64_t now_ns)
{
	struct cache_item **slot = h->items.value_size ? table_find(&h->items, key) : NULL;
	if (!slot)
		return NULL;
	struct cache_item *item = *slot, *next = item->next;
	if (next && next->stored_ns <= now_ns) {
		item_replace(slot, next);
		item = next;
	}
	return item->stored_ns <= now_ns ? item : NULL;
}

static void half_free(struct cache_half *h)
{
	const void *key;
	void *value;
	if (!h->items.value_size)
		return;
	for (uint32_t i = 0; table_next(&h->items, &i, &key, &value);)
		item_free(*(struct cache_item **)value);
	table_free(&h->items);
}

void dns_cache_free(struct cache_plugin *c)
{
	if (!c)
		return;
	half_free(&c->success);
	half_free(&c->denial);
}

static void make_key(const struct dns_message *request, struct cache_key *key)
{
	struct dns_name name = request->question.name;
	memset(key, 0, sizeof *key);
	dns_name_lower(&name);
	memcpy(key->name, name.bytes, name.length);
	key->length = name.length;
	key->type = request->question.type;
	key->class = request->question.class;
	key->dnssec_ok = request->edns.present && request->edns.dnssec_ok;
	key->checking_disabled = (request->flags & DNS_CD) != 0;
}

static int64_t remaining_s(const struct cache_item *item, int64_t now_ns)
{
	return (int64_t)item->ttl_s - (now_ns - item->stored_ns) / SECOND;
}

/* ---- storing ----------------------------------------------------------------------- */

/* What the plugin does to a reply on its way out: levels the TTLs, stores it. `again`:
 * nobody waits for this reply. The item stored, or NULL. */
static struct cache_item *store_reply(struct run *r, struct cache_plugin *c,
				      const struct cache_key *key, struct dns_message *reply,
				      bool again)
{
	enum reply_kind kind = kind_of(reply);
	int64_t lifetime = lifetime_s(c, reply, kind);
	bool denial = kind == KIND_NXDOMAIN || kind == KIND_NODATA || kind == KIND_SERVER_ERROR;
	struct cache_half *h = denial ? &c->denial : &c->success;
	level_ttls(reply, (uint32_t)lifetime);
	if (!may_store(reply, kind) || (!lifetime && kind != KIND_SERVER_ERROR) || !h->capacity ||
	    (kind == KIND_SERVER_ERROR && !c->servfail_ns) ||
	    dns_names_match(&h->except, &reply->question.name))
		return NULL;
	struct cache_item *item = item_new(reply);
	item->ttl_s = (uint32_t)lifetime;
	item->stored_ns = r->now_ns + r->delay_ns;
	bool answering = item->answering;
	half_put(h, key, item, r->now_ns);
	if (!denial && (c->prefer_positive ? answering : again))
		half_remove(&c->denial, key);
	r->unstable = true; /* the next reply comes from the cache */
	return item;
}

static enum outcome refresh(struct run *r, const struct block *b, const struct cache_key *key,
			    const struct dns_message *request, struct dns_message *reply)
{
	enum outcome o = dns_chain_backend(r, b, request, reply);
	if (o == OUT_WRITTEN)
		store_reply(r, b->cache, key, reply, false);
	return o;
}

/* ---- answering ---------------------------------------------------------------------- */

static void from_item(struct run *r, const struct cache_item *item, uint32_t ttl,
		      struct dns_message *reply)
{
	struct dns_section *const out[] = { &reply->answer, &reply->authority, &reply->additional };
	reply->flags |= DNS_AA | (item->flags & DNS_RA);
	reply->rcode = item->rcode;
	for (int k = 0; k < 3; k++) {
		const struct dns_section *s = &item->sections[k];
		out[k]->items = arena_array(r->arena, s->count + 1u, sizeof *s->items);
		for (uint32_t i = 0; i < s->count; i++) {
			struct dns_rr rr = s->items[i];
			uint8_t *rdata = arena_alloc(r->arena, rr.rdata_length + 1u);
			memcpy(rdata, rr.rdata, rr.rdata_length);
			rr.owner = dns_name_keep(r->arena, rr.owner);
			rr.rdata = rdata;
			rr.ttl = ttl;
			out[k]->items[out[k]->count++] = rr;
		}
	}
}

static bool usable(const struct cache_plugin *c, const struct cache_item *item, int64_t now_ns)
{
	if (!item)
		return false;
	int64_t left = remaining_s(item, now_ns);
	return left > 0 || (c->stale_s > 0 && -left < c->stale_s);
}

/* Denials first; but a SERVFAIL does not hide a good answer, and with prefer_positive
 * no denial does. */
static struct cache_item *find_item(const struct cache_plugin *c, const struct cache_key *key,
				    int64_t now_ns)
{
	struct cache_item *denial = half_find(&c->denial, key, now_ns);
	struct cache_item *success = half_find(&c->success, key, now_ns);
	if (c->prefer_positive && c->stale_s > 0 && success) {
		struct cache_item *answer = success->answering ? success : success->good;
		if (usable(c, answer, now_ns))
			return answer;
	}
	bool good = usable(c, success, now_ns);
	if (usable(c, denial, now_ns) && !(denial->rcode == DNS_SERVFAIL && good))
		return denial;
	return good ? success : NULL;
}

static bool wants_prefetch(const struct cache_plugin *c, struct cache_item *item, int64_t now_ns)
{
	if (c->prefetch <= 0)
		return false;
	if (item->last_hit_ns < now_ns - c->prefetch_ns)
		item->hits = 0;
	item->last_hit_ns = now_ns;
	item->hits++;
	int64_t threshold = ((int64_t)c->prefetch_percent * item->ttl_s + 99) / 100;
	return item->hits >= c->prefetch && remaining_s(item, now_ns) <= threshold;
}

/* How long the cached reply comes out the same: until its TTL counts down. */
static void note_stability(struct run *r, const struct cache_plugin *c,
			   const struct cache_item *item)
{
	int64_t passed = (r->now_ns - item->stored_ns) / SECOND;
	int64_t until = item->stored_ns + (c->keep_ttl ? item->ttl_s : passed + 1) * SECOND;
	if (until < r->stable_until_ns)
		r->stable_until_ns = until;
	if (c->prefetch > 0 || c->stale_s > 0)
		r->unstable = true;
}

/* ---- asking again ------------------------------------------------------------------- */

/* Whether what came back may take the place of what is stale. With prefer_positive a
 * reply without the answer is stored, but does not count. */
static bool refreshes(const struct cache_plugin *c, const struct dns_message *m)
{
	enum reply_kind kind = kind_of(m);
	if (m->flags & DNS_TC)
		return false;
	if (c->prefer_positive)
		return kind == KIND_POSITIVE && m->rcode == DNS_NOERROR && answers_question(m);
	return kind != KIND_OTHER && kind != KIND_META &&
	       (m->rcode == DNS_NOERROR || m->rcode == DNS_NXDOMAIN);
}

/* Asks what lies behind for a name whose item is stale; true: fresh data came back. */
static bool ask_again(struct run *own, const struct block *b, const struct cache_key *key,
		      const struct dns_message *request, bool again, struct dns_message *fresh)
{
	struct cache_plugin *c = b->cache;
	dns_reply_begin(request, fresh);
	if (dns_chain_backend(own, b, request, fresh) != OUT_WRITTEN)
		return false;
	bool refreshed = refreshes(c, fresh);
	if (refreshed || (c->prefer_positive && !(fresh->flags & DNS_TC)))
		store_reply(own, c, key, fresh, again || !refreshed);
	return refreshed;
}

static bool begin_again(const struct cache_plugin *c, struct cache_item *item, int64_t now_ns)
{
	return item->busy_until_ns <= now_ns && (!c->recheck_ns || item->retry_ns <= now_ns);
}

/* The item, if it is still in the cache, is not asked for again before it is time. */
static void note_failure(struct run *r, const struct cache_plugin *c, const struct cache_key *key,
			 const struct cache_item *item, int64_t done_ns)
{
	struct cache_item *found = find_item(c, key, r->now_ns);
	if (found != item)
		return;
	found->busy_until_ns = done_ns;
	found->retry_ns = c->recheck_ns ? done_ns + c->recheck_ns : 0;
}

/* Asks in the background, as a client over TCP that is answered only into the cache. */
static void background(struct run *r, const struct block *b, const struct cache_key *key,
		       const struct dns_message *request, struct cache_item *item, bool stale)
{
	struct dns_client nobody = *r->client;
	struct run own = *r;
	struct dns_message reply;
	struct cache_item *fresh = NULL;
	int32_t hits = item->hits;
	r->unstable = true;
	if (!begin_again(b->cache, item, r->now_ns))
		return;
	nobody.tcp = true;
	own.client = &nobody;
	if (stale) {
		if (!ask_again(&own, b, key, request, true, &reply))
			note_failure(r, b->cache, key, item, own.now_ns + own.delay_ns);
		return;
	}
	dns_reply_begin(request, &reply);
	item->busy_until_ns = r->now_ns;
	if (dns_chain_backend(&own, b, request, &reply) == OUT_WRITTEN)
		fresh = store_reply(&own, b->cache, key, &reply, true);
	if (fresh && find_item(b->cache, key, own.now_ns + own.delay_ns) == fresh) {
		fresh->hits = hits;
		fresh->last_hit_ns = r->now_ns;
	}
}

/* serve_stale verify: waits for fresh data, at most as long as said; true: it came. */
static bool verified(struct run *r, const struct block *b, const struct cache_key *key,
		     const struct dns_message *request, const struct cache_item *item,
		     struct dns_message *reply)
{
	const struct cache_plugin *c = b->cache;
	struct dns_message fresh;
	struct run own = *r;
	bool refreshed = ask_again(&own, b, key, request, c->verify_timeout_ns > 0, &fresh);
	int64_t took = own.delay_ns - r->delay_ns;
	bool late = c->verify_timeout_ns > 0 && took > c->verify_timeout_ns;
	r->delay_ns += late ? c->verify_timeout_ns : took;
	if (!refreshed)
		note_failure(r, c, key, item, r->now_ns);
	if (!refreshed || late)
		return false;
	*reply = fresh;
	return true;
}

static enum outcome stale_answer(struct run *r, const struct block *b, const struct cache_key *key,
				 const struct dns_message *request, struct cache_item *item,
				 struct dns_message *reply)
{
	const struct cache_plugin *c = b->cache;
	from_item(r, item, c->stale_ttl ? c->stale_ttl : c->keep_ttl ? item->ttl_s : 0, reply);
	r->unstable = true;
	if (!c->verify_stale)
		background(r, b, key, request, item, true);
	else if (!c->recheck_ns || begin_again(c, item, r->now_ns))
		verified(r, b, key, request, item, reply);
	return OUT_WRITTEN;
}

enum outcome dns_cache_answer(struct run *r, const struct block *b,
			      const struct dns_message *request, struct dns_message *reply)
{
	struct cache_plugin *c = b->cache;
	struct cache_key key;
	if (!dns_names_match(&c->zones, &request->question.name))
		return dns_chain_backend(r, b, request, reply);
	make_key(request, &key);
	struct cache_item *item = find_item(c, &key, r->now_ns);
	if (!item) {
		r->server->stats.cache_misses++;
		return refresh(r, b, &key, request, reply);
	}
	r->server->stats.cache_hits++;
	int64_t left = remaining_s(item, r->now_ns);
	if (left <= 0)
		return stale_answer(r, b, &key, request, item, reply);
	from_item(r, item, c->keep_ttl ? item->ttl_s : (uint32_t)left, reply);
	note_stability(r, c, item);
	if (wants_prefetch(c, item, r->now_ns))
		background(r, b, &key, request, item, false);
	return OUT_WRITTEN;
}
