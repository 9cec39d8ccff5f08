#!/usr/bin/env python3
"""Builds captures of IEC 60870-5-104 dialogues, judged by IEC 60870-5-104 (clause 5), -101 (7.2, 7.3) and -5-5. Each
gets a table
of the messages that must be found.

  iec104.py [DIR]        writes DIR/*.pcap and DIR/*.messages.tsv (default: ../iec104 beside this script)
"""
import datetime
import os
import struct
import sys

from wire import Trace

CLIENT, SERVER = "10.30.0.5", "10.30.0.20"
START = 1767607872  # 2026-01-05 10:11:12 UTC, where the captures begin
STARTDT, STOPDT, TESTFR = (1, 2), (4, 8), (16, 32)


def cp56(t=START, invalid=False, summer=False):
    d = datetime.datetime.fromtimestamp(int(t), datetime.timezone.utc)
    ms = d.second * 1000 + round((t - int(t)) * 1000)
    return struct.pack("<HBBBBB", ms, d.minute | invalid << 7, d.hour | summer << 7, d.day | d.isoweekday() << 5,
        d.month, d.year - 2000)


def cp24(t=START):
    return cp56(t)[:3]


def ioa(n):
    return struct.pack("<I", n)[:3]


class Link:
    """One connection, with its sequence numbers. APDUs given together go into one segment."""

    def __init__(self, t, cport=50000, sport=2404, server=SERVER, started=True):
        self.t, self.c, self.ns = t, t.tcp(CLIENT, cport, server, sport), [0, 0]
        self.out, self.fns = b"", []
        if started:
            self.act_con(STARTDT)

    def u(self, side, code):
        self.out += bytes([0x68, 4, code << 2 | 3, 0, 0, 0])
        self.fns.append(f"U:{code}")
        return self

    def s(self, side):
        self.out += bytes([0x68, 4, 1, 0]) + struct.pack("<H", self.ns[1 - side] << 1)
        return self

    def i(self, side, typ, cot, objects, n=1, sq=0, ca=10, oa=0, pn=0, test=0, header=None):
        if header is None:
            header = bytes([typ, sq << 7 | n, test << 7 | pn << 6 | cot, oa]) + struct.pack("<H", ca)
        asdu = header + objects
        self.out += bytes([0x68, len(asdu) + 4]) + struct.pack("<HH", self.ns[side] << 1, self.ns[1 - side] << 1) + asdu
        self.ns[side] = (self.ns[side] + 1) & 0x7FFF
        self.fns.append(str(typ))
        return self

    def send(self, side, cut=()):
        n = (self.c.to_server if side == 0 else self.c.to_client)(self.out, cut)
        for fn in self.fns:
            self.t.expect(n, "iec104", fn)
        self.out, self.fns = b"", []
        return n

    def act_con(self, pair, side=0):
        self.u(side, pair[0]).send(side)
        self.u(1 - side, pair[1]).send(1 - side)

    def ask(self, typ, objects, **kw):
        self.i(0, typ, kw.pop("cot", 6), objects, **kw).send(0)

    def tell(self, typ, cot, objects, **kw):
        self.i(1, typ, cot, objects, **kw).send(1)


def h(text):
    return bytes.fromhex(text.replace(" ", ""))


# element without time tag -> types (plain, CP24, CP56)
MONITOR = [("11", (1, 2, 30)), ("82", (3, 4, 31)), ("ff00", (5, 6, 32)), ("7856341200", (7, 8, 33)), ("00c001", (9,
    10, 34)),
           ("feff10", (11, 12, 35)), ("0000c03f00", (13, 14, 36)), ("ffffffff65", (15, 16, 37)), ("010a00", (None, 17,
               38)),
           ("3f000a00", (None, 18, 39)), ("07000a00", (None, 19, 40)), ("0300010000", (20, None, None)), ("0040", (21,
               None, None))]
COMMANDS = [(45, "01", 0), (46, "02", 0), (47, "02", 0), (48, "004000", 2), (49, "0a0000", 2), (50, "0000c03f00", 4),
    (51, "01000000", None)]


def monitor(path):
    """Every type of process information, with and without time tags, alone, several, in sequence; qualities."""
    t = Trace(path)
    l = Link(t)
    for element, types in MONITOR:
        for typ, tag in zip(types, (b"", cp24(), cp56())):
            if typ is None:
                continue
            e = h(element)
            l.tell(typ, 3, ioa(100) + e + tag)
            l.tell(typ, 1 if not tag else 3, b"".join(ioa(200 + 7 * k) + e + tag for k in range(3)), n=3)
            if not tag:
                l.tell(typ, 20, ioa(300) + e * 4, n=4, sq=1)
    l.s(0).send(0)
    l.tell(1, 20, ioa(400) + h("01 40 01 90"), n=4, sq=1)
    l.tell(11, 2, ioa(400) + h("0a0000 0b0080 0c0001"), n=3, sq=1)
    l.tell(30, 3, ioa(100) + b"\1" + cp56(START - 3600, summer=True))
    l.tell(30, 3, ioa(100) + b"\1" + cp56(START, invalid=True))
    l.tell(30, 11, ioa(100) + b"\1" + cp56())
    l.tell(1, 12, ioa(100) + b"\1")
    l.i(1, 1, 3, ioa(1) + b"\0").i(1, 13, 3, ioa(2) + h("0000c03f00")).s(1).i(1, 3, 3, ioa(3) + b"\2").send(1)
    l.i(1, 1, 3, ioa(4) + b"\1").send(1, cut=[1, 5, 9])
    l.c.close()
    t.save()


def commands(path):
    """Every command type: select and execute, direct, with time tag, cancelled, refused, unanswered; several
    originators."""
    t = Trace(path)
    l = Link(t)
    for typ, element, se in COMMANDS:
        for tagged in (False, True):
            tag = cp56() if tagged else b""
            k = typ + 13 if tagged else typ
            e = h(element)
            sel = e if se is None else e[:se] + bytes([e[se] | 0x80]) + e[se + 1:]
            if se is not None:
                l.ask(k, ioa(500 + k) + sel + tag, oa=3)
                l.tell(k, 7, ioa(500 + k) + sel + tag, oa=3)
            l.ask(k, ioa(500 + k) + e + tag, oa=3)
            l.tell(k, 7, ioa(500 + k) + e + tag, oa=3)
            l.tell(30, 11, ioa(100) + b"\1" + cp56())
            l.tell(k, 10, ioa(500 + k) + e + tag, oa=3)
            l.s(0).send(0)
    l.ask(45, ioa(600) + b"\x81")  # selected, then broken off
    l.tell(45, 7, ioa(600) + b"\x81")
    l.ask(45, ioa(600) + b"\x81", cot=8)
    l.tell(45, 9, ioa(600) + b"\x81")
    l.ask(46, ioa(601) + b"\x82")
    l.tell(46, 7, ioa(601) + b"\x82", pn=1)
    for cot in (44, 45, 46, 47):
        l.ask(50, ioa(602) + h("0000c03f00"), ca=10 + (cot == 46))
        l.tell(50, cot, ioa(602) + h("0000c03f00"), pn=1, ca=10 + (cot == 46))
    l.ask(46, ioa(603) + b"\x82")  # another value is executed than was selected
    l.tell(46, 7, ioa(603) + b"\x82")
    l.ask(46, ioa(603) + b"\x01")
    l.tell(46, 7, ioa(603) + b"\x01")
    l.tell(46, 10, ioa(603) + b"\x01")
    l.ask(47, ioa(604) + b"\x02")  # nobody answers
    l.ask(45, ioa(605) + b"\x01", test=1)
    l.tell(45, 7, ioa(605) + b"\x01", test=1)
    l.c.close()
    t.save()


def system(path):
    """Interrogations, counters, read, clock, test, reset, delay, end of initialisation, parameters; all stations
    (65535) too."""
    t = Trace(path)
    l = Link(t)
    l.tell(70, 4, ioa(0) + b"\x82")
    for ca, qoi in ((65535, 20), (10, 21), (10, 36)):
        l.ask(100, ioa(0) + bytes([qoi]), ca=ca)
        l.tell(100, 7, ioa(0) + bytes([qoi]))
        l.i(1, 1, qoi, ioa(1) + b"\1\0\1", n=3, sq=1).i(1, 13, qoi, ioa(50) + h("0000c03f00")).send(1)
        l.tell(100, 10, ioa(0) + bytes([qoi]))
        l.s(0).send(0)
    for qcc in (0x05, 0x45, 0x85, 0xC5, 0x01):
        l.ask(101, ioa(0) + bytes([qcc]))
        l.tell(101, 7, ioa(0) + bytes([qcc]))
        if qcc < 0x40:
            l.tell(15, 37 if qcc == 5 else 38, ioa(70) + h("0100000000"))
        l.tell(101, 10, ioa(0) + bytes([qcc]))
    l.ask(100, ioa(0) + b"\x14", cot=8)
    l.tell(100, 9, ioa(0) + b"\x14")
    l.ask(102, ioa(50), cot=5)
    l.tell(13, 5, ioa(50) + h("0000c03f00"))
    l.ask(102, ioa(51), cot=5)
    l.tell(102, 47, ioa(51), pn=1)
    for typ, e in ((103, cp56(START + 60)), (104, h("aa55")), (105, b"\1"), (105, b"\2"), (106, h("0a00")), (107,
        h("0100") + cp56())):
        l.ask(typ, ioa(0) + e)
        l.tell(typ, 7, ioa(0) + e)
    l.ask(106, ioa(0) + h("0b00"), cot=3)
    for typ, e in ((110, "004001"), (111, "0a0002"), (112, "0000c03f04"), (113, "03")):
        l.ask(typ, ioa(50) + h(e))
        l.tell(typ, 7, ioa(50) + h(e))
    l.ask(113, ioa(50) + b"\3", cot=8)
    l.tell(113, 9, ioa(50) + b"\3")
    l.tell(110, 20, ioa(50) + h("004001"))
    l.c.close()
    t.save()


def files(path):
    """A file read in two sections, a file written, a directory, a deletion, a log query (101 7.4.11)."""
    t = Trace(path)
    l = Link(t)
    f, a = h("0100"), ioa(900)
    l.ask(122, a + f + h("0000"), cot=5)
    l.tell(126, 5, a + f + h("000200 00") + cp56() + h("0200 000100 20") + cp56(), n=2, sq=1)
    l.ask(122, a + f + h("0001"), cot=13)
    l.tell(120, 13, a + f + h("000200 00"))
    l.ask(122, a + f + h("0002"), cot=13)
    for section in (1, 2):
        l.tell(121, 13, a + f + bytes([section]) + h("000100 00"))
        l.ask(122, a + f + bytes([section, 6]), cot=13)
        for k in range(2):
            data = bytes((section + k + x) & 255 for x in range(128))
            l.tell(125, 13, a + f + bytes([section, len(data)]) + data)
        l.tell(123, 13, a + f + bytes([section, 3, 0x40]))
        l.ask(124, a + f + bytes([section, 3]), cot=13)
        l.s(0).send(0)
    l.tell(123, 13, a + f + h("02 01 80"))
    l.ask(124, a + f + h("02 01"), cot=13)
    l.ask(120, a + h("0300 040000 00"), cot=13)  # in the other direction
    l.tell(122, 13, a + h("0300 00 02"))
    l.ask(121, a + h("0300 01 040000 00"), cot=13)
    l.tell(122, 13, a + h("0300 01 06"))
    l.ask(125, a + h("0300 01 04 deadbeef"), cot=13)
    l.ask(123, a + h("0300 01 03 38"), cot=13)
    l.tell(124, 13, a + h("0300 01 03"))
    l.ask(122, a + h("0300 00 04"), cot=13)
    l.ask(127, a + f + cp56(START - 86400) + cp56(), cot=13)
    l.c.close()
    t.save()


def transfer(path):
    """STARTDT, STOPDT, TESTFR by both; a redundancy group: two connections, of which one is started, and the
    switch-over; data on
    the stopped one; a connection that was not opened in the capture, on another port, from both ends."""
    t = Trace(path)
    a, b = Link(t, 50001), Link(t, 50002, started=False)
    a.tell(1, 3, ioa(1) + b"\1")
    a.s(0).send(0)
    b.act_con(TESTFR)
    b.act_con(TESTFR, side=1)
    a.act_con(STOPDT)
    b.act_con(STARTDT)
    b.tell(1, 3, ioa(1) + b"\0")
    b.ask(100, ioa(0) + b"\x14")
    b.tell(100, 7, ioa(0) + b"\x14")
    a.tell(1, 3, ioa(1) + b"\1")  # not allowed
    a.act_con(TESTFR)
    b.s(0).send(0)
    for l in (a, b):
        l.c.close()
    c = Link.__new__(Link)
    c.t, c.ns, c.out, c.fns = t, [300, 4000], b"", []
    c.c = t.tcp(CLIENT, 41000, SERVER, 19999, handshake=False, isn=(7000, 9000))
    for k in range(3):
        c.tell(1, 3, ioa(1) + bytes([k & 1]))
    c.ask(45, ioa(700) + b"\1")
    c.tell(45, 7, ioa(700) + b"\1")
    c.tell(45, 10, ioa(700) + b"\1")
    c.s(0).send(0)
    t.save()


def anomalies(path):
    """What breaks the standard, one by one; what follows must still be found."""
    t = Trace(path)
    l = Link(t)
    l.tell(1, 3, ioa(1) + b"\1", n=2)
    l.tell(22, 3, ioa(1) + b"\1")
    l.tell(136, 3, ioa(1) + b"\1")
    l.tell(1, 3, b"", n=0)
    l.tell(1, 19, ioa(1) + b"\1")
    l.tell(1, 6, ioa(1) + b"\1")
    l.ask(1, ioa(1) + b"\1", cot=3)
    l.tell(45, 6, ioa(1) + b"\1")
    l.tell(1, 3, ioa(1) + b"\1", ca=0)
    l.tell(1, 3, ioa(0xFFFFFE) + b"\1\1\1", n=3, sq=1)
    l.ask(45, ioa(1) + b"\1" + ioa(2) + b"\1", n=2)
    l.ask(46, ioa(1) + b"\3")
    l.ask(100, ioa(5) + b"\x05")
    l.ask(104, ioa(0) + h("1234"))
    l.tell(30, 3, ioa(1) + b"\1" + h("60ea0b0a05011a"))
    l.ns[1] += 3
    l.tell(1, 3, ioa(1) + b"\1")  # a gap
    l.ns[1] -= 2
    l.tell(1, 3, ioa(1) + b"\1")  # a repetition
    l.u(0, 5).send(0)
    l.act_con(TESTFR)
    l.u(1, TESTFR[1]).send(1)
    l.tell(1, 3, ioa(1) + b"\1")
    l.c.close()
    t.save()


def sizes(path):
    """Cause of one, common address of one, object address of two bytes, as equipment of IEC 60870-5-101 has it."""
    t = Trace(path)
    l = Link(t)
    for k in range(6):
        l.i(1, 13, 3, struct.pack("<H", 100 + k) + h("0000c03f00"), header=h("0d 01 03 0a")).send(1)
    l.i(0, 45, 6, struct.pack("<H", 7) + b"\1", header=h("2d 01 06 0a")).send(0)
    l.i(1, 45, 7, struct.pack("<H", 7) + b"\1", header=h("2d 01 07 0a")).send(1)
    l.c.close()
    t.save()


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../iec104")
    for build in (monitor, commands, system, files, transfer, anomalies, sizes):
        build(os.path.join(out, build.__name__ + ".pcap"))


if __name__ == "__main__":
    main()
