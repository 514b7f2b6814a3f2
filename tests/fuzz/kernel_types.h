/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * kernel_types - linked in place of loader/kernel_btf.c: the kernel's types are what
 * the target says, so that results do not depend on the machine.
 */
struct btf;

/* Not counted; NULL: a kernel without BTF. */
extern struct btf *kernel_types;
