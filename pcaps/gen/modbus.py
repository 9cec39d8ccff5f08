#!/usr/bin/env python3
"""Builds captures of Modbus dialogues, judged by Modbus Application Protocol V1.1b3, Messaging on TCP/IP V1.0b and
Serial Line
V1.02; UMAS by its public descriptions. Each gets a table of the messages that must be found.

  modbus.py [DIR]        writes DIR/*.pcap and DIR/*.messages.tsv (default: ../modbus beside this script)
"""
import os
import struct
import sys

from wire import Trace

CLIENT, SERVER, GATEWAY = "10.20.0.5", "10.20.0.20", "10.20.0.30"


def crc(b):
    r = 0xFFFF
    for x in b:
        r ^= x
        for _ in range(8):
            r = (r >> 1) ^ (0xA001 if r & 1 else 0)
    return b + struct.pack("<H", r)


class Dialogue:
    """One connection. ask() and answer() send one PDU in a segment and note what must be found."""

    def __init__(self, t, server=SERVER, cport=50000, sport=502, rtu=False, reverse=False):
        self.t, self.rtu, self.tid, self.reverse = t, rtu, 0, reverse
        self.c = t.tcp(CLIENT, cport, server, sport)

    def adu(self, unit, pdu, tid=None, proto=0):
        if self.rtu:
            return crc(bytes([unit]) + pdu)
        return struct.pack(">HHHB", self.tid if tid is None else tid, proto, len(pdu) + 1, unit) + pdu

    def send(self, from_client, data, functions, cut=()):
        side = self.c.to_server if from_client != self.reverse else self.c.to_client
        n = side(data, cut)
        for fn in functions:
            self.t.expect(n, "modbus", fn & 127)
        return n

    def ask(self, unit, pdu, **kw):
        self.tid = (self.tid + 1) & 0xFFFF
        return self.send(True, self.adu(unit, pdu, **kw), [pdu[0]])

    def answer(self, unit, pdu, **kw):
        return self.send(False, self.adu(unit, pdu, **kw), [pdu[0]])

    def both(self, unit, request, response):
        self.ask(unit, request)
        self.answer(unit, response)


def h(text):
    return bytes.fromhex(text.replace(" ", ""))


def functions(path):
    """Every public function, asked and answered as the examples of clause 6 are."""
    t = Trace(path)
    d = Dialogue(t)
    for q, r in [("01 0013 0013", "01 03 cd6b05"), ("02 00c4 0016", "02 03 acdb35"), ("03 006b 0003",
        "03 06 022b 0000 0064"),
                 ("04 0008 0001", "04 02 000a"), ("05 00ac ff00", "05 00ac ff00"), ("06 0001 0003", "06 0001 0003"),
                     ("07", "07 6d"),
                 ("08 0000 a537", "08 0000 a537"), ("0b", "0b ffff 0108"), ("0c", "0c 08 0000 0108 0121 2000"),
                 ("0f 0013 000a 02 cd01", "0f 0013 000a"), ("10 0001 0002 04 000a0102", "10 0001 0002"),
                 ("11", "11 09 2a ff " + b"PLC-7 A".hex()), ("14 0e 06 0004 0001 0002 06 0003 0009 0002",
                     "14 0c 05 06 0dfe0020 05 06 33cd0040"),
                 ("15 0d 06 0004 0007 0003 06af04be100d", "15 0d 06 0004 0007 0003 06af04be100d"),
                     ("16 0004 00f2 0025", "16 0004 00f2 0025"),
                 ("17 0003 0006 000e 0003 06 00ff00ff00ff", "17 0c 00fe0acd00010003000d00ff"), ("18 04de",
                     "18 0006 0002 01b8 1284"),
                 ("2b 0d 01 0203", "2b 0d 01 0203"),
                 ("2b 0e 01 00",
                     "2b 0e 01 81 00 00 03 00 07 " + b"Example".hex() + "01 05 " + b"EX-20".hex() + "02 04 " +
                      b"V2.3".hex()),
                 ("2b 0e 02 03", "2b 0e 02 82 ff 05 02 03 0c " + b"example.test".hex() + "04 04 " + b"Pump".hex()),
                 ("2b 0e 02 05", "2b 0e 02 82 00 00 02 05 06 " + b"Pump 7".hex() + "06 05 " + b"Line3".hex()),
                 ("2b 0e 04 02", "2b 0e 04 82 00 00 01 02 04 " + b"V2.3".hex())]:
        d.both(1, h(q), h(r))
    d.c.close()
    t.save()


def diagnostics(path):
    """All sub-functions of 8: restart and listen-only among them, which no answer follows (6.8.1)."""
    t = Trace(path)
    d = Dialogue(t)
    for sub in [0, 2, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20]:
        d.both(3, struct.pack(">BHH", 8, sub, 0), struct.pack(">BHH", 8, sub,
            sub * 7 if 10 < sub < 20 or sub == 2 else 0))
    d.both(3, h("08 0003 0d00"), h("08 0003 0d00"))
    d.both(3, h("08 0001 0000"), h("08 0001 0000"))
    d.ask(3, h("08 0004 0000"))
    t.wait(2)
    d.ask(3, h("03 0000 0001"))
    t.wait(2)
    d.ask(3, h("08 0001 ff00"))
    t.wait(2)
    d.both(3, h("03 0000 0001"), h("03 02 0001"))
    d.both(3, h("08 0013 0000"), h("88 01"))
    d.both(3, h("08 0005 0000"), h("88 03"))
    d.c.close()
    t.save()


def exceptions(path):
    """Each exception code of clause 7; 5 and 6 are no faults; 10 and 11 come from a gateway."""
    t = Trace(path)
    d = Dialogue(t, GATEWAY)
    for code in [1, 2, 3, 4, 5, 6, 8, 10, 11]:
        d.both(code, h("10 0001 0001 02 0007"), bytes([0x90, code]))
    d.both(9, h("2b 0e 01 00"), h("ab 03"))
    d.c.close()
    t.save()


def gateway(path):
    """Pairing: constant transaction ids, several units and clients, several PDUs a segment, answers out of order,
    split headers."""
    t = Trace(path)
    a, b = Dialogue(t, GATEWAY, 50001), Dialogue(t, GATEWAY, 50002)
    for d in (a, b):
        q = b"".join(d.adu(u, struct.pack(">BHH", 3, u * 16, 1), tid=0) for u in (1, 2, 3, 17))
        d.send(True, q, [3] * 4)
        r = b"".join(d.adu(u, struct.pack(">BBH", 3, 2, u), tid=0) for u in (2, 1, 17, 3))
        d.send(False, r, [3] * 4)
    for i in range(4):
        a.ask(1, struct.pack(">BHH", 4, i, 1), tid=7)
    for i in range(4):
        a.answer(1, struct.pack(">BBH", 4, 2, i), tid=7)
    q = a.adu(1, h("03 0000 0002"), tid=9) + a.adu(1, h("06 0005 0001"), tid=10)
    n = a.c.to_server(q, cut=[3, 9, 15])
    # the first PDU ends in the third segment, the second in the last
    t.expect(n - 1, "modbus", 3)
    t.expect(n, "modbus", 6)
    a.answer(1, h("06 0005 0001"), tid=10)
    a.answer(1, h("03 04 00010002"), tid=9)
    b.ask(0, h("06 0001 0001"))  # unit 0: to all units of the line, nobody answers
    b.ask(0, h("10 0001 0001 02 0001"))
    a.ask(255, h("03 0000 0001"))
    a.answer(255, h("03 02 0001"))
    a.c.close()
    b.c.close()
    t.save()


def rtu(path):
    """RTU frames in TCP on another port and on 502: broadcast, exception, user function, split frames; a device that
    opens the connection."""
    t = Trace(path)
    for cport, sport, reverse in [(50010, 4001, False), (50011, 502, False), (50012, 8899, True)]:
        d = Dialogue(t, GATEWAY, cport, sport, rtu=True, reverse=reverse)
        d.both(1, h("03 0000 000a"), h("03 14") + bytes(range(20)))
        d.both(2, h("04 0000 0002"), h("04 04 00010002"))
        d.both(1, h("05 0001 ff00"), h("05 0001 ff00"))
        d.both(1, h("10 0001 0002 04 00010002"), h("10 0001 0002"))
        d.both(1, h("17 0003 0002 000e 0001 02 00ff"), h("17 04 00fe0acd"))
        d.both(7, h("03 ffff 0001"), h("83 02"))
        d.ask(0, h("06 0001 0003"))
        d.both(1, h("41 010203"), h("41 0405"))
        d.both(1, h("08 0001 0000"), h("08 0001 0000"))
        d.ask(1, h("08 0004 0000"))
        d.both(4, h("2b 0e 01 00"), h("2b 0e 01 01 00 00 03 00 03 414243 01 02 5831 02 02 5632"))
        q = d.adu(1, h("03 0010 0001"))
        d.send(True, q, [3], cut=[1, 5])
        d.answer(1, h("03 02 0001"))
        d.c.close()
    t.save()


def anomalies(path):
    """What breaks the standard, one by one; what follows must still be found."""
    t = Trace(path)
    d = Dialogue(t)
    for q in ["03 0000 0000", "03 0000 007e", "03 ffff 0002", "01 0000 07d1", "05 0001 1234", "00", "09 01", "5b 00",
        "21 00", "42 00",
              "03 0000 01", "10 0001 0002 05 000a0102", "10 0001 0002 02 000a", "0f 0000 0009 01 ff",
                  "14 07 07 0000 270f 0002",
              "2b 0f 00", "2b 0e 05 00", "08 0004 0001", "83 02", "91 0203"]:
        d.ask(1, h(q))
    d.both(1, h("03 0000 0002"), h("03 02 0001"))
    d.both(1, h("06 0001 0003"), h("06 0001 0004"))
    d.both(1, h("18 04de"), h("18 0006 0005 01b8 1284"))
    d.both(1, h("03 0000 0001"), h("83 63"))
    d.ask(1, h("03 0000 0001"))
    d.answer(9, h("03 02 0001"))
    d.ask(1, h("03 0000 0001"))
    d.answer(1, h("04 02 0001"))
    d.answer(1, h("03 02 0001"), tid=0x7777)
    d.both(1, h("03 0000 0001"), h("03 02 0001"))
    d.c.close()
    t.save()


def umas(path):
    """UMAS: identification, reservation, reading and writing the program, memory and variables, stop, start, a
    refusal, a signed stop."""
    t = Trace(path)
    d = Dialogue(t)
    ident = h("0e30 0b010000 0000 2002 0000 0900 0e0b 01020000 0000 0c") + b"BME P58 1020" + h("01 0101000000004a00")
    project = h("030d0000a29b020000 030d0000a29b020000 0422330b0c03e407 0422330b0c03e407 1300 00 00 08") + b"Project\0"
    state = lambda s: h("028a8c067a73980adab8531400000000be7c2722be7c272203000000000000000000000000000000000000000301"
                        "0000000000000000" "000000010804000100")[:60].ljust(60, b"\0") + bytes([s]) + h("010000fa00")
    sign = lambda inner: h("5a 00 38 01") + bytes(range(32)) + inner

    def u(key, fn, body=b"", reply=b"", ok=True, key_back=None):
        d.both(0, bytes([0x5A, key, fn]) + body, bytes([0x5A, key if key_back is None else key_back,
            0xFE if ok else 0xFD]) + reply)

    u(0, 0x01, h("00"), h("fd03 0006 0000 3200 0000 0000 00"))
    u(0, 0x02, b"", ident)
    u(0, 0x03, h("00"), project)
    u(0, 0x04, b"", state(2))
    u(0, 0x0A, h("00") + b"T" * 40, h("00") + b"T" * 40)
    u(0, 0x10, h("434c0000 0a") + b"ENG-STATIO", h("a7"))
    u(0xA7, 0x12)
    u(0, 0x20, h("00 1300 00000000 0400"), h("00 0400 01020304"))
    u(0, 0x22, h("1bf47323 01 02 2b00 01 0100 a4"), h("0401"))
    u(0xA7, 0x23, h("1bf47323 01 02 2b00 0100 a400 0500"))
    u(0xA7, 0x33, h("00 01 fb00"), h("01 00 00"))
    for block, last in ((1, 0), (2, 1)):
        u(0xA7, 0x34, h("00 01") + struct.pack("<H", block), bytes([last]) + b"\0\0\0" + b"APX" + bytes(60))
    u(0xA7, 0x35, h("00 01 0200"))
    u(0xA7, 0x41, h("ff00"))
    u(0, 0x04, b"", state(1))
    u(0xA7, 0x30, h("00 01"))
    for block in (1, 2):
        u(0xA7, 0x31, h("00 01") + struct.pack("<HH", block, 64) + b"APX" + bytes(61))
    u(0xA7, 0x32, h("00 01 0200"))
    u(0xA7, 0x21, h("00 1300 00000000 0200 beef"))
    u(0x01, 0x40, h("ff00"), h("8180c0c62d0000000000"), ok=False)
    u(0xA7, 0x40, h("ff00"))
    u(0xA7, 0x50, h("15000101"), h("00"))
    u(0xA7, 0x70, h("0100"), h("00"))
    u(0xA7, 0x11)
    d.both(0, sign(h("5a a7 41 ff00")), sign(h("5a a7 fe")).replace(h("5a 00 38"), h("5a a7 fe")))
    d.both(0, h("5a 00 77 01"), h("da 01"))
    d.c.close()
    t.save()


def datagrams(path):
    """Modbus in UDP datagrams."""
    t = Trace(path)
    for i, (q, r) in enumerate([("03 0000 0002", "03 04 00010002"), ("06 0001 0003", "06 0001 0003"), ("11", "91 01")]):
        for src, dst, pdu in ((CLIENT, SERVER, h(q)), (SERVER, CLIENT, h(r))):
            sport, dport = (40000, 502) if src == CLIENT else (502, 40000)
            n = t.udp(src, sport, dst, dport, struct.pack(">HHHB", i, 0, len(pdu) + 1, 1) + pdu)
            t.expect(n, "modbus", pdu[0] & 127)
    t.save()


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../modbus")
    for build in (functions, diagnostics, exceptions, gateway, rtu, anomalies, umas, datagrams):
        build(os.path.join(out, build.__name__ + ".pcap"))


if __name__ == "__main__":
    main()
