/* kube/kubectl/describe_pod.c: pods, containers, templates. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/describe.h"

/* ---- containers ------------------------------------------------------------------ */

static const char *ports(struct call *c, const struct kube_container *k, bool host)
{
	struct strbuf b = { 0 };
	for (uint32_t i = 0; i < k->ports.count; i++) {
		const struct kube_container_port *p = &k->ports.items[i];
		strbuf_printf(&b, "%s%d/%s", i ? ", " : "", host ? p->host_port : p->container_port,
			      text_or(p->protocol, "TCP"));
		if (p->name && *p->name)
			strbuf_printf(&b, " (%s)", p->name);
	}
	const char *text = arena_strdup(c->arena, strbuf_text(&b));
	strbuf_free(&b);
	return text;
}

static void put_ports(struct describe *d, const struct kube_container *k)
{
	const char *list = ports(d->c, k, false), *host = ports(d->c, k, true);
	describe_put(d, 2, "%s:\t%s\n", strchr(list, ',') ? "Ports" : "Port",
		     text_or(list, "<none>"));
	describe_put(d, 2, "%s:\t%s\n", strchr(host, ',') ? "Host Ports" : "Host Port",
		     text_or(host, "<none>"));
}

static void put_words(struct describe *d, const char *title, const struct kube_strings *l)
{
	if (!l->count)
		return;
	describe_put(d, 2, "%s:\n", title);
	for (uint32_t i = 0; i < l->count; i++)
		for (const char *p = l->items[i];;) {
			size_t n = strcspn(p, "\n");
			describe_put(d, 3, "%.*s\n", (int)n, p);
			if (!p[n])
				break;
			p += n + 1;
		}
}

static void put_state(struct describe *d, const struct kube_container_status *s)
{
	if (kube_is(s->state, "running")) {
		describe_put(d, 2, "State:\tRunning\n");
		describe_put(d, 3, "Started:\t%s\n", long_date(d->c, s->started_ns));
	} else if (kube_is(s->state, "terminated")) {
		describe_put(d, 2, "State:\tTerminated\n");
		if (s->reason)
			describe_put(d, 3, "Reason:\t%s\n", s->reason);
		if (s->message)
			describe_put(d, 3, "Message:\t%s\n", s->message);
		describe_put(d, 3, "Exit Code:\t%d\n", s->exit_code);
		describe_put(d, 3, "Started:\t%s\n", long_date(d->c, s->started_ns));
		describe_put(d, 3, "Finished:\t%s\n", long_date(d->c, s->finished_ns));
	} else {
		describe_put(d, 2, "State:\tWaiting\n");
		if (s->reason)
			describe_put(d, 3, "Reason:\t%s\n", s->reason);
	}
	if (s->last.set) {
		describe_put(d, 2, "Last State:\tTerminated\n");
		if (s->last.reason)
			describe_put(d, 3, "Reason:\t%s\n", s->last.reason);
		describe_put(d, 3, "Exit Code:\t%d\n", s->last.exit_code);
		describe_put(d, 3, "Finished:\t%s\n", long_date(d->c, s->last.finished_ns));
	}
	describe_put(d, 2, "Ready:\t%s\n", s->ready == TRI_TRUE ? "True" : "False");
	describe_put(d, 2, "Restart Count:\t%d\n", s->restart_count);
}

static void put_resources(struct describe *d, const char *title, const struct kube_map *m)
{
	if (m->count)
		describe_put(d, 2, "%s:\n", title);
	for (uint32_t i = 0; i < m->count; i++)
		describe_put(d, 3, "%s:\t%s\n", m->items[i].key, m->items[i].value);
}

static const char *port_text(struct call *c, const struct int_or_string *p)
{
	return p->kind == 's' ? p->string : arena_printf(c->arena, "%d", p->number);
}

static const char *handler_text(struct call *c, const struct kube_probe_handler *h)
{
	if (h->exec.set)
		return arena_printf(c->arena, "exec [%s]",
				    words_join(c, &h->exec.command, " ", ""));
	if (h->http_get.set) {
		const char *scheme = kube_is(h->http_get.scheme, "HTTPS") ? "https" : "http";
		const char *path = text_or(h->http_get.path, "");
		return arena_printf(c->arena, "http-get %s://%s:%s%s%s", scheme,
				    text_or(h->http_get.host, ""), port_text(c, &h->http_get.port),
				    *path && *path != '/' ? "/" : "", path);
	}
	if (h->tcp_socket.set)
		return arena_printf(c->arena, "tcp-socket %s:%s", text_or(h->tcp_socket.host, ""),
				    port_text(c, &h->tcp_socket.port));
	if (h->grpc.set)
		return arena_printf(c->arena, "grpc <pod>:%d %s", h->grpc.port,
				    text_or(h->grpc.service, ""));
	return "unknown";
}

static long long number(const struct opt_int *v, long long otherwise)
{
	return v->set ? (long long)v->value : otherwise;
}

static void put_probe(struct describe *d, const char *title, const struct kube_probe *p)
{
	if (!p->set)
		return;
	describe_put(d, 2,
		     "%s:\t%s delay=%llds timeout=%llds period=%llds #success=%lld #failure=%lld\n",
		     title, handler_text(d->c, &p->handler), number(&p->initial_delay_s, 0),
		     number(&p->timeout_s, 1), number(&p->period_s, 10),
		     number(&p->success_threshold, 1), number(&p->failure_threshold, 3));
}

static const char *field(const struct kube_pod *p, const char *path)
{
	if (!p)
		return "";
	if (kube_is(path, "metadata.name"))
		return p->object.meta.name;
	if (kube_is(path, "metadata.namespace"))
		return text_or(p->object.meta.namespace, "");
	if (kube_is(path, "status.podIP"))
		return text_or(p->status.pod_ip, "");
	if (kube_is(path, "status.hostIP"))
		return text_or(p->status.host_ip, "");
	return kube_is(path, "spec.nodeName") ? text_or(p->spec.node_name, "") : "";
}

static void put_env(struct describe *d, const struct kube_container *k, const struct kube_pod *pod)
{
	describe_put(d, 2, "Environment:%s\n", k->env.count ? "" : "\t<none>");
	for (uint32_t i = 0; i < k->env.count; i++) {
		const struct kube_env *e = &k->env.items[i];
		if (e->field_path)
			describe_put(d, 3, "%s:\t%s (v1:%s)\n", e->name, field(pod, e->field_path),
				     e->field_path);
		else if (e->config_map)
			describe_put(
			    d, 3,
			    "%s:\t<set to the key '%s' of config map '%s'>\tOptional: false\n",
			    e->name, text_or(e->config_map_key, ""), e->config_map);
		else
			describe_put(d, 3, "%s:\t%s\n", e->name, text_or(e->value, ""));
	}
}

static int by_path(const void *a, const void *b)
{
	const struct kube_volume_mount *p = *(const struct kube_volume_mount *const *)a;
	const struct kube_volume_mount *q = *(const struct kube_volume_mount *const *)b;
	return strcmp(text_or(p->mount_path, ""), text_or(q->mount_path, ""));
}

static void put_mounts(struct describe *d, const struct kube_container *k)
{
	uint32_t n = k->mounts.count;
	const struct kube_volume_mount **l = arena_array(d->c->arena, n + 1, sizeof *l);
	describe_put(d, 2, "Mounts:%s\n", n ? "" : "\t<none>");
	for (uint32_t i = 0; i < n; i++)
		l[i] = &k->mounts.items[i];
	qsort(l, n, sizeof *l, by_path);
	for (uint32_t i = 0; i < n; i++) {
		describe_put(d, 3, "%s from %s (%s", l[i]->mount_path, l[i]->name,
			     l[i]->read_only == TRI_TRUE ? "ro" : "rw");
		if (l[i]->sub_path)
			describe_put(d, 0, ",path=\"%s\"", l[i]->sub_path);
		describe_put(d, 0, ")\n");
	}
}

void describe_put_containers(struct describe *d, const char *indent, const char *title,
			     const struct kube_containers *l,
			     const struct kube_container_status *status, uint32_t status_count,
			     const struct kube_pod *pod)
{
	describe_put(d, 0, "%s%s:%s\n", indent, title, l->count ? "" : " <none>");
	for (uint32_t i = 0; i < l->count; i++) {
		const struct kube_container *k = &l->items[i];
		const struct kube_container_status *s = NULL;
		for (uint32_t j = 0; j < status_count; j++)
			if (kube_is(status[j].name, k->name))
				s = &status[j];
		describe_put(d, 1, "%s%s:\n", *indent ? " " : "", k->name);
		if (s)
			describe_put(d, 2, "Container ID:\t%s\n", text_or(s->container_id, ""));
		describe_put(d, 2, "Image:\t%s\n", text_or(k->image, ""));
		if (s)
			describe_put(d, 2, "Image ID:\t%s\n", text_or(s->image_id, ""));
		put_ports(d, k);
		put_words(d, "Command", &k->command);
		put_words(d, "Args", &k->args);
		if (s)
			put_state(d, s);
		put_resources(d, "Limits", &k->resources.limits);
		put_resources(d, "Requests", &k->resources.requests);
		put_probe(d, "Liveness", &k->liveness);
		put_probe(d, "Readiness", &k->readiness);
		put_probe(d, "Startup", &k->startup);
		put_env(d, k, pod);
		put_mounts(d, k);
	}
}

/* ---- volumes, tolerations -------------------------------------------------------- */

void describe_put_volumes(struct describe *d, const char *indent, const struct kube_pod_spec *s)
{
	if (!s->volumes.count) {
		describe_put(d, 0, "%sVolumes:\t<none>\n", indent);
		return;
	}
	describe_put(d, 0, "%sVolumes:\n", indent);
	for (uint32_t i = 0; i < s->volumes.count; i++) {
		const struct kube_volume *v = &s->volumes.items[i];
		describe_put(d, 1, "%s%s:\n", *indent ? " " : "", v->name);
		if (v->claim_name) {
			describe_put(d, 2,
				     "Type:\tPersistentVolumeClaim (a reference to a "
				     "PersistentVolumeClaim in "
				     "the same namespace)\n");
			describe_put(d, 2, "ClaimName:\t%s\n", v->claim_name);
			describe_put(d, 2, "ReadOnly:\tfalse\n");
		} else if (v->config_map) {
			describe_put(d, 2,
				     "Type:\tConfigMap (a volume populated by a ConfigMap)\n");
			describe_put(d, 2, "Name:\t%s\n", v->config_map);
			describe_put(d, 2, "Optional:\tfalse\n");
		} else if (v->host_path) {
			describe_put(d, 2, "Type:\tHostPath (bare host directory volume)\n");
			describe_put(d, 2, "Path:\t%s\n", v->host_path);
			describe_put(d, 2, "HostPathType:\t\n");
		} else if (v->empty_dir) {
			describe_put(d, 2,
				     "Type:\tEmptyDir (a temporary directory that shares a pod's "
				     "lifetime)\n");
			describe_put(d, 2, "Medium:\t\n");
			describe_put(d, 2, "SizeLimit:\t<unset>\n");
		} else {
			describe_put(d, 2, "<unknown>\n");
		}
	}
}

void describe_put_tolerations(struct describe *d, const char *indent, const struct kube_pod_spec *s)
{
	describe_put(d, 0, "%sTolerations:\t", indent);
	if (!s->tolerations.count)
		describe_put(d, 0, "<none>\n");
	for (uint32_t i = 0; i < s->tolerations.count; i++) {
		const struct kube_toleration *t = &s->tolerations.items[i];
		const char *key = text_or(t->key, ""), *value = text_or(t->value, "");
		const char *effect = text_or(t->effect, "");
		if (i)
			describe_put(d, 0, "%s\t", indent);
		describe_put(d, 0, "%s%s%s%s%s", key, *value ? "=" : "", value, *effect ? ":" : "",
			     effect);
		if (kube_is(t->op, "Exists") && !*value)
			describe_put(d, 0, "%sop=Exists", *key || *effect ? " " : "");
		if (t->seconds.set)
			describe_put(d, 0, " for %llds", (long long)t->seconds.value);
		describe_put(d, 0, "\n");
	}
}

void describe_put_template(struct describe *d, const struct kube_template *t)
{
	describe_put(d, 0, "Pod Template:\n");
	describe_put_pairs(d, "  ", "Labels", &t->meta.labels, false);
	if (t->meta.annotations.count)
		describe_put_annotations(d, "  ", &t->meta.annotations);
	if (t->spec.service_account && strcmp(t->spec.service_account, "default") != 0)
		describe_put(d, 0, "  Service Account:\t%s\n", t->spec.service_account);
	if (t->spec.init_containers.count)
		describe_put_containers(d, "  ", "Init Containers", &t->spec.init_containers, NULL,
					0, NULL);
	describe_put_containers(d, "  ", "Containers", &t->spec.containers, NULL, 0, NULL);
	describe_put_volumes(d, "  ", &t->spec);
	describe_put_pairs(d, "  ", "Node-Selectors", &t->spec.node_selector, false);
	describe_put_tolerations(d, "  ", &t->spec);
}

void describe_template_tabs(struct call *c, const struct kube_template *t, struct strbuf *out)
{
	struct describe d = { .c = c };
	describe_put_template(&d, t);
	strbuf_add(out, strbuf_text(&d.text), d.text.length);
	strbuf_free(&d.text);
}

/* ---- pod ------------------------------------------------------------------------- */

static void put_ips(struct describe *d, const struct kube_pod *p)
{
	describe_put(d, 0, "IP:\t%s\n", text_or(p->status.pod_ip, ""));
	if (!p->status.pod_ips.count) {
		describe_put(d, 0, "IPs:\t<none>\n");
		return;
	}
	describe_put(d, 0, "IPs:\n");
	for (uint32_t i = 0; i < p->status.pod_ips.count; i++)
		describe_put(d, 1, "IP:\t%s\n", p->status.pod_ips.items[i]);
}

static void put_status(struct describe *d, const struct kube_pod *p)
{
	const struct kube_meta *m = &p->object.meta;
	if (m->deletion_ns) {
		describe_put(d, 0, "Status:\tTerminating (lasts %s)\n",
			     age_of(d->c, m->deletion_ns));
		describe_put(d, 0, "Termination Grace Period:\t%llds\n",
			     number(&m->deletion_grace_s, 30));
	} else {
		describe_put(d, 0, "Status:\t%s\n", text_or(p->status.phase, "Pending"));
	}
	if (p->status.reason)
		describe_put(d, 0, "Reason:\t%s\n", p->status.reason);
	if (p->status.message)
		describe_put(d, 0, "Message:\t%s\n", p->status.message);
}

static void put_head(struct describe *d, const struct kube_pod *p)
{
	describe_put_name(d, &p->object);
	describe_put(d, 0, "Priority:\t0\n");
	if (p->spec.priority_class)
		describe_put(d, 0, "Priority Class Name:\t%s\n", p->spec.priority_class);
	describe_put(d, 0, "Service Account:\t%s\n", text_or(p->spec.service_account, "default"));
	if (p->spec.node_name)
		describe_put(d, 0, "Node:\t%s/%s\n", p->spec.node_name,
			     text_or(p->status.host_ip, ""));
	else
		describe_put(d, 0, "Node:\t<none>\n");
	if (p->status.start_ns)
		describe_put(d, 0, "Start Time:\t%s\n", long_date(d->c, p->status.start_ns));
	describe_put_pairs(d, "", "Labels", &p->object.meta.labels, false);
	describe_put_annotations(d, "", &p->object.meta.annotations);
	put_status(d, p);
	put_ips(d, p);
	describe_put_controller(d, &p->object);
}

static void put_conditions(struct describe *d, const struct kube_pod *p)
{
	if (p->spec.readiness_gates.count) {
		describe_put(d, 0, "Readiness Gates:\n");
		describe_put(d, 1, "Type\tStatus\n");
		for (uint32_t i = 0; i < p->spec.readiness_gates.count; i++) {
			const char *type = p->spec.readiness_gates.items[i];
			const struct kube_condition *c =
			    condition_find(&p->status.conditions, type);
			describe_put(d, 1, "%s \t%s \n", type, c ? c->status : "<none>");
		}
	}
	if (!p->status.conditions.count)
		return;
	describe_put(d, 0, "Conditions:\n");
	describe_put(d, 1, "Type\tStatus\n");
	for (uint32_t i = 0; i < p->status.conditions.count; i++)
		describe_put(d, 1, "%s \t%s \n", p->status.conditions.items[i].type,
			     p->status.conditions.items[i].status);
}

void describe_pod(struct describe *d, const struct kube_object *o)
{
	const struct kube_pod *p = (const struct kube_pod *)o;
	put_head(d, p);
	if (p->spec.init_containers.count)
		describe_put_containers(d, "", "Init Containers", &p->spec.init_containers,
					p->status.init_containers.items,
					p->status.init_containers.count, p);
	describe_put_containers(d, "", "Containers", &p->spec.containers,
				p->status.containers.items, p->status.containers.count, p);
	put_conditions(d, p);
	describe_put_volumes(d, "", &p->spec);
	describe_put(d, 0, "QoS Class:\t%s\n", text_or(p->status.qos_class, "BestEffort"));
	describe_put_pairs(d, "", "Node-Selectors", &p->spec.node_selector, false);
	describe_put_tolerations(d, "", &p->spec);
	describe_put_events(d, o);
}
