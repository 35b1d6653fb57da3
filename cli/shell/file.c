/* cli/shell/file.c: files: cat, ls, rm, cp, mv, cd, tee.
 *
 * Files are the place's (world/files.h). What is not there is read from the machine's
 * disk on nodes, so that `kubectl apply -f web.yaml` takes a manifest of the user's;
 * nothing is ever written to that disk.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell/shell.h"
#include "core/file.h"
#include "world/files.h"

static const char *absolute(struct shell *s, const char *path, char out[1024])
{
	if (*path == '/')
		snprintf(out, 1024, "%s", path);
	else
		snprintf(out, 1024, "%s/%s", shell_stand(s)->cwd, path);
	return out;
}

static const char *container_of(struct shell *s)
{
	const char *name = shell_stand(s)->container;
	return *name ? name : NULL;
}

/* /proc/sys/net/ipv4/ip_forward */
static int read_sysctl(struct shell *s, struct place *p, const char *path, struct strbuf *out)
{
	int64_t value;
	int code = world_sysctl(s->world, p, path + strlen("/proc/sys/"), &value, false, NULL);
	if (code)
		return ENOENT;
	strbuf_printf(out, "%lld\n", (long long)value);
	return 0;
}

/* The user's own: the home folder is the folder in which svclab was started. A simulated
 * node has no use for the machine's system files. */
static int read_disk(const char *full, struct strbuf *out)
{
	static const char *const system[] = { "/etc/", "/proc/", "/sys/", "/dev/", "/usr/", "/boot/" };
	struct err err = { "" };
	const char *path = strncmp(full, "/root/", 6) == 0 ? full + 6 : full;
	for (size_t i = 0; i < sizeof system / sizeof *system; i++)
		if (strncmp(path, system[i], strlen(system[i])) == 0)
			return ENOENT;
	return *path && strcmp(path, "-") != 0 ? file_read(path, out, &err) : ENOENT;
}

int shell_read_file(struct shell *s, const char *path, struct strbuf *out)
{
	char full[1024];
	struct err err = { "" };
	struct place *p = world_place(s->world, shell_stand(s)->place, &err);
	if (!p)
		return ENOENT;
	absolute(s, path, full);
	int code = world_file_read(s->world, p, container_of(s), full, out);
	if (code == ENOENT && strncmp(full, "/proc/sys/", 10) == 0)
		return read_sysctl(s, p, full, out);
	if (code == ENOENT && stand_is_node(s))
		code = read_disk(full, out);
	return code;
}

int shell_write_file(struct shell *s, const char *path, const char *text, size_t length, bool append)
{
	char full[1024];
	struct err err = { "" };
	struct place *p = world_place(s->world, shell_stand(s)->place, &err);
	if (!p)
		return ENOENT;
	absolute(s, path, full);
	if (strncmp(full, "/dev/", 5) == 0)
		return 0;
	if (strncmp(full, "/proc/sys/", 10) == 0) {
		int64_t value = strtoll(text, NULL, 10);
		return *text ? world_sysctl(s->world, p, full + 10, &value, true, NULL) : 0;
	}
	return world_file_write(s->world, p, container_of(s), full, text, length, append);
}

int shell_list_files(struct shell *s, const char *path, struct strbuf *out)
{
	char full[1024];
	struct place *p = world_place(s->world, shell_stand(s)->place, NULL);
	if (!p)
		return ENOENT;
	absolute(s, path, full);
	if (strstr(full, "/lib/modules/") && module_files(s, full, out) == 0)
		return 0;
	return world_file_list(s->world, p, container_of(s), full, out);
}

static int remove_file(struct shell *s, const char *path)
{
	char full[1024];
	struct place *p = world_place(s->world, shell_stand(s)->place, NULL);
	return p ? world_file_remove(s->world, p, container_of(s), absolute(s, path, full)) : ENOENT;
}

/* ---- commands ------------------------------------------------------------------------------ */

int call_input(struct call *c, int first, struct strbuf *out)
{
	int status = 0;
	if (first >= c->argc) {
		const char *piped = io_take(c->io);
		strbuf_puts(out, piped ? piped : "");
	}
	for (int i = first; i < c->argc; i++) {
		const char *piped;
		if (strcmp(c->argv[i], "-") == 0) {
			piped = io_take(c->io);
			strbuf_puts(out, piped ? piped : "");
			continue;
		}
		int code = shell_read_file(c->s, c->argv[i], out);
		if (code)
			status = call_fail(c, 1, "%s: %s", c->argv[i], strerror(code));
	}
	return status;
}

static int cat(struct call *c)
{
	int first = 1;
	while (first < c->argc && c->argv[first][0] == '-' && c->argv[first][1])
		first++;
	return call_input(c, first, c->out);
}

static int tee(struct call *c)
{
	bool append = c->argc > 1 && strcmp(c->argv[1], "-a") == 0;
	const char *text = io_take(c->io);
	int status = 0;
	text = text ? text : "";
	strbuf_puts(c->out, text);
	for (int i = 1 + append; i < c->argc; i++) {
		int code = shell_write_file(c->s, c->argv[i], text, strlen(text), append);
		if (code)
			status = call_fail(c, 1, "%s: %s", c->argv[i], strerror(code));
	}
	return status;
}

static int list_one(struct call *c, const char *path)
{
	struct strbuf names = { 0 }, text = { 0 };
	int status = 0;
	if (shell_list_files(c->s, path, &names) == 0)
		strbuf_puts(c->out, strbuf_text(&names));
	else if (shell_read_file(c->s, path, &text) == 0)
		strbuf_printf(c->out, "%s\n", path);
	else if (strcmp(path, shell_stand(c->s)->cwd) != 0 && strcmp(path, ".") != 0)
		status = call_fail(c, 2, "cannot access '%s': No such file or directory", path);
	strbuf_free(&names);
	strbuf_free(&text);
	return status;
}

static int ls(struct call *c)
{
	int status = 0, listed = 0;
	for (int i = 1; i < c->argc; i++)
		if (c->argv[i][0] != '-') {
			listed++;
			status |= list_one(c, c->argv[i]);
		}
	return listed ? status : list_one(c, shell_stand(c->s)->cwd);
}

static int rm(struct call *c)
{
	bool force = false;
	int status = 0;
	for (int i = 1; i < c->argc; i++) {
		if (c->argv[i][0] == '-') {
			force |= strchr(c->argv[i], 'f') != NULL;
			continue;
		}
		int code = remove_file(c->s, c->argv[i]);
		if (code && !(force && code == ENOENT))
			status = call_fail(c, 1, "cannot remove '%s': %s", c->argv[i], strerror(code));
	}
	return status;
}

/* cp and mv of one file. */
static int copy(struct call *c)
{
	struct strbuf text = { 0 };
	int first = 1;
	while (first < c->argc && c->argv[first][0] == '-')
		first++;
	if (c->argc - first != 2)
		return call_fail(c, 1, "expected SOURCE DESTINATION");
	int code = shell_read_file(c->s, c->argv[first], &text);
	const char *wrong = c->argv[first];
	if (!code) {
		wrong = c->argv[first + 1];
		code = shell_write_file(c->s, wrong, strbuf_text(&text), text.length, false);
	}
	if (!code && strcmp(c->argv[0], "mv") == 0)
		remove_file(c->s, c->argv[first]);
	strbuf_free(&text);
	return code ? call_fail(c, 1, "%s: %s", wrong, strerror(code)) : 0;
}

static int cd(struct call *c)
{
	char full[1024];
	struct stand *at = shell_stand(c->s);
	const char *to = c->argc > 1 ? c->argv[1] : "/root";
	absolute(c->s, to, full);
	if (strcmp(to, "..") == 0) {
		char *slash = strrchr(at->cwd, '/');
		if (slash)
			slash[slash == at->cwd] = '\0';
		return 0;
	}
	size_t n = strlen(full);
	while (n > 1 && full[n - 1] == '/')
		full[--n] = '\0';
	if (n >= sizeof at->cwd)
		return call_fail(c, 1, "%s: File name too long", to);
	strcpy(at->cwd, full);
	return 0;
}

static int pwd(struct call *c)
{
	strbuf_printf(c->out, "%s\n", shell_stand(c->s)->cwd);
	return 0;
}

static int touch(struct call *c)
{
	for (int i = 1; i < c->argc; i++)
		if (c->argv[i][0] != '-')
			shell_write_file(c->s, c->argv[i], "", 0, true);
	return 0;
}

static int nothing(struct call *c)
{
	(void)c;
	return 0;
}

const struct tool file_tools[] = {
	{ "cat", cat, NULL }, { "cd", cd, NULL }, { "chmod", nothing, NULL }, { "cp", copy, NULL },
	{ "ll", ls, NULL }, { "ls", ls, NULL }, { "mkdir", nothing, NULL }, { "mv", copy, NULL },
	{ "pwd", pwd, NULL }, { "rm", rm, NULL }, { "tee", tee, NULL }, { "touch", touch, NULL },
	{ NULL, NULL, NULL },
};
