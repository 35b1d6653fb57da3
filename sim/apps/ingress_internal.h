/* apps/ingress_internal.h: what the files of the Ingress controller share. */
#ifndef APPS_INGRESS_INTERNAL_H
#define APPS_INGRESS_INTERNAL_H

#include "apps/ingress.h"
#include "apps/server.h"
#include "core/arena.h"
#include "core/table.h"

struct session;

struct balance { /* where the round robin of an upstream stands */
	const char *name;
	struct sock_name *endpoints;
	uint32_t count, next;
};

struct ingress {
	struct ingress_config config;
	struct arena *arena;
	struct ingress_publisher publisher;
	struct ingress_routes *routes;
	uint16_t ports[2];             /* HTTP, HTTPS */
	struct sock *listeners[2];
	struct server *health;
	struct session *sessions;
	struct table balances;         /* name of the upstream -> struct balance */
	uint32_t watches[4];
	struct event_id sync, status;
	int64_t synced_ns;
	struct strbuf log;
};

/* ---- ingress_session.c ---- */

/* Handler of the listeners; `ctx` is the controller. */
sock_event_fn session_accept;
void sessions_free(struct ingress *g, bool reset);

#endif
