/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/subject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "bpf/kmap.h"
#include "bpf/kobj.h"
#include "bpf/kprog.h"
#include "fs/fs.h"
#include "fs/instance.h"
#include "fs/upload.h"

void subject_copy(struct subject *to, const struct subject *from)
{
	*to = *from;
	if (to->inst)
		instance_ref(to->inst);
	if (to->link)
		link_ref(to->link);
	if (to->upload)
		upload_ref(to->upload);
}

void subject_deinit(struct subject *s)
{
	if (s->inst)
		instance_unref(s->inst);
	if (s->link)
		link_unref(s->link);
	if (s->upload)
		upload_unref(s->upload);
	*s = (struct subject){};
}

/*
 * What is ours is told apart by who it is in our tables, not by its id, which
 * comes with loading and goes with unloading.
 */
bool subject_same(const struct subject *a, const struct subject *b)
{
	if (a->kind != b->kind || a->inst != b->inst || a->link != b->link ||
	    a->upload != b->upload)
		return false;
	if (a->link || a->upload)
		return true;
	return a->inst ? a->index == b->index : a->id == b->id;
}

/* No seed: the number must be the same in every mount, as a hash of a process would not be. */
static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

uint64_t subject_hash(const struct subject *s)
{
	uint64_t h = mix(0x5bd1e995, s->kind);

	if (s->link)
		return mix(mix(h, 1), s->link->serial);
	if (s->upload)
		return mix(mix(h, 2), s->upload->serial);
	if (s->inst)
		return mix(mix(mix(h, 3), s->inst->serial), s->index);
	return mix(mix(h, 4), s->id);
}

/* Under fs->lock. */
static bool find_in_instance(struct instance *inst, struct subject *s)
{
	uint32_t n = !inst->parsed	       ? 0
		     : s->kind == SUBJECT_PROG ? inst->parsed->n_programs
					       : inst->parsed->n_maps;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t id = s->kind == SUBJECT_PROG ? (inst->progs ? inst->progs[i].id : 0)
						      : (inst->maps ? inst->maps[i].id : 0);

		if (id != s->id)
			continue;
		s->inst = instance_ref(inst);
		s->index = i;
		return true;
	}
	return false;
}

static void find_ours(struct fs *fs, enum subject_kind kind, uint32_t id, struct subject *ret)
{
	struct subject s = { .kind = kind, .id = id };

	pthread_mutex_lock(&fs->lock);
	for (size_t i = 0; id && i < fs->instances.len; i++)
		if (find_in_instance(fs->instances.data[i], &s))
			break;
	pthread_mutex_unlock(&fs->lock);
	*ret = s;
}

void subject_prog(struct fs *fs, uint32_t id, struct subject *ret)
{
	find_ours(fs, SUBJECT_PROG, id, ret);
}

void subject_map(struct fs *fs, uint32_t id, struct subject *ret)
{
	find_ours(fs, SUBJECT_MAP, id, ret);
}

void subject_of_link(struct link *l, struct subject *ret)
{
	*ret = (struct subject){
		.kind = SUBJECT_LINK,
		.id = l->id,
		.inst = l->inst ? instance_ref(l->inst) : NULL,
		.link = link_ref(l),
	};
}

void subject_link(struct fs *fs, uint32_t id, struct subject *ret)
{
	*ret = (struct subject){ .kind = SUBJECT_LINK, .id = id };
	pthread_mutex_lock(&fs->lock);
	vec_for_each (l, &fs->links) {
		if (id && (*l)->id == id) {
			subject_of_link(*l, ret);
			break;
		}
	}
	pthread_mutex_unlock(&fs->lock);
}

static enum kobj_kind kobj_kind_of(enum subject_kind kind)
{
	return kind == SUBJECT_PROG ? KOBJ_PROG : kind == SUBJECT_MAP ? KOBJ_MAP : KOBJ_LINK;
}

/* A map that was made read-only towards user space cannot be had otherwise. */
static int open_by_id(enum subject_kind kind, uint32_t id)
{
	int fd = kobj_fd_by_id(kobj_kind_of(kind), id);

	if (fd == -EPERM && kind == SUBJECT_MAP)
		fd = kobj_map_fd_by_id_rdonly(id);
	return fd;
}

int subject_find(struct fs *fs, enum subject_kind kind, uint32_t id, struct subject *ret)
{
	struct abi_link_info link = {};
	struct bpf_prog_info prog = {};
	struct bpf_map_info map = {};
	_cleanup_close_ int fd = open_by_id(kind, id);
	int r;

	if (fd < 0)
		return fd;
	r = kind == SUBJECT_PROG  ? kobj_info(fd, &prog, sizeof(prog))
	    : kind == SUBJECT_MAP ? kobj_info(fd, &map, sizeof(map))
				  : kobj_info(fd, &link, sizeof(link));
	if (r < 0)
		return r;
	if (kind == SUBJECT_PROG)
		subject_prog(fs, id, ret);
	else if (kind == SUBJECT_MAP)
		subject_map(fs, id, ret);
	else
		subject_link(fs, id, ret);
	/* One of the three was filled in. */
	ret->type = prog.type | map.type | link.type;
	return 0;
}

const char *subject_kind_name(enum subject_kind kind)
{
	static const char *const names[] = {
		[SUBJECT_NONE] = "file", [SUBJECT_OBJECT] = "object", [SUBJECT_PROG] = "program",
		[SUBJECT_MAP] = "map",	 [SUBJECT_LINK] = "link",     [SUBJECT_UPLOAD] = "upload",
	};

	return names[kind];
}

void subject_describe(struct fs *fs, const struct subject *s, char *ret, size_t size)
{
	const char *kind = subject_kind_name(s->kind);

	/* parsed never changes, a link's name neither; only the pointer needs the lock. */
	pthread_mutex_lock(&fs->lock);
	if (s->link)
		snprintf(ret, size, "%s '%s'", kind, s->link->name);
	else if (s->kind == SUBJECT_PROG && s->inst && s->inst->parsed)
		snprintf(ret, size, "%s '%s'", kind, s->inst->parsed->programs[s->index].name);
	else if (s->kind == SUBJECT_MAP && s->inst && s->inst->parsed)
		snprintf(ret, size, "%s '%s'", kind, s->inst->parsed->maps[s->index].name);
	else if (s->kind == SUBJECT_OBJECT && s->inst)
		snprintf(ret, size, "%s '%s'", kind, s->inst->name);
	else
		snprintf(ret, size, "%s %u", kind, s->id);
	pthread_mutex_unlock(&fs->lock);
}

uint32_t subject_id(struct fs *fs, const struct subject *s)
{
	uint32_t id = s->id;

	if (!subject_is_ours(s))
		return id;
	pthread_mutex_lock(&fs->lock);
	if (s->kind == SUBJECT_LINK)
		id = s->link && s->link->attachment ? s->link->id : 0;
	else if (s->kind == SUBJECT_PROG)
		id = s->inst->progs ? s->inst->progs[s->index].id : 0;
	else if (s->kind == SUBJECT_MAP)
		id = s->inst->maps ? s->inst->maps[s->index].id : 0;
	pthread_mutex_unlock(&fs->lock);
	return id;
}

static int report_no_id(struct fs *fs, const struct subject *s, const char *what, struct report *rp)
{
	bool gone, attached;

	pthread_mutex_lock(&fs->lock);
	gone = s->inst && s->inst->gone;
	attached = s->link && s->link->attachment;
	pthread_mutex_unlock(&fs->lock);
	if (gone)
		return report(rp, -ESTALE, "%s was unloaded", what);
	if (s->kind != SUBJECT_LINK)
		return report(rp, -ENOENT, "%s is not loaded", what);
	if (attached)
		return report(rp, -EOPNOTSUPP,
			      "%s is no bpf link but a perf event: the kernel tells nothing of it",
			      what);
	return report(rp, -ENOENT, "%s is detached", what);
}

int subject_open(struct fs *fs, const struct subject *s, struct report *rp)
{
	uint32_t id = subject_id(fs, s);
	char what[256];
	int fd;

	subject_describe(fs, s, what, sizeof(what));
	if (!id)
		return report_no_id(fs, s, what, rp);
	fd = open_by_id(s->kind, id);
	if (fd == -ENOENT)
		return report(rp, -ESTALE, "%s has vanished", what);
	if (fd < 0)
		return report(rp, fd, "cannot open %s: %s", what, strerror(-fd));
	return fd;
}
