/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/* kernel_has - what the running kernel has by its own types, for tests of what only newer ones tell. */
#include <stdbool.h>
#include <stdint.h>

/*
 * Does the kernel's struct or union @type have the member @path, like "perf_event.uprobe.cookie"? Each
 * step may lie in unnamed structs and unions. Ends the test if the kernel has no types.
 */
bool kernel_has_member(const char *type, const char *path);
/* Does the kernel's enum @type name the number @value? */
bool kernel_has_enumerator(const char *type, uint32_t value);
