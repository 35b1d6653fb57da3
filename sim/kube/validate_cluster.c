/* kube/validate_cluster.c: Namespace, Node, ServiceCIDR, PersistentVolumeClaim,
 * ConfigMap: see validate.h. */
#include <string.h>

#include "kube/copy.h"
#include "kube/schema_rows.h"
#include "kube/validate.h"
#include "kube/validate_meta.h"

#define CONFIG_BYTES (1024u * 1024)

static bool given(const char *text)
{
	return text && *text;
}

void kube_validate_namespace(const struct kube_object *o, const struct kube_object *before,
			     struct strbuf *errors)
{
	const struct kube_namespace *n = (const struct kube_namespace *)o;
	const struct field_path *at = FIELD("status.Phase");
	validate_meta(errors, o, before, rule_label_1123);
	if (!o->meta.deletion_ns && given(n->status.phase) && !kube_is(n->status.phase, "Active"))
		field_invalid(errors, at, n->status.phase,
			      "may only be 'Active' if `deletionTimestamp` is empty");
	if (o->meta.deletion_ns && given(n->status.phase) &&
	    !kube_is(n->status.phase, "Terminating"))
		field_invalid(errors, at, n->status.phase,
			      "may only be 'Terminating' if `deletionTimestamp` is not empty");
}

/* ---- Node ------------------------------------------------------------------------------- */

static void check_taints(struct strbuf *errors, const struct kube_node *n)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute",
					       NULL };
	for (uint32_t i = 0; i < n->spec.taints.count; i++) {
		const struct kube_taint *t = &n->spec.taints.items[i];
		const struct field_path *at = ITEM(NULL, "metadata.taints", i);
		field_check(errors, CHILD(at, "key"), t->key, rule_qualified_name);
		field_check(errors, CHILD(at, "value"), t->value, rule_label_value);
		if (!given(t->effect))
			field_required(errors, CHILD(at, "effect"), NULL);
		else if (!field_is_one_of(t->effect, effects))
			field_not_supported(errors, CHILD(at, "effect"), t->effect, effects);
		for (uint32_t j = 0; j < i; j++) {
			const struct kube_taint *u = &n->spec.taints.items[j];
			if (!texts_equal(t->key, u->key) || !texts_equal(t->effect, u->effect))
				continue;
			struct strbuf value = { 0 };
			strbuf_puts(&value, "{\"Key\":");
			field_quote(&value, t->key);
			strbuf_puts(&value, ",\"Value\":");
			field_quote(&value, t->value);
			strbuf_puts(&value, ",\"Effect\":");
			field_quote(&value, t->effect);
			strbuf_puts(
			    &value,
			    ",\"TimeAdded\":null}: taints must be unique by key and effect pair");
			field_duplicate_raw(errors, at, value.data);
			strbuf_free(&value);
			break;
		}
	}
}

static void check_pod_cidrs(struct strbuf *errors, const struct kube_node *n)
{
	const struct kube_strings *list = &n->spec.pod_cidrs;
	struct net_prefix first, second;
	for (uint32_t i = 0; i < list->count; i++)
		field_check_cidr(errors, ITEM(NULL, "spec.podCIDRs", i), list->items[i]);
	bool same = list->count == 2 && net_prefix_parse(list->items[0], &first) &&
		    net_prefix_parse(list->items[1], &second) &&
		    first.addr.family == second.addr.family;
	if (list->count > 2 || same)
		field_invalid_strings(errors, FIELD("spec.podCIDRs"), list,
				      "may specify no more than one CIDR for each IP family");
}

void kube_validate_node(const struct kube_object *o, const struct kube_object *before,
			struct strbuf *errors)
{
	const struct kube_node *n = (const struct kube_node *)o;
	const struct kube_node *old = (const struct kube_node *)before;
	validate_meta(errors, o, before, rule_subdomain_1123);
	check_taints(errors, n);
	check_pod_cidrs(errors, n);
	if (old && old->spec.pod_cidrs.count &&
	    !strings_equal(&n->spec.pod_cidrs, &old->spec.pod_cidrs))
		field_forbidden(errors, FIELD("spec.podCIDRs"),
				"node updates may not change podCIDR except from \"\" to valid");
	if (old && given(old->spec.provider_id) &&
	    !texts_equal(n->spec.provider_id, old->spec.provider_id))
		field_forbidden(errors, FIELD("spec.providerID"),
				"node updates may not change providerID except from \"\" to valid");
}

/* ---- ServiceCIDR ---------------------------------------------------------------------------- */

void kube_validate_service_cidr(const struct kube_object *o, const struct kube_object *before,
				struct strbuf *errors)
{
	const struct kube_service_cidr *c = (const struct kube_service_cidr *)o;
	const struct kube_service_cidr *old = (const struct kube_service_cidr *)before;
	uint8_t families[2] = { 0 };
	validate_meta(errors, o, before, rule_subdomain_1123);
	if (!c->cidrs.count)
		field_required(errors, FIELD("spec.cidrs"), "at least one CIDR required");
	if (c->cidrs.count > 2)
		field_invalid_strings(errors, FIELD("spec.cidrs"), &c->cidrs,
				      "may only hold up to 2 values");
	for (uint32_t i = 0; i < c->cidrs.count; i++) {
		struct net_prefix p;
		field_check_cidr(errors, ITEM(NULL, "spec.cidrs", i), c->cidrs.items[i]);
		if (!net_prefix_parse(c->cidrs.items[i], &p))
			continue;
		if (p.addr.family == NET_V6 && p.bits < 64)
			field_invalid(
			    errors, ITEM(NULL, "spec.cidrs", i), c->cidrs.items[i],
			    "shortest allowed prefix length for service CIDR is 64, got %u",
			    p.bits);
		if (i < 2)
			families[i] = p.addr.family;
	}
	if (c->cidrs.count == 2 && families[0] && families[0] == families[1])
		field_invalid_strings(errors, FIELD("spec.cidrs"), &c->cidrs,
				      "may specify no more than one IP for each IP family");
	if (old && !strings_equal(&c->cidrs, &old->cidrs))
		field_invalid_strings(errors, FIELD("spec.cidrs"), &c->cidrs, "%s", TEXT_IMMUTABLE);
}

/* ---- PersistentVolumeClaim ------------------------------------------------------------------- */

static void check_access_modes(struct strbuf *errors, const struct kube_strings *modes)
{
	static const char *const supported[] = { "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
						 "ReadWriteOncePod", NULL };
	bool alone = false;
	if (!modes->count)
		field_required(errors, FIELD("spec.accessModes"),
			       "at least 1 access mode is required");
	for (uint32_t i = 0; i < modes->count; i++) {
		alone |= kube_is(modes->items[i], "ReadWriteOncePod");
		if (!field_is_one_of(modes->items[i], supported))
			field_not_supported(errors, FIELD("spec.accessModes"), modes->items[i],
					    supported);
	}
	if (alone && modes->count > 1)
		field_forbidden(errors, FIELD("spec.accessModes"),
				"may not use ReadWriteOncePod with other access modes");
}

static void check_claim_change(struct strbuf *errors, const struct kube_pvc *now,
			       const struct kube_pvc *old)
{
	struct kube_pvc copy = *now;
	int64_t size = 0, before = 0;
	const char *storage = kube_map_get(&now->spec.requests, "storage");
	const char *was = kube_map_get(&old->spec.requests, "storage");
	copy.object.meta = old->object.meta;
	copy.status = old->status;
	copy.spec.requests = old->spec.requests;
	copy.spec.volume_mode = old->spec.volume_mode;
	if (!given(old->spec.volume_name)) /* binding */
		copy.spec.volume_name = old->spec.volume_name;
	if (!kube_fields_equal(kube_pvc_schema.fields, &copy, old) ||
	    (!kube_is(old->status.phase, "Bound") && !texts_equal(storage, was)))
		field_forbidden(errors, FIELD("spec"),
				"spec is immutable after creation except resources.requests and "
				"volumeAttributesClassName for bound claims");
	else if (storage && was && kube_quantity_parse(storage, &size) &&
		 kube_quantity_parse(was, &before) && size < before)
		field_forbidden(errors, FIELD("spec.resources.requests.storage"),
				"field can not be less than status.capacity");
	if (!texts_equal(now->spec.volume_mode, old->spec.volume_mode))
		field_invalid(errors, FIELD("volumeMode"), now->spec.volume_mode, "%s",
			      TEXT_IMMUTABLE);
}

void kube_validate_pvc(const struct kube_object *o, const struct kube_object *before,
		       struct strbuf *errors)
{
	static const char *const modes[] = { "Block", "Filesystem", NULL };
	const struct kube_pvc *p = (const struct kube_pvc *)o;
	const char *storage = kube_map_get(&p->spec.requests, "storage");
	int64_t size;
	validate_meta(errors, o, before, rule_subdomain_1123);
	check_access_modes(errors, &p->spec.access_modes);
	if (!storage)
		field_required(errors, FIELD("spec.resources[storage]"), NULL);
	else if (!kube_quantity_parse(storage, &size) || size <= 0)
		field_invalid(errors, FIELD("spec.resources[storage]"), storage,
			      "must be greater than zero");
	if (given(p->spec.storage_class))
		field_check(errors, FIELD("spec.storageClassName"), p->spec.storage_class,
			    rule_subdomain_1123);
	if (given(p->spec.volume_mode) && !field_is_one_of(p->spec.volume_mode, modes))
		field_not_supported(errors, FIELD("spec.volumeMode"), p->spec.volume_mode, modes);
	if (before)
		check_claim_change(errors, p, (const struct kube_pvc *)before);
}

/* ---- ConfigMap ---------------------------------------------------------------------------------
 */

static bool is_config_key(const char *key)
{
	if (!*key || strlen(key) > 253 || strcmp(key, ".") == 0 || strncmp(key, "..", 2) == 0)
		return false;
	for (; *key; key++)
		if (!((*key >= 'a' && *key <= 'z') || (*key >= 'A' && *key <= 'Z') ||
		      (*key >= '0' && *key <= '9') || strchr("-._", *key)))
			return false;
	return true;
}

void kube_validate_config_map(const struct kube_object *o, const struct kube_object *before,
			      struct strbuf *errors)
{
	const struct kube_config_map *c = (const struct kube_config_map *)o;
	size_t total = 0;
	validate_meta(errors, o, before, rule_subdomain_1123);
	for (uint32_t i = 0; i < c->data.count; i++) {
		struct strbuf name = { 0 };
		strbuf_printf(&name, "data[%s]", c->data.items[i].key);
		if (!is_config_key(c->data.items[i].key))
			field_invalid(
			    errors, FIELD(name.data), c->data.items[i].key,
			    "a valid config key must consist of alphanumeric characters, '-', '_' "
			    "or "
			    "'.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for "
			    "validation is '[-._a-zA-Z0-9]+')");
		strbuf_free(&name);
		total += strlen(c->data.items[i].value);
	}
	if (total > CONFIG_BYTES)
		field_too_long(errors, FIELD(""), CONFIG_BYTES);
}
