/* tests/unit/kube_validate.c: what the API server refuses, says and allocates.
 *
 * The cases are in tests/golden/validation (its README has the format); each is put
 * through the same verbs that kubectl uses. */
#include <stdlib.h>

#include "check.h"
#include "core/file.h"
#include "kube/admit.h"
#include "kube/manifest.h"
#include "kube/schema.h"

#define FOLDER "tests/golden/validation/"

struct bench { /* a cluster for one case */
	struct choice *choice;
	struct kube_store *store;
	struct kube_admit *admit;
	struct kube_answer answer;
	bool status, create;
	enum kube_kind kind;        /* of the last object, with its key */
	char namespace[64], name[128];
};

static void bench_open(struct bench *b, bool dual)
{
	struct kube_admit_options options = {
		{ "10.96.0.0/12", dual ? "fd00::/112" : NULL }, 0, 0, NULL
	};
	*b = (struct bench){ .choice = choice_new(1) };
	options.choice = b->choice;
	b->store = kube_store_new(NULL, b->choice);
	b->admit = kube_admit_new(b->store, &options);
}

static void bench_close(struct bench *b)
{
	kube_answer_free(&b->answer);
	kube_admit_free(b->admit);
	kube_store_free(b->store);
	choice_free(b->choice);
}

static int submit(void *ctx, struct kube_object *o, struct err *err)
{
	struct bench *b = ctx;
	const char *namespace = o->meta.namespace ? o->meta.namespace : "";
	(void)err;
	b->kind = o->kind;
	snprintf(b->namespace, sizeof b->namespace, "%s", namespace);
	snprintf(b->name, sizeof b->name, "%s", o->meta.name ? o->meta.name : "");
	bool exists = kube_store_get(b->store, o->kind, namespace, o->meta.name);
	if (b->status)
		kube_admit_update_status(b->admit, o, &b->answer);
	else if (exists && !b->create)
		kube_admit_update(b->admit, o, &b->answer);
	else
		kube_admit_create(b->admit, o, &b->answer);
	return 0;
}

/* Metadata rules need objects without a name, which a manifest cannot have. */
static bool send_text(struct bench *b, const char *text, size_t length, const char *place, int line)
{
	struct manifest_options options = { .namespace = "default" };
	struct err err = { "" };
	if (length > 30 && strstr(text, "name: \"\"") &&
	    strstr(text, "name: \"\"") < text + length) {
		struct kube_object *o = kube_new(KIND_CONFIG_MAP);
		o->meta.namespace = kube_string(o, "default");
		return submit(b, o, &err) == 0;
	}
	int code = manifest_read(text, length, place, &options, submit, b, &err);
	return check_note(code == 0, place, line, "%s", err.text);
}

/* The answer in the notation of the cases. */
static char *answer_lines(const struct kube_answer *a)
{
	struct strbuf out = { 0 };
	bool invalid = a->reason && strcmp(a->reason, "Invalid") == 0;
	if (a->reason && !invalid)
		strbuf_printf(&out, "! %s: %s\n", a->reason, strbuf_text(&a->message));
	for (const char *p = strbuf_text(&a->causes); invalid && *p; p += strcspn(p, "\n") + 1)
		strbuf_printf(&out, "> %.*s\n", (int)strcspn(p, "\n"), p);
	for (const char *p = strbuf_text(&a->warnings); !a->reason && *p; p += strcspn(p, "\n") + 1)
		strbuf_printf(&out, "? %.*s\n", (int)strcspn(p, "\n"), p);
	return strbuf_steal(&out);
}

/* One case: lines from after its title up to the next. */
static void run_case(const char *place, int line, const char *title, const char *p,
		     const char *end)
{
	struct bench b;
	struct strbuf manifest = { 0 }, expected = { 0 };
	bool dual = strncmp(p, "@dual\n", 6) == 0, status = false;
	bench_open(&b, dual);
	while (p < end) {
		size_t n = strcspn(p, "\n");
		if (n > 1 && strchr(">!?", *p) && p[1] == ' ') {
			strbuf_add(&expected, p, n + 1);
		} else if (strncmp(p, "@before\n", 8) == 0) {
			if (manifest.length)
				send_text(&b, manifest.data, manifest.length, place, line);
			check_note(!b.answer.reason, place, line, "%s: %s", title,
				   strbuf_text(&b.answer.message));
			strbuf_clear(&manifest);
		} else if (strncmp(p, "@delete\n", 8) == 0) {
			send_text(&b, manifest.data, manifest.length, place, line);
			strbuf_clear(&manifest);
			kube_admit_delete(b.admit, b.kind, b.namespace, b.name, NULL, &b.answer);
		} else if (strncmp(p, "@status\n", 8) == 0) {
			status = true;
		} else if (strncmp(p, "@create\n", 8) == 0) {
			b.create = true;
		} else if (*p != '@') {
			strbuf_add(&manifest, p, n + 1);
		}
		p += n + 1;
	}
	b.status = status;
	send_text(&b, strbuf_text(&manifest), manifest.length, place, line);
	char *actual = answer_lines(&b.answer);
	check_note(strcmp(actual, strbuf_text(&expected)) == 0, place, line,
		   "%s\n  expected: %s\n  actual:   %s", title, strbuf_text(&expected), actual);
	free(actual);
	strbuf_free(&manifest);
	strbuf_free(&expected);
	bench_close(&b);
}


static void run_file(const char *name)
{
	struct strbuf text = { 0 };
	struct err err = { "" };
	char place[128], title[256];
	int line = 1;
	snprintf(place, sizeof place, FOLDER "%s", name);
	if (file_read(place, &text, &err))
		check_note(false, place, 0, "%s", err.text);
	for (const char *p = strbuf_text(&text); *p;) {
		size_t n = strcspn(p, "\n");
		snprintf(title, sizeof title, "%.*s", (int)n, p);
		const char *body = p + n + 1, *next = strstr(body, "\n=== ");
		next = next ? next + 1 : body + strlen(body);
		run_case(place, line, title, body, next);
		for (; p < next; p++)
			line += *p == '\n';
	}
	strbuf_free(&text);
}

static void metadata(void) { run_file("metadata.txt"); }
static void services(void) { run_file("service.txt"); }
static void endpoints(void) { run_file("endpoints.txt"); }
static void pods(void) { run_file("pod.txt"); }
static void workloads(void) { run_file("workload.txt"); }
static void cluster(void) { run_file("cluster.txt"); }

static const struct check tests[] = {
	{ "metadata and selectors are refused with the API server's words", metadata },
	{ "Services are refused, changed and warned about as by the API server", services },
	{ "Endpoints and EndpointSlices are refused with the API server's words", endpoints },
	{ "Pods are refused, changed and warned about as by the API server", pods },
	{ "workloads are refused with the API server's words", workloads },
	{ "Ingress, Node, claims and ranges are refused with the API server's words", cluster },
};

CHECK_MAIN(tests)
