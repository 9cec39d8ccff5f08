#!/usr/bin/env python3
"""enip.py: builds the captures of pcaps/enip/: EtherNet/IP and CIP dialogues that are hard to come by.

  python3 pcaps/gen/enip.py [OUT_DIR]        default: pcaps/enip beside this script

Each capture comes with NAME.messages.tsv: the messages that must be found, by the standard (CIP Vol 1 and 2, Rockwell
1756-PM020 and 1770-6.5.16), in the notation frame, protocol, function, optional. Python standard library only.
"""
import os
import socket
import struct
import sys

import wire

HMI, ENG, PLC, IO = "10.20.1.5", "10.20.1.7", "10.20.1.20", "10.20.1.30"
PORT = 44818
CM, MR, IDENTITY, FILE, PCCC, SYMBOL, TEMPLATE = 0x06, 0x02, 0x01, 0x37, 0x67, 0x6B, 0x6C


# ---- CIP ----

def seg(kind, v):
    """A logical segment: kind 0x20 class, 0x24 instance, 0x28 member, 0x2c connection point, 0x30 attribute."""
    if v < 256:
        return bytes([kind, v])
    if v < 65536:
        return struct.pack("<BBH", kind + 1, 0, v)
    return struct.pack("<BBI", kind + 2, 0, v)


def path(cls, inst=None, attr=None):
    return seg(0x20, cls) + (seg(0x24, inst) if inst is not None else b"") + (seg(0x30, attr) if attr is not None else b"")


def tag(name):
    """"Program:Main.Tag[3].Member" as ANSI extended symbols and member segments."""
    out = b""
    for part in name.split("."):
        part, *index = part.replace("]", "").split("[")
        b = part.encode()
        out += bytes([0x91, len(b)]) + b + b"\0" * (len(b) % 2)
        for i in ",".join(index).split(","):
            out += seg(0x28, int(i)) if i else b""
    return out


def req(service, p, data=b""):
    assert len(p) % 2 == 0
    return bytes([service, len(p) // 2]) + p + data


def rep(service, data=b"", status=0, ext=()):
    return bytes([service | 0x80, 0, status, len(ext)]) + b"".join(struct.pack("<H", e) for e in ext) + data


def msp(*parts):
    """The body of a Multiple Service Packet."""
    at, offsets = 2 + 2 * len(parts), b""
    for p in parts:
        offsets += struct.pack("<H", at)
        at += len(p)
    return struct.pack("<H", len(parts)) + offsets + b"".join(parts)


def send(inner, route=b"\x01\x00"):
    """Unconnected Send: tick 2^10 ms, 240 ticks."""
    pad = b"\0" * (len(inner) % 2)
    return req(0x52, path(CM, 1), struct.pack("<BBH", 10, 240, len(inner)) + inner + pad +
               bytes([len(route) // 2, 0]) + route)


def codes(message):
    """The services of a message: of an Unconnected Send and a Multiple Service Packet the inner ones too."""
    service = message[0] & 0x7F
    out = [service]
    if message[0] & 0x80:
        at = 4 + 2 * message[3]
    else:
        at = 2 + 2 * message[1]
        if service == 0x52 and message[2:4] == b"\x20\x06":
            n, = struct.unpack_from("<H", message, at + 2)
            return out + codes(message[at + 4:at + 4 + n])
    if service == 0x0A and len(message) > at:
        body = message[at:]
        n, = struct.unpack_from("<H", body)
        offs = [*struct.unpack_from(f"<{n}H", body, 2), len(body)]
        for a, b in zip(offs, offs[1:]):
            out += codes(body[a:b])
    return out


# ---- encapsulation ----

def encap(command, data=b"", session=0, context=b"\0" * 8, status=0, options=0):
    return struct.pack("<HHII8sI", command, len(data), session, status, context, options) + data


def items(*its):
    return struct.pack("<H", len(its)) + b"".join(struct.pack("<HH", t, len(d)) + d for t, d in its)


def rr(cip):
    return struct.pack("<IH", 0, 0) + items((0, b""), (0xB2, cip))


def unit(conn, seq, cip):
    return struct.pack("<IH", 0, 0) + items((0xA1, struct.pack("<I", conn)), (0xB1, struct.pack("<H", seq) + cip))


def io(conn, seq, data):
    return items((0x8002, struct.pack("<II", conn, seq)), (0xB1, data))


class Client:
    """One TCP connection with a session; every exchange is written down as expected."""

    def __init__(self, t, client, server, cport=50100, port=PORT, session=0x11020100, constant=False):
        self.t, self.c, self.session, self.n, self.constant = t, t.tcp(client, cport, server, port), session, 0, constant
        body = struct.pack("<HH", 1, 0)
        self.up(encap(0x65, body, 0, b"open\0\0\0\0"), 0x65)
        self.down(encap(0x65, body, session, b"open\0\0\0\0"), 0x65)

    def up(self, data, command, cip=(), cut=()):
        f = self.c.to_server(data, cut)
        self.say(f, command, cip)
        return f

    def down(self, data, command, cip=(), cut=()):
        f = self.c.to_client(data, cut)
        self.say(f, command, cip)
        return f

    def say(self, frame, command, cip):
        self.t.expect(frame, "enip", command)
        for s in cip:
            self.t.expect(frame, "cip", s)

    def context(self):
        if not self.constant:
            self.n += 1
        return struct.pack("<Q", self.n)

    def ask(self, request, *, route=None, context=None, cut=()):
        context = context or self.context()
        m = send(request, route) if route is not None else request
        self.up(encap(0x6F, rr(m), self.session, context), 0x6F, codes(m), cut)
        return context

    def tell(self, answer, context, cut=()):
        self.down(encap(0x6F, rr(answer), self.session, context), 0x6F, codes(answer), cut)

    def rr(self, request, answer, route=None):
        self.tell(answer, self.ask(request, route=route))

    def unit(self, o2t, t2o, seq, request, answer):
        self.up(encap(0x70, unit(o2t, seq, request), self.session), 0x70, codes(request))
        self.down(encap(0x70, unit(t2o, seq, answer), self.session), 0x70, codes(answer))

    def bye(self):
        self.up(encap(0x66, b"", self.session), 0x66)
        self.c.close()


# ---- objects ----

def identity(vendor=1, kind=14, code=166, rev=(32, 11), status=0x3060, serial=0x00C0FFEE, name="1756-L83E/B", state=3):
    n = name.encode()
    return struct.pack("<HHHBBHIB", vendor, kind, code, *rev, status, serial, len(n)) + n + bytes([state])


def list_identity(ip, **k):
    sock = struct.pack(">hH4s8x", 2, PORT, socket.inet_aton(ip))
    return items((0x0C, struct.pack("<H", 1) + sock + identity(**k)))


def key(vendor=1, kind=12, code=0xA6, major=1, minor=1, compat=True):
    return struct.pack("<BBHHHBB", 0x34, 4, vendor, kind, code, major | (0x80 if compat else 0), minor)


def forward_open(p, o2t=0, t2o=0x80F10001, serial=0x1001, rpi=10000, o_par=0x4820, t_par=0x4820, transport=0x01,
                 large=False, orig=0x00A1B2C3, mult=2, vendor=1):
    body = struct.pack("<BBIIHHIB3x", 10, 14, o2t, t2o, serial, vendor, orig, mult)
    body += struct.pack("<II" if large else "<IH", rpi, o_par) + struct.pack("<II" if large else "<IH", rpi, t_par)
    return req(0x5B if large else 0x54, path(CM, 1), body + bytes([transport, len(p) // 2]) + p)


def opened(o2t, t2o=0x80F10001, serial=0x1001, rpi=10000, large=False, orig=0x00A1B2C3, vendor=1):
    return rep(0x5B if large else 0x54, struct.pack("<IIHHIIIBB", o2t, t2o, serial, vendor, orig, rpi, rpi, 0, 0))


def not_opened(status, ext, serial=0x1001, large=False, orig=0x00A1B2C3, words=3, vendor=1):
    return rep(0x5B if large else 0x54, struct.pack("<HHIBB", serial, vendor, orig, words, 0), status, ext)


def forward_close(p, serial=0x1001, orig=0x00A1B2C3, vendor=1):
    return req(0x4E, path(CM, 1), struct.pack("<BBHHIBB", 10, 14, serial, vendor, orig, len(p) // 2, 0) + p)


def closed(serial=0x1001, orig=0x00A1B2C3, vendor=1):
    return rep(0x4E, struct.pack("<HHIBB", serial, vendor, orig, 0, 0))


def pccc(cmd, tns, data=b"", fnc=None, sts=0):
    return struct.pack("<BHIBBH", 7, 0x4D, 0x07AA23D3, cmd, sts, tns) + (bytes([fnc]) if fnc is not None else b"") + data


# ---- captures ----

def reset(t):
    """Discovery, identity, and resets of type 0, 1 and 2; one refused."""
    f = t.udp(ENG, 50001, "10.20.1.255", PORT, encap(0x63))
    t.expect(f, "enip", 0x63)
    f = t.udp(PLC, PORT, ENG, 50001, encap(0x63, list_identity(PLC)))
    t.expect(f, "enip", 0x63)
    f = t.udp(IO, PORT, ENG, 50001, encap(0x63, list_identity(IO, kind=12, code=108, rev=(5, 14), status=0x30,
                                                              serial=0x60123456, name="1734-AENT/B", vendor=1)))
    t.expect(f, "enip", 0x63)
    c = Client(t, ENG, PLC)
    c.up(encap(0x04), 0x04)
    c.down(encap(0x04, items((0x100, struct.pack("<HH16s", 1, 0x120, b"Communications")))), 0x04)
    c.up(encap(0x64, b"", c.session), 0x64)
    c.down(encap(0x64, items(), c.session), 0x64)
    c.up(encap(0x00, b"still here", c.session), 0x00)
    c.rr(req(0x01, path(IDENTITY, 1)), rep(0x01, identity()))
    for n, value in ((1, b"\1\0"), (2, b"\x0e\0"), (3, b"\xa6\0"), (4, b"\x20\x0b"), (5, b"\x60\x30"),
                     (6, struct.pack("<I", 0xC0FFEE)), (7, b"\x0b1756-L83E/B"), (8, b"\3")):
        c.rr(req(0x0E, path(IDENTITY, 1, n)), rep(0x0E, value))
    c.rr(req(0x01, path(IDENTITY, 1)), rep(0x01, identity(code=94, kind=7, serial=0x11, name="1756-IB16/A")), b"\x01\x03")
    c.rr(req(0x05, path(IDENTITY, 1), b"\1"), rep(0x05, status=0x0F))
    c.rr(req(0x05, path(IDENTITY, 1)), rep(0x05))
    c.rr(req(0x05, path(IDENTITY, 1), b"\0"), rep(0x05))
    c.rr(req(0x05, path(IDENTITY, 1), b"\1"), rep(0x05))
    c.rr(req(0x05, path(IDENTITY, 1), b"\2"), rep(0x05), b"\x01\x00")
    c.bye()


def mode(t):
    """A controller is taken to program mode and back, by its mode object, behind a route, and by PCCC."""
    c = Client(t, ENG, PLC)
    lock = seg(0x20, 0x8E) + seg(0x24, 1) + seg(0x20, 0x74) + seg(0x24, 1)
    c.rr(req(0x4B, lock, b"\0"), rep(0x4B))
    c.rr(req(0x07, path(0x8E, 1)), rep(0x07))
    c.rr(req(0x06, path(0x8E, 1)), rep(0x06, status=0x10))
    c.rr(req(0x06, path(0x8E, 1)), rep(0x06))
    c.rr(req(0x4C, lock), rep(0x4C))
    c.rr(req(0x07, path(0x8E, 1)), rep(0x07), b"\x01\x02")
    c.rr(req(0x07, path(0x64, 1)), rep(0x07, status=0x08))
    c.rr(req(0x06, path(0x8E, 1)), rep(0x06, status=0x0B), b"\x01\x02")
    c.rr(req(0x0E, path(IDENTITY, 1, 5)), rep(0x0E, b"\x70\x30"), b"\x01\x02")
    c.rr(req(0x4B, path(PCCC, 1), pccc(0x0F, 1, b"\x01", 0x80)), rep(0x4B, pccc(0x4F, 1)))
    c.rr(req(0x4B, path(PCCC, 1), pccc(0x0F, 2, b"\x06", 0x80)), rep(0x4B, pccc(0x4F, 2)))
    c.rr(req(0x4B, path(PCCC, 1), pccc(0x0F, 3, b"\x02", 0x3A)), rep(0x4B, pccc(0x4F, 3, b"\x0b", sts=0xF0)))
    c.rr(req(0x06, path(0x29, 1)), rep(0x06))   # a drive's control supervisor: a motor is started, not a controller
    c.rr(req(0x07, path(0x29, 1)), rep(0x07))
    c.bye()


def files(t):
    """An EDS is read, a file is written through the File object, firmware through nonvolatile storage."""
    c = Client(t, ENG, PLC)
    eds = b"[File]\r\n        DescText = \"x\";\r\n"
    c.rr(req(0x4B, path(FILE, 0xC8), b"\x20"), rep(0x4B, struct.pack("<IB", len(eds), 32)))
    for i in range(0, len(eds), 32):
        last = i + 32 >= len(eds)
        n = i // 32
        c.rr(req(0x4F, path(FILE, 0xC8), bytes([n])), rep(0x4F, bytes([n, 2 if last else 0 if not n else 1]) + eds[i:i + 32]))
    c.rr(req(0x4C, path(FILE, 1), struct.pack("<IHBB", 96, 1, 2, 1) + b"\x08app.bin\0"), rep(0x4C, struct.pack("<IHB", 0, 0, 48)))
    c.rr(req(0x50, path(FILE, 1), b"\x00\x00" + bytes(48)), rep(0x50, b"\x00"))
    c.rr(req(0x50, path(FILE, 1), b"\x01\x02" + bytes(48)), rep(0x50, b"\x01"))
    c.rr(req(0x4D, path(FILE, 1), b"\x20"), rep(0x4D, status=0x08))
    c.rr(req(0x51, path(FILE, 1)), rep(0x51, status=0x0C))
    c.rr(req(0x09, path(FILE, 1)), rep(0x09))
    c.rr(req(0x4B, path(0xA1, 1), b"\1\0\0\0" + bytes(20)), rep(0x4B, b"\0\0"))
    for n in range(3):
        c.rr(req(0x4D, path(0xA1, 1), struct.pack("<I", n * 400) + bytes(400)), rep(0x4D, struct.pack("<I", n * 400)))
    c.rr(req(0x4C, path(0xA1, 1), b"\0\0\0\0"), rep(0x4C, bytes(64)))
    c.bye()


def download(t):
    """A program goes into a controller over a class 3 connection: lock, stop, create, write, unlock, run."""
    c = Client(t, ENG, PLC)
    p = b"\x01\x00" + path(MR, 1)
    c.rr(forward_open(p, transport=0xA3, o_par=0x43F4, t_par=0x43F4, rpi=2000000), opened(0x007C0B01, rpi=2000000))
    k, n = (0x007C0B01, 0x80F10001), iter(range(1, 100))
    program, routine = path(0x68, 0x2420), path(0x68, 0x2420) + path(0x6D, 0x2420)
    lock = path(0x8E, 1) + path(0x74, 1)
    c.unit(*k, next(n), req(0x4B, lock, b"\0"), rep(0x4B))
    c.unit(*k, next(n), req(0x07, path(0x8E, 1)), rep(0x07))
    c.unit(*k, next(n), req(0x09, program), rep(0x09))
    c.unit(*k, next(n), req(0x08, program, b"\1\0\x0a\0\0\0"), rep(0x08, b"\0\0\x58\xe8\x23\0"))
    c.unit(*k, next(n), req(0x04, program, struct.pack("<HHI", 1, 3, 0x9000)), rep(0x04, struct.pack("<HHH", 1, 3, 0)))
    c.unit(*k, next(n), req(0x08, path(SYMBOL, 0x1234), b"\1\0\x0a\0\0\0"), rep(0x08))
    c.unit(*k, next(n), req(0x08, routine, b"\1\0\5\0\0\0"), rep(0x08, b"\0\0\x7c\xe5\x23\0"))
    for at in range(0, 1200, 400):
        c.unit(*k, next(n), req(0x4D, routine, struct.pack("<IH", at, 400) + bytes(400)), rep(0x4D))
    c.unit(*k, next(n), req(0x50, path(0x6A, 0x5924), b"\0\0\0\0\4\0\1\0\0\0"), rep(0x50))
    c.unit(*k, next(n), req(0x4C, routine, struct.pack("<IH", 0, 400)), rep(0x4C, bytes(400), 6))
    c.unit(*k, next(n), req(0x4C, lock), rep(0x4C))
    c.unit(*k, next(n), req(0x06, path(0x8E, 1)), rep(0x06))
    c.unit(*k, next(n), req(0x03, path(0xAC, 1), struct.pack("<6H", 5, 1, 2, 3, 4, 10)),
           rep(0x03, struct.pack("<H HHH HHH HHI HHI HHI", 5, 1, 0, 5, 2, 0, 1, 3, 0, 0xB2E8B1A4, 4, 0, 0x31, 10, 0, 0x77)))
    c.rr(forward_close(p), closed())
    c.bye()


def safety(t):
    """CIP Safety: a Forward Open with a safety segment, and the Safety Supervisor's services."""
    c = Client(t, ENG, IO)
    net = bytes([0x50, 0x1B, 0x00, 0x00]) + bytes(52)   # target format, 27 words
    p = key(code=0x10) + path(4, 0x350) + seg(0x2C, 0x2A1) + seg(0x2C, 0x2A2) + net
    p = p + b"\0" * (len(p) % 2)
    c.rr(forward_open(p, transport=0x00, o_par=0x4406, t_par=0x4406), opened(0x00120001))
    c.rr(forward_open(p, transport=0x00, serial=0x1002), not_opened(1, (0x80E,), serial=0x1002))
    ss = path(0x39, 1)
    for service, data, answer, status in ((0x4C, b"", b"", 0), (0x4E, b"", b"\0", 0), (0x4F, bytes(16), b"", 0),
                                          (0x50, bytes(10), bytes(10), 0), (0x51, bytes(32), b"", 0x0F),
                                          (0x52, b"\1" + bytes(26), b"", 0), (0x53, b"\2" + bytes(16), b"", 0),
                                          (0x54, b"\1" + bytes(26), b"", 0), (0x55, bytes(20), b"", 0),
                                          (0x56, bytes(10), b"", 0), (0x57, bytes(10), b"", 0)):
        c.rr(req(service, ss, data), rep(service, answer, status))
    c.rr(req(0x4B, path(0x3A, 1)), rep(0x4B))
    c.rr(req(0x0E, path(0x39, 1, 11)), rep(0x0E, b"\4"))
    c.rr(forward_close(p), closed())
    c.bye()


def pccc_all(t):
    """PCCC: typed logical, PLC-5 addresses, basic commands, diagnostics, download dialogue, errors."""
    c = Client(t, HMI, PLC, session=0x22)
    dialogue = [
        (0x0F, 0xA2, b"\x02\x07\x89\x00\x00", b"\x2a\x00"), (0x0F, 0xA2, b"\x14\x07\x89\x0a\x00", bytes(range(20))),
        (0x0F, 0xA2, b"\x04\x08\x8a\x01\x00", struct.pack("<f", 1.5)), (0x0F, 0xA2, b"\x02\x04\x86\x05\x02", b"\x64\x00"),
        (0x0F, 0xA2, b"\x02\xff\x2c\x01\x89\xff\x00\x01\x00", b"\x01\x00"), (0x0F, 0xA1, b"\x02\x07\x89\x03", b"\x03\x00"),
        (0x0F, 0xAA, b"\x02\x07\x89\x01\x00\x39\x05", b""), (0x0F, 0xA9, b"\x02\x07\x89\x01\x39\x05", b""),
        (0x0F, 0xAB, b"\x02\x03\x85\x00\x00\x01\x00\x01\x00", b""), (0x0F, 0x01, b"\0\0\1\0\x07\x00\x07\x00\x02", b"\x05\x00"),
        (0x0F, 0x00, b"\0\0\1\0\x07\x00\x07\x00\x05\x00", b""), (0x0F, 0x68, b"\0\0\2\0\x00$N7:0\0\x02\0", b"\x99\x09\x05\x42\x01\0\x02\0"),
        (0x0F, 0x67, b"\0\0\1\0\x00$N7:0\0\x42\x09\x00", b""), (0x0F, 0x26, b"\x00$B3:0\0\xfe\xff\x01\x00", b""),
        (0x06, 0x00, b"hello", b"hello"), (0x06, 0x01, b"\0\0\4", b"\0\0\0\0"),
        (0x06, 0x03, b"", b"\x00\xee\x4a\x9c\x231763-LEC   \0\0\x26\0\x78\x1a\x30\xfc\x01"),
        (0x07, 0x04, b"", b""), (0x0F, 0x50, b"", b""), (0x0F, 0x18, b"\0\0\0\0\4" + bytes(4), b""), (0x0F, 0x52, b"", b""),
        (0x0F, 0x53, b"", b"\0"), (0x0F, 0x17, b"\0\0\0\0\4", bytes(4)), (0x0F, 0x55, b"", b""), (0x07, 0x05, b"", b""),
        (0x0F, 0x0A, b"", b""), (0x0F, 0x11, b"", b""), (0x0F, 0x12, b"", b""), (0x0F, 0x41, b"", b""), (0x0F, 0x57, b"", b""),
        (0x0F, 0x07, b"", b""), (0x07, 0x00, b"", b""), (0x0F, 0x81, b"\3\x24\0\x22", b"\1\0"), (0x0F, 0xAF, b"\x10\1\0\0\0\x22" + bytes(16), b""),
        (0x0F, 0x82, b"\1\0", b""), (0x01, None, b"\x14\0\x02", b"\x07\0"), (0x08, None, b"\x14\0\x09\0", b""), (0x00, None, b"\x14\0\x09\0", b""),
        (0x0F, 0x88, b"\2\4\xa2\2\7\x89\2\xaa\2", b""),
    ]
    for tns, (cmd, fnc, data, answer) in enumerate(dialogue, 0x100):
        c.rr(req(0x4B, path(PCCC, 1), pccc(cmd, tns, data, fnc)), rep(0x4B, pccc(cmd | 0x40, tns, answer)))
    c.rr(req(0x4B, path(PCCC, 1), pccc(0x0F, 0x200, b"\x02\x63\x89\x00\x00", 0xA2)), rep(0x4B, pccc(0x4F, 0x200, b"\x06", sts=0xF0)))
    c.rr(req(0x4B, path(PCCC, 1), pccc(0x0F, 0x201, b"\x02\x07\x89\x00\x00\x01\x00", 0xAA)), rep(0x4B, pccc(0x4F, 0x201, sts=0x70)))
    c.bye()


def tags(t):
    """Tags of all sorts, Multiple Service Packets with partial errors, fragments, lists, over both kinds of carrier."""
    c = Client(t, HMI, PLC)
    rd = lambda name, n=1: req(0x4C, tag(name), struct.pack("<H", n))
    value = lambda kind, b: rep(0x4C, struct.pack("<H", kind) + b)
    c.rr(rd("Speed"), value(0xCA, struct.pack("<f", 42.5)))
    c.rr(rd("Program:Main.Tag[3].Member"), value(0xC4, struct.pack("<i", -7)))
    c.rr(rd("Matrix[1,2]", 2), value(0xC3, struct.pack("<hh", 1, -1)))
    c.rr(rd("Name"), rep(0x4C, struct.pack("<HHI", 0x2A0, 0x0FCE, 5) + b"motor" + bytes(79)))
    c.rr(rd("Recipe"), rep(0x4C, struct.pack("<HH", 0x2A0, 0x1234) + bytes(24)))
    c.rr(rd("Missing"), rep(0x4C, status=4, ext=(0,)))
    c.rr(req(0x4D, tag("Setpoint"), struct.pack("<HHf", 0xCA, 1, 55.0)), rep(0x4D))
    c.rr(req(0x4D, tag("Bits[2]"), struct.pack("<HHI", 0xD3, 1, 0xFF)), rep(0x4D, status=0xFF, ext=(0x2107,)))
    c.rr(req(0x52, tag("Big"), struct.pack("<HI", 500, 0)), rep(0x52, struct.pack("<H", 0xC4) + bytes(400), 6))
    c.rr(req(0x52, tag("Big"), struct.pack("<HI", 500, 400)), rep(0x52, struct.pack("<H", 0xC4) + bytes(100)))
    c.rr(req(0x53, tag("Big"), struct.pack("<HHI", 0xC4, 500, 0) + bytes(200)), rep(0x53))
    c.rr(req(0x4E, tag("Flags"), struct.pack("<HII", 4, 1, 0xFFFFFFFE)), rep(0x4E))
    c.rr(req(0x4C, path(SYMBOL, 0x4711), struct.pack("<H", 1)), value(0xC2, b"\x05"))
    parts = [rd("A"), rd("B"), rd("C")]
    c.rr(req(0x0A, path(MR, 1), msp(*parts)),
         rep(0x0A, msp(value(0xC4, bytes(4)), rep(0x4C, status=4, ext=(0,)), value(0xC1, b"\1")), 0x1E))
    c.rr(req(0x0A, path(MR, 1), msp(*parts)), rep(0x0A, msp(*[value(0xC4, bytes(4))] * 3)), b"\x01\x00")
    c.rr(req(0x0A, path(MR, 1), msp(*parts)), rep(0x0A, status=0x08))
    names = b"".join(struct.pack("<IH", 100 + i, len(n)) + n.encode() + struct.pack("<H", 0xC4)
                     for i, n in enumerate(("Speed", "Setpoint", "Program:Main")))
    c.rr(req(0x55, path(SYMBOL, 0), struct.pack("<HHH", 2, 1, 2)), rep(0x55, names, 6))
    c.rr(req(0x55, path(SYMBOL, 103), struct.pack("<HHH", 2, 1, 2)), rep(0x55, struct.pack("<IH", 104, 4) + b"Flag" + b"\xc1\0"))
    c.rr(req(0x55, tag("Program:Main") + path(SYMBOL, 0), struct.pack("<HH", 1, 1)), rep(0x55, struct.pack("<IH", 7, 5) + b"Local"))
    c.rr(req(0x03, path(TEMPLATE, 0x321), struct.pack("<5H", 4, 4, 5, 2, 1)),
         rep(0x03, struct.pack("<HHHIHHIHHHHHH", 4, 4, 0, 20, 5, 0, 24, 2, 0, 3, 1, 0, 0x1234)))
    c.rr(req(0x4C, path(TEMPLATE, 0x321), struct.pack("<IH", 0, 80)), rep(0x4C, bytes(80)))
    c.rr(req(0x01, path(0x64, 1)), rep(0x01, struct.pack("<H", 6) + b"Mixer1"))
    p = b"\x01\x00" + path(MR, 1)
    c.rr(forward_open(p, transport=0xA3, o_par=0x43F4, t_par=0x43F4), opened(0x100))
    c.unit(0x100, 0x80F10001, 1, rd("Speed"), value(0xCA, struct.pack("<f", 43.0)))
    c.unit(0x100, 0x80F10001, 2, req(0x0A, path(MR, 1), msp(*parts)), rep(0x0A, msp(*[value(0xC4, bytes(4))] * 3)))
    # a connection that was opened before the capture began: by shape
    c.unit(0x0BADC0DE, 0x80AAAAAA, 77, rd("Old"), value(0xC4, bytes(4)))
    c.bye()


def route(t):
    """Routes that fail, routes of several hops, one constant sender context, answers out of order, split segments."""
    c = Client(t, HMI, PLC)
    c.rr(req(0x01, path(IDENTITY, 1)), rep(0x52, b"\x02\0", 1, (0x204,)), b"\x01\x09")
    c.rr(req(0x01, path(IDENTITY, 1)), rep(0x52, b"\x02\0", 1, (0x311,)), b"\x05\x00")
    c.rr(req(0x52, tag("Big"), struct.pack("<HI", 1, 0)), rep(0x52, b"\x02\0", 1, (0x204,)), b"\x01\x00")
    c.rr(req(0x52, tag("Big"), struct.pack("<HI", 1, 0)), rep(0x52, status=4, ext=(0,)), b"\x01\x00")
    c.rr(req(0x52, tag("Big"), struct.pack("<HI", 1, 0)), rep(0x52, b"\xc4\0" + bytes(4)), b"\x01\x00")
    hops = b"\x01\x02\x12\x0910.20.9.9\0\x01\x00"
    c.rr(req(0x0E, path(IDENTITY, 1, 7)), rep(0x0E, b"\x041769"), hops)
    a = c.ask(req(0x0E, path(IDENTITY, 1, 1)))
    b = c.ask(req(0x0E, path(IDENTITY, 1, 2)), route=b"\x01\x04")
    c.tell(rep(0x0E, b"\x0c\0"), b)
    c.tell(rep(0x0E, b"\x01\0"), a)
    a = c.ask(req(0x0E, path(IDENTITY, 1, 1)), cut=(1, 24, 30))
    c.tell(rep(0x0E, b"\x01\0"), a, cut=(23, 41))
    c.bye()
    c = Client(t, HMI, PLC, cport=50200, session=7, constant=True)
    for n in range(3):
        c.rr(req(0x0E, path(IDENTITY, 1, 1 + n)), rep(0x0E, b"\1\0"))
    a = c.ask(req(0x0E, path(IDENTITY, 1, 1)))
    c.ask(req(0x01, path(IDENTITY, 1)))
    c.tell(rep(0x01, identity()), a)
    c.tell(rep(0x0E, b"\1\0"), a)
    c.c.close()
    c = Client(t, HMI, PLC, cport=50300, port=4818, session=9)     # an unusual port: recognised by shape
    c.rr(req(0x0E, path(IDENTITY, 1, 1)), rep(0x0E, b"\1\0"))
    c.bye()


def connections(t):
    """I/O connections: opened, running, idle, closed, refused; large; one data packet after the close."""
    c = Client(t, PLC, IO)
    p = key(code=108, major=5, minor=14) + path(4, 0x66) + seg(0x2C, 0x64) + seg(0x2C, 0x65)
    cfg = p + b"\x80\x03" + b"\1\2\3\4\5\6"
    c.rr(forward_open(cfg), not_opened(1, (0x106,)))
    c.rr(forward_open(cfg), not_opened(1, (0x114,)))
    c.rr(forward_open(cfg), opened(0x00330001))
    for n in range(1, 40):
        run = 0 if 20 <= n < 30 else 1
        t.udp(PLC, 2222, IO, 2222, io(0x00330001, n, struct.pack("<HI", n, run) + b"\x11\x22\x33\x44"))
        t.udp(IO, 2222, PLC, 2222, io(0x80F10001, n, struct.pack("<H", n) + b"\xaa\xbb"))
    c.rr(forward_close(cfg), closed())
    t.udp(PLC, 2222, IO, 2222, io(0x00330001, 40, struct.pack("<HI", 40, 1) + b"\x66\x66\x66\x66"))
    c.rr(forward_open(b"\x01\x00" + path(MR, 1), transport=0xA3, large=True, o_par=0x42000FA0, t_par=0x42000FA0, serial=0x1009),
         opened(0x200, large=True, serial=0x1009))
    c.unit(0x200, 0x80F10001, 1, req(0x4C, tag("Large"), b"\1\0"), rep(0x4C, b"\xc4\0" + bytes(4)))
    c.rr(forward_close(b"\x01\x00" + path(MR, 1), serial=0x1009), closed(serial=0x1009))
    c.rr(forward_open(p, o_par=0, t_par=0, serial=0x100A), not_opened(1, (0x132,), serial=0x100A))
    c.rr(req(0x56, path(CM, 1), b"\1\0"), rep(0x56, bytes(50)))
    c.rr(req(0x57, path(CM, 1), struct.pack("<HHI", 0x1001, 1, 0xA1B2C3)), rep(0x57, status=1, ext=(0x107,)))
    c.rr(req(0x5A, path(CM, 1), b"\0\2" + path(4, 0x66)), rep(0x5A, bytes(10)))
    c.bye()
    # produced tag to a group
    for n in range(1, 5):
        t.udp(PLC, 2222, "239.192.4.1", 2222, io(0x00550001, n, struct.pack("<H", n) + bytes(8)))


def address(t):
    """The device's own settings: address, host name, address source, port, clock, quality of service, switch."""
    c = Client(t, ENG, IO)
    ip = lambda a: struct.unpack(">I", socket.inet_aton(a))[0]
    conf = lambda a: struct.pack("<5I", ip(a), ip("255.255.255.0"), ip("10.20.1.1"), 0, 0) + struct.pack("<H", 0)
    tcpip = lambda n: path(0xF5, 1, n)
    c.rr(req(0x0E, tcpip(5)), rep(0x0E, conf(IO)))
    c.rr(req(0x0E, tcpip(6)), rep(0x0E, b"\x06\0valve1"))
    c.rr(req(0x10, tcpip(3), struct.pack("<I", 0)), rep(0x10))
    c.rr(req(0x10, tcpip(5), conf("10.20.1.66")), rep(0x10))
    c.rr(req(0x10, tcpip(5), conf("255.255.255.255")), rep(0x10, status=9))
    c.rr(req(0x10, tcpip(6), b"\x05\0other\0"), rep(0x10))
    c.rr(req(0x10, tcpip(3), struct.pack("<I", 2)), rep(0x10))
    c.rr(req(0x01, path(0xF5, 1)), rep(0x01, struct.pack("<III", 1, 0x20, 0) + b"\2\0\x20\xf6\x24\x01" + conf(IO) + b"\6\0valve1"))
    c.rr(req(0x01, path(0xF6, 1)), rep(0x01, struct.pack("<II", 100, 0xF) + b"\x00\x00\xbc\x01\x02\x03" + bytes(6)))
    c.rr(req(0x0E, path(0xF6, 1, 3)), rep(0x0E, b"\x00\x00\xbc\x01\x02\x03"))
    c.rr(req(0x10, path(0xF6, 1, 6), b"\1\0\0\0"), rep(0x10))
    c.rr(req(0x4C, path(0xF6, 1, 4)), rep(0x4C, bytes(44)))
    c.rr(req(0x04, path(0x8B, 1), struct.pack("<HHQ", 1, 6, 1767607872000000)), rep(0x04, struct.pack("<HHH", 1, 6, 0)))
    c.rr(req(0x03, path(0x8B, 1), struct.pack("<HH", 1, 11)), rep(0x03, struct.pack("<HHHQ", 1, 11, 0, 1767607873000000)))
    c.rr(req(0x10, path(0x43, 1, 1), b"\0"), rep(0x10))
    c.rr(req(0x10, path(0x48, 1, 1), b"\1"), rep(0x10))
    c.rr(req(0x10, path(4, 150, 3), b"\1\2\3\4"), rep(0x10))
    c.rr(req(0x16, path(IDENTITY, 1)), rep(0x16, status=8))
    c.rr(req(0x15, path(0x0F, 0)), rep(0x15))
    c.rr(req(0x03, path(IDENTITY, 1), struct.pack("<4H", 3, 1, 99, 7)),
         rep(0x03, struct.pack("<HHHHHH", 3, 1, 0, 1, 99, 0x14) + struct.pack("<HH", 7, 0) + b"\x0b1734-AENT/B", 0x0A))
    c.bye()


def odd(t):
    """What breaks the standard: sessions, options, lengths, items, paths, reserved codes. All of it must be told."""
    c = Client(t, ENG, PLC)
    good = req(0x0E, path(IDENTITY, 1, 1))
    c.up(encap(0x6F, rr(good), 0xDEAD, b"badsess1"), 0x6F, [0x0E])
    c.down(encap(0x6F, b"", 0xDEAD, b"badsess1", 0x64), 0x6F)
    c.up(encap(0x6F, rr(good), 0, b"nosess\0\0"), 0x6F, [0x0E])
    c.down(encap(0x6F, b"", 0, b"nosess\0\0", 0x64), 0x6F)
    c.up(encap(0x6F, rr(good), c.session, b"options\0", options=1), 0x6F, [0x0E])
    c.up(encap(0x6F, rr(good), c.session, b"status\0\0", status=3), 0x6F, [0x0E])
    c.up(encap(0x72, b"\0\0\0\0\0\0", c.session), 0x72)
    c.up(encap(0x73, b"\0\0\0\0\0\0", c.session), 0x73)
    c.up(encap(0x65, struct.pack("<HH", 2, 0), 0, b"version\0"), 0x65)
    c.down(encap(0x65, struct.pack("<HH", 1, 0), 0, b"version\0", 0x69), 0x65)
    c.rr(req(0x23, path(IDENTITY, 1)), rep(0x23, status=8))              # reserved service
    c.rr(req(0x0E, b"\x20\x01\xe0\x01"), rep(0x0E, status=4))             # reserved segment
    c.rr(req(0x01, path(IDENTITY, 1)), rep(0x01, status=0x55))            # reserved status
    c.rr(forward_open(path(MR, 1), transport=0xA7), not_opened(1, (0x11C,)))
    c.rr(forward_open(path(MR, 1), transport=0xA3, rpi=0, mult=9), not_opened(1, (0x112,)))
    m = req(0x0A, path(MR, 1), struct.pack("<HHH", 2, 6, 200) + req(0x0E, path(IDENTITY, 1, 1)))
    f = c.c.to_server(encap(0x6F, rr(m), c.session, b"msp\0\0\0\0\0"))    # second offset outside
    c.say(f, 0x6F, [0x0A])
    c.rr(req(0x4D, tag("X"), struct.pack("<HHB", 0xC4, 9, 1)), rep(0x4D, status=0x13))  # data too short
    c.rr(req(0x4D, tag("X"), struct.pack("<HH", 0x77, 1) + bytes(4)), rep(0x4D, status=0xFF, ext=(0x2107,)))
    c.bye()


def chosen(t):
    """Services on a connection whose id its client chose, with the electronic key, to make all of them look alike to a
    memory of messages that mixes connection and service without a secret: reads, and then resets."""
    c = Client(t, ENG, PLC)
    link = b"\x11\x08\x07\xfd\x71\x50\x41\x41\x41\x41" + path(MR, 1)
    c.rr(forward_open(link, transport=0xA3), opened(0x61C88646))
    for n in range(1, 9):
        c.unit(0x61C88646, 0x80F10001, n, req(0x01, path(IDENTITY, 1)), rep(0x01, identity()[:-1]))
    for n in range(9, 12):
        c.unit(0x61C88646, 0x80F10001, n, req(0x05, path(IDENTITY, 1)), rep(0x05))
    c.bye()


CAPTURES = {"reset": reset, "mode": mode, "files": files, "download": download, "safety": safety, "pccc": pccc_all,
            "tags": tags, "route": route, "connections": connections, "address": address, "odd": odd, "chosen": chosen}


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "enip")
    os.makedirs(out, exist_ok=True)
    for name, build in CAPTURES.items():
        t = wire.Trace(os.path.join(out, name + ".pcap"))
        build(t)
        t.save()
        print(f"{name}: {t.n} packets, {len(t.expected)} messages")


if __name__ == "__main__":
    main()
