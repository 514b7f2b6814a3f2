/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * fs - the state of one mount, and the rules of who may touch it.
 *
 * Threads: FUSE loop threads answer requests and never block on anything but
 * short bpf(2) calls; workers (worker.h) load, attach and detach; one poller
 * (hub.h) watches rings that somebody reads.
 *
 * Locks, in the order in which they may nest:
 *	fs->lock    the tables below, and what instance.h says is under it
 *	hub locks   one a ring: its readers
 *	node lock, log locks: leaves, private to their modules
 * No lock is held across bpf(2), perf_event_open(2), file system calls, or a FUSE reply
 * that may run other code of ours.
 */
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/hash.h"
#include "base/vec.h"
#include "bpf/feature.h"
#include "loader/load.h"

struct error_log;
struct hubs;
struct instance;
struct link;
struct marks;
struct nodes;
struct open_dir;
struct open_file;
struct upload;
struct worker_pool;

struct fs_options {
	char *source, *mountpoint;
	int foreground, debug, allow_other, show_help, show_version;
	unsigned uid, gid; /* owner of everything */
	unsigned mode;	   /* of directories; files have its read and write bits */
};

struct fs {
	struct fs_options opt;
	struct fuse_session *session;
	struct timespec start; /* all times of the tree */
	dev_t dev;	       /* of the mount: its own files are refused in specs; 0 until known */

	struct feature features;
	struct load_env env;
	struct nodes *nodes;
	struct worker_pool *workers;
	struct hubs *hubs;
	struct error_log *errors;

	pthread_mutex_t lock;
	/* protected by lock: */
	VEC(struct instance *) instances; /* objects/, a reference each */
	VEC(struct upload *) uploads;	  /* files of load/ and run/ */
	VEC(struct link *) links;	  /* all that we made, a reference each */
	struct marks *marks;		  /* mark.h; NULL until there is one */
	struct open_file *files;	  /* file.c's list: the kernel may go without closing them */
	struct open_dir *dirs;		  /* ops.c's, likewise */
	uint64_t next_serial;
	bool stopping;
};
