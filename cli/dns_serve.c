/* cli/dns_serve.c: see dns_serve.h. */
#include "cli/dns_serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/engine.h"
#include "core/strbuf.h"

#define BATCH 64
#define DATAGRAM_BYTES 4096
#define CLIENTS_MAX 1000u
#define WAITING_MAX 20000u
#define OUT_MAX (1u << 20)
#define IN_MAX (1u << 18)
/* How long a stream may take to its first query, and from one answer to the next query. */
#define FIRST_READ_NS (3 * NS_PER_S)
#define IDLE_NS (10 * NS_PER_S)

enum source { SOURCE_UDP, SOURCE_TCP, SOURCE_SIGNAL, SOURCE_CLIENT };

struct client {
	enum source source;        /* first: epoll's pointer says what it is */
	struct client *next, **back;
	struct client *next_dead;
	int fd;
	bool dead, paused, ended;
	uint64_t number;
	struct dns_client name;
	struct strbuf in, out;
	int64_t deadline_ns;
	uint32_t waiting;          /* replies that leave later */
};

struct waiting { /* a heap by time */
	int64_t when_ns;
	uint64_t sequence, client; /* number of a TCP client; 0: datagram */
	struct sockaddr_storage to;
	socklen_t to_length;
	struct strbuf bytes;
};

struct dns_service {
	struct dns_service_options options;
	enum source udp_source, tcp_source, signal_source;
	int epoll, udp, tcp, signals;
	sigset_t old_mask;
	bool stopping;
	struct client *clients, *dead;
	uint32_t client_count;
	uint64_t numbers, sequences;
	struct waiting *heap;
	uint32_t heap_count, heap_capacity;
	int64_t start_ns, last_tick_ns;
	struct mmsghdr in[BATCH];
	struct iovec in_iov[BATCH], out_iov[BATCH];
	struct sockaddr_storage from[BATCH];
	uint8_t buffers[BATCH][DATAGRAM_BYTES];
	struct strbuf replies[BATCH];
	struct mmsghdr out[BATCH];
};

static int64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t now_of(const struct dns_service *s)
{
	return clock_ns() - s->start_ns;
}

/* ---- addresses --------------------------------------------------------------- */

static socklen_t to_sockaddr(const struct sock_name *n, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (n->addr.family == NET_V6) {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;
		a->sin6_family = AF_INET6;
		a->sin6_port = htons(n->port);
		memcpy(&a->sin6_addr, n->addr.bytes, 16);
		return sizeof *a;
	}
	struct sockaddr_in *a = (struct sockaddr_in *)out;
	a->sin_family = AF_INET;
	a->sin_port = htons(n->port);
	memcpy(&a->sin_addr, n->addr.bytes, 4);
	return sizeof *a;
}

static struct sock_name from_sockaddr(const struct sockaddr_storage *from)
{
	struct sock_name n = { 0 };
	if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)from;
		n.addr.family = NET_V6;
		n.port = ntohs(a->sin6_port);
		memcpy(n.addr.bytes, &a->sin6_addr, 16);
	} else {
		const struct sockaddr_in *a = (const struct sockaddr_in *)from;
		n.addr.family = NET_V4;
		n.port = ntohs(a->sin_port);
		memcpy(n.addr.bytes, &a->sin_addr, 4);
	}
	return n;
}

/* ---- replies that leave later --------------------------------------------------- */

static bool earlier(const struct waiting *a, const struct waiting *b)
{
	return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->sequence < b->sequence;
}

static void heap_push(struct dns_service *s, const struct waiting *w)
{
	if (s->heap_count == s->heap_capacity) {
		uint32_t capacity = s->heap_capacity ? s->heap_capacity * 2 : 16;
		s->heap = mem_grow(s->heap, s->heap_capacity, capacity, sizeof *s->heap);
		s->heap_capacity = capacity;
	}
	uint32_t at = s->heap_count++;
	for (; at && earlier(w, &s->heap[(at - 1) / 2]); at = (at - 1) / 2)
		s->heap[at] = s->heap[(at - 1) / 2];
	s->heap[at] = *w;
}

static struct waiting heap_pop(struct dns_service *s)
{
	struct waiting top = s->heap[0], last = s->heap[--s->heap_count];
	uint32_t at = 0;
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= s->heap_count)
			break;
		if (child + 1 < s->heap_count && earlier(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!earlier(&s->heap[child], &last))
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	if (s->heap_count)
		s->heap[at] = last;
	return top;
}

/* Takes the bytes over. */
static void wait_reply(struct dns_service *s, int64_t when_ns, struct client *c,
		       const struct sockaddr_storage *to, socklen_t to_length, struct strbuf *bytes)
{
	if (s->heap_count >= WAITING_MAX) {
		strbuf_free(bytes);
		return;
	}
	struct waiting w = { .when_ns = when_ns, .sequence = s->sequences++,
			     .client = c ? c->number : 0, .to_length = to_length, .bytes = *bytes };
	if (to)
		w.to = *to;
	if (c)
		c->waiting++;
	heap_push(s, &w);
	*bytes = (struct strbuf){ 0 };
}

/* ---- TCP clients -------------------------------------------------------------------- */

static void watch_client(struct dns_service *s, struct client *c)
{
	struct epoll_event e = { .data.ptr = c };
	e.events = (c->paused || c->ended ? 0 : EPOLLIN) | (c->out.length ? EPOLLOUT : 0);
	epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

/* Leaves the list of live clients; freed after the batch of events. */
static void drop_client(struct dns_service *s, struct client *c)
{
	if (c->dead)
		return;
	c->dead = true;
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	close(c->fd);
	s->client_count--;
	c->next_dead = s->dead;
	s->dead = c;
}

static void free_dead(struct dns_service *s)
{
	while (s->dead) {
		struct client *c = s->dead;
		s->dead = c->next_dead;
		strbuf_free(&c->in);
		strbuf_free(&c->out);
		free(c);
	}
}

static void flush_client(struct dns_service *s, struct client *c)
{
	while (c->out.length) {
		ssize_t n = send(c->fd, c->out.data, c->out.length, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) {
			drop_client(s, c);
			return;
		}
		memmove(c->out.data, c->out.data + n, c->out.length - (size_t)n);
		c->out.length -= (size_t)n;
	}
	if (c->ended && !c->out.length && !c->waiting) {
		drop_client(s, c);
		return;
	}
	c->paused = c->out.length > OUT_MAX || c->in.length > IN_MAX;
	watch_client(s, c);
}

static void answer_client(struct dns_service *s, struct client *c, const uint8_t *query,
			  size_t length)
{
	struct strbuf reply = { 0 };
	int64_t delay, now = now_of(s);
	strbuf_add(&reply, "\0", 2);
	if (dns_server_answer(s->options.server(s->options.ctx), query, length, &c->name, now,
			      &reply, &delay)) {
		size_t size = reply.length - 2;
		reply.data[0] = (char)(size >> 8);
		reply.data[1] = (char)size;
		if (delay > 0)
			wait_reply(s, now + delay, c, NULL, 0, &reply);
		else
			strbuf_add(&c->out, reply.data, reply.length);
	}
	strbuf_free(&reply);
}

/* Answers the whole queries in the buffer, one after the other: what comes behind one that
 * the upstream has to answer waits for it. */
static void take_queries(struct dns_service *s, struct client *c)
{
	size_t at = 0;
	while (c->in.length - at >= 2 && c->out.length <= OUT_MAX && !c->waiting) {
		const uint8_t *p = (const uint8_t *)c->in.data + at;
		size_t length = (size_t)p[0] << 8 | p[1];
		if (c->in.length - at - 2 < length)
			break;
		answer_client(s, c, p + 2, length);
		at += 2 + length;
	}
	if (at) {
		memmove(c->in.data, c->in.data + at, c->in.length - at);
		c->in.length -= at;
		c->deadline_ns = now_of(s) + IDLE_NS;
	}
}

static void read_client(struct dns_service *s, struct client *c)
{
	char bytes[16384];
	ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n < 0) {
		drop_client(s, c);
		return;
	}
	if (n == 0)
		c->ended = true;
	else
		strbuf_add(&c->in, bytes, (size_t)n);
	take_queries(s, c);
	flush_client(s, c);
}

static void client_event(struct dns_service *s, struct client *c, uint32_t events)
{
	if (c->dead)
		return;
	if (events & EPOLLERR || (events & EPOLLHUP && !(events & EPOLLIN))) {
		drop_client(s, c);
		return;
	}
	if (events & EPOLLIN)
		read_client(s, c);
	if (!c->dead && events & EPOLLOUT) {
		flush_client(s, c);
		if (!c->dead && !c->paused && c->in.length >= 2) {
			take_queries(s, c);
			flush_client(s, c);
		}
	}
}

static void accept_clients(struct dns_service *s)
{
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage from;
		socklen_t length = sizeof from;
		int fd = accept4(s->tcp, (struct sockaddr *)&from, &length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (s->client_count >= CLIENTS_MAX) {
			close(fd);
			continue;
		}
		int on = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		struct sock_name name = from_sockaddr(&from);
		struct client *c = mem_alloc(sizeof *c);
		*c = (struct client){ .source = SOURCE_CLIENT, .next = s->clients,
				      .back = &s->clients, .fd = fd, .number = ++s->numbers,
				      .name = { name.addr, name.port, true },
				      .deadline_ns = now_of(s) + FIRST_READ_NS };
		if (c->next)
			c->next->back = &c->next;
		s->clients = c;
		s->client_count++;
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
		if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e))
			drop_client(s, c);
	}
}

/* ---- datagrams ----------------------------------------------------------------------- */

static void serve_datagrams(struct dns_service *s)
{
	struct dns_server *server = s->options.server(s->options.ctx);
	for (int i = 0; i < BATCH; i++) {
		s->in_iov[i] = (struct iovec){ s->buffers[i], DATAGRAM_BYTES };
		s->in[i].msg_hdr = (struct msghdr){ .msg_name = &s->from[i],
						    .msg_namelen = sizeof s->from[i],
						    .msg_iov = &s->in_iov[i], .msg_iovlen = 1 };
	}
	int count = recvmmsg(s->udp, s->in, BATCH, MSG_DONTWAIT, NULL), ready = 0;
	int64_t now = now_of(s), delay;
	for (int i = 0; i < count; i++) {
		struct sock_name from = from_sockaddr(&s->from[i]);
		struct dns_client client = { from.addr, from.port, false };
		struct strbuf *reply = &s->replies[ready];
		strbuf_clear(reply);
		if (!dns_server_answer(server, s->buffers[i], s->in[i].msg_len, &client, now, reply,
				       &delay))
			continue;
		socklen_t length = s->in[i].msg_hdr.msg_namelen;
		if (delay > 0) {
			wait_reply(s, now + delay, NULL, &s->from[i], length, reply);
			continue;
		}
		s->out_iov[ready] = (struct iovec){ reply->data, reply->length };
		s->out[ready].msg_hdr = (struct msghdr){ .msg_name = &s->from[i],
							 .msg_namelen = length,
							 .msg_iov = &s->out_iov[ready],
							 .msg_iovlen = 1 };
		ready++;
	}
	for (int sent = 0; sent < ready;) {
		int n = sendmmsg(s->udp, s->out + sent, (unsigned)(ready - sent), 0);
		if (n < 0 && errno == EINTR)
			continue;
		sent += n > 0 ? n : 1; /* one that cannot be sent is dropped */
	}
}

static void send_due(struct dns_service *s, int64_t now_ns)
{
	while (s->heap_count && s->heap[0].when_ns <= now_ns) {
		struct waiting w = heap_pop(s);
		struct client *c = w.client ? s->clients : NULL;
		while (c && c->number != w.client)
			c = c->next;
		if (c) {
			c->waiting--;
			c->deadline_ns = now_ns + IDLE_NS;
			strbuf_add(&c->out, w.bytes.data, w.bytes.length);
			take_queries(s, c);
			flush_client(s, c);
		} else if (!w.client) {
			sendto(s->udp, w.bytes.data, w.bytes.length, 0, (struct sockaddr *)&w.to,
			       w.to_length);
		}
		strbuf_free(&w.bytes);
	}
}

/* ---- life ------------------------------------------------------------------------------ */

static int open_sockets(struct dns_service *s, struct err *err)
{
	struct sock_name *name = &s->options.listen;
	struct sockaddr_storage a;
	socklen_t length = to_sockaddr(name, &a);
	int on = 1, big = 4 << 20;
	char text[NET_ADDR_TEXT + 8];
	for (int tries = 0; tries < 16; tries++) {
		s->udp = socket(a.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		s->tcp = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		setsockopt(s->tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		setsockopt(s->udp, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
		setsockopt(s->udp, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
		if (s->udp < 0 || s->tcp < 0)
			return err_set(err, errno, "cannot open a socket: %s", strerror(errno));
		if (bind(s->tcp, (struct sockaddr *)&a, length) == 0) {
			socklen_t got = sizeof a;
			getsockname(s->tcp, (struct sockaddr *)&a, &got);
			if (listen(s->tcp, 128) == 0 &&
			    bind(s->udp, (struct sockaddr *)&a, length) == 0) {
				*name = from_sockaddr(&a);
				return 0;
			}
		}
		int code = errno;
		if (name->port || code != EADDRINUSE)
			return err_set(err, code, "cannot listen on %s: %s",
				       net_endpoint_text(&name->addr, name->port, text),
				       strerror(code));
		close(s->udp); /* any port: TCP's was taken for UDP, try another */
		close(s->tcp);
		s->udp = s->tcp = -1;
		length = to_sockaddr(name, &a);
	}
	return err_set(err, EADDRINUSE, "no port is free for both UDP and TCP");
}

static int watch(struct dns_service *s, int fd, enum source *source)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = source };
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) ? errno : 0;
}

int dns_service_open(const struct dns_service_options *options, struct dns_service **out,
		     struct err *err)
{
	struct dns_service *s = mem_alloc(sizeof *s);
	sigset_t mask;
	s->options = *options;
	s->udp = s->tcp = s->signals = s->epoll = -1;
	s->udp_source = SOURCE_UDP;
	s->tcp_source = SOURCE_TCP;
	s->signal_source = SOURCE_SIGNAL;
	s->start_ns = clock_ns();
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, &s->old_mask);
	int code = open_sockets(s, err);
	if (!code) {
		s->epoll = epoll_create1(EPOLL_CLOEXEC);
		s->signals = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
		if (s->epoll < 0 || s->signals < 0 || watch(s, s->udp, &s->udp_source) ||
		    watch(s, s->tcp, &s->tcp_source) || watch(s, s->signals, &s->signal_source))
			code = err_set(err, errno, "cannot wait for events: %s", strerror(errno));
	}
	if (code) {
		dns_service_close(s);
		return code;
	}
	*out = s;
	return 0;
}

struct sock_name dns_service_address(const struct dns_service *s)
{
	return s->options.listen;
}

/* Milliseconds until something is due; also drops clients that are idle too long. */
static int time_to_wait(struct dns_service *s, int64_t now_ns)
{
	int64_t next = INT64_MAX;
	for (struct client *c = s->clients, *after; c; c = after) {
		after = c->next;
		if (c->deadline_ns <= now_ns && !c->waiting)
			drop_client(s, c);
		else if (!c->waiting && c->deadline_ns < next)
			next = c->deadline_ns;
	}
	if (s->heap_count && s->heap[0].when_ns < next)
		next = s->heap[0].when_ns;
	if (s->options.tick_ms && s->last_tick_ns + s->options.tick_ms * NS_PER_MS < next)
		next = s->last_tick_ns + s->options.tick_ms * NS_PER_MS;
	if (next == INT64_MAX)
		return -1;
	return next <= now_ns ? 0 : (int)((next - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* Reads the signal, so that it is not delivered once the mask is what it was. */
static void take_signal(struct dns_service *s)
{
	struct signalfd_siginfo info;
	while (read(s->signals, &info, sizeof info) == sizeof info)
		s->stopping = true;
}

int dns_service_run(struct dns_service *s, struct err *err)
{
	struct epoll_event events[BATCH];
	while (!s->stopping) {
		int64_t now = now_of(s);
		send_due(s, now);
		if (s->options.tick_ms && now >= s->last_tick_ns + s->options.tick_ms * NS_PER_MS) {
			s->last_tick_ns = now;
			s->options.tick(s->options.ctx, now);
		}
		int count = epoll_wait(s->epoll, events, BATCH, time_to_wait(s, now));
		if (count < 0 && errno != EINTR)
			return err_set(err, errno, "cannot wait for events: %s", strerror(errno));
		for (int i = 0; i < count; i++) {
			switch (*(enum source *)events[i].data.ptr) {
			case SOURCE_UDP:
				serve_datagrams(s);
				break;
			case SOURCE_TCP:
				accept_clients(s);
				break;
			case SOURCE_SIGNAL:
				take_signal(s);
				break;
			case SOURCE_CLIENT:
				client_event(s, events[i].data.ptr, events[i].events);
				break;
			}
		}
		free_dead(s);
	}
	return 0;
}

void dns_service_close(struct dns_service *s)
{
	if (!s)
		return;
	while (s->clients)
		drop_client(s, s->clients);
	free_dead(s);
	while (s->heap_count) {
		struct waiting w = heap_pop(s);
		strbuf_free(&w.bytes);
	}
	free(s->heap);
	for (int i = 0; i < BATCH; i++)
		strbuf_free(&s->replies[i]);
	const int fds[] = { s->udp, s->tcp, s->signals, s->epoll };
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	free(s);
}
