/* kube/control/daemonset.c: one pod on every node that admits it.
 *
 * The pods tolerate what happens to a node, so that neither a cordon nor a lost node
 * moves them. The scheduler binds them; it knows the node that each was made for. An
 * update deletes old pods, at most maxUnavailable at a time, and a new one comes when
 * the old is gone. maxSurge is taken as 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/internal.h"

#define COMPONENT "daemonset-controller"
#define HASH "controller-revision-hash"

static const struct kube_toleration tolerations[] = {
	{ .key = "node.kubernetes.io/not-ready", .op = "Exists", .effect = "NoExecute" },
	{ .key = "node.kubernetes.io/unreachable", .op = "Exists", .effect = "NoExecute" },
	{ .key = "node.kubernetes.io/disk-pressure", .op = "Exists", .effect = "NoSchedule" },
	{ .key = "node.kubernetes.io/memory-pressure", .op = "Exists", .effect = "NoSchedule" },
	{ .key = "node.kubernetes.io/pid-pressure", .op = "Exists", .effect = "NoSchedule" },
	{ .key = "node.kubernetes.io/unschedulable", .op = "Exists", .effect = "NoSchedule" },
	{ .key = "node.kubernetes.io/network-unavailable", .op = "Exists", .effect = "NoSchedule" },
};

struct daemon {
	struct control *c;
	const struct kube_daemon_set *set;
	struct kube_template template; /* with the tolerations */
	struct kube_toleration *borne;
	char hash[16];
	int64_t revision;
	struct table by_node;          /* node name to const struct kube_pod * */
	int32_t desired, current, ready, available, updated, misscheduled;
	int64_t wait_ns;
};

static void prepare(struct daemon *d)
{
	const struct kube_pod_spec *s = &d->set->spec.template.spec;
	uint32_t more = sizeof tolerations / sizeof *tolerations;
	if (s->host_network != TRI_TRUE)
		more--; /* the last one is for pods on the host's network */
	d->template = d->set->spec.template;
	d->borne = mem_array(s->tolerations.count + more, sizeof *d->borne);
	if (s->tolerations.count)
		memcpy(d->borne, s->tolerations.items, s->tolerations.count * sizeof *d->borne);
	memcpy(d->borne + s->tolerations.count, tolerations, more * sizeof *d->borne);
	d->template.spec.tolerations.items = d->borne;
	d->template.spec.tolerations.count = s->tolerations.count + more;
	template_name_hash(d->hash, template_digest(d->c, &d->set->object, &d->set->spec.template),
			   0);
}

static void need_revision(struct daemon *d)
{
	const struct kube_object *owner = &d->set->object;
	char name[300];
	snprintf(name, sizeof name, "%.223s-%s", owner->meta.name, d->hash);
	const struct kube_controller_revision *have = (const void *)kube_store_get(
		d->c->store, KIND_CONTROLLER_REVISION, owner->meta.namespace, name);
	if (have) {
		d->revision = have->revision;
		return;
	}
	struct object_list revisions = { 0 };
	struct kube_controller_revision *r = (void *)kube_new(KIND_CONTROLLER_REVISION);
	struct kube_object *o = &r->object;
	index_owned(&d->c->index, owner->meta.uid, KIND_CONTROLLER_REVISION, &revisions);
	for (uint32_t i = 0; i < revisions.count; i++) {
		const struct kube_controller_revision *old = (const void *)revisions.items[i];
		if (old->revision > r->revision)
			r->revision = old->revision;
	}
	object_list_free(&revisions);
	d->revision = ++r->revision;
	o->meta.name = kube_string(o, name);
	o->meta.namespace = kube_string(o, text_or(owner->meta.namespace, "default"));
	template_share(o, &r->template, owner, &d->set->spec.template);
	kube_map_set(o, &o->meta.labels, "controller.kubernetes.io/hash", d->hash);
	owner_add(o, owner, true);
	control_create(d->c, o, NULL);
}

static const char *node_of(struct daemon *d, const struct kube_pod *p)
{
	if (p->spec.node_name)
		return p->spec.node_name;
	struct pod_record *r = index_pod(&d->c->index, p->object.meta.namespace,
					 p->object.meta.name);
	return r ? r->pinned : NULL;
}

static void create_pod(struct daemon *d, const char *node)
{
	const struct kube_object *owner = &d->set->object;
	struct kube_pod *p = pod_from_template(d->c, &d->template, owner, owner);
	struct kube_object *o = &p->object;
	char prefix[260], name[80];
	struct err err;
	snprintf(prefix, sizeof prefix, "%.253s-", owner->meta.name);
	o->meta.name = name_generate(d->c, o, prefix);
	o->meta.generate_name = kube_string(o, prefix);
	snprintf(name, sizeof name, "%s", o->meta.name);
	kube_map_set(o, &o->meta.labels, HASH, d->hash);
	kube_map_set(o, &o->meta.labels, "pod-template-generation",
		     arena_printf(o->arena, "%lld", (long long)d->revision));
	if (control_create(d->c, o, &err)) {
		control_event(d->c, owner, true, "FailedCreate", COMPONENT, "Error creating: %s",
			      err.text);
		return;
	}
	struct pod_record *r = index_pod(&d->c->index, owner->meta.namespace, name);
	if (r)
		r->pinned = mem_strdup(node);
	control_event(d->c, owner, false, "SuccessfulCreate", COMPONENT, "Created pod: %s", name);
}

static void delete_pod(struct daemon *d, const struct kube_pod *p)
{
	control_event(d->c, &d->set->object, false, "SuccessfulDelete", COMPONENT,
		      "Deleted pod: %s", p->object.meta.name);
	control_delete_object(d->c, &p->object, -1);
}

static bool wanted_on(const struct daemon *d, const struct kube_node *n)
{
	return n && !n->object.meta.deletion_ns && node_admits(n, &d->template.spec);
}

static void count(struct daemon *d, const struct kube_pod *p)
{
	int64_t wait;
	d->current++;
	d->ready += pod_ready(p);
	d->available += pod_available(d->c, p, d->set->spec.min_ready_s.value, &wait);
	d->updated += kube_is(kube_map_get(&p->object.meta.labels, HASH), d->hash);
	if (wait && (!d->wait_ns || wait < d->wait_ns))
		d->wait_ns = wait;
}

/* One pod a node: where it is missing it is made, where it should not be it goes. */
static void place_pods(struct daemon *d)
{
	struct index *x = &d->c->index;
	for (uint32_t i = 0; i < x->node_count; i++) {
		const struct kube_node *n = (const struct kube_node *)x->nodes[i]->record.now;
		if (!n)
			continue;
		const struct kube_pod **found = table_find(&d->by_node, n->object.meta.name);
		bool wanted = wanted_on(d, n);
		d->desired += wanted;
		if (!found) {
			if (wanted)
				create_pod(d, n->object.meta.name);
			continue;
		}
		const struct kube_pod *p = *found;
		bool over =
		    kube_is(p->status.phase, "Failed") || kube_is(p->status.phase, "Succeeded");
		if (wanted && !over) {
			count(d, p);
		} else if (!p->object.meta.deletion_ns) {
			d->misscheduled += !wanted;
			delete_pod(d, p);
		}
	}
}

static int64_t limit(const struct daemon *d)
{
	const struct int_or_string *v = &d->set->spec.max_unavailable;
	int64_t n = 1;
	if (v->kind == 'i')
		n = v->number;
	else if (v->kind == 's' && v->string)
		n = (d->desired * strtol(v->string, NULL, 10) + 99) / 100;
	return n > 0 ? n : 1;
}

static void roll(struct daemon *d)
{
	int64_t room = limit(d) - (d->desired - d->available);
	if (kube_is(d->set->spec.update_strategy, "OnDelete"))
		return;
	const void *key;
	void *value;
	for (int unavailable = 1; unavailable >= 0; unavailable--)
		for (uint32_t i = 0; table_next(&d->by_node, &i, &key, &value);) {
			const struct kube_pod *p = *(const struct kube_pod **)value;
			if (p->object.meta.deletion_ns ||
			    kube_is(kube_map_get(&p->object.meta.labels, HASH), d->hash))
				continue;
			if (pod_ready(p) != !unavailable)
				continue;
			if (!unavailable && room-- <= 0)
				return; /* pods that are not available cost nothing */
			delete_pod(d, p);
		}
}

static void write_status(struct daemon *d)
{
	const struct kube_daemon_set *old = d->set;
	struct kube_daemon_set *copy;
	if (old->status.desired == d->desired && old->status.current == d->current &&
	    old->status.ready == d->ready && old->status.available == d->available &&
	    old->status.updated == d->updated && old->status.misscheduled == d->misscheduled &&
	    old->status.observed_generation == old->object.meta.generation)
		return;
	copy = (struct kube_daemon_set *)object_touch(&old->object);
	copy->status.desired = d->desired;
	copy->status.current = d->current;
	copy->status.ready = d->ready;
	copy->status.available = d->available;
	copy->status.updated = d->updated;
	copy->status.misscheduled = d->misscheduled;
	copy->status.unavailable = d->desired - d->available;
	copy->status.observed_generation = old->object.meta.generation;
	control_update(d->c, &copy->object, false);
}

void daemon_set_sync(struct control *c, const char *namespace, const char *name)
{
	const struct kube_object *o = kube_store_get(c->store, KIND_DAEMON_SET, namespace, name);
	if (!o || o->meta.deletion_ns)
		return;
	struct daemon d = { .c = c, .set = (const struct kube_daemon_set *)kube_ref(o) };
	struct object_list pods = { 0 };
	prepare(&d);
	need_revision(&d);
	table_init(&d.by_node, TABLE_STRING_KEYS, sizeof(const struct kube_pod *));
	index_owned(&c->index, o->meta.uid, KIND_POD, &pods);
	for (uint32_t i = 0; i < pods.count; i++) {
		const struct kube_pod *p = (const struct kube_pod *)kube_ref(pods.items[i]);
		const char *node = node_of(&d, p);
		if (node)
			*(const struct kube_pod **)table_put(&d.by_node, node, NULL) = p;
	}
	place_pods(&d);
	roll(&d);
	write_status(&d);
	if (d.wait_ns)
		queue_add(&c->queues[KIND_DAEMON_SET], namespace, name, d.wait_ns);
	table_free(&d.by_node);
	for (uint32_t i = 0; i < pods.count; i++)
		kube_unref((struct kube_object *)pods.items[i]);
	object_list_free(&pods);
	free(d.borne);
	kube_unref((struct kube_object *)o);
}

void daemon_sets_node_changed(struct control *c, const struct kube_node *old,
			      const struct kube_node *now)
{
	const struct kube_object *o;
	if (old && now && maps_equal(&old->object.meta.labels, &now->object.meta.labels) &&
	    old->spec.taints.count == now->spec.taints.count &&
	    old->spec.unschedulable == now->spec.unschedulable)
		return;
	for (uint32_t i = 0; (o = kube_store_next(c->store, KIND_DAEMON_SET, NULL, &i));)
		queue_add(&c->queues[KIND_DAEMON_SET], o->meta.namespace, o->meta.name,
			  control_reaction(c));
}
