/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutants - real objects, cut short and with flipped bits, through the whole open path.
 *
 *	mutants [--cuts N] [--flips N] [--seed N] [--say] OBJECT…
 *
 * Each object, then its mutants, are parsed and loaded into the kernel in memory, with the
 * types of the kernel that runs. Each may fail with a sentence; none may crash, hang, or leave a
 * descriptor behind; the sanitizers of the build see the rest. The same seed makes the same
 * mutants. Half of the flips hit any byte, half any section, headers being one: small
 * sections steer what happens to large ones.
 *
 * A line for each object, "ok NAME" or "FAIL NAME: …", then the counts. --say prints the
 * sentence of each mutant.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "loader/btf.h"
#include "loader/kernel_btf.h"
#include "loader/load.h"
#include "tests/fake/sys.h"
#include "tests/fuzz/fuzz.h"

enum { SECONDS_EACH = 20 };

static unsigned n_cuts = 60, n_flips = 300, seed = 1;
static bool say;

/* What the parent reads when the child is gone. */
static struct progress {
	char mutant[64];
	unsigned n, n_loaded;
} * progress;

struct whole {
	uint8_t *data;
	size_t len;
};

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "exitcode=99:allocator_may_return_null=1";
}

/* A generator of its own: rand(3) differs from one C library to the next. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

static int no_pins(int cmd, void *attr, size_t size, bool *handled)
{
	(void)attr;
	(void)size;
	if (cmd != BPF_OBJ_PIN && cmd != BPF_OBJ_GET)
		return 0;
	*handled = true;
	return cmd == BPF_OBJ_PIN ? 0 : -ENOENT;
}

static int load(const struct object *obj, struct load_env *env, struct report *rp)
{
	_cleanup_(load_config_deinit) struct load_config cfg = {};
	_cleanup_(loaded_freep) struct loaded *l = NULL;
	int r = load_config_init(obj, &cfg);

	r = r ? r : load_prepare(obj, &cfg, env, rp, &l);
	r = r ? r : load_programs(l, &cfg, rp);
	if (l)
		loaded_undo_pins(l, &cfg);
	return r;
}

static void try_one(const uint8_t *data, size_t len, struct load_env *env)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct object *obj = NULL;
	int r;

	alarm(SECONDS_EACH);
	r = object_parse(data, len, "mutant", &rp, &obj);
	require_sentence(r, &rp);
	REQUIRE(r == 0 || r == -ENOEXEC || r == -EBADMSG || r == -EOPNOTSUPP || r == -ENOMEM);
	fake_sys_hook = no_pins;
	if (r == 0)
		r = load(obj, env, &rp);
	require_sentence(r, &rp);
	object_free(obj);
	REQUIRE(fake_sys_open_fds() == 0);
	fake_sys_reset();
	alarm(0);
	progress->n++;
	progress->n_loaded += r == 0;
	if (say)
		printf("  %s: %d %s\n", progress->mutant, r, r ? rp.text : "loaded");
}

/* A byte of the file, by way of its sections: 0 is the file header, the last the table. */
static size_t byte_of_section(const struct whole *w, uint64_t *state)
{
	size_t at = 0, size = sizeof(Elf64_Ehdr);
	Elf64_Ehdr eh;
	Elf64_Shdr sh;
	unsigned pick;

	memcpy(&eh, w->data, sizeof(eh));
	pick = next_random(state) % (eh.e_shnum + 1);
	if (pick == eh.e_shnum) {
		at = eh.e_shoff;
		size = eh.e_shnum * sizeof(sh);
	} else if (pick && range_fits(eh.e_shoff, (uint64_t)eh.e_shnum * sizeof(sh), w->len)) {
		memcpy(&sh, w->data + eh.e_shoff + pick * sizeof(sh), sizeof(sh));
		if (sh.sh_type != SHT_NOBITS) {
			at = sh.sh_offset;
			size = sh.sh_size;
		}
	}
	return size && range_fits(at, size, w->len) ? at + next_random(state) % size : 0;
}

/* In a process of its own. */
static void try_all(const struct whole *w, struct load_env *env)
{
	uint64_t state = 88172645463325252ULL + seed;
	/* Its bytes end where its memory does, for the sanitizer. */
	uint8_t *copy;

	strcpy(progress->mutant, "as it is");
	try_one(w->data, w->len, env);
	for (unsigned i = 0; i < n_cuts; i++) {
		size_t len = i % 2 ? next_random(&state) % w->len : w->len * (uint64_t)i / n_cuts;

		snprintf(progress->mutant, sizeof(progress->mutant), "cut to %zu bytes", len);
		copy = malloc(len);
		memcpy(copy, w->data, len);
		try_one(copy, len, env);
		free(copy);
	}
	copy = malloc(w->len);
	memcpy(copy, w->data, w->len);
	for (unsigned i = 0; i < n_flips; i++) {
		size_t at = i % 2 && w->len > sizeof(Elf64_Ehdr) ? byte_of_section(w, &state)
								 : next_random(&state) % w->len;
		unsigned bit = next_random(&state) % 8;

		snprintf(progress->mutant, sizeof(progress->mutant), "bit %u of byte 0x%zx flipped",
			 bit, at);
		copy[at] ^= 1 << bit;
		try_one(copy, w->len, env);
		copy[at] ^= 1 << bit;
	}
	free(copy);
}

static int read_whole(const char *path, struct whole *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !st.st_size)
		return -ENOENT;
	ret->len = st.st_size;
	ret->data = malloc(ret->len);
	return ret->data && read(fd, ret->data, ret->len) == (ssize_t)ret->len ? 0 : -EIO;
}

/* Status 0 if all is well. A signal's default action says which one it was. */
static int run_object(const struct whole *w, struct load_env *env)
{
	int status;
	pid_t pid;

	fflush(stdout);
	*progress = (struct progress){};
	pid = fork();
	if (pid == 0) {
		try_all(w, env);
		exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static bool check_object(const char *path, struct load_env *env)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct whole w = {};
	int status;

	if (read_whole(path, &w) < 0) {
		printf("FAIL %s: cannot be read\n", path);
		free(w.data);
		return false;
	}
	data = w.data;
	status = run_object(&w, env);
	if (status == 0)
		printf("ok %s: %u tried, %u loaded\n", path, progress->n, progress->n_loaded);
	else if (WIFSIGNALED(status))
		printf("FAIL %s: %s: %s\n", path, progress->mutant, strsignal(WTERMSIG(status)));
	else
		printf("FAIL %s: %s: exit status %d\n", path, progress->mutant,
		       WEXITSTATUS(status));
	return status == 0;
}

int main(int argc, char **argv)
{
	/* What all have in common is made once, before the first of them: the kernel's types. */
	struct feature features = {};
	_cleanup_(kernel_btf_freep) struct kernel_btf *kb = kernel_btf_new();
	struct load_env env = { .features = &features, .kernel_btf = kb };
	unsigned n_good = 0, n_bad = 0;
	struct btf *types = NULL;

	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (progress == MAP_FAILED)
		return 1;
	kernel_btf_get(kb, NULL, &types);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--cuts") && i + 1 < argc)
			n_cuts = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--flips") && i + 1 < argc)
			n_flips = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
			seed = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--say"))
			say = true;
		else if (check_object(argv[i], &env))
			n_good++;
		else
			n_bad++;
	}
	btf_unref(types);
	munmap(progress, sizeof(*progress));
	printf("%u passed, %u failed, 0 skipped\n", n_good, n_bad);
	return n_bad || !n_good;
}
