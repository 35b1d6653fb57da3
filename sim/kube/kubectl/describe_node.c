/* kube/kubectl/describe_node.c: nodes and the kinds without much to say. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/describe.h"

/* ---- resources ------------------------------------------------------------------- */

struct sums { int64_t cpu_request, cpu_limit, memory_request, memory_limit; };

static int64_t quantity(const struct kube_map *m, const char *name)
{
	const char *text = kube_map_get(m, name);
	int64_t milli;
	return text && kube_quantity_parse(text, &milli) ? milli : 0;
}

static struct sums pod_sums(const struct kube_pod *p)
{
	struct sums s = { 0 };
	for (uint32_t i = 0; i < p->spec.containers.count; i++) {
		const struct kube_container *k = &p->spec.containers.items[i];
		s.cpu_request += quantity(&k->resources.requests, "cpu");
		s.cpu_limit += quantity(&k->resources.limits, "cpu");
		s.memory_request += quantity(&k->resources.requests, "memory");
		s.memory_limit += quantity(&k->resources.limits, "memory");
	}
	return s;
}

/* "100m (2%)" of thousandths. */
static const char *share(struct call *c, int64_t milli, int64_t all, bool memory)
{
	long long percent = all > 0 ? (long long)((double)milli * 100 / (double)all) : 0;
	int64_t bytes = milli / 1000;
	if (!memory && milli % 1000)
		return arena_printf(c->arena, "%lldm (%lld%%)", (long long)milli, percent);
	if (memory && bytes && bytes % (1 << 20) == 0)
		return arena_printf(c->arena, "%lldMi (%lld%%)", (long long)(bytes >> 20), percent);
	if (memory && bytes && bytes % 1024 == 0)
		return arena_printf(c->arena, "%lldKi (%lld%%)", (long long)(bytes >> 10), percent);
	return arena_printf(c->arena, "%lld (%lld%%)", (long long)bytes, percent);
}

static void put_sums(struct describe *d, const struct sums *s, const struct kube_map *have)
{
	int64_t cpu = quantity(have, "cpu"), memory = quantity(have, "memory");
	describe_put(d, 0, "%s\t%s\t", share(d->c, s->cpu_request, cpu, false),
		     share(d->c, s->cpu_limit, cpu, false));
	describe_put(d, 0, "%s\t%s", share(d->c, s->memory_request, memory, true),
		     share(d->c, s->memory_limit, memory, true));
}

static void put_node_pods(struct describe *d, const struct kube_node *n)
{
	const struct kube_map *have =
		n->status.allocatable.count ? &n->status.allocatable : &n->status.capacity;
	struct object_list l = { 0 };
	struct sums all = { 0 };
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next(d->c->k->store, KIND_POD, NULL, &i));) {
		const struct kube_pod *p = (const struct kube_pod *)o;
		if (kube_is(p->spec.node_name, n->object.meta.name) &&
		    !kube_is(p->status.phase, "Succeeded") && !kube_is(p->status.phase, "Failed"))
			object_list_add(&l, o);
	}
	describe_put(d, 0, "Non-terminated Pods:\t(%u in total)\n", l.count);
	describe_put(
	    d, 1,
	    "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n");
	describe_put(
	    d, 1,
	    "---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n");
	for (uint32_t i = 0; i < l.count; i++) {
		struct sums s = pod_sums((const struct kube_pod *)l.items[i]);
		describe_put(d, 1, "%s\t%s\t\t", l.items[i]->meta.namespace, l.items[i]->meta.name);
		put_sums(d, &s, have);
		describe_put(d, 0, "\t%s\n", age_of(d->c, l.items[i]->meta.creation_ns));
		all.cpu_request += s.cpu_request;
		all.cpu_limit += s.cpu_limit;
		all.memory_request += s.memory_request;
		all.memory_limit += s.memory_limit;
	}
	object_list_free(&l);
	int64_t cpu = quantity(have, "cpu"), memory = quantity(have, "memory");
	describe_put(d, 0, "Allocated resources:\n");
	describe_put(d, 1, "(Total limits may be over 100 percent, i.e., overcommitted.)\n");
	describe_put(d, 1, "Resource\tRequests\tLimits\n");
	describe_put(d, 1, "--------\t--------\t------\n");
	describe_put(d, 1, "cpu\t%s\t%s\n", share(d->c, all.cpu_request, cpu, false),
		     share(d->c, all.cpu_limit, cpu, false));
	describe_put(d, 1, "memory\t%s\t%s\n", share(d->c, all.memory_request, memory, true),
		     share(d->c, all.memory_limit, memory, true));
	describe_put(d, 1, "ephemeral-storage\t0 (0%%)\t0 (0%%)\n");
}

/* ---- node ------------------------------------------------------------------------ */

static int by_effect(const void *a, const void *b)
{
	const struct kube_taint *p = *(const struct kube_taint *const *)a;
	const struct kube_taint *q = *(const struct kube_taint *const *)b;
	int d = strcmp(text_or(p->effect, ""), text_or(q->effect, ""));
	return d ? d : strcmp(text_or(p->key, ""), text_or(q->key, ""));
}

static void put_taints(struct describe *d, const struct kube_node *n)
{
	uint32_t count = n->spec.taints.count;
	const struct kube_taint **l = arena_array(d->c->arena, count + 1, sizeof *l);
	for (uint32_t i = 0; i < count; i++)
		l[i] = &n->spec.taints.items[i];
	qsort(l, count, sizeof *l, by_effect);
	describe_put(d, 0, "Taints:\t%s", count ? "" : "<none>\n");
	for (uint32_t i = 0; i < count; i++)
		describe_put(d, 0, "%s%s%s%s:%s\n", i ? "\t" : "", l[i]->key,
			     l[i]->value && *l[i]->value ? "=" : "", text_or(l[i]->value, ""),
			     text_or(l[i]->effect, ""));
}

static void put_resource_list(struct describe *d, const char *title, const struct kube_map *m)
{
	if (!m->count)
		return;
	describe_put(d, 0, "%s:\n", title);
	for (uint32_t i = 0; i < m->count; i++)
		describe_put(d, 1, "%s:\t%s\n", m->items[i].key, m->items[i].value);
}

static void put_system(struct describe *d, const struct kube_node *n)
{
	const char *rows[][2] = {
		{ "Machine ID", n->status.info.machine_id },
		{ "System UUID", n->status.info.system_uuid },
		{ "Boot ID", n->status.info.boot_id },
		{ "Kernel Version", n->status.info.kernel_version },
		{ "OS Image", n->status.info.os_image },
		{ "Operating System", n->status.info.operating_system },
		{ "Architecture", n->status.info.architecture },
		{ "Container Runtime Version", n->status.info.container_runtime },
		{ "Kubelet Version", n->status.info.kubelet_version },
		{ "Kube-Proxy Version", n->status.info.kube_proxy_version },
	};
	describe_put(d, 0, "System Info:\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		describe_put(d, 1, "%s:\t%s\n", rows[i][0], text_or(rows[i][1], ""));
}

static void put_node_conditions(struct describe *d, const struct kube_node *n)
{
	const char *now = long_date(d->c, call_now(d->c));
	if (!n->status.conditions.count)
		return;
	describe_put(d, 0, "Conditions:\n");
	describe_put(d, 1,
		     "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n");
	describe_put(d, 1,
		     "----\t------\t-----------------\t------------------\t------\t-------\n");
	for (uint32_t i = 0; i < n->status.conditions.count; i++) {
		const struct kube_condition *k = &n->status.conditions.items[i];
		/* A kubelet that is gone has beaten last when its conditions turned. */
		bool lost = kube_is(k->status, "Unknown");
		const char *turned = long_date(d->c, k->last_transition_ns);
		describe_put(d, 1, "%s \t%s \t%s \t%s \t%s \t%s\n", k->type, k->status,
			     lost ? turned : now, turned, text_or(k->reason, ""),
			     text_or(k->message, ""));
	}
}

void describe_node(struct describe *d, const struct kube_object *o)
{
	const struct kube_node *n = (const struct kube_node *)o;
	describe_put(d, 0, "Name:\t%s\n", o->meta.name);
	describe_put(d, 0, "Roles:\t%s\n", node_roles(d->c, n));
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "CreationTimestamp:\t%s\n", long_date(d->c, o->meta.creation_ns));
	put_taints(d, n);
	describe_put(d, 0, "Unschedulable:\t%s\n",
		     n->spec.unschedulable == TRI_TRUE ? "true" : "false");
	describe_put(d, 0, "Lease:\n");
	describe_put(d, 1, "HolderIdentity:\t%s\n", o->meta.name);
	describe_put(d, 1, "AcquireTime:\t<unset>\n");
	describe_put(d, 1, "RenewTime:\t%s\n",
		     long_date(d->c, call_now(d->c) / (10 * NS_PER_S) * (10 * NS_PER_S)));
	put_node_conditions(d, n);
	describe_put(d, 0, "Addresses:\n");
	for (uint32_t i = 0; i < n->status.addresses.count; i++)
		describe_put(d, 1, "%s:\t%s\n", n->status.addresses.items[i].type,
			     n->status.addresses.items[i].address);
	put_resource_list(d, "Capacity", &n->status.capacity);
	put_resource_list(d, "Allocatable", &n->status.allocatable);
	put_system(d, n);
	if (n->spec.pod_cidr)
		describe_put(d, 0, "PodCIDR:\t%s\n", n->spec.pod_cidr);
	if (n->spec.pod_cidrs.count)
		describe_put(d, 0, "PodCIDRs:\t%s\n",
			     words_join(d->c, &n->spec.pod_cidrs, ",", ""));
	if (n->spec.provider_id)
		describe_put(d, 0, "ProviderID:\t%s\n", n->spec.provider_id);
	put_node_pods(d, n);
	describe_put_events(d, o);
}

/* ---- others ---------------------------------------------------------------------- */

void describe_config_map(struct describe *d, const struct kube_object *o)
{
	const struct kube_config_map *m = (const struct kube_config_map *)o;
	describe_put_name(d, o);
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "\nData\n====\n");
	describe_flush(d);
	for (uint32_t i = 0; i < m->data.count; i++) /* values keep their tabs */
		strbuf_printf(d->c->out, "%s:\n----\n%s\n\n", m->data.items[i].key,
			      text_or(m->data.items[i].value, ""));
	describe_put(d, 0, "\nBinaryData\n====\n\n");
	describe_put_events(d, o);
}

void describe_namespace(struct describe *d, const struct kube_object *o)
{
	describe_put(d, 0, "Name:\t%s\n", o->meta.name);
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "Status:\t%s\n",
		     text_or(((const struct kube_namespace *)o)->status.phase, "Active"));
	describe_put(d, 0, "\nNo resource quota.\n\nNo LimitRange resource.\n");
}

void describe_claim(struct describe *d, const struct kube_object *o)
{
	const struct kube_pvc *p = (const struct kube_pvc *)o;
	describe_put_name(d, o);
	describe_put(d, 0, "StorageClass:\t%s\n", text_or(p->spec.storage_class, ""));
	describe_put(d, 0, "Status:\t%s\n",
		     o->meta.deletion_ns ? "Terminating" : text_or(p->status.phase, "Pending"));
	describe_put(d, 0, "Volume:\t%s\n", text_or(p->spec.volume_name, ""));
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "Capacity:\t%s\n",
		     text_or(kube_map_get(&p->status.capacity, "storage"), ""));
	describe_put(d, 0, "Access Modes:\t%s\n",
		     words_join(d->c, &p->status.access_modes, ",", ""));
	describe_put(d, 0, "VolumeMode:\t%s\n", text_or(p->spec.volume_mode, "Filesystem"));
	describe_put(d, 0, "Used By:\t");
	const struct kube_object *e;
	bool any = false;
	for (uint32_t i = 0;
	     (e = kube_store_next(d->c->k->store, KIND_POD, o->meta.namespace, &i));) {
		const struct kube_pod *pod = (const struct kube_pod *)e;
		for (uint32_t j = 0; j < pod->spec.volumes.count; j++)
			if (kube_is(pod->spec.volumes.items[j].claim_name, o->meta.name)) {
				describe_put(d, 0, "%s%s\n", any ? "\t" : "", e->meta.name);
				any = true;
			}
	}
	if (!any)
		describe_put(d, 0, "<none>\n");
	describe_put_events(d, o);
}

void describe_volume(struct describe *d, const struct kube_object *o)
{
	const struct kube_pv *v = (const struct kube_pv *)o;
	describe_put(d, 0, "Name:\t%s\n", o->meta.name);
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "StorageClass:\t%s\n", text_or(v->spec.storage_class, ""));
	describe_put(d, 0, "Status:\t%s\n", text_or(v->status.phase, "Available"));
	if (v->spec.claim.name)
		describe_put(d, 0, "Claim:\t%s/%s\n", text_or(v->spec.claim.namespace, ""),
			     v->spec.claim.name);
	else
		describe_put(d, 0, "Claim:\t\n");
	describe_put(d, 0, "Reclaim Policy:\t%s\n", text_or(v->spec.reclaim_policy, "Retain"));
	describe_put(d, 0, "Access Modes:\t%s\n", words_join(d->c, &v->spec.access_modes, ",", ""));
	describe_put(d, 0, "VolumeMode:\t%s\n", text_or(v->spec.volume_mode, "Filesystem"));
	describe_put(d, 0, "Capacity:\t%s\n",
		     text_or(kube_map_get(&v->spec.capacity, "storage"), ""));
	describe_put(d, 0, "Message:\t\n");
	describe_put_events(d, o);
}
