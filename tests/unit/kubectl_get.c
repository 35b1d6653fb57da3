/* kubectl get: tables, lists, formats, errors. Expected layout and words are those of
 * kubectl 1.34 (cli-runtime's table printer, pkg/printers). */
#include "kubectl_fixture.h"

static const char objects[] =
    "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default, labels: {app: web}}\n"
    "spec: {type: NodePort, clusterIP: 10.96.0.20, selector: {app: web}, "
    "ports: [{port: 80, nodePort: 30080}]}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: head, namespace: default}\n"
    "spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: ext, namespace: default}\n"
    "spec: {type: ExternalName, externalName: db.example.com}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: default}\n"
    "spec: {clusterIP: 10.96.0.10, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, "
    "port: 53}, {name: metrics, port: 9153}]}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: lb, namespace: default}\n"
    "spec: {type: LoadBalancer, clusterIP: 10.96.0.21, ports: [{port: 80, nodePort: 30081}]}\n---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: default, labels: {app: web}}\n"
    "spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}\n";

static struct shell *ready(void)
{
	struct shell *s = shell_new(1);
	fixture_apply(s->f, objects);
	fixture_run(s->f, 3);
	return s;
}

static void services(void)
{
	struct shell *s = ready();
	EXPECT(s, "get svc", NULL,
	       "NAME   TYPE           CLUSTER-IP   EXTERNAL-IP      PORT(S)                  AGE\n"
	       "dns    ClusterIP      10.96.0.10   <none>           53/UDP,53/TCP,9153/TCP   3s\n"
	       "ext    ExternalName   <none>       db.example.com   <none>                   3s\n"
	       "head   ClusterIP      None         <none>           80/TCP                   3s\n"
	       "lb     LoadBalancer   10.96.0.21   203.0.113.1      80:30081/TCP             3s\n"
	       "web    NodePort       10.96.0.20   <none>           80:30080/TCP             3s\n",
	       "", 0);
	EXPECT(s, "get svc web -o wide", NULL,
	       "NAME   TYPE       CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE   SELECTOR\n"
	       "web    NodePort   10.96.0.20   <none>        80:30080/TCP   3s    app=web\n",
	       "", 0);
	shell_free(s);
}

static void pending_address(void)
{
	struct shell *s = shell_new(1);
	fixture_apply(s->f, objects);
	CHECK(strstr(shell_run(s, "get svc lb", NULL), "10.96.0.21   <pending>     80:30081/TCP"));
	shell_free(s);
}

static void pods(void)
{
	struct shell *s = ready();
	EXPECT(s, "get po -o wide", NULL,
	       "NAME   READY   STATUS    RESTARTS   AGE   IP           NODE   NOMINATED NODE   "
	       "READINESS GATES\n"
	       "a      1/1     Running   0          3s    10.244.1.2   n1     <none>           "
	       "<none>\n",
	       "", 0);
	control_kill_container(s->f->control, "default", "a", NULL, 1, NULL);
	fixture_run(s->f, 3);
	CHECK(strstr(shell_run(s, "get po", NULL), "1 ("));
	CHECK(strstr(strbuf_text(&s->out), " ago)"));
	shell_free(s);
}

static void several_kinds(void)
{
	struct shell *s = ready();
	EXPECT(s, "get po,svc -l app=web", NULL,
	       "NAME    READY   STATUS    RESTARTS   AGE\n"
	       "pod/a   1/1     Running   0          3s\n"
	       "\n"
	       "NAME          TYPE       CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE\n"
	       "service/web   NodePort   10.96.0.20   <none>        80:30080/TCP   3s\n",
	       "", 0);
	EXPECT(s, "get svc/web svc/head", NULL,
	       "NAME   TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)        AGE\n"
	       "web    NodePort    10.96.0.20   <none>        80:30080/TCP   3s\n"
	       "head   ClusterIP   None         <none>        80/TCP         3s\n",
	       "", 0);
	EXPECT(s, "get po,svc -l app=web --no-headers", NULL,
	       "pod/a   1/1   Running   0     3s\n"
	       "service/web   NodePort   10.96.0.20   <none>   80:30080/TCP   3s\n",
	       "", 0);
	EXPECT(s, "get pods -A -L app,x/tier", NULL,
	       "NAMESPACE   NAME   READY   STATUS    RESTARTS   AGE   APP   TIER\n"
	       "default     a      1/1     Running   0          3s    web   \n",
	       "", 0);
	shell_free(s);
}

static void endpoints_warn(void)
{
	struct shell *s = ready();
	EXPECT(s, "get ep web", NULL,
	       "NAME   ENDPOINTS       AGE\n"
	       "web    10.244.1.2:80   2s\n",
	       "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 "
	       "EndpointSlice\n",
	       0);
	shell_free(s);
}

static void other_formats(void)
{
	struct shell *s = ready();
	EXPECT(s, "get svc web -o jsonpath={.spec.clusterIP}", NULL, "10.96.0.20", "", 0);
	EXPECT(s, "get svc -o jsonpath={.items[*].metadata.name}", NULL, "dns ext head lb web", "",
	       0);
	EXPECT(s, "get svc,po -l app=web -o name", NULL, "service/web\npod/a\n", "", 0);
	EXPECT(s, "get svc -o custom-columns=NAME:.metadata.name,IP:.spec.clusterIP", NULL,
	       "NAME   IP\ndns    10.96.0.10\next    <none>\nhead   None\nlb     10.96.0.21\n"
	       "web    10.96.0.20\n", "", 0);
	EXPECT(s, "get po nothing -o yaml", NULL, "",
	       "Error from server (NotFound): pods \"nothing\" not found\n", 1);
	CHECK(strncmp(shell_run(s, "get cm -o yaml", NULL),
		      "apiVersion: v1\nitems: []\nkind: List\n", 36) == 0);
	shell_free(s);
}

static void nothing_and_errors(void)
{
	struct shell *s = ready();
	EXPECT(s, "get cm", NULL, "", "No resources found in default namespace.\n", 0);
	EXPECT(s, "get cm -A", NULL, "", "No resources found\n", 0);
	EXPECT(s, "get pv", NULL, "", "No resources found\n", 0);
	EXPECT(s, "get foo", NULL, "", "error: the server doesn't have a resource type \"foo\"\n",
	       1);
	EXPECT(s, "get deploy x", NULL, "",
	       "Error from server (NotFound): deployments.apps \"x\" not found\n", 1);
	EXPECT(s, "get svc web -A", NULL, "",
	       "error: a resource cannot be retrieved by name across all namespaces\n", 1);
	EXPECT(s, "get pods --bogus", NULL, "",
	       "error: unknown flag: --bogus\nSee 'kubectl get --help' for usage.\n", 1);
	EXPECT(s, "get svc web pod/a", NULL, "",
	       "error: there is no need to specify a resource type as a separate argument when "
	       "passing "
	       "arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' "
	       "instead of "
	       "'kubectl get resource resource/<resource_name>'\n",
	       1);
	EXPECT(s, "get po a b", NULL,
	       "NAME   READY   STATUS    RESTARTS   AGE\na      1/1     Running   0          3s\n",
	       "Error from server (NotFound): pods \"b\" not found\n", 1);
	shell_run(s, "get po -o bogus", NULL);
	CHECK(strncmp(strbuf_text(&s->err),
		      "error: unable to match a printer suitable for the output "
		      "format \"bogus\", allowed formats are: custom-columns,",
		      108) == 0);
	shell_free(s);
}

static void watch_prints_changes(void)
{
	struct shell *s = shell_new(1);
	fixture_apply(s->f, objects);
	const char *text = shell_run(s, "get pods a -w --request-timeout=5s", NULL);
	CHECK(strncmp(text, "NAME   READY   STATUS    RESTARTS   AGE\n"
			    "a      0/1     Pending   0          0s\n", 79) == 0);
	CHECK(strstr(text, "a      0/1     ContainerCreating   0          0s\n") != NULL);
	CHECK(strstr(text, "a      1/1     Running             0          ") != NULL);
	EXPECT(s, "get po,svc -w", NULL, "",
	       "error: watch is only supported on individual resources and resource collections - "
	       "more "
	       "than 1 resource was found\n",
	       1);
	shell_free(s);
}

struct duration { int64_t seconds; const char *text; };

/* The table of apimachinery's util/duration. */
static void ages(void)
{
	static const struct duration l[] = {
		{ 0, "0s" },	   { 59, "59s" },	 { 119, "119s" },	{ 120, "2m" },
		{ 199, "3m19s" },  { 599, "9m59s" },	 { 600, "10m" },	{ 3660, "61m" },
		{ 10799, "179m" }, { 10800, "3h" },	 { 12000, "3h20m" },	{ 28799, "7h59m" },
		{ 28800, "8h" },   { 172799, "47h" },	 { 172800, "2d" },	{ 190800, "2d5h" },
		{ 691200, "8d" },  { 34560000, "400d" }, { 66096000, "2y35d" }, { 283824000, "9y" },
	};
	for (size_t i = 0; i < sizeof l / sizeof *l; i++) {
		struct shell *s = shell_new(0);
		struct strbuf want = { 0 };
		engine_run_until(s->f->engine, l[i].seconds * NS_PER_S);
		strbuf_printf(&want, "NAME      STATUS   AGE\ndefault   Active   %s\n", l[i].text);
		CHECK_TEXT(shell_run(s, "get ns default", NULL), strbuf_text(&want));
		strbuf_free(&want);
		shell_free(s);
	}
}

static const struct check tests[] = {
	{ "services of every type", services },
	{ "a load balancer without address is pending", pending_address },
	{ "pods with address, node and restarts", pods },
	{ "several kinds, labels, namespaces, no headers", several_kinds },
	{ "Endpoints come with a warning", endpoints_warn },
	{ "jsonpath, names, custom columns, empty lists", other_formats },
	{ "nothing found, and what is wrong", nothing_and_errors },
	{ "watching prints a row for each change", watch_prints_changes },
	{ "ages are written as kubectl writes durations", ages },
};
CHECK_MAIN(tests)
