/* tests/unit/world_lab.h: a small running cluster for tests of the world. */
#ifndef TESTS_WORLD_LAB_H
#define TESTS_WORLD_LAB_H

#include <stdlib.h>

#include "check.h"
#include "dataplanes/registry.h"
#include "kube/control/control.h"
#include "world/world.h"

static struct world *w;
static struct strbuf lab_warnings;

static inline bool lab_start_with(const char *mode, const char *proxy_config)
{
	static const struct node_options nodes[] = { { .name = "a" }, { .name = "b" } };
	struct cluster_options cluster = { .nodes = nodes, .node_count = 2,
					   .proxy_config = proxy_config };
	struct world_options options = { .registry = &dataplanes, .dataplane = mode, .seed = 3,
					 .warnings = &lab_warnings };
	struct err err = { "" };
	int code = world_new(&options, &w, &err);
	if (!code)
		code = world_start(w, &cluster, &err);
	return check_note(code == 0, __FILE__, __LINE__, "start: %s", err.text);
}

static inline bool lab_start(void)
{
	return lab_start_with("iptables", NULL);
}

static inline void lab_end(void)
{
	if (check_failed && lab_warnings.length)
		strbuf_printf(&check_said, "the world said:\n%s", strbuf_text(&lab_warnings));
	world_free(w);
	w = NULL;
	strbuf_free(&lab_warnings);
}

static inline bool lab_settled(void *ctx)
{
	(void)ctx;
	return control_converged(world_control(w)) && control_endpoints_settled(world_control(w)) &&
	       world_synced(w);
}

static inline void lab_settle(void)
{
	world_run(w, world_now(w) + NS_PER_S);
	CHECK(world_run_while_not(w, lab_settled, NULL, world_now(w) + 300 * NS_PER_S));
}

static inline void lab_apply(const char *yaml)
{
	struct err err = { "" };
	int code = world_apply(w, yaml, strlen(yaml), "test.yaml", NULL, &err);
	check_note(code == 0, __FILE__, __LINE__, "apply: %s", err.text);
	lab_settle();
}

/* Deployment web of three pods and its Service, a client pod on node a. */
static const char lab_web[] =
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 3\n"
	"  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
	"    spec: {containers: [{name: web, image: \"nginx:1.25\", ports: [{containerPort: 80}]}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
	"spec: {selector: {app: web}, ports: [{port: 80}]}\n"
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: cli}\n"
	"spec: {nodeName: a, containers: [{name: cli, image: \"curlimages/curl:8.10.1\", "
	"command: [sleep, infinity]}]}\n";

static inline struct op *lab_request(const char *from, const struct request *r)
{
	struct err err = { "" };
	struct op *op = NULL;
	struct place *p = world_place(w, from, &err);
	int code = p ? world_request(w, p, r, &op, &err) : 1;
	if (check_note(code == 0, __FILE__, __LINE__, "%s -> %s: %s", from, r->target, err.text))
		world_run_op(w, op);
	return op;
}

/* The errno of one request; the backend's name goes to `backend` (may be NULL). */
static inline int lab_get(const char *from, const char *target, char backend[192])
{
	struct request r = { .target = target, .timeout_ns = 5 * NS_PER_S };
	struct op *op = lab_request(from, &r);
	int error = op ? op_result(op)->error : -1;
	if (op && backend)
		snprintf(backend, 192, "%s", op_result(op)->backend);
	op_free(op);
	return error;
}

#endif
