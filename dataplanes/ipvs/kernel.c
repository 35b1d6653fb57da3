/* ipvs/kernel.c: see kernel.h. */
#include "dataplanes/ipvs/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "mh (mh-port) persistent 600 ops" as `ipvsadm -S` writes it, in kube-proxy's order. */
static char *read_options(struct kernel_servers *k, const char *flags)
{
	char scheduler[16], bits[48];
	const char *persistent = strstr(flags, " persistent "), *open = strchr(flags, '(');
	if (sscanf(flags, "%15s", scheduler) != 1)
		return NULL;
	char *options = arena_printf(k->memory, "-s %s", scheduler);
	if (open && sscanf(open, "(%47[^)]", bits) == 1)
		options = arena_printf(k->memory, "%s -b %s", options, bits);
	if (persistent)
		options = arena_printf(k->memory, "%s -p %d", options,
				       atoi(persistent + strlen(" persistent ")));
	return strstr(flags, " ops") ? arena_printf(k->memory, "%s -o", options) : options;
}

/* "TCP  10.96.0.1:443 rr persistent 600" */
static const char *read_service(struct kernel_servers *k, char *line, uint8_t family)
{
	char proto[8], address[NET_ADDR_TEXT + 8];
	int flags = 0;
	if (sscanf(line, "%7s %55s %n", proto, address, &flags) != 2 || !flags)
		return NULL;
	if ((*address == '[') != (family == NET_V6))
		return NULL;
	const char *option = strcmp(proto, "UDP") == 0 ? "-u" :
			     strcmp(proto, "SCTP") == 0 ? "--sctp-service" : "-t";
	if (strcmp(proto, "TCP") != 0 && *option == '-' && option[1] == 't')
		return NULL;
	char *options = read_options(k, line + flags);
	if (!options)
		return NULL;
	char *key = arena_printf(k->memory, "%s %s", option, address);
	*(char **)table_put(&k->servers, key, NULL) = options;
	return key;
}

/* "  -> 10.0.0.1:6443               Masq    1      0          0" */
static void read_real(struct kernel_servers *k, const char *line, const char *service)
{
	char address[NET_ADDR_TEXT + 8], forward[16];
	unsigned weight, active, inactive;
	if (!service || sscanf(line, " -> %55s %15s %u %u %u", address, forward, &weight, &active,
			       &inactive) != 5)
		return;
	char *key = arena_printf(k->memory, "%s %s", service, address);
	struct kernel_real *r = table_put(&k->reals, key, NULL);
	r->weight = weight;
	r->connections = (uint64_t)active + inactive;
	r->service = service;
	r->real = key + strlen(service) + 1;
}

bool kernel_servers_read(struct kernel_servers *k, const struct proxy_view *view, uint8_t family)
{
	struct strbuf text = { 0 };
	const char *service = NULL;
	char *save = NULL;
	*k = (struct kernel_servers){ .memory = arena_new() };
	table_init(&k->servers, TABLE_STRING_KEYS, sizeof(char *));
	table_init(&k->reals, TABLE_STRING_KEYS, sizeof(struct kernel_real));
	if (!view->read || view->read(view->read_ctx, DUMP_IPVSADM, NULL, &text, NULL) != 0) {
		strbuf_free(&text);
		return false;
	}
	for (char *line = text.data ? strtok_r(text.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "  ->", 4) == 0)
			read_real(k, line, service);
		else
			service = read_service(k, line, family);
	}
	strbuf_free(&text);
	return true;
}

void kernel_servers_free(struct kernel_servers *k)
{
	table_free(&k->servers);
	table_free(&k->reals);
	arena_free(k->memory);
}

const struct kernel_real *kernel_real(const struct kernel_servers *k, const char *service,
				      const char *real)
{
	char key[2 * NET_ADDR_TEXT + 48];
	snprintf(key, sizeof key, "%s %s", service, real);
	return table_find(&k->reals, key);
}

void kernel_servers_take(const struct kernel_servers *k, struct ipvs_state *s)
{
	const void *key;
	void *value;
	struct virtual_server *v;
	table_clear(&s->servers);
	for (uint32_t i = 0; table_next(&k->servers, &i, &key, &value);) {
		v = table_put(&s->servers, key, NULL);
		v->options = *(char **)value;
		v->streams = strncmp(key, "-t ", 3) == 0;
	}
	/* First how many each has, then which. */
	for (unsigned fill = 0; fill < 2; fill++) {
		for (uint32_t i = 0; fill && table_next(&s->servers, &i, NULL, &value);) {
			v = value;
			v->reals = arena_array(s->memory, v->real_count + 1, sizeof *v->reals);
			v->real_count = 0;
		}
		for (uint32_t i = 0; table_next(&k->reals, &i, NULL, &value);) {
			const struct kernel_real *r = value;
			v = table_find(&s->servers, r->service);
			if (fill)
				v->reals[v->real_count] = r->real;
			v->real_count++;
		}
	}
}

/* Which of kube-proxy's sets a name is; SET_COUNT: none. */
static unsigned set_of_name(const char *name, uint8_t family)
{
	char ours[IPVS_SET_NAME];
	unsigned s = 0;
	while (s < SET_COUNT && strcmp(ipvs_set_name(s, family, ours), name) != 0)
		s++;
	return s;
}

/* Lines "create NAME ..." and "add NAME MEMBER". */
void kernel_members_take(struct ipvs_state *s, const struct proxy_view *view, uint8_t family)
{
	struct strbuf text = { 0 };
	char name[IPVS_SET_NAME], member[2 * NET_ADDR_TEXT + 32], last[IPVS_SET_NAME] = "";
	unsigned set = SET_COUNT;
	char *save = NULL;
	if (view->read(view->read_ctx, DUMP_IPSET, NULL, &text, NULL) != 0) {
		strbuf_free(&text);
		return;
	}
	for (unsigned i = 0; i < SET_COUNT; i++)
		table_clear(&s->members[i]);
	for (char *line = text.data ? strtok_r(text.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "add %39s %123s", name, member) != 2)
			continue;
		if (strcmp(name, last) != 0)
			set = set_of_name(name, family);
		snprintf(last, sizeof last, "%s", name);
		if (set < SET_COUNT)
			table_put(&s->members[set], arena_strdup(s->memory, member), NULL);
	}
	strbuf_free(&text);
}

/* Lines "7: kube-ipvs0    inet 10.96.0.1/32 scope global kube-ipvs0". */
void kernel_addresses_take(struct ipvs_state *s, const struct proxy_view *view, uint8_t family,
			   const char *device)
{
	struct strbuf text = { 0 };
	char name[16], kind[8], address[NET_ADDR_TEXT];
	const char *wanted = family == NET_V6 ? "inet6" : "inet";
	char *save = NULL;
	if (view->read(view->read_ctx, DUMP_ADDR, NULL, &text, NULL) != 0) {
		strbuf_free(&text);
		return;
	}
	table_clear(&s->addresses);
	for (char *line = text.data ? strtok_r(text.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%*s %15s %7s %45[^/ ]", name, kind, address) == 3 &&
		    strcmp(name, device) == 0 && strcmp(kind, wanted) == 0 &&
		    strncmp(address, "fe80:", 5) != 0)
			table_put(&s->addresses, arena_strdup(s->memory, address), NULL);
	strbuf_free(&text);
}
