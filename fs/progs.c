/* SPDX-License-Identifier: BSD-2-Clause */
/* progs/ID/ and objects/X/progs/NAME/: programs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/klink.h"
#include "bpf/kobj.h"
#include "bpf/kprog.h"
#include "bpf/names.h"
#include "fs/ctl.h"
#include "fs/fs.h"
#include "fs/info.h"
#include "fs/instance.h"
#include "fs/mark.h"
#include "fs/pin.h"
#include "fs/rows.h"

/* The configuration of a program of ours. Under fs->lock; NULL before the object is open. */
static struct prog_config *cfg(const struct call *c)
{
	struct instance *inst = c->self->inst;

	return c->self->index < inst->cfg.n_progs ? &inst->cfg.progs[c->self->index] : NULL;
}

static const struct program *program(const struct call *c)
{
	return &c->self->inst->parsed->programs[c->self->index];
}

/* What the kernel says of it. */
static int get_info(struct call *c, struct bpf_prog_info *ret)
{
	_cleanup_close_ int fd = subject_open(c->fs, c->self, c->rp);
	int r = fd < 0 ? fd : kprog_info(fd, ret);

	if (fd >= 0 && r < 0)
		return report(c->rp, r, "program %u: no information: %s", c->self->id,
			      strerror(-r));
	return r;
}

static int show_name(struct call *c, struct str *out)
{
	_cleanup_close_ int fd = -1;
	struct bpf_prog_info info = {};
	char name[256];

	if (c->self->inst) {
		show_line(out, "%s", program(c)->name);
		return 0;
	}
	fd = subject_open(c->fs, c->self, c->rp);
	if (fd < 0)
		return fd;
	if (kprog_info(fd, &info) == 0) {
		info_prog_name(fd, &info, name);
		show_line(out, "%s", name);
	}
	return 0;
}

static int show_tag(struct call *c, struct str *out)
{
	struct bpf_prog_info info = {};
	int r = get_info(c, &info);

	if (r < 0)
		return r;
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		str_printf(out, "%02x", info.tag[i]);
	str_add_char(out, '\n');
	return 0;
}

static void show_word(struct str *out, const char *word, uint32_t number)
{
	if (word)
		show_line(out, "%s", word);
	else
		show_line(out, "%u", number);
}

static int show_type(struct call *c, struct str *out)
{
	struct bpf_prog_info info = {};
	int r = 0;

	if (c->self->inst) {
		pthread_mutex_lock(&c->fs->lock);
		if (cfg(c))
			info.type = cfg(c)->type;
		pthread_mutex_unlock(&c->fs->lock);
	} else {
		r = get_info(c, &info);
	}
	if (r < 0)
		return r;
	show_word(out, prog_type_name(info.type), info.type);
	return 0;
}

static int store_type(struct call *c, const char *line)
{
	int type = prog_type_parse(line), r = setting_begin(c);

	if (r < 0)
		return r;
	if (type >= 0)
		cfg(c)->type = type;
	setting_end(c);
	if (type < 0)
		return report(c->rp, -EINVAL,
			      "there is no program type '%.100s'; types are like tracepoint, xdp, "
			      "cgroup_skb",
			      line);
	return 0;
}

static int show_section(struct call *c, struct str *out)
{
	show_line(out, "%s", program(c)->section);
	return 0;
}

/* 0 is the attach type of one kind of program, and for all others it means that there is none. */
static int show_attach_type(struct call *c, struct str *out)
{
	uint32_t type = 0;
	bool unset = false;

	pthread_mutex_lock(&c->fs->lock);
	if (cfg(c)) {
		type = cfg(c)->attach_type;
		unset = !type && cfg(c)->type != BPF_PROG_TYPE_CGROUP_SKB;
	}
	pthread_mutex_unlock(&c->fs->lock);
	show_word(out, unset ? "unspec" : attach_type_name(type), type);
	return 0;
}

static int store_attach_type(struct call *c, const char *line)
{
	int type = strcmp(line, "unspec") ? attach_type_parse(line) : 0, r = setting_begin(c);

	if (r < 0)
		return r;
	if (type >= 0)
		cfg(c)->attach_type = type;
	setting_end(c);
	if (type < 0)
		return report(
			c->rp, -EINVAL,
			"there is no attach type '%.100s'; types are like cgroup_inet_egress, "
			"trace_uprobe_multi",
			line);
	return 0;
}

static int show_attach_target(struct call *c, struct str *out)
{
	pthread_mutex_lock(&c->fs->lock);
	show_line(out, "%s", cfg(c) && cfg(c)->attach_target ? cfg(c)->attach_target : "");
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int store_attach_target(struct call *c, const char *line)
{
	char *copy = NULL;
	int r;

	if (strcmp(line, "none")) {
		copy = strdup(line);
		if (!copy)
			return -ENOMEM;
	}
	r = setting_begin(c);
	if (r < 0) {
		free(copy);
		return r;
	}
	free(cfg(c)->attach_target);
	cfg(c)->attach_target = copy;
	setting_end(c);
	return 0;
}

enum { FLAG_AUTOLOAD, FLAG_AUTOATTACH };

/* Under fs->lock. */
static bool *flag(const struct call *c)
{
	if (c->entry->arg == FLAG_AUTOLOAD)
		return &cfg(c)->autoload;
	return &c->self->inst->progs[c->self->index].autoattach;
}

static int show_flag(struct call *c, struct str *out)
{
	pthread_mutex_lock(&c->fs->lock);
	show_line(out, "%d", cfg(c) && c->self->inst->progs ? *flag(c) : 0);
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int store_flag(struct call *c, const char *line)
{
	bool v;
	int r = setting_bool(c, line, &v);

	if (!r)
		r = setting_begin(c);
	if (r < 0)
		return r;
	*flag(c) = v;
	setting_end(c);
	return 0;
}

static int show_log_level(struct call *c, struct str *out)
{
	pthread_mutex_lock(&c->fs->lock);
	show_line(out, "%u", cfg(c) ? cfg(c)->log_level : 0);
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int store_log_level(struct call *c, const char *line)
{
	uint32_t level;
	int r = setting_u32(c, line, &level);

	if (r < 0)
		return r;
	/* Bits of the kernel: 1 the log, 2 all of it, 4 statistics. */
	if (level > 7)
		return report(c->rp, -EINVAL,
			      "log_level is 0 to 7: 1 log, 2 verbose, 4 statistics");
	r = setting_begin(c);
	if (r < 0)
		return r;
	cfg(c)->log_level = level;
	setting_end(c);
	return 0;
}

/* Links of a program that the kernel knows, ours or not. */
static int links_of(uint32_t prog_id, uint32_t **ret, size_t *ret_n)
{
	VEC(uint32_t) ids = {};
	uint32_t id = 0;
	int r = 0;

	while (!r && kobj_next_id(KOBJ_LINK, id, &id) == 0) {
		_cleanup_close_ int fd = kobj_fd_by_id(KOBJ_LINK, id);
		struct abi_link_info info = {};

		if (fd >= 0 && kobj_info(fd, &info, sizeof(info)) == 0 && info.prog_id == prog_id)
			r = vec_push(&ids, id);
	}
	if (r < 0) {
		vec_deinit(&ids);
		return r;
	}
	*ret = ids.data;
	*ret_n = ids.len;
	return 0;
}

/* Links that we made. True if one of them is several for the kernel, so that ids do not tell which
 * are ours. */
static bool show_own_links(struct call *c, uint32_t id, struct str *out)
{
	bool composite = false;

	pthread_mutex_lock(&c->fs->lock);
	vec_for_each (p, &c->fs->links) {
		const struct link *l = *p;
		bool on_this = c->self->inst ? l->inst == c->self->inst && l->prog == c->self->index
					     : !l->inst && l->prog_id == id;

		if (!on_this || !l->attachment)
			continue;
		composite |= l->attachment->means == ATTACH_COMPOSITE;
		link_spec(l, out);
		str_add_char(out, '\n');
	}
	pthread_mutex_unlock(&c->fs->lock);
	return composite;
}

static void show_foreign_link(struct call *c, uint32_t id, struct str *out)
{
	_cleanup_free_ struct klink_names *names = malloc(sizeof(*names));
	_cleanup_(subject_deinit) struct subject link = {};
	_cleanup_close_ int fd = -1;
	struct abi_link_info info;
	const char *type;

	subject_link(c->fs, id, &link);
	if (!names || subject_is_ours(&link))
		return;
	fd = kobj_fd_by_id(KOBJ_LINK, id);
	if (fd < 0 || klink_info(fd, &info, names) < 0 || !info_link_attached(&info))
		return;
	if (info_link_spec(fd, &info, names->name, NULL, out) < 0) {
		type = link_type_name(info.type);
		str_printf(out, "# link %u (%s)", id, type ? type : "unknown type");
	}
	str_add_char(out, '\n');
}

static int show_attach(struct call *c, struct str *out)
{
	_cleanup_free_ uint32_t *links = NULL;
	uint32_t id = subject_id(c->fs, c->self);
	size_t n = 0;
	int r;

	if (show_own_links(c, id, out) || !id)
		return 0;
	r = links_of(id, &links, &n);
	for (size_t i = 0; i < n; i++)
		show_foreign_link(c, links[i], out);
	return r;
}

static int store_attach(struct call *c, const char *line)
{
	if (!line[strspn(line, " \t\r")])
		return 0;
	if (c->self->inst)
		return instance_attach(c->self->inst, c->self->index, line, c->pid, c->abandoned,
				       c->rp);
	return foreign_attach(c->fs, c->self->id, line, c->pid, c->abandoned, c->rp);
}

/* A link of ours on this program, counted; NULL if there is none (any more). */
static struct link *any_link(struct call *c)
{
	struct link *found = NULL;

	pthread_mutex_lock(&c->fs->lock);
	for (size_t i = 0; i < c->fs->links.len && !found; i++) {
		struct link *l = c->fs->links.data[i];

		if (l->inst == c->self->inst && l->prog == c->self->index)
			found = link_ref(l);
	}
	pthread_mutex_unlock(&c->fs->lock);
	return found;
}

static int run_unload(struct call *c, const char *arg)
{
	struct instance *inst = c->self->inst;
	struct loaded *loaded;
	struct link *l;
	uint32_t id;

	(void)arg;
	if (!inst)
		return report(
			c->rp, -EPERM,
			"program %u is not ours: it goes when nobody holds it any more, see pids",
			c->self->id);
	while ((l = any_link(c))) {
		link_destroy(c->fs, l);
		link_unref(l);
	}
	pthread_mutex_lock(&c->fs->lock);
	loaded = inst->loaded;
	id = inst->progs ? inst->progs[c->self->index].id : 0;
	if (id)
		inst->progs[c->self->index].id = 0;
	pthread_mutex_unlock(&c->fs->lock);
	if (!id || !loaded)
		return report(c->rp, -ENOENT, "program '%s' is not loaded", program(c)->name);
	closep(&loaded->progs[c->self->index].fd);
	loaded->progs[c->self->index].fd = -1;
	loaded->progs[c->self->index].id = 0;
	return 0;
}

static int run_edit(struct call *c, const char *arg)
{
	(void)arg;
	return mark_run(c, MARK_EDIT);
}

static const struct verb verbs[] = {
	{ "pin", "PATH", "give the program a name in a bpffs, so that it outlives us", pin_run },
	{ "unpin", "[PATH]", "take that name away; without PATH the last one given here",
	  unpin_run },
	{ "unload", NULL, "detach and unload this program of ours", run_unload },
	{ "edit", NULL, "allow pin and unpin of a program that is not ours", run_edit },
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

static int show_log(struct call *c, struct str *out)
{
	const struct instance *inst = c->self->inst;

	pthread_mutex_lock(&c->fs->lock);
	if (inst->progs)
		str_add_mem(out, str_text(&inst->progs[c->self->index].log),
			    inst->progs[c->self->index].log.len);
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

/* A copy: formatting thousands of them is no work to do under the lock. */
static int copy_insns(struct call *c, struct bpf_insn **ret, uint32_t *ret_n)
{
	const struct instance *inst = c->self->inst;
	const struct function *f = &inst->parsed->functions[program(c)->function];
	const struct bpf_insn *insns = f->insns;
	uint32_t n = f->n_insns;
	struct bpf_insn *copy;

	pthread_mutex_lock(&c->fs->lock);
	if (inst->progs && inst->progs[c->self->index].insns) {
		insns = inst->progs[c->self->index].insns;
		n = inst->progs[c->self->index].n_insns;
	}
	copy = calloc(n ? n : 1, sizeof(*copy));
	if (copy && n)
		memcpy(copy, insns, n * sizeof(*copy));
	pthread_mutex_unlock(&c->fs->lock);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	*ret_n = n;
	return 0;
}

static int show_insns(struct call *c, struct str *out)
{
	_cleanup_free_ struct bpf_insn *insns = NULL;
	uint32_t n;
	int r = copy_insns(c, &insns, &n);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *b = (const uint8_t *)&insns[i];

		str_printf(out, "%4u: %02x %02x %02x %02x %02x %02x %02x %02x\n", i, b[0], b[1],
			   b[2], b[3], b[4], b[5], b[6], b[7]);
	}
	return 0;
}

static int show_stats(struct call *c, struct str *out)
{
	struct bpf_prog_info info = {};
	int r = get_info(c, &info);

	if (r < 0)
		return r;
	show_line(out, "run_cnt: %llu", (unsigned long long)info.run_cnt);
	show_line(out, "run_time_ns: %llu", (unsigned long long)info.run_time_ns);
	show_line(out, "recursion_misses: %llu", (unsigned long long)info.recursion_misses);
	show_line(out, "verified_insns: %u", info.verified_insns);
	return 0;
}

static int report_code(struct call *c, int r)
{
	if (r == -EPERM)
		return report(
			c->rp, r,
			"the kernel hides the code of programs: see sysctl net.core.bpf_jit_harden "
			"and kernel.kptr_restrict");
	if (r == -ENOENT)
		return report(c->rp, r, "program %u has no machine code", c->self->id);
	return report(c->rp, r, "cannot get the code of program %u: %s", c->self->id, strerror(-r));
}

static int show_xlated(struct call *c, struct str *out)
{
	_cleanup_close_ int fd = subject_open(c->fs, c->self, c->rp);
	_cleanup_free_ struct bpf_insn *insns = NULL;
	uint32_t n;
	int r = fd < 0 ? fd : kprog_xlated(fd, &insns, &n);

	if (fd < 0)
		return fd;
	if (r < 0)
		return report_code(c, r);
	str_add_mem(out, insns, n * sizeof(*insns));
	return 0;
}

static int show_jited(struct call *c, struct str *out)
{
	_cleanup_close_ int fd = subject_open(c->fs, c->self, c->rp);
	_cleanup_free_ void *code = NULL;
	uint32_t len;
	int r = fd < 0 ? fd : kprog_jited(fd, &code, &len);

	if (fd < 0)
		return fd;
	if (r < 0)
		return report_code(c, r);
	str_add_mem(out, code, len);
	return 0;
}

/* maps/ and links/ of a program: symlinks by id. */
static const struct entry symlink_row = { "", ENTRY_SYMLINK, 0777, .show = row_show_thing };

static int maps_of(struct call *c, uint32_t **ret, uint32_t *ret_n)
{
	_cleanup_close_ int fd = -1;

	*ret = NULL;
	*ret_n = 0;
	if (subject_is_ours(c->self) && !subject_id(c->fs, c->self))
		return 0;
	fd = subject_open(c->fs, c->self, c->rp);
	return fd < 0 ? fd : kprog_map_ids(fd, ret, ret_n);
}

static void list_symlinks(struct listing *l, const uint32_t *ids, size_t n)
{
	char name[16];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%u", ids[i]);
		listing_add(l, name, S_IFLNK);
	}
}

static int list_maps(struct call *c, struct listing *l)
{
	_cleanup_free_ uint32_t *ids = NULL;
	uint32_t n;
	int r = maps_of(c, &ids, &n);

	if (!r)
		list_symlinks(l, ids, n);
	return r;
}

static int find_map(struct call *c, const char *name, struct child *ret)
{
	_cleanup_free_ uint32_t *ids = NULL;
	uint32_t n, id = entry_id(name);
	int r = id ? maps_of(c, &ids, &n) : -ENOENT;

	for (uint32_t i = 0; !r && i < n; i++)
		if (ids[i] == id)
			return row_find_id(c, name, SUBJECT_MAP, &symlink_row, ret);
	return r < 0 ? r : -ENOENT;
}

static int list_links(struct call *c, struct listing *l)
{
	uint32_t prog_id = subject_id(c->fs, c->self);
	_cleanup_free_ uint32_t *ids = NULL;
	size_t n = 0;
	int r = prog_id ? links_of(prog_id, &ids, &n) : 0;

	if (!r)
		list_symlinks(l, ids, n);
	return r;
}

static int find_link(struct call *c, const char *name, struct child *ret)
{
	uint32_t prog_id = subject_id(c->fs, c->self), id = entry_id(name);
	_cleanup_close_ int fd = id && prog_id ? kobj_fd_by_id(KOBJ_LINK, id) : -1;
	struct abi_link_info info = {};

	if (fd < 0 || kobj_info(fd, &info, sizeof(info)) < 0 || info.prog_id != prog_id)
		return -ENOENT;
	return row_find_id(c, name, SUBJECT_LINK, &symlink_row, ret);
}

const struct dir prog_maps_dir = { .find = find_map, .list = list_maps };
const struct dir prog_links_dir = { .find = find_link, .list = list_links };

static const struct entry prog_entries[] = {
	{ "info", ENTRY_TEXT, 0444, .show = info_show, .help = "what the kernel tells of it" },
	{ "info.json", ENTRY_TEXT, 0444, .show = info_show, .arg = 1,
	  .help = "the same as bpftool -j prog show prints it" },
	{ "id", ENTRY_TEXT, 0444, .show = row_show_id, .help = "in the kernel; 0 before load" },
	{ "name", ENTRY_TEXT, 0444, .show = show_name, .help = "of its function" },
	{ "tag", ENTRY_TEXT, 0444, .show = show_tag, .help = "hash of its instructions" },
	{ "type", ENTRY_TEXT, 0644, .show = show_type, .store = store_type,
	  .help = "program type; written before load" },
	{ "section", ENTRY_TEXT, 0444, .show = show_section, .present = row_is_ours,
	  .help = "SEC() of the source" },
	{ "attach_type", ENTRY_TEXT, 0644, .show = show_attach_type, .store = store_attach_type,
	  .present = row_is_ours, .help = "expected attach type; written before load" },
	{ "attach_target", ENTRY_TEXT, 0644, .show = show_attach_target,
	  .store = store_attach_target, .present = row_is_ours,
	  .help = "kernel function or hook that it is loaded for; 'none'; written before load" },
	{ "autoload", ENTRY_TEXT, 0644, .show = show_flag, .store = store_flag,
	  .present = row_is_ours, .arg = FLAG_AUTOLOAD,
	  .help = "0|1: does load load it; written before load" },
	{ "autoattach", ENTRY_TEXT, 0644, .show = show_flag, .store = store_flag,
	  .present = row_is_ours, .arg = FLAG_AUTOATTACH,
	  .help = "0|1: does 'auto' of the object attach it; written before load" },
	{ "log_level", ENTRY_TEXT, 0644, .show = show_log_level, .store = store_log_level,
	  .present = row_is_ours, .help = "of the verifier, 0 to 7; written before load" },
	{ "attach", ENTRY_TEXT, 0644, .show = show_attach, .store = store_attach,
	  .help = "write a spec or 'auto'; lists its links as specs" },
	{ "ctl", ENTRY_TEXT, 0644, .show = show_ctl, .store = store_ctl,
	  .help = "verbs: pin, unpin, unload, edit" },
	{ "log", ENTRY_TEXT, 0444, .show = show_log, .present = row_is_ours,
	  .help = "what the verifier said" },
	{ "insns", ENTRY_TEXT, 0444, .show = show_insns, .present = row_is_ours,
	  .help = "instructions as they stand at this stage, in hex" },
	{ "stats", ENTRY_TEXT, 0444, .show = show_stats, .help = "runs, their time, misses" },
	{ "xlated.bin", ENTRY_TEXT, 0444, .show = show_xlated,
	  .help = "instructions as the verifier left them" },
	{ "jited.bin", ENTRY_TEXT, 0444, .show = show_jited, .help = "machine code" },
	{ "pids", ENTRY_TEXT, 0444, .show = row_show_pids,
	  .help = "pid and command of each process that holds it" },
	{ "maps", ENTRY_DIR, 0755, .dir = &prog_maps_dir,
	  .help = "symlinks to the maps that it uses" },
	{ "links", ENTRY_DIR, 0755, .dir = &prog_links_dir, .help = "symlinks to its links" },
	{ "object", ENTRY_SYMLINK, 0777, .show = row_show_object, .present = row_is_ours,
	  .help = "to the object that it belongs to" },
	{}
};

const struct dir prog_dir = { .entries = prog_entries };
const struct entry prog_entry = { "", ENTRY_DIR, 0755, .dir = &prog_dir };

static int find_prog(struct call *c, const char *name, struct child *ret)
{
	return row_find_id(c, name, SUBJECT_PROG, &prog_entry, ret);
}

static int list_progs(struct call *c, struct listing *l)
{
	return row_list_ids(c, l, SUBJECT_PROG);
}

static const struct entry progs_entries[] = {
	{ "list.json", ENTRY_CURSOR, 0444, .cursor = &info_list_cursor, .arg = SUBJECT_PROG,
	  .help = "all programs, as bpftool -j prog show prints them" },
	{}
};

const struct dir progs_dir = { .entries = progs_entries, .find = find_prog, .list = list_progs };

static int find_own(struct call *c, const char *name, struct child *ret)
{
	const struct object *obj = row_object(c->fs, c->self->inst);
	uint32_t i = obj ? object_find_program(obj, name) : OBJECT_NO_INDEX;

	if (i == OBJECT_NO_INDEX)
		return -ENOENT;
	ret->entry = &prog_entry;
	ret->subject = (struct subject){
		.kind = SUBJECT_PROG,
		.inst = instance_ref(c->self->inst),
		.index = i,
	};
	ret->subject.id = subject_id(c->fs, &ret->subject);
	return 0;
}

static int list_own(struct call *c, struct listing *l)
{
	const struct object *obj = row_object(c->fs, c->self->inst);

	for (uint32_t i = 0; obj && i < obj->n_programs; i++)
		if (row_name_fits(obj->programs[i].name))
			listing_add(l, obj->programs[i].name, S_IFDIR);
	return 0;
}

const struct dir instance_progs_dir = { .find = find_own, .list = list_own };
