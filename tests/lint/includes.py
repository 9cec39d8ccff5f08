#!/usr/bin/env python3
"""includes.py ROOT: who may include whom, and which file is the door to which library (docs/ARCHITECTURE.md)."""
import re
import sys

import tree

# folder -> folders whose headers it may include, besides its own
ALLOWED = {
    "engine/base": [],
    "capture": ["engine/base"],
    "dissectors": ["engine/base"],
    "baseline": ["engine/base"],
    "rules": ["engine/base"],
    "alerts": ["engine/base"],
    "store": ["engine/base"],
    "engine": ["engine/base", "capture", "dissectors", "baseline", "rules", "alerts", "store"],
    "tests": ["engine/base", "engine", "capture", "dissectors", "baseline", "rules", "alerts", "store"],
}
# `tyto rules` lives beside what it shows and is a subcommand: it needs the table of commands and the protocols' names.
ALSO = {"rules/cmd_rules.c": ["engine", "dissectors"], "baseline/cmd_": ["engine", "store", "dissectors", "alerts"],
        "store/cmd_": ["engine"]}
# third-party header -> the only files that include it (tests measure peers and libraries themselves)
DOORS = [
    (r"yaml\.h", ["rules/yaml.c"]),
    (r"ndpi/.*|ndpi_.*", ["engine/itapp_ndpi.c"]),
    (r"jansson\.h", ["engine/json.c"]),
    (r"sqlite3\.h", ["store/", "tests/unit/"]),
    (r"zlib\.h", ["capture/", "tests/unit/"]),
    (r"check\.h", ["tests/unit/"]),
    (r"pcap\.h|pcap/.*", ["capture/pcap", "tests/bench/"]),
    (r"rte_.*", ["capture/dpdk"]),
]
LIBC = re.compile(r"(assert|ctype|dirent|dlfcn|errno|fcntl|getopt|ifaddrs|inttypes|limits|locale|malloc|math|poll|pthread|pwd|grp|sched|semaphore"
                  r"|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|syslog|termios|threads|time"
                  r"|unistd|byteswap|endian|(sys|net|netinet|arpa|linux)/\w+(/\w+)?)\.h")


def folder(path):
    if path.startswith("engine/base/"):
        return "engine/base"
    return path.split("/")[0]


def protocol(path):
    """dissectors/dnp3_app.c -> dnp3; None for what all dissectors share."""
    stem = path.split("/")[-1].split(".")[0].split("_")[0]
    return None if stem in ("dissector", "runtime", "registry", "ev", "txn", "asm", "obs", "list", "carrier") else stem


def check(path, name, faults, where):
    here, there = folder(path), folder(name)
    if there not in ALLOWED:
        faults.append(f"{where}: \"{name}\" is no header of the project by its full path")
        return
    if here == there:
        a, b = protocol(path), protocol(name)
        if here == "dissectors" and b and a != b:
            faults.append(f"{where}: a dissector knows no other: \"{name}\"")
        return
    also = [f for prefix, fs in ALSO.items() if path.startswith(prefix) for f in fs]
    if there not in ALLOWED[here] + also:
        faults.append(f"{where}: {here}/ may not include \"{name}\"")


def main():
    root, faults = sys.argv[1], []
    for path in tree.files(root, ".c", ".h"):
        if folder(path) not in ALLOWED:
            continue
        for n, line in enumerate(tree.read(root, path).splitlines(), 1):
            m = re.match(r"\s*#\s*include\s+([<\"])([^>\"]+)[>\"]", line)
            if not m:
                continue
            where, name = f"{path}:{n}", m.group(2)
            if m.group(1) == '"':
                if ".." in name:
                    faults.append(f"{where}: includes are rooted, not \"{name}\"")
                elif "/" in name or folder(path) != "tests":
                    check(path, name, faults, where)
                continue
            doors = next((d for pattern, d in DOORS if re.fullmatch(pattern, name)), None)
            if doors is not None:
                if not any(path.startswith(d) for d in doors):
                    faults.append(f"{where}: <{name}> belongs to {', '.join(doors)}")
            elif not LIBC.fullmatch(name) and not name.startswith("sanitizer/"):
                faults.append(f"{where}: <{name}> has no door: name one in tests/lint/includes.py")
    return tree.report(faults, "includes")


sys.exit(main())
