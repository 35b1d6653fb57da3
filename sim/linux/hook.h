/* linux/hook.h: netfilter's hook points of one namespace.
 *
 * Every subsystem (conntrack, xtables, nft, ipvs) registers functions at a hook
 * with a priority; a packet runs them in rising priority, ties in the order of
 * registration, as in Linux. A function returns a verdict; ACCEPT goes on to
 * the next function, DROP ends (the packet is then freed by the traverser),
 * STOLEN ends and the function has taken the packet.
 *
 * Priorities are the kernel's (linux/netfilter_ipv4.h): raw -300, conntrack
 * -200, mangle -150, nat dst -100, filter 0, nat src 100, confirm INT_MAX.
 */
#ifndef LINUX_HOOK_H
#define LINUX_HOOK_H

#include <limits.h>
#include <stdint.h>

#include "net/packet.h"

struct netns;

enum nf_hook { HOOK_PREROUTING, HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT, HOOK_POSTROUTING,
	       HOOK_COUNT };

enum nf_verdict { VERDICT_ACCEPT, VERDICT_DROP, VERDICT_STOLEN };

enum nf_priority {
	PRI_RAW_BEFORE_DEFRAG = -450, PRI_DEFRAG = -400, PRI_RAW = -300, PRI_CONNTRACK = -200,
	PRI_MANGLE = -150, PRI_NAT_DST = -100, PRI_FILTER = 0, PRI_SECURITY = 50,
	PRI_NAT_SRC = 100, PRI_CONNTRACK_HELPER = 300, PRI_CONFIRM = INT_MAX
};

struct hook_state {
	struct netns *ns;
	enum nf_hook hook;
	struct packet *packet; /* in_if and out_if tell the interfaces */
	int reject_errno;      /* set by a REJECT or DROP at OUTPUT: what send() returns */
};

typedef enum nf_verdict hook_fn(void *ctx, struct hook_state *state);

/* family NET_V4 or NET_V6. The same (fn, ctx) may be unregistered again. */
void hook_register(struct netns *ns, uint8_t family, enum nf_hook hook, int priority,
		   hook_fn *fn, void *ctx);
void hook_unregister(struct netns *ns, uint8_t family, enum nf_hook hook, hook_fn *fn,
		     void *ctx);
/* Runs all functions of the hook. On DROP the packet is freed. */
enum nf_verdict hook_run(struct hook_state *state);
/* "PREROUTING", ... */
const char *hook_name(enum nf_hook hook);

#endif
