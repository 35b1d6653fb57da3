/* tests/unit/planner_tree.c: the tree of services that all nodes share, against the plain
 * list it stands for, after random changes. */
#include "golden.h"

#include "dataplanes/iptables/iptables.h"
#include "dataplanes/kubeproxy/kubeproxy.h"
#include "dataplanes/nftables/nftables.h"
#include "linux/xtables/xtables.h"

#define NUMBERS 900 /* services are numbered below; no large cluster comes of it */

struct cluster {
	struct golden g;
	bool there[NUMBERS];
	unsigned endpoints[NUMBERS];
	uint64_t random;
};

static unsigned draw(struct cluster *c, unsigned below)
{
	c->random = c->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(c->random >> 33) % below;
}

static int put(void *ctx, struct kube_object *o, struct err *err)
{
	bool there = kube_store_get(ctx, o->kind, o->meta.namespace, o->meta.name) != NULL;
	return there ? kube_store_update(ctx, o, true, err) : kube_store_create(ctx, o, err);
}

/* Every seventh service differs between nodes, so that not all is one run. */
static void set(struct cluster *c, unsigned n, unsigned endpoints)
{
	const struct manifest_options options = { .defaults = true };
	struct strbuf t = { 0 };
	struct err err = { "" };
	c->there[n] = true;
	c->endpoints[n] = endpoints;
	strbuf_printf(&t, "apiVersion: v1\nkind: Service\nmetadata: {name: s%04u, namespace: d}\n"
			  "spec: {clusterIP: 10.96.%u.%u, ports: [{port: 80}]%s}\n---\n",
		      n, n >> 8, n & 255, n % 7 ? "" : ", internalTrafficPolicy: Local");
	strbuf_printf(&t, "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s%04u,"
			  " namespace: d, labels: {kubernetes.io/service-name: s%04u}}\n"
			  "addressType: IPv4\nports: [{port: 8080}]\nendpoints:%s\n",
		      n, n, endpoints ? "" : " []");
	for (unsigned i = 0; i < endpoints; i++)
		strbuf_printf(&t, "- {addresses: [10.%u.%u.%u], nodeName: %s}\n", 128 + i, n >> 8,
			      n & 255, i ? "b" : "a");
	int code = manifest_read(strbuf_text(&t), t.length, "service", &options, put, c->g.store,
				 &err);
	check_note(code == 0, "service", (int)n, "%s", err.text);
	strbuf_free(&t);
}

static void drop(struct cluster *c, unsigned n)
{
	char name[16];
	struct err err = { "" };
	snprintf(name, sizeof name, "s%04u", n);
	c->there[n] = false;
	CHECK(kube_store_delete(c->g.store, KIND_SERVICE, "d", name, &err) == 0 &&
	      kube_store_delete(c->g.store, KIND_ENDPOINT_SLICE, "d", name, &err) == 0);
}

/* One endpoint more or less, a new service, one less, or many at once. */
static void change(struct cluster *c)
{
	unsigned kind = draw(c, 10), from = draw(c, NUMBERS);
	unsigned length = kind < 8 ? 1 : 1 + draw(c, 120);
	for (unsigned n = from; n < NUMBERS && n < from + length; n++) {
		if (!c->there[n])
			set(c, n, draw(c, 4));
		else if (kind == 9 || kind == 7)
			drop(c, n);
		else
			set(c, n, (c->endpoints[n] + 1 + draw(c, 2)) % 4);
	}
}

/* Heights, sums and marks of a subtree; its leaves are appended to the list. */
static void check_chunk(const struct chunk *k, struct table *names)
{
	CHECK(k->references > 0 && k->count > 0);
	if (!k->left) {
		CHECK(k->height == 0 && k->leaves == 1 && k->count <= 2 * CHUNK_SERVICES);
		for (uint32_t i = 0; i < k->count; i++)
			table_put(names, k->items[i]->name, NULL);
		return;
	}
	int lean = (int)k->left->height - (int)k->right->height;
	CHECK(lean >= -1 && lean <= 1);
	CHECK_INT(k->count, k->left->count + k->right->count);
	CHECK_INT(k->leaves, k->left->leaves + k->right->leaves);
	CHECK_INT(k->marks, k->left->marks | k->right->marks);
	CHECK_INT(k->endpoint_count, k->left->endpoint_count + k->right->endpoint_count);
	check_chunk(k->left, names);
	check_chunk(k->right, names);
}

static void same_as_the_list(struct cluster *c)
{
	struct proxy_shared *s = proxy_shared_get(&c->g.view, &(bool){ false });
	struct snapshot *now = proxy_snapshot(s, c->g.store, PROXY_V4);
	struct table names;
	const void *name;
	void *value;
	uint32_t at = 0, seen = 0;
	table_init(&names, TABLE_STRING_KEYS, 0);
	if (now->root)
		check_chunk(now->root, &names);
	for (unsigned n = 0; n < NUMBERS; n++) {
		char expected[16];
		snprintf(expected, sizeof expected, "s%04u", n);
		if (!c->there[n])
			continue;
		seen++;
		if (!table_next(&names, &at, &name, &value) || strcmp(name, expected) != 0)
			check_note(false, expected, 0, "is not where it belongs");
	}
	CHECK_INT(now->count, seen);
	table_free(&names);
	snapshot_unref(now);
}

/* What a kube-proxy that shares nothing writes at its first sync. */
static char *from_scratch(struct cluster *c, enum tx_tool tool)
{
	struct golden fresh = { .class = c->g.class, .store = c->g.store, .view = c->g.view };
	struct err err = { "" };
	fresh.view.shared = NULL;
	CHECK(fresh.class->open(&fresh.view, &fresh.planner, &err) == 0);
	golden_plan(&fresh, true);
	char *text = golden_text(&fresh, tool);
	transactions_free(&fresh.plan);
	fresh.class->close(fresh.planner);
	return text;
}

static void cluster_open(struct cluster *c, const struct planner_class *class)
{
	*c = (struct cluster){ .random = 42 };
	golden_empty(&c->g, "a", class, KUBE_1_34);
	for (unsigned n = 0; n < NUMBERS; n += 3)
		set(c, n, draw(c, 4));
	golden_start(&c->g, "cluster");
}

static char *restored(struct xt_ruleset *x, char *text)
{
	const struct xt_restore_options options = { .file = "restore", .noflush = true };
	struct err err = { "" };
	struct strbuf out = { 0 };
	check_note(xt_restore(x, text, strlen(text), &options, &err) == 0, "restore", 0, "%s",
		   err.text);
	free(text);
	xt_save(x, NULL, false, &out);
	return strbuf_steal(&out);
}

/* Partial syncs one after another leave what one full sync writes. */
static void partial_syncs_add_up(void)
{
	struct cluster c;
	struct xt_ruleset *x = xt_new(NULL, NET_V4);
	cluster_open(&c, &iptables_planner);
	golden_plan(&c.g, true);
	free(restored(x, golden_text(&c.g, TX_IPTABLES_RESTORE)));
	for (unsigned i = 0; i < 60; i++) {
		/* Now and then more than the store recalls one by one. */
		for (unsigned k = i % 10 == 9 ? 40 : 1; k; k--)
			change(&c);
		same_as_the_list(&c);
		golden_plan(&c.g, false);
		char *after = restored(x, golden_text(&c.g, TX_IPTABLES_RESTORE));
		if (i % 20 == 19) {
			struct xt_ruleset *y = xt_new(NULL, NET_V4);
			golden_same("after partial syncs", after,
				    restored(y, from_scratch(&c, TX_IPTABLES_RESTORE)));
			xt_free(y);
		} else {
			free(after);
		}
	}
	xt_free(x);
	golden_close(&c.g);
}

/* What is shared is joined from old and new pieces; the text is that of one piece. */
static void full_syncs_write_the_same(void)
{
	static const struct { const struct planner_class *class; enum tx_tool tool; } modes[] = {
		{ &iptables_planner, TX_IPTABLES_RESTORE }, { &nftables_planner, TX_NFT },
	};
	for (unsigned m = 0; m < 2; m++) {
		struct cluster c;
		cluster_open(&c, modes[m].class);
		for (unsigned i = 0; i < 20; i++) {
			struct golden other = c.g; /* another process on the same store */
			struct err err = { "" };
			change(&c);
			other.plan = (struct transactions){ 0 };
			other.view.node = "b"; /* whose rules nobody left behind */
			CHECK(other.class->open(&other.view, &other.planner, &err) == 0);
			golden_plan(&other, true);
			c.g.view.node = "b";
			golden_same("joined", golden_text(&other, modes[m].tool),
				    from_scratch(&c, modes[m].tool));
			c.g.view.node = c.g.node;
			other.class->close(other.planner);
			planner_shared_forget(&c.g.shared, "b");
			transactions_free(&other.plan);
		}
		golden_close(&c.g);
	}
}

/* Lines and rules are sums over joints; counting the whole text gives the same. */
static void counts_are_sums(void)
{
	struct cluster c;
	cluster_open(&c, &iptables_planner);
	golden_plan(&c.g, true);
	for (unsigned i = 0; i < 10; i++) {
		uint64_t lines, rules, expected_lines = 0, expected_rules = 0;
		change(&c);
		golden_plan(&c.g, false);
		const struct transaction *nat = &c.g.plan.items[c.g.plan.count - 1];
		while (nat->tool != TX_IPTABLES_RESTORE)
			nat--;
		struct strbuf text = { 0 };
		transaction_text(nat, &text);
		for (const char *line = strbuf_text(&text); *line; line += strcspn(line, "\n") + 1) {
			expected_lines++;
			expected_rules += strncmp(line, "-A ", 3) == 0;
		}
		transaction_count(nat, &lines, &rules);
		CHECK_INT(lines, expected_lines);
		CHECK_INT(rules, expected_rules);
		strbuf_free(&text);
	}
	golden_close(&c.g);
}

/* ---- conflicts ------------------------------------------------------------------------ */

#define CLAIMANTS 12

struct claimant {
	bool there;
	unsigned ips[2], port, node_port; /* ips: 0 none; node_port: 0 none */
};

static void put_claimant(struct cluster *c, unsigned n, const struct claimant *k)
{
	const struct manifest_options options = { .defaults = true };
	struct strbuf t = { 0 };
	struct err err = { "" };
	strbuf_printf(&t, "apiVersion: v1\nkind: Service\nmetadata: {name: k%u, namespace: d}\n"
			  "spec:\n  type: NodePort\n  clusterIP: 10.97.0.%u\n  externalIPs: [",
		      n, n + 1);
	for (unsigned i = 0; i < 2; i++)
		if (k->ips[i])
			strbuf_printf(&t, "%s198.51.%u.%u", i && k->ips[0] ? ", " : "",
				      k->ips[i] >> 8, k->ips[i] & 255);
	strbuf_printf(&t, "]\n  ports: [{name: a, port: %u", k->port);
	if (k->node_port)
		strbuf_printf(&t, ", nodePort: %u", 30000 + k->node_port);
	strbuf_puts(&t, "}, {name: b, port: 443}]\n");
	int code = manifest_read(strbuf_text(&t), t.length, "claimant", &options, put, c->g.store,
				 &err);
	check_note(code == 0, "claimant", (int)n, "%s", err.text);
	strbuf_free(&t);
}

static bool meet(const struct claimant *a, const struct claimant *b)
{
	if (a->node_port && a->node_port == b->node_port)
		return true;
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < 2; k++)
			if (a->ips[i] && a->ips[i] == b->ips[k])
				return true;
	return false;
}

/* By the definition, pair by pair. */
static bool any_meet(const struct claimant all[CLAIMANTS])
{
	for (unsigned i = 0; i < CLAIMANTS; i++) {
		if (all[i].there && all[i].ips[0] && all[i].ips[0] == all[i].ips[1])
			return true;
		for (unsigned k = 0; k < i && all[i].there; k++)
			if (all[k].there && meet(&all[i], &all[k]))
				return true;
	}
	return false;
}

/* The table of claims follows changes; it is asked about the present and an older list. */
static void conflicts_follow_changes(void)
{
	struct cluster c = { .random = 7 };
	struct claimant all[CLAIMANTS] = { { 0 } };
	struct snapshot *before = NULL;
	bool met_before = false;
	unsigned yes = 0;
	golden_empty(&c.g, "a", &nftables_planner, KUBE_1_34);
	struct proxy_shared *s = proxy_shared_get(&c.g.view, &(bool){ false });
	for (unsigned i = 0; i < 400; i++) {
		unsigned n = draw(&c, CLAIMANTS);
		struct err err = { "" };
		char name[8];
		snprintf(name, sizeof name, "k%u", n);
		if (all[n].there && draw(&c, 3) == 0) {
			all[n].there = false;
			CHECK(kube_store_delete(c.g.store, KIND_SERVICE, "d", name, &err) == 0);
		} else {
			all[n] = (struct claimant){ true, { draw(&c, 400), draw(&c, 400) },
						    80 + draw(&c, 2), draw(&c, 200) };
			put_claimant(&c, n, &all[n]);
		}
		struct snapshot *now = proxy_snapshot(s, c.g.store, PROXY_V4);
		bool met = any_meet(all);
		if (i % 3)
			CHECK_INT(proxy_conflicts(s, PROXY_V4, now), met);
		if (before)
			CHECK_INT(proxy_conflicts(s, PROXY_V4, before), met_before);
		yes += met;
		snapshot_unref(before);
		before = now;
		met_before = met;
	}
	CHECK(yes > 50 && yes < 350);
	snapshot_unref(before);
	golden_close(&c.g);
}

static const struct check tests[] = {
	{ "after random changes the tree is balanced, its sums are right and it lists the services",
	  partial_syncs_add_up },
	{ "text joined from shared pieces is the text that a lone kube-proxy writes",
	  full_syncs_write_the_same },
	{ "lines and rules of a plan are sums over its pieces", counts_are_sums },
	{ "whether services claim the same address or port is known after each change",
	  conflicts_follow_changes },
};

CHECK_MAIN(tests)
