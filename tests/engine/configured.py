#!/usr/bin/env python3
"""configured.py: what the configuration tells of the plant goes before what was observed.

  configured.py TYTO SOURCE_ROOT [CASE...]
"""
import itertools
import json
import sys

from cases import case, main
from plant_kit import EWS, HMI, PLC, Plant, day, ids, modbus, one, ordinary, wire

STANDBY, SPARE = "10.0.0.6", "10.0.0.10"


# ---- redundancy ----

PAIRS = f"redundancy: [[{HMI}, {STANDBY}], [{PLC}, {SPARE}]]\n"


def learned(conf=PAIRS, refused=False):
    p = Plant(conf)
    t = day(0)
    c = ordinary(t)
    if refused:
        modbus(c, 3, 0, 10, error=4)
    assert p.replay(t, "--learn") == []
    return p


@case
def a_standby_does_what_its_partner_was_learned_to_do():
    for client, server in ((STANDBY, PLC), (HMI, SPARE), (STANDBY, SPARE)):
        for mode in (["--detect"], []):  # live: nothing learns any more
            p = learned(PAIRS + "learning: {period: 1d, quiet: 1h}\n")
            p.replay(ordinary(day(1)).t)
            for n in (3, 4):
                t = day(n)
                ordinary(t, client=client, server=server)
                assert p.replay(t, *mode) == [], (client, server, mode, n)
    p = learned(PAIRS.replace(STANDBY, "10.0.0.16"))
    t = day(1)
    ordinary(t, client=STANDBY)
    assert ids(p.replay(t, "--detect")) == ["OT-POL-001"]


@case
def what_none_of_a_role_was_learned_to_do_alerts():
    p = learned(refused=True)
    t = day(1)
    c = ordinary(t, client=STANDBY)
    modbus(c, 3, 0, 10, error=4)
    modbus(c, 16, 400, [7])
    modbus(c, 6, 100, 9)
    modbus(c, 3, 0, 10, unit=9)
    modbus(c, 3, 0, 10, error=2)
    found = p.replay(t, "--detect")
    assert ids(found) == ["OT-POL-005", "OT-POL-010", "OT-POL-016", "OT-POL-017"], ids(found)
    why = one(found, "OT-POL-016")["tyto"]["why"]
    assert "learned of a redundant partner 100-101" in why, why
    p.accept(one(found, "OT-POL-016"))
    t = day(2)
    modbus(ordinary(t, client=STANDBY), 16, 400, [7])
    modbus(ordinary(t), 16, 400, [7])  # and its partner, too
    assert p.replay(t, "--detect") == []
    t = day(3)
    c = t.tcp(STANDBY, 50000, PLC, 2404)
    c.to_server(bytes.fromhex("680407000000"))
    c.to_client(bytes.fromhex("68040b000000"))
    assert ids(p.replay(t, "--detect")) == ["OT-POL-002"]


@case
def another_protocol_of_a_partner_is_new():
    p = learned()
    t = day(1)
    c = t.tcp(STANDBY, 50000, PLC, 502)
    for k in range(3):
        c.to_server(bytes.fromhex("680443000000"))
        c.to_client(bytes.fromhex("680483000000"))
        t.wait(1)
    told = one(p.replay(t, "--detect"), "OT-ANO-010")["tyto"]
    assert told["also"] == ["OT-POL-003"] and "iec104" in told["why"], told


@case
def an_export_names_the_real_addresses():
    p = learned()
    t = day(1)
    ordinary(t, client=STANDBY)
    p.replay(t, "--detect")
    text = p.ask("baseline", "export", "-d", p.db)
    assert f'client: "{HMI}"' in text and f'client: "{STANDBY}"' not in text, text
    assert p.assets()["default", STANDBY]["authorized"]
    found = p.file("export.yaml", text)
    q = Plant(PAIRS)
    q.replay(ordinary(day(0), client="10.0.0.77", server="10.0.0.78").t, "--learn")
    q.ask("baseline", "import", "-d", q.db, found)
    t = day(1)
    ordinary(t, client=STANDBY)
    assert q.replay(t, "--detect") == []


# ---- zones ----

def zone_of(conf, vlan=None, address=PLC):
    p = Plant(conf)
    t = day(0)
    t.vlan = vlan
    ordinary(t)
    p.replay(t, "--learn")
    found, = (a["zone"] for a in json.loads(p.ask("assets", "-d", p.db, "--json")) if a["ips"] == [address])
    return found


@case
def an_address_of_a_zone_is_a_device():
    cell = "networks: [{name: c1, vlan: 10}]\nzones: [{name: z, networks: [c1]%s}]\n"
    assert zone_of(cell % "", 10) == "z"
    assert zone_of(cell % ", assets: [10.99.0.1]", 10) == "z"
    assert zone_of(cell % ", assets: [10.99.0.1]") is None
    assert zone_of(cell % f", assets: [{PLC}]") == "z"
    wide = "zones: [{name: big, subnets: [%s]}, {name: dev, assets: [%s]}]\n"
    for subnet in ("10.0.0.9/32", "10.0.0.0/8"):
        assert zone_of(wide % (subnet, PLC)) == "dev", subnet
        assert zone_of(wide % (subnet, "10.0.0.1")) == "big", subnet
    shown = Plant(wide % ("10.0.0.0/8", PLC))
    again = shown.ask("config", "show", *shown.args)
    assert f'assets: ["{PLC}"]' in again, again
    shown.ask("config", "check", shown.file("again.yaml", again))


# ---- devices told by MAC address ----

MAC = wire.ip_mac(HMI).hex(":")
NAMED = 'assets: [{name: ews, address: "%s", type: engineering_station, criticality: high, owner: A}]\n' % MAC


def lldp(t, mac):
    m = wire.mac(mac)
    t.eth("01:80:c2:00:00:0e", mac, 0x88cc, bytes([2, 7, 4]) + m + bytes([4, 7, 3]) + m + bytes([6, 2, 0, 120, 0, 0]))


def told(conf, *frames, mode="--learn"):
    """Every order of the frames says the same of the HMI."""
    said = set()
    for order in itertools.permutations(frames):
        p = Plant(conf)
        for n, f in enumerate(order):
            t = day(0, 60 * n)
            f(t)
            p.replay(t, mode)
        a, = (a for a in json.loads(p.ask("assets", "-d", p.db, "--json")) if MAC in a["macs"])
        said.add((a["name"], a["type"], a["criticality"], a["owner"], a["authorized"], a["zone"]))
    assert len(said) == 1, said
    return said.pop()


@case
def a_device_is_told_by_its_mac_address_whatever_came_first():
    frames = (lambda t: lldp(t, MAC), ordinary, lambda t: t.arp(1, HMI, PLC))
    for mode in ("--learn", "--detect"):
        for some in (frames, frames[1:], frames[1:2]):
            assert told(NAMED, *some, mode=mode) == ("ews", "engineering_station", "high", "A", True, None)
            both = NAMED + "zones: [{name: all, subnets: [0.0.0.0/0]}, {name: z, assets: [%s]}]\n"
            for ref in ("ews", f'"{MAC}"'):
                assert told(both % ref, *some, mode=mode)[-1] == "z"
            station = told(f'engineering_stations: ["{MAC}"]\n', *some, mode=mode)
            assert station[1] == "engineering_station", station


@case
def stations_and_work_may_be_told_by_mac_address():
    work = "maintenance: [{name: w, window: {from: 2026-01-06, to: 2026-01-10}, %s: %s}]\n"
    confs = [(f'engineering_stations: ["{MAC}"]\n', None), (NAMED + "engineering_stations: [ews]\n", None)]
    for key in ("actor", "asset"):
        confs += [(work % (key, f'"{MAC}"'), "w"), (NAMED + work % (key, "ews"), "w")]
    confs.append((f'zones: [{{name: z, assets: ["{MAC}"]}}]\n'
                  "maintenance: [{name: w, window: {from: 2026-01-06, to: 2026-01-10}, zone: z}]\n", "w"))
    for conf, name in confs:
        p = Plant(conf)
        p.replay(ordinary(day(0)).t, "--learn")
        for n, client in ((1, HMI), (2, EWS)):
            t = day(n)
            modbus(ordinary(t, client=client), 16, 400, [7])
            a = next(a for a in p.replay(t, "--detect") if a["src_ip"] == client)
            assert a["alert"]["severity"] == (3 if client == HMI else 2), (conf, client, a["alert"]["severity"])
            assert a["tyto"]["maintenance"] == (name if client == HMI else None), conf


@case
def rules_ask_for_the_device_that_has_the_mac_address():
    rules = ("- {id: USR-a, title: a, severity: minor, when: {action: write, src_engineering_station: true}}\n"
             "- {id: USR-b, title: b, severity: minor, when: {action: write, src_engineering_station: false}}\n"
             "- {id: USR-c, title: c, severity: minor, when: {action: write, src_zone: z}}\n"
             "- {id: USR-d, title: d, severity: minor, when: {action: write, same_zone: false}}\n")
    conf = f'engineering_stations: ["{MAC}"]\nzones: [{{name: z, assets: ["{MAC}"]}}, {{name: y, subnets: [10.0.0.0/8]}}]\n'
    for client, want in ((HMI, ["USR-a", "USR-c", "USR-d"]), (EWS, ["USR-b"])):
        p = Plant(conf, rules)
        t = day(0)
        ordinary(t, client=client)
        found = [a for a in p.replay(t, "--learn") if a["tyto"]["id"].startswith("USR-")]
        assert ids(found) == want, (client, ids(found))
        zones = [a["tyto"]["why"] for a in found if a["tyto"]["id"] == "USR-d"]
        assert all("from zone z into zone y" in why for why in zones), zones


@case
def a_router_told_by_its_mac_address_names_nobody_behind_it():
    router = "00:00:0c:01:02:03"
    conf = f'assets: [{{name: gate, address: "{router}"}}]\n' \
           f'engineering_stations: ["{router}"]\nzones: [{{name: z, assets: ["{router}"]}}]\n'
    for own in (0, 1, 2):  # its own address: not seen, first, last
        p = Plant(conf)
        t = day(0)
        mac = t._mac
        t._mac = lambda ip: wire.mac(router) if ip.startswith("172.16.") or ip == "10.0.0.1" else mac(ip)
        if own == 1:
            t.arp(1, "10.0.0.1", HMI)
        for i in range(12):
            ordinary(t, 1, client=f"172.16.0.{i + 1}")
        if own == 2:
            t.arp(1, "10.0.0.1", HMI)
        p.replay(t, "--learn")
        for again in (False, True):
            if again:
                p.replay(ordinary(day(1)).t, "--detect")
            found = json.loads(p.ask("assets", "-d", p.db, "--json"))
            gate = [a for a in found if a["name"] == "gate"]
            assert len(gate) == 1 and router in gate[0]["macs"] and gate[0]["zone"] == "z", gate
            rest = [a for a in found if a is not gate[0]]
            assert not any(a["zone"] or a["authorized"] or a["type"] == "engineering_station" for a in rest), rest


main(sys.argv[3:])
