/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * instance - an object that this daemon holds: objects/NAME/.
 *
 *	empty --open--> open --prepare--> prepared --load--> loaded
 *	                  \------------------load------------^
 *	any step that fails: failed (its log stays, nothing of it in the kernel)
 *
 * All that changes an instance runs on its strand, one at a time: the functions
 * marked [strand]. Looking happens on any thread under fs->lock, which is never
 * held while the kernel works: results are made aside and published at the end.
 *
 *   - parsed, once set, is immutable and stays for the instance's life.
 *   - cfg, loaded, progs, links, status, state are under fs->lock.
 *   - the log has its own lock, so that it can be read while the verifier talks.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/report.h"
#include "base/str.h"
#include "base/vec.h"
#include "fs/worker.h"
#include "loader/attach.h"
#include "loader/load.h"
#include "loader/object.h"

struct fs;
struct instance;
struct upload;

enum instance_state { INSTANCE_EMPTY, INSTANCE_OPEN, INSTANCE_PREPARED, INSTANCE_LOADED, INSTANCE_FAILED };
const char *instance_state_name(enum instance_state state);

/* A link that we made: on a program of an instance, or on somebody else's. Counted. */
struct link {
	unsigned refs; /* atomic */
	char *name;
	struct instance *inst; /* NULL if the program is not ours; not counted: unload unlinks first */
	uint32_t prog;	       /* index in it */
	uint32_t prog_id, id;  /* kernel's; id 0 for means without a bpf link */
	uint64_t serial;
	char *spec;	 /* canonical, without as= */
	bool named;	 /* by as= */
	/* Set while attached; taken by whoever detaches. Protected by fs->lock. */
	struct attachment *attachment;
};
struct link *link_ref(struct link *l);
void link_unref(struct link *l);

/* What a step left behind for status and status.json. */
struct instance_status {
	int err;	   /* 0: ok */
	const char *stage; /* "open", "load", "attach", … */
	char *text;	   /* NULL: ok */
	char *prog, *source;
	int32_t insn;
};

/* Per program: what the tree shows of it beyond what the object says. */
struct instance_prog {
	uint32_t id; /* 0: not loaded */
	struct str log;
	struct bpf_insn *insns; /* after relocation; NULL: as in the object */
	uint32_t n_insns;
	bool autoattach;
};

struct instance_map {
	uint32_t id; /* 0: not created */
	struct map_params params;
	char *record_type; /* as written; NULL: as the object says */
};

struct instance {
	unsigned refs; /* atomic */
	struct fs *fs;
	uint64_t serial;
	struct strand strand;
	/* protected by fs->lock: */
	char *name;
	bool in_table; /* objects/NAME is this one */
	bool gone;     /* unloaded for good: files of it answer ESTALE */
	bool loading;  /* in the verifier: may take long, and nothing is attached yet */
	enum instance_state state;
	char *opt_object_name, *opt_pin_root, *opt_custom_btf;
	uint32_t opt_log_level;
	struct blob *image; /* as it was written; NULL before */
	struct object *parsed;
	struct load_config cfg;
	struct loaded *loaded;	     /* touched on the strand only */
	struct instance_prog *progs; /* parsed->n_programs of them */
	struct instance_map *maps;   /* parsed->n_maps of them */
	struct instance_status status;
	/* own lock: */
	pthread_mutex_t log_lock;
	struct str log;
};

struct instance *instance_new(struct fs *fs, const char *name);
struct instance *instance_ref(struct instance *inst);
void instance_unref(struct instance *inst);

/*
 * The table of objects/. Each takes fs->lock itself.
 */
/* Counted, or NULL. */
struct instance *instance_find(struct fs *fs, const char *name);
/* 0, -EEXIST, -ENOMEM. The table takes its own reference. */
int instance_add(struct fs *fs, struct instance *inst);
/*
 * instance_swap() - put @inst where @old is, in the table and behind its file.
 * Return: @old (counted), now without a name; NULL (nothing done) if it was not in the table.
 */
struct instance *instance_swap(struct fs *fs, struct instance *old, struct instance *inst,
			       struct upload *upload);
/* instance_drop() - take one out of the table again that has nothing in the kernel. */
void instance_drop(struct fs *fs, struct instance *inst);
/* 0, -EEXIST, -ENOMEM: objects/FROM becomes objects/TO. Caller holds fs->lock. */
int instance_rename_locked(struct fs *fs, struct instance *inst, const char *to);

/* instance_name_of() - "execsnoop" for "execsnoop.bpf.o": the object's name for a file's; malloc'ed. */
char *instance_name_of(const char *file);

/* [strand] Take the image apart: empty -> open. Keeps a reference. -EBUSY if it is open already. */
int instance_open(struct instance *inst, struct blob *image, struct report *rp);
/* [strand] open -> prepared. -EBUSY in another state. */
int instance_prepare(struct instance *inst, struct report *rp);
/* [strand] open or prepared -> loaded. */
int instance_load(struct instance *inst, struct report *rp);
/*
 * [strand] Detach all links (in parallel), close everything, end streams. The
 * instance is gone for good; its name is free when this returns.
 */
void instance_unload(struct instance *inst);

/* [strand] What failed half-way: detach and close everything, stay in the table as failed. */
void instance_fail(struct instance *inst);
/* A write to a file of the instance failed: its status, unless the step that failed has said so itself. */
void instance_note_error(struct instance *inst, const char *stage, const struct report *rp);
/* An image that never became an object: an empty or failed instance is failed with this sentence,
 * one that runs gets it as its status. */
void instance_set_failed(struct instance *inst, const struct report *rp);
/* Tell @running what happened to @failed, that was to replace it: status and log. */
void instance_note_failure(struct instance *running, struct instance *failed);

/**
 * instance_attach() - [strand] attach one program by a spec line
 * @line: a spec, or "auto" for what SEC() says
 * @pid:  the writer
 * @abandoned: checked at the end: if set, the link is undone. May be NULL.
 */
int instance_attach(struct instance *inst, uint32_t prog, const char *line, pid_t pid,
		    const bool *abandoned, struct report *rp);
/* [strand] All programs that have autoattach and a SEC() that says to what; one failure undoes all. */
int instance_attach_auto(struct instance *inst, pid_t pid, const bool *abandoned, struct report *rp);
/* [strand] Detach all links of the instance, in parallel. */
void instance_detach(struct instance *inst);

/* [strand] Every map and program as DIR/NAME ('.' becomes '_'); all or none. DIR's last part is made. */
int instance_pin(struct instance *inst, const char *dir, struct report *rp);
/* [strand] Remove those names; goes on after a failure and returns the first. */
int instance_unpin(struct instance *inst, const char *dir, struct report *rp);

/* A program that is not ours: attach it, the link lives in links/NAME. On any worker. */
int foreign_attach(struct fs *fs, uint32_t prog_id, const char *line, pid_t pid, const bool *abandoned,
		   struct report *rp);
/* The line that would make it again: spec and as= if it was given. Under fs->lock. */
void link_spec(const struct link *l, struct str *out);
/* Take a link out of all tables and detach it. On a worker. */
void link_destroy(struct fs *fs, struct link *l);

/**
 * instance_call() - run @fn on the instance's strand and wait for it
 *
 * From a worker that is not on that strand. Return: what @fn returned, or -errno
 * if it could not be run.
 */
int instance_call(struct instance *inst, int (*fn)(struct instance *inst, void *arg), void *arg);

/*
 * A step's report: between the two, lines of @rp go to the instance's log; the
 * end makes the instance's status of it. Returns @err.
 */
void instance_report_begin(struct instance *inst, struct report *rp);
int instance_report_end(struct instance *inst, const char *stage, struct report *rp, int err);
