/* dns/wire.c: records and replies through ldns; see wire.h. */
#include "dns/wire.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- names of numbers --------------------------------------------------------- */

static const char *keep_text(char *text, const char *prefix, unsigned number, char out[16])
{
	if (text && strlen(text) < 16)
		strcpy(out, text);
	else
		snprintf(out, 16, "%s%u", prefix, number);
	free(text);
	return out;
}

const char *dns_type_text(uint16_t type, char out[16])
{
	return keep_text(ldns_rr_type2str((ldns_rr_type)type), "TYPE", type, out);
}

const char *dns_class_text(uint16_t class, char out[16])
{
	return keep_text(ldns_rr_class2str((ldns_rr_class)class), "CLASS", class, out);
}

const char *dns_rcode_text(uint16_t rcode, char out[16])
{
	if (rcode == DNS_BADVERS)
		return strcpy(out, "BADVERS");
	return keep_text(rcode < 16 ? ldns_pkt_rcode2str((ldns_pkt_rcode)rcode) : NULL, "RCODE",
			 rcode, out);
}

const char *dns_opcode_text(uint8_t opcode, char out[16])
{
	return keep_text(ldns_pkt_opcode2str((ldns_pkt_opcode)opcode), "OPCODE", opcode, out);
}

/* "TYPE123" or "CLASS123". */
static bool parse_number(const char *text, const char *prefix, uint16_t *out)
{
	size_t length = strlen(prefix);
	char *end;
	if (strncasecmp(text, prefix, length) != 0 || text[length] < '0' || text[length] > '9')
		return false;
	unsigned long value = strtoul(text + length, &end, 10);
	if (*end || value > 65535)
		return false;
	*out = (uint16_t)value;
	return true;
}

bool dns_type_parse(const char *text, uint16_t *out)
{
	if (parse_number(text, "TYPE", out))
		return true;
	*out = (uint16_t)ldns_get_rr_type_by_name(text);
	return *out != 0;
}

bool dns_rcode_parse(const char *text, uint16_t *out)
{
	char known[16];
	for (*out = 0; *out <= DNS_BADVERS; (*out)++)
		if (strcasecmp(dns_rcode_text(*out, known), text) == 0)
			return true;
	return false;
}

bool dns_class_parse(const char *text, uint16_t *out)
{
	if (parse_number(text, "CLASS", out))
		return true;
	*out = (uint16_t)ldns_get_rr_class_by_name(text);
	return *out != 0;
}

/* ---- records -------------------------------------------------------------------- */

void dns_rdata_text(const struct dns_rr *rr, struct strbuf *out)
{
	struct strbuf wire = { 0 };
	uint8_t head[11] = { 0, (uint8_t)(rr->type >> 8), (uint8_t)rr->type,
			     (uint8_t)(rr->class >> 8), (uint8_t)rr->class };
	head[9] = (uint8_t)(rr->rdata_length >> 8);
	head[10] = (uint8_t)rr->rdata_length;
	strbuf_add(&wire, head, sizeof head);
	strbuf_add(&wire, rr->rdata, rr->rdata_length);
	ldns_rr *parsed = NULL;
	size_t at = 0;
	ldns_status status = ldns_wire2rr(&parsed, (const uint8_t *)wire.data, wire.length, &at,
					  LDNS_SECTION_ANSWER);
	if (status == LDNS_STATUS_OK) {
		for (size_t i = 0; i < ldns_rr_rd_count(parsed); i++) {
			char *text = ldns_rdf2str(ldns_rr_rdf(parsed, i));
			if (i)
				strbuf_putc(out, ' ');
			strbuf_puts(out, text ? text : "?");
			free(text);
		}
		ldns_rr_free(parsed);
	} else {
		strbuf_printf(out, "\\# %u", rr->rdata_length);
		if (rr->rdata_length)
			strbuf_putc(out, ' ');
		for (unsigned i = 0; i < rr->rdata_length; i++)
			strbuf_printf(out, "%02x", rr->rdata[i]);
	}
	strbuf_free(&wire);
}

static bool name_from_rdf(const ldns_rdf *rdf, struct dns_name *out)
{
	size_t size = rdf ? ldns_rdf_size(rdf) : 0;
	memset(out, 0, sizeof *out);
	if (size == 0 || size > DNS_NAME_BYTES)
		return false;
	memcpy(out->bytes, ldns_rdf_data(rdf), size);
	out->length = (uint8_t)size;
	return true;
}

static bool rr_from_ldns(struct arena *a, const ldns_rr *from, struct dns_rr *out)
{
	struct dns_name owner;
	size_t length = 0, at = 0;
	if (!name_from_rdf(ldns_rr_owner(from), &owner))
		return false;
	for (size_t i = 0; i < ldns_rr_rd_count(from); i++)
		length += ldns_rdf_size(ldns_rr_rdf(from, i));
	if (length > 65535)
		return false;
	uint8_t *rdata = arena_alloc(a, length + 1);
	for (size_t i = 0; i < ldns_rr_rd_count(from); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(from, i);
		if (ldns_rdf_size(rdf))
			memcpy(rdata + at, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
		at += ldns_rdf_size(rdf);
	}
	*out = (struct dns_rr){ dns_name_keep(a, &owner), (uint16_t)ldns_rr_get_type(from),
				(uint16_t)ldns_rr_get_class(from), ldns_rr_ttl(from),
				(uint16_t)length, rdata };
	return true;
}

static ldns_rdf *rdf_from_name(const struct dns_name *n)
{
	return n->length ? ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, n->length, n->bytes) : NULL;
}

int dns_rr_parse(struct arena *a, const char *text, const struct dns_name *origin, uint32_t *ttl,
		 struct dns_name *previous, struct dns_rr *out, struct err *err)
{
	ldns_rdf *base = rdf_from_name(origin), *last = rdf_from_name(previous);
	ldns_rr *rr = NULL;
	/* ldns takes a default of 0 for "none given" and puts its own there. */
	const uint32_t zero = 0x7fffff01;
	ldns_status status = ldns_rr_new_frm_str(&rr, text, *ttl ? *ttl : zero, base, &last);
	int code = 0;
	if (status != LDNS_STATUS_OK)
		code = err_set(err, EINVAL, "%s", ldns_get_errorstr_by_id(status));
	else if (!rr_from_ldns(a, rr, out))
		code = err_set(err, EINVAL, "the record is too long");
	else
		*ttl = out->ttl = out->ttl == zero ? 0 : out->ttl;
	if (!code && last)
		name_from_rdf(last, previous);
	ldns_rr_free(rr);
	ldns_rdf_deep_free(base);
	ldns_rdf_deep_free(last);
	return code;
}

/* ---- replies -------------------------------------------------------------------- */

static bool read_list(struct arena *a, const ldns_rr_list *from, struct dns_section *out)
{
	for (size_t i = 0; from && i < ldns_rr_list_rr_count(from); i++) {
		struct dns_rr rr;
		if (!rr_from_ldns(a, ldns_rr_list_rr(from, i), &rr))
			return false;
		dns_section_add(a, out, &rr);
	}
	return true;
}

static void read_edns(struct arena *a, const ldns_pkt *p, struct dns_edns *out)
{
	out->present = ldns_pkt_edns(p);
	if (!out->present)
		return;
	out->version = ldns_pkt_edns_version(p);
	out->extended_rcode = ldns_pkt_edns_extended_rcode(p);
	out->dnssec_ok = ldns_pkt_edns_do(p);
	out->flags = out->dnssec_ok ? 0x8000 : 0;
	out->payload = ldns_pkt_edns_udp_size(p);
	const ldns_rdf *options = ldns_pkt_edns_data(p);
	if (!options || !ldns_rdf_size(options))
		return;
	uint8_t *bytes = arena_alloc(a, ldns_rdf_size(options));
	memcpy(bytes, ldns_rdf_data(options), ldns_rdf_size(options));
	out->options = bytes;
	out->options_length = (uint16_t)ldns_rdf_size(options);
}

static bool read_packet(struct arena *a, const ldns_pkt *p, struct dns_message *out)
{
	const ldns_rr_list *questions = ldns_pkt_question(p);
	if (questions && ldns_rr_list_rr_count(questions)) {
		const ldns_rr *q = ldns_rr_list_rr(questions, 0);
		out->has_question = true;
		out->question.type = (uint16_t)ldns_rr_get_type(q);
		out->question.class = (uint16_t)ldns_rr_get_class(q);
		if (!name_from_rdf(ldns_rr_owner(q), &out->question.name))
			return false;
	}
	read_edns(a, p, &out->edns);
	return read_list(a, ldns_pkt_answer(p), &out->answer) &&
	       read_list(a, ldns_pkt_authority(p), &out->authority) &&
	       read_list(a, ldns_pkt_additional(p), &out->additional);
}

int dns_message_read(struct arena *a, const uint8_t *bytes, size_t length,
		     struct dns_message *out)
{
	ldns_pkt *p = NULL;
	memset(out, 0, sizeof *out);
	if (length < 12 || length > DNS_MESSAGE_BYTES)
		return EBADMSG;
	if (ldns_wire2pkt(&p, bytes, length) != LDNS_STATUS_OK)
		return EBADMSG;
	uint16_t bits = (uint16_t)(bytes[2] << 8 | bytes[3]);
	out->id = (uint16_t)(bytes[0] << 8 | bytes[1]);
	out->flags = bits & 0x87f0;
	out->opcode = (uint8_t)(bits >> 11 & 15);
	bool ok = read_packet(a, p, out);
	out->rcode = (uint16_t)((bits & 15) | out->edns.extended_rcode << 4);
	ldns_pkt_free(p);
	return ok ? 0 : EBADMSG;
}
