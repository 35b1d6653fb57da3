/* dns/master.h: zones from master files, and the outside world they play.
 *
 * A master file (RFC 1035 section 5: $ORIGIN, $TTL, parentheses, blanks for the last
 * owner) gives records; several SOAs are allowed, each begins a zone. Comment lines
 * ";@ NAME ACTION" script what a master file cannot say of the name, for every type:
 * SERVFAIL, REFUSED, NXDOMAIN (with the SOA of the closest zone above), DROP (no
 * reply), TC (over UDP the TC bit is set, the records stay), DELAY ms (a number of
 * milliseconds, 0 to 60000).
 *
 * dns_master_answer is an authoritative look-up as CoreDNS's file plugin makes it:
 * wildcards, CNAME chains inside the zone, delegations with glue, NODATA and NXDOMAIN
 * with the SOA. As the upstream ("forward"), dns_upstream_answer finds the name in
 * any of the file's zones and follows CNAMEs through all of them; its replies carry
 * RA and not AA, as a recursive resolver's do.
 */
#ifndef DNS_MASTER_H
#define DNS_MASTER_H

#include "dns/wire.h"

struct dns_master;

/* `origin` is the default for relative names (the root for an upstream). EINVAL with
 * file:line: what is wrong. */
int dns_master_parse(const char *text, size_t length, const char *file,
		     const struct dns_name *origin, struct dns_master **out, struct err *err);
void dns_master_free(struct dns_master *m);

enum dns_action { DNS_ACT_ANSWER, DNS_ACT_DROP };

struct dns_upstream_reply {
	enum dns_action action;      /* DROP: nothing comes back */
	int64_t delay_ns;            /* how long the upstream takes */
};

/* Fills rcode, flags and sections of `reply`. `tcp` matters for TC. */
void dns_upstream_answer(const struct dns_master *m, struct arena *a,
			 const struct dns_question *question, bool tcp, struct dns_message *reply,
			 struct dns_upstream_reply *out);

enum dns_master_result {
	DNS_MASTER_DONE,      /* the reply is complete */
	DNS_MASTER_NO_NAME,   /* NXDOMAIN without any answer: the reply says so, or the next
	                       * plugin is asked (fallthrough) */
	DNS_MASTER_FAILURE,   /* SERVFAIL: no SOA at the origin, or a loop */
	DNS_MASTER_PASS       /* the question is not in the zone */
};

/* Authoritative, for the zone at `origin`; `lookup` finds targets outside of it. Owners
 * are lower case, as the file plugin keeps them. */
enum dns_master_result dns_master_answer(const struct dns_master *m, struct arena *a,
					 const struct dns_name *origin,
					 const struct dns_question *question,
					 dns_lookup_fn *lookup, void *ctx,
					 struct dns_message *reply);

/* ---- the records, for the two kinds of answers (master_answer.c) ---------------- */

struct dns_master_node {
	const struct dns_name *name;
	const struct dns_rr *records; /* in file order */
	uint32_t count;
	enum dns_script { DNS_SCRIPT_NONE, DNS_SCRIPT_SERVFAIL, DNS_SCRIPT_REFUSED,
			  DNS_SCRIPT_NXDOMAIN, DNS_SCRIPT_DROP, DNS_SCRIPT_TC } script;
	int64_t delay_ns;
};

/* The node of a name, or NULL. */
const struct dns_master_node *dns_master_find(const struct dns_master *m,
					      const struct dns_name *name);
/* Whether there is a name below this one. */
bool dns_master_has_below(const struct dns_master *m, const struct dns_name *name);

#endif
