#!/usr/bin/env python3
"""s7comm.py: builds captures of S7comm dialogues that are rare in public captures, with what must be found in them.

  s7comm.py [DIR]      writes DIR/*.pcap and DIR/*.messages.tsv (default: ../s7comm beside this script)

download     two blocks downloaded in pieces (the PLC fetches them), activated; copy RAM to ROM, compress, delete; an upload
control      stop, warm and cold start, refusals, mode transitions, password, memory reset, clock
force        variable status, modify, force, job list, replace and delete of a forcing job, breakpoint, LED
alarms       message service, ALARM_8, ALARM_S, ALARM_SQ, NOTIFY, SCAN and AR_SEND messages, query, acknowledge, lock
cyclic       cyclic and change-driven reads, DB read, BSEND in parts, USEND
identity     the SZLs that tell who a CPU is, in one and in two parts, on another port than 102
transport    COTP segments, TPKTs split over and packed into TCP segments, keep-alives, DR, ER, lost bytes
nc           SINUMERIK: NCK variables, PI services, file transfer
malformed    lengths that lie, unknown functions and message types, wrong counts
others       S7comm-plus, MMS and TLS on port 102: none of them S7comm
Function null (no row): acks without parameter, mode transitions, USEND.
"""
import os
import struct
import sys

from wire import Trace

ES, HMI, PLC, PLC2 = "10.1.0.20", "10.1.0.30", "10.1.0.2", "10.1.0.3"


def tpkt(tpdu):
    return struct.pack(">BBH", 3, 0, 4 + len(tpdu)) + tpdu


def dt(data, eot=True):
    return tpkt(b"\x02\xf0" + (b"\x80" if eot else b"\x00") + data)


def connect(code, called, calling=b"\x01\x00"):
    p = b"\xc0\x01\x0a\xc1" + bytes([len(calling)]) + calling + b"\xc2" + bytes([len(called)]) + called
    refs = b"\x00\x00\x00\x01" if code == 0xE0 else b"\x00\x01\x00\x02"
    return tpkt(bytes([6 + len(p), code]) + refs + b"\x00" + p)


def pdu(rosctr, ref, param, data=b"", err=0):
    e = struct.pack(">H", err) if rosctr in (2, 3) else b""
    return struct.pack(">BBHHHH", 0x32, rosctr, 0, ref, len(param), len(data)) + e + param + data


def any_item(size, count, db, area, bit_address):
    return bytes.fromhex("120a10") + struct.pack(">BHHBBH", size, count, db, area, bit_address >> 16, bit_address & 0xFFFF)


def value(code, tsize, data, last=False):
    n = len(data) * 8 if tsize in (3, 4, 5) else len(data)
    if tsize == 3:
        n = len(data)
    pad = b"\0" if len(data) % 2 and not last else b""
    return struct.pack(">BBH", code, tsize, n) + data + pad


class S7:
    """One S7 connection: jobs and their answers, each with the row that must be found."""

    def __init__(self, t, client=ES, server=PLC, cport=49200, sport=102, called=b"\x01\x02", size=480, quiet=False):
        self.t, self.ref = t, 0
        self.c = t.tcp(client, cport, server, sport)
        if quiet:
            return
        self.c.to_server(connect(0xE0, called))
        self.c.to_client(connect(0xD0, called))
        self.job(b"\xf0\x00" + struct.pack(">HHH", 1, 1, size), b"\xf0\x00" + struct.pack(">HHH", 1, 1, size))

    def put(self, from_client, data, fn, **how):
        n = (self.c.to_server if from_client else self.c.to_client)(data, **how)
        if fn is not None:
            self.t.expect(n, "s7comm", fn)
        return n

    def next(self):
        self.ref += 1
        return self.ref

    def job(self, param, answer=None, data=b"", back=b"", err=0, by_server=False, rosctr=3):
        """A job and its answer; answer None: the function alone; b"": an acknowledgement without parameter."""
        ref = self.next() + (0x400 if by_server else 0)
        answer = param[:1] if answer is None else answer
        self.put(not by_server, dt(pdu(1, ref, param, data)), param[0])
        self.put(by_server, dt(pdu(rosctr, ref, answer, back, err)), answer[0] if answer and rosctr == 3 else None)

    def ud(self, group, sub, body=None, back=None, err=0, seq=0, code=0xFF):
        """A request in user data and its answer; None: no payload."""
        ref = self.next()
        self.ask(ref, group, sub, body)
        self.tell(ref, group, sub, back, err, seq, code)

    def ask(self, ref, group, sub, body=None, seq=0, more=0, unit=0, from_client=True, long=False):
        d = b"\x0a\0\0\0" if body is None else b"\xff\x09" + struct.pack(">H", len(body)) + body
        if long or more or unit:
            p = bytes([0, 1, 0x12, 8, 0x12, 0x40 | group, sub, seq, unit, more, 0, 0])
        else:
            p = bytes([0, 1, 0x12, 4, 0x11, 0x40 | group, sub, seq])
        self.put(from_client, dt(pdu(7, ref, p, d)), f"7:{group & 15}:{sub}")

    def tell(self, ref, group, sub, back=None, err=0, seq=0, code=0xFF, more=0, unit=0, kind=2, from_client=False):
        d = b"\x0a\0\0\0" if back is None else bytes([code, 9]) + struct.pack(">H", len(back)) + back
        p = bytes([0, 1, 0x12, 8, 0x12, kind << 6 | group, sub, seq, unit, more]) + struct.pack(">H", err)
        self.put(from_client, dt(pdu(7, ref, p, d)), f"7:{group & 15}:{sub}")

    def push(self, group, sub, back, seq=0):
        self.tell(0, group, sub, back, seq=seq, kind=0)

    def mode(self, m):
        self.put(False, dt(pdu(7, 0, bytes([1, 1, 0, 0x10, 0x10, 0, m, 0]))), None)

    def close(self):
        self.c.close()


# ---- blocks ----

TYPES = {"OB": 0x38, "DB": 0x41, "SDB": 0x42, "FC": 0x43, "FB": 0x45}


def block(kind, number, code, author=b"MILLER", name=b"MIXER", version=0x13):
    """A block as it is transferred: header, code, footer."""
    low = {"OB": 8, "DB": 10, "SDB": 11, "FC": 12, "FB": 14}[kind]
    total = 36 + len(code) + 36
    head = struct.pack(">HBBBBHIIIHIHHHHH", 0x7070, 1, 1, 5 if kind == "DB" else 1, low, number, total, 0,
                       36_000_000, 15000, 36_000_000, 14999, 0, 0, 20, len(code))
    foot = author.ljust(8, b"\0") + b"PLANT".ljust(8, b"\0") + name.ljust(8, b"\0") + bytes([version, 0]) + b"\xbe\xef" + bytes(8)
    return head + code + foot


def file_name(kind, number, fs="P"):
    return b"\x09_0" + bytes([TYPES[kind]]) + b"%05d" % number + fs.encode()


def pieces(data, n):
    return [data[i:i + n] for i in range(0, len(data), n)]


def piece(data):
    return struct.pack(">H", len(data)) + b"\x00\xfb" + data


def download(s, kind, number, data, mc7, n=200):
    name = file_name(kind, number)
    s.job(b"\x1a\x00\x01\x00\0\0\0\0" + name + b"\x0d1%06d%06d" % (len(data), mc7))
    parts = pieces(data, n)
    for i, part in enumerate(parts):
        more = i + 1 < len(parts)
        s.job(b"\x1b\0\0\0\0\0\0\0" + name, bytes([0x1B, more]), back=piece(part), by_server=True)
    s.job(b"\x1c\0\0\0\0\0\0\0" + name, by_server=True)


def upload(s, kind, number, data, ident, n=200):
    s.job(b"\x1d\0\0\0\0\0\0\0" + file_name(kind, number, "A"),
          b"\x1d\0\x01\0" + struct.pack(">I", ident) + b"\x07%07d" % len(data))
    parts = pieces(data, n)
    for i, part in enumerate(parts):
        s.job(b"\x1e\0\0\0" + struct.pack(">I", ident), bytes([0x1E, i + 1 < len(parts)]), back=piece(part))
    s.job(b"\x1f\0\0\0" + struct.pack(">I", ident))


def pi(name, args=b""):
    return b"\x28\0\0\0\0\0\0\xfd" + struct.pack(">H", len(args)) + args + bytes([len(name)]) + name


def blocks_arg(*names):
    return bytes([len(names), 0]) + b"".join(file_name(k, n)[2:] for k, n in names)


def cap_download(t):
    s = S7(t)
    ob = block("OB", 1, bytes(range(256)) * 2)
    download(s, "OB", 1, ob, 512)
    download(s, "DB", 10, block("DB", 10, b"\x12\x34" * 30, name=b"RECIPE"), 60)
    s.job(pi(b"_INSE", blocks_arg(("OB", 1), ("DB", 10))))
    s.job(pi(b"_MODU", b"EP"))
    s.job(pi(b"_GARB"))
    s.job(pi(b"_DELE", blocks_arg(("FC", 7))))
    s.job(pi(b"_INSE", blocks_arg(("FB", 99))), b"", err=0xD209, rosctr=2)
    upload(s, "OB", 1, ob, 7)
    # refused: know-how or protection level
    s.job(b"\x1a\x00\x01\x00\0\0\0\0" + file_name("SDB", 0) + b"\x0d1%06d%06d" % (512, 400), b"", err=0xD241, rosctr=2)
    s.close()
    # a block that is shorter than announced, and one that is another than its name
    s = S7(t, HMI, cport=49300)
    name = file_name("DB", 11)
    short = block("DB", 11, bytes(40))
    s.job(b"\x1a\x00\x01\x00\0\0\0\0" + name + b"\x0d1%06d%06d" % (len(short) + 100, 40))
    s.job(b"\x1b\0\0\0\0\0\0\0" + name, b"\x1b\0", back=piece(short), by_server=True)
    s.job(b"\x1c\0\0\0\0\0\0\0" + name, by_server=True)
    download(s, "DB", 12, block("DB", 13, bytes(40)), 40)
    s.close()


def cap_control(t):
    s = S7(t)
    s.ud(5, 1, bytes.fromhex("213a1b1d6e681b1d"), err=0xD602)
    s.ud(5, 1, bytes.fromhex("0134373566772d2e"))
    s.job(b"\x29\0\0\0\0\0\x09P_PROGRAM")
    s.mode(0)
    s.job(pi(b"P_PROGRAM"))
    s.mode(1)
    s.mode(2)
    s.job(pi(b"P_PROGRAM", b"C "))
    s.mode(6)
    s.job(b"\x29\0\0\0\0\0\x09P_PROGRAM", b"", err=0x8404)
    s.job(pi(b"P_PROGRAM"), b"", err=0x8404, rosctr=2)
    s.ud(1, 12, None, err=0xD0A1)
    s.ud(7, 1, None, bytes.fromhex("00192601050911123450")[:10])
    s.ud(7, 2, bytes.fromhex("00192601051011123452"))
    s.ud(7, 4, bytes.fromhex("00199913451011123452"), err=0xDC01)
    s.ud(5, 2)
    s.close()


TRIGGER = bytes.fromhex("0000000100010000000000000000000000000200")
FORCING = bytes.fromhex("0000010000020000000000000000000000000200")


def tis(param, data):
    return struct.pack(">HH", len(param), len(data)) + param + data


def watch(area, rep, db, at):
    return struct.pack(">BBHH", area, rep, db, at)


def cap_force(t):
    s = S7(t)
    addresses = watch(0x01, 2, 0, 5) + watch(0x20, 1, 0, 0) + watch(0x72, 1, 10, 4)
    s.ud(1, 2, tis(TRIGGER, b"\0\x03" + addresses), seq=1)
    values = value(0xFF, 4, b"\x11\x22") + value(0xFF, 3, b"\x01") + value(0xFF, 4, b"\x33\x44")
    s.push(1, 2, tis(b"\0\0\0\0", b"\0\x03" + values), seq=1)
    s.push(1, 2, tis(b"\0\0\0\0", b"\0\x03" + values), seq=1)
    new = value(0, 4, b"\x55\x66") + value(0, 3, b"\x01") + value(0, 4, b"\x00\x2a")
    s.ud(1, 8, tis(TRIGGER, b"\0\x03" + addresses + new), seq=2)
    s.push(1, 8, tis(b"\0\0\0\0", b"\0\x03\xff\xff\x05\0"), seq=2)
    s.ud(1, 9, tis(FORCING, b"\0\x02" + watch(0x20, 1, 0, 0) + watch(0x21, 1, 0, 4) + value(0, 3, b"\x01") + value(0, 4, b"\xff")),
         seq=3)
    s.push(1, 9, tis(b"\0\0\0\0", b"\0\x02\xff\xff"), seq=3)
    s.ud(1, 16, tis(b"\0\0\0\0", bytes(4)), tis(b"\0\0\0\0", b"\x02\x01\0\x01\x09\x03\0\x01"))
    s.ud(1, 18, tis(b"\0\0\0\0", b"\0\x01\x09\x03" + tis(FORCING, b"\0\x01" + watch(0x20, 2, 0, 0) + value(0, 3, b"\0"))))
    s.ud(1, 15, tis(b"\0\0\0\0", b"\0\x01\x09\x03"))
    s.ud(1, 13, tis(b"\0\0\0\0", b"\x02\x01"), err=0xD0A5)
    s.ud(1, 14, tis(b"\0\0\0\0", b"\x02\x01"))
    s.ud(1, 10, tis(TRIGGER + b"\0\x0c\0\x07\0\x10", b"\0\0"), seq=4)
    s.ud(1, 11, tis(b"\0\0\0\0", b"\0\0"))
    s.ud(1, 22, tis(b"\0\0\0\0", b"\0\x0a"))
    s.close()


NOW = bytes.fromhex("2601050911123450")


def alarm(syntax, ident, tail, values=0):
    body = bytes([syntax, values]) + struct.pack(">I", ident) + tail
    return bytes([0x12, len(body)]) + body


def cap_alarms(t):
    s = S7(t, HMI, called=b"\x02\x02")
    s.ud(4, 2, b"\x87\0HmiRtm  \x09\0", b"\x02\0\x09\0\0")
    s.push(4, 17, NOW + b"\0\x01" + alarm(0x16, 0x60000001, b"\x01\x00\x00\x00", 1) + value(0xFF, 9, b"\x12\x34"))
    s.push(4, 18, NOW + b"\0\x01" + alarm(0x16, 0x60000002, b"\x01\x00\x00\x00"))
    s.push(4, 5, NOW + b"\0\x01" + alarm(0x16, 0x00000040, b"\x81\x00\xff\x7e"))
    s.push(4, 6, NOW + b"\0\x01" + alarm(0x1C, 0x00000041, b"\x01\0\0\0\0\x01\0\0"))
    s.push(4, 22, NOW + b"\0\x01" + alarm(0x1C, 0x00000042, b"\x03\0\0\0\0\x03\0\0"))
    s.push(4, 9, b"\0\0" + NOW + b"\0\0\0\x01" + alarm(0x16, 0x00000050, b"\x01\0\0\0"))
    s.ud(4, 11, b"\x09\x02" + alarm(0x19, 0x60000001, b"\0\x01") + alarm(0x19, 0x60000002, b"\0\x01"), b"\x09\x02\xff\x0a")
    s.push(4, 12, NOW + b"\x09\x01" + alarm(0x19, 0x60000001, b"\0\x01"))
    s.ud(4, 7, b"\x07\x01" + alarm(0x15, 0x00000040, b""), b"\x07\x01\xff")
    s.push(4, 13, b"\x07\x01" + alarm(0x15, 0x00000040, b""))
    s.ud(4, 8, b"\x08\x01" + alarm(0x15, 0x00000040, b""), b"\x08\x01\xff")
    s.push(4, 14, b"\x08\x01" + alarm(0x15, 0x00000040, b""))
    query = b"\0\x01\x12\x08\x1a\0\x01\0" + struct.pack(">I", 4)
    one = b"\0\0\x04" + struct.pack(">I", 0x60000001) + b"\0\x01\0\0" + NOW + value(0xFF, 9, b"\x12\x34") + bytes(8) + value(0, 9, b"\0\0")
    one = bytes([len(one) - 2]) + one
    s.ud(4, 19, query, b"\0\x01\xff\x09" + struct.pack(">H", len(one)) + one)
    s.ud(4, 19, query, b"\0\x01\x0a\0\0\0")
    s.push(4, 3, bytes.fromhex("4302ff6800000000000000 00".replace(" ", "")) + NOW)
    s.ud(4, 2, b"\x80\0ArSend  \x0b\x01\x12\x06\x13\0" + struct.pack(">I", 5), b"\0\0\x0b\x01\0\0")
    s.push(4, 16, b"\x12\x06\x13\0" + struct.pack(">I", 5) + struct.pack("<H", 6) + b"archiv")
    s.close()


def cap_cyclic(t):
    s = S7(t, HMI, called=b"\x02\x02")
    items = any_item(2, 4, 1, 0x84, 0) + any_item(1, 1, 0, 0x83, 8 * 10 + 3)
    data = value(0xFF, 4, b"\1\2\3\4") + value(0xFF, 3, b"\1", last=True)
    s.ud(2, 1, b"\0\x02\x00\x05" + items, b"\0\x02" + data, seq=7)
    s.push(2, 1, b"\0\x02" + data, seq=7)
    s.ud(2, 4, b"\x01\x07")
    read = b"\x12\x0c\xb0\x02" + struct.pack(">BHHBHH", 4, 1, 0, 2, 2, 16)
    s.ud(2, 5, b"\0\x01\x01\x01" + read, b"\0\x01" + value(0xFF, 9, b"\xff\1\2\3\4\xff\5\6"), seq=8)
    s.push(2, 7, b"\0\x01" + value(0xFF, 9, b"\xff\1\2\3\5\xff\5\7"), seq=8)
    s.ud(2, 7, b"\0\x01\x01\x01" + read, b"\0\x01" + value(0xFF, 9, b"\xff\1\2\3\5\xff\5\7"), seq=8)
    s.ud(2, 5, b"\0\x01\x01\0" + any_item(2, 1, 9, 0x84, 0), err=0xD804)
    record = bytes.fromhex("120a10") + struct.pack(">BHHBBH", 2, 64, 1, 1, 0, 100)
    s.ud(2, 8, b"\0\x01" + record, b"\0\x01\xff\x09\0\0\0\x04\1\2\3\4")
    s.close()
    # BSEND between two PLCs: three parts, each acknowledged; the partner is the called side
    s = S7(t, PLC, PLC2, called=b"\x10\x02")
    body = struct.pack(">H", 700) + bytes(i & 0xFF for i in range(700))
    for i, part in enumerate(pieces(body, 300)):
        head = b"\x12\x06\x13\0" + struct.pack(">I", 0x63)
        ref = s.next()
        s.ask(ref, 6, 1, head + part, seq=1 if i else 0, more=int(i < 2), unit=1, long=True)
        s.tell(ref, 6, 1, head, seq=1)
    usend = bytes([0, 1, 0x12, 0x0A, 0x13, 0]) + struct.pack(">I", 0x77)
    s.put(True, dt(pdu(7, s.next(), usend, b"\0\0\0\x01" + value(0, 4, b"\1\2"))), None)
    s.close()


def szl(s, ident, index, record, *records):
    body = struct.pack(">HHHH", ident, index, record, len(records)) + b"".join(r.ljust(record, b"\0") for r in records)
    ask = struct.pack(">HH", ident, index)
    if len(body) <= 214:
        s.ud(4, 1, ask, body, seq=1)
        return
    ref = s.next()
    s.ask(ref, 4, 1, ask)
    parts = pieces(body, 214)
    s.tell(ref, 4, 1, parts[0], seq=2, more=1, unit=5)
    for i, part in enumerate(parts[1:], 2):
        ref = s.next()
        s.ask(ref, 4, 1, None, seq=2, long=True)
        s.tell(ref, 4, 1, part, seq=2, more=int(i < len(parts)), unit=5)


def cap_identity(t):
    s = S7(t, sport=10102)
    order = b"6ES7 417-4XT05-0AB0 "
    szl(s, 0x0011, 0, 28, b"\0\x01" + order + b"\0\xc0\0\x02\0\x01", b"\0\x06" + order + b"\0\xc0\0\x02\0\x01",
        b"\0\x07" + b" " * 20 + b"\0\xc0V\x05\x03\x09", b"\0\x81Boot Loader         \0\0A \x09\x09")
    szl(s, 0x001C, 0, 34, b"\0\x01MIXER LINE 7", b"\0\x02CPU 417-4", b"\0\x03+H1=M7", b"\0\x04Original Siemens Equipment",
        b"\0\x05SVPE1234567", b"\0\x07CPU 417-4", b"\0\x08MC 00112233", b"\0\x09" + struct.pack(">HH", 42, 0),
        b"\0\x0aOEM GmbH", b"\0\x0bHall 3")
    szl(s, 0x0019, 0, 4, b"\0\x01\0\0", b"\0\x04\x01\0", b"\0\x05\0\0")
    szl(s, 0x0174, 4, 4, b"\0\x04\x01\0")
    szl(s, 0x0091, 0, 16, struct.pack(">8H", 0, 0x0400, 0x7FFF, 0xC0, 0xC0, 0, 0x10, 0),
        struct.pack(">8H", 0, 0x0500, 512, 0x9FC5, 0x9FC5, 0, 0x11, 0))
    szl(s, 0x0424, 0, 20, bytes.fromhex("4302ff68") + bytes(8) + NOW)
    szl(s, 0x0131, 1, 40, struct.pack(">HHHII", 1, 480, 64, 187500, 10500000))
    szl(s, 0x0132, 4, 40, struct.pack(">HHHHHHHHII", 4, 1, 0, 1, 2, 0, 0, 0x5656, 0x04BCD5A3, 0x0184B2D6))
    szl(s, 0x0232, 4, 40, struct.pack(">HHHHHHHHII", 4, 3, 3, 3, 3, 0, 0, 0x5656, 0x04BCD5A3, 0x0184B2D7))
    szl(s, 0x00A0, 0, 20, bytes.fromhex("4303ff6800000000") + bytes(4) + NOW, bytes.fromhex("4304ff6800000000") + bytes(4) + NOW)
    szl(s, 0x0037, 0, 48, b"\0\x01\x0a\1\0\2\xff\xff\xff\0\x0a\1\0\xfe\x00\x1b\x1b\1\2\3")
    szl(s, 0x0F11, 0, 28)
    s.ud(4, 1, struct.pack(">HH", 0x0125, 1), err=0xD401, code=0x0A)
    s.ud(3, 1, None, b"".join(b"0" + bytes([k]) + struct.pack(">H", n) for k, n in ((0x38, 1), (0x41, 12), (0x45, 3))))
    s.ud(3, 2, b"0A", struct.pack(">HBBHBB", 10, 0x22, 5, 11, 0x22, 5))
    s.ud(3, 3, b"0A00010A", b"0A" + struct.pack(">HH", 0x4A, 0) + block("DB", 10, b"", name=b"RECIPE"))
    s.ud(3, 3, b"0A00099A", err=0xD209)
    s.close()


def cap_transport(t):
    s = S7(t)
    read = pdu(1, 1, b"\x04\x01" + any_item(2, 4, 1, 0x84, 0))
    good = pdu(3, 1, b"\x04\x01", value(0xFF, 4, b"\1\2\3\4", last=True))
    s.ref = 1
    s.c.to_server(dt(read[:9], False))
    s.c.to_server(dt(read[9:20], False))
    s.put(True, dt(read[20:]), 4)
    s.put(False, dt(good), 4, cut=[1, 4, 8, 20])            # one TPKT in five segments
    s.c.to_server(dt(b""))                                    # keep-alive
    n = s.c.to_server(dt(read) + dt(b"") + dt(read))          # three TPKTs in a segment
    t.expect(n, "s7comm", 4)
    t.expect(n, "s7comm", 4)
    n = s.c.to_client(dt(good) + dt(good))
    t.expect(n, "s7comm", 4)
    t.expect(n, "s7comm", 4)
    two = dt(read) + dt(read)
    first = s.c._send(0, two[:40], 0x18)                      # the second begins in one segment and ends in the next
    s.c.seq[0] += 40
    t.expect(first, "s7comm", 4)
    s.put(True, two[40:], 4)
    s.put(False, dt(good) + dt(good), 4)
    t.expect(t.n, "s7comm", 4)
    s.c.skip(True, 31)                                        # a request that the capture lost
    s.put(False, dt(pdu(3, 9, b"\x04\x01", value(0xFF, 4, b"\7", last=True))), 4)
    for ref in (10, 11):
        s.put(True, dt(pdu(1, ref, b"\x04\x01" + any_item(2, 1, 1, 0x84, 0))), 4)
        s.put(False, dt(pdu(3, ref, b"\x04\x01", value(0xFF, 4, b"\7", last=True))), 4)
    s.c.to_server(tpkt(b"\x06\x80\x00\x01\x00\x02\x80"))      # disconnect request
    s.close()
    c = t.tcp(ES, 49400, PLC, 102)
    c.to_server(connect(0xE0, b"\x03\x01"))
    c.to_client(tpkt(b"\x06\x80\x00\x01\x00\x00\x03"))        # refused: address unknown
    c.close()
    # an answer whose connection the capture did not see begin
    s = S7(t, HMI, PLC2, cport=49500, quiet=True)
    for ref in range(1, 4):
        s.put(True, dt(pdu(1, ref, b"\x05\x01" + any_item(4, 1, 2, 0x84, 16), value(0, 4, b"\0\x07", last=True))), 5)
        s.put(False, dt(pdu(3, ref, b"\x05\x01", b"\xff")), 5)


def text_args(*texts):
    out = b""
    for x in texts:
        out += bytes([len(x)]) + x + (b"" if len(x) % 2 else b"\0")
    return out


def cap_nc(t):
    s = S7(t, HMI, called=b"\x0d\x04")
    nck = lambda syntax, au, col, line, mod, n: bytes([0x12, 8, syntax, au]) + struct.pack(">HHBB", col, line, mod, n)
    s.job(b"\x04\x02" + nck(0x82, 0x41, 120, 1, 0x7F, 1) + nck(0x83, 0x01, 12, 2, 0x14, 3), b"\x04\x02",
          back=value(0xFF, 9, bytes(8)) + value(0x0A, 0, b"", last=True))
    s.job(b"\x05\x01" + nck(0x82, 0x41, 17, 1, 0x15, 1), b"\x05\x01", data=value(0, 9, struct.pack("<d", 2.5)), back=b"\xff")
    drive = b"\x12\x0a\xa2" + bytes(5) + struct.pack(">HH", 2000, 0)
    s.job(b"\x04\x01" + drive, b"\x04\x01", back=value(0xFF, 9, b"\0\0\x05\xdc", last=True))
    for name, args in ((b"_N_SELECT", text_args(b"P01", b"/_N_MPF_DIR/_N_TEIL1_MPF")), (b"_N_F_DELE", text_args(b"P01", b"/_N_X_MPF")),
                       (b"_N_LOGIN_", text_args(b"001", b"SUNRISE")), (b"_N_NCKMOD", text_args(b"001", b"1", b"2", b"1")),
                       (b"_N_ZZZZZZ", text_args(b"001"))):
        s.job(pi(name, args))
    s.ud(0x3F, 1, b"/_N_MPF_DIR/_N_TEIL2_MPF\0", b"\x08\0")
    for i in range(3):
        s.tell(0, 0x3F, 2, b"\0\xfb00000120" + b"20260105091112  " + b"/_N_MPF_DIR/_N_TEIL2_MPF\nG1 X%d\n" % i, seq=1, unit=i, more=int(i < 2),
               kind=0, from_client=True)
    s.ud(0x3F, 4)
    s.ud(0x3F, 6, b"\x08\0/_N_MPF_DIR/_N_TEIL1_MPF\0")
    s.close()


def cap_malformed(t):
    s = S7(t, size=240)
    item = any_item(2, 4, 1, 0x84, 0)
    long = pdu(1, 2, b"\x04\x01" + item)
    s.put(True, dt(long[:6] + b"\0\x7f" + long[8:]), 4)                               # parameter length too long
    s.put(False, dt(pdu(3, 2, b"\x04\x01", value(0xFF, 4, b"\1\2\3\4", last=True)) + b"\xaa\xbb"), 4)  # more than announced
    s.job(b"\x04\x03" + item, b"\x04\x01", back=value(0xFF, 4, b"\1\2\3\4", last=True))   # three items said, one there
    s.job(b"\x04\x01" + item, b"\x04\x02", back=value(0xFF, 4, b"\1\2\3\4") + value(0xFF, 4, b"\1", last=True))
    s.job(b"\x05\x01" + any_item(6, 1, 1, 0x84, 0), b"\x05\x01", data=value(0, 4, b"\1\2", last=True), back=b"\xff")
    s.job(b"\x04\x01" + any_item(2, 1, 1, 0x99, 0), b"\x04\x01", back=b"\x05\0\0\0")
    s.job(b"\x04\x01\x12\x03\x66\1\2", b"\x04\x01", back=b"\x06\0\0\0")
    s.job(b"\x77\1\2\3", b"", err=0x8104)
    s.job(b"\x05\x01" + any_item(2, 230, 1, 0x84, 0), b"\x05\x01", data=value(0, 4, bytes(230), last=True), back=b"\xff")
    s.c.to_server(dt(b"\x32\x05\0\0\0\x09\0\0\0\0"))                                  # reserved message type
    s.c.to_server(dt(b"\x32"))
    s.c.to_server(dt(b"\x55\x01\0\0"))                                                # another protocol in between
    s.c.to_server(tpkt(b"\x02\x60\x01"))                                              # AK: not in class 0
    s.job(b"\x1b\0\0\0\0\0\0\0" + file_name("DB", 5), b"\x1b\0", back=piece(b"\1\2"), by_server=True)  # nobody asked
    s.job(b"\x1a\x00\x01\x00\0\0\0\0\x09_0Z00010P\x0d1000100000050")
    s.job(pi(b"_INSE", b"\x02\0" + file_name("FC", 1)[2:]))
    s.ud(4, 99)
    s.put(True, dt(pdu(7, 50, bytes([0, 1, 0x12, 4, 0x11, 0x44, 1, 0]), b"\xff\x09\0\x40\0\x11\0\0")), "7:4:1")
    s.job(b"\x04\x01" + item, b"\x04\x01", back=value(0xFF, 4, b"\1\2\3\4", last=True))
    s.close()


def cap_others(t):
    c = t.tcp(ES, 49600, PLC, 102)
    c.to_server(connect(0xE0, b"SIMATIC-ROOT-ES", b"\x06\x00"))
    c.to_client(connect(0xD0, b"SIMATIC-ROOT-ES", b"\x06\x00"))
    for i in range(3):
        c.to_server(dt(b"\x72\x01\x00\x10\x31\0\0\x04\xca\0\0\0" + bytes([i]) + bytes(7) + b"\x72\x01\0\0"))
        c.to_client(dt(b"\x72\x01\x00\x10\x32\0\0\x04\xca\0\0\0" + bytes([i]) + bytes(7) + b"\x72\x01\0\0"))
    c.close()
    c = t.tcp(ES, 49601, PLC, 102)
    c.to_server(connect(0xE0, b"\0\x01", b"\0\x01"))
    c.to_client(connect(0xD0, b"\0\x01", b"\0\x01"))
    for i in range(3):
        n = c.to_server(dt(b"\x01\0\x01\0\x61\x10\x30\x0e\x02\x01\x03\xa0\x09\xa0\x07\x02\x01" + bytes([i]) + b"\xa1\x02\xa0\0"))
        t.expect(n, "mms", "0:1")
        n = c.to_client(dt(b"\x01\0\x01\0\x61\x10\x30\x0e\x02\x01\x03\xa0\x09\xa1\x07\x02\x01" + bytes([i]) + b"\xa1\x02\xa0\0"))
        t.expect(n, "mms", "1:1")
    c.close()
    c = t.tcp(ES, 49602, PLC2, 102)
    c.to_server(connect(0xE0, b"SIMATIC-ROOT-ES", b"\x06\x00"))
    c.to_client(connect(0xD0, b"SIMATIC-ROOT-ES", b"\x06\x00"))
    c.to_server(dt(b"\x16\x03\x01\0\x05\x01\0\0\x01\0"))
    c.to_client(dt(b"\x16\x03\x03\0\x05\x02\0\0\x01\0"))
    c.close()
    s = S7(t, HMI)
    s.job(b"\x04\x01" + any_item(2, 4, 1, 0x84, 0), b"\x04\x01", back=value(0xFF, 4, b"\1\2\3\4", last=True))
    s.close()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "s7comm")
    os.makedirs(out, exist_ok=True)
    for name, build in sorted(globals().items()):
        if name.startswith("cap_"):
            t = Trace(os.path.join(out, name[4:] + ".pcap"), ouis={PLC: "00:1b:1b:00:00:00", PLC2: "00:1c:06:00:00:00"})
            build(t)
            t.save()


if __name__ == "__main__":
    main()
