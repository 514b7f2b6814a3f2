/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "fs/entry.h"
#include "fs/fs.h"
#include "fs/instance.h"
#include "loader/image.h"

struct extent {
	uint64_t start, end;
};

struct image_file {
	struct fs *fs;
	struct upload *upload; /* of load/ or run/; NULL for an elf file */
	struct instance *inst; /* of an elf file */
	struct blob *old;      /* what a reader sees; NULL: nothing */
	pthread_mutex_t lock;
	/* protected by lock: */
	struct str bytes;	    /* what was written, holes as zeros */
	VEC(struct extent) written; /* sorted, apart from each other */
	bool dirty;		    /* written to since the last decision */
	bool begun;		    /* opened to write the first image; nothing has come yet */
	bool whole;		    /* began as a whole image, or became one */
	int failed;		    /* sticks until truncated */
};

struct upload *upload_ref(struct upload *u)
{
	if (u)
		__atomic_add_fetch(&u->refs, 1, __ATOMIC_RELAXED);
	return u;
}

void upload_unref(struct upload *u)
{
	if (!u || __atomic_sub_fetch(&u->refs, 1, __ATOMIC_ACQ_REL))
		return;
	instance_unref(u->inst);
	blob_unref(u->image);
	free(u->name);
	free(u);
}

static struct blob *current_image(struct fs *fs, const struct subject *self)
{
	struct blob *b = NULL;

	pthread_mutex_lock(&fs->lock);
	if (self->upload)
		b = blob_ref(self->upload->image);
	else if (self->inst)
		b = blob_ref(self->inst->image);
	pthread_mutex_unlock(&fs->lock);
	return b;
}

size_t image_size(struct fs *fs, const struct subject *self)
{
	size_t size = 0;

	pthread_mutex_lock(&fs->lock);
	if (self->upload)
		size = self->upload->growing ? self->upload->growing
		       : self->upload->image ? self->upload->image->len
					     : 0;
	else if (self->inst && self->inst->image)
		size = self->inst->image->len;
	pthread_mutex_unlock(&fs->lock);
	return size;
}

int image_file_open(struct fs *fs, const struct subject *self, int flags, struct report *rp,
		    struct image_file **ret)
{
	struct image_file *f = calloc(1, sizeof(*f));

	(void)rp;
	if (!f)
		return -ENOMEM;
	pthread_mutex_init(&f->lock, NULL);
	f->fs = fs;
	f->upload = upload_ref(self->upload);
	f->inst = self->upload ? NULL : instance_ref(self->inst);
	f->old = current_image(fs, self);
	f->begun = (flags & O_ACCMODE) != O_RDONLY && !f->old;
	if ((flags & O_ACCMODE) != O_RDONLY && !(flags & O_TRUNC) && f->old) {
		struct extent all = { 0, f->old->len };

		str_add_mem(&f->bytes, f->old->data, f->old->len);
		f->whole = true;
		if (str_error(&f->bytes) || vec_push(&f->written, all) < 0) {
			image_file_free(f);
			return -ENOMEM;
		}
	}
	*ret = f;
	return 0;
}

void image_file_free(struct image_file *f)
{
	if (!f)
		return;
	upload_unref(f->upload);
	instance_unref(f->inst);
	blob_unref(f->old);
	str_deinit(&f->bytes);
	vec_deinit(&f->written);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

size_t image_file_read(struct image_file *f, size_t size, uint64_t off, const void **ret)
{
	if (!f->old || off >= f->old->len)
		return 0;
	*ret = f->old->data + off;
	return MIN(size, (size_t)(f->old->len - off));
}

bool image_file_dirty(struct image_file *f)
{
	bool dirty;

	pthread_mutex_lock(&f->lock);
	dirty = f->dirty;
	pthread_mutex_unlock(&f->lock);
	return dirty;
}

static void set_growing(struct image_file *f, size_t size)
{
	if (!f->upload)
		return;
	pthread_mutex_lock(&f->fs->lock);
	f->upload->growing = size;
	pthread_mutex_unlock(&f->fs->lock);
}

/* Under f->lock. */
static int resize(struct image_file *f, uint64_t size)
{
	size_t more;

	if (size <= f->bytes.len) {
		str_truncate(&f->bytes, size);
		return 0;
	}
	more = size - f->bytes.len;
	if (!str_reserve(&f->bytes, more))
		return -ENOMEM;
	memset(f->bytes.data + f->bytes.len, 0, more + 1);
	f->bytes.len = size;
	return 0;
}

/* Under f->lock: [start, end) has been written. */
static int mark_written(struct image_file *f, uint64_t start, uint64_t end)
{
	size_t i = 0, j;

	while (i < f->written.len && f->written.data[i].end < start)
		i++;
	for (j = i; j < f->written.len && f->written.data[j].start <= end; j++) {
		start = MIN(start, f->written.data[j].start);
		end = MAX(end, f->written.data[j].end);
	}
	if (i == j) {
		if (vec_reserve(&f->written, 1) < 0)
			return -ENOMEM;
		memmove(&f->written.data[i + 1], &f->written.data[i],
			(f->written.len - i) * sizeof(struct extent));
		f->written.len++;
	} else {
		memmove(&f->written.data[i + 1], &f->written.data[j],
			(f->written.len - j) * sizeof(struct extent));
		f->written.len -= j - i - 1;
	}
	f->written.data[i] = (struct extent){ start, end };
	return 0;
}

/* Under f->lock: was everything before @end written? */
static bool covered(const struct image_file *f, uint64_t end)
{
	return f->written.len && f->written.data[0].start == 0 && f->written.data[0].end >= end;
}

int image_file_truncate(struct image_file *f, uint64_t size, struct report *rp)
{
	int r;

	if (size > UPLOAD_MAX)
		return report(rp, -EFBIG, "an image of over %d MiB", UPLOAD_MAX >> 20);
	pthread_mutex_lock(&f->lock);
	r = resize(f, size);
	f->failed = 0;
	f->whole = false;
	if (!size)
		f->dirty = false;
	while (f->written.len && f->written.data[f->written.len - 1].start >= size)
		f->written.len--;
	if (f->written.len && f->written.data[f->written.len - 1].end > size)
		f->written.data[f->written.len - 1].end = size;
	pthread_mutex_unlock(&f->lock);
	set_growing(f, size);
	return r;
}

/* What taking an image needs, on the strand of the instance that it becomes. */
struct take {
	struct image_file *f;
	struct blob *image;
	struct instance *old; /* the one that runs until then; NULL: none */
	pid_t pid;
	const bool *abandoned;
	struct report *rp;
};

static int take_open_load(struct instance *inst, void *arg)
{
	struct take *t = arg;
	int r = instance_open(inst, t->image, t->rp);

	if (!t->f->upload)
		return r;
	if (!r)
		r = instance_load(inst, t->rp);
	if (!r && t->f->upload->run)
		r = instance_attach_auto(inst, t->pid, t->abandoned, t->rp);
	if (!r && t->abandoned && __atomic_load_n(t->abandoned, __ATOMIC_ACQUIRE)) {
		instance_report_begin(inst, t->rp);
		r = report(t->rp, -EINTR, "the writer was interrupted, so this was undone");
		r = instance_report_end(inst, "load", t->rp, r);
	}
	return r;
}

static int do_unload(struct instance *inst, void *arg)
{
	(void)arg;
	instance_unload(inst);
	return 0;
}

/* In run/ an attach that fails undoes all; a file of load/ that fails to load has undone itself. */
static int do_fail(struct instance *inst, void *arg)
{
	(void)arg;
	instance_fail(inst);
	return 0;
}

/* The instance behind a file (counted), and its name (malloc'ed). NULL: the file is gone. */
static struct instance *current_instance(struct fs *fs, struct upload *u, char **ret_name,
					 bool *ret_fresh)
{
	struct instance *inst = NULL;

	pthread_mutex_lock(&fs->lock);
	if (u->in_table && u->inst) {
		inst = instance_ref(u->inst);
		*ret_name = strdup(inst->name);
		/* One that failed, or was never written, has nothing to keep running. */
		*ret_fresh = inst->state == INSTANCE_EMPTY || inst->state == INSTANCE_FAILED;
	}
	pthread_mutex_unlock(&fs->lock);
	return inst;
}

/*
 * Put @inst behind the file, whoever got there meanwhile: of two writers at once, the one that is
 * done last has the last word. Return: what was there (counted); NULL: the file is gone.
 */
static struct instance *replace_current(struct fs *fs, struct upload *u, struct instance *inst)
{
	struct instance *old = NULL, *tried = NULL, *out = NULL;

	do {
		instance_unref(tried);
		tried = old;
		pthread_mutex_lock(&fs->lock);
		old = u->in_table ? instance_ref(u->inst) : NULL;
		pthread_mutex_unlock(&fs->lock);
		if (old)
			out = instance_swap(fs, old, inst, u);
	} while (!out && old && old != tried);
	instance_unref(tried);
	instance_unref(old);
	return out;
}

/* The image of load/ or run/ for the first time, or again: make before break. */
static int take_upload(struct take *t)
{
	_cleanup_free_ char *name = NULL;
	struct upload *u = t->f->upload;
	struct fs *fs = t->f->fs;
	struct instance *inst, *out;
	bool fresh = false;
	int r = 0;

	t->old = current_instance(fs, u, &name, &fresh);
	if (!t->old)
		return report(t->rp, -ESTALE, "the file was removed while it was written");
	inst = name ? instance_new(fs, name) : NULL;
	if (!inst) {
		instance_unref(t->old);
		return -ENOMEM;
	}
	/* With nothing to break, the new one is seen while it loads. */
	if (fresh) {
		out = replace_current(fs, u, inst);
		if (!out)
			r = report(t->rp, -ESTALE,
				   "the object was removed while its image was written");
		/* Another writer may have been faster: then what it loaded goes. */
		else if (out != t->old)
			instance_call(out, do_unload, NULL);
		instance_unref(out);
		if (r < 0)
			goto out;
	}
	r = instance_call(inst, take_open_load, t);
	if (r < 0) {
		instance_call(inst, do_fail, NULL);
		if (!fresh)
			instance_note_failure(t->old, inst);
		goto out;
	}
	if (!fresh) {
		out = replace_current(fs, u, inst);
		/* Without a place it was unloaded meanwhile: so must this one be. */
		instance_call(out ? out : inst, do_unload, NULL);
		instance_unref(out);
	}
	pthread_mutex_lock(&fs->lock);
	if (u->inst == inst) {
		blob_unref(u->image);
		u->image = blob_ref(t->image);
		u->growing = 0;
	}
	pthread_mutex_unlock(&fs->lock);
out:
	instance_unref(inst);
	instance_unref(t->old);
	return r;
}

/* Under f->lock, which is given up meanwhile: the image is whole, make an object of it. */
static int take(struct image_file *f, pid_t pid, const bool *abandoned, struct report *rp)
{
	_cleanup_(blob_unrefp) struct blob *image = blob_new(f->bytes.data, f->bytes.len);
	struct take t = { .f = f, .image = image, .pid = pid, .abandoned = abandoned, .rp = rp };
	int r;

	if (!image)
		return -ENOMEM;
	f->dirty = false;
	f->whole = true;
	pthread_mutex_unlock(&f->lock);
	r = f->upload ? take_upload(&t) : instance_call(f->inst, take_open_load, &t);
	pthread_mutex_lock(&f->lock);
	/* Who was interrupted and not killed writes the same bytes again: that is another try. */
	if (r == -EINTR)
		f->whole = false;
	else if (r < 0)
		f->failed = r;
	return r;
}

static int failed_again(struct image_file *f, struct report *rp)
{
	return report(rp, f->failed,
		      "this image was refused already; status and log of the object say why");
}

/* Under f->lock: the bytes will never be an object. */
static void image_failed(struct image_file *f, const struct report *rp)
{
	struct instance *inst = instance_ref(f->inst);

	if (f->upload) {
		pthread_mutex_lock(&f->fs->lock);
		inst = instance_ref(f->upload->inst);
		pthread_mutex_unlock(&f->fs->lock);
	}
	if (inst)
		instance_set_failed(inst, rp);
	instance_unref(inst);
}

int image_file_write(struct image_file *f, const void *data, size_t len, uint64_t off, pid_t pid,
		     const bool *abandoned, struct report *rp)
{
	uint64_t end, extent;
	int r = 0;

	if (__builtin_add_overflow(off, len, &end) || end > UPLOAD_MAX)
		return report(rp, -EFBIG, "an image of over %d MiB", UPLOAD_MAX >> 20);
	if (!len)
		return 0;
	pthread_mutex_lock(&f->lock);
	if (f->failed)
		r = failed_again(f, rp);
	/* Writing what is there already changes nothing: some writers do it at the end. */
	else if (f->whole && end <= f->bytes.len && !memcmp(f->bytes.data + off, data, len))
		goto out;
	if (!r && end > f->bytes.len)
		r = resize(f, end);
	if (!r)
		r = mark_written(f, off, end);
	if (r < 0)
		goto out;
	memcpy(f->bytes.data + off, data, len);
	f->dirty = true;
	f->begun = false;
	/* A change of a whole image is decided about when it is closed. */
	if (f->whole)
		goto out;
	r = image_extent(f->bytes.data, f->bytes.len, &extent);
	if (r == -EAGAIN || (r == 0 && !covered(f, extent))) {
		r = 0;
	} else if (r == 0) {
		r = take(f, pid, abandoned, rp);
	} else if (covered(f, MIN((uint64_t)f->bytes.len, 16u))) {
		/* Only bytes that were written can convict it, not the zeros of a hole. */
		f->failed = r = report(rp, r, "this is no ELF file");
		f->dirty = false;
		image_failed(f, rp);
	} else {
		r = 0;
	}
out:
	end = f->bytes.len;
	pthread_mutex_unlock(&f->lock);
	if (f->upload && r == 0 && image_file_dirty(f))
		set_growing(f, end);
	return r;
}

/* Under f->lock: nothing more will come for now. */
static int decide(struct image_file *f, pid_t pid, const bool *abandoned, struct report *rp)
{
	uint64_t extent;
	int r;

	if (!f->dirty)
		return 0;
	if (f->failed)
		return failed_again(f, rp);
	r = image_extent(f->bytes.data, f->bytes.len, &extent);
	if (r == 0 && extent <= f->bytes.len)
		return take(f, pid, abandoned, rp);
	if (r == 0)
		return report(rp, -ENOEXEC, "the image is cut short: it has %zu of %llu bytes",
			      f->bytes.len, (unsigned long long)extent);
	if (r == -EAGAIN)
		return report(rp, -ENOEXEC,
			      "the image is cut short: no section header table in its %zu bytes",
			      f->bytes.len);
	return report(rp, r, "this is no ELF file");
}

int image_file_flush(struct image_file *f, pid_t pid, const bool *abandoned, struct report *rp)
{
	int r;

	pthread_mutex_lock(&f->lock);
	r = decide(f, pid, abandoned, rp);
	pthread_mutex_unlock(&f->lock);
	return r;
}

bool image_file_unsettled(struct image_file *f)
{
	bool ret;

	pthread_mutex_lock(&f->lock);
	ret = f->dirty || f->begun;
	pthread_mutex_unlock(&f->lock);
	return ret;
}

void image_file_release(struct image_file *f, pid_t pid)
{
	struct report rp = REPORT_INIT(NULL, NULL);

	pthread_mutex_lock(&f->lock);
	if (f->begun)
		report(&rp, -ENOEXEC, "the file is empty: copy a BPF object into it");
	if (f->begun || (f->dirty && decide(f, pid, NULL, &rp) < 0 && f->dirty))
		image_failed(f, &rp);
	f->begun = false;
	pthread_mutex_unlock(&f->lock);
	set_growing(f, 0);
}

/*
 * The directories load/ and run/.
 */
static struct upload *find_locked(struct fs *fs, bool run, const char *name)
{
	vec_for_each (u, &fs->uploads) {
		if ((*u)->run == run && !strcmp((*u)->name, name))
			return *u;
	}
	return NULL;
}

static void forget_locked(struct fs *fs, struct upload *u)
{
	for (size_t i = 0; i < fs->uploads.len; i++)
		if (fs->uploads.data[i] == u)
			fs->uploads.data[i] = fs->uploads.data[--fs->uploads.len];
	u->in_table = false;
}

void uploads_forget_instance(struct fs *fs, struct instance *inst)
{
	struct upload *gone = NULL;

	pthread_mutex_lock(&fs->lock);
	vec_for_each (u, &fs->uploads) {
		if ((*u)->inst == inst) {
			gone = *u;
			forget_locked(fs, gone);
			break;
		}
	}
	pthread_mutex_unlock(&fs->lock);
	upload_unref(gone);
}

static bool is_run(const struct call *c)
{
	return c->entry->dir == &upload_dir_run;
}

static int upload_find(struct call *c, const char *name, struct child *ret)
{
	struct upload *u;

	pthread_mutex_lock(&c->fs->lock);
	u = upload_ref(find_locked(c->fs, is_run(c), name));
	pthread_mutex_unlock(&c->fs->lock);
	if (!u)
		return -ENOENT;
	*ret = (struct child){ .entry = &upload_entry,
			       .subject = { .kind = SUBJECT_UPLOAD, .upload = u } };
	return 0;
}

static int upload_list(struct call *c, struct listing *l)
{
	pthread_mutex_lock(&c->fs->lock);
	vec_for_each (u, &c->fs->uploads) {
		if ((*u)->run == is_run(c))
			listing_add(l, (*u)->name, S_IFREG);
	}
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

/*
 * A temporary name, of a file that will be renamed: it begins with a dot (rsync, editors), or is
 * that of another file and some more (llvm-strip). If its object's name is taken by the file that
 * it is to replace, it loads under a name of its own until then.
 */
static bool is_temporary(const struct call *c, const char *name)
{
	bool ret = name[0] == '.';

	pthread_mutex_lock(&c->fs->lock);
	vec_for_each (u, &c->fs->uploads)
		ret = ret || ((*u)->run == is_run(c) && strchr((*u)->name, '.') &&
			      str_has_prefix(name, (*u)->name));
	pthread_mutex_unlock(&c->fs->lock);
	return ret;
}

static char *provisional_name(const char *file)
{
	_cleanup_free_ char *name = strdup(file + strspn(file, "."));

	for (char *p = name; p && *p; p++)
		if (*p == '.')
			*p = '_';
	return name ? instance_name_of(name) : NULL;
}

static int upload_create(struct call *c, const char *name, struct child *ret)
{
	_cleanup_free_ char *object = instance_name_of(name);
	struct upload *u = calloc(1, sizeof(*u));
	struct instance *inst = NULL;
	int r = -ENOMEM;

	if (!u || !object)
		goto fail;
	u->refs = 1; /* the table's */
	u->run = is_run(c);
	u->name = strdup(name);
	inst = instance_new(c->fs, object);
	if (!u->name || !inst)
		goto fail;
	r = instance_add(c->fs, inst);
	if (r == -EEXIST && is_temporary(c, name)) {
		instance_unref(inst);
		free(object);
		object = provisional_name(name);
		inst = object ? instance_new(c->fs, object) : NULL;
		r = inst ? instance_add(c->fs, inst) : -ENOMEM;
	}
	if (r == -EEXIST) {
		report(c->rp, r,
		       "there is an object '%s' already; rmdir objects/%s, or use another file "
		       "name",
		       object, object);
		goto fail;
	}
	if (r < 0)
		goto fail;
	u->inst = inst; /* keeps the reference */
	pthread_mutex_lock(&c->fs->lock);
	u->serial = ++c->fs->next_serial;
	r = vec_push(&c->fs->uploads, u);
	u->in_table = !r;
	pthread_mutex_unlock(&c->fs->lock);
	if (r < 0) {
		instance_drop(c->fs, inst);
		upload_unref(u);
		return r;
	}
	*ret = (struct child){ .entry = &upload_entry,
			       .subject = { .kind = SUBJECT_UPLOAD, .upload = upload_ref(u) } };
	return 0;
fail:
	instance_unref(inst);
	if (u)
		free(u->name);
	free(u);
	return r;
}

static int upload_unlink(struct call *c, const char *name)
{
	struct instance *inst = NULL;
	struct upload *u;

	pthread_mutex_lock(&c->fs->lock);
	u = find_locked(c->fs, is_run(c), name);
	if (u) {
		forget_locked(c->fs, u);
		inst = instance_ref(u->inst);
	}
	pthread_mutex_unlock(&c->fs->lock);
	if (!u)
		return -ENOENT;
	instance_call(inst, do_unload, NULL);
	instance_unref(inst);
	upload_unref(u);
	return 0;
}

static int upload_rename(struct call *c, const char *from, const char *to)
{
	_cleanup_free_ char *object = instance_name_of(to), *name = strdup(to);
	struct upload *u, *over;
	struct instance *out = NULL;
	int r = 0;

	if (!object || !name)
		return -ENOMEM;
	pthread_mutex_lock(&c->fs->lock);
	u = find_locked(c->fs, is_run(c), from);
	over = u ? find_locked(c->fs, is_run(c), to) : NULL;
	if (!u || over == u) {
		pthread_mutex_unlock(&c->fs->lock);
		return u ? 0 : -ENOENT;
	}
	if (over) {
		out = instance_ref(over->inst);
		out->in_table = false; /* its name is free for the new one from here on */
	}
	r = instance_rename_locked(c->fs, u->inst, object);
	if (r == 0) {
		char *old_name = u->name;

		u->name = take_ptr(name);
		name = old_name;
		if (over)
			forget_locked(c->fs, over);
	} else if (out) {
		out->in_table = true;
	}
	pthread_mutex_unlock(&c->fs->lock);
	if (r < 0) {
		instance_unref(out);
		return report(c->rp, r, "there is an object '%s' already", object);
	}
	if (out) {
		instance_call(out, do_unload, NULL);
		instance_unref(out);
		upload_unref(over);
	}
	return 0;
}

const struct dir upload_dir_load = { .find = upload_find,
				     .list = upload_list,
				     .create = upload_create,
				     .unlink = upload_unlink,
				     .rename = upload_rename };
const struct dir upload_dir_run = { .find = upload_find,
				    .list = upload_list,
				    .create = upload_create,
				    .unlink = upload_unlink,
				    .rename = upload_rename };
const struct entry upload_entry = { "", ENTRY_IMAGE, 0600 };
