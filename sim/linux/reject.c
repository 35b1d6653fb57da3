/* linux/reject.c: what REJECT sends; net/ipv4/netfilter/nf_reject_ipv4.c. */
#include "linux/internal.h"
#include "net/tcp.h"
#include "net/trace.h"

static void send_reset(struct netns *ns, const struct packet *cause)
{
	uint32_t length;
	packet_payload(cause, &length);
	if (cause->proto != PROTO_TCP || cause->fragment)
		return;
	struct tcp_segment in = { .seq = packet_tcp_seq(cause), .ack = packet_tcp_ack(cause),
				  .flags = packet_tcp_flags(cause), .length = length }, rst;
	if (!tcp_reset_for(&in, &rst))
		return;
	struct craft_ip ip = { .src = packet_dst(cause), .dst = packet_src(cause),
			       .src_port = packet_dst_port(cause),
			       .dst_port = packet_src_port(cause), .dont_fragment = true,
			       .ttl = (uint8_t)sysctl_value(ns, SYSCTL_DEFAULT_TTL) };
	struct craft_tcp tcp = { .seq = rst.seq, .ack = rst.ack, .flags = rst.flags,
				 .window_scale = -1 };
	struct packet *p = craft_tcp(ns->env->craft, &ip, &tcp, NULL, 0);
	ct_attach(p, cause);
	netns_output(ns, p);
}

/* The kernel answers an echo under the lock that every ICMP of that CPU needs
 * (icmp_xmit_lock): a REJECT of the answer on its way out sends nothing. */
static bool is_own_echo_reply(const struct hook_state *at)
{
	const struct packet *p = at->packet;
	bool v4 = p->proto == PROTO_ICMP && p->l4 && packet_icmp_type(p) == 0;
	bool v6 = p->proto == PROTO_ICMP6 && p->l4 && packet_icmp_type(p) == 129;
	return at->hook == HOOK_OUTPUT && !p->owner_sock && (v4 || v6);
}

void netns_send_reject(struct netns *ns, const struct hook_state *at, bool tcp_reset,
		       uint8_t icmp_type, uint8_t icmp_code)
{
	struct packet *cause = at->packet;
	if (tcp_reset)
		step_add(ns, cause, hook_name(at->hook), "", NULL, "rejected with a TCP reset");
	else
		step_add(ns, cause, hook_name(at->hook), "", NULL,
			 "rejected with ICMP%s type %u code %u", cause->family == NET_V6 ? "v6" : "",
			 icmp_type, icmp_code);
	if (cause->trace)
		trace_verdict(cause->trace, TRACE_REJECTED, "%s: rejected in %s%s%s", ns->label,
			      hook_name(at->hook), *cause->comment ? ": " : "", cause->comment);
	if (tcp_reset)
		send_reset(ns, cause);
	else if (!is_own_echo_reply(at))
		icmp_error(ns, cause, icmp_type, icmp_code, 0);
}
