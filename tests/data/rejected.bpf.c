/* SPDX-License-Identifier: BSD-2-Clause */
/* rejected - one program that is fine and one that the verifier refuses: a value used without a
 * look for NULL. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} reject_map SEC(".maps");

SEC("raw_tp/sys_exit")
int reject_fine(void *ctx)
{
	return 0;
}

SEC("raw_tp/sys_enter")
int reject_null(void *ctx)
{
	__u32 key = 1;
	__u64 *value = bpf_map_lookup_elem(&reject_map, &key);

	*value = 1; /* the line that the sentence should point at */
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
