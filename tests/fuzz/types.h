/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * types - BTF that an input describes: records are whole, what they say is hostile.
 *
 * Bytes of an input that is cut up blindly seldom pass btf_parse(). Here each choice
 * takes a byte or two: kind, name (of a few, so that names meet), sizes, ids; so
 * most inputs give types, among them circles, overlaps and absurd sizes.
 */
#include "loader/btf.h"
#include "tests/fuzz/fuzz.h"
#include "tests/gen/btf_gen.h"

enum { TYPES_MAX = 60 };

/* Add the types that @in describes to @g, up to its end or TYPES_MAX. */
void types_add(struct btf_gen *g, struct input *in);
/* Finish @g, parse the blob and free @g. NULL if it was refused. */
struct btf *types_finish(struct btf_gen *g);
