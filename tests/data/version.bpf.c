/* SPDX-License-Identifier: BSD-2-Clause */
/* version - the smallest object that can be told from its predecessor: VERSION is in a map's name.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#ifndef VERSION
#define VERSION 1
#endif
#define NAME__(version) version_map_##version
#define NAME_(version)	NAME__(version)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VERSION);
	__type(key, __u32);
	__type(value, __u64);
} NAME_(VERSION) SEC(".maps");

SEC("raw_tp/sys_enter")
int version_prog(void *ctx)
{
	__u32 key = 0;

	bpf_map_lookup_elem(&NAME_(VERSION), &key);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
