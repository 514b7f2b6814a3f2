/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/types.h"

#include "base/bits.h"

static const char *name_of(struct input *in)
{
	static const char *const names[] = {
		"",	"a",	 "b",	      "c",     "s",	 "t",	  "u",	  "int",
		"char", "_Bool", "a___x",     "s___y", "s___y2", "t___x", "long", "int long a",
		"e",	"E_ONE", "E_ONE___v", "vals",  "data",	 "\xff",  "\"",	  "x y",
	};

	return names[take_u8(in) % ARRAY_SIZE(names)];
}

/* Mostly an id that exists, before or behind. */
static uint32_t id_of(struct input *in)
{
	uint8_t id = take_u8(in);

	return id == 0xff ? take_u32(in) : id % (TYPES_MAX + 1);
}

static uint32_t size_of(struct input *in)
{
	uint8_t size = take_u8(in);

	if (size >= 0xfe)
		return take_u32(in);
	return size >= 0xc0 ? 1u << (size & 31) : size;
}

static uint32_t offset_of(struct input *in)
{
	uint8_t off = take_u8(in);

	return off >= 0xf0 ? take_u32(in) : off * 8;
}

static void add_composite(struct btf_gen *g, struct input *in, uint32_t kind)
{
	struct gen_member m[16];
	uint8_t form = take_u8(in);
	bool kflag = form & 0x80;
	unsigned n = form % ARRAY_SIZE(m);
	const char *name = name_of(in);
	uint32_t size = size_of(in);

	for (unsigned i = 0; i < n; i++) {
		m[i].name = name_of(in);
		m[i].type = id_of(in);
		m[i].offset = offset_of(in);
		if (kflag)
			m[i].offset = BITS(take_u8(in) & 0x7f, m[i].offset & 0xffffff);
	}
	gen_composite(g, kind, kflag, name, size, m, n);
}

static void add_enum(struct btf_gen *g, struct input *in, uint32_t kind)
{
	struct gen_value v[8];
	uint8_t form = take_u8(in);
	unsigned n = form % ARRAY_SIZE(v);
	const char *name = name_of(in);

	for (unsigned i = 0; i < n; i++) {
		v[i].name = name_of(in);
		v[i].value = (int8_t)take_u8(in);
		if (v[i].value == -128)
			v[i].value = (int64_t)take_u64(in);
	}
	gen_enums(g, kind, form & 0x80, name, 1u << (form >> 4 & 3), v, n);
}

static void add_proto(struct btf_gen *g, struct input *in)
{
	struct gen_member p[4];
	uint8_t n = take_u8(in) % (ARRAY_SIZE(p) + 1);
	uint32_t ret = id_of(in);

	for (unsigned i = 0; i < n; i++) {
		p[i].name = name_of(in);
		p[i].type = id_of(in);
	}
	gen_proto(g, ret, p, n);
}

static void add_datasec(struct btf_gen *g, struct input *in)
{
	uint32_t words[3 * 4];
	unsigned n = take_u8(in) % 5;

	for (unsigned i = 0; i < n; i++) {
		words[3 * i] = id_of(in);
		words[3 * i + 1] = size_of(in);
		words[3 * i + 2] = size_of(in);
	}
	gen_datasec(g, ".data", size_of(in), words, n);
}

static void add_type(struct btf_gen *g, struct input *in)
{
	static const uint8_t usual_sizes[] = { 1, 2, 4, 8, 16 };
	uint8_t pick = take_u8(in);
	uint32_t kind = pick % BTF_KIND_ENUM64 + 1, words[3];
	const char *name;

	switch (kind) {
	case BTF_KIND_INT:
		name = name_of(in);
		words[0] = take_u8(in);
		words[1] = usual_sizes[words[0] % ARRAY_SIZE(usual_sizes)];
		if (words[0] >= 0xf0)
			gen_int_bits(g, name, words[1], words[0] & 7, take_u8(in), take_u8(in));
		else
			gen_int(g, name, words[1], (uint32_t[]){ 0, 1, 2, 4 }[words[0] >> 4 & 3]);
		break;
	case BTF_KIND_ARRAY:
		words[0] = id_of(in);
		words[1] = id_of(in);
		words[2] = size_of(in);
		gen_record(g, NULL, GEN_INFO(kind, 0, 0), 0, words, 3);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		add_composite(g, in, kind);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		add_enum(g, in, kind);
		break;
	case BTF_KIND_FWD:
		gen_record(g, name_of(in), GEN_INFO(kind, pick >> 7, 0), 0, NULL, 0);
		break;
	case BTF_KIND_FUNC_PROTO:
		add_proto(g, in);
		break;
	case BTF_KIND_FUNC:
		name = name_of(in);
		gen_func(g, name, id_of(in), take_u8(in) % 3);
		break;
	case BTF_KIND_VAR:
		name = name_of(in);
		gen_var(g, name, id_of(in), take_u8(in) % 3);
		break;
	case BTF_KIND_DATASEC:
		add_datasec(g, in);
		break;
	case BTF_KIND_FLOAT:
		gen_ref(g, kind, name_of(in), usual_sizes[pick / 32 % ARRAY_SIZE(usual_sizes)]);
		break;
	case BTF_KIND_DECL_TAG:
		name = name_of(in);
		gen_decl_tag(g, name, id_of(in), (int8_t)take_u8(in));
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_TYPE_TAG:
		name = name_of(in);
		gen_ref(g, kind, name, id_of(in));
		break;
	default: /* pointers and qualifiers */
		gen_ref(g, kind, NULL, id_of(in));
	}
}

void types_add(struct btf_gen *g, struct input *in)
{
	while (g->n < TYPES_MAX && input_left(in))
		add_type(g, in);
	/* So that most ids exist. */
	while (g->n < TYPES_MAX)
		gen_int(g, "int", 4, BTF_INT_SIGNED);
}

struct btf *types_finish(struct btf_gen *g)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct btf *btf = NULL;

	gen_finish(g);
	require_sentence(btf_parse(g->blob.data, g->blob.len, "types", NULL, &rp, &btf), &rp);
	gen_deinit(g);
	return btf;
}
