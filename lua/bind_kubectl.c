/* lua/bind_kubectl.c: kubectl's command lines, and files of places. */
#include <errno.h>
#include <string.h>

#include "core/file.h"
#include "kube/kubectl/kubectl.h"
#include "lua/internal.h"
#include "world/files.h"

#define WAIT_NS (600 * NS_PER_S) /* a command that waits without --timeout */
#define WORDS_MAX 256

static bool wait_for(void *ctx, bool (*done)(void *arg), void *arg, int64_t until_ns)
{
	struct script *s = ctx;
	if (until_ns == INT64_MAX)
		until_ns = world_now(s->world) + WAIT_NS;
	return world_run_while_not(s->world, done, arg, until_ns);
}

static int logs(void *ctx, const struct kube_pod *pod, const char *container, bool previous,
		struct strbuf *out)
{
	struct script *s = ctx;
	struct err err;
	struct place *p = world_place(s->world, arena_printf(s->arena, "pod/%s/%s",
							     pod->object.meta.namespace,
							     pod->object.meta.name), &err);
	return p && !previous ? world_logs(s->world, p, container, out) : ENOENT;
}

/* A file beside the script. */
static int read_beside(void *ctx, const char *path, struct strbuf *out)
{
	struct script *s = ctx;
	struct err err;
	const char *slash = strrchr(s->file, '/');
	if (*path == '/' || strstr(path, ".."))
		return EPERM;
	return script_read(s, arena_printf(s->arena, "%.*s%s", slash ? (int)(slash - s->file) + 1 : 0,
				      s->file, path), out, &err);
}

/* The next word, with '...' and "..." as a shell has them; NULL at the end. */
static char *next_word(struct script *s, const char **at)
{
	struct strbuf word = { 0 };
	bool any = false;
	*at += strspn(*at, " \t\n");
	for (; **at && !strchr(" \t\n", **at); (*at)++) {
		char quote = **at;
		any = true;
		if (quote != '\'' && quote != '"') {
			strbuf_putc(&word, quote);
			continue;
		}
		size_t n = strcspn(*at + 1, quote == '"' ? "\"" : "'");
		strbuf_add(&word, *at + 1, n);
		*at += n;
		if ((*at)[1])
			(*at)++;
	}
	char *copy = any ? arena_strdup(s->arena, strbuf_text(&word)) : NULL;
	strbuf_free(&word);
	return copy;
}

/* kubectl("get svc web -o wide", input) -> what it prints (errors too), exit code */
static int svclab_kubectl(lua_State *L)
{
	struct world *w = need_verb(L);
	struct script *s = script_of(L);
	const char *at = luaL_checkstring(L, 1), *input = luaL_optstring(L, 2, NULL);
	char *words[WORDS_MAX];
	struct strbuf out = { 0 };
	int count = 0;
	struct kubectl k = { .store = world_store(w), .admit = world_admit(w),
			     .control = world_control(w),
			     .host = { .ctx = s, .wait = wait_for, .logs = logs, .read = read_beside } };
	while (count < WORDS_MAX && (words[count] = next_word(s, &at)) != NULL)
		count++;
	luaL_argcheck(L, count && count < WORDS_MAX, 1, "expected kubectl's words, such as \"get svc\"");
	int code = kubectl_run(&k, count, words, input, &out, &out);
	lua_pushlstring(L, strbuf_text(&out), out.length);
	lua_pushinteger(L, code);
	strbuf_free(&out);
	return 2;
}

/* file(place, path) -> text or nil; file(place, path, text) writes it */
static int svclab_file(lua_State *L)
{
	struct world *w = need_verb(L);
	struct place *p = check_place(L, 1);
	const char *path = luaL_checkstring(L, 2);
	size_t length;
	const char *text = luaL_optlstring(L, 3, NULL, &length);
	struct strbuf out = { 0 };
	if (text) {
		int code = world_file_write(w, p, NULL, path, text, length, false);
		return code ? luaL_error(L, "%s: %s: %s", place_name(p), path, strerror(code)) : 0;
	}
	int code = world_file_read(w, p, NULL, path, &out);
	if (code)
		lua_pushnil(L);
	else
		lua_pushlstring(L, strbuf_text(&out), out.length);
	strbuf_free(&out);
	return 1;
}

/* environment(namespace, pod) -> { NAME = value } of the first container's run */
static int svclab_environment(lua_State *L)
{
	struct control *c = world_control(need_verb(L));
	struct strbuf text = { 0 };
	const char *namespace = luaL_checkstring(L, 1), *pod = luaL_checkstring(L, 2);
	control_container_env(c, control_container_id(c, namespace, pod, NULL), &text);
	lua_newtable(L);
	for (const char *line = strbuf_text(&text); *line;) {
		size_t n = strcspn(line, "\n"), name = strcspn(line, "=\n");
		if (name < n) {
			lua_pushlstring(L, line, name);
			lua_pushlstring(L, line + name + 1, n - name - 1);
			lua_rawset(L, -3);
		}
		line += n + (line[n] == '\n');
	}
	strbuf_free(&text);
	return 1;
}

void bind_kubectl(lua_State *L)
{
	static const luaL_Reg functions[] = { { "kubectl", svclab_kubectl }, { "file", svclab_file },
					      { "environment", svclab_environment }, { NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
}
