#!/usr/bin/env python3
"""trailers.py TYTO ROOT: what cards and packet brokers put behind a frame, or before its EtherType, changes no result,
and is counted."""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

TYTO, ROOT = (os.path.abspath(p) for p in sys.argv[1:3])
CAPTURES = ("plant/incident", "goose/steady", "goose/attacks", "goose/copies", "goose/routed", "lldp/devices",
            "pn_dcp/identify", "decode/encapsulations", "decode/fragments", "modbus/functions")


def read(path):
    """[seconds, nanoseconds, frame]"""
    with open(path, "rb") as f:
        data = f.read()
    nano, at, out = data[:4] == b"\x4d\x3c\xb2\xa1", 24, []
    assert data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") and data[20] == 1, path
    while at < len(data):
        sec, frac, n = struct.unpack_from("<III", data, at)
        out.append((sec, frac if nano else frac * 1000, data[at + 16:at + 16 + n].ljust(60, b"\0")))
        at += 16 + n
    return out


def write(path, packets):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for sec, ns, frame in packets:
            f.write(struct.pack("<IIII", sec, ns, len(frame), len(frame)) + frame)


# ---- what is put there ----

def crc(frame):
    return struct.pack("<I", zlib.crc32(frame))


def fcs(sec, ns, n, frame):
    return frame + crc(frame)


def metamako(sec, ns, n, frame):
    return frame + crc(frame) + struct.pack(">IIBHB", sec, ns, 1, 7, n % 48)


def metamako_extended(sec, ns, n, frame):
    """A sequence number (tag 0, one word) and a string (tag 31 and the longer length), read from the end; a new FCS."""
    tags = struct.pack(">I", n) + struct.pack(">I", 1 << 6 | 1 << 5) + b"hall 1  " + struct.pack(">I", 1 << 6 | 0x1F)
    return fcs(sec, ns, n, frame + crc(frame) + tags + struct.pack(">IIBHB", sec, ns, 3, 7, 9))


def exablaze(sec, ns, n, frame):
    fraction = (ns << 40) // 10**9
    return frame + crc(frame) + bytes([1, n % 16]) + struct.pack(">I", sec) + fraction.to_bytes(5, "big") + b"\0"


def checksum(b):
    s = sum(struct.unpack(f">{(len(b) + 1) // 2}H", b + b"\0" * (len(b) % 2)))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return struct.pack(">H", s ^ 0xFFFF)


def ixia(sec, ns, n, frame):
    t = bytes([6, 8]) + struct.pack(">II", sec, ns) + bytes([10]) + b"\xaf\x12"
    return frame + t + checksum(t)


def gigamon(sec, ns, n, frame):
    fields = bytes([2, 3, 0, n % 256, 9]) + bytes([4, 8]) + struct.pack(">II", sec, ns)
    t = fields + bytes([len(fields)]) + b"\x22\xe5"
    return frame + t + checksum(t)


def vss(sec, ns, n, frame):
    return fcs(sec, ns, n, frame + struct.pack(">II", sec, ns | 3 << 30) + bytes([n % 16]))


def of_no_known_kind(sec, ns, n, frame):
    return frame + struct.pack(">IH", n * 77777 & 0xFFFFFFFF, 0x1234)


def before_the_type(sec, ns, n, frame):
    return frame[:12] + struct.pack(">HHHII", 0xD28B, 1, 0x0110, sec, ns) + frame[12:]


def shorter_before_the_type(sec, ns, n, frame):
    return frame[:12] + struct.pack(">HHHHI", 0xD28B, 1, 0x0020, sec & 0xFFFF, ns) + frame[12:]


# kind, and whether all frames are counted: with an FCS, with a trailer
KINDS = ((fcs, 1, 0), (metamako, 0, 1), (metamako_extended, 1, 1), (exablaze, 0, 1), (ixia, 0, 1), (gigamon, 0, 1),
         (vss, 1, None), (of_no_known_kind, 0, None), (before_the_type, 0, 1), (shorter_before_the_type, 0, 1))


def replay(folder, packets, *args):
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "trace.pcap"), packets)
    subprocess.run([TYTO, "replay", "-q", "-d", ":memory:", "-o", "alerts.new", "-e", "events", "--stats", "stats",
                    "--oui-excerpt", *args, "trace.pcap"], check=True, cwd=folder)
    os.replace(folder + "/alerts.new", folder + "/alerts") # they are appended
    with open(folder + "/events") as e, open(folder + "/alerts") as a, open(folder + "/stats") as s:
        # where the evidence lies in the packet moves with what stands before it
        return e.read(), re.sub(r'"offset":\d+', "", a.read()), json.load(s)


def lan(packets):
    """Each frame by both networks of PRP (IEC 62439-3 4.2.7)."""
    out = []
    for n, (sec, ns, frame) in enumerate(packets):
        for which in (0xA, 0xB):
            out.append((sec, ns, frame + struct.pack(">HHH", n & 0xFFFF, which << 12 | (len(frame) - 14 + 6), 0x88FB)))
    return out


def is_ip(frame):
    return frame[12:14] in (b"\x08\x00", b"\x86\xdd") and len(frame) > 80


def check(tmp, name, packets):
    plain = replay(os.path.join(tmp, "plain"), packets)
    assert not plain[2]["decode"]["with_fcs"] and not plain[2]["decode"]["with_trailer"], (name, plain[2]["decode"])
    n_ip = sum(is_ip(f) for _, _, f in packets)
    for kind, has_fcs, has_trailer in KINDS:
        with_it = [(s, ns, kind(s, ns, n, f)) for n, (s, ns, f) in enumerate(packets)]
        for n_workers in ("1", "3"):
            got = replay(os.path.join(tmp, "with"), with_it, "-w", n_workers)
            where = f"{name}, {kind.__name__}, {n_workers} workers"
            for k, what in enumerate(("events", "alerts")):
                if got[k] != plain[k] and has_trailer is not None: # what is known after 32 packets may come too late
                    a, b = plain[k].splitlines(), got[k].splitlines()
                    first = next((i for i in range(min(len(a), len(b))) if a[i] != b[i]), min(len(a), len(b)))
                    raise AssertionError(f"{where}: {what} differ, {len(a)} and {len(b)}, at {first}: {a[first:first + 1]} "
                                         f"{b[first:first + 1]}")
            d = got[2]["decode"]
            assert d["with_fcs"] == has_fcs * len(packets), (where, d, len(packets))
            if has_trailer is not None:
                assert d["with_trailer"] == has_trailer * len(packets), (where, d, len(packets))
            elif n_ip > 100:
                assert d["with_trailer"] > n_ip - 40, (where, d, n_ip)
            assert got[2]["duplicates"] == plain[2]["duplicates"] or has_trailer is None, (where, got[2], plain[2])


def mixed(tmp):
    """An interface of which some frames have an FCS, from some moment on."""
    packets = read(os.path.join(ROOT, "pcaps/plant/incident.pcap"))
    part = [(s, ns, fcs(s, ns, n, f) if n > 2000 and n % 3 else f) for n, (s, ns, f) in enumerate(packets)]
    plain, got = replay(os.path.join(tmp, "plain"), packets), replay(os.path.join(tmp, "with"), part)
    assert got[0] == plain[0] and got[1] == plain[1]
    n = sum(1 for i in range(2001, len(packets)) if i % 3)
    assert n - 100 < got[2]["decode"]["with_fcs"] <= n, (got[2]["decode"], n)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        for name in CAPTURES:
            path = os.path.join(ROOT, "pcaps", name + ".pcap")
            check(tmp, name, read(path))
        check(tmp, "PRP", lan(read(os.path.join(ROOT, "pcaps/goose/steady.pcap"))))
        mixed(tmp)
    print(f"{len(CAPTURES) + 1} captures, {len(KINDS)} kinds: as it should be")


if __name__ == "__main__":
    main()
