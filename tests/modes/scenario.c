/* tests/modes/scenario.c: see scenario.h. */
#include "scenario.h"

#include <stdio.h>
#include <string.h>

static void head(const struct mix *m, const struct difference *d, struct strbuf *out)
{
	struct strbuf config = { 0 };
	strbuf_printf(out, "-- %s mode differs from iptables mode here, and no behaviour says so (seed "
			   "%llu).\nscenario {\n  name = \"difference %llu\",\n  nodes = {",
		      mode_names[d->mode], (unsigned long long)m->seed, (unsigned long long)m->seed);
	for (unsigned n = 0; n < m->nodes; n++)
		strbuf_printf(out, " { name = \"%c\"%s },", "abc"[n], m->routed ? ", routed = true" : "");
	strbuf_printf(out, " },\n  dataplanes = { \"iptables\", \"%s\" },\n  no_dns = true,\n",
		      mode_names[d->mode]);
	if (m->dual)
		strbuf_puts(out, "  dual_stack = true,\n");
	mix_proxy_config(m, &config);
	if (config.length)
		strbuf_printf(out, "  kube_proxy = [[\n%s]],\n", config.data);
	strbuf_puts(out, "}\napply [[\n");
	mix_yaml(m, out);
	strbuf_puts(out, "]]\nsettle()\n");
	strbuf_free(&config);
}

static void states(const struct mix *m, struct strbuf *out)
{
	for (unsigned i = 0; i < MIX_PODS; i++)
		if (m->pods[i].there && (m->pods[i].state == POD_UNREADY ||
					 m->pods[i].state == POD_DRAINING_UNREADY))
			strbuf_printf(out, "pod(\"server-%u\"):fail_readiness()\n", i);
	strbuf_puts(out, "settle()\n");
	for (unsigned i = 0; i < MIX_PODS; i++)
		if (m->pods[i].there && m->pods[i].state >= POD_DRAINING)
			strbuf_printf(out, "delete(\"pod/server-%u\", { nowait = true })\n", i);
	strbuf_puts(out, "settle()\n");
}

static void change(const struct mix *m, struct strbuf *out)
{
	for (unsigned i = 0; i < MIX_PODS; i++) {
		if (!m->pods[i].there || m->pods[i].group != 0)
			continue;
		if (m->change == CHANGE_LABEL && m->pods[i].state < POD_DRAINING)
			strbuf_printf(out, "  apply [[\napiVersion: v1\nkind: Pod\nmetadata: {name: server-%u, "
					   "labels: {group: g9}}\n]]\n", i);
		if (m->change == CHANGE_UNREADY)
			strbuf_printf(out, "  pod(\"server-%u\"):fail_readiness()\n", i);
	}
	if (m->change == CHANGE_SERVICE)
		strbuf_puts(out, "  delete \"service/s0\"\n");
	if (m->change == CHANGE_RESTART)
		strbuf_puts(out, "  node(\"a\"):restart_kube_proxy()\n");
	strbuf_puts(out, "  settle()\n");
}

static const char *target(const struct mix_probe *p, char out[96])
{
	char own[64], node[32], gateway[32];
	snprintf(own, sizeof own, p->v6 ? "\" .. get(\"service/s%u\").spec.clusterIPs[2] .. \""
					: "\" .. get(\"service/s%u\").spec.clusterIP .. \"", p->service);
	snprintf(node, sizeof node, "\" .. node(\"%c\"):ip(%d) .. \"", "abc"[p->node], p->v6 ? 6 : 4);
	snprintf(gateway, sizeof gateway, "10.244.%u.1", p->client == CLIENT_SERVER ? 1u : p->at + 1u);
	const char *address = p->front == FRONT_NODE_PORT ? node
			      : p->front == FRONT_LOOPBACK ? (p->v6 ? "::1" : "127.0.0.1")
			      : p->front == FRONT_GATEWAY  ? gateway : own;
	if (p->front == FRONT_BALANCER || p->front == FRONT_EXTERNAL)
		return mix_to(p, "", "", "", out);
	if (p->front == FRONT_PING)
		snprintf(out, 96, "%s", address);
	else
		snprintf(out, 96, p->v6 ? "[%s]:%u" : "%s:%u", address, mix_port(p));
	return out;
}

static const char *verdict(const struct seen *s)
{
	static const char *const words[SEEN_CLASSES] = { "", "delivered", "delivered", "rejected",
							 "dropped", "unanswered" };
	for (unsigned c = 1; c < SEEN_CLASSES; c++)
		if (s->classes & 1u << c)
			return words[c];
	return "";
}

static void answers(const struct difference *d, const struct seen_all all[MODE_COUNT],
		    struct strbuf *out)
{
	static const char *const lasts[] = { "not asked", "yes", "no" };
	for (int mode = 0; mode < MODE_COUNT; mode++) {
		strbuf_printf(out, "-- %s: ", mode_names[mode]);
		if (d->aspect == ASPECT_KEPT)
			strbuf_puts(out, lasts[all[mode].kept[d->probe]]);
		else if (d->aspect == ASPECT_STICKS)
			strbuf_puts(out, lasts[all[mode].sticks[d->probe]]);
		else
			seen_text(d->aspect == ASPECT_AFTER ? &all[mode].after[d->probe]
							    : &all[mode].before[d->probe], out);
		strbuf_putc(out, '\n');
	}
}

void scenario_of(const struct mix *m, const struct difference *d,
		 const struct seen_all all[MODE_COUNT], struct strbuf *out)
{
	static const char *const sentences[] = { "treats the first packet alike",
						 "treats the first packet alike after the change",
						 "keeps an open connection over the change",
						 "keeps a client with its endpoint" };
	const struct mix_probe *p = &m->probes[d->probe];
	char from[64], to[96];
	head(m, d, out);
	states(m, out);
	answers(d, all, out);
	target(p, to);
	strbuf_printf(out, "it(\"%s\", function()\n  local to = \"%s\"\n", sentences[d->aspect], to);
	mix_from(p, from);
	bool outside = strncmp(from, "outside/", 8) == 0;
	const char *slash = strchr(from, '/') + 1;
	strbuf_printf(out, "  local client = %s \"%s\"\n",
		      outside ? "outside" : strncmp(from, "node/", 5) == 0 ? "node" : "pod", slash);
	if (d->aspect == ASPECT_KEPT)
		strbuf_puts(out, "  local open = client:open(to)\n  expect(open:request(\"/\").ok):is_true()\n");
	if (d->aspect == ASPECT_AFTER || d->aspect == ASPECT_KEPT)
		change(m, out);
	if (d->aspect == ASPECT_KEPT)
		strbuf_puts(out, "  expect(open:request(\"/\").ok):is_true()\n");
	else if (d->aspect == ASPECT_STICKS)
		strbuf_puts(out, "  local first = client:request(to).backend\n"
				 "  for _ = 1, 3 do expect(client:request(to).backend):eq(first) end\n");
	else
		strbuf_printf(out, "  expect(trace(\"%s\", to, { proto = \"%s\" }).verdict):eq \"%s\"\n", from,
			      p->front == FRONT_PING ? "icmp" : m->services[p->service].udp ? "udp" : "tcp",
			      verdict(d->aspect == ASPECT_AFTER ? &all[0].after[d->probe]
								: &all[0].before[d->probe]));
	strbuf_puts(out, "end)\n");
}
