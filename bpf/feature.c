/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/feature.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>
#include <sys/resource.h>

#include "base/bits.h"
#include "base/cleanup.h"
#include "bpf/abi.h"
#include "bpf/insn.h"
#include "bpf/kbtf.h"
#include "bpf/klink.h"
#include "bpf/kmap.h"
#include "bpf/kprog.h"

static int load_insns(uint32_t type, uint32_t attach_type, const struct bpf_insn *insns, size_t n)
{
	struct kprog_spec spec = {
		.type = type,
		.expected_attach_type = attach_type,
		.insns = insns,
		.n_insns = n,
		.license = "GPL",
	};

	return kprog_load(&spec, NULL);
}

/* The smallest program there is. */
static int load_trivial(uint32_t type, uint32_t attach_type)
{
	const struct bpf_insn insns[] = { INSN_MOV64_IMM(BPF_REG_0, 0), INSN_EXIT() };

	return load_insns(type, attach_type, insns, ARRAY_SIZE(insns));
}

static int create_array(uint32_t flags, const char *name)
{
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 32,
		.max_entries = 1,
		.flags = flags,
		.name = name,
	};

	return kmap_create(&spec);
}

/* A probe's last step: did it get a descriptor? */
static bool got(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Maps and programs got their names in the same release. */
static bool probe_prog_name(void)
{
	return got(create_array(0, "feature"));
}

static bool probe_global_data(void)
{
	_cleanup_close_ int map = create_array(0, NULL);
	const struct bpf_insn insns[] = {
		INSN_LD_IMM64(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, map, 16),
		INSN_ST_MEM(BPF_DW, BPF_REG_1, 0, 42),
		INSN_MOV64_IMM(BPF_REG_0, 0),
		INSN_EXIT(),
	};

	return map >= 0 &&
	       got(load_insns(BPF_PROG_TYPE_SOCKET_FILTER, 0, insns, ARRAY_SIZE(insns)));
}

/* Offsets in the strings below. */
enum { NAME_X = 1, NAME_INT = 3, NAME_SEC = 7 };
static const char btf_strings[] = "\0x\0int\0.data";

/* The three words that every type starts with. */
#define BTF_TYPE(name, kind, vlen, size_or_type) \
	(name), (uint32_t)(BTF_KIND_##kind) << 24 | (vlen), (size_or_type)
/* [1] a 4-byte signed integer, in each blob that needs one */
#define BTF_INT	    BTF_TYPE(NAME_INT, INT, 0, 4), BTF_INT_SIGNED << 24 | 32
#define BTF_VAR_OF1 BTF_TYPE(NAME_X, VAR, 0, 1), BTF_VAR_STATIC

static bool probe_btf_types(const uint32_t *types, size_t size)
{
	struct {
		struct btf_header header;
		unsigned char data[128];
	} blob = {
		.header = {
			.magic = BTF_MAGIC,
			.version = BTF_VERSION,
			.hdr_len = sizeof(blob.header),
			.type_len = size,
			.str_off = size,
			.str_len = sizeof(btf_strings),
		},
	};

	memcpy(blob.data, types, size);
	memcpy(blob.data + size, btf_strings, sizeof(btf_strings));
	return got(kbtf_load(&blob, sizeof(blob.header) + size + sizeof(btf_strings), 0, NULL));
}

static bool probe_btf(void)
{
	const uint32_t types[] = { BTF_INT };

	return probe_btf_types(types, sizeof(types));
}

static bool probe_btf_func_linkage(uint32_t linkage)
{
	const uint32_t types[] = {
		BTF_INT,
		/* [2] void (int x) */
		BTF_TYPE(0, FUNC_PROTO, 1, 0),
		NAME_X,
		1,
		BTF_TYPE(NAME_X, FUNC, linkage, 2),
	};

	return probe_btf_types(types, sizeof(types));
}

static bool probe_btf_func(void)
{
	return probe_btf_func_linkage(BTF_FUNC_STATIC);
}

static bool probe_btf_global_func(void)
{
	return probe_btf_func_linkage(BTF_FUNC_GLOBAL);
}

static bool probe_btf_datasec(void)
{
	const uint32_t types[] = { BTF_INT, BTF_VAR_OF1,
				   /* [3] variable 2 at 0, 4 bytes */
				   BTF_TYPE(NAME_SEC, DATASEC, 1, 4), 2, 0, 4 };

	return probe_btf_types(types, sizeof(types));
}

static bool probe_btf_float(void)
{
	const uint32_t types[] = { BTF_TYPE(NAME_X, FLOAT, 0, 4) };

	return probe_btf_types(types, sizeof(types));
}

static bool probe_btf_decl_tag(void)
{
	/* On the variable as a whole. */
	const uint32_t types[] = { BTF_INT, BTF_VAR_OF1, BTF_TYPE(NAME_X, DECL_TAG, 0, 2),
				   UINT32_MAX };

	return probe_btf_types(types, sizeof(types));
}

static bool probe_btf_type_tag(void)
{
	const uint32_t types[] = { BTF_INT, BTF_TYPE(NAME_X, TYPE_TAG, 0, 1),
				   BTF_TYPE(0, PTR, 0, 2) };

	return probe_btf_types(types, sizeof(types));
}

static bool probe_btf_enum64(void)
{
	const uint32_t types[] = { BTF_TYPE(0, ENUM64, 1, 8), NAME_X, 0, 1 };

	return probe_btf_types(types, sizeof(types));
}

static bool probe_array_mmap(void)
{
	return got(create_array(BPF_F_MMAPABLE, NULL));
}

static bool probe_probe_read_kernel(void)
{
	const struct bpf_insn insns[] = {
		INSN_MOV64_REG(BPF_REG_1, BPF_REG_10),
		INSN_ALU64_IMM(BPF_ADD, BPF_REG_1, -8),
		INSN_MOV64_IMM(BPF_REG_2, 8),
		INSN_MOV64_IMM(BPF_REG_3, 0),
		INSN_CALL(BPF_FUNC_probe_read_kernel),
		INSN_MOV64_IMM(BPF_REG_0, 0),
		INSN_EXIT(),
	};

	/* Tracepoint: a kprobe program would have to name the kernel's version on old kernels. */
	return got(load_insns(BPF_PROG_TYPE_TRACEPOINT, 0, insns, ARRAY_SIZE(insns)));
}

static bool probe_bind_map(void)
{
	_cleanup_close_ int map = create_array(0, NULL);
	_cleanup_close_ int prog = load_trivial(BPF_PROG_TYPE_SOCKET_FILTER, 0);

	return map >= 0 && prog >= 0 && kprog_bind_map(prog, map) == 0;
}

/* A kernel that knows these links looks for the event first and finds none. */
static bool probe_perf_link(void)
{
	_cleanup_close_ int prog = load_trivial(BPF_PROG_TYPE_TRACEPOINT, 0);
	struct abi_link_create attr = {
		.prog_fd = prog,
		.target_fd = -1,
		.attach_type = BPF_PERF_EVENT,
	};
	int fd;

	if (prog < 0)
		return false;
	fd = klink_create(&attr, ABI_SIZE(struct abi_link_create, flags));
	return !got(fd) && fd == -EBADF;
}

static bool probe_cookie(void)
{
	const struct bpf_insn insns[] = {
		INSN_CALL(BPF_FUNC_get_attach_cookie),
		INSN_MOV64_IMM(BPF_REG_0, 0),
		INSN_EXIT(),
	};

	return got(load_insns(BPF_PROG_TYPE_KPROBE, 0, insns, ARRAY_SIZE(insns)));
}

/*
 * What the memory of a map is counted by cannot be seen without spoiling the
 * limit of the whole process, so this looks for a helper of the same release.
 */
static bool probe_memcg(void)
{
	const struct bpf_insn insns[] = {
		INSN_CALL(BPF_FUNC_ktime_get_coarse_ns),
		INSN_MOV64_IMM(BPF_REG_0, 0),
		INSN_EXIT(),
	};

	return got(load_insns(BPF_PROG_TYPE_SOCKET_FILTER, 0, insns, ARRAY_SIZE(insns)));
}

/* A kernel that knows these links looks at the file first: a folder is none. */
static bool probe_uprobe_link(uint32_t attach_type)
{
	_cleanup_close_ int prog = load_trivial(BPF_PROG_TYPE_KPROBE, attach_type);
	uint64_t offset = 0;
	struct abi_link_create attr = {
		.prog_fd = prog,
		.attach_type = attach_type,
		.uprobe_multi = {
			.path = ptr_to_u64("/"),
			.offsets = ptr_to_u64(&offset),
			.cnt = 1,
		},
	};
	int fd;

	if (prog < 0)
		return false;
	fd = klink_create(&attr, ABI_SIZE(struct abi_link_create, uprobe_multi.pid));
	return !got(fd) && fd == -EBADF;
}

static bool probe_uprobe_multi(void)
{
	return probe_uprobe_link(ABI_TRACE_UPROBE_MULTI);
}

static bool probe_uprobe_session(void)
{
	return probe_uprobe_link(ABI_TRACE_UPROBE_SESSION);
}

static bool probe_ringbuf(void)
{
	struct kmap_spec spec = {
		.type = BPF_MAP_TYPE_RINGBUF,
		.max_entries = sysconf(_SC_PAGESIZE),
	};

	return got(kmap_create(&spec));
}

static const struct {
	const char *name;
	bool (*probe)(void);
} features[] = {
	[FEATURE_PROG_NAME] = { "prog_name", probe_prog_name },
	[FEATURE_GLOBAL_DATA] = { "global_data", probe_global_data },
	[FEATURE_BTF] = { "btf", probe_btf },
	[FEATURE_BTF_FUNC] = { "btf_func", probe_btf_func },
	[FEATURE_BTF_GLOBAL_FUNC] = { "btf_global_func", probe_btf_global_func },
	[FEATURE_BTF_DATASEC] = { "btf_datasec", probe_btf_datasec },
	[FEATURE_BTF_FLOAT] = { "btf_float", probe_btf_float },
	[FEATURE_BTF_DECL_TAG] = { "btf_decl_tag", probe_btf_decl_tag },
	[FEATURE_BTF_TYPE_TAG] = { "btf_type_tag", probe_btf_type_tag },
	[FEATURE_BTF_ENUM64] = { "btf_enum64", probe_btf_enum64 },
	[FEATURE_ARRAY_MMAP] = { "array_mmap", probe_array_mmap },
	[FEATURE_PROBE_READ_KERN] = { "probe_read_kern", probe_probe_read_kernel },
	[FEATURE_BIND_MAP] = { "bind_map", probe_bind_map },
	[FEATURE_PERF_LINK] = { "perf_link", probe_perf_link },
	[FEATURE_COOKIE] = { "cookie", probe_cookie },
	[FEATURE_MEMCG] = { "memcg", probe_memcg },
	[FEATURE_UPROBE_MULTI] = { "uprobe_multi", probe_uprobe_multi },
	[FEATURE_UPROBE_SESSION] = { "uprobe_session", probe_uprobe_session },
	[FEATURE_RINGBUF] = { "ringbuf", probe_ringbuf },
};
_Static_assert(ARRAY_SIZE(features) == N_FEATURES, "a row per feature");

bool feature_has(struct feature *f, enum feature_id id)
{
	enum { UNKNOWN, NO, YES };
	signed char state = __atomic_load_n(&f->state[id], __ATOMIC_RELAXED);

	if (state == UNKNOWN) {
		signed char seen = UNKNOWN;

		state = feature_probe_uncached(id) ? YES : NO;
		/* Whoever is first decides for all, should the kernel waver. */
		if (!__atomic_compare_exchange_n(&f->state[id], &seen, state, false,
						 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			state = seen;
	}
	return state == YES;
}

const char *feature_name(enum feature_id id)
{
	return features[id].name;
}

bool feature_probe_uncached(enum feature_id id)
{
	return features[id].probe();
}

int feature_raise_memlock(struct feature *f)
{
	const struct rlimit no_limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (feature_has(f, FEATURE_MEMCG))
		return 0;
	return setrlimit(RLIMIT_MEMLOCK, &no_limit) < 0 ? -errno : 0;
}
