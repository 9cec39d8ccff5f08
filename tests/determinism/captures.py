"""captures.py: reads capture files and writes several of them as one, in the order in which Tyto merges them."""
import gzip
import heapq
import itertools
import struct

NS = 1_000_000_000


class Odd(Exception):
    """A file that this reader leaves alone: damaged, or of a rare form."""


class Packet:
    __slots__ = ("ns", "wire", "data", "link")

    def __init__(self, ns, wire, data, link):
        """link: (link type, interface name, snap length)."""
        self.ns, self.wire, self.data, self.link = ns, wire, data, link


def read(path):
    with open(path, "rb") as f:
        b = f.read()
    if b[:2] == b"\x1f\x8b":
        b = gzip.decompress(b)
    if b[:4] == b"\x0a\x0d\x0d\x0a":
        return list(read_pcapng(b))
    for magic, unit in ((0xA1B2C3D4, 1000), (0xA1B23C4D, 1)):
        for end in "<>":
            if b[:4] == struct.pack(end + "I", magic):
                return list(read_pcap(b, end, unit))
    raise Odd(path)


def read_pcap(b, end, unit):
    snap, link = struct.unpack_from(end + "II", b, 16)
    if link > 0xFFFF:
        raise Odd("flags beside the link type")
    at = 24
    while at < len(b):
        if at + 16 > len(b):
            raise Odd("cut")
        s, sub, cap, wire = struct.unpack_from(end + "IIII", b, at)
        at += 16
        if at + cap > len(b) or cap > wire or (snap and cap > snap):
            raise Odd("cut")
        yield Packet(s * NS + sub * unit, wire, b[at:at + cap], (link, b"", snap))
        at += cap


def options(b, at, end_at, end):
    found = {}
    while at + 4 <= end_at:
        code, n = struct.unpack_from(end + "HH", b, at)
        if code == 0:
            break
        found[code] = b[at + 4:at + 4 + n]
        at += 4 + (n + 3 & ~3)
    return found


def interface(b, at, n, end):
    link, snap = struct.unpack_from(end + "H2xI", b, at + 8)
    o = options(b, at + 16, at + n - 4, end)
    res = o.get(9, b"\x06")[0]
    per_s = 1 << (res & 127) if res & 128 else 10 ** res
    offset = struct.unpack(end + "q", o[14])[0] if 14 in o else 0
    return (link, o.get(2, b"").rstrip(b"\0"), snap), per_s, offset


def read_pcapng(b):
    at, end, ifaces = 0, "<", []
    while at < len(b):
        if b[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            end, ifaces = "<" if b[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">", []
        if at + 12 > len(b):
            raise Odd("cut")
        kind, n = struct.unpack_from(end + "II", b, at)
        if n < 12 or n % 4 or at + n > len(b):
            raise Odd("cut")
        if kind == 1:
            ifaces.append(interface(b, at, n, end))
        elif kind == 6:
            iface, hi, lo, cap, wire = struct.unpack_from(end + "IIIII", b, at + 8)
            if iface >= len(ifaces) or 32 + cap > n or cap > wire:
                raise Odd("bad block")
            link, per_s, offset = ifaces[iface]
            t = hi << 32 | lo
            yield Packet(t // per_s * NS + t % per_s * NS // per_s + offset * NS, wire, b[at + 28:at + 28 + cap], link)
        elif kind in (2, 3):
            raise Odd("old blocks")
        at += n


def merged(files):
    """Packets of all files: by each file's highest time so far, ties by the order of the files."""
    turn = itertools.count()
    heap = []

    def push(index, packets, key):
        p = next(packets, None)
        if p:
            heapq.heappush(heap, (max(key, p.ns), index, next(turn), p, packets))
    for i, packets in enumerate(files):
        push(i, iter(packets), 0)
    while heap:
        key, index, _, p, packets = heapq.heappop(heap)
        yield p
        push(index, packets, key)


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    n = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + n + body + n


def write(path, packets):
    """One pcapng file in nanoseconds, with an interface for each that there was."""
    ifaces = {}
    with open(path, "wb") as f:
        f.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for p in packets:
            if p.link not in ifaces:
                link, name, snap = p.link
                opts = struct.pack("<HHB3x", 9, 1, 9)
                if name:
                    opts += struct.pack("<HH", 2, len(name)) + name + b"\0" * (-len(name) % 4)
                f.write(block(1, struct.pack("<HHI", link, 0, snap) + opts + struct.pack("<HH", 0, 0)))
                ifaces[p.link] = len(ifaces)
            head = struct.pack("<IIIII", ifaces[p.link], p.ns >> 32, p.ns & 0xFFFFFFFF, len(p.data), p.wire)
            f.write(block(6, head + p.data))
