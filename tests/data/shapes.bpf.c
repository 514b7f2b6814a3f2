/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shapes - maps of the types that `dump` prints, with values of every C shape.
 *
 * The tests fill them from outside, through bpftool, so that what we print can be compared
 * with what another reader of the same kernel prints.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum colour { RED, GREEN = 7, BLUE = -1 };

struct point {
	int x, y;
};

struct shape {
	__u32 id;
	enum colour colour;
	char name[16];
	struct point at;
	struct point corners[2];
	union {
		__u64 area;
		__s64 signed_area;
	};
	__u8 flag_a : 1, flag_b : 3;
	_Bool filled;
	__s16 weight;
	__u32 tail;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct point);
	__type(value, struct shape);
} shape_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct shape);
} shape_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct point);
} shape_percpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8);
	__type(key, __u64);
	__type(value, __u64);
} shape_percpu_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} shape_lru SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 100000);
	__type(key, __u32);
	__type(value, __u64);
} shape_many SEC(".maps");

const volatile __u32 how_many = 50000;

/* Never attached: it keeps the maps alive, and fills shape_many when it is run by hand. */
SEC("syscall")
int shape_fill(void *ctx)
{
	struct shape *shape;
	struct point key = {};
	__u32 zero = 0;

	shape = bpf_map_lookup_elem(&shape_hash, &key);
	if (!shape)
		shape = bpf_map_lookup_elem(&shape_array, &zero);
	if (shape)
		shape->tail++;
	bpf_map_lookup_elem(&shape_percpu, &zero);
	bpf_map_lookup_elem(&shape_percpu_hash, &key);
	bpf_map_lookup_elem(&shape_lru, &zero);
	for (__u32 i = 0; i < 50000 && i < how_many; i++) {
		__u64 value = i * 3ull;
		__u32 k = i;

		bpf_map_update_elem(&shape_many, &k, &value, BPF_ANY);
	}
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
