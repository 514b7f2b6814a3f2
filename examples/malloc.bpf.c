/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malloc - who calls malloc(), how often and for how much.
 *
 *	cp build/examples/malloc.bpf.o $M/run/
 *	cat $M/objects/malloc/maps/by_pid/dump
 *	jq -r '.[].value | "\(.bytes) \(.comm)"' $M/objects/malloc/maps/by_pid/dump.json | sort -n
 *	rm $M/run/malloc.bpf.o
 *
 * For one process only, load without attaching and say so in the spec:
 *	cp build/examples/malloc.bpf.o $M/load/
 *	echo "uprobe/libc.so.6:malloc pid=$$" > $M/objects/malloc/progs/count_malloc/attach
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct usage {
	__u64 calls, bytes;
	char comm[16]; /* of the first caller: a thread may have a name of its own */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32); /* pid */
	__type(value, struct usage);
} by_pid SEC(".maps");

SEC("uprobe/libc.so.6:malloc")
int BPF_KPROBE(count_malloc, unsigned long size)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct usage *usage = bpf_map_lookup_elem(&by_pid, &pid);

	if (!usage) {
		struct usage first = {};

		bpf_get_current_comm(first.comm, sizeof(first.comm));
		/* Another thread may be faster: then its element counts for both. */
		bpf_map_update_elem(&by_pid, &pid, &first, BPF_NOEXIST);
		usage = bpf_map_lookup_elem(&by_pid, &pid);
		if (!usage)
			return 0;
	}
	__sync_fetch_and_add(&usage->calls, 1);
	__sync_fetch_and_add(&usage->bytes, size);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
