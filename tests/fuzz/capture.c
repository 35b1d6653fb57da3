/* tests/fuzz/capture.c: any bytes as a capture; then everything that looks at packets. A
 * capture compared with itself must show no difference. */
#include <stdlib.h>

#include "net/compare.h"

#include "fuzz.h"

static void look_at(const struct packet *p)
{
	char line[512];
	uint32_t length;
	packet_line(p, line, sizeof line);
	packet_payload(p, &length);
	packet_checksums_ok(p);
	packet_flow(p);
	struct packet *quoted = packet_quoted(p);
	if (quoted) {
		packet_line(quoted, line, sizeof line);
		packet_free(quoted);
	}
}

static void rewrite(struct packet *p)
{
	struct net_addr a = packet_src(p);
	if (a.family == NET_NONE)
		return;
	packet_checksums_fill(p);
	a.bytes[3] ^= 0x5a;
	packet_set_src(p, &a, 1234);
	packet_set_dst(p, &a, 4321);
	packet_set_quoted_src(p, &a, 99);
	packet_set_quoted_dst(p, &a, 98);
	packet_set_ttl(p, 3);
	packet_set_tos(p, 0xb8);
}

FUZZ_TARGET(bytes, length)
{
	struct capture *c;
	struct err err;
	if (capture_parse("input", bytes, length, &c, &err) != 0)
		return;
	struct comparison *same = compare_captures(c, c, NULL);
	if (same->count)
		abort();
	comparison_free(same);
	for (uint32_t i = 0; i < c->count; i++) {
		look_at(c->packets[i].packet);
		rewrite(c->packets[i].packet);
		look_at(c->packets[i].packet);
	}
	capture_free(c);
}
