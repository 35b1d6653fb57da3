/* kube/admit_pod.c: what a new Pod gets from admission and its strategy.
 *
 * Sources: plugin/pkg/admission/defaulttolerationseconds, pkg/registry/core/pod
 * strategy.go, pkg/apis/core/v1/helper/qos. */
#include <string.h>

#include "kube/admit.h"

#define NOT_READY "node.kubernetes.io/not-ready"
#define UNREACHABLE "node.kubernetes.io/unreachable"
#define EVICTION_S 300

static bool tolerates(const struct kube_pod *p, const char *key)
{
	for (uint32_t i = 0; i < p->spec.tolerations.count; i++) {
		const struct kube_toleration *t = &p->spec.tolerations.items[i];
		bool this_key = kube_is(t->key, key) || !t->key || !*t->key;
		bool this_effect = kube_is(t->effect, "NoExecute") || !t->effect || !*t->effect;
		if (this_key && this_effect)
			return true;
	}
	return false;
}

static void tolerate(struct kube_pod *p, const char *key)
{
	if (tolerates(p, key))
		return;
	uint32_t count = p->spec.tolerations.count;
	struct kube_toleration *items = arena_array(p->object.arena, count + 1, sizeof *items);
	if (count)
		memcpy(items, p->spec.tolerations.items, count * sizeof *items);
	items[count] = (struct kube_toleration){ .key = key, .op = "Exists", .effect = "NoExecute",
						 .seconds = { true, EVICTION_S } };
	p->spec.tolerations.items = items;
	p->spec.tolerations.count = count + 1;
}

struct qos { bool any, guaranteed; };

static void add_qos(struct qos *q, const struct kube_containers *list)
{
	static const char *const names[] = { "cpu", "memory" };
	for (uint32_t i = 0; i < list->count; i++) {
		const struct kube_container *c = &list->items[i];
		for (int j = 0; j < 2; j++) {
			const char *limit = kube_map_get(&c->resources.limits, names[j]);
			const char *request = kube_map_get(&c->resources.requests, names[j]);
			int64_t most = 0, least = 0;
			if (limit)
				kube_quantity_parse(limit, &most);
			if (request)
				kube_quantity_parse(request, &least);
			q->any |= most > 0 || least > 0;
			q->guaranteed &= most > 0 && (!request || most == least);
		}
	}
}

static const char *qos_class(const struct kube_pod *p)
{
	struct qos q = { false, true };
	add_qos(&q, &p->spec.containers);
	add_qos(&q, &p->spec.init_containers);
	return !q.any ? "BestEffort" : q.guaranteed ? "Guaranteed" : "Burstable";
}

void kube_admit_pod_tolerations(struct kube_object *pod)
{
	struct kube_pod *p = (struct kube_pod *)pod;
	tolerate(p, NOT_READY);
	tolerate(p, UNREACHABLE);
}

void kube_admit_pod(struct kube_object *pod)
{
	struct kube_pod *p = (struct kube_pod *)pod;
	p->status = (struct kube_pod_status){ .phase = "Pending" };
	p->status.qos_class = qos_class(p);
	kube_admit_pod_tolerations(pod);
}
