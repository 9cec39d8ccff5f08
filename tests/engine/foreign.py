#!/usr/bin/env python3
"""foreign.py: on a port that is a protocol's, what is not that protocol is told (OT-ANO-010), where the connection is
known from its beginning; nothing is that may be the rest of one.

  foreign.py TYTO SOURCE_ROOT [CASE...]
"""
import json
import os
import random
import struct
import subprocess
import sys

from cases import CASES, case, folder, main

import run

del CASES[:]  # of run.py, whose words are used here
RANDOM = random.Random(3)
BYTES = {
    "random": [(RANDOM.randbytes(300), RANDOM.randbytes(300)) for _ in range(6)],
    "text": [(b"hello plc how are you\n", b"fine thanks\n")] * 6,
    "zeros": [(bytes(50), bytes(50))] * 6,
    "short": [(b"GET /index.html HTTP/1.1\r\nHost: plc\r\n\r\n", b"")],
}
PORTS = {"modbus": 502, "dnp3": 20000, "iec104": 2404, "enip": 44818, "opcua": 4840, "s7comm": 102}


def say(c, talk):
    for q, a in talk:
        if q:
            c.to_server(q)
        if a:
            c.to_client(a)


def told(r):
    return r.of("OT-ANO-010")


def modbus(n=6):
    return [(run.read_regs(k), run.regs(k)) for k in range(n)]


def s7(n=4):
    ask = bytes.fromhex("0300001611e00000000100c0010ac1020100c2020102"), bytes.fromhex(
        "0300001611d00001000200c0010ac1020100c2020102")
    job = bytes.fromhex("0300001902f08032010000000000080000f0000001000101e0")
    return [ask] + [(job, bytes.fromhex("0300001b02f080320300000000000800000000f0000001000100f0"))] * n


def size(talk):
    return sum(len(q) + len(a) for q, a in talk)


@case
def bytes_of_no_protocol_are_told_once_a_link_and_counted():
    for name, talk in BYTES.items():
        for proto, port in PORTS.items():
            if (name, proto) in (("zeros", "enip"), ("short", "modbus")):
                continue  # the command NOP; what may be the beginning of an RTU frame
            t = run.trace()
            for k in range(3):
                c = t.tcp("10.0.0.1", 50000 + k, "10.0.1.1", port)
                say(c, talk)
                c.close()
            r = run.play(t, "--no-ndpi")
            assert len(told(r)) == 1, (name, port, told(r))
            n = r.stats["dropped"]["unsynchronised_bytes"]
            assert n == 3 * size(talk), (name, port, n)


@case
def a_protocol_of_ours_on_the_port_of_another_is_told():
    for talk, port in ((modbus(), 102), (modbus(), 2404), (modbus(), 44818), (s7(), 502), (s7(), 20000)):
        t = run.trace()
        say(t.tcp("10.0.0.1", 50000, "10.0.1.1", port), talk)
        r = run.play(t, "--no-ndpi")
        assert len(told(r)) == 1 and r.events, (port, told(r))
        assert r.stats["dropped"]["unsynchronised_bytes"] == 0


@case
def a_configured_port_has_its_owner():
    conf = run.config("protocols: {modbus: {ports: [1502]}}\n")
    for talk, n in ((modbus(), 0), (s7(), 1), (BYTES["random"], 1)):
        t = run.trace()
        say(t.tcp("10.0.0.1", 50000, "10.0.1.1", 1502), talk)
        assert len(told(run.play(t, "--no-ndpi", *conf))) == n
        t = run.trace()
        say(t.tcp("10.0.0.1", 50000, "10.0.1.1", 1503), talk)
        assert not told(run.play(t, "--no-ndpi", *conf))


@case
def the_port_of_a_client_is_nobodys():
    for port in PORTS.values():
        t = run.trace()
        c = t.tcp("10.0.0.1", port, "10.0.1.1", 8888)
        say(c, BYTES["random"])
        c.close()
        r = run.play(t, "--no-ndpi")
        assert not told(r) and r.stats["dropped"]["unsynchronised_bytes"] == 0, port


@case
def what_the_capture_joined_in_the_middle_is_not_told():
    for talk in (BYTES["random"], BYTES["text"], s7()):
        t = run.trace()
        c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502, handshake=False)
        say(c, talk)
        c.close()
        assert not told(run.play(t, "--no-ndpi"))


@case
def behind_a_hole_nothing_is_told():
    for skip in (True, False):
        t = run.trace()
        c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
        c.skip(skip, 100)
        say(c, BYTES["random"])
        c.close()
        assert not told(run.play(t, "--no-ndpi"))


@case
def of_a_cut_capture_nothing_is_told():
    t = run.trace()
    t.path = os.path.join(folder(), "whole.pcap")
    say(t.tcp("10.0.0.1", 50000, "10.0.1.1", 502), BYTES["random"])
    t.save()
    data, at = open(t.path, "rb").read(), 24
    out = data[:24]
    while at < len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        kept = min(n, 100)
        out += data[at:at + 8] + struct.pack("<I", kept) + data[at + 12:at + 16 + kept]
        at += 16 + n
    path = os.path.join(folder(), "cut.pcap")
    open(path, "wb").write(out)
    r = run.once(path, 1, ["--detect", "--no-ndpi"], folder())
    assert "OT-ANO-010" not in r[0][0], r[0][0]


@case
def what_the_owner_of_the_port_takes_is_its_own():
    def crc(b):
        v = 0xFFFF
        for x in b:
            v ^= x
            for _ in range(8):
                v = v >> 1 ^ (0xA001 if v & 1 else 0)
        return b + struct.pack("<H", v)
    rtu = [(crc(bytes([1, 3, 0, 0, 0, 2])), crc(bytes([1, 3, 4, 0, 1, 0, 2])))] * 6
    hello = b"\x03\0\0\x13\x02\xf0\x80Hello World?"  # behind the connection request of ISO transport: not ours to say
    for talk, port in ((rtu, 502), (modbus(), 502), (s7(), 102), (s7(0) + [(hello, hello)] * 6, 102)):
        t = run.trace()
        c = t.tcp("10.0.0.1", 50000, "10.0.1.1", port)
        say(c, talk)
        c.close()
        assert not told(run.play(t, "--no-ndpi")), port


@case
def on_a_learned_link_it_is_one_alert():
    tmp = folder()
    db, alerts = os.path.join(tmp, "db"), os.path.join(tmp, "alerts")
    paths = []
    for k, talk in enumerate((modbus(20), BYTES["text"])):
        t = run.trace(start=1767607872.0 + 100 * k)
        t.path = os.path.join(tmp, f"{k}.pcap")
        c = t.tcp("10.0.0.1", 50000 + k, "10.0.1.1", 502)
        say(c, talk)
        c.close()
        t.save()
        paths.append(t.path)
    for mode, path in (("--learn", paths[0]), ("--detect", paths[1])):
        subprocess.run([run.TYTO, "replay", "-q", "-d", db, "-o", alerts, "--no-ndpi", mode, path], check=True)
    found = [json.loads(line) for line in open(alerts)]
    assert [(a["tyto"]["id"], a["tyto"]["also"]) for a in found] == [("OT-ANO-010", ["OT-POL-003"])], found
    key = found[0]["tyto"]["accept"].split()[-1]
    assert key.startswith("app:"), key
    run.ask("baseline", "accept", "-d", db, key)


if __name__ == "__main__":
    main(sys.argv[3:])
