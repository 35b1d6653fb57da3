/* net/capture.h: pcap and pcapng, written and read.
 *
 * A capture_writer is one file: classic pcap with nanosecond stamps (libpcap)
 * of one interface, or a pcapng of many interfaces with interface names, a name
 * resolution block and a comment on each packet that a rule decided. Stamps are
 * virtual time plus CAPTURE_EPOCH, so that viewers show a date that is the same
 * in every run. Files appear whole: written beside and renamed at close.
 *
 * capture_read reads both formats from hostile files: bad lengths give one line
 * with the offset and EBADMSG, and memory stays in proportion to the file's size. A
 * classic pcap has one interface, named after the file ("dir/eth0.pcap": "eth0"). Only
 * Ethernet is read. Frames that were cut when taken have family NET_NONE.
 */
#ifndef NET_CAPTURE_H
#define NET_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine.h"
#include "core/err.h"
#include "net/packet.h"

#define CAPTURE_EPOCH_S ENGINE_EPOCH_S

struct capture_writer;

/* Classic pcap of one interface. */
int capture_open_pcap(const char *path, struct capture_writer **out, struct err *err);
/* pcapng; `application` and `note` go into the section header block. */
int capture_open_pcapng(const char *path, const char *application, const char *note,
			struct capture_writer **out, struct err *err);
/* Declares an interface ("pod/default/web-0:eth0"); returns its number. pcapng only. */
uint32_t capture_interface(struct capture_writer *w, const char *name);
/* A name for an address, for the name resolution block. pcapng only. */
void capture_name(struct capture_writer *w, const struct net_addr *addr, const char *name);
/* `direction`: 0 unknown, 1 in, 2 out. `comment` may be NULL or "". */
void capture_write(struct capture_writer *w, uint32_t interface, int64_t when_ns,
		   const uint8_t *bytes, uint32_t length, int direction, const char *comment);
/* Renames the file into place and frees `w`. 0 or errno: also of any earlier write; then
 * no file is left. */
int capture_close(struct capture_writer *w, struct err *err);

struct captured {
	int64_t when_ns;     /* Unix time */
	uint32_t interface;  /* index into interfaces */
	const char *comment; /* NULL none */
	struct packet *packet; /* parsed; family NET_NONE when not IP */
	int direction;
};

struct capture {
	char **interfaces;
	bool interfaces_named; /* false: the names were made up from the file's name */
	uint32_t interface_count;
	struct captured *packets;
	uint32_t count;
	char *application, *note; /* of the first section header; NULL none */
};

int capture_read(const char *path, struct capture **out, struct err *err);
/* The same from memory; `name` stands for the path. */
int capture_parse(const char *name, const void *bytes, size_t length, struct capture **out,
		  struct err *err);
void capture_free(struct capture *c);

#endif
