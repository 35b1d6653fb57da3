/* Verbs that write, and what they say. Words and exit codes are those of kubectl 1.34. */
#include "kubectl_fixture.h"

#define WEB                                                                                    \
	"apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n"                        \
	"  selector: {app: web}\n  ports: [{port: 80}]\n"

static void apply(void)
{
	struct shell *s = shell_new(1);
	EXPECT(s, "apply -f -", WEB, "service/web created\n", "", 0);
	EXPECT(s, "apply -f -", WEB, "service/web unchanged\n", "", 0);
	EXPECT(s, "apply -f - --dry-run=client", WEB, "service/web configured (dry run)\n", "", 0);
	EXPECT(s, "apply -f -",
	       "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: "
	       "[{port: 81}]}\n",
	       "service/web configured\n", "", 0);
	/* What the manifest no longer says is gone. */
	EXPECT(s, "get svc web -o jsonpath={.spec.selector}", NULL, "", "", 0);
	EXPECT(s, "apply -f -",
	       "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {foo: 1}\n", "",
	       "Error from server (BadRequest): error when creating \"-\": Service in version "
	       "\"v1\" cannot "
	       "be handled as a Service: strict decoding error: unknown field \"spec.foo\"\n",
	       1);
	EXPECT(s, "apply -f -",
	       "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort, "
	       "ports: [{port: 80, nodePort: 80}]}\n",
	       "",
	       "The Service \"web\" is invalid: spec.ports[0].nodePort: Invalid value: 80: "
	       "provided port is "
	       "not in the valid range. The range of valid ports is 30000-32767\n",
	       1);
	EXPECT(s, "apply", NULL, "", "error: must specify one of -f and -k\n", 1);
	EXPECT(s, "apply -f /no/such.yaml", NULL, "",
	       "error: the path \"/no/such.yaml\" does not exist\n", 1);
	EXPECT(s, "apply -f -", "", "", "error: no objects passed to apply\n", 1);
	shell_free(s);
}

static void apply_over_create(void)
{
	struct shell *s = shell_new(1);
	EXPECT(s, "create -f -", WEB, "service/web created\n", "", 0);
	EXPECT(s, "create -f -", WEB, "",
	       "Error from server (AlreadyExists): error when creating \"-\": services \"web\" "
	       "already "
	       "exists\n",
	       1);
	EXPECT(s, "apply -f -", WEB, "service/web configured\n",
	       "Warning: resource services/web is missing the kubectl.kubernetes.io/"
	       "last-applied-configuration annotation which is required by kubectl apply. kubectl "
	       "apply "
	       "should only be used on resources created declaratively by either kubectl create "
	       "--save-config or kubectl apply. The missing annotation will be patched "
	       "automatically.\n",
	       0);
	shell_free(s);
}

static void generators(void)
{
	struct shell *s = shell_new(1);
	EXPECT(s, "create deployment web --image=docker.io/library/nginx:1.25 --replicas=2", NULL,
	       "deployment.apps/web created\n", "", 0);
	EXPECT(s, "get deploy web -o jsonpath={.spec.template.spec.containers[0].name}", NULL,
	       "nginx", "", 0);
	EXPECT(s, "create deployment web --image=nginx", NULL, "",
	       "error: failed to create deployment: deployments.apps \"web\" already exists\n", 1);
	EXPECT(s, "expose deploy web", NULL, "",
	       "error: couldn't find port via --port flag or introspection\nSee 'kubectl expose "
	       "-h' for "
	       "help and examples\n",
	       1);
	EXPECT(s, "expose deploy web --port=80 --target-port=8080", NULL, "service/web exposed\n",
	       "", 0);
	EXPECT(s, "get svc web -o jsonpath={.spec.selector}{.spec.ports[0].targetPort}", NULL,
	       "{\"app\":\"web\"}8080", "", 0);
	EXPECT(s, "create svc clusterip api --tcp=80:8080", NULL, "service/api created\n", "", 0);
	EXPECT(s, "get svc api -o jsonpath={.spec.ports[0].name}", NULL, "80-8080", "", 0);
	EXPECT(s, "create ns dev", NULL, "namespace/dev created\n", "", 0);
	EXPECT(s, "create cm conf --from-literal=a=b", NULL, "configmap/conf created\n", "", 0);
	EXPECT(s, "run box --image=busybox --labels=a=b", NULL, "pod/box created\n", "", 0);
	EXPECT(s, "run box", NULL, "", "error: required flag(s) \"image\" not set\n", 1);
	shell_free(s);
}

static void scale_and_rollout(void)
{
	struct shell *s = shell_new(2);
	shell_run(s, "create deployment web --image=nginx:1.25 --replicas=2", NULL);
	CHECK(
	    strstr(shell_run(s, "rollout status deploy/web", NULL),
		   "Waiting for deployment \"web\" rollout to finish: 0 of 2 updated replicas are "
		   "available...\n"));
	CHECK(strstr(strbuf_text(&s->out), "deployment \"web\" successfully rolled out\n"));
	EXPECT(s, "scale deploy web --replicas=3", NULL, "deployment.apps/web scaled\n", "", 0);
	EXPECT(s, "scale deploy web --replicas=3", NULL, "deployment.apps/web scaled\n", "", 0);
	EXPECT(s, "scale deploy web", NULL, "", "error: required flag(s) \"replicas\" not set\n",
	       1);
	EXPECT(s, "scale deploy x --replicas=1", NULL, "",
	       "error: no objects passed to scale deployments.apps \"x\" not found\n", 1);
	EXPECT(s, "scale deploy web --replicas=1 --current-replicas=9", NULL, "",
	       "error: Expected replicas to be 9, was 3\n", 1);
	shell_run(s, "rollout status deploy/web", NULL);
	EXPECT(s, "set image deploy/web nginx=nginx:1.26", NULL,
	       "deployment.apps/web image updated\n", "", 0);
	EXPECT(s, "set image deploy/web nginx=nginx:1.26", NULL, "", "", 0);
	EXPECT(s, "set image deploy/web bad=nginx:1.26", NULL, "",
	       "error: unable to find container named \"bad\"\n", 1);
	shell_run(s, "rollout status deploy/web", NULL);
	EXPECT(
	    s, "rollout history deploy/web", NULL,
	    "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n",
	    "", 0);
	EXPECT(s, "rollout undo deploy/web", NULL, "deployment.apps/web rolled back\n", "", 0);
	shell_run(s, "rollout status deploy/web", NULL);
	EXPECT(
	    s, "rollout undo deploy/web --to-revision=3", NULL,
	    "deployment.apps/web skipped rollback (current template already matches revision 3)\n",
	    "", 0);
	EXPECT(s, "rollout undo deploy/web --to-revision=9", NULL, "",
	       "error: unable to find specified revision 9 in history\n", 1);
	EXPECT(s, "rollout pause deploy/web", NULL, "deployment.apps/web paused\n", "", 0);
	EXPECT(s, "rollout pause deploy/web", NULL, "",
	       "error: deployments.apps \"web\" is already paused\n", 1);
	EXPECT(s, "rollout resume deploy/web", NULL, "deployment.apps/web resumed\n", "", 0);
	EXPECT(s, "rollout restart deploy/web", NULL, "deployment.apps/web restarted\n", "", 0);
	EXPECT(s, "rollout status", NULL, "", "error: required resource not specified\n", 1);
	shell_free(s);
}

static void stateful_set_status(void)
{
	struct shell *s = shell_new(2);
	EXPECT(
	    s, "apply -f -",
	    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: db, "
	    "replicas: 2, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: "
	    "db}}, "
	    "spec: {containers: [{name: c, image: x}]}}}\n",
	    "statefulset.apps/db created\n", "", 0);
	EXPECT(s, "rollout status sts db", NULL,
	       "Waiting for statefulset spec update to be observed...\n"
	       "Waiting for 2 pods to be ready...\nWaiting for 1 pods to be ready...\n"
	       "partitioned roll out complete: 2 new pods have been updated...\n", "", 0);
	shell_free(s);
}

static void labels(void)
{
	struct shell *s = shell_new(1);
	shell_run(s, "create -f -", WEB);
	EXPECT(s, "label svc web a=b", NULL, "service/web labeled\n", "", 0);
	EXPECT(s, "label svc web a=b", NULL, "service/web not labeled\n", "", 0);
	EXPECT(s, "label svc web a=c", NULL, "",
	       "error: 'a' already has a value (b), and --overwrite is false\n", 1);
	EXPECT(s, "label svc web a=c --overwrite", NULL, "service/web labeled\n", "", 0);
	EXPECT(s, "label svc web a-", NULL, "service/web unlabeled\n", "", 0);
	EXPECT(s, "label svc web zz-", NULL, "label \"zz\" not found.\nservice/web not labeled\n",
	       "", 0);
	EXPECT(s, "label svc web", NULL, "", "error: at least one label update is required\n", 1);
	EXPECT(s, "label svc web a=b api", NULL, "",
	       "error: all resources must be specified before label changes: api\n", 1);
	EXPECT(s, "annotate svc web k=v", NULL, "service/web annotated\n", "", 0);
	shell_free(s);
}

static void patch(void)
{
	struct shell *s = shell_new(1);
	shell_run(s, "create -f -", WEB);
	EXPECT(s, "patch svc web -p {\"spec\":{\"type\":\"NodePort\"}}", NULL,
	       "service/web patched\n", "", 0);
	EXPECT(s, "patch svc web -p {\"spec\":{\"type\":\"NodePort\"}}", NULL,
	       "service/web patched (no change)\n", "", 0);
	EXPECT(s, "patch svc web --type=json -p "
		  "[{\"op\":\"replace\",\"path\":\"/spec/ports/0/port\",\"value\":8080}]", NULL,
	       "service/web patched\n", "", 0);
	EXPECT(s, "get svc web -o jsonpath={.spec.ports[0].port}", NULL, "8080", "", 0);
	EXPECT(s, "patch svc web", NULL, "",
	       "error: must specify --patch or --patch-file containing the contents of the patch\n",
	       1);
	EXPECT(s, "edit svc web", NULL, "Edit cancelled, no changes made.\n", "", 0);
	shell_free(s);
}

static void deleting(void)
{
	struct shell *s = shell_new(1);
	shell_run(s, "create -f -", WEB);
	shell_run(s, "run a --image=x", NULL);
	fixture_run(s->f, 5);
	EXPECT(s, "delete pod a", NULL, "pod \"a\" deleted from default namespace\n", "", 0);
	CHECK(!fixture_pod(s->f, "a")); /* it waited */
	EXPECT(s, "delete svc web -o name", NULL, "service/web\n", "", 0);
	EXPECT(s, "delete svc web", NULL, "",
	       "Error from server (NotFound): services \"web\" not found\n", 1);
	EXPECT(s, "delete svc web --ignore-not-found", NULL, "", "", 0);
	EXPECT(s, "delete pods --all", NULL, "No resources found\n", "", 0);
	EXPECT(s, "delete pod", NULL, "",
	       "error: resource(s) were provided, but no name was specified\n", 1);
	EXPECT(s, "delete node n1", NULL, "node \"n1\" deleted\n", "", 0);
	shell_run(s, "run b --image=x", NULL);
	EXPECT(s, "delete pod b --grace-period=0 --force", NULL,
	       "pod \"b\" force deleted from default namespace\n",
	       "Warning: Immediate deletion does not wait for confirmation that the running "
	       "resource has "
	       "been terminated. The resource may continue to run on the cluster indefinitely.\n",
	       0);
	shell_free(s);
}

static void orphans_stay(void)
{
	struct shell *s = shell_new(1);
	shell_run(s, "create deployment web --image=x", NULL);
	fixture_settle(s->f, 60);
	EXPECT(s, "delete deploy web --cascade=orphan", NULL,
	       "deployment.apps \"web\" deleted from default namespace\n", "", 0);
	fixture_run(s->f, 5);
	CHECK_INT(kube_store_count(s->f->store, KIND_REPLICA_SET), 1);
	CHECK_INT(kube_store_count(s->f->store, KIND_POD), 1);
	shell_free(s);
}

static void nodes(void)
{
	struct shell *s = shell_new(2);
	EXPECT(s, "cordon n1", NULL, "node/n1 cordoned\n", "", 0);
	EXPECT(s, "cordon n1", NULL, "node/n1 already cordoned\n", "", 0);
	EXPECT(s, "uncordon n1", NULL, "node/n1 uncordoned\n", "", 0);
	EXPECT(s, "taint node n1 a=b:NoSchedule", NULL, "node/n1 tainted\n", "", 0);
	EXPECT(s, "taint node n1 a:NoSchedule-", NULL, "node/n1 untainted\n", "", 0);
	shell_run(s, "create deployment web --image=x --replicas=2", NULL);
	fixture_settle(s->f, 60);
	const char *text = shell_run(s, "drain n1", NULL);
	CHECK(strncmp(text, "node/n1 cordoned\npod/web-", 25) == 0);
	CHECK(strstr(text, " evicted\nnode/n1 drained\n"));
	CHECK(strncmp(strbuf_text(&s->err), "evicting pod default/web-", 25) == 0);
	shell_free(s);
}

static void pods_talk(void)
{
	struct shell *s = shell_new(1);
	shell_run(s, "run a --image=x", NULL);
	fixture_settle(s->f, 60);
	EXPECT(s, "exec a -- env", NULL, "a/a: env\n", "", 0);
	EXPECT(s, "exec a -- false", NULL, "a/a: false\n", "command terminated with exit code 7\n",
	       7);
	EXPECT(s, "exec a env", NULL, "",
	       "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] "
	       "instead\n"
	       "See 'kubectl exec -h' for help and examples\n",
	       1);
	EXPECT(s, "exec a", NULL, "",
	       "error: you must specify at least one command for the container\n", 1);
	EXPECT(s, "exec b -- env", NULL, "", "Error from server (NotFound): pods \"b\" not found\n",
	       1);
	EXPECT(s, "logs a --tail=1", NULL, "a/a\n", "", 0);
	EXPECT(
	    s, "logs b", NULL, "",
	    "error: error from server (NotFound): pods \"b\" not found in namespace \"default\"\n",
	    1);
	EXPECT(s, "run t --image=busybox --rm -it --restart=Never -- nslookup web", NULL,
	       "t/t: nslookup web\npod \"t\" deleted from default namespace\n", "", 0);
	shell_free(s);
}

static void waiting(void)
{
	struct shell *s = shell_new(1);
	shell_run(s, "run a --image=x", NULL);
	EXPECT(s, "wait --for=condition=Ready pod/a", NULL, "pod/a condition met\n", "", 0);
	EXPECT(s, "wait --for=condition=Ready pod/b", NULL, "",
	       "Error from server (NotFound): pods \"b\" not found\n", 1);
	shell_run(s, "create -f -", WEB);
	EXPECT(s, "wait --for=condition=Ready svc/web --timeout=5s", NULL, "",
	       "error: timed out waiting for the condition on services/web\n", 1);
	shell_free(s);
}

static void commands(void)
{
	struct shell *s = shell_new(1);
	EXPECT(s, "frobnicate", NULL, "", "error: unknown command \"frobnicate\" for \"kubectl\"\n",
	       1);
	EXPECT(s, "gat", NULL, "",
	       "error: unknown command \"gat\" for \"kubectl\"\n\nDid you mean "
	       "this?\n\tget\n\tset\n\twait\n",
	       1);
	EXPECT(s, "config set-context --current --namespace=dev", NULL,
	       "Context \"kubernetes-admin@kubernetes\" modified.\n", "", 0);
	EXPECT(s, "get po", NULL, "", "No resources found in dev namespace.\n", 0);
	shell_free(s);
}

static const struct check tests[] = {
	{ "apply creates, changes, leaves alone and refuses", apply },
	{ "apply warns of an object that it did not make", apply_over_create },
	{ "create, expose and run write what kubectl writes", generators },
	{ "scale, set image, rollouts", scale_and_rollout },
	{ "a StatefulSet's rollout ends as partitioned", stateful_set_status },
	{ "labels and annotations", labels },
	{ "patches of three types", patch },
	{ "delete waits and says so", deleting },
	{ "orphans outlive their owner", orphans_stay },
	{ "cordon, taint, drain", nodes },
	{ "exec, logs and run --rm", pods_talk },
	{ "wait", waiting },
	{ "unknown commands, and the context's namespace", commands },
};
CHECK_MAIN(tests)
