/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/insn.h"
#include "loader/btf.h"
#include "loader/btf_ext.h"
#include "loader/core.h"
#include "loader/load_steps.h"

/*
 * Instructions of all programs of an object together. Each program has its own
 * copy of the subprograms that it calls: a small file could ask for much memory.
 */
enum { INSNS_TOTAL_MAX = 64 << 20 };

static int init_prog(const struct program *prog, struct prog_config *to)
{
	const struct section_rule *rule = prog->rule;

	to->autoload = prog->autoload;
	if (!rule)
		return 0;
	to->type = rule->prog_type;
	to->attach_type = rule->attach_type;
	to->flags = rule->flags;
	if ((rule->flags & SECTION_ATTACH_BTF) && prog->extra && *prog->extra) {
		to->attach_target = strdup(prog->extra);
		if (!to->attach_target)
			return -ENOMEM;
	}
	return 0;
}

static int copy_bytes(const uint8_t *from, uint32_t len, uint8_t **ret)
{
	if (!from)
		return 0;
	*ret = malloc(len ? len : 1);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, from, len);
	return 0;
}

static int copy_text(const char *from, char **ret)
{
	if (!from)
		return 0;
	*ret = strdup(from);
	return *ret ? 0 : -ENOMEM;
}

static int alloc_config(struct load_config *cfg, uint32_t n_maps, uint32_t n_progs)
{
	cfg->maps = calloc(n_maps ? n_maps : 1, sizeof(*cfg->maps));
	cfg->progs = calloc(n_progs ? n_progs : 1, sizeof(*cfg->progs));
	if (!cfg->maps || !cfg->progs)
		return -ENOMEM;
	cfg->n_maps = n_maps;
	cfg->n_progs = n_progs;
	for (uint32_t i = 0; i < n_maps; i++)
		cfg->maps[i].reuse_fd = -1;
	return 0;
}

int load_config_init(const struct object *obj, struct load_config *cfg)
{
	int r;

	*cfg = (struct load_config){};
	r = alloc_config(cfg, obj->n_maps, obj->n_programs);
	for (uint32_t i = 0; !r && i < obj->n_maps; i++) {
		cfg->maps[i].params = obj->maps[i].params;
		cfg->maps[i].autocreate = true;
		r = copy_bytes(obj->maps[i].image, obj->maps[i].params.value_size,
			       &cfg->maps[i].image);
	}
	for (uint32_t i = 0; !r && i < obj->n_programs; i++)
		r = init_prog(&obj->programs[i], &cfg->progs[i]);
	if (r < 0)
		load_config_deinit(cfg);
	return r;
}

int load_config_copy(const struct load_config *from, struct load_config *to)
{
	int r;

	*to = (struct load_config){};
	r = alloc_config(to, from->n_maps, from->n_progs);
	to->log_level = from->log_level;
	to->custom_btf = from->custom_btf ? btf_ref(from->custom_btf) : NULL;
	r = r ? r : copy_text(from->pin_root, &to->pin_root);
	for (uint32_t i = 0; !r && i < from->n_maps; i++) {
		const struct map_config *m = &from->maps[i];

		to->maps[i] = *m;
		to->maps[i].pin_path = NULL;
		to->maps[i].image = NULL;
		r = copy_text(m->pin_path, &to->maps[i].pin_path);
		r = r ? r : copy_bytes(m->image, m->params.value_size, &to->maps[i].image);
	}
	for (uint32_t i = 0; !r && i < from->n_progs; i++) {
		to->progs[i] = from->progs[i];
		to->progs[i].attach_target = NULL;
		r = copy_text(from->progs[i].attach_target, &to->progs[i].attach_target);
	}
	if (r < 0)
		load_config_deinit(to);
	return r;
}

void load_config_deinit(struct load_config *cfg)
{
	for (uint32_t i = 0; i < cfg->n_maps; i++) {
		free(cfg->maps[i].pin_path);
		free(cfg->maps[i].image);
	}
	for (uint32_t i = 0; i < cfg->n_progs; i++)
		free(cfg->progs[i].attach_target);
	free(cfg->maps);
	free(cfg->progs);
	free(cfg->pin_root);
	btf_unref(cfg->custom_btf);
	*cfg = (struct load_config){};
}

static int check_program(const struct program *prog, const char *elf_section,
			 const struct prog_config *cfg, struct report *rp)
{
	if (cfg->type == BPF_PROG_TYPE_STRUCT_OPS)
		return report(rp, -EOPNOTSUPP,
			      "program '%s' of section '%s': this loader does not load struct_ops",
			      prog->name, elf_section);
	if (cfg->type == BPF_PROG_TYPE_EXT)
		return report(
			rp, -EOPNOTSUPP,
			"program '%s' of section '%s': this loader does not replace functions of "
			"other programs",
			prog->name, elf_section);
	if (cfg->type == BPF_PROG_TYPE_UNSPEC)
		return report(rp, -EINVAL,
			      "program '%s': section '%s' says nothing that is known: set the "
			      "program's type, or do not load it",
			      prog->name, elf_section);
	return 0;
}

/* A program may name a function to run when it throws; that needs what we do not do yet. */
static int check_exceptions(const struct object *obj, const struct load_config *cfg,
			    struct report *rp)
{
	_cleanup_free_ uint8_t *loaded = NULL; /* of each type: is it a program to load? */

	if (!obj->btf)
		return 0;
	loaded = calloc(btf_n_types(obj->btf), sizeof(*loaded));
	if (!loaded)
		return report(rp, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < obj->n_programs; i++) {
		if (cfg->progs[i].autoload)
			loaded[btf_find(obj->btf, obj->programs[i].name, BTF_KIND_FUNC)] = 1;
	}
	loaded[0] = 0;
	btf_for_each_type (id, obj->btf) {
		const struct btf_type *t = btf_type(obj->btf, id);

		if (btf_kind(t) == BTF_KIND_DECL_TAG && loaded[t->type] &&
		    str_has_prefix(btf_str(obj->btf, t->name_off), "exception_callback:"))
			return report(rp, -EOPNOTSUPP,
				      "program '%s' has an exception callback, which this loader "
				      "does not know",
				      btf_type_name(obj->btf, t->type));
	}
	return 0;
}

int load_check(const struct object *obj, const struct load_config *cfg, struct report *rp)
{
	if (cfg->n_maps != obj->n_maps || cfg->n_progs != obj->n_programs)
		return report(rp, -EINVAL, "the configuration is of another object");
	if (obj->foreign)
		return report(rp, -EINVAL,
			      "the object is of the other byte order: it can be looked at, "
			      "not loaded on this machine");
	for (uint32_t i = 0; i < obj->n_programs; i++) {
		const struct program *prog = &obj->programs[i];
		int r;

		if (!cfg->progs[i].autoload)
			continue;
		r = check_program(prog, obj->functions[prog->function].section, &cfg->progs[i], rp);
		if (r < 0)
			return r;
	}
	return check_exceptions(obj, cfg, rp);
}

/* Kernels before 5.5 have one function for both address spaces. */
static void use_old_helpers(struct prog_code *code)
{
	for (uint32_t i = 0; i < code->n_insns; i++) {
		struct bpf_insn *insn = &code->insns[i];

		if (insn_is_ldimm64(insn)) {
			i++;
			continue;
		}
		if (!insn_is_helper_call(insn))
			continue;
		switch (insn->imm) {
		case BPF_FUNC_probe_read_kernel:
		case BPF_FUNC_probe_read_user:
			insn->imm = BPF_FUNC_probe_read;
			break;
		case BPF_FUNC_probe_read_kernel_str:
		case BPF_FUNC_probe_read_user_str:
			insn->imm = BPF_FUNC_probe_read_str;
			break;
		}
	}
}

static bool has_core_relocations(const struct object *obj)
{
	for (uint32_t i = 0; obj->btf_ext && i < obj->btf_ext->n_sections; i++) {
		if (obj->btf_ext->sections[i].n_cores)
			return true;
	}
	return false;
}

int load_code(struct loaded *l, const struct load_config *cfg, struct report *rp)
{
	_cleanup_(core_freep) struct core *core = NULL;
	_cleanup_free_ int *map_fds = calloc(l->n_maps ? l->n_maps : 1, sizeof(*map_fds));
	uint64_t total = 0;

	if (map_fds && has_core_relocations(l->obj))
		core = core_new(l->obj->btf, l->env->kernel_btf, cfg->custom_btf);
	if (!map_fds || (!core && has_core_relocations(l->obj)))
		return report(rp, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < l->n_maps; i++)
		map_fds[i] = l->maps[i].fd;
	for (uint32_t i = 0; i < l->n_progs; i++) {
		struct prog_code *code = &l->progs[i].code;
		int r;

		if (cfg->progs[i].autoload && !code->insns) {
			r = relocate_program(l->obj, i, map_fds, core, rp, code);
			if (r < 0)
				return r;
			if (!feature_has(l->env->features, FEATURE_PROBE_READ_KERN))
				use_old_helpers(code);
		}
		total += code->n_insns;
		if (total > INSNS_TOTAL_MAX)
			return report(rp, -E2BIG, "the object's programs have over %d instructions",
				      INSNS_TOTAL_MAX);
	}
	return 0;
}

static struct loaded *loaded_new(const struct object *obj, struct load_env *env)
{
	_cleanup_(loaded_freep) struct loaded *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->btf_fd = -1;
	l->env = env;
	l->obj = obj;
	l->maps = calloc(obj->n_maps ? obj->n_maps : 1, sizeof(*l->maps));
	l->progs = calloc(obj->n_programs ? obj->n_programs : 1, sizeof(*l->progs));
	if (!l->maps || !l->progs)
		return NULL;
	l->n_maps = obj->n_maps;
	l->n_progs = obj->n_programs;
	for (uint32_t i = 0; i < l->n_maps; i++)
		l->maps[i].fd = -1;
	for (uint32_t i = 0; i < l->n_progs; i++)
		l->progs[i].fd = l->progs[i].attach_btf_fd = -1;
	return take_ptr(l);
}

int load_prepare(const struct object *obj, const struct load_config *cfg, struct load_env *env,
		 struct report *rp, struct loaded **ret)
{
	_cleanup_(loaded_freep) struct loaded *l = NULL;
	int r = load_check(obj, cfg, rp);

	if (r < 0)
		return r;
	l = loaded_new(obj, env);
	if (!l)
		return report(rp, -ENOMEM, "out of memory");
	if (feature_raise_memlock(env->features) < 0)
		report_note(rp, REPORT_WARN,
			    "cannot raise the limit of locked memory, which this kernel "
			    "counts maps and programs by");
	r = load_btf(l, cfg, rp);
	r = r ? r : load_maps(l, cfg, rp);
	r = r ? r : load_code(l, cfg, rp);
	if (r < 0) {
		loaded_undo_pins(l, cfg);
		return r;
	}
	*ret = take_ptr(l);
	return 0;
}

void loaded_free(struct loaded *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; i < l->n_progs; i++) {
		closep(&l->progs[i].fd);
		closep(&l->progs[i].attach_btf_fd);
		prog_code_deinit(&l->progs[i].code);
		str_deinit(&l->progs[i].log);
	}
	for (uint32_t i = 0; i < l->n_maps; i++)
		closep(&l->maps[i].fd);
	closep(&l->btf_fd);
	btf_unref(l->btf);
	free(l->maps);
	free(l->progs);
	free(l);
}

const char *load_hint(int err)
{
	switch (-err) {
	case EPERM:
		return ": this needs CAP_BPF and, for most kinds, CAP_PERFMON or CAP_NET_ADMIN; on "
		       "kernels before 5.11 also a high 'ulimit -l'";
	case ENOMEM:
		return ": the memory limit of the control group counts it, too";
	case E2BIG:
		return ": this kernel is older than something that is asked for, or a size is too "
		       "large";
	default:
		return "";
	}
}
