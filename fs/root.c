/* SPDX-License-Identifier: BSD-2-Clause */
/* root - the top of the tree, and the README that the tables themselves write. */
#include <errno.h>
#include <string.h>

#include "bpf/kobj.h"
#include "fs/dir.h"
#include "fs/entry.h"
#include "fs/error_log.h"
#include "fs/fs.h"
#include "loader/attach.h"

static int show_version(struct call *c, struct str *out)
{
	(void)c;
	show_line(out, "bpfuse %s", BPFUSE_VERSION);
	return 0;
}

static int show_error_log(struct call *c, struct str *out)
{
	error_log_show(c->fs->errors, out);
	return 0;
}

static void help_rows(const struct dir *dir, const char *indent, struct str *out)
{
	for (const struct entry *e = dir->entries; e && e->name; e++) {
		size_t len = strlen(e->name) + (e->type == ENTRY_DIR);

		if (!e->help)
			continue;
		str_printf(out, "%s%s%s%*s%s\n", indent, e->name, e->type == ENTRY_DIR ? "/" : "",
			   len < 18 ? (int)(18 - len) : 1, "", e->help);
	}
}

static void help_kinds(struct str *out)
{
	for (const struct attach_kind *const *k = attach_kinds; *k; k++) {
		str_printf(out, "  %s\n", (*k)->usage);
		for (const struct attach_option *o = (*k)->options; o && o->name; o++)
			str_printf(out, "      %s%s%*s%s\n", o->name, o->is_flag ? "" : "=",
				   (int)(strlen(o->name) < 18 ? 18 - strlen(o->name) : 1), "",
				   o->help);
		str_printf(out, "      example: %s\n", (*k)->example);
	}
}

static int show_readme(struct call *c, struct str *out)
{
	static const struct {
		const char *title;
		const struct dir *dir;
	} parts[] = { { "objects/NAME/", &object_dir },
		      { "objects/NAME/options/", &object_options_dir },
		      { "progs/ID/ and objects/NAME/progs/PROGRAM/", &prog_dir },
		      { "maps/ID/ and objects/NAME/maps/MAP/", &map_dir },
		      { "maps/ID/stream/ and objects/NAME/maps/MAP/stream/", &map_stream_dir },
		      { "links/ID/ and objects/NAME/links/LINK/", &link_dir } };

	(void)c;
	str_add(out,
		"BPF as files. Copy an object in and it is loaded, write a spec and it is "
		"attached,\n"
		"read a ring buffer's file and its records come out.\n\n"
		"  cp x.bpf.o load/                     load it: objects/x/ is there\n"
		"  cp x.bpf.o run/                      load it and attach what SEC() says\n"
		"  echo auto > objects/x/attach         attach all programs as SEC() says\n"
		"  echo SPEC > objects/x/progs/P/attach attach one program\n"
		"  cat objects/x/maps/M/stream/text     records of a ring buffer, as they come\n"
		"  cat objects/x/maps/M/dump            all elements of a map\n"
		"  rmdir objects/x/links/L              detach\n"
		"  rm load/x.bpf.o                      detach and unload everything\n\n"
		"When a write fails, `cat error_log` says why in a sentence; `objects/x/status` "
		"and\n"
		"`objects/x/log` know more. Looking changes nothing: cat, ls, find and grep -r are "
		"safe.\n"
		"Reading any ctl lists the verbs that can be written to it.\n\n/\n");
	help_rows(&root_dir, "  ", out);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		str_printf(out, "\n%s\n", parts[i].title);
		help_rows(parts[i].dir, "  ", out);
	}
	str_add(out, "\nAttach specs: KIND/TARGET OPTIONS, as in SEC(); a space may stand for the "
		     "first slash.\n"
		     "as=NAME names the link (the program's name otherwise). Text with blanks, "
		     "commas or\n"
		     "colons goes in '…'.\n");
	help_kinds(out);
	return 0;
}

static const struct entry root_entries[] = {
	{ "README", ENTRY_TEXT, 0444, .show = show_readme, .help = "this text" },
	{ "version", ENTRY_TEXT, 0444, .show = show_version, .help = "bpfuse's version" },
	{ "error_log", ENTRY_TEXT, 0444, .show = show_error_log,
	  .help = "the last 64 failures: when, who, where, errno, what was written, why" },
	{ "load", ENTRY_DIR, 0755, .dir = &upload_dir_load,
	  .help = "cp x.bpf.o here: open and load" },
	{ "run", ENTRY_DIR, 0755, .dir = &upload_dir_run,
	  .help = "cp x.bpf.o here: open, load, attach all that SEC() says how to attach" },
	{ "objects", ENTRY_DIR, 0755, .dir = &objects_dir,
	  .help = "what this daemon loaded, by name" },
	{ "progs", ENTRY_DIR, 0555, .dir = &progs_dir,
	  .help = "every program of the machine, by id" },
	{ "maps", ENTRY_DIR, 0555, .dir = &maps_dir, .help = "every map, by id" },
	{ "links", ENTRY_DIR, 0755, .dir = &links_dir, .help = "every link, by id" },
	{ ".live", ENTRY_DIR, 0555, .dir = &live_dir,
	  .help = "what blocks or acts when read; the tree has symlinks to it" },
	{}
};

const struct dir root_dir = { .entries = root_entries };
