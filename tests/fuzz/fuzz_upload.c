/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images that are copied in, in any order of writes: taken when the last byte
 * that they need has come, not before, and as they were written.
 *
 *	a count of steps; each: what, then where and how long if it is a write
 *	the rest: the file that is copied
 *
 * The code under test is included, because what it does then (make an object of
 * the image) is replaced here; its struct is looked at, too.
 */
#define instance_call	    fake_instance_call
#define instance_ref	    fake_instance_ref
#define instance_unref	    fake_instance_unref
#define instance_set_failed fake_instance_set_failed
#include "fs/upload.c"

#include "tests/fuzz/fuzz.h"

enum { MAX_STEPS = 64, MAX_LEN = 1 << 17, MAX_SIZE = 1 << 18 };

/* What must have happened: the bytes so far, and which of them were written. */
static uint8_t bytes[MAX_SIZE];
static bool was_written[MAX_SIZE];
static size_t len;
static unsigned n_taken;

/* Something has become an object: it must be all that was written. */
int fake_instance_call(struct instance *inst, int (*fn)(struct instance *inst, void *arg),
		       void *arg)
{
	struct take *t = arg;

	(void)inst;
	REQUIRE(fn == take_open_load);
	REQUIRE(t->image->len == len && !memcmp(t->image->data, bytes, len));
	n_taken++;
	return 0;
}

struct instance *fake_instance_ref(struct instance *inst)
{
	return inst;
}

void fake_instance_unref(struct instance *inst)
{
	(void)inst;
}

void fake_instance_set_failed(struct instance *inst, const struct report *rp)
{
	(void)inst;
	(void)rp;
}

/* Is the image whole, judged one byte at a time? */
static bool is_whole(void)
{
	uint64_t extent;

	if (image_extent(bytes, len, &extent) != 0 || extent > len)
		return false;
	for (uint64_t i = 0; i < extent; i++)
		if (!was_written[i])
			return false;
	return true;
}

static void do_write(struct image_file *f, struct input *in, const struct input *file)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	uint8_t form = take_u8(in);
	size_t off = take_u16(in), n = take_u16(in);
	bool whole = f->whole, failed = f->failed;
	unsigned before = n_taken;
	uint8_t *data;
	int r;

	/* Mostly blocks, as copying programs do. */
	if (form & 1)
		off = off % 64 * 512;
	if (form & 2)
		n = (n % 64 + 1) * 512;
	n = MIN(n, input_left(file) > off ? input_left(file) - off : form & 4 ? 0 : 8);
	data = malloc(n + 1);
	REQUIRE(data);
	for (size_t i = 0; i < n; i++)
		data[i] = form & 0x80 ? form : off + i < input_left(file) ? file->pos[off + i] : 0;
	if (n && !failed) {
		if (off + n > len)
			memset(bytes + len, 0, off + n - len), len = off + n;
		memcpy(bytes + off, data, n);
		memset(was_written + off, true, n);
	}
	r = image_file_write(f, data, n, off, 1, NULL, &rp);
	require_sentence(r, &rp);
	free(data);
	if (!n)
		REQUIRE(r == 0 && n_taken == before);
	else if (failed)
		REQUIRE(r < 0 && n_taken == before);
	else if (r == 0)
		REQUIRE(f->bytes.len == len && !memcmp(f->bytes.data, bytes, len));
	if (n && !failed && !whole)
		REQUIRE((n_taken == before + 1) == (r == 0 && is_whole()));
	if (whole)
		REQUIRE(n_taken == before);
}

static void do_truncate(struct image_file *f, struct input *in)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	size_t size = take_u8(in) >= 0x80 ? 0 : take_u16(in);

	require_sentence(image_file_truncate(f, size, &rp), &rp);
	if (size > len)
		memset(bytes + len, 0, size - len);
	else
		memset(was_written + size, false, len - size);
	len = size;
	REQUIRE(f->bytes.len == len);
}

static void do_flush(struct image_file *f)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	unsigned before = n_taken;
	bool dirty = image_file_dirty(f);
	int r = image_file_flush(f, 1, NULL, &rp);

	require_sentence(r, &rp);
	REQUIRE(n_taken == before + (dirty && r == 0));
	REQUIRE(r < 0 || !image_file_dirty(f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct fs fs = {};
	char instance;
	struct subject self = { .kind = SUBJECT_OBJECT };
	struct image_file *f = NULL;
	struct input in = INPUT(data, size), steps = take_part(&in, take_u8(&in) % MAX_STEPS * 6);

	if (input_left(&in) > MAX_LEN)
		return 0;
	memset(bytes, 0, len);
	memset(was_written, 0, sizeof(was_written));
	len = n_taken = 0;
	pthread_mutex_init(&fs.lock, NULL);
	REQUIRE(image_file_open(&fs, &self, O_WRONLY | O_TRUNC, &rp, &f) == 0);
	f->inst = (struct instance *)&instance;
	while (input_left(&steps)) {
		uint8_t what = take_u8(&steps);

		if (what < 0xe0)
			do_write(f, &steps, &in);
		else if (what < 0xf0)
			do_truncate(f, &steps);
		else
			do_flush(f);
	}
	image_file_release(f, 1);
	image_file_free(f);
	pthread_mutex_destroy(&fs.lock);
	return 0;
}
