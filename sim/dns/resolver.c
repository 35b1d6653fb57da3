/* dns/resolver.c: a run's life and its result; see resolver.h. */
#include "dns/resolver_internal.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- servers and addresses ------------------------------------------------------- */

uint32_t resolver_servers(const struct resolver *r)
{
	return r->conf.server_count ? r->conf.server_count : 1;
}

const struct net_addr *resolver_server(const struct resolver *r, uint32_t n)
{
	static const struct net_addr loopback = { .family = NET_V4, .bytes = { 127, 0, 0, 1 } };
	return r->conf.server_count ? &r->conf.servers[n] : &loopback;
}

void resolver_add_address(struct resolver *r, const struct net_addr *addr)
{
	struct resolver_result *result = &r->result;
	if (result->address_count == r->address_capacity) {
		uint32_t capacity = r->address_capacity ? r->address_capacity * 2 : 4;
		result->addresses = mem_grow(result->addresses, r->address_capacity, capacity,
					     sizeof *result->addresses);
		r->address_capacity = capacity;
	}
	result->addresses[result->address_count++] = *addr;
}

void resolver_take_answer(struct resolver *r, const struct dns_message *m, uint16_t type)
{
	for (uint32_t i = 0; m && i < m->answer.count; i++) {
		const struct dns_rr *rr = &m->answer.items[i];
		struct net_addr addr;
		if (!r->result.ttl || rr->ttl < r->result.ttl)
			r->result.ttl = rr->ttl;
		if (rr->type != type || !dns_rr_get_address(rr, &addr))
			continue;
		r->result.canonical = *rr->owner;
		resolver_add_address(r, &addr);
	}
}

/* RFC 6724 as far as it matters in a pod: what can be reached first; where both can,
 * IPv6 first. The order within a family stays that of the answer. */
void resolver_sort(struct resolver *r)
{
	struct resolver_result *result = &r->result;
	uint8_t first = r->config.has_v6 ? NET_V6 : NET_V4;
	struct net_addr *sorted = arena_array(r->arena, result->address_count + 1u, sizeof *sorted);
	uint32_t count = 0;
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < result->address_count; i++)
			if ((result->addresses[i].family == first) == (pass == 0))
				sorted[count++] = result->addresses[i];
	if (count)
		memcpy(result->addresses, sorted, count * sizeof *sorted);
}

/* ---- the hosts file ----------------------------------------------------------------- */

/* Calls fn with each address and name of the file until it returns true. */
static bool each_host(struct resolver *r,
		      bool (*fn)(void *ctx, const struct net_addr *addr, const char *name),
		      void *ctx)
{
	char *copy = arena_strdup(r->arena, r->config.hosts), *lines = NULL;
	for (char *line = strtok_r(copy, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		char *words = NULL;
		struct net_addr addr;
		line[strcspn(line, "#")] = 0;
		const char *word = strtok_r(line, " \t\r", &words);
		if (!word || !net_addr_parse(word, &addr))
			continue;
		while ((word = strtok_r(NULL, " \t\r", &words)))
			if (fn(ctx, &addr, word))
				return true;
	}
	return false;
}

struct host_search {
	struct resolver *resolver;
	const char *name;
	const struct net_addr *addr;
	const char *found;
	bool any;
};

static bool match_name(void *ctx, const struct net_addr *addr, const char *name)
{
	struct host_search *s = ctx;
	if (strcasecmp(name, s->name) == 0) {
		resolver_add_address(s->resolver, addr);
		s->any = true;
	}
	return false;
}

static bool match_address(void *ctx, const struct net_addr *addr, const char *name)
{
	struct host_search *s = ctx;
	if (!net_addr_equal(addr, s->addr))
		return false;
	s->found = name;
	return true;
}

bool resolver_from_hosts(struct resolver *r, const char *name)
{
	struct host_search s = { .resolver = r, .name = name };
	each_host(r, match_name, &s);
	return s.any;
}

const char *resolver_host_name(struct resolver *r, const struct net_addr *addr)
{
	struct host_search s = { .resolver = r, .addr = addr };
	each_host(r, match_address, &s);
	return s.found;
}

/* ---- a run ------------------------------------------------------------------------------ */

static const struct machine *machine_of(enum resolver_kind kind)
{
	switch (kind) {
	case RESOLVER_MUSL:
		return &machine_musl;
	case RESOLVER_BUSYBOX_OLD:
	case RESOLVER_BUSYBOX_MUSL:
		return &machine_busybox_old;
	case RESOLVER_BUSYBOX:
		return &machine_busybox;
	case RESOLVER_DIG:
		return &machine_dig;
	case RESOLVER_NSLOOKUP:
		return &machine_nslookup;
	case RESOLVER_HOST:
		return &machine_host;
	default:
		return &machine_glibc;
	}
}

static void begin(void *ctx)
{
	struct resolver *r = ctx;
	r->machine->begin(r);
}

static const char *copy(struct resolver *r, const char *text)
{
	return text ? arena_strdup(r->arena, text) : NULL;
}

int resolver_start(const struct resolver_config *config, resolver_done_fn *fn, void *ctx,
		   struct resolver **out, struct err *err)
{
	struct resolver *r = mem_alloc(sizeof *r);
	struct net_addr server;
	r->arena = arena_new();
	r->config = *config;
	r->config.resolv_conf = copy(r, config->resolv_conf ? config->resolv_conf : "");
	r->config.hosts = copy(r, config->hosts ? config->hosts : "");
	r->config.name = copy(r, config->name ? config->name : "");
	r->config.type = copy(r, config->type);
	r->config.server = copy(r, config->server);
	r->config.options = copy(r, config->options ? config->options : "");
	r->fn = fn;
	r->ctx = ctx;
	r->result.rcode = -1;
	r->result.started_ns = engine_now(config->engine);
	r->machine = machine_of(config->kind);
	resolv_conf_parse(r->config.resolv_conf, &r->conf);
	int code = 0;
	if (config->server && !net_addr_parse(config->server, &server)) {
		code = err_set(err, EINVAL, "%s: expected the address of a DNS server",
			       config->server);
	} else if (config->server) {
		r->conf.servers[0] = server;
		r->conf.server_count = 1;
	}
	if (!code)
		code = r->machine->prepare(r, err);
	if (code) {
		resolver_free(r);
		return code;
	}
	r->begin_event = engine_after(config->engine, 0, begin, r);
	*out = r;
	return 0;
}

void resolver_finish(struct resolver *r)
{
	asker_stop_waiting(r);
	asker_close(r);
	r->done = true;
	r->result.ended_ns = engine_now(r->config.engine);
	r->fn(r->ctx, r, &r->result);
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	if (r->gone)
		*r->gone = true;
	resolver_free(r->inner);
	engine_cancel(r->config.engine, &r->begin_event);
	asker_stop_waiting(r);
	asker_close(r);
	free(r->result.addresses);
	free(r->result.queries);
	strbuf_free(&r->result.out);
	strbuf_free(&r->result.errors);
	strbuf_free(&r->stream_in);
	arena_free(r->arena);
	free(r);
}

const struct resolver_result *resolver_result(const struct resolver *r)
{
	return &r->result;
}

void resolver_transcript(const struct resolver *r, struct strbuf *out)
{
	/* Old nslookup over musl complains of the server before anything else; all others
	 * complain last. */
	bool first = r->config.kind == RESOLVER_BUSYBOX_MUSL;
	strbuf_puts(out, strbuf_text(first ? &r->result.errors : &r->result.out));
	strbuf_puts(out, strbuf_text(first ? &r->result.out : &r->result.errors));
}

void resolver_take_queries(struct resolver *r, const struct resolver_result *from)
{
	uint32_t count = r->result.query_count + from->query_count;
	if (count > r->query_capacity) {
		r->result.queries = mem_grow(r->result.queries, r->query_capacity, count,
					     sizeof *r->result.queries);
		r->query_capacity = count;
	}
	if (from->query_count)
		memcpy(r->result.queries + r->result.query_count, from->queries,
		       from->query_count * sizeof *from->queries);
	r->result.query_count = count;
	asker_new_round(r);
}

/* ---- images ----------------------------------------------------------------------------- */

enum resolver_kind resolver_kind_of_image(const char *image)
{
	return image && strstr(image, "alpine") ? RESOLVER_MUSL : RESOLVER_GLIBC;
}

enum resolver_kind resolver_nslookup_of_image(const char *image)
{
	static const struct { const char *pattern; enum resolver_kind kind; } images[] = {
		{ "*busybox:1.[0-9]", RESOLVER_BUSYBOX_OLD },
		{ "*busybox:1.[0-9][.-]*", RESOLVER_BUSYBOX_OLD },
		{ "*busybox:1.1[0-9]*", RESOLVER_BUSYBOX_OLD },
		{ "*busybox:1.2[0-8]*", RESOLVER_BUSYBOX_OLD },
		{ "*busybox*", RESOLVER_BUSYBOX },
		{ "*alpine:3.[0-9]", RESOLVER_BUSYBOX_MUSL },
		{ "*alpine:3.[0-9].*", RESOLVER_BUSYBOX_MUSL },
		{ "*alpine:3.10*", RESOLVER_BUSYBOX_MUSL },
		{ "*alpine3.[0-9]", RESOLVER_BUSYBOX_MUSL },
		{ "*nginx:1.1[0-7]*alpine*", RESOLVER_BUSYBOX_MUSL }, /* on alpine up to 3.10 */
		{ "*alpine*", RESOLVER_BUSYBOX },
		{ "*ikubernetes/myapp:*", RESOLVER_BUSYBOX_MUSL }, /* nginx on alpine 3.7 */
	};
	for (size_t i = 0; image && i < sizeof images / sizeof *images; i++)
		if (fnmatch(images[i].pattern, image, 0) == 0)
			return images[i].kind;
	return RESOLVER_NSLOOKUP;
}
