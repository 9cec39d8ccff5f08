#!/usr/bin/env python3
"""Builds captures of PROFINET DCP, judged by IEC 61158-6-10 4.3.

  pn_dcp.py [DIR]        writes DIR/*.pcap and DIR/*.messages.tsv (default: ../pn_dcp beside this script)
"""
import os
import socket
import struct
import sys

from wire import Trace, mac

PROFINET, ALL, HELLO_GROUP = 0x8892, "01:0e:cf:00:00:00", "01:0e:cf:00:00:01"
STATION, PLC, LAPTOP = "00:1b:1b:00:01:10", "00:1b:1b:08:06:93", "00:0c:29:ba:09:ea"
GET, SET, IDENTIFY, HELLO = 3, 4, 5, 6
FRAME = {(GET, 0): 0xFEFD, (GET, 1): 0xFEFD, (GET, 5): 0xFEFD, (SET, 0): 0xFEFD, (SET, 1): 0xFEFD, (SET, 5): 0xFEFD,
         (IDENTIFY, 0): 0xFEFE, (IDENTIFY, 1): 0xFEFF, (HELLO, 0): 0xFEFC}
NAME, TYPE, DEVICE, ROLE, OPTIONS, ALIAS, INSTANCE, OEM = ((2, n) for n in (2, 1, 3, 4, 5, 6, 7, 8))
MAC, IP, SUITE, SIGNAL, RESPONSE, FACTORY, RESET = (1, 1), (1, 2), (1, 3), (5, 3), (5, 4), (5, 5), (5, 6)


def block(code, value=b"", info=None):
    body = (b"" if info is None else struct.pack(">H", info)) + value
    return bytes(code) + struct.pack(">H", len(body)) + body + b"\0" * (len(body) % 2)


def ip(address, mask="255.255.255.0", gateway="0.0.0.0"):
    return b"".join(socket.inet_aton(a) for a in (address, mask, gateway))


def pdu(service, kind, xid, data, delay=0, frame_id=None, length=None):
    head = struct.pack(">HBBIHH", FRAME.get((service, kind), 0xFEFD) if frame_id is None else frame_id, service, kind, xid, delay,
                       len(data) if length is None else length)
    return head + data


def send(t, src, dst, service, kind, xid, data=b"", optional=0, **k):
    n = t.eth(dst, src, PROFINET, pdu(service, kind, xid, data, **k))
    t.expect(n, "pn_dcp", f"{service}:{kind}", optional)
    t.wait(0.005)
    return n


def result(*codes, error=0):
    return b"".join(block(RESPONSE, bytes(c) + bytes([error])) for c in codes)


def about(name, kind, vendor, device, role, address, state=1):
    return (block(OPTIONS, bytes((1, 1, 1, 2, 2, 1, 2, 2, 2, 3, 2, 4, 2, 5, 5, 3, 5, 5, 255, 255)), 0) + block(TYPE, kind, 0)
            + block(NAME, name, 0) + block(DEVICE, struct.pack(">HH", vendor, device), 0) + block(ROLE, bytes([role, 0]), 0)
            + block(INSTANCE, b"\0\1", 0) + block(OEM, struct.pack(">HH", 0x2A, 0x313), 0) + block(IP, ip(address), state))


DEVICES = [(PLC, b"plc-press-3", b"S7-1500", 0x2A, 0x010D, 2, "10.40.0.21"), ("00:30:11:00:00:31", b"drive-1", b"SINAMICS-G120", 0x2A, 0x0501, 1, "10.40.0.31"),
           ("00:a0:45:00:00:32", b"io-4.line-2", b"AXL F BK PN", 0xB0, 0x0142, 1, "10.40.0.32")]


def identify(path):
    """Who is there? All answer; who is called so, who has this alias; one asked alone; Hello; an address conflict."""
    t = Trace(path)
    send(t, STATION, ALL, IDENTIFY, 0, 0x01000001, block((255, 255)), delay=192)
    for d in DEVICES:
        send(t, d[0], STATION, IDENTIFY, 1, 0x01000001, about(*d[1:]))
    t.wait(1)
    for k, d in enumerate(DEVICES):
        send(t, PLC, ALL, IDENTIFY, 0, 0x02000000 + k, block(NAME, d[1]), delay=1)
        if k:
            send(t, d[0], PLC, IDENTIFY, 1, 0x02000000 + k, about(*d[1:]))
    send(t, PLC, ALL, IDENTIFY, 0, 0x02000010, block(ALIAS, b"port-001.drive-1"), delay=1)
    send(t, STATION, PLC, IDENTIFY, 0, 0x01000002, block((255, 255)))
    send(t, PLC, STATION, IDENTIFY, 1, 0x01000002, about(*DEVICES[0][1:]))
    d = DEVICES[1]
    send(t, d[0], HELLO_GROUP, HELLO, 0, 0x03000001, block(NAME, d[1], 0) + block(IP, ip(d[6]), 1) + block(DEVICE, struct.pack(">HH", 0x2A, 0x501), 0)
         + block((6, 1), b"\0\1", 0))
    send(t, d[0], STATION, IDENTIFY, 1, 0x01000009, about(*d[1:], state=0x81))
    t.save()


def configure(path):
    """Commissioning: name and address are set, read back, the LED flashes, DHCP; refused ones; reset to factory."""
    t = Trace(path)
    dev, xid = "00:30:11:00:00:40", [0x04000000]

    def ask(service, data, answer, kind=1):
        xid[0] += 1
        send(t, STATION, dev, service, 0, xid[0], data)
        if answer is not None:
            send(t, dev, STATION, service, kind, xid[0], answer)
        t.wait(0.5)

    ask(SET, block(NAME, b"drive-2", 1), result(NAME))
    ask(SET, block(IP, ip("10.40.0.40"), 1), result(IP))
    ask(SET, block(SUITE, ip("10.40.0.40", gateway="10.40.0.1") + socket.inet_aton("10.40.0.5") + bytes(12), 0), result(SUITE))
    ask(GET, bytes(NAME + IP + MAC), block(NAME, b"drive-2", 0) + block(IP, ip("10.40.0.40"), 1) + block(MAC, mac(dev), 0))
    ask(GET, bytes((7, 1)), b"", 5)
    for _ in range(3):
        ask(SET, block(SIGNAL, b"\1\0", 0), result(SIGNAL))
    ask(SET, block((5, 1), b"", 0) + block(NAME, b"a", 1) + block(IP, ip("10.40.0.41"), 1) + block((5, 2), b"", 0), result(NAME, IP))
    ask(SET, block((3, 61), b"\1" + mac(dev), 1) + block((3, 255), b"\2", 1), result((3, 61), (3, 255)))
    ask(SET, block((6, 1), b"\0\1", 1), result((6, 1)))
    ask(SET, block(NAME, b"drive-3", 1), result(NAME, error=6))         # in operation
    ask(SET, block(SUITE, ip("10.40.0.9") + bytes(16), 1), result(SUITE, error=2))
    ask(SET, block(NAME, b"x", 1), b"", 5)
    ask(SET, block(RESET, b"", 4), result(RESET))
    ask(SET, block(FACTORY, b"", 0), None)                              # gone before it answers
    t.wait(12)
    ask(GET, bytes(NAME), None)
    t.save()


def attacks(path):
    """A laptop takes the name of a device from it, gives another its address, takes the address away, resets; again and again."""
    t = Trace(path)
    plc, drive = DEVICES[0][0], DEVICES[1][0]
    send(t, LAPTOP, ALL, IDENTIFY, 0, 0x01000001, block((255, 255)), delay=1)
    for d in DEVICES:
        send(t, d[0], LAPTOP, IDENTIFY, 1, 0x01000001, about(*d[1:]))
    for k, (dst, data, code) in enumerate((
            (drive, block(NAME, b"", 1), NAME), (drive, block(IP, ip("10.40.0.21"), 0), IP),
            (plc, block(IP, ip("0.0.0.0", "0.0.0.0"), 0), IP), (plc, block(RESET, b"", 8), RESET), (drive, block(NAME, b"Bad_Name!", 1), NAME))):
        send(t, LAPTOP, dst, SET, 0, 0x01000100 + k, data)
        send(t, dst, LAPTOP, SET, 1, 0x01000100 + k, result(code))
    for k in range(30):
        send(t, LAPTOP, drive, SET, 0, 0x01000200 + k, block(IP, ip(f"10.40.0.{100 + k}"), 0))
        send(t, drive, LAPTOP, SET, 1, 0x01000200 + k, result(IP))
    send(t, LAPTOP, STATION, IDENTIFY, 1, 0x01000300, about(b"plc-press-3", b"S7-1500", 0x2A, 0x010D, 2, "10.40.0.66"))
    t.save()


def beside_rt(path):
    """Cyclic data between the same two devices before, between and behind: the EtherType is shared, the flow is one."""
    t = Trace(path)
    xid = 0x05000000
    for k in range(300):
        t.eth(PLC, STATION, PROFINET, struct.pack(">H", 0x8001) + bytes(40) + struct.pack(">HBB", k, 0x35, 0))
        t.eth(STATION, PLC, PROFINET, struct.pack(">H", 0x8002) + bytes(40) + struct.pack(">HBB", k, 0x35, 0))
        if k % 100 == 99:
            xid += 1
            send(t, STATION, PLC, SET, 0, xid, block(SIGNAL, b"\1\0", 0))
            send(t, PLC, STATION, SET, 1, xid, result(SIGNAL))
    t.eth(PLC, STATION, PROFINET, b"\xfc\x01" + bytes(44))              # an alarm
    t.save()


def broken(path):
    """What breaks the standard, one by one; the same frame twice."""
    t = Trace(path, step=0.0001)
    send(t, STATION, PLC, SET, 0, 1, block(NAME, b"a", 1), frame_id=0xFEFE)
    send(t, PLC, STATION, SET, 1, 1, result(NAME))
    send(t, STATION, PLC, GET, 0, 2, b"\2\2\1")
    send(t, PLC, STATION, GET, 1, 2, block(NAME, b"a", 0)[:-2] + b"")
    for data in (block(IP, b"\1\2\3", 1), block(NAME, b"", None), bytes(NAME) + b"\0\x50", block((9, 9), b"\1\2", 0), block((2, 200), b"", 0),
                 block(DEVICE, b"\0", 0), bytes(RESPONSE) + b"\0\1\2"):
        t.wait(0.1)
        send(t, STATION, PLC, SET, 0, 3, data)
    send(t, PLC, STATION, SET, 1, 4, block(RESPONSE, b"\2"))
    for _ in range(2):
        t.eth(PLC, STATION, PROFINET, pdu(SET, 0, 5, block(SIGNAL, b"\1\0", 0)))
        t.expect(t.n, "pn_dcp", "4:0", 1 if _ else 0)
    send(t, PLC, STATION, SET, 1, 5, result(SIGNAL))
    send(t, STATION, PLC, IDENTIFY, 0, 6, block(NAME, b"abc"), length=300, optional=1)
    for service, kind in ((1, 0), (GET, 2), (IDENTIFY, 5), (9, 9)):
        t.wait(0.1)
        t.eth(PLC, STATION, PROFINET, pdu(service, kind, 7, b"", frame_id=0xFEFD))
    t.frame(mac(PLC) + mac(STATION) + b"\x88\x92\xfe\xfd\4\0")          # too short for a header
    t.save()


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pn_dcp")
    for build in (identify, configure, attacks, beside_rt, broken):
        build(os.path.join(out, build.__name__ + ".pcap"))


if __name__ == "__main__":
    main()
