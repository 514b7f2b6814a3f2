/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load_maps - maps as the kernel gets them: created, filled, frozen, pinned; or
 * found where somebody pinned them before.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "bpf/kmap.h"
#include "bpf/kobj.h"
#include "bpf/names.h"
#include "loader/btf.h"
#include "loader/load_steps.h"

#define PIN_ROOT_DEFAULT "/sys/fs/bpf"
enum { PIN_DIR_MODE = 0700 };

static const char *type_name(uint32_t type, char *buf, size_t size)
{
	const char *name = map_type_name(type);

	if (name)
		return name;
	snprintf(buf, size, "%u", type);
	return buf;
}

int load_map_error(struct report *rp, int err, const struct map_def *def, const char *what)
{
	return report(rp, err, "map '%s': %s: %s%s", def->name, what, errno_name(err),
		      load_hint(err));
}

/* Types whose keys and values the kernel does not want described. */
static bool takes_btf(uint32_t type)
{
	switch (type) {
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_STACK_TRACE:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP:
	case BPF_MAP_TYPE_XSKMAP:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_SOCKHASH:
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
	case ABI_MAP_TYPE_ARENA:
		return false;
	default:
		return true;
	}
}

/* Rings have a power of two of whole pages. 0 stays, for the kernel to refuse. */
static uint32_t ring_size(uint32_t wanted)
{
	uint64_t size = sysconf(_SC_PAGESIZE);

	while (wanted && size < wanted)
		size *= 2;
	return !wanted || size > UINT32_MAX ? wanted : size;
}

/* What is asked for, as this kernel can have it. */
static int final_params(const struct loaded *l, const struct map_def *def,
			struct map_params *params)
{
	switch (params->type) {
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		params->max_entries = ring_size(params->max_entries);
		break;
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		if (!params->max_entries) {
			int n = possible_cpus();

			if (n < 0)
				return n;
			params->max_entries = n;
		}
		break;
	}
	if (def->data != DATA_NONE && !feature_has(l->env->features, FEATURE_ARRAY_MMAP))
		params->flags &= ~BPF_F_MMAPABLE;
	return 0;
}

/* Types that describe keys and values, as long as their sizes are what the object said. */
static void add_btf(const struct loaded *l, const struct map_def *def, struct kmap_spec *spec)
{
	const struct btf *btf = l->btf;

	if (!btf || !takes_btf(spec->type))
		return;
	if (def->data == DATA_NONE && def->key_type &&
	    btf_size(btf, def->key_type) == spec->key_size)
		spec->btf_key_type_id = def->key_type;
	if (def->value_type && btf_size(btf, def->value_type) == spec->value_size &&
	    (def->data != DATA_NONE || spec->btf_key_type_id || !spec->key_size))
		spec->btf_value_type_id = def->value_type;
	if (spec->btf_key_type_id || spec->btf_value_type_id)
		spec->btf_fd = l->btf_fd;
}

/* The sentence says everything that the kernel may not have liked. */
static int create_error(struct report *rp, int err, const struct map_def *def,
			const struct kmap_spec *spec)
{
	char buf[16];
	const char *hint = load_hint(err);

	if (err == -EINVAL && !spec->max_entries)
		hint = ": set its max_entries";
	else if (err == -EINVAL &&
		 (spec->type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
		  spec->type == BPF_MAP_TYPE_HASH_OF_MAPS) &&
		 !spec->inner_map_fd)
		hint = ": it does not say what maps it holds";
	return report(
		rp, err,
		"map '%s': the kernel does not create it (type %s, key_size %u, value_size %u, "
		"max_entries %u, flags 0x%x): %s%s",
		def->name, type_name(spec->type, buf, sizeof(buf)), spec->key_size,
		spec->value_size, spec->max_entries, spec->flags, errno_name(err), hint);
}

/* Types are for people: a map that the kernel does not take with them is made without. */
static int create_with_or_without_btf(struct kmap_spec *spec, const struct map_def *def,
				      struct report *rp)
{
	int fd = kmap_create(spec), again;

	if (fd >= 0 || !spec->btf_fd)
		return fd;
	spec->btf_fd = 0;
	spec->btf_key_type_id = spec->btf_value_type_id = 0;
	again = kmap_create(spec);
	if (again < 0)
		return fd;
	report_note(rp, REPORT_WARN,
		    "map '%s': the kernel does not take the types of key and value (%s)", def->name,
		    errno_name(fd));
	return again;
}

static int create(const struct loaded *l, const struct map_def *def,
		  const struct map_params *params, int inner_fd, struct report *rp)
{
	bool names = feature_has(l->env->features, FEATURE_PROG_NAME);
	struct kmap_spec spec = {
		.type = params->type,
		.key_size = params->key_size,
		.value_size = params->value_size,
		.max_entries = params->max_entries,
		.flags = params->flags,
		.name = names ? def->kernel_name : NULL,
		.inner_map_fd = inner_fd < 0 ? 0 : inner_fd,
		.numa_node = params->numa_node,
		.ifindex = params->ifindex,
		.extra = params->extra,
	};
	int fd;

	add_btf(l, def, &spec);
	fd = create_with_or_without_btf(&spec, def, rp);
	return fd < 0 ? create_error(rp, fd, def, &spec) : fd;
}

/* An example of the maps inside: the kernel looks at it once. -1 if there is none to make. */
static int create_inner(const struct loaded *l, const struct map_def *def, struct report *rp,
			int *ret)
{
	struct map_params params;
	int r;

	*ret = -1;
	if (!def->inner)
		return 0;
	params = def->inner->params;
	r = final_params(l, def->inner, &params);
	if (r < 0)
		return load_map_error(rp, r, def, "cannot tell the number of CPUs");
	r = create(l, def->inner, &params, -1, rp);
	if (r < 0)
		return r;
	*ret = r;
	return 0;
}

static int fill(const struct map_def *def, const struct map_config *cfg, int fd, struct report *rp)
{
	const uint32_t zero = 0;
	int r = 0;

	if (def->data == DATA_NONE)
		return 0;
	/* A new array is zero already. */
	if (cfg->image)
		r = kmap_update(fd, &zero, cfg->image, BPF_ANY);
	if (r < 0)
		return load_map_error(rp, r, def, "cannot write its initial contents");
	if (def->data == DATA_RODATA)
		r = kmap_freeze(fd);
	return r < 0 ? load_map_error(rp, r, def, "cannot freeze it") : 0;
}

/* Where the map is pinned or to be pinned: malloc'ed, or NULL for nowhere. */
static int pin_path(const struct load_config *cfg, const struct map_def *def,
		    const struct map_config *mc, char **ret)
{
	*ret = NULL;
	if (mc->pin_path) {
		*ret = *mc->pin_path ? strdup(mc->pin_path) : NULL;
		return *mc->pin_path && !*ret ? -ENOMEM : 0;
	}
	if (!def->pin_by_name)
		return 0;
	if (asprintf(ret, "%s/%s", cfg->pin_root ? cfg->pin_root : PIN_ROOT_DEFAULT, def->name) <
	    0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* The one thing in which a pinned map differs from what the object wants, in words. */
static int check_same(const struct map_def *def, const char *path, const struct map_params *want,
		      const struct bpf_map_info *have, struct report *rp)
{
	bool is_devmap =
		want->type == BPF_MAP_TYPE_DEVMAP || want->type == BPF_MAP_TYPE_DEVMAP_HASH;
	/* The kernel adds this flag to device maps by itself. */
	uint32_t ignored = is_devmap ? BPF_F_RDONLY_PROG : 0;
	const struct {
		const char *name;
		uint64_t want, have;
	} pairs[] = {
		{ "type", want->type, have->type },
		{ "key_size", want->key_size, have->key_size },
		{ "value_size", want->value_size, have->value_size },
		{ "max_entries", want->max_entries, have->max_entries },
		{ "flags", want->flags & ~ignored, have->map_flags & ~ignored },
		{ "map_extra", want->extra, have->map_extra },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (pairs[i].want != pairs[i].have)
			return report(
				rp, -EINVAL,
				"map '%s': what is pinned at %s has %s %llu, the object wants "
				"%llu: remove the pin, or change the object",
				def->name, path, pairs[i].name, (unsigned long long)pairs[i].have,
				(unsigned long long)pairs[i].want);
	}
	return 0;
}

static void params_of(const struct bpf_map_info *info, struct map_params *ret)
{
	*ret = (struct map_params){
		.type = info->type,
		.key_size = info->key_size,
		.value_size = info->value_size,
		.max_entries = info->max_entries,
		.flags = info->map_flags,
		.numa_node = ret->numa_node,
		.ifindex = info->ifindex,
		.extra = info->map_extra,
	};
}

/* 0 and a map, or -ENOENT without a sentence if nothing is pinned there. */
static int reuse_pinned(const struct map_def *def, const char *path, const struct map_params *want,
			struct loaded_map *map, struct report *rp)
{
	struct bpf_map_info info;
	_cleanup_close_ int fd = kobj_get(path);
	int r;

	if (fd == -ENOENT)
		return fd;
	if (fd < 0)
		return report(rp, fd, "map '%s': cannot open what is pinned at %s: %s", def->name,
			      path, errno_name(fd));
	r = kmap_info(fd, &info);
	if (r < 0)
		return report(rp, r, "map '%s': what is pinned at %s is no map", def->name, path);
	r = check_same(def, path, want, &info, rp);
	if (r < 0)
		return r;
	params_of(&info, &map->params);
	map->id = info.id;
	map->fd = take_fd(fd);
	map->reused = true;
	report_note(rp, REPORT_INFO, "map '%s': using map %u, pinned at %s", def->name, map->id,
		    path);
	return 0;
}

static int reuse_given(const struct map_def *def, const struct map_config *mc,
		       struct loaded_map *map, struct report *rp)
{
	struct bpf_map_info info;
	_cleanup_close_ int fd = fcntl(mc->reuse_fd, F_DUPFD_CLOEXEC, 3);
	int r;

	if (fd < 0)
		return load_map_error(rp, -errno, def, "cannot take the map that it shall be");
	r = kmap_info(fd, &info);
	if (r < 0)
		return load_map_error(rp, r, def, "cannot look at the map that it shall be");
	params_of(&info, &map->params);
	map->id = info.id;
	map->fd = take_fd(fd);
	map->reused = true;
	return 0;
}

/* Makes the last directory of the path if it is not there. The kernel says what is no bpffs. */
static int pin(int fd, const char *path, bool *ret_dir_made)
{
	_cleanup_free_ char *copy = NULL;
	int r = kobj_pin(fd, path);
	char *dir;

	*ret_dir_made = false;
	if (r != -ENOENT)
		return r;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	dir = dirname(copy);
	if (mkdir(dir, PIN_DIR_MODE) < 0)
		return r;
	r = kobj_pin(fd, path);
	if (r < 0)
		rmdir(dir);
	else
		*ret_dir_made = true;
	return r;
}

static int create_map(const struct loaded *l, const struct map_def *def,
		      const struct map_config *mc, struct loaded_map *map, struct report *rp)
{
	_cleanup_close_ int fd = -1, inner_fd = -1;
	struct bpf_map_info info;
	int r = create_inner(l, def, rp, &inner_fd);

	if (r < 0)
		return r;
	fd = create(l, def, &map->params, inner_fd, rp);
	if (fd < 0)
		return fd;
	r = fill(def, mc, fd, rp);
	if (r < 0)
		return r;
	/* Kernels before 4.13 have no ids. */
	if (kmap_info(fd, &info) == 0)
		map->id = info.id;
	map->fd = take_fd(fd);
	return 0;
}

/* Reuse what is pinned, or create and pin; who pins first in a race decides. */
static int load_pinned(const struct loaded *l, const struct map_def *def,
		       const struct map_config *mc, const char *path, struct loaded_map *map,
		       struct report *rp)
{
	struct map_params want = map->params;
	int r = reuse_pinned(def, path, &want, map, rp);

	if (r != -ENOENT)
		return r;
	r = create_map(l, def, mc, map, rp);
	if (r < 0)
		return r;
	r = pin(map->fd, path, &map->pin_dir_made);
	if (r == 0) {
		map->pinned_here = true;
		return 0;
	}
	close(take_fd(map->fd));
	map->id = 0;
	if (r == -EEXIST) {
		int again = reuse_pinned(def, path, &want, map, rp);

		if (again != -ENOENT)
			return again;
	}
	return report(
		rp, r,
		"map '%s': cannot pin it at %s: %s: is that in a bpffs, and a name without '.'?",
		def->name, path, errno_name(r));
}

static int load_map(struct loaded *l, const struct load_config *cfg, uint32_t i, struct report *rp)
{
	const struct map_def *def = &l->obj->maps[i];
	const struct map_config *mc = &cfg->maps[i];
	struct loaded_map *map = &l->maps[i];
	_cleanup_free_ char *path = NULL;
	int r;

	map->params = mc->params;
	if (mc->reuse_fd >= 0)
		return reuse_given(def, mc, map, rp);
	if (!mc->autocreate)
		return 0;
	if (def->data != DATA_NONE && !feature_has(l->env->features, FEATURE_GLOBAL_DATA)) {
		report_note(rp, REPORT_WARN, "map '%s': this kernel has no global variables",
			    def->name);
		return 0;
	}
	if (map->params.type == ABI_MAP_TYPE_ARENA)
		return report(rp, -EOPNOTSUPP,
			      "map '%s' is an arena, which this loader does not make", def->name);
	r = final_params(l, def, &map->params);
	if (r < 0)
		return load_map_error(rp, r, def, "cannot tell the number of CPUs");
	if (pin_path(cfg, def, mc, &path) < 0)
		return report(rp, -ENOMEM, "out of memory");
	return path ? load_pinned(l, def, mc, path, map, rp) : create_map(l, def, mc, map, rp);
}

/* Maps of maps get their static contents once all maps are there. */
static int fill_slots(struct loaded *l, uint32_t i, struct report *rp)
{
	const struct map_def *def = &l->obj->maps[i];

	if (l->maps[i].fd < 0 || l->maps[i].reused || def->params.type == BPF_MAP_TYPE_PROG_ARRAY)
		return 0;
	for (uint32_t j = 0; j < def->n_slots; j++) {
		const struct map_slot *slot = &def->slots[j];
		int r;

		if (l->maps[slot->index].fd < 0)
			return report(rp, -EINVAL,
				      "map '%s' holds '%s' in slot %u, which is not created",
				      def->name, l->obj->maps[slot->index].name, slot->slot);
		r = kmap_update(l->maps[i].fd, &slot->slot, &l->maps[slot->index].fd, BPF_ANY);
		if (r < 0)
			return report(rp, r, "map '%s': cannot put '%s' into slot %u: %s",
				      def->name, l->obj->maps[slot->index].name, slot->slot,
				      errno_name(r));
	}
	return 0;
}

int load_maps(struct loaded *l, const struct load_config *cfg, struct report *rp)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < l->n_maps; i++)
		r = load_map(l, cfg, i, rp);
	for (uint32_t i = 0; !r && i < l->n_maps; i++)
		r = fill_slots(l, i, rp);
	return r;
}

void loaded_undo_pins(struct loaded *l, const struct load_config *cfg)
{
	for (uint32_t i = l->n_maps; i-- > 0;) {
		_cleanup_free_ char *path = NULL;

		if (!l->maps[i].pinned_here ||
		    pin_path(cfg, &l->obj->maps[i], &cfg->maps[i], &path) < 0 || !path)
			continue;
		unlink(path);
		if (l->maps[i].pin_dir_made)
			rmdir(dirname(path));
		l->maps[i].pinned_here = l->maps[i].pin_dir_made = false;
	}
}
