#!/usr/bin/env python3
"""plant.py: builds the two captures of a small waterworks that the demonstration uses.

  plant.py [DIR]       writes DIR/normal.pcap and DIR/incident.pcap (default: ../plant beside this script)

normal     five minutes of a morning: a SCADA server and a panel poll and set; the engineering station reads identities
           and uploads a program once
incident   the same plant in the afternoon: a laptop nobody knows scans the network, programs and stops a controller,
           changes the mode of another and drives the SCADA server's desktop; a device has another firmware than before

The dialogues are those of the builders beside this file. Time is the plant's; the same bytes for every run.
"""
import heapq
import math
import os
import random
import socket
import struct
import sys

import dnp3
import enip
import iec104
import modbus
import s7comm
from wire import Tcp, Trace, mac

SCADA, EWS, PANEL, LAPTOP = "10.10.2.10", "10.10.2.20", "10.10.1.61", "10.10.2.99"
INTAKE, FILTER, PUMPS, DOSING = "10.10.1.11", "10.10.1.12", "10.10.1.21", "10.10.1.31"
RESERVOIR, SUBSTATION, SWITCH, GROUP = "10.10.1.41", "10.10.1.51", "10.10.0.2", "10.10.255.255"
OUIS = {
    SCADA: "00:14:22:00:00:00", EWS: "00:1e:c9:00:00:00",        # Dell
    PANEL: "00:0e:8c:00:00:00", PUMPS: "00:1b:1b:00:00:00",      # Siemens
    INTAKE: "00:80:f4:00:00:00", FILTER: "00:30:de:00:00:00",    # Telemecanique (Schneider), WAGO
    DOSING: "00:00:bc:00:00:00", RESERVOIR: "00:30:a7:00:00:00", # Rockwell, Schweitzer
    SUBSTATION: "00:02:a3:00:00:00", SWITCH: "00:80:63:00:00:00",  # ABB, Hirschmann
    LAPTOP: "54:ee:75:00:00:00",                                 # Wistron
}
MORNING = 1767600000    # Monday 2026-01-05 08:00:00 UTC
AFTERNOON = 1767623400  # 14:30:00 of that day
LATENCY = {INTAKE: 4.1, FILTER: 6.3, PUMPS: 9.2, DOSING: 3.4, RESERVOIR: 38.0, SUBSTATION: 21.0}


class Conn(Tcp):
    """A connection whose devices take their time, and whose client acknowledges."""

    def _data(self, side, data, cut):
        t, ip = self.t, self.ends[1][0]
        if side == 1:
            t.wait(LATENCY.get(ip, 2.0) * (0.9 + 0.2 * t.rng.random()) / 1000)
        n = super()._data(side, data, cut)
        if side == 1:
            super()._send(0, b"", 0x10)
        return n


class Plant(Trace):
    """A trace with a clock and a calendar: at() and every() note what is to happen, run() makes it happen in order."""

    def __init__(self, path, start, seed, running):
        super().__init__(path, start, 0.0002, OUIS)
        self.start, self.rng, self.running, self.todo, self.order = start, random.Random(seed), running, [], 0

    def tcp(self, client, cport, server, sport, handshake=None, isn=None):
        """Connections of a running plant were opened long before the capture."""
        isn = isn or (self.rng.getrandbits(32), self.rng.getrandbits(32))
        return Conn(self, client, cport, server, sport, not self.running if handshake is None else handshake, isn)

    def expect(self, *row):
        """These captures are for people; the builders' own have the tables."""

    def at(self, seconds, act):
        self.order += 1
        heapq.heappush(self.todo, (seconds, self.order, act))

    def every(self, period, act, first=1.0):
        def again(k):
            act(k)
            self.at(first + (k + 1) * period, lambda: again(k + 1))
        self.at(first, lambda: again(0))

    def run(self, seconds):
        while self.todo[0][0] < seconds:
            when, _, act = heapq.heappop(self.todo)
            self.now = max(self.now, round((self.start + when) * 1_000_000))
            act()

    def clock(self):
        return self.now / 1_000_000


class Modbus(modbus.Dialogue):
    def __init__(self, t, client, server, cport):
        self.t, self.rtu, self.tid, self.reverse = t, False, t.rng.getrandbits(15), False
        self.c = t.tcp(client, cport, server, 502)

    def read(self, first, n, values, fn=3):
        self.both(1, struct.pack(">BHH", fn, first, n), struct.pack(f">BB{n}H", fn, 2 * n, *values))

    def write(self, first, values):
        n = len(values)
        head = struct.pack(">BHH", 16, first, n)
        self.both(1, head + struct.pack(f">B{n}H", 2 * n, *values), head)

    def identity(self, *objects):
        body = b"".join(bytes([i, len(x)]) + x for i, x in enumerate(objects))
        self.both(1, b"\x2b\x0e\x01\x00", b"\x2b\x0e\x01\x81\x00\x00" + bytes([len(objects)]) + body)


class Telecontrol(iec104.Link):
    def __init__(self, t, client, server, cport, started=True):
        self.t, self.c, self.ns, self.out, self.fns = t, t.tcp(client, cport, server, 2404), [0, 0], b"", []
        if t.running:
            self.ns = [311, 9120]
        elif started:
            self.act_con(iec104.STARTDT)


def wave(k, i, size=1000):
    """A process value: slow, smooth, and the same for every run."""
    return int(size * (1 + 0.4 * math.sin(k / 40 + i)))


# ---- the plant as it is ----

class Waterworks:
    """Who is connected to whom, and what goes over these connections all day."""

    def __init__(self, t):
        self.t = t
        self.setpoints = [500 + 10 * i for i in range(10)]
        self.firmware = b"V2.6.1"
        t.at(0.1, self.addresses)
        t.at(0.5, self.connect)
        t.every(2, self.spanning_tree, 0.3)
        t.every(30, self.lldp, 0.7)
        t.every(60, lambda k: (self.netbios(SCADA, "SCADA-1"), self.netbios(EWS, "EWS-1")), 3.3)
        t.every(64, self.time_service, 6.1)
        t.every(30, self.switch_state, 4.4)

    def addresses(self):
        for ip in (INTAKE, FILTER, PUMPS, DOSING, RESERVOIR, SUBSTATION, SWITCH):
            self.resolve(SCADA, ip)
        self.resolve(PANEL, FILTER)
        self.t.at(self.t.clock() - self.t.start + 120, self.addresses)

    def resolve(self, who, whom, there=True):
        self.t.arp(1, who, whom)
        if there:
            self.t.arp(2, whom, who)

    def connect(self):
        t = self.t
        self.intake = Modbus(t, SCADA, INTAKE, 49711)
        self.filter = Modbus(t, SCADA, FILTER, 49712)
        self.panel = Modbus(t, PANEL, FILTER, 1033)
        self.pumps = s7comm.S7(t, SCADA, PUMPS, 49713, called=b"\x02\x02", quiet=t.running)
        self.pumps.ref = 300
        self.dosing = self.logix(SCADA, 49714)
        self.reservoir = dnp3.Pair(t, t.tcp(SCADA, 49715, RESERVOIR, 20000))
        self.substation = Telecontrol(t, SCADA, SUBSTATION, 49716)
        if not t.running:
            self.begin()
        t.every(1, self.poll_intake, 1.05)
        t.every(1, self.poll_filter, 1.22)
        t.every(2, self.poll_panel, 1.31)
        t.every(1, self.poll_pumps, 1.45)
        t.every(1, self.poll_dosing, 1.63)
        t.every(5, self.poll_reservoir, 1.80)
        t.every(2, self.report_substation, 1.91)

    def logix(self, client, cport):
        """A session with the ControlLogix and, by SCADA, a class 3 connection in it."""
        t = self.t
        if not t.running:
            c = enip.Client(t, client, DOSING, cport)
            p = b"\x01\x00" + enip.path(enip.MR, 1)
            c.rr(enip.forward_open(p, transport=0xA3, o_par=0x43F4, t_par=0x43F4, rpi=2000000), enip.opened(0x007C0B01, rpi=2000000))
        else:
            c = enip.Client.__new__(enip.Client)
            c.t, c.c, c.session, c.n, c.constant = t, t.tcp(client, cport, DOSING, enip.PORT), 0x11020100, 0, False
        c.count = 0
        return c

    def begin(self):
        """What the SCADA server does when it starts."""
        p, l = self.reservoir, self.substation
        p.ask(dnp3.READ, dnp3.obj(0, 254, 0x00, b"\0\0"), b"".join(
            dnp3.obj(0, v, 0x00, b"\0\0\1" + bytes((len(s),)) + s)
            for v, s in ((242, b"SEL-3505-R135"), (247, b"RESERVOIR-EAST"), (248, b"1140520042"), (250, b"SEL-3505 RTAC"),
                         (252, b"Schweitzer Engineering Laboratories"))))
        self.integrity()
        l.ask(100, iec104.ioa(0) + b"\x14", ca=51)
        l.tell(100, 7, iec104.ioa(0) + b"\x14", ca=51)
        l.tell(1, 20, iec104.ioa(100) + b"\1\0\1\1", n=4, sq=1, ca=51)
        l.tell(13, 20, iec104.ioa(700) + b"".join(struct.pack("<fB", v, 0) for v in (10.4, 231.2, 50.01)), n=3, sq=1, ca=51)
        l.tell(100, 10, iec104.ioa(0) + b"\x14", ca=51)
        l.s(0).send(0)
        now = iec104.cp56(self.t.clock())
        l.ask(103, iec104.ioa(0) + now, ca=51)
        l.tell(103, 7, iec104.ioa(0) + now, ca=51)

    def poll_intake(self, k):
        self.intake.read(0, 100, [self.setpoints[i - 10] if 10 <= i < 20 else wave(k, i) for i in range(100)])

    def poll_filter(self, k):
        self.filter.read(0, 40, [wave(k, i, 400) for i in range(40)])
        self.filter.read(0, 8, [wave(k, i, 90) for i in range(8)], fn=4)

    def poll_panel(self, k):
        self.panel.read(0, 12, [wave(k, i, 400) for i in range(12)])

    def poll_pumps(self, k):
        s = self.pumps
        data = struct.pack(">32H", *(wave(k, i, 700) for i in range(32)))
        s.job(b"\x04\x01" + s7comm.any_item(2, 64, 1, 0x84, 0), b"\x04\x01", back=s7comm.value(0xFF, 4, data, last=True))

    def poll_dosing(self, k):
        c = self.dosing
        c.count += 1
        tags = ("Dosing.Flow", "Dosing.Level", "Dosing.Running")
        ask = [enip.req(0x4C, enip.tag(name), b"\1\0") for name in tags]
        tell = [enip.rep(0x4C, struct.pack("<Hf", 0xCA, wave(k, i) / 10)) for i in range(2)] + [enip.rep(0x4C, b"\xc1\0\1")]
        c.unit(0x007C0B01, 0x80F10001, c.count & 0xFFFF, enip.req(0x0A, enip.path(enip.MR, 1), enip.msp(*ask)),
               enip.rep(0x0A, enip.msp(*tell)))

    def poll_reservoir(self, k):
        if k % 12 == 11:
            return self.integrity()
        p = self.reservoir
        p.request(dnp3.READ, dnp3.classes(1, 2, 3))
        some = dnp3.indexed(32, 1, (k % 4, b"\1" + struct.pack("<i", wave(k, k % 4))))
        p.answer(some if k % 3 == 0 else b"")

    def integrity(self):
        p = self.reservoir
        p.request(dnp3.READ, dnp3.classes(1, 2, 3, 0))
        p.answer(dnp3.obj(1, 2, 0x00, b"\0\3" + b"\1\x81\1\1") + dnp3.obj(30, 1, 0x00, b"\0\3" + b"".join(
            b"\1" + struct.pack("<i", v) for v in (4211, 390, 77, 1013))))

    def report_substation(self, k):
        l = self.substation
        l.tell(13, 3, iec104.ioa(700 + k % 3) + struct.pack("<fB", (10.4, 231.2, 50.01)[k % 3] * (1 + 0.01 * math.sin(k)), 0), ca=51)
        if k % 4 == 3:
            l.s(0).send(0)
        if k % 10 == 9:
            l.act_con(iec104.TESTFR)

    # ---- what any network has ----

    def spanning_tree(self, k):
        bridge = b"\x80\x00" + mac("00:80:63:0a:00:02")
        bpdu = b"\0\0\0\0\0" + bridge + b"\0\0\0\0" + bridge + b"\x80\x05" + b"\0\0\x14\0\2\0\x0f\0"
        body = b"\x42\x42\x03" + bpdu
        self.t.frame((mac("01:80:c2:00:00:00") + mac("00:80:63:0a:00:02") + struct.pack(">H", len(body)) + body).ljust(60, b"\0"))

    def lldp(self, k):
        tlv = lambda kind, b: struct.pack(">H", kind << 9 | len(b)) + b  # noqa: E731
        body = (tlv(1, b"\4" + mac("00:80:63:0a:00:02")) + tlv(2, b"\x05port 5") + tlv(3, b"\0\x78") + tlv(5, b"SW-HALL-1") +
                tlv(6, b"Hirschmann RS20-0800") + tlv(7, b"\0\4\0\4") + tlv(0, b""))
        self.t.eth("01:80:c2:00:00:0e", "00:80:63:0a:00:02", 0x88CC, body)

    def netbios(self, ip, name):
        coded = b"".join(bytes([0x41 + (c >> 4), 0x41 + (c & 15)]) for c in name.encode().ljust(15) + b"\0")
        query = struct.pack(">HHHHHH", self.t.rng.getrandbits(16), 0x2910, 1, 0, 0, 1) + b"\x20" + coded + b"\0\0\x20\0\1"
        self.t.udp(ip, 137, GROUP, 137, query + b"\xc0\x0c\0\x20\0\1\0\4\x93\xe0\0\6\0\0" + socket.inet_aton(ip))

    def time_service(self, k):
        for i, ip in enumerate((INTAKE, PUMPS, DOSING)):
            stamp, port = struct.pack(">II", int(self.t.clock()) + 2208988800, 0), 2001 + 8 * k + i
            self.t.udp(ip, port, SCADA, 123, b"\x23\0\x06\xec" + bytes(36) + stamp)
            self.t.udp(SCADA, 123, ip, port, b"\x24\3\x06\xec" + bytes(8) + b"\x0a\x0a\x02\x01" + stamp * 4)

    def switch_state(self, k):
        oid = bytes.fromhex("06082b06010201010100")
        ber = lambda tag, b: bytes([tag, len(b)]) + b  # noqa: E731
        pdu = lambda kind, v: ber(0x30, b"\2\1\0" + ber(4, b"plant") + ber(kind, b"\2\1" + bytes([k & 127]) + b"\2\1\0\2\1\0" +  # noqa: E731
                                                                           ber(0x30, ber(0x30, oid + v))))
        self.t.udp(SCADA, 50161, SWITCH, 161, pdu(0xA0, b"\5\0"))
        self.t.udp(SWITCH, 161, SCADA, 50161, pdu(0xA2, ber(4, b"Hirschmann Railswitch RS20")))

    # ---- what the engineering station does on some mornings ----

    def s7_identity(self, s, run=True):
        order = b"6ES7 315-2EH14-0AB0 "
        s7comm.szl(s, 0x0011, 0, 28, b"\0\x01" + order + b"\0\xc0\0\x03\0\x01", b"\0\x06" + order + b"\0\xc0\0\x03\0\x01",
                   b"\0\x07" + b" " * 20 + b"\0\xc0V\x03\x02\x06")
        s7comm.szl(s, 0x001C, 0, 34, b"\0\x01WATERWORKS EAST", b"\0\x02PUMPS", b"\0\x03", b"\0\x04Original Siemens Equipment",
                   b"\0\x05S C-X4U421302009", b"\0\x07CPU 315-2 PN/DP", b"\0\x08MMC 2CC28AB6")
        s7comm.szl(s, 0x0424, 0, 20, bytes.fromhex("4302ff68" if run else "4301ff04") + bytes(8) + s7comm.NOW)

    def inventory(self, cport, filter_firmware, status=0x3060):
        t, me = self.t, enip.identity(status=status)
        for server, firmware, names in ((INTAKE, b"V2.9", (b"Schneider Electric", b"BMX P34 2020")),
                                        (FILTER, filter_firmware, (b"WAGO", b"750-881"))):
            self.resolve(EWS, server)
            d = Modbus(t, EWS, server, cport)
            d.identity(*names, firmware)
            d.c.close()
            cport += 1
            t.wait(0.4)
        t.udp(EWS, 50001, GROUP, enip.PORT, enip.encap(0x63))
        t.wait(0.02)
        t.udp(DOSING, enip.PORT, EWS, 50001, enip.encap(0x63, enip.list_identity(DOSING, status=status)))
        self.resolve(EWS, DOSING)
        c = enip.Client(t, EWS, DOSING, cport)
        c.rr(enip.req(0x01, enip.path(enip.IDENTITY, 1)), enip.rep(0x01, me))
        c.rr(enip.req(0x01, enip.path(enip.IDENTITY, 1)),
             enip.rep(0x01, enip.identity(code=94, kind=7, serial=0x00D1A201, rev=(3, 3), name="1756-IB16/A")), b"\x01\x03")
        c.bye()


OB1 = s7comm.block("OB", 1, bytes(range(256)) * 2, name=b"CYCLE")
DB1 = s7comm.block("DB", 1, bytes(60), name=b"PUMPS")


def normal(t):
    w = Waterworks(t)

    def maintain():
        """The engineering station: who is there, and a copy of the program."""
        w.inventory(51000, w.firmware)
        w.resolve(EWS, PUMPS)
        s = s7comm.S7(t, EWS, PUMPS, 51010)
        w.s7_identity(s)
        s.ud(3, 1, None, b"".join(b"0" + bytes([k]) + struct.pack(">H", n) for k, n in ((0x38, 1), (0x41, 1))))
        s7comm.upload(s, "OB", 1, OB1, 7)
        s7comm.upload(s, "DB", 1, DB1, 8)
        s.close()

    def setpoint(k):
        w.setpoints = [500 + 10 * i + 5 * (k % 3) for i in range(10)]
        w.intake.write(10, w.setpoints)

    t.at(40, maintain)
    t.every(75, setpoint, 60.3)
    t.every(90, lambda k: w.intake.both(1, struct.pack(">BHH", 6, 12, 520 + k), struct.pack(">BHH", 6, 12, 520 + k)), 95.2)
    t.every(110, lambda k: w.pumps.job(b"\x05\x01" + s7comm.any_item(4, 1, 1, 0x84, 20 * 8), b"\x05\x01",
                                       data=s7comm.value(0, 4, struct.pack(">H", 700 + k), last=True), back=b"\xff"), 80.4)
    t.every(120, lambda k: w.dosing.rr(enip.req(0x4D, enip.tag("Dosing.Setpoint"), struct.pack("<HHf", 0xCA, 1, 1.5 + k / 10)),
                                       enip.rep(0x4D)), 101.7)
    pump = dnp3.indexed(12, 1, (1, dnp3.crob(0x41, 1, 500)))
    t.every(140, lambda k: (w.reservoir.ask(dnp3.SELECT, pump, pump), w.reservoir.ask(dnp3.OPERATE, pump, pump)), 150.5)

    def breaker(ioa, value):
        for cot, side in ((6, 0), (7, 1), (10, 1)):
            w.substation.i(side, 45, cot, iec104.ioa(ioa) + value, ca=51).send(side)
    t.at(200.3, lambda: breaker(5001, b"\1"))
    t.at(230.3, lambda: breaker(5001, b"\0"))
    t.run(300)


# ---- the afternoon on which things go wrong ----

def sweep(t, w):
    """The laptop asks for every address, pings every one, and tries the ports of those that answer."""
    there = [INTAKE, FILTER, PUMPS, DOSING, RESERVOIR, SUBSTATION, PANEL]
    t.arp(1, LAPTOP, LAPTOP)
    for k in range(1, 91):
        ip = f"10.10.1.{k}"
        w.resolve(LAPTOP, ip, ip in there)
        t.wait(0.01)
    for k in range(1, 91):
        ip = f"10.10.1.{k}"
        for kind, src, dst in ((8, LAPTOP, ip), (0, ip, LAPTOP)):
            if kind == 8 or ip in there:
                t.ip(src, dst, 1, struct.pack(">BBHHH", kind, 0, 0, 0x77, k) + b"abcdefgh")
        t.wait(0.01)


def probe(t, ip, port, cport, is_open):
    c = t.tcp(LAPTOP, cport, ip, port, handshake=False)
    c._send(0, b"", 0x02)
    c.seq[0] += 1
    if is_open:
        c._send(1, b"", 0x12)
        c.seq[1] += 1
        c._send(0, b"", 0x14)
    else:
        c._send(1, b"", 0x14)
    t.wait(0.02)


def port_scan(t):
    opened = {INTAKE: 502, FILTER: 502, PUMPS: 102, DOSING: 44818, RESERVOIR: 20000, SUBSTATION: 2404}
    cport = 40000
    for ip, mine in opened.items():
        for port in (102, 502, 2404, 20000, 44818, 4840):
            cport += 1
            probe(t, ip, port, cport, port == mine)
    for port in (21, 22, 23, 25, 53, 69, 80, 110, 111, 135, 139, 143, 161, 389, 443, 445, 993, 995, 1433, 1521, 3306, 3389, 5432, 5900,
                 6379, 8000, 8080, 8443, 9100, 27017):
        cport += 1
        probe(t, PUMPS, port, cport, port in (80, 443))


def attack_pumps(t, w):
    """Identity, a block of its own, stop."""
    s = s7comm.S7(t, LAPTOP, PUMPS, 40201)
    w.s7_identity(s)
    s7comm.upload(s, "OB", 1, OB1, 9)
    t.wait(2)
    s7comm.download(s, "OB", 1, s7comm.block("OB", 1, bytes(range(255, -1, -1)) * 2, author=b"X", name=b"CYCLE"), 512)
    s.job(s7comm.pi(b"_INSE", s7comm.blocks_arg(("OB", 1))))
    t.wait(3)
    s.job(b"\x29\0\0\0\0\0\x09P_PROGRAM")
    s.close()


def attack_dosing(t):
    c = enip.Client(t, LAPTOP, DOSING, 40301)
    c.rr(enip.req(0x01, enip.path(enip.IDENTITY, 1)), enip.rep(0x01, enip.identity()))
    c.rr(enip.req(0x07, enip.path(0x8E, 1)), enip.rep(0x07))   # program mode
    c.bye()


def remote_desktop(t):
    c = t.tcp(LAPTOP, 40400, SCADA, 3389)
    cookie = b"Cookie: mstshash=operator\r\n"
    c.to_server(struct.pack(">BBHBBHHB", 3, 0, 11 + len(cookie) + 8, 6 + len(cookie) + 8, 0xE0, 0, 0, 0) + cookie +
                bytes.fromhex("0100080003000000"))
    c.to_client(bytes.fromhex("030000130ed000001234000200080002000000"))
    for n, side in ((180, 0), (900, 1), (300, 0), (80, 1), (600, 0), (1200, 1), (200, 0), (1100, 1)):
        (c.to_client if side else c.to_server)(b"\x17\x03\x03" + struct.pack(">H", n) + t.rng.randbytes(n))
    return c


def incident(t):
    w = Waterworks(t)
    desk = []
    t.at(20, lambda: sweep(t, w))
    t.at(35, lambda: port_scan(t))

    def fresh(act):
        """Connections that open now."""
        def run():
            t.running = False
            try:
                act()
            finally:
                t.running = True
        return run

    t.at(50, fresh(lambda: attack_pumps(t, w)))
    t.at(70, fresh(lambda: attack_dosing(t)))
    t.at(80, fresh(lambda: desk.append(remote_desktop(t))))
    # from here on the SCADA server does what it never did
    t.at(95.3, lambda: w.intake.write(40, [9999]))
    t.at(105.5, lambda: w.reservoir.ask(13, b"", dnp3.obj(52, 1, 0x07, b"\1" + struct.pack("<H", 30))))

    def trip():
        for cot, side in ((6, 0), (7, 1), (10, 1)):
            w.substation.i(side, 46, cot, iec104.ioa(5002) + b"\1", ca=51).send(side)
    t.at(115.6, trip)
    t.at(125.4, lambda: w.panel.both(1, b"\x05\0\x07\xff\0", b"\x05\0\x07\xff\0"))
    # the engineering station looks: a firmware that nobody announced; then it brings the pumps back
    t.at(140, fresh(lambda: w.inventory(51200, b"V2.7.0", 0x3070)))

    def restart():
        s = s7comm.S7(t, EWS, PUMPS, 51210)
        w.s7_identity(s, run=False)
        s.job(s7comm.pi(b"P_PROGRAM"))
        s.close()
    t.at(155, fresh(restart))
    t.run(180)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "plant")
    for build, start, seed, running in ((normal, MORNING, 1, False), (incident, AFTERNOON, 2, True)):
        t = Plant(os.path.join(out, build.__name__ + ".pcap"), start, seed, running)
        build(t)
        t.save()


if __name__ == "__main__":
    main()
