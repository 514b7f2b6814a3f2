/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump, dump.json, dump.bin: all elements of a map, a chunk of them at a time.
 *
 * Elements are fetched in batches where the kernel can; else key by key. Both walk
 * a map that changes meanwhile. Going from key to key has a trap: next of a key that was
 * deleted is the *first* key, so a walk through a busy map might never end. A
 * batch of a hash names a bucket and does not fall for that; key by key the walk
 * ends at the latest when as many elements were seen as the map can have.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/kmap.h"
#include "bpf/names.h"
#include "fs/fs.h"
#include "fs/map_type.h"
#include "fs/maps.h"

enum {
	CHUNK_BYTES = 64 << 10,	    /* what a batch usually has */
	CHUNK_BYTES_MAX = 4 << 20,  /* when one bucket does not fit into that */
	VALUE_BYTES_MAX = 64 << 20, /* of one element, all CPUs */
	WALK_MAX = 16 << 20,	    /* elements of a map that has no limit of its own */
};

struct dump {
	int fd;
	enum map_dump_format format;
	struct map_type type;
	uint32_t map_type, key_size, value_size; /* a CPU's value */
	uint64_t value_bytes;			 /* of an element: all CPUs' */
	uint32_t n_cpus;			 /* 0: not per CPU */
	uint64_t limit;

	uint8_t *keys, *values; /* room for @room elements */
	uint32_t room;
	uint32_t n, next; /* in them, and the one to print next */

	bool batch;
	uint8_t *token[2]; /* of batches: where this one began, where the next begins */
	bool has_token;
	uint8_t *last, *first; /* keys, key by key */
	bool has_last, has_first;

	uint64_t seen, printed;
	bool walked; /* there is no more to fetch */
	bool done;
};

static void dump_free(struct dump *d)
{
	if (!d)
		return;
	closep(&d->fd);
	map_type_deinit(&d->type);
	free(d->keys);
	free(d->values);
	free(d->token[0]);
	free(d->token[1]);
	free(d->last);
	free(d->first);
	free(d);
}
DEFINE_CLEANUP(struct dump, dump_free)

/* Why the elements of a map cannot be shown; NULL if they can. */
static const char *refusal(uint32_t type)
{
	switch (type) {
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		return "the kernel lets nobody look at it but for its next element";
	case BPF_MAP_TYPE_RINGBUF:
		return "its records are in stream/";
	case BPF_MAP_TYPE_USER_RINGBUF:
	case ABI_MAP_TYPE_ARENA:
		return "it has no elements";
	case BPF_MAP_TYPE_BLOOM_FILTER:
		return "it can be asked for a value but not listed";
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		return "the kernel does not tell what is in it";
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case ABI_MAP_TYPE_CGRP_STORAGE:
		return "the kernel does not list what has an element of it";
	default:
		return NULL;
	}
}

static int set_room(struct dump *d, uint64_t bytes)
{
	uint64_t element = d->key_size + d->value_bytes;
	uint64_t room = MAX(bytes / element, (uint64_t)1);
	uint8_t *keys, *values;

	room = MIN(room, (uint64_t)UINT32_MAX);
	keys = realloc(d->keys, room * d->key_size);
	if (keys)
		d->keys = keys;
	values = realloc(d->values, room * d->value_bytes);
	if (values)
		d->values = values;
	if (!keys || !values)
		return -ENOMEM;
	d->room = room;
	return 0;
}

bool map_dumpable(uint32_t type)
{
	return !refusal(type);
}

static int check_map(const struct bpf_map_info *info, struct report *rp)
{
	const char *name = map_type_name(info->type), *why = refusal(info->type);

	if (!why && info->value_size != 8 &&
	    (info->type == BPF_MAP_TYPE_SOCKMAP || info->type == BPF_MAP_TYPE_SOCKHASH))
		why = "the kernel tells of its sockets only if value_size is 8";
	if (!why && (!info->key_size || !info->value_size))
		why = "it has no elements with key and value";
	if (why)
		return report(rp, -EOPNOTSUPP, "map %u is of type %s: %s", info->id,
			      name ? name : "unknown", why);
	return 0;
}

static int dump_open(struct call *c, void **ret_state)
{
	_cleanup_(dump_freep) struct dump *d = calloc(1, sizeof(*d));
	struct bpf_map_info info;
	uint32_t token;
	int r;

	if (!d)
		return -ENOMEM;
	d->fd = subject_open(c->fs, c->self, c->rp);
	if (d->fd < 0)
		return d->fd;
	r = kmap_info(d->fd, &info);
	if (r < 0)
		return report(c->rp, r, "map %u: no information: %s", c->self->id, strerror(-r));
	r = check_map(&info, c->rp);
	if (r < 0)
		return r;
	d->format = c->entry->arg;
	d->map_type = info.type;
	d->key_size = info.key_size;
	d->value_size = info.value_size;
	if (kmap_is_percpu(info.type)) {
		r = possible_cpus();
		if (r < 0)
			return report(c->rp, r, "cannot tell how many CPUs there are");
		d->n_cpus = r;
	}
	d->value_bytes = kmap_value_bytes(info.type, info.value_size, d->n_cpus);
	if (d->value_bytes > VALUE_BYTES_MAX)
		return report(c->rp, -EFBIG, "map %u: one element is %llu bytes, over %u MiB",
			      info.id, (unsigned long long)d->value_bytes, VALUE_BYTES_MAX >> 20);
	d->limit = info.max_entries ? info.max_entries : WALK_MAX;
	if (d->format != MAP_DUMP_RAW) {
		r = map_type_get(c->fs, c->self, &info, &d->type);
		if (r < 0)
			return r;
	}
	token = MAX(d->key_size, 4u);
	d->token[0] = calloc(1, token);
	d->token[1] = calloc(1, token);
	d->last = calloc(1, d->key_size);
	d->first = calloc(1, d->key_size);
	if (!d->token[0] || !d->token[1] || !d->last || !d->first)
		return -ENOMEM;
	/* Tried first on every type: the kernel says what it cannot. */
	d->batch = true;
	r = set_room(d, CHUNK_BYTES);
	if (r < 0)
		return r;
	*ret_state = take_ptr(d);
	return 0;
}

/* 0: @n elements are there, or batches are over and the walk goes on key by key. */
static int fetch_batch(struct dump *d)
{
	for (;;) {
		uint32_t count = d->room;
		uint8_t *swap = d->token[0];
		int r = kmap_lookup_batch(d->fd, d->has_token ? d->token[0] : NULL, d->token[1],
					  d->keys, d->values, &count);

		if (r == -ENOSPC &&
		    (uint64_t)d->room * (d->key_size + d->value_bytes) < CHUNK_BYTES_MAX) {
			r = set_room(d, 2ull * d->room * (d->key_size + d->value_bytes));
			if (r < 0)
				return r;
			continue;
		}
		if (r < 0 && r != -ENOENT) {
			d->batch = false;
			return 0;
		}
		d->n = MIN(count, d->room);
		d->walked = r == -ENOENT;
		d->token[0] = d->token[1];
		d->token[1] = swap;
		d->has_token = true;
		if (d->n) {
			memcpy(d->last, d->keys + (size_t)(d->n - 1) * d->key_size, d->key_size);
			d->has_last = true;
		}
		return 0;
	}
}

static int fetch_one(struct dump *d, struct report *rp)
{
	while (!d->walked && !d->n) {
		int r = kmap_next_key(d->fd, d->has_last ? d->last : NULL, d->keys);

		if (r == -ENOENT || d->seen >= d->limit ||
		    (!r && d->has_first && !memcmp(d->keys, d->first, d->key_size))) {
			d->walked = true;
			break;
		}
		if (r < 0)
			return report(rp, r, "cannot walk the keys of the map: %s", strerror(-r));
		d->seen++;
		if (!d->has_first && !d->has_last)
			memcpy(d->first, d->keys, d->key_size);
		d->has_first |= !d->has_last;
		memcpy(d->last, d->keys, d->key_size);
		d->has_last = true;
		r = kmap_lookup(d->fd, d->keys, d->values, 0);
		/* An empty slot, or deleted since: no element. */
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return report(rp, r, "cannot read an element of a map of type %s: %s",
				      map_type_name(d->map_type), strerror(-r));
		d->n = 1;
	}
	return 0;
}

static int fetch(struct dump *d, struct report *rp)
{
	int r = 0;

	d->n = d->next = 0;
	while (!r && !d->walked && !d->n)
		r = d->batch ? fetch_batch(d) : fetch_one(d, rp);
	return r;
}

static void print_text(const struct dump *d, const uint8_t *key, const uint8_t *value,
		       struct str *out)
{
	size_t stride = align_up(d->value_size, 8);

	map_type_print_key(&d->type, VALUE_TEXT, key, out);
	str_add_char(out, ':');
	if (!d->n_cpus) {
		str_add_char(out, ' ');
		map_type_print_value(&d->type, VALUE_TEXT, value, false, out);
	}
	for (uint32_t cpu = 0; cpu < d->n_cpus; cpu++) {
		str_printf(out, " cpu%u=", cpu);
		map_type_print_value(&d->type, VALUE_TEXT, value + cpu * stride, true, out);
	}
	str_add_char(out, '\n');
}

static void print_json(const struct dump *d, const uint8_t *key, const uint8_t *value,
		       struct str *out)
{
	size_t stride = align_up(d->value_size, 8);

	str_add(out, d->printed ? ",\n{\"key\":" : "[\n{\"key\":");
	map_type_print_key(&d->type, VALUE_JSON, key, out);
	if (!d->n_cpus) {
		str_add(out, ",\"value\":");
		map_type_print_value(&d->type, VALUE_JSON, value, false, out);
		str_add_char(out, '}');
		return;
	}
	str_add(out, ",\"values\":[");
	for (uint32_t cpu = 0; cpu < d->n_cpus; cpu++) {
		str_printf(out, "%s{\"cpu\":%u,\"value\":", cpu ? "," : "", cpu);
		map_type_print_value(&d->type, VALUE_JSON, value + cpu * stride, false, out);
		str_add_char(out, '}');
	}
	str_add(out, "]}");
}

static void print_element(const struct dump *d, uint32_t i, struct str *out)
{
	const uint8_t *key = d->keys + (size_t)i * d->key_size;
	const uint8_t *value = d->values + (size_t)i * d->value_bytes;

	switch (d->format) {
	case MAP_DUMP_TEXT:
		print_text(d, key, value, out);
		break;
	case MAP_DUMP_JSON:
		print_json(d, key, value, out);
		break;
	case MAP_DUMP_RAW:
		str_add_mem(out, key, d->key_size);
		str_add_mem(out, value, d->value_bytes);
		break;
	}
}

static int dump_fill(void *state, struct str *out, size_t want, struct report *rp)
{
	struct dump *d = state;
	int r;

	while (!d->done && (!out->len || out->len < want)) {
		if (d->next == d->n) {
			r = d->walked ? 0 : fetch(d, rp);
			if (r < 0)
				return r;
		}
		if (d->next < d->n) {
			print_element(d, d->next++, out);
			d->printed++;
			continue;
		}
		if (d->format == MAP_DUMP_JSON)
			str_add(out, d->printed ? "\n]\n" : "[]\n");
		d->done = true;
	}
	return !d->done;
}

static void dump_close(void *state)
{
	dump_free(state);
}

const struct cursor_ops map_dump_cursor = { dump_open, dump_fill, dump_close };
