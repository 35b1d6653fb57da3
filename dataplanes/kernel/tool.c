/* dataplanes/kernel/tool.c: runs the real tools. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"
#include "dataplanes/kernel/internal.h"

struct pipes { int in[2], out[2], error[2]; };

static const char *const folders[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin",
				       "/usr/local/bin" };

static bool find(const char *name, char *path, size_t size)
{
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(path, size, "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* The tools speak English, and find each other where we found them. */
static char **environment(void)
{
	static const char *const ours[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin", "LC_ALL=C" };
	size_t count = 0, kept = 0;
	while (environ[count])
		count++;
	char **out = mem_array(count + 3, sizeof *out);
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "PATH=", 5) != 0 && strncmp(environ[i], "LC_ALL=", 7) != 0)
			out[kept++] = environ[i];
	out[kept++] = (char *)ours[0];
	out[kept] = (char *)ours[1];
	return out;
}

int tool_start(int ns, const char *const *argv, int in, int out, int error, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t pipe_signal;
	char path[256];
	if (!find(argv[0], path, sizeof path))
		return ENOENT;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, error, 2);
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &pipe_signal);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	char **env = environment();
	int home = namespace_visit(ns);
	int code = posix_spawn(pid, path, &actions, &attributes, (char *const *)argv, env);
	namespace_leave(home);
	free(env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

int tool_wait(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Feeds and drains until the tool has closed its ends. */
static void converse(const struct tool_run *run, struct pipes *p, struct strbuf *error)
{
	size_t sent = 0;
	char buffer[65536];
	struct pollfd fds[3] = { { run->input ? p->in[1] : -1, POLLOUT, 0 },
				 { p->out[0], POLLIN, 0 }, { p->error[0], POLLIN, 0 } };
	if (!run->input || !run->input_length) {
		close(p->in[1]);
		fds[0].fd = -1;
	}
	while (fds[1].fd >= 0 || fds[2].fd >= 0) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].fd >= 0 && fds[0].revents) {
			ssize_t n = write(fds[0].fd, run->input + sent, run->input_length - sent);
			sent += n > 0 ? (size_t)n : 0;
			if (sent == run->input_length || (n < 0 && errno != EAGAIN && errno != EINTR)) {
				close(fds[0].fd);
				fds[0].fd = -1;
			}
		}
		for (int i = 1; i < 3; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			ssize_t n = read(fds[i].fd, buffer, sizeof buffer);
			if (n > 0 && i == 1 && run->output)
				strbuf_add(run->output, buffer, (size_t)n);
			else if (n > 0 && i == 2 && error->length < 4096)
				strbuf_add(error, buffer, (size_t)n);
			if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
				fds[i].fd = -1;
		}
	}
	if (fds[0].fd >= 0)
		close(fds[0].fd);
}

int tool_run(struct tool_run *run, struct err *err)
{
	struct pipes p;
	struct strbuf error = { 0 };
	pid_t pid = -1;
	if (pipe2(p.in, O_CLOEXEC) || pipe2(p.out, O_CLOEXEC) || pipe2(p.error, O_CLOEXEC))
		return err_set(err, errno, "pipe: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	int code = tool_start(run->ns, run->argv, p.in[0], p.out[1], p.error[1], &pid);
	close(p.in[0]);
	close(p.out[1]);
	close(p.error[1]);
	if (code)
		close(p.in[1]);
	else
		fcntl(p.in[1], F_SETFL, O_NONBLOCK), converse(run, &p, &error);
	close(p.out[0]);
	close(p.error[0]);
	run->exit_code = code ? 127 : tool_wait(pid);
	if (code == ENOENT)
		err_set(err, code, "%s is not installed", run->argv[0]);
	else if (code)
		err_set(err, code, "%s: %s", run->argv[0], strerror(code));
	else if (run->exit_code)
		code = err_set(err, EINVAL, "%s: exit %d: %.*s", run->argv[0], run->exit_code,
			       (int)strcspn(strbuf_text(&error), "\n"), strbuf_text(&error));
	strbuf_free(&error);
	return code;
}

/* /proc/sys shows the network namespace of whoever opens the file. */
static int open_sysctl(int ns, const char *name, int flags)
{
	char path[256];
	snprintf(path, sizeof path, "/proc/sys/%s", name);
	for (char *p = path + 10; *p; p++)
		if (*p == '.')
			*p = '/';
	int home = namespace_visit(ns);
	int fd = open(path, flags | O_CLOEXEC);
	int code = errno;
	namespace_leave(home);
	errno = code;
	return fd;
}

int tool_sysctl(int ns, const char *name, const char *value, struct err *err)
{
	int fd = open_sysctl(ns, name, O_WRONLY);
	if (fd < 0)
		return err_set(err, errno, "sysctl %s: %s", name, strerror(errno));
	ssize_t n = write(fd, value, strlen(value));
	int code = n < 0 ? err_set(err, errno, "sysctl %s=%s: %s", name, value, strerror(errno)) : 0;
	close(fd);
	return code;
}

int tool_sysctl_read(int ns, const char *name, struct strbuf *out, struct err *err)
{
	char buffer[4096];
	int fd = open_sysctl(ns, name, O_RDONLY);
	if (fd < 0)
		return err_set(err, errno, "sysctl %s: %s", name, strerror(errno));
	ssize_t n = read(fd, buffer, sizeof buffer);
	close(fd);
	if (n < 0)
		return err_set(err, errno, "sysctl %s: %s", name, strerror(errno));
	strbuf_add(out, buffer, (size_t)n);
	return 0;
}
