#!/usr/bin/env python3
"""commands.py: what the commands that ask and change a database promise: what they take, what they refuse, what they say.

  commands.py TYTO SOURCE_ROOT [CASE...]
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import cases
from cases import case, folder

TYTO, ROOT = sys.argv[1:3]
PLANT = os.path.join(ROOT, "pcaps/plant")
DB = []


def tyto(*args, status=0, text=False):
    """What it prints on standard output, or the error where one is expected."""
    r = subprocess.run([TYTO, *args], capture_output=True, text=True)
    assert r.returncode == status, (args, r.returncode, r.stdout[-300:], r.stderr[-300:])
    if not status or text:
        return r.stdout
    lines = r.stderr.splitlines()
    assert len(lines) == 1, (args, lines)
    return lines[0]


def plant():
    """The database of the small waterworks on the day of the incident; cases only read it."""
    if not DB:
        DB.append(os.path.join(folder(), "s.db"))
        for mode, name in (("--learn", "normal"), ("--detect", "incident")):
            tyto("replay", "-q", mode, "-c", f"{PLANT}/site.yaml", "-d", DB[0], "-o", "/dev/null", f"{PLANT}/{name}.pcap")
    return DB[0]


def write(name, text):
    path = os.path.join(folder(), name)
    with open(path, "w") as f:
        f.write(text)
    return path


def export(db):
    return tyto("baseline", "export", "-d", db)


@case
def each_export_is_imported_and_says_the_same():
    for path in sorted(glob.glob(f"{ROOT}/pcaps/*/*.pcap")):
        tmp = folder()
        a, b, text = (os.path.join(tmp, n) for n in ("a.db", "b.db", "a.yaml"))
        tyto("replay", "-q", "--learn", "-d", a, "-o", "/dev/null", path)
        tyto("baseline", "export", "-d", a, "-o", text)
        said = tyto("baseline", "import", "-d", b, text)
        with open(text) as f:
            lines = f.read()
        assert lines == export(b), path
        links, facts = lines.count("\n- link:"), lines.count("\n  - {")
        assert f"{links} links, {facts} facts and " in said and said.endswith("imported\n"), (path, said)


@case
def imported_is_what_was_learned():
    """Nodes of OPC UA's namespace 0 as well, whose number the dissector knows."""
    tmp = folder()
    a, b, text, out = (os.path.join(tmp, n) for n in ("a.db", "b.db", "a.yaml", "b.json"))
    path = f"{ROOT}/pcaps/opcua/chunks.pcap"
    tyto("replay", "-q", "--learn", "-d", a, "-o", "/dev/null", path)
    tyto("baseline", "export", "-d", a, "-o", text)
    tyto("baseline", "import", "-d", b, text)
    tyto("replay", "-q", "--detect", "-d", b, "-o", out, path)
    with open(out) as f:
        found = [a["tyto"]["object"] for a in map(json.loads, f) if a["tyto"]["id"] == "OT-POL-016"]
    assert found == [], found


@case
def an_import_refuses_what_means_something_else():
    good = export(plant())
    read = "function: read_holding_registers, code: 3, action: read"
    assert read in good and "protocols: [modbus]" in good
    for old, new, says in (
            (read, "function: read_holding_registers, code: 16, action: write",
             'function: found "read_holding_registers", expected write_multiple_registers'),
            (read, "function: nix, code: 3, action: read", 'function: found "nix", expected read_holding_registers'),
            (read, "function: nix, code: 99, action: read", 'function: found "nix", expected no name'),
            ("protocols: [modbus]", "protocols: [mobdus]", 'protocols: found "mobdus", expected a protocol'),
            ("tyto_baseline: 1\n", "", 'found "assets:", expected tyto_baseline: 1'),
            ("tyto_baseline: 1\n", "tyto_baseline: 2\n", 'found "2", expected 1')):
        if "protocols" in old and not knows_names():
            continue
        text, db = write("x.yaml", good.replace(old, new, 1)), os.path.join(folder(), "x.db")
        said = tyto("baseline", "import", "-d", db, text, status=1)
        assert f"{text}:" in said and says in said, (said, says)
        assert "facts" not in export(db)
    tmp = folder()
    assert "directory" in tyto("baseline", "import", "-d", os.path.join(tmp, "x.db"), tmp, status=1)


def knows_names():
    """Is it built with nDPI, which names what tyto does not dissect?"""
    return "ntp" in [x["app_proto"] for x in json.loads(tyto("links", "-d", plant(), "--json"))]


@case
def what_is_not_learned_is_counted_and_the_worst_comes_first():
    text, rows = tyto("baseline", "show", "-d", plant()), json.loads(tyto("baseline", "show", "-d", plant(), "--json"))
    told = next(x.split()[-1] for x in text.splitlines() if x.startswith("not learned"))
    assert int(told) == len(rows) > 150, (told, len(rows))
    assert "FIRST SEEN        STATE" in text and "port 0" not in text
    shown = text.split("\nNOT LEARNED")[1].splitlines()[1:12]
    assert all(x.startswith("object:") for x in shown) and any("stop plc_stop" in x for x in shown), shown
    kinds = [x["key"].split(":")[0] for x in rows]
    assert kinds.index("asset") > 40 and "link" not in kinds[:kinds.index("asset")], kinds
    last = rows[-1]
    assert last["protocols"] == [] and last["count"] == 1, last
    pings = [x for x in rows if x["proto"] == "ICMP"]
    assert pings and all(x["what"] == "link, ICMP" and x["count"] for x in pings), pings[:1]
    stop = next(x for x in rows if x["what"] == "stop plc_stop")
    assert (stop["proto"], stop["port"], stop["protocols"]) == ("TCP", 102, ["s7comm"]), stop
    assert "link, TCP/21" in [x["what"] for x in rows] and all(x["what"] == x["what"].strip() for x in rows)


@case
def a_filter_that_names_nothing_is_refused():
    db = plant()
    for status, says, *args in (
            (2, "--type: found 'plc', expected one of router, engineering_station,", "assets", "--type", "plc"),
            (1, "zone 'nix', expected one of the database: control, network, supervision", "assets", "--zone", "nix"),
            (1, "no device has the id, address or name 'nobody'", "links", "--asset", "nobody"),
            (1, "no device has the id, address or name '10.9.9.9'", "links", "--asset", "10.9.9.9"),
            (2, "--protocol: found 'nix', expected modbus", "links", "--protocol", "nix"),
            (2, "--type: found 'OT-NIX-001', expected policy,", "alerts", "--type", "OT-NIX-001"),
            (1, "no device has the id, address or name 'nobody'", "alerts", "--host", "nobody"),
            (1, "no device has the id, address or name 'nobody'", "assets", "nobody"),
            (1, "no device has the id, address or name 'nobody'", "assets", "nobody", "--json")):
        said = tyto(*args, "-d", db, status=status)
        assert said.startswith(f"tyto {args[0]}: ") and says in said, said
    assert tyto("assets", "nobody", "--json", "-d", db, status=1, text=True) == "[]\n"
    for args in (("assets", "--type", "gateway"), ("assets", "--type", "unknown"), ("links", "--protocol", "BACnet"),
                 ("alerts", "--type", "OT-BAC-001"), ("alerts", "--type", "USR-mine"), ("alerts", "--host", "10.9.9.9"),
                 ("alerts", "--type", "malware")):
        tyto(*args, "-d", db)  # known, and there is none


@case
def alerts_are_found_by_name():
    def of(who):
        return tyto("alerts", "-d", plant(), "--json", "--host", who).splitlines()
    assert of("plc-pumps") == of("PLC-Pumps") == of("10.10.1.21") and len(of("plc-pumps")) > 2
    pumps = json.loads(tyto("assets", "-d", plant(), "plc-pumps", "--json"))[0]
    assert of(pumps["id"]) == of("plc-pumps")


@case
def who_may_only_read_reads():
    """As nobody, in a folder of root's, whose name is no plain word, after a clean stop and beside a log."""
    if os.geteuid():
        print("skipped: not root")
        return
    with tempfile.TemporaryDirectory() as tmp:
        at = os.path.join(tmp, "a b?c%20#d")
        os.mkdir(at)
        for path in (tmp, at):
            os.chmod(path, 0o755)
        for name in ("s.db", "bare.db"):
            shutil.copy(plant(), os.path.join(at, name))
            os.chmod(os.path.join(at, name), 0o644)
        program = shutil.copy(TYTO, tmp)  # the tree may be where nobody gets

        def nobody(*args, db="s.db"):
            return subprocess.run([program, *args, "-d", os.path.join(at, db)], capture_output=True, text=True, user=65534,
                                  group=65534, extra_groups=[], cwd="/")
        for args in (("assets",), ("alerts",), ("baseline", "show"), ("baseline", "export"), ("db", "info")):
            r = nobody(*args)
            assert r.returncode == 0 and r.stdout, (args, r)
        assert nobody("assets").stdout == tyto("assets", "-d", plant())
        r = subprocess.run([program, "assets", "-d", "s.db"], capture_output=True, text=True, user=65534, cwd=at)
        assert r.returncode == 0, r
        assert sorted(os.listdir(at)) == ["bare.db", "s.db"]
        with open(os.path.join(at, "bare.db-wal"), "wb") as f:  # what is in a log must not be passed over
            f.write(b"x")
        assert nobody("assets", db="bare.db").returncode == 1
        os.chmod(os.path.join(at, "s.db"), 0o600)
        r = nobody("assets")
        assert r.returncode == 1 and "Permission denied" in r.stderr and len(r.stderr.splitlines()) == 1, r


@case
def each_table_that_forgets_is_counted_where_it_says():
    tmp = folder()
    limits = json.loads(tyto("config", "limits", "--json"))["limits"]
    told = {x["key"]: re.findall(r"counted as (\w+)\.(\w+)", " ".join(map(str, x.values()))) for x in limits}
    assert [k for k, v in told.items() if not v] == ["store_cache_bytes"], told
    least = write("least.yaml", "limits:\n" + "".join(f"  {x['key']}: {x['min']}\n" for x in limits))
    tyto("replay", "-q", "-c", least, "-d", os.path.join(tmp, "x.db"), "-o", "/dev/null", "--stats",
         os.path.join(tmp, "stats"), f"{PLANT}/normal.pcap")
    with open(os.path.join(tmp, "stats")) as f:
        stats = json.load(f)
    for key, (name,) in ((k, v) for k, v in told.items() if v):
        assert name[1] in stats[name[0]], (key, name)


@case
def rules_and_types_say_whether_their_alerts_can_be_accepted():
    own = write("own.yaml", "rules:\n" + "".join(
        f"- id: USR-{k}\n  title: {k}\n  severity: minor\n  learnable: {k}\n  when: {{action: read}}\n"
        for k in ("true", "false")))
    rules = {r["id"]: r for r in map(json.loads, tyto("rules", "list", "--json", "-r", own).splitlines())}
    told = {k: (rules[k]["learnable"], rules[k]["learn"]) for k in ("USR-true", "USR-false", "OT-GEN-002")}
    assert told == {"USR-true": (True, "learn"), "USR-false": (False, "no"), "OT-GEN-002": (True, "mute")}, told
    alerts = list(map(json.loads, tyto("alerts", "-d", plant(), "--json").splitlines()))
    known = [a for a in alerts if a["tyto"]["id"] in rules]
    assert known and all(a["tyto"]["learnable"] == rules[a["tyto"]["id"]]["learnable"] for a in known)
    shown = json.loads(tyto("rules", "show", "OT-GEN-002", "--json"))
    assert (shown["learnable"], shown["learn"], shown["attack_ics"]) == (True, "mute", ["T0858", "T0848"]), shown
    types = {t["id"]: t for t in map(json.loads, tyto("alerts", "--types", "--json").splitlines())}
    assert types["OT-POL-001"]["learn"] == types["OT-POL-001"]["learnable"] == "learn"
    for t in types.values():
        assert all(isinstance(t[k], list) and "" not in t[k] and " " not in "".join(t[k]) for k in ("attack_ics", "refs")), t
    assert any(len(t["refs"]) > 1 for t in types.values())


@case
def lists_say_what_is_in_them():
    assert tyto("alerts", "-d", plant(), "--type", "malware") == "no alerts\n"
    assert tyto("alerts", "-d", plant(), "--type", "malware", "--json") == ""
    times = [x[:19] for x in tyto("alerts", "-d", plant()).splitlines() if x[:2] == "20"]
    assert len(times) > 10 and times == sorted(times), times  # "the latest last"
    records = list(map(json.loads, tyto("alerts", "-d", plant(), "--json").splitlines()))
    assert [a["tyto"]["last_seen"] for a in records] == sorted(a["tyto"]["last_seen"] for a in records)
    new = next(a["tyto"]["alert_uid"] for a in records if a["tyto"]["id"] == "OT-POL-001")
    lines = tyto("alerts", "-d", plant(), new).splitlines()
    at = next(i for i, x in enumerate(lines) if x.startswith("  from "))
    assert lines[at] == "  from         10.10.2.99, 54:ee:75:0a:02:63", lines[at]
    assert lines[at + 1].startswith(" " * 15 + "(engineering_station, "), lines[at + 1]
    assert all(len(x) <= 100 for x in lines), max(lines, key=len)
    info = tyto("db", "info", "-d", plant()).splitlines()
    assert [x for x in info if x.startswith("version")] == [] and any(x.startswith("written by       tyto ") for x in info)
    assert any(re.match(r"latest packet    2026-01-05 14:\d\d UTC$", x) for x in info), info


@case
def operations_stand_below_their_link():
    plain = tyto("links", "-d", plant(), "--asset", "plc-intake").splitlines()
    lines = tyto("links", "-d", plant(), "--asset", "plc-intake", "--ops").splitlines()
    assert [x for x in lines if x and x[0] != " "] == [x for x in plain if x] and lines[0].startswith("CLIENT")
    at = next(i for i, x in enumerate(lines) if "scada-1" in x and "TCP/502" in x and x.startswith("10.10.2.10"))
    assert lines[at + 1].startswith("   FUNCTION") and "read_holding_registers" in lines[at + 2]


@case
def json_is_printed_or_refused():
    acts = json.loads(tyto("protocols", "--actions", "--json"))
    lines = [x.split() for x in tyto("protocols", "--actions").splitlines()[1:]]
    assert [[a["action"], "yes" if a["changes"] else "no"] for a in acts] == lines and len(acts) > 20, acts
    assert acts == json.loads(tyto("protocols", "--json", "--actions"))
    whole = tyto("baseline", "export", "-d", plant())
    asset = next(x for x in whole.splitlines() if x.startswith("- {"))
    fact = next(x for x in whole.splitlines() if x.startswith("  - {"))
    old, new = write("old.yaml", whole), write("new.yaml", whole.replace(asset + "\n", "", 1).replace(fact + "\n", "", 1))

    def diff(a, b, *args):
        r = subprocess.run([TYTO, "baseline", "diff", *args, a, b], capture_output=True, text=True)
        assert r.returncode == (a != b) and not r.stderr, r
        return r.stdout
    assert json.loads(diff(old, old, "--json")) == [] and diff(old, old) == ""
    for a, b, change, sign in ((old, new, "removed", "-"), (new, old, "added", "+")):
        found = json.loads(diff(a, b, "--json"))
        assert [x["change"] for x in found] == [change] * 2 and [x["kind"] for x in found] == ["asset", "fact"], found
        assert [x["text"] for x in found] == [asset[2:], fact[4:]] and found[0]["link"] is None, found
        assert diff(a, b).splitlines() == [f"{sign} {x['link'] or x['kind']} {x['text']}" for x in found]
    for args in (("export", "--json", "-d", plant()), ("import", "--json", old, "-d", plant()), ("diff", "--all", old, new),
                 ("accept", "--json", "link:1", "-d", plant()), ("show", "-o", "x", "-d", plant())):
        r = subprocess.run([TYTO, "baseline", *args], capture_output=True, text=True)
        assert r.returncode == 2 and r.stdout == "" and args[0] in r.stderr and args[1] in r.stderr, r


@case
def a_checked_capture_is_told_in_words():
    said = tyto("capture", "check", "-i", f"file:{PLANT}/incident.pcap")
    assert re.search(r"^networks     [\d./]+: \d+ hosts, ", said, re.M) and re.search(r": 1 host(,|$)", said, re.M), said
    assert re.search(r"^ports        tcp/502: \d+, tcp/102: \d+, ", said, re.M), said


if __name__ == "__main__":
    cases.main(sys.argv[3:])
