/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "fs/fs.h"
#include "fs/instance.h"
#include "fs/pids.h"

bool row_is_ours(struct fs *fs, const struct subject *self)
{
	(void)fs;
	return self->inst;
}

int row_show_id(struct call *c, struct str *out)
{
	show_line(out, "%u", subject_id(c->fs, c->self));
	return 0;
}

static enum kobj_kind kobj_kind_of(enum subject_kind kind)
{
	return kind == SUBJECT_PROG ? KOBJ_PROG : kind == SUBJECT_MAP ? KOBJ_MAP : KOBJ_LINK;
}

int row_show_pids(struct call *c, struct str *out)
{
	_cleanup_(holders_deinit) struct holders holders = {};
	uint32_t id = subject_id(c->fs, c->self);
	int r = id ? holders_scan(c->fs, kobj_kind_of(c->self->kind), id, &holders) : 0;

	vec_for_each (h, &holders.list)
		show_line(out, "%d %s", (int)h->pid, h->comm);
	return r;
}

void row_add_target(const struct call *c, const char *target, struct str *out)
{
	for (unsigned i = 0; i < c->depth; i++)
		str_add(out, "../");
	str_add(out, target);
}

int row_show_object(struct call *c, struct str *out)
{
	char target[300] = "";

	pthread_mutex_lock(&c->fs->lock);
	if (c->self->inst)
		snprintf(target, sizeof(target), "objects/%s", c->self->inst->name);
	pthread_mutex_unlock(&c->fs->lock);
	if (!*target)
		return -ENOENT;
	row_add_target(c, target, out);
	return 0;
}

int row_show_thing(struct call *c, struct str *out)
{
	char target[32];

	snprintf(target, sizeof(target), "%ss/%u",
		 c->self->kind == SUBJECT_PROG ? "prog" : subject_kind_name(c->self->kind),
		 c->self->id);
	row_add_target(c, target, out);
	return 0;
}

const struct object *row_object(struct fs *fs, const struct instance *inst)
{
	const struct object *obj;

	pthread_mutex_lock(&fs->lock);
	obj = inst->parsed;
	pthread_mutex_unlock(&fs->lock);
	return obj;
}

bool row_name_fits(const char *name)
{
	return *name && strcmp(name, ".") && strcmp(name, "..") && !strchr(name, '/') &&
	       strlen(name) <= 255;
}

int row_list_ids(struct call *c, struct listing *l, enum subject_kind kind)
{
	uint32_t id = 0;
	char name[16];
	int r;

	while ((r = kobj_next_id(kobj_kind_of(kind), id, &id)) == 0) {
		snprintf(name, sizeof(name), "%u", id);
		listing_add(l, name, S_IFDIR);
	}
	if (r != -ENOENT)
		return report(c->rp, r, "cannot list %ss: %s", subject_kind_name(kind),
			      strerror(-r));
	return 0;
}

int row_find_id(struct call *c, const char *name, enum subject_kind kind, const struct entry *entry,
		struct child *ret)
{
	uint32_t id = entry_id(name);
	int r = id ? subject_find(c->fs, kind, id, &ret->subject) : -ENOENT;

	if (r < 0)
		return r;
	ret->entry = entry;
	return 0;
}

int setting_begin(struct call *c)
{
	const struct subject *s = c->self;
	const char *name = c->entry->name;
	int r = 0;

	if (!s->inst)
		return report(c->rp, -EPERM, "%s of %s %u is as it was loaded, and not by us", name,
			      subject_kind_name(s->kind), s->id);
	pthread_mutex_lock(&c->fs->lock);
	if (s->inst->gone)
		r = report(c->rp, -ESTALE, "object '%s' was unloaded", s->inst->name);
	else if (s->inst->state != INSTANCE_OPEN)
		r = report(c->rp, -EBUSY, "%s can be set before load only; object '%s' is %s", name,
			   s->inst->name, instance_state_name(s->inst->state));
	if (r < 0)
		pthread_mutex_unlock(&c->fs->lock);
	return r;
}

void setting_end(struct call *c)
{
	pthread_mutex_unlock(&c->fs->lock);
}

int setting_u64(struct call *c, const char *line, uint64_t *ret)
{
	int r = parse_u64(line, ret);

	if (r == -ERANGE)
		return report(c->rp, r, "%s: '%.100s' is out of range", c->entry->name, line);
	if (r < 0)
		return report(c->rp, r, "%s: '%.100s' is no number", c->entry->name, line);
	return 0;
}

int setting_u32(struct call *c, const char *line, uint32_t *ret)
{
	uint64_t v;
	int r = setting_u64(c, line, &v);

	if (r < 0)
		return r;
	if (v > UINT32_MAX)
		return report(c->rp, -ERANGE, "%s: '%.100s' does not fit into 32 bits",
			      c->entry->name, line);
	*ret = v;
	return 0;
}

int setting_bool(struct call *c, const char *line, bool *ret)
{
	if (!strcmp(line, "0") || !strcmp(line, "1")) {
		*ret = *line == '1';
		return 0;
	}
	return report(c->rp, -EINVAL, "%s is 0 or 1, not '%.100s'", c->entry->name, line);
}
