/* tests/unit/kube_manifest.c: YAML and JSON into objects, and what is said about bad ones. */
#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "kube/manifest.h"
#include "kube/schema.h"
#include "kube/store.h"

struct heap { /* what a text was read into */
	struct kube_object *items[64];
	unsigned count;
	struct strbuf warnings;
	struct err err;
	int code;
};

static int keep(void *ctx, struct kube_object *o, struct err *err)
{
	struct heap *h = ctx;
	(void)err;
	if (h->count < 64)
		h->items[h->count++] = o;
	return 0;
}

static void read_text(struct heap *h, const char *text, bool defaults)
{
	*h = (struct heap){ .count = 0 };
	struct manifest_options options = { .defaults = defaults, .warnings = &h->warnings };
	h->code = manifest_read(text, strlen(text), "f", &options, keep, h, &h->err);
}

static void drop(struct heap *h)
{
	while (h->count)
		kube_unref(h->items[--h->count]);
	strbuf_free(&h->warnings);
}

static void documents(void)
{
	struct heap h;
	read_text(
	    &h,
	    "# a comment\n---\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
	    "spec: {ports: [{port: 80}]}\n---\n"
	    "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"b\"}}\n---\n"
	    "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: "
	    "{name: c}}\n"
	    "- apiVersion: v1\n  kind: Node\n  metadata:\n    name: d\n...\n---\n",
	    true);
	CHECK_TEXT(h.err.text, "");
	CHECK_INT(h.count, 4);
	CHECK_INT(h.items[0]->kind, KIND_SERVICE);
	CHECK_INT(h.items[0]->line, 4);
	CHECK_INT(h.items[3]->kind, KIND_NODE);
	CHECK_TEXT(h.items[1]->meta.name, "b");
	CHECK_TEXT(h.items[1]->meta.namespace, "default");
	CHECK(h.items[3]->meta.namespace == NULL);
	const struct kube_service *s = (const struct kube_service *)h.items[0];
	CHECK_TEXT(s->spec.type, "ClusterIP");
	CHECK_INT(s->spec.ports.items[0].target_port.number, 80);
	CHECK_TEXT(s->spec.ports.items[0].protocol, "TCP");
	drop(&h);
}

/* kubectl get -o yaml prints apiVersion, items, kind; typed lists leave the items' kind out. */
static void kind_comes_last(void)
{
	struct heap h;
	read_text(&h,
		  "apiVersion: v1\nitems:\n- apiVersion: v1\n  data: {a: b}\n  kind: ConfigMap\n"
		  "  metadata: {name: x}\n- addressType: IPv4\n  apiVersion: discovery.k8s.io/v1\n"
		  "  endpoints:\n  - addresses: [10.0.0.1]\n  kind: EndpointSlice\n  metadata: "
		  "{name: why}\n"
		  "kind: List\nmetadata:\n  resourceVersion: \"\"\n---\n"
		  "kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: p}\n",
		  false);
	CHECK_TEXT(h.err.text, "");
	CHECK_INT(h.count, 3);
	CHECK_TEXT(kube_map_get(&((struct kube_config_map *)h.items[0])->data, "a"), "b");
	CHECK_TEXT(
	    ((struct kube_endpoint_slice *)h.items[1])->endpoints.items[0].addresses.items[0],
	    "10.0.0.1");
	CHECK_INT(h.items[2]->kind, KIND_POD);
	drop(&h);
}

static void anchors(void)
{
	struct heap h;
	read_text(
	    &h,
	    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: &l {app: web, tier: x}\n"
	    "  annotations: {<<: *l, tier: own}\nspec:\n  nodeSelector: *l\n  containers:\n"
	    "  - &c {name: one, image: nginx}\n  - <<: *c\n    name: two\n",
	    false);
	CHECK_TEXT(h.err.text, "");
	CHECK_INT(h.count, 1);
	const struct kube_pod *p = (const struct kube_pod *)h.items[0];
	CHECK_TEXT(kube_map_get(&p->spec.node_selector, "app"), "web");
	CHECK_TEXT(kube_map_get(&p->object.meta.annotations, "tier"), "own");
	CHECK_TEXT(kube_map_get(&p->object.meta.annotations, "app"), "web");
	CHECK_INT(p->spec.containers.count, 2);
	CHECK_TEXT(p->spec.containers.items[1].name, "two");
	CHECK_TEXT(p->spec.containers.items[1].image, "nginx");
	drop(&h);
}

/* Ten lines that stand for 10^9 values. */
static void billion_laughs(void)
{
	struct strbuf text = { 0 };
	struct heap h;
	strbuf_puts(&text,
		    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx0: &x0 [a, a, a, a, a, "
		    "a, a, a, a, a]\n");
	for (int i = 1; i < 10; i++) {
		strbuf_printf(&text, "x%d: &x%d [", i, i);
		for (int j = 0; j < 10; j++)
			strbuf_printf(&text, "%s*x%d", j ? ", " : "", i - 1);
		strbuf_puts(&text, "]\n");
	}
	read_text(&h, text.data, false);
	CHECK_INT(h.code, EINVAL);
	CHECK(strstr(h.err.text, "aliases repeat more than 10 values for each one written") !=
	      NULL);
	drop(&h);
	strbuf_free(&text);
}

static void bytes_that_are_no_text(void)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "kind: X\nname: \x89PNG\n", "f:2:7: byte 0x89 is no text, expected YAML or JSON in UTF-8" },
		{ "\xc3(", "f:1:1: byte 0xc3 is no text, expected YAML or JSON in UTF-8" },
		{ "a: \x1b[0m", "f:1:4: byte 0x1b is no text, expected YAML or JSON in UTF-8" } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct heap h;
		read_text(&h, cases[i].text, false);
		CHECK_INT(h.code, EINVAL);
		CHECK_TEXT(h.err.text, cases[i].says);
		drop(&h);
	}
}

static void deep_nesting(void)
{
	struct strbuf text = { 0 };
	struct heap h;
	strbuf_puts(&text, "a: ");
	strbuf_fill(&text, '[', 100000);
	read_text(&h, text.data, false);
	CHECK_INT(h.code, EINVAL);
	CHECK_TEXT(h.err.text,
		   "f:2:1: flow sequence without a closing bracket, expected well-formed YAML");
	drop(&h);
	strbuf_free(&text);
}

static void errors(void)
{
	static const char *const cases[][2] = {
		{ "a: [1, 2\n",
		  "f:2:1: flow sequence without a closing bracket, expected well-formed YAML" },
		{ "- 1\n", "f:1:1: the document is no mapping, expected a Kubernetes object" },
		{ "metadata: {name: x}\n",
		  "f:1:1: apiVersion and kind is missing, expected a Kubernetes "
		  "object with apiVersion and kind" },
		{ "apiVersion: v1\nkind: Pod\n",
		  "f:1:1: this Pod has no metadata.name, expected a name" },
		{ "apiVersion: v1\nkind: Pod\nmetadata: {name: 123}\n",
		  "f:3:18: metadata.name is an integer (123), expected a string (in quotes)" },
		{ "apiVersion: v1\nkind: Pod\nmetadata: {name: yes}\n",
		  "f:3:18: metadata.name is a boolean (yes), expected a string (in quotes)" },
		{ "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: [a, b]\n",
		  "f:5:11: metadata.labels is a list, expected a mapping of strings to strings" },
		{ "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: 1}}\n",
		  "f:3:33: metadata.labels.x is an integer (1), expected a string (in quotes)" },
		{ "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - port: "
		  "\"80\"\n",
		  "f:6:11: spec.ports[0].port is the string \"80\", expected an integer" },
		{ "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: "
		  "99999999999}]}\n",
		  "f:4:23: spec.ports[0].port is an integer (99999999999), expected an integer of "
		  "32 bits" },
		{ "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: {port: 80}}\n",
		  "f:4:15: spec.ports is a mapping, expected a list" },
		{ "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: [x]\n",
		  "f:4:7: spec is a list, expected a mapping" },
		{ "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: 1}\n",
		  "f:4:21: spec.hostNetwork is an integer (1), expected true or false" },
		{ "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {capacity: {cpu: "
		  "lots}}\n",
		  "f:4:26: status.capacity.cpu is a string (lots), expected a quantity as 500m, 2 "
		  "or 1Gi" },
		{ "apiVersion: v1\nkind: Pod\nmetadata: {name: a, creationTimestamp: soon}\n",
		  "f:3:40: metadata.creationTimestamp is a string (soon), expected a date as "
		  "2026-01-31T12:00:00Z" },
		{ "apiVersion: v1\nkind: Pod\nmetadata: {name: *nope}\n",
		  "f:3:19: unknown anchor 'nope', expected one that is defined above" },
		{ "apiVersion: v1\nkind: List\nitems: 3\n",
		  "f:3:8: items is no list, expected a list of objects" },
		{ "apiVersion: v1\nkind: List\nitems: [{kind: List, apiVersion: v1, items: [{kind: "
		  "List, "
		  "apiVersion: v1, items: [{kind: List, apiVersion: v1, items: [{kind: List, "
		  "apiVersion: v1, "
		  "items: []}]}]}]}]\n",
		  "f:3:120: lists are nested deeper than 4, expected fewer" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct heap h;
		read_text(&h, cases[i][0], false);
		CHECK_INT(h.code, EINVAL);
		CHECK_TEXT(h.err.text, cases[i][1]);
		drop(&h);
	}
}

static void warnings(void)
{
	struct heap h;
	read_text(
	    &h,
	    "apiVersion: v1\nkind: Service\nmetadata: {name: a, nickname: b}\nspec:\n  selectr: "
	    "{a: b}\n"
	    "  ports:\n  - port: 80\n    prot: TCP\nextra: 1\n---\napiVersion: v1\nkind: Servce\n"
	    "metadata: {name: q}\n---\napiVersion: extensions/v1beta1\nkind: Ingress\n"
	    "metadata: {name: i}\nspec: {backend: {serviceName: web, servicePort: http}}\n",
	    true);
	CHECK_TEXT(h.err.text, "");
	CHECK_TEXT(
	    strbuf_text(&h.warnings),
	    "f:3:21: unknown field \"metadata.nickname\"\n"
	    "f:5:3: unknown field \"spec.selectr\"\n"
	    "f:8:5: unknown field \"spec.ports[0].prot\"\n"
	    "f:9:1: unknown field \"extra\"\n"
	    "f:11:1: kind Servce in v1 is not known here; the object is left out\n"
	    "f:15:1: extensions/v1beta1 Ingress is deprecated; it is read as networking.k8s.io/v1 "
	    "Ingress\n");
	CHECK_INT(h.count, 2);
	const struct kube_ingress *g = (const struct kube_ingress *)h.items[1];
	CHECK_TEXT(g->default_backend.service, "web");
	CHECK_TEXT(g->default_backend.port_name, "http");
	drop(&h);
}

static void kube_proxy_config_map(void)
{
	static const char map[] =
	    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy, namespace: "
	    "kube-system}\n"
	    "data:\n  config.conf: |\n    apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
	    "    kind: KubeProxyConfiguration\n    mode: ipvs\n    iptables:\n      masqueradeBit: "
	    "null\n"
	    "      minSyncPeriod: 1s\n    conntrack: {maxPerCore: 32768}\n";
	struct heap h;
	read_text(&h, map, true);
	CHECK_TEXT(h.err.text, "");
	CHECK_INT(h.count, 2);
	const struct kube_proxy_configuration *c =
	    (const struct kube_proxy_configuration *)h.items[1];
	CHECK_INT(c->object.kind, KIND_KUBE_PROXY_CONFIGURATION);
	CHECK_TEXT(c->mode, "ipvs");
	CHECK_TEXT(c->iptables.min_sync_period, "1s");
	CHECK(!c->iptables.masquerade_bit.set);
	CHECK_INT(c->conntrack.max_per_core.value, 32768);
	drop(&h);
	struct strbuf both = { 0 }; /* a configuration of its own wins */
	strbuf_printf(&both, "%s---\napiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
		      "kind: KubeProxyConfiguration\nmode: nftables\n", map);
	read_text(&h, both.data, true);
	CHECK_INT(h.count, 2);
	CHECK_TEXT(((const struct kube_proxy_configuration *)h.items[1])->mode, "nftables");
	drop(&h);
	strbuf_free(&both);
}

static void load(struct kube_store **out, const char *const *files, uint32_t count,
		 struct strbuf *said, struct err *err, int *code)
{
	*out = kube_store_new(NULL, NULL);
	*code = manifest_load(*out, files, count, said, err);
}

static void snapshot(void)
{
	static const char *const files[] = { "tests/golden/manifest/tutorials.yaml" };
	struct strbuf said = { 0 };
	struct err err = { "" };
	struct kube_store *s;
	int code;
	load(&s, files, 1, &said, &err, &code);
	CHECK_TEXT(err.text, "");
	CHECK_TEXT(strbuf_text(&said),
		   "tests/golden/manifest/tutorials.yaml:98:1: extensions/v1beta1 "
		   "Ingress is deprecated; it is read as networking.k8s.io/v1 Ingress\n");
	CHECK_INT(kube_store_count(s, KIND_SERVICE), 8);
	CHECK_INT(kube_store_count(s, KIND_NAMESPACE), 3); /* default, prod, dev: implied */
	const struct kube_service *headless =
		(const void *)kube_store_get(s, KIND_SERVICE, "default", "nginx-svc");
	CHECK_TEXT(headless->spec.cluster_ip, "None");
	kube_store_free(s);
	strbuf_free(&said);
}

static void duplicates(void)
{
	static const char *const files[] = { "tests/golden/manifest/tutorials.yaml",
					     "tests/golden/manifest/tutorials.yaml" };
	static const char *const missing[] = { "tests/golden/manifest/none.yaml" };
	struct err err = { "" };
	struct kube_store *s;
	int code;
	load(&s, files, 2, NULL, &err, &code);
	CHECK_INT(code, EINVAL);
	CHECK_TEXT(
	    err.text,
	    "tests/golden/manifest/tutorials.yaml:3: Service \"default/kubia\" was "
	    "already given at tests/golden/manifest/tutorials.yaml:3, expected each object once");
	kube_store_free(s);
	load(&s, missing, 1, NULL, &err, &code);
	CHECK_INT(code, ENOENT);
	CHECK_TEXT(err.text, "tests/golden/manifest/none.yaml: No such file or directory");
	kube_store_free(s);
}

static void scalars(void)
{
	static const struct { const char *text; int64_t ns;
	} durations[] = {
		{ "1m30s", INT64_C(90000000000) },
		{ "250ms", 250000000 },
		{ "0", 0 },
		{ "1.5h", INT64_C(5400000000000) },
		{ "-2s", INT64_C(-2000000000) },
		{ "1\xc2\xb5s", 1000 },
	};
	static const char *const quantities[][2] = {
		{ "0.5", "500m" }, { "1024Mi", "1Gi" },	 { "1500m", "1500m" },
		{ "2000m", "2" },  { "1500k", "1500k" }, { "100Ki", "100Ki" },
		{ "0", "0" },	   { "1e3", "1e3" },	 { "0.1Gi", "107374182400m" },
		{ "1000", "1k" },  { "16Gi", "16Gi" },	 { "3900m", "3900m" },
	};
	int64_t ns;
	char text[KUBE_TIME_TEXT], quantity[32];
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
		CHECK(kube_duration_parse(durations[i].text, &ns));
		CHECK_INT(ns, durations[i].ns);
	}
	CHECK(!kube_duration_parse("", &ns));
	CHECK(!kube_duration_parse("5", &ns));
	CHECK(!kube_duration_parse("1x", &ns));
	CHECK(!kube_duration_parse("99999999999h", &ns));
	for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
		CHECK(kube_quantity_text(quantities[i][0], quantity));
		CHECK_TEXT(quantity, quantities[i][1]);
	}
	CHECK(!kube_quantity_text("1 Gi", quantity));
	CHECK(!kube_quantity_text("lots", quantity));
	CHECK(!kube_quantity_text("", quantity));
	CHECK(kube_time_parse("2026-01-01T00:00:01Z", &ns));
	CHECK_INT(ns, 1000000000);
	CHECK(kube_time_parse("2026-01-01T01:00:00+01:00", &ns));
	CHECK_INT(ns, 0);
	CHECK(kube_time_parse("1999-12-31T23:59:59Z", &ns));
	CHECK_TEXT(kube_time_text(ns, text), "1999-12-31T23:59:59Z");
	CHECK(!kube_time_parse("2026-13-01T00:00:01Z", &ns));
}

static const struct check tests[] = {
	{ "documents, lists and JSON are one stream of objects in file order", documents },
	{ "kind may come after the other fields, as kubectl prints it", kind_comes_last },
	{ "anchors, aliases and merge keys stand for what they name", anchors },
	{ "bytes that are no UTF-8 text are refused where they stand", bytes_that_are_no_text },
	{ "ten lines that stand for a billion values are refused at once", billion_laughs },
	{ "a hundred thousand brackets are refused", deep_nesting },
	{ "bad text is one line with place, fault and expectation", errors },
	{ "unknown fields and kinds are warnings with their place", warnings },
	{ "kube-proxy's ConfigMap gives its configuration", kube_proxy_config_map },
	{ "a snapshot keeps objects as given and implies namespaces", snapshot },
	{ "a duplicate names both places; a missing file is said in one line", duplicates },
	{ "durations, quantities and dates are read and written as Kubernetes does", scalars },
};

CHECK_MAIN(tests)
