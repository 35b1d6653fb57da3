/* kubeproxy/health.c: see health.h. */
#include "dataplanes/kubeproxy/health.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/engine.h"

static const struct service_port *health_check(const struct service *s)
{
	for (uint32_t i = 0; i < s->port_count; i++)
		if (s->ports[i].health_check_node_port)
			return &s->ports[i];
	return NULL;
}

/* The next service with a health check node port. */
static const struct service *next_checked(const struct snapshot *s, struct snapshot_cursor *at)
{
	const struct service *found;
	do
		found = snapshot_walk_marked(s, at, MARK_HEALTH);
	while (found && !health_check(found));
	return found;
}

uint32_t health_port_list(const struct proxy_config *c, struct snapshot *const snapshots[],
			  uint16_t *ports, uint32_t max)
{
	uint32_t count = 0;
	if (c->healthz_port && count++ < max)
		ports[count - 1] = c->healthz_port;
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		struct snapshot_cursor at = { 0 };
		const struct service *s;
		while ((s = next_checked(snapshots[f], &at)) != NULL) {
			const struct service_port *p = health_check(s);
			bool seen = false;
			for (uint32_t k = 0; k < count && k < max; k++)
				seen |= ports[k] == p->health_check_node_port;
			if (!seen && count++ < max)
				ports[count - 1] = p->health_check_node_port;
		}
	}
	return count;
}

/* Late: an update has been waiting for two sync periods. */
static bool keeps_up(const struct runner *r, int64_t now_ns)
{
	return r->done_ns < 0 || r->queued_ns == INT64_MAX ||
	       now_ns - r->queued_ns < 2 * r->retry_ns;
}

/* As Go prints a time that was read off the clock. */
static void put_time(struct strbuf *out, int64_t ns)
{
	time_t seconds = (time_t)(KUBE_EPOCH_S + ns / NS_PER_S);
	int64_t rest = ns % NS_PER_S;
	struct tm tm;
	char text[40];
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	strbuf_printf(out, "\"%s", text);
	if (rest) {
		int n = snprintf(text, sizeof text, ".%09lld", (long long)rest);
		while (text[n - 1] == '0')
			text[--n] = '\0';
		strbuf_puts(out, text);
	}
	strbuf_printf(out, " +0000 UTC m=+%lld.%09lld\"", (long long)(ns / NS_PER_S),
		      (long long)rest);
}

static int answer_healthz(const struct proxy_config *c, const struct runner *r, const char *path,
			  int64_t now_ns, struct strbuf *headers, struct strbuf *body)
{
	bool live = strcmp(path, "/livez") == 0 && c->version >= KUBE_1_30;
	if (!live && strcmp(path, "/healthz") != 0) {
		strbuf_puts(headers, "Content-Type: text/plain; charset=utf-8\r\n"
				     "X-Content-Type-Options: nosniff\r\n");
		strbuf_puts(body, "404 page not found\n");
		return 404;
	}
	bool node_counts = !live && c->version >= KUBE_1_30;
	bool healthy = keeps_up(r, now_ns) && (!node_counts || c->node_eligible);
	strbuf_puts(headers, "Content-Type: application/json\r\n"
			     "X-Content-Type-Options: nosniff\r\n");
	strbuf_puts(body, "{\"lastUpdated\": ");
	put_time(body, healthy || r->done_ns < 0 ? now_ns : r->done_ns);
	strbuf_puts(body, ",\"currentTime\": ");
	put_time(body, now_ns);
	if (node_counts)
		strbuf_printf(body, ", \"nodeEligible\": %s", c->node_eligible ? "true" : "false");
	strbuf_putc(body, '}');
	return healthy ? 200 : 503;
}

/* Distinct addresses of ready endpoints on this node, over all ports. */
static unsigned count_local(const struct proxy_config *c, const struct service *s)
{
	unsigned count = 0;
	for (uint32_t p = 0; p < s->port_count; p++) {
		for (uint32_t i = 0; i < s->ports[p].endpoint_count; i++) {
			const struct endpoint *e = &s->ports[p].endpoints[i];
			bool seen = !e->ready || strcmp(e->node, c->node) != 0;
			for (uint32_t q = 0; q <= p && !seen; q++) {
				const struct service_port *port = &s->ports[q];
				uint32_t end = q == p ? i : port->endpoint_count;
				for (uint32_t k = 0; k < end && !seen; k++)
					seen = port->endpoints[k].ready &&
					       strcmp(port->endpoints[k].node, c->node) == 0 &&
					       net_addr_equal(&port->endpoints[k].addr, &e->addr);
			}
			count += !seen;
		}
	}
	return count;
}

static int answer_service(const struct proxy_config *c, const struct service *s, bool healthy,
			  struct strbuf *headers, struct strbuf *body)
{
	unsigned count = count_local(c, s);
	bool newer = c->version >= KUBE_1_30;
	strbuf_puts(headers, "Content-Type: application/json\r\n"
			     "X-Content-Type-Options: nosniff\r\n");
	if (newer)
		strbuf_printf(headers, "X-Load-Balancing-Endpoint-Weight: %u\r\n", count);
	strbuf_printf(body,
		      "{\n\t\"service\": {\n\t\t\"namespace\": \"%s\",\n\t\t\"name\": \"%s\"\n"
		      "\t},\n\t\"localEndpoints\": %u",
		      s->namespace, s->name, count);
	if (newer)
		strbuf_printf(body, ",\n\t\"serviceProxyHealthy\": %s", healthy ? "true" : "false");
	strbuf_puts(body, "\n}");
	return count && (healthy || !newer) ? 200 : 503;
}

int health_answer(const struct proxy_config *c, const struct runner *r,
		  struct snapshot *const snapshots[], uint16_t port, const char *path,
		  int64_t now_ns, struct strbuf *headers, struct strbuf *body)
{
	if (port == c->healthz_port)
		return answer_healthz(c, r, path, now_ns, headers, body);
	for (unsigned f = 0; f < PROXY_FAMILIES; f++) {
		struct snapshot_cursor at = { 0 };
		const struct service *s;
		while ((s = next_checked(snapshots[f], &at)) != NULL)
			if (health_check(s)->health_check_node_port == port)
				return answer_service(c, s, keeps_up(r, now_ns), headers, body);
	}
	return 404;
}
