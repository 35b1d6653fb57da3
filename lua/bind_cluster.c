/* lua/bind_cluster.c: objects, controllers, kubelets. */
#include <errno.h>
#include <string.h>

#include "kube/control/control.h"
#include "kube/schema.h"
#include "lua/internal.h"

/* "kind/name" or "kind", "name"; the namespace is the argument after it. */
struct key {
	const struct kind_schema *schema;
	const char *namespace, *name;
};

static struct key check_key(lua_State *L)
{
	struct script *s = script_of(L);
	const char *text = luaL_checkstring(L, 1), *slash = strchr(text, '/');
	struct key key = { .name = slash ? slash + 1 : NULL };
	const char *kind = slash ? arena_strndup(s->arena, text, (size_t)(slash - text)) : text;
	key.schema = kube_schema_by_name(kind);
	if (!key.schema)
		luaL_error(L, "there is no kind \"%s\"; expected \"KIND/NAME\" such as \"service/web\"",
			   kind);
	key.namespace = key.schema->namespaced ? luaL_optstring(L, 2, "default") : "";
	return key;
}

static struct key check_named(lua_State *L)
{
	struct key key = check_key(L);
	if (!key.name || !*key.name)
		luaL_error(L, "\"%s\": expected \"KIND/NAME\"", lua_tostring(L, 1));
	return key;
}

static void push_object(lua_State *L, const struct kube_object *o)
{
	struct strbuf json = { 0 };
	kube_print_json(o, &json);
	push_json(L, strbuf_text(&json), json.length);
	strbuf_free(&json);
}

/* get("pod/web-0", namespace) -> object or nil */
static int svclab_get(lua_State *L)
{
	struct kube_store *store = world_store(need_world(L));
	struct key key = check_named(L);
	const struct kube_object *o = kube_store_get(store, key.schema->kind, key.namespace, key.name);
	if (!o)
		return 0;
	push_object(L, o);
	return 1;
}

/* list("pods", namespace or nil for all) -> objects in order of namespace and name */
static int svclab_list(lua_State *L)
{
	struct kube_store *store = world_store(need_world(L));
	struct key key = check_key(L);
	const char *namespace = key.schema->namespaced ? luaL_optstring(L, 2, NULL) : NULL;
	const struct kube_object *o;
	lua_Integer count = 0;
	lua_newtable(L);
	for (uint32_t i = 0; (o = kube_store_next(store, key.schema->kind, namespace, &i));) {
		push_object(L, o);
		lua_rawseti(L, -2, ++count);
	}
	return 1;
}

static int finish(lua_State *L, int code, const struct err *err)
{
	return code ? raise_err(L, err) : 0;
}

static int svclab_scale(lua_State *L)
{
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	struct key key = check_named(L);
	lua_Integer replicas = luaL_checkinteger(L, 3);
	return finish(L, control_scale(c, key.schema->kind, key.namespace, key.name, replicas, &err),
		      &err);
}

/* rollout_state(key, namespace) -> done, what kubectl rollout status says */
static int svclab_rollout_state(lua_State *L)
{
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	struct key key = check_named(L);
	struct strbuf line = { 0 };
	enum control_rollout state = control_rollout(c, key.schema->kind, key.namespace, key.name,
						     &line, &err);
	lua_pushboolean(L, state == ROLLOUT_DONE);
	lua_pushstring(L, strbuf_text(&line));
	strbuf_free(&line);
	return state == ROLLOUT_FAILED ? raise_err(L, &err) : 2;
}

static int svclab_rollout_verb(lua_State *L)
{
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	struct strbuf said = { 0 };
	struct key key = check_named(L);
	const char *verb = luaL_checkstring(L, 3);
	int code;
	if (strcmp(verb, "restart") == 0)
		code = control_rollout_restart(c, key.schema->kind, key.namespace, key.name, &err);
	else if (strcmp(verb, "undo") == 0)
		code = control_rollout_undo(c, key.schema->kind, key.namespace, key.name,
					    luaL_optinteger(L, 4, 0), &said, &err);
	else
		code = control_rollout_pause(c, key.namespace, key.name, strcmp(verb, "pause") == 0, &err);
	lua_pushstring(L, strbuf_text(&said));
	strbuf_free(&said);
	return code ? raise_err(L, &err) : 1;
}

static int svclab_delete(lua_State *L)
{
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	struct key key = check_named(L);
	return finish(L, control_delete(c, key.schema->kind, key.namespace, key.name,
					luaL_optinteger(L, 3, -1), &err), &err);
}

static int svclab_cordon(lua_State *L)
{
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	return finish(L, control_cordon(c, luaL_checkstring(L, 1), lua_toboolean(L, 2), &err), &err);
}

static int svclab_drain(lua_State *L)
{
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	struct control_drain_options o = { .ignore_daemonsets = true, .force = true,
					   .delete_empty_dir = true, .grace_s = -1 };
	return finish(L, control_drain(c, luaL_checkstring(L, 1), &o, NULL, &err), &err);
}

static int svclab_drained(lua_State *L)
{
	lua_pushboolean(L, control_drained(world_control(need_verb(L)), luaL_checkstring(L, 1)));
	return 1;
}

/* Nothing left to do: controllers, kubelets and every node's rules. */
static int svclab_settled(lua_State *L)
{
	struct world *w = need_verb(L);
	lua_pushboolean(L, control_converged(world_control(w)) && world_synced(w));
	return 1;
}

/* force_probe(namespace, pod, container or nil, "readiness", "fail"|"pass"|"none") */
static int svclab_force_probe(lua_State *L)
{
	static const char *const probes[] = { "readiness", "liveness", "startup", NULL };
	static const char *const results[] = { "none", "fail", "pass", NULL };
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	int probe = luaL_checkoption(L, 4, "readiness", probes);
	int result = luaL_checkoption(L, 5, "fail", results);
	return finish(L, control_force_probe(c, luaL_checkstring(L, 1), luaL_checkstring(L, 2),
					     luaL_optstring(L, 3, NULL), (enum control_probe_kind)probe,
					     (enum control_forced)result, &err), &err);
}

static int svclab_kill_container(lua_State *L)
{
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	return finish(L, control_kill_container(c, luaL_checkstring(L, 1), luaL_checkstring(L, 2),
						luaL_optstring(L, 3, NULL),
						(int)luaL_optinteger(L, 4, 137), &err), &err);
}

static int svclab_kill_sandbox(lua_State *L)
{
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	return finish(L, control_kill_sandbox(c, luaL_checkstring(L, 1), luaL_checkstring(L, 2), &err),
		      &err);
}

static int svclab_node_fault(lua_State *L)
{
	static const char *const faults[] = { "up", "down", "kubelet-stopped", "partitioned", NULL };
	struct control *c = world_control(need_verb(L));
	struct err err = { 0 };
	int fault = luaL_checkoption(L, 2, NULL, faults);
	return finish(L, control_node_fault(c, luaL_checkstring(L, 1), (enum control_node_fault)fault,
					    &err), &err);
}

void bind_cluster(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "get", svclab_get }, { "list", svclab_list }, { "scale", svclab_scale },
		{ "rollout_state", svclab_rollout_state }, { "rollout_verb", svclab_rollout_verb },
		{ "delete", svclab_delete }, { "cordon", svclab_cordon }, { "drain", svclab_drain },
		{ "drained", svclab_drained }, { "settled", svclab_settled },
		{ "force_probe", svclab_force_probe }, { "kill_container", svclab_kill_container },
		{ "kill_sandbox", svclab_kill_sandbox }, { "node_fault", svclab_node_fault },
		{ NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
}
