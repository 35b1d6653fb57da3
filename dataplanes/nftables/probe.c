/* nftables/probe.c: whether a node can do nftables mode.
 *
 * nft has to be 1.0.1 or later: older ones read the whole ruleset of the node, other programs'
 * tables included, and may crash on them. The nft that other programs of the node have is
 * not to be seen, so the kernel stands for it: 5.13 or later. Up to v1.32 the kernel is only
 * looked at when KUBE_PROXY_NFTABLES_SKIP_KERNEL_VERSION_CHECK is set, which should have
 * skipped it: not here.
 *
 * Source of behaviour: pkg/proxy/nftables/supported.go (v1.30: proxier.go), New of
 * sigs.k8s.io/knftables, createProxier of cmd/kube-proxy/app/server_linux.go.
 */
#include <errno.h>
#include <stdio.h>

#include "dataplanes/nftables/nftables.h"
#include "kube/store.h"

struct version {
	unsigned major, minor, patch;
};

static bool older(const char *text, struct version than)
{
	struct version v = { 0 };
	if (!text || sscanf(text, "%u.%u.%u", &v.major, &v.minor, &v.patch) < 2)
		return false; /* not said */
	if (v.major != than.major)
		return v.major < than.major;
	return v.minor != than.minor ? v.minor < than.minor : v.patch < than.patch;
}

static const char *kernel_of(const struct proxy_view *view)
{
	const struct kube_object *o = kube_store_get(view->store, KIND_NODE, "", view->node);
	return o ? ((const struct kube_node *)o)->status.info.kernel_version : NULL;
}

int nftables_probe(const struct proxy_view *view, const char **instead, struct strbuf *log,
		   struct err *err)
{
	(void)instead;
	char why[160];
	if (older(view->nft_version, (struct version){ 1, 0, 1 }))
		snprintf(why, sizeof why, "nft version must be v1.0.1 or later (got nftables v%.40s)",
			 view->nft_version);
	else if (view->version >= KUBE_1_34 && older(kernel_of(view), (struct version){ 5, 13, 0 }))
		snprintf(why, sizeof why, "kube-proxy in nftables mode requires kernel 5.13 or later");
	else
		return 0;
	err_set(err, ENOTSUP, "unable to create proxier: unable to create ipv4 proxier: %s", why);
	strbuf_printf(log, "I server_linux.go] \"Using nftables Proxier\"\n"
			   "E server.go] \"Error running ProxyServer\" err=\"%s\"\n"
			   "E run.go] \"command failed\" err=\"%s\"\n", err->text, err->text);
	return ENOTSUP;
}
