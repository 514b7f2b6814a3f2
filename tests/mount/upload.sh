#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# upload.sh - objects copied in by everything that copies files.
. "$(dirname "$0")/lib.sh"

# is_loaded NAME [PROGRAM [IMAGE FILE]]: says so, and the kernel does, too
is_loaded()
{
	local name=$1 prog=${2:-version_prog} id
	is "$(cat "$M/objects/$name/state" 2>&1)" loaded "state of $name"
	is "$(cat "$M/objects/$name/status")" ok "status of $name"
	id=$(cat "$M/objects/$name/progs/$prog/id")
	is "$(bpftool_json prog show id "$id" | jq -r .name)" "$prog" "program $id"
	if [ $# -gt 2 ]; then
		cmp "$3" "$4" || fail "$3 is not what was written"
	fi
}

# removed FILE NAME: rm unloads
removed()
{
	local id
	id=$(cat "$M/objects/$2/progs/version_prog/id")
	try rm "$1" || fail "rm $1: $?"
	[ -e "$1" ] && fail "$1 is still there"
	[ -e "$M/objects/$2" ] && fail "objects/$2 is still there"
	wait_until 5 gone prog "$id" || fail "program $id is still in the kernel"
}

# A second object of the same name, which differs.
second_version()
{
	bpf_clang "$ROOT/tests/data/version.bpf.c" "$W/scratch/v2.o" -DVERSION=2 || fail "clang: $?"
}

check_cp()
{
	try cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	is_loaded version version_prog "$M/load/version.bpf.o" "$OBJ/version.bpf.o"
	is "$(stat -c %s "$M/load/version.bpf.o")" "$(stat -c %s "$OBJ/version.bpf.o")" "size"
	removed "$M/load/version.bpf.o" version
}

check_cp_preserving()
{
	try cp -p "$OBJ/version.bpf.o" "$M/load/" || fail "cp -p: $?"
	is_loaded version
}

check_cat()
{
	try cat "$OBJ/version.bpf.o" > "$M/load/version.bpf.o" || fail "cat: $?"
	is_loaded version version_prog "$M/load/version.bpf.o" "$OBJ/version.bpf.o"
	removed "$M/load/version.bpf.o" version
}

check_busybox_cat()
{
	need busybox
	try busybox cat "$OBJ/version.bpf.o" > "$M/load/version.bpf.o" || fail "busybox cat: $?"
	is_loaded version version_prog "$M/load/version.bpf.o" "$OBJ/version.bpf.o"
}

check_busybox_cp()
{
	need busybox
	try busybox cp "$OBJ/version.bpf.o" "$M/load/" || fail "busybox cp: $?"
	is_loaded version
}

check_dash_redirection()
{
	need dash
	try dash -c "cat '$OBJ/version.bpf.o' > '$M/load/version.bpf.o'" || fail "dash: $?"
	is_loaded version
}

limit[check_dd_with_odd_blocks]=120
check_dd_with_odd_blocks()
{
	local bs
	for bs in 13 511 512 1000 4096 65537 1M; do
		try dd if="$OBJ/version.bpf.o" of="$M/load/version.bpf.o" bs=$bs 2> dd || fail "dd bs=$bs: $(cat dd)"
		is_loaded version version_prog "$M/load/version.bpf.o" "$OBJ/version.bpf.o"
		removed "$M/load/version.bpf.o" version
	done
}

# Linkers and compilers write the header last, and anything in between in any order.
check_writes_out_of_order()
{
	need python3
	try python3 - "$OBJ/version.bpf.o" "$M/load/version.bpf.o" <<- 'END' || fail "python3: $?"
		import os, random, sys
		data = open(sys.argv[1], "rb").read()
		fd = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
		blocks = [(at, data[at:at + 300]) for at in range(0, len(data), 300)]
		random.seed(1)
		random.shuffle(blocks)
		for at, block in blocks:
		    assert os.pwrite(fd, block, at) == len(block)
		os.close(fd)
	END
	is_loaded version version_prog "$M/load/version.bpf.o" "$OBJ/version.bpf.o"
}

check_header_patched_last()
{
	need python3
	try python3 - "$OBJ/version.bpf.o" "$M/load/version.bpf.o" "$M/objects/version/state" <<- 'END' || fail "python3: $?"
		import os, sys
		data = open(sys.argv[1], "rb").read()
		fd = os.open(sys.argv[2], os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
		os.write(fd, bytes(64))
		os.write(fd, data[64:])
		if os.path.exists(sys.argv[3]):
		    assert open(sys.argv[3]).read() != "loaded\n"
		os.pwrite(fd, data[:64], 0)
		assert open(sys.argv[3]).read() == "loaded\n"
		os.close(fd)
	END
	is_loaded version version_prog "$M/load/version.bpf.o" "$OBJ/version.bpf.o"
}

# The write that completes the image loads it: before close(2).
check_loaded_inside_write()
{
	need python3
	try python3 - "$OBJ/version.bpf.o" "$M/load/version.bpf.o" "$M/objects/version/state" <<- 'END' || fail "python3: $?"
		import os, sys
		data = open(sys.argv[1], "rb").read()
		fd = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
		os.write(fd, data)
		assert open(sys.argv[3]).read() == "loaded\n"
		os.close(fd)
	END
	is_loaded version
}

check_trailing_bytes_are_fine()
{
	{ cat "$OBJ/version.bpf.o" && head -c 5000 /dev/zero; } > "$M/load/version.bpf.o" || fail "cat: $?"
	is_loaded version
}

check_python()
{
	is "$(errno_of write "$M/load/version.bpf.o" < "$OBJ/version.bpf.o")" ok
	is_loaded version
	is "$(errno_of write "$M/load/version.bpf.o" 1000 < "$OBJ/version.bpf.o")" ok "a second time"
	is_loaded version
}

check_install()
{
	try install -m 644 "$OBJ/version.bpf.o" "$M/load/" || fail "install: $?"
	is_loaded version version_prog "$M/load/version.bpf.o" "$OBJ/version.bpf.o"
	try install -m 644 "$OBJ/version.bpf.o" "$M/load/" || fail "install over it: $?"
	is_loaded version
}

check_rsync()
{
	need rsync
	try rsync -a "$OBJ/version.bpf.o" "$M/load/" || fail "rsync -a: $?"
	is_loaded version version_prog "$M/load/version.bpf.o" "$OBJ/version.bpf.o"
	is "$(ls -A "$M/load")" version.bpf.o "what is in load/"
	# Over one that is loaded: its temporary file gives the same object name.
	try rsync -a --ignore-times "$OBJ/version.bpf.o" "$M/load/" || fail "rsync over it: $?"
	is_loaded version
	removed "$M/load/version.bpf.o" version
	try rsync --inplace "$OBJ/version.bpf.o" "$M/load/" || fail "rsync --inplace: $?"
	is_loaded version
}

check_tar()
{
	tar -C "$OBJ" -cf - version.bpf.o | try tar -C "$M/load" --no-same-owner -xf - || fail "tar: $?"
	is_loaded version version_prog "$M/load/version.bpf.o" "$OBJ/version.bpf.o"
}

check_mv_into_it()
{
	cp "$OBJ/version.bpf.o" . || fail "cp: $?"
	try mv version.bpf.o "$M/load/" || fail "mv: $?"
	is_loaded version
}

check_mv_renames_the_object()
{
	cp "$OBJ/version.bpf.o" "$M/load/first.bpf.o" || fail "cp: $?"
	is_loaded first
	try mv "$M/load/first.bpf.o" "$M/load/second.bpf.o" || fail "mv: $?"
	is_loaded second version_prog "$M/load/second.bpf.o" "$OBJ/version.bpf.o"
	[ -e "$M/objects/first" ] && fail "objects/first is still there"
	[ -e "$M/load/first.bpf.o" ] && fail "load/first.bpf.o is still there"
	removed "$M/load/second.bpf.o" second
}

check_mv_over_another()
{
	local old
	cp "$OBJ/version.bpf.o" "$M/load/a.bpf.o" || fail "cp: $?"
	cp "$OBJ/version.bpf.o" "$M/load/b.bpf.o" || fail "cp: $?"
	old=$(cat "$M/objects/b/progs/version_prog/id")
	try mv "$M/load/a.bpf.o" "$M/load/b.bpf.o" || fail "mv: $?"
	is_loaded b
	is "$(ls "$M/objects")" b "objects"
	wait_until 5 gone prog "$old" || fail "the one that was replaced is still in the kernel"
}

check_clang_writes_into_it()
{
	bpf_clang "$ROOT/tests/data/version.bpf.c" "$M/load/version.bpf.o" || fail "clang: $?"
	is_loaded version
	is "$(ls -A "$M/load")" version.bpf.o "what is in load/"
	is "$(ls -A "$M/objects")" version "what is in objects/"
}

check_strip_in_place()
{
	local strip before
	strip=$(command -v llvm-strip llvm-strip-14 llvm-strip-19 | head -n 1)
	[ -n "$strip" ] || skip "there is no llvm-strip"
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	before=$(stat -c %s "$M/load/version.bpf.o")
	try "$strip" -g "$M/load/version.bpf.o" || fail "llvm-strip: $?"
	is_loaded version
	[ "$(stat -c %s "$M/load/version.bpf.o")" -lt "$before" ] || fail "it is not smaller"
	is "$(ls -A "$M/load")" version.bpf.o "what is in load/"
}

check_objcopy_into_it()
{
	local objcopy
	objcopy=$(command -v llvm-objcopy llvm-objcopy-14 llvm-objcopy-19 | head -n 1)
	[ -n "$objcopy" ] || skip "there is no llvm-objcopy"
	try "$objcopy" --strip-debug "$OBJ/version.bpf.o" "$M/load/version.bpf.o" || fail "llvm-objcopy: $?"
	is_loaded version
}

check_names_of_objects()
{
	cp "$OBJ/version.bpf.o" "$M/load/..hidden+name@2.bpf.o" || fail "cp: $?"
	is "$(ls "$M/objects")" "hidden_name_2" "objects"
	is_loaded hidden_name_2
}

check_same_object_name_is_refused()
{
	local said
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	said=$(errno_of write "$M/load/version.o" < "$OBJ/version.bpf.o")
	is "${said#* }" EEXIST "load/version.o"
	said=$(errno_of write "$M/run/version.bpf.o" < "$OBJ/version.bpf.o")
	is "${said#* }" EEXIST "run/version.bpf.o"
	is "$(ls -A "$M/load")" version.bpf.o "load/"
	is "$(ls -A "$M/run")" "" "run/"
	is_loaded version
}

check_overwrite_makes_before_it_breaks()
{
	local old new
	second_version
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	old=$(cat "$M/objects/version/progs/version_prog/id")
	[ -d "$M/objects/version/maps/version_map_1" ] || fail "no version_map_1"
	try cp v2.o "$M/load/version.bpf.o" || fail "cp over it: $?"
	is_loaded version version_prog "$M/load/version.bpf.o" v2.o
	[ -d "$M/objects/version/maps/version_map_2" ] || fail "no version_map_2"
	[ -d "$M/objects/version/maps/version_map_1" ] && fail "version_map_1 is still there"
	new=$(cat "$M/objects/version/progs/version_prog/id")
	[ "$old" != "$new" ] || fail "the program is the same"
	wait_until 5 gone prog "$old" || fail "the old program is still in the kernel"
}

check_failed_overwrite_changes_nothing()
{
	local id said
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	id=$(cat "$M/objects/version/progs/version_prog/id")
	said=$(errno_of write "$M/load/version.bpf.o" < "$OBJ/rejected.bpf.o")
	is "$said" "write EACCES"
	is "$(cat "$M/objects/version/progs/version_prog/id")" "$id" "program"
	there prog "$id" || fail "program $id is gone"
	is "$(cat "$M/objects/version/state")" loaded "state"
	cmp "$OBJ/version.bpf.o" "$M/load/version.bpf.o" || fail "the file is not the old one"
}

check_opening_and_truncating_changes_nothing()
{
	local id
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	id=$(cat "$M/objects/version/progs/version_prog/id")
	: > "$M/load/version.bpf.o"
	is "$(cat "$M/objects/version/progs/version_prog/id")" "$id" "program"
	is_loaded version
}

# Written again after a failure: replaced.
check_failed_object_is_replaced()
{
	is "$(errno_of write "$M/load/version.bpf.o" < "$OBJ/rejected.bpf.o")" "write EACCES"
	is "$(cat "$M/objects/version/state")" failed
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	is_loaded version
}

check_rmdir_unloads()
{
	local id
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	id=$(cat "$M/objects/version/progs/version_prog/id")
	try rmdir "$M/objects/version" || fail "rmdir: $?"
	[ -e "$M/objects/version" ] && fail "objects/version is still there"
	[ -e "$M/load/version.bpf.o" ] && fail "load/version.bpf.o is still there"
	wait_until 5 gone prog "$id" || fail "program $id is still in the kernel"
}

check_ctl_unload()
{
	local id
	cp "$OBJ/version.bpf.o" "$M/load/" || fail "cp: $?"
	id=$(cat "$M/objects/version/progs/version_prog/id")
	echo unload > "$M/objects/version/ctl" || fail "unload: $?"
	[ -e "$M/objects/version" ] && fail "objects/version is still there"
	wait_until 5 gone prog "$id" || fail "program $id is still in the kernel"
}

check_run_attaches()
{
	local link
	cp "$OBJ/auto.bpf.o" "$M/run/" || fail "cp: $?; $(cat "$M/objects/auto/status")"
	is_loaded auto auto_raw_tp "$M/run/auto.bpf.o" "$OBJ/auto.bpf.o"
	is "$(ls "$M/objects/auto/links" | wc -l)" 3 "links"
	link=$(cat "$M/objects/auto/links"/*/id | tail -n 1)
	there link "$link" || fail "link $link is not in the kernel"
	try rm "$M/run/auto.bpf.o" || fail "rm: $?"
	wait_until 5 gone link "$link" || fail "link $link is still in the kernel"
}

# One attach that fails undoes all.
check_run_undoes_all_if_one_fails()
{
	bpf_clang "$ROOT/tests/data/auto.bpf.c" auto.o '-DSYMBOL="no_such_function"' || fail "clang: $?"
	is "$(errno_of write "$M/run/auto.bpf.o" < auto.o)" "write ENOENT"
	is "$(cat "$M/objects/auto/state")" failed
	has "$(cat "$M/objects/auto/status")" no_such_function
	is "$(held prog)$(held map)$(held link)" "" "what the daemon still holds"
}

check_larger_than_the_limit()
{
	local said
	said=$({ cat "$OBJ/version.bpf.o" && head -c $((65 << 20)) /dev/zero; } |
		errno_of write "$M/load/version.bpf.o" 1048576)
	is "$said" "write EFBIG"
	try dd if="$OBJ/version.bpf.o" of="$M/load/far.bpf.o" bs=1M seek=65 conv=notrunc 2> dd && fail "dd far out"
	has "$(cat dd)" "too large"
	answers || fail "no answer"
}

check_other_files_cannot_be_made()
{
	has "$(errno_of create "$M/file")" "open E"
	has "$(errno_of mkdir "$M/dir")" "mkdir E"
	has "$(errno_of mkdir "$M/load/dir")" "mkdir E"
	has "$(errno_of create "$M/objects/file")" "open E"
	has "$(errno_of create "$M/progs/1")" "open E"
	has "$(errno_of mkdir "$M/progs/xyz")" "mkdir E"
	has "$(errno_of unlink "$M/version")" "unlink E"
	has "$(errno_of rename "$M/version" "$M/load/version.o")" "rename E"
	has "$(errno_of symlink x "$M/load/link")" "symlink E"
}

run_checks
