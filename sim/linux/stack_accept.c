/* linux/stack_accept.c: streams on their way from a listener's SYN queue to accept(). */
#include <stddef.h>

#include "linux/stack_internal.h"

struct sock *new_embryo(struct sock *listener, const struct sock_name *local,
			const struct sock_name *peer)
{
	struct sock *s = sock_new(listener->n, SOCKK_STREAM, listener->proto, NULL, NULL, NULL);
	s->local = *local;
	s->peer = *peer;
	s->options.mark = listener->options.mark;
	s->options.trace = listener->options.trace;
	s->listener = listener;
	s->embryo_next = listener->embryos;
	s->embryo_back = &listener->embryos;
	if (s->embryo_next)
		s->embryo_next->embryo_back = &s->embryo_next;
	listener->embryos = s;
	add_conn(s);
	return s;
}

void unlink_embryo(struct sock *s)
{
	if (!s->embryo_back)
		return;
	*s->embryo_back = s->embryo_next;
	if (s->embryo_next)
		s->embryo_next->embryo_back = s->embryo_back;
	s->embryo_back = NULL;
	s->listener = NULL;
}

void accept_stream(struct sock *s)
{
	struct sock *listener = s->listener;
	unlink_embryo(s);
	s->connected = true;
	if (!listener) {
		sock_give_up(s, true);
		return;
	}
	struct sock_event event = { .kind = SOCK_ACCEPTED, .accepted = s, .peer = s->peer,
				    .local = s->local.addr };
	sock_note(listener, &event);
	sock_tell(listener);
}
