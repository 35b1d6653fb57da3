/* kube/control/events.c: Events, folded when they repeat.
 *
 * Equal events of one object (type, reason, message, component) are one Event with a
 * count, as client-go's correlator makes them. When EVENT_LIMIT events are there, those
 * of an hour ago go (the API server's --event-ttl); while none is that old, Normal
 * events are refused (the EventRateLimit plugin would), so that a cluster of 150,000
 * pods is not buried in them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/strbuf.h"
#include "kube/control/internal.h"
#include "kube/schema.h"

#define EVENT_LIMIT 20000u
#define EVENT_TTL (3600 * NS_PER_S)
#define EXPIRE_EVERY (60 * NS_PER_S)

struct event_key {
	char *text; /* the table's key */
	char *namespace, *name;
	int64_t last_ns;
};

static void key_free(struct control *c, struct event_key *k)
{
	table_remove(&c->event_keys, k->text);
	free(k->text);
	free(k->namespace);
	free(k->name);
	free(k);
	c->event_count--;
}

/* Makes room by age, once a minute; false when nothing is old enough. */
static bool expire(struct control *c)
{
	int64_t limit = control_now(c) - EVENT_TTL;
	bool any = false;
	void *value;
	if (control_now(c) < c->event_expiry_ns)
		return false;
	c->event_expiry_ns = control_now(c) + EXPIRE_EVERY;
	for (uint32_t i = 0; table_next(&c->event_keys, &i, NULL, &value);) {
		struct event_key *k = *(struct event_key **)value;
		if (k->last_ns > limit)
			continue;
		kube_store_delete(c->store, KIND_EVENT, k->namespace, k->name, NULL);
		key_free(c, k);
		any = true;
	}
	return any;
}

/* Counts an event that is there; false when it isn't. */
static bool fold(struct control *c, struct event_key *k)
{
	const struct kube_object *o =
		kube_store_get(c->store, KIND_EVENT, k->namespace, k->name);
	if (!o)
		return false;
	struct kube_event *e = (struct kube_event *)kube_copy(o);
	e->count++;
	e->last_ns = k->last_ns = control_now(c);
	kube_store_update(c->store, &e->object, false, NULL);
	return true;
}

static void event_new(struct control *c, const struct kube_object *about, bool warning,
		      const char *reason, const char *component, const char *message, char *key)
{
	struct kube_event *e = (struct kube_event *)kube_new(KIND_EVENT);
	struct kube_object *o = &e->object;
	char name[320];
	/* Events of cluster-scoped objects live in the default namespace. */
	const char *namespace = text_or(about->meta.namespace, "default");
	snprintf(name, sizeof name, "%.253s.%016llx", about->meta.name,
		 (unsigned long long)(0x187a3b2c00000000u + (uint64_t)control_now(c)) +
			 kube_store_version(c->store));
	o->meta.name = kube_string(o, name);
	o->meta.namespace = kube_string(o, namespace);
	e->involved = (struct kube_object_ref){
		.kind = kube_schema(about->kind)->name,
		.namespace = about->meta.namespace ? kube_string(o, about->meta.namespace) : NULL,
		.name = kube_string(o, about->meta.name),
		.uid = about->meta.uid ? kube_string(o, about->meta.uid) : NULL,
	};
	e->type = warning ? "Warning" : "Normal";
	e->reason = kube_string(o, reason);
	e->component = kube_string(o, component);
	e->message = kube_string(o, message);
	e->first_ns = e->last_ns = control_now(c);
	e->count = 1;
	struct event_key *k = mem_alloc(sizeof *k);
	k->text = key;
	k->namespace = mem_strdup(namespace);
	k->name = mem_strdup(name);
	k->last_ns = e->last_ns;
	if (kube_store_create(c->store, o, NULL) == 0) {
		*(struct event_key **)table_put(&c->event_keys, k->text, NULL) = k;
		c->event_count++;
		return;
	}
	free(k->text);
	free(k->namespace);
	free(k->name);
	free(k);
}

void control_event(struct control *c, const struct kube_object *about, bool warning,
		   const char *reason, const char *component, const char *fmt, ...)
{
	if (!c->engine)
		return; /* a snapshot has no history */
	if (c->event_count >= EVENT_LIMIT && !expire(c) && !warning)
		return;
	struct strbuf message = { 0 }, key = { 0 };
	va_list ap;
	va_start(ap, fmt);
	strbuf_vprintf(&message, fmt, ap);
	va_end(ap);
	strbuf_printf(&key, "%s/%s/%d/%s/%s/%s", kube_schema(about->kind)->name,
		      text_or(about->meta.uid, about->meta.name), warning, reason, component,
		      strbuf_text(&message));
	struct event_key **found = table_find(&c->event_keys, strbuf_text(&key));
	if (found && !fold(c, *found)) {
		key_free(c, *found);
		found = NULL;
	}
	if (!found)
		event_new(c, about, warning, reason, component, strbuf_text(&message),
			  strbuf_steal(&key));
	if (c->host.note && warning) {
		struct strbuf line = { 0 };
		strbuf_printf(&line, "%s %s/%s: %s", reason, kube_schema(about->kind)->name,
			      about->meta.name, strbuf_text(&message));
		c->host.note(c->host.ctx, strbuf_text(&line));
		strbuf_free(&line);
	}
	strbuf_free(&message);
	strbuf_free(&key);
}

void events_free(struct control *c)
{
	void *value;
	for (uint32_t i = 0; table_next(&c->event_keys, &i, NULL, &value);)
		key_free(c, *(struct event_key **)value);
	table_free(&c->event_keys);
}
