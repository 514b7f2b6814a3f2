/* SPDX-License-Identifier: BSD-2-Clause */
/* open_bench FILE FILE… - microseconds of one open-read-close of each, taken in turns. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 40, EACH = 500 };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	double best[16];
	char buf[65536];

	for (int f = 1; f < argc && f < 16; f++)
		best[f] = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		for (int f = 1; f < argc && f < 16; f++) {
			double t = now();

			for (int i = 0; i < EACH; i++) {
				int fd = open(argv[f], O_RDONLY);

				if (fd < 0 || read(fd, buf, sizeof(buf)) < 0 ||
				    read(fd, buf, sizeof(buf)) < 0) {
					perror(argv[f]);
					return 1;
				}
				close(fd);
			}
			t = (now() - t) / EACH;
			if (t < best[f])
				best[f] = t;
		}
	}
	for (int f = 1; f < argc && f < 16; f++)
		printf("%.2f ", best[f] * 1e6);
	printf("\n");
	return 0;
}
