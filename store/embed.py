#!/usr/bin/env python3
"""embed.py OUT NAME=FILE...: write text files as C strings, a line each."""
import sys

with open(sys.argv[1], 'w', encoding='utf-8') as out:
    for arg in sys.argv[2:]:
        name, path = arg.split('=', 1)
        out.write('extern const char %s[];\nconst char %s[] =' % (name, name))
        with open(path, encoding='utf-8') as f:
            for line in f:
                text = line.rstrip('\n').replace('\\', '\\\\').replace('"', '\\"')
                out.write('\n    "%s\\n"' % text)
        out.write(';\n')
