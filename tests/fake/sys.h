/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * fake - an in-memory kernel in place of bpf/sys.c, chosen by linking.
 *
 * It records every request with all that the request points to, keeps objects
 * (each descriptor is a memfd, so dup, fcntl, close and mmap work as ever) and
 * answers like Linux as far as a loader can tell. Programs are not run or
 * verified: fake_sys_verdict() says what the verifier shall find.
 *
 *	TEST(creates_maps_before_programs)
 *	{
 *		…load something…
 *		CHECK_EQ(fake_sys_n_calls(BPF_PROG_LOAD), 1);
 *		CHECK_STR(fake_sys_call(BPF_MAP_CREATE, 0)->attr.map_create.map_name, "counts");
 *		fake_sys_reset();
 *	}
 *
 * Objects live until fake_sys_reset(), also when nobody holds a descriptor: a
 * test ends with a reset, and what is open after that the tested code has leaked.
 * Pins are small files at their path, in any folder: unlink(2) unpins.
 *
 * What it does not model: reference counts, per-process limits, permissions,
 * LRU eviction, what running programs do to maps, poll and epoll on descriptors.
 */
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/abi.h"

/* What is no command of bpf(2), as @cmd below. */
enum {
	FAKE_PERF_EVENT_OPEN = 1000,
	FAKE_PERF_IOCTL,
	FAKE_MAP_MMAP,
};

struct fake_perf_open {
	struct perf_event_attr attr;
	pid_t pid;
	int cpu, group_fd;
	unsigned long flags;
};
struct fake_perf_ioctl {
	int fd;
	unsigned long request, arg;
};
struct fake_map_mmap {
	int map_fd, prot;
	size_t len;
	uint64_t offset;
};

/* One request. Valid until fake_sys_reset(). */
struct fake_call {
	int cmd;
	int ret;     /* what the caller got */
	size_t size; /* of the attr, as given */
	/* As it came in, missing bytes zero. Addresses in it are dead: the copies are below. */
	union {
		struct abi_map_create map_create;
		struct abi_map_elem map_elem;
		struct abi_map_batch map_batch;
		struct abi_prog_load prog_load;
		struct abi_btf_load btf_load;
		struct abi_obj obj;
		struct abi_get_id get_id;
		struct abi_info info;
		struct abi_raw_tracepoint raw_tracepoint;
		struct abi_prog_test_run prog_test_run;
		struct abi_link_create link_create;
		struct abi_link_update link_update;
		struct abi_link_fd link_fd;
		struct abi_prog_bind_map prog_bind_map;
		struct fake_perf_open perf_open;
		struct fake_perf_ioctl perf_ioctl;
		struct fake_map_mmap map_mmap;
		unsigned char raw[256];
	} attr;
	/* PROG_LOAD: attr.prog_load.insn_cnt instructions, …_cnt * …_rec_size bytes of records */
	struct bpf_insn *insns;
	char *license;
	void *func_info, *line_info;
	int *fd_array; /* as far as the instructions point into it */
	uint32_t n_fd_array;
	/* BTF_LOAD: attr.btf_load.btf_size bytes */
	void *btf;
	/* MAP_*_ELEM, MAP_*_BATCH: what user space gave (batches: attr.map_batch.count of each) */
	void *key, *value;
	uint32_t key_size, value_size; /* bytes of one */
	/* Path of OBJ_PIN, OBJ_GET, a uprobe; name of a raw tracepoint; symbols of kprobe.multi, a
	 * line each */
	char *text;
	/* LINK_CREATE of multi probes: cnt of each */
	uint64_t *offsets, *ref_ctr_offsets, *cookies;
	/* LINK_CREATE of an iterator: attr.link_create.iter.iter_info_len bytes */
	void *iter_info;
};

/* fake_sys_n_calls() - how many requests of @cmd were made; -1: of any. */
size_t fake_sys_n_calls(int cmd);
/* fake_sys_call() - request @i (from 0) among those of @cmd, or of any (-1); NULL past the last. */
const struct fake_call *fake_sys_call(int cmd, size_t i);
/* fake_sys_last() - the last of them; NULL if there was none. */
const struct fake_call *fake_sys_last(int cmd);

/* fake_sys_reset() - a new kernel, nothing recorded; frees everything. */
void fake_sys_reset(void);

/**
 * fake_sys_fail() - make one later request fail
 * @nth: 1 for the next request of @cmd, 2 for the one after, …
 * @err: positive errno
 */
void fake_sys_fail(int cmd, unsigned nth, int err);

/*
 * Called, if set, for every request once it is recorded. @attr points at what the caller
 * gave: for the FAKE_… commands at a struct of the same name. With *@handled set, the
 * result is the request's; else the kernel goes on (and has seen changes in @attr).
 * The hook may make requests itself, which reach the hook, too.
 */
extern int (*fake_sys_hook)(int cmd, void *attr, size_t size, bool *handled);

/**
 * fake_sys_verdict() - what loads find from now on
 * @cmd: BPF_PROG_LOAD or BPF_BTF_LOAD
 * @err: positive errno; 0: accepted
 * @log: the log of a load that asks for one, copied; NULL: the usual short one
 *
 * A log that does not fit is cut and the load fails with ENOSPC, whatever @err.
 */
void fake_sys_verdict(int cmd, int err, const char *log, size_t len);

/* What this kernel is too old for; fake_sys_reset() makes it new again. */
struct fake_kernel {
	/* The last known one; 0: no limit. */
	uint32_t max_cmd, max_map_type, max_prog_type, max_attach_type, max_helper, max_btf_kind;
	bool no_names;	       /* before 4.15 */
	bool no_btf;	       /* before 4.18 */
	bool no_global_data;   /* before 5.2: BPF_PSEUDO_MAP_VALUE */
	bool no_mmapable;      /* before 5.5 */
	bool no_global_func;   /* before 5.6: linkage in BTF_KIND_FUNC */
	bool no_log_true_size; /* before 6.4; the log's head is kept instead of its tail, too */
};
extern struct fake_kernel fake_kernel;

/* fake_sys_add_btf() - a BTF of the kernel ("vmlinux", a module); copied. Returns its id. */
uint32_t fake_sys_add_btf(const char *name, const void *data, size_t len);

/* fake_sys_map_data() - the memory of an array or ring (2 pages, then data); NULL for other maps.
 */
void *fake_sys_map_data(int fd, size_t *ret_len);

/* fake_sys_open_fds() - how many descriptors of fake objects the tested code has open. */
unsigned fake_sys_open_fds(void);

/* fake_sys_perf_enabled() - is the perf event enabled? @ret_prog: id of its program or 0, may be
 * NULL. */
bool fake_sys_perf_enabled(int fd, uint32_t *ret_prog);
