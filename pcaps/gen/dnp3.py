#!/usr/bin/env python3
"""dnp3.py: captures of the DNP3 dialogues that are hard to come by: restarts, freezes, files, secure authentication,
configuration, fragments, several outstations behind one connection, UDP and broadcasts, faults.

  dnp3.py [DIR]        writes DIR/<name>.pcap and DIR/<name>.messages.tsv (default: ../dnp3 beside this script)

What must be found is written down by the standard (IEEE 1815-2012): each application fragment that a receiver would
take is a message in the packet of its last octet; link-only frames and frames with a wrong CRC have none.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wire import Trace  # noqa: E402

FIR, FIN, CON, UNS = 0x80, 0x40, 0x20, 0x10
CONFIRM, READ, WRITE, SELECT, OPERATE, DIRECT, DIRECT_NR = range(7)
RESPONSE, UNSOLICITED, AUTH_RESPONSE = 129, 130, 131
MASTER_IP, RTU_IP = "10.20.0.5", "10.20.0.9"


def crc(data):
    v = 0
    for b in data:
        v ^= b
        for _ in range(8):
            v = v >> 1 ^ 0xA6BC if v & 1 else v >> 1
    return struct.pack("<H", ~v & 0xFFFF)


def link(control, dst, src, data=b""):
    h = struct.pack("<BBBBHH", 0x05, 0x64, 5 + len(data), control, dst, src)
    out = h + crc(h)
    for at in range(0, len(data), 16):
        out += data[at:at + 16] + crc(data[at:at + 16])
    return out


def obj(group, var, qualifier, rest=b""):
    return bytes((group, var, qualifier)) + rest


def free(group, var, *objects):
    """Qualifier 5B: a count, then each object behind its size."""
    return obj(group, var, 0x5B, bytes((len(objects),)) + b"".join(struct.pack("<H", len(o)) + o for o in objects))


def indexed(group, var, *points):
    """Qualifier 28: a count, then each object behind its index."""
    return obj(group, var, 0x28, struct.pack("<H", len(points)) + b"".join(struct.pack("<H", i) + o for i, o in points))


def classes(*numbers):
    return b"".join(obj(60, n + 1, 0x06) for n in numbers)


def time48(ms):
    return struct.pack("<Q", ms)[:6]


def crob(code, count=1, on=0, off=0, status=0):
    return struct.pack("<BBIIB", code, count, on, off, status)


class Pair:
    """A master and one outstation, over a TCP connection or UDP datagrams."""

    def __init__(self, t, carrier, master=1, outstation=10):
        self.t, self.carrier, self.master, self.outstation = t, carrier, master, outstation
        self.tp, self.seq, self.uns = [0, 0], 0, 0

    def frames(self, from_master, fragment, dst=None):
        """The link frames of one application fragment."""
        src, to = (self.master, self.outstation) if from_master else (self.outstation, self.master)
        to, side, out = to if dst is None else dst, 0 if from_master else 1, []
        parts = [fragment[at:at + 249] for at in range(0, len(fragment), 249)] or [b""]
        for i, p in enumerate(parts):
            head = (0x40 if i == 0 else 0) | (0x80 if i == len(parts) - 1 else 0) | self.tp[side]
            self.tp[side] = (self.tp[side] + 1) & 63
            out.append(link(0xC4 if from_master else 0x44, to, src, bytes((head,)) + p))
        return out

    def put(self, from_master, data, cut=()):
        if isinstance(self.carrier, tuple):
            a, b = self.carrier if from_master else self.carrier[::-1]
            return self.t.udp(a[0], a[1], b[0], b[1], data)
        return (self.carrier.to_server if from_master else self.carrier.to_client)(data, cut=cut)

    def send(self, from_master, function, objects=b"", control=FIR | FIN, seq=0, iin=None, together=True, dst=None,
             expect=True):
        head = bytes((control | seq, function)) + (struct.pack(">H", iin) if iin is not None else b"")
        fr = self.frames(from_master, head + objects, dst)
        for data in [b"".join(fr)] if together else fr:
            n = self.put(from_master, data)
        if expect:
            self.t.expect(n, "dnp3", function)
        return n

    def request(self, function, objects=b"", **k):
        self.seq = (self.seq + 1) & 15
        return self.send(True, function, objects, seq=self.seq, **k)

    def answer(self, objects=b"", iin=0, function=RESPONSE, **k):
        return self.send(False, function, objects, seq=k.pop("seq", self.seq), iin=iin, **k)

    def ask(self, function, objects=b"", answer=b"", iin=0):
        self.request(function, objects)
        self.t.wait(0.004)
        self.answer(answer, iin)
        self.t.wait(0.5)

    def unsolicited(self, objects=b"", iin=0, confirm=True):
        self.send(False, UNSOLICITED, objects, FIR | FIN | CON | UNS, self.uns, iin)
        if confirm:
            self.send(True, CONFIRM, control=FIR | FIN | UNS, seq=self.uns)
        self.uns = (self.uns + 1) & 15
        self.t.wait(0.5)


def tcp(t, port=50000, **k):
    return Pair(t, t.tcp(MASTER_IP, port, RTU_IP, 20000), **k)


# ---- the captures ----

def restart(t):
    p = tcp(t)
    p.ask(READ, classes(1, 2, 3, 0), obj(30, 2, 0x00, b"\0\2" + b"\1\x10\0" * 3))
    p.ask(13, b"", obj(52, 1, 0x07, b"\1" + struct.pack("<H", 30)))
    p.unsolicited(b"", 0x9000)
    p.ask(23, b"", obj(52, 2, 0x07, b"\1" + struct.pack("<H", 12)), 0x9000)
    p.ask(WRITE, obj(50, 1, 0x07, b"\1" + time48(1767607900000)), b"", 0x8000)
    p.ask(WRITE, obj(80, 1, 0x00, b"\7\7\0"))
    p.ask(24)
    p.ask(WRITE, obj(50, 3, 0x07, b"\1" + time48(1767607901000)))
    p.ask(14, b"", obj(52, 2, 0x07, b"\1" + struct.pack("<H", 900)))
    p.ask(READ, classes(1), b"", 0xC020)                      # restart, trouble, configuration corrupt
    p.carrier.close()


def freeze(t):
    p = tcp(t)
    for fn in (7, 8, 9, 10):
        if fn in (8, 10):
            p.request(fn, obj(20, 0, 0x06))
        else:
            p.ask(fn, obj(20, 0, 0x00, b"\0\7"))
    at = obj(50, 2, 0x07, b"\1" + time48(1767610000000) + struct.pack("<I", 3600000))
    p.ask(11, at + obj(20, 0, 0x06))
    p.request(12, at + obj(30, 0, 0x01, struct.pack("<HH", 0, 300)))
    p.ask(READ, obj(21, 5, 0x06), obj(21, 5, 0x00, b"\0\1" + b"".join(
        b"\1" + struct.pack("<I", v) + time48(1767607800000) for v in (100, 4000000000))))
    p.ask(READ, obj(31, 0, 0x06), obj(31, 8, 0x00, b"\0\0\1" + struct.pack("<d", 12.5)))
    p.carrier.close()


def control(t):
    p = tcp(t)
    one = indexed(12, 1, (5, crob(0x41, 1, 500)))
    p.ask(SELECT, one, one)
    p.ask(OPERATE, one, one)
    two = indexed(12, 1, (1, crob(3)), (2, crob(0x84))) + indexed(41, 3, (7, struct.pack("<fB", 1.5, 0)))
    bad = indexed(12, 1, (1, crob(3)), (2, crob(0x84, status=7))) + indexed(41, 3, (7, struct.pack("<fB", 1.5, 0)))
    p.ask(DIRECT, two, bad)
    p.request(DIRECT_NR, one)
    p.ask(SELECT, one, indexed(12, 1, (5, crob(0x41, 1, 500, status=10))))
    p.ask(OPERATE, indexed(41, 4, (3, struct.pack("<dB", 2.25, 0))), indexed(41, 4, (3, struct.pack("<dB", 2.25, 2))))
    p.ask(WRITE, obj(10, 1, 0x00, b"\0\7\x5a"))
    p.ask(WRITE, obj(12, 2, 0x07, b"\1" + crob(1, 1, 100)) + obj(12, 3, 0x00, b"\0\x0f\x0f\xf0"))
    t.wait(80)                                                # nothing is left of a SELECT after this
    p.ask(OPERATE, one, indexed(12, 1, (5, crob(0x41, 1, 500, status=2))))
    p.carrier.close()


def configuration(t):
    p = tcp(t)
    p.ask(20, classes(1, 2, 3))
    p.ask(21, classes(1, 2, 3))
    p.ask(22, classes(1) + obj(30, 0, 0x00, b"\0\7") + classes(2) + obj(1, 0, 0x06))
    p.ask(WRITE, indexed(34, 1, (4, struct.pack("<H", 50))) + indexed(34, 3, (5, struct.pack("<f", 0.5))))
    p.ask(READ, obj(34, 0, 0x06), obj(34, 1, 0x00, b"\4\4" + struct.pack("<H", 50)))
    for fn in (15, 16, 17, 18):
        p.ask(fn, free(90, 1, b"pump_logic") if fn != 15 else b"", b"", 0 if fn != 15 else 0x0001)
    p.ask(18, obj(90, 1, 0x06))
    p.ask(19, b"", obj(52, 1, 0x07, b"\1" + struct.pack("<H", 2)))
    p.ask(31, free(70, 8, b"/config/station.xml"), free(91, 1, struct.pack("<I", 5000) + b"\0"))
    p.ask(31, obj(110, 6, 0x28, struct.pack("<HH", 1, 2) + b"config"))
    p.ask(WRITE, free(86, 1, b"\1\4abcd") + obj(110, 5, 0x00, b"\1\1hello"))
    p.carrier.close()


def attributes(t):
    p = tcp(t)
    text = {242: b"FW 4.11.2", 243: b"HW-C", 245: b"Substation North", 247: b"RTU-NORTH-1", 248: b"SN-0042-77",
            249: b"4:2012", 250: b"Model 7 RTU", 252: b"Example Automation"}
    p.ask(READ, obj(0, 254, 0x00, b"\0\0"), b"".join(
        obj(0, v, 0x00, b"\0\0\1" + bytes((len(s),)) + s) for v, s in text.items()) +
        obj(0, 240, 0x00, b"\0\0\2\2" + struct.pack("<H", 2048)) +
        obj(0, 203, 0x00, b"\0\0\4\4" + struct.pack("<f", 7.5)))
    p.ask(READ, obj(0, 255, 0x00, b"\0\0"), obj(0, 255, 0x00, b"\0\0\xfe\4\xfc\0\xfa\0"))
    p.ask(READ, obj(0, 7, 0x00, b"\3\3"), obj(0, 7, 0x00, b"\3\3\2\1\x2a"))
    p.ask(WRITE, obj(0, 247, 0x00, b"\0\0\1\6RTU-N2"))
    p.carrier.close()


def files(t):
    p = tcp(t)

    def named(name, mode=0, size=0, request=1, key=0):
        return free(70, 3, struct.pack("<HH", 26, len(name)) + time48(1767600000000) + struct.pack(
            "<HIIHHH", 0o644, key, size, mode, 1024, request) + name)

    def status(code=0, handle=0x1234, size=0, request=1):
        return free(70, 4, struct.pack("<IIHHB", handle, size, 1024, request, code))

    def info(name, size, request=3):
        return free(70, 7, struct.pack("<HHHI", 20, len(name), 1, size) + time48(1767600000000) +
                    struct.pack("<HH", 0o644, request) + name)

    user = struct.pack("<HHHHI", 12, 5, 17, 6, 0) + b"admin" + b"secret"
    p.ask(29, free(70, 2, user), free(70, 2, struct.pack("<HHHHI", 12, 0, 12, 0, 0xCAFE)))
    p.ask(25, named(b"/log/events.csv", 1), status(size=600))
    for block, last in ((0, 0), (1, 1)):
        head = struct.pack("<II", 0x1234, block | last << 31)
        p.request(READ, free(70, 5, struct.pack("<II", 0x1234, block)))
        p.answer(free(70, 5, head + bytes(range(250)) + b"x" * 50), together=False)
        t.wait(0.1)
    p.ask(26, status(), status())
    p.ask(25, named(b"/fw/image.bin", 2, 300, 2, 0xCAFE), status(handle=0x77, request=2))
    head = struct.pack("<II", 0x77, 1 << 31)
    p.request(WRITE, free(70, 5, head + b"\xAA" * 300))
    p.answer(free(70, 6, head + b"\0"))
    p.ask(26, status(handle=0x77, request=2), status(handle=0x77, request=2))
    p.ask(28, info(b"/log", 0), info(b"/log", 12))
    p.ask(27, named(b"/log/old.csv", request=4), status(3, 0, request=4))
    p.ask(25, named(b"/log/events.csv", 1, request=5), status(handle=0x78, request=5))
    p.ask(30, status(handle=0x78, request=5), status(handle=0x78, request=5))
    p.carrier.close()


def authentication(t):
    p = tcp(t)
    numbers = struct.pack("<IH", 7, 2)
    p.ask_auth = lambda objects, reply: (p.request(32, objects), p.answer(reply, function=AUTH_RESPONSE), t.wait(0.3))
    keys = lambda status: free(120, 5, struct.pack("<IHBBBH", 1, 2, 1, status, 4, 4) + b"\1\2\3\4")  # noqa: E731
    p.ask_auth(obj(120, 4, 0x07, b"\1" + struct.pack("<H", 2)), keys(2))
    p.ask_auth(free(120, 6, struct.pack("<IH", 1, 2) + b"k" * 24), keys(1))
    one = indexed(12, 1, (5, crob(0x81, 1, 100)))
    p.request(DIRECT, one)                                    # critical: challenged
    p.answer(free(120, 1, numbers + b"\4\1" + b"c" * 4), function=AUTH_RESPONSE)
    p.send(True, 32, free(120, 2, numbers + b"m" * 16), seq=p.seq)
    p.answer(one)
    t.wait(0.5)
    p.request(DIRECT, one)                                    # challenged, and the reply is wrong
    p.answer(free(120, 1, numbers + b"\4\1" + b"c" * 4), function=AUTH_RESPONSE)
    p.send(True, 32, free(120, 2, numbers + b"w" * 16), seq=p.seq)
    p.answer(free(120, 7, struct.pack("<IHHB", 7, 2, 0, 1) + time48(1767607900000) + b"bad MAC"),
             function=AUTH_RESPONSE)
    t.wait(0.5)
    aggressive = lambda o: obj(120, 3, 0x07, b"\1" + numbers) + o + free(120, 9, b"m" * 16)  # noqa: E731
    p.ask(SELECT, aggressive(one), one)
    p.ask(OPERATE, aggressive(one), one)
    p.ask_auth(free(120, 10, struct.pack("<BBIHHHHH", 4, 1, 9, 1, 30, 5, 0, 4) + b"alice" + b"cert"), keys(1))
    p.ask_auth(free(120, 11, struct.pack("<BHH", 4, 5, 4) + b"alice" + b"chal"),
               free(120, 12, struct.pack("<IHH", 2, 3, 4) + b"chal"))
    p.ask_auth(free(120, 13, struct.pack("<IHH", 2, 3, 8) + b"k" * 8) + free(120, 15, b"m" * 16),
               free(120, 15, b"m" * 16))
    p.request(33, free(120, 7, struct.pack("<IHHB", 7, 2, 0, 11) + time48(1767607900000)))
    p.ask(READ, obj(121, 0, 0x06), obj(121, 1, 0x00, b"\0\1" + struct.pack("<BHI", 1, 0, 3) * 2))
    p.carrier.close()


def fragments(t):
    p = tcp(t)

    def events(first, n):
        return indexed(32, 3, *[(i, struct.pack("<Bi", 1, i * 3) + time48(1767607000000 + i))
                                for i in range(first, first + n)])

    p.request(READ, classes(1, 2, 3, 0))
    seq = p.seq
    for k, control_ in enumerate((FIR | CON, CON, FIN | CON)):
        p.answer(events(k * 20, 20), control=control_, seq=seq + k & 15, together=k != 1)
        p.send(True, CONFIRM, seq=seq + k & 15)
    t.wait(1)
    p.seq = seq + 2 & 15
    p.ask(READ, obj(30, 0, 0x01, struct.pack("<HH", 0, 299)),
          obj(30, 1, 0x01, struct.pack("<HH", 0, 299) + b"\1\7\0\0\0" * 300))
    # two requests to two outstations in one segment; one request octet by octet
    q = Pair(t, p.carrier, outstation=11)
    p.seq = (p.seq + 1) & 15
    a = b"".join(p.frames(True, bytes((0xC0 | p.seq, READ)) + classes(1)))
    b = b"".join(q.frames(True, bytes((0xC4, READ)) + classes(2)))
    n = p.put(True, a + b)
    t.expect(n, "dnp3", READ)
    t.expect(n, "dnp3", READ)
    q.answer(seq=4)
    p.answer()
    p.seq = (p.seq + 1) & 15
    data = b"".join(p.frames(True, bytes((0xC0 | p.seq, READ)) + classes(3)))
    t.expect(p.put(True, data, cut=range(1, len(data))), "dnp3", READ)
    p.answer()
    p.unsolicited(obj(51, 1, 0x07, b"\1" + time48(1767607900000)) + indexed(2, 3, (3, b"\x81\x10\0"), (4, b"\1\x20\0")))
    p.unsolicited(indexed(22, 5, (1, b"\1" + struct.pack("<I", 77) + time48(1767607900000))), confirm=False)
    p.carrier.close()


def outstations(t):
    conn = t.tcp(MASTER_IP, 50000, RTU_IP, 20000)
    pairs = [Pair(t, conn, outstation=o) for o in (10, 11, 12, 300)]
    for p in pairs:                                           # links first: no messages
        p.put(True, link(0xC0, p.outstation, 1))
        p.put(False, link(0x00, 1, p.outstation))
        p.put(True, link(0xC9, p.outstation, 1))
        p.put(False, link(0x0B, 1, p.outstation))
    for p in pairs:
        p.request(READ, classes(1, 2, 3, 0))
    for p in reversed(pairs):                                 # answers in another order
        p.answer(obj(1, 1, 0x00, b"\0\7\x55"), 0x8000 if p.outstation == 12 else 0)
    pairs[2].ask(WRITE, obj(80, 1, 0x00, b"\7\7\0"))
    second = Pair(t, conn, master=2, outstation=10)           # a second master behind the same front end
    second.ask(READ, classes(0), obj(10, 2, 0x00, b"\0\1\1\x81"))
    conn.close()


def udp(t):
    p = Pair(t, ((MASTER_IP, 20000), (RTU_IP, 20000)))
    p.ask(READ, classes(1, 2, 3, 0), obj(30, 5, 0x00, b"\0\1" + struct.pack("<BfBf", 1, 1.5, 1, -2)))
    p.answer(obj(30, 1, 0x01, struct.pack("<HH", 0, 99) + b"\1\7\0\0\0" * 100))  # three frames in one datagram
    p.unsolicited(indexed(2, 2, (3, b"\x81" + time48(1767607900000))))
    for dst in (0xFFFF, 0xFFFE, 0xFFFD):
        p.request(WRITE, obj(50, 1, 0x07, b"\1" + time48(1767607910000)), dst=dst)
    p.request(DIRECT_NR, indexed(12, 1, (5, crob(0x81, 1, 100))), dst=0xFFFF)
    p.ask(READ, classes(1), b"", 0x0100)                      # broadcast received
    p.carrier = ((MASTER_IP, 20000), ("10.20.0.10", 30001))   # several fragments of several outstations in one datagram
    q = Pair(t, p.carrier, outstation=21)
    n = t.udp("10.20.0.10", 30001, MASTER_IP, 20000, b"".join(
        p.frames(False, bytes((0xC0 | p.seq, RESPONSE, 0, 0)) + obj(1, 2, 0x00, b"\0\0\x81")) +
        q.frames(False, b"\xC1\x81\0\0")))
    t.expect(n, "dnp3", RESPONSE)
    t.expect(n, "dnp3", RESPONSE)


def other_port(t):
    """Mid-stream on a port that nobody registered."""
    conn = t.tcp(MASTER_IP, 41000, RTU_IP, 12399, handshake=False)
    p = Pair(t, conn)
    for _ in range(3):
        p.ask(READ, classes(1, 2, 3), obj(30, 4, 0x00, b"\0\1\1\0\2\0"))
    p.ask(13, b"", obj(52, 1, 0x07, b"\1\5\0"))


def faults(t):
    p = tcp(t)
    p.ask(READ, classes(0), obj(30, 4, 0x00, b"\0\0\1\0"))
    bad = bytearray(link(0xC4, 10, 1, b"\xC1\xC2\x0D"))
    bad[-1] ^= 1                                              # data CRC: not read
    p.put(True, bytes(bad))
    p.put(True, link(0xC4, 10, 1, b"\x85" + classes(1)))      # lost FIR
    p.put(True, link(0xC4, 10, 1, b"\x46\xC3\x01"))           # begun ...
    p.put(True, link(0xC4, 10, 1, b"\x88\x3c\x02\x06"))       # ... and a gap
    t.expect(p.put(True, link(0xC4, 10, 1, b"\xC9\xC4\x46")), "dnp3", 70)  # reserved function
    p.answer(b"", 0x0001, seq=4)
    t.expect(p.put(True, link(0xC4, 10, 1, b"\xCA\xE5\x01" + classes(0))), "dnp3", READ)  # CON in a request
    p.answer(obj(30, 9, 0x00, b"\0\0\1\0"), seq=5)            # variation that is not there
    t.expect(p.put(True, link(0xC4, 10, 1, b"\xCB\xC6\x81\0\0")), "dnp3", RESPONSE)  # master responds
    t.expect(p.put(False, link(0x44, 1, 10, b"\xCB\xC7\x0D")), "dnp3", 13)           # outstation requests
    p.put(True, link(0xC7, 10, 1))                            # reserved link function
    p.put(False, link(0x11, 1, 10))                           # NACK, DFC
    t.expect(p.put(True, link(0xC4, 10, 1, b"\xCC\xC8\x05" + obj(12, 1, 0x17, b"\2\5" + crob(3)))), "dnp3", DIRECT)
    t.expect(p.put(True, link(0xC4, 10, 1, b"\xCD\xC9\x01" + obj(200, 1, 0x06))), "dnp3", READ)
    t.expect(p.put(True, link(0xC4, 10, 1, b"\xCE\xCA\x01" + obj(30, 1, 0x00, b"\5\2"))), "dnp3", READ)
    t.expect(p.put(True, link(0xC4, 10, 1, b"\xCF\xCB\x0D\1\2\3")), "dnp3", 13)
    head = bytearray(link(0xC4, 10, 1, b"\xD0\xCC\x0E"))
    head[8] ^= 1                                              # header CRC: the receiver looks for the next start
    after = link(0xC4, 10, 1, b"\xD1\xCD\x01" + classes(2))   # ... which lies in the same segment
    t.expect(p.put(True, bytes(head) + after), "dnp3", READ)
    t.wait(1)
    p.tp, p.seq = [0x12, 0], 13
    p.ask(READ, classes(0), obj(30, 4, 0x00, b"\0\0\1\0"))
    p.carrier.close()


CAPTURES = (restart, freeze, control, configuration, attributes, files, authentication, fragments, outstations, udp,
            other_port, faults)


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dnp3")
    for make in CAPTURES:
        t = Trace(os.path.join(out, make.__name__ + ".pcap"))
        make(t)
        t.save()


if __name__ == "__main__":
    main()
