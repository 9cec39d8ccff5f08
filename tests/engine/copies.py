#!/usr/bin/env python3
"""copies.py: packets that a mirror port or a redundant network delivers more than once do what they do once.

  copies.py TYTO SOURCE_ROOT [CASE...]

Each capture is replayed with one worker, with three and with eight, as in run.py, and says the same each time.
"""
import struct
import sys

import cases
from cases import case
from run import config, lldp, play, poll, trace

import bacnet  # noqa: E402
import dnp3  # noqa: E402
import goose  # noqa: E402
import pn_dcp  # noqa: E402

cases.CASES.clear()
MULTICAST = "01:80:c2:00:00:0e"


def told(r):
    """What was told, without times, packets and what follows from them."""
    return sorted((e["event_type"], e["ot"]["kind"], e["ot"]["function_name"], e["ot"]["outcome"]) for e in r.events)


def again(t, delay_us, change=bytes):
    """Every packet once more, so much later."""
    t.packets = sorted(t.packets + [(us + delay_us, change(d)) for us, d in t.packets], key=lambda p: p[0])
    return t


# ---- layer 2 ----

def commissioning(t):
    """PROFINET DCP: who is there, then a name, set and acknowledged, three times."""
    pn_dcp.send(t, pn_dcp.STATION, pn_dcp.ALL, pn_dcp.IDENTIFY, 0, 1, pn_dcp.block((255, 255)), delay=1)
    for xid in (2, 3, 4):
        pn_dcp.send(t, pn_dcp.STATION, pn_dcp.PLC, pn_dcp.SET, 0, xid, pn_dcp.block(pn_dcp.NAME, b"plc-1", 1))
        pn_dcp.send(t, pn_dcp.PLC, pn_dcp.STATION, pn_dcp.SET, 1, xid, pn_dcp.result(pn_dcp.NAME))
    t.expected.clear()


def announcements(t):
    for name in (b"s1", b"s1", b"s2"):
        t.eth(MULTICAST, "02:00:0a:00:00:01", 0x88CC, lldp(name))
        t.wait(5)


def building(t):
    """BACnet on 802.3: who is there, and a property that is read."""
    a, b = "02:00:00:00:00:01", "02:00:00:00:00:02"

    def llc(dst, src, apdu, **kw):
        body = b"\x82\x82\x03" + bacnet.npdu(apdu, **kw)
        t.eth(dst, src, len(body), body)
    llc("ff:ff:ff:ff:ff:ff", a, bacnet.who_is())
    llc("ff:ff:ff:ff:ff:ff", b, bacnet.i_am(3001, 18))
    for k in range(3):
        llc(b, a, bacnet.ask(12, struct.pack(">BIBB", 0x0C, k, 0x19, 85), k), reply=True)
        llc(a, b, bytes((0x50, k, 12)) + b"\x91\x01\x91\x1f")
        t.wait(0.1)


@case
def frames_of_layer_2_are_processed_once():
    for build in (commissioning, announcements, building):
        plain = trace()
        build(plain)
        n, want = len(plain.packets), told(play(plain))
        for delay in (5, 1900):
            t = trace(step=0.003)
            build(t)
            r = play(again(t, delay))
            assert told(r) == want, (build.__name__, delay, told(r), want)
            assert r.stats["duplicates"] == n, (build.__name__, r.stats["duplicates"], n)
        t = trace(step=0.003)
        build(t)
        more = play(again(t, 5), *config("limits:\n  duplicate_window: 0s\n"))
        assert len(more.events) > len(want) and more.stats["duplicates"] == 0, (build.__name__, more.stats["duplicates"])


# ---- redundant networks ----

def prp(frame, seq, lan):
    return frame + struct.pack(">HHH", seq, (10 + lan) << 12 | len(frame) - 14 + 6, 0x88FB)


def hsr(frame, seq, lan):
    return frame[:12] + struct.pack(">HHH", 0x892F, lan << 12 | len(frame) - 12 + 4, seq) + frame[12:]


def both_lans(t, lag_us, tag=prp):
    """Each frame over two LANs, the second one late; each sender counts its own."""
    next_of, out = {}, []
    for us, d in t.packets:
        seq = next_of[d[6:12]] = next_of.get(d[6:12], 0xFFF0) + 1 & 0xFFFF
        out += [(us, tag(d, seq, 0)), (us + lag_us, tag(d, seq, 1))]
    t.packets = sorted(out, key=lambda p: p[0])
    return t


def station(t):
    """GOOSE of two publishers, an operate to all outstations by UDP, PROFINET DCP, and a Modbus connection."""
    a, b = goose.Publisher(t), goose.Publisher(t, cb="gcb02", appid=0x1002, values=[goose.int32(1)])
    for k in range(12):
        a.send()
        b.send()
        if k == 5:
            a.change([goose.boolean(1), goose.quality(), goose.dbpos(2), goose.quality()])
            a.send()
    c = t.tcp("10.0.0.1", 50000, "10.0.1.1", 502)
    for k in range(12):
        apdu = bytes((0xC0 | k, dnp3.READ)) + dnp3.classes(1, 2)
        t.udp("10.0.0.5", 20000, "10.0.0.7", 20000, dnp3.link(0xC4, 10, 1, bytes((0xC0 | k,)) + apdu))
        poll(c, k)
    commissioning(t)


def lines(r):
    return told(r), sorted((a["tyto"]["id"], a["alert"]["signature"]) for a in r.alerts)


def once(r):
    """What is no copy of GOOSE, each of which is an event."""
    r.events = [e for e in r.events if e.get("goose", {}).get("change") != "copy"]
    return r


@case
def two_lans_that_differ_in_delay():
    plain = trace(step=0.0007)
    station(plain)
    n = len(plain.packets)
    want = lines(play(plain))
    assert len(want[0]) > 50, want
    for tag, lag in ((prp, 1), (prp, 3000), (prp, 20000), (hsr, 3000)):
        t = trace(step=0.0007)
        station(t)
        r = once(play(both_lans(t, lag, tag)))
        assert lines(r) == want, (tag.__name__, lag, lines(r), want)
        assert r.stats["duplicates"] == r.stats["redundant"] == n, (tag.__name__, lag, r.stats, n)
        assert r.stats["streams"]["retransmitted"] == 0, r.stats["streams"]
    t = trace(step=0.0007)
    station(t)
    r = play(both_lans(t, 500000))
    assert lines(once(r)) != want and r.stats["duplicates"] == 0, "half a second is more than a network forgets in"


def identity(t, us, i, seq, lan):
    """EtherNet/IP ListIdentity by UDP, with an identification of 0: only the number tells it from another one."""
    t.ip_id = 0xFFFF
    t.udp("10.0.0.9", 50000, "10.0.1.9", 44818, struct.pack("<HHIIQI", 0x63, 0, 0, 0, i, 0))
    t.packets[-1] = us, prp(t.packets[-1][1], seq, lan)


@case
def what_is_no_pair():
    for second, found in (((0, 7, 1), 1), ((0, 8, 1), 2), ((0, 7, 0), 2), ((1, 7, 1), 2)):
        t = trace()
        identity(t, t.now, 0, 7, 0)
        identity(t, t.now + 5000, *second)
        r = play(t)
        assert r.stats["messages"].get("enip") == found, (second, r.stats["messages"])
        assert r.stats["duplicates"] == 2 - found, (second, r.stats["duplicates"])


# ---- several before the copies ----

def burst(n):
    """n answers in a row, then their copies, in the same order."""
    t = trace(step=0.0001)
    for i in range(n):
        t.udp("10.0.0.9", 50000, "10.0.1.9", 44818, struct.pack("<HHIIQI", 0x63, 0, 0, 0, i, 0))
    return t


@case
def copies_behind_others():
    for n in (2, 5, 9):
        t = again(burst(n), 950)
        r = play(t)
        assert r.stats["duplicates"] == n and r.stats["messages"]["enip"] == n, (n, r.stats["duplicates"])
        t = again(burst(n), 2050)
        assert play(t).stats["duplicates"] == 0, "later than limits.duplicate_window"
        t = again(burst(n), 2050)
        assert play(t, *config("limits:\n  duplicate_window: 3ms\n")).stats["duplicates"] == n


@case
def alike_but_of_two_senders():
    t = trace(step=0.00005)
    for k in range(20):
        for i in range(4):  # of one pair of addresses; each says what the one before it said two rounds ago
            one, two = ("10.0.0.9", 50000 + i), ("10.0.1.9", 44818)
            for ends, n in ((one + two, k - 4 * i), (two + one, k - 4 * i - 2)):
                t.ip_id = 7
                t.udp(*ends, struct.pack("<HHIIQI", 0x63, 0, 0, 0, n + 100, 0))
    r = play(t)
    assert r.stats["duplicates"] == 0 and r.stats["messages"]["enip"] == 160, r.stats["duplicates"]


cases.main(sys.argv[3:])
