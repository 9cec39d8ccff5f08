#!/usr/bin/env python3
"""condition.py: a live sensor whose clock is wrong, whose configuration is refused.

  condition.py TYTO SEND SOURCE_ROOT [CASE...]
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import live
from live import Run, case, capture, config, of, send

live.CASES.clear()
live.ALONE.clear()
SHIM = os.path.join(os.path.dirname(os.path.abspath(live.SEND)), "clock_shim.so")


def wait_for(what, seconds=15):
    for _ in range(10 * seconds):
        if what():
            return True
        time.sleep(0.1)
    return False


def assets(run):
    return json.loads(subprocess.run([live.TYTO, "assets", "-d", run.out["db"], "--json"], check=True, capture_output=True,
                                     text=True).stdout)


@case
def nothing_is_learned_before_the_clock_is_right(pair):
    """A host without a battery: 1970, until the time server answers."""
    clock = os.path.join(tempfile.mkdtemp(dir=live.WORK), "offset")
    with open(clock, "w") as f:
        f.write(str(1000 - int(time.time())))
    os.environ.update(LD_PRELOAD=SHIM, CLOCK_SHIM=clock)
    try:
        run = Run(pair, mode=None)
    finally:
        del os.environ["LD_PRELOAD"], os.environ["CLOCK_SHIM"]
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


@case
def a_refused_configuration_is_told(pair):
    conf = config("alerts: {rate: 7}\nrun: {stats_interval: 1s}")
    run = Run(pair, *conf)
    send(pair, capture("plant/normal.pcap"), 0, 10000)
    with open(conf[1], "w") as f:
        f.write("alerts: {rate: 7}\nzones: nonsense\n")
    run.p.send_signal(signal.SIGHUP)
    assert wait_for(lambda: of(run.so_far(), "OT-OPS-014")), run.told()
    time.sleep(2.5)
    with open(conf[1], "w") as f:
        f.write("alerts: {rate: 9}\nrun: {stats_interval: 1s}")
    run.p.send_signal(signal.SIGHUP)
    assert wait_for(lambda: run.told().count("capturing") == 2), run.told()
    time.sleep(2.5)
    run.stop()
    alert, = of(run.alerts, "OT-OPS-014")
    assert f"{conf[1]}:2:" in alert["tyto"]["why"], alert["tyto"]["why"]
    assert run.stats["reloads"] == {"done": 1, "refused": 1}, run.stats["reloads"]
    told = [e["stats"]["reloads"] for e in run.events if e["event_type"] == "stats"]
    assert {"done": 0, "refused": 1} in told and told[-1] == {"done": 1, "refused": 1}, told


if __name__ == "__main__":
    sys.exit(live.main())
