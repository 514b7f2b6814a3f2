/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refused - what the verifier does not let through, a program for each reason.
 *
 * All are switched off, so that a test loads them one by one.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

SEC("?socket")
int refused_null(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&table, &key);

	return *value; /* nobody looked for NULL */
}

SEC("?socket")
int refused_memory(struct __sk_buff *skb)
{
	return *(int *)(long)skb->len;
}

SEC("?socket")
int refused_loop(struct __sk_buff *skb)
{
	volatile __u32 i;

	for (i = 0; i < skb->len; i++)
		;
	return 0;
}

static long (*const no_such_helper)(void) = (void *)9999;

SEC("?socket")
int refused_helper(struct __sk_buff *skb)
{
	return no_such_helper();
}

SEC("?socket")
int refused_helper_of_others(struct __sk_buff *skb)
{
	return bpf_xdp_adjust_head((void *)skb, 4);
}

static __attribute__((noinline)) int deep(int x)
{
	volatile char on_stack[400];

	on_stack[x & 255] = 1;
	return on_stack[3];
}

SEC("?socket")
int refused_stack(struct __sk_buff *skb)
{
	volatile char on_stack[400];

	on_stack[skb->len & 255] = 1;
	return deep(skb->len) + on_stack[2];
}

SEC("?socket")
int refused_context(struct __sk_buff *skb)
{
	return *(int *)((char *)skb + 4000);
}

SEC("?socket")
int refused_size(struct __sk_buff *skb)
{
	long sum = 0;

	for (int i = 0; i < 3000000; i++) {
		sum += skb->len;
		asm volatile("" ::"r"(sum));
	}
	return sum;
}

SEC("?socket")
__attribute__((naked)) int refused_end(struct __sk_buff *skb)
{
	asm volatile("r0 = 0");
}

SEC("?socket")
__attribute__((naked)) int refused_unreachable(struct __sk_buff *skb)
{
	asm volatile("r0 = 0; exit; r0 = 1; exit");
}

SEC("?socket")
__attribute__((naked)) int refused_register(struct __sk_buff *skb)
{
	asm volatile("r0 = r5; exit");
}

SEC("?socket")
int refused_map_bounds(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&table, &key);

	return value ? value[3] : 0;
}

SEC("?socket")
int refused_leak(struct __sk_buff *skb)
{
	bpf_ringbuf_reserve(&ring, 8, 0);
	return 0;
}

SEC("?cgroup_skb/egress")
int refused_result(struct __sk_buff *skb)
{
	return 77;
}

SEC("?xdp")
int refused_packet(struct xdp_md *xdp)
{
	char *data = (void *)(long)xdp->data;

	return data[14];
}

SEC("?socket")
int refused_argument(struct __sk_buff *skb)
{
	return !!bpf_map_lookup_elem(&table, skb);
}

__attribute__((noinline)) int global_one(struct __sk_buff *skb)
{
	return *(int *)((char *)skb + 4000);
}

SEC("?socket")
int refused_global(struct __sk_buff *skb)
{
	return global_one(skb);
}

struct task_struct {
	int no_such_member;
} __attribute__((preserve_access_index));

SEC("?raw_tp/sys_enter")
int refused_core(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	int value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), &task->no_such_member);
	return value;
}

char _license[] SEC("license") = "GPL";
