/* SPDX-License-Identifier: BSD-2-Clause */
#include "loader/reader.h"

#include "tests/unit/test.h"

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 'h', 'i', 0, 'x' };

static struct report rp = REPORT_INIT(NULL, NULL);

static struct reader open_bytes(bool swap)
{
	struct reader rd;

	reader_init(&rd, bytes, sizeof(bytes), swap, "file", &rp);
	return rd;
}

TEST(reads_in_native_order)
{
	struct reader rd = open_bytes(false);
	uint8_t u8;
	uint16_t u16, want16;
	uint32_t u32, want32;
	uint64_t u64, want64;

	memcpy(&want16, bytes + 1, 2);
	memcpy(&want32, bytes + 3, 4);
	CHECK_EQ(reader_u8(&rd, &u8), 0);
	CHECK_EQ(u8, 1);
	CHECK_EQ(reader_u16(&rd, &u16), 0);
	CHECK_EQ(u16, want16);
	CHECK_EQ(reader_u32(&rd, &u32), 0);
	CHECK_EQ(u32, want32);
	CHECK_EQ(reader_offset(&rd), 7);
	CHECK_EQ(reader_left(&rd), sizeof(bytes) - 7);
	CHECK_EQ(reader_seek(&rd, 0), 0);
	memcpy(&want64, bytes, 8);
	CHECK_EQ(reader_u64(&rd, &u64), 0);
	CHECK(u64 == want64);
}

TEST(swaps_what_has_the_other_order)
{
	struct reader rd = open_bytes(true);
	uint16_t u16, native16;
	uint32_t u32, native32;
	uint64_t u64, native64;

	memcpy(&native16, bytes, 2);
	memcpy(&native32, bytes, 4);
	memcpy(&native64, bytes, 8);
	CHECK_EQ(reader_u16(&rd, &u16), 0);
	CHECK_EQ(u16, __builtin_bswap16(native16));
	CHECK_EQ(reader_seek(&rd, 0), 0);
	CHECK_EQ(reader_u32(&rd, &u32), 0);
	CHECK_EQ(u32, __builtin_bswap32(native32));
	CHECK_EQ(reader_seek(&rd, 0), 0);
	CHECK_EQ(reader_u64(&rd, &u64), 0);
	CHECK(u64 == __builtin_bswap64(native64));
}

TEST(says_where_it_ends_and_leaves_the_output_alone)
{
	struct reader rd = open_bytes(false);
	uint32_t u32 = 77;
	uint64_t u64 = 77;
	const void *p = &rd;

	CHECK_EQ(reader_skip(&rd, 10), 0);
	CHECK_EQ(reader_u32(&rd, &u32), -EBADMSG);
	CHECK_STR(rp.text, "file+0xa: need 4 bytes, have 2");
	CHECK_EQ(u32, 77);
	CHECK_EQ(reader_u64(&rd, &u64), -EBADMSG);
	CHECK_EQ(u64, 77);
	CHECK_EQ(reader_bytes(&rd, SIZE_MAX, &p), -EBADMSG);
	CHECK(p == &rd);
	CHECK_EQ(reader_skip(&rd, 3), -EBADMSG);
	CHECK_EQ(reader_skip(&rd, 2), 0);
	CHECK_EQ(reader_u8(&rd, (uint8_t *)&u32), -EBADMSG);
	CHECK_STR(rp.text, "file+0xc: need 1 byte, have 0");
}

TEST(seeks_to_the_end_but_not_behind_it)
{
	struct reader rd = open_bytes(false);

	CHECK_EQ(reader_seek(&rd, sizeof(bytes)), 0);
	CHECK_EQ(reader_left(&rd), 0);
	CHECK_EQ(reader_seek(&rd, sizeof(bytes) + 1), -EBADMSG);
	CHECK_HAS(rp.text, "file+0xd: ");
	CHECK_EQ(reader_seek(&rd, SIZE_MAX), -EBADMSG);
	CHECK_EQ(reader_offset(&rd), sizeof(bytes));
}

TEST(strings_end_inside)
{
	struct reader rd = open_bytes(false);
	const char *s = NULL;

	CHECK_EQ(reader_seek(&rd, 8), 0);
	CHECK_EQ(reader_cstr(&rd, &s), 0);
	CHECK_STR(s, "hi");
	CHECK_EQ(reader_offset(&rd), 11);
	CHECK_EQ(reader_cstr(&rd, &s), -EBADMSG);
	CHECK_HAS(rp.text, "file+0xb: ");
	CHECK_STR(s, "hi");
}

TEST(nothing_is_an_input_too)
{
	struct reader rd;
	const void *p = NULL;
	uint8_t u8;

	reader_init(&rd, NULL, 0, false, "nothing", &rp);
	CHECK_EQ(reader_left(&rd), 0);
	CHECK_EQ(reader_bytes(&rd, 0, &p), 0);
	CHECK(p);
	CHECK_EQ(reader_u8(&rd, &u8), -EBADMSG);
	CHECK_STR(rp.text, "nothing+0x0: need 1 byte, have 0");
}

TEST(works_without_a_report)
{
	struct reader rd;
	uint16_t u16;

	reader_init(&rd, bytes, 1, false, "file", NULL);
	CHECK_EQ(reader_u16(&rd, &u16), -EBADMSG);
	CHECK_EQ(reader_fail(&rd, "no"), -EBADMSG);
}
