/* SPDX-License-Identifier: BSD-2-Clause */
/* Attach specs: a line. What is parsed, when written again in either form, is the same. */
#include <errno.h>

#include "base/str.h"
#include "loader/attach.h"
#include "loader/section.h"
#include "loader/spec.h"
#include "tests/fuzz/fuzz.h"

/* @raw: options and target as they were written; else decoded and written as canonical specs are.
 */
static void write_spec(const struct spec *s, bool raw, struct str *out)
{
	_cleanup_free_ char *target = NULL;
	size_t len = strlen(s->section);

	if (s->target) {
		REQUIRE(spec_decode(s->target, NULL, &target) == 0);
		REQUIRE(len >= strlen(target));
		len -= strlen(target);
	}
	str_add_mem(out, s->section, len);
	if (s->target && raw)
		str_add(out, s->target);
	else if (s->target)
		str_add_word(out, target, strlen(target));
	for (uint32_t i = 0; i < s->n_options; i++) {
		const struct spec_option *o = &s->options[i];

		str_printf(out, " %s", o->name);
		if (!o->value)
			continue;
		str_add_char(out, '=');
		if (raw)
			str_add(out, o->raw);
		else
			str_add_word(out, o->value, strlen(o->value));
	}
	if (s->as) {
		str_add(out, " as=");
		str_add_word(out, s->as, strlen(s->as));
	}
	REQUIRE(str_error(out) == 0);
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void round_trip(const struct spec *s, bool raw)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_str_ struct str line = {};
	_cleanup_(spec_freep) struct spec *again = NULL;

	write_spec(s, raw, &line);
	if (spec_parse(str_text(&line), &rp, &again) < 0) {
		fprintf(stderr, "'%s' is refused: %s\n", str_text(&line), rp.text);
		abort();
	}
	REQUIRE(!strcmp(s->section, again->section));
	REQUIRE(s->rule == again->rule);
	REQUIRE(same(s->as, again->as));
	REQUIRE(!s->target == !again->target);
	REQUIRE(s->n_options == again->n_options);
	for (uint32_t i = 0; i < s->n_options; i++) {
		REQUIRE(!strcmp(s->options[i].name, again->options[i].name));
		REQUIRE(same(s->options[i].value, again->options[i].value));
	}
}

/* Cut as attach kinds do: nothing may be lost but the separator. */
static void split(const char *encoded)
{
	struct report rp = REPORT_INIT(NULL, NULL);

	for (const char *sep = ":+,/"; *sep; sep++) {
		_cleanup_free_ char *head = NULL, *tail = NULL;
		int r = spec_split(encoded, *sep, &rp, &head, &tail);

		require_sentence(r, &rp);
		if (r < 0)
			return;
		REQUIRE(strlen(head) + (tail ? 1 + strlen(tail) : 0) == strlen(encoded));
		REQUIRE(!tail || encoded[strlen(head)] == *sep);
	}
}

static void take_lists(const struct spec *s)
{
	for (uint32_t i = 0; i < s->n_options; i++) {
		struct report rp = REPORT_INIT(NULL, NULL);
		const char *name = s->options[i].name;
		uint64_t *numbers = NULL, number;
		char **list = NULL;
		uint32_t n = 0;

		if (!s->options[i].value)
			continue;
		require_sentence(spec_u64(s, name, &rp, &number), &rp);
		require_sentence(spec_list(s, name, &rp, &list, &n), &rp);
		spec_list_free(list, n);
		require_sentence(spec_u64_list(s, name, &rp, &numbers, &n), &rp);
		free(numbers);
		split(s->options[i].raw);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	_cleanup_(spec_freep) struct spec *s = NULL, *automatic = NULL;
	struct input in = INPUT(data, size);
	_cleanup_free_ char *line = input_text(&in), *decoded = NULL;
	int r;

	require_sentence(spec_decode(line, &rp, &decoded), &rp);
	split(line);
	r = spec_from_section(line, &rp, &automatic);
	require_sentence(r, &rp);
	if (r == 0)
		round_trip(automatic, false);
	rp = (struct report)REPORT_INIT(NULL, NULL);
	r = spec_parse(line, &rp, &s);
	require_sentence(r, &rp);
	if (r < 0)
		return 0;
	round_trip(s, true);
	round_trip(s, false);
	if (s->target)
		split(s->target);
	take_lists(s);
	return 0;
}
