#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# layers.sh - the rules of the house that a program can check.
#
#	layers.sh [BUILD]	BUILD: also look at what was linked
#
# Prints "ok NAME" or "FAIL NAME: …" for each rule, and what breaks it.
set -u
shopt -s lastpipe # rule() counts at the end of pipes

cd "$(dirname "$0")/.." || exit 2
build=${1:-}
passed=0 failed=0

# rule NAME: fails if there is anything on standard input
rule()
{
	local broken
	broken=$(cat)
	if [ -z "$broken" ]; then
		passed=$((passed + 1))
		echo "ok $1"
		return
	fi
	failed=$((failed + 1))
	echo "FAIL $1: $(grep -c '' <<< "$broken") places"
	sed 's/^/  | /' <<< "$broken"
}

# Sources of a folder, but not BPF programs: those are of another world.
sources()
{
	find "$@" -path './build*' -prune -o -name '*.[ch]' ! -name '*.bpf.[ch]' -print | sort
}

# including PATTERN FILES…: file:line of #include lines that match
including()
{
	local pattern=$1
	shift
	grep -nHE "^[[:space:]]*#[[:space:]]*include[[:space:]]*$pattern" "$@"
}

# edges FOLDER ALLOWED…: includes of our headers from elsewhere
edges()
{
	local folder=$1 allowed
	shift
	allowed=$(IFS='|' && echo "$*")
	including '"' $(sources "$folder") | grep -vE "\"($allowed)/[^\"]*\""
}

edges base base | rule base_includes_only_base
edges bpf base bpf | rule bpf_includes_only_what_is_left_of_it
edges loader base bpf loader | rule loader_includes_only_what_is_left_of_it
edges fs base bpf loader fs | rule fs_includes_no_tests
edges tests base bpf loader fs tests | rule includes_are_root_relative

including '<fuse' $(sources base bpf loader) | rule libfuse_only_in_fs
including '[<"]fuse\.h' $(sources fs tests) | rule only_the_low_level_api_of_libfuse
# One file knows the object's ELF, one the symbols of what uprobes hang on.
including '<(libelf|gelf)\.h' $(sources base bpf loader fs) |
	grep -vE '^loader/(image|symbol_read)\.c:' | rule libelf_only_in_two_files
including '<bpf/' $(sources base bpf loader fs tests) | rule no_header_of_libbpf
# tests/kernel, too: what they check goes through the door that they check.
grep -nHE '__NR_bpf|SYS_bpf|__NR_perf_event_open|SYS_perf_event_open' $(sources .) |
	grep -vE '^(\./)?bpf/sys\.c:' | grep -vE ':[[:space:]]*(/\*|\*|//)' | rule one_door_into_the_kernel
grep -nHE "dependency\([^)]*'libbpf'|find_library\([^)]*'bpf'|-lbpf" \
	$(find . -name meson.build -not -path './build*') | rule libbpf_is_not_linked

find . \( -name .git -o -path './build*' \) -prune -o -type f \
	\( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name 'meson*' -o -name '.clang-format' \
	-o -path '*/run' -o -name quickstart \) -print |
	while read -r file; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || echo "$file"
	done | rule every_file_says_its_licence
for folder in base bpf loader fs tests; do
	[ -f "$folder/README.md" ] || echo "$folder"
done | rule every_folder_has_its_page
# A file in the list of a meson.build, but nobody built it: then it may well be broken.
for folder in base bpf loader fs; do
	find "$folder" -name '*.c' | while read -r file; do
		grep -qs "'${file#"$folder"/}'" "$folder/meson.build" || echo "$file"
	done
done | rule every_source_is_built
for file in tests/unit/test_*.c tests/kernel/test_*.c; do
	name=$(basename "$file" .c)
	grep -q "'${name#test_}'" tests/meson.build || echo "$file"
done | rule every_test_is_built

tests/features --rows | rule every_feature_has_a_row

if [ -n "$build" ]; then
	find "$build" -type f -perm -u+x -not -name '*.so*' -not -path '*/meson-*' |
		while read -r program; do
			ldd "$program" 2> /dev/null | grep -F libbpf | sed "s|^|$program:|"
		done | rule no_program_needs_libbpf
fi
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
