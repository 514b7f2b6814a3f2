/* SPDX-License-Identifier: BSD-2-Clause */
/* holders - maps that hold maps or programs, with and without contents; and what defines a map. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
};

struct inner first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, struct inner);
} by_index SEC(".maps") = {
	.values = { [0] = &second, [2] = &first },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 8);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__uint(max_entries, 3);
			__uint(map_flags, BPF_F_NO_PREALLOC);
			__uint(key_size, 8);
			__uint(value_size, 16);
		});
} by_key SEC(".maps");

int holders_one(struct __sk_buff *skb);
int holders_two(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 3);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct __sk_buff *));
} jumps SEC(".maps") = {
	.values = { [1] = &holders_one, [2] = &holders_two },
};

SEC("socket")
int holders_one(struct __sk_buff *skb)
{
	return 1;
}

SEC("socket")
int holders_two(struct __sk_buff *skb)
{
	return 2;
}

SEC("socket")
int holders_jump(struct __sk_buff *skb)
{
	__u32 zero = 0;
	void *map = bpf_map_lookup_elem(&by_index, &zero);

	if (map && bpf_map_lookup_elem(map, &zero))
		bpf_tail_call(skb, &jumps, 1);
	map = bpf_map_lookup_elem(&by_key, &zero);
	return !!map;
}

char _license[] SEC("license") = "GPL";
