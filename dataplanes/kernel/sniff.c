/* dataplanes/kernel/sniff.c: libpcap at every interface.
 *
 * The kernel does not tell a packet's direction on an Ethernet handle, but the source
 * MAC does: at a bridge port in a node, what comes in has the MAC of the pod behind it;
 * everywhere else what goes out has the interface's own. ARP, neighbour discovery,
 * IGMP and multicast group reports are not passed on: the Linux model has none of them.
 */
#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/arena.h"
#include "dataplanes/kernel/internal.h"

#define BUFFER_BYTES (512 * 1024)

struct sniffer {
	struct source source; /* first; its descriptor is a duplicate of pcap's */
	struct kernel_place *place;
	struct executor *executor;
	pcap_t *pcap;
	char interface[192];  /* "node/a:eth0" */
	struct net_mac mac;   /* own, or of the pod behind a bridge port */
	bool mac_is_far;
	struct sniffer *next;
};

/* Sorted by time, so that a link's two ends come in the right order. */
static void keep(struct executor *e, const struct seen *what)
{
	if (e->seen_count == e->seen_capacity) {
		uint32_t more = e->seen_capacity ? e->seen_capacity * 2 : 64;
		e->seen = mem_grow(e->seen, e->seen_capacity, more, sizeof *e->seen);
		e->seen_capacity = more;
	}
	uint32_t i = e->seen_count++;
	for (; i > 0 && e->seen[i - 1].when_ns > what->when_ns; i--)
		e->seen[i] = e->seen[i - 1];
	e->seen[i] = *what;
}

static bool of_interest(const struct packet *p)
{
	if (p->family == NET_NONE || p->proto == 2)
		return false;
	if (p->proto != PROTO_ICMP6)
		return true;
	uint8_t type = packet_icmp_type(p);
	return !(type >= 130 && type <= 143 && type != 128 && type != 129);
}

static void on_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct sniffer *s = (struct sniffer *)user;
	struct executor *e = s->executor;
	if (header->caplen < ETHER_BYTES)
		return;
	struct packet *p = packet_new(header->caplen);
	memcpy(p->bytes, bytes, header->caplen);
	p->length = header->caplen;
	if (packet_parse(p) || !of_interest(p)) {
		packet_free(p);
		return;
	}
	bool equal = memcmp(bytes + 6, s->mac.bytes, 6) == 0;
	/* With nanosecond precision tv_usec counts nanoseconds. */
	int64_t stamp = (int64_t)header->ts.tv_sec * NS_PER_S + header->ts.tv_usec;
	int64_t when = stamp - e->realtime_ns - e->base_ns, now = engine_now(e->env.engine);
	struct seen seen = { .when_ns = when < now ? when : now, .place = s->place,
			     .sniffer = s, .direction = equal == s->mac_is_far ? 1 : 2, .packet = p };
	keep(e, &seen);
}

static void ready(struct source *source, uint32_t events)
{
	struct sniffer *s = (struct sniffer *)source;
	(void)events;
	while (pcap_dispatch(s->pcap, -1, on_packet, (u_char *)s) > 0)
		;
}

void sniff_deliver(struct executor *e)
{
	for (uint32_t i = 0; i < e->seen_count; i++) {
		struct seen *seen = &e->seen[i];
		if (e->env.tap)
			e->env.tap(e->env.tap_ctx, seen->place->name, seen->sniffer->interface,
				   seen->direction, seen->when_ns, seen->packet);
		packet_free(seen->packet);
	}
	e->seen_count = 0;
}

/* The MAC of an interface in a namespace. */
static struct net_mac mac_of(struct executor *e, int ns, const char *interface)
{
	struct ifreq request = { 0 };
	struct net_mac mac = { 0 };
	namespace_enter(ns);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	namespace_enter(e->home);
	if (fd < 0)
		return mac;
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
	if (ioctl(fd, SIOCGIFHWADDR, &request) == 0)
		memcpy(mac.bytes, request.ifr_hwaddr.sa_data, 6);
	close(fd);
	return mac;
}

static pcap_t *open_pcap(struct executor *e, int ns, const char *interface, struct err *err)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	namespace_enter(ns);
	pcap_t *p = pcap_create(interface, why);
	if (p) {
		pcap_set_snaplen(p, 65535);
		pcap_set_immediate_mode(p, 1);
		pcap_set_buffer_size(p, BUFFER_BYTES);
		pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
		if (pcap_activate(p) < 0 || pcap_setnonblock(p, 1, why)) {
			snprintf(why, sizeof why, "%s", pcap_geterr(p));
			pcap_close(p);
			p = NULL;
		}
	}
	namespace_enter(e->home);
	if (!p)
		err_set(err, ENOTSUP, "libpcap on %s: %s", interface, why);
	return p;
}

int sniff_start(struct executor *e, struct kernel_place *p, const char *interface, struct err *err)
{
	pcap_t *pcap = open_pcap(e, p->ns, interface, err);
	if (!pcap)
		return ENOTSUP;
	struct sniffer *s = mem_alloc(sizeof *s);
	s->source = (struct source){ .ready = ready, .sniffs = true,
				     .fd = dup(pcap_get_selectable_fd(pcap)) };
	s->place = p;
	s->executor = e;
	s->pcap = pcap;
	snprintf(s->interface, sizeof s->interface, "%s:%s", p->name, interface);
	s->mac = mac_of(e, p->ns, interface);
	s->next = p->sniffers;
	p->sniffers = s;
	return source_add(e, &s->source, EPOLLIN);
}

void sniff_far_mac(struct kernel_place *pod, struct kernel_place *node, const char *port)
{
	struct net_mac mac = mac_of(pod->executor, pod->ns, pod->uplink);
	char name[192];
	snprintf(name, sizeof name, "%s:%s", node->name, port);
	for (struct sniffer *s = node->sniffers; s; s = s->next)
		if (strcmp(s->interface, name) == 0) {
			s->mac = mac;
			s->mac_is_far = true;
		}
}

static void drop(struct sniffer *s)
{
	struct executor *e = s->executor;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < e->seen_count; i++) {
		if (e->seen[i].sniffer == s)
			packet_free(e->seen[i].packet);
		else
			e->seen[kept++] = e->seen[i];
	}
	e->seen_count = kept;
	pcap_close(s->pcap);
	source_remove(e, &s->source);
}

void sniff_stop(struct kernel_place *p, const char *interface)
{
	for (struct sniffer **at = &p->sniffers; *at;) {
		struct sniffer *s = *at;
		const char *colon = strrchr(s->interface, ':');
		if (interface && strcmp(colon + 1, interface) != 0) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		drop(s);
	}
}
