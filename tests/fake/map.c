/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bits.h"
#include "bpf/kmap.h"
#include "tests/fake/object.h"

/* How a type keeps its elements. */
enum keeps {
	NOTHING, /* no element commands here */
	SLOTS,	 /* all elements exist, in memory that may be mapped */
	PAIRS,	 /* keys and values */
	REFS,	 /* as PAIRS; values go in as descriptors and come out as ids */
};

static enum keeps keeps(uint32_t type)
{
	switch (type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_STRUCT_OPS:
		return SLOTS;
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP:
		return PAIRS;
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_XSKMAP:
		return REFS;
	default:
		return NOTHING;
	}
}

static bool is_ring(uint32_t type)
{
	return type == BPF_MAP_TYPE_RINGBUF || type == BPF_MAP_TYPE_USER_RINGBUF;
}

/* Are keys numbers below max_entries? */
static bool is_indexed(uint32_t type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP_HASH:
		return false;
	default:
		return keeps(type) != NOTHING;
	}
}

/* Types that the kernel creates only without key and value types. */
static bool refuses_btf(uint32_t type)
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
		return true;
	default:
		return false;
	}
}

uint32_t fake_map_value_bytes(const struct object *map)
{
	return kmap_value_bytes(map->map.map_type, map->map.value_size, possible_cpus());
}

/* Slots of arrays begin at multiples of 8. */
static size_t stride(const struct object *map)
{
	return align_up(fake_map_value_bytes(map), 8);
}

static int check_sizes(const struct abi_map_create *attr)
{
	uint32_t type = attr->map_type;

	if (is_ring(type))
		return !attr->key_size && !attr->value_size && is_pow2(attr->max_entries) &&
				       attr->max_entries % sysconf(_SC_PAGESIZE) == 0
			       ? 0
			       : -EINVAL;
	if (keeps(type) == NOTHING)
		return 0;
	if (!attr->max_entries || !attr->key_size || !attr->value_size)
		return -EINVAL;
	if (is_indexed(type) && attr->key_size != 4)
		return -EINVAL;
	if (keeps(type) == SLOTS && attr->value_size > UINT32_MAX / 2 / attr->max_entries)
		return -E2BIG;
	return keeps(type) == REFS && attr->value_size != 4 ? -EINVAL : 0;
}

static int check_create(const struct abi_map_create *attr)
{
	uint32_t type = attr->map_type;
	int r = fake_check_name(attr->map_name);

	if (r < 0)
		return r;
	if (!type || (fake_kernel.max_map_type && type > fake_kernel.max_map_type))
		return -EINVAL;
	if (attr->map_flags & BPF_F_MMAPABLE &&
	    (fake_kernel.no_mmapable || (type != BPF_MAP_TYPE_ARRAY && type != ABI_MAP_TYPE_ARENA)))
		return -EINVAL;
	if ((type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS) &&
	    !object_by_fd(KOBJ_MAP, attr->inner_map_fd))
		return -EBADF;
	if (attr->btf_key_type_id || attr->btf_value_type_id || attr->btf_vmlinux_value_type_id) {
		if (!attr->btf_vmlinux_value_type_id && !object_by_fd(KOBJ_BTF, attr->btf_fd))
			return -EBADF;
		if (refuses_btf(type))
			return -EOPNOTSUPP;
	}
	return check_sizes(attr);
}

int fake_map_create(const struct abi_map_create *attr)
{
	const struct object *btf;
	struct object *map;
	int fd, r = check_create(attr);

	if (r < 0)
		return r;
	map = object_new(KOBJ_MAP, &fd);
	if (!map)
		return -EMFILE;
	map->map = *attr;
	btf = attr->btf_fd ? object_by_fd(KOBJ_BTF, attr->btf_fd) : NULL;
	map->btf_id = btf ? btf->id : 0;
	if (is_ring(attr->map_type))
		map->data_len = 2 * sysconf(_SC_PAGESIZE) + attr->max_entries;
	else if (keeps(attr->map_type) == SLOTS)
		map->data_len = align_up(stride(map) * attr->max_entries, sysconf(_SC_PAGESIZE));
	if (map->data_len) {
		if (ftruncate(map->fd, map->data_len) < 0)
			return -errno;
		map->data =
			mmap(NULL, map->data_len, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);
		if (map->data == MAP_FAILED)
			abort();
	}
	return fd;
}

void fake_map_free(struct object *map)
{
	if (map->data)
		munmap(map->data, map->data_len);
	vec_for_each (e, &map->elements) {
		free(e->key);
		free(e->value);
	}
	vec_deinit(&map->elements);
}

void *fake_sys_map_data(int fd, size_t *ret_len)
{
	struct object *map = object_by_fd(KOBJ_MAP, fd);

	if (!map || !map->data)
		return NULL;
	*ret_len = map->data_len;
	return map->data;
}

static uint32_t key_index(const void *key)
{
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	return index;
}

static size_t find_pair(const struct object *map, const void *key)
{
	size_t i = 0;

	while (i < map->elements.len && memcmp(map->elements.data[i].key, key, map->map.key_size))
		i++;
	return i;
}

/* NULL if there is no such element. */
static void *find_value(const struct object *map, const void *key)
{
	size_t i;

	if (keeps(map->map.map_type) == SLOTS)
		return key_index(key) < map->map.max_entries
			       ? (char *)map->data + stride(map) * key_index(key)
			       : NULL;
	i = find_pair(map, key);
	return i < map->elements.len ? map->elements.data[i].value : NULL;
}

/* Descriptor in, id out. */
static int resolve_ref(const struct object *map, const void *value, uint32_t *ret)
{
	int fd = (int)key_index(value);
	const struct object *o;
	int kind = KIND_PERF;

	switch (map->map.map_type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
		kind = KOBJ_PROG;
		break;
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		kind = KOBJ_MAP;
		break;
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		break;
	default:
		/* Sockets and cgroups are no objects of ours. */
		*ret = fd;
		return 0;
	}
	o = object_by_fd(kind, fd);
	if (!o)
		return -EBADF;
	*ret = o->id;
	return 0;
}

static void set_pair(struct object *map, const void *key, const void *value, size_t size)
{
	void *to = find_value(map, key);
	struct element new = {};

	if (!to) {
		new.key = malloc(map->map.key_size);
		new.value = to = malloc(size);
		if (!new.key || !to || vec_push(&map->elements, new))
			abort();
		memcpy(new.key, key, map->map.key_size);
	}
	memcpy(to, value, size);
}

static int update(struct object *map, const void *key, const void *value, uint64_t flags)
{
	uint32_t type = map->map.map_type, ref;
	size_t size = fake_map_value_bytes(map);
	void *old = find_value(map, key);
	int r;

	if (map->frozen || map->map.map_flags & BPF_F_RDONLY)
		return -EPERM;
	if ((flags & ~(uint64_t)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	if (is_indexed(type) && key_index(key) >= map->map.max_entries)
		return -E2BIG;
	if (flags & BPF_NOEXIST && (old || is_indexed(type)))
		return -EEXIST;
	if (flags & BPF_EXIST && !old)
		return -ENOENT;
	if (keeps(type) == SLOTS) {
		memcpy(old, value, size);
		return 0;
	}
	if (!old && map->elements.len >= map->map.max_entries)
		return -E2BIG;
	if (keeps(type) == REFS) {
		r = resolve_ref(map, value, &ref);
		if (r < 0)
			return r;
		set_pair(map, key, &ref, sizeof(ref));
		return 0;
	}
	set_pair(map, key, value, size);
	return 0;
}

static int delete_element(struct object *map, const void *key)
{
	size_t i;

	if (map->frozen || map->map.map_flags & BPF_F_RDONLY)
		return -EPERM;
	if (keeps(map->map.map_type) == SLOTS)
		return -EINVAL;
	i = find_pair(map, key);
	if (i == map->elements.len)
		return -ENOENT;
	free(map->elements.data[i].key);
	free(map->elements.data[i].value);
	map->elements.len--;
	memmove(&map->elements.data[i], &map->elements.data[i + 1],
		(map->elements.len - i) * sizeof(map->elements.data[0]));
	return 0;
}

static int lookup(const struct object *map, const void *key, void *value)
{
	const void *found = find_value(map, key);

	if (!found)
		return -ENOENT;
	memcpy(value, found, fake_map_value_bytes(map));
	return 0;
}

static int next_key(const struct object *map, const void *key, void *next)
{
	size_t i = 0;

	/* All slots of an indexed map are walked, whether they are filled or not. */
	if (is_indexed(map->map.map_type)) {
		uint32_t index = key ? key_index(key) : UINT32_MAX;

		index = index >= map->map.max_entries ? 0 : index + 1;
		if (index == map->map.max_entries)
			return -ENOENT;
		memcpy(next, &index, sizeof(index));
		return 0;
	}
	if (key) {
		i = find_pair(map, key);
		i = i == map->elements.len ? 0 : i + 1;
	}
	if (i >= map->elements.len)
		return -ENOENT;
	memcpy(next, map->elements.data[i].key, map->map.key_size);
	return 0;
}

int fake_map_elem(int cmd, const struct abi_map_elem *attr)
{
	struct object *map = object_by_fd(KOBJ_MAP, attr->map_fd);
	const void *key = (const void *)(uintptr_t)attr->key;
	void *value = (void *)(uintptr_t)attr->value;
	int r;

	if (!map)
		return -EBADF;
	if (cmd == BPF_MAP_FREEZE) {
		if (map->frozen)
			return -EPERM;
		map->frozen = true;
		return 0;
	}
	if (key && !map->map.key_size)
		return -EINVAL;
	if (keeps(map->map.map_type) == NOTHING)
		return -EOPNOTSUPP;
	if (!key && cmd != BPF_MAP_GET_NEXT_KEY)
		return -EINVAL;
	switch (cmd) {
	case BPF_MAP_LOOKUP_ELEM:
		return lookup(map, key, value);
	case BPF_MAP_UPDATE_ELEM:
		return update(map, key, value, attr->flags);
	case BPF_MAP_DELETE_ELEM:
		return delete_element(map, key);
	case BPF_MAP_GET_NEXT_KEY:
		return next_key(map, key, value);
	default: /* BPF_MAP_LOOKUP_AND_DELETE_ELEM */
		if (keeps(map->map.map_type) != PAIRS)
			return -EOPNOTSUPP;
		r = lookup(map, key, value);
		return r < 0 ? r : delete_element(map, key);
	}
}

static int lookup_batch(struct object *map, struct abi_map_batch *attr, bool and_delete)
{
	char *keys = (char *)(uintptr_t)attr->keys, *values = (char *)(uintptr_t)attr->values;
	bool slots = keeps(map->map.map_type) == SLOTS;
	size_t size = fake_map_value_bytes(map);
	uint32_t total = slots ? map->map.max_entries : map->elements.len;
	uint32_t first = attr->in_batch ? key_index((void *)(uintptr_t)attr->in_batch) : 0;
	uint32_t n = first < total ? MIN(attr->count, total - first) : 0, next = first + n;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t index = first + i;
		const void *key = slots ? &index : map->elements.data[index].key;

		memcpy(keys + (size_t)i * map->map.key_size, key, map->map.key_size);
		lookup(map, key, values + i * size);
	}
	for (uint32_t i = 0; and_delete && i < n; i++)
		delete_element(map, keys + (size_t)i * map->map.key_size);
	if (and_delete)
		next = first;
	memcpy((void *)(uintptr_t)attr->out_batch, &next, sizeof(next));
	attr->count = n;
	return first + n >= total ? -ENOENT : 0;
}

int fake_map_batch(int cmd, struct abi_map_batch *attr)
{
	const char *keys = (const char *)(uintptr_t)attr->keys;
	const char *values = (const char *)(uintptr_t)attr->values;
	struct object *map = object_by_fd(KOBJ_MAP, attr->map_fd);
	uint32_t n = attr->count;
	int r = 0;

	if (!map)
		return -EBADF;
	if (keeps(map->map.map_type) == NOTHING || map->map.map_type == BPF_MAP_TYPE_STRUCT_OPS)
		return -EOPNOTSUPP;
	if (cmd == BPF_MAP_LOOKUP_BATCH || cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH)
		return lookup_batch(map, attr, cmd == BPF_MAP_LOOKUP_AND_DELETE_BATCH);
	for (attr->count = 0; attr->count < n; attr->count++) {
		const char *key = keys + (size_t)attr->count * map->map.key_size;

		if (cmd == BPF_MAP_UPDATE_BATCH)
			r = update(map, key,
				   values + (size_t)attr->count * fake_map_value_bytes(map),
				   attr->elem_flags);
		else
			r = delete_element(map, key);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A ring is seen with its data twice in a row, so that no record is broken in two. */
static int mmap_ring(const struct object *map, const struct fake_map_mmap *attr, void **ret)
{
	size_t done = 0, room = map->data_len - attr->offset, data = map->map.max_entries;
	char *at = mmap(NULL, attr->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	while (done < attr->len) {
		size_t from = done < room ? attr->offset + done : map->data_len - data;
		size_t n = MIN(attr->len - done, map->data_len - from);

		if (mmap(at + done, n, attr->prot, MAP_SHARED | MAP_FIXED, map->fd, from) ==
		    MAP_FAILED) {
			int r = -errno;

			munmap(at, attr->len);
			return r;
		}
		done += n;
	}
	*ret = at;
	return 0;
}

int fake_map_mmap(const struct fake_map_mmap *attr, void **ret)
{
	const struct object *map = object_by_fd(KOBJ_MAP, attr->map_fd);
	uint64_t page = sysconf(_SC_PAGESIZE);
	bool writes = attr->prot & PROT_WRITE;
	void *p;

	if (!map)
		return -EBADF;
	if (!attr->len || attr->offset % page)
		return -EINVAL;
	if (is_ring(map->map.map_type)) {
		/* User space writes the consumer's page of a ring, of a user ring all but that. */
		bool user = map->map.map_type == BPF_MAP_TYPE_USER_RINGBUF;

		if (writes && user == (attr->offset == 0))
			return -EPERM;
		if (!range_fits(attr->offset, attr->len, map->data_len + map->map.max_entries))
			return -EINVAL;
		return mmap_ring(map, attr, ret);
	}
	if (!(map->map.map_flags & BPF_F_MMAPABLE) || !map->data)
		return -EINVAL;
	if (map->frozen && writes)
		return -EPERM;
	if (!range_fits(attr->offset, align_up(attr->len, page), map->data_len))
		return -EINVAL;
	p = mmap(NULL, attr->len, attr->prot, MAP_SHARED, map->fd, attr->offset);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p;
	return 0;
}
