#!/usr/bin/env python3
"""files.py: what a command line does to the files that it names.

  files.py TYTO SOURCE_ROOT [CASE...]

No output destroys a capture, a database or another output; what cannot be written is told before the work, or after it.
"""
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys

from cases import case, folder, main

TYTO, ROOT = (os.path.abspath(p) for p in sys.argv[1:3])
sys.path.insert(0, os.path.join(ROOT, "pcaps/gen"))
import wire  # noqa: E402


class Place:
    """A folder with captures and a database, and the program run in it."""

    def __init__(self, pairs=1):
        self.dir = folder()
        t = wire.Trace(self("a.pcap"))
        for k in range(4 * pairs):
            if k % 4 == 0:
                c = t.tcp(f"10.0.0.{k // 4 + 1}", 50000, "10.0.1.1", 502)
            c.to_server(struct.pack(">HHHBBHH", k, 0, 6, 1, 3, 0, 2))
            c.to_client(struct.pack(">HHHBBB", k, 0, 7, 1, 3, 4) + bytes(4))
        c.to_server(struct.pack(">HHHBBHH", 9, 0, 6, 1, 8, 4, 0))  # listen only: an alert
        t.save()
        shutil.copy(self("a.pcap"), self("b.pcap"))

    def __call__(self, name):
        return os.path.join(self.dir, name)

    def run(self, *args, **kw):
        return subprocess.run([TYTO, *args], cwd=self.dir, capture_output=True, timeout=60, **kw)

    def replay(self, *args, **kw):
        return self.run("replay", "-q", "--no-ndpi", *args, **kw)

    def learnt(self):
        p = self.replay("-o", "first", "--learn", "a.pcap")
        assert p.returncode == 0, p
        return self

    def state(self):
        def read(name):
            with open(self(name), "rb") as f:
                return f.read()
        return {n: read(n) for n in os.listdir(self.dir)}


def refused(place, status, says, *args, **kw):
    """The command fails with one line, and no file is another one after it than before."""
    before = place.state()
    p = place.run(*args, **kw)
    err = p.stderr.decode()
    assert p.returncode == status, (args, p)
    assert len(err.splitlines()) == 1 and err.startswith("tyto"), (args, err)
    assert all(s in err for s in says), (args, says, err)
    assert place.state() == before, (args, sorted(before), sorted(place.state()))
    return err


TWO = "found one file for"


# ---- one file for two purposes ----

@case
def an_output_is_no_capture():
    at = Place()
    with open(at("text"), "w") as f:
        f.write("of no format\n")
    for option in ("-o", "-e", "--stats"):
        refused(at, 2, ("b.pcap: found a capture",), "replay", "-d", "x.db", option, "b.pcap", "a.pcap", "b.pcap")
        refused(at, 2, ("b.pcap: found a capture, expected",), "replay", "-d", "x.db", option, "b.pcap", "a.pcap")
        refused(at, 2, ("b.pcap: found a capture",), "run", "-d", "x.db", option, "./b.pcap", "-i", "file:b.pcap")
        refused(at, 2, (TWO, "a capture"), "replay", "-d", "x.db", option, "text", "a.pcap", "text")
    os.link(at("text"), at("hard"))
    os.symlink("text", at("soft"))
    for name in ("hard", "soft", at("text"), "./text"):
        refused(at, 2, (TWO,), "replay", "-d", "x.db", "-e", name, "a.pcap", "text")
    with open(at("text"), "rb") as f:
        refused(at, 2, (TWO,), "replay", "-d", "x.db", "-e", "text", "-", stdin=f)


@case
def what_is_no_text_is_not_written_to():
    at = Place().learnt()
    first = {"zip.gz": b"\x1f\x8b\x08\0", "ng": b"\x0a\x0d\x0d\x0a\x1c\0\0\0", "nano": b"\x4d\x3c\xb2\xa1\x02\0\x04\0"}
    for name, b in first.items():
        with open(at(name), "wb") as f:
            f.write(b)
    shutil.copy(at("tyto.db"), at("other.db"))
    for name in (*first, "other.db"):
        for option in ("-o", "-e", "--stats"):
            refused(at, 2, (f"{name}: found a", "expected a file"), "replay", "-d", "x.db", option, name, "a.pcap")
        refused(at, 2, (f"{name}: found a", "expected a file"), "baseline", "export", "-o", name)


@case
def an_output_is_no_database():
    at = Place()
    for there in (False, True):
        for option in ("-o", "-e", "--stats"):
            for name in ("x.db", "./x.db", "x.db-wal", "x.db-journal", "x.db.lock"):
                refused(at, 2, (TWO, "database"), "replay", "-d", "x.db", option, name, "a.pcap")
        p = at.replay("-d", "x.db", "-o", "alerts", "a.pcap")
        assert p.returncode == 0, p
    refused(at, 2, (TWO,), "baseline", "export", "-d", "x.db", "-o", "x.db")
    refused(at, 2, (TWO,), "replay", "-d", "a.pcap", "-o", "alerts", "a.pcap")


@case
def outputs_are_files_of_their_own():
    at = Place()
    for there in (False, True):
        for two in (("-o", "-e"), ("-o", "--stats"), ("-e", "--stats")):
            refused(at, 2, (TWO,), "replay", "-d", "x.db", two[0], "x", two[1], "./x", "a.pcap")
        open(at("x"), "w").close()
    with open(at("c.yaml"), "w") as f:
        f.write("outputs:\n  - {type: file, path: x, what: alerts}\n  - {type: file, path: y, what: events}\n")
    for option, name in (("-e", "x"), ("-o", "y"), ("--stats", "y"), ("--stats", "x"), ("-d", "y"), ("-e", "c.yaml")):
        refused(at, 2, (TWO,), "replay", *(["-d", "x.db"] if option != "-d" else []), "-c", "c.yaml", option, name, "a.pcap")
    with open(at("x"), "r+") as f:  # standard output of the shell
        p = subprocess.run([TYTO, "replay", "-d", "x.db", "-e", "x", "a.pcap"], cwd=at.dir, stdout=f, stderr=subprocess.PIPE)
        assert p.returncode == 2 and TWO in p.stderr.decode(), p


@case
def what_loses_nothing_is_allowed():
    at = Place()
    p = at.replay("-d", "x.db", "-o", "-", "-e", "-", "--stats", "-", "a.pcap")
    assert p.returncode == 0 and p.stdout.count(b"\n") > 6, p
    p = at.replay("-d", "x.db", "-o", "/dev/null", "-e", "/dev/null", "--stats", "/dev/null", "a.pcap")
    assert p.returncode == 0, p
    with open(at("c.yaml"), "w") as f:
        f.write("outputs:\n  - {type: file, path: x, what: alerts}\n")
    p = at.replay("-d", ":memory:", "-c", "c.yaml", "-o", "x", "a.pcap")  # -o names a configured output
    assert p.returncode == 0 and os.path.getsize(at("x")), p
    p = at.replay("-d", ":memory:", "-c", "c.yaml", "-o", "x", "a.pcap", "b.pcap")  # appended to
    assert p.returncode == 0, p


@case
def an_export_is_whole_or_not_there():
    at = Place(250).learnt()
    p = at.run("baseline", "export", "-o", "out.yaml")
    whole = at.state()["out.yaml"]
    assert p.returncode == 0 and whole == at.run("baseline", "export").stdout and b"10.0.1.1" in whole, p
    os.chmod(at("out.yaml"), 0o604)
    os.symlink("out.yaml", at("link"))
    assert at.run("baseline", "export", "-o", "link").returncode == 0
    assert os.path.islink(at("link")) and os.stat(at("out.yaml")).st_mode & 0o777 == 0o604
    assert not [n for n in at.state() if n.startswith("out.yaml.")], sorted(at.state())
    assert len(whole) > ROOM, len(whole)
    with open(at("out.yaml"), "w") as f:
        f.write("old\n")
    refused(at, 1, ("out.yaml: cannot be written: File too large",), "baseline", "export", "-o", "out.yaml", preexec_fn=small_files)
    p = at.run("baseline", "export", "-o", "/dev/full")
    assert p.returncode == 1 and b"/dev/full: cannot be written: No space left" in p.stderr, p


# ---- who may read it ----

@case
def a_database_is_as_shut_as_the_alerts():
    at = Place()
    os.symlink("target.db", at("link.db"))
    for mask, mode in ((0, 0o640), (0o022, 0o640), (0o077, 0o600)):
        for name, there in (("x.db", "x.db"), ("link.db", "target.db")):
            p = at.replay("-d", name, "-o", "alerts", "-e", "events", "--stats", "stats", "a.pcap", umask=mask)
            assert p.returncode == 0 and at.run("assets", "-d", name, umask=mask).returncode == 0, p
            made = [n for n in os.listdir(at.dir) if n.startswith((there, "alerts", "events", "stats"))]
            modes = {n: os.stat(at(n)).st_mode & 0o777 for n in made}
            assert there + "-wal" in made and set(modes.values()) == {mode}, (mask, modes)
            for n in made:
                os.remove(at(n))
    p = at.replay("-d", "x.db", "-o", "alerts", "a.pcap")
    os.chmod(at("x.db"), 0o644)  # somebody's wish
    assert at.replay("-d", "x.db", "-o", "alerts", "a.pcap").returncode == 0
    assert os.stat(at("x.db")).st_mode & 0o777 == 0o644


# ---- what cannot be written ----

@case
def a_listing_into_a_full_disk_fails():
    at = Place(250).learnt()  # more than what waits in a buffer
    lists = ("assets", "assets --json", "links", "links --json", "alerts", "alerts --json", "alerts --types", "baseline show",
             "baseline show --json", "baseline export", "rules list", "rules list --json", "protocols", "protocols --json",
             "protocols modbus", "config show", "config show --json", "config limits", "db info", "db info --json", "db check",
             "capture check -i file:a.pcap", "capture check -i file:a.pcap --json", "--help", "--version", "replay --help")
    for args in lists:
        assert at.run(*args.split()).returncode == 0, args
        with open("/dev/full", "w") as full:
            p = subprocess.run([TYTO, *args.split()], cwd=at.dir, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert p.returncode == 1, (args, p)
        assert p.stderr.endswith(": standard output: cannot be written: No space left on device\n"), (args, p)
        assert len(p.stderr.splitlines()) == 1, (args, p)


@case
def a_reader_who_has_gone_is_no_failure():
    at = Place(250).learnt()
    p = subprocess.run(f"trap '' PIPE; {{ {TYTO} links --json; echo $? >&2; }} | head -c 1", cwd=at.dir, shell=True,
                       capture_output=True, text=True, timeout=60)
    assert p.stderr == "0\n", p


@case
def statistics_that_cannot_be_written_are_told_first():
    at = Place()
    os.mkdir(at("folder"))
    os.mkfifo(at("pipe"))
    for name, why in (("/nonexistent/s.json", "No such file or directory"), ("folder", "Is a directory")):
        p = at.replay("-d", ":memory:", "-o", "alerts", "-e", "events", "--stats", name, "a.pcap", text=True)
        assert p.returncode == 1 and p.stderr == f"tyto: {name}: cannot be written: {why}\n", p
        assert not os.path.exists(at("alerts")) and not os.path.exists(at("events")), "it worked for nothing"
    with open(at("old"), "w") as f:
        f.write("old\n")
    p = at.replay("-d", ":memory:", "-o", "nowhere/alerts", "--stats", "old", "a.pcap")
    with open(at("old")) as f:
        assert p.returncode == 1 and f.read() == "old\n", p
    p = at.replay("-d", ":memory:", "-o", "alerts", "--stats", "old", "a.pcap")
    with open(at("old")) as f:
        assert p.returncode == 0 and json.load(f)["packets"] > 8, p
    p = at.replay("-d", ":memory:", "-o", "alerts", "--stats", "new", "a.pcap")
    assert p.returncode == 0 and os.stat(at("new")).st_mode & 0o777 == 0o640, p
    names = {"a.pcap", "b.pcap", "alerts", "old", "new", "folder", "pipe"}
    assert set(os.listdir(at.dir)) == names, os.listdir(at.dir)
    p = subprocess.Popen([TYTO, "replay", "-q", "-d", ":memory:", "-o", "alerts", "--stats", "pipe", "a.pcap"], cwd=at.dir)
    with open(at("pipe")) as f:
        assert json.load(f)["packets"] > 8
    assert p.wait(60) == 0


def without_rights():
    """root as anybody else: modes of files hold."""
    import ctypes
    for cap in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH; PR_CAPBSET_DROP
        ctypes.CDLL(None).prctl(24, cap, 0, 0, 0)


@case
def an_error_says_what_is_wrong():
    at = Place()
    os.mkdir(at("shut"))
    shutil.copy(at("a.pcap"), at("shut/a.pcap"))
    with open(at("mine"), "w") as f:
        f.write("old\n")
    os.chmod(at("mine"), 0o400)
    os.chmod(at("shut"), 0o500)
    for option in ("-o", "-e", "--stats"):
        for name in ("shut/new", "mine"):
            args = ("replay", "-d", "x.db", option, name, "a.pcap")
            refused_in(at, 1, f"tyto: {name}: cannot be written: Permission denied\n", *args)
    refused_in(at, 1, "tyto: shut/x.db: the database cannot be made: Permission denied\n", "replay", "-d", "shut/x.db", "a.pcap")
    refused_in(at, 1, "tyto baseline: shut/new: cannot be written: Permission denied\n",
               "baseline", "export", "-d", Place().learnt()("tyto.db"), "-o", "shut/new")
    os.chmod(at("shut"), 0o000)
    refused_in(at, 1, "tyto: shut/x.db: the database cannot be opened: Permission denied\n", "assets", "-d", "shut/x.db")
    os.chmod(at("shut"), 0o700)
    for command in (("replay", "-o", "alerts", "a.pcap"), ("assets",), ("db", "info"), ("baseline", "show")):
        err = refused_in(at, 1, None, command[0], "-d", "shut", *command[1:])
        assert "shut: found a folder, expected a database" in err, (command, err)
        err = refused_in(at, None, None, command[0], "-d", "", *command[1:])
        assert "found no name" in err, (command, err)
    refused_in(at, 1, "tyto: x.db: the database cannot be opened: No such file or directory\n", "assets", "-d", "x.db")
    refused_in(at, 1, "tyto: no/x.db: the database cannot be made: No such file or directory\n", "replay", "-d", "no/x.db", "a.pcap")


def refused_in(at, status, says, *args, **kw):
    before = sorted(os.listdir(at.dir))
    p = at.run(*args, text=True, preexec_fn=without_rights, **kw)
    assert p.returncode == status or (status is None and p.returncode in (1, 2)), (args, p)
    assert p.stderr == says or (says is None and len(p.stderr.splitlines()) == 1), (args, p.stderr)
    assert sorted(os.listdir(at.dir)) == before, (args, os.listdir(at.dir))
    return p.stderr


# ---- what cannot be read ----

@case
def a_replay_of_nothing_leaves_no_database():
    at = Place()
    with open(at("text"), "w") as f:
        f.write("no capture\n")
    for args in (("nix.pcap",), ("text",), ("-o", "no/alerts", "a.pcap"), ("-e", "no/events", "a.pcap")):
        p = at.replay("-d", "x.db", *([] if "-o" in args else ["-o", "/dev/null"]), *args, text=True)
        assert p.returncode == 1 and len(p.stderr.splitlines()) == 1, (args, p)
        assert not [n for n in os.listdir(at.dir) if n.startswith("x.db")], (args, os.listdir(at.dir))
    p = at.run("run", "-q", "-d", "x.db", "-o", "/dev/null", "-i", "file:nix.pcap")
    assert p.returncode == 1 and not os.path.exists(at("x.db")), p
    p = at.replay("-d", "x.db", "-o", "/dev/null", "nix.pcap", "a.pcap")  # something came of it
    assert p.returncode == 1 and b"10.0.1.1" in at.run("assets", "-d", "x.db").stdout, p
    before = at.state()["x.db"]
    p = at.replay("-d", "x.db", "-o", "/dev/null", "nix.pcap")  # an earlier one's
    assert p.returncode == 1 and b"10.0.1.1" in at.run("assets", "-d", "x.db").stdout and before, p
    open(at("empty.db"), "w").close()
    p = at.replay("-d", "empty.db", "-o", "/dev/null", "nix.pcap")
    assert p.returncode == 1 and os.path.exists(at("empty.db")), "it was there before"
    open(at("empty.pcap"), "w").close()
    p = at.replay("-d", "y.db", "-o", "/dev/null", "empty.pcap")  # a warning: done
    assert p.returncode == 0 and os.path.exists(at("y.db")), p


@case
def compressed_data_cut_short_is_no_empty_file():
    at = Place()
    with open(at("a.pcap"), "rb") as f:
        whole = gzip.compress(f.read())
    for n in (2, 5, 10, 18):
        with open(at("cut.gz"), "wb") as f:
            f.write(whole[:n])
        refused(at, 1, ("cut.gz: found the end of the compressed data, expected",), "replay", "-q", "-d", ":memory:", "cut.gz")
    with open(at("none.gz"), "wb") as f:
        f.write(gzip.compress(b""))
    p = at.replay("-d", ":memory:", "none.gz", text=True)
    assert p.returncode == 0 and "warning: none.gz: found an empty file" in p.stderr, p


@case
def standard_input_is_read_once():
    at = Place()
    with open(at("a.pcap"), "rb") as f:
        refused(at, 2, ("found - 2 times", "once"), "replay", "-d", "x.db", "-", "b.pcap", "-", stdin=f)

@case
def a_source_is_named_by_its_kind():
    at = Place()
    for uri in ("lo", "foo:bar", "", "a.pcap", "-", "file:", "pcap:", "files:a.pcap"):
        says = f"-i: found '{uri}', expected pcap:IFACE, tap:IFACE+IFACE, dpdk:DEV or file:CAPTURE"
        refused(at, 2, (says,), "run", "-d", "x.db", "-i", uri)
        refused(at, 2, (says,), "run", "-d", "x.db", "-i", "file:a.pcap", "-i", uri)
        refused(at, 2, (says,), "capture", "check", "-i", uri)
    p = at.run("run", "-q", "-d", "x.db", "-o", "alerts", "-i", "file:a.pcap", "-i", "file:./b.pcap")
    assert p.returncode == 0 and os.path.getsize(at("alerts")), p


@case
def a_check_of_nothing_is_no_check():
    at = Place()
    with open(at("text"), "w") as f:
        f.write("no capture\n")
    for name, says in (("nix.pcap", "cannot read: No such file or directory"), ("text", "expected a pcap or pcapng file")):
        for args in ((), ("--json",)):
            p = at.run("capture", "check", "-i", "file:" + name, *args, text=True)
            assert p.returncode == 1 and p.stdout == "", p
            assert p.stderr.startswith(f"tyto: {name}: ") and says in p.stderr and len(p.stderr.splitlines()) == 1, p
        p = at.run("capture", "check", "-i", "file:" + name, "-i", "file:a.pcap", "--json", text=True)
        assert p.returncode == 1 and json.loads(p.stdout)["packets"] > 8 and says in p.stderr, p
    open(at("empty.pcap"), "w").close()
    p = at.run("capture", "check", "-i", "file:empty.pcap", text=True)
    assert p.returncode == 0 and "No packet came" in p.stdout and p.stderr.startswith("tyto: warning: empty.pcap: "), p


# ---- wrong usage ----

@case
def wrong_usage_says_what_is_wrong():
    at = Place()
    cases = {
        "assets a b": "tyto assets: found 'a' and 'b', expected one device",
        "alerts a b": "tyto alerts: found 'a' and 'b', expected one uid",
        "links x": "tyto links: found 'x', expected an option",
        "protocols a b": "tyto protocols: found 'a' and 'b', expected one protocol",
        "db nix": "tyto db: found 'nix', expected info, check, vacuum or migrate",
        "db": "tyto db: found nothing, expected info, check, vacuum or migrate",
        "db info x": "tyto db: found 'info' and 'x', expected one of them",
        "baseline nix": "tyto baseline: found 'nix', expected show, accept, export, import or diff",
        "baseline": "tyto baseline: found nothing, expected show, accept, export, import or diff",
        "baseline diff A": "tyto baseline: diff: found 1 argument, expected OLD NEW",
        "baseline accept": "tyto baseline: accept: found 0 arguments, expected KEY or ALERT_UID",
        "baseline show x": "tyto baseline: show: found 1 argument, expected none",
        "config nix": "tyto config: found 'nix', expected check, show or limits",
        "config": "tyto config: found nothing, expected check, show or limits",
        "config limits x": "tyto config: found 'x', expected an option of limits",
    }
    for args, says in cases.items():
        refused(at, 2, (f"{says}; tyto {args.split()[0]} --help tells more\n",), *args.split())
    for args in ("replay", "run", "assets", "links", "alerts", "baseline", "protocols", "config show", "db", "capture"):
        p = at.run(*args.split(), "--nix", text=True)
        first, more = p.stderr.splitlines()
        assert p.returncode == 2 and first == f"tyto {args.split()[0]}: unrecognized option '--nix'", (args, p)
        assert more.startswith(f"tyto {args.split()[0]} --help tells "), (args, p)
        assert at.run(*args.split(), "--help").returncode == 0, args


@case
def errors_are_told_once_and_in_full():
    at = Place()
    with open("/dev/full", "w") as full:
        for option in ("-o", "-e", "--stats"):
            args = ["replay", "-q", "-d", ":memory:", "-o", "/dev/null", option, "-", "a.pcap"]
            p = subprocess.run([TYTO, *args], cwd=at.dir, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
            assert p.returncode == 1, p
            assert p.stderr == "tyto: standard output: cannot be written: No space left on device\n", (option, p)
    p = at.run("run", "-q", "-d", "x.db", "-i", "pcap:nix0", text=True)
    assert p.returncode == 1 and p.stderr.count("No such device") == 1, p
    head = struct.pack("<IIIHHq", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1) + struct.pack("<I", 28)
    with open(at("cut.pcapng"), "wb") as f:
        f.write(head + struct.pack("<II", 1, 20) + bytes(4))
    p = at.replay("-d", ":memory:", "cut.pcapng", text=True)
    assert p.returncode == 0 and "expected an interface description of 20" in p.stderr, p


ROOM = 34000  # bytes: more than what SQLite has beside a database that is read


def small_files():
    import resource
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))


if __name__ == "__main__":
    main(sys.argv[3:])
