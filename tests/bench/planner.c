/* tests/bench/planner.c: the text of iptables, nftables and ipvs mode for a large cluster.
 *
 * Ten thousand Services with ten endpoints each, or as many as the arguments say. The text
 * goes through one buffer, as into the pipe of iptables-restore or nft. Prints one line a
 * mode: seconds of processor time for the text, lines, bytes, and the peak resident size of
 * the process with the parsed Services in it. Measured three times, the best counts. Of
 * ipvs mode it is the whole first plan: virtual and real servers, sets, addresses, rules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplanes/iptables/text.h"
#include "dataplanes/ipvs/ipvs.h"
#include "dataplanes/kubeproxy/kubeproxy.h"
#include "dataplanes/nftables/text.h"
#include "kube/store.h"

#define BUFFER_BYTES 65536u

struct sink {
	struct strbuf buffer;
	uint64_t lines, bytes;
};

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void flush(struct sink *s, bool count)
{
	for (const char *p = s->buffer.data, *end = p + s->buffer.length;
	     count && p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		s->lines++;
	s->bytes += s->buffer.length;
	s->buffer.length = 0;
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

static void part(const struct ipt_style *style, enum ipt_part which, const struct snapshot *s,
		 struct arena *scratch, struct sink *sink, bool count)
{
	struct snapshot_cursor at = { 0 };
	struct service *service;
	while ((service = snapshot_walk(s, &at)) != NULL) {
		for (uint32_t k = 0; k < service->port_count; k++) {
			struct service_port *p = &service->ports[k];
			struct endpoint_choice choice;
			service_choose(p, style->config, scratch, &choice);
			ipt_part(style, which, p, &choice, &sink->buffer);
			if (which == IPT_DISPATCH)
				ipt_part(style, IPT_RULES, p, &choice, &sink->buffer);
			arena_reset(scratch);
			if (sink->buffer.length > BUFFER_BYTES / 2)
				flush(sink, count);
		}
	}
}

static void write_all(const struct proxy_config *c, const struct snapshot *s, struct sink *sink,
		      bool count)
{
	struct ipt_style style;
	struct arena *scratch = arena_new();
	ipt_style_init(&style, c, PROXY_V4, s->endpoint_count > 1000);
	style.large = false; /* as in a small cluster: with all comments */
	ipt_filter_head(&style, &sink->buffer);
	part(&style, IPT_FILTER, s, scratch, sink, count);
	ipt_filter_tail(&style, &sink->buffer);
	ipt_nat_chains(&style, &sink->buffer);
	part(&style, IPT_CHAINS, s, scratch, sink, count);
	ipt_nat_fixed(&style, &sink->buffer);
	part(&style, IPT_DISPATCH, s, scratch, sink, count);
	ipt_nat_tail(&style, &sink->buffer);
	flush(sink, count);
	arena_free(scratch);
}

static void write_nft(const struct proxy_config *c, const struct snapshot *s, struct sink *sink,
		      bool count)
{
	struct snapshot_cursor at = { 0 };
	struct service *service;
	struct nft_style style;
	struct arena *scratch = arena_new();
	nft_style_init(&style, c, PROXY_V4);
	nft_setup(&style, true, &sink->buffer);
	while ((service = snapshot_walk(s, &at)) != NULL) {
		for (uint32_t k = 0; k < service->port_count; k++) {
			struct endpoint_choice choice;
			service_choose(&service->ports[k], c, scratch, &choice);
			nft_port(&style, &service->ports[k], &choice, NULL, &sink->buffer);
		}
		arena_reset(scratch);
		if (sink->buffer.length > BUFFER_BYTES / 2)
			flush(sink, count);
	}
	flush(sink, count);
	arena_free(scratch);
}

static long resident_kib(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return r.ru_maxrss;
}

typedef void write_fn(const struct proxy_config *c, const struct snapshot *s, struct sink *sink,
		      bool count);

/* In a process of its own, so that its peak is its own. */
static void measure(const char *mode, write_fn *write, const struct proxy_view *view,
		    uint32_t services, uint32_t endpoints)
{
	struct arena *memory = arena_new();
	struct proxy_config config;
	struct err err = { "" };
	struct sink sink = { 0 };
	bool owned;
	double best = 1e9, parse = 1e9;
	long objects = resident_kib();
	if (proxy_config_read(view, mode, memory, &config, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	for (unsigned round = 0; round < 3; round++) {
		struct proxy_shared *shared = proxy_shared_get(view, &owned);
		double start = seconds();
		struct snapshot *s = proxy_snapshot(shared, view->store, PROXY_V4);
		double middle = seconds();
		sink.lines = sink.bytes = 0;
		write(&config, s, &sink, false);
		double end = seconds();
		sink.lines = sink.bytes = 0;
		write(&config, s, &sink, true);
		best = end - middle < best ? end - middle : best;
		parse = middle - start < parse ? middle - start : parse;
		snapshot_unref(s);
		proxy_shared_free(shared);
	}
	printf("%s text, %u services x %u endpoints: %.3f s (and %.3f s for the snapshot), "
	       "%llu lines, %llu bytes, peak %ld KiB of which the objects are %ld KiB\n",
	       mode, (unsigned)services, (unsigned)endpoints, best, parse,
	       (unsigned long long)sink.lines, (unsigned long long)sink.bytes, resident_kib(),
	       objects);
	strbuf_free(&sink.buffer);
	arena_free(memory);
	fflush(stdout);
	_exit(0);
}

static void measure_ipvs(const struct proxy_view *view, uint32_t services, uint32_t endpoints)
{
	const struct plan_request request = { .full = true };
	struct transactions plan = { 0 };
	struct sink sink = { 0 };
	struct err err = { "" };
	double best = 1e9;
	long objects = resident_kib();
	for (unsigned round = 0; round < 3; round++) {
		struct planner *planner;
		transactions_free(&plan);
		double start = seconds();
		if (ipvs_planner.open(view, &planner, &err) ||
		    ipvs_planner.plan(planner, view, &request, &plan, &err)) {
			fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		double end = seconds();
		best = end - start < best ? end - start : best;
		ipvs_planner.close(planner);
	}
	long peak = resident_kib();
	for (uint32_t i = 0; i < plan.count; i++) {
		transaction_text(&plan.items[i], &sink.buffer);
		flush(&sink, true);
	}
	printf("ipvs plan, %u services x %u endpoints: %.3f s, %llu lines, %llu bytes, peak %ld KiB of "
	       "which the objects are %ld KiB\n",
	       (unsigned)services, (unsigned)endpoints, best, (unsigned long long)sink.lines,
	       (unsigned long long)sink.bytes, peak, objects);
	transactions_free(&plan);
	strbuf_free(&sink.buffer);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *mode;
		write_fn *write;
	} modes[] = { { "iptables", write_all }, { "nftables", write_nft } };
	uint32_t services = argc > 1 ? (uint32_t)atoi(argv[1]) : 10000;
	uint32_t endpoints = argc > 2 ? (uint32_t)atoi(argv[2]) : 10;
	struct choice *choice = choice_new(1);
	struct kube_store *store = kube_store_new(NULL, choice);
	struct kube_proxy_configuration *c = (void *)kube_new(KIND_KUBE_PROXY_CONFIGURATION);
	c->cluster_cidr = "10.128.0.0/9";
	put(store, &c->object, "config");
	for (uint32_t i = 0; i < services; i++) {
		add_service(store, i);
		add_slice(store, i, endpoints);
	}
	const struct proxy_view view = { .store = store, .node = "node-a", .version = KUBE_1_34 };
	int failed = 0;
	for (unsigned i = 0; i <= sizeof modes / sizeof *modes; i++) {
		int status = 0;
		pid_t child = fork();
		if (child == 0 && i == sizeof modes / sizeof *modes)
			measure_ipvs(&view, services, endpoints);
		if (child == 0)
			measure(modes[i].mode, modes[i].write, &view, services, endpoints);
		failed |= child < 0 || waitpid(child, &status, 0) != child || status != 0;
	}
	kube_store_free(store);
	choice_free(choice);
	return failed;
}
