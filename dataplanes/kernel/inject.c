/* dataplanes/kernel/inject.c: a crafted frame arrives at an interface.
 *
 * It is written with libnet at the far end of the veth that leads to the interface, so
 * that it arrives there as from the wire.
 */
#include <errno.h>
#include <libnet.h>
#include <net/if.h>
#include <string.h>

#include "dataplanes/kernel/internal.h"

static int write_frame(struct executor *e, int ns, const char *interface, const struct packet *p,
		       struct err *err)
{
	char why[LIBNET_ERRBUF_SIZE] = "";
	namespace_enter(ns);
	libnet_t *l = libnet_init(LIBNET_LINK_ADV, interface, why);
	int n = l ? libnet_adv_write_link(l, p->bytes, p->length) : -1;
	if (n < 0 && l)
		snprintf(why, sizeof why, "%s", libnet_geterror(l));
	if (l)
		libnet_destroy(l);
	namespace_enter(e->home);
	return n < 0 ? err_set(err, EIO, "libnet on %s: %s", interface, why) : 0;
}

int kernel_input(struct executor *e, const char *place, const char *interface,
		 struct packet *packet, struct err *err)
{
	struct kernel_place *p = kernel_place(e, place), *far = NULL;
	const char *end = NULL;
	if (p && (!*interface || strcmp(interface, p->uplink) == 0)) {
		far = p->kind == PLACE_POD ? kernel_place(e, p->node) : e->gateway;
		end = p->port;
	} else if (p && p->kind == PLACE_NODE) {
		const void *key;
		void *value;
		for (uint32_t i = 0; !far && table_next(&e->places, &i, &key, &value);) {
			struct kernel_place *pod = *(struct kernel_place **)value;
			if (pod->kind == PLACE_POD && strcmp(pod->node, p->name) == 0 &&
			    strcmp(pod->port, interface) == 0) {
				far = pod;
				end = pod->uplink;
			}
		}
	}
	int code = far ? 0 : err_set(err, ENOENT, "%s has no interface %s that leads anywhere", place,
				     interface);
	struct net_mac to = { 0 };
	if (!code)
		code = layout_mac(e, p, *interface ? interface : p->uplink, &to, err);
	if (!code) {
		struct net_mac from = { { 0x02, 0, 0, 0, 0, 1 } };
		packet_set_macs(packet, &from, &to);
		code = write_frame(e, far->ns, end, packet, err);
		clock_poll(e); /* the sniffers' rings are small */
	}
	packet_free(packet);
	return code;
}
