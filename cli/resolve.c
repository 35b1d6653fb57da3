/* cli/resolve.c: svclab resolve: what a pod's resolver asks for a name, and what it gets. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cluster.h"
#include "cli/commands.h"
#include "cli/dns_cluster.h"
#include "core/engine.h"
#include "dns/loopback.h"
#include "dns/resolver.h"

enum { KEY_UPSTREAM = 0x300, KEY_FROM, KEY_LIBC };

struct arguments {
	struct cluster_arguments cluster;
	const char *upstream, *from, *libc, *name;
	bool json;
};

static const struct argp_option option_list[] = {
	{ "file", KEY_FILE, "FILE", 0, "Kubernetes YAML, several times; - is standard input", 0 },
	{ "upstream", KEY_UPSTREAM, "ZONEFILE", 0,
	  "Master file that plays the servers behind forward", 0 },
	{ "from", KEY_FROM, "pod/NS/NAME", 0, "Whose resolv.conf and hosts file", 0 },
	{ "libc", KEY_LIBC, "glibc|musl|busybox", 0,
	  "Which resolver; busybox: its nslookup (default: by the pod's image)", 0 },
	{ "output", 'o', "text|json", 0, "For people (the default) or for programs", 0 },
	{ 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *a = state->input;
	switch (key) {
	case KEY_FILE:
		cluster_option(&a->cluster, key, text, state);
		return 0;
	case KEY_UPSTREAM:
		a->upstream = text;
		return 0;
	case KEY_FROM:
		a->from = text;
		return 0;
	case KEY_LIBC:
		if (strcmp(text, "glibc") != 0 && strcmp(text, "musl") != 0 &&
		    strcmp(text, "busybox") != 0)
			argp_error(state, "--libc %s: expected glibc, musl or busybox", text);
		a->libc = text;
		return 0;
	case 'o':
		if (strcmp(text, "text") != 0 && strcmp(text, "json") != 0)
			argp_error(state, "-o %s: expected text or json", text);
		a->json = *text == 'j';
		return 0;
	case ARGP_KEY_ARG:
		if (a->name)
			argp_error(state, "%s: one NAME is resolved at a time", text);
		a->name = text;
		return 0;
	case ARGP_KEY_END:
		if (!a->cluster.file_count)
			argp_error(state, "-f FILE is missing");
		if (!a->from)
			argp_error(state, "--from pod/NS/NAME is missing");
		if (!a->name)
			argp_error(state, "NAME is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* "pod/NS/NAME", "pod/NAME" (namespace default). */
static const struct kube_pod *find_pod(const struct dns_cluster *c, const char *from,
				       struct err *err)
{
	const char *name = strncmp(from, "pod/", 4) == 0 ? from + 4 : NULL;
	if (!name || !*name) {
		err_set(err, 1, "--from %s: expected pod/NS/NAME", from);
		return NULL;
	}
	const char *slash = strchr(name, '/');
	char *namespace = slash ? arena_strndup(c->arena, name, (size_t)(slash - name)) :
				  arena_strdup(c->arena, "default");
	const struct kube_object *pod =
		kube_store_get(c->store, KIND_POD, namespace, slash ? slash + 1 : name);
	if (!pod)
		err_set(err, 1, "--from %s: there is no pod %s in namespace %s", from,
			slash ? slash + 1 : name, namespace);
	return (const struct kube_pod *)pod;
}

static enum resolver_kind choose_kind(const char *libc, const struct kube_pod *pod)
{
	const char *image = pod->spec.containers.count ? pod->spec.containers.items[0].image : NULL;
	if (!libc)
		return image && strstr(image, "busybox") ? RESOLVER_BUSYBOX :
							   resolver_kind_of_image(image);
	if (strcmp(libc, "musl") == 0)
		return RESOLVER_MUSL;
	return strcmp(libc, "busybox") == 0 ? RESOLVER_BUSYBOX : RESOLVER_GLIBC;
}

/* ---- output -------------------------------------------------------------------- */

/* The name without its final dot, as people write it. */
static const char *plain_name(const struct dns_name *n, char out[DNS_NAME_TEXT])
{
	dns_name_text(n, out);
	size_t length = strlen(out);
	if (length > 1)
		out[length - 1] = 0;
	return out;
}

static const char *error_text(const struct resolver_result *r)
{
	if (r->message[0])
		return r->message;
	return r->address_count || !r->status ? NULL : "nslookup failed";
}

static json_t *query_json(const struct resolver_query *q)
{
	char name[DNS_NAME_TEXT], type[16], rcode[16];
	json_t *types = json_array(), *rcodes = json_object();
	for (uint8_t i = 0; i < q->count; i++) {
		dns_type_text(q->types[i], type);
		json_array_append_new(types, json_string(type));
		if (q->rcodes[i] >= 0)
			json_object_set_new(
			    rcodes, type,
			    json_string(dns_rcode_text((uint16_t)q->rcodes[i], rcode)));
	}
	return json_pack("{s:s, s:o, s:o, s:b, s:s}", "qname", plain_name(&q->name, name), "qtypes",
			 types, "rcodes", rcodes, "same_source_port", q->same_source_port,
			 "transport", q->tcp ? "tcp" : "udp");
}

static void print_json(const struct resolver_result *r)
{
	char text[NET_ADDR_TEXT];
	json_t *queries = json_array(), *addresses = json_array();
	for (uint32_t i = 0; i < r->query_count; i++)
		json_array_append_new(queries, query_json(&r->queries[i]));
	for (uint32_t i = 0; i < r->address_count; i++)
		json_array_append_new(addresses,
				      json_string(net_addr_text(&r->addresses[i], text)));
	const char *error = error_text(r);
	json_t *all = json_pack("{s:o, s:o, s:o, s:f}", "queries", queries, "addresses", addresses,
				"error", error ? json_string(error) : json_null(), "seconds",
				(double)(r->ended_ns - r->started_ns) / 1e9);
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(all);
}

static void print_query(const struct resolver_query *q, int64_t start_ns)
{
	char name[DNS_NAME_TEXT], type[16], rcode[16];
	printf("%8.3f s  %-55s", (double)(q->sent_ns - start_ns) / 1e9, plain_name(&q->name, name));
	for (uint8_t i = 0; i < q->count; i++)
		printf("  %s %s", dns_type_text(q->types[i], type),
		       q->rcodes[i] < 0 ? "unanswered" :
					  dns_rcode_text((uint16_t)q->rcodes[i], rcode));
	printf("%s%s\n", q->tcp ? "  over TCP" : "",
	       q->same_source_port ? "" : "  from different ports");
}

static void print_text(const struct resolver_result *r, const char *conf)
{
	char text[NET_ADDR_TEXT];
	printf("# resolv.conf\n%s\n# queries\n", conf);
	for (uint32_t i = 0; i < r->query_count; i++)
		print_query(&r->queries[i], r->started_ns);
	puts("\n# result");
	for (uint32_t i = 0; i < r->address_count; i++)
		puts(net_addr_text(&r->addresses[i], text));
	const char *error = error_text(r);
	if (error)
		printf("%s\n", error);
	printf("%.3f s\n", (double)(r->ended_ns - r->started_ns) / 1e9);
}

/* ---- the run --------------------------------------------------------------------- */

static void note_done(void *ctx, struct resolver *r, const struct resolver_result *result)
{
	(void)r, (void)result;
	*(bool *)ctx = true;
}

static int resolve(const struct arguments *a, struct dns_cluster *c, struct err *err)
{
	const struct kube_pod *pod = find_pod(c, a->from, err);
	if (!pod)
		return 1;
	struct net_addr client = { 0 };
	struct strbuf conf = { 0 }, hosts = { 0 };
	struct resolver *r = NULL;
	bool done = false, v6 = false;
	if (!pod->status.pod_ip || !net_addr_parse(pod->status.pod_ip, &client))
		net_addr_parse("10.244.0.99", &client);
	for (uint32_t i = 0; i < pod->status.pod_ips.count; i++)
		v6 |= strchr(pod->status.pod_ips.items[i], ':') != NULL;
	pod_resolv_conf(pod, c->store, c->domain, "", &conf, NULL);
	pod_hosts_file(pod, c->domain, &hosts);
	struct engine *engine = engine_new();
	struct loopback *net = loopback_new(engine, c->choice, c->server, &client);
	struct resolver_config config = { .kind = choose_kind(a->libc, pod),
					  .sockets = loopback_sockets(net),
					  .engine = engine,
					  .choice = c->choice,
					  .resolv_conf = strbuf_text(&conf),
					  .hosts = strbuf_text(&hosts),
					  .name = a->name,
					  .has_v4 = true,
					  .has_v6 = v6 };
	int code = resolver_start(&config, note_done, &done, &r, err);
	while (!code && !done && engine_step(engine))
		;
	if (!code && a->json)
		print_json(resolver_result(r));
	else if (!code)
		print_text(resolver_result(r), strbuf_text(&conf));
	resolver_free(r);
	loopback_free(net);
	engine_free(engine);
	strbuf_free(&conf);
	strbuf_free(&hosts);
	return code;
}

int cmd_resolve(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list,
		.parser = parse,
		.args_doc = "NAME",
		.doc = "Resolves NAME as a pod would, against the cluster's DNS, and shows every "
		       "query.\v"
		       "Time is virtual: timeouts cost nothing. Example:\n\n"
		       "  svclab resolve -f cluster.yaml --from pod/default/client example.com\n"
	};
	struct arguments a = { .cluster.seed = 1 };
	struct dns_cluster c;
	struct err err = { "" };
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	struct dns_cluster_options options = { .files = a.cluster.files,
					       .file_count = a.cluster.file_count,
					       .upstream = a.upstream, .seed = a.cluster.seed };
	int code = dns_cluster_open(&options, &c, &err);
	if (!code) {
		code = resolve(&a, &c, &err);
		dns_cluster_close(&c);
	}
	cluster_arguments_free(&a.cluster);
	return code ? fail(argv[0], &err) : EXIT_PASS;
}
