/* linux/xtables/match.h: records of matches that more than one file reads. */
#ifndef LINUX_XTABLES_MATCH_H
#define LINUX_XTABLES_MATCH_H

#include "linux/xtables/internal.h"

struct xt_ports { /* tcp begins so; udp and sctp, too */
	struct xt_record head; /* invert: bit 0 source, bit 1 destination */
	uint16_t src[2], dst[2];
};

struct xt_tcp {
	struct xt_ports ports;
	uint8_t mask, wanted, option, pad[5];
};

#define XT_MULTIPORTS 15
struct xt_multiport {
	struct xt_record head;
	uint16_t count, ranges; /* bit i: ports i and i + 1 are a range */
	uint16_t ports[XT_MULTIPORTS + 1];
	uint32_t pad;
};

struct xt_mark { /* mark, connmark; MARK, CONNMARK */
	struct xt_record head;
	uint32_t value, mask;
};

struct xt_tos_value {
	uint8_t value, mask;
};

/* tos.c: "0x10[/mask]" or a name; a number below 64; a class as "EF". */
bool parse_tos(const char *text, struct xt_tos_value *out);
bool parse_dscp(const char *text, uint8_t *code);
bool parse_dscp_class(const char *text, uint8_t *code);

void match_limit_init(const struct xt_record *r, union xt_state *s, int64_t now_ns);
void match_statistic_init(const struct xt_record *r, union xt_state *s);

#endif
