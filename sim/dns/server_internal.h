/* dns/server_internal.h: what the parts of the server share; see server.h.
 *
 * A server block is a chain of plugins in CoreDNS's fixed order: loadbalance, cache,
 * hosts, kubernetes, file, forward. A plugin writes the reply, passes the query on, or
 * returns an rcode without having written anything; the server then makes the reply
 * (which neither cache nor loadbalance sees).
 */
#ifndef DNS_SERVER_INTERNAL_H
#define DNS_SERVER_INTERNAL_H

#include "core/table.h"
#include "core/strbuf.h"
#include "dns/server.h"
#include "dns/zone.h"

/* ---- plugins ------------------------------------------------------------------- */

struct cache_item;

struct cache_half {              /* the success or the denial cache */
	int64_t capacity, ttl_s, min_ttl_s;
	struct dns_names except; /* zones that are not stored */
	struct table items;      /* struct cache_key -> struct cache_item * */
	uint32_t hand;           /* where eviction goes on */
};

struct cache_plugin {
	struct dns_names zones;
	struct cache_half success, denial;
	int64_t servfail_ns;
	int32_t prefetch;        /* hits; 0: off */
	int64_t prefetch_ns;
	int32_t prefetch_percent;
	int64_t stale_s;         /* serve_stale; 0: off */
	bool verify_stale, keep_ttl, prefer_positive;
	int64_t verify_timeout_ns; /* 0: as long as the upstream takes */
	int64_t recheck_ns;      /* after a failed refresh; 0: at once */
	uint32_t stale_ttl;
};

struct hosts_entry { struct net_addr addr; struct dns_name name; };
struct hosts_plugin {
	struct dns_names zones, fall;
	struct hosts_entry *entries;
	uint32_t count, ttl;
	bool no_reverse, pass_other_types;
};

struct file_zone { struct dns_name origin; struct dns_master *master; };
struct file_plugin {
	struct file_zone *zones;
	uint32_t count;
	struct dns_names fall;
};

struct forward_plugin {
	struct dns_name from;
	struct dns_names except;
	uint32_t attempts;       /* 0: no limit */
	int64_t read_timeout_ns;
	bool force_tcp, prefer_udp;
};

struct block {                   /* a server block */
	struct dns_names zones;
	bool has_handler;        /* else everything is refused */
	bool loadbalance;
	struct cache_plugin *cache;
	struct hosts_plugin *hosts;
	struct dns_kube *kube;
	struct file_plugin *file;
	struct forward_plugin *forwards;
	uint32_t forward_count;
};

struct finished;                 /* server_finished.c */

struct dns_server {
	struct arena *config;    /* lives as long as the server */
	struct arena *work;      /* of one query */
	struct block *blocks;
	uint32_t block_count;
	bool any_class;          /* forward opens classes other than IN */
	bool has_kube;
	uint16_t health_port, ready_port; /* 0: none */
	int64_t lameduck_ns;
	struct dns_reload reload;
	const struct dns_view *view;
	const struct dns_master *upstream;
	struct choice *choice;
	struct net_addr *local;
	uint32_t local_count;
	struct dns_server_stats stats;
	struct finished *finished;
};

/* Fills the blocks of a server from its Corefile. */
int dns_server_setup(struct dns_server *s, const struct dns_server_config *config, struct err *err);

/* ---- setup helpers (server_options.c) -------------------------------------------- */

struct setup {
	struct dns_server *server;
	const struct dns_server_config *config;
	const struct corefile *corefile;
	const struct corefile_server *block;
	struct err *err;
};

int setup_error(const struct setup *s, const struct corefile_line *line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Zones of arguments from `first` on (names or CIDRs); of the block when there are none. */
int setup_zones(const struct setup *s, const struct corefile_line *line, uint32_t first,
		struct dns_names *out);
/* Adds the zones of one word; a CIDR may be several. */
int setup_zone(const struct setup *s, int line, const char *word, struct dns_names *out,
	       uint16_t *port);
int setup_number(const struct setup *s, const struct corefile_line *line, uint32_t word,
		 int64_t low, int64_t high, int64_t *out);
int setup_duration(const struct setup *s, const struct corefile_line *line, uint32_t word,
		   int64_t *out_ns);
/* "a=b,c in (x, y),!d" from words[1] on. */
int setup_selector(const struct setup *s, const struct corefile_line *line,
		   struct kube_selector *out);
/* The property has no arguments. */
int setup_flag(const struct setup *s, const struct corefile_line *line, bool *flag);
int setup_fallthrough(const struct setup *s, const struct corefile_line *line,
		      struct dns_names *out);

int setup_kubernetes(const struct setup *s, const struct corefile_line *line, struct block *b);
int setup_cache(const struct setup *s, const struct corefile_line *line, struct block *b);
int setup_forward(const struct setup *s, const struct corefile_line *line, struct block *b);
int setup_file(const struct setup *s, const struct corefile_line *line, struct block *b);
int setup_hosts(const struct setup *s, const struct corefile_line *line, struct block *b);

/* ---- a query on its way ------------------------------------------------------------ */

struct run {
	struct dns_server *server;
	struct arena *arena;
	const struct dns_client *client;
	int64_t now_ns;
	int64_t delay_ns;
	unsigned depth;          /* look-ups that the server makes of itself */
	/* How long the reply would come out the same; see server_finished.c. */
	int64_t stable_until_ns; /* INT64_MAX: no time limit */
	bool by_view;            /* as long as the view does not change */
	bool unstable;
	bool shuffled;
};

enum outcome { OUT_WRITTEN, OUT_RCODE, OUT_SILENT };

/* Runs a request through the server; false: no reply. */
bool dns_server_run(struct run *r, const struct dns_message *request, struct dns_message *reply);
/* What lies behind the cache. */
enum outcome dns_chain_backend(struct run *r, const struct block *b,
			      const struct dns_message *request, struct dns_message *reply);
/* The cache and what lies behind it. */
enum outcome dns_cache_answer(struct run *r, const struct block *b,
			      const struct dns_message *request, struct dns_message *reply);
void dns_cache_free(struct cache_plugin *c);
/* The forward plugin: whether it takes the name, and what the upstream says. */
bool dns_forwards_to(const struct forward_plugin *f, const struct dns_name *name);
enum outcome dns_forward_answer(struct run *r, const struct forward_plugin *f,
				const struct dns_message *request, struct dns_message *reply);
/* Header and question of a reply to `request`. */
void dns_reply_begin(const struct dns_message *request, struct dns_message *reply);
/* Puts each section into loadbalance's order. */
void dns_loadbalance(struct run *r, struct dns_message *reply);
/* Shuffles positions 0..count-1 of `order`. */
void dns_loadbalance_shuffle(struct choice *c, uint32_t *order, uint32_t count);

/* ---- finished replies ---------------------------------------------------------------- */

struct finished *dns_finished_new(void);
void dns_finished_free(struct finished *f);
void dns_finished_clear(struct finished *f);
/* Writes the reply to these request bytes, if it is kept. */
bool dns_finished_find(struct dns_server *s, const uint8_t *query, size_t length,
		   const struct dns_client *client, int64_t now_ns, struct strbuf *out);
/* Keeps a reply that was just written (bytes at out[from..]), where it may be. */
void dns_finished_keep(const struct run *r, const uint8_t *query, size_t length,
		   const struct strbuf *out, size_t from, struct dns_marks *marks, bool compressed);

#endif
