/* dataplanes/kernel/datagram.c: UDP and echo sockets, and their error queues. */
#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/epoll.h>

#include "dataplanes/kernel/sockets.h"

/* What the control messages of a received datagram say. */
static void read_control(struct msghdr *message, struct sock_event *event)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		int value;
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
			memcpy(&value, CMSG_DATA(c), sizeof value);
			event->ttl = (uint8_t)value;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			event->local.family = NET_V4;
			memcpy(event->local.bytes, &info.ipi_addr, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			union address a = { .v6.sin6_family = AF_INET6 };
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			a.v6.sin6_addr = info.ipi6_addr;
			event->local = name_from_address(&a).addr;
		}
	}
}

bool error_queue_read(struct sock *s, struct sock_event *event)
{
	uint8_t data[512], control[512];
	union address from = { 0 };
	struct iovec part = { data, sizeof data };
	struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part,
				  .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof control };
	if (recvmsg(s->source.fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		struct { struct sock_extended_err error; union address offender; } e = { 0 };
		size_t length = c->cmsg_len - CMSG_LEN(0);
		memcpy(&e, CMSG_DATA(c), length < sizeof e ? length : sizeof e);
		event->error = (int)e.error.ee_errno;
		if (e.error.ee_origin == SO_EE_ORIGIN_ICMP || e.error.ee_origin == SO_EE_ORIGIN_ICMP6) {
			event->icmp_type = e.error.ee_type;
			event->icmp_code = e.error.ee_code;
			event->icmp_from = name_from_address(&e.offender).addr;
		}
	}
	return true;
}

/* An echo reply's header comes with ping sockets: take it off. */
static bool reply_of(struct sock *s, const uint8_t *data, size_t length, struct sock_event *event)
{
	uint8_t type = s->family == NET_V4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
	if (length < 8 || data[0] != type)
		return false;
	event->kind = SOCK_ECHO_REPLY;
	event->sequence = (uint16_t)(data[6] << 8 | data[7]);
	event->bytes = data + 8;
	event->length = length - 8;
	return true;
}

void datagram_ready(struct source *source, uint32_t events)
{
	struct sock *s = (struct sock *)source;
	uint8_t data[65536], control[512];
	struct sock_event error = { .kind = SOCK_ERROR };
	while ((events & EPOLLERR) && !s->source.dead && error_queue_read(s, &error)) {
		kernel_sock_tell(s, &error);
		error = (struct sock_event){ .kind = SOCK_ERROR };
	}
	while (!s->source.dead) {
		union address from = { 0 };
		struct iovec part = { data, sizeof data };
		struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part,
					  .msg_iovlen = 1, .msg_control = control,
					  .msg_controllen = sizeof control };
		ssize_t n = recvmsg(s->source.fd, &message, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0)
			continue; /* the pending error that the queue told of */
		struct sock_event event = { .kind = SOCK_DATA, .bytes = data, .length = (size_t)n,
					    .peer = name_from_address(&from) };
		read_control(&message, &event);
		if (s->kind == KIND_DATAGRAM || reply_of(s, data, (size_t)n, &event))
			kernel_sock_tell(s, &event);
	}
}

int kernel_datagram_send(struct sock *s, const struct sock_name *to, const void *bytes, size_t length)
{
	union address a;
	socklen_t size = to ? address_from_name(to, s->family, &a) : 0;
	ssize_t n = sendto(s->source.fd, bytes, length, MSG_NOSIGNAL, to ? &a.any : NULL, size);
	return n < 0 ? errno : 0;
}

int kernel_echo_send(struct sock *s, const void *bytes, size_t length)
{
	uint8_t data[1500] = { 0 };
	if (length > sizeof data - 8)
		return EMSGSIZE;
	s->sequence++;
	data[0] = s->family == NET_V4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	data[6] = (uint8_t)(s->sequence >> 8);
	data[7] = (uint8_t)s->sequence;
	memcpy(data + 8, bytes, length);
	return send(s->source.fd, data, length + 8, MSG_NOSIGNAL) < 0 ? errno : 0;
}
