#!/usr/bin/env python3
"""recognise.py: whose connection it is, where the capture begins inside a message, where packets are missing, where
somebody sends rubbish first, and on ports that are nobody's.

  recognise.py TYTO SOURCE_ROOT [CASE...]

Conversations of the built captures are played again, changed; what was said must be found all the same.
"""
import collections
import json
import os
import random
import struct
import subprocess
import sys

from cases import case, folder, main

TYTO, ROOT = (os.path.abspath(p) for p in sys.argv[1:3])
sys.path.insert(0, os.path.join(ROOT, "pcaps/gen"))
import wire  # noqa: E402

SEGMENT = 1448
OWN_PORT = {"dnp3/control": 20000, "enip/tags": 44818, "iec104/commands": 2404, "mms/control": 102,
            "modbus/functions": 502, "opcua/values": 4840, "s7comm/control": 102}


def packets(name):
    with open(os.path.join(ROOT, "pcaps", name + ".pcap"), "rb") as f:
        data = f.read()
    at = 24
    while at + 16 <= len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def talk(name, proto=6):
    """What the two of the capture's longest conversation said: (by the one who began, bytes) each."""
    found = collections.defaultdict(list)
    for d in packets(name):
        if d[12:14] != b"\x08\0" or d[23] != proto:
            continue
        ip = d[14:14 + struct.unpack_from(">H", d, 16)[0]]
        l4 = ip[(ip[0] & 15) * 4:]
        ends = (ip[12:16] + l4[:2], ip[16:20] + l4[2:4])
        said = l4[(l4[12] >> 4) * 4:] if proto == 6 else l4[8:]
        if ends[::-1] in found:
            found[ends[::-1]].append((False, said))
        else:
            found[ends].append((True, said))
    longest = max(found.values(), key=lambda t: sum(1 for x in t if x[1]))
    return [(first, said) for first, said in longest if said]


def rubbish(n, seed=1):
    """Bytes that begin no message of any protocol here."""
    return bytes([0xEE]) + random.Random(seed).randbytes(n - 1)


def put(c, first, data, cut=()):
    (c.to_server if first else c.to_client)(data, cut=cut)


def begin(port, handshake=False):
    t = wire.Trace("")
    ends = ("10.0.1.1", 50000, "10.0.0.1", port)
    return t, t.tcp(*ends, handshake=handshake)


def play(t, *args):
    """Events, the same for one worker and for three; their alerts."""
    tmp = folder()
    t.path = os.path.join(tmp, "capture.pcap")
    t.save()
    texts = []
    for n in ("1", "3"):
        out = [os.path.join(tmp, k + n) for k in ("events", "alerts", "stats")]
        subprocess.run([TYTO, "replay", "-q", "--detect", "-w", n, "-d", ":memory:", "-e", out[0], "-o", out[1],
                        "--stats", out[2], *args, t.path], check=True, timeout=120)
        texts.append([open(p).read() for p in out[:2]])
    assert texts[0] == texts[1], "not the same with three workers"
    events, alerts = ([json.loads(line) for line in x.splitlines()] for x in texts[0])
    return [e for e in events if "ot" in e], alerts


def told(events):
    return collections.Counter((e["event_type"], e["ot"]["kind"], e["ot"]["function_name"], e["ot"]["outcome"])
                               for e in events)


def same(what, found, expected):
    assert expected and found == expected, f"{what}: missing {expected - found}, too many {found - expected}"


def on_port(name, before):
    """The same conversation with what before() sends ahead of it."""
    said = talk(name)
    results = []
    for do in (lambda t, c: None, before):
        t, c = begin(OWN_PORT[name])
        do(t, c)
        for first, data in said:
            put(c, first, data)
        results.append(told(play(t)[0]))
    same(name, results[1], results[0])


# ---- on its own port a protocol is never given up ----

@case
def capture_begins_in_a_long_message():
    for name in OWN_PORT:
        for n, size in ((6, SEGMENT), (200, SEGMENT), (300, 1)):
            def before(t, c):
                for k in range(n):
                    c.to_client(rubbish(size, k))
            on_port(name, before)


@case
def rubbish_that_the_receiver_skips():
    for name in ("dnp3/control", "iec104/commands", "modbus/functions"):
        for side in (True, False):
            def before(t, c):
                for k in range(6):
                    put(c, side, rubbish(11, k))
            on_port(name, before)


@case
def datagrams_of_rubbish_first():
    said = talk("bacnet/values", 17)
    for n, between in ((0, 0), (6, 0), (70, 0), (6, 1)):
        t = wire.Trace("")
        for k in range(n):
            t.udp("10.0.1.1", 47808, "10.0.0.1", 47808, rubbish(12, k))
        for k, (first, data) in enumerate(said):
            a, b = ("10.0.1.1", "10.0.0.1") if first else ("10.0.0.1", "10.0.1.1")
            for _ in range(between):
                t.udp("10.0.1.1", 47808, "10.0.0.1", 47808, rubbish(12, 1000 + k))
            t.udp(a, 47808, b, 47808, data)
        found = told(play(t)[0])
        if not n:
            expected = found
        same(f"{n} datagrams of rubbish", found, expected)


# ---- missing packets ----

def middle(said):
    """Where in it the one who began starts to speak, about half way."""
    return next(i for i in range(len(said) // 2, len(said)) if said[i][0] and not said[i - 1][0])


@case
def much_of_a_long_message_after_a_missing_packet():
    """More segments out of step than would make the sensor doubt a connection of which nothing was understood."""
    for name, port in [*OWN_PORT.items(), *((n, 31337) for n in ("modbus/functions", "dnp3/control", "opcua/values"))]:
        said, results = talk(name), []
        for n in (0, 45):
            t, c = begin(port, handshake=True)
            for k, (first, data) in enumerate(said):
                if n and k == middle(said):
                    c.skip(False, SEGMENT)
                    for i in range(n):
                        c.to_client(rubbish(SEGMENT, i))
                    t.wait(5)
                put(c, first, data)
            results.append(told(play(t)[0]))
            same(f"{name} on {port}, {n} segments", results[-1], results[0])


@case
def datagrams_of_rubbish_later():
    said, results = talk("bacnet/values", 17), []
    for n in (0, 33, 300):
        t = wire.Trace("")
        for k, (first, data) in enumerate(said):
            for i in range(n if k == middle(said) else 0):
                t.udp("10.0.1.1", 47808, "10.0.0.1", 47808, rubbish(12, i))
            a, b = ("10.0.1.1", "10.0.0.1") if first else ("10.0.0.1", "10.0.1.1")
            t.udp(a, 47808, b, 47808, data)
        results.append(told(play(t)[0]))
        same(f"{n} datagrams of rubbish", results[-1], results[0])


@case
def next_message_in_the_last_segment_of_one_with_a_hole():
    """The length of the long message (a NOP of 40,000 bytes) was known before the hole: the next one begins behind it,
    in the middle of a segment. With two holes, too; and not where the hole reaches beyond the message."""
    nop = struct.pack("<HHII8sI", 0, 40000, 0, 0, b"", 0) + rubbish(40000)
    said = talk("enip/tags")
    at = middle(said)
    for holes in ((), (3,), (3, 20), (25, 26)):
        t, c = begin(44818, handshake=True)
        for first, data in said[:at]:
            put(c, first, data)
        for i in range(0, len(nop) - SEGMENT, SEGMENT):
            if i // SEGMENT in holes:
                c.skip(True, SEGMENT)
            else:
                c.to_server(nop[i:i + SEGMENT])
        c.to_server(nop[i + SEGMENT:] + said[at][1])
        for _ in holes:  # each is given up once it was acknowledged for a while
            t.wait(0.01)
            c.raw(False, b"", 0x10)
        for first, data in said[at + 1:]:
            put(c, first, data)
        found = told([e for e in play(t)[0] if e["ot"]["function_name"] != "nop"])
        if not holes:
            expected = found
        same(f"holes {holes}", found, expected)


# ---- ports that are nobody's ----

@case
def modbus_of_which_nothing_tells_the_length():
    """Diagnostics that begin with Return Query Data, UMAS alone: what belongs together tells."""
    for name in ("modbus/diagnostics", "modbus/umas"):
        said, results = talk(name), []
        for port, handshake in ((502, True), (12345, True), (12345, False)):
            t, c = begin(port, handshake)
            for first, data in said:
                put(c, first, data)
            events, _ = play(t)
            results.append(told(events))
            same(f"{name} on {port}", results[-1], results[0])
            assert {e["src_ip"] for e in events} == {"10.0.1.1"}, (name, port)


@case
def what_only_looks_like_it_is_not_modbus():
    """Answers of another transaction, unit or function; random bodies behind a header that could be one; an echo."""
    def adu(tid, unit, fn, body):
        return struct.pack(">HHHBB", tid, 0, len(body) + 2, unit, fn) + body

    r = random.Random(7)
    for other in range(5):
        t, c = begin(12345, handshake=True)
        for k in range(60):
            data = r.randbytes(r.randrange(4, 40))
            if other == 4:
                c.to_server(data)
                c.to_client(data)
                continue
            tid, unit, fn = k, 1, 66
            c.to_server(adu(tid, unit, fn, data))
            c.to_client(adu(tid + (other == 1) * 500, unit + (other == 2), 90 if other == 3 else fn + (other == 0), data))
        events, _ = play(t)
        assert not events, (other, told(events))


@case
def modbus_device_that_dials_in():
    """Whoever opened the connection, the one that asks is the client; on Modbus's own port it is who opened it."""
    for name in ("modbus/functions", "modbus/diagnostics"):
        for handshake in (True, False):
            said, (t, c) = talk(name), begin(12345, handshake)
            for first, data in said:
                put(c, not first, data)
            events, _ = play(t)
            assert told(events) and {e["src_ip"] for e in events} == {"10.0.0.1"}, (name, handshake)
    t, c = begin(502, handshake=True)
    for first, data in talk("modbus/functions"):
        put(c, first, data)
    assert {e["src_ip"] for e in play(t)[0]} == {"10.0.1.1"}


# ---- what is not the port's protocol ----

def web(n, seed):
    """Somebody else's server on 502, random bytes of every size behind its answers."""
    t, c = begin(502, handshake=True)
    r = random.Random(seed)
    for k in range(n):
        c.to_server(f"GET /{k} HTTP/1.1\r\nHost: plc.example\r\nUser-Agent: curl/8.0\r\n\r\n".encode())
        body = r.randbytes(r.randrange(1, SEGMENT - 200))
        c.to_client(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        for _ in range(r.randrange(4)):
            c.to_client(r.randbytes(r.randrange(1, SEGMENT)))
    return t


@case
def another_protocol_on_the_port_stays_another():
    """Nothing of that is Modbus, however long it lasts, and what it is (where nDPI says so) is told once."""
    for seed in range(3):
        few, many = play(web(3, seed)), play(web(400, seed))
        assert not many[0], told(many[0])
        wrong = [[a for a in alerts if a["tyto"]["id"] == "OT-ANO-010"] for _, alerts in (few, many)]
        assert len(wrong[0]) == len(wrong[1]) <= 1, wrong


if __name__ == "__main__":
    main(sys.argv[3:])
