/* tests/differential/kernel_router.h: the running kernel as judge of the Linux model.
 *
 * A *case* is a rule set and packets. It is played twice: in a network namespace of this
 * machine, built like the router of linux_lab.h, and in that lab. A packet is a frame that
 * comes in by `left` or `right`; both neighbours are mute. What is compared afterwards:
 *
 *  - what came out by which interface after each packet, byte for byte but for the IP
 *    identification and drawn ports (verdict, translation, TTL, TOS, MSS, RST and ICMP with
 *    their quotes);
 *  - every connection with both tuples, state and mark, as `conntrack -L` prints it;
 *  - what the tool lists: the counters of every rule and policy tell which rules matched.
 *
 * The plain evaluator is judged: each of the model's packets is watched. Nothing is drawn
 * and no clock matters. When a case disagrees, the shortest run of its packets that still
 * does is looked for, and the last of them is named.
 *
 * The namespace's packets are handled on one processor, in order: when a frame that was
 * sent behind a packet arrives at the far end, twice, all that the packet caused has
 * arrived. Without the right to make network namespaces a test is skipped.
 */
#ifndef TESTS_KERNEL_ROUTER_H
#define TESTS_KERNEL_ROUTER_H

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/unit/linux_lab.h"

#define FENCE_TYPE 0x88b5 /* for experiments: IEEE 802 */
#define FRAME_BYTES 2048
#define KERNEL_SENDER_PORT 40000u
#define KERNEL_SENDER_PORTS 6u

#define KERNEL_FLOWS "conntrack -L > flows 2> /dev/null || true"

struct kernel_tool { /* one kind of rules */
	const char *needs;   /* shell: is it there, in a new network namespace? */
	const char *load;    /* shell, in the case's folder: files "rules", "sets" */
	const char *list;    /* shell: writes "list" and, with conntrack -L, "flows" */
	void (*mute)(struct netns *ns);                    /* it answers nothing */
	int (*model_load)(struct netns *router, const char *rules, struct err *err);
	void (*model_save)(struct netns *router, struct strbuf *out);
	void (*tidy)(struct strbuf *list); /* of what `list` printed; NULL: as it is */
};

struct kernel_case {
	const struct kernel_tool *tool;
	const char *rules, *sets; /* sets: NULL none */
	struct packet **packets;
	bool *right;              /* it comes in by `right` */
	unsigned count;
};

/* `left` and `right` are veths whose other ends lie in the same namespace. */
static const char kernel_set_up[] =
	"printf \"%s\\n\" \"link set lo up\" \"link add left type veth peer name lp\" "
	"\"link add right type veth peer name rp\" | ip -batch - && "
	"for f in /proc/sys/net/ipv6/conf/[lr]p/disable_ipv6; do echo 1 > $f; done; "
	"for f in /proc/sys/net/ipv6/conf/*/accept_dad "
	"/proc/sys/net/ipv6/conf/*/router_solicitations /proc/sys/net/ipv4/conf/*/rp_filter "
	"/proc/sys/net/ipv4/conf/*/send_redirects; do echo 0 > $f; done; "
	"for f in /proc/sys/net/ipv6/conf/*/addr_gen_mode; do echo 1 > $f; done; "
	"nft -f quiet; cd /proc/sys/net; echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding; "
	"echo 0 > ipv4/icmp_ratelimit; echo 0 > ipv6/icmp/ratelimit; "
	"if [ -e ipv4/icmp_msgs_burst ]; then echo 1000000 > ipv4/icmp_msgs_per_sec; "
	"echo 1000000 > ipv4/icmp_msgs_burst; fi 2> /dev/null; cd - > /dev/null; "
	"{ for i in left right lp rp; do echo link set $i up; done; "
	"for i in 1 2; do s=left; [ $i = 1 ] || s=right; "
	"echo addr add 10.0.$i.1/24 dev $s; echo addr add fd0$i::1/64 dev $s; "
	"for k in 2 3; do echo neigh add 10.0.$i.$k lladdr 02:00:00:00:0$i:0$k dev $s; "
	"echo neigh add fd0$i::$k lladdr 02:00:00:00:0$i:0$k dev $s; done; done; "
	"echo route add default via 10.0.2.2; echo route add ::/0 via fd02::2; } > net && "
	"ip -batch net";

/* The kernel tells its neighbours which multicast groups it listens to: not our business. */
static const char kernel_quiet[] =
	"table ip6 quiet { chain out { type filter hook output priority -500; "
	"icmpv6 type 143 drop; }; }\n";

static inline bool kernel_is_root(void)
{
	return geteuid() == 0;
}

/* Whether the tool works in a network namespace of ours. */
static inline bool kernel_there(const struct kernel_tool *tool)
{
	char command[512];
	snprintf(command, sizeof command, "unshare -%sn sh -c '%s' > /dev/null 2>&1",
		 kernel_is_root() ? "" : "Ur", tool->needs);
	return system(command) == 0;
}

/* The script runs in the case's folder. */
static inline bool kernel_shell(const char *script, const char *folder)
{
	struct strbuf command = { 0 };
	strbuf_printf(&command, "cd %s && export XTABLES_LOCKFILE=$PWD/lock && { %s; } "
				"2>> said", folder, script);
	bool ok = system(strbuf_text(&command)) == 0;
	strbuf_free(&command);
	return ok;
}

static inline void kernel_write(const char *folder, const char *name, const char *text)
{
	char path[256];
	struct err err = { "" };
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int code = file_write(path, text, strlen(text), &err);
	check_note(code == 0, __FILE__, __LINE__, "%s", err.text);
}

/* ---- what came out ----------------------------------------------------------------------- */

/* Ports of senders (also identifiers of echos) and of rules. Another one was drawn when two
 * flows wanted the same port after translation; every machine draws its own, so all of
 * them are called 65535. */
static inline bool kernel_port_drawn(unsigned port)
{
	static const uint16_t known[] = { 0, 53, 80, 81, 443, 8080, 8081, 30080 };
	for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
		if (port == known[i])
			return false;
	return port < KERNEL_SENDER_PORT || port >= KERNEL_SENDER_PORT + KERNEL_SENDER_PORTS;
}

static inline void kernel_hide_drawn(struct packet *p)
{
	struct net_addr src = packet_src(p), dst = packet_dst(p);
	if (kernel_port_drawn(packet_src_port(p)))
		packet_set_src(p, &src, UINT16_MAX);
	if (kernel_port_drawn(packet_dst_port(p)))
		packet_set_dst(p, &dst, UINT16_MAX);
	struct packet *quoted = packet_is_icmp_error(p) ? packet_quoted(p) : NULL;
	if (!quoted)
		return;
	src = packet_src(quoted);
	dst = packet_dst(quoted);
	if (kernel_port_drawn(packet_src_port(quoted)))
		packet_set_quoted_src(p, &src, UINT16_MAX);
	if (kernel_port_drawn(packet_dst_port(quoted)))
		packet_set_quoted_dst(p, &dst, UINT16_MAX);
	packet_free(quoted);
}

/* A line of one frame: number of the packet that caused it, side, bytes from the IP header
 * on, and a text for people. The kernel's own packets have identifications and flow labels
 * of their own. */
static inline void kernel_note_frame(struct strbuf *out, unsigned number, bool right,
				     const uint8_t *bytes, size_t length)
{
	char line[256] = "";
	struct packet *p = packet_new((uint32_t)length);
	memcpy(p->bytes, bytes, length);
	p->length = (uint32_t)length;
	if (packet_parse(p) == 0) {
		kernel_hide_drawn(p);
		packet_line(p, line, sizeof line);
		if (p->family == NET_V4) {
			memset(p->bytes + p->l3 + 4, 0, 2);
			memset(p->bytes + p->l3 + 10, 0, 2);
		} else {
			p->bytes[p->l3 + 1] &= 0xf0;
			memset(p->bytes + p->l3 + 2, 0, 2);
		}
	}
	strbuf_printf(out, "packet %u, out %s: %s ", number, right ? "right" : "left", line);
	for (uint32_t i = ETHER_BYTES; i < p->length; i++)
		strbuf_printf(out, "%02x", p->bytes[i]);
	strbuf_putc(out, '\n');
	packet_free(p);
}

/* ---- real Linux ---------------------------------------------------------------------------- */

struct kernel_sides { /* packet sockets at lp and rp; index 1: right */
	int fd[2];
	unsigned far[2], near[2]; /* interface numbers: lp, rp; left, right */
	uint8_t mac[2][6];        /* of left and right */
};

static inline bool kernel_open_side(struct kernel_sides *s, int side)
{
	const char *near = side ? "right" : "left", *far = side ? "rp" : "lp";
	struct ethtool_value off = { .cmd = ETHTOOL_STXCSUM };
	struct ifreq r = { 0 };
	int bytes = 4 << 20;
	s->fd[side] = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	s->far[side] = if_nametoindex(far);
	s->near[side] = if_nametoindex(near);
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)s->far[side] };
	strncpy(r.ifr_name, near, IFNAMSIZ - 1);
	if (s->fd[side] < 0 || ioctl(s->fd[side], SIOCGIFHWADDR, &r))
		return false;
	memcpy(s->mac[side], r.ifr_hwaddr.sa_data, 6);
	r.ifr_data = (void *)&off; /* checksums as they go over a wire */
	if (ioctl(s->fd[side], SIOCETHTOOL, &r))
		return false;
	setsockopt(s->fd[side], SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
	return bind(s->fd[side], (struct sockaddr *)&at, sizeof at) == 0;
}

static inline bool kernel_send(const struct kernel_sides *s, int side, unsigned ifindex,
			       const void *bytes, size_t length)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)ifindex };
	return sendto(s->fd[side], bytes, length, 0, (struct sockaddr *)&to, sizeof to) >= 0;
}

/* Reads a side until a fence has come; notes what came before it. False: none came. */
static inline bool kernel_read_to_fence(struct kernel_sides *s, int side, unsigned number,
					struct strbuf *out)
{
	uint8_t bytes[FRAME_BYTES];
	for (;;) {
		struct pollfd ready = { .fd = s->fd[side], .events = POLLIN };
		struct sockaddr_ll from;
		socklen_t size = sizeof from;
		if (poll(&ready, 1, 5000) != 1)
			return false;
		ssize_t n = recvfrom(s->fd[side], bytes, sizeof bytes, 0, (struct sockaddr *)&from,
				     &size);
		if (n < (ssize_t)ETHER_BYTES || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		unsigned type = (unsigned)bytes[12] << 8 | bytes[13];
		if (type == FENCE_TYPE)
			return true;
		if (type == 0x0800 || type == 0x86dd)
			kernel_note_frame(out, number, side == 1, bytes, (size_t)n);
	}
}

static inline bool kernel_pass_packet(struct kernel_sides *s, struct packet *p, int side,
				      unsigned number, struct strbuf *out)
{
	uint8_t fence[60] = { [12] = FENCE_TYPE >> 8, [13] = FENCE_TYPE & 0xff };
	memset(fence, 0xff, 6);
	memcpy(p->bytes, s->mac[side], 6);
	if (!kernel_send(s, side, s->far[side], p->bytes, p->length))
		return false;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 2; i++)
			if (!kernel_send(s, i, s->near[i], fence, sizeof fence) ||
			    !kernel_read_to_fence(s, i, number, out))
				return false;
	return true;
}

/* A user namespace for those who are not root. */
static inline bool kernel_enter(void)
{
	char map[64];
	snprintf(map, sizeof map, "0 %u 1\n", (unsigned)geteuid());
	cpu_set_t one;
	int cpu = sched_getcpu();
	CPU_ZERO(&one);
	CPU_SET((unsigned)(cpu < 0 ? 0 : cpu), &one);
	if (sched_setaffinity(0, sizeof one, &one))
		return false;
	if (kernel_is_root())
		return unshare(CLONE_NEWNET) == 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	FILE *f = fopen("/proc/self/setgroups", "w");
	if (f) {
		fputs("deny", f);
		fclose(f);
	}
	f = fopen("/proc/self/uid_map", "w");
	return f && fputs(map, f) >= 0 && fclose(f) == 0;
}

/* In a child: the namespace, the rules, the packets; results to folder/out, list, flows. */
static inline int kernel_play(const char *folder, const struct kernel_case *c, unsigned count)
{
	struct kernel_sides s;
	struct strbuf out = { 0 };
	strbuf_printf(&out, "%s && %s", kernel_set_up, c->tool->load);
	if (!kernel_enter() || !kernel_shell(strbuf_text(&out), folder))
		return 2;
	strbuf_clear(&out);
	if (!kernel_open_side(&s, 0) || !kernel_open_side(&s, 1))
		return 3;
	for (unsigned i = 0; i < count; i++)
		if (!kernel_pass_packet(&s, c->packets[i], c->right[i], i + 1, &out))
			return 4;
	kernel_write(folder, "out", strbuf_text(&out));
	strbuf_free(&out);
	return kernel_shell(c->tool->list, folder) ? 0 : 5;
}

/* ---- the model ------------------------------------------------------------------------------- */

struct kernel_tap {
	struct lab *lab;
	struct strbuf out;
	unsigned number;
};

static inline void kernel_model_tap(void *ctx, struct netns *ns, uint16_t ifindex, int direction,
				    const struct packet *p)
{
	struct kernel_tap *t = ctx;
	if (ns == t->lab->router && direction == 2 &&
	    (ifindex == t->lab->left || ifindex == t->lab->right))
		kernel_note_frame(&t->out, t->number, ifindex == t->lab->right, p->bytes,
				  p->length);
}

struct kernel_result {
	struct strbuf out, list, flows;
};

static inline void kernel_result_free(struct kernel_result *r)
{
	strbuf_free(&r->out);
	strbuf_free(&r->list);
	strbuf_free(&r->flows);
}

static inline void kernel_model(const struct kernel_case *c, unsigned count,
				struct kernel_result *result)
{
	struct lab lab;
	struct kernel_tap tap = { .lab = &lab };
	struct err err = { "" };
	struct trace *t = NULL;
	lab_open(&lab);
	lab.env.tap = kernel_model_tap;
	lab.env.tap_ctx = &tap;
	lab_add_addr(lab.client, lab.client_if, "10.0.1.3/24");
	lab_add_addr(lab.client, lab.client_if, "fd01::3/64");
	lab_add_addr(lab.server, lab.server_if, "10.0.2.3/24");
	lab_add_addr(lab.server, lab.server_if, "fd02::3/64");
	lab_route(lab.router, "0.0.0.0/0", "10.0.2.2", lab.right);
	lab_route(lab.router, "::/0", "fd02::2", lab.right);
	netns_sysctl_set(lab.router, "net.ipv4.icmp_ratelimit", 0);
	netns_sysctl_set(lab.router, "net.ipv6.icmp.ratelimit", 0);
	c->tool->mute(lab.client);
	c->tool->mute(lab.server);
	int code = c->tool->model_load(lab.router, c->rules, &err);
	check_note(code == 0, __FILE__, __LINE__, "%s", err.text);
	for (unsigned i = 0; i < count; i++) {
		struct packet *p = packet_copy(c->packets[i]);
		trace_free(t);
		p->trace = t = trace_new(); /* watched: the plain evaluator */
		tap.number = i + 1;
		netns_input(lab.router, c->right[i] ? lab.right : lab.left, p);
		lab_run(&lab, NS_PER_MS);
	}
	c->tool->model_save(lab.router, &result->list);
	if (netns_conntrack_if_any(lab.router))
		conntrack_print(netns_conntrack(lab.router), 0, &result->flows);
	result->out = tap.out;
	lab.env.tap = NULL;
	lab_close(&lab);
	trace_free(t);
}

/* ---- comparison -------------------------------------------------------------------------------- */

static inline int kernel_compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One connection without the seconds that it has left and without drawn ports. */
static inline void kernel_tidy_flow(const char *line, struct strbuf *out)
{
	unsigned word = 0, port;
	for (const char *s = line; *s; word++) {
		size_t n = strcspn(s, " ");
		if (word == 2 && strspn(s, "0123456789") == n)
			strbuf_puts(out, "-");
		else if ((sscanf(s, "sport=%u", &port) == 1 || sscanf(s, "dport=%u", &port) == 1 ||
			  sscanf(s, "id=%u", &port) == 1) && kernel_port_drawn(port))
			strbuf_printf(out, "%.*s=drawn", (int)strcspn(s, "="), s);
		else
			strbuf_add(out, s, n);
		strbuf_putc(out, ' ');
		s += n;
		s += strspn(s, " ");
	}
}

/* All connections, in order of their lines. */
static inline void kernel_tidy_flows(struct strbuf *flows)
{
	char *lines[4096], *text = mem_strdup(strbuf_text(flows));
	unsigned count = 0;
	for (char *save = NULL, *l = strtok_r(text, "\n", &save); l && count < 4096;
	     l = strtok_r(NULL, "\n", &save)) {
		struct strbuf tidy = { 0 };
		kernel_tidy_flow(l, &tidy);
		lines[count++] = strbuf_steal(&tidy);
	}
	qsort(lines, count, sizeof *lines, kernel_compare_lines);
	strbuf_clear(flows);
	for (unsigned i = 0; i < count; i++) {
		strbuf_printf(flows, "%s\n", lines[i]);
		free(lines[i]);
	}
	free(text);
}

/* The first lines at which the texts part, at most four pairs. */
static inline void kernel_differences(const char *what, const char *a, const char *b,
				      struct strbuf *out)
{
	unsigned shown = 0;
	while ((*a || *b) && shown < 4) {
		size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
		if (n != m || memcmp(a, b, n) != 0) {
			strbuf_printf(out, "%s: model  %.*s\n%s: kernel %.*s\n", what, (int)n, a,
				      what, (int)m, b);
			shown++;
		}
		a += n + (a[n] == '\n');
		b += m + (b[m] == '\n');
	}
}

static inline void kernel_read(const char *folder, const char *name, struct strbuf *out)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	file_read(path, out, NULL);
}

/* Plays the first `count` packets in both; differences go to `differ`. False: real Linux
 * would not play. */
static inline bool kernel_judge(const struct kernel_case *c, unsigned count, struct strbuf *differ)
{
	char folder[] = "/tmp/svclab-kernel.XXXXXX";
	struct kernel_result ours = { 0 }, real = { 0 };
	int status = 0;
	if (!CHECK(mkdtemp(folder) != NULL))
		return false;
	kernel_write(folder, "rules", c->rules);
	kernel_write(folder, "sets", c->sets ? c->sets : "");
	kernel_write(folder, "quiet", kernel_quiet);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(kernel_play(folder, c, count));
	waitpid(child, &status, 0);
	kernel_model(c, count, &ours);
	kernel_read(folder, "out", &real.out);
	kernel_read(folder, "list", &real.list);
	kernel_read(folder, "flows", &real.flows);
	if (c->tool->tidy)
		c->tool->tidy(&real.list);
	kernel_tidy_flows(&ours.flows);
	kernel_tidy_flows(&real.flows);
	if (status) {
		strbuf_printf(differ, "real Linux: the run ended with status %d\n",
			      WEXITSTATUS(status));
		kernel_read(folder, "said", differ);
	}
	kernel_differences("frame", strbuf_text(&ours.out), strbuf_text(&real.out), differ);
	kernel_differences("flow", strbuf_text(&ours.flows), strbuf_text(&real.flows), differ);
	kernel_differences("rule", strbuf_text(&ours.list), strbuf_text(&real.list), differ);
	file_remove_folder(folder);
	kernel_result_free(&ours);
	kernel_result_free(&real);
	return status == 0;
}

/* True: model and kernel agree. Else the disagreement is reported with its rules and the
 * packet that shows it. */
static inline bool kernel_agrees(const struct kernel_case *c)
{
	struct strbuf differ = { 0 }, now = { 0 };
	char line[256] = "";
	bool played = kernel_judge(c, c->count, &differ);
	unsigned good = 0, bad = c->count;
	/* A busy machine's frames come late; a wrong model is wrong each time. */
	for (unsigned again = 0; again < 2 && differ.length; again++) {
		strbuf_clear(&differ);
		played = kernel_judge(c, c->count, &differ);
	}
	while (played && differ.length && bad - good > 1) {
		unsigned middle = good + (bad - good) / 2;
		strbuf_clear(&now);
		kernel_judge(c, middle, &now);
		if (!now.length) {
			good = middle;
			continue;
		}
		bad = middle;
		strbuf_clear(&differ);
		strbuf_puts(&differ, strbuf_text(&now));
	}
	if (c->count)
		packet_line(c->packets[bad - 1], line, sizeof line);
	bool same = check_note(!differ.length, __FILE__, __LINE__,
			       "packet %u, in %s: %s\n%srules:\n%s", bad,
			       c->count && c->right[bad - 1] ? "right" : "left", line,
			       strbuf_text(&differ), c->rules);
	strbuf_free(&differ);
	strbuf_free(&now);
	return same;
}

/* A number from the environment. */
static inline unsigned kernel_wanted(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);
	return text && atoi(text) > 0 ? (unsigned)atoi(text) : otherwise;
}

#endif
