/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernel/attach_util.h"

#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "bpf/insn.h"
#include "bpf/klink.h"
#include "bpf/kmap.h"
#include "bpf/kobj.h"
#include "bpf/kprog.h"
#include "loader/spec.h"
#include "tests/unit/test.h"

static struct feature features;

struct attach_env env = { .features = &features };

void need_feature(enum feature_id id)
{
	if (!feature_has(&features, id))
		SKIP("the kernel lacks %s", feature_name(id));
}

static int make_map(void)
{
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = sizeof(struct counts),
		.max_entries = 1,
		.name = "test_attach",
	};
	int fd = kmap_create(&spec);

	if (fd == -EPERM)
		SKIP("bpf(2) is not permitted");
	CHECK(fd >= 0);
	return fd;
}

struct counter counter_new(uint32_t type, uint32_t attach_type, int retval, unsigned flags,
			   const struct counter *share, uint32_t mark)
{
	int map = share ? dup(share->map_fd) : make_map();
	struct bpf_insn insns[32];
	struct kprog_spec spec = {
		.type = type,
		.expected_attach_type = attach_type,
		.name = "test_attach",
		.insns = insns,
		.license = "GPL",
	};
	_cleanup_str_ struct str log = {};
	uint32_t n = 0;
	int fd;

#define ADD(...)                                                \
	do {                                                    \
		const struct bpf_insn add_[] = { __VA_ARGS__ }; \
		memcpy(&insns[n], add_, sizeof(add_));          \
		n += sizeof(add_) / sizeof(add_[0]);            \
	} while (0)
	ADD(INSN_LD_IMM64(BPF_REG_7, BPF_PSEUDO_MAP_VALUE, map, 0));
	if (flags & COUNTER_COOKIE)
		ADD(INSN_CALL(BPF_FUNC_get_attach_cookie),
		    INSN_STX_MEM(BPF_DW, BPF_REG_7, BPF_REG_0, offsetof(struct counts, cookie)));
	ADD(INSN_ST_MEM(BPF_DW, BPF_REG_7, offsetof(struct counts, mark), mark),
	    INSN_MOV64_IMM(BPF_REG_1, 1),
	    INSN(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_7, BPF_REG_1, offsetof(struct counts, hits),
		 BPF_ADD),
	    INSN_MOV64_IMM(BPF_REG_0, retval), INSN_EXIT());
#undef ADD
	spec.n_insns = n;
	fd = kprog_load(&spec, &log);
	if (fd < 0)
		FAIL("cannot load: %s: %s", errno_name(fd), str_text(&log));
	return (struct counter){ map, { fd, "counter", type, attach_type } };
}

void counter_close(struct counter *c)
{
	close(c->map_fd);
	close(c->prog.fd);
}

struct counts counter_read(const struct counter *c)
{
	struct counts counts = {};
	uint32_t key = 0;

	CHECK_EQ(kmap_lookup(c->map_fd, &key, &counts, 0), 0);
	return counts;
}

static int try_attach(const struct counter *c, const char *text, struct report *rp,
		      struct attachment **ret)
{
	_cleanup_(spec_freep) struct spec *s = NULL;
	int r = spec_parse(text, rp, &s);

	return r < 0 ? r : attach(&env, &c->prog, s, rp, ret);
}

struct attachment *attach_ok(const struct counter *c, const char *spec)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct attachment *a = NULL;
	int r = try_attach(c, spec, &rp, &a);

	if (r < 0)
		FAIL("'%s' gave %s: %s", spec, errno_name(r), rp.text);
	CHECK(a->n_fds >= 1 && a->spec);
	return a;
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

void attach_refused(const struct counter *c, const char *spec, int err, const char *part)
{
	struct report rp = REPORT_INIT(NULL, NULL);
	struct attachment *a = NULL;
	int fds = count_fds(), r = try_attach(c, spec, &rp, &a);

	if (r != err)
		FAIL("'%s' gave %s (%s), not %s", spec, errno_name(r), rp.text, errno_name(err));
	CHECK(!a);
	CHECK_HAS(rp.text, part);
	CHECK(rp.text[strlen(rp.text) - 1] != '.');
	CHECK_EQ(count_fds(), fds);
}

struct attachment *attach_same(const struct counter *c, const char *spec, const char *canonical)
{
	struct attachment *a = attach_ok(c, spec), *again;

	CHECK_STR(a->spec, canonical);
	attachment_free(a);
	again = attach_ok(c, canonical);
	CHECK_STR(again->spec, canonical);
	return again;
}

const char *fmt(const char *format, ...)
{
	static char texts[8][1024];
	static unsigned next;
	char *text = texts[next++ % 8];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(texts[0]), format, ap);
	va_end(ap);
	return text;
}

bool link_exists(uint32_t id)
{
	int fd = kobj_fd_by_id(KOBJ_LINK, id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}
