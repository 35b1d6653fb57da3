/* dns/corefile.h: a Corefile, read.
 *
 * A Corefile is a list of server blocks: zones (with port) and directives, a
 * directive being a name, arguments and perhaps a block of properties, each again a
 * name and arguments. Snippets "(name) { }" with `import`, environment variables
 * ("{$NAME}" and "{%NAME%}", which are empty here: a pod's environment is not
 * known), quotes, comments and the one-line `{ a ; b }`-less form are those of
 * CoreDNS's Caddyfile reader.
 *
 * corefile_parse only takes the text apart. server.h gives directives their meaning
 * and says which are unknown. Positions are kept for messages: the file is the
 * ConfigMap's.
 */
#ifndef DNS_COREFILE_H
#define DNS_COREFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "kube/types.h"

struct corefile_line {           /* a directive or a property */
	const char **words;      /* words[0] is its name */
	uint32_t count;
	int line, column;
	struct corefile_line *block; /* properties */
	uint32_t block_count;
	bool has_block;
};

struct corefile_server {
	const char **keys;       /* ".:53", "example.org", "dns://.:1053" */
	uint32_t key_count;
	int line;
	struct corefile_line *directives;
	uint32_t directive_count;
};

struct corefile {
	const char *file;        /* for messages */
	struct corefile_server *servers;
	uint32_t server_count;
	/* Other keys of the ConfigMap: files that `file`, `hosts` name by path. */
	struct kube_map files;
};

/* The Corefile that kubeadm installs (Kubernetes 1.34), with this cluster domain. */
const char *corefile_kubeadm(struct arena *a, const char *domain);
/* EINVAL with file:line: what is wrong. */
int corefile_parse(struct arena *a, const char *text, const char *file, struct corefile **out,
		   struct err *err);
/* From a ConfigMap (key "Corefile"); NULL: kubeadm's with `domain`. */
int corefile_from_config_map(struct arena *a, const struct kube_config_map *map,
			     const char *domain, struct corefile **out, struct err *err);

/* Whether two Corefiles say the same: blanks, comments and places aside. */
bool corefile_equal(const struct corefile *a, const struct corefile *b);

#endif
