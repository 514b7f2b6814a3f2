/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel is told when an object is loaded, and in which order. */
#include "loader/load.h"

#include "loader/attach_btf.h"
#include "tests/gen/btf_gen.h"
#include "tests/unit/load_rig.h"

TEST(loads_types_then_maps_then_programs)
{
	struct rig t = rig("globals");

	load_good(&t);
	CHECK_EQ(count(&t, BPF_BTF_LOAD), 1);
	CHECK_EQ(count(&t, BPF_MAP_CREATE), 7);
	CHECK_EQ(count(&t, BPF_PROG_LOAD), 2);
	CHECK(place(&t, BPF_BTF_LOAD, 0) < place(&t, BPF_MAP_CREATE, 0));
	CHECK(place(&t, BPF_MAP_CREATE, 6) < place(&t, BPF_PROG_LOAD, 0));
	CHECK(place(&t, BPF_MAP_FREEZE, 1) < place(&t, BPF_PROG_LOAD, 0));
	CHECK_HAS(notes, "loading program 'globals_use' (1 of 2)");
	CHECK_HAS(notes, "loading program 'globals_only_statics' (2 of 2)");
	CHECK(prog_of(&t, "globals_use")->id);
	CHECK(map_of(&t, ".bss")->id);
	CHECK(t.l->btf_fd >= 3);
	done(&t);
}

TEST(tells_the_kernel_what_data_maps_are)
{
	struct rig t = rig("globals");
	const struct abi_map_create *m;
	const struct fake_call *update;

	load_good(&t);
	m = creation(&t, "globals.data");
	CHECK_EQ(m->map_type, BPF_MAP_TYPE_ARRAY);
	CHECK_EQ(m->key_size, 4);
	CHECK_EQ(m->value_size, 32);
	CHECK_EQ(m->max_entries, 1);
	CHECK_EQ(m->map_flags, BPF_F_MMAPABLE);
	CHECK_EQ(m->btf_fd, t.l->btf_fd);
	CHECK_EQ(m->btf_key_type_id, 0);
	CHECK_EQ(m->btf_value_type_id, btf_find(t.obj->btf, ".data", BTF_KIND_DATASEC));
	CHECK_EQ(creation(&t, "globals.rodata")->map_flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	/* .bss needs no contents, constants cannot be changed any more */
	CHECK_EQ(count(&t, BPF_MAP_UPDATE_ELEM), 5);
	CHECK_EQ(count(&t, BPF_MAP_FREEZE), 2);
	update = request(&t, BPF_MAP_UPDATE_ELEM, 0);
	CHECK_EQ(update->value_size, 32);
	CHECK_EQ(*(int *)update->value, 5);
	CHECK_EQ(kmap_update(map_of(&t, ".rodata")->fd, &(uint32_t){ 0 }, update->value, 0),
		 -EPERM);
	done(&t);
}

TEST(tells_the_kernel_what_programs_are)
{
	struct rig t = rig("calls");
	const struct fake_call *call;
	const struct bpf_func_info *funcs;

	load_good(&t);
	call = prog_load(&t, "calls_static");
	CHECK_EQ(call->attr.prog_load.prog_type, BPF_PROG_TYPE_SOCKET_FILTER);
	CHECK_EQ(call->attr.prog_load.prog_btf_fd, t.l->btf_fd);
	CHECK_STR(call->license, "GPL");
	CHECK_EQ(call->attr.prog_load.insn_cnt, 18);
	CHECK_EQ(call->attr.prog_load.func_info_cnt, 3);
	CHECK_EQ(call->attr.prog_load.func_info_rec_size, 8);
	CHECK_EQ(call->attr.prog_load.line_info_rec_size, 16);
	CHECK(call->attr.prog_load.line_info_cnt >= 3);
	CHECK_EQ(call->attr.prog_load.log_level, 0);
	CHECK_EQ(call->attr.prog_load.prog_flags, 0);
	CHECK(call->attr.prog_load.kern_version != 0);
	funcs = call->func_info;
	CHECK_STR(btf_type_name(t.obj->btf, funcs[1].type_id), "branch");
	/* the name is cut to what the kernel takes */
	CHECK_STR(prog_load(&t, "calls_by_address")->attr.prog_load.prog_name, "calls_by_addres");
	done(&t);
}

TEST(gives_programs_the_descriptors_of_their_maps)
{
	struct rig t = rig("calls");
	const struct fake_call *call;

	load_good(&t);
	call = prog_load(&t, "calls_by_addres");
	CHECK_EQ(call->insns[0].src_reg, BPF_PSEUDO_MAP_FD);
	CHECK_EQ(call->insns[0].imm, map_of(&t, "cells")->fd);
	done(&t);
}

TEST(binds_constants_to_programs)
{
	struct rig t = rig("globals");

	load_good(&t);
	/* two programs, two sections of constants */
	CHECK_EQ(count(&t, BPF_PROG_BIND_MAP), 4);
	CHECK_EQ(request(&t, BPF_PROG_BIND_MAP, 0)->attr.prog_bind_map.prog_fd,
		 prog_of(&t, "globals_use")->fd);
	CHECK_EQ(request(&t, BPF_PROG_BIND_MAP, 0)->attr.prog_bind_map.map_fd,
		 map_of(&t, ".rodata")->fd);
	done(&t);
}

TEST(takes_no_offence_at_constants_that_do_not_bind)
{
	struct rig t = rig("globals");

	fake_sys_fail(BPF_PROG_BIND_MAP, 1, EPERM);
	load_good(&t);
	CHECK_HAS(notes, "program 'globals_use' does not hold map '.rodata': EPERM");
	done(&t);
}

TEST(completes_the_sizes_of_rings)
{
	struct rig t = rig("rings");
	uint32_t page = sysconf(_SC_PAGESIZE);
	const struct abi_map_create *m;

	use_pins(&t, "");
	load_good(&t);
	m = creation(&t, "events");
	CHECK_EQ(m->max_entries, page >= 8192 ? page : 8192);
	CHECK_EQ(m->key_size, 0);
	CHECK_EQ(m->value_size, 0);
	CHECK_EQ(m->btf_value_type_id, 0);
	CHECK_EQ(map_of(&t, "events")->params.max_entries, m->max_entries);
	CHECK_EQ(creation(&t, "plain")->max_entries, page);
	m = creation(&t, "samples");
	CHECK_EQ(m->max_entries, possible_cpus());
	CHECK_EQ(m->value_size, 4);
	CHECK_EQ(m->btf_fd, 0);
	CHECK_EQ(creation(&t, "seen")->map_extra, 3);
	CHECK(creation(&t, "seen")->btf_value_type_id);
	/* a queue cannot have types */
	CHECK_EQ(creation(&t, "jobs")->btf_fd, 0);
	CHECK(creation(&t, "kept_by_name")->btf_key_type_id);
	done(&t);
}

TEST(makes_maps_that_hold_maps)
{
	struct rig t = rig("holders");
	uint32_t slot = 2, id = 0;

	load_good(&t);
	CHECK(creation(&t, "by_index")->inner_map_fd >= 3);
	CHECK_EQ(creation(&t, "by_index.inner")->max_entries, 2);
	CHECK_EQ(creation(&t, "by_key.inner")->map_flags, BPF_F_NO_PREALLOC);
	CHECK_EQ(kmap_lookup(map_of(&t, "by_index")->fd, &slot, &id, 0), 0);
	CHECK_EQ(id, map_of(&t, "first")->id);
	slot = 0;
	CHECK_EQ(kmap_lookup(map_of(&t, "by_index")->fd, &slot, &id, 0), 0);
	CHECK_EQ(id, map_of(&t, "second")->id);
	slot = 1;
	CHECK_EQ(kmap_lookup(map_of(&t, "by_index")->fd, &slot, &id, 0), -ENOENT);
	done(&t);
}

TEST(puts_programs_into_program_arrays_when_they_are_loaded)
{
	struct rig t = rig("holders");
	uint32_t slot = 1, id = 0;

	CHECK_EQ(prepare(&t), 0);
	CHECK_EQ(kmap_lookup(map_of(&t, "jumps")->fd, &slot, &id, 0), -ENOENT);
	CHECK_EQ(load_programs(t.l, &t.cfg, &t.rp), 0);
	CHECK_EQ(kmap_lookup(map_of(&t, "jumps")->fd, &slot, &id, 0), 0);
	CHECK_EQ(id, prog_of(&t, "holders_one")->id);
	done(&t);
}

TEST(leaves_slots_of_unloaded_programs_empty)
{
	struct rig t = rig("holders");
	uint32_t slot = 1, id = 0;

	prog_cfg(&t, "holders_one")->autoload = false;
	load_good(&t);
	CHECK_EQ(kmap_lookup(map_of(&t, "jumps")->fd, &slot, &id, 0), -ENOENT);
	CHECK_HAS(notes, "slot 1 stays empty: program 'holders_one' is not loaded");
	done(&t);
}

TEST(refuses_contents_that_were_not_created)
{
	struct rig t = rig("holders");

	map_cfg(&t, "first")->autocreate = false;
	load_refused(&t, -EINVAL, "map 'by_index' holds 'first' in slot 2, which is not created");
	done(&t);
}

TEST(loads_only_what_is_switched_on)
{
	struct rig t = rig("sections");

	load_good(&t);
	CHECK_EQ(count(&t, BPF_PROG_LOAD), 2);
	CHECK_EQ(prog_load(&t, "sections_first")->attr.prog_load.kern_version, 0x060102);
	CHECK_EQ(prog_of(&t, "sections_off")->fd, -1);
	CHECK(!prog_of(&t, "sections_off")->code.insns);
	done(&t);
}

TEST(loads_what_was_switched_on_after_preparing)
{
	struct rig t = rig("sections");

	CHECK_EQ(prepare(&t), 0);
	prog_cfg(&t, "sections_off")->autoload = true;
	CHECK_EQ(load_programs(t.l, &t.cfg, &t.rp), 0);
	CHECK(prog_of(&t, "sections_off")->fd >= 3);
	done(&t);
}

TEST(refuses_externs_of_programs_that_are_loaded)
{
	struct rig t = rig("sections");

	prog_cfg(&t, "sections_extern_function")->autoload = true;
	load_refused(&t, -EOPNOTSUPP, "uses the extern 'CONFIG_HZ'");
	done(&t);
}

TEST(gives_the_kernel_types_without_externs)
{
	struct rig t = rig("sections");
	const struct fake_call *call;
	struct btf *btf = NULL;
	uint32_t id;

	load_good(&t);
	call = request(&t, BPF_BTF_LOAD, 0);
	CHECK_EQ(btf_parse(call->btf, call->attr.btf_load.btf_size, "sent", NULL, &t.rp, &btf), 0);
	id = btf_find(btf, ".ksyms", BTF_KIND_DATASEC);
	CHECK_EQ(btf_type(btf, id)->size, 8);
	for (uint32_t i = 0; i < btf_vlen(btf_type(btf, id)); i++) {
		const struct btf_var_secinfo *info = &btf_secinfos(btf_type(btf, id))[i];

		CHECK_EQ(info->offset, i * 4);
		CHECK_EQ(btf_kind(btf_type(btf, info->type)), BTF_KIND_VAR);
		CHECK_EQ(btf_var(btf_type(btf, info->type))->linkage, BTF_VAR_GLOBAL_ALLOCATED);
	}
	CHECK_EQ(btf_vlen(btf_type(btf, btf_find(btf, "unknown_function", BTF_KIND_FUNC))),
		 BTF_FUNC_STATIC);
	btf_unref(btf);
	done(&t);
}

TEST(refuses_sections_that_say_nothing)
{
	struct rig t = rig("sections");

	prog_cfg(&t, "sections_unknown")->autoload = true;
	load_refused(&t, -EINVAL,
		     "program 'sections_unknown': section '?no_such_kind/x' says nothing");
	done(&t);
}

TEST(loads_a_program_whose_type_was_set)
{
	struct rig t = rig("sections");

	prog_cfg(&t, "sections_unknown")->autoload = true;
	prog_cfg(&t, "sections_unknown")->type = BPF_PROG_TYPE_XDP;
	prog_cfg(&t, "sections_unknown")->attach_type = BPF_XDP;
	prog_cfg(&t, "sections_unknown")->flags = SECTION_XDP_FRAGS;
	load_good(&t);
	CHECK_EQ(prog_load(&t, "sections_unknow")->attr.prog_load.prog_type, BPF_PROG_TYPE_XDP);
	CHECK_EQ(prog_load(&t, "sections_unknow")->attr.prog_load.expected_attach_type, BPF_XDP);
	CHECK_EQ(prog_load(&t, "sections_unknow")->attr.prog_load.prog_flags, 1 << 5);
	done(&t);
}

TEST(says_that_a_program_may_sleep)
{
	struct elf_gen g = {};
	struct rig t;

	gen_symbol(&g, "prog", gen_code(&g, "uprobe.s/x:y", 2), 0, 16, GEN_GLOBAL_FUNC);
	t = rig_gen(&g);
	load_good(&t);
	CHECK_EQ(prog_load(&t, "prog")->attr.prog_load.prog_flags, 1 << 4);
	CHECK_STR(prog_load(&t, "prog")->license, "");
	done(&t);
}

TEST(refuses_struct_ops)
{
	struct rig t = rig("sections");

	prog_cfg(&t, "sections_struct_ops")->autoload = true;
	load_refused(&t, -EOPNOTSUPP, "program 'sections_struct_ops' of section '?struct_ops/x'");
	done(&t);
}

TEST(refuses_objects_of_the_other_byte_order)
{
	struct elf_gen g = {};
	struct report rp = REPORT_INIT(NULL, NULL);
	struct object *obj = NULL;
	struct rig t;

	gen_small(&g);
	gen_elf_finish(&g);
	gen_elf_swap(&g);
	CHECK_EQ(object_parse(g.blob.data, g.blob.len, "x", &rp, &obj), 0);
	gen_elf_deinit(&g);
	t = rig_with(obj);
	load_refused(&t, -EINVAL, "other byte order");
	done(&t);
}

TEST(refuses_arenas)
{
	struct rig t = rig("calls");

	map_cfg(&t, "cells")->params.type = ABI_MAP_TYPE_ARENA;
	load_refused(&t, -EOPNOTSUPP, "map 'cells' is an arena");
	done(&t);
}

TEST(refuses_exception_callbacks_of_programs_that_are_loaded)
{
	struct btf_gen b = {};
	struct elf_gen g = {};
	struct rig t;
	uint32_t func;

	func = gen_func(&b, "prog", gen_proto(&b, gen_int(&b, "int", 4, BTF_INT_SIGNED), NULL, 0),
			BTF_FUNC_GLOBAL);
	gen_decl_tag(&b, "exception_callback:catch", func, -1);
	gen_finish(&b);
	gen_small(&g);
	gen_section(&g, ".BTF", SHT_PROGBITS, 0, b.blob.data, b.blob.len);
	gen_deinit(&b);
	t = rig_gen(&g);
	load_refused(&t, -EOPNOTSUPP, "program 'prog' has an exception callback");
	t.cfg.progs[0].autoload = false;
	load_good(&t);
	done(&t);
}

TEST(refuses_the_configuration_of_another_object)
{
	struct rig t = rig("calls");

	t.cfg.n_maps--;
	load_refused(&t, -EINVAL, "another object");
	t.cfg.n_maps++;
	done(&t);
}

/* What hangs on the kernel's functions */

static bool no_kernel_types(struct rig *t)
{
	_cleanup_(btf_unrefp) struct btf *btf = NULL;

	return kernel_btf_get(t->kb, NULL, &btf) < 0;
}

TEST(says_that_a_function_does_not_exist)
{
	struct rig t = rig("sections");

	if (no_kernel_types(&t))
		SKIP("this kernel has no BTF");
	prog_cfg(&t, "sections_no_target")->autoload = true;
	load_refused(&t, -ENOENT, "program 'sections_no_target': no function 'no_such_function'");
	done(&t);
}

TEST(names_the_function_that_a_program_hangs_on)
{
	struct rig t = rig("sections");
	struct prog_config *pc = prog_cfg(&t, "sections_no_target");
	struct btf *vmlinux = NULL;

	if (kernel_btf_get(t.kb, NULL, &vmlinux) < 0)
		SKIP("this kernel has no BTF");
	pc->autoload = true;
	free(pc->attach_target);
	pc->attach_target = strdup("vfs_read");
	load_good(&t);
	CHECK_EQ(prog_of(&t, "sections_no_target")->attach_btf_id,
		 btf_find(vmlinux, "vfs_read", BTF_KIND_FUNC));
	CHECK_EQ(prog_load(&t, "sections_no_tar")->attr.prog_load.attach_btf_id,
		 btf_find(vmlinux, "vfs_read", BTF_KIND_FUNC));
	CHECK_EQ(prog_load(&t, "sections_no_tar")->attr.prog_load.attach_prog_fd, 0);
	btf_unref(vmlinux);
	done(&t);
}

TEST(wants_to_know_what_a_program_hangs_on)
{
	struct rig t = rig("sections");
	struct prog_config *pc = prog_cfg(&t, "sections_no_target");

	pc->autoload = true;
	free(take_ptr(pc->attach_target));
	load_refused(&t, -EINVAL, "program 'sections_no_target' must know what it hangs on");
	done(&t);
}

TEST(knows_the_kernels_prefixes)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = kernel_btf_new();
	_cleanup_(btf_unrefp) struct btf *vmlinux = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);
	uint32_t id;
	int fd;

	if (kernel_btf_get(kb, NULL, &vmlinux) < 0)
		SKIP("this kernel has no BTF");
	CHECK_EQ(attach_btf_find(kb, "p", BPF_TRACE_RAW_TP, "sys_enter", &rp, &id, &fd), 0);
	CHECK_STR(btf_type_name(vmlinux, id), "btf_trace_sys_enter");
	CHECK_EQ(fd, -1);
	CHECK_EQ(attach_btf_find(kb, "p", BPF_TRACE_ITER, "task", &rp, &id, &fd), 0);
	CHECK_STR(btf_type_name(vmlinux, id), "bpf_iter_task");
	CHECK_EQ(attach_btf_find(kb, "p", BPF_TRACE_FENTRY, "vmlinux:vfs_read", &rp, &id, &fd), 0);
	CHECK_STR(btf_type_name(vmlinux, id), "vfs_read");
	CHECK_EQ(attach_btf_find(kb, "p", BPF_LSM_MAC, "no_hook", &rp, &id, &fd), -ENOENT);
	CHECK_HAS(rp.text, "program 'p': no LSM hook 'no_hook'");
	CHECK_EQ(attach_btf_find(kb, "p", BPF_TRACE_FENTRY, "nomod:vfs_read", &rp, &id, &fd),
		 -ENOENT);
	CHECK_HAS(rp.text, "of that module");
	fake_sys_reset();
}

TEST(finds_functions_of_modules)
{
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = kernel_btf_new();
	_cleanup_(btf_unrefp) struct btf *vmlinux = NULL;
	struct report rp = REPORT_INIT(NULL, NULL);
	struct btf_gen g = {};
	const struct btf_header *header;
	uint32_t id, func, again;
	size_t len;
	int fd = -1;

	if (kernel_btf_get(kb, NULL, &vmlinux) < 0)
		SKIP("this kernel has no BTF");
	header = btf_bytes(vmlinux, &len);
	g.first_id = btf_n_types(vmlinux);
	g.first_str = header->str_len;
	id = gen_proto(&g, 0, NULL, 0);
	func = gen_func(&g, "function_of_a_module", id, BTF_FUNC_STATIC);
	again = gen_func(&g, "vfs_read", id, BTF_FUNC_STATIC);
	gen_finish(&g);
	fake_sys_add_btf("some_module", g.blob.data, g.blob.len);
	gen_deinit(&g);
	CHECK_EQ(attach_btf_find(kb, "p", BPF_TRACE_FENTRY, "function_of_a_module", &rp, &id, &fd),
		 0);
	CHECK_EQ(id, func);
	CHECK(fd >= 3);
	close(fd);
	/* A module may have a function of a name that the kernel has, too. */
	CHECK_EQ(attach_btf_find(kb, "p", BPF_TRACE_FENTRY, "some_module:vfs_read", &rp, &id, &fd),
		 0);
	CHECK_EQ(id, again);
	close(fd);
	CHECK_EQ(attach_btf_find(kb, "p", BPF_TRACE_FENTRY, "vfs_read", &rp, &id, &fd), 0);
	CHECK_EQ(fd, -1);
	CHECK_EQ(fake_sys_open_fds(), 0);
	fake_sys_reset();
}

/* Older kernels */

TEST(does_without_names)
{
	struct rig t;

	fake_kernel.no_names = true;
	t = rig("calls");
	load_good(&t);
	CHECK_STR(request(&t, BPF_MAP_CREATE, 0)->attr.map_create.map_name, "");
	CHECK_STR(request(&t, BPF_PROG_LOAD, 0)->attr.prog_load.prog_name, "");
	done(&t);
}

TEST(does_without_types)
{
	struct rig t;

	fake_kernel.no_btf = true;
	t = rig("calls");
	load_good(&t);
	CHECK_EQ(count(&t, BPF_BTF_LOAD), 0);
	CHECK_EQ(creation(&t, "cells")->btf_fd, 0);
	CHECK_EQ(prog_load(&t, "calls_static")->attr.prog_load.func_info_cnt, 0);
	CHECK_EQ(prog_load(&t, "calls_static")->attr.prog_load.prog_btf_fd, 0);
	CHECK_EQ(t.l->btf_fd, -1);
	done(&t);
}

TEST(goes_on_when_the_kernel_refuses_types)
{
	struct rig t = rig("calls");

	fake_sys_verdict(BPF_BTF_LOAD, EINVAL, "[3] INT too large\n", 18);
	load_good(&t);
	CHECK_HAS(notes, "does not take the object's BTF (EINVAL)");
	CHECK_HAS(notes, "[3] INT too large");
	CHECK_EQ(t.rp.err, 0);
	CHECK_EQ(creation(&t, "cells")->btf_fd, 0);
	CHECK_EQ(prog_load(&t, "calls_static")->attr.prog_load.func_info_cnt, 0);
	done(&t);
}

TEST(makes_a_map_without_types_if_the_kernel_wants_it_so)
{
	struct rig t = rig("calls");

	fake_sys_fail(BPF_MAP_CREATE, 1, EINVAL);
	load_good(&t);
	CHECK_EQ(count(&t, BPF_MAP_CREATE), 3);
	CHECK(request(&t, BPF_MAP_CREATE, 0)->attr.map_create.btf_key_type_id);
	CHECK_EQ(request(&t, BPF_MAP_CREATE, 1)->attr.map_create.btf_key_type_id, 0);
	CHECK_EQ(request(&t, BPF_MAP_CREATE, 1)->attr.map_create.btf_fd, 0);
	CHECK_HAS(notes, "map 'cells': the kernel does not take the types");
	done(&t);
}

TEST(does_without_global_variables)
{
	struct rig t;

	fake_kernel.no_global_data = true;
	t = rig("calls");
	load_good(&t);
	CHECK_EQ(count(&t, BPF_MAP_CREATE), 1);
	CHECK_EQ(map_of(&t, ".bss")->fd, -1);
	CHECK_HAS(notes, "map '.bss': this kernel has no global variables");
	done(&t);
}

TEST(does_without_mapping_of_arrays)
{
	struct rig t;

	fake_kernel.no_mmapable = true;
	t = rig("globals");
	load_good(&t);
	CHECK_EQ(creation(&t, "globals.data")->map_flags, 0);
	CHECK_EQ(creation(&t, "globals.rodata")->map_flags, BPF_F_RDONLY_PROG);
	CHECK_EQ(map_of(&t, ".data")->params.flags, 0);
	done(&t);
}

TEST(uses_the_old_helpers_for_reading_memory)
{
	struct bpf_insn insns[] = {
		INSN_CALL(BPF_FUNC_probe_read_kernel),
		INSN_CALL(BPF_FUNC_probe_read_user_str),
		/* a number that only looks like a helper's */
		INSN_MOV64_IMM(0, BPF_FUNC_probe_read_kernel),
		INSN_EXIT(),
	};
	struct elf_gen g = {};
	const struct fake_call *call;
	struct rig t;

	fake_kernel.max_helper = 100;
	gen_symbol(&g, "prog", gen_insns(&g, "kprobe/x", insns, 4), 0, 32, GEN_GLOBAL_FUNC);
	t = rig_gen(&g);
	load_good(&t);
	call = prog_load(&t, "prog");
	CHECK_EQ(call->insns[0].imm, BPF_FUNC_probe_read);
	CHECK_EQ(call->insns[1].imm, BPF_FUNC_probe_read_str);
	CHECK_EQ(call->insns[2].imm, BPF_FUNC_probe_read_kernel);
	done(&t);
}

static int refuse_attach_types(int cmd, void *attr, size_t size, bool *handled)
{
	const struct abi_prog_load *load = attr;

	(void)size;
	if (cmd != BPF_PROG_LOAD || !load->expected_attach_type)
		return 0;
	*handled = true;
	return -E2BIG;
}

TEST(drops_attach_types_that_are_optional)
{
	struct elf_gen g = {};
	struct rig t;

	gen_symbol(&g, "prog", gen_code(&g, "xdp", 2), 0, 16, GEN_GLOBAL_FUNC);
	t = rig_gen(&g);
	fake_sys_hook = refuse_attach_types;
	load_good(&t);
	CHECK_EQ(fake_sys_last(BPF_PROG_LOAD)->attr.prog_load.expected_attach_type, 0);
	done(&t);
}

TEST(keeps_attach_types_that_are_not_optional)
{
	struct elf_gen g = {};
	struct rig t;

	gen_symbol(&g, "prog", gen_code(&g, "cgroup/bind4", 2), 0, 16, GEN_GLOBAL_FUNC);
	t = rig_gen(&g);
	fake_sys_hook = refuse_attach_types;
	load_refused(&t, -E2BIG, "program 'prog': the kernel does not load it: E2BIG");
	done(&t);
}

/* Configuration */

TEST(creates_maps_as_configured)
{
	struct rig t = rig("calls");
	struct map_config *mc = map_cfg(&t, "cells");
	const struct abi_map_create *m;

	mc->params.max_entries = 1234;
	mc->params.flags = BPF_F_NUMA_NODE;
	mc->params.numa_node = 1;
	/* Another value size: what BTF says of values no longer fits. */
	mc->params.value_size = 16;
	load_good(&t);
	m = creation(&t, "cells");
	CHECK_EQ(m->max_entries, 1234);
	CHECK_EQ(m->numa_node, 1);
	CHECK_EQ(m->map_flags, BPF_F_NUMA_NODE);
	CHECK_EQ(m->value_size, 16);
	CHECK_EQ(m->btf_value_type_id, 0);
	done(&t);
}

TEST(writes_initial_values_as_configured)
{
	struct rig t = rig("globals");
	uint32_t zero = 0;
	int values[8];

	*(int *)map_cfg(&t, ".rodata")->image = 42;
	load_good(&t);
	CHECK_EQ(kmap_lookup(map_of(&t, ".rodata")->fd, &zero, values, 0), 0);
	CHECK_EQ(values[0], 42);
	/* The object stays as it was. */
	CHECK_EQ(*(int *)t.obj->maps[object_find_map(t.obj, ".rodata")].image, 3);
	done(&t);
}

static void resize(struct rig *t, const char *name, uint32_t size)
{
	struct map_config *mc = map_cfg(t, name);
	uint8_t *bigger = calloc(1, size);

	memcpy(bigger, mc->image, MIN(size, mc->params.value_size));
	free(mc->image);
	mc->image = bigger;
	mc->params.value_size = size;
}

TEST(grows_the_last_array_of_a_section)
{
	struct rig t = rig("globals");
	const struct btf_type *sec, *array;
	uint32_t id;

	resize(&t, ".data.room", 1000);
	load_good(&t);
	CHECK_EQ(creation(&t, ".data.room")->value_size, 1000);
	id = creation(&t, ".data.room")->btf_value_type_id;
	CHECK(id);
	sec = btf_type(t.l->btf, id);
	CHECK_EQ(sec->size, 1000);
	CHECK_EQ(btf_secinfos(sec)[0].size, 1000);
	array = btf_type(t.l->btf, btf_type(t.l->btf, btf_secinfos(sec)[0].type)->type);
	CHECK_EQ(btf_array(array)->nelems, 1000);
	done(&t);
}

TEST(drops_types_of_a_section_that_cannot_grow)
{
	struct rig t = rig("globals");

	resize(&t, ".data", 64);
	load_good(&t);
	CHECK_EQ(creation(&t, "globals.data")->value_size, 64);
	CHECK_EQ(creation(&t, "globals.data")->btf_value_type_id, 0);
	done(&t);
}

TEST(copies_configurations_deeply)
{
	struct rig t = rig("globals");
	struct load_config copy;

	t.cfg.pin_root = strdup("/somewhere");
	t.cfg.log_level = 2;
	map_cfg(&t, ".data")->pin_path = strdup("/elsewhere");
	prog_cfg(&t, "globals_use")->attach_target = strdup("target");
	CHECK_EQ(load_config_copy(&t.cfg, &copy), 0);
	map_cfg(&t, ".data")->image[0] = 99;
	CHECK_EQ(copy.maps[object_find_map(t.obj, ".data")].image[0], 5);
	CHECK_STR(copy.maps[object_find_map(t.obj, ".data")].pin_path, "/elsewhere");
	CHECK_STR(copy.progs[0].attach_target, "target");
	CHECK_STR(copy.pin_root, "/somewhere");
	CHECK_EQ(copy.log_level, 2);
	load_config_deinit(&copy);
	done(&t);
}

TEST(poisons_maps_that_are_switched_off)
{
	static const char log[] = "0: (85) call unknown#2001000000\n"
				  "invalid func unknown#2001000000\n";
	struct rig t = rig("calls");

	map_cfg(&t, "cells")->autocreate = false;
	prog_cfg(&t, "calls_none")->autoload = false;
	prog_cfg(&t, "calls_static")->autoload = false;
	prog_cfg(&t, "calls_global")->autoload = false;
	fake_sys_verdict(BPF_PROG_LOAD, EINVAL, log, strlen(log));
	load_refused(&t, -EINVAL, "it uses map 'cells', which was not created");
	CHECK_EQ(fake_sys_last(BPF_PROG_LOAD)->insns[0].imm, RELOC_POISON_MAP);
	done(&t);
}

TEST(uses_a_map_that_is_given)
{
	struct rig t = rig("calls");
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 99
	};
	int fd = kmap_create(&spec);

	t.mark = fake_sys_n_calls(-1);
	map_cfg(&t, "cells")->reuse_fd = fd;
	load_good(&t);
	CHECK_EQ(count(&t, BPF_MAP_CREATE), 1);
	CHECK(map_of(&t, "cells")->fd != fd);
	CHECK(map_of(&t, "cells")->reused);
	CHECK_EQ(map_of(&t, "cells")->params.max_entries, 99);
	CHECK_EQ(prog_load(&t, "calls_by_addres")->insns[0].imm, map_of(&t, "cells")->fd);
	close(fd);
	done(&t);
}

TEST(leaves_the_contents_of_a_given_map_alone)
{
	struct rig t = rig("globals");
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 32, .max_entries = 1
	};
	int fd = kmap_create(&spec), values[8] = { 123 };
	uint32_t zero = 0;

	CHECK_EQ(kmap_update(fd, &zero, values, 0), 0);
	map_cfg(&t, ".data")->reuse_fd = fd;
	load_good(&t);
	CHECK_EQ(kmap_lookup(fd, &zero, values, 0), 0);
	CHECK_EQ(values[0], 123);
	close(fd);
	done(&t);
}
