/* dataplanes/kernel/stream.c: events of TCP and SCTP sockets. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dataplanes/kernel/sockets.h"

#define READ_BYTES 65536
#define READS_A_ROUND 16

static void tell_last(void *ctx)
{
	struct sock *s = ctx;
	kernel_sock_tell(s, &s->last);
}

/* The last event: it comes after the call under way, which may be one of the owner's. */
static void over(struct sock *s, const struct sock_event *event)
{
	struct engine *engine = s->executor->env.engine;
	s->over = true;
	s->last = *event;
	engine_cancel(engine, &s->timer);
	epoll_ctl(s->executor->epoll, EPOLL_CTL_DEL, s->source.fd, NULL);
	s->timer = engine_after(engine, 0, tell_last, s);
}

static void fail(struct sock *s, int error)
{
	struct sock_event event = s->last; /* what an ICMP error said before */
	if (s->over)
		return;
	error_queue_read(s, &event);
	event.kind = SOCK_ERROR;
	event.error = error;
	if (s->fn) {
		over(s, &event);
		return;
	}
	s->over = true;
	sock_drop(s);
}

static void watch(struct sock *s)
{
	uint32_t events = s->eof_seen ? 0 : EPOLLIN;
	if (s->out_at < s->out.length)
		events |= EPOLLOUT;
	source_change(s->executor, &s->source, events);
}

static void closed_if_both(struct sock *s)
{
	if (!s->over && s->eof_seen && s->shut && s->out_at >= s->out.length)
		over(s, &(struct sock_event){ .kind = SOCK_CLOSED });
}

void stream_flush(struct sock *s)
{
	while (s->out_at < s->out.length) {
		ssize_t n = send(s->source.fd, s->out.data + s->out_at, s->out.length - s->out_at,
				 MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch(s);
			return;
		}
		if (n < 0) {
			fail(s, errno);
			return;
		}
		s->out_at += (size_t)n;
	}
	strbuf_clear(&s->out);
	s->out_at = 0;
	if (s->shut && !s->fn) {
		sock_drop(s); /* its owner closed it before */
		return;
	}
	if (s->shut)
		shutdown(s->source.fd, SHUT_WR);
	watch(s);
	closed_if_both(s);
}

int stream_send(struct sock *s, const void *bytes, size_t length)
{
	strbuf_add(&s->out, bytes, length);
	stream_flush(s);
	return 0;
}

static void connected(struct sock *s)
{
	int error = 0;
	socklen_t length = sizeof error;
	getsockopt(s->source.fd, SOL_SOCKET, SO_ERROR, &error, &length);
	engine_cancel(s->executor->env.engine, &s->timer);
	if (error) {
		fail(s, error);
		return;
	}
	s->kind = KIND_STREAM;
	watch(s);
	kernel_sock_tell(s, &(struct sock_event){ .kind = SOCK_CONNECTED });
}

static void read_some(struct sock *s)
{
	uint8_t buffer[READ_BYTES];
	for (int i = 0; i < READS_A_ROUND && !s->source.dead && !s->over; i++) {
		ssize_t n = recv(s->source.fd, buffer, sizeof buffer, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			fail(s, errno);
			return;
		}
		if (n == 0) {
			s->eof_seen = true;
			watch(s);
			kernel_sock_tell(s, &(struct sock_event){ .kind = SOCK_EOF });
			if (!s->source.dead)
				closed_if_both(s);
			return;
		}
		kernel_sock_tell(s, &(struct sock_event){ .kind = SOCK_DATA, .bytes = buffer,
						   .length = (size_t)n });
	}
}

void stream_ready(struct source *source, uint32_t events)
{
	struct sock *s = (struct sock *)source;
	/* An ICMP error that came while connect() had the socket does not end the attempt. A
	 * polling program hears of it all the same over IPv4, where SO_ERROR then tells of it;
	 * over IPv6 only because of IPV6_RECVERR, which others do not set. */
	if (s->kind == KIND_CONNECTING && s->family == NET_V6 && !(events & (EPOLLOUT | EPOLLHUP))) {
		while (error_queue_read(s, &s->last))
			;
		return;
	}
	if (s->kind == KIND_CONNECTING) {
		connected(s);
		return;
	}
	if (events & EPOLLOUT)
		stream_flush(s);
	if (!s->source.dead && !s->over && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		read_some(s);
}

void listener_ready(struct source *source, uint32_t events)
{
	struct sock *s = (struct sock *)source;
	(void)events;
	while (!s->source.dead) {
		int fd = accept4(s->source.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		struct sock *stream = kernel_sock_new(s->owner, KIND_STREAM, fd, NULL, NULL);
		struct sock_event event = { .kind = SOCK_ACCEPTED, .accepted = stream };
		stream->family = s->family;
		stream->proto = s->proto;
		kernel_sockets_class.names(stream, NULL, &event.peer);
		source_add(s->executor, &stream->source, EPOLLIN);
		kernel_sock_tell(s, &event);
		if (!stream->source.dead && !stream->fn)
			sock_drop(stream);
	}
}
