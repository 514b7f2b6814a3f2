/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay - a fuzz target as a test: main() where there is no libFuzzer.
 *
 *	replay_X [FILE…]	the files, or all of corpus/X
 *
 * Each input runs in a process of its own. One line for the target if all went
 * well, else one for each input that did not.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/fuzz/fuzz.h"

enum { TIMEOUT_S = 60 };

/* A sanitizer's end must not look like a good one; sizes that do not fit memory are answers. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "exitcode=99:allocator_may_return_null=1";
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Does not return. Status 0 if all is well. */
static void run_in_child(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;
	int before;

	if (fd < 0 || fstat(fd, &st) < 0) {
		perror(path);
		_exit(1);
	}
	data = malloc(st.st_size);
	if (st.st_size && (!data || read(fd, data, st.st_size) != st.st_size)) {
		perror(path);
		_exit(1);
	}
	alarm(TIMEOUT_S);
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(NULL, NULL);
	before = count_fds();
	LLVMFuzzerTestOneInput(data, st.st_size);
	if (count_fds() != before) {
		fprintf(stderr, "descriptors left open\n");
		_exit(1);
	}
	free(data);
	/* exit, not _exit: the leak checker of a sanitizer build runs at exit. */
	exit(0);
}

static bool run(const char *path)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_in_child(path);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("fork");
		exit(1);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status))
		printf("FAIL fuzz_%s/%s: killed by signal %d (%s)\n", FUZZ_TARGET,
		       strrchr(path, '/') ? strrchr(path, '/') + 1 : path, WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	else
		printf("FAIL fuzz_%s/%s: exit status %d\n", FUZZ_TARGET,
		       strrchr(path, '/') ? strrchr(path, '/') + 1 : path, WEXITSTATUS(status));
	return false;
}

int main(int argc, char **argv)
{
	unsigned n_runs = 0, n_failed = 0;
	struct dirent **names = NULL;
	int n = 0;

	for (int i = 1; i < argc; i++, n_runs++)
		n_failed += !run(argv[i]);
	if (argc <= 1)
		n = scandir(FUZZ_CORPUS, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		if (names[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", FUZZ_CORPUS, names[i]->d_name);
			n_failed += !run(path);
			n_runs++;
		}
		free(names[i]);
	}
	free(names);
	if (!n_runs) {
		printf("FAIL fuzz_%s: there are no inputs in %s\n", FUZZ_TARGET, FUZZ_CORPUS);
		n_failed = 1;
	}
	if (!n_failed)
		printf("ok fuzz_%s (%u inputs)\n", FUZZ_TARGET, n_runs);
	printf("%d passed, %u failed, 0 skipped\n", !n_failed, n_failed);
	return n_failed ? 1 : 0;
}
