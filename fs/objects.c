/* SPDX-License-Identifier: BSD-2-Clause */
/* objects - objects/ and objects/NAME/: what this daemon holds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "fs/ctl.h"
#include "fs/entry.h"
#include "fs/fs.h"
#include "fs/instance.h"
#include "loader/btf_print.h"

static struct instance *self_inst(const struct call *c)
{
	return c->self->inst;
}

static bool is_parsed(struct fs *fs, const struct subject *self)
{
	bool ret;

	pthread_mutex_lock(&fs->lock);
	ret = self->inst->parsed != NULL;
	pthread_mutex_unlock(&fs->lock);
	return ret;
}

/*
 * State, status, log.
 */
static int show_state(struct call *c, struct str *out)
{
	enum instance_state state;

	pthread_mutex_lock(&c->fs->lock);
	state = self_inst(c)->state;
	pthread_mutex_unlock(&c->fs->lock);
	show_line(out, "%s", instance_state_name(state));
	return 0;
}

static int show_status(struct call *c, struct str *out)
{
	pthread_mutex_lock(&c->fs->lock);
	show_line(out, "%s", self_inst(c)->status.text ? self_inst(c)->status.text : "ok");
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static void json_member(struct str *out, const char *key, const char *text)
{
	str_printf(out, ",\"%s\":", key);
	if (text)
		str_add_json(out, text, strlen(text));
	else
		str_add(out, "null");
}

static int show_status_json(struct call *c, struct str *out)
{
	struct instance *inst = self_inst(c);
	const struct instance_status *st = &inst->status;

	pthread_mutex_lock(&c->fs->lock);
	str_printf(out, "{\"state\":\"%s\"", instance_state_name(inst->state));
	json_member(out, "stage", st->stage);
	json_member(out, "errno", st->err ? errno_name(st->err) : NULL);
	json_member(out, "program", st->prog);
	if (st->insn >= 0)
		str_printf(out, ",\"instruction\":%d", st->insn);
	else
		str_add(out, ",\"instruction\":null");
	json_member(out, "source", st->source);
	json_member(out, "message", st->text);
	str_add(out, "}\n");
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int show_log(struct call *c, struct str *out)
{
	struct instance *inst = self_inst(c);

	/* The summary first: a verifier log may be megabytes. */
	pthread_mutex_lock(&c->fs->lock);
	if (inst->status.text) {
		str_printf(out, "%s: %s", errno_name(inst->status.err), inst->status.text);
		if (inst->status.source)
			str_printf(out, "\n  at: %s", inst->status.source);
		str_add(out, "\n\n");
	}
	pthread_mutex_unlock(&c->fs->lock);
	pthread_mutex_lock(&inst->log_lock);
	str_add_mem(out, str_text(&inst->log), inst->log.len);
	pthread_mutex_unlock(&inst->log_lock);
	return 0;
}

/*
 * What the object says of itself.
 */
static const struct object *self_object(const struct call *c)
{
	const struct object *obj;

	pthread_mutex_lock(&c->fs->lock);
	obj = self_inst(c)->parsed; /* immutable once there */
	pthread_mutex_unlock(&c->fs->lock);
	return obj;
}

static int show_license(struct call *c, struct str *out)
{
	show_line(out, "%s", self_object(c)->license);
	return 0;
}

static int show_kernel_version(struct call *c, struct str *out)
{
	uint32_t v = self_object(c)->kern_version;

	show_line(out, "%u.%u.%u", v >> 16, v >> 8 & 255, v & 255);
	return 0;
}

static int show_endian(struct call *c, struct str *out)
{
	union {
		uint16_t word;
		uint8_t first;
	} probe = { 1 };
	bool little = probe.first;

	show_line(out, "%s", little != self_object(c)->foreign ? "little" : "big");
	return 0;
}

static bool has_types(struct fs *fs, const struct subject *self)
{
	bool ret;

	pthread_mutex_lock(&fs->lock);
	ret = self->inst->parsed && self->inst->parsed->btf;
	pthread_mutex_unlock(&fs->lock);
	return ret;
}

static int show_types(struct call *c, struct str *out)
{
	return btf_print_all(self_object(c)->btf, c->rp, out);
}

/*
 * ctl and attach.
 */
static int ctl_prepare(struct call *c, const char *arg)
{
	(void)arg;
	return instance_prepare(self_inst(c), c->rp);
}

static int ctl_load(struct call *c, const char *arg)
{
	(void)arg;
	return instance_load(self_inst(c), c->rp);
}

static int ctl_attach(struct call *c, const char *arg)
{
	(void)arg;
	return instance_attach_auto(self_inst(c), c->pid, c->abandoned, c->rp);
}

static int ctl_detach(struct call *c, const char *arg)
{
	(void)arg;
	instance_detach(self_inst(c));
	return 0;
}

static int ctl_unload(struct call *c, const char *arg)
{
	(void)arg;
	instance_unload(self_inst(c));
	return 0;
}

static int ctl_pin(struct call *c, const char *arg)
{
	return instance_pin(self_inst(c), arg, c->rp);
}

static int ctl_unpin(struct call *c, const char *arg)
{
	return instance_unpin(self_inst(c), arg, c->rp);
}

static const struct verb object_verbs[] = {
	{ "prepare", NULL, "make the maps and finish the code; programs can still be set",
	  ctl_prepare },
	{ "load", NULL, "give everything to the kernel", ctl_load },
	{ "attach", NULL, "attach all programs as SEC() says; one failure undoes all", ctl_attach },
	{ "detach", NULL, "take all links of the object away", ctl_detach },
	{ "pin", "DIR", "pin maps and programs in a directory of a bpffs", ctl_pin },
	{ "unpin", "DIR", "remove those pins", ctl_unpin },
	{ "unload", NULL, "detach and unload; the object is gone", ctl_unload },
	{}
};

static int show_ctl(struct call *c, struct str *out)
{
	(void)c;
	return ctl_show(object_verbs, out);
}

static int store_ctl(struct call *c, const char *line)
{
	return ctl_run(c, object_verbs, line);
}

static int show_attach(struct call *c, struct str *out)
{
	struct instance *inst = self_inst(c);

	pthread_mutex_lock(&c->fs->lock);
	vec_for_each (l, &c->fs->links) {
		if ((*l)->inst != inst || !(*l)->attachment)
			continue;
		str_add_word(out, inst->parsed->programs[(*l)->prog].name,
			     strlen(inst->parsed->programs[(*l)->prog].name));
		str_add_char(out, ' ');
		link_spec(*l, out);
		str_add_char(out, '\n');
	}
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int no_such_program(const struct object *obj, const char *name, struct report *rp)
{
	_cleanup_str_ struct str names = {};

	for (uint32_t i = 0; i < obj->n_programs && names.len < 300; i++)
		str_printf(&names, "%s%s", i ? ", " : "", obj->programs[i].name);
	return report(rp, -ENOENT,
		      "no program '%s' in this object; write 'auto' or 'PROGRAM SPEC'; it has: %s",
		      name, str_text(&names));
}

static int store_attach(struct call *c, const char *line)
{
	const char *p = line + strspn(line, " \t\r"), *spec;
	const struct object *obj = self_object(c);
	_cleanup_free_ char *name = strndup(p, strcspn(p, " \t\r"));
	uint32_t prog;

	if (!name)
		return -ENOMEM;
	if (!*name)
		return 0;
	if (!obj)
		return report(c->rp, -EBUSY, "there is no image yet: write elf first");
	spec = p + strlen(name);
	spec += strspn(spec, " \t\r");
	if (!strcmp(name, "auto") && !*spec)
		return instance_attach_auto(self_inst(c), c->pid, c->abandoned, c->rp);
	prog = object_find_program(obj, name);
	if (prog == OBJECT_NO_INDEX)
		return no_such_program(obj, name, c->rp);
	if (!*spec)
		return report(c->rp, -EINVAL,
			      "'%s' attached to what? PROGRAM SPEC, or PROGRAM auto", name);
	return instance_attach(self_inst(c), prog, spec, c->pid, c->abandoned, c->rp);
}

/*
 * options/: what opening takes, before the image is written.
 */
enum option { OPT_NAME, OPT_PIN_ROOT, OPT_BTF, OPT_LOG_LEVEL };

static char **option_text(struct instance *inst, enum option opt)
{
	return opt == OPT_NAME	     ? &inst->opt_object_name
	       : opt == OPT_PIN_ROOT ? &inst->opt_pin_root
				     : &inst->opt_custom_btf;
}

static int show_option(struct call *c, struct str *out)
{
	struct instance *inst = self_inst(c);
	char *text;

	pthread_mutex_lock(&c->fs->lock);
	if (c->entry->arg == OPT_LOG_LEVEL) {
		show_line(out, "%u", inst->opt_log_level);
	} else {
		text = *option_text(inst, c->entry->arg);
		if (!text && c->entry->arg == OPT_NAME)
			text = inst->name;
		if (!text && c->entry->arg == OPT_PIN_ROOT)
			text = (char *)"/sys/fs/bpf";
		if (text)
			show_line(out, "%s", text);
	}
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int store_option(struct call *c, const char *line)
{
	struct instance *inst = self_inst(c);
	bool is_path = c->entry->arg == OPT_PIN_ROOT || c->entry->arg == OPT_BTF;
	bool none = is_path && !strcmp(line, "none");
	char *text = none ? NULL : strdup(line), **to;
	uint64_t level = 0;
	int r = 0;

	if (!none && !text)
		return -ENOMEM;
	if (is_path && !none && *line != '/') {
		free(text);
		return report(c->rp, -EINVAL, "%s '%.200s' is no absolute path; 'none' unsets it",
			      c->entry->name, line);
	}
	pthread_mutex_lock(&c->fs->lock);
	/* One that failed because of an option can have another one. */
	if (inst->state != INSTANCE_EMPTY && (inst->state != INSTANCE_FAILED || inst->parsed)) {
		r = -EBUSY;
	} else if (c->entry->arg == OPT_LOG_LEVEL) {
		r = parse_u64(line, &level) || level > 7 ? -EINVAL : 0;
		if (!r)
			inst->opt_log_level = level;
	} else {
		to = option_text(inst, c->entry->arg);
		free(*to);
		*to = take_ptr(text);
	}
	pthread_mutex_unlock(&c->fs->lock);
	free(text);
	if (r == -EBUSY)
		report(c->rp, r, "'%s' can be set before elf is written only", c->entry->name);
	else if (r)
		report(c->rp, r, "'%s' is no log level: 0 to 7", line);
	return r;
}

static const struct entry option_entries[] = {
	{ "object_name", ENTRY_TEXT, 0644, .show = show_option, .store = store_option,
	  .arg = OPT_NAME, .help = "what the maps of its variables are named after" },
	{ "pin_root_path", ENTRY_TEXT, 0644, .show = show_option, .store = store_option,
	  .arg = OPT_PIN_ROOT,
	  .help = "where maps with LIBBPF_PIN_BY_NAME are pinned; 'none': /sys/fs/bpf" },
	{ "btf_custom_path", ENTRY_TEXT, 0644, .show = show_option, .store = store_option,
	  .arg = OPT_BTF, .help = "BTF to relocate against; 'none': the running kernel's" },
	{ "kernel_log_level", ENTRY_TEXT, 0644, .show = show_option, .store = store_option,
	  .arg = OPT_LOG_LEVEL, .help = "of the verifier, 0 to 7" },
	{}
};
const struct dir object_options_dir = { .entries = option_entries };

static const struct entry object_entries[] = {
	{ "elf", ENTRY_IMAGE, 0600, .help = "the image; writing it opens the object" },
	{ "state", ENTRY_TEXT, 0444, .show = show_state,
	  .help = "empty, open, prepared, loaded or failed" },
	{ "ctl", ENTRY_TEXT, 0644, .show = show_ctl, .store = store_ctl,
	  .help = "prepare, load, attach, detach, pin DIR, unpin DIR, unload" },
	{ "attach", ENTRY_TEXT, 0644, .show = show_attach, .store = store_attach,
	  .help = "write 'auto' or 'PROGRAM SPEC'; reading lists the links in the same form" },
	{ "status", ENTRY_TEXT, 0444, .show = show_status,
	  .help = "'ok', or why the last step failed" },
	{ "status.json", ENTRY_TEXT, 0444, .show = show_status_json,
	  .help = "stage, errno, program, instruction, source line, message" },
	{ "log", ENTRY_TEXT, 0444, .show = show_log,
	  .help = "all that the loader and the verifier said, the summary on top" },
	{ "options", ENTRY_DIR, 0755, .dir = &object_options_dir,
	  .help = "what is set before elf is written" },
	{ "license", ENTRY_TEXT, 0444, .show = show_license, .present = is_parsed,
	  .help = "of the object" },
	{ "kernel_version", ENTRY_TEXT, 0444, .show = show_kernel_version, .present = is_parsed,
	  .help = "that the object names" },
	{ "endian", ENTRY_TEXT, 0444, .show = show_endian, .present = is_parsed,
	  .help = "little or big" },
	{ "types", ENTRY_TEXT, 0444, .show = show_types, .present = has_types,
	  .help = "its types as C" },
	{ "progs", ENTRY_DIR, 0555, .dir = &instance_progs_dir, .present = is_parsed,
	  .help = "its programs, by name" },
	{ "maps", ENTRY_DIR, 0555, .dir = &instance_maps_dir, .present = is_parsed,
	  .help = "its maps, by name" },
	{ "links", ENTRY_DIR, 0755, .dir = &instance_links_dir,
	  .help = "its links, by name; rmdir detaches" },
	{}
};
const struct dir object_dir = { .entries = object_entries };
const struct entry object_entry = { "", ENTRY_DIR, 0755, .dir = &object_dir };

/*
 * objects/
 */
static int find_object(struct call *c, const char *name, struct child *ret)
{
	struct instance *inst = instance_find(c->fs, name);

	if (!inst)
		return -ENOENT;
	ret->entry = &object_entry;
	ret->subject = (struct subject){ .kind = SUBJECT_OBJECT, .inst = inst };
	return 0;
}

static int list_objects(struct call *c, struct listing *l)
{
	pthread_mutex_lock(&c->fs->lock);
	vec_for_each (inst, &c->fs->instances)
		listing_add(l, (*inst)->name, S_IFDIR);
	pthread_mutex_unlock(&c->fs->lock);
	return 0;
}

static int make_object(struct call *c, const char *name)
{
	_cleanup_free_ char *clean = instance_name_of(name);
	struct instance *inst;
	int r;

	if (!clean)
		return -ENOMEM;
	if (strcmp(clean, name))
		return report(c->rp, -EINVAL,
			      "'%s' cannot be an object's name: letters, digits, _ and -", name);
	inst = instance_new(c->fs, name);
	if (!inst)
		return -ENOMEM;
	r = instance_add(c->fs, inst);
	instance_unref(inst);
	return r == -EEXIST ? report(c->rp, r, "there is an object '%s' already", name) : r;
}

static int unload(struct instance *inst, void *arg)
{
	(void)arg;
	instance_unload(inst);
	return 0;
}

static int remove_object(struct call *c, const char *name)
{
	struct instance *inst = instance_find(c->fs, name);
	int r;

	if (!inst)
		return -ENOENT;
	r = instance_call(inst, unload, NULL);
	instance_unref(inst);
	return r;
}

const struct dir objects_dir = {
	.find = find_object, .list = list_objects, .mkdir = make_object, .rmdir = remove_object
};
