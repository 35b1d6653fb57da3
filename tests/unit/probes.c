/* tests/unit/probes.c: traces agree with real packets through real kube-proxy's rules.
 *
 * The probes (tests/golden/probes) were made on Linux 6.18 with the rules of kube-proxy
 * v1.30.5. Every outcome that was seen must be one that the trace knows, and an outcome
 * that the trace calls likely must have been seen about as often. */
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "check.h"
#include "core/file.h"
#include "dataplanes/registry.h"
#include "world/tracing.h"

#define FOLDER "tests/golden/probes/"

static const char *sender(const json_t *probe, char out[128])
{
	const char *from = json_string_value(json_object_get(probe, "from"));
	const char *src = json_string_value(json_object_get(probe, "src"));
	if (strcmp(from, "pod") == 0)
		snprintf(out, 128, "pod/default/pod");
	else if (strcmp(from, "node") == 0)
		snprintf(out, 128, "node/node-a");
	else if (strcmp(from, "ext") == 0)
		snprintf(out, 128, "outside/%s", src ? src : "192.168.0.100");
	else
		snprintf(out, 128, "%s", from);
	return out;
}

/* "10.244.1.10:8080 sees 10.244.1.99", "refused", "timeout": the probes' words. */
static void outcome_name(const struct trace_outcome *o, char out[160])
{
	char backend[NET_ADDR_TEXT + 8], seen[NET_ADDR_TEXT];
	if (o->verdict == TRACE_DELIVERED && o->has_backend)
		snprintf(out, 160, "%s sees %s", net_endpoint_text(&o->ip, o->port, backend),
			 net_addr_text(&o->client_seen, seen));
	else if (o->verdict == TRACE_REJECTED)
		snprintf(out, 160, "refused");
	else
		snprintf(out, 160, "timeout");
}

static double probability_of(const struct trace_report *r, const char *name)
{
	double sum = 0;
	for (uint32_t i = 0; i < r->count; i++) {
		char known[160];
		outcome_name(&r->outcomes[i], known);
		if (strcmp(known, name) == 0)
			sum += r->outcomes[i].probability;
	}
	return sum;
}

/* Within five standard deviations of a binomial. */
static bool likely(double p, double seen, double count)
{
	return fabs(seen - p * count) <= 5 * sqrt(count * p * (1 - p)) + 1e-6 * count;
}

static void compare(const struct trace_report *r, const json_t *line, const char *what, bool sticky)
{
	const json_t *results = json_object_get(line, "results");
	const char *key;
	json_t *value;
	double count = 0, sum = 0;
	json_object_foreach((json_t *)results, key, value)
		count += (double)json_integer_value(value);
	json_object_foreach((json_t *)results, key, value) {
		double p = probability_of(r, key), n = (double)json_integer_value(value);
		check_note(p > 0, __FILE__, __LINE__, "%s: real Linux saw \"%s\", the trace does not",
			   what, key);
		check_note(sticky || likely(p, n, count), __FILE__, __LINE__,
			   "%s: \"%s\" seen %g times of %g, the trace says %g", what, key, n, count, p);
		sum += p;
	}
	/* What was never seen in `count` tries has to be unlikely. */
	check_note(sticky || pow(fmin(sum, 1), count) > 1e-5, __FILE__, __LINE__,
		   "%s: outcomes of probability %g were never seen in %g tries", what, 1 - sum, count);
}

static void run_probe(struct world *w, const json_t *line, const char *mode)
{
	const json_t *probe = json_object_get(line, "probe");
	struct trace_report report = { 0 };
	struct err err = { "" };
	char from[128], to[128], what[400];
	const char *dst = json_string_value(json_object_get(probe, "dst"));
	int port = (int)json_integer_value(json_object_get(probe, "port"));
	snprintf(to, sizeof to, "%s:%d", dst, port);
	struct trace_query q = { .from = sender(probe, from), .to = to, .proto = PROTO_TCP,
				 .exhaustive = true };
	snprintf(what, sizeof what, "%s step %d, %s -> %s", mode,
		 (int)json_integer_value(json_object_get(line, "step")), from, to);
	int code = world_trace(w, &q, &report, &err);
	if (check_note(code == 0, __FILE__, __LINE__, "%s: %s", what, err.text))
		compare(&report, line, what, strcmp(dst, "10.96.0.30") == 0);
	trace_report_free(&report);
}

static struct world *open_step(const char *mode, int step)
{
	char file[128];
	const char *files[1] = { file };
	struct err err = { "" };
	struct world *w = NULL;
	struct world_options options = { .registry = &dataplanes, .dataplane = mode, .seed = 1,
					 .version = KUBE_1_30, .snapshot = true };
	snprintf(file, sizeof file, FOLDER "five-%d.yaml", step);
	int code = world_new(&options, &w, &err);
	if (!code)
		code = world_load(w, files, 1, &err);
	check_note(code == 0, __FILE__, __LINE__, "%s", err.text);
	return w;
}

static void probes(const char *mode)
{
	char path[128];
	struct strbuf text = { 0 };
	struct err err = { "" };
	snprintf(path, sizeof path, FOLDER "five-%s.jsonl", mode);
	if (!check_note(file_read(path, &text, &err) == 0, __FILE__, __LINE__, "%s", err.text))
		return;
	struct world *w = NULL;
	int at = -1, lines = 0;
	for (char *save = NULL, *l = strtok_r(text.data, "\n", &save); l;
	     l = strtok_r(NULL, "\n", &save)) {
		json_t *line = json_loads(l, 0, NULL);
		int step = (int)json_integer_value(json_object_get(line, "step"));
		if (step != at) {
			world_free(w);
			w = open_step(mode, at = step);
		}
		run_probe(w, line, mode);
		json_decref(line);
		lines++;
	}
	CHECK(lines > 20);
	world_free(w);
	strbuf_free(&text);
}

static void iptables_probes(void)
{
	probes("iptables");
}

static void nftables_probes(void)
{
	probes("nftables");
}

static const struct check tests[] = {
	{ "iptables mode: packets fare as on Linux 6.18 with the rules of kube-proxy v1.30.5",
	  iptables_probes },
	{ "nftables mode: packets fare as on Linux 6.18 with the rules of kube-proxy v1.30.5",
	  nftables_probes },
};

CHECK_MAIN(tests)
