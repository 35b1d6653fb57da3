/* linux/stack.c: the socket class "model" and what all its sockets share. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/stack_internal.h"
#include "net/trace.h"

int64_t sock_now(const struct sock *s)
{
	return engine_now(s->n->ns->env->engine);
}

struct sock *sock_new(struct sockets *n, enum sock_kind kind, uint8_t proto,
		      const struct sock_options *options, sock_event_fn *fn, void *ctx)
{
	struct sock *s = mem_alloc(sizeof *s);
	s->n = n;
	s->kind = kind;
	s->proto = proto;
	if (options) {
		s->options = *options;
		s->local = options->local;
	}
	s->fn = fn;
	s->ctx = ctx;
	s->timer_ns = INT64_MAX;
	s->last_note = &s->notes;
	s->back = n->last;
	*n->last = s;
	n->last = &s->next;
	return s;
}

static void free_notes(struct sock *s)
{
	while (s->notes) {
		struct sock_note *next = s->notes->next;
		struct sock *child = s->notes->event.accepted;
		free(s->notes);
		s->notes = next;
		if (child) /* nobody took it */
			sock_give_up(child, true);
	}
	s->last_note = &s->notes;
}

static void unlink_sock(struct sock *s)
{
	if (!s->back)
		return;
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	else
		s->n->last = s->back;
	s->back = NULL;
}

void sock_free(struct sock *s)
{
	struct engine *engine = s->n->ns->env->engine;
	remove_keys(s);
	if (s->echo_key)
		table_remove(&s->n->echo, &s->echo_id);
	s->echo_key = false;
	engine_cancel(engine, &s->timer);
	engine_cancel(engine, &s->telling);
	unlink_embryo(s);
	while (s->embryos) /* their handshakes may end; then there is nobody */
		unlink_embryo(s->embryos);
	unlink_sock(s);
	s->closed = true;
	if (s->busy)
		return;
	free_notes(s);
	tcp_free(s->tcp);
	if (s->sctp)
		sctp_release(s);
	free(s);
}

/* ---- telling ------------------------------------------------------------------ */

void sock_note(struct sock *s, const struct sock_event *event)
{
	if (s->closed)
		return;
	struct sock_note *note = mem_alloc(sizeof *note + event->length);
	note->event = *event;
	if (event->length) {
		memcpy(note->bytes, event->bytes, event->length);
		note->event.bytes = note->bytes;
	}
	*s->last_note = note;
	s->last_note = &note->next;
}

static bool is_over(const struct sock *s)
{
	if (s->kind != SOCKK_STREAM)
		return true;
	return s->tcp ? tcp_state_of(s->tcp) == TCPS_CLOSED : !s->sctp || sctp_is_over(s);
}

static void after_accept(struct sock *child)
{
	child->busy--;
	if (child->closed && is_over(child))
		sock_free(child);
	else if (!child->closed && !child->fn)
		sock_give_up(child, false);
	else if (!child->closed)
		sock_tell(child);
}

void sock_tell(struct sock *s)
{
	/* The telling that is under way goes on with it; a stream that nobody has accepted
	 * yet keeps it. */
	if (s->busy || (s->kind == SOCKK_STREAM && !s->fn && !s->closed))
		return;
	s->busy++;
	while (s->notes && !s->closed) {
		struct sock_note *note = s->notes;
		struct sock *child = note->event.accepted;
		s->notes = note->next;
		if (!s->notes)
			s->last_note = &s->notes;
		if (child)
			child->busy++; /* it may be closed before this returns */
		if (s->fn)
			s->fn(s->ctx, s, &note->event);
		free(note);
		if (child)
			after_accept(child);
	}
	s->busy--;
	if (s->closed && is_over(s))
		sock_free(s);
}

static void tell_event(void *ctx)
{
	sock_tell(ctx);
}

void sock_tell_later(struct sock *s)
{
	struct engine *engine = s->n->ns->env->engine;
	if (s->notes && !s->busy && !engine_pending(engine, s->telling))
		s->telling = engine_after(engine, 0, tell_event, s);
}

void sock_arm(struct sock *s, int64_t when_ns, event_fn *fn)
{
	struct engine *engine = s->n->ns->env->engine;
	if (when_ns == s->timer_ns && engine_pending(engine, s->timer))
		return;
	engine_cancel(engine, &s->timer);
	s->timer_ns = when_ns;
	if (when_ns != INT64_MAX)
		s->timer = engine_at(engine, when_ns, fn, s);
}

/* ---- packets ------------------------------------------------------------------- */

struct craft_ip sock_ip(const struct sock *s, const struct sock_name *local,
			const struct sock_name *peer)
{
	return (struct craft_ip){ .src = local->addr, .dst = peer->addr, .src_port = local->port,
				  .dst_port = peer->port, .dont_fragment = true,
				  .ttl = (uint8_t)sysctl_value(s->n->ns, SYSCTL_DEFAULT_TTL) };
}

int sock_output(struct sock *s, struct packet *p)
{
	p->trace = s->options.trace;
	if (s->options.once) /* the question is what becomes of the first packet */
		s->options.trace = NULL;
	p->mark = s->options.mark;
	p->owner_sock = s;
	return netns_output(s->n->ns, p);
}

void sock_delivered(struct netns *ns, const struct packet *p, const char *what)
{
	struct trace *t = p->trace;
	if (!t)
		return;
	step_add(ns, p, "socket", "", NULL, "delivered: %s", what);
	trace_verdict(t, TRACE_DELIVERED, "%s: %s", ns->label, what);
	if (*t->delivered_in)
		return;
	snprintf(t->delivered_in, sizeof t->delivered_in, "%s", ns->name);
	t->source_seen = packet_src(p);
}

void stack_receive(struct netns *ns, struct packet *p)
{
	struct sockets *n = ns->sockets;
	if (p->fragment) {
		path_drop(ns, p, "socket", "a fragment: there is no reassembly");
		return;
	}
	switch (p->proto) {
	case PROTO_TCP:
		tcp_input(ns, n, p);
		return;
	case PROTO_UDP:
		udp_input(ns, n, p);
		return;
	case PROTO_SCTP:
		sctp_input(ns, n, p);
		return;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		icmp_receive(ns, p);
		return;
	default:
		break;
	}
	bool v4 = p->family == NET_V4; /* protocol unreachable; unknown next header */
	icmp_error(ns, p, v4 ? 3 : 4, v4 ? 2 : 1, 0);
	path_drop(ns, p, "socket", "protocol %u is not spoken here", p->proto);
}

void stack_icmp_error(struct netns *ns, const struct packet *quoted,
		      const struct icmp_notice *notice)
{
	struct sockets *n = ns->sockets;
	bool hard, echo = quoted->proto == PROTO_ICMP || quoted->proto == PROTO_ICMP6;
	if (!n)
		return;
	int error = icmp_errno(notice->family, notice->type, notice->code, &hard);
	struct sock_name local = { packet_src(quoted), packet_src_port(quoted) };
	struct sock_name peer = { packet_dst(quoted), packet_dst_port(quoted) };
	uint16_t id = echo ? packet_icmp_id(quoted) : 0;
	struct sock **found = echo ? table_find(&n->echo, &id) : NULL;
	struct sock *s = echo ? (found ? *found : NULL)
			      : find_conn(n, quoted->proto, &local, &peer);
	if (!s)
		return;
	s->notice = *notice;
	struct sock_event event = { .kind = SOCK_ERROR, .error = error, .peer = peer,
				    .icmp_type = notice->type, .icmp_code = notice->code,
				    .icmp_from = notice->from };
	if (s->kind == SOCKK_STREAM && s->tcp) {
		tcp_icmp_error(s->tcp, error, sock_now(s));
		tcp_step(s, false);
		return;
	}
	if (s->kind == SOCKK_STREAM) {
		sctp_icmp_error(s, error);
		return;
	}
	if (s->kind == SOCKK_ECHO || hard) {
		if (echo)
			event.sequence = (uint16_t)(quoted->bytes[quoted->l4 + 6] << 8 |
						    quoted->bytes[quoted->l4 + 7]);
		sock_note(s, &event);
	}
	sock_tell(s);
}

/* ---- the class -------------------------------------------------------------------- */

static int model_connect(struct sockets *n, uint8_t proto, const struct sock_name *remote,
			 const struct sock_options *options, sock_event_fn *fn, void *ctx,
			 struct sock **out)
{
	*out = NULL;
	if (proto != PROTO_TCP && proto != PROTO_SCTP)
		return EPROTONOSUPPORT;
	struct sock *s = sock_new(n, SOCKK_STREAM, proto, options, fn, ctx);
	s->peer = *remote;
	int code = choose_local(n, proto, remote, &s->local, &s->isn);
	if (code) {
		sock_free(s);
		return code;
	}
	add_conn(s);
	s->connected = true;
	*out = s;
	if (proto == PROTO_TCP)
		tcp_open(s);
	else
		sctp_open(s);
	return 0;
}

static int model_listen(struct sockets *n, uint8_t proto, const struct sock_options *options,
			sock_event_fn *fn, void *ctx, struct sock **out)
{
	*out = NULL;
	if (proto != PROTO_TCP && proto != PROTO_SCTP)
		return EPROTONOSUPPORT;
	struct sock_name local = options ? options->local : (struct sock_name){ { 0 }, 0 };
	int code = check_bind(n, proto, &local, true, options && options->reuse_port_now);
	if (!code)
		code = choose_port(n, proto, &local);
	if (code)
		return code;
	struct sock *s = sock_new(n, SOCKK_LISTENER, proto, options, fn, ctx);
	s->local = local;
	add_bound(s);
	*out = s;
	return 0;
}

static int model_send(struct sock *s, const struct sock_name *to, const void *bytes,
		      size_t length)
{
	int code;
	switch (s->kind) {
	case SOCKK_STREAM:
		if (s->proto == PROTO_SCTP)
			return sctp_send(s, bytes, length);
		if (length > UINT32_MAX)
			return EMSGSIZE;
		code = tcp_send(s->tcp, bytes, (uint32_t)length, sock_now(s));
		tcp_step(s, true);
		return code;
	case SOCKK_DATAGRAM:
		return datagram_send(s, to, bytes, length);
	case SOCKK_ECHO:
		return echo_send(s, bytes, length);
	case SOCKK_LISTENER:
		break;
	}
	return ENOTCONN;
}

static void model_shutdown(struct sock *s)
{
	if (s->kind != SOCKK_STREAM)
		return;
	if (s->proto == PROTO_SCTP) {
		sctp_shutdown(s);
		return;
	}
	tcp_shutdown(s->tcp, sock_now(s));
	tcp_step(s, true);
}

void sock_give_up(struct sock *s, bool reset)
{
	s->closed = true;
	s->fn = NULL;
	if (s->kind == SOCKK_STREAM && s->proto == PROTO_SCTP) {
		if (reset)
			sctp_abort(s);
		else
			sctp_shutdown(s);
	} else if (s->kind == SOCKK_STREAM) {
		if (reset)
			tcp_abort(s->tcp, sock_now(s));
		else
			tcp_close(s->tcp, sock_now(s));
		tcp_step(s, true); /* an orphan goes on until TCP is done */
		return;
	}
	if (is_over(s))
		sock_free(s);
}

static void model_close(struct sock *s)
{
	sock_give_up(s, false);
}

static void model_abort(struct sock *s)
{
	sock_give_up(s, true);
}

static void model_names(const struct sock *s, struct sock_name *local, struct sock_name *peer)
{
	if (local)
		*local = s->local;
	if (peer)
		*peer = s->peer;
}

static void model_set_handler(struct sock *s, sock_event_fn *fn, void *ctx)
{
	s->fn = fn;
	s->ctx = ctx;
}

static const struct sockets_class model_class = {
	.name = "model",
	.connect = model_connect,
	.listen = model_listen,
	.datagram = datagram_open,
	.icmp = echo_open,
	.send = model_send,
	.shutdown = model_shutdown,
	.close = model_close,
	.abort = model_abort,
	.names = model_names,
	.set_handler = model_set_handler,
};

struct sockets_ref netns_sockets(struct netns *ns)
{
	if (!ns->sockets) {
		struct sockets *n = ns->sockets = mem_alloc(sizeof *n);
		n->ns = ns;
		n->last = &n->first;
		table_init(&n->conns, sizeof(struct flow_key), sizeof(struct sock *));
		table_init(&n->bound, sizeof(struct bind_key), sizeof(struct sock *));
		table_init(&n->ports, sizeof(struct port_key), sizeof(struct port_use));
		table_init(&n->echo, sizeof(uint16_t), sizeof(struct sock *));
	}
	return (struct sockets_ref){ &model_class, ns->sockets };
}

void stack_free(struct netns *ns)
{
	struct sockets *n = ns->sockets;
	if (!n)
		return;
	while (n->first) {
		assert(!n->first->busy);
		sock_free(n->first);
	}
	table_free(&n->conns);
	table_free(&n->bound);
	table_free(&n->ports);
	table_free(&n->echo);
	free(n);
	ns->sockets = NULL;
}

/* Applications keep the handles they hold; what they gave up goes. */
void stack_reset(struct netns *ns)
{
	for (struct sock *s = ns->sockets ? ns->sockets->first : NULL, *next; s; s = next) {
		next = s->next;
		if (s->closed || s->listener)
			sock_free(s);
	}
}

void stack_print(const struct netns *ns, struct strbuf *out)
{
	char local[NET_ADDR_TEXT + 8], peer[NET_ADDR_TEXT + 8];
	strbuf_printf(out, "%-5s %-10s %-6s %-6s %25s %25s\n", "Netid", "State", "Recv-Q", "Send-Q",
		      "Local Address:Port", "Peer Address:Port");
	for (const struct sock *s = ns->sockets ? ns->sockets->first : NULL; s; s = s->next) {
		const char *state = s->kind == SOCKK_LISTENER ? "LISTEN"
				    : s->tcp		      ? tcp_state_name(tcp_state_of(s->tcp))
				    : s->sctp		      ? sctp_state_text(s)
				    : s->connected	      ? "ESTAB"
							      : "UNCONN";
		if (s->local.addr.family == NET_NONE)
			snprintf(local, sizeof local, "*:%u", s->local.port);
		else
			net_endpoint_text(&s->local.addr, s->local.port, local);
		if (s->peer.addr.family == NET_NONE)
			snprintf(peer, sizeof peer, "%s:*",
				 s->local.addr.family == NET_V4 ? "0.0.0.0" : "*");
		else
			net_endpoint_text(&s->peer.addr, s->peer.port, peer);
		strbuf_printf(out, "%-5s %-10s %-6u %-6u %25s %25s\n", proto_name(s->proto), state, 0,
			      0, local, peer);
	}
}
