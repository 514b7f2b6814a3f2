/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link - attachments that we made, as the tree knows them: names, and who detaches.
 *
 * A link is attached while it holds its attachment; whoever takes that out, under
 * fs->lock, is the one who detaches, so two rmdirs cannot meet.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "bpf/kobj.h"
#include "bpf/kprog.h"
#include "fs/fs.h"
#include "fs/instance.h"
#include "loader/attach.h"
#include "loader/spec.h"

struct link *link_ref(struct link *l)
{
	if (l)
		__atomic_add_fetch(&l->refs, 1, __ATOMIC_RELAXED);
	return l;
}

void link_unref(struct link *l)
{
	if (!l || __atomic_sub_fetch(&l->refs, 1, __ATOMIC_ACQ_REL))
		return;
	attachment_free(l->attachment);
	free(l->name);
	free(l->spec);
	free(l);
}

void link_spec(const struct link *l, struct str *out)
{
	str_add(out, l->spec);
	if (l->named) {
		str_add(out, " as=");
		str_add_word(out, l->name, strlen(l->name));
	}
}

/* Under fs->lock. */
static struct link *find_locked(struct fs *fs, const struct instance *inst, const char *name)
{
	vec_for_each (l, &fs->links) {
		if ((*l)->inst == inst && !strcmp((*l)->name, name))
			return *l;
	}
	return NULL;
}

/* A link's name is a file's: and one that is only digits would hide the kernel's link of that id.
 */
static int check_name(const char *name, struct report *rp)
{
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || strchr(name, '/') ||
	    strlen(name) > 255)
		return report(rp, -EINVAL, "'%s' cannot be the name of a link", name);
	if (strspn(name, "0123456789") == strlen(name))
		return report(rp, -EINVAL,
			      "the name of a link cannot be a number (%s): ids are numbers", name);
	return 0;
}

/* Under fs->lock: NAME, or NAME-2, NAME-3, … malloc'ed. */
static char *default_name(struct fs *fs, const struct instance *inst, const char *prog)
{
	char *name = strdup(prog);

	for (unsigned n = 2; name && find_locked(fs, inst, name); n++) {
		free(name);
		if (asprintf(&name, "%s-%u", prog, n) < 0)
			name = NULL;
	}
	return name;
}

/* Who is attached, and for whom. */
struct target {
	struct fs *fs;
	struct instance *inst; /* NULL: a program that is not ours */
	uint32_t prog, prog_id;
	struct attach_prog prog_desc;
};

static int check_file(void *arg, int fd, const char *path, struct report *rp)
{
	struct fs *fs = arg;
	struct stat st;

	/* Decided on the descriptor: a path could lead elsewhere by the time it is used. */
	if (fstat(fd, &st) == 0 && fs->dev && st.st_dev == fs->dev)
		return report(rp, -ELOOP,
			      "%s lies on this very mount: the daemon would wait for itself", path);
	return 0;
}

static int enter_link(const struct target *t, const struct spec *s, struct attachment *a,
		      struct report *rp, struct link **ret)
{
	struct link *l = calloc(1, sizeof(*l));
	int r = -ENOMEM;

	if (!l)
		return r;
	*l = (struct link){ .refs = 2, /* the table's and the caller's */
			    .inst = t->inst,
			    .prog = t->prog,
			    .prog_id = t->prog_id,
			    .id = a->id,
			    .named = s->as != NULL };
	l->spec = strdup(a->spec);
	pthread_mutex_lock(&t->fs->lock);
	l->serial = ++t->fs->next_serial;
	l->name = s->as ? strdup(s->as) : default_name(t->fs, t->inst, t->prog_desc.name);
	if (l->name && l->spec && find_locked(t->fs, t->inst, l->name))
		r = -EEXIST;
	else if (l->name && l->spec)
		r = vec_push(&t->fs->links, l);
	if (!r)
		l->attachment = a;
	pthread_mutex_unlock(&t->fs->lock);
	if (r < 0) {
		if (r == -EEXIST)
			report(rp, r, "there is a link '%s' already", l->name);
		l->refs = 1;
		link_unref(l);
		return r;
	}
	*ret = l;
	return 0;
}

static bool is_auto(const char *line)
{
	line += strspn(line, " \t\r");
	return !strncmp(line, "auto", 4) && !line[4 + strspn(line + 4, " \t\r")];
}

static int attach_one(const struct target *t, const char *section, const char *line, pid_t pid,
		      const bool *abandoned, struct report *rp, struct link **ret)
{
	struct attach_env env = {
		.features = &t->fs->features, .writer = pid, .check_file = check_file, .arg = t->fs
	};
	_cleanup_(spec_freep) struct spec *s = NULL;
	_cleanup_(attachment_freep) struct attachment *a = NULL;
	struct link *l = NULL;
	int r;

	r = is_auto(line) ? spec_from_section(section, rp, &s) : spec_parse(line, rp, &s);
	if (!r && s->as)
		r = check_name(s->as, rp);
	if (r < 0)
		return r;
	/* Asked before as well, so that a taken name does not attach for a moment. */
	pthread_mutex_lock(&t->fs->lock);
	r = s->as && find_locked(t->fs, t->inst, s->as) ? -EEXIST : 0;
	pthread_mutex_unlock(&t->fs->lock);
	if (r < 0)
		return report(rp, r, "there is a link '%s' already; choose another as=NAME", s->as);
	r = attach(&env, &t->prog_desc, s, rp, &a);
	if (!r)
		r = enter_link(t, s, a, rp, &l);
	if (r < 0)
		return r;
	a = NULL;
	if (abandoned && __atomic_load_n(abandoned, __ATOMIC_ACQUIRE)) {
		link_destroy(t->fs, l);
		link_unref(l);
		return report(rp, -EINTR, "the writer was interrupted; the link was undone");
	}
	if (ret)
		*ret = l;
	else
		link_unref(l);
	return 0;
}

static int need_loaded(struct instance *inst, struct report *rp)
{
	enum instance_state state;
	bool gone;

	pthread_mutex_lock(&inst->fs->lock);
	state = inst->state;
	gone = inst->gone;
	pthread_mutex_unlock(&inst->fs->lock);
	if (gone)
		return report(rp, -ESTALE, "the object has been unloaded");
	if (state != INSTANCE_LOADED)
		return report(rp, -EBUSY, "load the object first: it is %s",
			      instance_state_name(state));
	return 0;
}

static int target_init(struct instance *inst, uint32_t prog, struct report *rp, struct target *ret)
{
	struct loaded_prog *lp;
	int r = need_loaded(inst, rp);

	if (r < 0)
		return r;
	pthread_mutex_lock(&inst->fs->lock);
	ret->prog_desc.type = inst->cfg.progs[prog].type;
	ret->prog_desc.attach_type = inst->cfg.progs[prog].attach_type;
	pthread_mutex_unlock(&inst->fs->lock);
	lp = &inst->loaded->progs[prog];
	if (lp->fd < 0)
		return report(rp, -ENOENT, "program '%s' was not loaded (autoload is 0)",
			      inst->parsed->programs[prog].name);
	ret->fs = inst->fs;
	ret->inst = inst;
	ret->prog = prog;
	ret->prog_id = lp->id;
	ret->prog_desc.fd = lp->fd;
	ret->prog_desc.name = inst->parsed->programs[prog].name;
	return 0;
}

int instance_attach(struct instance *inst, uint32_t prog, const char *line, pid_t pid,
		    const bool *abandoned, struct report *rp)
{
	struct target t = {};
	int r;

	instance_report_begin(inst, rp);
	r = target_init(inst, prog, rp, &t);
	if (!r)
		r = attach_one(&t, inst->parsed->programs[prog].section, line, pid, abandoned, rp,
			       NULL);
	if (r < 0 && !*rp->prog)
		snprintf(rp->prog, sizeof(rp->prog), "%s",
			 inst->parsed ? inst->parsed->programs[prog].name : "");
	return instance_report_end(inst, "attach", rp, r);
}

/* Does SEC() say how and where to attach the program? */
static bool attaches_auto(struct instance *inst, uint32_t i)
{
	const struct program *p = &inst->parsed->programs[i];
	bool autoattach;

	pthread_mutex_lock(&inst->fs->lock);
	autoattach = inst->progs[i].autoattach;
	pthread_mutex_unlock(&inst->fs->lock);
	if (!autoattach || inst->loaded->progs[i].fd < 0 || !p->rule ||
	    !(p->rule->flags & SECTION_AUTO) || !p->rule->kind)
		return false;
	return !p->rule->kind->can_auto || p->rule->kind->can_auto(p->extra);
}

static int attach_all(struct instance *inst, pid_t pid, const bool *abandoned, struct report *rp)
{
	VEC(struct link *) made = {};
	int r = need_loaded(inst, rp);

	for (uint32_t i = 0; !r && i < inst->parsed->n_programs; i++) {
		struct target t = {};
		struct link *l = NULL;

		if (!attaches_auto(inst, i)) {
			report_note(rp, REPORT_INFO, "program '%s' (%s) is not attached by auto",
				    inst->parsed->programs[i].name,
				    inst->parsed->programs[i].section);
			continue;
		}
		r = target_init(inst, i, rp, &t);
		if (!r)
			r = vec_reserve(&made, 1);
		if (!r)
			r = attach_one(&t, inst->parsed->programs[i].section, "auto", pid,
				       abandoned, rp, &l);
		if (r < 0)
			snprintf(rp->prog, sizeof(rp->prog), "%s", inst->parsed->programs[i].name);
		else
			vec_push(&made, l);
	}
	vec_for_each (l, &made) {
		if (r < 0)
			link_destroy(inst->fs, *l);
		link_unref(*l);
	}
	vec_deinit(&made);
	return r;
}

int instance_attach_auto(struct instance *inst, pid_t pid, const bool *abandoned, struct report *rp)
{
	instance_report_begin(inst, rp);
	return instance_report_end(inst, "attach", rp, attach_all(inst, pid, abandoned, rp));
}

int foreign_attach(struct fs *fs, uint32_t prog_id, const char *line, pid_t pid,
		   const bool *abandoned, struct report *rp)
{
	_cleanup_close_ int fd = kobj_fd_by_id(KOBJ_PROG, prog_id);
	struct bpf_prog_info info = {};
	struct target t = { .fs = fs, .prog_id = prog_id };
	int r;

	if (fd < 0)
		return report(rp, fd == -ENOENT ? -ESTALE : fd, "program %u is gone", prog_id);
	r = kprog_info(fd, &info);
	if (r < 0)
		return report(rp, r, "program %u tells nothing of itself: %s", prog_id,
			      strerror(-r));
	if (is_auto(line))
		return report(rp, -EINVAL,
			      "'auto' needs the SEC() of an object; write a spec for program %u",
			      prog_id);
	t.prog_desc = (struct attach_prog){ .fd = fd,
					    .name = info.name[0] ? info.name : "prog",
					    .type = info.type,
					    .attach_type = 0 }; /* not told by the kernel */
	return attach_one(&t, "", line, pid, abandoned, rp, NULL);
}

/*
 * Detaching.
 */
/* Under fs->lock: the table's reference is the caller's now. False if another was first. */
static bool take_out_locked(struct fs *fs, struct link *l, struct attachment **ret)
{
	for (size_t i = 0; i < fs->links.len; i++) {
		if (fs->links.data[i] != l)
			continue;
		/* In order, so that `attach` lists links as they were made. */
		memmove(&fs->links.data[i], &fs->links.data[i + 1],
			(fs->links.len - i - 1) * sizeof(struct link *));
		fs->links.len--;
		*ret = take_ptr(l->attachment);
		return true;
	}
	return false;
}

void link_destroy(struct fs *fs, struct link *l)
{
	struct attachment *a = NULL;
	bool mine;

	pthread_mutex_lock(&fs->lock);
	mine = take_out_locked(fs, l, &a);
	pthread_mutex_unlock(&fs->lock);
	if (!mine)
		return;
	attachment_free(a);
	link_unref(l);
}

/* Several detaches at once: each may wait 100 ms for the kernel's readers. */
struct detach_group {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned left; /* protected by lock */
};

struct detach_job {
	struct job job;
	struct attachment *a;
	struct detach_group *group;
};

static void detach_run(struct job *j)
{
	struct detach_job *job = container_of(j, struct detach_job, job);

	attachment_free(take_ptr(job->a));
}

static void detach_release(struct job *j)
{
	struct detach_job *job = container_of(j, struct detach_job, job);
	struct detach_group *g = job->group;

	free(job);
	pthread_mutex_lock(&g->lock);
	if (!--g->left)
		pthread_cond_signal(&g->cond);
	pthread_mutex_unlock(&g->lock);
}

static void detach_parallel(struct fs *fs, struct attachment **list, size_t n)
{
	struct detach_group g = { .left = 0 };

	pthread_mutex_init(&g.lock, NULL);
	pthread_cond_init(&g.cond, NULL);
	/* The last one here: one link needs no other thread. */
	for (size_t i = 0; i < n; i++) {
		struct detach_job *job = i + 1 < n ? calloc(1, sizeof(*job)) : NULL;

		if (job) {
			*job = (struct detach_job){ .job = { .run = detach_run,
							     .release = detach_release },
						    .a = list[i],
						    .group = &g };
			pthread_mutex_lock(&g.lock);
			g.left++;
			pthread_mutex_unlock(&g.lock);
			if (worker_submit(fs->workers, NULL, &job->job) == 0)
				continue;
			detach_release(&job->job);
		}
		attachment_free(list[i]);
	}
	pthread_mutex_lock(&g.lock);
	while (g.left)
		pthread_cond_wait(&g.cond, &g.lock);
	pthread_mutex_unlock(&g.lock);
	pthread_cond_destroy(&g.cond);
	pthread_mutex_destroy(&g.lock);
}

void instance_detach(struct instance *inst)
{
	VEC(struct attachment *) list = {};
	VEC(struct link *) out = {};
	struct fs *fs = inst->fs;

	pthread_mutex_lock(&fs->lock);
	for (size_t i = fs->links.len; i-- > 0;) {
		struct link *l = fs->links.data[i];
		struct attachment *a = NULL;

		if (l->inst != inst || vec_reserve(&list, 1) < 0 || vec_reserve(&out, 1) < 0)
			continue;
		if (take_out_locked(fs, l, &a) && a)
			vec_push(&list, a);
		vec_push(&out, l);
	}
	pthread_mutex_unlock(&fs->lock);
	detach_parallel(fs, list.data, list.len);
	vec_for_each (l, &out)
		link_unref(*l);
	vec_deinit(&list);
	vec_deinit(&out);
}
