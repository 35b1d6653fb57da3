/* net/compare_internal.h: a capture seen as conversations; between compare*.c.
 *
 * A conversation is what one interface sees of two endpoints; a connection is what
 * several interfaces see of it, before and after NAT. They are linked by what NAT
 * leaves alone: the client's initial sequence number, or the first payload.
 */
#ifndef NET_COMPARE_INTERNAL_H
#define NET_COMPARE_INTERNAL_H

#include "core/arena.h"
#include "net/compare.h"

#define COMPARE_NONE UINT32_MAX

struct compare_end {
	struct net_addr addr;
	uint16_t port;
};

struct compare_port_pair { /* a port of the client side in both captures */
	struct compare_port_pair *next;
	uint16_t a, b;
};

struct compare_connection {
	bool known;       /* its beginning was seen */
	bool has_base[2]; /* of the server, of the client */
	uint32_t base[2]; /* sequence numbers count from here */
	uint32_t mate;    /* in the other capture */
	struct compare_port_pair *ports; /* kept on the first capture's side */
};

struct compare_conversation {
	uint32_t interface; /* common number */
	uint8_t proto;
	struct compare_end client, server;
	uint32_t connection, mate;
	uint32_t first, last; /* records, chained by next */
	uint32_t count;
	uint32_t next_same; /* conversation of the same key, COMPARE_NONE at the end */
	int64_t started_ns;
};

struct compare_record { /* one packet, its fields found once */
	const struct captured *captured;
	struct packet *quoted; /* of an ICMP error */
	uint32_t number;       /* in the file, from 1 */
	uint32_t conversation, next;
	uint32_t place;        /* in its conversation, from 0 */
	bool from_client;
	bool paired;
};

struct compare_view {
	const struct capture *capture;
	const struct compare_options *options;
	const uint32_t *interface_map; /* the capture's numbers to common numbers */
	struct compare_record *records;
	uint32_t count;
	struct compare_conversation *conversations;
	uint32_t conversation_count, conversation_room;
	struct compare_connection *connections;
	uint32_t connection_count, connection_room;
	uint32_t left_out;
};

/* Sorts the packets into conversations. */
void compare_view_build(struct compare_view *v);
void compare_view_free(struct compare_view *v);

#define COMPARE_FIELDS 12u

struct compare_fields { /* what differs between two packets */
	uint32_t count;
	struct {
		const char *name;
		char a[64], b[64];
	} list[COMPARE_FIELDS];
};

struct comparison_memory { /* the result, and its texts */
	struct comparison result;
	struct arena *memory;
};

struct compare_pair { /* two captures on their way to a verdict */
	struct compare_view a, b;
	struct arena *memory; /* of the result */
	struct comparison *result;
	uint32_t room;
	char **interfaces; /* common names */
	uint32_t interface_count;
};

/* The fields that differ; `out` NULL: only their number. Texts are filled when wanted. */
uint32_t compare_records(const struct compare_pair *p, const struct compare_record *x,
			 const struct compare_record *y, struct compare_fields *out);
/* Whether the client ports x and y may be the same port of the connection of the first
 * capture; with `commit` they are from now on. */
bool compare_client_ports(const struct compare_pair *p, uint32_t connection, uint16_t x,
			  uint16_t y, bool commit);

#endif
