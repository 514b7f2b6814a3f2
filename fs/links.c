/* SPDX-License-Identifier: BSD-2-Clause */
/* links/ID/, links/NAME/ and objects/X/links/NAME/: links. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "bpf/klink.h"
#include "bpf/kobj.h"
#include "bpf/names.h"
#include "fs/ctl.h"
#include "fs/fs.h"
#include "fs/info.h"
#include "fs/instance.h"
#include "fs/mark.h"
#include "fs/pids.h"
#include "fs/pin.h"
#include "fs/rows.h"

/* What the kernel says of the link, and the descriptor, which the caller closes. */
static int open_info(struct call *c, struct abi_link_info *info, struct klink_names *names)
{
	_cleanup_close_ int fd = subject_open(c->fs, c->self, c->rp);
	int r = fd < 0 ? fd : klink_info(fd, info, names);

	if (fd >= 0 && r < 0)
		return report(c->rp, r, "link %u: no information: %s", c->self->id, strerror(-r));
	return r < 0 ? r : take_fd(fd);
}

static bool is_attached(struct call *c)
{
	bool attached;

	pthread_mutex_lock(&c->fs->lock);
	attached = c->self->link->attachment;
	pthread_mutex_unlock(&c->fs->lock);
	return attached;
}

static int show_spec(struct call *c, struct str *out)
{
	_cleanup_free_ struct klink_names *names = NULL;
	_cleanup_close_ int fd = -1;
	struct abi_link_info info;
	int r;

	if (c->self->link) {
		pthread_mutex_lock(&c->fs->lock);
		link_spec(c->self->link, out);
		pthread_mutex_unlock(&c->fs->lock);
		str_add_char(out, '\n');
		return 0;
	}
	names = malloc(sizeof(*names));
	if (!names)
		return -ENOMEM;
	fd = open_info(c, &info, names);
	if (fd < 0)
		return fd;
	r = info_link_spec(fd, &info, names->name, c->rp, out);
	if (!r)
		str_add_char(out, '\n');
	return r;
}

static int show_prog(struct call *c, struct str *out)
{
	_cleanup_close_ int fd = -1;
	struct abi_link_info info = {};
	char target[32];

	if (c->self->link) {
		pthread_mutex_lock(&c->fs->lock);
		info.prog_id = c->self->link->prog_id;
		pthread_mutex_unlock(&c->fs->lock);
	} else {
		fd = open_info(c, &info, NULL);
		if (fd < 0)
			return fd;
	}
	snprintf(target, sizeof(target), "progs/%u", info.prog_id);
	row_add_target(c, target, out);
	return 0;
}

static int show_state(struct call *c, struct str *out)
{
	_cleanup_close_ int fd = -1;
	struct abi_link_info info;
	bool attached = true;

	if (c->self->link)
		attached = is_attached(c);
	/* What is attached by other means than a link has no id, and nobody else to detach it. */
	if (attached && subject_id(c->fs, c->self)) {
		fd = open_info(c, &info, NULL);
		if (fd < 0)
			return fd;
		attached = info_link_attached(&info);
	}
	show_line(out, "%s", attached ? "attached" : "detached");
	return 0;
}

/* "pid 12 (bpftool), pid 40 (tc)": who keeps a link that is not ours. */
static void add_holders(struct call *c, uint32_t id, struct str *out)
{
	_cleanup_(holders_deinit) struct holders holders = {};
	size_t n = 0;

	holders_scan(c->fs, KOBJ_LINK, id, &holders);
	vec_for_each (h, &holders.list) {
		if (n++ == 3) {
			str_add(out, ", …");
			break;
		}
		str_printf(out, "%spid %d (%s)", n > 1 ? ", " : "", (int)h->pid, h->comm);
	}
	if (!n)
		str_add(out, "no process; look for a pin");
}

/* Ours: what the kernel can detach is detached for all holders, then we let go of it. */
static void detach_own(struct call *c)
{
	struct attachment *a;

	pthread_mutex_lock(&c->fs->lock);
	a = take_ptr(c->self->link->attachment);
	pthread_mutex_unlock(&c->fs->lock);
	for (uint32_t i = 0; a && a->means != ATTACH_PERF_IOCTL && i < a->n_fds; i++)
		klink_detach(a->fds[i]);
	attachment_free(a);
}

static int run_detach(struct call *c, const char *arg)
{
	_cleanup_str_ struct str holders = {};
	_cleanup_close_ int fd = -1;
	struct abi_link_info info;
	const char *type;
	int r;

	(void)arg;
	if (c->self->link) {
		detach_own(c);
		return 0;
	}
	r = mark_check_edit(c, "detach");
	if (r < 0)
		return r;
	fd = open_info(c, &info, NULL);
	if (fd < 0)
		return fd;
	r = klink_detach(fd);
	if (r == -EOPNOTSUPP) {
		type = link_type_name(info.type);
		add_holders(c, info.id, &holders);
		return report(c->rp, r,
			      "the kernel detaches no link of type %s; link %u goes with who holds "
			      "it: %s",
			      type ? type : "unknown", info.id, str_text(&holders));
	}
	return r < 0 ? report(c->rp, r, "cannot detach link %u: %s", info.id, strerror(-r)) : 0;
}

/* What `update` may put in the place of a program: its descriptor and, in the link's object, its
 * index. */
static int open_new_prog(struct call *c, const char *name, struct subject *ret)
{
	_cleanup_(subject_deinit) struct subject s = { .kind = SUBJECT_PROG };
	const char *slash = strchr(name, '/');
	_cleanup_free_ char *object = slash ? strndup(name, slash - name) : NULL;
	uint32_t id = entry_id(name);
	const struct object *obj;
	int fd;

	if (id) {
		if (subject_find(c->fs, SUBJECT_PROG, id, &s) < 0)
			return report(c->rp, -ENOENT, "there is no program %u", id);
	} else {
		s.inst = slash		 ? object ? instance_find(c->fs, object) : NULL
			 : c->self->inst ? instance_ref(c->self->inst)
					 : NULL;
		if (slash && !s.inst)
			return report(c->rp, -ENOENT, "there is no object '%s'", object);
		if (!s.inst)
			return report(c->rp, -EINVAL, "'%s' is neither an id nor OBJECT/PROG",
				      name);
		obj = row_object(c->fs, s.inst);
		s.index =
			obj ? object_find_program(obj, slash ? slash + 1 : name) : OBJECT_NO_INDEX;
		if (s.index == OBJECT_NO_INDEX)
			return report(c->rp, -ENOENT, "there is no program '%s'", name);
	}
	fd = subject_open(c->fs, &s, c->rp);
	if (fd >= 0)
		subject_copy(ret, &s);
	return fd;
}

static bool can_update(uint32_t type)
{
	switch (type) {
	case BPF_LINK_TYPE_CGROUP:
	case BPF_LINK_TYPE_ITER:
	case BPF_LINK_TYPE_NETNS:
	case BPF_LINK_TYPE_XDP:
	case ABI_LINK_TCX:
	case ABI_LINK_NETKIT:
	case ABI_LINK_SOCKMAP:
		return true;
	default:
		return false;
	}
}

static int run_update(struct call *c, const char *name)
{
	_cleanup_(subject_deinit) struct subject prog = {};
	_cleanup_close_ int fd = -1, prog_fd = -1;
	struct abi_link_info info;
	const char *type;
	uint32_t id;
	int r = mark_check_edit(c, "update");

	if (r < 0)
		return r;
	fd = open_info(c, &info, NULL);
	if (fd < 0)
		return fd;
	type = link_type_name(info.type);
	if (!can_update(info.type))
		return report(c->rp, -EOPNOTSUPP,
			      "the kernel does not change the program of a link of type %s; "
			      "attach the other one and remove this link",
			      type ? type : "unknown");
	prog_fd = open_new_prog(c, name, &prog);
	if (prog_fd < 0)
		return prog_fd;
	if (c->self->inst && prog.inst != c->self->inst)
		return report(c->rp, -EOPNOTSUPP,
			      "the link is one of an object: only the object's programs can take "
			      "it over");
	id = subject_id(c->fs, &prog);
	r = klink_update(fd, prog_fd);
	if (r < 0)
		return report(c->rp, r, "cannot put program %u into link %u: %s", id, info.id,
			      r == -EINVAL ? "it is of another type or attach type" : strerror(-r));
	if (!c->self->link)
		return 0;
	pthread_mutex_lock(&c->fs->lock);
	c->self->link->prog_id = id;
	if (c->self->inst)
		c->self->link->prog = prog.index;
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int run_edit(struct call *c, const char *arg)
{
	(void)arg;
	return mark_run(c, MARK_EDIT);
}

static const struct verb verbs[] = {
	{ "update", "PROG", "put another program in its place: ID, or OBJECT/PROG", run_update },
	{ "detach", NULL, "take it off; rmdir removes it, too", run_detach },
	{ "pin", "PATH", "give the link a name in a bpffs, so that it outlives us", pin_run },
	{ "unpin", "[PATH]", "take that name away; without PATH the last one given here",
	  unpin_run },
	{ "edit", NULL, "allow changes of a link that is not ours", run_edit },
	{}
};

static int show_ctl(struct call *c, struct str *out)
{
	(void)c;
	return ctl_show(verbs, out);
}

static int store_ctl(struct call *c, const char *line)
{
	return ctl_run(c, verbs, line);
}

static const struct entry link_entries[] = {
	{ "info", ENTRY_TEXT, 0444, .show = info_show, .help = "what the kernel tells of it" },
	{ "info.json", ENTRY_TEXT, 0444, .show = info_show, .arg = 1,
	  .help = "the same as bpftool -j link show prints it" },
	{ "id", ENTRY_TEXT, 0444, .show = row_show_id,
	  .help = "in the kernel; 0 if it is detached or no bpf link" },
	{ "spec", ENTRY_TEXT, 0444, .show = show_spec,
	  .help = "what would make it again; of foreign links as much as the kernel tells" },
	{ "state", ENTRY_TEXT, 0444, .show = show_state, .help = "attached or detached" },
	{ "ctl", ENTRY_TEXT, 0644, .show = show_ctl, .store = store_ctl,
	  .help = "verbs: update, detach, pin, unpin, edit" },
	{ "pids", ENTRY_TEXT, 0444, .show = row_show_pids,
	  .help = "pid and command of each process that holds it" },
	{ "prog", ENTRY_SYMLINK, 0777, .show = show_prog, .help = "to its program" },
	{ "object", ENTRY_SYMLINK, 0777, .show = row_show_object, .present = row_is_ours,
	  .help = "to the object that it belongs to" },
	{}
};

const struct dir link_dir = { .entries = link_entries };
const struct entry link_entry = { "", ENTRY_DIR, 0755, .dir = &link_dir };

/* A link of ours by name: of @inst, or on a foreign program. -ENOENT. */
static int find_name(struct call *c, const struct instance *inst, const char *name,
		     struct child *ret)
{
	int r = -ENOENT;

	pthread_mutex_lock(&c->fs->lock);
	vec_for_each (l, &c->fs->links) {
		if ((*l)->inst != inst || strcmp((*l)->name, name))
			continue;
		ret->entry = &link_entry;
		subject_of_link(*l, &ret->subject);
		r = 0;
		break;
	}
	pthread_mutex_unlock(&c->fs->lock);
	return r;
}

static void list_names(struct call *c, const struct instance *inst, struct listing *list)
{
	pthread_mutex_lock(&c->fs->lock);
	vec_for_each (l, &c->fs->links) {
		if ((*l)->inst == inst)
			listing_add(list, (*l)->name, S_IFDIR);
	}
	pthread_mutex_unlock(&c->fs->lock);
}

static int find_link(struct call *c, const char *name, struct child *ret)
{
	if (entry_id(name))
		return row_find_id(c, name, SUBJECT_LINK, &link_entry, ret);
	return find_name(c, NULL, name, ret);
}

static int list_links(struct call *c, struct listing *l)
{
	int r = row_list_ids(c, l, SUBJECT_LINK);

	list_names(c, NULL, l);
	return r;
}

static int remove_found(struct call *c, const struct subject *s)
{
	_cleanup_str_ struct str holders = {};

	if (s->link) {
		link_destroy(c->fs, s->link);
		return 0;
	}
	add_holders(c, s->id, &holders);
	return report(c->rp, -EPERM, "link %u is not ours and goes with who holds it: %s", s->id,
		      str_text(&holders));
}

static int remove_link(struct call *c, const char *name)
{
	struct child child = {};
	int r = find_link(c, name, &child);

	if (r < 0)
		return report(c->rp, r, "there is no link '%.200s'", name);
	r = remove_found(c, &child.subject);
	subject_deinit(&child.subject);
	return r;
}

static const struct entry links_entries[] = {
	{ "list.json", ENTRY_CURSOR, 0444, .cursor = &info_list_cursor, .arg = SUBJECT_LINK,
	  .help = "all links, as bpftool -j link show prints them" },
	{}
};

const struct dir links_dir = {
	.entries = links_entries, .find = find_link, .list = list_links, .rmdir = remove_link
};

static int find_own(struct call *c, const char *name, struct child *ret)
{
	return find_name(c, c->self->inst, name, ret);
}

static int list_own(struct call *c, struct listing *l)
{
	list_names(c, c->self->inst, l);
	return 0;
}

static int remove_own(struct call *c, const char *name)
{
	struct child child = {};
	int r = find_own(c, name, &child);

	if (r < 0)
		return report(c->rp, r, "there is no link '%.200s'", name);
	r = remove_found(c, &child.subject);
	subject_deinit(&child.subject);
	return r;
}

const struct dir instance_links_dir = { .find = find_own, .list = list_own, .rmdir = remove_own };
