/* SPDX-License-Identifier: BSD-2-Clause */
/* instance_pin - all maps and programs of an instance as names in a directory of a bpffs. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/kobj.h"
#include "fs/fs.h"
#include "fs/instance.h"

/* DIR/NAME; bpffs reserves dots ("reserved for future extensions"), so '.' becomes '_'. */
static char *pin_path(const char *dir, const char *name)
{
	struct str s = {};
	size_t base;

	str_printf(&s, "%s/", dir);
	base = s.len;
	str_add(&s, name);
	for (size_t i = base; i < s.len; i++)
		if (s.data[i] == '.')
			s.data[i] = '_';
	return str_take(&s);
}

/* The @i-th thing to pin: maps, then programs. False after the last; fd -1: not in the kernel. */
static bool nth(struct instance *inst, uint32_t i, int *fd, const char **name)
{
	if (i < inst->parsed->n_maps) {
		*fd = inst->loaded->maps[i].fd;
		*name = inst->parsed->maps[i].name;
		return true;
	}
	i -= inst->parsed->n_maps;
	if (i >= inst->parsed->n_programs)
		return false;
	*fd = inst->loaded->progs[i].fd;
	*name = inst->parsed->programs[i].name;
	return true;
}

static int pin_one(const char *dir, const char *name, int fd, struct report *rp)
{
	_cleanup_free_ char *path = pin_path(dir, name);
	int r = path ? kobj_pin(fd, path) : -ENOMEM;

	if (r == -EEXIST)
		return report(rp, r, "%s exists already", path);
	if (r < 0)
		return report(rp, r, "cannot pin %s: %s; is %s in a bpffs?", path ? path : name,
			      strerror(-r), dir);
	return 0;
}

static int unpin_one(const char *dir, const char *name)
{
	_cleanup_free_ char *path = pin_path(dir, name);

	return !path ? -ENOMEM : unlink(path) < 0 ? -errno : 0;
}

/* What is there, or would be made, is our own. */
static bool is_on_mount(const struct fs *fs, const char *dir)
{
	_cleanup_free_ char *parent = strndup(dir, strrchr(dir, '/') - dir + 1);
	struct stat st;

	return fs->dev && (stat(dir, &st) == 0 || (parent && stat(parent, &st) == 0)) &&
	       st.st_dev == fs->dev;
}

static int need_loaded(struct instance *inst, const char *dir, struct report *rp)
{
	if (!inst->loaded)
		return report(rp, -EBUSY, "nothing is in the kernel yet: prepare or load first");
	if (dir[0] != '/')
		return report(rp, -EINVAL, "'%s' is no absolute path", dir);
	/* Removing a file of ours waits for its object, that is: for whoever is asking. */
	if (is_on_mount(inst->fs, dir))
		return report(rp, -ELOOP, "'%s' is on this very mount", dir);
	return 0;
}

int instance_pin(struct instance *inst, const char *dir, struct report *rp)
{
	const char *name;
	bool made = false;
	uint32_t i;
	int fd, r;

	instance_report_begin(inst, rp);
	r = need_loaded(inst, dir, rp);
	/* As elsewhere, the last directory of the path is made if it is missing. */
	if (!r) {
		made = mkdir(dir, 0700) == 0;
		if (!made && errno != EEXIST)
			r = report(rp, -errno, "cannot make %s: %s", dir, strerror(errno));
	}
	for (i = 0; !r && nth(inst, i, &fd, &name); i++)
		if (fd >= 0)
			r = pin_one(dir, name, fd, rp);
	if (r < 0 && inst->loaded)
		/* All or nothing: the last one tried is the one that failed. */
		for (uint32_t k = 0; k + 1 < i && nth(inst, k, &fd, &name); k++)
			if (fd >= 0)
				unpin_one(dir, name);
	if (r < 0 && made)
		rmdir(dir);
	return instance_report_end(inst, "pin", rp, r);
}

int instance_unpin(struct instance *inst, const char *dir, struct report *rp)
{
	const char *name;
	int fd, r, first = 0;

	instance_report_begin(inst, rp);
	r = need_loaded(inst, dir, rp);
	for (uint32_t i = 0; !r && nth(inst, i, &fd, &name); i++) {
		int one = fd >= 0 ? unpin_one(dir, name) : 0;

		if (one < 0 && !first)
			first = report(rp, one, "cannot remove the pin of '%s' in %s: %s", name,
				       dir, strerror(-one));
	}
	return instance_report_end(inst, "unpin", rp, r ? r : first);
}
