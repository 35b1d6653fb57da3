/* cli/shell/link.c: ping, ip, ifconfig, ss, netstat, route, sysctl. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/shell.h"

#define PING_ENDLESS 10 /* requests of a ping that nobody counts, as if stopped by Ctrl-C */
#define PING_MAX 10000

/* ---- ping ------------------------------------------------------------------------------- */

struct ping_options {
	const char *host;
	uint32_t count;
	int64_t interval_ns, wait_ns;
	bool quiet, busybox, numeric;
	bool inetutils;          /* GNU's, in node's images: the canonical name, BSD's words */
	char shown[256];         /* the name in the first line */
	char address[NET_ADDR_TEXT];
};

static int64_t seconds(const char *text)
{
	return (int64_t)(strtod(text, NULL) * (double)NS_PER_S);
}

static int ping_arguments(struct call *c, struct ping_options *o)
{
	int64_t deadline = 0;
	*o = (struct ping_options){ .count = PING_ENDLESS, .interval_ns = NS_PER_S,
				    .wait_ns = NS_PER_S, .busybox = stand_busybox(c->s),
				    .inetutils = strstr(stand_image(c->s), "luksa/kubia") };
	for (int i = 1; i < c->argc; i++) {
		const char *w = c->argv[i];
		if (*w != '-') {
			o->host = w;
			continue;
		}
		if (strchr("q46n", w[1])) {
			o->quiet |= w[1] == 'q';
			continue;
		}
		const char *value = w[2] ? w + 2 : i + 1 < c->argc ? c->argv[++i] : "";
		if (w[1] == 'c')
			o->count = (uint32_t)strtoul(value, NULL, 10);
		else if (w[1] == 'i')
			o->interval_ns = seconds(value);
		else if (w[1] == 'W')
			o->wait_ns = seconds(value);
		else if (w[1] == 'w')
			deadline = seconds(value);
	}
	if (deadline > 0 && o->interval_ns > 0)
		o->count = (uint32_t)(deadline / o->interval_ns);
	if (o->count < 1 || o->count > PING_MAX || o->interval_ns < NS_PER_MS)
		return call_fail(c, 1, "bad number of packets to transmit");
	return o->host ? 0 : call_fail(c, 1, "usage error: Destination address required");
}

static int ping_resolve(struct call *c, struct ping_options *o, struct place *from)
{
	struct net_addr a;
	struct err err = { "" };
	struct op *op = NULL;
	struct lookup l = { .name = o->host, .tool = DNS_LIBC };
	snprintf(o->shown, sizeof o->shown, "%s", o->host);
	snprintf(o->address, sizeof o->address, "%.*s", NET_ADDR_TEXT - 1, o->host);
	if (net_addr_parse(o->host, &a))
		return 0;
	int code = world_lookup(c->s->world, from, &l, &op, &err);
	if (!code)
		call_wait_op(c, op);
	const struct op_result *r = code ? NULL : op_result(op);
	if (r && r->address_count) {
		net_addr_text(&r->addresses[0], o->address);
		if (*r->canonical && !o->busybox)
			snprintf(o->shown, sizeof o->shown, "%s", r->canonical);
	} else if (o->busybox) {
		code = call_fail(c, 1, "bad address '%s'", o->host);
	} else {
		code = call_fail(c, 2, "%s: %s", o->host, r ? r->message : err.text);
	}
	op_free(op);
	return code;
}

static const char *icmp_words(const struct op_echo *e)
{
	static const char *const codes[] = { "Destination Net Unreachable", "Destination Host Unreachable",
					     "Destination Protocol Unreachable",
					     "Destination Port Unreachable" };
	if (e->icmp_type == 11)
		return "Time to live exceeded";
	if (e->icmp_type == 3 && e->icmp_code < 4)
		return codes[e->icmp_code];
	return e->icmp_type == 3 ? "Packet filtered" : NULL;
}

static void ping_line(struct call *c, const struct ping_options *o, const struct op_echo *e,
		      uint32_t number)
{
	char from[NET_ADDR_TEXT];
	net_addr_text(&e->from, from);
	if (e->rtt_ns >= 0 && o->busybox)
		strbuf_printf(c->out, "64 bytes from %s: seq=%u ttl=%u time=%.3f ms\n", from, number - 1,
			      e->ttl, (double)e->rtt_ns / 1e6);
	else if (e->rtt_ns >= 0)
		strbuf_printf(c->out, "64 bytes from %s: icmp_seq=%u ttl=%u time=%.3f ms\n", from, number,
			      e->ttl, (double)e->rtt_ns / 1e6);
	else if (e->icmp_type && icmp_words(e) && !o->busybox)
		strbuf_printf(c->out, "From %s icmp_seq=%u %s\n", from, number, icmp_words(e));
	else if (e->error && !e->icmp_type)
		strbuf_printf(c->err, "ping: %s: %s\n", o->busybox ? "sendto" : "sendmsg",
			      strerror(e->error));
}

static void ping_summary(struct call *c, const struct ping_options *o, const struct op_result *r)
{
	double least = 0, most = 0, sum = 0, squares = 0;
	uint32_t errors = 0;
	for (uint32_t i = 0; i < r->sent; i++) {
		double ms = (double)r->echoes[i].rtt_ns / 1e6;
		errors += r->echoes[i].rtt_ns < 0 && r->echoes[i].icmp_type;
		if (r->echoes[i].rtt_ns < 0)
			continue;
		least = sum > 0 && least < ms ? least : ms;
		most = most > ms ? most : ms;
		sum += ms;
		squares += ms * ms;
	}
	unsigned lost = r->sent ? (unsigned)(100 * (uint64_t)(r->sent - r->received) / r->sent) : 0;
	double mean = r->received ? sum / r->received : 0;
	double variance = r->received ? squares / r->received - mean * mean : 0;
	strbuf_printf(c->out, "%s--- %s ping statistics ---\n", o->inetutils ? "" : "\n", o->shown);
	if (o->busybox || o->inetutils) {
		strbuf_printf(c->out, "%u packets transmitted, %u packets received, %u%% packet loss\n",
			      r->sent, r->received, lost);
		if (r->received)
			strbuf_printf(c->out, "round-trip min/avg/max = %.3f/%.3f/%.3f ms\n", least, mean, most);
		return;
	}
	strbuf_printf(c->out, "%u packets transmitted, %u received, ", r->sent, r->received);
	if (errors)
		strbuf_printf(c->out, "+%u errors, ", errors);
	strbuf_printf(c->out, "%u%% packet loss, time %lldms\n", lost,
		      (long long)((r->sent - 1) * o->interval_ns / NS_PER_MS));
	if (r->received)
		strbuf_printf(c->out, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", least, mean, most,
			      variance > 0 ? __builtin_sqrt(variance) : 0.0);
	else
		strbuf_putc(c->out, '\n');
}

static int ping(struct call *c)
{
	struct ping_options o;
	struct err err = { "" };
	struct op *op = NULL;
	struct place *from = shell_place(c->s, c->io);
	int code = from ? ping_arguments(c, &o) : 1;
	if (!code)
		code = ping_resolve(c, &o, from);
	if (code)
		return code;
	struct ping p = { .target = o.address, .count = o.count, .interval_ns = o.interval_ns,
			  .timeout_ns = o.wait_ns };
	if (strchr(o.address, ':'))
		p.target = arena_printf(c->arena, "[%s]", o.address);
	code = world_ping(c->s->world, from, &p, &op, &err);
	if (code)
		return call_fail(c, 2, "%s", err.text);
	strbuf_printf(c->out, o.busybox || o.inetutils ? "PING %s (%s): 56 data bytes\n"
					: "PING %s (%s) 56(84) bytes of data.\n", o.shown, o.address);
	call_wait_op(c, op);
	const struct op_result *r = op_result(op);
	for (uint32_t i = 0; i < r->sent && r->echoes && !o.quiet; i++)
		ping_line(c, &o, &r->echoes[i], i + 1);
	if (r->echoes)
		ping_summary(c, &o, r);
	else
		call_fail(c, 2, "connect: %s", r->message);
	code = r->received ? 0 : r->echoes ? 1 : 2;
	op_free(op);
	return code;
}

/* ---- ip ------------------------------------------------------------------------------------ */

/* Of "2: eth0    inet ..." or "2: eth0: <...": the number and the name. */
static bool interface_of(const char *line, unsigned *number, char name[32])
{
	int n = sscanf(line, "%u: %31[^ :@]", number, name);
	return n == 2;
}

static size_t line_length(const char *text)
{
	return strcspn(text, "\n");
}

/* A line of `ip -o` in its long form: a backslash stands for a newline. */
static void long_line(struct strbuf *out, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_putc(out, line[i] == '\\' ? '\n' : line[i]);
	strbuf_putc(out, '\n');
}

static void link_lines(struct call *c, const char *line, size_t n, bool addresses)
{
	static const char mode[] = " mode DEFAULT";
	char *copy = arena_strndup(c->arena, line, n), *at = strstr(copy, mode);
	if (addresses && at)
		memmove(at, at + strlen(mode), strlen(at + strlen(mode)) + 1);
	long_line(c->out, copy, strlen(copy));
}

static void address_lines(struct call *c, const char *addrs, const char *dev, char family)
{
	for (const char *a = addrs; *a; a += line_length(a) + (a[line_length(a)] == '\n')) {
		unsigned number;
		char name[32];
		const char *inet = strstr(a, " inet");
		if (!interface_of(a, &number, name) || strcmp(name, dev) != 0 || !inet)
			continue;
		bool v6 = inet[5] == '6';
		if (family && v6 != (family == '6'))
			continue;
		strbuf_puts(c->out, "    ");
		long_line(c->out, inet + 1, line_length(inet + 1));
	}
}

struct ip_options { bool one_line, brief; char family; };

static int ip_addr(struct call *c, const struct ip_options *o, const char *dev, bool addresses)
{
	const char *links = shell_view(c, DUMP_LINK, NULL), *addrs = shell_view(c, DUMP_ADDR, NULL);
	bool any = false;
	if (!links || !addrs)
		return 1;
	for (const char *l = addresses && o->one_line ? addrs : links; *l;) {
		unsigned number;
		char name[32] = "";
		size_t n = line_length(l);
		interface_of(l, &number, name);
		if (!dev || strcmp(dev, name) == 0) {
			any = true;
			if (o->one_line)
				strbuf_printf(c->out, "%.*s\n", (int)n, l);
			else
				link_lines(c, l, n, addresses);
			if (addresses && !o->one_line)
				address_lines(c, addrs, name, o->family);
		}
		l += n + (l[n] == '\n');
	}
	if (any || !dev || (addresses && o->one_line))
		return 0;
	strbuf_printf(c->err, "Device \"%s\" does not exist.\n", dev);
	return 1;
}

/* The longest prefix of `ip route` that holds the address. */
static int route_get(struct call *c, const char *text)
{
	struct net_addr a;
	const char *routes = shell_view(c, DUMP_ROUTE, NULL), *local = shell_view(c, DUMP_ROUTE_LOCAL, NULL);
	char best[256] = "";
	int bits = -1;
	if (!net_addr_parse(text, &a) || !routes || !local)
		return call_fail(c, 1, "any valid prefix is expected rather than \"%s\".", text);
	for (int pass = 0; pass < 2 && bits < 0; pass++)
		for (const char *r = pass ? routes : local; *r;) {
			char dst[64] = "";
			struct net_prefix p;
			size_t n = line_length(r);
			const char *at = strncmp(r, "local ", 6) == 0 ? r + 6 : r;
			sscanf(at, "%63s", dst);
			if (strcmp(dst, "default") == 0)
				strcpy(dst, a.family == NET_V4 ? "0.0.0.0/0" : "::/0");
			if (!strchr(dst, '/'))
				strcat(dst, a.family == NET_V4 ? "/32" : "/128");
			if (strncmp(r, "broadcast", 9) != 0 && net_prefix_parse(dst, &p) &&
			    p.addr.family == a.family && net_prefix_contains(&p, &a) && p.bits > bits) {
				bits = p.bits;
				const char *rest = strchr(at, ' ');
				snprintf(best, sizeof best, "%s%s%.*s", pass ? "" : "local ", text,
					 rest ? (int)(n - (size_t)(rest - r)) : 0, rest ? rest : "");
			}
			r += n + (r[n] == '\n');
		}
	if (bits < 0) {
		strbuf_puts(c->err, "RTNETLINK answers: Network is unreachable\n");
		return 2;
	}
	strbuf_printf(c->out, "%s\n    cache\n", best);
	return 0;
}

static int ip_route(struct call *c, const struct ip_options *o, int i)
{
	bool local = false;
	if (i < c->argc && strcmp(c->argv[i], "get") == 0)
		return i + 1 < c->argc ? route_get(c, c->argv[i + 1]) : call_fail(c, 255, "expected an address");
	for (; i < c->argc; i++)
		local |= strcmp(c->argv[i], "local") == 0;
	const char *text = shell_view(c, local ? DUMP_ROUTE_LOCAL : DUMP_ROUTE, NULL);
	for (const char *r = text ? text : ""; *r;) {
		size_t n = line_length(r);
		bool v6 = memchr(r, ':', n) != NULL;
		if (v6 == (o->family == '6'))
			strbuf_printf(c->out, "%.*s\n", (int)n, r);
		r += n + (r[n] == '\n');
	}
	return text ? 0 : 1;
}

/* `ip addr add ...`, `ip route del ...` go to the machine as they are. */
static int ip_change(struct call *c, const char *object, int first)
{
	struct strbuf line = { 0 };
	struct err err = { "" };
	struct place *p = shell_place(c->s, c->io);
	strbuf_printf(&line, "ip %s", object);
	for (int i = first; i < c->argc; i++)
		strbuf_printf(&line, " %s", c->argv[i]);
	int code = p ? world_command(c->s->world, p, strbuf_text(&line), &err) : 1;
	strbuf_free(&line);
	return code ? call_fail(c, 2, "%s", err.text) : 0;
}

static bool starts(const char *word, const char *full)
{
	return *word && strncmp(full, word, strlen(word)) == 0;
}

static int ip(struct call *c)
{
	struct ip_options o = { 0 };
	int i = 1;
	for (; i < c->argc && c->argv[i][0] == '-'; i++) {
		o.one_line |= strchr(c->argv[i], 'o') != NULL;
		o.family = c->argv[i][1] == '4' || c->argv[i][1] == '6' ? c->argv[i][1] : o.family;
	}
	const char *object = i < c->argc ? c->argv[i++] : "";
	const char *verb = i < c->argc ? c->argv[i] : "show";
	bool addr = starts(object, "address"), route = starts(object, "route");
	if ((addr || route) && (starts(verb, "add") || starts(verb, "delete") || starts(verb, "del")))
		return ip_change(c, addr ? "addr" : "route", i);
	if (route)
		return ip_route(c, &o, i);
	if (addr || starts(object, "link")) {
		const char *dev = NULL;
		for (; i < c->argc; i++)
			if (!starts(c->argv[i], "show") && !starts(c->argv[i], "list") &&
			    strcmp(c->argv[i], "dev") != 0)
				dev = c->argv[i];
		return ip_addr(c, &o, dev, addr);
	}
	return call_fail(c, 1, "Object \"%s\" is not part of the simulated machine: expected addr, link or "
			       "route", object);
}

static int ifconfig(struct call *c)
{
	struct ip_options o = { 0 };
	return ip_addr(c, &o, c->argc > 1 && c->argv[1][0] != '-' ? c->argv[1] : NULL, true);
}

static int route(struct call *c)
{
	struct ip_options o = { 0 };
	return ip_route(c, &o, c->argc);
}

/* ---- ss, sysctl ------------------------------------------------------------------------------- */

static int ss(struct call *c)
{
	bool tcp = false, udp = false, listen = false, all = false;
	const char *text = shell_view(c, DUMP_SOCKETS, NULL);
	for (int i = 1; i < c->argc; i++) {
		if (c->argv[i][0] != '-')
			continue;
		tcp |= strchr(c->argv[i], 't') != NULL;
		udp |= strchr(c->argv[i], 'u') != NULL;
		listen |= strchr(c->argv[i], 'l') != NULL;
		all |= strchr(c->argv[i], 'a') != NULL;
	}
	bool first = true;
	for (const char *l = text ? text : ""; *l;) {
		char proto[8] = "", state[16] = "";
		size_t n = line_length(l);
		sscanf(l, "%7s %15s", proto, state);
		bool waiting = strcmp(state, "LISTEN") == 0 || strcmp(state, "UNCONN") == 0;
		bool kind = (!tcp && !udp) || (tcp && strcmp(proto, "tcp") == 0) ||
			    (udp && strcmp(proto, "udp") == 0);
		if (first || (kind && (all || waiting == listen)))
			strbuf_printf(c->out, "%.*s\n", (int)n, l);
		first = false;
		l += n + (l[n] == '\n');
	}
	return text ? 0 : 1;
}

/* sysctl [-w] NAME[=VALUE]..., names with dots. */
static int sysctl(struct call *c)
{
	int status = 0;
	struct place *p = shell_place(c->s, c->io);
	bool bare = false;
	for (int i = 1; i < c->argc && p; i++) {
		struct err err = { "" };
		if (c->argv[i][0] == '-') {
			bare |= strchr(c->argv[i], 'n') != NULL;
			continue;
		}
		char *name = arena_strdup(c->arena, c->argv[i]), *equals = strchr(name, '=');
		if (equals)
			*equals++ = '\0';
		char *path = arena_strdup(c->arena, name);
		for (char *at = path; *at; at++)
			if (*at == '.')
				*at = '/';
		int64_t value = equals ? strtoll(equals, NULL, 10) : 0;
		if (world_sysctl(c->s->world, p, path, &value, equals != NULL, &err))
			status = call_fail(c, 255, "cannot stat /proc/sys/%s: No such file or directory", path);
		else if (bare)
			strbuf_printf(c->out, "%lld\n", (long long)value);
		else
			strbuf_printf(c->out, "%s = %lld\n", name, (long long)value);
	}
	return p ? status : 1;
}

const struct tool link_tools[] = {
	{ "ping", ping, "[-c COUNT] [-i SECONDS] [-W SECONDS] HOST" },
	{ "ip", ip, "[-o] addr|link|route [show|get|add|del ...]" },
	{ "ss", ss, "[-t] [-u] [-l] [-a]: sockets" },
	{ "sysctl", sysctl, "NAME[=VALUE]" },
	{ "ifconfig", ifconfig, NULL }, { "netstat", ss, NULL }, { "route", route, NULL },
	{ NULL, NULL, NULL },
};
