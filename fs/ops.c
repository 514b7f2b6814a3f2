/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ops - the FUSE low-level operations: find the node, call the core, reply once.
 *
 * Nothing here waits. What may (writes, mkdir, rmdir, unlink, rename) becomes a
 * job for a worker, and its request is parked until the job is done or the
 * caller is interrupted. ENOSYS is never replied: the kernel would remember it
 * for the whole mount.
 */
#include "fs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/bits.h"
#include "fs/dir.h"
#include "fs/file.h"
#include "fs/fs.h"
#include "fs/node.h"
#include "fs/park.h"
#include "fs/reply.h"
#include "fs/worker.h"

static struct fs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct call node_call(struct fs *fs, const struct node *node, pid_t pid, struct report *rp)
{
	return (struct call){ .fs = fs,
			      .self = &node->subject,
			      .entry = node->entry,
			      .rp = rp,
			      .pid = pid,
			      .depth = node_depth(node) };
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	/* Interrupts of parked requests need them; a write of a megabyte should be one request. */
	conn->max_write = 1 << 20;
	conn->want &= ~FUSE_CAP_SPLICE_READ; /* lines and images are looked at, not passed on */
}

/* Make a child known to the kernel. 0 and *@e, or -errno. */
static int enter_child(struct fs *fs, struct node *parent, const char *name,
		       const struct child *child, struct fuse_entry_param *e, struct node **ret)
{
	struct node *node = nodes_lookup(fs->nodes, parent, name, child);

	if (!node)
		return -ENOMEM;
	memset(e, 0, sizeof(*e));
	e->ino = node->id;
	/* Timeouts stay 0: names come and go behind the kernel's back, and asking is cheap. */
	entry_stat(fs, node->entry, &node->subject, &e->attr);
	if (ret)
		*ret = node;
	else
		node_put(fs->nodes, node);
	return 0;
}

static int lookup(struct fs *fs, struct node *parent, const char *name, pid_t pid,
		  struct fuse_entry_param *e)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct call c = node_call(fs, parent, pid, &rp);
	struct child child = {};
	int r;

	r = dir_find(&c, name, &child);
	if (r < 0)
		return r;
	r = enter_child(fs, parent, name, &child, e, NULL);
	subject_deinit(&child.subject);
	return r;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	struct node *dir = nodes_get(fs->nodes, parent);
	struct fuse_entry_param e;
	int r = dir ? lookup(fs, dir, name, fuse_req_ctx(req)->pid, &e) : -ESTALE;

	node_put(fs->nodes, dir);
	if (r < 0)
		reply_err(req, r);
	else
		fuse_reply_entry(req, &e);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	nodes_forget(fs_of(req)->nodes, ino, nlookup);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		nodes_forget(fs_of(req)->nodes, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct node *node = nodes_get(fs->nodes, ino);
	struct stat st;

	(void)fi;
	if (!node) {
		reply_err(req, ESTALE);
		return;
	}
	entry_stat(fs, node->entry, &node->subject, &st);
	node_put(fs->nodes, node);
	fuse_reply_attr(req, &st, 0);
}

/* An image has a size to set; nothing else here has owners, modes or times to change. */
static int truncate_node(struct fs *fs, struct node *node, uint64_t size, struct open_file *f,
			 pid_t pid, struct report *rp)
{
	struct open_file *own = NULL;
	int r;

	if (node->entry->type != ENTRY_IMAGE)
		return node->entry->mode & 0200
			       ? 0
			       : report(rp, -EACCES, "'%s' can only be read", node->entry->name);
	if (f)
		return file_truncate(f, size, rp);
	/* truncate(2) of a path: an open that sets the size; only 0, then write, makes sense. */
	if (size != 0)
		return report(rp, -EINVAL, "open the image to change its size");
	node = nodes_get(fs->nodes, node->id); /* for the open */
	r = file_open(fs, node, O_WRONLY | O_TRUNC, pid, rp, &own);
	if (r < 0)
		node_put(fs->nodes, node);
	else
		file_close_unused(own);
	return r;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct node *node = nodes_get(fs->nodes, ino);
	struct report rp = REPORT_INIT(NULL, NULL);
	pid_t pid = fuse_req_ctx(req)->pid;
	struct stat st;
	int r = node ? 0 : -ESTALE;

	if (!r && (to_set & FUSE_SET_ATTR_SIZE)) {
		r = truncate_node(fs, node, attr->st_size,
				  fi ? (struct open_file *)(uintptr_t)fi->fh : NULL, pid, &rp);
		if (r < 0)
			fs_fail(fs, node, NULL, pid, r, NULL, 0, &rp);
	}
	if (!r)
		entry_stat(fs, node->entry, &node->subject, &st);
	node_put(fs->nodes, node);
	if (r < 0)
		reply_err(req, r);
	else
		fuse_reply_attr(req, &st, 0);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fs_of(req);
	struct node *node = nodes_get(fs->nodes, ino);
	struct report rp = REPORT_INIT(NULL, NULL);
	struct str target = {};
	int r = -EINVAL;

	if (!node)
		r = -ESTALE;
	else if (node->entry->type == ENTRY_SYMLINK) {
		struct call c = node_call(fs, node, fuse_req_ctx(req)->pid, &rp);

		r = node->entry->show(&c, &target);
		if (!r)
			r = str_error(&target);
	}
	node_put(fs->nodes, node);
	if (r < 0)
		reply_err(req, r);
	else
		fuse_reply_readlink(req, str_text(&target));
	str_deinit(&target);
}

/*
 * What changes a directory, on a worker.
 */
enum change { CHANGE_MKDIR, CHANGE_RMDIR, CHANGE_UNLINK, CHANGE_RENAME };

struct change_job {
	struct job job;
	struct fs *fs;
	struct node *dir; /* held */
	struct parked *parked;
	enum change what;
	pid_t pid;
	char *name, *to;
};

static void change_interrupted(void *arg)
{
	(void)arg; /* it is done all the same; only the caller does not wait */
}

static int change_dir(struct change_job *job, struct report *rp)
{
	const struct dir *dir = job->dir->entry->dir;
	struct call c = node_call(job->fs, job->dir, job->pid, rp);

	switch (job->what) {
	case CHANGE_MKDIR:
		if (dir && dir->mkdir)
			return dir->mkdir(&c, job->name);
		return report(rp, -EPERM, "no directories can be made here");
	case CHANGE_RMDIR:
		if (dir && dir->rmdir)
			return dir->rmdir(&c, job->name);
		return report(rp, -EPERM, "'%s' cannot be removed", job->name);
	case CHANGE_UNLINK:
		if (dir && dir->unlink)
			return dir->unlink(&c, job->name);
		return report(rp, -EPERM, "'%s' cannot be removed", job->name);
	case CHANGE_RENAME:
		if (dir && dir->rename)
			return dir->rename(&c, job->name, job->to);
		return report(rp, -EPERM, "'%s' cannot be renamed", job->name);
	}
	return -EIO;
}

static void change_run(struct job *j)
{
	struct change_job *job = container_of(j, struct change_job, job);
	struct report rp = REPORT_INIT(NULL, NULL);
	struct fuse_entry_param e;
	fuse_req_t req;
	int r = change_dir(job, &rp);

	if (r == 0 && job->what == CHANGE_RENAME)
		nodes_renamed(job->fs->nodes, job->dir, job->name, job->to);
	if (r < 0)
		fs_fail(job->fs, job->dir, job->name, job->pid, r, NULL, 0, &rp);
	park_claim(job->parked);
	req = park_leave(job->parked);
	if (!req)
		return;
	if (r == 0 && job->what == CHANGE_MKDIR) {
		r = lookup(job->fs, job->dir, job->name, job->pid, &e);
		if (r == 0)
			fuse_reply_entry(req, &e);
	} else if (r == 0) {
		fuse_reply_err(req, 0);
	}
	if (r < 0)
		reply_err(req, r);
}

static void change_release(struct job *j)
{
	struct change_job *job = container_of(j, struct change_job, job);

	node_put(job->fs->nodes, job->dir);
	free(job->name);
	free(job->to);
	free(job);
}

static void submit_change(fuse_req_t req, enum change what, fuse_ino_t parent, const char *name,
			  const char *to)
{
	struct fs *fs = fs_of(req);
	struct change_job *job = calloc(1, sizeof(*job));
	int r = -ENOMEM;

	if (!job) {
		reply_err(req, r);
		return;
	}
	*job = (struct change_job){ .job = { .run = change_run, .release = change_release },
				    .fs = fs,
				    .dir = nodes_get(fs->nodes, parent),
				    .what = what,
				    .pid = fuse_req_ctx(req)->pid,
				    .name = strdup(name),
				    .to = to ? strdup(to) : NULL };
	job->parked = park(req, change_interrupted, job);
	if (!job->dir)
		r = -ESTALE;
	if (!job->dir || !job->name || (to && !job->to) || !job->parked)
		goto fail;
	park_arm(job->parked);
	r = worker_submit(fs->workers, NULL, &job->job);
	if (r == 0)
		return;
fail:
	if (!job->parked || park_claim(job->parked))
		reply_err(req, r);
	if (job->parked)
		park_leave(job->parked);
	change_release(&job->job);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)mode;
	submit_change(req, CHANGE_MKDIR, parent, name, NULL);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	submit_change(req, CHANGE_RMDIR, parent, name, NULL);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	submit_change(req, CHANGE_UNLINK, parent, name, NULL);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t newparent,
		      const char *newname, unsigned int flags)
{
	if (flags)
		reply_err(req, EINVAL);
	else if (parent != newparent)
		/* mv(1) copies and removes then, which is what it means between load/ and run/. */
		reply_err(req, EXDEV);
	else
		submit_change(req, CHANGE_RENAME, parent, name, newname);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t newparent, const char *newname)
{
	(void)ino, (void)newparent, (void)newname;
	reply_err(req, EPERM);
}

static void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link, (void)parent, (void)name;
	reply_err(req, EPERM);
}

/*
 * Files.
 */
static void open_reply(struct fuse_file_info *fi, struct open_file *f)
{
	fi->fh = (uintptr_t)f;
	fi->direct_io = 1; /* sizes are 0: the page cache would read nothing */
	/* Readers are not held up by closing, nor told that the mount has gone meanwhile. */
	fi->noflush = !file_wants_flush(f);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct node *node = nodes_get(fs->nodes, ino);
	struct report rp = REPORT_INIT(NULL, NULL);
	pid_t pid = fuse_req_ctx(req)->pid;
	struct open_file *f;
	int r;

	if (!node) {
		reply_err(req, ESTALE);
		return;
	}
	r = file_open(fs, node, fi->flags, pid, &rp, &f);
	if (r < 0) {
		reply_err(req, fs_fail(fs, node, NULL, pid, r, NULL, 0, &rp));
		node_put(fs->nodes, node);
		return;
	}
	open_reply(fi, f);
	/* An open that was interrupted meanwhile is not released by the kernel. */
	if (fuse_reply_open(req, fi) == -ENOENT)
		file_close_unused(f);
}

static int create(struct fs *fs, struct node *dir, const char *name, int flags, pid_t pid,
		  struct report *rp, struct fuse_entry_param *e, struct open_file **ret)
{
	struct call c = node_call(fs, dir, pid, rp);
	struct child child = {};
	struct node *node;
	int r;

	/* The name may have come since the kernel looked. */
	r = dir_find(&c, name, &child);
	if (r == 0 && (flags & O_EXCL))
		r = -EEXIST;
	else if (r == -ENOENT && c.entry->dir && c.entry->dir->create)
		r = c.entry->dir->create(&c, name, &child);
	else if (r == -ENOENT)
		r = report(rp, -EPERM,
			   "no files can be made here; objects are copied into load/ or run/");
	if (r < 0) {
		subject_deinit(&child.subject);
		return r;
	}
	r = enter_child(fs, dir, name, &child, e, &node);
	subject_deinit(&child.subject);
	if (r < 0)
		return r;
	r = file_open(fs, node, flags, pid, rp, ret);
	if (r < 0) {
		nodes_forget(fs->nodes, node->id, 1);
		node_put(fs->nodes, node);
	}
	return r;
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct node *dir = nodes_get(fs->nodes, parent);
	struct report rp = REPORT_INIT(NULL, NULL);
	pid_t pid = fuse_req_ctx(req)->pid;
	struct fuse_entry_param e;
	struct open_file *f;
	int r;

	(void)mode;
	if (!dir) {
		reply_err(req, ESTALE);
		return;
	}
	r = create(fs, dir, name, fi->flags, pid, &rp, &e, &f);
	if (r < 0)
		fs_fail(fs, dir, name, pid, r, NULL, 0, &rp);
	node_put(fs->nodes, dir);
	if (r < 0) {
		reply_err(req, r);
		return;
	}
	open_reply(fi, f);
	if (fuse_reply_create(req, &e, fi) == -ENOENT) {
		nodes_forget(fs->nodes, e.ino, 1);
		file_close_unused(f);
	}
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct fs *fs = fs_of(req);
	struct node *dir = nodes_get(fs->nodes, parent);
	struct report rp = REPORT_INIT(NULL, NULL);
	struct child child = {};
	struct fuse_entry_param e;
	int r = -ESTALE;

	(void)rdev;
	if (dir) {
		struct call c = node_call(fs, dir, fuse_req_ctx(req)->pid, &rp);

		r = S_ISREG(mode) && c.entry->dir && c.entry->dir->create
			    ? c.entry->dir->create(&c, name, &child)
			    : -EPERM;
		if (!r)
			r = enter_child(fs, dir, name, &child, &e, NULL);
		subject_deinit(&child.subject);
		node_put(fs->nodes, dir);
	}
	if (r < 0)
		reply_err(req, r);
	else
		fuse_reply_entry(req, &e);
}

static struct open_file *file_of(const struct fuse_file_info *fi)
{
	return (struct open_file *)(uintptr_t)fi->fh;
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	(void)ino;
	file_read(req, file_of(fi), size, off, fi->flags & O_NONBLOCK);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	(void)ino;
	file_write(req, file_of(fi), buf, size, off);
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	file_flush(req, file_of(fi));
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	file_release(req, file_of(fi));
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino, (void)datasync, (void)fi;
	fuse_reply_err(req, 0);
}

static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph)
{
	(void)ino;
	file_poll(req, file_of(fi), ph);
}

/* Offsets of generated files mean little; what asks for holes is told that there are none. */
static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
		     struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct node *node = nodes_get(fs->nodes, ino);
	struct stat st = {};

	(void)fi;
	if (node)
		entry_stat(fs, node->entry, &node->subject, &st);
	node_put(fs->nodes, node);
	if (off >= st.st_size)
		reply_err(req, ENXIO);
	else
		fuse_reply_lseek(req, whence == SEEK_HOLE ? st.st_size : off);
}

/*
 * Directories: names are listed once, at opendir.
 */
struct open_dir {
	struct node *node; /* held */
	struct listing list;
	struct open_dir *next, **at; /* in fs->dirs; protected by fs->lock */
};

static void dir_free(struct fs *fs, struct open_dir *d)
{
	pthread_mutex_lock(&fs->lock);
	if (d->at)
		*d->at = d->next;
	if (d->at && d->next)
		d->next->at = d->at;
	pthread_mutex_unlock(&fs->lock);
	listing_deinit(&d->list);
	node_put(fs->nodes, d->node);
	free(d);
}

void open_dirs_free(struct fs *fs)
{
	while (fs->dirs)
		dir_free(fs, fs->dirs);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct open_dir *d = calloc(1, sizeof(*d));
	struct report rp = REPORT_INIT(NULL, NULL);
	int r = d ? 0 : -ENOMEM;

	if (d) {
		d->node = nodes_get(fs->nodes, ino);
		r = d->node ? 0 : -ESTALE;
	}
	if (!r) {
		struct call c = node_call(fs, d->node, fuse_req_ctx(req)->pid, &rp);

		r = dir_list(&c, &d->list);
	}
	if (!r) {
		pthread_mutex_lock(&fs->lock);
		d->at = &fs->dirs;
		d->next = fs->dirs;
		if (d->next)
			d->next->at = &d->next;
		fs->dirs = d;
		pthread_mutex_unlock(&fs->lock);
		fi->fh = (uintptr_t)d;
		if (fuse_reply_open(req, fi) != -ENOENT)
			return;
	} else {
		reply_err(req, r);
	}
	if (d)
		dir_free(fs, d);
}

/* Entry @i of a directory: "." and ".." first. */
static const char *dir_name(const struct open_dir *d, size_t i, mode_t *type)
{
	*type = S_IFDIR;
	if (i < 2)
		return i ? ".." : ".";
	*type = d->list.names.data[i - 2].type;
	return d->list.names.data[i - 2].name;
}

static void read_dir(fuse_req_t req, struct open_dir *d, size_t size, off_t off, bool plus)
{
	struct fs *fs = fs_of(req);
	char *buf = malloc(size);
	size_t used = 0, n;

	if (!buf) {
		reply_err(req, ENOMEM);
		return;
	}
	for (size_t i = off; i < d->list.names.len + 2; i++) {
		struct fuse_entry_param e = {};
		const char *name = dir_name(d, i, &e.attr.st_mode);

		/* With nodeid 0 the kernel takes only name and type, and looks up later. */
		e.attr.st_ino = 2;
		if (plus && i >= 2 && lookup(fs, d->node, name, fuse_req_ctx(req)->pid, &e) < 0)
			continue; /* it went meanwhile */
		n = plus ? fuse_add_direntry_plus(req, buf + used, size - used, name, &e, i + 1)
			 : fuse_add_direntry(req, buf + used, size - used, name, &e.attr, i + 1);
		if (n > size - used) {
			if (e.ino)
				nodes_forget(fs->nodes, e.ino, 1);
			break;
		}
		used += n;
	}
	fuse_reply_buf(req, buf, used);
	free(buf);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	(void)ino;
	read_dir(req, (struct open_dir *)(uintptr_t)fi->fh, size, off, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			   struct fuse_file_info *fi)
{
	(void)ino;
	read_dir(req, (struct open_dir *)(uintptr_t)fi->fh, size, off, true);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct open_dir *d = (struct open_dir *)(uintptr_t)fi->fh;

	(void)ino;
	dir_free(fs_of(req), d);
	fuse_reply_err(req, 0);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255 };

	(void)ino;
	fuse_reply_statfs(req, &st);
}

static void op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct fs *fs = fs_of(req);
	struct node *node = nodes_get(fs->nodes, ino);
	int r = node ? 0 : ESTALE;

	/* Root may read and write all modes; what a row cannot do, nobody can. */
	if (node && (mask & W_OK) && node->entry->type != ENTRY_DIR && !(node->entry->mode & 0200))
		r = EACCES;
	node_put(fs->nodes, node);
	fuse_reply_err(req, r);
}

static void op_xattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	(void)ino, (void)name, (void)size;
	reply_err(req, EOPNOTSUPP);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	(void)ino;
	if (size)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_xattr(req, 0);
}

const struct fuse_lowlevel_ops fs_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.flush = op_flush,
	.release = op_release,
	.fsync = op_fsync,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.releasedir = op_releasedir,
	.statfs = op_statfs,
	.getxattr = op_xattr,
	.listxattr = op_listxattr,
	.access = op_access,
	.create = op_create,
	.poll = op_poll,
	.lseek = op_lseek,
};
