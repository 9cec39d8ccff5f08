#!/usr/bin/env python3
"""seeds.py ROOT OUT: seeds for the fuzz targets, OUT/<target>/*, out of the project's captures, rules and documents.

The corpora in tests/fuzz/corpus are these, with what fuzzing found, made small by libFuzzer (run.sh).
"""
import glob
import hashlib
import os
import re
import struct
import sys

root, out = sys.argv[1:3]
LINKS = {1: 0, 0: 3, 101: 8, 113: 12, 276: 15, 108: 11, 228: 13, 229: 14}
IP = (b"\x08\x00", b"\x86\xdd", b"\x08\x06")
PORTS = [502, 20000, 102, 44818, 2404, 4001, 10102, 2222]


def put(target, data):
    folder = os.path.join(out, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, hashlib.sha1(data).hexdigest()[:16]), "wb") as f:
        f.write(data)


def packets(path):
    data = open(path, "rb").read()
    end = "<" if data[:1] in (b"\xd4", b"\x4d") else ">"
    link, at = struct.unpack(end + "I", data[20:24])[0], 24
    while at + 16 <= len(data):
        sec, sub, n, wire = struct.unpack(end + "IIII", data[at:at + 16])
        yield link, sec * 1000 + sub // 1000, data[at + 16:at + 16 + n]
        at += 16 + n


def transport(frame):
    """(udp, src, dst, sport, dport, seq, flags, payload) of an Ethernet frame with IPv4."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return None
    ip = frame[14:14 + struct.unpack(">H", frame[16:18])[0]]
    hl = (ip[0] & 15) * 4
    if struct.unpack(">H", ip[6:8])[0] & 0x1fff or len(ip) < hl + (20 if ip[9] == 6 else 8):
        return None
    if ip[9] == 17:
        sp, dp = struct.unpack(">HH", ip[hl:hl + 4])
        return True, ip[12:16], ip[16:20], sp, dp, 0, 0, ip[hl + 8:]
    if ip[9] == 6:
        sp, dp, seq = struct.unpack(">HHI", ip[hl:hl + 8])
        return False, ip[12:16], ip[16:20], sp, dp, seq, ip[hl + 13], ip[hl + (ip[hl + 12] >> 4) * 4:]
    return None


def flows(proto, path):
    """One input of fuzz_dissector a flow, at most 60 chunks each."""
    seen = {}
    for _, _, frame in packets(path):
        t = transport(frame)
        at = 18 if frame[12:14] == b"\x81\x00" else 14
        kind = frame[at - 2:at]
        if not t and kind >= b"\x06\x00" and kind not in IP:
            t = "eth", frame[:6], frame[6:12], kind, kind, 0, 0, frame[at:]
        if not t or not t[7]:
            continue
        udp, src, dst, sp, dp, _, _, payload = t
        key = (udp, *sorted([(src, sp), (dst, dp)]))
        if key not in seen:
            seen[key] = [(src, sp), []]
        client, chunks = seen[key]
        chunks.append((((src, sp) != client), payload))
    for (udp, a, b), (client, chunks) in seen.items():
        flags = (10 if udp == "eth" else 2 if udp else 0) | (0 if {a[1], b[1]} & {4001, 4818, 10102, 20001} else 1)
        for i in range(0, len(chunks), 60):
            put(proto, bytes([flags]) + b"".join(struct.pack("<BH", s, len(p)) + p for s, p in chunks[i:i + 60]))


def stream(path):
    data, n = b"", 0
    nxt, ids, opener = {}, {}, {}
    last = None
    for _, ms, frame in packets(path):
        t = transport(frame)
        if not t:
            continue
        udp, src, dst, sp, dp, seq, flags, payload = t
        conv = (udp, *sorted([(src, sp), (dst, dp)]))
        server = opener.setdefault(conv, (src, sp)) != (src, sp)
        port = next((p for p in (sp, dp) if p in PORTS), 4001)
        who = PORTS.index(port) | (8 if udp else 0) | (16 if server else 0) | 32
        rel = 0 if (conv, server) not in nxt else (seq - nxt[conv, server] + 2**31) % 2**32 - 2**31
        nxt[conv, server] = (seq + len(payload) + bool(flags & 3)) % 2**32
        data += struct.pack("<BBhBH", who, flags & 31, max(-32768, min(32767, rel)), min(255, ms - (last or ms)), len(payload)) + payload
        last, n = ms, n + 1
        if n % 80 == 0:
            put("stream", data)
            data = b""
    if data:
        put("stream", data)


def decode(path):
    for link, _, frame in packets(path):
        if link in LINKS:
            put("decode", struct.pack("<BBBH", LINKS[link], 0, 1, len(frame)) + frame)


for path in sorted(glob.glob(os.path.join(root, "pcaps/*/*.pcap"))):
    proto = os.path.basename(os.path.dirname(path))
    if os.path.exists(os.path.join(root, "dissectors", proto + ".c")):
        flows(proto, path)
    if os.path.getsize(path) < 20000:
        stream(path)
        put("pcapfile", open(path, "rb").read()[:3000])
    decode(path)
for path in glob.glob(os.path.join(root, "rules/default/*.yaml")):
    text = open(path).read()
    for part in re.split(r"(?m)^(?=- id:)", text):
        put("rules", part.encode())
        put("yaml", part.encode())
for path in glob.glob(os.path.join(root, "docs/*.md")):
    for block in re.findall(r"```yaml\n(.*?)```", open(path).read(), re.S):
        put("conf", block.encode())
        put("yaml", block.encode())
for text in ("", "mode: learn\n", "limits:\n  flows: 2048\n  time_jump: 1h\n", "protocols:\n  modbus: {tcp: [1502], off: false}\n",
             "outputs:\n  - {type: file, path: a.jsonl, severity: major}\n", "maintenance:\n  - {name: a, window: {from: 2026-05-01 06:00,"
             " to: 2026-05-03 18:00}}\n", "timezone: CET-1CEST,M3.5.0,M10.5.0/3\n"):
    put("conf", text.encode())
