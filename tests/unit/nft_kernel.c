/* tests/unit/nft_kernel.c: the plain evaluator judged by the running kernel.
 *
 * Random rule sets are loaded by nft in a network namespace that is built like the router
 * of linux_lab.h; random packets are sent into its interfaces one by one. The same text
 * and packets go through the model. `nft list ruleset` must be equal afterwards, byte by
 * byte: the counters of every rule tell which rules matched, which verdicts fell and, by
 * what later hooks saw, how addresses were translated; sets tell what packets put in; and
 * all of it is printed as the tool prints it.
 *
 * Both neighbours are mute. Nothing is drawn, and no clock matters. A few rule sets by
 * default; NFT_KERNEL_RULESETS=300 NFT_KERNEL_PACKETS=100 for a long look. Needs root,
 * nft and ip; skips visibly without.
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
#include "linux/nft/nft.h"
#include "tests/differential/nft_random.h"
#include "tests/unit/linux_lab.h"

#define MUTE                                                                                   \
	"table ip mute { chain all { type filter hook prerouting priority -300; policy drop; } }\n"

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
	"ip route add default via 10.0.2.2 && nft -f rules";

static bool tools_there(void)
{
	return geteuid() == 0 &&
	       system("command -v nft > /dev/null && command -v ip > /dev/null && "
		      "unshare -n nft list ruleset > /dev/null 2>&1") == 0;
}

/* The script runs in the folder of rules and result. */
static bool run(const char *script, const char *folder)
{
	char command[2048];
	snprintf(command, sizeof command, "cd %s && { %s; }", folder, script);
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

/* In the child: the namespace, the rules, the packets, the listing to folder/real. */
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
					  .sll_ifindex =
					      (int)if_nametoindex(f->right[i] ? "rp" : "lp") };
		memcpy(p->bytes, mac[f->right[i]], 6);
		if (sendto(fd, p->bytes, p->length, 0, (struct sockaddr *)&to, sizeof to) < 0)
			return 2;
		usleep(1000);
	}
	close(fd);
	usleep(20000);
	return run("nft list ruleset > real", folder) ? 0 : 2;
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
	struct lab lab;
	struct err err = { { 0 } };
	struct trace *t = NULL;
	lab_open(&lab);
	lab_add_addr(lab.client, lab.client_if, "10.0.1.3/24");
	lab_add_addr(lab.server, lab.server_if, "10.0.2.3/24");
	lab_route(lab.router, "0.0.0.0/0", "10.0.2.2", lab.right);
	netns_sysctl_set(lab.router, "net.ipv4.icmp_ratelimit", 0);
	CHECK_INT(nft_load(netns_nft(lab.client), MUTE, strlen(MUTE), "mute", &err), 0);
	CHECK_INT(nft_load(netns_nft(lab.server), MUTE, strlen(MUTE), "mute", &err), 0);
	int code = nft_load(netns_nft(lab.router), rules, strlen(rules), "random", &err);
	check_note(code == 0, __FILE__, __LINE__, "%s", err.text);
	for (unsigned i = 0; i < f->count; i++) {
		struct packet *p = packet_copy(f->packets[i]);
		trace_free(t);
		p->trace = t = trace_new(); /* watched: the plain evaluator */
		netns_input(lab.router, f->right[i] ? lab.right : lab.left, p);
		lab_run(&lab, NS_PER_MS);
	}
	nft_list(netns_nft(lab.router), out);
	lab_close(&lab);
	trace_free(t);
}

/* Lines of `a` that `b` has not at the same place. */
static void differences(const char *a, const char *b, struct strbuf *out)
{
	for (unsigned line = 1; *a || *b; line++) {
		size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");
		if (n != m || memcmp(a, b, n) != 0)
			strbuf_printf(out, "%u model  %.*s\n%u kernel %.*s\n", line, (int)n, a,
				      line, (int)m, b);
		a += n + (a[n] == '\n');
		b += m + (b[m] == '\n');
	}
}

static bool one_ruleset(struct xt_random *r, struct craft *craft, unsigned packets)
{
	char folder[] = "/tmp/nft_kernel.XXXXXX", path[64];
	struct strbuf ours = { 0 }, real = { 0 }, differ = { 0 };
	struct frames f = { mem_array(packets, sizeof *f.packets),
			    mem_array(packets, sizeof *f.right), packets };
	char *rules = mem_strdup(nft_random_ruleset(r));
	int status = 0;
	for (unsigned i = 0; i < packets; i++)
		f.packets[i] = xt_random_packet(r, craft, &f.right[i]);
	CHECK(mkdtemp(folder) != NULL);
	write_text(folder, "rules", rules);
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
			       "status %d; differences:\n%s\nrules:\n%s", status,
			       strbuf_text(&differ), rules);
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
	unsigned rulesets = wanted("NFT_KERNEL_RULESETS", 4), failed = 0;
	if (!tools_there()) {
		check_skip("needs root, nft and network namespaces");
		return;
	}
	struct xt_random r = { .choice = choice_new(wanted("NFT_KERNEL_SEED", 5)),
			       .repeatable = true };
	struct craft *craft = craft_new();
	for (unsigned i = 0; i < rulesets; i++)
		failed += !one_ruleset(&r, craft, wanted("NFT_KERNEL_PACKETS", 60));
	if (rulesets > 4)
		printf("# %u of %u rule sets the same\n", rulesets - failed, rulesets);
	craft_free(craft);
	strbuf_free(&r.out);
	choice_free(r.choice);
}

static const struct check tests[] = {
	{ "random rules count the same packets, and are printed the same, in model and kernel",
	  rules_match_as_in_the_kernel },
};

CHECK_MAIN(tests)
