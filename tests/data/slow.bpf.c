/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slow - keeps the verifier busy for seconds, honestly: it walks each of the loop's turns.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Some nine instructions a turn; the verifier gives up at a million a program. */
enum { N_TURNS = 100000 };

/* The empty asm keeps the compiler from computing the sum itself. */
#define SLOW(name_)                                    \
	SEC("raw_tp/sys_enter")                        \
	int name_(struct bpf_raw_tracepoint_args *ctx) \
	{                                              \
		__u64 sum = ctx->args[1];              \
                                                       \
		for (__u32 i = 0; i < N_TURNS; i++) {  \
			sum ^= sum << 1;               \
			asm volatile("" : "+r"(sum));  \
		}                                      \
		return sum & 1;                        \
	}

#define SLOW_8(group_)   \
	SLOW(group_##_1) \
	SLOW(group_##_2) \
	SLOW(group_##_3) \
	SLOW(group_##_4) \
	SLOW(group_##_5) \
	SLOW(group_##_6) \
	SLOW(group_##_7) \
	SLOW(group_##_8)

SLOW_8(slow_a)
SLOW_8(slow_b)
SLOW_8(slow_c)

char _license[] SEC("license") = "Dual BSD/GPL";
