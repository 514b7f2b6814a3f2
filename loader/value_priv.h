/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * value_priv - the program that value_compile.c writes and value_print.c runs.
 *
 * Each step first copies a literal, then prints one thing that depends on the
 * value. The literal holds all that does not: the braces that open and close
 * before it, the comma, the key. So {"a":1,"at":{"x":2}} is three steps:
 *
 *	{"a":  u32      ,"at":{"x":  u32      }}  end
 *
 * There is a literal for each style. Offsets count from the start of the value
 * or, between LOOP and NEXT, of the loop's element.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/value.h"

enum { N_STYLES = 2, LIT_SLACK = 32 };

enum show {
	SHOW_END,   /* only the literal; the program ends */
	SHOW_LOOP,  /* @count elements of @stride bytes; @arg is the step behind its NEXT */
	SHOW_NEXT,  /* @arg is the step behind its LOOP */
	SHOW_CHARS, /* @count characters */
	/* From here on: @count elements of @stride bytes if @array, else one. */
	SHOW_UINT,
	SHOW_INT,
	SHOW_BOOL,
	SHOW_ENUM, /* @arg is the table */
	SHOW_PTR,
	SHOW_FLOAT,
	SHOW_DOUBLE,
	SHOW_WIDE,  /* over 64 bits: @bits from @bit */
	SHOW_BYTES, /* @stride bytes as they are */
};

/* How the bytes become the 64 bits that are shown. */
enum load {
	LOAD_U8,
	LOAD_U16,
	LOAD_U32,
	LOAD_U64,
	LOAD_UBITS, /* @bits from @bit */
	LOAD_I8,    /* from here on signed */
	LOAD_I16,
	LOAD_I32,
	LOAD_I64,
	LOAD_IBITS,
};

struct lit {
	uint32_t off, len; /* in the pool */
};

struct step {
	uint8_t show, load;
	uint8_t bit, bits;
	bool array;
	bool flexible; /* @count follows from the length of the value */
	uint32_t arg;
	uint64_t off, count, stride;
	struct lit lit[N_STYLES];
};

struct enum_value {
	uint64_t value; /* cut to the size of the enum */
	struct lit lit[N_STYLES];
};

/* Sorted by value, each value once. */
struct enum_table {
	uint32_t first, n; /* in values[] */
	uint32_t max_len;  /* of a name in JSON */
	uint64_t mask;
	bool dense; /* no gaps: the value is the index */
};

struct value_format {
	char *name;
	uint64_t size;
	bool flexible;
	struct step *steps;
	struct enum_table *tables;
	struct enum_value *values;
	char *pool; /* literals, and LIT_SLACK bytes that may be read behind the last */
};
