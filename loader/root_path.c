/* SPDX-License-Identifier: BSD-2-Clause */
/* binary_resolve() is declared in symbol_file.h: it is about the same files. */
#include "loader/root_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "loader/symbol_file.h"

#if defined(__x86_64__)
#define MULTIARCH "x86_64-linux-gnu"
#elif defined(__i386__)
#define MULTIARCH "i386-linux-gnu"
#elif defined(__aarch64__)
#define MULTIARCH "aarch64-linux-gnu"
#elif defined(__arm__)
#define MULTIARCH "arm-linux-gnueabihf"
#elif defined(__s390x__)
#define MULTIARCH "s390x-linux-gnu"
#elif defined(__riscv)
#define MULTIARCH "riscv64-linux-gnu"
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MULTIARCH "powerpc64le-linux-gnu"
#else
#define MULTIARCH "lib"
#endif

int open_in_root(int root_fd, const char *path, int flags)
{
	struct open_how how = { .flags = flags, .resolve = RESOLVE_IN_ROOT };
	long fd;

	if (root_fd < 0)
		fd = open(path, flags);
	else
		fd = syscall(__NR_openat2, root_fd, path, &how, sizeof(how));
	if (fd < 0)
		return errno == ENOSYS ? -EOPNOTSUPP : -errno;
	return fd;
}

/* Is there a regular file at @path, that may be executed if @exec? */
static bool is_candidate(int root_fd, const char *path, bool exec)
{
	_cleanup_close_ int fd = open_in_root(root_fd, path, O_PATH | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (!exec || (st.st_mode & 0111));
}

/* The first of the directories in the colon-separated @dirs that holds @name; malloc'ed. */
static char *search(int root_fd, const char *dirs, const char *name, bool exec)
{
	const char *end;

	for (const char *p = dirs; p; p = *end ? end + 1 : NULL) {
		char path[PATH_MAX];
		int n;

		end = strchrnul(p, ':');
		/* An empty or relative entry means where a shell stands: not ours. */
		if (*p != '/')
			continue;
		n = snprintf(path, sizeof(path), "%.*s/%s", (int)(end - p), p, name);
		if (n > 0 && n < (int)sizeof(path) && is_candidate(root_fd, path, exec))
			return strdup(path);
	}
	return NULL;
}

static bool is_library(const char *name)
{
	const char *so = strstr(name, ".so");

	return so && (!so[3] || so[3] == '.');
}

int binary_resolve(int root_fd, const char *name, struct report *rp, char **ret)
{
	static const char libraries[] = "/lib/" MULTIARCH ":/usr/lib/" MULTIARCH
					":/usr/local/lib:/lib64:/usr/lib64:/lib:/usr/lib";
	static const char programs[] =
		"/usr/bin:/usr/sbin:/bin:/sbin:/usr/local/bin:/usr/local/sbin";
	bool library = is_library(name);
	const char *variable = library ? "LD_LIBRARY_PATH" : "PATH";
	/* Our environment says nothing about another root. */
	const char *env = root_fd < 0 ? getenv(variable) : NULL;
	const char *usual = library ? libraries : programs;
	char *path = NULL;

	if (strchr(name, '/') || !*name)
		return report(rp, -EINVAL, "'%.200s' is no bare name", name);
	if (env)
		path = search(root_fd, env, name, !library);
	if (!path)
		path = search(root_fd, usual, name, !library);
	if (!path)
		return report(rp, -ENOENT, "no %s '%.200s' in %s%s%s",
			      library ? "library" : "program", name, env ? variable : "",
			      env ? " and " : "", usual);
	*ret = path;
	return 0;
}
