/* dns/dig.c: dig of BIND 9.18: one type, EDNS with a cookie, no search unless asked. */
#include "dns/bind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "9.18.49"

struct dig {
	struct bind bind;            /* first */
	struct dig_sections show;
	bool short_form, search, show_search;
	uint32_t ndots;
};

static void banner(struct resolver *r)
{
	const struct resolver_config *c = &r->config;
	struct strbuf *out = &r->result.out;
	strbuf_puts(out, "\n; <<>> DiG " VERSION " <<>>");
	if (c->server)
		strbuf_printf(out, " @%s", c->server);
	if (strstr(c->options, "-x"))
		strbuf_printf(out, " %s", c->options);
	strbuf_printf(out, " %s", c->name);
	if (c->type)
		strbuf_printf(out, " %s", c->type);
	if (c->options[0] && !strstr(c->options, "-x"))
		strbuf_printf(out, " %s", c->options);
	strbuf_putc(out, '\n');
	if (c->server)
		strbuf_puts(out, "; (1 server found)\n");
	strbuf_puts(out, ";; global options: +cmd\n");
}

static void show(struct resolver *r, struct asked *q)
{
	struct dig *d = r->state;
	if (d->show.cmd)
		banner(r);
	if (!d->short_form) {
		print_dig_message(r, q, &d->show, &r->result.out);
		return;
	}
	for (uint32_t i = 0; i < q->reply->answer.count; i++) {
		dns_rdata_text(&q->reply->answer.items[i], &r->result.out);
		strbuf_putc(&r->result.out, '\n');
	}
}

static void show_passed(struct resolver *r, struct asked *q)
{
	struct dig *d = r->state;
	if (d->show_search)
		show(r, q);
}

static void final(struct resolver *r, struct asked *q)
{
	struct dig *d = r->state;
	if (q) {
		resolver_take_answer(r, q->reply, DNS_A);
		resolver_take_answer(r, q->reply, DNS_AAAA);
		show(r, q);
	} else {
		if (d->show.cmd)
			banner(r);
		strbuf_puts(&r->result.out, ";; no servers could be reached\n");
		r->result.status = 9;
	}
	resolver_finish(r);
}

static void show_all(struct dig_sections *s, bool on)
{
	*s = (struct dig_sections){ on, on, on, on, on, on, s->cmd };
}

/* "+name" or "+noname". False: another option. */
static bool set_flag(const char *word, const char *name, bool *flag)
{
	bool no = strncmp(word, "no", 2) == 0 && strcmp(word + 2, name) == 0;
	if (!no && strcmp(word, name) != 0)
		return false;
	*flag = !no;
	return true;
}

static bool set_number(const char *word, const char *name, uint32_t *out)
{
	size_t length = strlen(name);
	char *end;
	if (strncmp(word, name, length) != 0 || word[length] != '=')
		return false;
	unsigned long value = strtoul(word + length + 1, &end, 10);
	*out = (uint32_t)value;
	return end != word + length + 1 && !*end && value <= 65535;
}

static bool plus_option(struct resolver *r, const char *w)
{
	struct dig *d = r->state;
	struct bind *b = &d->bind;
	bool recurse = true, ad = true, edns = true, all;
	uint32_t number;
	if (set_flag(w, "short", &d->short_form)) {
		d->show.cmd &= !d->short_form;
		return true;
	}
	if (set_flag(w, "all", &all)) {
		show_all(&d->show, all);
		d->show.cmd &= all;
		return true;
	}
	if (set_flag(w, "showsearch", &d->show_search)) {
		d->search |= d->show_search;
		return true;
	}
	if (set_flag(w, "recurse", &recurse) || set_flag(w, "rec", &recurse) ||
	    set_flag(w, "adflag", &ad)) {
		b->flags &= (uint16_t) ~((recurse ? 0 : DNS_RD) | (ad ? 0 : DNS_AD));
		return true;
	}
	if (set_flag(w, "edns", &edns)) {
		b->payload = edns ? 1232 : 0;
		return true;
	}
	if (set_number(w, "bufsize", &number)) {
		b->payload = (uint16_t)number;
		return true;
	}
	if (set_number(w, "time", &number) || set_number(w, "timeout", &number)) {
		b->timeout_ns = (number ? number : 1) * NS_PER_S;
		return true;
	}
	if (set_number(w, "retry", &number)) {
		b->tries = number + 1;
		return true;
	}
	return set_flag(w, "tcp", &b->always_stream) || set_flag(w, "vc", &b->always_stream) ||
	       set_flag(w, "search", &d->search) || set_flag(w, "cookie", &b->send_cookie) ||
	       set_flag(w, "comments", &d->show.comments) || set_flag(w, "cmd", &d->show.cmd) ||
	       set_flag(w, "question", &d->show.question) ||
	       set_flag(w, "answer", &d->show.answer) ||
	       set_flag(w, "authority", &d->show.authority) ||
	       set_flag(w, "additional", &d->show.additional) ||
	       set_flag(w, "stats", &d->show.stats) || set_number(w, "tries", &b->tries) ||
	       set_number(w, "ndots", &d->ndots);
}

static int read_options(struct resolver *r, struct err *err)
{
	char *copy = arena_strdup(r->arena, r->config.options), *save = NULL;
	for (const char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (strcmp(w, "-x") == 0 || strcmp(w, "-4") == 0)
			continue; /* an address is looked up by PTR as it is */
		if (w[0] != '+' || !plus_option(r, w + 1))
			return err_set(err, EINVAL, "dig: Invalid option: %s", w);
	}
	return 0;
}

static int prepare(struct resolver *r, struct err *err)
{
	struct dig *d = arena_alloc(r->arena, sizeof *d);
	r->state = d;
	d->bind = (struct bind){ .type = DNS_A, .flags = DNS_RD | DNS_AD, .payload = 1232,
				 .send_cookie = true, .tries = 3, .timeout_ns = 5 * NS_PER_S,
				 .final = final, .passed = show_passed };
	memcpy(d->bind.cookie, asker_cookie(r), 8);
	d->show.cmd = true;
	show_all(&d->show, true);
	d->ndots = r->conf.ndots;
	if (r->config.type && !dns_type_parse(r->config.type, &d->bind.type))
		return err_set(err, EINVAL, "dig: '%s' is no record type", r->config.type);
	int code = read_options(r, err);
	struct net_addr addr;
	bool address = net_addr_parse(r->config.name, &addr);
	bool reverse = strstr(r->config.options, "-x") != NULL;
	if (address && !reverse && !code) { /* dig 10.0.0.1 asks for that name */
		r->config.type = r->config.type ? r->config.type : "A";
	}
	return code ? code : bindtool_names(r, d->search, d->ndots, err);
}

const struct machine machine_dig = { prepare, bindtool_walk, bindtool_reply, bindtool_timeout,
				     bindtool_failed, bindtool_connected };
