/* The executor on real Linux: places, real sockets, rules by the real tools, captures.
 * Needs network namespaces (as root, or user namespaces); skips visibly without. */
#include <errno.h>

#include "apps/client.h"
#include "apps/ping.h"
#include "apps/server.h"
#include "dataplanes/kernel/kernel.h"
#include "tests/unit/check.h"

static struct engine *engine;
static struct choice *choice;
static struct executor *executor;
static const struct executor_class *const class = &netns_executor;
static char seen[65536];

static void on_tap(void *ctx, const char *place, const char *interface, int direction,
		   int64_t when_ns, const struct packet *p)
{
	char line[300];
	size_t used = strlen(seen);
	(void)ctx, (void)place, (void)when_ns;
	snprintf(seen + used, sizeof seen - used, "%s %s %s\n", interface, direction == 1 ? "in" : "out",
		 packet_line(p, line, sizeof line));
}

static struct net_addr addr(const char *text)
{
	struct net_addr a = { 0 };
	net_addr_parse(text, &a);
	return a;
}

static struct net_prefix prefix(const char *text)
{
	struct net_prefix p = { 0 };
	net_prefix_parse(text, &p);
	return p;
}

static bool attach(const struct place_spec *spec)
{
	struct err err = { 0 };
	int code = class->attach(executor, spec, &err);
	return check_note(code == 0, __FILE__, __LINE__, "attach %s: %s", spec->name, err.text);
}

/* One node with two pods, and a client outside that enters by it. */
static bool open_world(void)
{
	struct err err = { 0 };
	struct topology t = { .lan = { prefix("192.168.0.0/24") } };
	engine = engine_new();
	choice = choice_new(1);
	seen[0] = '\0';
	struct executor_env env = { .engine = engine, .choice = choice, .tap = on_tap };
	if (!check_note(class->open(&env, &t, &executor, &err) == 0, __FILE__, __LINE__, "open: %s", err.text))
		return false;
	return attach(&(struct place_spec){ .kind = PLACE_NODE, .name = "node/a",
					    .addrs = { addr("192.168.0.11") },
					    .pod_cidrs = { prefix("10.244.1.0/24") } }) &&
	       attach(&(struct place_spec){ .kind = PLACE_POD, .name = "pod/default/one",
					    .addrs = { addr("10.244.1.2") }, .node = "node/a" }) &&
	       attach(&(struct place_spec){ .kind = PLACE_POD, .name = "pod/default/two",
					    .addrs = { addr("10.244.1.3") }, .node = "node/a" }) &&
	       attach(&(struct place_spec){ .kind = PLACE_OUTSIDE, .name = "outside/192.168.0.100",
					    .addrs = { addr("192.168.0.100") }, .node = "node/a" });
}

static void close_world(void)
{
	class->close(executor);
	executor = NULL;
	engine_free(engine);
	choice_free(choice);
}

static struct client_result result;
static bool done;

static void on_done(void *ctx, struct client *c, const struct client_result *r)
{
	(void)ctx, (void)c;
	result = *r;
	result.body = (struct strbuf){ 0 };
	done = true;
}

static void run(int64_t for_ns)
{
	int64_t until = engine_now(engine) + for_ns;
	while (!done && engine_now(engine) < until) {
		int64_t next = engine_next(engine) < until ? engine_next(engine) : until;
		engine_run_until(engine, class->advance(executor, next));
	}
}

static void request(const char *from, uint8_t proto, const char *to, uint16_t port)
{
	struct client *client;
	struct client_config config = { .sockets = class->sockets(executor, from), .engine = engine,
					.proto = proto, .remote = { addr(to), port },
					.data = proto == PROTO_UDP ? "hello" : NULL,
					.timeout_ns = 2 * NS_PER_S };
	done = false;
	memset(&result, 0, sizeof result);
	result.error = client_start(&config, on_done, NULL, &client);
	if (result.error)
		return;
	run(3 * NS_PER_S);
	CHECK(done);
	client_free(client);
}

static struct server *serve(const char *place, uint8_t proto, const char *name)
{
	struct server *server = NULL;
	struct server_config config = { .sockets = class->sockets(executor, place), .name = name,
					.proto = proto, .port = 80 };
	CHECK_INT(server_start(&config, &server), 0);
	return server;
}

static void load(enum tx_tool tool, const char *text)
{
	struct transactions list = { 0 };
	struct load_cost cost;
	struct err err = { 0 };
	struct block *b = block_new(text, strlen(text));
	struct transaction *t = transactions_add(&list, tool);
	transaction_add(t, b);
	int code = class->load(executor, "node/a", t, &cost, &err);
	check_note(code == 0, __FILE__, __LINE__, "load: %s", err.text);
	transactions_free(&list);
}

static void real_sockets_through_real_rules(void)
{
	if (!open_world())
		return;
	struct server *tcp = serve("pod/default/one", PROTO_TCP, "default/one");
	struct server *udp = serve("pod/default/one", PROTO_UDP, "default/one");
	request("pod/default/two", PROTO_TCP, "10.244.1.2", 80);
	CHECK_INT(result.error, 0);
	CHECK_TEXT(result.backend, "default/one");
	request("pod/default/two", PROTO_UDP, "10.244.1.2", 80);
	CHECK_INT(result.error, 0);
	CHECK_TEXT(result.backend, "default/one");
	request("pod/default/two", PROTO_TCP, "10.244.1.2", 81);
	CHECK_INT(result.error, ECONNREFUSED);
	request("pod/default/two", PROTO_UDP, "10.244.1.2", 81);
	CHECK_INT(result.error, ECONNREFUSED);

	load(TX_IPTABLES_RESTORE, "*nat\n:KUBE-SERVICES - [0:0]\n"
	     "-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.2:80\n"
	     "COMMIT\n");
	load(TX_IPTABLES, "-t nat -C PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES"
	     " || -t nat -I PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n"
	     "-t nat -A POSTROUTING -s 192.168.0.100 -j MASQUERADE\n");
	seen[0] = '\0';
	request("outside/192.168.0.100", PROTO_TCP, "10.96.0.10", 80);
	CHECK_INT(result.error, 0);
	CHECK_TEXT(result.backend, "default/one");
	CHECK(net_addr_equal(&result.seen.addr, &(struct net_addr){ NET_V4, { 0 }, { 10, 244, 1, 1 } }));
	CHECK(strstr(seen, "node/a:eth0 in 192.168.0.100.") != NULL);
	CHECK(strstr(seen, "> 10.96.0.10.80: Flags [S]") != NULL);
	CHECK(strstr(seen, "pod/default/one:eth0 in 10.244.1.1.") != NULL);
	if (check_failed)
		strbuf_puts(&check_said, seen);
	server_stop(tcp, false);
	server_stop(udp, false);
	close_world();
}

static void the_tools_views(void)
{
	struct strbuf text = { 0 };
	struct err err = { 0 };
	int64_t value = 0;
	if (!open_world())
		return;
	load(TX_ADDR, "add 10.96.0.1/32 dev kube-ipvs0\nadd 10.96.0.10/32 dev kube-ipvs0\n"
		      "del 10.96.0.1/32 dev kube-ipvs0\n");
	CHECK_INT(class->dump(executor, "node/a", DUMP_ADDR, "kube-ipvs0", &text, &err), 0);
	CHECK(strstr(strbuf_text(&text), "10.96.0.10/32") && !strstr(strbuf_text(&text), "10.96.0.1/32"));
	load(TX_SYSCTL, "net/ipv4/conf/all/route_localnet=1\n");
	CHECK_INT(class->sysctl(executor, "node/a", "net.ipv4.conf.all.route_localnet", &value, false, &err), 0);
	CHECK_INT(value, 1);
	load(TX_IPSET, "create KUBE-X hash:ip,port\nadd KUBE-X 10.96.0.1,tcp:443\n");
	strbuf_clear(&text);
	CHECK_INT(class->dump(executor, "node/a", DUMP_IPSET, NULL, &text, &err), 0);
	CHECK(strstr(strbuf_text(&text), "add KUBE-X 10.96.0.1,tcp:443") != NULL);
	strbuf_free(&text);
	close_world();
}

static void bad_rules_are_one_line(void)
{
	struct transactions list = { 0 };
	struct load_cost cost;
	struct err err = { 0 };
	if (!open_world())
		return;
	struct block *b = block_new("add rule ip missing x accept\n", 29);
	struct transaction *t = transactions_add(&list, TX_NFT);
	transaction_add(t, b);
	CHECK_INT(class->load(executor, "node/a", t, &cost, &err), EINVAL);
	CHECK(strstr(err.text, "nft") && !strchr(err.text, '\n'));
	transactions_free(&list);
	close_world();
}

static const struct check tests[] = {
	{ "real sockets reach real sockets through rules that the real tools loaded",
	  real_sockets_through_real_rules },
	{ "addresses, sysctls and sets are seen as the tools print them", the_tools_views },
	{ "rules that the tool refuses give one line", bad_rules_are_one_line },
};

int main(int argc, char **argv)
{
	struct err err = { 0 };
	engine = engine_new();
	choice = choice_new(1);
	struct executor_env env = { .engine = engine, .choice = choice };
	int code = class->open(&env, &(struct topology){ 0 }, &executor, &err);
	if (code == 0) {
		close_world();
		return check_main(tests, sizeof tests / sizeof *tests, argc, argv);
	}
	struct tap *tap = tap_new(stdout, sizeof tests / sizeof *tests);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tap_skip(tap, tests[i].sentence, err.text);
	return tap_end(tap) ? 0 : 1;
}
