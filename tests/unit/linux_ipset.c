/* ipset: restore and save text (as ipset 7.17 on Linux 6.18 takes and prints it), matches. */
#include <errno.h>

#include "linux/ipset.h"
#include "net/craft.h"
#include "tests/unit/check.h"

static struct ipset_table *table;
static struct err err;

static int restore(const char *text)
{
	err.text[0] = '\0';
	return ipset_restore(table, text, strlen(text), "t", false, &err);
}

static const char *save(void)
{
	static struct strbuf out;
	strbuf_clear(&out);
	ipset_save(table, &out);
	return strbuf_text(&out);
}

static void text_is_canonical(void)
{
	table = ipset_new(NULL);
	const char *text = "create a hash:ip,port family inet hashsize 1024 maxelem 65536\n"
			   "add a 10.0.0.1,tcp:443\nadd a 10.0.0.2,udp:53\nadd a 10.0.0.3,tcp:80\n"
			   "create b bitmap:port range 0-65535\nadd b 80\nadd b 90\n"
			   "create c hash:net family inet hashsize 1024 maxelem 65536 timeout 60 counters comment\n"
			   "add c 10.0.0.0/8 timeout 59 packets 0 bytes 0 comment \"hello w\"\n"
			   "add c 10.1.0.0/16 timeout 0 nomatch packets 0 bytes 0\n"
			   "create e hash:ip,port,net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x287d2206\n"
			   "add e 1.2.3.4,tcp:80,10.0.0.0/8\n"
			   "create f hash:ip family inet6 hashsize 64 maxelem 10\nadd f fd00::1\n"
			   "create g hash:ip,port,ip family inet hashsize 1024 maxelem 65536\n"
			   "add g 1.1.1.1,icmp:echo-reply,2.2.2.2\nadd g 1.1.1.1,sctp:80,2.2.2.2\n"
			   "create h hash:ip family inet hashsize 1024 maxelem 65536 netmask 24\nadd h 1.2.3.0\n"
			   "create d list:set size 8\nadd d a\n";
	CHECK_INT(restore(text), 0);
	CHECK_TEXT(err.text, "");
	CHECK_TEXT(save(), text);
	ipset_free(table);
}

static void spans_become_members(void)
{
	table = ipset_new(NULL);
	CHECK_INT(restore("create i hash:ip\nadd i 10.9.0.0/30\nadd i 10.9.1.1-10.9.1.2\n"
			  "create b bitmap:port range 0-100\nadd b 5-6\n"
			  "create p hash:ip,port\nadd p 1.1.1.1,80\nadd p 1.1.1.1,udp:5-6\n"), 0);
	CHECK_TEXT(save(), "create i hash:ip family inet hashsize 1024 maxelem 65536\n"
		   "add i 10.9.0.0\nadd i 10.9.0.1\nadd i 10.9.0.2\nadd i 10.9.0.3\nadd i 10.9.1.1\nadd i 10.9.1.2\n"
		   "create b bitmap:port range 0-100\nadd b 5\nadd b 6\n"
		   "create p hash:ip,port family inet hashsize 1024 maxelem 65536\n"
		   "add p 1.1.1.1,tcp:80\nadd p 1.1.1.1,udp:5\nadd p 1.1.1.1,udp:6\n");
	ipset_free(table);
}

static void refusals_are_the_tools(void)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "add zz 1.2.3.4\n", "t:1:5: The set with the given name does not exist" },
		{ "create a hash:ip\n", "t:1:8: Set cannot be created: set with the same name already exists" },
		{ "add a 1.1.1.1\nadd a 1.1.1.1\n", "t:2:7: Element cannot be added to the set: it's already added" },
		{ "del a 9.9.9.9\n", "t:1:7: Element cannot be deleted from the set: it's not added" },
		{ "create e hash:ip,port,net\nadd e 1.2.3.4,tcp:80,0.0.0.0/0\n",
		  "t:2:7: The value of the CIDR parameter of the IP address is invalid" },
		{ "create l list:set\nadd l a\ndestroy a\n",
		  "t:3:9: Set cannot be destroyed: it is in use by a kernel component" },
		{ "add e 1.2.3.4\n", "t:1:7: element 2 is missing, expected an entry of hash:ip,port,net" },
		{ "foo\n", "t:1:1: unknown command foo, expected create, add, del, flush, swap, rename or destroy" },
		{ "create x hash:ip maxelem 1\nadd x 1.1.1.1\nadd x 1.1.1.2\n", "t:3:7: Hash is full, cannot add more elements" },
		{ "add a 10.0.0.0/8\n", "t:1:7: the range spans 16777216 members, expected at most 65536" },
	};
	table = ipset_new(NULL);
	restore("create a hash:ip\n");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CHECK_INT(restore(cases[i].text), EINVAL);
		CHECK_TEXT(err.text, cases[i].says);
	}
	CHECK_INT(restore("create a hash:ip -exist\nadd a 1.1.1.1 -exist\ndel a 7.7.7.7 -exist\n"), 0);
	CHECK_INT(restore("flush\ndestroy l\nrename a b\ncreate c hash:ip\nadd c 5.5.5.5\nswap b c\n"), 0);
	CHECK(strstr(save(), "add b 5.5.5.5\n") != NULL);
	CHECK_INT(restore("destroy\n"), 0);
	CHECK_TEXT(save(), "");
	ipset_free(table);
}

static bool match(const char *set, const struct packet *p, unsigned src)
{
	return ipset_match(ipset_find(table, set), p, src, 0);
}

static void packets_match_by_direction(void)
{
	struct craft *craft = craft_new();
	struct craft_ip ip = { .src_port = 1000, .dst_port = 80 };
	net_addr_parse("10.1.2.3", &ip.src);
	net_addr_parse("10.96.0.1", &ip.dst);
	struct packet *p = craft_tcp(craft, &ip, &(struct craft_tcp){ .flags = TCP_SYN, .window_scale = -1 }, "", 0);
	struct packet *u = craft_udp(craft, &ip, "", 0);
	table = ipset_new(NULL);
	CHECK_INT(restore("create vip hash:ip,port\nadd vip 10.96.0.1,tcp:80\n"
			  "create np bitmap:port range 0-65535\nadd np 80\n"
			  "create src hash:ip,port,net\nadd src 10.96.0.1,tcp:80,10.0.0.0/8\n"
			  "add src 10.96.0.1,tcp:80,10.1.0.0/16 nomatch\n"
			  "create loop hash:ip,port,ip\nadd loop 10.96.0.1,tcp:80,10.1.2.3\n"
			  "create net hash:net\nadd net 10.1.0.0/16\ncreate six hash:ip family inet6\nadd six fd00::1\n"
			  "create all list:set\nadd all six\nadd all vip\n"), 0);
	CHECK(match("vip", p, 0) && !match("vip", p, 1) && !match("vip", p, 2) && !match("vip", u, 0));
	CHECK(match("np", p, 0) && !match("np", p, 1) && match("np", u, 0));
	CHECK(!match("src", p, 4)); /* the longer prefix says nomatch */
	CHECK_INT(restore("del src 10.96.0.1,tcp:80,10.1.0.0/16\n"), 0);
	CHECK(match("src", p, 4) && !match("src", p, 1));
	CHECK(match("loop", p, 4) && match("net", p, 1) && !match("net", p, 0) && !match("six", p, 0));
	CHECK(match("all", p, 0));
	packet_free(p);
	packet_free(u);
	craft_free(craft);
	ipset_free(table);
}

static const struct check tests[] = {
	{ "saved text is restored and saved as the same text", text_is_canonical },
	{ "ranges of addresses and ports become members", spans_become_members },
	{ "what the tool refuses is refused with its words and a position", refusals_are_the_tools },
	{ "packets match by type and direction of each dimension", packets_match_by_direction },
};
CHECK_MAIN(tests)
