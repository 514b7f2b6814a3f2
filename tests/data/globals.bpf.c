/* SPDX-License-Identifier: BSD-2-Clause */
/* globals - variables of every section and linkage that the loader makes maps of. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct pair {
	int a;
	long b;
};

int initialised = 5;
struct pair pair = { 1, 2 };
__u64 zero;
static volatile int counter = 7; /* static: BPF's own */
static volatile long private_zero;
const volatile int limit = 3;
__attribute__((visibility("hidden"))) int hidden = 9;

int hot[4] SEC(".data.hot") = { 10, 11, 12, 13 };
const volatile char greeting[16] SEC(".rodata.greeting") = "hello";
__u32 cold[8] SEC(".bss.cold");
/* The last variable of its section is an array: the section can be made larger. */
char room[8] SEC(".data.room") = "abcdefg";

SEC("socket")
int globals_use(void *ctx)
{
	zero += initialised + hidden;
	private_zero += counter++;
	pair.b += hot[limit & 3];
	cold[1] = greeting[1];
	bpf_printk("limit %d", limit);
	return room[2];
}

SEC("socket")
int globals_only_statics(void *ctx)
{
	return private_zero;
}

char _license[] SEC("license") = "GPL";
