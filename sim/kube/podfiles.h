/* kube/podfiles.h: what the kubelet writes into a pod: /etc/resolv.conf, /etc/hosts and
 * the host name. Sources: pkg/kubelet/network/dns/dns.go, kubelet_pods.go.
 */
#ifndef KUBE_PODFILES_H
#define KUBE_PODFILES_H

#include "core/strbuf.h"
#include "kube/types.h"

struct kube_dns_settings { /* of the kubelet and its node */
	const char *cluster_domain, *cluster_dns; /* several servers: separated by blanks */
	const char *node_resolv_conf;             /* text of the node's file; NULL: none */
};

/* dnsPolicy, dnsConfig and hostNetwork decide: at most three nameservers and 32 search
 * domains of 2048 characters in all; options of dnsConfig replace equal ones. */
void kube_resolv_conf(const struct kube_pod *p, const struct kube_dns_settings *dns,
		      struct strbuf *out);
/* `ips`: the pod's addresses as text. `node_hosts`: the node's file, for hostNetwork; NULL:
 * one with localhost only. */
void kube_hosts_file(const struct kube_pod *p, const char *const *ips, uint32_t count,
		     const char *cluster_domain, const char *node_hosts, struct strbuf *out);
/* spec.hostname, else the pod's name, cut to 63; with setHostnameAsFQDN the long form;
 * hostNetwork: `node`. */
void kube_pod_hostname(const struct kube_pod *p, const char *node, const char *cluster_domain,
		       struct strbuf *out);

#endif
