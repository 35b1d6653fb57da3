/* tests/bench/sharing.c: many nodes' kube-proxies over one store.
 *
 * First what one change of an endpoint costs the first node that plans, for 100, 1,000 and
 * 10,000 Services and two modes: allocations that stay (new joints, blocks, the Service
 * itself), all allocations, pieces of the plan, and time. Then every node plans a full sync; an endpoint of
 * one Service goes and every node plans again, twice: what a node costs beside what all
 * share, in processor time and memory. Arguments: nodes, Services, endpoints.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "dataplanes/iptables/iptables.h"
#include "dataplanes/nftables/nftables.h"
#include "kube/store.h"

/* ---- allocations --------------------------------------------------------------------- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void __libc_free(void *p);

static uint64_t allocated, freed;

void *malloc(size_t size)
{
	allocated++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocated++;
	return __libc_calloc(count, size);
}

void free(void *p)
{
	freed += p != NULL;
	__libc_free(p);
}

/* ---- the cluster ---------------------------------------------------------------------- */

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static size_t in_use(void)
{
	return mallinfo2().uordblks;
}

static char *address(char text[16], unsigned a, unsigned b, uint32_t n)
{
	snprintf(text, 16, "%u.%u.%u.%u", a, (b + (n >> 16)) & 255, n >> 8 & 255, n & 255);
	return text;
}

static void put(struct kube_store *store, struct kube_object *o, const char *name)
{
	struct err err = { "" };
	o->meta.namespace = "default";
	o->meta.name = name;
	if (kube_store_create(store, o, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
}

static void add_service(struct kube_store *store, uint32_t number)
{
	struct kube_service *s = (void *)kube_new(KIND_SERVICE);
	struct kube_service_port *port = arena_alloc(s->object.arena, sizeof *port);
	char name[32], ip[16];
	snprintf(name, sizeof name, "svc-%05u", (unsigned)number);
	*port = (struct kube_service_port){ .name = "http", .protocol = "TCP", .port = 80 };
	s->spec.type = "ClusterIP";
	s->spec.cluster_ip = kube_string(&s->object, address(ip, 10, 96, number));
	s->spec.ports.items = port;
	s->spec.ports.count = 1;
	put(store, &s->object, kube_string(&s->object, name));
}

static void add_slice(struct kube_store *store, uint32_t number, uint32_t endpoints)
{
	struct kube_endpoint_slice *s = (void *)kube_new(KIND_ENDPOINT_SLICE);
	struct arena *a = s->object.arena;
	struct kube_endpoint_port *port = arena_alloc(a, sizeof *port);
	char text[32], service[32];
	snprintf(service, sizeof service, "svc-%05u", (unsigned)number);
	snprintf(text, sizeof text, "svc-%05u-a", (unsigned)number);
	const char *name = kube_string(&s->object, text);
	kube_map_set(&s->object, &s->object.meta.labels, "kubernetes.io/service-name",
		     kube_string(&s->object, service));
	*port = (struct kube_endpoint_port){ "http", "TCP", NULL, { true, 8080 } };
	s->address_type = "IPv4";
	s->ports.items = port;
	s->ports.count = 1;
	/* All in one piece, as a reader that shares strings lays them out. */
	struct item {
		const char *ip;
		char text[16];
	} *items = arena_array(a, endpoints, sizeof *items + sizeof *s->endpoints.items);
	s->endpoints.items = (void *)(items + endpoints);
	s->endpoints.count = endpoints;
	for (uint32_t i = 0; i < endpoints; i++) {
		items[i].ip = address(items[i].text, 10, 128, number * endpoints + i);
		s->endpoints.items[i].addresses.items = &items[i].ip;
		s->endpoints.items[i].addresses.count = 1;
		s->endpoints.items[i].node_name = "node-a";
	}
	put(store, &s->object, name);
}

struct total {
	uint64_t blocks, bytes;
};

static struct total plan(const struct planner_class *mode, struct planner *p,
			 const struct proxy_view *view, bool full)
{
	const struct plan_request request = { .full = full };
	struct transactions out = { 0 };
	struct total t = { 0 };
	struct err err = { "" };
	if (mode->plan(p, view, &request, &out, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	for (uint32_t i = 0; i < out.count; i++) {
		t.blocks += out.items[i].count;
		for (uint32_t k = 0; k < out.items[i].count; k++)
			t.bytes += out.items[i].blocks[k]->length;
	}
	transactions_free(&out);
	mode->done(p, 0, true);
	return t;
}

/* Plans on all nodes; prints one line. */
static void round_of(const char *what, struct planner **planners, uint32_t nodes,
		     struct proxy_view *views, bool full)
{
	size_t before = in_use();
	double start = seconds();
	struct total t = plan(&iptables_planner, planners[0], &views[0], full);
	double first = seconds() - start;
	size_t shared = in_use() - before;
	start = seconds();
	for (uint32_t i = 1; i < nodes; i++)
		t = plan(&iptables_planner, planners[i], &views[i], full);
	double rest = nodes > 1 ? (seconds() - start) / (nodes - 1) : 0;
	long own = nodes > 1 ? ((long)in_use() - (long)before - (long)shared) / (long)(nodes - 1) : 0;
	printf("%s: first node %.1f ms and %zu KiB, each further one %.3f ms and %ld bytes; a plan "
	       "has %llu blocks, %llu bytes\n",
	       what, first * 1e3, shared / 1024, rest * 1e3, own, (unsigned long long)t.blocks,
	       (unsigned long long)t.bytes);
}

static void one_less(struct kube_store *store, uint32_t service)
{
	struct kube_endpoint_slice *slice;
	struct err err = { "" };
	char name[32];
	snprintf(name, sizeof name, "svc-%05u-a", (unsigned)service);
	slice = (void *)kube_copy(kube_store_get(store, KIND_ENDPOINT_SLICE, "default", name));
	slice->endpoints.count--;
	if (kube_store_update(store, &slice->object, true, &err))
		exit(1);
}

static struct kube_store *store_of(uint32_t services, uint32_t endpoints, struct choice *choice)
{
	struct kube_store *store = kube_store_new(NULL, choice);
	for (uint32_t i = 0; i < services; i++) {
		add_service(store, i);
		add_slice(store, i, endpoints);
	}
	return store;
}

/* Prints one line: what a change costs, the mean of sixteen. */
static void changes_of(const struct planner_class *mode, uint32_t services, struct choice *choice)
{
	enum { CHANGES = 16 };
	struct kube_store *store = store_of(services, 20, choice);
	struct planner_shared shared = { 0 };
	struct proxy_view view = { .store = store, .shared = &shared, .node = "node-a",
				   .version = KUBE_1_34 };
	struct planner *planner;
	struct err err = { "" };
	int64_t stay = 0;
	uint64_t all = 0, pieces = 0;
	double spent = 0;
	if (mode->open(&view, &planner, &err))
		exit(1);
	plan(mode, planner, &view, true);
	one_less(store, 0);
	plan(mode, planner, &view, false);
	for (uint32_t i = 0; i < CHANGES; i++) {
		one_less(store, (uint32_t)((uint64_t)services * i / CHANGES));
		uint64_t a = allocated, f = freed;
		double start = seconds();
		pieces += plan(mode, planner, &view, false).blocks;
		spent += seconds() - start;
		all += allocated - a;
		stay += (int64_t)(allocated - a) - (int64_t)(freed - f);
	}
	printf("%s, %5u services: a change makes %.1f allocations, %.1f more than it frees; the "
	       "plan has %.1f pieces and takes %.0f us\n",
	       mode->mode, (unsigned)services, (double)all / CHANGES, (double)stay / CHANGES,
	       (double)pieces / CHANGES, spent / CHANGES * 1e6);
	mode->close(planner);
	planner_shared_free(&shared);
	kube_store_free(store);
}

int main(int argc, char **argv)
{
	uint32_t nodes = argc > 1 ? (uint32_t)atoi(argv[1]) : 500;
	uint32_t services = argc > 2 ? (uint32_t)atoi(argv[2]) : 10000;
	uint32_t endpoints = argc > 3 ? (uint32_t)atoi(argv[3]) : 10;
	struct choice *choice = choice_new(1);
	struct planner_shared shared = { 0 };
	struct planner **planners = mem_array(nodes, sizeof *planners);
	struct proxy_view *views = mem_array(nodes, sizeof *views);
	struct err err = { "" };
	char name[32];
	for (uint32_t n = 100; n <= 10000; n *= 10)
		changes_of(&iptables_planner, n, choice);
	for (uint32_t n = 100; n <= 10000; n *= 10)
		changes_of(&nftables_planner, n, choice);
	struct kube_store *store = store_of(services, endpoints, choice);
	for (uint32_t i = 0; i < nodes; i++) {
		snprintf(name, sizeof name, "node-%u", (unsigned)i);
		views[i] = (struct proxy_view){ .store = store, .shared = &shared,
						.node = mem_strdup(name), .version = KUBE_1_34 };
		if (iptables_planner.open(&views[i], &planners[i], &err))
			return 1;
	}
	round_of("full sync", planners, nodes, views, true);
	for (uint32_t change = 0; change < 2; change++) {
		one_less(store, services / (change + 2));
		round_of(change ? "another endpoint" : "one endpoint less", planners, nodes, views,
			 false);
	}
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	printf("%u nodes and %u services x %u endpoints: peak %ld MiB\n", (unsigned)nodes,
	       (unsigned)services, (unsigned)endpoints, r.ru_maxrss / 1024);
	for (uint32_t i = 0; i < nodes; i++) {
		iptables_planner.close(planners[i]);
		free((char *)(uintptr_t)views[i].node);
	}
	free(planners);
	free(views);
	planner_shared_free(&shared);
	kube_store_free(store);
	choice_free(choice);
	return 0;
}
