/* sim/dataplane.c: blocks, transactions and the registry look-up of dataplane.h. */
#include "dataplane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

struct block *block_new(const char *text, size_t length)
{
	struct block *b = mem_alloc(sizeof *b + length + 1);
	b->references = 1;
	b->length = length;
	memcpy(b->text, text, length);
	return b;
}

struct block *block_ref(struct block *b)
{
	assert(b->references > 0);
	b->references++;
	return b;
}

void block_unref(struct block *b)
{
	if (!b || --b->references)
		return;
	if (b->compiled && b->compiled_free)
		b->compiled_free(b->compiled);
	block_unref(b->left);
	block_unref(b->right);
	free(b);
}

struct block *block_join(struct block *left, struct block *right)
{
	if (!left->length || !right->length) {
		struct block *kept = left->length ? left : right;
		block_unref(left->length ? right : left);
		return kept;
	}
	struct block *b = block_new("", 0);
	b->length = left->length + right->length;
	b->left = left;
	b->right = right;
	return b;
}

void block_text(const struct block *b, struct strbuf *out)
{
	if (!b->left) {
		strbuf_add(out, b->text, b->length);
		return;
	}
	block_text(b->left, out);
	block_text(b->right, out);
}

/* ---- counts ------------------------------------------------------------------------- */

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* Rules, set and map elements, virtual and real servers; not chains or comments. */
static bool is_rule(enum tx_tool tool, const char *line)
{
	switch (tool) {
	case TX_IPTABLES_RESTORE:
	case TX_IP6TABLES_RESTORE:
		return begins(line, "-A ") || begins(line, "-I ");
	case TX_IPTABLES:
	case TX_IP6TABLES: {
		const char *end = strchrnul(line, '\n'), *a = strstr(line, "-A "),
			   *i = strstr(line, "-I ");
		return (a && a < end) || (i && i < end);
	}
	case TX_NFT:
		return begins(line, "add rule ") || begins(line, "add element ");
	case TX_IPSET:
		return begins(line, "add ");
	case TX_IPVSADM:
		return begins(line, "-A ") || begins(line, "-a ");
	case TX_ADDR:
	case TX_SYSCTL:
	case TX_CONNTRACK:
	case TX_ROUTE:
		break;
	}
	return false;
}

static void count_block(struct block *b, enum tx_tool tool)
{
	if (b->counted)
		return;
	b->counted = true;
	if (b->left) {
		count_block(b->left, tool);
		count_block(b->right, tool);
		b->lines = b->left->lines + b->right->lines;
		b->rules = b->left->rules + b->right->rules;
		return;
	}
	for (const char *line = b->text; *line; b->lines++) {
		b->rules += is_rule(tool, line);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

void transaction_count(const struct transaction *t, uint64_t *lines, uint64_t *rules)
{
	*lines = *rules = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		count_block(t->blocks[i], t->tool);
		*lines += t->blocks[i]->lines;
		*rules += t->blocks[i]->rules;
	}
}

/* ---- transactions -------------------------------------------------------------------- */

struct transaction *transactions_add(struct transactions *list, enum tx_tool tool)
{
	if (list->count == list->capacity) {
		uint32_t want = list->capacity ? list->capacity * 2 : 4;
		list->items = mem_grow(list->items, list->capacity, want, sizeof *list->items);
		list->capacity = want;
	}
	struct transaction *t = &list->items[list->count++];
	*t = (struct transaction){ .tool = tool };
	return t;
}

void transaction_add(struct transaction *t, struct block *b)
{
	if (t->count == t->capacity) {
		uint32_t want = t->capacity ? t->capacity * 2 : 4;
		t->blocks = mem_grow(t->blocks, t->capacity, want, sizeof *t->blocks);
		t->capacity = want;
	}
	t->blocks[t->count++] = b;
}

void transactions_free(struct transactions *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		for (uint32_t j = 0; j < list->items[i].count; j++)
			block_unref(list->items[i].blocks[j]);
		free(list->items[i].blocks);
	}
	free(list->items);
	*list = (struct transactions){ 0 };
}

void transaction_text(const struct transaction *t, struct strbuf *out)
{
	for (uint32_t i = 0; i < t->count; i++)
		block_text(t->blocks[i], out);
}

const char *tx_tool_name(enum tx_tool tool)
{
	static const char *const names[] = {
		[TX_IPTABLES_RESTORE] = "iptables-restore",
		[TX_IP6TABLES_RESTORE] = "ip6tables-restore",
		[TX_IPTABLES] = "iptables", [TX_IP6TABLES] = "ip6tables", [TX_NFT] = "nft",
		[TX_IPSET] = "ipset", [TX_IPVSADM] = "ipvsadm", [TX_ADDR] = "addr",
		[TX_SYSCTL] = "sysctl", [TX_CONNTRACK] = "conntrack",
		[TX_ROUTE] = "ip route",
	};
	return names[tool];
}

void planner_shared_free(struct planner_shared *shared)
{
	if (shared->free)
		shared->free(shared->data);
	*shared = (struct planner_shared){ 0 };
}

void planner_shared_forget(struct planner_shared *shared, const char *node)
{
	if (shared->forget)
		shared->forget(shared->data, node);
}

const struct dataplane *registry_find(const struct registry *r, const char *name)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (strcmp(r->rows[i].name, name) == 0)
			return &r->rows[i];
	return NULL;
}

bool registry_is_plain(const struct registry *r, uint32_t row)
{
	return r->rows[row].planner && r->rows[row].executor == r->rows[0].executor;
}

void registry_names(const struct registry *r, struct strbuf *out)
{
	const char *separator = "";
	for (uint32_t i = 0; i < r->count; i++)
		if (registry_is_plain(r, i)) {
			strbuf_printf(out, "%s%s", separator, r->rows[i].name);
			separator = ", ";
		}
}
