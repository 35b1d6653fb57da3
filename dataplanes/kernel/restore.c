/* kernel/restore.c: an iptables-legacy-restore that stays.
 *
 * The tool reads its input line by line and carries each COMMIT out when it comes to it;
 * with --verbose it repeats comments on standard output. So one process a place and family
 * takes one sync after another: a comment behind the tables says when they are loaded. Its
 * output is a pseudo terminal, because only there the tool writes line by line. What it
 * refuses ends it, with exit code and message as for a single run; the next sync starts
 * another. Where there are no pseudo terminals each sync runs the tool once.
 *
 * iptables-nft-restore reads all of its input before it begins, and is run each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/arena.h"
#include "dataplanes/kernel/internal.h"

struct restorer {
	pid_t pid;
	int in, out, error; /* our ends */
	uint64_t fed;       /* syncs so far: numbers the comments */
};

static const char *program(bool six)
{
	return six ? "ip6tables-legacy-restore" : "iptables-legacy-restore";
}

/* Both ends of a pseudo terminal that changes nothing it carries. */
static bool open_terminal(int *ours, int *theirs)
{
	struct termios raw;
	char name[64];
	*ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ours < 0)
		return false;
	*theirs = -1;
	if (grantpt(*ours) == 0 && unlockpt(*ours) == 0 && ptsname_r(*ours, name, sizeof name) == 0)
		*theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*theirs < 0 || tcgetattr(*theirs, &raw)) {
		close(*ours);
		if (*theirs >= 0)
			close(*theirs);
		return false;
	}
	cfmakeraw(&raw);
	tcsetattr(*theirs, TCSANOW, &raw);
	return true;
}

static void pair_close(const int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

/* ENOTTY: no pseudo terminals here. */
static int start(struct kernel_place *p, bool six)
{
	const char *const argv[] = { program(six), "-w", "5", "--noflush", "--counters", "--verbose", NULL };
	struct restorer r = { 0 };
	int in[2], error[2], theirs;
	if (!open_terminal(&r.out, &theirs))
		return ENOTTY;
	int code = pipe2(in, O_CLOEXEC) ? errno : 0;
	if (!code && pipe2(error, O_CLOEXEC)) {
		code = errno;
		pair_close(in);
	}
	if (!code) {
		signal(SIGPIPE, SIG_IGN);
		code = tool_start(p->ns, argv, in[0], theirs, error[1], &r.pid);
		if (code) {
			pair_close(in);
			pair_close(error);
		} else {
			close(in[0]);
			close(error[1]);
		}
	}
	close(theirs);
	if (code) {
		close(r.out);
		return code;
	}
	r.in = in[1];
	r.error = error[0];
	fcntl(r.in, F_SETFL, O_NONBLOCK);
	struct restorer *kept = mem_alloc(sizeof *kept);
	*kept = r;
	p->restorers[six] = kept;
	return 0;
}

/* Its end; the exit code. */
static int stop(struct kernel_place *p, bool six)
{
	struct restorer *r = p->restorers[six];
	close(r->in);
	close(r->out);
	close(r->error);
	int code = tool_wait(r->pid);
	free(r);
	p->restorers[six] = NULL;
	return code;
}

void restore_end(struct kernel_place *p)
{
	for (int six = 0; six < 2; six++)
		if (p->restorers[six])
			stop(p, six);
}

/* Whether what it printed ends with `mark`, which is then taken off. */
static bool finished(struct strbuf *printed, const char *mark)
{
	size_t length = strlen(mark);
	if (printed->length < length || strcmp(printed->data + printed->length - length, mark) != 0)
		return false;
	printed->length -= length;
	printed->data[printed->length] = '\0';
	return true;
}

/* Writes `text`, reads until `mark` comes back; false: the tool ended. */
static bool converse(struct restorer *r, const struct strbuf *text, const char *mark,
		     struct strbuf *printed, struct strbuf *error)
{
	char buffer[4096];
	size_t sent = 0;
	struct pollfd fds[3] = { { r->in, POLLOUT, 0 }, { r->out, POLLIN, 0 }, { r->error, POLLIN, 0 } };
	while (!finished(printed, mark)) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return false;
		if (fds[0].fd >= 0 && fds[0].revents) {
			ssize_t n = write(r->in, text->data + sent, text->length - sent);
			sent += n > 0 ? (size_t)n : 0;
			if (sent == text->length || (n < 0 && errno != EAGAIN && errno != EINTR))
				fds[0].fd = -1;
		}
		if (fds[1].revents) {
			ssize_t n = read(r->out, buffer, sizeof buffer);
			if (n > 0)
				strbuf_add(printed, buffer, (size_t)n);
			else if (n == 0 || (errno != EAGAIN && errno != EINTR))
				fds[1].fd = -1; /* it ended: what it said stands on the other pipe */
		}
		if (fds[2].revents) {
			ssize_t n = read(r->error, buffer, sizeof buffer);
			if (n == 0)
				return false;
			if (n > 0 && error->length < sizeof buffer)
				strbuf_add(error, buffer, (size_t)n);
		}
	}
	return true;
}

static int run_once(struct kernel_place *p, bool six, const char *text, size_t length,
		    struct strbuf *out, struct err *err)
{
	const char *const argv[] = { program(six), "-w", "5", "--noflush", "--counters", NULL };
	struct tool_run run = { .ns = p->ns, .argv = argv, .input = text, .input_length = length, .output = out };
	return tool_run(&run, err);
}

int restore_feed(struct kernel_place *p, bool six, const char *text, size_t length,
		 struct strbuf *out, struct err *err)
{
	struct strbuf whole = { 0 }, printed = { 0 }, error = { 0 };
	char mark[64];
	int code = p->restorers[six] ? 0 : start(p, six);
	if (code == ENOTTY)
		return run_once(p, six, text, length, out, err);
	if (code == ENOENT)
		return err_set(err, code, "%s is not installed", program(six));
	if (code)
		return err_set(err, code, "%s: %s", program(six), strerror(code));
	struct restorer *r = p->restorers[six];
	snprintf(mark, sizeof mark, "# loaded %llu\n", (unsigned long long)++r->fed);
	strbuf_add(&whole, text, length);
	strbuf_printf(&whole, "\n%s", mark);
	if (converse(r, &whole, mark, &printed, &error)) {
		if (out)
			strbuf_add(out, strbuf_text(&printed), printed.length);
	} else {
		int exit_code = stop(p, six);
		code = err_set(err, EINVAL, "%s: exit %d: %.*s", program(six), exit_code,
			       (int)strcspn(strbuf_text(&error), "\n"), strbuf_text(&error));
	}
	strbuf_free(&whole);
	strbuf_free(&printed);
	strbuf_free(&error);
	return code;
}
