#!/usr/bin/env python3
"""docs.py ROOT TYTO: what the program knows, the documents tell: protocols, configuration keys, limits, alert types, rules."""
import json
import os
import re
import subprocess
import sys

import tree

root, tyto = sys.argv[1:3]
faults = []


def run(*args):
    return subprocess.run([tyto, *args], capture_output=True, text=True, check=True).stdout


def records(text):
    """A JSON list, an object that holds one, or one object a line."""
    try:
        v = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line]
    return v if isinstance(v, list) else next((x for x in v.values() if isinstance(x, list)), [v])


def need(ok, fault):
    if not ok:
        faults.append(fault)


readme, conf = tree.read(root, "README.md"), tree.read(root, "docs/CONFIGURATION.md")
table = [line for line in readme.splitlines() if line.startswith("| `")]
for line in tree.read(root, "dissectors/list.def").splitlines():
    m = re.match(r"DISSECTOR\((\w+)\)", line)
    if m:
        need(any(f"`{m[1]}`" in row.split("|")[1] for row in table), f"README.md: no row for the protocol `{m[1]}`")
        need(os.path.isdir(os.path.join(root, "pcaps", m[1])), f"pcaps/{m[1]}: no captures")
        need(os.path.exists(os.path.join(root, "pcaps", m[1], "SOURCES.md")), f"pcaps/{m[1]}/SOURCES.md is missing")
event_type = next((r for r in tree.read(root, "docs/RECORDS.md").splitlines() if r.startswith("| `event_type` |")), "")
for p in records(run("protocols", "--json")):
    need(re.search(rf"\b{p['name']}\b", readme), f"README.md: nothing on `{p['name']}`")
    need(f"`{p['name']}`" in event_type, f"docs/RECORDS.md: nothing on the `event_type` `{p['name']}`")

keys = re.findall(r"^  ([\w.\[\]<>]+): ", run("config", "--help"), re.M)
need(len(keys) > 40, f"`tyto config --help` lists only {len(keys)} keys")
for key in keys + ["limits." + r["key"] for r in records(run("config", "limits", "--json"))]:
    leaf = re.split(r"[.\]>]", key)[-1] or key
    need(f"`{key}`" in conf or f"`{leaf}`" in conf or re.search(rf"^\| `{re.escape(leaf)}", conf, re.M),
         f"docs/CONFIGURATION.md: nothing on `{key}`")

shown = 0
for key, takes, default, doc in re.findall(r"^  ([\w.\[\]<>]+): (.*?)(?: \(default (.*)\))?\n((?:      .*\n?)+)", run("config", "--help"), re.M):
    if key.startswith("limits.<"):
        continue  # one row each, below
    row = f"| `{key}` | {takes} | {default} | {' '.join(doc.split())} |"
    need(row in conf.splitlines(), f"docs/CONFIGURATION.md: expected the row {row}")
    shown += 1
need(shown > 40, f"`tyto config --help` explains only {shown} keys")

for r in records(run("config", "limits", "--json")):
    row = "| `{key}` | {default} | {min} | {bytes_each} | {why} | {when_full} |".format(**r)
    need(row in conf.splitlines(), f"docs/CONFIGURATION.md: expected the row {row}")

told = "".join(tree.read(root, f) for f in tree.files(root, ".md") if f.startswith("docs/"))
types = records(run("alerts", "--types", "--json"))
need(len(types) > 20, f"`tyto alerts --types` lists only {len(types)} types")
for field in ("id", "signature_id"):
    values = [t[field] for t in types]
    for v in sorted({str(v) for v in values if values.count(v) > 1}):
        faults.append(f"alerts: {field} {v} stands twice")
for t in types:
    need(t["id"] in told, f"docs/: nothing on the alert {t['id']}")

ids, sids = {}, {}
for path in tree.files(root, ".yaml"):
    if not path.startswith("rules/default/"):
        continue
    for n, line in enumerate(tree.read(root, path).splitlines(), 1):
        m = re.match(r"\s*-?\s*(id|sid):\s*(\S+)", line)
        if m:
            seen = ids if m[1] == "id" else sids
            need(m[2] not in seen, f"{path}:{n}: {m[1]} {m[2]} stands in {seen.get(m[2])} too")
            seen[m[2]] = f"{path}:{n}"
need(len(ids) >= 40, f"rules/default: {len(ids)} rules, at least 40")
for t in types:
    need(str(t["signature_id"]) not in sids, f"{sids.get(str(t['signature_id']))}: the number of the alert {t['id']}")

for path in tree.files(root, ".md"):
    for n, line in enumerate(tree.read(root, path).splitlines(), 1):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", line):
            need(os.path.exists(os.path.join(root, os.path.dirname(path), target)), f"{path}:{n}: leads to {target}, which is not there")
sys.exit(tree.report(faults, "docs"))
