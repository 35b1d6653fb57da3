/* cli/shell/http.c: curl (7.88) and wget (GNU 1.21 and busybox), over the simulated network. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/shell/shell.h"

struct url {
	char host[256];
	char path[1024];
	char target[300];        /* host:port */
	uint16_t port;
	bool tls;
};

/* "http://host:port/path"; false: no URL that these tools take here. */
static bool parse_url(const char *text, struct url *u)
{
	*u = (struct url){ .port = 80 };
	if (strncasecmp(text, "http://", 7) == 0) {
		text += 7;
	} else if (strncasecmp(text, "https://", 8) == 0) {
		text += 8;
		u->tls = true;
		u->port = 443;
	} else if (strstr(text, "://")) {
		return false;
	}
	size_t n = strcspn(text, "/?#");
	char authority[256];
	if (!n || n >= sizeof authority)
		return false;
	snprintf(authority, sizeof authority, "%.*s", (int)n, text);
	char *start = strchr(authority, '@') ? strchr(authority, '@') + 1 : authority;
	char *bracket = *start == '[' ? strchr(start, ']') : NULL;
	char *colon = strrchr(bracket ? bracket : start, ':');
	if (colon) {
		*colon = '\0';
		long port = strtol(colon + 1, NULL, 10);
		if (port < 1 || port > 65535)
			return false;
		u->port = (uint16_t)port;
	}
	if (bracket)
		*bracket = '\0';
	snprintf(u->host, sizeof u->host, "%s", start + (bracket != NULL));
	snprintf(u->path, sizeof u->path, "%s%.*s", text[n] == '/' ? "" : "/", (int)strcspn(text + n, "#"),
		 text + n);
	snprintf(u->target, sizeof u->target, bracket ? "[%s]:%u" : "%s:%u", u->host, u->port);
	return *u->host;
}

static const char *host_header(struct call *c, const struct url *u)
{
	const char *host = strchr(u->host, ':') ? arena_printf(c->arena, "[%s]", u->host) : u->host;
	return u->port == (u->tls ? 443 : 80) ? host : arena_printf(c->arena, "%s:%u", host, u->port);
}

/* ---- curl -------------------------------------------------------------------------------- */

struct curl {
	bool silent, show_errors, head, include, fail, verbose, follow;
	const char *method, *host, *data, *output, *write_out;
	const char *resolve[8];
	uint32_t resolve_count;
	int64_t max_time_ns, connect_ns;
	uint16_t local_port;
	uint8_t family;
	const char *urls[16];
	uint32_t url_count;
};

static void take_header(struct curl *o, const char *text)
{
	if (strncasecmp(text, "Host:", 5) == 0)
		o->host = text + 5 + strspn(text + 5, " ");
}

static int64_t seconds(const char *text)
{
	return (int64_t)(strtod(text, NULL) * (double)NS_PER_S);
}

/* An option with a value; false: unknown. */
static bool valued_option(struct curl *o, const char *name, const char *value)
{
	if (strcmp(name, "m") == 0 || strcmp(name, "max-time") == 0)
		o->max_time_ns = seconds(value);
	else if (strcmp(name, "connect-timeout") == 0)
		o->connect_ns = seconds(value);
	else if (strcmp(name, "H") == 0 || strcmp(name, "header") == 0)
		take_header(o, value);
	else if (strcmp(name, "X") == 0 || strcmp(name, "request") == 0)
		o->method = value;
	else if (strcmp(name, "d") == 0 || strncmp(name, "data", 4) == 0)
		o->data = value;
	else if (strcmp(name, "o") == 0 || strcmp(name, "output") == 0)
		o->output = value;
	else if (strcmp(name, "w") == 0 || strcmp(name, "write-out") == 0)
		o->write_out = value;
	else if (strcmp(name, "local-port") == 0)
		o->local_port = (uint16_t)atoi(value);
	else if (strcmp(name, "url") == 0 && o->url_count < 16)
		o->urls[o->url_count++] = value;
	else if (strcmp(name, "resolve") == 0 && o->resolve_count < 8)
		o->resolve[o->resolve_count++] = value;
	else
		return strcmp(name, "A") == 0 || strcmp(name, "user-agent") == 0 ||
		       strcmp(name, "retry") == 0 || strcmp(name, "u") == 0 ||
		       strcmp(name, "e") == 0 || strcmp(name, "b") == 0 || strcmp(name, "cacert") == 0 ||
		       strcmp(name, "interface") == 0;
	return true;
}

static bool plain_option(struct curl *o, const char *name)
{
	static const struct { const char *letter, *word; size_t at; } flags[] = {
		{ "s", "silent", offsetof(struct curl, silent) },
		{ "S", "show-error", offsetof(struct curl, show_errors) },
		{ "I", "head", offsetof(struct curl, head) },
		{ "i", "include", offsetof(struct curl, include) },
		{ "f", "fail", offsetof(struct curl, fail) },
		{ "v", "verbose", offsetof(struct curl, verbose) },
		{ "L", "location", offsetof(struct curl, follow) },
	};
	static const char *const ignored[] = { "k", "insecure", "g", "N", "no-buffer", "no-keepalive",
					       "http1.1", "http1.0", "0", "compressed", "#", "noproxy" };
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (strcmp(name, flags[i].letter) == 0 || strcmp(name, flags[i].word) == 0) {
			*(bool *)((char *)o + flags[i].at) = true;
			return true;
		}
	if (strcmp(name, "4") == 0 || strcmp(name, "ipv4") == 0)
		o->family = NET_V4;
	else if (strcmp(name, "6") == 0 || strcmp(name, "ipv6") == 0)
		o->family = NET_V6;
	else
		for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
			if (strcmp(name, ignored[i]) == 0)
				return true;
	return o->family != NET_NONE;
}

static int unknown_option(struct call *c, const char *text)
{
	strbuf_printf(c->err, "curl: option %s: is unknown\n"
			      "curl: try 'curl --help' or 'curl --manual' for more information\n", text);
	return 2;
}

static int long_option(struct call *c, struct curl *o, int *i)
{
	const char *text = c->argv[*i];
	if (plain_option(o, text + 2))
		return 0;
	if (*i + 1 < c->argc && valued_option(o, text + 2, c->argv[*i + 1])) {
		(*i)++;
		return 0;
	}
	return unknown_option(c, text);
}

static int short_options(struct call *c, struct curl *o, int *i)
{
	const char *text = c->argv[*i];
	for (const char *f = text + 1; *f; f++) {
		char name[2] = { *f, '\0' };
		const char *value = f[1] ? f + 1 : *i + 1 < c->argc ? c->argv[*i + 1] : NULL;
		if (plain_option(o, name))
			continue;
		if (!value || !valued_option(o, name, value))
			return unknown_option(c, text);
		*i += !f[1];
		return 0;
	}
	return 0;
}

static int curl_options(struct call *c, struct curl *o)
{
	for (int i = 1; i < c->argc; i++) {
		int code = 0;
		if (strncmp(c->argv[i], "--", 2) == 0 && c->argv[i][2])
			code = long_option(c, o, &i);
		else if (c->argv[i][0] == '-' && c->argv[i][1])
			code = short_options(c, o, &i);
		else if (o->url_count < 16)
			o->urls[o->url_count++] = c->argv[i];
		if (code)
			return code;
	}
	if (o->url_count)
		return 0;
	strbuf_puts(c->err, "curl: no URL specified!\n"
			    "curl: try 'curl --help' or 'curl --manual' for more information\n");
	return 2;
}

static int curl_fail(struct call *c, const struct curl *o, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static int curl_fail(struct call *c, const struct curl *o, int code, const char *fmt, ...)
{
	va_list ap;
	if (o->silent && !o->show_errors)
		return code;
	strbuf_printf(c->err, "curl: (%d) ", code);
	va_start(ap, fmt);
	strbuf_vprintf(c->err, fmt, ap);
	va_end(ap);
	strbuf_putc(c->err, '\n');
	return code;
}

/* What libcurl makes of the socket's error. */
static int failed(struct call *c, const struct curl *o, const struct url *u,
		  const struct op_result *r)
{
	long ms = (long)((r->ended_ns - r->started_ns) / NS_PER_MS);
	char address[NET_ADDR_TEXT];
	if (r->error == ENOENT)
		return curl_fail(c, o, 6, "Could not resolve host: %s", u->host);
	if (r->error == ETIMEDOUT && r->connected_ns)
		return curl_fail(c, o, 28, "Operation timed out after %ld milliseconds with 0 bytes received",
				 ms);
	if (r->error == ETIMEDOUT && o->max_time_ns && ms >= o->max_time_ns / NS_PER_MS)
		return curl_fail(c, o, 28, "Connection timed out after %ld milliseconds", ms + 1);
	if (r->error == ETIMEDOUT && o->connect_ns)
		return curl_fail(c, o, 28, "Failed to connect to %s port %u after %ld ms: Timeout was reached",
				 u->host, u->port, ms + 1);
	if (r->connected_ns && r->error == ECONNRESET && !r->http_status)
		return curl_fail(c, o, 56, "Recv failure: Connection reset by peer");
	if (r->connected_ns)
		return curl_fail(c, o, 52, "Empty reply from server");
	(void)address;
	return curl_fail(c, o, 7, "Failed to connect to %s port %u after %ld ms: Couldn't connect to server",
			 u->host, u->port, ms);
}

static void write_out(struct call *c, const char *format, const struct op_result *r)
{
	char text[NET_ADDR_TEXT];
	for (const char *at = format; *at; at++) {
		if (*at == '\\' && at[1]) {
			at++;
			strbuf_putc(c->out, *at == 'n' ? '\n' : *at == 't' ? '\t' : *at);
		} else if (strncmp(at, "%{", 2) == 0 && strchr(at, '}')) {
			size_t n = strcspn(at, "}");
			char name[32];
			snprintf(name, sizeof name, "%.*s", (int)n - 2, at + 2);
			if (strcmp(name, "http_code") == 0 || strcmp(name, "response_code") == 0)
				strbuf_printf(c->out, "%03d", r->http_status);
			else if (strcmp(name, "remote_ip") == 0)
				strbuf_puts(c->out, net_addr_text(&r->peer.addr, text));
			else if (strcmp(name, "remote_port") == 0)
				strbuf_printf(c->out, "%u", r->peer.port);
			else if (strcmp(name, "local_ip") == 0)
				strbuf_puts(c->out, net_addr_text(&r->local.addr, text));
			else if (strcmp(name, "local_port") == 0)
				strbuf_printf(c->out, "%u", r->local.port);
			else if (strcmp(name, "size_download") == 0)
				strbuf_printf(c->out, "%zu", r->body_length);
			else if (strcmp(name, "time_total") == 0)
				strbuf_printf(c->out, "%.6f", (double)(r->ended_ns - r->started_ns) / 1e9);
			else if (strcmp(name, "time_connect") == 0)
				strbuf_printf(c->out, "%.6f",
					      r->connected_ns ? (double)(r->connected_ns - r->started_ns) / 1e9 : 0.0);
			at += n;
		} else {
			strbuf_putc(c->out, *at);
		}
	}
}

static void lines_with(struct strbuf *out, const char *mark, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		strbuf_printf(out, "%s%.*s\n", mark, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void show_verbose(struct call *c, const struct curl *o, const struct url *u, const char *host,
			 const struct op_result *r)
{
	char text[NET_ADDR_TEXT];
	strbuf_printf(c->err, "*   Trying %s:%u...\n", net_addr_text(&r->peer.addr, text), u->port);
	if (!r->connected_ns)
		return;
	strbuf_printf(c->err, "* Connected to %s (%s) port %u (#0)\n", u->host, text, u->port);
	strbuf_printf(c->err, "> %s %s HTTP/1.1\n> Host: %s\n> User-Agent: curl/7.88.1\n> Accept: */*\n> \n",
		      o->method ? o->method : o->head ? "HEAD" : o->data ? "POST" : "GET", u->path, host);
	if (!r->head)
		return;
	lines_with(c->err, "< ", r->head);
	strbuf_puts(c->err, "* Closing connection 0\n");
}

static int answered(struct call *c, const struct curl *o, const struct op_result *r)
{
	struct strbuf text = { 0 };
	int code = 0;
	if (o->fail && r->http_status >= 400)
		return curl_fail(c, o, 22, "The requested URL returned error: %d", r->http_status);
	if ((o->head || o->include) && r->head)
		for (const char *at = r->head; *at; at++)
			if (*at != '\r')
				strbuf_putc(&text, *at);
	if (!o->head && r->body)
		strbuf_add(&text, r->body, r->body_length);
	if (!o->output || strcmp(o->output, "-") == 0)
		strbuf_add(c->out, strbuf_text(&text), text.length);
	else
		code = shell_write_file(c->s, o->output, strbuf_text(&text), text.length, false);
	strbuf_free(&text);
	return code ? curl_fail(c, o, 23, "Failure writing output to destination") : 0;
}

/* --resolve HOST:PORT:ADDRESS */
static void resolved(struct call *c, const struct curl *o, struct url *u)
{
	(void)c;
	for (uint32_t i = 0; i < o->resolve_count; i++) {
		char host[256], address[64];
		unsigned port;
		if (sscanf(o->resolve[i], "%255[^:]:%u:%63s", host, &port, address) == 3 &&
		    strcasecmp(host, u->host) == 0 && port == u->port)
			snprintf(u->target, sizeof u->target, strchr(address, ':') ? "[%s]:%u" : "%s:%u",
				 address, u->port);
	}
}

static int fetch(struct call *c, const struct curl *o, const char *text)
{
	struct url u;
	struct err err = { "" };
	struct op *op = NULL;
	struct place *from = shell_place(c->s, c->io);
	if (!from)
		return 7;
	if (!parse_url(text, &u))
		return strstr(text, "://") ? curl_fail(c, o, 1, "Protocol \"%.*s\" not supported or disabled in "
						       "libcurl", (int)strcspn(text, ":"), text)
					   : curl_fail(c, o, 3, "URL using bad/illegal format or missing URL");
	resolved(c, o, &u);
	const char *host = o->host ? o->host : host_header(c, &u);
	struct request r = { .target = u.target, .path = u.path, .host = host, .data = o->data,
			     .method = o->head && !o->method ? "HEAD" : o->method,
			     .local_port = o->local_port, .connect_only = u.tls,
			     .timeout_ns = o->max_time_ns ? o->max_time_ns : o->connect_ns };
	if (world_request(c->s->world, from, &r, &op, &err))
		return curl_fail(c, o, 6, "Could not resolve host: %s", u.host);
	call_wait_op(c, op);
	const struct op_result *result = op_result(op);
	int code;
	if (o->verbose)
		show_verbose(c, o, &u, host, result);
	if (!result->error && u.tls) /* the servers here speak plain HTTP */
		code = curl_fail(c, o, 35, "error:0A00010B:SSL routines::wrong version number");
	else if (result->error)
		code = failed(c, o, &u, result);
	else
		code = answered(c, o, result);
	if (o->write_out)
		write_out(c, o->write_out, result);
	op_free(op);
	return code;
}

static int curl(struct call *c)
{
	struct curl o = { 0 };
	int code = curl_options(c, &o);
	if (code)
		return code;
	for (uint32_t i = 0; i < o.url_count && !shell_must_stop(c->s); i++)
		code = fetch(c, &o, o.urls[i]);
	return code;
}

/* ---- wget ------------------------------------------------------------------------------------- */

struct wget { bool quiet, spider, busybox; const char *output, *url, *host; int64_t timeout_ns; };

static int wget_options(struct call *c, struct wget *w)
{
	for (int i = 1; i < c->argc; i++) {
		const char *a = c->argv[i], *next = i + 1 < c->argc ? c->argv[i + 1] : "";
		if (a[0] != '-') {
			w->url = a;
		} else if (strncmp(a, "--timeout=", 10) == 0) {
			w->timeout_ns = seconds(a + 10);
		} else if (strncmp(a, "--header", 8) == 0) {
			const char *text = a[8] == '=' ? a + 9 : next;
			i += a[8] != '=';
			if (strncasecmp(text, "Host:", 5) == 0)
				w->host = text + 5 + strspn(text + 5, " ");
		} else if (strcmp(a, "--spider") == 0) {
			w->spider = true;
		} else if (strncmp(a, "--", 2) != 0) {
			for (const char *f = a + 1; *f; f++) {
				const char *value = f[1] ? f + 1 : next;
				if (*f == 'q') {
					w->quiet = true;
				} else if (strchr("OTt", *f)) {
					if (*f == 'O')
						w->output = value;
					else if (*f == 'T')
						w->timeout_ns = seconds(value);
					i += !f[1];
					break;
				}
			}
		}
	}
	return w->url ? 0 : call_fail(c, 1, "missing URL");
}

static int wget_failed(struct call *c, const struct wget *w, const struct url *u,
		       const struct op_result *r)
{
	char text[NET_ADDR_TEXT];
	const char *address = net_addr_text(&r->peer.addr, text);
	if (w->busybox) {
		if (r->error == ENOENT)
			strbuf_printf(c->err, "wget: bad address '%s'\n", u->host);
		else if (r->error == ETIMEDOUT && w->timeout_ns)
			strbuf_puts(c->err, "wget: download timed out\n");
		else
			strbuf_printf(c->err, "wget: can't connect to remote host (%s): %s\n", address,
				      r->message);
		return 1;
	}
	if (!w->quiet && r->error == ENOENT)
		strbuf_printf(c->err, "wget: unable to resolve host address '%s'\n", u->host);
	else if (!w->quiet)
		strbuf_printf(c->err, "failed: %s.\n", r->message);
	return 4;
}

/* What is said before the transfer. */
static void wget_connecting(struct call *c, const struct wget *w, const struct url *u,
			    const struct op_result *r)
{
	char text[NET_ADDR_TEXT];
	if (w->quiet || r->error == ENOENT)
		return;
	const char *address = net_addr_text(&r->peer.addr, text);
	if (w->busybox)
		strbuf_printf(c->err, "Connecting to %s (%s:%u)\n", host_header(c, u), address, u->port);
	else if (strcmp(address, u->host) == 0)
		strbuf_printf(c->err, "Connecting to %s:%u... %s", u->host, u->port,
			      r->connected_ns ? "connected.\n" : "");
	else
		strbuf_printf(c->err, "Connecting to %s (%s)|%s|:%u... %s", u->host, u->host, address,
			      u->port, r->connected_ns ? "connected.\n" : "");
}

static int wget_answered(struct call *c, const struct wget *w, const struct url *u,
			 const struct op_result *r)
{
	const char *slash = strrchr(u->path, '/'), *name = w->output;
	size_t length = r->body ? r->body_length : 0;
	if (r->http_status >= 400) {
		char reason[64] = "";
		if (r->head)
			sscanf(r->head, "%*s %63[^\r\n]", reason);
		if (w->busybox)
			strbuf_printf(c->err, "wget: server returned error: HTTP/1.1 %s\n", reason);
		else if (!w->quiet)
			strbuf_printf(c->err, "HTTP request sent, awaiting response... %s\nERROR %s.\n", reason,
				      reason);
		return w->busybox ? 1 : 8;
	}
	if (!name)
		name = slash && slash[1] ? slash + 1 : "index.html";
	if (!w->quiet && !w->busybox)
		strbuf_printf(c->err, "HTTP request sent, awaiting response... %d OK\nLength: %zu [text/html]\n",
			      r->http_status, length);
	if (w->spider)
		return 0;
	if (strcmp(name, "-") == 0 || strcmp(name, "/dev/stdout") == 0) {
		strbuf_add(c->out, r->body ? r->body : "", length);
		return 0;
	}
	if (shell_write_file(c->s, name, r->body ? r->body : "", length, false))
		return call_fail(c, 1, "can't open '%s'", name);
	if (!w->quiet && w->busybox)
		strbuf_printf(c->err, "saving to '%s'\n'%s' saved\n", name, name);
	else if (!w->quiet)
		strbuf_printf(c->err, "Saving to: '%s'\n\n'%s' saved [%zu/%zu]\n\n", name, name, length,
			      length);
	return 0;
}

static int wget(struct call *c)
{
	struct wget w = { .busybox = stand_busybox(c->s) };
	struct url u;
	struct err err = { "" };
	struct op *op = NULL;
	int code = wget_options(c, &w);
	struct place *from = code ? NULL : shell_place(c->s, c->io);
	if (code || !from)
		return code ? code : 1;
	if (!parse_url(w.url, &u))
		return call_fail(c, 1, "bad URL: %s", w.url);
	struct request r = { .target = u.target, .path = u.path, .timeout_ns = w.timeout_ns,
			     .host = w.host ? w.host : host_header(c, &u), .connect_only = u.tls };
	if (world_request(c->s->world, from, &r, &op, &err))
		return call_fail(c, 1, "bad address '%s'", u.host);
	call_wait_op(c, op);
	const struct op_result *result = op_result(op);
	wget_connecting(c, &w, &u, result);
	if (result->error)
		code = wget_failed(c, &w, &u, result);
	else if (u.tls)
		code = call_fail(c, 5, "the server does not speak TLS");
	else
		code = wget_answered(c, &w, &u, result);
	op_free(op);
	return code;
}

const struct tool http_tools[] = {
	{ "curl", curl, "[-s] [-I] [-v] [-m SECONDS] [-H Host:...] [-o FILE] [-w FORMAT] URL" },
	{ "wget", wget, "[-q] [-O FILE] [-T SECONDS] URL" },
	{ NULL, NULL, NULL },
};
