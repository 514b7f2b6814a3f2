/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * record - how one record of a ring looks in each of the four stream formats.
 *
 * The type of a record is, in this order: what was written to record_type, the
 * value type that the map's definition declares, and what the object itself
 * tells: the one named struct of just this size that nothing else accounts for
 * (no kernel type of a CO-RE relocation, no map's key or value). Otherwise it
 * is shown as hex: never a guess.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "base/str.h"
#include "fs/entry.h"

struct bpf_map_info;
struct btf;
struct fs;
struct records;

/**
 * records_new() - the formatter of one open of a stream
 *
 * What record_type says is taken now. Return: 0; -ENOMEM.
 */
int records_new(struct fs *fs, const struct subject *map, const struct bpf_map_info *info,
		enum stream_format format, struct records **ret);
void records_free(struct records *r);
DEFINE_CLEANUP(struct records, records_free)

/* Add a record, with its newline or length. Not for STREAM_RAW, which is a plain copy. */
void record_add(struct records *r, const void *data, uint32_t len, struct str *out);
/* Add "so many were lost" (nothing for STREAM_RAW). */
void record_add_lost(struct records *r, uint64_t n, struct str *out);

/**
 * record_types_check() - may this be written to record_type?
 * @text: "struct event", "event", or "struct a 16; struct b 64" (by size in bytes)
 *
 * Return: 0; -EINVAL bad syntax; -ENOENT no such type in @btf (sentence with close names).
 */
int record_types_check(const struct btf *btf, const char *text, struct report *rp);
