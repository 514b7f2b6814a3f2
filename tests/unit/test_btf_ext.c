/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/btf_ext.h"

#include <stdio.h>
#include <stdlib.h>

#include "loader/btf.h"
#include "tests/gen/btf_gen.h"
#include "tests/unit/test.h"

static struct report rp = REPORT_INIT(NULL, NULL);

/* An object's BTF with the strings that its .BTF.ext refers to, and a good .BTF.ext. */
struct sample {
	struct btf_gen g;
	struct btf *btf;
	uint32_t func, other, point;
	uint32_t s_tc, s_xdp, s_file, s_line, s_access;
	struct ext_gen x;
};

static struct sample sample_new(void)
{
	struct sample s = {};
	uint32_t t_int = gen_int(&s.g, "int", 4, BTF_INT_SIGNED), proto;

	proto = gen_proto(&s.g, t_int, NULL, 0);
	s.func = gen_func(&s.g, "prog", proto, BTF_FUNC_GLOBAL);
	s.other = gen_func(&s.g, "other", proto, BTF_FUNC_GLOBAL);
	s.point = gen_struct(&s.g, "point", 8, M("x", t_int, 0), M("y", t_int, 32));
	s.s_tc = gen_str(&s.g, "tc");
	s.s_xdp = gen_str(&s.g, "xdp");
	s.s_file = gen_str(&s.g, "prog.bpf.c");
	s.s_line = gen_str(&s.g, "return point->y;");
	s.s_access = gen_str(&s.g, "0:1");
	gen_finish(&s.g);
	CHECK_EQ(btf_parse(s.g.blob.data, s.g.blob.len, ".BTF", NULL, &rp, &s.btf), 0);

	EXT(&s.x, GEN_FUNCS, 8, /* */ s.s_xdp, 1, 0, s.other, /* */ s.s_tc, 2, 0, s.func, 64,
	    s.other);
	EXT(&s.x, GEN_LINES, 16, /* */ s.s_tc, 2, 0, s.s_file, s.s_line, 7 << 10 | 3, 8, s.s_file,
	    s.s_line, 8 << 10);
	EXT(&s.x, GEN_CORES, 16, /* */ s.s_tc, 1, 16, s.point, s.s_access, 0);
	ext_finish(&s.x);
	return s;
}

static void sample_free(struct sample *s)
{
	btf_unref(s->btf);
	gen_deinit(&s->g);
	ext_deinit(&s->x);
}

static int parse(const struct sample *s, bool swap, struct btf_ext **ret)
{
	void *copy = malloc(s->x.blob.len ? s->x.blob.len : 1);
	int r;

	memcpy(copy, str_text(&s->x.blob), s->x.blob.len);
	r = btf_ext_parse(copy, s->x.blob.len, BTF_EXT_ALL, swap, s->btf, &rp, ret);
	free(copy);
	return r;
}

/* The word @word of @table spoils it; the sentence names its place and says @why. */
static void refused(struct sample *s, size_t offset, const char *why)
{
	struct btf_ext *ext = NULL;
	char where[40];

	CHECK_EQ(parse(s, false, &ext), -EBADMSG);
	CHECK(!ext);
	snprintf(where, sizeof(where), ".BTF.ext+0x%zx: ", offset);
	CHECK_HAS(rp.text, where);
	CHECK_HAS(rp.text, why);
	sample_free(s);
}

static void spoil(enum gen_table table, size_t word, uint32_t value, size_t at, const char *why)
{
	struct sample s = sample_new();
	size_t offset = ext_offset(&s.x, table, word);

	memcpy(s.x.blob.data + offset, &value, 4);
	refused(&s, ext_offset(&s.x, table, at), why);
}

static void check_sample(const struct sample *s, const struct btf_ext *ext)
{
	const struct ext_section *tc = btf_ext_section(ext, "tc"),
				 *xdp = btf_ext_section(ext, "xdp");

	CHECK_EQ(ext->n_sections, 2);
	CHECK(tc);
	CHECK(xdp);
	CHECK(!btf_ext_section(ext, "t"));
	CHECK_STR(tc->name, "tc");
	CHECK_EQ(tc->n_funcs, 2);
	CHECK_EQ(tc->funcs[1].insn, 8);
	CHECK_EQ(tc->funcs[1].type_id, s->other);
	CHECK_EQ(tc->n_lines, 2);
	CHECK_EQ(tc->lines[1].insn, 1);
	CHECK_EQ(tc->lines[1].line_col, 8 << 10);
	CHECK_STR(btf_str(s->btf, tc->lines[0].line_off), "return point->y;");
	CHECK_STR(btf_str(s->btf, tc->lines[0].file_name_off), "prog.bpf.c");
	CHECK_EQ(tc->n_cores, 1);
	CHECK_EQ(tc->cores[0].insn, 2);
	CHECK_EQ(tc->cores[0].type_id, s->point);
	CHECK_STR(btf_str(s->btf, tc->cores[0].access_off), "0:1");
	CHECK_EQ(xdp->n_funcs, 1);
	CHECK_EQ(xdp->n_lines, 0);
	CHECK(!xdp->lines);
	CHECK_EQ(xdp->n_cores, 0);
}

TEST(joins_the_tables_by_section)
{
	struct sample s = sample_new();
	struct btf_ext *ext;

	CHECK_EQ(parse(&s, false, &ext), 0);
	check_sample(&s, ext);
	btf_ext_free(ext);
	sample_free(&s);
}

TEST(foreign_endianness_gives_the_same)
{
	struct sample s = sample_new();
	struct btf_ext *ext;

	ext_swap(&s.x);
	CHECK_EQ(parse(&s, true, &ext), 0);
	check_sample(&s, ext);
	btf_ext_free(ext);
	sample_free(&s);
}

TEST(old_headers_have_no_relocations)
{
	struct sample s = sample_new();
	struct btf_ext *ext;

	s.x.hdr_len = 24;
	str_truncate(&s.x.tables[GEN_CORES], 0);
	ext_finish(&s.x);
	CHECK_EQ(parse(&s, false, &ext), 0);
	CHECK_EQ(btf_ext_section(ext, "tc")->n_cores, 0);
	CHECK_EQ(btf_ext_section(ext, "tc")->n_lines, 2);
	btf_ext_free(ext);
	sample_free(&s);
}

TEST(longer_records_are_cut)
{
	struct sample s = sample_new();
	struct btf_ext *ext;

	str_truncate(&s.x.tables[GEN_FUNCS], 0);
	EXT(&s.x, GEN_FUNCS, 12, s.s_tc, 2, 0, s.func, 111, 16, s.other, 222);
	ext_finish(&s.x);
	CHECK_EQ(parse(&s, false, &ext), 0);
	CHECK_EQ(btf_ext_section(ext, "tc")->n_funcs, 2);
	CHECK_EQ(btf_ext_section(ext, "tc")->funcs[1].insn, 2);
	CHECK_EQ(btf_ext_section(ext, "tc")->funcs[1].type_id, s.other);
	btf_ext_free(ext);
	sample_free(&s);
}

TEST(blocks_of_one_section_are_merged_and_sorted)
{
	struct sample s = sample_new();
	const struct ext_section *tc;
	struct btf_ext *ext;

	str_truncate(&s.x.tables[GEN_FUNCS], 0);
	EXT(&s.x, GEN_FUNCS, 8, s.s_tc, 2, 32, s.func, 8, s.other, s.s_xdp, 1, 0, s.func, s.s_tc, 1,
	    16, s.func);
	ext_finish(&s.x);
	CHECK_EQ(parse(&s, false, &ext), 0);
	tc = btf_ext_section(ext, "tc");
	CHECK_EQ(tc->n_funcs, 3);
	CHECK_EQ(tc->funcs[0].insn, 1);
	CHECK_EQ(tc->funcs[0].type_id, s.other);
	CHECK_EQ(tc->funcs[1].insn, 2);
	CHECK_EQ(tc->funcs[2].insn, 4);
	btf_ext_free(ext);
	sample_free(&s);
}

TEST(empty_tables_are_fine)
{
	struct sample s = sample_new();
	struct btf_ext *ext;

	for (int t = 0; t < GEN_N_TABLES; t++)
		str_truncate(&s.x.tables[t], 0);
	ext_finish(&s.x);
	CHECK_EQ(parse(&s, false, &ext), 0);
	CHECK_EQ(ext->n_sections, 0);
	CHECK(!btf_ext_section(ext, "tc"));
	btf_ext_free(ext);
	btf_ext_free(NULL);
	sample_free(&s);
}

TEST(every_cut_is_refused)
{
	struct sample s = sample_new();
	struct btf_ext *ext;

	for (size_t n = s.x.blob.len; n-- > 0;) {
		s.x.blob.len = n;
		CHECK_EQ(parse(&s, false, &ext), -EBADMSG);
		CHECK_HAS(rp.text, ".BTF.ext+0x");
	}
	sample_free(&s);
}

TEST(refuses_wrong_magic)
{
	struct sample s = sample_new();

	s.x.blob.data[0] = 0;
	refused(&s, 0, "magic");
}

TEST(does_not_support_other_versions_and_flags)
{
	struct sample s = sample_new();
	struct btf_ext *ext;

	s.x.blob.data[2] = 2;
	CHECK_EQ(parse(&s, false, &ext), -EOPNOTSUPP);
	CHECK_HAS(rp.text, "version 2");
	s.x.blob.data[2] = 1;
	s.x.blob.data[3] = 1;
	CHECK_EQ(parse(&s, false, &ext), -EOPNOTSUPP);
	CHECK_HAS(rp.text, "flags");
	sample_free(&s);
}

TEST(refuses_short_header)
{
	struct sample s = sample_new();

	ext_header(&s.x)[1] = 16;
	refused(&s, 4, "header length 16");
}

TEST(refuses_tables_behind_the_end)
{
	struct sample s = sample_new();

	ext_header(&s.x)[4] = 0xfffffff0;
	refused(&s, 16, "line info");
}

TEST(refuses_unaligned_tables)
{
	struct sample s = sample_new();

	ext_header(&s.x)[6] += 2;
	ext_header(&s.x)[7] -= 2;
	refused(&s, 24, "aligned");
}

TEST(refuses_short_records)
{
	spoil(GEN_LINES, 0, 12, 0, "records of 12 bytes");
}

TEST(refuses_odd_records)
{
	spoil(GEN_FUNCS, 0, 10, 0, "records of 10 bytes");
}

TEST(refuses_sections_without_name)
{
	spoil(GEN_FUNCS, 1, 0, 1, "without a name");
	spoil(GEN_FUNCS, 1, 0xffffffff, 1, "without a name");
}

TEST(refuses_sections_without_records)
{
	spoil(GEN_CORES, 2, 0, 2, "0 records");
}

TEST(refuses_more_records_than_bytes)
{
	spoil(GEN_CORES, 2, 0x10000001, 2, "268435457 records");
}

TEST(refuses_offsets_inside_instructions)
{
	spoil(GEN_CORES, 3, 12, 3, "inside an instruction");
}

TEST(refuses_functions_that_are_none)
{
	spoil(GEN_FUNCS, 4, 1, 3, "no function");
	spoil(GEN_FUNCS, 4, 0xffffffff, 3, "no function");
}

TEST(refuses_strings_that_do_not_exist)
{
	spoil(GEN_LINES, 4, 99999, 3, "string 99999");
	spoil(GEN_LINES, 9, 99999, 7, "string 99999");
	spoil(GEN_CORES, 5, 99999, 3, "string 99999");
}

TEST(refuses_types_that_do_not_exist)
{
	spoil(GEN_CORES, 4, 99, 3, "type 99");
}
