/* linux/ipset.h: named sets of one namespace, with `ipset save/restore` text.
 *
 * Types: hash:ip, hash:net, hash:ip,port, hash:ip,port,ip, hash:ip,port,net,
 * bitmap:port, list:set; options timeout, counters, comment, family, hashsize,
 * maxelem, range, nomatch.
 */
#ifndef LINUX_IPSET_H
#define LINUX_IPSET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/strbuf.h"
#include "net/packet.h"

struct ipset_table;
struct ipset;
struct netns;

struct ipset_table *ipset_new(struct netns *ns);
void ipset_free(struct ipset_table *t);
/* `ipset restore` text: create, add, del, flush, swap, rename, destroy, each with
 * -exist. Applied line by line, as the tool does; stops at the first error. */
int ipset_restore(struct ipset_table *t, const char *text, size_t length, const char *file,
		  bool exist, struct err *err);
/* `ipset save` text; members sorted. */
void ipset_save(const struct ipset_table *t, struct strbuf *out);
/* `ipset list` text. */
void ipset_list(const struct ipset_table *t, const char *name, struct strbuf *out);
struct ipset *ipset_find(const struct ipset_table *t, const char *name);
unsigned ipset_dimensions(const struct ipset *s);
/* Whether the packet is in the set; `src` bit i says that dimension i is taken
 * from the source side ("src,dst,..."). */
bool ipset_match(const struct ipset *s, const struct packet *p, unsigned src, int64_t now_ns);
/* Counts references by rules, so that destroy fails as in Linux. */
void ipset_hold(struct ipset *s);
void ipset_drop(struct ipset *s);

#endif
