/* lua/bind_traffic.c: operations of clients and their results. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lua/internal.h"
#include "lua/replay.h"
#include "report/trace_text.h"

#define TRACED "svclab.operation"

static int traced_free(lua_State *L)
{
	struct traced *t = luaL_checkudata(L, 1, TRACED);
	if (t->script && t->script->last == t)
		t->script->last = NULL;
	op_free(t->op);
	t->op = NULL;
	t->trace = NULL;
	return 0;
}

static struct trace *script_trace(struct script *s)
{
	if (s->trace_count == s->trace_capacity) {
		uint32_t more = s->trace_capacity ? s->trace_capacity * 2 : 64;
		s->traces = mem_grow(s->traces, s->trace_capacity, more, sizeof *s->traces);
		s->trace_capacity = more;
	}
	return s->traces[s->trace_count++] = trace_new();
}

static struct traced *traced_new(lua_State *L, bool trace, uint16_t from_port)
{
	struct traced *t = lua_newuserdatauv(L, sizeof *t, 0);
	memset(t, 0, sizeof *t);
	t->script = script_of(L);
	t->anchor = LUA_NOREF;
	luaL_setmetatable(L, TRACED);
	if (t->script->replay)
		replay_op_begins(t->script, from_port);
	if (trace)
		t->trace = script_trace(t->script);
	return t;
}

static struct traced *check_traced(lua_State *L)
{
	struct traced *t = luaL_checkudata(L, 1, TRACED);
	if (!t->op)
		luaL_error(L, "this operation is over");
	return t;
}

static void on_done(void *ctx, struct op *op)
{
	struct traced *t = ctx;
	(void)op;
	luaL_unref(state_lua(t->script->state), LUA_REGISTRYINDEX, t->anchor);
	t->anchor = LUA_NOREF;
	if (t->waiter) {
		engine_cancel(world_engine(t->script->world), &t->waiter->timer);
		task_wake(t->waiter);
	}
	t->waiter = NULL;
}

/* An operation under way is kept alive whether the script holds it or not, so that
 * garbage collection changes nothing. */
static void watch_end(lua_State *L, int at, struct traced *t)
{
	lua_pushvalue(L, at);
	t->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
	op_on_done(t->op, on_done, t);
}

static void started(lua_State *L, struct traced *t, const char *from, const char *to)
{
	snprintf(t->about, sizeof t->about, "%s -> %s", from, to);
	if (t->trace)
		t->script->last = t;
	watch_end(L, -1, t);
}

static uint8_t check_proto(lua_State *L, const char *name)
{
	uint8_t proto = proto_number(name);
	if (proto != PROTO_TCP && proto != PROTO_UDP && proto != PROTO_SCTP)
		luaL_error(L, "proto \"%s\": expected \"tcp\", \"udp\" or \"sctp\"", name);
	return proto;
}

static void read_request(lua_State *L, int at, struct request *r)
{
	*r = (struct request){ .target = field_string(L, at, "target", NULL),
			       .path = field_string(L, at, "path", NULL),
			       .host = field_string(L, at, "host", NULL),
			       .data = field_string(L, at, "data", NULL),
			       .timeout_ns = field_integer(L, at, "timeout", 0),
			       .connect_only = field_bool(L, at, "connect_only"),
			       .keep_open = field_bool(L, at, "keep"),
			       .once = field_bool(L, at, "once") };
	r->proto = check_proto(L, field_string(L, at, "proto", "tcp"));
	int64_t port = field_integer(L, at, "from_port", 0);
	if (port < 0 || port > 65535)
		luaL_error(L, "from_port: expected 0 to 65535");
	r->local_port = (uint16_t)port;
	const char *address = field_string(L, at, "from_addr", NULL);
	if (address && !net_addr_parse(address, &r->local_addr))
		luaL_error(L, "from_addr \"%s\": expected an IP address", address);
	if (!r->target)
		luaL_error(L, "expected a target such as \"svc/web:80\"");
}

/* request(place, {target=, ...}) -> operation */
static int svclab_request(lua_State *L)
{
	struct world *w = need_verb(L);
	struct place *from = check_place(L, 1);
	struct err err = { 0 };
	struct request r;
	luaL_checktype(L, 2, LUA_TTABLE);
	read_request(L, 2, &r);
	struct traced *t = traced_new(L, true, r.local_port);
	r.trace = t->trace;
	if (world_request(w, from, &r, &t->op, &err))
		return raise_err(L, &err);
	started(L, t, place_name(from), r.target);
	return 1;
}

static int svclab_ping(lua_State *L)
{
	struct world *w = need_verb(L);
	struct place *from = check_place(L, 1);
	struct err err = { 0 };
	luaL_checktype(L, 2, LUA_TTABLE);
	struct traced *t = traced_new(L, true, 0);
	struct ping p = { .target = field_string(L, 2, "target", ""),
			  .count = (uint32_t)field_integer(L, 2, "count", 1),
			  .interval_ns = field_integer(L, 2, "interval", 0),
			  .timeout_ns = field_integer(L, 2, "timeout", 0), .trace = t->trace };
	if (world_ping(w, from, &p, &t->op, &err))
		return raise_err(L, &err);
	started(L, t, place_name(from), p.target);
	return 1;
}

static int svclab_lookup(lua_State *L)
{
	static const char *const tools[] = { "libc", "dig", "nslookup", "host", NULL };
	struct world *w = need_verb(L);
	struct place *from = check_place(L, 1);
	struct err err = { 0 };
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_getfield(L, 2, "tool");
	int tool = luaL_checkoption(L, lua_gettop(L), "libc", tools);
	struct lookup l = { .name = field_string(L, 2, "name", ""),
			    .type = field_string(L, 2, "type", NULL), .tool = (enum dns_tool)tool,
			    .server = field_string(L, 2, "server", NULL),
			    .options = field_string(L, 2, "options", NULL) };
	struct traced *t = traced_new(L, false, 0);
	if (world_lookup(w, from, &l, &t->op, &err))
		return raise_err(L, &err);
	started(L, t, place_name(from), l.name);
	return 1;
}

static int svclab_load(lua_State *L)
{
	struct world *w = need_verb(L);
	struct place *from = check_place(L, 1);
	struct err err = { 0 };
	struct load l = { 0 };
	luaL_checktype(L, 2, LUA_TTABLE);
	read_request(L, 2, &l.request);
	l.count = (uint64_t)field_integer(L, 2, "count", 100);
	lua_getfield(L, 2, "rate");
	l.rate = luaL_optnumber(L, -1, 0);
	struct traced *t = traced_new(L, false, 0);
	if (world_load_traffic(w, from, &l, &t->op, &err))
		return raise_err(L, &err);
	started(L, t, place_name(from), l.request.target);
	return 1;
}

/* Waits for the end of an operation, at most (second argument) some ns. */
static int svclab_await(lua_State *L)
{
	struct traced *t = check_traced(L);
	if (op_done(t->op))
		return 0;
	if (!t->script->current || L != t->script->current->lua)
		return luaL_error(L, "cannot wait here: this function is called from C");
	t->waiter = t->script->current;
	if (lua_isinteger(L, 2))
		task_wake_after(t->waiter, lua_tointeger(L, 2));
	return lua_yield(L, 0);
}

/* Ends an operation that nobody waits for any more. */
static int svclab_abandon(lua_State *L)
{
	struct traced *t = check_traced(L);
	t->waiter = NULL;
	op_on_done(t->op, NULL, NULL);
	op_free(t->op);
	t->op = NULL;
	luaL_unref(L, LUA_REGISTRYINDEX, t->anchor);
	t->anchor = LUA_NOREF;
	return 0;
}

static void set_name(lua_State *L, const char *field, const struct sock_name *name)
{
	char text[NET_ADDR_TEXT];
	if (name->addr.family == NET_NONE)
		return;
	lua_newtable(L);
	set_string(L, "ip", net_addr_text(&name->addr, text));
	set_integer(L, "port", name->port);
	lua_setfield(L, -2, field);
}

static void set_addr(lua_State *L, const char *field, const struct net_addr *a)
{
	char text[NET_ADDR_TEXT];
	if (a->family != NET_NONE)
		set_string(L, field, net_addr_text(a, text));
}

static void set_lists(lua_State *L, const struct op_result *r)
{
	char text[NET_ADDR_TEXT];
	lua_newtable(L);
	for (uint32_t i = 0; i < r->address_count; i++) {
		lua_pushstring(L, net_addr_text(&r->addresses[i], text));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "addresses");
	lua_newtable(L);
	for (uint32_t i = 0; i < r->spread_count; i++)
		set_integer(L, r->spread[i].backend, (int64_t)r->spread[i].count);
	lua_setfield(L, -2, "spread");
}

/* The result of an operation that has ended, as a table. */
static int svclab_result(lua_State *L)
{
	struct traced *t = check_traced(L);
	const struct op_result *r = op_result(t->op);
	lua_newtable(L);
	if (r->error)
		set_string(L, "error", strerrorname_np(r->error) ? strerrorname_np(r->error) : "EINVAL");
	set_integer(L, "elapsed_ns", r->ended_ns - r->started_ns);
	set_name(L, "client", &r->local);
	set_name(L, "peer", &r->peer);
	set_name(L, "seen", &r->seen);
	set_string(L, "backend", *r->backend ? r->backend : NULL);
	set_addr(L, "backend_ip", &r->backend_ip);
	if (r->backend_port)
		set_integer(L, "backend_port", r->backend_port);
	if (r->http_status)
		set_integer(L, "status", r->http_status);
	set_string(L, "head", r->head);
	if (r->body) {
		lua_pushlstring(L, r->body, r->body_length);
		lua_setfield(L, -2, "body");
	}
	set_string(L, "message", *r->message ? r->message : NULL);
	set_integer(L, "sent", r->sent);
	set_integer(L, "received", r->received);
	set_integer(L, "ttl", r->ttl);
	set_integer(L, "icmp_type", r->icmp_type);
	set_integer(L, "icmp_code", r->icmp_code);
	set_addr(L, "icmp_from", &r->icmp_from);
	set_integer(L, "rcode_number", r->rcode);
	set_integer(L, "answer_ttl", r->answer_ttl);
	set_string(L, "text", r->text);
	set_integer(L, "connections", (int64_t)r->connections);
	set_integer(L, "failures", (int64_t)r->failures);
	set_lists(L, r);
	return 1;
}

static int svclab_finished(lua_State *L)
{
	lua_pushboolean(L, op_done(check_traced(L)->op));
	return 1;
}

/* again(operation, path, data): another request on a kept connection. */
static int svclab_again(lua_State *L)
{
	struct traced *t = check_traced(L);
	struct err err = { 0 };
	need_verb(L);
	if (op_again(t->op, luaL_optstring(L, 2, NULL), luaL_optstring(L, 3, NULL), &err))
		return raise_err(L, &err);
	if (t->anchor == LUA_NOREF)
		watch_end(L, 1, t);
	return 0;
}

static int svclab_close(lua_State *L)
{
	struct traced *t = check_traced(L);
	need_verb(L);
	op_close(t->op, lua_toboolean(L, 2));
	return 0;
}

/* The trace so far: its text, and its figures. */
static int svclab_trace(lua_State *L)
{
	struct traced *t = check_traced(L);
	struct strbuf text = { 0 };
	if (!t->trace)
		return 0;
	trace_text(t->trace, &text);
	lua_newtable(L);
	set_string(L, "text", strbuf_text(&text));
	strbuf_free(&text);
	set_string(L, "verdict", trace_verdict_name(t->trace->verdict));
	set_string(L, "reason", t->trace->reason);
	set_integer(L, "rules_evaluated", (int64_t)t->trace->rules_evaluated);
	set_integer(L, "policies", (int64_t)t->trace->policies);
	set_integer(L, "set_lookups", (int64_t)t->trace->set_lookups);
	lua_pushboolean(L, t->trace->masqueraded);
	lua_setfield(L, -2, "masqueraded");
	set_addr(L, "dnat", &t->trace->dnat_addr);
	lua_newtable(L);
	for (uint32_t i = 0; i < t->trace->count; i++) {
		const struct trace_step *step = &t->trace->steps[i];
		lua_newtable(L);
		set_string(L, "node", step->node);
		set_string(L, "hook", step->hook);
		set_string(L, "table", step->table);
		set_string(L, "chain", step->chain);
		set_string(L, "text", step->text);
		set_string(L, "note", step->note);
		set_integer(L, "rule", step->rule);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "steps");
	return 1;
}

void bind_traffic(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "request", svclab_request }, { "ping", svclab_ping }, { "lookup", svclab_lookup },
		{ "load", svclab_load }, { "await", svclab_await }, { "result", svclab_result },
		{ "finished", svclab_finished }, { "again", svclab_again }, { "close", svclab_close },
		{ "trace", svclab_trace }, { "abandon", svclab_abandon }, { NULL, NULL } };
	if (luaL_newmetatable(L, TRACED)) {
		lua_pushcfunction(L, traced_free);
		lua_setfield(L, -2, "__gc");
	}
	lua_pop(L, 1);
	luaL_setfuncs(L, functions, 0);
}
