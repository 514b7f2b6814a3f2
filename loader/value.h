/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * value - bytes shown by their type.
 *
 * A type is compiled once into a flat program (open brace, print a u32 at offset
 * 8 under this key, …), so that printing a record walks an array and not the
 * BTF: no lookups, no recursion, keys already quoted. The program is immutable
 * and may be run by many threads; it keeps no pointer into the BTF.
 *
 * JSON follows bpftool's typed dumps: {"pid":1,"comm":"bash","state":"RUNNING"}:
 * integers as numbers, bool as true/false, enums as their name in quotes (the
 * number, unquoted, if no enumerator has it), char arrays as strings up to their
 * NUL, other arrays as […], structs and unions as {…}, members of anonymous
 * members inlined, pointers as "0x…", float and double as numbers (null if not finite),
 * __int128 as "0x…", a single char as a number. Always valid JSON, whatever the bytes.
 *
 * Text is for people: `pid=1 comm=bash state=RUNNING args=[1,2] at={x=1,y=2}`:
 * the outermost struct without braces and its members separated by blanks,
 * inner ones in braces and separated by commas; strings by str_add_word(), a
 * bare string or number by itself; pointers in hex; void-like things as hex bytes.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/report.h"
#include "base/str.h"

struct btf;
struct value_format;

enum value_style { VALUE_TEXT, VALUE_JSON };

/**
 * value_compile() - make the program for a type
 * @type_id: any type with a size; exists in @btf
 *
 * A datasec is shown as a struct of its variables. Elements of no bytes are not
 * shown, however many an array has: [].
 *
 * Return: 0; -EINVAL for a type without a size (sentence names it); -E2BIG if it
 * nests deeper than BTF_MAX_DEPTH, comes to over 64 Ki steps, or overlaps so much
 * that a byte would print as thousands; -EBADMSG if a member reaches behind its
 * struct; -ENOMEM.
 */
int value_compile(const struct btf *btf, uint32_t type_id, struct report *rp,
		  struct value_format **ret);
void value_format_free(struct value_format *f);
DEFINE_CLEANUP(struct value_format, value_format_free)

/* Bytes of the type; a flexible array at its end counts 0. */
size_t value_format_size(const struct value_format *f);
/* Can a value have @len bytes? Equal to the size, or more if it ends in a flexible array. */
bool value_format_fits(const struct value_format *f, size_t len);
/* "struct event", "int": as C would say it. */
const char *value_format_name(const struct value_format *f);

/* value_print() - add the value to @out; as value_print_bytes() if @len does not fit. No newline. */
void value_print(const struct value_format *f, enum value_style style, const void *data, size_t len,
		 struct str *out);

/* value_print_bytes() - bytes without a type: "0x00ff…" in quotes for JSON, bare for text. */
void value_print_bytes(enum value_style style, const void *data, size_t len, struct str *out);
