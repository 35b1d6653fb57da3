/* tests/unit/net_tcp.c: the TCP state machine: two of them joined by a link that can lose
 * and reorder, and single ones fed by hand. Times and answers are those of RFC 9293,
 * RFC 5961 and Documentation/networking/ip-sysctl.rst of Linux. */
#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "core/arena.h"
#include "core/choice.h"
#include "core/engine.h"
#include "net/packet.h"
#include "net/tcp.h"

struct end { /* one side: what it sent and told */
	struct tcp *tcp;
	struct strbuf told;  /* "connected data(5) eof closed error(111) " */
	struct strbuf sent;  /* "S SA A AF R " with times in ms in front when `stamped` */
	struct strbuf data;
	struct tcp_segment last;
	uint32_t sends;
	int64_t now;
	bool stamped;
	/* joined ends: segments on their way to the other side */
	struct end *peer;
	struct tcp_segment queue[4096];
	uint8_t *bytes[4096];
	uint32_t head, tail;
	uint32_t lose; /* bit n: lose the n-th segment sent */
};

static void say_segment(struct end *e, const struct tcp_segment *s)
{
	static const char letters[] = "FSRPAU";
	if (e->stamped)
		strbuf_printf(&e->sent, "%lld:", (long long)(e->now / NS_PER_MS));
	for (int i = 0; i < 6; i++)
		if (s->flags & 1 << "\1\0\2\3\4\5"[i])
			strbuf_putc(&e->sent, letters[(int)"\1\0\2\3\4\5"[i]]);
	strbuf_putc(&e->sent, ' ');
}

static void on_output(void *ctx, const struct tcp_output *o)
{
	struct end *e = ctx;
	switch (o->kind) {
	case TCPO_SEND:
		say_segment(e, &o->segment);
		e->last = o->segment;
		if (e->peer && !(e->sends < 32 && e->lose & 1u << e->sends)) {
			struct tcp_segment s = o->segment;
			e->bytes[e->tail] = mem_alloc(s.length + 1);
			if (s.length)
				memcpy(e->bytes[e->tail], s.bytes, s.length);
			s.bytes = e->bytes[e->tail];
			e->queue[e->tail++] = s;
		}
		e->sends++;
		break;
	case TCPO_CONNECTED:
		strbuf_puts(&e->told, "connected ");
		break;
	case TCPO_DATA:
		strbuf_printf(&e->told, "data(%u) ", o->segment.length);
		strbuf_add(&e->data, o->segment.bytes, o->segment.length);
		break;
	case TCPO_EOF:
		strbuf_puts(&e->told, "eof ");
		break;
	case TCPO_CLOSED:
		strbuf_puts(&e->told, "closed ");
		break;
	case TCPO_ERROR:
		strbuf_printf(&e->told, "error(%d) ", o->error);
		break;
	}
}

static struct tcp_config config(uint32_t isn)
{
	return (struct tcp_config){ .isn = isn, .mss = 1460, .syn_retries = 6,
				    .synack_retries = 5, .data_retries = 15,
				    .time_wait_ns = 60 * NS_PER_S };
}

static struct end *end_new(const struct tcp_config *c)
{
	struct end *e = mem_alloc(sizeof *e);
	e->tcp = tcp_new(c, on_output, e);
	return e;
}

static void end_free(struct end *e)
{
	for (uint32_t i = e->head; i < e->tail; i++)
		free(e->bytes[i]);
	tcp_free(e->tcp);
	strbuf_free(&e->told);
	strbuf_free(&e->sent);
	strbuf_free(&e->data);
	free(e);
}

static struct tcp_segment segment(uint8_t flags, uint32_t seq, uint32_t ack)
{
	return (struct tcp_segment){ .flags = flags, .seq = seq, .ack = ack, .window = 64240 };
}

static void receive(struct end *e, struct tcp_segment s, int64_t now)
{
	e->now = now;
	tcp_receive(e->tcp, &s, now);
}

/* Delivers what is queued, one segment from each side in turn, until both are quiet. */
static void settle(struct end *a, struct end *b, int64_t now)
{
	a->now = b->now = now;
	while (a->head < a->tail || b->head < b->tail) {
		struct end *from = a->head < a->tail ? a : b;
		struct end *to = from->peer;
		uint32_t i = from->head++;
		if (!to->tcp) {
			free(from->bytes[i]);
			continue;
		}
		if (tcp_state_of(to->tcp) == TCPS_CLOSED && from->queue[i].flags == TCP_SYN)
			tcp_accept(to->tcp, &from->queue[i], now);
		else
			tcp_receive(to->tcp, &from->queue[i], now);
		free(from->bytes[i]);
	}
}

static void join(struct end **a, struct end **b)
{
	struct tcp_config ca = config(0xfffffff0u), cb = config(5000);
	*a = end_new(&ca);
	*b = end_new(&cb);
	(*a)->peer = *b;
	(*b)->peer = *a;
}

static void established(struct end **a, struct end **b)
{
	join(a, b);
	tcp_connect((*a)->tcp, 0);
	settle(*a, *b, 0);
}

/* Runs the timers of both until `until`. */
static void run(struct end *a, struct end *b, int64_t until)
{
	for (;;) {
		int64_t da = tcp_deadline(a->tcp), db = tcp_deadline(b->tcp);
		int64_t next = da < db ? da : db;
		if (next > until)
			return;
		a->now = b->now = next;
		if (da == next)
			tcp_timer(a->tcp, next);
		if (db == next)
			tcp_timer(b->tcp, next);
		settle(a, b, next);
	}
}

static void a_request_and_its_answer(void)
{
	struct end *a, *b;
	established(&a, &b);
	CHECK_TEXT(tcp_state_name(tcp_state_of(a->tcp)), "ESTAB");
	CHECK_TEXT(tcp_state_name(tcp_state_of(b->tcp)), "ESTAB");
	CHECK_INT(tcp_send(a->tcp, "hello", 5, 10), 0);
	settle(a, b, 10);
	CHECK_INT(tcp_send(b->tcp, "world!", 6, 20), 0);
	tcp_shutdown(b->tcp, 20);
	settle(a, b, 20);
	CHECK_TEXT(tcp_state_name(tcp_state_of(a->tcp)), "CLOSE-WAIT");
	CHECK_TEXT(tcp_state_name(tcp_state_of(b->tcp)), "FIN-WAIT-2");
	CHECK_INT(tcp_send(b->tcp, "x", 1, 21), EPIPE);
	tcp_shutdown(a->tcp, 30);
	settle(a, b, 30);
	CHECK_TEXT(strbuf_text(&a->sent), "S A PA A A FA ");
	CHECK_TEXT(strbuf_text(&b->sent), "SA A PA FA A ");
	CHECK_TEXT(strbuf_text(&a->told), "connected data(6) eof closed ");
	CHECK_TEXT(strbuf_text(&b->told), "connected data(5) eof closed ");
	CHECK_INT(tcp_state_of(a->tcp), TCPS_CLOSED);
	CHECK_INT(tcp_state_of(b->tcp), TCPS_TIME_WAIT);
	CHECK_INT(tcp_deadline(b->tcp), 30 + 60 * NS_PER_S);
	run(a, b, 61 * NS_PER_S);
	CHECK_INT(tcp_state_of(b->tcp), TCPS_CLOSED);
	CHECK_INT(tcp_deadline(b->tcp), INT64_MAX);
	end_free(a);
	end_free(b);
}

static void syns_are_repeated_as_linux_times_them(void)
{
	struct tcp_config c = config(1);
	struct end *e = end_new(&c);
	e->stamped = true;
	tcp_connect(e->tcp, 0);
	while (tcp_deadline(e->tcp) != INT64_MAX) {
		e->now = tcp_deadline(e->tcp);
		tcp_timer(e->tcp, e->now);
	}
	CHECK_TEXT(strbuf_text(&e->sent), "0:S 1000:S 3000:S 7000:S 15000:S 31000:S 63000:S ");
	CHECK_TEXT(strbuf_text(&e->told), "error(110) ");
	CHECK_INT(e->now, 127 * NS_PER_S);
	end_free(e);

	c.syn_linear = 4; /* "67 seconds till the last retransmission ... after 131 seconds" */
	e = end_new(&c);
	e->stamped = true;
	tcp_connect(e->tcp, 0);
	while (tcp_deadline(e->tcp) != INT64_MAX) {
		e->now = tcp_deadline(e->tcp);
		tcp_timer(e->tcp, e->now);
	}
	CHECK_TEXT(strbuf_text(&e->sent), "0:S 1000:S 2000:S 3000:S 4000:S 5000:S 7000:S "
					  "11000:S 19000:S 35000:S 67000:S ");
	CHECK_INT(e->now, 131 * NS_PER_S);
	end_free(e);
}

static void syn_acks_are_repeated_five_times(void)
{
	struct tcp_config c = config(1);
	struct end *e = end_new(&c);
	struct tcp_segment syn = segment(TCP_SYN, 9, 0);
	e->stamped = true;
	tcp_accept(e->tcp, &syn, 0);
	while (tcp_deadline(e->tcp) != INT64_MAX) {
		e->now = tcp_deadline(e->tcp);
		tcp_timer(e->tcp, e->now);
	}
	CHECK_TEXT(strbuf_text(&e->sent), "0:SA 1000:SA 3000:SA 7000:SA 15000:SA 31000:SA ");
	CHECK_TEXT(strbuf_text(&e->told), "closed ");
	CHECK_INT(e->now, 63 * NS_PER_S);
	end_free(e);
}

static void data_is_repeated_until_the_bound_of_retries2(void)
{
	struct end *a, *b;
	established(&a, &b);
	a->peer = NULL; /* the wire is cut */
	a->stamped = true;
	strbuf_clear(&a->sent);
	tcp_send(a->tcp, "x", 1, 0);
	int64_t begin = 0;
	while (tcp_deadline(a->tcp) != INT64_MAX) {
		a->now = tcp_deadline(a->tcp);
		tcp_timer(a->tcp, a->now);
	}
	CHECK(strstr(strbuf_text(&a->sent), "0:PA 200:PA 600:PA 1400:PA 3000:PA "));
	CHECK_TEXT(strbuf_text(&a->told), "connected error(110) ");
	/* ip-sysctl.rst: 924.6 s is the lower bound for the effective timeout. */
	CHECK(a->now - begin >= 9246 * (NS_PER_S / 10));
	CHECK(a->now - begin <= 1050 * NS_PER_S);
	end_free(a);
	end_free(b);
}

static void both_sides_close_at_once(void)
{
	struct end *a, *b;
	established(&a, &b);
	tcp_shutdown(a->tcp, 5);
	tcp_shutdown(b->tcp, 5);
	settle(a, b, 5);
	CHECK_INT(tcp_state_of(a->tcp), TCPS_TIME_WAIT);
	CHECK_INT(tcp_state_of(b->tcp), TCPS_TIME_WAIT);
	CHECK_TEXT(strbuf_text(&a->told), "connected eof closed ");
	CHECK_TEXT(strbuf_text(&b->told), "connected eof closed ");
	end_free(a);
	end_free(b);
}

static void both_sides_open_at_once(void)
{
	struct end *a, *b;
	join(&a, &b);
	tcp_connect(a->tcp, 0);
	tcp_connect(b->tcp, 0);
	settle(a, b, 0);
	CHECK_INT(tcp_state_of(a->tcp), TCPS_ESTABLISHED);
	CHECK_INT(tcp_state_of(b->tcp), TCPS_ESTABLISHED);
	CHECK_TEXT(strbuf_text(&a->told), "connected ");
	CHECK_TEXT(strbuf_text(&b->told), "connected ");
	end_free(a);
	end_free(b);
}

static void a_reset_needs_the_exact_number(void)
{
	struct end *a, *b;
	established(&a, &b);
	uint32_t next = 5001;
	strbuf_clear(&a->sent);
	receive(a, segment(TCP_RST, next + 10, 0), 1);
	CHECK_TEXT(strbuf_text(&a->sent), "A "); /* challenge */
	receive(a, segment(TCP_RST, next - 1, 0), 1);
	CHECK_TEXT(strbuf_text(&a->sent), "A "); /* outside the window: nothing */
	receive(a, segment(TCP_SYN, next, 0), 1);
	CHECK_TEXT(strbuf_text(&a->sent), "A A "); /* a SYN is asked back, too */
	receive(a, segment(TCP_RST, next, 0), 2);
	CHECK_TEXT(strbuf_text(&a->told), "connected error(104) ");
	CHECK_INT(tcp_state_of(a->tcp), TCPS_CLOSED);
	end_free(a);
	end_free(b);
}

static void refusals_while_connecting(void)
{
	struct tcp_config c = config(100);
	struct end *e = end_new(&c);
	tcp_connect(e->tcp, 0);
	receive(e, segment(TCP_RST | TCP_ACK, 0, 50), 1);
	CHECK_INT(tcp_state_of(e->tcp), TCPS_SYN_SENT); /* not of this connection */
	receive(e, segment(TCP_RST, 0, 0), 1);
	CHECK_INT(tcp_state_of(e->tcp), TCPS_SYN_SENT); /* acknowledges nothing */
	receive(e, segment(TCP_SYN | TCP_ACK, 7, 50), 1);
	CHECK_TEXT(strbuf_text(&e->sent), "S R ");
	CHECK_INT(e->last.seq, 50);
	receive(e, segment(TCP_RST | TCP_ACK, 0, 101), 1);
	CHECK_TEXT(strbuf_text(&e->told), "error(111) ");
	CHECK_INT(tcp_deadline(e->tcp), INT64_MAX);
	end_free(e);
}

static void icmp_errors_while_connecting(void)
{
	struct tcp_config c = config(100);
	struct end *e = end_new(&c);
	tcp_connect(e->tcp, 0);
	tcp_icmp_error(e->tcp, EHOSTUNREACH, 0);
	CHECK_TEXT(strbuf_text(&e->told), "error(113) ");
	end_free(e);

	/* A blocking connect to a REJECT on a path without delay: 1 s on Linux 6.18. */
	c.connect_locked = true;
	e = end_new(&c);
	tcp_connect(e->tcp, 0);
	tcp_icmp_error(e->tcp, ECONNREFUSED, 0);
	CHECK_INT(tcp_state_of(e->tcp), TCPS_SYN_SENT);
	tcp_timer(e->tcp, NS_PER_S);
	tcp_icmp_error(e->tcp, ECONNREFUSED, NS_PER_S);
	CHECK_TEXT(strbuf_text(&e->told), "error(111) ");
	CHECK_TEXT(strbuf_text(&e->sent), "S S ");
	end_free(e);

	/* Established: remembered, told when the retransmissions are over. */
	struct end *a, *b;
	established(&a, &b);
	tcp_icmp_error(a->tcp, EHOSTUNREACH, 1);
	CHECK_INT(tcp_state_of(a->tcp), TCPS_ESTABLISHED);
	a->peer = NULL;
	tcp_send(a->tcp, "x", 1, 1);
	while (tcp_deadline(a->tcp) != INT64_MAX)
		tcp_timer(a->tcp, tcp_deadline(a->tcp));
	CHECK_TEXT(strbuf_text(&a->told), "connected error(113) ");
	end_free(a);
	end_free(b);
}

static void a_connect_timeout_and_a_single_try(void)
{
	struct tcp_config c = config(100);
	c.connect_timeout_ns = 2500 * NS_PER_MS;
	struct end *e = end_new(&c);
	tcp_connect(e->tcp, 0);
	while (tcp_deadline(e->tcp) != INT64_MAX) {
		e->now = tcp_deadline(e->tcp);
		tcp_timer(e->tcp, e->now);
	}
	CHECK_TEXT(strbuf_text(&e->sent), "S S ");
	CHECK_INT(e->now, 2500 * NS_PER_MS);
	CHECK_TEXT(strbuf_text(&e->told), "error(110) ");
	end_free(e);
	c.connect_timeout_ns = 0;
	c.once = true;
	e = end_new(&c);
	tcp_connect(e->tcp, 0);
	while (tcp_deadline(e->tcp) != INT64_MAX)
		tcp_timer(e->tcp, tcp_deadline(e->tcp));
	CHECK_TEXT(strbuf_text(&e->sent), "S ");
	CHECK_TEXT(strbuf_text(&e->told), "error(110) ");
	end_free(e);
}

static void resets_for_no_connection(void)
{
	/* RFC 9293, 3.10.7.1. */
	struct tcp_segment rst, s = segment(TCP_SYN, 41, 0);
	CHECK(tcp_reset_for(&s, &rst));
	CHECK_INT(rst.flags, TCP_RST | TCP_ACK);
	CHECK_INT(rst.seq, 0);
	CHECK_INT(rst.ack, 42);
	s = segment(TCP_ACK | TCP_PSH, 41, 77);
	s.length = 10;
	CHECK(tcp_reset_for(&s, &rst));
	CHECK_INT(rst.flags, TCP_RST);
	CHECK_INT(rst.seq, 77);
	s = segment(TCP_RST, 41, 0);
	CHECK(!tcp_reset_for(&s, &rst));
}

static void time_wait_answers_and_yields(void)
{
	struct end *a, *b;
	established(&a, &b);
	tcp_shutdown(a->tcp, 0);
	settle(a, b, 0);
	tcp_shutdown(b->tcp, 0);
	settle(a, b, 0);
	CHECK_INT(tcp_state_of(a->tcp), TCPS_TIME_WAIT);
	strbuf_clear(&a->sent);
	a->peer = NULL;
	/* Its last ACK was lost: the FIN comes again, the wait begins anew. */
	receive(a, segment(TCP_FIN | TCP_ACK, 5001, 0xfffffff2u), 10 * NS_PER_S);
	CHECK_TEXT(strbuf_text(&a->sent), "A ");
	CHECK_INT(tcp_deadline(a->tcp), 70 * NS_PER_S);
	struct tcp_segment syn = segment(TCP_SYN, 5000, 0);
	CHECK(!tcp_time_wait_yields(a->tcp, &syn));
	syn.seq = 6000;
	CHECK(tcp_time_wait_yields(a->tcp, &syn));
	receive(a, segment(TCP_RST, 5002, 0), 11 * NS_PER_S);
	CHECK_INT(tcp_state_of(a->tcp), TCPS_CLOSED);
	end_free(a);
	end_free(b);
}

static void an_orphan_resets_late_data_and_ends(void)
{
	struct end *a, *b;
	established(&a, &b);
	tcp_close(a->tcp, 0);
	settle(a, b, 0);
	CHECK_INT(tcp_state_of(a->tcp), TCPS_FIN_WAIT_2);
	CHECK_INT(tcp_deadline(a->tcp), 60 * NS_PER_S);
	tcp_send(b->tcp, "late", 4, 1);
	settle(a, b, 1);
	CHECK_TEXT(strbuf_text(&b->told), "connected eof error(32) "); /* EPIPE in CLOSE-WAIT */
	CHECK_INT(tcp_state_of(a->tcp), TCPS_CLOSED);
	CHECK_TEXT(strbuf_text(&a->told), "connected ");
	end_free(a);
	end_free(b);
	established(&a, &b);
	tcp_close(a->tcp, 0);
	settle(a, b, 0);
	run(a, b, 61 * NS_PER_S);
	CHECK_INT(tcp_state_of(a->tcp), TCPS_CLOSED);
	end_free(a);
	end_free(b);
}

static void an_abort_resets_the_peer(void)
{
	struct end *a, *b;
	established(&a, &b);
	tcp_abort(a->tcp, 0);
	settle(a, b, 0);
	CHECK_TEXT(strbuf_text(&a->told), "connected ");
	CHECK_TEXT(strbuf_text(&b->told), "connected error(104) ");
	CHECK_INT(tcp_send(a->tcp, "x", 1, 0), EPIPE);
	end_free(a);
	end_free(b);
}

static void a_closed_window_is_probed(void)
{
	struct end *a, *b;
	established(&a, &b);
	a->peer = NULL;
	struct tcp_segment closed = segment(TCP_ACK, 5001, 0xfffffff1u);
	closed.window = 0;
	receive(a, closed, 0);
	strbuf_clear(&a->sent);
	tcp_send(a->tcp, "x", 1, 0);
	CHECK_TEXT(strbuf_text(&a->sent), "");
	tcp_timer(a->tcp, tcp_deadline(a->tcp));
	CHECK_TEXT(strbuf_text(&a->sent), "A ");
	CHECK_INT(a->last.seq, 0xfffffff0u);
	receive(a, segment(TCP_ACK, 5001, 0xfffffff1u), NS_PER_S);
	CHECK_TEXT(strbuf_text(&a->sent), "A PA ");
	end_free(a);
	end_free(b);
}

/* Any pattern of loss among the first segments, any order: the bytes arrive, once. */
static void bytes_survive_loss_and_disorder(void)
{
	struct choice *random = choice_new(11);
	uint8_t bytes[20000];
	int complete = 0;
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (int round = 0; round < 300; round++) {
		struct end *a, *b;
		join(&a, &b);
		a->lose = (uint32_t)choice_uniform(random, "loss", 1 << 16);
		b->lose = (uint32_t)choice_uniform(random, "loss", 1 << 8);
		tcp_connect(a->tcp, 0);
		run(a, b, 130 * NS_PER_S);
		if (tcp_state_of(b->tcp) != TCPS_ESTABLISHED) { /* every handshake was lost */
			end_free(a);
			end_free(b);
			continue;
		}
		complete++;
		tcp_send(a->tcp, bytes, sizeof bytes, 130 * NS_PER_S);
		tcp_shutdown(a->tcp, 130 * NS_PER_S);
		for (uint32_t i = a->head; i + 1 < a->tail; i++) { /* swap neighbours */
			if (choice_uniform(random, "order", 2)) {
				struct tcp_segment s = a->queue[i];
				uint8_t *t = a->bytes[i];
				a->queue[i] = a->queue[i + 1];
				a->bytes[i] = a->bytes[i + 1];
				a->queue[i + 1] = s;
				a->bytes[i + 1] = t;
			}
		}
		settle(a, b, 130 * NS_PER_S);
		run(a, b, 3000 * NS_PER_S);
		CHECK_INT(b->data.length, sizeof bytes);
		CHECK(b->data.length == sizeof bytes &&
		      memcmp(b->data.data, bytes, sizeof bytes) == 0);
		CHECK(strstr(strbuf_text(&b->told), "eof "));
		CHECK_INT(tcp_state_of(a->tcp), TCPS_FIN_WAIT_2);
		end_free(a);
		end_free(b);
	}
	CHECK(complete > 200);
	choice_free(random);
}

/* Random segments never break it: the state stays one of the eleven, nothing is leaked
 * (the sanitizers watch), and every output comes before the call returns. */
static void random_segments_do_no_harm(void)
{
	struct choice *random = choice_new(5);
	uint8_t bytes[64] = { 0 };
	for (int round = 0; round < 2000; round++) {
		struct tcp_config c = config(1000);
		struct end *e = end_new(&c);
		struct tcp_segment syn = segment(TCP_SYN, 2000, 0);
		int64_t now = 0;
		if (round & 1)
			tcp_connect(e->tcp, now);
		else
			tcp_accept(e->tcp, &syn, now);
		for (int i = 0; i < 40; i++) {
			struct tcp_segment s =
				segment((uint8_t)choice_uniform(random, "flags", 64),
					1990 + (uint32_t)choice_uniform(random, "seq", 30),
					995 + (uint32_t)choice_uniform(random, "ack", 30));
			s.bytes = bytes;
			s.length = (uint32_t)choice_uniform(random, "length", 20);
			receive(e, s, now += NS_PER_MS);
			if (choice_uniform(random, "app", 8) == 0)
				tcp_send(e->tcp, bytes, 3, now);
			if (choice_uniform(random, "app", 30) == 0)
				tcp_shutdown(e->tcp, now);
			if (tcp_deadline(e->tcp) != INT64_MAX && i % 7 == 0)
				tcp_timer(e->tcp, now = tcp_deadline(e->tcp));
		}
		CHECK(tcp_state_of(e->tcp) <= TCPS_TIME_WAIT);
		end_free(e);
	}
	choice_free(random);
}

static const struct check tests[] = {
	{ "A request and its answer pass through all states", a_request_and_its_answer },
	{ "SYNs are repeated as Linux times them", syns_are_repeated_as_linux_times_them },
	{ "SYN/ACKs are repeated five times, then dropped silently",
	  syn_acks_are_repeated_five_times },
	{ "Data is repeated until the bound of tcp_retries2",
	  data_is_repeated_until_the_bound_of_retries2 },
	{ "Both sides may close at once", both_sides_close_at_once },
	{ "Both sides may open at once", both_sides_open_at_once },
	{ "A reset needs the exact number (RFC 5961)", a_reset_needs_the_exact_number },
	{ "Only a reset that acknowledges the SYN refuses", refusals_while_connecting },
	{ "ICMP errors end a connect, or are remembered", icmp_errors_while_connecting },
	{ "A connect has its own timeout, or one try", a_connect_timeout_and_a_single_try },
	{ "Resets for no connection follow RFC 9293", resets_for_no_connection },
	{ "TIME_WAIT answers, restarts and yields", time_wait_answers_and_yields },
	{ "A closed socket resets late data and ends after 60 s",
	  an_orphan_resets_late_data_and_ends },
	{ "An abort resets the peer", an_abort_resets_the_peer },
	{ "A closed window is probed", a_closed_window_is_probed },
	{ "Bytes survive loss and disorder", bytes_survive_loss_and_disorder },
	{ "Random segments do no harm", random_segments_do_no_harm },
};

CHECK_MAIN(tests)
