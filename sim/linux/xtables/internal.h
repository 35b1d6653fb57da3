/* linux/xtables/internal.h: what the files of this folder share.
 *
 * A rule's text becomes a *spec*: a chain of records, 8-byte aligned, that says
 * header predicates, matches in written order and the target. Specs are immutable
 * and interned in the ruleset's pool: equal rules share one. A jump's destination
 * is not part of the spec (it is a pointer in the rule), so that all rules
 * "-m statistic --probability 0.5 -j somewhere" share one spec.
 *
 * A rule is a small struct by value in its chain: counters, spec, destination,
 * states (nth counters and limit credits, only where needed), file and line.
 *
 * Changes go through a transaction (struct xt_change): each chain touched gets a
 * staged copy of its rules; commit swaps them in, abort throws them away. Nobody
 * sees half of a table.
 *
 * An *extension* describes one match or target: its options, how to parse, print
 * and list them, and what it does to a packet. One table row an extension
 * (extension.c); its functions live in match_*.c and target_*.c.
 */
#ifndef LINUX_XTABLES_INTERNAL_H
#define LINUX_XTABLES_INTERNAL_H

#include <errno.h>

#include "core/table.h"
#include "linux/netns.h"
#include "linux/recent.h"
#include "linux/xtables/xtables.h"
#include "net/packet.h"
#include "net/trace.h"

#define XT_NAME 29u         /* chain name with NUL: XT_FUNCTION_MAXNAMELEN in the kernel */
#define XT_IFNAME 16u
#define XT_BUILD_BYTES 2048u
#define XT_MATCHES 24u      /* of one rule */
#define XT_TOKENS 255u      /* as iptables-restore: MAX_ARGC */
#define XT_TOKEN_BYTES 1024u
#define XT_NOWHERE UINT32_MAX
#define XT_VERSION "1.8.9"

enum xt_kind {
	XT_HEADER, XT_HEADER4, XT_HEADER6, XT_IFACES,
	/* matches */
	XT_M_ADDRTYPE, XT_M_COMMENT, XT_M_CONNMARK, XT_M_CONNTRACK, XT_M_DSCP, XT_M_ICMP,
	XT_M_ICMP6, XT_M_IPVS, XT_M_LIMIT, XT_M_MAC, XT_M_MARK, XT_M_MULTIPORT, XT_M_NFACCT,
	XT_M_OWNER, XT_M_PHYSDEV, XT_M_RECENT, XT_M_RPFILTER, XT_M_SCTP, XT_M_SET, XT_M_STATE,
	XT_M_STATISTIC, XT_M_TCP, XT_M_TOS, XT_M_UDP, XT_M_UNKNOWN,
	/* targets */
	XT_T_NONE, XT_T_JUMP, XT_T_GOTO, XT_T_ACCEPT, XT_T_DROP, XT_T_QUEUE, XT_T_RETURN,
	XT_T_CHECKSUM, XT_T_CONNMARK, XT_T_CT, XT_T_DNAT, XT_T_DSCP, XT_T_LOG, XT_T_MARK,
	XT_T_MASQUERADE, XT_T_NETMAP, XT_T_NFLOG, XT_T_NOTRACK, XT_T_REDIRECT, XT_T_REJECT,
	XT_T_SNAT, XT_T_TCPMSS, XT_T_TOS, XT_T_TRACE, XT_T_UNKNOWN,
	XT_KINDS
};

struct xt_record {
	uint8_t kind;   /* enum xt_kind */
	uint8_t invert; /* bit n: "!" before the n-th thing of this kind */
	uint16_t size;  /* with this head; multiple of 8 */
	uint32_t flags; /* the kind's own */
};

/* XT_HEADER, XT_HEADER4, XT_HEADER6: flags hold the protocol and these bits. */
#define XT_PROTO 0xffu
#define XT_FRAGMENT 0x100u
#define XT_HAS_IFACES 0x200u
enum { XT_INV_SRC = 1, XT_INV_DST = 2, XT_INV_IN = 4, XT_INV_OUT = 8, XT_INV_PROTO = 16,
       XT_INV_FRAGMENT = 32 };

struct xt_header4 {
	struct xt_record head;
	uint8_t src[4], src_mask[4], dst[4], dst_mask[4];
};

struct xt_header6 {
	struct xt_record head;
	uint8_t src[16], src_mask[16], dst[16], dst_mask[16];
};

struct xt_ifaces { /* "eth+" matches a prefix; "" matches all */
	struct xt_record head;
	char in[XT_IFNAME], out[XT_IFNAME];
};

struct xt_text { /* comment, nfacct name, unknown constructs */
	struct xt_record head;
	char text[];
};

struct xt_spec {
	uint32_t users, hash;
	uint16_t size;    /* bytes of records */
	uint16_t target;  /* offset of the target's record */
	uint16_t guard;   /* records before this offset may be indexed: see compile.c */
	uint8_t states;   /* union xt_state's that a rule needs */
	bool unknown;     /* has a record of kind UNKNOWN */
	uint64_t records[];
};

union xt_state {
	uint32_t nth;
	struct {
		int64_t since_ns, credit_ns;
	} limit;
};

struct xt_rule {
	uint64_t packets, bytes;
	struct xt_spec *spec;
	struct xt_chain *jump;  /* of XT_T_JUMP and XT_T_GOTO */
	union xt_state *states; /* owned; NULL none */
	uint32_t line : 31;
	uint32_t fresh : 1;     /* put in by the transaction under way */
	uint16_t file;          /* index in the ruleset's list of names */
	uint16_t column;        /* of an unknown construct, 0 none */
};

struct xt_index;

struct xt_chain {
	char name[XT_NAME];
	int8_t hook;         /* enum nf_hook of a built-in chain, else -1 */
	bool drop;           /* policy of a built-in chain */
	uint32_t references; /* jumps and gotos to it */
	uint64_t packets, bytes; /* of the policy */
	struct xt_rule *rules;
	uint32_t count, capacity;
	uint32_t entered;    /* mark of loop search */
	struct xt_index *index; /* compile.c; NULL: not made yet */
	struct xt_staged *staged; /* by the transaction under way, else NULL */
};

struct xt_table {
	struct xt_ruleset *x;
	char name[XT_NAME];
	struct table chains;     /* string key: name; value: struct xt_chain * */
	struct xt_chain *builtin[HOOK_COUNT];
	bool registered;
};

struct xt_pool { /* interned specs */
	struct xt_spec **slots;
	uint32_t size, used, count; /* used counts tombstones */
};

struct xt_ruleset {
	struct netns *ns;
	uint8_t family;
	struct xt_table *tables[5];
	struct xt_pool pool;
	struct recent *recent;
	char **files;
	uint16_t file_count;
	uint64_t rules;
	uint32_t search;         /* for loop search */
	uint64_t rules_evaluated, policies, set_lookups; /* by both evaluators, traced or not */
	struct xt_parse *parse;  /* scratch of the parser, kept between lines */
};

/* --- pool.c */
/* The one spec with these records; takes one use. */
struct xt_spec *pool_take(struct xt_pool *pool, const struct xt_spec *draft);
struct xt_spec *pool_hold(struct xt_spec *spec);
void pool_drop(struct xt_pool *pool, struct xt_spec *spec);
void pool_free(struct xt_pool *pool);

static inline const struct xt_record *spec_first(const struct xt_spec *s)
{
	return (const struct xt_record *)s->records;
}

static inline const struct xt_record *spec_at(const struct xt_spec *s, uint32_t offset)
{
	return (const struct xt_record *)(const void *)((const uint8_t *)s->records + offset);
}

static inline const struct xt_record *record_next(const struct xt_record *r)
{
	return (const struct xt_record *)(const void *)((const uint8_t *)r + r->size);
}

static inline const struct xt_record *spec_target(const struct xt_spec *s)
{
	return spec_at(s, s->target);
}

/* --- extension.c */
struct xt_parse;
struct xt_eval;
struct xt_build;

enum { XT_VALUE = 1, XT_NEGATES = 2, XT_SECOND = 4 }; /* takes a value; "!" allowed; a 2nd value */

struct xt_option {
	const char *name; /* without "--" */
	uint8_t id;       /* below 32; each may be given once */
	uint8_t flags;
};

enum xt_answer { XT_NO, XT_YES, XT_UNDECIDED };
enum xt_outcome { XT_CONTINUE, XT_ACCEPT, XT_DROP, XT_STOLEN };

struct xt_extension {
	const char *name;
	uint8_t kind;
	uint8_t families;  /* 1: v4, 2: v6 */
	uint16_t size;     /* of the record without trailing text */
	bool impure;       /* draws, counts or remembers: ends the guard */
	uint8_t states;
	const char *tables; /* "nat", "raw", ... that it works in; NULL: all */
	const struct xt_option *options;
	void (*init)(struct xt_record *r);
	/* 0, or an error left by xt_complain. `second` for XT_SECOND. */
	int (*option)(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
		      const char *second, bool invert);
	int (*finish)(struct xt_parse *p, struct xt_build *b);
	void (*print)(const struct xt_record *r, uint8_t family, struct strbuf *out);
	void (*list)(const struct xt_record *r, uint8_t family, struct strbuf *out);
	enum xt_answer (*match)(struct xt_eval *e, const struct xt_record *r, union xt_state *s);
	enum xt_outcome (*run)(struct xt_eval *e, const struct xt_record *r);
};

const struct xt_extension *extension_match(const char *name, uint8_t family);
const struct xt_extension *extension_target(const char *name, uint8_t family);
const struct xt_extension *extension_of(uint8_t kind);
/* A target of iptables that svclab does not know. */
bool extension_is_foreign_target(const char *name);
/* The match of "-p NAME": tcp, udp, sctp, icmp, icmp6, or NULL. */
const struct xt_extension *extension_for_proto(uint8_t proto, uint8_t family);

extern const struct xt_extension xt_match_addrtype, xt_match_comment, xt_match_connmark,
	xt_match_conntrack, xt_match_dscp, xt_match_icmp, xt_match_icmp6, xt_match_ipvs,
	xt_match_limit, xt_match_mac, xt_match_mark, xt_match_multiport, xt_match_nfacct,
	xt_match_owner, xt_match_physdev, xt_match_recent, xt_match_rpfilter, xt_match_sctp, xt_match_set,
	xt_match_state, xt_match_statistic, xt_match_tcp, xt_match_tos, xt_match_udp;
extern const struct xt_extension xt_target_accept, xt_target_checksum, xt_target_connmark,
	xt_target_ct, xt_target_dnat, xt_target_drop, xt_target_dscp, xt_target_log,
	xt_target_mark, xt_target_masquerade, xt_target_netmap, xt_target_nflog,
	xt_target_notrack, xt_target_queue, xt_target_redirect, xt_target_reject,
	xt_target_return, xt_target_snat, xt_target_tcpmss, xt_target_tos, xt_target_trace;

/* --- parse.c */
struct xt_token {
	const char *text;
	uint16_t column; /* from 1 */
	bool quoted;
};

struct xt_build { /* one extension being read */
	const struct xt_extension *ext; /* NULL: unknown */
	uint32_t seen;   /* bit per option id */
	uint16_t column;
	union {
		struct xt_record head;
		uint64_t align;
		uint8_t bytes[XT_BUILD_BYTES];
	} u;
};

struct xt_parse {
	struct xt_ruleset *x;
	struct xt_table *table;
	struct err *err;
	const char *file; /* NULL: a command, errors are worded as iptables words them */
	int line;
	struct xt_token tokens[XT_TOKENS + 1];
	uint32_t count, at; /* the token being read */
	uint16_t column;    /* where to complain when `at` is XT_NOWHERE */
	char *text;         /* storage of the tokens */
	size_t text_size;
	/* the rule being read */
	struct xt_header6 header; /* v4 uses the first four bytes of each */
	bool has_src, has_dst, has_proto;
	char in[XT_IFNAME], out[XT_IFNAME];
	bool has_in, has_out, fragment;
	struct net_prefix sources[16], destinations[16]; /* of lists "a,b" */
	uint32_t source_count, destination_count;
	uint64_t packets, bytes;
	struct xt_build *builds; /* XT_MATCHES + 1 */
	uint32_t build_count;
	int target;              /* build index, -1 none */
	bool proto_loaded;       /* the match of -p was loaded by an option of it */
	struct xt_chain *jump;
	bool is_goto, has_target;
	uint16_t unknown_column;
	uint8_t draft[sizeof(struct xt_spec) + 16384] __attribute__((aligned(8)));
};

/* EINVAL with place (restore) or as iptables words it (command). */
int xt_complain(struct xt_parse *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Column of the token being read. */
int complaint_column(const struct xt_parse *p);
struct xt_parse *parse_new(struct xt_ruleset *x);
void parse_free(struct xt_parse *p);
/* Splits a line as iptables-restore does. */
int parse_tokens(struct xt_parse *p, const char *line, size_t length, uint32_t column);
/* Reads the rule from tokens[from..count); the chain is `chain`. */
int parse_rule(struct xt_parse *p, uint32_t from, const struct xt_chain *chain);
/* The i-th rule that was read (source lists make several); its fresh rule. */
uint32_t parse_rule_count(const struct xt_parse *p);
struct xt_rule parse_make_rule(struct xt_parse *p, uint32_t i);
/* Values, shared by extensions. */
bool plain_word(const char *text);
bool parse_u32(const char *text, uint64_t max, uint64_t *out); /* 0x, 0 prefixes as strtoul */
bool parse_mark(const char *text, uint32_t *value, uint32_t *mask); /* "v[/m]" */
int parse_ports(struct xt_parse *p, const char *text, uint16_t *min, uint16_t *max);
bool parse_port(const char *text, uint16_t *out); /* number or well-known name */
/* "a", "a/len", "a/mask" of the family; false: not one. The first keeps host bits. */
bool parse_host_network(const char *text, uint8_t family, uint8_t *addr, uint8_t *mask);
bool parse_network(const char *text, uint8_t family, uint8_t *addr, uint8_t *mask);
bool parse_proto(const char *text, uint8_t *out);
/* Protocol of the rule being read, 0 when absent or negated. */
uint8_t parse_rule_proto(const struct xt_parse *p);
/* Copies a text behind the record; false when longer than `max` bytes. */
bool build_text(struct xt_build *b, uint16_t offset, const char *text, size_t max);

/* --- ruleset.c, change.c */
struct xt_staged {
	struct xt_chain *chain;
	struct xt_rule *rules;
	uint32_t count, capacity;
	struct xt_rule *removed; /* old rules that go at commit */
	uint32_t removed_count, removed_capacity;
	bool created, deleted, policy_set, drop;
	bool counters_set;
	uint64_t packets, bytes;
	char renamed_from[XT_NAME];
};

struct xt_change { /* a transaction on one table */
	struct xt_table *table;
	struct xt_staged **staged;
	uint32_t count, capacity;
	bool table_created;
};

struct xt_table *ruleset_table(const struct xt_ruleset *x, const char *name); /* NULL none */
bool table_name_known(const char *name);
/* Makes the table when missing; NULL: no such table exists in Linux. */
struct xt_table *ruleset_add_table(struct xt_ruleset *x, const char *name, bool *created);
struct xt_chain *table_chain(const struct xt_table *t, const char *name); /* live or staged */
uint16_t ruleset_file(struct xt_ruleset *x, const char *name);
/* Live chains sorted as iptables-save prints them; free() the array. */
struct xt_chain **table_sorted(const struct xt_table *t, uint32_t *count);
int change_begin(struct xt_change *c, struct xt_ruleset *x, const char *table);
struct xt_staged *change_touch(struct xt_change *c, struct xt_chain *chain);
struct xt_chain *change_create(struct xt_change *c, const char *name);
void change_delete(struct xt_change *c, struct xt_chain *chain);
void change_rename(struct xt_change *c, struct xt_chain *chain, const char *name);
void change_insert(struct xt_change *c, struct xt_chain *chain, uint32_t at,
		   const struct xt_rule *rule);
void change_remove(struct xt_change *c, struct xt_chain *chain, uint32_t at);
void change_flush(struct xt_change *c, struct xt_chain *chain);
/* Counters of rules and policy become 0. */
void change_zero(struct xt_change *c, struct xt_chain *chain);
/* Everything goes but the built-in chains, whose policies become ACCEPT unless kept. */
void change_clear(struct xt_change *c);
uint32_t change_rule_count(const struct xt_chain *chain); /* staged or live */
struct xt_rule *change_rules(const struct xt_chain *chain);
/* A chain that can reach itself, or NULL. */
const struct xt_chain *change_loop(struct xt_change *c);
void change_commit(struct xt_change *c);
void change_abort(struct xt_change *c);

/* A rule holds the sets and recent lists that it names. */
void rule_acquire(struct xt_ruleset *x, const struct xt_rule *rule);
void rule_release(struct xt_ruleset *x, struct xt_rule *rule);
void free_states(struct xt_rule *rule);
/* Counters and credits as at the start. */
void rule_states_init(struct xt_ruleset *x, struct xt_rule *rule);
void chain_free(struct xt_ruleset *x, struct xt_chain *c);
void table_drop(struct xt_table *t);
/* Registers the table's hooks, once. */
void ruleset_publish(struct xt_table *t);
/* Interface `name` against "eth0", "eth+" or "". */
bool iface_match(const char *name, const char *pattern);
uint32_t match_recent_hitcount(const struct xt_record *r);
const char *match_recent_name(const struct xt_record *r);
const char *match_set_name(const struct xt_record *r);

/* --- print.c */
/* One line per unknown construct of the rule. */
void print_unknown(const struct xt_ruleset *x, const struct xt_rule *rule, struct strbuf *out);
/* "-A CHAIN ...", without newline. */
void print_rule(const struct xt_ruleset *x, const struct xt_chain *chain,
		const struct xt_rule *rule, struct strbuf *out);
/* Blank and text, quoted as iptables-save quotes. */
void print_quoted(struct strbuf *out, const char *text);
void print_network(struct strbuf *out, const uint8_t *addr, const uint8_t *mask, uint8_t family,
		   bool always_bits);
const char *print_proto(uint8_t proto); /* name iptables knows, or NULL */
struct net_addr addr_from(const uint8_t *bytes, uint8_t family);
/* Contiguous mask's length, -1 otherwise. */
int mask_bits(const uint8_t *mask, uint8_t family);

/* --- list.c */
void list_chains(const struct xt_ruleset *x, const struct xt_table *t, const char *chain,
		 bool verbose, bool numbers, struct strbuf *out);

/* --- eval.c */
struct xt_eval {
	struct xt_ruleset *x;
	struct xt_table *table;
	struct hook_state *state;
	struct packet *packet;
	struct netns *ns;
	int64_t now_ns;
	char note[160];            /* what the target changed */
	const char *undecided;     /* why, when an answer was XT_UNDECIDED */
	bool rejected;
};

enum nf_verdict eval_table(struct xt_table *t, struct hook_state *state, bool compiled);
hook_fn xt_table_hook;
/* Whether header and matches say yes. */
enum xt_answer eval_rule(struct xt_eval *e, struct xt_rule *rule);

/* --- trace.c */
void trace_rule(struct xt_eval *e, const struct xt_chain *chain, uint32_t at, bool passed_over);
void trace_policy(struct xt_eval *e, const struct xt_chain *chain);
void trace_drop(struct xt_eval *e, const struct xt_chain *chain, uint32_t at);
void trace_undecided(struct xt_eval *e, const struct xt_chain *chain, uint32_t at);

/* --- compile.c */
struct xt_positions { /* rising rule positions */
	const uint32_t *at;
	uint32_t count;
};

struct xt_cursor { /* the rules of a chain that one packet may match */
	bool linear;     /* all of them */
	uint32_t end;    /* rules in the chain */
	uint32_t count;
	struct xt_positions lists[5];
};

void cursor_open(struct xt_cursor *c, struct xt_chain *chain, const struct packet *p);
/* First candidate at or after `from`, which must not fall; the chain's length: none. */
uint32_t cursor_next(struct xt_cursor *c, uint32_t from);
void rule_index_free(struct xt_index *index);
/* Offset of the first record that may not be indexed. */
uint16_t spec_guard(const struct xt_spec *s);

#endif
