#!/usr/bin/env python3
"""partial.py: captures that hold a part of what was said. What a snap length cut and what the other direction said is
no fault of the devices: no anomaly is told that the whole capture does not have.

  partial.py TYTO SOURCE_ROOT [CASE...]
"""
import glob
import json
import os
import struct
import subprocess
import sys

from cases import case, folder, main

TYTO, ROOT = (os.path.abspath(p) for p in sys.argv[1:3])
sys.path.insert(0, os.path.join(ROOT, "pcaps/gen"))
import wire  # noqa: E402

HEAD = 16
MAGIC = (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")  # of the few built in another form there are tests


def built():
    return sorted(glob.glob(os.path.join(ROOT, "pcaps/*/*.pcap")))


def read(path):
    """The file's header, and its packets: (header, bytes)."""
    with open(path, "rb") as f:
        data = f.read()
    at, packets = 24, []
    while at + HEAD <= len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        packets.append((data[at:at + HEAD], data[at + HEAD:at + HEAD + n]))
        at += HEAD + n
    return data[:24], packets


def write(path, head, packets):
    with open(path, "wb") as f:
        f.write(head + b"".join(h + d for h, d in packets))


def cut(packets, n):
    return [(h[:8] + struct.pack("<I", min(n, len(d))) + h[12:], d[:n]) for h, d in packets]


def ends(d):
    """Of a TCP segment over IPv4 in an untagged frame: (source, destination, flags), else None."""
    if d[12:14] != b"\x08\0" or len(d) < 48 or d[23] != 6:
        return None
    l4 = 14 + (d[14] & 15) * 4
    return d[26:30] + d[l4:l4 + 2], d[30:34] + d[l4 + 2:l4 + 4], d[l4 + 13]


def one_way(packets, of_client):
    """Without the TCP segments of one side; the client is who sent the SYN, or whose peer has the lower port."""
    client, kept = {}, []
    for h, d in packets:
        e = ends(d)
        if e:
            key = frozenset(e[:2])
            if key not in client:
                first = bool(e[2] & 2) and not e[2] & 16 or not e[2] & 2 and e[1][4:] < e[0][4:]
                client[key] = e[0] if first else e[1]
        if not e or (e[0] == client[key]) == of_client:
            kept.append((h, d))
    return kept


def play(path, *args):
    out, log, stats = (os.path.join(os.path.dirname(path), x) for x in ("alerts", "events", "stats"))
    for old in (out, log):
        if os.path.exists(old):
            os.remove(old)  # alerts are added to what is there
    subprocess.run([TYTO, "replay", "-q", "-d", ":memory:", "--no-ndpi", "-o", out, "-e", log, "--stats", stats, *args,
                    path], check=True)
    alerts, events = ([json.loads(x) for x in open(f)] for f in (out, log))
    return alerts, events, json.load(open(stats))


def anomalies(played):
    """Names, and between whom: of events, and of alerts, which tell of messages without one, too."""
    found = set()
    for r in played[0] + played[1]:
        names = set((r.get("ot") or {}).get("anomalies") or [])
        if r["event_type"] == "alert" and r["tyto"].get("anomaly"):
            names.add(r["tyto"]["anomaly"])
        found |= {(n, frozenset((r.get("src_ip"), r.get("dest_ip")))) for n in names}
    return found


WHOLE = {}  # path: anomalies of the whole capture


def none_new(*changes):
    tmp = folder()
    part, wrong = os.path.join(tmp, "part.pcap"), []
    for path in built():
        head, packets = read(path)
        if head[:4] not in MAGIC:
            continue
        if path not in WHOLE:
            write(part, head, packets)
            WHOLE[path] = anomalies(play(part))
        for change in changes:
            write(part, head, change(packets))
            new = anomalies(play(part)) - WHOLE[path]
            if new:
                wrong.append((os.path.relpath(path, ROOT), sorted(n for n, _ in new)))
    assert not wrong, wrong


@case
def what_the_snap_length_cut_is_no_anomaly():
    none_new(*(lambda p, n=n: cut(p, n) for n in (60, 68, 82, 120)))


@case
def a_direction_that_is_not_seen_is_no_anomaly():
    none_new(lambda p: one_way(p, True), lambda p: one_way(p, False))


def dialogue(t, n=20):
    c = t.tcp("10.0.0.5", 50000, "10.0.0.10", 502)
    for k in range(n):
        c.to_server(struct.pack(">HHHBBHH", k, 0, 6, 1, 3, 0, 4))
        c.to_client(struct.pack(">HHHBBB", k, 0, 11, 1, 3, 8) + bytes(8))


@case
def of_a_message_that_is_cut_is_told_what_is_there():
    t = wire.Trace(os.path.join(folder(), "whole.pcap"))
    dialogue(t)
    t.save()
    head, packets = read(t.path)
    for n, functions in ((60, 0), (61, 0), (62, 20), (63, 20)):  # a request has 54 + 12 bytes, the function is the 62nd
        path = os.path.join(folder(), "cut.pcap")
        write(path, head, cut(packets, n))
        _, events, stats = play(path)
        ot = [e["ot"] for e in events if e["event_type"] == "modbus"]
        assert [o["function"] for o in ot if o["function"]] == ["3"] * functions, (n, len(ot))
        assert all(o["truncated"] and not o["anomalies"] for o in ot), n
        assert stats["streams"]["malformed"] == 0 and stats["dropped"]["unsynchronised_bytes"] >= functions * 5, stats
        assert stats["truncated"] == sum(len(d) > n for _, d in packets), n


@case
def whole_messages_beside_one_that_is_cut_keep_their_anomalies():
    t = wire.Trace(os.path.join(folder(), "whole.pcap"))
    c = t.tcp("10.0.0.5", 50000, "10.0.0.10", 502)
    bad = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, 200)
    c.to_server(bad + struct.pack(">HHHBBHH", 2, 0, 6, 1, 3, 0, 201))
    t.save()
    head, packets = read(t.path)
    path = os.path.join(folder(), "cut.pcap")
    write(path, head, cut(packets, 54 + 12 + 11))
    events = play(path)[1]
    assert [e["ot"]["anomalies"] for e in events] == [["quantity_out_of_range"], []], events
    assert [e["ot"].get("truncated") for e in events] == [None, True]


if __name__ == "__main__":
    main(sys.argv[3:])
