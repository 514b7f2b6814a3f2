/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ls_object - show what the loader makes of an object, without any filesystem.
 *
 *	ls_object FILE			programs, maps, variables, relocations
 *	ls_object --load FILE		load it, print ids, unload
 *	ls_object --bench N FILE	load and unload it N times, print the time of one
 *	ls_object --quiet …		no notes
 *
 * It links base, bpf and loader only, which shows that they stand by themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "bpf/names.h"
#include "loader/btf.h"
#include "loader/kernel_btf.h"
#include "loader/load.h"
#include "loader/object.h"

static bool quiet;

static void print_line(void *arg, enum report_level level, const char *text, size_t len)
{
	static const char *const marks[] = { "error: ", "warning: ", "", "debug: ", "" };

	(void)arg;
	if (quiet && level != REPORT_ERROR)
		return;
	fprintf(stderr, "%s%.*s\n", marks[level], (int)len, text);
}

static int read_file(const char *path, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	data = malloc(st.st_size + 1);
	if (!data)
		return -ENOMEM;
	n = read(fd, data, st.st_size);
	if (n < 0) {
		free(data);
		return -errno;
	}
	*ret = data;
	*ret_len = n;
	return 0;
}

static void print_map(const struct map_def *def, const char *indent)
{
	const char *type = map_type_name(def->params.type);

	printf("%s%s", indent, def->name);
	if (strcmp(def->name, def->kernel_name))
		printf(" (%s)", def->kernel_name);
	printf(": %s key %u value %u entries %u flags 0x%x", type ? type : "?",
	       def->params.key_size, def->params.value_size, def->params.max_entries,
	       def->params.flags);
	if (def->params.extra)
		printf(" extra %llu", (unsigned long long)def->params.extra);
	if (def->key_type || def->value_type)
		printf(" types %u %u", def->key_type, def->value_type);
	if (def->record_type)
		printf(" record %u", def->record_type);
	printf("%s%s\n", def->mmapable ? " mmapable" : "", def->pin_by_name ? " pinned" : "");
	if (def->inner)
		print_map(def->inner, "    holds ");
	for (uint32_t i = 0; i < def->n_slots; i++)
		printf("    [%u] = %u\n", def->slots[i].slot, def->slots[i].index);
}

static void print_relocs(const struct object *obj, const struct function *fn)
{
	for (uint32_t i = 0; i < fn->n_relocs; i++) {
		const struct reloc *r = &fn->relocs[i];

		printf("    %4u ", r->insn);
		switch (r->kind) {
		case RELOC_MAP:
			printf("map %s\n", obj->maps[r->index].name);
			break;
		case RELOC_DATA:
			printf("data %s+%u\n", obj->maps[r->index].name, r->offset);
			break;
		case RELOC_CALL:
			printf("call %s\n", obj->functions[r->index].name);
			break;
		case RELOC_FUNC:
			printf("address of %s\n", obj->functions[r->index].name);
			break;
		case RELOC_EXTERN:
			printf("extern %s\n", obj->externs[r->index].name);
			break;
		}
	}
}

static void print_object(const struct object *obj)
{
	printf("object %s license '%s'%s%s%s\n", obj->name, obj->license,
	       obj->foreign ? " foreign" : "", obj->btf ? " btf" : "",
	       obj->btf_ext ? " btf_ext" : "");
	printf("programs:\n");
	for (uint32_t i = 0; i < obj->n_programs; i++) {
		const struct program *p = &obj->programs[i];
		const char *type = p->rule ? prog_type_name(p->rule->prog_type) : NULL;

		printf("  %s: %s (%s%s%s)%s\n", p->name, p->section, type ? type : "no rule",
		       p->extra ? " " : "", p->extra ? p->extra : "", p->autoload ? "" : " off");
	}
	printf("functions:\n");
	for (uint32_t i = 0; i < obj->n_functions; i++) {
		const struct function *fn = &obj->functions[i];

		printf("  %s: %s+%u, %u instructions%s\n", fn->name, fn->section, fn->first,
		       fn->n_insns, fn->is_global ? "" : ", static");
		print_relocs(obj, fn);
	}
	printf("maps:\n");
	for (uint32_t i = 0; i < obj->n_maps; i++)
		print_map(&obj->maps[i], "  ");
	printf("variables:\n");
	for (uint32_t i = 0; i < obj->n_vars; i++)
		printf("  %s: %s+%u, %u bytes, type %u%s\n", obj->vars[i].name,
		       obj->maps[obj->vars[i].map].name, obj->vars[i].offset, obj->vars[i].size,
		       obj->vars[i].type, obj->vars[i].is_static ? ", static" : "");
}

static void print_loaded(const struct loaded *l)
{
	for (uint32_t i = 0; i < l->n_maps; i++)
		printf("map %s: id %u\n", l->obj->maps[i].name, l->maps[i].id);
	for (uint32_t i = 0; i < l->n_progs; i++)
		printf("program %s: id %u, %u instructions\n", l->obj->programs[i].name,
		       l->progs[i].id, l->progs[i].code.n_insns);
}

static int load_once(const struct object *obj, struct load_env *env, bool print, struct report *rp)
{
	_cleanup_(loaded_freep) struct loaded *l = NULL;
	_cleanup_(load_config_deinit) struct load_config cfg = {};
	int r = load_config_init(obj, &cfg);

	r = r ? r : load_prepare(obj, &cfg, env, rp, &l);
	r = r ? r : load_programs(l, &cfg, rp);
	if (r == 0 && print)
		print_loaded(l);
	if (l)
		loaded_undo_pins(l, &cfg);
	return r;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int run(const char *path, bool load, unsigned n_bench, struct report *rp)
{
	_cleanup_(object_freep) struct object *obj = NULL;
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = kernel_btf_new();
	struct feature features = {};
	struct load_env env = { .features = &features, .kernel_btf = kb };
	_cleanup_free_ char *data = NULL, *name = NULL;
	const char *base = strrchr(path, '/');
	double start;
	size_t len;
	int r = read_file(path, &data, &len);

	if (r < 0)
		return report(rp, r, "%s: %s", path, strerror(-r));
	base = base ? base + 1 : path;
	name = strndup(base, strcspn(base, "."));
	r = object_parse(data, len, name, rp, &obj);
	if (r < 0)
		return r;
	if (!load && !n_bench) {
		print_object(obj);
		return 0;
	}
	if (load)
		r = load_once(obj, &env, true, rp);
	start = seconds();
	for (unsigned i = 0; !r && i < n_bench; i++) {
		object_free(take_ptr(obj));
		r = object_parse(data, len, name, rp, &obj);
		r = r ? r : load_once(obj, &env, false, rp);
	}
	if (!r && n_bench)
		printf("%s: %.3f ms\n", path, (seconds() - start) * 1e3 / n_bench);
	return r;
}

int main(int argc, char **argv)
{
	struct report rp = REPORT_INIT(print_line, NULL);
	const char *path = NULL;
	unsigned n_bench = 0;
	bool load = false;
	int r;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--load"))
			load = true;
		else if (!strcmp(argv[i], "--quiet"))
			quiet = true;
		else if (!strcmp(argv[i], "--bench") && i + 1 < argc)
			n_bench = atoi(argv[++i]);
		else
			path = argv[i];
	}
	if (!path) {
		fprintf(stderr, "usage: ls_object [--quiet] [--load] [--bench N] FILE\n");
		return 2;
	}
	r = run(path, load, n_bench, &rp);
	if (r < 0 && rp.insn >= 0)
		fprintf(stderr, "at: program %s, instruction %d, source '%s'\n", rp.prog, rp.insn,
			rp.source);
	return r < 0 ? 1 : 0;
}
