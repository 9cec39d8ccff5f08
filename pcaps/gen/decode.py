#!/usr/bin/env python3
"""Builds captures of encapsulations, link types, fragments and file formats. Inside each is the same short Modbus
dialogue between two hosts of its own, so that whatever was taken off wrongly is a message that is missing.

  decode.py [DIR]        writes DIR/*.pcap and DIR/*.messages.tsv (default: ../decode beside this script)
  decode.py --seeds DIR  writes the same packets as inputs of tests/fuzz/fuzz_decode.c

Judged by IEEE 802.1Q, 802.2, 62439-3, RFC 3032, 2516, 2784, 2890, 7348, 8926, 2003, 4213, 791, 8200 and
draft-foschiano-erspan-03. tshark finds the same Modbus messages in all of them.
"""
import gzip
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wire import Trace, _sum16, ip_mac  # noqa: E402

OUTER = ("192.168.1.1", "192.168.1.2")


def ip4(src, dst, proto, payload, ident=7, frag=0, options=b""):
    n = 20 + len(options)
    h = struct.pack(">BBHHHBBH4s4s", 0x40 | n // 4, 0, n + len(payload), ident, frag, 64, proto, 0,
                    socket.inet_aton(src), socket.inet_aton(dst)) + options
    return h[:10] + struct.pack(">H", _sum16(h)) + h[12:] + payload


def v6(ip):
    return socket.inet_pton(socket.AF_INET6, "2001:db8::" + ip)


def ip6(src, dst, proto, payload):
    return struct.pack(">IHBB", 0x60000000, len(payload), proto, 64) + v6(src) + v6(dst) + payload


def frame(src, dst, ethertype, payload, pad=True):
    f = ip_mac(dst) + ip_mac(src) + struct.pack(">H", ethertype) + payload
    return f.ljust(60, b"\0") if pad else f


def outer(proto, payload):
    return frame(*OUTER, 0x0800, ip4(*OUTER, proto, payload))


def outer_udp(port, payload):
    return outer(17, struct.pack(">HHHH", 49152, port, 8 + len(payload), 0) + payload)


def gre(flags, proto, fields, payload):
    return outer(47, struct.pack(">HH", flags, proto) + fields + payload)


def eth(p):
    return frame(p.src, p.dst, p.type, p.data)


def llc(p, header):
    body = header + p.data
    return frame(p.src, p.dst, len(body), body)


def prp(p, lan):
    body = p.data.ljust(46, b"\0")
    p.seq += 1
    return frame(p.src, p.dst, p.type, body + struct.pack(">HHH", p.seq, lan << 12 | (len(body) + 6), 0x88FB))


def tags(p, *tci):
    body, ethertype = p.data, p.type
    for tpid, t in reversed(tci):
        body, ethertype = struct.pack(">HH", t, ethertype) + body, tpid
    return frame(p.src, p.dst, ethertype, body)


def pppoe(p):
    body = struct.pack(">H", 0x0021 if p.type == 0x0800 else 0x0057) + p.data
    return frame(p.src, p.dst, 0x8864, struct.pack(">BBHH", 0x11, 0, 9, len(body)) + body)


def mpls(*labels):
    last = len(labels) - 1
    return b"".join(struct.pack(">I", n << 12 | (0x140 if i == last else 0x40)) for i, n in enumerate(labels))


def erspan3(flags=0, sub=b""):
    return struct.pack(">IHHIHH", 99, 0x2000, 5, 12345678, 0, flags) + sub


# name, from the packet to one frame
ETHERNET = [
    ("plain", eth),
    ("vlan", lambda p: tags(p, (0x8100, 7))),
    ("priority tag", lambda p: tags(p, (0x8100, 0xE000))),
    ("qinq", lambda p: tags(p, (0x88A8, 100), (0x8100, 7))),
    ("qinq 9100", lambda p: tags(p, (0x9100, 100), (0x8100, 7))),
    ("snap", lambda p: llc(p, bytes.fromhex("aaaa03000000") + struct.pack(">H", p.type))),
    ("mpls", lambda p: frame(p.src, p.dst, 0x8847, mpls(16) + p.data)),
    ("mpls, three labels", lambda p: frame(p.src, p.dst, 0x8847, mpls(16, 17, 18) + p.data)),
    ("mpls pseudo-wire with control word", lambda p: frame(*OUTER, 0x8847, mpls(20, 21) + b"\0\0\0\x01" + eth(p))),
    ("pppoe", pppoe),
    ("hsr", lambda p: frame(p.src, p.dst, 0x892F,
                            struct.pack(">HHH", 0x1000 | (len(p.data) + 4), 77, p.type) + p.data)),
    ("prp lan a", lambda p: prp(p, 0xA)),
    ("prp lan b", lambda p: prp(p, 0xB)),
    ("802.1ah", lambda p: frame(*OUTER, 0x88E7, b"\0\0\x12\x34" + eth(p))),
    ("gre", lambda p: gre(0, 0x0800, b"", p.data)),
    ("gre, checksum, key and sequence", lambda p: gre(0xB000, 0x0800, struct.pack(">HHII", gre_sum(p.data), 0, 7, 9),
                                                      p.data)),
    ("gre, Ethernet", lambda p: gre(0, 0x6558, b"", eth(p))),
    ("erspan 1", lambda p: gre(0, 0x88BE, b"", eth(p))),
    ("erspan 2", lambda p: gre(0x1000, 0x88BE, struct.pack(">IHHI", 99, 0x1000, 5, 3), eth(p))),
    ("erspan 3", lambda p: gre(0x1000, 0x22EB, erspan3(), eth(p))),
    ("erspan 3 with subheader", lambda p: gre(0x1000, 0x22EB, erspan3(1, bytes.fromhex("0c00000000000000")), eth(p))),
    ("vxlan", lambda p: outer_udp(4789, struct.pack(">II", 0x08000000, 700 << 8) + eth(p))),
    ("vlan in vxlan", lambda p: outer_udp(4789, struct.pack(">II", 0x08000000, 700 << 8) + tags(p, (0x8100, 7)))),
    ("geneve", lambda p: outer_udp(6081, struct.pack(">BBHI", 0, 0, 0x6558, 700 << 8) + eth(p))),
    ("geneve with options", lambda p: outer_udp(6081, struct.pack(">BBHI", 2, 0, 0x6558, 700 << 8) +
                                                struct.pack(">HBBI", 0x0102, 0x80, 1, 42) + eth(p))),
    ("ip in ip", lambda p: outer(4, p.data)),
    ("etherip", lambda p: outer(97, b"\x30\0" + eth(p))),
    ("vxlan in gre in ip in ip", lambda p: outer(4, ip4(*OUTER, 47, struct.pack(">HH", 0, 0x0800) + outer_udp(
        4789, struct.pack(">II", 0x08000000, 700 << 8) + eth(p))[14:]))),
]
ETHERNET6 = [
    ("ipv6", eth),
    ("ipv6 with extension headers", lambda p: frame(p.src, p.dst, 0x86DD, extended(p.data))),
    ("6in4", lambda p: outer(41, p.data)),
    ("ipv6 in gre", lambda p: gre(0, 0x86DD, b"", p.data)),
    ("ipv6 in mpls", lambda p: frame(p.src, p.dst, 0x8847, mpls(16) + p.data)),
    ("ipv6 in vxlan", lambda p: outer_udp(4789, struct.pack(">II", 0x08000000, 700 << 8) + eth(p))),
]


def gre_sum(data):
    """Of the whole GRE packet with a checksum of 0."""
    return _sum16(struct.pack(">HHHHII", 0xB000, 0x0800, 0, 0, 7, 9) + data)


def extended(packet):
    """Hop by hop, routing and destination options between the header and what followed it."""
    proto, body = packet[6], packet[40:]
    hop = bytes.fromhex("2b00050200000104")
    routing = bytes.fromhex("3c02040000000000") + packet[24:40]
    dest = bytes([proto, 0]) + bytes.fromhex("010400000000")
    body = hop + routing + dest + body
    return packet[:4] + struct.pack(">H", len(body)) + b"\0" + packet[7:40] + body


class Packet:
    def __init__(self, src, dst, ethertype, data, seq):
        self.src, self.dst, self.type, self.data, self.seq = src, dst, ethertype, data, seq


class Wrapped(Trace):
    """Each IP packet goes through around(packet) to one frame or a list of them."""

    def __init__(self, path, **k):
        super().__init__(path, **k)
        self.around, self.six, self.seq, self.link, self.marks = eth, False, 0, 1, []

    def ip(self, src, dst, proto, payload, ttl=64):
        if self.six:
            body = ip6(src, dst, proto, payload)
            pseudo = v6(src) + v6(dst) + struct.pack(">II", len(payload), proto)
            at = 40 + (16 if proto == 6 else 6)
            body = body[:at] + b"\0\0" + body[at + 2:]
            body = body[:at] + struct.pack(">H", _sum16(pseudo + body[40:])) + body[at + 2:]
            p = Packet(src, dst, 0x86DD, body, self.seq)
        else:
            self.ip_id += 1
            p = Packet(src, dst, 0x0800, ip4(src, dst, proto, payload, self.ip_id, 0x4000), self.seq)
        frames = self.around(p)
        self.seq = p.seq
        for f in frames if isinstance(frames, list) else [frames]:
            n = self.frame(f)
        return n

    def modbus(self, number, rounds=2, size=2):
        """One connection, already open; reads of size registers."""
        client, server = f"10.30.{number}.5", f"10.30.{number}.9"
        c = self.tcp(client, 40000 + number, server, 502, handshake=False)
        for tid in range(1, rounds + 1):
            n = c.to_server(struct.pack(">HHHBBHH", tid, 0, 6, 1, 3, 100, size))
            self.expect(n, "modbus", 3)
            values = bytes(i & 0xFF for i in range(2 * size))
            n = c.to_client(struct.pack(">HHHBBB", tid, 0, 3 + len(values), 1, 3, len(values)) + values)
            self.expect(n, "modbus", 3)

    def save(self):
        super().save()
        with open(self.path, "r+b") as f:
            f.seek(20)
            f.write(struct.pack("<I", self.link))


def fragments(p, size, order=None, double=False):
    """IPv4 or IPv6 fragments of size bytes, in this order."""
    ident, out = int.from_bytes(p.data[4:6], "big") or 9, []
    body = p.data[40:] if p.type == 0x86DD else p.data[20:]
    for off in range(0, len(body), size):
        more = off + size < len(body)
        part = body[off:off + size]
        if p.type == 0x86DD:
            h = struct.pack(">BBHI", p.data[6], 0, off | more, p.seq + 1)
            fixed = p.data[:4] + struct.pack(">H", len(part) + 8) + b"\x2c" + p.data[7:40]
            out.append(frame(p.src, p.dst, p.type, fixed + h + part))
        else:
            out.append(frame(p.src, p.dst, p.type, ip4(p.src, p.dst, p.data[9], part, ident, more << 13 | off // 8)))
    p.seq += 1
    out = [out[i % len(out)] for i in order(len(out))] if order else out
    return [f for f in out for _ in range(2)] if double else out


def tunnel_fragments(p):
    """The outer packet is what is fragmented."""
    whole = outer_udp(4789, struct.pack(">II", 0x08000000, 700 << 8) + eth(p))[14:]
    p.seq += 1
    return fragments(Packet(*OUTER, 0x0800, ip4(*OUTER, 17, whole[20:], 1000 + p.seq), p.seq), 64)


def build_ethernet(where):
    t = Wrapped(os.path.join(where, "encapsulations.pcap"))
    for i, (_, around) in enumerate(ETHERNET):
        t.around = around
        t.modbus(i + 1)
    t.six = True
    for i, (_, around) in enumerate(ETHERNET6):
        t.around = around
        t.modbus(100 + i)
    t.save()


def build_fragments(where):
    t = Wrapped(os.path.join(where, "fragments.pcap"))
    kinds = [
        lambda p: fragments(p, 64),
        lambda p: fragments(p, 64, lambda n: range(n - 1, -1, -1)),
        lambda p: fragments(p, 8, lambda n: [*range(1, n, 2), *range(0, n, 2)]),
        tunnel_fragments,
    ]
    for i, around in enumerate(kinds):
        t.around = around
        t.modbus(i + 1, size=100)
    t.six = True
    for i, around in enumerate(kinds[:3]):
        t.around = around
        t.modbus(100 + i, size=100)
    t.save()


def build_links(where):
    def sll(p):
        return struct.pack(">HHH", 0, 1, 6) + ip_mac(p.src) + b"\0\0" + struct.pack(">H", p.type) + p.data

    def sll2(p):
        return struct.pack(">HHIHBB", p.type, 0, 2, 1, 0, 6) + ip_mac(p.src) + b"\0\0" + p.data

    kinds = [
        ("sll", 113, sll),
        ("sll2", 276, sll2),
        ("raw", 101, lambda p: p.data),
        ("raw4", 228, lambda p: p.data),
        ("null", 0, lambda p: struct.pack("<I", 2) + p.data),
        ("null_be", 0, lambda p: struct.pack(">I", 2) + p.data),
        ("loop", 108, lambda p: struct.pack(">I", 2) + p.data),
        ("ppp", 9, lambda p: b"\xff\x03\0\x21" + p.data),
        ("hdlc", 104, lambda p: b"\x0f\0" + struct.pack(">H", p.type) + p.data),
    ]
    for i, (name, link, around) in enumerate(kinds):
        t = Wrapped(os.path.join(where, f"link_{name}.pcap"))
        t.around, t.link = around, link
        t.modbus(i + 1)
        t.save()


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    n = len(body) + 12
    return struct.pack(order + "II", kind, n) + body + struct.pack(order + "I", n)


def interface(order, link, name, resolution, offset=0):
    opts = struct.pack(order + "HH", 2, len(name)) + name.encode() + b"\0" * (-len(name) % 4)
    opts += struct.pack(order + "HHBxxx", 9, 1, resolution)
    if offset:
        opts += struct.pack(order + "HHq", 14, 8, offset)
    return block(order, 1, struct.pack(order + "HHI", link, 0, 0) + opts + struct.pack(order + "I", 0))


def build_formats(where):
    """One dialogue through every shape of file; the packets are those of the first."""
    t = Wrapped(os.path.join(where, "format_us.pcap"))
    t.modbus(1, rounds=6)
    t.save()
    rows = t.packets

    def expected(name):
        """Formats are told by their first bytes: all are called .pcap."""
        base = os.path.join(where, name)
        with open(base + ".messages.tsv", "w") as f:
            f.write("frame\tprotocol\tfunction\toptional\n")
            f.writelines("\t".join(str(x) for x in r) + "\n" for r in t.expected)
        return base + ".pcap"

    for order, word in (("<", "le"), (">", "be")):
        data = struct.pack(order + "IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
        for us, d in rows:
            data += struct.pack(order + "IIII", us // 1000000, us % 1000000 * 1000, len(d), len(d)) + d
        with open(expected(f"format_ns_{word}"), "wb") as f:
            f.write(data)
    with open(expected("format_gzip"), "wb") as f:
        f.write(gzip.compress(data, mtime=0))
    ng = b""
    for k, (order, resolution, offset) in enumerate((("<", 6, 0), (">", 9, 0), ("<", 0x80 | 20, 1700000000))):
        ng += block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
        ng += interface(order, 113, "any", 6) + interface(order, 1, f"eth{k}", resolution, offset)
        for us, d in rows[k * 4:k * 4 + 4]:
            units = us * 1000 if resolution == 9 else us if resolution == 6 else \
                (((us - offset * 1000000) << 20) + 999999) // 1000000
            ng += block(order, 0x80000BAD, b"of no interest")
            ng += block(order, 6, struct.pack(order + "IIIII", 1, units >> 32, units & 0xFFFFFFFF, len(d), len(d)) + d)
    with open(expected("format_sections"), "wb") as f:
        f.write(ng)


SEED_LINKS = {1: 0, 0: 3, 9: 4, 101: 8, 104: 9, 108: 11, 113: 12, 228: 13, 276: 15}


def build_seeds(captures, where):
    """One input a dialogue: its packets, each behind link type index, flags, milliseconds and length."""
    os.makedirs(where, exist_ok=True)
    for name in sorted(os.listdir(captures)):
        if not name.startswith(("encapsulations", "fragments", "link_")) or not name.endswith(".pcap"):
            continue
        with open(os.path.join(captures, name), "rb") as f:
            data = f.read()
        link, at, seeds = SEED_LINKS[struct.unpack("<I", data[20:24])[0]], 24, []
        step = 28 if name.startswith("frag") else 4
        while at < len(data):
            n = struct.unpack("<I", data[at + 8:at + 12])[0]
            seeds.append(struct.pack("<BBBH", link, 0, 1, n) + data[at + 16:at + 16 + n])
            at += 16 + n
        for i in range(0, len(seeds), step):
            with open(os.path.join(where, f"{name[:-5]}_{i // step}"), "wb") as f:
                f.write(b"".join(seeds[i:i + step]))


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--seeds":
        build_seeds(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "decode"), sys.argv[2])
        return
    here = os.path.dirname(os.path.abspath(__file__))
    where = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "decode")
    build_ethernet(where)
    build_fragments(where)
    build_links(where)
    build_formats(where)


if __name__ == "__main__":
    main()
