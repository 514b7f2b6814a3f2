#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tree.sh - looking at the tree: all of it, by everything that looks; and the staged path.
. "$(dirname "$0")/lib.sh"

# Two objects, attached, with something in the ring: more to stumble over.
populate()
{
	cp "$OBJ/produce.bpf.o" "$M/load/" || fail "cp: $?"
	cp "$OBJ/auto.bpf.o" "$M/run/" || fail "cp: $?"
	echo "uprobe/$PRODUCE:produce_number" > "$M/objects/produce/progs/produce/attach" || fail "attach: $?"
	"$PRODUCE" 5
}

# What must not change by looking: objects, links, what the ring still holds, what the kernel has.
state()
{
	ls "$M/objects" "$M/objects"/*/links
	cat "$M/objects"/*/state "$M/objects"/*/attach
	held prog
	held map
	held link
}

# looks COMMAND…: ends in time, without an error of its own, and changes nothing. Programs of
# others may vanish while one looks at them: that is what those errors say.
looks()
{
	local before status
	before=$(state)
	try "$@" > looked 2> said
	status=$?
	[ $status -ne 124 ] && [ $status -ne 137 ] || fail "$1 did not end: it waits somewhere"
	grep -vE "No such file|Stale file|had errors|previous errors|file changed as we read|shrank by|: Exiting" said > errors
	[ ! -s errors ] || fail "$1: $(head -n 3 errors)"
	is "$(state)" "$before" "state after $1"
	# The five records are still there for a reader.
	is "$(timeout 5 head -n 5 "$M/objects/produce/maps/numbers/stream/json" | jq -c .number | tr '\n' ' ')" \
		"0 1 2 3 4 " "records after $1"
}

check_ls_recursive()
{
	populate
	looks ls -lR "$M"
	has "$(cat looked)" produce
}

check_find()
{
	populate
	looks find "$M" -ls
	has "$(cat looked)" "objects/produce/progs/produce/attach"
}

check_grep_recursive()
{
	populate
	looks grep -r produce_number "$M/objects"
	has "$(cat looked)" "attach:"
}

limit[check_grep_everything]=120
check_grep_everything()
{
	populate
	looks grep -r "no such text in any of these" "$M"
}

check_tar()
{
	populate
	looks tar -C "$M" -cf - objects
	[ -s looked ] || fail "an empty archive"
}

check_du()
{
	populate
	looks du -s "$M"
}

check_cp_recursive()
{
	populate
	looks cp -r "$M/objects/produce/progs" copied
	is "$(cat copied/produce/name)" produce "a copied file"
}

# Every file of our objects can be read to its end, at once, and not with an error.
check_every_file_can_be_read()
{
	local file
	populate
	find "$M/objects" "$M/README" "$M/version" "$M/error_log" -type f > files
	[ "$(wc -l < files)" -gt 30 ] || fail "only $(wc -l < files) files"
	while read -r file; do
		is "$(errno_of read "$file")" ok "$file"
	done < files
}

limit[check_every_file_can_be_read]=180

check_every_json_is_json()
{
	local file
	need jq
	populate
	find "$M/objects" "$M/progs" "$M/maps" "$M/links" -name '*.json' -type f > files
	[ "$(wc -l < files)" -gt 10 ] || fail "only $(wc -l < files) files"
	while read -r file; do
		# A thing of somebody else may be gone by now.
		try cat "$file" > json 2> /dev/null || continue
		jq -e . json > /dev/null || fail "$file is no JSON: $(head -c 200 json)"
	done < files
}

check_lists_are_what_bpftool_shows()
{
	local kind
	need jq bpftool
	populate
	for kind in prog map link; do
		bpftool_json $kind show | jq -c '[.[].id] | sort' > theirs
		jq -c '[.[].id] | sort' "$M/${kind}s/list.json" > ours || fail "list.json of ${kind}s"
		# Others come and go on this machine: ours are in both.
		for id in $(held $kind); do
			jq -e "index($id)" theirs > /dev/null || fail "bpftool does not show $kind $id"
			jq -e "index($id)" ours > /dev/null || fail "${kind}s/list.json does not show $id"
			[ -d "$M/${kind}s/$id" ] || fail "no ${kind}s/$id"
			ls "$M/${kind}s" | grep -qx "$id" || fail "ls ${kind}s does not show $id"
		done
	done
}

check_a_thing_is_the_same_everywhere()
{
	local id
	populate
	id=$(cat "$M/objects/produce/progs/produce/id")
	is "$(stat -c %i "$M/progs/$id")" "$(stat -c %i "$M/objects/produce/progs/produce")" "st_ino of the program"
	is "$(cat "$M/progs/$id/info.json")" "$(cat "$M/objects/produce/progs/produce/info.json")" "info.json"
	is "$(ls "$M/progs/$id")" "$(ls "$M/objects/produce/progs/produce")" "files"
	id=$(cat "$M/objects/produce/maps/numbers/id")
	is "$(stat -c %i "$M/maps/$id")" "$(stat -c %i "$M/objects/produce/maps/numbers")" "st_ino of the map"
	[ "$(stat -c %i "$M/maps/$id")" != "$(stat -c %i "$M/objects/produce/maps/.bss")" ] || fail "two maps, one st_ino"
	is "$(jq .id "$M/maps/$id/info.json")" "$id" "id in info.json"
}

# A shell that stands in a directory must not be moved when the thing is met elsewhere.
check_working_directory_stays()
{
	local id
	populate
	id=$(cat "$M/objects/produce/progs/produce/id")
	cd "$M/objects/produce/progs/produce" || fail "cd: $?"
	ls "$M/progs/$id" > /dev/null
	is "$(/bin/pwd -P)" "$M/objects/produce/progs/produce" "where we are"
	is "$(cat ../../state)" loaded "../../state"
	cd /
}

check_symlinks_lead_somewhere()
{
	local link
	populate
	find "$M/objects" -type l > links
	[ -s links ] || fail "there are no symlinks"
	while read -r link; do
		[ -e "$link" ] || fail "$link -> $(readlink "$link") leads nowhere"
		case $(readlink "$link") in
		/*) fail "$link -> $(readlink "$link") is not relative" ;;
		esac
	done < links
	has "$(readlink "$M/objects/produce/maps/numbers/stream/text")" .live
	is "$(cat "$M/objects/produce/progs/produce/object/state")" loaded "progs/produce/object"
	ls -A "$M" | grep -qx .live && fail "readdir lists .live"
	[ -d "$M/.live" ] || fail "there is no .live"
}

check_modes_say_what_can_be_done()
{
	populate
	is "$(stat -c %a "$M")" 700 "mode of the root"
	is "$(stat -c %a "$M/version")" 400 "mode of version"
	is "$(stat -c %a "$M/objects/produce/attach")" 600 "mode of attach"
	is "$(stat -c %u:%g "$M/objects/produce/ctl")" 0:0 "owner"
}

check_readme_and_version()
{
	local word
	for word in "objects/" "load/" "attach" "uprobe" "tracepoint" "xdp" "cookie"; do
		has "$(cat "$M/README")" "$word" README
	done
	has "$(cat "$M/version")" "$("$BPFUSE" --version | grep -o '[0-9.]*[0-9]' | head -n 1)" version
	is "$(wc -l < "$M/version")" 1 "lines of version"
}

check_ctl_lists_its_verbs()
{
	populate
	has "$(cat "$M/objects/produce/ctl")" unload
	has "$(cat "$M/objects/produce/ctl")" detach
	has "$(cat "$M/objects/produce/progs/produce/ctl")" pin
}

check_names_that_are_not_there()
{
	local name
	populate
	for name in nothing progs/0 progs/4294967295 progs/01 progs/x maps/-1 objects/none objects/produce/none \
		objects/produce/progs/none load/none.o; do
		is "$(errno_of open "$M/$name")" "open ENOENT" "$name"
	done
}

check_program_files()
{
	local dir=$M/objects/auto/progs/auto_raw_tp id
	populate
	id=$(cat "$dir/id")
	is "$(cat "$dir/name")" auto_raw_tp name
	is "$(cat "$dir/tag")" "$(bpftool_json prog show id "$id" | jq -r .tag)" tag
	is "$(cat "$dir/type")" "$(bpftool_json prog show id "$id" | jq -r .type)" type
	bpftool_json prog show id "$id" |
		jq -S '{id, type, name, tag, gpl_compatible, loaded_at, uid, bytes_xlated, jited, bytes_jited, map_ids, btf_id}' > theirs
	jq -S '{id, type, name, tag, gpl_compatible, loaded_at, uid, bytes_xlated, jited, bytes_jited, map_ids, btf_id}' \
		"$dir/info.json" > ours
	diff theirs ours > differs || fail "info.json is not what bpftool shows: $(grep '^[<>]' differs | tr '\n' ' ')"
	is "$(ls "$dir/maps" | wc -l)" "$(jq '.map_ids | length' "$dir/info.json")" "maps/ of the program"
	# Our daemon holds it, and it says so.
	has "$(cat "$dir/pids")" "$(daemon_pid)" pids
}

check_foreign_program_has_no_section()
{
	local id bpffs=$PWD/bpffs
	mkdir "$bpffs"
	mount -t bpf bpf "$bpffs" || skip "cannot mount bpffs"
	try bpftool prog load "$OBJ/version.bpf.o" "$bpffs/prog" 2> said || { umount "$bpffs"; fail "bpftool: $(cat said)"; }
	id=$(bpftool_json prog show pinned "$bpffs/prog" | jq .id)
	ls "$M/progs/$id" > files
	is "$(cat "$M/progs/$id/name")" version_prog name
	umount "$bpffs"
	grep -qx autoload files && fail "a foreign program has autoload"
	# Looking did not keep it alive.
	wait_until 5 gone prog "$id" || fail "program $id lives on"
	is "$(errno_of open "$M/progs/$id/name")" "open ENOENT" "after its end"
}

# For whoever wants to configure first.
check_staged_path()
{
	local object=$M/objects/staged
	mkdir "$object" || fail "mkdir: $?"
	is "$(cat "$object/state")" empty state
	is "$(ls "$object/progs" "$object/maps" 2> /dev/null | grep -c version)" 0 "programs before elf"
	try cp "$OBJ/version.bpf.o" "$object/elf" || fail "cp elf: $?"
	is "$(cat "$object/state")" open state
	cmp "$OBJ/version.bpf.o" "$object/elf" || fail "elf is not what was written"
	is "$(held prog)$(held map)" "" "in the kernel before load"
	echo 33 > "$object/maps/version_map_1/max_entries" || fail "max_entries: $?"
	is "$(cat "$object/maps/version_map_1/max_entries")" 33
	is "$(cat "$object/progs/version_prog/autoload")" 1 autoload
	echo load > "$object/ctl" || fail "load: $(cat "$object/status")"
	is "$(cat "$object/state")" loaded state
	is "$(bpftool_json map show id "$(cat "$object/maps/version_map_1/id")" | jq .max_entries)" 33 "for bpftool"
	is "$(echo 44 | errno_of append "$object/maps/version_map_1/max_entries")" "write EBUSY"
	is "$(cp "$OBJ/version.bpf.o" "$object/elf" 2>&1 | grep -c busy)" 1 "elf again"
	try rmdir "$object" || fail "rmdir: $?"
	[ -e "$object" ] && fail "it is still there"
	return 0
}

check_autoload_off()
{
	local object=$M/objects/staged
	mkdir "$object" || fail "mkdir: $?"
	try cp "$OBJ/kinds.bpf.o" "$object/elf" || fail "cp elf: $?"
	echo 0 > "$object/progs/on_xdp/autoload" || fail "autoload: $?"
	is "$(cat "$object/progs/on_xdp/autoload")" 0
	is "$(echo maybe | errno_of append "$object/progs/on_xdp/autoload")" "write EINVAL"
	echo load > "$object/ctl" || fail "load: $(cat "$object/status")"
	is "$(bpftool_json prog show | jq -c --argjson ids "[$(held prog | paste -sd,)]" \
		'[.[] | select(.id as $id | $ids | index($id)) | .name] | sort')" \
		'["on_cgroup_skb","on_raw_tp","on_tracepoint","on_uprobe","on_uprobe_multi","on_uretprobe"]' "programs"
}

# One object that does not load as it is does once its program is left out.
check_staged_without_the_bad_program()
{
	local object=$M/objects/staged
	mkdir "$object" || fail "mkdir: $?"
	try cp "$OBJ/rejected.bpf.o" "$object/elf" || fail "cp elf: $?"
	echo 0 > "$object/progs/reject_null/autoload" || fail "autoload: $?"
	echo load > "$object/ctl" || fail "load: $(cat "$object/status")"
	is "$(cat "$object/state")" loaded
	is "$(held prog | wc -l)" 1 "programs"
}

check_prepare()
{
	local object=$M/objects/staged
	mkdir "$object" || fail "mkdir: $?"
	try cp "$OBJ/version.bpf.o" "$object/elf" || fail "cp elf: $?"
	echo prepare > "$object/ctl" || fail "prepare: $(cat "$object/status")"
	is "$(cat "$object/state")" prepared
	is "$(held map | wc -l) $(held prog | wc -l)" "1 0" "maps and programs"
	is "$(echo 5 | errno_of append "$object/maps/version_map_1/max_entries")" "write EBUSY"
	echo load > "$object/ctl" || fail "load: $(cat "$object/status")"
	is "$(held map | wc -l) $(held prog | wc -l)" "1 1" "maps and programs"
}

check_pins()
{
	local id bpffs=$PWD/bpffs
	populate
	mkdir "$bpffs"
	mount -t bpf bpf "$bpffs" || skip "cannot mount bpffs"
	id=$(cat "$M/objects/produce/maps/numbers/id")
	if ! echo "pin $bpffs/numbers" > "$M/objects/produce/maps/numbers/ctl"; then
		umount "$bpffs"
		fail "pin: $(cat "$M/objects/produce/status")"
	fi
	is "$(bpftool_json map show pinned "$bpffs/numbers" | jq .id)" "$id" "what is pinned"
	rm "$M/load/produce.bpf.o"
	there map "$id" || { umount "$bpffs"; fail "the pin did not keep it"; }
	# Ours no longer, but still shown.
	is "$(cat "$M/maps/$id/name")" numbers "its name"
	umount "$bpffs"
	wait_until 5 gone map "$id" || fail "map $id lives on"
}

run_checks
