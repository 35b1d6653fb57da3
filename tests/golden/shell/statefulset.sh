# options: -f tests/golden/shell/two-workers.yaml
# A StatefulSet behind a headless Service: made, resolved, scaled up and down, updated. The
# article calls the Service nginx-svc in the manifest and nginx in every output; here it is
# nginx-svc throughout. kubectl exec of busybox:1.28 resolves backwards by PTR records.
set -v
kubectl explain statefulset
kubectl explain statefulset.spec
kubectl explain statefulset.spec.template
cat > statefulset.yaml <<'X'
apiVersion: v1
kind: Service
metadata:
  name: nginx-svc
  labels:
    app: nginx
spec:
  ports:
  - port: 80
    name: web
  clusterIP: "None"
  selector:
    app: nginx
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  selector:
    matchLabels:
      app: nginx
  serviceName: "nginx-svc"
  replicas: 2
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx
        imagePullPolicy: IfNotPresent
        ports:
        - containerPort: 80
          name: web
X
kubectl apply -f statefulset.yaml
sleep 42
kubectl get statefulset
sleep 95
kubectl get pods -l app=nginx
sleep 1m
kubectl get svc -l app=nginx
kubectl get pvc
for i in 0 1; do kubectl exec web-$i -- sh -c 'hostname';done

cat > pod-second.yaml <<'X'
apiVersion: v1
kind: Pod
metadata:
  name: pod-second
  labels:
    app: backend
    tier: db
spec:
  containers:
  - name: busybox
    image: busybox:1.28
    imagePullPolicy: IfNotPresent
    command: ["sh","-c","sleep 3600"]
X
kubectl apply -f pod-second.yaml
kubectl wait --for=condition=Ready pod/pod-second
kubectl exec -it pod-second -- /bin/sh
nslookup  web-0.nginx-svc.default.svc.cluster.local
nslookup  nginx-svc.default.svc.cluster.local
exit

# A Service of its own address. The article's pods run busybox with "sleep: 0": they end
# at once and are never ready, its output shows them running; here they sleep for ever.
cat > deploy-service.yaml <<'X'
apiVersion: v1
kind: Service
metadata:
  name: my-nginx
  labels:
    run: my-nginx
spec:
  type: ClusterIP
  ports:
  - port: 80
    protocol: TCP
    targetPort: 80
  selector:
    run: my-nginx
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: my-nginx
spec:
  selector:
    matchLabels:
      run: my-nginx
  replicas: 2
  template:
    metadata:
      labels:
        run: my-nginx
    spec:
      containers:
      - name: my-nginx
        image: busybox
        imagePullPolicy: IfNotPresent
        ports:
        - containerPort: 80
        command:
        - sleep
        - infinity
X
kubectl apply -f deploy-service.yaml
sleep 70
kubectl get svc -l run=my-nginx
kubectl get pods -l run=my-nginx
kubectl exec -it web-1 -- /bin/bash
nslookup my-nginx.default.svc.cluster.local
exit
dig my-nginx.default.svc.cluster.local @10.10.0.10
kubectl get svc

# Up to three by the manifest, to four by edit, down to two by the manifest.
sleep 53m
sed -i 's/replicas: 2/replicas: 3/' statefulset.yaml
kubectl apply -f statefulset.yaml
sleep 79
kubectl get sts
kubectl get pods -l app=nginx
sleep 88
KUBE_EDITOR="sed -i 's/replicas: 3/replicas: 4/'" kubectl edit sts web
sleep 26
kubectl get pods -l app=nginx
sed -i 's/replicas: 3/replicas: 2/' statefulset.yaml
kubectl apply -f statefulset.yaml
sleep 1m
kubectl get pods -l app=nginx

# A new image: the highest first, one after the other.
ssh k8s-worker01 'docker load -i myapp.tar.gz'
KUBE_EDITOR="sed -i 's#image: nginx#image: ikubernetes/myapp:v2#'" kubectl edit sts web
kubectl rollout status sts/web
sleep 18
kubectl get pods -o wide -l app=nginx
kubectl describe pods web-0
