/* dns/message.c: messages measured, cut to size and written.
 *
 * The rules of sizes are those of the library under CoreDNS (miekg/dns 1.1.72: msg.go,
 * msg_truncate.go): compression compares names with their case.
 */
#include "dns/wire.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 12u
#define COMPRESSION_REACH 0x4000u

/* ---- sizes and compression --------------------------------------------------- */

/* Names written so far, by their suffixes with case; offsets below the reach of a
 * pointer only. Open addressing over entries that point into the records. */
struct compressor {
	struct suffix { const uint8_t *bytes; uint32_t hash; uint16_t length, offset; } *items;
	uint32_t count, capacity, *index, index_size;
};

static void compressor_free(struct compressor *c)
{
	free(c->items);
	free(c->index);
}

static uint32_t suffix_hash(const uint8_t *bytes, unsigned length)
{
	uint32_t h = 2166136261u;
	for (unsigned i = 0; i < length; i++)
		h = (h ^ bytes[i]) * 16777619u;
	return h;
}

static uint32_t *compressor_slot(struct compressor *c, const uint8_t *bytes, unsigned length,
				 uint32_t hash)
{
	uint32_t at = hash & (c->index_size - 1);
	for (; c->index[at]; at = (at + 1) & (c->index_size - 1)) {
		const struct suffix *s = &c->items[c->index[at] - 1];
		if (s->hash == hash && s->length == length && memcmp(s->bytes, bytes, length) == 0)
			break;
	}
	return &c->index[at];
}

static void compressor_grow(struct compressor *c)
{
	uint32_t size = c->index_size ? c->index_size * 2 : 64;
	free(c->index);
	c->index = mem_array(size, sizeof *c->index);
	c->index_size = size;
	for (uint32_t i = 0; i < c->count; i++) {
		struct suffix *s = &c->items[i];
		*compressor_slot(c, s->bytes, s->length, s->hash) = i + 1;
	}
}

/* How many octets of the name are written in full at `offset`; when a pointer follows,
 * *pointer is where to (else -1). Notes the new suffixes. `may` is false for names that
 * must not be compressed (they still serve later ones). */
static unsigned compress_name(struct compressor *c, const uint8_t *name, unsigned length,
			      size_t offset, bool may, int *pointer)
{
	*pointer = -1;
	for (unsigned i = 0; name[i]; i += name[i] + 1u) {
		uint32_t hash = suffix_hash(name + i, length - i);
		if (c->count * 2 >= c->index_size)
			compressor_grow(c);
		uint32_t *slot = compressor_slot(c, name + i, length - i, hash);
		if (*slot && may) {
			*pointer = c->items[*slot - 1].offset;
			return i;
		}
		if (*slot || offset + i >= COMPRESSION_REACH)
			continue;
		if (c->count == c->capacity) {
			uint32_t capacity = c->capacity ? c->capacity * 2 : 32;
			c->items = mem_grow(c->items, c->capacity, capacity, sizeof *c->items);
			c->capacity = capacity;
		}
		c->items[c->count] = (struct suffix){ name + i, hash, (uint16_t)(length - i),
						      (uint16_t)(offset + i) };
		*slot = ++c->count;
	}
	return length;
}

/* Where names lie in rdata: octets before the first, number of names, whether they may
 * be compressed (RFC 1035 types only). */
struct rdata_names { uint8_t before, count; bool may; };

static struct rdata_names names_in(uint16_t type)
{
	switch (type) {
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
		return (struct rdata_names){ 0, 1, true };
	case DNS_SOA:
		return (struct rdata_names){ 0, 2, true };
	case DNS_MX:
		return (struct rdata_names){ 2, 1, true };
	case DNS_SRV:
		return (struct rdata_names){ 6, 1, false };
	case DNS_DNAME:
		return (struct rdata_names){ 0, 1, false };
	default:
		return (struct rdata_names){ 0, 0, false };
	}
}

/* Length of the wire name at bytes[0..length), 0 when it does not end there. */
static unsigned wire_name_length(const uint8_t *bytes, unsigned length)
{
	unsigned i = 0;
	while (i < length && bytes[i])
		i += bytes[i] + 1u;
	return i < length ? i + 1 : 0;
}

static unsigned compressed_name(struct compressor *c, const uint8_t *name, unsigned length,
				size_t offset, bool may)
{
	int pointer;
	unsigned full = compress_name(c, name, length, offset, may, &pointer);
	return pointer < 0 ? full : full + 2;
}

/* Size of a record at `offset`; c NULL: without compression. */
static size_t record_size(struct compressor *c, const struct dns_rr *rr, size_t offset)
{
	if (!c)
		return rr->owner->length + 10u + rr->rdata_length;
	size_t size = compressed_name(c, rr->owner->bytes, rr->owner->length, offset, true) + 10u;
	struct rdata_names names = names_in(rr->type);
	unsigned at = names.before;
	if (rr->rdata_length < at)
		return size + rr->rdata_length;
	size += at;
	for (unsigned i = 0; i < names.count; i++) {
		unsigned length = wire_name_length(rr->rdata + at, rr->rdata_length - at);
		if (!length) /* a record without rdata, as some replies have them */
			break;
		size += compressed_name(c, rr->rdata + at, length, offset + size, names.may);
		at += length;
	}
	return size + rr->rdata_length - at;
}

static size_t section_size(struct compressor *c, const struct dns_section *s, size_t offset)
{
	size_t at = offset;
	for (uint32_t i = 0; i < s->count; i++)
		at += record_size(c, &s->items[i], at);
	return at - offset;
}

static size_t head_size(struct compressor *c, const struct dns_message *m)
{
	size_t size = HEADER_BYTES;
	if (!m->has_question)
		return size;
	const struct dns_name *name = &m->question.name;
	size += c ? compressed_name(c, name->bytes, name->length, size, true) : name->length;
	return size + 4;
}

static size_t edns_size(const struct dns_message *m)
{
	return m->edns.present ? 11u + m->edns.options_length : 0;
}

size_t dns_message_size(const struct dns_message *m, bool compress)
{
	struct compressor c = { 0 };
	struct compressor *with = compress ? &c : NULL;
	size_t at = head_size(with, m);
	at += section_size(with, &m->answer, at);
	at += section_size(with, &m->authority, at);
	at += section_size(with, &m->additional, at);
	compressor_free(&c);
	return at + edns_size(m);
}

/* As many records as fit below `size`; `*at` becomes `size` when one did not. */
static uint32_t fitting(struct compressor *c, const struct dns_section *s, size_t size, size_t *at)
{
	if (*at >= size)
		return 0;
	for (uint32_t i = 0; i < s->count; i++) {
		*at += record_size(c, &s->items[i], *at);
		if (*at > size) {
			*at = size;
			return i;
		}
		if (*at == size)
			return i + 1;
	}
	return s->count;
}

void dns_message_fit(struct dns_message *m, size_t size)
{
	if (size < 512)
		size = 512;
	m->compress = false;
	if (dns_message_size(m, false) <= size)
		return;
	m->compress = true;
	struct compressor c = { 0 };
	size_t room = size - (edns_size(m) < size ? edns_size(m) : size);
	size_t at = head_size(&c, m);
	uint32_t answers = fitting(&c, &m->answer, room, &at);
	uint32_t authorities = fitting(&c, &m->authority, room, &at);
	uint32_t additionals = fitting(&c, &m->additional, room, &at);
	if (answers < m->answer.count || authorities < m->authority.count ||
	    additionals < m->additional.count)
		m->flags |= DNS_TC;
	m->answer.count = answers;
	m->authority.count = authorities;
	m->additional.count = additionals;
	compressor_free(&c);
}

/* ---- writing ----------------------------------------------------------------- */

static void put16(struct strbuf *out, unsigned value)
{
	uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };
	strbuf_add(out, bytes, 2);
}

static void put32(struct strbuf *out, uint32_t value)
{
	put16(out, value >> 16);
	put16(out, value & 0xffff);
}

static void put_name(struct strbuf *out, struct compressor *c, size_t base, const uint8_t *name,
		     unsigned length, bool may)
{
	int pointer = -1;
	unsigned full = length;
	if (c)
		full = compress_name(c, name, length, out->length - base, may, &pointer);
	strbuf_add(out, name, full);
	if (pointer >= 0)
		put16(out, 0xc000u | (unsigned)pointer);
}

static void put_record(struct strbuf *out, struct compressor *c, size_t base,
		       const struct dns_rr *rr, uint8_t section, struct dns_marks *marks)
{
	size_t start = out->length;
	put_name(out, c, base, rr->owner->bytes, rr->owner->length, true);
	put16(out, rr->type);
	put16(out, rr->class);
	size_t ttl = out->length;
	put32(out, rr->ttl);
	size_t length_at = out->length;
	put16(out, rr->rdata_length);
	struct rdata_names names = names_in(rr->type);
	unsigned at = names.before;
	if (c && names.count && rr->rdata_length >= at) {
		strbuf_add(out, rr->rdata, at);
		for (unsigned i = 0; i < names.count; i++) {
			unsigned length = wire_name_length(rr->rdata + at, rr->rdata_length - at);
			if (!length)
				break;
			put_name(out, c, base, rr->rdata + at, length, names.may);
			at += length;
		}
		strbuf_add(out, rr->rdata + at, rr->rdata_length - at);
		size_t written = out->length - length_at - 2;
		out->data[length_at] = (char)(written >> 8);
		out->data[length_at + 1] = (char)written;
	} else {
		strbuf_add(out, rr->rdata, rr->rdata_length);
	}
	if (!marks)
		return;
	if (marks->count == marks->capacity) {
		uint32_t capacity = marks->capacity ? marks->capacity * 2 : 8;
		marks->items = mem_grow(marks->items, marks->capacity, capacity,
					sizeof *marks->items);
		marks->capacity = capacity;
	}
	marks->items[marks->count++] = (struct dns_mark){
		(uint32_t)(start - base), (uint32_t)(ttl - base), (uint32_t)(out->length - start),
		rr->type, section
	};
}

static void put_section(struct strbuf *out, struct compressor *c, size_t base,
			const struct dns_section *s, uint8_t section, struct dns_marks *marks)
{
	for (uint32_t i = 0; i < s->count; i++)
		put_record(out, c, base, &s->items[i], section, marks);
}

static void put_edns(struct strbuf *out, const struct dns_message *m)
{
	if (!m->edns.present)
		return;
	strbuf_putc(out, 0);
	put16(out, DNS_OPT);
	put16(out, m->edns.payload);
	put32(out,
	      (uint32_t)(m->rcode >> 4) << 24 | (uint32_t)m->edns.version << 16 | m->edns.flags);
	put16(out, m->edns.options_length);
	strbuf_add(out, m->edns.options, m->edns.options_length);
}

void dns_message_write(const struct dns_message *m, struct strbuf *out, struct dns_marks *marks)
{
	struct compressor table = { 0 };
	bool any = m->answer.count || m->authority.count || m->additional.count || m->edns.present;
	struct compressor *c = m->compress && any ? &table : NULL;
	size_t base = out->length;
	strbuf_reserve(out, 512);
	put16(out, m->id);
	put16(out, m->flags | (unsigned)m->opcode << 11 | (m->rcode & 15u));
	put16(out, m->has_question);
	put16(out, m->answer.count);
	put16(out, m->authority.count);
	put16(out, m->additional.count + m->edns.present);
	if (m->has_question) {
		put_name(out, c, base, m->question.name.bytes, m->question.name.length, true);
		put16(out, m->question.type);
		put16(out, m->question.class);
	}
	put_section(out, c, base, &m->answer, 0, marks);
	put_section(out, c, base, &m->authority, 1, marks);
	put_section(out, c, base, &m->additional, 2, marks);
	put_edns(out, m);
	compressor_free(&table);
}

void dns_query_write(uint16_t id, uint16_t flags, const struct dns_name *name, uint16_t type,
		     uint16_t edns_payload, struct strbuf *out)
{
	struct dns_message m = { .id = id, .flags = flags, .has_question = true };
	m.question.name = *name;
	m.question.type = type;
	m.question.class = DNS_IN;
	m.edns.present = edns_payload != 0;
	m.edns.payload = edns_payload;
	dns_message_write(&m, out, NULL);
}
