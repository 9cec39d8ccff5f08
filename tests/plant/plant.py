#!/usr/bin/env python3
"""plant.py: learns from pcaps/plant/normal.pcap, judges incident.pcap, and compares the alerts with what happened.

  plant.py TYTO SOURCE_ROOT

Each alert that ought to be there is there once, and no other: no false one, no flood. Then one is accepted, and the
same afternoon is judged again without it. So is the morning, with a database that knows it: nothing is new in it.
"""
import json
import os
import subprocess
import sys
import tempfile

LAPTOP, SCADA, EWS, PANEL = "10.10.2.99", "10.10.2.10", "10.10.2.20", "10.10.1.61"
INTAKE, FILTER, PUMPS, DOSING = "10.10.1.11", "10.10.1.12", "10.10.1.21", "10.10.1.31"
RESERVOIR, SUBSTATION = "10.10.1.41", "10.10.1.51"
ANY = "*"

MORNING = [  # type, severity, from, to[, other types told in it]
    ("OT-GEN-010", 4, EWS, PUMPS),       # the program is read out; all else is what is learned
]
AFTERNOON = [
    ("OT-POL-001", 2, LAPTOP, None),     # a laptop appears,
    ("OT-ANO-004", 1, LAPTOP, PUMPS, "OT-ANO-003", "OT-ANO-002"),  # scans controllers, ports, addresses in one run,
    ("OT-S7C-014", 2, LAPTOP, PUMPS),    # connects as programming device,
    ("OT-GEN-011", 2, LAPTOP, PUMPS),    # reads the program,
    ("OT-GEN-009", 1, LAPTOP, PUMPS, "OT-POL-031"),  # loads another,
    ("OT-GEN-002", 1, LAPTOP, PUMPS, "OT-POL-030"),  # stops the controller,
    ("OT-GEN-002", 1, LAPTOP, DOSING, "OT-POL-030"),  # and takes another to program mode
    ("OT-POL-016", 2, SCADA, INTAKE),    # a register that was never written
    ("OT-DNP-001", 1, SCADA, RESERVOIR, "OT-POL-030"),  # a cold restart
    ("OT-POL-010", 2, SCADA, SUBSTATION),  # a command never used
    ("OT-POL-010", 2, PANEL, FILTER),
    ("OT-POL-021", 2, FILTER, None),     # another firmware
    ("OT-GEN-003", 4, EWS, PUMPS, "OT-POL-030"),  # repaired, inside an announced window
]
ASSETS = {INTAKE: "controller", FILTER: "controller", PUMPS: "controller", DOSING: "controller", RESERVOIR: "rtu",
          SUBSTATION: "rtu", PANEL: "hmi", SCADA: "hmi", EWS: "engineering_station", "10.10.0.2": "switch",
          LAPTOP: "engineering_station"}

faults = []


def alerts(path):
    """The last update of each uid."""
    found = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            a = json.loads(line)
            found[a["tyto"]["alert_uid"]] = a
    return list(found.values())


def compare(when, found, expected):
    left = list(found)
    for kind, severity, src, dst, *also in expected:
        for a in left:
            if (a["tyto"]["id"], a["alert"]["severity"], a.get("src_ip")) == (kind, severity, src) and \
                    dst in (ANY, a.get("dest_ip")) and a["tyto"]["also"] == also:
                left.remove(a)
                break
        else:
            faults.append(f"{when}: no {kind} of severity {severity} from {src} to {dst}")
    for a in left:
        faults.append(f"{when}: {a['tyto']['id']} {a['tyto']['also']} {a.get('src_ip')} {a.get('dest_ip')}: "
                      f"{a['tyto']['why']}")
    for a in found:  # each explains itself
        t = a["tyto"]
        if not (t["why"] and t["expected"] and t["seen"] and t["remedy"] and t["accept"] and t["evidence"]["frames"]):
            faults.append(f"{when}: {t['id']} does not explain itself: {t}")


def main():
    tyto, root = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as tmp:
        db = os.path.join(tmp, "tyto.db")  # read when a command runs: a second one follows

        def run(*args):
            return subprocess.run([tyto, *args], cwd=root, check=True, capture_output=True, text=True).stdout

        def replay(mode, capture):
            out = os.path.join(tmp, "alerts.json")
            if os.path.exists(out):
                os.remove(out)
            run("replay", "-q", mode, "-c", "pcaps/plant/site.yaml", "-d", db, "-o", out, f"pcaps/plant/{capture}.pcap")
            return alerts(out)

        compare("morning", replay("--learn", "normal"), MORNING)
        compare("the morning again", replay("--detect", "normal"), MORNING)
        found = replay("--detect", "incident")
        compare("afternoon", found, AFTERNOON)
        for a in found:  # what was spoken later on one of the links that are counted in it is not its own
            if a["tyto"]["id"] == "OT-ANO-004" and a.get("app_proto"):
                faults.append(f"the scan, last at port {a['dest_port']}, became one of {a['app_proto']}")
        types = {a["ips"][0]: a["type"] for a in json.loads(run("assets", "-d", db, "--json")) if a["ips"]}
        if types != ASSETS:
            faults.append(f"inventory: {sorted(types.items() ^ ASSETS.items())}")
        for a in found:  # the laptop is one by what it does: the alert is about who is configured
            if types.get(a.get("src_ip")) == "engineering_station" and "not an engineering" in a["alert"]["signature"]:
                faults.append(f"the inventory contradicts: {a['alert']['signature']}")
        more = {a["tyto"]["alert_uid"]: a["tyto"]["count"] for a in replay("--detect", "incident")}
        for a in found:  # the same once more: the same alerts, and their counts go on
            n = more.pop(a["tyto"]["alert_uid"], 0)
            if a["tyto"]["id"] != "OT-POL-021" and not 2 * a["tyto"]["count"] - 1 <= n <= 2 * a["tyto"]["count"]:
                faults.append(f"a second time: {a['tyto']['id']} counts {a['tyto']['count']}, then {n}")
        if more:
            faults.append(f"a second time: {len(more)} new alerts")
        wrote = [a["tyto"]["alert_uid"] for a in found if a["tyto"]["id"] == "OT-POL-016"]
        run("baseline", "accept", "-d", db, *wrote)
        again = [a["tyto"]["id"] for a in replay("--detect", "incident")]
        if "OT-POL-016" in again or again.count("OT-POL-010") != 2:
            faults.append(f"after accepting the write: {sorted(again)}")
        commands = {a["tyto"]["accept"] for a in found}
        for command in commands:
            run(*command.split()[1:3], "-d", db, *command.split()[3:])
        again = replay("--detect", "incident")
        if again:
            faults.append(f"after accepting all: {[(a['tyto']['id'], a['tyto']['why']) for a in again]}")
        text = os.path.join(tmp, "baseline.yaml")
        run("baseline", "export", "-d", db, "-o", text)
        db = os.path.join(tmp, "other.db")
        replay("--learn", "normal")
        run("baseline", "import", "-d", db, text)
        again = replay("--detect", "incident")  # what devices say of themselves is not in the text
        if [a["tyto"]["id"] for a in again] != ["OT-POL-021"]:
            faults.append(f"after importing what was accepted: {[(a['tyto']['id'], a['tyto']['why']) for a in again]}")
    print("\n".join(faults) or "as it happened")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
