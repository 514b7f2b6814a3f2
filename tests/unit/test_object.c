/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/object.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/insn.h"
#include "loader/btf.h"
#include "loader/btf_ext.h"
#include "tests/gen/btf_gen.h"
#include "tests/gen/elf_gen.h"
#include "tests/unit/test.h"

/* Notes of the last parse. */
static char notes[4096];

static void note(void *arg, enum report_level level, const char *text, size_t len)
{
	size_t at = strlen(notes);

	(void)arg;
	(void)level;
	snprintf(notes + at, sizeof(notes) - at, "%.*s\n", (int)len, text);
}

static struct report rp;

/* Parses a copy of exactly @len bytes, which is gone when it returns. */
static int parse(const void *data, size_t len, const char *name, struct object **ret)
{
	void *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, data, len);
	rp = (struct report)REPORT_INIT(note, NULL);
	notes[0] = '\0';
	r = object_parse(copy, len, name, &rp, ret);
	free(copy);
	return r;
}

static struct object *parse_good(struct elf_gen *g)
{
	struct object *obj = NULL;
	int r;

	gen_elf_finish(g);
	r = parse(g->blob.data, g->blob.len, "sample", &obj);
	if (r < 0)
		FAIL("error %d: %s", r, rp.text);
	gen_elf_deinit(g);
	return obj;
}

static void refuses(struct elf_gen *g, int err, const char *part)
{
	struct object *obj = NULL;

	gen_elf_finish(g);
	CHECK_EQ(parse(g->blob.data, g->blob.len, "sample", &obj), err);
	CHECK(!obj);
	CHECK_EQ(rp.err, err);
	CHECK_HAS(rp.text, part);
	gen_elf_deinit(g);
}

/* An object of tests/data, as the build has compiled it. */
static void read_compiled(const char *name, char **ret, size_t *ret_len)
{
	const char *dir = getenv("BPFUSE_TEST_OBJECTS");
	_cleanup_close_ int fd = -1;
	char path[512];
	struct stat st;

	if (!dir)
		SKIP("BPFUSE_TEST_OBJECTS is not set");
	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		SKIP("no %s: there was no clang for BPF", path);
	CHECK_EQ(fstat(fd, &st), 0);
	*ret = malloc(st.st_size);
	CHECK_EQ(read(fd, *ret, st.st_size), st.st_size);
	*ret_len = st.st_size;
}

static struct object *compiled(const char *name)
{
	_cleanup_free_ char *data = NULL;
	struct object *obj = NULL;
	size_t len;

	read_compiled(name, &data, &len);
	if (parse(data, len, name, &obj) < 0)
		FAIL("%s: %s", name, rp.text);
	return obj;
}

static const struct map_def *map_of(const struct object *obj, const char *name)
{
	uint32_t i = object_find_map(obj, name);

	if (i == OBJECT_NO_INDEX)
		FAIL("no map '%s'", name);
	return &obj->maps[i];
}

static const struct program *prog_of(const struct object *obj, const char *name)
{
	uint32_t i = object_find_program(obj, name);

	if (i == OBJECT_NO_INDEX)
		FAIL("no program '%s'", name);
	return &obj->programs[i];
}

static const struct function *function_of(const struct object *obj, const char *name)
{
	for (uint32_t i = 0; i < obj->n_functions; i++) {
		if (!strcmp(obj->functions[i].name, name))
			return &obj->functions[i];
	}
	FAIL("no function '%s'", name);
}

static const struct variable *var_of(const struct object *obj, const char *name)
{
	for (uint32_t i = 0; i < obj->n_vars; i++) {
		if (!strcmp(obj->vars[i].name, name))
			return &obj->vars[i];
	}
	FAIL("no variable '%s'", name);
}

/* Names what @fn refers to, in order: "call leaf, data .bss+0" */
static const char *refs(const struct object *obj, const char *function)
{
	const struct function *fn = function_of(obj, function);
	static char text[1024];
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < fn->n_relocs; i++) {
		const struct reloc *r = &fn->relocs[i];
		const char *sep = i ? ", " : "";
		size_t left = sizeof(text) - at;

		switch (r->kind) {
		case RELOC_MAP:
			at += snprintf(text + at, left, "%smap %s", sep, obj->maps[r->index].name);
			break;
		case RELOC_DATA:
			at += snprintf(text + at, left, "%sdata %s+%u", sep,
				       obj->maps[r->index].name, r->offset);
			break;
		case RELOC_CALL:
			at += snprintf(text + at, left, "%scall %s", sep,
				       obj->functions[r->index].name);
			break;
		case RELOC_FUNC:
			at += snprintf(text + at, left, "%saddress %s", sep,
				       obj->functions[r->index].name);
			break;
		case RELOC_EXTERN:
			at += snprintf(text + at, left, "%sextern %s", sep,
				       obj->externs[r->index].name);
			break;
		}
	}
	return text;
}

TEST(reads_the_smallest_object)
{
	struct elf_gen g = {};
	struct object *obj;

	gen_small(&g);
	obj = parse_good(&g);
	CHECK_STR(obj->name, "sample");
	CHECK_STR(obj->license, "GPL");
	CHECK_EQ(obj->kern_version, 0);
	CHECK(!obj->foreign);
	CHECK(!obj->btf);
	CHECK_EQ(obj->n_programs, 1);
	CHECK_STR(obj->programs[0].name, "prog");
	CHECK_STR(obj->programs[0].section, "socket");
	CHECK_EQ(obj->programs[0].rule->prog_type, BPF_PROG_TYPE_SOCKET_FILTER);
	CHECK(obj->programs[0].autoload);
	CHECK_EQ(obj->functions[0].n_insns, 2);
	CHECK_EQ(obj->functions[0].insns[1].code, BPF_JMP | BPF_EXIT);
	CHECK_EQ(obj->n_maps, 0);
	object_free(obj);
}

TEST(cuts_names_and_licenses)
{
	struct elf_gen g = {};
	struct object *obj = NULL;
	char license[100];

	memset(license, 'L', sizeof(license));
	gen_code(&g, "socket", 2);
	gen_data(&g, "license", license, sizeof(license));
	gen_elf_finish(&g);
	CHECK_EQ(parse(g.blob.data, g.blob.len, "a_name_of_over_15_bytes", &obj), 0);
	CHECK_STR(obj->name, "a_name_of_over_");
	CHECK_EQ(strlen(obj->license), 63);
	object_free(obj);
	gen_elf_deinit(&g);
}

TEST(takes_an_object_without_name)
{
	struct elf_gen g = {};
	struct object *obj = NULL;

	gen_small(&g);
	gen_data(&g, ".bss", NULL, 8);
	gen_elf_finish(&g);
	CHECK_EQ(parse(g.blob.data, g.blob.len, NULL, &obj), 0);
	CHECK_STR(obj->name, "");
	CHECK_STR(obj->maps[0].kernel_name, ".bss");
	object_free(obj);
	gen_elf_deinit(&g);
}

TEST(shows_objects_of_the_other_byte_order)
{
	struct bpf_insn insns[] = { INSN_MOV64_IMM(3, 0x01020304), INSN_LDX_MEM(BPF_W, 0, 1, 0x102),
				    INSN_EXIT() };
	struct elf_gen g = {};
	struct object *obj = NULL;
	uint32_t version = __builtin_bswap32(0x50403);

	gen_symbol(&g, "prog", gen_insns(&g, "xdp", insns, 3), 0, 24, GEN_GLOBAL_FUNC);
	gen_data(&g, "version", &version, 4);
	gen_elf_finish(&g);
	gen_elf_swap(&g);
	CHECK_EQ(parse(g.blob.data, g.blob.len, "x", &obj), 0);
	CHECK(obj->foreign);
	CHECK_EQ(obj->kern_version, 0x50403);
	CHECK(!memcmp(obj->functions[0].insns, insns, sizeof(insns)));
	object_free(obj);
	gen_elf_deinit(&g);
}

TEST(knows_programs_by_function_and_section)
{
	struct object *obj = compiled("sections");
	const struct program *p;

	CHECK_EQ(obj->n_programs, 8);
	CHECK_EQ(obj->kern_version, 0x060102);
	CHECK_STR(obj->license, "Dual BSD/GPL");
	p = prog_of(obj, "sections_second");
	CHECK_STR(p->section, "tracepoint/syscalls/sys_enter_getpid");
	CHECK_STR(p->extra, "syscalls/sys_enter_getpid");
	CHECK_EQ(obj->functions[p->function].first, 2);
	CHECK(p->autoload);
	p = prog_of(obj, "sections_off");
	CHECK_STR(p->section, "raw_tp/sys_exit");
	CHECK_STR(obj->functions[p->function].section, "?raw_tp/sys_exit");
	CHECK_EQ(p->rule->prog_type, BPF_PROG_TYPE_RAW_TRACEPOINT);
	CHECK(!p->autoload);
	CHECK(!prog_of(obj, "sections_unknown")->rule);
	CHECK_STR(refs(obj, "sections_extern_function"),
		  "extern CONFIG_HZ, extern unknown_function");
	CHECK_STR(refs(obj, "sections_extern_variable"), "extern unknown_variable");
	CHECK_EQ(obj->n_externs, 3);
	CHECK(obj->externs[0].is_weak);
	CHECK(!obj->externs[1].is_weak);
	CHECK(!obj->externs[0].section);
	CHECK_EQ(object_find_program(obj, "nobody"), OBJECT_NO_INDEX);
	object_free(obj);
}

TEST(makes_maps_of_data_sections)
{
	struct object *obj = compiled("globals");
	const struct map_def *m = map_of(obj, ".data");

	CHECK_STR(m->name, ".data");
	CHECK_STR(m->kernel_name, "globals.data");
	CHECK(map_of(obj, "globals.data") == m);
	CHECK_EQ(m->data, DATA_DATA);
	CHECK_EQ(m->params.type, BPF_MAP_TYPE_ARRAY);
	CHECK_EQ(m->params.key_size, 4);
	CHECK_EQ(m->params.value_size, 32);
	CHECK_EQ(m->params.max_entries, 1);
	CHECK_EQ(m->params.flags, BPF_F_MMAPABLE);
	CHECK_EQ(*(int *)m->image, 5);
	CHECK_EQ(btf_type(obj->btf, m->datasec)->size, 32);
	m = map_of(obj, ".rodata");
	CHECK_EQ(m->params.flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	CHECK_EQ(*(int *)m->image, 3);
	m = map_of(obj, ".bss");
	CHECK(!m->image);
	CHECK_EQ(m->params.value_size, 16);
	CHECK_STR(map_of(obj, ".data.hot")->kernel_name, ".data.hot");
	CHECK_STR(map_of(obj, ".rodata.greeting")->kernel_name, ".rodata.greetin");
	CHECK_STR((char *)map_of(obj, ".rodata.greeting")->image, "hello");
	CHECK_EQ(map_of(obj, ".bss.cold")->params.value_size, 32);
	CHECK_STR(refs(obj, "globals_only_statics"), "data .bss+8");
	object_free(obj);
}

TEST(names_variables)
{
	struct object *obj = compiled("globals");
	const struct variable *v = var_of(obj, "pair");

	CHECK_STR(obj->maps[v->map].name, ".data");
	CHECK_EQ(v->offset, 8);
	CHECK_EQ(v->size, 16);
	CHECK_STR(btf_type_name(obj->btf, v->type), "pair");
	CHECK(!v->is_static);
	v = var_of(obj, "hidden");
	CHECK(v->is_static);
	CHECK_EQ(*(int *)(obj->maps[v->map].image + v->offset), 9);
	v = var_of(obj, "counter");
	CHECK(v->is_static);
	CHECK_EQ(*(int *)(obj->maps[v->map].image + v->offset), 7);
	v = var_of(obj, "hot");
	CHECK_STR(obj->maps[v->map].name, ".data.hot");
	CHECK_EQ(((int *)obj->maps[v->map].image)[3], 13);
	CHECK(var_of(obj, "globals_use.____fmt")->is_static);
	object_free(obj);
}

TEST(resolves_calls_and_addresses)
{
	struct object *obj = compiled("calls");

	CHECK_EQ(obj->n_programs, 4);
	CHECK_EQ(obj->n_functions, 10);
	CHECK_STR(refs(obj, "calls_none"), "");
	CHECK_STR(refs(obj, "calls_static"), "call branch");
	CHECK_STR(refs(obj, "branch"), "call leaf, call leaf");
	CHECK_STR(refs(obj, "calls_global"), "call global_one, call hidden_one, call leaf");
	CHECK_STR(refs(obj, "calls_by_address"), "map cells, address on_element, address on_turn");
	CHECK_STR(refs(obj, "on_turn"), "call branch, data .bss+0");
	CHECK(function_of(obj, "global_one")->is_global);
	CHECK(!function_of(obj, "hidden_one")->is_global);
	CHECK(!function_of(obj, "leaf")->is_global);
	CHECK(!function_of(obj, "leaf")->is_program);
	/* … and so does BTF say it, which is what the kernel looks at. */
	CHECK_EQ(btf_vlen(btf_type(obj->btf, btf_find(obj->btf, "hidden_one", BTF_KIND_FUNC))),
		 BTF_FUNC_STATIC);
	CHECK_EQ(btf_vlen(btf_type(obj->btf, btf_find(obj->btf, "global_one", BTF_KIND_FUNC))),
		 BTF_FUNC_GLOBAL);
	CHECK_EQ(btf_vlen(btf_type(obj->btf, btf_find(obj->btf, "calls_none", BTF_KIND_FUNC))),
		 BTF_FUNC_GLOBAL);
	CHECK(function_of(obj, "leaf")->ext->n_lines > 0);
	object_free(obj);
}

TEST(reads_map_definitions)
{
	struct object *obj = compiled("rings");
	const struct map_def *m = map_of(obj, "kept_by_name");

	CHECK_EQ(m->data, DATA_NONE);
	CHECK_EQ(m->params.type, BPF_MAP_TYPE_LRU_HASH);
	CHECK_EQ(m->params.key_size, 20);
	CHECK_EQ(m->params.value_size, 8);
	CHECK_EQ(m->params.max_entries, 64);
	CHECK(m->pin_by_name);
	CHECK_STR(btf_type_name(obj->btf, m->key_type), "event");
	CHECK_STR(btf_type_name(obj->btf, m->value_type), "__u64");
	CHECK(!map_of(obj, "jobs")->pin_by_name);
	CHECK_EQ(map_of(obj, "seen")->params.extra, 3);
	object_free(obj);
}

TEST(keeps_the_record_types_of_rings)
{
	struct object *obj = compiled("rings");
	const struct map_def *m = map_of(obj, "events");

	CHECK_EQ(m->params.max_entries, 5000);
	CHECK_EQ(m->params.key_size, 0);
	CHECK_EQ(m->params.value_size, 0);
	CHECK_EQ(m->value_type, 0);
	CHECK_STR(btf_type_name(obj->btf, m->record_type), "event");
	CHECK_EQ(map_of(obj, "plain")->record_type, 0);
	m = map_of(obj, "samples");
	CHECK_EQ(m->params.key_size, 4);
	CHECK_EQ(m->params.value_size, 4);
	CHECK_STR(btf_type_name(obj->btf, m->record_type), "event");
	/* An int stands for the descriptors that are really in there. */
	CHECK_EQ(map_of(obj, "samples_of_ints")->record_type, 0);
	object_free(obj);
}

TEST(reads_maps_of_maps_and_static_contents)
{
	struct object *obj = compiled("holders");
	const struct map_def *m = map_of(obj, "by_index");

	CHECK_EQ(m->params.value_size, 4);
	CHECK_STR(m->inner->name, "by_index.inner");
	CHECK_EQ(m->inner->params.type, BPF_MAP_TYPE_ARRAY);
	CHECK_EQ(m->inner->params.max_entries, 2);
	CHECK_EQ(m->n_slots, 2);
	CHECK_EQ(m->slots[0].slot, 0);
	CHECK_STR(obj->maps[m->slots[0].index].name, "second");
	CHECK_EQ(m->slots[1].slot, 2);
	CHECK_STR(obj->maps[m->slots[1].index].name, "first");
	m = map_of(obj, "by_key");
	CHECK_EQ(m->inner->params.flags, BPF_F_NO_PREALLOC);
	CHECK_EQ(m->inner->params.value_size, 16);
	CHECK_EQ(m->n_slots, 0);
	m = map_of(obj, "jumps");
	CHECK(!m->inner);
	CHECK_EQ(m->n_slots, 2);
	CHECK_EQ(m->slots[0].slot, 1);
	CHECK_STR(obj->programs[m->slots[0].index].name, "holders_one");
	CHECK_STR(obj->programs[m->slots[1].index].name, "holders_two");
	object_free(obj);
}

/* Data sections without BTF */

TEST(makes_a_map_of_unnamed_strings)
{
	struct elf_gen g = {};
	struct object *obj;

	gen_small(&g);
	gen_section(&g, ".rodata.str1.1", SHT_PROGBITS, SHF_ALLOC, "hello", 6);
	gen_data(&g, ".data", NULL, 0);
	obj = parse_good(&g);
	CHECK_EQ(obj->n_maps, 1);
	CHECK_STR(obj->maps[0].kernel_name, ".rodata.str1.1");
	/* Nobody can say what user space may see. */
	CHECK_EQ(obj->maps[0].params.flags, BPF_F_RDONLY_PROG);
	CHECK_STR((char *)obj->maps[0].image, "hello");
	object_free(obj);
}

TEST(spoils_no_kernel_name)
{
	struct elf_gen g = {};
	struct object *obj = NULL;

	gen_small(&g);
	gen_data(&g, ".bss", NULL, 8);
	gen_elf_finish(&g);
	CHECK_EQ(parse(g.blob.data, g.blob.len, "my-object+x", &obj), 0);
	CHECK_STR(obj->maps[0].kernel_name, "my_objec.bss");
	object_free(obj);
	gen_elf_deinit(&g);
}

TEST(takes_huge_bss_without_memory)
{
	struct elf_gen g = {};
	struct object *obj;

	gen_small(&g);
	gen_data(&g, ".bss", NULL, INT32_MAX);
	obj = parse_good(&g);
	CHECK_EQ(obj->maps[0].params.value_size, INT32_MAX);
	CHECK(!obj->maps[0].image);
	object_free(obj);
}

TEST(refuses_bss_over_2_gib)
{
	struct elf_gen g = {};

	gen_small(&g);
	gen_data(&g, ".bss.big", NULL, 1ull << 31);
	refuses(&g, -EBADMSG, "section '.bss.big' has 2147483648 bytes");
}

/* Sections that are not as they should be */

TEST(refuses_a_short_version)
{
	struct elf_gen g = {};

	gen_small(&g);
	gen_data(&g, "version", "\1\2", 2);
	refuses(&g, -EBADMSG, "section 'version' has 2 bytes");
}

TEST(refuses_maps_of_the_old_kind)
{
	struct elf_gen g = {};

	gen_small(&g);
	gen_data(&g, "maps", "12345678901234567890", 20);
	refuses(&g, -EOPNOTSUPP, "SEC(\".maps\")");
}

TEST(refuses_maps_without_btf)
{
	struct elf_gen g = {};

	gen_small(&g);
	gen_data(&g, ".maps", "12345678", 8);
	refuses(&g, -EBADMSG, "compile with clang -g");
}

TEST(goes_on_without_bad_btf)
{
	struct elf_gen g = {};
	struct object *obj;

	gen_small(&g);
	gen_section(&g, ".BTF", SHT_PROGBITS, 0, "nonsense", 8);
	obj = parse_good(&g);
	CHECK(!obj->btf);
	CHECK_HAS(notes, "going on without BTF: .BTF+0x0");
	/* It was no failure. */
	CHECK_EQ(rp.err, 0);
	object_free(obj);
}

/* A .BTF.ext of one line and one CO-RE relocation of SEC("socket"), and its strings. */
static void gen_with_ext(struct elf_gen *g, uint32_t line_insn, uint32_t core_insn)
{
	struct btf_gen b = {};
	struct ext_gen x = {};
	uint32_t section = gen_str(&b, "socket"), text = gen_str(&b, "0");
	uint32_t type = gen_int(&b, "int", 4, BTF_INT_SIGNED);

	gen_finish(&b);
	EXT(&x, GEN_LINES, 16, section, 1, line_insn, text, text, 0);
	EXT(&x, GEN_CORES, 16, section, 1, core_insn, type, text, 0);
	ext_finish(&x);
	gen_small(g);
	gen_section(g, ".BTF", SHT_PROGBITS, 0, b.blob.data, b.blob.len);
	gen_section(g, ".BTF.ext", SHT_PROGBITS, 0, x.blob.data, x.blob.len);
	gen_deinit(&b);
	ext_deinit(&x);
}

TEST(goes_on_without_bad_lines)
{
	struct elf_gen g = {};
	struct object *obj;

	gen_with_ext(&g, 4, 0);
	obj = parse_good(&g);
	CHECK_EQ(btf_ext_section(obj->btf_ext, "socket")->n_lines, 0);
	CHECK_EQ(btf_ext_section(obj->btf_ext, "socket")->n_cores, 1);
	CHECK_HAS(notes, "going on without line numbers: .BTF.ext+0x");
	CHECK_EQ(rp.err, 0);
	object_free(obj);
}

/* Unrelocated code would read at the offsets of another kernel. */
TEST(refuses_bad_core_relocations)
{
	struct elf_gen g = {};

	gen_with_ext(&g, 0, 4);
	refuses(&g, -EBADMSG, "offset 4 is inside an instruction");
}

TEST(goes_on_without_bad_btf_ext)
{
	struct btf_gen b = {};
	struct elf_gen g = {};
	struct object *obj;

	gen_int(&b, "int", 4, BTF_INT_SIGNED);
	gen_finish(&b);
	gen_small(&g);
	gen_section(&g, ".BTF", SHT_PROGBITS, 0, b.blob.data, b.blob.len);
	gen_section(&g, ".BTF.ext", SHT_PROGBITS, 0, "nonsense", 8);
	gen_deinit(&b);
	obj = parse_good(&g);
	CHECK(obj->btf);
	CHECK(!obj->btf_ext);
	CHECK_HAS(notes, "going on without line numbers and CO-RE relocations: .BTF.ext+0x0");
	CHECK_EQ(rp.err, 0);
	object_free(obj);
}

TEST(refuses_bad_btf_that_is_needed)
{
	struct elf_gen g = {};

	gen_small(&g);
	gen_data(&g, ".maps", "12345678", 8);
	gen_section(&g, ".BTF", SHT_PROGBITS, 0, "nonsense", 8);
	refuses(&g, -EBADMSG, ".BTF+0x0");
}

/* Functions */

TEST(refuses_half_an_instruction)
{
	struct elf_gen g = {};

	gen_symbol(&g, "prog", gen_code(&g, "xdp", 4), 0, 12, GEN_GLOBAL_FUNC);
	refuses(&g, -EBADMSG, "xdp+0x0: function 'prog' of 12 bytes");
}

TEST(refuses_a_function_between_instructions)
{
	struct elf_gen g = {};

	gen_symbol(&g, "prog", gen_code(&g, "xdp", 4), 4, 8, GEN_GLOBAL_FUNC);
	refuses(&g, -EBADMSG, "xdp+0x4: function 'prog'");
}

TEST(refuses_a_function_of_no_instructions)
{
	struct elf_gen g = {};

	gen_symbol(&g, "prog", gen_code(&g, "xdp", 4), 0, 0, GEN_GLOBAL_FUNC);
	refuses(&g, -EBADMSG, "of 0 bytes");
}

TEST(refuses_a_function_behind_its_section)
{
	struct elf_gen g = {};

	gen_symbol(&g, "prog", gen_code(&g, "xdp", 4), 16, 24, GEN_GLOBAL_FUNC);
	refuses(&g, -EBADMSG, "xdp+0x10: function 'prog' of 24 bytes ends behind");
}

TEST(refuses_a_function_whose_end_overflows)
{
	struct elf_gen g = {};

	gen_symbol(&g, "prog", gen_code(&g, "xdp", 4), 16, UINT64_MAX - 7, GEN_GLOBAL_FUNC);
	refuses(&g, -EBADMSG, "ends behind");
}

TEST(refuses_functions_that_overlap)
{
	struct elf_gen g = {};
	uint32_t code = gen_code(&g, "xdp", 4);

	gen_symbol(&g, "one", code, 0, 24, GEN_GLOBAL_FUNC);
	gen_symbol(&g, "two", code, 16, 16, GEN_GLOBAL_FUNC);
	refuses(&g, -EBADMSG, "xdp+0x10: function 'two' begins inside 'one'");
}

TEST(takes_a_function_of_two_names_once)
{
	struct elf_gen g = {};
	uint32_t code = gen_code(&g, "xdp", 4);
	struct object *obj;

	gen_symbol(&g, "one", code, 0, 32, GEN_GLOBAL_FUNC);
	gen_symbol(&g, "two", code, 0, 32, GEN_GLOBAL_FUNC);
	obj = parse_good(&g);
	CHECK_EQ(obj->n_functions, 1);
	CHECK_HAS(notes, "another name");
	object_free(obj);
}

TEST(refuses_a_function_without_a_name)
{
	struct elf_gen g = {};

	gen_symbol(&g, "", gen_code(&g, "xdp", 4), 0, 32, GEN_GLOBAL_FUNC);
	refuses(&g, -EBADMSG, "xdp+0x0: a function without a name");
}

TEST(refuses_static_programs)
{
	struct elf_gen g = {};

	gen_symbol(&g, "helper", gen_code(&g, "xdp", 4), 0, 32, GEN_LOCAL_FUNC);
	refuses(&g, -EOPNOTSUPP, "function 'helper' in section 'xdp' is static");
}

TEST(refuses_two_programs_of_one_name)
{
	struct elf_gen g = {};

	gen_symbol(&g, "prog", gen_code(&g, "xdp", 2), 0, 16, GEN_GLOBAL_FUNC);
	gen_symbol(&g, "prog", gen_code(&g, "tc", 2), 0, 16, GEN_GLOBAL_FUNC);
	refuses(&g, -EBADMSG, "two programs are named 'prog'");
}

/* Relocations of code. @insns is program "prog" of section "xdp"; "sub" of .text has 2
 * instructions. */

static struct elf_gen with_code(const struct bpf_insn *insns, uint32_t n, uint32_t *code,
				uint32_t *text)
{
	struct elf_gen g = {};

	*code = gen_insns(&g, "xdp", insns, n);
	*text = gen_code(&g, ".text", 4);
	gen_symbol(&g, "prog", *code, 0, n * 8, GEN_GLOBAL_FUNC);
	gen_symbol(&g, "sub", *text, 0, 16, GEN_GLOBAL_FUNC);
	gen_symbol(&g, "sub2", *text, 16, 16, GEN_LOCAL_FUNC);
	return g;
}

#define CALL_SUB(imm) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, imm)

TEST(resolves_calls_through_section_symbols)
{
	struct bpf_insn insns[] = { CALL_SUB(1), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 2, &code, &text);
	struct object *obj;

	/* imm counts instructions, less one. */
	gen_rel(&g, code, 0, gen_symbol(&g, "", text, 0, 0, GEN_SECTION));
	obj = parse_good(&g);
	CHECK_STR(refs(obj, "prog"), "call sub2");
	object_free(obj);
}

TEST(refuses_a_call_into_a_function)
{
	struct bpf_insn insns[] = { CALL_SUB(0), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 2, &code, &text);

	gen_rel(&g, code, 0, gen_symbol(&g, "", text, 0, 0, GEN_SECTION));
	refuses(&g, -EBADMSG,
		"xdp+0x0: function 'prog', instruction 0: no function starts at .text+8");
}

TEST(refuses_a_call_far_away)
{
	struct bpf_insn insns[] = { CALL_SUB(INT32_MIN), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 2, &code, &text);

	gen_rel(&g, code, 0, gen_symbol(&g, "", text, 0, 0, GEN_SECTION));
	refuses(&g, -EBADMSG, "no function starts at .text-");
}

TEST(refuses_a_call_of_a_program)
{
	struct bpf_insn insns[] = { CALL_SUB(-1), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 2, &code, &text);

	gen_rel(&g, code, 0, 1);
	refuses(&g, -EBADMSG, "calls 'prog', which is not a function without SEC()");
}

TEST(refuses_a_call_that_nobody_resolved)
{
	struct bpf_insn insns[] = { CALL_SUB(-1), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 2, &code, &text);

	refuses(&g, -EBADMSG, "calls a function of its own section");
}

TEST(refuses_a_relocation_of_a_helper_call)
{
	struct bpf_insn insns[] = { INSN_CALL(1), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 2, &code, &text);

	gen_rel(&g, code, 0, 2);
	refuses(&g, -EBADMSG, "a call of 'sub' that is no call of a function");
}

TEST(refuses_a_relocation_of_other_instructions)
{
	struct bpf_insn insns[] = { INSN_MOV64_IMM(0, 0), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 2, &code, &text);

	gen_rel(&g, code, 8, 2);
	refuses(&g, -EBADMSG,
		"xdp+0x8: function 'prog', instruction 1: a relocation on an instruction");
}

TEST(refuses_a_relocation_inside_an_instruction)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 0, 0), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 3, &code, &text);

	gen_rel(&g, code, 8, 2);
	refuses(&g, -EBADMSG, "a relocation at +0x8");
}

TEST(refuses_two_relocations_of_one_instruction)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 0, 0), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 3, &code, &text);

	gen_rel(&g, code, 0, 2);
	gen_rel(&g, code, 0, 2);
	refuses(&g, -EBADMSG, "or a second one");
}

TEST(refuses_half_a_load_at_the_end)
{
	struct bpf_insn insns[] = { INSN_MOV64_IMM(0, 0), INSN_LD_IMM64(1, 0, 0, 0) };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 2, &code, &text);

	refuses(&g, -EBADMSG, "xdp+0x8: function 'prog', instruction 1: a 64-bit load without");
}

TEST(takes_addresses_of_functions)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 16, 0), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 3, &code, &text);
	struct object *obj;

	/* imm counts bytes. */
	gen_rel(&g, code, 0, gen_symbol(&g, "", text, 0, 0, GEN_SECTION));
	obj = parse_good(&g);
	CHECK_STR(refs(obj, "prog"), "address sub2");
	object_free(obj);
}

TEST(refuses_an_address_inside_a_function)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 12, 0), INSN_EXIT() };
	uint32_t code, text;
	struct elf_gen g = with_code(insns, 3, &code, &text);

	gen_rel(&g, code, 0, gen_symbol(&g, "", text, 0, 0, GEN_SECTION));
	refuses(&g, -EBADMSG, "no function starts at .text+12, which it takes the address of");
}

TEST(adds_symbol_and_addend_of_data)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 4, 0), INSN_LD_IMM64(2, 0, -8, 0),
				    INSN_EXIT() };
	uint32_t code, text, bss;
	struct elf_gen g = with_code(insns, 5, &code, &text);
	struct object *obj;

	bss = gen_data(&g, ".bss", NULL, 64);
	gen_rel(&g, code, 0, gen_symbol(&g, "v", bss, 32, 8, GEN_GLOBAL_OBJECT));
	gen_rel(&g, code, 16, gen_symbol(&g, "w", bss, 16, 8, GEN_GLOBAL_OBJECT));
	obj = parse_good(&g);
	CHECK_STR(refs(obj, "prog"), "data .bss+36, data .bss+8");
	object_free(obj);
}

TEST(refuses_data_before_its_section)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, -4, 0), INSN_EXIT() };
	uint32_t code, text, bss;
	struct elf_gen g = with_code(insns, 3, &code, &text);

	bss = gen_data(&g, ".bss", NULL, 64);
	gen_rel(&g, code, 0, gen_symbol(&g, "", bss, 0, 0, GEN_SECTION));
	refuses(&g, -EBADMSG, "offset -4 from '.bss'");
}

TEST(refuses_a_symbol_far_behind_its_section)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 0, 0), INSN_EXIT() };
	uint32_t code, text, bss;
	struct elf_gen g = with_code(insns, 3, &code, &text);

	bss = gen_data(&g, ".bss", NULL, 64);
	gen_rel(&g, code, 0, gen_symbol(&g, "far", bss, UINT64_MAX, 0, GEN_GLOBAL_OBJECT));
	refuses(&g, -EBADMSG, "symbol 'far' lies at 0xffffffffffffffff");
}

TEST(keeps_references_to_what_it_does_not_load)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 0, 0), CALL_SUB(-1), INSN_EXIT() };
	uint32_t code, text, other;
	struct elf_gen g = with_code(insns, 4, &code, &text);
	struct object *obj;

	other = gen_data(&g, ".addr_space.1", "12345678", 8);
	gen_rel(&g, code, 0, gen_symbol(&g, "in_arena", other, 0, 8, GEN_GLOBAL_OBJECT));
	gen_rel(&g, code, 16, gen_symbol(&g, "kfunc", 0, 0, 0, STB_WEAK << 4 | STT_NOTYPE));
	gen_section(&g, ".BTF", SHT_PROGBITS, 0, "", 0);
	gen_elf_finish(&g);
	/* An extern means nothing without BTF. */
	obj = NULL;
	CHECK_EQ(parse(g.blob.data, g.blob.len, "x", &obj), -EBADMSG);
	CHECK_HAS(rp.text, "'kfunc' cannot be understood without BTF");
	gen_elf_deinit(&g);

	g = with_code(insns, 4, &code, &text);
	other = gen_data(&g, ".addr_space.1", "12345678", 8);
	gen_rel(&g, code, 0, gen_symbol(&g, "in_arena", other, 0, 8, GEN_GLOBAL_OBJECT));
	gen_rel(&g, code, 16, 2);
	obj = parse_good(&g);
	CHECK_STR(refs(obj, "prog"), "extern in_arena, call sub");
	CHECK_STR(obj->externs[0].section, ".addr_space.1");
	object_free(obj);
}

/* Maps: an object with BTF, written here member by member */

struct map_gen {
	struct btf_gen b;
	struct elf_gen e;
	uint32_t t_int, section, symbol;
	struct gen_member members[8];
	uint32_t n_members;
	uint32_t var_size; /* 0: as large as the struct */
	uint32_t linkage;
};

static struct map_gen map_new(void)
{
	struct map_gen m = { .linkage = BTF_VAR_GLOBAL_ALLOCATED };

	m.t_int = gen_int(&m.b, "int", 4, BTF_INT_SIGNED);
	gen_small(&m.e);
	return m;
}

static uint32_t number(struct map_gen *m, uint32_t n)
{
	return gen_ref(&m->b, BTF_KIND_PTR, "", gen_array(&m->b, m->t_int, n));
}

static void member(struct map_gen *m, const char *name, uint32_t type)
{
	m->members[m->n_members] = M(name, type, m->n_members * 64);
	m->n_members++;
}

static void map_finish(struct map_gen *m, const char *name)
{
	uint32_t size = m->n_members * 8, words[3], type;
	static char zeros[4096];

	type = gen_composite(&m->b, BTF_KIND_STRUCT, false, "", size, m->members, m->n_members);
	words[0] = gen_var(&m->b, name, type, m->linkage);
	words[1] = 0;
	words[2] = m->var_size ? m->var_size : size;
	gen_datasec(&m->b, ".maps", 0, words, 1);
	gen_finish(&m->b);
	m->section = gen_data(&m->e, ".maps", zeros, words[2] ? words[2] : 8);
	m->symbol = gen_symbol(&m->e, name, m->section, 0, words[2], GEN_GLOBAL_OBJECT);
	gen_section(&m->e, ".BTF", SHT_PROGBITS, 0, m->b.blob.data, m->b.blob.len);
	gen_deinit(&m->b);
}

static void map_refused(struct map_gen *m, int err, const char *part)
{
	map_finish(m, "table");
	refuses(&m->e, err, part);
}

static struct object *map_good(struct map_gen *m)
{
	map_finish(m, "table");
	return parse_good(&m->e);
}

TEST(reads_numbers_of_both_kinds)
{
	struct map_gen m = map_new();
	struct object *obj;

	member(&m, "type", number(&m, BPF_MAP_TYPE_HASH));
	member(&m, "max_entries", number(&m, 77));
	member(&m, "map_extra",
	       gen_enum(&m.b, BTF_KIND_ENUM64, false, "", 8, E("x", 0x123456789abcLL)));
	member(&m, "numa_node", gen_enum(&m.b, BTF_KIND_ENUM, false, "", 4, E("y", 3)));
	member(&m, "key", gen_ref(&m.b, BTF_KIND_PTR, "", m.t_int));
	member(&m, "key_size", number(&m, 4));
	member(&m, "value_size", number(&m, 0));
	obj = map_good(&m);
	CHECK_EQ(obj->maps[0].params.max_entries, 77);
	CHECK_EQ(obj->maps[0].params.extra, 0x123456789abcLL);
	CHECK_EQ(obj->maps[0].params.numa_node, 3);
	CHECK_EQ(obj->maps[0].params.key_size, 4);
	CHECK_EQ(obj->maps[0].params.value_size, 0);
	CHECK_EQ(obj->maps[0].value_type, 0);
	object_free(obj);
}

TEST(cuts_kernel_names_of_maps)
{
	struct map_gen m = map_new();
	struct object *obj;

	member(&m, "type", number(&m, BPF_MAP_TYPE_HASH));
	map_finish(&m, "a_map_with_a_long_name");
	obj = parse_good(&m.e);
	CHECK_STR(obj->maps[0].name, "a_map_with_a_long_name");
	CHECK_STR(obj->maps[0].kernel_name, "a_map_with_a_lo");
	CHECK_EQ(object_find_map(obj, "a_map_with_a_lo"), 0);
	object_free(obj);
}

TEST(refuses_a_map_without_type)
{
	struct map_gen m = map_new();

	member(&m, "max_entries", number(&m, 1));
	map_refused(&m, -EBADMSG, "map 'table': it has no type");
}

TEST(refuses_a_number_that_is_none)
{
	struct map_gen m = map_new();

	member(&m, "type", m.t_int);
	map_refused(&m, -EBADMSG, "map 'table': member 'type' is no number");
}

TEST(refuses_a_number_that_is_too_large)
{
	struct map_gen m = map_new();

	member(&m, "max_entries", gen_enum(&m.b, BTF_KIND_ENUM64, false, "", 8, E("x", 1LL << 32)));
	map_refused(&m, -EBADMSG, "'max_entries' does not fit 32 bits");
}

TEST(refuses_unknown_members)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, 1));
	member(&m, "colour", number(&m, 1));
	map_refused(&m, -EOPNOTSUPP, "map 'table': member 'colour' is not known");
}

TEST(refuses_a_key_of_no_size)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, 1));
	member(&m, "key", gen_ref(&m.b, BTF_KIND_PTR, "", 0));
	map_refused(&m, -EBADMSG, "the type of 'key' has no size");
}

TEST(refuses_a_key_that_is_no_pointer)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, 1));
	member(&m, "key", m.t_int);
	map_refused(&m, -EBADMSG, "'key' is no type");
}

TEST(refuses_a_value_whose_type_runs_in_circles)
{
	struct map_gen m = map_new();
	uint32_t self = 1 + m.b.n;

	member(&m, "type", number(&m, 1));
	self = 1 + m.b.n;
	gen_ref(&m.b, BTF_KIND_TYPEDEF, "circle", self);
	member(&m, "value", gen_ref(&m.b, BTF_KIND_PTR, "", self));
	map_refused(&m, -EBADMSG, "the type of 'value' has no size");
}

TEST(refuses_sizes_that_disagree)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, 1));
	member(&m, "key_size", number(&m, 8));
	member(&m, "key", gen_ref(&m.b, BTF_KIND_PTR, "", m.t_int));
	map_refused(&m, -EBADMSG, "'key' has 4 bytes but 'key_size' says 8");
}

TEST(refuses_sizes_that_disagree_in_the_other_order)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, 1));
	member(&m, "value", gen_ref(&m.b, BTF_KIND_PTR, "", m.t_int));
	member(&m, "value_size", number(&m, 8));
	map_refused(&m, -EBADMSG, "'value_size' says 8 but the type has 4");
}

TEST(refuses_unknown_ways_of_pinning)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, 1));
	member(&m, "pinning", number(&m, 2));
	map_refused(&m, -EBADMSG, "pinning 2 is not known");
}

TEST(refuses_static_maps)
{
	struct map_gen m = map_new();

	m.linkage = BTF_VAR_STATIC;
	member(&m, "type", number(&m, 1));
	map_refused(&m, -EOPNOTSUPP, "map 'table': a map must be a global variable");
}

TEST(refuses_a_map_that_is_no_struct)
{
	struct map_gen m = map_new();
	uint32_t words[] = { gen_var(&m.b, "table", m.t_int, BTF_VAR_GLOBAL_ALLOCATED), 0, 4 };

	gen_datasec(&m.b, ".maps", 0, words, 1);
	gen_finish(&m.b);
	gen_symbol(&m.e, "table", gen_data(&m.e, ".maps", "12345678", 8), 0, 4, GEN_GLOBAL_OBJECT);
	gen_section(&m.e, ".BTF", SHT_PROGBITS, 0, m.b.blob.data, m.b.blob.len);
	gen_deinit(&m.b);
	refuses(&m.e, -EBADMSG, "map 'table': its description is no struct");
}

TEST(refuses_maps_that_btf_does_not_describe)
{
	struct map_gen m = map_new();

	gen_finish(&m.b);
	gen_data(&m.e, ".maps", "12345678", 8);
	gen_section(&m.e, ".BTF", SHT_PROGBITS, 0, m.b.blob.data, m.b.blob.len);
	gen_deinit(&m.b);
	refuses(&m.e, -EBADMSG, "'.maps' is not described in .BTF");
}

TEST(refuses_a_description_larger_than_its_variable)
{
	struct map_gen m = map_new();

	m.var_size = 8;
	member(&m, "type", number(&m, 1));
	member(&m, "max_entries", number(&m, 1));
	map_refused(&m, -EBADMSG, "its description has 16 bytes, its variable 8");
}

TEST(refuses_a_map_without_symbol)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, 1));
	map_finish(&m, "table");
	m.e.symbols[m.symbol].st_shndx = 1;
	refuses(&m.e, -EBADMSG, "variable 'table' of section '.maps' has no symbol there");
}

TEST(refuses_a_map_behind_its_section)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, 1));
	map_finish(&m, "table");
	m.e.symbols[m.symbol].st_value = 4;
	refuses(&m.e, -EBADMSG, ".maps+0x4: map 'table' of 8 bytes overlaps");
}

TEST(refuses_a_map_at_an_impossible_address)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, 1));
	map_finish(&m, "table");
	m.e.symbols[m.symbol].st_value = UINT64_MAX;
	refuses(&m.e, -EBADMSG, "variable 'table' of section '.maps' lies at 0xffffffffffffffff");
}

static uint32_t values_type(struct map_gen *m, uint32_t target)
{
	return gen_array(&m->b, gen_ref(&m->b, BTF_KIND_PTR, "", target), 0);
}

TEST(refuses_values_in_maps_that_hold_none)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, BPF_MAP_TYPE_HASH));
	member(&m, "values", values_type(&m, m.t_int));
	map_refused(&m, -EBADMSG, "'values' is for maps of maps");
}

TEST(refuses_values_that_are_not_last)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, BPF_MAP_TYPE_ARRAY_OF_MAPS));
	member(&m, "values", values_type(&m, m.t_int));
	member(&m, "max_entries", number(&m, 1));
	map_refused(&m, -EBADMSG, "'values' is not the last member");
}

TEST(refuses_values_of_fixed_length)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, BPF_MAP_TYPE_ARRAY_OF_MAPS));
	member(&m, "values", gen_array(&m.b, gen_ref(&m.b, BTF_KIND_PTR, "", m.t_int), 3));
	map_refused(&m, -EBADMSG, "no array of open length");
}

TEST(refuses_values_that_are_no_maps)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, BPF_MAP_TYPE_ARRAY_OF_MAPS));
	member(&m, "values", values_type(&m, m.t_int));
	map_refused(&m, -EBADMSG, "'values' does not point at maps");
}

TEST(refuses_values_that_are_no_programs)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, BPF_MAP_TYPE_PROG_ARRAY));
	member(&m, "values", values_type(&m, m.t_int));
	map_refused(&m, -EBADMSG, "'values' does not point at functions");
}

TEST(refuses_a_map_of_maps_of_8_bytes)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, BPF_MAP_TYPE_ARRAY_OF_MAPS));
	member(&m, "value_size", number(&m, 8));
	member(&m, "values", values_type(&m, gen_struct(&m.b, "", 8, M("type", number(&m, 2), 0))));
	map_refused(&m, -EBADMSG, "value_size is 8");
}

TEST(refuses_maps_of_maps_of_maps)
{
	struct map_gen m = map_new();
	uint32_t innermost, inner;

	innermost = gen_struct(&m.b, "", 8, M("type", number(&m, 2), 0));
	inner = gen_struct(&m.b, "", 8, M("type", number(&m, BPF_MAP_TYPE_ARRAY_OF_MAPS), 0),
			   M("values", values_type(&m, innermost), 64));
	member(&m, "type", number(&m, BPF_MAP_TYPE_ARRAY_OF_MAPS));
	member(&m, "values", values_type(&m, inner));
	map_refused(&m, -EBADMSG, "map 'table.inner': a map inside a map of maps");
}

TEST(refuses_pinned_inner_maps)
{
	struct map_gen m = map_new();
	uint32_t inner = gen_struct(&m.b, "", 16, M("type", number(&m, 2), 0),
				    M("pinning", number(&m, 1), 64));

	member(&m, "type", number(&m, BPF_MAP_TYPE_ARRAY_OF_MAPS));
	member(&m, "values", values_type(&m, inner));
	map_refused(&m, -EBADMSG, "map 'table.inner': a map inside a map of maps cannot be pinned");
}

/* Static contents */

static struct map_gen prog_array(void)
{
	struct map_gen m = map_new();

	member(&m, "type", number(&m, BPF_MAP_TYPE_PROG_ARRAY));
	member(&m, "values", values_type(&m, gen_proto(&m.b, m.t_int, NULL, 0)));
	m.n_members = 2;
	m.var_size = 64;
	map_finish(&m, "table");
	return m;
}

TEST(fills_slots_in_the_order_of_the_section)
{
	struct map_gen m = prog_array();
	struct object *obj;

	gen_rel(&m.e, m.section, 8 + 8 * 5, 1);
	gen_rel(&m.e, m.section, 8 + 8 * 2, 1);
	obj = parse_good(&m.e);
	CHECK_EQ(obj->maps[0].n_slots, 2);
	CHECK_EQ(obj->maps[0].slots[0].slot, 2);
	CHECK_EQ(obj->maps[0].slots[1].slot, 5);
	object_free(obj);
}

TEST(refuses_contents_outside_of_values)
{
	struct map_gen m = prog_array();

	gen_rel(&m.e, m.section, 0, 1);
	refuses(&m.e, -EBADMSG, ".maps+0x0: map 'table' refers to 'prog' outside of its 'values'");
}

TEST(refuses_contents_between_slots)
{
	struct map_gen m = prog_array();

	gen_rel(&m.e, m.section, 12, 1);
	refuses(&m.e, -EBADMSG, ".maps+0xc: map 'table' refers to 'prog' outside of its 'values'");
}

TEST(refuses_a_map_among_programs)
{
	struct map_gen m = prog_array();

	gen_rel(&m.e, m.section, 16, m.symbol);
	refuses(&m.e, -EBADMSG, "map 'table' holds 'table' in slot 1, which is no program");
}

TEST(refuses_a_subprogram_among_programs)
{
	struct map_gen m = prog_array();

	gen_rel(&m.e, m.section, 16,
		gen_symbol(&m.e, "sub", gen_code(&m.e, ".text", 2), 0, 16, GEN_GLOBAL_FUNC));
	refuses(&m.e, -EBADMSG, "map 'table' holds 'sub' in slot 1, which is no program");
}

TEST(refuses_a_code_reference_into_a_map)
{
	struct bpf_insn insns[] = { INSN_LD_IMM64(1, 0, 8, 0), INSN_EXIT() };
	struct map_gen m = prog_array();
	uint32_t code = gen_insns(&m.e, "xdp", insns, 3);

	gen_symbol(&m.e, "user", code, 0, 24, GEN_GLOBAL_FUNC);
	gen_rel(&m.e, code, 0, m.symbol);
	refuses(&m.e, -EBADMSG, "no map starts at .maps+8");
}

/* Variables */

static void data_object(struct elf_gen *e, const uint32_t *place, uint32_t linkage)
{
	struct btf_gen b = {};
	uint32_t t_int = gen_int(&b, "int", 4, BTF_INT_SIGNED);
	uint32_t words[3] = { gen_var(&b, "v", t_int, linkage), place[0], place[1] };

	gen_datasec(&b, ".data", 0, words, 1);
	gen_finish(&b);
	gen_small(e);
	gen_data(e, ".data", "12345678", 8);
	gen_section(e, ".BTF", SHT_PROGBITS, 0, b.blob.data, b.blob.len);
	gen_deinit(&b);
}

TEST(takes_static_variables_where_btf_says)
{
	struct elf_gen g = {};
	struct object *obj;

	data_object(&g, (uint32_t[]){ 4, 4 }, BTF_VAR_STATIC);
	obj = parse_good(&g);
	CHECK_EQ(obj->n_vars, 1);
	CHECK_EQ(obj->vars[0].offset, 4);
	CHECK(!obj->maps[0].mmapable);
	CHECK_EQ(obj->maps[0].params.flags, 0);
	object_free(obj);
}

TEST(refuses_a_variable_behind_its_section)
{
	struct elf_gen g = {};

	data_object(&g, (uint32_t[]){ 6, 4 }, BTF_VAR_STATIC);
	refuses(&g, -EBADMSG, ".data+0x6: variable 'v' of 4 bytes ends behind");
}

TEST(refuses_a_variable_whose_end_overflows)
{
	struct elf_gen g = {};

	data_object(&g, (uint32_t[]){ 4, UINT32_MAX }, BTF_VAR_STATIC);
	refuses(&g, -EBADMSG, ".data+0x4: variable 'v'");
}

TEST(refuses_a_variable_without_symbol)
{
	struct elf_gen g = {};

	data_object(&g, (uint32_t[]){ 0, 4 }, BTF_VAR_GLOBAL_ALLOCATED);
	refuses(&g, -EBADMSG, "variable 'v' of section '.data' has no symbol there");
}

TEST(refuses_two_data_sections_of_one_name)
{
	struct elf_gen g = {};

	data_object(&g, (uint32_t[]){ 0, 4 }, BTF_VAR_STATIC);
	gen_data(&g, ".data", "12345678", 8);
	refuses(&g, -EBADMSG, "there are two sections '.data'");
}

/* Whatever happens to a real object, parsing it ends well or with a sentence. */

static void survives_spoiling(const char *name)
{
	_cleanup_free_ char *data = NULL;
	uint32_t seed = 12345;
	size_t len;

	read_compiled(name, &data, &len);
	for (unsigned i = 0; i < 4000; i++) {
		struct object *obj = NULL;
		size_t at;
		char was;
		int r;

		seed = seed * 1664525 + 1013904223;
		at = (seed >> 4) % len;
		was = data[at];
		data[at] ^= 1 << (seed >> 29);
		r = parse(data, len, name, &obj);
		CHECK(r <= 0);
		CHECK(r == 0 || rp.err == r);
		CHECK(!r == !!obj);
		object_free(obj);
		data[at] = was;
	}
}

TEST(survives_spoiled_maps)
{
	survives_spoiling("holders");
}

TEST(survives_spoiled_code)
{
	survives_spoiling("calls");
}

TEST(survives_spoiled_data)
{
	survives_spoiling("globals");
}

TEST(survives_every_cut_of_an_object)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	read_compiled("calls", &data, &len);
	for (size_t n = 0; n < len; n += 7) {
		struct object *obj = NULL;

		CHECK_EQ(parse(data, n, "x", &obj), -ENOEXEC);
	}
}
