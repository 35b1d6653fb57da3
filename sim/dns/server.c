/* dns/server.c: the server around the plugins: which block answers, errors, sizes; see
 * server.h. Rules are those of core/dnsserver/server.go and request/request.go. */
#include "dns/server_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- replies ------------------------------------------------------------------- */

void dns_reply_begin(const struct dns_message *request, struct dns_message *reply)
{
	memset(reply, 0, sizeof *reply);
	reply->id = request->id;
	reply->flags = DNS_QR;
	reply->opcode = request->opcode;
	if (request->opcode == DNS_QUERY)
		reply->flags |= request->flags & (DNS_RD | DNS_CD);
	reply->has_question = request->has_question;
	reply->question = request->question;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Options that go back to the client; keepalive and expire are written anew, so that
 * what they carry beyond their form is lost. */
static void copy_options(struct arena *a, const struct dns_edns *from, struct dns_edns *to)
{
	enum { NSID = 3, EXPIRE = 9, COOKIE = 10, KEEPALIVE = 11, PADDING = 12 };
	uint8_t *out = arena_alloc(a, from->options_length + 1u);
	unsigned used = 0, at = 0;
	while (at + 4u <= from->options_length) {
		const uint8_t *option = from->options + at;
		unsigned code = get16(option), length = get16(option + 2), kept = length;
		at += 4 + length;
		if (code != NSID && code != EXPIRE && code != COOKIE && code != KEEPALIVE &&
		    code != PADDING)
			continue;
		if (code == EXPIRE && length > 4)
			kept = 4;
		if (code == KEEPALIVE && length == 2 && get16(option + 4) == 0)
			kept = 0;
		memcpy(out + used, option, 4 + kept);
		out[used + 2] = (uint8_t)(kept >> 8);
		out[used + 3] = (uint8_t)kept;
		used += 4 + kept;
	}
	to->options = out;
	to->options_length = (uint16_t)used;
}

/* The OPT of the reply: the request's own, with its size and upper flags. */
static void copy_edns(struct arena *a, const struct dns_message *request, struct dns_message *reply)
{
	reply->edns = (struct dns_edns){ 0 };
	if (!request->edns.present)
		return;
	reply->edns.present = true;
	reply->edns.payload = request->edns.payload;
	reply->edns.flags = request->edns.flags & 0xff00;
	reply->edns.dnssec_ok = request->edns.dnssec_ok;
	copy_options(a, &request->edns, &reply->edns);
}

/* Fits the reply into what the client takes. */
static void scrub(const struct run *r, const struct dns_message *request, struct dns_message *reply)
{
	uint16_t payload = request->edns.present ? request->edns.payload : 0;
	copy_edns(r->arena, request, reply);
	dns_message_fit(reply, r->client->tcp ? DNS_MESSAGE_BYTES : payload);
	if (reply->compress || r->client->tcp)
		return;
	/* Against fragments: what would be over these sizes is compressed all the same. */
	size_t limit = r->client->addr.family == NET_V6 ? 1220 : 1480;
	reply->compress = dns_message_size(reply, false) > limit;
}

static bool fail(const struct run *r, const struct dns_message *request, uint16_t code,
		 struct dns_message *reply)
{
	dns_reply_begin(request, reply);
	reply->rcode = code;
	copy_edns(r->arena, request, reply);
	return true;
}

/* ---- choosing the block ------------------------------------------------------------ */

static const struct block *block_of(const struct dns_server *s, const struct dns_name *zone)
{
	for (uint32_t i = 0; i < s->block_count; i++)
		for (uint32_t k = 0; k < s->blocks[i].zones.count; k++)
			if (dns_name_equal(&s->blocks[i].zones.items[k], zone))
				return &s->blocks[i];
	return NULL;
}

/* The block of the longest zone; for DS of the shortest one, which may be the parent. */
static const struct block *choose_block(const struct dns_server *s, const struct dns_question *q)
{
	const struct block *found = NULL;
	struct dns_name at = q->name;
	for (;;) {
		const struct block *b = block_of(s, &at);
		if (b)
			found = b;
		if (at.length <= 1 || (b && q->type != DNS_DS))
			return found;
		dns_name_parent(&at);
		if (at.length <= 1 && found)
			return found;
	}
}

bool dns_server_run(struct run *r, const struct dns_message *request, struct dns_message *reply)
{
	if (!request->has_question)
		return fail(r, request, DNS_SERVFAIL, reply);
	if (request->question.class != DNS_IN && !r->server->any_class)
		return fail(r, request, DNS_REFUSED, reply);
	if (request->edns.present && request->edns.version != 0) {
		dns_reply_begin(request, reply);
		reply->rcode = DNS_BADVERS;
		reply->edns = (struct dns_edns){ .present = true };
		return true;
	}
	const struct block *b = choose_block(r->server, &request->question);
	if (!b || !b->has_handler)
		return fail(r, request, DNS_REFUSED, reply);
	dns_reply_begin(request, reply);
	enum outcome o = b->cache ? dns_cache_answer(r, b, request, reply) :
				    dns_chain_backend(r, b, request, reply);
	if (o == OUT_SILENT)
		return false;
	if (o == OUT_RCODE)
		fail(r, request, reply->rcode, reply);
	else if (b->loadbalance)
		dns_loadbalance(r, reply);
	scrub(r, request, reply);
	return true;
}

/* ---- setup --------------------------------------------------------------------------- */

/* From D_HANDLER on, plugins that take part in answering. */
enum directive_kind { D_UNKNOWN, D_SILENT, D_HEALTH, D_READY, D_RELOAD, D_IGNORED, D_HANDLER, D_LOADBALANCE,
		      D_CACHE, D_HOSTS, D_KUBERNETES, D_FILE, D_FORWARD };

static enum directive_kind directive_kind(const char *name)
{
	static const struct { const char *name; enum directive_kind kind; } known[] = {
		{ "root", D_SILENT }, { "reload", D_RELOAD }, { "bind", D_SILENT },
		{ "debug", D_SILENT }, { "ready", D_READY }, { "pprof", D_SILENT },
		{ "timeouts", D_SILENT }, { "multisocket", D_SILENT }, { "tls", D_SILENT },
		{ "health", D_HEALTH }, { "prometheus", D_HANDLER }, { "errors", D_HANDLER },
		{ "log", D_HANDLER }, { "loop", D_HANDLER }, { "trace", D_HANDLER },
		{ "metadata", D_HANDLER }, { "cancel", D_HANDLER }, { "dnstap", D_HANDLER },
		{ "loadbalance", D_LOADBALANCE }, { "cache", D_CACHE }, { "hosts", D_HOSTS },
		{ "kubernetes", D_KUBERNETES }, { "file", D_FILE }, { "forward", D_FORWARD },
	};
	static const char *const not_modelled[] = {
		"geoip", "proxyproto", "quic", "grpc_server", "https", "https3", "nsid", "bufsize",
		"shed", "local", "dns64", "any", "chaos", "tsig", "rewrite", "autopath", "acl",
		"header", "dnssec", "minimal", "template", "transfer", "route53", "azure",
		"clouddns", "k8s_external", "auto", "secondary", "etcd", "grpc", "erratic",
		"whoami", "on", "sign", "view", "nomad"
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].kind;
	for (size_t i = 0; i < sizeof not_modelled / sizeof *not_modelled; i++)
		if (strcmp(name, not_modelled[i]) == 0)
			return D_IGNORED;
	return D_UNKNOWN;
}

static int setup_loadbalance(const struct setup *s, const struct corefile_line *l, struct block *b)
{
	if (l->count > 1 && strcmp(l->words[1], "weighted") == 0)
		return setup_error(s, l, "the weighted policy is not modelled");
	if (l->count > 1 && (l->count > 2 || strcmp(l->words[1], "round_robin") != 0))
		return setup_error(s, l, "unknown policy: %s", l->words[1]);
	if (l->block_count)
		return setup_error(s, &l->block[0], "options of loadbalance are not modelled");
	b->loadbalance = true;
	return 0;
}

/* "[HOST]:PORT" as the only argument; without one the port is `port`. */
static int http_port(const struct setup *s, const struct corefile_line *l, uint16_t port,
		     uint16_t *out)
{
	const char *colon = l->count > 1 ? strrchr(l->words[1], ':') : NULL;
	char *end = NULL;
	unsigned long value = colon ? strtoul(colon + 1, &end, 10) : port;
	if (l->count > 2 || (l->count == 2 && (!colon || !colon[1] || *end)) || value > 65535)
		return setup_error(s, l, "expected an address like :%u", port);
	*out = (uint16_t)value;
	return 0;
}

static int setup_health(const struct setup *s, const struct corefile_line *l)
{
	int code = http_port(s, l, 8080, &s->server->health_port);
	for (uint32_t i = 0; !code && i < l->block_count; i++) {
		const struct corefile_line *o = &l->block[i];
		if (strcmp(o->words[0], "lameduck") != 0)
			return setup_error(s, o, "unknown property of health");
		code = setup_duration(s, o, 1, &s->server->lameduck_ns);
	}
	return code;
}

static int setup_ready(const struct setup *s, const struct corefile_line *l)
{
	for (uint32_t i = 0; i < l->block_count; i++)
		if (strcmp(l->block[i].words[0], "monitor") != 0)
			return setup_error(s, &l->block[i], "unknown property of ready");
	return http_port(s, l, 8181, &s->server->ready_port);
}

/* reload [INTERVAL [JITTER]]: at least 2 s and 1 s; the jitter is at most half. */
static int setup_reload(const struct setup *s, const struct corefile_line *l)
{
	struct dns_reload r = { INT64_C(30000000000), INT64_C(15000000000) };
	int code = l->count > 1 ? setup_duration(s, l, 1, &r.interval_ns) : 0;
	if (!code && l->count > 2)
		code = setup_duration(s, l, 2, &r.jitter_ns);
	if (code)
		return code;
	if (r.interval_ns < INT64_C(2000000000))
		return setup_error(s, l, "interval value must be greater or equal to 2s");
	if (r.jitter_ns && r.jitter_ns < INT64_C(1000000000))
		return setup_error(s, l, "jitter value must be 0 or greater or equal to 1s");
	if (r.jitter_ns > r.interval_ns / 2)
		r.jitter_ns = r.interval_ns / 2;
	s->server->reload = r;
	return 0;
}

static int setup_directive(const struct setup *s, const struct corefile_line *l, struct block *b)
{
	enum directive_kind kind = directive_kind(l->words[0]);
	b->has_handler |= kind >= D_HANDLER;
	switch (kind) {
	case D_UNKNOWN:
		return err_at(s->err, EINVAL, s->corefile->file, l->line, l->column,
			      "Unknown directive '%s'", l->words[0]);
	case D_IGNORED:
		if (s->config->warnings)
			strbuf_printf(s->config->warnings,
				      "%s:%d:%d: plugin %s is not modelled and has no effect here\n",
				      s->corefile->file, l->line, l->column, l->words[0]);
		return 0;
	case D_LOADBALANCE:
		return setup_loadbalance(s, l, b);
	case D_CACHE:
		return setup_cache(s, l, b);
	case D_HOSTS:
		return setup_hosts(s, l, b);
	case D_KUBERNETES:
		return setup_kubernetes(s, l, b);
	case D_FILE:
		return setup_file(s, l, b);
	case D_FORWARD:
		return setup_forward(s, l, b);
	case D_HEALTH:
		return setup_health(s, l);
	case D_READY:
		return setup_ready(s, l);
	case D_RELOAD:
		return setup_reload(s, l);
	default:
		return 0;
	}
}

/* The zones of a block at the port; *any is false when it is on other ports only. */
static int block_zones(const struct setup *s, uint16_t port, struct block *b, bool *any)
{
	*any = false;
	for (uint32_t i = 0; i < s->block->key_count; i++) {
		struct dns_names zones = { 0 };
		uint16_t at;
		int code = setup_zone(s, s->block->line, s->block->keys[i], &zones, &at);
		if (code)
			return code;
		if ((at ? at : 53) != port)
			continue;
		*any = true;
		for (uint32_t k = 0; k < zones.count; k++)
			if (block_of(s->server, &zones.items[k]))
				return setup_error(s, NULL,
						   "cannot serve %s - it is already defined",
						   s->block->keys[i]);
		code = setup_zone(s, s->block->line, s->block->keys[i], &b->zones, &at);
		if (code)
			return code;
	}
	return 0;
}

int dns_server_setup(struct dns_server *server, const struct dns_server_config *config,
		 struct err *err)
{
	const struct corefile *c = config->corefile;
	uint16_t port = config->port ? config->port : 53;
	server->blocks = arena_array(server->config, c->server_count + 1u, sizeof *server->blocks);
	for (uint32_t i = 0; i < c->server_count; i++) {
		struct setup s = { server, config, c, &c->servers[i], err };
		struct block *b = &server->blocks[server->block_count];
		bool here;
		int code = block_zones(&s, port, b, &here);
		server->block_count += here;
		for (uint32_t k = 0; !code && k < c->servers[i].directive_count; k++)
			code = setup_directive(&s, &c->servers[i].directives[k], b);
		if (code)
			return code;
		if (!here)
			memset(b, 0, sizeof *b);
	}
	if (server->block_count)
		return 0;
	return err_at(err, EINVAL, c->file, 0, 0, "no server block on port %u", port);
}

/* ---- entry points ----------------------------------------------------------------------- */

int dns_server_new(const struct dns_server_config *config, struct dns_server **out,
		   struct err *err)
{
	struct dns_server *s = mem_alloc(sizeof *s);
	s->config = arena_new();
	s->work = arena_new();
	s->view = config->view;
	s->upstream = config->upstream;
	s->choice = config->choice;
	s->local = arena_array(s->config, config->local_count + 1u, sizeof *s->local);
	for (uint32_t i = 0; i < config->local_count; i++)
		s->local[i] = config->local[i];
	s->local_count = config->local_count;
	s->finished = dns_finished_new();
	int code = dns_server_setup(s, config, err);
	if (code) {
		dns_server_free(s);
		return code;
	}
	*out = s;
	return 0;
}

void dns_server_free(struct dns_server *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->block_count; i++) {
		dns_cache_free(s->blocks[i].cache);
		for (uint32_t k = 0; s->blocks[i].file && k < s->blocks[i].file->count; k++)
			dns_master_free(s->blocks[i].file->zones[k].master);
	}
	dns_finished_free(s->finished);
	arena_free(s->work);
	arena_free(s->config);
	free(s);
}

/* A datagram longer than the server's buffer is cut, as it reads no more. */
#define DATAGRAM_BYTES 512u

bool dns_server_answer(struct dns_server *s, const uint8_t *query, size_t length,
		       const struct dns_client *client, int64_t now_ns, struct strbuf *out,
		       int64_t *delay_ns)
{
	struct dns_message request, reply;
	struct run r = { .server = s, .arena = s->work, .client = client, .now_ns = now_ns,
			 .stable_until_ns = INT64_MAX };
	*delay_ns = 0;
	s->stats.queries++;
	if (!client->tcp && length > DATAGRAM_BYTES)
		length = DATAGRAM_BYTES;
	if (dns_finished_find(s, query, length, client, now_ns, out)) {
		s->stats.replies++;
		return true;
	}
	arena_reset(s->work);
	switch (dns_request_read(s->work, query, length, &request)) {
	case DNS_IGNORE:
		return false;
	case DNS_REJECT:
		reply = request;
		break;
	case DNS_ACCEPT:
		if (!dns_server_run(&r, &request, &reply))
			return false;
		break;
	}
	size_t from = out->length;
	struct dns_marks marks = { 0 };
	bool keep = !r.unstable && !r.delay_ns;
	dns_message_write(&reply, out, keep ? &marks : NULL);
	if (keep)
		dns_finished_keep(&r, query, length, out, from, &marks, reply.compress);
	free(marks.items);
	*delay_ns = r.delay_ns;
	s->stats.replies++;
	return true;
}

bool dns_server_ready(const struct dns_server *s)
{
	return !s->has_kube || dns_view_synced(s->view);
}

uint16_t dns_server_health_port(const struct dns_server *s)
{
	return s->health_port;
}

uint16_t dns_server_ready_port(const struct dns_server *s)
{
	return s->ready_port;
}

struct dns_reload dns_server_reload(const struct dns_server *s)
{
	return s->reload;
}

int64_t dns_server_lameduck_ns(const struct dns_server *s)
{
	return s->lameduck_ns;
}

struct dns_server_stats dns_server_stats(const struct dns_server *s)
{
	return s->stats;
}

void dns_server_forget_finished(struct dns_server *s)
{
	dns_finished_clear(s->finished);
}
