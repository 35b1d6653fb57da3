/* ipvs/kernel.c: see kernel.h. */
#include "dataplanes/ipvs/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "TCP  10.96.0.1:443 rr persistent 600 (mh-port)" */
static const char *read_service(struct kernel_servers *k, char *line, uint8_t family)
{
	char proto[8], address[NET_ADDR_TEXT + 8], scheduler[16];
	if (sscanf(line, "%7s %55s %15s", proto, address, scheduler) != 3)
		return NULL;
	if ((*address == '[') != (family == NET_V6))
		return NULL;
	const char *option = strcmp(proto, "UDP") == 0 ? "-u" :
			     strcmp(proto, "SCTP") == 0 ? "--sctp-service" : "-t";
	if (strcmp(proto, "TCP") != 0 && *option == '-' && option[1] == 't')
		return NULL;
	const char *persistent = strstr(line, " persistent ");
	char *key = arena_printf(k->memory, "%s %s", option, address);
	char *options = arena_printf(k->memory, "-s %s%s", scheduler,
				     strcmp(scheduler, "mh") == 0 ? " -b mh-port" : "");
	if (persistent)
		options = arena_printf(k->memory, "%s -p %d", options,
				       atoi(persistent + strlen(" persistent ")));
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
