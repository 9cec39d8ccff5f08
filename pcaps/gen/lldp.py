#!/usr/bin/env python3
"""Builds captures of LLDP, judged by IEEE 802.1AB-2016 (8, 9), 802.1Q annex D, 802.3 79, ANSI/TIA-1057, IEC 61158-6-10.

  lldp.py [DIR]          writes DIR/*.pcap and DIR/*.messages.tsv (default: ../lldp beside this script)
"""
import os
import socket
import struct
import sys

from wire import Trace, mac

GROUP, LLDP = "01:80:c2:00:00:0e", 0x88CC
SWITCH, PLC, PHONE = "00:1b:1b:34:34:01", "00:1b:1b:08:06:93", "00:04:f2:11:22:33"
END = b"\0\0"


def tlv(kind, body, length=None):
    return struct.pack(">H", kind << 9 | (len(body) if length is None else length)) + body


def chassis(kind, body):
    return tlv(1, bytes([kind]) + body)


def port(kind, body):
    return tlv(2, bytes([kind]) + body)


def ttl(s):
    return tlv(3, struct.pack(">H", s))


def org(oui, sub, body):
    return tlv(127, bytes.fromhex(oui) + bytes([sub]) + body)


def management(ip, interface=1, oid=b""):
    family, a = (2, socket.inet_pton(socket.AF_INET6, ip)) if ":" in ip else (1, socket.inet_aton(ip))
    return tlv(8, bytes([len(a) + 1, family]) + a + b"\2" + struct.pack(">I", interface) + bytes([len(oid)]) + oid)


def start(src, name=b"port-001"):
    return chassis(4, mac(src)) + port(7, name) + ttl(20)


def send(t, src, body, group=GROUP, optional=0):
    n = t.eth(group, src, LLDP, body)
    t.expect(n, "lldp", "lldp", optional)
    t.wait(1)
    return n


def devices(path):
    """A managed switch, a PROFINET controller, an HMI, a phone with LLDP-MED; announced again and again."""
    t = Trace(path)
    switch = (start(SWITCH) + tlv(4, b"Siemens, SIMATIC NET, Ethernet Port, X1 P1") + tlv(5, b"switch-hall-2")
              + tlv(6, b"Siemens, SIMATIC NET, SCALANCE XC208, 6GK5 208-0BA00-2AC2, HW: 3, FW: V4.2.1, SVPR2183911")
              + tlv(7, struct.pack(">HH", 0x0014, 0x0004)) + management("10.40.0.2", 5, b"\x2b\x06\x01\x04\x01")
              + org("0080c2", 1, struct.pack(">H", 1)) + org("0080c2", 3, struct.pack(">HB", 10, 5) + b"cells")
              + org("00120f", 1, struct.pack(">BHH", 3, 0x6C01, 30)) + org("00120f", 4, struct.pack(">H", 1522))
              + org("000ecf", 2, struct.pack(">HH", 0, 0)) + org("000ecf", 4, bytes(range(16)) + b"\0\1")
              + org("000ecf", 5, mac(SWITCH)) + END)
    plc = (chassis(7, b"plc-press-3") + port(7, b"port-002.plc-press-3") + ttl(20)
           + tlv(6, b"Siemens, SIMATIC S7, CPU 1516-3 PN/DP, 6ES7 516-3AN01-0AB0, HW: 5, FW: V2.8.3")
           + tlv(7, struct.pack(">HH", 0x0080, 0x0080)) + management("10.40.0.21") + management("fd00:40::21")
           + org("000ecf", 1, bytes(20)) + org("000ecf", 2, struct.pack(">HH", 1, 4)) + org("000ecf", 3, b"port-001.switch-hall-2")
           + org("000ecf", 5, mac(PLC)) + org("000ecf", 6, bytes(40)) + END)
    phone = (chassis(5, b"\1" + socket.inet_aton("10.40.1.9")) + port(3, mac(PHONE)) + ttl(120) + tlv(5, b"desk-9")
             + tlv(7, struct.pack(">HH", 0x0024, 0x0024)) + org("0012bb", 1, struct.pack(">HB", 0x33, 3))
             + org("0012bb", 5, b"R1.2") + org("0012bb", 6, b"4.0.1") + org("0012bb", 7, b"5.9.0") + org("0012bb", 8, b"0004f2112233")
             + org("0012bb", 9, b"Polycom") + org("0012bb", 10, b"VVX 411") + org("0012bb", 11, b"IT-4711") + END)
    for k in range(5):
        send(t, SWITCH, switch)
        send(t, PLC, plc, "01:80:c2:00:00:03" if k == 3 else GROUP)
        send(t, PHONE, phone)
        t.wait(2)
    t.vlan = 7
    send(t, "00:1b:1b:00:00:77", chassis(6, b"eth0") + port(5, b"eth0") + ttl(120) + tlv(6, b"Linux 6.1, Debian 12") + END)
    t.save()


def changes(path):
    """A laptop that is plugged into the port of the controller, a new name and firmware, a port that goes away, a copy."""
    t = Trace(path, step=0.0002)
    old = start(PLC) + tlv(5, b"plc-1") + tlv(6, b"Siemens, S7, CPU 315, 6ES7 315-2EH14-0AB0, HW: 4, FW: V3.2.6") + END
    new = start(PLC) + tlv(5, b"plc-9") + tlv(6, b"Siemens, S7, CPU 315, 6ES7 315-2EH14-0AB0, HW: 4, FW: V3.2.17") + END
    for body in (old, old, new):
        send(t, PLC, body)
        t.wait(5)
    t.eth(GROUP, PLC, LLDP, new)
    t.expect(t.n, "lldp", "lldp")
    t.eth(GROUP, PLC, LLDP, new)                  # the mirror port sends it once more
    t.expect(t.n, "lldp", "lldp", 1)
    send(t, PLC, chassis(4, mac(PLC)) + port(7, b"port-001") + ttl(0) + END)
    send(t, "00:0c:29:00:00:66", chassis(7, b"kali") + port(3, mac("00:0c:29:00:00:66")) + ttl(120) + tlv(5, b"kali") + END)
    t.save()


def broken(path):
    """What breaks the standard, one by one."""
    t = Trace(path)
    c, p, s = chassis(4, mac(SWITCH)), port(7, b"1"), ttl(20)
    for body in (
            p + c + s + END, c + p + END, c + s + p + END, c + c + p + s + END, c + p + s + tlv(5, b"a") + tlv(5, b"b") + END,
            c + p + s, chassis(0, b"x") + port(9, b"y") + s + END, tlv(1, b"\4") + p + s + END, chassis(4, b"abc") + p + s + END,
            c + p + tlv(3, b"\1") + END, c + p + s + tlv(7, b"\0\4") + END, c + p + s + tlv(8, b"\x1f\1\x0a") + END,
            c + p + s + tlv(8, b"\5\1\x0a\0\0\1\2\0\0\0\1\x20") + END, c + p + s + tlv(20, b"reserved") + END,
            c + p + s + tlv(127, b"\0\1") + END, c + p + s + org("00120f", 1, b"\1") + END, c + p + s + tlv(8, b"\7\6" + mac(SWITCH) + b"\1" + bytes(5)) + END,
            c + p + s + tlv(5, b"a\0\x07\xff") + END, chassis(4, mac(SWITCH)) + port(4, b"\x07\1\2") + s + END):
        send(t, SWITCH, body)
    send(t, SWITCH, c + p + s + tlv(6, b"cut" * 20, 500), optional=1)
    t.save()


def other(path):
    """Not LLDP, though on the group addresses: a bridge's BPDU, a frame of an unused EtherType."""
    t = Trace(path)
    bpdu = bytes.fromhex("424203000000000080001b1b34340100000000008001001b1b3434018001000014000200 0f00".replace(" ", ""))
    for _ in range(3):
        t.eth("01:80:c2:00:00:00", SWITCH, len(bpdu), bpdu)
        t.eth(GROUP, SWITCH, 0x88B5, b"local experiment")
    t.save()


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lldp")
    for build in (devices, changes, broken, other):
        build(os.path.join(out, build.__name__ + ".pcap"))


if __name__ == "__main__":
    main()
