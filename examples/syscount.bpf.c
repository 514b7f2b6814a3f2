/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscount - how often each system call is made, by its number.
 *
 *	cp build/examples/syscount.bpf.o $M/run/
 *	jq -r '.[] | "\([.values[].value] | add) \(.key)"' \
 *		$M/objects/syscount/maps/calls/dump.json | sort -n | tail
 *	rm $M/run/syscount.bpf.o
 *
 * The map has a counter for each CPU, so counting takes no lock and no atomic instruction;
 * whoever reads adds them up. ausyscall(8) knows the numbers.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum { MAX_SYSCALLS = 512 };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SYSCALLS);
	__type(key, __u32); /* system call number */
	__type(value, __u64);
} calls SEC(".maps");

SEC("raw_tp/sys_enter")
int count_syscall(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 number = ctx->args[1]; /* args[0] is the registers */
	__u64 *count = bpf_map_lookup_elem(&calls, &number);

	if (count)
		(*count)++;
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
