/* tests/unit/kube_store.c: objects, order, indexes, watchers, and the API server's verbs. */
#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "kube/admit.h"
#include "kube/allocate.h"
#include "kube/schema.h"
#include "kube/store.h"

static struct kube_object *make(enum kube_kind kind, const char *namespace, const char *name)
{
	struct kube_object *o = kube_new(kind);
	o->meta.namespace = kube_string(o, namespace);
	o->meta.name = kube_string(o, name);
	return o;
}

static void put(struct kube_store *s, const char *namespace, const char *name)
{
	CHECK_INT(kube_store_create(s, make(KIND_CONFIG_MAP, namespace, name), NULL), 0);
}

static char *names(struct kube_store *s, const char *namespace, bool created)
{
	struct strbuf out = { 0 };
	const struct kube_object *o;
	uint32_t i = 0;
	while ((o = created ? kube_store_next_created(s, KIND_CONFIG_MAP, &i) :
			      kube_store_next(s, KIND_CONFIG_MAP, namespace, &i)))
		strbuf_printf(&out, "%s/%s ", o->meta.namespace, o->meta.name);
	return strbuf_steal(&out);
}

static void same(char *actual, const char *expected)
{
	CHECK_TEXT(actual, expected);
	free(actual);
}

static void order(void)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	put(s, "b", "x");
	put(s, "a", "y");
	put(s, "b", "a");
	put(s, "a", "b");
	same(names(s, NULL, false), "a/b a/y b/a b/x ");
	same(names(s, "b", false), "b/a b/x ");
	same(names(s, "c", false), "");
	same(names(s, NULL, true), "b/x a/y b/a a/b ");
	CHECK_INT(kube_store_delete(s, KIND_CONFIG_MAP, "a", "y", NULL), 0);
	put(s, "a", "c");
	same(names(s, NULL, false), "a/b a/c b/a b/x ");
	same(names(s, NULL, true), "b/x b/a a/b a/c ");
	kube_store_free(s);
}

/* "namespace/name" of Services that the writes after `since` touched, the latest first. */
static char *touched(struct kube_store *s, uint64_t since)
{
	struct strbuf out = { 0 };
	const char *namespace, *name;
	uint32_t i = 0;
	CHECK(kube_store_recalls(s, since));
	while (kube_store_next_touched(s, since, &i, &namespace, &name))
		strbuf_printf(&out, "%s/%s ", namespace, name);
	return strbuf_steal(&out);
}

static struct kube_object *slice_of(const char *name, const char *service)
{
	struct kube_object *o = make(KIND_ENDPOINT_SLICE, "a", name);
	if (service)
		kube_map_set(o, &o->meta.labels, "kubernetes.io/service-name", service);
	return o;
}

static void touches(void)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	CHECK_INT(kube_store_create(s, make(KIND_SERVICE, "a", "web"), NULL), 0);
	CHECK_INT(kube_store_create(s, make(KIND_ENDPOINTS, "b", "db"), NULL), 0);
	uint64_t start = kube_store_version(s);
	put(s, "a", "unrelated");
	same(touched(s, 0), "b/db a/web ");
	same(touched(s, start), "");
	CHECK_INT(kube_store_create(s, slice_of("s1", "web"), NULL), 0);
	CHECK_INT(kube_store_create(s, slice_of("s2", NULL), NULL), 0);
	same(touched(s, start), "a/web ");
	uint64_t later = kube_store_version(s);
	CHECK_INT(kube_store_update(s, slice_of("s1", "other"), true, NULL), 0);
	same(touched(s, later), "a/other a/web ");
	CHECK_INT(kube_store_delete(s, KIND_ENDPOINT_SLICE, "a", "s1", NULL), 0);
	CHECK_INT(kube_store_delete(s, KIND_SERVICE, "a", "web", NULL), 0);
	same(touched(s, later), "a/web a/other a/other a/web ");
	for (int i = 0; i < 3000; i++)
		CHECK_INT(kube_store_update(s, make(KIND_ENDPOINTS, "b", "db"), true, NULL), 0);
	CHECK(!kube_store_recalls(s, later));
	CHECK(kube_store_recalls(s, kube_store_version(s) - 1000));
	same(touched(s, kube_store_version(s) - 2), "b/db b/db ");
	kube_store_free(s);
}

static void errors(void)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	struct err err;
	put(s, "a", "x");
	CHECK_INT(kube_store_create(s, make(KIND_CONFIG_MAP, "a", "x"), &err), EEXIST);
	CHECK_TEXT(err.text, "configmaps \"x\" already exists");
	CHECK_INT(kube_store_delete(s, KIND_DEPLOYMENT, "a", "w", &err), ENOENT);
	CHECK_TEXT(err.text, "deployments.apps \"w\" not found");
	CHECK_INT(kube_store_update(s, make(KIND_POD, "a", "w"), false, &err), ENOENT);
	CHECK(kube_store_get(s, KIND_CONFIG_MAP, "a", "z") == NULL);
	kube_store_free(s);
}

static void versions(void)
{
	struct choice *one = choice_new(7), *two = choice_new(7);
	struct kube_store *s = kube_store_new(NULL, one), *t = kube_store_new(NULL, two);
	put(s, "a", "x");
	put(t, "a", "x");
	const struct kube_object *o = kube_store_get(s, KIND_CONFIG_MAP, "a", "x");
	CHECK_TEXT(o->meta.uid, kube_store_get(t, KIND_CONFIG_MAP, "a", "x")->meta.uid);
	CHECK_INT(strlen(o->meta.uid), 36);
	CHECK_INT(o->meta.resource_version, 1);
	CHECK_INT(o->meta.generation, 1);
	struct kube_object *copy = kube_copy(o);
	kube_map_set(copy, &copy->meta.labels, "b", "2");
	kube_map_set(copy, &copy->meta.labels, "a", "1");
	kube_map_set(copy, &copy->meta.labels, "b", "3");
	CHECK_INT(kube_store_update(s, copy, true, NULL), 0);
	o = kube_store_get(s, KIND_CONFIG_MAP, "a", "x");
	CHECK_INT(o->meta.resource_version, 2);
	CHECK_INT(o->meta.generation, 2);
	CHECK_INT(o->meta.labels.count, 2);
	CHECK_TEXT(o->meta.labels.items[0].key, "a");
	CHECK_TEXT(kube_map_get(&o->meta.labels, "b"), "3");
	kube_store_free(s);
	kube_store_free(t);
	choice_free(one);
	choice_free(two);
}

/* Random creations, deletions and walks against a plain array. */
static void random_operations(void)
{
	enum { KEYS = 3000, OPERATIONS = 30000 };
	static bool present[KEYS];
	struct choice *c = choice_new(5);
	struct kube_store *s = kube_store_new(NULL, NULL);
	char name[16];
	memset(present, 0, sizeof present);
	for (int i = 0; i < OPERATIONS; i++) {
		uint32_t key = (uint32_t)choice_uniform(c, "key", KEYS);
		snprintf(name, sizeof name, "n%05u", key);
		if (present[key])
			CHECK_INT(kube_store_delete(s, KIND_CONFIG_MAP, "ns", name, NULL), 0);
		else
			put(s, "ns", name);
		present[key] = !present[key];
		if (i % 977)
			continue;
		const struct kube_object *o;
		uint32_t cursor = 0, at = 0, count = 0;
		while ((o = kube_store_next(s, KIND_CONFIG_MAP, "ns", &cursor))) {
			while (at < KEYS && !present[at])
				at++;
			snprintf(name, sizeof name, "n%05u", at++);
			CHECK_TEXT(o->meta.name, name);
			count++;
		}
		CHECK_INT(count, kube_store_count(s, KIND_CONFIG_MAP));
	}
	kube_store_free(s);
	choice_free(c);
}

static void changes_during_a_walk(void)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	const struct kube_object *o;
	struct strbuf seen = { 0 };
	uint32_t cursor = 0;
	put(s, "n", "b");
	put(s, "n", "d");
	put(s, "n", "f");
	while ((o = kube_store_next(s, KIND_CONFIG_MAP, NULL, &cursor))) {
		strbuf_printf(&seen, "%s ", o->meta.name);
		if (strcmp(o->meta.name, "b") == 0) {
			put(s, "n", "a"); /* behind: not seen */
			put(s, "n", "c"); /* ahead: seen */
			kube_store_delete(s, KIND_CONFIG_MAP, "n", "b", NULL);
			kube_store_delete(s, KIND_CONFIG_MAP, "n", "d", NULL);
		}
	}
	CHECK_TEXT(seen.data, "b c f ");
	strbuf_free(&seen);
	kube_store_free(s);
}

/* ---- indexes -------------------------------------------------------------------------- */

static void add_slice(struct kube_store *s, const char *name, const char *service)
{
	struct kube_object *o = make(KIND_ENDPOINT_SLICE, "ns", name);
	kube_map_set(o, &o->meta.labels, "kubernetes.io/service-name", service);
	CHECK_INT(kube_store_create(s, o, NULL), 0);
}

static char *slices(struct kube_store *s, const char *service)
{
	struct strbuf out = { 0 };
	const struct kube_endpoint_slice *e;
	for (uint32_t i = 0; (e = kube_store_next_slice(s, "ns", service, &i));)
		strbuf_printf(&out, "%s ", e->object.meta.name);
	return strbuf_steal(&out);
}

static void slice_index(void)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	add_slice(s, "web-z", "web");
	add_slice(s, "web-a", "web");
	add_slice(s, "db-a", "db");
	same(slices(s, "web"), "web-a web-z ");
	struct kube_object *moved =
	    kube_copy(kube_store_get(s, KIND_ENDPOINT_SLICE, "ns", "web-z"));
	kube_map_set(moved, &moved->meta.labels, "kubernetes.io/service-name", "db");
	CHECK_INT(kube_store_update(s, moved, false, NULL), 0);
	same(slices(s, "web"), "web-a ");
	same(slices(s, "db"), "db-a web-z ");
	kube_store_delete(s, KIND_ENDPOINT_SLICE, "ns", "web-a", NULL);
	same(slices(s, "web"), "");
	kube_store_free(s);
}

static void add_pod(struct kube_store *s, const char *name, const char *ip, bool host_network)
{
	struct kube_object *o = make(KIND_POD, "ns", name);
	struct kube_pod *p = (struct kube_pod *)o;
	p->status.pod_ip = kube_string(o, ip);
	p->spec.host_network = host_network ? TRI_TRUE : TRI_UNSET;
	CHECK_INT(kube_store_create(s, o, NULL), 0);
}

static void pod_index(void)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	struct net_addr ip;
	CHECK(net_addr_parse("10.0.0.1", &ip));
	add_pod(s, "a", "10.0.0.1", false);
	add_pod(s, "host", "10.0.0.1", true);
	CHECK_TEXT(kube_store_pod_by_ip(s, &ip)->object.meta.name, "a");
	add_pod(s, "b", "10.0.0.1", false); /* a's address was given away before a was gone */
	CHECK_TEXT(kube_store_pod_by_ip(s, &ip)->object.meta.name, "b");
	kube_store_delete(s, KIND_POD, "ns", "b", NULL);
	CHECK_TEXT(kube_store_pod_by_ip(s, &ip)->object.meta.name, "a");
	struct kube_object *done = kube_copy(kube_store_get(s, KIND_POD, "ns", "a"));
	((struct kube_pod *)done)->status.phase = "Succeeded";
	CHECK_INT(kube_store_update(s, done, false, NULL), 0);
	CHECK(kube_store_pod_by_ip(s, &ip) == NULL);
	kube_store_free(s);
}

/* ---- watchers ---------------------------------------------------------------------------- */

static struct strbuf heard;

static void hear(void *ctx, enum kube_change change, const struct kube_object *old,
		 const struct kube_object *now)
{
	strbuf_printf(&heard, "%s%s:%s%s ", (const char *)ctx,
		      change == KUBE_ADDED ? "+" : change == KUBE_DELETED ? "-" : "=",
		      old ? old->meta.name : "", now ? now->meta.name : "");
}

static void watchers(void)
{
	struct engine *e = engine_new();
	struct kube_store *s = kube_store_new(e, NULL);
	strbuf_clear(&heard);
	kube_watch(s, KIND_NONE, 0, hear, "all");
	uint32_t slow = kube_watch(s, KIND_CONFIG_MAP, 5, hear, "slow");
	kube_watch(s, KIND_POD, 1, hear, "pods");
	put(s, "n", "x");
	CHECK_TEXT(strbuf_text(&heard), "all+:x ");
	kube_store_update(s, kube_copy(kube_store_get(s, KIND_CONFIG_MAP, "n", "x")), false, NULL);
	kube_store_delete(s, KIND_CONFIG_MAP, "n", "x", NULL);
	add_pod(s, "p", "10.0.0.1", false);
	strbuf_clear(&heard);
	engine_run_until(e, 4);
	CHECK_TEXT(strbuf_text(&heard), "pods+:p ");
	engine_run_until(e, 5);
	CHECK_TEXT(strbuf_text(&heard), "pods+:p slow+:x slow=:xx slow-:x ");
	put(s, "n", "late");
	kube_unwatch(s, slow);
	strbuf_clear(&heard);
	engine_run_until(e, 20);
	CHECK_TEXT(strbuf_text(&heard), "");
	put(s, "n", "pending"); /* freed before it is told */
	kube_store_free(s);
	engine_free(e);
	strbuf_free(&heard);
}

/* ---- the API server ------------------------------------------------------------------------ */

static struct kube_object *service(const char *name, const char *type)
{
	struct kube_object *o = make(KIND_SERVICE, "default", name);
	struct kube_service *s = (struct kube_service *)o;
	s->spec.type = kube_string(o, type);
	s->spec.ports.items = arena_array(o->arena, 1, sizeof *s->spec.ports.items);
	s->spec.ports.items[0].port = 80;
	s->spec.ports.count = 1;
	return o;
}

/* KEP-3070 and KEP-3668: dynamic values come from the upper band first. */
static void bands(void)
{
	struct choice *c = choice_new(3);
	struct kube_store *s = kube_store_new(NULL, c);
	struct kube_admit_options options = { { "10.0.0.0/24", NULL }, 30000, 30099, c };
	struct kube_admit *a = kube_admit_new(s, &options);
	char name[16];
	int low_addresses = 0, low_ports = 0;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "s%d", i);
		CHECK_INT(kube_admit_create(a, service(name, "NodePort"), NULL), 0);
		const struct kube_service *made =
			(const void *)kube_store_get(s, KIND_SERVICE, "default", name);
		struct net_addr ip;
		CHECK(net_addr_parse(made->spec.cluster_ip, &ip));
		bool low = ip.bytes[3] <= 16,
		     low_port = made->spec.ports.items[0].node_port < 30016;
		CHECK(ip.bytes[3] >= 1 && ip.bytes[3] <= 254);
		CHECK(!low_port || i >= 84); /* 84 of 100 ports are in the upper band */
		low_addresses += low;
		low_ports += low_port;
	}
	CHECK_INT(low_addresses, 0);
	CHECK_INT(low_ports, 16);
	struct kube_answer answer = { 0 };
	CHECK_INT(kube_admit_create(a, service("more", "NodePort"), &answer), ENOSPC);
	CHECK_TEXT(answer.message.data,
		   "Internal error occurred: failed to allocate a nodePort: range is full");
	CHECK_INT(kube_admit_create(a, service("plain", "ClusterIP"), &answer), 0);
	CHECK_INT(kube_admit_delete(a, KIND_SERVICE, "default", "s7", NULL, &answer), 0);
	CHECK_INT(kube_admit_create(a, service("more", "NodePort"), &answer), 0); /* it was freed */
	kube_answer_free(&answer);
	kube_admit_free(a);
	kube_store_free(s);
	choice_free(c);
}

static void answers(void)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	struct kube_admit *a = kube_admit_new(s, NULL);
	struct kube_answer answer = { 0 };
	struct strbuf out = { 0 };
	struct kube_object *bad = service("web", "Cluster");
	CHECK_INT(kube_admit_create(a, bad, &answer), EINVAL);
	kube_answer_text(&answer, "error when creating \"web.yaml\"", true, &out);
	CHECK_TEXT(out.data,
		   "The Service \"web\" is invalid: spec.type: Unsupported value: \"Cluster\": "
		   "supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", "
		   "\"NodePort\"\n");
	bad = service("web", "Cluster");
	((struct kube_service *)bad)->spec.ports.count = 0;
	CHECK_INT(kube_admit_create(a, bad, &answer), EINVAL);
	strbuf_clear(&out);
	kube_answer_text(&answer, NULL, true, &out);
	CHECK_TEXT(out.data,
		   "The Service \"web\" is invalid: \n* spec.ports: Required value\n* spec.type: "
		   "Unsupported value: \"Cluster\": supported values: \"ClusterIP\", "
		   "\"ExternalName\", \"LoadBalancer\", \"NodePort\"\n");
	strbuf_clear(&out);
	kube_answer_text(&answer, "error when creating \"web.yaml\"", false, &out);
	CHECK_TEXT(out.data,
		   "Error from server (Invalid): error when creating \"web.yaml\": Service "
		   "\"web\" is invalid: [spec.ports: Required value, spec.type: Unsupported "
		   "value: \"Cluster\": supported values: \"ClusterIP\", \"ExternalName\", "
		   "\"LoadBalancer\", \"NodePort\"]\n");
	strbuf_clear(&out);
	CHECK_INT(kube_admit_delete(a, KIND_SERVICE, "default", "web", NULL, &answer), ENOENT);
	kube_answer_text(&answer, NULL, true, &out);
	CHECK_TEXT(out.data, "Error from server (NotFound): services \"web\" not found\n");
	strbuf_free(&out);
	kube_answer_free(&answer);
	kube_admit_free(a);
	kube_store_free(s);
}

static void conflicts(void)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	struct kube_admit *a = kube_admit_new(s, NULL);
	struct kube_answer answer = { 0 };
	CHECK_INT(kube_admit_create(a, service("web", "ClusterIP"), &answer), 0);
	struct kube_object *mine = kube_copy(kube_store_get(s, KIND_SERVICE, "default", "web"));
	struct kube_object *theirs = kube_copy(mine), *same_again = kube_copy(mine);
	CHECK_INT(kube_admit_update(a, same_again, &answer), 0);
	CHECK(answer.unchanged);
	((struct kube_service *)theirs)->spec.session_affinity = "ClientIP";
	CHECK_INT(kube_admit_update(a, theirs, &answer), 0);
	CHECK(!answer.unchanged);
	kube_map_set(mine, &mine->meta.labels, "a", "b");
	CHECK_INT(kube_admit_update(a, mine, &answer), EAGAIN);
	CHECK_TEXT(answer.message.data, "Operation cannot be fulfilled on services \"web\": the "
					"object has been modified; please "
					"apply your changes to the latest version and try again");
	const struct kube_service *stored =
		(const void *)kube_store_get(s, KIND_SERVICE, "default", "web");
	CHECK_INT(stored->spec.affinity_timeout_s.value, 10800);
	CHECK_INT(stored->object.meta.generation, 2);
	kube_answer_free(&answer);
	kube_admit_free(a);
	kube_store_free(s);
}

static struct kube_object *running_pod(const char *node)
{
	struct kube_object *o = make(KIND_POD, "default", "p");
	struct kube_pod *p = (struct kube_pod *)o;
	p->spec.node_name = kube_string(o, node);
	p->spec.containers.items = arena_array(o->arena, 1, sizeof *p->spec.containers.items);
	p->spec.containers.items[0] = (struct kube_container){ .name = "c", .image = "nginx" };
	p->spec.containers.count = 1;
	return o;
}

static void graceful_deletion(void)
{
	struct engine *e = engine_new();
	struct kube_store *s = kube_store_new(e, NULL);
	struct kube_admit *a = kube_admit_new(s, NULL);
	const struct kube_delete now = { .grace_s = { true, 0 } };
	CHECK_INT(kube_admit_create(a, running_pod("node-1"), NULL), 0);
	CHECK_INT(kube_admit_delete(a, KIND_POD, "default", "p", NULL, NULL), 0);
	const struct kube_object *o = kube_store_get(s, KIND_POD, "default", "p");
	CHECK(o != NULL);
	CHECK_INT(o->meta.deletion_ns, 30 * NS_PER_S);
	CHECK_INT(o->meta.deletion_grace_s.value, 30);
	CHECK_TEXT(((const struct kube_pod *)o)->status.qos_class, "BestEffort");
	CHECK_INT(((const struct kube_pod *)o)->spec.tolerations.count, 2);
	CHECK_INT(kube_admit_delete(a, KIND_POD, "default", "p", &now, NULL), 0); /* the kubelet */
	CHECK(kube_store_get(s, KIND_POD, "default", "p") == NULL);
	CHECK_INT(kube_admit_create(a, running_pod(NULL), NULL), 0);
	CHECK_INT(kube_admit_delete(a, KIND_POD, "default", "p", NULL, NULL), 0); /* on no node */
	CHECK(kube_store_get(s, KIND_POD, "default", "p") == NULL);
	kube_admit_free(a);
	kube_store_free(s);
	engine_free(e);
}

static void finalizers(void)
{
	struct kube_store *s = kube_store_new(NULL, NULL);
	struct kube_admit *a = kube_admit_new(s, NULL);
	struct kube_object *o = make(KIND_CONFIG_MAP, "default", "x");
	o->meta.finalizers.items = arena_array(o->arena, 1, sizeof(char *));
	o->meta.finalizers.items[0] = "example.com/hold";
	o->meta.finalizers.count = 1;
	CHECK_INT(kube_admit_create(a, o, NULL), 0);
	CHECK_INT(kube_admit_delete(a, KIND_CONFIG_MAP, "default", "x", NULL, NULL), 0);
	const struct kube_object *held = kube_store_get(s, KIND_CONFIG_MAP, "default", "x");
	CHECK(held && held->meta.deletion_ns);
	struct kube_object *free_now = kube_copy(held);
	free_now->meta.finalizers.count = 0;
	CHECK_INT(kube_admit_update(a, free_now, NULL), 0);
	CHECK(kube_store_get(s, KIND_CONFIG_MAP, "default", "x") == NULL);
	kube_admit_free(a);
	kube_store_free(s);
}

static void generated_names(void)
{
	struct choice *c = choice_new(1);
	struct kube_store *s = kube_store_new(NULL, c);
	struct kube_admit_options options = { .choice = c };
	struct kube_admit *a = kube_admit_new(s, &options);
	struct kube_answer answer = { 0 };
	struct kube_object *o = make(KIND_CONFIG_MAP, "default", NULL);
	o->meta.generate_name = "web-";
	CHECK_INT(kube_admit_create(a, o, &answer), 0);
	CHECK_INT(answer.name.length, 9);
	CHECK_INT(strspn(answer.name.data + 4, "bcdfghjklmnpqrstvwxz2456789"), 5);
	kube_answer_free(&answer);
	kube_admit_free(a);
	kube_store_free(s);
	choice_free(c);
}

static const struct check tests[] = {
	{ "objects are walked by namespace and name, or as they were made", order },
	{ "what is there already and what is missing are errors", errors },
	{ "versions and generations rise, uids come from the seed", versions },
	{ "30,000 random operations agree with a plain array", random_operations },
	{ "a walk survives changes and sees what lies ahead", changes_during_a_walk },
	{ "slices are found by their Service", slice_index },
	{ "pods are found by address, also when two claim it", pod_index },
	{ "watchers are told in their order, each after its delay", watchers },
	{ "addresses and node ports come from the upper band first", bands },
	{ "refusals read as kubectl prints them", answers },
	{ "the store recalls which Services the latest writes touched", touches },
	{ "an update of an older version is refused, an equal one changes nothing", conflicts },
	{ "a pod on a node is marked, then removed by its kubelet", graceful_deletion },
	{ "an object with a finalizer goes when the last one does", finalizers },
	{ "generateName makes five letters of Kubernetes' alphabet", generated_names },
};

CHECK_MAIN(tests)
