/* world/watch.c: packets at interfaces, kept in memory for those who ask. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "world/tap.h"

#define SNAPLEN 65535

struct watch_tap {
	struct world *world;
	struct watch_tap *next, **back;
	char *where;                 /* a place, an interface, or "*" */
	struct arena *arena;         /* names */
	struct tap_record *records;
	uint32_t count, capacity;
};

/* "pod/x" is short for "pod/default/x". */
static char *full_where(const char *where)
{
	struct strbuf s = { 0 };
	if (strncmp(where, "pod/", 4) == 0 && !strchr(where + 4, '/'))
		strbuf_printf(&s, "pod/default/%s", where + 4);
	else
		strbuf_puts(&s, where);
	return strbuf_steal(&s);
}

static bool seen_at(const char *where, const char *place, const char *interface)
{
	return strcmp(where, "*") == 0 || strcmp(where, place) == 0 || strcmp(where, interface) == 0;
}

static void keep(struct watch_tap *t, const char *place, const char *interface, int direction,
		 int64_t when_ns, const struct packet *p)
{
	if (t->count == t->capacity) {
		uint32_t want = t->capacity ? t->capacity * 2 : 64;
		t->records = mem_grow(t->records, t->capacity, want, sizeof *t->records);
		t->capacity = want;
	}
	const struct tap_record *last = t->count ? &t->records[t->count - 1] : NULL;
	bool same = last && strcmp(last->interface, interface) == 0;
	struct packet *copy = packet_copy(p);
	copy->ct = NULL; /* what was borrowed does not live as long as the watch */
	copy->ipvs = NULL;
	copy->owner_sock = NULL;
	copy->trace = NULL;
	t->records[t->count++] = (struct tap_record){
		.when_ns = when_ns, .direction = direction, .packet = copy,
		.place = same ? last->place : arena_strdup(t->arena, place),
		.interface = same ? last->interface : arena_strdup(t->arena, interface),
	};
}

void world_tap(void *ctx, const char *place, const char *interface, int direction, int64_t when_ns,
	       const struct packet *p)
{
	struct world *w = ctx;
	if (w->capture)
		capture_packet(w->capture, interface, direction, when_ns, p);
	for (struct watch_tap *t = w->watches; t; t = t->next)
		if (seen_at(t->where, place, interface))
			keep(t, place, interface, direction, when_ns, p);
}

int world_watch(struct world *w, const char *where, struct watch_tap **out, struct err *err)
{
	int code = network_up(w, err);
	if (code)
		return code;
	struct watch_tap *t = mem_alloc(sizeof *t);
	t->world = w;
	t->where = full_where(where);
	t->arena = arena_new();
	t->next = w->watches;
	t->back = &w->watches;
	if (t->next)
		t->next->back = &t->next;
	w->watches = t;
	tap_update(w);
	*out = t;
	return 0;
}

int watch_count_at(const struct watch_tap *t, const char *where, int64_t since_ns,
		   const char *filter, uint32_t *count, struct err *err)
{
	struct bpf_program program;
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, SNAPLEN);
	if (!dead)
		return err_set(err, ENOMEM, "libpcap gives no handle");
	if (pcap_compile(dead, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		int code = err_set(err, EINVAL, "filter \"%s\": %s", filter, pcap_geterr(dead));
		pcap_close(dead);
		return code;
	}
	char *at = full_where(where);
	*count = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct tap_record *r = &t->records[i];
		struct pcap_pkthdr header = { .caplen = r->packet->length,
					      .len = r->packet->length };
		if (r->when_ns >= since_ns && seen_at(at, r->place, r->interface) &&
		    pcap_offline_filter(&program, &header, r->packet->bytes) != 0)
			++*count;
	}
	free(at);
	pcap_freecode(&program);
	pcap_close(dead);
	return 0;
}

int watch_count(const struct watch_tap *t, const char *filter, uint32_t *count, struct err *err)
{
	return watch_count_at(t, "*", INT64_MIN, filter, count, err);
}

uint32_t watch_packets(const struct watch_tap *t, const struct tap_record **out)
{
	*out = t->records;
	return t->count;
}

void watch_free(struct watch_tap *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->count; i++)
		packet_free(t->records[i].packet);
	*t->back = t->next;
	if (t->next)
		t->next->back = t->back;
	tap_update(t->world);
	free(t->records);
	free(t->where);
	arena_free(t->arena);
	free(t);
}

void watches_free(struct world *w)
{
	while (w->watches)
		watch_free(w->watches);
}
