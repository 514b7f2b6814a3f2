/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fs/error_log.h"
#include "fs/fs.h"
#include "fs/instance.h"
#include "fs/park.h"
#include "fs/reply.h"
#include "fs/stream.h"
#include "fs/upload.h"
#include "fs/window.h"

enum { LINE_MAX_BYTES = 16 << 20 };

struct open_file {
	unsigned refs; /* atomic: the kernel's handle and running jobs */
	struct fs *fs;
	struct open_file *next, **at; /* in fs->files; protected by fs->lock */
	struct node *node;	      /* held */
	bool reads, writes;
	pid_t opener;

	pthread_mutex_t lock;
	/* protected by lock: */
	bool rendered;
	struct str text;      /* of a text file */
	struct window window; /* of a cursor */
	void *cursor;
	bool cursor_done;

	struct stream *stream;	  /* locks itself */
	struct image_file *image; /* locks itself */
	struct strand strand;	  /* for files of no instance */
	struct str line;	  /* unfinished line; on the strand only */
	bool line_open;		  /* atomic: there is one */
};

static void enlist(struct open_file *f)
{
	pthread_mutex_lock(&f->fs->lock);
	f->at = &f->fs->files;
	f->next = f->fs->files;
	if (f->next)
		f->next->at = &f->next;
	f->fs->files = f;
	pthread_mutex_unlock(&f->fs->lock);
}

static void unlist(struct open_file *f)
{
	pthread_mutex_lock(&f->fs->lock);
	if (f->at)
		*f->at = f->next;
	if (f->at && f->next)
		f->next->at = f->at;
	pthread_mutex_unlock(&f->fs->lock);
}

static void file_unref(struct open_file *f)
{
	if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL))
		return;
	unlist(f);
	if (f->cursor && f->node)
		f->node->entry->cursor->close(f->cursor);
	if (f->stream)
		stream_close(f->stream);
	image_file_free(f->image);
	str_deinit(&f->text);
	window_drop(&f->window);
	str_deinit(&f->line);
	pthread_mutex_destroy(&f->lock);
	if (f->node)
		node_put(f->fs->nodes, f->node);
	free(f);
}

int fs_fail(struct fs *fs, const struct node *node, const char *name, pid_t pid, int err,
	    const char *written, size_t len, const struct report *rp)
{
	struct str path = {};

	if (err == -EINTR || err == -EAGAIN)
		return err;
	node_path(fs->nodes, node, &path);
	if (name)
		str_printf(&path, "%s%s", path.len > 1 ? "/" : "", name);
	error_log_add(fs->errors, pid, str_text(&path), err, written, len,
		      rp && rp->err ? rp->text : NULL);
	str_deinit(&path);
	return err;
}

static struct call file_call(struct open_file *f, pid_t pid, struct report *rp)
{
	return (struct call){
		.fs = f->fs,
		.self = &f->node->subject,
		.entry = f->node->entry,
		.rp = rp,
		.pid = pid,
		.depth = node_depth(f->node),
	};
}

/* A shell may still stand in what was an object: it should not be told that all is well. */
static int check_there(struct open_file *f, struct report *rp)
{
	struct instance *inst = f->node->subject.inst;
	int r = 0;

	if (!inst)
		return 0;
	pthread_mutex_lock(&f->fs->lock);
	if (inst->gone)
		r = report(rp, -ESTALE, "object '%s' was unloaded", inst->name);
	pthread_mutex_unlock(&f->fs->lock);
	return r;
}

static int render(struct open_file *f, pid_t pid, struct report *rp)
{
	struct call c = file_call(f, pid, rp);
	int r = check_there(f, rp);

	str_truncate(&f->text, 0);
	if (!r && f->node->entry->show)
		r = f->node->entry->show(&c, &f->text);
	if (!r && str_error(&f->text))
		r = -ENOMEM;
	f->rendered = !r;
	return r;
}

static int check_access(const struct entry *e, bool reads, bool writes, struct report *rp)
{
	if (writes && !(e->mode & 0200))
		return report(rp, -EACCES, "'%s' can only be read", e->name);
	if (reads && !(e->mode & 0400))
		return report(rp, -EACCES, "'%s' can only be written", e->name);
	return 0;
}

int file_open(struct fs *fs, struct node *node, int flags, pid_t pid, struct report *rp,
	      struct open_file **ret)
{
	const struct entry *e = node->entry;
	struct open_file *f;
	int r;

	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->refs = 1;
	f->fs = fs;
	f->opener = pid;
	f->reads = (flags & O_ACCMODE) != O_WRONLY;
	f->writes = (flags & O_ACCMODE) != O_RDONLY;
	pthread_mutex_init(&f->lock, NULL);
	strand_init(&f->strand);
	f->node = node;
	r = check_access(e, f->reads, f->writes, rp);
	if (!r && e->type == ENTRY_STREAM)
		r = stream_open(fs, &node->subject, e->format, pid, rp, &f->stream);
	else if (!r && e->type == ENTRY_IMAGE)
		r = image_file_open(fs, &node->subject, flags, rp, &f->image);
	else if (!r && e->type == ENTRY_CURSOR && f->reads) {
		struct call c = file_call(f, pid, rp);

		r = e->cursor->open(&c, &f->cursor);
	} else if (!r && e->type == ENTRY_TEXT && f->reads && !f->writes)
		r = render(f, pid, rp);
	if (r < 0) {
		f->node = NULL; /* stays the caller's */
		f->cursor = NULL;
		file_unref(f);
		return r;
	}
	enlist(f);
	*ret = f;
	return 0;
}

void files_free(struct fs *fs)
{
	while (fs->files) {
		fs->files->refs = 1;
		file_unref(fs->files);
	}
}

static void read_text(fuse_req_t req, struct open_file *f, size_t size, uint64_t off)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	int r = 0;

	pthread_mutex_lock(&f->lock);
	if (!f->rendered)
		r = render(f, fuse_req_ctx(req)->pid, &rp);
	if (r < 0)
		reply_err(req,
			  fs_fail(f->fs, f->node, NULL, fuse_req_ctx(req)->pid, r, NULL, 0, &rp));
	else if (off >= f->text.len)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, f->text.data + off, MIN(size, (size_t)(f->text.len - off)));
	pthread_mutex_unlock(&f->lock);
}

/* Under the lock: make the window begin where the next read is. 0 or -errno. */
static int cursor_turn(struct open_file *f, uint64_t off, size_t size, struct report *rp)
{
	const struct cursor_ops *ops = f->node->entry->cursor;
	struct str *out;
	int r;

	if (off == 0 && window_end(&f->window) != 0) {
		struct call c = file_call(f, f->opener, rp);

		ops->close(f->cursor);
		f->cursor = NULL;
		window_drop(&f->window);
		f->window.start = 0;
		f->cursor_done = false;
		r = ops->open(&c, &f->cursor);
		if (r < 0)
			return r;
	} else if (off != window_end(&f->window)) {
		return -ESPIPE;
	}
	if (f->cursor_done || !f->cursor)
		return 0;
	out = window_turn(&f->window);
	if (!out)
		return -ENOMEM;
	while (out->len < size && !f->cursor_done) {
		r = ops->fill(f->cursor, out, size - out->len, rp);
		if (r >= 0 && str_error(out))
			r = -ENOMEM;
		/* What came before the failure is still good; the next read meets it again. */
		if (r < 0)
			return out->len ? 0 : r;
		f->cursor_done = r == 0;
	}
	return 0;
}

static void read_cursor(fuse_req_t req, struct open_file *f, size_t size, uint64_t off)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	const char *at;
	size_t n;
	int r = 0;

	pthread_mutex_lock(&f->lock);
	at = window_at(&f->window, off, size, &n);
	if (!at) {
		r = cursor_turn(f, off, size, &rp);
		at = window_at(&f->window, off, size, &n);
	}
	if (r < 0)
		reply_err(req, r == -ESPIPE
				       ? r
				       : fs_fail(f->fs, f->node, NULL, f->opener, r, NULL, 0, &rp));
	else
		fuse_reply_buf(req, at, at ? n : 0);
	pthread_mutex_unlock(&f->lock);
}

void file_read(fuse_req_t req, struct open_file *f, size_t size, off_t off, bool nonblock)
{
	const void *data;
	size_t n;

	/* The reply is out before we are done: its reader may close the file meanwhile. */
	__atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
	switch (f->node->entry->type) {
	case ENTRY_STREAM:
		stream_read(f->stream, req, size, off, nonblock);
		break;
	case ENTRY_CURSOR:
		read_cursor(req, f, size, off);
		break;
	case ENTRY_IMAGE:
		n = image_file_read(f->image, size, off, &data);
		fuse_reply_buf(req, data, n);
		break;
	default:
		read_text(req, f, size, off);
	}
	file_unref(f);
}

/* A write, a flush or a release that runs on a worker. */
struct write_job {
	struct job job;
	struct open_file *f;
	struct parked *parked; /* NULL: nobody waits */
	enum { JOB_WRITE, JOB_FLUSH, JOB_RELEASE } what;
	pid_t pid;
	bool abandoned; /* atomic */
	off_t off;
	size_t size;
	char data[];
};

static struct write_job *write_job(struct job *job)
{
	return container_of(job, struct write_job, job);
}

static void job_interrupted(void *arg)
{
	struct write_job *job = arg;

	__atomic_store_n(&job->abandoned, true, __ATOMIC_RELEASE);
}

static int store_line(struct write_job *job, struct str *line, struct report *rp)
{
	struct call c = file_call(job->f, job->pid, rp);
	int r;

	c.abandoned = &job->abandoned;
	if (!line->len)
		return 0;
	if (str_error(line))
		return -ENOMEM;
	if (strlen(line->data) != line->len)
		return report(rp, -EINVAL, "a line with a NUL byte in it is no text");
	r = job->f->node->entry->store(&c, line->data);
	return r > 0 ? 0 : r;
}

/* On the strand: run all lines that end in the job's bytes. Bytes taken, or -errno and the line
 * that failed. */
static ssize_t store_lines(struct write_job *job, struct report *rp, struct str *bad)
{
	bool open_end = job->what == JOB_WRITE && job->size && job->size % 4096 == 0;
	const char *p = job->data, *end = p + job->size;
	struct str *line = &job->f->line;
	int r = 0;

	while (p < end || (job->what == JOB_FLUSH && line->len)) {
		const char *newline = p < end ? memchr(p, '\n', end - p) : NULL;
		const char *stop = newline ? newline : end;

		if (line->len + (stop - p) > LINE_MAX_BYTES)
			r = report(rp, -E2BIG, "a line of over %d bytes", LINE_MAX_BYTES);
		else
			str_add_mem(line, p, stop - p);
		if (!r && !newline && open_end)
			return job->size; /* the rest follows */
		if (!r)
			r = store_line(job, line, rp);
		if (r < 0)
			*bad = *line;
		else
			str_deinit(line);
		*line = (struct str){};
		if (r < 0)
			return p > job->data ? p - job->data : r;
		p = newline ? newline + 1 : end;
	}
	return job->size;
}

static ssize_t run_image(struct write_job *job, struct report *rp)
{
	struct image_file *image = job->f->image;
	int r;

	switch (job->what) {
	case JOB_WRITE:
		r = image_file_write(image, job->data, job->size, job->off, job->pid,
				     &job->abandoned, rp);
		return r < 0 ? r : (ssize_t)job->size;
	case JOB_FLUSH:
		return image_file_flush(image, job->pid, &job->abandoned, rp);
	default:
		image_file_release(image, job->pid);
		return 0;
	}
}

static void write_run(struct job *j)
{
	struct write_job *job = write_job(j);
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_str_ struct str bad = {};
	struct open_file *f = job->f;
	fuse_req_t req;
	ssize_t r;

	if (__atomic_load_n(&job->abandoned, __ATOMIC_ACQUIRE))
		r = -EINTR;
	else
		r = f->image ? run_image(job, &rp) : store_lines(job, &rp, &bad);
	__atomic_store_n(&f->line_open, f->line.len > 0, __ATOMIC_RELEASE);
	if (job->what == JOB_WRITE) {
		pthread_mutex_lock(&f->lock);
		f->rendered = false;
		pthread_mutex_unlock(&f->lock);
	}
	if (r < 0) {
		fs_fail(f->fs, f->node, NULL, job->pid, r, f->image ? NULL : str_text(&bad),
			bad.len, &rp);
		if (f->node->subject.inst && rp.err)
			instance_note_error(f->node->subject.inst, f->node->entry->name, &rp);
	}
	if (!job->parked)
		return;
	park_claim(job->parked);
	req = park_leave(take_ptr(job->parked));
	if (!req)
		return;
	if (r < 0)
		reply_err(req, r);
	else if (job->what == JOB_WRITE)
		fuse_reply_write(req, r);
	else
		fuse_reply_err(req, 0);
}

static void write_release(struct job *j)
{
	struct write_job *job = write_job(j);

	file_unref(job->f);
	free(job);
}

/* Queue a job on the strand of what the file is about. Answers @req itself on failure. */
static void file_submit(fuse_req_t req, struct open_file *f, int what, const char *data,
			size_t size, off_t off)
{
	const struct subject *self = &f->node->subject;
	struct write_job *job = calloc(1, sizeof(*job) + size + 1);
	int r;

	if (!job)
		goto fail;
	job->job.run = write_run;
	job->job.release = write_release;
	job->what = what;
	job->pid = fuse_req_ctx(req)->pid;
	job->f = f;
	job->off = off;
	job->size = size;
	if (size)
		memcpy(job->data, data, size);
	job->parked = park(req, job_interrupted, job);
	if (!job->parked)
		goto fail;
	__atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
	/*
	 * Armed first: once submitted, job and request may be gone at any moment. An
	 * interrupt that comes before finds a job that nobody runs yet, and marks it.
	 */
	park_arm(job->parked);
	/* An image goes to the instance that it will become, which upload.c knows. */
	r = worker_submit(f->fs->workers,
			  self->inst && !f->image ? &self->inst->strand : &f->strand, &job->job);
	if (r < 0) {
		if (park_claim(job->parked)) {
			park_leave(job->parked);
			reply_err(req, r);
		} else {
			park_leave(job->parked);
		}
		write_release(&job->job);
	}
	return;
fail:
	free(job);
	reply_err(req, -ENOMEM);
}

void file_write(fuse_req_t req, struct open_file *f, const char *data, size_t size, off_t off)
{
	file_submit(req, f, JOB_WRITE, data, size, off);
}

bool file_wants_flush(const struct open_file *f)
{
	return f->writes;
}

void file_flush(fuse_req_t req, struct open_file *f)
{
	/*
	 * Shells flush before they write, and a flush waits uninterruptibly: it goes to
	 * a worker only where something is left to do.
	 */
	if (f->image ? !image_file_dirty(f->image)
		     : !__atomic_load_n(&f->line_open, __ATOMIC_ACQUIRE))
		fuse_reply_err(req, 0);
	else
		file_submit(req, f, JOB_FLUSH, NULL, 0, 0);
}

void file_release(fuse_req_t req, struct open_file *f)
{
	/* The last word on an unfinished image; nobody waits for it. */
	if (f->image && image_file_unsettled(f->image)) {
		struct write_job *job = calloc(1, sizeof(*job) + 1);

		if (job) {
			job->job.run = write_run;
			job->job.release = write_release;
			job->what = JOB_RELEASE;
			job->pid = f->opener;
			job->f = f;
			__atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
			if (worker_submit(f->fs->workers, &f->strand, &job->job) < 0)
				write_release(&job->job);
		}
	}
	fuse_reply_err(req, 0);
	file_unref(f);
}

void file_close_unused(struct open_file *f)
{
	file_unref(f);
}

void file_poll(fuse_req_t req, struct open_file *f, struct fuse_pollhandle *ph)
{
	if (f->stream) {
		stream_poll(f->stream, req, ph);
		return;
	}
	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, (f->reads ? POLLIN | POLLRDNORM : 0) |
				     (f->writes ? POLLOUT | POLLWRNORM : 0));
}

int file_truncate(struct open_file *f, uint64_t size, struct report *rp)
{
	return f->image ? image_file_truncate(f->image, size, rp) : 0;
}
