/* kubectl describe: layout and order of fields of kubectl 1.34 (pkg/describe). */
#include "kubectl_fixture.h"

static void service(void)
{
	struct shell *s = shell_new(1);
	fixture_apply(
	    s->f,
	    "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default, labels: "
	    "{app: "
	    "web, tier: front}}\nspec: {type: NodePort, clusterIP: 10.96.0.20, selector: {app: "
	    "web}, "
	    "ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}]}\n---\n"
	    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-x, "
	    "namespace: "
	    "default, labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\nports: "
	    "[{name: "
	    "http, port: 8080}]\nendpoints: [{addresses: [10.244.1.2]}, {addresses: [10.244.1.3]}, "
	    "{addresses: [10.244.1.5]}, {addresses: [10.244.1.6]}, {addresses: [10.244.1.7]}, "
	    "{addresses: [10.244.1.8], conditions: {ready: false}}]\n");
	EXPECT(s, "describe svc web", NULL,
	       "Name:                     web\n"
	       "Namespace:                default\n"
	       "Labels:                   app=web\n"
	       "                          tier=front\n"
	       "Annotations:              <none>\n"
	       "Selector:                 app=web\n"
	       "Type:                     NodePort\n"
	       "IP Family Policy:         SingleStack\n"
	       "IP Families:              IPv4\n"
	       "IP:                       10.96.0.20\n"
	       "IPs:                      10.96.0.20\n"
	       "Port:                     http  80/TCP\n"
	       "TargetPort:               8080/TCP\n"
	       "NodePort:                 http  30080/TCP\n"
	       "Endpoints:                10.244.1.2:8080,10.244.1.3:8080,10.244.1.5:8080 + 2 "
	       "more...\n"
	       "Session Affinity:         None\n"
	       "External Traffic Policy:  Cluster\n"
	       "Internal Traffic Policy:  Cluster\n"
	       "Events:                   <none>\n",
	       "", 0);
	EXPECT(s, "describe svc nothing", NULL, "",
	       "Error from server (NotFound): services \"nothing\" not found\n", 1);
	CHECK(strncmp(shell_run(s, "describe svc we", NULL), "Name:                     web\n",
		      30) == 0);
	shell_free(s);
}

static void external_name(void)
{
	struct shell *s = shell_new(1);
	fixture_apply(s->f,
		      "apiVersion: v1\nkind: Service\nmetadata: {name: ext, namespace: default}\n"
		      "spec: {type: ExternalName, externalName: db.example.com}\n");
	EXPECT(s, "describe svc ext", NULL,
	       "Name:              ext\n"
	       "Namespace:         default\n"
	       "Labels:            <none>\n"
	       "Annotations:       <none>\n"
	       "Selector:          <none>\n"
	       "Type:              ExternalName\n"
	       "IP Families:       <none>\n"
	       "IP:                \n"
	       "IPs:               <none>\n"
	       "External Name:     db.example.com\n"
	       "Session Affinity:  None\n"
	       "Events:            <none>\n",
	       "", 0);
	shell_free(s);
}

static void pod(void)
{
	struct shell *s = shell_new(1);
	fixture_apply(
	    s->f,
	    "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: default}\nspec: "
	    "{containers: [{name: c, image: nginx, command: [sh, -c, \"sleep 1\"], ports: "
	    "[{name: http, containerPort: 80}, {containerPort: 443}], readinessProbe: {httpGet: "
	    "{path: /ok, port: http}}, env: [{name: A, value: b}], volumeMounts: [{name: d, "
	    "mountPath: /data}]}], volumes: [{name: d, emptyDir: {}}]}\n");
	fixture_run(s->f, 5);
	const char *text = shell_run(s, "describe pod a", NULL);
	CHECK(strstr(text, "Node:             n1/192.168.0.11\n"));
	CHECK(strstr(text,
		     "IP:               10.244.1.2\nIPs:\n  IP:  10.244.1.2\nContainers:\n  c:\n"));
	CHECK(strstr(
	    text,
	    "    Ports:         80/TCP (http), 443/TCP\n    Host Ports:    0/TCP (http), 0/TCP\n"
	    "    Command:\n      sh\n      -c\n      sleep 1\n    State:          Running\n"));
	CHECK(strstr(text,
		     "    Restart Count:  0\n    Readiness:      http-get http://:http/ok delay=0s "
		     "timeout=1s period=10s #success=1 #failure=3\n    Environment:\n      A:  b\n"
		     "    Mounts:\n      /data from d (rw)\nConditions:\n"));
	CHECK(strstr(text,
		     "  Type                        Status\n  PodReadyToStartContainers   True \n"
		     "  Initialized                 True \n  Ready                       True \n"));
	CHECK(strstr(
	    text, "Volumes:\n  d:\n    Type:        EmptyDir (a temporary directory that shares a "
		  "pod's lifetime)\n    Medium:      \n    SizeLimit:   <unset>\n"
		  "QoS Class:       BestEffort\n"));
	CHECK(strstr(
	    text, "Tolerations:     node.kubernetes.io/not-ready:NoExecute op=Exists for 300s\n"
		  "                 node.kubernetes.io/unreachable:NoExecute op=Exists for 300s\n"
		  "Events:\n  Type    Reason     Age   From               Message\n"
		  "  ----    ------     ----  ----               -------\n"
		  "  Normal  Scheduled  "));
	shell_free(s);
}

static void deployment(void)
{
	struct shell *s = shell_new(1);
	shell_run(s, "create deployment web --image=nginx:1.25 --replicas=2", NULL);
	fixture_settle(s->f, 60);
	const char *text = shell_run(s, "describe deploy web", NULL);
	CHECK(strstr(text,
		     "Annotations:            deployment.kubernetes.io/revision: 1\n"
		     "Selector:               app=web\n"
		     "Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 "
		     "unavailable\n"
		     "StrategyType:           RollingUpdate\n"
		     "MinReadySeconds:        0\n"
		     "RollingUpdateStrategy:  25% max unavailable, 25% max surge\n"
		     "Pod Template:\n  Labels:  app=web\n  Containers:\n   nginx:\n"));
	CHECK(strstr(text, "  Available      True    MinimumReplicasAvailable\n"
			   "  Progressing    True    NewReplicaSetAvailable\n"
			   "OldReplicaSets:  <none>\n"));
	shell_free(s);
}

static void endpoints(void)
{
	struct shell *s = shell_new(1);
	fixture_apply(
	    s->f,
	    "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: default}\n"
	    "subsets: [{addresses: [{ip: 192.0.2.1}, {ip: 192.0.2.2}], ports: [{port: 80}]}]\n");
	EXPECT(s, "describe ep web", NULL,
	       "Name:         web\n"
	       "Namespace:    default\n"
	       "Labels:       <none>\n"
	       "Annotations:  <none>\n"
	       "Subsets:\n"
	       "  Addresses:          192.0.2.1,192.0.2.2\n"
	       "  NotReadyAddresses:  <none>\n"
	       "  Ports:\n"
	       "    Name     Port  Protocol\n"
	       "    ----     ----  --------\n"
	       "    <unset>  80    TCP\n"
	       "\n"
	       "Events:  <none>\n",
	       "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 "
	       "EndpointSlice\n",
	       0);
	shell_free(s);
}

static const struct check tests[] = {
	{ "a Service, its endpoints from slices, a name's beginning", service },
	{ "a Service without addresses", external_name },
	{ "a pod: containers, conditions, volumes, events", pod },
	{ "a Deployment", deployment },
	{ "Endpoints", endpoints },
};
CHECK_MAIN(tests)
