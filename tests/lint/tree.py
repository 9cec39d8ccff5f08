"""tree.py: the files of the project, for the lints."""
import os
import re

SKIP = {".git", "subprojects", ".cache"}


def files(root, *suffixes):
    """Paths relative to root, sorted; build folders (they hold a build.ninja) are left out."""
    found = []
    for folder, dirs, names in os.walk(root):
        if "build.ninja" in names:
            dirs[:] = []
            continue
        dirs[:] = sorted(d for d in dirs if d not in SKIP and not d.startswith("build"))
        for n in names:
            if not suffixes or n.endswith(suffixes):
                found.append(os.path.relpath(os.path.join(folder, n), root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def bare(text):
    """C without comments and the contents of literals; lines keep their numbers."""
    def blank(m):
        s = m.group(0)
        if s[0] in "\"'":
            return s[0] * 2 if "\n" not in s else s
        return re.sub(r"[^\n]", " ", s)
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def report(faults, what):
    for f in faults:
        print(f)
    print(f"{what}: {len(faults)} faults" if faults else f"{what}: as it should be")
    return 1 if faults else 0
