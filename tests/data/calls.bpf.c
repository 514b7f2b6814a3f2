/* SPDX-License-Identifier: BSD-2-Clause */
/* calls - functions that call functions: static, global, hidden, across sections, by address. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct bpf_map;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} cells SEC(".maps");

__u64 sum;

static __attribute__((noinline)) int leaf(int x)
{
	return x * 3 + (int)sum;
}

static __attribute__((noinline)) int branch(int x)
{
	return leaf(x) + leaf(x + 1);
}

/* Checked by itself. */
__attribute__((noinline)) int global_one(int x)
{
	return branch(x) + 1;
}

/* Global for the compiler, checked with its callers. */
__attribute__((noinline, visibility("hidden"))) int hidden_one(int x)
{
	return leaf(x) - 1;
}

static long on_element(struct bpf_map *map, __u32 *key, __u64 *value, void *arg)
{
	sum += *value;
	return 0;
}

static long on_turn(__u32 i, void *arg)
{
	sum += branch(i);
	return 0;
}

SEC("socket")
int calls_none(struct __sk_buff *skb)
{
	return 0;
}

SEC("socket")
int calls_static(struct __sk_buff *skb)
{
	return branch(skb->len);
}

SEC("socket")
int calls_global(struct __sk_buff *skb)
{
	return global_one(skb->len) + hidden_one(skb->len) + leaf(1);
}

SEC("raw_tp/sys_enter")
int calls_by_address(void *ctx)
{
	bpf_for_each_map_elem(&cells, on_element, 0, 0);
	bpf_loop(8, on_turn, 0, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
