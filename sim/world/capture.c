/* world/capture.c: packets at interfaces, written to files.
 *
 * One pcap an interface and all.pcapng, which has the interfaces' names, the names of
 * all places and Services by address, and what rules said of packets as comments.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "net/capture.h"
#include "world/tap.h"

struct interface_file {
	struct capture_writer *pcap;
	uint32_t number; /* in the pcapng */
};

struct capture_set {
	char *folder;
	struct arena *arena;
	struct capture_writer *all;
	struct table interfaces; /* name in the arena -> struct interface_file */
	int code;                /* first error; reported at the end */
	struct err err;
};

void tap_update(struct world *w)
{
	if (!w->executor || !w->row->executor->watch)
		return;
	bool wanted = w->capture || w->watches;
	w->row->executor->watch(w->executor, wanted ? world_tap : NULL, w);
}

/* "node/a:eth0" -> "FOLDER/node-a-eth0.pcap" */
static char *file_of(struct capture_set *s, const char *interface)
{
	char *path = arena_printf(s->arena, "%s/%s.pcap", s->folder, interface);
	for (char *p = path + strlen(s->folder) + 1; *p; p++)
		if (*p == '/' || *p == ':')
			*p = '-';
	return path;
}

static struct interface_file *interface_file(struct capture_set *s, const char *name)
{
	struct interface_file *f = table_find(&s->interfaces, name);
	if (f)
		return f;
	f = table_put(&s->interfaces, arena_strdup(s->arena, name), NULL);
	f->number = capture_interface(s->all, name);
	int code = capture_open_pcap(file_of(s, name), &f->pcap, &s->err);
	if (code) {
		s->code = code;
		f->pcap = NULL;
	}
	return f;
}

void capture_packet(struct capture_set *s, const char *interface, int direction, int64_t when_ns,
		    const struct packet *p)
{
	if (s->code)
		return;
	struct interface_file *f = interface_file(s, interface);
	if (f->pcap)
		capture_write(f->pcap, 0, when_ns, p->bytes, p->length, direction, NULL);
	capture_write(s->all, f->number, when_ns, p->bytes, p->length, direction, p->comment);
}

int world_capture_start(struct world *w, const char *folder, struct err *err)
{
	if (w->capture)
		return err_set(err, EALREADY, "a capture into %s is running", w->capture->folder);
	int code = file_make_folder(folder, err);
	if (code)
		return code;
	struct capture_set *s = mem_alloc(sizeof *s);
	s->arena = arena_new();
	s->folder = mem_strdup(folder);
	table_init(&s->interfaces, TABLE_STRING_KEYS, sizeof(struct interface_file));
	char *path = arena_printf(s->arena, "%s/all.pcapng", folder);
	char *note = arena_printf(s->arena, "dataplane %s, seed %llu", world_dataplane(w),
				  (unsigned long long)w->options.seed);
	code = capture_open_pcapng(path, "svclab " SVCLAB_VERSION, note, &s->all, err);
	if (code) {
		table_free(&s->interfaces);
		arena_free(s->arena);
		free(s->folder);
		free(s);
		return code;
	}
	w->capture = s;
	tap_update(w);
	return 0;
}

static void name_services(struct world *w, struct capture_set *s)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	while ((o = kube_store_next(w->store, KIND_SERVICE, NULL, &cursor)) != NULL) {
		const struct kube_service *v = (const void *)o;
		for (uint32_t i = 0; i < v->spec.cluster_ips.count; i++) {
			struct net_addr a;
			if (net_addr_parse(v->spec.cluster_ips.items[i], &a))
				capture_name(s->all, &a,
					     arena_printf(s->arena, "%s.%s.svc", o->meta.name,
							  o->meta.namespace));
		}
	}
}

static void name_places(struct world *w, struct capture_set *s)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&w->addresses, &i, &key, &value);)
		capture_name(s->all, key, (*(struct place **)value)->label);
}

int world_capture_end(struct world *w, struct err *err)
{
	struct capture_set *s = w->capture;
	void *value;
	if (!s)
		return 0;
	w->capture = NULL;
	tap_update(w);
	name_places(w, s);
	name_services(w, s);
	int code = s->code;
	if (code)
		err_set(err, code, "%s", s->err.text);
	for (uint32_t i = 0; table_next(&s->interfaces, &i, NULL, &value);) {
		struct interface_file *f = value;
		int closed = f->pcap ? capture_close(f->pcap, code ? NULL : err) : 0;
		code = code ? code : closed;
	}
	int closed = capture_close(s->all, code ? NULL : err);
	code = code ? code : closed;
	table_free(&s->interfaces);
	arena_free(s->arena);
	free(s->folder);
	free(s);
	return code;
}

void captures_free(struct world *w)
{
	struct err err = { "" };
	if (world_capture_end(w, &err) != 0)
		world_warn(w, "capture: %s", err.text);
	watches_free(w);
}
