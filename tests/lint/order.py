#!/usr/bin/env python3
"""order.py ROOT: two reads of one cursor in one expression.

C does not say in which order arguments, operands and the members of an initialiser are evaluated, so `f(cur_u8(&c),
cur_u8(&c))` reads two bytes in either order. Statements, declarators, && || ?: and the comma operator are in order.
"""
import re
import sys

import tree

READ = re.compile(r"\bcur_(?:u\d+\w*|f\d+\w*|skip|bytes|rest|sub)\s*\(\s*(&?[\w.>\[\]-]+)")


def statements(text):
    """(offset, text) of each statement; braces of initialisers stay inside one."""
    start, depth, init, i = 0, 0, 0, 0
    while i < len(text):
        c = text[i]
        if c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        elif c == "{":
            before = text[:i].rstrip()
            literal = re.search(r"\(\s*(const\s+)?(struct|union|enum)?\s*\w+(\s*\[[^\]]*\])?\s*\)$", before[-80:])
            call = re.search(r"\b(if|for|while|switch)\s*\([^;{}]*\)$", before[-200:])
            if init or before.endswith("=") or (literal and not call and not re.search(r"\w\s*\([^()]*\)$", before[-80:])):
                init += 1
            else:
                yield start, text[start:i]
                start, depth = i + 1, 0
        elif c == "}":
            if init:
                init -= 1
            else:
                yield start, text[start:i]
                start, depth = i + 1, 0
        elif c == ";" and not init:
            yield start, text[start:i]
            start = i + 1
        i += 1


def ordered_parts(stmt):
    """Cut at sequence points: && || ? : anywhere, commas outside all brackets."""
    depth, part = 0, ""
    i = 0
    while i < len(stmt):
        c = stmt[i]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        if stmt[i:i + 2] in ("&&", "||"):
            yield part
            part = ""
            i += 2
            continue
        if c in "?:" or (c == "," and depth <= 0):
            yield part
            part = ""
        else:
            part += c
        i += 1
    yield part


def side_by_side(part):
    """Cursors read by two calls of which none is inside the other: an argument is read before its call runs."""
    calls = []
    for m in READ.finditer(part):
        depth, end = 0, part.index("(", m.start())
        while end < len(part):
            depth += {"(": 1, ")": -1}.get(part[end], 0)
            end += 1
            if not depth:
                break
        calls.append((m.group(1), m.start(), end))
    return sorted({a[0] for a in calls for b in calls if a[0] == b[0] and a[2] <= b[1]})


def main():
    root, faults = sys.argv[1], []
    for path in tree.files(root, ".c", ".h"):
        if path == "engine/base/cur.h":
            continue
        text = tree.bare(tree.read(root, path))
        text = re.sub(r"^\s*#.*$", lambda m: " " * len(m.group(0)), text, flags=re.M)
        for at, stmt in statements(text):
            for part in ordered_parts(stmt):
                twice = side_by_side(part)
                if twice:
                    line = text.count("\n", 0, at + (len(stmt) - len(stmt.lstrip()))) + 1
                    faults.append(f"{path}:{line}: {', '.join(twice)} is read twice in one expression: "
                                  f"{' '.join(part.split())[:90]}")
    return tree.report(faults, "order")


sys.exit(main())
