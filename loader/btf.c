/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A blob is a header, a section of type records of different lengths, one behind
 * the other, and a section of strings. Parsing takes three steps:
 *
 *   read_header   where the sections are, in the blob as it came
 *   scan_types    where each record begins (needs its kind and vlen only)
 *   check_types   that all it refers to exists (needs to know how many there are)
 *
 * A copied blob is packed: header of the known length, types, strings. So the
 * kernel gets no gaps, no layout section and no header fields that it may not know.
 */
#include "loader/btf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "loader/btf_priv.h"
#include "loader/reader.h"

enum {
	INFO_UNUSED_BITS = 0x60ff0000,
	PTR_SIZE = 8,	     /* BPF's, whatever this machine's */
	ALIGN_STEPS = 65536, /* members that btf_alignment() looks at */
};

/* What a record of each kind looks like. */
static const struct kind_rule {
	const char *name;
	uint8_t fixed;	/* bytes behind struct btf_type */
	uint8_t item;	/* bytes of each of vlen items behind that */
	bool vlen_used; /* else it must be 0 */
} kind_rules[NR_BTF_KINDS] = {
	[BTF_KIND_INT] = { "int", 4, 0, false },
	[BTF_KIND_PTR] = { "pointer", 0, 0, false },
	[BTF_KIND_ARRAY] = { "array", sizeof(struct btf_array), 0, false },
	[BTF_KIND_STRUCT] = { "struct", 0, sizeof(struct btf_member), true },
	[BTF_KIND_UNION] = { "union", 0, sizeof(struct btf_member), true },
	[BTF_KIND_ENUM] = { "enum", 0, sizeof(struct btf_enum), true },
	[BTF_KIND_FWD] = { "fwd", 0, 0, false },
	[BTF_KIND_TYPEDEF] = { "typedef", 0, 0, false },
	[BTF_KIND_VOLATILE] = { "volatile", 0, 0, false },
	[BTF_KIND_CONST] = { "const", 0, 0, false },
	[BTF_KIND_RESTRICT] = { "restrict", 0, 0, false },
	[BTF_KIND_FUNC] = { "func", 0, 0, true }, /* the linkage */
	[BTF_KIND_FUNC_PROTO] = { "func_proto", 0, sizeof(struct btf_param), true },
	[BTF_KIND_VAR] = { "var", sizeof(struct btf_var), 0, false },
	[BTF_KIND_DATASEC] = { "datasec", 0, sizeof(struct btf_var_secinfo), true },
	[BTF_KIND_FLOAT] = { "float", 0, 0, false },
	[BTF_KIND_DECL_TAG] = { "decl_tag", sizeof(struct btf_decl_tag), 0, false },
	[BTF_KIND_TYPE_TAG] = { "type_tag", 0, 0, false },
	[BTF_KIND_ENUM64] = { "enum64", 0, sizeof(struct btf_enum64), true },
};

/* Where the sections are in the blob as it came, from its first byte. */
struct layout {
	bool swap;
	uint32_t hdr_len;
	uint64_t types, strs;
	uint32_t types_len, strs_len;
};

/* What a check needs to say where something is wrong. */
struct check {
	const struct btf *btf;
	const char *what;
	uint64_t types; /* where the types were before they were copied */
	struct report *rp;
};

static const struct btf_type void_type;

static int read_magic(struct reader *rd, struct layout *l)
{
	uint16_t magic;
	uint8_t version, flags;
	int r;

	r = reader_u16(rd, &magic);
	if (r < 0)
		return r;
	l->swap = magic == __builtin_bswap16(BTF_MAGIC);
	rd->swap = l->swap;
	if (magic != BTF_MAGIC && !l->swap) {
		rd->pos = rd->start;
		return reader_fail(rd, "magic number is 0x%04x, not BTF's 0x%04x", magic,
				   BTF_MAGIC);
	}
	r = reader_u8(rd, &version);
	if (r < 0)
		return r;
	r = reader_u8(rd, &flags);
	if (r < 0)
		return r;
	if (version != BTF_VERSION)
		return report(rd->rp, -EOPNOTSUPP, "%s+0x2: BTF version %u is not known, only %u",
			      rd->what, version, BTF_VERSION);
	if (flags)
		return report(rd->rp, -EOPNOTSUPP, "%s+0x3: BTF flags 0x%x are not known", rd->what,
			      flags);
	return 0;
}

/* @at is where the header says it. */
static int check_section(struct reader *rd, size_t at, const char *name, uint64_t start,
			 uint32_t len)
{
	size_t size = rd->end - rd->start;

	if (range_fits(start, len, size))
		return 0;
	rd->pos = rd->start + at;
	return reader_fail(rd, "%s of 0x%x bytes at 0x%llx end behind the blob's 0x%zx bytes", name,
			   len, (unsigned long long)start, size);
}

static int read_header(struct reader *rd, const struct btf *base, struct layout *ret)
{
	uint32_t type_off, str_off,
				   *const fields[] = { &ret->hdr_len, &type_off, &ret->types_len,
						       &str_off, &ret->strs_len };
	int r;

	r = read_magic(rd, ret);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(fields); i++)
		r = reader_u32(rd, fields[i]);
	if (r < 0)
		return r;
	if (ret->hdr_len < sizeof(struct btf_header) ||
	    ret->hdr_len > (size_t)(rd->end - rd->start)) {
		rd->pos = rd->start + offsetof(struct btf_header, hdr_len);
		return reader_fail(rd, "header length %u is not between %zu and the blob's %zu",
				   ret->hdr_len, sizeof(struct btf_header),
				   (size_t)(rd->end - rd->start));
	}
	ret->types = (uint64_t)ret->hdr_len + type_off;
	ret->strs = (uint64_t)ret->hdr_len + str_off;
	r = check_section(rd, offsetof(struct btf_header, type_off), "types", ret->types,
			  ret->types_len);
	if (r < 0)
		return r;
	r = check_section(rd, offsetof(struct btf_header, str_off), "strings", ret->strs,
			  ret->strs_len);
	if (r < 0)
		return r;
	if (type_off % 4 || ret->types_len % 4) {
		rd->pos = rd->start + (type_off % 4 ? offsetof(struct btf_header, type_off)
						    : offsetof(struct btf_header, type_len));
		return reader_fail(rd, "types are not aligned to 4 bytes");
	}
	if (ret->types < ret->strs + ret->strs_len && ret->strs < ret->types + ret->types_len) {
		rd->pos = rd->start + offsetof(struct btf_header, str_off);
		return reader_fail(rd, "strings at 0x%llx overlap the types at 0x%llx",
				   (unsigned long long)ret->strs, (unsigned long long)ret->types);
	}
	/* A split BTF may have no string of its own. */
	if (!ret->strs_len && !base) {
		rd->pos = rd->start + offsetof(struct btf_header, str_len);
		return reader_fail(rd, "there are no strings");
	}
	if (!ret->strs_len)
		return 0;
	rd->pos = rd->start + ret->strs;
	if (!base && *rd->pos)
		return reader_fail(rd, "the first string is not empty");
	rd->pos += ret->strs_len - 1;
	if (*rd->pos)
		return reader_fail(rd, "the last string does not end");
	return 0;
}

static int fail(const struct check *c, int err, const void *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(const struct check *c, int err, const void *at, const char *fmt, ...)
{
	char text[REPORT_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return report(c->rp, err, "%s+0x%llx: %s", c->what,
		      (unsigned long long)(c->types + ((const uint8_t *)at - c->btf->types)), text);
}

static int scan_types(struct btf *btf, const struct check *c)
{
	const uint8_t *pos = btf->types, *end = pos + btf->types_len;
	size_t max = btf->types_len / sizeof(struct btf_type), n = 0;
	uint32_t *offsets = malloc((max ? max : 1) * sizeof(*offsets)), *fewer;

	if (!offsets)
		return report(c->rp, -ENOMEM, "%s: out of memory", c->what);
	btf->offsets = offsets;
	while (pos < end) {
		const struct btf_type *t = (const struct btf_type *)pos;
		uint32_t id = btf->first_id + n;
		size_t need = sizeof(*t);

		if ((size_t)(end - pos) < need)
			return fail(c, -EBADMSG, pos, "type %u needs %zu bytes, have %zu", id, need,
				    (size_t)(end - pos));
		if (btf_kind(t) == BTF_KIND_UNKN)
			return fail(c, -EBADMSG, pos, "type %u has kind 0", id);
		if (btf_kind(t) > BTF_KIND_MAX)
			return fail(c, -EOPNOTSUPP, pos,
				    "type %u is of kind %u, which is not known", id, btf_kind(t));
		need += kind_rules[btf_kind(t)].fixed +
			(size_t)kind_rules[btf_kind(t)].item * btf_vlen(t);
		if ((size_t)(end - pos) < need)
			return fail(c, -EBADMSG, pos, "type %u, a %s, needs %zu bytes, have %zu",
				    id, btf_kind_name(btf_kind(t)), need, (size_t)(end - pos));
		offsets[n++] = pos - btf->types;
		pos += need;
	}
	if (n > UINT32_MAX - btf->first_id)
		return fail(c, -EBADMSG, btf->types, "too many types");
	btf->end_id = btf->first_id + n;
	fewer = realloc(offsets, (n ? n : 1) * sizeof(*offsets));
	if (fewer)
		btf->offsets = fewer;
	return 0;
}

static bool id_exists(const struct check *c, uint32_t id)
{
	return id < c->btf->end_id;
}

static bool str_exists(const struct check *c, uint32_t off)
{
	return off < btf_end_str(c->btf);
}

static int bad_ref(const struct check *c, uint32_t id, const void *at, const char *role,
		   uint32_t ref)
{
	return fail(c, -EBADMSG, at, "type %u: %s type %u does not exist", id, role, ref);
}

static int bad_item(const struct check *c, uint32_t id, const void *at, const char *role,
		    uint32_t i, const char *kind, uint32_t value)
{
	return fail(c, -EBADMSG, at, "type %u: %s %u: %s %u does not exist", id, role, i, kind,
		    value);
}

static int check_int(const struct check *c, uint32_t id, const struct btf_type *t)
{
	uint32_t info = btf_int_info(t);

	if (BTF_INT_OFFSET(info) + BTF_INT_BITS(info) > (uint64_t)t->size * 8)
		return fail(c, -EBADMSG, t + 1, "type %u: %u bits from bit %u do not fit %u byte%s",
			    id, BTF_INT_BITS(info), BTF_INT_OFFSET(info), t->size,
			    t->size == 1 ? "" : "s");
	if (BTF_INT_OFFSET(info) + BTF_INT_BITS(info) > 128)
		return fail(c, -EBADMSG, t + 1, "type %u: an integer of over 128 bits", id);
	return 0;
}

static int check_members(const struct check *c, uint32_t id, const struct btf_type *t)
{
	const struct btf_member *m = btf_members(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++, m++) {
		if (!str_exists(c, m->name_off))
			return bad_item(c, id, m, "member", i, "name", m->name_off);
		if (!id_exists(c, m->type))
			return bad_item(c, id, m, "member", i, "type", m->type);
		if (btf_member_bit_offset(t, i) > (uint64_t)t->size * 8)
			return fail(c, -EBADMSG, m, "type %u: member %u lies behind the %u bytes",
				    id, i, t->size);
	}
	return 0;
}

static int check_enums(const struct check *c, uint32_t id, const struct btf_type *t)
{
	const struct btf_enum *e = btf_enums(t);
	const struct btf_enum64 *e64 = btf_enums64(t);

	if (!is_pow2(t->size) || t->size > 8)
		return fail(c, -EBADMSG, t, "type %u: an enum of %u bytes", id, t->size);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		bool wide = btf_kind(t) == BTF_KIND_ENUM64;
		uint32_t name = wide ? e64[i].name_off : e[i].name_off;

		if (!str_exists(c, name))
			return bad_item(c, id, wide ? (const void *)&e64[i] : &e[i], "enumerator",
					i, "name", name);
	}
	return 0;
}

static int check_params(const struct check *c, uint32_t id, const struct btf_type *t)
{
	const struct btf_param *p = btf_params(t);

	for (uint32_t i = 0; i < btf_vlen(t); i++, p++) {
		if (!str_exists(c, p->name_off))
			return bad_item(c, id, p, "parameter", i, "name", p->name_off);
		if (!id_exists(c, p->type))
			return bad_item(c, id, p, "parameter", i, "type", p->type);
	}
	return 0;
}

static int check_func(const struct check *c, uint32_t id, const struct btf_type *t)
{
	if (btf_vlen(t) > BTF_FUNC_EXTERN)
		return fail(c, -EBADMSG, t, "type %u: a function of linkage %u", id, btf_vlen(t));
	if (!id_exists(c, t->type))
		return bad_ref(c, id, t, "prototype", t->type);
	if (btf_kind(btf_type(c->btf, t->type)) != BTF_KIND_FUNC_PROTO)
		return fail(c, -EBADMSG, t, "type %u: type %u is no prototype of a function", id,
			    t->type);
	return 0;
}

static int check_datasec(const struct check *c, uint32_t id, const struct btf_type *t)
{
	const struct btf_var_secinfo *s = btf_secinfos(t);

	/* Sizes and offsets are only known when the object's sections have been looked at. */
	for (uint32_t i = 0; i < btf_vlen(t); i++, s++) {
		uint32_t kind;

		if (!id_exists(c, s->type))
			return bad_item(c, id, s, "variable", i, "type", s->type);
		kind = btf_kind(btf_type(c->btf, s->type));
		if (kind != BTF_KIND_VAR && kind != BTF_KIND_FUNC)
			return fail(
				c, -EBADMSG, s,
				"type %u: variable %u: type %u is neither variable nor function",
				id, i, s->type);
	}
	return 0;
}

static int check_decl_tag(const struct check *c, uint32_t id, const struct btf_type *t)
{
	int32_t i = ((const struct btf_decl_tag *)(t + 1))->component_idx;
	const struct btf_type *target;

	if (!id_exists(c, t->type))
		return bad_ref(c, id, t, "tagged", t->type);
	if (i == -1)
		return 0;
	target = btf_type(c->btf, t->type);
	/* Its own check may come later: look only if it is what it should be. */
	if (btf_kind(target) == BTF_KIND_FUNC && id_exists(c, target->type))
		target = btf_type(c->btf, target->type);
	if (!btf_is_composite(target) && btf_kind(target) != BTF_KIND_FUNC_PROTO)
		return fail(c, -EBADMSG, t + 1, "type %u: tags a component of a %s", id,
			    btf_kind_name(btf_kind(target)) ?: "void");
	if (i < 0 || (uint32_t)i >= btf_vlen(target))
		return fail(c, -EBADMSG, t + 1, "type %u: tagged component %d does not exist", id,
			    i);
	return 0;
}

static int check_type(const struct check *c, uint32_t id, const struct btf_type *t)
{
	if (!str_exists(c, t->name_off))
		return fail(c, -EBADMSG, t, "type %u: name %u does not exist", id, t->name_off);
	if (t->info & INFO_UNUSED_BITS)
		return fail(c, -EBADMSG, t, "type %u: unused bits of info 0x%08x are set", id,
			    t->info);
	if (btf_vlen(t) && !kind_rules[btf_kind(t)].vlen_used)
		return fail(c, -EBADMSG, t, "type %u: kind %s with a length of %u", id,
			    btf_kind_name(btf_kind(t)), btf_vlen(t));
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		return check_int(c, id, t);
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return id_exists(c, t->type) ? 0 : bad_ref(c, id, t, "target", t->type);
	case BTF_KIND_ARRAY:
		if (!id_exists(c, btf_array(t)->type))
			return bad_ref(c, id, t + 1, "element", btf_array(t)->type);
		return id_exists(c, btf_array(t)->index_type)
			       ? 0
			       : bad_ref(c, id, t + 1, "index", btf_array(t)->index_type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return check_members(c, id, t);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return check_enums(c, id, t);
	case BTF_KIND_FUNC:
		return check_func(c, id, t);
	case BTF_KIND_FUNC_PROTO:
		return id_exists(c, t->type) ? check_params(c, id, t)
					     : bad_ref(c, id, t, "return", t->type);
	case BTF_KIND_VAR:
		if (btf_var(t)->linkage > BTF_VAR_GLOBAL_EXTERN)
			return fail(c, -EBADMSG, t + 1, "type %u: a variable of linkage %u", id,
				    btf_var(t)->linkage);
		return id_exists(c, t->type) ? 0 : bad_ref(c, id, t, "variable's", t->type);
	case BTF_KIND_DATASEC:
		return check_datasec(c, id, t);
	case BTF_KIND_FLOAT:
		if (t->size == 12 || (is_pow2(t->size) && t->size >= 2 && t->size <= 16))
			return 0;
		return fail(c, -EBADMSG, t, "type %u: a float of %u bytes", id, t->size);
	case BTF_KIND_DECL_TAG:
		return check_decl_tag(c, id, t);
	default: /* FWD */
		return 0;
	}
}

static int check_types(struct btf *btf, const struct check *c)
{
	int r = 0;

	for (uint32_t id = btf->first_id; r == 0 && id < btf->end_id; id++)
		r = check_type(c, id, btf_type(btf, id));
	return r;
}

/* The blob of @btf is set; the rest follows from it. */
static int btf_init(struct btf *btf, const char *what, const struct layout *orig, struct btf *base,
		    struct report *rp)
{
	const struct btf_header *hdr = btf->blob;
	struct check c = { .btf = btf, .what = what, .types = orig->types, .rp = rp };
	uint32_t end_str;
	int r;

	btf->types = (const uint8_t *)btf->blob + hdr->hdr_len + hdr->type_off;
	btf->types_len = hdr->type_len;
	btf->strs = (const char *)btf->blob + hdr->hdr_len + hdr->str_off;
	btf->strs_len = hdr->str_len;
	btf->base = base ? btf_ref(base) : NULL;
	btf->first_id = base ? base->end_id : 1;
	btf->first_str = base ? btf_end_str(base) : 0;
	if (__builtin_add_overflow(btf->first_str, btf->strs_len, &end_str))
		return report(rp, -EBADMSG, "%s+0x%zx: too many strings", what,
			      offsetof(struct btf_header, str_len));
	r = scan_types(btf, &c);
	return r < 0 ? r : check_types(btf, &c);
}

static struct btf *btf_new(void)
{
	struct btf *btf = calloc(1, sizeof(*btf));

	if (btf) {
		btf->refs = 1;
		pthread_mutex_init(&btf->index_lock, NULL);
	}
	return btf;
}

/* Header of the known length, types, strings, in our byte order. NULL when out of memory. */
static void *pack_blob(const uint8_t *data, const struct layout *l, size_t *ret_len)
{
	size_t len = sizeof(struct btf_header) + (size_t)l->types_len + l->strs_len;
	uint8_t *blob = malloc(len), *types = blob + sizeof(struct btf_header);

	if (!blob)
		return NULL;
	*(struct btf_header *)blob = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(struct btf_header),
		.type_len = l->types_len,
		.str_off = l->types_len,
		.str_len = l->strs_len,
	};
	memcpy(types, data + l->types, l->types_len);
	memcpy(types + l->types_len, data + l->strs, l->strs_len);
	/* All that a type record consists of are words of 32 bits. */
	for (uint32_t i = 0; l->swap && i < l->types_len; i += 4) {
		uint32_t *word = (uint32_t *)(types + i);

		*word = __builtin_bswap32(*word);
	}
	*ret_len = len;
	return blob;
}

int btf_parse(const void *data, size_t len, const char *what, struct btf *base, struct report *rp,
	      struct btf **ret)
{
	_cleanup_(btf_unrefp) struct btf *btf = NULL;
	struct layout l = {};
	struct reader rd;
	int r;

	reader_init(&rd, data, len, false, what, rp);
	r = read_header(&rd, base, &l);
	if (r < 0)
		return r;
	btf = btf_new();
	if (btf)
		btf->blob = pack_blob(data, &l, &btf->blob_len);
	if (!btf || !btf->blob)
		return report(rp, -ENOMEM, "%s: out of memory", what);
	r = btf_init(btf, what, &l, base, rp);
	if (r < 0)
		return r;
	*ret = take_ptr(btf);
	return 0;
}

int btf_parse_mapping(const void *map, size_t len, const char *what, struct btf *base,
		      struct report *rp, struct btf **ret)
{
	struct layout l = {};
	struct reader rd;
	struct btf *btf;
	int r;

	reader_init(&rd, map, len, false, what, rp);
	r = read_header(&rd, base, &l);
	if (r < 0)
		return r;
	if (l.swap || l.hdr_len != sizeof(struct btf_header))
		return -EAGAIN;
	btf = btf_new();
	if (!btf)
		return report(rp, -ENOMEM, "%s: out of memory", what);
	btf->blob = map;
	btf->blob_len = len;
	r = btf_init(btf, what, &l, base, rp);
	if (r < 0) {
		btf->blob = NULL; /* still the caller's */
		btf_unref(btf);
		return r;
	}
	btf->mapped = true;
	*ret = btf;
	return 0;
}

struct btf *btf_ref(struct btf *btf)
{
	__atomic_add_fetch(&btf->refs, 1, __ATOMIC_RELAXED);
	return btf;
}

void btf_unref(struct btf *btf)
{
	/* A loop and not recursion for the base: its reference goes with the last of ours. */
	while (btf && __atomic_sub_fetch(&btf->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		struct btf *base = btf->base;

		btf_index_free(btf->index);
		pthread_mutex_destroy(&btf->index_lock);
		free(btf->offsets);
		if (btf->mapped)
			munmap((void *)btf->blob, btf->blob_len);
		else
			free((void *)btf->blob);
		free(btf);
		btf = base;
	}
}

bool btf_is_shared(const struct btf *btf)
{
	return __atomic_load_n(&btf->refs, __ATOMIC_ACQUIRE) > 1;
}

const void *btf_bytes(const struct btf *btf, size_t *ret_len)
{
	*ret_len = btf->blob_len;
	return btf->blob;
}

struct btf *btf_base(const struct btf *btf)
{
	return btf->base;
}

uint32_t btf_n_types(const struct btf *btf)
{
	return btf->end_id;
}

uint32_t btf_first_id(const struct btf *btf)
{
	return btf->first_id;
}

const struct btf_type *btf_type(const struct btf *btf, uint32_t id)
{
	assert(id < btf->end_id);
	if (!id)
		return &void_type;
	while (id < btf->first_id)
		btf = btf->base;
	return (const struct btf_type *)(btf->types + btf->offsets[id - btf->first_id]);
}

const char *btf_str(const struct btf *btf, uint32_t off)
{
	while (off < btf->first_str)
		btf = btf->base;
	off -= btf->first_str;
	return off < btf->strs_len ? btf->strs + off : "";
}

bool btf_has_str(const struct btf *btf, uint32_t off)
{
	return off < btf_end_str(btf);
}

bool btf_is_modifier(const struct btf_type *t)
{
	switch (btf_kind(t)) {
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_TYPE_TAG:
		return true;
	default:
		return false;
	}
}

uint32_t btf_skip_modifiers(const struct btf *btf, uint32_t id)
{
	for (unsigned i = 0; i < BTF_MAX_DEPTH; i++) {
		const struct btf_type *t = btf_type(btf, id);

		if (!btf_is_modifier(t))
			return id;
		id = t->type;
	}
	return 0;
}

int64_t btf_size(const struct btf *btf, uint32_t id)
{
	int64_t n = 1;

	for (unsigned depth = 0; depth < BTF_MAX_DEPTH; depth++) {
		const struct btf_type *t = btf_type(btf, id);
		int64_t size;

		switch (btf_kind(t)) {
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FLOAT:
		case BTF_KIND_DATASEC:
			size = t->size;
			break;
		case BTF_KIND_PTR:
			size = PTR_SIZE;
			break;
		case BTF_KIND_ARRAY:
			if (__builtin_mul_overflow(n, (int64_t)btf_array(t)->nelems, &n))
				return -E2BIG;
			id = btf_array(t)->type;
			continue;
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_TYPE_TAG:
		case BTF_KIND_VAR:
			id = t->type;
			continue;
		default:
			return -EINVAL;
		}
		return __builtin_mul_overflow(n, size, &n) ? -E2BIG : n;
	}
	return -E2BIG;
}

static uint32_t alignment(const struct btf *btf, uint32_t id, unsigned depth, unsigned *steps)
{
	const struct btf_type *t = btf_type(btf, id);
	uint32_t max = 1;

	for (unsigned i = 0;
	     btf_is_modifier(t) || btf_kind(t) == BTF_KIND_ARRAY || btf_kind(t) == BTF_KIND_VAR;
	     i++) {
		if (i == BTF_MAX_DEPTH)
			return 0;
		t = btf_type(btf, btf_kind(t) == BTF_KIND_ARRAY ? btf_array(t)->type : t->type);
	}
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FLOAT:
		/* An odd size (12-byte float) is aligned as its largest power of two. */
		return t->size ? MIN(t->size & -t->size, (uint32_t)PTR_SIZE) : 0;
	case BTF_KIND_PTR:
		return PTR_SIZE;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		break;
	default:
		return 0;
	}
	if (depth == BTF_MAX_DEPTH)
		return 0;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		uint32_t a;

		if (!--*steps)
			return 0;
		a = alignment(btf, btf_members(t)[i].type, depth + 1, steps);
		if (!a)
			return 0;
		/* A member that is not where its alignment wants it: the type is packed. */
		if (!btf_member_bits(t, i) && btf_member_bit_offset(t, i) % (8 * a))
			return 1;
		max = MAX(max, a);
	}
	return t->size % max ? 1 : max;
}

uint32_t btf_alignment(const struct btf *btf, uint32_t id)
{
	unsigned steps = ALIGN_STEPS;

	return alignment(btf, id, 0, &steps);
}

bool btf_is_char(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf_type(btf, id);

	for (unsigned i = 0; btf_is_modifier(t) && btf_kind(t) != BTF_KIND_TYPEDEF; i++) {
		if (i == BTF_MAX_DEPTH)
			return false;
		t = btf_type(btf, t->type);
	}
	return btf_kind(t) == BTF_KIND_INT && t->size == 1 && BTF_INT_BITS(btf_int_info(t)) == 8 &&
	       ((BTF_INT_ENCODING(btf_int_info(t)) & BTF_INT_CHAR) ||
		strcmp(btf_str(btf, t->name_off), "char") == 0);
}

const char *btf_kind_name(uint32_t kind)
{
	return kind < NR_BTF_KINDS ? kind_rules[kind].name : NULL;
}
