/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/mark.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fs/entry.h"
#include "fs/fs.h"

struct marked {
	enum kobj_kind kind;
	uint32_t id;
	unsigned marks;
	char *record_type;
	VEC(char *) pins;
};

struct marks {
	VEC(struct marked) things;
};

static void marked_deinit(struct marked *m)
{
	vec_for_each (pin, &m->pins)
		free(*pin);
	vec_deinit(&m->pins);
	free(m->record_type);
}

/* Under fs->lock, as the other functions without a lock of their own. */
static struct marked *find(struct fs *fs, enum kobj_kind kind, uint32_t id)
{
	if (!fs->marks)
		return NULL;
	vec_for_each (m, &fs->marks->things)
		if (m->kind == kind && m->id == id)
			return m;
	return NULL;
}

static struct marked *find_or_add(struct fs *fs, enum kobj_kind kind, uint32_t id)
{
	struct marked *m = find(fs, kind, id);

	if (m)
		return m;
	if (!fs->marks)
		fs->marks = calloc(1, sizeof(*fs->marks));
	if (!fs->marks ||
	    vec_push(&fs->marks->things, (struct marked){ .kind = kind, .id = id }) < 0)
		return NULL;
	return &fs->marks->things.data[fs->marks->things.len - 1];
}

static void forget(struct fs *fs, enum kobj_kind kind, uint32_t id)
{
	struct marked *m;

	pthread_mutex_lock(&fs->lock);
	m = find(fs, kind, id);
	if (m) {
		marked_deinit(m);
		*m = fs->marks->things.data[--fs->marks->things.len];
	}
	pthread_mutex_unlock(&fs->lock);
}

/* Ids are given out again only after all others, but then a mark must not be there. */
static void sweep(struct fs *fs)
{
	for (size_t i = 0;; i++) {
		struct marked m = {};
		int fd;

		pthread_mutex_lock(&fs->lock);
		if (fs->marks && i < fs->marks->things.len)
			m = fs->marks->things.data[i];
		pthread_mutex_unlock(&fs->lock);
		if (!m.id)
			return;
		fd = kobj_fd_by_id(m.kind, m.id);
		if (fd >= 0)
			close(fd);
		if (fd != -ENOENT)
			continue;
		forget(fs, m.kind, m.id);
		i--;
	}
}

int mark_set(struct fs *fs, enum kobj_kind kind, uint32_t id, enum mark mark)
{
	struct marked *m;

	sweep(fs);
	pthread_mutex_lock(&fs->lock);
	m = find_or_add(fs, kind, id);
	if (m)
		m->marks |= mark;
	pthread_mutex_unlock(&fs->lock);
	return m ? 0 : -ENOMEM;
}

bool mark_has(struct fs *fs, enum kobj_kind kind, uint32_t id, enum mark mark)
{
	struct marked *m;
	bool has;

	pthread_mutex_lock(&fs->lock);
	m = find(fs, kind, id);
	has = m && (m->marks & mark);
	pthread_mutex_unlock(&fs->lock);
	return has;
}

int mark_set_record_type(struct fs *fs, uint32_t map_id, const char *text)
{
	char *copy = text && *text ? strdup(text) : NULL;
	struct marked *m;

	if (text && *text && !copy)
		return -ENOMEM;
	sweep(fs);
	pthread_mutex_lock(&fs->lock);
	m = find_or_add(fs, KOBJ_MAP, map_id);
	if (m) {
		free(m->record_type);
		m->record_type = take_ptr(copy);
	}
	pthread_mutex_unlock(&fs->lock);
	free(copy);
	return m ? 0 : -ENOMEM;
}

char *mark_record_type(struct fs *fs, uint32_t map_id)
{
	char *text = NULL;
	struct marked *m;

	pthread_mutex_lock(&fs->lock);
	m = find(fs, KOBJ_MAP, map_id);
	if (m && m->record_type)
		text = strdup(m->record_type);
	pthread_mutex_unlock(&fs->lock);
	return text;
}

int mark_add_pin(struct fs *fs, enum kobj_kind kind, uint32_t id, const char *path)
{
	char *copy = strdup(path);
	struct marked *m;
	int r = -ENOMEM;

	sweep(fs);
	pthread_mutex_lock(&fs->lock);
	m = copy ? find_or_add(fs, kind, id) : NULL;
	if (m)
		r = vec_push(&m->pins, copy);
	pthread_mutex_unlock(&fs->lock);
	if (r < 0)
		free(copy);
	return r;
}

char *mark_take_pin(struct fs *fs, enum kobj_kind kind, uint32_t id, const char *path)
{
	char *taken = NULL;
	struct marked *m;

	pthread_mutex_lock(&fs->lock);
	m = find(fs, kind, id);
	for (size_t i = m ? m->pins.len : 0; i-- > 0 && !taken;) {
		if (path && strcmp(m->pins.data[i], path))
			continue;
		taken = m->pins.data[i];
		m->pins.data[i] = m->pins.data[--m->pins.len];
	}
	pthread_mutex_unlock(&fs->lock);
	return taken;
}

void marks_free(struct fs *fs)
{
	if (!fs->marks)
		return;
	vec_for_each (m, &fs->marks->things)
		marked_deinit(m);
	vec_deinit(&fs->marks->things);
	free(take_ptr(fs->marks));
}

static enum kobj_kind kind_of(const struct subject *s)
{
	return s->kind == SUBJECT_PROG ? KOBJ_PROG : s->kind == SUBJECT_MAP ? KOBJ_MAP : KOBJ_LINK;
}

int mark_check_edit(struct call *c, const char *what)
{
	const struct subject *s = c->self;

	if (subject_is_ours(s) || mark_has(c->fs, kind_of(s), s->id, MARK_EDIT))
		return 0;
	return report(c->rp, -EPERM, "%s: %s %u is not ours: write 'edit' to its ctl first", what,
		      subject_kind_name(s->kind), s->id);
}

int mark_run(struct call *c, enum mark mark)
{
	/* There is nothing to allow for what is ours. */
	if (subject_is_ours(c->self))
		return 0;
	return mark_set(c->fs, kind_of(c->self), c->self->id, mark);
}
