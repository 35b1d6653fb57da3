/* ipvs/kernel.h: virtual servers as `ipvsadm -Ln` lists them, read back from the node.
 *
 * kube-proxy looks at the kernel's virtual servers: at its start, and before it removes
 * a real server that may still have connections.
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

#endif
