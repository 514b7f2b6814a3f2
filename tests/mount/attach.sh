#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# attach.sh - every kind of attachment by spec and by auto; what is read back can be written again.
. "$(dirname "$0")/lib.sh"

K=$M/objects/kinds

loaded()
{
	cp "$OBJ/kinds.bpf.o" "$M/load/" || fail "cp: $?; $(cat "$K/status")"
}

# hit KIND FIELD: what the program of that number in tests/data/kinds.bpf.c counted
hit()
{
	bpftool_json map dump id "$(cat "$K/maps/hits/id")" |
		jq ".[] | .formatted // . | select(.key == $1) | .value.$2"
}

# Of the only link.
link_id()
{
	cat "$K/links"/*/id
}

# attached PROGRAM SPEC [PROGRAM'S TYPE OF LINK]: the link is there, for us and for the kernel
attached()
{
	local prog=$1 spec=$2 type=${3:-} id
	echo "$spec" > "$K/progs/$prog/attach" || fail "$spec: $(cat "$K/status")"
	is "$(ls "$K/links" | wc -l)" 1 "links"
	id=$(link_id)
	there link "$id" || fail "$spec: no link $id in the kernel"
	is "$(bpftool_json link show id "$id" | jq .prog_id)" "$(cat "$K/progs/$prog/id")" "program of the link"
	if [ -n "$type" ]; then
		is "$(jq -r .type "$K/links"/*/info.json)" "$type" "type of the link"
	fi
}

# detached: rmdir the only link; kernel and tree have forgotten it
detached()
{
	local id
	id=$(link_id)
	try rmdir "$K/links"/* || fail "rmdir: $?"
	is "$(ls "$K/links")" "" "links"
	wait_until 5 gone link "$id" || fail "link $id is still in the kernel"
}

# again PROGRAM: what attach says can be written, and then it says the same
again()
{
	local prog=$1 spec
	spec=$(cat "$K/progs/$prog/attach")
	is "$(wc -l <<< "$spec")" 1 "lines of attach"
	is "$(cat "$K/links"/*/spec)" "$spec" "spec of the link"
	is "$(cat "$K/attach")" "$prog $spec" "attach of the object"
	detached
	is "$(cat "$K/progs/$prog/attach")" "" "attach without a link"
	echo "$spec" > "$K/progs/$prog/attach" || fail "'$spec' again: $(cat "$K/status")"
	is "$(cat "$K/progs/$prog/attach")" "$spec" "attach the second time"
	detached
	echo "$prog $spec" > "$K/attach" || fail "'$prog $spec': $(cat "$K/status")"
	is "$(cat "$K/progs/$prog/attach")" "$spec" "attach the third time"
}

check_tracepoint()
{
	loaded
	attached on_tracepoint "tracepoint/syscalls/sys_enter_personality cookie=77" perf_event
	"$PRODUCE" 3
	is "$(hit 0 count)" 3 "calls"
	is "$(hit 0 cookie)" 77 "cookie"
	again on_tracepoint
	"$PRODUCE" 2
	is "$(hit 0 count)" 5 "calls after attaching again"
	is "$(hit 0 cookie)" 77 "cookie after attaching again"
	detached
	"$PRODUCE" 2
	is "$(hit 0 count)" 5 "calls after detaching"
}

check_raw_tp()
{
	loaded
	attached on_raw_tp "raw_tp/sys_enter" raw_tracepoint
	"$PRODUCE" 3
	is "$(hit 1 count)" 3 "calls"
	again on_raw_tp
	"$PRODUCE" 1
	is "$(hit 1 count)" 4 "calls after attaching again"
}

check_uprobe()
{
	loaded
	attached on_uprobe "uprobe/$PRODUCE:produce_number cookie=0x1234" perf_event
	"$PRODUCE" 4
	is "$(hit 2 count)" 4 "calls"
	is "$(hit 2 cookie)" $((0x1234)) "cookie"
	again on_uprobe
	"$PRODUCE" 1
	is "$(hit 2 count)" 5 "calls after attaching again"
}

check_uprobe_with_blank_for_slash()
{
	loaded
	attached on_uprobe "uprobe $PRODUCE:produce_number"
	"$PRODUCE" 1
	is "$(hit 2 count)" 1 "calls"
}

check_uprobe_of_a_path_with_blanks()
{
	loaded
	mkdir "with blank"
	cp "$PRODUCE" "with blank/a:b" || fail "cp: $?"
	attached on_uprobe "uprobe/'$PWD/with blank/a:b':produce_number"
	"with blank/a:b" 2
	is "$(hit 2 count)" 2 "calls"
	again on_uprobe
}

check_uretprobe()
{
	loaded
	attached on_uretprobe "uretprobe/$PRODUCE:produce_number cookie=5" perf_event
	"$PRODUCE" 4
	is "$(hit 3 count)" 4 "returns"
	is "$(hit 3 cookie)" 5 "cookie"
	again on_uretprobe
}

check_uprobe_for_one_process()
{
	local pid
	loaded
	"$PRODUCE" $((400 * SLOW)) 5000 &
	pid=$!
	attached on_uprobe "uprobe/$PRODUCE:produce_number pid=$pid"
	"$PRODUCE" 100000
	sleep 0.5
	[ "$(hit 2 count)" -gt 0 ] || fail "it does not see its process"
	[ "$(hit 2 count)" -lt 100000 ] || fail "it sees others, too"
	kill $pid
}

check_uprobe_of_the_writer()
{
	loaded
	# The shell that writes is not the one that is counted: nothing is.
	attached on_uprobe "uprobe/$PRODUCE:produce_number pid=self"
	"$PRODUCE" 10
	is "$(hit 2 count)" 0 "calls of others"
	detached
	# A shell that writes and then becomes the process itself.
	try bash -c 'echo "uprobe/$1:produce_number pid=self" > "$2" && exec "$1" 10' sh "$PRODUCE" \
		"$K/progs/on_uprobe/attach" || fail "attach: $(cat "$K/status")"
	is "$(hit 2 count)" 10 "calls of the writer"
}

# uprobe.multi came with Linux 6.6.
need_uprobe_multi()
{
	local said
	said=$(echo "uprobe.multi/$PRODUCE:produce_number" | errno_of append "$K/progs/on_uprobe_multi/attach")
	[ "$said" != "write EOPNOTSUPP" ] || skip "$(cat "$K/status")"
	is "$said" ok "uprobe.multi"
	detached
}

check_uprobe_multi_by_pattern()
{
	loaded
	need_uprobe_multi
	attached on_uprobe_multi "uprobe.multi/$PRODUCE:produce_*" uprobe_multi
	"$PRODUCE" 3
	is "$(hit 4 count)" 6 "calls of both functions"
	again on_uprobe_multi
	"$PRODUCE" 1
	is "$(hit 4 count)" 8 "calls after attaching again"
}

check_uprobe_multi_by_names()
{
	loaded
	need_uprobe_multi
	attached on_uprobe_multi "uprobe.multi/$PRODUCE syms=produce_number,produce_other cookies=1,2" uprobe_multi
	"$PRODUCE" 2
	is "$(hit 4 count)" 4 "calls of both functions"
	is "$(hit 4 cookie)" 2 "cookie of the last"
	again on_uprobe_multi
}

check_xdp()
{
	local before
	loaded
	attached on_xdp "xdp dev=lo mode=generic" xdp
	before=$(hit 5 count)
	ping -c 2 -i 0.2 127.0.0.1 > /dev/null || python3 -c 'if 1:
		import socket
		a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		a.bind(("127.0.0.1", 0))
		for _ in range(4): a.sendto(b"x", a.getsockname())'
	[ "$(hit 5 count)" -gt "$before" ] || fail "it sees no packet"
	is "$(bpftool_json net show dev lo | jq '.[0].xdp | length')" 1 "what bpftool sees on lo"
	again on_xdp
	detached
	is "$(bpftool_json net show dev lo | jq '.[0].xdp | length')" 0 "what bpftool sees on lo"
}

check_xdp_twice_is_busy()
{
	loaded
	attached on_xdp "xdp dev=lo mode=generic"
	is "$(echo "xdp dev=lo mode=generic" | errno_of append "$K/progs/on_xdp/attach")" "write EBUSY"
	is "$(ls "$K/links" | wc -l)" 1 "links"
}

check_cgroup_skb()
{
	local root group
	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$root" ] || skip "no cgroup2 is mounted"
	group=$root/bpfuse-test-$$
	mkdir "$group" || skip "cannot make a control group"
	loaded
	if ! ( attached on_cgroup_skb "cgroup_skb/egress cgroup=$group" cgroup ); then
		rmdir "$group"
		exit 1
	fi
	sh -c 'echo 0 > "$1/cgroup.procs" && exec python3 -c "if 1:
		import socket
		a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		a.bind((\"127.0.0.1\", 0))
		for _ in range(4): a.sendto(b\"x\", a.getsockname())"' sh "$group"
	hit 6 count > count
	( again on_cgroup_skb ) || { rmdir "$group"; exit 1; }
	detached
	rmdir "$group"
	[ "$(cat count)" -ge 4 ] || fail "it saw $(cat count) packets, not 4"
}

check_auto()
{
	local before
	cp "$OBJ/auto.bpf.o" "$M/load/" || fail "cp: $?"
	is "$(ls "$M/objects/auto/links")" "" "links before"
	echo auto > "$M/objects/auto/attach" || fail "auto: $(cat "$M/objects/auto/status")"
	is "$(ls "$M/objects/auto/links" | wc -l)" 3 "links"
	"$PRODUCE" 5
	# The three counters of .bss, by an observer of its own.
	before=$(bpftool_json map dump id "$(cat "$M/objects/auto/maps/.bss/id")" | jq -c '
		[.. | objects | select(has("tracepoint_hits") or has("raw_tp_hits") or has("uprobe_hits")) | .[]]')
	is "$(jq -c 'map(select(. == 5)) | length' <<< "$before")" 3 "counters that are 5 ($before)"
	echo detach > "$M/objects/auto/ctl" || fail "detach: $?"
	is "$(ls "$M/objects/auto/links")" "" "links after"
	is "$(cat "$M/objects/auto/state")" loaded
}

check_auto_of_one_program()
{
	cp "$OBJ/auto.bpf.o" "$M/load/" || fail "cp: $?"
	echo auto > "$M/objects/auto/progs/auto_raw_tp/attach" || fail "auto: $?"
	is "$(cat "$M/objects/auto/attach")" "auto_raw_tp raw_tp/sys_enter"
	is "$(ls "$M/objects/auto/progs/auto_raw_tp/links" | wc -l)" 1 "links of the program"
}

check_names_of_links()
{
	loaded
	echo "raw_tp/sys_enter as=mine" > "$K/progs/on_raw_tp/attach" || fail "attach: $?"
	is "$(ls "$K/links")" mine
	has "$(cat "$K/progs/on_raw_tp/attach")" "as=mine" "what is read back"
	is "$(echo "raw_tp/sys_enter as=mine" | errno_of append "$K/progs/on_raw_tp/attach")" "write EEXIST"
	is "$(ls "$K/links" | wc -l)" 1 "links"
	echo "raw_tp/sys_enter" > "$K/progs/on_raw_tp/attach" || fail "a second one: $?"
	echo "raw_tp/sys_enter" > "$K/progs/on_raw_tp/attach" || fail "a third one: $?"
	is "$(ls "$K/links" | wc -l)" 3 "links"
	has "$(ls "$K/links")" on_raw_tp
	has "$(errno_of rmdir "$K/links/absent")" "rmdir ENOENT"
	is "$(printf 'raw_tp/sys_enter as=a/b\n' | errno_of append "$K/progs/on_raw_tp/attach")" "write EINVAL" "as=a/b"
	is "$(printf 'raw_tp/sys_enter as=..\n' | errno_of append "$K/progs/on_raw_tp/attach")" "write EINVAL" "as=.."
}

# The lines before the bad one count as written: the writer is told about exactly that one.
check_several_lines_in_one_write()
{
	local said
	loaded
	said=$(python3 - "$K/attach" <<- 'END'
		import errno, os, sys
		fd = os.open(sys.argv[1], os.O_WRONLY)
		text = b"""on_raw_tp raw_tp/sys_enter as=one

		on_uretprobe uretprobe/no_such_file:x
		on_raw_tp raw_tp/sys_enter as=three
		""".replace(b"\t", b"")
		done = os.write(fd, text)
		print(text[:done].decode().replace("\n", "|"))
		try:
		    os.write(fd, text[done:])
		except OSError as error:
		    print(errno.errorcode[error.errno])
	END
	)
	has "$said" "as=one|"
	has "$said" ENOENT
	case $said in
	*uretprobe*) fail "the bad line counts as written: $said" ;;
	esac
	is "$(ls "$K/links")" one "links"
}

check_lines_of_a_shell()
{
	loaded
	{
		echo "on_raw_tp raw_tp/sys_enter as=a"
		echo
		echo "on_tracepoint tracepoint/syscalls/sys_enter_personality as=b"
		printf 'on_uprobe uprobe/%s:produce_number as=c' "$PRODUCE"
	} > "$K/attach" || fail "attach: $(cat "$K/status")"
	is "$(ls "$K/links" | tr '\n' ' ')" "a b c "
	cat <<- END > "$K/attach" || fail "here document: $(cat "$K/status")"
		on_raw_tp raw_tp/sys_enter as=d
		on_raw_tp raw_tp/sys_enter as=e
	END
	is "$(ls "$K/links" | tr '\n' ' ')" "a b c d e "
}

# What one object says can be written to another of the same image.
check_attachments_can_be_copied()
{
	local specs
	loaded
	echo "on_raw_tp raw_tp/sys_enter as=a" > "$K/attach" || fail "attach: $?"
	echo "on_uprobe uprobe/$PRODUCE:produce_number cookie=9" > "$K/attach" || fail "attach: $?"
	specs=$(cat "$K/attach")
	cp "$OBJ/kinds.bpf.o" "$M/load/copy.bpf.o" || fail "cp: $?"
	cat "$K/attach" > "$M/objects/copy/attach" || fail "copy: $(cat "$M/objects/copy/status")"
	is "$(cat "$M/objects/copy/attach")" "$specs"
}

check_opening_for_writing_changes_nothing()
{
	loaded
	attached on_raw_tp "raw_tp/sys_enter"
	: > "$K/attach"
	: > "$K/progs/on_raw_tp/attach"
	echo > "$K/attach" || fail "an empty line: $?"
	is "$(ls "$K/links" | wc -l)" 1 "links"
}

check_attach_before_load_is_busy()
{
	mkdir "$M/objects/staged" || fail "mkdir: $?"
	try cp "$OBJ/kinds.bpf.o" "$M/objects/staged/elf" || fail "cp: $?"
	is "$(echo "raw_tp/sys_enter" | errno_of append "$M/objects/staged/progs/on_raw_tp/attach")" "write EBUSY"
	is "$(cat "$M/objects/staged/state")" open
}

check_links_by_id_are_the_same()
{
	local id
	loaded
	attached on_raw_tp "raw_tp/sys_enter"
	id=$(link_id)
	is "$(stat -c %i "$M/links/$id/")" "$(stat -c %i "$K/links"/*/)" "st_ino"
	is "$(jq -r .prog_id "$M/links/$id/info.json")" "$(cat "$K/progs/on_raw_tp/id")" "prog_id"
	is "$(cat "$M/links/$id/prog/name")" on_raw_tp "prog/name"
	try rmdir "$M/links/$id" || fail "rmdir by id: $?"
	is "$(ls "$K/links")" "" "links"
}

# A program of somebody else, attached by us: the link is ours, at the top.
check_foreign_program()
{
	local id bpffs=$PWD/bpffs
	mkdir "$bpffs"
	mount -t bpf bpf "$bpffs" || skip "cannot mount bpffs"
	if ! try bpftool prog load "$OBJ/version.bpf.o" "$bpffs/prog" type raw_tracepoint 2> said; then
		umount "$bpffs"
		fail "bpftool: $(cat said)"
	fi
	id=$(bpftool_json prog show pinned "$bpffs/prog" | jq .id)
	echo "raw_tp/sys_enter as=foreign" > "$M/progs/$id/attach"
	is $? 0 "attach"
	is "$(cat "$M/links/foreign/prog/id")" "$id" "its program"
	there link "$(cat "$M/links/foreign/id")" || { umount "$bpffs"; fail "no link in the kernel"; }
	try rmdir "$M/links/foreign" || { umount "$bpffs"; fail "rmdir: $?"; }
	umount "$bpffs"
}

run_checks
