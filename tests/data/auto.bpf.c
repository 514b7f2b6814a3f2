/* SPDX-License-Identifier: BSD-2-Clause */
/* auto - programs whose SEC() says it all, for run/ and `auto`; the last may be made to fail. */
#include <linux/bpf.h>
#include <asm/unistd.h>

#include <bpf/bpf_helpers.h>

#include "is_produce.bpf.h"

__u64 tracepoint_hits = 0;
__u64 raw_tp_hits = 0;
__u64 uprobe_hits = 0;

SEC("tracepoint/syscalls/sys_enter_personality")
int auto_tracepoint(void *ctx)
{
	if (is_produce())
		__sync_fetch_and_add(&tracepoint_hits, 1);
	return 0;
}

SEC("raw_tp/sys_enter")
int auto_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	if (ctx->args[1] == __NR_personality && is_produce())
		__sync_fetch_and_add(&raw_tp_hits, 1);
	return 0;
}

#ifndef SYMBOL
#define SYMBOL "personality"
#endif

SEC("uprobe/libc.so.6:" SYMBOL)
int auto_uprobe(void *ctx)
{
	if (is_produce())
		__sync_fetch_and_add(&uprobe_hits, 1);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
