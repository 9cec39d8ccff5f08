#!/usr/bin/env python3
"""tour.py TYTO SOURCE_ROOT: what README.md shows of its tour is what the program prints.

The commands of the tour are run in their order. Compared are the rows of its tables, up to where vendors and the
protocols that nDPI names begin, which not every build has; "..." stands for rows that are left out. Not for builds without
nDPI: the scan has another last time there.
"""
import os
import re
import subprocess
import sys
import tempfile


def rows(lines):
    """What begins with a time or an address: a row of alerts as it is, one of assets as far as its type."""
    for line in lines:
        if re.match(r"\d{4}-\d\d-\d\d \d\d:", line):
            yield line.rstrip()
        elif re.match(r"\d+(\.\d+){3} ", line):
            yield " ".join(line.split()[:3])
        elif line == "...":
            yield line


def differs(shown, printed):
    """The first row that is not there where it is shown. What is shown begins where the program does."""
    at, anywhere = 0, False
    for row in shown:
        if row == "...":
            anywhere = True
            continue
        while anywhere and at < len(printed) and printed[at] != row:
            at += 1
        if at == len(printed) or printed[at] != row:
            return f"README.md shows '{row}', the program prints '{printed[at] if at < len(printed) else ''}'"
        at, anywhere = at + 1, False
    return None if anywhere or at == len(printed) else f"README.md ends before '{printed[at]}'"


def main():
    tyto, root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with open(os.path.join(root, "README.md"), encoding="utf-8") as f:
        tour = re.search(r"## A quick tour\n(.*?)\n## ", f.read(), re.S)[1]
    faults, compared = [], 0
    with tempfile.TemporaryDirectory() as tmp:
        os.symlink(os.path.join(root, "pcaps"), os.path.join(tmp, "pcaps"))
        for part in re.findall(r"^\$ tyto (.*?)(?=^\$|^```)", tour, re.S | re.M):
            command, *lines = part.splitlines()
            p = subprocess.run([tyto, *command.split()], cwd=tmp, capture_output=True, text=True)
            if p.returncode:
                faults.append(f"tyto {command}: exit {p.returncode}: {p.stderr}")
            shown, printed = list(rows(lines)), [r for r in rows(p.stdout.splitlines()) if r != "..."]
            if len(shown) < 2:  # no table, or a text of which parts are left out
                for line in lines:
                    if line.startswith("OT-") and line not in p.stdout.splitlines():
                        faults.append(f"tyto {command}: does not print '{line}'")
                continue
            compared += 1
            fault = differs(shown, printed)
            if fault:
                faults.append(f"tyto {command}: {fault}")
    if compared < 2:
        faults.append(f"only {compared} tables were found in the tour")
    print("\n".join(faults) or "as shown")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
