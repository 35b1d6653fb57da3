/* kube/kubectl/columns.c: columns of every kind, and the cells of small kinds.
 *
 * Source: pkg/printers/internalversion/printers.go.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/internal.h"

void row_cell(struct row *r, const char *text)
{
	if (r->count < sizeof r->cells / sizeof *r->cells)
		r->cells[r->count++] = text;
}

void row_cellf(struct call *c, struct row *r, const char *fmt, ...)
{
	struct strbuf b = { 0 };
	va_list ap;
	va_start(ap, fmt);
	strbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	row_cell(r, arena_strdup(c->arena, strbuf_text(&b)));
	strbuf_free(&b);
}

const char *words_shorten(struct call *c, char **items, uint32_t count, uint32_t most)
{
	struct strbuf b = { 0 };
	for (uint32_t i = 0; i < count && i < most; i++)
		strbuf_printf(&b, "%s%s", i ? "," : "", items[i]);
	if (count > most)
		strbuf_printf(&b, " + %u more...", count - most);
	const char *text = arena_strdup(c->arena, strbuf_text(&b));
	strbuf_free(&b);
	return text;
}

static void age(struct call *c, const struct kube_object *o, struct row *r)
{
	row_cell(r, age_of(c, o->meta.creation_ns));
}

/* ---- nodes, namespaces ----------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *node_roles(struct call *c, const struct kube_node *n)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	const struct kube_map *m = &n->object.meta.labels;
	struct kube_strings roles = { 0 };
	roles.items = arena_array(c->arena, m->count + 1, sizeof *roles.items);
	for (uint32_t i = 0; i < m->count; i++) {
		const char *key = m->items[i].key;
		if (strncmp(key, prefix, sizeof prefix - 1) == 0 && key[sizeof prefix - 1])
			roles.items[roles.count++] = key + sizeof prefix - 1;
		else if (strcmp(key, "kubernetes.io/role") == 0 && m->items[i].value)
			roles.items[roles.count++] = m->items[i].value;
	}
	if (roles.count > 1)
		qsort(roles.items, roles.count, sizeof *roles.items, by_text);
	return words_join(c, &roles, ",", "<none>");
}

static const char *node_address(const struct kube_node *n, const char *type)
{
	for (uint32_t i = 0; i < n->status.addresses.count; i++)
		if (kube_is(n->status.addresses.items[i].type, type))
			return n->status.addresses.items[i].address;
	return "<none>";
}

static void row_node(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_node *n = (const struct kube_node *)o;
	const struct kube_condition *ready = condition_find(&n->status.conditions, "Ready");
	const char *state = !ready			     ? "Unknown"
			    : kube_is(ready->status, "True") ? "Ready"
							     : "NotReady";
	row_cell(r, o->meta.name);
	row_cellf(c, r, "%s%s", state,
		  n->spec.unschedulable == TRI_TRUE ? ",SchedulingDisabled" : "");
	row_cell(r, node_roles(c, n));
	age(c, o, r);
	row_cell(r, text_or(n->status.info.kubelet_version, ""));
	row_cell(r, node_address(n, "InternalIP"));
	row_cell(r, node_address(n, "ExternalIP"));
	row_cell(r, text_or(n->status.info.os_image, "<unknown>"));
	row_cell(r, text_or(n->status.info.kernel_version, "<unknown>"));
	row_cell(r, text_or(n->status.info.container_runtime, "<unknown>"));
}

static void row_namespace(struct call *c, const struct kube_object *o, struct row *r)
{
	row_cell(r, o->meta.name);
	row_cell(r, text_or(((const struct kube_namespace *)o)->status.phase, "Active"));
	age(c, o, r);
}

/* ---- storage --------------------------------------------------------------------- */

static const char *modes(struct call *c, const struct kube_strings *l)
{
	static const char *const names[][2] = { { "ReadWriteOnce", "RWO" },
						{ "ReadOnlyMany", "ROX" },
						{ "ReadWriteMany", "RWX" },
						{ "ReadWriteOncePod", "RWOP" } };
	const char *items[4];
	struct kube_strings short_names = { items, 0 };
	for (size_t i = 0; i < 4; i++)
		for (uint32_t j = 0; j < l->count; j++)
			if (strcmp(l->items[j], names[i][0]) == 0) {
				items[short_names.count++] = names[i][1];
				break;
			}
	return words_join(c, &short_names, ",", "");
}

static void row_pv(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_pv *v = (const struct kube_pv *)o;
	row_cell(r, o->meta.name);
	row_cell(r, text_or(kube_map_get(&v->spec.capacity, "storage"), ""));
	row_cell(r, modes(c, &v->spec.access_modes));
	row_cell(r, text_or(v->spec.reclaim_policy, "Retain"));
	row_cell(r, o->meta.deletion_ns ? "Terminating" : text_or(v->status.phase, "Available"));
	if (v->spec.claim.name)
		row_cellf(c, r, "%s/%s", text_or(v->spec.claim.namespace, ""), v->spec.claim.name);
	else
		row_cell(r, "");
	row_cell(r, text_or(v->spec.storage_class, ""));
	row_cell(r, "<unset>");
	row_cell(r, "");
	age(c, o, r);
	row_cell(r, text_or(v->spec.volume_mode, "<unset>"));
}

static void row_pvc(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_pvc *p = (const struct kube_pvc *)o;
	bool bound = p->spec.volume_name && *p->spec.volume_name;
	row_cell(r, o->meta.name);
	row_cell(r, o->meta.deletion_ns ? "Terminating" : text_or(p->status.phase, "Pending"));
	row_cell(r, text_or(p->spec.volume_name, ""));
	row_cell(r, bound ? text_or(kube_map_get(&p->status.capacity, "storage"), "") : "");
	row_cell(r, bound ? modes(c, &p->status.access_modes) : "");
	row_cell(r, text_or(p->spec.storage_class, ""));
	row_cell(r, "<unset>");
	age(c, o, r);
	row_cell(r, text_or(p->spec.volume_mode, "<unset>"));
}

static void row_storage_class(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_storage_class *s = (const struct kube_storage_class *)o;
	bool standard = kube_is(
	    kube_map_get(&o->meta.annotations, "storageclass.kubernetes.io/is-default-class"),
	    "true");
	row_cellf(c, r, "%s%s", o->meta.name, standard ? " (default)" : "");
	row_cell(r, text_or(s->provisioner, ""));
	row_cell(r, text_or(s->reclaim_policy, "Delete"));
	row_cell(r, text_or(s->binding_mode, "Immediate"));
	row_cell(r, s->allow_expansion == TRI_TRUE ? "true" : "false");
	age(c, o, r);
}

/* ---- ingress and small ones ------------------------------------------------------ */

static void row_ingress(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_ingress *g = (const struct kube_ingress *)o;
	char **hosts = arena_array(c->arena, g->rules.count + 1, sizeof *hosts);
	struct kube_strings addresses = { 0 };
	uint32_t n = 0;
	addresses.items = arena_array(c->arena, g->ingress.count + 1, sizeof *addresses.items);
	for (uint32_t i = 0; i < g->rules.count; i++)
		if (g->rules.items[i].host && *g->rules.items[i].host)
			hosts[n++] = arena_strdup(c->arena, g->rules.items[i].host);
	for (uint32_t i = 0; i < g->ingress.count; i++) {
		const struct kube_lb_ingress *l = &g->ingress.items[i];
		addresses.items[addresses.count++] = text_or(l->ip, text_or(l->hostname, ""));
	}
	row_cell(r, o->meta.name);
	row_cell(r, text_or(g->class_name, "<none>"));
	row_cell(r, n ? words_shorten(c, hosts, n, 3) : "*");
	row_cell(r, words_join(c, &addresses, ",", ""));
	row_cell(r, "80");
	age(c, o, r);
}

static void row_ingress_class(struct call *c, const struct kube_object *o, struct row *r)
{
	row_cell(r, o->meta.name);
	row_cell(r, text_or(((const struct kube_ingress_class *)o)->controller, ""));
	row_cell(r, "<none>");
	age(c, o, r);
}

static void row_config_map(struct call *c, const struct kube_object *o, struct row *r)
{
	row_cell(r, o->meta.name);
	row_cellf(c, r, "%u", ((const struct kube_config_map *)o)->data.count);
	age(c, o, r);
}

static void row_service_cidr(struct call *c, const struct kube_object *o, struct row *r)
{
	row_cell(r, o->meta.name);
	row_cell(r, words_join(c, &((const struct kube_service_cidr *)o)->cidrs, ",", "<none>"));
	age(c, o, r);
}

static const char *lower(struct call *c, const char *text)
{
	char *s = arena_strdup(c->arena, text);
	for (char *p = s; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return s;
}

static void row_event(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_event *e = (const struct kube_event *)o;
	row_cell(r, age_of(c, e->last_ns));
	row_cell(r, text_or(e->type, ""));
	row_cell(r, text_or(e->reason, ""));
	row_cellf(c, r, "%s/%s", lower(c, text_or(e->involved.kind, "")),
		  text_or(e->involved.name, ""));
	row_cell(r, text_or(e->message, ""));
	row_cell(r, "");
	row_cell(r, text_or(e->component, ""));
	row_cell(r, age_of(c, e->first_ns));
	row_cellf(c, r, "%d", e->count);
	row_cell(r, o->meta.name);
}

static void row_plain(struct call *c, const struct kube_object *o, struct row *r)
{
	row_cell(r, o->meta.name);
	age(c, o, r);
}

static void row_policy(struct call *c, const struct kube_object *o, struct row *r)
{
	row_cell(r, o->meta.name);
	row_cell(
	    r, selector_text(c, &((const struct kube_network_policy *)o)->pod_selector, "<none>"));
	age(c, o, r);
}

static const struct columns table[] = {
	{ KIND_POD, "NAME|READY|STATUS|RESTARTS|AGE|IP|NODE|NOMINATED NODE|READINESS GATES", 5,
	  row_pod, NULL },
	{ KIND_SERVICE, "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|AGE|SELECTOR", 6, row_service,
	  NULL },
	{ KIND_ENDPOINTS, "NAME|ENDPOINTS|AGE", 3, row_endpoints, NULL },
	{ KIND_ENDPOINT_SLICE, "NAME|ADDRESSTYPE|PORTS|ENDPOINTS|AGE", 5, row_slice, NULL },
	{ KIND_NODE,
	  "NAME|STATUS|ROLES|AGE|VERSION|INTERNAL-IP|EXTERNAL-IP|OS-IMAGE|"
	  "KERNEL-VERSION|CONTAINER-RUNTIME",
	  5, row_node, NULL },
	{ KIND_NAMESPACE, "NAME|STATUS|AGE", 3, row_namespace, NULL },
	{ KIND_DEPLOYMENT, "NAME|READY|UP-TO-DATE|AVAILABLE|AGE|CONTAINERS|IMAGES|SELECTOR", 5,
	  row_deployment, NULL },
	{ KIND_REPLICA_SET, "NAME|DESIRED|CURRENT|READY|AGE|CONTAINERS|IMAGES|SELECTOR", 5,
	  row_replica_set, NULL },
	{ KIND_REPLICATION_CONTROLLER, "NAME|DESIRED|CURRENT|READY|AGE|CONTAINERS|IMAGES|SELECTOR",
	  5, row_replica_set, NULL },
	{ KIND_STATEFUL_SET, "NAME|READY|AGE|CONTAINERS|IMAGES", 3, row_stateful_set, NULL },
	{ KIND_DAEMON_SET,
	  "NAME|DESIRED|CURRENT|READY|UP-TO-DATE|AVAILABLE|NODE SELECTOR|AGE|"
	  "CONTAINERS|IMAGES|SELECTOR",
	  8, row_daemon_set, NULL },
	{ KIND_JOB, "NAME|STATUS|COMPLETIONS|DURATION|AGE|CONTAINERS|IMAGES|SELECTOR", 5, row_job,
	  NULL },
	{ KIND_PERSISTENT_VOLUME,
	  "NAME|CAPACITY|ACCESS MODES|RECLAIM POLICY|STATUS|CLAIM|STORAGECLASS|"
	  "VOLUMEATTRIBUTESCLASS|REASON|AGE|VOLUMEMODE",
	  10, row_pv, NULL },
	{ KIND_PERSISTENT_VOLUME_CLAIM,
	  "NAME|STATUS|VOLUME|CAPACITY|ACCESS MODES|STORAGECLASS|"
	  "VOLUMEATTRIBUTESCLASS|AGE|VOLUMEMODE",
	  8, row_pvc, NULL },
	{ KIND_STORAGE_CLASS,
	  "NAME|PROVISIONER|RECLAIMPOLICY|VOLUMEBINDINGMODE|ALLOWVOLUMEEXPANSION|"
	  "AGE",
	  6, row_storage_class, NULL },
	{ KIND_INGRESS, "NAME|CLASS|HOSTS|ADDRESS|PORTS|AGE", 6, row_ingress, NULL },
	{ KIND_INGRESS_CLASS, "NAME|CONTROLLER|PARAMETERS|AGE", 4, row_ingress_class, NULL },
	{ KIND_CONFIG_MAP, "NAME|DATA|AGE", 3, row_config_map, NULL },
	{ KIND_EVENT, "LAST SEEN|TYPE|REASON|OBJECT|MESSAGE|SUBOBJECT|SOURCE|FIRST SEEN|COUNT|NAME",
	  5, row_event,
	  "LAST SEEN|TYPE|REASON|OBJECT|SUBOBJECT|SOURCE|MESSAGE|FIRST SEEN|COUNT|NAME" },
	{ KIND_CONTROLLER_REVISION, "NAME|CONTROLLER|REVISION|AGE", 4, row_revision, NULL },
	{ KIND_SERVICE_CIDR, "NAME|CIDRS|AGE", 3, row_service_cidr, NULL },
	{ KIND_NETWORK_POLICY, "NAME|POD-SELECTOR|AGE", 3, row_policy, NULL },
	{ KIND_NONE, "NAME|AGE", 2, row_plain, NULL },
};

const struct columns *columns_find(enum kube_kind kind)
{
	const struct columns *t = table;
	while (t->kind != kind && t->kind != KIND_NONE)
		t++;
	return t;
}
