/* linux/nft/internal.h: what the files of this folder share.
 *
 * A rule is one block of memory: a header, then nodes (struct nft_node) that name each
 * other by their offset in the block, so that the parser builds a rule in a scratch
 * buffer and copies it once. Statements are a list of nodes; expressions hang below
 * them. What a packet may change (counters, limits, numgen's position) lies in the nodes.
 *
 * A value is a string of bytes in network order: numbers big-endian whatever the kernel
 * does, interface names padded with NUL to 16, the fields of a concatenation padded to
 * multiples of four as in the kernel's registers. Order of bytes is order of values.
 *
 * Sets and maps, named and anonymous, are struct nft_set. Named sets without intervals
 * find elements by hash; all others keep a sorted array of ranges.
 *
 * Changes take effect at once and leave a record in the undo log (change.c). A script
 * that fails undoes them in reverse; one that succeeds frees what was taken out and
 * brings the hooks up to date. Lists are linked both ways, so that undoing restores the
 * order. A chain or set that is referred to cannot be deleted: uses are counted.
 */
#ifndef LINUX_NFT_INTERNAL_H
#define LINUX_NFT_INTERNAL_H

#include <errno.h>

#include "core/table.h"
#include "linux/netns.h"
#include "linux/nft/nft.h"
#include "net/packet.h"
#include "net/trace.h"

#define NFT_NAME 256u   /* with NUL: NFT_NAME_MAXLEN */
#define NFT_VALUE 16u   /* of one field */
#define NFT_FIELDS 8u   /* of a concatenation */
#define NFT_KEY 64u     /* NFT_DATA_VALUE_MAXLEN */
#define NFT_DEPTH 16u   /* NFT_JUMP_STACK_SIZE */
#define NFT_NESTING 32u /* of the parser */

/* ---- data types (types.c) ---------------------------------------------------------- */

enum nft_type {
	NT_NONE, NT_INTEGER, NT_IPV4, NT_IPV6, NT_ETHER, NT_PROTO, NT_SERVICE, NT_MARK, NT_IFINDEX,
	NT_IFNAME, NT_CT_STATE, NT_CT_DIR, NT_CT_STATUS, NT_FIB_TYPE, NT_PKTTYPE, NT_UID, NT_GID,
	NT_NFPROTO, NT_ICMP_TYPE, NT_ICMPV6_TYPE, NT_ICMP_CODE, NT_ICMPV6_CODE, NT_ICMPX_CODE,
	NT_TCP_FLAG, NT_DSCP, NT_ECN, NT_ETHER_TYPE, NT_BOOLEAN, NT_DEVGROUP, NT_CLASSID,
	NT_VERDICT, NT_COUNT
};

struct nft_symbol {
	const char *name;
	uint32_t value;
};

struct nft_type_info {
	const char *name;  /* in `type ...` */
	uint8_t bytes;     /* 0: the expression says */
	bool hex, flags;   /* printed as 0x%0*x; a set of flags */
	bool host;         /* the kernel keeps it in host order: matters to jhash and sorting */
	uint8_t a_line;    /* elements on one line of a listing */
	const struct nft_symbol *symbols;
};

const struct nft_type_info *nft_type_info(enum nft_type type);
enum nft_type nft_type_by_name(const char *name, size_t length);
/* Text of one value, unquoted or quoted, to bytes. False: not a value of this type. */
bool nft_value_parse(enum nft_type type, const char *text, size_t length, unsigned bytes,
		     uint8_t out[NFT_VALUE]);
void nft_value_print(enum nft_type type, const uint8_t *value, unsigned bytes, struct strbuf *out);
/* "a,b" or "a | b"; a lone 0x.. for bits without name. */
void nft_flags_print(enum nft_type type, const uint8_t *value, unsigned bytes, const char *between,
		     struct strbuf *out);
/* A range as `nft` prints it in sets: value, prefix, wildcard or "a-b". */
void nft_range_print(enum nft_type type, const uint8_t *low, const uint8_t *high, unsigned bytes,
		     struct strbuf *out);
uint64_t nft_number(const uint8_t *value, unsigned bytes);
void nft_put_number(uint8_t *value, unsigned bytes, uint64_t number);
const char *nft_symbol_name(const struct nft_symbol *s, uint64_t value);
bool nft_symbol_value(const struct nft_symbol *s, const char *name, size_t length, uint32_t *value);
/* Length of the prefix that low and high span, -1: they span none. */
int nft_prefix_of(const uint8_t *low, const uint8_t *high, unsigned bytes);
/* "1h30m", "500ms". */
void nft_time_print(uint64_t ms, struct strbuf *out);
bool nft_time_parse(const char *text, size_t length, uint64_t *ms);

/* ---- what can be read from a packet (fields.c) --------------------------------------- */

enum nft_base { NB_LINK, NB_NETWORK, NB_TRANSPORT };
enum nft_header { /* protocols of payload expressions */
	NH_ETHER, NH_IP, NH_IP6, NH_TCP, NH_UDP, NH_SCTP, NH_TH, NH_ICMP, NH_ICMPV6, NH_UDPLITE,
	NH_DCCP
};

struct nft_payload {
	const char *header, *name;
	uint8_t proto; /* enum nft_header */
	uint8_t type;
	uint16_t offset, bits; /* in bits from the header's start */
};

enum nft_meta {
	NM_MARK, NM_L4PROTO, NM_NFPROTO, NM_PROTOCOL, NM_IIF, NM_IIFNAME, NM_OIF, NM_OIFNAME,
	NM_PKTTYPE, NM_SKUID, NM_SKGID, NM_LENGTH, NM_PRIORITY, NM_RANDOM, NM_NFTRACE, NM_IIFGROUP,
	NM_OIFGROUP, NM_CPU, NM_COUNT
};

enum nft_ct {
	NC_STATE, NC_DIRECTION, NC_STATUS, NC_MARK, NC_SADDR, NC_DADDR, NC_PROTO_SRC, NC_PROTO_DST,
	NC_IP_SADDR, NC_IP_DADDR, NC_IP6_SADDR, NC_IP6_DADDR, NC_L3PROTO, NC_PROTOCOL, NC_ZONE,
	NC_COUNT
};

struct nft_key {
	const char *name;
	uint8_t type, bytes;
	bool decided;   /* svclab can answer; else a trace is undecidable */
	bool directed;  /* ct: asked of one direction */
};

extern const struct nft_key nft_meta_keys[NM_COUNT], nft_ct_keys[NC_COUNT];
unsigned nft_payload_count(void);
const struct nft_payload *nft_payload(unsigned index);
/* -1: the header has no such field. */
int nft_payload_find(const char *header, size_t header_length, const char *name, size_t length);
bool nft_is_header(const char *word, size_t length);
int nft_meta_find(const char *word, size_t length);
int nft_ct_find(const char *word, size_t length);
/* IP protocol that a header's fields demand, 0: none. */
uint8_t nft_header_proto(enum nft_header h);
enum nft_base nft_header_base(enum nft_header h);

/* ---- nodes ----------------------------------------------------------------------------- */

enum nft_kind {
	/* expressions */
	N_VALUE, N_PREFIX, N_RANGE, N_CONCAT, N_META, N_CT, N_PAYLOAD, N_RAW, N_FIB, N_NUMGEN,
	N_JHASH, N_BITWISE, N_SHIFT, N_SET, N_MAP,
	/* statements */
	N_MATCH, N_COUNTER, N_OBJECT, N_LIMIT, N_QUOTA, N_LOG, N_REJECT, N_VERDICT, N_VMAP,
	N_SET_META, N_SET_CT, N_SET_PAYLOAD, N_NOTRACK, N_NAT, N_DYNSET, N_QUEUE, N_CLAMP,
	N_UNKNOWN
};

enum nft_op { OP_EQ, OP_NE, OP_LT, OP_GT, OP_LE, OP_GE, OP_ANY /* of these flags */ };

enum nft_verdict_code { NV_NONE, NV_ACCEPT, NV_DROP, NV_CONTINUE, NV_RETURN, NV_JUMP, NV_GOTO };

/* fib */
enum { NF_SADDR = 1, NF_DADDR = 2, NF_MARK = 4, NF_IIF = 8, NF_OIF = 16, NF_PRESENT = 32 };
enum nft_fib_result { FIB_OIF, FIB_OIFNAME, FIB_TYPE };
enum { NL_OVER = 1, NL_BYTES = 2 };                        /* limit, quota */
enum nft_nat_op { NAT_OP_DNAT, NAT_OP_SNAT, NAT_OP_MASQUERADE, NAT_OP_REDIRECT };
enum { NN_RANDOM = 1, NN_FULLY = 2, NN_PERSISTENT = 4, NN_PREFIX = 8, NN_CONCAT = 16 };
enum nft_reject_op { NR_DEFAULT, NR_RESET, NR_ICMP, NR_ICMPV6, NR_ICMPX };
enum nft_dynset_op { ND_ADD, ND_UPDATE, ND_DELETE };
enum { NQ_BYPASS = 1, NQ_FANOUT = 2, NQ_NUMBER = 4 };      /* queue */

/* What the members mean, by kind:
 *   VALUE value | PREFIX left a VALUE, right bits | RANGE left, right VALUEs
 *   CONCAT left first of a list | META op key | CT op key, flags direction + 1
 *   PAYLOAD op field | RAW op base, left offset, right bits | FIB flags, op result
 *   NUMGEN op 1 inc, left modulus, right offset, number[0] last
 *   JHASH left operand, right modulus, extra offset, number[0] seed, flags 1 has seed
 *   BITWISE left, right mask, extra xor | SHIFT op 1 right, left, right amount
 *   SET set | MAP left, set
 *   MATCH op, left, right | COUNTER number[0] packets, number[1] bytes
 *   OBJECT object | LIMIT op unit, flags, number[0] rate, number[1] burst, right a VALUE
 *   with number[0] time and number[1] tokens | QUOTA flags, number[0] bytes, number[1] used,
 *   right a VALUE with number[0] used when loaded
 *   LOG left prefix, op level + 1, right group + 1, extra snaplen, flags, number[0] threshold
 *   REJECT op, right code | VERDICT op, chain | VMAP left, set
 *   SET_META op, left | SET_CT op, flags direction + 1, left | SET_PAYLOAD op, left
 *   NAT op, type family, left address, right port, flags
 *   DYNSET op, set, left key, right data, extra statements, number[1] timeout ms
 *   QUEUE flags, left first, right last | UNKNOWN left text, right
 *   column | CLAMP: the MSS to the path's MTU
 * Offsets are in bytes from the block's code; 0 is none. */
struct nft_node {
	uint8_t kind, op, type;
	uint8_t bytes; /* of the value */
	uint32_t next; /* in its list */
	uint32_t left, right, extra, flags;
	union {
		uint8_t value[NFT_VALUE];
		uint64_t number[2];
		struct nft_chain *chain;
		struct nft_set *set;
		struct nft_object *object;
	};
};

struct nft_link { /* first member of what stands in a list */
	struct nft_link *prev, *next;
};

struct nft_list {
	struct nft_link *first, *last;
};

struct nft_rule {
	struct nft_link link;
	struct nft_chain *chain;
	uint64_t handle;
	uint32_t size;    /* bytes of code */
	uint32_t first;   /* statement */
	uint32_t comment; /* text, 0 none */
	uint32_t line;    /* 0: not from a file */
	uint16_t file;    /* index in the ruleset's list of names */
	bool unknown;     /* has a node of kind UNKNOWN */
	bool stateful;    /* has nodes that nft_reset_state resets */
	uint64_t code[];
};

static inline struct nft_node *nft_at(const struct nft_rule *r, uint32_t offset)
{
	return (struct nft_node *)(void *)((uint8_t *)(uintptr_t)r->code + offset);
}

static inline const char *nft_text_at(const struct nft_rule *r, uint32_t offset)
{
	return (const char *)r->code + offset;
}

/* The next of a list, or NULL. */
static inline struct nft_node *nft_next(const struct nft_rule *r, const struct nft_node *n)
{
	return n->next ? nft_at(r, n->next) : NULL;
}

static inline struct nft_node *nft_first(const struct nft_rule *r)
{
	return r->first ? nft_at(r, r->first) : NULL;
}

/* ---- sets ---------------------------------------------------------------------------- */

struct nft_field {
	uint8_t type, bytes, size; /* size: padded to a multiple of four */
};

struct nft_layout {
	uint8_t count, size;
	struct nft_field field[NFT_FIELDS];
};

struct nft_extra { /* what few elements have */
	char *comment;
	uint64_t timeout_ms;
	struct nft_rule *statements; /* counter, limit ...: its own */
};

struct nft_elem {
	struct nft_extra *extra;
	struct nft_chain *chain; /* of a verdict */
	int64_t expires_ns;      /* 0: never */
	uint8_t verdict;         /* enum nft_verdict_code */
	bool dynamic;            /* put in by a packet */
	bool catch_all;
	uint8_t bytes[];         /* key, [end of range], data, [end of range] */
};

enum { NS_CONSTANT = 1, NS_INTERVAL = 2, NS_TIMEOUT = 4, NS_DYNAMIC = 8 };

struct nft_set {
	struct nft_link link;
	struct nft_table *table;
	char *name; /* NULL: anonymous */
	char *comment, *key_text, *data_text; /* the latter two of `typeof` */
	uint64_t handle;
	uint32_t uses;
	uint32_t searched;     /* mark of loop search */
	uint8_t height;        /* jumps below it, while searched */
	uint32_t flags, limit; /* NS_*; `size`, 0 none */
	uint64_t timeout_ms, gc_ms;
	bool map, auto_merge, memory, data_ranges, ranges;
	uint8_t lone; /* anonymous, written with one element: 1, or 2 + bits of its prefix */
	struct nft_layout key, data; /* data.field[0].type NT_VERDICT: a vmap */
	struct nft_rule *statements; /* each element gets a copy */
	struct table index;          /* key -> struct nft_elem *, when hashed */
	struct nft_elem **sorted;    /* by key, when not hashed */
	uint32_t count, capacity;
	struct nft_elem *catch_all;
};

static inline bool nft_set_hashed(const struct nft_set *s)
{
	return s->name && !(s->flags & NS_INTERVAL);
}

static inline const uint8_t *nft_elem_end(const struct nft_set *s, const struct nft_elem *e)
{
	return nft_set_hashed(s) ? e->bytes : e->bytes + s->key.size;
}

static inline uint8_t *nft_elem_data(const struct nft_set *s, const struct nft_elem *e)
{
	return (uint8_t *)(uintptr_t)e->bytes + (nft_set_hashed(s) ? 1 : 2) * s->key.size;
}

/* --- set.c */
struct nft_set *nft_set_new(struct nft_table *t, const char *name);
void nft_set_free(struct nft_set *s);
void nft_layout_add(struct nft_layout *l, enum nft_type type, unsigned bytes);
struct nft_elem *nft_elem_new(const struct nft_set *s);
void nft_elem_free(struct nft_elem *e);
/* The element that a key finds, live at `now_ns`; NULL none. */
struct nft_elem *nft_set_find(const struct nft_set *s, const uint8_t *key, int64_t now_ns);
/* The element with exactly this range; expired ones too. */
struct nft_elem *nft_set_same(const struct nft_set *s, const struct nft_elem *e);
/* An element that this one's range would overlap, or NULL. */
struct nft_elem *nft_set_overlap(const struct nft_set *s, const struct nft_elem *e);
void nft_set_put(struct nft_set *s, struct nft_elem *e);
void nft_set_take(struct nft_set *s, struct nft_elem *e);
/* All elements but the catch-all, sorted by key; free() the array. */
struct nft_elem **nft_set_sorted(const struct nft_set *s, uint32_t *count);
/* Sorts what was appended; merges ranges when the set is anonymous. EEXIST: a map's ranges
 * overlap. */
int nft_set_finish(struct nft_set *s);
bool nft_elem_expired(const struct nft_elem *e, int64_t now_ns);
/* Drops elements that packets put in and are expired (all: all of them). */
void nft_set_purge(struct nft_set *s, int64_t now_ns, bool all);

/* ---- tables and chains (ruleset.c) ------------------------------------------------------ */

enum nft_family { NFT_IP, NFT_IP6, NFT_INET, NFT_OTHER };
enum nft_chain_type { NCT_REGULAR, NCT_FILTER, NCT_NAT, NCT_ROUTE, NCT_OTHER };

struct nft_index;

struct nft_chain {
	struct nft_link link;
	struct nft_table *table;
	char *name, *comment;
	char *raw;               /* NCT_OTHER: the type line as it stood */
	uint64_t handle;
	struct nft_list rules;
	uint32_t count;          /* rules */
	uint32_t uses;           /* jumps and gotos to it */
	uint32_t searched;       /* mark of loop search */
	uint8_t height;          /* jumps below it, while searched */
	uint8_t type, hook;
	bool drop, hooked, dead, entered;
	int32_t priority;
	struct nft_index *compiled; /* compile.c; NULL: not made yet */
};

struct nft_object { /* counter by name; other kinds are kept as text */
	struct nft_link link;
	struct nft_table *table;
	char *kind, *name, *raw, *comment;
	uint64_t handle, packets, bytes;
	uint32_t uses, line, column;
	uint16_t file;
};

struct nft_table {
	struct nft_link link;
	struct nft_ruleset *r;
	char *name, *comment;
	char *raw;               /* of a family that is kept as text */
	char *family_name;       /* then, its name */
	uint8_t family;
	bool dormant;
	uint64_t handle;
	uint32_t line, column;   /* of raw */
	uint16_t file;
	struct table chains_by_name, sets_by_name; /* -> struct nft_chain *, struct nft_set * */
	struct nft_list chains, sets, objects;
};

struct nft_ruleset {
	struct netns *ns;
	struct nft_list tables;
	uint64_t rules, handles;
	uint64_t stateful; /* rules that nft_reset_state resets */
	uint64_t rules_evaluated, policies, lookups;
	uint32_t search;
	uint32_t hash_seed;
	bool hash_seeded;
	char **files;
	uint16_t file_count;
};

static inline struct nft_table *nft_first_table(const struct nft_ruleset *r)
{
	return (struct nft_table *)r->tables.first;
}

static inline struct nft_table *nft_next_table(const struct nft_table *t)
{
	return (struct nft_table *)t->link.next;
}

static inline struct nft_chain *nft_first_chain(const struct nft_table *t)
{
	return (struct nft_chain *)t->chains.first;
}

static inline struct nft_chain *nft_next_chain(const struct nft_chain *c)
{
	return (struct nft_chain *)c->link.next;
}

static inline struct nft_set *nft_first_set(const struct nft_table *t)
{
	return (struct nft_set *)t->sets.first;
}

static inline struct nft_set *nft_next_set(const struct nft_set *s)
{
	return (struct nft_set *)s->link.next;
}

static inline struct nft_object *nft_first_object(const struct nft_table *t)
{
	return (struct nft_object *)t->objects.first;
}

static inline struct nft_object *nft_next_object(const struct nft_object *o)
{
	return (struct nft_object *)o->link.next;
}

static inline struct nft_rule *nft_first_rule(const struct nft_chain *c)
{
	return (struct nft_rule *)c->rules.first;
}

static inline struct nft_rule *nft_next_rule(const struct nft_rule *r)
{
	return (struct nft_rule *)r->link.next;
}

struct nft_table *nft_table_find(const struct nft_ruleset *r, const char *family, const char *name);
struct nft_chain *nft_chain_find(const struct nft_table *t, const char *name);
struct nft_set *nft_set_by_name(const struct nft_table *t, const char *name);
struct nft_object *nft_object_find(const struct nft_table *t, const char *kind, const char *name);
const char *nft_family_name(const struct nft_table *t);
uint16_t nft_file(struct nft_ruleset *r, const char *name);
void nft_chain_hook(struct nft_chain *c, bool on);
void nft_chain_free(struct nft_chain *c);
void nft_table_free(struct nft_table *t);
void nft_object_free(struct nft_object *o);
int64_t nft_now(const struct nft_ruleset *r);

/* --- rule.c */
/* Calls fn for every node of the rule. */
void nft_rule_walk(const struct nft_rule *r, void (*fn)(void *ctx, struct nft_node *n), void *ctx);
/* Counts (+1) or drops (-1) what a rule, an element refer to. */
void nft_rule_uses(struct nft_rule *r, int by);
void nft_elem_uses(struct nft_elem *e, int by);
void nft_rule_free(struct nft_rule *r);
struct nft_rule *nft_rule_copy(const struct nft_rule *r);
/* Limits full, numgen before its first, quotas as they were loaded. */
void nft_rule_reset(struct nft_rule *r, int64_t now_ns);
uint64_t nft_limit_unit_ns(unsigned unit);
int64_t nft_limit_tokens(const struct nft_node *n);

/* ---- transactions (change.c) --------------------------------------------------------------- */

enum nft_undo_kind {
	NU_TABLE_NEW, NU_TABLE_GONE, NU_TABLE_DORMANT, NU_CHAIN_NEW, NU_CHAIN_GONE, NU_CHAIN_POLICY,
	NU_RULE_NEW, NU_RULE_GONE, NU_SET_NEW, NU_SET_GONE, NU_SET_DYNAMIC,
	NU_OBJECT_NEW, NU_OBJECT_GONE, NU_ELEM_NEW, NU_ELEM_GONE
};

struct nft_undo {
	uint8_t kind;
	void *object, *owner;
	struct nft_link *after; /* what stood before it in its list */
	uint64_t old;
};

struct nft_change {
	struct nft_ruleset *r;
	struct nft_undo *log;
	uint32_t count, capacity;
};

void nft_change_begin(struct nft_change *c, struct nft_ruleset *r);
/* EMLINK with text when jumps would loop: then nothing is committed, abort follows. */
int nft_change_check(struct nft_change *c, struct err *err);
void nft_change_commit(struct nft_change *c);
void nft_change_abort(struct nft_change *c);
void nft_add_table(struct nft_change *c, struct nft_table *t);
void nft_delete_table(struct nft_change *c, struct nft_table *t);
void nft_set_dormant(struct nft_change *c, struct nft_table *t, bool dormant);
void nft_add_chain(struct nft_change *c, struct nft_chain *chain);
/* EBUSY: something refers to it. */
int nft_delete_chain(struct nft_change *c, struct nft_chain *chain);
void nft_set_policy(struct nft_change *c, struct nft_chain *chain, bool drop);
/* After `after` (NULL: first). */
void nft_add_rule(struct nft_change *c, struct nft_chain *chain, struct nft_rule *after,
		  struct nft_rule *rule);
void nft_delete_rule(struct nft_change *c, struct nft_rule *rule);
void nft_flush_chain(struct nft_change *c, struct nft_chain *chain);
void nft_add_set(struct nft_change *c, struct nft_set *s);
int nft_delete_set(struct nft_change *c, struct nft_set *s);
/* A rule puts elements in: flag dynamic, and a size. */
void nft_set_dynamic(struct nft_change *c, struct nft_set *s);
void nft_add_object(struct nft_change *c, struct nft_object *o);
int nft_delete_object(struct nft_change *c, struct nft_object *o);
void nft_add_elem(struct nft_change *c, struct nft_set *s, struct nft_elem *e);
void nft_delete_elem(struct nft_change *c, struct nft_set *s, struct nft_elem *e);
void nft_flush_set(struct nft_change *c, struct nft_set *s);
void nft_list_put(struct nft_list *l, struct nft_link *after, void *object);

/* ---- printing (print*.c) --------------------------------------------------------- */

void nft_print_rule(const struct nft_rule *r, struct strbuf *out);
void nft_print_expr(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out);
void nft_print_match(const struct nft_rule *r, const struct nft_node *n, struct strbuf *out);
void nft_print_statement(const struct nft_rule *r, const struct nft_node *n, uint8_t family,
			 struct strbuf *out);
void nft_print_statements(const struct nft_rule *r, uint32_t first, uint8_t family,
			  struct strbuf *out);
void nft_print_set(const struct nft_set *s, int64_t now_ns, struct strbuf *out);
/* "{ a, b }" of an anonymous set. */
void nft_print_elements(const struct nft_set *s, int64_t now_ns, struct strbuf *out);
void nft_print_verdict(uint8_t code, const struct nft_chain *chain, struct strbuf *out);
void nft_print_quoted(const char *text, struct strbuf *out);
extern const struct nft_symbol nft_log_levels[], nft_log_flags[], nft_hook_names[],
	nft_limit_units[], nft_set_flags[], nft_nat_flags[];

#endif
