#!/usr/bin/env python3
"""run.py: what the whole program makes of captures that are built here for one question each.

  run.py TYTO SOURCE_ROOT [CASE...]

Every capture is replayed with one worker, with three and with eight (whose rings are the smallest); alerts, events and
counters must be the same, and alerts also where no event is logged.
"""
import json
import os
import struct
import subprocess
import sys

from cases import case, folder, main

TYTO, ROOT = sys.argv[1:3]
sys.path.insert(0, os.path.join(ROOT, "pcaps/gen"))
import wire  # noqa: E402

YEAR = 365 * 86400


class Result:
    def __init__(self, alerts, events, stats, db):
        self.alerts, self.events, self.stats, self.db = alerts, events, stats, db

    def of(self, alert_id):
        last = {a["tyto"]["alert_uid"]: a for a in self.alerts if a["tyto"]["id"] == alert_id}
        return list(last.values())

    def count(self, name, outcome=None):
        return sum(e["event_type"] == name for e in self.events)


def once(path, workers, args, tmp, log=True):
    out = {k: os.path.join(tmp, f"{k}{workers}{log}") for k in ("alerts", "events", "stats", "db")}
    subprocess.run([TYTO, "replay", "-q", "-w", str(workers), "-d", out["db"], "-o", out["alerts"],
                    *(["-e", out["events"]] if log else []), "--stats", out["stats"], *args, path],
                   check=True, timeout=120)
    with open(out["stats"]) as f:
        stats = json.load(f)
    for key in ("workers", "wall_s", "memory_bytes"):
        stats.pop(key)
    texts = [open(out[k]).read() for k in ("alerts", "events") if log or k == "alerts"]
    return texts, stats, out["db"]


def explain(a):
    """Every alert says what was expected and what was seen, whom it is about, and in which packets it shows."""
    t, sensor = a["tyto"], a["tyto"]["id"].startswith("OT-OPS-")
    assert all(t[k] for k in ("why", "expected", "seen")), a
    who = "src_ip" in a or "ether" in a or t["src_asset"]
    assert who or sensor or t["why"].startswith("more than "), a
    assert t["evidence"]["frames"] or sensor, a
    pieces = t.get("anomaly") == "fragments_contradict"  # of a datagram: ports are in the first alone
    if a.get("proto") in ("TCP", "UDP") and {"src_ip", "dest_ip"} <= set(a) and not sensor and not pieces:
        assert {"src_port", "dest_port", "community_id"} <= set(a), a


def play(trace, *args, mode="--detect"):
    tmp = folder()
    trace.path = os.path.join(tmp, "capture.pcap")
    trace.save()
    args = ([mode] if mode else []) + list(args)
    one = once(trace.path, 1, args, tmp)
    for many in (once(trace.path, n, args, tmp) for n in (3, 8)):
        assert one[0][0] == many[0][0], "alerts differ with the number of workers"
        assert one[0][1] == many[0][1], "events differ with the number of workers"
        assert one[1] == many[1], f"counters differ with the number of workers: {one[1]} {many[1]}"
    assert one[0][0] == once(trace.path, 1, args, tmp, log=False)[0][0], "alerts differ where no events are logged"
    alerts, events = ([json.loads(line) for line in t.splitlines()] for t in one[0])
    for a in alerts:
        explain(a)
    return Result(alerts, events, one[1], one[2])


def ask(*args):
    return subprocess.run([TYTO, *args], check=True, capture_output=True, text=True).stdout


def config(text):
    path = os.path.join(folder(), "tyto.yaml")
    with open(path, "w") as f:
        f.write(text)
    return "-c", path


def trace(**kw):
    return wire.Trace("", **kw)


def read_regs(tid, first=0, n=2):
    return struct.pack(">HHHBBHH", tid, 0, 6, 1, 3, first, n)


def regs(tid, n=2):
    return struct.pack(">HHHBBB", tid, 0, 3 + 2 * n, 1, 3, 2 * n) + b"\0\1" * n


def poll(c, tid):
    c.to_server(read_regs(tid))
    c.to_client(regs(tid))


def polls(t, pairs, n, wait=0.1):
    for k in range(n):
        for c in pairs:
            poll(c, k)
        t.wait(wait)


def pairs(t, n=5):
    return [t.tcp(f"10.0.0.{i + 1}", 50000, f"10.0.1.{i + 1}", 502) for i in range(n)]


# ---- many workers, small rings ----

@case
def frames_as_large_as_a_file_may_hold():
    t = trace()
    for i in range(24):
        t.eth("02:00:00:00:00:01", f"02:00:00:00:01:{i:02x}", 0x88B8, bytes(262000))
    assert play(t).stats["packets"] == 24


@case
def one_busy_pair_among_idle_workers():
    t = trace()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    polls(t, [c], 3000, wait=0)
    assert play(t).count("modbus") == 3000


# ---- the clock ----

@case
def clock_set_back_a_year():
    t = trace()
    c = pairs(t)
    polls(t, c, 20)
    for x in c:
        x.to_server(read_regs(99))  # waits for ever
    t.now -= YEAR * 1_000_000
    before = len(t.packets)
    polls(t, c, 40)
    r = play(t)
    assert r.stats["streams"]["time_rebased"] == 1, r.stats["streams"]
    assert r.stats["streams"]["flows_set_back"] == 5, r.stats["streams"]
    alert, = r.of("OT-OPS-003")
    assert alert["tyto"]["quality"]["clock_ok"] is False
    assert alert["tyto"]["evidence"]["frames"] == [alert["pcap_cnt"]] and before < alert["pcap_cnt"] < before + 100, alert
    waits = [e for e in r.events if e["ot"]["kind"] == "request"]
    assert len(waits) >= 5, len(waits)
    # what waited is told when the old time ends, not at the end of the capture
    at = max(i for i, e in enumerate(r.events) if e in waits[:5])
    assert at < len(r.events) - 50, at
    assert r.count("modbus") >= 5 * 60, r.count("modbus")


@case
def clock_set_forward_ten_years():
    t = trace()
    c = pairs(t)
    polls(t, c, 20)
    t.wait(10 * YEAR)
    polls(t, c, 20)
    r = play(t)
    assert r.stats["streams"]["time_jumped"] == 1 and r.stats["streams"]["time_rebased"] == 0
    assert len(r.of("OT-OPS-003")) == 1
    assert r.count("modbus") == 5 * 40, r.count("modbus")


@case
def clock_starts_in_1970():
    t = trace(start=1.0)
    c = pairs(t)
    polls(t, c, 20)
    t.wait(56 * YEAR)
    polls(t, c, 20)
    r = play(t)
    assert len(r.of("OT-OPS-003")) == 1
    assert r.count("modbus") == 5 * 40, r.count("modbus")


@case
def one_packet_of_the_future():
    t = trace()
    c = pairs(t)
    polls(t, c, 20)
    t.wait(5 * YEAR)
    poll(c[0], 50)
    t.wait(-5 * YEAR)
    polls(t, c, 40)
    r = play(t)
    assert r.stats["streams"]["time_rebased"] == 1, r.stats["streams"]
    assert r.count("modbus") == 5 * 60 + 1, r.count("modbus")


@case
def silence_is_no_jump():
    t = trace()
    c = pairs(t)
    polls(t, c, 20)
    t.wait(86400 * 3)
    polls(t, c, 20)
    assert not play(t).of("OT-OPS-003")


# ---- the sensor itself ----

@case
def tables_that_are_full():
    t = trace()
    for i in range(3000):
        c = t.tcp(f"10.{i // 250}.1.{i % 250 + 1}", 50000, f"10.{i // 250}.2.{i % 250 + 1}", 502)
        poll(c, 1)
    r = play(t, *config("limits:\n  flows: 1024\n"))
    n = r.stats["evictions"]["flow_states"]
    assert n > 0, r.stats["evictions"]
    full = [a for a in r.of("OT-OPS-002") if a["tyto"]["why"].startswith("the table of flow_states ")]
    assert sum(a["tyto"]["count"] for a in full) == n, (n, full)


@case
def one_direction_only():
    t = trace()
    for i in range(6):
        c = wire.Tcp(t, f"10.0.0.{i + 1}", 50000, f"10.0.1.{i + 1}", 502, False, (1000, 5000))
        for k in range(8):
            c.to_server(struct.pack(">HHHBBHH", k, 0, 6, 1, 6, 7, k))  # writes a register
            t.wait(1)
        c.to_server(struct.pack(">HHHBBHH", 9, 0, 6, 1, 8, 4, 0))  # forces listen only mode: a rule of its own
    r = play(t)
    assert r.of("OT-OPS-004"), [a["tyto"]["id"] for a in r.alerts]
    ruled = [a for a in r.alerts if a["tyto"]["id"].startswith("OT-MOD")]
    assert ruled and all(a["tyto"]["quality"]["one_way"] for a in ruled), [a["tyto"]["id"] for a in r.alerts]
    links = json.loads(ask("links", "-d", r.db, "--json"))
    assert links and all(x["one_way"] for x in links), links


@case
def both_directions():
    t = trace()
    polls(t, pairs(t), 20)
    r = play(t)
    assert not r.of("OT-OPS-004")
    assert not any(a["tyto"]["quality"]["one_way"] for a in r.alerts)


# ---- copies of the mirror port ----

def busy(**kw):
    t = trace(**kw)
    c = pairs(t, 3)
    polls(t, c, 10, 0)
    for i in range(10):  # EtherNet/IP ListIdentity, asked by UDP
        t.udp("10.0.0.9", 50000 + i, "10.0.1.9", 44818, struct.pack("<HHIIQI", 0x63, 0, 0, 0, i, 0))
    for x in c:
        x.close()
    return t


def copies(t, delay_us, order=1):
    """Every packet once more, with another TTL; `order` packets together."""
    out = []
    for i in range(0, len(t.packets), order):
        some = t.packets[i:i + order]
        out += some
        for us, d in some:
            again = bytearray(d)
            again[22] -= 1
            out.append((max(some[-1][0], us) + delay_us, bytes(again)))
    t.packets = out


@case
def every_packet_twice():
    plain = busy(step=0.0002)
    n = len(plain.packets)
    want = play(plain)
    for order in (1, 2, 3):
        t = busy(step=0.0002)
        copies(t, 50, order)
        t.packets.sort(key=lambda p: p[0])
        r = play(t)
        assert len(r.events) == len(want.events), (order, len(r.events), len(want.events))
        assert r.stats["streams"]["retransmitted"] == 0, (order, r.stats["streams"])
        if order == 1:
            assert r.stats["duplicates"] == n, (r.stats["duplicates"], n)
    t = busy(step=0.0002)
    copies(t, 50)
    r = play(t, *config("limits:\n  duplicate_window: 0s\n"))
    assert r.stats["duplicates"] == 0 and r.stats["streams"]["retransmitted"] > 0, r.stats


@case
def sent_twice_is_no_copy():
    t = trace()
    for i in range(10):
        for _ in range(2):  # another identification each
            t.udp("10.0.0.9", 44818, "10.0.1.9", 44818, struct.pack("<HHIIQI", 0x63, 0, 0, 0, i, 0))
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    poll(c, 1)
    t.wait(0.3)
    c.raw(True, read_regs(1), seq_offset=-12)
    r = play(t)
    assert r.stats["duplicates"] == 0 and r.stats["streams"]["retransmitted"] == 1, r.stats
    assert r.stats["messages"]["enip"] == 20, r.stats["messages"]


# ---- what the bytes do not tell ----

@case
def counts_with_its_datagram_is_no_copy():
    t = trace()
    for _ in range(40):  # a counter that steps as the identification of the datagrams does
        t.udp("10.0.0.1", 3000, "10.0.1.1", 3000, struct.pack("<H", (t.ip_id + 2) ^ 0x1234))
    assert play(t).stats["duplicates"] == 0
    magic = bytes.fromhex("93fd5966b8fee8d6")  # what a simple hash would multiply by nothing
    for k in range(40):
        t.ip_id = 7
        t.udp("10.0.0.1", 3001, "10.0.1.1", 3001, struct.pack("<Q", k) + magic + b"the same")
        t.udp("10.0.0.1", 3002, "10.0.1.1", 3002, magic + struct.pack("<Q", k) + magic + b"the same")
    assert play(t).stats["duplicates"] == 0


@case
def iec104_field_sizes_by_configuration():
    t = trace()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 2404)
    for n in range(6):  # measured values of station 9, cause of two bytes (with originator 5), address of one
        asdu = struct.pack("<BBBBB", 13, 1, 3, 5, 9) + b"\x64\x01\x00" + struct.pack("<fB", 1.5, 0)
        c.to_client(b"\x68" + bytes((4 + len(asdu),)) + struct.pack("<HH", n << 1, 0) + asdu)
    r = play(t, *config("protocols:\n  iec104: {cause_size: 2, common_address_size: 1, object_address_size: 3}\n"))
    assert r.count("iec104") == 6
    for e in r.events:
        assert e["ot"]["unit"] == "9" and e["ot"]["anomalies"] == [], e["ot"]
        assert e["ot"]["objects"][0]["object"].endswith(":356"), e["ot"]
    plain = play(t)  # the lengths fit a cause of one byte and an address of two just as well
    assert any("other_field_sizes" in e["ot"]["anomalies"] for e in plain.events)
    assert all(e["ot"]["unit"] != "9" for e in plain.events), [e["ot"]["unit"] for e in plain.events]
    p = subprocess.run([TYTO, "config", "check", config("protocols: {iec104: {cause_size: 3}}\n")[1]], capture_output=True, text=True)
    assert p.returncode == 1 and ":1:" in p.stderr + p.stdout, p
    p = subprocess.run([TYTO, "config", "check", config("protocols: {modbus: {cause_size: 1}}\n")[1]], capture_output=True, text=True)
    assert p.returncode == 1, p


# ---- messages that come again and again ----

def lldp(name, port=b"7"):
    tlvs = (1, b"\x04" + b"\x02\x00\x0a\x00\x00\x01"), (2, b"\x07" + port), (3, b"\0\x14"), (5, name), (0, b"")
    return b"".join(struct.pack(">H", kind << 9 | len(body)) + body for kind, body in tlvs)


def announce(t, *frames):
    for f in frames:
        t.eth("01:80:c2:00:00:0e", "02:00:0a:00:00:01", 0x88CC, f)
        t.wait(5)


@case
def rule_on_a_field_of_what_repeats():
    rule = os.path.join(folder(), "r.yaml")
    with open(rule, "w") as f:
        f.write("- id: USR-1\n  title: t\n  severity: major\n  when: {protocol: lldp, lldp.system_name: s1}\n"
                "- id: USR-2\n  title: t\n  severity: major\n  when: {protocol: lldp, lldp.system_name: s1}\n"
                "  threshold: {count: 8, window: 5m, by: src}\n")
    t = trace()
    announce(t, *[lldp(b"s1")] * 8)
    r = play(t, "-r", rule)
    assert r.of("USR-1")[0]["tyto"]["count"] == 8, r.of("USR-1")
    assert r.of("USR-2"), "a repetition was not asked"
    assert len(r.events) == 8 and len({json.dumps(e["lldp"]) for e in r.events}) == 1, r.events
    assert r.events[0]["lldp"]["system_name"] == "s1" and r.events[7]["ot"]["objects"][0]["object"] == "port:7"


@case
def names_that_go_back_and_forth():
    t = trace()
    announce(t, *[lldp(b"s1"), lldp(b"s1"), lldp(b"s2"), lldp(b"s2"), lldp(b"s1"), lldp(b"s1")])
    r = play(t)
    assert [e["lldp"]["system_name"] for e in r.events] == ["s1", "s1", "s2", "s2", "s1", "s1"]
    assert [a["name"] for a in json.loads(ask("assets", "-d", r.db, "--json"))] == ["s1"], "told of s2, and not of s1 again"


# ---- what a threshold is told of ----

def asked(second, last):
    """Of two devices one is asked at 0 s and at second, the other at last: within two minutes that is one too many."""
    rule = os.path.join(folder(), "r.yaml")
    with open(rule, "w") as f:
        f.write("- id: USR-1\n  title: t\n  severity: major\n  when: {protocol: modbus, action: read}\n"
                "  threshold: {count: 2, window: 2m, by: src, distinct: dst}\n")
    t = trace(step=0.01)
    one, two = (t.tcp("10.0.0.1", 50000, f"10.0.1.{i}", 502) for i in (1, 2))
    begin = t.now
    for c, at in ((one, 0), (one, second), (two, last)):
        t.wait(max(0, at - (t.now - begin) / 1e6))
        poll(c, 1)
    return [a["tyto"]["count"] for a in play(t, "-r", rule).of("USR-1")]


@case
def a_thing_met_again_stays_in_the_count():
    assert asked(50, 100) == [2]
    assert asked(50, 165) == [2], "it was met again within two minutes of that"
    assert asked(50, 175) == []
    assert asked(0, 125) == []


def supervisory_frames(n):
    """IEC 104: an S frame whose reserved octet is not 0, n times."""
    t = trace()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 2404)
    c.to_server(bytes.fromhex("680407000000"))
    c.to_client(bytes.fromhex("68040b000000"))
    for k in range(n):
        c.to_server(bytes.fromhex("680443000000"))
        c.to_client(bytes.fromhex("680483000000"))
        c.to_server(bytes.fromhex("680401050000"))
        t.wait(1)
    return play(t)


@case
def many_malformed_messages_are_an_alert_of_their_own():
    r = supervisory_frames(30)
    (each,), (many,) = r.of("OT-PRO-016"), r.of("OT-PRO-002")
    assert each["tyto"]["count"] == many["tyto"]["count"] == 30, (each["tyto"], many["tyto"])
    assert not supervisory_frames(9).of("OT-PRO-002")


@case
def messages_that_break_a_standard_are_all_counted():
    t = trace()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    for k in range(2000):  # 20 minutes: windows end in between
        c.to_server(struct.pack(">HHHBBHH", k, 0, 6, 1, 3, 0, 2))
        c.to_client(struct.pack(">HHHBBB", k, 0, 9, 1, 3, 6) + b"\0\1" * 3)  # more than was asked for
        t.wait(0.6)
    r = play(t)
    found = [a["tyto"] for a in r.of("OT-PRO-010") + r.of("OT-PRO-001") if a["tyto"].get("anomaly")]
    assert sum(a["count"] for a in found) == 2000, found


# ---- devices behind a router ----

def routed(t, mac, invoke, service, body, answer):
    """A confirmed BACnet request to station `mac` of network 2001, and its answer, both through the router."""
    def packet(npdu, apdu):
        return struct.pack(">BBH", 0x81, 0x0A, 4 + len(npdu) + len(apdu)) + npdu + apdu
    to, back = struct.pack(">BBHBBB", 1, 0x24, 2001, 1, mac, 255), struct.pack(">BBHBB", 1, 0x08, 2001, 1, mac)
    t.udp("10.0.0.5", 47808, "10.0.0.9", 47808, packet(to, bytes((0, 5, invoke, service)) + body))
    t.udp("10.0.0.9", 47808, "10.0.0.5", 47808, packet(back, answer))


def points(t, mac, n):
    for k in range(n):
        what = struct.pack(">BIBB", 0x0C, k, 0x19, 85)
        routed(t, mac, k, 12, what, bytes((0x50, k, 12)) + b"\x91\x01\x91\x1f")  # unknown object


@case
def station_behind_a_router():
    t = trace()
    points(t, 5, 15)
    points(t, 6, 15)
    r = play(t)
    assert not r.of("OT-GEN-017"), "two stations were taken for one that is searched"
    points(t, 6, 25)
    routed(t, 6, 200, 20, b"\x09\0", bytes((0x20, 200, 20)))  # reinitialize: cold start
    r = play(t)
    found, restart = r.of("OT-GEN-017"), r.of("OT-BAC-002")
    assert len(found) == 1 and len(restart) == 1, (found, restart)
    station = [a["id"] for a in json.loads(ask("assets", "-d", r.db, "--json")) if "2001:6" in json.dumps(a["addresses"])]
    for a in found + restart:
        assert a["dest_ip"] == "10.0.0.9" and a["ot"]["unit"] == "2001:6", a
        assert [a["tyto"]["dest_asset"]["id"]] == station, (a["tyto"]["dest_asset"], station)
        assert "to 2001:6 behind 10.0.0.9: " in a["tyto"]["why"], a["tyto"]["why"]


# ---- packets that contradict themselves ----

@case
def packet_faults():
    t = trace()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    poll(c, 1)
    c.skip(True, 12)
    c.raw(True, b"a" * 30)
    t.wait(0.5)
    c.raw(True, b"a" * 10 + b"b" * 20)
    t.udp("10.0.0.2", 1000, "10.0.1.2", 1000, b"x" * 20)
    us, d = t.packets[-1]
    t.packets[-1] = us, d[:38] + b"\0\x70" + d[40:]  # a UDP length beyond the datagram
    r = play(t)
    names = sorted(a["tyto"]["anomaly"] for a in r.of("OT-PRO-003"))
    assert names == ["bad_header", "segments_contradict"], names
    t = trace()
    polls(t, pairs(t), 5)
    assert not play(t).of("OT-PRO-003")


@case
def who_speaks_to_a_group_is_the_client():
    t = trace()
    who_is = b"\x81\x0b\0\x0c\x01\x20\xff\xff\0\xff\x10\x08"  # to all BACnet devices
    for i in range(8):
        t.udp("10.10.2.10", 137, "10.10.255.255", 137, b"x" * 50)  # its address alone does not tell
        t.udp("10.10.2.10", 40000, "10.10.1.1", 40000, b"x" * 50)  # the higher address is taken for the server
        t.udp("10.10.2.20", 47808, "10.10.255.255", 47808, who_is)
        t.udp("10.10.2.30", 47808, "10.10.255.255", 4000, b"x" * 50)  # from a port of servers
        t.wait(1)
    r = play(t, mode="--learn")
    links = json.loads(ask("links", "-d", r.db, "--json"))
    ends = {(k["client"], k["server"], k["port"], k["packets_to_server"], k["packets_to_client"]) for k in links}
    assert {e for e in ends if "10.10.255.255" in e[:2]} == {("10.10.2.10", "10.10.255.255", 137, 8, 0),
                                                             ("10.10.2.20", "10.10.255.255", 47808, 8, 0),
                                                             ("10.10.2.30", "10.10.255.255", 4000, 8, 0)}, ends
    assets = {a["ips"][0]: a for a in json.loads(ask("assets", "-d", r.db, "--json"))}
    assert "10.10.255.255" not in assets, assets.keys()
    assert not any(s["port"] == 137 for s in assets["10.10.2.10"]["services"]), assets["10.10.2.10"]["services"]
    told = assets["10.10.2.20"]["type_reason"]
    assert "of 0 control server(s)" in told or "control server" not in told, told


@case
def forged_segment_with_a_wrong_checksum():
    t = trace()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    poll(c, 1)
    c.raw(True, struct.pack(">HHHBBHH", 2, 0, 6, 1, 6, 7, 9))  # its receiver would drop it
    us, d = t.packets[-1]
    t.packets[-1] = us, d[:50] + bytes((d[50] ^ 0x55,)) + d[51:]
    poll(c, 2)
    poll(c, 3)
    r = play(t)
    told = [(e["ot"]["kind"], e["ot"]["function_name"], e["ot"]["anomalies"]) for e in r.events]
    assert told.count(("transaction", "read_holding_registers", [])) == 2 and len(told) == 4, told
    assert ("request", "write_single_register", []) in told, told
    assert ("response", "read_holding_registers", ["function_mismatch"]) in told, told
    assert r.stats["streams"]["retransmitted"] == 1, r.stats["streams"]


if __name__ == "__main__":  # sight.py takes its tools from here
    main(sys.argv[3:])
