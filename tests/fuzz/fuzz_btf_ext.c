/* SPDX-License-Identifier: BSD-2-Clause */
/* .BTF.ext: two bytes of length, that much BTF, then the section. A whole object's, cut out. */
#include <errno.h>

#include "loader/btf.h"
#include "loader/btf_ext.h"
#include "loader/core.h"
#include "tests/fuzz/fuzz.h"

static void check_section(const struct btf *btf, const struct ext_section *s)
{
	char text[256];

	for (uint32_t i = 0; i < s->n_funcs; i++) {
		REQUIRE(s->funcs[i].type_id < btf_n_types(btf));
		REQUIRE(btf_kind(btf_type(btf, s->funcs[i].type_id)) == BTF_KIND_FUNC);
		REQUIRE(!i || s->funcs[i - 1].insn <= s->funcs[i].insn);
	}
	for (uint32_t i = 0; i < s->n_lines; i++) {
		REQUIRE(btf_has_str(btf, s->lines[i].file_name_off));
		REQUIRE(btf_has_str(btf, s->lines[i].line_off));
		REQUIRE(!i || s->lines[i - 1].insn <= s->lines[i].insn);
	}
	for (uint32_t i = 0; i < s->n_cores; i++) {
		REQUIRE(s->cores[i].type_id < btf_n_types(btf));
		REQUIRE(btf_has_str(btf, s->cores[i].access_off));
		REQUIRE(!i || s->cores[i - 1].insn <= s->cores[i].insn);
		core_describe(btf, &s->cores[i], text, sizeof(text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_(btf_unrefp) struct btf *btf = NULL;
	_cleanup_(btf_ext_freep) struct btf_ext *ext = NULL;
	struct input in = INPUT(data, size), types = take_part(&in, take_u16(&in));
	_cleanup_free_ void *blob = NULL;
	size_t len = input_left(&in);
	int r;

	if (btf_parse(types.pos, input_left(&types), "types", NULL, &rp, &btf) < 0)
		return 0;
	blob = malloc(len);
	if (len)
		memcpy(blob, in.pos, len);
	/* The other byte order is told by its magic. */
	for (int swap = 0; swap <= 1; swap++) {
		r = btf_ext_parse(blob, len, BTF_EXT_ALL, swap, btf, &rp, &ext);
		require_sentence(r, &rp);
		REQUIRE(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -ENOMEM);
		for (uint32_t i = 0; r == 0 && i < ext->n_sections; i++) {
			check_section(btf, &ext->sections[i]);
			REQUIRE(btf_ext_section(ext, ext->sections[i].name));
		}
		btf_ext_free(take_ptr(ext));
	}
	return 0;
}
