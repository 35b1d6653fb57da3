/* linux/stack_internal.h: the host stack's sockets, between stack*.c.
 *
 * Nothing calls back into an application while it is inside a call of its own: what
 * TCP or SCTP tell is queued with the socket and told afterwards (sock_tell). An
 * application may close a socket inside an event; its memory goes when the last
 * telling is over.
 */
#ifndef LINUX_STACK_INTERNAL_H
#define LINUX_STACK_INTERNAL_H

#include "core/table.h"
#include "linux/internal.h"
#include "net/tcp.h"

enum sock_kind { SOCKK_LISTENER, SOCKK_STREAM, SOCKK_DATAGRAM, SOCKK_ECHO };

struct sock_note { /* an event that waits to be told */
	struct sock_note *next;
	struct sock_event event; /* bytes point behind this struct */
	uint8_t bytes[];
};

struct sctp_assoc;

struct sock {
	struct sockets *n;
	struct sock *next, **back; /* all of the namespace, newest last */
	enum sock_kind kind;
	uint8_t proto;
	struct sock_name local, peer; /* local.addr NET_NONE: any address of any family */
	bool connected, bound_key, conn_key, port_key, echo_key;
	bool closed;     /* the application gave it up */
	bool accept_due; /* the handshake of a passive stream is done, its listener not told */
	uint32_t busy; /* tellings under way */
	sock_event_fn *fn;
	void *ctx;
	struct sock_options options;
	struct sock *listener;     /* stream that is not accepted yet */
	struct sock *embryos, *embryo_next, **embryo_back; /* listener: its such streams */
	struct tcp *tcp;
	struct sctp_assoc *sctp;
	struct event_id timer, telling;
	int64_t timer_ns;
	uint32_t isn; /* of a stream in place of one in TIME_WAIT; 0: by address and clock */
	uint16_t ip_id, echo_id, echo_sequence;
	struct icmp_notice notice; /* the last ICMP error about it */
	struct sock_note *notes, **last_note;
};

struct bind_key {
	struct net_addr addr; /* NET_NONE: any; a family's zeros: any of the family */
	uint16_t port;
	uint8_t proto, pad;
};

struct port_key {
	uint16_t port;
	uint8_t proto, pad;
};

struct port_use {
	uint32_t bound, connections; /* sockets in `bound`, streams in `conns` */
};

struct sockets {
	struct netns *ns;
	struct sock *first, **last;
	struct table conns; /* struct flow_key (src is local) -> struct sock * */
	struct table bound; /* struct bind_key -> struct sock * */
	struct table ports; /* struct port_key -> struct port_use */
	struct table echo;  /* uint16_t identifier -> struct sock * */
};

/* stack.c */
struct sock *sock_new(struct sockets *n, enum sock_kind kind, uint8_t proto,
		      const struct sock_options *options, sock_event_fn *fn, void *ctx);
void sock_free(struct sock *s);  /* out of all tables; memory when nobody tells */
int64_t sock_now(const struct sock *s);
/* Queues an event; sock_tell tells what is queued, sock_tell_later does it in an event
 * of its own. Afterwards the socket may be gone. */
void sock_note(struct sock *s, const struct sock_event *event);
void sock_tell(struct sock *s);
void sock_tell_later(struct sock *s);
/* Sends a packet of this socket. 0 or errno. */
int sock_output(struct sock *s, struct packet *p);
struct craft_ip sock_ip(const struct sock *s, const struct sock_name *local,
			const struct sock_name *peer);
/* Notes in the packet's trace that it reached a socket. */
void sock_delivered(struct netns *ns, const struct packet *p, const char *what);
/* Sets up the one timer of the socket. */
void sock_arm(struct sock *s, int64_t when_ns, event_fn *fn);

/* stack_ports.c: addresses and ports. */
struct flow_key conn_key(uint8_t proto, const struct sock_name *local,
			 const struct sock_name *peer);
struct sock *find_conn(struct sockets *n, uint8_t proto, const struct sock_name *local,
		       const struct sock_name *peer);
struct sock *find_bound(struct sockets *n, uint8_t proto, const struct sock_name *local);
void add_conn(struct sock *s);
void add_bound(struct sock *s);
void remove_keys(struct sock *s);
/* bind(): checks address and port. 0, EADDRNOTAVAIL, EADDRINUSE. */
int check_bind(struct sockets *n, uint8_t proto, const struct sock_name *local, bool listener,
	       bool reuse);
/* Fills in local address and port for a connection to `peer`. 0 or errno. `isn`: set for
 * TCP when the port is taken from a connection in TIME_WAIT. */
int choose_local(struct sockets *n, uint8_t proto, const struct sock_name *peer,
		 struct sock_name *local, uint32_t *isn);
/* Port for an unconnected datagram socket. */
int choose_port(struct sockets *n, uint8_t proto, struct sock_name *local);

/* stack_tcp.c, stack_sctp.c, stack_udp.c, stack_echo.c: packets for this host. */
void tcp_input(struct netns *ns, struct sockets *n, struct packet *p);
void udp_input(struct netns *ns, struct sockets *n, struct packet *p);
void sctp_input(struct netns *ns, struct sockets *n, struct packet *p);
void tcp_open(struct sock *s);
/* After each call into TCP: timer, accept, keys, what there is to tell. The socket may be
 * gone afterwards. `in_call`: the application is calling, telling has to wait. */
void tcp_step(struct sock *s, bool in_call);
void sctp_open(struct sock *s);
int sctp_send(struct sock *s, const void *bytes, size_t length);
void sctp_shutdown(struct sock *s);
void sctp_abort(struct sock *s);
void sctp_icmp_error(struct sock *s, int error);
bool sctp_is_over(const struct sock *s);
void sctp_release(struct sock *s);
const char *sctp_state_text(const struct sock *s);
/* A passive stream has finished its handshake: its listener is told; without one it is
 * aborted. */
void accept_stream(struct sock *s);
/* A stream that came in by a listener. */
struct sock *new_embryo(struct sock *listener, const struct sock_name *local,
			const struct sock_name *peer);
/* close() or abort. */
void sock_give_up(struct sock *s, bool reset);
void unlink_embryo(struct sock *s);
int datagram_open(struct sockets *n, const struct sock_name *remote,
		  const struct sock_options *options, sock_event_fn *fn, void *ctx,
		  struct sock **out);
int datagram_send(struct sock *s, const struct sock_name *to, const void *bytes, size_t length);
int echo_open(struct sockets *n, const struct net_addr *remote,
	      const struct sock_options *options, sock_event_fn *fn, void *ctx,
	      struct sock **out);
int echo_send(struct sock *s, const void *bytes, size_t length);

#endif
