/* linux/hook.c: see hook.h. */
#include "linux/hook.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/internal.h"
#include "net/trace.h"

struct hook_entry {
	hook_fn *fn;
	void *ctx;
	int priority;
};

struct hook_list {
	struct hook_entry *entries;
	uint32_t count, capacity;
};

static unsigned family_index(uint8_t family)
{
	assert(family == NET_V4 || family == NET_V6);
	return family == NET_V6;
}

static struct hook_list *list_of(const struct netns *ns, uint8_t family, enum nf_hook hook)
{
	return ns->hooks ? &ns->hooks[family_index(family) * HOOK_COUNT + hook] : NULL;
}

void hook_register(struct netns *ns, uint8_t family, enum nf_hook hook, int priority,
		   hook_fn *fn, void *ctx)
{
	if (!ns->hooks)
		ns->hooks = mem_array(2 * HOOK_COUNT, sizeof *ns->hooks);
	struct hook_list *l = list_of(ns, family, hook);
	if (l->count == l->capacity) {
		uint32_t want = l->capacity ? l->capacity * 2 : 4;
		l->entries = mem_grow(l->entries, l->capacity, want, sizeof *l->entries);
		l->capacity = want;
	}
	uint32_t at = l->count;
	while (at > 0 && l->entries[at - 1].priority > priority)
		at--;
	memmove(l->entries + at + 1, l->entries + at, (l->count - at) * sizeof *l->entries);
	l->entries[at] = (struct hook_entry){ fn, ctx, priority };
	l->count++;
}

void hook_unregister(struct netns *ns, uint8_t family, enum nf_hook hook, hook_fn *fn, void *ctx)
{
	struct hook_list *l = list_of(ns, family, hook);
	for (uint32_t i = 0; l && i < l->count; i++) {
		if (l->entries[i].fn != fn || l->entries[i].ctx != ctx)
			continue;
		l->count--;
		memmove(l->entries + i, l->entries + i + 1, (l->count - i) * sizeof *l->entries);
		return;
	}
}

enum nf_verdict hook_run(struct hook_state *state)
{
	struct packet *p = state->packet;
	const struct hook_list *l = list_of(state->ns, p->family, state->hook);
	for (uint32_t i = 0; l && i < l->count; i++) {
		enum nf_verdict verdict = l->entries[i].fn(l->entries[i].ctx, state);
		if (verdict == VERDICT_ACCEPT)
			continue;
		if (verdict == VERDICT_STOLEN)
			return VERDICT_STOLEN;
		if (p->trace)
			trace_verdict(p->trace, TRACE_DROPPED, "%s: dropped in %s%s%s",
				      state->ns->label, hook_name(state->hook), *p->comment ? ": " : "",
				      p->comment);
		ct_forget(p);
		packet_free(p);
		return VERDICT_DROP;
	}
	return VERDICT_ACCEPT;
}

enum nf_verdict hook_at(struct netns *ns, enum nf_hook hook, struct packet *p, int *error)
{
	if (!ns->hooks)
		return VERDICT_ACCEPT;
	struct hook_state state = { .ns = ns, .hook = hook, .packet = p };
	enum nf_verdict verdict = hook_run(&state);
	if (error)
		*error = verdict != VERDICT_DROP ? 0 : state.reject_errno ? state.reject_errno : EPERM;
	return verdict;
}

const char *hook_name(enum nf_hook hook)
{
	static const char *const names[HOOK_COUNT] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
						       "POSTROUTING" };
	return names[hook];
}

void hooks_free(struct netns *ns)
{
	for (unsigned i = 0; ns->hooks && i < 2 * HOOK_COUNT; i++)
		free(ns->hooks[i].entries);
	free(ns->hooks);
	ns->hooks = NULL;
}
