/* SPDX-License-Identifier: BSD-2-Clause */
/* maps/ID/ and objects/X/maps/NAME/: maps. */
#include "fs/maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "bpf/kmap.h"
#include "bpf/kobj.h"
#include "bpf/names.h"
#include "fs/ctl.h"
#include "fs/fs.h"
#include "fs/hub.h"
#include "fs/info.h"
#include "fs/instance.h"
#include "fs/map_type.h"
#include "fs/mark.h"
#include "fs/pin.h"
#include "fs/record.h"
#include "fs/rows.h"
#include "loader/btf.h"

bool map_is_ours(struct fs *fs, uint32_t id)
{
	_cleanup_(subject_deinit) struct subject s = {};

	subject_map(fs, id, &s);
	return s.inst;
}

bool map_stolen(struct fs *fs, uint32_t id)
{
	return mark_has(fs, KOBJ_MAP, id, MARK_STEAL);
}

bool map_may_consume(struct fs *fs, const struct subject *self)
{
	return self->inst || map_stolen(fs, self->id) || map_is_ours(fs, self->id);
}

/* The configuration of a map of ours. Under fs->lock; NULL before the object is open. */
static struct map_config *cfg(const struct subject *self)
{
	return self->index < self->inst->cfg.n_maps ? &self->inst->cfg.maps[self->index] : NULL;
}

static const struct map_def *def(const struct subject *self)
{
	return &self->inst->parsed->maps[self->index];
}

/* Sizes and type of a map of ours, as they are or will be. Under fs->lock. */
static struct map_params params_of(const struct subject *self)
{
	const struct instance *inst = self->inst;

	if (inst->maps && inst->maps[self->index].id)
		return inst->maps[self->index].params;
	return cfg(self) ? cfg(self)->params : def(self)->params;
}

uint32_t map_subject_type(struct fs *fs, const struct subject *self)
{
	uint32_t type = self->type;

	if (!self->inst)
		return type;
	pthread_mutex_lock(&fs->lock);
	type = params_of(self).type;
	pthread_mutex_unlock(&fs->lock);
	return type;
}

static bool is_ring(struct fs *fs, const struct subject *self)
{
	return map_subject_type(fs, self) == BPF_MAP_TYPE_RINGBUF;
}

static bool is_dumpable(struct fs *fs, const struct subject *self)
{
	return map_dumpable(map_subject_type(fs, self));
}

char *map_record_type(struct fs *fs, const struct subject *self)
{
	char *text = NULL;

	if (!self->inst)
		return mark_record_type(fs, self->id);
	pthread_mutex_lock(&fs->lock);
	if (self->inst->maps && self->inst->maps[self->index].record_type)
		text = strdup(self->inst->maps[self->index].record_type);
	pthread_mutex_unlock(&fs->lock);
	return text;
}

static int show_name(struct call *c, struct str *out)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info;

	if (c->self->inst) {
		show_line(out, "%s", def(c->self)->name);
		return 0;
	}
	fd = subject_open(c->fs, c->self, c->rp);
	if (fd < 0)
		return fd;
	if (kmap_info(fd, &info) == 0)
		show_line(out, "%s", info.name);
	return 0;
}

/* One number of struct map_params: the row says which. */
enum param {
	PARAM_TYPE,
	PARAM_KEY,
	PARAM_VALUE,
	PARAM_ENTRIES,
	PARAM_FLAGS,
	PARAM_NUMA,
	PARAM_IFINDEX
};

static uint32_t *param(struct map_params *p, enum param which)
{
	switch (which) {
	case PARAM_TYPE:
		return &p->type;
	case PARAM_KEY:
		return &p->key_size;
	case PARAM_VALUE:
		return &p->value_size;
	case PARAM_ENTRIES:
		return &p->max_entries;
	case PARAM_FLAGS:
		return &p->flags;
	case PARAM_NUMA:
		return &p->numa_node;
	case PARAM_IFINDEX:
		return &p->ifindex;
	}
	abort();
}

static int get_params(struct call *c, struct map_params *ret)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info;
	int r;

	if (c->self->inst) {
		pthread_mutex_lock(&c->fs->lock);
		*ret = params_of(c->self);
		pthread_mutex_unlock(&c->fs->lock);
		return 0;
	}
	fd = subject_open(c->fs, c->self, c->rp);
	if (fd < 0)
		return fd;
	r = kmap_info(fd, &info);
	if (r < 0)
		return report(c->rp, r, "map %u: no information: %s", c->self->id, strerror(-r));
	*ret = (struct map_params){
		.type = info.type,
		.key_size = info.key_size,
		.value_size = info.value_size,
		.max_entries = info.max_entries,
		.flags = info.map_flags,
		.ifindex = info.ifindex,
		.extra = info.map_extra,
	};
	return 0;
}

static int show_type(struct call *c, struct str *out)
{
	struct map_params p;
	int r = get_params(c, &p);
	const char *name;

	if (r < 0)
		return r;
	name = map_type_name(p.type);
	if (name)
		show_line(out, "%s", name);
	else
		show_line(out, "%u", p.type);
	return 0;
}

static int store_type(struct call *c, const char *line)
{
	int type = map_type_parse(line), r = setting_begin(c);

	if (r < 0)
		return r;
	if (type >= 0)
		cfg(c->self)->params.type = type;
	setting_end(c);
	if (type < 0)
		return report(c->rp, -EINVAL,
			      "there is no map type '%.100s'; types are like hash, lru_hash, "
			      "percpu_array, ringbuf",
			      line);
	return 0;
}

static int show_param(struct call *c, struct str *out)
{
	struct map_params p;
	int r = get_params(c, &p);

	if (r < 0)
		return r;
	show_line(out, c->entry->arg == PARAM_FLAGS ? "0x%x" : "%u", *param(&p, c->entry->arg));
	return 0;
}

static int store_param(struct call *c, const char *line)
{
	uint32_t v;
	int r = setting_u32(c, line, &v);

	if (!r)
		r = setting_begin(c);
	if (r < 0)
		return r;
	if (def(c->self)->data != DATA_NONE && c->entry->arg != PARAM_FLAGS &&
	    c->entry->arg != PARAM_NUMA) {
		setting_end(c);
		return report(c->rp, -EOPNOTSUPP,
			      "'%s' holds variables, and they say what its %s is",
			      def(c->self)->name, c->entry->name);
	}
	*param(&cfg(c->self)->params, c->entry->arg) = v;
	setting_end(c);
	return 0;
}

static int show_extra(struct call *c, struct str *out)
{
	struct map_params p;
	int r = get_params(c, &p);

	if (r < 0)
		return r;
	show_line(out, "0x%llx", (unsigned long long)p.extra);
	return 0;
}

static int store_extra(struct call *c, const char *line)
{
	uint64_t v;
	int r = setting_u64(c, line, &v);

	if (!r)
		r = setting_begin(c);
	if (r < 0)
		return r;
	cfg(c->self)->params.extra = v;
	setting_end(c);
	return 0;
}

static int show_frozen(struct call *c, struct str *out)
{
	_cleanup_close_ int fd = -1;
	uint64_t frozen = 0;

	if (!subject_is_ours(c->self) || subject_id(c->fs, c->self)) {
		fd = subject_open(c->fs, c->self, c->rp);
		if (fd < 0)
			return fd;
		/* Kernels before 5.2 freeze nothing and do not tell. */
		kobj_fdinfo(fd, "frozen", &frozen);
	}
	show_line(out, "%d", frozen != 0);
	return 0;
}

static int show_autocreate(struct call *c, struct str *out)
{
	pthread_mutex_lock(&c->fs->lock);
	show_line(out, "%d", cfg(c->self) && cfg(c->self)->autocreate);
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int store_autocreate(struct call *c, const char *line)
{
	bool v;
	int r = setting_bool(c, line, &v);

	if (!r)
		r = setting_begin(c);
	if (r < 0)
		return r;
	cfg(c->self)->autocreate = v;
	setting_end(c);
	return 0;
}

static int show_pin_path(struct call *c, struct str *out)
{
	pthread_mutex_lock(&c->fs->lock);
	show_line(out, "%s", cfg(c->self) && cfg(c->self)->pin_path ? cfg(c->self)->pin_path : "");
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int store_pin_path(struct call *c, const char *line)
{
	bool none = !strcmp(line, "none");
	char *copy = NULL;
	int r;

	if (!none && *line != '/')
		return report(c->rp, -EINVAL,
			      "pin_path '%.200s' is no absolute path; 'none' is no pin", line);
	if (!none) {
		copy = strdup(line);
		if (!copy)
			return -ENOMEM;
	}
	r = setting_begin(c);
	if (r < 0) {
		free(copy);
		return r;
	}
	free(cfg(c->self)->pin_path);
	cfg(c->self)->pin_path = copy;
	setting_end(c);
	return 0;
}

static int show_record_type(struct call *c, struct str *out)
{
	_cleanup_(map_type_deinit) struct map_type t = {};
	_cleanup_free_ char *text = map_record_type(c->fs, c->self);
	_cleanup_(value_format_freep) struct value_format *f = NULL;
	int r;

	if (text) {
		show_line(out, "%s", text);
		return 0;
	}
	/* Nothing was written: what the object declares. */
	r = map_type_get(c->fs, c->self, NULL, &t);
	if (r < 0)
		return r;
	if (t.record && value_compile(t.btf, t.record, NULL, &f) == 0)
		show_line(out, "%s", value_format_name(f));
	else
		show_line(out, "%s", "");
	return 0;
}

static int store_record_type(struct call *c, const char *line)
{
	_cleanup_(map_type_deinit) struct map_type t = {};
	struct instance *inst = c->self->inst;
	bool none = !strcmp(line, "none");
	char *copy = NULL, *old;
	int r;

	if (!none) {
		r = map_type_get(c->fs, c->self, NULL, &t);
		if (r < 0)
			return r;
		if (!t.btf)
			return report(c->rp, -EOPNOTSUPP,
				      "record_type: nothing is known of the types of map %u",
				      c->self->id);
		r = record_types_check(t.btf, line, c->rp);
		if (r < 0)
			return r;
	}
	if (!inst)
		return mark_set_record_type(c->fs, c->self->id, none ? NULL : line);
	if (!none) {
		copy = strdup(line);
		if (!copy)
			return -ENOMEM;
	}
	/* May be written at any time: streams that are opened later use it. */
	pthread_mutex_lock(&c->fs->lock);
	old = inst->maps ? inst->maps[c->self->index].record_type : copy;
	if (inst->maps)
		inst->maps[c->self->index].record_type = copy;
	pthread_mutex_unlock(&c->fs->lock);
	free(old);
	return 0;
}

static int show_ring(struct call *c, struct str *out)
{
	return hub_show(c->fs, c->self, out, c->rp);
}

static int run_freeze(struct call *c, const char *arg)
{
	_cleanup_close_ int fd = -1;
	uint64_t frozen = 0;
	int r = mark_check_edit(c, "freeze");

	(void)arg;
	if (r < 0)
		return r;
	fd = subject_open(c->fs, c->self, c->rp);
	if (fd < 0)
		return fd;
	r = kmap_freeze(fd);
	/* A frozen one can be opened for reading only, and that descriptor freezes nothing. */
	if (r == -EPERM && kobj_fdinfo(fd, "frozen", &frozen) == 0 && frozen)
		r = -EBUSY;
	if (r == -EBUSY)
		return report(c->rp, r,
			      "the map is frozen already, or somebody has it mapped writable");
	if (r < 0)
		return report(c->rp, r, "cannot freeze the map: %s", strerror(-r));
	return 0;
}

static int run_edit(struct call *c, const char *arg)
{
	(void)arg;
	return mark_run(c, MARK_EDIT);
}

static int run_steal(struct call *c, const char *arg)
{
	(void)arg;
	if (!is_ring(c->fs, c->self))
		return report(c->rp, -EINVAL,
			      "the map is no ring buffer: there is nothing to consume");
	return mark_run(c, MARK_STEAL);
}

static const struct verb verbs[] = {
	{ "pin", "PATH", "give the map a name in a bpffs, so that it outlives us", pin_run },
	{ "unpin", "[PATH]", "take that name away; without PATH the last one given here",
	  unpin_run },
	{ "freeze", NULL, "no more changes from user space, for ever", run_freeze },
	{ "clear", NULL, "delete all elements; arrays: set them to zero", map_clear },
	{ "edit", NULL, "allow changes of a map that is not ours", run_edit },
	{ "steal", NULL, "allow streams to consume a ring that is not ours", run_steal },
	{}
};

static int show_ctl(struct call *c, struct str *out)
{
	(void)c;
	return ctl_show(verbs, out);
}

static int store_ctl(struct call *c, const char *line)
{
	return ctl_run(c, verbs, line);
}

/* stream/: symlinks to where reading blocks. */
static int show_stream_link(struct call *c, struct str *out)
{
	uint32_t id = subject_id(c->fs, c->self);
	char target[64];

	snprintf(target, sizeof(target), ".live/maps/%u/%s", id, c->entry->name);
	row_add_target(c, target, out);
	return 0;
}

/* Nothing streams before there is a map. */
static bool is_created(struct fs *fs, const struct subject *self)
{
	return subject_id(fs, self);
}

static const struct entry stream_entries[] = {
	{ "text", ENTRY_SYMLINK, 0777, .show = show_stream_link, .present = is_created,
	  .help = "records for people, a line each" },
	{ "json", ENTRY_SYMLINK, 0777, .show = show_stream_link, .present = is_created,
	  .help = "records as JSON, an object a line" },
	{ "raw", ENTRY_SYMLINK, 0777, .show = show_stream_link, .present = is_created,
	  .help = "the bytes of the records and nothing else" },
	{ "frames", ENTRY_SYMLINK, 0777, .show = show_stream_link, .present = is_created,
	  .help = "the bytes, each record after its length in 4 bytes" },
	{}
};
const struct dir map_stream_dir = { .entries = stream_entries };

static const struct entry map_entries[] = {
	{ "info", ENTRY_TEXT, 0444, .show = info_show, .help = "what the kernel tells of it" },
	{ "info.json", ENTRY_TEXT, 0444, .show = info_show, .arg = 1,
	  .help = "the same as bpftool -j map show prints it" },
	{ "id", ENTRY_TEXT, 0444, .show = row_show_id, .help = "in the kernel; 0 before creation" },
	{ "name", ENTRY_TEXT, 0444, .show = show_name,
	  .help = "in the source; of foreign maps at most 15 characters of it" },
	{ "type", ENTRY_TEXT, 0644, .show = show_type, .store = store_type,
	  .help = "map type; written before load" },
	{ "key_size", ENTRY_TEXT, 0644, .show = show_param, .store = store_param, .arg = PARAM_KEY,
	  .help = "bytes; written before load" },
	{ "value_size", ENTRY_TEXT, 0644, .show = show_param, .store = store_param,
	  .arg = PARAM_VALUE, .help = "bytes; written before load" },
	{ "max_entries", ENTRY_TEXT, 0644, .show = show_param, .store = store_param,
	  .arg = PARAM_ENTRIES, .help = "written before load; of rings the size in bytes" },
	{ "flags", ENTRY_TEXT, 0644, .show = show_param, .store = store_param, .arg = PARAM_FLAGS,
	  .help = "BPF_F_* of the kernel as a number; written before load" },
	{ "map_extra", ENTRY_TEXT, 0644, .show = show_extra, .store = store_extra,
	  .help = "what only some types have; written before load" },
	{ "numa_node", ENTRY_TEXT, 0644, .show = show_param, .store = store_param,
	  .arg = PARAM_NUMA, .present = row_is_ours,
	  .help = "where its memory is; written before load" },
	{ "ifindex", ENTRY_TEXT, 0644, .show = show_param, .store = store_param,
	  .arg = PARAM_IFINDEX,
	  .help = "of the device that it is offloaded to; written before load" },
	{ "autocreate", ENTRY_TEXT, 0644, .show = show_autocreate, .store = store_autocreate,
	  .present = row_is_ours, .help = "0|1: does load make it; written before load" },
	{ "pin_path", ENTRY_TEXT, 0644, .show = show_pin_path, .store = store_pin_path,
	  .present = row_is_ours,
	  .help = "load takes what is pinned there, or makes and pins it; 'none'; written before "
		  "load" },
	{ "frozen", ENTRY_TEXT, 0444, .show = show_frozen,
	  .help = "0|1: can user space not change it any more" },
	{ "ctl", ENTRY_TEXT, 0644, .show = show_ctl, .store = store_ctl,
	  .help = "verbs: pin, unpin, freeze, clear, edit, steal" },
	{ "dump", ENTRY_CURSOR, 0444, .cursor = &map_dump_cursor, .arg = MAP_DUMP_TEXT,
	  .present = is_dumpable, .help = "all elements, KEY: VALUE a line" },
	{ "dump.json", ENTRY_CURSOR, 0444, .cursor = &map_dump_cursor, .arg = MAP_DUMP_JSON,
	  .present = is_dumpable, .help = "all elements as one JSON array, an element a line" },
	{ "dump.bin", ENTRY_CURSOR, 0444, .cursor = &map_dump_cursor, .arg = MAP_DUMP_RAW,
	  .present = is_dumpable,
	  .help = "bytes of key and value of each element (of all CPUs, each rounded up to 8)" },
	{ "record_type", ENTRY_TEXT, 0644, .show = show_record_type, .store = store_record_type,
	  .present = is_ring,
	  .help = "C type of the records: 'struct event', or by size 'struct a 16; struct b 64'; "
		  "'none': as the object says" },
	{ "ring", ENTRY_TEXT, 0444, .show = show_ring, .present = is_ring,
	  .help = "size, positions and readers of the ring" },
	{ "stream", ENTRY_DIR, 0755, .dir = &map_stream_dir, .present = is_ring,
	  .help = "symlinks to its records as they come" },
	{ "pids", ENTRY_TEXT, 0444, .show = row_show_pids,
	  .help = "pid and command of each process that holds it" },
	{ "object", ENTRY_SYMLINK, 0777, .show = row_show_object, .present = row_is_ours,
	  .help = "to the object that it belongs to" },
	{}
};

const struct dir map_dir = { .entries = map_entries };
const struct entry map_entry = { "", ENTRY_DIR, 0755, .dir = &map_dir };

static int find_map(struct call *c, const char *name, struct child *ret)
{
	return row_find_id(c, name, SUBJECT_MAP, &map_entry, ret);
}

static int list_maps(struct call *c, struct listing *l)
{
	return row_list_ids(c, l, SUBJECT_MAP);
}

static const struct entry maps_entries[] = {
	{ "list.json", ENTRY_CURSOR, 0444, .cursor = &info_list_cursor, .arg = SUBJECT_MAP,
	  .help = "all maps, as bpftool -j map show prints them" },
	{}
};

const struct dir maps_dir = { .entries = maps_entries, .find = find_map, .list = list_maps };

static int find_own(struct call *c, const char *name, struct child *ret)
{
	const struct object *obj = row_object(c->fs, c->self->inst);
	uint32_t i = obj ? object_find_map(obj, name) : OBJECT_NO_INDEX;

	if (i == OBJECT_NO_INDEX)
		return -ENOENT;
	ret->entry = &map_entry;
	ret->subject = (struct subject){
		.kind = SUBJECT_MAP,
		.inst = instance_ref(c->self->inst),
		.index = i,
	};
	ret->subject.id = subject_id(c->fs, &ret->subject);
	return 0;
}

static int list_own(struct call *c, struct listing *l)
{
	const struct object *obj = row_object(c->fs, c->self->inst);

	for (uint32_t i = 0; obj && i < obj->n_maps; i++) {
		const struct map_def *m = &obj->maps[i];
		const char *name = m->data == DATA_NONE ? m->name : m->kernel_name;

		/* Cut names of two data sections may be equal: then their own. */
		if (object_find_map(obj, name) != i)
			name = m->name;
		if (row_name_fits(name) && object_find_map(obj, name) == i)
			listing_add(l, name, S_IFDIR);
	}
	return 0;
}

const struct dir instance_maps_dir = { .find = find_own, .list = list_own };
