/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins, what is said when the kernel refuses, and what is left then. */
#include "loader/load.h"

#include "tests/gen/btf_gen.h"
#include "tests/unit/load_rig.h"

/* Pins */

TEST(pins_maps_by_name)
{
	struct rig t = rig("rings");

	use_pins(&t, "");
	load_good(&t);
	CHECK(exists(&t, "kept_by_name"));
	CHECK(map_of(&t, "kept_by_name")->pinned_here);
	CHECK_EQ(count(&t, BPF_OBJ_PIN), 1);
	loaded_undo_pins(t.l, &t.cfg);
	CHECK(!exists(&t, "kept_by_name"));
	done(&t);
}

TEST(makes_the_last_directory_of_a_pin)
{
	struct rig t = rig("rings");

	use_pins(&t, "/new");
	load_good(&t);
	CHECK(exists(&t, "new/kept_by_name"));
	CHECK(map_of(&t, "kept_by_name")->pin_dir_made);
	loaded_undo_pins(t.l, &t.cfg);
	CHECK(!exists(&t, "new"));
	done(&t);
}

TEST(does_not_make_more_than_one_directory)
{
	struct rig t = rig("rings");

	use_pins(&t, "/new/newer");
	load_refused(&t, -ENOENT, "map 'kept_by_name': cannot pin it at /tmp/test_load.");
	CHECK(!exists(&t, "new"));
	done(&t);
}

TEST(pins_where_it_is_told)
{
	struct rig t = rig("calls");

	use_pins(&t, "/never");
	CHECK(asprintf(&map_cfg(&t, "cells")->pin_path, "%s/here", t.dir) > 0);
	load_good(&t);
	CHECK(exists(&t, "here"));
	done(&t);
}

TEST(does_not_pin_what_is_told_not_to)
{
	struct rig t = rig("rings");

	use_pins(&t, "");
	map_cfg(&t, "kept_by_name")->pin_path = strdup("");
	load_good(&t);
	CHECK(!exists(&t, "kept_by_name"));
	CHECK_EQ(count(&t, BPF_OBJ_PIN), 0);
	done(&t);
}

/* A map pinned by somebody before: as "kept_by_name", but for what @change does to it. */
static void pin_before(struct rig *t, void (*change)(struct kmap_spec *spec))
{
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 20, .value_size = 8, .max_entries = 64
	};
	_cleanup_close_ int fd = -1;
	char path[128];

	if (change)
		change(&spec);
	fd = kmap_create(&spec);
	CHECK(fd >= 0);
	snprintf(path, sizeof(path), "%s/kept_by_name", t->dir);
	CHECK_EQ(kobj_pin(fd, path), 0);
	t->mark = fake_sys_n_calls(-1);
}

TEST(reuses_what_is_pinned)
{
	struct rig t = rig("rings");

	use_pins(&t, "");
	pin_before(&t, NULL);
	load_good(&t);
	CHECK(map_of(&t, "kept_by_name")->reused);
	CHECK(!map_of(&t, "kept_by_name")->pinned_here);
	CHECK_EQ(count(&t, BPF_OBJ_PIN), 0);
	CHECK_EQ(count(&t, BPF_MAP_CREATE), 6);
	CHECK_HAS(notes, "map 'kept_by_name': using map");
	/* It is not ours to take away. */
	loaded_undo_pins(t.l, &t.cfg);
	CHECK(exists(&t, "kept_by_name"));
	done(&t);
}

static void change_type(struct kmap_spec *spec)
{
	spec->type = BPF_MAP_TYPE_HASH;
}
static void change_key(struct kmap_spec *spec)
{
	spec->key_size = 4;
}
static void change_value(struct kmap_spec *spec)
{
	spec->value_size = 4;
}
static void change_entries(struct kmap_spec *spec)
{
	spec->max_entries = 65;
}
static void change_flags(struct kmap_spec *spec)
{
	spec->flags = BPF_F_NO_COMMON_LRU;
}

static void refuses_pinned(void (*change)(struct kmap_spec *spec), const char *part)
{
	struct rig t = rig("rings");

	use_pins(&t, "");
	pin_before(&t, change);
	load_refused(&t, -EINVAL, part);
	CHECK(exists(&t, "kept_by_name"));
	done(&t);
}

TEST(refuses_pinned_maps_of_another_shape)
{
	refuses_pinned(change_type, "has type 1, the object wants 9");
	refuses_pinned(change_key, "has key_size 4, the object wants 20");
	refuses_pinned(change_value, "has value_size 4, the object wants 8");
	refuses_pinned(change_entries, "has max_entries 65, the object wants 64");
	refuses_pinned(change_flags, "has flags 2, the object wants 0");
}

TEST(compares_rings_by_what_they_become)
{
	struct rig t = rig("rings"), again;

	use_pins(&t, "");
	CHECK(asprintf(&map_cfg(&t, "events")->pin_path, "%s/events", t.dir) > 0);
	load_good(&t);
	/* 5000 became 8192; who wants 5000 again gets the same. */
	again = rig("rings");
	again.cfg.pin_root = strdup(t.cfg.pin_root);
	CHECK(asprintf(&map_cfg(&again, "events")->pin_path, "%s/events", t.dir) > 0);
	load_good(&again);
	CHECK(map_of(&again, "events")->reused);
	CHECK_EQ(map_of(&again, "events")->id, map_of(&t, "events")->id);
	loaded_free(take_ptr(again.l));
	load_config_deinit(&again.cfg);
	object_free(again.obj);
	kernel_btf_free(again.kb);
	done(&t);
}

static int somebody_pins_first(int cmd, void *attr, size_t size, bool *handled)
{
	const struct abi_obj *obj = attr;
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 20, .value_size = 8, .max_entries = 64
	};
	_cleanup_close_ int fd = -1;

	(void)size;
	(void)handled;
	if (cmd != BPF_OBJ_PIN)
		return 0;
	fake_sys_hook = NULL;
	fd = kmap_create(&spec);
	CHECK(fd >= 0);
	CHECK_EQ(kobj_pin(fd, (const char *)(uintptr_t)obj->pathname), 0);
	return 0;
}

TEST(uses_the_map_of_who_was_first)
{
	struct rig t = rig("rings");

	use_pins(&t, "");
	fake_sys_hook = somebody_pins_first;
	load_good(&t);
	CHECK(map_of(&t, "kept_by_name")->reused);
	CHECK(!map_of(&t, "kept_by_name")->pinned_here);
	done(&t);
}

TEST(refuses_a_pin_that_is_no_map)
{
	struct rig t = rig("rings");
	const struct bpf_insn insns[] = { INSN_MOV64_IMM(0, 0), INSN_EXIT() };
	struct abi_prog_load attr = { .prog_type = 1,
				      .insn_cnt = 2,
				      .insns = ptr_to_u64(insns),
				      .license = ptr_to_u64("GPL") };
	char path[128];
	int fd = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));

	use_pins(&t, "");
	snprintf(path, sizeof(path), "%s/kept_by_name", t.dir);
	CHECK_EQ(kobj_pin(fd, path), 0);
	close(fd);
	CHECK(load(&t) < 0);
	CHECK_HAS(t.rp.text, "map 'kept_by_name': what is pinned at");
	done(&t);
}

/* Failures */

TEST(names_the_map_that_the_kernel_refuses)
{
	struct rig t = rig("calls");

	map_cfg(&t, "cells")->params.max_entries = 0;
	load_refused(&t, -EINVAL,
		     "map 'cells': the kernel does not create it (type array, key_size 4, "
		     "value_size 8, max_entries 0, flags 0x0): EINVAL: set its max_entries");
	done(&t);
}

TEST(says_what_a_missing_right_means)
{
	struct rig t = rig("calls");

	fake_sys_fail(BPF_PROG_LOAD, 1, EPERM);
	fake_sys_fail(BPF_PROG_LOAD, 2, EPERM);
	load_refused(&t, -EPERM, "CAP_BPF");
	done(&t);
}

TEST(says_what_the_verifier_said)
{
	static const char log[] = "0: R1=ctx() R10=fp0\n"
				  "; return *value; @ x.bpf.c:6\n"
				  "7: (79) r0 = *(u64 *)(r0 +0)\n"
				  "R0 invalid mem access 'map_value_or_null'\n"
				  "processed 7 insns (limit 1000000) max_states_per_insn 0\n";
	struct rig t = rig("calls");
	int r;

	fake_sys_verdict(BPF_PROG_LOAD, EACCES, log, strlen(log));
	CHECK_EQ(prepare(&t), 0);
	r = load_programs(t.l, &t.cfg, &t.rp);
	CHECK_EQ(r, -EACCES);
	CHECK_STR(t.rp.text, "program 'calls_none', instruction 7: R0 invalid mem access "
			     "'map_value_or_null': in 'return *value; @ x.bpf.c:6'");
	CHECK_STR(t.rp.prog, "calls_none");
	CHECK_EQ(t.rp.insn, 7);
	CHECK_STR(t.rp.source, "return *value; @ x.bpf.c:6");
	CHECK_STR(str_text(&prog_of(&t, "calls_none")->log), log);
	CHECK_HAS(notes, log);
	/* The next one is not tried. */
	CHECK_EQ(prog_of(&t, "calls_static")->log.len, 0);
	done(&t);
}

TEST(finds_the_source_of_a_reason_without_one)
{
	static const char log[] = "unreachable insn 1\nprocessed 0 insns\n";
	struct rig t = rig("calls");

	fake_sys_verdict(BPF_PROG_LOAD, EINVAL, log, strlen(log));
	load_refused(&t, -EINVAL, "program 'calls_none', instruction 1: unreachable insn 1");
	CHECK_HAS(t.rp.source, "return 0; @ calls.bpf.c:");
	done(&t);
}

TEST(explains_core_relocations_that_found_nothing)
{
	static const char log[] = "2: (85) call unknown#195896080\n"
				  "invalid func unknown#195896080\n";
	struct rig t = rig("refused");
	struct btf_gen b = {};

	gen_struct(&b, "task_struct", 4, M("pid", gen_int(&b, "int", 4, BTF_INT_SIGNED), 0));
	gen_finish(&b);
	CHECK_EQ(btf_parse(b.blob.data, b.blob.len, "custom", NULL, &t.rp, &t.cfg.custom_btf), 0);
	gen_deinit(&b);
	prog_cfg(&t, "refused_core")->autoload = true;
	CHECK_EQ(prepare(&t), 0);
	CHECK_EQ(prog_of(&t, "refused_core")->code.n_poisoned, 1);
	/* The log names the instruction that the object's compiler chose. */
	{
		char text[256];

		snprintf(text, sizeof(text), "%u%s",
			 prog_of(&t, "refused_core")->code.poisoned[0].insn, log + 1);
		fake_sys_verdict(BPF_PROG_LOAD, EINVAL, text, strlen(text));
	}
	CHECK_EQ(load_programs(t.l, &t.cfg, &t.rp), -EINVAL);
	CHECK_HAS(t.rp.text, "nothing for the CO-RE relocation");
	CHECK_HAS(t.rp.text, "task_struct.no_such_member");
	done(&t);
}

TEST(keeps_logs_that_were_asked_for)
{
	struct rig t = rig("calls");

	prog_cfg(&t, "calls_static")->log_level = 2;
	load_good(&t);
	CHECK_HAS(str_text(&prog_of(&t, "calls_static")->log), "processed 18 insns");
	CHECK_EQ(prog_of(&t, "calls_none")->log.len, 0);
	CHECK_EQ(prog_load(&t, "calls_static")->attr.prog_load.log_level, 2);
	CHECK_HAS(notes, "4: processed 18 insns");
	done(&t);
}

/* Request number fail_at fails; if fail_on is set, all later ones of its command do, too. */

static unsigned fail_at, fail_n;
static bool fail_on;
static int fail_cmd;

static int fail_one(int cmd, void *attr, size_t size, bool *handled)
{
	(void)attr;
	(void)size;
	if (++fail_n == fail_at)
		fail_cmd = cmd;
	if (fail_n != fail_at && !(fail_on && fail_n > fail_at && cmd == fail_cmd))
		return 0;
	*handled = true;
	return -EIO;
}

/* Whether the load made so many requests at all; *@failed: whether it failed. */
static bool load_failing(const char *name, bool *failed)
{
	struct rig t = rig(name);
	int r;

	use_pins(&t, "/dir");
	fail_n = 0;
	fake_sys_hook = fail_one;
	r = load(&t);
	fake_sys_hook = NULL;
	*failed = r < 0;
	if (r < 0) {
		CHECK_EQ(fake_sys_open_fds(), 0);
		CHECK(!t.l);
		CHECK_EQ(t.rp.err, r);
		CHECK(t.rp.text[0]);
		CHECK(!exists(&t, "dir"));
	}
	done(&t);
	return fail_n >= fail_at;
}

/* Fails request after request until a load makes fewer. Each either succeeds or leaves nothing. */
static void survives_failures(const char *name)
{
	unsigned n_failed[2] = {};
	bool failed;

	for (int i = 0; i < 2; i++) {
		fail_on = i;
		for (fail_at = 1; load_failing(name, &failed); fail_at++)
			n_failed[i] += failed;
		CHECK(!failed);
	}
	/* Once alone, many a failure is got over; but most requests matter. */
	CHECK(n_failed[0] > 0 || !strcmp(name, "calls"));
	CHECK(n_failed[1] > n_failed[0]);
	CHECK(n_failed[1] * 3 > fail_at);
}

TEST(leaves_nothing_of_rings_that_fail)
{
	survives_failures("rings");
}

TEST(leaves_nothing_of_holders_that_fail)
{
	survives_failures("holders");
}

TEST(leaves_nothing_of_globals_that_fail)
{
	survives_failures("globals");
}

TEST(leaves_nothing_of_calls_that_fail)
{
	survives_failures("calls");
}
