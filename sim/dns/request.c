/* dns/request.c: a request taken apart as the server sees it.
 *
 * The rules are those of the library under CoreDNS (miekg/dns 1.1.72: acceptfunc.go,
 * msg.go, ztypes.go): counts may lie at the end of a message, octets behind it are
 * ignored, records that nobody looks at must be well formed all the same.
 */
#include "dns/wire.h"

#include <string.h>

#define HEADER_BYTES 12u
#define POINTERS_MAX 126u

/* ---- names and options ---------------------------------------------------------- */

struct reader {
	const uint8_t *bytes;
	size_t length, at;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool read16(struct reader *r, uint16_t *out)
{
	if (r->length - r->at < 2)
		return false;
	*out = get16(r->bytes + r->at);
	r->at += 2;
	return true;
}

/* Reads a name, following pointers. */
static bool read_name(struct reader *r, struct dns_name *out)
{
	size_t at = r->at;
	unsigned pointers = 0, used = 0;
	memset(out, 0, sizeof *out);
	for (;;) {
		if (at >= r->length)
			return false;
		unsigned c = r->bytes[at++];
		if ((c & 0xc0) == 0xc0) {
			if (at >= r->length || ++pointers > POINTERS_MAX)
				return false;
			if (pointers == 1)
				r->at = at + 1;
			at = (c & 0x3fu) << 8 | r->bytes[at];
			continue;
		}
		if (c & 0xc0)
			return false;
		if (c == 0)
			break;
		if (c > r->length - at || used + c + 1 >= DNS_NAME_BYTES)
			return false;
		out->bytes[used++] = (uint8_t)c;
		memcpy(out->bytes + used, r->bytes + at, c);
		used += c;
		at += c;
	}
	if (!pointers)
		r->at = at;
	out->length = (uint8_t)(used + 1);
	return true;
}

/* The options whose form the library checks. */
static bool option_ok(uint16_t code, const uint8_t *data, unsigned length)
{
	switch (code) {
	case 1: /* LLQ */
		return length >= 18;
	case 2: /* update lease */
		return length == 4 || length == 8;
	case 8: /* client subnet */
		if (length < 4)
			return false;
		switch (get16(data)) {
		case 0:
			return data[2] == 0;
		case 1:
			return data[2] <= 32 && data[3] <= 32;
		case 2:
			return data[2] <= 128 && data[3] <= 128;
		default:
			return false;
		}
	case 9: /* expire */
		return length == 0 || length >= 4;
	case 11: /* TCP keepalive */
		return length == 0 || length == 2;
	case 15: /* extended error */
	case 19: /* zone version */
		return length >= 2;
	default:
		return true;
	}
}

static bool options_ok(const uint8_t *data, unsigned length)
{
	unsigned at = 0;
	while (at < length) {
		if (length - at < 4)
			return false;
		unsigned size = get16(data + at + 2);
		if (size > length - at - 4 || !option_ok(get16(data + at), data + at + 4, size))
			return false;
		at += 4 + size;
	}
	return true;
}

/* ---- rdata -------------------------------------------------------------------- */

/* How the rdata of a type is made, field by field: n a name, s a string with its length
 * in front, S such strings to the end, T a type bitmap, v SVCB parameters, o EDNS
 * options, x anything to the end, l and L octets with their number in one or two octets
 * in front, and a digit: so many octets. NULL: anything goes, as for types the library
 * does not know; APL, IPSECKEY, HIP and AMTRELAY, whose fields decide on others, are not
 * looked into either. */
static const char *rdata_form(uint16_t type)
{
	static const struct { uint16_t type; const char *form; } forms[] = {
		{ DNS_A, "4" }, { DNS_NS, "n" }, { 3, "n" }, { 4, "n" }, { DNS_CNAME, "n" },
		{ DNS_SOA, "nn44444" }, { 7, "n" }, { 8, "n" }, { 9, "n" }, { DNS_PTR, "n" },
		{ DNS_HINFO, "ss" }, { 14, "nn" }, { DNS_MX, "2n" }, { DNS_TXT, "S" },
		{ 17, "nn" }, { 18, "2n" }, { 19, "s" }, { 20, "ss" }, { 21, "2n" }, { 23, "n" },
		{ 24, "2114442nx" }, { 25, "211x" }, { 26, "2nn" }, { 27, "sss" },
		{ DNS_AAAA, "88" }, { 29, "1111444" }, { 30, "nT" }, { DNS_SRV, "222n" },
		{ 35, "22sssn" }, { 36, "2n" }, { 37, "221x" }, { DNS_DNAME, "n" },
		{ DNS_OPT, "o" }, { DNS_DS, "211x" }, { 44, "11x" }, { DNS_RRSIG, "2114442nx" },
		{ DNS_NSEC, "nT" }, { 48, "211x" }, { 50, "112llT" }, { 51, "112l" },
		{ 52, "111x" }, { 53, "111x" }, { 56, "S" }, { 57, "211x" }, { 58, "nn" },
		{ 59, "211x" }, { 60, "211x" }, { 62, "42T" }, { 63, "411x" }, { 64, "2nv" },
		{ 65, "2nv" }, { 99, "S" }, { 100, "s" }, { 101, "4" }, { 102, "4" },
		{ 104, "28" }, { 105, "24" }, { 106, "28" }, { 107, "2n" }, { 108, "6" },
		{ 109, "8" }, { 128, "" }, { 249, "n4422LL" }, { 250, "n62L22L" },
		{ DNS_ANY, "" }, { 256, "22x" }, { 257, "1sx" }, { 258, "S" }, { 261, "S" },
		{ 32768, "211x" }, { 32769, "211x" },
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (forms[i].type == type)
			return forms[i].form;
	return NULL;
}

static bool skip(struct reader *r, size_t octets)
{
	if (r->length - r->at < octets)
		return false;
	r->at += octets;
	return true;
}

/* Octets with their number in `wide` octets in front. Number and octets may be two fields
 * (`apart`), between which the rdata may end. */
static bool skip_counted(struct reader *r, unsigned wide, bool apart)
{
	if (r->length - r->at < wide)
		return false;
	unsigned count = wide == 1 ? r->bytes[r->at] : get16(r->bytes + r->at);
	r->at += wide;
	return (apart && r->at == r->length) || skip(r, count);
}

/* Windows in rising order, of 1 to 32 octets each. */
static bool skip_bitmap(struct reader *r)
{
	int last = -1;
	while (r->at < r->length) {
		if (r->length - r->at < 2)
			return false;
		int window = r->bytes[r->at];
		unsigned octets = r->bytes[r->at + 1];
		r->at += 2;
		if (window <= last || !octets || octets > 32 || !skip(r, octets))
			return false;
		last = window;
	}
	return true;
}

/* Parameters in rising order of their keys. */
static bool skip_parameters(struct reader *r)
{
	int last = -1;
	while (r->at < r->length) {
		uint16_t key, octets;
		if (!read16(r, &key) || !read16(r, &octets) || key == 65535 || key <= last ||
		    !skip(r, octets))
			return false;
		last = key;
	}
	return true;
}

static bool skip_field(struct reader *r, char field)
{
	struct dns_name name;
	switch (field) {
	case 'n':
		return read_name(r, &name);
	case 's':
		return skip_counted(r, 1, false);
	case 'l':
		return skip_counted(r, 1, true);
	case 'L':
		return skip_counted(r, 2, true);
	case 'S':
		while (r->at < r->length)
			if (!skip_counted(r, 1, false))
				return false;
		return true;
	case 'T':
		return skip_bitmap(r);
	case 'v':
		return skip_parameters(r);
	case 'o':
		return options_ok(r->bytes + r->at, (unsigned)(r->length - r->at)) &&
		       skip(r, r->length - r->at);
	case 'x':
		return skip(r, r->length - r->at);
	default:
		return skip(r, (size_t)(field - '0'));
	}
}

/* Whether rdata (not empty) is well formed. It may end early, between two fields. */
static bool rdata_ok(const struct reader *message, size_t at, uint16_t type, uint16_t length)
{
	struct reader r = { message->bytes, at + length, at };
	const char *form = rdata_form(type);
	if (!form)
		return true;
	for (; *form && r.at < r.length; form++)
		if (!skip_field(&r, *form))
			return false;
	return r.at == r.length;
}

/* ---- requests ------------------------------------------------------------------- */

static void take_edns(struct arena *a, const struct reader *r, size_t at, uint16_t class,
		      const uint8_t ttl[4], uint16_t length, struct dns_edns *out)
{
	uint8_t *options = arena_alloc(a, length + 1u);
	memcpy(options, r->bytes + at, length);
	*out = (struct dns_edns){ .present = true,
				  .extended_rcode = ttl[0],
				  .version = ttl[1],
				  .flags = get16(ttl + 2),
				  .dnssec_ok = ttl[2] & 0x80,
				  .payload = class,
				  .options = options,
				  .options_length = length };
}

/* Passes over `count` records; the last OPT of the additional section counts. A section
 * that ends with the message is accepted, whatever its count says. */
static bool read_section(struct arena *a, struct reader *r, unsigned count, struct dns_edns *edns)
{
	for (unsigned i = 0; i < count && r->at < r->length; i++) {
		struct dns_name owner;
		uint16_t type, class, length;
		if (!read_name(r, &owner) || !read16(r, &type) || !read16(r, &class) ||
		    r->length - r->at < 4)
			return false;
		const uint8_t *ttl = r->bytes + r->at;
		r->at += 4;
		if (!read16(r, &length) || r->length - r->at < length)
			return false;
		if (length && !rdata_ok(r, r->at, type, length))
			return false;
		if (edns && type == DNS_OPT)
			take_edns(a, r, r->at, class, ttl, length, edns);
		r->at += length;
	}
	return true;
}

/* Type and class may be missing at the end of the message; they count as 0 then. */
static bool read_question(struct reader *r, struct dns_message *out)
{
	if (r->at == r->length)
		return true;
	if (!read_name(r, &out->question.name))
		return false;
	if (r->at < r->length && !read16(r, &out->question.type))
		return false;
	if (r->at < r->length && !read16(r, &out->question.class))
		return false;
	out->has_question = true;
	return true;
}

enum dns_verdict dns_request_read(struct arena *a, const uint8_t *bytes, size_t length,
				  struct dns_message *out)
{
	memset(out, 0, sizeof *out);
	if (length < HEADER_BYTES)
		return DNS_IGNORE;
	out->id = get16(bytes);
	uint16_t bits = get16(bytes + 2);
	out->flags = bits & 0x87f0;
	out->opcode = (uint8_t)(bits >> 11 & 15);
	if (bits & DNS_QR)
		return DNS_IGNORE;
	uint16_t rejected_flags = (uint16_t)((out->flags & ~(DNS_AA | DNS_Z)) | DNS_QR);
	if (out->opcode != DNS_QUERY && out->opcode != DNS_NOTIFY) {
		out->flags = rejected_flags;
		out->rcode = DNS_NOTIMP;
		return DNS_REJECT;
	}
	struct reader r = { bytes, length, HEADER_BYTES };
	bool ok = get16(bytes + 4) == 1 && get16(bytes + 6) <= 1 && get16(bytes + 8) <= 1 &&
		  get16(bytes + 10) <= 2;
	ok = ok && read_question(&r, out) && read_section(a, &r, get16(bytes + 6), NULL) &&
	     read_section(a, &r, get16(bytes + 8), NULL) &&
	     read_section(a, &r, get16(bytes + 10), &out->edns);
	if (ok)
		return DNS_ACCEPT;
	out->flags = rejected_flags;
	out->opcode = DNS_QUERY;
	out->rcode = DNS_FORMERR;
	out->edns.present = false;
	return DNS_REJECT;
}
