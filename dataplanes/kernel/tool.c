/* dataplanes/kernel/tool.c: runs the real tools. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplanes/kernel/internal.h"

struct pipes { int in[2], out[2], error[2]; };

static void child(const struct tool_run *run, struct pipes *p)
{
	dup2(p->in[0], 0);
	dup2(p->out[1], 1);
	dup2(p->error[1], 2);
	namespace_enter(run->ns);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin", 1);
	setenv("LC_ALL", "C", 1);
	signal(SIGPIPE, SIG_DFL);
	execvp(run->argv[0], (char *const *)run->argv);
	_exit(127);
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
	int status = 0;
	if (pipe2(p.in, O_CLOEXEC) || pipe2(p.out, O_CLOEXEC) || pipe2(p.error, O_CLOEXEC))
		return err_set(err, errno, "pipe: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0)
		child(run, &p);
	close(p.in[0]);
	close(p.out[1]);
	close(p.error[1]);
	if (pid < 0)
		close(p.in[1]);
	else
		fcntl(p.in[1], F_SETFL, O_NONBLOCK), converse(run, &p, &error);
	close(p.out[0]);
	close(p.error[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	run->exit_code = pid < 0 ? 126 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	int code = 0;
	if (run->exit_code == 127 && !error.length)
		code = err_set(err, ENOENT, "%s is not installed", run->argv[0]);
	else if (run->exit_code)
		code = err_set(err, EINVAL, "%s: exit %d: %.*s", run->argv[0], run->exit_code,
			       (int)strcspn(strbuf_text(&error), "\n"), strbuf_text(&error));
	strbuf_free(&error);
	return code;
}

int tool_ip(int ns, const char *batch, struct err *err)
{
	const char *const argv[] = { "ip", "-batch", "-", NULL };
	struct tool_run run = { .ns = ns, .argv = argv, .input = batch, .input_length = strlen(batch) };
	return tool_run(&run, err);
}

/* /proc/sys shows the network namespace of whoever opens the file. */
static int open_sysctl(int ns, const char *name, int flags)
{
	char path[256];
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/sys/%s", name);
	for (char *p = path + 10; *p; p++)
		if (*p == '.')
			*p = '/';
	namespace_enter(ns);
	int fd = open(path, flags | O_CLOEXEC);
	int code = errno;
	namespace_enter(home);
	close(home);
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
