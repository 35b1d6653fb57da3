/* tests/unit/linux_netns.c: packets between namespaces, bridges and segments. */
#include <errno.h>

#include "linux/hook.h"
#include "tests/unit/linux_lab.h"

static void request_end_to_end(void)
{
	struct lab lab;
	struct lab_app server, client;
	lab_open(&lab);
	lab_serve(&server, lab.server, PROTO_TCP, 8080);
	struct sock_name to = lab_name("10.0.2.2", 8080);
	CHECK_INT(lab_connect(&client, lab.client, PROTO_TCP, &to, NULL), 0);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&client.said), "connected");
	CHECK_INT(lab_send(&client, "hello"), 0);
	lab_run(&lab, NS_PER_S);
	CHECK_TEXT(strbuf_text(&client.data), "hello");
	client.sockets.class->close(client.sock);
	lab_run(&lab, 300 * NS_PER_S);
	CHECK_TEXT(strbuf_text(&server.said), "accepted data eof closed");
	CHECK_INT(lab.bad_checksums, 0);
	CHECK(lab_saw(&lab, "server:eth0 in"));
	struct strbuf sockets = { 0 };
	netns_print_sockets(lab.client, &sockets);
	CHECK(!strstr(strbuf_text(&sockets), "tcp")); /* TIME_WAIT is over */
	strbuf_free(&sockets);
	lab_app_free(&server);
	lab_app_free(&client);
	lab_close(&lab);
}

static const struct check tests[] = {
	{ "a TCP request goes through a router and back, with right checksums", request_end_to_end },
};

CHECK_MAIN(tests)
