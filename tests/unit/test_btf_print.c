/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/btf_print.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/str.h"
#include "loader/btf.h"
#include "tests/gen/btf_gen.h"
#include "tests/unit/test.h"

static struct report rp = REPORT_INIT(NULL, NULL);

static struct btf *finish(struct btf_gen *g)
{
	struct btf *btf = NULL;

	gen_finish(g);
	if (btf_parse(str_text(&g->blob), g->blob.len, "test", NULL, &rp, &btf) < 0)
		FAIL("%s", rp.text);
	gen_deinit(g);
	return btf;
}

/* What compilers have to say about a text: at compile time, and in main() for bit fields. */
struct checks {
	struct str asserts, main;
};

static void check_members(struct checks *c, const struct btf *btf, uint32_t id, const char *type,
			  uint64_t base, unsigned depth)
{
	const struct btf_type *t = btf_type(btf, id);

	for (uint32_t i = 0; i < btf_vlen(t) && depth < 8; i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *name = btf_str(btf, m->name_off);
		uint32_t inner = btf_skip_modifiers(btf, m->type), bits = btf_member_bits(t, i);
		const struct btf_type *it = btf_type(btf, inner);
		unsigned long long off = base + btf_member_bit_offset(t, i);

		if (!btf_kflag(t) && btf_kind(it) == BTF_KIND_INT &&
		    BTF_INT_BITS(btf_int_info(it)) < it->size * 8) {
			bits = BTF_INT_BITS(btf_int_info(it));
			off += BTF_INT_OFFSET(btf_int_info(it));
		}
		if (!*name && btf_is_composite(it))
			check_members(c, btf, inner, type, off, depth + 1);
		else if (*name && bits)
			str_printf(&c->main,
				   "\t{ %s v; __builtin_memset(&v, 0, sizeof(v)); v.%s = -1;"
				   " check(&v, sizeof(v), %llu, %u, \"%s.%s\"); }\n",
				   type, name, off, bits, type, name);
		else if (*name)
			str_printf(&c->asserts,
				   "_Static_assert(__builtin_offsetof(%s, %s) * 8 == %llu, "
				   "\"%s.%s\");\n",
				   type, name, off, type, name);
	}
}

/* What must be true of all named types. */
static void add_checks(struct str *s, const struct btf *btf)
{
	struct checks c = {};

	btf_for_each_type (id, btf) {
		const struct btf_type *t = btf_type(btf, id);
		const char *name = btf_str(btf, t->name_off);
		char type[600];

		if (!*name || btf_find(btf, name, btf_kind(t)) != id || btf_size(btf, id) < 0)
			continue;
		if (btf_is_composite(t) || btf_kind(t) == BTF_KIND_ENUM64 ||
		    (btf_kind(t) == BTF_KIND_ENUM && btf_vlen(t)))
			snprintf(type, sizeof(type), "%s %s",
				 btf_kind(t) == BTF_KIND_STRUCT	 ? "struct"
				 : btf_kind(t) == BTF_KIND_UNION ? "union"
								 : "enum",
				 name);
		else if (btf_kind(t) == BTF_KIND_TYPEDEF)
			snprintf(type, sizeof(type), "%s", name);
		else
			continue;
		str_printf(&c.asserts, "_Static_assert(sizeof(%s) == %lld, \"%s\");\n", type,
			   (long long)btf_size(btf, id), type);
		if (btf_is_composite(t))
			check_members(&c, btf, id, type, 0, 0);
	}
	str_add(s, str_text(&c.asserts));
	str_add(s, "\nvoid exit(int);\nint printf(const char *, ...);\n"
		   "static void check(void *v, unsigned size, unsigned off, unsigned n, const char "
		   "*what)"
		   "\n{\n\tfor (unsigned i = 0; i < size * 8; i++)\n"
		   "\t\tif ((((unsigned char *)v)[i / 8] >> i % 8 & 1) != (i >= off && i < off + "
		   "n)) {\n"
		   "\t\t\tprintf(\"%s: bit %u\\n\", what, i);\n\t\t\texit(1);\n\t\t}\n}\n"
		   "int main(void)\n{\n\t(void)check;\n");
	str_add(s, str_text(&c.main));
	str_add(s, "\treturn 0;\n}\n");
	CHECK_EQ(str_error(&c.asserts) | str_error(&c.main), 0);
	str_deinit(&c.asserts);
	str_deinit(&c.main);
}

/* All compilers that are here must accept @text; with @run, it must end well. */
static void compile(const struct str *text, bool run)
{
	static const struct {
		const char *command, *what;
	} compilers[] = {
		{ "gcc", "-Wall" },
		{ "clang", "-Wall" },
		{ "clang", "-target bpf -Wall -fsyntax-only" },
	};
	char dir[] = "/tmp/test_btf_print.XXXXXX", path[64], command[300];
	FILE *file;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/t.c", dir);
	file = fopen(path, "we");
	CHECK(file);
	CHECK_EQ(fwrite(str_text(text), 1, text->len, file), text->len);
	CHECK_EQ(fclose(file), 0);
	for (size_t i = 0; i < ARRAY_SIZE(compilers); i++) {
		bool syntax = !run || strstr(compilers[i].what, "-fsyntax-only");

		snprintf(command, sizeof(command), "command -v %s >/dev/null",
			 compilers[i].command);
		if (system(command))
			continue;
		snprintf(command, sizeof(command), "cd %s && %s %s %s t.c -o t >out 2>&1 %s", dir,
			 compilers[i].command, compilers[i].what, syntax ? "-fsyntax-only" : "",
			 syntax ? "" : "&& ./t >>out 2>&1");
		if (system(command)) {
			snprintf(command, sizeof(command), "cd %s && head -c 2000 out; rm -r ../%s",
				 dir, dir + strlen("/tmp/"));
			if (system(command))
				printf("cannot show it\n");
			FAIL("%s %s refuses:\n%.3000s", compilers[i].command, compilers[i].what,
			     str_text(text));
		}
	}
	snprintf(command, sizeof(command), "rm -r %s", dir);
	CHECK_EQ(system(command), 0);
}

/* The whole text; a compiler has seen it if there is one, and with @asserts has found it true. */
static char *print_compiled(const struct btf *btf, bool asserts)
{
	struct str s = {};
	size_t len;

	if (btf_print_all(btf, &rp, &s) < 0)
		FAIL("%s", rp.text);
	len = s.len;
	if (asserts)
		add_checks(&s, btf);
	CHECK_EQ(str_error(&s), 0);
	compile(&s, asserts);
	str_truncate(&s, len);
	return str_take(&s);
}

static char *print_checked(const struct btf *btf)
{
	return print_compiled(btf, true);
}

static char *print_type(const struct btf *btf, uint32_t id)
{
	struct str s = {};

	if (btf_print_type(btf, id, &rp, &s) < 0)
		FAIL("%s", rp.text);
	return str_take(&s);
}

#define CHECK_PRINTED(btf, id, text)                      \
	do {                                              \
		char *printed_ = print_type((btf), (id)); \
		CHECK_STR(printed_, (text));              \
		free(printed_);                           \
	} while (0)

TEST(prints_one_definition)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, BTF_INT_SIGNED), c = gen_int(&g, "char", 1, 0);
	uint32_t s, u, e, e64, td, fwd, var, fn;
	struct btf *btf;

	u = gen_union(&g, NULL, 4, M("a", i, 0), M("b", gen_array(&g, c, 4), 0));
	s = gen_struct(&g, "s", 16, M("x", i, 0), M(NULL, u, 32),
		       M("next", gen_ref(&g, BTF_KIND_PTR, NULL, g.n + 2), 64));
	e = gen_enum(&g, BTF_KIND_ENUM, true, "e", 4, E("A", -1), E("B", 2));
	e64 = gen_enum(&g, BTF_KIND_ENUM64, true, "big", 8, E("MIN", INT64_MIN),
		       E("MAX", INT64_MAX));
	td = gen_ref(&g, BTF_KIND_TYPEDEF, "s_t", s);
	fwd = gen_record(&g, "hidden", GEN_INFO(BTF_KIND_FWD, 1, 0), 0, NULL, 0);
	var = gen_var(&g, "v", gen_array(&g, i, 3), BTF_VAR_GLOBAL_EXTERN);
	fn = gen_func(&g, "f", gen_proto(&g, i, (struct gen_member[]){ { "a", c, 0 } }, 1), 0);
	btf = finish(&g);
	CHECK_PRINTED(btf, s,
		      "struct s {\n\tint x;\n\tunion {\n\t\tint a;\n\t\tchar b[4];\n\t};\n"
		      "\tstruct s *next;\n};\n");
	CHECK_PRINTED(btf, e, "enum e {\n\tA = -1,\n\tB = 2,\n};\n");
	CHECK_PRINTED(
		btf, e64,
		"enum big {\n\tMIN = -0x7fffffffffffffffLL - 1,\n\tMAX = 9223372036854775807LL,\n"
		"} __attribute__((mode(DI)));\n");
	CHECK_PRINTED(btf, td, "typedef struct s s_t;\n");
	CHECK_PRINTED(btf, fwd, "union hidden;\n");
	CHECK_PRINTED(btf, var, "extern int v[3];\n");
	CHECK_PRINTED(btf, fn, "static int f(char a);\n");
	free(print_checked(btf));
	btf_unref(btf);
}

TEST(declarators_nest)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, BTF_INT_SIGNED), c = gen_int(&g, "char", 1, 0);
	uint32_t pc = gen_ref(&g, BTF_KIND_PTR, NULL, gen_ref(&g, BTF_KIND_CONST, NULL, c));
	uint32_t proto =
		gen_proto(&g, i, (struct gen_member[]){ { NULL, pc, 0 }, { NULL, 0, 0 } }, 2);
	uint32_t pf = gen_ref(&g, BTF_KIND_PTR, NULL, proto);
	uint32_t none = gen_proto(&g, 0, NULL, 0);
	struct {
		uint32_t type;
		const char *text;
	} cases[] = {
		{ gen_ref(&g, BTF_KIND_PTR, NULL, gen_array(&g, i, 4)), "int (*m0)[4]" },
		{ gen_array(&g, gen_ref(&g, BTF_KIND_PTR, NULL, i), 4), "int *m1[4]" },
		{ gen_array(&g, gen_array(&g, i, 3), 2), "int m2[2][3]" },
		{ pf, "int (*m3)(const char *, ...)" },
		{ gen_array(&g, pf, 2), "int (*m4[2])(const char *, ...)" },
		{ gen_ref(&g, BTF_KIND_CONST, NULL, gen_ref(&g, BTF_KIND_PTR, NULL, i)),
		  "int * const m5" },
		{ gen_ref(&g, BTF_KIND_PTR, NULL, gen_ref(&g, BTF_KIND_VOLATILE, NULL, i)),
		  "volatile int *m6" },
		{ gen_ref(&g, BTF_KIND_CONST, NULL, gen_array(&g, i, 2)), "const int m7[2]" },
		{ gen_ref(&g, BTF_KIND_PTR, NULL, gen_proto(&g, pf, NULL, 0)),
		  "int (*(*m8)(void))(const char *, ...)" },
		{ gen_ref(&g, BTF_KIND_PTR, NULL, gen_ref(&g, BTF_KIND_PTR, NULL, none)),
		  "void (**m9)(void)" },
		{ gen_ref(&g, BTF_KIND_RESTRICT, NULL, gen_ref(&g, BTF_KIND_PTR, NULL, 0)),
		  "void * restrict m10" },
		{ gen_ref(&g, BTF_KIND_PTR, NULL, gen_ref(&g, BTF_KIND_TYPE_TAG, "user", c)),
		  "char *m11" },
	};
	struct gen_member m[ARRAY_SIZE(cases)];
	char names[ARRAY_SIZE(cases)][8], *text;
	struct btf *btf;

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		snprintf(names[n], sizeof(names[n]), "m%zu", n);
		m[n] = M(names[n], cases[n].type, 0);
	}
	gen_composite(&g, BTF_KIND_UNION, false, "u", 32, m, ARRAY_SIZE(m));
	btf = finish(&g);
	text = print_checked(btf);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		char line[100];

		snprintf(line, sizeof(line), "%s;\n", cases[n].text);
		CHECK_HAS(text, line);
	}
	free(text);
	btf_unref(btf);
}

/* The compiler judges; what it sees must be the layout that BTF says. */
TEST(layouts_come_out_as_they_are)
{
	struct btf_gen g = {};
	uint32_t c = gen_int(&g, "char", 1, 0), s = gen_int(&g, "short", 2, BTF_INT_SIGNED);
	uint32_t i = gen_int(&g, "int", 4, BTF_INT_SIGNED), u = gen_int(&g, "unsigned int", 4, 0);
	uint32_t l = gen_int(&g, "long", 8, BTF_INT_SIGNED), x = gen_int(&g, "__int128", 16, 0);
	uint32_t packed, wide, in, a0 = gen_array(&g, c, 0);
	uint32_t byte = gen_enum(&g, BTF_KIND_ENUM, false, "tiny", 1, E("T", 1));
	uint32_t half = gen_enum(&g, BTF_KIND_ENUM, false, "half", 2, E("H", 1));
	struct btf *btf;
	char *text;

	gen_struct(&g, "plain", 24, M("a", c, 0), M("b", i, 32), M("c", c, 64), M("d", l, 128));
	packed = gen_struct(&g, "packed", 13, M("a", c, 0), M("b", i, 8), M("c", l, 40));
	gen_struct(&g, "has_packed", 32, M("a", c, 0), M("p", packed, 8), M("q", packed, 112),
		   M("z", i, 224));
	gen_struct(&g, "odd_size", 6, M("a", i, 0), M("b", c, 32));
	wide = gen_struct(&g, "wide", 192, M("a", i, 0), M("b", l, 512), M("c", c, 1024));
	gen_struct(&g, "has_wide", 448, M("a", c, 0), M("w", gen_array(&g, wide, 2), 512));
	gen_struct(&g, "bytes_hole", 500, M("a", c, 0), M("b", c, 8 * 300));
	gen_struct(&g, "flex", 8, M("n", i, 0), M("data", a0, 64));
	gen_struct(&g, "tail", 16, M("n", i, 0));
	gen_struct(&g, "big", 48, M("a", c, 0), M("x", x, 128), M("b", c, 256));
	gen_struct(&g, "unaligned128", 24, M("a", l, 0), M("x", x, 64));
	gen_struct(&g, "enums", 8, M("t", byte, 0), M("h", half, 16), M("i", i, 32));
	gen_bitfields(&g, "bits", 16, M("a", u, BITS(3, 0)), M("b", u, BITS(30, 32)),
		      M("c", i, BITS(0, 64)), M("d", u, BITS(5, 100)), M("e", c, BITS(0, 112)));
	gen_bitfields(&g, "crossing", 8, M("a", u, BITS(20, 0)), M("b", u, BITS(20, 20)),
		      M("c", c, BITS(0, 40)));
	gen_bitfields(&g, "one_byte", 1, M("a", u, BITS(3, 0)), M("b", u, BITS(4, 4)));
	gen_bitfields(&g, "mixed", 8, M("a", c, BITS(0, 0)), M("b", u, BITS(4, 8)),
		      M("s", s, BITS(0, 16)), M("d", l, BITS(20, 40)));
	gen_struct(&g, "old_bits", 4, M("a", gen_int_bits(&g, "unsigned int", 4, 0, 0, 5), 0),
		   M("b", gen_int_bits(&g, "unsigned int", 4, 0, 2, 7), 8));
	gen_union(&g, "padded", 16, M("a", c, 0), M("b", i, 0));
	gen_union(&g, "tight", 5, M("a", gen_array(&g, c, 5), 0), M("b", i, 0));
	gen_struct(&g, "empty", 0,
		   M("x", gen_composite(&g, BTF_KIND_STRUCT, false, "nothing", 0, NULL, 0), 0));
	in = gen_struct(&g, NULL, 5, M("p", i, 0), M("q", c, 32));
	gen_struct(&g, "anon_packed", 12, M("a", c, 0), M(NULL, in, 8), M("in", in, 48));
	gen_composite(&g, BTF_KIND_STRUCT, false, "only_size", 40, NULL, 0);
	btf = finish(&g);
	text = print_checked(btf);
	CHECK(!strstr(text, "plain {\n\tchar a;\n\tchar"));
	CHECK_HAS(text, "struct plain {\n\tchar a;\n\tint b;\n\tchar c;\n\tlong d;\n};\n");
	CHECK_HAS(text, "\tunsigned int a:3;\n");
	free(text);
	btf_unref(btf);
}

TEST(huge_holes_are_one_line)
{
	struct btf_gen g = {};
	uint32_t c = gen_int(&g, "char", 1, 0), l = gen_int(&g, "long", 8, BTF_INT_SIGNED);
	uint32_t id = gen_struct(&g, "huge", 1u << 30, M("a", l, 0), M("b", c, 8u << 27),
				 M("c", l, 8u << 28));
	struct btf *btf = finish(&g);
	char *text = print_checked(btf);

	CHECK_HAS(text, "long long __hole");
	free(text);
	text = print_type(btf, id);
	CHECK(strlen(text) < 300);
	free(text);
	btf_unref(btf);
}

TEST(what_c_cannot_say_is_bytes)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, BTF_INT_SIGNED), lap, v;
	struct btf *btf;
	char *text;

	lap = gen_struct(&g, "overlap", 8, M("a", i, 0), M("b", i, 16));
	v = gen_struct(&g, "of_void", 8, M("a", 0, 0));
	gen_struct(&g, "uses", 20, M("a", i, 0), M("o", lap, 32), M("v", v, 96));
	btf = finish(&g);
	/* The asserts on members would not hold: only sizes can. */
	text = print_type(btf, lap);
	CHECK_HAS(text, "[8];");
	free(text);
	text = print_type(btf, v);
	CHECK_HAS(text, "[8];");
	free(text);
	btf_unref(btf);
}

TEST(declares_in_an_order_that_compiles)
{
	struct btf_gen g = {};
	/* Ids in the wrong order: each uses later ones. */
	enum { USER = 1, P_LATER, LATER, A_TD, TD, PF, PROTO, P_TD2, TD2, ANON, P_USER, INT };
	struct btf *btf;
	char *text;

	CHECK_EQ(gen_struct(&g, "user", 56, M("p", P_LATER, 0), M("a", A_TD, 64), M("f", PF, 320),
			    M("t", P_TD2, 384)),
		 USER);
	gen_ref(&g, BTF_KIND_PTR, NULL, LATER);
	gen_struct(&g, "later", 64, M("u", USER, 0), M("x", INT, 448));
	gen_array(&g, TD, 2);
	gen_ref(&g, BTF_KIND_TYPEDEF, "td", ANON);
	gen_ref(&g, BTF_KIND_PTR, NULL, PROTO);
	gen_proto(&g, P_USER, (struct gen_member[]){ { "l", LATER, 0 }, { "t", TD2, 0 } }, 2);
	gen_ref(&g, BTF_KIND_PTR, NULL, TD2);
	gen_ref(&g, BTF_KIND_TYPEDEF, "td2", LATER);
	gen_struct(&g, NULL, 16, M("next", P_TD2, 0), M("n", INT, 64));
	gen_ref(&g, BTF_KIND_PTR, NULL, USER);
	CHECK_EQ(gen_int(&g, "int", 4, BTF_INT_SIGNED), INT);
	btf = finish(&g);
	text = print_checked(btf);
	CHECK_HAS(text, "struct later;\n");
	CHECK(strstr(text, "struct user {") < strstr(text, "struct later {"));
	CHECK(strstr(text, "} td;") < strstr(text, "struct user {"));
	free(text);
	btf_unref(btf);
}

TEST(names_that_are_taken_get_a_number)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, BTF_INT_SIGNED),
		 l = gen_int(&g, "long", 8, BTF_INT_SIGNED);
	uint32_t one = gen_struct(&g, "s", 4, M("a", i, 0));
	uint32_t two = gen_struct(&g, "s", 8, M("b", l, 0)), fwd, td;
	struct btf *btf;
	char *text;

	gen_union(&g, "s", 8, M("c", l, 0));
	gen_struct(&g, "s___4", 4, M("d", i, 0));
	gen_enum(&g, BTF_KIND_ENUM, false, "s", 4, E("A", 1), E("t", 2));
	gen_enum(&g, BTF_KIND_ENUM, false, "e", 4, E("A", 3));
	gen_enum(&g, BTF_KIND_ENUM, false, NULL, 4, E("LONELY", 4));
	td = gen_ref(&g, BTF_KIND_TYPEDEF, "t", one);
	gen_ref(&g, BTF_KIND_TYPEDEF, "t", two);
	fwd = gen_ref(&g, BTF_KIND_FWD, "s", 0);
	gen_struct(&g, "user", 32, M("one", one, 0), M("two", two, 64), M("t", td, 128),
		   M("f", gen_ref(&g, BTF_KIND_PTR, NULL, fwd), 192));
	btf = finish(&g);
	text = print_compiled(btf, false);
	CHECK_HAS(text, "struct s {");
	CHECK_HAS(text, "struct s___2 {");
	CHECK_HAS(text, "union s___3 {");
	CHECK_HAS(text, "struct s___4 {");
	CHECK_HAS(text, "enum s___5 {");
	CHECK_HAS(text, "A = 1,");
	CHECK_HAS(text, "A___2 = 3,");
	CHECK_HAS(text, "LONELY = 4,");
	CHECK_HAS(text, "t___3 = 2,");
	CHECK_HAS(text, "typedef struct s___2 t___2;");
	CHECK_HAS(text, "struct s *f;");
	CHECK_HAS(text, "struct s___2 two;");
	free(text);
	btf_unref(btf);
}

TEST(anonymous_enum_is_written_once)
{
	struct btf_gen g = {};
	uint32_t e = gen_enum(&g, BTF_KIND_ENUM, false, NULL, 4, E("ONCE", 1));
	struct btf *btf;
	char *text;

	gen_struct(&g, "a", 4, M("e", e, 0));
	gen_struct(&g, "b", 4, M("e", e, 0));
	btf = finish(&g);
	text = print_checked(btf);
	CHECK_HAS(text, "ONCE = 1");
	CHECK(!strstr(strstr(text, "ONCE") + 1, "ONCE"));
	CHECK_HAS(text, "\tunsigned int e;\n");
	free(text);
	btf_unref(btf);
}

TEST(strange_names_become_identifiers)
{
	struct btf_gen g = {};
	uint32_t u32 = gen_int(&g, "u32", 4, 0), same = gen_int(&g, "long", 4, BTF_INT_SIGNED);
	uint32_t flag = gen_int(&g, "bool", 1, BTF_INT_BOOL);
	uint32_t half = gen_ref(&g, BTF_KIND_FLOAT, "f32", 4);
	struct btf *btf;
	char *text;

	gen_struct(&g, "Vec<u8; 4> {\n*/", 24, M("while", u32, 0), M("2x", same, 32),
		   M("a.b", flag, 64), M("f", half, 96),
		   M("p", gen_ref(&g, BTF_KIND_PTR, NULL, u32), 128));
	gen_ref(&g, BTF_KIND_TYPEDEF, "__builtin_va_list", gen_array(&g, u32, 1));
	btf = finish(&g);
	text = print_compiled(btf, false);
	CHECK_HAS(text, "typedef unsigned int u32;");
	CHECK_HAS(text, "typedef _Bool bool;");
	CHECK_HAS(text, "typedef float f32;");
	CHECK_HAS(text, "typedef int long_;");
	CHECK_HAS(text, "struct Vec_u8__4______ {\n\tu32 while_;\n\tlong_ _2x;\n\tbool a_b;\n");
	free(text);
	btf_unref(btf);
}

TEST(variables_and_functions_are_comments)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, BTF_INT_SIGNED);
	uint32_t anon = gen_struct(&g, NULL, 4, M("type", i, 0)), words[6];
	struct btf *btf;
	char *text;

	words[0] = gen_var(&g, "counts", anon, BTF_VAR_GLOBAL_ALLOCATED);
	words[3] = gen_var(&g, "old", i, BTF_VAR_STATIC);
	words[1] = words[4] = 0;
	words[2] = words[5] = 4;
	gen_datasec(&g, ".maps", 8, words, 2);
	gen_func(&g, "main", gen_proto(&g, i, (struct gen_member[]){ { "ctx", i, 0 } }, 1),
		 BTF_FUNC_GLOBAL);
	btf = finish(&g);
	text = print_checked(btf);
	CHECK_STR(text, "\n// section .maps\n// struct {\n// \tint type;\n// } counts;\n"
			"// static int old;\n// int main(int ctx);\n");
	free(text);
	btf_unref(btf);
}

TEST(refuses_types_that_contain_themselves)
{
	struct btf_gen g = {};
	uint32_t i = gen_int(&g, "int", 4, BTF_INT_SIGNED), td;
	struct str out = {};
	struct btf *btf;

	gen_struct(&g, "s", 8, M("x", i, 0), M("s", g.n + 1, 32));
	btf = finish(&g);
	CHECK_EQ(btf_print_all(btf, &rp, &out), -EINVAL);
	CHECK_HAS(rp.text, "contains itself");
	/* Its size is told, so that one alone can be printed as what it is: bytes. */
	CHECK_EQ(btf_print_type(btf, 2, &rp, &out), -E2BIG);
	CHECK_EQ(btf_print_type(btf, 3, &rp, &out), -EINVAL);
	CHECK_EQ(btf_print_type(btf, 0, &rp, &out), -EINVAL);
	btf_unref(btf);
	g = (struct btf_gen){};
	td = gen_ref(&g, BTF_KIND_TYPEDEF, "t", 2);
	gen_ref(&g, BTF_KIND_PTR, NULL, td);
	btf = finish(&g);
	CHECK_EQ(btf_print_all(btf, &rp, &out), -EINVAL);
	btf_unref(btf);
	g = (struct btf_gen){};
	gen_ref(&g, BTF_KIND_TYPEDEF, "t", 2);
	gen_ref(&g, BTF_KIND_CONST, NULL, 2);
	btf = finish(&g);
	CHECK_EQ(btf_print_all(btf, &rp, &out), -E2BIG);
	btf_unref(btf);
	str_deinit(&out);
}

TEST(long_chains_are_no_recursion)
{
	struct btf_gen g = {};
	uint32_t n = GEN_MAX_TYPES - 1;
	struct btf *btf;

	/* Each contains the next one, which comes later in the file. */
	for (uint32_t i = 1; i <= n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%u", i);
		gen_struct(&g, name, 4, M("m", i + 1, 0));
	}
	gen_int(&g, "int", 4, BTF_INT_SIGNED);
	btf = finish(&g);
	free(print_checked(btf));
	btf_unref(btf);
}

TEST(anonymous_types_that_fan_out_end)
{
	struct btf_gen g = {};
	uint32_t id = gen_int(&g, "int", 4, BTF_INT_SIGNED);
	struct str out = {};
	struct btf *btf;

	for (int i = 0; i < 40; i++)
		id = gen_union(&g, NULL, 4, M(NULL, id, 0), M("b", id, 0));
	gen_union(&g, "bomb", 4, M("x", id, 0));
	btf = finish(&g);
	CHECK_EQ(btf_print_all(btf, &rp, &out), -E2BIG);
	str_truncate(&out, 0);
	CHECK_EQ(btf_print_type(btf, g.n, &rp, &out), -E2BIG);
	str_deinit(&out);
	btf_unref(btf);
}

TEST(split_prints_only_its_own)
{
	struct btf_gen g = {}, m = {};
	struct btf *base, *btf = NULL;
	uint32_t s, first_str;
	char *text;
	struct str out = {};

	s = gen_struct(&g, "s", 4, M("x", gen_int(&g, "int", 4, BTF_INT_SIGNED), 0));
	first_str = g.strs.len;
	base = finish(&g);
	m.first_id = btf_n_types(base);
	m.first_str = first_str;
	gen_struct(&m, "user", 4, M("s", s, 0));
	gen_struct(&m, "s", 4, M("s", s, 0));
	gen_finish(&m);
	CHECK_EQ(btf_parse(str_text(&m.blob), m.blob.len, "module", base, &rp, &btf), 0);
	CHECK_EQ(btf_print_all(btf, &rp, &out), 0);
	text = str_take(&out);
	CHECK_STR(text,
		  "struct user {\n\tstruct s s;\n};\n\nstruct s___2 {\n\tstruct s s;\n};\n\n");
	free(text);
	gen_deinit(&m);
	btf_unref(btf);
	btf_unref(base);
}

TEST(objects_compile)
{
	const char *dir = getenv("BPFUSE_TEST_OBJECTS");
	struct dirent *e;
	unsigned n = 0;
	DIR *d = dir ? opendir(dir) : NULL;

	if (!d)
		SKIP("no BPF objects: BPFUSE_TEST_OBJECTS is not a folder of them");
	while ((e = readdir(d))) {
		struct btf *btf = NULL;
		char path[4096];

		if (!strstr(e->d_name, ".bpf.o"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (btf_parse_file(path, NULL, &rp, &btf) == -ENOENT)
			continue;
		if (!btf)
			FAIL("%s: %s", e->d_name, rp.text);
		free(print_checked(btf));
		btf_unref(btf);
		n++;
	}
	closedir(d);
	if (!n)
		SKIP("no BPF objects in %s", dir);
}

/* The largest BTF there is. */
TEST(kernel_compiles)
{
	struct btf *btf = NULL;

	if (btf_parse_file("/sys/kernel/btf/vmlinux", NULL, &rp, &btf) < 0)
		SKIP("%s", rp.text);
	free(print_compiled(btf, false));
	btf_unref(btf);
}
