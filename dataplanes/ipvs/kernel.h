/* ipvs/kernel.h: what a node's kernel can do and what it holds, as the tools print it.
 *
 * kube-proxy compares with the kernel: sets, addresses and virtual servers that somebody
 * else made, changed or deleted are put right; and it looks for connections before it
 * removes a real server.
 */
#ifndef IPVS_KERNEL_H
#define IPVS_KERNEL_H

#include "dataplanes/ipvs/state.h"

struct kernel_real {
	const char *service, *real;    /* "-t 10.96.0.1:80", "10.244.1.5:8080" */
	uint32_t weight;
	uint64_t connections;          /* active and inactive */
};

struct kernel_servers {
	struct table servers;          /* "-t 10.96.0.1:80" -> char *: "-s rr -p 600" */
	struct table reals;            /* "-t 10.96.0.1:80 10.244.1.5:8080" -> struct kernel_real */
	struct arena *memory;
};

/* Of one family. False: the view cannot read. */
bool kernel_servers_read(struct kernel_servers *k, const struct proxy_view *view, uint8_t family);
void kernel_servers_free(struct kernel_servers *k);
/* NULL: no such server. `service` like "-t 10.96.0.1:80". */
const struct kernel_real *kernel_real(const struct kernel_servers *k, const char *service,
				      const char *real);

/* The kernel's servers instead of those of `s`; `k` has to outlive them. */
void kernel_servers_take(const struct kernel_servers *k, struct ipvs_state *s);
/* The members of kube-proxy's sets, and the addresses of a device, as the node holds them.
 * Where they cannot be read, `s` keeps what it has. */
void kernel_members_take(struct ipvs_state *s, const struct proxy_view *view, uint8_t family);
void kernel_addresses_take(struct ipvs_state *s, const struct proxy_view *view, uint8_t family,
			   const char *device);

/* Whether the node's kernel was built without it. */
bool ipvs_module_missing(const struct proxy_view *view, const char *module);
/* See planner_class.cleanup, and planner_class.probe. */
void ipvs_cleanup(const struct proxy_view *view, struct transactions *out);
int ipvs_probe(const struct proxy_view *view, const char **instead, struct strbuf *log,
	       struct err *err);

#endif
