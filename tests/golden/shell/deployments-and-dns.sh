# options: -f tests/golden/shell/three-workers.yaml
# How a headless Service, a plain one and a headless one of a StatefulSet are resolved.
# The tutorial's manifests are lost; they follow from what it prints.
set -v
cat > test-headless-server.yaml <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: headless-svc
  labels: {app: headless-server}
spec:
  clusterIP: None
  selector: {app: headless-server}
  ports: [{port: 80, targetPort: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: pod-server
spec:
  replicas: 3
  selector:
    matchLabels: {app: headless-server}
  template:
    metadata:
      labels: {app: headless-server}
    spec:
      containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]
EOF
cat > web-server.yaml <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: web-server-svc
  labels: {app: web-server}
spec:
  selector: {app: web-server}
  ports: [{port: 80, targetPort: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-server-pod
spec:
  replicas: 3
  selector:
    matchLabels: {app: web-server}
  template:
    metadata:
      labels: {app: web-server}
    spec:
      containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]
EOF
cat > headless-web-server.yaml <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: headless-web-server-svc
  labels: {app: headless-web-server}
spec:
  clusterIP: None
  selector: {app: headless-web-server}
  ports: [{port: 80, targetPort: 80}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web-server
spec:
  serviceName: headless-web-server-svc
  replicas: 3
  selector:
    matchLabels: {app: headless-web-server}
  template:
    metadata:
      labels: {app: headless-web-server}
    spec:
      containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]
EOF
kubectl apply -f test-headless-server.yaml
sleep 5m
kubectl apply -f web-server.yaml
kubectl run busybox --image=busybox:1.28.4 --restart=Never --command -- sleep 3600
sleep 7m30s
kubectl apply -f headless-web-server.yaml
sleep 35

kubectl get svc,po -o wide -l app=headless-server
kubectl get svc,po -o wide -l app=web-server
kubectl get svc,po -o wide -l app=headless-web-server

# A headless name gives the pods; theirs are made of their addresses.
kubectl exec busybox -- nslookup headless-svc
# A plain one gives the ClusterIP.
kubectl exec busybox -- nslookup web-server-svc
# Pods of a StatefulSet keep their names.
kubectl exec busybox -- nslookup headless-web-server-svc
kubectl exec busybox -- nslookup  web-server-0.headless-web-server-svc

# An alias for a name outside: the answer is a CNAME, which nobody here can follow.
kubectl create namespace prod
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: my-service
  namespace: prod
spec:
  type: ExternalName
  externalName: my.database.example.com
EOF
kubectl -n prod get svc
dig +noall +answer @10.96.0.10 my-service.prod.svc.cluster.local CNAME
