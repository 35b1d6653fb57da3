/* dns/wire.h: DNS names, records and messages, in wire form.
 *
 * A name is kept uncompressed as on the wire (length octets and labels, the root's
 * zero octet last), so that comparing, cutting and copying need no escapes; its
 * case is kept and comparing ignores it. Text is the presentation form of RFC 1035
 * (absolute, final dot, \DDD and \. escapes). A record's rdata is uncompressed wire
 * form too.
 *
 * ldns reads and prints records and reads replies; only wire.c includes it. Messages
 * are written by our own writer: ldns always compresses, while CoreDNS compresses
 * only what does not fit, and drops records by that exact size. Requests are read by
 * our own reader, because what counts as malformed must be the server's rule, not
 * the library's.
 *
 * Everything a message points to lies in the arena it was made from. No function
 * here trusts a length from the outside.
 */
#ifndef DNS_WIRE_H
#define DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/strbuf.h"
#include "net/addr.h"

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_HINFO = 13,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_DNAME = 39,
	DNS_OPT = 41,
	DNS_DS = 43,
	DNS_RRSIG = 46,
	DNS_NSEC = 47,
	DNS_IXFR = 251,
	DNS_AXFR = 252,
	DNS_ANY = 255
};
enum dns_class { DNS_IN = 1, DNS_CH = 3, DNS_CLASS_ANY = 255 };
enum dns_rcode {
	DNS_NOERROR = 0, DNS_FORMERR = 1, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_NOTIMP = 4,
	DNS_REFUSED = 5, DNS_BADVERS = 16
};
enum dns_opcode { DNS_QUERY = 0, DNS_STATUS = 2, DNS_NOTIFY = 4, DNS_UPDATE = 5 };

/* Header bits as in the third and fourth octet. */
enum dns_flag {
	DNS_QR = 0x8000, DNS_AA = 0x0400, DNS_TC = 0x0200, DNS_RD = 0x0100, DNS_RA = 0x0080,
	DNS_Z = 0x0040, DNS_AD = 0x0020, DNS_CD = 0x0010
};

#define DNS_NAME_BYTES 255u
#define DNS_NAME_TEXT 1024u   /* room for any name in presentation form and NUL */
#define DNS_MESSAGE_BYTES 65535u

struct dns_name {
	uint8_t length;                /* with the root's octet; 0: no name */
	uint8_t bytes[DNS_NAME_BYTES];
};

/* ---- names ---------------------------------------------------------------- */

/* Presentation form, with or without the final dot; always absolute. False: an empty
 * label, a label over 63 or a name over 255 octets, a bad escape. "" is no name. */
bool dns_name_parse(const char *text, struct dns_name *out);
/* Writes the text with final dot, returns `out`. */
const char *dns_name_text(const struct dns_name *n, char out[DNS_NAME_TEXT]);
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/* Canonical order of RFC 4034 section 6.1. */
int dns_name_compare(const struct dns_name *a, const struct dns_name *b);
/* Whether `n` is `zone` or below it. */
bool dns_name_under(const struct dns_name *n, const struct dns_name *zone);
/* Labels without the root. */
unsigned dns_name_labels(const struct dns_name *n);
/* Octet at which the `count` rightmost labels begin; count <= labels. */
unsigned dns_name_suffix(const struct dns_name *n, unsigned count);
/* The name without its first label; the root stays the root. */
void dns_name_parent(struct dns_name *n);
void dns_name_lower(struct dns_name *n);
uint64_t dns_name_hash(const struct dns_name *n); /* case does not count */
/* Puts labels (wire form, `length` octets, no root) in front of `n`; false: too long. */
bool dns_name_prepend(struct dns_name *n, const uint8_t *labels, size_t length);
/* Puts the dotted text in front of `n`, each part a label; false: too long or empty. */
bool dns_name_prepend_text(struct dns_name *n, const char *text);
/* "4.3.2.1.in-addr.arpa." or the ip6.arpa form. */
void dns_name_reverse(const struct net_addr *addr, struct dns_name *out);
/* The address of a full reverse name; false: none (partial names, octets that do not
 * parse). */
bool dns_name_address(const struct dns_name *n, struct net_addr *out);

/* ---- records -------------------------------------------------------------- */

struct dns_rr {
	const struct dns_name *owner;
	uint16_t type, class;
	uint32_t ttl;
	uint16_t rdata_length;
	const uint8_t *rdata;
};

struct dns_section {
	struct dns_rr *items;
	uint32_t count, capacity;
};

struct dns_question {
	struct dns_name name;
	uint16_t type, class;
};

struct dns_edns {
	bool present;
	uint8_t version, extended_rcode;
	bool dnssec_ok;                /* read only: the top bit of flags */
	uint16_t flags, payload;
	const uint8_t *options;        /* wire form: code, length, data ... */
	uint16_t options_length;
};

struct dns_message {
	uint16_t id, flags;            /* enum dns_flag; opcode and rcode are apart */
	uint8_t opcode;
	uint16_t rcode;                /* with the extended bits */
	bool has_question;
	struct dns_question question;
	struct dns_section answer, authority, additional; /* without OPT */
	struct dns_edns edns;
	bool compress;                 /* the writer compresses */
};

/* Appends; the record's owner and rdata must live as long as the arena. */
void dns_section_add(struct arena *a, struct dns_section *s, const struct dns_rr *rr);
/* Records with rdata made in the arena; `owner` is borrowed. */
struct dns_rr dns_rr_address(struct arena *a, const struct dns_name *owner, uint32_t ttl,
			     const struct net_addr *addr);
/* CNAME, NS, PTR, DNAME. */
struct dns_rr dns_rr_target(struct arena *a, const struct dns_name *owner, uint16_t type,
			    uint32_t ttl, const struct dns_name *target);
struct dns_rr dns_rr_srv(struct arena *a, const struct dns_name *owner, uint32_t ttl,
			 uint16_t priority, uint16_t weight, uint16_t port,
			 const struct dns_name *target);
struct dns_rr dns_rr_txt(struct arena *a, const struct dns_name *owner, uint32_t ttl,
			 const char *text);
struct dns_soa { uint32_t serial, refresh, retry, expire, minimum; };
struct dns_rr dns_rr_soa(struct arena *a, const struct dns_name *owner, uint32_t ttl,
			 const struct dns_name *primary, const struct dns_name *mailbox,
			 const struct dns_soa *soa);
struct dns_name *dns_name_keep(struct arena *a, const struct dns_name *n);
/* The target of a CNAME, NS, PTR, DNAME, SRV or MX record; false: another type. */
bool dns_rr_get_target(const struct dns_rr *rr, struct dns_name *out);
/* The address of an A or AAAA record; false: another type. */
bool dns_rr_get_address(const struct dns_rr *rr, struct net_addr *out);

/* Asks the whole server again for (name, type), for targets outside a zone. Appends the
 * answer's records, gives the rcode, says whether it was cut; false: no answer. */
struct dns_found { uint16_t rcode; bool truncated; };
typedef bool dns_lookup_fn(void *ctx, const struct dns_name *name, uint16_t type,
			   struct dns_section *answer, struct dns_found *found);

/* ---- text ----------------------------------------------------------------- */

/* "A", "TYPE65280"; valid for ever, or in `out`. */
const char *dns_type_text(uint16_t type, char out[16]);
const char *dns_class_text(uint16_t class, char out[16]);
const char *dns_rcode_text(uint16_t rcode, char out[16]);
const char *dns_opcode_text(uint8_t opcode, char out[16]);
/* Also "TYPE65280", any case; false: not a type. */
bool dns_type_parse(const char *text, uint16_t *out);
bool dns_rcode_parse(const char *text, uint16_t *out); /* "NXDOMAIN", any case */
bool dns_class_parse(const char *text, uint16_t *out);
/* Appends the rdata in presentation form as ldns prints it: one line. */
void dns_rdata_text(const struct dns_rr *rr, struct strbuf *out);

/* Reads one record of a master file: `text` is one entry on one line. `origin` and
 * `*ttl` are the defaults and follow the file; `*previous` is the last owner. EINVAL
 * with ldns's words. */
int dns_rr_parse(struct arena *a, const char *text, const struct dns_name *origin, uint32_t *ttl,
		 struct dns_name *previous, struct dns_rr *out, struct err *err);

/* ---- messages ------------------------------------------------------------- */

/* Reads a whole message with all its records. EBADMSG when it is malformed. Used for
 * replies and by tools. */
int dns_message_read(struct arena *a, const uint8_t *bytes, size_t length,
		     struct dns_message *out);

/* What CoreDNS's library makes of a request. */
enum dns_verdict {
	DNS_ACCEPT,
	DNS_IGNORE,   /* no reply: shorter than a header, or a reply itself */
	DNS_REJECT    /* `out` is the reply to send: FORMERR or NOTIMP */
};
enum dns_verdict dns_request_read(struct arena *a, const uint8_t *bytes, size_t length,
				  struct dns_message *out);

/* Size of the message when written without, or with, compression. */
size_t dns_message_size(const struct dns_message *m, bool compress);
/* Makes the message fit: compresses when it is too large as it is, then drops records
 * from the end (additional, authority, answer) and sets TC. A size below 512 counts
 * as 512. */
void dns_message_fit(struct dns_message *m, size_t size);
/* Appends the message. Where `marks` is not NULL, notes where each record begins. */
struct dns_mark { uint32_t offset, ttl_offset, length; uint16_t type; uint8_t section; };
struct dns_marks { struct dns_mark *items; uint32_t count, capacity; }; /* free(items) */
void dns_message_write(const struct dns_message *m, struct strbuf *out, struct dns_marks *marks);

/* A query for one name; edns_payload 0: without OPT. */
void dns_query_write(uint16_t id, uint16_t flags, const struct dns_name *name, uint16_t type,
		     uint16_t edns_payload, struct strbuf *out);

#endif
