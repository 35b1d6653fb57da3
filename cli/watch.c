/* cli/watch.c: see watch.h. */
#include "cli/watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/arena.h"

#define LOOK_NS 250000000L

struct stamp { /* all zero: the file is not there */
	struct timespec changed;
	off_t size;
	ino_t inode;
};

struct watched {
	char *path;
	struct stamp stamp;
};

struct watch {
	struct watched *files;
	uint32_t count;
};

static struct stamp stamp_of(const char *path)
{
	struct stat s;
	if (stat(path, &s) != 0)
		return (struct stamp){ 0 };
	return (struct stamp){ .changed = s.st_mtim, .size = s.st_size, .inode = s.st_ino };
}

static bool same(const struct stamp *a, const struct stamp *b)
{
	return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
	       a->size == b->size && a->inode == b->inode;
}

/* As it was when the run read it: a change during the run counts. */
static void note(void *ctx, const char *path)
{
	struct watch *w = ctx;
	for (uint32_t i = 0; i < w->count; i++)
		if (strcmp(w->files[i].path, path) == 0)
			return;
	w->files = mem_grow(w->files, w->count, w->count + 1, sizeof *w->files);
	w->files[w->count++] = (struct watched){ mem_strdup(path), stamp_of(path) };
}

static void forget(struct watch *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		free(w->files[i].path);
	free(w->files);
	*w = (struct watch){ 0 };
}

/* A file that differs from its stamp, which becomes the present one; NULL: none. */
static const char *look(struct watch *w)
{
	const char *found = NULL;
	for (uint32_t i = 0; i < w->count; i++) {
		struct stamp now = stamp_of(w->files[i].path);
		if (same(&now, &w->files[i].stamp))
			continue;
		w->files[i].stamp = now;
		found = w->files[i].path;
	}
	return found;
}

/* Waits for a change and then for rest; NULL: a signal of `enough` came. The signals are
 * taken here and nowhere else: during a run they end the program as usual. */
static const char *change(struct watch *w, const sigset_t *enough)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	const char *changed = NULL;
	for (;;) {
		const char *seen = look(w);
		if (!seen && changed)
			return changed;
		if (seen)
			changed = seen;
		if (sigtimedwait(enough, NULL, &pause) > 0)
			return NULL;
	}
}

int watch_run(struct scenario_options *options, const char *const *files, uint32_t count)
{
	struct watch w = { 0 };
	sigset_t enough, before;
	int code;
	sigemptyset(&enough);
	sigaddset(&enough, SIGINT);
	sigaddset(&enough, SIGTERM);
	options->reading = note;
	options->reading_ctx = &w;
	for (;;) {
		forget(&w);
		for (uint32_t i = 0; i < count; i++)
			note(&w, files[i]);
		code = scenario_run(files, count, options, stdout, stderr);
		fflush(stdout);
		fprintf(stderr, "svclab: watching %u files; Ctrl-C ends\n", w.count);
		sigprocmask(SIG_BLOCK, &enough, &before);
		const char *changed = change(&w, &enough);
		sigprocmask(SIG_SETMASK, &before, NULL);
		if (!changed)
			break;
		fprintf(stderr, "svclab: %s changed\n", changed);
	}
	forget(&w);
	return code;
}
