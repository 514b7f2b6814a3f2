/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/pin.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/cleanup.h"
#include "bpf/kobj.h"
#include "fs/fs.h"
#include "fs/mark.h"

static enum kobj_kind kind_of(const struct subject *s)
{
	return s->kind == SUBJECT_PROG ? KOBJ_PROG : s->kind == SUBJECT_MAP ? KOBJ_MAP : KOBJ_LINK;
}

/* The kernel says EPERM or ENOENT for all of these: find out which, and say it. */
static int explain_pin(struct call *c, const char *path, int err)
{
	const char *base = strrchr(path, '/');
	_cleanup_free_ char *dir = strndup(path, base == path ? 1 : base - path);
	struct statfs sfs;

	base++;
	if (!dir)
		return -ENOMEM;
	if (err == -EEXIST)
		return report(c->rp, err, "'%s' exists already", path);
	if (statfs(dir, &sfs) < 0)
		return report(c->rp, -errno, "there is no directory '%s'; make it with mkdir", dir);
	if (sfs.f_type != BPF_FS_MAGIC)
		return report(c->rp, -EINVAL, "'%s' is in no bpffs: try below /sys/fs/bpf", path);
	if (err == -EPERM && strchr(base, '.'))
		return report(c->rp, -EINVAL, "'%s': the kernel allows no '.' in a pin's name",
			      base);
	return report(c->rp, err, "cannot pin at '%s': %s", path, strerror(-err));
}

/* The path comes from whoever may write; on our own mount it would only lead back to us. */
static int check_path(struct call *c, const char *path)
{
	const char *base = strrchr(path, '/');
	_cleanup_free_ char *dir = NULL;
	struct stat st;

	if (*path != '/')
		return report(c->rp, -EINVAL, "'%s' is no absolute path", path);
	if (!base[1])
		return report(c->rp, -EINVAL, "'%s' ends in a slash: name the pin itself", path);
	dir = strndup(path, base == path ? 1 : base - path);
	if (!dir)
		return -ENOMEM;
	if (c->fs->dev && stat(dir, &st) == 0 && st.st_dev == c->fs->dev)
		return report(c->rp, -ELOOP, "'%s' is on this very mount", path);
	return 0;
}

int pin_run(struct call *c, const char *path)
{
	_cleanup_close_ int fd = -1;
	int r = mark_check_edit(c, "pin");

	if (r < 0)
		return r;
	r = check_path(c, path);
	if (r < 0)
		return r;
	fd = subject_open(c->fs, c->self, c->rp);
	if (fd < 0)
		return fd;
	r = kobj_pin(fd, path);
	if (r < 0)
		return explain_pin(c, path, r);
	/* Not to remember it only means that `unpin` will want the path. */
	mark_add_pin(c->fs, kind_of(c->self), subject_id(c->fs, c->self), path);
	return 0;
}

/* Links have their program's id in fdinfo, too: only the key of the kind says what is pinned. */
static int pinned_id(const char *path, enum kobj_kind kind, uint64_t *ret)
{
	static const char *const keys[] = { "prog_id", "map_id", "link_id" };
	_cleanup_close_ int fd = kobj_get(path);
	uint64_t link;

	if (fd < 0)
		return fd;
	if (kind != KOBJ_LINK && kobj_fdinfo(fd, keys[KOBJ_LINK], &link) == 0)
		return -ENOENT;
	return kobj_fdinfo(fd, keys[kind], ret);
}

int unpin_run(struct call *c, const char *path)
{
	enum kobj_kind kind = kind_of(c->self);
	uint32_t id = subject_id(c->fs, c->self);
	_cleanup_free_ char *known = NULL;
	char what[256];
	uint64_t found;
	int r = mark_check_edit(c, "unpin");

	if (r < 0)
		return r;
	subject_describe(c->fs, c->self, what, sizeof(what));
	known = mark_take_pin(c->fs, kind, id, path);
	if (!path && !known)
		return report(c->rp, -ENOENT, "no pin of %s was made here; say which: unpin PATH",
			      what);
	if (!path)
		path = known;
	r = check_path(c, path);
	if (r < 0)
		return r;
	r = pinned_id(path, kind, &found);
	if (r == -EACCES || r == -EINVAL || (r == -ENOENT && access(path, F_OK) == 0))
		return report(c->rp, -EINVAL, "'%s' is no pin of a %s", path,
			      subject_kind_name(c->self->kind));
	if (r < 0)
		return report(c->rp, r, "cannot look at '%s': %s", path, strerror(-r));
	if (found != id)
		return report(c->rp, -EINVAL, "'%s' is the pin of %s %llu, not of %s", path,
			      subject_kind_name(c->self->kind), (unsigned long long)found, what);
	if (unlink(path) < 0)
		return report(c->rp, -errno, "cannot remove '%s': %s", path, strerror(errno));
	return 0;
}
