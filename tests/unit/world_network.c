/* tests/unit/world_network.c: faults, captures, watches, names of places, snapshots. */
#include <errno.h>
#include <unistd.h>

#include "core/file.h"
#include "net/capture.h"
#include "net/craft.h"
#include "world_lab.h"

static int fault(const char *place, const char *what)
{
	struct err err = { "" };
	struct place *p = world_place(w, place, &err);
	int code = p ? world_fault(w, p, what, &err) : EINVAL;
	if (code)
		printf("# %s\n", err.text);
	return code;
}

static const char *web_on(const char *node, char out[256])
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	out[0] = '\0';
	while ((o = kube_store_next(world_store(w), KIND_POD, "default", &cursor)) != NULL)
		if (kube_is(kube_map_get(&o->meta.labels, "app"), "web") &&
		    kube_is(((const struct kube_pod *)o)->spec.node_name, node))
			snprintf(out, 256, "pod/default/%s", o->meta.name);
	return out;
}

static void partitions(void)
{
	char far[256], target[300];
	if (!lab_start())
		return;
	lab_apply(lab_web);
	web_on("b", far);
	snprintf(target, sizeof target, "%s:80", far);
	CHECK_INT(lab_get("pod/cli", target, NULL), 0);
	CHECK_INT(fault("node/a", "partition=node/b"), 0);
	CHECK_INT(lab_get("pod/cli", target, NULL), ETIMEDOUT);
	CHECK_INT(lab_get("outside/192.168.0.99", "node/a:10256", NULL), 0);
	CHECK_INT(fault("node/a", "heal"), 0);
	CHECK_INT(lab_get("pod/cli", target, NULL), 0);
	CHECK_INT(fault("pod/cli", "partition=nowhere"), EINVAL);
	lab_end();
}

static void pod_partition(void)
{
	char far[256], target[300];
	char cut[300];
	if (!lab_start())
		return;
	lab_apply(lab_web);
	web_on("b", far);
	snprintf(target, sizeof target, "%s:80", far);
	snprintf(cut, sizeof cut, "partition=%s", far);
	CHECK_INT(fault("pod/cli", cut), 0);
	CHECK_INT(lab_get("pod/cli", target, NULL), ETIMEDOUT);
	CHECK_INT(lab_get("node/a", target, NULL), 0);
	lab_end();
}

static void loss_and_delay(void)
{
	char far[256], target[300];
	if (!lab_start())
		return;
	lab_apply(lab_web);
	web_on("b", far);
	snprintf(target, sizeof target, "%s:80", far);
	struct request r = { .target = target, .connect_only = true };
	CHECK_INT(fault("pod/cli", "delay=50000000"), 0);
	struct op *op = lab_request("pod/cli", &r);
	/* There and back: 50 ms each way at this link. */
	int64_t took = op_result(op)->connected_ns - op_result(op)->started_ns;
	CHECK(took >= 100 * NS_PER_MS && took < 110 * NS_PER_MS);
	op_free(op);
	CHECK_INT(fault("pod/cli", "loss=1000000"), 0);
	CHECK_INT(lab_get("pod/cli", target, NULL), ETIMEDOUT);
	CHECK_INT(fault("pod/cli", "loss=2000000"), EINVAL);
	CHECK_INT(fault("pod/cli", "heal"), 0);
	CHECK_INT(fault("node/b", "down"), 0);
	CHECK(lab_get("pod/cli", target, NULL) != 0);
	CHECK_INT(fault("node/b", "up"), 0);
	CHECK_INT(lab_get("pod/cli", target, NULL), 0);
	lab_end();
}

static uint32_t count(const struct watch_tap *t, const char *where, const char *filter)
{
	struct err err = { "" };
	uint32_t n = 0;
	int code = watch_count_at(t, where, 0, filter, &n, &err);
	check_note(code == 0, __FILE__, __LINE__, "%s", err.text);
	return n;
}

/* CIP-02: the client sees the ClusterIP, the server the client and its own address. */
static void watches(void)
{
	char backend[192], where[300];
	struct err err = { "" };
	struct watch_tap *t = NULL;
	uint32_t n;
	if (!lab_start())
		return;
	lab_apply(lab_web);
	CHECK_INT(world_watch(w, "*", &t, &err), 0);
	CHECK_INT(lab_get("pod/cli", "svc/web", backend), 0);
	snprintf(where, sizeof where, "pod/%s", backend);
	struct target web;
	char filter[200], text[NET_ADDR_TEXT];
	CHECK_INT(world_target(w, NULL, "svc/web", PROTO_TCP, &web, &err), 0);
	snprintf(filter, sizeof filter, "dst host %s and tcp[tcpflags] & tcp-syn != 0",
		 net_addr_text(&web.addr, text));
	CHECK_INT(count(t, "pod/cli", filter), 1);
	CHECK_INT(count(t, where, filter), 0);
	CHECK_INT(count(t, where, "dst port 80 and tcp[tcpflags] == tcp-syn"), 1);
	CHECK_INT(count(t, "pod/cli:eth0", "tcp[tcpflags] & tcp-syn != 0"), 2);
	CHECK_INT(watch_count(t, "no such filter", &n, &err), EINVAL);
	CHECK(strstr(err.text, "filter \"no such filter\": ") == err.text);
	watch_free(t);
	lab_end();
}

static void captures(void)
{
	char folder[] = "/tmp/svclab-capture-XXXXXX", path[128], command[128];
	struct err err = { "" };
	struct capture *c = NULL;
	if (!lab_start() || !check_note(mkdtemp(folder) != NULL, __FILE__, __LINE__, "no folder"))
		return;
	lab_apply(lab_web);
	CHECK_INT(world_capture_start(w, folder, &err), 0);
	CHECK_INT(world_capture_start(w, folder, &err), EALREADY);
	CHECK_INT(lab_get("pod/cli", "svc/web", NULL), 0);
	CHECK_INT(world_capture_end(w, &err), 0);
	snprintf(path, sizeof path, "%s/all.pcapng", folder);
	if (CHECK(capture_read(path, &c, &err) == 0)) {
		bool named = false, commented = false;
		for (uint32_t i = 0; i < c->interface_count; i++)
			named |= strcmp(c->interfaces[i], "pod/default/cli:eth0") == 0;
		for (uint32_t i = 0; i < c->count; i++)
			commented |= c->packets[i].comment && strstr(c->packets[i].comment, "DNAT");
		CHECK(named);
		CHECK(commented);
		CHECK(strstr(c->note, "iptables") != NULL);
		capture_free(c);
	}
	snprintf(path, sizeof path, "%s/pod-default-cli-eth0.pcap", folder);
	if (CHECK(capture_read(path, &c, &err) == 0)) {
		CHECK(c->count >= 8); /* handshake, request, answer, close */
		for (uint32_t i = 0; i < c->count; i++)
			CHECK(packet_checksums_ok(c->packets[i].packet));
		capture_free(c);
	}
	snprintf(command, sizeof command, "rm -r %s", folder);
	CHECK_INT(system(command), 0);
	lab_end();
}

static void injected(void)
{
	struct err err = { "" };
	struct watch_tap *t = NULL;
	if (!lab_start())
		return;
	CHECK_INT(world_watch(w, "node/a", &t, &err), 0);
	struct craft *craft = craft_new();
	struct craft_ip ip = { .src_port = 4000, .dst_port = 9 };
	net_addr_parse("192.168.0.66", &ip.src);
	net_addr_parse("192.168.0.1", &ip.dst);
	CHECK_INT(world_inject(w, world_place(w, "node/a", &err), "eth0", craft_udp(craft, &ip, "x", 1),
			       &err), 0);
	world_run(w, world_now(w) + NS_PER_S);
	CHECK_INT(count(t, "node/a:eth0", "udp dst port 9"), 1);
	CHECK(world_inject(w, world_place(w, "node/a", &err), "eth9", craft_udp(craft, &ip, "x", 1),
			   &err) != 0);
	craft_free(craft);
	watch_free(t);
	lab_end();
}

/* What `svclab trace` says of one packet, counted for all of them. */
static void counters(void)
{
	struct counters before, after;
	struct err err = { "" };
	if (!lab_start())
		return;
	lab_apply(lab_web);
	struct place *a = world_place(w, "node/a", &err);
	CHECK_INT(world_counters(w, a, &before), 0);
	struct trace *t = trace_new();
	struct request r = { .target = "svc/web", .connect_only = true, .trace = t, .once = true };
	struct op *op = lab_request("pod/cli", &r);
	CHECK_INT(op_result(op)->error, 0);
	op_free(op);
	CHECK_INT(world_counters(w, a, &after), 0);
	CHECK(t->rules_evaluated > 10);
	CHECK(after.rules_evaluated - before.rules_evaluated >= t->rules_evaluated / 2);
	CHECK(after.packets - before.packets >= 3);
	CHECK(after.bytes - before.bytes >= 3 * 54);
	trace_free(t);
	lab_end();
}

static void wrong_names(void)
{
	static const struct { const char *target, *says; } wrong[] = {
		{ "svc/nothing", "no service default/nothing" },
		{ "svc/kube-system/kube-dns:nothing", "service kube-system/kube-dns has no port named \"nothing\"" },
		{ "pod/nothing", "no pod default/nothing" },
		{ "node/z:80", "no node \"z\"" },
		{ "[fd00::1", "target \"[fd00::1\": expected [ADDRESS]:PORT" },
		{ "192.0.2.1:99999", "target \"192.0.2.1:99999\": port \"99999\" has a name, which only svc/ "
				     "and pod/ targets know; expected 1..65535" },
		{ "a/b/c", "target \"a/b/c\": expected an address, svc/[NS/]NAME, pod/[NS/]NAME, node/NAME "
			   "or a DNS name" },
	};
	struct err err = { "" };
	struct target t;
	if (!lab_start())
		return;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_INT(world_target(w, NULL, wrong[i].target, PROTO_TCP, &t, &err), EINVAL);
		CHECK_TEXT(err.text, wrong[i].says);
	}
	CHECK_INT(world_target(w, NULL, "[fd00::1]:443", PROTO_TCP, &t, &err), 0);
	CHECK_INT(t.port, 443);
	CHECK_INT(world_target(w, NULL, "fd00::1", PROTO_TCP, &t, &err), 0);
	CHECK_INT(t.port, 80);
	CHECK(world_place(w, "outside/192.168.0.1", &err) == NULL);
	CHECK_TEXT(err.text, "place \"outside/192.168.0.1\": this is the address of node/a");
	CHECK(world_place(w, "planet/mars", &err) == NULL);
	lab_end();
}

static const struct check tests[] = {
	{ "a partition of two nodes cuts off all that passes between them", partitions },
	{ "a partition from a pod cuts off that pod only", pod_partition },
	{ "a link can be slow, lossy or down", loss_and_delay },
	{ "a watch counts packets that match a tcpdump filter, by place and interface", watches },
	{ "captures have an interface a file, names and the rules' comments", captures },
	{ "a crafted packet enters at an interface", injected },
	{ "rules and packets are counted by node", counters },
	{ "wrong names say what was expected", wrong_names },
};

CHECK_MAIN(tests)
