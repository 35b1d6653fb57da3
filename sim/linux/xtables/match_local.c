/* linux/xtables/match_local.c: owner and physdev. */
#include "linux/xtables/internal.h"

#include <string.h>

#include "linux/xtables/match.h"

/* --- owner */

enum { OPT_UID, OPT_GID, OPT_SOCKET, OPT_GROUPS };

struct xt_owner { /* head.flags: bit per option given; head.invert: same bits */
	struct xt_record head;
	uint32_t uid[2], gid[2];
};

static bool parse_range(const char *text, uint32_t out[2])
{
	char low[24];
	size_t n = strcspn(text, "-:");
	uint64_t a, b;
	if (n >= sizeof low)
		return false;
	memcpy(low, text, n);
	low[n] = '\0';
	if (strcmp(text, "root") == 0) {
		out[0] = out[1] = 0;
		return true;
	}
	if (!parse_u32(low, UINT32_MAX - 1, &a))
		return false;
	b = a;
	if (text[n] && (!parse_u32(text + n + 1, UINT32_MAX - 1, &b) || b < a))
		return false;
	out[0] = (uint32_t)a;
	out[1] = (uint32_t)b;
	return true;
}

static int owner_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			const char *second, bool invert)
{
	struct xt_owner *t = (struct xt_owner *)(void *)&b->u;
	(void)second;
	t->head.flags |= 1u << id;
	if (invert)
		t->head.invert |= (uint8_t)(1u << id);
	if (id >= OPT_SOCKET || parse_range(value, id == OPT_UID ? t->uid : t->gid))
		return 0;
	return xt_complain(p, "owner: Bad value for \"--%s-owner\" option: \"%s\"",
			   id == OPT_UID ? "uid" : "gid", value);
}

static int owner_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "owner: At least one of --uid-owner, --gid-owner or "
					    "--socket-exists is required");
}

static void owner_text(const struct xt_record *r, const char *socket, const char *uid,
		       const char *gid, const char *groups, struct strbuf *out)
{
	const struct xt_owner *t = (const struct xt_owner *)r;
	if (r->flags & 1u << OPT_SOCKET)
		strbuf_printf(out, "%s %s", r->invert & 1u << OPT_SOCKET ? " !" : "", socket);
	for (unsigned i = OPT_UID; i <= OPT_GID; i++) {
		const uint32_t *v = i == OPT_UID ? t->uid : t->gid;
		if (!(r->flags & 1u << i))
			continue;
		strbuf_printf(out, "%s %s %u", r->invert & 1u << i ? " !" : "",
			      i == OPT_UID ? uid : gid, v[0]);
		if (v[0] != v[1])
			strbuf_printf(out, "-%u", v[1]);
	}
	if (r->flags & 1u << OPT_GROUPS)
		strbuf_printf(out, " %s", groups);
}

static void owner_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	owner_text(r, "--socket-exists", "--uid-owner", "--gid-owner", "--suppl-groups", out);
}

static void owner_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	(void)family;
	owner_text(r, "owner socket exists", "owner UID match", "owner GID match",
		   "incl. suppl. groups", out);
}

/* xt_owner.c, owner_mt: without a socket, every condition is false. */
static enum xt_answer owner_match(struct xt_eval *e, const struct xt_record *r,
				  union xt_state *s)
{
	uint32_t asked = r->flags & ~(1u << OPT_GROUPS);
	(void)s;
	if (!e->packet->owner_sock)
		return (asked & ~r->invert) == 0 ? XT_YES : XT_NO;
	if (r->invert & 1u << OPT_SOCKET)
		return XT_NO;
	if (asked == 1u << OPT_SOCKET)
		return XT_YES;
	e->undecided = "users and groups of processes are not modelled";
	return XT_UNDECIDED;
}

static const struct xt_option owner_options[] = {
	{ "uid-owner", OPT_UID, XT_VALUE | XT_NEGATES },
	{ "gid-owner", OPT_GID, XT_VALUE | XT_NEGATES },
	{ "socket-exists", OPT_SOCKET, XT_NEGATES }, { "suppl-groups", OPT_GROUPS, 0 },
	{ NULL, 0, 0 },
};

const struct xt_extension xt_match_owner = {
	.name = "owner", .kind = XT_M_OWNER, .families = 3, .size = sizeof(struct xt_owner),
	.options = owner_options, .option = owner_option, .finish = owner_finish,
	.print = owner_print, .list = owner_list, .match = owner_match,
};

/* --- physdev */

enum { OPT_IS_IN, OPT_IN, OPT_IS_OUT, OPT_OUT, OPT_BRIDGED };

struct xt_physdev { /* head.flags: bit per option given; head.invert: same bits */
	struct xt_record head;
	char in[XT_IFNAME], out[XT_IFNAME];
};

static int physdev_option(struct xt_parse *p, struct xt_build *b, uint8_t id, const char *value,
			  const char *second, bool invert)
{
	struct xt_physdev *t = (struct xt_physdev *)(void *)&b->u;
	(void)second;
	t->head.flags |= 1u << id;
	if (invert)
		t->head.invert |= (uint8_t)(1u << id);
	if (id != OPT_IN && id != OPT_OUT)
		return 0;
	if (!plain_word(value) || strlen(value) >= XT_IFNAME)
		return xt_complain(p, "interface name `%s' must be shorter than %u characters",
				   value, XT_IFNAME);
	strcpy(id == OPT_IN ? t->in : t->out, value);
	return 0;
}

static int physdev_finish(struct xt_parse *p, struct xt_build *b)
{
	return b->seen ? 0 : xt_complain(p, "PHYSDEV: no physdev option specified");
}

static void physdev_print(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	static const char *const names[] = { "is-in", "in", "is-out", "out", "is-bridged" };
	const struct xt_physdev *t = (const struct xt_physdev *)r;
	(void)family;
	for (unsigned i = OPT_IS_IN; i <= OPT_BRIDGED; i++) {
		if (!(r->flags & 1u << i))
			continue;
		strbuf_printf(out, "%s --physdev-%s", r->invert & 1u << i ? " !" : "", names[i]);
		if (i == OPT_IN || i == OPT_OUT)
			strbuf_printf(out, " %s", i == OPT_IN ? t->in : t->out);
	}
}

static void physdev_list(const struct xt_record *r, uint8_t family, struct strbuf *out)
{
	strbuf_puts(out, " PHYSDEV match");
	physdev_print(r, family, out);
}

/* The bridge port that a packet leaves by is known only while the bridge forwards it
 * (xt_physdev.c); the model keeps the port that it came in by. */
static enum xt_answer physdev_match(struct xt_eval *e, const struct xt_record *r,
				    union xt_state *s)
{
	const struct xt_physdev *t = (const struct xt_physdev *)r;
	uint16_t port = e->packet->in_port_if;
	(void)s;
	if ((r->flags & 1u << OPT_IS_IN) && !!port == !!(r->invert & 1u << OPT_IS_IN))
		return XT_NO;
	if (r->flags & 1u << OPT_IN) {
		bool same = iface_match(port ? netns_iface_name(e->ns, port) : "", t->in);
		if (same == !!(r->invert & 1u << OPT_IN))
			return XT_NO;
	}
	if (r->flags & (1u << OPT_IS_OUT | 1u << OPT_OUT | 1u << OPT_BRIDGED)) {
		e->undecided = "the bridge port that a packet leaves by is not modelled";
		return XT_UNDECIDED;
	}
	return XT_YES;
}

static const struct xt_option physdev_options[] = {
	{ "physdev-in", OPT_IN, XT_VALUE | XT_NEGATES },
	{ "physdev-out", OPT_OUT, XT_VALUE | XT_NEGATES },
	{ "physdev-is-in", OPT_IS_IN, XT_NEGATES }, { "physdev-is-out", OPT_IS_OUT, XT_NEGATES },
	{ "physdev-is-bridged", OPT_BRIDGED, XT_NEGATES }, { NULL, 0, 0 },
};

const struct xt_extension xt_match_physdev = {
	.name = "physdev", .kind = XT_M_PHYSDEV, .families = 3, .size = sizeof(struct xt_physdev),
	.options = physdev_options, .option = physdev_option, .finish = physdev_finish,
	.print = physdev_print, .list = physdev_list, .match = physdev_match,
};
