/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kinds - one program for each kind of attachment; each says in `hits` that it ran, and its cookie.
 *
 * tests/mount/produce.c gives the occasions: it calls personality(2) and produce_number().
 */
#include <linux/bpf.h>
#include <asm/unistd.h>

#include <bpf/bpf_helpers.h>

#include "is_produce.bpf.h"

enum { TRACEPOINT, RAW_TP, UPROBE, URETPROBE, UPROBE_MULTI, XDP, CGROUP_SKB, N_KINDS };

struct hit {
	__u64 count, cookie;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, N_KINDS);
	__type(key, __u32);
	__type(value, struct hit);
} hits SEC(".maps");

static __always_inline void count(__u32 kind, __u64 cookie)
{
	struct hit *hit = bpf_map_lookup_elem(&hits, &kind);

	if (!hit)
		return;
	__sync_fetch_and_add(&hit->count, 1);
	hit->cookie = cookie;
}

SEC("tracepoint/syscalls/sys_enter_personality")
int on_tracepoint(void *ctx)
{
	if (is_produce())
		count(TRACEPOINT, bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("raw_tp/sys_enter")
int on_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	if (ctx->args[1] == __NR_personality && is_produce())
		count(RAW_TP, 0);
	return 0;
}

SEC("uprobe")
int on_uprobe(void *ctx)
{
	count(UPROBE, bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("uretprobe")
int on_uretprobe(void *ctx)
{
	count(URETPROBE, bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("uprobe.multi")
int on_uprobe_multi(void *ctx)
{
	count(UPROBE_MULTI, bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("xdp")
int on_xdp(struct xdp_md *ctx)
{
	count(XDP, 0);
	return XDP_PASS;
}

SEC("cgroup_skb/egress")
int on_cgroup_skb(struct __sk_buff *skb)
{
	count(CGROUP_SKB, 0);
	return 1;
}

char _license[] SEC("license") = "Dual BSD/GPL";
