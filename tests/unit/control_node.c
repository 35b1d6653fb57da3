/* Nodes: lost, back, drained; DaemonSets, Jobs, scheduling. Times: node lifecycle and taint
 * eviction controllers of Kubernetes 1.34. */
#include "control_fixture.h"

static const char web[] =
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: default}\n"
	"spec:\n  replicas: 3\n  selector: {matchLabels: {app: web}}\n"
	"  template:\n    metadata: {labels: {app: web}}\n"
	"    spec: {containers: [{name: c, image: nginx}]}\n";

static struct fixture *started(int nodes, const char *yaml)
{
	struct fixture *f = fixture_new(nodes);
	struct control_options options;
	control_options_default(&options);
	options.images_present = true;
	fixture_start_control(f, &options);
	fixture_apply(f, yaml);
	CHECK(fixture_settle(f, 60));
	return f;
}

static const struct kube_node *node(struct fixture *f, const char *name)
{
	return (const struct kube_node *)kube_store_get(f->store, KIND_NODE, NULL, name);
}

static bool tainted(struct fixture *f, const char *name, const char *key, const char *effect)
{
	const struct kube_node *n = node(f, name);
	for (uint32_t i = 0; i < n->spec.taints.count; i++)
		if (kube_is(n->spec.taints.items[i].key, key) &&
		    kube_is(n->spec.taints.items[i].effect, effect))
			return true;
	return false;
}

#define UNREACHABLE "node.kubernetes.io/unreachable"

static void lost_node(void)
{
	struct fixture *f = started(3, web);
	int64_t start = engine_now(f->engine);
	control_node_fault(f->control, "n2", NODE_DOWN, NULL);
	while (kube_condition_true(&node(f, "n2")->status.conditions, "Ready") &&
	       engine_now(f->engine) < start + 100 * NS_PER_S)
		engine_step(f->engine);
	double seconds = (double)(engine_now(f->engine) - start) / 1e9;
	CHECK(seconds >= 40 && seconds <= 61);
	CHECK_INT(fixture_ready(f, "app", "web"), 2);
	fixture_run(f, 0.2);
	CHECK(tainted(f, "n2", UNREACHABLE, "NoSchedule"));
	CHECK(!tainted(f, "n2", UNREACHABLE, "NoExecute"));
	fixture_run(f, 6);
	CHECK(tainted(f, "n2", UNREACHABLE, "NoExecute"));
	CHECK_INT(kube_store_count(f->store, KIND_POD), 3);
	fixture_run(f, 310);
	CHECK_INT(kube_store_count(f->store, KIND_POD), 4); /* the old one can't be confirmed */
	CHECK_INT(fixture_ready(f, "app", "web"), 3);
	control_node_fault(f->control, "n2", NODE_UP, NULL);
	fixture_run(f, 10);
	CHECK(kube_condition_true(&node(f, "n2")->status.conditions, "Ready"));
	CHECK_INT(node(f, "n2")->spec.taints.count, 0);
	CHECK_INT(kube_store_count(f->store, KIND_POD), 3);
	fixture_free(f);
}

static void short_outage_changes_nothing(void)
{
	struct fixture *f = started(3, web);
	control_node_fault(f->control, "n2", NODE_PARTITIONED, NULL);
	fixture_run(f, 30);
	control_node_fault(f->control, "n2", NODE_UP, NULL);
	fixture_run(f, 60);
	CHECK_INT(fixture_ready(f, "app", "web"), 3);
	CHECK(kube_condition_true(&node(f, "n2")->status.conditions, "Ready"));
	fixture_free(f);
}

static void all_nodes_lost_evicts_nobody(void)
{
	struct fixture *f = started(2, web);
	control_node_fault(f->control, "n1", NODE_PARTITIONED, NULL);
	control_node_fault(f->control, "n2", NODE_PARTITIONED, NULL);
	fixture_run(f, 500);
	CHECK(!tainted(f, "n1", UNREACHABLE, "NoExecute"));
	CHECK_INT(kube_store_count(f->store, KIND_POD), 3);
	fixture_free(f);
}

static void stateful_set_waits_for_the_lost(void)
{
	struct fixture *f =
	    started(2, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, "
		       "namespace: default}\nspec:\n  serviceName: db\n  replicas: 2\n"
		       "  selector: {matchLabels: {app: db}}\n  template:\n    metadata: "
		       "{labels: {app: db}}\n    spec: {containers: [{name: c, image: x}]}\n");
	char name[20];
	snprintf(name, sizeof name, "%s", fixture_pod(f, "db-1")->spec.node_name);
	control_node_fault(f->control, name, NODE_DOWN, NULL);
	fixture_run(f, 600);
	CHECK(fixture_pod(f, "db-1") && fixture_pod(f, "db-1")->object.meta.deletion_ns);
	control_delete(f->control, KIND_POD, "default", "db-1", 0, NULL);
	fixture_run(f, 10);
	CHECK(fixture_pod(f, "db-1") && !fixture_pod(f, "db-1")->object.meta.deletion_ns);
	CHECK(strcmp(fixture_pod(f, "db-1")->spec.node_name, name) != 0);
	fixture_free(f);
}

static void reboot_keeps_pods(void)
{
	struct fixture *f = started(1, web);
	control_node_fault(f->control, "n1", NODE_DOWN, NULL);
	fixture_run(f, 20);
	control_node_fault(f->control, "n1", NODE_UP, NULL);
	CHECK(fixture_settle(f, 60));
	CHECK_INT(fixture_ready(f, "app", "web"), 3);
	CHECK_INT(f->attached, 6);
	uint32_t i = 0;
	const struct kube_pod *p =
	    (const struct kube_pod *)kube_store_next(f->store, KIND_POD, "default", &i);
	CHECK_INT(p->status.containers.items[0].restart_count, 1);
	fixture_free(f);
}

static void drain(void)
{
	struct fixture *f = started(3, web);
	struct control_drain_options o = { .grace_s = -1 };
	struct strbuf said = { 0 };
	fixture_apply(f, "apiVersion: v1\nkind: Pod\nmetadata: {name: bare, namespace: default}\n"
			 "spec: {nodeName: n1, containers: [{name: c, image: x}]}\n");
	CHECK(fixture_settle(f, 60));
	struct err err = { "" };
	CHECK(control_drain(f->control, "n1", &o, &said, &err) != 0);
	CHECK(strstr(err.text,
		     "cannot delete Pods that declare no controller (use --force to override): "
		     "default/bare"));
	o.force = true;
	CHECK(control_drain(f->control, "n1", &o, &said, &err) == 0);
	CHECK(fixture_settle(f, 90));
	CHECK(control_drained(f->control, "n1"));
	CHECK_INT(fixture_ready(f, "app", "web"), 3);
	CHECK(tainted(f, "n1", "node.kubernetes.io/unschedulable", "NoSchedule"));
	CHECK(strstr(strbuf_text(&said), "evicting pod default/web-"));
	strbuf_free(&said);
	fixture_free(f);
}

static void daemon_set_on_every_node(void)
{
	struct fixture *f =
	    started(3, "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent, "
		       "namespace: default}\nspec:\n  selector: {matchLabels: {app: agent}}\n"
		       "  template:\n    metadata: {labels: {app: agent}}\n    spec: "
		       "{containers: [{name: c, image: x}]}\n");
	CHECK_INT(fixture_ready(f, "app", "agent"), 3);
	control_cordon(f->control, "n2", true, NULL);
	fixture_nodes(f, 1); /* unchanged: n1 is there already */
	CHECK(fixture_settle(f, 30));
	CHECK_INT(fixture_ready(f, "app", "agent"), 3); /* a cordon does not move them */
	fixture_apply(
	    f,
	    "apiVersion: v1\nkind: Node\nmetadata: {name: n9}\nspec: {podCIDR: 10.244.9.0/24}\n");
	CHECK(fixture_settle(f, 30));
	CHECK_INT(fixture_ready(f, "app", "agent"), 4);
	CHECK_INT(control_rollout(f->control, KIND_DAEMON_SET, "default", "agent", NULL, NULL),
		  ROLLOUT_DONE);
	fixture_free(f);
}

static void unschedulable(void)
{
	struct fixture *f =
	    started(2, "apiVersion: v1\nkind: Pod\nmetadata: {name: big, namespace: default}\n"
		       "spec: {nodeSelector: {disk: ssd}, containers: [{name: c, image: x}]}\n");
	const struct kube_pod *p = fixture_pod(f, "big");
	CHECK(!p->spec.node_name);
	CHECK_TEXT(
	    p->status.conditions.items[0].message,
	    "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. "
	    "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.");
	struct kube_object *n = kube_copy(&node(f, "n2")->object);
	kube_map_set(n, &n->meta.labels, "disk", "ssd");
	kube_store_update(f->store, n, false, NULL);
	CHECK(fixture_settle(f, 30));
	CHECK_TEXT(fixture_pod(f, "big")->spec.node_name, "n2");
	fixture_free(f);
}

static void job_completes(void)
{
	struct fixture *f =
	    started(1, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: once, namespace: "
		       "default}\nspec:\n  completions: 2\n  template:\n    spec: "
		       "{restartPolicy: Never, containers: [{name: c, image: x}]}\n");
	for (int round = 0; round < 2; round++) {
		const struct kube_object *o;
		for (uint32_t i = 0; (o = kube_store_next(f->store, KIND_POD, "default", &i));)
			control_container_exited(
			    f->control,
			    control_container_id(f->control, "default", o->meta.name, NULL), 0);
		CHECK(fixture_settle(f, 60));
	}
	const struct kube_job *j =
	    (const struct kube_job *)kube_store_get(f->store, KIND_JOB, "default", "once");
	CHECK_INT(j->status.succeeded, 2);
	CHECK(kube_condition_true(&j->status.conditions, "Complete"));
	CHECK_INT(kube_store_count(f->store, KIND_POD), 2);
	fixture_free(f);
}

static void namespace_takes_its_contents(void)
{
	struct fixture *f =
	    started(1, "apiVersion: v1\nkind: Namespace\nmetadata: {name: dev}\n---\n"
		       "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: dev}\n"
		       "spec: {containers: [{name: c, image: x}]}\n");
	control_delete(f->control, KIND_NAMESPACE, NULL, "dev", -1, NULL);
	fixture_run(f, 10);
	CHECK(!kube_store_get(f->store, KIND_NAMESPACE, NULL, "dev"));
	CHECK_INT(kube_store_count(f->store, KIND_POD), 0);
	fixture_free(f);
}

static void load_balancer_gets_an_address(void)
{
	struct fixture *f =
	    started(1, "apiVersion: v1\nkind: Service\nmetadata: {name: lb, namespace: "
		       "default}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n");
	const struct kube_service *s = (const struct kube_service *)kube_store_get(
		f->store, KIND_SERVICE, "default", "lb");
	CHECK(s->status.ingress.count == 1);
	CHECK_TEXT(s->status.ingress.items[0].ip, "203.0.113.1");
	control_delete(f->control, KIND_SERVICE, "default", "lb", -1, NULL);
	CHECK(fixture_settle(f, 10));
	CHECK(!kube_store_get(f->store, KIND_SERVICE, "default", "lb"));
	fixture_free(f);
}

static const struct check tests[] = {
	{ "a lost node: not ready after 40 to 61 s, NoExecute 5 s later, pods replaced 300 s after "
	  "that",
	  lost_node },
	{ "an outage below the grace period changes nothing", short_outage_changes_nothing },
	{ "when all nodes are lost nobody is evicted", all_nodes_lost_evicts_nobody },
	{ "a StatefulSet waits for a pod that can't be confirmed gone",
	  stateful_set_waits_for_the_lost },
	{ "pods survive a reboot with new sandboxes", reboot_keeps_pods },
	{ "drain refuses bare pods, then evicts all", drain },
	{ "a DaemonSet has a pod on every node, also on a new one", daemon_set_on_every_node },
	{ "a pod that fits nowhere says why and waits for a node", unschedulable },
	{ "a Job ends when enough pods have succeeded", job_completes },
	{ "a namespace is deleted with what is in it", namespace_takes_its_contents },
	{ "a LoadBalancer Service gets an address and gives it back",
	  load_balancer_gets_an_address },
};
CHECK_MAIN(tests)
