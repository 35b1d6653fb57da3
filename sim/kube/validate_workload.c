/* kube/validate_workload.c: the kinds that make pods: see validate.h. */
#include <stdlib.h>
#include <string.h>

#include "kube/copy.h"
#include "kube/schema_rows.h"
#include "kube/validate.h"
#include "kube/validate_meta.h"
#include "kube/validate_pod.h"

#define TEXT_NO_MATCH "`selector` does not match template `labels`"
#define TEXT_PERCENT                                                                           \
	"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%', " \
	" or '93%', regex used for validation is '[0-9]+%')"

static bool given(const char *text)
{
	return text && *text;
}

static void check_count(struct strbuf *errors, const char *name, const struct opt_int *value)
{
	if (value->set)
		field_check_not_negative(errors, CHILD(FIELD("spec"), name), value->value);
}

/* ---- number or percentage -------------------------------------------------------------- */

/* Whether it is "N%"; then its number. */
static bool percentage(const struct int_or_string *v, long *out)
{
	char *end;
	if (v->kind != 's' || v->string[0] < '0' || v->string[0] > '9')
		return false;
	*out = strtol(v->string, &end, 10);
	return strcmp(end, "%") == 0;
}

static void check_amount(struct strbuf *errors, const struct field_path *at,
			 const struct int_or_string *v)
{
	long percent;
	if (v->kind == 's' && !percentage(v, &percent))
		field_invalid_int_or_string(errors, at, v, "%s", TEXT_PERCENT);
	else if (v->kind == 'i' && v->number < 0)
		field_invalid_int_or_string(errors, at, v, "%s", TEXT_NOT_NEGATIVE);
}

static void check_at_most_all(struct strbuf *errors, const struct field_path *at,
			      const struct int_or_string *v)
{
	long percent;
	if (percentage(v, &percent) && percent > 100)
		field_invalid_int_or_string(errors, at, v, "must not be greater than 100%%");
}

static bool is_zero(const struct int_or_string *v)
{
	long percent;
	return v->kind == 'i' ? v->number == 0 : percentage(v, &percent) ? percent == 0 : !v->kind;
}

/* ---- selector and template -------------------------------------------------------------- */

static void no_match(struct strbuf *errors, const struct kube_map *labels)
{
	field_invalid_map(errors, FIELD("spec.template.metadata.labels"), labels, "%s",
			  TEXT_NO_MATCH);
}

/* `word` names the kind in the message on an empty selector; NULL: that is allowed. */
static void check_selector(struct strbuf *errors, const struct kube_selector *s, const char *word,
			   bool required)
{
	if (!s->set) {
		if (required)
			field_required(errors, FIELD("spec.selector"), NULL);
		return;
	}
	validate_selector(errors, FIELD("spec.selector"), s);
	if (word && !s->match_labels.count && !s->expressions.count)
		field_invalid_raw(errors, FIELD("spec.selector"), "{}",
				  "empty selector is invalid for %s", word);
}

/* `owner` is what the message on activeDeadlineSeconds calls the kind. */
static void check_template(struct strbuf *errors, const struct kube_template *t,
			   const struct kube_selector *s, const char *owner)
{
	static const char *const always[] = { "Always", NULL };
	const struct field_path *template = FIELD("spec.template");
	bool empty = s->set && !s->match_labels.count && !s->expressions.count;
	if (!empty && !kube_selector_matches(s, &t->meta.labels))
		no_match(errors, &t->meta.labels);
	validate_template_meta(errors, template, &t->meta);
	validate_pod_spec(errors, CHILD(template, "spec"), &t->spec, true);
	if (!kube_is(t->spec.restart_policy, "Always"))
		field_not_supported(errors, FIELD("spec.template.spec.restartPolicy"),
				    t->spec.restart_policy, always);
	if (t->spec.active_deadline_s.set) {
		struct strbuf why = { 0 };
		strbuf_printf(&why, "activeDeadlineSeconds in %s is not Supported", owner);
		field_forbidden(errors, FIELD("spec.template.spec.activeDeadlineSeconds"),
				why.data);
		strbuf_free(&why);
	}
}

static void check_selector_change(struct strbuf *errors, const struct kube_selector *now,
				  const struct kube_selector *old)
{
	if (selectors_equal(now, old))
		return;
	struct strbuf value = { 0 };
	selector_json(&value, now);
	field_invalid_raw(errors, FIELD("spec.selector"), value.data, "%s", TEXT_IMMUTABLE);
	strbuf_free(&value);
}

/* {"Type":"Foo","RollingUpdate":null} */
static char *strategy_json(const char *type)
{
	struct strbuf value = { 0 };
	strbuf_puts(&value, "{\"Type\":");
	field_quote(&value, type);
	strbuf_puts(&value, ",\"RollingUpdate\":null}");
	return strbuf_steal(&value);
}

/* ---- Deployment, ReplicaSet, ReplicationController -------------------------------------- */

static void check_strategy(struct strbuf *errors, const struct kube_deployment *d)
{
	static const char *const strategies[] = { "Recreate", "RollingUpdate", NULL };
	const struct field_path *at = FIELD("spec.strategy.rollingUpdate");
	if (kube_is(d->spec.strategy, "Recreate")) {
		if (d->spec.max_surge.kind || d->spec.max_unavailable.kind)
			field_forbidden(errors, at,
					"may not be specified when strategy `type` is 'Recreate'");
		return;
	}
	if (!kube_is(d->spec.strategy, "RollingUpdate")) {
		char *value = strategy_json(d->spec.strategy);
		field_not_supported_raw(errors, FIELD("spec.strategy"), value, strategies);
		free(value);
		return;
	}
	check_amount(errors, CHILD(at, "maxUnavailable"), &d->spec.max_unavailable);
	check_amount(errors, CHILD(at, "maxSurge"), &d->spec.max_surge);
	if (is_zero(&d->spec.max_unavailable) && is_zero(&d->spec.max_surge))
		field_invalid_int_or_string(errors, CHILD(at, "maxUnavailable"),
					    &d->spec.max_unavailable,
					    "may not be 0 when `maxSurge` is 0");
	check_at_most_all(errors, CHILD(at, "maxUnavailable"), &d->spec.max_unavailable);
}

void kube_validate_deployment(const struct kube_object *o, const struct kube_object *before,
			      struct strbuf *errors)
{
	const struct kube_deployment *d = (const struct kube_deployment *)o;
	const struct kube_deployment *old = (const struct kube_deployment *)before;
	int64_t deadline = d->spec.progress_deadline_s.value;
	validate_meta(errors, o, before, rule_subdomain_1123);
	check_count(errors, "replicas", &d->spec.replicas);
	check_selector(errors, &d->spec.selector, "deployment", true);
	check_template(errors, &d->spec.template, &d->spec.selector, "ReplicaSet");
	check_strategy(errors, d);
	check_count(errors, "minReadySeconds", &d->spec.min_ready_s);
	check_count(errors, "revisionHistoryLimit", &d->spec.revision_history_limit);
	check_count(errors, "progressDeadlineSeconds", &d->spec.progress_deadline_s);
	if (d->spec.progress_deadline_s.set && deadline <= d->spec.min_ready_s.value)
		field_invalid_int(errors, FIELD("spec.progressDeadlineSeconds"), deadline,
				  "must be greater than minReadySeconds");
	if (old)
		check_selector_change(errors, &d->spec.selector, &old->spec.selector);
}

void kube_validate_replica_set(const struct kube_object *o, const struct kube_object *before,
			       struct strbuf *errors)
{
	const struct kube_replica_set *r = (const struct kube_replica_set *)o;
	const struct kube_replica_set *old = (const struct kube_replica_set *)before;
	validate_meta(errors, o, before, rule_subdomain_1123);
	check_count(errors, "replicas", &r->spec.replicas);
	check_count(errors, "minReadySeconds", &r->spec.min_ready_s);
	check_selector(errors, &r->spec.selector, "deployment", true);
	check_template(errors, &r->spec.template, &r->spec.selector, "ReplicaSet");
	if (old)
		check_selector_change(errors, &r->spec.selector, &old->spec.selector);
}

void kube_validate_replication_controller(const struct kube_object *o,
					  const struct kube_object *before, struct strbuf *errors)
{
	const struct kube_replica_set *r = (const struct kube_replica_set *)o;
	static const char *const always[] = { "Always", NULL };
	const struct kube_map *labels = &r->spec.template.meta.labels;
	validate_meta(errors, o, before, rule_subdomain_1123);
	check_count(errors, "minReadySeconds", &r->spec.min_ready_s);
	if (!r->spec.selector.match_labels.count)
		field_required(errors, FIELD("spec.selector"), NULL);
	check_count(errors, "replicas", &r->spec.replicas);
	if (r->spec.selector.match_labels.count &&
	    !kube_map_selects(&r->spec.selector.match_labels, labels))
		no_match(errors, labels);
	validate_template_meta(errors, FIELD("spec.template"), &r->spec.template.meta);
	validate_pod_spec(errors, FIELD("spec.template.spec"), &r->spec.template.spec, true);
	if (!kube_is(r->spec.template.spec.restart_policy, "Always"))
		field_not_supported(errors, FIELD("spec.template.spec.restartPolicy"),
				    r->spec.template.spec.restart_policy, always);
}

/* ---- StatefulSet ---------------------------------------------------------------------------- */

#define TEXT_STATEFUL_CHANGE                                                                   \
	"updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " \
	"'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and " \
	"'minReadySeconds' are forbidden"

static void check_stateful_strategy(struct strbuf *errors, const struct kube_stateful_set *s)
{
	const struct field_path *at = FIELD("spec.updateStrategy.rollingUpdate");
	if (kube_is(s->spec.update_strategy, "OnDelete")) {
		if (s->spec.partition.set || s->spec.max_unavailable.kind) {
			struct strbuf value = { 0 };
			strbuf_printf(&value, "{\"Partition\":%lld,\"MaxUnavailable\":",
				      (long long)s->spec.partition.value);
			if (s->spec.max_unavailable.kind == 'i')
				strbuf_printf(&value, "%d}", s->spec.max_unavailable.number);
			else if (s->spec.max_unavailable.kind == 's')
				strbuf_printf(&value, "\"%s\"}", s->spec.max_unavailable.string);
			else
				strbuf_puts(&value, "null}");
			field_invalid_raw(errors, at, value.data,
					  "only allowed for updateStrategy 'RollingUpdate'");
			strbuf_free(&value);
		}
		return;
	}
	if (!given(s->spec.update_strategy)) {
		field_required(errors, FIELD("spec.updateStrategy"), NULL);
	} else if (!kube_is(s->spec.update_strategy, "RollingUpdate")) {
		char *value = strategy_json(s->spec.update_strategy);
		field_invalid_raw(errors, FIELD("spec.updateStrategy"), value,
				  "must be 'RollingUpdate' or 'OnDelete'");
		free(value);
	} else {
		if (s->spec.partition.set)
			field_check_not_negative(errors, CHILD(at, "partition"),
						 s->spec.partition.value);
		check_amount(errors, CHILD(at, "maxUnavailable"), &s->spec.max_unavailable);
		if (s->spec.max_unavailable.kind && is_zero(&s->spec.max_unavailable))
			field_invalid_int_or_string(errors, CHILD(at, "maxUnavailable"),
						    &s->spec.max_unavailable, "cannot be 0");
	}
}

static void check_retention(struct strbuf *errors, const struct kube_stateful_set *s)
{
	static const char *const retentions[] = { "Retain", "Delete", NULL };
	const struct field_path *at = FIELD("spec.persistentVolumeClaimRetentionPolicy");
	if (!field_is_one_of(s->spec.retention_deleted, retentions))
		field_not_supported(errors, CHILD(at, "whenDeleted"), s->spec.retention_deleted,
				    retentions);
	if (!field_is_one_of(s->spec.retention_scaled, retentions))
		field_not_supported(errors, CHILD(at, "whenScaled"), s->spec.retention_scaled,
				    retentions);
}

/* As for Pods: the new spec with the old one's changeable fields must be the old one. */
static bool stateful_changed(const struct kube_stateful_set *now,
			     const struct kube_stateful_set *old)
{
	struct kube_stateful_set copy = *now;
	copy.object.meta = old->object.meta;
	copy.status = old->status;
	copy.spec.replicas = old->spec.replicas;
	copy.spec.ordinals_start = old->spec.ordinals_start;
	copy.spec.template = old->spec.template;
	copy.spec.update_strategy = old->spec.update_strategy;
	copy.spec.partition = old->spec.partition;
	copy.spec.max_unavailable = old->spec.max_unavailable;
	copy.spec.revision_history_limit = old->spec.revision_history_limit;
	copy.spec.retention_deleted = old->spec.retention_deleted;
	copy.spec.retention_scaled = old->spec.retention_scaled;
	copy.spec.min_ready_s = old->spec.min_ready_s;
	return !kube_fields_equal(kube_stateful_set_schema.fields, &copy, old);
}

/* Claims become volumes of the pods, so containers may mount them. */
static void check_stateful_template(struct strbuf *errors, const struct kube_stateful_set *s)
{
	struct kube_template copy = s->spec.template;
	uint32_t own = copy.spec.volumes.count;
	struct kube_volume *all = mem_array(own + s->spec.claims.count + 1, sizeof *all);
	for (uint32_t i = 0; i < own; i++)
		all[i] = copy.spec.volumes.items[i];
	for (uint32_t i = 0; i < s->spec.claims.count; i++) {
		const char *name = s->spec.claims.items[i].meta.name;
		bool taken = false; /* the claim takes its place in the pods */
		for (uint32_t k = 0; k < own; k++)
			taken |= kube_is(name, all[k].name);
		if (name && !taken)
			all[copy.spec.volumes.count++] =
				(struct kube_volume){ .name = name, .claim_name = name };
	}
	copy.spec.volumes.items = all;
	check_template(errors, &copy, &s->spec.selector, "StatefulSet");
	free(all);
}

void kube_validate_stateful_set(const struct kube_object *o, const struct kube_object *before,
				struct strbuf *errors)
{
	const struct kube_stateful_set *s = (const struct kube_stateful_set *)o;
	const struct kube_stateful_set *old = (const struct kube_stateful_set *)before;
	validate_meta(errors, o, before, rule_label_1123);
	if (old && stateful_changed(s, old))
		field_forbidden(errors, FIELD("spec"), TEXT_STATEFUL_CHANGE);
	if (!given(s->spec.pod_management_policy))
		field_required(errors, FIELD("spec.podManagementPolicy"), NULL);
	else if (!kube_is(s->spec.pod_management_policy, "OrderedReady") &&
		 !kube_is(s->spec.pod_management_policy, "Parallel"))
		field_invalid(errors, FIELD("spec.podManagementPolicy"),
			      s->spec.pod_management_policy,
			      "must be 'OrderedReady' or 'Parallel'");
	check_stateful_strategy(errors, s);
	check_retention(errors, s);
	check_count(errors, "replicas", &s->spec.replicas);
	check_count(errors, "minReadySeconds", &s->spec.min_ready_s);
	if (s->spec.ordinals_start.set)
		field_check_not_negative(errors, FIELD("spec.ordinals.start"),
					 s->spec.ordinals_start.value);
	check_selector(errors, &s->spec.selector, "statefulset", true);
	check_stateful_template(errors, s);
}

/* ---- DaemonSet, Job -----------------------------------------------------------------------------
 */

static void check_daemon_strategy(struct strbuf *errors, const struct kube_daemon_set *d)
{
	static const char *const strategies[] = { "RollingUpdate", "OnDelete", NULL };
	const struct field_path *at = FIELD("spec.updateStrategy.rollingUpdate");
	if (kube_is(d->spec.update_strategy, "OnDelete"))
		return;
	if (!kube_is(d->spec.update_strategy, "RollingUpdate")) {
		char *value = strategy_json(d->spec.update_strategy);
		field_not_supported_raw(errors, FIELD("spec.updateStrategy"), value, strategies);
		free(value);
		return;
	}
	check_amount(errors, CHILD(at, "maxUnavailable"), &d->spec.max_unavailable);
	check_amount(errors, CHILD(at, "maxSurge"), &d->spec.max_surge);
	bool unavailable = !is_zero(&d->spec.max_unavailable), surge = !is_zero(&d->spec.max_surge);
	if (unavailable && surge)
		field_invalid_int_or_string(errors, CHILD(at, "maxSurge"), &d->spec.max_surge,
					    "may not be set when maxUnavailable is non-zero");
	else if (!unavailable && !surge)
		field_required(errors, CHILD(at, "maxUnavailable"),
			       "cannot be 0 when maxSurge is 0");
	check_at_most_all(errors, CHILD(at, "maxUnavailable"), &d->spec.max_unavailable);
	check_at_most_all(errors, CHILD(at, "maxSurge"), &d->spec.max_surge);
}

void kube_validate_daemon_set(const struct kube_object *o, const struct kube_object *before,
			      struct strbuf *errors)
{
	const struct kube_daemon_set *d = (const struct kube_daemon_set *)o;
	const struct kube_daemon_set *old = (const struct kube_daemon_set *)before;
	validate_meta(errors, o, before, rule_subdomain_1123);
	check_selector(errors, &d->spec.selector, "daemonset", false);
	check_template(errors, &d->spec.template, &d->spec.selector, "DaemonSet");
	check_count(errors, "minReadySeconds", &d->spec.min_ready_s);
	check_daemon_strategy(errors, d);
	check_count(errors, "revisionHistoryLimit", &d->spec.revision_history_limit);
	if (old)
		check_selector_change(errors, &d->spec.selector, &old->spec.selector);
}

void kube_validate_job(const struct kube_object *o, const struct kube_object *before,
		       struct strbuf *errors)
{
	static const char *const policies[] = { "OnFailure", "Never", NULL };
	const struct kube_job *j = (const struct kube_job *)o;
	const struct kube_pod_spec *s = &j->spec.template.spec;
	validate_meta(errors, o, before, rule_subdomain_1123);
	check_count(errors, "parallelism", &j->spec.parallelism);
	check_count(errors, "completions", &j->spec.completions);
	check_count(errors, "activeDeadlineSeconds", &j->spec.active_deadline_s);
	check_count(errors, "backoffLimit", &j->spec.backoff_limit);
	validate_template_meta(errors, FIELD("spec.template"), &j->spec.template.meta);
	validate_pod_spec(errors, FIELD("spec.template.spec"), s, true);
	if (!field_is_one_of(s->restart_policy, policies)) {
		if (kube_is(s->restart_policy, "Always"))
			field_required(errors, FIELD("spec.template.spec.restartPolicy"),
				       "valid values: \"OnFailure\", \"Never\"");
		else
			field_not_supported(errors, FIELD("spec.template.spec.restartPolicy"),
					    s->restart_policy, policies);
	}
}
