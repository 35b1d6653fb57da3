/* dataplanes/kernel/fault.c: faults of links, by iproute2. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplanes/kernel/internal.h"

static int netem(struct kernel_place *p, const char *what, struct err *err)
{
	char options[192];
	const char *const argv[] = { "sh", "-c", options, NULL };
	struct tool_run run = { .ns = p->ns, .argv = argv };
	snprintf(options, sizeof options, "exec tc qdisc replace dev %s root netem %s", p->uplink, what);
	return tool_run(&run, err);
}

/* Neither reaches the other: a blackhole route at both. */
static int cut(struct kernel_place *a, const struct kernel_place *b, bool heal, struct err *err)
{
	struct strbuf batch = { 0 };
	char text[NET_ADDR_TEXT];
	for (int i = 0; i < 2; i++)
		if (b->addrs[i].family != NET_NONE)
			strbuf_printf(&batch, "route %s blackhole %s/%u metric 1\n",
				      heal ? "del" : "replace", net_addr_text(&b->addrs[i], text), net_family_bits(b->addrs[i].family));
	int code = tool_ip(a->ns, strbuf_text(&batch), err);
	strbuf_free(&batch);
	return code;
}

static int partition(struct executor *e, struct kernel_place *p, const char *other, struct err *err)
{
	struct kernel_place *q = kernel_place(e, other);
	if (!q)
		return err_set(err, ENOENT, "there is no place %s to partition from", other);
	int code = cut(p, q, false, err);
	return code ? code : cut(q, p, false, err);
}

static int heal(struct executor *e, struct kernel_place *p)
{
	struct err ignored;
	char batch[64];
	const char *const argv[] = { "tc", "qdisc", "del", "dev", p->uplink, "root", NULL };
	struct tool_run run = { .ns = p->ns, .argv = argv };
	tool_run(&run, &ignored);
	snprintf(batch, sizeof batch, "link set %s up\n", p->uplink);
	tool_ip(p->ns, batch, &ignored);
	void *value;
	for (uint32_t i = 0; table_next(&e->places, &i, NULL, &value);) {
		struct kernel_place *q = *(struct kernel_place **)value;
		if (q != p) {
			cut(p, q, true, &ignored);
			cut(q, p, true, &ignored);
		}
	}
	return 0;
}

int kernel_fault(struct executor *e, const char *place, const char *fault, struct err *err)
{
	struct kernel_place *p = kernel_place(e, place);
	char text[96];
	long long number = 0;
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	if (strcmp(fault, "down") == 0 || strcmp(fault, "up") == 0) {
		snprintf(text, sizeof text, "link set %s %s\n", p->uplink, fault);
		return tool_ip(p->ns, text, err);
	}
	if (strncmp(fault, "race", 4) == 0)
		return err_set(err, ENOSYS, "real Linux decides itself which CPU handles a packet");
	if (strncmp(fault, "partition=", 10) == 0)
		return partition(e, p, fault + 10, err);
	if (strcmp(fault, "heal") == 0)
		return heal(e, p);
	if (sscanf(fault, "loss=%lld", &number) == 1)
		snprintf(text, sizeof text, "loss %lld.%04lld%%", number / 10000, number % 10000);
	else if (sscanf(fault, "delay=%lld", &number) == 1)
		snprintf(text, sizeof text, "delay %lldus", number / NS_PER_US);
	else if (sscanf(fault, "jitter=%lld", &number) == 1)
		snprintf(text, sizeof text, "delay %lldus %lldus", number / NS_PER_US, number / NS_PER_US);
	else
		return err_set(err, ENOTSUP, "fault %s: expected down, up, loss=PPM, delay=NS, jitter=NS, "
					     "partition=PLACE or heal", fault);
	return netem(p, text, err);
}
