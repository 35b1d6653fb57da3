/* EndpointSlices: conditions, packing, names, hints, mirrored Endpoints. Expected values:
 * endpointslice/reconciler.go, utils.go and topologycache of Kubernetes 1.34. */
#include "control_fixture.h"

static void apply_pods(struct fixture *f, int first, int count, const char *extra)
{
	for (int i = first; i < first + count; i++) {
		char text[600];
		snprintf(text, sizeof text,
			 "apiVersion: v1\nkind: Pod\nmetadata: {name: p%03d, namespace: default, "
			 "labels: "
			 "{app: web}}\nspec: {%s containers: [{name: c, image: nginx:1.25, ports: "
			 "[{name: http, containerPort: 8080}]}]}\n",
			 i, extra);
		fixture_apply(f, text);
	}
}

static void apply_service(struct fixture *f, const char *more)
{
	char text[600];
	snprintf(text, sizeof text,
		 "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default, labels: "
		 "{tier: front}}\nspec: {selector: {app: web}, ports: [{name: web, port: 80, "
		 "targetPort: http}]%s}\n", more);
	fixture_apply(f, text);
}

static const struct kube_endpoint_slice *slice(struct fixture *f, uint32_t n)
{
	uint32_t cursor = 0;
	const struct kube_endpoint_slice *s = NULL;
	for (uint32_t i = 0; i <= n; i++)
		s = kube_store_next_slice(f->store, "default", "web", &cursor);
	return s;
}

static struct fixture *with_pods(int count, const char *service)
{
	struct fixture *f = fixture_new(3);
	struct control_options options;
	control_options_default(&options);
	options.images_present = true;
	fixture_start_control(f, &options);
	apply_service(f, service);
	apply_pods(f, 0, count, "");
	CHECK(fixture_settle(f, 120));
	return f;
}

static void fields(void)
{
	struct fixture *f = with_pods(2, "");
	const struct kube_endpoint_slice *s = slice(f, 0);
	CHECK(s && !slice(f, 1));
	CHECK_TEXT(s->address_type, "IPv4");
	CHECK_INT(s->endpoints.count, 2);
	CHECK_TEXT(s->ports.items[0].name, "web");
	CHECK_INT(s->ports.items[0].port.value, 8080);
	const struct kube_map *m = &s->object.meta.labels;
	CHECK_TEXT(kube_map_get(m, "tier"), "front");
	CHECK_TEXT(kube_map_get(m, "kubernetes.io/service-name"), "web");
	CHECK_TEXT(kube_map_get(m, "endpointslice.kubernetes.io/managed-by"),
		   "endpointslice-controller.k8s.io");
	CHECK(!kube_map_get(m, "service.kubernetes.io/headless"));
	CHECK(strncmp(s->object.meta.name, "web-", 4) == 0 && strlen(s->object.meta.name) == 9);
	CHECK_TEXT(s->object.meta.owners.items[0].kind, "Service");
	CHECK_TEXT(s->endpoints.items[0].target.kind, "Pod");
	CHECK(s->endpoints.items[0].node_name != NULL);
	fixture_free(f);
}

static void placeholder(void)
{
	struct fixture *f = with_pods(0, "");
	const struct kube_endpoint_slice *s = slice(f, 0);
	CHECK(s && !s->endpoints.count && !s->ports.count);
	char name[80];
	snprintf(name, sizeof name, "%s", s->object.meta.name);
	apply_pods(f, 0, 1, "");
	CHECK(fixture_settle(f, 60));
	CHECK_TEXT(slice(f, 0)->object.meta.name, name); /* the name is used again */
	control_delete(f->control, KIND_POD, "default", "p000", -1, NULL);
	CHECK(fixture_settle(f, 60));
	CHECK(slice(f, 0) && !slice(f, 0)->ports.count && !slice(f, 1));
	CHECK_TEXT(slice(f, 0)->object.meta.name, name);
	fixture_free(f);
}

static void hundred_a_slice(void)
{
	struct fixture *f = with_pods(100, "");
	CHECK(slice(f, 0) && !slice(f, 1));
	apply_pods(f, 100, 1, "");
	CHECK(fixture_settle(f, 120));
	CHECK(slice(f, 1) != NULL);
	CHECK_INT(slice(f, 0)->endpoints.count + slice(f, 1)->endpoints.count, 101);
	fixture_free(f);
}

static void life_of_an_endpoint(void)
{
	struct fixture *f = with_pods(1, "");
	const struct kube_endpoint *e = &slice(f, 0)->endpoints.items[0];
	CHECK(e->conditions.ready == TRI_TRUE && e->conditions.serving == TRI_TRUE &&
	      e->conditions.terminating == TRI_FALSE);
	f->keep_running = true;
	control_delete(f->control, KIND_POD, "default", "p000", -1, NULL);
	fixture_run(f, 1);
	e = &slice(f, 0)->endpoints.items[0];
	CHECK(e->conditions.ready == TRI_FALSE && e->conditions.serving == TRI_TRUE &&
	      e->conditions.terminating == TRI_TRUE);
	const struct kube_endpoints *p = (const struct kube_endpoints *)kube_store_get(
		f->store, KIND_ENDPOINTS, "default", "web");
	CHECK(p && p->subsets.count == 0); /* Endpoints leave terminating pods out at once */
	fixture_run(f, 40);
	CHECK_INT(slice(f, 0)->endpoints.count, 0);
	fixture_free(f);
}

static void publish_not_ready(void)
{
	struct fixture *f = with_pods(1, ", publishNotReadyAddresses: true");
	control_force_probe(f->control, "default", "p000", NULL, PROBE_READINESS, FORCE_FAIL, NULL);
	fixture_run(f, 40);
	const struct kube_endpoint *e = &slice(f, 0)->endpoints.items[0];
	CHECK(!kube_condition_true(&fixture_pod(f, "p000")->status.conditions, "Ready"));
	CHECK(e->conditions.ready == TRI_TRUE && e->conditions.serving == TRI_FALSE);
	fixture_free(f);
}

static void readiness_takes_it_out(void)
{
	struct fixture *f = with_pods(2, "");
	control_force_probe(f->control, "default", "p000", NULL, PROBE_READINESS, FORCE_FAIL, NULL);
	int64_t start = engine_now(f->engine);
	while (fixture_ready(f, "app", "web") == 2 && engine_now(f->engine) < start + 60 * NS_PER_S)
		engine_step(f->engine);
	/* Three failures in a row, ten seconds apart. */
	double seconds = (double)(engine_now(f->engine) - start) / 1e9;
	CHECK(seconds >= 20 && seconds <= 31);
	fixture_run(f, 1);
	int ready = 0;
	for (uint32_t i = 0; i < 2; i++)
		ready += slice(f, 0)->endpoints.items[i].conditions.ready == TRI_TRUE;
	CHECK_INT(ready, 1);
	control_force_probe(f->control, "default", "p000", NULL, PROBE_READINESS, FORCE_PASS, NULL);
	fixture_run(f, 12);
	CHECK_INT(fixture_ready(f, "app", "web"), 2);
	fixture_free(f);
}

static void hostname_needs_the_subdomain(void)
{
	struct fixture *f = with_pods(0, ", clusterIP: None");
	apply_pods(f, 0, 1, "hostname: a, subdomain: web,");
	apply_pods(f, 1, 1, "hostname: b, subdomain: other,");
	CHECK(fixture_settle(f, 60));
	int named = 0;
	for (uint32_t i = 0; i < slice(f, 0)->endpoints.count; i++) {
		const char *h = slice(f, 0)->endpoints.items[i].hostname;
		if (h) {
			CHECK_TEXT(h, "a");
			named++;
		}
	}
	CHECK_INT(named, 1);
	CHECK(kube_map_get(&slice(f, 0)->object.meta.labels, "service.kubernetes.io/headless"));
	fixture_free(f);
}

static void a_touched_slice_is_put_right(void)
{
	struct fixture *f = with_pods(1, "");
	struct kube_endpoint_slice *copy = (void *)kube_copy(&slice(f, 0)->object);
	copy->endpoints.count = 0;
	kube_store_update(f->store, &copy->object, true, NULL);
	fixture_run(f, 0.5);
	CHECK_INT(slice(f, 0)->endpoints.count, 0);
	fixture_run(f, 1);
	CHECK_INT(slice(f, 0)->endpoints.count, 1);
	fixture_free(f);
}

static void endpoints_are_mirrored(void)
{
	struct fixture *f = fixture_new(1);
	fixture_start_control(f, NULL);
	fixture_apply(
	    f, "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
	       "spec: {ports: [{port: 80}]}\n---\n"
	       "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: default}\n"
	       "subsets: [{addresses: [{ip: 192.0.2.1}], notReadyAddresses: [{ip: 192.0.2.2}], "
	       "ports: [{port: 80}]}]\n");
	CHECK(fixture_settle(f, 10));
	const struct kube_endpoint_slice *s = slice(f, 0);
	CHECK(s && s->endpoints.count == 2);
	CHECK_TEXT(kube_map_get(&s->object.meta.labels, "endpointslice.kubernetes.io/managed-by"),
		   "endpointslicemirroring-controller.k8s.io");
	CHECK(s->endpoints.items[0].conditions.ready == TRI_TRUE);
	CHECK(s->endpoints.items[1].conditions.ready == TRI_FALSE);
	CHECK(s->endpoints.items[0].conditions.serving == TRI_UNSET);
	fixture_free(f);
}

static void zone_nodes(struct fixture *f)
{
	static const char zones[] = "abb";
	for (int i = 1; i <= 3; i++) {
		struct kube_object *n = kube_copy(kube_store_get(
		    f->store, KIND_NODE, NULL, (const char *[]){ "n1", "n2", "n3" }[i - 1]));
		char zone[8] = { 'z', zones[i - 1], 0 };
		kube_map_set(n, &n->meta.labels, "topology.kubernetes.io/zone", zone);
		kube_store_update(f->store, n, false, NULL);
	}
}

static void traffic_distribution_hints_the_own_zone(void)
{
	struct fixture *f = fixture_new(3);
	zone_nodes(f);
	fixture_start_control(f, NULL);
	apply_service(f, ", trafficDistribution: PreferClose");
	apply_pods(f, 0, 3, "");
	CHECK(fixture_settle(f, 120));
	CHECK_INT(slice(f, 0)->endpoints.count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct kube_endpoint *e = &slice(f, 0)->endpoints.items[i];
		CHECK(e->hints.set && e->hints.zones.count == 1 && !e->hints.nodes.count);
		CHECK_TEXT(e->hints.zones.items[0], e->zone);
	}
	fixture_free(f);
}

/* One node in zone a, two in b, equal CPUs: of 6 endpoints 2 are for a and 4 for b. */
static void auto_hints_follow_the_cpus(void)
{
	struct fixture *f = fixture_new(3);
	zone_nodes(f);
	fixture_start_control(f, NULL);
	fixture_apply(f, "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default, "
			 "annotations: {service.kubernetes.io/topology-mode: Auto}}\n"
			 "spec: {selector: {app: web}, ports: [{port: 80}]}\n");
	apply_pods(f, 0, 6, "nodeName: n1,");
	CHECK(fixture_settle(f, 120));
	int a = 0, b = 0;
	for (uint32_t i = 0; i < slice(f, 0)->endpoints.count; i++) {
		const struct kube_endpoint *e = &slice(f, 0)->endpoints.items[i];
		CHECK(e->hints.set);
		a += e->hints.set && kube_is(e->hints.zones.items[0], "za");
		b += e->hints.set && kube_is(e->hints.zones.items[0], "zb");
	}
	CHECK_INT(a, 2);
	CHECK_INT(b, 4);
	fixture_free(f);
}

static const struct check tests[] = {
	{ "a slice has the Service's labels, its port's name and the pods' port", fields },
	{ "a Service without endpoints keeps one empty slice under one name", placeholder },
	{ "a slice has room for 100 endpoints, the next goes to a second one", hundred_a_slice },
	{ "a deleted pod is serving and terminating, then gone", life_of_an_endpoint },
	{ "publishNotReadyAddresses says ready of a pod that is not", publish_not_ready },
	{ "three failed readiness probes take an endpoint out, one good one brings it back",
	  readiness_takes_it_out },
	{ "a host name is there only when the pod's subdomain is the Service",
	  hostname_needs_the_subdomain },
	{ "a slice that somebody else changed is put right after a second",
	  a_touched_slice_is_put_right },
	{ "hand-made Endpoints are mirrored with their readiness only", endpoints_are_mirrored },
	{ "trafficDistribution hints every endpoint to its own zone",
	  traffic_distribution_hints_the_own_zone },
	{ "topology-mode Auto gives zones endpoints by their CPUs", auto_hints_follow_the_cpus },
};
CHECK_MAIN(tests)
