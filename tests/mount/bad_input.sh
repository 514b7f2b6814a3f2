#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bad_input.sh - what is wrong is refused where it is written, with a sentence, and leaves nothing behind.
. "$(dirname "$0")/lib.sh"

# nothing_held: no check of this file ends with something of ours in the kernel
nothing_held()
{
	is "$(held prog | wc -l) $(held map | wc -l) $(held link | wc -l)" "0 0 0" "programs, maps, links held"
}

# refused FILE "CALL ERRNO" PART: written to load/bad.bpf.o; the sentence is where it should be
refused()
{
	local file=$1 expected=$2 part=$3 status
	is "$(errno_of write "$M/load/bad.bpf.o" < "$file")" "$expected" "$file"
	is "$(cat "$M/objects/bad/state")" failed "state"
	status=$(cat "$M/objects/bad/status")
	has "$status" "$part" "status"
	[ "$(wc -l <<< "$status")" -eq 1 ] || fail "status is not one sentence: $status"
	is "$(jq -r '.errno // .error' "$M/objects/bad/status.json")" "${expected#* }" "status.json"
	has "$(tail -n 12 "$M/error_log")" "${expected#* }" "error_log"
	has "$(tail -n 12 "$M/error_log")" "$part" "error_log"
	has "$(tail -n 12 "$M/error_log")" "load/bad.bpf.o" "error_log"
	nothing_held
	try rm -f "$M/load/bad.bpf.o"
	answers || fail "no answer"
}

check_text_file()
{
	printf 'this is no object\n' > text
	refused text "write ENOEXEC" ELF
	# Also one that is longer than the buffer of any tool.
	yes 'this is no object' | head -c 1000000 > text
	is "$(errno_of write "$M/load/bad.bpf.o" < text)" "write ENOEXEC"
}

check_empty_file()
{
	: > "$M/load/empty.bpf.o"
	if [ -d "$M/objects/empty" ]; then
		[ "$(cat "$M/objects/empty/state")" != loaded ] || fail "it is loaded"
		[ "$(cat "$M/objects/empty/status")" != ok ] || fail "its status is ok"
	fi
	nothing_held
	is "$(errno_of read "$M/load/empty.bpf.o")" ok "reading it"
	try rm "$M/load/empty.bpf.o" || fail "rm: $?"
}

check_half_an_object()
{
	head -c $(($(stat -c %s "$OBJ/version.bpf.o") / 2)) "$OBJ/version.bpf.o" > half
	refused half "close ENOEXEC" ""
}

check_cut_by_one_byte()
{
	head -c $(($(stat -c %s "$OBJ/version.bpf.o") - 1)) "$OBJ/version.bpf.o" > short
	refused short "close ENOEXEC" ""
}

check_elf_of_this_machine()
{
	refused "$(readlink -f /bin/true)" "write ENOEXEC" BPF
	refused "$PRODUCE" "write ENOEXEC" BPF
}

# change FILE OFFSET-EXPRESSION BYTES: python3 sees the file as d and its .BTF at b
change()
{
	need python3
	python3 - "$OBJ/version.bpf.o" "$1" "$2" "$3" <<- 'END' || fail "python3: $?"
		import sys
		d = bytearray(open(sys.argv[1], "rb").read())
		b = d.find(b"\x9f\xeb\x01\x00\x18\x00\x00\x00")
		assert b > 0
		at = eval(sys.argv[3])
		new = bytes.fromhex(sys.argv[4])
		d[at:at + len(new)] = new
		open(sys.argv[2], "wb").write(d)
	END
}

check_broken_btf()
{
	change magic b "0000"
	refused magic "write EBADMSG" BTF
	change header b+4 "ffffff7f"
	refused header "write EBADMSG" BTF
	change types b+12 "ffffffff"
	refused types "write EBADMSG" BTF
	# The name of the first type: behind the end of the strings.
	change name b+24 "ffffff7f"
	refused name "write EBADMSG" BTF
	# Its kind: one that does not exist, yet.
	change kind b+24+4 "0000001f"
	refused kind "write EOPNOTSUPP" 31
}

check_broken_section_table()
{
	# e_shstrndx beyond the table
	change shstrndx 62 "ffef"
	has "$(errno_of write "$M/load/bad.bpf.o" < shstrndx)" " E"
	nothing_held
	# The largest table that can be said, at the end of the address space
	change shoff 40 "ffffffffffffffff"
	has "$(errno_of write "$M/load/bad.bpf.o" < shoff)" " E"
	nothing_held
	answers || fail "no answer"
}

# One byte after the other is wrong; whatever comes of it, the daemon lives and cleans up.
limit[check_noise]=300
check_noise()
{
	local i
	need python3
	for i in $(seq 60); do
		python3 - "$OBJ/version.bpf.o" noise "$i" <<- 'END' || fail "python3: $?"
			import random, sys
			random.seed(int(sys.argv[3]))
			d = bytearray(open(sys.argv[1], "rb").read())
			for _ in range(random.choice((1, 3, 10))):
			    d[random.randrange(len(d))] = random.randrange(256)
			open(sys.argv[2], "wb").write(d)
		END
		errno_of write "$M/load/noise.bpf.o" < noise > said
		answers || fail "no answer after seed $i: $(cat said)"
		try rm -f "$M/load/noise.bpf.o" || fail "rm after seed $i"
	done
	[ -d "$M/objects/noise" ] && fail "objects/noise is still there"
	nothing_held
}

check_verifier_refuses()
{
	refused "$OBJ/rejected.bpf.o" "write EACCES" reject_null
	is "$(errno_of write "$M/load/bad.bpf.o" < "$OBJ/rejected.bpf.o")" "write EACCES"
	# What the verifier said, and which line of the source it was about.
	has "$(cat "$M/objects/bad/log")" "R0 invalid mem access" "log"
	has "$(cat "$M/objects/bad/status.json")" reject_null "status.json"
	has "$(cat "$M/objects/bad/status.json")" "*value = 1" "status.json"
	jq -e . "$M/objects/bad/status.json" > /dev/null || fail "status.json is no JSON"
	has "$(cat "$M/objects/bad/progs/reject_null/log")" "R0 invalid mem access" "the program's log"
	is "$(bpftool_json prog show name reject_fine | jq -c .)" "" "the other program"
}

# loaded: the object whose programs are to be attached wrongly
loaded()
{
	cp "$OBJ/kinds.bpf.o" "$M/load/" || fail "cp: $?"
}

# spec_refused PROGRAM SPEC ERRNO PARTS…
spec_refused()
{
	local prog=$1 spec=$2 errno=$3 said part
	shift 3
	is "$(printf '%s\n' "$spec" | errno_of append "$M/objects/kinds/progs/$prog/attach")" "write $errno" "$spec"
	said=$(tail -n 12 "$M/error_log")
	for part in "$errno" "progs/$prog/attach" "$@"; do
		has "$said" "$part" "error_log after '$spec'"
	done
	for part; do
		has "$(cat "$M/objects/kinds/status")" "$part" "status after '$spec'"
	done
	is "$(ls "$M/objects/kinds/links")" "" "links after '$spec'"
	is "$(held link)" "" "links held after '$spec'"
}

check_bad_specs()
{
	local libc
	loaded
	libc=$(ldconfig -p | sed -n 's/.*libc\.so\.6.* => //p' | head -n 1)
	spec_refused on_uprobe "uprobe/$libc:mallocc" ENOENT mallocc "$libc" "malloc"
	spec_refused on_uprobe "uprobe//no/such/file:malloc" ENOENT /no/such/file
	spec_refused on_uprobe "uprobe/$libc:malloc cokie=7" EINVAL cokie cookie
	spec_refused on_uprobe "uprobe/$libc:malloc cookie=x" EINVAL cookie
	spec_refused on_uprobe "uprobe/$libc:malloc pid=0" EINVAL pid
	spec_refused on_uprobe "uprobe/$libc:malloc pid=4194304" ESRCH 4194304
	spec_refused on_uprobe "uporbe/$libc:malloc" EINVAL uporbe uprobe
	spec_refused on_uprobe "uprobe/$libc:malloc 'open" EINVAL
	spec_refused on_uprobe "uprobe/$libc" EINVAL
	spec_refused on_tracepoint "tracepoint/syscalls/sys_enter_nothing" ENOENT sys_enter_nothing
	spec_refused on_tracepoint "raw_tp/sys_enter" EINVAL
	spec_refused on_raw_tp "raw_tp/no_such_point" ENOENT no_such_point
	spec_refused on_xdp "xdp dev=nosuch0" ENODEV nosuch0
	spec_refused on_xdp "xdp dev=lo mode=fast" EINVAL fast
	spec_refused on_xdp "xdp" EINVAL dev
	spec_refused on_cgroup_skb "cgroup_skb/egress cgroup=/no/such/group" ENOENT /no/such/group
	spec_refused on_cgroup_skb "cgroup_skb/egress cgroup=/tmp" EINVAL /tmp
	spec_refused on_uprobe "auto" EOPNOTSUPP
}

# The daemon would wait for itself.
check_paths_on_the_mount_itself()
{
	loaded
	spec_refused on_uprobe "uprobe/$M/load/kinds.bpf.o:malloc" ELOOP
	ln -s "$M/load/kinds.bpf.o" link
	spec_refused on_uprobe "uprobe/$PWD/link:malloc" ELOOP
	answers || fail "no answer"
}

check_object_attach()
{
	loaded
	is "$(echo "no_such_prog raw_tp/sys_enter" | errno_of append "$M/objects/kinds/attach")" "write ENOENT"
	has "$(cat "$M/objects/kinds/status")" no_such_prog
	is "$(echo "on_tracepont raw_tp/sys_enter" | errno_of append "$M/objects/kinds/attach")" "write ENOENT"
	has "$(cat "$M/objects/kinds/status")" on_tracepoint "what is close"
}

check_long_and_binary_lines()
{
	local said
	loaded
	said=$(head -c 200000 /dev/zero | tr '\0' x | errno_of append "$M/objects/kinds/progs/on_uprobe/attach")
	has "$said" "write E"
	said=$(head -c 5000 /dev/urandom | errno_of append "$M/objects/kinds/progs/on_uprobe/attach")
	has "$said" "write E"
	# Whatever was written: the log is text, one line where it should be.
	[ -z "$(LC_ALL=C tr -d '\11\12\40-\176\200-\377' < "$M/error_log")" ] || fail "control characters in error_log"
	answers || fail "no answer"
}

check_bad_verbs()
{
	loaded
	is "$(echo "laod" | errno_of append "$M/objects/kinds/ctl")" "write EINVAL"
	has "$(cat "$M/objects/kinds/status")" load
	is "$(echo "load" | errno_of append "$M/objects/kinds/ctl")" "write EBUSY" "load again"
	is "$(cat "$M/objects/kinds/state")" loaded
}

# Root may write to anything, says the VFS; we know better.
check_read_only_files()
{
	local file said
	loaded
	for file in version README error_log objects/kinds/state objects/kinds/status objects/kinds/maps/hits/id \
		objects/kinds/maps/hits/dump.json; do
		said=$(echo x | errno_of append "$M/$file")
		case ${said#* } in
		EACCES | EPERM) ;;
		*) fail "$file: $said" ;;
		esac
	done
}

check_values_are_busy_after_load()
{
	loaded
	is "$(echo 5 | errno_of append "$M/objects/kinds/maps/hits/max_entries")" "write EBUSY" max_entries
	is "$(echo 0 | errno_of append "$M/objects/kinds/progs/on_xdp/autoload")" "write EBUSY" autoload
	is "$(cat "$M/objects/kinds/maps/hits/max_entries")" 7
}

# The log remembers 64 failures, oldest first.
check_error_log_is_bounded()
{
	local i
	loaded
	for i in $(seq 80); do
		echo "no_such_kind_$i" 2> /dev/null > "$M/objects/kinds/progs/on_xdp/attach"
	done
	has "$(cat "$M/error_log")" no_such_kind_80
	has "$(cat "$M/error_log")" no_such_kind_30
	case $(cat "$M/error_log") in
	*no_such_kind_9\ * | *no_such_kind_9\'* | *no_such_kind_9\"*) fail "it remembers more than 64" ;;
	esac
}

run_checks
