/* kubeproxy/sysctls.c: conntrack's limits and timeouts, set once when kube-proxy starts.
 *
 * The size is only ever raised; the rest is set to what the configuration says. The size of
 * the hash table, a module parameter, has no effect here. Source: setupConntrack in
 * cmd/kube-proxy/app/server_linux.go and conntrack.go.
 */
#include "dataplanes/kubeproxy/kubeproxy.h"

#define CT "net/netfilter/nf_conntrack_"

static void put(struct strbuf *out, const char *name, int64_t ns)
{
	if (ns)
		strbuf_printf(out, CT "%s=%lld\n", name, (long long)(ns / NS_PER_S));
}

void plan_sysctls(const struct kubeproxy *k, struct transactions *out)
{
	const struct proxy_config *c = k->config;
	struct strbuf text = { 0 };
	if (c->conntrack_max)
		strbuf_printf(&text, CT "max>=%lld\n", (long long)c->conntrack_max);
	put(&text, "tcp_timeout_established", c->tcp_established_ns);
	put(&text, "tcp_timeout_close_wait", c->tcp_close_wait_ns);
	if (c->be_liberal && c->version >= KUBE_1_30)
		strbuf_puts(&text, CT "tcp_be_liberal=1\n");
	put(&text, "udp_timeout", c->udp_flow_ns);
	put(&text, "udp_timeout_stream", c->udp_stream_ns);
	plan_add(out, TX_SYSCTL, &text);
	strbuf_free(&text);
}
