/* dataplanes/kernel/namespace.c: namespaces of this process. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplanes/kernel/internal.h"

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = write(fd, text, strlen(text));
	int code = n < 0 ? errno : 0;
	close(fd);
	return code;
}

static int become_root(struct err *err)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (unshare(CLONE_NEWUSER))
		return err_set(err, ENOTSUP, "user namespaces are not allowed here (%s)", strerror(errno));
	int code = write_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
	if (!code || code == ENOENT)
		code = write_text("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "0 %u 1", (unsigned)gid);
	if (!code)
		code = write_text("/proc/self/gid_map", map);
	return code ? err_set(err, ENOTSUP, "cannot map to root in a user namespace (%s)", strerror(code)) : 0;
}

int namespace_prepare(struct err *err)
{
	/* Marks the process: preparing twice would nest namespaces. */
	static const char marker[] = "/run/svclab-netns";
	if (access(marker, F_OK) == 0)
		return 0;
	int code = geteuid() == 0 ? 0 : become_root(err);
	if (code)
		return code;
	if (unshare(CLONE_NEWNS | CLONE_NEWNET))
		return err_set(err, ENOTSUP, "network namespaces are not allowed here (%s)", strerror(errno));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"))
		return err_set(err, ENOTSUP, "cannot mount a private /run (%s)", strerror(errno));
	int fd = open(marker, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ENOTSUP, "%s: %s", marker, strerror(errno));
	close(fd);
	return 0;
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
		request.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
}

int namespace_new(int home)
{
	if (unshare(CLONE_NEWNET))
		return -errno;
	loopback_up();
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int code = errno;
	namespace_enter(home);
	return fd < 0 ? -code : fd;
}

void namespace_enter(int ns)
{
	int code = setns(ns, CLONE_NEWNET);
	assert(code == 0);
	(void)code;
}

int namespace_visit(int ns)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert(home >= 0);
	namespace_enter(ns);
	return home;
}

void namespace_leave(int home)
{
	namespace_enter(home);
	close(home);
}
