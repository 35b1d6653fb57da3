/* kube/control/kubelet_env.c: variables of a container.
 *
 * Those of the Services are fixed when the run begins. Containers that begin while no
 * Service changes share one list a namespace.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/kubelet.h"

struct shared_env {
	struct kube_env_vars *vars;
	uint64_t version; /* of the Services */
	char key[];
};

void env_forget(struct kubelets *l)
{
	void *value;
	for (uint32_t i = 0; table_next(&l->envs, &i, NULL, &value);) {
		kube_env_vars_unref((*(struct shared_env **)value)->vars);
		free(*(struct shared_env **)value);
	}
	table_free(&l->envs);
}

struct kube_env_vars *services_env(const struct kubelet_container *k)
{
	const struct kube_pod *pod = k->pod->pod;
	struct kubelets *l = k->pod->kubelet->c->kubelets;
	const char *namespace = text_or(pod->object.meta.namespace, "default");
	bool links = pod->spec.enable_service_links != TRI_FALSE;
	struct strbuf key = { 0 };
	strbuf_printf(&key, "%s/%d", namespace, links);
	struct shared_env **found = table_find(&l->envs, strbuf_text(&key));
	struct shared_env *e = found ? *found : NULL;
	if (!e) {
		e = mem_alloc(sizeof *e + key.length + 1);
		memcpy(e->key, strbuf_text(&key), key.length + 1);
		*(struct shared_env **)table_put(&l->envs, e->key, NULL) = e;
	}
	strbuf_free(&key);
	if (!e->vars || e->version != l->c->services_version) {
		kube_env_vars_unref(e->vars);
		e->vars = kube_env_vars_new(l->c->store, namespace, links);
		e->version = l->c->services_version;
	}
	e->vars->references++;
	return e->vars;
}

static const char *field_value(const struct kube_pod *p, const char *path)
{
	if (kube_is(path, "metadata.name"))
		return p->object.meta.name;
	if (kube_is(path, "metadata.namespace"))
		return p->object.meta.namespace;
	if (kube_is(path, "metadata.uid"))
		return p->object.meta.uid;
	if (kube_is(path, "status.podIP"))
		return p->status.pod_ip;
	if (kube_is(path, "status.hostIP"))
		return p->status.host_ip;
	if (kube_is(path, "spec.nodeName"))
		return p->spec.node_name;
	return kube_is(path, "spec.serviceAccountName") ? p->spec.service_account : NULL;
}

static const char *env_value(const struct control *c, const struct kube_pod *p,
			     const struct kube_env *e)
{
	if (e->field_path)
		return text_or(field_value(p, e->field_path), "");
	if (e->config_map && e->config_map_key) {
		const struct kube_config_map *m = (const struct kube_config_map *)kube_store_get(
			c->store, KIND_CONFIG_MAP, p->object.meta.namespace, e->config_map);
		const char *value = m ? kube_map_get(&m->data, e->config_map_key) : NULL;
		return text_or(value, "");
	}
	return text_or(e->value, "");
}

static bool overridden(const struct kube_container *spec, const char *name)
{
	for (uint32_t i = 0; i < spec->env.count; i++)
		if (kube_is(spec->env.items[i].name, name))
			return true;
	return false;
}

void control_container_env(const struct control *c, uint64_t container, struct strbuf *out)
{
	struct kubelet_container **found = table_find(&c->kubelets->runs, &container);
	if (!found)
		return;
	const struct kubelet_container *k = *found;
	const struct kube_container *spec = container_spec(k);
	const struct kube_map *services = k->services ? &k->services->pairs : NULL;
	for (uint32_t i = 0; services && i < services->count; i++)
		if (!overridden(spec, services->items[i].key))
			strbuf_printf(out, "%s=%s\n", services->items[i].key,
				      services->items[i].value);
	for (uint32_t i = 0; i < spec->env.count; i++)
		strbuf_printf(out, "%s=%s\n", spec->env.items[i].name,
			      env_value(c, k->pod->pod, &spec->env.items[i]));
}
