#!/usr/bin/env python3
"""mms.py: builds captures of MMS dialogues that are rare in public captures, with what must be found in them.

  mms.py [DIR]      writes DIR/*.pcap and DIR/*.messages.tsv (default: ../mms beside this script)

association  opening with titles and with a password, refusals by ACSE, session and MMS, conclude, abort
services     every confirmed service, unconfirmed services, errors, rejects, cancel
variables    values of all types, structures with quality, alternate access, lists, types, name plates, several in a message
settings     writes by functional constraint: setting groups, configuration, substitution, control blocks
control      select, operate, cancel, termination, refusals with their cause, a value other than the selected one, tests
reports      reports with every option, in segments, with references; overflow; fields that do not fit; TASE.2 reports
files        directory, open, read, close, rename, delete, obtain; download that the device asks for; programs; journal
transport    COTP segments, messages split over and packed into TCP segments, another port, no beginning, lost bytes,
             MMS directly in COTP
malformed    lengths that lie, unknown PDUs and services, counts that do not fit, invoke ids used twice
others       S7comm, S7comm-plus, TLS and another OSI application on port 102; MMS behind TSAPs like those of S7comm
"""
import os
import struct
import sys

from wire import Trace

SCADA, HMI, ENG, IED, IED2, ICC = "10.7.0.10", "10.7.0.11", "10.7.0.20", "10.7.1.1", "10.7.1.2", "10.9.0.1"


# ---- BER ----

def length(n):
    return bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else b"\x82" + struct.pack(">H", n)


def tag(number, constructed, cls=2):
    first = cls << 6 | (0x20 if constructed else 0)
    return bytes([first | number]) if number < 31 else bytes([first | 31, number])


def tlv(number, data, constructed=False, cls=2):
    return tag(number, constructed, cls) + length(len(data)) + data


def ctx(number, *parts):
    return tlv(number, b"".join(parts), True)


def prim(number, data=b""):
    return tlv(number, data.encode() if isinstance(data, str) else data)


def seq(*parts):
    return tlv(16, b"".join(parts), True, 0)


def integer(v):
    n = 1
    while not -(1 << (8 * n - 1)) <= v < 1 << (8 * n - 1):
        n += 1
    return v.to_bytes(n, "big", signed=True)


def num(number, v):
    return prim(number, integer(v))


def uni(number, data):
    return tlv(number, data.encode() if isinstance(data, str) else data, False, 0)


def oid(text):
    arcs = [int(x) for x in text.split(".")]
    out = b""
    for a in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        part = bytes([a & 127])
        while a > 127:
            a >>= 7
            part = bytes([a & 127 | 128]) + part
        out += part
    return uni(6, out)


# ---- Data (ISO 9506-2 14.4.2) ----

def boolean(v):
    return prim(3, b"\x01" if v else b"\0")


def bits(text):
    n = (len(text) + 7) // 8
    return prim(4, bytes([n * 8 - len(text)]) + int(text.ljust(n * 8, "0"), 2).to_bytes(n, "big"))


def i(v):
    return num(5, v)


def u(v):
    return num(6, v)


def f32(v):
    return prim(7, b"\x08" + struct.pack(">f", v))


def f64(v):
    return prim(7, b"\x0b" + struct.pack(">d", v))


def octets(v):
    return prim(9, v)


def vis(v):
    return prim(10, v)


def utc(seconds, quality=0x0A, fraction=0x800000):
    return prim(17, struct.pack(">I", seconds) + fraction.to_bytes(3, "big") + bytes([quality]))


def btime(ms, days=None):
    return prim(12, struct.pack(">I", ms) + (struct.pack(">H", days) if days is not None else b""))


def struct_(*parts):
    return ctx(2, *parts)


def array(*parts):
    return ctx(1, *parts)


NOW = 1767607872
GOOD, BAD, QUESTIONABLE, SUBSTITUTED = "0" * 13, "0100001" + "0" * 6, "11000001" + "0" * 5, "0" * 10 + "100"


# ---- the stack ----

def tpkt(tpdu):
    return struct.pack(">BBH", 3, 0, 4 + len(tpdu)) + tpdu


def dt(data, eot=True):
    return tpkt(b"\x02\xf0" + (b"\x80" if eot else b"\x00") + data)


def cotp(code, called=b"\0\1", calling=b"\0\1"):
    p = b"\xc0\x01\x0a\xc1" + bytes([len(calling)]) + calling + b"\xc2" + bytes([len(called)]) + called
    refs = b"\x00\x00\x00\x05" if code == 0xE0 else b"\x00\x05\x00\x06"
    return tpkt(bytes([6 + len(p), code]) + refs + b"\x00" + p)


def pdv(context, data):
    return tlv(1, seq(num_u(context), ctx(0, data)), True, 1)


def num_u(v):
    return uni(2, integer(v))


def data_spdu(mms, context=3):
    return b"\x01\0\x01\0" + pdv(context, mms)


def session(si, user, params=b""):
    def pi(code, v):
        return bytes([code]) + (bytes([len(v)]) if len(v) < 255 else b"\xff" + struct.pack(">H", len(v))) + v
    body = params + pi(0xC1, user)
    return bytes([si]) + (bytes([len(body)]) if len(body) < 255 else b"\xff" + struct.pack(">H", len(body))) + body


CONNECT_ITEM = bytes.fromhex("0506130100160102" "14020002" "33020001" "34020001")


def cp(user, mms_oid="1.0.9506.2.1"):
    contexts = ctx(4, seq(num_u(1), oid("2.2.1.0.1"), seq(oid("2.1.1"))), seq(num_u(3), oid(mms_oid), seq(oid("2.1.1"))))
    normal = ctx(2, prim(1, b"\0\0\0\1"), prim(2, b"\0\0\0\1"), contexts, prim(8, b"\x06\0"), user)
    return tlv(17, ctx(0, num(0, 1)) + normal, True, 0)


def cpa(user):
    result = seq(num(0, 0), prim(1, b"\x51\x01"))
    return tlv(17, ctx(0, num(0, 1)) + ctx(2, prim(3, b"\0\0\0\1"), ctx(5, result, result), user), True, 0)


def external(mms):
    return ctx(30, tlv(8, oid("2.1.1") + num_u(3) + ctx(0, mms), True, 0))


def aarq(mms, title="1.3.9999.7", qualifier=12, auth=b"", context="1.0.9506.2.3"):
    body = prim(0, b"\x07\x80") + ctx(1, oid(context)) + ctx(2, oid("1.3.9999.23")) + ctx(3, num_u(23))
    if title:
        body += ctx(6, oid(title)) + ctx(7, num_u(qualifier))
    return tlv(0, body + auth + (external(mms) if mms else b""), True, 1)


def aare(mms, result=0, diagnostic=0, source=1, title="1.3.9999.23"):
    body = prim(0, b"\x07\x80") + ctx(1, oid("1.0.9506.2.3")) + ctx(2, num_u(result)) + ctx(3, ctx(source, num_u(diagnostic)))
    if title:
        body += ctx(4, oid(title)) + ctx(5, num_u(23))
    return tlv(1, body + (external(mms) if mms else b""), True, 1)


PASSWORD = prim(10, b"\x07\x80") + prim(11, bytes.fromhex("520301")) + ctx(12, prim(0, "open sesame"))


def initiate(pdu=8, size=65000, calling=5, called=5):
    services = bytes.fromhex("03ee1c00000408000079ef18")
    detail = ctx(4, num(0, 1), prim(1, b"\x05\xf1\0"), prim(2, services))
    return ctx(pdu, num(0, size), num(1, calling), num(2, called), num(3, 10), detail)


def request(ident, service):
    return ctx(0, num_u(ident), service)


def response(ident, service):
    return ctx(1, num_u(ident), service)


def error(ident, cls, code, *more):
    return ctx(2, num(0, ident), ctx(2, ctx(0, num(cls, code)), *more))


def report(spec, *results):
    return ctx(3, ctx(0, spec, ctx(0, *results)))


class Mms:
    """One association: requests and their answers, each with the row that must be found."""

    def __init__(self, t, client=SCADA, server=IED, cport=49300, sport=102, quiet=False, called=b"\0\1", **how):
        self.t, self.ident = t, 0
        self.wrap = data_spdu
        self.c = t.tcp(client, cport, server, sport, handshake=not quiet)
        if quiet:
            return
        self.c.to_server(cotp(0xE0, called))
        self.c.to_client(cotp(0xD0, called))
        self.open(**how)

    def open(self, auth=b"", mms=None, **how):
        offer, answer = initiate(), initiate(9, **how)
        self.put(True, session(13, cp(pdv(1, aarq(mms or offer, auth=auth))), CONNECT_ITEM), "8")
        self.put(False, session(14, cpa(pdv(1, aare(answer))), CONNECT_ITEM[:12]), "9")

    def put(self, from_client, tsdu, fn, **how):
        n = (self.c.to_server if from_client else self.c.to_client)(dt(tsdu), **how)
        if fn is not None:
            self.t.expect(n, "mms", fn)
        return n

    def send(self, from_client, mms, fn, **how):
        return self.put(from_client, self.wrap(mms), fn, **how)

    def next(self):
        self.ident += 1
        return self.ident

    def ask(self, service, ident=None, by_server=False):
        number = service_number(service)
        ident = self.next() if ident is None else ident
        self.send(not by_server, request(ident, service), f"0:{number}")
        return ident

    def tell(self, ident, service, by_client=False):
        self.send(by_client, response(ident, service), f"1:{service_number(service)}")

    def call(self, service, answer, by_server=False):
        self.tell(self.ask(service, by_server=by_server), answer, by_client=by_server)

    def fail(self, service, cls, code, *more):
        self.send(False, error(self.ask(service), cls, code, *more), "2")

    def report(self, spec, *results):
        self.send(False, report(spec, *results), "3:0")

    def read(self, *names_values):
        names, values = zip(*names_values)
        self.call(read(*names), results(*values))

    def write(self, name, data, answer=b"\x81\0"):
        self.call(write((name, data)), ctx(5, answer))

    def conclude(self):
        self.send(True, prim(11), "11")
        self.send(False, prim(12), "12")
        self.c.close()


def service_number(service):
    return service[1] if service[0] & 31 == 31 else service[0] & 31


def name(text):
    """domain/item, /item of the VMD, @item of the association."""
    if text.startswith("/"):
        return prim(0, text[1:])
    if text.startswith("@"):
        return prim(2, text[1:])
    domain, item = text.split("/", 1)
    return ctx(1, uni(26, domain), uni(26, item))


def variables(*names):
    return ctx(0, *[seq(ctx(0, name(n)) if isinstance(n, str) else n) for n in names])


def read(*names, with_spec=False):
    return ctx(4, prim(0, b"\xff") if with_spec else b"", ctx(1, variables(*names)))


def results(*values):
    return ctx(4, ctx(1, *values))


def denied(code):
    return num(0, code)


def write(*pairs):
    return ctx(5, variables(*[p[0] for p in pairs]), ctx(0, *[p[1] for p in pairs]))


def file_name(*parts):
    return b"".join(uni(25, p) for p in parts)


# ---- captures ----

def cap_association(t):
    s = Mms(t)
    s.call(prim(2), ctx(2, prim(0, "Falcon Relays"), prim(1, "FR-21"), prim(2, "V5.10.2"), ctx(3, oid("1.0.9506.2.1"))))
    s.conclude()
    s = Mms(t, ENG, cport=49301, auth=PASSWORD)
    s.call(prim(0, b"\xff"), ctx(0, num(0, 0), num(1, 0)))
    s.put(True, session(25, tlv(0, pdv(1, tlv(4, num(0, 0), True, 1)), True), b"\x11\x01\x02"), None)
    s.c.close()
    # refused: by the service user, by its provider, by session, by MMS, by COTP
    for result, diagnostic, source in ((1, 13, 1), (2, 1, 2)):
        s = Mms(t, ENG, quiet=True, cport=49310 + result)
        s.c.to_server(cotp(0xE0))
        s.c.to_client(cotp(0xD0))
        s.put(True, session(13, cp(pdv(1, aarq(initiate(), title=None))), CONNECT_ITEM), "8")
        s.put(False, session(14, cpa(pdv(1, aare(b"", result, diagnostic, source, None))), CONNECT_ITEM[:12]), None)
        s.c.close()
    s = Mms(t, ENG, quiet=True, cport=49313)
    s.c.to_server(cotp(0xE0))
    s.c.to_client(cotp(0xD0))
    s.put(True, session(13, cp(pdv(1, aarq(initiate()))), CONNECT_ITEM), "8")
    s.put(False, bytes([12, 3, 50, 1, 2]), None)
    s.c.close()
    s = Mms(t, ENG, quiet=True, cport=49314)
    s.c.to_server(cotp(0xE0))
    s.c.to_client(cotp(0xD0))
    s.put(True, session(13, cp(pdv(1, aarq(initiate()))), CONNECT_ITEM), "8")
    s.put(False, session(14, cpa(pdv(1, aare(ctx(10, ctx(0, num(8, 5)))))), CONNECT_ITEM[:12]), "10")
    s.c.close()
    c = t.tcp(ENG, 49315, IED, 102)
    c.to_server(cotp(0xE0))
    c.to_client(tpkt(b"\x06\x80\x00\x05\x00\x00\x03"))
    c.close()
    # conclude that is refused, then a release in session and ACSE
    s = Mms(t, HMI, cport=49316)
    s.ask(read("Relay1LD0/LLN0$ST$Health$stVal"))
    s.send(True, prim(11), "11")
    s.send(False, ctx(13, ctx(0, num(9, 1))), "13")
    s.tell(1, results(i(1)))
    s.put(True, session(9, pdv(1, tlv(2, num(0, 0), True, 1))), None)
    s.put(False, session(10, pdv(1, tlv(3, num(0, 0), True, 1))), None)
    s.c.close()


def bodies():
    """(request, response) of each confirmed service that has a plain form."""
    n = name("Relay1LD0/Thing")
    one = ctx(0, n)
    named = prim(0, "PROG1")
    yield prim(0, b"\0"), ctx(0, num(0, 1), num(1, 1), prim(2, b"\x05\xe0"))
    yield (ctx(1, ctx(0, num(0, 9)), ctx(1, prim(0)), prim(2, "Relay1LD0")),
           ctx(1, ctx(0, uni(26, "Relay1LD1"), uni(26, "Relay1LD2")), prim(1, b"\0")))
    yield prim(2), ctx(2, prim(0, "Falcon Relays"), prim(1, "FR-21"), prim(2, "V5.10.2"))
    yield ctx(3, ctx(0, num(0, 2)), ctx(1, name("Relay1LD0/Old")), prim(2, "New")), prim(3)
    yield read("Relay1LD0/LLN0$ST$Beh"), results(struct_(i(1), bits(GOOD), utc(NOW)))
    yield write(("Relay1LD0/Thing", i(4))), ctx(5, prim(1))
    yield ctx(6, one), ctx(6, num(0, 0)[:2] + b"\0", ctx(2, num(5, 32)))
    yield ctx(7, one, ctx(1, num(0, 4711)), ctx(2, ctx(2, num(5, 32)))), prim(7)
    yield ctx(8, one, ctx(1)), prim(8)
    yield ctx(9, n), ctx(9, prim(0, b"\0"), ctx(1))
    yield ctx(10, num(0, 0), ctx(1, n)), ctx(10, num(0, 1), num(1, 1))
    yield ctx(11, name("@Mine"), variables("Relay1LD0/LLN0$ST$Beh", "Relay1LD0/XCBR1$ST$Pos")), prim(11)
    yield ctx(12, name("@Mine")), ctx(12, prim(0, b"\xff"), ctx(1, seq(ctx(0, name("Relay1LD0/LLN0$ST$Beh")))))
    yield ctx(13, num(0, 0), ctx(1, name("@Mine"))), ctx(13, num(0, 1), num(1, 1))
    yield ctx(14, n, ctx(2, num(5, 32))), prim(14)
    yield ctx(15, n), ctx(15, prim(0, b"\xff"), ctx(2, num(6, 16)))
    yield ctx(16, num(0, 0), ctx(1, n)), ctx(16, num(0, 1), num(1, 1))
    yield ctx(17, prim(0, "DESK1"), prim(1, b"\xff")), prim(17, "yes")
    yield ctx(18, prim(0, "DESK1"), ctx(1, prim(10, "Check breaker"))), prim(18)
    yield ctx(19, one), ctx(19, prim(0))
    yield ctx(20, one), prim(20)
    yield ctx(21, one, num(1, 1)), prim(21)
    yield ctx(22, n), prim(22)
    yield ctx(23, n), ctx(23, prim(0, b"\0"))
    yield ctx(24, one), ctx(24, ctx(0), prim(1, b"\0"))
    yield ctx(25, one, num(1, 0)), ctx(25, ctx(0), prim(1, b"\0"))
    yield ctx(34, named, ctx(4, file_name("A.BIN"))), prim(34)
    yield ctx(35, named, ctx(1, file_name("A.BIN"))), prim(35)
    yield prim(36, "LOGIC"), prim(36)
    yield prim(37, "LOGIC"), ctx(37, ctx(0), num(1, 2), prim(2, b"\0"), prim(3, b"\0"), ctx(4), num(5, 0))
    yield prim(45, "PROG1"), ctx(45, num(0, 2), ctx(1, uni(26, "LOGIC")), prim(2, b"\0"), prim(3, b"\xff"))
    yield ctx(47, one, num(1, 1)), prim(47)
    yield ctx(48, ctx(0, n)), prim(48, b"\x01")
    yield ctx(49, n), ctx(49, prim(0, b"\0"))
    yield ctx(50, n), ctx(50, num(0, 1))
    yield ctx(51, one, prim(1, b"\0")), prim(51)
    yield ctx(52, one), prim(52)
    yield ctx(53, one), prim(53)
    yield ctx(54, ctx(0, n)), prim(54, b"\x01")
    yield ctx(55, n), ctx(55, prim(0, b"\0"))
    yield ctx(56, n), prim(56, b"\x01")
    yield ctx(57, one), prim(57)
    yield ctx(58, ctx(0, n)), prim(58, b"\x01")
    yield ctx(59, one), ctx(59, num(0, 0))
    yield ctx(60, n), ctx(60, num(0, 0))
    yield ctx(61, ctx(0, n)), ctx(61, ctx(0), prim(1, b"\0"))
    yield ctx(62, one, num(2, 1)), prim(62)
    yield ctx(63), ctx(63, ctx(0), prim(1, b"\0"))
    yield ctx(64), ctx(64, ctx(0), prim(1, b"\0"))
    yield ctx(68, n), ctx(68, num(0, 12), prim(1, b"\0"))
    yield ctx(71, prim(0, "RTU")), ctx(71, ctx(0, uni(26, "RTU2")), prim(1, b"\0"))
    for k in (0, 1, 7, 8, 13):
        yield ctx(78, ctx(k, prim(0, "UNIT1"))), ctx(78, prim(k))
    yield ctx(80, prim(0, "X1")), ctx(80, prim(0, b"\0"))
    yield ctx(81, prim(0, "X1"), ctx(1, i(3))), ctx(81, ctx(0, i(4)))
    yield ctx(82, prim(0, "ACL1")), prim(82)
    yield ctx(83, prim(0, "ACL1")), ctx(83, prim(0, b"\0"))
    yield ctx(84, prim(0, "ACL1")), ctx(84, ctx(0), prim(1, b"\0"))
    yield ctx(85, prim(0, "ACL1")), prim(85)
    yield ctx(86, ctx(0, prim(0)), prim(1, "ACL1")), num(86, 1)


def cap_services(t):
    s = Mms(t, ENG)
    for ask, answer in bodies():
        s.call(ask, answer)
    s.send(False, ctx(3, ctx(1, num(0, 2), num(1, 2), prim(2, b"\x05\xe0"))), "3:1")
    s.send(False, ctx(3, ctx(2, ctx(0, name("Relay1LD0/Trip")), ctx(1, name("Relay1LD0/Cond")), num(2, 1))), "3:2")
    s.fail(ctx(1, ctx(0, num(0, 0)), ctx(1, prim(1, "Nowhere"))), 7, 2)
    s.fail(prim(36, "LOGIC"), 2, 1, num(1, -7), prim(2, "no such domain"))
    s.fail(ctx(76, file_name("SECRET")), 11, 6)
    ident = s.ask(ctx(69, ctx(0, name("Relay1LD0/J"))))
    s.send(False, ctx(4, num(0, ident), num(1, 1)), "4")
    s.send(False, ctx(4, num(5, 0)), "4")
    ident = s.ask(read("Relay1LD0/MMXU1$MX"))
    s.send(True, num(5, ident), "5")
    s.send(False, num(6, ident), "6")
    s.send(False, error(ident, 5, 3), "2")
    s.send(True, num(5, 99), "5")
    s.send(False, ctx(7, num(0, 99), ctx(1, ctx(0, num(10, 1)))), "7")
    s.conclude()


LD = "Relay1LD0/"


def cap_variables(t):
    s = Mms(t)
    s.read((LD + "MMXU1$MX$TotW", struct_(struct_(f32(1250.5)), bits(GOOD), utc(NOW))))
    s.read((LD + "XCBR1$ST$Pos", struct_(bits("10"), bits(QUESTIONABLE), utc(NOW, 0x6A))))
    s.read((LD + "MMXU1$MX$PhV", struct_(*[struct_(struct_(f32(v), f32(a)), bits(q), utc(NOW))
                                           for v, a, q in ((63.5, 0, GOOD), (63.6, -120, BAD), (0, 120, SUBSTITUTED))])))
    s.read((LD + "GGIO1$ST$Ind1$q", bits(BAD)), (LD + "GGIO1$ST$Ind1$t", utc(NOW, 0x20)))
    s.read((LD + "T1", boolean(True)), (LD + "T2", i(-123456)), (LD + "T3", u(4000000000)), (LD + "T4", f64(2.5e-7)),
           (LD + "T5", octets(b"\xde\xad\xbe\xef")), (LD + "T6", vis("closed")), (LD + "T7", prim(11, "20260105101112Z")),
           (LD + "T8", btime(36672000, 15345)), (LD + "T9", btime(36672000)), (LD + "T10", num(13, 1234)),
           (LD + "T11", prim(14, b"\x04\xa0")), (LD + "T12", prim(15, b"\x28\xca\x22\x02\x01")), (LD + "T13", prim(16, "Über".encode())),
           (LD + "T14", array(i(1), i(2), i(3))), (LD + "T15", struct_()), (LD + "T16", bits("1" * 70)))
    s.read((LD + "A", denied(10)), (LD + "B", i(1)), (LD + "C", denied(3)), ("/OnDevice", i(7)), ("@Mine", i(8)))
    element = seq(ctx(0, name(LD + "PTOC1$SP$TmASt$crvPts")), ctx(5, num(2, 3)))
    deep = seq(ctx(0, name(LD + "MHAI1$MX$HA")), ctx(5, ctx(0, num(1, 5)[:0] + prim(0, "phsAHar")[:0] + num(1, 5), prim(1, "mag"))))
    ranged = seq(ctx(0, name(LD + "RDRE1$ST$List")), ctx(5, ctx(3, num(0, 2), num(1, 4))))
    s.call(ctx(4, ctx(1, ctx(0, element, deep, ranged))), results(struct_(f32(1), f32(2)), struct_(f32(0.2)), array(i(1), i(2))))
    s.call(ctx(4, ctx(1, ctx(0, seq(ctx(1, num(0, 40001))), seq(ctx(1, prim(1, "%MW7")))))), results(i(5), i(6)))
    s.call(ctx(4, ctx(1, ctx(1, name(LD + "LLN0$Events")))), results(bits("01"), denied(2), struct_(f32(1.5), bits(GOOD))))
    s.call(read(LD + "LLN0$ST$Health$stVal", with_spec=True),
           ctx(4, ctx(0, variables(LD + "LLN0$ST$Health$stVal")), ctx(1, i(1))))
    s.call(write((LD + "P1", i(1)), (LD + "P2", f32(2.5))), ctx(5, prim(1), num(0, 7)))
    s.call(ctx(5, ctx(1, name(LD + "LLN0$Setpoints")), ctx(0, i(1), i(2))), ctx(5, prim(1), prim(1)))
    kinds = ctx(1, seq(prim(0, "stVal"), ctx(1, num(4, -2))), seq(prim(0, "q"), ctx(1, num(4, -13))), seq(prim(0, "t"), ctx(1, prim(17))))
    s.call(ctx(6, ctx(0, name(LD + "XCBR1$ST$Pos"))), ctx(6, prim(0, b"\0"), ctx(2, ctx(2, kinds))))
    s.read((LD + "LPHD1$DC$PhyNam", struct_(*[vis(x) for x in ("Falcon Relays", "C", "V5.10.2", "FR21-0042", "FR-21", "Bay 4")])))
    s.read((LD + "LLN0$DC$NamPlt$configRev", vis("rev 7")), (LD + "LLN0$DC$NamPlt$swRev", vis("V5.10.2")))
    s.read((LD + "MMXU1$DC$NamPlt", struct_(vis("Falcon Relays"), vis("1"), vis("feeder"))))
    long = [f"{LD}MMXU{k}$MX$TotVAr$instMag$f" for k in range(200)]
    s.call(read(*long), results(*[f32(k) for k in range(200)]))
    s.conclude()
    # TASE.2: indication points of a bilateral table, a device that is selected and operated
    s = Mms(t, ICC, "10.9.0.2", cport=49400)
    s.read(("ICC1/Supported_Features", bits("110010000000")), ("/TASE2_Version", struct_(i(2000), i(8))))
    s.call(ctx(11, name("ICC1/DS_1"), variables("ICC1/LINE_12_MW", "ICC1/CB_12_ST")), prim(11))
    s.write("ICC1/DSTrans1", struct_(name("ICC1/DS_1")[:0] + vis("DS_1"), i(0), i(0), i(30)))
    s.read(("ICC1/CB_12$SBO", vis("CHECKBACK")))
    s.write("ICC1/CB_12", i(2))
    s.conclude()


def cap_settings(t):
    s = Mms(t, ENG)
    writes = (("LLN0$SP$SGCB$ActSG", u(2)), ("LLN0$SP$SGCB$EditSG", u(3)), ("PTOC1$SE$StrVal$setMag$f", f32(1.2)),
              ("LLN0$SP$SGCB$CnfEdit", boolean(True)), ("PTOC1$SP$OpDlTmms$setVal", i(200)), ("GGIO1$CF$SPCSO1$ctlModel", i(4)),
              ("LLN0$DC$NamPlt$d", vis("feeder 12")), ("MMXU1$SV$TotW$subMag$f", f32(0)), ("MMXU1$SV$TotW$subEna", boolean(True)),
              ("XCBR1$BL$Pos$blkEna", boolean(True)), ("LLN0$GO$gcb1$GoEna", boolean(False)), ("LLN0$MS$sv1$SvEna", boolean(False)),
              ("LLN0$US$sv2$SvEna", boolean(False)), ("LLN0$LG$log1$LogEna", boolean(False)), ("LLN0$RP$urcb1$TrgOps", bits("011011")),
              ("LLN0$BR$brcb1$RptEna", boolean(True)), ("LLN0$BR$brcb1$GI", boolean(True)), ("LLN0$BR$brcb1$PurgeBuf", boolean(True)),
              ("LLN0$ST$Beh$stVal", i(1)), ("LLN0$CO$LEDRs$Oper$ctlVal", boolean(True)))
    for n, v in writes:
        s.write(LD + n, v)
    s.call(write((LD + "LLN0$RP$urcb1$RptEna", boolean(True)), (LD + "LLN0$RP$urcb1$GI", boolean(True)),
                 (LD + "PTOC1$SP$OpDlTmms$setVal", i(1))), ctx(5, prim(1), prim(1), num(0, 3)))
    s.write(LD + "PTOC1$SE$StrVal$setMag$f", f32(1.2), denied(2))
    s.conclude()


def oper(value, number, when=NOW, test=False, check="00", origin=(3, b"control centre"), at=None, cancel=False):
    parts = [value] + ([utc(at)] if at else []) + [struct_(i(origin[0]), octets(origin[1])), u(number), utc(when), boolean(test)]
    return struct_(*parts, *([] if cancel else [bits(check)]))


def appl_error(obj, number, cause, err=3):
    return struct_(vis(obj), i(err), struct_(i(3), octets(b"control centre")), u(number), i(cause))


def cap_control(t):
    s = Mms(t)
    cb, sw, tap = LD + "XCBR1$CO$Pos", LD + "CSWI2$CO$Pos", LD + "ATCC1$CO$TapChg"
    # enhanced security with a select: closed, and it ends
    s.write(cb + "$SBOw", oper(boolean(True), 1))
    s.write(cb + "$Oper", oper(boolean(True), 1, check="11"))
    s.report(variables(cb + "$Oper"), oper(boolean(True), 1, check="11"))
    # ... opened, and it fails: the interlock
    s.write(cb + "$SBOw", oper(boolean(False), 2))
    s.write(cb + "$Oper", oper(boolean(False), 2))
    s.report(variables("/LastApplError", cb + "$Oper"), appl_error(cb + "$Oper", 2, 10), oper(boolean(False), 2))
    # selected and given up
    s.write(cb + "$SBOw", oper(boolean(True), 3))
    s.write(cb + "$Cancel", oper(boolean(True), 3, cancel=True))
    # the select is refused, with its cause in front
    ident = s.ask(write((cb + "$SBOw", oper(boolean(True), 4))))
    s.report(variables("/LastApplError"), appl_error(cb + "$SBOw", 4, 19))
    s.tell(ident, ctx(5, denied(3)))
    # operated without a select
    ident = s.ask(write((cb + "$Oper", oper(boolean(True), 5))))
    s.report(variables("/LastApplError"), appl_error(cb + "$Oper", 5, 18))
    s.tell(ident, ctx(5, denied(3)))
    # another value than the one that was selected
    s.write(cb + "$SBOw", oper(boolean(True), 6))
    s.write(cb + "$Oper", oper(boolean(False), 6))
    s.report(variables(cb + "$Oper"), oper(boolean(False), 6))
    # normal security: SBO answers with the reference, or with nothing
    s.read((sw + "$SBO", vis("Relay1LD0/CSWI2$CO$Pos")))
    s.write(sw + "$Oper", oper(boolean(True), 7, origin=(2, b"\x0a\x07\x00\x0a")))
    s.read((sw + "$SBO", vis("")))
    # direct, normal by its model; a step; time-activated; a test; analog set-point as control
    s.read((LD + "GGIO1$CF$SPCSO1$ctlModel", i(1)))
    s.write(LD + "GGIO1$CO$SPCSO1$Oper", oper(boolean(True), 1))
    s.write(tap + "$Oper", oper(bits("10"), 1))
    s.report(variables(tap + "$Oper"), oper(bits("10"), 1))
    s.write(LD + "GGIO1$CO$SPCSO2$Oper", oper(boolean(True), 1, at=NOW + 3600))
    s.write(LD + "GGIO1$CO$SPCSO3$Oper", oper(boolean(True), 1, test=True))
    s.write(LD + "GAPC1$CO$AnOut1$Oper", oper(struct_(f32(42.5)), 1, origin=(4, b"")))
    # the relay is set to test, then to off
    s.write(LD + "LLN0$CO$Mod$Oper", oper(i(3), 1, origin=(7, b"laptop")))
    s.write(LD + "LLN0$CO$Mod$Oper", oper(i(5), 2, origin=(7, b"laptop")))
    t.wait(40)
    # a select that nobody uses; terminations that nobody waits for
    s.write(sw + "$SBOw", oper(boolean(True), 9))
    t.wait(40)
    s.report(variables(sw + "$Oper"), oper(boolean(True), 9))
    s.report(variables("/LastApplError", sw + "$Oper"), appl_error(sw + "$Oper", 9, 16), oper(boolean(True), 9))
    s.report(variables("/LastApplError"), appl_error(sw + "$Oper", 9, 0))
    s.conclude()


RPT = ctx(1, prim(0, "RPT"))


def rpt(ident, opt, members, seq_no=None, when=None, data_set=None, overflow=None, entry=None, rev=None, sub=None, refs=None,
        reasons=None, n=8):
    inc = ["0"] * n
    for k, _ in members:
        inc[k] = "1"
    out = [vis(ident), bits(opt)]
    out += [u(seq_no)] if seq_no is not None else []
    out += [btime(when, 15345)] if when is not None else []
    out += [vis(data_set)] if data_set is not None else []
    out += [boolean(overflow)] if overflow is not None else []
    out += [octets(entry)] if entry is not None else []
    out += [u(rev)] if rev is not None else []
    out += [u(sub[0]), boolean(sub[1])] if sub is not None else []
    out += [bits("".join(inc))]
    out += [vis(r) for r in refs] if refs else []
    out += [v for _, v in members]
    return out + ([bits(r) for r in reasons] if reasons else [])


def cap_reports(t):
    s = Mms(t, HMI)
    pos, mw = struct_(bits("10"), bits(GOOD), utc(NOW)), struct_(struct_(f32(12.5)), bits(QUESTIONABLE), utc(NOW))
    s.write(LD + "LLN0$RP$urcb1$RptEna", boolean(True))
    s.report(RPT, *rpt("Relay1/urcb1", "0" * 10, [(0, pos)]))
    s.report(RPT, *rpt("Relay1/urcb1", "0101100000", [(0, pos), (3, mw)], seq_no=1, data_set="Relay1LD0/LLN0$Events", reasons=["0100000", "0010000"]))
    s.report(RPT, *rpt("Relay1/brcb1", "0111111110", [(0, pos), (5, mw)], seq_no=2, when=36672000, data_set="Relay1LD0/LLN0$Events",
                       overflow=False, entry=bytes(7) + b"\x11", rev=3, refs=[LD + "XCBR1$ST$Pos", LD + "MMXU1$MX$TotW"],
                       reasons=["0000100", "0000100"]))
    s.report(RPT, *rpt("Relay1/brcb1", "0110001100", [(5, mw)], seq_no=3, when=36672000, overflow=True, entry=bytes(7) + b"\x12"))
    for k in range(3):
        s.report(RPT, *rpt("Relay1/brcb2", "0100000001", [(k, i(k))], seq_no=9, sub=(k, k < 2)))
    s.report(RPT, *rpt("Relay1/urcb1", "0001000000", [(0, pos)], reasons=["0000010"]))
    # fields that are not there, values that are missing, one too many
    s.report(RPT, vis("Relay1/urcb1"), bits("0100000000"), vis("no number"), bits("1"), i(1))
    s.report(RPT, *rpt("Relay1/urcb1", "0" * 10, [(0, pos), (1, pos)])[:-1])
    s.report(RPT, *rpt("Relay1/urcb1", "0" * 10, [(0, pos)]), i(5))
    s.report(RPT, i(3))
    s.write(LD + "LLN0$RP$urcb1$RptEna", boolean(False))
    s.report(variables(LD + "LLN0$ST$Health", "/Alarm"), struct_(i(2), bits(GOOD), utc(NOW)), boolean(True))
    s.conclude()
    s = Mms(t, ICC, "10.9.0.2", cport=49401)
    s.report(ctx(1, name("ICC1/DS_1")), vis("DSTrans1"), u(7), f32(87.1), octets(b"\xc0"))
    s.report(variables("ICC1/Transfer_Report_ACK", "ICC1/Transfer_Set_Time_Stamp"), struct_(i(0), i(7)), btime(1000, 15345))
    s.conclude()


def cap_files(t):
    s = Mms(t, ENG)
    entry = lambda n, size: seq(ctx(0, file_name(n)), ctx(1, num(0, size), prim(1, "20260105090000Z")))
    s.call(ctx(77, ctx(0, file_name("COMTRADE"))), ctx(77, ctx(0, seq(entry("FR1.CFG", 900), entry("FR1.DAT", 40000))), prim(1, b"\xff")))
    s.call(ctx(77, ctx(0, file_name("COMTRADE")), ctx(1, file_name("FR1.DAT"))), ctx(77, ctx(0, entry("FR2.CFG", 901)), prim(1, b"\0")))
    s.call(ctx(72, ctx(0, file_name("COMTRADE", "FR1.CFG")), num(1, 0)), ctx(72, num(0, 5), ctx(1, num(0, 900), prim(1, "20260105090000Z"))))
    s.call(num(73, 5), ctx(73, prim(0, bytes(500)), prim(1, b"\xff")))
    s.call(num(73, 5), ctx(73, prim(0, bytes(400)), prim(1, b"\0")))
    s.call(num(74, 5), prim(74))
    s.call(num(73, 9), ctx(73, prim(0, b""), prim(1, b"\0")))
    s.call(ctx(75, ctx(0, file_name("OLD.CID")), ctx(1, file_name("NEW.CID"))), prim(75))
    s.call(ctx(76, file_name("FR1.DAT")), prim(76))
    s.call(ctx(46, ctx(1, file_name("IED.CID")), ctx(2, file_name("ACTIVE.CID"))), prim(46))
    s.fail(ctx(72, ctx(0, file_name("NONE")), num(1, 0)), 11, 7)
    # a domain is loaded: the device asks for its segments and ends it
    s.call(ctx(26, prim(0, "LOGIC"), ctx(1), prim(2, b"\0")), prim(26))
    for more in (True, True, False):
        s.call(prim(27, "LOGIC"), ctx(27, prim(0, bytes(300)), prim(1, b"\xff" if more else b"\0")), by_server=True)
    s.call(ctx(28, prim(0, "LOGIC")), prim(28), by_server=True)
    s.call(ctx(38, prim(0, "PROG1"), ctx(1, uni(26, "LOGIC")), prim(2, b"\xff"), prim(3, b"\0")), prim(38))
    s.call(ctx(40, prim(0, "PROG1"), prim(1, "fast")), prim(40))
    s.call(ctx(41, prim(0, "PROG1")), prim(41))
    s.call(ctx(42, prim(0, "PROG1")), prim(42))
    s.call(ctx(43, prim(0, "PROG1")), prim(43))
    s.call(ctx(44, prim(0, "PROG1")), prim(44))
    s.call(prim(39, "PROG1"), prim(39))
    # and read back
    s.call(prim(29, "LOGIC"), ctx(29, num(0, 3), ctx(1)))
    s.call(num(30, 3), ctx(30, prim(0, bytes(300)), prim(1, b"\xff")))
    s.call(num(30, 3), ctx(30, prim(0, bytes(100)), prim(1, b"\0")))
    s.call(num(31, 3), prim(31))
    s.call(ctx(32, prim(0, "LOGIC"), ctx(1), prim(2, b"\0"), ctx(4, file_name("L.BIN"))), prim(32), by_server=True)
    s.call(ctx(33, prim(0, "LOGIC"), ctx(1, file_name("L.BIN"))), prim(33), by_server=True)
    # the event log is read, and emptied
    journal = ctx(0, name(LD + "LLN0$EventLog"))
    one = seq(prim(0, b"\1"), ctx(1, oid("1.3.1")), ctx(2))
    s.call(ctx(65, journal, ctx(1, prim(0, bytes(6)))), ctx(65, ctx(0, one, one), prim(1, b"\xff")))
    s.call(ctx(66, journal, ctx(1)), prim(66))
    s.call(ctx(69, journal), prim(69))
    s.call(ctx(67, journal), num(67, 12))
    s.call(ctx(70, journal), prim(70))
    s.conclude()


def cap_transport(t):
    s = Mms(t)
    ask, answer = data_spdu(request(1, read(LD + "LLN0$ST$Beh$stVal"))), data_spdu(response(1, results(i(1))))
    s.c.to_server(dt(ask[:1], False))
    s.c.to_server(dt(ask[1:20], False))
    s.put(True, ask[20:], "0:4")
    s.put(False, answer, "1:4", cut=[1, 4, 8, 20])             # one TPKT in five segments
    s.c.to_server(dt(b""))                                       # keep-alive
    two, back = dt(ask) + dt(b"") + dt(ask), dt(answer) + dt(answer)
    n = s.c.to_server(two)                                       # three TPKTs in a segment
    t.expect(n, "mms", "0:4")
    t.expect(n, "mms", "0:4")
    n = s.c.to_client(back)
    t.expect(n, "mms", "1:4")
    t.expect(n, "mms", "1:4")
    s.c.skip(True, len(dt(ask)))                                 # a request that the capture lost
    s.put(False, data_spdu(response(7, results(f32(1.5)))), "1:4")
    s.ident = 9
    s.read((LD + "LLN0$ST$Health$stVal", i(1)))
    big = data_spdu(response(s.ask(read(LD + "MMXU1$MX")), results(struct_(*[f32(k) for k in range(400)]))))
    parts = [big[k:k + 1021] for k in range(0, len(big), 1021)]
    for part in parts[:-1]:
        s.c.to_client(dt(part, False))
    s.put(False, parts[-1], "1:4")
    s.c.to_server(tpkt(b"\x06\x80\x00\x06\x00\x05\x80"))         # disconnect request
    s.c.close()
    # a connection that is older than the capture; two requests open at a time, answered the other way round
    s = Mms(t, HMI, cport=49500, quiet=True)
    a, b = s.ask(read(LD + "X")), s.ask(read(LD + "Y"))
    s.tell(b, results(i(2)))
    s.tell(a, results(i(1)))
    s.report(RPT, *rpt("Relay1/urcb1", "0" * 10, [(0, i(1))]))
    # another port
    s = Mms(t, HMI, IED2, cport=49501, sport=10102)
    s.call(prim(2), ctx(2, prim(0, "Falcon Relays"), prim(1, "FR-21"), prim(2, "V5.10.2")))
    s.conclude()
    # directly in COTP
    s = Mms(t, ENG, IED2, cport=49502, quiet=True)
    s.wrap = lambda mms: mms
    s.c.to_server(cotp(0xE0))
    s.c.to_client(cotp(0xD0))
    s.send(True, initiate(), "8")
    s.send(False, initiate(9), "9")
    s.call(ctx(44, prim(0, "PROG1")), prim(44))
    s.send(True, num(5, 1), "5")
    s.conclude()


def cap_malformed(t):
    s = Mms(t, size=300, calling=2)
    good = lambda: s.read((LD + "X", i(1)))
    good()
    s.c.to_server(dt(b"\x01\0\x01\0" + b"\x61\x7f" + pdv(3, request(2, read(LD + "X")))[2:]))  # a length beyond the end
    s.send(True, ctx(0, read(LD + "X")), None)                   # no invoke id
    s.send(True, ctx(0, num_u(3)), None)                         # no service
    s.send(True, tlv(15, b"", True), None)                       # no such PDU
    s.ask(ctx(79, prim(0, b"\0")))                               # no such service
    s.tell(s.ident, ctx(79))
    s.call(ctx(4, ctx(1)), results())                            # nothing to read
    s.call(read(LD + "A", LD + "B"), results(i(1)))              # an answer too few
    s.call(write((LD + "A", i(1)))[:-3][:1] + length(len(write((LD + "A", i(1)))) - 5) + write((LD + "A", i(1)))[2:-3], ctx(5, prim(1)))
    s.call(read(LD + "A"), results(prim(4, b"\x09\0"), prim(18, b"\0")))  # bits that are none, a type that is none
    s.tell(s.ask(read(LD + "A")), ctx(5, prim(1)))               # another service than was asked
    s.ask(read(LD + "A"), ident=77)
    s.ask(read(LD + "B"), ident=77)                              # the same invoke id
    s.tell(77, results(i(1)))
    s.tell(77, results(i(2)))
    for k in (80, 81, 82):                                       # more than two open
        s.ask(read(LD + "A"), ident=k)
    for k in (80, 81, 82):
        s.tell(k, results(i(k)))
    s.call(read(LD + "Big"), results(octets(bytes(400))))        # larger than agreed
    s.send(True, request(90, read(LD + "A")) + b"\0\1", "0:4")   # bytes behind the PDU
    s.tell(90, results(i(1)))
    nested = i(1)
    for _ in range(30):
        nested = struct_(nested)
    s.call(read(LD + "Deep"), results(nested))
    s.send(False, ctx(3, ctx(0)), "3:0")
    s.send(False, ctx(4), "4")
    s.put(True, b"\x55\xaa\x00", None)                           # another protocol in between
    s.put(True, b"\x0d\x50\xc1\x7f\x31", None)                   # a session PDU that ends early
    s.c.to_server(tpkt(b"\x02\x60\x01"))                         # AK: not in class 0
    good()
    s.conclude()


def cap_others(t):
    # S7comm behind the TSAP that MMS uses, MMS behind one of S7comm's
    c = t.tcp(ENG, 49600, "10.7.2.1", 102)
    c.to_server(cotp(0xE0))
    c.to_client(cotp(0xD0))
    setup = bytes.fromhex("32010000000100080000f0000001000101e0")
    n = c.to_server(dt(setup))
    t.expect(n, "s7comm", "240")
    n = c.to_client(dt(bytes.fromhex("320300000001000800000000f0000001000100f0")))
    t.expect(n, "s7comm", "240")
    c.close()
    s = Mms(t, cport=49601, called=b"\x01\x02")
    s.call(prim(0, b"\0"), ctx(0, num(0, 0), num(1, 0)))
    s.conclude()
    # a connection request that is refused says nothing
    c = t.tcp(ENG, 49602, "10.7.2.2", 102)
    c.to_server(cotp(0xE0))
    c.to_client(tpkt(b"\x06\x80\x00\x05\x00\x00\x03"))
    c.close()
    # another OSI application (X.500: 2.5.9.1) by the same layers
    c = t.tcp(ENG, 49603, "10.7.2.3", 102)
    c.to_server(cotp(0xE0))
    c.to_client(cotp(0xD0))
    c.to_server(dt(session(13, cp(pdv(1, aarq(ctx(16), context="2.5.3.1")), "2.5.9.1"), CONNECT_ITEM)))
    c.to_client(dt(session(14, cpa(pdv(1, tlv(1, prim(0, b"\x07\x80") + ctx(1, oid("2.5.3.1")), True, 1))), CONNECT_ITEM[:12])))
    c.to_server(dt(data_spdu(ctx(1, num_u(1), num_u(2), seq()), 3)))
    c.close()
    for port, first in ((49604, bytes.fromhex("720100080000000000000000720100")),
                        (49605, bytes.fromhex("160301002e0100002a0303") + bytes(36))):
        c = t.tcp(ENG, port, "10.7.2.4", 102)
        c.to_server(cotp(0xE0, b"SIMATIC-ROOT-ES", b"\x06\0"))
        c.to_client(cotp(0xD0, b"SIMATIC-ROOT-ES", b"\x06\0"))
        c.to_server(dt(first))
        c.to_client(dt(first))
        c.close()


CAPTURES = {k[4:]: v for k, v in list(globals().items()) if k.startswith("cap_")}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "mms")
    for k, build in CAPTURES.items():
        t = Trace(os.path.join(out, k + ".pcap"), start=NOW)
        build(t)
        t.save()


if __name__ == "__main__":
    main()
