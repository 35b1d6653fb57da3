/* tests/unit/planner_large.c: one endpoint changes among ten thousand Services. Expected text is
 * written here, by what pkg/proxy/iptables/proxier.go and pkg/proxy/nftables/proxier.go of v1.34
 * rewrite in a partial sync; only the hashes in names come from the planners' own function. */
#include "golden.h"

#include "dataplanes/iptables/iptables.h"
#include "dataplanes/kubeproxy/naming.h"
#include "dataplanes/nftables/nftables.h"

#define SERVICES 10000u
#define ENDPOINTS 3u
#define CHANGED 4711u
#define NAME 100

static void put(struct kube_store *store, struct kube_object *o, const char *name)
{
	o->meta.namespace = "d";
	o->meta.name = kube_string(o, name);
	CHECK_INT(kube_store_create(store, o, NULL), 0);
}

static const char *address(struct kube_object *o, unsigned range, unsigned n)
{
	return arena_printf(o->arena, "10.%u.%u.%u", range, n >> 8, n & 255);
}

static void add(struct kube_store *store, unsigned n)
{
	struct kube_service *s = (void *)kube_new(KIND_SERVICE);
	struct kube_service_port *port = arena_alloc(s->object.arena, sizeof *port);
	char name[16];
	snprintf(name, sizeof name, "s%05u", n);
	*port = (struct kube_service_port){ .name = "p", .protocol = "TCP", .port = 80 };
	s->spec.type = "ClusterIP";
	s->spec.cluster_ip = address(&s->object, 96, n);
	s->spec.ports.items = port;
	s->spec.ports.count = 1;
	put(store, &s->object, name);

	struct kube_endpoint_slice *e = (void *)kube_new(KIND_ENDPOINT_SLICE);
	struct kube_endpoint_port *to = arena_alloc(e->object.arena, sizeof *to);
	*to = (struct kube_endpoint_port){ "p", "TCP", NULL, { true, 8080 } };
	kube_map_set(&e->object, &e->object.meta.labels, "kubernetes.io/service-name", name);
	e->address_type = "IPv4";
	e->ports.items = to;
	e->ports.count = 1;
	e->endpoints.items = arena_array(e->object.arena, ENDPOINTS, sizeof *e->endpoints.items);
	e->endpoints.count = ENDPOINTS;
	for (unsigned i = 0; i < ENDPOINTS; i++) {
		const char **ip = arena_alloc(e->object.arena, sizeof *ip);
		*ip = address(&e->object, 128 + i, n);
		e->endpoints.items[i].addresses.items = ip;
		e->endpoints.items[i].addresses.count = 1;
	}
	put(store, &e->object, name);
}

/* The last endpoint of the one Service goes. */
static void change(struct kube_store *store)
{
	char name[16];
	snprintf(name, sizeof name, "s%05u", CHANGED);
	struct kube_endpoint_slice *e =
		(void *)kube_copy(kube_store_get(store, KIND_ENDPOINT_SLICE, "d", name));
	e->endpoints.count--;
	CHECK_INT(kube_store_update(store, &e->object, true, NULL), 0);
}

/* What the plan of the change writes. */
static char *partial(const struct planner_class *class, enum tx_tool tool, uint32_t *transactions)
{
	struct golden g;
	golden_empty(&g, "a", class, KUBE_1_34);
	for (unsigned n = 0; n < SERVICES; n++)
		add(g.store, n);
	char *written = NULL;
	if (golden_start(&g, "large") && golden_plan(&g, true)) {
		class->done(g.planner, 0, true);
		change(g.store);
		if (golden_plan(&g, false))
			written = golden_text(&g, tool);
		*transactions = g.plan.count;
	}
	golden_close(&g);
	return written;
}

/* ---- iptables ------------------------------------------------------------------------- */

static const char filter[] =
	"*filter\n:KUBE-SERVICES - [0:0]\n:KUBE-EXTERNAL-SERVICES - [0:0]\n:KUBE-FORWARD - [0:0]\n"
	":KUBE-NODEPORTS - [0:0]\n:KUBE-PROXY-FIREWALL - [0:0]\n:KUBE-FIREWALL - [0:0]\n"
	"-A KUBE-FIREWALL -m comment --comment \"block incoming localnet connections\" "
	"-d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP\n"
	"-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n"
	"-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" "
	"-m mark --mark 0x00004000/0x00004000 -j ACCEPT\n"
	"-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding conntrack rule\" "
	"-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n";
static const char nat[] =
	"*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-NODEPORTS - [0:0]\n:KUBE-POSTROUTING - [0:0]\n"
	":KUBE-MARK-MASQ - [0:0]\n";
static const char fixed[] =
	"-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN\n"
	"-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000\n"
	"-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" "
	"-j MASQUERADE --random-fully\n"
	"-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000\n";
static const char tail[] =
	"-A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this must be "
	"the last rule in this chain\" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\nCOMMIT\n";

static void hash_of(unsigned n, const char *endpoint, char out[17])
{
	char name[24];
	snprintf(name, sizeof name, "d/s%05u:p", n);
	name_hash((const char *const[]){ name, "tcp", endpoint, NULL }, 16, out);
}

/* A large cluster: no comments on picks and endpoints, and the chain of the endpoint that left
 * waits for the clean-up that a later sync makes. */
static char *expected_iptables(void)
{
	struct strbuf out = { 0 };
	char svc[17], sep[2][17], ep[2][24];
	hash_of(CHANGED, "", svc);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(ep[i], sizeof ep[i], "10.%u.%u.%u:8080", 128 + i, CHANGED >> 8, CHANGED & 255);
		hash_of(CHANGED, ep[i], sep[i]);
	}
	strbuf_puts(&out, filter);
	strbuf_puts(&out, nat);
	strbuf_printf(&out, ":KUBE-SVC-%s - [0:0]\n:KUBE-SEP-%s - [0:0]\n:KUBE-SEP-%s - [0:0]\n%s",
		      svc, sep[0], sep[1], fixed);
	for (unsigned n = 0; n < SERVICES; n++) {
		char hash[17];
		hash_of(n, "", hash);
		strbuf_printf(&out, "-A KUBE-SERVICES -m comment --comment \"d/s%05u:p cluster IP\" "
				    "-m tcp -p tcp -d 10.96.%u.%u --dport 80 -j KUBE-SVC-%s\n",
			      n, n >> 8, n & 255, hash);
		if (n != CHANGED)
			continue;
		strbuf_printf(&out, "-A KUBE-SVC-%s -m statistic --mode random --probability "
				    "0.5000000000 -j KUBE-SEP-%s\n-A KUBE-SVC-%s -j KUBE-SEP-%s\n",
			      svc, sep[0], svc, sep[1]);
		for (unsigned i = 0; i < 2; i++)
			strbuf_printf(&out, "-A KUBE-SEP-%s -s %.*s -j KUBE-MARK-MASQ\n-A KUBE-SEP-%s "
					    "-m tcp -p tcp -j DNAT --to-destination %s\n",
				      sep[i], (int)strcspn(ep[i], ":"), ep[i], sep[i], ep[i]);
	}
	strbuf_puts(&out, tail);
	return strbuf_steal(&out);
}

static void same_bytes(char *actual, char *expected)
{
	size_t at = 0;
	if (!CHECK(actual != NULL))
		return;
	while (actual[at] && actual[at] == expected[at])
		at++;
	check_note(actual[at] == expected[at], "byte", (int)at, "%.120s\nin place of\n%.120s",
		   actual + at, expected + at);
	free(actual);
	free(expected);
}

static void one_change_in_iptables(void)
{
	uint32_t transactions = 0;
	char *actual = partial(&iptables_planner, TX_IPTABLES_RESTORE, &transactions);
	same_bytes(actual, expected_iptables());
	CHECK_INT(transactions, 2); /* filter and nat: no command, no clean-up */
}

/* ---- nftables ------------------------------------------------------------------------- */

static void nft_name(unsigned i, char out[NAME])
{
	char hash[17], name[64];
	int n = snprintf(name, sizeof name, "d/s%05u/tcp/p", CHANGED);
	if (i < ENDPOINTS)
		snprintf(name + n, sizeof name - (size_t)n, "__10.%u.%u.%u/8080", 128 + i,
			 CHANGED >> 8, CHANGED & 255);
	name_hash((const char *const[]){ name, NULL }, 8, hash);
	snprintf(out, NAME, "%s-%s-%s", i < ENDPOINTS ? "endpoint" : "service", hash, name);
}

/* Elements stay as they are; the chain of the endpoint that left is emptied. */
static char *expected_nftables(void)
{
	struct strbuf out = { 0 };
	char svc[NAME], ep[ENDPOINTS][NAME];
	nft_name(ENDPOINTS, svc);
	for (unsigned i = 0; i < ENDPOINTS; i++)
		nft_name(i, ep[i]);
	const char *const chains[] = { ep[0], ep[1], svc };
	for (unsigned i = 0; i < 3; i++)
		strbuf_printf(&out, "add chain ip kube-proxy %s\nflush chain ip kube-proxy %s\n",
			      chains[i], chains[i]);
	strbuf_printf(&out, "add rule ip kube-proxy %s numgen random mod 2 vmap { 0 : goto %s , "
			    "1 : goto %s }\n", svc, ep[0], ep[1]);
	for (unsigned i = 0; i < 2; i++)
		strbuf_printf(&out, "add rule ip kube-proxy %s ip saddr 10.%u.%u.%u jump "
				    "mark-for-masquerade\nadd rule ip kube-proxy %s meta l4proto tcp "
				    "dnat to 10.%u.%u.%u:8080\n",
			      ep[i], 128 + i, CHANGED >> 8, CHANGED & 255, ep[i], 128 + i,
			      CHANGED >> 8, CHANGED & 255);
	strbuf_printf(&out, "flush chain ip kube-proxy %s\n", ep[2]);
	return strbuf_steal(&out);
}

static void one_change_in_nftables(void)
{
	uint32_t transactions = 0;
	char *actual = partial(&nftables_planner, TX_NFT, &transactions);
	same_bytes(actual, expected_nftables());
	CHECK_INT(transactions, 1);
}

static const struct check tests[] = {
	{ "iptables mode rewrites the dispatch rules of all Services and the chains of the changed one",
	  one_change_in_iptables },
	{ "nftables mode rewrites the chains of the changed Service, no element",
	  one_change_in_nftables },
};

CHECK_MAIN(tests)
