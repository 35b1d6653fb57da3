/* linux/recent.h: the named lists of addresses of -m recent (xt_recent).
 *
 * A list lives as long as a rule names it (hold, drop). It has at most 100
 * addresses; a new one pushes out the one unseen longest. Each address keeps its
 * last sightings in a ring of as many stamps as the rules' hitcounts need.
 *
 * Stamps are virtual ns; the text of /proc/net/xt_recent/NAME shows jiffies of a
 * 250 Hz kernel that started at time 0, addresses from the one unseen longest on
 * (the kernel shows hash order).
 */
#ifndef LINUX_RECENT_H
#define LINUX_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/strbuf.h"
#include "net/addr.h"

#define RECENT_ENTRIES 100u /* ip_list_tot */

struct recent;

enum recent_action { RECENT_SET, RECENT_RCHECK, RECENT_UPDATE, RECENT_REMOVE };

struct recent_query {
	enum recent_action action;
	uint32_t seconds;   /* 0: any age */
	uint32_t hitcount;  /* 0: one sighting is enough */
	bool reap, ttl;     /* ttl: the sighting must have this TTL */
	bool invert;        /* "!": also of whether an update touches */
};

struct recent *recent_new(void);
void recent_free(struct recent *r);
/* Forgets all addresses, keeps the lists. */
void recent_flush(struct recent *r);
void recent_hold(struct recent *r, const char *list);
void recent_drop(struct recent *r, const char *list);
/* Room for rules with this hitcount: a longer ring forgets the list, as in Linux. */
void recent_reserve(struct recent *r, const char *list, uint32_t hitcount);
/* The rule's answer ("!" included); takes the action. The list must be held. */
bool recent_match(struct recent *r, const char *list, const struct recent_query *q,
		  const struct net_addr *addr, uint8_t ttl, int64_t now_ns);
/* Appends the text of /proc/net/xt_recent/LIST; false: no such list. */
bool recent_print(const struct recent *r, const char *list, struct strbuf *out);
/* Names of the lists, sorted, one a line. */
void recent_print_names(const struct recent *r, struct strbuf *out);
uint32_t recent_count(const struct recent *r, const char *list);

#endif
