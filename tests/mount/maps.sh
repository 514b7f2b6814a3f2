#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# maps.sh - dumps of maps, compared with what bpftool(8) prints of the same map.
. "$(dirname "$0")/lib.sh"

S=$M/objects/shapes/maps

loaded()
{
	need jq bpftool
	cp "$OBJ/shapes.bpf.o" "$M/load/" || fail "cp: $?; $(cat "$M/objects/shapes/status")"
}

map_id()
{
	cat "$S/$1/id"
}

# le VALUE BYTES: the bytes in bpftool's notation, lowest first
le()
{
	local value=$1 n=$2
	while [ "$n" -gt 0 ]; do
		printf '%d ' $((value & 255))
		value=$((value >> 8)) n=$((n - 1))
	done
}

text()
{
	local n=$2
	printf '%s' "$1" | od -An -v -tu1 | tr -d '\n'
	n=$((n - ${#1}))
	le 0 "$n" | sed 's/^/ /'
}

# shape ID COLOUR NAME: the bytes of a struct shape of tests/data/shapes.bpf.c, 64 of them
shape()
{
	# shellcheck disable=SC2046
	echo $(le "$1" 4) $(le "$2" 4) $(text "$3" 16) \
		$(le -1 4) $(le 2 4) $(le 10 4) $(le 11 4) $(le -20 4) $(le 21 4) \
		$(le 1234567890123 8) 11 1 $(le -300 2) $(le 99 4)
}

# put MAP KEY-BYTES VALUE-BYTES
put()
{
	# shellcheck disable=SC2086
	try bpftool map update id "$(map_id "$1")" key $2 value $3 || fail "bpftool map update of $1: $?"
}

# What bpftool makes of the types. It writes bit fields as "0x…", puts members of an anonymous
# union under the key "", and older ones have an element's bytes beside it.
theirs()
{
	bpftool_json map dump id "$(map_id "$1")" | jq -cS '
		def number: if type == "string" and startswith("0x") then
			(.[2:] | ascii_downcase | explode | reduce .[] as $c (0;
				. * 16 + (if $c >= 97 then $c - 87 else $c - 48 end)))
			else . end;
		[.[] | .formatted // .] | map(walk(if type == "object" then
			(.[""] // {}) + del(.[""]) | with_entries(
				if .key == "flag_a" or .key == "flag_b" then .value |= number else . end)
			else . end)) | sort_by(.key | tostring)'
}

ours()
{
	jq -cS 'sort_by(.key | tostring)' "$S/$1/dump.json"
}

# same MAP: as bpftool sees it
same()
{
	theirs "$1" > theirs || fail "bpftool: $?"
	ours "$1" > ours || fail "dump.json: $(head -c 300 "$S/$1/dump.json")"
	cmp -s theirs ours || fail "ours: $(cat ours) theirs: $(cat theirs)"
}

check_hash()
{
	loaded
	is "$(jq -c . "$S/shape_hash/dump.json")" "[]" "an empty one"
	is "$(cat "$S/shape_hash/dump")" "" "an empty one as text"
	put shape_hash "$(le 1 4)$(le -2 4)" "$(shape 1 0 circle)"
	put shape_hash "$(le 3 4)$(le 4 4)" "$(shape 4000000000 7 'with blank')"
	put shape_hash "$(le 5 4)$(le 6 4)" "$(shape 3 -1 '')"
	put shape_hash "$(le 7 4)$(le 8 4)" "$(shape 3 99 '')"
	is "$(jq length "$S/shape_hash/dump.json")" 4 "elements"
	same shape_hash
	is "$(jq -c '.[] | select(.key.x == 1) | .value | [.id, .colour, .name, .at, .corners, .area, .flag_a, .flag_b, .filled, .weight, .tail]' \
		"$S/shape_hash/dump.json")" \
		'[1,"RED","circle",{"x":-1,"y":2},[{"x":10,"y":11},{"x":-20,"y":21}],1234567890123,1,5,true,-300,99]' "a shape"
	is "$(jq -c '.[] | select(.key.x == 7) | .value.colour' "$S/shape_hash/dump.json")" 99 "an enum without a name"
}

check_strings()
{
	loaded
	put shape_hash "$(le 1 4)$(le 0 4)" "$(shape 1 0 'a "b" \c')"
	put shape_hash "$(le 2 4)$(le 0 4)" "$(shape 1 0 '0123456789abcdef')"
	put shape_hash "$(le 3 4)$(le 0 4)" "$(shape 1 0 "$(printf 'gr\303\274n \377')")"
	is "$(jq -r '.[] | select(.key.x == 1) | .value.name' "$S/shape_hash/dump.json")" 'a "b" \c'
	is "$(jq -r '.[] | select(.key.x == 2) | .value.name' "$S/shape_hash/dump.json")" 0123456789abcdef
	is "$(jq -r '.[] | select(.key.x == 3) | .value.name' "$S/shape_hash/dump.json")" "$(printf 'gr\303\274n \303\277')"
}

check_text()
{
	local line
	loaded
	put shape_hash "$(le 1 4)$(le -2 4)" "$(shape 1 7 'two words')"
	is "$(wc -l < "$S/shape_hash/dump")" 1 "lines"
	line=$(cat "$S/shape_hash/dump")
	for part in x=1 y=-2 id=1 colour=GREEN "name='two words'" weight=-300; do
		has "$line" "$part" dump
	done
	put shape_array "$(le 2 4)" "$(shape 5 0 x)"
	is "$(wc -l < "$S/shape_array/dump")" 4 "lines of an array"
	is "$(sed -n 3p "$S/shape_array/dump" | cut -d: -f1)" 2 "key of the third line"
}

check_array()
{
	loaded
	put shape_array "$(le 2 4)" "$(shape 5 0 square)"
	same shape_array
	is "$(jq -c '[.[].key]' "$S/shape_array/dump.json")" "[0,1,2,3]" keys
}

# bpftool gives each CPU the same value.
check_percpu_array()
{
	local cpus
	loaded
	cpus=$(bpftool_json map dump id "$(map_id shape_percpu)" | jq '.[0].values | length')
	put shape_percpu "$(le 1 4)" "$(le 10 4)$(le -1 4)"
	same shape_percpu
	is "$(jq -c '.[1].values[0]' "$S/shape_percpu/dump.json")" '{"cpu":0,"value":{"x":10,"y":-1}}'
	is "$(jq '.[1].values | length' "$S/shape_percpu/dump.json")" "$cpus" "values"
	is "$(wc -c < "$S/shape_percpu/dump.bin")" $((2 * (4 + cpus * 8))) "size of dump.bin"
}

check_percpu_hash()
{
	loaded
	put shape_percpu_hash "$(le 77 8)" "$(le 1000 8)"
	same shape_percpu_hash
}

# Each CPU its own: what examples/syscount counts of a system call that nobody else makes.
check_percpu_values()
{
	local calls=$M/objects/syscount/maps/calls nr=135
	need taskset jq
	[ "$(uname -m)" = x86_64 ] || nr=92
	[ "$(nproc)" -ge 2 ] || skip "there is one CPU only"
	cp "$EXAMPLES/syscount.bpf.o" "$M/run/" || fail "cp: $?; $(cat "$M/objects/syscount/status")"
	taskset -c 0 "$PRODUCE" 30
	taskset -c 1 "$PRODUCE" 500
	is "$(jq -c ".[] | select(.key == $nr) | .values[0:2] | map(.value)" "$calls/dump.json")" "[30,500]"
	is "$(bpftool_json map dump id "$(cat "$calls/id")" | jq -c ".[] | .formatted // . | select(.key == $nr) | .values")" \
		"$(jq -c ".[] | select(.key == $nr) | .values" "$calls/dump.json")" "what bpftool sees"
}

check_lru_hash()
{
	loaded
	put shape_lru "$(le 7 4)" "$(le 4294967295 4)"
	same shape_lru
	is "$(jq -c . "$S/shape_lru/dump.json")" '[{"key":7,"value":4294967295}]'
}

check_data_sections()
{
	loaded
	is "$(jq -c '[.. | objects | .how_many? // empty]' "$S/.rodata/dump.json")" "[50000]" .rodata
	has "$(cat "$S/.rodata/dump")" how_many
}

check_bytes()
{
	loaded
	put shape_lru "$(le 7 4)" "$(le 258 4)"
	is "$(od -An -v -tu1 "$S/shape_lru/dump.bin" | tr -s ' ' | sed 's/^ //')" "7 0 0 0 2 1 0 0" dump.bin
	put shape_array "$(le 2 4)" "$(shape 5 0 square)"
	is "$(wc -c < "$S/shape_array/dump.bin")" $((4 * (4 + 64))) "size of dump.bin"
}

limit[check_large_map]=120
check_large_map()
{
	local many i
	loaded
	many=$(map_id shape_many)
	for i in $(seq 0 4999); do
		echo "map update id $many key $(le "$i" 4) value $(le $((i * 3)) 8)"
	done > batch
	try bpftool batch file batch > /dev/null || fail "bpftool batch: $?"
	is "$(jq length "$S/shape_many/dump.json")" 5000 "elements"
	jq -e 'all(.[]; .value == .key * 3)' "$S/shape_many/dump.json" > /dev/null || fail "wrong values"
	is "$(jq -c '[.[].key] | sort | unique | length' "$S/shape_many/dump.json")" 5000 "keys"
	is "$(wc -l < "$S/shape_many/dump")" 5000 "lines"
	is "$(wc -c < "$S/shape_many/dump.bin")" 60000 "bytes"
	# Small and odd blocks give the same.
	head -c 20000 "$S/shape_many/dump" > all
	try dd if="$S/shape_many/dump" bs=100 count=200 iflag=fullblock 2> /dev/null | cmp - all || fail "blocks of 100"
	try dd if="$S/shape_many/dump" bs=77 2> /dev/null | head -c 20000 | cmp - all || fail "blocks of 77"
	# Some lines, and then the rest by another reader of the same open.
	is "$({ head -n 3 > first; wc -l; } < "$S/shape_many/dump")" 4997 "lines after head -n 3"
	is "$(head -n 1 "$S/shape_many/dump" | wc -l)" 1 "head -n 1"
	is "$(tail -n 1 "$S/shape_many/dump" | wc -l)" 1 "tail -n 1"
}

check_offset_0_starts_again()
{
	loaded
	put shape_lru "$(le 1 4)" "$(le 2 4)"
	try python3 - "$S/shape_lru/dump.json" <<- 'END' || fail "python3: $?"
		import os, sys
		fd = os.open(sys.argv[1], os.O_RDONLY)
		first = os.read(fd, 65536)
		assert first and not os.read(fd, 65536)
		os.lseek(fd, 0, os.SEEK_SET)
		assert os.read(fd, 65536) == first
		assert os.pread(fd, 5, 2) == first[2:7]
		try:
		    os.pread(fd, 5, 1 << 40)
		    raise SystemExit("a read far behind the end succeeded")
		except OSError as error:
		    assert error.errno == 29, error
	END
}

check_info()
{
	local map fields='{id, type, name, flags, bytes_key, bytes_value, max_entries, frozen, btf_id}'
	loaded
	for map in shape_hash shape_array shape_percpu shape_percpu_hash shape_lru .rodata; do
		bpftool_json map show id "$(map_id "$map")" | jq -S "$fields" > theirs
		jq -S "$fields" "$S/$map/info.json" > ours || fail "$map/info.json"
		diff theirs ours > differs || fail "$map: $(grep '^[<>]' differs | tr '\n' ' ')"
	done
	is "$(cat "$S/shape_hash/type")" hash type
	is "$(cat "$S/shape_hash/key_size")" 8 key_size
	is "$(cat "$S/shape_hash/value_size")" 64 value_size
	is "$(cat "$S/shape_hash/max_entries")" 64 max_entries
	is "$(cat "$S/.rodata/frozen")" 1 ".rodata/frozen"
	has "$(cat "$S/shape_hash/info")" shape_hash info
}

# A map of somebody else, found by its id only.
check_foreign_map()
{
	local map bpffs=$PWD/bpffs
	need jq bpftool
	mkdir "$bpffs"
	mount -t bpf bpf "$bpffs" || skip "cannot mount bpffs"
	try bpftool map create "$bpffs/map" type hash key 4 value 2 entries 8 name foreign_map || { umount "$bpffs"; fail "bpftool: $?"; }
	try bpftool map update pinned "$bpffs/map" key 1 2 3 4 value 5 6
	map=$(bpftool_json map show pinned "$bpffs/map" | jq .id)
	cat "$M/maps/$map/dump" > text
	cat "$M/maps/$map/dump.json" > json
	cat "$M/maps/$map/name" > name
	echo clear 2> /dev/null > "$M/maps/$map/ctl" && echo cleared >> name
	bpftool_json map dump pinned "$bpffs/map" | jq length >> name
	umount "$bpffs"
	is "$(tr '\n' ' ' < name)" "foreign_map 1 " "name, elements after 'clear' without 'edit'"
	has "$(cat text)" 0x01020304
	has "$(cat text)" 0x0506
	is "$(jq -c . json)" '[{"key":"0x01020304","value":"0x0506"}]'
	wait_until 5 gone map "$map" || fail "looking prolonged its life"
}

run_checks
