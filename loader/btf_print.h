/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * btf_print - types as C that compiles and has the same layout.
 *
 * Each named type is declared once, in an order in which a compiler knows what
 * it needs: a definition where a value is contained, a forward declaration where
 * a pointer leads. Types without a name are written where they are used. BTF
 * knows offsets but not attributes, so holes become unnamed bit fields, members
 * that no compiler would put there make a type packed, and a layout that C cannot
 * say becomes bytes. Two types of one name: the second is "name___2", which
 * CO-RE takes for the same name. What is no identifier becomes one ('_').
 *
 * Variables, functions and sections follow as comments.
 */
#include <stdint.h>

#include "base/report.h"

struct btf;
struct str;

/**
 * btf_print_all() - all types of @btf
 * @out: gets the text appended; on failure the text so far
 *
 * Of a split BTF its own types; those of its base are taken as declared.
 *
 * Return: 0; -EINVAL if a type contains itself; -E2BIG if types nest too deep or
 * would be written out too many times; -ENOMEM.
 */
int btf_print_all(const struct btf *btf, struct report *rp, struct str *out);

/**
 * btf_print_type() - the definition of one type, without those that it needs
 * @id: any type of @btf; functions and variables are printed as declarations
 *
 * Return: as btf_print_all(); -EINVAL if @id does not exist or cannot be declared
 * alone (a pointer, an array, void, …).
 */
int btf_print_type(const struct btf *btf, uint32_t id, struct report *rp, struct str *out);
