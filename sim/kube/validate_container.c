/* kube/validate_container.c: see validate_pod.h. */
#include <stdio.h>
#include <string.h>

#include "kube/names.h"
#include "kube/validate_meta.h"
#include "kube/validate_pod.h"

static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
static const char *const pull_policies[] = { "Always", "IfNotPresent", "Never", NULL };
static const char *const schemes[] = { "HTTP", "HTTPS", NULL };

static bool given(const char *text)
{
	return text && *text;
}

/* ---- ports ---------------------------------------------------------------------------------- */

static void check_port(struct strbuf *errors, const struct field_path *at,
		       const struct kube_container *c, uint32_t index)
{
	const struct kube_container_port *p = &c->ports.items[index];
	if (given(p->name)) {
		struct complaints complaints = { 0 };
		bool duplicate = false;
		rule_port_name(p->name, &complaints);
		for (uint32_t i = 0; i < complaints.count; i++)
			field_invalid(errors, CHILD(at, "name"), p->name, "%s", complaints.text[i]);
		for (uint32_t i = 0; i < index; i++)
			duplicate |= kube_is(p->name, c->ports.items[i].name);
		if (duplicate && !complaints.count)
			field_duplicate(errors, CHILD(at, "name"), p->name);
	}
	if (!p->container_port)
		field_required(errors, CHILD(at, "containerPort"), NULL);
	else
		field_check_port(errors, CHILD(at, "containerPort"), p->container_port);
	if (p->host_port)
		field_check_port(errors, CHILD(at, "hostPort"), p->host_port);
	if (!given(p->protocol))
		field_required(errors, CHILD(at, "protocol"), NULL);
	else if (!field_is_one_of(p->protocol, protocols))
		field_not_supported(errors, CHILD(at, "protocol"), p->protocol, protocols);
}

static bool same_host_port(const struct kube_container_port *p, const struct kube_container_port *q)
{
	return p->host_port && p->host_port == q->host_port &&
	       texts_equal(p->protocol, q->protocol) && texts_equal(p->host_ip, q->host_ip);
}

/* Host ports are the node's: each only once in a pod. */
static void check_host_ports(struct strbuf *errors, const struct field_path *at,
			     const struct kube_containers *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		for (uint32_t j = 0; j < list->items[i].ports.count; j++) {
			const struct kube_container_port *p = &list->items[i].ports.items[j];
			bool taken = false;
			for (uint32_t k = 0; k <= i && !taken; k++)
				for (uint32_t l = 0; l < (k < i ? list->items[k].ports.count : j);
				     l++)
					taken |= same_host_port(p, &list->items[k].ports.items[l]);
			if (!taken)
				continue;
			char value[128];
			const struct field_path *container = ITEM(at, "containers", i);
			const struct field_path *port = ITEM(container, "ports", j);
			snprintf(value, sizeof value, "%s/%s/%d", p->protocol ? p->protocol : "",
				 p->host_ip ? p->host_ip : "", p->host_port);
			field_duplicate(errors, CHILD(port, "hostPort"), value);
		}
}

/* ---- probes --------------------------------------------------------------------------------- */

static void check_http(struct strbuf *errors, const struct field_path *at,
		       const struct kube_probe_handler *h)
{
	if (!given(h->http_get.path))
		field_required(errors, CHILD(at, "path"), NULL);
	field_check_port_or_name(errors, CHILD(at, "port"), &h->http_get.port);
	if (!field_is_one_of(h->http_get.scheme, schemes))
		field_not_supported(errors, CHILD(at, "scheme"), h->http_get.scheme, schemes);
}

static void check_handler(struct strbuf *errors, const struct field_path *at,
			  const struct kube_probe_handler *h)
{
	static const char more[] = "may not specify more than 1 handler type";
	unsigned count = 0;
	if (h->exec.set) {
		count++;
		if (!h->exec.command.count)
			field_required(errors, CHILD(CHILD(at, "exec"), "command"), NULL);
	}
	if (h->http_get.set) {
		if (count++)
			field_forbidden(errors, CHILD(at, "httpGet"), more);
		else
			check_http(errors, CHILD(at, "httpGet"), h);
	}
	if (h->tcp_socket.set) {
		if (count++)
			field_forbidden(errors, CHILD(at, "tcpSocket"), more);
		else
			field_check_port_or_name(errors, CHILD(CHILD(at, "tcpSocket"), "port"),
						 &h->tcp_socket.port);
	}
	if (h->grpc.set) {
		if (count++)
			field_forbidden(errors, CHILD(at, "grpc"), more);
		else
			field_check_port(errors, CHILD(CHILD(at, "grpc"), "port"), h->grpc.port);
	}
	if (h->sleep.set)
		count++;
	if (!count)
		field_required(errors, at, "must specify a handler type");
}

static void check_not_negative(struct strbuf *errors, const struct field_path *at,
			       const char *name, const struct opt_int *value)
{
	if (value->set)
		field_check_not_negative(errors, CHILD(at, name), value->value);
}

/* `once`: liveness and startup probes pass at the first success. */
static void check_probe(struct strbuf *errors, const struct field_path *at,
			const struct kube_probe *p, bool once)
{
	if (!p->set)
		return;
	check_handler(errors, at, &p->handler);
	check_not_negative(errors, at, "initialDelaySeconds", &p->initial_delay_s);
	check_not_negative(errors, at, "timeoutSeconds", &p->timeout_s);
	check_not_negative(errors, at, "periodSeconds", &p->period_s);
	check_not_negative(errors, at, "successThreshold", &p->success_threshold);
	check_not_negative(errors, at, "failureThreshold", &p->failure_threshold);
	if (p->termination_grace_s.set && p->termination_grace_s.value <= 0)
		field_invalid_int(errors, CHILD(at, "terminationGracePeriodSeconds"),
				  p->termination_grace_s.value, "must be greater than 0");
	if (once && p->success_threshold.set && p->success_threshold.value != 1)
		field_invalid_int(errors, CHILD(at, "successThreshold"), p->success_threshold.value,
				  "must be 1");
}

/* ---- environment, mounts, resources ------------------------------------------------------------
 */

static void check_env(struct strbuf *errors, const struct field_path *at, const struct kube_env *e)
{
	unsigned sources = (e->field_path != NULL) + (e->config_map || e->config_map_key);
	if (!given(e->name))
		field_required(errors, CHILD(at, "name"), NULL);
	if (!sources)
		return;
	if (given(e->value))
		field_invalid(errors, CHILD(at, "valueFrom"), "",
			      "may not be specified when `value` is not empty");
	else if (sources > 1)
		field_invalid(errors, CHILD(at, "valueFrom"), "",
			      "may not have more than one field specified at a time");
}

static bool has_volume(const struct kube_pod_spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->volumes.count; i++)
		if (kube_is(name, s->volumes.items[i].name))
			return true;
	return false;
}

static void check_mounts(struct strbuf *errors, const struct field_path *at,
			 const struct kube_pod_spec *s, const struct kube_container *c)
{
	for (uint32_t i = 0; i < c->mounts.count; i++) {
		const struct kube_volume_mount *m = &c->mounts.items[i];
		const struct field_path *mount = ITEM(at, "volumeMounts", i);
		if (!given(m->name))
			field_required(errors, CHILD(mount, "name"), NULL);
		else if (!has_volume(s, m->name))
			field_not_found(errors, CHILD(mount, "name"), m->name);
		if (!given(m->mount_path))
			field_required(errors, CHILD(mount, "mountPath"), NULL);
		for (uint32_t j = 0; j < i; j++)
			if (kube_is(m->mount_path, c->mounts.items[j].mount_path)) {
				field_invalid(errors, CHILD(mount, "mountPath"), m->mount_path,
					      "must be unique");
				break;
			}
	}
}

static void check_resources(struct strbuf *errors, const struct field_path *at,
			    const struct kube_container *c)
{
	const struct field_path *requests = CHILD(CHILD(at, "resources"), "requests");
	for (uint32_t i = 0; i < c->resources.requests.count; i++) {
		const struct kube_pair *r = &c->resources.requests.items[i];
		const char *limit = kube_map_get(&c->resources.limits, r->key);
		int64_t want, most;
		if (limit && kube_quantity_parse(r->value, &want) &&
		    kube_quantity_parse(limit, &most) && want > most)
			field_invalid(errors, requests, r->value,
				      "must be less than or equal to %s limit of %s", r->key,
				      limit);
	}
}

/* ---- containers ---------------------------------------------------------------------------------
 */

static void check_image(struct strbuf *errors, const struct field_path *at,
			const struct kube_container *c, bool template)
{
	size_t length = c->image ? strlen(c->image) : 0;
	if (!length)
		field_required(errors, CHILD(at, "image"), NULL);
	else if (!template &&
		 (strchr(" \t\n", c->image[0]) || strchr(" \t\n", c->image[length - 1])))
		field_invalid(errors, CHILD(at, "image"), c->image,
			      "must not have leading or trailing whitespace");
}

static void check_container(struct strbuf *errors, const struct field_path *at,
			    const struct kube_pod_spec *s, const struct kube_container *c,
			    bool template)
{
	if (!given(c->name))
		field_required(errors, CHILD(at, "name"), NULL);
	else
		field_check(errors, CHILD(at, "name"), c->name, rule_label_1123);
	check_image(errors, at, c, template);
	for (uint32_t i = 0; i < c->ports.count; i++)
		check_port(errors, ITEM(at, "ports", i), c, i);
	for (uint32_t i = 0; i < c->env.count; i++)
		check_env(errors, ITEM(at, "env", i), &c->env.items[i]);
	check_mounts(errors, at, s, c);
	if (given(c->image_pull_policy) && !field_is_one_of(c->image_pull_policy, pull_policies))
		field_not_supported(errors, CHILD(at, "imagePullPolicy"), c->image_pull_policy,
				    pull_policies);
	check_resources(errors, at, c);
}

static void check_lifecycle(struct strbuf *errors, const struct field_path *at,
			    const struct kube_container *c)
{
	const struct field_path *lifecycle = CHILD(at, "lifecycle");
	if (c->lifecycle.has_post_start)
		check_handler(errors, CHILD(lifecycle, "postStart"), &c->lifecycle.post_start);
	if (c->lifecycle.has_pre_stop)
		check_handler(errors, CHILD(lifecycle, "preStop"), &c->lifecycle.pre_stop);
	check_probe(errors, CHILD(at, "livenessProbe"), &c->liveness, true);
	check_probe(errors, CHILD(at, "readinessProbe"), &c->readiness, false);
	check_probe(errors, CHILD(at, "startupProbe"), &c->startup, true);
}

static void check_init_probes(struct strbuf *errors, const struct field_path *at,
			      const struct kube_container *c)
{
	static const char why[] = "may not be set for init containers without restartPolicy=Always";
	if (c->lifecycle.has_post_start || c->lifecycle.has_pre_stop)
		field_forbidden(errors, CHILD(at, "lifecycle"), why);
	if (c->liveness.set)
		field_forbidden(errors, CHILD(at, "livenessProbe"), why);
	if (c->readiness.set)
		field_forbidden(errors, CHILD(at, "readinessProbe"), why);
	if (c->startup.set)
		field_forbidden(errors, CHILD(at, "startupProbe"), why);
}

static bool name_taken(const struct kube_containers *list, uint32_t before, const char *name)
{
	for (uint32_t i = 0; i < before; i++)
		if (given(name) && kube_is(name, list->items[i].name))
			return true;
	return false;
}

static void check_init_containers(struct strbuf *errors, const struct field_path *at,
				  const struct kube_pod_spec *s, bool template)
{
	static const char *const policies[] = { "Always", NULL };
	for (uint32_t i = 0; i < s->init_containers.count; i++) {
		const struct kube_container *c = &s->init_containers.items[i];
		const struct field_path *item = ITEM(at, "initContainers", i);
		check_container(errors, item, s, c, template);
		if (name_taken(&s->init_containers, i, c->name) ||
		    name_taken(&s->containers, s->containers.count, c->name))
			field_duplicate(errors, CHILD(item, "name"), c->name);
		if (kube_is(c->restart_policy, "Always"))
			check_lifecycle(errors, item, c);
		else
			check_init_probes(errors, item, c);
		if (given(c->restart_policy) && !field_is_one_of(c->restart_policy, policies))
			field_not_supported(errors, CHILD(item, "restartPolicy"), c->restart_policy,
					    policies);
	}
}

void validate_containers(struct strbuf *errors, const struct field_path *at,
			 const struct kube_pod_spec *s, bool template)
{
	if (!s->containers.count)
		field_required(errors, CHILD(at, "containers"), NULL);
	for (uint32_t i = 0; i < s->containers.count; i++) {
		const struct kube_container *c = &s->containers.items[i];
		const struct field_path *item = ITEM(at, "containers", i);
		check_container(errors, item, s, c, template);
		if (name_taken(&s->containers, i, c->name))
			field_duplicate(errors, CHILD(item, "name"), c->name);
		check_lifecycle(errors, item, c);
		if (given(c->restart_policy))
			field_forbidden(errors, CHILD(item, "restartPolicy"),
					"may not be set for non-init containers");
	}
	check_host_ports(errors, at, &s->containers);
	check_init_containers(errors, at, s, template);
}
