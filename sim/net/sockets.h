/* net/sockets.h: the socket layer of one network namespace, as programs see it.
 *
 * Apps (clients, servers, probes, CoreDNS) are written against this class only;
 * the Linux model's host stack and the real-Linux agent implement it. Nothing
 * blocks: every call returns at once and what happens later arrives as an
 * event. Errors are errno values as Linux gives them (ECONNREFUSED, ETIMEDOUT,
 * EHOSTUNREACH, ENETUNREACH, EPERM, ECONNRESET, EADDRINUSE, EADDRNOTAVAIL).
 *
 * Ownership: a `struct sock *` is valid from the call that returned it (or the
 * ACCEPTED event) until sock_close returns. Closing inside an event is allowed.
 * Bytes in an event are valid during the event only. After CLOSED or ERROR on a
 * stream no further event comes, but the owner still calls close.
 *
 * Addresses: a local address of family NET_NONE and port 0 let the stack choose.
 */
#ifndef NET_SOCKETS_H
#define NET_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/packet.h"

struct sockets; /* implementation object of one namespace */
struct sock;
struct trace;

struct sock_name {
	struct net_addr addr;
	uint16_t port;
};

enum sock_event_kind {
	SOCK_CONNECTED, /* the handshake is done (streams) */
	SOCK_ACCEPTED,  /* on a listener: `accepted` is the new stream */
	SOCK_DATA,      /* bytes from the peer; for datagrams one event a datagram */
	SOCK_EOF,       /* the peer shut down its side (FIN) */
	SOCK_CLOSED,    /* both sides are down */
	SOCK_ERROR,     /* `error` says why; a datagram socket stays usable */
	SOCK_ECHO_REPLY /* ICMP socket: reply; `ttl`, `sequence`, `peer` set */
};

struct sock_event {
	enum sock_event_kind kind;
	int error;
	struct sock *accepted;
	const uint8_t *bytes;
	size_t length;
	struct sock_name peer;
	struct net_addr local; /* datagram: address it was sent to */
	uint8_t ttl;
	uint16_t sequence;
	/* ICMP errors, also for ping: type and code as received; 0,0 none. */
	uint8_t icmp_type, icmp_code;
	struct net_addr icmp_from;
};

typedef void sock_event_fn(void *ctx, struct sock *s, const struct sock_event *event);

struct sock_options {
	struct sock_name local;   /* bind; family NET_NONE: any */
	struct trace *trace;      /* put on every packet of this socket; borrowed, may be NULL */
	uint32_t mark;            /* SO_MARK */
	bool reuse_port_now;      /* SO_REUSEADDR: take a port in TIME_WAIT */
	int64_t connect_timeout_ns; /* 0: as Linux retransmits (tcp_syn_retries) */
	bool once;                /* never retransmit; only the first packet has the trace */
};

struct sockets_class {
	const char *name; /* "model" or "kernel" */
	/* Starts a TCP or SCTP connect. 0 and *out, or the errno that connect()
	 * returns at once (ENETUNREACH, EADDRNOTAVAIL, ...), then *out is NULL. */
	int (*connect)(struct sockets *n, uint8_t proto, const struct sock_name *remote,
		       const struct sock_options *options, sock_event_fn *fn, void *ctx,
		       struct sock **out);
	int (*listen)(struct sockets *n, uint8_t proto, const struct sock_options *options,
		      sock_event_fn *fn, void *ctx, struct sock **out);
	/* UDP socket; remote may be NULL (unconnected). */
	int (*datagram)(struct sockets *n, const struct sock_name *remote,
			const struct sock_options *options, sock_event_fn *fn, void *ctx,
			struct sock **out);
	/* Echo request socket for ping. */
	int (*icmp)(struct sockets *n, const struct net_addr *remote,
		    const struct sock_options *options, sock_event_fn *fn, void *ctx,
		    struct sock **out);
	/* Stream bytes; or a datagram to `to` (NULL: the connected peer); or an echo
	 * request of `length` data bytes. 0 or errno (EPERM from an OUTPUT reject). */
	int (*send)(struct sock *s, const struct sock_name *to, const void *bytes,
		    size_t length);
	/* FIN after what was sent. */
	void (*shutdown)(struct sock *s);
	/* close(): FIN when needed, the handle is gone. */
	void (*close)(struct sock *s);
	/* RST, the handle is gone. */
	void (*abort)(struct sock *s);
	void (*names)(const struct sock *s, struct sock_name *local, struct sock_name *peer);
	/* Who gets the events from now on. An accepted stream has no handler until its
	 * ACCEPTED event sets one; without it the stream is closed. */
	void (*set_handler)(struct sock *s, sock_event_fn *fn, void *ctx);
};

/* What an app holds: the class and its object. */
struct sockets_ref {
	const struct sockets_class *class;
	struct sockets *object;
};

#endif
