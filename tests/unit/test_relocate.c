/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/relocate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/insn.h"
#include "loader/btf.h"
#include "loader/btf_ext.h"
#include "loader/core.h"
#include "loader/kernel_btf.h"
#include "tests/gen/btf_gen.h"
#include "tests/gen/elf_gen.h"
#include "tests/unit/test.h"

static struct report rp;

static struct object *compiled(const char *name)
{
	const char *dir = getenv("BPFUSE_TEST_OBJECTS");
	_cleanup_free_ char *data = NULL;
	_cleanup_close_ int fd = -1;
	struct object *obj = NULL;
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
	CHECK_EQ(object_parse(data, st.st_size, name, &rp, &obj), 0);
	return obj;
}

static struct object *parse(struct elf_gen *g)
{
	struct object *obj = NULL;

	gen_elf_finish(g);
	if (object_parse(g->blob.data, g->blob.len, "sample", &rp, &obj) < 0)
		FAIL("%s", rp.text);
	gen_elf_deinit(g);
	return obj;
}

/* Descriptors as the kernel might have given them: 100 for map 0, 101 … */
static int fake_fds[16] = { 100, 101, 102, 103, 104, 105, 106, 107, 108 };

static struct prog_code relocate(const struct object *obj, const char *prog)
{
	uint32_t i = object_find_program(obj, prog);
	struct prog_code code = {};
	int r;

	CHECK(i != OBJECT_NO_INDEX);
	rp = (struct report)REPORT_INIT(NULL, NULL);
	r = relocate_program(obj, i, fake_fds, NULL, &rp, &code);
	if (r < 0)
		FAIL("error %d: %s", r, rp.text);
	return code;
}

static void refuses(const struct object *obj, uint32_t prog, int err, const char *part)
{
	struct prog_code code = {};

	rp = (struct report)REPORT_INIT(NULL, NULL);
	CHECK_EQ(relocate_program(obj, prog, fake_fds, NULL, &rp, &code), err);
	CHECK(!code.insns);
	CHECK_HAS(rp.text, part);
}

static uint32_t length_of(const struct object *obj, const char *name)
{
	for (uint32_t i = 0; i < obj->n_functions; i++) {
		if (!strcmp(obj->functions[i].name, name))
			return obj->functions[i].n_insns;
	}
	FAIL("no function '%s'", name);
}

/* Where the call at @insn goes */
static uint32_t target_of(const struct prog_code *code, uint32_t insn)
{
	return insn + code->insns[insn].imm + 1;
}

/* The nth call of a subprogram, or load of an address of one. */
static uint32_t nth(const struct prog_code *code, bool call, unsigned n)
{
	for (uint32_t i = 0; i < code->n_insns; i++) {
		const struct bpf_insn *insn = &code->insns[i];

		if (call ? insn_is_subprog_call(insn) : insn_is_pseudo_func(insn)) {
			if (!n--)
				return i;
		}
	}
	FAIL("not so many calls");
}

TEST(leaves_a_lonely_program_alone)
{
	struct object *obj = compiled("calls");
	struct prog_code code = relocate(obj, "calls_none");

	CHECK_EQ(code.n_insns, 2);
	CHECK_EQ(code.insns[1].code, BPF_JMP | BPF_EXIT);
	CHECK_EQ(code.n_funcs, 1);
	prog_code_deinit(&code);
	object_free(obj);
}

TEST(appends_what_a_program_reaches_once)
{
	struct object *obj = compiled("calls");
	uint32_t own = length_of(obj, "calls_static"), branch = length_of(obj, "branch");
	struct prog_code code = relocate(obj, "calls_static");

	CHECK_EQ(code.n_insns, own + branch + length_of(obj, "leaf"));
	CHECK_EQ(target_of(&code, nth(&code, true, 0)), own);
	/* both calls of leaf go to the one copy */
	CHECK_EQ(target_of(&code, nth(&code, true, 1)), own + branch);
	CHECK_EQ(target_of(&code, nth(&code, true, 2)), own + branch);
	prog_code_deinit(&code);
	object_free(obj);
}

TEST(points_addresses_at_functions)
{
	struct object *obj = compiled("calls");
	uint32_t own = length_of(obj, "calls_by_address");
	struct prog_code code = relocate(obj, "calls_by_address");
	uint32_t first = nth(&code, false, 0), second = nth(&code, false, 1);

	CHECK_EQ(target_of(&code, first), own);
	CHECK_EQ(target_of(&code, second), own + length_of(obj, "on_element"));
	CHECK_EQ(code.insns[first + 1].imm, 0);
	CHECK_EQ(code.n_funcs, 5);
	prog_code_deinit(&code);
	object_free(obj);
}

/* The source of the line that begins at @insn. */
static const char *line_at(const struct object *obj, const struct prog_code *code, uint32_t insn)
{
	for (uint32_t i = 0; i < code->n_lines; i++) {
		if (code->lines[i].insn_off == insn)
			return btf_str(obj->btf, code->lines[i].line_off);
	}
	return "none";
}

TEST(says_where_functions_and_lines_have_gone)
{
	struct object *obj = compiled("calls");
	uint32_t own = length_of(obj, "calls_static");
	struct prog_code code = relocate(obj, "calls_static");

	CHECK_EQ(code.n_funcs, 3);
	CHECK_EQ(code.funcs[0].insn_off, 0);
	CHECK_STR(btf_type_name(obj->btf, code.funcs[0].type_id), "calls_static");
	CHECK_EQ(code.funcs[1].insn_off, own);
	CHECK_STR(btf_type_name(obj->btf, code.funcs[1].type_id), "branch");
	CHECK_EQ(code.funcs[2].insn_off, own + length_of(obj, "branch"));
	CHECK_STR(btf_type_name(obj->btf, code.funcs[2].type_id), "leaf");
	CHECK(code.n_lines > 3);
	for (uint32_t i = 1; i < code.n_lines; i++)
		CHECK(code.lines[i].insn_off > code.lines[i - 1].insn_off);
	CHECK(code.lines[code.n_lines - 1].insn_off < code.n_insns);
	CHECK_STR(line_at(obj, &code, code.funcs[2].insn_off),
		  "static __attribute__((noinline)) int leaf(int x)");
	CHECK_STR(line_at(obj, &code, 0), "\treturn branch(skb->len);");
	prog_code_deinit(&code);
	object_free(obj);
}

TEST(does_not_change_the_object)
{
	struct object *obj = compiled("calls");
	struct prog_code one = relocate(obj, "calls_global"), two = relocate(obj, "calls_global");

	CHECK_EQ(one.n_insns, two.n_insns);
	CHECK(!memcmp(one.insns, two.insns, one.n_insns * sizeof(*one.insns)));
	prog_code_deinit(&one);
	prog_code_deinit(&two);
	object_free(obj);
}

/* Program "prog" that loads a map (.bss) twice, once with an offset */
static struct object *with_data(void)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 0, 0), INSN_LD_IMM64(2, 0, 5, 0),
				    INSN_MOV64_IMM(0, 0), INSN_EXIT() };
	struct elf_gen g = {};
	uint32_t code = gen_insns(&g, "xdp", insns, 6), bss = gen_data(&g, ".bss", NULL, 64);
	uint32_t var = gen_symbol(&g, "v", bss, 16, 8, GEN_GLOBAL_OBJECT);

	gen_symbol(&g, "prog", code, 0, 48, GEN_GLOBAL_FUNC);
	gen_rel(&g, code, 0, var);
	gen_rel(&g, code, 16, var);
	return parse(&g);
}

TEST(fills_in_descriptors_and_offsets)
{
	struct object *obj = with_data();
	struct prog_code code = relocate(obj, "prog");

	CHECK_EQ(code.insns[0].src_reg, BPF_PSEUDO_MAP_VALUE);
	CHECK_EQ(code.insns[0].imm, 100);
	CHECK_EQ(code.insns[1].imm, 16);
	CHECK_EQ(code.insns[2].dst_reg, 2);
	CHECK_EQ(code.insns[2].imm, 100);
	CHECK_EQ(code.insns[3].imm, 21);
	CHECK_EQ(code.n_funcs, 0);
	CHECK_EQ(code.n_lines, 0);
	prog_code_deinit(&code);
	object_free(obj);
}

TEST(fills_in_descriptors_of_maps)
{
	struct object *obj = compiled("calls");
	struct prog_code code = relocate(obj, "calls_by_address");
	uint32_t map = object_find_map(obj, "cells");

	CHECK(insn_is_ldimm64(&code.insns[0]));
	CHECK_EQ(code.insns[0].src_reg, BPF_PSEUDO_MAP_FD);
	CHECK_EQ(code.insns[0].imm, 100 + map);
	CHECK_EQ(code.insns[1].imm, 0);
	prog_code_deinit(&code);
	object_free(obj);
}

TEST(poisons_uses_of_maps_that_are_not_there)
{
	struct object *obj = with_data();
	struct prog_code code;

	fake_fds[0] = -1;
	code = relocate(obj, "prog");
	for (uint32_t i = 0; i < 4; i++) {
		CHECK(insn_is_helper_call(&code.insns[i]));
		CHECK_EQ(code.insns[i].imm, RELOC_POISON_MAP);
	}
	CHECK_EQ(code.insns[4].code, BPF_ALU64 | BPF_MOV | BPF_K);
	prog_code_deinit(&code);
	object_free(obj);
}

TEST(refuses_externs_only_where_they_are_used)
{
	struct object *obj = compiled("sections");
	struct prog_code code = relocate(obj, "sections_first");

	prog_code_deinit(&code);
	refuses(obj, object_find_program(obj, "sections_extern_variable"), -EOPNOTSUPP,
		"program 'sections_extern_variable': function 'sections_extern_variable', "
		"instruction 0 uses the extern 'unknown_variable'");
	object_free(obj);
}

TEST(refuses_data_of_other_sections_only_where_it_is_used)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 0, 0), INSN_EXIT() };
	struct elf_gen g = {};
	uint32_t code = gen_insns(&g, "xdp", insns, 3);
	uint32_t arena = gen_data(&g, ".addr_space.1", "12345678", 8);
	struct object *obj;

	gen_symbol(&g, "prog", code, 0, 24, GEN_GLOBAL_FUNC);
	gen_rel(&g, code, 0, gen_symbol(&g, "v", arena, 0, 8, GEN_GLOBAL_OBJECT));
	obj = parse(&g);
	refuses(obj, 0, -EOPNOTSUPP, "uses 'v' of section '.addr_space.1'");
	object_free(obj);
}

TEST(refuses_an_endless_program)
{
	enum { N = 600000 };
	struct bpf_insn *insns = calloc(N, sizeof(*insns));
	struct elf_gen g = {};
	struct object *obj;
	uint32_t code, text;

	for (uint32_t i = 0; i < N; i++)
		insns[i] = INSN_MOV64_IMM(0, 0);
	insns[0] = INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1);
	code = gen_insns(&g, "xdp", insns, N);
	insns[0] = INSN_MOV64_IMM(0, 0);
	text = gen_insns(&g, ".text", insns, N);
	free(insns);
	gen_symbol(&g, "prog", code, 0, N * 8, GEN_GLOBAL_FUNC);
	gen_rel(&g, code, 0, gen_symbol(&g, "sub", text, 0, N * 8, GEN_GLOBAL_FUNC));
	obj = parse(&g);
	refuses(obj, 0, -E2BIG, "program 'prog' has over 1000000 instructions");
	object_free(obj);
}

/* Functions that call each other in circles are appended once, too. */
TEST(follows_circles_once)
{
	struct bpf_insn text[] = {
		/* a calls b, b calls a */
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1),
		INSN_EXIT(),
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -3),
		INSN_EXIT(),
	};
	struct bpf_insn insns[] = { INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1),
				    INSN_EXIT() };
	struct elf_gen g = {};
	uint32_t code = gen_insns(&g, "xdp", insns, 2), sub = gen_insns(&g, ".text", text, 4);
	struct prog_code out;
	struct object *obj;

	gen_symbol(&g, "prog", code, 0, 16, GEN_GLOBAL_FUNC);
	gen_rel(&g, code, 0, gen_symbol(&g, "a", sub, 0, 16, GEN_GLOBAL_FUNC));
	gen_symbol(&g, "b", sub, 16, 16, GEN_LOCAL_FUNC);
	obj = parse(&g);
	out = relocate(obj, "prog");
	CHECK_EQ(out.n_insns, 6);
	CHECK_EQ(target_of(&out, 0), 2);
	CHECK_EQ(target_of(&out, 2), 4);
	CHECK_EQ(target_of(&out, 4), 2);
	prog_code_deinit(&out);
	object_free(obj);
}

/*
 * An object with .BTF.ext: section xdp has program "prog" of 3 instructions that
 * calls "sub" of .text. What is said of functions and lines is the test's.
 */
struct info_gen {
	struct btf_gen b;
	struct ext_gen x;
	uint32_t prog, sub, s_xdp, s_text, s_file, s_line;
};

static struct info_gen info_new(void)
{
	struct info_gen i = {};
	uint32_t proto = gen_proto(&i.b, gen_int(&i.b, "int", 4, BTF_INT_SIGNED), NULL, 0);

	i.prog = gen_func(&i.b, "prog", proto, BTF_FUNC_GLOBAL);
	i.sub = gen_func(&i.b, "sub", proto, BTF_FUNC_GLOBAL);
	i.s_xdp = gen_str(&i.b, "xdp");
	i.s_text = gen_str(&i.b, ".text");
	i.s_file = gen_str(&i.b, "x.c");
	i.s_line = gen_str(&i.b, "return 0;");
	gen_finish(&i.b);
	return i;
}

static struct object *info_parse(struct info_gen *i)
{
	struct bpf_insn insns[] = { INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1),
				    INSN_LD_IMM64(0, 0, 1, 0), INSN_EXIT() };
	struct elf_gen g = {};
	uint32_t code = gen_insns(&g, "xdp", insns, 4);
	struct object *obj;

	ext_finish(&i->x);
	gen_symbol(&g, "prog", code, 0, 32, GEN_GLOBAL_FUNC);
	gen_rel(&g, code, 0,
		gen_symbol(&g, "sub", gen_code(&g, ".text", 2), 0, 16, GEN_GLOBAL_FUNC));
	gen_section(&g, ".BTF", SHT_PROGBITS, 0, i->b.blob.data, i->b.blob.len);
	gen_section(&g, ".BTF.ext", SHT_PROGBITS, 0, i->x.blob.data, i->x.blob.len);
	obj = parse(&g);
	CHECK(obj->btf_ext);
	gen_deinit(&i->b);
	ext_deinit(&i->x);
	return obj;
}

TEST(drops_functions_if_the_program_has_none)
{
	struct info_gen i = info_new();
	struct prog_code code;
	struct object *obj;

	EXT(&i.x, GEN_FUNCS, 8, i.s_text, 1, 0, i.sub);
	EXT(&i.x, GEN_LINES, 16, i.s_text, 1, 0, i.s_file, i.s_line, 1 << 10);
	obj = info_parse(&i);
	code = relocate(obj, "prog");
	CHECK_EQ(code.n_funcs, 0);
	CHECK_EQ(code.n_lines, 0);
	prog_code_deinit(&code);
	object_free(obj);
}

TEST(refuses_functions_of_which_half_is_known)
{
	struct info_gen i = info_new();
	struct object *obj;

	EXT(&i.x, GEN_FUNCS, 8, i.s_xdp, 1, 0, i.prog);
	obj = info_parse(&i);
	refuses(obj, 0, -EBADMSG, ".BTF.ext says nothing of function 'sub', but of program 'prog'");
	object_free(obj);
}

TEST(drops_lines_of_which_half_is_known)
{
	struct info_gen i = info_new();
	struct prog_code code;
	struct object *obj;

	EXT(&i.x, GEN_FUNCS, 8, i.s_xdp, 1, 0, i.prog, i.s_text, 1, 0, i.sub);
	EXT(&i.x, GEN_LINES, 16, i.s_xdp, 1, 0, i.s_file, i.s_line, 1 << 10);
	obj = info_parse(&i);
	code = relocate(obj, "prog");
	CHECK_EQ(code.n_funcs, 2);
	CHECK_EQ(code.funcs[1].insn_off, 4);
	CHECK_EQ(code.n_lines, 0);
	prog_code_deinit(&code);
	object_free(obj);
}

TEST(gives_lines_that_the_kernel_takes)
{
	struct info_gen i = info_new();
	struct prog_code code;
	struct object *obj;

	EXT(&i.x, GEN_FUNCS, 8, i.s_xdp, 1, 0, i.prog, i.s_text, 1, 0, i.sub);
	/* twice at one place, and in the middle of a 64-bit load */
	EXT(&i.x, GEN_LINES, 16, i.s_xdp, 5, 0, i.s_file, i.s_line, 1 << 10, 8, i.s_file, i.s_line,
	    2 << 10, 8, i.s_file, i.s_line, 3 << 10, 16, i.s_file, i.s_line, 4 << 10, 24, i.s_file,
	    i.s_line, 5 << 10, i.s_text, 1, 0, i.s_file, i.s_line, 6 << 10);
	obj = info_parse(&i);
	code = relocate(obj, "prog");
	CHECK_EQ(code.n_lines, 4);
	CHECK_EQ(code.lines[0].insn_off, 0);
	CHECK_EQ(code.lines[1].insn_off, 1);
	CHECK_EQ(code.lines[1].line_col, 2 << 10);
	CHECK_EQ(code.lines[2].insn_off, 3);
	CHECK_EQ(code.lines[3].insn_off, 4);
	CHECK_EQ(code.lines[3].line_col, 6 << 10);
	prog_code_deinit(&code);
	object_free(obj);
}

TEST(notes_what_core_poisons)
{
	struct object *obj = compiled("refused");
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = kernel_btf_new();
	_cleanup_(btf_unrefp) struct btf *custom = NULL;
	struct prog_code code = {};
	struct core *core;
	struct btf_gen b = {};
	uint32_t prog = object_find_program(obj, "refused_core");

	/* A kernel whose task_struct has other members than the program wants. */
	gen_struct(&b, "task_struct", 4, M("pid", gen_int(&b, "int", 4, BTF_INT_SIGNED), 0));
	gen_finish(&b);
	CHECK_EQ(btf_parse(b.blob.data, b.blob.len, "custom", NULL, &rp, &custom), 0);
	gen_deinit(&b);
	core = core_new(obj->btf, kb, custom);
	CHECK_EQ(relocate_program(obj, prog, fake_fds, core, &rp, &code), 0);
	CHECK_EQ(code.n_poisoned, 1);
	CHECK(insn_is_helper_call(&code.insns[code.poisoned[0].insn]));
	CHECK_EQ(code.insns[code.poisoned[0].insn].imm, CORE_POISON_CALL);
	prog_code_deinit(&code);
	core_free(core);
	/* Without types nothing can be said. */
	refuses(obj, prog, -EINVAL, "program 'refused_core' has CO-RE relocations without types");
	object_free(obj);
}
