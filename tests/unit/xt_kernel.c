/* tests/unit/xt_kernel.c: the plain evaluator judged by the running kernel.
 *
 * Random rule sets are loaded by iptables-legacy-restore in a network namespace that is
 * built like the router of linux_lab.h; random packets are sent into its interfaces one
 * by one. The same text and packets go through the model. Counters of every rule and
 * policy must be equal afterwards: they tell which rules matched, which verdicts fell
 * and, by what later hooks saw, how addresses were translated.
 *
 * Both neighbours are mute. Nothing is drawn and no clock is asked. A few rule sets by
 * default; XT_KERNEL_RULESETS=300 XT_KERNEL_PACKETS=100 for a long look. Needs root,
 * iptables-legacy, ipset and ip; skips visibly without.
 */
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "linux/ipset.h"
#include "linux/xtables/xtables.h"
#include "tests/differential/xt_random.h"
#include "tests/unit/linux_lab.h"

#define MUTE "*raw\n-A PREROUTING -j DROP\nCOMMIT\n"

/* The router: `left` and `right` are veths whose other ends lie in the same namespace and
 * only carry frames. */
static const char *const set_up =
	"ip link set lo up && "
	"ip link add left type veth peer name lp && ip link add right type veth peer name rp && "
	"for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > $f; done; "
	"for f in /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/send_redirects; do "
	"echo 0 > $f; done; "
	"echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv4/icmp_ratelimit; "
	"ip addr add 10.0.1.1/24 dev left && ip addr add 10.0.2.1/24 dev right && "
	"for i in left right lp rp; do ip link set $i up; done; "
	"for i in 2 3; do ip neigh add 10.0.1.$i lladdr 02:00:00:00:01:0$i dev left; "
	"ip neigh add 10.0.2.$i lladdr 02:00:00:00:02:0$i dev right; done; "
	"ip route add default via 10.0.2.2 && ipset restore < sets && "
	"iptables-legacy-restore < rules";

static const char *const dump =
	"for t in filter nat mangle raw; do "
	"iptables-legacy-save -c -t $t | grep -v '^#'; done > real";

static bool tools_there(void)
{
	return geteuid() == 0 && system("command -v iptables-legacy-restore > /dev/null && "
					"command -v ipset > /dev/null && command -v ip > /dev/null && "
					"unshare -n iptables-legacy -L -n > /dev/null 2>&1") == 0;
}

/* The script runs in the folder of rules and result. */
static bool run(const char *script, const char *folder)
{
	char command[2048];
	snprintf(command, sizeof command, "cd %s && export XTABLES_LOCKFILE=$PWD/lock && { %s; }",
		 folder, script);
	return system(command) == 0;
}

static bool mac_of(const char *name, uint8_t mac[6])
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	bool ok = fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &r) == 0;
	if (ok)
		memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	if (fd >= 0)
		close(fd);
	return ok;
}

struct frames { /* packets to send: at the right interface? bytes */
	struct packet **packets;
	bool *right;
	unsigned count;
};

/* In the child: the namespace, the rules, the packets, the counters to folder/real. */
static int play(const char *folder, const struct frames *f)
{
	uint8_t mac[2][6];
	int fd;
	if (unshare(CLONE_NEWNET) || !run(set_up, folder) || !mac_of("left", mac[0]) ||
	    !mac_of("right", mac[1]))
		return 2;
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	for (unsigned i = 0; i < f->count; i++) {
		struct packet *p = f->packets[i];
		struct sockaddr_ll to = { .sll_family = AF_PACKET,
					  .sll_ifindex = (int)if_nametoindex(f->right[i] ? "rp" : "lp") };
		memcpy(p->bytes, mac[f->right[i]], 6);
		if (sendto(fd, p->bytes, p->length, 0, (struct sockaddr *)&to, sizeof to) < 0)
			return 2;
		usleep(1000);
	}
	close(fd);
	usleep(20000);
	return run(dump, folder) ? 0 : 2;
}

static void write_text(const char *folder, const char *name, const char *text)
{
	char path[256];
	struct err err = { { 0 } };
	snprintf(path, sizeof path, "%s/%s", folder, name);
	CHECK_INT(file_write(path, text, strlen(text), &err), 0);
}

static void model(const char *rules, const struct frames *f, struct strbuf *out)
{
	static const struct xt_restore_options options = { .file = "random" };
	struct lab lab;
	struct err err = { { 0 } };
	lab_open(&lab);
	lab_add_addr(lab.client, lab.client_if, "10.0.1.3/24");
	lab_add_addr(lab.server, lab.server_if, "10.0.2.3/24");
	lab_route(lab.router, "0.0.0.0/0", "10.0.2.2", lab.right);
	netns_sysctl_set(lab.router, "net.ipv4.icmp_ratelimit", 0);
	xt_restore(netns_xt(lab.client, NET_V4), MUTE, strlen(MUTE), &options, &err);
	xt_restore(netns_xt(lab.server, NET_V4), MUTE, strlen(MUTE), &options, &err);
	ipset_restore(netns_ipset(lab.router), XT_RANDOM_SETS, strlen(XT_RANDOM_SETS), "sets", false,
		      &err);
	CHECK_INT(xt_restore(netns_xt(lab.router, NET_V4), rules, strlen(rules), &options, &err), 0);
	struct trace *t = NULL;
	for (unsigned i = 0; i < f->count; i++) {
		struct packet *p = packet_copy(f->packets[i]);
		trace_free(t);
		p->trace = t = trace_new(); /* watched: the plain evaluator */
		netns_input(lab.router, f->right[i] ? lab.right : lab.left, p);
		lab_run(&lab, NS_PER_MS);
	}
	xt_save(netns_xt(lab.router, NET_V4), NULL, true, out);
	lab_close(&lab);
	trace_free(t);
}

/* Lines of `a` that `b` has not at the same place. */
static void differences(const char *a, const char *b, struct strbuf *out)
{
	while (*a && *b) {
		size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
		if (n != m || memcmp(a, b, n) != 0)
			strbuf_printf(out, "model  %.*s\nkernel %.*s\n", (int)n, a, (int)m, b);
		a += n + (a[n] == '\n');
		b += m + (b[m] == '\n');
	}
}

static bool one_ruleset(struct xt_random *r, struct craft *craft, unsigned packets)
{
	char folder[] = "/tmp/xt_kernel.XXXXXX", path[64];
	struct strbuf ours = { 0 }, real = { 0 }, differ = { 0 };
	struct frames f = { mem_array(packets, sizeof *f.packets), mem_array(packets, sizeof *f.right),
			    packets };
	char *rules = mem_strdup(xt_random_ruleset(r));
	int status = 0;
	for (unsigned i = 0; i < packets; i++)
		f.packets[i] = xt_random_packet(r, craft, &f.right[i]);
	CHECK(mkdtemp(folder) != NULL);
	write_text(folder, "rules", rules);
	write_text(folder, "sets", XT_RANDOM_SETS);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(play(folder, &f));
	waitpid(child, &status, 0);
	model(rules, &f, &ours);
	snprintf(path, sizeof path, "%s/real", folder);
	file_read(path, &real, NULL);
	differences(strbuf_text(&ours), strbuf_text(&real), &differ);
	bool same = check_note(status == 0 && ours.length && !differ.length, __FILE__, __LINE__,
			       "status %d; differences:\n%s\nrules:\n%s", status, strbuf_text(&differ),
			       rules);
	if (!run("rm -rf \"$PWD\"", folder))
		same = false;
	for (unsigned i = 0; i < packets; i++)
		packet_free(f.packets[i]);
	free(f.packets);
	free(f.right);
	free(rules);
	strbuf_free(&ours);
	strbuf_free(&real);
	strbuf_free(&differ);
	return same;
}

static unsigned wanted(const char *name, unsigned fallback)
{
	const char *text = getenv(name);
	return text && atoi(text) > 0 ? (unsigned)atoi(text) : fallback;
}

static void rules_match_as_in_the_kernel(void)
{
	unsigned rulesets = wanted("XT_KERNEL_RULESETS", 4), failed = 0;
	if (!tools_there()) {
		check_skip("needs root, iptables-legacy, ipset and network namespaces");
		return;
	}
	struct xt_random r = { .choice = choice_new(wanted("XT_KERNEL_SEED", 5)), .repeatable = true };
	struct craft *craft = craft_new();
	for (unsigned i = 0; i < rulesets; i++)
		failed += !one_ruleset(&r, craft, wanted("XT_KERNEL_PACKETS", 60));
	if (rulesets > 4)
		printf("# %u of %u rule sets the same\n", rulesets - failed, rulesets);
	craft_free(craft);
	strbuf_free(&r.out);
	choice_free(r.choice);
}

static const struct check tests[] = {
	{ "random rules count the same packets in the model and in the running kernel",
	  rules_match_as_in_the_kernel },
};

CHECK_MAIN(tests)
