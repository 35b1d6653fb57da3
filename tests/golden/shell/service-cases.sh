# options: -f tests/golden/shell/two-workers.yaml --upstream tests/golden/shell/two-workers.zone
# The Service types one after another in a namespace of its own, in ipvs mode. Where the
# article contradicts itself Kubernetes is followed: its manifest says port 80 and its
# output 8001 (here 8001 in both), 10.10.97.97 becomes 10.97.97.97, what is created by
# service-clusterip.yaml is deleted twice, three objects are created by files of other
# names. Rules are read on a node; ClusterIPs are dialled from one.
set -v
kubectl get svc
KUBE_EDITOR="sed -i 's/mode: .*/mode: \"ipvs\"/'" kubectl edit cm kube-proxy -n kube-system
kubectl delete pod -l k8s-app=kube-proxy -n kube-system
sleep 20
ipvsadm -Ln

kubectl create namespace dev
cat > deployment.yaml <<'X'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: pc-deployment
  namespace: dev
spec:
  replicas: 3
  selector:
    matchLabels:
      app: nginx-pod
  template:
    metadata:
      labels:
        app: nginx-pod
    spec:
      containers:
      - name: nginx
        image: nginx
        ports:
        - containerPort: 80
X
kubectl create -f deployment.yaml
sleep 89
kubectl get pods -n dev -o wide --show-labels
# The article types the address into each pod's page by hand.
for p in $(kubectl get pods -n dev -o name); do kubectl exec -n dev $p -- sh -c 'hostname -i > /usr/share/nginx/html/index.html'; done
for ip in $(kubectl get pods -n dev -o jsonpath='{.items[*].status.podIP}'); do curl $ip; done

cat > service-clusterip.yaml <<'X'
apiVersion: v1
kind: Service
metadata:
  name: service-clusterip
  namespace: dev
spec:
  selector:
    app: nginx-pod
  clusterIP: 10.10.97.97
  type: ClusterIP
  ports:
  - port: 8001
    targetPort: 80
X
kubectl create -f service-clusterip.yaml
sleep 10
kubectl get svc -n dev
kubectl -n dev get svc
kubectl describe service -n dev
ipvsadm -Ln | grep -A3 10.10.97.97
curl 10.10.97.97:8001
curl 10.10.97.97:8001
curl 10.10.97.97:8001
N=0; while [ $N -lt 6 ];do curl 10.10.97.97:8001; sleep 5; N=$((N+1)); done;

KUBE_EDITOR="sed -i 's/sessionAffinity: None/sessionAffinity: ClientIP/'" kubectl edit svc service-clusterip -n dev
sleep 2
ipvsadm -Ln | grep -A3 10.10.97.97
N=0; while [ $N -lt 3 ];do curl 10.10.97.97:8001; sleep 5; N=$((N+1)); done;
kubectl delete -f service-clusterip.yaml
kubectl delete service service-clusterip -n dev

cat > service-headliness.yaml <<'X'
apiVersion: v1
kind: Service
metadata:
  name: service-headliness
  namespace: dev
spec:
  selector:
    app: nginx-pod
  clusterIP: None
  type: ClusterIP
  ports:
  - port: 80
    targetPort: 80
X
kubectl apply -f service-headliness.yaml
sleep 10
kubectl -n dev get svc
kubectl describe svc -n dev
POD=$(kubectl -n dev get pods -o jsonpath='{.items[0].metadata.name}')
kubectl  -n dev exec -it $POD -- /bin/bash
cat /etc/resolv.conf
exit
dig +noall +answer @10.10.0.10 service-headliness.dev.svc.cluster.local
kubectl delete -n dev svc service-headliness

cat > service-nodeport.yaml <<'X'
apiVersion: v1
kind: Service
metadata:
  name: service-nodeport
  namespace: dev
spec:
  selector:
    app: nginx-pod
  type: NodePort
  ports:
  - port: 80
    nodePort: 30002
    targetPort: 80
X
kubectl apply -f service-nodeport.yaml
sleep 29
kubectl -n dev get svc -o wide
for n in 161 165 166; do outside 192.168.115.20 curl -s http://192.168.115.$n:30002; done
kubectl delete -n dev svc service-nodeport

cat > service-externalname.yaml <<'X'
apiVersion: v1
kind: Service
metadata:
  name: service-externalname
  namespace: dev
spec:
  type: ExternalName
  externalName: www.baidu.com
X
kubectl apply -f service-externalname.yaml
sleep 7
kubectl -n dev get svc -o wide
kubectl describe -n dev svc
dig @10.10.0.10 service-externalname.dev.svc.cluster.local

# The template of all fields, as the API server refuses it.
kubectl apply -f - <<'X'
apiVersion: v1
kind: Service
metadata:
  name: service
  namespace: dev
spec:
  selector:
    app: nginx
  type: NodePort
  ports:
  - protocol: TCP
    port: 3017
    targetPort: 5003
    nodePort: 31122
X
kubectl get svc -n dev service
