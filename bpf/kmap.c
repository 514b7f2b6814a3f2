/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/kmap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"
#include "bpf/kobj.h"
#include "bpf/sys.h"

int kmap_create(const struct kmap_spec *spec)
{
	struct abi_map_create attr = {
		.map_type = spec->type,
		.key_size = spec->key_size,
		.value_size = spec->value_size,
		.max_entries = spec->max_entries,
		.map_flags = spec->flags,
		.inner_map_fd = spec->inner_map_fd,
		.numa_node = spec->numa_node,
		.map_ifindex = spec->ifindex,
		.btf_fd = spec->btf_fd,
		.btf_key_type_id = spec->btf_key_type_id,
		.btf_value_type_id = spec->btf_value_type_id,
		.btf_vmlinux_value_type_id = spec->btf_vmlinux_value_type_id,
		.map_extra = spec->extra,
	};

	kobj_name(attr.map_name, spec->name);
	return sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int element(int cmd, int fd, const void *key, const void *value, uint64_t flags)
{
	struct abi_map_elem attr = {
		.map_fd = fd,
		.key = ptr_to_u64(key),
		.value = ptr_to_u64(value),
		.flags = flags,
	};

	return sys_bpf(cmd, &attr, sizeof(attr));
}

int kmap_lookup(int fd, const void *key, void *value, uint64_t flags)
{
	return element(BPF_MAP_LOOKUP_ELEM, fd, key, value, flags);
}

int kmap_update(int fd, const void *key, const void *value, uint64_t flags)
{
	return element(BPF_MAP_UPDATE_ELEM, fd, key, value, flags);
}

int kmap_delete(int fd, const void *key)
{
	return element(BPF_MAP_DELETE_ELEM, fd, key, NULL, 0);
}

int kmap_lookup_and_delete(int fd, const void *key, void *value, uint64_t flags)
{
	return element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, key, value, flags);
}

int kmap_next_key(int fd, const void *key, void *next)
{
	return element(BPF_MAP_GET_NEXT_KEY, fd, key, next, 0);
}

int kmap_freeze(int fd)
{
	return element(BPF_MAP_FREEZE, fd, NULL, NULL, 0);
}

int kmap_lookup_batch(int fd, const void *in, void *out, void *keys, void *values, uint32_t *count)
{
	struct abi_map_batch attr = {
		.in_batch = ptr_to_u64(in),
		.out_batch = ptr_to_u64(out),
		.keys = ptr_to_u64(keys),
		.values = ptr_to_u64(values),
		.count = *count,
		.map_fd = fd,
	};
	int r = sys_bpf(BPF_MAP_LOOKUP_BATCH, &attr, sizeof(attr));

	if (r >= 0 || r == -ENOENT)
		*count = attr.count;
	return r;
}

int kmap_info(int fd, struct bpf_map_info *ret)
{
	*ret = (struct bpf_map_info){};
	return kobj_info(fd, ret, sizeof(*ret));
}

bool kmap_is_percpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

uint64_t kmap_value_bytes(uint32_t type, uint32_t value_size, unsigned n_cpus)
{
	if (!kmap_is_percpu(type))
		return value_size;
	return align_up(value_size, 8) * n_cpus;
}

/* "0-3,8,10-11": the number of numbers in it. */
static int count_list(const char *text)
{
	long n = 0;

	for (;;) {
		unsigned long first, last;
		char *end;

		first = last = strtoul(text, &end, 10);
		if (end == text)
			return -EBADMSG;
		if (*end == '-') {
			text = end + 1;
			last = strtoul(text, &end, 10);
			if (end == text || last < first)
				return -EBADMSG;
		}
		if (last - first >= INT32_MAX || (n += last - first + 1) > INT32_MAX)
			return -EBADMSG;
		if (*end != ',')
			return *end && *end != '\n' ? -EBADMSG : (int)n;
		text = end + 1;
	}
}

int possible_cpus(void)
{
	static int cached;
	int n = __atomic_load_n(&cached, __ATOMIC_RELAXED);
	char line[4096];
	FILE *file;

	if (n > 0)
		return n;
	file = fopen("/sys/devices/system/cpu/possible", "re");
	if (!file)
		return -errno;
	n = fgets(line, sizeof(line), file) ? count_list(line) : -EBADMSG;
	fclose(file);
	if (n > 0)
		__atomic_store_n(&cached, n, __ATOMIC_RELAXED);
	return n;
}
