/* SPDX-License-Identifier: BSD-2-Clause */
/* sections - what SEC() may say: several programs in one, programs that start switched off, an
 * unknown kind, and externs that only those use. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

extern int unknown_function(void *p, int) __ksym;
extern const int unknown_variable __ksym;
extern int CONFIG_HZ __kconfig __weak;

SEC("tracepoint/syscalls/sys_enter_getpid")
int sections_first(void *ctx)
{
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_getpid")
int sections_second(void *ctx)
{
	return 0;
}

SEC("?raw_tp/sys_exit")
int sections_off(void *ctx)
{
	return 0;
}

SEC("?no_such_kind/x")
int sections_unknown(void *ctx)
{
	return 0;
}

SEC("?raw_tp/sys_enter")
int sections_extern_function(void *ctx)
{
	return unknown_function(ctx, CONFIG_HZ);
}

SEC("?raw_tp/sys_enter")
int sections_extern_variable(void *ctx)
{
	return (long)&unknown_variable;
}

SEC("?fentry/no_such_function")
int sections_no_target(void *ctx)
{
	return 0;
}

SEC("?struct_ops/x")
int sections_struct_ops(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
__u32 _version SEC("version") = 0x060102;
