/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/info.h"

#include <pthread.h>
#include <unistd.h>

#include "bpf/kprog.h"
#include "fs/fs.h"
#include "tests/fake/sys.h"
#include "tests/unit/test.h"

static struct fs fs = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void describe(struct info *i)
{
	uint32_t ids[] = { 3, 1 };

	info_u64(i, "id", 7);
	info_str(i, "name", "a \"b\"");
	info_bool(i, "jited", true);
	info_hex(i, "flags", 0x400);
	info_i64(i, "prio", -1);
	info_ids(i, "map_ids", ids, 2);
	info_name(i, "type", NULL, 99);
	info_open_list(i, "funcs");
	for (int k = 0; k < 2; k++) {
		info_open_item(i, "func", !k);
		info_hex(i, "offset", 16 + k);
		info_u64(i, "cookie", k);
		info_close_item(i);
	}
	info_close_list(i);
	info_open(i, "x");
	info_str(i, "object", "exec");
	info_close(i);
}

TEST(one_description_makes_text_and_json)
{
	_cleanup_str_ struct str text = {}, json = {};
	struct info i = { .out = &text };

	describe(&i);
	CHECK_STR(text.data, "id: 7\nname: 'a \"b\"'\njited: true\nflags: 0x400\nprio: -1\n"
			     "map_ids: 3 1\ntype: 99\nfunc: offset=0x10 cookie=0\n"
			     "func: offset=0x11 cookie=1\nobject: exec\n");
	i = (struct info){ .out = &json, .json = true };
	describe(&i);
	CHECK_STR(json.data,
		  "\"id\":7,\"name\":\"a \\\"b\\\"\",\"jited\":true,\"flags\":1024,"
		  "\"prio\":-1,\"map_ids\":[3,1],\"type\":99,"
		  "\"funcs\":[{\"offset\":16,\"cookie\":0},{\"offset\":17,\"cookie\":1}],"
		  "\"x\":{\"object\":\"exec\"}");
}

static const char *spec_of(struct abi_link_info *info, const char *name, struct str *out)
{
	str_truncate(out, 0);
	return info_link_spec(-1, info, name, NULL, out) < 0 ? "(none)" : str_text(out);
}

TEST(foreign_links_are_told_as_specs)
{
	_cleanup_str_ struct str s = {};
	struct abi_link_info tp = { .type = BPF_LINK_TYPE_RAW_TRACEPOINT };
	struct abi_link_info up = { .type = BPF_LINK_TYPE_PERF_EVENT };
	struct abi_link_info xdp = { .type = BPF_LINK_TYPE_XDP };
	struct abi_link_info ops = { .type = BPF_LINK_TYPE_STRUCT_OPS };

	tp.raw_tracepoint.cookie = 3;
	CHECK_STR(spec_of(&tp, "sched_switch", &s), "raw_tp/sched_switch cookie=3");
	up.perf_event.type = ABI_PERF_EVENT_UPROBE;
	up.perf_event.uprobe.offset = 0x10;
	CHECK_STR(spec_of(&up, "/bin/sh", &s), "uprobe//bin/sh:0x10");
	up.perf_event.type = ABI_PERF_EVENT_URETPROBE;
	up.perf_event.uprobe.ref_ctr_offset = 0x20;
	up.perf_event.uprobe.cookie = 9;
	CHECK_STR(spec_of(&up, "/a b", &s), "uretprobe/'/a b':0x10 ref_ctr_offset=0x20 cookie=9");
	up = (struct abi_link_info){ .type = BPF_LINK_TYPE_PERF_EVENT };
	up.perf_event.type = ABI_PERF_EVENT_KPROBE;
	up.perf_event.kprobe.offset = 8;
	CHECK_STR(spec_of(&up, "do_unlinkat", &s), "kprobe/do_unlinkat+0x8");
	xdp.xdp.ifindex = 1;
	CHECK_STR(spec_of(&xdp, "", &s), "xdp dev=lo");
	/* Gone with its device, or of a kind of which too little is told. */
	xdp.xdp.ifindex = 0;
	CHECK(!info_link_attached(&xdp));
	CHECK_STR(spec_of(&xdp, "", &s), "(none)");
	CHECK_STR(spec_of(&ops, "", &s), "(none)");
	fake_sys_reset();
}

static int make_prog(const char *name)
{
	struct bpf_insn insns[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
				    { .code = BPF_JMP | BPF_EXIT } };
	struct kprog_spec spec = { .type = BPF_PROG_TYPE_XDP,
				   .name = name,
				   .insns = insns,
				   .n_insns = 2,
				   .license = "GPL" };
	int fd = kprog_load(&spec, NULL);

	CHECK(fd >= 0);
	return fd;
}

static int list(enum subject_kind kind, size_t want, struct str *out)
{
	struct entry entry = { "list.json", ENTRY_CURSOR, 0444, .arg = kind };
	struct call c = { .fs = &fs, .entry = &entry };
	void *state;
	int r = info_list_cursor.open(&c, &state);

	CHECK_EQ(r, 0);
	while ((r = info_list_cursor.fill(state, out, out->len + want, NULL)) == 1)
		;
	info_list_cursor.close(state);
	return r;
}

TEST(lists_are_one_json_array)
{
	_cleanup_str_ struct str none = {}, two = {};
	int a, b;

	CHECK_EQ(list(SUBJECT_PROG, 1, &none), 0);
	CHECK_STR(none.data, "[]\n");
	a = make_prog("first");
	b = make_prog("second");
	CHECK_EQ(list(SUBJECT_PROG, 1, &two), 0);
	CHECK(str_has_prefix(two.data, "[\n{\"id\":"));
	CHECK_HAS(two.data, "\"type\":\"xdp\",\"name\":\"first\"");
	CHECK_HAS(two.data, "},\n{\"id\":");
	CHECK_STR(two.data + two.len - 4, "}\n]\n");
	close(a);
	close(b);
	fake_sys_reset();
}

/* What goes between its id and its information is left out, comma and all. */
static int vanish(int cmd, void *attr, size_t size, bool *handled)
{
	struct abi_get_id *id = attr;

	(void)size;
	*handled = cmd == BPF_PROG_GET_FD_BY_ID && id->id == 2;
	return *handled ? -ENOENT : 0;
}

TEST(what_vanishes_meanwhile_leaves_valid_json)
{
	_cleanup_str_ struct str out = {};
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = make_prog("p");
	fake_sys_hook = vanish;
	CHECK_EQ(list(SUBJECT_PROG, 4096, &out), 0);
	fake_sys_hook = NULL;
	CHECK(!strstr(out.data, ",\n,") && !strstr(out.data, "\"id\":2,"));
	CHECK_HAS(out.data, "\"id\":1,");
	CHECK_HAS(out.data, "\"id\":3,");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	fake_sys_reset();
}
