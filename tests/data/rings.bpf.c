/* SPDX-License-Identifier: BSD-2-Clause */
/* rings - maps whose sizes the loader completes, and that carry records of a declared type. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct event {
	__u32 pid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 5000); /* no power of two */
	__type(value, struct event);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(value, struct event);
} samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, int);
	__type(value, int);
} samples_of_ints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 100);
	__type(value, __u32);
	__uint(map_extra, 3);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 10);
	__type(value, __u64);
} jobs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct event);
	__type(value, __u64);
} kept_by_name SEC(".maps");

SEC("raw_tp/sys_enter")
int rings_emit(void *ctx)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0), copy = {};
	__u32 number = 1;
	__u64 job = 2;

	if (!e)
		return 0;
	e->pid = 1;
	bpf_ringbuf_submit(e, 0);
	bpf_ringbuf_output(&plain, &copy, sizeof(copy), 0);
	bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &copy, sizeof(copy));
	bpf_perf_event_output(ctx, &samples_of_ints, BPF_F_CURRENT_CPU, &copy, sizeof(copy));
	bpf_map_push_elem(&seen, &number, 0);
	bpf_map_push_elem(&jobs, &job, 0);
	bpf_map_lookup_elem(&kept_by_name, &copy);
	return 0;
}

char _license[] SEC("license") = "GPL";
