/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xdpcount - packets and bytes that an interface receives, by IP protocol.
 *
 *	cp build/examples/xdpcount.bpf.o $M/load/
 *	echo 'xdp dev=lo mode=generic' > $M/objects/xdpcount/progs/count_packet/attach
 *	ping -c3 127.0.0.1
 *	cat $M/objects/xdpcount/maps/by_protocol/dump
 *	rm $M/load/xdpcount.bpf.o
 *
 * Index 1 is ICMP, 6 TCP, 17 UDP, 58 ICMPv6 (/etc/protocols), 255 what is not IP.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { NOT_IP = 255, N_PROTOCOLS = 256 };

struct traffic {
	__u64 packets, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, N_PROTOCOLS);
	__type(key, __u32); /* IP protocol number */
	__type(value, struct traffic);
} by_protocol SEC(".maps");

static __u32 protocol_of(void *data, void *end)
{
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return NOT_IP;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);

		return (void *)(ip + 1) > end ? NOT_IP : ip->protocol;
	}
	if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);

		return (void *)(ip + 1) > end ? NOT_IP : ip->nexthdr;
	}
	return NOT_IP;
}

SEC("xdp")
int count_packet(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 protocol = protocol_of(data, end);
	struct traffic *traffic = bpf_map_lookup_elem(&by_protocol, &protocol);

	if (traffic) {
		traffic->packets++;
		traffic->bytes += end - data;
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
