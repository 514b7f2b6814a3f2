/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * map_type - the types of a map's keys, values and records, and printing by them.
 *
 * For a map of ours they come from the object, as long as it is there; for others
 * from the BTF that the kernel holds for the map. What is known from the map's type alone is
 * used where there is no BTF: indices of arrays, ids in maps of programs and of
 * maps, interfaces in maps of devices are numbers. All else without a type is hex.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/report.h"
#include "base/str.h"
#include "bpf/abi.h"
#include "fs/subject.h"
#include "loader/value.h"

struct btf;
struct fs;

/* A variable of a data section's map. */
struct map_var {
	char *name;
	uint32_t offset, size;
	struct value_format *format;
	bool braces; /* a struct or union: wants braces in text */
};

struct map_type {
	struct btf *btf; /* a reference; NULL: nothing is known */
	/* Ids in @btf; 0: not known. The value of a data section is its DATASEC. */
	uint32_t key, value, record;
	/* NULL: not known, or not of the size that the map has. */
	struct value_format *key_format, *value_format;
	bool value_braces;
	bool key_is_u32, value_is_u32; /* known by the map's type */
	uint32_t key_size, value_size;
	/* The value is a data section: its variables by offset. */
	char *section;
	struct map_var *vars;
	uint32_t n_vars;
};

/**
 * map_type_get() - find out
 * @self: the map
 * @info: what the kernel says of it; NULL for one of ours that is not created yet
 *        (then sizes are not compared)
 *
 * A type that is missing, malformed or of another size is no failure.
 * Return: 0 and something for map_type_deinit(); -ENOMEM.
 */
int map_type_get(struct fs *fs, const struct subject *self, const struct bpf_map_info *info,
		 struct map_type *ret);
void map_type_deinit(struct map_type *t);

/* @key is key_size bytes, @value value_size: one CPU's. */
void map_type_print_key(const struct map_type *t, enum value_style style, const void *key,
			struct str *out);
/* @braces: text of a struct is put in braces, because something follows. */
void map_type_print_value(const struct map_type *t, enum value_style style, const void *value,
			  bool braces, struct str *out);
