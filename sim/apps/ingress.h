/* apps/ingress.h: the Ingress controller in a pod: what ingress-nginx does.
 *
 * A reverse proxy on the pod's sockets. It listens on the HTTP and HTTPS ports (without
 * TLS: HTTPS is spoken in the clear here) and on 10254 for /healthz, reads one request
 * after another of a client's connection, finds the backend (ingress_routes.h), dials one
 * of its *endpoints* - not the ClusterIP: kube-proxy, affinity and traffic policies of the
 * Service have no part in it - and passes the answer on. Round robin from a drawn start;
 * an endpoint that refuses, resets or is silent for 5 s is followed by the next, three
 * tries in all. Answers of its own, in nginx's words: 404 (no rule), 503 (no endpoint),
 * 502 (no endpoint answers), 504 (not in time). A request to the server carries
 * X-Real-IP, X-Forwarded-For, -Host, -Port, -Proto and -Scheme; each has a connection of
 * its own (nginx would keep some open).
 *
 * It watches the API; changes become effective at most 0.3 times a second
 * (--sync-rate-limit), so for up to 3.3 s it may dial endpoints that are gone.
 *
 * Every 60 s it writes the address of its Service (--publish-service), or of the nodes
 * that its ready pods run on, into the status of its Ingresses: of several replicas the
 * pod of the lowest name does (the real one elects a leader).
 */
#ifndef APPS_INGRESS_H
#define APPS_INGRESS_H

#include "apps/ingress_routes.h"
#include "core/choice.h"
#include "core/engine.h"
#include "core/strbuf.h"

struct kube_admit;

struct ingress_config {
	struct sockets_ref sockets;
	struct engine *engine;
	struct choice *choice;
	struct kube_store *store;
	struct kube_admit *admit;      /* for the status; NULL: none is written */
	const struct kube_pod *pod;    /* borrowed */
	const struct kube_container *container; /* its arguments are the controller's flags */
	int64_t watch_delay_ns;        /* from a change in the store to the controller */
	int64_t epoch_s;               /* for the log */
};

struct ingress;

/* Whether the image is the controller's. */
bool ingress_image(const char *image);
/* 0 or the errno of binding a port. */
int ingress_start(const struct ingress_config *config, struct ingress **out);
/* `reset`: as a killed process's host gone. */
void ingress_stop(struct ingress *g, bool reset);
/* SIGTERM: accepts nothing any more, ends what is open. */
void ingress_drain(struct ingress *g);
/* What `kubectl logs` shows. */
const char *ingress_log(const struct ingress *g);

/* ---- ingress_status.c ---- */

struct ingress_publisher {
	struct kube_store *store;
	struct kube_admit *admit;
	const struct kube_pod *pod;
	struct ingress_class class;
	const char *service;           /* --publish-service NS/NAME; NULL none */
	const char *addresses;         /* --publish-status-address A,B; NULL none */
	bool internal_ip;              /* --report-node-internal-ip-address */
};
/* Writes what is not there yet. */
void ingress_publish(const struct ingress_publisher *p);

#endif
