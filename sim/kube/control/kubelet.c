/* kube/control/kubelet.c: one kubelet a node: which pods it has, and its faults. */
#include "kube/control/kubelet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

bool kubelet_works(const struct kubelet *k)
{
	return k->c->running && (k->fault == NODE_UP || k->fault == NODE_PARTITIONED);
}

bool kubelet_connected(const struct kubelet *k)
{
	return k->c->running && k->fault == NODE_UP;
}

const struct kube_node *kubelet_node(const struct kubelet *k)
{
	return (const struct kube_node *)k->node->record.now;
}

/* ---- kubelets -------------------------------------------------------------------- */

struct kubelet *kubelet_need(struct control *c, struct node_record *n)
{
	if (n->kubelet)
		return n->kubelet;
	struct kubelet *k = mem_alloc(sizeof *k);
	k->c = c;
	k->node = n;
	TAILQ_INIT(&k->pods);
	table_init(&k->images, TABLE_STRING_KEYS, sizeof(char *));
	/* Each node looks at its containers at a moment of its own. */
	k->relist_phase_ns = c->options.relist
				 ? (int64_t)(hash_bytes(n->record.key, strlen(n->record.key), 1) %
					     (uint64_t)c->options.relist)
				 : 0;
	ranges_init(k);
	n->kubelet = k;
	return k;
}

static void kubelet_free(struct kubelet *k)
{
	struct kubelet_pod *p;
	void *value;
	while ((p = TAILQ_FIRST(&k->pods)))
		kubelet_pod_free(p);
	for (uint32_t i = 0; table_next(&k->images, &i, NULL, &value);)
		free(*(char **)value);
	table_free(&k->images);
	ranges_free(k);
	k->node->kubelet = NULL;
	free(k);
}

struct kubelets *kubelets_new(struct control *c)
{
	struct kubelets *l = mem_alloc(sizeof *l);
	l->c = c;
	table_init(&l->pods, TABLE_STRING_KEYS, sizeof(struct kubelet_pod *));
	table_init(&l->runs, sizeof(uint64_t), sizeof(struct kubelet_container *));
	table_init(&l->calls, sizeof(uint64_t), sizeof(struct call_target));
	table_init(&l->envs, TABLE_STRING_KEYS, sizeof(void *));
	return l;
}

void kubelets_free(struct kubelets *l)
{
	for (uint32_t i = 0; i < l->c->index.node_count; i++)
		if (l->c->index.nodes[i]->kubelet)
			kubelet_free(l->c->index.nodes[i]->kubelet);
	table_free(&l->pods);
	table_free(&l->runs);
	table_free(&l->calls);
	env_forget(l);
	free(l);
}

/* Everything that waited for the kubelets goes on. */
static void kubelet_resume(struct kubelet *k)
{
	struct kubelet_pod *p, *next;
	struct pod_record *r;
	for (p = TAILQ_FIRST(&k->pods); p; p = next) {
		next = TAILQ_NEXT(p, link);
		kubelet_pod_sync(p);
	}
	TAILQ_FOREACH(r, &k->node->pods, on_node)
		if (!r->kubelet)
			kubelets_pod_changed(k->c->kubelets,
					     (const struct kube_pod *)r->record.now);
}

void kubelets_start(struct kubelets *l)
{
	for (uint32_t i = 0; i < l->c->index.node_count; i++)
		if (l->c->index.nodes[i]->kubelet)
			kubelet_resume(l->c->index.nodes[i]->kubelet);
}

/* Timers find out by themselves that nothing works. */
void kubelets_stop(struct kubelets *l)
{
	for (uint32_t i = 0; i < l->c->index.node_count; i++) {
		struct kubelet_pod *p;
		if (!l->c->index.nodes[i]->kubelet)
			continue;
		TAILQ_FOREACH(p, &l->c->index.nodes[i]->kubelet->pods, link)
			kubelet_pod_account(p);
	}
}

/* ---- pods ------------------------------------------------------------------------ */

struct kubelet_pod *kubelets_find(const struct control *c, const char *namespace,
				  const char *name)
{
	struct pod_record *r = index_pod(&c->index, namespace, name);
	return r ? r->kubelet : NULL;
}

struct kubelet_container *kubelet_pod_container(struct kubelet_pod *p, const char *name)
{
	for (uint32_t i = 0; i < p->container_count; i++) {
		struct kubelet_container *k = &p->containers[i];
		if (name ? kube_is(container_spec(k)->name, name) : !k->init)
			return k;
	}
	return NULL;
}

static bool finished(const struct kube_pod *p)
{
	return kube_is(p->status.phase, "Succeeded") || kube_is(p->status.phase, "Failed");
}

void kubelets_pod_changed(struct kubelets *l, const struct kube_pod *now)
{
	struct control *c = l->c;
	struct pod_record *r = index_pod(&c->index, now->object.meta.namespace,
					 now->object.meta.name);
	if (!r || !r->node || !r->node->record.now)
		return;
	struct kubelet *k = kubelet_need(c, r->node);
	if (!kubelet_connected(k))
		return;
	if (!r->kubelet) {
		if (finished(now))
			return;
		r->kubelet = kubelet_pod_new(k, now);
		*(struct kubelet_pod **)table_put(&l->pods, r->kubelet->uid, NULL) = r->kubelet;
	} else if (r->kubelet->pod != now) {
		const struct kube_pod *before = r->kubelet->pod;
		r->kubelet->pod = (const struct kube_pod *)kube_ref(&now->object);
		kube_unref((struct kube_object *)&before->object);
		if (!now->object.meta.deletion_ns)
			return;
	}
	kubelet_pod_sync(r->kubelet);
}

/* The object is gone. The kubelet goes on with what still runs until it is down. */
void kubelets_pod_removed(struct kubelets *l, const struct kube_pod *old)
{
	struct pod_record *r = index_pod(&l->c->index, old->object.meta.namespace,
					 old->object.meta.name);
	struct kubelet_pod *p = r ? r->kubelet : NULL;
	if (!p)
		return;
	r->kubelet = NULL;
	p->removed = true;
	if (p->stage == STAGE_STOPPED || (!p->sandbox && p->stage < STAGE_SANDBOX))
		kubelet_pod_free(p);
	else if (kubelet_connected(p->kubelet) && p->stage != STAGE_STOPPING)
		kubelet_pod_terminate(p);
}

void kubelets_node_changed(struct kubelets *l, const struct kube_node *old,
			   const struct kube_node *now)
{
	struct control *c = l->c;
	struct node_record *n = index_node(&c->index, (now ? now : old)->object.meta.name);
	if (!n || !now)
		return;
	bool fresh = !n->kubelet;
	struct kubelet *k = kubelet_need(c, n);
	if (!kubelet_connected(k))
		return;
	if (cidr_assign(c, now))
		return; /* the write comes back here */
	ranges_init(k);
	if (!condition_find(&now->status.conditions, "Ready"))
		kubelet_node_status(k);
	if (fresh)
		kubelet_resume(k);
}

void kubelet_pod_free(struct kubelet_pod *p)
{
	struct control *c = p->kubelet->c;
	struct pod_record *r = index_pod(&c->index, p->pod->object.meta.namespace,
					 p->pod->object.meta.name);
	if (r && r->kubelet == p)
		r->kubelet = NULL;
	for (uint32_t i = 0; i < p->container_count; i++)
		container_clear(&p->containers[i]);
	engine_cancel(c->engine, &p->step);
	engine_cancel(c->engine, &p->relist);
	addresses_release(p);
	if (p->busy)
		c->busy--;
	TAILQ_REMOVE(&p->kubelet->pods, p, link);
	table_remove(&c->kubelets->pods, p->uid);
	kube_unref((struct kube_object *)&p->pod->object);
	free(p->containers);
	free(p->uid);
	free(p);
}

static bool wants_attention(const struct kubelet_pod *p)
{
	if (!kubelet_works(p->kubelet))
		return false;
	if (p->stage < STAGE_CONTAINERS || p->stage == STAGE_STOPPING || p->dirty)
		return true;
	if (p->stage == STAGE_STOPPED)
		return p->pod->object.meta.deletion_ns != 0;
	for (uint32_t i = 0; i < p->container_count; i++) {
		const struct kubelet_container *k = &p->containers[i];
		bool waits = k->state == CONTAINER_BACKOFF || k->state == CONTAINER_PULL_BACKOFF;
		if (waits)
			return false; /* its turn may be minutes away, and others wait for it */
		if (k->state == CONTAINER_PULLING || k->state == CONTAINER_CREATING)
			return true;
		if (k->state == CONTAINER_RUNNING && (!k->seen || probes_undecided(k)))
			return true;
	}
	return false;
}

void kubelet_pod_account(struct kubelet_pod *p)
{
	bool busy = wants_attention(p);
	if (busy == p->busy)
		return;
	p->busy = busy;
	if (busy)
		p->kubelet->c->busy++;
	else
		p->kubelet->c->busy--;
}

/* ---- reports of the host --------------------------------------------------------- */

void control_container_exited(struct control *c, uint64_t container, int exit_code)
{
	struct kubelet_container **found = table_find(&c->kubelets->runs, &container);
	if (found)
		container_ended(*found, exit_code);
}

uint64_t control_container_id(const struct control *c, const char *namespace, const char *pod,
			      const char *container)
{
	struct kubelet_pod *p = kubelets_find(c, namespace, pod);
	struct kubelet_container *k = p ? kubelet_pod_container(p, container) : NULL;
	return k && k->state == CONTAINER_RUNNING ? k->run : 0;
}

/* ---- faults ---------------------------------------------------------------------- */

static void node_off(struct kubelet *k)
{
	struct kubelet_pod *p;
	TAILQ_FOREACH(p, &k->pods, link) {
		for (uint32_t i = 0; i < p->container_count; i++)
			container_kill(&p->containers[i], 255);
		kubelet_pod_lose_sandbox(p);
	}
}

int control_node_fault(struct control *c, const char *node, enum control_node_fault fault,
		       struct err *err)
{
	struct node_record *n = index_node(&c->index, node);
	if (!n || !n->record.now)
		return control_not_found(KIND_NODE, node, err);
	struct kubelet *k = kubelet_need(c, n);
	enum control_node_fault before = k->fault;
	if (before == fault)
		return 0;
	bool was_off = before == NODE_DOWN;
	k->fault = fault;
	if (fault == NODE_DOWN)
		node_off(k);
	if ((before == NODE_UP) != (fault == NODE_UP))
		lifecycle_lease(c->lifecycle, node, fault == NODE_UP);
	struct kubelet_pod *p, *next;
	for (p = was_off ? TAILQ_FIRST(&k->pods) : NULL; p; p = next) {
		next = TAILQ_NEXT(p, link);
		kubelet_pod_boot(p);
	}
	if (fault == NODE_UP) {
		control_event(c, n->record.now, false, "Starting", "kubelet", "Starting kubelet.");
		kubelet_resume(k);
	} else if (kubelet_works(k)) {
		for (p = TAILQ_FIRST(&k->pods); p; p = next) {
			next = TAILQ_NEXT(p, link);
			kubelet_pod_sync(p);
		}
	}
	TAILQ_FOREACH(p, &k->pods, link)
		kubelet_pod_account(p);
	return 0;
}

static struct kubelet_pod *pod_need(struct control *c, const char *namespace, const char *pod,
				    const char *container, struct err *err)
{
	struct kubelet_pod *p = kubelets_find(c, namespace, pod);
	if (!p) {
		control_not_found(KIND_POD, pod, err);
		return NULL;
	}
	if (container && !kubelet_pod_container(p, container)) {
		err_set(err, ENOENT, "container %s is not valid for pod %s", container, pod);
		return NULL;
	}
	return p;
}

int control_force_probe(struct control *c, const char *namespace, const char *pod,
			const char *container, enum control_probe_kind probe,
			enum control_forced result, struct err *err)
{
	struct kubelet_pod *p = pod_need(c, namespace, pod, container, err);
	if (!p)
		return ENOENT;
	for (uint32_t i = 0; i < p->container_count; i++) {
		struct kubelet_container *k = &p->containers[i];
		if (container ? kube_is(container_spec(k)->name, container) : !k->init)
			probe_force(&k->probes[probe], result);
	}
	kubelet_pod_account(p);
	return 0;
}

int control_kill_container(struct control *c, const char *namespace, const char *pod,
			   const char *container, int exit_code, struct err *err)
{
	struct kubelet_pod *p = pod_need(c, namespace, pod, container, err);
	if (!p)
		return ENOENT;
	struct kubelet_container *k = kubelet_pod_container(p, container);
	if (!k || k->state != CONTAINER_RUNNING)
		return err_set(err, EINVAL, "container %s of pod %s is not running",
			       k ? container_spec(k)->name : "", pod);
	container_kill(k, exit_code);
	kubelet_pod_account(p);
	return 0;
}

int control_kill_sandbox(struct control *c, const char *namespace, const char *pod,
			 struct err *err)
{
	struct kubelet_pod *p = pod_need(c, namespace, pod, NULL, err);
	if (!p)
		return ENOENT;
	if (!p->sandbox)
		return err_set(err, EINVAL, "pod %s has no sandbox", pod);
	for (uint32_t i = 0; i < p->container_count; i++)
		container_kill(&p->containers[i], 137);
	kubelet_pod_lose_sandbox(p);
	if (kubelet_works(p->kubelet))
		kubelet_pod_boot(p);
	kubelet_pod_account(p);
	return 0;
}
