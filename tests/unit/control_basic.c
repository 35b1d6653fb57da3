/* Workloads from manifest to ready pods and slices. */
#include "control_fixture.h"

static const char web[] =
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: default}\n"
	"spec:\n  replicas: 3\n  selector: {matchLabels: {app: web}}\n"
	"  template:\n    metadata: {labels: {app: web}}\n"
	"    spec: {containers: [{name: c, image: nginx:1.25, ports: [{containerPort: 80}]}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
	"spec: {clusterIP: 10.96.0.20, selector: {app: web}, ports: [{port: 80}]}\n";

static void deployment_becomes_ready(void)
{
	struct fixture f = fixture_new(3);
	fixture_start_control(&f, NULL);
	fixture_apply(&f, web);
	CHECK(fixture_settle(&f, 60));
	CHECK_INT(fixture_ready(&f, "app", "web"), 3);
	CHECK_INT(f.started, 3);
	uint32_t cursor = 0;
	const struct kube_endpoint_slice *s =
		kube_store_next_slice(f.store, "default", "web", &cursor);
	CHECK(s != NULL);
	if (s) {
		CHECK_INT(s->endpoints.count, 3);
		CHECK_INT(s->ports.count, 1);
	}
	struct strbuf line = { 0 };
	CHECK_INT(control_rollout(f.control, KIND_DEPLOYMENT, "default", "web", &line, NULL),
		  ROLLOUT_DONE);
	CHECK_TEXT(strbuf_text(&line), "deployment \"web\" successfully rolled out");
	strbuf_free(&line);
	fixture_free(&f);
}

static const struct check tests[] = {
	{ "a Deployment with a Service ends in three ready pods in one slice", deployment_becomes_ready },
};
CHECK_MAIN(tests)
