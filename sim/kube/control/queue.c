/* kube/control/queue.c: keys with one pending engine event each. */
#include "kube/control/queue.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

struct work_item {
	struct work_queue *queue;
	struct event_id event;
	int64_t due_ns;
	bool busy, admitted; /* admitted: it has its place among the workers */
	size_t namespace_length;
	char key[]; /* "namespace/name" */
};

void queue_init(struct work_queue *q, struct control *c, struct engine *engine,
		int64_t cost_ns, queue_sync_fn *sync)
{
	memset(q, 0, sizeof *q);
	q->cost_ns = cost_ns;
	q->control = c;
	q->engine = engine;
	q->sync = sync;
	table_init(&q->items, TABLE_STRING_KEYS, sizeof(struct work_item *));
}

static void item_drop(struct work_item *item)
{
	struct work_queue *q = item->queue;
	engine_cancel(q->engine, &item->event);
	table_remove(&q->items, item->key);
	q->busy -= item->busy;
	free(item);
}

void queue_clear(struct work_queue *q)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&q->items, &i, &key, &value);)
		item_drop(*(struct work_item **)value);
}

void queue_free(struct work_queue *q)
{
	queue_clear(q);
	table_free(&q->items);
}

static void item_run(void *ctx)
{
	struct work_item *item = ctx;
	struct work_queue *q = item->queue;
	int64_t now = engine_now(q->engine);
	if (!item->admitted) {
		int64_t begin = q->free_ns > now ? q->free_ns : now;
		q->free_ns = begin + q->cost_ns;
		item->admitted = true;
		if (begin > now) {
			item->due_ns = begin;
			item->event = engine_at(q->engine, begin, item_run, item);
			return;
		}
	}
	table_remove(&q->items, item->key);
	q->busy -= item->busy;
	item->key[item->namespace_length] = '\0';
	q->sync(q->control, item->key, item->key + item->namespace_length + 1);
	free(item);
}

static struct work_item *item_find(const struct work_queue *q, const char *namespace,
				   const char *name, char *buffer, size_t size)
{
	size_t a = strlen(namespace), b = strlen(name);
	if (a + b + 2 > size)
		return NULL; /* no API object has such a name */
	memcpy(buffer, namespace, a);
	buffer[a] = '/';
	memcpy(buffer + a + 1, name, b + 1);
	struct work_item **found = table_find(&q->items, buffer);
	return found ? *found : NULL;
}

static void item_schedule(struct work_item *item, int64_t delay_ns)
{
	struct work_queue *q = item->queue;
	engine_cancel(q->engine, &item->event);
	q->busy -= item->busy;
	item->busy = delay_ns <= QUEUE_FAR;
	q->busy += item->busy;
	item->due_ns = engine_now(q->engine) + delay_ns;
	item->event = engine_after(q->engine, delay_ns, item_run, item);
}

#define KEY_BYTES 512

void queue_add(struct work_queue *q, const char *namespace, const char *name, int64_t delay_ns)
{
	char key[KEY_BYTES];
	if (!q->engine)
		return; /* a snapshot: the caller syncs what it wants by itself */
	if (!namespace)
		namespace = "";
	struct work_item *item = item_find(q, namespace, name, key, sizeof key);
	if (item) {
		if (!item->admitted && engine_now(q->engine) + delay_ns < item->due_ns)
			item_schedule(item, delay_ns);
		return;
	}
	size_t length = strlen(namespace) + 1 + strlen(name);
	if (length >= sizeof key)
		return;
	item = mem_alloc(sizeof *item + length + 1);
	item->queue = q;
	item->namespace_length = strlen(namespace);
	memcpy(item->key, key, length + 1);
	*(struct work_item **)table_put(&q->items, item->key, NULL) = item;
	item_schedule(item, delay_ns);
}

bool queue_has(const struct work_queue *q, const char *namespace, const char *name)
{
	char key[KEY_BYTES];
	return item_find(q, namespace ? namespace : "", name, key, sizeof key) != NULL;
}
