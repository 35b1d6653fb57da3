/* cli/new.c: svclab new: begins a scenario. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cluster.h"
#include "cli/commands.h"
#include "core/file.h"

struct arguments {
	const char *kind, *name;
};

/* Passes as it stands: who begins sees a green run first and then changes it. %s
 * is the scenario's name. */
static const char text[] =
	"-- A sentence of intent: what a user would see, and when. One behaviour, about 40 lines.\n"
	"scenario {\n"
	"  name = \"%s\",\n"
	"  refs = {}, -- IDs of the behaviours that it shows, \"SEL-01\"\n"
	"  nodes = { \"a\", \"b\" },\n"
	"}\n"
	"apply [[\n"
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata: {name: web}\n"
	"spec:\n"
	"  replicas: 2\n"
	"  selector: {matchLabels: {app: web}}\n"
	"  template:\n"
	"    metadata: {labels: {app: web}}\n"
	"    spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web}\n"
	"spec: {selector: {app: web}, ports: [{port: 80}]}\n"
	"]]\n"
	"local cli = pod { name = \"cli\", node = \"a\" }\n"
	"\n"
	"it(\"reaches the Service\", function()\n"
	"  rollout \"deployment/web\" -- waits for pods, endpoints and every node's rules\n"
	"  local result = cli:request \"svc/web:80\"\n"
	"  expect(result.error):is_nil()\n"
	"  expect(result.backend):matches \"^default/web\"\n"
	"end)\n";

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct arguments *a = state->input;
	switch (key) {
	case ARGP_KEY_ARG:
		if (state->arg_num == 0 && strcmp(word, "scenario") != 0)
			argp_error(state, "nothing to begin called \"%s\"; expected scenario", word);
		if (state->arg_num > 1)
			argp_error(state, "%s: expected one NAME only", word);
		*(state->arg_num ? &a->name : &a->kind) = word;
		return 0;
	case ARGP_KEY_END:
		if (!a->name)
			argp_error(state, "expected scenario NAME");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* TOPIC/BEHAVIOUR in the way that files are named here; ".lua" at the end may be there. */
static bool good_name(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool word = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9');
		bool between = (name[i] == '-' || name[i] == '/') && i && i + 1 < length && name[i - 1] != '/' &&
			       name[i - 1] != '-';
		if (!word && !between)
			return false;
	}
	return length > 0 && length < 200;
}

static int begin(const char *name, struct strbuf *path, struct err *err)
{
	size_t length = strlen(name);
	struct strbuf folder = { 0 }, script = { 0 };
	struct stat there;
	if (strncmp(name, "scenarios/", 10) == 0)
		name += 10, length -= 10;
	if (length > 4 && strcmp(name + length - 4, ".lua") == 0)
		length -= 4;
	if (!good_name(name, length))
		return err_set(err, EINVAL, "NAME \"%s\": expected TOPIC/BEHAVIOUR of small letters, digits and "
				"hyphens, as nodeport/outside-client", name);
	bool tree = stat("scenarios", &there) == 0 && S_ISDIR(there.st_mode);
	strbuf_printf(path, "%s%.*s.lua", tree ? "scenarios/" : "", (int)length, name);
	if (access(strbuf_text(path), F_OK) == 0)
		return err_set(err, EEXIST, "%s is there already", strbuf_text(path));
	const char *slash = strrchr(strbuf_text(path), '/');
	const char *stem = slash ? slash + 1 : strbuf_text(path);
	strbuf_add(&folder, strbuf_text(path), slash ? (size_t)(slash - strbuf_text(path)) : 0);
	char *title = strndup(stem, strlen(stem) - 4);
	for (char *c = title; *c; c++)
		*c = *c == '-' ? ' ' : *c;
	strbuf_printf(&script, text, title);
	int code = folder.length ? file_make_folder(strbuf_text(&folder), err) : 0;
	if (!code)
		code = file_write(strbuf_text(path), strbuf_text(&script), script.length, err);
	free(title);
	strbuf_free(&folder);
	strbuf_free(&script);
	return code;
}

int cmd_new(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse, .args_doc = "scenario NAME",
		.doc = "Begins a scenario: a file that passes and waits to be changed.\v"
		       "NAME is TOPIC/BEHAVIOUR; the file lies under scenarios/ where there is such a folder, "
		       "else here. A file that is there is left alone.\n\n"
		       "  svclab new scenario nodeport/outside-client\n\n"
		       "Exit codes: 0 written, 2 usage or an error of the file system." };
	struct arguments a = { 0 };
	struct strbuf path = { 0 };
	struct err err = { "" };
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	int code = begin(a.name, &path, &err);
	if (!code)
		printf("%s\nnext: svclab run --watch %s\n", strbuf_text(&path), strbuf_text(&path));
	strbuf_free(&path);
	return code ? fail(argv[0], &err) : EXIT_PASS;
}
