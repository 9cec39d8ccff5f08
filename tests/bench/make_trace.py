#!/usr/bin/env python3
"""A long trace out of short captures: repeats the bundled ones (pcaps/), each in many places of a made-up plant.

  make_trace.py --out TRACE [--packets 1050000] [--instances 400] [--seed 7] [--root pcaps]

Every instance is one capture under addresses of its own (10.x.y.0/24; the vendor part of each MAC stays) that runs again
and again; from turn to turn the TCP sequence numbers move, so that a connection with a handshake is a new one and none
looks retransmitted. Checksums are carried along (RFC 1624): a good one stays good, a bad one bad. The same captures,
arguments and seed give the same bytes. Addresses inside payloads stay as they are.
"""
import argparse
import glob
import heapq
import os
import random
import struct
import sys

H, I = struct.Struct('!H'), struct.Struct('!I')
MAX_GAP = 1.0           # seconds: longer silences of a capture are cut to this
EPOCH = 1736928000


def frames(path):
    data = open(path, 'rb').read()
    magic = data[:4]
    if magic not in (b'\xd4\xc3\xb2\xa1', b'\xa1\xb2\xc3\xd4', b'\x4d\x3c\xb2\xa1', b'\xa1\xb2\x3c\x4d'):
        return
    order = '<' if magic[0] in (0xd4, 0x4d) else '>'
    unit = 1e9 if magic in (b'\x4d\x3c\xb2\xa1', b'\xa1\xb2\x3c\x4d') else 1e6
    if struct.unpack_from(order + 'I', data, 20)[0] & 0xffff != 1:
        return
    at, head = 24, struct.Struct(order + 'IIII')
    while at + 16 <= len(data):
        s, f, cap, wire = head.unpack_from(data, at)
        at += 16
        if at + cap <= len(data) and cap == wire and cap >= 14:
            yield s + f / unit, data[at:at + cap]
        at += cap


def words(b):
    return sum(struct.unpack('!%dH' % (len(b) // 2), b))


def fold(x):
    while x >> 16:
        x = (x & 0xffff) + (x >> 16)
    return x


def patch_sum(d, at, delta, udp=False):
    new = 0xffff & ~fold((0xffff & ~H.unpack_from(d, at)[0]) + delta % 0xffff)
    H.pack_into(d, at, 0xffff if udp and not new else new)


class Packet:
    """Where in a frame the addresses and sums are."""
    __slots__ = ('t', 'data', 'l3', 'l4', 'proto', 'sum4', 'arp')

    def __init__(self, t, d):
        self.t, self.data, self.l3, self.l4, self.proto, self.sum4, self.arp = t, d, 0, 0, 0, 0, 0
        at, kind = 14, H.unpack_from(d, 12)[0]
        while kind in (0x8100, 0x88a8) and at + 4 <= len(d):
            kind = H.unpack_from(d, at + 2)[0]
            at += 4
        if kind == 0x0806 and len(d) >= at + 28:
            self.arp = at
        if kind != 0x0800 or len(d) < at + 20 or d[at] >> 4 != 4:
            return
        self.l3, self.proto = at, d[at + 9]
        l4 = at + (d[at] & 15) * 4
        if H.unpack_from(d, at + 6)[0] & 0x1fff:
            return
        if self.proto == 6 and len(d) >= l4 + 20:
            self.l4, self.sum4 = l4, l4 + 16
        elif self.proto == 17 and len(d) >= l4 + 8 and d[l4 + 6:l4 + 8] != b'\0\0':
            self.l4, self.sum4 = l4, l4 + 6


class Template:
    def __init__(self, path):
        self.packets, last, t = [], None, 0.0
        for ts, d in sorted(frames(path), key=lambda x: x[0]):
            t += min(max(ts - last, 0.0), MAX_GAP) if last is not None else 0.0
            last = ts
            self.packets.append(Packet(t, d))
        self.seconds = t + 0.05
        self.ips, self.macs = set(), set()
        for p in self.packets:
            d = p.data
            self.macs |= {d[0:6], d[6:12]}
            if p.l3:
                self.ips |= {d[p.l3 + 12:p.l3 + 16], d[p.l3 + 16:p.l3 + 20]}
            if p.arp:
                self.ips |= {d[p.arp + 14:p.arp + 18], d[p.arp + 24:p.arp + 28]}
        self.ips = sorted(x for x in self.ips if x[0] < 224 and x[0] and x[3] not in (0, 255))
        self.macs = sorted(m for m in self.macs if not m[0] & 1)


class Instance:
    def __init__(self, template, number):
        self.template, self.turn, self.at = template, 0, 0
        self.ip = {x: bytes([10, 1 + number // 250, number % 250, 1 + k % 250]) for k, x in enumerate(template.ips)}
        self.mac = {m: m[:3] + bytes([number >> 8, number & 255, k & 255]) for k, m in enumerate(template.macs)}
        self.delta = {x: words(y) - words(x) for x, y in self.ip.items()}

    def _swap(self, d, at, n, table):
        old = bytes(d[at:at + n])
        new = table.get(old)
        if new:
            d[at:at + n] = new
        return self.delta.get(old, 0) if new and n == 4 else 0

    def frame(self, p):
        d = bytearray(p.data)
        self._swap(d, 0, 6, self.mac)
        self._swap(d, 6, 6, self.mac)
        if p.arp:
            for at, n in ((8, 6), (14, 4), (18, 6), (24, 4)):
                self._swap(d, p.arp + at, n, self.mac if n == 6 else self.ip)
        if not p.l3:
            return d
        delta = self._swap(d, p.l3 + 12, 4, self.ip) + self._swap(d, p.l3 + 16, 4, self.ip)
        patch_sum(d, p.l3 + 10, delta)
        if p.l4 and p.proto == 6 and self.turn:
            for at in (p.l4 + 4, p.l4 + 8):
                old = I.unpack_from(d, at)[0]
                new = (old + self.turn * 0x01000193) & 0xffffffff
                I.pack_into(d, at, new)
                delta += (new >> 16) + (new & 0xffff) - (old >> 16) - (old & 0xffff)
        if p.l4:
            patch_sum(d, p.sum4, delta, p.proto == 17)
        return d


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    ap = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ap.add_argument('--out', required=True)
    ap.add_argument('--root', default=os.path.join(here, '..', '..', 'pcaps'))
    ap.add_argument('--packets', type=int, default=1050000)
    ap.add_argument('--instances', type=int, default=400)
    ap.add_argument('--pps', type=float, default=2300)
    ap.add_argument('--seed', type=int, default=7)
    a = ap.parse_args()
    rng = random.Random(a.seed)
    templates = [Template(p) for p in sorted(glob.glob(os.path.join(a.root, '*', '*.pcap')))]
    templates = [t for t in templates if len(t.packets) >= 4]
    if not templates:
        sys.exit('make_trace: no captures under ' + a.root)
    plant = [Instance(templates[i % len(templates)], i) for i in range(a.instances)]
    # Each instance takes an equal share of the rate: its turns are as long as its packets at that rate.
    share = a.pps / a.instances
    turn = [len(i.template.packets) / share for i in plant]
    stretch = [min(1.0, turn[n] / i.template.seconds) for n, i in enumerate(plant)]
    base = [rng.random() * turn[n] for n in range(a.instances)]
    heap = [(base[n], n) for n in range(a.instances)]
    heapq.heapify(heap)
    head = struct.Struct('<IIII').pack
    with open(a.out, 'wb', buffering=1 << 22) as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for _ in range(a.packets):
            ts, n = heap[0]
            i = plant[n]
            d = i.frame(i.template.packets[i.at])
            us = int(ts * 1e6)
            out.write(head(EPOCH + us // 1000000, us % 1000000, len(d), len(d)))
            out.write(d)
            i.at += 1
            if i.at == len(i.template.packets):
                i.at, i.turn = 0, i.turn + 1
                base[n] += turn[n]
            heapq.heapreplace(heap, (base[n] + i.template.packets[i.at].t * stretch[n], n))
    print('%d packets, %d captures, %d instances' % (a.packets, len(templates), a.instances))


if __name__ == '__main__':
    main()
