/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree, as whoever may write to it sees it: names, verbs, attach specs, map
 * elements, settings. FUSE is not there; the tables that it walks are.
 *
 *	one byte	which object is loaded as /objects/o
 *	lines		"w PATH LINE", "r PATH", "l PATH", "m PATH", "d PATH": write, read,
 *			list, mkdir, rmdir. No PATH has blanks.
 *
 * Nothing reaches a real kernel, and no name in a real file system is made or removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/bits.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "fs/dir.h"
#include "fs/error_log.h"
#include "fs/fs.h"
#include "fs/hub.h"
#include "fs/instance.h"
#include "fs/mark.h"
#include "fs/subject.h"
#include "fs/worker.h"
#include "loader/kernel_btf.h"
#include "tests/fake/sys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json.h"

enum { MAX_LINES = 24, MAX_READ = 1 << 20 };

static const struct entry root_entry = { "", ENTRY_DIR, 0755, .dir = &root_dir };

/* Instead of the C library's: pins would be made and removed for real. */
int mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}
int rmdir(const char *path)
{
	(void)path;
	return 0;
}
int unlink(const char *path)
{
	(void)path;
	return 0;
}

static int no_pins(int cmd, void *attr, size_t size, bool *handled)
{
	(void)attr;
	(void)size;
	*handled = cmd == BPF_OBJ_PIN || cmd == BPF_OBJ_GET;
	return cmd == BPF_OBJ_GET ? -ENOENT : 0;
}

/* Lives for ever: threads do. */
static struct fs *fs;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fs = calloc(1, sizeof(*fs));
	REQUIRE(fs);
	pthread_mutex_init(&fs->lock, NULL);
	fs->env.features = &fs->features;
	fs->env.kernel_btf = kernel_btf_new();
	fs->errors = error_log_new();
	fs->workers = worker_pool_new();
	fs->hubs = hubs_new(fs);
	REQUIRE(fs->env.kernel_btf && fs->errors && fs->workers && fs->hubs);
	return 0;
}

static struct blob *object_file(uint8_t which)
{
	static const char *const names[] = { "globals", "rings", "sections", "kinds", "holders" };
	static struct blob *files[ARRAY_SIZE(names)];
	unsigned i = which % ARRAY_SIZE(names);
	uint8_t bytes[1 << 16];
	char path[4096];
	FILE *f;

	if (files[i])
		return files[i];
	snprintf(path, sizeof(path), "%s/../elf/%s", FUZZ_CORPUS, names[i]);
	f = fopen(path, "re");
	REQUIRE(f);
	files[i] = blob_new(bytes, fread(bytes, 1, sizeof(bytes), f));
	fclose(f);
	return files[i];
}

static int open_object(struct instance *inst, void *arg)
{
	struct report rp = REPORT_INIT(NULL, NULL);

	return instance_open(inst, arg, &rp);
}

static int unload_object(struct instance *inst, void *arg)
{
	(void)arg;
	instance_unload(inst);
	return 0;
}

static void add_object(const char *name, struct blob *image)
{
	struct instance *inst = instance_new(fs, name);

	REQUIRE(inst && instance_add(fs, inst) == 0);
	REQUIRE(instance_call(inst, open_object, image) == 0);
	instance_unref(inst);
}

static void remove_all(void)
{
	while (fs->instances.len) {
		struct instance *inst = instance_ref(fs->instances.data[0]);

		REQUIRE(instance_call(inst, unload_object, NULL) == 0);
		instance_unref(inst);
	}
	while (fs->links.len) {
		struct link *l = link_ref(fs->links.data[fs->links.len - 1]);

		link_destroy(fs, l);
		link_unref(l);
	}
	marks_free(fs);
	fs->marks = NULL;
	vec_deinit(&fs->instances);
	vec_deinit(&fs->links);
}

/* Where a path leads; the receiver owns the subject. */
static int walk(char *path, struct child *ret)
{
	struct child at = { .entry = &root_entry };

	for (char *name = strtok(path, "/"); name; name = strtok(NULL, "/")) {
		struct report rp = REPORT_INIT(NULL, NULL);
		struct call c = { .fs = fs, .self = &at.subject, .entry = at.entry, .rp = &rp };
		struct child next = {};
		int r = -ENOTDIR;

		if (at.entry->type == ENTRY_DIR && strlen(name) <= 255)
			r = dir_find(&c, name, &next);
		subject_deinit(&at.subject);
		if (r < 0)
			return r;
		at = next;
	}
	*ret = at;
	return 0;
}

/* A text that ends in .json is JSON. */
static void check_text(const struct entry *e, const struct str *out)
{
	size_t len = strlen(e->name);

	if (len > 5 && !strcmp(e->name + len - 5, ".json") &&
	    !json_is_valid(str_text(out), out->len)) {
		fprintf(stderr, "%s: %s\n", e->name, str_text(out));
		abort();
	}
}

static void do_read(struct call *c)
{
	const struct entry *e = c->entry;
	_cleanup_str_ struct str out = {};
	void *state;
	int r;

	if (e->show) {
		r = e->show(c, &out);
		require_sentence(r, c->rp->err ? c->rp : &(struct report){ .err = r, .text = "-" });
		if (r == 0 && !str_error(&out) && e->type == ENTRY_TEXT)
			check_text(e, &out);
	} else if (e->type == ENTRY_CURSOR) {
		if (e->cursor->open(c, &state) < 0)
			return;
		do
			r = e->cursor->fill(state, &out, 4096, c->rp);
		while (r == 1 && out.len < MAX_READ);
		e->cursor->close(state);
		if (r == 0)
			check_text(e, &out);
	}
}

static void do_list(struct call *c)
{
	struct listing l = {};

	dir_list(c, &l);
	vec_for_each (n, &l.names)
		REQUIRE(*n->name && !strchr(n->name, '/'));
	listing_deinit(&l);
}

static void run_line(char *line)
{
	char what = *line ? *line++ : 'r', *path = line + strspn(line, " "), *rest, *last = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);
	struct child at = {};
	struct call c = { .fs = fs, .self = &at.subject, .rp = &rp, .pid = getpid() };
	int r = 0;

	rest = path + strcspn(path, " ");
	if (*rest)
		*rest++ = '\0';
	if (what == 'm' || what == 'd') {
		last = strrchr(path, '/');
		if (!last || !last[1] || strlen(last + 1) > 255)
			return;
		*last++ = '\0';
	}
	if (walk(path, &at) < 0)
		return;
	c.entry = at.entry;
	if (what == 'w' && at.entry->store)
		r = at.entry->store(&c, rest);
	else if (what == 'm' && at.entry->type == ENTRY_DIR && at.entry->dir->mkdir)
		r = at.entry->dir->mkdir(&c, last);
	else if (what == 'd' && at.entry->type == ENTRY_DIR && at.entry->dir->rmdir)
		r = at.entry->dir->rmdir(&c, last);
	else if (what == 'l' && at.entry->type == ENTRY_DIR)
		do_list(&c);
	else
		do_read(&c);
	REQUIRE(r <= 0);
	subject_deinit(&at.subject);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = INPUT(data, size);
	struct blob *image = object_file(take_u8(&in));
	_cleanup_free_ char *text = input_text(&in);
	unsigned n = 0;

	fake_sys_hook = no_pins;
	add_object("o", image);
	for (char *line = text, *end; line && n < MAX_LINES; line = end, n++) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		run_line(line);
	}
	remove_all();
	REQUIRE(fake_sys_open_fds() == 0);
	fake_sys_reset();
	fake_sys_hook = NULL;
	return 0;
}
