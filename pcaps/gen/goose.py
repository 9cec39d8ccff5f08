#!/usr/bin/env python3
"""Builds captures of IEC 61850 GOOSE, judged by IEC 61850-8-1 (18.1, annexes A and C), 7-2 (18.2) and TR 61850-90-5.

  goose.py [DIR]         writes DIR/*.pcap and DIR/*.messages.tsv (default: ../goose beside this script)
"""
import os
import struct
import sys

from wire import Trace

START = 1767607872  # 2026-01-05 10:11:12 UTC, where the captures begin
RELAY, RELAY2, STATION = "00:a0:f4:08:2f:77", "00:30:a7:0a:0b:0c", "00:0c:29:61:85:00"
GROUP, GROUP2 = "01:0c:cd:01:00:01", "01:0c:cd:01:00:02"
GOOSE, MANAGEMENT = 0x88B8, 0x88B9


def tlv(tag, body):
    n = len(body)
    return bytes([tag]) + (bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else b"\x82" + struct.pack(">H", n)) + body


def integer(tag, v, signed=False):
    n = 1
    while not (-(1 << 8 * n - 1) <= v < 1 << 8 * n - 1):
        n += 1
    return tlv(tag, v.to_bytes(n, "big", signed=True))


def utc(seconds, quality=0x0A):
    return struct.pack(">I", int(seconds)) + struct.pack(">I", int(seconds % 1 * (1 << 24)))[1:] + bytes([quality])


# Data (ISO 9506-2 14.4.2)
def boolean(v):
    return tlv(0x83, bytes([1 if v else 0]))


def bits(n, v):
    unused = -n % 8
    return tlv(0x84, bytes([unused]) + (v << unused).to_bytes((n + 7) // 8, "big"))


def dbpos(v):
    return bits(2, v)


def quality(v=0):
    return bits(13, v)


def int32(v):
    return integer(0x85, v)


def unsigned(v):
    return integer(0x86, v)


def float32(v):
    return tlv(0x87, b"\x08" + struct.pack(">f", v))


def float64(v):
    return tlv(0x87, b"\x0b" + struct.pack(">d", v))


def time(t=START):
    return tlv(0x91, utc(t))


def structure(*members):
    return tlv(0xA2, b"".join(members))


class Publisher:
    """One control block: st_num, sq_num and t move as 7-2 18.2.3 wants, unless told otherwise."""

    def __init__(self, t, mac=RELAY, group=GROUP, appid=0x1001, ied="E1Q01FP1", conf_rev=1, ttl=2000, values=None, cb="gcb01"):
        self.t, self.mac, self.group, self.appid = t, mac, group, appid
        self.ref, self.dat_set, self.go_id = f"{ied}LD0/LLN0$GO${cb}", f"{ied}LD0/LLN0$ds_{cb}", f"{ied}_{cb}"
        self.conf_rev, self.ttl, self.st, self.sq, self.changed = conf_rev, ttl, 1, 0, START
        self.values = values or [boolean(0), quality(), dbpos(1), quality()]

    def elements(self, **k):
        e = {
            "gocb_ref": tlv(0x80, self.ref.encode()), "ttl": integer(0x81, self.ttl), "dat_set": tlv(0x82, self.dat_set.encode()),
            "go_id": tlv(0x83, self.go_id.encode()), "t": tlv(0x84, utc(self.changed)), "st": integer(0x85, self.st),
            "sq": integer(0x86, self.sq), "simulation": tlv(0x87, b"\0"), "conf_rev": integer(0x88, self.conf_rev),
            "nds_com": tlv(0x89, b"\0"), "entries": integer(0x8A, len(self.values)), "data": tlv(0xAB, b"".join(self.values)),
        }
        e.update(k)
        return e

    def apdu(self, **k):
        return tlv(0x61, b"".join(v for v in self.elements(**k).values() if v is not None))

    def send(self, apdu=None, reserved=0, length=None, trailer=b"", optional=0, appid=None, **k):
        apdu = self.apdu(**k) if apdu is None else apdu
        head = struct.pack(">HHHH", self.appid if appid is None else appid, len(apdu) + 8 if length is None else length, reserved, 0)
        n = self.t.eth(self.group, self.mac, GOOSE, head + apdu + trailer)
        self.t.expect(n, "goose", "goose", optional)
        self.sq += 1
        return n

    def change(self, values):
        self.values = values
        self.st, self.sq, self.changed = self.st + 1, 0, self.t.now / 1_000_000
        self.send()

    def burst(self, *intervals):
        """The repetitions after a change, further and further apart."""
        for s in intervals:
            self.t.wait(s)
            self.send()


def steady(path):
    """A relay that starts, an hour of a message every second, a trip and its reset: what a substation sees all year."""
    t = Trace(path)
    p = Publisher(t)
    q = Publisher(t, RELAY2, GROUP2, 0x1002, "E1Q02FP1", conf_rev=7, ttl=11000,
        values=[boolean(0), quality(), structure(float32(230.5), quality(), time()), int32(-5)])
    p.send()
    q.send()
    for k in range(300):
        t.wait(0.997)
        p.send()
        if k % 2:
            q.send()
    p.change([boolean(1), quality(), dbpos(1), quality()])
    p.burst(0.004, 0.008, 0.016, 0.032)
    p.change([boolean(1), quality(), dbpos(2), quality()])
    p.burst(0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.0)
    p.change([boolean(0), quality(), dbpos(1), quality()])
    p.burst(0.004, 0.008, 0.016, 0.5)
    q.change([boolean(0), quality(), structure(float32(0.25), quality(0x0400), time()), int32(100)])
    q.burst(0.004, 0.5, 1.0)
    t.save()


def values(path):
    """Every kind of Data, nested, with qualities; more members than a record holds."""
    t = Trace(path)
    p = Publisher(t, values=[
        boolean(1), quality(0x1000), dbpos(0), quality(0x0C00), dbpos(3), quality(0x0801), int32(-2147483648), unsigned(4294967295),
        float32(1.5), float64(-2.25), tlv(0x89, b"\x12\x34"), tlv(0x8A, b"text"), tlv(0x90, "ä".encode()), time(),
        tlv(0x8C, struct.pack(">IH", 3600000, 15341)), tlv(0x8C, struct.pack(">I", 3600000)), bits(70, 1 << 69), integer(0x8D, 12),
        structure(structure(float32(1.0), structure(int32(7))), quality(0x2001 >> 1), time()), tlv(0xA1, int32(1) + int32(2)),
        structure(), quality(0x0002)])
    p.send()
    p.burst(0.01, 0.02)
    q = Publisher(t, RELAY2, appid=0x1003, ied="E1Q03", values=[structure(int32(k), quality()) for k in range(100)])
    q.send()
    t.wait(0.5)
    q.change([structure(int32(k + 1), quality()) for k in range(100)])
    t.save()


def attacks(path):
    """What a forger does: a higher state number, a replayed message, other values in the same state, simulation, flooding."""
    t = Trace(path)
    p = Publisher(t)
    for _ in range(5):
        p.send()
        t.wait(0.999)
    old = p.apdu()
    p.change([boolean(1), quality(), dbpos(2), quality()])
    p.burst(0.01, 0.1)
    t.wait(0.2)
    p.send(apdu=old)                              # replayed: the state of a moment ago
    p.sq -= 1
    t.wait(0.2)
    p.send()
    p.send(data=tlv(0xAB, boolean(0) + quality() + dbpos(1) + quality()))  # other values, same state
    p.send()
    t.wait(0.2)
    f = Publisher(t)                              # a forger: the state number far ahead
    f.st, f.sq = 100000, 0
    f.send()
    f.burst(0.001, 0.001)
    t.wait(0.5)
    p.send()                                      # the relay goes on, and nobody listens
    t.wait(0.5)
    p.send(simulation=tlv(0x87, b"\1"), reserved=0x8000)
    p.burst(0.1)
    p.send(simulation=tlv(0x87, b"\1"))           # the header does not say so
    t.wait(0.1)
    p.send()
    t.wait(0.003)
    p.sq -= 1
    p.send()                                      # the same message again, 3 ms later
    t.save()


def faults(path):
    """Restarts, configuration changes, messages lost and late, commissioning, test quality, clocks."""
    t = Trace(path)
    p = Publisher(t)
    for _ in range(3):
        p.send()
        t.wait(0.5)
    p.st, p.sq = 7, 40                            # state changes that the capture missed
    p.send()
    t.wait(0.5)
    p.sq += 5                                     # messages missed
    p.send()
    t.wait(3.0)                                   # later than it said
    p.send()
    t.wait(0.5)
    p.sq = 3                                      # back
    p.send()
    t.wait(1.0)
    p.st, p.sq, p.changed = 1, 0, START + 20      # restarted
    p.send()
    t.wait(0.5)
    p.send()
    p.conf_rev = 2                                # configured anew, with another data set
    p.dat_set += "_new"
    p.values = p.values + [boolean(1)]
    t.wait(0.5)
    p.st, p.sq, p.changed = 1, 0, START + 30
    p.send()
    t.wait(0.5)
    p.values = p.values[:-1]                      # a member less under the same confRev
    p.change(p.values)
    t.wait(0.5)
    p.send(nds_com=tlv(0x89, b"\1"))
    t.wait(0.5)
    p.send(nds_com=tlv(0x89, b"\1"))              # still: told once
    t.wait(0.5)
    p.send(conf_rev=integer(0x88, 0))
    p.send(ttl=integer(0x81, 0), conf_rev=integer(0x88, 0))
    p.change([boolean(1), quality(0x0002), dbpos(2), quality()])  # test
    t.wait(0.5)
    p.st, p.sq = p.st + 1, 0                      # t stays
    p.send(t=tlv(0x84, utc(START + 30, quality=0x60 | 31)))
    p.st, p.sq = 0xFFFFFFFF, 0xFFFFFFFF
    p.send()
    t.wait(0.1)
    p.sq = 1                                      # sqNum 0 is for changes: after the highest comes 1
    p.send()
    p.st, p.sq, p.changed = 1, 0, START + 60
    p.send()
    t.save()


def broken(path):
    """What breaks the standard, one by one."""
    t = Trace(path)
    ok = Publisher(t)
    ok.send()

    def one(**k):
        p = Publisher(t, appid=0x2000 + t.n, ied=f"B{t.n}")
        t.wait(0.1)
        p.send(**k)

    one(gocb_ref=None)
    one(st=None)
    one(entries=None)
    one(data=None)
    one(go_id=None, simulation=None, nds_com=None)  # all three may be left out
    one(entries=integer(0x8A, 9))
    one(t=tlv(0x84, b"\0" * 6))
    one(st=tlv(0x85, b"\1\0\0\0\0"))
    one(dat_set=tlv(0x82, b"a\0b"))
    one(data=tlv(0xAB, tlv(0x88, b"\1") + b"\x30\x00"))
    one(data=tlv(0xAB, tlv(0x83, b"") + tlv(0x87, b"\x09\0\0\0\0") + b"\x85\x05\x01"))
    one(conf_rev=tlv(0x85, b"\2"))
    one(reserved=0x4100)
    one(trailer=b"\x85\x01\0", length=400)
    p = Publisher(t, appid=0x2100, ied="B100")
    n = len(p.apdu()) + 8
    p.send(length=n + 3, trailer=b"\1\2\3")
    t.wait(0.1)
    p.send(length=4)
    t.wait(0.1)
    p.send(reserved=0x0018, trailer=bytes(24))    # with the extension of IEC 62351-6
    t.wait(0.1)
    whole = p.apdu()
    p.send(apdu=whole[:60], optional=1)           # the elements run over the end
    t.wait(0.1)
    p.send(apdu=whole[:1] + b"\x81\xff" + whole[2:], optional=1)
    for junk in (b"\x10\x01", struct.pack(">HHHH", 1, 8, 0, 0), struct.pack(">HHHH", 1, 12, 0, 0) + b"\x62\x02\0\0", b""):
        t.wait(0.1)
        t.eth(GROUP, RELAY, GOOSE, junk)
    t.save()


def copies(path):
    """Two control blocks of one device to one group, VLAN tags, copies of a mirror port, PRP."""
    t = Trace(path, step=0.0001)
    t.vlan = 5
    a, b = Publisher(t, cb="gcb01"), Publisher(t, cb="gcb02", appid=0x1002, values=[int32(1)])
    for k in range(6):
        a.send()
        b.send()
        if k == 2:
            for p in (a, b):
                p.sq -= 1
                p.send()                          # once more within 2 ms, each
        t.wait(0.5)
    t.vlan = None
    c = Publisher(t, RELAY2, GROUP2, 0x1004, "E1Q04", values=[boolean(1)])
    for k in range(3):
        for lan in (0xA, 0xB):
            apdu = c.apdu()
            lsdu = 8 + len(apdu) + 6
            c.send(trailer=struct.pack(">HHH", k, lan << 12 | lsdu, 0x88FB))
            c.sq -= 1
        c.sq += 1
        t.wait(0.5)
    t.save()


def session(apdus, number, version=1, encryption=0, signature=0, key=0, iv=b"", sign=b"", si=0xA1, payload=0x81, simulation=0):
    """IEC TR 61850-90-5 8.2 (version 1), IEC 61850-8-1:2011+A1 (version 2)."""
    body = b"".join(struct.pack(">BBHH", payload, simulation, appid, len(a)) + a for appid, a in apdus)
    head = struct.pack(">IHIH", number, version, START - 600, 30)
    head += (bytes([encryption, signature]) if version == 1 else b"") + struct.pack(">I", key)
    head += b"" if version == 1 else bytes([len(iv)]) + iv
    rest = struct.pack(">I", len(body)) + body + (tlv(0x85, sign) if sign else b"")
    common = struct.pack(">I", len(head) + len(rest)) + head
    return b"\x01\x40" + bytes([si, len(common) + 2, 0x80, len(common) - (4 if version == 1 else 0)]) + common + rest


def routed(path):
    """R-GOOSE: both versions, several APDUs in one session PDU, signed, encrypted, simulated; Sampled Values beside it."""
    t = Trace(path)
    a, b = Publisher(t, ied="WAN1"), Publisher(t, ied="WAN2", appid=0x3002)
    src, group = "10.20.0.7", "239.192.0.1"

    def send(data, n=1, port=52000, function="goose"):
        f = t.udp(src, port, group, 102, data)
        for _ in range(n):
            t.expect(f, "goose", function)
        t.wait(0.5)

    for k in range(4):
        send(session([(a.appid, a.apdu())], k))
        a.sq += 1
    send(session([(a.appid, a.apdu()), (b.appid, b.apdu())], 4), 2)
    send(session([(b.appid, b.apdu(sq=integer(0x86, 1)))] * 3, 5))   # three times the same
    a.sq += 1
    send(session([(a.appid, a.apdu())], 6, signature=3, key=7, sign=bytes(32)))
    send(session([(a.appid, bytes(range(128)))], 7, encryption=2, signature=3, key=7, sign=bytes(32)), 0)
    a.sq += 1
    send(session([(a.appid, a.apdu(simulation=tlv(0x87, b"\1")))], 8, version=2, key=7, simulation=1))
    send(session([(a.appid, bytes(range(64)))], 9, version=2, key=7, iv=bytes(12), sign=bytes(16)), 0)
    send(session([(0x4000, b"\x60\x03\x80\x01\x01")], 10, si=0xA2, payload=0x82), 0)
    short = session([(a.appid, a.apdu())], 11)
    send(short[:20], 0)
    send(short[:-10], 0)
    t.udp(src, 52001, group, 102, b"\x01\x40\xa1")                   # nothing of it
    t.save()


def management(path):
    """GSE management: what is member 3 of this data set? Asked, answered, not supported, not answered."""
    t = Trace(path)

    def send(to_relay, state, body, function, appid=0x4001):
        apdu = tlv(0x60, integer(0x80, state) + body)
        n = t.eth(RELAY if to_relay else STATION, STATION if to_relay else RELAY, MANAGEMENT,
            struct.pack(">HHHH", appid, len(apdu) + 8, 0, 0) + apdu)
        t.expect(n, "goose", function)
        t.wait(0.02)

    ref = tlv(0x1A, b"E1Q01FP1LD0/LLN0$GO$gcb01")
    for tag in (1, 2, 3, 4):
        send(True, tag, tlv(0xA1, tlv(0xA0 | tag, ref + tlv(0x30, integer(0x02, 3)))), f"management:{tag}")
        send(False, tag, tlv(0xA2, tlv(0xA0 | tag, ref + tlv(0x30, tlv(0x1A, b"Pos$stVal")))), f"management:{tag}")
    send(True, 9, tlv(0xA1, tlv(0xA1, ref)), "management:1")
    send(False, 9, tlv(0xA2, tlv(0x80, b"")), "management:0")
    send(True, 10, tlv(0xA1, tlv(0xA1, ref)), "management:1")
    n = t.eth(RELAY, STATION, MANAGEMENT, struct.pack(">HHHH", 1, 13, 0, 0) + b"\x60\x03\x80\x01\x01")  # neither nor
    t.save()


def other(path):
    """Not GOOSE: S7comm's connection request on UDP 102, and text."""
    t = Trace(path)
    for data in (bytes.fromhex("0300001611e00000000100c1020100c2020102c0010a"), b"GET / HTTP/1.1\r\n\r\n", b"\x01\x40\xa1" + bytes(40)):
        for _ in range(3):
            t.udp("10.20.0.8", 52000, "10.20.0.9", 102, data)
    t.save()


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../goose")
    for build in (steady, values, attacks, faults, broken, copies, routed, management, other):
        build(os.path.join(out, build.__name__ + ".pcap"))


if __name__ == "__main__":
    main()
