/* linux/ipvs/ipvs.h: IP Virtual Server of one namespace.
 *
 * Virtual and real servers, forwarding masq, Linux's schedulers, persistence,
 * connection states and timeouts, and the texts of ipvsadm. Hooks: LOCAL_IN and
 * FORWARD for requests and replies, LOCAL_OUT for local clients, as in Linux 6.1.
 */
#ifndef LINUX_IPVS_H
#define LINUX_IPVS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/strbuf.h"
#include "net/packet.h"

struct ipvs;
struct netns;

/* ns may be NULL: parse and print only. */
struct ipvs *ipvs_new(struct netns *ns);
void ipvs_free(struct ipvs *v);
/* Lines as `ipvsadm -R` reads: -A -E -D -a -e -d -C ... Applied one by one. */
int ipvs_restore(struct ipvs *v, const char *text, size_t length, const char *file,
		 struct err *err);
enum ipvs_view { IPVS_LIST, IPVS_SAVE, IPVS_CONNECTIONS, IPVS_STATS, IPVS_RATE };
/* -Ln, -Sn, -Lnc, -Ln --stats, -Ln --rate. */
void ipvs_print(const struct ipvs *v, enum ipvs_view view, struct strbuf *out);
void ipvs_reset_flows(struct ipvs *v);
/* Look-ups of virtual servers by all packets so far. */
uint64_t ipvs_probes(const struct ipvs *v);

/* The connection to whose server this packet is on its way, as it stands now: what xt_ipvs
 * looks up for a packet that IPVS has handled (conn_out_get, the header read backwards; a
 * 6.1 kernel drops a client's translated SYN by --vaddr). False: none. */
struct ipvs_virtual { struct net_addr addr; uint16_t port; uint8_t proto, method; };
bool ipvs_packet_virtual(const struct packet *p, struct ipvs_virtual *out);

#endif
