/* tests/fuzz/ipset.c: any bytes as `ipset restore` lines. What was taken is printed, taken
 * again as printed, and printed the same; packets are looked up in every set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/ipset.h"
#include "net/craft.h"

#include "fuzz.h"

static char *saved(const struct ipset_table *t)
{
	struct strbuf out = { 0 };
	ipset_save(t, &out);
	return strbuf_steal(&out);
}

static void print_is_taken_again(const struct ipset_table *t)
{
	struct ipset_table *again = ipset_new(NULL);
	struct err err = { "" };
	char *once = saved(t);
	if (ipset_restore(again, once, strlen(once), "again", false, &err)) {
		fprintf(stderr, "%s\n%s\n", err.text, once);
		abort();
	}
	char *twice = saved(again);
	if (strcmp(once, twice) != 0) {
		fprintf(stderr, "%s\n---\n%s\n", once, twice);
		abort();
	}
	free(once);
	free(twice);
	ipset_free(again);
}

static void look_up(const struct ipset_table *t, const char *names)
{
	struct craft *craft = craft_new();
	struct craft_ip ip = { .src_port = 1000, .dst_port = 80 };
	net_addr_parse("10.0.0.1", &ip.src);
	net_addr_parse("10.0.0.2", &ip.dst);
	struct packet *p = craft_udp(craft, &ip, "x", 1);
	for (const char *line = names; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char name[64];
		if (sscanf(line, "create %63s", name) != 1)
			continue;
		const struct ipset *s = ipset_find(t, name);
		for (unsigned src = 0; s && src < 8; src++)
			ipset_match(s, p, src, 1000000000);
	}
	packet_free(p);
	craft_free(craft);
}

FUZZ_TARGET(bytes, length)
{
	struct ipset_table *t = ipset_new(NULL);
	struct strbuf out = { 0 };
	if (length)
		ipset_restore(t, (const char *)bytes + 1, length - 1, "fuzz", bytes[0] & 1, NULL);
	ipset_list(t, NULL, &out);
	strbuf_clear(&out);
	ipset_save(t, &out);
	look_up(t, strbuf_text(&out));
	print_is_taken_again(t);
	strbuf_free(&out);
	ipset_free(t);
}
