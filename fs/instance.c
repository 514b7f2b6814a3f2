/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/instance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "fs/fs.h"
#include "fs/hub.h"
#include "fs/upload.h"
#include "loader/btf.h"

enum { LOG_MAX = 32 << 20 };

const char *instance_state_name(enum instance_state state)
{
	static const char *const names[] = { "empty", "open", "prepared", "loaded", "failed" };

	return names[state];
}

struct instance *instance_new(struct fs *fs, const char *name)
{
	struct instance *inst = calloc(1, sizeof(*inst));

	if (!inst)
		return NULL;
	inst->refs = 1;
	inst->fs = fs;
	inst->name = strdup(name);
	if (!inst->name) {
		free(inst);
		return NULL;
	}
	inst->status.insn = -1;
	strand_init(&inst->strand);
	pthread_mutex_init(&inst->log_lock, NULL);
	pthread_mutex_lock(&fs->lock);
	inst->serial = ++fs->next_serial;
	pthread_mutex_unlock(&fs->lock);
	return inst;
}

struct instance *instance_ref(struct instance *inst)
{
	if (inst)
		__atomic_add_fetch(&inst->refs, 1, __ATOMIC_RELAXED);
	return inst;
}

static void status_deinit(struct instance_status *st)
{
	free(st->text);
	free(st->prog);
	free(st->source);
	*st = (struct instance_status){ .insn = -1 };
}

/* Programs and maps as the tree knows them: as many as the object has. */
static void details_deinit(struct instance *inst)
{
	for (uint32_t i = 0; inst->progs && i < inst->parsed->n_programs; i++) {
		str_deinit(&inst->progs[i].log);
		free(inst->progs[i].insns);
	}
	for (uint32_t i = 0; inst->maps && i < inst->parsed->n_maps; i++)
		free(inst->maps[i].record_type);
	free(inst->progs);
	free(inst->maps);
	inst->progs = NULL;
	inst->maps = NULL;
}

void instance_unref(struct instance *inst)
{
	if (!inst || __atomic_sub_fetch(&inst->refs, 1, __ATOMIC_ACQ_REL))
		return;
	loaded_free(inst->loaded);
	details_deinit(inst);
	load_config_deinit(&inst->cfg);
	object_free(inst->parsed);
	blob_unref(inst->image);
	status_deinit(&inst->status);
	str_deinit(&inst->log);
	pthread_mutex_destroy(&inst->log_lock);
	free(inst->opt_object_name);
	free(inst->opt_pin_root);
	free(inst->opt_custom_btf);
	free(inst->name);
	free(inst);
}

/*
 * The table of objects/.
 */
static struct instance *find_locked(struct fs *fs, const char *name)
{
	vec_for_each (inst, &fs->instances) {
		if ((*inst)->in_table && !strcmp((*inst)->name, name))
			return *inst;
	}
	return NULL;
}

struct instance *instance_find(struct fs *fs, const char *name)
{
	struct instance *inst;

	pthread_mutex_lock(&fs->lock);
	inst = instance_ref(find_locked(fs, name));
	pthread_mutex_unlock(&fs->lock);
	return inst;
}

int instance_add(struct fs *fs, struct instance *inst)
{
	int r;

	pthread_mutex_lock(&fs->lock);
	if (find_locked(fs, inst->name))
		r = -EEXIST;
	else
		r = vec_push(&fs->instances, instance_ref(inst));
	inst->in_table = !r;
	pthread_mutex_unlock(&fs->lock);
	if (r == -ENOMEM)
		instance_unref(inst);
	return r;
}

/* Under the lock: the table's reference is the caller's now. False if it was not there. */
static bool take_out_locked(struct fs *fs, struct instance *inst)
{
	inst->in_table = false;
	for (size_t i = 0; i < fs->instances.len; i++) {
		if (fs->instances.data[i] == inst) {
			fs->instances.data[i] = fs->instances.data[--fs->instances.len];
			return true;
		}
	}
	return false;
}

void instance_drop(struct fs *fs, struct instance *inst)
{
	bool was_there;

	pthread_mutex_lock(&fs->lock);
	inst->gone = true;
	was_there = take_out_locked(fs, inst);
	pthread_mutex_unlock(&fs->lock);
	if (was_there)
		instance_unref(inst);
}

struct instance *instance_swap(struct fs *fs, struct instance *old, struct instance *inst,
			       struct upload *upload)
{
	struct instance *ret = NULL;

	pthread_mutex_lock(&fs->lock);
	for (size_t i = 0; i < fs->instances.len && old->in_table; i++) {
		if (fs->instances.data[i] != old)
			continue;
		ret = old;
		old->in_table = false;
		free(inst->name);
		inst->name = strdup(old->name);
		fs->instances.data[i] = instance_ref(inst);
		inst->in_table = true;
		if (upload && upload->inst == old) {
			upload->inst = instance_ref(inst);
			/* the file's reference; the table's is the caller's */
			__atomic_sub_fetch(&old->refs, 1, __ATOMIC_ACQ_REL);
		}
	}
	pthread_mutex_unlock(&fs->lock);
	return ret;
}

int instance_rename_locked(struct fs *fs, struct instance *inst, const char *to)
{
	char *name;

	if (!strcmp(inst->name, to))
		return 0;
	if (find_locked(fs, to))
		return -EEXIST;
	name = strdup(to);
	if (!name)
		return -ENOMEM;
	free(inst->name);
	inst->name = name;
	return 0;
}

char *instance_name_of(const char *file)
{
	char *name;

	file += strspn(file, ".");
	name = strndup(*file ? file : "object", strcspn(*file ? file : "object", "."));
	for (char *p = name; p && *p; p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
		      (*p >= 'A' && *p <= 'Z') || *p == '_' || *p == '-'))
			*p = '_';
	return name;
}

/*
 * Reports.
 */
static void log_line(void *arg, enum report_level level, const char *text, size_t len)
{
	static const char *const marks[] = { "error: ", "warning: ", "", "", "" };
	struct instance *inst = arg;

	if (level == REPORT_DEBUG)
		return;
	pthread_mutex_lock(&inst->log_lock);
	if (inst->log.len + len < LOG_MAX) {
		str_add(&inst->log, marks[level]);
		str_add_mem(&inst->log, text, len);
		if (len && text[len - 1] != '\n')
			str_add_char(&inst->log, '\n');
	}
	pthread_mutex_unlock(&inst->log_lock);
}

void instance_report_begin(struct instance *inst, struct report *rp)
{
	report_clear(rp);
	rp->sink = log_line;
	rp->arg = inst;
}

static void set_status(struct instance *inst, const char *stage, const struct report *rp, int err)
{
	struct instance_status st = { .err = err, .stage = stage, .insn = -1 }, old;

	if (err < 0) {
		st.text = strdup(rp->err ? rp->text : strerror(-err));
		st.prog = *rp->prog ? strdup(rp->prog) : NULL;
		st.source = *rp->source ? strdup(rp->source) : NULL;
		st.insn = rp->insn;
	}
	pthread_mutex_lock(&inst->fs->lock);
	old = inst->status;
	inst->status = st;
	pthread_mutex_unlock(&inst->fs->lock);
	status_deinit(&old);
}

int instance_report_end(struct instance *inst, const char *stage, struct report *rp, int err)
{
	/* Whoever failed without a sentence still leaves one. */
	if (err < 0 && !rp->err)
		report(rp, err, "%s failed: %s", stage, strerror(-err));
	rp->sink = NULL;
	set_status(inst, stage, rp, err);
	return err;
}

void instance_note_error(struct instance *inst, const char *stage, const struct report *rp)
{
	bool known;

	pthread_mutex_lock(&inst->fs->lock);
	known = inst->status.text && !strcmp(inst->status.text, rp->text);
	pthread_mutex_unlock(&inst->fs->lock);
	if (!known)
		set_status(inst, stage, rp, rp->err);
}

void instance_set_failed(struct instance *inst, const struct report *rp)
{
	log_line(inst, REPORT_ERROR, rp->text, strlen(rp->text));
	pthread_mutex_lock(&inst->fs->lock);
	if (inst->state == INSTANCE_EMPTY)
		inst->state = INSTANCE_FAILED;
	pthread_mutex_unlock(&inst->fs->lock);
	set_status(inst, "open", rp, rp->err);
}

void instance_note_failure(struct instance *running, struct instance *failed)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	char *log = NULL;
	const char *stage;
	size_t len;

	pthread_mutex_lock(&running->fs->lock);
	rp.err = failed->status.err;
	rp.insn = failed->status.insn;
	stage = failed->status.stage;
	snprintf(rp.text, sizeof(rp.text), "%s", failed->status.text ? failed->status.text : "");
	snprintf(rp.prog, sizeof(rp.prog), "%s", failed->status.prog ? failed->status.prog : "");
	snprintf(rp.source, sizeof(rp.source), "%s",
		 failed->status.source ? failed->status.source : "");
	pthread_mutex_unlock(&running->fs->lock);
	pthread_mutex_lock(&failed->log_lock);
	log = str_take(&failed->log);
	pthread_mutex_unlock(&failed->log_lock);
	len = log ? strlen(log) : 0;
	log_line(running, REPORT_WARN, "a new image was refused; the old one goes on running:", 53);
	log_line(running, REPORT_LOG, log ? log : "", len);
	set_status(running, stage ? stage : "load", &rp, rp.err ? rp.err : -EIO);
	free(log);
}

/*
 * The steps.
 */
static int need_state(struct instance *inst, unsigned states, const char *step, struct report *rp)
{
	enum instance_state state;
	bool gone;

	pthread_mutex_lock(&inst->fs->lock);
	state = inst->state;
	gone = inst->gone;
	pthread_mutex_unlock(&inst->fs->lock);
	if (gone)
		return report(rp, -ESTALE, "the object has been unloaded");
	if (!(states & 1u << state))
		return report(rp, -EBUSY, "cannot %s: the object is %s", step,
			      instance_state_name(state));
	return 0;
}

static int custom_btf(const char *path, struct report *rp, struct btf **ret)
{
	int r = btf_parse_file(path, NULL, rp, ret);

	return r < 0 && !rp->err ? report(rp, r, "cannot read BTF from %s: %s", path, strerror(-r))
				 : r;
}

static int do_open(struct instance *inst, struct blob *image, struct report *rp)
{
	_cleanup_(object_freep) struct object *obj = NULL;
	_cleanup_(btf_unrefp) struct btf *custom = NULL;
	struct instance_prog *progs = NULL;
	struct instance_map *maps = NULL;
	struct load_config cfg = {};
	char *name;
	int r;

	r = need_state(inst, 1u << INSTANCE_EMPTY | 1u << INSTANCE_FAILED, "open an image", rp);
	if (r < 0)
		return r;
	if (inst->parsed)
		return report(rp, -EBUSY,
			      "this object has failed already; rmdir it and make a new one");
	pthread_mutex_lock(&inst->fs->lock);
	name = strdup(inst->opt_object_name ? inst->opt_object_name : inst->name);
	pthread_mutex_unlock(&inst->fs->lock);
	r = name ? object_parse(image->data, image->len, name, rp, &obj) : -ENOMEM;
	free(name);
	if (!r && inst->opt_custom_btf)
		r = custom_btf(inst->opt_custom_btf, rp, &custom);
	if (!r)
		r = load_config_init(obj, &cfg);
	if (r < 0)
		return r;
	progs = calloc(obj->n_programs + 1, sizeof(*progs));
	maps = calloc(obj->n_maps + 1, sizeof(*maps));
	if (!progs || !maps) {
		free(progs);
		free(maps);
		load_config_deinit(&cfg);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < obj->n_programs; i++)
		progs[i].autoattach = true;
	for (uint32_t i = 0; i < obj->n_maps; i++)
		maps[i].params = obj->maps[i].params;
	cfg.log_level = inst->opt_log_level;
	cfg.custom_btf = take_ptr(custom);
	pthread_mutex_lock(&inst->fs->lock);
	if (inst->opt_pin_root) {
		free(cfg.pin_root);
		cfg.pin_root = strdup(inst->opt_pin_root);
	}
	inst->progs = progs;
	inst->maps = maps;
	inst->cfg = cfg;
	inst->image = blob_ref(image);
	/* Last: whoever sees the object may look at all the others. */
	inst->parsed = take_ptr(obj);
	inst->state = INSTANCE_OPEN;
	pthread_mutex_unlock(&inst->fs->lock);
	return 0;
}

static void set_state(struct instance *inst, enum instance_state state)
{
	pthread_mutex_lock(&inst->fs->lock);
	inst->state = state;
	pthread_mutex_unlock(&inst->fs->lock);
}

int instance_open(struct instance *inst, struct blob *image, struct report *rp)
{
	int r;

	instance_report_begin(inst, rp);
	r = do_open(inst, image, rp);
	if (r < 0 && !inst->parsed)
		set_state(inst, INSTANCE_FAILED);
	return instance_report_end(inst, "open", rp, r);
}

/* Make what the kernel gave visible. The logs and instructions move, for the descriptors may close.
 */
static void publish(struct instance *inst, enum instance_state state)
{
	struct loaded *l = inst->loaded;

	pthread_mutex_lock(&inst->fs->lock);
	for (uint32_t i = 0; i < l->n_maps; i++) {
		inst->maps[i].id = state == INSTANCE_FAILED ? 0 : l->maps[i].id;
		if (l->maps[i].id)
			inst->maps[i].params = l->maps[i].params;
	}
	for (uint32_t i = 0; i < l->n_progs; i++) {
		struct instance_prog *p = &inst->progs[i];

		p->id = state == INSTANCE_FAILED ? 0 : l->progs[i].id;
		str_deinit(&p->log);
		p->log = l->progs[i].log;
		l->progs[i].log = (struct str){};
		if (l->progs[i].code.insns) {
			free(p->insns);
			p->insns = take_ptr(l->progs[i].code.insns);
			p->n_insns = l->progs[i].code.n_insns;
		}
	}
	inst->state = state;
	pthread_mutex_unlock(&inst->fs->lock);
}

static int copy_config(struct instance *inst, struct load_config *cfg)
{
	int r;

	pthread_mutex_lock(&inst->fs->lock);
	r = load_config_copy(&inst->cfg, cfg);
	pthread_mutex_unlock(&inst->fs->lock);
	return r;
}

static int do_prepare(struct instance *inst, const struct load_config *cfg, struct report *rp)
{
	int r = load_prepare(inst->parsed, cfg, &inst->fs->env, rp, &inst->loaded);

	if (r < 0)
		set_state(inst, INSTANCE_FAILED);
	return r;
}

/* publish() takes the instructions, which load_programs() still needs: so only the maps here. */
static void publish_prepared(struct instance *inst)
{
	pthread_mutex_lock(&inst->fs->lock);
	for (uint32_t i = 0; i < inst->loaded->n_maps; i++) {
		inst->maps[i].id = inst->loaded->maps[i].id;
		if (inst->maps[i].id)
			inst->maps[i].params = inst->loaded->maps[i].params;
	}
	inst->state = INSTANCE_PREPARED;
	pthread_mutex_unlock(&inst->fs->lock);
}

int instance_prepare(struct instance *inst, struct report *rp)
{
	struct load_config cfg = {};
	int r;

	instance_report_begin(inst, rp);
	r = need_state(inst, 1u << INSTANCE_OPEN, "prepare", rp);
	if (!r)
		r = copy_config(inst, &cfg);
	if (!r)
		r = do_prepare(inst, &cfg, rp);
	if (!r)
		publish_prepared(inst);
	load_config_deinit(&cfg);
	return instance_report_end(inst, "prepare", rp, r);
}

static void set_loading(struct instance *inst, bool loading)
{
	pthread_mutex_lock(&inst->fs->lock);
	inst->loading = loading;
	pthread_mutex_unlock(&inst->fs->lock);
}

int instance_load(struct instance *inst, struct report *rp)
{
	struct load_config cfg = {};
	int r;

	instance_report_begin(inst, rp);
	r = need_state(inst, 1u << INSTANCE_OPEN | 1u << INSTANCE_PREPARED, "load", rp);
	if (!r)
		r = copy_config(inst, &cfg);
	if (!r && !inst->loaded)
		r = do_prepare(inst, &cfg, rp);
	if (!r) {
		set_loading(inst, true);
		r = load_programs(inst->loaded, &cfg, rp);
		set_loading(inst, false);
		publish(inst, r < 0 ? INSTANCE_FAILED : INSTANCE_LOADED);
		if (r < 0) {
			loaded_undo_pins(inst->loaded, &cfg);
			loaded_free(take_ptr(inst->loaded));
		}
	}
	load_config_deinit(&cfg);
	return instance_report_end(inst, "load", rp, r);
}

/* End the streams of its maps and give back all descriptors. */
static void close_all(struct instance *inst)
{
	struct loaded *l = take_ptr(inst->loaded);

	instance_detach(inst);
	for (uint32_t i = 0; l && i < l->n_maps; i++)
		if (l->maps[i].id)
			hubs_map_gone(inst->fs->hubs, l->maps[i].id);
	pthread_mutex_lock(&inst->fs->lock);
	for (uint32_t i = 0; inst->maps && i < inst->parsed->n_maps; i++)
		inst->maps[i].id = 0;
	for (uint32_t i = 0; inst->progs && i < inst->parsed->n_programs; i++)
		inst->progs[i].id = 0;
	pthread_mutex_unlock(&inst->fs->lock);
	loaded_free(l);
}

void instance_fail(struct instance *inst)
{
	close_all(inst);
	set_state(inst, INSTANCE_FAILED);
}

void instance_unload(struct instance *inst)
{
	uploads_forget_instance(inst->fs, inst);
	instance_drop(inst->fs, inst);
	close_all(inst);
}

/*
 * Calling into a strand.
 */
struct call_job {
	struct job job;
	struct instance *inst;
	int (*fn)(struct instance *inst, void *arg);
	void *arg;
	int ret;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done; /* protected by lock */
};

static void call_run(struct job *j)
{
	struct call_job *job = container_of(j, struct call_job, job);

	job->ret = job->fn(job->inst, job->arg);
}

static void call_release(struct job *j)
{
	struct call_job *job = container_of(j, struct call_job, job);

	pthread_mutex_lock(&job->lock);
	job->done = true;
	pthread_cond_signal(&job->cond);
	pthread_mutex_unlock(&job->lock);
}

int instance_call(struct instance *inst, int (*fn)(struct instance *inst, void *arg), void *arg)
{
	struct call_job job = { .job = { .run = call_run, .release = call_release },
				.inst = inst,
				.fn = fn,
				.arg = arg };
	int r;

	pthread_mutex_init(&job.lock, NULL);
	pthread_cond_init(&job.cond, NULL);
	r = worker_submit(inst->fs->workers, &inst->strand, &job.job);
	if (r == 0) {
		pthread_mutex_lock(&job.lock);
		while (!job.done)
			pthread_cond_wait(&job.cond, &job.lock);
		pthread_mutex_unlock(&job.lock);
		r = job.ret;
	}
	pthread_cond_destroy(&job.cond);
	pthread_mutex_destroy(&job.lock);
	return r;
}
