/* Kubelets: phases, probes, restarts, termination, files. Expected times: prober/worker.go,
 * kuberuntime_manager.go, kubelet defaults of Kubernetes 1.34. */
#include "control_fixture.h"

static void apply_pod(struct fixture *f, const char *spec, const char *annotations)
{
	char text[1500];
	snprintf(
	    text, sizeof text,
	    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: default, labels: {app: p}, "
	    "annotations: {%s}}\nspec: {%s}\n",
	    annotations, spec);
	fixture_apply(f, text);
}

static struct fixture *exact(void)
{
	struct fixture *f = fixture_new(1);
	struct control_options options;
	control_options_default(&options);
	options.exact_times = true;
	options.images_present = true;
	fixture_start_control(f, &options);
	return f;
}

#define PLAIN "containers: [{name: c, image: busybox}]"

static const struct kube_pod *pod(struct fixture *f)
{
	return fixture_pod(f, "p");
}

static bool event_seen(struct fixture *f, const char *reason, const char *part)
{
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next(f->store, KIND_EVENT, "default", &i));) {
		const struct kube_event *e = (const struct kube_event *)o;
		if (kube_is(e->reason, reason) && strstr(e->message, part))
			return true;
	}
	return false;
}

static void from_pending_to_running(void)
{
	struct fixture *f = exact();
	apply_pod(f, PLAIN, "");
	CHECK_TEXT(pod(f)->status.phase, "Pending");
	fixture_run(f, 0.2);
	CHECK_TEXT(pod(f)->spec.node_name, "n1");
	CHECK_TEXT(pod(f)->status.containers.items[0].reason, "ContainerCreating");
	CHECK(!pod(f)->status.pod_ip);
	fixture_run(f, 3);
	CHECK_TEXT(pod(f)->status.phase, "Running");
	CHECK_TEXT(pod(f)->status.pod_ip, "10.244.1.2");
	CHECK_TEXT(pod(f)->status.host_ip, "192.168.0.11");
	CHECK(kube_condition_true(&pod(f)->status.conditions, "Ready"));
	CHECK_TEXT(pod(f)->status.conditions.items[0].type, "PodReadyToStartContainers");
	CHECK_TEXT(pod(f)->status.qos_class, "BestEffort");
	CHECK(event_seen(f, "Scheduled", "Successfully assigned default/p to n1"));
	CHECK(event_seen(f, "Started", "Started container c"));
	fixture_free(f);
}

static void host_network_shares_the_node(void)
{
	struct fixture *f = exact();
	apply_pod(f, "hostNetwork: true, " PLAIN, "");
	CHECK(fixture_settle(f, 30));
	CHECK_TEXT(pod(f)->status.pod_ip, "192.168.0.11");
	fixture_free(f);
}

static void pull_back_off(void)
{
	struct fixture *f = exact();
	apply_pod(f, "containers: [{name: c, image: \"busybox:missing\"}]", "");
	fixture_run(f, 20);
	CHECK_TEXT(pod(f)->status.phase, "Pending");
	CHECK_TEXT(pod(f)->status.containers.items[0].reason, "ImagePullBackOff");
	CHECK(event_seen(f, "BackOff", "Back-off pulling image \"busybox:missing\""));
	fixture_free(f);
}

/* The first restart is immediate, the second waits 10 s, the third 20 s. */
static void crash_loop(void)
{
	struct fixture *f = exact();
	apply_pod(f, PLAIN, "");
	CHECK(fixture_settle(f, 30));
	CHECK(!control_kill_container(f->control, "default", "p", NULL, 1, NULL));
	fixture_run(f, 2);
	CHECK_INT(pod(f)->status.containers.items[0].restart_count, 1);
	CHECK_TEXT(pod(f)->status.containers.items[0].state, "running");
	CHECK(pod(f)->status.containers.items[0].last.set);
	CHECK_INT(pod(f)->status.containers.items[0].last.exit_code, 1);
	control_kill_container(f->control, "default", "p", NULL, 1, NULL);
	fixture_run(f, 3);
	CHECK_TEXT(pod(f)->status.containers.items[0].reason, "CrashLoopBackOff");
	CHECK(strstr(pod(f)->status.containers.items[0].message,
		     "back-off 10s restarting failed container=c pod=p_default("));
	CHECK_TEXT(pod(f)->status.phase, "Running");
	CHECK_TEXT(pod(f)->status.pod_ip, "10.244.1.2"); /* the address stays */
	fixture_run(f, 10);
	CHECK_INT(pod(f)->status.containers.items[0].restart_count, 2);
	control_kill_container(f->control, "default", "p", NULL, 1, NULL);
	fixture_run(f, 15);
	CHECK_INT(pod(f)->status.containers.items[0].restart_count, 2);
	fixture_run(f, 8);
	CHECK_INT(pod(f)->status.containers.items[0].restart_count, 3);
	fixture_free(f);
}

static void new_sandbox_new_address(void)
{
	struct fixture *f = exact();
	apply_pod(f, PLAIN, "");
	CHECK(fixture_settle(f, 30));
	CHECK(!control_kill_sandbox(f->control, "default", "p", NULL));
	CHECK(fixture_settle(f, 30));
	CHECK_TEXT(pod(f)->status.pod_ip, "10.244.1.3");
	CHECK_INT(pod(f)->status.containers.items[0].restart_count, 1);
	CHECK_INT(f->attached, 2);
	fixture_free(f);
}

static void liveness_restarts(void)
{
	struct fixture *f = exact();
	apply_pod(
	    f,
	    "containers: [{name: c, image: busybox, livenessProbe: {httpGet: {port: 80, path: /}, "
	    "periodSeconds: 5}}]",
	    "");
	CHECK(fixture_settle(f, 30));
	f->probes_fail = true;
	fixture_run(f, 18);
	f->probes_fail = false;
	fixture_run(f, 3);
	CHECK_INT(pod(f)->status.containers.items[0].restart_count, 1);
	CHECK(event_seen(f, "Unhealthy",
			 "Liveness probe failed: HTTP probe failed with statuscode: 503"));
	CHECK(event_seen(f, "Killing", "Container c failed liveness probe, will be restarted"));
	fixture_free(f);
}

static void startup_holds_the_others(void)
{
	struct fixture *f = exact();
	f->probes_fail = true;
	apply_pod(f,
		  "containers: [{name: c, image: busybox, startupProbe: {tcpSocket: {port: 80}, "
		  "failureThreshold: 30, periodSeconds: 2}, livenessProbe: {tcpSocket: {port: 80}, "
		  "periodSeconds: 1, failureThreshold: 1}}]",
		  "");
	fixture_run(f, 20);
	CHECK_INT(pod(f)->status.containers.items[0].restart_count, 0);
	CHECK(pod(f)->status.containers.items[0].started == TRI_FALSE);
	f->probes_fail = false;
	fixture_run(f, 4);
	CHECK(kube_condition_true(&pod(f)->status.conditions, "Ready"));
	fixture_free(f);
}

static int64_t gone_after(struct fixture *f)
{
	int64_t start = engine_now(f->engine);
	control_delete(f->control, KIND_POD, "default", "p", -1, NULL);
	while (pod(f) && engine_now(f->engine) < start + 100 * NS_PER_S)
		if (!engine_step(f->engine))
			break;
	return (engine_now(f->engine) - start) / NS_PER_S;
}

static void grace_ends_in_a_kill(void)
{
	struct fixture *f = exact();
	apply_pod(f, "terminationGracePeriodSeconds: 7, " PLAIN, "");
	CHECK(fixture_settle(f, 30));
	f->keep_running = true;
	int64_t seconds = gone_after(f);
	CHECK(seconds == 7 || seconds == 8);
	CHECK(strstr(strbuf_text(&f->log), "KILL"));
	CHECK(event_seen(f, "Killing", "Stopping container c"));
	fixture_free(f);
}

/* The hook's time is part of the grace; StopContainer still gets two seconds. */
static void pre_stop_sleeps_first(void)
{
	struct fixture *f = exact();
	apply_pod(
	    f,
	    "containers: [{name: c, image: busybox, lifecycle: {preStop: {sleep: {seconds: 5}}}}]",
	    "");
	CHECK(fixture_settle(f, 30));
	int64_t begin = engine_now(f->engine) / NS_PER_S;
	int64_t seconds = gone_after(f);
	CHECK(seconds == 5 || seconds == 6);
	const char *term = strstr(strbuf_text(&f->log), "TERM at ");
	CHECK(term && strtol(term + 8, NULL, 10) - begin >= 5);
	fixture_free(f);
}

static void init_containers_run_in_order(void)
{
	struct fixture *f = exact();
	apply_pod(f, "initContainers: [{name: i, image: busybox}], " PLAIN, "");
	fixture_run(f, 3);
	CHECK(strstr(strbuf_text(&f->log), "start p/i") &&
	      !strstr(strbuf_text(&f->log), "start p/c"));
	CHECK(!kube_condition_true(&pod(f)->status.conditions, "Initialized"));
	control_container_exited(f->control, control_container_id(f->control, "default", "p", "i"),
				 0);
	CHECK(fixture_settle(f, 30));
	CHECK(strstr(strbuf_text(&f->log), "start p/c"));
	CHECK(kube_condition_true(&pod(f)->status.conditions, "Ready"));
	fixture_free(f);
}

static void restart_never_ends_the_pod(void)
{
	struct fixture *f = exact();
	apply_pod(f, "restartPolicy: Never, " PLAIN, "");
	CHECK(fixture_settle(f, 30));
	control_container_exited(f->control, control_container_id(f->control, "default", "p", NULL),
				 3);
	CHECK(fixture_settle(f, 30));
	CHECK_TEXT(pod(f)->status.phase, "Failed");
	CHECK_TEXT(pod(f)->status.pod_ip, "10.244.1.2"); /* stays in the status */
	CHECK_TEXT(pod(f)->status.containers.items[0].reason, "Error");
	CHECK(strstr(strbuf_text(&f->log), "detach p"));
	fixture_free(f);
}

static void start_and_stop_delays(void)
{
	struct fixture *f = exact();
	apply_pod(
	    f, "containers: [{name: c, image: busybox, readinessProbe: {tcpSocket: {port: 80}}}]",
	    "svclab.dev/start-delay: 4s");
	fixture_run(f, 3);
	CHECK(!strstr(strbuf_text(&f->log), "start p/c"));
	fixture_run(f, 4);
	CHECK(strstr(strbuf_text(&f->log), "start p/c"));
	fixture_free(f);
}

static void env_of_services(void)
{
	struct fixture *f = exact();
	struct strbuf env = { 0 };
	fixture_apply(f,
		      "apiVersion: v1\nkind: Service\nmetadata: {name: my-db, namespace: default}\n"
		      "spec: {clusterIP: 10.96.0.9, ports: [{name: pg, port: 5432}]}\n");
	apply_pod(
	    f,
	    "containers: [{name: c, image: busybox, env: [{name: A, value: b}, {name: MY_DB_PORT, "
	    "value: own}, {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]}]",
	    "");
	CHECK(fixture_settle(f, 30));
	control_container_env(f->control, control_container_id(f->control, "default", "p", NULL),
			      &env);
	CHECK_TEXT(
	    strbuf_text(&env),
	    "MY_DB_SERVICE_HOST=10.96.0.9\nMY_DB_SERVICE_PORT=5432\nMY_DB_SERVICE_PORT_PG=5432\n"
	    "MY_DB_PORT_5432_TCP=tcp://10.96.0.9:5432\nMY_DB_PORT_5432_TCP_PROTO=tcp\n"
	    "MY_DB_PORT_5432_TCP_PORT=5432\nMY_DB_PORT_5432_TCP_ADDR=10.96.0.9\n"
	    "A=b\nMY_DB_PORT=own\nIP=10.244.1.2\n");
	strbuf_free(&env);
	fixture_free(f);
}

static const struct check tests[] = {
	{ "a pod is bound, created and ready, with its address and conditions",
	  from_pending_to_running },
	{ "a pod on the host's network has the node's address", host_network_shares_the_node },
	{ "an image that can't be pulled ends in back-off", pull_back_off },
	{ "restarts wait longer each time, the address stays", crash_loop },
	{ "a lost sandbox gives a new address", new_sandbox_new_address },
	{ "a failed liveness probe restarts the container", liveness_restarts },
	{ "nothing else is probed before the startup probe has succeeded",
	  startup_holds_the_others },
	{ "a program that ignores SIGTERM is killed when the grace is over", grace_ends_in_a_kill },
	{ "preStop comes before SIGTERM", pre_stop_sleeps_first },
	{ "containers start after the init containers have ended", init_containers_run_in_order },
	{ "a pod that never restarts ends Failed and gives its namespace back",
	  restart_never_ends_the_pod },
	{ "annotations delay the program", start_and_stop_delays },
	{ "a container sees the Services of its namespace, its own variables win",
	  env_of_services },
};
CHECK_MAIN(tests)
