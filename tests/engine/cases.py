"""cases.py: cases of a script, one function each; a folder for what they write; all of them run, or those named."""
import os
import sys
import tempfile

CASES = []
WORK = [None]


def case(f):
    CASES.append(f)
    return f


def folder():
    """A new one, gone at the end."""
    return tempfile.mkdtemp(dir=WORK[0])


def main(names):
    failed = 0
    with tempfile.TemporaryDirectory() as WORK[0]:
        for f in CASES:
            if names and f.__name__ not in names:
                continue
            try:
                f()
                print("ok    ", f.__name__)
            except Exception as e:  # each case is told, and the next one tried
                failed += 1
                print("FAILED", f.__name__, type(e).__name__, e)
                if os.environ.get("TRACE"):
                    raise
    sys.exit(failed != 0)
