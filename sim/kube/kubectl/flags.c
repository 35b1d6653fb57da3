/* kube/kubectl/flags.c: which flags a verb has, and reading them.
 *
 * As pflag does: --name=value, --name value, -nvalue, -n value, letters in a row; flags
 * and arguments may be mixed; "--" ends the flags.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/internal.h"

enum flag_kind { SWITCH, VALUE, OPTIONAL /* --name alone means `bare` */ };

struct flag_row {
	const char *name;
	char letter;
	enum flag_kind kind;
	const char *verbs; /* blanks around each; NULL: all */
	const char *bare;
};

#define LISTS " get describe delete label annotate scale set rollout wait expose patch edit taint "
#define FILES " get describe apply create replace delete scale expose edit patch label annotate " \
	      "rollout set wait exec "
#define MAKES " apply create replace run expose label annotate patch delete set scale taint " \
	      "cordon uncordon drain edit rollout config "

static const struct flag_row rows[] = {
	{ "namespace", 'n', VALUE, NULL, NULL },
	{ "context", 0, VALUE, NULL, NULL },
	{ "kubeconfig", 0, VALUE, NULL, NULL },
	{ "cluster", 0, VALUE, NULL, NULL },
	{ "user", 0, VALUE, NULL, NULL },
	{ "server", 's', VALUE, NULL, NULL },
	{ "request-timeout", 0, VALUE, NULL, NULL },
	{ "v", 'v', VALUE, NULL, NULL },
	{ "output", 'o', VALUE, NULL, NULL },
	{ "selector", 'l', VALUE, LISTS " apply drain logs ", NULL },
	{ "selector", 0, VALUE, " run ", NULL },
	{ "all-namespaces", 'A', SWITCH, " get describe delete label annotate events wait rollout ",
	  NULL },
	{ "all", 0, SWITCH, " delete label annotate scale set wait taint apply ", NULL },
	{ "filename", 'f', VALUE, FILES, NULL },
	{ "kustomize", 'k', VALUE, FILES, NULL },
	{ "recursive", 'R', SWITCH, FILES, NULL },
	{ "recursive", 0, SWITCH, " explain ", NULL },
	{ "watch", 'w', SWITCH, " get events ", NULL },
	{ "watch", 'w', OPTIONAL, " rollout ", "true" },
	{ "watch-only", 0, SWITCH, " get ", NULL },
	{ "output-watch-events", 0, SWITCH, " get ", NULL },
	{ "no-headers", 0, SWITCH, " get api-resources events ", NULL },
	{ "show-labels", 0, SWITCH, " get label ", NULL },
	{ "show-kind", 0, SWITCH, " get ", NULL },
	{ "show-managed-fields", 0, SWITCH, " get create apply ", NULL },
	{ "label-columns", 'L', VALUE, " get ", NULL },
	{ "sort-by", 0, VALUE, " get api-resources ", NULL },
	{ "field-selector", 0, VALUE, " get delete describe label annotate wait ", NULL },
	{ "ignore-not-found", 0, SWITCH, " get delete ", NULL },
	{ "allow-missing-template-keys", 0, OPTIONAL, " get ", "true" },
	{ "chunk-size", 0, VALUE, " get describe ", NULL },
	{ "show-events", 0, OPTIONAL, " describe ", "true" },
	{ "dry-run", 0, OPTIONAL, MAKES, "unchanged" },
	{ "force", 0, SWITCH, " apply replace delete drain ", NULL },
	{ "grace-period", 0, VALUE, " apply replace delete drain ", NULL },
	{ "now", 0, SWITCH, " delete ", NULL },
	{ "wait", 0, OPTIONAL, " delete apply replace ", "true" },
	{ "timeout", 0, VALUE, " delete apply replace rollout wait drain scale ", NULL },
	{ "cascade", 0, OPTIONAL, " delete apply replace ", "background" },
	{ "server-side", 0, SWITCH, " apply ", NULL },
	{ "prune", 0, SWITCH, " apply ", NULL },
	{ "overwrite", 0, OPTIONAL, " apply label annotate taint ", "true" },
	{ "validate", 0, OPTIONAL, " apply create replace ", "strict" },
	{ "save-config", 0, SWITCH, " create replace run expose ", NULL },
	{ "record", 0, OPTIONAL, MAKES, "true" },
	{ "field-manager", 0, VALUE, MAKES, NULL },
	{ "replicas", 0, VALUE, " scale ", NULL },
	{ "replicas", 'r', VALUE, " create ", NULL },
	{ "current-replicas", 0, VALUE, " scale ", NULL },
	{ "resource-version", 0, VALUE, " scale label annotate ", NULL },
	{ "image", 0, VALUE, " create run ", NULL },
	{ "port", 0, VALUE, " create run expose ", NULL },
	{ "target-port", 0, VALUE, " expose ", NULL },
	{ "type", 0, VALUE, " expose patch ", NULL },
	{ "name", 0, VALUE, " expose ", NULL },
	{ "protocol", 0, VALUE, " expose ", NULL },
	{ "cluster-ip", 0, VALUE, " expose ", NULL },
	{ "external-ip", 0, VALUE, " expose ", NULL },
	{ "load-balancer-ip", 0, VALUE, " expose ", NULL },
	{ "session-affinity", 0, VALUE, " expose ", NULL },
	{ "tcp", 0, VALUE, " create ", NULL },
	{ "node-port", 0, VALUE, " create ", NULL },
	{ "clusterip", 0, VALUE, " create ", NULL },
	{ "external-name", 0, VALUE, " create ", NULL },
	{ "from-literal", 0, VALUE, " create ", NULL },
	{ "from-file", 0, VALUE, " create ", NULL },
	{ "class", 0, VALUE, " create ", NULL },
	{ "rule", 0, VALUE, " create ", NULL },
	{ "labels", 'l', VALUE, " run expose ", NULL },
	{ "annotations", 0, VALUE, " run ", NULL },
	{ "env", 'e', VALUE, " run set ", NULL },
	{ "command", 0, SWITCH, " run ", NULL },
	{ "restart", 0, VALUE, " run ", NULL },
	{ "rm", 0, SWITCH, " run ", NULL },
	{ "expose", 0, SWITCH, " run ", NULL },
	{ "overrides", 0, VALUE, " run expose ", NULL },
	{ "image-pull-policy", 0, VALUE, " run ", NULL },
	{ "attach", 0, SWITCH, " run ", NULL },
	{ "stdin", 'i', SWITCH, " run exec ", NULL },
	{ "tty", 't', SWITCH, " run exec ", NULL },
	{ "quiet", 'q', SWITCH, " run exec ", NULL },
	{ "pod-running-timeout", 0, VALUE, " run exec logs ", NULL },
	{ "patch", 'p', VALUE, " patch ", NULL },
	{ "patch-file", 0, VALUE, " patch edit ", NULL },
	{ "containers", 'c', VALUE, " set ", NULL },
	{ "subresource", 0, VALUE, " get patch edit ", NULL },
	{ "to-revision", 0, VALUE, " rollout ", NULL },
	{ "revision", 0, VALUE, " rollout ", NULL },
	{ "for", 0, VALUE, " wait events ", NULL },
	{ "container", 'c', VALUE, " exec logs ", NULL },
	{ "all-containers", 0, SWITCH, " logs ", NULL },
	{ "previous", 'p', SWITCH, " logs ", NULL },
	{ "follow", 'f', SWITCH, " logs ", NULL },
	{ "tail", 0, VALUE, " logs ", NULL },
	{ "since", 0, VALUE, " logs ", NULL },
	{ "timestamps", 0, SWITCH, " logs ", NULL },
	{ "prefix", 0, SWITCH, " logs ", NULL },
	{ "ignore-daemonsets", 0, SWITCH, " drain ", NULL },
	{ "delete-emptydir-data", 0, SWITCH, " drain ", NULL },
	{ "delete-local-data", 0, SWITCH, " drain ", NULL },
	{ "disable-eviction", 0, SWITCH, " drain ", NULL },
	{ "pod-selector", 0, VALUE, " drain ", NULL },
	{ "list", 0, SWITCH, " label annotate set ", NULL },
	{ "local", 0, SWITCH, " label annotate set patch ", NULL },
	{ "api-version", 0, VALUE, " explain ", NULL },
	{ "api-group", 0, VALUE, " api-resources ", NULL },
	{ "namespaced", 0, OPTIONAL, " api-resources ", "true" },
	{ "types", 0, VALUE, " events ", NULL },
	{ "client", 0, SWITCH, " version ", NULL },
	{ "current", 0, SWITCH, " config ", NULL },
	{ "minify", 0, SWITCH, " config ", NULL },
};

static bool has_verb(const struct flag_row *r, const char *verb)
{
	size_t n = strlen(verb);
	if (!r->verbs)
		return true;
	for (const char *p = strstr(r->verbs, verb); p; p = strstr(p + 1, verb))
		if (p[-1] == ' ' && p[n] == ' ')
			return true;
	return false;
}

static const struct flag_row *find(const struct call *c, const char *name, size_t length,
				   char letter)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!has_verb(&rows[i], c->verb))
			continue;
		if (letter ? rows[i].letter == letter
			   : strlen(rows[i].name) == length && !memcmp(rows[i].name, name, length))
			return &rows[i];
	}
	return NULL;
}

static void add(struct call *c, const struct flag_row *r, const char *value)
{
	struct flag_value *l = arena_array(c->arena, c->flag_count + 1, sizeof *l);
	if (c->flag_count)
		memcpy(l, c->flags, c->flag_count * sizeof *l);
	l[c->flag_count++] = (struct flag_value){ r->name, value };
	c->flags = l;
}

static int misuse(struct call *c, const char *what)
{
	strbuf_printf(c->err, "error: %s\nSee 'kubectl %s --help' for usage.\n", what, c->verb);
	return 1;
}

/* Reads the flag at argv[*i]; moves *i over its value. */
static int long_flag(struct call *c, int argc, char *const *argv, int *i)
{
	const char *text = argv[*i] + 2;
	size_t n = strcspn(text, "=");
	const struct flag_row *r = find(c, text, n, 0);
	if (!r)
		return misuse(c, arena_printf(c->arena, "unknown flag: --%.*s", (int)n, text));
	if (text[n] == '=')
		add(c, r, text + n + 1);
	else if (r->kind == SWITCH)
		add(c, r, "true");
	else if (r->kind == OPTIONAL)
		add(c, r, r->bare);
	else if (*i + 1 < argc)
		add(c, r, argv[++*i]);
	else
		return misuse(c, arena_printf(c->arena, "flag needs an argument: --%s", r->name));
	return 0;
}

static int letters(struct call *c, int argc, char *const *argv, int *i)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct flag_row *r = find(c, NULL, 0, *p);
		if (!r)
			return misuse(c,
				      arena_printf(c->arena, "unknown shorthand flag: '%c' in -%s",
						   *p, argv[*i] + 1));
		if (r->kind != VALUE && p[1] == '=') {
			add(c, r, p + 2);
			return 0;
		}
		if (r->kind != VALUE) {
			add(c, r, r->bare ? r->bare : "true");
			continue;
		}
		if (p[1])
			add(c, r, p[1] == '=' ? p + 2 : p + 1);
		else if (*i + 1 < argc)
			add(c, r, argv[++*i]);
		else
			return misuse(c,
				      arena_printf(c->arena, "flag needs an argument: '%c' in -%s",
						   *p, argv[*i] + 1));
		return 0;
	}
	return 0;
}

int flags_parse(struct call *c, int argc, char *const *argv)
{
	c->args = arena_array(c->arena, (size_t)argc + 1, sizeof *c->args);
	c->dash = -1;
	for (int i = 0; i < argc; i++) {
		int code = 0;
		if (c->dash < 0 && strcmp(argv[i], "--") == 0)
			c->dash = (int)c->arg_count;
		else if (c->dash < 0 && strncmp(argv[i], "--", 2) == 0)
			code = long_flag(c, argc, argv, &i);
		else if (c->dash < 0 && argv[i][0] == '-' && argv[i][1])
			code = letters(c, argc, argv, &i);
		else
			c->args[c->arg_count++] = arena_strdup(c->arena, argv[i]);
		if (code)
			return code;
	}
	return 0;
}

const char *call_flag(const struct call *c, const char *name)
{
	for (uint32_t i = c->flag_count; i-- > 0;)
		if (strcmp(c->flags[i].name, name) == 0)
			return c->flags[i].value;
	return NULL;
}

bool call_flag_on(const struct call *c, const char *name)
{
	const char *value = call_flag(c, name);
	return value && strcmp(value, "false") != 0;
}

const char *call_flag_nth(const struct call *c, const char *name, uint32_t n)
{
	for (uint32_t i = 0; i < c->flag_count; i++)
		if (strcmp(c->flags[i].name, name) == 0 && n-- == 0)
			return c->flags[i].value;
	return NULL;
}
