/* SPDX-License-Identifier: BSD-2-Clause */
/* A producer that is driven by BPF_PROG_TEST_RUN: each run makes `batch` records of 64 bytes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct record {
	__u64 seq, pad[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
	__type(value, struct record);
} ring SEC(".maps");

/* A record of six fields, for the formatted streams. */
struct event {
	__u64 time;
	__u32 pid, uid;
	int code;
	__u32 flags;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
	__type(value, struct event);
} events SEC(".maps");

__u64 made, dropped;
__u32 batch = 4096;

static long one(__u32 i, void *ctx)
{
	struct record *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		dropped++;
		return 0;
	}
	r->seq = made++;
	bpf_ringbuf_submit(r, 0);
	return 0;
}

SEC("syscall")
int produce(void *ctx)
{
	bpf_loop(batch, one, NULL, 0);
	return 0;
}

static long one_event(__u32 i, void *ctx)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		dropped++;
		return 0;
	}
	e->time = made++;
	e->pid = 4711;
	e->uid = 1000;
	e->code = -2;
	e->flags = i;
	__builtin_memcpy(e->comm, "some-command", 13);
	bpf_ringbuf_submit(e, 0);
	return 0;
}

SEC("syscall")
int produce_events(void *ctx)
{
	bpf_loop(batch, one_event, NULL, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
