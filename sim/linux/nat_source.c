/* linux/nat_source.c: connections by their source (nf_nat_bysource).
 *
 * What comes from one address and port of a client gets one address and port outside,
 * whatever it dials: a new connection that needs a source takes over that of the newest
 * connection from the same source, when it lies in the range and nobody needs that tuple.
 * Random ports (--random, --random-fully: kube-proxy's choice) never ask, so the index
 * comes into being with the first question.
 */
#include <string.h>

#include "core/arena.h"
#include "linux/conntrack_internal.h"

struct source_key {
	struct net_addr addr;
	uint16_t port, zone;
	uint8_t proto, pad[3];
};

static struct source_key key_of(const struct flow_key *original, uint16_t zone)
{
	struct source_key key;
	memset(&key, 0, sizeof key);
	key.addr = original->src;
	key.port = original->src_port;
	key.zone = zone;
	key.proto = original->proto;
	return key;
}

static void link_newest(struct conntrack *ct, struct ct_entry *e)
{
	struct source_key key = key_of(&e->tuple[DIR_ORIGINAL], e->zone);
	struct ct_entry **newest = table_put(&ct->by_source, &key, NULL);
	e->older = *newest;
	if (e->older)
		e->older->newer = e;
	*newest = e;
}

static void make_index(struct conntrack *ct)
{
	const void *key;
	void *value;
	table_init(&ct->by_source, sizeof(struct source_key), sizeof(struct ct_entry *));
	for (uint32_t i = 0; table_next(&ct->entries, &i, &key, &value);) {
		struct ct_entry *e = *(struct ct_entry **)value;
		const struct ct_key *k = key;
		if (memcmp(&k->flow, &e->tuple[DIR_ORIGINAL], sizeof k->flow) == 0)
			link_newest(ct, e);
	}
}

void nat_source_add(struct conntrack *ct, struct ct_entry *e)
{
	if (ct->by_source.stride)
		link_newest(ct, e);
}

void nat_source_remove(struct conntrack *ct, struct ct_entry *e)
{
	struct source_key key = key_of(&e->tuple[DIR_ORIGINAL], e->zone);
	struct ct_entry **newest = ct->by_source.stride ? table_find(&ct->by_source, &key) : NULL;
	if (e->older)
		e->older->newer = e->newer;
	if (e->newer)
		e->newer->older = e->older;
	else if (newest && *newest == e && e->older)
		*newest = e->older;
	else if (newest && *newest == e)
		table_remove(&ct->by_source, &key);
	e->older = e->newer = NULL;
}

bool nat_source_find(struct conntrack *ct, const struct flow_key *from, uint16_t zone,
		     bool (*fits)(const void *ctx, const struct flow_key *k), const void *ctx,
		     struct flow_key *out)
{
	struct source_key key = key_of(from, zone);
	struct ct_entry *next;
	if (!ct->by_source.stride)
		make_index(ct);
	struct ct_entry **newest = table_find(&ct->by_source, &key);
	for (struct ct_entry *e = newest ? *newest : NULL; e; e = next) {
		next = e->older;
		if (e->expires_ns <= ct_now(ct)) {
			ct_kill(e);
			continue;
		}
		*out = ct_invert(&e->tuple[DIR_REPLY], from->src.family);
		out->dst = from->dst;
		out->dst_port = from->dst_port;
		if (fits(ctx, out))
			return true;
	}
	return false;
}
