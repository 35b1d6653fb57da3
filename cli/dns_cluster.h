/* cli/dns_cluster.h: the CoreDNS of a cluster that is given as manifests. */
#ifndef CLI_DNS_CLUSTER_H
#define CLI_DNS_CLUSTER_H

#include "core/choice.h"
#include "dns/server.h"
#include "kube/store.h"

struct dns_cluster_options {
	const char *const *files;
	uint32_t file_count;
	const char *upstream;      /* master file; NULL none */
	uint64_t seed;
	int64_t epoch_s;           /* Unix time of time 0 */
};

struct dns_cluster {
	struct arena *arena;
	struct choice *choice;
	struct kube_store *store;
	struct dns_view *view;
	struct dns_master *upstream;
	struct corefile *corefile;
	const char *corefile_text; /* what the ConfigMap says; NULL: kubeadm's */
	const char *domain;
	struct dns_server *server;
};

/* Reads everything; warnings go to standard error. */
int dns_cluster_open(const struct dns_cluster_options *options, struct dns_cluster *out,
		     struct err *err);
/* Reads it again at `now_ns`. The server keeps its cache unless the Corefile changed. On
 * an error everything stays as it was. */
int dns_cluster_reload(const struct dns_cluster_options *options, struct dns_cluster *c,
		       int64_t now_ns, struct err *err);
void dns_cluster_close(struct dns_cluster *c);

#endif
