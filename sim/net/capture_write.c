/* net/capture_write.c: see capture.h. pcapng as in draft-ietf-opsawg-pcapng, always
 * little-endian, so that the same run gives the same bytes on every machine. */
#include "net/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/engine.h"
#include "core/strbuf.h"

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_NAMES = 4, BLOCK_PACKET = 6 };
enum { OPT_END = 0, OPT_COMMENT = 1, SHB_APPLICATION = 4, IF_NAME = 2, IF_TSRESOL = 9,
       EPB_FLAGS = 2 };
enum { NAME_V4 = 1, NAME_V6 = 2 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1
#define SNAPSHOT_BYTES 262144
#define OPTION_LIMIT 65532u

struct capture_writer {
	char *path, *temporary;
	FILE *file;
	pcap_t *dead; /* classic pcap */
	pcap_dumper_t *dumper;
	struct strbuf block; /* pcapng: the block under construction */
	struct strbuf names; /* records of the next name resolution block */
	uint32_t interfaces;
	int error; /* first write that failed */
};

static void add16(struct strbuf *b, uint16_t v)
{
	strbuf_putc(b, (char)v);
	strbuf_putc(b, (char)(v >> 8));
}

static void add32(struct strbuf *b, uint32_t v)
{
	add16(b, (uint16_t)v);
	add16(b, (uint16_t)(v >> 16));
}

static void pad(struct strbuf *b)
{
	while (b->length % 4)
		strbuf_putc(b, '\0');
}

static void add_option(struct strbuf *b, uint16_t code, const void *bytes, size_t length)
{
	if (length > OPTION_LIMIT)
		length = OPTION_LIMIT;
	add16(b, code);
	add16(b, (uint16_t)length);
	strbuf_add(b, bytes, length);
	pad(b);
}

static void add_text(struct strbuf *b, uint16_t code, const char *text)
{
	if (text && *text)
		add_option(b, code, text, strlen(text));
}

static void begin(struct capture_writer *w, uint32_t type)
{
	strbuf_clear(&w->block);
	add32(&w->block, type);
	add32(&w->block, 0); /* length, set by finish */
}

static void finish(struct capture_writer *w)
{
	struct strbuf *b = &w->block;
	uint32_t total = (uint32_t)b->length + 4;
	add32(b, total);
	for (int i = 0; i < 4; i++)
		b->data[4 + i] = (char)(total >> (8 * i));
	if (fwrite(b->data, 1, b->length, w->file) != b->length && !w->error)
		w->error = errno ? errno : EIO;
}

static void writer_free(struct capture_writer *w)
{
	strbuf_free(&w->block);
	strbuf_free(&w->names);
	free(w->path);
	free(w->temporary);
	free(w);
}

static int open_file(const char *path, struct capture_writer **out, struct err *err)
{
	struct capture_writer *w = mem_alloc(sizeof *w);
	struct strbuf temporary = { 0 };
	strbuf_printf(&temporary, "%s.%ld.tmp", path, (long)getpid());
	w->path = mem_strdup(path);
	w->temporary = strbuf_steal(&temporary);
	w->file = fopen(w->temporary, "wb");
	if (!w->file) {
		int code = err_set(err, errno, "%s: %s", path, strerror(errno));
		writer_free(w);
		*out = NULL;
		return code;
	}
	*out = w;
	return 0;
}

int capture_open_pcap(const char *path, struct capture_writer **out, struct err *err)
{
	int code = open_file(path, out, err);
	if (code)
		return code;
	struct capture_writer *w = *out;
	w->dead = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAPSHOT_BYTES,
						       PCAP_TSTAMP_PRECISION_NANO);
	w->dumper = w->dead ? pcap_dump_fopen(w->dead, w->file) : NULL;
	if (!w->dumper) {
		code = err_set(err, EIO, "%s: %s", path,
			       w->dead ? pcap_geterr(w->dead) : "no memory");
		if (w->dead)
			pcap_close(w->dead);
		fclose(w->file);
		unlink(w->temporary);
		writer_free(w);
		*out = NULL;
	}
	return code;
}

int capture_open_pcapng(const char *path, const char *application, const char *note,
			struct capture_writer **out, struct err *err)
{
	int code = open_file(path, out, err);
	if (code)
		return code;
	struct capture_writer *w = *out;
	begin(w, BLOCK_SECTION);
	add32(&w->block, BYTE_ORDER_MAGIC);
	add16(&w->block, 1); /* version 1.0 */
	add16(&w->block, 0);
	add32(&w->block, UINT32_MAX); /* section length: not said */
	add32(&w->block, UINT32_MAX);
	add_text(&w->block, OPT_COMMENT, note);
	add_text(&w->block, SHB_APPLICATION, application);
	add_option(&w->block, OPT_END, "", 0);
	finish(w);
	return 0;
}

uint32_t capture_interface(struct capture_writer *w, const char *name)
{
	static const uint8_t nanoseconds = 9;
	begin(w, BLOCK_INTERFACE);
	add16(&w->block, LINKTYPE_ETHERNET);
	add16(&w->block, 0);
	add32(&w->block, 0); /* no snapshot limit */
	add_text(&w->block, IF_NAME, name);
	add_option(&w->block, IF_TSRESOL, &nanoseconds, 1);
	add_option(&w->block, OPT_END, "", 0);
	finish(w);
	return w->interfaces++;
}

void capture_name(struct capture_writer *w, const struct net_addr *addr, const char *name)
{
	size_t bytes = addr->family == NET_V4 ? 4 : 16, length = strlen(name) + 1;
	if (addr->family == NET_NONE || bytes + length > OPTION_LIMIT)
		return;
	add16(&w->names, addr->family == NET_V4 ? NAME_V4 : NAME_V6);
	add16(&w->names, (uint16_t)(bytes + length));
	strbuf_add(&w->names, addr->bytes, bytes);
	strbuf_add(&w->names, name, length);
	pad(&w->names);
}

/* Names go before the next packet: viewers that read once know them in time. */
static void flush_names(struct capture_writer *w)
{
	if (!w->names.length)
		return;
	begin(w, BLOCK_NAMES);
	strbuf_add(&w->block, w->names.data, w->names.length);
	add32(&w->block, 0); /* end of records */
	finish(w);
	strbuf_clear(&w->names);
}

static void write_classic(struct capture_writer *w, int64_t stamp, const uint8_t *bytes,
			  uint32_t length)
{
	struct pcap_pkthdr header = {
		.ts = { .tv_sec = stamp / NS_PER_S, .tv_usec = stamp % NS_PER_S },
		.caplen = length,
		.len = length,
	};
	pcap_dump((u_char *)w->dumper, &header, bytes);
	if (ferror(w->file) && !w->error)
		w->error = errno ? errno : EIO;
}

void capture_write(struct capture_writer *w, uint32_t interface, int64_t when_ns,
		   const uint8_t *bytes, uint32_t length, int direction, const char *comment)
{
	int64_t stamp = CAPTURE_EPOCH_S * NS_PER_S + when_ns;
	if (w->dumper) {
		write_classic(w, stamp, bytes, length);
		return;
	}
	flush_names(w);
	begin(w, BLOCK_PACKET);
	struct strbuf *b = &w->block;
	add32(b, interface);
	add32(b, (uint32_t)((uint64_t)stamp >> 32));
	add32(b, (uint32_t)stamp);
	add32(b, length);
	add32(b, length);
	strbuf_add(b, bytes, length);
	pad(b);
	if (direction) {
		const uint8_t flags[4] = { (uint8_t)(direction & 3) };
		add_option(b, EPB_FLAGS, flags, sizeof flags);
	}
	add_text(b, OPT_COMMENT, comment);
	if (direction || (comment && *comment))
		add_option(b, OPT_END, "", 0);
	finish(w);
}

int capture_close(struct capture_writer *w, struct err *err)
{
	if (w->dumper) {
		if (pcap_dump_flush(w->dumper) != 0 && !w->error)
			w->error = errno ? errno : EIO;
		pcap_dump_close(w->dumper); /* closes the file */
		pcap_close(w->dead);
	} else {
		flush_names(w);
		if (fclose(w->file) != 0 && !w->error)
			w->error = errno;
	}
	if (!w->error && rename(w->temporary, w->path) != 0)
		w->error = errno;
	int code = w->error;
	if (code) {
		unlink(w->temporary);
		err_set(err, code, "%s: %s", w->path, strerror(code));
	}
	writer_free(w);
	return code;
}
