/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * produce - occasions for the programs of tests/data: produce [COUNT [DELAY_US [FIRST]]]
 *
 * Calls produce_number() COUNT times with growing numbers, for uprobes to hang on, and
 * personality(2) once each time, for tracepoints: it only asks, and few others on the
 * machine do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <unistd.h>

enum { JUST_ASK = 0xffffffff };

/* Not static, not inlined, and of more than one instruction: uprobes need a place. */
unsigned long produce_number(unsigned long number);
unsigned long produce_other(unsigned long number);

__attribute__((noinline)) unsigned long produce_number(unsigned long number)
{
	__asm__ volatile("" : "+r"(number) : : "memory");
	return number + 1;
}

/* For patterns that match several functions. */
__attribute__((noinline)) unsigned long produce_other(unsigned long number)
{
	__asm__ volatile("" : "+r"(number) : : "memory");
	return number + 2;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	unsigned long delay_us = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	unsigned long first = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;

	for (unsigned long i = 0; i < count; i++) {
		produce_number(first + i);
		produce_other(first + i);
		personality(JUST_ASK);
		if (delay_us)
			usleep(delay_us);
	}
	return 0;
}
