/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernel/target.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/abi.h"
#include "tests/unit/test.h"

/*
 * A command a byte: a, 2 and b call functions, t calls alpha in a thread, s tells the
 * semaphore. Each is answered by a byte.
 */
static const char target_source[] =
	"#include <pthread.h>\n"
	"#include <unistd.h>\n"
	"volatile unsigned short semaphore __attribute__((section(\".probes\"))) = 0;\n"
	"__attribute__((noinline)) int alpha(int x) { __asm__ volatile(\"\"); return x + 1; }\n"
	"__attribute__((noinline)) int alpha_two(int x) { __asm__ volatile(\"\"); return x + 2; }\n"
	"__attribute__((noinline)) int beta(int x) { __asm__ volatile(\"\"); return x - 1; }\n"
	"static void *thread(void *arg) { alpha(1); return arg; }\n"
	"int main(void) {\n"
	"	pthread_t t;\n"
	"	char c;\n"
	"	while (read(0, &c, 1) == 1) {\n"
	"		if (c == 'a') alpha(c);\n"
	"		if (c == '2') alpha_two(c);\n"
	"		if (c == 'b') beta(c);\n"
	"		if (c == 't') { pthread_create(&t, 0, thread, 0); pthread_join(t, 0); }\n"
	"		if (c == 's') c = '0' + semaphore;\n"
	"		if (write(1, &c, 1) != 1) return 1;\n"
	"	}\n"
	"	return 0;\n"
	"}\n";

char dir[] = "/tmp/test_attach.XXXXXX";
char binary[64];

/* Compile the program in a directory that goes with the test, also when a CHECK fails. */
void make_target(void)
{
	char command[256], source[64];
	int status;
	pid_t pid;
	FILE *f;

	CHECK(mkdtemp(dir));
	pid = fork();
	if (pid) {
		waitpid(pid, &status, 0);
		snprintf(command, sizeof(command), "rm -rf %s", dir);
		if (system(command))
			fprintf(stderr, "cannot remove %s\n", dir);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	alarm(50 * test_slowness());
	snprintf(source, sizeof(source), "%s/target.c", dir);
	snprintf(binary, sizeof(binary), "%s/target", dir);
	f = fopen(source, "we");
	CHECK(f);
	fputs(target_source, f);
	fclose(f);
	snprintf(command, sizeof(command), "${CC:-cc} -O1 -pthread -o %s %s", binary, source);
	if (system(command))
		SKIP("no compiler");
}

struct target target_start(const char *path)
{
	struct target t;
	int in[2], out[2];

	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	t.pid = fork();
	if (t.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(path, path, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	t.in = in[1];
	t.out = out[0];
	return t;
}

/* Have it do something; its answer says that it is done. */
char target_do(const struct target *t, char command)
{
	char answer;

	CHECK_EQ(write(t->in, &command, 1), 1);
	CHECK_EQ(read(t->out, &answer, 1), 1);
	return answer;
}

void target_stop(struct target *t)
{
	close(t->in);
	close(t->out);
	waitpid(t->pid, NULL, 0);
}

struct counter probe(uint32_t attach_type)
{
	return counter_new(BPF_PROG_TYPE_KPROBE, attach_type, 0, COUNTER_COOKIE, NULL, 0);
}

/* Where a symbol of the compiled program lies in the file. */
uint64_t file_offset(const char *symbol)
{
	_cleanup_close_ int fd = open(binary, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint64_t offset = 0;
	char *data;

	CHECK(fstat(fd, &st) == 0);
	data = malloc(st.st_size);
	CHECK_EQ(read(fd, data, st.st_size), st.st_size);
	Elf64_Ehdr *eh = (Elf64_Ehdr *)data;
	Elf64_Shdr *sh = (Elf64_Shdr *)(data + eh->e_shoff);
	for (int i = 0; i < eh->e_shnum; i++) {
		Elf64_Sym *sym = (Elf64_Sym *)(data + sh[i].sh_offset);

		if (sh[i].sh_type != SHT_SYMTAB)
			continue;
		for (size_t k = 0; k < sh[i].sh_size / sizeof(*sym); k++)
			if (!strcmp(data + sh[sh[i].sh_link].sh_offset + sym[k].st_name, symbol))
				offset = sh[sym[k].st_shndx].sh_offset + sym[k].st_value -
					 sh[sym[k].st_shndx].sh_addr;
	}
	free(data);
	CHECK(offset);
	return offset;
}
