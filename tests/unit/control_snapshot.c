/* What a snapshot gets: pods of workloads, slices, nothing that was given. */
#include "control_fixture.h"

static int keep(void *ctx, struct kube_object *o, struct err *err)
{
	return kube_store_create(ctx, o, err);
}

static struct kube_store *load(const char *yaml, struct strbuf *warnings)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	struct choice *choice = choice_new(1);
	struct manifest_options options = { .defaults = true };
	struct err err = { "" };
	static const char nodes[] =
	    "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {addresses: [{type: "
	    "InternalIP, "
	    "address: 192.168.0.1}]}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: b}\n";
	CHECK(!manifest_read(nodes, strlen(nodes), "nodes", &options, keep, s, &err));
	CHECK(!manifest_read(yaml, strlen(yaml), "yaml", &options, keep, s, &err));
	CHECK_TEXT(err.text, "");
	CHECK(!control_fill_snapshot(s, choice, warnings, &err));
	choice_free(choice);
	return s;
}

static const struct kube_endpoint_slice *slice(struct kube_store *s)
{
	uint32_t cursor = 0;
	return kube_store_next_slice(s, "default", "web", &cursor);
}

#define SERVICE                                                                                \
	"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"           \
	"spec: {clusterIP: 10.96.0.20, selector: {app: web}, ports: [{port: 80}]}\n---\n"

static void deployment_gets_pods(void)
{
	struct kube_store *s =
	    load(SERVICE "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, "
			 "namespace: default}\nspec: {replicas: 3, selector: {matchLabels: {app: "
			 "web}}, template: {metadata: {labels: {app: web}}, spec: {containers: "
			 "[{name: c, image: x}]}}}\n",
		 NULL);
	CHECK_INT(kube_store_count(s, KIND_POD), 3);
	CHECK_INT(kube_store_count(s, KIND_REPLICA_SET), 1);
	CHECK(slice(s) && slice(s)->endpoints.count == 3);
	for (uint32_t i = 0; slice(s) && i < slice(s)->endpoints.count; i++)
		CHECK(slice(s)->endpoints.items[i].conditions.ready == TRI_TRUE);
	kube_store_free(s);
}

static void stateful_set_gets_ordinals(void)
{
	struct kube_store *s =
	    load(SERVICE "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web, "
			 "namespace: default}\nspec: {serviceName: web, replicas: 2, selector: "
			 "{matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, "
			 "spec: {containers: [{name: c, image: x}]}}}\n",
		 NULL);
	const struct kube_pod *p =
		(const struct kube_pod *)kube_store_get(s, KIND_POD, "default", "web-1");
	CHECK(p && p->status.pod_ip && kube_condition_true(&p->status.conditions, "Ready"));
	CHECK(slice(s) && slice(s)->endpoints.count == 2);
	CHECK_TEXT(slice(s)->endpoints.items[0].hostname, "web-0");
	kube_store_free(s);
}

static void given_pods_stay(void)
{
	struct kube_store *s =
	    load(SERVICE "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: "
			 "default, labels: {app: web}}\nspec: {nodeName: a, containers: [{name: c, "
			 "image: x}]}\nstatus: {phase: Running, podIP: 10.1.2.3, podIPs: [{ip: "
			 "10.1.2.3}], conditions: [{type: Ready, status: \"True\"}]}\n",
		 NULL);
	CHECK_INT(kube_store_count(s, KIND_POD), 1);
	CHECK(slice(s) && slice(s)->endpoints.count == 1);
	CHECK_TEXT(slice(s)->endpoints.items[0].addresses.items[0], "10.1.2.3");
	kube_store_free(s);
}

static void given_slices_stay(void)
{
	struct kube_store *s =
	    load(SERVICE "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: "
			 "{name: web-x, namespace: default, labels: {kubernetes.io/service-name: "
			 "web}}\naddressType: IPv4\nports: [{port: 80}]\nendpoints: [{addresses: "
			 "[10.9.9.9]}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, "
			 "namespace: default, labels: {app: web}}\nspec: {containers: [{name: c, "
			 "image: x}]}\n",
		 NULL);
	CHECK_INT(kube_store_count(s, KIND_ENDPOINT_SLICE), 1);
	CHECK_TEXT(slice(s)->endpoints.items[0].addresses.items[0], "10.9.9.9");
	kube_store_free(s);
}

static void endpoints_become_slices(void)
{
	struct kube_store *s =
	    load(SERVICE "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, "
			 "namespace: default}\nsubsets: [{addresses: [{ip: 10.1.1.1}], ports: "
			 "[{port: 8080}]}]\n",
		 NULL);
	CHECK(slice(s) && slice(s)->endpoints.count == 1);
	CHECK_INT(slice(s)->ports.items[0].port.value, 8080);
	kube_store_free(s);
}

static void what_does_not_fit_is_said(void)
{
	struct strbuf warnings = { 0 };
	struct kube_store *s =
	    load("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: default}\n"
		 "spec: {nodeSelector: {disk: ssd}, containers: [{name: c, image: x}]}\n",
		 &warnings);
	CHECK(strstr(strbuf_text(&warnings), "Pod \"default/p\": 0/2 nodes are available"));
	strbuf_free(&warnings);
	kube_store_free(s);
}

static const struct check tests[] = {
	{ "a Deployment without pods gets a ReplicaSet, ready pods and a slice",
	  deployment_gets_pods },
	{ "a StatefulSet's pods have ordinals and host names", stateful_set_gets_ordinals },
	{ "pods that are given are used as they are", given_pods_stay },
	{ "slices that are given are left alone", given_slices_stay },
	{ "Endpoints without slices become slices", endpoints_become_slices },
	{ "a pod that fits nowhere is warned of", what_does_not_fit_is_said },
};
CHECK_MAIN(tests)
