/* world/files.c: see files.h. */
#include "world/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world/internal.h"

#define PATH_BYTES 1024

/* Where a path leads: a table and the key in it, or a text that others keep. */
struct spot {
	struct table *files;
	char key[PATH_BYTES];
	const char *text;          /* read-only: the whole file */
	bool read_only;
};

/* ---- paths --------------------------------------------------------------------------- */

/* "/a//b/./c/../d" -> "/a/b/d"; false: too long. */
static bool clean_path(const char *path, char out[PATH_BYTES])
{
	size_t n = 0;
	while (*path) {
		path += strspn(path, "/");
		size_t length = strcspn(path, "/");
		if (length == 2 && memcmp(path, "..", 2) == 0) {
			while (n && out[--n] != '/')
				;
		} else if (length && !(length == 1 && *path == '.')) {
			if (n + length + 2 > PATH_BYTES)
				return false;
			out[n++] = '/';
			memcpy(out + n, path, length);
			n += length;
		}
		path += length;
	}
	if (!n)
		out[n++] = '/';
	out[n] = '\0';
	return true;
}

/* The rest of `path` under `folder` ("" the folder itself), or NULL. */
static const char *under(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	while (n > 1 && folder[n - 1] == '/')
		n--;
	if (n == 1 && *folder == '/')
		return path + 1;
	if (strncmp(path, folder, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path[n] ? path + n + 1 : path + n;
}

static const struct kube_pod *pod_of(const struct place *p)
{
	char namespace[256];
	const char *name = strrchr(p->name, '/');
	if (p->kind != PLACE_POD || !name)
		return NULL;
	place_namespace(p, namespace, sizeof namespace);
	return (const void *)kube_store_get(p->world->store, KIND_POD, namespace, name + 1);
}

static const struct kube_container *container_of(const struct kube_pod *pod, const char *name)
{
	for (uint32_t i = 0; i < pod->spec.containers.count; i++)
		if (!name || kube_is(pod->spec.containers.items[i].name, name))
			return &pod->spec.containers.items[i];
	return NULL;
}

static const struct kube_volume *volume_of(const struct kube_pod *pod, const char *name)
{
	for (uint32_t i = 0; i < pod->spec.volumes.count; i++)
		if (kube_is(pod->spec.volumes.items[i].name, name))
			return &pod->spec.volumes.items[i];
	return NULL;
}

/* The longest mount that the path lies under. */
static const struct kube_volume_mount *mount_of(const struct kube_container *c, const char *path)
{
	const struct kube_volume_mount *best = NULL;
	for (uint32_t i = 0; c && i < c->mounts.count; i++) {
		const struct kube_volume_mount *m = &c->mounts.items[i];
		if (m->mount_path && under(path, m->mount_path) &&
		    (!best || strlen(m->mount_path) > strlen(best->mount_path)))
			best = m;
	}
	return best;
}

/* ---- where a path leads ---------------------------------------------------------------- */

static void claim_spot(struct world *w, const struct kube_pod *pod, const char *claim,
		       const char *rest, struct spot *s)
{
	const struct kube_object *o = kube_store_get(w->store, KIND_PERSISTENT_VOLUME_CLAIM,
						     pod->object.meta.namespace, claim);
	/* A claim of the same name that is made anew is another one. */
	snprintf(s->key, sizeof s->key, "%.100s:/%.900s", o && o->meta.uid ? o->meta.uid : claim,
		 rest);
	s->files = &w->volumes;
}

static void mounted_spot(struct place *p, const struct kube_pod *pod,
			 const struct kube_volume_mount *m, const char *path, struct spot *s)
{
	struct world *w = p->world;
	const struct kube_volume *v = volume_of(pod, m->name);
	char rest[PATH_BYTES];
	struct place *node = place_of_node(w, p->node);
	if (m->sub_path && *m->sub_path)
		snprintf(rest, sizeof rest, "%s/%s", m->sub_path, under(path, m->mount_path));
	else
		snprintf(rest, sizeof rest, "%s", under(path, m->mount_path));
	s->read_only = m->read_only == TRI_TRUE;
	if (v && v->claim_name) {
		claim_spot(w, pod, v->claim_name, rest, s);
	} else if (v && v->config_map) {
		const struct kube_config_map *map = (const void *)kube_store_get(
			w->store, KIND_CONFIG_MAP, pod->object.meta.namespace, v->config_map);
		s->files = NULL;
		s->text = map ? kube_map_get(&map->data, rest) : NULL;
		s->read_only = true;
	} else if (v && v->host_path && node) {
		snprintf(s->key, sizeof s->key, ":%s/%.900s", v->host_path, rest);
		s->files = &node->files;
	} else {
		snprintf(s->key, sizeof s->key, "volume %.100s:/%.900s", m->name, rest);
	}
}

static int find_spot(struct place *p, const char *container, const char *path, struct spot *s)
{
	char clean[PATH_BYTES - 64];
	char full[PATH_BYTES];
	const struct kube_pod *pod = pod_of(p);
	const struct kube_container *c = pod ? container_of(pod, container) : NULL;
	*s = (struct spot){ .files = &p->files };
	if (!clean_path(path, full) || strlen(full) >= sizeof clean)
		return ENAMETOOLONG;
	strcpy(clean, full);
	const struct kube_volume_mount *m = mount_of(c, clean);
	if (m)
		mounted_spot(p, pod, m, clean, s);
	else
		snprintf(s->key, sizeof s->key, "%.60s:%s", c && c->name ? c->name : "", clean);
	return 0;
}

/* ---- reading and writing -------------------------------------------------------------------- */

/* What the kubelet (or the machine's installation) wrote. */
static bool system_file(const struct place *p, const char *path, struct strbuf *out)
{
	if (strcmp(path, "/etc/resolv.conf") == 0)
		place_resolv_conf(p, out);
	else if (strcmp(path, "/etc/hosts") == 0)
		place_hosts(p, out);
	else if (strcmp(path, "/etc/hostname") == 0)
		strbuf_printf(out, "%s\n", strrchr(p->name, '/') + 1);
	else
		return false;
	return true;
}

int world_file_read(struct world *w, struct place *p, const char *container, const char *path,
		    struct strbuf *out)
{
	struct spot s;
	char **text = NULL;
	(void)w;
	int code = find_spot(p, container, path, &s);
	if (code)
		return code;
	if (s.files)
		text = table_find(s.files, s.key);
	if (text || s.text) {
		strbuf_puts(out, text ? *text : s.text);
		return 0;
	}
	return system_file(p, path, out) ? 0 : ENOENT;
}

int world_file_write(struct world *w, struct place *p, const char *container, const char *path,
		     const char *text, size_t length, bool append)
{
	struct spot s;
	struct strbuf whole = { 0 };
	bool added;
	(void)w;
	int code = find_spot(p, container, path, &s);
	if (code || s.read_only)
		return code ? code : EROFS;
	if (append)
		world_file_read(p->world, p, container, path, &whole);
	strbuf_add(&whole, text, length);
	if (whole.length > FILES_LIMIT_BYTES) {
		strbuf_free(&whole);
		return EFBIG;
	}
	char **old = table_find(s.files, s.key);
	if (old) {
		free(*old);
		*old = strbuf_steal(&whole);
		return 0;
	}
	*(char **)table_put(s.files, arena_strdup(p->world->arena, s.key), &added) = strbuf_steal(&whole);
	return 0;
}

int world_file_remove(struct world *w, struct place *p, const char *container, const char *path)
{
	struct spot s;
	(void)w;
	int code = find_spot(p, container, path, &s);
	if (code || s.read_only)
		return code ? code : EROFS;
	char **old = table_find(s.files, s.key);
	if (!old)
		return ENOENT;
	free(*old);
	table_remove(s.files, s.key);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int world_file_list(struct world *w, struct place *p, const char *container, const char *folder,
		    struct strbuf *out)
{
	struct spot s;
	const void *key;
	char **names;
	uint32_t count = 0;
	(void)w;
	int code = find_spot(p, container, folder, &s);
	if (code || !s.files)
		return code ? code : ENOENT;
	struct arena *arena = arena_new();
	names = arena_array(arena, s.files->count + 1, sizeof *names);
	for (uint32_t i = 0; table_next(s.files, &i, &key, NULL);) {
		const char *rest = under(key, s.key);
		size_t colon = strlen(s.key);
		if (colon > 1 && s.key[colon - 1] == '/')
			rest = strncmp(key, s.key, colon) == 0 ? (const char *)key + colon : NULL;
		if (rest && *rest)
			names[count++] = arena_strndup(arena, rest, strcspn(rest, "/"));
	}
	qsort(names, count, sizeof *names, compare_names);
	for (uint32_t i = 0; i < count; i++)
		if (!i || strcmp(names[i], names[i - 1]) != 0)
			strbuf_printf(out, "%s\n", names[i]);
	arena_free(arena);
	return count ? 0 : ENOENT;
}

/* ---- for the world ------------------------------------------------------------------------------ */

void files_forget_layer(struct place *p, const char *container)
{
	char prefix[PATH_BYTES];
	const void *key;
	void *value;
	int n = snprintf(prefix, sizeof prefix, "%.60s:", container);
	for (uint32_t i = 0; table_next(&p->files, &i, &key, &value);)
		if (strncmp(key, prefix, (size_t)n) == 0) {
			free(*(char **)value);
			table_remove(&p->files, key);
		}
}

void files_free(struct table *files)
{
	void *value;
	for (uint32_t i = 0; table_next(files, &i, NULL, &value);)
		free(*(char **)value);
	table_free(files);
}
