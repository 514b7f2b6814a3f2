/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BTF: four bytes of what the kernel can do, then a blob. What parsing lets through
 * must be safe to look up, print, edit and make fit for old kernels.
 */
#include <errno.h>

#include "base/bits.h"
#include "base/str.h"
#include "bpf/feature.h"
#include "loader/btf.h"
#include "loader/btf_edit.h"
#include "loader/btf_print.h"
#include "loader/value.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/json.h"

enum { LOOKED_AT = 64, VALUE_MAX = 1 << 16 };

static void look_up(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf_type(btf, id);
	const char *name = btf_type_name(btf, id);
	uint32_t found = btf_find(btf, name, btf_kind(t)), after = 0, steps = 0;

	if (*name)
		REQUIRE(found && btf_kind(btf_type(btf, found)) == btf_kind(t) &&
			!strcmp(btf_type_name(btf, found), name));
	while ((after = btf_find_essential(btf, name, btf_essential_len(name), after)))
		REQUIRE(++steps < btf_n_types(btf));
	btf_size(btf, id);
	btf_alignment(btf, id);
	btf_is_char(btf, id);
	REQUIRE(btf_skip_modifiers(btf, id) < btf_n_types(btf));
}

static void print_value(const struct btf *btf, uint32_t id)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_(value_format_freep) struct value_format *f = NULL;
	_cleanup_str_ struct str out = {};
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t size;
	int r = value_compile(btf, id, &rp, &f);

	require_sentence(r, &rp);
	if (r < 0)
		return;
	size = value_format_size(f);
	if (size > VALUE_MAX)
		return;
	bytes = malloc(size);
	if (size)
		memset(bytes, 0xa5, size);
	value_print(f, VALUE_JSON, bytes, size, &out);
	REQUIRE(str_error(&out) || json_is_valid(str_text(&out), out.len));
}

static void print_c(const struct btf *btf)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_str_ struct str out = {};

	require_sentence(btf_print_all(btf, &rp, &out), &rp);
	for (uint32_t id = 0; id < MIN(btf_n_types(btf), (uint32_t)LOOKED_AT); id++) {
		rp = (struct report)REPORT_INIT(NULL, NULL);
		str_truncate(&out, 0);
		require_sentence(btf_print_type(btf, id, &rp, &out), &rp);
	}
}

static void edit(const struct btf *btf)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_(btf_edit_freep) struct btf_edit *e = btf_edit_new(btf);
	_cleanup_(btf_unrefp) struct btf *again = NULL;

	REQUIRE(e);
	btf_edit_add_int(e, "fuzzed", 4, 0);
	REQUIRE(btf_edit_finish(e, &rp, &again) == 0);
	REQUIRE(btf_n_types(again) == btf_n_types(btf) + 1);
}

static void sanitize(struct btf *btf, uint32_t able)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_(btf_unrefp) struct btf *clean = NULL, *again = NULL;
	struct feature features;
	const void *bytes;
	size_t len;
	int r;

	for (int i = 0; i < N_FEATURES; i++)
		features.state[i] = able >> i & 1 ? 2 : 1;
	r = btf_sanitize(btf, &features, &rp, &clean);
	require_sentence(r, &rp);
	if (r < 0)
		return;
	REQUIRE(btf_n_types(clean) == btf_n_types(btf));
	bytes = btf_bytes(clean, &len);
	REQUIRE(btf_parse(bytes, len, "sanitized", NULL, &rp, &again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_(btf_unrefp) struct btf *btf = NULL;
	struct input in = INPUT(data, size);
	uint32_t able = take_u32(&in);
	/* A copy of its own size: reads behind its end are seen. */
	size_t len = input_left(&in);
	_cleanup_free_ void *blob = malloc(len);
	int r;

	if (len)
		memcpy(blob, in.pos, len);
	r = btf_parse(blob, len, "fuzzed", NULL, &rp, &btf);
	require_sentence(r, &rp);
	REQUIRE(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -ENOMEM);
	if (r < 0)
		return 0;
	btf_for_each_type (id, btf) {
		if (id >= LOOKED_AT)
			break;
		look_up(btf, id);
		print_value(btf, id);
	}
	edit(btf);
	sanitize(btf, able);
	print_c(btf);
	return 0;
}
