#!/usr/bin/env python3
"""plant_life.py: what inventory, baseline, rules and alerts promise, one small plant and one question each.

  plant_life.py TYTO SOURCE_ROOT [CASE...]

Each case replays captures that are built here into one database, as a sensor would meet them day after day, and asks
the commands what they know.
"""
import json
import os
import struct
import sys

from cases import case, main
from plant_kit import EWS, HMI, PLC, Plant, day, ids, modbus, one, ordinary, wire


# ---- inventory ----

@case
def one_subnet_in_two_cells_is_two_devices():
    p = Plant("networks: [{name: cell1, vlan: 11}, {name: cell2, vlan: 12}]\n")
    t = day(0)
    for vlan in (11, 12):
        t.vlan = vlan
        ordinary(t)
    p.replay(t, "--learn")
    found = p.assets()
    assert set(found) == {(n, a) for n in ("cell1", "cell2") for a in (HMI, PLC)}, set(found)
    assert len({a["id"] for a in found.values()}) == 4


@case
def a_router_is_one_device_and_the_asked_for_are_none():
    p = Plant()
    t = day(0)
    mac = t._mac
    t._mac = lambda ip: wire.mac("00:00:0c:01:02:03") if ip.startswith("172.16.") else mac(ip)
    for i in range(20):
        ordinary(t, 1, client=f"172.16.0.{i + 1}")
    t.arp(1, HMI, "10.0.0.200")  # asked for, never there
    t.udp("0.0.0.0", 68, "255.255.255.255", 67, b"x" * 240)
    t.udp("169.254.7.7", 5353, "224.0.0.251", 5353, b"x" * 40)
    p.replay(t, "--learn")
    found = json.loads(p.ask("assets", "-d", p.db, "--json"))
    router = [a for a in found if "00:00:0c:01:02:03" in a["macs"]]
    assert len(router) == 1 and router[0]["type"] == "router", [(a["ips"], a["type"]) for a in router]
    remote = [a for a in found if a["ips"] and a["ips"][0].startswith("172.16.")]
    assert len(remote) == 20 and not any(a["macs"] for a in remote)
    ips = {ip for a in found for ip in a["ips"]}
    assert not ips & {"10.0.0.200", "0.0.0.0", "169.254.7.7", "224.0.0.251", "255.255.255.255"}, ips


@case
def each_mac_address_that_a_device_sends_with_is_told():
    p = Plant()
    t = day(0)
    mac, other = t._mac, {}
    t._mac = lambda ip: wire.mac(other[ip]) if ip in other else mac(ip)
    first = {HMI: mac(HMI), PLC: mac(PLC)}
    second = {HMI: wire.mac("00:00:5e:00:53:01"), PLC: wire.mac("00:00:5e:00:53:02")}

    def say(src, dst, macs):
        other.update({ip: m.hex(":") for ip, m in macs.items()})
        t.udp(src, 9000 if src == HMI else 9001, dst, 9001 if src == HMI else 9000, b"x" * 40)

    say(PLC, HMI, first)
    say(HMI, PLC, second)
    say(PLC, HMI, second)  # which was first seen as receiver
    say(HMI, PLC, first)
    for i in range(6):     # a mirror that has both sides of a router
        say(*((PLC, HMI) if i & 1 else (HMI, PLC)), second if i & 2 else first)
    p.replay(t, "--learn")
    found = p.assets()
    for ip in (HMI, PLC):
        assert set(found["default", ip]["macs"]) == {first[ip].hex(":"), second[ip].hex(":")}, found["default", ip]


@case
def roles_and_services_follow_from_behaviour():
    p = Plant()
    t = day(0)
    ordinary(t)
    p.replay(t, "--learn")
    found = p.assets()
    plc, hmi = found["default", PLC], found["default", HMI]
    assert (plc["type"], hmi["type"]) == ("controller", "hmi")
    assert [(s["proto"], s["port"], s["protocols"]) for s in plc["services"]] == [("TCP", 502, ["modbus"])]
    assert {"kind": "unit", "value": "1"} in plc["addresses"]


@case
def a_controller_that_answers_only_later_is_one():
    p = Plant()
    t = day(0)
    c = t.tcp(HMI, 50000, PLC, 502)
    for k in range(40):
        c.to_server(struct.pack(">HHHBBHH", k, 0, 6, 1, 3, 0, 1))
        if k >= 20:  # switched on in between
            c.to_client(struct.pack(">HHHBBBH", k, 0, 5, 1, 3, 2, 7))
        t.wait(2)
    p.replay(t, "--learn")
    assert p.assets()["default", PLC]["type"] == "controller"


@case
def a_gateway_whose_units_answer_only_later_is_one():
    p = Plant()
    t = day(0)
    c = t.tcp(HMI, 50000, PLC, 502)
    for k in range(60):
        unit = 1 + k % 3
        if unit > 1 and k < 30:  # refused: the gateway has no path to it yet
            modbus(c, 3, 0, 1, tid=k, unit=unit, error=10)
        else:
            modbus(c, 3, 0, 1, tid=k, unit=unit)
        t.wait(2)
    p.replay(t, "--learn")
    assert "gateway" in p.assets()["default", PLC]["roles"]


# ---- baseline ----

@case
def only_what_is_new_alerts_and_says_against_what():
    p = Plant()
    t = day(0)
    ordinary(t)
    assert p.replay(t, "--learn") == []
    t = day(1)
    ordinary(t)
    assert p.replay(t, "--detect") == []
    t = day(2)
    c = ordinary(t)
    modbus(c, 16, 400, [7])
    modbus(c, 3, 12, 10)       # inside the gap allowance of reads
    modbus(c, 3, 500, 10)      # outside
    modbus(c, 6, 100, 9)       # another function
    modbus(c, 3, 0, 10, error=4)
    found = p.replay(t, "--detect")
    assert ids(found) == ["OT-POL-010", "OT-POL-016", "OT-POL-016", "OT-POL-017"], ids(found)
    write, read = sorted((a for a in found if a["tyto"]["id"] == "OT-POL-016"), key=lambda a: a["alert"]["severity"])
    assert write["alert"]["severity"] == 2 and read["alert"]["severity"] == 3
    assert "holding_register:400" in write["tyto"]["why"] and "learned 100-101" in write["tyto"]["why"]
    assert "holding_register:400 = 7" in write["tyto"]["seen"], write["tyto"]["seen"]
    assert "server_device_failure" in one(found, "OT-POL-017")["tyto"]["why"]
    for a in found:
        p.accept(a)
    t = day(3)
    c = ordinary(t)
    for fn, first, value, error in ((16, 400, [7], None), (3, 500, 10, None), (6, 100, 9, None), (3, 0, 10, 4)):
        modbus(c, fn, first, value, error=error)
    assert p.replay(t, "--detect") == []


@case
def several_objects_of_one_message_are_one_alert():
    p = Plant()
    t = day(0)
    ordinary(t)
    p.replay(t, "--learn")
    t = day(1)
    c = ordinary(t)
    req = struct.pack(">BHHHHB", 23, 0, 2, 900, 1, 2) + b"\0\7"  # reads and writes in one message
    c.to_server(struct.pack(">HHHB", 9, 0, len(req) + 1, 1) + req)
    c.to_client(struct.pack(">HHHBBB", 9, 0, 7, 1, 23, 4) + b"\0\1\0\1")
    a = one(p.replay(t, "--detect"), "OT-POL-010")
    assert a["alert"]["severity"] == 2 and "on holding_register:900" in a["tyto"]["why"], a["tyto"]["why"]
    p.accept(a)
    t = day(2)
    c = ordinary(t)
    c.to_server(struct.pack(">HHHB", 9, 0, len(req) + 1, 1) + req)
    c.to_client(struct.pack(">HHHBBB", 9, 0, 7, 1, 23, 4) + b"\0\1\0\1")
    assert p.replay(t, "--detect") == []


@case
def a_pair_that_knows_each_other_and_speaks_otherwise():
    p = Plant()
    t = day(0)
    ordinary(t)
    ordinary(t, client=EWS, server="10.0.0.11")
    p.replay(t, "--learn")

    def news(client, server, port, answered=True):
        t = day(1)
        t.tcp(client, 40000, server, port) if answered else t.ip(
            client, server, 6, struct.pack(">HHIIBBHHH", 40000, port, 1, 0, 0x50, 2, 1024, 0, 0))
        found = p.replay(t, "--detect")
        assert len(found) == 1, found
        return found[0]
    for client, server, known in ((HMI, PLC, "TCP/502 modbus"), (PLC, HMI, "TCP/502 modbus the other way")):
        for port, answered in ((2404, True), (4840, False)):
            a = news(client, server, port, answered)
            assert a["tyto"]["id"] == "OT-POL-003" and a["tyto"]["expected"] == known, a
            assert a["alert"]["severity"] == (2 if answered else 3) and f"between them: {known}" in a["tyto"]["why"], a
    assert news(HMI, PLC, 8080)["tyto"]["id"] == "OT-POL-003"  # of an IT service, too
    for server in (EWS, "10.0.0.11"):  # both known, but not to each other
        assert news(HMI, server, 502)["tyto"]["id"] == "OT-POL-002"


@case
def an_error_that_comes_again_is_counted():
    t = day(1)
    c, came = ordinary(t), {}
    for k in range(60):  # two errors of one object, and one every quarter of an hour of another
        for error in (2, 4)[:1 + k % 2]:
            modbus(c, 3, 0, 10, tid=k, error=error)
            came[error] = came.get(error, 0) + 1
        if k % 20 == 0:
            modbus(c, 16, 100, [1, 2], tid=k, error=3)
            came[3] = came.get(3, 0) + 1
        modbus(c, 3, 0, 10, tid=k)
        t.wait(45)
    told = set()
    for args in (["-w", "1"], ["-w", "2"], ["-w", "8"], ["-w", "2", "-e", os.devnull]):
        p = Plant()
        learned = day(0)
        ordinary(learned)
        p.replay(learned, "--learn")
        found = {a["tyto"]["why"].split()[2]: a["tyto"] for a in p.replay(t, "--detect", *args)
                 if a["tyto"]["id"] == "OT-POL-017"}
        assert {k: v["count"] for k, v in found.items()} == {
            "illegal_data_address": came[2], "server_device_failure": came[4], "illegal_data_value": came[3]}, found
        at = [(v["first_seen"], v["last_seen"]) for v in found.values()]
        assert all(first < last for first, last in at) and all(v["update"] > 1 for v in found.values()), at
        told.add(json.dumps(found, sort_keys=True))
    assert len(told) == 1, told


@case
def a_new_device_is_one_alert_whatever_it_does():
    p = Plant()
    t = day(0)
    ordinary(t)
    p.replay(t, "--learn")
    t = day(1)
    c = t.tcp("10.0.0.66", 51000, PLC, 502)
    for k in range(40):
        modbus(c, 16, 1000 + 100 * k, [1], tid=k)
        modbus(c, 3, 5000 + 100 * k, 1, tid=k)
    a = one(p.replay(t, "--detect"), "OT-POL-001")
    assert a["src_ip"] == "10.0.0.66" and "80 objects" in a["tyto"]["why"], a["tyto"]["why"]
    p.accept(a)
    t = day(2)
    c = t.tcp("10.0.0.66", 51000, PLC, 502)
    modbus(c, 16, 1000, [1])
    assert p.replay(t, "--detect") == []


@case
def learning_ends_by_itself():
    p = Plant("learning: {period: 3d, quiet: 1d}\n")
    for n in range(5):
        t = day(n)
        c = ordinary(t)
        if n == 1:
            modbus(c, 6, 7, 1)  # new, but learned: it is the second day
        assert p.replay(t) == [], n
    t = day(5)
    c = ordinary(t)
    modbus(c, 6, 8, 1)
    assert ids(p.replay(t)) == ["OT-POL-016"]


@case
def years_between_captures_are_no_learning():
    p = Plant("learning: {period: 3d, quiet: 1d}\n")
    for n in (0, 400):
        c = ordinary(day(n))
        assert p.replay(c.t) == [], n
    t = day(800)
    modbus(ordinary(t), 6, 7, 1)  # the third day
    assert p.replay(t) == []
    assert p.replay(ordinary(day(801)).t) == [] and p.replay(ordinary(day(802)).t) == []
    t = day(803)
    modbus(ordinary(t), 6, 8, 1)
    assert ids(p.replay(t)) == ["OT-POL-016"]


@case
def on_a_new_database_nothing_is_unlearned_whatever_the_time_stamps():
    year = 365 * 86400.0

    def at(*steps):
        """A plant whose clock moves by so much before each round."""
        t = wire.Trace("", start=0.0, step=0.001)
        for k, s in enumerate(steps):
            t.wait(s)
            ordinary(t, 1, client=f"10.0.0.{20 + k}")
        t.wait(5)
        ordinary(t, 1)
        return t

    now = 1767607872.0
    late = day(0)  # one packet that nobody answers, older than those before it
    ordinary(late)
    late.wait(-20 * 86400)
    late.udp("10.0.0.30", 9000, "10.0.0.31", 2055, b"x" * 20)
    late.wait(20 * 86400 + 5)
    ordinary(late)
    still = wire.Trace("", start=0.0, step=0)
    still.wait = lambda s: None
    ordinary(still)
    for t in (still, late, at(0), at(5), at(now), at(0, now), at(now, -now + 1, now),
              at(now, -20 * 86400, -year, 3 * year), at(now, year, year, -2 * year)):
        p = Plant()
        bad = [(a["tyto"]["id"], a["tyto"]["why"]) for a in p.replay(t) if a["tyto"]["id"].startswith("OT-POL")]
        assert bad == [], bad
        links = json.loads(p.ask("links", "-d", p.db, "--json"))
        assert all(x["learned"] == "learned" for x in links), [(x["client"], x["learned"]) for x in links]


@case
def an_older_capture_is_learned_as_any_other():
    p = Plant("learning: {period: 3d, quiet: 1d}\n")
    for n in (800, 0, 801, 400, 1, 802):
        assert p.replay(ordinary(day(n), client=f"10.0.{n // 256}.{n % 256}").t) == [], n
    for n in range(803, 809):
        p.replay(ordinary(day(n)).t)
    t = day(809)
    modbus(ordinary(t), 16, 400, [7])
    assert ids(p.replay(t)) == ["OT-POL-016"]
    t = day(809, -30 * 86400)
    modbus(ordinary(t), 16, 500, [7])  # an old time stamp opens nothing that has ended
    assert ids(p.replay(t)) == ["OT-POL-016"]


@case
def announced_work_and_engineering_stations_lower_and_mark():
    conf = ("engineering_stations: [%s]\nmaintenance:\n  - {name: valve service, window: {from: 2026-01-06 00:00, "
            "to: 2026-01-07 00:00}, asset: %s}\n" % (EWS, PLC))
    severity = {}
    for name, n, who in (("plain", 2, HMI), ("window", 1, HMI), ("station", 2, EWS), ("both", 1, EWS)):
        p = Plant(conf)
        t = day(0)
        ordinary(t)
        ordinary(t, client=EWS)
        p.replay(t, "--learn")
        t = day(n)
        modbus(ordinary(t, client=who), 16, 400, [7])
        a = one(p.replay(t, "--detect"), "OT-POL-016")
        severity[name] = a["alert"]["severity"]
        assert a["tyto"]["maintenance"] == ("valve service" if n == 1 else None)
        assert ("engineering station" in a["tyto"]["why"]) == (who == EWS), a["tyto"]["why"]
    assert severity == {"plain": 2, "window": 3, "station": 3, "both": 4}, severity


@case
def the_export_is_a_text_that_can_be_reviewed():
    p, q = Plant(), Plant()
    t = day(0)
    ordinary(t)
    p.replay(t, "--learn")
    text = os.path.join(p.tmp, "a.yaml")
    p.ask("baseline", "export", "-d", p.db, "-o", text)
    with open(text) as f:
        lines = f.read()
    assert 'object: "holding_register:100-101"' in lines and "client: \"10.0.0.5\"" in lines
    t = day(0)
    t.udp("10.0.0.77", 1, "10.0.0.78", 2, b"x")
    q.replay(t, "--learn")
    q.ask("baseline", "import", "-d", q.db, text)
    t = day(1)
    ordinary(t)
    assert q.replay(t, "--detect") == []
    assert p.ask("baseline", "diff", text, text) == ""
    broken = p.file("b.yaml", lines.replace("action: read", "action: raed", 1))
    said = q.ask("baseline", "import", "-d", q.db, broken, ok=False)
    n = next(i for i, line in enumerate(lines.splitlines(), 1) if "action: read" in line)
    assert f"b.yaml:{n}:" in said and "raed" in said, said


@case
def what_is_imported_claims_no_time():
    p, q = Plant(), Plant()
    t = day(0)
    ordinary(t)
    p.replay(t, "--learn")
    text = p.file("a.yaml", p.ask("baseline", "export", "-d", p.db))
    q.ask("baseline", "import", "-d", q.db, text)

    def times():
        devices = json.loads(q.ask("assets", "-d", q.db, "--json"))
        links = json.loads(q.ask("links", "-d", q.db, "--json"))
        return {(x["first_seen"], x["last_seen"]) for x in devices + links + links[0]["operations"]}

    assert times() == {(None, None)}, times()
    for what in (["assets"], ["links"], ["baseline", "show"], ["assets", PLC]):
        assert "1970" not in q.ask(*what, "-d", q.db), what
    t = day(1)
    c = t.tcp(HMI, 50000, PLC, 502)
    modbus(c, 16, 400, [7])
    c = t.tcp(HMI, 50001, PLC, 502)
    modbus(c, 6, 7, 1)
    c = t.tcp(PLC, 50001, HMI, 502)
    modbus(c, 3, 0, 1)
    t.udp("10.0.0.77", 1, HMI, 2, b"x")
    found = q.replay(t, "--detect")
    assert set(ids(found)) >= {"OT-POL-001", "OT-POL-010", "OT-POL-016"}, ids(found)
    assert not [a["tyto"]["why"] for a in found if "1970" in a["tyto"]["why"]]
    for kind in ("OT-POL-001", "OT-POL-010", "OT-POL-016"):
        why = one(found, kind)["tyto"]["why"]
        assert "by import" in why and "times" not in why, why
    ordinary(day(2))
    q.replay(ordinary(day(2)).t, "--detect")
    assert all(x and y and x.startswith("2026") and y.startswith("2026")
               for x, y in times()), times()
    again = q.ask("baseline", "export", "-d", q.db)
    with open(text) as f:
        assert again == f.read()


@case
def the_internet_is_told_apart():
    for zone, kind in (("", "OT-POL-040"), ("zones: [{name: partner, subnets: [198.51.100.0/24]}]\n", "OT-POL-001")):
        p = Plant(zone)
        t = day(0)
        ordinary(t)
        p.replay(t, "--learn")
        t = day(1)
        mac = t._mac
        t._mac = lambda ip: wire.mac("00:00:0c:01:02:03") if ip.startswith("198.51.") else mac(ip)
        ordinary(t)
        c = t.tcp(HMI, 52000, "198.51.100.7", 443)
        c.to_server(b"\x16\x03\x01" + b"\0" * 60)
        c.to_client(b"\x16\x03\x03" + b"\0" * 60)
        ordinary(t)
        a = one(p.replay(t, "--detect"), kind)
        assert "198.51.100.7" in a["tyto"]["why"], a["tyto"]["why"]
        p.accept(a)
        t = day(2)
        t._mac = lambda ip: wire.mac("00:00:0c:01:02:03") if ip.startswith("198.51.") else mac(ip)
        c = t.tcp(HMI, 52001, "198.51.100.7", 443)
        c.to_server(b"\x16\x03\x01" + b"\0" * 60)
        c.to_client(b"\x16\x03\x03" + b"\0" * 60)
        left = [x for x in p.replay(t, "--detect") if x["tyto"]["id"] == kind]
        assert left == [], left


# ---- rules ----

@case
def a_rule_tells_the_values_that_met_it_and_can_be_accepted():
    p = Plant(rules="""
- id: USR-pump
  title: Pump 3 beyond its limit
  severity: critical
  when: {protocol: modbus, action: write, object: 'holding_register:400-409', value: '> 1450'}
- id: USR-many
  title: Many writes
  severity: minor
  when: {protocol: modbus, action: write, object: 'holding_register:700'}
  threshold: {count: 3, window: 1m, by: src_dst}
- id: USR-always
  title: Told each time
  severity: warning
  learnable: false
  when: {protocol: modbus, object: 'holding_register:800'}
""")
    def work(n):
        t = day(n)
        c = ordinary(t)
        modbus(c, 16, 400, [1400, 1500])
        modbus(c, 16, 405, [1400])
        for k in range(4):
            modbus(c, 6, 700, k)
        modbus(c, 6, 800, 1)
        return p.replay(t, "--learn")
    found = work(0)
    pump, many, always = one(found, "USR-pump"), one(found, "USR-many"), one(found, "USR-always")
    assert ids(found) == ["USR-always", "USR-many", "USR-pump"]
    assert "holding_register:400-401 = 1400, 1500" in pump["tyto"]["why"], pump["tyto"]["why"]
    assert "value: > 1450" in pump["tyto"]["why"] and "value: > 1450" in pump["tyto"]["expected"]
    assert "3 messages within" in many["tyto"]["why"] and "fewer than 3" in many["tyto"]["expected"]
    assert always["tyto"]["accept"] is None and not always["tyto"]["learnable"]
    for a in (pump, many):
        p.accept(a)
    p.ask("baseline", "accept", "-d", p.db, always["tyto"]["alert_uid"], ok=False)
    assert ids(work(1)) == ["USR-always"]
    text = p.ask("baseline", "export", "-d", p.db)
    assert "accepted:" in text and "alert: USR-pump" in text


@case
def scans_can_be_accepted():
    p = Plant()
    t = day(0)
    ordinary(t)
    p.replay(t, "--learn")
    def scan(n, who):
        t = day(n)
        ordinary(t)
        for i in range(60):
            t.ip(who, f"10.0.0.{100 + i}", 6, struct.pack(">HHIIBBHHH", 40000 + i, 502, 1, 0, 0x50, 2, 1024, 0, 0))
        t.wait(200)
        ordinary(t)
        return p.replay(t, "--detect")
    found = scan(1, HMI)
    a = one(found, "OT-ANO-004")
    assert a["tyto"]["also"] == ["OT-ANO-002"] and a["tyto"]["learnable"]
    p.accept(a)
    assert [x for x in scan(2, HMI) if x["tyto"]["id"].startswith("OT-ANO")] == []
    one(scan(3, EWS), "OT-ANO-004")


main(sys.argv[3:])
