/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * feature - what this kernel can do, found out by doing it.
 *
 * Never derived from a version number: distributions backport. Each probe runs
 * at most once a struct feature; a probe that could not be run counts as "no".
 * Thread-safe: two threads may run the same probe at the same time, both get
 * the same answer.
 */
#include <stdbool.h>

enum feature_id {
	FEATURE_PROG_NAME,	 /* names of programs and maps: 4.15 */
	FEATURE_GLOBAL_DATA,	 /* direct map values: 5.2 */
	FEATURE_BTF,		 /* any BTF at all: 4.18 */
	FEATURE_BTF_FUNC,	 /* 4.20 */
	FEATURE_BTF_GLOBAL_FUNC, /* 5.6 */
	FEATURE_BTF_DATASEC,	 /* VAR and DATASEC: 5.2 */
	FEATURE_BTF_FLOAT,	 /* 5.13 */
	FEATURE_BTF_DECL_TAG,	 /* 5.16 */
	FEATURE_BTF_TYPE_TAG,	 /* 5.17 */
	FEATURE_BTF_ENUM64,	 /* 6.0 */
	FEATURE_ARRAY_MMAP,	 /* BPF_F_MMAPABLE: 5.5 */
	FEATURE_PROBE_READ_KERN, /* bpf_probe_read_kernel and friends: 5.5 */
	FEATURE_BIND_MAP,	 /* BPF_PROG_BIND_MAP: 5.10 */
	FEATURE_PERF_LINK,	 /* links on perf events: 5.15 */
	FEATURE_COOKIE,		 /* bpf_get_attach_cookie() in kprobes: 5.15 */
	FEATURE_MEMCG,		 /* memory accounted to cgroups, no rlimit: 5.11 */
	FEATURE_UPROBE_MULTI,	 /* 6.6 */
	FEATURE_UPROBE_SESSION,	 /* 6.13 */
	FEATURE_RINGBUF,	 /* 5.8 */
	N_FEATURES
};

struct feature {
	/* 0 unknown, 1 no, 2 yes; accessed atomically */
	signed char state[N_FEATURES];
};

/* feature_has() - run the probe if it has not run. */
bool feature_has(struct feature *f, enum feature_id id);
/* feature_name() - "btf_enum64"; static. */
const char *feature_name(enum feature_id id);
/* feature_probe_uncached() - the probe itself, for the features/ directory and tests. */
bool feature_probe_uncached(enum feature_id id);

/**
 * feature_raise_memlock() - lift RLIMIT_MEMLOCK where the kernel still counts by it
 *
 * Only if FEATURE_MEMCG is missing. Return: 0 or what setrlimit(2) said.
 */
int feature_raise_memlock(struct feature *f);
