/* kube/control/snapshot.c: what a snapshot lacks, filled in without time.
 *
 * The controllers' own syncs run once each, on a store without an engine; pods that come
 * of it, and pods written by hand (no status, no node), are placed by the scheduler and
 * are ready at once.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/kubelet.h"
#include "kube/control/slices.h"
#include "kube/control/verbs.h"
#include "kube/schema.h"

#define STATEFUL_LIMIT 100000u /* pods of one set: ends a set that makes no progress */

/* ---- pods ------------------------------------------------------------------------ */

/* A pod that no cluster has seen yet: hand-written, or made here. */
static bool raw(const struct kube_pod *p)
{
	return !p->status.pod_ip && !p->status.conditions.count && !p->status.containers.count &&
	       (!p->status.phase || kube_is(p->status.phase, "Pending")) &&
	       !p->object.meta.deletion_ns;
}

static void put_ips(struct kube_pod *copy, const struct kubelet_pod *p,
		    const struct kube_node *node)
{
	struct kube_object *o = &copy->object;
	char text[NET_ADDR_TEXT];
	for (uint32_t i = 0; i < p->ip_count; i++)
		strings_add(o, &copy->status.pod_ips, net_addr_text(&p->ips[i], text));
	copy->status.pod_ip = copy->status.pod_ips.items[0];
	for (uint32_t i = 0; i < node->status.addresses.count; i++)
		if (kube_is(node->status.addresses.items[i].type, "InternalIP"))
			strings_add(o, &copy->status.host_ips,
				    node->status.addresses.items[i].address);
	if (copy->status.host_ips.count)
		copy->status.host_ip = copy->status.host_ips.items[0];
}

static void put_running(struct control *c, struct kube_pod *copy)
{
	static const char *const conditions[] = { "PodReadyToStartContainers", "Initialized",
						  "Ready", "ContainersReady", "PodScheduled" };
	uint32_t n = copy->spec.containers.count;
	copy->status.phase = "Running";
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
		condition_set(&copy->object, &copy->status.conditions, conditions[i], "True", NULL,
			      NULL, control_now(c));
	copy->status.containers.count = n;
	copy->status.containers.items = arena_array(copy->object.arena, n + 1,
						    sizeof *copy->status.containers.items);
	for (uint32_t i = 0; i < n; i++) {
		struct kube_container_status *s = &copy->status.containers.items[i];
		s->name = kube_string(&copy->object, copy->spec.containers.items[i].name);
		s->image = kube_string(&copy->object, copy->spec.containers.items[i].image);
		s->state = "running";
		s->ready = s->started = TRI_TRUE;
	}
}

static void warn(struct control *c, const struct kube_object *o, const char *why)
{
	if (c->warnings)
		strbuf_printf(c->warnings, "%s \"%s/%s\": %s\n", kube_schema(o->kind)->name,
			      text_or(o->meta.namespace, "default"), o->meta.name, why);
}

static void run_pod(struct control *c, const struct kube_pod *p)
{
	struct strbuf why = { 0 };
	struct err err = { "" };
	struct node_record *n = p->spec.node_name ? index_node(&c->index, p->spec.node_name)
						  : scheduler_pick(c->scheduler, p, &why);
	const struct kube_node *node = n ? (const struct kube_node *)n->record.now : NULL;
	if (!node) {
		warn(c, &p->object,
		     why.length ? strbuf_text(&why) : "its node is not in the input");
		strbuf_free(&why);
		return;
	}
	strbuf_free(&why);
	struct kubelet_pod here = { .kubelet = kubelet_need(c, n), .pod = p };
	if (addresses_take(&here, &err) || !here.ip_count) {
		warn(c, &p->object, *err.text ? err.text : "its node has no address");
		return;
	}
	struct kube_pod *copy = pod_touch(p);
	copy->spec.node_name = kube_string(&copy->object, node->object.meta.name);
	put_ips(copy, &here, node);
	put_running(c, copy);
	control_update(c, &copy->object, false);
}

/* Addresses of pods that were given must not be given again. */
static void keep_addresses(struct control *c)
{
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next_created(c->store, KIND_POD, &i));) {
		const struct kube_pod *p = (const struct kube_pod *)o;
		struct node_record *n =
			p->spec.node_name ? index_node(&c->index, p->spec.node_name) : NULL;
		struct kubelet_pod here = { .pod = p };
		if (!n || !p->status.pod_ip || !net_addr_parse(p->status.pod_ip, &here.ips[0]))
			continue;
		here.kubelet = kubelet_need(c, n);
		here.ip_count = 1;
		addresses_keep(&here);
	}
}

static void run_pods(struct control *c)
{
	const struct kube_object *o;
	struct object_list pods = { 0 };
	for (uint32_t i = 0; (o = kube_store_next_created(c->store, KIND_POD, &i));)
		if (raw((const struct kube_pod *)o))
			object_list_add(&pods, kube_ref(o));
	for (uint32_t i = 0; i < pods.count; i++) {
		run_pod(c, (const struct kube_pod *)pods.items[i]);
		kube_unref((struct kube_object *)pods.items[i]);
	}
	object_list_free(&pods);
}

/* ---- workloads ------------------------------------------------------------------- */

static const struct kube_selector *selector_of(const struct kube_object *o)
{
	switch (o->kind) {
	case KIND_DEPLOYMENT:
		return &((const struct kube_deployment *)o)->spec.selector;
	case KIND_REPLICA_SET:
	case KIND_REPLICATION_CONTROLLER:
		return &((const struct kube_replica_set *)o)->spec.selector;
	case KIND_STATEFUL_SET:
		return &((const struct kube_stateful_set *)o)->spec.selector;
	case KIND_DAEMON_SET:
		return &((const struct kube_daemon_set *)o)->spec.selector;
	default:
		return NULL;
	}
}

static uint32_t owned_count(struct control *c, const struct kube_object *o, enum kube_kind kind)
{
	struct object_list l = { 0 };
	index_owned(&c->index, text_or(o->meta.uid, ""), kind, &l);
	uint32_t n = l.count;
	object_list_free(&l);
	return n;
}

static bool has_pods(struct control *c, const struct kube_object *o)
{
	const struct kube_selector *s = selector_of(o);
	struct object_list l = { 0 };
	if (owned_count(c, o, KIND_POD) || owned_count(c, o, KIND_REPLICA_SET))
		return true;
	if (s)
		index_select_full(&c->index, o->meta.namespace, s, &l);
	bool any = l.count > 0;
	object_list_free(&l);
	return any;
}

/* OrderedReady makes one pod a pass, and only when the last one is ready. */
static void fill_stateful_set(struct control *c, const char *namespace, const char *name)
{
	const struct kube_object *o =
		kube_ref(kube_store_get(c->store, KIND_STATEFUL_SET, namespace, name));
	uint32_t before = UINT32_MAX, now = 0;
	for (uint32_t i = 0; i < STATEFUL_LIMIT && now != before; i++) {
		before = now;
		stateful_set_sync(c, namespace, name);
		run_pods(c);
		now = owned_count(c, o, KIND_POD);
	}
	stateful_set_sync(c, namespace, name);
	kube_unref((struct kube_object *)o);
}

static void fill_workload(struct control *c, enum kube_kind kind, const char *namespace,
			  const char *name)
{
	switch (kind) {
	case KIND_DEPLOYMENT:
		deployment_sync(c, namespace, name); /* its set is filled with the other sets */
		break;
	case KIND_REPLICA_SET:
		replica_set_sync(c, namespace, name);
		break;
	case KIND_REPLICATION_CONTROLLER:
		replication_sync(c, namespace, name);
		break;
	case KIND_STATEFUL_SET:
		fill_stateful_set(c, namespace, name);
		break;
	case KIND_DAEMON_SET:
		daemon_set_sync(c, namespace, name);
		break;
	default:
		job_sync(c, namespace, name);
		break;
	}
}

static bool job_over(const struct kube_object *o)
{
	const struct kube_job *j = (const struct kube_job *)o;
	return o->kind == KIND_JOB && (j->status.conditions.count || j->status.start_ns);
}

static void fill_workloads(struct control *c)
{
	static const enum kube_kind kinds[] = { KIND_DEPLOYMENT, KIND_REPLICA_SET,
						KIND_REPLICATION_CONTROLLER, KIND_STATEFUL_SET,
						KIND_DAEMON_SET, KIND_JOB };
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		struct object_list l = { 0 };
		const struct kube_object *o;
		for (uint32_t i = 0; (o = kube_store_next_created(c->store, kinds[k], &i));)
			object_list_add(&l, kube_ref(o));
		for (uint32_t i = 0; i < l.count; i++) {
			if (!has_pods(c, l.items[i]) && !job_over(l.items[i]))
				fill_workload(c, kinds[k], l.items[i]->meta.namespace,
					      l.items[i]->meta.name);
			kube_unref((struct kube_object *)l.items[i]);
		}
		object_list_free(&l);
		run_pods(c);
	}
}

/* ---- endpoints ------------------------------------------------------------------- */

static bool has_slices(struct control *c, const struct kube_object *o)
{
	uint32_t cursor = 0;
	return kube_store_next_slice(c->store, o->meta.namespace, o->meta.name, &cursor) != NULL;
}

static void fill_endpoints(struct control *c)
{
	struct object_list l = { 0 };
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next_created(c->store, KIND_SERVICE, &i));)
		object_list_add(&l, kube_ref(o));
	for (uint32_t i = 0; i < l.count; i++) {
		o = l.items[i];
		const struct kube_service *s = (const struct kube_service *)o;
		bool given = kube_store_get(c->store, KIND_ENDPOINTS, o->meta.namespace,
					    o->meta.name) != NULL;
		if (!has_slices(c, o) && !kube_is(s->spec.type, "ExternalName")) {
			if (given)
				mirror_endpoints(c, o->meta.namespace, o->meta.name);
			else if (s->spec.selector.count)
				slices_sync(c, o->meta.namespace, o->meta.name);
		}
		kube_unref((struct kube_object *)l.items[i]);
	}
	object_list_free(&l);
}

static void fill_cidrs(struct control *c)
{
	for (uint32_t i = 0; i < c->index.node_count; i++) {
		const struct kube_node *n = (const struct kube_node *)c->index.nodes[i]->record.now;
		if (n)
			cidr_assign(c, n);
	}
}

/* Whether any workload or pod needs to be placed: then nodes need podCIDRs. */
static bool needs_places(struct control *c)
{
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next_created(c->store, KIND_POD, &i));)
		if (raw((const struct kube_pod *)o))
			return true;
	for (int kind = KIND_DEPLOYMENT; kind <= KIND_JOB; kind++)
		for (uint32_t i = 0; (o = kube_store_next_created(c->store, kind, &i));)
			if (!has_pods(c, o))
				return true;
	return false;
}

int control_fill_snapshot(struct kube_store *store, struct choice *choice,
			  struct strbuf *warnings, struct err *err)
{
	struct control *c = control_new(store, NULL, choice, NULL, NULL);
	(void)err;
	c->warnings = warnings;
	if (needs_places(c)) {
		fill_cidrs(c);
		keep_addresses(c);
		run_pods(c);
		fill_workloads(c);
	}
	fill_endpoints(c);
	control_free(c);
	return 0;
}
