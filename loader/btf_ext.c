/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The section is three tables (functions, lines, relocations), each a record size
 * followed by one block for each ELF section: its name, a count, the records. All
 * blocks are collected first, then sorted by section name and merged, so that a
 * file with very many blocks costs no more than sorting them.
 */
#include "loader/btf_ext.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/vec.h"
#include "loader/btf.h"
#include "loader/reader.h"

enum {
	EXT_VERSION = 1,
	HDR_LEN_MIN = 24,  /* without CO-RE: before 5.0 */
	HDR_LEN_CORE = 32, /* with core_relo_off and core_relo_len */
	INSN_SIZE = 8,
};

enum table { FUNCS, LINES, CORES, N_TABLES };
_Static_assert(BTF_EXT_FUNCS == 1 << FUNCS && BTF_EXT_LINES == 1 << LINES &&
		       BTF_EXT_CORES == 1 << CORES,
	       "a bit for each");

static const struct table_rule {
	const char *name;
	uint32_t record; /* bytes on disk that we know */
	uint32_t size;	 /* of our struct */
} table_rules[N_TABLES] = {
	[FUNCS] = { "function info", 8, sizeof(struct ext_func) },
	[LINES] = { "line info", 16, sizeof(struct ext_line) },
	[CORES] = { "CO-RE relocations", 16, sizeof(struct ext_core) },
};

/* All structs begin with the instruction and are words: they are read alike. */
_Static_assert(sizeof(struct ext_func) == 8, "as on disk");
_Static_assert(sizeof(struct ext_line) == 16, "as on disk");
_Static_assert(sizeof(struct ext_core) == 16, "as on disk");

struct block {
	const char *section;
	enum table table;
	uint32_t n, record; /* records, and bytes of each in the file */
	size_t offset;	    /* of the first one */
};

struct parser {
	struct reader rd;
	const struct btf *btf;
	uint32_t hdr_len;
	struct {
		uint32_t off, len;
	} tables[N_TABLES];
	VEC(struct block) blocks;
};

static int read_header(struct parser *p)
{
	struct reader *rd = &p->rd;
	uint16_t magic;
	uint8_t version, flags;
	int r;

	r = reader_u16(rd, &magic);
	if (r == 0 && magic != BTF_MAGIC) {
		reader_seek(rd, 0);
		return reader_fail(rd, "magic number is 0x%04x, not BTF's 0x%04x", magic,
				   BTF_MAGIC);
	}
	if (r == 0)
		r = reader_u8(rd, &version);
	if (r == 0)
		r = reader_u8(rd, &flags);
	if (r < 0)
		return r;
	if (version != EXT_VERSION)
		return report(rd->rp, -EOPNOTSUPP, "%s+0x2: version %u is not known, only %u",
			      rd->what, version, EXT_VERSION);
	if (flags)
		return report(rd->rp, -EOPNOTSUPP, "%s+0x3: flags 0x%x are not known", rd->what,
			      flags);
	r = reader_u32(rd, &p->hdr_len);
	if (r < 0)
		return r;
	if (p->hdr_len < HDR_LEN_MIN || p->hdr_len > (size_t)(rd->end - rd->start)) {
		reader_seek(rd, 4);
		return reader_fail(rd, "header length %u is not between %u and the section's %zu",
				   p->hdr_len, HDR_LEN_MIN, (size_t)(rd->end - rd->start));
	}
	for (unsigned t = 0; t < N_TABLES; t++) {
		if (t == CORES && p->hdr_len < HDR_LEN_CORE)
			break;
		r = reader_u32(rd, &p->tables[t].off);
		if (r == 0)
			r = reader_u32(rd, &p->tables[t].len);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One "section name, count, records"; @rd ends where the table does. */
static int read_block(struct parser *p, struct reader *rd, enum table table, uint32_t record)
{
	struct block b = { .table = table, .record = record };
	uint32_t name;
	int r;

	r = reader_u32(rd, &name);
	if (r < 0)
		return r;
	b.section = btf_str(p->btf, name);
	if (!btf_has_str(p->btf, name) || !*b.section) {
		rd->pos -= sizeof(name);
		return reader_fail(rd, "%s of a section without a name (string %u)",
				   table_rules[table].name, name);
	}
	r = reader_u32(rd, &b.n);
	if (r < 0)
		return r;
	if (!b.n || b.n > reader_left(rd) / record) {
		rd->pos -= sizeof(b.n);
		return reader_fail(rd, "%u records of %u bytes for section '%.64s', have %zu bytes",
				   b.n, record, b.section, reader_left(rd) - sizeof(b.n));
	}
	b.offset = reader_offset(rd);
	r = reader_skip(rd, (size_t)b.n * record);
	if (r < 0)
		return r;
	return vec_push(&p->blocks, b) < 0 ? report(rd->rp, -ENOMEM, "%s: out of memory", rd->what)
					   : 0;
}

static int read_table(struct parser *p, enum table table)
{
	const struct table_rule *rule = &table_rules[table];
	struct reader rd = p->rd;
	uint64_t start = (uint64_t)p->hdr_len + p->tables[table].off;
	uint32_t record;
	int r;

	if (!p->tables[table].len)
		return 0;
	rd.pos = rd.start + 8 + 8 * table;
	if (!range_fits(start, p->tables[table].len, rd.end - rd.start))
		return reader_fail(&rd, "%s of %u bytes at 0x%llx end behind the section's 0x%zx",
				   rule->name, p->tables[table].len, (unsigned long long)start,
				   (size_t)(rd.end - rd.start));
	if (p->tables[table].off % 4)
		return reader_fail(&rd, "%s are not aligned to 4 bytes", rule->name);
	rd.pos = rd.start + start;
	rd.end = rd.pos + p->tables[table].len;
	r = reader_u32(&rd, &record);
	if (r < 0)
		return r;
	if (record < rule->record || record % 4) {
		rd.pos -= sizeof(record);
		return reader_fail(&rd, "%s have records of %u bytes, need %u or a few words more",
				   rule->name, record, rule->record);
	}
	while (r == 0 && reader_left(&rd))
		r = read_block(p, &rd, table, record);
	return r;
}

/* Sections in order of their names; in each functions, lines, relocations as in the file. */
static int compare_blocks(const void *a, const void *b)
{
	const struct block *x = a, *y = b;
	int r = strcmp(x->section, y->section);

	if (r)
		return r;
	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return x->offset < y->offset ? -1 : 1;
}

static int check_record(struct parser *p, struct reader *rd, enum table table,
			const uint32_t *words)
{
	const struct btf *btf = p->btf;

	if (words[0] % INSN_SIZE)
		return reader_fail(rd, "offset %u is inside an instruction", words[0]);
	switch (table) {
	case FUNCS:
		if (words[1] >= btf_n_types(btf) ||
		    btf_kind(btf_type(btf, words[1])) != BTF_KIND_FUNC)
			return reader_fail(rd, "type %u is no function", words[1]);
		return 0;
	case LINES:
		if (!btf_has_str(btf, words[1]) || !btf_has_str(btf, words[2]))
			return reader_fail(rd, "string %u does not exist",
					   btf_has_str(btf, words[1]) ? words[2] : words[1]);
		return 0;
	default:
		if (words[1] >= btf_n_types(btf))
			return reader_fail(rd, "type %u does not exist", words[1]);
		if (!btf_has_str(btf, words[2]))
			return reader_fail(rd, "string %u does not exist", words[2]);
		return 0;
	}
}

/* Copy the records of a block to @to, byte offsets made numbers of instructions. */
static int read_records(struct parser *p, const struct block *b, void *to)
{
	const struct table_rule *rule = &table_rules[b->table];
	struct reader rd = p->rd;
	uint32_t *words = to;
	int r;

	for (uint32_t i = 0; i < b->n; i++, words += rule->size / 4) {
		size_t at = b->offset + (size_t)i * b->record;

		r = reader_seek(&rd, at);
		for (unsigned w = 0; r == 0 && w < rule->size / 4; w++)
			r = reader_u32(&rd, &words[w]);
		if (r < 0)
			return r;
		reader_seek(&rd, at);
		r = check_record(p, &rd, b->table, words);
		if (r < 0)
			return r;
		words[0] /= INSN_SIZE;
	}
	return 0;
}

static int compare_insns(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Compilers write them in order: then nothing is moved. */
static void sort_records(uint32_t *words, uint32_t n, uint32_t size)
{
	for (uint32_t i = 1; i < n; i++) {
		if (words[(size_t)i * size / 4] < words[(size_t)(i - 1) * size / 4]) {
			qsort(words, n, size, compare_insns);
			return;
		}
	}
}

/* All records of one table for one section: blocks [@b, @end). */
static int merge_blocks(struct parser *p, const struct block *b, const struct block *end,
			void **ret, uint32_t *ret_n)
{
	uint32_t size = table_rules[b->table].size;
	_cleanup_free_ uint8_t *records = NULL;
	size_t n = 0, done = 0;
	int r;

	for (const struct block *i = b; i < end; i++)
		n += i->n;
	records = n > UINT32_MAX ? NULL : calloc(n, size);
	if (!records)
		return report(p->rd.rp, -ENOMEM, "%s: out of memory", p->rd.what);
	for (const struct block *i = b; i < end; done += i->n, i++) {
		r = read_records(p, i, records + done * size);
		if (r < 0)
			return r;
	}
	sort_records((uint32_t *)records, n, size);
	*ret = take_ptr(records);
	*ret_n = n;
	return 0;
}

/* The blocks of one section. */
static int fill_section(struct parser *p, struct ext_section *s, const struct block *b,
			const struct block *end)
{
	s->name = strdup(b->section);
	if (!s->name)
		return report(p->rd.rp, -ENOMEM, "%s: out of memory", p->rd.what);
	while (b < end) {
		const struct block *next = b;
		void *records = NULL;
		uint32_t n = 0;
		int r;

		while (next < end && next->table == b->table)
			next++;
		r = merge_blocks(p, b, next, &records, &n);
		if (r < 0)
			return r;
		if (b->table == FUNCS) {
			s->funcs = records;
			s->n_funcs = n;
		} else if (b->table == LINES) {
			s->lines = records;
			s->n_lines = n;
		} else {
			s->cores = records;
			s->n_cores = n;
		}
		b = next;
	}
	return 0;
}

static int fill_sections(struct parser *p, struct btf_ext *ext)
{
	const struct block *b = p->blocks.data, *end;
	uint32_t n = 0;
	int r;

	if (!p->blocks.len)
		return 0;
	end = b + p->blocks.len;
	for (const struct block *i = b; i < end; i++)
		n += i == b || strcmp(i[-1].section, i->section) != 0;
	ext->sections = calloc(n, sizeof(*ext->sections));
	if (!ext->sections)
		return report(p->rd.rp, -ENOMEM, "%s: out of memory", p->rd.what);
	while (b < end) {
		const struct block *next = b;

		while (next < end && !strcmp(next->section, b->section))
			next++;
		r = fill_section(p, &ext->sections[ext->n_sections++], b, next);
		if (r < 0)
			return r;
		b = next;
	}
	return 0;
}

static int parse(struct parser *p, unsigned tables, struct btf_ext *ext)
{
	int r = read_header(p);

	for (unsigned t = 0; r == 0 && t < N_TABLES; t++) {
		if (tables & 1u << t)
			r = read_table(p, t);
	}
	if (r < 0)
		return r;
	if (p->blocks.len)
		qsort(p->blocks.data, p->blocks.len, sizeof(p->blocks.data[0]), compare_blocks);
	return fill_sections(p, ext);
}

int btf_ext_parse(const void *data, size_t len, unsigned tables, bool swap, const struct btf *btf,
		  struct report *rp, struct btf_ext **ret)
{
	_cleanup_(btf_ext_freep) struct btf_ext *ext = calloc(1, sizeof(*ext));
	struct parser p = { .btf = btf };
	int r;

	if (!ext)
		return report(rp, -ENOMEM, ".BTF.ext: out of memory");
	reader_init(&p.rd, data, len, swap, ".BTF.ext", rp);
	r = parse(&p, tables, ext);
	vec_deinit(&p.blocks);
	if (r < 0)
		return r;
	*ret = take_ptr(ext);
	return 0;
}

void btf_ext_free(struct btf_ext *ext)
{
	if (!ext)
		return;
	for (uint32_t i = 0; i < ext->n_sections; i++) {
		free(ext->sections[i].name);
		free(ext->sections[i].funcs);
		free(ext->sections[i].lines);
		free(ext->sections[i].cores);
	}
	free(ext->sections);
	free(ext);
}

static int compare_name(const void *name, const void *section)
{
	return strcmp(name, ((const struct ext_section *)section)->name);
}

const struct ext_section *btf_ext_section(const struct btf_ext *ext, const char *name)
{
	if (!ext->n_sections)
		return NULL;
	return bsearch(name, ext->sections, ext->n_sections, sizeof(ext->sections[0]),
		       compare_name);
}
