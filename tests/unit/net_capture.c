/* tests/unit/net_capture.c: pcap and pcapng, written and read, by us and by tshark. */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "core/choice.h"
#include "core/engine.h"
#include "core/file.h"
#include "net/capture.h"
#include "net/craft.h"

static char folder[] = "/tmp/svclab-capture.XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static struct craft_ip ends(const char *src, const char *dst)
{
	struct craft_ip ip = { .src_port = 40001, .dst_port = 8080 };
	CHECK(net_addr_parse(src, &ip.src));
	CHECK(net_addr_parse(dst, &ip.dst));
	return ip;
}

enum { SAMPLES = 8 };

/* One packet of each kind, IPv4 first. */
static void samples(struct craft *c, struct packet *out[SAMPLES])
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct craft_ip ip = v6 ? ends("fd00::1", "fd00::2") : ends("10.0.0.1", "10.0.0.2");
		struct craft_tcp syn = { .seq = 1000, .flags = TCP_SYN, .window = 64240,
					 .mss = 1460, .window_scale = 7 };
		struct packet **o = out + 4 * v6;
		o[0] = craft_tcp(c, &ip, &syn, NULL, 0);
		o[1] = craft_udp(c, &ip, "hello", 5);
		o[2] = craft_icmp_echo(c, &ip, false, 7, 1, "abcd", 4);
		o[3] = craft_icmp_error(c, &ip.dst, &ip.src, v6 ? 1 : 3, v6 ? 4 : 3, 0, o[1]);
	}
}

static void write_samples(const char *path, struct packet *const packets[SAMPLES])
{
	struct capture_writer *w;
	struct err err = { .text = "" };
	struct net_addr web;
	CHECK_INT(capture_open_pcapng(path, "svclab test", "seed 7", &w, &err), 0);
	CHECK_INT(capture_interface(w, "node-a:eth0"), 0);
	CHECK_INT(capture_interface(w, "pod/default/web-0:eth0"), 1);
	net_addr_parse("10.0.0.2", &web);
	capture_name(w, &web, "web-0");
	net_addr_parse("fd00::2", &web);
	capture_name(w, &web, "web-0");
	for (int i = 0; i < SAMPLES; i++)
		capture_write(w, (uint32_t)i % 2, i * NS_PER_S + i, packets[i]->bytes,
			      packets[i]->length, i % 3, i == 1 ? "rule KUBE-SVC-X 2" : NULL);
	CHECK_INT(capture_close(w, &err), 0);
	CHECK_TEXT(err.text, "");
}

static void free_samples(struct packet *packets[SAMPLES])
{
	for (int i = 0; i < SAMPLES; i++)
		packet_free(packets[i]);
}

static void write_once(const char *path)
{
	struct craft *c = craft_new();
	struct packet *packets[SAMPLES];
	samples(c, packets);
	write_samples(path, packets);
	free_samples(packets);
	craft_free(c);
}

static void pcapng_is_read_back(void)
{
	struct craft *c = craft_new();
	struct packet *packets[SAMPLES];
	struct capture *read;
	struct err err;
	samples(c, packets);
	write_samples(in_folder("a.pcapng"), packets);
	CHECK_INT(capture_read(in_folder("a.pcapng"), &read, &err), 0);
	CHECK_INT(read->interface_count, 2);
	CHECK_TEXT(read->interfaces[1], "pod/default/web-0:eth0");
	CHECK_TEXT(read->application, "svclab test");
	CHECK_TEXT(read->note, "seed 7");
	CHECK_INT(read->count, SAMPLES);
	for (uint32_t i = 0; i < read->count; i++) {
		const struct captured *p = &read->packets[i];
		CHECK_INT(p->interface, i % 2);
		CHECK_INT(p->direction, (int)i % 3);
		CHECK_INT(p->when_ns, (CAPTURE_EPOCH_S + i) * NS_PER_S + i);
		CHECK_TEXT(p->comment, i == 1 ? "rule KUBE-SVC-X 2" : NULL);
		CHECK_INT(p->packet->length, packets[i]->length);
		CHECK(memcmp(p->packet->bytes, packets[i]->bytes, packets[i]->length) == 0);
		CHECK_INT(p->packet->family, i < 4 ? NET_V4 : NET_V6);
		CHECK(packet_checksums_ok(p->packet));
	}
	capture_free(read);
	free_samples(packets);
	craft_free(c);
}

static void classic_pcap_is_read_back_by_us_and_by_libpcap(void)
{
	struct craft *c = craft_new();
	struct packet *packets[SAMPLES];
	struct capture_writer *w;
	struct capture *read;
	struct err err;
	char error[PCAP_ERRBUF_SIZE];
	samples(c, packets);
	CHECK_INT(capture_open_pcap(in_folder("eth0.pcap"), &w, &err), 0);
	for (int i = 0; i < SAMPLES; i++)
		capture_write(w, 0, i * NS_PER_S + 123456789, packets[i]->bytes,
			      packets[i]->length, 0, NULL);
	CHECK_INT(capture_close(w, &err), 0);
	CHECK_INT(capture_read(in_folder("eth0.pcap"), &read, &err), 0);
	CHECK_INT(read->count, SAMPLES);
	CHECK_TEXT(read->interfaces[0], "eth0");
	CHECK_INT(read->packets[2].when_ns, (CAPTURE_EPOCH_S + 2) * NS_PER_S + 123456789);
	CHECK(memcmp(read->packets[5].packet->bytes, packets[5]->bytes, packets[5]->length) == 0);
	capture_free(read);
	pcap_t *p = pcap_open_offline_with_tstamp_precision(
		in_folder("eth0.pcap"), PCAP_TSTAMP_PRECISION_NANO, error);
	CHECK(p != NULL);
	if (p) {
		struct pcap_pkthdr *header;
		const u_char *bytes;
		CHECK_INT(pcap_next_ex(p, &header, &bytes), 1);
		CHECK_INT(header->ts.tv_usec, 123456789);
		CHECK_INT(header->len, packets[0]->length);
		pcap_close(p);
	}
	free_samples(packets);
	craft_free(c);
}

static void big_endian_files_are_read(void)
{
	/* A classic pcap with microseconds, as a big-endian machine writes it. */
	static const uint8_t file[] = {
		0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 1,
		0, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0, 14, 0, 0, 0, 14,
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x06,
	};
	struct capture *read;
	struct err err;
	CHECK_INT(capture_parse("dir/x.pcap", file, sizeof file, &read, &err), 0);
	CHECK_INT(read->count, 1);
	CHECK_INT(read->packets[0].when_ns, 5 * NS_PER_S + 7 * NS_PER_US);
	CHECK_INT(read->packets[0].packet->family, NET_NONE);
	capture_free(read);
}

static void stamps_of_other_resolutions_are_converted(void)
{
	/* pcapng, big-endian, resolution 2^-10 s: 1536 units are 1.5 s. */
	static const uint8_t file[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 28,
		0, 0, 0, 1, 0, 0, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0x8a, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 32,
		0, 0, 0, 6, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 32,
	};
	struct capture *read = NULL;
	struct err err = { .text = "" };
	CHECK_INT(capture_parse("x", file, sizeof file, &read, &err), 0);
	CHECK_TEXT(err.text, "");
	CHECK(read && read->count == 1 && read->packets[0].when_ns == 1536 * NS_PER_S / 1024);
	CHECK_TEXT(read ? read->interfaces[0] : NULL, "if0");
	capture_free(read);
}

static void broken_files_are_named_with_their_offset(void)
{
	struct capture *read;
	struct err err;
	struct strbuf file = { 0 };
	CHECK_INT(capture_read(in_folder("missing"), &read, &err), ENOENT);
	CHECK(strstr(err.text, "missing: No such file"));
	CHECK_INT(capture_parse("x", "hello, world", 12, &read, &err), EBADMSG);
	CHECK_TEXT(err.text, "x: offset 0: neither pcap nor pcapng, expected one of their magic "
			     "numbers");
	write_once(in_folder("a.pcapng"));
	CHECK_INT(file_read(in_folder("a.pcapng"), &file, NULL), 0);
	CHECK_INT(capture_parse("x", file.data, file.length - 5, &read, &err), EBADMSG);
	CHECK(strstr(err.text, "the file ends inside a block"));
	file.data[4] = 5;
	CHECK_INT(capture_parse("x", file.data, file.length, &read, &err), EBADMSG);
	CHECK_TEXT(err.text, "x: offset 4: block length is wrong, expected a multiple of 4, at "
			     "least 12");
	strbuf_free(&file);
}

/* Every cut and thousands of random flips: an error line or a capture, never a crash
 * (the sanitizers watch). */
static void damaged_files_do_no_harm(void)
{
	struct choice *random = choice_new(3);
	struct strbuf file = { 0 };
	struct capture *read;
	struct err err;
	unsigned refused = 0;
	write_once(in_folder("a.pcapng"));
	CHECK_INT(file_read(in_folder("a.pcapng"), &file, NULL), 0);
	for (size_t length = 0; length < file.length; length++) {
		refused += capture_parse("x", file.data, length, &read, &err) == EBADMSG;
		capture_free(read);
	}
	CHECK(refused > file.length / 2);
	for (int i = 0; i < 5000; i++) {
		size_t at = choice_uniform(random, "at", file.length);
		char old = file.data[at];
		file.data[at] = (char)choice_uniform(random, "byte", 256);
		int code = capture_parse("x", file.data, file.length, &read, &err);
		CHECK(code == 0 || code == EBADMSG);
		capture_free(read);
		file.data[at] = old;
	}
	strbuf_free(&file);
	choice_free(random);
}

static void a_file_that_cannot_be_written_says_so(void)
{
	struct capture_writer *w;
	struct err err;
	CHECK_INT(capture_open_pcapng("/nonexistent/a.pcapng", "x", "", &w, &err), ENOENT);
	CHECK_TEXT(err.text, "/nonexistent/a.pcapng: No such file or directory");
	CHECK(w == NULL);
	CHECK_INT(capture_open_pcap(in_folder("b.pcap"), &w, &err), 0);
	CHECK(access(in_folder("b.pcap"), F_OK) != 0); /* not before close */
	CHECK_INT(capture_close(w, &err), 0);
	CHECK(access(in_folder("b.pcap"), F_OK) == 0);
}

static void tshark_reads_what_we_write(void)
{
	struct craft *c = craft_new();
	struct packet *packets[SAMPLES];
	char command[512];
	struct strbuf said = { 0 };
	if (system("command -v tshark >/dev/null 2>&1") != 0) {
		check_skip("tshark is not installed");
		craft_free(c);
		return;
	}
	samples(c, packets);
	write_samples(in_folder("a.pcapng"), packets);
	snprintf(command, sizeof command,
		 "tshark -r %s -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE "
		 "-o udp.check_checksum:TRUE -T fields -e frame.number -e frame.interface_name "
		 "-e frame.comment -e _ws.malformed -e ip.checksum.status -e tcp.checksum.status "
		 "-e udp.checksum.status -e icmp.checksum.status -e icmpv6.checksum.status "
		 "-E separator=\\; 2>&1 | grep -v '^Running as user'",
		 in_folder("a.pcapng"));
	FILE *f = popen(command, "r");
	char line[512];
	while (f && fgets(line, sizeof line, f))
		strbuf_puts(&said, line);
	CHECK(f && pclose(f) == 0);
	/* Status 1 is good; quoted headers show a status of their own. */
	CHECK_TEXT(strbuf_text(&said), "1;node-a:eth0;;;1;1;;;\n"
				       "2;pod/default/web-0:eth0;rule KUBE-SVC-X 2;;1;;1;;\n"
				       "3;node-a:eth0;;;1;;;1;\n"
				       "4;pod/default/web-0:eth0;;;1,1;;1;1;\n"
				       "5;node-a:eth0;;;;1;;;\n"
				       "6;pod/default/web-0:eth0;;;;;1;;\n"
				       "7;node-a:eth0;;;;;;;1\n"
				       "8;pod/default/web-0:eth0;;;;;1;;1\n");
	strbuf_free(&said);
	free_samples(packets);
	craft_free(c);
}

static const struct check tests[] = {
	{ "pcapng is read back: names, comments, stamps, directions", pcapng_is_read_back },
	{ "Classic pcap is read back, also by libpcap",
	  classic_pcap_is_read_back_by_us_and_by_libpcap },
	{ "Big-endian files are read", big_endian_files_are_read },
	{ "Stamps of other resolutions are converted", stamps_of_other_resolutions_are_converted },
	{ "Broken files are named with their offset", broken_files_are_named_with_their_offset },
	{ "Damaged files do no harm", damaged_files_do_no_harm },
	{ "A file that cannot be written says so, and appears whole",
	  a_file_that_cannot_be_written_says_so },
	{ "tshark reads what we write: names, comments, right checksums, nothing malformed",
	  tshark_reads_what_we_write },
};

int main(int argc, char **argv)
{
	static const char *const files[] = { "a.pcapng", "eth0.pcap", "b.pcap" };
	if (!mkdtemp(folder))
		return 2;
	int code = check_main(tests, sizeof tests / sizeof *tests, argc, argv);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(in_folder(files[i]));
	rmdir(folder);
	return code;
}
