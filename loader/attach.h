/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * attach - hang a loaded program on something, and know how to take it off.
 *
 * A kind is one file in loader/attach/ that exports one const struct attach_kind;
 * section rules point at it. To add one: that file, its name in meson.build, and the rows in
 * section.c that use it.
 *
 * A struct attachment is what attaching made: usually one bpf link, for other
 * ways a perf event or several links. It owns its descriptors; freeing it
 * detaches. It keeps no pointer to program or spec.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "base/str.h"

struct feature;
struct spec;

/* The program to attach. */
struct attach_prog {
	int fd;
	const char *name;
	uint32_t type, attach_type; /* attach_type 0: none, or unknown */
};

struct attach_env {
	struct feature *features;
	pid_t writer; /* who wrote the spec: pid=self; 0 if unknown */
	/*
	 * Asked for each file that a spec names, before it is opened for reading: @fd is
	 * O_PATH, good for fstat(2) and the like. -ELOOP (with a sentence) if the daemon
	 * would wait for itself. NULL: all are fine.
	 */
	int (*check_file)(void *arg, int fd, const char *path, struct report *rp);
	void *arg;
};

enum attach_means {
	ATTACH_LINK,	  /* one bpf link: can be pinned, seen, sometimes updated */
	ATTACH_PERF_IOCTL, /* a perf event, program set by ioctl: dies with the descriptor */
	ATTACH_COMPOSITE, /* several links that are one thing here */
};

struct attachment {
	enum attach_means means;
	int *fds; /* links (or perf events), n_fds of them, at least one */
	uint32_t n_fds;
	int *perf_fds; /* perf events under perf links: disabled, then closed, on free */
	uint32_t n_perf_fds;
	uint32_t id; /* of the link; of the first for a composite; 0 if there is none */
	/* The spec in canonical form: writing it back makes the same. Without as=. */
	char *spec;
};

/* An option of a kind; spec_parse() refuses others. */
struct attach_option {
	const char *name;
	const char *help; /* "N: value that the program gets from bpf_get_attach_cookie()" */
	bool is_flag;
};

struct attach_kind {
	const char *name;    /* "uprobe" */
	const char *usage;   /* "uprobe/PATH:FUNC[+OFFSET]", for README and sentences */
	const char *example; /* "uprobe//usr/lib/x86_64-linux-gnu/libc.so.6:malloc cookie=1" */
	const struct attach_option *options; /* ended by a row without name */
	/* Is the target in SEC() enough to attach by "auto"? @target may be NULL. */
	bool (*can_auto)(const char *target);
	/*
	 * 0 and *@ret; else -errno and a sentence, nothing left behind.
	 * @s was checked by spec_parse(). May block; may run in several threads at once.
	 */
	int (*attach)(const struct attach_env *env, const struct attach_prog *prog,
		      const struct spec *s, struct report *rp, struct attachment **ret);
};

/**
 * attach() - do what a spec says
 *
 * Return: 0; -EINVAL the spec does not fit the program's type (sentence) or the
 * kind said so; -ENOENT no such symbol, tracepoint, binary; -ENODEV no such
 * interface, or no tracefs; -ELOOP a file on the mount itself; -ESRCH no such
 * process; -ESTALE a file that was replaced meanwhile;
 * -EOPNOTSUPP not on this kernel; else the kernel's.
 */
int attach(const struct attach_env *env, const struct attach_prog *prog, const struct spec *s,
	   struct report *rp, struct attachment **ret);

/* Detach and close. May take 100 ms (the kernel waits for readers). */
void attachment_free(struct attachment *a);
DEFINE_CLEANUP(struct attachment, attachment_free)

/* For kinds: an attachment of one link (and its perf event, or -1). Takes the descriptors on success only. */
int attachment_new(enum attach_means means, int fd, int perf_fd, struct str *spec,
		   struct attachment **ret);
/* For kinds: pid=N|any|self as a number: -1 any (default). -EINVAL for 0, -ESRCH if it is gone. */
int attach_pid(const struct attach_env *env, const struct spec *s, struct report *rp, pid_t *ret);

/* The kinds, one file each. */
extern const struct attach_kind attach_tracepoint, attach_raw_tp, attach_uprobe, attach_uprobe_multi,
	attach_xdp, attach_cgroup;
/* All of them, NULL at the end: for README and tests. */
extern const struct attach_kind *const attach_kinds[];
