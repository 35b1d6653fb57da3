/* linux/ipset_print.c: `ipset save` and `ipset list` text; members sorted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/engine.h"
#include "linux/ipset_internal.h"

/* Names that ipset prints for ICMP types and codes (lib/icmp.c of ipset). */
static const struct { uint8_t type, code; const char *name; } icmp_names[] = {
	{ 0, 0, "echo-reply" }, { 3, 0, "network-unreachable" }, { 3, 1, "host-unreachable" },
	{ 3, 2, "protocol-unreachable" }, { 3, 3, "port-unreachable" },
	{ 3, 4, "fragmentation-needed" }, { 8, 0, "echo-request" }, { 11, 0, "ttl-zero-during-transit" } };

static void print_port(const struct member_key *k, struct strbuf *out)
{
	if (k->proto == PROTO_ICMP || k->proto == PROTO_ICMP6) {
		for (size_t i = 0; k->proto == PROTO_ICMP && i < sizeof icmp_names / sizeof *icmp_names; i++)
			if (k->port == (icmp_names[i].type << 8 | icmp_names[i].code)) {
				strbuf_printf(out, "icmp:%s", icmp_names[i].name);
				return;
			}
		strbuf_printf(out, "%s:%u/%u", k->proto == PROTO_ICMP ? "icmp" : "icmpv6", k->port >> 8,
			      k->port & 255u);
		return;
	}
	strbuf_printf(out, "%s:%u", proto_name(k->proto) ? proto_name(k->proto) : "any", k->port);
}

static void print_net(const struct net_addr *a, uint8_t bits, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	strbuf_puts(out, net_addr_text(a, text));
	if (bits != net_family_bits(a->family))
		strbuf_printf(out, "/%u", bits);
}

static void print_key(const struct ipset *s, const struct member_key *k, struct strbuf *out)
{
	char text[NET_ADDR_TEXT];
	if (s->type == SET_BITMAP_PORT) {
		strbuf_printf(out, "%u", k->port);
		return;
	}
	if (s->type == SET_HASH_NET) {
		print_net(&k->a, k->bits_a, out);
		return;
	}
	strbuf_puts(out, net_addr_text(&k->a, text));
	if (s->type == SET_HASH_IP)
		return;
	strbuf_putc(out, ',');
	print_port(k, out);
	if (s->type == SET_HASH_IP_PORT_IP)
		strbuf_printf(out, ",%s", net_addr_text(&k->b, text));
	else if (s->type == SET_HASH_IP_PORT_NET) {
		strbuf_putc(out, ',');
		print_net(&k->b, k->bits_b, out);
	}
}

static void print_member(const struct ipset *s, const struct member_key *k, const struct member *m,
			 int64_t now_ns, struct strbuf *out)
{
	print_key(s, k, out);
	if (s->has_timeout)
		strbuf_printf(out, " timeout %lld", m->expires_ns == INT64_MAX
			      ? 0LL : (long long)((m->expires_ns - now_ns) / NS_PER_S));
	if (m->nomatch)
		strbuf_puts(out, " nomatch");
	if (s->counters)
		strbuf_printf(out, " packets %llu bytes %llu", (unsigned long long)m->packets,
			      (unsigned long long)m->bytes);
	if (s->comments && m->comment)
		strbuf_printf(out, " comment \"%s\"", m->comment);
}

static int compare(const void *a, const void *b)
{
	const struct member_key *x = *(const struct member_key *const *)a,
				*y = *(const struct member_key *const *)b;
	int order = net_addr_compare(&x->a, &y->a);
	if (!order)
		order = x->bits_a - y->bits_a;
	if (!order)
		order = x->proto - y->proto;
	if (!order)
		order = x->port - y->port;
	if (!order)
		order = net_addr_compare(&x->b, &y->b);
	return order ? order : x->bits_b - y->bits_b;
}

static void print_members(const struct ipset *s, const char *front, struct strbuf *out)
{
	int64_t now = ipset_now(s->table);
	const void *key;
	uint32_t count = 0;
	for (uint32_t i = 0; i < s->list_count; i++)
		strbuf_printf(out, "%s%s\n", front, s->list[i]->name);
	const struct member_key **keys = mem_array(s->members.count + 1u, sizeof *keys);
	for (uint32_t i = 0; table_next(&s->members, &i, &key, NULL);)
		keys[count++] = key;
	qsort(keys, count, sizeof *keys, compare);
	for (uint32_t i = 0; i < count; i++) {
		const struct member *m = ipset_member(s, keys[i], now);
		if (!m)
			continue;
		strbuf_puts(out, front);
		print_member(s, keys[i], m, now, out);
		strbuf_putc(out, '\n');
	}
	free(keys);
}

static void print_options(const struct ipset *s, struct strbuf *out)
{
	if (s->type == SET_BITMAP_PORT)
		strbuf_printf(out, "range %u-%u", s->range_min, s->range_max);
	else if (s->type == SET_LIST)
		strbuf_printf(out, "size %u", s->size);
	else
		strbuf_printf(out, "family %s hashsize %u maxelem %u", s->family == NET_V6 ? "inet6" : "inet",
			      s->hashsize, s->maxelem);
	if (s->netmask)
		strbuf_printf(out, " netmask %u", s->netmask);
	if (s->has_timeout)
		strbuf_printf(out, " timeout %u", s->timeout_s);
	if (s->counters)
		strbuf_puts(out, " counters");
	if (s->comments)
		strbuf_puts(out, " comment");
	if (s->has_bucketsize)
		strbuf_printf(out, " bucketsize %u", s->bucketsize);
	if (s->has_initval)
		strbuf_printf(out, " initval 0x%08x", s->initval);
}

static void save_one(const struct ipset *s, struct strbuf *out)
{
	char front[SET_NAME_BYTES + 8];
	strbuf_printf(out, "create %s %s ", s->name, ipset_type_name(s->type));
	print_options(s, out);
	strbuf_putc(out, '\n');
	snprintf(front, sizeof front, "add %s ", s->name);
	print_members(s, front, out);
}

/* Lists come last: their members must exist when they are restored. */
void ipset_save(const struct ipset_table *t, struct strbuf *out)
{
	for (int lists = 0; lists < 2; lists++)
		for (uint32_t i = 0; i < t->count; i++)
			if ((t->sets[i]->type == SET_LIST) == lists)
				save_one(t->sets[i], out);
}

static void list_one(const struct ipset *s, struct strbuf *out)
{
	uint32_t entries = s->list_count;
	const void *key;
	int64_t now = ipset_now(s->table);
	for (uint32_t i = 0; table_next(&s->members, &i, &key, NULL);)
		entries += ipset_member(s, key, now) != NULL;
	strbuf_printf(out, "Name: %s\nType: %s\nHeader: ", s->name, ipset_type_name(s->type));
	print_options(s, out);
	strbuf_printf(out, "\nReferences: %u\nNumber of entries: %u\nMembers:\n", s->references, entries);
	print_members(s, "", out);
}

void ipset_list(const struct ipset_table *t, const char *name, struct strbuf *out)
{
	bool first = true;
	for (uint32_t i = 0; i < t->count; i++) {
		if (name && strcmp(t->sets[i]->name, name) != 0)
			continue;
		if (!first)
			strbuf_putc(out, '\n');
		first = false;
		list_one(t->sets[i], out);
	}
}
