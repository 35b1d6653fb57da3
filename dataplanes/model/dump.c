/* dataplanes/model/dump.c: the tools' views of a namespace. */
#include <errno.h>
#include <string.h>

#include "dataplanes/model/internal.h"
#include "linux/conntrack.h"
#include "linux/ipset.h"
#include "linux/ipvs/ipvs.h"
#include "linux/nft/nft.h"
#include "linux/recent.h"
#include "linux/xtables/xtables.h"

/* Views that are ipvsadm's alone; false: another tool's. */
static bool dump_ipvs(const struct model_place *p, enum dump_view view, struct strbuf *out)
{
	static const struct {
		enum dump_view view;
		enum ipvs_view text;
	} texts[] = { { DUMP_IPVSADM, IPVS_LIST }, { DUMP_IPVSADM_CONNECTIONS, IPVS_CONNECTIONS },
		      { DUMP_IPVSADM_STATS, IPVS_STATS }, { DUMP_IPVSADM_SAVE, IPVS_SAVE },
		      { DUMP_IPVSADM_RATE, IPVS_RATE } };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].view == view) {
			ipvs_print(netns_ipvs(p->ns), texts[i].text, out);
			return true;
		}
	return false;
}

int model_dump(struct executor *e, const char *place, enum dump_view view, const char *argument,
	       struct strbuf *out, struct err *err)
{
	struct model_place *p = model_place(e, place);
	if (!p)
		return err_set(err, ENOENT, "%s is not attached", place);
	switch (view) {
	case DUMP_IPTABLES_SAVE:
		xt_save(netns_xt(p->ns, NET_V4), argument, true, out);
		return 0;
	case DUMP_IP6TABLES_SAVE:
		xt_save(netns_xt(p->ns, NET_V6), argument, true, out);
		return 0;
	case DUMP_NFT:
		nft_list(netns_nft(p->ns), out);
		return 0;
	case DUMP_IPSET:
		ipset_save(netns_ipset(p->ns), out);
		return 0;
	case DUMP_CONNTRACK:
		if (argument && strcmp(argument, "-S") == 0)
			conntrack_print_stats(netns_conntrack(p->ns), out);
		else
			conntrack_print(netns_conntrack(p->ns), 0, out);
		return 0;
	case DUMP_ADDR:
		netns_print_addrs(p->ns, argument, out);
		return 0;
	case DUMP_ROUTE:
	case DUMP_ROUTE_LOCAL:
		netns_print_routes(p->ns, view == DUMP_ROUTE_LOCAL, out);
		return 0;
	case DUMP_SOCKETS:
		netns_print_sockets(p->ns, out);
		return 0;
	case DUMP_UNKNOWN:
		xt_unknown(netns_xt(p->ns, NET_V4), out);
		xt_unknown(netns_xt(p->ns, NET_V6), out);
		nft_unknown(netns_nft(p->ns), out);
		return 0;
	case DUMP_RECENT:
		if (!argument)
			recent_print_names(xt_recent(netns_xt(p->ns, NET_V4)), out);
		else if (!recent_print(xt_recent(netns_xt(p->ns, NET_V4)), argument, out))
			return err_set(err, ENOENT, "no list /proc/net/xt_recent/%s", argument);
		return 0;
	case DUMP_IPTABLES_LOOK:
	case DUMP_IP6TABLES_LOOK:
		return xt_command(netns_xt(p->ns, view == DUMP_IPTABLES_LOOK ? NET_V4 : NET_V6),
				  argument ? argument : "-L -n", NULL, out, err);
	case DUMP_IPSET_LIST:
		if (argument && !ipset_find(netns_ipset(p->ns), argument))
			return err_set(err, ENOENT, "The set with the given name does not exist");
		ipset_list(netns_ipset(p->ns), argument, out);
		return 0;
	case DUMP_LINK:
		netns_print_links(p->ns, out);
		return 0;
	default:
		return dump_ipvs(p, view, out) ? 0 : err_set(err, ENOTSUP,
			"the Linux model does not print this view");
	}
}
