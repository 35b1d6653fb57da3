/* dataplanes/registry.c: see registry.h. */
#include "dataplanes/registry.h"

#include "dataplanes/iptables/iptables.h"
#include "dataplanes/ipvs/ipvs.h"
#include "dataplanes/kernel/kernel.h"
#include "dataplanes/model/model.h"
#include "dataplanes/nftables/nftables.h"
#include "dataplanes/null/null.h"
#include "dataplanes/userspace/userspace.h"

static const struct dataplane rows[] = {
	{ "iptables", &iptables_planner, &model_executor,
	  "kube-proxy's iptables mode on the Linux model" },
	{ "ipvs", &ipvs_planner, &model_executor,
	  "kube-proxy's ipvs mode on the Linux model" },
	{ "nftables", &nftables_planner, &model_executor,
	  "kube-proxy's nftables mode on the Linux model" },
	{ "dump", NULL, &model_executor, "rules of real nodes' dumps on the Linux model" },
	{ "userspace", &userspace_planner, &model_executor,
	  "kube-proxy's userspace mode (up to v1.25) on the Linux model" },
	{ "null", &null_planner, &model_executor,
	  "no Service works; an example for people who add their own" },
	/* The same planners on real Linux: `--on netns` and `--on netns-nft` pick these. */
	{ "iptables@netns", &iptables_planner, &netns_executor,
	  "kube-proxy's iptables mode in network namespaces" },
	{ "ipvs@netns", &ipvs_planner, &netns_executor,
	  "kube-proxy's ipvs mode in network namespaces" },
	{ "nftables@netns", &nftables_planner, &netns_executor,
	  "kube-proxy's nftables mode in network namespaces" },
	{ "userspace@netns", &userspace_planner, &netns_executor,
	  "kube-proxy's userspace mode (up to v1.25) in network namespaces" },
	{ "null@netns", &null_planner, &netns_executor, "no Service works, in network namespaces" },
	{ "iptables@netns-nft", &iptables_planner, &netns_nft_executor,
	  "kube-proxy's iptables mode in network namespaces, by iptables-nft" },
	{ "ipvs@netns-nft", &ipvs_planner, &netns_nft_executor,
	  "kube-proxy's ipvs mode in network namespaces, by iptables-nft" },
	{ "nftables@netns-nft", &nftables_planner, &netns_nft_executor,
	  "kube-proxy's nftables mode in network namespaces" },
	{ "userspace@netns-nft", &userspace_planner, &netns_nft_executor,
	  "kube-proxy's userspace mode (up to v1.25) in network namespaces, by iptables-nft" },
	{ "null@netns-nft", &null_planner, &netns_nft_executor,
	  "no Service works, in network namespaces" },
};

const struct registry dataplanes = { rows, sizeof rows / sizeof *rows };
