/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * fuzz - what the fuzz targets share.
 *
 * A target is fuzz_X.c with one function, LLVMFuzzerTestOneInput(): it gives hostile
 * bytes to one part of this project, over the kernel in memory, and aborts where
 * the part breaks a promise of its header. The sanitizers see the rest. It leaves
 * nothing behind: no memory, no descriptor, no state that a later input could meet.
 *
 *	meson setup build-fuzz -Dfuzz=enabled …	libFuzzer looks for inputs: tests/fuzz/run
 *	any other build				replay_X runs the inputs of corpus/X/ (replay.c)
 *
 * corpus/X/ holds the seeds and, as crash-WHAT, each input that once found a defect.
 * To add a target: its file, its name in meson.build, a folder of seeds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Once, before the first input. A target needs none. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A promise of a header. */
#define REQUIRE(cond)                                                                              \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #cond);        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Every failure but a lack of memory comes with one sentence, and its number is what is returned. */
static inline void require_sentence(int r, const struct report *rp)
{
	if (r >= 0 || r == -ENOMEM)
		return;
	if (rp->err != r || !*rp->text || strchr(rp->text, '\n')) {
		fprintf(stderr, "returned %d, but the sentence of %d is \"%s\"\n", r, rp->err,
			rp->text);
		abort();
	}
}

/* The input, taken piece by piece. Behind its end there are zeros. */
struct input {
	const uint8_t *pos, *end;
};

#define INPUT(data, size) { .pos = (data), .end = (data) + (size) }

static inline size_t input_left(const struct input *in)
{
	return in->end - in->pos;
}

static inline uint8_t take_u8(struct input *in)
{
	return in->pos < in->end ? *in->pos++ : 0;
}

static inline uint16_t take_u16(struct input *in)
{
	uint16_t low = take_u8(in);

	return low | (uint16_t)(take_u8(in) << 8);
}

static inline uint32_t take_u32(struct input *in)
{
	uint32_t low = take_u16(in);

	return low | (uint32_t)take_u16(in) << 16;
}

static inline uint64_t take_u64(struct input *in)
{
	uint64_t low = take_u32(in);

	return low | (uint64_t)take_u32(in) << 32;
}

/* The next @n bytes, or as many as there are, as an input of their own. */
static inline struct input take_part(struct input *in, size_t n)
{
	struct input part = { in->pos, in->pos + (n < input_left(in) ? n : input_left(in)) };

	in->pos = part.end;
	return part;
}

/* An input as a string, which ends at its first NUL; malloc'ed, so that a read behind it is seen. */
static inline char *input_text(const struct input *in)
{
	char *text = strndup(in->pos == in->end ? "" : (const char *)in->pos, input_left(in));

	REQUIRE(text);
	return text;
}
