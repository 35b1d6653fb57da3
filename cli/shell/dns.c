/* cli/shell/dns.c: dig, nslookup, host, getent: arguments; dns/ asks and prints. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/shell/shell.h"

/* Prints what the tool printed; its exit status. */
static int ask(struct call *c, const struct lookup *l)
{
	struct err err = { "" };
	struct op *op = NULL;
	struct place *from = shell_place(c->s, c->io);
	if (!from)
		return 1;
	if (world_lookup(c->s->world, from, l, &op, &err)) {
		strbuf_printf(c->err, "%s\n", err.text);
		return 1;
	}
	call_wait_op(c, op);
	const struct op_result *r = op_result(op);
	strbuf_puts(c->out, r->text ? r->text : "");
	int status = r->text ? r->status : 1;
	op_free(op);
	return status;
}

static const char *joined(struct call *c, const char *before, const char *word)
{
	return before && *before ? arena_printf(c->arena, "%s %s", before, word) : word;
}

/* A server may be a name: asked of the standpoint's own resolver first. */
static const char *server_address(struct call *c, const char *text)
{
	struct net_addr a;
	char address[NET_ADDR_TEXT];
	struct err err = { "" };
	struct op *op = NULL;
	struct place *from = shell_place(c->s, c->io);
	if (net_addr_parse(text, &a) || !from)
		return text;
	struct lookup l = { .name = text, .tool = DNS_LIBC };
	const char *found = NULL;
	if (world_lookup(c->s->world, from, &l, &op, &err) == 0) {
		call_wait_op(c, op);
		const struct op_result *r = op_result(op);
		if (r->address_count)
			found = arena_strdup(c->arena, net_addr_text(&r->addresses[0], address));
	}
	op_free(op);
	return found;
}

/* One of the record types, as an operand. */
static bool is_type(const char *word)
{
	static const char *const types[] = { "A", "AAAA", "ANY", "AXFR", "CNAME", "MX", "NS", "PTR", "SOA",
					     "SRV", "TXT" };
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcasecmp(word, types[i]) == 0)
			return true;
	return false;
}

static int dig(struct call *c)
{
	struct lookup l = { .tool = DNS_DIG, .options = "" };
	for (int i = 1; i < c->argc; i++) {
		const char *w = c->argv[i];
		bool more = i + 1 < c->argc;
		if (*w == '@')
			l.server = w + 1;
		else if (*w == '+' || strcmp(w, "-4") == 0 || strcmp(w, "-6") == 0)
			l.options = joined(c, l.options, w);
		else if (strcmp(w, "-x") == 0 && more) {
			l.options = joined(c, l.options, "-x");
			l.name = c->argv[++i];
		} else if (strcmp(w, "-t") == 0 && more)
			l.type = c->argv[++i];
		else if (strcmp(w, "-q") == 0 && more)
			l.name = c->argv[++i];
		else if (strcmp(w, "-p") == 0 || strcmp(w, "-c") == 0)
			i++;
		else if (!l.type && l.name && is_type(w))
			l.type = w;
		else if (!l.name && is_type(w) && more)
			l.type = w;
		else if (strcasecmp(w, "IN") != 0 && *w != '-')
			l.name = w;
	}
	if (!l.name) {
		l.name = ".";
		l.type = "NS";
	}
	if (l.server) {
		const char *address = server_address(c, l.server);
		if (!address) {
			strbuf_printf(c->err, "dig: couldn't get address for '%s': not found\n", l.server);
			return 10;
		}
		l.server = address;
	}
	return ask(c, &l);
}

/* nslookup [-type=T] NAME [SERVER]; host [-t T] NAME [SERVER] */
static int name_and_server(struct call *c, enum dns_tool tool)
{
	struct lookup l = { .tool = tool, .options = "" };
	for (int i = 1; i < c->argc; i++) {
		const char *w = c->argv[i];
		if (*w == '-' && (w[1] == 't' || w[1] == 'W') && !w[2] && i + 1 < c->argc) {
			l.options = joined(c, l.options, w);
			l.options = joined(c, l.options, c->argv[++i]);
		} else if (*w == '-') {
			l.options = joined(c, l.options, w);
		} else if (!l.name) {
			l.name = w;
		} else {
			l.server = w;
		}
	}
	if (!l.name)
		return call_fail(c, 1, "expected NAME [SERVER]");
	if (l.server) {
		const char *address = server_address(c, l.server);
		if (!address && tool == DNS_NSLOOKUP) {
			strbuf_printf(c->out, "nslookup: couldn't get address for '%s': not found\n", l.server);
			return 1;
		}
		if (!address)
			return call_fail(c, 1, "couldn't get address for '%s': not found", l.server);
		l.server = address;
	}
	return ask(c, &l);
}

static int nslookup(struct call *c)
{
	return name_and_server(c, DNS_NSLOOKUP);
}

static int host(struct call *c)
{
	return name_and_server(c, DNS_HOST);
}

/* getent hosts|ahosts NAME */
static int getent(struct call *c)
{
	struct err err = { "" };
	struct op *op = NULL;
	char text[NET_ADDR_TEXT];
	struct place *from = shell_place(c->s, c->io);
	if (c->argc < 3 || !strstr(c->argv[1], "hosts"))
		return call_fail(c, 1, "expected hosts NAME");
	struct lookup l = { .name = c->argv[2], .tool = DNS_LIBC };
	if (!from || world_lookup(c->s->world, from, &l, &op, &err))
		return 2;
	call_wait_op(c, op);
	const struct op_result *r = op_result(op);
	const char *name = *r->canonical ? r->canonical : c->argv[2];
	for (uint32_t i = 0; i < r->address_count; i++)
		strbuf_printf(c->out, "%-15s %s\n", net_addr_text(&r->addresses[i], text), name);
	int status = r->address_count ? 0 : 2;
	op_free(op);
	return status;
}

const struct tool dns_tools[] = {
	{ "dig", dig, "[@SERVER] NAME [TYPE] [-x ADDRESS] [+short ...]" },
	{ "nslookup", nslookup, "[-type=TYPE] NAME [SERVER]" },
	{ "host", host, "[-t TYPE] NAME [SERVER]" },
	{ "getent", getent, "hosts NAME" },
	{ NULL, NULL, NULL },
};
