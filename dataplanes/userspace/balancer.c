/* userspace/balancer.c: see balancer.h. */
#include "dataplanes/userspace/balancer.h"

#include <stdlib.h>
#include <string.h>

struct client {
	struct sock_name endpoint;
	int64_t used_ns;
};

void balancer_init(struct balancer *b)
{
	*b = (struct balancer){ 0 };
	table_init(&b->clients, sizeof(struct net_addr), sizeof(struct client));
}

void balancer_free(struct balancer *b)
{
	free(b->endpoints);
	free(b->turns);
	table_free(&b->clients);
}

static bool same_name(const struct sock_name *a, const struct sock_name *b)
{
	return a->port == b->port && net_addr_equal(&a->addr, &b->addr);
}

static bool has(const struct sock_name *list, uint32_t count, const struct sock_name *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (same_name(&list[i], name))
			return true;
	return false;
}

static void forget_clients_of_lost(struct balancer *b, const struct sock_name *now, uint32_t count)
{
	const void *key;
	void *value;
	for (uint32_t i = 0; table_next(&b->clients, &i, &key, &value);)
		if (!has(now, count, &((struct client *)value)->endpoint))
			table_remove(&b->clients, key);
}

/* The round begins anew, in an order that is not drawn yet. */
static void begin_round(struct balancer *b)
{
	b->next = b->drawn = 0;
	for (uint32_t i = 0; i < b->count; i++)
		b->turns[i] = i;
}

void balancer_update(struct balancer *b, const struct service_port *p, struct choice *choice)
{
	struct sock_name *list = mem_array(p->endpoint_count, sizeof *list);
	uint32_t count = 0, same = 0;
	for (uint32_t i = 0; i < p->endpoint_count; i++) {
		struct sock_name name = { p->endpoints[i].addr, p->endpoints[i].port };
		if (p->endpoints[i].ready && !has(list, count, &name))
			list[count++] = name;
	}
	for (uint32_t i = 0; i < count; i++)
		same += has(b->endpoints, b->count, &list[i]);
	b->affinity = p->affinity;
	b->timeout_ns = p->affinity_seconds * NS_PER_S;
	if (same == count && count == b->count) {
		free(list);
		return;
	}
	forget_clients_of_lost(b, list, count);
	free(b->endpoints);
	free(b->turns);
	b->endpoints = list;
	b->turns = mem_array(count, sizeof *b->turns);
	b->count = count;
	b->choice = choice;
	begin_round(b);
}

void balancer_forget(struct balancer *b)
{
	table_clear(&b->clients);
	begin_round(b);
}

static const struct sock_name *take_turn(struct balancer *b)
{
	if (b->next == b->drawn) {
		uint32_t left = b->count - b->next, *turn = &b->turns[b->next];
		uint32_t *drawn = turn + (b->choice ? choice_uniform(b->choice, "backend", left) : 0);
		uint32_t swap = *turn;
		*turn = *drawn;
		*drawn = swap;
		b->drawn++;
	}
	const struct sock_name *e = &b->endpoints[b->turns[b->next]];
	b->next = (b->next + 1) % b->count;
	return e;
}

bool balancer_next(struct balancer *b, const struct net_addr *client, bool reset, int64_t now_ns,
		   struct sock_name *out)
{
	if (!b->count)
		return false;
	struct client *known = b->affinity ? table_find(&b->clients, client) : NULL;
	/* Go compares whole seconds. */
	if (known && !reset &&
	    (now_ns - known->used_ns) / NS_PER_S < b->timeout_ns / NS_PER_S) {
		known->used_ns = now_ns;
		*out = known->endpoint;
		return true;
	}
	*out = *take_turn(b);
	if (b->affinity) {
		known = table_put(&b->clients, client, NULL);
		*known = (struct client){ *out, now_ns };
	}
	return true;
}
