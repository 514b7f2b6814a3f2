/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * load_rig - an object, a kernel in memory to load it into, and what came of it.
 *
 *	struct rig t = rig("calls");	an object of tests/data
 *	map_cfg(&t, "cells")->params.max_entries = 7;
 *	load_good(&t);
 *	CHECK_EQ(creation(&t, "cells")->max_entries, 7);
 *	done(&t);
 *
 * For the test_load*.c files only: everything is static.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "bpf/insn.h"
#include "bpf/kmap.h"
#include "bpf/kobj.h"
#include "bpf/sys.h"
#include "loader/btf.h"
#include "loader/kernel_btf.h"
#include "loader/load.h"
#include "tests/fake/sys.h"
#include "tests/gen/elf_gen.h"
#include "tests/unit/test.h"

/* Not every file uses every helper. */
#pragma GCC diagnostic ignored "-Wunused-function"

struct rig {
	struct object *obj;
	struct load_config cfg;
	struct feature features;
	struct kernel_btf *kb;
	struct load_env env;
	struct report rp;
	struct loaded *l;
	size_t mark;  /* requests before this one were probes of features */
	char dir[64]; /* for pins; "" if there is none */
};

static char notes[8192];

static void note(void *arg, enum report_level level, const char *text, size_t len)
{
	size_t at = strlen(notes);

	(void)arg;
	snprintf(notes + at, sizeof(notes) - at, "%d: %.*s\n", level, (int)len, text);
}

static struct rig rig_with(struct object *obj)
{
	struct rig t = { .obj = obj, .kb = kernel_btf_new() };

	notes[0] = '\0';
	t.rp = (struct report)REPORT_INIT(note, NULL);
	CHECK_EQ(load_config_init(obj, &t.cfg), 0);
	for (int i = 0; i < N_FEATURES; i++)
		feature_has(&t.features, i);
	t.mark = fake_sys_n_calls(-1);
	return t;
}

static struct object *compiled(const char *name)
{
	const char *dir = getenv("BPFUSE_TEST_OBJECTS");
	_cleanup_free_ char *data = NULL;
	_cleanup_close_ int fd = -1;
	struct object *obj = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);
	char path[512];
	struct stat st;

	if (!dir)
		SKIP("BPFUSE_TEST_OBJECTS is not set");
	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP("no %s: there was no clang for BPF", path);
	CHECK_EQ(fstat(fd, &st), 0);
	data = malloc(st.st_size);
	CHECK_EQ(read(fd, data, st.st_size), st.st_size);
	if (object_parse(data, st.st_size, name, &rp, &obj) < 0)
		FAIL("%s: %s", path, rp.text);
	return obj;
}

static struct rig rig(const char *name)
{
	return rig_with(compiled(name));
}

static struct rig rig_gen(struct elf_gen *g)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct object *obj = NULL;

	gen_elf_finish(g);
	if (object_parse(g->blob.data, g->blob.len, "sample", &rp, &obj) < 0)
		FAIL("%s", rp.text);
	gen_elf_deinit(g);
	return rig_with(obj);
}

/* A directory for pins, which the kernel in memory takes anywhere. */
static void use_pins(struct rig *t, const char *below)
{
	strcpy(t->dir, "/tmp/test_load.XXXXXX");
	CHECK(mkdtemp(t->dir));
	CHECK(asprintf(&t->cfg.pin_root, "%s%s", t->dir, below) > 0);
}

static int prepare(struct rig *t)
{
	t->env = (struct load_env){ .features = &t->features, .kernel_btf = t->kb };
	return load_prepare(t->obj, &t->cfg, &t->env, &t->rp, &t->l);
}

static int load(struct rig *t)
{
	int r = prepare(t);

	if (r == 0)
		r = load_programs(t->l, &t->cfg, &t->rp);
	/* As the owner of a failed load does. */
	if (r < 0 && t->l) {
		loaded_undo_pins(t->l, &t->cfg);
		loaded_free(take_ptr(t->l));
	}
	return r;
}

static void load_good(struct rig *t)
{
	int r = load(t);

	if (r < 0)
		FAIL("error %d: %s", r, t->rp.text);
}

static void load_refused(struct rig *t, int err, const char *part)
{
	CHECK_EQ(load(t), err);
	CHECK_EQ(t->rp.err, err);
	CHECK_HAS(t->rp.text, part);
	CHECK_EQ(fake_sys_open_fds(), 0);
}

/* A test's end: nothing of the kernel may be held once the load is freed. */
static void done(struct rig *t)
{
	loaded_free(t->l);
	CHECK_EQ(fake_sys_open_fds(), 0);
	load_config_deinit(&t->cfg);
	object_free(t->obj);
	kernel_btf_free(t->kb);
	fake_sys_reset();
	if (t->dir[0]) {
		char cmd[128];

		snprintf(cmd, sizeof(cmd), "rm -rf %s", t->dir);
		CHECK_EQ(system(cmd), 0);
	}
}

static struct map_config *map_cfg(struct rig *t, const char *name)
{
	uint32_t i = object_find_map(t->obj, name);

	CHECK(i != OBJECT_NO_INDEX);
	return &t->cfg.maps[i];
}

static struct prog_config *prog_cfg(struct rig *t, const char *name)
{
	uint32_t i = object_find_program(t->obj, name);

	CHECK(i != OBJECT_NO_INDEX);
	return &t->cfg.progs[i];
}

static struct loaded_map *map_of(struct rig *t, const char *name)
{
	return &t->l->maps[object_find_map(t->obj, name)];
}

static struct loaded_prog *prog_of(struct rig *t, const char *name)
{
	return &t->l->progs[object_find_program(t->obj, name)];
}

/* The nth request of @cmd of this load; NULL past the last. */
static const struct fake_call *request(const struct rig *t, int cmd, unsigned n)
{
	const struct fake_call *call;

	for (size_t i = t->mark; (call = fake_sys_call(-1, i)); i++) {
		if (call->cmd == cmd && !n--)
			return call;
	}
	return NULL;
}

static unsigned count(const struct rig *t, int cmd)
{
	unsigned n = 0;

	while (request(t, cmd, n))
		n++;
	return n;
}

static const struct abi_map_create *creation(const struct rig *t, const char *name)
{
	const struct fake_call *call;

	for (unsigned i = 0; (call = request(t, BPF_MAP_CREATE, i)); i++) {
		if (!strcmp(call->attr.map_create.map_name, name))
			return &call->attr.map_create;
	}
	FAIL("no map '%s' was created", name);
}

static const struct fake_call *prog_load(const struct rig *t, const char *name)
{
	const struct fake_call *call;

	for (unsigned i = 0; (call = request(t, BPF_PROG_LOAD, i)); i++) {
		if (!strncmp(call->attr.prog_load.prog_name, name, 15))
			return call;
	}
	FAIL("no program '%s' was loaded", name);
}

/* Where in the sequence of requests the nth of @cmd stands. */
static size_t place(const struct rig *t, int cmd, unsigned n)
{
	const struct fake_call *call;
	size_t i;

	for (i = t->mark; (call = fake_sys_call(-1, i)); i++) {
		if (call->cmd == cmd && !n--)
			return i;
	}
	FAIL("not so many requests");
}

/* Is something pinned at @name of the rig's directory? */
static bool exists(const struct rig *t, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	return access(path, F_OK) == 0;
}
