/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ls_object - show what the loader makes of an object, without any filesystem.
 *
 *	ls_object FILE			programs, maps, variables, relocations
 *	ls_object --load FILE		load it, print ids, unload
 *	ls_object --pin DIR FILE	load it; pin programs in DIR/p, maps in DIR/m, of a bpffs
 *	ls_object --attach … FILE	with --load or --pin: also attach what SEC() says enough of;
 *					in DIR/p is then the link
 *	ls_object --bench N FILE	load and unload it N times; print the time of the fastest,
 *					the part of it inside bpf(2), and the growth of memory
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
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/kobj.h"
#include "bpf/names.h"
#include "bpf/sys.h"
#include "loader/attach.h"
#include "loader/btf.h"
#include "loader/kernel_btf.h"
#include "loader/load.h"
#include "loader/object.h"
#include "loader/spec.h"

struct options {
	const char *path, *pins; /* pins: the directory, NULL for none */
	unsigned n_bench;
	bool load, attach;
};

static bool quiet;
static double in_bpf; /* seconds */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* The linker puts this before the door (-Wl,--wrap), to see how long the kernel takes. */
int __real_sys_bpf(int cmd, void *attr, size_t size);
int __wrap_sys_bpf(int cmd, void *attr, size_t size);
int __wrap_sys_bpf(int cmd, void *attr, size_t size)
{
	double start = seconds();
	int r = __real_sys_bpf(cmd, attr, size);

	in_bpf += seconds() - start;
	return r;
}

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

/* What the kernel has by now, pinned: dots cannot be in names of a bpffs. */
static int pin_as(int fd, const char *dir, const char *kind, const char *name, struct report *rp)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s/%s", dir, kind, name) < 0)
		return -ENOMEM;
	for (char *c = path + strlen(dir); *c; c++)
		*c = *c == '.' ? '_' : *c;
	r = kobj_pin(fd, path);
	return r < 0 ? report(rp, r, "cannot pin %s: %s", path, strerror(-r)) : 0;
}

static int pin_maps(const struct loaded *l, const char *dir, struct report *rp)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < l->n_maps; i++) {
		const struct map_def *def = &l->obj->maps[i];
		bool plain = def->data != DATA_NONE && !strchr(def->name + 1, '.');

		/* As other tools call them: "execsnoo.bss", but ".data.hot". */
		if (l->maps[i].fd >= 0)
			r = pin_as(l->maps[i].fd, dir, "m", plain ? def->kernel_name : def->name,
				   rp);
	}
	return r;
}

/* 0 and *@ret; *@ret stays NULL if SEC() does not say what to attach to. */
static int attach_auto(const struct loaded *l, const struct load_config *cfg, uint32_t i,
		       struct report *rp, struct attachment **ret)
{
	const struct program *p = &l->obj->programs[i];
	struct attach_prog prog = { l->progs[i].fd, p->name, cfg->progs[i].type,
				    cfg->progs[i].attach_type };
	struct attach_env env = { .features = l->env->features };
	struct report quietly = REPORT_INIT(NULL, NULL);
	_cleanup_(spec_freep) struct spec *s = NULL;
	int r = spec_from_section(p->section, &quietly, &s);

	if (r == -EOPNOTSUPP) {
		report_note(rp, REPORT_INFO, "program %s: not attached: %s", p->name, quietly.text);
		return 0;
	}
	return r < 0 ? report(rp, r, "%s", quietly.text) : attach(&env, &prog, s, rp, ret);
}

static int hold_programs(const struct loaded *l, const struct load_config *cfg,
			 const struct options *o, struct attachment **attachments,
			 struct report *rp)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < l->n_progs; i++) {
		const char *name = l->obj->programs[i].name;
		int fd = l->progs[i].fd;

		if (fd < 0)
			continue;
		if (o->attach)
			r = attach_auto(l, cfg, i, rp, &attachments[i]);
		if (attachments[i]) {
			fd = attachments[i]->fds[0];
			printf("program %s: attached as %s\n", name, attachments[i]->spec);
		}
		if (!r && o->pins)
			r = pin_as(fd, o->pins, "p", name, rp);
	}
	return r;
}

/* Pins and attachments; those without a pin end here. */
static int hold(const struct loaded *l, const struct load_config *cfg, const struct options *o,
		struct report *rp)
{
	struct attachment **attachments = calloc(l->n_progs + 1, sizeof(*attachments));
	int r = o->pins ? pin_maps(l, o->pins, rp) : 0;

	if (!attachments)
		return -ENOMEM;
	r = r ? r : hold_programs(l, cfg, o, attachments, rp);
	for (uint32_t i = 0; i < l->n_progs; i++)
		attachment_free(attachments[i]);
	free(attachments);
	return r;
}

/* Its time and what of it was spent in the kernel; unloading is not part of it. */
struct cost {
	double all, in_bpf;
};

static int load_once(const char *data, size_t len, const char *name, struct load_env *env,
		     const struct options *o, struct report *rp, struct cost *cost)
{
	_cleanup_(object_freep) struct object *obj = NULL;
	_cleanup_(loaded_freep) struct loaded *l = NULL;
	_cleanup_(load_config_deinit) struct load_config cfg = {};
	double start = seconds();
	int r;

	in_bpf = 0;
	r = object_parse(data, len, name, rp, &obj);
	r = r ? r : load_config_init(obj, &cfg);
	r = r ? r : load_prepare(obj, &cfg, env, rp, &l);
	r = r ? r : load_programs(l, &cfg, rp);
	*cost = (struct cost){ seconds() - start, in_bpf };
	if (r == 0 && o) {
		print_loaded(l);
		r = hold(l, &cfg, o, rp);
	}
	if (l)
		loaded_undo_pins(l, &cfg);
	return r;
}

static long resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (f && fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* The first one warms up what a daemon keeps: the kernel's types, its features. */
static int bench(const char *data, size_t len, const char *name, struct load_env *env,
		 const struct options *o, struct report *rp)
{
	struct cost first = {}, cost = {}, best = { .all = 1e9 };
	int r = load_once(data, len, name, env, NULL, rp, &first);
	long before = resident_kib();

	/* The fastest is the one that nobody disturbed. */
	for (unsigned i = 0; !r && i < o->n_bench; i++) {
		r = load_once(data, len, name, env, NULL, rp, &cost);
		if (cost.all < best.all)
			best = cost;
	}
	if (r < 0)
		return r;
	printf("%s: first %.3f ms, then %.3f ms, %.3f ms of it in bpf(2), %+ld KiB\n", o->path,
	       first.all * 1e3, best.all * 1e3, best.in_bpf * 1e3, resident_kib() - before);
	return 0;
}

static int run(const struct options *o, struct report *rp)
{
	_cleanup_(object_freep) struct object *obj = NULL;
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = kernel_btf_new();
	struct feature features = {};
	struct load_env env = { .features = &features, .kernel_btf = kb };
	_cleanup_free_ char *data = NULL, *name = NULL;
	const char *base = strrchr(o->path, '/');
	struct cost cost = {};
	size_t len = 0;
	int r = read_file(o->path, &data, &len);

	if (r < 0)
		return report(rp, r, "%s: %s", o->path, strerror(-r));
	base = base ? base + 1 : o->path;
	name = strndup(base, strcspn(base, "."));
	if (o->load || o->pins)
		return load_once(data, len, name, &env, o, rp, &cost);
	if (o->n_bench)
		return bench(data, len, name, &env, o, rp);
	r = object_parse(data, len, name, rp, &obj);
	if (r == 0)
		print_object(obj);
	return r;
}

int main(int argc, char **argv)
{
	struct report rp = REPORT_INIT(print_line, NULL);
	struct options o = {};
	int r;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--load"))
			o.load = true;
		else if (!strcmp(argv[i], "--attach"))
			o.attach = true;
		else if (!strcmp(argv[i], "--quiet"))
			quiet = true;
		else if (!strcmp(argv[i], "--bench") && i + 1 < argc)
			o.n_bench = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--pin") && i + 1 < argc)
			o.pins = argv[++i];
		else
			o.path = argv[i];
	}
	if (!o.path) {
		fprintf(stderr, "usage: ls_object [--quiet] [--load] [--attach] [--pin DIR] "
				"[--bench N] FILE\n");
		return 2;
	}
	r = run(&o, &rp);
	if (r < 0 && rp.insn >= 0)
		fprintf(stderr, "at: program %s, instruction %d, source '%s'\n", rp.prog, rp.insn,
			rp.source);
	return r < 0 ? 1 : 0;
}
