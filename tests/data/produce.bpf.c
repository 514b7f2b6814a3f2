/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * produce - numbered records, so that a lost one is noticed.
 *
 * Hung on produce_number() of tests/mount/produce.c. A number is given to each record that
 * found room in the ring: whatever the reader misses in the sequence was lost by it, not here.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct number {
	__u64 number;
	__u32 pid;
	char tag[12];
	__u64 given; /* what produce_number() was called with */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
	__type(value, struct number);
} numbers SEC(".maps");

__u64 next_number = 0;
__u64 no_room = 0;

SEC("uprobe")
int BPF_KPROBE(produce, unsigned long given)
{
	struct number *n = bpf_ringbuf_reserve(&numbers, sizeof(*n), 0);

	if (!n) {
		__sync_fetch_and_add(&no_room, 1);
		return 0;
	}
	n->number = __sync_fetch_and_add(&next_number, 1);
	n->pid = bpf_get_current_pid_tgid() >> 32;
	__builtin_memcpy(n->tag, "numbered\0\0\0", sizeof(n->tag));
	n->given = given;
	bpf_ringbuf_submit(n, 0);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
