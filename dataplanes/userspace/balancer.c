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

static void shuffle(struct sock_name *list, uint32_t count, struct choice *choice)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t k = (uint32_t)choice_uniform(choice, "backend", i);
		struct sock_name swap = list[i - 1];
		list[i - 1] = list[k];
		list[k] = swap;
	}
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
	if (choice)
		shuffle(list, count, choice);
	free(b->endpoints);
	b->endpoints = list;
	b->count = count;
	b->next = 0;
}

void balancer_forget(struct balancer *b)
{
	table_clear(&b->clients);
	b->next = 0;
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
	*out = b->endpoints[b->next];
	b->next = (b->next + 1) % b->count;
	if (b->affinity) {
		known = table_put(&b->clients, client, NULL);
		*known = (struct client){ *out, now_ns };
	}
	return true;
}
