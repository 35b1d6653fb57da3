/* ipvs/probe.c: whether a node's kernel can do ipvs mode.
 *
 * Source of behaviour: CanUseIPVSProxier of pkg/proxy/ipvs, and who calls it: up to v1.25
 * cmd/kube-proxy/app/server_others.go, which falls back to iptables mode; since v1.26 the
 * process ends with the error.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplanes/ipvs/kernel.h"
#include "kube/store.h"

bool ipvs_module_missing(const struct proxy_view *view, const char *module)
{
	size_t n = strlen(module);
	for (const char *at = view->missing_modules; at && (at = strstr(at, module)) != NULL; at += n)
		if ((at == view->missing_modules || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

static const char *scheduler_of(const struct proxy_view *view)
{
	uint32_t cursor = 0;
	const struct kube_proxy_configuration *c = (const void *)kube_store_next_created(
		view->store, KIND_KUBE_PROXY_CONFIGURATION, &cursor);
	return c && c->ipvs.scheduler && *c->ipvs.scheduler ? c->ipvs.scheduler : "rr";
}

/* Until v1.25 all of these have to be there, whatever the scheduler is. */
static int probe_old(const struct proxy_view *view, const char *scheduler, const char **instead,
		     struct strbuf *log, struct err *err)
{
	const char *const wanted[] = { "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", scheduler };
	bool none = ipvs_module_missing(view, "ip_vs"); /* then no scheduler can be loaded either */
	struct strbuf gone = { 0 };
	int code = 0;
	for (unsigned i = 0; i < 5; i++) {
		bool again = i == 4 && (kube_is(scheduler, wanted[1]) || kube_is(scheduler, wanted[2]) ||
					kube_is(scheduler, wanted[3]));
		if (!again && (none || ipvs_module_missing(view, wanted[i])))
			strbuf_printf(&gone, "%s%s", gone.length ? " " : "", wanted[i]);
	}
	if (gone.length) {
		*instead = "iptables";
		bool old = view->version < KUBE_1_25; /* klog's structured lines came later */
		code = err_set(err, ENOTSUP, "IPVS proxier will not be used because the following "
				"required kernel modules are not loaded: [%s]", strbuf_text(&gone));
		strbuf_printf(log, "E server_others.go] %sCan't use the IPVS proxier%s%s%s\n", old ? "" : "\"",
			      old ? ": " : "\" err=\"", err->text, old ? "" : "\"");
	}
	strbuf_free(&gone);
	return code;
}

/* kube-proxy tries to make a virtual server with its scheduler; the kernel loads modules
 * on demand, so what counts is what it can find. */
int ipvs_probe(const struct proxy_view *view, const char **instead, struct strbuf *log,
	       struct err *err)
{
	char module[80];
	const char *scheduler = scheduler_of(view), *why;
	snprintf(module, sizeof module, "ip_vs_%.60s", scheduler);
	if (view->version <= KUBE_1_25)
		return probe_old(view, module, instead, log, err);
	if (ipvs_module_missing(view, "ip_vs")) {
		why = "ipvs not supported";
		strbuf_printf(log, "I proxier.go] \"Dummy VS not created\" scheduler=\"%s\"\n", scheduler);
	} else if (ipvs_module_missing(view, module)) {
		why = "no such file or directory";
		strbuf_printf(log, "E proxier.go] \"Could not create dummy VS\" err=\"%s\" "
				   "scheduler=\"%s\"\n", why, scheduler);
	} else {
		return 0;
	}
	strbuf_printf(log, "E server.go] \"Error running ProxyServer\" err=\"can't use the IPVS proxier: "
			   "%s\"\nE run.go] \"command failed\" err=\"can't use the IPVS proxier: %s\"\n", why, why);
	return err_set(err, ENOTSUP, "can't use the IPVS proxier: %s", why);
}
