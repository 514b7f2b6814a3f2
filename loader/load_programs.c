/* SPDX-License-Identifier: BSD-2-Clause */
/* load_programs - have the verifier look at each program, and say what it found. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "bpf/kmap.h"
#include "bpf/kprog.h"
#include "loader/attach_btf.h"
#include "loader/btf.h"
#include "loader/core.h"
#include "loader/load_steps.h"

/* Bits of prog_flags that installed headers may not have. */
enum { PROG_SLEEPABLE = 1 << 4, PROG_XDP_FRAGS = 1 << 5 };

static uint32_t pack_version(unsigned a, unsigned b, unsigned c)
{
	return a << 16 | b << 8 | (c > 255 ? 255 : c);
}

/* What kernels before 5.0 want to read of themselves in kprobe programs. */
static uint32_t running_version(void)
{
	unsigned a = 0, b = 0, c = 0;
	const char *debian;
	struct utsname uts;
	FILE *f = fopen("/proc/version_signature", "re");

	if (f) {
		/* Ubuntu: "Ubuntu 4.15.0-20.21-generic 4.15.17" */
		int n = fscanf(f, "%*s %*s %u.%u.%u", &a, &b, &c);

		fclose(f);
		if (n == 3)
			return pack_version(a, b, c);
	}
	if (uname(&uts) < 0)
		return 0;
	/* Debian: the release ends in the ABI's number, the version has the kernel's. */
	debian = strstr(uts.version, "Debian ");
	if (debian && sscanf(debian, "Debian %u.%u.%u", &a, &b, &c) == 3)
		return pack_version(a, b, c);
	c = 0;
	return sscanf(uts.release, "%u.%u.%u", &a, &b, &c) >= 2 ? pack_version(a, b, c) : 0;
}

/* What it hangs on, for those that must say it now. */
static int find_target(struct loaded *l, const struct load_config *cfg, uint32_t i,
		       struct report *rp)
{
	const struct prog_config *pc = &cfg->progs[i];
	struct loaded_prog *prog = &l->progs[i];

	if (!pc->attach_target && !(pc->flags & SECTION_ATTACH_BTF))
		return 0;
	if (!pc->attach_target)
		return report(rp, -EINVAL,
			      "program '%s' must know what it hangs on to be loaded: write its "
			      "attach_target, or name it in SEC(\"%s/…\")",
			      l->obj->programs[i].name, l->obj->programs[i].section);
	return attach_btf_find(l->env->kernel_btf, l->obj->programs[i].name, pc->attach_type,
			       pc->attach_target, rp, &prog->attach_btf_id, &prog->attach_btf_fd);
}

static struct kprog_spec make_spec(const struct loaded *l, const struct load_config *cfg,
				   uint32_t i)
{
	const struct prog_config *pc = &cfg->progs[i];
	const struct loaded_prog *prog = &l->progs[i];
	struct kprog_spec spec = {
		.type = pc->type,
		.expected_attach_type = pc->attach_type,
		.insns = prog->code.insns,
		.n_insns = prog->code.n_insns,
		.license = l->obj->license,
		.kern_version = l->obj->kern_version ? l->obj->kern_version : running_version(),
		.flags = (pc->flags & SECTION_SLEEPABLE ? PROG_SLEEPABLE : 0) |
			 (pc->flags & SECTION_XDP_FRAGS ? PROG_XDP_FRAGS : 0),
		.attach_btf_id = prog->attach_btf_id,
		.attach_btf_obj_fd = prog->attach_btf_fd < 0 ? 0 : prog->attach_btf_fd,
		.log_level = pc->log_level ? pc->log_level : cfg->log_level,
	};

	if (feature_has(l->env->features, FEATURE_PROG_NAME))
		spec.name = l->obj->programs[i].name;
	if (l->btf_fd >= 0 && feature_has(l->env->features, FEATURE_BTF_FUNC)) {
		spec.btf_fd = l->btf_fd;
		spec.func_info = prog->code.funcs;
		spec.n_func_info = prog->code.n_funcs;
		spec.func_info_size = sizeof(*prog->code.funcs);
		spec.line_info = prog->code.lines;
		spec.n_line_info = prog->code.n_lines;
		spec.line_info_size = sizeof(*prog->code.lines);
	}
	return spec;
}

/* The source of an instruction, from the records that the kernel was given, too. */
static void find_source(const struct loaded *l, uint32_t i, int32_t insn, char *source, size_t size)
{
	const struct prog_code *code = &l->progs[i].code;
	const struct bpf_line_info *line = NULL;
	const char *text;

	for (uint32_t j = 0; j < code->n_lines && (int32_t)code->lines[j].insn_off <= insn; j++)
		line = &code->lines[j];
	if (!line || insn < 0)
		return;
	text = btf_str(l->obj->btf, line->line_off);
	while (*text == ' ' || *text == '\t')
		text++;
	if (*text)
		snprintf(source, size, "%s @ %s:%u", text,
			 basename(btf_str(l->obj->btf, line->file_name_off)), line->line_col >> 10);
}

/* The helper number in "invalid func unknown#195896080", or -1. */
static int64_t unknown_helper(const char *sentence)
{
	const char *at = strstr(sentence, "unknown#");
	long long n;

	return at && sscanf(at + strlen("unknown#"), "%lld", &n) == 1 ? n : -1;
}

/* Instructions that we poisoned say nothing to the verifier: say what they wanted. */
static void explain_poison(const struct loaded *l, uint32_t i, int32_t insn, char *sentence,
			   size_t size)
{
	int64_t helper = unknown_helper(sentence);
	const struct prog_code *code = &l->progs[i].code;
	char what[160];

	if (helper >= RELOC_POISON_MAP && helper < (int64_t)RELOC_POISON_MAP + l->n_maps) {
		snprintf(sentence, size, "it uses map '%.128s', which was not created",
			 l->obj->maps[helper - RELOC_POISON_MAP].name);
		return;
	}
	if (helper != CORE_POISON_CALL)
		return;
	for (uint32_t j = 0; j < code->n_poisoned; j++) {
		/* Of a 64-bit load both halves are poisoned. */
		if (insn != (int32_t)code->poisoned[j].insn &&
		    insn != (int32_t)code->poisoned[j].insn + 1)
			continue;
		core_describe(l->obj->btf, code->poisoned[j].relo, what, sizeof(what));
		snprintf(sentence, size, "this kernel has nothing for the CO-RE relocation %s",
			 what);
		return;
	}
}

static int verifier_error(const struct loaded *l, uint32_t i, int err, struct report *rp)
{
	const struct loaded_prog *prog = &l->progs[i];
	const char *name = l->obj->programs[i].name;
	char sentence[384], source[sizeof(rp->source)];
	int32_t insn;

	if (prog->log.len)
		report_log(rp, prog->log.data, prog->log.len);
	verifier_summary(str_text(&prog->log), sentence, sizeof(sentence), &insn, source,
			 sizeof(source));
	if (!*sentence)
		return report(rp, err, "program '%s': the kernel does not load it: %s%s", name,
			      errno_name(err), load_hint(err));
	explain_poison(l, i, insn, sentence, sizeof(sentence));
	if (!*source)
		find_source(l, i, insn, source, sizeof(source));
	if (rp) {
		snprintf(rp->prog, sizeof(rp->prog), "%s", name);
		snprintf(rp->source, sizeof(rp->source), "%s", source);
		rp->insn = insn;
	}
	if (insn < 0)
		return report(rp, err, "program '%s': %s", name, sentence);
	if (!*source)
		return report(rp, err, "program '%s', instruction %d: %s", name, insn, sentence);
	return report(rp, err, "program '%s', instruction %d: %s: in '%s'", name, insn, sentence,
		      source);
}

static int load_program(struct loaded *l, const struct load_config *cfg, uint32_t i,
			struct report *rp)
{
	struct loaded_prog *prog = &l->progs[i];
	struct bpf_prog_info info;
	struct kprog_spec spec;
	int r = find_target(l, cfg, i, rp);

	if (r < 0)
		return r;
	spec = make_spec(l, cfg, i);
	r = kprog_load(&spec, &prog->log);
	/* Kernels before 4.17 do not know the field; without a log it is not the verifier's word.
	 */
	if (r == -E2BIG && !prog->log.len && spec.expected_attach_type &&
	    (cfg->progs[i].flags & SECTION_TYPE_OPTIONAL)) {
		spec.expected_attach_type = 0;
		r = kprog_load(&spec, &prog->log);
	}
	if (r < 0)
		return verifier_error(l, i, r, rp);
	prog->fd = r;
	if (prog->log.len)
		report_log(rp, prog->log.data, prog->log.len);
	/* Kernels before 4.13 have no ids. */
	if (kprog_info(prog->fd, &info) == 0)
		prog->id = info.id;
	return 0;
}

/*
 * A program that only got constants out of .rodata no longer refers to it: held,
 * it is there for tools that look for strings and versions.
 */
static void bind_rodata(const struct loaded *l, uint32_t i, struct report *rp)
{
	if (!feature_has(l->env->features, FEATURE_BIND_MAP))
		return;
	for (uint32_t j = 0; j < l->n_maps; j++) {
		int r;

		if (l->obj->maps[j].data != DATA_RODATA || l->maps[j].fd < 0)
			continue;
		r = kprog_bind_map(l->progs[i].fd, l->maps[j].fd);
		if (r < 0)
			report_note(rp, REPORT_WARN, "program '%s' does not hold map '%s': %s",
				    l->obj->programs[i].name, l->obj->maps[j].name, errno_name(r));
	}
}

static int fill_prog_array(const struct loaded *l, uint32_t i, struct report *rp)
{
	const struct map_def *def = &l->obj->maps[i];

	if (l->maps[i].fd < 0 || l->maps[i].reused || def->params.type != BPF_MAP_TYPE_PROG_ARRAY)
		return 0;
	for (uint32_t j = 0; j < def->n_slots; j++) {
		const struct map_slot *slot = &def->slots[j];
		const char *name = l->obj->programs[slot->index].name;
		int r;

		if (l->progs[slot->index].fd < 0) {
			report_note(rp, REPORT_WARN,
				    "map '%s': slot %u stays empty: program '%s' is not loaded",
				    def->name, slot->slot, name);
			continue;
		}
		r = kmap_update(l->maps[i].fd, &slot->slot, &l->progs[slot->index].fd, BPF_ANY);
		if (r < 0)
			return report(rp, r, "map '%s': cannot put program '%s' into slot %u: %s",
				      def->name, name, slot->slot, errno_name(r));
	}
	return 0;
}

int load_programs(struct loaded *l, const struct load_config *cfg, struct report *rp)
{
	uint32_t n = 0, done = 0;
	int r = load_check(l->obj, cfg, rp);

	/* What to load may have changed since load_prepare(). */
	r = r ? r : load_code(l, cfg, rp);
	for (uint32_t i = 0; i < l->n_progs; i++)
		n += cfg->progs[i].autoload;
	for (uint32_t i = 0; !r && i < l->n_progs; i++) {
		if (!cfg->progs[i].autoload)
			continue;
		report_note(rp, REPORT_INFO, "loading program '%s' (%u of %u)",
			    l->obj->programs[i].name, ++done, n);
		r = load_program(l, cfg, i, rp);
		if (!r)
			bind_rodata(l, i, rp);
	}
	for (uint32_t i = 0; !r && i < l->n_maps; i++)
		r = fill_prog_array(l, i, rp);
	return r;
}
