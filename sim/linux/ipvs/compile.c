/* linux/ipvs/compile.c: schedulers that hash into a table made when servers change.
 *
 * sh: 256 buckets, filled round the list, each server as often in a row as its weight;
 * keyed by the client's address (and port). dh: the same without weights, keyed by the
 * virtual address. mh: Google's Maglev table of 4093 entries (IP_VS_MH_TAB_INDEX 12).
 * Facts from ip_vs_sh.c, ip_vs_dh.c, ip_vs_mh.c, linux/hash.h, lib/siphash.c and from a
 * 6.1 kernel's choices.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/ipvs/internal.h"

#define BUCKETS 256u
#define MAGLEV 4093u
#define MAGLEV_BITS 6
#define GOLDEN_RATIO_32 0x61C88647u

/* IPv6 addresses are folded to 32 bits. */
static uint32_t fold(const struct net_addr *a)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < (a->family == NET_V6 ? 16u : 4u); i += 4)
		sum ^= (uint32_t)a->bytes[i] << 24 | (uint32_t)a->bytes[i + 1] << 16 |
		       (uint32_t)a->bytes[i + 2] << 8 | a->bytes[i + 3];
	return sum;
}

static uint32_t hash_32(uint32_t value)
{
	return value * GOLDEN_RATIO_32 >> 24;
}

static void fill(struct ipvs_service *s, bool weighted)
{
	int taken = 0;
	uint32_t at = 0;
	free(s->hash);
	s->hash = NULL;
	if (!s->dest_count)
		return;
	s->hash = mem_array(BUCKETS, sizeof *s->hash);
	for (uint32_t i = 0; i < BUCKETS; i++) {
		s->hash[i] = s->dests[at];
		if (++taken >= (weighted ? s->dests[at]->weight : 1)) {
			at = (at + 1) % s->dest_count;
			taken = 0;
		}
	}
}

void sh_changed(struct ipvs_service *s, const struct ipvs_dest *gone)
{
	(void)gone;
	fill(s, true);
}

void dh_changed(struct ipvs_service *s, const struct ipvs_dest *gone)
{
	(void)gone;
	fill(s, false);
}

static struct ipvs_dest *if_usable(struct ipvs_dest *d)
{
	return d && ipvs_can_take(d) ? d : NULL;
}

struct ipvs_dest *sh_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	struct net_addr from = packet_src(p);
	uint32_t key = fold(&from) + (s->flags & SVC_SCHED2 ? packet_src_port(p) : 0);
	(void)v;
	if (!s->hash)
		return NULL;
	uint32_t first = hash_32(key) % BUCKETS;
	struct ipvs_dest *d = if_usable(s->hash[first]);
	if (d || !(s->flags & SVC_SCHED1))
		return d;
	for (uint32_t offset = 0; offset < BUCKETS && !d; offset++)
		d = if_usable(s->hash[((offset + first) % BUCKETS + hash_32(key)) % BUCKETS]);
	return d;
}

struct ipvs_dest *dh_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	struct net_addr to = packet_dst(p);
	(void)v;
	return s->hash ? if_usable(s->hash[hash_32(fold(&to)) % BUCKETS]) : NULL;
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1], v[1] = rotate(v[1], 13), v[1] ^= v[0], v[0] = rotate(v[0], 32);
	v[2] += v[3], v[3] = rotate(v[3], 16), v[3] ^= v[2];
	v[0] += v[3], v[3] = rotate(v[3], 21), v[3] ^= v[0];
	v[2] += v[1], v[1] = rotate(v[1], 17), v[1] ^= v[2], v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 of one 32-bit word, cut to 32 bits: hsiphash on 64-bit machines. */
static uint32_t siphash(uint32_t word, uint64_t key)
{
	uint64_t b = (uint64_t)4 << 56 | word;
	uint64_t v[4] = { UINT64_C(0x736f6d6570736575) ^ key, UINT64_C(0x646f72616e646f6d) ^ key,
			  UINT64_C(0x6c7967656e657261) ^ key, UINT64_C(0x7465646279746573) ^ key };
	v[3] ^= b;
	sip_round(v);
	v[0] ^= b;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

static uint32_t maglev_hash(const struct net_addr *a, uint32_t port, bool second, uint32_t offset)
{
	return siphash(offset + port + fold(a), second ? 2654446892u : 2654435761u);
}

static int gcd_of_weights(const struct ipvs_service *s, int *max)
{
	int all = 0;
	*max = 0;
	for (uint32_t i = 0; i < s->dest_count; i++) {
		int w = s->dests[i]->last_weight;
		*max = w > *max ? w : *max;
		for (int b = w > 0 ? w : 0; b;) {
			int rest = all % b;
			all = b;
			b = rest;
		}
	}
	return all;
}

struct maglev { uint32_t next, skip; int turns; };

static void maglev_prepare(const struct ipvs_service *s, struct maglev *m, int divisor, int max)
{
	int shift = 0, bits = 0;
	for (int w = max / divisor; w; w >>= 1)
		bits++;
	shift = bits > MAGLEV_BITS ? bits - MAGLEV_BITS : 0;
	for (uint32_t i = 0; i < s->dest_count; i++) {
		const struct ipvs_dest *d = s->dests[i];
		m[i].next = maglev_hash(&d->at.addr, d->at.port, false, 0) % MAGLEV;
		m[i].skip = maglev_hash(&d->at.addr, d->at.port, true, 0) % (MAGLEV - 1) + 1;
		m[i].turns = d->last_weight / divisor >> shift;
		if (!m[i].turns)
			m[i].turns = d->last_weight != 0;
	}
}

/* Each server in turn takes the next free place of its own permutation. */
void mh_changed(struct ipvs_service *s, const struct ipvs_dest *gone)
{
	int max, divisor = gcd_of_weights(s, &max);
	uint32_t filled = 0;
	(void)gone;
	free(s->hash);
	s->hash = NULL;
	if (divisor < 1)
		return;
	struct maglev *m = mem_array(s->dest_count, sizeof *m);
	maglev_prepare(s, m, divisor, max);
	s->hash = mem_array(MAGLEV, sizeof *s->hash);
	for (uint32_t i = 0; filled < MAGLEV; i = (i + 1) % s->dest_count)
		for (int turn = 0; turn < m[i].turns && filled < MAGLEV; turn++) {
			while (s->hash[m[i].next])
				m[i].next = (m[i].next + m[i].skip) % MAGLEV;
			s->hash[m[i].next] = s->dests[i];
			filled++;
		}
	free(m);
}

struct ipvs_dest *mh_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	struct net_addr from = packet_src(p);
	uint32_t port = s->flags & SVC_SCHED2 ? packet_src_port(p) : 0;
	(void)v;
	if (!s->hash)
		return NULL;
	uint32_t first = maglev_hash(&from, port, false, 0) % MAGLEV;
	struct ipvs_dest *d = if_usable(s->hash[first]);
	if (d || !(s->flags & SVC_SCHED1))
		return d;
	for (uint32_t offset = 0; offset < MAGLEV && !d; offset++)
		d = if_usable(s->hash[maglev_hash(&from, port, false, (offset + first) % MAGLEV) % MAGLEV]);
	return d;
}
