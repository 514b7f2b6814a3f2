/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
/*
 * names - the kernel's numbers as words, and back.
 *
 * Words are the enum's names in lower case without prefix ("socket_filter",
 * "lru_percpu_hash", "trace_uprobe_multi"): bpftool's and the API's spelling. NULL for a
 * number newer than the table; show the number then.
 */
#include <stdint.h>

const char *prog_type_name(uint32_t type);
const char *map_type_name(uint32_t type);
const char *attach_type_name(uint32_t type);
const char *link_type_name(uint32_t type);

/* -1 for an unknown word; a decimal number stands for itself. */
int prog_type_parse(const char *word);
int map_type_parse(const char *word);
int attach_type_parse(const char *word);
