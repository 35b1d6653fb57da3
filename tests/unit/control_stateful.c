/* StatefulSets: order, partition, traps. Expected behaviour: stateful_set_control.go. */
#include "control_fixture.h"

static void apply_set(struct fixture *f, int replicas, const char *image, const char *more)
{
	char text[1500];
	snprintf(
	    text, sizeof text,
	    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web, namespace: default}\n"
	    "spec:\n  serviceName: web\n  replicas: %d\n  selector: {matchLabels: {app: web}}\n%s"
	    "  template:\n    metadata: {labels: {app: web}}\n"
	    "    spec: {terminationGracePeriodSeconds: 5, containers: [{name: c, image: "
	    "\"%s\"}]}\n",
	    replicas, more, image);
	fixture_apply(f, text);
}

static struct fixture *started(int replicas, const char *more)
{
	struct fixture *f = fixture_new(3);
	fixture_start_control(f, NULL);
	apply_set(f, replicas, "nginx:1.25", more);
	CHECK(fixture_settle(f, 120));
	return f;
}

static int64_t created(struct fixture *f, const char *name)
{
	const struct kube_pod *p = fixture_pod(f, name);
	return p ? p->object.meta.creation_ns : -1;
}

static int64_t ready_at(struct fixture *f, const char *name)
{
	const struct kube_pod *p = fixture_pod(f, name);
	for (uint32_t i = 0; p && i < p->status.conditions.count; i++)
		if (kube_is(p->status.conditions.items[i].type, "Ready"))
			return p->status.conditions.items[i].last_transition_ns;
	return -1;
}

static const char *revision(struct fixture *f, const char *name)
{
	const struct kube_pod *p = fixture_pod(f, name);
	return p ? kube_map_get(&p->object.meta.labels, "controller-revision-hash") : "";
}

static const struct kube_stateful_set *set(struct fixture *f)
{
	return (const struct kube_stateful_set *)kube_store_get(f->store, KIND_STATEFUL_SET,
								"default", "web");
}

static void created_in_order(void)
{
	struct fixture *f = started(3, "");
	CHECK(fixture_pod(f, "web-0") && fixture_pod(f, "web-1") && fixture_pod(f, "web-2"));
	CHECK(created(f, "web-1") > ready_at(f, "web-0"));
	CHECK(created(f, "web-2") > ready_at(f, "web-1"));
	const struct kube_pod *p = fixture_pod(f, "web-1");
	CHECK_TEXT(p->spec.hostname, "web-1");
	CHECK_TEXT(p->spec.subdomain, "web");
	CHECK_TEXT(kube_map_get(&p->object.meta.labels, "statefulset.kubernetes.io/pod-name"),
		   "web-1");
	CHECK_TEXT(kube_map_get(&p->object.meta.labels, "apps.kubernetes.io/pod-index"), "1");
	CHECK_TEXT(revision(f, "web-1"), set(f)->status.current_revision);
	fixture_free(f);
}

static void parallel_at_once(void)
{
	struct fixture *f = started(3, "  podManagementPolicy: Parallel\n");
	CHECK_INT(created(f, "web-0"), created(f, "web-2"));
	fixture_free(f);
}

static void scales_down_from_the_top(void)
{
	struct fixture *f = started(4, "");
	control_scale(f->control, KIND_STATEFUL_SET, "default", "web", 2, NULL);
	int64_t gone3 = 0, gone2 = 0;
	for (int i = 0; i < 400 && !(gone3 && gone2); i++) {
		fixture_run(f, 0.05);
		if (!fixture_pod(f, "web-3") && !gone3)
			gone3 = engine_now(f->engine);
		if (!fixture_pod(f, "web-2") && !gone2)
			gone2 = engine_now(f->engine);
	}
	CHECK(gone3 && gone2 && gone3 < gone2);
	CHECK(fixture_pod(f, "web-1") != NULL);
	fixture_free(f);
}

static void new_address_same_name(void)
{
	struct fixture *f = started(1, "");
	char ip[40], uid[40];
	snprintf(ip, sizeof ip, "%s", fixture_pod(f, "web-0")->status.pod_ip);
	snprintf(uid, sizeof uid, "%s", fixture_pod(f, "web-0")->object.meta.uid);
	control_delete(f->control, KIND_POD, "default", "web-0", -1, NULL);
	CHECK(fixture_settle(f, 60));
	CHECK_INT(fixture_ready(f, "app", "web"), 1);
	CHECK(strcmp(ip, fixture_pod(f, "web-0")->status.pod_ip) != 0);
	CHECK(strcmp(uid, fixture_pod(f, "web-0")->object.meta.uid) != 0);
	fixture_free(f);
}

static void partition_keeps_the_lower_ones(void)
{
	static const char part[] =
		"  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}\n";
	struct fixture *f = started(3, part);
	apply_set(f, 3, "nginx:1.26", part);
	CHECK(fixture_settle(f, 120));
	CHECK(strcmp(revision(f, "web-2"), revision(f, "web-1")) != 0);
	CHECK_TEXT(revision(f, "web-1"), set(f)->status.current_revision);
	CHECK_TEXT(revision(f, "web-2"), set(f)->status.update_revision);
	CHECK_INT(set(f)->status.updated, 1);
	/* A pod below the partition comes back with the old template. */
	control_delete(f->control, KIND_POD, "default", "web-0", -1, NULL);
	CHECK(fixture_settle(f, 120));
	CHECK_TEXT(fixture_pod(f, "web-0")->spec.containers.items[0].image, "nginx:1.25");
	fixture_free(f);
}

static void update_ends_at_one_revision(void)
{
	struct fixture *f = started(3, "");
	apply_set(f, 3, "nginx:1.26", "");
	CHECK(fixture_settle(f, 200));
	CHECK_TEXT(set(f)->status.current_revision, set(f)->status.update_revision);
	CHECK_TEXT(revision(f, "web-0"), set(f)->status.update_revision);
	CHECK(created(f, "web-2") < created(f, "web-1"));
	CHECK(created(f, "web-1") < created(f, "web-0"));
	fixture_free(f);
}

static void broken_update_is_not_rolled_back(void)
{
	struct fixture *f = started(2, "");
	apply_set(f, 2, "nginx:bad", "");
	fixture_run(f, 60);
	CHECK(!kube_condition_true(&fixture_pod(f, "web-1")->status.conditions, "Ready"));
	apply_set(f, 2, "nginx:1.25", "");
	fixture_run(f, 120);
	CHECK_TEXT(fixture_pod(f, "web-1")->spec.containers.items[0].image, "nginx:bad");
	control_delete(f->control, KIND_POD, "default", "web-1", -1, NULL);
	CHECK(fixture_settle(f, 60));
	CHECK_TEXT(fixture_pod(f, "web-1")->spec.containers.items[0].image, "nginx:1.25");
	CHECK_INT(fixture_ready(f, "app", "web"), 2);
	fixture_free(f);
}

static void claims_stay(void)
{
	struct fixture *f = fixture_new(2);
	fixture_start_control(f, NULL);
	fixture_apply(f, "apiVersion: storage.k8s.io/v1\nkind: StorageClass\n"
			  "metadata: {name: fast}\nprovisioner: example.com/disk\n");
	apply_set(
	    f, 2, "nginx:1.25",
	    "  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: "
	    "[ReadWriteOnce], storageClassName: fast, resources: {requests: {storage: 1Gi}}}}]\n");
	CHECK(fixture_settle(f, 120));
	CHECK_INT(fixture_ready(f, "app", "web"), 2);
	const struct kube_pvc *p = (const struct kube_pvc *)kube_store_get(
		f->store, KIND_PERSISTENT_VOLUME_CLAIM, "default", "data-web-1");
	CHECK(p && kube_is(p->status.phase, "Bound"));
	control_scale(f->control, KIND_STATEFUL_SET, "default", "web", 0, NULL);
	CHECK(fixture_settle(f, 120));
	CHECK_INT(kube_store_count(f->store, KIND_POD), 0);
	CHECK_INT(kube_store_count(f->store, KIND_PERSISTENT_VOLUME_CLAIM), 2);
	fixture_free(f);
}

static void start_ordinal(void)
{
	struct fixture *f = started(2, "  ordinals: {start: 5}\n");
	CHECK(fixture_pod(f, "web-5") && fixture_pod(f, "web-6") && !fixture_pod(f, "web-0"));
	fixture_free(f);
}

static const struct check tests[] = {
	{ "each pod is made after the one below is ready", created_in_order },
	{ "Parallel makes all pods at once", parallel_at_once },
	{ "scaling down takes the highest, one after the other", scales_down_from_the_top },
	{ "a pod that comes back keeps its name and gets a new address", new_address_same_name },
	{ "pods below the partition keep the old revision, also when re-created",
	  partition_keeps_the_lower_ones },
	{ "an update goes from the top down and ends with one revision",
	  update_ends_at_one_revision },
	{ "a broken update is not rolled back until its pod is deleted by hand",
	  broken_update_is_not_rolled_back },
	{ "claims are made per ordinal and outlive the pods", claims_stay },
	{ "ordinals can start above 0", start_ordinal },
};
CHECK_MAIN(tests)
