/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader against the real kernel: what it has afterwards, what programs do, what is said of
 * refusals. */
#include "loader/load.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "bpf/kmap.h"
#include "bpf/kobj.h"
#include "bpf/kprog.h"
#include "bpf/sys.h"
#include "loader/kernel_btf.h"
#include "tests/unit/test.h"

enum { PACKET_LEN = 64, SKB_LEN = PACKET_LEN - 14 /* without the Ethernet header */ };

struct rig {
	struct object *obj;
	struct load_config cfg;
	struct feature features;
	struct kernel_btf *kb;
	struct load_env env;
	struct report rp;
	struct loaded *l;
};

static struct rig rig(const char *name)
{
	const char *dir = getenv("BPFUSE_TEST_OBJECTS");
	struct rig t = { .rp = REPORT_INIT(NULL, NULL) };
	_cleanup_free_ char *data = NULL;
	_cleanup_close_ int fd = -1;
	char path[512];
	struct stat st;

	if (geteuid())
		SKIP("not root");
	if (!dir)
		SKIP("BPFUSE_TEST_OBJECTS is not set");
	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP("no %s: there was no clang for BPF", path);
	CHECK_EQ(fstat(fd, &st), 0);
	data = malloc(st.st_size);
	CHECK_EQ(read(fd, data, st.st_size), st.st_size);
	if (object_parse(data, st.st_size, name, &t.rp, &t.obj) < 0)
		FAIL("%s: %s", path, t.rp.text);
	CHECK_EQ(load_config_init(t.obj, &t.cfg), 0);
	/* Nobody else's: the last directory is made and taken away again. */
	CHECK(asprintf(&t.cfg.pin_root, "/sys/fs/bpf/bpfuse_test_load_%d", getpid()) > 0);
	t.kb = kernel_btf_new();
	return t;
}

static int load(struct rig *t)
{
	int r;

	t->env = (struct load_env){ .features = &t->features, .kernel_btf = t->kb };
	r = load_prepare(t->obj, &t->cfg, &t->env, &t->rp, &t->l);
	return r ? r : load_programs(t->l, &t->cfg, &t->rp);
}

static void load_good(struct rig *t)
{
	int r = load(t);

	if (r < 0)
		FAIL("error %d: %s", r, t->rp.text);
}

/* Other tests may use the kernel at the same time, so look for our own ids only. */
static void check_gone(enum kobj_kind kind, uint32_t id)
{
	int fd = -1;

	/* The kernel lets go of some things a little later. */
	for (int i = 0; i < 200; i++) {
		fd = kobj_fd_by_id(kind, id);
		if (fd == -ENOENT)
			return;
		if (fd >= 0)
			close(fd);
		poll(NULL, 0, 10);
	}
	FAIL("object %u of kind %d is still there", id, kind);
}

static void done(struct rig *t)
{
	uint32_t maps[32] = {}, progs[32] = {}, n_maps = t->obj->n_maps,
		 n_progs = t->obj->n_programs;

	CHECK(n_maps <= ARRAY_SIZE(maps) && n_progs <= ARRAY_SIZE(progs));
	for (uint32_t i = 0; t->l && i < n_maps; i++)
		maps[i] = t->l->maps[i].id;
	for (uint32_t i = 0; t->l && i < n_progs; i++)
		progs[i] = t->l->progs[i].id;
	if (t->l)
		loaded_undo_pins(t->l, &t->cfg);
	CHECK(access(t->cfg.pin_root, F_OK) < 0);
	loaded_free(t->l);
	for (uint32_t i = 0; i < n_maps; i++) {
		if (maps[i])
			check_gone(KOBJ_MAP, maps[i]);
	}
	for (uint32_t i = 0; i < n_progs; i++) {
		if (progs[i])
			check_gone(KOBJ_PROG, progs[i]);
	}
	load_config_deinit(&t->cfg);
	object_free(t->obj);
	kernel_btf_free(t->kb);
}

static struct loaded_map *map_of(struct rig *t, const char *name)
{
	uint32_t i = object_find_map(t->obj, name);

	CHECK(i != OBJECT_NO_INDEX);
	return &t->l->maps[i];
}

static struct loaded_prog *prog_of(struct rig *t, const char *name)
{
	uint32_t i = object_find_program(t->obj, name);

	CHECK(i != OBJECT_NO_INDEX);
	return &t->l->progs[i];
}

/* How many different maps the code of a program and what it calls refers to. */
static uint32_t n_maps_used(const struct rig *t, const struct loaded_prog *prog)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->l->n_maps; i++) {
		bool used = t->obj->maps[i].data == DATA_RODATA; /* bound to every program */

		for (uint32_t j = 0; j < prog->code.n_insns; j++) {
			const struct bpf_insn *insn = &prog->code.insns[j];

			used = used || (insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
					(insn->src_reg == BPF_PSEUDO_MAP_FD ||
					 insn->src_reg == BPF_PSEUDO_MAP_VALUE) &&
					insn->imm == t->l->maps[i].fd);
		}
		n += used;
	}
	return n;
}

static void check_program(struct rig *t, uint32_t i)
{
	const struct loaded_prog *prog = &t->l->progs[i];
	struct bpf_prog_info info;

	CHECK_EQ(kprog_info(prog->fd, &info), 0);
	CHECK_EQ(info.id, prog->id);
	CHECK_EQ(info.type, t->cfg.progs[i].type);
	CHECK(!strncmp(info.name, t->obj->programs[i].name, BPF_OBJ_NAME_LEN - 1));
	CHECK(info.btf_id != 0);
	CHECK_EQ(info.nr_func_info, prog->code.n_funcs);
	CHECK(info.nr_line_info > 0);
	CHECK_EQ(info.nr_map_ids, n_maps_used(t, prog));
}

static void check_map(struct rig *t, uint32_t i)
{
	const struct map_def *def = &t->obj->maps[i];
	const struct loaded_map *map = &t->l->maps[i];
	struct bpf_map_info info;
	uint64_t frozen = 0;

	CHECK_EQ(kmap_info(map->fd, &info), 0);
	CHECK_EQ(info.id, map->id);
	CHECK_STR(info.name, def->kernel_name);
	CHECK_EQ(info.max_entries, map->params.max_entries);
	CHECK_EQ(info.value_size, map->params.value_size);
	CHECK_EQ(info.map_flags, map->params.flags);
	if (def->datasec)
		CHECK_EQ(info.btf_value_type_id, def->datasec);
	if (def->data == DATA_RODATA) {
		CHECK_EQ(kobj_fdinfo(map->fd, "frozen", &frozen), 0);
		CHECK_EQ(frozen, 1);
	}
}

/* Loads an object of tests/data whole and compares what the kernel says of it. */
static void loads_whole(const char *name)
{
	struct rig t = rig(name);

	load_good(&t);
	CHECK(t.l->btf_fd >= 3);
	for (uint32_t i = 0; i < t.l->n_maps; i++)
		check_map(&t, i);
	for (uint32_t i = 0; i < t.l->n_progs; i++) {
		if (t.cfg.progs[i].autoload)
			check_program(&t, i);
		else
			CHECK_EQ(t.l->progs[i].fd, -1);
	}
	done(&t);
}

TEST(loads_globals)
{
	loads_whole("globals");
}
TEST(loads_calls)
{
	loads_whole("calls");
}
TEST(loads_holders)
{
	loads_whole("holders");
}
TEST(loads_rings)
{
	loads_whole("rings");
}
TEST(loads_sections)
{
	loads_whole("sections");
}
TEST(loads_kinds)
{
	loads_whole("kinds");
}
TEST(loads_auto)
{
	loads_whole("auto");
}
TEST(loads_shapes)
{
	loads_whole("shapes");
}
TEST(loads_version)
{
	loads_whole("version");
}

/* Runs a loaded program on a packet, or without one if @len is 0. */
static uint32_t run(struct rig *t, const char *name, uint32_t len)
{
	char packet[PACKET_LEN] = "";
	struct abi_prog_test_run attr = {
		.prog_fd = prog_of(t, name)->fd,
		.data_size_in = len,
		.data_in = len ? ptr_to_u64(packet) : 0,
	};
	int r = sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));

	if (r < 0)
		FAIL("%s does not run: %s", name, errno_name(r));
	return attr.retval;
}

TEST(globals_have_their_values_and_places)
{
	struct rig t = rig("globals");
	struct {
		uint64_t zero, private_zero;
	} bss;
	struct {
		int initialised, pad;
		int a, pad2;
		int64_t b;
		int hidden, counter;
	} data;
	uint32_t key = 0, cold[8];

	load_good(&t);
	CHECK_EQ(run(&t, "globals_use", PACKET_LEN), 'c');
	CHECK_EQ(kmap_lookup(map_of(&t, ".bss")->fd, &key, &bss, 0), 0);
	CHECK_EQ(bss.zero, 14);
	CHECK_EQ(bss.private_zero, 7);
	CHECK_EQ(kmap_lookup(map_of(&t, ".data")->fd, &key, &data, 0), 0);
	CHECK_EQ(data.initialised, 5);
	CHECK_EQ(data.a, 1);
	CHECK_EQ(data.b, 2 + 13);
	CHECK_EQ(data.hidden, 9);
	CHECK_EQ(data.counter, 8);
	CHECK_EQ(kmap_lookup(map_of(&t, ".bss.cold")->fd, &key, cold, 0), 0);
	CHECK_EQ(cold[1], 'e');
	CHECK_EQ(run(&t, "globals_only_statics", PACKET_LEN), 7);
	done(&t);
}

TEST(calls_reach_the_right_functions)
{
	struct rig t = rig("calls");
	int x = SKB_LEN;

	load_good(&t);
	CHECK_EQ(run(&t, "calls_none", PACKET_LEN), 0);
	CHECK_EQ(run(&t, "calls_static", PACKET_LEN), x * 3 + (x + 1) * 3);
	CHECK_EQ(run(&t, "calls_global", PACKET_LEN), x * 3 + (x + 1) * 3 + 1 /* global_one */ +
							      x * 3 - 1 /* hidden_one */ +
							      3 /* leaf */);
	done(&t);
}

TEST(callbacks_are_called)
{
	struct rig t = rig("calls");
	uint32_t key = 0;
	uint64_t sum = 0, values[4] = { 10, 20, 30, 40 };

	load_good(&t);
	for (key = 0; key < 4; key++)
		CHECK_EQ(kmap_update(map_of(&t, "cells")->fd, &key, &values[key], 0), 0);
	run(&t, "calls_by_address", 0);
	key = 0;
	CHECK_EQ(kmap_lookup(map_of(&t, ".bss")->fd, &key, &sum, 0), 0);
	CHECK(sum >= 100);
	done(&t);
}

TEST(static_contents_are_there)
{
	struct rig t = rig("holders");
	uint32_t slot = 2, id = 0;

	load_good(&t);
	CHECK_EQ(run(&t, "holders_jump", PACKET_LEN), 1);
	CHECK_EQ(kmap_lookup(map_of(&t, "by_index")->fd, &slot, &id, 0), 0);
	CHECK_EQ(id, map_of(&t, "first")->id);
	CHECK_EQ(kmap_lookup(map_of(&t, "jumps")->fd, &slot, &id, 0), 0);
	CHECK_EQ(id, prog_of(&t, "holders_two")->id);
	done(&t);
}

TEST(pinned_maps_are_found_again)
{
	struct rig one = rig("rings"), two = rig("rings");

	load_good(&one);
	CHECK(map_of(&one, "kept_by_name")->pinned_here);
	load_good(&two);
	CHECK(map_of(&two, "kept_by_name")->reused);
	CHECK_EQ(map_of(&two, "kept_by_name")->id, map_of(&one, "kept_by_name")->id);
	/* The second must not take the pin away. */
	loaded_undo_pins(two.l, &two.cfg);
	CHECK_EQ(access(one.cfg.pin_root, F_OK), 0);
	loaded_free(take_ptr(two.l));
	load_config_deinit(&two.cfg);
	object_free(two.obj);
	kernel_btf_free(two.kb);
	done(&one);
}

TEST(a_failed_load_leaves_no_pin)
{
	struct rig t = rig("rings");
	uint32_t i = object_find_program(t.obj, "rings_emit");

	/* No program of this kind may use a perf event array so. */
	t.cfg.progs[i].type = BPF_PROG_TYPE_FLOW_DISSECTOR;
	t.cfg.progs[i].attach_type = BPF_FLOW_DISSECTOR;
	CHECK(load(&t) < 0);
	CHECK_HAS(t.rp.text, "rings_emit");
	done(&t);
}

/* What the verifier refuses, and the words by which one knows why. */
static const struct {
	const char *prog, *part;
	const char *source; /* "" if the kernel cannot tell */
} refusals[] = {
	{ "refused_null", "R0 invalid mem access 'map_value_or_null'", "return *value;" },
	{ "refused_memory", "invalid mem access", "return *(int *)(long)skb->len;" },
	{ "refused_loop", "infinite loop detected", "for (i = 0; i < skb->len; i++)" },
	{ "refused_helper", "invalid func unknown#9999", "return no_such_helper();" },
	{ "refused_helper_of_others", "bpf_xdp_adjust_head", "return bpf_xdp_adjust_head(" },
	{ "refused_stack", "combined stack size of 2 calls", "" },
	{ "refused_context", "invalid bpf_context access off=4000 size=4", "skb + 4000" },
	{ "refused_size", "BPF program is too large", "" },
	{ "refused_end", "last insn is not an exit or jmp", "" },
	{ "refused_unreachable", "unreachable insn 2", "asm volatile" },
	{ "refused_register", "R5 !read_ok", "asm volatile" },
	{ "refused_map_bounds", "invalid access to map value, value_size=8 off=24 size=8",
	  "value[3]" },
	{ "refused_leak", "nreleased reference", "" },
	{ "refused_result", "R0", "return 77;" },
	{ "refused_packet", "invalid access to packet, off=14 size=1", "return data[14];" },
	{ "refused_argument", "R2 type=ctx", "bpf_map_lookup_elem(&table, skb)" },
	{ "refused_global", "invalid bpf_context access off=4000 size=4", "skb + 4000" },
	{ "refused_core", "nothing for the CO-RE relocation", "" },
};

TEST(refusals_are_explained)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct rig t = rig("refused");
		uint32_t prog = object_find_program(t.obj, refusals[i].prog);
		char head[64];

		CHECK(prog != OBJECT_NO_INDEX);
		t.cfg.progs[prog].autoload = true;
		CHECK(load(&t) < 0);
		snprintf(head, sizeof(head), "program '%s'", refusals[i].prog);
		CHECK_HAS(t.rp.text, head);
		CHECK_HAS(t.rp.text, refusals[i].part);
		CHECK_HAS(t.rp.source, refusals[i].source);
		CHECK_STR(t.rp.prog, refusals[i].prog);
		done(&t);
	}
}

TEST(core_refusals_name_the_field)
{
	struct rig t = rig("refused");

	t.cfg.progs[object_find_program(t.obj, "refused_core")].autoload = true;
	CHECK(load(&t) < 0);
	CHECK_HAS(t.rp.text, "struct task_struct.no_such_member");
	done(&t);
}

TEST(one_refused_program_fails_all)
{
	struct rig t = rig("rejected");

	CHECK(load(&t) < 0);
	CHECK_STR(t.rp.prog, "reject_null");
	CHECK_HAS(t.rp.source, "*value = 1;");
	done(&t);
}
