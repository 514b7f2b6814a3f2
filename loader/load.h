/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * load - bring an object into the kernel, in two steps.
 *
 *	object_parse()  ->  struct object       what the file says
 *	load_config_init()  struct load_config  what a user may change of it
 *	load_prepare()  ->  struct loaded       BTF loaded, maps made, code relocated
 *	load_programs()                         programs verified
 *
 * Each step either does all or leaves nothing in the kernel. A struct loaded is
 * all descriptors that the object has; loaded_free() closes them and the kernel
 * drops what nobody else holds. Links are not its business.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "base/str.h"
#include "bpf/feature.h"
#include "loader/object.h"
#include "loader/relocate.h"

struct kernel_btf;

struct map_config {
	struct map_params params;
	bool autocreate;
	/*
	 * Reuse what is pinned there, or create and pin. NULL: below pin_root if the
	 * object says pin by name, else no pin. "": no pin.
	 */
	char *pin_path;
	int reuse_fd;	/* use this map instead of creating one (not closed); -1: create */
	uint8_t *image; /* data sections: initial bytes, params.value_size of them; NULL: zeros */
};

struct prog_config {
	bool autoload;
	uint32_t type, attach_type;
	unsigned flags;	     /* enum section_flags that matter to loading */
	char *attach_target; /* for SECTION_ATTACH_BTF: function, hook or [module:]name; NULL: none
			      */
	uint32_t log_level;  /* 0: log only what fails */
};

struct load_config {
	struct map_config *maps;   /* one for each obj->maps */
	struct prog_config *progs; /* one for each obj->programs */
	uint32_t n_maps, n_progs;
	uint32_t log_level;	/* for BTF, and for programs that set none */
	char *pin_root;		/* for maps with pin_by_name; NULL: "/sys/fs/bpf" */
	struct btf *custom_btf; /* instead of the kernel's, for CO-RE; NULL: none. A reference. */
};

/* load_config_init() - as the object says. 0 or -ENOMEM. */
int load_config_init(const struct object *obj, struct load_config *cfg);
/* load_config_copy() - so that a user may go on changing @from meanwhile. */
int load_config_copy(const struct load_config *from, struct load_config *to);
void load_config_deinit(struct load_config *cfg);

/* What loading needs of the world; shared by all objects, outlives them. */
struct load_env {
	struct feature *features;
	struct kernel_btf *kernel_btf;
};

struct loaded_map {
	int fd; /* -1: not created */
	uint32_t id;
	struct map_params params; /* as the kernel has it (rounded sizes) */
	bool reused;		  /* of somebody else: not filled, not unpinned on failure */
	bool pinned_here;	  /* we made the pin at its pin_path */
	bool pin_dir_made;	  /* and the directory for it */
};

struct loaded_prog {
	int fd; /* -1: not loaded */
	uint32_t id;
	struct prog_code code; /* insns as given to the verifier */
	struct str log;	       /* what the verifier said */
	uint32_t attach_btf_id;
	int attach_btf_fd; /* module BTF that it is in; -1: vmlinux */
};

struct loaded {
	struct loaded_map *maps;
	struct loaded_prog *progs;
	uint32_t n_maps, n_progs;
	int btf_fd;	 /* -1: none */
	struct btf *btf; /* types as the kernel has them; NULL: none. A reference. */
	struct load_env *env;
	const struct object *obj; /* outlives it */
};

/**
 * load_prepare() - all that comes before the verifier
 * @cfg: copied where it is kept
 *
 * Return: 0; -EINVAL (sentence) if object or configuration cannot be loaded, of
 * a foreign byte order for example; else the kernel's errno. On failure nothing
 * of it is left in the kernel, pins included.
 */
int load_prepare(const struct object *obj, const struct load_config *cfg, struct load_env *env,
		 struct report *rp, struct loaded **ret);

/**
 * load_programs() - verify and load every program with autoload
 *
 * On failure: the first errno that the kernel gave; rp->prog, insn and source
 * say where the verifier stopped, the sentence says why in its own last words
 * or better (a poisoned CO-RE relocation or missing map is named). The logs of all
 * programs tried stay in @l. The caller then frees @l: a failed load is final.
 */
int load_programs(struct loaded *l, const struct load_config *cfg, struct report *rp);

/* loaded_free() - close everything. Pins stay, except with loaded_undo_pins() before. */
void loaded_free(struct loaded *l);
DEFINE_CLEANUP(struct loaded, loaded_free)
/* loaded_undo_pins() - remove the pins that this load made; @cfg is what load_prepare() had. */
void loaded_undo_pins(struct loaded *l, const struct load_config *cfg);

/**
 * verifier_summary() - what a verifier log says, in one sentence
 * @log:      as the kernel wrote it
 * @ret_insn: instruction at which it stopped, -1 if it does not say
 * @source:   last "; source line" before that, "" if there is none
 *
 * Picks the line that says why: not the statistics at the end. "" and -1 if the
 * log says nothing.
 */
void verifier_summary(const char *log, char *sentence, size_t sentence_size, int32_t *ret_insn,
		      char *source, size_t source_size);
