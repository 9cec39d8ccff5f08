#!/usr/bin/env python3
"""copies.py: packets that a mirror port or a redundant network delivers more than once do what they do once.

  copies.py TYTO SOURCE_ROOT [CASE...]

Each capture is replayed with one worker, with three and with eight, as in run.py, and says the same each time.
"""
import struct
import sys

import cases
from cases import case
from run import config, lldp, play, trace

import bacnet  # noqa: E402
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


cases.main(sys.argv[3:])
