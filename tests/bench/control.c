/* tests/bench/control.c: how long a control plane takes to bring a cluster up.
 *
 *   control NODES SERVICES PODS_A_SERVICE [given]
 *
 * Without `given` each Service has a Deployment whose pods are made, placed and started;
 * with it the pods are in the manifest, bound and running, as an export has them, and
 * only endpoints are left to do. One line of TSV: nodes, services, pods, seconds of wall
 * time to load and to converge, virtual seconds, engine events, writes to the store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/arena.h"
#include "kube/control/control.h"
#include "kube/manifest.h"

#define LIMIT_NS (3600 * NS_PER_S)

static double wall(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put_nodes(struct strbuf *b, int count)
{
	for (int i = 0; i < count; i++)
		strbuf_printf(b,
			      "apiVersion: v1\nkind: Node\nmetadata:\n  name: n%d\nspec:\n  podCIDR: "
			      "10.%d.%d.0/24\nstatus:\n  addresses:\n  - type: InternalIP\n    address: "
			      "192.168.%d.%d\n  conditions:\n  - type: Ready\n    status: 'True'\n---\n",
			      i, i >> 8, i & 255, i >> 8, i & 255);
}

static void put_service(struct strbuf *b, int i)
{
	strbuf_printf(b,
		      "apiVersion: v1\nkind: Service\nmetadata:\n  name: s%d\n  namespace: default\nspec:\n"
		      "  clusterIP: 10.%d.%d.%d\n  selector:\n    app: s%d\n  ports:\n  - port: 80\n---\n",
		      i, 96 + (i >> 16), i >> 8 & 255, i & 255, i);
}

static void put_deployment(struct strbuf *b, int i, int pods)
{
	strbuf_printf(b,
		      "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: s%d\n  namespace: default\n"
		      "spec:\n  replicas: %d\n  selector:\n    matchLabels:\n      app: s%d\n  template:\n"
		      "    metadata:\n      labels:\n        app: s%d\n    spec:\n      containers:\n"
		      "      - name: c\n        image: x\n        ports:\n        - containerPort: 80\n---\n",
		      i, pods, i, i);
}

static void put_pod(struct strbuf *b, int service, int number, int nodes)
{
	int node = number % nodes, offset = 2 + number / nodes;
	strbuf_printf(b,
		      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: s%d-%d\n  namespace: default\n  labels:\n"
		      "    app: s%d\nspec:\n  nodeName: n%d\n  containers:\n  - name: c\n    image: x\n"
		      "status:\n  phase: Running\n  podIP: 10.%d.%d.%d\n  podIPs:\n  - ip: 10.%d.%d.%d\n"
		      "  conditions:\n  - type: Ready\n    status: 'True'\n---\n",
		      service, number, service, node, node >> 8, node & 255, offset, node >> 8, node & 255,
		      offset);
}

static int keep(void *ctx, struct kube_object *o, struct err *err)
{
	return kube_store_create(ctx, o, err);
}

int main(int argc, char **argv)
{
	int nodes = argc > 1 ? atoi(argv[1]) : 100, services = argc > 2 ? atoi(argv[2]) : 200;
	int pods = argc > 3 ? atoi(argv[3]) : 15;
	bool given = argc > 4 && strcmp(argv[4], "given") == 0;
	struct strbuf text = { 0 };
	put_nodes(&text, nodes);
	for (int i = 0, number = 0; i < services; i++) {
		put_service(&text, i);
		if (!given)
			put_deployment(&text, i, pods);
		for (int j = 0; given && j < pods; j++)
			put_pod(&text, i, number++, nodes);
	}
	struct engine *engine = engine_new();
	struct choice *choice = choice_new(1);
	struct kube_store *store = kube_store_new(engine, choice);
	struct manifest_options options = { .defaults = true };
	struct control_options settings;
	struct err err = { "" };
	double begin = wall();
	if (manifest_read(text.data, text.length, "generated", &options, keep, store, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	double loaded = wall();
	control_options_default(&settings);
	settings.images_present = true;
	struct control *control = control_new(store, engine, choice, &settings, NULL);
	control_start(control);
	while (!control_converged(control) && engine_next(engine) < LIMIT_NS)
		engine_step(engine);
	printf("%d\t%d\t%u\t%.2f\t%.2f\t%.2f\t%llu\t%llu\n", nodes, services,
	       kube_store_count(store, KIND_POD), loaded - begin, wall() - loaded,
	       (double)engine_now(engine) / 1e9, (unsigned long long)engine_count(engine),
	       (unsigned long long)kube_store_version(store));
	bool done = control_converged(control);
	control_free(control);
	kube_store_free(store);
	choice_free(choice);
	engine_free(engine);
	strbuf_free(&text);
	return done ? 0 : 1;
}
