#!/usr/bin/env python3
"""stop.py TYTO SOURCE_ROOT: SIGTERM ends a replay wherever it waits: all that was read is told, and that the
rest was not; exit status 0."""
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time

TYTO, ROOT = sys.argv[1:3]
sys.path.insert(0, os.path.join(ROOT, "pcaps/gen"))
import wire  # noqa: E402

PATIENCE_S = 60
SETTLE_S = 12  # what is read here takes a second at the most


def capture(path, polls, pairs=7):
    t = wire.Trace(path)
    links = [t.tcp(f"10.0.0.{i + 1}", 50000, f"10.0.1.{i + 1}", 502) for i in range(pairs)]
    for k in range(polls):
        c = links[k % pairs]
        c.to_server(struct.pack(">HHHBBHH", k & 0xFFFF, 0, 6, 1, 3, 0, 60))
        c.to_client(struct.pack(">HHHBBB", k & 0xFFFF, 0, 123, 1, 3, 120) + bytes(120))
    t.save()
    return t.n


def replay(tmp, workers, events, capture_path, **kw):
    return subprocess.Popen([TYTO, "replay", "-q", "-w", str(workers), "--detect", "-d", tmp + "/db", "-o", tmp + "/alerts",
                             "-e", events, "--stats", tmp + "/stats", capture_path], stderr=subprocess.PIPE, **kw)


def settled(p):
    """Waits until the process does nothing any more."""
    def ticks():
        with open(f"/proc/{p.pid}/stat") as f:
            field = f.read().rsplit(")", 1)[1].split()
        return int(field[11]) + int(field[12])
    quiet, last = 0, -1
    end = time.monotonic() + SETTLE_S
    while quiet < 10 and time.monotonic() < end:
        time.sleep(0.1)
        now = ticks()
        quiet = quiet + 1 if now <= last + 1 and last >= 0 else 0  # those that wait for room look now and then
        last = now


def ended(p, tmp):
    assert p.wait(PATIENCE_S) == 0, f"exit {p.returncode}"
    assert p.stderr.read() == b"tyto: stopped by a signal; the rest was not read\n"
    with open(tmp + "/stats") as f:
        stats = json.load(f)
    links = subprocess.run([TYTO, "links", "--json", "-d", tmp + "/db"], check=True, capture_output=True, text=True).stdout
    return stats, [json.loads(x) for x in links.splitlines()] if links.startswith("{") else json.loads(links)


def waits_for_a_pipe(tmp, workers):
    """What came through the pipe so far is told, though the pipe stays open."""
    n = capture(tmp + "/c.pcap", 300)
    p = replay(tmp, workers, tmp + "/events", "-", stdin=subprocess.PIPE)
    with open(tmp + "/c.pcap", "rb") as f:
        p.stdin.write(f.read())
    p.stdin.flush()
    settled(p)
    p.send_signal(signal.SIGTERM)
    stats, links = ended(p, tmp)
    p.stdin.close()
    assert stats["packets"] == n, (stats["packets"], n)
    with open(tmp + "/events") as f:
        assert sum(1 for _ in f) == 300
    assert len(links) == 7, len(links)


def waits_for_room(tmp, workers):
    """Nobody reads the events, so that all rings are full; who reads them after the signal gets all that was taken."""
    n = capture(tmp + "/c.pcap", 30000)
    os.mkfifo(tmp + "/events")
    reader = os.open(tmp + "/events", os.O_RDONLY | os.O_NONBLOCK)
    p = replay(tmp, workers, tmp + "/events", tmp + "/c.pcap")
    settled(p)
    assert p.poll() is None, "it did not wait for room"
    p.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    os.set_blocking(reader, True)
    with os.fdopen(reader) as f:
        events = [json.loads(x) for x in f]
    stats, _ = ended(p, tmp)
    assert 0 < stats["packets"] < n, (stats["packets"], n)
    assert len(events) == stats["events"], (len(events), stats["events"])
    # every answer that was taken is in an event; of the seven pairs one request each may wait for its own
    assert 2 * len(events) >= stats["packets"] - 21 - 7, (len(events), stats["packets"])


def comes_to_the_end(tmp, workers):
    """Without a signal there is nothing to tell."""
    n = capture(tmp + "/c.pcap", 300)
    p = replay(tmp, workers, tmp + "/events", tmp + "/c.pcap")
    assert p.wait(PATIENCE_S) == 0 and p.stderr.read() == b"", p
    with open(tmp + "/stats") as f:
        assert json.load(f)["packets"] == n


def main():
    failed = 0
    for case in (waits_for_a_pipe, waits_for_room, comes_to_the_end):
        for workers in (1, 2, 8):
            with tempfile.TemporaryDirectory(prefix="tyto-stop-") as tmp:
                try:
                    case(tmp, workers)
                    print("ok    ", case.__name__, workers)
                except Exception as e:  # each case is told, and the next one tried
                    failed += 1
                    print("FAILED", case.__name__, workers, type(e).__name__, e)
    return failed != 0


sys.exit(main())
