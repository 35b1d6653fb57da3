/* exec/text.c: the lines of the protocol. See exec.h. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "dataplanes/exec/exec.h"
#include "kube/store.h"
#include "kube/value.h"

static const char *version_text(enum kube_version v)
{
	return v == KUBE_1_20 ? "1.20" : v == KUBE_1_25 ? "1.25" : v == KUBE_1_30 ? "1.30" : "1.34";
}

static void add_text(json_t *object, const char *name, const char *text)
{
	json_t *value = json_string(text ? text : "");
	json_object_set_new(object, name, value ? value : json_string("(not UTF-8)"));
}

static json_t *addresses(const struct proxy_view *view)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < view->node_addr_count; i++) {
		char text[NET_ADDR_TEXT];
		json_t *one = json_object();
		add_text(one, "address", net_prefix_text(&view->node_addrs[i], text));
		add_text(one, "interface", view->node_addr_devs[i]);
		json_array_append_new(list, one);
	}
	return list;
}

static void end_line(json_t *line, struct strbuf *out)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS);
	strbuf_puts(out, text ? text : "{}");
	free(text);
	json_decref(line);
}

void text_open(const struct proxy_view *view, struct strbuf *out)
{
	json_t *line = json_object();
	add_text(line, "op", "open");
	json_object_set_new(line, "protocol", json_integer(EXEC_PROTOCOL));
	add_text(line, "node", view->node);
	add_text(line, "version", version_text(view->version));
	end_line(line, out);
}

/* The objects of a kind as `kubectl get -o json` shows them, by namespace and name. They are
 * printed by the schema, not through jansson: there may be thousands. */
static void objects(const struct proxy_view *view, enum kube_kind kind, struct strbuf *out)
{
	uint32_t cursor = 0;
	const struct kube_object *o;
	const char *separator = "";
	strbuf_putc(out, '[');
	while ((o = kube_store_next(view->store, kind, NULL, &cursor)) != NULL) {
		struct arena *a = arena_new();
		strbuf_puts(out, separator);
		value_print_json(value_from_object(a, o), 0, out);
		while (out->length && out->data[out->length - 1] == '\n')
			out->data[--out->length] = '\0';
		arena_free(a);
		separator = ",";
	}
	strbuf_putc(out, ']');
}

void text_plan(const struct proxy_view *view, const struct plan_request *request, struct strbuf *out)
{
	static const struct { const char *name; enum kube_kind kind; } kinds[] = {
		{ "services", KIND_SERVICE }, { "endpointSlices", KIND_ENDPOINT_SLICE }, { "nodes", KIND_NODE },
		{ "configuration", KIND_KUBE_PROXY_CONFIGURATION },
	};
	struct strbuf head = { 0 };
	json_t *line = json_object(), *changed = json_array();
	for (uint32_t i = 0; i < request->changed_count; i++)
		json_array_append_new(changed, json_string(request->changed[i]));
	add_text(line, "op", "plan");
	json_object_set_new(line, "full", json_boolean(request->full));
	json_object_set_new(line, "changed", changed);
	json_object_set_new(line, "addresses", addresses(view));
	end_line(line, &head);
	strbuf_add(out, strbuf_text(&head), head.length - 1); /* the brace comes at the end */
	strbuf_free(&head);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		strbuf_printf(out, ",\"%s\":", kinds[i].name);
		objects(view, kinds[i].kind, out);
	}
	strbuf_putc(out, '}');
}

/* ---- answers --------------------------------------------------------------------- */

static bool tool_named(const char *name, enum tx_tool *tool)
{
	for (enum tx_tool t = TX_IPTABLES_RESTORE; t <= TX_ROUTE; t++)
		if (strcmp(tx_tool_name(t), name) == 0) {
			*tool = t;
			return true;
		}
	return false;
}

static int read_transaction(const char *path, size_t at, const json_t *j, struct transactions *out,
			    struct err *err)
{
	const char *name = json_string_value(json_object_get(j, "tool"));
	const json_t *text = json_object_get(j, "text");
	enum tx_tool tool;
	if (!name || !tool_named(name, &tool))
		return err_set(err, ENOTRECOVERABLE, "%s: transaction %zu: tool \"%s\"; expected iptables-restore, "
				"ip6tables-restore, iptables, ip6tables, nft, ipset, ipvsadm, addr, sysctl, "
				"conntrack or ip route", path, at + 1, name ? name : "");
	if (!json_is_string(text))
		return err_set(err, ENOTRECOVERABLE, "%s: transaction %zu has no \"text\"; expected what %s reads",
			       path, at + 1, name);
	transaction_add(transactions_add(out, tool), block_new(json_string_value(text), json_string_length(text)));
	return 0;
}

static int no_answer(const char *path, const char *asked, const char *why, struct err *err)
{
	return err_set(err, ENOTRECOVERABLE, "%s: the answer to \"%s\" is no JSON object in one line: %s", path,
		       asked, why);
}

int text_read(const char *path, const char *asked, const struct strbuf *answer, struct transactions *out,
	      struct err *err)
{
	json_error_t wrong;
	json_t *j = json_loadb(strbuf_text(answer), answer->length, 0, &wrong);
	int code = 0;
	if (!json_is_object(j)) {
		json_decref(j);
		return no_answer(path, asked, j ? "expected {...}" : wrong.text, err);
	}
	const char *said = json_string_value(json_object_get(j, "error"));
	const json_t *list = json_object_get(j, "transactions");
	if (said)
		code = err_set(err, EINVAL, "%s: %s", path, said);
	else if (out && !json_is_array(list))
		code = err_set(err, ENOTRECOVERABLE, "%s: the answer to \"%s\" has no array \"transactions\"", path,
			       asked);
	else if (!out && json_integer_value(json_object_get(j, "protocol")) != EXEC_PROTOCOL)
		code = err_set(err, ENOTRECOVERABLE, "%s: the answer to \"%s\" has not \"protocol\": %d; this svclab "
				"speaks version %d", path, asked, EXEC_PROTOCOL, EXEC_PROTOCOL);
	for (size_t i = 0; !code && out && i < json_array_size(list); i++)
		code = read_transaction(path, i, json_array_get(list, i), out, err);
	json_decref(j);
	return code;
}
