# options: -f tests/golden/shell/five-nodes.yaml
# ClusterIP, NodePort, headless, then from iptables to ipvs: the way of a tutorial on
# Service (Kubernetes 1.20). What today's kubectl and Kubernetes print in other words is
# theirs here: describe has IP Family Policy and Internal Traffic Policy, get endpoints
# a warning, deleted pods their namespace.
set -v
cat > deploy-demo.yaml <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: deploy-demo
spec:
  replicas: 3
  selector:
    matchLabels: {app: ngx-dep-pod}
  template:
    metadata:
      labels: {app: ngx-dep-pod}
    spec:
      containers:
      - name: ngx-dep-pod
        image: nginx:1.14-alpine
        ports:
        - {name: http, containerPort: 80}
EOF
kubectl apply -f deploy-demo.yaml
kubectl rollout status deployment/deploy-demo

cat > ngx-dep-svc-demo.yaml <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: ngx-dep-svc
  namespace: default
spec:
  ports:
  - name: http
    port: 80
    targetPort: 80
  selector:
    app: ngx-dep-pod
EOF
cat ngx-dep-svc-demo.yaml
kubectl get svc
kubectl apply -f ngx-dep-svc-demo.yaml
sleep 5
kubectl get svc
curl $(kubectl get svc ngx-dep-svc -o jsonpath='{.spec.clusterIP}')
kubectl describe svc ngx-dep-svc
kubectl get endpoints
kubectl describe endpoints/ngx-dep-svc

cat > ngx-dep-svc-demo.yaml <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: ngx-dep-svc-nodeport
  namespace: default
spec:
  ports:
  - name: http
    port: 80
    nodePort: 30080
    targetPort: 80
  selector:
    app: ngx-dep-pod
  type: NodePort
EOF
kubectl apply -f ngx-dep-svc-demo.yaml
sleep 4
kubectl get svc
# The tutorial looks with a browser: a host outside asks any node.
for n in 41 44 45 46 47; do outside 203.0.113.9 curl -s http://192.168.0.$n:30080 '|' grep h1; done

cat > handless-svc-demo.yaml <<'EOF'
apiVersion: v1
kind: Service
metadata:
  name: handless-svc-demo
  namespace: default
spec:
  clusterIP: None
  ports:
  - name: http
    port: 80
    targetPort: 80
  selector:
    app: ngx-dep-pod
EOF
kubectl apply -f handless-svc-demo.yaml
sleep 4
kubectl get svc
kubectl get pod
POD=$(kubectl get pod -o jsonpath='{.items[0].metadata.name}')
kubectl exec -it pod/$POD -- /bin/sh
wget -O - -q handless-svc-demo
exit
kubectl get pod --show-labels -o wide
kubectl exec -it pod/$POD -- /bin/sh
nslookup handless-svc-demo
exit

# Modules for ipvs; a kernel 6.1 has no nf_conntrack_ipv4 any more.
mkdir -p /etc/sysconfig/modules
cat > /etc/sysconfig/modules/ipvs.modules <<'EOF'
#!/bin/bash
ipvs_mods_dir="/usr/lib/modules/$(uname -r)/kernel/net/netfilter/ipvs"
for mod in $(ls $ipvs_mods_dir | grep -o "^[^.]*"); do
    /sbin/modinfo -F filename $mod  &> /dev/null
    if [ $? -eq 0 ]; then
        /sbin/modprobe $mod
    fi
done
EOF
chmod +x /etc/sysconfig/modules/ipvs.modules
for n in node01 node02 node03 node04; do scp -p /etc/sysconfig/modules/ipvs.modules $n:/etc/sysconfig/modules/ipvs.modules; done
bash /etc/sysconfig/modules/ipvs.modules
for n in node01 node02 node03 node04; do ssh $n 'bash /etc/sysconfig/modules/ipvs.modules'; done
lsmod |grep ip_vs

# In the tutorial an editor is opened: mode is set to "ipvs" by hand.
KUBE_EDITOR="sed -i s/mode:.*/mode:\ \"ipvs\"/" kubectl edit cm kube-proxy -n kube-system
kubectl get pod -n kube-system --show-labels
kubectl get pod -n kube-system -l k8s-app=kube-proxy
kubectl delete pod -n kube-system -l k8s-app=kube-proxy
kubectl rollout status -n kube-system ds/kube-proxy
sleep 30
yum install -y ipvsadm
# Node ports are virtual servers on the node's own addresses only: 127.0.0.1 and
# docker0's 172.17.0.1, which the tutorial shows, are not among them, and there is
# no docker0 here.
ipvsadm -Ln
curl -s $(kubectl get svc ngx-dep-svc -o jsonpath='{.spec.clusterIP}') | head -n 4
