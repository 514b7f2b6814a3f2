/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/spec_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "loader/attach.h"
#include "loader/root_path.h"
#include "loader/symbol_file.h"

/*
 * The root directory of a process that lives in another mount namespace.
 * Return: a descriptor; -1 if it lives in ours; -errno below -1 with a sentence.
 */
static int foreign_root(pid_t pid, struct report *rp, int *ret)
{
	_cleanup_close_ int proc = -1;
	struct stat ours, theirs;
	char path[32];

	*ret = -1;
	if (pid < 0)
		return 0;
	/* One descriptor for the process: its number could be another's at the next lookup. */
	snprintf(path, sizeof(path), "/proc/%d", pid);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return report(rp, -ESRCH, "there is no process %d", pid);
	if (fstatat(proc, "ns/mnt", &theirs, 0) < 0)
		return report(rp, errno == ENOENT ? -ESRCH : -errno,
			      "cannot see the mount namespace of process %d: %s", pid,
			      strerror(errno));
	if (stat("/proc/self/ns/mnt", &ours) < 0)
		return report(rp, -errno, "cannot see our own mount namespace: is /proc mounted?");
	if (ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev)
		return 0;
	*ret = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0)
		return report(rp, errno == ENOENT ? -ESRCH : -errno,
			      "cannot open the root directory of process %d: %s", pid,
			      strerror(errno));
	return 0;
}

/* Where the kernel says that a descriptor lies; malloc'ed. */
static int fd_to_path(int fd, char **ret)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -errno;
	if (n == sizeof(path) - 1)
		return -ENAMETOOLONG;
	path[n] = '\0';
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

/*
 * Both names of a file in another namespace. What the kernel says of the
 * descriptor starts where that namespace's mounts do; what the process sees
 * starts at its root, which may be deeper (chroot).
 */
static int foreign_paths(struct spec_file *f, const char *given, pid_t pid, int root_fd)
{
	_cleanup_free_ char *full = NULL, *root = NULL;
	_cleanup_str_ struct str real = {};
	size_t len;
	int r;

	r = fd_to_path(f->fd, &full);
	if (r == 0)
		r = fd_to_path(root_fd, &root);
	if (r < 0)
		return r;
	len = strcmp(root, "/") ? strlen(root) : 0;
	if (!strncmp(full, root, len) && full[len] == '/')
		f->path = strdup(full + len);
	else
		f->path = strdup(given);
	if (!f->path)
		return -ENOMEM;
	str_printf(&real, "/proc/%d/root%s%s", pid, f->path[0] == '/' ? "" : "/", f->path);
	f->real_path = str_take(&real);
	return f->real_path ? 0 : -ENOMEM;
}

static int own_paths(struct spec_file *f)
{
	int r = fd_to_path(f->fd, &f->path);

	if (r < 0)
		return r;
	f->real_path = strdup(f->path);
	return f->real_path ? 0 : -ENOMEM;
}

/*
 * Look before opening: a FIFO, a tape or a watchdog must not notice that a spec
 * named it, and a file on our own mount must not be asked to be opened.
 */
static int open_checked(const struct attach_env *env, int root_fd, const char *path, bool is_dir,
			struct report *rp, int *ret)
{
	_cleanup_close_ int fd = open_in_root(root_fd, path, O_PATH | O_CLOEXEC);
	char link[32];
	struct stat st;
	int r;

	if (fd < 0)
		return report(rp, fd, "cannot open %.400s: %s", path, strerror(-fd));
	if (env->check_file) {
		r = env->check_file(env->arg, fd, path, rp);
		if (r < 0)
			return r;
	}
	if (fstat(fd, &st) < 0)
		return report(rp, -errno, "cannot stat %.400s: %s", path, strerror(errno));
	if (is_dir && !S_ISDIR(st.st_mode))
		return report(rp, -ENOTDIR, "%.400s is no directory", path);
	if (!is_dir && !S_ISREG(st.st_mode))
		return report(rp, -EINVAL, "%.400s is no regular file", path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	*ret = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*ret < 0)
		return report(rp, -errno, "cannot open %.400s: %s", path, strerror(errno));
	return 0;
}

static int open_file(const struct attach_env *env, const char *path, bool is_dir, pid_t pid,
		     int root_fd, struct report *rp, struct spec_file **ret)
{
	_cleanup_(spec_file_freep) struct spec_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->fd = -1;
	r = open_checked(env, root_fd, path, is_dir, rp, &f->fd);
	if (r < 0)
		return r;
	snprintf(f->fd_path, sizeof(f->fd_path), "/proc/self/fd/%d", f->fd);
	r = root_fd >= 0 ? foreign_paths(f, path, pid, root_fd) : own_paths(f);
	if (r < 0)
		return report(rp, r, "cannot find out the real path of %.400s: %s", path,
			      strerror(-r));
	/* Of a file that was deleted since, the path is no path. */
	r = spec_file_verify(f, rp);
	if (r < 0)
		return r;
	*ret = take_ptr(f);
	return 0;
}

int spec_file_open_binary(const struct attach_env *env, const char *name, pid_t pid,
			  struct report *rp, struct spec_file **ret)
{
	_cleanup_close_ int root_fd = -1;
	_cleanup_free_ char *found = NULL;
	int r;

	if (!*name)
		return report(rp, -EINVAL, "the path of the binary is missing");
	r = foreign_root(pid, rp, &root_fd);
	if (r < 0)
		return r;
	/* What "./x" is relative to, the writer of a spec cannot know. */
	if (*name != '/' && strchr(name, '/'))
		return report(rp, -EINVAL,
			      "'%.400s' is a relative path: write the whole path, or only the name "
			      "to have it looked for",
			      name);
	if (*name != '/') {
		r = binary_resolve(root_fd, name, rp, &found);
		if (r < 0)
			return r;
	}
	return open_file(env, found ? found : name, false, pid, root_fd, rp, ret);
}

int spec_file_open_dir(const struct attach_env *env, const char *path, struct report *rp,
		       struct spec_file **ret)
{
	if (*path != '/')
		return report(rp, -EINVAL, "'%.400s' is a relative path: write the whole path",
			      path);
	return open_file(env, path, true, -1, -1, rp, ret);
}

int spec_file_verify(const struct spec_file *f, struct report *rp)
{
	struct stat opened, named;

	if (fstat(f->fd, &opened) == 0 && stat(f->real_path, &named) == 0 &&
	    opened.st_dev == named.st_dev && opened.st_ino == named.st_ino)
		return 0;
	return report(rp, -ESTALE, "%.400s was replaced while it was attached to: try again",
		      f->path);
}

void spec_file_free(struct spec_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f->real_path);
	free(f);
}
