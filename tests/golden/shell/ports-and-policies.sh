# options: -f tests/golden/shell/two-workers.yaml
# An article on the many ports of a Service, without transcript: what it claims, tried out.
# Its sixth claim is wrong way round: policy Local keeps the client's address, policy Cluster
# shows a node's (flannel's, where traffic crosses the overlay).
set -v
# containerPort is information: a Service finds a port that no container declares, by labels.
kubectl apply -f - <<'X'
apiVersion: v1
kind: Pod
metadata:
  name: two
  labels: {app: two}
spec:
  containers:
  - name: web
    image: nginx
  - name: admin
    image: ikubernetes/myapp:v1
    ports: [{name: admin, containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata:
  name: two
spec:
  type: NodePort
  selector: {app: two}
  ports:
  - {name: web, port: 80, targetPort: 80, nodePort: 30081}
  - {name: admin, port: 8081, targetPort: admin, nodePort: 30082}
X
kubectl wait --for=condition=Ready pod/two
sleep 2
# Two containers, one address, two ports.
kubectl get pod two -o wide
kubectl describe svc two
curl -s $(kubectl get svc two -o jsonpath='{.spec.clusterIP}'):8081
outside 192.168.115.20 curl -s http://192.168.115.161:30082

# Data on a claim outlives the pod; the container's own layer does not.
kubectl apply -f - <<'X'
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: local
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: rancher.io/local-path
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: mysql
spec:
  serviceName: mysql
  replicas: 1
  selector: {matchLabels: {app: mysql}}
  template:
    metadata: {labels: {app: mysql}}
    spec:
      containers:
      - name: mysql
        image: mysql:8
        ports: [{containerPort: 3306}]
        volumeMounts: [{name: data, mountPath: /var/lib/mysql}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
X
kubectl rollout status sts/mysql
kubectl get pvc,pv
kubectl exec mysql-0 -- sh -c 'echo kept > /var/lib/mysql/table; echo lost > /tmp/note'
kubectl delete pod mysql-0
kubectl rollout status sts/mysql
kubectl exec mysql-0 -- cat /var/lib/mysql/table
kubectl exec mysql-0 -- cat /tmp/note

# Who the server sees: through another node with policy Cluster, then with policy Local.
kubectl create deployment web --image=nginx
kubectl expose deployment web --port=80 --type=NodePort
kubectl rollout status deployment/web
sleep 2
PORT=$(kubectl get svc web -o jsonpath='{.spec.ports[0].nodePort}')
HOST=$(kubectl get pod -l app=web -o jsonpath='{.items[0].status.hostIP}')
outside 192.168.115.20 curl -s -o /dev/null http://192.168.115.161:$PORT
kubectl logs deploy/web
kubectl patch svc web -p '{"spec": {"externalTrafficPolicy": "Local"}}'
sleep 2
outside 192.168.115.20 curl -s -o /dev/null http://$HOST:$PORT
kubectl logs deploy/web --tail=1
# A node without endpoint of its own drops.
outside 192.168.115.20 curl -sS -m 3 -o /dev/null http://192.168.115.161:$PORT
# internalTrafficPolicy Local: a pod's client reaches endpoints of its own node only.
kubectl patch svc web -p '{"spec": {"internalTrafficPolicy": "Local"}}'
sleep 2
kubectl describe svc web | grep Policy
curl -sS -m 3 $(kubectl get svc web -o jsonpath='{.spec.clusterIP}')
