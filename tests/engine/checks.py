#!/usr/bin/env python3
"""checks.py: what `tyto config check` calls good, a run takes; what a run refuses, it refuses, too.

  checks.py TYTO SOURCE_ROOT [CASE...]
"""
import os
import subprocess
import sys

from cases import case, folder, main

TYTO, ROOT = map(os.path.abspath, sys.argv[1:3])

RULE = """rules:
- id: USR-1
  title: A rule
  severity: minor
  when: {%s}
"""


def write(**files):
    where = folder()
    for name, text in files.items():
        with open(os.path.join(where, name + ".yaml"), "w") as f:
            f.write(text)
    return where


def ask(where, *args):
    return subprocess.run([TYTO, *args], capture_output=True, text=True, cwd=where)


def both(where):
    """What the check and a replay say of site.yaml; they must agree on whether it is good."""
    p = ask(where, "config", "check", "site.yaml")
    r = ask(where, "replay", "-q", "-c", "site.yaml", "-d", ":memory:", os.path.join(ROOT, "pcaps/modbus/anomalies.pcap"))
    assert p.returncode == r.returncode, (p, r)
    return p


def refused(where, *words):
    p = both(where)
    assert p.returncode == 1 and p.stdout == "", p
    assert len(p.stderr.splitlines()) == 1 and all(w in p.stderr for w in words), (words, p.stderr)
    return p.stderr


def warned(where, *words):
    p = both(where)
    assert p.returncode == 0 and ": good (" in p.stdout, p
    lines = p.stderr.splitlines()
    assert len(lines) == len(words) and all(w in line for w, line in zip(words, lines)), (words, p.stderr)
    assert all(line.startswith("site.yaml: warning: ") for line in lines), lines


@case
def rules_are_checked_with_the_configuration():
    refused(write(site="rules: {files: [nix.yaml]}\n"), "nix.yaml")
    where = write(site="rules: {files: [mine.yaml]}\n", mine=RULE % "protocl: modbus")
    assert refused(where).startswith("mine.yaml:5:10: "), where
    assert refused(where) == ask(where, "rules", "check", "mine.yaml").stderr
    refused(write(site="rules: {enable: [USR-9]}\n"), "USR-9")
    warned(write(site="rules: {files: [mine.yaml]}\n", mine=RULE % "protocol: modbus"))


@case
def a_rule_names_codes_that_a_message_can_carry():
    most = {"modbus": 127, "dnp3": 255, "s7comm": 255, "iec104": 255, "cip": 127, "enip": 65535}
    for protocol, n in most.items():
        for good in (f"{n}", f"'>= {n}'", f"'> {n - 1}'", f"{n - 9}-{n}", f"[1, {n}]"):
            where = write(mine=RULE % f"protocol: {protocol}, function: {good}")
            assert ask(where, "rules", "check", "mine.yaml").returncode == 0, (protocol, good)
        for bad in (f"{n + 1}", f"'> {n}'", f"'>= {n + 1}'", f"{n}-{n + 1}", "4294967296"):
            p = ask(write(mine=RULE % f"protocol: {protocol}, function: {bad}"), "rules", "check", "mine.yaml")
            column = len(f"  when: {{protocol: {protocol}, function: ") + 1
            assert p.returncode == 1 and p.stderr.startswith(f"mine.yaml:5:{column}: "), (protocol, bad, p)
            assert f"at most {n}" in p.stderr or bad == "4294967296", (protocol, bad, p)
    where = write(mine=RULE % "protocol: [modbus, dnp3], function: 200")  # one of them can
    assert ask(where, "rules", "check", "mine.yaml").returncode == 0


@case
def a_rule_names_zones_that_there_are():
    zones = "zones: [{name: control, subnets: [10.0.0.0/8]}, {name: office, subnets: [10.1.0.0/16]}]\n"
    site = "rules: {files: [mine.yaml]}\n"
    for good in ("src_zone: control", "dst_zone: [none, office]", "src_zone: 'off*'", "dst_zone: 'n*'", "not: {src_zone: office}"):
        warned(write(site=site + zones, mine=RULE % good))
    for bad, where, near in (("src_zone: nix", "5:20", "one of"), ("dst_zone: [office, contrl]", "5:29", "'control'?"),
                             ("any: [{protocol: modbus}, {dst_zone: 'x*'}]", "5:47", "one of")):
        folder = write(site=site + zones, mine=RULE % bad)
        assert refused(folder, "unknown zone", near).startswith(f"mine.yaml:{where}: "), bad
        assert ask(folder, "rules", "check", "mine.yaml").returncode == 0, bad  # which knows no site
        warned(write(site=site, mine=RULE % bad))


@case
def what_a_run_refuses_of_the_section_run():
    assert refused(write(site="run:\n  metrics: foo:bar\n"), "'foo:bar'").startswith("site.yaml:2:12: ")
    for good in ("127.0.0.1:9464", "'[::1]:9464'", "/run/tyto.sock"):
        warned(write(site=f"run:\n  metrics: {good}\n"))
    p = ask(write(site="run:\n  filter: tcp prt 5\n"), "config", "check", "site.yaml")  # a replay has no use for it
    assert p.returncode == 1 and p.stderr.startswith("site.yaml: run.filter: found 'tcp prt 5'"), p
    for good in ("tcp port 5", "vlan and not arp", "inbound"):
        warned(write(site=f"run:\n  filter: {good}\n"))


@case
def what_depends_on_the_machine_is_a_warning():
    warned(write(site="run: {user: no-such-user-here, capture_dir: /nonexistent/x, cpus: [0-1, 999]}\n"),
           "run.user: there is no user 'no-such-user-here'", "run.capture_dir: there is no folder /nonexistent/x",
           *(f"run.cpus: there is no processor {n} here" for n in ([1] if os.cpu_count() < 2 else []) + [999]))
    warned(write(site=f"run: {{user: root, capture_dir: {folder()}, cpus: [0]}}\n"))


@case
def a_run_tells_of_a_processor_that_is_not_there():
    where = write(site="run: {cpus: [0, 999], user: root}\n")
    p = ask(where, "run", "-q", "-c", "site.yaml", "-d", ":memory:", "-i",
            "file:" + os.path.join(ROOT, "pcaps/modbus/anomalies.pcap"))
    assert p.returncode == 0 and p.stderr == "tyto: warning: run.cpus: there is no processor 999 here\n", p


if __name__ == "__main__":
    main(sys.argv[3:])
