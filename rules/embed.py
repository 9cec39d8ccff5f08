#!/usr/bin/env python3
"""Writes the shipped rules as C: embed.py OUT.c FILE.yaml..."""
import os
import sys

out, files = sys.argv[1], sys.argv[2:]
rows = []
with open(out, "w", encoding="ascii") as f:
    f.write('/* Made from rules/default/ by rules/embed.py. */\n#include "rules/rules.h"\n\n')
    for i, name in enumerate(files):
        data = open(name, "rb").read()
        f.write("static const char text_%d[] = {\n" % i)
        for at in range(0, len(data), 20):
            f.write("    " + " ".join("%d," % (b if b < 128 else b - 256) for b in data[at:at + 20]) + "\n")
        f.write("    0};\n\n")
        rows.append('    {"default/%s", text_%d, %d, true},\n' % (os.path.basename(name), i, len(data)))
    f.write("const struct rules_text rules_builtin[] = {\n" + "".join(rows) + "};\n")
    f.write("const unsigned n_rules_builtin = %d;\n" % len(files))
