/* kernel/ip.c: the lines of `ip -batch` that this executor writes, spoken to the kernel.
 *
 * A process for each batch would be most of what a small cluster costs. The lines below are
 * said over rtnetlink as ip(8) says them; any other line goes to ip itself.
 *
 *   link add NAME [address MAC] type bridge stp_state 0 forward_delay 0 mcast_snooping 0
 *   link add NAME type dummy
 *   link add NAME type veth peer name NAME netns /proc/self/fd/N
 *   link set NAME [master NAME] [up|down] | type bridge_slave hairpin on
 *   link del NAME
 *   addr add|replace|del ADDR/LEN dev NAME [nodad]
 *   route add|replace|del [blackhole] PREFIX [via ADDR] [dev NAME] [src ADDR] [metric N] [onlink]
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplanes/kernel/internal.h"

#define WORDS_MAX 24
#define MESSAGE_BYTES 1024

struct message {
	union {
		struct nlmsghdr header;
		char bytes[MESSAGE_BYTES];
	};
	void *body; /* behind the header */
};

struct line {
	int fd; /* a netlink socket in the namespace */
	const char *words[WORDS_MAX + 1]; /* ends with NULL */
};

static void begin(struct message *m, int type, int flags, size_t body)
{
	memset(m, 0, sizeof *m);
	m->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
	m->header.nlmsg_type = (uint16_t)type;
	m->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	m->body = NLMSG_DATA(&m->header);
}

static struct rtattr *attribute(struct message *m, int type, const void *data, size_t length)
{
	struct rtattr *a = (struct rtattr *)(m->bytes + NLMSG_ALIGN(m->header.nlmsg_len));
	a->rta_type = (uint16_t)type;
	a->rta_len = (uint16_t)RTA_LENGTH(length);
	if (length)
		memcpy(RTA_DATA(a), data, length);
	m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + (uint32_t)RTA_ALIGN(a->rta_len);
	return a;
}

static void attribute_text(struct message *m, int type, const char *text)
{
	attribute(m, type, text, strlen(text) + 1);
}

static void attribute_number(struct message *m, int type, uint32_t value)
{
	attribute(m, type, &value, sizeof value);
}

/* A nested attribute ends where the message ends now. */
static void close_nested(struct message *m, struct rtattr *a)
{
	a->rta_len = (uint16_t)(m->bytes + NLMSG_ALIGN(m->header.nlmsg_len) - (char *)a);
}

/* Sends and reads the acknowledgement. */
static int talk(const struct line *l, struct message *m)
{
	char answer[4096];
	struct nlmsghdr *h = (struct nlmsghdr *)answer;
	if (send(l->fd, m->bytes, m->header.nlmsg_len, 0) < 0)
		return errno;
	ssize_t n = recv(l->fd, answer, sizeof answer, 0);
	if (n < 0)
		return errno;
	if (!NLMSG_OK(h, (size_t)n) || h->nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -((struct nlmsgerr *)NLMSG_DATA(h))->error;
}

static int index_of(const struct line *l, const char *interface)
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
	return ioctl(l->fd, SIOCGIFINDEX, &request) ? 0 : request.ifr_ifindex;
}

static bool is(const char *word, const char *what)
{
	return word && strcmp(word, what) == 0;
}

/* ENOSYS, here and below: a line that is not one of ours. */
static int link_add(const struct line *l)
{
	const char *const *w = l->words + 2;
	const char *name = *w++;
	struct message m;
	struct net_mac mac;
	begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	attribute_text(&m, IFLA_IFNAME, name);
	if (is(*w, "address")) {
		unsigned b[6];
		if (!w[1] || sscanf(w[1], "%x:%x:%x:%x:%x:%x", b, b + 1, b + 2, b + 3, b + 4, b + 5) != 6)
			return ENOSYS;
		for (int i = 0; i < 6; i++)
			mac.bytes[i] = (uint8_t)b[i];
		attribute(&m, IFLA_ADDRESS, mac.bytes, 6);
		w += 2;
	}
	if (!is(*w, "type") || !w[1])
		return ENOSYS;
	struct rtattr *info = attribute(&m, IFLA_LINKINFO, NULL, 0);
	attribute_text(&m, IFLA_INFO_KIND, w[1]);
	bool bridge = is(w[1], "bridge") && is(w[2], "stp_state") && is(w[4], "forward_delay") &&
		      is(w[6], "mcast_snooping");
	bool veth = is(w[1], "veth") && is(w[2], "peer") && is(w[3], "name") && w[4] && is(w[5], "netns");
	int number;
	if (bridge) {
		struct rtattr *data = attribute(&m, IFLA_INFO_DATA, NULL, 0);
		attribute_number(&m, IFLA_BR_STP_STATE, 0);
		attribute_number(&m, IFLA_BR_FORWARD_DELAY, 0);
		attribute(&m, IFLA_BR_MCAST_SNOOPING, &(uint8_t){ 0 }, 1);
		close_nested(&m, data);
	} else if (veth && w[6] && sscanf(w[6], "/proc/self/fd/%d", &number) == 1) {
		struct rtattr *data = attribute(&m, IFLA_INFO_DATA, NULL, 0);
		struct rtattr *peer = attribute(&m, VETH_INFO_PEER, &(struct ifinfomsg){ 0 },
						sizeof(struct ifinfomsg));
		attribute_text(&m, IFLA_IFNAME, w[4]);
		attribute_number(&m, IFLA_NET_NS_FD, (uint32_t)number);
		close_nested(&m, peer);
		close_nested(&m, data);
	} else if (w[2]) {
		return ENOSYS;
	}
	close_nested(&m, info);
	return talk(l, &m);
}

static int link_set(const struct line *l)
{
	struct message m;
	struct ifinfomsg *body;
	begin(&m, RTM_NEWLINK, 0, sizeof *body);
	body = m.body;
	body->ifi_index = index_of(l, l->words[2]);
	if (!body->ifi_index)
		return ENODEV;
	for (const char *const *w = l->words + 3; *w; w++) {
		if (is(*w, "up") || is(*w, "down")) {
			body->ifi_change |= IFF_UP;
			body->ifi_flags |= is(*w, "up") ? IFF_UP : 0;
		} else if (is(*w, "master") && w[1]) {
			attribute_number(&m, IFLA_MASTER, (uint32_t)index_of(l, *++w));
		} else if (is(*w, "type") && is(w[1], "bridge_slave") && is(w[2], "hairpin") && is(w[3], "on")) {
			struct rtattr *info = attribute(&m, IFLA_LINKINFO, NULL, 0);
			attribute_text(&m, IFLA_INFO_SLAVE_KIND, "bridge");
			struct rtattr *data = attribute(&m, IFLA_INFO_SLAVE_DATA, NULL, 0);
			attribute(&m, IFLA_BRPORT_MODE, &(uint8_t){ 1 }, 1);
			close_nested(&m, data);
			close_nested(&m, info);
			w += 3;
		} else {
			return ENOSYS;
		}
	}
	return talk(l, &m);
}

static int link_del(const struct line *l)
{
	struct message m;
	begin(&m, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	((struct ifinfomsg *)m.body)->ifi_index = index_of(l, l->words[2]);
	return ((struct ifinfomsg *)m.body)->ifi_index ? talk(l, &m) : ENODEV;
}

/* The flags of a verb; -1: not one of ours. */
static int verb_flags(const char *verb)
{
	return is(verb, "add") ? NLM_F_CREATE | NLM_F_EXCL
	       : is(verb, "replace") ? NLM_F_CREATE | NLM_F_REPLACE
	       : is(verb, "del") ? 0 : -1;
}

static int address_line(const struct line *l)
{
	const char *const *w = l->words;
	struct net_prefix a;
	struct message m;
	int flags = verb_flags(w[1]);
	if (flags < 0 || !w[2] || !net_prefix_parse(w[2], &a) || !is(w[3], "dev") || !w[4] ||
	    (w[5] && !is(w[5], "nodad")))
		return ENOSYS;
	begin(&m, is(w[1], "del") ? RTM_DELADDR : RTM_NEWADDR, flags, sizeof(struct ifaddrmsg));
	struct ifaddrmsg *body = m.body;
	body->ifa_family = a.addr.family == NET_V6 ? AF_INET6 : AF_INET;
	body->ifa_prefixlen = a.bits;
	body->ifa_flags = w[5] ? IFA_F_NODAD : 0;
	body->ifa_index = (uint32_t)index_of(l, w[4]);
	if (!body->ifa_index)
		return ENODEV;
	attribute(&m, IFA_LOCAL, a.addr.bytes, net_family_bits(a.addr.family) / 8);
	attribute(&m, IFA_ADDRESS, a.addr.bytes, net_family_bits(a.addr.family) / 8);
	return talk(l, &m);
}

/* What follows the destination of a route. */
static int route_rest(const struct line *l, const char *const *w, struct message *m)
{
	struct rtmsg *body = m->body;
	struct net_addr a;
	for (; *w; w++) {
		if (is(*w, "onlink")) {
			body->rtm_flags |= RTNH_F_ONLINK;
		} else if (!w[1]) {
			return ENOSYS;
		} else if (is(*w, "dev")) {
			int index = index_of(l, *++w);
			if (!index)
				return ENODEV;
			attribute_number(m, RTA_OIF, (uint32_t)index);
		} else if (is(*w, "metric")) {
			attribute_number(m, RTA_PRIORITY, (uint32_t)strtoul(*++w, NULL, 10));
		} else if ((is(*w, "via") || is(*w, "src")) && net_addr_parse(w[1], &a)) {
			bool via = is(*w++, "via");
			attribute(m, via ? RTA_GATEWAY : RTA_PREFSRC, a.bytes, net_family_bits(a.family) / 8);
			if (via)
				body->rtm_scope = RT_SCOPE_UNIVERSE;
		} else {
			return ENOSYS;
		}
	}
	return 0;
}

static int route_line(const struct line *l)
{
	const char *const *w = l->words + 1;
	struct net_prefix to;
	struct message m;
	int flags = verb_flags(*w);
	bool del = is(*w, "del"), blackhole = is(w[1], "blackhole");
	w += blackhole ? 2 : 1;
	if (flags < 0 || !*w || !net_prefix_parse(*w, &to))
		return ENOSYS;
	begin(&m, del ? RTM_DELROUTE : RTM_NEWROUTE, flags, sizeof(struct rtmsg));
	struct rtmsg *body = m.body;
	body->rtm_family = to.addr.family == NET_V6 ? AF_INET6 : AF_INET;
	body->rtm_dst_len = to.bits;
	body->rtm_table = RT_TABLE_MAIN;
	body->rtm_protocol = del ? RTPROT_UNSPEC : RTPROT_BOOT;
	body->rtm_type = blackhole ? RTN_BLACKHOLE : del ? RTN_UNSPEC : RTN_UNICAST;
	body->rtm_scope = blackhole ? RT_SCOPE_UNIVERSE : del ? RT_SCOPE_NOWHERE : RT_SCOPE_LINK;
	if (to.bits)
		attribute(&m, RTA_DST, to.addr.bytes, net_family_bits(to.addr.family) / 8);
	int code = route_rest(l, w + 1, &m);
	if (del && !blackhole)
		body->rtm_scope = RT_SCOPE_NOWHERE;
	return code ? code : talk(l, &m);
}

static int one_line(struct line *l)
{
	const char *const *w = l->words;
	if (!w[0] || !w[1] || !w[2])
		return ENOSYS;
	if (is(w[0], "addr"))
		return address_line(l);
	if (is(w[0], "route"))
		return route_line(l);
	if (!is(w[0], "link"))
		return ENOSYS;
	return is(w[1], "add") ? link_add(l) : is(w[1], "set") ? link_set(l) : is(w[1], "del") ? link_del(l) : ENOSYS;
}

/* The tool itself; its message is one line. */
static int by_tool(int ns, const char *text, struct err *err)
{
	const char *const argv[] = { "ip", "-batch", "-", NULL };
	struct tool_run run = { .ns = ns, .argv = argv, .input = text, .input_length = strlen(text) };
	return tool_run(&run, err);
}

static int carry_out(struct line *l, int ns, const char *text, size_t length, struct err *err)
{
	char copy[512], *rest = copy;
	uint32_t count = 0;
	int code = ENOSYS;
	snprintf(copy, sizeof copy, "%.*s\n", (int)length, text);
	if (length < sizeof copy - 1) {
		char *word;
		while (count < WORDS_MAX && (word = strsep(&rest, " \n")) != NULL)
			if (*word)
				l->words[count++] = word;
		l->words[count] = NULL;
		if (count < WORDS_MAX)
			code = one_line(l);
	}
	if (code != ENOSYS)
		return code ? err_set(err, code, "ip %.*s: %s", (int)length, text, strerror(code)) : 0;
	char *whole = strndup(text, length + 1);
	code = by_tool(ns, whole ? whole : "", err);
	free(whole);
	return code;
}

int tool_ip(int ns, const char *batch, struct err *err)
{
	int home = namespace_visit(ns), code = 0;
	struct line l = { .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) };
	int why = errno;
	namespace_leave(home);
	if (l.fd < 0)
		return err_set(err, why, "netlink: %s", strerror(why));
	while (*batch && !code) {
		size_t length = strcspn(batch, "\n");
		if (length)
			code = carry_out(&l, ns, batch, length, err);
		batch += length + (batch[length] == '\n');
	}
	close(l.fd);
	return code;
}
