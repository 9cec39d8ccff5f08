#!/usr/bin/env python3
"""condition.py: a live sensor whose clock is wrong, whose configuration is refused, whose power is cut.

  condition.py TYTO SEND SOURCE_ROOT [CASE...]
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import live
from live import Run, case, capture, config, of, send

live.CASES.clear()
live.ALONE.clear()
SHIMS = os.path.dirname(os.path.abspath(live.SEND))


def wait_for(what, seconds=15):
    for _ in range(10 * seconds):
        if what():
            return True
        time.sleep(0.1)
    return False


def preloaded(shim, start, **env):
    env["LD_PRELOAD"] = os.path.join(SHIMS, shim + ".so")
    os.environ.update(env)
    try:
        return start()
    finally:
        for key in env:
            del os.environ[key]


def assets(run):
    return json.loads(subprocess.run([live.TYTO, "assets", "-d", run.out["db"], "--json"], check=True, capture_output=True,
                                     text=True).stdout)


@case
def nothing_is_learned_before_the_clock_is_right(pair):
    """A host without a battery: 1970, until the time server answers."""
    clock = os.path.join(tempfile.mkdtemp(dir=live.WORK), "offset")
    with open(clock, "w") as f:
        f.write(str(1000 - int(time.time())))
    run = preloaded("clock_shim", lambda: Run(pair, mode=None), CLOCK_SHIM=clock)
    n = send(pair, capture("plant/normal.pcap"), 0, 10000)
    assert wait_for(lambda: of(run.so_far(), "OT-OPS-003")), run.told()
    told = of(run.so_far(), "OT-OPS-003")[0]
    assert "nothing is learned" in told["tyto"]["why"] and told["tyto"]["quality"]["clock_ok"] is False, told
    assert told["timestamp"].startswith("1970"), told["timestamp"]
    assert not assets(run), "something was learned in 1970"
    with open(clock + "x", "w") as f:
        f.write("0")
    os.rename(clock + "x", clock)
    assert wait_for(lambda: "learning begins" in run.told()), run.told()
    assert wait_for(lambda: run.told().count("capturing") == 2), run.told()
    n += send(pair, capture("plant/normal.pcap"), 0, 10000)
    run.stop()
    known = assets(run)
    assert run.status == 0 and run.stats["packets"] + run.stats["dropped"]["kernel"] == n, (run.stats["packets"], n)
    assert len(known) > 5 and all(not a["first_seen"].startswith("1970") for a in known), known[:2]


def counted(run, text):
    with open(run.out["events"]) as f:
        return any(text in line for line in f if '"event_type":"stats"' in line)


@case
def a_refused_configuration_is_told(pair):
    conf = config("alerts: {rate: 7}\nrun: {stats_interval: 1s}")
    run = Run(pair, *conf)
    send(pair, capture("plant/normal.pcap"), 0, 10000)
    with open(conf[1], "w") as f:
        f.write("alerts: {rate: 7}\nzones: nonsense\n")
    run.p.send_signal(signal.SIGHUP)
    assert wait_for(lambda: of(run.so_far(), "OT-OPS-014")), run.told()
    assert wait_for(lambda: counted(run, '"reloads":{"done":0,"refused":1}')), "the statistics do not know"
    with open(conf[1], "w") as f:
        f.write("alerts: {rate: 9}\nrun: {stats_interval: 1s}")
    run.p.send_signal(signal.SIGHUP)
    assert wait_for(lambda: run.told().count("capturing") == 2), run.told()
    assert wait_for(lambda: counted(run, '"reloads":{"done":1,"refused":1}')), "the statistics do not know"
    run.stop()
    alert, = of(run.alerts, "OT-OPS-014")
    assert f"{conf[1]}:2:" in alert["tyto"]["why"], alert["tyto"]["why"]
    assert run.stats["reloads"] == {"done": 1, "refused": 1}, run.stats["reloads"]


@case
def the_power_is_cut(pair):
    """The database is what the disk was told to keep for good. What an output has is there, and all of it is sound."""
    folder, kept = tempfile.mkdtemp(dir=live.WORK), tempfile.mkdtemp(dir=live.WORK)
    db, told, path = os.path.join(folder, "tyto.db"), set(), capture("plant/incident.pcap")
    cuts = random.Random(os.environ.get("CUT_SEED"))
    for n in range(int(os.environ.get("CUTS", 8))):
        after = cuts.uniform(0.05, 1.5)
        run = preloaded("durable_shim", lambda: Run(pair, "-d", db), DURABLE=db, DURABLE_TO=kept,
                        DURABLE_SLOW_US="50000" if n % 2 else "0")
        sender = subprocess.Popen([*pair.inside(pair.tx), live.SEND, "vt", path, "6000", "4000"], stdout=subprocess.DEVNULL)
        time.sleep(after)
        run.p.kill()
        run.p.wait()
        sender.wait(timeout=30)
        told |= {a["tyto"]["alert_uid"] for a in run.so_far()}
        for name in os.listdir(folder):
            os.remove(os.path.join(folder, name))
        for name in os.listdir(kept):
            if not name.endswith("~"):
                shutil.copy(os.path.join(kept, name), folder)
        if not os.path.exists(db):
            assert not told, f"cut {n} after {after:.2f} s: there is no database"
            continue
        r = subprocess.run([live.TYTO, "db", "check", "-d", db], capture_output=True, text=True)
        assert r.returncode == 0, (n, after, r.stdout + r.stderr)
        stored = subprocess.run([live.TYTO, "alerts", "-d", db, "--json"], check=True, capture_output=True, text=True).stdout
        missing = [uid for uid in told if uid not in stored]
        assert not missing, f"cut {n} after {after:.2f} s: {len(missing)} of {len(told)} alerts are not in the database"
        for name in os.listdir(kept): # what a look at it has brought in order is on the disk, too
            os.remove(os.path.join(kept, name))
        for name in os.listdir(folder):
            shutil.copy(os.path.join(folder, name), kept)
    assert told, "nothing was told in all these runs"


if __name__ == "__main__":
    sys.exit(live.main())
