/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * is_produce - is tests/mount/produce.c what runs now? For programs that see the whole machine:
 * what starts under a sanitizer calls personality(2), too.
 */
#include <bpf/bpf_helpers.h>

static __always_inline int is_produce(void)
{
	const char name[] = "produce";
	char comm[16];

	if (bpf_get_current_comm(comm, sizeof(comm)))
		return 0;
#pragma unroll
	for (unsigned int i = 0; i < sizeof(name); i++) {
		if (comm[i] != name[i])
			return 0;
	}
	return 1;
}
