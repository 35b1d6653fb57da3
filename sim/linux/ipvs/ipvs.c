/* linux/ipvs/ipvs.c: virtual and real servers. */
#include "linux/ipvs/ipvs.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/ipvs/internal.h"
#include "linux/netns.h"

struct ipvs *ipvs_new(struct netns *ns)
{
	struct ipvs *v = mem_alloc(sizeof *v);
	v->ns = ns;
	v->tcp_s = 900;
	v->fin_s = 120;
	v->udp_s = 300;
	table_init(&v->by_endpoint, sizeof(struct ipvs_endpoint), sizeof(struct ipvs_service *));
	table_init(&v->conns_in, sizeof(struct conn_key), sizeof(struct ipvs_conn *));
	table_init(&v->conns_out, sizeof(struct conn_key), sizeof(struct ipvs_conn *));
	return v;
}

int64_t ipvs_now(const struct ipvs *v)
{
	return v->ns ? engine_now(netns_env(v->ns)->engine) : 0;
}

int64_t ipvs_sysctl(const struct ipvs *v, const char *name)
{
	int64_t value = 0;
	if (v->ns)
		netns_sysctl_get(v->ns, name, &value);
	return value;
}

/* Templates last: connections count themselves off them. */
static void forget_connections(struct ipvs *v)
{
	void *value;
	for (int templates = 0; templates < 2; templates++)
		for (uint32_t i = 0; table_next(&v->conns_in, &i, NULL, &value);) {
			struct ipvs_conn *c = *(struct ipvs_conn **)value;
			if (c->in.is_template == templates)
				conn_free(c);
		}
}

void ipvs_reset_flows(struct ipvs *v)
{
	forget_connections(v);
	for (uint32_t i = 0; i < v->service_count; i++) {
		struct ipvs_service *s = v->services[i];
		s->stats = (struct ipvs_stats){ 0 };
		s->last = NULL;
		s->history_unknown = true;
		for (uint32_t k = 0; k < s->dest_count; k++)
			s->dests[k]->stats = (struct ipvs_stats){ 0 };
		if (s->scheduler->changed)
			s->scheduler->changed(s, NULL);
	}
}

uint64_t ipvs_probes(const struct ipvs *v)
{
	return v->probes;
}

void ipvs_free(struct ipvs *v)
{
	if (!v)
		return;
	ipvs_unhook(v);
	forget_connections(v);
	ipvs_clear(v);
	for (uint32_t i = 0; i < v->trash_count; i++)
		free(v->trash[i]);
	free(v->trash);
	free(v->services);
	table_free(&v->by_endpoint);
	table_free(&v->conns_in);
	table_free(&v->conns_out);
	free(v);
}

struct ipvs_service *ipvs_service(const struct ipvs *v, const struct ipvs_endpoint *at)
{
	struct ipvs_service **found = table_find(&v->by_endpoint, at);
	return found ? *found : NULL;
}

struct ipvs_service *ipvs_service_add(struct ipvs *v, const struct ipvs_service *like)
{
	struct ipvs_service *s = mem_alloc(sizeof *s);
	*s = *like;
	table_init(&s->caches, sizeof(struct net_addr), sizeof(struct ipvs_cache));
	v->services = mem_grow(v->services, v->service_count, v->service_count + 1u, sizeof *v->services);
	v->services[v->service_count++] = s;
	*(struct ipvs_service **)table_put(&v->by_endpoint, &s->at, NULL) = s;
	if (s->scheduler->changed)
		s->scheduler->changed(s, NULL);
	ipvs_hook(v);
	return s;
}

/* Servers of a removed service go to the trash while connections need them. */
static void trash(struct ipvs *v, struct ipvs_dest *d)
{
	d->available = false;
	d->service = NULL;
	if (!d->references) {
		free(d);
		return;
	}
	v->trash = mem_grow(v->trash, v->trash_count, v->trash_count + 1u, sizeof *v->trash);
	v->trash[v->trash_count++] = d;
}

void ipvs_dest_drop(struct ipvs *v, struct ipvs_dest *d)
{
	if (--d->references || d->service)
		return;
	for (uint32_t i = 0; i < v->trash_count; i++)
		if (v->trash[i] == d) {
			v->trash[i] = v->trash[--v->trash_count];
			break;
		}
	free(d);
}

static void service_free(struct ipvs_service *s)
{
	lblc_free(s);
	free(s->hash);
	free(s->dests);
	free(s);
}

void ipvs_service_remove(struct ipvs *v, struct ipvs_service *s)
{
	uint32_t i = 0;
	while (v->services[i] != s)
		i++;
	memmove(&v->services[i], &v->services[i + 1], (v->service_count - i - 1) * sizeof *v->services);
	v->service_count--;
	table_remove(&v->by_endpoint, &s->at);
	for (uint32_t k = 0; k < s->dest_count; k++)
		trash(v, s->dests[k]);
	service_free(s);
}

void ipvs_clear(struct ipvs *v)
{
	while (v->service_count)
		ipvs_service_remove(v, v->services[v->service_count - 1]);
}

struct ipvs_dest *ipvs_dest(const struct ipvs_service *s, const struct net_addr *addr, uint16_t port)
{
	for (uint32_t i = 0; i < s->dest_count; i++)
		if (s->dests[i]->at.port == port && net_addr_equal(&s->dests[i]->at.addr, addr))
			return s->dests[i];
	return NULL;
}

static void settle(struct ipvs_dest *d, const struct ipvs_dest *like, bool added)
{
	d->forward = like->forward;
	d->weight = like->weight;
	if (!like->upper || like->upper > d->upper) /* set again by the next connection */
		d->overload = false;
	d->upper = like->upper;
	d->lower = like->lower;
	if (added || like->weight)
		d->last_weight = like->weight;
}

/* The same server of the same protocol that waits in the trash, taken out. */
static struct ipvs_dest *from_trash(struct ipvs *v, const struct ipvs_dest *like)
{
	for (uint32_t i = 0; i < v->trash_count; i++) {
		struct ipvs_dest *d = v->trash[i];
		if (memcmp(&d->at, &like->at, sizeof d->at) != 0)
			continue;
		v->trash[i] = v->trash[--v->trash_count];
		return d;
	}
	return NULL;
}

void ipvs_dest_add(struct ipvs *v, struct ipvs_service *s, const struct ipvs_dest *like)
{
	struct ipvs_dest *d = from_trash(v, like);
	if (!d) {
		d = mem_alloc(sizeof *d);
		d->at = like->at;
	}
	d->service = s;
	d->available = true;
	settle(d, like, true);
	s->dests = mem_grow(s->dests, s->dest_count, s->dest_count + 1u, sizeof *s->dests);
	memmove(s->dests + 1, s->dests, s->dest_count * sizeof *s->dests);
	s->dests[0] = d;
	s->dest_count++;
	if (s->scheduler->changed)
		s->scheduler->changed(s, NULL);
}

void ipvs_dest_edit(struct ipvs_service *s, struct ipvs_dest *d, const struct ipvs_dest *like)
{
	settle(d, like, false);
	if (s->scheduler->changed)
		s->scheduler->changed(s, NULL);
}

void ipvs_dest_remove(struct ipvs *v, struct ipvs_dest *d)
{
	struct ipvs_service *s = d->service;
	uint32_t i = 0;
	while (s->dests[i] != d)
		i++;
	if (s->last == d) /* rr goes on behind it */
		s->last = i ? s->dests[i - 1] : NULL;
	memmove(&s->dests[i], &s->dests[i + 1], (s->dest_count - i - 1) * sizeof *s->dests);
	s->dest_count--;
	if (s->scheduler->changed)
		s->scheduler->changed(s, d);
	trash(v, d);
}
