/* kube/store_watch.c: who is told of a write, and when. */
#include <stdlib.h>

#include "kube/store_internal.h"

struct notice {
	struct notice *previous, *next;
	struct kube_store *store;
	struct event_id event;
	uint32_t watch;
	enum kube_change change;
	struct kube_object *old, *now;
};

uint32_t kube_watch(struct kube_store *s, enum kube_kind kind, int64_t delay_ns,
		    kube_watch_fn *fn, void *ctx)
{
	if (s->watch_count == s->watch_capacity) {
		uint32_t want = s->watch_capacity ? s->watch_capacity * 2 : 8;
		s->watches = mem_grow(s->watches, s->watch_capacity, want, sizeof *s->watches);
		s->watch_capacity = want;
	}
	uint32_t number = s->next_watch++;
	s->watches[s->watch_count++] = (struct watch){ number, kind, delay_ns, fn, ctx };
	return number;
}

static struct watch *find(struct kube_store *s, uint32_t number)
{
	for (uint32_t i = 0; i < s->watch_count; i++)
		if (s->watches[i].number == number)
			return &s->watches[i];
	return NULL;
}

void kube_unwatch(struct kube_store *s, uint32_t number)
{
	struct watch *w = number ? find(s, number) : NULL;
	if (w)
		w->number = 0; /* a write may be walking the array: the place stays */
}

static void notice_free(struct notice *n)
{
	if (n->next)
		n->next->previous = n->previous;
	if (n->previous)
		n->previous->next = n->next;
	else
		n->store->notices = n->next;
	kube_unref(n->old);
	kube_unref(n->now);
	free(n);
}

static void deliver(void *ctx)
{
	struct notice *n = ctx;
	const struct watch *w = find(n->store, n->watch);
	if (w)
		w->fn(w->ctx, n->change, n->old, n->now);
	notice_free(n);
}

static void postpone(struct kube_store *s, const struct watch *w, enum kube_change change,
		     const struct kube_object *old, const struct kube_object *now)
{
	struct notice *n = mem_alloc(sizeof *n);
	n->store = s;
	n->watch = w->number;
	n->change = change;
	n->old = old ? kube_ref(old) : NULL;
	n->now = now ? kube_ref(now) : NULL;
	n->next = s->notices;
	if (n->next)
		n->next->previous = n;
	s->notices = n;
	n->event = engine_after(s->engine, w->delay_ns, deliver, n);
}

void store_tell(struct kube_store *s, enum kube_change change, const struct kube_object *old,
		const struct kube_object *now)
{
	enum kube_kind kind = now ? now->kind : old->kind;
	uint32_t count = s->watch_count; /* those that register meanwhile are not told */
	for (uint32_t i = 0; i < count; i++) {
		struct watch w = s->watches[i];
		if (!w.number || (w.kind != KIND_NONE && w.kind != kind))
			continue;
		if (s->engine && w.delay_ns > 0)
			postpone(s, &w, change, old, now);
		else
			w.fn(w.ctx, change, old, now);
	}
}

void store_watch_free(struct kube_store *s)
{
	while (s->notices) {
		engine_cancel(s->engine, &s->notices->event);
		notice_free(s->notices);
	}
	free(s->watches);
}
