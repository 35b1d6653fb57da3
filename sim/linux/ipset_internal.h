/* linux/ipset_internal.h: what the files of ipset share. */
#ifndef LINUX_IPSET_INTERNAL_H
#define LINUX_IPSET_INTERNAL_H

#include <stdint.h>

#include "core/table.h"
#include "linux/ipset.h"
#include "net/addr.h"

#define SET_NAME_BYTES 32u /* with NUL, IPSET_MAXNAMELEN */

enum set_type {
	SET_HASH_IP, SET_HASH_NET, SET_HASH_IP_PORT, SET_HASH_IP_PORT_IP, SET_HASH_IP_PORT_NET,
	SET_BITMAP_PORT, SET_LIST
};

struct member_key { /* no padding left unset */
	struct net_addr a, b;     /* network order; family NET_NONE: the type has none */
	uint16_t port;
	uint8_t proto;
	uint8_t bits_a, bits_b;   /* prefix lengths of net dimensions */
	uint8_t pad;
};

struct member {
	int64_t expires_ns;       /* INT64_MAX: never */
	uint64_t packets, bytes;
	char *comment;
	bool nomatch;
};

struct ipset {
	char name[SET_NAME_BYTES];
	enum set_type type;
	uint8_t family;           /* hash types */
	uint32_t hashsize, maxelem, range_min, range_max, size;
	uint32_t bucketsize, initval; /* as read, so that they are printed again */
	uint8_t netmask;
	bool has_timeout, counters, comments, has_bucketsize, has_initval;
	uint32_t timeout_s;
	struct table members;     /* struct member_key -> struct member */
	uint64_t lengths[3];      /* prefix lengths in use, one bit each (0..128) */
	uint32_t length_uses[129];
	struct ipset **list;      /* SET_LIST: members in order */
	uint32_t list_count, references;
	struct ipset_table *table;
};

struct ipset_table {
	struct netns *ns;         /* NULL: parse and print only */
	struct ipset **sets;      /* in order of creation */
	uint32_t count, capacity;
	struct table by_name;     /* name in the set -> struct ipset * */
};

int64_t ipset_now(const struct ipset_table *t);
const char *ipset_type_name(enum set_type type);
bool ipset_has_net(enum set_type type);
struct ipset *ipset_create(struct ipset_table *t, const struct ipset *like);
void ipset_destroy(struct ipset *s);
void ipset_clear(struct ipset *s);
void ipset_rename(struct ipset *s, const char *name);
/* Live member or NULL. */
struct member *ipset_member(const struct ipset *s, const struct member_key *key, int64_t now_ns);
/* EEXIST when it is there, ENOSPC when the set is full. The comment is copied. */
int ipset_insert(struct ipset *s, const struct member_key *key, const struct member *m);
bool ipset_delete(struct ipset *s, const struct member_key *key);

#endif
