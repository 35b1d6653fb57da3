/* dataplanes/kernel/internal.h: what the files of this executor share. */
#ifndef DATAPLANES_KERNEL_INTERNAL_H
#define DATAPLANES_KERNEL_INTERNAL_H

#include <sys/types.h>

#include "core/table.h"
#include "dataplane.h"
#include "dataplanes/kernel/kernel.h"

#define GATEWAY_PLACE "gateway"

struct sniffer;
struct restorer;
struct executor;

struct kernel_place {
	struct executor *executor;
	enum place_kind kind;
	char *name, *node;
	struct net_addr addrs[2];
	struct net_prefix pod_cidrs[2];
	bool routed, no_hairpin, overlay;
	int ns;                    /* descriptor of the namespace */
	char uplink[16], bridge[16];
	char port[16];             /* pod: the node's end; others: the gateway's end */
	struct sniffer *sniffers;  /* one an interface */
	struct sockets *sockets;   /* made at first use */
	struct table made;         /* TX_ADDR devices that exist: name -> nothing */
	struct restorer *restorers[2]; /* iptables, ip6tables; NULL: not started */
};

struct seen { /* a packet read from an interface, not yet handed to the tap */
	int64_t when_ns;
	const struct kernel_place *place;
	const struct sniffer *sniffer;
	int direction;
	struct packet *packet;
};

struct executor { /* of the classes of kernel.h */
	struct executor_env env;
	struct topology topology;
	bool xtables_nft;          /* iptables-nft instead of legacy */
	struct table places;       /* name -> struct kernel_place * */
	struct kernel_place *gateway;
	struct net_addr gateway_addrs[2];
	uint32_t lan_ports;        /* names of the gateway's veth ends are counted */
	int home;                  /* descriptor of the namespace the process began in */
	int epoll;
	int64_t base_ns;           /* CLOCK_MONOTONIC when virtual time was 0, less what was skipped */
	int64_t realtime_ns;       /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
	bool hurry;
	uint32_t active;           /* client sockets that are open */
	struct seen *seen;
	uint32_t seen_count, seen_capacity;
	struct source *dead;       /* closed in this round */
};

/* What epoll events point to. */
struct source {
	void (*ready)(struct source *s, uint32_t events);
	int fd;
	bool sniffs;               /* reads packets for the tap: served before sockets */
	bool dead;                 /* closed in this round: freed at its end */
	struct source *next_dead;
};

/* ---- executor.c */
struct kernel_place *kernel_place(const struct executor *e, const char *name);

/* ---- namespace.c */
/* A descriptor of a new network namespace with lo up; negative: -errno. */
int namespace_new(int home);
/* Enters; returns to `home` with namespace_enter(home). Asserts success: the
 * descriptors are our own. */
void namespace_enter(int ns);
/* Enters from wherever the process is; leave returns there and closes the descriptor. */
int namespace_visit(int ns);
void namespace_leave(int home);

/* ---- tool.c */
struct tool_run {
	int ns;
	const char *const *argv;   /* ends with NULL; found in PATH and the sbin folders */
	const char *input;         /* standard input; NULL none */
	size_t input_length;
	struct strbuf *output;     /* standard output; NULL: dropped */
	int exit_code;             /* filled in */
};
/* Runs a tool in a namespace and waits. 0; ENOENT: it is not installed; EINVAL: it
 * failed, with the first line it printed on standard error. */
int tool_run(struct tool_run *run, struct err *err);
/* Starts a tool in a namespace with these descriptors as its first three. 0 or errno;
 * ENOENT: it is not installed. */
int tool_start(int ns, const char *const *argv, int in, int out, int error, pid_t *pid);
/* Waits for its end: the exit code, 128 + N when signal N ended it. */
int tool_wait(pid_t pid);
/* One value under /proc/sys in a namespace ("net.ipv4.ip_forward"). */
int tool_sysctl(int ns, const char *name, const char *value, struct err *err);
int tool_sysctl_read(int ns, const char *name, struct strbuf *out, struct err *err);

/* ---- ip.c */
/* `ip -batch -` in a namespace. 0, or the errno of the line that failed. */
int tool_ip(int ns, const char *batch, struct err *err);

/* ---- restore.c */
/* Feeds whole tables to the iptables-legacy-restore (or ip6tables) of this place, which
 * stays; what it prints is appended to `out` unless that is NULL. 0; EINVAL: it failed, with
 * the first line it printed; ENOENT: it is not installed. */
int restore_feed(struct kernel_place *p, bool six, const char *text, size_t length,
		 struct strbuf *out, struct err *err);
void restore_end(struct kernel_place *p);

/* ---- layout.c */
int kernel_layout_open(struct executor *e, struct err *err);
int kernel_layout_attach(struct executor *e, struct kernel_place *p, struct err *err);
void kernel_layout_detach(struct executor *e, struct kernel_place *p);
int layout_mac(struct executor *e, struct kernel_place *p, const char *interface,
	       struct net_mac *out, struct err *err);

/* ---- load.c, dump.c, fault.c */
int kernel_load(struct executor *e, const char *place, const struct transaction *t,
		struct load_cost *cost, struct err *err);
int kernel_dump(struct executor *e, const char *place, enum dump_view view, const char *argument,
		struct strbuf *out, struct err *err);
int kernel_fault(struct executor *e, const char *place, const char *fault, struct err *err);

/* ---- clock.c */
int64_t clock_now(const struct executor *e);
int64_t kernel_advance(struct executor *e, int64_t until_ns);
/* Reads what has arrived without waiting. */
void clock_poll(struct executor *e);
int source_add(struct executor *e, struct source *s, uint32_t events);
void source_change(struct executor *e, struct source *s, uint32_t events);
/* Closes the descriptor; the struct is freed when the round of events is over. */
void source_remove(struct executor *e, struct source *s);

/* ---- probe.c */
/* Whether the kernel and the tools carry out a mode's rules; ENOTSUP and why not. */
int probe_mode(const char *mode, bool nft, struct err *why);

/* ---- sniff.c */
int sniff_start(struct executor *e, struct kernel_place *p, const char *interface, struct err *err);
/* At one interface, or (NULL) at all of the place. */
void sniff_stop(struct kernel_place *p, const char *interface);
/* Tells directions at the node's end of a pod's veth. */
void sniff_far_mac(struct kernel_place *pod, struct kernel_place *node, const char *port);
/* Hands everything that was read to the tap, in order of time. */
void sniff_deliver(struct executor *e);

/* ---- inject.c */
int kernel_input(struct executor *e, const char *place, const char *interface,
		 struct packet *packet, struct err *err);

/* ---- sockets.c */
extern const struct sockets_class kernel_sockets_class;
struct sockets *kernel_sockets_new(struct kernel_place *p);
void kernel_sockets_free(struct sockets *s);

#endif
