#!/usr/bin/env python3
"""Builds captures of OPC UA dialogues, judged by OPC 10000-4 (services) and OPC 10000-6 (UA Binary, secure conversation,
UA-TCP), above all of what the recorded ones do not show: chunks of every kind, rare services, faults. Each gets a table of
the messages that must be found.

  opcua.py [DIR]        writes DIR/*.pcap and DIR/*.messages.tsv (default: ../opcua beside this script)
"""
import os
import random
import struct
import sys

from wire import Trace

CLIENT, SERVER, PORT = "10.40.0.5", "10.40.0.20", 4840
START = 1767607872  # 2026-01-05 10:11:12 UTC, where the captures begin
POLICY = "http://opcfoundation.org/UA/SecurityPolicy#"
GOOD, BAD_NODE, BAD_DENIED, BAD_TIMEOUT = 0, 0x80340000, 0x801F0000, 0x800A0000
BAD_NO_SUBSCRIPTION, BAD_TOO_LARGE, BAD_TCP_LARGE, BAD_TCP_URL = 0x80790000, 0x80B80000, 0x80800000, 0x80830000


# ---- built-in types (OPC 10000-6 5.2.2) ----

def u8(v):
    return struct.pack("<B", v & 0xFF)


def u16(v):
    return struct.pack("<H", v & 0xFFFF)


def u32(v):
    return struct.pack("<I", v & 0xFFFFFFFF)


def f64(v):
    return struct.pack("<d", v)


def s(v):
    b = v.encode() if isinstance(v, str) else v
    return u32(-1) if b is None else u32(len(b)) + b


def t(seconds=START):
    return struct.pack("<q", int(seconds * 10_000_000) + 116444736000000000)


def arr(items):
    return u32(-1) if items is None else u32(len(items)) + b"".join(items)


def n(i, ns=0):
    """A NodeId: numeric in the shortest form, string, guid (16 bytes) or opaque (a list)."""
    if isinstance(i, str):
        return b"\x03" + u16(ns) + s(i)
    if isinstance(i, bytes):
        return b"\x04" + u16(ns) + i
    if isinstance(i, list):
        return b"\x05" + u16(ns) + s(bytes(i))
    if ns == 0 and i < 256:
        return b"\0" + u8(i)
    if ns < 256 and i < 65536:
        return b"\x01" + u8(ns) + u16(i)
    return b"\x02" + u16(ns) + u32(i)


def expanded(i, uri=None, server=0):
    b = n(i)
    flags = (0x80 if uri else 0) | (0x40 if server else 0)
    return u8(b[0] | flags) + b[1:] + (s(uri) if uri else b"") + (u32(server) if server else b"")


def q(name, ns=0):
    return u16(ns) + s(name)


def lt(text, locale="en"):
    return u8((1 if locale else 0) | (2 if text else 0)) + (s(locale) if locale else b"") + (s(text) if text else b"")


def ext(type_id, body=b"", encoding=1):
    return n(type_id) + u8(encoding) + (s(body) if encoding else b"")


NULL_EXT = ext(0, encoding=0)


def var(kind, *values, array=False, dims=None):
    b = b"".join(values)
    if array:
        b = u32(len(values)) + b
    return u8(kind | (0x80 if array else 0) | (0x40 if dims else 0)) + b + (arr([u32(d) for d in dims]) if dims else b"")


def dv(value=None, status=None, source=None, server=None, pico=False):
    mask = (value is not None) | (status is not None) << 1 | (source is not None) << 2 | (server is not None) << 3 | (48 if pico else 0)
    b = u8(mask) + (value or b"") + (u32(status) if status is not None else b"")
    b += (t(source) if source is not None else b"") + (u16(5) if pico else b"")
    return b + (t(server) if server is not None else b"") + (u16(6) if pico else b"")


def diag(info=None, inner=None, status=None):
    mask = (16 if info else 0) | (32 if status else 0) | (64 if inner else 0)
    return u8(mask) + (s(info) if info else b"") + (u32(status) if status else b"") + (inner or b"")


def app(uri="urn:tyto.example:plc", product="http://tyto.example/plc", name="Tyto PLC", kind=0, urls=()):
    return s(uri) + s(product) + lt(name) + u32(kind) + s(None) + s(None) + arr([s(u) for u in urls])


def der(tag, body):
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + struct.pack(">H", len(body))
    return bytes([tag]) + size + body


def certificate(name, since="250101000000Z", until="301231235959Z"):
    """An X.509 certificate as far as its structure goes; its key and signature are made up."""
    def rdn(oid, text):
        return der(0x31, der(0x30, der(6, oid) + der(12, text.encode())))
    subject = der(0x30, rdn(b"\x55\x04\x03", name) + rdn(b"\x55\x04\x0a", "Tyto Test Works"))
    algorithm = der(0x30, der(6, bytes.fromhex("2a864886f70d01010b")) + b"\x05\0")
    validity = der(0x30, der(23, since.encode()) + der(23, until.encode()))
    tbs = der(0x30, der(0xA0, b"\x02\x01\x02") + der(2, b"\x01\x02\x03") + algorithm + subject + validity + subject +
              der(0x30, algorithm + der(3, b"\0" + bytes(range(64)))))
    return der(0x30, tbs + algorithm + der(3, b"\0" + bytes(64)))


# ---- connections ----

class Link:
    """One connection: message type, chunks, channel, tokens, sequence numbers and request ids."""

    def __init__(self, trace, cport=50000, sport=PORT, policy="None", seed=1, handshake=True):
        self.t, self.c = trace, trace.tcp(CLIENT, cport, SERVER, sport, handshake=handshake)
        self.policy, self.channel, self.token, self.seq = policy, 7, 1, [51, 101]
        self.request, self.handle, self.auth, self.mode = 0, 0, n(0), "none"
        self.random, self.handles = random.Random(seed), {}

    def send(self, side, data, cut=()):
        return (self.c.to_client if side else self.c.to_server)(data, cut)

    def tell(self, side, data, function, cut=()):
        frame = self.send(side, data, cut)
        self.t.expect(frame, "opcua", function)
        return frame

    def hello(self, url="opc.tcp://10.40.0.20:4840", size=65536, message=0, chunks=0, answer=True):
        self.tell(0, pack("HEL", u32(0) + u32(size) * 2 + u32(message) + u32(chunks) + s(url)), "HEL")
        if answer:
            self.tell(1, pack("ACK", u32(0) + u32(size) * 2 + u32(message) + u32(chunks)), "ACK")
        return self

    def chunk(self, side, body, kind="MSG", final="F", request=None, seq=None, channel=None, token=None):
        request = self.request if request is None else request
        if seq is None:
            if self.seq[side] > 0xFFFFFFFF - 1024:  # begins again before it overflows
                self.seq[side] = 1
            seq, self.seq[side] = self.seq[side], self.seq[side] + 1
        head = u32(self.channel if channel is None else channel) + u32(self.token if token is None else token)
        inner = u32(seq) + u32(request) + body
        if self.mode == "sign":
            inner += self.random.randbytes(32)
        elif self.mode == "encrypt":
            inner = self.random.randbytes((len(inner) + 47) // 16 * 16)
        return pack(kind, head + inner, final)

    def asymmetric(self, side, body, channel=0, cert=None):
        seq, self.seq[side] = self.seq[side], self.seq[side] + 1
        inner = u32(seq) + u32(self.request) + body
        if self.policy != "None":
            inner = self.random.randbytes(256)
        return pack("OPN", u32(channel) + s(POLICY + self.policy) + s(cert) + s(b"\x11" * 20 if cert else None) + inner)

    def open(self, renew=False, lifetime=3600000, mode=1, cert=None):
        self.request += 1
        self.handle += 1
        old = self.channel if renew else 0
        plain = self.policy == "None"
        req = n(446) + self.header() + u32(0) + u32(renew) + u32(mode) + s(None) + u32(lifetime)
        data = self.asymmetric(0, req, old, cert)
        self.send(0, data) if not plain else self.tell(0, data, 446)
        if renew:
            self.token += 1
        rsp = n(449) + self.result() + u32(0) + u32(self.channel) + u32(self.token) + t() + u32(lifetime) + s(None)
        data = self.asymmetric(1, rsp, self.channel, cert)
        self.send(1, data) if not plain else self.tell(1, data, 449)
        return self

    def header(self, timeout=10000):
        return self.auth + t() + u32(self.handle) + u32(0) + s(None) + u32(timeout) + NULL_EXT

    def result(self, status=GOOD, info=b"\0", handle=None):
        return t() + u32(self.handle if handle is None else handle) + u32(status) + info + arr(None) + NULL_EXT

    def ask(self, fn, body=b"", timeout=10000, **kw):
        self.request += 1
        self.handle += 1
        self.handles[self.request] = self.handle
        return self.tell(0, self.chunk(0, n(fn) + self.header(timeout) + body, **kw), fn)

    def answer(self, fn, body=b"", status=GOOD, info=b"\0", handle=None, **kw):
        handle = self.handles.get(kw.get("request")) if handle is None else handle
        return self.tell(1, self.chunk(1, n(fn) + self.result(status, info, handle) + body, **kw), fn)

    def call(self, fn, request=b"", response=b"", status=GOOD):
        self.ask(fn, request)
        self.answer(fn + 3 if fn not in (12208, 12211) else fn + 1, response, status)

    def fault(self, fn, request=b"", status=BAD_NODE):
        self.ask(fn, request)
        self.answer(397, status=status)

    def session(self, user=None, password=None, algorithm=None, endpoints=(), cert=None, status=GOOD):
        self.call(461, app("urn:tyto.example:hmi", "http://tyto.example/hmi", "Tyto HMI", 1) + s(None) +
                  s("opc.tcp://10.40.0.20:4840") + s("HMI session 1") + s(None) + s(cert) + f64(1200000) + u32(0),
                  n(77, 1) + n(b"\x22" * 16, 1) + f64(600000) + s(None) + s(cert) + arr(list(endpoints)) + arr([]) +
                  s(None) + s(None) + u32(0))
        self.auth = n(b"\x22" * 16, 1)
        token = ext(321, s("anonymous"))
        if user:
            token = ext(324, s("user") + s(user) + s(password) + s(algorithm))
        self.call(467, s(None) + s(None) + arr([]) + arr([s("de")]) + token + s(None) + s(None),
                  s(None) + arr([]) + arr([]), status)
        return self

    def end(self):
        self.call(473, u8(1))
        self.request += 1
        self.tell(0, self.chunk(0, n(452) + self.header(), "CLO"), 452)
        self.c.close()


def pack(kind, body, final="F"):
    return kind.encode() + final.encode() + u32(8 + len(body)) + body


def endpoint(policy="None", mode=1, tokens=(0, 1), cert=None, url="opc.tcp://10.40.0.20:4840"):
    return (s(url) + app() + s(cert) + u32(mode) + s(POLICY + policy) +
            arr([s(f"t{k}") + u32(k) + s(None) * 3 for k in tokens]) + s("http://opcfoundation.org/UA-Profile/x") + u8(10 * mode))


def value_id(node, attribute=13, index=None):
    return node + u32(attribute) + s(index) + q(None)


SCALARS = [(1, u8(1)), (2, u8(-5)), (3, u8(200)), (4, u16(-1234)), (5, u16(54321)), (6, u32(-7)), (7, u32(3000000000)),
           (8, struct.pack("<q", -2**40)), (9, struct.pack("<Q", 2**63)), (10, struct.pack("<f", 1.5)), (11, f64(-0.25)),
           (12, s("Pumpe 3")), (13, t(START)), (14, bytes(range(16))), (15, s(b"\0\xfe")), (16, s("<a/>")),
           (17, n("Tank", 2)), (18, expanded(5, "urn:x", 3)), (19, u32(0x408F0000)), (20, q("Valve", 2)), (21, lt("Ventil", "de")),
           (22, ext(0x4321, b"\x01\x02\x03")), (23, dv(var(6, u32(5)), 0x40000000)), (24, var(12, s("inner"))), (25, diag("text"))]


def values(path):
    """Every built-in type read and written: alone, as array, as matrix; every form of NodeId, every attribute; statuses."""
    trace = Trace(path)
    l = Link(trace).hello().open().session()
    nodes = [n(2259), n(70000, 2), n(5, 300), n("Tank.Level", 2), n(bytes(range(16)), 2), n([1, 2, 3, 4], 2)]
    l.call(631, f64(500) + u32(2) + arr([value_id(x) for x in nodes]),
           arr([dv(var(6, u32(0)), None, START, START, pico=True), dv(None, BAD_NODE), dv(var(11, f64(2.5)), 0x408F0000, START),
                dv(var(0)), dv(var(12, s("x")), 0x40A40480), dv(var(12, s(None)))]) + arr([]))
    l.call(631, f64(0) + u32(3) + arr([value_id(n("All", 2)) for _ in SCALARS]), arr([dv(var(k, b)) for k, b in SCALARS]) + arr([]))
    l.call(631, f64(0) + u32(3) + arr([value_id(n("All", 2), index="0:1") for _ in SCALARS]),
           arr([dv(var(k, b, b, array=True, dims=[2, 1])) for k, b in SCALARS]) + arr([]))
    for k, b in SCALARS:
        l.call(673, arr([value_id(n(f"Type{k}", 2))[:-6] + dv(var(k, b)), value_id(n(f"Types{k}", 2))[:-6] + dv(var(k, b, b, b, array=True))]),
               arr([u32(GOOD), u32(BAD_DENIED if k % 5 == 0 else GOOD)]) + arr([diag(), diag("not writable", diag("deeper", status=BAD_NODE))]))
    l.call(631, f64(0) + u32(0) + arr([value_id(n(2253), a) for a in range(1, 30)]), arr([dv(None, BAD_NODE) for _ in range(1, 30)]) + arr(None))
    l.call(673, arr([value_id(n("Tank.Level", 2), 4)[:-6] + dv(var(21, lt("other name")))]), arr([u32(GOOD)]) + arr([]))
    l.call(631, f64(0) + u32(0) + arr([value_id(n(1000 + i, 2)) for i in range(150)]),
           arr([dv(var(7, u32(i))) for i in range(150)]) + arr([]))
    l.ask(631, f64(0) + u32(0) + arr([value_id(n(1, 2))]))  # nobody answers
    l.request += 1000
    l.answer(634, arr([dv(var(1, u8(1)))]) + arr([]))  # nobody asked
    l.end()
    trace.save()


def services(path):
    """The services that few clients use, each with its answer; refusals by ServiceFault and by result."""
    trace = Trace(path)
    l = Link(trace).hello().open()
    l.call(422, s("opc.tcp://10.40.0.20:4840") + arr([s("en")]) + arr([s("urn:a")]), arr([app(), app("urn:tyto.example:lds", None, "LDS", 3)]))
    l.call(12208, u32(0) + u32(10) + arr([s("DA")]), t() + arr([u32(1) + s("plc-7") + s("opc.tcp://10.40.0.7:4840") + arr([s("DA")])]))
    registered = s("urn:tyto.example:plc") + s("http://tyto.example/plc") + arr([lt("Tyto PLC")]) + u32(0) + s(None) + arr([s("opc.tcp://10.40.0.20:4840")]) + s(None)
    l.call(437, registered + u8(1))
    l.call(12211, registered + u8(0) + arr([ext(12901, s("mdns") + arr([s("DA")]))]), arr([u32(GOOD)]) + arr([]))
    l.session("operator", b"\x99" * 64, "http://www.w3.org/2001/04/xmlenc#rsa-oaep")
    object_attributes = u32(0x60) + lt("New") + lt("") + u32(0) + u32(0) + u8(0)
    l.call(488, arr([expanded(85) + n(35) + expanded(0) + q("Pump", 2) + u32(1) + ext(354, object_attributes) + expanded(58),
                     expanded(85) + n(35) + b"\x03" + u16(2) + s("Fan") + q("Fan", 2) + u32(1) + ext(354, object_attributes) + expanded(58)]),
           arr([u32(GOOD) + n(4711, 2), u32(BAD_DENIED) + n(0)]) + arr([]))
    l.call(494, arr([n(85) + n(35) + u8(1) + s(None) + expanded(2253) + u32(1)]), arr([u32(GOOD)]) + arr([]))
    l.call(500, arr([n(4711, 2) + u8(1), n(1, 2) + u8(0)]), arr([u32(GOOD), u32(BAD_NODE)]) + arr([]))
    l.call(506, arr([n(85) + n(35) + u8(1) + expanded(2253) + u8(1)]), arr([u32(GOOD)]) + arr([]))
    reference = n(35) + u8(1) + expanded(2253) + q("Server") + lt("Server") + u32(1) + expanded(2004)
    view = n(0) + t(0) + u32(0)
    l.call(527, view + u32(1) + arr([n(85) + u32(2) + n(31) + u8(1) + u32(0) + u32(63), n(9, 9) + u32(0) + n(31) + u8(1) + u32(0) + u32(63)]),
           arr([u32(GOOD) + s(b"more") + arr([reference]), u32(BAD_NODE) + s(None) + arr([])]) + arr([]))
    l.call(533, u8(0) + arr([s(b"more")]), arr([u32(GOOD) + s(None) + arr([reference, reference])]) + arr([]))
    path_element = n(33) + u8(0) + u8(1) + q("Boiler", 2)
    l.call(554, arr([n(85) + arr([path_element, path_element])]), arr([u32(GOOD) + arr([expanded(12) + u32(0xFFFFFFFF)])]) + arr([]))
    l.call(560, arr([n("Tank.Level", 2)]), arr([n(900, 2)]))
    l.call(566, arr([n(900, 2)]))
    operand = ext(597, var(6, u32(5)))
    where = arr([u32(10) + arr([operand, operand])])
    l.call(615, view + arr([expanded(58) + u8(1) + arr([arr([path_element]) + u32(13) + s(None)])]) + where + u32(0) + u32(0),
           arr([expanded(1) + expanded(58) + arr([var(6, u32(5))])]) + s(b"q") + arr([u32(GOOD) + arr([]) + arr([])]) + arr([]) +
           arr([u32(GOOD) + arr([u32(GOOD)]) + arr([])]) + arr([]))
    l.call(621, u8(0) + s(b"q"), arr([]) + s(None))
    start, stop = t(START - 3600), t(START)
    select = n(2041) + arr([q("Message")]) + u32(13) + s(None)
    for type_id, body in ((649, u8(0) + start + stop + u32(10) + u8(0)), (652, start + stop + f64(60000) + arr([n(2342)]) + bytes(5)),
                          (655, arr([start, stop]) + u8(1)), (646, u32(5) + start + stop + arr([select]) + where)):
        data = ext(658, arr([dv(var(11, f64(k)), None, START - k) for k in range(4)]))
        if type_id == 646:
            data = ext(661, arr([arr([var(12, s("event"))])]))
        l.call(664, ext(type_id, body) + u32(0) + u8(0) + arr([n("Tank.Level", 2) + s(None) + q(None) + s(None)]),
               arr([u32(GOOD) + s(b"h" if type_id == 649 else None) + data]) + arr([]))
    l.call(700, arr([ext(682, n("Tank.Level", 2) + u32(1) + arr([dv(var(11, f64(3.5)), None, START)])),
                     ext(685, n(2253) + u32(3) + arr([select]) + where + arr([arr([var(12, s("e"))])])),
                     ext(688, n("Tank.Level", 2) + u8(0) + start + stop), ext(691, n("Tank.Level", 2) + arr([start])),
                     ext(694, n(2253) + arr([s(b"id")]))]),
           arr([u32(GOOD) + arr([u32(GOOD)]) + arr([])] * 4 + [u32(BAD_DENIED) + arr([]) + arr([])]) + arr([]))
    l.call(712, arr([n("Alarm1", 2) + n(9111) + arr([var(15, s(b"\x01\x02")), var(21, lt("seen"))]), n(2253) + n(12886) + arr([var(6, u32(1))]),
                     n("Pump", 2) + n("Start", 2) + arr([])]),
           arr([u32(GOOD) + arr([u32(GOOD)]) + arr([]) + arr([var(7, u32(1)), var(12, s("done"))]), u32(BAD_DENIED) + arr([]) + arr([]) + arr([]),
                u32(GOOD) + arr([]) + arr([]) + arr([])]) + arr([]))
    l.call(712, arr([n(12637) + n(13737) + arr([var(17, n(0)), var(15, s(certificate("new")))])]), arr([u32(GOOD) + arr([]) * 3]) + arr([]))
    l.call(712, arr([n("Program", 2) + n(2429) + arr([])]), arr([u32(GOOD) + arr([]) * 3]) + arr([]))
    l.call(479, u32(5), u32(1))
    l.fault(631, f64(0) + u32(0) + arr([]), 0x800F0000)
    l.fault(673, arr([]), BAD_DENIED)
    l.ask(664, NULL_EXT + u32(0) + u8(0) + arr([]))
    l.answer(667, arr(None) + arr(None), BAD_TIMEOUT, diag("no history here"))
    l.end()
    trace.save()


def notification(seq, *data):
    return u32(seq) + t() + arr(list(data))


def subscriptions(path):
    """Subscriptions: monitored items of every filter, notifications of every kind, late answers, transfers, republishing."""
    trace = Trace(path)
    l = Link(trace).hello().open().session()
    l.call(787, f64(500) + u32(60) + u32(10) + u32(0) + u8(1) + u8(5), u32(31) + f64(500) + u32(60) + u32(10))
    parameters = [u32(1) + f64(100) + ext(724, u32(1) + u32(1) + f64(0.5)) + u32(1) + u8(1),
                  u32(2) + f64(0) + ext(727, arr([n(2041) + arr([q("Message")]) + u32(13) + s(None)]) + arr([])) + u32(5) + u8(1),
                  u32(3) + f64(-1) + ext(730, t() + n(2342) + f64(1000) + bytes(5)) + u32(1) + u8(0)]
    items = [value_id(n("Tank.Level", 2)), value_id(n(2253), 12), value_id(n("Tank.Temp", 2))]
    for _ in range(3):
        l.ask(826, arr([]))
    waiting = [l.request - 2, l.request - 1, l.request]
    l.call(751, u32(31) + u32(2) + arr([i + u32(2) + p for i, p in zip(items, parameters)]),
           arr([u32(GOOD) + u32(100 + k) + f64(100) + u32(1) + NULL_EXT for k in range(3)]) + arr([]))
    change = ext(811, arr([u32(1) + dv(var(11, f64(1.5)), None, START), u32(3) + dv(var(4, u16(7)), 0x40900000)]) + arr([]))
    event = ext(916, arr([u32(2) + arr([var(12, s("level high")), var(5, u16(800)), var(13, t())])]))
    status = ext(820, u32(BAD_TIMEOUT) + diag())
    l.answer(829, u32(31) + arr([u32(1)]) + u8(1) + notification(1, change) + arr([]) + arr([]), request=waiting[0])
    l.answer(829, u32(31) + arr([u32(1), u32(2)]) + u8(0) + notification(2, event, change) + arr([u32(GOOD)]) + arr([]), request=waiting[1])
    l.ask(826, arr([u32(31) + u32(1), u32(31) + u32(2)]))
    late = l.request
    trace.wait(95)  # a keep-alive comes long after other requests would have been given up
    l.answer(829, u32(31) + arr([]) + u8(0) + notification(3) + arr([]) + arr([]), request=waiting[2])
    unknown = ext(811, arr([u32(99) + dv(var(1, u8(1)))]) + arr([]))
    l.answer(829, u32(31) + arr([]) + u8(0) + notification(3, unknown) + arr([u32(GOOD), u32(BAD_NODE)]) + arr([]), request=late)
    l.call(763, u32(31) + u32(0) + arr([u32(100) + u32(1) + f64(1000) + NULL_EXT + u32(1) + u8(1)]), arr([u32(GOOD) + f64(1000) + u32(1) + NULL_EXT]) + arr([]))
    l.call(769, u32(31) + u32(0) + arr([u32(100), u32(101)]), arr([u32(GOOD), u32(BAD_NODE)]) + arr([]))
    l.call(775, u32(31) + u32(100) + arr([u32(101), u32(102)]) + arr([u32(7)]), arr([u32(GOOD)] * 2) + arr([]) + arr([u32(BAD_NODE)]) + arr([]))
    l.call(793, u32(31) + f64(1000) + u32(90) + u32(30) + u32(0) + u8(1), f64(1000) + u32(90) + u32(30))
    l.call(799, u8(0) + arr([u32(31), u32(32)]), arr([u32(GOOD), u32(BAD_NO_SUBSCRIPTION)]) + arr([]))
    l.call(832, u32(31) + u32(2), notification(2, change))
    l.fault(832, u32(31) + u32(9), 0x807A0000)
    l.ask(826, arr([]))
    l.answer(829, u32(31) + arr([]) + u8(0) + notification(4, status) + arr([]) + arr([]))
    l.ask(826, arr([]))
    l.answer(397, status=BAD_NO_SUBSCRIPTION)
    l.call(781, u32(31) + arr([u32(100), u32(101)]), arr([u32(GOOD), u32(GOOD)]) + arr([]))
    other = Link(trace, 50001)
    other.channel = 8
    other.hello().open().session()
    other.call(841, arr([u32(31), u32(32)]) + u8(1), arr([u32(GOOD) + arr([u32(4)]), u32(BAD_NO_SUBSCRIPTION) + arr([])]) + arr([]))
    other.ask(826, arr([]))
    other.answer(829, u32(31) + arr([]) + u8(0) + notification(5, change) + arr([]) + arr([]))  # handles of the other connection
    other.call(847, arr([u32(31)]), arr([u32(GOOD)]) + arr([]))
    other.end()
    l.end()
    trace.save()


def chunks(path):
    """Messages of several chunks, both ways: joined, interleaved, in one segment, cut anywhere, given up, too long to keep."""
    trace = Trace(path)
    l = Link(trace).hello(size=8192, message=400000, chunks=60).open().session()

    def split(side, fn, body, size, kinds="C", request=None):
        whole = n(fn) + (l.result() if side else l.header()) + body
        parts = [whole[at:at + size] for at in range(0, len(whole), size)]
        return [l.chunk(side, p, final="F" if k == len(parts) - 1 else kinds, request=request) for k, p in enumerate(parts)]

    def begin():
        l.request += 1
        l.handle += 1
        return l.request

    write = arr([value_id(n("Recipe", 2))[:-6] + dv(var(12, s("step " * 4000)))])
    begin()
    parts = split(0, 673, write, 8000)
    for c in parts[:-1]:
        l.send(0, c)
    l.tell(0, parts[-1], 673)
    l.answer(676, arr([u32(GOOD)]) + arr([]))
    # an answer in chunks, several of them in a segment and split inside headers
    l.ask(631, f64(0) + u32(0) + arr([value_id(n("Recipe", 2)), value_id(n("Doubles", 2))]))
    values_ = arr([dv(var(12, s("step " * 2000))), dv(var(11, *[f64(i) for i in range(600)], array=True))]) + arr([])
    data = b"".join(split(1, 634, values_, 4000))
    l.tell(1, data, 634, cut=[3, 1460, 4030, 4033, 9000])
    # two requests whose chunks alternate
    a, b = begin(), begin()
    one, two = (n(673) + l.header() + arr([value_id(n(x, 2))[:-6] + dv(var(12, s(x * 500)))]) for x in ("A", "B"))
    l.send(0, l.chunk(0, one[:300], final="C", request=a))
    l.send(0, l.chunk(0, two[:300], final="C", request=b))
    l.tell(0, l.chunk(0, one[300:], request=a), 673)
    l.tell(0, l.chunk(0, two[300:], request=b), 673)
    l.answer(676, arr([u32(GOOD)]) + arr([]), request=b)
    l.answer(676, arr([u32(BAD_DENIED)]) + arr([]), request=a)
    # the client gives a request up; the server an answer; and one whose first chunk is the last
    begin()
    l.send(0, l.chunk(0, one[:200], final="C"))
    l.tell(0, l.chunk(0, u32(BAD_TCP_LARGE) + s("encoding failed"), final="A"), 673)
    l.ask(631, f64(0) + u32(0) + arr([value_id(n("Recipe", 2))]))
    l.send(1, l.chunk(1, (n(634) + l.result() + values_)[:3000], final="C"))
    l.tell(1, l.chunk(1, u32(BAD_TOO_LARGE) + s("response too large"), final="A"), 634)
    l.ask(631, f64(0) + u32(0) + arr([value_id(n("Recipe", 2))]))
    l.send(1, l.chunk(1, u32(BAD_TIMEOUT) + s(None), final="A"))
    # more than is kept: the beginning is decoded
    begin()
    long_ = arr([value_id(n("Small", 2))[:-6] + dv(var(6, u32(1))), value_id(n("Huge", 2))[:-6] + dv(var(15, s(bytes(90000))))])
    parts = split(0, 673, long_, 8000)
    for c in parts[:-1]:
        l.send(0, c)
    l.tell(0, parts[-1], 673)
    l.answer(676, arr([u32(GOOD)] * 2) + arr([]))
    # one byte each
    begin()
    read = f64(0) + u32(0) + arr([value_id(n(2259))])
    tiny = n(631) + l.header() + read
    data = b"".join(l.chunk(0, tiny[k:k + 1], final="F" if k == len(tiny) - 1 else "C") for k in range(len(tiny)))
    l.tell(0, data, 631)
    l.answer(634, arr([dv(var(6, u32(0)))]) + arr([]))
    # an empty chunk, and the last one empty too
    begin()
    l.send(0, l.chunk(0, b"", final="C"))
    l.send(0, l.chunk(0, n(631) + l.header() + read, final="C"))
    l.tell(0, l.chunk(0, b""), 631)
    l.answer(634, arr([dv(var(6, u32(0)))]) + arr([]))
    l.end()
    l = Link(trace, 50001)
    l.seq = [0xFFFFFFFF - 1026, 0xFFFFFFFF - 1024]
    l.hello().open().session().end()
    trace.save()


def transport(path):
    """Connections: refused, opened by the server, on another port, begun before the capture; PDUs joined, split and lost."""
    trace = Trace(path)
    l = Link(trace).hello(url="opc.tcp://10.40.0.20:4840/nowhere", answer=False)
    l.tell(1, pack("ERR", u32(BAD_TCP_URL) + s("unknown endpoint")), "ERR")
    l.c.close()
    # reverse connect: the server opens the TCP connection to the client
    l = Link(trace)
    l.c.close()
    r = trace.tcp(SERVER, 51000, CLIENT, PORT)
    frame = r.to_server(pack("RHE", s("urn:tyto.example:plc") + s("opc.tcp://10.40.0.20:4840")))
    trace.expect(frame, "opcua", "RHE")
    frame = r.to_client(pack("HEL", u32(0) + u32(65536) * 2 + u32(0) * 2 + s("opc.tcp://10.40.0.20:4840")))
    trace.expect(frame, "opcua", "HEL")
    frame = r.to_server(pack("ACK", u32(0) + u32(65536) * 2 + u32(0) * 2))
    trace.expect(frame, "opcua", "ACK")
    l.c = r
    l.send = lambda side, data, cut=(): (r.to_server if side else r.to_client)(data, cut)
    l.open().session()
    l.call(631, f64(0) + u32(0) + arr([value_id(n(2259))]), arr([dv(var(6, u32(0)))]) + arr([]))
    l.end()
    # another port, by shape
    l = Link(trace, 50002, 48010).hello("opc.tcp://10.40.0.20:48010").open()
    build = s("http://tyto.example/plc") + s("Tyto Test Works") + s("Soft PLC") + s("4.5.6") + s("b9") + t()
    l.session()
    l.call(631, f64(0) + u32(0) + arr([value_id(n(2256)), value_id(n(2260))]),
           arr([dv(var(22, ext(864, t() + t() + u32(1) + build + u32(0) + lt("")))), dv(var(22, ext(340, build)))]) + arr([]))
    l.end()
    # seen from its middle on, signed
    l = Link(trace, 50003, handshake=False)
    l.mode, l.request, l.handle = "sign", 900, 900
    for k in range(3):
        l.call(631, f64(0) + u32(0) + arr([value_id(n("Tank.Level", 2))]), arr([dv(var(11, f64(k)))]) + arr([]))
    # the same on another port: the services tell who is the client
    l = Link(trace, 4001, 50004, handshake=False)
    l.request, l.handle = 900, 900
    for k in range(3):
        l.call(631, f64(0) + u32(0) + arr([value_id(n("Tank.Level", 2))]), arr([dv(var(11, f64(k)))]) + arr([]))
    # the beginning of a message is lost: its last chunk is no message
    l = Link(trace, 50005).hello().open().session()
    l.ask(631, f64(0) + u32(0) + arr([value_id(n("Tank.Level", 2))]))
    lost = l.chunk(1, n(634) + l.result() + u32(1) + dv(var(12, s("x" * 3000)))[:1500], final="C")
    l.c.skip(False, len(lost))
    l.send(1, l.chunk(1, b"x" * 1500 + arr([])))
    l.call(631, f64(0) + u32(0) + arr([value_id(n(2259))]), arr([dv(var(6, u32(0)))]) + arr([]))
    # two requests in one segment, the answers in the other order
    first = l.chunk(0, n(631) + l.header() + f64(0) + u32(0) + arr([value_id(n(2258))]), request=2001)
    second = l.chunk(0, n(631) + l.header() + f64(0) + u32(0) + arr([value_id(n(2259))]), request=2002)
    frame = l.tell(0, first + second, 631)
    trace.expect(frame, "opcua", 631)
    l.answer(634, arr([dv(var(6, u32(0)))]) + arr([]), request=2002)
    l.answer(634, arr([dv(var(13, t()))]) + arr([]), request=2001)
    l.tell(1, pack("ERR", u32(0x80AC0000) + s(None)), "ERR")
    l.c.close()
    trace.save()


def security(path):
    """Endpoints and log-ons without protection, signed and encrypted channels, renewals, old, unknown and expired tokens."""
    trace = Trace(path)
    cert, old = certificate("Tyto PLC"), certificate("Old PLC", until="240101000000Z")
    l = Link(trace).hello().open()
    l.call(428, s("opc.tcp://10.40.0.20:4840") + arr([]) + arr([]),
           arr([endpoint(), endpoint("Basic256Sha256", 2, (1,), cert), endpoint("Basic256Sha256", 3, (1, 2), cert), endpoint("Basic256", 3, (3,), cert)]))
    l.session("operator", b"secret-17", None, [endpoint()])
    l.call(673, arr([value_id(n("Valve", 2))[:-6] + dv(var(1, u8(1)))]), arr([u32(GOOD)]) + arr([]))
    l.end()
    l = Link(trace, 50001)
    l.channel = 8
    l.hello().open(lifetime=60000).session()
    read = f64(0) + u32(0) + arr([value_id(n(2259))]), arr([dv(var(6, u32(0)))]) + arr([])
    trace.wait(45)
    l.open(renew=True, lifetime=60000)
    l.ask(631, read[0], token=1)  # the old token still holds
    l.answer(634, read[1], token=1)
    l.call(631, *read)
    l.ask(631, read[0], token=9)
    l.answer(634, read[1])
    trace.wait(120)
    l.call(631, *read)
    l.ask(631, read[0], channel=99)
    l.answer(634, read[1])
    l.end()
    for port, policy, mode, mine in ((50002, "Basic256Sha256", "sign", cert), (50003, "Aes256_Sha256_RsaPss", "encrypt", cert),
                                     (50004, "Basic256", "encrypt", old), (50005, "Vendor_Own", "encrypt", None)):
        l = Link(trace, port, policy=policy, seed=port)
        l.channel = port
        l.hello().open(cert=mine)
        l.mode = mode
        if mode == "sign":
            l.session("engineer", b"readable", None, cert=cert)
            l.call(631, *read)
            l.open(renew=True, cert=mine)
            l.call(631, *read)
            l.end()
            continue
        expected = len(trace.expected)
        l.session("operator", b"hidden")
        for _ in range(3):
            l.call(631, *read)
        l.send(0, l.chunk(0, b"", final="C"))
        l.send(0, l.chunk(0, b""))
        l.end()
        del trace.expected[expected:]
    # wrong password, then a certificate, an issued token, and one of nobody's
    l = Link(trace, 50006).hello().open().session("operator", b"guess", None, status=BAD_DENIED)
    for token in (ext(327, s("x509") + s(cert)), ext(940, s("jwt") + s(b"abc.def.ghi") + s(None)), ext(0x7777, b"\0"), NULL_EXT):
        l.call(467, s(None) + s(None) + arr([]) + arr([]) + token + s(None) + s(None), s(None) + arr([]) + arr([]))
    l.end()
    trace.save()


def anomalies(path):
    """What breaks the standard, one by one, each on a connection that is right otherwise."""
    trace = Trace(path)
    read = f64(0) + u32(0) + arr([value_id(n(2259))])
    good = arr([dv(var(6, u32(0)))]) + arr([])
    port = 50100

    def link(**kw):
        nonlocal port
        port += 1
        return Link(trace, port).hello(**kw).open().session()

    l = link()
    l.ask(631, read + b"\0\0")  # bytes behind
    l.answer(634, good + b"rest")
    l.ask(631, f64(0) + u32(0) + u32(5))  # an array without its elements
    l.answer(634, u32(1) + b"\x01\x3f")  # a type that is none
    l.ask(631, f64(0) + u32(0) + arr([b"\x07" + bytes(20)]))  # a NodeId that is none
    l.answer(634, good, handle=1)
    l.ask(4711)
    l.answer(4712)
    l.request += 1
    l.send(0, l.chunk(0, n("Own", 3) + l.header()))
    deep = var(6, u32(1))
    for _ in range(20):
        deep = var(24, deep, array=True)
    l.ask(673, arr([value_id(n("Deep", 2))[:-6] + dv(deep)]))
    inner = diag("end")
    for _ in range(200):
        inner = diag("more", inner)
    l.answer(676, arr([u32(GOOD)]) + arr([inner]))
    l.end()
    l = link()
    l.tell(1, l.chunk(1, n(631) + l.header() + read, request=70), 631)  # the server asks
    l.tell(0, l.chunk(0, n(634) + l.result() + good, request=70), 634)
    l.seq[0] += 5  # chunks are missing
    l.call(631, read, good)
    l.seq[1] -= 1  # one comes twice
    l.call(631, read, good)
    l.tell(0, l.chunk(0, n(452) + l.header(), "CLO", final="C"), 452)
    l.c.close()
    l = link(size=8192, message=9000, chunks=2)
    big = arr([value_id(n("B", 2))[:-6] + dv(var(15, s(bytes(8300))))])
    l.ask(673, big)  # larger than a chunk may be
    l.answer(676, arr([u32(GOOD)]) + arr([]))
    body = n(673) + l.header() + arr([value_id(n("B", 2))[:-6] + dv(var(15, s(bytes(9500))))])
    l.request += 1
    for k in range(3):
        l.send(0, l.chunk(0, body[k * 3000:k * 3000 + 3000], final="C"))
    l.tell(0, l.chunk(0, body[9000:]), 673)
    l.answer(676, arr([u32(GOOD)]) + arr([]))
    l.hello()  # a second one
    l.c.close()
    for bad in (u32(0) + u32(100) * 2 + u32(0) * 2 + s("opc.tcp://x"), u32(0) + u32(65536) * 2 + u32(0) * 2 + u32(400) + b"opc.tcp://x"):
        port += 1
        l = Link(trace, port)
        l.tell(0, pack("HEL", bad), "HEL")
        l.tell(1, pack("ERR", u32(BAD_TCP_LARGE) + s("no") + b"!"), "ERR")
        l.c.close()
    port += 1
    l = Link(trace, port).hello()
    l.send(0, pack("OPN", u32(0) + s(POLICY + "None") + s(None) + u32(9999) + bytes(40)))  # a length beyond the chunk
    l.send(0, pack("OPN", u32(0) + s(POLICY + "Basic256Sha256") + s(b"\x30\x03\x02\x01\x05") + s(None) + bytes(range(200))))
    l.tell(0, pack("OPN", u32(0) + s(POLICY + "Basic256Sha256") + s(None) + s(None) + u32(1) + u32(1) + n(446) + l.header() + u32(0) * 2 +
                   u32(3) + s(None) + u32(1000)), 446)  # not encrypted
    l.c.close()
    trace.save()


def not_opcua(path):
    """Something else on the port, and text that looks like it on another one."""
    trace = Trace(path)
    c = trace.tcp(CLIENT, 50000, SERVER, PORT)
    c.to_server(b"GET / HTTP/1.1\r\nHost: 10.40.0.20:4840\r\n\r\n")
    c.to_client(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    c.close()
    c = trace.tcp(CLIENT, 50001, SERVER, 9999)
    for text in (b"HELO client.example\r\n", b"HELF help me with this, please\r\n", b"MSGF" + bytes(4) + b"x" * 40, b"ERRF no\r\n" * 4):
        c.to_server(text)
        c.to_client(b"ACKF" + text[::-1])
    c.close()
    trace.save()


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../opcua")
    for make in (values, services, subscriptions, chunks, transport, security, anomalies, not_opcua):
        make(os.path.join(out, make.__name__ + ".pcap"))


if __name__ == "__main__":
    main()
