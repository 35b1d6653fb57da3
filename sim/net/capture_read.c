/* net/capture_read.c: see capture.h. The whole file is in memory; a reader never looks
 * behind `end` of the piece it works on, and every piece was bounded by its parent. */
#include "net/capture.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/engine.h"
#include "core/file.h"

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_OLD_PACKET = 2,
       BLOCK_SIMPLE_PACKET = 3, BLOCK_PACKET = 6 };
enum { OPT_END = 0, OPT_COMMENT = 1, SHB_APPLICATION = 4, IF_NAME = 2, IF_TSRESOL = 9,
       IF_TSOFFSET = 14, EPB_FLAGS = 2 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define MAGIC_MICROSECONDS 0xa1b2c3d4u
#define MAGIC_NANOSECONDS 0xa1b23c4du
#define LINKTYPE_ETHERNET 1

struct interface { /* what is needed to read its stamps */
	uint8_t resolution;
	int64_t offset_s;
};

struct reader {
	const char *path;
	const uint8_t *bytes;
	size_t length;
	bool big; /* byte order of the file or section */
	struct capture *capture;
	struct arena *texts;
	struct interface *interfaces;
	uint32_t interface_room, packet_room;
	uint32_t section_first; /* first interface of the current section */
	struct err *err;
};

struct capture_memory { /* the capture, and its texts */
	struct capture capture;
	struct arena *texts;
};

struct piece { /* a run of the file's bytes */
	size_t at, end;
};

static uint16_t load16(const struct reader *r, size_t at)
{
	const uint8_t *p = r->bytes + at;
	return (uint16_t)(r->big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

static uint32_t load32(const struct reader *r, size_t at)
{
	uint32_t a = load16(r, at), b = load16(r, at + 2);
	return r->big ? a << 16 | b : b << 16 | a;
}

static int bad(const struct reader *r, size_t at, const char *what, const char *expected)
{
	return err_set(r->err, EBADMSG, "%s: offset %zu: %s, expected %s", r->path, at, what,
		       expected);
}

static void add_interface(struct reader *r, const char *name, struct interface i)
{
	struct capture *c = r->capture;
	if (c->interface_count == r->interface_room) {
		uint32_t more = r->interface_room ? 2 * r->interface_room : 8;
		c->interfaces = mem_grow(c->interfaces, r->interface_room, more,
					 sizeof *c->interfaces);
		r->interfaces = mem_grow(r->interfaces, r->interface_room, more,
					 sizeof *r->interfaces);
		r->interface_room = more;
	}
	if (name)
		c->interfaces[c->interface_count] = arena_strdup(r->texts, name);
	else
		c->interfaces[c->interface_count] =
			arena_printf(r->texts, "if%u", c->interface_count - r->section_first);
	r->interfaces[c->interface_count++] = i;
}

static struct captured *add_packet(struct reader *r, size_t at, uint32_t length)
{
	struct capture *c = r->capture;
	if (c->count == r->packet_room) {
		uint32_t more = r->packet_room ? 2 * r->packet_room : 64;
		c->packets = mem_grow(c->packets, r->packet_room, more, sizeof *c->packets);
		r->packet_room = more;
	}
	struct captured *p = &c->packets[c->count++];
	p->packet = packet_new(length);
	p->packet->length = length;
	if (length)
		memcpy(p->packet->bytes, r->bytes + at, length);
	packet_parse(p->packet); /* what cannot be read stays family NET_NONE */
	return p;
}

/* The next option of `options`; false at the end. *code 0: malformed. */
static bool next_option(const struct reader *r, struct piece *options, uint16_t *code,
			struct piece *value)
{
	if (options->end - options->at < 4)
		return false;
	*code = load16(r, options->at);
	size_t length = load16(r, options->at + 2), padded = (length + 3) & ~(size_t)3;
	if (*code == OPT_END || padded > options->end - options->at - 4)
		return false;
	value->at = options->at + 4;
	value->end = value->at + length;
	options->at += 4 + padded;
	return true;
}

static char *text_of(const struct reader *r, struct piece value)
{
	return arena_strndup(r->texts, (const char *)r->bytes + value.at, value.end - value.at);
}

static int read_section(struct reader *r, struct piece body)
{
	struct piece options = { body.at + 16, body.end }, value;
	uint16_t code;
	if (body.end - body.at < 16)
		return bad(r, body.at, "short section header", "at least 28 bytes");
	if (load16(r, body.at + 4) != 1)
		return bad(r, body.at + 4, "unknown pcapng version", "1.0");
	bool first = r->capture->interface_count == 0;
	r->section_first = r->capture->interface_count;
	while (next_option(r, &options, &code, &value)) {
		if (code == OPT_COMMENT && first && !r->capture->note)
			r->capture->note = text_of(r, value);
		else if (code == SHB_APPLICATION && first && !r->capture->application)
			r->capture->application = text_of(r, value);
	}
	return 0;
}

static int64_t load64_signed(const struct reader *r, size_t at)
{
	uint64_t a = load32(r, at), b = load32(r, at + 4);
	return (int64_t)(r->big ? a << 32 | b : b << 32 | a);
}

static int read_interface(struct reader *r, struct piece body)
{
	struct piece options = { body.at + 8, body.end }, value;
	struct interface i = { .resolution = 6 };
	const char *name = NULL;
	uint16_t code;
	if (body.end - body.at < 8)
		return bad(r, body.at, "short interface block", "at least 20 bytes");
	if (load16(r, body.at) != LINKTYPE_ETHERNET)
		return bad(r, body.at, "another link type", "Ethernet (1)");
	while (next_option(r, &options, &code, &value)) {
		size_t length = value.end - value.at;
		if (code == IF_NAME)
			name = text_of(r, value);
		else if (code == IF_TSRESOL && length == 1)
			i.resolution = r->bytes[value.at];
		else if (code == IF_TSOFFSET && length == 8)
			i.offset_s = load64_signed(r, value.at);
	}
	add_interface(r, name, i);
	return 0;
}

/* A stamp in units of 10^-n (high bit clear) or 2^-n seconds, as ns; kept in range. */
static int64_t stamp_ns(struct interface i, uint64_t stamp)
{
	unsigned __int128 ns = (unsigned __int128)stamp * (uint64_t)NS_PER_S;
	unsigned n = i.resolution & 0x7f;
	if (i.resolution & 0x80)
		ns >>= n;
	else
		for (; n > 0 && ns; n--)
			ns /= 10;
	__int128 sum = (__int128)ns + (__int128)i.offset_s * NS_PER_S;
	if (sum > INT64_MAX)
		return INT64_MAX;
	return sum < INT64_MIN ? INT64_MIN : (int64_t)sum;
}

/* Enhanced packet block, and its obsolete form, whose interface field is 16 bits. */
static int read_packet(struct reader *r, struct piece body, bool old)
{
	struct piece value;
	uint16_t code;
	if (body.end - body.at < 20)
		return bad(r, body.at, "short packet block", "at least 32 bytes");
	uint32_t number = old ? load16(r, body.at) : load32(r, body.at);
	if (number >= r->capture->interface_count - r->section_first)
		return bad(r, body.at, "a packet of an interface that is not declared",
			   "an interface block before it");
	number += r->section_first;
	uint64_t stamp = (uint64_t)load32(r, body.at + 4) << 32 | load32(r, body.at + 8);
	uint32_t length = load32(r, body.at + 12);
	size_t room = body.end - body.at - 20, padded = ((size_t)length + 3) & ~(size_t)3;
	if (length > room)
		return bad(r, body.at + 12, "packet longer than its block", "less");
	struct captured *p = add_packet(r, body.at + 20, length);
	p->interface = number;
	p->when_ns = stamp_ns(r->interfaces[number], stamp);
	struct piece options = { body.at + 20 + (padded < room ? padded : room), body.end };
	while (next_option(r, &options, &code, &value)) {
		if (code == OPT_COMMENT && !p->comment)
			p->comment = text_of(r, value);
		else if (code == EPB_FLAGS && value.end - value.at == 4)
			p->direction = (int)(load32(r, value.at) & 3);
	}
	return 0;
}

static int read_simple_packet(struct reader *r, struct piece body)
{
	if (body.end - body.at < 4)
		return bad(r, body.at, "short simple packet block", "at least 16 bytes");
	if (r->capture->interface_count == r->section_first)
		return bad(r, body.at, "a packet of an interface that is not declared",
			   "an interface block before it");
	uint32_t length = load32(r, body.at);
	if (length > body.end - body.at - 4)
		length = (uint32_t)(body.end - body.at - 4);
	add_packet(r, body.at + 4, length)->interface = r->section_first;
	return 0;
}

static int read_block(struct reader *r, uint32_t type, struct piece body)
{
	switch (type) {
	case BLOCK_SECTION:
		return read_section(r, body);
	case BLOCK_INTERFACE:
		return read_interface(r, body);
	case BLOCK_PACKET:
	case BLOCK_OLD_PACKET:
		return read_packet(r, body, type == BLOCK_OLD_PACKET);
	case BLOCK_SIMPLE_PACKET:
		return read_simple_packet(r, body);
	default: /* names, statistics, secrets: nothing for us */
		return 0;
	}
}

static int read_pcapng(struct reader *r)
{
	for (size_t at = 0; at < r->length;) {
		size_t left = r->length - at;
		if (left < 12)
			return bad(r, at, "the file ends inside a block", "at least 12 bytes more");
		uint32_t type = load32(r, at);
		if (type == BLOCK_SECTION) { /* the same in both byte orders */
			r->big = false;
			if (load32(r, at + 8) != BYTE_ORDER_MAGIC)
				r->big = true;
			if (load32(r, at + 8) != BYTE_ORDER_MAGIC)
				return bad(r, at + 8, "no byte order mark", "1a2b3c4d");
		}
		uint32_t length = load32(r, at + 4);
		if (length < 12 || length % 4)
			return bad(r, at + 4, "block length is wrong",
				   "a multiple of 4, at least 12");
		if (length > left)
			return bad(r, at + 4, "the file ends inside a block", "more bytes");
		if (load32(r, at + length - 4) != length)
			return bad(r, at + length - 4, "the two block lengths differ",
				   "the same number");
		int code = read_block(r, type, (struct piece){ at + 8, at + length - 4 });
		if (code)
			return code;
		at += length;
	}
	return 0;
}

/* "dir/eth0.pcap" -> "eth0". */
static char *name_of_file(struct arena *texts, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	return arena_strndup(texts, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static int read_classic(struct reader *r, bool nanoseconds)
{
	if (r->length < 24)
		return bad(r, 0, "the file ends inside its header", "24 bytes");
	if ((load32(r, 20) & 0xffff) != LINKTYPE_ETHERNET)
		return bad(r, 20, "another link type", "Ethernet (1)");
	add_interface(r, name_of_file(r->texts, r->path), (struct interface){ 0 });
	for (size_t at = 24; at < r->length;) {
		if (r->length - at < 16)
			return bad(r, at, "the file ends inside a packet header", "16 bytes");
		uint32_t length = load32(r, at + 8);
		if (length > r->length - at - 16)
			return bad(r, at + 8, "packet longer than the rest of the file", "less");
		struct captured *p = add_packet(r, at + 16, length);
		p->when_ns = (int64_t)load32(r, at) * NS_PER_S +
			     (int64_t)load32(r, at + 4) * (nanoseconds ? 1 : NS_PER_US);
		at += 16 + (size_t)length;
	}
	return 0;
}

static int read_any(struct reader *r)
{
	if (r->length < 4)
		return bad(r, 0, "the file is too short", "pcap or pcapng");
	r->capture->interfaces_named = load32(r, 0) == BLOCK_SECTION;
	if (r->capture->interfaces_named)
		return read_pcapng(r);
	for (int big = 0; big < 2; big++) {
		r->big = big;
		uint32_t magic = load32(r, 0);
		if (magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS)
			return read_classic(r, magic == MAGIC_NANOSECONDS);
	}
	return bad(r, 0, "neither pcap nor pcapng", "one of their magic numbers");
}

int capture_parse(const char *name, const void *bytes, size_t length, struct capture **out,
		  struct err *err)
{
	struct capture_memory *m = mem_alloc(sizeof *m);
	m->texts = arena_new();
	struct reader r = { .path = name, .bytes = bytes, .length = length,
			    .capture = &m->capture, .texts = m->texts, .err = err };
	int code = read_any(&r);
	free(r.interfaces);
	*out = NULL;
	if (code)
		capture_free(&m->capture);
	else
		*out = &m->capture;
	return code;
}

int capture_read(const char *path, struct capture **out, struct err *err)
{
	struct strbuf file = { 0 };
	*out = NULL;
	int code = file_read(path, &file, err);
	if (!code)
		code = capture_parse(path, file.data, file.length, out, err);
	strbuf_free(&file);
	return code;
}

void capture_free(struct capture *c)
{
	struct capture_memory *m = (struct capture_memory *)c;
	if (!c)
		return;
	for (uint32_t i = 0; i < c->count; i++)
		packet_free(c->packets[i].packet);
	free(c->packets);
	free(c->interfaces);
	arena_free(m->texts);
	free(m);
}
