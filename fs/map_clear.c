/* SPDX-License-Identifier: BSD-2-Clause */
/* The verb `clear` of maps: each kind of map is emptied in its own way. */
#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/kmap.h"
#include "bpf/names.h"
#include "fs/fs.h"
#include "fs/maps.h"
#include "fs/mark.h"

struct clearing {
	struct call *c;
	int fd;
	struct bpf_map_info info;
	uint8_t *key, *value;
};

static bool is_abandoned(const struct clearing *k)
{
	return k->c->abandoned && __atomic_load_n(k->c->abandoned, __ATOMIC_ACQUIRE);
}

static int fail(const struct clearing *k, int err)
{
	struct report *rp = k->c->rp;

	if (err == -EPERM)
		return report(
			rp, err,
			"map '%s' cannot be changed from user space: it is frozen or read-only",
			k->info.name);
	return report(rp, err, "cannot clear map '%s': %s", k->info.name, strerror(-err));
}

/* Programs may put elements in as fast as they are deleted: not for ever. */
static int delete_all(struct clearing *k)
{
	uint64_t limit = 4ull * MAX(k->info.max_entries, 1u << 16);
	int r;

	for (uint64_t i = 0; i < limit && !is_abandoned(k); i++) {
		r = kmap_next_key(k->fd, NULL, k->key);
		if (r == -ENOENT)
			return 0;
		if (r < 0)
			return fail(k, r);
		r = kmap_delete(k->fd, k->key);
		if (r < 0 && r != -ENOENT)
			return fail(k, r);
	}
	if (is_abandoned(k))
		return -EINTR;
	return report(k->c->rp, -EBUSY,
		      "map '%s' is filled as fast as it is emptied: detach its programs first",
		      k->info.name);
}

/* Slots of an array cannot go: they become zero, or empty where they hold programs and maps. */
static int reset_all(struct clearing *k, bool empty)
{
	for (uint32_t i = 0; i < k->info.max_entries; i++) {
		int r;

		if (is_abandoned(k))
			return -EINTR;
		r = empty ? kmap_delete(k->fd, &i) : kmap_update(k->fd, &i, k->value, BPF_ANY);
		if (r < 0 && !(empty && r == -ENOENT))
			return fail(k, r);
	}
	return 0;
}

static int pop_all(struct clearing *k)
{
	uint64_t limit = 4ull * MAX(k->info.max_entries, 1u << 16);
	int r = 0;

	for (uint64_t i = 0; i < limit && !r && !is_abandoned(k); i++)
		r = kmap_lookup_and_delete(k->fd, NULL, k->value, 0);
	if (is_abandoned(k))
		return -EINTR;
	return r == -ENOENT || !r ? 0 : fail(k, r);
}

static int clear_by_type(struct clearing *k)
{
	const char *name = map_type_name(k->info.type);

	switch (k->info.type) {
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return reset_all(k, false);
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_CPUMAP:
	case BPF_MAP_TYPE_XSKMAP:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		return reset_all(k, true);
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		return pop_all(k);
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_SOCKHASH:
	case BPF_MAP_TYPE_STACK_TRACE:
		return delete_all(k);
	default:
		return report(k->c->rp, -EOPNOTSUPP,
			      "map '%s' is of type %s, which cannot be cleared", k->info.name,
			      name ? name : "unknown");
	}
}

int map_clear(struct call *c, const char *arg)
{
	_cleanup_free_ uint8_t *key = NULL, *value = NULL;
	_cleanup_close_ int fd = -1;
	struct clearing k = { .c = c };
	int n_cpus, r = mark_check_edit(c, "clear");

	(void)arg;
	if (r < 0)
		return r;
	fd = subject_open(c->fs, c->self, c->rp);
	if (fd < 0)
		return fd;
	r = kmap_info(fd, &k.info);
	if (r < 0)
		return report(c->rp, r, "map %u: no information: %s", c->self->id, strerror(-r));
	n_cpus = possible_cpus();
	key = calloc(1, MAX(k.info.key_size, 4u));
	value = calloc(
		1, MAX(kmap_value_bytes(k.info.type, k.info.value_size, n_cpus < 1 ? 1 : n_cpus),
		       (uint64_t)8));
	if (!key || !value)
		return -ENOMEM;
	k.fd = fd;
	k.key = key;
	k.value = value;
	return clear_by_type(&k);
}
