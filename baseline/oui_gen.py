#!/usr/bin/env python3
"""oui_gen.py OUT EXCERPT [CSV...]: write the OUI tables as C. CSV: the IEEE's registries as Debian's ieee-data has them."""
import csv
import os
import sys

BITS = {6: 0, 7: 1, 9: 2}  # hex digits of the assignment: MA-L, MA-M, MA-S and IAB


def read(paths):
    rows = [{}, {}, {}]
    for path in paths:
        if not os.path.exists(path):
            continue
        with open(path, newline='', encoding='utf-8', errors='replace') as f:
            for row in csv.reader(f):
                if len(row) < 3 or len(row[1]) not in BITS or row[0] == 'Registry':
                    continue
                name = ' '.join(row[2].split()).rstrip(' ,.;')
                # "Private" and the registry itself (whose blocks are split into MA-M and MA-S) name nobody
                if name and name not in ('Private', 'IEEE Registration Authority'):
                    rows[BITS[len(row[1])]].setdefault(int(row[1], 16), name)
    return rows


def c_string(s):
    out = ''
    for byte in s.encode('utf-8'):
        c = chr(byte)
        if c in '"\\?':
            out += '\\' + c
        elif 32 <= byte < 127:
            out += c
        else:
            out += '\\%03o' % byte
    return out


def write(out, name, rows):
    names = sorted({n for r in rows for n in r.values()})
    places, at = {}, 0
    for n in names:
        places[n] = at
        at += len(n.encode('utf-8')) + 1
    assert at < 1 << 24
    out.write('static const char %s_names[] =' % name)
    for n in names:
        out.write('\n    "%s\\0"' % c_string(n))
    out.write(' "";\nconst char *const oui_%s_text = %s_names;\n' % (name, name))
    for i, r in enumerate(rows):
        out.write('static const uint64_t %s_%d[] = {' % (name, i))
        for k, prefix in enumerate(sorted(r)):
            out.write('%s%#x,' % ('\n    ' if k % 6 == 0 else ' ', prefix << 24 | places[r[prefix]]))
        out.write('\n    UINT64_MAX};\n')
    out.write('const struct oui_table oui_%s[3] = {\n' % name)
    for i, bits in enumerate((24, 28, 36)):
        out.write('    {%s_%d, %d, %d},\n' % (name, i, len(rows[i]), bits))
    out.write('};\n')


def main():
    with open(sys.argv[1], 'w', encoding='utf-8') as out:
        out.write('/* Made by baseline/oui_gen.py. */\n#include "baseline/oui.h"\n')
        write(out, 'excerpt', read([sys.argv[2]]))
        write(out, 'system', read(sys.argv[3:]))


main()
