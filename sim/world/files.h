/* world/files.h: the small files that programs of a place read and write.
 *
 * A node or a host outside has files of its own. A container has a layer of its own, which
 * a restart forgets, below its volume mounts:
 *
 *   persistentVolumeClaim  stays with the claim: a pod that comes back finds it
 *   emptyDir               stays with the pod
 *   hostPath               the node's file
 *   configMap              the keys of the ConfigMap; cannot be written
 *
 * /etc/resolv.conf, /etc/hosts and /etc/hostname are what the kubelet writes. HTTP servers
 * serve what lies under the folder that their image serves (files_root), and without such
 * a file the page that the image brings.
 */
#ifndef WORLD_FILES_H
#define WORLD_FILES_H

#include "world/world.h"

#define FILES_LIMIT_BYTES (1u << 20) /* one file */

/* `container` NULL: the pod's first. Appends the file's text: 0, ENOENT. */
int world_file_read(struct world *w, struct place *p, const char *container, const char *path,
		    struct strbuf *out);
/* 0, EROFS, EFBIG. `append`: adds to what is there. */
int world_file_write(struct world *w, struct place *p, const char *container, const char *path,
		     const char *text, size_t length, bool append);
/* 0, ENOENT, EROFS. */
int world_file_remove(struct world *w, struct place *p, const char *container, const char *path);
/* The names directly under a folder, sorted, a line each: 0, ENOENT when there is nothing. */
int world_file_list(struct world *w, struct place *p, const char *container, const char *folder,
		    struct strbuf *out);

/* What a container's HTTP servers wrote about their requests, a line each, in the form of
 * nginx's access log: the last LOG_LIMIT_BYTES of its current run. */
#define LOG_LIMIT_BYTES (256u << 10)
int world_logs(struct world *w, struct place *p, const char *container, struct strbuf *out);

/* The folder that an image's HTTP server serves. */
const char *files_root(const char *image);

#endif
