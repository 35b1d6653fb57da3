/* dataplanes/kernel/sockets.c: the socket class on real sockets. */
#include "dataplanes/kernel/sockets.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/arena.h"

socklen_t address_from_name(const struct sock_name *name, uint8_t family, union address *out)
{
	memset(out, 0, sizeof *out);
	if (family == NET_V4) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(name->port);
		memcpy(&out->v4.sin_addr, name->addr.bytes, 4);
		return sizeof out->v4;
	}
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(name->port);
	if (name->addr.family == NET_V4) {
		out->v6.sin6_addr.s6_addr[10] = out->v6.sin6_addr.s6_addr[11] = 0xff;
		memcpy(out->v6.sin6_addr.s6_addr + 12, name->addr.bytes, 4);
	} else {
		memcpy(&out->v6.sin6_addr, name->addr.bytes, 16);
	}
	return sizeof out->v6;
}

struct sock_name name_from_address(const union address *a)
{
	struct sock_name n = { 0 };
	if (a->any.sa_family == AF_INET) {
		n.addr.family = NET_V4;
		memcpy(n.addr.bytes, &a->v4.sin_addr, 4);
		n.port = ntohs(a->v4.sin_port);
	} else if (a->any.sa_family == AF_INET6) {
		bool mapped = IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr);
		n.addr.family = mapped ? NET_V4 : NET_V6;
		memcpy(n.addr.bytes, a->v6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
		n.port = ntohs(a->v6.sin6_port);
	}
	return n;
}

int socket_in(struct sockets *n, int domain, int type, int protocol)
{
	namespace_enter(n->place->ns);
	int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	int code = errno;
	namespace_enter(n->place->executor->home);
	return fd < 0 ? -code : fd;
}

static void (*const ready_of[])(struct source *, uint32_t) = {
	[KIND_CONNECTING] = stream_ready, [KIND_STREAM] = stream_ready,
	[KIND_LISTENER] = listener_ready, [KIND_DATAGRAM] = datagram_ready,
	[KIND_ECHO] = datagram_ready };

struct sock *kernel_sock_new(struct sockets *n, enum sock_kind kind, int fd, sock_event_fn *fn, void *ctx)
{
	struct sock *s = mem_alloc(sizeof *s);
	s->source = (struct source){ .ready = ready_of[kind], .fd = fd };
	s->kind = kind;
	s->owner = n;
	s->executor = n->place->executor;
	s->fn = fn;
	s->ctx = ctx;
	s->next = n->first;
	if (n->first)
		n->first->previous = s;
	n->first = s;
	return s;
}

void sock_drop(struct sock *s)
{
	if (s->previous)
		s->previous->next = s->next;
	else
		s->owner->first = s->next;
	if (s->next)
		s->next->previous = s->previous;
	if (s->client)
		s->executor->active--;
	engine_cancel(s->executor->env.engine, &s->timer);
	strbuf_free(&s->out);
	s->fn = NULL;
	source_remove(s->executor, &s->source);
}

void kernel_sock_tell(struct sock *s, const struct sock_event *event)
{
	if (s->fn)
		s->fn(s->ctx, s, event);
}

int sock_bind(int fd, uint8_t family, const struct sock_options *options)
{
	union address a;
	int on = 1;
	if (options->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &options->mark, sizeof options->mark))
		return errno;
	if (options->reuse_port_now)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (options->local.addr.family == NET_NONE && !options->local.port)
		return 0;
	socklen_t length = address_from_name(&options->local, family, &a);
	return bind(fd, &a.any, length) ? errno : 0;
}

/* A client's socket keeps the clock at real time while it is open. */
static struct sock *client(struct sock *s)
{
	s->client = true;
	s->executor->active++;
	return s;
}

static void on_connect_timeout(void *ctx)
{
	struct sock *s = ctx;
	struct sock_event event = { .kind = SOCK_ERROR, .error = ETIMEDOUT };
	s->over = true;
	epoll_ctl(s->executor->epoll, EPOLL_CTL_DEL, s->source.fd, NULL);
	kernel_sock_tell(s, &event);
}

static int kernel_connect(struct sockets *n, uint8_t proto, const struct sock_name *remote,
			  const struct sock_options *options, sock_event_fn *fn, void *ctx,
			  struct sock **out)
{
	union address a;
	int on = 1, domain = remote->addr.family == NET_V6 ? AF_INET6 : AF_INET;
	*out = NULL;
	int fd = socket_in(n, domain, SOCK_STREAM, proto == PROTO_SCTP ? IPPROTO_SCTP : IPPROTO_TCP);
	if (fd < 0)
		return -fd;
	int code = sock_bind(fd, remote->addr.family, options);
	if (proto == PROTO_TCP)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (domain == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
	socklen_t length = address_from_name(remote, remote->addr.family, &a);
	if (!code && connect(fd, &a.any, length) && errno != EINPROGRESS)
		code = errno;
	if (code) {
		close(fd);
		return code;
	}
	struct sock *s = client(kernel_sock_new(n, KIND_CONNECTING, fd, fn, ctx));
	s->family = remote->addr.family;
	s->proto = proto;
	if (options->connect_timeout_ns)
		s->timer = engine_after(s->executor->env.engine, options->connect_timeout_ns,
					on_connect_timeout, s);
	source_add(s->executor, &s->source, EPOLLOUT);
	*out = s;
	return 0;
}

static int kernel_listen(struct sockets *n, uint8_t proto, const struct sock_options *options,
			 sock_event_fn *fn, void *ctx, struct sock **out)
{
	uint8_t family = options->local.addr.family == NET_V4 ? NET_V4 : NET_V6;
	int on = 1, off = 0;
	*out = NULL;
	int fd = socket_in(n, family == NET_V4 ? AF_INET : AF_INET6, SOCK_STREAM,
			   proto == PROTO_SCTP ? IPPROTO_SCTP : IPPROTO_TCP);
	if (fd < 0)
		return -fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == NET_V6 && options->local.addr.family == NET_NONE)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	int code = sock_bind(fd, family, options);
	if (!code && listen(fd, 4096))
		code = errno;
	if (code) {
		close(fd);
		return code;
	}
	*out = kernel_sock_new(n, KIND_LISTENER, fd, fn, ctx);
	(*out)->proto = proto;
	(*out)->family = family;
	return source_add(n->place->executor, &(*out)->source, EPOLLIN);
}

static void ask_for_details(int fd, uint8_t family)
{
	int on = 1;
	if (family == NET_V4) {
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
		setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
	}
}

static int kernel_datagram(struct sockets *n, const struct sock_name *remote,
			   const struct sock_options *options, sock_event_fn *fn, void *ctx,
			   struct sock **out)
{
	union address a;
	const struct sock_name *decides = remote ? remote : &options->local;
	uint8_t family = decides->addr.family == NET_V4 ? NET_V4 : NET_V6;
	int off = 0;
	*out = NULL;
	int fd = socket_in(n, family == NET_V4 ? AF_INET : AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
	if (fd < 0)
		return -fd;
	if (family == NET_V6 && decides->addr.family == NET_NONE)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	ask_for_details(fd, family);
	int code = sock_bind(fd, family, options);
	if (!code && remote && connect(fd, &a.any, address_from_name(remote, family, &a)))
		code = errno;
	if (code) {
		close(fd);
		return code;
	}
	struct sock *s = kernel_sock_new(n, KIND_DATAGRAM, fd, fn, ctx);
	s->family = family;
	s->proto = PROTO_UDP;
	if (remote || !options->local.port)
		client(s);
	*out = s;
	return source_add(s->executor, &s->source, EPOLLIN);
}

static int kernel_icmp(struct sockets *n, const struct net_addr *remote,
		       const struct sock_options *options, sock_event_fn *fn, void *ctx,
		       struct sock **out)
{
	union address a;
	struct sock_name name = { *remote, 0 };
	bool v4 = remote->family == NET_V4;
	*out = NULL;
	int fd = socket_in(n, v4 ? AF_INET : AF_INET6, SOCK_DGRAM, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (fd < 0)
		return -fd;
	ask_for_details(fd, remote->family);
	int code = sock_bind(fd, remote->family, options);
	if (!code && connect(fd, &a.any, address_from_name(&name, remote->family, &a)))
		code = errno;
	if (code) {
		close(fd);
		return code;
	}
	struct sock *s = client(kernel_sock_new(n, KIND_ECHO, fd, fn, ctx));
	s->family = remote->family;
	s->remote = *remote;
	*out = s;
	return source_add(s->executor, &s->source, EPOLLIN);
}

static int kernel_send(struct sock *s, const struct sock_name *to, const void *bytes, size_t length)
{
	if (s->kind == KIND_DATAGRAM)
		return kernel_datagram_send(s, to, bytes, length);
	if (s->kind == KIND_ECHO)
		return kernel_echo_send(s, bytes, length);
	if (s->kind != KIND_STREAM)
		return ENOTCONN;
	return s->shut ? EPIPE : stream_send(s, bytes, length);
}

static void kernel_shutdown(struct sock *s)
{
	s->shut = true;
	if (s->kind == KIND_STREAM)
		stream_flush(s);
}

static void kernel_close(struct sock *s)
{
	s->fn = NULL;
	s->shut = true;
	if (s->kind == KIND_STREAM && !s->over && s->out_at < s->out.length)
		return; /* stream_flush drops it when all is written */
	sock_drop(s);
}

static void kernel_abort(struct sock *s)
{
	struct linger linger = { .l_onoff = 1 };
	setsockopt(s->source.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	sock_drop(s);
}

static void kernel_names(const struct sock *s, struct sock_name *local, struct sock_name *peer)
{
	union address a;
	socklen_t length = sizeof a;
	memset(&a, 0, sizeof a);
	if (local && getsockname(s->source.fd, &a.any, &length) == 0)
		*local = name_from_address(&a);
	length = sizeof a;
	memset(&a, 0, sizeof a);
	if (peer && getpeername(s->source.fd, &a.any, &length) == 0)
		*peer = name_from_address(&a);
}

static void kernel_set_handler(struct sock *s, sock_event_fn *fn, void *ctx)
{
	s->fn = fn;
	s->ctx = ctx;
}

const struct sockets_class kernel_sockets_class = {
	.name = "kernel", .connect = kernel_connect, .listen = kernel_listen,
	.datagram = kernel_datagram, .icmp = kernel_icmp, .send = kernel_send,
	.shutdown = kernel_shutdown, .close = kernel_close, .abort = kernel_abort,
	.names = kernel_names, .set_handler = kernel_set_handler };

struct sockets *kernel_sockets_new(struct kernel_place *p)
{
	struct sockets *n = mem_alloc(sizeof *n);
	n->place = p;
	return n;
}

/* Sockets that their owners left open: their places are going away. */
void kernel_sockets_free(struct sockets *n)
{
	while (n && n->first)
		sock_drop(n->first);
	free(n);
}
