/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/info.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "bpf/kbtf.h"
#include "bpf/kmap.h"
#include "bpf/kobj.h"
#include "bpf/kprog.h"
#include "bpf/names.h"
#include "fs/fs.h"
#include "fs/instance.h"
#include "loader/btf.h"

static void field(struct info *i, const char *name)
{
	if (i->json) {
		if (i->comma)
			str_add_char(i->out, ',');
		str_printf(i->out, "\"%s\":", name);
		i->comma = true;
	} else if (i->in_item) {
		str_printf(i->out, " %s=", name);
	} else {
		str_printf(i->out, "%s: ", name);
	}
}

static void field_end(struct info *i)
{
	if (!i->json && !i->in_item)
		str_add_char(i->out, '\n');
}

void info_u64(struct info *i, const char *name, uint64_t v)
{
	field(i, name);
	str_add_u64(i->out, v);
	field_end(i);
}

void info_i64(struct info *i, const char *name, int64_t v)
{
	field(i, name);
	str_add_i64(i->out, v);
	field_end(i);
}

void info_hex(struct info *i, const char *name, uint64_t v)
{
	field(i, name);
	if (i->json)
		str_add_u64(i->out, v);
	else
		str_add_hex(i->out, v);
	field_end(i);
}

void info_bool(struct info *i, const char *name, bool v)
{
	field(i, name);
	str_add(i->out, v ? "true" : "false");
	field_end(i);
}

void info_str(struct info *i, const char *name, const char *v)
{
	field(i, name);
	if (i->json)
		str_add_json(i->out, v, strlen(v));
	else
		str_add_word(i->out, v, strlen(v));
	field_end(i);
}

void info_name(struct info *i, const char *name, const char *word, uint32_t number)
{
	if (word)
		info_str(i, name, word);
	else
		info_u64(i, name, number);
}

void info_ids(struct info *i, const char *name, const uint32_t *ids, size_t n)
{
	field(i, name);
	if (i->json)
		str_add_char(i->out, '[');
	for (size_t k = 0; k < n; k++) {
		if (k)
			str_add_char(i->out, i->json ? ',' : ' ');
		str_add_u64(i->out, ids[k]);
	}
	if (i->json)
		str_add_char(i->out, ']');
	field_end(i);
}

void info_open(struct info *i, const char *name)
{
	if (!i->json)
		return;
	field(i, name);
	str_add_char(i->out, '{');
	i->comma = false;
}

void info_close(struct info *i)
{
	if (!i->json)
		return;
	str_add_char(i->out, '}');
	i->comma = true;
}

void info_open_list(struct info *i, const char *name)
{
	if (!i->json)
		return;
	field(i, name);
	str_add_char(i->out, '[');
}

void info_open_item(struct info *i, const char *name, bool first)
{
	if (i->json)
		str_add(i->out, first ? "{" : ",{");
	else
		str_printf(i->out, "%s:", name);
	i->comma = false;
	i->in_item = true;
}

void info_close_item(struct info *i)
{
	str_add_char(i->out, i->json ? '}' : '\n');
	i->in_item = false;
}

void info_close_list(struct info *i)
{
	if (!i->json)
		return;
	str_add_char(i->out, ']');
	i->comma = true;
}

static void add_pids(struct info *i, const struct holders *holders, enum kobj_kind kind,
		     uint32_t id)
{
	const struct holder *h;
	size_t n = 0;

	h = holders ? holders_find(holders, kind, id, &n) : NULL;
	if (!h)
		return;
	info_open_list(i, "pids");
	for (size_t k = 0; k < n; k++) {
		info_open_item(i, "pid", !k);
		info_u64(i, "pid", h[k].pid);
		info_str(i, "comm", h[k].comm);
		info_close_item(i);
	}
	info_close_list(i);
}

static void add_memlock(struct info *i, int fd)
{
	uint64_t memlock;

	if (kobj_fdinfo(fd, "memlock", &memlock) == 0)
		info_u64(i, "bytes_memlock", memlock);
}

/* The name of an object of ours. Objects can be renamed only by being replaced, but a copy is
 * cheap. */
static void object_name(struct fs *fs, const struct subject *s, char ret[256])
{
	pthread_mutex_lock(&fs->lock);
	snprintf(ret, 256, "%s", s->inst ? s->inst->name : "");
	pthread_mutex_unlock(&fs->lock);
}

void info_prog_name(int fd, const struct bpf_prog_info *info, char ret[256])
{
	_cleanup_(kbtf_raw_deinit) struct kbtf_raw raw = {};
	_cleanup_(btf_unrefp) struct btf *btf = NULL;
	_cleanup_close_ int btf_fd = -1;
	struct bpf_prog_info more = {};
	struct bpf_func_info func = {};
	uint32_t proto;

	snprintf(ret, 256, "%s", info->name);
	if (strlen(info->name) < BPF_OBJ_NAME_LEN - 1 || !info->btf_id || !info->nr_func_info)
		return;
	more.nr_func_info = 1;
	more.func_info_rec_size = sizeof(func);
	more.func_info = (uint64_t)(uintptr_t)&func;
	if (kobj_info(fd, &more, sizeof(more)) < 0 || !more.nr_func_info)
		return;
	btf_fd = kobj_fd_by_id(KOBJ_BTF, info->btf_id);
	if (btf_fd < 0 || kbtf_raw(btf_fd, &raw) < 0 ||
	    btf_parse(raw.data, raw.len, "program's BTF", NULL, NULL, &btf) < 0)
		return;
	proto = func.type_id;
	if (proto < btf_n_types(btf) && btf_kind(btf_type(btf, proto)) == BTF_KIND_FUNC &&
	    str_has_prefix(btf_type_name(btf, proto), info->name))
		snprintf(ret, 256, "%s", btf_type_name(btf, proto));
}

static void add_loaded_at(struct info *i, uint64_t load_time)
{
	struct timespec real, boot;
	struct tm tm;
	time_t when;
	char text[40];

	if (!load_time || clock_gettime(CLOCK_REALTIME, &real) < 0 ||
	    clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
		return;
	when = real.tv_sec - boot.tv_sec +
	       ((int64_t)load_time + real.tv_nsec - boot.tv_nsec) / 1000000000;
	if (i->json || !localtime_r(&when, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &tm)) {
		info_i64(i, "loaded_at", when);
		return;
	}
	field(i, "loaded_at");
	str_add(i->out, text);
	field_end(i);
}

/* What our object says of a program. */
static void add_prog_x(struct call *c, struct info *i, const struct bpf_prog_info *info)
{
	struct prog_config cfg = {};
	const struct program *p;
	char object[256];

	info_open(i, "x");
	if (info && info->verified_insns)
		info_u64(i, "verified_insns", info->verified_insns);
	if (info && info->attach_btf_id) {
		info_u64(i, "attach_btf_obj_id", info->attach_btf_obj_id);
		info_u64(i, "attach_btf_id", info->attach_btf_id);
	}
	if (c->self->inst) {
		object_name(c->fs, c->self, object);
		pthread_mutex_lock(&c->fs->lock);
		p = &c->self->inst->parsed->programs[c->self->index];
		if (c->self->index < c->self->inst->cfg.n_progs)
			cfg = c->self->inst->cfg.progs[c->self->index];
		pthread_mutex_unlock(&c->fs->lock);
		info_str(i, "object", object);
		info_str(i, "program", p->name);
		info_str(i, "section", p->section);
		if (cfg.attach_type || cfg.type == BPF_PROG_TYPE_CGROUP_SKB)
			info_name(i, "attach_type", attach_type_name(cfg.attach_type),
				  cfg.attach_type);
		info_bool(i, "loaded", info);
	}
	info_close(i);
}

static int info_prog(struct call *c, struct info *i, int fd, const struct holders *holders)
{
	_cleanup_free_ uint32_t *ids = NULL;
	struct bpf_prog_info info = {};
	uint32_t n_ids = 0;
	char name[256], tag[2 * BPF_TAG_SIZE + 1];
	int r = kprog_info(fd, &info);

	if (r < 0)
		return report(c->rp, r, "program %u: no information: %s", c->self->id,
			      strerror(-r));
	info_u64(i, "id", info.id);
	info_name(i, "type", prog_type_name(info.type), info.type);
	info_prog_name(fd, &info, name);
	if (*name)
		info_str(i, "name", name);
	for (int k = 0; k < BPF_TAG_SIZE; k++)
		snprintf(tag + 2 * k, 3, "%02x", info.tag[k]);
	info_str(i, "tag", tag);
	info_bool(i, "gpl_compatible", info.gpl_compatible);
	if (info.run_time_ns) {
		info_u64(i, "run_time_ns", info.run_time_ns);
		info_u64(i, "run_cnt", info.run_cnt);
	}
	if (info.recursion_misses)
		info_u64(i, "recursion_misses", info.recursion_misses);
	if (info.load_time) {
		add_loaded_at(i, info.load_time);
		info_u64(i, "uid", info.created_by_uid);
	}
	info_u64(i, "bytes_xlated", info.xlated_prog_len);
	info_bool(i, "jited", info.jited_prog_len);
	if (info.jited_prog_len)
		info_u64(i, "bytes_jited", info.jited_prog_len);
	add_memlock(i, fd);
	if (info.nr_map_ids && kprog_map_ids(fd, &ids, &n_ids) == 0)
		info_ids(i, "map_ids", ids, n_ids);
	if (info.btf_id)
		info_u64(i, "btf_id", info.btf_id);
	add_pids(i, holders, KOBJ_PROG, info.id);
	add_prog_x(c, i, &info);
	return 0;
}

static void add_map_x(struct call *c, struct info *i, const struct bpf_map_info *info)
{
	char object[256];

	info_open(i, "x");
	if (info && info->map_extra)
		info_hex(i, "map_extra", info->map_extra);
	if (info && info->ifindex)
		info_u64(i, "ifindex", info->ifindex);
	if (info && info->btf_key_type_id)
		info_u64(i, "btf_key_type_id", info->btf_key_type_id);
	if (info && info->btf_value_type_id)
		info_u64(i, "btf_value_type_id", info->btf_value_type_id);
	if (info && info->btf_vmlinux_value_type_id)
		info_u64(i, "btf_vmlinux_value_type_id", info->btf_vmlinux_value_type_id);
	if (c->self->inst) {
		object_name(c->fs, c->self, object);
		info_str(i, "object", object);
		info_str(i, "map", c->self->inst->parsed->maps[c->self->index].name);
		info_bool(i, "loaded", info);
	}
	info_close(i);
}

static int info_map(struct call *c, struct info *i, int fd, const struct holders *holders)
{
	struct bpf_map_info info;
	uint64_t owner_type, owner_jited, frozen;
	int r = kmap_info(fd, &info);

	if (r < 0)
		return report(c->rp, r, "map %u: no information: %s", c->self->id, strerror(-r));
	info_u64(i, "id", info.id);
	info_name(i, "type", map_type_name(info.type), info.type);
	if (*info.name)
		info_str(i, "name", info.name);
	info_hex(i, "flags", info.map_flags);
	info_u64(i, "bytes_key", info.key_size);
	info_u64(i, "bytes_value", info.value_size);
	info_u64(i, "max_entries", info.max_entries);
	add_memlock(i, fd);
	if (info.type == BPF_MAP_TYPE_PROG_ARRAY) {
		if (kobj_fdinfo(fd, "owner_prog_type", &owner_type) == 0)
			info_name(i, "owner_prog_type", prog_type_name(owner_type), owner_type);
		if (kobj_fdinfo(fd, "owner_jited", &owner_jited) == 0)
			info_bool(i, "owner_jited", owner_jited);
	}
	if (kobj_fdinfo(fd, "frozen", &frozen) == 0)
		info_u64(i, "frozen", frozen);
	if (info.btf_id)
		info_u64(i, "btf_id", info.btf_id);
	add_pids(i, holders, KOBJ_MAP, info.id);
	add_map_x(c, i, &info);
	return 0;
}

static int info_link(struct call *c, struct info *i, int fd, const struct holders *holders)
{
	_cleanup_free_ struct klink_names *names = malloc(sizeof(*names));
	struct abi_link_info info;
	char object[256];
	int r = names ? klink_info(fd, &info, names) : -ENOMEM;

	if (r < 0)
		return report(c->rp, r, "link %u: no information: %s", c->self->id, strerror(-r));
	info_u64(i, "id", info.id);
	info_name(i, "type", link_type_name(info.type), info.type);
	info_u64(i, "prog_id", info.prog_id);
	info_link_fields(i, fd, &info, names->name);
	add_pids(i, holders, KOBJ_LINK, info.id);
	info_open(i, "x");
	info_str(i, "state", info_link_attached(&info) ? "attached" : "detached");
	if (c->self->link) {
		object_name(c->fs, c->self, object);
		info_str(i, "name", c->self->link->name);
		info_str(i, "spec", c->self->link->spec);
		if (*object)
			info_str(i, "object", object);
	}
	info_close(i);
	return 0;
}

/* Ours, and the kernel has it not yet, or not as something with an id. */
static void info_unloaded(struct call *c, struct info *i)
{
	const struct subject *s = c->self;
	struct map_params params = {};
	uint32_t type = 0;
	char object[256];

	pthread_mutex_lock(&c->fs->lock);
	if (s->kind == SUBJECT_PROG && s->index < s->inst->cfg.n_progs)
		type = s->inst->cfg.progs[s->index].type;
	if (s->kind == SUBJECT_MAP && s->index < s->inst->cfg.n_maps)
		params = s->inst->cfg.maps[s->index].params;
	pthread_mutex_unlock(&c->fs->lock);
	switch (s->kind) {
	case SUBJECT_PROG:
		info_name(i, "type", prog_type_name(type), type);
		info_str(i, "name", s->inst->parsed->programs[s->index].name);
		add_prog_x(c, i, NULL);
		break;
	case SUBJECT_MAP:
		info_name(i, "type", map_type_name(params.type), params.type);
		info_str(i, "name", s->inst->parsed->maps[s->index].kernel_name);
		info_hex(i, "flags", params.flags);
		info_u64(i, "bytes_key", params.key_size);
		info_u64(i, "bytes_value", params.value_size);
		info_u64(i, "max_entries", params.max_entries);
		add_map_x(c, i, NULL);
		break;
	default:
		info_u64(i, "prog_id", s->link->prog_id);
		object_name(c->fs, s, object);
		info_open(i, "x");
		pthread_mutex_lock(&c->fs->lock);
		info_str(i, "state", s->link->attachment ? "attached" : "detached");
		pthread_mutex_unlock(&c->fs->lock);
		info_str(i, "name", s->link->name);
		info_str(i, "spec", s->link->spec);
		if (*object)
			info_str(i, "object", object);
		info_close(i);
	}
}

int info_thing(struct call *c, bool json, const struct holders *holders, struct str *out)
{
	struct info i = { .out = out, .json = json };
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (subject_is_ours(c->self) && !subject_id(c->fs, c->self)) {
		if (json)
			str_add_char(out, '{');
		info_unloaded(c, &i);
	} else {
		fd = subject_open(c->fs, c->self, c->rp);
		if (fd < 0)
			return fd;
		if (json)
			str_add_char(out, '{');
		r = c->self->kind == SUBJECT_PROG  ? info_prog(c, &i, fd, holders)
		    : c->self->kind == SUBJECT_MAP ? info_map(c, &i, fd, holders)
						   : info_link(c, &i, fd, holders);
	}
	if (json)
		str_add_char(out, '}');
	return r;
}

static enum kobj_kind kobj_kind_of(enum subject_kind kind)
{
	return kind == SUBJECT_PROG ? KOBJ_PROG : kind == SUBJECT_MAP ? KOBJ_MAP : KOBJ_LINK;
}

int info_show(struct call *c, struct str *out)
{
	_cleanup_(holders_deinit) struct holders holders = {};
	uint32_t id = subject_id(c->fs, c->self);
	int r;

	if (id) {
		r = holders_scan(c->fs, kobj_kind_of(c->self->kind), id, &holders);
		if (r < 0)
			return r;
	}
	r = info_thing(c, c->entry->arg, &holders, out);
	if (!r && c->entry->arg)
		str_add_char(out, '\n');
	return r;
}

/* list.json: an object a line, in one array. */
struct list {
	struct fs *fs;
	enum subject_kind kind;
	uint32_t last;
	bool any, done;
	struct holders holders;
};

static int list_open(struct call *c, void **ret_state)
{
	struct list *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->fs = c->fs;
	l->kind = c->entry->arg;
	/* Once for all that are listed. */
	r = holders_scan(c->fs, kobj_kind_of(l->kind), 0, &l->holders);
	if (r < 0) {
		free(l);
		return r;
	}
	*ret_state = l;
	return 0;
}

static int list_one(struct list *l, struct str *out, struct report *rp)
{
	size_t before = out->len;
	struct subject self = {};
	struct call c = { .fs = l->fs, .self = &self, .rp = rp };
	int r = subject_find(l->fs, l->kind, l->last, &self);

	if (!r) {
		str_add(out, l->any ? ",\n" : "[\n");
		r = info_thing(&c, true, &l->holders, out);
	}
	subject_deinit(&self);
	if (!r) {
		l->any = true;
		return 0;
	}
	/* Gone between two calls: as if it had never been. */
	str_truncate(out, before);
	report_clear(rp);
	return r == -ENOMEM ? r : 0;
}

static int list_fill(void *state, struct str *out, size_t want, struct report *rp)
{
	struct list *l = state;
	int r;

	while (!l->done && (!out->len || out->len < want)) {
		r = kobj_next_id(kobj_kind_of(l->kind), l->last, &l->last);
		if (r == -ENOENT) {
			str_add(out, l->any ? "\n]\n" : "[]\n");
			l->done = true;
			break;
		}
		if (r < 0)
			return report(rp, r, "cannot list %ss: %s", subject_kind_name(l->kind),
				      strerror(-r));
		r = list_one(l, out, rp);
		if (r < 0)
			return r;
	}
	return !l->done;
}

static void list_close(void *state)
{
	struct list *l = state;

	holders_deinit(&l->holders);
	free(l);
}

const struct cursor_ops info_list_cursor = { list_open, list_fill, list_close };
