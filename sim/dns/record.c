/* dns/record.c: records and sections of messages; see wire.h. */
#include "dns/wire.h"

#include <string.h>

void dns_section_add(struct arena *a, struct dns_section *s, const struct dns_rr *rr)
{
	if (s->count == s->capacity) {
		uint32_t capacity = s->capacity ? s->capacity * 2 : 4;
		struct dns_rr *items = arena_array(a, capacity, sizeof *items);
		if (s->count)
			memcpy(items, s->items, s->count * sizeof *items);
		s->items = items;
		s->capacity = capacity;
	}
	s->items[s->count++] = *rr;
}

struct dns_name *dns_name_keep(struct arena *a, const struct dns_name *n)
{
	struct dns_name *kept = arena_alloc(a, offsetof(struct dns_name, bytes) + n->length);
	memcpy(kept, n, offsetof(struct dns_name, bytes) + n->length);
	return kept;
}

static struct dns_rr record(const struct dns_name *owner, uint16_t type, uint32_t ttl,
			    const uint8_t *rdata, size_t length)
{
	return (struct dns_rr){ owner, type, DNS_IN, ttl, (uint16_t)length, rdata };
}

struct dns_rr dns_rr_address(struct arena *a, const struct dns_name *owner, uint32_t ttl,
			     const struct net_addr *addr)
{
	size_t length = addr->family == NET_V4 ? 4 : 16;
	uint8_t *rdata = arena_alloc(a, length);
	memcpy(rdata, addr->bytes, length);
	return record(owner, addr->family == NET_V4 ? DNS_A : DNS_AAAA, ttl, rdata, length);
}

struct dns_rr dns_rr_target(struct arena *a, const struct dns_name *owner, uint16_t type,
			    uint32_t ttl, const struct dns_name *target)
{
	uint8_t *rdata = arena_alloc(a, target->length);
	memcpy(rdata, target->bytes, target->length);
	return record(owner, type, ttl, rdata, target->length);
}

static uint8_t *put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
	return p + 2;
}

struct dns_rr dns_rr_srv(struct arena *a, const struct dns_name *owner, uint32_t ttl,
			 uint16_t priority, uint16_t weight, uint16_t port,
			 const struct dns_name *target)
{
	uint8_t *rdata = arena_alloc(a, 6u + target->length);
	memcpy(put16(put16(put16(rdata, priority), weight), port), target->bytes, target->length);
	return record(owner, DNS_SRV, ttl, rdata, 6u + target->length);
}

struct dns_rr dns_rr_txt(struct arena *a, const struct dns_name *owner, uint32_t ttl,
			 const char *text)
{
	size_t length = strlen(text), at = 0;
	uint8_t *rdata = arena_alloc(a, length + length / 255 + 1), *p = rdata;
	do {
		size_t part = length - at < 255 ? length - at : 255;
		*p++ = (uint8_t)part;
		memcpy(p, text + at, part);
		p += part;
		at += part;
	} while (at < length);
	return record(owner, DNS_TXT, ttl, rdata, (size_t)(p - rdata));
}

struct dns_rr dns_rr_soa(struct arena *a, const struct dns_name *owner, uint32_t ttl,
			 const struct dns_name *primary, const struct dns_name *mailbox,
			 const struct dns_soa *soa)
{
	const uint32_t fields[] = { soa->serial, soa->refresh, soa->retry, soa->expire,
				    soa->minimum };
	size_t names = (size_t)primary->length + mailbox->length;
	uint8_t *rdata = arena_alloc(a, names + 20), *p = rdata + names;
	memcpy(rdata, primary->bytes, primary->length);
	memcpy(rdata + primary->length, mailbox->bytes, mailbox->length);
	for (unsigned i = 0; i < 5; i++)
		p = put16(put16(p, (uint16_t)(fields[i] >> 16)), (uint16_t)fields[i]);
	return record(owner, DNS_SOA, ttl, rdata, names + 20);
}

bool dns_rr_get_target(const struct dns_rr *rr, struct dns_name *out)
{
	unsigned before;
	switch (rr->type) {
	case DNS_CNAME:
	case DNS_NS:
	case DNS_PTR:
	case DNS_DNAME:
		before = 0;
		break;
	case DNS_MX:
		before = 2;
		break;
	case DNS_SRV:
		before = 6;
		break;
	default:
		return false;
	}
	if (rr->rdata_length <= before || rr->rdata_length - before > DNS_NAME_BYTES)
		return false;
	memset(out, 0, sizeof *out);
	out->length = (uint8_t)(rr->rdata_length - before);
	memcpy(out->bytes, rr->rdata + before, out->length);
	return true;
}

bool dns_rr_get_address(const struct dns_rr *rr, struct net_addr *out)
{
	memset(out, 0, sizeof *out);
	if (rr->type == DNS_A && rr->rdata_length == 4)
		out->family = NET_V4;
	else if (rr->type == DNS_AAAA && rr->rdata_length == 16)
		out->family = NET_V6;
	else
		return false;
	memcpy(out->bytes, rr->rdata, rr->rdata_length);
	return true;
}
