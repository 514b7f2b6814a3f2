/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execsnoop - every program that starts, as an event.
 *
 *	cp build/examples/execsnoop.bpf.o $M/run/
 *	cat $M/objects/execsnoop/maps/events/stream/text
 *	jq --unbuffered -r .filename < $M/objects/execsnoop/maps/events/stream/json
 *	rm $M/run/execsnoop.bpf.o
 *
 * The tracepoint fires once exec(2) has succeeded: pid, uid and comm are those of
 * the new program. To compile by hand, straight into the mount:
 *	clang -target bpf -g -O2 -idirafter /usr/include/$(uname -m)-linux-gnu \
 *		-c examples/execsnoop.bpf.c -o $M/run/execsnoop.bpf.o
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* What we need of the kernel's structs; the loader finds the real offsets. */
struct task_struct {
	int tgid;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

struct trace_event_raw_sched_process_exec {
	__u32 __data_loc_filename; /* where the string is, counted from this struct */
} __attribute__((preserve_access_index));

struct event {
	__u32 pid, ppid, uid;
	char comm[16];
	char filename[256];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
	__type(value, struct event); /* what stream/text and stream/json print */
} events SEC(".maps");

SEC("tracepoint/sched/sched_process_exec")
int handle_exec(struct trace_event_raw_sched_process_exec *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	unsigned int filename_off = ctx->__data_loc_filename & 0xffff;
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e)
		return 0; /* the ring is full: its reader is slow */
	e->pid = bpf_get_current_pid_tgid() >> 32;
	e->ppid = BPF_CORE_READ(task, real_parent, tgid);
	e->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	/* Ring memory is used again: the rest must not show what was there. */
	__builtin_memset(e->filename, 0, sizeof(e->filename));
	bpf_probe_read_kernel_str(e->filename, sizeof(e->filename), (void *)ctx + filename_off);
	bpf_ringbuf_submit(e, 0);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
