/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/gen/btf_gen.h"

#include <stdlib.h>
#include <string.h>

static void add(struct str *s, const void *data, size_t len)
{
	str_add_mem(s, data, len);
	if (str_error(s) < 0)
		abort();
}

uint32_t gen_str(struct btf_gen *g, const char *s)
{
	uint32_t off;

	if (!g->strs.len && !g->first_str)
		add(&g->strs, "", 1);
	if (!s || !*s)
		return 0;
	off = g->first_str + g->strs.len;
	add(&g->strs, s, strlen(s) + 1);
	return off;
}

uint32_t gen_record(struct btf_gen *g, const char *name, uint32_t info, uint32_t size_or_type,
		    const uint32_t *words, size_t n_words)
{
	struct btf_type t = { .name_off = gen_str(g, name), .info = info, .size = size_or_type };

	if (!g->first_id)
		g->first_id = 1;
	if (g->n == GEN_MAX_TYPES)
		abort();
	g->offsets[g->n] = g->types.len;
	add(&g->types, &t, sizeof(t));
	add(&g->types, words, n_words * 4);
	return g->first_id + g->n++;
}

uint32_t gen_int_bits(struct btf_gen *g, const char *name, uint32_t size, uint32_t encoding,
		      uint32_t offset, uint32_t bits)
{
	uint32_t info = encoding << 24 | offset << 16 | bits;

	return gen_record(g, name, GEN_INFO(BTF_KIND_INT, 0, 0), size, &info, 1);
}

uint32_t gen_int(struct btf_gen *g, const char *name, uint32_t size, uint32_t encoding)
{
	return gen_int_bits(g, name, size, encoding, 0, size * 8);
}

uint32_t gen_ref(struct btf_gen *g, uint32_t kind, const char *name, uint32_t type)
{
	return gen_record(g, name, GEN_INFO(kind, 0, 0), type, NULL, 0);
}

uint32_t gen_array(struct btf_gen *g, uint32_t type, uint32_t n)
{
	uint32_t words[] = { type, 0, n };

	return gen_record(g, NULL, GEN_INFO(BTF_KIND_ARRAY, 0, 0), 0, words, 3);
}

uint32_t gen_composite(struct btf_gen *g, uint32_t kind, bool kflag, const char *name,
		       uint32_t size, const struct gen_member *m, size_t n)
{
	uint32_t *words = calloc(n + 1, 12), id;

	if (!words)
		abort();
	for (size_t i = 0; i < n; i++) {
		words[3 * i] = gen_str(g, m[i].name);
		words[3 * i + 1] = m[i].type;
		words[3 * i + 2] = m[i].offset;
	}
	id = gen_record(g, name, GEN_INFO(kind, kflag, n), size, words, 3 * n);
	free(words);
	return id;
}

uint32_t gen_enums(struct btf_gen *g, uint32_t kind, bool is_signed, const char *name,
		   uint32_t size, const struct gen_value *v, size_t n)
{
	size_t per = kind == BTF_KIND_ENUM64 ? 3 : 2;
	uint32_t *words = calloc(n + 1, per * 4), id;

	if (!words)
		abort();
	for (size_t i = 0; i < n; i++) {
		words[per * i] = gen_str(g, v[i].name);
		words[per * i + 1] = v[i].value;
		if (per == 3)
			words[per * i + 2] = (uint64_t)v[i].value >> 32;
	}
	id = gen_record(g, name, GEN_INFO(kind, is_signed, n), size, words, per * n);
	free(words);
	return id;
}

uint32_t gen_proto(struct btf_gen *g, uint32_t ret, const struct gen_member *params, size_t n)
{
	uint32_t words[32];

	if (n > 16)
		abort();
	for (size_t i = 0; i < n; i++) {
		words[2 * i] = gen_str(g, params[i].name);
		words[2 * i + 1] = params[i].type;
	}
	return gen_record(g, NULL, GEN_INFO(BTF_KIND_FUNC_PROTO, 0, n), ret, words, 2 * n);
}

uint32_t gen_func(struct btf_gen *g, const char *name, uint32_t proto, uint32_t linkage)
{
	return gen_record(g, name, GEN_INFO(BTF_KIND_FUNC, 0, linkage), proto, NULL, 0);
}

uint32_t gen_var(struct btf_gen *g, const char *name, uint32_t type, uint32_t linkage)
{
	return gen_record(g, name, GEN_INFO(BTF_KIND_VAR, 0, 0), type, &linkage, 1);
}

uint32_t gen_datasec(struct btf_gen *g, const char *name, uint32_t size, const uint32_t *words,
		     size_t n_vars)
{
	return gen_record(g, name, GEN_INFO(BTF_KIND_DATASEC, 0, n_vars), size, words, 3 * n_vars);
}

uint32_t gen_decl_tag(struct btf_gen *g, const char *name, uint32_t type, int32_t component)
{
	uint32_t word = component;

	return gen_record(g, name, GEN_INFO(BTF_KIND_DECL_TAG, 0, 0), type, &word, 1);
}

void gen_finish(struct btf_gen *g)
{
	struct btf_header hdr = { .magic = BTF_MAGIC, .version = BTF_VERSION };
	static const char zeros[64];

	if (!g->strs.len && !g->first_str)
		gen_str(g, NULL);
	hdr.hdr_len = g->hdr_len ? g->hdr_len : sizeof(hdr);
	hdr.type_len = g->types.len;
	hdr.str_off = g->types.len;
	hdr.str_len = g->strs.len;
	str_truncate(&g->blob, 0);
	add(&g->blob, &hdr, sizeof(hdr));
	if (hdr.hdr_len > sizeof(hdr))
		add(&g->blob, zeros, hdr.hdr_len - sizeof(hdr));
	add(&g->blob, g->types.data, g->types.len);
	add(&g->blob, g->strs.data, g->strs.len);
}

struct btf_header *gen_header(struct btf_gen *g)
{
	return (struct btf_header *)g->blob.data;
}

size_t gen_offset(const struct btf_gen *g, uint32_t id)
{
	return ((const struct btf_header *)g->blob.data)->hdr_len + g->offsets[id - g->first_id];
}

struct btf_type *gen_type(struct btf_gen *g, uint32_t id)
{
	return (struct btf_type *)(g->blob.data + gen_offset(g, id));
}

uint32_t *gen_words(struct btf_gen *g, uint32_t id)
{
	return (uint32_t *)(gen_type(g, id) + 1);
}

static void swap_words(char *data, size_t len)
{
	for (size_t i = 0; i + 4 <= len; i += 4) {
		uint32_t v;

		memcpy(&v, data + i, 4);
		v = __builtin_bswap32(v);
		memcpy(data + i, &v, 4);
	}
}

void gen_swap(struct btf_gen *g)
{
	struct btf_header *hdr = gen_header(g);

	swap_words(g->blob.data + hdr->hdr_len + hdr->type_off, hdr->type_len);
	swap_words(g->blob.data + 4, hdr->hdr_len - 4);
	hdr->magic = __builtin_bswap16(hdr->magic);
}

void gen_deinit(struct btf_gen *g)
{
	str_deinit(&g->types);
	str_deinit(&g->strs);
	str_deinit(&g->blob);
}

void ext_words(struct ext_gen *x, enum gen_table table, const uint32_t *words, size_t n)
{
	add(&x->tables[table], words, n * 4);
}

uint32_t *ext_header(struct ext_gen *x)
{
	return (uint32_t *)x->blob.data;
}

void ext_finish(struct ext_gen *x)
{
	uint32_t words[8] = { BTF_MAGIC | 1 << 16, x->hdr_len ? x->hdr_len : sizeof(words) };
	uint32_t off = 0;

	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		words[0] = (uint32_t)BTF_MAGIC << 16 | 1 << 8;
	for (unsigned t = 0; t < GEN_N_TABLES; t++) {
		words[2 + 2 * t] = off;
		words[3 + 2 * t] = x->tables[t].len;
		off += x->tables[t].len;
	}
	str_truncate(&x->blob, 0);
	add(&x->blob, words, words[1]);
	for (unsigned t = 0; t < GEN_N_TABLES; t++)
		add(&x->blob, x->tables[t].data, x->tables[t].len);
}

size_t ext_offset(const struct ext_gen *x, enum gen_table table, size_t word)
{
	size_t off = x->hdr_len ? x->hdr_len : 32;

	for (unsigned t = 0; t < table; t++)
		off += x->tables[t].len;
	return off + word * 4;
}

void ext_swap(struct ext_gen *x)
{
	uint16_t magic = __builtin_bswap16(BTF_MAGIC);

	swap_words(x->blob.data + 4, x->blob.len - 4);
	memcpy(x->blob.data, &magic, sizeof(magic));
}

void ext_deinit(struct ext_gen *x)
{
	for (unsigned t = 0; t < GEN_N_TABLES; t++)
		str_deinit(&x->tables[t]);
	str_deinit(&x->blob);
}
