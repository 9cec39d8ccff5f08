#!/usr/bin/env python3
"""configured.py: what the configuration tells of the plant goes before what was observed.

  configured.py TYTO SOURCE_ROOT [CASE...]
"""
import json
import sys

from cases import case, main
from plant_kit import HMI, PLC, Plant, day, ids, modbus, one, ordinary

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
    why = one(p.replay(t, "--detect"), "OT-POL-003")["tyto"]["why"]
    assert "learned of a redundant partner modbus from" in why, why


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


main(sys.argv[3:])
