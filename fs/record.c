/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/record.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/vec.h"
#include "fs/fs.h"
#include "fs/instance.h"
#include "fs/map_type.h"
#include "fs/maps.h"
#include "loader/btf.h"
#include "loader/btf_ext.h"
#include "loader/value.h"

/* What a record of one length is. */
struct by_len {
	uint32_t len;
	struct value_format *format; /* NULL: unknown */
	bool fits;
};

struct records {
	enum stream_format format;
	struct instance *inst; /* counted; whose object the map is of; NULL for a foreign one */
	struct btf *btf;       /* a reference; NULL: no types are known */
	char *written;	       /* record_type as it was when the stream was opened; NULL: nothing */
	uint32_t declared;     /* type that the map's definition declares; 0: none */
	VEC(struct by_len) known;
};

/* One "TYPE" or "TYPE SIZE" of record_type. */
struct choice {
	char name[256];
	uint64_t size;
	bool sized;
};

/* Take the next choice off @text. 1: got one; 0: none left; -EINVAL. */
static int next_choice(const char **text, struct choice *ret, struct report *rp)
{
	const char *p = *text + strspn(*text, " \t;"), *end = p + strcspn(p, ";");
	const char *stop = end, *word;
	char number[24];

	if (!*p)
		return 0;
	*text = end;
	while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	/* A last word of digits is the size. */
	for (word = stop; word > p && word[-1] != ' ' && word[-1] != '\t'; word--)
		;
	ret->sized = word > p && *word >= '0' && *word <= '9';
	if (ret->sized) {
		snprintf(number, sizeof(number), "%.*s", (int)(stop - word), word);
		if (parse_u64(number, &ret->size) < 0)
			return report(rp, -EINVAL, "'%s' is no size in bytes", number);
		for (stop = word; stop > p && (stop[-1] == ' ' || stop[-1] == '\t'); stop--)
			;
	}
	if (stop == p || stop - p >= (ptrdiff_t)sizeof(ret->name))
		return report(
			rp, -EINVAL,
			"record_type wants types: 'struct event', or 'struct a 16; struct b 64'");
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(stop - p), p);
	return 1;
}

/* "struct event", "event", "union u", "enum e", "int": 0 if there is none. */
static uint32_t find_type(const struct btf *btf, const char *name)
{
	static const struct {
		const char *prefix;
		uint32_t kinds[3];
	} forms[] = { { "struct ", { BTF_KIND_STRUCT } },
		      { "union ", { BTF_KIND_UNION } },
		      { "enum ", { BTF_KIND_ENUM, BTF_KIND_ENUM64 } },
		      { "", { BTF_KIND_STRUCT, BTF_KIND_TYPEDEF, BTF_KIND_INT } },
		      { "", { BTF_KIND_UNION, BTF_KIND_ENUM, BTF_KIND_FLOAT } } };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *rest = name + strlen(forms[i].prefix);

		if (!str_has_prefix(name, forms[i].prefix))
			continue;
		rest += strspn(rest, " \t");
		for (size_t k = 0; k < 3 && forms[i].kinds[k]; k++) {
			uint32_t id = btf_find(btf, rest, forms[i].kinds[k]);

			if (id)
				return id;
		}
	}
	return 0;
}

static int no_such_type(const struct btf *btf, const char *name, struct report *rp)
{
	const char *bare = strrchr(name, ' '), *close = NULL;
	unsigned best = 3;

	bare = bare ? bare + 1 : name;
	btf_for_each_type (id, btf) {
		const char *other = btf_type_name(btf, id);
		unsigned d = *other && btf_is_composite(btf_type(btf, id))
				     ? edit_distance(bare, other, 2)
				     : 3;

		if (d < best) {
			best = d;
			close = other;
		}
	}
	return close ? report(rp, -ENOENT, "the object has no type '%s'; close: struct %s", name,
			      close)
		     : report(rp, -ENOENT, "the object has no type '%s'", name);
}

int record_types_check(const struct btf *btf, const char *text, struct report *rp)
{
	struct choice c;
	int r, n = 0;

	while ((r = next_choice(&text, &c, rp)) == 1) {
		struct value_format *f = NULL;
		uint32_t id = find_type(btf, c.name);

		if (!id)
			return no_such_type(btf, c.name, rp);
		r = value_compile(btf, id, rp, &f);
		if (!r && c.sized && !value_format_fits(f, c.size))
			r = report(rp, -EINVAL, "%s has %zu bytes, not %llu", c.name,
				   value_format_size(f), (unsigned long long)c.size);
		value_format_free(f);
		if (r < 0)
			return r;
		n++;
	}
	if (!r && !n)
		return report(rp, -EINVAL, "record_type wants a type, like 'struct event'");
	return r;
}

/* What was written to record_type, read again for one length. 0: nothing is said of it. */
static uint32_t written_type(const struct btf *btf, const char *text, uint32_t len)
{
	struct choice c;
	uint32_t unsized = 0;

	while (next_choice(&text, &c, NULL) == 1) {
		if (c.sized && c.size == len)
			return find_type(btf, c.name);
		if (!c.sized)
			unsized = find_type(btf, c.name);
	}
	return unsized;
}

/* Is the struct something else than a record: the kernel's, or a map's key or value? */
static bool accounted_for(const struct object *obj, uint32_t id)
{
	for (uint32_t i = 0; obj->btf_ext && i < obj->btf_ext->n_sections; i++) {
		const struct ext_section *sec = &obj->btf_ext->sections[i];

		for (uint32_t k = 0; k < sec->n_cores; k++)
			if (btf_skip_modifiers(obj->btf, sec->cores[k].type_id) == id)
				return true;
	}
	for (uint32_t i = 0; i < obj->n_maps; i++)
		if (btf_skip_modifiers(obj->btf, obj->maps[i].key_type) == id ||
		    btf_skip_modifiers(obj->btf, obj->maps[i].value_type) == id)
			return true;
	return false;
}

/* Does anything but a plain definition name the struct: a program's context, say? */
static bool is_parameter(const struct btf *btf, uint32_t id)
{
	btf_for_each_type (i, btf) {
		const struct btf_type *t = btf_type(btf, i);

		if (btf_kind(t) != BTF_KIND_FUNC_PROTO)
			continue;
		for (uint32_t p = 0; p < btf_vlen(t); p++) {
			uint32_t type = btf_skip_modifiers(btf, btf_params(t)[p].type);

			if (btf_kind(btf_type(btf, type)) == BTF_KIND_PTR &&
			    btf_skip_modifiers(btf, btf_type(btf, type)->type) == id)
				return true;
		}
	}
	return false;
}

/* The one struct that can only be this ring's record. 0: none, or more than one. */
static uint32_t inferred_type(const struct object *obj, uint32_t len)
{
	uint32_t found = 0;

	btf_for_each_type (id, obj->btf) {
		const struct btf_type *t = btf_type(obj->btf, id);

		if (btf_kind(t) != BTF_KIND_STRUCT || t->size != len || !t->name_off ||
		    !btf_vlen(t) || accounted_for(obj, id) || is_parameter(obj->btf, id))
			continue;
		if (found)
			return 0;
		found = id;
	}
	return found;
}

static uint32_t type_of_len(const struct records *r, uint32_t len)
{
	uint32_t id = r->written ? written_type(r->btf, r->written, len) : 0;

	if (!id)
		id = r->declared;
	return id || !r->inst ? id : inferred_type(r->inst->parsed, len);
}

static const struct by_len *format_of(struct records *r, uint32_t len)
{
	struct by_len one = { .len = len };
	uint32_t id;

	vec_for_each (k, &r->known) {
		if (k->len == len)
			return k;
	}
	id = r->btf ? type_of_len(r, len) : 0;
	if (id && value_compile(r->btf, id, NULL, &one.format) == 0)
		one.fits = value_format_fits(one.format, len);
	/* Hostile lengths must not grow this without bound: forget and begin again. */
	if (r->known.len >= 256) {
		vec_for_each (k, &r->known)
			value_format_free(k->format);
		r->known.len = 0;
	}
	if (vec_push(&r->known, one) < 0) {
		value_format_free(one.format);
		return NULL;
	}
	return &r->known.data[r->known.len - 1];
}

int records_new(struct fs *fs, const struct subject *map, const struct bpf_map_info *info,
		enum stream_format format, struct records **ret)
{
	struct records *r = calloc(1, sizeof(*r));
	struct map_type type;
	int err;

	if (!r)
		return -ENOMEM;
	r->format = format;
	err = map_type_get(fs, map, info, &type);
	if (err < 0) {
		free(r);
		return err;
	}
	r->btf = type.btf ? btf_ref(type.btf) : NULL;
	r->declared = type.record;
	map_type_deinit(&type);
	r->written = map_record_type(fs, map);
	pthread_mutex_lock(&fs->lock);
	if (map->inst && map->inst->parsed && map->inst->parsed->btf == r->btf)
		r->inst = instance_ref(map->inst);
	pthread_mutex_unlock(&fs->lock);
	*ret = r;
	return 0;
}

void records_free(struct records *r)
{
	if (!r)
		return;
	vec_for_each (k, &r->known)
		value_format_free(k->format);
	vec_deinit(&r->known);
	btf_unref(r->btf);
	instance_unref(r->inst);
	free(r->written);
	free(r);
}

static void add_json(const struct by_len *k, const void *data, uint32_t len, struct str *out)
{
	/* Every line is an object, whatever the record's type is. */
	if (k && k->fits) {
		size_t before = out->len;

		value_print(k->format, VALUE_JSON, data, len, out);
		if (out->failed || (out->len > before && out->data[before] == '{'))
			return;
		str_truncate(out, before);
		str_add(out, "{\"value\":");
		value_print(k->format, VALUE_JSON, data, len, out);
		str_add_char(out, '}');
		return;
	}
	str_add(out, "{\"data\":");
	value_print_bytes(VALUE_JSON, data, len, out);
	if (k && k->format) {
		char why[160];

		/* The type's name is the object's: it may hold anything. */
		snprintf(why, sizeof(why), "%u bytes do not fit %s of %zu", len,
			 value_format_name(k->format), value_format_size(k->format));
		str_add(out, ",\"error\":");
		str_add_json(out, why, strlen(why));
	}
	str_add_char(out, '}');
}

void record_add(struct records *r, const void *data, uint32_t len, struct str *out)
{
	const struct by_len *k;
	uint32_t le = htole32(len);

	if (r->format == STREAM_FRAMES) {
		str_add_mem(out, &le, sizeof(le));
		str_add_mem(out, data, len);
		return;
	}
	k = format_of(r, len);
	if (r->format == STREAM_JSON) {
		add_json(k, data, len, out);
	} else if (k && k->fits) {
		value_print(k->format, VALUE_TEXT, data, len, out);
	} else {
		value_print_bytes(VALUE_TEXT, data, len, out);
		if (k && k->format)
			str_printf(out, " [%u bytes do not fit %s of %zu]", len,
				   value_format_name(k->format), value_format_size(k->format));
	}
	str_add_char(out, '\n');
}

void record_add_lost(struct records *r, uint64_t n, struct str *out)
{
	struct {
		uint32_t mark;
		uint64_t n;
	} __attribute__((packed)) frame = { 0xffffffff, htole64(n) };

	switch (r->format) {
	case STREAM_JSON:
		str_printf(out, "{\"lost\":%llu}\n", (unsigned long long)n);
		break;
	case STREAM_TEXT:
		str_printf(out, "[LOST %llu]\n", (unsigned long long)n);
		break;
	case STREAM_FRAMES:
		str_add_mem(out, &frame, sizeof(frame));
		break;
	case STREAM_RAW:
		break;
	}
}
