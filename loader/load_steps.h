/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* load_steps - the pieces of load_prepare() and load_programs(). All return 0, or -errno with a
 * sentence. */
#include "base/report.h"
#include "loader/load.h"

/* load_check() - refuse what cannot be loaded whatever the kernel thinks of it. */
int load_check(const struct object *obj, const struct load_config *cfg, struct report *rp);

/*
 * load_btf() - give the kernel the object's types
 *
 * Few things need them: if the kernel refuses them, a note says so and the
 * load goes on without.
 */
int load_btf(struct loaded *l, const struct load_config *cfg, struct report *rp);

/* load_maps() - create or reuse, fill, freeze and pin all maps; fill maps of maps. */
int load_maps(struct loaded *l, const struct load_config *cfg, struct report *rp);

/* load_code() - relocate the programs with autoload that have no code yet. */
int load_code(struct loaded *l, const struct load_config *cfg, struct report *rp);

/* load_hint() - how a sentence about an errno ends: what a person could do. "" if nothing. */
const char *load_hint(int err);

/* load_map_error() - the sentence for a map that the kernel did not take: @what happened to it. */
int load_map_error(struct report *rp, int err, const struct map_def *def, const char *what);
