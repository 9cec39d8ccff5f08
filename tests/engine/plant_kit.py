"""plant_kit.py: a small plant whose captures are replayed into one database, day after day. For scripts called with
TYTO and SOURCE_ROOT."""
import json
import os
import struct
import subprocess
import sys

from cases import folder

TYTO, ROOT = sys.argv[1:3]
sys.path.insert(0, os.path.join(ROOT, "pcaps/gen"))
import wire  # noqa: E402

DAY0 = 1767607872.0
DAY = 86400
HMI, EWS, PLC = "10.0.0.5", "10.0.0.7", "10.0.0.9"


class Plant:
    """A database and what is replayed into it."""

    def __init__(self, conf=None, rules=None):
        self.tmp = folder()
        self.db = os.path.join(self.tmp, "tyto.db")
        self.args, self.n = [], 0
        for option, text in (("-c", conf), ("-r", rules)):
            if text:
                self.args += [option, self.file(f"x{option}.yaml", text)]

    def file(self, name, text):
        path = os.path.join(self.tmp, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def replay(self, t, *mode):
        """The last update of each alert, by type."""
        self.n += 1
        t.path = os.path.join(self.tmp, f"{self.n}.pcap")
        t.save()
        out = os.path.join(self.tmp, f"{self.n}.json")
        subprocess.run([TYTO, "replay", "-q", "-d", self.db, "-o", out, *mode, *self.args, t.path], check=True)
        found = {}
        with open(out) as f:
            for line in f:
                a = json.loads(line)
                found[a["tyto"]["alert_uid"]] = a
        return list(found.values())

    def ask(self, *args, ok=True):
        r = subprocess.run([TYTO, *args], capture_output=True, text=True)
        assert (r.returncode == 0) == ok, r.stderr + r.stdout
        return r.stdout if ok else r.stderr

    def assets(self):
        return {(a["network"], *a["ips"][:1]): a for a in json.loads(self.ask("assets", "-d", self.db, "--json"))}

    def accept(self, alert):
        self.ask(*alert["tyto"]["accept"].split()[1:3], "-d", self.db, *alert["tyto"]["accept"].split()[3:])


def day(n, seconds=0):
    return wire.Trace("", start=DAY0 + n * DAY + seconds)


def ids(alerts):
    return sorted(a["tyto"]["id"] for a in alerts)


def one(alerts, kind):
    found = [a for a in alerts if a["tyto"]["id"] == kind]
    assert len(found) == 1, f"{len(found)} of {kind} in {[(a['tyto']['id'], a['tyto']['why']) for a in alerts]}"
    return found[0]


def modbus(c, fn, first, value, tid=1, unit=1, error=None):
    """One request and its answer. value: of a write, or the count of a read."""
    n = len(value) if isinstance(value, list) else value
    if fn == 16:
        req = struct.pack(">BHHB", fn, first, n, 2 * n) + b"".join(struct.pack(">H", v) for v in value)
        rsp = struct.pack(">BHH", fn, first, n)
    elif fn in (5, 6):
        req = rsp = struct.pack(">BHH", fn, first, n)
    else:
        req, rsp = struct.pack(">BHH", fn, first, n), struct.pack(">BB", fn, 2 * n) + b"\0\1" * n
    rsp = struct.pack(">BB", fn | 0x80, error) if error else rsp
    for send, pdu in ((c.to_server, req), (c.to_client, rsp)):
        send(struct.pack(">HHHB", tid, 0, len(pdu) + 1, unit) + pdu)


def ordinary(t, rounds=5, client=HMI, server=PLC):
    c = t.tcp(client, 50000, server, 502)
    for k in range(rounds):
        modbus(c, 3, 0, 10, tid=k)
        modbus(c, 16, 100, [k, k], tid=k)
        t.wait(1)
    return c
