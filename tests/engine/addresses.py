#!/usr/bin/env python3
"""addresses.py: which addresses are a device, and what is told of those that are none.

  addresses.py TYTO SOURCE_ROOT [CASE...]
"""
import json
import os
import socket
import struct
import sys

import cases
from cases import case, folder
from run import ask, play, poll, trace

cases.CASES.clear()


def write(c, tid):
    c.to_server(struct.pack(">HHHBBHH", tid, 0, 6, 1, 6, 7, tid))
    c.to_client(struct.pack(">HHHBBHH", tid, 0, 6, 1, 6, 7, tid))


def learned(client="10.0.0.5"):
    """A plant of one client and two servers that is known."""
    t = trace()
    for server in ("10.0.1.1", "10.0.1.2"):
        c = t.tcp(client, 50000, server, 502)
        for k in range(5):
            poll(c, k)
    db = os.path.join(folder(), "learned.db")
    play(t, mode="--learn")
    ask("replay", "-q", "--learn", "-d", db, "-o", os.path.join(folder(), "none"), t.path)
    return db


def judged(t):
    """Alerts of what comes to the learned plant; its devices by address; its links by both ends."""
    t.path = os.path.join(folder(), "then.pcap")
    t.save()
    db, out = learned(), os.path.join(folder(), "alerts")
    ask("replay", "-q", "--detect", "-d", db, "-o", out, t.path)
    with open(out) as f:
        alerts = [json.loads(line) for line in f]
    assets = json.loads(ask("assets", "-d", db, "--json"))
    links = json.loads(ask("links", "-d", db, "--json"))
    return alerts, {ip for a in assets for ip in a["ips"]}, {(k["client"], k["server"]) for k in links}


@case
def who_commands_from_a_link_local_address_is_told():
    t = trace(start=1770000000)
    c = t.tcp("169.254.7.7", 50000, "10.0.1.1", 502)
    for k in range(4):
        write(c, k)
    t.udp("169.254.7.8", 5353, "224.0.0.251", 5353, b"x" * 40)  # to whom it may concern
    alerts, ips, links = judged(t)
    told = [a for a in alerts if a["tyto"]["id"] == "OT-POL-002" and a["src_ip"] == "169.254.7.7"]
    assert told and told[-1]["dest_ip"] == "10.0.1.1" and told[-1]["tyto"]["dest_asset"], alerts
    assert "change something" in told[-1]["tyto"]["why"], told[-1]["tyto"]["why"]
    assert not any(ip.startswith("169.254") for ip in ips), ips
    assert ("169.254.7.7", "10.0.1.1") in links and not any(a == "169.254.7.8" for a, _ in links), links


@case
def an_address_of_virtual_routers_is_no_device():
    t = trace(start=1770000000)
    sha = bytes.fromhex("00005e000107")
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + sha + socket.inet_aton("10.0.0.254") + bytes(6)
    t.eth("ff:ff:ff:ff:ff:ff", sha, 0x0806, body + socket.inet_aton("10.0.0.254"))
    t.arp(1, "10.0.0.9", "10.0.0.254")
    _, ips, _ = judged(t)
    assert "10.0.0.254" not in ips and "10.0.0.9" in ips, ips


@case
def the_loopback_is_no_internet():
    t = trace(start=1770000000)
    poll(t.tcp("127.0.0.1", 50000, "10.0.1.1", 502), 1)
    alerts, _, _ = judged(t)
    assert alerts and not any(a["tyto"]["id"] == "OT-POL-040" for a in alerts), alerts


@case
def a_device_has_every_tag_it_is_met_with():
    t = trace()
    t.vlan = 10
    poll(t.tcp("10.0.0.5", 50000, "10.0.1.1", 502), 1)
    t.vlan = 20
    poll(t.tcp("10.0.0.5", 50001, "10.0.1.1", 502), 2)
    r = play(t)
    assets = json.loads(ask("assets", "-d", r.db, "--json"))
    assert len(assets) == 2 and all(a["vlans"] == [10, 20] for a in assets), assets


if __name__ == "__main__":
    cases.main(sys.argv[3:])
