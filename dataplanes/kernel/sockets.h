/* dataplanes/kernel/sockets.h: real sockets behind net/sockets.h, shared by its files. */
#ifndef DATAPLANES_KERNEL_SOCKETS_H
#define DATAPLANES_KERNEL_SOCKETS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "dataplanes/kernel/internal.h"

enum sock_kind { KIND_CONNECTING, KIND_STREAM, KIND_LISTENER, KIND_DATAGRAM, KIND_ECHO };

struct sock {
	struct source source;      /* first: what epoll points to; freed by clock.c */
	enum sock_kind kind;
	struct executor *executor;
	struct sockets *owner;
	sock_event_fn *fn;         /* NULL: closed by its owner, only sends what is left */
	void *ctx;
	uint8_t family, proto;
	bool client;               /* counted as active */
	bool eof_seen, shut, over; /* peer's FIN; our FIN; last event was given */
	struct strbuf out;         /* not yet written */
	size_t out_at;
	struct event_id timer;     /* connect timeout; later the last event's */
	struct sock_event last;
	uint16_t sequence;
	struct net_addr remote;    /* echo */
	struct sock *next, *previous;
};

struct sockets {
	struct kernel_place *place;
	struct sock *first;
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Between the kernel's and our form; v4-mapped addresses become v4. */
socklen_t address_from_name(const struct sock_name *name, uint8_t family, union address *out);
struct sock_name name_from_address(const union address *a);
/* A non-blocking socket in the place's namespace; negative: -errno. */
int socket_in(struct sockets *n, int domain, int type, int protocol);
struct sock *kernel_sock_new(struct sockets *n, enum sock_kind kind, int fd, sock_event_fn *fn, void *ctx);
/* Takes it from its place, closes the descriptor. */
void sock_drop(struct sock *s);
void kernel_sock_tell(struct sock *s, const struct sock_event *event);
/* Options that all kinds share: mark, reuse, bind. 0 or errno. */
int sock_bind(int fd, uint8_t family, const struct sock_options *options);

void stream_ready(struct source *source, uint32_t events);
void listener_ready(struct source *source, uint32_t events);
void datagram_ready(struct source *source, uint32_t events);
int stream_send(struct sock *s, const void *bytes, size_t length);
void stream_flush(struct sock *s);
/* Reads the socket's error queue: one event with what the ICMP error said; false when it
 * is empty. */
bool error_queue_read(struct sock *s, struct sock_event *event);
int kernel_datagram_send(struct sock *s, const struct sock_name *to, const void *bytes, size_t length);
int kernel_echo_send(struct sock *s, const void *bytes, size_t length);

#endif
