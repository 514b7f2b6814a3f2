/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a path to a value, and from the object's and the kernel's value to an
 * instruction. The compiler wrote what it knew of the object's types; where that
 * is unambiguous the instruction must still hold it, or the relocation is not for
 * this instruction.
 */
#include <errno.h>
#include <stdint.h>

#include "base/bits.h"
#include "bpf/insn.h"
#include "loader/core_internal.h"

/* A field as bits, and the aligned integer that is loaded to get at a bit field. */
struct field {
	const struct btf_type *type; /* modifiers skipped */
	uint32_t type_id;
	bool is_bits;
	uint64_t bit_off, bits;
	uint64_t byte_off, bytes; /* of what is loaded */
};

static const char *whose(const struct core_job *job, const struct core_path *path)
{
	return path->btf == job->local ? "the object" : "the kernel";
}

static bool is_number(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_INT || core_is_enum(t);
}

/* 0 for a member that is no bit field, of either style. */
static uint32_t bits_of_member(const struct btf_type *composite, uint32_t i,
			       const struct btf_type *t)
{
	if (btf_kflag(composite) || btf_kind(t) != BTF_KIND_INT)
		return btf_member_bits(composite, i);
	return BTF_INT_BITS(btf_int_info(t)) < t->size * 8 ? BTF_INT_BITS(btf_int_info(t)) : 0;
}

/* The smallest aligned integer, at least of the declared type, that has all the bits. */
static int place_bits(const struct core_job *job, const struct core_path *path, struct field *f)
{
	if (!is_number(f->type) || !is_pow2(f->type->size))
		return core_fail(job, -EINVAL, "type %u of %s is no integer to have bit fields in",
				 f->type_id, whose(job, path));
	for (f->bytes = f->type->size; f->bytes <= 8; f->bytes *= 2) {
		f->byte_off = f->bit_off / 8 / f->bytes * f->bytes;
		if (f->bit_off + f->bits <= (f->byte_off + f->bytes) * 8)
			return 0;
	}
	return core_fail(job, -EINVAL,
			 "no integer of up to 8 bytes has all of the bit field at bit %llu of %s",
			 (unsigned long long)f->bit_off, whose(job, path));
}

static int find_field(const struct core_job *job, const struct core_path *path, struct field *ret)
{
	const struct core_step *last = &path->steps[path->n_steps - 1];
	struct field f = { .bit_off = path->bit_off, .type_id = last->type_id };
	int64_t size;

	if (last->name) {
		const struct btf_type *t = btf_type(path->btf, last->type_id);

		f.type_id = btf_skip_modifiers(path->btf, btf_members(t)[last->idx].type);
		f.type = btf_type(path->btf, f.type_id);
		f.bits = bits_of_member(t, last->idx, f.type);
		f.is_bits = f.bits;
	} else {
		f.type = btf_type(path->btf, f.type_id);
	}
	if (f.is_bits) {
		*ret = f;
		return place_bits(job, path, ret);
	}
	size = btf_size(path->btf, f.type_id);
	if (size < 0 || size > UINT32_MAX)
		return core_fail(job, -EINVAL, "type %u of %s has no size that can be used",
				 f.type_id, whose(job, path));
	if (f.bit_off % 8)
		return core_fail(job, -EINVAL, "the field is at bit %llu of %s and is no bit field",
				 (unsigned long long)f.bit_off, whose(job, path));
	f.bytes = size;
	f.bits = f.bytes * 8;
	f.byte_off = f.bit_off / 8;
	*ret = f;
	return 0;
}

static bool is_signed(const struct btf_type *t)
{
	if (core_is_enum(t))
		return btf_kflag(t);
	return btf_kind(t) == BTF_KIND_INT && (BTF_INT_ENCODING(btf_int_info(t)) & BTF_INT_SIGNED);
}

static int compute_field(const struct core_job *job, const struct core_path *path,
			 struct core_value *v)
{
	uint32_t kind = job->relo->kind;
	struct field f = {};
	int r;

	if (kind == BPF_CORE_FIELD_EXISTS) {
		*v = (struct core_value){ .value = path != NULL, .checked = true };
		return 0;
	}
	if (!path) {
		*v = (struct core_value){ .absent = true };
		return 0;
	}
	if (!path->steps[path->n_steps - 1].name && kind != BPF_CORE_FIELD_BYTE_OFFSET &&
	    kind != BPF_CORE_FIELD_BYTE_SIZE)
		return core_fail(job, -EINVAL,
				 "only a member of a struct can be asked this, not "
				 "an element of an array");
	r = find_field(job, path, &f);
	if (r < 0)
		return r;
	/* Compilers differ in which integer they load a bit field with. */
	*v = (struct core_value){ .checked = !f.is_bits };
	switch (kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET:
		v->value = f.byte_off;
		if (f.is_bits)
			return 0;
		v->size = f.bytes;
		v->is_ptr = btf_kind(f.type) == BTF_KIND_PTR;
		v->is_unsigned = btf_kind(f.type) == BTF_KIND_INT && !is_signed(f.type);
		return 0;
	case BPF_CORE_FIELD_BYTE_SIZE:
		v->value = f.bytes;
		return 0;
	case BPF_CORE_FIELD_SIGNED:
		/* BTF says that of enumerations since 6.0, compilers knew it before. */
		v->checked = !core_is_enum(f.type);
		v->value = is_signed(f.type);
		return 0;
	default:
		break;
	}
	/* Shift left so that nothing is above the field, then right so that nothing is below. */
	if (f.bits > 64)
		return core_fail(job, -EINVAL, "a field of %llu bits in %s does not fit 64",
				 (unsigned long long)f.bits, whose(job, path));
	v->value = 64 - f.bits;
	v->checked = true;
	if (kind == BPF_CORE_FIELD_RSHIFT_U64)
		return 0;
	v->checked = !f.is_bits;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v->value -= f.bit_off - f.byte_off * 8;
#else
	v->value = (8 - f.bytes) * 8 + (f.bit_off - f.byte_off * 8);
#endif
	return 0;
}

static int compute_type(const struct core_job *job, const struct core_path *path,
			struct core_value *v)
{
	int64_t size;

	/* "No such type" is an answer, also to the question for its size. */
	*v = (struct core_value){ .checked = true };
	if (!path)
		return 0;
	switch (job->relo->kind) {
	case BPF_CORE_TYPE_ID_LOCAL:
	case BPF_CORE_TYPE_ID_TARGET:
		/* Linkers change ids without looking at the code. */
		v->checked = false;
		v->value = path->root_id;
		return 0;
	case BPF_CORE_TYPE_SIZE:
		size = btf_size(path->btf, path->root_id);
		if (size < 0)
			return core_fail(job, -EINVAL, "type %u of %s has no size", path->root_id,
					 whose(job, path));
		v->value = size;
		return 0;
	default: /* exists, matches */
		v->value = 1;
		return 0;
	}
}

static int compute_enumval(const struct core_job *job, const struct core_path *path,
			   struct core_value *v)
{
	const struct core_step *step = path ? &path->steps[0] : NULL;
	const struct btf_type *t = path ? btf_type(path->btf, step->type_id) : NULL;

	*v = (struct core_value){ .checked = true };
	if (job->relo->kind == BPF_CORE_ENUMVAL_EXISTS) {
		v->value = path != NULL;
		return 0;
	}
	if (!path) {
		v->absent = true;
	} else if (btf_kind(t) == BTF_KIND_ENUM64) {
		v->value = btf_enum64_value(&btf_enums64(t)[step->idx]);
	} else {
		v->value = (uint64_t)(int64_t)btf_enums(t)[step->idx].val;
		v->is_enum32 = true;
	}
	return 0;
}

int core_compute(const struct core_job *job, const struct core_path *path, struct core_value *ret)
{
	if (core_kind_is_field(job->relo->kind))
		return compute_field(job, path, ret);
	if (core_kind_is_enumval(job->relo->kind))
		return compute_enumval(job, path, ret);
	return compute_type(job, path, ret);
}

static int unexpected(const struct core_job *job, const struct bpf_insn *insn, uint64_t have,
		      uint64_t want)
{
	return core_fail(job, -EINVAL,
			 "the instruction (code 0x%02x) has %lld where the object's types say %lld",
			 insn->code, (long long)have, (long long)want);
}

static int patch_alu(const struct core_job *job, struct bpf_insn *insn,
		     const struct core_decision *d)
{
	int64_t value = d->new.value;

	if (BPF_SRC(insn->code) != BPF_K)
		return core_fail(job, -EINVAL, "the instruction (code 0x%02x) has no constant",
				 insn->code);
	if (d->old.checked && (uint32_t)insn->imm != (uint32_t)d->old.value)
		return unexpected(job, insn, insn->imm, d->old.value);
	/* 64-bit operations extend the sign. */
	if (value < INT32_MIN ||
	    value > (BPF_CLASS(insn->code) == BPF_ALU ? UINT32_MAX : INT32_MAX))
		return core_fail(job, -EINVAL, "%lld does not fit the instruction",
				 (long long)value);
	insn->imm = value;
	return 0;
}

/* Bytes that the instruction loads or stores. */
static uint32_t access_size(const struct bpf_insn *insn)
{
	switch (BPF_SIZE(insn->code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

static int size_code(uint32_t size)
{
	switch (size) {
	case 1:
		return BPF_B;
	case 2:
		return BPF_H;
	case 4:
		return BPF_W;
	case 8:
		return BPF_DW;
	default:
		return -1;
	}
}

static void poison(struct bpf_insn *insn)
{
	*insn = INSN_CALL(CORE_POISON_CALL);
}

static int patch_memory(const struct core_job *job, struct bpf_insn *insn,
			const struct core_decision *d)
{
	const struct core_value *old = &d->old, *new = &d->new;
	int code = size_code(new->size);

	if (job->relo->kind != BPF_CORE_FIELD_BYTE_OFFSET)
		return core_fail(job, -EINVAL,
				 "the instruction (code 0x%02x) accesses memory, which only an "
				 "offset can change",
				 insn->code);
	if (old->checked && (insn->off < 0 || (uint64_t)insn->off != old->value))
		return unexpected(job, insn, insn->off, old->value);
	if (new->value > INT16_MAX)
		return core_fail(job, -EINVAL,
				 "offset %llu does not fit the instruction: compute the address",
				 (unsigned long long)new->value);
	if (d->sizes_differ)
		return core_fail(job, -EINVAL,
				 "the kernel has several types of that name, which "
				 "differ in the size of the field");
	if (old->size != new->size) {
		/*
		 * A wider or narrower load is the same value only if the bits in front
		 * of it are zeros. Anything else is stopped where it is used.
		 */
		if (!(old->is_ptr && new->is_ptr) && !(old->is_unsigned && new->is_unsigned)) {
			poison(insn);
			return 0;
		}
		if (access_size(insn) != old->size || code < 0)
			return core_fail(job, -EINVAL,
					 "an access of %u bytes to a field of %u bytes cannot "
					 "become one of %u",
					 access_size(insn), old->size, new->size);
		insn->code = BPF_CLASS(insn->code) | BPF_MODE(insn->code) | code;
	}
	insn->off = new->value;
	return 0;
}

static int patch_ldimm64(const struct core_job *job, struct bpf_insn *insn,
			 const struct core_decision *d)
{
	uint64_t have = (uint32_t)insn[0].imm | (uint64_t)(uint32_t)insn[1].imm << 32;
	uint64_t old = d->old.value, value = d->new.value;

	if (insn[0].src_reg || insn[0].off)
		return core_fail(job, -EINVAL, "the instruction loads no plain constant");
	/* Compilers either extend the sign of a 32-bit enumerator or cut it. */
	if (d->old.is_enum32 && d->new.is_enum32 && (int64_t)old < 0 && !(have >> 32)) {
		old = (uint32_t)old;
		value = (uint32_t)value;
	}
	if (d->old.checked && have != old)
		return unexpected(job, insn, have, old);
	insn[0].imm = value;
	insn[1].imm = value >> 32;
	return 0;
}

int core_patch(const struct core_job *job, struct bpf_insn *insns, uint32_t n_insns,
	       const struct core_decision *d)
{
	struct bpf_insn *insn = &insns[job->insn];
	bool wide = insn_is_ldimm64(insn);

	if (wide && (n_insns - job->insn < 2 || insn[1].code || insn[1].dst_reg ||
		     insn[1].src_reg || insn[1].off))
		return core_fail(job, -EINVAL, "the 64-bit load has no second half");
	if (d->new.absent) {
		poison(insn);
		if (wide)
			poison(insn + 1);
		return 0;
	}
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return patch_alu(job, insn, d);
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		return patch_memory(job, insn, d);
	case BPF_LD:
		if (wide)
			return patch_ldimm64(job, insn, d);
		__attribute__((fallthrough));
	default:
		return core_fail(job, -EINVAL, "an instruction of code 0x%02x holds no such value",
				 insn->code);
	}
}
