#!/usr/bin/env python3
"""fragments.py: what IP fragments say, and what they do not.

  fragments.py TYTO SOURCE_ROOT [CASE...]

Each capture is replayed with one worker, with three and with eight, as in run.py, and says the same each time.
"""
import json
import struct
import sys

import cases
from cases import case
from run import ask, pairs, play, polls, trace

import decode  # noqa: E402

cases.CASES.clear()


def piece(src, dst, proto, data, ident, off, more):
    return decode.frame(src, dst, 0x0800, decode.ip4(src, dst, proto, data, ident, more << 13 | off // 8))


def in_pieces(frame, ident, from_client):
    """Both directions, unlike: what a client sends comes in three pieces, what a server sends in two."""
    n, data = 8 if from_client else 16, frame[34:34 + int.from_bytes(frame[16:18], "big") - 20]
    src, dst = (".".join(str(b) for b in frame[at:at + 4]) for at in (26, 30))
    cuts = [0, n, n + 8] if from_client else [0, n]
    ends = cuts[1:] + [len(data)]
    return [piece(src, dst, frame[23], data[a:b], ident, a, b != len(data)) for a, b in zip(cuts, ends)]


def links(r):
    rows = json.loads(ask("links", "-d", r.db, "--json"))
    return sorted((x["client"], x["server"], x["proto"], x["port"], x["one_way"]) for x in rows)


def told(r):
    return [(e["event_type"], e["src_ip"], e["dest_ip"], e["dest_port"], e["ot"]["function_name"]) for e in r.events]


def traffic(proto):
    t = trace()
    if proto == "tcp":
        polls(t, pairs(t, 3), 300, 2)
    for i in range(300 if proto == "udp" else 0):  # EtherNet/IP ListIdentity
        t.udp("10.0.0.9", 50000, "10.0.1.9", 44818, struct.pack("<HHIIQI", 0x63, 0, 0, 0, i, 0))
        t.wait(3)
    return t


@case
def fragmented_is_the_same_conversation():
    for proto in ("tcp", "udp"):
        want = play(traffic(proto))
        t = traffic(proto)
        t.packets = [(us, f) for i, (us, d) in enumerate(t.packets)
                     for f in (in_pieces(d, i + 1, d[30:33] == b"\x0a\0\1") if len(d) > 60 else [d])]
        r = play(t)
        assert r.stats["decode"]["reassembled"] > 200, r.stats["decode"]
        assert told(r) == told(want), (proto, len(r.events), len(want.events))
        assert links(r) == links(want), (proto, links(r), links(want))
        assert sorted(a["tyto"]["id"] for a in r.alerts) == sorted(a["tyto"]["id"] for a in want.alerts), (proto, r.alerts)


@case
def lone_pieces_make_no_links():
    t = trace()
    for i in range(200):
        t.frame(piece(f"10.0.2.{i % 50 + 1}", f"10.0.3.{i % 7 + 1}", (6, 17)[i % 2], bytes(64), i, 64 * (i % 3 + 1), 1))
    r = play(t)
    assert r.stats["decode"]["fragments"] == 200 and r.stats["decode"]["reassembled"] == 0, r.stats["decode"]
    assert links(r) == [], links(r)
    assert len(json.loads(ask("assets", "-d", r.db, "--json"))) == 50, "the senders are there, whoever they were sent to is not"


@case
def pieces_that_contradict_each_other():
    t = trace()
    for k in range(30):  # three pairs; of the first the datagram becomes whole, of the others never
        for i in range(3):
            a, b = f"10.0.0.{i + 1}", f"10.0.1.{i + 1}"
            t.frame(piece(a, b, 17, struct.pack(">HHHH", 3000, 3001, 40, 0) + bytes(8), k, 0, 1))
            t.frame(piece(a, b, 17, b"\1" * 16, k, 8, 1))
            if i == 0:
                t.frame(piece(a, b, 17, bytes(16), k, 24, 0))
        t.wait(1)
    r = play(t)
    found = r.of("OT-PRO-003")
    assert {a["tyto"]["anomaly"] for a in found} == {"fragments_contradict"}, found
    assert {(a["src_ip"], a["dest_ip"]) for a in found} == {(f"10.0.0.{i}", f"10.0.1.{i}") for i in (1, 2, 3)}, found
    assert all(a["tyto"]["count"] <= 2 for a in found), "told once a window"
    assert [x[3] for x in links(r)] == [3000], links(r)


cases.main(sys.argv[3:])
