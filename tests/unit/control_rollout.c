/* Deployments: sizes while they roll, revisions, undo, events. Expected values from
 * Kubernetes' own rules (deployment/util, replicaset). */
#include "control_fixture.h"

static const char web[] =
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: default}\n"
	"spec:\n  replicas: 3\n  selector: {matchLabels: {app: web}}\n"
	"  template:\n    metadata: {labels: {app: web}}\n"
	"    spec: {containers: [{name: c, image: \"nginx:%s\", ports: [{containerPort: 80}]}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
	"spec: {clusterIP: 10.96.0.20, selector: {app: web}, ports: [{port: 80}]}\n";

static void apply_web(struct fixture *f, const char *tag)
{
	char text[900];
	snprintf(text, sizeof text, web, tag);
	fixture_apply(f, text);
}

static struct fixture *rolled_out(void)
{
	struct fixture *f = fixture_new(3);
	fixture_start_control(f, NULL);
	apply_web(f, "1.25");
	CHECK(fixture_settle(f, 60));
	return f;
}

static void becomes_ready(void)
{
	struct fixture *f = rolled_out();
	CHECK_INT(fixture_ready(f, "app", "web"), 3);
	CHECK_INT(f->started, 3);
	uint32_t cursor = 0;
	const struct kube_endpoint_slice *s =
		kube_store_next_slice(f->store, "default", "web", &cursor);
	CHECK(s && s->endpoints.count == 3 && s->ports.count == 1);
	struct strbuf line = { 0 };
	CHECK_INT(control_rollout(f->control, KIND_DEPLOYMENT, "default", "web", &line, NULL),
		  ROLLOUT_DONE);
	CHECK_TEXT(strbuf_text(&line), "deployment \"web\" successfully rolled out");
	strbuf_free(&line);
	fixture_free(f);
}

static void names_have_the_alphabet(void)
{
	struct fixture *f = rolled_out();
	const struct kube_object *o;
	uint32_t i = 0;
	o = kube_store_next(f->store, KIND_REPLICA_SET, "default", &i);
	CHECK(o && strncmp(o->meta.name, "web-", 4) == 0);
	const char *hash = o ? kube_map_get(&o->meta.labels, "pod-template-hash") : "";
	CHECK(o && strcmp(o->meta.name + 4, hash) == 0);
	CHECK_INT(strspn(hash, "456789bcdf"), strlen(hash));
	for (i = 0; (o = kube_store_next(f->store, KIND_POD, "default", &i));) {
		const char *suffix = strrchr(o->meta.name, '-') + 1;
		CHECK_INT(strlen(suffix), 5);
		CHECK_INT(strspn(suffix, "bcdfghjklmnpqrstvwxz2456789"), 5);
	}
	fixture_free(f);
}

static void one_pod_a_node(void)
{
	struct fixture *f = rolled_out();
	const struct kube_object *o;
	int seen[4] = { 0 };
	for (uint32_t i = 0; (o = kube_store_next(f->store, KIND_POD, "default", &i));) {
		const struct kube_pod *p = (const struct kube_pod *)o;
		seen[p->spec.node_name[1] - '0']++;
		/* The first address is the bridge's. */
		char ip[40];
		snprintf(ip, sizeof ip, "10.244.%c.2", p->spec.node_name[1]);
		CHECK_TEXT(p->status.pod_ip, ip);
	}
	CHECK(seen[1] == 1 && seen[2] == 1 && seen[3] == 1);
	fixture_free(f);
}

struct sizes { struct fixture *f; int most, least; };

static void count_pods(void *ctx, enum kube_change change, const struct kube_object *old,
		       const struct kube_object *now)
{
	struct sizes *s = ctx;
	const struct kube_object *o;
	int sum = 0;
	(void)change;
	(void)old;
	(void)now;
	for (uint32_t i = 0; (o = kube_store_next(s->f->store, KIND_REPLICA_SET, "default", &i));)
		sum += (int)((const struct kube_replica_set *)o)->spec.replicas.value;
	int ready = (int)fixture_ready(s->f, "app", "web");
	s->most = sum > s->most ? sum : s->most;
	s->least = ready < s->least ? ready : s->least;
}

static void rolling_update_keeps_limits(void)
{
	struct fixture *f = rolled_out();
	struct sizes sizes = { f, 0, 99 };
	kube_watch(f->store, KIND_REPLICA_SET, 0, count_pods, &sizes);
	apply_web(f, "1.26");
	CHECK(fixture_settle(f, 120));
	CHECK_INT(fixture_ready(f, "app", "web"), 3);
	CHECK_INT(sizes.most, 4);  /* 25 % of 3, rounded up, is 1 more */
	CHECK_INT(sizes.least, 3); /* 25 % rounded down is none less */
	const struct kube_deployment *d = (const struct kube_deployment *)kube_store_get(
		f->store, KIND_DEPLOYMENT, "default", "web");
	CHECK_TEXT(kube_map_get(&d->object.meta.annotations, "deployment.kubernetes.io/revision"),
		   "2");
	CHECK_INT(kube_store_count(f->store, KIND_REPLICA_SET), 2);
	fixture_free(f);
}

static void undo_gives_the_old_set_the_next_number(void)
{
	struct fixture *f = rolled_out();
	struct strbuf said = { 0 };
	apply_web(f, "1.26");
	CHECK(fixture_settle(f, 120));
	CHECK_INT(
	    control_rollout_undo(f->control, KIND_DEPLOYMENT, "default", "web", 0, &said, NULL), 0);
	CHECK_TEXT(strbuf_text(&said), "rolled back");
	CHECK(fixture_settle(f, 120));
	CHECK_INT(kube_store_count(f->store, KIND_REPLICA_SET), 2);
	const struct kube_object *o;
	int numbers = 0;
	for (uint32_t i = 0; (o = kube_store_next(f->store, KIND_REPLICA_SET, "default", &i));) {
		const struct kube_replica_set *s = (const struct kube_replica_set *)o;
		int n =
		    atoi(kube_map_get(&o->meta.annotations, "deployment.kubernetes.io/revision"));
		numbers = numbers * 10 + n;
		if (n == 3) {
			CHECK_TEXT(s->spec.template.spec.containers.items[0].image, "nginx:1.25");
			CHECK_INT(s->spec.replicas.value, 3);
			CHECK_TEXT(kube_map_get(&o->meta.annotations,
						"deployment.kubernetes.io/revision-history"), "1");
		}
	}
	CHECK(numbers == 23 || numbers == 32);
	strbuf_clear(&said);
	control_rollout_undo(f->control, KIND_DEPLOYMENT, "default", "web", 3, &said, NULL);
	CHECK_TEXT(strbuf_text(&said),
		   "skipped rollback (current template already matches revision 3)");
	strbuf_free(&said);
	fixture_free(f);
}

static void bad_image_stalls_and_times_out(void)
{
	struct fixture *f = rolled_out();
	struct err err = { "" };
	apply_web(f, "bad");
	fixture_run(f, 30);
	CHECK_INT(fixture_ready(f, "app", "web"), 3);
	CHECK_INT(control_rollout(f->control, KIND_DEPLOYMENT, "default", "web", NULL, &err),
		  ROLLOUT_WAITING);
	fixture_run(f, 640);
	CHECK_INT(control_rollout(f->control, KIND_DEPLOYMENT, "default", "web", NULL, &err),
		  ROLLOUT_FAILED);
	CHECK_TEXT(err.text, "deployment \"web\" exceeded its progress deadline");
	fixture_free(f);
}

static void replaced_at_deletion_time(void)
{
	struct fixture *f = rolled_out();
	f->keep_running = true;
	uint32_t i = 0;
	const struct kube_object *o = kube_store_next(f->store, KIND_POD, "default", &i);
	char name[80];
	snprintf(name, sizeof name, "%s", o->meta.name);
	control_delete(f->control, KIND_POD, "default", name, -1, NULL);
	fixture_run(f, 1);
	CHECK_INT(kube_store_count(f->store, KIND_POD), 4); /* the old one still ends */
	CHECK(fixture_pod(f, name) && fixture_pod(f, name)->object.meta.deletion_ns);
	fixture_run(f, 32);
	CHECK(!fixture_pod(f, name));
	CHECK(strstr(strbuf_text(&f->log), "TERM") && strstr(strbuf_text(&f->log), "KILL"));
	fixture_free(f);
}

static void deletion_takes_everything(void)
{
	struct fixture *f = rolled_out();
	control_delete(f->control, KIND_DEPLOYMENT, "default", "web", -1, NULL);
	control_delete(f->control, KIND_SERVICE, "default", "web", -1, NULL);
	CHECK(fixture_settle(f, 60));
	CHECK_INT(kube_store_count(f->store, KIND_POD), 0);
	CHECK_INT(kube_store_count(f->store, KIND_REPLICA_SET), 0);
	CHECK_INT(kube_store_count(f->store, KIND_ENDPOINT_SLICE), 0);
	CHECK_INT(kube_store_count(f->store, KIND_ENDPOINTS), 0);
	fixture_free(f);
}

static void same_seed_same_run(void)
{
	struct fixture *a = rolled_out(), *b = rolled_out();
	CHECK_TEXT(strbuf_text(&a->log), strbuf_text(&b->log));
	CHECK_INT(kube_store_version(a->store), kube_store_version(b->store));
	CHECK_INT(engine_now(a->engine), engine_now(b->engine));
	fixture_free(a);
	fixture_free(b);
}

static const struct check tests[] = {
	{ "a Deployment with a Service ends in three ready pods in one slice", becomes_ready },
	{ "hashes and suffixes use Kubernetes' letters", names_have_the_alphabet },
	{ "three replicas go to three nodes, each node's first address is .2", one_pod_a_node },
	{ "a rolling update of three has at most four and at least three",
	  rolling_update_keeps_limits },
	{ "undo re-uses the old ReplicaSet under the next number",
	  undo_gives_the_old_set_the_next_number },
	{ "an image that can't be pulled keeps the old pods and passes the deadline",
	  bad_image_stalls_and_times_out },
	{ "a deleted pod is replaced while it still ends", replaced_at_deletion_time },
	{ "what a Deployment made goes with it", deletion_takes_everything },
	{ "the same seed gives the same run", same_seed_same_run },
};
CHECK_MAIN(tests)
