/* linux/ipset.c: sets, their members, and the match.
 *
 * All types but list:set share one table of members. A dimension that is a network is
 * looked up once per prefix length in use, longest first, as the kernel does; an entry
 * with nomatch ends the search with no.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/ipset_internal.h"
#include "linux/netns.h"

int64_t ipset_now(const struct ipset_table *t)
{
	return t->ns ? engine_now(netns_env(t->ns)->engine) : 0;
}

static const char *const type_names[] = { "hash:ip", "hash:net", "hash:ip,port", "hash:ip,port,ip",
					  "hash:ip,port,net", "bitmap:port", "list:set" };

const char *ipset_type_name(enum set_type type)
{
	return type_names[type];
}

bool ipset_has_net(enum set_type type)
{
	return type == SET_HASH_NET || type == SET_HASH_IP_PORT_NET;
}

struct ipset_table *ipset_new(struct netns *ns)
{
	struct ipset_table *t = mem_alloc(sizeof *t);
	t->ns = ns;
	table_init(&t->by_name, TABLE_STRING_KEYS, sizeof(struct ipset *));
	return t;
}

static void free_set(struct ipset *s)
{
	ipset_clear(s);
	table_free(&s->members);
	free(s->list);
	free(s);
}

void ipset_free(struct ipset_table *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->count; i++)
		if (t->sets[i]->type == SET_LIST)
			ipset_clear(t->sets[i]);
	for (uint32_t i = 0; i < t->count; i++)
		free_set(t->sets[i]);
	free(t->sets);
	table_free(&t->by_name);
	free(t);
}

struct ipset *ipset_find(const struct ipset_table *t, const char *name)
{
	struct ipset **found = table_find(&t->by_name, name);
	return found ? *found : NULL;
}

unsigned ipset_dimensions(const struct ipset *s)
{
	switch (s->type) {
	case SET_HASH_IP_PORT:
		return 2;
	case SET_HASH_IP_PORT_IP:
	case SET_HASH_IP_PORT_NET:
	case SET_LIST: /* as many as its members need */
		return 3;
	default:
		return 1;
	}
}

void ipset_hold(struct ipset *s)
{
	s->references++;
}

void ipset_drop(struct ipset *s)
{
	s->references--;
}

struct ipset *ipset_create(struct ipset_table *t, const struct ipset *like)
{
	struct ipset *s = mem_alloc(sizeof *s);
	*s = *like;
	s->table = t;
	table_init(&s->members, sizeof(struct member_key), sizeof(struct member));
	if (t->count == t->capacity) {
		uint32_t more = t->capacity ? t->capacity * 2 : 16;
		t->sets = mem_grow(t->sets, t->capacity, more, sizeof *t->sets);
		t->capacity = more;
	}
	t->sets[t->count++] = s;
	*(struct ipset **)table_put(&t->by_name, s->name, NULL) = s;
	return s;
}

void ipset_destroy(struct ipset *s)
{
	struct ipset_table *t = s->table;
	uint32_t i = 0;
	while (t->sets[i] != s)
		i++;
	memmove(&t->sets[i], &t->sets[i + 1], (t->count - i - 1) * sizeof *t->sets);
	t->count--;
	table_remove(&t->by_name, s->name);
	free_set(s);
}

void ipset_rename(struct ipset *s, const char *name)
{
	struct ipset_table *t = s->table;
	table_remove(&t->by_name, s->name);
	snprintf(s->name, sizeof s->name, "%s", name);
	*(struct ipset **)table_put(&t->by_name, s->name, NULL) = s;
}

void ipset_clear(struct ipset *s)
{
	void *value;
	for (uint32_t i = 0; table_next(&s->members, &i, NULL, &value);)
		free(((struct member *)value)->comment);
	table_clear(&s->members);
	memset(s->lengths, 0, sizeof s->lengths);
	memset(s->length_uses, 0, sizeof s->length_uses);
	for (uint32_t i = 0; i < s->list_count; i++)
		ipset_drop(s->list[i]);
	s->list_count = 0;
}

static uint8_t net_bits(const struct ipset *s, const struct member_key *key)
{
	return s->type == SET_HASH_NET ? key->bits_a : key->bits_b;
}

static void count_length(struct ipset *s, const struct member_key *key, int by)
{
	uint8_t bits = net_bits(s, key);
	if (!ipset_has_net(s->type))
		return;
	s->length_uses[bits] += (uint32_t)by;
	if (s->length_uses[bits])
		s->lengths[bits / 64] |= UINT64_C(1) << bits % 64;
	else
		s->lengths[bits / 64] &= ~(UINT64_C(1) << bits % 64);
}

struct member *ipset_member(const struct ipset *s, const struct member_key *key, int64_t now_ns)
{
	struct member *m = table_find(&s->members, key);
	return m && m->expires_ns > now_ns ? m : NULL;
}

bool ipset_delete(struct ipset *s, const struct member_key *key)
{
	struct member *m = table_find(&s->members, key);
	if (!m)
		return false;
	bool live = m->expires_ns > ipset_now(s->table);
	free(m->comment);
	table_remove(&s->members, key);
	count_length(s, key, -1);
	return live;
}

/* Members whose time is over are removed when the set seems full. */
static void sweep(struct ipset *s, int64_t now_ns)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; s->has_timeout && table_next(&s->members, &i, &key, &value);) {
		struct member_key copy = *(const struct member_key *)key;
		if (((struct member *)value)->expires_ns <= now_ns)
			ipset_delete(s, &copy);
	}
}

int ipset_insert(struct ipset *s, const struct member_key *key, const struct member *m)
{
	int64_t now = ipset_now(s->table);
	bool added;
	if (ipset_member(s, key, now))
		return EEXIST;
	ipset_delete(s, key); /* an expired one */
	if (s->type != SET_BITMAP_PORT && s->members.count >= s->maxelem) {
		sweep(s, now);
		if (s->members.count >= s->maxelem)
			return ENOSPC;
	}
	struct member *to = table_put(&s->members, key, &added);
	*to = *m;
	to->comment = m->comment ? mem_strdup(m->comment) : NULL;
	count_length(s, key, 1);
	return 0;
}

/* ---- match ---- */

/* The port dimension; false: the protocol has none. */
static bool port_of(const struct packet *p, bool src, uint16_t *port)
{
	if (p->fragment || !p->l4)
		return false;
	switch (p->proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_SCTP:
		*port = src ? packet_src_port(p) : packet_dst_port(p);
		return true;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		*port = (uint16_t)(packet_icmp_type(p) << 8 | packet_icmp_code(p));
		return true;
	default:
		return false;
	}
}

static struct net_addr side(const struct packet *p, bool src)
{
	return src ? packet_src(p) : packet_dst(p);
}

static struct net_addr masked(const struct net_addr *a, uint8_t bits)
{
	struct net_prefix prefix = { *a, bits };
	return net_prefix_masked(&prefix).addr;
}

/* Longest prefix first over the lengths in use. */
static const struct member *find_net(const struct ipset *s, struct member_key *key, int64_t now_ns)
{
	struct net_addr full = s->type == SET_HASH_NET ? key->a : key->b;
	for (int bits = (int)net_family_bits(s->family); bits >= 0; bits--) {
		if (!(s->lengths[bits / 64] >> bits % 64 & 1))
			continue;
		if (s->type == SET_HASH_NET) {
			key->a = masked(&full, (uint8_t)bits);
			key->bits_a = (uint8_t)bits;
		} else {
			key->b = masked(&full, (uint8_t)bits);
			key->bits_b = (uint8_t)bits;
		}
		const struct member *m = ipset_member(s, key, now_ns);
		if (m)
			return m;
	}
	return NULL;
}

bool ipset_match(const struct ipset *s, const struct packet *p, unsigned src, int64_t now_ns)
{
	struct member_key key;
	memset(&key, 0, sizeof key);
	if (s->type == SET_LIST) {
		for (uint32_t i = 0; i < s->list_count; i++)
			if (ipset_match(s->list[i], p, src, now_ns))
				return true;
		return false;
	}
	if (s->type == SET_BITMAP_PORT)
		return port_of(p, src & 1, &key.port) && p->proto != PROTO_ICMP &&
		       p->proto != PROTO_ICMP6 && ipset_member(s, &key, now_ns);
	if (p->family != s->family)
		return false;
	key.a = side(p, src & 1);
	if (s->netmask)
		key.a = masked(&key.a, s->netmask);
	if (s->type != SET_HASH_IP && s->type != SET_HASH_NET) {
		if (!port_of(p, src & 2, &key.port))
			return false;
		key.proto = p->proto;
	}
	if (s->type == SET_HASH_IP_PORT_IP || s->type == SET_HASH_IP_PORT_NET)
		key.b = side(p, src & 4);
	const struct member *m = ipset_has_net(s->type) ? find_net(s, &key, now_ns)
							: ipset_member(s, &key, now_ns);
	return m && !m->nomatch;
}
