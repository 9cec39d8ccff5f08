#!/usr/bin/env python3
"""Builds captures of BACnet dialogues, judged by ANSI/ASHRAE 135-2020 (clauses 6, 13 to 17, 20, 21, Annex J and U). Each gets
a table of the messages that must be found.

  bacnet.py [DIR]        writes DIR/*.pcap and DIR/*.messages.tsv (default: ../bacnet beside this script)
"""
import os
import socket
import struct
import sys

from wire import Trace, _sum16

STATION, DEVICE, ROUTER, BBMD, FOREIGN = "10.60.0.5", "10.60.0.20", "10.60.0.30", "10.60.0.40", "10.61.0.9"
CAST, PORT = "10.60.0.255", 47808
AI, AO, AV, BI, BO, BV, DEV, FILE, NC, PROGRAM, SCHEDULE, TREND = 0, 1, 2, 3, 4, 5, 8, 10, 15, 16, 17, 20
PRESENT, NAME, LIST, FLAGS = 85, 77, 76, 111


# ---- encoding (20.2) ----

def h(text):
    return bytes.fromhex(text.replace(" ", ""))


def uint(v):
    return v.to_bytes(max(1, (v.bit_length() + 7) // 8), "big")


def tag(num, cls, body):
    first = (min(num, 15) << 4) | cls << 3
    ext = bytes([num]) if num > 14 else b""
    n = len(body)
    if n < 5:
        return bytes([first | n]) + ext + body
    length = bytes([n]) if n < 254 else b"\xfe" + struct.pack(">H", n)
    return bytes([first | 5]) + ext + length + body


def app(num, body):
    return tag(num, 0, body)


def ctx(num, body):
    return tag(num, 1, body if isinstance(body, bytes) else uint(body))


def box(num, *inside):
    return bytes([num << 4 | 14]) + b"".join(inside) + bytes([num << 4 | 15])


def oid(kind, n):
    return struct.pack(">I", kind << 22 | n)


NULL = b"\x00"
U, E, I = lambda v: app(2, uint(v)), lambda v: app(9, uint(v)), lambda v: app(3, struct.pack(">i", v))
R, D = lambda v: app(4, struct.pack(">f", v)), lambda v: app(5, struct.pack(">d", v))
B, OCT, BITS = lambda v: b"\x11" if v else b"\x10", lambda b: app(6, b), lambda unused, *b: app(8, bytes([unused, *b]))
STR, UCS2, LATIN = (lambda s: app(7, b"\0" + s.encode()), lambda s: app(7, b"\4" + s.encode("utf-16-be")),
                    lambda s: app(7, b"\5" + s.encode("latin-1")))
OID = lambda kind, n: app(12, oid(kind, n))
DATE, TIME = app(10, h("7e 01 05 01")), app(11, h("0a 0b 0c 00"))  # 2026-01-05 10:11:12.00
STAMP = box(2, DATE, TIME)


# ---- headers (6.2, 20.1, J.2) ----

def npdu(apdu, reply=False, dst=None, src=None, hops=255, message=False, version=1, control=0):
    """dst and src: (network, MAC)."""
    out, control = b"", control | (4 if reply else 0) | (128 if message else 0)
    for who, bit in ((dst, 0x20), (src, 0x08)):
        if who:
            control |= bit
            out += struct.pack(">HB", who[0], len(who[1])) + who[1]
    return bytes([version, control]) + out + (bytes([hops]) if dst else b"") + apdu


def bvlc(fn, body):
    return struct.pack(">BBH", 0x81, fn, 4 + len(body)) + body


def ask(service, body, invoke, seq=None, more=False, window=4, max_=0x75):
    first = (8 if seq is not None else 0) | (4 if more else 0) | 2
    return bytes([first, max_, invoke]) + (bytes([seq, window]) if seq is not None else b"") + bytes([service]) + body


def ack(service, body, invoke, seq=None, more=False, window=4):
    first = 0x30 | (8 if seq is not None else 0) | (4 if more else 0)
    return bytes([first, invoke]) + (bytes([seq, window]) if seq is not None else b"") + bytes([service]) + body


def segack(invoke, seq, server, nak=False, window=4):
    return bytes([0x40 | (2 if nak else 0) | (1 if server else 0), invoke, seq, window])


def error(service, invoke, cls, code):
    return bytes([0x50, invoke, service]) + E(cls) + E(code)


def fn_of(apdu):
    kind = apdu[0] >> 4
    if kind in (4, 6, 7):
        return str(kind)
    at = {0: 3, 1: 1, 2: 2, 3: 2, 5: 2}[kind] + (2 if kind in (0, 3) and apdu[0] & 8 else 0)
    return f"{kind}:{apdu[at]}"


class Talk:
    """Datagrams between two, with their messages noted. Invoke ids count up."""

    def __init__(self, t, a=STATION, b=DEVICE, port=PORT):
        self.t, self.a, self.b, self.port, self.invoke = t, a, b, port, 0
        self.there = self.here = None  # addresses beyond routers

    def send(self, frm, to, apdu, fn=10, optional=0, **kw):
        n = self.t.udp(frm, self.port, to, self.port, bvlc(fn, npdu(apdu, **kw)))
        self.t.expect(n, "bacnet", fn_of(apdu), optional)
        return n

    def to_server(self, apdu, **kw):
        return self.send(self.a, self.b, apdu, dst=self.there, src=self.here, **kw)

    def to_client(self, apdu, **kw):
        return self.send(self.b, self.a, apdu, dst=self.here, src=self.there, **kw)

    def ask(self, service, body):
        self.invoke = (self.invoke + 1) & 255
        return self.to_server(ask(service, body, self.invoke), reply=True)

    def both(self, service, body, answer=None):
        """answer: body of a complex ack; None: a simple ack."""
        self.ask(service, body)
        self.to_client(bytes([0x20, self.invoke, service]) if answer is None else ack(service, answer, self.invoke))

    def fails(self, service, body, cls, code):
        self.ask(service, body)
        self.to_client(error(service, self.invoke, cls, code))

    def read(self, kind, n, prop, value, index=None):
        ref = ctx(0, oid(kind, n)) + ctx(1, prop) + (b"" if index is None else ctx(2, index))
        self.both(12, ref, ref + box(3, value))

    def cast(self, frm, apdu, **kw):
        return self.send(frm, CAST, apdu, fn=11, dst=(0xFFFF, b""), **kw)


def i_am(n, vendor, apdu=1476, seg=3):
    return b"\x10\x00" + OID(DEV, n) + U(apdu) + E(seg) + U(vendor)


def who_is(low=None, high=None):
    return b"\x10\x08" + (b"" if low is None else ctx(0, low) + ctx(1, high))


# ---- the captures ----

def identity(path):
    """Who-Is, I-Am, Who-Has, I-Have, and the Device object read property by property."""
    t = Trace(path)
    d = Talk(t)
    d.cast(STATION, who_is())
    d.cast(DEVICE, i_am(1020, 5))
    d.cast(STATION, who_is(1000, 1100))
    d.send(DEVICE, STATION, i_am(1020, 5))
    d.cast(STATION, b"\x10\x07" + ctx(3, b"\0Zone temperature"))
    d.cast(DEVICE, b"\x10\x01" + OID(DEV, 1020) + OID(AI, 3) + STR("Zone temperature"))
    d.cast(STATION, b"\x10\x07" + ctx(0, 1) + ctx(1, 2000) + ctx(2, oid(DEV, 1020)))
    d.send(DEVICE, STATION, b"\x10\x01" + OID(DEV, 1020) + OID(DEV, 1020) + STR("AHU-1"))
    for prop, value in [(NAME, STR("AHU-1")), (121, STR("Johnson Controls, Inc.")), (120, U(5)), (70, STR("FEC2611")),
                        (44, STR("10.2.1")), (12, STR("5.8")), (58, UCS2("Dach Süd")), (28, LATIN("Zuluft Büro")),
                        (372, STR("JC-0042")), (112, E(0)), (75, OID(DEV, 1020)), (56, DATE), (57, TIME),
                        (97, BITS(4, 0xFF, 0xF0))]:
        d.read(DEV, 1020, prop, value)
    d.read(DEV, 1020, LIST, OID(DEV, 1020) + OID(AI, 3) + OID(AO, 1) + OID(200, 7))
    d.read(DEV, 1020, LIST, U(4), index=0)
    d.cast("10.60.0.21", b"\x10\x0d" + U(999) + STR("Sensor-X") + STR("S-77"))
    d.cast(STATION, b"\x10\x0e" + U(999) + STR("Sensor-X") + STR("S-77") + OID(DEV, 1021) + OCT(b"\x05"))
    d.cast("10.60.0.22", i_am(1022, 64999))
    t.save()


def values(path):
    """Every application tag, arrays, lists, constructed data, several properties in one message with a status each."""
    t = Trace(path)
    d = Talk(t)
    for n, value in enumerate([NULL, B(True), U(5), U(0x1122334455), I(-7), R(21.5), D(-0.25), OCT(h("0102ff")), STR("on"),
                               BITS(4, 0xA0), E(3), DATE, TIME, OID(AV, 9), STR("x" * 300)]):
        d.read(AV, n, PRESENT, value)
    d.read(AO, 1, 87, NULL * 7 + R(50.0) + NULL * 8)
    d.read(SCHEDULE, 1, 123, box(0, TIME, R(21.0)) + box(0) + box(0, TIME, NULL), index=1)
    d.read(AV, 300, 600, ctx(0, 5) + box(1, R(1.0)))
    refs = lambda *p: box(1, *(ctx(0, x) for x in p))
    ok, bad = lambda p, v: ctx(2, p) + box(4, v), lambda p, c, e: ctx(2, p) + box(5, E(c), E(e))
    d.both(14, ctx(0, oid(AI, 3)) + refs(PRESENT, FLAGS, 117) + ctx(0, oid(BI, 1)) + refs(PRESENT),
           ctx(0, oid(AI, 3)) + box(1, ok(PRESENT, R(19.25)), ok(FLAGS, BITS(4, 0x10)), bad(117, 2, 32)) +
           ctx(0, oid(BI, 1)) + box(1, ok(PRESENT, E(1))))
    d.both(14, ctx(0, oid(DEV, 1020)) + refs(8), ctx(0, oid(DEV, 1020)) + box(1, ok(NAME, STR("AHU-1")), ok(70, STR("FEC2611"))))
    ref = ctx(0, oid(TREND, 1)) + ctx(1, 131)
    record = box(0, DATE, TIME) + box(1, ctx(2, struct.pack(">f", 20.5)))
    for how in (box(3, U(1), I(2)), box(6, U(100), I(-2)), box(7, DATE, TIME, I(2))):
        d.both(26, ref + how, ref + ctx(3, h("05c0")) + ctx(4, 2) + box(5, record, record) + ctx(6, 100))
    t.save()


def control(path):
    """Writes by what they do: outputs, values, out of service, program, clock, configuration; lists; objects made and deleted."""
    t = Trace(path)
    d = Talk(t)
    ref = lambda kind, n, prop: ctx(0, oid(kind, n)) + ctx(1, prop)
    for kind, n, prop, value, priority in [(BO, 1, PRESENT, E(1), 8), (AV, 2, PRESENT, R(22.0), 16), (BO, 1, PRESENT, NULL, 8),
                                           (AI, 3, 81, B(True), None), (PROGRAM, 1, 90, E(3), None), (PROGRAM, 1, 90, E(2), None),
                                           (DEV, 1020, 119, I(60), None), (NC, 1, 102, box(1, NULL), None), (AI, 3, 45, R(30.0), None),
                                           (AO, 4, PRESENT, R(100.0), 1)]:
        d.both(15, ref(kind, n, prop) + box(3, value) + (b"" if priority is None else ctx(4, priority)))
    one = lambda prop, value, *p: ctx(0, prop) + box(2, value) + b"".join(ctx(3, x) for x in p)
    d.both(16, ctx(0, oid(BO, 2)) + box(1, one(PRESENT, E(0), 5)) + ctx(0, oid(AV, 2)) + box(1, one(PRESENT, R(1.0)), one(28, STR("x"))))
    d.both(8, ref(NC, 1, 102) + box(3, ctx(0, 1)))
    d.both(9, ref(NC, 1, 102) + box(3, ctx(0, 1)))
    d.both(10, box(0, ctx(0, AV)) + box(1, one(NAME, STR("new"))), OID(AV, 77))
    d.both(10, box(0, ctx(1, oid(AV, 78))), OID(AV, 78))
    d.both(11, OID(AV, 77))
    d.both(27, ctx(0, 9) + ctx(1, b"\0guard") + ctx(2, 1) + ctx(3, oid(21, 1)))
    d.cast(STATION, b"\x10\x06" + DATE + TIME)
    d.cast(STATION, b"\x10\x09" + DATE + TIME)
    d.cast(STATION, b"\x10\x0a" + ctx(0, 23) + ctx(1, 8) + box(2, ctx(0, 1), R(5.0)))
    d.both(18, ctx(0, 5) + ctx(1, 17) + box(2, h("0909")), ctx(0, 5) + ctx(1, 17))
    d.both(19, ctx(0, oid(DEV, 1)) + ctx(2, 1) + ctx(3, b"\0filter"))
    d.cast(STATION, b"\x10\x05" + ctx(0, oid(DEV, 1)) + box(1, ctx(1, b"\0info")) + ctx(2, 0) + ctx(3, b"\0all"))
    d.cast(STATION, b"\x10\x04" + ctx(0, 5) + ctx(1, 1))
    d.both(21, E(0) + U(1), U(4))
    d.both(23, U(4) + OCT(b"login") + U(0), ctx(0, b"\1"))
    d.both(22, U(4))
    t.save()


def management(path):
    """Communication off and on, restarts, wrong passwords, a backup and a restore with the files between."""
    t = Trace(path)
    d = Talk(t)
    pw = ctx(2, b"\0secret")
    d.both(17, ctx(0, 5) + ctx(1, 1) + pw)
    d.both(17, ctx(1, 0) + pw)
    d.both(17, ctx(0, 1) + ctx(1, 2))
    for guess in (b"\x00admin", b"\x00operator", b"\x00bacnet", b"\x001234", b"\x00password", b"\x00master"):
        d.fails(20, ctx(0, 0) + ctx(1, guess), 5, 26)
    d.both(20, ctx(0, 1) + ctx(1, b"\0jci"))
    d.both(20, ctx(0, 2) + ctx(1, b"\0jci"))
    for start in (0, 400):
        d.both(6, OID(FILE, 1) + box(0, I(start), U(400)), B(start > 0) + box(0, I(start), OCT(b"c" * 400)))
    d.both(6, OID(FILE, 2) + box(1, I(0), U(2)), B(True) + box(1, I(0), U(2), OCT(b"row1"), OCT(b"row2")))
    d.both(20, ctx(0, 3) + ctx(1, b"\0jci"))
    d.both(20, ctx(0, 4) + ctx(1, b"\0jci"))
    d.both(7, OID(FILE, 1) + box(0, I(0), OCT(b"n" * 300)), ctx(0, b"\0"))
    d.both(7, OID(FILE, 2) + box(1, I(-1), U(1), OCT(b"row3")), ctx(1, b"\3"))
    for state in (5, 6, 7, 0):
        d.both(20, ctx(0, state) + ctx(1, b"\0jci"))
    t.save()


def events(path):
    """Subscriptions, changes of value and alarms, confirmed and not, acknowledged, listed."""
    t = Trace(path)
    d = Talk(t)
    sub = ctx(0, 18) + ctx(1, oid(AI, 3))
    d.both(5, sub + ctx(2, 1) + ctx(3, 300))
    d.both(28, sub + ctx(2, 0) + ctx(3, 60) + box(4, ctx(0, PRESENT)) + ctx(5, struct.pack(">f", 0.5)))
    d.both(30, ctx(0, 18) + ctx(2, 60) + ctx(3, 5) + box(4, ctx(0, oid(AI, 3)), box(1, box(0, ctx(0, PRESENT)),
                                                                                    ctx(1, struct.pack(">f", 1.0)), ctx(2, 1))))
    told = box(4, ctx(0, PRESENT), box(2, R(23.5)), ctx(0, FLAGS), box(2, BITS(4, 0x80)))
    note = ctx(0, 18) + ctx(1, oid(DEV, 1020)) + ctx(2, oid(AI, 3)) + ctx(3, 250)
    many = ctx(0, 18) + ctx(1, oid(DEV, 1020)) + ctx(2, 250) + box(3, DATE, TIME) + box(4, ctx(0, oid(AI, 3)),
                                                                                       box(1, ctx(0, PRESENT), box(2, R(1.5))))
    alarm = (ctx(0, 1) + ctx(1, oid(DEV, 1020)) + ctx(2, oid(AI, 3)) + box(3, STAMP) + ctx(4, 1) + ctx(5, 100) + ctx(6, 5) +
             ctx(7, b"\0too warm") + ctx(8, 0) + ctx(9, 1) + ctx(10, 0) + ctx(11, 3) + box(12, box(5, ctx(0, struct.pack(">f", 30.5)))))
    for service, body in ((1, note + told), (31, many), (2, alarm), (32, box(0, ctx(0, 1)))):
        n = 40 + service
        d.to_client(ask(service, body, n), reply=True)
        d.to_server(bytes([0x20, n, service]))
    d.to_client(b"\x10\x02" + note + told)
    d.to_client(b"\x10\x0b" + many)
    d.to_client(b"\x10\x03" + alarm)
    d.cast(DEVICE, b"\x10\x02" + note + told)
    d.cast(DEVICE, b"\x10\x0c" + box(0, ctx(0, 1)))
    d.both(0, ctx(0, 1) + ctx(1, oid(AI, 3)) + ctx(2, 3) + box(3, STAMP) + ctx(4, b"\0anna") + box(5, STAMP))
    d.both(3, b"", OID(AI, 3) + E(3) + BITS(5, 0x60) + OID(BI, 1) + E(2) + BITS(5, 0xE0))
    d.both(4, ctx(0, 0) + ctx(2, 1), OID(AI, 3) + E(5) + E(3) + U(100) + U(1))
    d.both(29, b"", box(0, ctx(0, oid(AI, 3)), ctx(1, 3), ctx(2, h("0560")), box(3, STAMP, STAMP, STAMP), ctx(4, 0),
                        ctx(5, h("05e0")), box(6, U(1), U(2), U(3))) + ctx(1, b"\0"))
    d.both(33, box(0, ctx(0, 1)), ctx(0, 1))
    d.both(5, sub)
    t.save()


def errors(path):
    """Errors with what they say more, every reject and abort reason, answers to nobody and to other services."""
    t = Trace(path)
    d = Talk(t)
    ref = ctx(0, oid(AI, 99)) + ctx(1, PRESENT)
    for cls, code in ((1, 31), (2, 32), (2, 40), (5, 0), (7, 83), (2, 511)):
        d.fails(12, ref, cls, code)
    d.ask(16, ctx(0, oid(AI, 3)) + box(1, ctx(0, PRESENT), box(2, R(1.0))))
    d.to_client(bytes([0x50, d.invoke, 16]) + box(0, E(2), E(40)) + box(1, ctx(0, oid(AI, 3)), ctx(1, PRESENT)))
    d.ask(10, box(0, ctx(0, 99)))
    d.to_client(bytes([0x50, d.invoke, 10]) + box(0, E(1), E(36)) + ctx(1, 0))
    for reason in range(10):
        d.ask(12, ref)
        d.to_client(bytes([0x60, d.invoke, reason]))
    for reason in range(12):
        d.ask(12, ref)
        d.to_client(bytes([0x71, d.invoke, reason]))
    d.ask(12, ref)
    d.to_server(bytes([0x70, d.invoke, 0]))            # the client gives up
    d.ask(12, ref)
    d.to_client(bytes([0x20, d.invoke, 15]))           # an answer to another service
    d.to_client(ack(12, ref + box(3, R(1.0)), 200))    # an answer to nobody
    d.ask(12, ref)                                     # repeated under the same id, answered once
    t.wait(3)
    d.to_server(ask(12, ref, d.invoke), reply=True)
    d.to_client(ack(12, ref + box(3, R(2.0)), d.invoke))
    d.ask(12, ref)                                     # nobody answers
    d.ask(13, b"")
    d.ask(24, b"")
    t.save()


def segments(path):
    """Long answers and requests in segments: in order, repeated, one missing, more than a record has messages for."""
    t = Trace(path)
    d = Talk(t)
    ref = ctx(0, oid(DEV, 1020)) + ctx(1, LIST)
    body = ref + box(3, b"".join(OID(AV, n) for n in range(90)))
    cut = lambda b, n: [b[i:i + n] for i in range(0, len(b), n)]

    def answer(service, pieces, order):
        for k in order:
            d.to_client(ack(service, pieces[k], d.invoke, seq=k & 255, more=k < len(pieces) - 1), reply=True)
            if k % 4 == 3 or k == len(pieces) - 1:
                d.to_server(segack(d.invoke, k & 255, False))

    pieces = cut(body, 100)
    d.ask(12, ref)
    answer(12, pieces, range(len(pieces)))
    d.ask(12, ref)
    answer(12, pieces, [0, 1, 1, 2, *range(3, len(pieces))])  # one is sent again
    d.ask(12, ref)
    answer(12, pieces, [0, 1, 3, 4])                          # one is missing
    d.to_server(segack(d.invoke, 1, False, nak=True))
    t.wait(20)
    d.ask(12, ref)
    answer(12, cut(body, 20), range(len(cut(body, 20))))      # 24 segments
    long = ctx(0, oid(FILE, 1))[1:]
    write = app(12, long) + box(0, I(0), OCT(b"z" * 900))
    d.invoke += 1
    parts = cut(write, 300)
    for k, piece in enumerate(parts):
        d.to_server(ask(7, piece, d.invoke, seq=k, more=k < len(parts) - 1), reply=True)
        if k in (0, len(parts) - 1):
            d.to_client(segack(d.invoke, k, True))
    d.to_client(ack(7, ctx(0, b"\0"), d.invoke))
    d.ask(12, ref)
    d.to_client(ack(12, pieces[0], d.invoke, seq=0, more=True), reply=True)
    d.to_server(bytes([0x70, d.invoke, 9]))                   # given up by the client
    d.to_client(ack(12, pieces[0], 99, seq=0, more=True), reply=True)  # of a request that was not seen
    d.to_client(ack(12, b"".join(pieces[1:]), 99, seq=1))
    t.save()


def routers(path):
    """Networks behind a router: MS/TP devices that have no IP, the messages of the network layer, a client behind one."""
    t = Trace(path)
    d = Talk(t, b=ROUTER)
    raw = lambda src, dst, message, fn=10, **kw: t.udp(src, PORT, dst, PORT, bvlc(fn, npdu(message, message=True, **kw)))
    raw(STATION, CAST, h("00"), fn=11)
    raw(ROUTER, CAST, h("01 07d1 07d2"), fn=11)
    raw(STATION, CAST, h("00 07d1"), fn=11)
    raw(ROUTER, STATION, h("02 07d3 05"))
    raw(STATION, CAST, h("12"), fn=11)
    raw(ROUTER, CAST, h("13 0001 01"), fn=11)
    raw(STATION, ROUTER, h("06 00"))
    raw(ROUTER, STATION, h("07 02 07d1 01 00 07d2 02 02 aabb"))
    raw(STATION, ROUTER, h("06 01 07d1 00 00"))
    raw(ROUTER, STATION, h("07 00"))
    raw(ROUTER, CAST, h("04 07d2"), fn=11)
    raw(ROUTER, CAST, h("05 07d2"), fn=11)
    raw(STATION, ROUTER, h("08 07d3 0a"))
    raw(STATION, ROUTER, h("09 07d3"))
    raw(ROUTER, STATION, h("03 01 07d9"))
    raw(STATION, ROUTER, h("80 0005 0102"))
    d.cast(STATION, who_is())
    for n in (5, 6, 7):
        d.cast(ROUTER, i_am(2000 + n, 24, 480), src=(2001, bytes([n])))
    d.cast(ROUTER, i_am(2105, 260, 480), src=(2002, b"\x05"))
    d.cast(ROUTER, i_am(2200, 7), src=(2002, socket.inet_aton("10.70.0.8") + h("bac0")))
    for net, mac in ((2001, b"\5"), (2001, b"\6"), (2002, b"\5"), (2002, socket.inet_aton("10.70.0.8") + h("bac0"))):
        d.there = (net, mac)
        d.read(DEV, 2000 + mac[-1], NAME, STR(f"VAV-{net}-{mac[-1]}"))
        d.read(DEV, 2000 + mac[-1], 70, STR("VMA1615"))
        d.read(AI, 1, PRESENT, R(20.0 + mac[-1]))
    d.there = (2001, b"\5")
    d.both(15, ctx(0, oid(AO, 1)) + ctx(1, PRESENT) + box(3, R(75.0)) + ctx(4, 10))
    d.to_client(ask(1, ctx(0, 1) + ctx(1, oid(DEV, 2005)) + ctx(2, oid(AI, 1)) + ctx(3, 0) +
                    box(4, ctx(0, PRESENT), box(2, R(3.0))), 7), reply=True)
    d.to_server(bytes([0x20, 7, 1]))
    d.fails(12, ctx(0, oid(AI, 9)) + ctx(1, PRESENT), 1, 31)
    d.there = (2001, b"\x63")
    d.ask(12, ctx(0, oid(AI, 1)) + ctx(1, PRESENT))           # nobody is there
    d.there = (2001, b"")
    d.to_server(who_is())                                      # to one network only
    peer = Talk(t, a=ROUTER, b=DEVICE)                         # a controller behind the router asks one in front of it
    peer.here = (2001, b"\x06")
    peer.read(AI, 3, PRESENT, R(21.5))
    peer.a, peer.b, peer.here, peer.there = DEVICE, ROUTER, None, (2001, b"\x06")
    peer.invoke = 0
    peer.read(AV, 1, PRESENT, R(1.5))                          # and is asked under the same id
    t.save()


def bbmd(path):
    """Broadcasts across subnets: foreign devices, forwarded messages, tables read, written, refused."""
    t = Trace(path)
    d = Talk(t)
    raw = lambda src, dst, fn, body, sport=PORT: t.udp(src, sport, dst, PORT, bvlc(fn, body))
    back = lambda code: t.udp(BBMD, PORT, FOREIGN, PORT, bvlc(0, struct.pack(">H", code)))
    origin = lambda ip: socket.inet_aton(ip) + struct.pack(">H", PORT)
    raw(FOREIGN, BBMD, 5, h("003c"))
    back(0)
    raw(FOREIGN, BBMD, 9, npdu(who_is(), dst=(0xFFFF, b"")))
    t.expect(t.n, "bacnet", "1:8")
    for dst in (CAST, "10.62.0.40"):
        raw(BBMD, dst, 4, origin(FOREIGN) + npdu(who_is(), dst=(0xFFFF, b"")))
        t.expect(t.n, "bacnet", "1:8")
    d.cast(DEVICE, i_am(1020, 5))
    raw(BBMD, FOREIGN, 4, origin(DEVICE) + npdu(i_am(1020, 5), dst=(0xFFFF, b"")))
    t.expect(t.n, "bacnet", "1:0")
    raw(BBMD, CAST, 4, origin("10.62.0.77") + npdu(i_am(6277, 36), dst=(0xFFFF, b"")))
    t.expect(t.n, "bacnet", "1:0")
    raw(BBMD, CAST, 4, origin("10.62.0.30") + npdu(i_am(6201, 36), dst=(0xFFFF, b""), src=(620, b"\x09")))
    t.expect(t.n, "bacnet", "1:0")
    raw(FOREIGN, BBMD, 2, b"")
    t.udp(BBMD, PORT, FOREIGN, PORT, bvlc(3, origin(BBMD) + h("ffffffff") + origin("10.62.0.40") + h("ffffffff")))
    raw(FOREIGN, BBMD, 6, b"")
    t.udp(BBMD, PORT, FOREIGN, PORT, bvlc(7, origin(FOREIGN) + struct.pack(">HH", 60, 85)))
    raw(FOREIGN, BBMD, 1, origin(FOREIGN) + h("ffffff00"))
    back(0)
    raw(FOREIGN, BBMD, 8, origin(FOREIGN))
    back(0)
    for fn, body, code in ((1, origin(FOREIGN) + h("ffffff00"), 0x10), (2, b"", 0x20), (5, h("003c"), 0x30), (6, b"", 0x40),
                           (8, origin(FOREIGN), 0x50)):
        raw(FOREIGN, BBMD, fn, body)
        back(code)
    raw(FOREIGN, BBMD, 9, npdu(who_is(), dst=(0xFFFF, b"")))
    t.expect(t.n, "bacnet", "1:8")
    back(0x60)
    raw(FOREIGN, BBMD, 12, h("010203"))
    raw(FOREIGN, BBMD, 2, b"")                                 # nobody answers
    t.save()


def links(path):
    """The same over ISO 8802-3, as MS/TP frames in Cimetrics' SNAP, and over IPv6."""
    t = Trace(path)
    a, b = "02:00:00:60:00:01", "02:00:00:60:00:02"

    def llc(dst, src, apdu, **kw):
        body = h("828203") + npdu(apdu, **kw)
        t.expect(t.eth(dst, src, len(body), body), "bacnet", fn_of(apdu))

    ref = ctx(0, oid(DEV, 3001)) + ctx(1, NAME)
    llc("ff:ff:ff:ff:ff:ff", a, who_is())
    llc("ff:ff:ff:ff:ff:ff", b, i_am(3001, 18))
    llc(b, a, ask(12, ref, 1), reply=True)
    llc(a, b, ack(12, ref + box(3, STR("Boiler")), 1))

    def mstp(kind, dst, src, apdu=None, **kw):
        data = npdu(apdu, **kw) if apdu else b""
        body = h("aaaa03 001090 0001 000080") + struct.pack(">BBBHB", kind, dst, src, len(data), 0) + data + (h("0000") if data else b"")
        n = t.eth(f"00:00:00:00:00:{dst:02x}", f"00:00:00:00:00:{src:02x}", len(body), body)
        if apdu:
            t.expect(n, "bacnet", fn_of(apdu))

    mstp(0, 0x72, 0x01)
    mstp(6, 0xFF, 0x72, who_is())
    mstp(6, 0xFF, 0x05, i_am(3105, 24, 480))
    mstp(5, 0x05, 0x72, ask(12, ref, 9), reply=True)
    mstp(5, 0x72, 0x05, ack(12, ref + box(3, STR("VAV")), 9))
    mstp(1, 0x73, 0x72)

    def six(src, dst, body, fn=None):
        u = struct.pack(">HHHH", PORT, PORT, 8 + len(body), 0) + body
        s, d = socket.inet_pton(socket.AF_INET6, src), socket.inet_pton(socket.AF_INET6, dst)
        u = u[:6] + struct.pack(">H", _sum16(s + d + struct.pack(">II", len(u), 17) + u)) + u[8:]
        mac = lambda x: h("3333") + x[12:] if x[0] == 255 else h("0200") + x[12:]
        n = t.eth(mac(d), mac(s), 0x86DD, struct.pack(">IHBB", 6 << 28, len(u), 17, 64) + s + d + u)
        if fn:
            t.expect(n, "bacnet", fn)

    b6 = lambda fn, body: struct.pack(">BBH", 0x82, fn, 4 + len(body)) + body
    va, vb, x, y, all6 = h("000001"), h("000002"), "fd00:60::1", "fd00:60::2", "ff05::bac0"
    six(x, all6, b6(2, va + npdu(who_is(), dst=(0xFFFF, b""))), "1:8")
    six(y, all6, b6(2, vb + npdu(i_am(3201, 36), dst=(0xFFFF, b""))), "1:0")
    six(x, all6, b6(3, va + vb))
    six(y, x, b6(5, vb + va))
    six(x, y, b6(1, va + vb + npdu(ask(12, ref, 2), reply=True)), "0:12")
    six(y, x, b6(1, vb + va + npdu(ack(12, ref + box(3, STR("Chiller")), 2))), "3:12")
    six(x, y, b6(9, va + h("003c")))
    six(y, x, b6(0, vb + h("0000")))
    six(x, y, b6(10, va + socket.inet_pton(socket.AF_INET6, x) + h("bac0")))
    six(y, x, b6(0, vb + h("00a0")))
    six(y, x, b6(8, vb + socket.inet_pton(socket.AF_INET6, "fd00:61::7") + h("bac0") + npdu(i_am(3207, 36), dst=(0xFFFF, b""))), "1:0")
    six(x, y, b6(6, va))
    six(y, x, b6(7, vb + va))
    t.save()


def anomalies(path):
    """What breaks the standard, one by one; what can be read of it is read."""
    t = Trace(path)
    d = Talk(t)
    raw = lambda data: t.udp(STATION, PORT, DEVICE, PORT, data)
    ref = ctx(0, oid(AI, 3)) + ctx(1, PRESENT)
    d.read(AI, 3, PRESENT, R(1.0))
    raw(h("810a 0003 01"))                                     # BVLC length below its header
    t.expect(raw(h("810a 00ff") + npdu(who_is())), "bacnet", "1:8")  # beyond the datagram
    raw(bvlc(0x20, b""))
    t.expect(raw(bvlc(10, npdu(who_is(), version=2))), "bacnet", "1:8")
    t.expect(raw(bvlc(10, npdu(who_is(), control=0x40))), "bacnet", "1:8")
    t.expect(raw(bvlc(10, npdu(who_is(), dst=(0, b"\1")))), "bacnet", "1:8")
    t.expect(raw(bvlc(10, npdu(who_is(), src=(7, b"")))), "bacnet", "1:8")
    t.expect(raw(bvlc(10, npdu(who_is(), dst=(7, b"\1"), hops=0))), "bacnet", "1:8")
    raw(bvlc(10, npdu(h("20"), message=True)))
    raw(bvlc(10, h("01")))
    raw(bvlc(10, npdu(h("80 01 02"))))                         # PDU type 8
    raw(bvlc(10, npdu(h("02 05"))))                            # ends in its header
    d.to_server(ask(12, ref, 2)[:1] + b"\x75\x02\x0c" + ref, optional=1)
    d.to_server(h("01 05 03 0c") + ref)                        # a reserved bit
    d.to_server(ask(99, b"", 4))
    d.to_server(b"\x10\x63")
    d.to_server(ask(12, h("0c 0000"), 5))                      # parameters that end too early
    d.to_server(ask(15, ref + box(3, R(1.0))[:-1], 6))         # a bracket that is not closed
    d.to_server(ask(12, ref + h("ffffff"), 7))
    d.both(15, ctx(0, oid(AO, 1)) + ctx(1, PRESENT) + box(3, R(1.0)) + ctx(4, 17))
    d.cast(STATION, who_is(100, 50))
    d.cast(DEVICE, b"\x10\x00" + OID(AI, 1) + U(480) + E(3) + U(5))
    d.send(STATION, CAST, ask(12, ref, 8), fn=11, reply=True)
    d.to_client(bytes([0x71, 77, 9]))                          # of nothing
    d.to_server(b"\x10\x08" + h("5e" * 200))                   # brackets upon brackets
    t.save()


def ports(path):
    """BACnet on ports of nobody, found by its shape; and what is not BACnet on its port."""
    t = Trace(path)
    d = Talk(t, port=40808)
    d.read(AI, 3, PRESENT, R(1.0))
    d.read(AI, 3, PRESENT, R(2.0))
    for data in (b"hello, this is not BACnet", h("8200"), h("81"), h("7f0a000c0120ffff00ff1008"), os.urandom(0)):
        if data:
            t.udp("10.60.0.6", 47808, "10.60.0.21", 47808, data)
    t.save()


CAPTURES = [identity, values, control, management, events, errors, segments, routers, bbmd, links, anomalies, ports]

if __name__ == "__main__":
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bacnet")
    os.makedirs(out, exist_ok=True)
    for make in CAPTURES:
        make(os.path.join(out, make.__name__ + ".pcap"))
