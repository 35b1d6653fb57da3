/* lua/bind_start.c: the cluster, the tests, manifests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/table.h"
#include "dns/master.h"
#include "lua/internal.h"

#define NODES_MAX 5000

/* "refs": { "STS-01", ... } joined by blanks. */
static void read_refs(lua_State *L, struct script *s)
{
	struct strbuf refs = { 0 };
	if (lua_getfield(L, 1, "refs") == LUA_TTABLE)
		for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
			strbuf_printf(&refs, "%s%s", i > 1 ? " " : "", lua_tostring(L, -1));
			lua_pop(L, 1);
		}
	lua_settop(L, 1);
	s->refs = arena_strdup(s->arena, strbuf_text(&refs));
	strbuf_free(&refs);
}

static bool listed(lua_State *L, int table, const char *name)
{
	bool found = false;
	for (lua_Integer i = 1; !found && lua_rawgeti(L, table, i) == LUA_TSTRING; i++) {
		found = strcmp(lua_tostring(L, -1), name) == 0;
		lua_pop(L, 1);
	}
	return found;
}

/* Sets the reason to skip when the scenario does not name this dataplane. */
static void read_dataplanes(lua_State *L, struct script *s)
{
	int type = lua_getfield(L, 1, "dataplanes");
	bool all = type == LUA_TNIL ||
		   (type == LUA_TSTRING && strcmp(lua_tostring(L, -1), "all") == 0);
	if (type == LUA_TSTRING && !all) {
		if (strcmp(lua_tostring(L, -1), s->dataplane) != 0)
			s->skip = "the scenario is about another dataplane";
	} else if (type == LUA_TTABLE) {
		if (!listed(L, lua_gettop(L), s->dataplane))
			s->skip = "the scenario is about other dataplanes";
	} else if (!all) {
		luaL_error(L, "dataplanes: expected \"all\" or a list of names");
	}
	lua_settop(L, 1);
	if (lua_getfield(L, 1, "skip") == LUA_TTABLE) {
		const char *why = field_string(L, lua_gettop(L), s->dataplane, NULL);
		if (why)
			s->skip = arena_strdup(s->arena, why);
	}
	lua_settop(L, 1);
}

/* One entry of "nodes": a name, or { name=, zone=, labels={k=v}, ... }. */
static void read_node(lua_State *L, struct script *s, struct node_options *n)
{
	int at = lua_gettop(L);
	if (lua_type(L, at) == LUA_TSTRING) {
		n->name = arena_strdup(s->arena, lua_tostring(L, at));
		return;
	}
	if (lua_type(L, at) != LUA_TTABLE)
		luaL_error(L, "nodes: expected names or tables");
	const char *name = field_string(L, at, "name", NULL);
	const char *zone = field_string(L, at, "zone", NULL);
	if (!name)
		luaL_error(L, "nodes: expected a name in each table");
	n->name = arena_strdup(s->arena, name);
	n->zone = zone ? arena_strdup(s->arena, zone) : NULL;
	n->routed = field_bool(L, at, "routed");
	n->no_hairpin = field_bool(L, at, "no_hairpin");
	n->overlay = field_bool(L, at, "overlay");
	const char *modules = field_string(L, at, "missing_modules", NULL);
	n->missing_modules = modules ? arena_strdup(s->arena, modules) : NULL;
	const char *kernel = field_string(L, at, "kernel", NULL), *nft = field_string(L, at, "nft", NULL);
	n->kernel = kernel ? arena_strdup(s->arena, kernel) : NULL;
	n->nft = nft ? arena_strdup(s->arena, nft) : NULL;
	if (lua_getfield(L, at, "labels") == LUA_TTABLE) {
		uint32_t count = 0;
		lua_getglobal(L, "pairs");
		lua_pushvalue(L, -2);
		lua_call(L, 1, 3);
		n->labels.items = arena_array(s->arena, 64, sizeof *n->labels.items);
		for (;;) { /* step, table, key on the stack */
			lua_pushvalue(L, -3);
			lua_pushvalue(L, -3);
			lua_pushvalue(L, -3);
			lua_call(L, 2, 2);
			if (lua_isnil(L, -2) || count == 64)
				break;
			n->labels.items[count++] = arena_printf(s->arena, "%s=%s", lua_tostring(L, -2),
								luaL_tolstring(L, -1, NULL));
			lua_pop(L, 2);
			lua_replace(L, -2);
		}
		n->labels.count = count;
	}
	lua_settop(L, at);
}

static void read_nodes(lua_State *L, struct script *s, struct cluster_options *o)
{
	int type = lua_getfield(L, 1, "nodes");
	if (type == LUA_TNIL) {
		static const struct node_options two[] = { { .name = "a" }, { .name = "b" } };
		o->nodes = two;
		o->node_count = 2;
		lua_settop(L, 1);
		return;
	}
	if (type != LUA_TTABLE)
		luaL_error(L, "nodes: expected a list");
	lua_Unsigned count = lua_rawlen(L, -1);
	if (count == 0 || count > NODES_MAX)
		luaL_error(L, "nodes: expected 1 to %d of them", NODES_MAX);
	struct node_options *nodes = arena_array(s->arena, count, sizeof *nodes);
	for (lua_Unsigned i = 0; i < count; i++) {
		lua_rawgeti(L, 2, (lua_Integer)i + 1);
		read_node(L, s, &nodes[i]);
		lua_settop(L, 2);
	}
	o->nodes = nodes;
	o->node_count = (uint32_t)count;
	lua_settop(L, 1);
}

static enum kube_version read_version(lua_State *L)
{
	static const struct { const char *text; enum kube_version version; } known[] = {
		{ "1.20", KUBE_1_20 }, { "1.25", KUBE_1_25 }, { "1.30", KUBE_1_30 },
		{ "1.34", KUBE_1_34 } };
	const char *text = field_string(L, 1, "kube_version", "1.34");
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].text, text) == 0)
			return known[i].version;
	luaL_error(L, "kube_version \"%s\": expected \"1.20\", \"1.25\", \"1.30\" or \"1.34\"", text);
	return 0;
}

static const char *stem(struct script *s)
{
	const char *base = strrchr(s->file, '/');
	base = base ? base + 1 : s->file;
	size_t n = strlen(base);
	if (n > 4 && strcmp(base + n - 4, ".lua") == 0)
		n -= 4;
	return arena_strndup(s->arena, base, n);
}

/* The master file that plays the servers outside. */
static void read_upstream(lua_State *L, struct script *s)
{
	static const struct dns_name root = { .length = 1 };
	const char *text = field_string(L, 1, "upstream", NULL);
	struct err err = { 0 };
	if (text && dns_master_parse(text, strlen(text), "upstream", &root, &s->upstream, &err))
		luaL_error(L, "%s", err.text);
}

static int start_world(struct script *s, const struct world_options *o,
		       const struct cluster_options *cluster, struct err *err)
{
	int code = world_new(o, &s->world, err);
	if (code)
		return code;
	if (s->options->pcap) {
		const char *folder = arena_printf(s->arena, "%s/%s-%s", s->options->pcap, stem(s),
						  s->dataplane);
		code = world_capture_start(s->world, folder, err);
	}
	if (!code)
		code = world_start(s->world, cluster, err);
	if (!code)
		code = world_watch(s->world, "*", &s->watch, err);
	return code;
}

static int svclab_scenario(lua_State *L)
{
	struct script *s = script_of(L);
	struct err err = { 0 };
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (s->name)
		return luaL_error(L, "scenario {...} was called before; expected once a file");
	const char *name = field_string(L, 1, "name", NULL);
	if (!name)
		return luaL_error(L, "scenario: expected name = \"one behaviour in a few words\"");
	s->name = arena_strdup(s->arena, name);
	read_refs(L, s);
	read_dataplanes(L, s);
	struct cluster_options cluster = { 0 };
	read_nodes(L, s, &cluster);
	cluster.pod_cidr = field_string(L, 1, "pod_cidr", NULL);
	cluster.service_cidr = field_string(L, 1, "service_cidr", NULL);
	cluster.lan = field_string(L, 1, "lan", NULL);
	cluster.dual_stack = field_bool(L, 1, "dual_stack");
	cluster.no_dns = field_bool(L, 1, "no_dns");
	cluster.proxy_config = field_string(L, 1, "kube_proxy", NULL);
	struct world_options o = { .registry = s->options->registry, .dataplane = s->dataplane,
				   .on = s->options->on, .seed = s->options->seed,
				   .version = read_version(L) };
	if (s->skip)
		return 0;
	read_upstream(L, s);
	o.upstream = s->upstream;
	if (strcmp(s->dataplane, "userspace") == 0 && o.version > KUBE_1_25)
		o.version = KUBE_1_25; /* it was removed in 1.26 */
	int code = start_world(s, &o, &cluster, &err);
	if (code == ENOTSUP && !s->options->require) {
		s->skip = arena_strdup(s->arena, err.text);
		return 0;
	}
	if (code)
		return raise_err(L, &err);
	world_hurry(s->world, false);
	state_set_choice(s->state, world_choice(s->world));
	return 0;
}

static int svclab_it(lua_State *L)
{
	struct script *s = script_of(L);
	const char *sentence = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (!s->name)
		return luaL_error(L, "it(...) before scenario {...}");
	if (s->phase != PHASE_TOP)
		return luaL_error(L, "it(...) inside a test; expected it at the top level");
	if (s->test_count == s->test_capacity) {
		uint32_t more = s->test_capacity ? s->test_capacity * 2 : 8;
		s->tests = mem_grow(s->tests, s->test_capacity, more, sizeof *s->tests);
		s->test_capacity = more;
	}
	struct test *t = &s->tests[s->test_count++];
	t->sentence = arena_strdup(s->arena, sentence);
	if (lua_istable(L, 3)) {
		const char *todo = field_string(L, 3, "todo", NULL);
		const char *skip = field_string(L, 3, "skip", NULL);
		t->todo = todo ? arena_strdup(s->arena, todo) : NULL;
		t->skip = skip ? arena_strdup(s->arena, skip) : NULL;
	}
	lua_pushvalue(L, 2);
	t->ref = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

/* apply(text, wants a refusal, only the status). Text with a line break is YAML; anything
 * else names a file beside the script. */
static int svclab_apply(lua_State *L)
{
	struct script *s = script_of(L);
	struct world *w = need_verb(L);
	size_t length;
	const char *text = luaL_checklstring(L, 1, &length);
	bool wants_refusal = lua_toboolean(L, 2), status = lua_toboolean(L, 3);
	struct strbuf bytes = { 0 }, said = { 0 };
	struct err err = { 0 };
	const char *file = NULL;
	int code = 0;
	if (memchr(text, '\n', length)) {
		file = arena_printf(s->arena, "%s (YAML of apply)", s->file);
		strbuf_add(&bytes, text, length);
	} else {
		const char *slash = strrchr(s->file, '/');
		file = *text == '/' || !slash
			       ? arena_strdup(s->arena, text)
			       : arena_printf(s->arena, "%.*s/%s", (int)(slash - s->file), s->file, text);
		code = script_read(s, file, &bytes, &err);
	}
	if (!code)
		code = (status ? world_apply_status : world_apply)(w, strbuf_text(&bytes), bytes.length,
								   file, &said, &err);
	lua_pushstring(L, strbuf_text(&said));
	strbuf_free(&bytes);
	strbuf_free(&said);
	if (!code)
		return 1;
	if (wants_refusal) {
		lua_pushnil(L);
		lua_pushstring(L, err.text);
		return 2;
	}
	return raise_located(L, &err);
}

static int svclab_dataplane(lua_State *L)
{
	lua_pushstring(L, script_of(L)->dataplane);
	return 1;
}

static int svclab_started(lua_State *L)
{
	struct script *s = script_of(L);
	lua_pushboolean(L, s->world && !s->skip);
	return 1;
}

static int svclab_hurry(lua_State *L)
{
	world_hurry(need_world(L), lua_toboolean(L, 1));
	return 0;
}

/* Whether time is the wall's: real Linux outside a VM. */
static int svclab_real_time(lua_State *L)
{
	const struct scenario_options *o = script_of(L)->options;
	lua_pushboolean(L, o->on && !o->virtual_time);
	return 1;
}

void bind_start(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "scenario", svclab_scenario }, { "it", svclab_it }, { "apply", svclab_apply },
		{ "dataplane", svclab_dataplane }, { "started", svclab_started },
		{ "hurry", svclab_hurry }, { "real_time", svclab_real_time }, { NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
}
