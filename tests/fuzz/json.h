/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* json - is this text JSON? As RFC 8259 says, and strictly: whole, UTF-8, no lone surrogates. */
#include <stdbool.h>
#include <stddef.h>

/* @text: @len bytes, one value with nothing but blanks around it, nested 200 deep at most. */
bool json_is_valid(const char *text, size_t len);
