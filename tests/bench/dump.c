/* tests/bench/dump.c: dumps of large nodes, read and traced, beside the tools' own reading.
 *
 * Rules of kube-proxy's shape for as many Services as make 100,000 iptables rules (eleven
 * for each: dispatch, mark, three endpoints) are read by the model and by
 * `iptables-legacy-restore --test`; the same Services in nftables mode's shape by the model
 * and by `nft -c`, which takes long for many, so there are fewer of them. Then the first
 * packet of a connection to the last Service goes through, watched by nobody, as the compiled
 * evaluator takes it. All times are processor time, the least of three; the tools' is that of
 * their processes, in a network namespace of their own. Prints one line each: reading with
 * the ratio, bytes of memory for a rule, time of a packet for 10 Services and for all.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "linux/netns.h"
#include "linux/nft/nft.h"
#include "linux/xtables/xtables.h"

#define RULES_OF_SERVICE 11u
#define SERVICES (100000u / RULES_OF_SERVICE)
#define NFT_SERVICES 1000u
#define FEW_SERVICES 10u
#define ENDPOINTS 3u
#define ROUNDS 3
#define PACKETS 1000u

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
	fprintf(stderr, "dump: %s\n", what);
	exit(1);
}

/* ---- texts ------------------------------------------------------------------------------- */

static void iptables_service(struct strbuf *chains, struct strbuf *rules, unsigned i)
{
	unsigned hi = i >> 8, lo = i & 255;
	strbuf_printf(chains, ":KUBE-SVC-%012u - [0:0]\n", i);
	strbuf_printf(rules, "-A KUBE-SERVICES -d 10.96.%u.%u/32 -p tcp -m comment --comment "
		      "\"default/service-%u:http cluster IP\" -m tcp --dport 80 -j KUBE-SVC-%012u\n",
		      hi, lo, i, i);
	strbuf_printf(rules, "-A KUBE-SVC-%012u ! -s 10.244.0.0/16 -d 10.96.%u.%u/32 -p tcp -m comment "
		      "--comment \"default/service-%u:http cluster IP\" -m tcp --dport 80 "
		      "-j KUBE-MARK-MASQ\n", i, hi, lo, i);
	for (unsigned e = 0; e < ENDPOINTS; e++) {
		static const char *const draws[] = {
			"-m statistic --mode random --probability 0.33333333349 ",
			"-m statistic --mode random --probability 0.50000000000 ", ""
		};
		char ip[32];
		snprintf(ip, sizeof ip, "10.%u.%u.%u", 128 + e, hi, lo);
		strbuf_printf(chains, ":KUBE-SEP-%u%011u - [0:0]\n", e, i);
		strbuf_printf(rules, "-A KUBE-SVC-%012u -m comment --comment \"default/service-%u:http "
			      "-> %s:8080\" %s-j KUBE-SEP-%u%011u\n", i, i, ip, draws[e], e, i);
		strbuf_printf(rules, "-A KUBE-SEP-%u%011u -s %s/32 -m comment --comment "
			      "\"default/service-%u:http\" -j KUBE-MARK-MASQ\n", e, i, ip, i);
		strbuf_printf(rules, "-A KUBE-SEP-%u%011u -p tcp -m comment --comment "
			      "\"default/service-%u:http\" -m tcp -j DNAT --to-destination %s:8080\n",
			      e, i, i, ip);
	}
}

static void iptables_text(struct strbuf *out, unsigned services)
{
	struct strbuf rules = { 0 };
	strbuf_puts(out, "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
			 ":POSTROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-MARK-MASQ - [0:0]\n");
	for (unsigned i = 0; i < services; i++)
		iptables_service(out, &rules, i);
	strbuf_puts(out, "-A PREROUTING -j KUBE-SERVICES\n-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000\n"
			 "-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully\n");
	strbuf_add(out, rules.data, rules.length);
	strbuf_puts(out, "COMMIT\n");
	strbuf_free(&rules);
}

static void nft_text(struct strbuf *out, unsigned services)
{
	struct strbuf map = { 0 };
	strbuf_puts(out, "table ip kube-proxy {\n\tchain mark-for-masquerade {\n"
			 "\t\tmeta mark set meta mark or 0x4000\n\t}\n");
	for (unsigned i = 0; i < services; i++) {
		unsigned hi = i >> 8, lo = i & 255;
		for (unsigned e = 0; e < ENDPOINTS; e++)
			strbuf_printf(out, "\tchain endpoint-%u-%u {\n\t\tip saddr 10.%u.%u.%u jump "
				      "mark-for-masquerade\n\t\tmeta l4proto tcp dnat to "
				      "10.%u.%u.%u:8080\n\t}\n", i, e, 128 + e, hi, lo, 128 + e, hi, lo);
		strbuf_printf(out, "\tchain service-%u {\n\t\tip daddr 10.96.%u.%u tcp dport 80 ip saddr "
			      "!= 10.244.0.0/16 jump mark-for-masquerade\n\t\tnumgen random mod 3 vmap "
			      "{ 0 : goto endpoint-%u-0, 1 : goto endpoint-%u-1, 2 : goto endpoint-%u-2 "
			      "}\n\t}\n", i, hi, lo, i, i, i);
		strbuf_printf(&map, "%s10.96.%u.%u . tcp . 80 : goto service-%u", i ? ",\n\t\t\t" : "",
			      hi, lo, i);
	}
	strbuf_printf(out, "\tmap service-ips {\n\t\ttype ipv4_addr . inet_proto . inet_service : verdict"
		      "\n\t\telements = { %s }\n\t}\n", strbuf_text(&map));
	strbuf_puts(out, "\tchain nat-prerouting {\n\t\ttype nat hook prerouting priority -100\n"
			 "\t\tip daddr . meta l4proto . th dport vmap @service-ips\n\t}\n"
			 "\tchain nat-postrouting {\n\t\ttype nat hook postrouting priority 100\n"
			 "\t\tmeta mark & 0x4000 == 0x4000 masquerade fully-random\n\t}\n}\n");
	strbuf_free(&map);
}

/* ---- the tools ------------------------------------------------------------------------------ */

/* Processor time of one run of a tool on a text; below 0: it is not there, or refuses. */
static double tool_once(const char *command)
{
	struct rusage use;
	int status;
	pid_t child = fork();
	if (child == 0) {
		execlp("unshare", "unshare", geteuid() ? "-Urn" : "-n", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &use) != child || status)
		return -1;
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

static double tool_seconds(const char *format, const struct strbuf *text)
{
	char path[] = "/tmp/svclab-dump.XXXXXX", command[256];
	int fd = mkstemp(path);
	double best = -1;
	if (fd < 0 || file_write(path, text->data, text->length, NULL))
		die("no room in /tmp");
	close(fd);
	snprintf(command, sizeof command, "XTABLES_LOCKFILE=%s.lock; export XTABLES_LOCKFILE; %s %s 2>&1",
		 path, format, path);
	for (int i = 0; i < ROUNDS; i++) {
		double s = tool_once(command);
		if (s >= 0 && (best < 0 || s < best))
			best = s;
	}
	unlink(path);
	snprintf(command, sizeof command, "%s.lock", path);
	unlink(command);
	return best;
}

/* ---- the model ------------------------------------------------------------------------------ */

struct node { /* between two dummy interfaces */
	struct linux_env env;
	struct netns *ns;
	uint16_t left;
};

static void node_open(struct node *n)
{
	struct net_prefix left, right, all;
	n->env = (struct linux_env){ .engine = engine_new(), .choice = choice_new(1),
				     .craft = craft_new() };
	n->ns = netns_new(&n->env, "node");
	n->left = netns_add_dummy(n->ns, "left");
	uint16_t right_if = netns_add_dummy(n->ns, "right");
	net_prefix_parse("10.244.0.1/16", &left);
	net_prefix_parse("192.168.0.1/24", &right);
	net_prefix_parse("0.0.0.0/0", &all);
	netns_set_up(n->ns, n->left, true);
	netns_set_up(n->ns, right_if, true);
	netns_add_addr(n->ns, n->left, &left);
	netns_add_addr(n->ns, right_if, &right);
	struct route r = { .dst = all, .kind = ROUTE_UNICAST, .out_if = right_if };
	net_addr_parse("192.168.0.254", &r.via);
	netns_add_route(n->ns, &r);
	netns_sysctl_set(n->ns, "net.ipv4.ip_forward", 1);
}

static void node_close(struct node *n)
{
	netns_free(n->ns);
	craft_free(n->env.craft);
	choice_free(n->env.choice);
	engine_free(n->env.engine);
}

static void node_load(struct node *n, const struct strbuf *text, bool nft)
{
	static const struct xt_restore_options options = { .file = "dump" };
	struct err err = { "" };
	int code = nft ? nft_load(netns_nft(n->ns), text->data, text->length, "dump", &err)
		       : xt_restore(netns_xt(n->ns, NET_V4), text->data, text->length, &options, &err);
	if (code)
		die(err.text);
}

/* Microseconds for the first packet of a connection to the last Service. */
static double packet_us(struct node *n, unsigned services)
{
	struct craft_ip ip = { .dst_port = 80 };
	struct craft_tcp syn = { .flags = TCP_SYN, .window = 64240, .mss = 1460, .window_scale = 7 };
	char to[32];
	double begin = 0;
	net_addr_parse("10.244.3.4", &ip.src);
	snprintf(to, sizeof to, "10.96.%u.%u", (services - 1) >> 8, (services - 1) & 255);
	net_addr_parse(to, &ip.dst);
	for (unsigned i = 0; i <= PACKETS; i++) {
		ip.src_port = (uint16_t)(20000 + i);
		netns_input(n->ns, n->left, craft_tcp(n->env.craft, &ip, &syn, NULL, 0));
		if (i == 0) /* it made the index */
			begin = seconds();
	}
	return (seconds() - begin) / PACKETS * 1e6;
}

static double packet_through(unsigned services, bool nft)
{
	struct node n;
	struct strbuf text = { 0 };
	(nft ? nft_text : iptables_text)(&text, services);
	node_open(&n);
	node_load(&n, &text, nft);
	double us = packet_us(&n, services);
	node_close(&n);
	strbuf_free(&text);
	return us;
}

/* Seconds to read the text, the least; bytes of memory for each rule in it. */
static double reading(const struct strbuf *text, bool nft, uint64_t *rules, double *bytes)
{
	double best = -1;
	for (int i = 0; i < ROUNDS; i++) {
		struct node n;
		node_open(&n);
		size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
		double begin = seconds();
		node_load(&n, text, nft);
		double s = seconds() - begin;
		*rules = nft ? nft_rule_count(netns_nft(n.ns)) : xt_rule_count(netns_xt(n.ns, NET_V4));
		*bytes = (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / (double)*rules;
		node_close(&n);
		if (best < 0 || s < best)
			best = s;
	}
	return best;
}

static void bench(const char *name, unsigned services, bool nft, const char *tool)
{
	struct strbuf text = { 0 };
	uint64_t rules;
	double bytes;
	(nft ? nft_text : iptables_text)(&text, services);
	double ours = reading(&text, nft, &rules, &bytes), theirs = tool_seconds(tool, &text);
	printf("dump: %s of %llu rules, %.1f MB: read in %.3f s, ", name, (unsigned long long)rules,
	       (double)text.length / 1e6, ours);
	if (theirs < 0)
		printf("`%s` does not run here", tool);
	else
		printf("`%s` takes %.3f s, %.1f times as long", tool, theirs, theirs / ours);
	printf("; %.0f bytes of memory a rule\n", bytes);
	double few = packet_through(FEW_SERVICES, nft), many = packet_through(services, nft);
	printf("dump: %s, first packet of a connection: %.2f us with %u Services, %.2f us with %u, "
	       "ratio %.2f\n", name, few, FEW_SERVICES, many, services, many / few);
	strbuf_free(&text);
}

int main(void)
{
	bench("iptables-save", SERVICES, false, "iptables-legacy-restore --test");
	bench("nft list ruleset", NFT_SERVICES, true, "nft -c -f");
	return 0;
}
