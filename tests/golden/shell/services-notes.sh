# options: -f tests/golden/shell/cloud.yaml --upstream tests/golden/shell/cloud.zone
# Notes on a book's chapter about Services ("kubia"), of Kubernetes 1.5. Today's kubectl has
# the TYPE column, <none> where <nodes> stood as external address, more lines in describe,
# a warning with endpoints, the class of an Ingress; exec without -- is refused.
set -v
cat > kubia-rc.yaml <<'X'
apiVersion: v1
kind: ReplicationController
metadata:
  name: kubia
spec:
  replicas: 3
  selector:
    app: kubia
  template:
    metadata:
      labels:
        app: kubia
    spec:
      containers:
      - name: kubia
        image: luksa/kubia
        ports:
        - containerPort: 8080
X
kubectl apply -f kubia-rc.yaml
cat > kubia-svc.yaml <<'X'
apiVersion: v1
kind: Service
metadata:
  name: kubia
spec:
  ports:
  - port: 80
    targetPort: 8080
  selector:
    app: kubia
X
kubectl create -f kubia-svc.yaml
sleep 6m
kubectl get svc

IP=$(kubectl get svc kubia -o jsonpath='{.spec.clusterIP}')
FIRST=$(kubectl get pods -l app=kubia -o jsonpath='{.items[0].metadata.name}')
kubectl exec $FIRST -- curl -s http://$IP
# The notes' kubectl took the flag for its own without the double dash; today's says so.
kubectl exec $FIRST curl -s http://$IP

# The same client, the same pod.
kubectl patch svc kubia -p '{"spec": {"sessionAffinity": "ClientIP"}}'
sleep 2
for i in 1 2 3; do kubectl exec $FIRST -- curl -s http://$IP; done
kubectl patch svc kubia -p '{"spec": {"sessionAffinity": "None"}}'

# Two ports, by the names of the container's.
kubectl apply -f - <<'X'
apiVersion: v1
kind: Pod
metadata:
  name: named
  labels: {app: named}
spec:
  containers:
  - name: kubia
    image: luksa/kubia
    ports:
    - name: http
      containerPort: 8080
    - name: https
      containerPort: 8443
---
apiVersion: v1
kind: Service
metadata:
  name: named
spec:
  ports:
  - name: http
    port: 80
    targetPort: http
  - name: https
    port: 443
    targetPort: https
  selector:
    app: named
X
sleep 10
kubectl get svc,endpointslices -l kubernetes.io/service-name=named
kubectl get svc named
kubectl describe svc named | grep -i -e port -e endpoints
kubectl exec $FIRST -- curl -s http://named:443
kubectl delete pod/named svc/named

# Variables: only of Services that were there before the pod. The first pods are older than
# the Service, so they are made anew.
kubectl exec $FIRST -- env | grep -c KUBIA
kubectl delete po -l app=kubia
sleep 5
FIRST=$(kubectl get pods -l app=kubia -o jsonpath='{.items[0].metadata.name}')
kubectl exec $FIRST -- env

kubectl exec -it $FIRST -- bash
curl http://kubia.default.svc.cluster.local
curl http://kubia.default
curl http://kubia
cat /etc/resolv.conf
ping -c 54 kubia
exit

kubectl describe svc kubia
kubectl get endpoints kubia

# A Service without selector and its endpoints.
kubectl apply -f - <<'X'
apiVersion: v1
kind: Service
metadata:
  name: external-service
spec:
  ports:
  - port: 80
---
apiVersion: v1
kind: Endpoints
metadata:
  name: external-service
subsets:
  - addresses:
    - ip: 11.11.11.11
    - ip: 22.22.22.22
    ports:
    - port: 80
X
sleep 1
kubectl get endpointslices -l kubernetes.io/service-name=external-service
kubectl describe svc external-service
kubectl delete svc external-service
kubectl apply -f - <<'X'
apiVersion: v1
kind: Service
metadata:
  name: external-service
spec:
  type: ExternalName
  externalName: someapi.somecompany.com
  ports:
  - port: 80
X
kubectl get svc external-service
kubectl exec $FIRST -- nslookup external-service

kubectl apply -f - <<'X'
apiVersion: v1
kind: Service
metadata:
  name: kubia-nodeport
spec:
  type: NodePort
  ports:
  - port: 80
    targetPort: 8080
    nodePort: 30123
  selector:
    app: kubia
X
sleep 2m
kubectl get svc kubia-nodeport
kubectl get nodes -o jsonpath='{.items[*].status.addresses[?(@.type=="ExternalIP")].address}'; echo
outside 198.51.100.7 curl -s http://130.211.97.55:30123
outside 198.51.100.7 curl -s http://130.211.99.206:30123

kubectl apply -f - <<'X'
apiVersion: v1
kind: Service
metadata:
  name: kubia-loadbalancer
spec:
  type: LoadBalancer
  ports:
  - port: 80
    targetPort: 8080
  selector:
    app: kubia
X
kubectl get svc kubia-loadbalancer
sleep 30
kubectl get svc kubia-loadbalancer
outside 198.51.100.7 curl -s http://$(kubectl get svc kubia-loadbalancer -o jsonpath='{.status.loadBalancer.ingress[0].ip}')

# The notes say that a controller must run; theirs does already.
kubectl apply -f - <<'X'
apiVersion: v1
kind: Namespace
metadata:
  name: ingress-nginx
---
apiVersion: v1
kind: Service
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx}}
    spec:
      containers:
      - name: controller
        image: registry.k8s.io/ingress-nginx/controller:v1.12.1
        args:
        - /nginx-ingress-controller
        - --publish-service=$(POD_NAMESPACE)/ingress-nginx-controller
        - --watch-ingress-without-class=true
        ports: [{name: http, containerPort: 80}]
        readinessProbe: {httpGet: {path: /healthz, port: 10254}}
X
cat > kubia-ingress.yaml <<'X'
apiVersion: extensions/v1beta1
kind: Ingress
metadata:
  name: kubia
spec:
  rules:
  - host: kubia.example.com
    http:
      paths:
      - path: /
        backend:
          serviceName: kubia-nodeport
          servicePort: 80
X
kubectl create -f kubia-ingress.yaml
sleep 29m
kubectl get ingresses
# The client's name server, or its /etc/hosts, knows the address.
outside 198.51.100.7
echo "203.0.113.2 kubia.example.com" >> /etc/hosts
curl http://kubia.example.com
exit

# Several Services behind one Ingress: by path, then by host.
kubectl create deployment bar --image=ikubernetes/myapp:v1
kubectl expose deployment bar --port=80
kubectl apply -f - <<'X'
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: by-path
spec:
  rules:
  - host: kubia.example.com
    http:
      paths:
      - path: /kubia
        pathType: Prefix
        backend: {service: {name: kubia, port: {number: 80}}}
      - path: /bar
        pathType: Prefix
        backend: {service: {name: bar, port: {number: 80}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: by-host
spec:
  rules:
  - host: foo.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: kubia, port: {number: 80}}}
  - host: bar.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: bar, port: {number: 80}}}
X
sleep 2m
kubectl get ing
kubectl describe ingress by-host
LB=$(kubectl get ing by-host -o jsonpath='{.status.loadBalancer.ingress[0].ip}')
outside 198.51.100.7 curl -s http://kubia.example.com/kubia
outside 198.51.100.7 curl -s -H Host:foo.example.com http://$LB/
outside 198.51.100.7 curl -s -H Host:bar.example.com http://$LB/

# The advice at the end: a container that binds localhost only is reached by nobody else.
kubectl run shy --image=luksa/kubia --port=8080 --labels=app=shy --annotations=svclab.dev/bind=127.0.0.1
kubectl expose pod shy --port=80 --target-port=8080
sleep 10
kubectl get endpointslices -l kubernetes.io/service-name=shy
kubectl exec $FIRST -- curl -s -m 5 http://shy
kubectl exec shy -- curl -s http://127.0.0.1:8080
