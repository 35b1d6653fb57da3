/* linux/ipvs/parse.c: ipvsadm command lines, as `ipvsadm -R` reads them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/ipvs/internal.h"

#define WORDS_MAX 40
#define PERSISTENCE_DEFAULT_S 360

struct word { char *text; int column; };

struct line {
	struct ipvs *v;
	const char *file;
	int number;
	struct word words[WORDS_MAX];
	int count, at;
	struct err *err;
	char command;          /* A E D a e d C Z S(et) */
	bool has_service, has_server, has_weight, has_scheduler, has_method;
	struct ipvs_service service;
	struct ipvs_dest dest;
	uint32_t set[3];
};

static int bad(const struct line *l, int word, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int bad(const struct line *l, int word, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	word = word < l->count ? word : l->count - 1;
	return err_at(l->err, EINVAL, l->file, l->number, word >= 0 ? l->words[word].column : 1, "%s", text);
}

static int split(struct line *l, char *text)
{
	char *start = text;
	while (*text) {
		while (*text == ' ' || *text == '\t')
			*text++ = '\0';
		if (!*text || *text == '#')
			break;
		if (l->count == WORDS_MAX)
			return bad(l, l->count - 1, "too many words, expected at most %d", WORDS_MAX);
		l->words[l->count++] = (struct word){ text, (int)(text - start) + 1 };
		text += strcspn(text, " \t");
	}
	return 0;
}

/* The next word; NULL: there is none. */
static char *next(struct line *l)
{
	return l->at + 1 < l->count ? l->words[++l->at].text : NULL;
}

static int need_number(struct line *l, uint32_t max, uint32_t *out)
{
	const char *option = l->words[l->at].text;
	char *text = next(l), *end;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;
	if (!text || *text < '0' || *text > '9' || *end || value > max)
		return bad(l, l->at, "%s: expected a number up to %u", option, max);
	*out = (uint32_t)value;
	return 0;
}

/* "a.b.c.d:port" or "[v6]:port"; without port 0. */
static bool read_endpoint(char *text, struct net_addr *addr, uint16_t *port)
{
	char *rest = text, *end;
	unsigned long value = 0;
	if (*text == '[') {
		char *close = strchr(text, ']');
		if (!close)
			return false;
		*close = '\0';
		text++;
		rest = close + 1;
	} else {
		rest = strchr(text, ':');
		if (rest && strchr(rest + 1, ':'))
			rest = text + strlen(text); /* bare IPv6 */
		else if (!rest)
			rest = text + strlen(text);
	}
	if (*rest == ':') {
		*rest++ = '\0';
		value = strtoul(rest, &end, 10);
		if (*rest < '0' || *rest > '9' || *end || value > 65535)
			return false;
	} else if (*rest) {
		return false;
	}
	*port = (uint16_t)value;
	return net_addr_parse(text, addr);
}

static int read_service(struct line *l, uint8_t proto)
{
	const char *option = l->words[l->at].text;
	char *text = next(l);
	struct ipvs_endpoint *at = &l->service.at;
	if (!text || !read_endpoint(text, &at->addr, &at->port))
		return bad(l, l->at, "%s: illegal virtual server address[:port] specified, expected ADDRESS:PORT",
			   option);
	at->proto = proto;
	l->has_service = true;
	return 0;
}

static int read_mark(struct line *l)
{
	l->has_service = true;
	int code = need_number(l, UINT32_MAX, &l->service.at.mark);
	if (!code && !l->service.at.mark)
		code = bad(l, l->at, "-f: expected a mark above 0");
	return code;
}

static int read_persistence(struct line *l)
{
	l->service.flags |= SVC_PERSISTENT;
	l->service.timeout_s = PERSISTENCE_DEFAULT_S;
	if (l->at + 1 < l->count && l->words[l->at + 1].text[0] != '-')
		return need_number(l, 2678400, &l->service.timeout_s);
	return 0;
}

static int read_netmask(struct line *l)
{
	char *text = next(l), *end;
	struct net_addr mask;
	unsigned bits = 0;
	if (text && net_addr_parse(text, &mask) && mask.family == NET_V4) {
		uint32_t value = net_addr_v4_value(&mask);
		while (bits < 32 && value & 0x80000000u >> bits)
			bits++;
		if (bits < 32 && value << bits)
			text = NULL;
	} else if (text) {
		unsigned long n = strtoul(text, &end, 10);
		if (*text < '0' || *text > '9' || *end || n > 128)
			text = NULL;
		bits = (unsigned)n;
	}
	if (!text)
		return bad(l, l->at, "-M: expected a netmask such as 255.255.255.0");
	l->service.netmask = (uint8_t)bits;
	return 0;
}

static int read_flags(struct line *l)
{
	char *text = next(l), *save = NULL;
	for (char *f = text ? strtok_r(text, ",", &save) : NULL; f; f = strtok_r(NULL, ",", &save)) {
		if (strcmp(f, "sh-fallback") == 0 || strcmp(f, "mh-fallback") == 0 || strcmp(f, "flag-1") == 0)
			l->service.flags |= SVC_SCHED1;
		else if (strcmp(f, "sh-port") == 0 || strcmp(f, "mh-port") == 0 || strcmp(f, "flag-2") == 0)
			l->service.flags |= SVC_SCHED2;
		else if (strcmp(f, "flag-3") == 0)
			l->service.flags |= SVC_SCHED3;
		else
			return bad(l, l->at, "scheduler flag %s: expected sh-fallback, sh-port, mh-fallback, mh-port or "
					     "flag-1 to flag-3", f);
	}
	return text ? 0 : bad(l, l->at, "-b: expected scheduler flags");
}

static int read_scheduler(struct line *l)
{
	const char *name = next(l);
	l->service.scheduler = name ? ipvs_scheduler_find(name) : NULL;
	l->has_scheduler = true;
	if (!l->service.scheduler)
		return bad(l, l->at, "Scheduler or persistence engine not found: %s, expected rr, wrr, lc, wlc, sed, nq, "
				     "sh, dh, mh, lblc, lblcr, fo or ovf", name ? name : "");
	return 0;
}

static int read_server(struct line *l)
{
	char *text = next(l);
	if (!text || !read_endpoint(text, &l->dest.at.addr, &l->dest.at.port))
		return bad(l, l->at, "-r: illegal real server address[:port] specified, expected ADDRESS:PORT");
	l->has_server = true;
	return 0;
}

static int read_weight(struct line *l)
{
	uint32_t weight = 0;
	int code = need_number(l, 65535, &weight);
	l->dest.weight = (int)weight;
	l->has_weight = true;
	return code;
}

static bool is(const char *word, const char *letter, const char *name)
{
	return strcmp(word, letter) == 0 || strcmp(word, name) == 0;
}

static int read_set(struct line *l)
{
	l->command = 'S';
	int code = 0;
	for (int i = 0; i < 3 && !code; i++)
		code = need_number(l, 2678400, &l->set[i]);
	return code;
}

/* Options of a virtual server. */
static int service_option(struct line *l, const char *w)
{
	bool names = is(w, "-t", "--tcp-service") || is(w, "-u", "--udp-service") ||
		     strcmp(w, "--sctp-service") == 0 || is(w, "-f", "--fwmark-service");
	if (names && l->has_service)
		return bad(l, l->at, "multiple 'service' options specified");
	if (is(w, "-t", "--tcp-service"))
		return read_service(l, PROTO_TCP);
	if (is(w, "-u", "--udp-service"))
		return read_service(l, PROTO_UDP);
	if (strcmp(w, "--sctp-service") == 0)
		return read_service(l, PROTO_SCTP);
	if (is(w, "-f", "--fwmark-service"))
		return read_mark(l);
	if (is(w, "-s", "--scheduler"))
		return read_scheduler(l);
	if (is(w, "-p", "--persistent"))
		return read_persistence(l);
	if (is(w, "-M", "--netmask"))
		return read_netmask(l);
	if (is(w, "-b", "--sched-flags"))
		return read_flags(l);
	if (is(w, "-o", "--ops")) {
		l->service.flags |= SVC_ONE_PACKET;
		return 0;
	}
	return -1;
}

/* Options of a real server. */
static int dest_option(struct line *l, const char *w)
{
	if (is(w, "-r", "--real-server"))
		return read_server(l);
	if (is(w, "-w", "--weight"))
		return read_weight(l);
	if (is(w, "-x", "--u-threshold"))
		return need_number(l, UINT32_MAX, &l->dest.upper);
	if (is(w, "-y", "--l-threshold"))
		return need_number(l, UINT32_MAX, &l->dest.lower);
	if (strcmp(w, "--tun-type") == 0)
		return next(l) ? 0 : bad(l, l->at, "--tun-type: expected a type");
	bool masq = is(w, "-m", "--masquerading"), route = is(w, "-g", "--gatewaying");
	if (!masq && !route && !is(w, "-i", "--ipip"))
		return -1;
	l->has_method = true;
	l->dest.forward = masq ? FORWARD_MASQ : route ? FORWARD_ROUTE : FORWARD_TUNNEL;
	return 0;
}

static int command_word(struct line *l, const char *w)
{
	static const struct { const char *letter, *name; char command; } commands[] = {
		{ "-A", "--add-service", 'A' }, { "-E", "--edit-service", 'E' },
		{ "-D", "--delete-service", 'D' }, { "-a", "--add-server", 'a' },
		{ "-e", "--edit-server", 'e' }, { "-d", "--delete-server", 'd' },
		{ "-C", "--clear", 'C' }, { "-Z", "--zero", 'Z' } };
	if (strcmp(w, "--set") == 0)
		return read_set(l);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (is(w, commands[i].letter, commands[i].name)) {
			l->command = commands[i].command;
			return 0;
		}
	return bad(l, l->at, "unknown command %s, expected -A, -E, -D, -a, -e, -d, -C, -Z or --set", w);
}

/* ---- what the commands do ---- */

static int change_service(struct line *l, struct ipvs_service *old)
{
	struct ipvs_service *s = &l->service;
	if (!l->has_scheduler)
		s->scheduler = old ? old->scheduler : ipvs_scheduler_find("wlc");
	unsigned bits = s->at.addr.family == NET_V6 ? 128 : 32;
	if (!s->netmask)
		s->netmask = (uint8_t)bits;
	if (s->netmask > bits)
		return bad(l, 0, "-M: the netmask is longer than an address of the service");
	if (!old) {
		ipvs_service_add(l->v, s);
		return 0;
	}
	bool other = old->scheduler != s->scheduler;
	old->flags = s->flags;
	old->timeout_s = s->timeout_s;
	old->netmask = s->netmask;
	old->scheduler = s->scheduler;
	if (other)
		old->last = NULL;
	if (old->scheduler->changed)
		old->scheduler->changed(old, NULL);
	return 0;
}

static int change_dest(struct line *l, struct ipvs_service *s)
{
	struct ipvs_dest *old = ipvs_dest(s, &l->dest.at.addr, l->dest.at.port);
	l->dest.at.proto = s->at.proto;
	if (!l->has_server)
		return bad(l, l->count, "expected -r ADDRESS:PORT");
	if (s->at.addr.family != NET_NONE && s->at.addr.family != l->dest.at.addr.family)
		return bad(l, l->count, "expected a real server of the virtual server's family");
	if (!l->has_weight)
		l->dest.weight = 1;
	if (!l->has_method) /* ipvsadm's default is direct routing */
		l->dest.forward = FORWARD_ROUTE;
	switch (l->command) {
	case 'a':
		if (old)
			return bad(l, 0, "Destination already exists");
		ipvs_dest_add(l->v, s, &l->dest);
		return 0;
	case 'e':
		if (!old)
			return bad(l, 0, "No such destination");
		ipvs_dest_edit(s, old, &l->dest);
		return 0;
	default:
		if (!old)
			return bad(l, 0, "No such destination");
		ipvs_dest_remove(l->v, old);
		return 0;
	}
}

static void zero(struct ipvs_service *s)
{
	s->stats = (struct ipvs_stats){ 0 };
	for (uint32_t i = 0; i < s->dest_count; i++)
		s->dests[i]->stats = (struct ipvs_stats){ 0 };
}

static int carry_out(struct line *l)
{
	struct ipvs_service *s;
	if (l->command == 'C') {
		ipvs_clear(l->v);
		return 0;
	}
	if (l->command == 'S') { /* 0: keep */
		l->v->tcp_s = l->set[0] ? l->set[0] : l->v->tcp_s;
		l->v->fin_s = l->set[1] ? l->set[1] : l->v->fin_s;
		l->v->udp_s = l->set[2] ? l->set[2] : l->v->udp_s;
		return 0;
	}
	if (l->command == 'Z' && !l->has_service) {
		for (uint32_t i = 0; i < l->v->service_count; i++)
			zero(l->v->services[i]);
		return 0;
	}
	if (!l->has_service)
		return bad(l, l->count, "expected -t, -u, --sctp-service or -f");
	s = ipvs_service(l->v, &l->service.at);
	if (l->command == 'A')
		return s ? bad(l, 0, "Service already exists") : change_service(l, NULL);
	if (!s)
		return bad(l, 0, strchr("aed", l->command) ? "Service not defined" : "No such service");
	if (l->command == 'Z')
		zero(s);
	else if (l->command == 'E')
		return change_service(l, s);
	else if (l->command == 'D')
		ipvs_service_remove(l->v, s);
	else
		return change_dest(l, s);
	return 0;
}

static int command(struct line *l, char *text)
{
	int code = split(l, text);
	if (code || !l->count)
		return code;
	code = command_word(l, l->words[0].text);
	for (l->at++; !code && l->at < l->count; l->at++) {
		const char *w = l->words[l->at].text;
		code = service_option(l, w);
		if (code < 0)
			code = dest_option(l, w);
		if (code < 0)
			code = is(w, "-n", "--numeric") ? 0
							: bad(l, l->at, "unknown option %s of ipvsadm", w);
	}
	return code ? code : carry_out(l);
}

int ipvs_restore(struct ipvs *v, const char *text, size_t length, const char *file,
		 struct err *err)
{
	struct strbuf copy = { 0 };
	const char *end = text + length;
	int code = 0;
	for (int number = 1; text < end && !code; number++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = stop ? (size_t)(stop - text) : (size_t)(end - text);
		struct line l = { .v = v, .file = file, .number = number, .err = err };
		strbuf_clear(&copy);
		strbuf_add(&copy, text, n);
		if (memchr(text, '\0', n))
			code = err_at(err, EINVAL, file, number, 1, "the line has a NUL byte, expected text");
		else if (n)
			code = command(&l, copy.data);
		text += n + 1;
	}
	strbuf_free(&copy);
	return code;
}
