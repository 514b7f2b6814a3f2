/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be written to record_type: a line, then, behind its newline, types (types.h). */
#include <errno.h>

#include "fs/record.h"
#include "loader/btf.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_(btf_unrefp) struct btf *btf = NULL;
	const uint8_t *newline = memchr(data, '\n', size);
	struct input in = INPUT(data, size),
		     line = take_part(&in, newline ? (size_t)(newline - data) : size);
	_cleanup_free_ char *text = input_text(&line);
	struct btf_gen g = {};
	int r;

	take_u8(&in);
	types_add(&g, &in);
	btf = types_finish(&g);
	if (!btf)
		return 0;
	r = record_types_check(btf, text, &rp);
	require_sentence(r, &rp);
	return 0;
}
