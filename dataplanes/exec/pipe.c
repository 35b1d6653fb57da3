/* exec/pipe.c: the process and its pipe. See exec.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "dataplanes/exec/exec.h"

struct program {
	char *path;
	unsigned seconds;
	pid_t pid;         /* 0: it has ended and was waited for */
	int status;        /* as waitpid gave it */
	int fd;            /* both ways */
	struct strbuf in;  /* read, not yet an answer */
};

/* Milliseconds of a clock that no one sets: only to see that a program hangs. */
static int64_t milliseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int program_start(const char *path, unsigned seconds, struct program **out, struct err *err)
{
	extern char **environ;
	char *words[] = { (char *)(uintptr_t)path, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, errno, "%s: no pipe: %s", path, strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pair[1], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, pair[1], STDOUT_FILENO);
	int code = posix_spawnp(&pid, path, &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pair[1]);
	if (code) {
		close(pair[0]);
		return err_set(err, ENOTRECOVERABLE, "%s cannot be started: %s", path, strerror(code));
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*out = mem_alloc(sizeof **out);
	**out = (struct program){ .path = mem_strdup(path), .seconds = seconds, .pid = pid, .fd = pair[0] };
	return 0;
}

const char *program_path(const struct program *p)
{
	return p->path;
}

/* Waits up to so long for its end. */
static bool ended(struct program *p, int64_t patience_ms)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	for (int64_t until = milliseconds() + patience_ms; p->pid;) {
		if (waitpid(p->pid, &p->status, WNOHANG) == p->pid)
			p->pid = 0;
		else if (milliseconds() >= until)
			return false;
		else
			nanosleep(&pause, NULL);
	}
	return true;
}

static int gone(struct program *p, struct err *err)
{
	if (!ended(p, 1000))
		return err_set(err, ENOTRECOVERABLE, "%s closed its end of the pipe", p->path);
	if (WIFSIGNALED(p->status))
		return err_set(err, ENOTRECOVERABLE, "%s was ended by signal %d (%s) before it answered", p->path,
			       WTERMSIG(p->status), strsignal(WTERMSIG(p->status)));
	return err_set(err, ENOTRECOVERABLE, "%s ended with exit code %d before it answered", p->path,
		       WEXITSTATUS(p->status));
}

/* Takes the first line out of what was read. */
static bool take_line(struct program *p, size_t from, struct strbuf *answer)
{
	char *end = p->in.length > from ? memchr(p->in.data + from, '\n', p->in.length - from) : NULL;
	if (!end)
		return false;
	size_t length = (size_t)(end - p->in.data);
	strbuf_clear(answer);
	strbuf_add(answer, p->in.data, length);
	p->in.length -= length + 1;
	memmove(p->in.data, end + 1, p->in.length + 1);
	return true;
}

/* What there is to read now. 0, or why nothing more will come. */
static int receive(struct program *p, struct err *err)
{
	char bytes[65536];
	ssize_t n = read(p->fd, bytes, sizeof bytes);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return gone(p, err);
	if (p->in.length + (size_t)n > EXEC_LINE_LIMIT)
		return err_set(err, ENOTRECOVERABLE, "%s: a line of more than %zu MiB; expected an answer in one line",
			       p->path, EXEC_LINE_LIMIT >> 20);
	strbuf_add(&p->in, bytes, (size_t)n);
	return 0;
}

static int send_some(struct program *p, const struct strbuf *text, size_t *sent, struct err *err)
{
	ssize_t n = send(p->fd, text->data + *sent, text->length - *sent, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return gone(p, err);
	*sent += n > 0 ? (size_t)n : 0;
	return 0;
}

int program_ask(struct program *p, const struct strbuf *line, struct strbuf *answer, struct err *err)
{
	struct strbuf text = { 0 };
	size_t sent = 0, looked = 0;
	int64_t until = milliseconds() + (int64_t)p->seconds * 1000;
	int code = 0;
	strbuf_add(&text, strbuf_text(line), line->length);
	strbuf_putc(&text, '\n');
	while (!code && (sent < text.length || !take_line(p, looked, answer))) {
		struct pollfd f = { .fd = p->fd, .events = POLLIN | (sent < text.length ? POLLOUT : 0) };
		looked = sent < text.length ? 0 : p->in.length;
		int64_t left = until - milliseconds();
		int ready = left > 0 ? poll(&f, 1, (int)left) : 0;
		if (ready < 0 && errno != EINTR)
			code = err_set(err, errno, "%s: %s", p->path, strerror(errno));
		else if (ready == 0)
			code = err_set(err, ENOTRECOVERABLE, "%s did not answer within %u s", p->path, p->seconds);
		if (!code && ready > 0 && (f.revents & POLLOUT))
			code = send_some(p, &text, &sent, err);
		if (!code && ready > 0 && (f.revents & (POLLIN | POLLHUP | POLLERR)))
			code = receive(p, err);
	}
	strbuf_free(&text);
	return code;
}

void program_stop(struct program *p)
{
	if (!p)
		return;
	close(p->fd);
	if (!ended(p, 1000)) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &p->status, 0);
	}
	strbuf_free(&p->in);
	free(p->path);
	free(p);
}
