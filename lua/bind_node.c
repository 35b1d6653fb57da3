/* lua/bind_node.c: places, their kernels' views, kube-proxy, faults, packets. */
#include <errno.h>
#include <string.h>

#include "lua/internal.h"
#include "net/craft.h"
#include "world/files.h"

static const char *const kind_names[] = { "node", "pod", "outside" };

/* place(name) -> { name=, kind=, node=, ip=, ip6= } */
static int svclab_place(lua_State *L)
{
	struct place *p = check_place(L, 1);
	char text[NET_ADDR_TEXT];
	lua_newtable(L);
	set_string(L, "name", place_name(p));
	set_string(L, "kind", kind_names[place_kind_of(p)]);
	set_string(L, "node", place_node(p));
	struct net_addr v4 = place_addr(p, NET_V4), v6 = place_addr(p, NET_V6);
	if (v4.family != NET_NONE)
		set_string(L, "ip", net_addr_text(&v4, text));
	if (v6.family != NET_NONE)
		set_string(L, "ip6", net_addr_text(&v6, text));
	return 1;
}

/* ENOSYS: this place cannot; the test is skipped with the reason. */
static int raise_or_skip(lua_State *L, int code, const struct err *err)
{
	if (code != ENOSYS)
		return raise_err(L, err);
	lua_createtable(L, 0, 1);
	lua_pushstring(L, err->text);
	lua_setfield(L, -2, "skip");
	return lua_error(L);
}

static int svclab_dump(lua_State *L)
{
	static const char *const views[] = {
		"iptables-save", "ip6tables-save", "nft", "ipset", "ipvsadm", "ipvsadm-connections",
		"ipvsadm-stats", "conntrack", "addr", "route", "route-local", "sockets", "sysctl",
		"recent", "ipvsadm-save", "ipvsadm-rate", NULL };
	static const enum dump_view behind[] = { DUMP_IPVSADM_SAVE, DUMP_IPVSADM_RATE };
	struct world *w = need_verb(L);
	struct place *p = check_place(L, 1);
	int view = luaL_checkoption(L, 2, NULL, views);
	struct strbuf text = { 0 };
	struct err err = { 0 };
	enum dump_view which = view > DUMP_RECENT ? behind[view - DUMP_RECENT - 1] :
						    (enum dump_view)view;
	int code = world_dump(w, p, which, luaL_optstring(L, 3, NULL), &text, &err);
	lua_pushlstring(L, strbuf_text(&text), text.length);
	strbuf_free(&text);
	return code ? raise_or_skip(L, code, &err) : 1;
}

static int svclab_sysctl(lua_State *L)
{
	struct world *w = need_verb(L);
	struct place *p = check_place(L, 1);
	const char *name = luaL_checkstring(L, 2);
	bool set = !lua_isnoneornil(L, 3);
	int64_t value = luaL_optinteger(L, 3, 0);
	struct err err = { 0 };
	if (world_sysctl(w, p, name, &value, set, &err))
		return raise_err(L, &err);
	lua_pushinteger(L, value);
	return 1;
}

/* command(place, "iptables -P FORWARD DROP") */
static int svclab_command(lua_State *L)
{
	struct world *w = need_verb(L);
	struct place *p = check_place(L, 1);
	struct err err = { 0 };
	if (world_command(w, p, luaL_checkstring(L, 2), &err))
		return raise_err(L, &err);
	return 0;
}

static int svclab_fault(lua_State *L)
{
	struct world *w = need_verb(L);
	struct place *p = check_place(L, 1);
	struct err err = { 0 };
	int code = world_fault(w, p, luaL_checkstring(L, 2), &err);
	return code ? raise_or_skip(L, code, &err) : 0;
}

static int svclab_cleanup_kube_proxy(lua_State *L)
{
	struct err err = { 0 };
	int code = world_cleanup_kube_proxy(need_verb(L), luaL_checkstring(L, 1), &err);
	return code ? raise_err(L, &err) : 0;
}

static int svclab_restart_kube_proxy(lua_State *L)
{
	struct err err = { 0 };
	if (world_restart_kube_proxy(need_verb(L), luaL_checkstring(L, 1), &err))
		return raise_err(L, &err);
	return 0;
}

static int svclab_switch_mode(lua_State *L)
{
	struct err err = { 0 };
	if (world_switch_mode(need_verb(L), luaL_checkstring(L, 1), &err))
		return raise_err(L, &err);
	return 0;
}

static int svclab_sync_stats(lua_State *L)
{
	struct sync_stats stats;
	const char *node = luaL_checkstring(L, 1);
	if (world_sync_stats(need_verb(L), node, &stats))
		return luaL_error(L, "there is no node '%s'", node);
	lua_newtable(L);
	set_integer(L, "syncs", (int64_t)stats.syncs);
	set_integer(L, "full_syncs", (int64_t)stats.full_syncs);
	set_integer(L, "failures", (int64_t)stats.failures);
	set_integer(L, "last_ns", stats.last_ns);
	set_integer(L, "last_bytes", (int64_t)stats.last_bytes);
	set_integer(L, "last_rules", (int64_t)stats.last_rules);
	return 1;
}

/* rules(node, "write"|"list", view) -> text */
static int svclab_rules(lua_State *L)
{
	static const char *const formats[] = { "write", "list", NULL };
	static const char *const views[] = { "all", "iptables", "ipvsadm", "ipset", "addr", "nft", NULL };
	struct world *w = need_verb(L);
	const char *node = luaL_checkstring(L, 1);
	int format = luaL_checkoption(L, 2, "list", formats), view = luaL_checkoption(L, 3, "all", views);
	struct strbuf text = { 0 };
	struct err err = { 0 };
	int code = world_rules(w, node, (enum rules_format)format, (enum rules_view)view, &text, &err);
	lua_pushlstring(L, strbuf_text(&text), text.length);
	strbuf_free(&text);
	return code ? raise_err(L, &err) : 1;
}

static int svclab_counters(lua_State *L)
{
	struct counters c = { 0 };
	world_counters(need_verb(L), check_place(L, 1), &c);
	lua_newtable(L);
	set_integer(L, "rules_evaluated", (int64_t)c.rules_evaluated);
	set_integer(L, "policies", (int64_t)c.policies);
	set_integer(L, "set_lookups", (int64_t)c.set_lookups);
	set_integer(L, "ipvs_probes", (int64_t)c.ipvs_probes);
	set_integer(L, "copied", (int64_t)c.copied);
	set_integer(L, "packets", (int64_t)c.packets);
	set_integer(L, "bytes", (int64_t)c.bytes);
	return 1;
}

/* logs(place, container or nil) -> text */
static int svclab_logs(lua_State *L)
{
	struct strbuf text = { 0 };
	world_logs(need_verb(L), check_place(L, 1), luaL_optstring(L, 2, NULL), &text);
	lua_pushlstring(L, strbuf_text(&text), text.length);
	strbuf_free(&text);
	return 1;
}

static int svclab_now(lua_State *L)
{
	lua_pushinteger(L, world_now(need_world(L)));
	return 1;
}

/* seen(where, filter, since_ns) -> packets that match a tcpdump filter */
static int svclab_seen(lua_State *L)
{
	struct script *s = script_of(L);
	struct err err = { 0 };
	uint32_t count = 0;
	need_verb(L);
	if (watch_count_at(s->watch, luaL_checkstring(L, 1), luaL_checkinteger(L, 3),
			   luaL_checkstring(L, 2), &count, &err))
		return raise_err(L, &err);
	lua_pushinteger(L, count);
	return 1;
}

/* packets(where or nil) -> lines "12.345678901 place:interface tcpdump's words" */
static int svclab_packets(lua_State *L)
{
	struct script *s = script_of(L);
	const char *where = luaL_optstring(L, 1, "*");
	const struct tap_record *records;
	char line[512];
	lua_Integer count = 0;
	need_verb(L);
	uint32_t total = watch_packets(s->watch, &records);
	lua_newtable(L);
	for (uint32_t i = 0; i < total; i++) {
		const struct tap_record *r = &records[i];
		if (strcmp(where, "*") != 0 && strcmp(where, r->place) != 0 &&
		    strcmp(where, r->interface) != 0)
			continue;
		lua_pushfstring(L, "%s %s %s", r->interface, r->direction == 1 ? "in" : "out",
				packet_line(r->packet, line, sizeof line));
		lua_rawseti(L, -2, ++count);
	}
	return 1;
}

static struct net_addr check_addr(lua_State *L, int at, const char *field)
{
	struct net_addr a = { 0 };
	const char *text = field_string(L, at, field, NULL);
	if (!text || !net_addr_parse(text, &a))
		luaL_error(L, "%s: expected an IP address", field);
	return a;
}

static uint8_t check_flags(lua_State *L, const char *text)
{
	static const struct { char letter; uint8_t flag; } letters[] = {
		{ 'F', TCP_FIN }, { 'S', TCP_SYN }, { 'R', TCP_RST }, { 'P', TCP_PSH }, { '.', TCP_ACK },
		{ 'U', TCP_URG } };
	uint8_t flags = 0;
	for (; *text; text++) {
		uint8_t flag = 0;
		for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
			if (letters[i].letter == *text)
				flag = letters[i].flag;
		if (!flag)
			luaL_error(L, "flags: expected tcpdump's letters F S R P U .");
		flags |= flag;
	}
	return flags;
}

/* inject(place, interface or "", { src=, dst=, sport=, dport=, proto=, flags=, ... }) */
static int svclab_inject(lua_State *L)
{
	struct world *w = need_verb(L);
	struct place *at = check_place(L, 1);
	const char *interface = luaL_optstring(L, 2, "");
	struct err err = { 0 };
	luaL_checktype(L, 3, LUA_TTABLE);
	struct craft_ip ip = { .src = check_addr(L, 3, "src"), .dst = check_addr(L, 3, "dst"),
			       .src_port = (uint16_t)field_integer(L, 3, "sport", 0),
			       .dst_port = (uint16_t)field_integer(L, 3, "dport", 0),
			       .ttl = (uint8_t)field_integer(L, 3, "ttl", 64),
			       .tos = (uint8_t)field_integer(L, 3, "tos", 0) };
	const char *proto = field_string(L, 3, "proto", "tcp");
	const char *data = field_string(L, 3, "data", "");
	if (ip.src.family != ip.dst.family)
		return luaL_error(L, "src and dst: expected addresses of one family");
	struct craft *craft = craft_new();
	struct packet *p = NULL;
	if (strcmp(proto, "tcp") == 0) {
		struct craft_tcp tcp = { .flags = check_flags(L, field_string(L, 3, "flags", "S")),
					 .seq = (uint32_t)field_integer(L, 3, "seq", 1000),
					 .ack = (uint32_t)field_integer(L, 3, "ack", 0), .window = 64240,
					 .window_scale = -1 };
		p = craft_tcp(craft, &ip, &tcp, data, (uint32_t)strlen(data));
	} else if (strcmp(proto, "udp") == 0) {
		p = craft_udp(craft, &ip, data, (uint32_t)strlen(data));
	} else if (strcmp(proto, "icmp") == 0) {
		p = craft_icmp_echo(craft, &ip, false, (uint16_t)field_integer(L, 3, "id", 1),
				    (uint16_t)field_integer(L, 3, "sequence", 1), data,
				    (uint32_t)strlen(data));
	}
	craft_free(craft);
	if (!p)
		return luaL_error(L, "proto \"%s\": expected \"tcp\", \"udp\" or \"icmp\"", proto);
	if (world_inject(w, at, interface, p, &err))
		return raise_err(L, &err);
	return 0;
}

void bind_node(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "place", svclab_place }, { "dump", svclab_dump }, { "sysctl", svclab_sysctl },
		{ "fault", svclab_fault }, { "command", svclab_command },
		{ "restart_kube_proxy", svclab_restart_kube_proxy },
		{ "cleanup_kube_proxy", svclab_cleanup_kube_proxy },
		{ "switch_mode", svclab_switch_mode }, { "sync_stats", svclab_sync_stats },
		{ "rules", svclab_rules }, { "counters", svclab_counters }, { "logs", svclab_logs },
		{ "now", svclab_now }, { "seen", svclab_seen }, { "packets", svclab_packets }, { "inject", svclab_inject },
		{ NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
}
