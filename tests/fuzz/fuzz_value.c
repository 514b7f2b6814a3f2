/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values by their type: two bytes of length, that many bytes of a value, then types
 * (types.h). Whatever type and bytes, what is printed as JSON is JSON. The types as C, too.
 */
#include <errno.h>

#include "base/bits.h"
#include "base/str.h"
#include "loader/btf_print.h"
#include "loader/value.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json.h"
#include "tests/fuzz/types.h"

enum { VALUE_MAX = 4096 };

static void print(const struct value_format *f, enum value_style style, const uint8_t *bytes,
		  size_t len)
{
	_cleanup_str_ struct str out = {};
	/* A copy of its own size: reads behind its end are seen. */
	_cleanup_free_ uint8_t *value = malloc(len ? len : 1);

	REQUIRE(value);
	memcpy(value, bytes, len);
	value_print(f, style, value, len, &out);
	REQUIRE(str_error(&out) == 0);
	if (style == VALUE_JSON && !json_is_valid(str_text(&out), out.len)) {
		fprintf(stderr, "%s: %s\n", value_format_name(f), str_text(&out));
		abort();
	}
	/* A line is a record. */
	REQUIRE(!memchr(str_text(&out), '\n', out.len));
}

static void print_all(const struct btf *btf, uint32_t id, const uint8_t *bytes, size_t n_bytes)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_(value_format_freep) struct value_format *f = NULL;
	int r = value_compile(btf, id, &rp, &f);

	require_sentence(r, &rp);
	REQUIRE(r == 0 || r == -EINVAL || r == -E2BIG || r == -EBADMSG || r == -ENOMEM);
	if (r < 0)
		return;
	/* Its size, and one that fits only what has a flexible end. */
	for (size_t more = 0; more <= 24; more += 24) {
		size_t len = value_format_size(f) + more;

		if (len > VALUE_MAX)
			len = n_bytes;
		print(f, VALUE_JSON, bytes, len);
		print(f, VALUE_TEXT, bytes, len);
	}
}

static void print_c(const struct btf *btf)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_str_ struct str out = {};
	int r = btf_print_all(btf, &rp, &out);

	require_sentence(r, &rp);
	REQUIRE(r == 0 || r == -EINVAL || r == -E2BIG || r == -ENOMEM);
	REQUIRE(strlen(str_text(&out)) == out.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(btf_unrefp) struct btf *btf = NULL;
	struct input in = INPUT(data, size), part = take_part(&in, take_u16(&in) & (VALUE_MAX - 1));
	uint8_t bytes[VALUE_MAX + 24] = {};
	struct btf_gen g = {};

	if (input_left(&part))
		memcpy(bytes, part.pos, input_left(&part));
	types_add(&g, &in);
	btf = types_finish(&g);
	if (!btf)
		return 0;
	for (uint32_t id = 0; id < btf_n_types(btf); id++)
		print_all(btf, id, bytes, input_left(&part));
	print_c(btf);
	return 0;
}
